/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

/*
 * The life of connections on an lcore: touched by input, calls and timers, served at the end of the
 * burst (events to the program, output, timer), ended or shrunk to a TIME-WAIT record.
 */

/* ---- records ---- */

struct plx_net_tcp *net__tcp_conn_new(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	struct plx_net_tcp *tc;

	net__tcp_chunks_home(nl->tcp);
	tc = plx_arena_alloc(&nl->tcp->arena, sizeof(*tc));
	if (!tc)
		return NULL;
	plx_tcp_init(&tc->c, &nl->tcp->ctx, id);
	memset((uint8_t *)tc + sizeof(tc->c), 0, sizeof(*tc) - sizeof(tc->c));
	tc->timer.kind = NET_TIMER_TCP;
	plx_count(nl->tcp->conns, 1);
	return tc;
}

void net__tcp_orphan(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (!net__tcp_is(tc, TCPF_RELEASED))
		plx_count(nl->tcp->orphans, 1);
	*net__tcp_flags(tc) |= TCPF_RELEASED;
}

void net__tcp_check_orphan(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (net__tcp_is_over(tc) || !net__mem_drops_orphan(nl, tc))
		return;
	plx_stat_inc(PLX_STAT_TCPEXT_TCPABORTONMEMORY);
	plx_tcp_abort(&tc->c, nl->sn->now_ns);
	net__tcp_touch(nl, tc);
}

void net__tcp_gone(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (net__tcp_is(tc, TCPF_GONE))
		return;
	*net__tcp_flags(tc) |= TCPF_GONE;
	plx_tcp_table_del(nl->tcp->ctx.table, &tc->c.id);
	if (plx_unlikely(net__tcp_is(tc, TCPF_NAMED)))
		net__tcp_named_drop(nl, &tc->c.id);
	if (plx_unlikely(net__tcp_is(tc, TCPF_AWAY)))
		net__tcp_away_drop(nl, &tc->c.id);
	if (plx_unlikely(plx_steer_flows_any(&nl->net->flows)))
		net__flow_over(nl, &tc->c.id);
	plx_wheel_del(&nl->sn->wheel, &tc->timer);
	plx_list_add_tail(&nl->tcp->gone, &tc->timer.node);
	net__tcp_out_drop(tc); /* who has lent it waits for it, closed or not */
}

void net__tcp_conn_free(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	net__tcp_gone(nl, tc);
	plx_list_del(&tc->timer.node);
	net__tcp_buf_free(nl, tc);
	plx_tcp_fini(&tc->c);
	plx_count(nl->tcp->conns, -1u);
	if (net__tcp_is(tc, TCPF_RELEASED))
		plx_count(nl->tcp->orphans, -1u);
	plx_arena_free(&nl->tcp->arena, tc, sizeof(*tc));
}

void net__tcp_touch(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct net_tcp *t = nl->tcp;

	if (net__tcp_is(tc, TCPF_TOUCHED))
		return;
	*net__tcp_flags(tc) |= TCPF_TOUCHED;
	tc->next = NULL;
	*t->touched_end = tc;
	t->touched_end = &tc->next;
}

void net__tcp_forget(struct net_tcp *t)
{
	t->touched = NULL;
	t->touched_end = &t->touched;
	t->n_news = 0;
}

void net__tcp_note(struct net_lcore *nl, struct plx_net_tcp *tc, uint16_t events)
{
	uint32_t f = 0;

	if (events & PLX_TCP_EV_ESTABLISHED && !tc->c.passive)
		f |= TCPF_ESTABLISHED;
	if (events & (PLX_TCP_EV_ACKED | PLX_TCP_EV_ESTABLISHED))
		f |= TCPF_PROGRESS;
	if (plx_unlikely(events & PLX_TCP_EV_DOUBT))
		f |= TCPF_DOUBT;
	if (events & PLX_TCP_EV_READABLE)
		f |= TCPF_READABLE;
	if (plx_unlikely(events & PLX_TCP_EV_URGENT))
		f |= TCPF_URGENT;
	if (events & PLX_TCP_EV_FIN)
		f |= TCPF_FIN;
	if (plx_unlikely(tc->c.id.state == PLX_TCP_FIN_WAIT_2 && !net__tcp_is(tc, TCPF_FIN_TOLD)))
		f |= TCPF_FIN_ACKED | TCPF_FIN_TOLD;
	if (events & (PLX_TCP_EV_RESET | PLX_TCP_EV_CLOSED | PLX_TCP_EV_TIME_WAIT))
		f |= TCPF_OVER;
	*net__tcp_flags(tc) |= f;
	net__tcp_touch(nl, tc);
	if (net__tcp_is(tc, TCPF_EVENTS) && nl->tcp->n_news < PLX_DIM(nl->tcp->news))
		nl->tcp->news[nl->tcp->n_news++] = tc;
}

