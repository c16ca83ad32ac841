/* SPDX-License-Identifier: BSD-3-Clause */
#include "arfs.h"

/*
 * Segments in (RFC 9293 3.10.7): checked, taken to the lcore of their flow, and given to what the
 * table finds: a connection, a handshake under way, what is left of a connection, a listener, or
 * nobody.
 */

/* A segment, checked. */
struct arrival {
	struct plx_tcp_id key;
	struct plx_tcp_seg seg;
	uint32_t text_off; /* in the mbuf */
	uint8_t ttl;
};

static void drop_bad(struct rte_mbuf *m, enum plx_drop reason)
{
	plx_stat_inc(PLX_STAT_TCP_INSEGS);
	if (reason == PLX_DROP_TCP_CHECKSUM)
		plx_stat_inc(PLX_STAT_TCP_INCSUMERRORS);
	net__drop(m, reason, PLX_STAT_TCP_INERRS);
}

uint16_t net__tcp_owner(const struct net_lcore *nl, const struct plx_tcp_id *key)
{
	const struct plx_net *net = nl->net;

	if (plx_likely(net->n_lcores == 1))
		return nl->sn->index;
	return plx_steer_flows_owner(&net->flows, &net->owners, net__tcp_hash(net, key));
}

PLX_NOINLINE static uint16_t lives_at(
	struct net_lcore *nl, const struct plx_tcp_id *key, uint32_t hash, uint16_t lcore)
{
	const struct plx_tuple flow = {.src = key->raddr,
		.dst = key->laddr,
		.sport = key->rport,
		.dport = key->lport,
		.proto = PLX_IPPROTO_TCP};

	if (lcore != nl->sn->index)
		net__arfs_ask(nl, &flow, hash, lcore);
	return lcore;
}

/* As UDP's: by the device's hash where it hashes with our key. */
static uint16_t owner_of(
	struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_tcp_id *key)
{
	const struct plx_net *net = nl->net;
	uint32_t hash;
	uint16_t lcore;

	if (plx_likely(net->n_lcores == 1) || !net__tun(net, PLX_TUN_SOFT_STEER))
		return nl->sn->index;
	if (m->ol_flags & RTE_MBUF_F_RX_RSS_HASH && net__if(nl, key->iface)->rss_hash)
		hash = m->hash.rss;
	else
		hash = net__tcp_hash(net, key);
	lcore = plx_steer_flows_find(&net->flows, hash);
	if (plx_unlikely(lcore != PLX_STEER_NO_LCORE)) /* it is not its bucket's work */
		return lives_at(nl, key, hash, lcore);
	plx_count(nl->bucket_pkts[plx_steer_owner_bucket(&net->owners, hash)], 1);
	return plx_steer_owner(&net->owners, hash);
}

struct plx_tcp_path net__tcp_path(
	struct net_lcore *nl, const struct plx_tcp_id *id, const struct plx_tcp_listener *l)
{
	struct plx_tcp_path path = {.mtu = 1500, .v6 = !plx_addr_is_v4(&id->raddr)};
	enum plx_drop drop;
	struct net_dst d;

	drop = l->id.iface ? net__tcp_route(nl, &id->raddr, l->id.iface, &d)
			   : net__route(nl, &id->raddr, id->iface, &d);
	if (drop == PLX_DROP_NONE)
		path.mtu = net__tcp_mtu(nl, &d);
	return path;
}

static void done(struct rte_mbuf *m, enum plx_drop drop)
{
	if (drop == PLX_DROP_NONE)
		plx_pkt_deliver(m);
	else
		plx_pkt_drop(m, drop);
}

/* ---- connections ---- */

static void refuse(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	plx_tcp_abort(&tc->c, nl->sn->now_ns);
	net__tcp_orphan(nl, tc);
}

/* Its listener's program may have it. */
static void offer(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct plx_net_tcp_listener *l = tc->user;

	*net__tcp_flags(tc) &= ~TCPF_EMBRYO;
	tc->user = NULL;
	if (!l->accept(nl->sn, l, tc))
		refuse(nl, tc);
}

