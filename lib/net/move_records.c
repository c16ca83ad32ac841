/* SPDX-License-Identifier: BSD-3-Clause */
#include "move.h"

/*
 * What moves (move.c): connections, handshakes, TIME-WAITs. The old owner takes a record out of its
 * table and timers, the new one copies it into its own memory, the old one frees what is left of
 * it; or has it back, if there was no room.
 */

#define MOVE_SERVE_NS PLX_MS(100) /* so long a connection that lacks mbufs is waited for */

/* ---- records: old ---- */

static struct plx_tcp_tw *tw_of(struct plx_tcp_id *id)
{
	return plx_container_of(id, struct plx_tcp_tw, id);
}

static struct plx_tcp_req *req_of(struct plx_tcp_id *id)
{
	return plx_container_of(id, struct plx_tcp_req, id);
}

/* It stays, and its segments come from now on to another lcore. */
static void stay(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	*net__tcp_flags(tc) |= TCPF_AWAY;
	net__tcp_away_take(nl, &tc->c.id);
	plx_count(nl->mover->stayed, 1);
}

static bool is_free(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (net__tcp_is(tc, TCPF_TOUCHED))
		return false;
	return net__tcp_is(tc, TCPF_RELEASED) ||
	       (tc->ops && tc->ops->leave &&
		       tc->ops->leave(nl->sn, tc, nl->net->lcore[nl->net->moves->to]->sn));
}

/* @return whether it goes; those that are to be served first may do it the next time. */
static bool leave_conn(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct net_mover *mv = nl->mover;

	if (net__tcp_is(tc, TCPF_AWAY))
		return false;
	if (plx_unlikely(mv->gives_up)) {
		stay(nl, tc);
		return false;
	}
	if (net__tcp_is(tc, TCPF_TOUCHED) && nl->sn->now_ns < mv->since + MOVE_SERVE_NS) {
		mv->again = true;
		return false;
	}
	if (!is_free(nl, tc)) {
		stay(nl, tc);
		return false;
	}
	plx_tcp_table_del(nl->tcp->ctx.table, &tc->c.id);
	plx_wheel_del(&nl->sn->wheel, &tc->timer);
	return true;
}

static bool leave_tw(struct net_lcore *nl, struct plx_tcp_tw *w)
{
	if (w->away)
		return false;
	if (plx_unlikely(nl->mover->gives_up)) {
		w->away = true;
		net__tcp_away_take(nl, &w->id);
		return false;
	}
	plx_tcp_tw_leave(&nl->tcp->ctx, w);
	plx_list_del(&w->of_age);
	return true;
}

bool net__move_leave(struct net_lcore *nl, struct plx_tcp_id *id)
{
	switch (id->kind) {
	case PLX_TCP_KIND_CONN:
		return leave_conn(nl, net__tcp_of(id));
	case PLX_TCP_KIND_TW:
		return leave_tw(nl, tw_of(id));
	default:
		plx_tcp_req_leave(&nl->tcp->ctx, req_of(id));
		return true;
	}
}

/* One of the two, whose bytes are those of the other one. */
static void discard(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct plx_arena *mem = &nl->tcp->arena;

	if (tc->buf) {
		plx_arena_free(mem, tc->buf->piece, tc->buf->cap * sizeof(*tc->buf->piece));
		plx_arena_free(mem, tc->buf, sizeof(*tc->buf));
	}
	plx_tcp_fini(&tc->c);
	plx_arena_free(mem, tc, sizeof(*tc));
}

/* New has it: what is left of it here goes. */
static void forget_conn(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	plx_quota_use(&nl->tcp->rx, -(int64_t)tc->c.rcv.room);
	plx_count(nl->tcp->conns, -1u);
	if (net__tcp_is(tc, TCPF_RELEASED))
		plx_count(nl->tcp->orphans, -1u);
	else if (tc->ops->left)
		tc->ops->left(nl->sn, tc->user);
	discard(nl, tc);
}

/* New has no memory for it. Nor has the table here, or somebody has named its port meanwhile: then
 * it ends. */
static void take_back(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	bool there = plx_tcp_table_add(nl->tcp->ctx.table, &tc->c.id) == 0;

	if (there)
		stay(nl, tc);
	else
		plx_tcp_abort(&tc->c, nl->sn->now_ns);
	if (!net__tcp_is(tc, TCPF_RELEASED))
		tc->ops->arrive(nl->sn, tc);
	net__tcp_note(nl, tc, there ? 0 : PLX_TCP_EV_CLOSED);
}

void net__move_come_back(struct net_lcore *nl, struct plx_tcp_id *id, bool taken)
{
	switch (id->kind) {
	case PLX_TCP_KIND_CONN:
		if (taken)
			forget_conn(nl, net__tcp_of(id));
		else
			take_back(nl, net__tcp_of(id));
		break;
	case PLX_TCP_KIND_TW:
		if (!taken && tw_of(id)->named)
			net__tcp_named_drop(nl, id);
		plx_arena_free(&nl->tcp->arena, tw_of(id), sizeof(struct plx_tcp_tw));
		break;
	default:
		plx_tcp_req_free(&nl->tcp->ctx, req_of(id));
		break;
	}
}

