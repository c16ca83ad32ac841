/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * `pollux fwd`: what its modes share. A mode is a receive function, or a generator, in fwd_*.c.
 */
#include "app.h"

#define FWD_SIZE_MIN  42 /**< Ethernet, IPv4 and UDP headers */
#define FWD_FLOWS_MAX 60000

/** What a run of fwd was asked to do. Written before the lcores start. */
struct fwd {
	uint16_t peer[PLX_PORT_MAX];	  /**< by port: where its packets go */
	struct plx_mac dst[PLX_PORT_MAX]; /**< by transmitting port: who is at its other end */
	struct plx_mac src[PLX_PORT_MAX]; /**< by transmitting port: its own */
	uint32_t size;			  /**< bytes of a generated frame, without the FCS */
	uint32_t flows;			  /**< generated */
	uint16_t burst;
	uint32_t tx_first; /**< bursts that every transmit queue begins with */
};
extern struct fwd fwd;

typedef void (*fwd_rx_fn)(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);

struct fwd_mode {
	const char *name;
	fwd_rx_fn rx; /**< NULL: receive queues are not polled */
	/** On each lcore before its first pass; optional. 0 or -errno. */
	int (*start)(struct plx_softnet *sn);
	/** After the run, for each lcore; optional. */
	void (*end)(struct plx_softnet *sn);
};

void fwd_io(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
void fwd_rxonly(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
void fwd_mac(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
void fwd_macswap(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
void fwd_5tswap(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
void fwd_csum(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
/** Send fwd.tx_first bursts by each transmit queue. On the lcore. */
int fwd_gen_prime(struct plx_softnet *sn);
int fwd_gen_start(struct plx_softnet *sn);
void fwd_gen_end(struct plx_softnet *sn);

/** Take frames without a whole Ethernet header out of a burst and drop them. @return what is left.
 */
uint16_t fwd_drop_short(struct rte_mbuf **pkts, uint16_t n);

/** Twelve bytes of addresses the other way round, the next four as they are. */
static inline void fwd_swap_macs(void *frame)
{
	typedef uint8_t bytes __attribute__((vector_size(16)));
	bytes v;

	memcpy(&v, frame, sizeof(v));
	v = __builtin_shufflevector(v, v, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15);
	memcpy(frame, &v, sizeof(v));
}

/** Bring in the data of the packet that is worked on `ahead` packets later. */
#define FWD_AHEAD 4
static inline void fwd_prefetch(struct rte_mbuf **pkts, uint16_t i, uint16_t n)
{
	if (i + FWD_AHEAD < n)
		__builtin_prefetch(rte_pktmbuf_mtod(pkts[i + FWD_AHEAD], void *), 1);
}
