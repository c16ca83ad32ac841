/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Run to completion: one loop per lcore, the twin of net_rx_action() and softnet_data.
 *
 * Each lcore owns a `struct plx_softnet`: its receive queues, transmit queues, timer wheel, backlog
 * and counters. A pass polls the queues in turn, at most `weight` packets a poll and `budget` a
 * pass, hands every burst to the upper layer's rx() and flushes what that produced; then come the
 * packets that other lcores handed over, messages, timers and pollers; an lcore without work rests
 * as the idle policy says.
 *
 * Nothing on the packet path is shared between lcores: they hand packets over by SPSC rings,
 * everybody else (ordinary threads) by messages on a wait-free list.
 */
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>

#include <plx_base_mpsc.h>
#include <plx_base_ring.h>
#include <plx_base_rng.h>
#include <plx_base_wheel.h>
#include <plx_pkt.h>
#include <plx_port.h>
#include <plx_steer_limit.h>

PLX_C_BEGIN

#define PLX_ENGINE_LCORES_MAX 64 /**< lcores of one engine */
#define PLX_ENGINE_BACKLOG                                                                         \
	1024		      /**< slots from one lcore to another (netdev_max_backlog is below) */
#define PLX_ENGINE_RXQ_MAX 64 /**< receive queues that one lcore polls */
#define PLX_ENGINE_SLOW	   4  /**< plx_engine_slow_add() at a time */
#define PLX_ENGINE_HIST	   24 /**< buckets of a log2 histogram: [0] < 1 us, [i] < 2^i us */

struct plx_engine;
struct plx_softnet;

/** What an idle lcore does. */
enum plx_idle_policy {
	PLX_IDLE_POLL,	/**< never rests: lowest latency, 100 % CPU */
	PLX_IDLE_PAUSE, /**< rests by the pause instruction, or yields a shared CPU */
	PLX_IDLE_SLEEP, /**< sleeps: woken by the driver if it can, else by a bounded back-off */
};

/** What an lcore's time went to. */
enum plx_idle_state {
	PLX_RES_BUSY,	 /**< passes that found work */
	PLX_RES_SPIN,	 /**< empty passes */
	PLX_RES_PAUSE,	 /**< pause or yield */
	PLX_RES_SLEEP,	 /**< asleep, to be woken by a driver or a message */
	PLX_RES_BACKOFF, /**< asleep for a fixed time: some driver cannot wake us */
	PLX_RES_MAX
};
PLX_API extern const char *const plx_idle_state_name[PLX_RES_MAX];

/** A log2 histogram of durations. */
struct plx_hist {
	uint64_t n[PLX_ENGINE_HIST];
	plx_ns max_ns;
};

/**
 * Work that is done once a pass. @return units of work done (0 = idle).
 * deadline(): when it wants to run next at the latest; NULL = no wish.
 */
struct plx_poller {
	uint32_t (*run)(struct plx_softnet *sn, void *arg);
	plx_ns (*deadline)(struct plx_softnet *sn, void *arg);
	void *arg;
	struct plx_poller *next;
};

/** A request to an lcore from any thread. Embedded in what it carries; fn runs on the lcore. */
struct plx_msg {
	struct plx_mpsc_node node;
	void (*fn)(struct plx_softnet *sn, struct plx_msg *msg);
};

/** A message that is run behind the packets that were there before it. */
struct plx_late_msg {
	struct plx_msg msg; /**< the engine's */
	void (*fn)(struct plx_softnet *sn, struct plx_late_msg *late);
	struct plx_late_msg *next;
	uint32_t mark[PLX_ENGINE_LCORES_MAX]; /**< how far each hand-over ring was filled */
};

/** A clock to run by in place of the TSC: a simulator's, a test's. Any thread may ask it. */
struct plx_clock {
	plx_ns (*now)(void *arg); /**< from 0 on, never backwards */
	void *arg;
};

