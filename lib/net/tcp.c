/* SPDX-License-Identifier: BSD-3-Clause */
#include "loan.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

/*
 * TCP as programs see it: connections, their bytes; and the life of an lcore's part.
 */

#define MEM_BYTES (32u << 20)
#define MEM_LEAST (1u << 20)

/* ---- an lcore's part ---- */

/* Behind the programs: an answer has the ACK of what it answers with it. */
static uint32_t tcp_run(struct plx_softnet *sn, void *arg)
{
	struct net_lcore *nl = arg;
	struct net_way way;

	if (plx_likely(!nl->tcp->touched))
		return 0;
	net__tcp_chunks_home(nl->tcp);
	net__way_begin(nl, &way, NULL);
	net__begin(nl);
	net__tcp_tell(nl);
	net__tcp_serve(nl);
	nl->way = NULL;
	return !nl->tcp->starved; /* more passes will not find what it lacks */
}

static plx_ns tcp_deadline(struct plx_softnet *sn, void *arg)
{
	const struct net_tcp *t = ((struct net_lcore *)arg)->tcp;

	if (plx_likely(!t->touched))
		return PLX_NEVER;
	return t->starved ? sn->now_ns + TCP_RETRY_NS : 0;
}

/* What other lcores want to know of our ports. */
static bool alloc_ports(struct net_tcp *t)
{
	t->uses = calloc(1, sizeof(*t->uses));
	t->away_n = calloc(65536, sizeof(*t->away_n));
	return t->uses && t->away_n;
}

struct net_tcp *net__tcp_new(struct net_lcore *nl)
{
	struct net_tcp *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (nl->net->n_lcores > 1 && !alloc_ports(t)) {
		net__tcp_free(t);
		return NULL;
	}
	t->ctx.tun = nl->net->tun;
	t->ctx.stat = plx_acct[nl->sn->lcore].stat;
	t->ctx.mem = &t->arena;
	t->ctx.seed = nl->net->tcp_seed;
	plx_tcp_ctx_init(&t->ctx);
	t->lcore = nl->sn->lcore;
	t->mbuf_room = rte_pktmbuf_data_room_size(nl->sn->pool) - RTE_PKTMBUF_HEADROOM;
	t->lends = rte_eal_iova_mode() == RTE_IOVA_VA; /* else a chunk may lie on two pages */
	plx_mpsc_init(&t->home);
	net__tcp_forget(t);
	t->from = &t->spare;
	plx_list_init(&t->gone);
	plx_list_init(&t->listeners);
	plx_list_init(&t->tw);
	plx_list_init(&t->fin_wait_2);
	t->req_timer.kind = NET_TIMER_TCP_REQ;
	t->tw_timer.kind = NET_TIMER_TCP_TW;
	t->poller = (struct plx_poller){.run = tcp_run, .deadline = tcp_deadline, .arg = nl};
	return t;
}

void net__tcp_free(struct net_tcp *t)
{
	if (!t)
		return;
	plx_tcp_table_destroy(t->ctx.table);
	if (t->mem) {
		net__tcp_chunks_home(t);
		plx_arena_fini(&t->arena);
	}
	rte_free(t->mem);
	free(t->uses);
	free(t->away_n);
	free(t);
}

/* What there is, is for all: where it does not grow, an lcore leaves as much for each one to come.
 */
static size_t share(const struct net_lcore *nl, size_t bytes)
{
	uint32_t sharers = nl->net->n_lcores - nl->sn->index;
	struct rte_malloc_socket_stats s;

	if (rte_eal_has_hugepages() ||
		rte_malloc_get_socket_stats((int)rte_lcore_to_socket_id(nl->sn->lcore), &s) != 0)
		return bytes;
	while (bytes > MEM_LEAST && bytes > s.heap_freesz_bytes / sharers)
		bytes /= 2;
	return bytes;
}

