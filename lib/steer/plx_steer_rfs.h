/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Receive flow steering: a packet goes to the lcore on which its socket was last used, but never so
 * that it overtakes one before it.
 *
 *     socks    global: hash -> lcore that last received, sent or polled on a socket of that hash
 *     flows    of each receive queue: slot -> the lcore where packets of the slot go now, and where
 *              that lcore's backlog ended when the last one was put there
 *
 * A flow moves when the backlog of its old lcore has come past that end. With a device that steers
 * flows to queues itself (aRFS) the flow then gets a filter, whose id is kept in the table of the
 * queue that it leads to.
 *
 * Each lcore's backlog has two counters that only grow, and wrap: packets put in (its tail) and
 * packets taken out (its head).
 *
 * Pure: tables are the caller's memory. The global table is written by any lcore, a queue's table
 * by the lcore that polls the queue (aRFS: by those that poll the device's others, too): single
 * words, by relaxed atomic stores, so that a reader sees an old value or a new one.
 *
 * Source: Linux 6.18, net/core/dev.c: get_rps_cpu(), set_rps_cpu(), rps_flow_is_active(),
 * rps_may_expire_flow(); include/net/rps.h: rps_record_sock_flow(), struct rps_dev_flow.
 */
#include "plx_steer_rps.h"

PLX_C_BEGIN

#define PLX_RFS_NO_FILTER UINT16_MAX
#define PLX_RFS_SOCKS_MAX (UINT32_C(1) << 29) /**< of rps_sock_flow_entries */
#define PLX_RFS_FLOWS_MAX (UINT32_C(1) << 27) /**< of rps_flow_cnt: ten times that fits an int */
/** A flow is active until so many packets for each slot of its table were taken out. */
#define PLX_RFS_ACTIVE_FOLD 10

/** The global table: an entry has the hash's high bits and, in the low ones, the lcore. */
struct plx_rfs_socks {
	uint32_t *ent; /**< NULL: RFS is off */
	uint32_t mask;
	uint32_t lcore_mask; /**< Linux's rps_cpu_mask */
};

/** Bytes of memory for so many entries (rps_sock_flow_entries), rounded up to a power of two. */
PLX_API size_t plx_steer_rfs_socks_bytes(uint32_t entries);
/**
 * An empty table.
 * @param mem     plx_steer_rfs_socks_bytes(entries) bytes, aligned to 4; borrowed.
 * @param lcores  how many there may be (Linux's nr_cpu_ids), 1..PLX_STEER_LCORES_MAX.
 * @return 0, or -EINVAL.
 */
PLX_API int plx_steer_rfs_socks_init(
	struct plx_rfs_socks *s, void *mem, uint32_t entries, uint16_t lcores);
/** A socket of this hash was used on this lcore. A hash of 0 is none. Any thread. */
PLX_API void plx_steer_rfs_record(struct plx_rfs_socks *s, uint32_t hash, uint16_t lcore);

/** @return where a socket of this hash was used last; PLX_STEER_NO_LCORE: it is not known. */
PLX_API uint16_t plx_steer_rfs_find(const struct plx_rfs_socks *s, uint32_t hash);

/*
 * Where a flow moves with all that it has, and not only its next packets, a single call elsewhere
 * is no reason: it has to be used there so often in a row, and for so long.
 */
#define PLX_RFS_STEADY_CALLS 16
#define PLX_RFS_STEADY_US    10000

/** How a socket was used lately; all 0 at first. */
struct plx_rfs_streak {
	uint16_t lcore; /**< by a thread near this lcore, */
	uint16_t calls; /**< so often in a row; no more are counted than are asked for */
	uint32_t since_us;
};

/**
 * It was used near this lcore.
 * @param now_us  any clock's; it wraps.
 * @return whether that is steady by now. Then the count begins anew.
 */
PLX_API bool plx_steer_rfs_steady(struct plx_rfs_streak *s, uint16_t lcore, uint32_t now_us);

/** A slot of a queue's table. */
struct plx_rfs_flow {
	uint16_t lcore;	     /**< PLX_STEER_NO_LCORE: never used */
	uint16_t filter;     /**< of the device; PLX_RFS_NO_FILTER: none */
	uint32_t last_qtail; /**< tail of that lcore's backlog after the last packet was put in */
	uint32_t hash;	     /**< of the flow that has the filter */
};

/** A receive queue's table of 2^log slots; slot = plx_steer_hash_slot(hash, log). */
struct plx_rfs_flows {
	struct plx_rfs_flow *flow; /**< NULL: the queue has none */
	uint8_t log;
};

/** Bytes of memory for so many slots (rps_flow_cnt), rounded up to a power of two. */
PLX_API size_t plx_steer_rfs_flows_bytes(uint32_t slots);
/** An empty table in plx_steer_rfs_flows_bytes(slots) bytes, aligned to 4. @return 0 or -EINVAL. */
PLX_API int plx_steer_rfs_flows_init(struct plx_rfs_flows *t, void *mem, uint32_t slots);

/** A receive queue. */
struct plx_rfs_queue {
	struct plx_rps_map rps;
	struct plx_rfs_flows flows;
};

/** All that decides; the caller keeps what it points to. */
struct plx_rfs {
	const struct plx_rfs_socks *socks; /**< NULL or with ent == NULL: RFS is off */
	struct plx_rfs_queue *queue;
	uint16_t queues;
	uint16_t lcores;		    /**< Linux's nr_cpu_ids */
	const struct plx_lcore_set *online; /**< those that poll */
	/** [lcore]: packets taken out of its backlog so far (input_queue_head). */
	const uint32_t *const *head;
	/** [lcore]: the queue whose packets it receives itself (rx_cpu_rmap); NULL: no aRFS. */
	const uint16_t *rmap;
	/**
	 * Ask the device to send the flow of the packet at hand to a queue from now on.
	 * @param slot  of that queue's own table, for plx_steer_rfs_may_expire().
	 * @return the filter's id below PLX_RFS_NO_FILTER, or -errno.
	 */
	int (*flow_steer)(void *arg, uint16_t queue, uint32_t slot, uint32_t hash);
	void *arg;
};

/** Which rule decided. */
enum plx_steer_rule {
	PLX_STEER_NO_TABLES, /**< the queue has neither map nor flow table: stays */
	PLX_STEER_NO_HASH,   /**< the packet has no hash: stays */
	PLX_STEER_RFS_THERE, /**< RFS: its packets already go where the socket is used */
	PLX_STEER_RFS_MOVES, /**< RFS: none of its packets waits any more, so it moves */
	PLX_STEER_RFS_HELD,  /**< RFS: packets before it still wait on the old lcore: goes there */
	PLX_STEER_RPS,	     /**< RPS: the map's entry */
	PLX_STEER_RPS_OFFLINE, /**< RPS: that lcore does not poll: stays */
	PLX_STEER_NO_MAP,      /**< RFS knows no socket, and there is no map: stays */
	PLX_STEER_RULES,
};

/** Where a packet goes, and why. */
struct plx_steer_choice {
	enum plx_steer_rule rule;
	uint16_t lcore;		   /**< PLX_STEER_NO_LCORE: stays where it was received */
	bool rfs;		   /**< both tables are there */
	bool match;		   /**< the global table has an entry of this hash */
	bool move;		   /**< the slot is (to be) given a new lcore */
	uint16_t want;		   /**< with match: where the socket was last used */
	uint16_t was;		   /**< with match: where the slot's packets went */
	uint32_t slot;		   /**< with match: of the queue's table */
	struct plx_rfs_flow *flow; /**< RFS decided: what plx_steer_rfs_enqueued() is told of */
};

/** What plx_steer_choose() would say; nothing changes. */
PLX_API void plx_steer_look(
	const struct plx_rfs *r, uint16_t queue, uint32_t hash, struct plx_steer_choice *c);
/** Choose the lcore of a packet that came by a queue, and move its flow if it is time. */
PLX_API void plx_steer_choose(
	const struct plx_rfs *r, uint16_t queue, uint32_t hash, struct plx_steer_choice *c);
/** The packet is in its lcore's backlog, whose tail now is `tail`. @param f NULL: nothing. */
PLX_API void plx_steer_rfs_enqueued(struct plx_rfs_flow *f, uint32_t tail);
/** Whether the device may forget a filter: not while its flow is active. */
PLX_API bool plx_steer_rfs_may_expire(
	const struct plx_rfs *r, uint16_t queue, uint32_t slot, uint16_t filter);

PLX_C_END
