/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Models of a bad link: what happens to each packet of one direction, decided from a seed.
 *
 * Pure: no clock, no allocation, no packets held. The caller shows each packet, in order, with the
 * time; the verdict says whether it is lost, how many copies leave, when, and which bits are
 * flipped. Holding packets until they depart is the caller's: packets of equal departure keep their
 * order.
 *
 * A packet meets the models in this order: loss, duplication, corruption, the limits, rate,
 * reordering, delay. Each model draws from a generator of its own and for every packet, so that the
 * same packets are lost whatever else is set or changed.
 *
 * The words and the text form follow Linux's netem (man tc-netem), with the differences named here.
 */
#include <plx_base_defs.h>
#include <plx_base_reasons.h>
#include <plx_base_rng.h>

PLX_C_BEGIN

#define PLX_IMPAIR_NTH_MAX  16 /**< packets named by number */
#define PLX_IMPAIR_AIM_MAX  4
#define PLX_IMPAIR_FLIP_MAX 8

/** A packet as the models see it. */
struct plx_impair_pkt {
	uint32_t bytes;	   /**< length on the link, below 1 GiB */
	const void *data;  /**< first contiguous bytes, for aimed loss; may be NULL */
	uint32_t data_len; /**< bytes readable at data */
	uint32_t l4_off;   /**< offset in data of the transport header; 0 = not known */
	uint32_t held;	   /**< packets that the caller holds and that have not departed */
};

/** Loses the packets from first to last of those whose big-endian bytes at off match. */
struct plx_impair_aim {
	bool l4;     /**< off counts from the transport header, else from the frame's start */
	uint8_t len; /**< bytes compared, 1..4; 0 = no aim */
	uint16_t off;
	uint32_t value, mask;
	uint32_t first, last; /**< among the matches, from 1 on; last UINT32_MAX = for ever */
};

/** Gilbert-Elliott: two states, each with its own loss. The state moves after each packet. */
struct plx_impair_ge {
	double p;	  /**< good -> bad */
	double r;	  /**< bad -> good: a bad spell lasts 1/r packets in the mean */
	double bad_loss;  /**< netem's 1-h */
	double good_loss; /**< netem's 1-k */
};

enum plx_impair_dist {
	PLX_IMPAIR_UNIFORM, /**< delay +- jitter, every value alike */
	PLX_IMPAIR_NORMAL,  /**< jitter is the standard deviation; cut at six of them */
};

/** A link. All zero is a perfect one. Probabilities are 0..1. */
struct plx_impair_conf {
	uint64_t seed;

	double loss;
	struct plx_impair_ge ge; /**< in force when p > 0 */
	uint32_t every;		 /**< lose each every-th packet; 0 = none */
	uint8_t n_nth, n_aim;
	uint32_t nth[PLX_IMPAIR_NTH_MAX]; /**< lose these, counted from 1, ascending */
	struct plx_impair_aim aim[PLX_IMPAIR_AIM_MAX];
	bool (*pick)(
		void *arg, const struct plx_impair_pkt *pkt); /**< lose where true; NULL = none */
	void *pick_arg;

	double dup;
	double corrupt;
	uint8_t corrupt_bits; /**< different bits flipped in a packet, 1..PLX_IMPAIR_FLIP_MAX; 0 is
				 1 */

	uint64_t rate_bps;    /**< bits a second; 0 = no limit */
	uint32_t burst_bytes; /**< that leave at once after a pause; 0 = strict serialisation */
	uint32_t queue_bytes; /**< waiting for the rate; the packet that would not fit is lost; 0 =
				 any */
	uint32_t limit_pkts;  /**< most packets that the caller may hold; 0 = any */

	plx_ns delay_ns;
	plx_ns jitter_ns;
	enum plx_impair_dist dist;
	bool keep_order; /**< jitter never lets a packet overtake */

	double reorder;	   /**< after at least gap - 1 packets in order, this share of the next: */
	uint32_t gap;	   /**< 0 is 1 */
	plx_ns reorder_ns; /**< 0: it skips the delay and overtakes; else held back by so much more
			    */
};

/** What becomes of a packet. */
struct plx_impair_verdict {
	enum plx_drop
		drop; /**< PLX_DROP_NONE, _IMPAIR_LOSS or _IMPAIR_QUEUE; the rest is void then */
	unsigned int copies; /**< 1, or 2 when duplicated; they leave together */
	plx_ns depart_ns;    /**< >= now */
	unsigned int flips;  /**< of the first copy; the other one stays intact */
	struct {
		uint32_t off; /**< below bytes */
		uint8_t mask; /**< to XOR */
	} flip[PLX_IMPAIR_FLIP_MAX];
};

/** Packets by fate. lost includes aimed and nth loss. */
struct plx_impair_stats {
	uint64_t seen, lost, queue_full, duplicated, corrupted, reordered;
};

/** A link's state. Owned by one lcore. */
struct plx_impair {
	struct plx_impair_conf conf;
	struct plx_impair_stats stats;
	struct plx_rng loss, ge, dup, corrupt, reorder, jitter;
	bool ge_bad;
	uint8_t nth_next; /**< index in conf.nth */
	uint64_t aim_hits[PLX_IMPAIR_AIM_MAX];
	uint32_t in_order; /**< packets since the last reordered one */
	plx_ns queue_ns;   /**< conf.queue_bytes and burst_bytes as time at the rate */
	plx_ns burst_ns;
	plx_ns link_free_ns; /**< when the rate has sent all that it took */
	uint64_t link_rem;   /**< remainder of that division: bits times 10^9, modulo rate_bps */
	plx_ns last_ns;	     /**< latest departure, for keep_order */
};

/** Where and why a text is wrong. */
struct plx_impair_error {
	size_t pos;	  /**< offset in the text */
	const char *text; /**< a static sentence */
};

/**
 * Read "loss=1%,delay=10ms,jitter=2ms" into c, over what is there.
 *
 *     loss=P  dup=P  seed=N          P: 1% or 0.01
 *     ge=P[:R[:BAD[:GOOD]]]          as netem: R is 1-P, BAD 100 %, GOOD 0 if not given
 *     nth=N                          each N-th
 *     drop=N or drop=N/N/N           these, counted from 1 on; up to 16, ascending
 *     aim=[l4+]OFF:VALUE[/MASK]      hex bytes at an offset: lose all that match;
 *         [:A[-[B]]]                 the A-th match, or A to B, or from A on
 *     corrupt=P[:BITS]
 *     rate=N[kmg]bit  burst=N[k|m][b]  queue=N[k|m][b]  limit=PACKETS
 *     delay=T  jitter=T  dist=uniform|normal  order=keep|free    T: 10ms, 250us, 1s, 80ns
 *     reorder=P[:T]  gap=N
 *
 * @return 0, or -EINVAL with *err filled and *c untouched.
 */
PLX_API int plx_impair_conf_parse(
	struct plx_impair_conf *c, const char *text, struct plx_impair_error *err);

/** @return NULL when the parts of c fit each other and their ranges, else a static sentence. */
PLX_API const char *plx_impair_conf_check(const struct plx_impair_conf *c);

/** A fresh link. The same conf gives the same verdicts. @return 0, or -EINVAL as conf_check() says.
 */
PLX_API int plx_impair_init(struct plx_impair *im, const struct plx_impair_conf *conf);

/** Decide the fate of the next packet. @param now  never less than the time before. */
PLX_API void plx_impair_decide(struct plx_impair *im, plx_ns now, const struct plx_impair_pkt *pkt,
	struct plx_impair_verdict *v);

PLX_C_END
