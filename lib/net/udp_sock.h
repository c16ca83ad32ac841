/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * UDP sockets as all lcores know them: udp_sock.c; they move by move_udp.c.
 */
#include "tell.h"

/** Behind plx_net_udp.replica. But for the replicas and `told` it is of the home lcore. */
struct net_udp_sock {
	struct net_tell tell;
	struct plx_net_udp *pub;
	struct plx_net_bind claim; /**< of those that plx_net_udp_open() has opened */
	struct plx_udp_sock said;  /**< what replicas are made of */
	struct plx_list of_lcore;  /**< by_flow: of net_lcore.udp_flows, or of a move */
	bool listed;
	struct net_told *told;
	/** One for each lcore. home is exact there, and where the flow's bucket is; user is only
	 * at home. */
	struct plx_udp_sock replica[];
};

static inline struct net_udp_sock *net__udp_sock_of(const struct plx_net_udp *s)
{
	return plx_container_of(s->replica, struct net_udp_sock, replica);
}

/** The flow of a connected one, as move.c asks for it. */
static inline struct plx_tcp_id net__udp_key(const struct plx_udp_sock *r)
{
	return (struct plx_tcp_id){
		.laddr = r->laddr, .raddr = r->raddr, .lport = r->lport, .rport = r->rport};
}

/** Make nl's replica what is wanted. It becomes at home here if it is new. @return 0 or -errno. */
int net__udp_apply(struct net_lcore *nl, struct net_udp_sock *k, const struct net_want *w);
/** At home: does it go along with its bucket from now on? */
void net__udp_list(struct net_lcore *nl, struct net_udp_sock *k, bool by_flow);