int net__tcp_mem(struct net_lcore *nl)
{
	struct plx_net *net = nl->net;
	struct net_tcp *t = nl->tcp;
	size_t bytes = share(nl, net->conf.tcp_bytes ? net->conf.tcp_bytes : MEM_BYTES);
	struct plx_tcp_table_conf tc = {.mem = &t->arena, .uses = t->uses};

	if (t->mem)
		return 0;
	for (; bytes >= MEM_LEAST && !t->mem; bytes /= 2) {
		t->mem = plx_pkt_mem_alloc(bytes, (int)rte_lcore_to_socket_id(nl->sn->lcore));
		if (t->mem && plx_arena_init(&t->arena, t->mem, bytes) != 0)
			abort(); /* never: it is more than one block */
	}
	if (!t->mem)
		return -ENOMEM;
	tc.seed[0] = plx_hash_words(net->key, &net->tcp_seed, 1);
	tc.seed[1] = plx_hash_words(net->key, tc.seed, 1) ^ nl->sn->index;
	t->ctx.table = plx_tcp_table_create(&tc);
	if (!t->ctx.table)
		return -ENOMEM;
	net__mem_there(nl);
	return 0;
}

void net__tcp_attach(struct net_lcore *nl)
{
	plx_softnet_add_poller(nl->sn, &nl->tcp->poller);
}

void net__tcp_start(struct net_lcore *nl)
{
	net__mem_start(nl);
}

/* Its program hears of it, its peer too if there is an mbuf to say it in. */
static void end_conn(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (!net__tcp_is(tc, TCPF_RELEASED) && tc->ops && tc->ops->closed)
		tc->ops->closed(nl->sn, tc, ESHUTDOWN);
	if (!net__tcp_is_over(tc))
		plx_tcp_abort(&tc->c, nl->sn->now_ns);
	net__tcp_output(nl, tc);
}

/* There are no mbufs at hand any more: its peer hears nothing. */
void net__tcp_stop_one(struct net_lcore *nl, struct plx_net_tcp *tc)
{
	if (!net__tcp_is(tc, TCPF_RELEASED))
		tc->ops->arrive(nl->sn, tc);
	if (!net__tcp_is(tc, TCPF_RELEASED) && tc->ops->closed) /* nor by that */
		tc->ops->closed(nl->sn, tc, ESHUTDOWN);
	net__tcp_conn_free(nl, tc);
	net__tcp_forget(nl->tcp); /* nobody is served any more */
}

static void free_any(struct net_lcore *nl, struct plx_tcp_id *id)
{
	if (id->kind == PLX_TCP_KIND_CONN)
		net__tcp_conn_free(nl, net__tcp_of(id));
	else if (id->kind == PLX_TCP_KIND_REQ)
		plx_tcp_req_fini(&nl->tcp->ctx, plx_container_of(id, struct plx_tcp_req, id));
	else
		net__tcp_tw_end(nl, plx_container_of(id, struct plx_tcp_tw, id));
}

/* None is freed before all have been told: what they do then may be about another. */
static void end_all(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;
	struct plx_net_tcp *tc;
	struct plx_tcp_id *id;
	uint64_t cursor = 0;

	net__tcp_tell(nl);
	net__tcp_serve(nl);
	while (plx_tcp_table_next(t->ctx.table, &cursor, &id))
		if (id && id->kind == PLX_TCP_KIND_CONN)
			end_conn(nl, net__tcp_of(id));
	plx_list_foreach (tc, &t->gone, timer.node)
		end_conn(nl, tc);
	for (cursor = 0; plx_tcp_table_next(t->ctx.table, &cursor, &id);)
		if (id)
			free_any(nl, id);
	while ((tc = plx_list_first(&t->gone, struct plx_net_tcp, timer.node)))
		net__tcp_conn_free(nl, tc);
	net__tcp_forget(t);
}

