/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

/* By the name that it has by now: it may have been given another. */
static int call(const struct vtap *v, unsigned long what, struct ifreq *r)
{
	struct ifreq now = {0};

	if (ioctl(v->fd[0], TUNGETIFF, &now) != 0)
		return -errno;
	memcpy(r->ifr_name, now.ifr_name, sizeof(r->ifr_name));
	return ioctl(v->ctl, what, r) == 0 ? 0 : -errno;
}

int vtap__set_mtu(struct plx_port *p, uint16_t mtu)
{
	struct ifreq r = {.ifr_mtu = mtu};

	return p->open ? call(p->priv, SIOCSIFMTU, &r) : 0;
}

/* To the kernel it is as if the cable were drawn. */
int vtap__set_link(struct plx_port *p, bool up)
{
	const struct vtap *v = p->priv;
	int carrier = up;

	if (!p->open)
		return 0;
	return ioctl(v->fd[0], TUNSETCARRIER, &carrier) == 0 ? 0 : -EOPNOTSUPP; /* before 5.0 */
}

/*
 * One that was moved to another namespace is not found, but its queue still has it: its state is
 * not known then, and taken for "up".
 */
static bool is_up(const struct vtap *v)
{
	struct ifreq r = {0};
	int err = call(v, SIOCGIFFLAGS, &r);

	return err == -ENODEV || (!err && r.ifr_flags & IFF_UP);
}

void vtap__link(struct plx_port *p, struct plx_link *link)
{
	*link = (struct plx_link){.up = is_up(p->priv), .full_duplex = true};
}

void vtap__stats(struct plx_port *p, struct plx_port_stats *s)
{
	const struct vtap *v = p->priv;

	for (uint16_t i = 0; i < PLX_PORT_QUEUES_MAX; i++) {
		const struct vtap_rx_count *rx = &v->rxq[i].count;
		const struct vtap_tx_count *tx = &v->txq[i].count;
		uint64_t dropped = plx_count_read(tx->dropped);

		s->rx_bytes += plx_count_read(rx->bytes);
		s->rx_errors += plx_count_read(rx->errors);
		s->tx_bytes += plx_count_read(tx->bytes);
		s->tx_dropped += dropped;
		s->tx_packets -= PLX_MIN(dropped, s->tx_packets);
	}
}

struct field {
	const char *name;
	size_t off;
	bool tx;
};

#define RX(name, field)                                                                            \
	{                                                                                          \
		name, offsetof(struct vtap_rx_count, field), false                                 \
	}
#define TX(name, field)                                                                            \
	{                                                                                          \
		name, offsetof(struct vtap_tx_count, field), true                                  \
	}

static const struct field fields[] = {
	RX("calls", calls),
	RX("super_packets", super),
	RX("partial_checksums", partial),
	RX("errors", errors),
	RX("no_mbuf", no_mbuf),
	TX("calls", calls),
	TX("super_packets", super),
	TX("dropped", dropped),
	TX("again", again),
};

int vtap__xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max)
{
	const struct vtap *v = p->priv;
	int n = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		for (size_t k = 0; k < PLX_DIM(fields); k++, n++) {
			const struct field *f = &fields[k];
			const uint8_t *q = f->tx ? (const uint8_t *)&v->txq[i].count
						 : (const uint8_t *)&v->rxq[i].count;

			if (n >= max)
				continue;
			snprintf(names[n], sizeof(names[n]), "vtap_%s_queue_%u_%s",
				f->tx ? "tx" : "rx", i, f->name);
			values[n] = plx_count_read(*(const uint64_t *)(q + f->off));
		}
	}
	return n;
}

/* By level, as nothing has to be armed: readable means that the next poll finds something. */
int vtap__rx_intr(struct plx_rxq *q, int epfd, bool add)
{
	struct epoll_event ev = {.events = EPOLLIN}; /* data.ptr NULL: no record of rte_epoll's */
	struct vtap_rxq *r = q->priv;

	if (r->gone)
		return 0;
	r->epfd = add ? epfd : -1;
	return epoll_ctl(epfd, add ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, r->fd, &ev) == 0 ? 0 : -errno;
}

int vtap__rx_intr_arm(struct plx_rxq *q, bool arm)
{
	return 0;
}