/** What the upper layer does; all run on the lcore of sn. */
struct plx_engine_ops {
	/** A burst from a receive queue. Takes the packets. */
	void (*rx)(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
	/** Packets that another lcore handed over (plx_softnet_hand()). Takes them. NULL if none
	 * can. */
	void (*backlog)(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n);
	/**
	 * The hash of the flow that a packet to be handed over belongs to, for the flow limit; 0:
	 * it belongs to none, and is not limited. Asked for packets that are not PLX_STAGE_TX.
	 * Optional: without it no flow is limited.
	 */
	uint32_t (*flow)(struct plx_softnet *sn, struct rte_mbuf *m);
	/** A timer of sn->wheel fired. NULL if there are none. */
	void (*timer)(struct plx_softnet *sn, struct plx_timer *t);
	/** Before the first pass, on each lcore. 0 or -errno; optional. */
	int (*start)(struct plx_softnet *sn);
	/** After the last rx: drop or send what is held. Packets may still be handed over.
	 * Optional. */
	void (*stop)(struct plx_softnet *sn);
	bool merges;	   /**< rx() takes merged packets: GRO stands in front of it */
	bool counts_mcast; /**< rx() counts frames to groups: plx_softnet.rx_mcast */
};

/** The twin of softnet_data: all that one lcore owns. */
struct plx_softnet {
	/* what every pass touches */
	struct plx_engine *eng;
	plx_ns now_ns;	/**< time of this pass */
	void *user;	/**< the upper layer's per-lcore state */
	uint32_t lcore; /**< EAL's lcore id */
	uint16_t index; /**< 0 .. n-1 within the engine */
	uint16_t n_rxq;
	uint16_t first; /**< queue that the next pass begins with */
	uint16_t n_dirty;
	uint64_t staged;		   /**< a bit for each lcore that out[] has something for */
	struct plx_rxq **rxq;		   /**< queues to poll */
	struct plx_txq *txq[PLX_PORT_MAX]; /**< this lcore's transmit queue of each port, or NULL */
	uint16_t tx_via[PLX_PORT_MAX];	   /**< where there is none: the lcore that has one */
	struct plx_txq *dirty[PLX_PORT_MAX]; /**< queues with something to flush */
	struct rte_mempool *pool;	     /**< this lcore's mbufs */
	struct rte_mempool *clones;	     /**< those without room, to be attached to data */
	struct rte_mempool *reserve;	     /**< for what must go when pool is empty */
	struct plx_poller *pollers;
	struct plx_rng rng;

	/* softnet_stat's columns; single writer */
	uint64_t processed; /**< packets received or taken from the backlog */
	uint64_t dropped; /**< packets that this lcore could not hand over: the target's backlog was
			     full, or their flow had its share of it */
	uint64_t time_squeeze; /**< passes cut short by budget or time */
	uint64_t received_rps; /**< times woken by another lcore's packets */

	/* load */
	uint64_t passes, busy_passes;
	uint64_t rx_pkts, handed_pkts;
	uint64_t more_out, more_in; /**< wire packets beyond the mbufs that were staged for, and
				       taken from, other lcores */
	uint64_t busy_cycles;
	uint64_t start_cycles, last_cycles;
	uint64_t slow_cycles; /**< passes that took longer go to slow[]; the least over */
	struct {
		uint64_t over_cycles;	 /**< UINT64_MAX: it is free */
		uint64_t n;		 /**< passes that took longer */
	} slow[PLX_ENGINE_SLOW];	 /**< plx_engine_slow_add() */
	uint64_t rx_mcast[PLX_PORT_MAX]; /**< frames to a group MAC that is not broadcast */
	plx_ns residency_ns[PLX_RES_MAX];
	uint64_t residency_n[PLX_RES_MAX];
	struct plx_hist slept;	 /**< how long sleeps were */
	struct plx_hist latency; /**< from a wake-up call, or a timer's time, until running */

	/* idle */
	plx_ns idle_since_ns;
	bool can_sleep;	 /**< every queue's driver can wake us */
	bool shared_cpu; /**< other lcores run on our CPU */
	bool armed;	 /**< drivers will wake us; one more pass, then sleep */
	int epfd, evfd;

	struct plx_wheel wheel;

	/* hand-over: out[i] is being filled for lcore i, in[i] comes from lcore i */
	struct plx_ring *in[PLX_ENGINE_LCORES_MAX];
	struct {
		struct plx_ring *ring;
		struct plx_softnet *to;
		uint16_t n;
		struct rte_mbuf *pkts[PLX_PORT_BURST];
	} out[PLX_ENGINE_LCORES_MAX];
	struct plx_late_msg *late; /**< those that wait for packets before them */
	bool limits;		   /**< the flow limit was on when something was handed over last */
	struct plx_flow_limit limit; /**< its count is a column of softnet_stat */

