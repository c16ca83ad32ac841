/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Who watches packets as they pass: one function for each point and lcore, none as a rule.
 *
 * The libraries where the points are (pkt, port, engine, net) call what hangs there; what it does
 * is its owner's affair (capture, lib/tap). Nobody watching costs two loads and a branch: for
 * each burst at RX, RX_GRO and TX, for each packet that is dropped or routed on. Slots are written
 * by one control thread; who takes something off a slot frees it when the lcore has passed a
 * quiescent state.
 */
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <plx_base_defs.h>

PLX_C_BEGIN

/** The points. */
enum plx_pkt_point {
#define X(id, name, text) PLX_PKT_AT_##id, /**< text */
#include "plx_base_point.def"
#undef X
	PLX_PKT_AT_MAX
};

#define PLX_PKT_NO_PORT	  UINT16_MAX
#define PLX_PKT_WATCH_MAX 64 /**< packets at PLX_PKT_AT_TX at a time */

/** What a packet begins with. */
enum plx_pkt_link {
	PLX_PKT_LINK_ETHER,   /**< an Ethernet header */
	PLX_PKT_LINK_IP,      /**< an IP header: ports without Ethernet */
	PLX_PKT_LINK_UNKNOWN, /**< who drops it may have taken off headers: plx_pkt_came() */
};

/** What is the same for all packets of a call. */
struct plx_pkt_seen {
	uint8_t point;	 /**< enum plx_pkt_point */
	uint8_t link;	 /**< enum plx_pkt_link */
	bool out;	 /**< on its way out */
	uint8_t queue;	 /**< where there is a port */
	uint16_t port;	 /**< by its number, or PLX_PKT_NO_PORT */
	uint16_t reason; /**< of DROP: enum plx_drop */
};

/** Hangs at a point. */
struct plx_pkt_watch {
	/** On the lcore. The packets are to be read, not written, and not kept. */
	void (*see)(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s,
		struct rte_mbuf *const *pkts, uint16_t n);
	/** Of TX alone: of the packets just seen the driver has taken so many. The others will be
	 * seen again. In between others may be dropped. */
	void (*took)(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s, uint16_t n);
};

/** What an lcore finds. */
struct plx_pkt_watches {
	const struct plx_pkt_watch *at[PLX_PKT_AT_MAX];
} PLX_ALIGNED;

/** By lcore id. */
PLX_API extern struct plx_pkt_watches plx_pkt_watches[RTE_MAX_LCORE];
/** This thread's, see plx_acct_bind(); until then one that stays empty. */
PLX_API extern __thread struct plx_pkt_watches *plx_pkt_watches_mine;

/** Who watches here. NULL: nobody. */
static inline const struct plx_pkt_watch *plx_pkt_watch(enum plx_pkt_point point)
{
	return __atomic_load_n(&plx_pkt_watches_mine->at[point], __ATOMIC_ACQUIRE);
}

/** This thread is an lcore, or, by any other number, none: then nobody watches it. By
 * plx_acct_bind(). */
PLX_API void plx_pkt_watch_bind(unsigned int lcore);
/** Hang w (NULL: nothing) at an lcore's point. By the control thread. */
PLX_API void plx_pkt_watch_set(
	unsigned int lcore, enum plx_pkt_point point, const struct plx_pkt_watch *w);

/** Where a packet came from, and where in its mbuf it began then. */
struct plx_pkt_came {
	uint32_t buf;	/**< which buffer that was: a copy has another */
	uint16_t start; /**< its data_off */
	uint8_t port;
	uint8_t queue : 7;
	uint8_t ip : 1; /**< it had no Ethernet header */
};
PLX_API extern int plx_pkt_came_offset;	   /**< of struct plx_pkt_came in an mbuf */
PLX_API extern uint64_t plx_pkt_came_flag; /**< in ol_flags: it is set */

/** Note it, for who will see them dropped or forwarded. s is of where they are now. */
PLX_API void plx_pkt_came_note(
	const struct plx_pkt_seen *s, struct rte_mbuf *const *pkts, uint16_t n);
/** What was noted. NULL: nothing, or m does not hold what came. */
PLX_API const struct plx_pkt_came *plx_pkt_came(const struct rte_mbuf *m);

PLX_C_END
