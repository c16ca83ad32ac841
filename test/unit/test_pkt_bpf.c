/* SPDX-License-Identifier: BSD-3-Clause */
#include "t_eal.h"

#include <errno.h>
#include <time.h>

#include <pcap/pcap.h>

#include <plx_base_rng.h>
#include <plx_pkt_bpf.h>

/*
 * Programs at random, on packets at random: what libpcap's interpreter says, who lets a load from
 * outside the packet return 0, is right.
 */

#define MAX   260
#define SLOTS 4 /* of the scratch memory */

static struct bpf_insn insns[4096];
static uint32_t n_insns;
static bool usual;  /* of instructions that become machine code */
static bool uses_x; /* to divide or to load by; DPDK refuses what it sees can only go wrong */

static void put(uint16_t code, uint32_t k)
{
	insns[n_insns++] = (struct bpf_insn)BPF_STMT(code, k);
}

/* Sizes, offsets and numbers that bounds are made of. */
static uint32_t number(struct plx_rng *r)
{
	static const uint32_t odd[] = {0, 1, 4, 31, 32, 33, 63, 64, 127, 128, 255, 0x7fffffff,
		0x80000000, 0xfffff000, 0xfffffffc, 0xffffffff};

	return plx_rng_below(r, 3) ? (uint32_t)plx_rng_below(r, 100)
				   : odd[plx_rng_below(r, PLX_DIM(odd))];
}

static void put_load(struct plx_rng *r)
{
	static const uint16_t size[] = {BPF_W, BPF_H, BPF_B};
	uint16_t s = size[plx_rng_below(r, 3)];

	switch (plx_rng_below(r, usual ? 6 : 7)) {
	case 0:
		put(BPF_LD | BPF_IMM, number(r));
		break;
	case 1:
		put(BPF_LDX | BPF_W | BPF_IMM, number(r));
		break;
	case 2:
		put(BPF_LD | s | BPF_ABS, (uint32_t)plx_rng_below(r, 70));
		break;
	case 3:
		put(BPF_LD | s | BPF_IND, number(r) & 0x7fffffff);
		uses_x = true;
		break;
	case 4:
		put(BPF_LDX | BPF_MSH | BPF_B, (uint32_t)plx_rng_below(r, 70));
		break;
	case 5:
		put(BPF_LD | BPF_W | BPF_LEN, 0);
		break;
	default:
		put((plx_rng_below(r, 2) ? BPF_LD : BPF_LDX) | BPF_MEM,
			(uint32_t)plx_rng_below(r, SLOTS));
	}
}

static void put_usual_alu(struct plx_rng *r)
{
	put(BPF_ALU | BPF_K | (plx_rng_below(r, 2) ? BPF_AND : BPF_ADD), number(r));
}

static void put_alu(struct plx_rng *r)
{
	static const uint16_t op[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH,
		BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR};
	uint16_t o = op[plx_rng_below(r, PLX_DIM(op))];
	uint32_t k = number(r);

	if (o == BPF_NEG || plx_rng_below(r, 2)) {
		uses_x = uses_x || o == BPF_DIV || o == BPF_MOD;
		put(BPF_ALU | o | (o == BPF_NEG ? 0 : BPF_X), 0);
		return;
	}
	if (o == BPF_LSH || o == BPF_RSH)
		k %= 32;
	if (o == BPF_DIV || o == BPF_MOD)
		k &= 0x7fffffff; /* DPDK takes no others */
	put(BPF_ALU | o | BPF_K, k ? k : 1);
}

/* Forward, and one way is to the next one: DPDK wants no code that nothing leads to. */
static void put_jump(struct plx_rng *r, uint32_t left)
{
	static const uint16_t op[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
	uint8_t far = (uint8_t)(1 + plx_rng_below(r, left - 1));
	bool yes = plx_rng_below(r, 2);

	put(BPF_JMP | op[plx_rng_below(r, 4)] | (usual || plx_rng_below(r, 2) ? BPF_K : BPF_X),
		number(r));
	insns[n_insns - 1].jt = yes ? far : 0;
	insns[n_insns - 1].jf = yes ? 0 : far;
}

static void build(struct plx_rng *r)
{
	uint32_t n = 1 + (uint32_t)plx_rng_below(r, 22);

	n_insns = 0;
	uses_x = false;
	usual = plx_rng_below(r, 2);
	for (uint32_t i = 0; i < SLOTS && !usual; i++) {
		put(BPF_LD | BPF_IMM, number(r));
		put(BPF_ST, i);
	}
	put(BPF_LDX | BPF_W | BPF_IMM, number(r));
	for (uint32_t i = 0; i < n; i++) {
		switch (plx_rng_below(r, 5)) {
		case 0:
			usual ? put_usual_alu(r) : put_alu(r);
			break;
		case 1:
			n - i > 1 ? put_jump(r, n - i) : put_usual_alu(r);
			break;
		case 2:
			put(BPF_MISC | (plx_rng_below(r, 2) ? BPF_TAX : BPF_TXA), 0);
			break;
		case 3:
			if (usual)
				put_usual_alu(r);
			else
				put(plx_rng_below(r, 2) ? BPF_ST : BPF_STX,
					(uint32_t)plx_rng_below(r, SLOTS));
			break;
		default:
			put_load(r);
		}
	}
	put(BPF_RET | BPF_A, 0);
}

static struct rte_mbuf *segment(const uint8_t *b, uint32_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), b, n);
	return m;
}

