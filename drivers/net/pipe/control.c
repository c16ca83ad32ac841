/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PIPE_MBPS 100000 /* what one reads in `ports`; memory is no slower */

/* Control writes `up` while the peer's lcores read it. */
static bool is_up(const struct pipe_end *e)
{
	return __atomic_load_n(&e->up, __ATOMIC_ACQUIRE);
}

bool pipe__carrier(const struct pipe_end *e)
{
	return e->peer && is_up(e) && is_up(e->peer);
}

int pipe__set_link(struct plx_port *p, bool up)
{
	struct pipe_end *e = p->priv;

	__atomic_store_n(&e->up, up && p->open, __ATOMIC_RELEASE);
	return 0;
}

void pipe__link(struct plx_port *p, struct plx_link *link)
{
	*link = (struct plx_link){
		.up = pipe__carrier(p->priv), .mbps = PIPE_MBPS, .full_duplex = true};
}

/* What a receiver's NIC would count stands with the sender, whose lcore found it out. */
void pipe__stats(struct plx_port *p, struct plx_port_stats *s)
{
	const struct pipe_end *e = p->priv;

	for (uint16_t i = 0; i < e->queues; i++) {
		uint64_t dropped = plx_count_read(e->txq[i].dropped);

		s->tx_bytes += plx_count_read(e->txq[i].bytes);
		s->tx_dropped += dropped;
		s->tx_packets -= PLX_MIN(dropped, s->tx_packets);
	}
	for (uint16_t i = 0; e->peer && i < e->queues; i++) {
		s->rx_bytes += plx_count_read(e->peer->txq[i].bytes);
		s->rx_errors += plx_count_read(e->peer->txq[i].giants);
		s->rx_missed_errors += plx_count_read(e->peer->txq[i].missed);
	}
}

/*
 * The peer's lcores hash meanwhile. Entries of the table change one by one, the key as a whole: the
 * next one is written beside the one in use. A sender that slept through two changes of key may put
 * one burst on wrong queues, as a NIC does when its key changes.
 */
static int set_key(struct pipe_end *e, const uint8_t *key, uint16_t key_bytes)
{
	struct plx_toeplitz *next = e->key == &e->keys[0] ? &e->keys[1] : &e->keys[0];

	if (key_bytes != e->port->caps.key_bytes)
		return -EINVAL;
	if (plx_steer_toeplitz_init(next, key, key_bytes) != 0)
		return -EINVAL;
	__atomic_store_n(&e->key, next, __ATOMIC_RELEASE);
	pipe__rules_build(e);
	return 0;
}

static void set_reta(struct pipe_end *e, const struct plx_reta *reta)
{
	for (unsigned int i = 0; e->lie != PIPE_LIE_TABLE && i < reta->size; i++)
		__atomic_store_n(&e->reta.q[i], reta->q[i], __ATOMIC_RELAXED);
}

int pipe__rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t key_bytes, const struct plx_reta *reta)
{
	struct pipe_end *e = p->priv;
	int err = 0;

	if (reta && (reta->size != p->caps.reta_size || !plx_steer_reta_valid(reta, p->n_rxq)))
		return -EINVAL;
	if (key)
		err = set_key(e, key, key_bytes);
	if (!err && reta)
		set_reta(e, reta);
	return err;
}

int pipe__rss_get(struct plx_port *p, uint8_t *key, uint16_t *key_bytes, struct plx_reta *reta)
{
	const struct pipe_end *e = p->priv;
	const struct plx_toeplitz *in_use = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);

	if (key) {
		if (*key_bytes < in_use->key_len)
			return -EINVAL;
		memcpy(key, in_use->key, in_use->key_len);
		*key_bytes = in_use->key_len;
	}
	if (reta)
		reta->size = e->reta.size;
	for (unsigned int i = 0; reta && i < reta->size; i++)
		reta->q[i] = __atomic_load_n(&e->reta.q[i], __ATOMIC_RELAXED);
	return 0;
}

int pipe__rss_types(struct plx_port *p, uint32_t types)
{
	return 0; /* the senders read them */
}

static void drain_event(int fd, void *arg)
{
	eventfd_t n;

	(void)arg;
	if (eventfd_read(fd, &n) != 0) /* another wake-up took it: as good */
		return;
}

int pipe__rx_intr(struct plx_rxq *q, int epfd, bool add)
{
	struct pipe_end *e = q->port->priv;
	struct pipe_rxq *r = &e->rxq[q->id];

	if (r->fd < 0)
		return -EOPNOTSUPP;
	r->event.epdata = (struct rte_epoll_data){
		.event = EPOLLIN, .data = q, .cb_fun = drain_event, .cb_arg = NULL};
	return rte_epoll_ctl(epfd, add ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, r->fd, &r->event);
}

static void ring_the_bell(struct pipe_rxq *r)
{
	if (__atomic_exchange_n(&r->armed, false, __ATOMIC_ACQ_REL))
		eventfd_write(r->fd, 1);
}

/*
 * Either the sender sees `armed`, or we see its frame: each side writes, fences, then reads the
 * other one's word.
 */
int pipe__rx_intr_arm(struct plx_rxq *q, bool arm)
{
	struct pipe_end *e = q->port->priv;
	struct pipe_rxq *r = &e->rxq[q->id];

	if (r->fd < 0)
		return -EOPNOTSUPP;
	__atomic_store_n(&r->armed, arm, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (arm && plx_net_pipe_rx_pending(q))
		ring_the_bell(r);
	return 0;
}

void pipe__wake(struct pipe_rxq *r)
{
	if (plx_likely(r->fd < 0))
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&r->armed, __ATOMIC_RELAXED))
		ring_the_bell(r);
}
