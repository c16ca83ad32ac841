/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

#define LCORES 6 /* no power of two: there are lcore numbers that no lcore has */
#define QUEUES 3
#define START  0xffffff80u /* the backlogs' counters soon wrap */

/* A device of three queues, and each lcore's backlog as the list of who waits in it. */
static struct world {
	struct plx_rfs r;
	struct plx_rfs_queue queue[QUEUES];
	struct plx_rfs_socks socks;
	struct plx_lcore_set online;
	const uint32_t *head_of[LCORES];
	uint32_t head[LCORES], tail[LCORES];
	struct waiting {
		const struct plx_rfs_flow *flow; /* NULL: RPS brought it */
	} wait[LCORES][4096];
	unsigned int first[LCORES], last[LCORES];
	/* what the device was asked for */
	uint16_t rmap[LCORES];
	uint16_t to;
	uint32_t slot, hash;
	unsigned int asked;
	int answer;
} w;

static int flow_steer(void *arg, uint16_t queue, uint32_t slot, uint32_t hash)
{
	struct world *x = arg;

	x->to = queue;
	x->slot = slot;
	x->hash = hash;
	x->asked++;
	return x->answer;
}

/* Tables of so many slots each; 0: none. */
static void up(uint32_t entries, const uint32_t slots[QUEUES])
{
	memset(&w, 0, sizeof(w));
	plx_lcore_set_first(&w.online, LCORES);
	w.r = (struct plx_rfs){.socks = &w.socks,
		.queue = w.queue,
		.queues = QUEUES,
		.lcores = LCORES,
		.online = &w.online,
		.head = w.head_of,
		.arg = &w};
	for (unsigned int i = 0; i < LCORES; i++) {
		w.head_of[i] = &w.head[i];
		w.head[i] = w.tail[i] = START;
		w.rmap[i] = (uint16_t)(i % QUEUES);
	}
	if (entries)
		eq(plx_steer_rfs_socks_init(
			   &w.socks, malloc(plx_steer_rfs_socks_bytes(entries)), entries, LCORES),
			0);
	for (unsigned int q = 0; q < QUEUES; q++)
		if (slots[q])
			eq(plx_steer_rfs_flows_init(&w.queue[q].flows,
				   malloc(plx_steer_rfs_flows_bytes(slots[q])), slots[q]),
				0);
}

static int down(void **state)
{
	free(w.socks.ent);
	for (unsigned int q = 0; q < QUEUES; q++)
		free(w.queue[q].flows.flow);
	memset(&w, 0, sizeof(w));
	return 0;
}

static void put(uint16_t lcore, struct plx_rfs_flow *flow)
{
	w.wait[lcore][w.last[lcore]++ % 4096].flow = flow;
	plx_steer_rfs_enqueued(flow, ++w.tail[lcore]);
}

static void take(uint16_t lcore, unsigned int n)
{
	for (; n && w.first[lcore] < w.last[lcore]; n--) {
		w.first[lcore]++;
		w.head[lcore]++;
	}
}

static bool waits(uint16_t lcore, const struct plx_rfs_flow *flow)
{
	for (unsigned int i = w.first[lcore]; i < w.last[lcore]; i++)
		if (w.wait[lcore][i % 4096].flow == flow)
			return true;
	return false;
}

static struct plx_steer_choice packet(uint16_t queue, uint32_t hash)
{
	struct plx_steer_choice c;

	plx_steer_choose(&w.r, queue, hash, &c);
	if (c.lcore != PLX_STEER_NO_LCORE)
		put(c.lcore, c.flow);
	return c;
}

#define ALL_16 ((const uint32_t[QUEUES]){16, 16, 16})

static void map_all(uint16_t queue)
{
	plx_steer_rps_set(&w.queue[queue].rps, &w.online, &w.online);
}

T(a_queue_without_tables_keeps_its_packets)
{
	up(16, (const uint32_t[QUEUES]){0, 0, 0});
	eq(packet(0, 1234).rule, PLX_STEER_NO_TABLES);
	map_all(1);
	eq(packet(1, 0).rule, PLX_STEER_NO_HASH);
	eq(packet(1, 0x80001234).rule, PLX_STEER_RPS);
	eq(packet(1, 0x80001234).lcore, LCORES / 2);
	eq(packet(0, 0x80001234).lcore, PLX_STEER_NO_LCORE);
}

