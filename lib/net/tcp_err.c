/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * ICMP errors about segments (RFC 1122 4.2.3.9, RFC 5461): for the connection that has what they
 * quote in flight, as others cannot know that (RFC 5927 4.1).
 */

/* RFC 5082. */
static bool is_far(struct plx_net_tcp *tc, const struct net_tcp_error *e)
{
	if (plx_likely(e->ttl >= net__tcp_min_ttl(tc)))
		return false;
	plx_stat_inc(PLX_STAT_TCPEXT_TCPMINTTLDROP);
	return true;
}

static bool in_flight(const struct plx_tcp *c, uint32_t seq)
{
	return plx_seq_ge(seq, c->snd.una) && plx_seq_lt(seq, c->snd.nxt);
}

/* As Linux: any error ends an attempt. */
static void hear(struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t seq, int err)
{
	uint16_t events = plx_tcp_error(&tc->c, err, true, seq, nl->sn->now_ns);

	net__tcp_note(nl, tc, events);
	if (!events && tc->ops && tc->ops->error && !net__tcp_is(tc, TCPF_RELEASED))
		tc->ops->error(nl->sn, tc);
}

static bool tell_conn(
	struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t seq, const struct net_tcp_error *e)
{
	struct plx_tcp *c = &tc->c;
	plx_ns now = nl->sn->now_ns;

	if (is_far(tc, e) || !in_flight(c, seq))
		return false;
	if (e->mtu) {
		if (e->mtu < c->pmtu && !plx_tcp_path_mtu(c, e->mtu, seq, now))
			return false;
		net__tcp_touch(nl, tc);
	} else if (e->err) {
		hear(nl, tc, seq, e->err);
	}
	return true;
}

static bool tell_req(
	struct net_lcore *nl, struct plx_tcp_req *req, uint32_t seq, const struct net_tcp_error *e)
{
	bool known = seq == req->iss;

	if (plx_tcp_req_error(&nl->tcp->ctx, req, e->ends, seq))
		plx_tcp_req_fini(&nl->tcp->ctx, req);
	return known;
}

int net__tcp_error(struct net_lcore *nl, const struct plx_tuple *quoted, const uint8_t *l4,
	uint16_t iface, bool handed, const struct net_tcp_error *e)
{
	const struct plx_tcp_id key = {
		.laddr = quoted->src,
		.raddr = quoted->dst,
		.lport = quoted->sport,
		.rport = quoted->dport,
		.iface = iface,
	};
	struct plx_tcp_table *table = nl->tcp->ctx.table;
	struct plx_tcp_id *id = table ? plx_tcp_table_lookup(table, &key) : NULL;
	uint32_t seq = plx_get_be32(l4 + 4);
	uint16_t owner;

	if (!id) {
		owner = net__tcp_owner(nl, &key);
		if (!handed && owner != nl->sn->index)
			return owner;
		return net__tcp_away_find(nl, &key, 0, handed);
	}
	switch (id->kind) {
	case PLX_TCP_KIND_CONN:
		return tell_conn(nl, net__tcp_of(id), seq, e) ? nl->sn->index : -1;
	case PLX_TCP_KIND_REQ:
		return tell_req(nl, plx_container_of(id, struct plx_tcp_req, id), seq, e)
			       ? nl->sn->index
			       : -1;
	default:
		return -1;
	}
}
