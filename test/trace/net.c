/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <errno.h>
#include <stdlib.h>

/* The stack below the sockets: what a poll of the engine does, with one packet at a time. */

#define ARENA_BYTES (4u << 20)

struct plx_tcp_path td_net_path(const struct td_run *r)
{
	return (struct plx_tcp_path){.mtu = r->mtu, .v6 = r->setup.v6};
}

bool td_net_init(struct td_run *r)
{
	struct plx_tcp_table_conf conf = {
		.seed = {r->setup.seed, 2}, .mem = &r->arena, .slots = 64};

	r->mem = malloc(ARENA_BYTES);
	if (!r->mem || plx_arena_init(&r->arena, r->mem, ARENA_BYTES) != 0)
		return td_fail(r, "no memory");
	plx_tunables_init(&r->tun);
	r->ctx.tun = &r->tun;
	r->ctx.stat = r->stat;
	r->ctx.mem = &r->arena;
	r->ctx.seed = r->setup.seed;
	r->ctx.table = plx_tcp_table_create(&conf);
	if (!r->ctx.table)
		return td_fail(r, "no memory for the table");
	plx_tcp_ctx_init(&r->ctx);
	return true;
}

struct td_flow *td_net_flow(struct td_run *r, uint16_t lport, uint16_t rport)
{
	struct td_flow *f;

	for (unsigned int i = 0; i < r->n_flows; i++) {
		f = &r->flows[i];
		if (f->lport == lport && f->rport == rport)
			return f;
	}
	if (r->n_flows == TD_FLOWS) {
		td_fail(r, "more than %d connections", TD_FLOWS);
		return &r->flows[0];
	}
	f = &r->flows[r->n_flows++];
	td_flow_init(f, lport, rport, r->setup.remote_isn);
	return f;
}

/* ---- out ---- */

static void push(struct td_run *r, const struct td_seen *seen)
{
	if (r->n_out == r->cap_out) {
		r->cap_out = r->cap_out ? r->cap_out * 2 : 64;
		r->out = realloc(r->out, r->cap_out * sizeof(*r->out));
		if (!r->out)
			abort();
	}
	r->out[r->n_out++] = *seen;
}

/* Wire segments of a super-segment, as a device cuts it. */
void td_net_transmit(struct td_run *r, struct td_flow *f, const struct plx_tcp_tx *tx)
{
	uint32_t left = tx->len, header = r->setup.v6 ? 60 : 40;
	struct plx_tcp_tx one = *tx;
	struct td_seen seen;

	do {
		one.len = tx->mss && left > tx->mss ? tx->mss : left;
		left -= one.len;
		one.flags = left ? (uint16_t)(tx->flags & ~(PLX_TCP_PSH | PLX_TCP_FIN)) : tx->flags;
		if (one.seq != tx->seq)
			one.flags &= (uint16_t)~PLX_TCP_CWR;
		td_flow_out(f, &one, r->now, &seen);
		if (seen.opt_bytes > sizeof(seen.opts))
			td_fail(r, "%u bytes of options", seen.opt_bytes);
		else if (seen.len && seen.len + seen.opt_bytes + header > r->mtu)
			td_fail(r, "segment of %u bytes exceeds the MTU", seen.len);
		push(r, &seen);
		one.seq += one.len;
		if (tx->flags & PLX_TCP_URG)
			one.urg = (uint16_t)(one.urg - PLX_MIN(one.urg, one.len));
	} while (left);
}

static void end_conn(struct td_run *r, struct td_sock *s)
{
	if (s->live)
		plx_tcp_table_del(r->ctx.table, &s->c.id);
	s->live = false;
}

static void to_time_wait(struct td_run *r, struct td_sock *s)
{
	struct td_tw *tw;

	if (!s->live)
		return;
	tw = calloc(1, sizeof(*tw));
	if (!tw)
		abort();
	if (plx_tcp_tw_init(&tw->w, &s->c, r->now) != 0) {
		free(tw);
		end_conn(r, s);
		return;
	}
	s->live = false;
	tw->next = r->tws;
	r->tws = tw;
}

