/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The rebalancer: by what the buckets of the owner map were measured to cost, which few of them are
 * to move so that the lcores are even.
 *
 *     each interval:  counters --input--> one decision and its reason --output--> moves
 *
 * The caller counts (packets or cycles by bucket), has the clock, and moves flows; the map is its
 * own. Every input() ends in exactly one decision, which says why and is counted: who asks finds
 * out that nothing was to be done, or what kept it from being done.
 *
 * Level: an lcore's load over its weight. Share: the level of an lcore if all were even, without
 * the buckets that are larger than that (elephants), which get an lcore each. An lcore is too hot
 * if its level is over both the share and its largest bucket by `start`, three rounds in a row; it
 * is relieved until it is over by no more than `stop`. With few large buckets that may be
 * impossible; that is a reason, too.
 *
 * Pure: no clock, no allocation. Owned by one thread; its counters may be read by others as
 * statistics are (plx_count_read()).
 *
 * Source: Barbette, Katsikas, Maguire, Kostic: RSS++: load and state-aware receive side scaling,
 * CoNEXT 2019: load of a bucket is its share of its core's packets times that core's load; few
 * moves, each 100 ms, from those over the mean to those under it. Smoothing, rest, the rules for
 * elephants and the reasons are ours.
 */
#include "plx_steer_owner.h"
#include "plx_steer_rps.h"

PLX_C_BEGIN

#define PLX_BALANCE_MOVES_MAX  256	  /**< of a round */
#define PLX_BALANCE_WEIGHT_MAX 256	  /**< of an lcore */
#define PLX_BALANCE_NO_BUSY    UINT16_MAX /**< how busy an lcore was is not known */

enum plx_balance_mode {
	PLX_BALANCE_OFF,
	PLX_BALANCE_ADVISE, /**< decide as if on, but hand out no moves */
	PLX_BALANCE_ON,
};

/** What a round came to; X(name, in words). */
#define PLX_BALANCE_REASONS(X)                                                                     \
	X(OFF, "off")                                                                              \
	X(EARLY, "asked before the interval was over")                                             \
	X(LEARNING, "measuring since just now")                                                    \
	X(ALONE, "there is no other lcore")                                                        \
	X(IDLE, "too little load: the spread stays as it is")                                      \
	X(BLIND, "lcores are busy, but no bucket shows load")                                      \
	X(BALANCED, "balanced")                                                                    \
	X(NEW, "uneven, but not for long enough")                                                  \
	X(ELEPHANT, "one bucket is the load")                                                      \
	X(OTHER, "what no bucket brings is the load")                                              \
	X(PINNED, "what could move is pinned")                                                     \
	X(RESTING, "what could move has moved just now")                                           \
	X(UNDER_WAY, "moves under way")                                                            \
	X(REFUSED, "moves are not carried out")                                                    \
	X(GAIN, "gain too small")                                                                  \
	X(ADVISED, "moves advised")                                                                \
	X(MOVES, "moves")

enum plx_balance_why {
#define X(name, words) PLX_BALANCE_WHY_##name,
	PLX_BALANCE_REASONS(X)
#undef X
		PLX_BALANCE_WHY_N
};

/** All times > 0. */
struct plx_balance_conf {
	plx_ns interval_ns;  /**< between two inputs */
	plx_ns smooth_ns;    /**< time constant of the mean of a bucket's load */
	plx_ns rest_ns;	     /**< a bucket that moved stays as long; doubled each time it is soon to
				  move again, up to 64 times */
	uint64_t idle_per_s; /**< a mean lcore counts less than that in a second: idle */
	uint16_t start_permille; /**< over the share, and an lcore is too hot */
	uint16_t stop_permille;	 /**< and is relieved down to here; below start */
	uint16_t gain_permille;	 /**< of the share: less than that is not worth a round's moves */
	uint16_t moves;		 /**< most of a round, 2..PLX_BALANCE_MOVES_MAX */
};

/** 100 ms, 100 ms, 500 ms, 1,000, 80, 30, 10, 64. */
PLX_API void plx_steer_balance_defaults(struct plx_balance_conf *c);

/** An lcore, as it is at the time of input(). */
struct plx_balance_lcore {
	uint16_t weight; /**< speed beside the others', up to PLX_BALANCE_WEIGHT_MAX; 0: it is to
			    own nothing, and what it owns moves away */
	uint16_t busy_permille;	 /**< of the time since the last input; PLX_BALANCE_NO_BUSY */
	uint16_t other_permille; /**< the part of it that no bucket brought: polling for others,
				      control. Not used without busy_permille */
};

/** What input() is told; borrowed for the call. */
struct plx_balance_input {
	plx_ns now;
	const struct plx_owner_map *map; /**< lcore numbers index lcore[] */
	/** What each bucket has cost so far, as counters stand: they only rise, and wrap. Of
	   packets, or of anything that adds up. */
	const uint64_t *count;
	const struct plx_balance_lcore *lcore;
	uint16_t lcores;	/**< 1..PLX_STEER_LCORES_MAX; may change from call to call */
	const uint64_t *pinned; /**< a bit for each bucket that may not move; NULL: none */
	const uint64_t *moving; /**< a bit for each whose move has begun and is not over; NULL */
};

