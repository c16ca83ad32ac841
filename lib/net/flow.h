/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Single flows that live elsewhere than their bucket: who asks for that, and how they come home:
 * flow.c. How they move: move.c.
 */
#include "move.h"

#define NET_FLOWS     4096	 /* overrides at most */
#define NET_FLOW_HOME UINT16_MAX /* for an lcore: that of its bucket */

/** Of the stack. */
struct net_flows {
	uint32_t ent[NET_FLOWS]; /* of plx_net.flows */
	/** What is asked for, by the flow's slot: the hash, the lcore + 1 below it; 0: nothing. */
	uint64_t ask[NET_FLOWS];
	uint64_t asked[NET_FLOWS / 64]; /* where there is something in ask[] */
	struct plx_net *net;
	struct plx_msg msg; /* to control: look at it */
	bool posted;	    /* which is under way */
	uint64_t moved;	    /* flows that were given an lcore; control's */
	uint64_t refused;   /* the same that have none; atomic */
};

/** At create and at destroy. @return 0 or -ENOMEM. */
int net__flows_new(struct plx_net *net);
void net__flows_free(struct plx_net *net);
void net__flows_get(const struct plx_net *net, struct plx_net_moves *m);
/** Have all that has this hash belong to an lcore. Any lcore. @return false: not now. */
bool net__flow_ask(struct net_lcore *nl, uint32_t hash, uint16_t lcore);
/** It was to come here, and there is no connection of it: it is to go home. */
void net__flow_missed(struct net_lcore *nl, uint32_t hash);
/** A connection here is over: if its flow has come from elsewhere, it is to go home. */
PLX_NOINLINE void net__flow_over(struct net_lcore *nl, const struct plx_tcp_id *id);

/* control */
/** The first that is asked for, and some that go the same way. @return false: there is none. */
bool net__flows_choose(struct net_moves *ms);
/** Those of the move's set belong to ms->to. */
void net__flows_flip(struct net_moves *ms);
/** Those that belong to an lcore that is to own nothing go home. */
void net__flows_leave(struct plx_net *net);
