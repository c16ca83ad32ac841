/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_malloc.h>

#define WHEEL_TICK PLX_US(100) /* finer than any protocol timer asks for */

static void clock_init(struct plx_engine *eng)
{
	struct engine_clock *c = &eng->clock;

	c->hz = eng->conf.clock ? PLX_SEC(1) : rte_get_tsc_hz();
	c->mult = (uint64_t)(((unsigned __int128)PLX_SEC(1) << 32) / c->hz);
	c->base = eng->conf.clock ? 0 : rte_rdtsc();
}

plx_ns plx_engine_now(const struct plx_engine *eng)
{
	return engine__ns(eng, engine__cycles(eng));
}

/* True when another lcore of ours may run on a CPU of this one. */
static bool shares_cpu(uint32_t lcore)
{
	rte_cpuset_t mine = rte_lcore_cpuset(lcore);
	unsigned int other;

	RTE_LCORE_FOREACH(other)
	{
		rte_cpuset_t theirs = rte_lcore_cpuset(other), both;

		if (other == lcore)
			continue;
		CPU_AND(&both, &mine, &theirs);
		if (CPU_COUNT(&both))
			return true;
	}
	return false;
}

/* For the flow limit, whether or not it is ever switched on. */
static int limit_init(struct plx_softnet *sn, int socket)
{
	uint32_t wanted = (uint32_t)engine__tun(sn->eng, PLX_TUN_FLOW_LIMIT_TABLE_LEN), n = 1;
	void *mem;

	while (n < wanted)
		n *= 2;
	mem = plx_pkt_mem_alloc(n, socket);
	return mem ? plx_steer_limit_init(&sn->limit, mem, n) : -ENOMEM;
}

static void softnet_free(struct plx_softnet *sn)
{
	rte_free(sn->limit.bucket);
	rte_free(sn->rxq);
	rte_free(sn);
}

static struct plx_softnet *softnet_new(struct plx_engine *eng, uint32_t lcore, uint64_t seed)
{
	int socket = (int)rte_lcore_to_socket_id(lcore);
	struct plx_softnet *sn = plx_pkt_mem_alloc(sizeof(*sn), socket);

	if (!sn)
		return NULL;
	sn->eng = eng;
	sn->rxq = plx_pkt_mem_alloc(sizeof(*sn->rxq) * PLX_ENGINE_RXQ_MAX, socket);
	if (!sn->rxq || limit_init(sn, socket) != 0) {
		softnet_free(sn);
		return NULL;
	}
	sn->lcore = lcore;
	sn->index = eng->n;
	sn->shared_cpu = shares_cpu(lcore);
	sn->epfd = sn->evfd = -1;
	plx_rng_init(&sn->rng, seed + lcore);
	plx_wheel_init(&sn->wheel, 0, WHEEL_TICK);
	plx_mpsc_init(&sn->msgs);
	engine__slow_init(sn);
	return sn;
}

/* A ring for each ordered pair of lcores. */
static int connect_lcores(struct plx_engine *eng)
{
	for (uint16_t from = 0; from < eng->n; from++)
		for (uint16_t to = 0; to < eng->n; to++) {
			void *mem;

			if (from == to)
				continue;
			mem = plx_pkt_mem_alloc(plx_ring_size(PLX_ENGINE_BACKLOG),
				(int)rte_lcore_to_socket_id(eng->sn[to]->lcore));
			if (!mem)
				return -ENOMEM;
			eng->sn[to]->in[from] = plx_ring_init(mem, PLX_ENGINE_BACKLOG);
			eng->sn[from]->out[to].ring = eng->sn[to]->in[from];
			eng->sn[from]->out[to].to = eng->sn[to];
		}
	return 0;
}

static void engine_free(struct plx_engine *eng)
{
	for (uint16_t i = 0; i < eng->n; i++) {
		struct plx_softnet *sn = eng->sn[i];

		for (uint16_t j = 0; j < eng->n; j++)
			rte_free(sn->in[j]);
		rte_mempool_free(sn->pool);
		rte_mempool_free(sn->clones);
		rte_mempool_free(sn->reserve);
		softnet_free(sn);
	}
	rte_free(eng->rcu);
	rte_free(eng);
}