/* What has come is in its door; m's fate. */
static void settle(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m,
	const struct arrival *a, const struct plx_tcp_rx *r, enum plx_drop drop, uint64_t stream)
{
	if (plx_likely(r->n_keep)) {
		plx_pkt_deliver_keep(m);
		net__tcp_keep(nl, tc, m, a->text_off, r, stream);
	} else if (drop == PLX_DROP_TCP_CLOSED && r->events) {
		plx_pkt_deliver(m); /* it is what has closed it */
	} else {
		done(m, drop);
	}
}

/* Its text is not kept: what it acknowledges is still of use. */
static void refuse_text(struct plx_tcp *c, const struct arrival *a, struct plx_tcp_rx *r)
{
	bool in_order = plx_seq_le(a->seg.seq, c->rcv.nxt);

	plx_stat_inc(in_order ? PLX_STAT_TCPEXT_TCPRCVQDROP : PLX_STAT_TCPEXT_TCPOFODROP);
	if (in_order)
		plx_tcp_refuse(c);
	r->ack_now = true;
}

static void conn_in(
	struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m, struct arrival *a)
{
	struct plx_tcp *c = &tc->c;
	uint64_t stream = c->bytes_received;
	struct plx_tcp_tx reply;
	struct plx_tcp_rx r = {.tx = &reply};
	enum plx_drop why = a->seg.len ? net__tcp_can_keep(nl, tc, m, &a->seg) : PLX_DROP_NONE;
	enum plx_drop drop;

	if (plx_unlikely(why != PLX_DROP_NONE)) {
		a->seg.len = 0;
		a->seg.flags &= ~PLX_TCP_FIN;
	}
	drop = plx_tcp_input(c, &a->seg, nl->sn->now_ns, &r);
	if (plx_unlikely(why != PLX_DROP_NONE) && drop == PLX_DROP_NONE) {
		refuse_text(c, a, &r);
		drop = why;
	}
	if (r.acked)
		net__tcp_acked(nl, tc, r.acked);
	settle(nl, tc, m, a, &r, drop, stream);
	if (plx_unlikely(r.reply))
		net__tcp_send_reset(nl, &c->id, &reply);
	net__tcp_note(nl, tc, r.events);
	if (plx_unlikely(r.events & PLX_TCP_EV_ESTABLISHED && net__tcp_is(tc, TCPF_EMBRYO)))
		offer(nl, tc);
	if (plx_unlikely(r.ack_now))
		net__tcp_output(nl, tc);
	if (plx_unlikely(c->id.state == PLX_TCP_TIME_WAIT))
		net__tcp_time_wait(nl, tc);
}

/* ---- handshakes ---- */

/* The handshake is complete: from a record or, when req is NULL, from a cookie. */
static void accept_in(struct net_lcore *nl, struct rte_mbuf *m, struct arrival *a,
	struct plx_tcp_listener *l, struct plx_tcp_req *req, const struct plx_tcp_start *start)
{
	struct net_tcp *t = nl->tcp;
	struct plx_tcp_id id = a->key;
	struct plx_tcp_path path = net__tcp_path(nl, &a->key, l);
	const struct net_tcp_replica *r = plx_container_of(l, struct net_tcp_replica, l);
	struct plx_net_tcp *tc;