/* ---- serving ---- */

/* Is it this event's turn, and does its program still want to hear it? */
static bool due(struct plx_net_tcp *tc, uint32_t flag)
{
	if (!net__tcp_is(tc, flag))
		return false;
	*net__tcp_flags(tc) &= ~flag;
	return tc->ops && !net__tcp_is(tc, TCPF_RELEASED);
}

/* As Linux's sk_stream_is_writeable(): a third of it is free. */
static bool writable(const struct plx_net_tcp *tc)
{
	uint32_t room = plx_net_tcp_room(tc);

	return room && room >= plx_net_tcp_queued(tc) / 2;
}

static void tell(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct plx_softnet *sn = nl->sn;

	if (!net__tcp_is(tc, TCPF_EVENTS))
		return;
	if (plx_unlikely(due(tc, TCPF_ESTABLISHED)) && tc->ops->established)
		tc->ops->established(sn, tc);
	if (plx_unlikely(due(tc, TCPF_URGENT)) && tc->ops->urgent)
		tc->ops->urgent(sn, tc);
	if (due(tc, TCPF_READABLE) && tc->ops->readable)
		tc->ops->readable(sn, tc);
	if (plx_unlikely(due(tc, TCPF_FIN)) && tc->ops->peer_closed)
		tc->ops->peer_closed(sn, tc);
	if (net__tcp_is(tc, TCPF_WANTS_ROOM) && writable(tc) && due(tc, TCPF_WANTS_ROOM) &&
		tc->ops->writable)
		tc->ops->writable(sn, tc);
	if (plx_unlikely(due(tc, TCPF_FIN_ACKED)) && tc->ops->fin_acked)
		tc->ops->fin_acked(sn, tc);
	if (plx_unlikely(due(tc, TCPF_OVER)) && tc->ops->closed)
		tc->ops->closed(sn, tc, tc->c.id.state == PLX_TCP_TIME_WAIT ? 0 : tc->c.err);
}

/* It may be there twice: the second time there is nothing to tell. */
void net__tcp_tell(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;

	for (uint32_t i = 0; i < t->n_news; i++)
		tell(nl, t->news[i]);
	t->n_news = 0;
}

/* It may fire early, so it moves only when it has to fire earlier. */
static void rearm(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	plx_ns when = plx_tcp_deadline(&tc->c);

	if (plx_unlikely(net__tcp_is(tc, TCPF_NO_MEMORY)))
		when = PLX_MIN(when, nl->sn->now_ns + TCP_NOMEM_NS);
	if (when != PLX_NEVER && (!plx_timer_is_armed(&tc->timer) || when < tc->timer.when))
		plx_wheel_add(&nl->sn->wheel, &tc->timer, when);
}

static void serve(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct plx_tcp *c = &tc->c;
	bool all;

	tell(nl, tc);
	all = net__tcp_output(nl, tc);
	if (plx_unlikely(!all)) {
		nl->tcp->starved = true;
		net__tcp_touch(nl, tc);
	}
	if (plx_unlikely(c->id.state == PLX_TCP_FIN_WAIT_2 && c->orphan && all))
		net__tcp_time_wait(nl, tc);
	if (plx_unlikely(c->id.state == PLX_TCP_CLOSED && all))
		net__tcp_gone(nl, tc);
	if (plx_unlikely(net__tcp_is(tc, TCPF_GONE))) {
		if (net__tcp_is(tc, TCPF_RELEASED) && !net__tcp_is(tc, TCPF_TOUCHED))
			net__tcp_conn_free(nl, tc);
		return;
	}
	net__tcp_buf_idle(nl, tc);
	rearm(nl, tc);
}

/* Those that are touched meanwhile have their turn with the next call. */
void net__tcp_serve(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;
	struct plx_net_tcp *tc = t->touched;

	if (plx_unlikely(t->ctx.pressure))
		net__mem_look(nl);
	t->touched = NULL;
	t->touched_end = &t->touched;
	t->starved = false;
	while (tc) {
		struct plx_net_tcp *next = tc->next;

		*net__tcp_flags(tc) &= ~TCPF_TOUCHED;
		serve(nl, tc);
		tc = next;
	}
	t->n_news = 0; /* they are touched, and may be gone by then */
}

/* ---- TIME-WAIT ---- */

static void tw_rearm(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;
	const struct plx_tcp_tw *a = plx_list_first(&t->tw, struct plx_tcp_tw, of_age);
	const struct plx_tcp_tw *b = plx_list_first(&t->fin_wait_2, struct plx_tcp_tw, of_age);
	plx_ns when = PLX_MIN(a ? a->until_ns : PLX_NEVER, b ? b->until_ns : PLX_NEVER);

	if (when != PLX_NEVER && (!plx_timer_is_armed(&t->tw_timer) || when < t->tw_timer.when))
		plx_wheel_add(&nl->sn->wheel, &t->tw_timer, when);
}