static int rcu_init(struct plx_engine *eng)
{
	eng->rcu = rte_zmalloc(
		NULL, rte_rcu_qsbr_get_memsize(PLX_ENGINE_LCORES_MAX), RTE_CACHE_LINE_SIZE);
	if (!eng->rcu || rte_rcu_qsbr_init(eng->rcu, PLX_ENGINE_LCORES_MAX) != 0)
		return -ENOMEM;
	for (uint16_t i = 0; i < eng->n; i++)
		rte_rcu_qsbr_thread_register(eng->rcu, i);
	return 0;
}

static bool is_named(const struct plx_engine_conf *conf, uint32_t lcore)
{
	for (uint16_t i = 0; conf->lcores && i < conf->n_lcores; i++)
		if (conf->lcores[i] == lcore)
			return true;
	return !conf->lcores;
}

struct plx_engine *plx_engine_create(const struct plx_engine_conf *conf, struct plx_error *e)
{
	struct plx_engine *eng = rte_zmalloc(NULL, sizeof(*eng), RTE_CACHE_LINE_SIZE);
	uint64_t seed = conf->seed;
	unsigned int lcore;

	if (!eng)
		goto no_memory;
	if (!seed && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = rte_rdtsc();
	eng->conf = *conf;
	eng->conf.burst = PLX_MIN(conf->burst, (uint16_t)PLX_PORT_BURST);
	plx_tunables_init(&eng->defaults);
	eng->tun = conf->tun ? conf->tun : &eng->defaults;
	eng->closed = 1;
	clock_init(eng);
	RTE_LCORE_FOREACH(lcore)
	{
		if (eng->n == PLX_ENGINE_LCORES_MAX)
			break;
		if (!is_named(conf, lcore))
			continue;
		eng->sn[eng->n] = softnet_new(eng, lcore, seed);
		if (!eng->sn[eng->n])
			goto no_memory;
		eng->n++;
	}
	if (connect_lcores(eng) != 0 || rcu_init(eng) != 0)
		goto no_memory;
	engine__near_init(eng, "/sys/devices/system/cpu");
	return eng;
no_memory:
	if (eng)
		engine_free(eng);
	plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "the engine");
	return NULL;
}

/* Who called before the doors were closed is served; nobody comes after. */
static void close_doors(struct plx_engine *eng)
{
	uint32_t served;

	__atomic_store_n(&eng->closed, 1, __ATOMIC_SEQ_CST);
	do {
		served = 0;
		for (uint16_t i = 0; i < eng->n; i++)
			served += engine__msgs(eng->sn[i]); /* some may wait for another's */
		usleep(100);
	} while (served || __atomic_load_n(&eng->callers, __ATOMIC_SEQ_CST));
}

void plx_engine_start(struct plx_engine *eng)
{
	__atomic_store_n(&eng->closed, 0, __ATOMIC_SEQ_CST);
	for (uint16_t i = 0; i < eng->n; i++)
		if (eng->sn[i]->lcore != rte_get_main_lcore())
			rte_eal_remote_launch(engine__loop, eng, eng->sn[i]->lcore);
}

int plx_engine_join(struct plx_engine *eng)
{
	for (uint16_t i = 0; i < eng->n; i++)
		if (eng->sn[i]->lcore != rte_get_main_lcore())
			rte_eal_wait_lcore(eng->sn[i]->lcore);
	/* What the lcores have written is seen from here on: each has left by engine__gone(). */
	while (__atomic_load_n(&eng->running, __ATOMIC_ACQUIRE))
		sched_yield();
	close_doors(eng);
	return eng->failed ? -EIO : 0;
}

int plx_engine_run(struct plx_engine *eng)
{
	plx_engine_start(eng);
	engine__loop(eng); /* nothing to do, if the main lcore is not one of its */
	return plx_engine_join(eng);
}