T(rfs_needs_both_tables)
{
	up(0, ALL_16);
	plx_steer_rfs_record(&w.socks, 0x12345678, 3); /* goes nowhere */
	eq(packet(0, 0x12345678).rule, PLX_STEER_NO_MAP);
	down(NULL);
	up(16, (const uint32_t[QUEUES]){16, 0, 0});
	plx_steer_rfs_record(&w.socks, 0x12345678, 3);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RFS_MOVES);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RFS_THERE);
	map_all(1);
	eq(packet(1, 0x12345678).rule, PLX_STEER_RPS);
}

T(an_entry_of_another_hash_is_none)
{
	struct plx_steer_choice c;

	up(16, ALL_16);
	map_all(0);
	plx_steer_rfs_record(&w.socks, 0x12345678, 3);
	c = packet(0, 0x22345678);
	eq(c.rule, PLX_STEER_RPS);
	ok(c.rfs && !c.match);
	/* Hashes that differ in the bits where the lcore stands cannot be told apart; but these are
	 * of the entry's place, too. */
	ok(packet(0, 0x12345678).match);
	ok(!packet(0, 0x1234567f).match);
	/* All bits above the lcore's tell: this one is the entry's seventh. */
	ok(!packet(0, 0x12345678 ^ 0x40).match);
	/* The last to be used has the place. */
	plx_steer_rfs_record(&w.socks, 0x22345678, 4);
	ok(!packet(0, 0x12345678).match);
	eq(packet(0, 0x22345678).lcore, 4);
	plx_steer_rfs_record(&w.socks, 0, 5);
	eq(w.socks.ent[0], PLX_STEER_NO_LCORE);
}

/* The conversation that RFS is about: the program moves, its packets follow once it is safe. */
T(a_flow_moves_when_its_last_packet_is_out_of_the_old_backlog)
{
	struct plx_steer_choice c;

	up(16, ALL_16);
	plx_steer_rfs_record(&w.socks, 0x12345678, 1);
	eq(packet(0, 0x12345678).lcore, 1);
	eq(packet(0, 0x12345678).lcore, 1);
	plx_steer_rfs_record(&w.socks, 0x12345678, 2);
	take(1, 1);
	c = packet(0, 0x12345678); /* one still waits there */
	eq(c.rule, PLX_STEER_RFS_HELD);
	eq(c.lcore, 1);
	eq(c.want, 2);
	take(1, 1);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RFS_HELD); /* and now that one */
	take(1, 2);
	c = packet(0, 0x12345678);
	eq(c.rule, PLX_STEER_RFS_MOVES);
	eq(c.lcore, 2);
	eq(c.was, 1);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RFS_THERE);
}

T(an_lcore_that_left_holds_nothing)
{
	up(16, ALL_16);
	plx_steer_rfs_record(&w.socks, 0x12345678, 1);
	packet(0, 0x12345678);
	plx_steer_rfs_record(&w.socks, 0x12345678, 2);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RFS_HELD);
	plx_lcore_set_del(&w.online, 1);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RFS_MOVES);
	/* Where the socket is used nobody polls: the map decides. */
	plx_lcore_set_del(&w.online, 2);
	eq(packet(0, 0x12345678).rule, PLX_STEER_NO_MAP);
	map_all(0);
	eq(packet(0, 0x12345678).rule, PLX_STEER_RPS);
}

T(looking_changes_nothing)
{
	struct plx_rfs_flow before[16];
	struct plx_steer_choice look, done;

	up(16, ALL_16);
	plx_steer_rfs_record(&w.socks, 0x12345678, 1);
	memcpy(before, w.queue[0].flows.flow, sizeof(before));
	plx_steer_look(&w.r, 0, 0x12345678, &look);
	mem_eq(before, w.queue[0].flows.flow, sizeof(before));
	plx_steer_choose(&w.r, 0, 0x12345678, &done);
	mem_eq(&look, &done, sizeof(look));
	ok(memcmp(before, w.queue[0].flows.flow, sizeof(before)) != 0);
}

/* --- against a model ----------------------------------------------------------------------------
 *
 * Which socket was used where is a list of what happened, read from its end; a slot is held while
 * the list of its lcore's backlog has one of its packets.
 */

static struct model {
	struct {
		uint32_t hash;
		uint16_t lcore;
	} used[20000];
	unsigned int n;
	int lcore[QUEUES][4096]; /* of a slot; -1 */
} model;

