/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>
#include <plx_wire_ip.h>

#define LCORES 8

/* The first row of Microsoft's suite: its hash is 0x51ccc178 with ports, 0x323e8fc2 without. */
static struct plx_tuple tuple(uint8_t proto)
{
	struct plx_tuple t = {.proto = proto, .sport = 2794, .dport = 1766};

	eq(plx_addr_parse(&t.src, "66.9.149.187"), 0);
	eq(plx_addr_parse(&t.dst, "161.142.100.80"), 0);
	return t;
}

static struct world {
	struct plx_rss rss;
	struct plx_reta reta;
	struct plx_rfs_queue queue[4];
	struct plx_rfs_socks socks;
	struct plx_rfs rfs;
	struct plx_lcore_set online;
	struct plx_flow_limit limit;
	struct plx_owner_map owners;
	struct plx_pins pins;
	struct plx_steer_tables t;
	uint32_t head[LCORES], ents[64];
	const uint32_t *head_of[LCORES];
	struct plx_rfs_flow flows[4][16];
	uint8_t buckets[4096];
	_Alignas(8) uint8_t pin_mem[1024];
} w;

static int up(void **state)
{
	static const uint16_t lcores[] = {4, 5, 6, 7};
	static const uint64_t key[2] = {1, 2};

	memset(&w, 0, sizeof(w));
	w.rss.types = PLX_RSS_ALL;
	eq(plx_steer_toeplitz_init(&w.rss.key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN), 0);
	eq(plx_steer_reta_equal(&w.reta, 128, 0, 4), 0);
	plx_lcore_set_first(&w.online, LCORES);
	for (unsigned int i = 0; i < LCORES; i++)
		w.head_of[i] = &w.head[i];
	w.rfs = (struct plx_rfs){.socks = &w.socks,
		.queue = w.queue,
		.queues = 4,
		.lcores = LCORES,
		.online = &w.online,
		.head = w.head_of};
	eq(plx_steer_limit_init(&w.limit, w.buckets, sizeof(w.buckets)), 0);
	eq(plx_steer_owner_init(&w.owners, 128, lcores, 4), 0);
	ok(plx_steer_pins_bytes(4) <= sizeof(w.pin_mem));
	plx_steer_pins_init(&w.pins, w.pin_mem, 4, key);
	w.t = (struct plx_steer_tables){.rss = &w.rss, .reta = &w.reta};
	return 0;
}

static struct plx_steer_explain explain(struct plx_tuple t)
{
	struct plx_steer_explain e;

	plx_steer_explain(&e, &w.t, &t);
	return e;
}

T(rss_alone_is_hash_bucket_queue)
{
	static const uint8_t input[] = {66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6};
	static const uint16_t polled_by[] = {7, 6, 5, 3};
	struct plx_steer_explain e = explain(tuple(PLX_IPPROTO_TCP));

	eq(e.how, PLX_RSS_PORTS);
	eq(e.input_bytes, sizeof(input));
	mem_eq(e.input, input, sizeof(input));
	eq(e.hash, 0x51ccc178);
	eq(e.bucket, 0x78);
	eq(e.queue, 0x78 % 4);
	eq(e.received, e.queue);
	eq(e.by, PLX_STEER_BY_QUEUE);
	eq(e.lcore, e.queue);
	ok(!e.steered && !e.limited && !e.owned && e.pin == -ENOENT);
	w.t.queue_lcore = polled_by;
	e = explain(tuple(PLX_IPPROTO_TCP));
	eq(e.received, 7);
	eq(e.lcore, 7);
}

T(what_is_hashed_is_shown)
{
	struct plx_tuple t = tuple(PLX_IPPROTO_ICMP);
	struct plx_steer_explain e = explain(t);

	eq(e.how, PLX_RSS_ADDRS);
	eq(e.input_bytes, 8);
	eq(e.hash, 0x323e8fc2);
	w.rss.types = PLX_RSS_IPV4_TCP;
	e = explain(t);
	eq(e.how, PLX_RSS_NONE);
	eq(e.input_bytes, 0);
	eq(e.hash, 0);
	eq(e.queue, 0);
}

/* What is shown is what was hashed: any tuple, symmetric or not. */
T(the_input_shown_hashes_to_the_hash)
{
	static const uint8_t protos[] = {6, 17, 1, 132};
	struct plx_rng rng;
	unsigned int sorted = 0;

	plx_rng_init(&rng, t_seed(23));
	for (int i = 0; i < 2000; i++) {
		struct plx_tuple t = {.sport = (uint16_t)plx_rng_u32(&rng),
			.dport = (uint16_t)plx_rng_u32(&rng),
			.proto = protos[i % 4],
			.frag = i % 7 == 0};
		uint8_t b[32];
		struct plx_steer_explain e;

		plx_rng_bytes(&rng, b, sizeof(b));
		t.src = i & 4 ? plx_addr_from_v4(b) : plx_addr_from_v6(b);
		t.dst = i & 4 ? plx_addr_from_v4(b + 16) : plx_addr_from_v6(b + 16);
		w.rss.key.symmetric = i & 8;
		e = explain(t);
		eq(plx_steer_hash_bits(w.rss.key.key, PLX_STEER_KEY_MIN, e.input, e.input_bytes),
			e.hash);
		sorted += e.sorted_addrs + e.sorted_ports;
		ok((i & 8) || !(e.sorted_addrs || e.sorted_ports));
	}
	ok(sorted > 300);
}

