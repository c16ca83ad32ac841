/* SPDX-License-Identifier: BSD-3-Clause */
#include "arfs.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Buckets move with their connections, of UDP too, from the lcore that owns them (old) to another
 * one (new):
 *
 *   control                         old                          new
 *   tell, that it parks        -------------------------------->  packets of these buckets wait
 *   change the map; until all lcores have passed a
 *   quiescent state: then none hands packets to old any more
 *   tell, that it ships        --->  behind the packets that were
 *                                    handed to it, and when it has
 *                                    sent what it had to send:
 *                                    records, out of its table --->  copies them into its own
 *                                    frees them                <---
 *                                    ... no more               --->  what waits goes on, in order
 *   the next one               <---------------------------------
 *
 * So each packet of a flow is seen behind those before it, and none is lost while there is room for
 * those that wait. What stays (its program does not let it go, or new has no memory) is `away`
 * (tcp_away.c) from then on. The records themselves: move_records.c, move_udp.c.
 *
 * Near that bound (`full`) the move is abandoned: old ships no more, but looks through what it has
 * left, so that it stays as the above. Handshakes go on: nobody would know where they are. Then new
 * opens. A flow's packets have waited until it was settled where it is, so they are in order all
 * the same; the look is the last one, so it ends; and the map stays as it is: flipped back, it
 * would be another move, of what has gone.
 *
 * One move at a time, of a few buckets from one lcore to one other, or of a few single flows, whose
 * overrides (flow.c) are set, or cleared, in place of the map. Text is not copied: received
 * text is in mbufs, whose pools take them back from anywhere; text to be sent is in chunks of old's
 * arena, which go home by themselves.
 */

#define MOVE_TX_NS    PLX_MS(10) /* so long a driver is waited for that takes nothing */
#define MOVE_CHECK_NS PLX_US(20)

static bool has_bucket(const struct net_move_set *s, uint16_t bucket)
{
	return s->bucket[bucket / 64] >> bucket % 64 & 1;
}

/* @return its place among the flows of a set; -1: it is none of them. */
static int flow_in(const struct net_move_set *s, uint32_t hash)
{
	for (uint16_t i = 0; i < s->n_flows; i++)
		if (s->flow[i] == hash)
			return i;
	return -1;
}

static bool has(
	const struct plx_net *net, const struct net_move_set *s, const struct plx_tcp_id *id)
{
	uint32_t hash = net__tcp_hash(net, id);

	if (s->n_flows)
		return flow_in(s, hash) >= 0;
	return has_bucket(s, plx_steer_owner_bucket(&net->owners, hash)) &&
	       plx_steer_flows_find(&net->flows, hash) == PLX_STEER_NO_LCORE;
}

bool net__move_goes(const struct net_lcore *nl, const struct plx_tcp_id *key)
{
	return has(nl->net, &nl->net->moves->set, key);
}

bool net__move_comes(const struct net_lcore *nl, const struct plx_tcp_id *id)
{
	return plx_unlikely(nl->parks) && has(nl->net, &nl->mover->coming, id);
}

void net__move_came(struct net_lcore *nl, const struct plx_tcp_id *id)
{
	int flow = flow_in(&nl->mover->coming, net__tcp_hash(nl->net, id));

	if (flow >= 0)
		nl->mover->came |= UINT32_C(1) << flow;
}

/* ---- packets that wait: new ---- */

static void keep(struct net_mover *mv, struct rte_mbuf *m)
{
	plx_pkt_meta(m)->next = NULL;
	if (mv->head)
		plx_pkt_meta(mv->tail)->next = m;
	else
		mv->head = m;
	mv->tail = m;
	plx_count(mv->n, 1);
	plx_count(mv->held, plx_pkt_wire(m));
	plx_count(mv->parked, plx_pkt_wire(m));
}

static struct rte_mbuf *unkeep(struct net_mover *mv)
{
	struct rte_mbuf *m = mv->head;

