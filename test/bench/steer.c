/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each step of steering costs a packet, with what it reads in the cache: cycles of the TSC,
 * the best and the median of many batches, a JSON object a line.
 *
 *   bench steer CPUS [seconds]
 *
 * With "0,1" for CPUS also what it costs to hand a packet over, by two lcores that do nothing but
 * hand the same packets back and forth: the cycles that each is busy, for each packet that it takes
 * and gives, so one hand-over. It starts EAL by itself, without huge pages or devices.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_engine.h>
#include <plx_steer.h>
#include <plx_wire.h>

#define TUPLES	 1024
#define BATCHES	 500
#define SAMPLES	 16384
#define SAMPLE	 2048 /* packets in a sample of the hand-over */
#define GIVEN_UP 20   /* seconds that some samples may take on a busy machine */

static struct plx_tuple tuple[2][TUPLES]; /* of IPv4, of IPv6 */
static uint8_t packet[2][TUPLES][64];
static uint32_t hash[TUPLES];
static struct plx_toeplitz key;
static struct plx_rps_map map;
static struct plx_lcore_set online;
static struct plx_owner_map owners;
static struct plx_pins none, pins;
static struct plx_flow_limit limit;

static int by_size(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return d < 0 ? -1 : d > 0;
}

static void report(const char *what, double *v, unsigned int n)
{
	if (n == 0)
		exit(1);
	qsort(v, n, sizeof(*v), by_size);
	printf("{\"what\":\"%s\",\"best\":%.1f,\"median\":%.1f}\n", what, v[0], v[n / 2]);
	fflush(stdout);
}

/* ---- by the tuple ---- */

static void make_tuple(struct plx_rng *r, bool v6, unsigned int i)
{
	struct plx_tuple *t = &tuple[v6][i];
	uint8_t *p = packet[v6][i];

	plx_rng_bytes(r, p, sizeof(packet[v6][i]));
	if (v6) {
		p[0] = 0x60;
		p[6] = PLX_IPPROTO_UDP;
	} else {
		p[0] = 0x45;
		memset(p + 6, 0, 2);
		p[9] = PLX_IPPROTO_UDP;
	}
	if (!plx_wire_tuple_l3(t, p, sizeof(packet[v6][i])))
		abort();
}

static int make(void)
{
	static uint8_t buckets[PLX_FLOW_LIMIT_BUCKETS];
	static const uint64_t secret[2] = {1, 2};
	const uint16_t lcores[] = {0, 1};
	uint8_t bytes[PLX_STEER_KEY_MIN];
	struct plx_rng r;

	plx_rng_init(&r, 1);
	plx_rng_bytes(&r, bytes, sizeof(bytes));
	plx_steer_toeplitz_init(&key, bytes, sizeof(bytes));
	key.symmetric = true;
	for (unsigned int i = 0; i < TUPLES; i++) {
		make_tuple(&r, false, i);
		make_tuple(&r, true, i);
		hash[i] = plx_rng_u32(&r);
	}
	plx_lcore_set_first(&online, 2);
	plx_steer_rps_set(&map, &online, &online);
	plx_steer_limit_init(&limit, buckets, sizeof(buckets));
	plx_steer_pins_init(&none, malloc(plx_steer_pins_bytes(TUPLES)), TUPLES, secret);
	plx_steer_pins_init(&pins, malloc(plx_steer_pins_bytes(TUPLES)), TUPLES, secret);
	for (unsigned int i = 0; i < TUPLES; i++)
		if (plx_steer_pins_add(&pins, &tuple[0][i], 1) != 0)
			return -1;
	return plx_steer_owner_init(&owners, 128, lcores, 2);
}

static uint32_t find_tuple(bool v6, unsigned int i)
{
	struct plx_tuple t;

	plx_wire_tuple_l3(&t, packet[v6][i], sizeof(packet[v6][i]));
	return t.sport;
}

