/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf_patch.h"

#include <rte_byteorder.h>

/*
 * A number of two or four bytes is turned around when it is loaded, by an instruction or two. Where
 * nothing is done with it but to compare it with constants, the constants can be turned around
 * instead, once for all: that load, and all that compare, are raw then.
 *
 * Jumps go forward, so what A holds in front of each place is known when it is met. Where ways meet
 * that bring different values which are still needed, their loads are as usual.
 */

enum {
	UNMET = 0,
	OTHER = 1, /* no such load's */
	LOADS = 2, /* + the place of the load */
};

static bool is_load(const struct ebpf_insn *i)
{
	if (BPF_CLASS(i->code) != BPF_LD || BPF_SIZE(i->code) == BPF_B)
		return false;
	return BPF_MODE(i->code) == BPF_ABS || BPF_MODE(i->code) == BPF_IND;
}

static bool is_compare(uint8_t code)
{
	uint8_t op = BPF_OP(code);

	return BPF_CLASS(code) == BPF_JMP && (op == BPF_JEQ || op == EBPF_JNE || op == BPF_JSET);
}

/* With a constant that an instruction before it has put into a register, as it is negative? */
static bool is_set_before(const struct pkt_bpf_patch *p, uint32_t i)
{
	return i && BPF_SRC(p->from[i].code) == BPF_X && p->from[i].src_reg == PKT_BPF_TMP &&
	       p->from[i - 1].code == (BPF_ALU | EBPF_MOV | BPF_K) &&
	       p->from[i - 1].dst_reg == PKT_BPF_TMP && p->place[i].ways == 1;
}

static bool may_be_raw(const struct pkt_bpf_patch *p, uint32_t i)
{
	const struct ebpf_insn *insn = &p->from[i];

	return is_compare(insn->code) && insn->dst_reg == PKT_BPF_A &&
	       (BPF_SRC(insn->code) == BPF_K || is_set_before(p, i));
}

static void is_as_usual(struct pkt_bpf_patch *p, uint32_t holds)
{
	if (holds >= LOADS)
		p->place[holds - LOADS].raw = false;
}

/* @return what A holds behind it. */
static uint32_t pass(struct pkt_bpf_patch *p, uint32_t i)
{
	uint32_t holds = p->place[i].holds;

	if (p->place[i].vain)
		return holds;
	if (pkt__bpf_needs(&p->from[i], 0) & PKT_BPF_NEEDS_A) {
		if (!may_be_raw(p, i))
			is_as_usual(p, holds);
		return holds;
	}
	if (pkt__bpf_needs(&p->from[i], PKT_BPF_NEEDS_A) & PKT_BPF_NEEDS_A)
		return holds; /* none of its affair */
	p->place[i].raw = is_load(&p->from[i]);
	return p->place[i].raw ? i + LOADS : OTHER;
}

static void meet(struct pkt_bpf_patch *p, struct pkt_bpf_place *to, uint32_t holds)
{
	if (to->holds == UNMET)
		to->holds = holds;
	if (to->holds == holds)
		return;
	if (to->needs & PKT_BPF_NEEDS_A) {
		is_as_usual(p, to->holds);
		is_as_usual(p, holds);
	}
	to->holds = OTHER;
}

void pkt__bpf_find_raw(struct pkt_bpf_patch *p)
{
	uint32_t next[2];

	p->place[0].holds = OTHER;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t holds = pass(p, i);

		for (unsigned int k = pkt__bpf_next(p, i, next); k--;)
			meet(p, &p->place[next[k]], holds);
	}
}

bool pkt__bpf_compares_raw(const struct pkt_bpf_patch *p, uint32_t i)
{
	uint32_t holds = p->place[i].holds;

	return holds >= LOADS && p->place[holds - LOADS].raw && may_be_raw(p, i);
}

uint32_t pkt__bpf_raw(const struct pkt_bpf_patch *p, uint32_t i, uint32_t k)
{
	const struct ebpf_insn *load = &p->from[p->place[i].holds - LOADS];

	if (BPF_SIZE(load->code) == BPF_W)
		return rte_cpu_to_be_32(k);
	if (BPF_OP(p->from[i].code) == BPF_JSET)
		k &= UINT16_MAX; /* there are no other bits */
	return k > UINT16_MAX ? k : rte_cpu_to_be_16((uint16_t)k);
}
