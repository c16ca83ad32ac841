/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <rte_spinlock.h>

#include "plx_net_impair.h"

/** A packet on its way. */
struct impair_held {
	plx_ns at;    /**< departure */
	uint64_t seq; /**< among equal departures the order of arrival */
	struct rte_mbuf *m;
};

/** A binary heap, the next to depart on top. */
struct impair_heap {
	struct impair_held *v;
	uint32_t n;
};

/** One direction: one link for all queues, and what it holds for each. */
struct impair_line {
	rte_spinlock_t lock;
	bool tx;
	bool needs_l4; /**< some aim counts from the transport header */
	uint32_t held;
	uint32_t cap; /**< of each heap: the limit at open */
	uint64_t seq;
	uint64_t given_up; /**< crossed the link, and the lower port did not take them in time */
	struct plx_impair model;
	struct impair_heap heap[PLX_PORT_QUEUES_MAX];
} PLX_ALIGNED;

/** What p->priv points to. */
struct impair_port {
	struct impair_line line[2]; /**< by enum plx_net_impair_dir */
	struct plx_impair_conf conf[2];
	struct plx_port *port, *lower;
};

/* heap.c */
int impair__heap_new(struct impair_heap *h, uint32_t cap, int socket);
void impair__heap_free(struct impair_heap *h);
void impair__heap_push(struct impair_heap *h, const struct impair_held *p);
struct impair_held impair__heap_pop(struct impair_heap *h);

/* line.c */
plx_ns impair__now(void);
uint16_t impair__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
uint16_t impair__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);
void impair__line_stop(struct impair_line *l);
/** Drop what has crossed the link of a tx queue and the lower port does not take. */
void impair__give_up(struct impair_port *ip, uint16_t queue);