	/* written by others */
	struct plx_mpsc msgs PLX_ALIGNED;
	uint32_t asleep;	/**< 1 while a wake-up call is needed */
	uint64_t called_cycles; /**< when the first such call was made */
} PLX_ALIGNED;

struct plx_engine_conf {
	const struct plx_engine_ops *ops;
	void *arg; /**< the upper layer's: plx_engine_arg() */
	enum plx_idle_policy idle;
	uint16_t burst;	       /**< packets a poll; 0 = the tunable dev_weight */
	uint16_t queues;       /**< of each port; 0 = one for each lcore, as far as it goes */
	uint16_t rxd, txd;     /**< descriptors; 0 = the driver's wish */
	uint32_t mbufs;	       /**< in each lcore's pool; 0 = computed */
	uint16_t room_bytes;   /**< data room of an mbuf; 0 = 2048 */
	uint32_t features_off; /**< port features not to be used */
	bool promisc;
	bool no_rx;		/**< receive queues are opened and not polled */
	bool spare_lcores;	/**< an lcore without a queue is fine: it serves others */
	const uint32_t *lcores; /**< EAL's ids of its lcores; NULL = all */
	uint16_t n_lcores;
	uint32_t ports;			/**< a bit for each port that is its; 0 = all */
	uint64_t seed;			/**< of all generators; 0 = from the system */
	const struct plx_tunables *tun; /**< read live; NULL = defaults */
	const struct plx_clock *clock;	/**< NULL = the TSC */
};

/* Life: for the main thread. */

/**
 * Make softnets for its lcores. Several engines in a process are strangers to each other, like two
 * hosts, if they share neither lcores nor ports. @return NULL with *e filled.
 */
PLX_API struct plx_engine *plx_engine_create(
	const struct plx_engine_conf *conf, struct plx_error *e);
/**
 * Open all registered ports with queues for the engine's lcores: queue i goes to lcore i, ports
 * with fewer queues are spread. @return 0 or -errno with *e filled and all ports closed again.
 */
PLX_API int plx_engine_open_ports(struct plx_engine *eng, struct plx_error *e);
/** Run on its lcores until plx_engine_stop(), on the caller's too if it is the main lcore's and one
 * of them. Drains. */
PLX_API int plx_engine_run(struct plx_engine *eng);
/** The same for an engine without the main lcore, which comes back at once: plx_engine_join(). */
PLX_API void plx_engine_start(struct plx_engine *eng);
/** Until a started engine has stopped. @return as plx_engine_run(). */
PLX_API int plx_engine_join(struct plx_engine *eng);
/** Ask all lcores to leave their loops. Any thread; async-signal-safe. */
PLX_API void plx_engine_stop(struct plx_engine *eng);
/** Is the port, by its number, one of the engine's? */
PLX_API bool plx_engine_has_port(const struct plx_engine *eng, uint16_t port);
PLX_API bool plx_engine_stopping(const struct plx_engine *eng);
/** Will what is posted now be served? Not before the run, nor behind its end, when the main thread
 * may do itself what it would have posted. */
PLX_API bool plx_engine_serves(const struct plx_engine *eng);
/** True once every lcore is in its loop. */
PLX_API bool plx_engine_running(const struct plx_engine *eng);
/** After the run: what still waits anywhere is dropped (STOPPED), all ports are closed. */
PLX_API void plx_engine_close_ports(struct plx_engine *eng);
/**
 * Closes the ports if that was not done, then frees all. Drivers that keep mbufs until their device
 * goes need plx_port_fini_all() in between. @return mbufs missing from the pools (leaked).
 */
PLX_API uint32_t plx_engine_destroy(struct plx_engine *eng);

/*
 * Stepped, in place of plx_engine_run(): one thread plays all lcores in turn, as the main lcore's,
 * and says when. With a clock of its own such a run is the same each time: simulations and tests
 * are made so. Nothing sleeps; plx_softnet_call() runs at once.
 */

/** Start all lcores. @return 0 or -EIO when some start() failed. plx_engine_step_end() either way.
 */
PLX_API int plx_engine_step_begin(struct plx_engine *eng);
/** One pass of one lcore. @return units of work done. */
PLX_API uint32_t plx_engine_step(struct plx_engine *eng, uint16_t index);
/** When some lcore has to be stepped again though no packet comes; 0 = at once. */
PLX_API plx_ns plx_engine_deadline(struct plx_engine *eng);
/** Stop all lcores and drain what is on its way between them. */
PLX_API void plx_engine_step_end(struct plx_engine *eng);

/** Where a port's queues go: queue q to the lcore of index (first + q) modulo the lcores. */
struct plx_place {
	uint16_t queues;
	uint16_t first;
};
/**
 * What plx_engine_open_ports() would do with so many lcores.
 * @param queues as plx_engine_conf.queues. @param place for each port.
 */
PLX_API void plx_engine_place(uint16_t lcores, uint16_t queues, struct plx_place *place);

/* Facts */

PLX_API uint16_t plx_engine_lcores(const struct plx_engine *eng);
PLX_API struct plx_softnet *plx_engine_softnet(struct plx_engine *eng, uint16_t index);
/**
 * The lcore that is the nearest to a CPU, by index: it has that CPU, or one of the same core, or of
 * the same second-level cache. -1: none is. Any thread.
 */
PLX_API int plx_engine_near(const struct plx_engine *eng, int cpu);
PLX_API void *plx_engine_arg(const struct plx_engine *eng);
/** Time since the engine was created, or its clock's time. Any thread. */
PLX_API plx_ns plx_engine_now(const struct plx_engine *eng);
PLX_API struct rte_rcu_qsbr *plx_engine_rcu(struct plx_engine *eng);
/** Wire packets that wait somewhere in the engine: GRO, backlogs, staging, tx queues. Right at a
 * quiet moment. */
PLX_API uint64_t plx_engine_held(struct plx_engine *eng);
/** Mbufs out of the pools. */
PLX_API uint32_t plx_engine_mbufs_out(struct plx_engine *eng);

/**
 * Count the passes of each lcore that take longer than so long: what came meanwhile waited. A pass
 * begins where the one before ended, unless the lcore rested in between; so what kept the lcore
 * from its CPU counts as well. Any thread but an lcore.
 * @return the index in plx_softnet.slow[], for plx_engine_slow_del(); -EBUSY: there are
 *         PLX_ENGINE_SLOW already.
 */
PLX_API int plx_engine_slow_add(struct plx_engine *eng, plx_ns over_ns);
PLX_API void plx_engine_slow_del(struct plx_engine *eng, int slow);

/* Before the run, for the main thread */

PLX_API void plx_softnet_add_poller(struct plx_softnet *sn, struct plx_poller *p);

/* On the lcore of sn */

/** Queue m for transmission on a port. Takes it. Flushed at the end of the poll. */
PLX_API void plx_softnet_tx_slow(struct plx_softnet *sn, uint16_t port, struct rte_mbuf *m);
static inline void plx_softnet_tx(struct plx_softnet *sn, uint16_t port, struct rte_mbuf *m)
{
	struct plx_txq *q = sn->txq[port];

	if (plx_unlikely(!q)) {
		plx_softnet_tx_slow(sn, port, m);
		return;
	}
	plx_txq_push(q, m);
	if (!q->listed) {
		q->listed = true;
		sn->dirty[sn->n_dirty++] = q;
	}
}

/** Hand over and transmit now what waits for that. @return false: a driver has refused some. */
PLX_API bool plx_softnet_flush(struct plx_softnet *sn);

/** Some other lcore has the transmit queue. Takes all. */
PLX_API void plx_softnet_tx_burst_slow(
	struct plx_softnet *sn, uint16_t port, struct rte_mbuf **pkts, uint16_t n);
/** The same for a burst at hand: past the FIFO if it is empty. Takes all. */
static inline void plx_softnet_tx_burst(
	struct plx_softnet *sn, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	struct plx_txq *q = sn->txq[port];

	if (plx_unlikely(!q)) {
		plx_softnet_tx_burst_slow(sn, port, pkts, n);
		return;
	}
	plx_txq_burst(q, pkts, n);
	if (plx_unlikely(plx_txq_len(q) && !q->listed)) {
		q->listed = true;
		sn->dirty[sn->n_dirty++] = q;
	}
}

/**
 * Hand a packet to another lcore of the engine (or to sn's own backlog). Takes it; dropped when the
 * target's backlog is full. meta.stage is the upper layer's and says what the target is to do; 255
 * is the engine's.
 */
PLX_API void plx_softnet_hand(struct plx_softnet *sn, uint16_t index, struct rte_mbuf *m);
#define PLX_STAGE_TX 255 /**< transmit on port meta.iface */

/** A fresh mbuf, or NULL. Not yet counted: plx_pkt_originate() when it is sent. */
static inline struct rte_mbuf *plx_softnet_alloc(struct plx_softnet *sn)
{
	return rte_pktmbuf_alloc(sn->pool);
}

/**
 * The same for what makes memory free, and so must not wait for it: ACKs, retransmissions,
 * neighbour discovery. Nothing else takes from the reserve; what is sent from it returns to it.
 */
static inline struct rte_mbuf *plx_softnet_alloc_last(struct plx_softnet *sn)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(sn->pool);