	mv->head = plx_pkt_meta(m)->next;
	plx_count(mv->n, -1u);
	plx_count(mv->held, -(uint64_t)plx_pkt_wire(m));
	return m;
}

/* The old owner has handed over what is for it: this is not to happen. */
static void late(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	plx_count(nl->mover->reordered, plx_pkt_wire(m));
	net__hand(nl, m, rx, nl->net->moves->to);
}

/* Near the bound old is asked to make an end of it. */
static bool has_room(struct net_lcore *nl)
{
	uint32_t most = PLX_MIN(MOVE_PARK_MAX, nl->spare_mbufs / 4);

	if (plx_unlikely(nl->mover->n >= most - most / 4))
		__atomic_store_n(&nl->net->moves->full, true, __ATOMIC_RELEASE);
	return nl->mover->n < most;
}

bool net__move_wait(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_tcp_id *key)
{
	struct net_mover *mv = nl->mover;

	if (mv->opens || !has(nl->net, &mv->coming, key))
		return false;
	if (!has_room(nl)) {
		plx_count(mv->dropped, plx_pkt_wire(m));
		plx_pkt_drop(m, PLX_DROP_MOVE_FULL);
		return true;
	}
	net__stage_again(m, rx);
	keep(mv, m);
	return true;
}

bool net__move_park(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_tcp_id *key)
{
	struct plx_tcp_table *table = nl->tcp->ctx.table;

	if (plx_unlikely(nl->mover->ships) && net__move_goes(nl, key) &&
		!(table && plx_tcp_table_lookup(table, key))) {
		late(nl, m, rx);
		return true;
	}
	return net__move_wait(nl, m, rx, key);
}

bool net__move_park_error(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	const struct plx_tuple *quoted)
{
	const struct plx_tcp_id key = {.laddr = quoted->src,
		.raddr = quoted->dst,
		.lport = quoted->sport,
		.rport = quoted->dport};

	return net__move_wait(nl, m, rx, &key);
}

/* What comes meanwhile waits behind them. @return how many went on. */
static uint32_t open_some(struct net_lcore *nl)
{
	struct net_mover *mv = nl->mover;
	struct rte_mbuf *pkts[PLX_PORT_BURST];
	uint16_t n = 0;

	while (mv->head && n < PLX_DIM(pkts))
		pkts[n++] = unkeep(mv);
	mv->opens = true;
	if (n)
		net__backlog(nl, pkts, n);
	mv->opens = false;
	return n;
}

/* ---- batches ---- */

static void batch_back(struct plx_softnet *sn, struct plx_msg *msg);

static void batch_come(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_move_batch *b = plx_container_of(msg, struct net_move_batch, msg);
	struct net_lcore *nl = net__self(sn);
	bool can = !nl->stopped && (b->udp || net__tcp_mem(nl) == 0);

	net__begin(nl);
	for (uint32_t i = 0; i < b->n; i++)
		b->taken[i] = can && (b->udp ? net__move_udp_adopt(nl, b->sock[i])
					     : net__move_adopt(nl, b->id[i]));
	b->msg.fn = batch_back;
	plx_softnet_post(nl->net->lcore[nl->net->moves->from]->sn, &b->msg);
}

static void back(struct net_lcore *nl, struct net_move_batch *b, uint32_t i)
{
	if (b->udp)
		net__move_udp_come_back(nl, b->sock[i], b->taken[i]);
	else if (plx_unlikely(nl->stopped && !b->taken[i] && b->id[i]->kind == PLX_TCP_KIND_CONN))
		/* nobody runs any more: it is ended, as those that were in the table then */
		net__tcp_stop_one(nl, net__tcp_of(b->id[i]));
	else
		net__move_come_back(nl, b->id[i], b->taken[i]);
}

static void batch_back(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_move_batch *b = plx_container_of(msg, struct net_move_batch, msg);
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	for (uint32_t i = 0; i < b->n; i++)
		back(nl, b, i);
	b->n = 0;
}