/* In segments of any length, some of none. */
static struct rte_mbuf *segments(struct plx_rng *r, const uint8_t *b, uint32_t n)
{
	struct rte_mbuf *m = segment(b, 0);

	for (uint32_t at = 0, some; at < n; at += some) {
		some = (uint32_t)plx_rng_below(r, n - at + 1);
		eq(rte_pktmbuf_chain(m, segment(b + at, some)), 0);
	}
	return m;
}

T(what_a_program_returns_is_what_libpcap_says)
{
	struct plx_pkt_bpf p = {0};
	uint32_t loaded = 0, jitted = 0, flat = 0, told = 0, wanted = 0;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 4000; i++) {
		build(&r);
		static_assert(sizeof(insns[0]) == sizeof(struct plx_bpf_insn), "the same");
		if (plx_pkt_bpf_load(&p, (const void *)insns, n_insns) != 0) {
			ok(uses_x);
			continue;
		}
		loaded++;
		jitted += p.jit != NULL;
		flat += p.flat != NULL;
		for (int k = 0; k < 8; k++) {
			uint32_t n = (uint32_t)plx_rng_below(&r, 90);
			struct rte_mbuf *m;
			uint32_t got;
			uint8_t b[90], long_b[90 + 40];

			plx_rng_bytes(&r, b, n);
			m = segments(&r, b, n);
			got = plx_pkt_bpf_run(&p, m);
			eq(got, bpf_filter(insns, b, n, n));
			eq((uint32_t)plx_pkt_bpf_interpret(&p, m), got);
			wanted += got != 0;
			rte_pktmbuf_free(m);
			/* in one piece, and with a little behind it that is out of the way */
			m = segment(b, n);
			eq(plx_pkt_bpf_run(&p, m), got);
			eq(plx_pkt_bpf_run_any(&p, m), got);
			if (n >= p.flat_bytes)
				told += !(p.flat(m) >> 32);
			rte_pktmbuf_chain(m, segment(b, 40));
			plx_rng_bytes(&r, rte_pktmbuf_mtod(m->next, uint8_t *), 40);
			memcpy(long_b, b, n);
			memcpy(long_b + n, rte_pktmbuf_mtod(m->next, uint8_t *), 40);
			eq(plx_pkt_bpf_run(&p, m), bpf_filter(insns, long_b, n + 40, n + 40));
			rte_pktmbuf_free(m);
		}
		plx_pkt_bpf_free(&p);
	}
	ok(loaded > 3500);
	ok(jitted > 1500);
	ok(flat > 1500);
	ok(told > 4000);
	ok(wanted > 4000);
}

/* ---- numbers of a packet, compared with what is in it, or nearly ---- */

#define NUMBERS 90

static uint32_t value; /* what was loaded last */

static void put_load_of(struct plx_rng *r, const uint8_t *b, uint32_t x)
{
	static const uint16_t size[] = {BPF_W, BPF_H, BPF_B};
	uint32_t k = (uint32_t)plx_rng_below(r, 60), at = k;
	uint16_t s = size[plx_rng_below(r, 3)];

	if (plx_rng_below(r, 3)) {
		put(BPF_LD | s | BPF_ABS, k);
	} else {
		put(BPF_LD | s | BPF_IND, k);
		at += x;
	}
	value = s == BPF_W ? plx_get_be32(b + at) : s == BPF_H ? plx_get_be16(b + at) : b[at];
}

static uint32_t about(struct plx_rng *r, uint32_t v)
{
	switch (plx_rng_below(r, 7)) {
	case 0:
		return __builtin_bswap32(v);
	case 1:
		return __builtin_bswap16((uint16_t)v);
	case 2:
		return v ^ 1u << plx_rng_below(r, 32);
	case 3:
		return number(r);
	default:
		return v;
	}
}