static void end_tw(struct td_run *r, struct td_tw *tw)
{
	struct td_tw **p = &r->tws;

	while (*p != tw)
		p = &(*p)->next;
	*p = tw->next;
	plx_tcp_tw_fini(&r->ctx, &tw->w, r->now);
	free(tw);
}

static bool output(
	struct td_run *r, struct td_sock *s, const struct plx_tcp_room *room, struct plx_tcp_tx *tx)
{
	bool idle = plx_tcp_idle(&s->c, r->now);
	bool sent = plx_tcp_output(&s->c, r->now, room, tx);

	if (idle && sent)
		td_fail(r, "idle, and sends");
	return sent;
}

void td_net_drain(struct td_run *r, struct td_sock *s)
{
	struct plx_tcp_room room = {
		.segs = 1u << 20, .bytes = UINT32_MAX, .max_len = r->setup.max_segs * s->c.snd.mss};
	struct plx_tcp_tx tx;

	if (s->started)
		plx_tcp_route_mtu(&s->c, r->mtu, r->now);
	for (int n = 0; s->started && output(r, s, &room, &tx); n++) {
		if (n == 100000) {
			td_fail(r, "output() has no end");
			return;
		}
		if (tx.len && tx.off + tx.len > s->written - s->acked)
			td_fail(r, "sends [%u, +%u) of %llu bytes written", tx.off, tx.len,
				(unsigned long long)(s->written - s->acked));
		td_net_transmit(r, s->flow, &tx);
	}
	/* what Linux does with an orphan: a record without a connection waits for the FIN */
	if (s->live && s->fd < 0 && s->c.orphan && s->c.id.state == PLX_TCP_FIN_WAIT_2)
		to_time_wait(r, s);
	if (s->live && s->c.id.state == PLX_TCP_CLOSED)
		end_conn(r, s);
}

/* ---- in ---- */

/* Each byte of the stream is kept once, and what is ready is there. */
static void check_keep(struct td_run *r, struct td_sock *s, const struct plx_tcp_seg *seg,
	const struct plx_tcp_rx *rx)
{
	for (unsigned int i = 0; i < rx->n_keep; i++) {
		const struct plx_tcp_keep *k = &rx->keep[i];
		uint64_t from = s->kept_nxt + k->at;

		if (!k->len || k->off + k->len > seg->len)
			td_fail(r, "keeps [%u, +%u) of %u bytes", k->off, k->len, seg->len);
		if (plx_ranges_overlaps(&s->kept, from, from + k->len))
			td_fail(r, "keeps [%llu, +%u) of the stream a second time",
				(unsigned long long)from, k->len);
		plx_ranges_add(&s->kept, from, from + k->len);
	}
	if (rx->ready && !plx_ranges_contains(&s->kept, s->kept_nxt, s->kept_nxt + rx->ready))
		td_fail(r, "says that %u bytes are ready, and not all were kept", rx->ready);
	s->kept_nxt += rx->ready;
	s->in_edges += rx->ready != 0;
}

static void happened(struct td_run *r, struct td_sock *s, uint16_t events)
{
	if (events & PLX_TCP_EV_ESTABLISHED)
		s->out_edges++;
	if (events & PLX_TCP_EV_FIN) {
		s->fin = true;
		s->in_edges++;
	}
	if (events & PLX_TCP_EV_URGENT) {
		s->oob = true;
		s->in_edges++;
	}
	if (events & (PLX_TCP_EV_RESET | PLX_TCP_EV_CLOSED)) {
		s->in_edges++;
		s->out_edges++;
	}
	if (events & PLX_TCP_EV_TIME_WAIT)
		to_time_wait(r, s);
}

static void conn_in(struct td_run *r, struct td_sock *s, const struct plx_tcp_seg *seg)
{
	struct plx_tcp_tx tx = {0};
	struct plx_tcp_rx rx = {.tx = &tx};

	r->drop = plx_tcp_input(&s->c, seg, r->now, &rx);
	if (rx.n_keep > PLX_TCP_KEEP_MAX)
		td_fail(r, "keeps %u parts", rx.n_keep);
	check_keep(r, s, seg, &rx);
	if (s->acked + rx.acked > s->written)
		td_fail(r, "acknowledged %u of %llu bytes", rx.acked,
			(unsigned long long)(s->written - s->acked));
	s->acked += rx.acked;
	s->out_edges += rx.acked != 0;
	if (rx.reply)
		td_net_transmit(r, s->flow, &tx);
	happened(r, s, rx.events);
	td_net_drain(r, s);
}