/* ---- shipping: old ---- */

static void do_open(struct plx_softnet *sn, struct plx_msg *msg);

static void look_anew(struct net_lcore *nl)
{
	struct net_mover *mv = nl->mover;

	mv->cursor = 0;
	mv->again = false;
	mv->shape = plx_tcp_table_shape(nl->tcp->ctx.table);
}

/* New has little room left: what has not gone stays. */
static void see_end(struct net_lcore *nl, const struct net_moves *ms)
{
	struct net_mover *mv = nl->mover;

	if (plx_likely(mv->gives_up || !__atomic_load_n(&ms->full, __ATOMIC_ACQUIRE)))
		return;
	mv->gives_up = true;
	plx_count(mv->abandoned, 1);
}

static uint32_t looks(const struct net_mover *mv)
{
	return mv->gives_up ? MOVE_LOOK_LAST : MOVE_LOOK;
}

/* Up to a batch of what is left. @return false: there is nothing. */
static bool gather(struct net_lcore *nl, struct net_moves *ms)
{
	struct plx_tcp_table *table = nl->tcp->ctx.table;
	struct net_mover *mv = nl->mover;
	struct net_move_batch *b = &ms->batch;
	struct plx_tcp_id *id;

	if (net__move_udp_gather(nl, b))
		return true;
	if (!table)
		return false;
	for (uint32_t i = 0; i < looks(mv) && b->n < MOVE_BATCH; i++) {
		if (!plx_tcp_table_next(table, &mv->cursor, &id)) {
			/* one may have been moved to where we had been */
			bool again = mv->again || mv->shape != plx_tcp_table_shape(table);

			look_anew(nl);
			return again || b->n;
		}
		if (id && has(nl->net, &ms->set, id) && net__move_leave(nl, id))
			b->id[b->n++] = id;
	}
	return true;
}

/* What has been sent, to ourselves too, is out of our hands. */
static bool is_out(struct net_lcore *nl)
{
	return (plx_softnet_flush(nl->sn) && !nl->loop_n) ||
	       nl->sn->now_ns >= nl->mover->since + MOVE_TX_NS;
}

/* ---- where others send for old ---- */

/* The first lcore from this one on by which old sends; n_lcores: none. */
static uint16_t via(const struct net_moves *ms, uint16_t lcore)
{
	const struct plx_net *net = ms->net;
	const struct plx_softnet *old = net->lcore[ms->from]->sn;

	for (; lcore < net->n_lcores; lcore++)
		for (uint16_t port = 0; port < PLX_PORT_MAX; port++)
			if (plx_engine_has_port(net->eng, port) && !old->txq[port] &&
				old->tx_via[port] == lcore)
				return lcore;
	return lcore;
}

static void do_pass(struct plx_softnet *sn, struct plx_late_msg *late_msg);

/* The batch goes past all lcores that may have packets of old, behind these, and then to new. */
static void pass_on(struct net_moves *ms, uint16_t lcore)
{
	lcore = via(ms, lcore);
	if (lcore == ms->net->n_lcores) {
		ms->batch.msg.fn = batch_come;
		plx_softnet_post(ms->net->lcore[ms->to]->sn, &ms->batch.msg);
		return;
	}
	ms->late.fn = do_pass;
	plx_softnet_post_late(ms->net->lcore[lcore]->sn, &ms->late);
}

static void do_pass(struct plx_softnet *sn, struct plx_late_msg *late_msg)
{
	struct net_moves *ms = plx_container_of(late_msg, struct net_moves, late);

	if (!plx_softnet_flush(sn) && sn->now_ns < ms->since + MOVE_TX_NS)
		plx_softnet_post_late(sn, &ms->late);
	else
		pass_on(ms, (uint16_t)(sn->index + 1));
}