/* @return the lcore of the last use in the entry's place, if that was of this hash; -1. */
static int used_on(uint32_t hash, uint32_t entries)
{
	for (unsigned int i = model.n; i-- > 0;) {
		if (model.used[i].hash % entries != hash % entries)
			continue;
		return model.used[i].hash / 8 == hash / 8 ? model.used[i].lcore : -1;
	}
	return -1;
}

static unsigned int model_slot(uint32_t hash, unsigned int slots)
{
	return (unsigned int)(((uint64_t)(uint32_t)(hash * 1640531527u) * slots) >> 32);
}

static bool online(int lcore)
{
	return lcore >= 0 && lcore < LCORES && plx_lcore_set_has(&w.online, (uint32_t)lcore);
}

/* @return the lcore, or -1: stays. */
static int model_choose(uint16_t q, uint32_t hash, uint32_t entries, unsigned int slots)
{
	const struct plx_rps_map *m = &w.queue[q].rps;
	int want = slots ? used_on(hash, entries) : -1, rps;

	if (want >= 0) {
		unsigned int slot = model_slot(hash, slots);
		int *at = &model.lcore[q][slot];

		if (*at != want &&
			(!online(*at) || !waits((uint16_t)*at, &w.queue[q].flows.flow[slot])))
			*at = want;
		if (online(*at))
			return *at;
	}
	if (m->len == 0)
		return -1;
	rps = m->lcore[(uint64_t)hash * m->len / 4294967296u];
	return online(rps) ? rps : -1;
}

static void switch_lcore(struct plx_rng *rng)
{
	uint16_t lcore = (uint16_t)plx_rng_below(rng, LCORES);

	if (plx_lcore_set_has(&w.online, lcore)) {
		take(lcore, UINT32_MAX);
		plx_lcore_set_del(&w.online, lcore);
	} else {
		plx_lcore_set_add(&w.online, lcore);
	}
}

T(random_packets_go_where_the_model_says)
{
	const uint32_t entries = 64, slots[QUEUES] = {8, 64, 0};
	struct plx_rng rng;
	uint32_t hashes[40];
	unsigned int rules[PLX_STEER_RULES] = {0};

	plx_rng_init(&rng, t_seed(17));
	up(entries, slots);
	memset(&model, 0, sizeof(model));
	memset(model.lcore, -1, sizeof(model.lcore));
	for (size_t i = 0; i < PLX_DIM(hashes); i++)
		hashes[i] = plx_rng_u32(&rng) | 0x80000000;
	map_all(1);
	map_all(2);
	for (unsigned int step = 0; step < 60000; step++) {
		uint32_t hash = hashes[plx_rng_below(&rng, PLX_DIM(hashes))];
		uint16_t q = (uint16_t)plx_rng_below(&rng, QUEUES);
		uint64_t what = plx_rng_below(&rng, 100);

		if (what < 10 && model.n < PLX_DIM(model.used)) {
			uint16_t lcore = (uint16_t)plx_rng_below(&rng, LCORES);

			plx_steer_rfs_record(&w.socks, hash, lcore);
			model.used[model.n].hash = hash;
			model.used[model.n++].lcore = lcore;
		} else if (what < 55) {
			take((uint16_t)plx_rng_below(&rng, LCORES), 1 + step % 3);
		} else if (what == 99) {
			switch_lcore(&rng);
		} else {
			int wanted = model_choose(q, hash, entries, slots[q]);
			struct plx_steer_choice c = packet(q, hash);

			eq(c.lcore, wanted < 0 ? PLX_STEER_NO_LCORE : wanted);
			rules[c.rule]++;
		}
	}
	for (int i = 0; i < PLX_STEER_RULES; i++)
		if (i != PLX_STEER_NO_TABLES && i != PLX_STEER_NO_HASH)
			ok(rules[i] > 20);
}

/* --- aRFS --------------------------------------------------------------------------------------
 */

static void accelerated(const uint32_t slots[QUEUES])
{
	up(1024, slots);
	w.r.rmap = w.rmap;
	w.r.flow_steer = flow_steer;
	w.answer = 77;
}