T(rps_sends_it_to_the_maps_entry)
{
	struct plx_steer_explain e;

	w.t.rfs = &w.rfs;
	e = explain(tuple(PLX_IPPROTO_TCP));
	ok(e.steered);
	eq(e.choice.rule, PLX_STEER_NO_TABLES);
	eq(e.by, PLX_STEER_BY_QUEUE);
	plx_steer_rps_set(&w.queue[0].rps, &w.online, &w.online);
	e = explain(tuple(PLX_IPPROTO_TCP));
	eq(e.choice.rule, PLX_STEER_RPS);
	eq(e.by, PLX_STEER_BY_RPS);
	eq(e.lcore, 0x51ccc178u / (UINT32_C(1) << 29)); /* of 8 */
	eq(e.received, 0);
	plx_lcore_set_del(&w.online, e.lcore);
	e = explain(tuple(PLX_IPPROTO_TCP));
	eq(e.choice.rule, PLX_STEER_RPS_OFFLINE);
	eq(e.by, PLX_STEER_BY_QUEUE);
	eq(e.lcore, 0);
}

T(rfs_sends_it_to_the_socket_and_asking_moves_nothing)
{
	struct plx_steer_explain e;

	w.t.rfs = &w.rfs;
	eq(plx_steer_rfs_socks_init(&w.socks, w.ents, PLX_DIM(w.ents), LCORES), 0);
	eq(plx_steer_rfs_flows_init(&w.queue[0].flows, w.flows[0], 16), 0);
	plx_steer_rfs_record(&w.socks, 0x51ccc178, 5);
	for (int i = 0; i < 2; i++) {
		e = explain(tuple(PLX_IPPROTO_TCP));
		eq(e.choice.rule, PLX_STEER_RFS_MOVES);
		eq(e.by, PLX_STEER_BY_RFS);
		eq(e.lcore, 5);
	}
	eq(w.flows[0][e.choice.slot].lcore, PLX_STEER_NO_LCORE);
}

T(owner_map_and_pins_have_the_last_word)
{
	struct plx_tuple t = tuple(PLX_IPPROTO_TCP);
	struct plx_steer_explain e;

	w.t.rfs = &w.rfs;
	plx_steer_rps_set(&w.queue[0].rps, &w.online, &w.online);
	w.t.owners = &w.owners;
	w.t.pins = &w.pins;
	e = explain(t);
	eq(e.by, PLX_STEER_BY_OWNER);
	eq(e.owner_bucket, 0x78);
	eq(e.lcore, 4 + 0x78 % 4);
	eq(plx_steer_pins_add(&w.pins, &t, 2), 0);
	e = explain(t);
	eq(e.by, PLX_STEER_BY_PIN);
	eq(e.pin, 2);
	eq(e.lcore, 2);
	eq(e.owner, 4);
}

T(the_limit_is_asked_where_there_is_a_backlog)
{
	struct plx_steer_explain e;

	w.t.limit = &w.limit;
	w.t.qlen = 600;
	w.t.max_backlog = 1000;
	for (int i = 0; i < 64; i++)
		ok(!plx_steer_limit(&w.limit, 0x51ccc178, 600, 1000));
	e = explain(tuple(PLX_IPPROTO_TCP));
	ok(!e.limited && !e.drop); /* handled where it came */
	w.t.rfs = &w.rfs;
	plx_steer_rps_set(&w.queue[0].rps, &w.online, &w.online);
	e = explain(tuple(PLX_IPPROTO_TCP));
	ok(e.limited && e.drop);
	eq(e.in_history, 64);
	eq(e.limit_slot, plx_steer_hash_slot(0x51ccc178, 12));
	eq(w.limit.count, 0);
	w.t.qlen = 499;
	ok(!explain(tuple(PLX_IPPROTO_TCP)).drop);
	w.t.qlen = 600;
	ok(!explain(tuple(PLX_IPPROTO_ICMP)).drop); /* another flow */
}

T(each_rule_has_its_words)
{
	for (int i = 0; i < PLX_STEER_RULES; i++)
		ok(plx_steer_rule_text(i)[0]);
	str_eq(plx_steer_rule_text(PLX_STEER_RULES), "");
}

#define W_(name) cmocka_unit_test_setup(name, up)

RUN(W_(rss_alone_is_hash_bucket_queue), W_(what_is_hashed_is_shown),
	W_(the_input_shown_hashes_to_the_hash), W_(rps_sends_it_to_the_maps_entry),
	W_(rfs_sends_it_to_the_socket_and_asking_moves_nothing),
	W_(owner_map_and_pins_have_the_last_word), W_(the_limit_is_asked_where_there_is_a_backlog),
	W_(each_rule_has_its_words))