static void build_compares(struct plx_rng *r, const uint8_t *b)
{
	uint32_t n = 2 + (uint32_t)plx_rng_below(r, 14), x = (uint32_t)plx_rng_below(r, 20);

	n_insns = 0;
	usual = true;
	put(BPF_LDX | BPF_W | BPF_IMM, x);
	put_load_of(r, b, x);
	for (uint32_t i = 0; i < n; i++) {
		if (n - i > 1 && plx_rng_below(r, 2)) {
			put_jump(r, n - i);
			insns[n_insns - 1].k = about(r, value);
		} else if (plx_rng_below(r, 8) == 0) {
			put_usual_alu(r);
		} else {
			put_load_of(r, b, x);
		}
	}
	put(BPF_RET | (plx_rng_below(r, 3) ? BPF_K : BPF_A), 7);
}

static void look(const struct plx_pkt_bpf *p, const uint8_t *b, uint32_t n)
{
	struct rte_mbuf *m = segment(b, n);

	eq(plx_pkt_bpf_run(p, m), bpf_filter(insns, b, n, n));
	eq(plx_pkt_bpf_run_any(p, m), bpf_filter(insns, b, n, n));
	rte_pktmbuf_free(m);
}

/* Where a place that is computed lies so far behind that it is not there is found as well. */
T(numbers_are_compared_whatever_their_order)
{
	struct plx_pkt_bpf p = {0};
	uint32_t flat = 0;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 4000; i++) {
		uint8_t b[NUMBERS];

		plx_rng_bytes(&r, b, sizeof(b));
		build_compares(&r, b);
		eq(plx_pkt_bpf_load(&p, (const void *)insns, n_insns), 0);
		flat += p.flat != NULL;
		look(&p, b, sizeof(b));
		look(&p, b, (uint32_t)plx_rng_below(&r, sizeof(b)));
		b[plx_rng_below(&r, sizeof(b))] ^= 1u << plx_rng_below(&r, 8);
		look(&p, b, sizeof(b));
		plx_pkt_bpf_free(&p);
	}
	eq(flat, 4000);
}

/* Two ports behind a header of any length, and of a packet of any. */
T(two_loads_that_are_near_are_each_looked_for)
{
	struct plx_pkt_bpf p = {0};
	uint8_t b[60] = {0};

	n_insns = 0;
	put(BPF_LDX | BPF_MSH | BPF_B, 0);
	put(BPF_LD | BPF_H | BPF_IND, 0);
	put(BPF_JMP | BPF_JEQ | BPF_K, 0x0102);
	insns[n_insns - 1].jt = 2;
	put(BPF_LD | BPF_H | BPF_IND, 2);
	put(BPF_JMP | BPF_JEQ | BPF_K, 0x0304);
	insns[n_insns - 1].jf = 1;
	put(BPF_RET | BPF_K, 5);
	put(BPF_RET | BPF_K, 0);
	eq(plx_pkt_bpf_load(&p, (const void *)insns, n_insns), 0);
	for (uint8_t words = 0; words < 14; words++) {
		for (uint32_t ports = 0; ports < 4; ports++) {
			memset(b, 0, sizeof(b));
			b[0] = words;
			plx_put_be16(b + 4 * words, ports & 1 ? 0x0102 : 0x0201);
			plx_put_be16(b + 4 * words + 2, ports & 2 ? 0x0304 : 0x0403);
			for (uint32_t n = 1; n <= sizeof(b); n++)
				look(&p, b, n);
		}
	}
	plx_pkt_bpf_free(&p);
}

/* DPDK's machine code takes the short form of a jump backward for two bytes too many. */
static void put_returns(uint32_t threes, uint32_t sevens)
{
	n_insns = 0;
	put(BPF_LD | BPF_W | BPF_LEN, 0);
	put(BPF_JMP | BPF_JGT | BPF_K, 40);
	insns[1].jf = 1;
	put(BPF_RET | BPF_K, 5);
	for (uint32_t i = 0; i < threes; i++)
		put(BPF_ALU | BPF_ADD | BPF_K, 1);
	for (uint32_t i = 0; i < sevens; i++)
		put(BPF_LDX | BPF_W | BPF_IMM, 1);
	put(BPF_RET | BPF_A, 0);
}

T(between_two_returns_may_be_any_number_of_bytes)
{
	static const uint8_t b[41];
	struct plx_pkt_bpf p = {0};

	for (uint32_t threes = 0; threes < 60; threes++) {
		for (uint32_t sevens = 0; sevens < 3; sevens++) {
			struct rte_mbuf *few = segment(b, 40), *many = segment(b, 41);

			put_returns(threes, sevens);
			eq(plx_pkt_bpf_load(&p, (const void *)insns, n_insns), 0);
			assert_non_null(p.jit);
			eq(plx_pkt_bpf_run(&p, few), 40 + threes);
			eq(plx_pkt_bpf_run(&p, many), 5);
			rte_pktmbuf_free(few);
			rte_pktmbuf_free(many);
			plx_pkt_bpf_free(&p);
		}
	}
}