	return plx_likely(m) ? m : rte_pktmbuf_alloc(sn->reserve);
}

/* From any thread */

/** Run msg->fn on sn's lcore. Wait-free; wakes it. The message belongs to the lcore until fn runs.
 */
PLX_API void plx_softnet_post(struct plx_softnet *sn, struct plx_msg *msg);
/**
 * Run late->fn on sn's lcore when it has taken in all packets that other lcores had handed over to
 * it when it got the message.
 */
PLX_API void plx_softnet_post_late(struct plx_softnet *sn, struct plx_late_msg *late);
/** The same by an ordinary thread. @return false: the engine does not run (any more): it was not
 * posted. */
PLX_API bool plx_softnet_try_post(struct plx_softnet *sn, struct plx_msg *msg);
/**
 * Run fn(sn, arg) on sn's lcore and wait for it. For ordinary threads only.
 * @return 0, or -ESHUTDOWN when the engine does not run (any more): fn was not called.
 */
PLX_API int plx_softnet_call(
	struct plx_softnet *sn, void (*fn)(struct plx_softnet *sn, void *arg), void *arg);
/** The same of fn(arg): the way of plx_telem_table.run. */
PLX_API int plx_softnet_call_plain(struct plx_softnet *sn, void (*fn)(void *arg), void *arg);