static void reply(struct td_run *r, struct td_flow *f, const struct plx_tcp_rx *rx)
{
	if (rx->reply)
		td_net_transmit(r, f, rx->tx);
}

static void to_accept_queue(struct td_run *r, struct td_sock *l, struct td_sock *s)
{
	if (l->l.accept_len == TD_ACCEPTS) {
		td_fail(r, "more than %d connections to accept", TD_ACCEPTS);
		return;
	}
	l->accepts[l->l.accept_len++] = s;
	l->in_edges++;
	s->queued = true;
}

/* The handshake is complete: a record of the SYN queue, or a cookie, becomes a connection. */
static void accepted(struct td_run *r, struct td_sock *l, struct td_flow *f,
	const struct plx_tcp_id *id, struct plx_tcp_req *req, const struct plx_tcp_start *start,
	const struct plx_tcp_seg *seg)
{
	struct td_sock *s = td_sock_new(r, TD_SOCK_CONN);
	struct plx_tcp_path path = td_net_path(r);

	s->fd = -1;
	s->opt = l->opt;
	s->lport = l->lport;
	s->flow = f;
	td_sock_start(r, s, id);
	plx_tcp_accept(&s->c, start, &path, r->now);
	if (req) {
		plx_tcp_table_replace(r->ctx.table, &req->id, &s->c.id);
		plx_tcp_req_fini(&r->ctx, req);
	} else if (plx_tcp_table_add(r->ctx.table, &s->c.id) != 0) {
		td_fail(r, "a cookie's connection is in the table already");
	}
	s->live = true;
	s->queued = true; /* until it is known */
	conn_in(r, s, seg);
	s->queued = false;
	if (s->c.id.state == PLX_TCP_CLOSED || s->c.id.state == PLX_TCP_SYN_RECEIVED)
		td_sock_free(r, s);
	else
		to_accept_queue(r, l, s);
}

static void listener_in(struct td_run *r, struct plx_tcp_listener *l, struct td_flow *f,
	const struct plx_tcp_id *id, const struct plx_tcp_seg *seg, uint32_t iss_above)
{
	struct plx_tcp_path path = td_net_path(r);
	struct plx_tcp_tx tx = {0};
	struct plx_tcp_rx rx = {.tx = &tx};
	struct plx_tcp_start start = {0};
	struct plx_tcp_req *req = NULL;

	switch (plx_tcp_listener_input(
		&r->ctx, l, id, seg, &path, r->now, iss_above, &rx, &req, &start, &r->drop)) {
	case PLX_TCP_VERDICT_DROP:
		reply(r, f, &rx);
		break;
	case PLX_TCP_VERDICT_SYN_ACK:
		td_net_transmit(r, f, &tx);
		break;
	case PLX_TCP_VERDICT_ACCEPT:
		accepted(r, plx_container_of(l, struct td_sock, l), f, id, NULL, &start, seg);
		break;
	}
}

static void req_in(
	struct td_run *r, struct plx_tcp_req *req, struct td_flow *f, const struct plx_tcp_seg *seg)
{
	struct plx_tcp_path path = td_net_path(r);
	struct plx_tcp_tx tx = {0};
	struct plx_tcp_rx rx = {.tx = &tx};
	struct plx_tcp_start start = {0};
	struct td_sock *l = plx_container_of(req->listener, struct td_sock, l);
	struct plx_tcp_id id = req->id;

	switch (plx_tcp_req_input(&r->ctx, req, seg, &path, r->now, &rx, &start, &r->drop)) {
	case PLX_TCP_VERDICT_DROP:
		reply(r, f, &rx);
		if (rx.events & PLX_TCP_EV_RESET)
			plx_tcp_req_fini(&r->ctx, req);
		break;
	case PLX_TCP_VERDICT_SYN_ACK:
		td_net_transmit(r, f, &tx);
		break;
	case PLX_TCP_VERDICT_ACCEPT:
		accepted(r, l, f, &id, req, &start, seg);
		break;
	}
}