void net__tcp_tw_moved(struct net_lcore *nl, struct plx_tcp_tw *w)
{
	plx_list_move_tail(w->fin_wait_2 ? &nl->tcp->fin_wait_2 : &nl->tcp->tw, &w->of_age);
	if (plx_unlikely(w->named) && plx_tcp_tw_stamped(w))
		net__tcp_named_wait(nl, &w->id, plx_tcp_tw_iss(w));
	tw_rearm(nl);
}

void net__tcp_time_wait(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	struct plx_tcp_tw *w;

	if (net__tcp_is(tc, TCPF_GONE))
		return;
	w = plx_arena_alloc(&nl->tcp->arena, sizeof(*w));
	if (w && plx_tcp_tw_init(w, &tc->c, nl->sn->now_ns) == 0) {
		plx_list_init(&w->of_age);
		w->named = net__tcp_is(tc, TCPF_NAMED);
		w->away = net__tcp_is(tc, TCPF_AWAY);
		*net__tcp_flags(tc) &= ~(TCPF_NAMED | TCPF_AWAY);
		net__tcp_tw_moved(nl, w);
	} else if (w) {
		plx_arena_free(&nl->tcp->arena, w, sizeof(*w));
	}
	net__tcp_gone(nl, tc); /* too many, or no memory: without (Linux says so, too) */
	net__tcp_touch(nl, tc);
}

void net__tcp_tw_end(struct net_lcore *nl, struct plx_tcp_tw *w)
{
	if (plx_unlikely(w->named))
		net__tcp_named_drop(nl, &w->id);
	if (plx_unlikely(w->away))
		net__tcp_away_drop(nl, &w->id);
	plx_tcp_tw_fini(&nl->tcp->ctx, w, nl->sn->now_ns);
	plx_list_del(&w->of_age);
	plx_arena_free(&nl->tcp->arena, w, sizeof(*w));
}

static void end_old(struct net_lcore *nl, struct plx_list *fifo)
{
	struct plx_tcp_tw *w;

	while ((w = plx_list_first(fifo, struct plx_tcp_tw, of_age)) &&
		w->until_ns <= nl->sn->now_ns)
		net__tcp_tw_end(nl, w);
}

/* ---- timers ---- */

void net__tcp_tw_timer(struct net_lcore *nl)
{
	end_old(nl, &nl->tcp->tw);
	end_old(nl, &nl->tcp->fin_wait_2);
	tw_rearm(nl);
}

void net__tcp_timer(struct net_lcore *nl, struct plx_timer *timer)
{
	struct plx_net_tcp *tc = plx_container_of(timer, struct plx_net_tcp, timer);
	plx_ns now = nl->sn->now_ns;

	if (plx_tcp_deadline(&tc->c) <= now) {
		net__tcp_note(nl, tc, plx_tcp_timer(&tc->c, now));
		/* Linux's tcp_out_of_resources() */
		if (net__tcp_is(tc, TCPF_RELEASED) && (tc->c.retransmits || tc->c.probes))
			net__tcp_check_orphan(nl, tc);
	} else if (net__tcp_is(tc, TCPF_NO_MEMORY)) {
		net__tcp_touch(nl, tc);
	}
	*net__tcp_flags(tc) &= ~TCPF_NO_MEMORY;
	if (!net__tcp_is(tc, TCPF_TOUCHED))
		rearm(nl, tc);
}

void net__tcp_req_rearm(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;
	plx_ns when = plx_tcp_req_deadline(&t->ctx);

	if (when != PLX_NEVER && (!plx_timer_is_armed(&t->req_timer) || when < t->req_timer.when))
		plx_wheel_add(&nl->sn->wheel, &t->req_timer, when);
}

void net__tcp_req_timer(struct net_lcore *nl)
{
	struct plx_tcp_ctx *ctx = &nl->tcp->ctx;
	plx_ns now = nl->sn->now_ns;
	struct plx_tcp_req *req;
	struct plx_tcp_tx tx;

	while ((req = plx_tcp_req_due(ctx, now))) {
		struct plx_tcp_path path = net__tcp_path(nl, &req->id, req->listener);

		switch (plx_tcp_req_timer(ctx, req, &path, now, &tx)) {
		case PLX_TCP_REQ_SEND:
			net__tcp_send_bare(nl, &req->id, req->listener, &tx);
			break;
		case PLX_TCP_REQ_OVER:
			plx_tcp_req_fini(ctx, req);
			break;
		case PLX_TCP_REQ_WAIT:
			break;
		}
	}
	net__tcp_req_rearm(nl);
}