	if (!plx_addr_is_linklocal(&id.raddr))
		id.iface = l->id.iface;
	tc = net__tcp_conn_new(nl, &id);
	if (!tc) {
		plx_pkt_drop(m, PLX_DROP_TCP_NO_MEMORY);
		return;
	}
	net__tcp_set_ip(tc, r->ttl, r->tos);
	if (l->rcv_buf)
		plx_tcp_set_rcvbuf(&tc->c, l->rcv_buf);
	if (l->mss_clamp)
		plx_tcp_set_maxseg(&tc->c, l->mss_clamp);
	if (req) {
		plx_tcp_table_replace(t->ctx.table, &req->id, &tc->c.id);
		plx_tcp_req_fini(&t->ctx, req);
	} else if (plx_tcp_table_add(t->ctx.table, &tc->c.id) != 0) {
		net__tcp_conn_free(nl, tc);
		plx_pkt_drop(m, PLX_DROP_TCP_NO_MEMORY);
		return;
	}
	plx_tcp_accept(&tc->c, start, &path, nl->sn->now_ns);
	tc->user = l->user;
	*net__tcp_flags(tc) |= TCPF_EMBRYO;
	conn_in(nl, tc, m, a);
	if (plx_unlikely(net__tcp_is(tc, TCPF_EMBRYO)))
		refuse(nl, tc);
}

static void req_in(
	struct net_lcore *nl, struct plx_tcp_req *req, struct rte_mbuf *m, struct arrival *a)
{
	struct plx_tcp_ctx *ctx = &nl->tcp->ctx;
	struct plx_tcp_path path = net__tcp_path(nl, &a->key, req->listener);
	struct plx_tcp_tx tx;
	struct plx_tcp_rx r = {.tx = &tx};
	struct plx_tcp_start start;
	enum plx_drop drop;

	switch (plx_tcp_req_input(ctx, req, &a->seg, &path, nl->sn->now_ns, &r, &start, &drop)) {
	case PLX_TCP_VERDICT_ACCEPT:
		accept_in(nl, m, a, req->listener, req, &start);
		return;
	case PLX_TCP_VERDICT_SYN_ACK:
		net__tcp_send_bare(nl, &a->key, req->listener, &tx);
		break;
	case PLX_TCP_VERDICT_DROP:
		if (r.reply)
			net__tcp_send_bare(nl, &a->key, req->listener, &tx);
		if (r.events & PLX_TCP_EV_RESET)
			plx_tcp_req_fini(ctx, req);
		break;
	}
	net__tcp_req_rearm(nl);
	done(m, drop);
}

static void listener_in(struct net_lcore *nl, struct plx_tcp_listener *l, struct rte_mbuf *m,
	struct arrival *a, uint32_t iss_above)
{
	struct plx_tcp_path path = net__tcp_path(nl, &a->key, l);
	struct plx_tcp_tx tx;
	struct plx_tcp_rx r = {.tx = &tx};
	struct plx_tcp_start start;
	struct plx_tcp_req *req;
	enum plx_drop drop;

	net__mem_look(nl);
	switch (plx_tcp_listener_input(&nl->tcp->ctx, l, &a->key, &a->seg, &path, nl->sn->now_ns,
		iss_above, &r, &req, &start, &drop)) {
	case PLX_TCP_VERDICT_ACCEPT:
		accept_in(nl, m, a, l, NULL, &start);
		return;
	case PLX_TCP_VERDICT_SYN_ACK:
		net__tcp_send_bare(nl, &a->key, l, &tx);
		net__tcp_req_rearm(nl);
		break;
	case PLX_TCP_VERDICT_DROP:
		if (r.reply)
			net__tcp_send_bare(nl, &a->key, l, &tx);
		break;
	}
	done(m, drop);
}

struct plx_tcp_listener *net__tcp_listener(struct net_lcore *nl, const struct plx_tcp_id *k)
{
	uint32_t hash = net__tcp_hash(nl->net, k);

	/* its bits at the bottom have chosen the lcore */
	return plx_tcp_listener_find(nl->tcp->ctx.table, k, hash * 0x9e3779b1u);
}

/* ---- RFC 5082: who can only be near ---- */

static uint8_t min_ttl_of(struct plx_tcp_listener *l, const struct arrival *a)
{
	const struct net_tcp_replica *r = plx_container_of(l, const struct net_tcp_replica, l);

	return plx_addr_is_v4(&a->key.raddr) ? r->min_ttl : r->min_hops;
}

