/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames from anybody are hashed: what is explained is what was hashed, by each way that the CPU
 * has, and sorted tuples hash alike in both directions. Then the rest of the input is what packets,
 * sockets and devices do in turn: RFS stays within its tables, and names lcores that there are.
 */
#include <plx_steer.h>

#include "fuzz.h"

#define QUEUES 3
#define LCORES 5

static struct plx_rss rss;
static struct plx_reta reta;

static void check_ways(const struct plx_steer_explain *e, const struct plx_tuple *t)
{
	struct plx_rss r = rss;

	for (unsigned int by = 0; by < PLX_TOEPLITZ_WAYS; by++)
		if (plx_steer_toeplitz_use(&r.key, by) == 0)
			must(plx_steer_rss_tuple(&r, t) == e->hash);
	if (e->how != PLX_RSS_NONE)
		must(plx_steer_hash_bits(r.key.key, r.key.key_len, e->input, e->input_bytes) ==
			e->hash);
}

static uint32_t fuzz_frame(const uint8_t *frame, uint32_t len)
{
	const struct plx_steer_tables tables = {.rss = &rss, .reta = &reta};
	struct plx_steer_explain e;
	struct plx_rss_out out;
	struct plx_tuple back;

	must(plx_steer_rss_frame(&rss, frame, len, &out) == out.how);
	must(out.ip || (out.how == PLX_RSS_NONE && out.hash == 0));
	if (!out.ip)
		return 0;
	plx_steer_explain(&e, &tables, &out.tuple);
	must(e.hash == out.hash && e.how == out.how);
	must(e.queue < QUEUES && e.lcore == e.queue);
	check_ways(&e, &out.tuple);
	back = out.tuple;
	back.src = out.tuple.dst;
	back.dst = out.tuple.src;
	back.sport = out.tuple.dport;
	back.dport = out.tuple.sport;
	if (rss.key.symmetric)
		must(plx_steer_rss_tuple(&rss, &back) == out.hash);
	return out.hash;
}

static struct plx_rfs_queue queue[QUEUES];
static uint16_t rmap[LCORES] = {0, 1, 2, 0, 1};
static uint8_t log_of[QUEUES] = {6, 0, 2};

static int flow_steer(void *arg, uint16_t to, uint32_t slot, uint32_t hash)
{
	must(to < QUEUES && slot < 1u << log_of[to]);
	must(slot == plx_steer_hash_slot(hash, log_of[to]));
	return hash & 1 ? (int)(hash >> 17 & 0xff) : -1;
}

static void fuzz_rfs(struct input in, uint32_t hash)
{
	static uint32_t ents[16], head[LCORES];
	static struct plx_rfs_flow flows[QUEUES][64];
	static const uint32_t *const head_of[LCORES] = {
		&head[0], &head[1], &head[2], &head[3], &head[4]};
	struct plx_lcore_set online;
	struct plx_rfs_socks socks;
	const struct plx_rfs r = {.socks = &socks,
		.queue = queue,
		.queues = QUEUES,
		.lcores = LCORES,
		.online = &online,
		.head = head_of,
		.rmap = rmap,
		.flow_steer = flow_steer};
	struct plx_steer_choice c;

	plx_lcore_set_first(&online, LCORES);
	must(plx_steer_rfs_socks_init(&socks, ents, PLX_DIM(ents), LCORES) == 0);
	for (unsigned int q = 0; q < QUEUES; q++) {
		must(plx_steer_rfs_flows_init(&queue[q].flows, flows[q], 1u << log_of[q]) == 0);
		plx_steer_rps_set(&queue[q].rps, &online, &online);
	}
	while (in.left) {
		uint8_t what = u8(&in), n = u8(&in);
		uint16_t lcore = n % LCORES, q = n % QUEUES;

		hash ^= (uint32_t)n * 0x01000193;
		switch (what % 5) {
		case 0:
			plx_steer_rfs_record(&socks, hash, lcore);
			break;
		case 1:
			head[lcore] += n;
			break;
		case 2:
			if (plx_lcore_set_has(&online, lcore))
				plx_lcore_set_del(&online, lcore);
			else
				plx_lcore_set_add(&online, lcore);
			break;
		case 3:
			plx_steer_rfs_may_expire(&r, q, n, what);
			break;
		default:
			plx_steer_choose(&r, q, hash, &c);
			must(c.rule < PLX_STEER_RULES && plx_steer_rule_text(c.rule)[0]);
			must(c.lcore == PLX_STEER_NO_LCORE || plx_lcore_set_has(&online, c.lcore));
			plx_steer_rfs_enqueued(c.flow, head[lcore] + n);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t flags = u8(&in), types = u8(&in);
	uint32_t hash;

	if (size > 4096)
		return 0;
	must(plx_steer_toeplitz_init(&rss.key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN) == 0);
	must(plx_steer_reta_equal(&reta, 128, 0, QUEUES) == 0);
	rss.key.symmetric = flags & 1;
	rss.inner = flags & 2;
	rss.types = flags & 4 ? PLX_RSS_ALL : (uint32_t)types << 4;
	hash = fuzz_frame(in.p, (uint32_t)in.left);
	fuzz_rfs(in, hash);
	return 0;
}