T(a_flow_that_moves_gets_a_filter_to_the_queue_of_its_lcore)
{
	const uint32_t hash = 0x89abcdef;
	struct plx_steer_choice c;
	struct plx_rfs_flow *f;

	accelerated(ALL_16);
	plx_steer_rfs_record(&w.socks, hash, 1);
	c = packet(0, hash);
	eq(w.asked, 1);
	eq(w.to, 1);
	eq(w.hash, hash);
	f = &w.queue[1].flows.flow[w.slot];
	ok(c.flow == f); /* of the queue where the next ones come */
	eq(f->filter, 77);
	eq(f->hash, hash);
	eq(f->lcore, 1);
	eq(f->last_qtail, START + 1);
	eq(w.queue[0].flows.flow[c.slot].lcore, PLX_STEER_NO_LCORE);
	/* One that was on its way by queue 0 yet goes there, too, without another filter. */
	eq(packet(0, hash).lcore, 1);
	eq(w.asked, 1);
	/* The device does it: they come by queue 1, and are there. */
	eq(packet(1, hash).rule, PLX_STEER_RFS_THERE);
	eq(w.asked, 1);
}

T(the_slot_is_by_each_tables_own_size)
{
	static const uint32_t slots[QUEUES] = {4096, 2, 256};
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(19));
	accelerated(slots);
	for (int i = 0; i < 2000; i++) {
		uint32_t hash = plx_rng_u32(&rng) | 1;
		uint16_t lcore = (uint16_t)plx_rng_below(&rng, LCORES), q = (uint16_t)(i % QUEUES);
		unsigned int before = w.asked;
		struct plx_steer_choice c;

		plx_steer_rfs_record(&w.socks, hash, lcore);
		c = packet(q, hash);
		eq(c.slot, model_slot(hash, slots[q]));
		if (w.asked != before) {
			ok(w.slot < slots[w.to]);
			eq(w.slot, model_slot(hash, slots[w.to]));
			eq(w.to, lcore % QUEUES);
		}
		for (uint16_t l = 0; l < LCORES; l++)
			take(l, 2);
	}
	ok(w.asked > 200);
}

T(an_active_flows_filter_is_not_overwritten_by_another_flow)
{
	const uint32_t hash = 0x89abcdef, slots[QUEUES] = {1024, 1, 1};
	struct plx_rfs_flow *f;

	accelerated(slots);
	f = w.queue[1].flows.flow;
	plx_steer_rfs_record(&w.socks, hash, 1);
	packet(0, hash);
	eq(w.asked, 1);
	/* Another flow to the same lcore: queue 1's one slot is in use. */
	plx_steer_rfs_record(&w.socks, 0x11111111, 1);
	eq(packet(0, 0x11111111).rule, PLX_STEER_RFS_MOVES);
	eq(w.asked, 1);
	eq(f->hash, hash);
	/* Until ten packets for each slot of the table were taken out since. */
	for (int i = 0; i < 9; i++)
		put(1, NULL);
	take(1, 10); /* the flow's own, and 9: gone since its last: 9 */
	plx_steer_rfs_record(&w.socks, 0x22222222, 1);
	packet(0, 0x22222222);
	eq(w.asked, 1);
	put(1, NULL);
	take(1, 1);
	plx_steer_rfs_record(&w.socks, 0x33333333, 1);
	packet(0, 0x33333333);
	eq(w.asked, 2);
	eq(f->hash, 0x33333333);
}

T(a_flow_with_a_filter_that_moves_gets_another)
{
	const uint32_t hash = 0x89abcdef;

	accelerated(ALL_16);
	plx_steer_rfs_record(&w.socks, hash, 1);
	packet(0, hash);
	take(1, 1);
	plx_steer_rfs_record(&w.socks, hash, 2);
	w.answer = 78;
	eq(packet(1, hash).rule, PLX_STEER_RFS_MOVES);
	eq(w.to, 2);
	eq(w.queue[2].flows.flow[model_slot(hash, 16)].filter, 78);
	/* The old queue's slot keeps the old filter until the device asks and drops it. */
	eq(w.queue[1].flows.flow[model_slot(hash, 16)].filter, 77);
	/* A device that moved the filter, rather than to make another, says its number again. */
	take(2, 1);
	plx_steer_rfs_record(&w.socks, hash, 0);
	eq(packet(2, hash).rule, PLX_STEER_RFS_MOVES);
	eq(w.to, 0);
	eq(w.queue[0].flows.flow[model_slot(hash, 16)].filter, 78);
	eq(w.queue[2].flows.flow[model_slot(hash, 16)].filter, PLX_RFS_NO_FILTER);
}