/* For the control thread */

/**
 * Have a receive queue polled by another lcore, and wait until it is: what comes meanwhile waits in
 * the device, and no packet overtakes one of its flow. Its transmit queue stays where it is. While
 * the engine runs.
 * @param index of the lcore. @return 0; -EINVAL: no such queue of the engine's, or lcore;
 * -EOPNOTSUPP: a stepped engine, or one that receives nothing; -ENOSPC: the lcore polls
 * PLX_ENGINE_RXQ_MAX; -ENOMEM; -ESHUTDOWN.
 */
PLX_API int plx_engine_queue_move(
	struct plx_engine *eng, struct plx_port *p, uint16_t queue, uint16_t index);

/**
 * Serve the tables ports, dev, xstats, features, softnet, rss, indir, flow_limit and idle, and the
 * commands `link set`, `feature set`, `steer rss`, `steer key`,
 * `steer rx-flow-hash` and `stop`. Ports are open; of one
 * engine at a time. @return 0 or -errno.
 */
PLX_API int plx_engine_telem_add(struct plx_engine *eng);
/** Before the ports are closed. Nothing happens if there is nothing to undo. */
PLX_API void plx_engine_telem_del(void);

static inline void plx_hist_add(struct plx_hist *h, plx_ns ns)
{
	uint64_t us = ns < 0 ? 0 : (uint64_t)ns / 1000;
	unsigned int b = us ? 64 - (unsigned int)__builtin_clzll(us) : 0;

	plx_count(h->n[b < PLX_ENGINE_HIST ? b : PLX_ENGINE_HIST - 1], 1);
	if (ns > h->max_ns)
		__atomic_store_n(&h->max_ns, ns, __ATOMIC_RELAXED);
}

struct plx_telem_args;
struct plx_telem_reply;
/**
 * Serve a request to switch features (`pollux-ctl ethtool -K`): its keys are dev and features. For
 * an upper layer that has more to do than the port: set() is that, and gives 0 or -errno. Control
 * thread. @return as set(), or what is wrong with the request, which is answered.
 */
PLX_API int plx_engine_feature_request(const struct plx_telem_args *args,
	struct plx_telem_reply *reply, int (*set)(void *arg, struct plx_port *p, uint32_t wanted),
	void *arg);

/** What an upper layer has to do with the RSS of ports. */
struct plx_engine_rss {
	/** Give the port what is not NULL, as plx_port_rss_set(). */
	int (*set)(void *arg, struct plx_port *p, const uint8_t *key, uint16_t bytes,
		const struct plx_reta *reta);
	int (*set_types)(void *arg, struct plx_port *p, uint32_t types); /**< the same */
	void *arg;
	const uint8_t *key;  /**< the default, of PLX_STEER_KEY_MAX bytes; NULL: there is none */
	const char *instead; /**< "; ...": what to do where a port has no RSS; NULL: nothing */
};
/**
 * Serve a request for a table (`pollux-ctl steer set rss`): its keys are dev, and equal or weight,
 * and start. Control thread. @return as set(), or what is wrong with the request, which is
 * answered.
 */
PLX_API int plx_engine_rss_request(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	const struct plx_engine_rss *to);
/** The same for a key (`pollux-ctl steer set key`): its keys are dev and key. */
PLX_API int plx_engine_key_request(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	const struct plx_engine_rss *to);
/** The same for what is hashed (`pollux-ctl steer set rx-flow-hash`): dev, flow and fields. */
PLX_API int plx_engine_types_request(const struct plx_telem_args *args,
	struct plx_telem_reply *reply, const struct plx_engine_rss *to);

PLX_C_END
