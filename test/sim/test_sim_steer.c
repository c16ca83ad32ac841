/* SPDX-License-Identifier: BSD-3-Clause */
#include "../unit/t.h"
#include "table.h"

#include <string.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

/*
 * Steering beyond this machine: how evenly hash, table and map spread flows over lcores, what
 * handing over costs, and how often RFS finds the socket; held against golden tables. Flows are
 * random tuples of IPv4 with ports under a random key; the code is lib/steer's own.
 */

#define LOW_BITS  10 /* of the hash, for tables */
#define HIGH_BITS 16 /* for RPS' scaling */

/* The load of flows by what of their hash steers: all alike, or as 1/i (Zipf). */
enum load { EVEN, ZIPF, LOADS };

static struct spread {
	double low[LOADS][1 << LOW_BITS], high[LOADS][1 << HIGH_BITS];
	double all[LOADS], largest[LOADS];
} sp;

static uint32_t random_hash(const struct plx_toeplitz *t, struct plx_rng *rng)
{
	uint8_t b[8];
	struct plx_addr src, dst;

	plx_rng_bytes(rng, b, sizeof(b));
	src = plx_addr_from_v4(b);
	dst = plx_addr_from_v4(b + 4);
	return plx_steer_hash(
		t, &src, &dst, (uint16_t)plx_rng_u32(rng), (uint16_t)plx_rng_u32(rng), true);
}

static void random_key(struct plx_toeplitz *t, struct plx_rng *rng)
{
	uint8_t key[PLX_STEER_KEY_MIN];

	plx_rng_bytes(rng, key, sizeof(key));
	eq(plx_steer_toeplitz_init(t, key, sizeof(key)), 0);
}

static void spread(unsigned int flows)
{
	struct plx_toeplitz t;
	struct plx_rng rng;

	memset(&sp, 0, sizeof(sp));
	plx_rng_init(&rng, flows);
	random_key(&t, &rng);
	for (unsigned int i = 0; i < flows; i++) {
		uint32_t hash = random_hash(&t, &rng);
		double load[LOADS] = {1, 1.0 / (i + 1)};

		for (int k = 0; k < LOADS; k++) {
			sp.low[k][hash & ((1 << LOW_BITS) - 1)] += load[k];
			sp.high[k][hash >> (32 - HIGH_BITS)] += load[k];
			sp.all[k] += load[k];
			sp.largest[k] = PLX_MAX(sp.largest[k], load[k]);
		}
	}
}

static double largest_of(const double *v, unsigned int n)
{
	double max = 0;

	for (unsigned int i = 0; i < n; i++)
		max = PLX_MAX(max, v[i]);
	return max;
}

/* Largest over mean by a table of so many entries that is filled as by `ethtool -X equal`. */
static double by_table(enum load k, uint16_t size, uint16_t lcores)
{
	double v[256] = {0};
	struct plx_reta r;

	eq(plx_steer_reta_equal(&r, size, 0, lcores), 0);
	for (uint32_t i = 0; i < 1 << LOW_BITS; i++)
		v[plx_steer_reta_queue(&r, i)] += sp.low[k][i];
	return largest_of(v, lcores) * lcores / sp.all[k];
}

/* The same by a map of RPS; 16 bits of the hash are enough to scale. */
static double by_map(enum load k, uint16_t lcores)
{
	struct plx_lcore_set online;
	struct plx_rps_map m;
	double v[256] = {0};

	plx_lcore_set_first(&online, lcores);
	plx_steer_rps_set(&m, &online, &online);
	for (uint32_t i = 0; i < 1 << HIGH_BITS; i++)
		v[plx_steer_rps(&m, i << (32 - HIGH_BITS) | 1, &online)] += sp.high[k][i];
	return largest_of(v, lcores) * lcores / sp.all[k];
}

