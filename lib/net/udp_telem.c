/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * UDP sockets as `ss -ua` shows them, each by its own lcore. A cursor is an lcore's index in the
 * upper bits, then how many sockets of its table come before.
 */

#define SKIP_MAX 64 /* sockets of other lcores that a call passes by */

/* The at-th socket of this lcore's table. Readers ask for one after the other. */
static const struct plx_udp_sock *sock_at(struct net_lcore *nl, uint64_t at)
{
	const struct plx_udp_sock *s = NULL;
	uint64_t i = 0;

	if (nl->udp_seen.s && nl->udp_seen.unbinds == nl->udp_unbinds && nl->udp_seen.sock <= at) {
		s = nl->udp_seen.s;
		i = nl->udp_seen.sock;
	} else {
		s = plx_udp_next(nl->udp, NULL);
	}
	for (; s && i < at; i++)
		s = plx_udp_next(nl->udp, s);
	nl->udp_seen.s = s;
	nl->udp_seen.sock = at;
	nl->udp_seen.unbinds = nl->udp_unbinds;
	return s;
}

static void add_sock(struct net_lcore *nl, struct plx_telem_row *r, const struct plx_udp_sock *s)
{
	const struct plx_net_udp *pub = s->user;
	struct plx_net_udp_info info = {.fd = -1};

	if (pub->ops->info)
		pub->ops->info(pub, &info);
	plx_telem_row_str(r, "state", s->connected ? "ESTAB" : "UNCONN");
	plx_telem_row_u64(r, "recv_q", info.recv_q);
	plx_telem_row_u64(r, "send_q", 0); /* what is sent is the device's at once */
	net__telem_addr(r, "local", &s->laddr);
	plx_telem_row_u64(r, "local_port", s->lport);
	net__telem_addr(r, "dst", &s->raddr);
	plx_telem_row_u64(r, "dst_port", s->rport);
	plx_telem_row_u64(r, "lcore", nl->sn->lcore);
	net__telem_bound(nl, r, (uint16_t)s->iface, s->v6only);
	plx_telem_row_u64(r, "drops", info.drops);
	if (info.fd >= 0)
		plx_telem_row_u64(r, "fd", (uint64_t)info.fd);
	if (info.rcvbuf)
		plx_telem_row_u64(r, "skmem_rb", info.rcvbuf);
	if (info.sndbuf)
		plx_telem_row_u64(r, "skmem_tb", info.sndbuf);
}

enum plx_telem_more net__udp_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_net *net = arg;
	uint64_t lcore = *cursor >> NET_TELEM_LCORE_SHIFT;
	const struct plx_udp_sock *s;
	struct net_lcore *nl;

	if (lcore >= net->n_lcores)
		return PLX_TELEM_END;
	nl = net->lcore[lcore];
	for (uint32_t i = 0; i < SKIP_MAX; i++) {
		s = sock_at(nl, *cursor & (((uint64_t)1 << NET_TELEM_LCORE_SHIFT) - 1));
		if (!s)
			break;
		++*cursor;
		if (s->home != nl->sn->index)
			continue;
		add_sock(nl, r, s);
		return PLX_TELEM_MORE;
	}
	if (s)
		return PLX_TELEM_MORE;
	if (lcore + 1 == net->n_lcores)
		return PLX_TELEM_END;
	*cursor = (lcore + 1) << NET_TELEM_LCORE_SHIFT;
	return PLX_TELEM_TURN;
}