/* DPDK walks all ways with different values: here 2^40, by registers, and 2^14, by the scratch
 * memory. */
T(ways_that_meet_are_walked_once)
{
	const clock_t began = clock();
	static uint8_t b[60] = {0xff, 0xf0, 0x0f, 0xaa, 0x55, 1, 2, 3, 4, 5};
	struct plx_pkt_bpf p = {0};
	struct rte_mbuf *m = segment(b, sizeof(b));

	n_insns = 0;
	for (uint32_t i = 0; i < 14; i++) {
		put(BPF_LD | BPF_IMM, i);
		put(BPF_ST, i);
		put(BPF_LD | BPF_B | BPF_ABS, i);
		put(BPF_JMP | BPF_JSET | BPF_K, 1);
		insns[n_insns - 1].jf = 2;
		put(BPF_LD | BPF_IMM, 100 + i);
		put(BPF_ST, i);
	}
	for (uint32_t i = 0; i < 40; i++) {
		put(BPF_LDX | BPF_MEM, i % 14);
		put(BPF_JMP | BPF_JGT | BPF_K, 50 * i);
		insns[n_insns - 1].jf = 1;
		put(BPF_ALU | BPF_ADD | BPF_K, i);
		put(BPF_ALU | BPF_ADD | BPF_X, 0);
	}
	put(BPF_RET | BPF_A, 0);
	eq(plx_pkt_bpf_load(&p, (const void *)insns, n_insns), 0);
	eq(plx_pkt_bpf_run(&p, m), bpf_filter(insns, b, sizeof(b), sizeof(b)));
	eq(plx_pkt_bpf_interpret(&p, m), bpf_filter(insns, b, sizeof(b), sizeof(b)));
	ok(clock() - began < 2 * CLOCKS_PER_SEC);
	plx_pkt_bpf_free(&p);
	rte_pktmbuf_free(m);
}

/* Each of these jumps becomes 15 instructions, as ways meet behind it: n of them fit, or do not. */
static int load_of_meetings(struct plx_pkt_bpf *p, uint32_t n)
{
	n_insns = 0;
	put(BPF_LDX | BPF_IMM, 1);
	put(BPF_LD | BPF_W | BPF_LEN, 0);
	for (uint32_t i = 0; i < n; i++) {
		put(BPF_JMP | BPF_JSET | BPF_K, 1);
		insns[n_insns - 1].jt = 1;
	}
	put(BPF_ALU | BPF_ADD | BPF_X, 0);
	put(BPF_ALU | BPF_ADD | BPF_X, 0);
	put(BPF_RET | BPF_A, 0);
	return plx_pkt_bpf_load(p, (const void *)insns, n_insns);
}

T(a_program_that_grows_stays_within_bounds)
{
	static uint8_t b[60];
	struct plx_pkt_bpf p = {0};
	struct rte_mbuf *m = segment(b, sizeof(b));

	eq(load_of_meetings(&p, 1000), 0);
	eq(plx_pkt_bpf_run(&p, m), bpf_filter(insns, b, sizeof(b), sizeof(b)));
	plx_pkt_bpf_free(&p);
	eq(load_of_meetings(&p, 4000), -E2BIG);
	rte_pktmbuf_free(m);
}

T(what_cannot_be_loaded_is_refused)
{
	static const struct plx_bpf_insn unwritten[] = {{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
		{BPF_JMP | BPF_JGT | BPF_K, 1, 0, 40}, {BPF_ST, 0, 0, 3},
		{BPF_LD | BPF_MEM, 0, 0, 3}, {BPF_RET | BPF_A, 0, 0, 0}};
	static const struct plx_bpf_insn unknown[] = {
		{0xffff, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, 1}};
	static const struct plx_bpf_insn lost[] = {
		{BPF_RET | BPF_K, 0, 0, 1}, {BPF_RET | BPF_K, 0, 0, 2}};
	struct plx_pkt_bpf p = {0};

	ok(plx_pkt_bpf_load(&p, unknown, 2) < 0);
	ok(plx_pkt_bpf_load(&p, lost, 2) < 0);	    /* the second is never reached */
	ok(plx_pkt_bpf_load(&p, unwritten, 5) < 0); /* but on one of two ways */
	assert_null(p.bpf);
	plx_pkt_bpf_free(&p);
}

RUN_EAL(T_EAL_(what_a_program_returns_is_what_libpcap_says),
	T_EAL_(numbers_are_compared_whatever_their_order),
	T_EAL_(two_loads_that_are_near_are_each_looked_for),
	T_EAL_(between_two_returns_may_be_any_number_of_bytes),
	T_EAL_(ways_that_meet_are_walked_once), T_EAL_(a_program_that_grows_stays_within_bounds),
	T_EAL_(what_cannot_be_loaded_is_refused))