/* What lib/net/rps.c does for a packet without a hash of its device's. */
static uint32_t whole_rps(bool v6, unsigned int i)
{
	struct plx_tuple t;

	plx_wire_tuple_l3(&t, packet[v6][i], sizeof(packet[v6][i]));
	return plx_steer_rps(&map, plx_steer_rps_hash(&key, &t, 0, 0), &online);
}

static uint32_t hash_of(bool v6, unsigned int i)
{
	return plx_steer_hash_tuple(&key, &tuple[v6][i]);
}

static uint32_t rps(bool v6, unsigned int i)
{
	return plx_steer_rps(&map, hash[i], &online);
}

static uint32_t half_empty(bool v6, unsigned int i)
{
	return plx_steer_limit_applies(&limit, 100, 1000);
}

static uint32_t limited(bool v6, unsigned int i)
{
	return plx_steer_limit(&limit, hash[i], 600, 1000);
}

static uint32_t owner(bool v6, unsigned int i)
{
	return plx_steer_owner(&owners, hash[i]);
}

static uint32_t owner_by_tuple(bool v6, unsigned int i)
{
	return plx_steer_owner(&owners, plx_steer_hash_tuple(&key, &tuple[v6][i]));
}

static uint32_t no_pin(bool v6, unsigned int i)
{
	return (uint32_t)plx_steer_pins_find(&none, &tuple[v6][i]);
}

static uint32_t pin(bool v6, unsigned int i)
{
	return (uint32_t)plx_steer_pins_find(&pins, &tuple[v6][i]);
}

/* A step is inlined where it is measured. */
#define MEASURE(what, v6, fn)                                                                      \
	do {                                                                                       \
		double v_[BATCHES];                                                                \
		uint32_t sum_ = 0;                                                                 \
		for (int b_ = 0; b_ < BATCHES; b_++) {                                             \
			uint64_t t_ = rte_rdtsc();                                                 \
			for (unsigned int i_ = 0; i_ < TUPLES; i_++) {                             \
				sum_ += fn(v6, i_);                                                \
				__asm__ volatile("" : "+r"(sum_)::"memory");                       \
			}                                                                          \
			v_[b_] = (double)(rte_rdtsc() - t_) / TUPLES;                              \
		}                                                                                  \
		report(what, v_, BATCHES);                                                         \
	} while (0)

static void measure(void)
{
	MEASURE("tuple of a packet, IPv4", false, find_tuple);
	MEASURE("tuple of a packet, IPv6", true, find_tuple);
	MEASURE("hash of a tuple, IPv4", false, hash_of);
	MEASURE("hash of a tuple, IPv6", true, hash_of);
	MEASURE("RPS: lcore of a hash", false, rps);
	MEASURE("RPS: lcore of a packet, IPv4", false, whole_rps);
	MEASURE("RPS: lcore of a packet, IPv6", true, whole_rps);
	MEASURE("flow limit, backlog not half full", false, half_empty);
	MEASURE("flow limit, asked", false, limited);
	MEASURE("owner of a hash", false, owner);
	MEASURE("owner of a tuple, IPv4", false, owner_by_tuple);
	MEASURE("owner of a tuple, IPv6", true, owner_by_tuple);
	MEASURE("pin, none there", false, no_pin);
	MEASURE("pin, found among 1,024", false, pin);
}

/* ---- the hand-over ---- */

static struct side {
	uint64_t pkts, cycles; /* when the last sample began */
	uint32_t n;
	double v[SAMPLES];
} PLX_ALIGNED side[2];
static uint32_t under_way;
static uint64_t until, given_up;

