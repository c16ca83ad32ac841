/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <errno.h>
#include <sys/epoll.h>

#include <rte_malloc.h>

/* The mbufs that a packet took along. @return false: the pool has none. */
static bool refill(struct vtap_rxq *r, struct vtap_slot *s)
{
	if (s->missing == 0)
		return true;
	if (rte_pktmbuf_alloc_bulk(r->pool, s->m, s->missing) != 0) {
		plx_count(r->count.no_mbuf, 1);
		return false;
	}
	for (uint16_t i = 0; i < s->missing; i++)
		s->iov[i + 1] = (struct iovec){
			.iov_base = rte_pktmbuf_mtod(s->m[i], void *),
			.iov_len = rte_pktmbuf_tailroom(s->m[i]),
		};
	s->missing = 0;
	return true;
}

/* The packet of so many bytes that a read has put into a slot. */
static struct rte_mbuf *take(struct vtap_slot *s, uint32_t bytes, uint16_t port)
{
	struct rte_mbuf *m = s->m[0], *last = NULL;
	uint32_t left = bytes;

	do {
		struct rte_mbuf *seg = s->m[s->missing];

		seg->data_len = (uint16_t)PLX_MIN(left, s->iov[s->missing + 1].iov_len);
		left -= seg->data_len;
		s->missing++;
		if (last)
			last->next = seg;
		last = seg;
	} while (left);
	m->nb_segs = s->missing;
	m->pkt_len = bytes;
	m->port = port;
	return m;
}

/* An interface that is gone leaves its descriptor readable for ever: nobody shall wake by it. */
static void is_gone(struct vtap_rxq *r)
{
	r->gone = true;
	if (r->epfd >= 0)
		epoll_ctl(r->epfd, EPOLL_CTL_DEL, r->fd, NULL);
	r->epfd = -1;
}

static void failed(struct vtap_rxq *r, int err)
{
	if (err == EAGAIN || err == EINTR || err == ECANCELED)
		return;
	plx_count(r->count.errors, 1);
	if (err == EBADFD)
		is_gone(r);
}

/* What a read has brought. @return the packet, or NULL: none, or dropped. */
static struct rte_mbuf *received(struct plx_rxq *q, struct vtap_slot *s, int bytes)
{
	struct vtap_rxq *r = q->priv;
	struct rte_mbuf *m;
	enum plx_drop drop;

	if (bytes <= (int)sizeof(s->hdr)) {
		failed(r, bytes < 0 ? -bytes : EIO);
		return NULL;
	}
	m = take(s, (uint32_t)bytes - (uint32_t)sizeof(s->hdr), q->port->id);
	plx_count(r->count.bytes, m->pkt_len);
	drop = vtap__hdr_in(m, &s->hdr, r->eth);
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		plx_rxq_lost(m, drop);
		return NULL;
	}
	plx_count(r->count.partial, (m->ol_flags & plx_pkt_partial_flag) != 0);
	if (m->ol_flags & plx_pkt_merged_flag) {
		plx_count(r->count.super, 1);
		plx_rxq_merged(q, m);
	}
	return m;
}

static int read_one(struct vtap_rxq *r, const struct vtap_slot *s)
{
	ssize_t n = readv(r->fd, s->iov, r->segs + 1);

	plx_count(r->count.calls, 1);
	return n < 0 ? -errno : (int)n;
}

static uint16_t by_calls(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct vtap_rxq *r = q->priv;
	uint16_t got = 0;
	int bytes;

	while (got < n && refill(r, r->slot)) {
		bytes = read_one(r, r->slot);
		pkts[got] = received(q, r->slot, bytes);
		if (bytes < 0)
			break;
		got += pkts[got] != NULL;
	}
	return got;
}

static uint16_t ready_slots(struct vtap_rxq *r, uint16_t n)
{
	uint16_t i = 0;

	while (i < n && refill(r, &r->slot[i]))
		i++;
	return i;
}