T(a_device_that_refuses_leaves_it_to_software)
{
	const uint32_t hash = 0x89abcdef;
	struct plx_steer_choice c;

	accelerated(ALL_16);
	w.answer = -ENOSPC;
	plx_steer_rfs_record(&w.socks, hash, 1);
	c = packet(0, hash);
	eq(c.rule, PLX_STEER_RFS_MOVES);
	eq(c.lcore, 1);
	ok(c.flow == &w.queue[0].flows.flow[c.slot]);
	eq(c.flow->filter, PLX_RFS_NO_FILTER);
	/* Nor is it asked where the packets come already, or where the queue has no table. */
	w.answer = 1;
	plx_steer_rfs_record(&w.socks, 0x11111111, 0);
	packet(0, 0x11111111);
	eq(w.asked, 1);
	free(w.queue[1].flows.flow);
	w.queue[1].flows.flow = NULL;
	plx_steer_rfs_record(&w.socks, 0x22222222, 4);
	packet(0, 0x22222222);
	eq(w.asked, 1);
}

/* Ten times its table's size of packets may go by. */
T(filters_expire_when_their_flow_is_not_active)
{
	const uint32_t hash = 0x89abcdef, slots[QUEUES] = {16, 4, 0};
	uint32_t slot = model_slot(hash, 4);

	accelerated(slots);
	plx_steer_rfs_record(&w.socks, hash, 1);
	packet(0, hash);
	eq(w.slot, slot);
	ok(!plx_steer_rfs_may_expire(&w.r, 1, slot, 77));
	ok(plx_steer_rfs_may_expire(&w.r, 1, slot, 76)); /* another filter's */
	ok(plx_steer_rfs_may_expire(&w.r, 1, 4, 77));	 /* no such slot */
	ok(plx_steer_rfs_may_expire(&w.r, 2, 0, 77));	 /* no table */
	ok(plx_steer_rfs_may_expire(&w.r, QUEUES, 0, 77));
	for (int i = 0; i < 39; i++)
		put(1, NULL);
	take(1, 40);
	ok(!plx_steer_rfs_may_expire(&w.r, 1, slot, 77));
	put(1, NULL);
	take(1, 1);
	ok(plx_steer_rfs_may_expire(&w.r, 1, slot, 77));
}

T(sizes_are_rounded_up_and_bounded)
{
	struct plx_rfs_socks s;
	struct plx_rfs_flows t;
	void *mem = malloc(16 * sizeof(struct plx_rfs_flow));

	eq(plx_steer_rfs_socks_bytes(1), 4);
	eq(plx_steer_rfs_socks_bytes(9), 64);
	eq(plx_steer_rfs_flows_bytes(3), 4 * sizeof(struct plx_rfs_flow));
	eq(plx_steer_rfs_socks_init(&s, mem, 9, 5), 0);
	eq(s.mask, 15);
	eq(s.lcore_mask, 7);
	eq(plx_steer_rfs_flows_init(&t, mem, 9), 0);
	eq(t.log, 4);
	eq(plx_steer_rfs_flows_init(&t, mem, 1), 0);
	eq(plx_steer_hash_slot(UINT32_MAX, t.log), 0);
	eq(plx_steer_rfs_socks_init(&s, mem, 0, 1), -EINVAL);
	eq(plx_steer_rfs_socks_init(&s, mem, 1, 0), -EINVAL);
	eq(plx_steer_rfs_socks_init(&s, mem, 1, 257), -EINVAL);
	eq(plx_steer_rfs_socks_init(&s, mem, PLX_RFS_SOCKS_MAX + 1, 1), -EINVAL);
	eq(plx_steer_rfs_flows_init(&t, mem, 0), -EINVAL);
	eq(plx_steer_rfs_flows_init(&t, mem, PLX_RFS_FLOWS_MAX + 1), -EINVAL);
	free(mem);
}

#define W_(name) cmocka_unit_test_teardown(name, down)

RUN(W_(a_queue_without_tables_keeps_its_packets), W_(rfs_needs_both_tables),
	W_(an_entry_of_another_hash_is_none),
	W_(a_flow_moves_when_its_last_packet_is_out_of_the_old_backlog),
	W_(an_lcore_that_left_holds_nothing), W_(looking_changes_nothing),
	W_(random_packets_go_where_the_model_says),
	W_(a_flow_that_moves_gets_a_filter_to_the_queue_of_its_lcore),
	W_(the_slot_is_by_each_tables_own_size),
	W_(an_active_flows_filter_is_not_overwritten_by_another_flow),
	W_(a_flow_with_a_filter_that_moves_gets_another),
	W_(a_device_that_refuses_leaves_it_to_software),
	W_(filters_expire_when_their_flow_is_not_active), W_(sizes_are_rounded_up_and_bounded))
