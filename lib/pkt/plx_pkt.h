/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Packets: mbufs with one door out, and the account that has to close.
 *
 * A packet enters by rx or is originated here, and leaves by exactly one of: transmitted,
 * delivered, dropped with a reason. Each lcore keeps its own account (single writer, no atomics),
 * so that at any quiet moment, summed over lcores and in wire packets,
 *
 *     rx + originated = transmitted + delivered + drops + held
 *
 * where held is what still sits in queues. An mbuf that stands for several wire packets
 * (reassembled) carries their number. All functions here are for EAL threads.
 */
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <plx_base_addr.h>
#include <plx_base_error.h>
#include <plx_base_reasons.h>
#include <plx_pkt_bpf.h>
#include <plx_pkt_watch.h>

PLX_C_BEGIN

/** One lcore's account. Read by anybody, written by its lcore only. */
struct plx_acct {
	uint64_t rx_pkts;	  /**< taken from drivers */
	uint64_t originated_pkts; /**< made here */
	uint64_t tx_pkts;	  /**< accepted by drivers */
	uint64_t delivered_pkts;  /**< consumed by a local protocol or program */
	uint64_t drop[PLX_DROP_MAX];
	uint64_t stat[PLX_STAT_MAX];
} PLX_ALIGNED;

/** By lcore id. */
PLX_API extern struct plx_acct plx_acct[RTE_MAX_LCORE];

/** The account that this thread writes: lcore 0's until plx_acct_bind(). */
PLX_API extern __thread struct plx_acct *plx_acct_mine;
/** From here on this thread writes its own lcore's account, and those see its packets who watch
 * that lcore (plx_pkt_watch.h). At the start of an lcore's work. */
PLX_API void plx_acct_bind(void);

/** This lcore's account. */
static inline struct plx_acct *plx_acct_self(void)
{
	return plx_acct_mine;
}

/** Add all lcores' accounts up into *sum. Any thread; the figures of a running engine are of about
 * now. */
PLX_API void plx_acct_sum(struct plx_acct *sum);
/** All drops of an account, in packets. */
PLX_API uint64_t plx_acct_drops(const struct plx_acct *a);
/** Start from zero. Only while no lcore runs. */
PLX_API void plx_acct_reset(void);

static inline void plx_stat_inc(enum plx_stat id)
{
	plx_count(plx_acct_self()->stat[id], 1);
}

/** What travels with an mbuf between our stages and lcores; in a dynamic field. */
struct plx_pkt_meta {
	struct rte_mbuf *next; /**< the next packet of a queue that the upper layer keeps */
	uint16_t wire_pkts; /**< with plx_pkt_merged_flag: wire packets that this mbuf stands for */
	uint16_t iface;	    /**< interface it came by; the upper layer's numbering */
	uint8_t stage; /**< where the lcore that gets it goes on; the upper layer's numbering */
	uint8_t flags; /**< the upper layer's */
	uint16_t aux;  /**< the upper layer's */
};

PLX_API extern int plx_pkt_meta_offset;	     /**< of struct plx_pkt_meta in an mbuf */
PLX_API extern uint64_t plx_pkt_merged_flag; /**< in ol_flags: meta.wire_pkts is valid */
/**
 * In ol_flags of a merged IPv4 packet: its parts have all the same identification, instead of one
 * that counts up (Linux's SKB_GSO_TCP_FIXEDID), and DF. GSO cuts it as it came; a device that cuts
 * counts up, which changes nothing (RFC 6864 4.1).
 */
PLX_API extern uint64_t plx_pkt_fixed_id_flag;
/**
 * In ol_flags: the L4 checksum field holds the sum of the pseudo-header only, as a sender left it
 * that trusts the way from there to here (RTE_MBUF_F_RX_L4_CKSUM_GOOD is set too). Such a packet is
 * good for who takes it in; before it goes out, or is cut, plx_pkt_ask() or plx_pkt_complete().
 */
PLX_API extern uint64_t plx_pkt_partial_flag;
/** Those of ol_flags that say how a packet came: they end where it is delivered. */
PLX_API extern uint64_t plx_pkt_came_flags;

/** Register the dynamic field and flags. Once, after rte_eal_init(). @return 0 or -errno. */
PLX_API int plx_pkt_init(void);

static inline struct plx_pkt_meta *plx_pkt_meta(struct rte_mbuf *m)
{
	return (struct plx_pkt_meta *)((uintptr_t)m + plx_pkt_meta_offset);
}

