/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_bpf_convert() */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_bpf.h>
#include <rte_errno.h>
#include <rte_malloc.h>

/*
 * Classic BPF to DPDK's. rte_bpf_convert() translates, and what it leaves open is closed here:
 *
 * - A computed offset is of the index register, which 22.11 names for loads of 16 bits only; and it
 *   may be anything up to 2^32. DPDK adds the size to it, wraps, and reads far outside the packet.
 * So each one is compared first, and a packet too short for it is not wanted, as libpcap has it.
 * - The machine code of a test of bits is wrong for numbers below 128 (22.11: TEST has no short
 *   form). So the number goes through a register.
 * - A shift by 32 bits or more gives 0, and not what the CPU makes of it.
 * - Linux's load of a packet's direction becomes a constant: a program for each direction.
 */

#define OFFSET_MAX 0xfffffu /* more than any packet has, and far from wrapping */
#define REG_A	   EBPF_REG_0
#define REG_X	   EBPF_REG_7
#define REG_SPARE  EBPF_REG_9 /* rte_bpf_convert() has no use for it */
#define GROWS	   4	      /* instructions that one becomes at most */
#define OUTGOING   4	      /* PACKET_OUTGOING */

/* libpcap's, which DPDK takes. */
struct bpf_program {
	unsigned int bf_len;
	struct tap_insn *bf_insns;
};

struct prog {
	struct rte_bpf *bpf;
	uint64_t (*jit)(void *arg);
};

struct plx_tap_filter {
	struct prog prog[2]; /* in, out */
	bool directed;	     /* they differ */
};

/* ---- a program of DPDK's, made safe ---- */

struct patch {
	const struct ebpf_insn *from;
	uint32_t n;
	struct ebpf_insn *to;
	uint32_t len;
	uint32_t *at;  /* where each instruction went; [n]: the way out for what is not wanted */
	bool rejected; /* it is needed */
};

static void put(struct patch *p, struct ebpf_insn i)
{
	p->to[p->len++] = i;
}

/* A jump to the way out, whose place is not known yet: PASS_OUT stands for it. */
#define PASS_OUT INT16_MIN

static void put_out(struct patch *p, struct ebpf_insn jump)
{
	jump.off = PASS_OUT;
	p->rejected = true;
	put(p, jump);
}

static void put_load(struct patch *p, struct ebpf_insn i)
{
	bool computed = BPF_MODE(i.code) == BPF_IND;

	if ((uint32_t)i.imm > OFFSET_MAX)
		i.imm = OFFSET_MAX; /* outside as well */
	if (computed) {
		i.src_reg = REG_X;
		put_out(p, (struct ebpf_insn){.code = BPF_JMP | BPF_JGT | BPF_K,
				   .dst_reg = REG_X,
				   .imm = OFFSET_MAX});
	}
	put(p, i);
}

static void put_shift(struct patch *p, struct ebpf_insn i)
{
	put(p, (struct ebpf_insn){
		       .code = BPF_JMP | BPF_JGT | BPF_K, .dst_reg = REG_X, .off = 2, .imm = 31});
	put(p, i);
	put(p, (struct ebpf_insn){.code = BPF_JMP | BPF_JA, .off = 1});
	put(p, (struct ebpf_insn){.code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = REG_A});
}

static void put_test(struct patch *p, struct ebpf_insn i)
{
	put(p, (struct ebpf_insn){
		       .code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = REG_SPARE, .imm = i.imm});
	i.code = BPF_JMP | BPF_JSET | BPF_X;
	i.src_reg = REG_SPARE;
	i.imm = 0;
	put(p, i);
}

/* What is a jump stays the last one of what it becomes. */
static void put_safe(struct patch *p, struct ebpf_insn i)
{
	switch (i.code) {
	case BPF_LD | BPF_ABS | BPF_W:
	case BPF_LD | BPF_ABS | BPF_H:
	case BPF_LD | BPF_ABS | BPF_B:
	case BPF_LD | BPF_IND | BPF_W:
	case BPF_LD | BPF_IND | BPF_H:
	case BPF_LD | BPF_IND | BPF_B:
		put_load(p, i);
		break;
	case BPF_ALU | BPF_LSH | BPF_X:
	case BPF_ALU | BPF_RSH | BPF_X:
		put_shift(p, i);
		break;
	case BPF_JMP | BPF_JSET | BPF_K:
		put_test(p, i);
		break;
	default:
		put(p, i);
	}
}

static bool jumps(const struct ebpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_JMP && BPF_OP(i->code) != EBPF_EXIT;
}

/* @return false: somewhere it is too far. */
static bool aim(struct patch *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t jump = p->at[i + 1] - 1;
		int64_t off;

		if (!jumps(&p->from[i]))
			continue;
		off = (int64_t)p->at[(int64_t)i + 1 + p->from[i].off] - jump - 1;
		if (off <= PASS_OUT || off > INT16_MAX)
			return false;
		p->to[jump].off = (int16_t)off;
	}
	for (uint32_t i = 0; i < p->len; i++) {
		if (!jumps(&p->to[i]) || p->to[i].off != PASS_OUT)
			continue;
		if (p->at[p->n] - i - 1 > INT16_MAX)
			return false;
		p->to[i].off = (int16_t)(p->at[p->n] - i - 1);
	}
	return true;
}