/* ---- records: new ---- */

static struct net_tcp_buf *adopt_buf(struct net_lcore *nl, const struct net_tcp_buf *from)
{
	struct plx_arena *mem = &nl->tcp->arena;
	struct net_tcp_buf *b = plx_arena_alloc(mem, sizeof(*b));

	if (!b)
		return NULL;
	*b = *from;
	if (!from->cap)
		return b;
	b->piece = plx_arena_alloc(mem, b->cap * sizeof(*b->piece));
	if (!b->piece) {
		plx_arena_free(mem, b, sizeof(*b));
		return NULL;
	}
	memcpy(b->piece, from->piece, b->cap * sizeof(*b->piece));
	return b;
}

/* All of it, or nothing. */
static struct plx_net_tcp *copy_conn(struct net_lcore *nl, const struct plx_net_tcp *from)
{
	struct plx_net_tcp *tc = plx_arena_alloc(&nl->tcp->arena, sizeof(*tc));

	if (!tc)
		return NULL;
	*tc = (struct plx_net_tcp){.ops = from->ops, .user = from->user};
	tc->timer.kind = NET_TIMER_TCP;
	tc->timer.tag = from->timer.tag;
	if (plx_tcp_adopt(&tc->c, &nl->tcp->ctx, &from->c) != 0) {
		plx_arena_free(&nl->tcp->arena, tc, sizeof(*tc));
		return NULL;
	}
	if (from->buf)
		tc->buf = adopt_buf(nl, from->buf);
	if ((tc->buf || !from->buf) && plx_tcp_table_add(nl->tcp->ctx.table, &tc->c.id) == 0)
		return tc;
	discard(nl, tc);
	return NULL;
}

static bool adopt_conn(struct net_lcore *nl, const struct plx_net_tcp *from)
{
	struct plx_net_tcp *tc = copy_conn(nl, from);
	int64_t room = from->c.rcv.room;

	if (!tc)
		return false;
	plx_quota_use(&nl->tcp->rx, room);
	if (!net__tcp_is(tc, TCPF_RELEASED) && !tc->ops->arrive(nl->sn, tc)) {
		plx_quota_use(&nl->tcp->rx, -room);
		plx_tcp_table_del(nl->tcp->ctx.table, &tc->c.id);
		discard(nl, tc);
		return false;
	}
	plx_count(nl->tcp->conns, 1);
	plx_count(nl->mover->conns, 1);
	if (net__tcp_is(from, TCPF_RELEASED))
		plx_count(nl->tcp->orphans, 1);
	if (net__tcp_is(tc, TCPF_NAMED))
		net__tcp_named_move(nl, &tc->c.id, nl->net->moves->from);
	net__move_came(nl, &tc->c.id);
	net__tcp_touch(nl, tc);
	return true;
}

/* The last of those that are here end later: then it does so, too, and its timer is theirs. */
static void place_tw(struct net_lcore *nl, struct plx_tcp_tw *w)
{
	struct plx_list *fifo = w->fin_wait_2 ? &nl->tcp->fin_wait_2 : &nl->tcp->tw;
	const struct plx_tcp_tw *last = plx_list_last(fifo, struct plx_tcp_tw, of_age);

	if (last && last->until_ns > w->until_ns)
		w->until_ns = last->until_ns;
	plx_list_init(&w->of_age);
	net__tcp_tw_moved(nl, w);
}

static bool adopt_tw(struct net_lcore *nl, const struct plx_tcp_tw *from)
{
	struct plx_tcp_tw *w = plx_arena_alloc(&nl->tcp->arena, sizeof(*w));

	if (!w)
		return false;
	if (plx_tcp_tw_adopt(&nl->tcp->ctx, w, from, nl->sn->now_ns) != 0) {
		plx_arena_free(&nl->tcp->arena, w, sizeof(*w));
		return false;
	}
	if (w->named)
		net__tcp_named_move(nl, &w->id, nl->net->moves->from);
	place_tw(nl, w);
	return true;
}

/* Without a listener here any more, it is as if its listener had been closed. */
static bool adopt_req(struct net_lcore *nl, const struct plx_tcp_req *from)
{
	struct plx_tcp_listener *l = net__tcp_listener(nl, &from->id);

	if (!l || plx_tcp_req_adopt(&nl->tcp->ctx, l, from) != 0)
		return false;
	net__tcp_req_rearm(nl);
	return true;
}

bool net__move_adopt(struct net_lcore *nl, struct plx_tcp_id *id)
{
	switch (id->kind) {
	case PLX_TCP_KIND_CONN:
		return adopt_conn(nl, net__tcp_of(id));
	case PLX_TCP_KIND_TW:
		return adopt_tw(nl, tw_of(id));
	default:
		return adopt_req(nl, req_of(id));
	}
}
