/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Flows move: which lcore owns each bucket of them may be changed while traffic runs.
 *
 * A bucket goes with its connections, handshakes, TIME-WAITs and connected UDP sockets, in order;
 * no packet is lost or overtaken for it. Those whose program does not let them go (struct
 * plx_net_tcp_ops, struct plx_net_udp_ops) stay where they are, and what comes for them is handed
 * over.
 */
#include <plx_base.h>
#include <plx_steer.h>

PLX_C_BEGIN

struct plx_net;
struct plx_net_tcp;
struct plx_net_udp;
struct plx_softnet;

/** Of all lcores, since the start. */
struct plx_net_moves {
	uint64_t conns;	    /**< connections, of UDP too, that have come to another lcore */
	uint64_t stayed;    /**< those whose bucket has moved without them */
	uint64_t parked;    /**< packets that waited for what they are for */
	uint64_t dropped;   /**< that there was no room for while they waited */
	uint64_t abandoned; /**< moves that let what had not gone stay: too many packets waited */
	uint64_t reordered; /**< that came too late, and may have been overtaken; never, if all is
			     * well
			     */
	uint32_t waiting;   /**< buckets that are still to move, or under way; or flows that are */
	uint64_t flows_moved; /**< single flows that were given another lcore than their bucket's */
	uint64_t flows_refused; /**< the same that had to stay for lack of a place */
	uint32_t flows;		/**< that live elsewhere now */
	uint64_t rules;		/**< of these, those that their device brings there: aRFS */
	uint64_t rules_made;	/**< in all */
	uint64_t rules_refused; /**< by the device, or the lcore polls no queue of it */
};

/**
 * Have bucket i belong to the lcore of index lcore[i]. Comes into effect bucket by bucket, while
 * plx_net_moves_get() says that some wait; a new wish replaces what was wished and not begun.
 * @param n must be plx_net_buckets(). @return 0; -EINVAL (n, or no such lcore: nothing has
 * changed), -EOPNOTSUPP: flows live where they arrive (one lcore, or net.pollux.soft_steer is 0);
 * -ESHUTDOWN. For ordinary threads, while the engine runs.
 */
PLX_API int plx_net_owners_set(struct plx_net *net, const uint16_t *lcore, uint16_t n);
/** The same of one bucket; all else stays as it is wished. @return as plx_net_owners_set(). */
PLX_API int plx_net_owner_set(struct plx_net *net, uint16_t bucket, uint16_t lcore);
/**
 * The same by parts: each of these lcores gets as many as its weight says, and few move; the others
 * own nothing from now on, as the rebalancer (net.pollux.steer_balance) knows.
 * @param weight NULL: all alike; at most 256 each. @return as plx_net_owners_set(), and -EINVAL: an
 * lcore twice, no weight above 0.
 */
PLX_API int plx_net_owners_share(
	struct plx_net *net, const uint16_t *lcore, const uint32_t *weight, uint16_t n);
/**
 * Have tc's flow belong to another lcore than its bucket, with all that has the same hash, until
 * tc is over. It moves soon, as buckets do, if tc's program lets it go; the lcores that own nothing
 * get none. On tc's lcore.
 * @return false: not now. Flows live where they arrive, tc is over or does not live with its flow,
 * or another flow has the place of this one.
 */
PLX_API bool plx_net_tcp_move(struct plx_softnet *sn, struct plx_net_tcp *tc, uint16_t lcore);
/**
 * The same of a connected socket of UDP, until it has another peer or none: one that goes with its
 * bucket (struct plx_net_udp_ops). On its lcore.
 */
PLX_API bool plx_net_udp_move(struct plx_softnet *sn, struct plx_net_udp *s, uint16_t lcore);
/** Is RFS on (net.core.rps_sock_flow_entries)? Any thread. */
PLX_API bool plx_net_rfs_on(const struct plx_net *net);
/**
 * A thread has used tc's socket that runs near an lcore (plx_engine_near()). On tc's lcore.
 * @param streak of the socket.
 * @return true: steadily so, and not near this one: it is time for plx_net_tcp_move().
 */
PLX_API bool plx_net_tcp_used(struct plx_softnet *sn, const struct plx_net_tcp *tc, uint16_t lcore,
	struct plx_rfs_streak *streak);
/** The same of a socket of UDP; false: it does not go anyway. @param streak of the socket. */
PLX_API bool plx_net_udp_used(struct plx_softnet *sn, const struct plx_net_udp *s, uint16_t lcore,
	struct plx_rfs_streak *streak);
/**
 * Accelerated RFS (ndo_rx_flow_steer()): have the devices that can (PLX_PORT_F_NTUPLE) bring the
 * flows that have moved by plx_net_tcp_move() or plx_net_udp_move() to a queue of their lcore, and
 * take back the rules of those that have ended or moved on. For the thread that opens and closes
 * the ports, some times a second; a device may take its time. Who never calls it has such packets
 * handed over.
 */
PLX_API void plx_net_arfs_serve(struct plx_net *net);
/** Who owns them now. @param lcore [plx_net_buckets()]. Any thread. */
PLX_API void plx_net_owners_get(const struct plx_net *net, uint16_t *lcore);
PLX_API uint16_t plx_net_buckets(const struct plx_net *net);
/** Any thread. */
PLX_API void plx_net_moves_get(const struct plx_net *net, struct plx_net_moves *m);

PLX_C_END