void net__tcp_stop(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;

	t->stopping = true;
	if (t->ctx.table)
		end_all(nl);
	plx_wheel_del(&nl->sn->wheel, &t->req_timer);
	plx_wheel_del(&nl->sn->wheel, &t->tw_timer);
	rte_pktmbuf_free_bulk(t->spare.m, t->spare.n);
	rte_pktmbuf_free_bulk(t->lent.m, t->lent.n);
	rte_pktmbuf_free_bulk(t->last.m, t->last.n);
	t->spare.n = t->lent.n = t->last.n = 0;
}

/* ---- connections ---- */

void plx_net_tcp_take(struct plx_net_tcp *c, const struct plx_net_tcp_ops *ops, void *user)
{
	c->ops = ops;
	c->user = user;
}

void *plx_net_tcp_user(const struct plx_net_tcp *c)
{
	return c->user;
}

uint32_t plx_net_tcp_queued(const struct plx_net_tcp *c)
{
	return plx_tcp_unacked(&c->c) + (c->buf ? c->buf->extra : 0);
}

uint32_t plx_net_tcp_room(const struct plx_net_tcp *c)
{
	uint32_t most = plx_tcp_sndbuf(&c->c), used = plx_net_tcp_queued(c);

	switch (c->c.id.state) {
	case PLX_TCP_ESTABLISHED:
	case PLX_TCP_CLOSE_WAIT:
		return most > used ? most - used : 0;
	default:
		return 0;
	}
}

/* Of n bytes there was room for part, and memory for done. What is cut short is pushed: the rest
 * may be long in coming. */
static void appended(struct net_lcore *nl, struct plx_net_tcp *c, uint32_t n, uint32_t part,
	uint32_t done, bool more)
{
	if (done < n)
		*net__tcp_flags(c) |= TCPF_WANTS_ROOM | (done < part ? TCPF_NO_MEMORY : 0);
	if (done && more && done == n)
		plx_tcp_wrote_more(&c->c, done, nl->sn->now_ns);
	else if (done)
		plx_tcp_wrote(&c->c, done, nl->sn->now_ns);
	if (done || net__tcp_is(c, TCPF_NO_MEMORY))
		net__tcp_touch(nl, c);
}

static uint32_t append(
	struct plx_softnet *sn, struct plx_net_tcp *c, const void *data, uint32_t n, bool more)
{
	struct net_lcore *nl = net__self(sn);
	uint32_t part = PLX_MIN(n, plx_net_tcp_room(c));
	uint32_t done = part ? net__tcp_append(nl, c, data, part) : 0;

	appended(nl, c, n, part, done, more);
	return done;
}

int plx_net_tcp_send(struct plx_softnet *sn, struct plx_net_tcp *c, struct rte_mbuf *m, bool more,
	const struct plx_net_done *done)
{
	struct net_lcore *nl = net__self(sn);
	struct net_loan *l = NULL;
	uint32_t n = m->pkt_len;

	if (n > PLX_NET_LEND_BYTES || m->nb_segs > PLX_NET_LEND_SEGS)
		return -EMSGSIZE;
	if (!net__loan_sane(m))
		return -EINVAL;
	if (plx_net_tcp_room(c)) {
		l = net__loan_new(nl, done);
		if (l)
			l->charge += net__loan_charge(m) - n;
		if (l && net__tcp_append_chain(nl, c, l, m) != 0) {
			net__loan_cancel(l);
			l = NULL;
		}
		appended(nl, c, n, n, l ? n : 0, more);
	} else {
		appended(nl, c, 1, 0, 0, more);
	}
	if (!l)
		return -EAGAIN;
	l->m = m;
	plx_pkt_loan_put(&l->pkt);
	return 0;
}

uint32_t plx_net_tcp_lend(struct plx_softnet *sn, struct plx_net_tcp *c, const void *p,
	rte_iova_t iova, uint32_t n, bool more, const struct plx_net_done *done)
{
	struct net_lcore *nl = net__self(sn);
	uint32_t part = PLX_MIN(PLX_MIN(n, PLX_NET_LEND_BYTES), plx_net_tcp_room(c));
	struct net_loan *l = part ? net__loan_new(nl, done) : NULL;

	if (l && net__tcp_append_lent(nl, c, l, p, iova, part) != 0) {
		net__loan_cancel(l);
		l = NULL;
	}
	appended(nl, c, n, part, l ? part : 0, more);
	if (!l)
		return 0;
	plx_pkt_loan_put(&l->pkt);
	return part;
}