/* Linux asks TIME-WAITs for none, either, but for what reopens them. */
static uint8_t min_ttl_for(struct plx_tcp_id *id, const struct arrival *a)
{
	if (id->kind == PLX_TCP_KIND_REQ)
		return min_ttl_of(plx_container_of(id, struct plx_tcp_req, id)->listener, a);
	return id->kind == PLX_TCP_KIND_CONN ? net__tcp_min_ttl(net__tcp_of(id)) : 0;
}

static void too_far(struct rte_mbuf *m)
{
	net__drop(m, PLX_DROP_TCP_MIN_TTL, PLX_STAT_TCPEXT_TCPMINTTLDROP);
}

/* ---- TIME-WAIT ---- */

static void tw_in(struct net_lcore *nl, struct plx_tcp_tw *w, struct rte_mbuf *m, struct arrival *a)
{
	plx_ns until = w->until_ns;
	struct plx_tcp_tx tx;
	struct plx_tcp_rx r = {.tx = &tx};
	struct plx_tcp_listener *l;
	enum plx_drop drop = plx_tcp_tw_input(&nl->tcp->ctx, w, &a->seg, nl->sn->now_ns, &r);

	l = r.events & PLX_TCP_EV_REOPEN ? net__tcp_listener(nl, &a->key) : NULL;
	if (l && plx_unlikely(a->ttl < min_ttl_of(l, a))) {
		too_far(m);
		return;
	}
	if (l) {
		uint32_t iss_above = plx_tcp_tw_iss(w);

		net__tcp_tw_end(nl, w);
		listener_in(nl, l, m, a, iss_above);
		return;
	}
	if (r.events & PLX_TCP_EV_REOPEN) {
		plx_stat_inc(PLX_STAT_TCP_OUTSEGS);
		drop = PLX_DROP_TCP_TIME_WAIT;
	}
	if (r.reply || r.events & PLX_TCP_EV_REOPEN)
		net__tcp_send_bare(nl, &a->key, NULL, &tx);
	if (r.events & PLX_TCP_EV_CLOSED)
		net__tcp_tw_end(nl, w);
	else if (w->until_ns != until)
		net__tcp_tw_moved(nl, w);
	done(m, drop);
}

/* ---- all ---- */

static void nobody(struct net_lcore *nl, struct rte_mbuf *m, const struct arrival *a)
{
	struct plx_tcp_tx tx;

	if (plx_tcp_reset_for(&a->seg, &tx))
		net__tcp_send_reset(nl, &a->key, &tx);
	plx_pkt_drop(m, PLX_DROP_TCP_NO_CONN);
}

/*
 * Whose the four-tuple is. A connection that has ended is in the table until it is served, at the
 * end of the burst; a SYN behind its last segment is for a listener, as if it were not there.
 */
static struct plx_tcp_id *who_has(
	struct net_lcore *nl, struct plx_tcp_table *table, struct arrival *a)
{
	struct plx_tcp_id *id = plx_tcp_table_lookup(table, &a->key);

	if (plx_likely(!id || id->state != PLX_TCP_CLOSED || id->kind != PLX_TCP_KIND_CONN) ||
		(a->seg.flags & (PLX_TCP_SYN | PLX_TCP_ACK | PLX_TCP_RST)) != PLX_TCP_SYN)
		return id;
	net__tcp_gone(nl, net__tcp_of(id));
	return NULL;
}