static void to_the_other(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	if (plx_unlikely(plx_engine_stopping(sn->eng))) {
		plx_pkt_deliver_bulk(pkts, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++)
		plx_softnet_hand(sn, !sn->index, pkts[i]);
}

static void nothing(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_pkt_deliver_bulk(pkts, n);
}

static bool enough(void)
{
	return plx_count_read(side[0].n) > 32 && plx_count_read(side[1].n) > 32;
}

/* Once a pass; counts itself as no work. */
static uint32_t sample(struct plx_softnet *sn, void *arg)
{
	struct side *s = &side[sn->index];
	uint64_t pkts = sn->processed - s->pkts, cycles = sn->busy_cycles - s->cycles;

	if (sn->index == 0 && rte_rdtsc() > until && (enough() || rte_rdtsc() > given_up))
		plx_engine_stop(sn->eng);
	if (sn->passes == 0)
		for (uint32_t i = 0; sn->index == 0 && i < under_way; i++) {
			struct rte_mbuf *m = plx_softnet_alloc(sn);

			if (!m)
				break;
			plx_pkt_originate(1);
			plx_pkt_meta(m)->stage = 0;
			plx_softnet_hand(sn, 1, m);
		}
	if (pkts < SAMPLE)
		return 0;
	s->v[s->n % SAMPLES] = (double)cycles / (double)pkts;
	plx_count(s->n, 1);
	s->pkts = sn->processed;
	s->cycles = sn->busy_cycles;
	return 0;
}

static int hand_over(uint32_t n, double seconds)
{
	static const struct plx_engine_ops ops = {.rx = nothing, .backlog = to_the_other};
	const struct plx_engine_conf conf = {.ops = &ops, .no_rx = true, .spare_lcores = true};
	struct plx_poller poller[2] = {{.run = sample}, {.run = sample}};
	static double v[2 * SAMPLES];
	struct plx_error e = {0};
	struct plx_engine *eng = plx_engine_create(&conf, &e);
	unsigned int all = 0;
	char what[64];
	uint32_t leaked;

	memset(side, 0, sizeof(side));
	under_way = n;
	if (!eng || plx_engine_open_ports(eng, &e) != 0) {
		fprintf(stderr, "bench_steer: %s; %s\n", e.text, e.remedy);
		return 1;
	}
	for (uint16_t i = 0; i < 2; i++)
		plx_softnet_add_poller(plx_engine_softnet(eng, i), &poller[i]);
	until = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());
	given_up = until + GIVEN_UP * rte_get_tsc_hz();
	plx_engine_run(eng);
	leaked = plx_engine_destroy(eng);
	for (int i = 0; i < 2; i++)
		for (uint32_t k = 1; k < PLX_MIN(side[i].n, SAMPLES);
			k++) /* without the first one */
			v[all++] = side[i].v[k];
	snprintf(what, sizeof(what), "hand-over, %u under way", n);
	report(what, v, all);
	return leaked != 0;
}

static int start(char *cpus)
{
	char name[] = "bench_steer", huge[] = "--no-huge", pci[] = "--no-pci", mem[] = "-m";
	char mib[] = "128", files[] = "--no-shconf", tel[] = "--no-telemetry", lc[] = "-l";
	char prefix[] = "--file-prefix", unique[32], level[] = "--log-level=error";
	char *argv[] = {name, huge, pci, mem, mib, files, tel, lc, cpus, prefix, unique, level};

	snprintf(unique, sizeof(unique), "plx-bench-%d", (int)getpid());
	return rte_eal_init((int)PLX_DIM(argv), argv) < 0 ? -1 : plx_pkt_init();
}

int bench_steer(int argc, char **argv)
{
	static const uint32_t sizes[] = {32, 128, 512};
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	struct plx_error e = {.text = "no pipe"};
	int rc = 0;

	if (argc < 2 || start(argv[1]) != 0 || make() != 0)
		return 1;
	measure();
	if (rte_lcore_count() > 1 && plx_port_create("a=pipe,peer=b", &e) != 0)
		return 1;
	for (unsigned int i = 0; rte_lcore_count() > 1 && !rc && i < PLX_DIM(sizes); i++)
		rc = hand_over(sizes[i], seconds);
	plx_port_fini_all();
	return rte_eal_cleanup() || rc;
}