/** Wire packets that m stands for. */
static inline uint32_t plx_pkt_wire(struct rte_mbuf *m)
{
	return plx_unlikely(m->ol_flags & plx_pkt_merged_flag) ? plx_pkt_meta(m)->wire_pkts : 1;
}

static inline void plx_pkt_set_wire(struct rte_mbuf *m, uint32_t pkts)
{
	m->ol_flags |= plx_pkt_merged_flag;
	plx_pkt_meta(m)->wire_pkts = (uint16_t)pkts;
}

/**
 * rte_pktmbuf_free_bulk() for what is mostly unshared, in one segment, and of one pool. Counts
 * nothing: one of the ways out below does. What m[] holds afterwards is undefined.
 */
PLX_API void plx_pkt_free_bulk(struct rte_mbuf **m, unsigned int n);

/** The way out for what is not wanted: counts it under its reason and frees it. */
PLX_API void plx_pkt_drop(struct rte_mbuf *m, enum plx_drop reason);
/** The same for what a port's way out cannot use: it has its link header. */
PLX_API void plx_pkt_drop_out(
	struct rte_mbuf *m, enum plx_drop reason, const struct plx_pkt_seen *s);
PLX_API void plx_pkt_drop_bulk(struct rte_mbuf **m, unsigned int n, enum plx_drop reason);

/** The way out for what a local protocol has consumed. */
static inline void plx_pkt_deliver(struct rte_mbuf *m)
{
	plx_count(plx_acct_self()->delivered_pkts, plx_pkt_wire(m));
	rte_pktmbuf_free(m);
}

PLX_API void plx_pkt_deliver_bulk(struct rte_mbuf **m, unsigned int n);

/** The same for packets as a driver gave them: each is one wire packet. */
static inline void plx_pkt_deliver_fresh(struct rte_mbuf **m, unsigned int n)
{
	plx_count(plx_acct_self()->delivered_pkts, n);
	plx_pkt_free_bulk(m, n);
}

/** The same where the mbuf itself lives on, e.g. to carry the answer (which is then originated). */
static inline void plx_pkt_deliver_keep(struct rte_mbuf *m)
{
	plx_count(plx_acct_self()->delivered_pkts, plx_pkt_wire(m));
	m->ol_flags &= ~plx_pkt_came_flags;
}

/** Count packets that we made. */
static inline void plx_pkt_originate(uint32_t pkts)
{
	plx_count(plx_acct_self()->originated_pkts, pkts);
}

/** How a pool is made. */
struct plx_pkt_pool_conf {
	const char *name;
	uint32_t pkts;	     /**< mbufs */
	uint16_t room_bytes; /**< data room without the headroom; 0 = 2048 */
	int socket;	     /**< NUMA node, as plx_pkt_mem_alloc()'s */
	bool shared_cpu;     /**< lcores share CPUs: a preempted one must not hold up the others */
	bool uncached;	     /**< none of them may lie idle with an lcore that freed it */
	bool bare; /**< no data room at all: for mbufs that are attached to others' data */
};

/**
 * Memory that begins as zeroes, on a cache line; rte_free() frees it.
 * @param socket NUMA node where it should be: if that has none left (or is none: vdevs say -1), it
 * comes from another, as slow memory is better than none. @return NULL when there is none at all.
 */
PLX_API void *plx_pkt_mem_alloc(size_t bytes, int socket);

/** @return the pool, or NULL with *e filled (NO_MEMORY). The caller frees it with
 * rte_mempool_free(). */
PLX_API struct rte_mempool *plx_pkt_pool_create(
	const struct plx_pkt_pool_conf *conf, struct plx_error *e);

/** The whole packet in one segment where it can be made so, else NULL; m is then as it was. */
PLX_API struct rte_mbuf *plx_pkt_linearize(struct rte_mbuf *m);

/** The whole packet in so many segments at most, which a copy fills up; else NULL, m as it was. */
PLX_API struct rte_mbuf *plx_pkt_in_segs(struct rte_mbuf *m, uint16_t max_segs);

/** Does anybody else hold a part of m: a clone, or an indirect or external buffer? */
PLX_API bool plx_pkt_shared(const struct rte_mbuf *m);

/** m, writable: itself when nobody shares it, else a copy in its place; NULL when there is no
 * memory for one, and m is as it was. */
PLX_API struct rte_mbuf *plx_pkt_own(struct rte_mbuf *m);
/** The same for the first segment, where the headers are; what follows it may be shared. */
PLX_API struct rte_mbuf *plx_pkt_own_head(struct rte_mbuf *m);