uint32_t plx_net_tcp_write(
	struct plx_softnet *sn, struct plx_net_tcp *c, const void *data, uint32_t n)
{
	return append(sn, c, data, n, false);
}

uint32_t plx_net_tcp_write_more(
	struct plx_softnet *sn, struct plx_net_tcp *c, const void *data, uint32_t n)
{
	return append(sn, c, data, n, true);
}

void plx_net_tcp_want_room(struct plx_net_tcp *c)
{
	*net__tcp_flags(c) |= TCPF_WANTS_ROOM;
}

uint32_t plx_net_tcp_readable(const struct plx_net_tcp *c)
{
	return plx_tcp_readable(&c->c);
}

uint32_t plx_net_tcp_rmem(const struct plx_net_tcp *c)
{
	return c->c.rcv.room;
}

uint32_t plx_net_tcp_wmem(const struct plx_net_tcp *c)
{
	return c->buf ? c->buf->n * (uint32_t)sizeof(struct net_tcp_chunk) : 0;
}

static void was_read(struct net_lcore *nl, struct plx_net_tcp *c, uint32_t n)
{
	plx_tcp_read(&c->c, n, nl->sn->now_ns);
	net__tcp_touch(nl, c);
}

uint32_t plx_net_tcp_read(struct plx_softnet *sn, struct plx_net_tcp *c, void *data, uint32_t n)
{
	struct net_lcore *nl = net__self(sn);
	uint32_t done = net__tcp_in_copy(nl, c, data, n);

	if (done)
		was_read(nl, c, done);
	return done;
}

uint32_t plx_net_tcp_skip(struct plx_softnet *sn, struct plx_net_tcp *c, uint32_t n)
{
	return plx_net_tcp_read(sn, c, NULL, n);
}

uint32_t plx_net_tcp_peek(const struct plx_net_tcp *c, uint32_t off, void *data, uint32_t n)
{
	return net__tcp_in_peek(c, off, data, n);
}

struct rte_mbuf *plx_net_tcp_recv(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct net_lcore *nl = net__self(sn);
	struct rte_mbuf *m = net__tcp_in_pop(nl, c);

	if (m)
		was_read(nl, c, m->pkt_len);
	return m;
}

void plx_net_tcp_shutdown(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	plx_tcp_shutdown(&c->c, sn->now_ns);
	net__tcp_touch(net__self(sn), c);
}

static void release(struct net_lcore *nl, struct plx_net_tcp *c)
{
	net__tcp_orphan(nl, c);
	net__tcp_in_drop(nl, c);
	net__tcp_touch(nl, c);
}

void plx_net_tcp_close(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct net_lcore *nl = net__self(sn);

	if (c->c.id.state != PLX_TCP_CLOSED)
		plx_tcp_close(&c->c, sn->now_ns);
	release(nl, c);
	net__tcp_check_orphan(nl, c);
}

void plx_net_tcp_abort(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	if (c->c.id.state != PLX_TCP_CLOSED)
		plx_tcp_abort(&c->c, sn->now_ns);
	release(net__self(sn), c);
}

void plx_net_tcp_set_min_ttl(struct plx_net_tcp *c, bool on)
{
	if (on)
		*net__tcp_flags(c) |= TCPF_MIN_TTL;
	else
		*net__tcp_flags(c) &= ~TCPF_MIN_TTL;
}

void plx_net_tcp_set_ip(struct plx_net_tcp *c, uint8_t ttl, uint8_t tos)
{
	net__tcp_set_ip(c, ttl, tos);
}

struct plx_tcp *plx_net_tcp_tcb(struct plx_net_tcp *c)
{
	return &c->c;
}

void plx_net_tcp_push(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	net__tcp_touch(net__self(sn), c);
}