static void stray(struct td_run *r, struct td_flow *f, const struct plx_tcp_seg *seg)
{
	struct plx_tcp_tx tx = {0};

	r->drop = PLX_DROP_TCP_NO_CONN;
	if (plx_tcp_reset_for(seg, &tx))
		td_net_transmit(r, f, &tx);
}

static void listen_in(struct td_run *r, struct td_flow *f, const struct plx_tcp_id *key,
	const struct plx_tcp_seg *seg, uint32_t iss_above)
{
	struct plx_tcp_listener *l = plx_tcp_listener_find(r->ctx.table, key, 1);

	if (l)
		listener_in(r, l, f, key, seg, iss_above);
	else
		stray(r, f, seg);
}

static void tw_in(struct td_run *r, struct td_tw *tw, struct td_flow *f,
	const struct plx_tcp_id *key, const struct plx_tcp_seg *seg)
{
	struct plx_tcp_tx tx = {0};
	struct plx_tcp_rx rx = {.tx = &tx};
	uint32_t above;

	r->drop = plx_tcp_tw_input(&r->ctx, &tw->w, seg, r->now, &rx);
	reply(r, f, &rx);
	if (rx.events & PLX_TCP_EV_REOPEN && plx_tcp_listener_find(r->ctx.table, key, 1)) {
		above = plx_tcp_tw_iss(&tw->w);
		end_tw(r, tw);
		listen_in(r, f, key, seg, above);
	} else if (rx.events & PLX_TCP_EV_CLOSED) {
		end_tw(r, tw);
	}
}

/* Smaller ones are not (RFC 5927 7.3, RFC 8201 4): the duty of whoever keeps the path's record. */
static uint16_t believed(const struct td_run *r, uint32_t mtu)
{
	if (!r->setup.v6)
		mtu = PLX_MAX(mtu, (uint32_t)r->tun.v[PLX_TUN_MIN_PMTU]);
	return (uint16_t)PLX_MIN(mtu, (uint32_t)r->mtu);
}

static void icmp_req_in(struct td_run *r, struct plx_tcp_req *req, const struct td_seen *seen,
	const struct td_icmp *icmp)
{
	if (plx_tcp_req_error(&r->ctx, req, icmp->ends, seen->seq))
		plx_tcp_req_fini(&r->ctx, req);
}

static void icmp_in(struct td_run *r, struct plx_tcp_id *found, const struct td_seen *seen,
	const struct td_icmp *icmp)
{
	struct td_sock *s;

	if (found && found->kind == PLX_TCP_KIND_REQ) {
		icmp_req_in(r, plx_container_of(found, struct plx_tcp_req, id), seen, icmp);
		return;
	}
	if (!found || found->kind != PLX_TCP_KIND_CONN)
		return;
	s = plx_container_of(found, struct td_sock, c.id);
	if (icmp->err == EMSGSIZE) {
		plx_tcp_path_mtu(&s->c, believed(r, icmp->mtu), seen->seq, r->now);
		/* the path's record: what leaves from now on must fit (the glue's duty) */
		if (s->c.pmtu < r->mtu)
			r->mtu = s->c.pmtu;
	} else if (icmp->err) {
		happened(r, s, plx_tcp_error(&s->c, icmp->err, icmp->hard, seen->seq, r->now));
	}
	td_net_drain(r, s);
}

void td_net_in(
	struct td_run *r, struct td_flow *f, const struct td_seen *seen, const struct td_pkt *pkt)
{
	struct plx_tcp_id key = {.laddr = r->local,
		.raddr = r->remote,
		.lport = f->lport,
		.rport = f->rport,
		.kind = PLX_TCP_KIND_CONN};
	struct plx_tcp_id *found = plx_tcp_table_lookup(r->ctx.table, &key);
	struct plx_tcp_seg seg;

