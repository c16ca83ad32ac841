/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plx_engine.h"

#include <rte_cycles.h>

#include <plx_telem.h>

/** Cycles to nanoseconds since start: (cycles - base) * mult >> 32. */
struct engine_clock {
	uint64_t base;
	uint64_t mult;
	uint64_t hz;
};

#define ENGINE_CPUS	1024
#define ENGINE_NOT_NEAR UINT16_MAX

struct plx_engine {
	struct plx_engine_conf conf;
	struct plx_tunables defaults;
	const struct plx_tunables *tun;
	struct engine_clock clock;
	struct rte_rcu_qsbr *rcu;
	uint16_t n;
	uint32_t stop;	   /**< atomic */
	uint32_t running;  /**< atomic: lcores in their loops */
	uint32_t draining; /**< atomic: lcores that have stopped receiving */
	uint32_t failed;   /**< atomic: lcores whose start() failed */
	uint32_t closed;   /**< atomic: no lcore serves plx_softnet_call() */
	uint32_t callers;  /**< atomic: threads inside it */
	bool stepped;	   /**< by plx_engine_step(): one thread plays all lcores */
	uint32_t pool_size;
	uint32_t kept; /**< mbufs that drivers never give back, at most */
	struct plx_softnet *sn[PLX_ENGINE_LCORES_MAX];
	uint16_t near[ENGINE_CPUS]; /**< of a CPU, by index; or ENGINE_NOT_NEAR */
};

/** The TSC, or the caller's clock as one of 1 GHz. */
static inline uint64_t engine__cycles(const struct plx_engine *eng)
{
	const struct plx_clock *c = eng->conf.clock;

	return plx_likely(!c) ? rte_rdtsc() : (uint64_t)c->now(c->arg);
}

static inline plx_ns engine__ns(const struct plx_engine *eng, uint64_t cycles)
{
	return (plx_ns)(((unsigned __int128)(cycles - eng->clock.base) * eng->clock.mult) >> 32);
}

static inline bool engine__owns(const struct plx_engine *eng, uint16_t port)
{
	return !eng->conf.ports || eng->conf.ports >> port & 1;
}

static inline int64_t engine__tun(const struct plx_engine *eng, enum plx_tunable t)
{
	return __atomic_load_n(&eng->tun->v[t], __ATOMIC_RELAXED);
}

/** loop.c: who watches sees what came by q. */
void engine__show(const struct plx_pkt_watch *w, enum plx_pkt_point point, const struct plx_rxq *q,
	struct rte_mbuf *const *pkts, uint16_t n);

/** A burst, to the upper layer. */
static inline void engine__up(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	const struct plx_pkt_watch *w = plx_pkt_watch(PLX_PKT_AT_RX_GRO);

	if (plx_unlikely(w))
		engine__show(w, PLX_PKT_AT_RX_GRO, q, pkts, n);
	sn->eng->conf.ops->rx(sn, q, pkts, n);
}

/** loop.c: the lcore's main function, and its parts. */
int engine__loop(void *arg);
void engine__enter(struct plx_softnet *sn);
/** One pass, accounted to work or idleness. @param begin when it began. @return units of work. */
uint32_t engine__turn(struct plx_softnet *sn, uint64_t begin);
/** No more receiving. */
void engine__leave(struct plx_softnet *sn);
/** What other lcores still send, while all leave. @return units of work. */
uint32_t engine__serve(struct plx_softnet *sn);
void engine__gone(struct plx_softnet *sn);

/** Is the lcore to limit the flows of what it hands over? The bitmap has 53 bits: the integers of
 * JSON readers end there. */
static inline bool engine__limits(const struct plx_softnet *sn)
{
	return sn->lcore < 53 && sn->eng->conf.ops->flow &&
	       engine__tun(sn->eng, PLX_TUN_FLOW_LIMIT_CPU_BITMAP) >> sn->lcore & 1;
}

/** hand.c */
uint32_t engine__backlog(struct plx_softnet *sn, uint32_t budget);
void engine__hand_flush(struct plx_softnet *sn);
uint32_t engine__msgs(struct plx_softnet *sn);
/** All lcores have stopped: drop what is on its way between them. Main thread. */
void engine__hand_sweep(struct plx_softnet *sn);
bool engine__mail_waits(const struct plx_softnet *sn);
void engine__wake(struct plx_softnet *sn);

/** slow.c: nobody asks for slow passes. */
void engine__slow_init(struct plx_softnet *sn);
/** A pass took longer than somebody asks for. */
void engine__slow(struct plx_softnet *sn, uint64_t cycles);

/** idle.c */
int engine__idle_init(struct plx_softnet *sn);
void engine__idle_fini(struct plx_softnet *sn);
void engine__idle(struct plx_softnet *sn);
/** When a timer or a poller wants to run again at the latest. */
plx_ns engine__deadline(struct plx_softnet *sn);

/** It polls q from now on, or no more: whether it can sleep depends on q's driver. */
void engine__idle_add(struct plx_softnet *sn, struct plx_rxq *q);
void engine__idle_del(struct plx_softnet *sn, struct plx_rxq *q);

/** near.c: root has a directory for each CPU, as /sys/devices/system/cpu. */
void engine__near_init(struct plx_engine *eng, const char *root);
/** step.c: run fn as sn's lcore. */
void engine__step_call(
	struct plx_softnet *sn, void (*fn)(struct plx_softnet *sn, void *arg), void *arg);
/** Work has come before the sleep that was prepared. */
void engine__disarm(struct plx_softnet *sn);

/** telem_port.c: rows of the ports, for telem.c. */
enum plx_telem_more engine__port_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
enum plx_telem_more engine__dev_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
enum plx_telem_more engine__xstats_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
enum plx_telem_more engine__features_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
int engine__feature_set(
	const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
/** `link set` */
int engine__link_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);

/** telem_steer.c: how devices spread packets, and the flow limit, for telem.c. */
enum plx_telem_more engine__rss_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
enum plx_telem_more engine__indir_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
enum plx_telem_more engine__limit_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
/** Has the lcore at the cursor fill its page. */
int engine__limit_run(void *arg, uint64_t cursor, void (*fn)(void *fn_arg), void *fn_arg);

/** steer_set.c: `steer rss`, `steer key` and `steer rx-flow-hash` */
int engine__rss_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
int engine__key_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
int engine__types_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);

/** gro.c: at open. @return 0 or -ENOMEM. */
int engine__gro_init(struct plx_softnet *sn, struct plx_rxq *q);
/** n packets of one poll, which may be none; all but what waits for more goes to rx(). */
void engine__gro_rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
/** Nothing is held any longer: of a queue, of all. */
void engine__gro_release(struct plx_softnet *sn, struct plx_rxq *q);
void engine__gro_stop(struct plx_softnet *sn);
/** Wire packets that are held; any thread. */
uint32_t engine__gro_held(const struct plx_softnet *sn);
plx_ns engine__gro_deadline(const struct plx_softnet *sn);
void engine__gro_fini(struct plx_softnet *sn);