struct plx_balance_move {
	uint16_t bucket, from, to;
};

/** What the last round found, in thousandths of the share (of 1/16 of the mean, if it is less). */
struct plx_balance_said {
	enum plx_balance_why why;
	plx_ns at;
	uint32_t worst_permille; /**< the level of the hottest lcore */
	uint32_t after_permille; /**< of the then hottest, when the moves have been made */
	uint32_t bucket_permille;
	uint16_t bucket;   /**< the largest of the hottest lcore */
	uint16_t lcore;	   /**< the hottest; PLX_STEER_NO_LCORE: nothing was compared */
	uint16_t moves;	   /**< of the round */
	uint16_t stranded; /**< buckets of lcores that are to own nothing, which cannot leave now */
};

/* Inside, but to be laid out by the caller. */

struct plx_balance_of_bucket {
	uint64_t count;	   /* at the last input */
	uint64_t rate;	   /* smoothed, a second, in sixteenths */
	uint64_t load;	   /* of this round: on the average 2^20 for each unit of lcores' weight */
	plx_ns moved;	   /* when last; PLX_NEVER: it has not */
	uint16_t owner;	   /* or to be, while it moves there */
	uint16_t from, to; /* asked for */
	uint16_t next;	   /* of the owner's, once the plan is made */
	uint8_t rests;	   /* doublings */
	uint8_t flags;
};

struct plx_balance_of_lcore {
	uint64_t load;	  /* of this round, with what no bucket brought */
	uint64_t other;	  /* the latter */
	uint64_t rate;	  /* of its buckets since the last input */
	uint64_t cost;	  /* time for each counted, smoothed; 0: not known */
	uint64_t inverse; /* of the weight */
	uint64_t largest; /* of its buckets' loads */
	uint64_t before;  /* its level as the round began */
	uint16_t weight, head, owned;
	uint16_t top;	   /* its largest bucket, the first of those alike */
	uint8_t hot, cold; /* rounds in a row */
	bool changed;	   /* it got or lost buckets since the last input */
	bool aside;	   /* dealt with in this round */
};

/** The rebalancer: at most 80 KB, in the caller's memory. */
struct plx_balance {
	/* To be read. */
	enum plx_balance_mode mode;
	struct plx_balance_said said;
	uint64_t rounds[PLX_BALANCE_WHY_N]; /**< by what they came to: the sum is input()'s calls */
	uint64_t asked;			    /**< moves that output() gave */
	uint64_t done;			    /**< that the map then showed */
	uint64_t refused; /**< that were neither begun nor made until the next input */
	struct plx_balance_move move[PLX_BALANCE_MOVES_MAX]; /**< of the last round: said.moves */

	/* Inside. */
	struct plx_balance_conf conf;
	plx_ns last;	  /* input */
	uint64_t share;	  /* a level */
	uint64_t counted; /* since the last input */
	uint32_t weights; /* their sum */
	uint32_t tries;	  /* pairs that this round may still look at */
	uint16_t size, lcores;
	uint16_t futile;    /* rounds in a row */
	uint16_t given;	    /* of the moves, by output() */
	bool based, known;  /* counters at the last input; rates */
	uint16_t under_way; /* buckets */
	uint16_t noise_permille;
	struct plx_balance_of_lcore lcore[PLX_STEER_LCORES_MAX];
	struct plx_balance_of_bucket bucket[PLX_OWNER_BUCKETS_MAX];
};

/** Off. @param conf copied; NULL: the defaults. @return 0, or -EINVAL and *b untouched. */
PLX_API int plx_steer_balance_init(struct plx_balance *b, const struct plx_balance_conf *conf);

/** At any time. Moves not fetched yet are forgotten; from off, it measures anew. */
PLX_API void plx_steer_balance_set(struct plx_balance *b, enum plx_balance_mode mode);

/**
 * A round: measure, and decide; b->said says what. Moves not fetched of the round before are
 * forgotten. Early calls (less than half an interval) change nothing; late ones are as good.
 * @return 0, or -EINVAL (sizes, weights, shares of time) and nothing was looked at.
 */
PLX_API int plx_steer_balance_input(struct plx_balance *b, const struct plx_balance_input *in);

/**
 * The next move to make, the most urgent first. The caller begins it (and says so by `moving`
 * until it is over) or makes it, before the next input(); else it counts as refused, and the bucket
 * is left alone for a while.
 * @return false: no more, or the mode is not on.
 */
PLX_API bool plx_steer_balance_output(struct plx_balance *b, struct plx_balance_move *m);

/** When input() is to be called next; PLX_NEVER when off. */
PLX_API plx_ns plx_steer_balance_deadline(const struct plx_balance *b);

/** The smoothed load of a bucket: what it counts in a second. 0 if there is no such bucket. */
PLX_API uint64_t plx_steer_balance_rate(const struct plx_balance *b, uint16_t bucket);

/** A reason in words: "one bucket is the load". */
PLX_API const char *plx_steer_balance_text(enum plx_balance_why why);
/** Its name: "ELEPHANT". */
PLX_API const char *plx_steer_balance_name(enum plx_balance_why why);

PLX_C_END