static bool patch(struct patch *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		p->at[i] = p->len;
		put_safe(p, p->from[i]);
	}
	p->at[p->n] = p->len;
	if (p->rejected) {
		put(p, (struct ebpf_insn){
			       .code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = EBPF_REG_0});
		put(p, (struct ebpf_insn){.code = BPF_JMP | EBPF_EXIT});
	}
	return aim(p);
}

/* @return NULL: rte_errno says why. */
static struct rte_bpf *load_safe(struct rte_bpf_prm *prm)
{
	struct patch p = {.from = prm->ins, .n = prm->nb_ins};
	struct rte_bpf *bpf = NULL;

	p.to = calloc((size_t)p.n * GROWS + 2, sizeof(*p.to));
	p.at = calloc((size_t)p.n + 1, sizeof(*p.at));
	rte_errno = ENOMEM;
	if (p.to && p.at) {
		rte_errno = E2BIG;
		if (patch(&p)) {
			prm->ins = p.to;
			prm->nb_ins = p.len;
			bpf = rte_bpf_load(prm);
		}
	}
	free(p.to);
	free(p.at);
	return bpf;
}

static int prog_load(struct prog *prog, const struct tap_classic *c)
{
	const struct bpf_program classic = {.bf_len = c->n, .bf_insns = c->insns};
	struct rte_bpf_prm *prm = rte_bpf_convert(&classic);
	struct rte_bpf_jit jit;

	if (!prm)
		return -rte_errno;
	prog->bpf = load_safe(prm);
	rte_free(prm);
	if (!prog->bpf)
		return -rte_errno;
	if (rte_bpf_get_jit(prog->bpf, &jit) == 0)
		prog->jit = jit.func;
	return 0;
}

/* ---- direction ---- */

static bool loads_direction(const struct tap_insn *i)
{
	return BPF_CLASS(i->code) == BPF_LD && BPF_MODE(i->code) == BPF_ABS &&
	       i->k == TAP_AD_PKTTYPE;
}

/* @return whether it asks for it. */
static bool set_direction(struct tap_classic *c, uint32_t kind)
{
	bool asks = false;

	for (uint32_t i = 0; i < c->n; i++) {
		if (!loads_direction(&c->insns[i]))
			continue;
		c->insns[i] = (struct tap_insn){.code = BPF_LD | BPF_IMM, .k = kind};
		asks = true;
	}
	return asks;
}

static int load_both(struct plx_tap_filter *f, struct tap_classic *c)
{
	struct tap_classic out = {.n = c->n, .insns = malloc(c->n * sizeof(*c->insns))};
	int err = out.insns ? 0 : -ENOMEM;

	if (!err) {
		memcpy(out.insns, c->insns, c->n * sizeof(*c->insns));
		f->directed = set_direction(&out, OUTGOING);
		set_direction(c, 0);
		err = prog_load(&f->prog[0], c);
		if (!err && f->directed)
			err = prog_load(&f->prog[1], &out);
		else
			f->prog[1] = f->prog[0];
	}
	free(out.insns);
	return err;
}

/* ---- life ---- */

static void refuse(struct plx_tap_filter_error *e, int err)
{
	if (!e)
		return;
	e->column = 0;
	if (err == -ENOMEM)
		snprintf(e->text, sizeof(e->text), "no memory for its program");
	else
		snprintf(e->text, sizeof(e->text), "DPDK cannot run its program: %s",
			rte_strerror(-err));
}

struct plx_tap_filter *plx_tap_filter_compile(
	const char *expr, enum plx_tap_link link, struct plx_tap_filter_error *e)
{
	struct plx_tap_filter *f;
	struct tap_classic c;
	int err;

	if (tap__classic_compile(&c, expr, link, e) != 0)
		return NULL;
	f = calloc(1, sizeof(*f));
	err = f ? load_both(f, &c) : -ENOMEM;
	free(c.insns);
	if (!err)
		return f;
	refuse(e, err);
	plx_tap_filter_free(f);
	return NULL;
}

void plx_tap_filter_free(struct plx_tap_filter *f)
{
	if (!f)
		return;
	if (f->directed)
		rte_bpf_destroy(f->prog[1].bpf);
	rte_bpf_destroy(f->prog[0].bpf);
	free(f);
}

bool tap__filter_match(const struct plx_tap_filter *f, const struct rte_mbuf *m, bool out)
{
	const struct prog *p = &f->prog[out];
	void *arg = (void *)(uintptr_t)m; /* it is only read */

	return (uint32_t)(plx_likely(p->jit) ? p->jit(arg) : rte_bpf_exec(p->bpf, arg));
}

bool plx_tap_filter_run(const struct plx_tap_filter *f, const struct rte_mbuf *m, bool out)
{
	struct tap_view v;

	return tap__filter_match(f, tap__view(&v, m), out);
}

bool plx_tap_filter_jitted(const struct plx_tap_filter *f)
{
	return f->prog[0].jit != NULL;
}