/**
 * Do in software what RTE_MBUF_F_TX_IP_CKSUM and _TX_{TCP,UDP}_CKSUM ask the device for, and clear
 * them (Linux's skb_checksum_help()). l2_len and l3_len are set, the L4 field holds the sum of the
 * pseudo-header, and all headers are in the first segment, writable.
 * @return 0; -EINVAL when the lengths do not fit the packet, -EOPNOTSUPP for SCTP's CRC.
 */
PLX_API int plx_pkt_csum_fill(struct rte_mbuf *m);

/** Where the headers of a TCP or UDP packet are. */
struct plx_pkt_layers {
	uint16_t l2_bytes, l3_bytes, l4_bytes; /**< header lengths; UDP's is 8 */
	uint8_t version;		       /**< 4 or 6 */
	bool udp;
	uint32_t len;	 /**< bytes of transport header and payload, as the IP header says */
	uint32_t pseudo; /**< sum of the pseudo-header without the length */
};

/**
 * Find them; all must be in the first segment. @param eth whether an Ethernet header comes first.
 * @return false for what is neither TCP nor UDP, a fragment, malformed, or has a checksum over
 * other addresses than those of its header (an IPv6 routing header).
 */
PLX_API bool plx_pkt_layers(struct plx_pkt_layers *l, const struct rte_mbuf *m, bool eth);
/**
 * Have the device that m goes out by do what the one that it came by did not: complete the checksum
 * (plx_pkt_partial_flag), cut it into packets of tso_segsz (RTE_MBUF_F_RX_LRO). Sets the flags and
 * lengths that DPDK asks for, but for the IPv4 header's checksum, which is right as it is; writes
 * to the first segment. @return 0; -EINVAL when it has no such headers.
 */
PLX_API int plx_pkt_ask(struct rte_mbuf *m, bool eth);
/**
 * Say of a packet that came merged, by the device's word, that its payload is in parts of so many
 * bytes: RTE_MBUF_F_RX_LRO, tso_segsz, its number of wire packets. Nothing when it is but one part.
 * @param l its layers. @return false when no part can be so.
 */
PLX_API bool plx_pkt_set_parts(
	struct rte_mbuf *m, const struct plx_pkt_layers *l, uint32_t part_bytes);
/** Complete the checksum that plx_pkt_partial_flag says is not. m as plx_pkt_ask()'s. */
PLX_API int plx_pkt_complete(struct rte_mbuf *m, bool eth);

/*
 * A loan: memory of a program that packets carry where it lies. Each of their mbufs is attached to
 * a part of it as an external buffer and holds a share; so does whoever may have to send it again.
 * What is lent is only read.
 */
struct plx_pkt_loan {
	struct rte_mbuf_ext_shared_info shared;
	/** The last share is gone, on whatever lcore or thread. */
	void (*over)(struct plx_pkt_loan *l);
	bool copied; /**< some of it went on as a copy */
};

/** One share, the caller's. */
PLX_API void plx_pkt_loan_init(struct plx_pkt_loan *l, void (*over)(struct plx_pkt_loan *l));
/** Let go of a share. */
PLX_API void plx_pkt_loan_put(struct plx_pkt_loan *l);
/** m, fresh, carries n bytes at p, which l has lent, and holds a share. */
PLX_API void plx_pkt_loan_attach(
	struct plx_pkt_loan *l, struct rte_mbuf *m, const void *p, rte_iova_t iova, uint16_t n);
/** The loan that a buffer is shared by; NULL: it is no loan. */
PLX_API struct plx_pkt_loan *plx_pkt_loan_of(struct rte_mbuf_ext_shared_info *shared);
/** The same of what one segment carries. */
static inline struct plx_pkt_loan *plx_pkt_loan_in(const struct rte_mbuf *seg)
{
	return plx_unlikely(RTE_MBUF_HAS_EXTBUF(seg)) ? plx_pkt_loan_of(seg->shinfo) : NULL;
}
/** Does m carry something that is lent? */
PLX_API bool plx_pkt_lent(const struct rte_mbuf *m);
/** A copy of m goes on in its place: note it in the loans. */
PLX_API void plx_pkt_loan_copied(const struct rte_mbuf *m);

/**
 * The Internet checksum's sum, not finished (plx_cksum_combine(), plx_cksum_finish()), of len bytes
 * from off on, over all segments; of as many as there are if len is more.
 */
PLX_API uint32_t plx_pkt_csum_sum(const struct rte_mbuf *m, uint32_t off, uint32_t len);

PLX_C_END