static int falling(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* What a rebalancer could reach with a table's buckets: the largest first, each to the lcore that
 * has the least. */
static double by_moves(enum load k, uint16_t size, uint16_t lcores)
{
	double bucket[PLX_RETA_SIZE_MAX] = {0}, v[256] = {0};

	for (uint32_t i = 0; i < 1 << LOW_BITS; i++)
		bucket[i % size] += sp.low[k][i];
	qsort(bucket, size, sizeof(bucket[0]), falling);
	for (uint16_t i = 0; i < size; i++) {
		unsigned int least = 0;

		for (unsigned int j = 1; j < lcores; j++)
			if (v[j] < v[least])
				least = j;
		v[least] += bucket[i];
	}
	return largest_of(v, lcores) * lcores / sp.all[k];
}

static void row(struct table *t, unsigned int flows, uint16_t lcores)
{
	fprintf(t->f, "%6u %8u |", lcores, flows);
	for (int k = 0; k < LOADS; k++) {
		for (uint16_t size = 128; size <= 1024; size *= 2)
			if (size == 256)
				continue;
			else if (lcores > size)
				fprintf(t->f, "      -");
			else
				fprintf(t->f, " %6.2f", by_table(k, size, lcores));
		fprintf(t->f, " %6.2f %6.2f |", by_map(k, lcores),
			by_moves(k, lcores >= 100 ? 1024 : 128, lcores));
	}
	fprintf(t->f, " %6.2f\n", PLX_MAX(1, sp.largest[ZIPF] * lcores / sp.all[ZIPF]));
}

static void imbalance(const char *name, unsigned int from, unsigned int to)
{
	static const uint16_t lcores[] = {2, 3, 6, 8, 12, 16, 24, 32, 48, 64, 100, 128, 200, 256};
	struct table t;

	table_open(&t,
		"Imbalance: the load of the busiest lcore over the mean.\n"
		"128, 512, 1024: RSS by a table of so many entries, equal; rps: by a map; moved: "
		"the 128 buckets (1,024\n"
		"from 100 lcores on), each put where the least is, the largest first. Even: all "
		"flows alike; Zipf: the\n"
		"i-th has 1/i of the first. bound: the largest flow alone.\n"
		"                |                even                |                Zipf"
		"                |\n"
		"lcores    flows |    128    512   1024    rps  moved |    128    512   1024    "
		"rps  "
		"moved |  bound");
	for (unsigned int flows = from; flows <= to; flows *= 10) {
		spread(flows);
		for (size_t i = 0; i < PLX_DIM(lcores); i++)
			row(&t, flows, lcores[i]);
	}
	ok(table_close(&t, name));
}

T(how_even_lcores_are)
{
	imbalance("steer_imbalance", 100, 100000);
}

T(how_even_lcores_are_with_millions_of_flows)
{
	imbalance("steer_imbalance_millions", 1000000, 10000000);
}

/* --- what handing over costs -------------------------------------------------------------------
 */

#define POLL 50	 /* cycles to receive a packet */
#define GIVE 30	 /* to hand it over */
#define TAKE 30	 /* to take it */
#define WORK 300 /* to handle it */

enum how { SAME, OTHER, ONE, HOWS };

/* How a packet comes to an lcore: by the hash of the owner map; by another hash, as the kernel's
 * fan-out does; by the one queue there is. */
static uint16_t received_by(enum how how, uint16_t owner, uint32_t other, uint16_t lcores)
{
	if (how == SAME)
		return owner;
	return how == ONE ? 0 : (uint16_t)plx_steer_reciprocal_scale(other, lcores);
}

static void hand_over(struct table *t, enum how how, uint16_t lcores)
{
	const unsigned int flows = 20000;
	struct plx_owner_map map;
	struct plx_toeplitz key;
	uint16_t lcore[256];
	double cycles[256] = {0}, handed = 0;
	struct plx_rng rng;

	for (uint16_t i = 0; i < lcores; i++)
		lcore[i] = i;
	eq(plx_steer_owner_init(&map, 1024, lcore, lcores), 0);
	plx_rng_init(&rng, lcores);
	random_key(&key, &rng);
	for (unsigned int i = 0; i < flows; i++) {
		uint16_t owner = plx_steer_owner(&map, random_hash(&key, &rng));
		uint16_t at = received_by(how, owner, plx_rng_u32(&rng), lcores);

		cycles[at] += POLL + (at != owner ? GIVE : 0);
		cycles[owner] += WORK + (at != owner ? TAKE : 0);
		handed += at != owner;
	}
	fprintf(t->f, " %6.1f%% %6.2f |", 100 * handed / flows,
		(double)flows * (POLL + WORK) / largest_of(cycles, lcores));
}

T(what_handing_over_costs)
{
	struct table t;

	table_open(&t,
		"Packets handed over, and how many times faster than one lcore: 20,000 flows "
		"alike, owner map of 1,024\n"
		"buckets; 50 cycles to receive a packet, 30 to hand it over, 30 to take it, 300 to "
		"handle it.\n"
		"lcores |   the map's hash |     another hash |        one queue |");
	for (uint16_t lcores = 2; lcores <= 256; lcores *= 2) {
		fprintf(t.f, "%6u |", lcores);
		for (int how = 0; how < HOWS; how++) {
			fprintf(t.f, " ");
			hand_over(&t, how, lcores);
		}
		fprintf(t.f, "\n");
	}
	ok(table_close(&t, "steer_hand_over"));
}

/* --- how often RFS finds the socket ------------------------------------------------------------
 *
 * Each packet comes by a random queue's lcore, is put in a backlog, and is read by a program on the
 * flow's lcore after it was taken out. Programs move now and then.
 */

#define RFS_LCORES  8
#define RFS_PACKETS 40000

static struct rfs_sim {
	struct plx_rfs r;
	struct plx_rfs_queue queue;
	struct plx_rfs_socks socks;
	struct plx_lcore_set online;
	uint32_t head[RFS_LCORES], tail[RFS_LCORES];
	const uint32_t *head_of[RFS_LCORES];
	struct waiting {
		uint32_t flow, number;
	} wait[RFS_LCORES][RFS_PACKETS];
	uint32_t hash[20000], sent[20000], seen[20000];
	uint16_t at[20000]; /* lcore of the flow's program */
	unsigned int right, by_rps, overtaken;
} rf;

static void rfs_up(uint32_t entries, uint32_t slots)
{
	plx_lcore_set_first(&rf.online, RFS_LCORES);
	rf.r = (struct plx_rfs){.socks = &rf.socks,
		.queue = &rf.queue,
		.queues = 1,
		.lcores = RFS_LCORES,
		.online = &rf.online,
		.head = rf.head_of};
	for (unsigned int i = 0; i < RFS_LCORES; i++)
		rf.head_of[i] = &rf.head[i];
	eq(plx_steer_rfs_socks_init(
		   &rf.socks, malloc(plx_steer_rfs_socks_bytes(entries)), entries, RFS_LCORES),
		0);
	eq(plx_steer_rfs_flows_init(
		   &rf.queue.flows, malloc(plx_steer_rfs_flows_bytes(slots)), slots),
		0);
	plx_steer_rps_set(&rf.queue.rps, &rf.online, &rf.online);
}

static void rfs_packet(uint32_t flow)
{
	struct plx_steer_choice c;
	struct waiting *w;

	plx_steer_choose(&rf.r, 0, rf.hash[flow], &c);
	w = &rf.wait[c.lcore][rf.tail[c.lcore]++];
	*w = (struct waiting){flow, ++rf.sent[flow]};
	plx_steer_rfs_enqueued(c.flow, rf.tail[c.lcore]);
	rf.by_rps += c.rule == PLX_STEER_RPS;
	rf.right += c.lcore == rf.at[flow];
}

static void rfs_take(uint16_t lcore)
{
	struct waiting *w;

	if (rf.head[lcore] == rf.tail[lcore])
		return;
	w = &rf.wait[lcore][rf.head[lcore]++];
	rf.overtaken += w->number < rf.seen[w->flow];
	rf.seen[w->flow] = PLX_MAX(rf.seen[w->flow], w->number);
	plx_steer_rfs_record(&rf.socks, rf.hash[w->flow], rf.at[w->flow]);
}

static void rfs_row(struct table *t, uint32_t flows, uint32_t entries, uint32_t slots)
{
	struct plx_rng rng;

	memset(&rf, 0, sizeof(rf));
	rfs_up(entries, slots);
	plx_rng_init(&rng, flows + entries);
	for (uint32_t i = 0; i < flows; i++) {
		rf.hash[i] = plx_rng_u32(&rng) | 0x80000000;
		rf.at[i] = (uint16_t)plx_rng_below(&rng, RFS_LCORES);
		plx_steer_rfs_record(&rf.socks, rf.hash[i], rf.at[i]);
	}
	for (unsigned int i = 0; i < RFS_PACKETS; i++) {
		uint32_t flow = (uint32_t)plx_rng_below(&rng, flows);

		if (plx_rng_below(&rng, 1000) == 0)
			rf.at[flow] = (uint16_t)plx_rng_below(&rng, RFS_LCORES);
		rfs_packet(flow);
		for (unsigned int n = 0; n < 1 + (i % 5 == 0); n++)
			rfs_take((uint16_t)plx_rng_below(&rng, RFS_LCORES));
	}
	fprintf(t->f, "%6u %8u %6u | %5.1f%% %5.1f%% %9u\n", flows, entries, slots,
		100.0 * rf.right / RFS_PACKETS, 100.0 * rf.by_rps / RFS_PACKETS, rf.overtaken);
	free(rf.socks.ent);
	free(rf.queue.flows.flow);
}

T(how_often_rfs_finds_the_socket)
{
	static const uint32_t flows[] = {100, 1000, 10000}, entries[] = {256, 4096, 32768};
	struct table t;

	table_open(&t,
		"RFS: 40,000 packets of flows alike on 8 lcores, whose programs move once in 1,000 "
		"packets. right: went to\n"
		"the lcore of the program; rps: the global table did not know the flow; overtaken: "
		"came after a later\n"
		"packet of its flow. A flow that another took the entry from goes by RPS, and may "
		"overtake itself then.\n"
		" flows  entries  slots |  right    rps overtaken");
	for (size_t i = 0; i < PLX_DIM(flows); i++)
		for (size_t k = 0; k < PLX_DIM(entries); k++)
			rfs_row(&t, flows[i], entries[k], entries[k]);
	ok(table_close(&t, "steer_rfs"));
}

RUN(T_(how_even_lcores_are), T_(how_even_lcores_are_with_millions_of_flows),
	T_(what_handing_over_costs), T_(how_often_rfs_finds_the_socket))
