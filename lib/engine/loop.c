/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <sched.h>

#include <plx_offload.h>

#define TIMER_BUDGET 256 /* timers a pass */
#define LOOK_PKTS    64	 /* packets between two looks at the clock: a NAPI weight, as in Linux */
#define DRAIN_NS     PLX_MS(200) /* how long a refusing driver is asked again at stop, at most */

/* The driver is full: again next time, in order; but not for ever. */
static void watch(struct plx_softnet *sn, struct plx_txq *q)
{
	plx_txq_watch(q, sn->now_ns, PLX_MS(engine__tun(sn->eng, PLX_TUN_TX_TIMEOUT)));
}

PLX_NOINLINE static void flush_queues(struct plx_softnet *sn)
{
	uint16_t left = 0;

	for (uint16_t i = 0; i < sn->n_dirty; i++) {
		struct plx_txq *q = sn->dirty[i];

		plx_txq_flush(q);
		if (plx_txq_len(q)) {
			sn->dirty[left++] = q;
			watch(sn, q);
		} else {
			q->listed = false;
		}
	}
	sn->n_dirty = left;
}

static inline void flush(struct plx_softnet *sn)
{
	if (sn->staged)
		engine__hand_flush(sn);
	if (sn->n_dirty)
		flush_queues(sn);
}

PLX_NOINLINE void engine__show(const struct plx_pkt_watch *w, enum plx_pkt_point point,
	const struct plx_rxq *q, struct rte_mbuf *const *pkts, uint16_t n)
{
	bool ip = plx_port_features(q->port) & PLX_PORT_F_NO_ETH;
	const struct plx_pkt_seen s = {.point = (uint8_t)point,
		.link = ip ? PLX_PKT_LINK_IP : PLX_PKT_LINK_ETHER,
		.port = q->port->id,
		.queue = (uint8_t)q->id};

	w->see(w, &s, pkts, n);
}

bool plx_softnet_flush(struct plx_softnet *sn)
{
	flush(sn);
	return !sn->n_dirty;
}

/* One poll of one queue: the whole way of a burst. */
static inline uint16_t poll_one(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t weight)
{
	uint16_t n = plx_rxq_burst(q, pkts, weight);
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_RX);
	const struct plx_gro *gro = q->gro;

	if (plx_unlikely(w) && n)
		engine__show(w, PLX_PKT_AT_RX, q, pkts, n);
	/* a lone packet has nobody to be merged with, unless somebody waits for it */
	if (gro && (n > 1 || plx_unlikely(gro->n_held)))
		engine__gro_rx(sn, q, pkts, n);
	else if (n)
		engine__up(sn, q, pkts, n);
	else
		return 0;
	flush(sn);
	return n;
}

/*
 * net_rx_action(): every queue in turn, a full one again, until all are empty or budget or time is
 * used up.
 * @return packets.
 */
PLX_NOINLINE static uint32_t rx_pass(struct plx_softnet *sn, uint64_t begin)
{
	const struct plx_engine *eng = sn->eng;
	uint16_t weight =
		eng->conf.burst ? eng->conf.burst : (uint16_t)engine__tun(eng, PLX_TUN_DEV_WEIGHT);
	uint32_t budget = (uint32_t)engine__tun(eng, PLX_TUN_NETDEV_BUDGET);
	uint64_t limit =
		(uint64_t)engine__tun(eng, PLX_TUN_NETDEV_BUDGET_USECS) * eng->clock.hz / 1000000;
	/* queues not seen empty in this pass */
	uint64_t full = sn->n_rxq ? UINT64_MAX >> (64 - sn->n_rxq) : 0;
	uint32_t total = 0, look = PLX_MIN(LOOK_PKTS, budget);
	struct rte_mbuf *pkts[PLX_PORT_BURST];
	uint16_t i = sn->first;

	while (full) {
		if (full & UINT64_C(1) << i) {
			uint16_t n = poll_one(sn, sn->rxq[i], pkts, weight);

			total += n;
			if (n < weight)
				full &= ~(UINT64_C(1) << i);
			if (total >= look) {
				look = PLX_MIN(total + LOOK_PKTS, budget);
				if (total >= budget || engine__cycles(eng) - begin > limit) {
					plx_count(sn->time_squeeze, full != 0);
					full = 0;
				}
			}
		}
		i = (uint16_t)(i + 1 == sn->n_rxq ? 0 : i + 1);
	}
	sn->first = i;
	plx_count(sn->rx_pkts, total);
	return total;
}

static void fire(struct plx_timer *t, void *arg)
{
	struct plx_softnet *sn = arg;

	sn->eng->conf.ops->timer(sn, t);
}

static uint32_t timers(struct plx_softnet *sn)
{
	if (plx_likely(plx_wheel_deadline(&sn->wheel) > sn->now_ns))
		return 0;
	return plx_wheel_run(&sn->wheel, sn->now_ns, TIMER_BUDGET, fire, sn);
}

static uint32_t pollers(struct plx_softnet *sn)
{
	uint32_t work = 0;

	for (struct plx_poller *p = sn->pollers; p; p = p->next)
		work += p->run(sn, p->arg);
	return work;
}

