/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

#include <plx_telem.h>

/*
 * Connections as `ss -ta` shows them, lcore by lcore. A cursor is an lcore's number in the upper
 * bits, then whether its listeners are done with, then where in its table.
 */

#define LCORE_SHIFT 48
#define CONNS	    ((uint64_t)1 << 47)

static const char *const state_name[PLX_TCP_STATE_MAX] = {
	[PLX_TCP_ESTABLISHED] = "ESTAB",
	[PLX_TCP_SYN_SENT] = "SYN-SENT",
	[PLX_TCP_SYN_RECEIVED] = "SYN-RECV",
	[PLX_TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[PLX_TCP_FIN_WAIT_2] = "FIN-WAIT-2",
	[PLX_TCP_TIME_WAIT] = "TIME-WAIT",
	[PLX_TCP_CLOSED] = "UNCONN",
	[PLX_TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[PLX_TCP_LAST_ACK] = "LAST-ACK",
	[PLX_TCP_LISTEN] = "LISTEN",
	[PLX_TCP_CLOSING] = "CLOSING",
};

static void add_addr(struct plx_telem_row *r, const char *name, const struct plx_addr *a)
{
	char text[PLX_ADDR_STRLEN];

	plx_telem_row_str(r, name, plx_addr_is_any6(a) ? "*" : plx_addr_format(a, text));
}

static void add_id(struct plx_telem_row *r, const struct plx_tcp_id *id, uint64_t recv_q,
	uint64_t send_q, uint16_t lcore)
{
	plx_telem_row_str(r, "state", state_name[id->state]);
	plx_telem_row_u64(r, "recv_q", recv_q);
	plx_telem_row_u64(r, "send_q", send_q);
	add_addr(r, "local", &id->laddr);
	plx_telem_row_u64(r, "local_port", id->lport);
	add_addr(r, "dst", &id->raddr);
	plx_telem_row_u64(r, "dst_port", id->rport);
	plx_telem_row_u64(r, "lcore", lcore);
}

/* What `ss -i` adds, under its names. */
static void add_info(struct plx_telem_row *r, const struct plx_tcp *c, plx_ns now)
{
	struct plx_tcp_info i;

	plx_tcp_info_get(c, now, &i);
	plx_telem_row_str(r, "cc", c->cc->name);
	plx_telem_row_u64(r, "rtt_us", i.tcpi_rtt);
	plx_telem_row_u64(r, "rttvar_us", i.tcpi_rttvar);
	plx_telem_row_u64(r, "rto_us", i.tcpi_rto);
	plx_telem_row_u64(r, "mss", i.tcpi_snd_mss);
	plx_telem_row_u64(r, "pmtu", i.tcpi_pmtu);
	plx_telem_row_u64(r, "cwnd", i.tcpi_snd_cwnd);
	plx_telem_row_u64(r, "ssthresh", i.tcpi_snd_ssthresh);
	plx_telem_row_u64(r, "unacked", i.tcpi_unacked);
	plx_telem_row_u64(r, "sacked", i.tcpi_sacked);
	plx_telem_row_u64(r, "lost", i.tcpi_lost);
	plx_telem_row_u64(r, "retrans", i.tcpi_retrans);
	plx_telem_row_u64(r, "retrans_total", i.tcpi_total_retrans);
	plx_telem_row_u64(r, "snd_wnd", i.tcpi_snd_wnd);
	plx_telem_row_u64(r, "rcv_wnd", i.tcpi_rcv_wnd);
	plx_telem_row_u64(r, "bytes_acked", i.tcpi_bytes_acked);
	plx_telem_row_u64(r, "bytes_received", i.tcpi_bytes_received);
}

static void add_any(struct net_lcore *nl, struct plx_telem_row *r, struct plx_tcp_id *id)
{
	struct plx_net_tcp *tc;

	if (id->kind != PLX_TCP_KIND_CONN) {
		add_id(r, id, 0, 0, nl->sn->index);
		return;
	}
	tc = net__tcp_of(id);
	add_id(r, id, plx_tcp_readable(&tc->c), plx_tcp_unacked(&tc->c), nl->sn->index);
	add_info(r, &tc->c, nl->sn->now_ns);
}

static struct net_tcp_replica *listener_at(struct net_tcp *t, uint64_t at)
{
	struct net_tcp_replica *l;

	plx_list_foreach (l, &t->listeners, node)
		if (at-- == 0)
			return l;
	return NULL;
}

/* Each lcore has all listeners: the first one's stand for them. */
static bool listener_row(
	struct net_lcore *nl, struct plx_telem_row *r, uint64_t *cursor, uint64_t at)
{
	struct net_tcp_replica *l = nl->sn->index ? NULL : listener_at(nl->tcp, at);

	if (l) {
		add_id(r, &l->l.id, l->l.accept_len, l->l.backlog, 0);
		++*cursor;
		return true;
	}
	return false;
}

enum plx_telem_more net__tcp_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_net *net = arg;
	uint64_t lcore = *cursor >> LCORE_SHIFT, base = lcore << LCORE_SHIFT;
	uint64_t at = *cursor & (CONNS - 1);
	struct net_lcore *nl;
	struct plx_tcp_id *id;

	if (lcore >= net->n_lcores)
		return PLX_TELEM_END;
	nl = net->lcore[lcore];
	if (!(*cursor & CONNS)) {
		if (!listener_row(nl, r, cursor, at))
			*cursor = base | CONNS;
		return PLX_TELEM_MORE;
	}
	if (nl->tcp->ctx.table && plx_tcp_table_next(nl->tcp->ctx.table, &at, &id)) {
		if (id) /* else a stretch where nobody is */
			add_any(nl, r, id);
		*cursor = base | CONNS | at;
		return PLX_TELEM_MORE;
	}
	if (lcore + 1 == net->n_lcores)
		return PLX_TELEM_END;
	*cursor = (lcore + 1) << LCORE_SHIFT | CONNS;
	return PLX_TELEM_TURN;
}

int net__tcp_on_owner(void *arg, uint64_t cursor, void (*fn)(void *), void *fn_arg)
{
	const struct plx_net *net = arg;
	uint64_t lcore = PLX_MIN(cursor >> LCORE_SHIFT, net->n_lcores - 1u);

	return net__telem_call(net->lcore[lcore]->sn, fn, fn_arg);
}
