/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * RPS of what is forwarded: which lcores the packets of a receive queue are spread over; and what
 * ports do by themselves (RSS).
 */
#include "net.h"

#include <plx_telem.h>

/** Immutable once published; replaced whole. Lcores by their index in the engine. */
struct net_rps {
	struct net_retired retired;
	struct plx_lcore_set online;
	struct plx_rps_map map[PLX_PORT_MAX][PLX_PORT_QUEUES_MAX]; /**< of a receive queue */
};

/** It came by nl->way->q, and nl->way->rps is there: is it another lcore's to forward? Takes m
 * then. */
PLX_NOINLINE bool net__rps(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx);
/* steer_telem.c */
/** The table steer. */
enum plx_telem_more net__steer_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
/** The table flows. */
enum plx_telem_more net__flows_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
/** The table rps; on the control lcore. */
enum plx_telem_more net__rps_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
/** At the end. */
void net__rps_free(struct plx_net *net);

/* rss.c */
/** A new interface: may its port's hash say whose flows are? */
void net__rss_share(struct plx_net *net, struct net_ifc *c);

/* steer_set.c: the commands `steer rps`, `rss`, `key`, `rx-flow-hash`. Control thread. */
/** EAL's numbers, "0,2-3" or "none"; of lcores of ours. @return 0, or -EINVAL and it is answered.
 */
int net__steer_read_lcores(const struct plx_net *net, struct plx_telem_reply *reply,
	const char *text, struct plx_lcore_set *set);
int net__steer_rps(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
int net__steer_rss(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
int net__steer_key(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
int net__steer_types(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
