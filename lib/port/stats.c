/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_port.h"

#include <stdio.h>

/* What the queues' lcores count, read from outside: each figure is of about now. */

void plx_port_stats(struct plx_port *p, struct plx_port_stats *s)
{
	*s = (struct plx_port_stats){
		.rx_packets = p->past_rx_pkts,
		.tx_packets = p->past_tx_pkts,
		.tx_dropped = p->past_tx_drops,
	};
	for (uint16_t i = 0; i < p->n_rxq; i++)
		s->rx_packets += plx_count_read(p->rxq[i]->pkts);
	for (uint16_t i = 0; i < p->n_txq; i++) {
		s->tx_packets += plx_count_read(p->txq[i]->pkts);
		s->tx_dropped += plx_count_read(p->txq[i]->drops);
	}
	if (p->ops->stats)
		p->ops->stats(p, s);
}

struct field {
	const char *name;
	size_t off;
};

static const struct field rx_fields[] = {
	{"packets", offsetof(struct plx_rxq, pkts)},
	{"polls", offsetof(struct plx_rxq, polls)},
	{"full_polls", offsetof(struct plx_rxq, full)},
};

static const struct field tx_fields[] = {
	{"packets", offsetof(struct plx_txq, pkts)},
	{"drops", offsetof(struct plx_txq, drops)},
	{"bursts", offsetof(struct plx_txq, bursts)},
	{"requeues", offsetof(struct plx_txq, requeues)},
	{"refused", offsetof(struct plx_txq, refused)},
	{"tx_timeouts", offsetof(struct plx_txq, watch.timeouts)},
};

/** A list that is being written. */
struct list {
	char (*names)[64];
	uint64_t *values;
	int n, max;
};

static void add_queue(struct list *l, const char *kind, uint16_t id, const void *q,
	const struct field *f, size_t n)
{
	for (size_t i = 0; i < n && l->n < l->max; i++, l->n++) {
		snprintf(
			l->names[l->n], sizeof(l->names[0]), "%s_queue_%u_%s", kind, id, f[i].name);
		l->values[l->n] = plx_count_read(*(const uint64_t *)((const char *)q + f[i].off));
	}
}

int plx_port_xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max)
{
	struct list l = {.names = names, .values = values, .max = max};
	int of_driver;

	for (uint16_t i = 0; i < p->n_rxq; i++)
		add_queue(&l, "rx", i, p->rxq[i], rx_fields, PLX_DIM(rx_fields));
	for (uint16_t i = 0; i < p->n_txq; i++)
		add_queue(&l, "tx", i, p->txq[i], tx_fields, PLX_DIM(tx_fields));
	if (!p->ops->xstats)
		return l.n;
	of_driver = p->ops->xstats(p, names + l.n, values + l.n, max - l.n);
	return l.n + PLX_MIN(of_driver, max - l.n);
}

bool plx_port_stuck(struct plx_port *p, struct plx_tx_stuck *what)
{
	for (uint16_t i = 0; i < p->n_txq; i++) {
		struct plx_tx_watch *w = &p->txq[i]->watch;
		uint64_t stuck = __atomic_load_n(&w->stuck, __ATOMIC_ACQUIRE);

		if (stuck == w->reported)
			continue;
		w->reported = stuck;
		*what = (struct plx_tx_stuck){
			.queue = i,
			.pkts = plx_count_read(w->waited),
			.waited_ns = plx_count_read(w->waited_ns),
		};
		return true;
	}
	return false;
}