static uint32_t ship(struct net_lcore *nl)
{
	struct net_moves *ms = nl->net->moves;
	struct plx_softnet *to = nl->net->lcore[ms->to]->sn;

	if (ms->batch.n || !is_out(nl)) /* under way, or not to be overtaken */
		return 0;
	net__begin(nl);
	see_end(nl, ms);
	if (!gather(nl, ms)) {
		nl->mover->ships = false;
		nl->parks = false;
		ms->msg.fn = do_open;
		plx_softnet_post(to, &ms->msg);
	} else if (ms->batch.n) {
		ms->since = nl->sn->now_ns;
		pass_on(ms, 0);
	}
	return 1;
}

static void do_ship(struct plx_softnet *sn, struct plx_late_msg *late_msg)
{
	struct net_lcore *nl = net__self(sn);
	struct net_mover *mv = nl->mover;

	mv->ships = true;
	mv->gives_up = false;
	nl->parks = true;
	mv->since = sn->now_ns;
	net__move_udp_begin(nl);
	if (nl->tcp->ctx.table)
		look_anew(nl);
}

/* ---- steps ---- */

static void next(struct net_moves *ms);

static void do_done(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_moves *ms = plx_container_of(msg, struct net_moves, msg);

	ms->step = MOVE_IDLE;
	next(ms);
}

/* New has all: what waits may go on. */
static void do_open(struct plx_softnet *sn, struct plx_msg *msg)
{
	net__self(sn)->mover->opening = true;
}

static void opened(struct net_lcore *nl)
{
	struct net_moves *ms = nl->net->moves;
	struct net_mover *mv = nl->mover;

	mv->opening = false;
	nl->parks = false;
	for (uint16_t i = 0; i < mv->coming.n_flows; i++)
		if (!(mv->came >> i & 1))
			net__flow_missed(nl, mv->coming.flow[i]);
	mv->coming = (struct net_move_set){0};
	ms->msg.fn = do_done;
	plx_softnet_post(nl->net->lcore[0]->sn, &ms->msg);
}

static void do_parks(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_moves *ms = plx_container_of(msg, struct net_moves, msg);

	for (uint16_t i = 0; i < ms->net->owners.size; i++)
		if (has_bucket(&ms->set, i))
			plx_steer_owner_set(&ms->net->owners, i, ms->to);
	net__flows_flip(ms);
	ms->token = rte_rcu_qsbr_start(plx_engine_rcu(ms->net->eng));
	ms->step = MOVE_FLIPPED;
}

static void do_park(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_moves *ms = plx_container_of(msg, struct net_moves, msg);
	struct net_lcore *nl = net__self(sn);

	nl->mover->coming = ms->set;
	nl->mover->came = 0;
	nl->parks = true;
	ms->msg.fn = do_parks;
	plx_softnet_post(ms->net->lcore[0]->sn, &ms->msg);
}

/* The first that goes, and some that go the same way. */
static bool choose(struct net_moves *ms)
{
	const struct plx_owner_map *now = &ms->net->owners;
	uint32_t n = 0, go = 0;

	ms->set = (struct net_move_set){0};
	for (uint16_t i = 0; i < now->size; i++) {
		if (ms->want[i] == now->lcore[i])
			continue;
		if (n == 0) {
			ms->from = now->lcore[i];
			ms->to = ms->want[i];
		}
		if (ms->from == now->lcore[i] && ms->to == ms->want[i] && go < MOVE_BUCKETS) {
			ms->set.bucket[i / 64] |= UINT64_C(1) << i % 64;
			go++;
		}
		n++;
	}
	if (!n && net__flows_choose(ms))
		n = ms->set.n_flows;
	__atomic_store_n(&ms->waiting, n, __ATOMIC_RELEASE);
	return n;
}

static void next(struct net_moves *ms)
{
	if (ms->step != MOVE_IDLE || plx_engine_stopping(ms->net->eng) || !choose(ms))
		return;
	ms->step = MOVE_PARKING;
	ms->full = false;
	ms->msg.fn = do_park;
	plx_softnet_post(ms->net->lcore[ms->to]->sn, &ms->msg);
}