/* So many reads in one call. @return how many brought something; packets are added to pkts. */
static uint16_t read_batch(struct plx_rxq *q, uint16_t n, struct rte_mbuf **pkts, uint16_t *got)
{
	struct vtap_rxq *r = q->priv;
	int res[VTAP_BATCH];
	uint16_t good = 0;

	if (n == 1) { /* a ring's way is the longer one */
		res[0] = read_one(r, r->slot);
	} else {
		for (uint16_t i = 0; i < n; i++)
			vtap__uring_read(r->uring, i, r->slot[i].iov, r->segs + 1u);
		plx_count(r->count.calls, 1);
		if (plx_unlikely(vtap__uring_run(r->uring, n, res) != 0)) {
			vtap__uring_free(r->uring);
			r->uring = NULL; /* by a call each from now on */
		}
	}
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = received(q, &r->slot[i], res[i]);

		good += res[i] > 0;
		if (m)
			pkts[(*got)++] = m;
	}
	return good;
}

/* A read that finds nothing costs as much as a system call: no more at a time than may well bring
 * something. */
static uint16_t by_batches(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct vtap_rxq *r = q->priv;
	uint16_t got = 0;

	while (got < n && plx_likely(r->uring)) {
		uint16_t want = (uint16_t)PLX_MIN(r->batch, n - got);
		uint16_t have = ready_slots(r, want), good;

		if (have == 0)
			break;
		good = read_batch(q, have, pkts, &got);
		if (good < have) {
			r->batch = (uint16_t)PLX_MAX(good, 1);
			break;
		}
		r->batch = (uint16_t)PLX_MIN(r->batch * 2, r->n_slots);
	}
	return got;
}

uint16_t vtap__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	const struct vtap_rxq *r = q->priv;

	if (plx_unlikely(r->gone))
		return 0;
	return r->uring ? by_batches(q, pkts, n) : by_calls(q, pkts, n);
}

/* Slots, and behind them what they point to. */
static int make_slots(struct vtap_rxq *r, int socket)
{
	size_t each = sizeof(*r->slot) + r->segs * sizeof(struct rte_mbuf *) +
		      (r->segs + 1u) * sizeof(struct iovec);
	uint8_t *at = plx_pkt_mem_alloc(r->n_slots * each, socket);

	r->slot = (struct vtap_slot *)at;
	if (!at)
		return -ENOMEM;
	at += r->n_slots * sizeof(*r->slot);
	for (uint16_t i = 0; i < r->n_slots; i++) {
		struct vtap_slot *s = &r->slot[i];

		s->iov = (struct iovec *)at;
		at += (r->segs + 1u) * sizeof(struct iovec);
		s->m = (struct rte_mbuf **)at;
		at += r->segs * sizeof(struct rte_mbuf *);
		s->iov[0] = (struct iovec){.iov_base = &s->hdr, .iov_len = sizeof(s->hdr)};
		s->missing = r->segs;
	}
	return 0;
}

int vtap__rxq_start(struct vtap_rxq *r, int fd, bool eth, struct rte_mempool *pool, uint16_t kept,
	struct vtap_uring *uring, int socket)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	int err;

	*r = (struct vtap_rxq){
		.fd = fd,
		.eth = eth,
		.batch = 1,
		.segs = (uint16_t)((VTAP_FRAME_MAX + room - 1) / room),
		.pool = pool,
		.uring = uring,
		.epfd = -1,
		.count = r->count,
	};
	if (r->segs >= VTAP_IOVS)
		return -EINVAL;
	r->n_slots = uring ? (uint16_t)PLX_MIN(PLX_MAX(kept / r->segs, 1), VTAP_BATCH) : 1;
	err = make_slots(r, socket);
	/* that one can be filled shows that the pool is not too small for all */
	if (!err && ready_slots(r, r->n_slots) < r->n_slots)
		err = -ENOBUFS;
	return err;
}

void vtap__rxq_stop(struct vtap_rxq *r)
{
	for (uint16_t i = 0; r->slot && i < r->n_slots; i++) {
		struct vtap_slot *s = &r->slot[i];

		for (uint16_t k = s->missing; k < r->segs; k++)
			rte_pktmbuf_free(s->m[k]);
	}
	rte_free(r->slot);
	vtap__uring_free(r->uring);
	r->slot = NULL;
	r->uring = NULL;
}
