/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <semaphore.h>
#include <unistd.h>

/*
 * The sleeper publishes `asleep`, fences and looks at its mail once more; the sender publishes its
 * mail, fences and looks at `asleep`. One of the two sees the other, so no wake-up is lost.
 */
void engine__wake(struct plx_softnet *sn)
{
	uint64_t one = 1;
	ssize_t n;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (plx_likely(!__atomic_load_n(&sn->asleep, __ATOMIC_RELAXED)))
		return;
	if (!__atomic_exchange_n(&sn->asleep, 0, __ATOMIC_ACQ_REL))
		return; /* somebody else calls it */
	__atomic_store_n(&sn->called_cycles, engine__cycles(sn->eng), __ATOMIC_RELEASE);
	do
		n = write(sn->evfd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

bool engine__mail_waits(const struct plx_softnet *sn)
{
	if (!plx_mpsc_empty(&sn->msgs))
		return true;
	for (uint16_t i = 0; i < sn->eng->n; i++)
		if (sn->in[i] && !plx_ring_empty(sn->in[i]))
			return true;
	return false;
}

/* So many are staged for another lcore: plx_engine_held() counts them from outside. */
static void stage(struct plx_softnet *sn, uint16_t index, int n)
{
	__atomic_store_n(&sn->out[index].n, (uint16_t)n, __ATOMIC_RELAXED);
}

static uint32_t beyond(struct rte_mbuf **pkts, uint32_t n)
{
	uint32_t more = 0;

	for (uint32_t i = 0; i < n; i++)
		more += plx_pkt_wire(pkts[i]) - 1;
	return more;
}

static void refuse(struct plx_softnet *sn, struct rte_mbuf **pkts, uint32_t n, enum plx_drop reason)
{
	plx_count(sn->dropped, n);
	plx_count(sn->more_out, -(uint64_t)beyond(pkts, n));
	plx_pkt_drop_bulk(pkts, n, reason);
}

/* What is for a transmit queue is in no backlog of Linux's. The hash is only asked for if needed.
 */
static bool is_over(struct plx_softnet *sn, struct rte_mbuf *m, uint32_t qlen, uint32_t max)
{
	uint32_t hash;

	if (!plx_steer_limit_applies(&sn->limit, qlen, max) ||
		plx_pkt_meta(m)->stage == PLX_STAGE_TX)
		return false;
	hash = sn->eng->conf.ops->flow(sn, m);
	return hash && plx_steer_limit(&sn->limit, hash, qlen, max);
}

/* Of those that there is room for, as enqueue_to_backlog() asks. @return how many are left. */
static uint16_t drop_over(
	struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n, uint32_t held, uint32_t max)
{
	struct rte_mbuf *over[PLX_PORT_BURST];
	uint16_t left = 0, n_over = 0;

	for (uint16_t i = 0; i < n; i++)
		if (held + left < max && is_over(sn, pkts[i], held + left, max))
			over[n_over++] = pkts[i];
		else
			pkts[left++] = pkts[i];
	if (n_over)
		refuse(sn, over, n_over, PLX_DROP_FLOW_LIMIT);
	return left;
}

/* Some lcores limit flows, or did: do we? */
PLX_NOINLINE static uint16_t limit_flows(
	struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n, uint32_t held, uint32_t max)
{
	bool on = engine__limits(sn);

	if (on && !sn->limits)
		plx_steer_limit_forget(&sn->limit);
	sn->limits = on;
	return on ? drop_over(sn, pkts, n, held, max) : n;
}

static void hand_flush_one(struct plx_softnet *sn, uint16_t index)
{
	uint16_t n = sn->out[index].n;
	struct rte_mbuf **pkts = sn->out[index].pkts;
	uint32_t max = (uint32_t)engine__tun(sn->eng, PLX_TUN_NETDEV_MAX_BACKLOG);
	uint32_t held = plx_ring_count(sn->out[index].ring);
	uint32_t room = held < max ? max - held : 0;
	uint16_t sent;

	if (plx_unlikely(engine__tun(sn->eng, PLX_TUN_FLOW_LIMIT_CPU_BITMAP) || sn->limits))
		n = limit_flows(sn, pkts, n, held, max);
	sent = (uint16_t)plx_ring_enqueue(
		sn->out[index].ring, (void *const *)pkts, PLX_MIN(n, room));
	if (sent < n)
		refuse(sn, pkts + sent, n - sent, PLX_DROP_BACKLOG_FULL);
	stage(sn, index, 0);
	sn->staged &= ~(UINT64_C(1) << index);
	plx_count(sn->handed_pkts, sent);
	if (sent)
		engine__wake(sn->out[index].to);
}

void engine__hand_flush(struct plx_softnet *sn)
{
	while (sn->staged)
		hand_flush_one(sn, (uint16_t)__builtin_ctzll(sn->staged));
}

void engine__hand_sweep(struct plx_softnet *sn)
{
	struct rte_mbuf *pkts[PLX_PORT_BURST];
	uint32_t n;

	for (uint16_t i = 0; i < sn->eng->n; i++) {
		plx_count(sn->more_out, -(uint64_t)beyond(sn->out[i].pkts, sn->out[i].n));
		plx_pkt_drop_bulk(sn->out[i].pkts, sn->out[i].n, PLX_DROP_STOPPED);
		stage(sn, i, 0);
		while (sn->in[i] &&
			(n = plx_ring_dequeue(sn->in[i], (void **)pkts, PLX_DIM(pkts)))) {
			plx_count(sn->more_in, beyond(pkts, n));
			plx_pkt_drop_bulk(pkts, n, PLX_DROP_STOPPED);
		}
	}
	sn->staged = 0;
}

void plx_softnet_hand(struct plx_softnet *sn, uint16_t index, struct rte_mbuf *m)
{
	if (index == sn->index) {
		sn->eng->conf.ops->backlog(sn, &m, 1);
		return;
	}
	if (plx_unlikely(m->ol_flags & plx_pkt_merged_flag))
		plx_count(sn->more_out, plx_pkt_wire(m) - 1);
	sn->out[index].pkts[sn->out[index].n] = m;
	stage(sn, index, sn->out[index].n + 1);
	sn->staged |= UINT64_C(1) << index;
	if (sn->out[index].n == PLX_PORT_BURST)
		hand_flush_one(sn, index);
}

void plx_softnet_tx_slow(struct plx_softnet *sn, uint16_t port, struct rte_mbuf *m)
{
	struct plx_pkt_meta *meta = plx_pkt_meta(m);

	meta->stage = PLX_STAGE_TX;
	meta->iface = port;
	plx_softnet_hand(sn, sn->tx_via[port], m);
}

void plx_softnet_tx_burst_slow(
	struct plx_softnet *sn, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		plx_softnet_tx_slow(sn, port, pkts[i]);
}

/* Packets for one of our transmit queues are taken out; the rest keeps its order. */
static uint16_t take_tx(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t left = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct plx_pkt_meta *meta = plx_pkt_meta(pkts[i]);

		if (plx_unlikely(pkts[i]->ol_flags & plx_pkt_merged_flag))
			plx_count(sn->more_in, meta->wire_pkts - 1u);
		if (meta->stage == PLX_STAGE_TX)
			plx_softnet_tx(sn, meta->iface, pkts[i]);
		else
			pkts[left++] = pkts[i];
	}
	return left;
}

uint32_t engine__backlog(struct plx_softnet *sn, uint32_t budget)
{
	uint32_t total = 0;

	if (sn->eng->n == 1)
		return 0;
	for (uint16_t i = 0; i < sn->eng->n; i++) {
		struct rte_mbuf *pkts[PLX_PORT_BURST];
		uint16_t n, left;

		if (!sn->in[i])
			continue;
		n = (uint16_t)plx_ring_dequeue(
			sn->in[i], (void **)pkts, PLX_MIN(budget, PLX_DIM(pkts)));
		if (n == 0)
			continue;
		total += n;
		plx_count(sn->received_rps, 1);
		left = take_tx(sn, pkts, n);
		if (left)
			sn->eng->conf.ops->backlog(sn, pkts, left);
	}
	return total;
}

/* ---- messages ---- */

static bool is_due(const struct plx_softnet *sn, const struct plx_late_msg *late)
{
	if (__atomic_load_n(&sn->eng->closed, __ATOMIC_RELAXED))
		return true; /* nobody takes anything in any more */
	for (uint16_t i = 0; i < sn->eng->n; i++)
		if (sn->in[i] && (int32_t)(plx_ring_taken(sn->in[i]) - late->mark[i]) < 0)
			return false;
	return true;
}

/* Nobody sleeps over them: those that are not due have packets before them, and these keep awake.
 */
static uint32_t run_late(struct plx_softnet *sn)
{
	struct plx_late_msg **at = &sn->late;
	uint32_t n = 0;

	while (*at) {
		struct plx_late_msg *late = *at;

		if (!is_due(sn, late)) {
			at = &late->next;
			continue;
		}
		*at = late->next;
		late->fn(sn, late);
		n++;
	}
	return n;
}

static void late_come(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct plx_late_msg *late = plx_container_of(msg, struct plx_late_msg, msg);

	for (uint16_t i = 0; i < sn->eng->n; i++)
		if (sn->in[i])
			late->mark[i] = plx_ring_put(sn->in[i]);
	late->next = sn->late;
	sn->late = late;
}

void plx_softnet_post_late(struct plx_softnet *sn, struct plx_late_msg *late)
{
	late->msg.fn = late_come;
	plx_softnet_post(sn, &late->msg);
}

uint32_t engine__msgs(struct plx_softnet *sn)
{
	struct plx_mpsc_node *node;
	uint32_t n = 0;

	while (n < PLX_PORT_BURST && (node = plx_mpsc_pop(&sn->msgs))) {
		struct plx_msg *msg = plx_container_of(node, struct plx_msg, node);

		msg->fn(sn, msg);
		n++;
	}
	if (plx_unlikely(sn->late))
		n += run_late(sn);
	return n;
}

void plx_softnet_post(struct plx_softnet *sn, struct plx_msg *msg)
{
	plx_mpsc_push(&sn->msgs, &msg->node);
	engine__wake(sn);
}

bool plx_softnet_try_post(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct plx_engine *eng = sn->eng;
	bool open;

	/* Who is counted before `closed` is set will be served: see plx_engine_run(). */
	__atomic_add_fetch(&eng->callers, 1, __ATOMIC_SEQ_CST);
	open = !__atomic_load_n(&eng->closed, __ATOMIC_SEQ_CST);
	if (open)
		plx_softnet_post(sn, msg);
	__atomic_sub_fetch(&eng->callers, 1, __ATOMIC_SEQ_CST);
	return open;
}

/** A call that somebody waits for: it lies on the waiter's stack. */
struct call {
	struct plx_msg msg;
	void (*fn)(struct plx_softnet *sn, void *arg);
	void *arg;
	sem_t done;
};

static void run_call(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct call *c = plx_container_of(msg, struct call, msg);

	c->fn(sn, c->arg);
	sem_post(&c->done);
}

int plx_softnet_call(
	struct plx_softnet *sn, void (*fn)(struct plx_softnet *sn, void *arg), void *arg)
{
	struct call c = {.msg.fn = run_call, .fn = fn, .arg = arg};
	struct plx_engine *eng = sn->eng;
	int err = -ESHUTDOWN;

	if (eng->stepped) {
		engine__step_call(sn, fn, arg);
		return 0;
	}
	/* Who is counted before `closed` is set will be served: see plx_engine_run(). */
	__atomic_add_fetch(&eng->callers, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&eng->closed, __ATOMIC_SEQ_CST)) {
		sem_init(&c.done, 0, 0);
		plx_softnet_post(sn, &c.msg);
		while (sem_wait(&c.done) != 0 && errno == EINTR)
			;
		sem_destroy(&c.done);
		err = 0;
	}
	__atomic_sub_fetch(&eng->callers, 1, __ATOMIC_SEQ_CST);
	return err;
}

struct plain {
	void (*fn)(void *arg);
	void *arg;
};

static void run_plain(struct plx_softnet *sn, void *arg)
{
	const struct plain *p = arg;

	p->fn(p->arg);
}

int plx_softnet_call_plain(struct plx_softnet *sn, void (*fn)(void *arg), void *arg)
{
	struct plain p = {fn, arg};

	return plx_softnet_call(sn, run_plain, &p);
}