/* ---- pollers ---- */

static uint32_t check(struct net_moves *ms)
{
	if (rte_rcu_qsbr_check(plx_engine_rcu(ms->net->eng), ms->token, false) != 1)
		return 0;
	ms->step = MOVE_SHIPPING;
	ms->late.fn = do_ship;
	plx_softnet_post_late(ms->net->lcore[ms->from]->sn, &ms->late);
	return 1;
}

static uint32_t run(struct plx_softnet *sn, void *arg)
{
	struct net_lcore *nl = arg;
	struct net_moves *ms = nl->net->moves;
	uint32_t work = 0;

	if (plx_unlikely(nl->control && ms->step == MOVE_FLIPPED))
		work += check(ms);
	if (plx_likely(!nl->parks))
		return work;
	if (nl->mover->ships)
		work += ship(nl);
	if (!nl->mover->opening)
		return work;
	work += open_some(nl);
	if (!nl->mover->head)
		opened(nl);
	return work;
}

static plx_ns deadline(struct plx_softnet *sn, void *arg)
{
	const struct net_lcore *nl = arg;

	if (plx_unlikely(nl->control && nl->net->moves->step == MOVE_FLIPPED))
		return sn->now_ns + MOVE_CHECK_NS;
	if (plx_likely(!nl->parks))
		return PLX_NEVER;
	if (nl->mover->opening)
		return 0;
	return nl->mover->ships ? sn->now_ns + MOVE_CHECK_NS : PLX_NEVER;
}

/* ---- life ---- */

int net__move_new(struct plx_net *net)
{
	net->moves = calloc(1, sizeof(*net->moves));
	if (!net->moves)
		return -ENOMEM;
	net->moves->net = net;
	memcpy(net->moves->want, net->owners.lcore, sizeof(net->moves->want));
	for (uint16_t i = 0; i < net->n_lcores; i++) {
		net->moves->weight[i] = 1;
		net->lcore[i]->mover = calloc(1, sizeof(*net->lcore[i]->mover));
		if (!net->lcore[i]->mover)
			return -ENOMEM;
		plx_list_init(&net->lcore[i]->mover->udp_left);
		net->lcore[i]->bucket_pkts = net->lcore[i]->mover->bucket_pkts;
	}
	return 0;
}

void net__move_free(struct plx_net *net)
{
	for (uint16_t i = 0; i < net->n_lcores; i++)
		if (net->lcore[i])
			free(net->lcore[i]->mover);
	free(net->moves);
}

void net__move_start(struct net_lcore *nl)
{
	struct plx_poller *p = &nl->mover->poller;

	if (nl->net->n_lcores == 1)
		return;
	*p = (struct plx_poller){.run = run, .deadline = deadline, .arg = nl};
	plx_softnet_add_poller(nl->sn, p);
}

void net__move_stop(struct net_lcore *nl)
{
	struct net_mover *mv = nl->mover;

	while (mv->head)
		plx_pkt_drop(unkeep(mv), PLX_DROP_STOPPED);
	nl->parks = mv->ships = mv->opening = false;
}

/* ---- wishes ---- */

bool net__move_pending(const struct plx_net *net, uint16_t bucket)
{
	const struct net_moves *ms = net->moves;

	return ms->want[bucket] != net->owners.lcore[bucket] ||
	       (ms->step != MOVE_IDLE && has_bucket(&ms->set, bucket));
}

void net__move_bucket(struct plx_net *net, uint16_t bucket, uint16_t lcore)
{
	net->moves->want[bucket] = lcore;
}

void net__move_begin(struct plx_net *net)
{
	next(net->moves);
}

struct wish {
	struct plx_net *net;
	const uint16_t *lcore;
	const uint16_t *weight; /* of all lcores; NULL: as they were */
};