/* One pass. @return units of work. */
static uint32_t pass(struct plx_softnet *sn, uint64_t begin)
{
	uint32_t pkts, work;

	sn->now_ns = engine__ns(sn->eng, begin);
	pkts = rx_pass(sn, begin);
	pkts += engine__backlog(sn, PLX_PORT_BURST);
	plx_count(sn->processed, pkts);
	work = pkts + engine__msgs(sn) + timers(sn) + pollers(sn);
	flush(sn);
	return work;
}

uint32_t engine__turn(struct plx_softnet *sn, uint64_t begin)
{
	struct plx_engine *eng = sn->eng;
	uint32_t work = pass(sn, begin);
	uint64_t end = engine__cycles(eng);
	enum plx_idle_state state = work ? PLX_RES_BUSY : PLX_RES_SPIN;

	plx_count(sn->passes, 1);
	if (work) {
		plx_count(sn->busy_passes, 1);
		plx_count(sn->busy_cycles, end - begin);
		sn->idle_since_ns = sn->now_ns;
		if (plx_unlikely(sn->armed))
			engine__disarm(sn);
	}
	if (plx_unlikely(end - begin > __atomic_load_n(&sn->slow_cycles, __ATOMIC_RELAXED)))
		engine__slow(sn, end - begin);
	plx_count(sn->residency_ns[state], engine__ns(eng, end) - sn->now_ns);
	plx_count(sn->residency_n[state], 1);
	sn->last_cycles = end;
	rte_rcu_qsbr_quiescent(eng->rcu, sn->index);
	return work;
}

void engine__leave(struct plx_softnet *sn)
{
	engine__gro_stop(sn);
	if (sn->eng->conf.ops->stop)
		sn->eng->conf.ops->stop(sn);
	flush(sn);
	__atomic_add_fetch(&sn->eng->draining, 1, __ATOMIC_ACQ_REL);
}

uint32_t engine__serve(struct plx_softnet *sn)
{
	uint32_t work;

	sn->now_ns = plx_engine_now(sn->eng);
	work = engine__backlog(sn, PLX_PORT_BURST) + engine__msgs(sn);
	flush(sn);
	rte_rcu_qsbr_quiescent(sn->eng->rcu, sn->index);
	return work;
}

static uint32_t serve(struct plx_softnet *sn)
{
	uint32_t work = engine__serve(sn);

	if (!work && sn->shared_cpu)
		sched_yield();
	return work;
}

/*
 * No more receiving. Packets still come from other lcores until all are here, so the backlog is
 * served as before: that is as long as the longest pass takes. From then on there are DRAIN_NS for
 * what was handed over just before and what drivers refuse. The rest is dropped: what lies between
 * lcores by engine__hand_sweep(), what drivers did not take by plx_port_close().
 */
static void drain(struct plx_softnet *sn)
{
	const struct plx_engine *eng = sn->eng;
	uint32_t work;
	plx_ns until;

	engine__leave(sn);
	while (__atomic_load_n(&eng->draining, __ATOMIC_ACQUIRE) < eng->n)
		serve(sn);
	until = plx_engine_now(eng) + DRAIN_NS;
	do
		work = serve(sn);
	while ((work || sn->n_dirty) && sn->now_ns < until);
}

void engine__enter(struct plx_softnet *sn)
{
	struct plx_engine *eng = sn->eng;

	plx_acct_bind();
	rte_rcu_qsbr_thread_online(eng->rcu, sn->index);
	sn->now_ns = plx_engine_now(eng);
	sn->idle_since_ns = sn->now_ns;
	if (eng->conf.ops->start && eng->conf.ops->start(sn) != 0) {
		__atomic_add_fetch(&eng->failed, 1, __ATOMIC_ACQ_REL);
		plx_engine_stop(eng);
	}
	__atomic_add_fetch(&eng->running, 1, __ATOMIC_ACQ_REL);
	sn->last_cycles = engine__cycles(eng);
	__atomic_store_n(&sn->start_cycles, sn->last_cycles, __ATOMIC_RELAXED);
}

void engine__gone(struct plx_softnet *sn)
{
	rte_rcu_qsbr_thread_offline(sn->eng->rcu, sn->index);
	__atomic_sub_fetch(&sn->eng->running, 1, __ATOMIC_ACQ_REL);
}

int engine__loop(void *arg)
{
	struct plx_engine *eng = arg;
	struct plx_softnet *sn = NULL;
	uint64_t begin;

	for (uint16_t i = 0; i < eng->n; i++)
		if (eng->sn[i]->lcore == rte_lcore_id())
			sn = eng->sn[i];
	if (!sn)
		return 0;
	engine__enter(sn);
	begin = sn->last_cycles;
	while (plx_likely(!__atomic_load_n(&eng->stop, __ATOMIC_RELAXED))) {
		uint32_t work = engine__turn(sn, begin);

		begin = sn->last_cycles;
		if (!work && (eng->conf.idle != PLX_IDLE_POLL || sn->shared_cpu)) {
			engine__idle(sn);
			begin = engine__cycles(eng);
		}
	}
	drain(sn);
	engine__gone(sn);
	return 0;
}