static void dispatch(struct net_lcore *nl, struct rte_mbuf *m, struct arrival *a)
{
	struct plx_tcp_table *table = nl->tcp->ctx.table;
	struct plx_tcp_id *id = table ? who_has(nl, table, a) : NULL;
	struct plx_tcp_listener *l;

	if (plx_likely(id)) {
		if (plx_unlikely(a->ttl < min_ttl_for(id, a)))
			too_far(m);
		else if (plx_likely(id->kind == PLX_TCP_KIND_CONN))
			conn_in(nl, net__tcp_of(id), m, a);
		else if (id->kind == PLX_TCP_KIND_REQ)
			req_in(nl, plx_container_of(id, struct plx_tcp_req, id), m, a);
		else
			tw_in(nl, plx_container_of(id, struct plx_tcp_tw, id), m, a);
		return;
	}
	l = table ? net__tcp_listener(nl, &a->key) : NULL;
	if (l && plx_unlikely(a->ttl < min_ttl_of(l, a)))
		too_far(m);
	else if (l)
		listener_in(nl, l, m, a, 0);
	else
		nobody(nl, m, a);
}

static enum plx_drop check(const struct rte_mbuf *m, const struct plx_ip *ip,
	const struct plx_tcp_hdr *h, const uint8_t *p, struct arrival *a)
{
	a->seg.opts.present = 0;
	a->seg.opts.n_sack = 0;
	if (plx_unlikely(!net__l4_ok(m, ip)))
		return PLX_DROP_TCP_CHECKSUM;
	if (h->hdr_bytes == PLX_TCP_BYTES)
		return PLX_DROP_NONE;
	return plx_wire_tcp_opts_parse(&a->seg.opts, p + PLX_TCP_BYTES,
		h->hdr_bytes - PLX_TCP_BYTES, h->flags & PLX_TCP_SYN);
}

void net__tcp_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx)
{
	const struct plx_ip *ip = &rx->ip;
	uint8_t flat[PLX_TCP_MAX_BYTES];
	const uint8_t *p = rte_pktmbuf_read(
		m, ip->hdr_bytes, PLX_MIN((uint32_t)ip->l4_bytes, PLX_TCP_MAX_BYTES), flat);
	struct plx_tcp_hdr h;
	struct arrival a;
	int away;
	enum plx_drop drop = p ? plx_wire_tcp_parse(&h, p, ip->l4_bytes) : PLX_DROP_TCP_SHORT;

	if (plx_unlikely(rx->to_many)) { /* nobody to connect with (RFC 1122 4.2.3.10) */
		plx_pkt_drop(m, PLX_DROP_TCP_TO_MANY);
		return;
	}
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		drop_bad(m, drop);
		return;
	}
	a.key = (struct plx_tcp_id){
		.laddr = ip->dst,
		.raddr = ip->src,
		.lport = h.dport,
		.rport = h.sport,
		.iface = rx->iface,
	};
	if (plx_likely(!rx->handed)) {
		uint16_t owner = owner_of(nl, m, &a.key);

		if (plx_unlikely(owner != nl->sn->index)) {
			net__hand(nl, m, rx, owner);
			return;
		}
	}
	if (plx_unlikely(nl->parks) && net__move_park(nl, m, rx, &a.key))
		return;
	drop = check(m, ip, &h, p, &a);
	if (plx_unlikely(drop != PLX_DROP_NONE)) {
		drop_bad(m, drop);
		return;
	}
	away = net__tcp_away_find(nl, &a.key, h.flags, rx->handed);
	if (plx_unlikely(away >= 0)) {
		net__hand(nl, m, rx, (uint16_t)away);
		return;
	}
	/* put together from fragments it is still one */
	a.seg.segs = m->ol_flags & RTE_MBUF_F_RX_LRO ? (uint8_t)PLX_MIN(plx_pkt_wire(m), 255u) : 1;
	plx_count(plx_acct_self()->stat[PLX_STAT_TCP_INSEGS], a.seg.segs);
	a.seg.seq = h.seq;
	a.seg.ack = h.ack;
	a.seg.len = ip->l4_bytes - h.hdr_bytes;
	a.seg.flags = h.flags;
	a.seg.win = h.win;
	a.seg.urg = h.urg;
	a.seg.ecn = ip->tos & PLX_IP_ECN_MASK;
	a.text_off = ip->hdr_bytes + h.hdr_bytes;
	a.ttl = ip->ttl;
	dispatch(nl, m, &a);
}