	r->drop = PLX_DROP_NONE;
	if (seen->is_icmp) {
		icmp_in(r, found, seen, &pkt->icmp);
		return;
	}
	r->drop = td_seen_seg(seen, &seg);
	if (r->drop != PLX_DROP_NONE)
		return;
	if (!found || found->kind == PLX_TCP_KIND_LISTENER)
		listen_in(r, f, &key, &seg, 0);
	else if (found->kind == PLX_TCP_KIND_CONN)
		conn_in(r, plx_container_of(found, struct td_sock, c.id), &seg);
	else if (found->kind == PLX_TCP_KIND_REQ)
		req_in(r, plx_container_of(found, struct plx_tcp_req, id), f, &seg);
	else
		tw_in(r, plx_container_of(found, struct td_tw, w.id), f, &key, &seg);
	td_net_reap(r);
}

uint32_t td_net_tw_reuse(struct td_run *r, const struct plx_tcp_id *id)
{
	struct plx_tcp_id *found = plx_tcp_table_lookup(r->ctx.table, id);
	struct td_tw *tw;
	uint32_t isn = 0;

	if (!found || found->kind != PLX_TCP_KIND_TW)
		return 0;
	tw = plx_container_of(found, struct td_tw, w.id);
	if (plx_tcp_tw_reusable(&r->ctx, &tw->w, r->now, &isn))
		end_tw(r, tw);
	return isn;
}

/* ---- time ---- */

plx_ns td_net_deadline(const struct td_run *r)
{
	plx_ns at = plx_tcp_req_deadline(&r->ctx), d;

	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		const struct td_sock *s = r->socks[i];

		if (!s || !s->started || !s->live)
			continue;
		d = plx_tcp_deadline(&s->c);
		at = PLX_MIN(at, d);
	}
	for (const struct td_tw *tw = r->tws; tw; tw = tw->next)
		at = PLX_MIN(at, tw->w.until_ns);
	return at;
}

static void req_timers(struct td_run *r)
{
	struct plx_tcp_path path = td_net_path(r);
	struct plx_tcp_req *req;
	struct plx_tcp_tx tx = {0};

	while ((req = plx_tcp_req_due(&r->ctx, r->now))) {
		struct td_flow *f = td_net_flow(r, req->id.lport, req->id.rport);

		switch (plx_tcp_req_timer(&r->ctx, req, &path, r->now, &tx)) {
		case PLX_TCP_REQ_SEND:
			td_net_transmit(r, f, &tx);
			break;
		case PLX_TCP_REQ_WAIT:
			break;
		case PLX_TCP_REQ_OVER:
			plx_tcp_req_fini(&r->ctx, req);
			break;
		}
	}
}

void td_net_timers(struct td_run *r)
{
	struct td_tw *tw, *next;

	req_timers(r);
	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		struct td_sock *s = r->socks[i];

		if (!s || !s->live || plx_tcp_deadline(&s->c) > r->now)
			continue;
		happened(r, s, plx_tcp_timer(&s->c, r->now));
		td_net_drain(r, s);
	}
	for (tw = r->tws; tw; tw = next) {
		next = tw->next;
		if (tw->w.until_ns <= r->now)
			end_tw(r, tw);
	}
	td_net_reap(r);
}

void td_net_reap(struct td_run *r)
{
	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		struct td_sock *s = r->socks[i];

		if (s && s->fd < 0 && !s->live && !s->queued && s->kind == TD_SOCK_CONN)
			td_sock_free(r, s);
	}
}

/* ---- the end ---- */

void td_net_fini(struct td_run *r)
{
	size_t left;

	if (!r->mem)
		return;
	for (unsigned int i = 0; i < TD_SOCKS; i++) {
		if (r->socks[i])
			td_sock_free(r, r->socks[i]);
	}
	while (r->tws)
		end_tw(r, r->tws);
	if (r->ctx.table) {
		if (plx_tcp_table_count(r->ctx.table))
			td_fail(r, "%u records are left in the table",
				plx_tcp_table_count(r->ctx.table));
		else
			plx_tcp_table_destroy(r->ctx.table);
	}
	left = plx_arena_used(&r->arena);
	if (left)
		td_fail(r, "%zu bytes of the stack's memory leaked", left);
	plx_arena_fini(&r->arena);
	free(r->mem);
	free(r->out);
	r->mem = NULL;
	r->out = NULL;
}
