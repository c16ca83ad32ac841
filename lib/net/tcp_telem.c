/* SPDX-License-Identifier: BSD-3-Clause */
#include "rfs.h"

#include <stdio.h>

#include <plx_telem.h>

/*
 * Connections as `ss -ta` shows them, lcore by lcore. A cursor is an lcore's number in the upper
 * bits, then whether its listeners are done with, then where in its table.
 */

#define LCORE_SHIFT NET_TELEM_LCORE_SHIFT
#define CONNS	    ((uint64_t)1 << 47)
#define NAME_BYTES  128

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

void net__telem_addr(struct plx_telem_row *r, const char *name, const struct plx_addr *a)
{
	char text[PLX_ADDR_STRLEN];

	plx_telem_row_str(r, name, plx_addr_is_any6(a) ? "*" : plx_addr_format(a, text));
}

/* @param lcore by EAL's number */
static void add_id(struct plx_telem_row *r, const struct plx_tcp_id *id, uint64_t recv_q,
	uint64_t send_q, uint32_t lcore)
{
	plx_telem_row_str(r, "state", state_name[id->state]);
	plx_telem_row_u64(r, "recv_q", recv_q);
	plx_telem_row_u64(r, "send_q", send_q);
	net__telem_addr(r, "local", &id->laddr);
	plx_telem_row_u64(r, "local_port", id->lport);
	net__telem_addr(r, "dst", &id->raddr);
	plx_telem_row_u64(r, "dst_port", id->rport);
	plx_telem_row_u64(r, "lcore", lcore);
}

/* As plx_net_if's name, which only the control lcore may read. */
static void if_name(const struct net_if *ifc, char *buf, size_t size)
{
	const struct plx_port *p = plx_port_get(ifc->port);

	if (p && ifc->vlan)
		snprintf(buf, size, "%s.%u", p->name, ifc->vlan);
	else
		snprintf(buf, size, "%s", p ? p->name : "");
}

void net__telem_bound(
	const struct net_lcore *nl, struct plx_telem_row *r, uint16_t iface, bool v6only)
{
	const struct net_cfg *cfg = __atomic_load_n(&nl->net->cfg, __ATOMIC_ACQUIRE);
	char name[NAME_BYTES] = "";

	if (iface && iface < NET_IF_MAX && cfg->ifs[iface].index)
		if_name(&cfg->ifs[iface], name, sizeof(name));
	if (*name)
		plx_telem_row_str(r, "dev", name);
	if (v6only)
		plx_telem_row_u64(r, "v6only", 1);
}

/* Most connections have none of most of these. */
static void add_some(struct plx_telem_row *r, const char *name, uint64_t value)
{
	if (value)
		plx_telem_row_u64(r, name, value);
}

/* What `ss -o` adds. */
static void add_timer(struct plx_telem_row *r, const struct plx_tcp_id *id, plx_ns now)
{
	static const char *const kind[] = {
		[PLX_TCP_TIMER_ON] = "on",
		[PLX_TCP_TIMER_KEEPALIVE] = "keepalive",
		[PLX_TCP_TIMER_TIMEWAIT] = "timewait",
		[PLX_TCP_TIMER_PERSIST] = "persist",
	};
	struct plx_tcp_timer_info t;

	plx_tcp_timer_get(id, now, &t);
	if (t.kind == PLX_TCP_TIMER_OFF)
		return;
	plx_telem_row_str(r, "timer", kind[t.kind]);
	plx_telem_row_u64(r, "timer_ms", (uint64_t)t.left_ns / 1000000);
	plx_telem_row_u64(r, "timer_retrans", t.retrans);
}

/* What `ss -i` adds, under its names. */
static void add_sending(struct plx_telem_row *r, const struct plx_tcp_info *i)
{
	plx_telem_row_u64(r, "cwnd", i->tcpi_snd_cwnd);
	plx_telem_row_u64(r, "ssthresh", i->tcpi_snd_ssthresh);
	plx_telem_row_u64(r, "unacked", i->tcpi_unacked);
	plx_telem_row_u64(r, "sacked", i->tcpi_sacked);
	plx_telem_row_u64(r, "lost", i->tcpi_lost);
	plx_telem_row_u64(r, "retrans", i->tcpi_retrans);
	plx_telem_row_u64(r, "retrans_total", i->tcpi_total_retrans);
	plx_telem_row_u64(r, "snd_wnd", i->tcpi_snd_wnd);
	plx_telem_row_u64(r, "bytes_acked", i->tcpi_bytes_acked);
	add_some(r, "bytes_sent", i->tcpi_bytes_sent);
	add_some(r, "bytes_retrans", i->tcpi_bytes_retrans);
	add_some(r, "notsent", i->tcpi_notsent_bytes);
	add_some(r, "delivered", i->tcpi_delivered);
	add_some(r, "backoff", i->tcpi_backoff);
	add_some(r, "dsack_dups", i->tcpi_dsack_dups);
	add_some(r, "reordering", i->tcpi_reordering);
	add_some(r, "reord_seen", i->tcpi_reord_seen);
}

static void add_receiving(struct plx_telem_row *r, const struct plx_tcp_info *i)
{
	plx_telem_row_u64(r, "rcv_wnd", i->tcpi_rcv_wnd);
	plx_telem_row_u64(r, "bytes_received", i->tcpi_bytes_received);
	add_some(r, "ato_us", i->tcpi_ato);
	add_some(r, "rcvmss", i->tcpi_rcv_mss);
	add_some(r, "advmss", i->tcpi_advmss);
	add_some(r, "rcv_rtt_us", i->tcpi_rcv_rtt);
	add_some(r, "rcv_space", i->tcpi_rcv_space);
	add_some(r, "rcv_ssthresh", i->tcpi_rcv_ssthresh);
}