static void take_wish(struct plx_softnet *sn, void *arg)
{
	const struct wish *w = arg;
	struct net_moves *ms = w->net->moves;

	memcpy(ms->want, w->lcore, w->net->owners.size * sizeof(*ms->want));
	if (w->weight) {
		memcpy(ms->weight, w->weight, sizeof(ms->weight));
		net__flows_leave(w->net);
	}
	next(ms);
}

static bool can_move(const struct plx_net *net)
{
	return net->n_lcores > 1 && net__tun(net, PLX_TUN_SOFT_STEER);
}

static int make(struct plx_net *net, const struct wish *w)
{
	struct wish now = *w;

	if (!can_move(net))
		return -EOPNOTSUPP;
	return plx_softnet_call(net->lcore[0]->sn, take_wish, &now);
}

int plx_net_owners_set(struct plx_net *net, const uint16_t *lcore, uint16_t n)
{
	const struct wish w = {.net = net, .lcore = lcore};

	if (n != net->owners.size)
		return -EINVAL;
	for (uint16_t i = 0; i < n; i++)
		if (lcore[i] >= net->n_lcores)
			return -EINVAL;
	return make(net, &w);
}

struct one {
	struct plx_net *net;
	uint16_t bucket, lcore;
};

static void take_one(struct plx_softnet *sn, void *arg)
{
	const struct one *o = arg;

	net__move_bucket(o->net, o->bucket, o->lcore);
	net__move_begin(o->net);
}

int plx_net_owner_set(struct plx_net *net, uint16_t bucket, uint16_t lcore)
{
	struct one o = {net, bucket, lcore};

	if (bucket >= net->owners.size || lcore >= net->n_lcores)
		return -EINVAL;
	if (!can_move(net))
		return -EOPNOTSUPP;
	return plx_softnet_call(net->lcore[0]->sn, take_one, &o);
}

int plx_net_owners_share(
	struct plx_net *net, const uint16_t *lcore, const uint32_t *weight, uint16_t n)
{
	uint16_t want[PLX_OWNER_BUCKETS_MAX], weights[PLX_ENGINE_LCORES_MAX] = {0};
	const struct wish w = {.net = net, .lcore = want, .weight = weights};
	struct plx_owner_map now = {.size = net->owners.size};

	plx_net_owners_get(net, now.lcore);
	for (uint16_t i = 0; i < n; i++) {
		if (lcore[i] >= net->n_lcores || (weight && weight[i] > PLX_BALANCE_WEIGHT_MAX))
			return -EINVAL;
		weights[lcore[i]] = weight ? (uint16_t)weight[i] : 1;
	}
	if (plx_steer_owner_share(&now, want, lcore, weight, n) != 0)
		return -EINVAL;
	return make(net, &w);
}

void plx_net_owners_get(const struct plx_net *net, uint16_t *lcore)
{
	for (uint16_t i = 0; i < net->owners.size; i++)
		lcore[i] = __atomic_load_n(&net->owners.lcore[i], __ATOMIC_RELAXED);
}

uint16_t plx_net_buckets(const struct plx_net *net)
{
	return net->owners.size;
}

void plx_net_moves_get(const struct plx_net *net, struct plx_net_moves *m)
{
	*m = (struct plx_net_moves){
		.waiting = __atomic_load_n(&net->moves->waiting, __ATOMIC_ACQUIRE)};
	net__flows_get(net, m);
	net__arfs_get(net, m);
	for (uint16_t i = 0; i < net->n_lcores; i++) {
		const struct net_mover *mv = net->lcore[i]->mover;

		m->conns += plx_count_read(mv->conns);
		m->stayed += plx_count_read(mv->stayed);
		m->parked += plx_count_read(mv->parked);
		m->dropped += plx_count_read(mv->dropped);
		m->reordered += plx_count_read(mv->reordered);
		m->abandoned += plx_count_read(mv->abandoned);
	}
}