void plx_engine_stop(struct plx_engine *eng)
{
	__atomic_store_n(&eng->stop, 1, __ATOMIC_SEQ_CST);
	for (uint16_t i = 0; i < eng->n; i++)
		engine__wake(eng->sn[i]);
}

bool plx_engine_has_port(const struct plx_engine *eng, uint16_t port)
{
	return port < plx_port_count() && engine__owns(eng, port);
}

bool plx_engine_stopping(const struct plx_engine *eng)
{
	return __atomic_load_n(&eng->stop, __ATOMIC_RELAXED);
}

bool plx_engine_serves(const struct plx_engine *eng)
{
	return !__atomic_load_n(&eng->closed, __ATOMIC_ACQUIRE);
}

bool plx_engine_running(const struct plx_engine *eng)
{
	return __atomic_load_n(&eng->running, __ATOMIC_ACQUIRE) == eng->n;
}

uint32_t plx_engine_mbufs_out(struct plx_engine *eng)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < eng->n; i++) {
		const struct plx_softnet *sn = eng->sn[i];

		n += sn->pool ? rte_mempool_in_use_count(sn->pool) : 0;
		n += sn->clones ? rte_mempool_in_use_count(sn->clones) : 0;
		n += sn->reserve ? rte_mempool_in_use_count(sn->reserve) : 0;
	}
	return n;
}

void plx_engine_close_ports(struct plx_engine *eng)
{
	for (uint16_t i = 0; i < eng->n; i++) {
		engine__hand_sweep(eng->sn[i]);
		engine__idle_fini(eng->sn[i]);
		engine__gro_fini(eng->sn[i]);
		eng->sn[i]->n_rxq = 0;
	}
	for (uint16_t i = 0; i < plx_port_count();
		i++) { /* all: one may receive what another sends */
		const struct plx_port *p = plx_port_get(i);

		for (uint16_t q = 0; engine__owns(eng, i) && q < p->n_txq; q++)
			plx_txq_flush(p->txq[q]);
	}
	for (uint16_t i = 0; i < plx_port_count(); i++) {
		if (!engine__owns(eng, i))
			continue;
		eng->kept += plx_port_kept_mbufs(plx_port_get(i)); /* 0 once it is closed */
		plx_port_close(plx_port_get(i));
	}
}

uint32_t plx_engine_destroy(struct plx_engine *eng)
{
	uint32_t leaked;

	plx_engine_close_ports(eng);
	leaked = plx_engine_mbufs_out(eng);
	leaked -= PLX_MIN(leaked, eng->kept);
	engine_free(eng);
	return leaked;
}

uint64_t plx_engine_held(struct plx_engine *eng)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < eng->n; i++) {
		n += engine__gro_held(eng->sn[i]);
		n += plx_count_read(eng->sn[i]->more_out) - plx_count_read(eng->sn[i]->more_in);
		for (uint16_t j = 0; j < eng->n; j++) {
			n += plx_count_read(eng->sn[i]->out[j].n);
			n += eng->sn[i]->in[j] ? plx_ring_count(eng->sn[i]->in[j]) : 0;
		}
	}
	for (uint16_t i = 0; i < plx_port_count(); i++) {
		const struct plx_port *p = plx_port_get(i);

		for (uint16_t q = 0; engine__owns(eng, i) && q < p->n_txq; q++)
			n += plx_txq_wire(p->txq[q]);
	}
	return n;
}

uint16_t plx_engine_lcores(const struct plx_engine *eng)
{
	return eng->n;
}

struct plx_softnet *plx_engine_softnet(struct plx_engine *eng, uint16_t index)
{
	return index < eng->n ? eng->sn[index] : NULL;
}

void *plx_engine_arg(const struct plx_engine *eng)
{
	return eng->conf.arg;
}

struct rte_rcu_qsbr *plx_engine_rcu(struct plx_engine *eng)
{
	return eng->rcu;
}

void plx_softnet_add_poller(struct plx_softnet *sn, struct plx_poller *p)
{
	p->next = sn->pollers;
	sn->pollers = p;
}