static void add_agreed(struct plx_telem_row *r, const struct plx_tcp_info *i)
{
	char opts[32];

	snprintf(opts, sizeof(opts), "%s%s%s%s",
		i->tcpi_options & PLX_TCPI_OPT_TIMESTAMPS ? " ts" : "",
		i->tcpi_options & PLX_TCPI_OPT_SACK ? " sack" : "",
		i->tcpi_options & PLX_TCPI_OPT_ECN ? " ecn" : "",
		i->tcpi_options & PLX_TCPI_OPT_ECN_SEEN ? " ecnseen" : "");
	plx_telem_row_str(r, "options", *opts ? opts + 1 : "");
	if (!(i->tcpi_options & PLX_TCPI_OPT_WSCALE))
		return;
	plx_telem_row_u64(r, "snd_wscale", i->tcpi_snd_wscale);
	plx_telem_row_u64(r, "rcv_wscale", i->tcpi_rcv_wscale);
}

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
	add_agreed(r, &i);
	add_sending(r, &i);
	add_receiving(r, &i);
	if (i.tcpi_min_rtt != UINT32_MAX)
		add_some(r, "minrtt_us", i.tcpi_min_rtt);
	if (c->id.state == PLX_TCP_SYN_SENT || c->id.state == PLX_TCP_SYN_RECEIVED)
		return; /* nothing was sent or received yet, so not so long ago either */
	add_some(r, "lastsnd_ms", i.tcpi_last_data_sent);
	add_some(r, "lastrcv_ms", i.tcpi_last_data_recv);
}

/* What is known of what `ss -m` adds. */
static void add_mem(struct plx_telem_row *r, const struct plx_net_tcp *tc)
{
	plx_telem_row_u64(r, "skmem_r", plx_net_tcp_rmem(tc));
	plx_telem_row_u64(r, "skmem_rb", 2 * (uint64_t)tc->c.rcv.buf);
	plx_telem_row_u64(r, "skmem_tb", plx_tcp_sndbuf(&tc->c));
	plx_telem_row_u64(r, "skmem_w", plx_net_tcp_wmem(tc));
}

/* Of one that has a program, which has not let go of it. */
static void add_fd(struct plx_telem_row *r, const struct plx_net_tcp *tc)
{
	int fd = -1;

	if (tc->ops && tc->ops->fd && !net__tcp_is(tc, TCPF_RELEASED | TCPF_EMBRYO))
		fd = tc->ops->fd(tc);
	if (fd >= 0)
		plx_telem_row_u64(r, "fd", (uint64_t)fd);
}

/* Near which lcore threads used it last, if RFS is on and knows. */
static void add_rfs(
	const struct net_lcore *nl, struct plx_telem_row *r, const struct plx_tcp_id *id)
{
	uint16_t lcore = net__rfs_of(nl->net, id);

	if (lcore < nl->net->n_lcores)
		plx_telem_row_u64(r, "rfs_lcore", nl->net->lcore[lcore]->sn->lcore);
}

static void add_any(struct net_lcore *nl, struct plx_telem_row *r, struct plx_tcp_id *id)
{
	bool conn = id->kind == PLX_TCP_KIND_CONN;
	const struct plx_net_tcp *tc = conn ? net__tcp_of(id) : NULL;

	add_id(r, id, tc ? plx_tcp_readable(&tc->c) : 0, tc ? plx_tcp_unacked(&tc->c) : 0,
		nl->sn->lcore);
	net__telem_bound(nl, r, id->iface, false);
	add_timer(r, id, nl->sn->now_ns);
	if (!tc)
		return;
	add_fd(r, tc);
	add_info(r, &tc->c, nl->sn->now_ns);
	add_mem(r, tc);
	add_rfs(nl, r, id);
}

static struct net_tcp_replica *listener_at(struct net_tcp *t, uint64_t at)
{
	struct net_tcp_replica *l;

	plx_list_foreach (l, &t->listeners, node)
		if (at-- == 0)
			return l;
	return NULL;
}

/* Those who wait to be accepted, whichever lcore has let them in. */
static uint64_t waiting(const struct plx_net *net, const struct plx_net_tcp_listener *l)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < net->n_lcores; i++)
		n += plx_count_read(l->replica[i].l.accept_len);
	return n;
}

/* Each lcore has all listeners: the first one's stand for them. */
static bool listener_row(
	struct net_lcore *nl, struct plx_telem_row *r, uint64_t *cursor, uint64_t at)
{
	struct net_tcp_replica *l = nl->sn->index ? NULL : listener_at(nl->tcp, at);
	const struct plx_net_tcp_listener *pub;

	if (!l)
		return false;
	pub = l->l.user;
	add_id(r, &l->l.id, waiting(nl->net, pub), l->l.backlog,
		nl->net->lcore[pub->by]->sn->lcore);
	net__telem_bound(nl, r, l->l.id.iface, l->l.v6only);
	if (pub->fd > 0)
		plx_telem_row_u64(r, "fd", (uint64_t)pub->fd);
	++*cursor;
	return true;
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

int net__telem_on_owner(void *arg, uint64_t cursor, void (*fn)(void *), void *fn_arg)
{
	const struct plx_net *net = arg;
	uint64_t lcore = PLX_MIN(cursor >> LCORE_SHIFT, net->n_lcores - 1u);

	return plx_softnet_call_plain(net->lcore[lcore]->sn, fn, fn_arg);
}
