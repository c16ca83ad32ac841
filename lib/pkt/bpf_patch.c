/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf_patch.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_mbuf.h>

/*
 * Classic BPF to DPDK's. rte_bpf_convert() translates, and what it leaves open is closed here:
 *
 * - A computed offset is of the index register, which 22.11 names for loads of 16 bits only; and it
 *   may be anything up to 2^32. DPDK adds the size to it, wraps, and reads far outside the packet.
 * So each one is compared first, and a packet too short for it is not wanted, as libpcap has it.
 * - The machine code of a test of bits is wrong for numbers below 128 (22.11: TEST has no short
 *   form). So the number goes through a register.
 * - A shift by 32 bits or more gives 0, and not what the CPU makes of it.
 * - What stands in the number of an instruction that uses the index register says nothing.
 * - Each jump is a far one (below).
 *
 * DPDK's compiler for x86 (22.11, and still in 2026) goes wrong with jumps in two ways:
 *
 * - It takes the short or the long form by where the pass before had the end of a jump forward, and
 *   is done when a pass gives as many bytes as the one before. What grew in one place and shrank in
 *   another is as many bytes as well, and then jumps go into the middle of instructions.
 * - Backward, it takes the short form for two bytes too many: the jump goes forward then.
 *
 * So no jump is to be in doubt. Each goes over a gap, that nobody runs through, to the other side
 * and from there back to its end; all have the long form in all passes, so that what the second one
 * finds is final. The exit, which loads jump to as well, is on the other side too.
 *
 *	program; to the exit, always; gap; A = 0; exit; back to the end of each jump
 */

#define OFFSET_MAX 0xfffffu /* more than any packet has, and far from wrapping */
#define FLAT_MAX   0x7000u  /* what a load says of its place, in 16 bits with a sign */
#define REG_A	   PKT_BPF_A
#define REG_X	   PKT_BPF_X
#define REG_TMP	   PKT_BPF_TMP
#define REG_SPARE  EBPF_REG_9 /* rte_bpf_convert() has no use for it */
#define LEN_MAX	   INT16_MAX  /* instructions: a jump's distance has 16 bits */
#define GAP	   40	      /* instructions of 7 bytes; 170 bytes are enough */
#define NEAR_INSNS 12	      /* two loads of computed places are looked at as one, if near */
#define NEAR_BYTES 4

/*
 * DPDK walks each way through a program that it has not yet walked with the same ranges of values
 * (22.11: in all registers and on the stack; at most 8 for each place, and in all two for each
 * jump). Where ways meet that bring different ones it walks all that follows once more for each,
 * and so seconds or years go by. So where ways meet it is to know nothing: what is not needed any
 * more is a constant; what is, and what is stored, is combined with a zero that it does not know as
 * one. Scratch memory is written at the beginning; whether a program reads what it has not written
 * itself is looked for here.
 */

#define CTX	 EBPF_REG_6 /* rte_bpf_convert()'s */
#define MEMWORDS 16
#define NEEDS_A	 PKT_BPF_NEEDS_A
#define NEEDS_X	 PKT_BPF_NEEDS_X
#define NEEDS_T	 PKT_BPF_NEEDS_T

/* In a flat program nothing is called and nothing has to be kept over calls: so no register is used
 * that machine code would have to save. */
#define REG_DATA EBPF_REG_5 /* where the first segment's bytes are; of no other program */

static uint8_t place_of(const struct pkt_bpf_patch *p, uint8_t reg)
{
	static const uint8_t flat[] = {[CTX] = EBPF_REG_1,
		[REG_X] = EBPF_REG_2,
		[REG_TMP] = EBPF_REG_3,
		[REG_SPARE] = EBPF_REG_4};

	return p->flat && reg >= CTX && reg <= REG_SPARE ? flat[reg] : reg;
}

static void put(struct pkt_bpf_patch *p, struct ebpf_insn i)
{
	i.dst_reg = place_of(p, i.dst_reg) & 0xf;
	i.src_reg = place_of(p, i.src_reg) & 0xf;
	if (p->len < LEN_MAX)
		p->to[p->len] = i;
	p->len++;
}

/* Where to, if the place is not known yet: what is not wanted, the exit after it, and after that
 * what cannot be told by a first segment. */
#define TO_REJECT INT16_MIN
#define TO_EXIT	  (INT16_MIN + 1)
#define TO_UNSURE (INT16_MIN + 2)

static void put_const(struct pkt_bpf_patch *p, uint8_t reg)
{
	put(p, (struct ebpf_insn){.code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = reg});
}

static void put_len(struct pkt_bpf_patch *p, uint8_t reg, uint8_t mbuf)
{
	put(p, (struct ebpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
		       .dst_reg = reg,
		       .src_reg = mbuf,
		       .off = offsetof(struct rte_mbuf, pkt_len)});
}

static void put_xor(struct pkt_bpf_patch *p, uint8_t reg, uint8_t with)
{
	put(p, (struct ebpf_insn){
		       .code = BPF_ALU | BPF_XOR | BPF_X, .dst_reg = reg, .src_reg = with});
}

/* The spare register is 0, and DPDK does not know. A load leaves some of what it knew of a register
 * before: so constants first. */
static void put_zero(struct pkt_bpf_patch *p, uint8_t mbuf)
{
	put_const(p, REG_SPARE);
	put_const(p, REG_TMP);
	put_len(p, REG_SPARE, mbuf);
	put_len(p, REG_TMP, mbuf);
	put_xor(p, REG_SPARE, REG_TMP);
}

/* The spare register, from 0, to the value of another: any of 32 bits, to DPDK, whatever it knew.
 * Its bounds with a sign are the same as well by a bitwise and. */
static void put_unknown(struct pkt_bpf_patch *p, uint8_t reg)
{
	put_xor(p, REG_SPARE, reg);
	put(p, (struct ebpf_insn){
		       .code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = REG_SPARE, .imm = -1});
}

static void put_forget(struct pkt_bpf_patch *p, uint8_t reg)
{
	put_unknown(p, reg);
	put(p, (struct ebpf_insn){
		       .code = BPF_ALU | EBPF_MOV | BPF_X, .dst_reg = reg, .src_reg = REG_SPARE});
}

static void put_meeting(struct pkt_bpf_patch *p, uint8_t needs)
{
	if (needs) {
		put_zero(p, CTX);
	} else {
		put_const(p, REG_SPARE);
		put_const(p, REG_TMP);
	}
	needs &NEEDS_A ? put_forget(p, REG_A) : put_const(p, REG_A);
	if (needs == (NEEDS_A | NEEDS_X))
		put_xor(p, REG_SPARE, REG_A); /* 0 again */
	needs &NEEDS_X ? put_forget(p, REG_X) : put_const(p, REG_X);
}

static void put_store(struct pkt_bpf_patch *p, struct ebpf_insn i)
{
	put_zero(p, CTX);
	put_unknown(p, i.src_reg);
	i.src_reg = REG_SPARE;
	put(p, i);
}

static uint32_t bytes_of(const struct ebpf_insn *i)
{
	return BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
}

static void put_get(struct pkt_bpf_patch *p, uint16_t size, uint8_t to, uint8_t from, int16_t off)
{
	put(p, (struct ebpf_insn){.code = BPF_LDX | BPF_MEM | size,
		       .dst_reg = to & 0xf,
		       .src_reg = from & 0xf,
		       .off = off});
}

static void put_op64(struct pkt_bpf_patch *p, uint8_t op, uint8_t to, uint8_t from)
{
	put(p, (struct ebpf_insn){.code = EBPF_ALU64 | op | BPF_X,
		       .dst_reg = to & 0xf,
		       .src_reg = from & 0xf});
}

/* Where its bytes are. */
static void put_data(struct pkt_bpf_patch *p)
{
	put_get(p, EBPF_DW, REG_DATA, EBPF_REG_1, offsetof(struct rte_mbuf, buf_addr));
	put_get(p, BPF_H, REG_TMP, EBPF_REG_1, offsetof(struct rte_mbuf, data_off));
	put_op64(p, BPF_ADD, REG_DATA, REG_TMP);
}

/*
 * The spare register is where X + 0 lies, if X + end is not beyond the first segment: numbers of 32
 * bits and 16 are compared as ones of 64 with a sign, so that nothing wraps. That it is below 65536
 * then DPDK is told by a bitwise and.
 */
static void put_place(struct pkt_bpf_patch *p, uint32_t end)
{
	put_get(p, BPF_H, REG_TMP, CTX, offsetof(struct rte_mbuf, data_len));
	put(p, (struct ebpf_insn){.code = EBPF_ALU64 | BPF_SUB | BPF_K,
		       .dst_reg = REG_TMP,
		       .imm = (int32_t)end});
	put(p, (struct ebpf_insn){
		       .code = BPF_ALU | EBPF_MOV | BPF_X, .dst_reg = REG_SPARE, .src_reg = REG_X});
	put(p, (struct ebpf_insn){.code = BPF_JMP | EBPF_JSGT | BPF_X,
		       .dst_reg = REG_SPARE,
		       .src_reg = REG_TMP,
		       .off = TO_UNSURE});
	put(p, (struct ebpf_insn){.code = EBPF_ALU64 | BPF_AND | BPF_K,
		       .dst_reg = REG_SPARE,
		       .imm = UINT16_MAX});
	put_op64(p, EBPF_MOV, REG_TMP, REG_DATA);
	put_op64(p, BPF_ADD, REG_TMP, REG_SPARE);
	p->unsure = true;
}

static uint8_t needs_reg(uint8_t reg)
{
	return reg == REG_A ? NEEDS_A : reg == REG_X ? NEEDS_X : reg == REG_TMP ? NEEDS_T : 0;
}

/* Is what put_place() has found out of no use behind it? It sets X, or the register for it. */
static bool forgets_place(const struct ebpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	if (class == BPF_STX)
		return true;
	return (class == BPF_ALU || class == EBPF_ALU64 || class == BPF_LDX) &&
	       needs_reg(i->dst_reg) & (NEEDS_X | NEEDS_T);
}

static bool is_computed(const struct ebpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_LD && BPF_MODE(i->code) == BPF_IND;
}

/* Where the load at i ends behind X; or one soon after it, to be asked about at the same time, if
 * it is so near that hardly any packet has only the first one. */
static uint32_t end_of_loads(const struct pkt_bpf_patch *p, uint32_t i)
{
	uint32_t end = (uint32_t)p->from[i].imm + bytes_of(&p->from[i]), all = end;

	for (uint32_t k = i + 1; k < p->n && k < i + NEAR_INSNS; k++) {
		const struct ebpf_insn *insn = &p->from[k];

		if (p->place[k].ways > 1 || (!p->place[k].vain && forgets_place(insn)))
			break;
		if (is_computed(insn) && (uint32_t)insn->imm <= end + NEAR_BYTES)
			all = PLX_MAX(all, (uint32_t)insn->imm + bytes_of(insn));
	}
	return all;
}

static void put_flat_load(struct pkt_bpf_patch *p, uint32_t i)
{
	const struct ebpf_insn *insn = &p->from[i];
	uint32_t k = (uint32_t)insn->imm, n = bytes_of(insn);
	uint8_t from = REG_DATA;

	if (k > FLAT_MAX) {
		p->len = LEN_MAX + 1; /* it is not for this kind of program */
		return;
	}
	if (!is_computed(insn)) {
		p->flat_bytes = PLX_MAX(p->flat_bytes, k + n);
	} else {
		from = REG_TMP;
		if (p->place[i].checked < k + n) {
			p->place[i].checked = end_of_loads(p, i);
			put_place(p, p->place[i].checked);
		}
	}
	put_get(p, BPF_SIZE(insn->code), REG_A, from, (int16_t)k);
	if (n > 1 && !p->place[i].raw)
		put(p, (struct ebpf_insn){.code = BPF_ALU | EBPF_END | EBPF_TO_BE,
			       .dst_reg = REG_A,
			       .imm = (int32_t)(8 * n)});
}

static void put_load(struct pkt_bpf_patch *p, struct ebpf_insn i)
{
	if ((uint32_t)i.imm > OFFSET_MAX)
		i.imm = OFFSET_MAX; /* outside as well */
	if (is_computed(&i)) {
		i.src_reg = REG_X;
		put(p, (struct ebpf_insn){.code = BPF_JMP | BPF_JGT | BPF_K,
			       .dst_reg = REG_X,
			       .off = TO_REJECT,
			       .imm = OFFSET_MAX});
	}
	put(p, i);
}

/* Without a jump, as it would be a near one: (X >> 5) - 1 is negative for X < 32 only. */
static void put_shift(struct pkt_bpf_patch *p, struct ebpf_insn i)
{
	static const struct ebpf_insn mask[] = {
		{.code = BPF_ALU | EBPF_MOV | BPF_X, .dst_reg = REG_SPARE, .src_reg = REG_X},
		{.code = BPF_ALU | BPF_RSH | BPF_K, .dst_reg = REG_SPARE, .imm = 5},
		{.code = EBPF_ALU64 | BPF_SUB | BPF_K, .dst_reg = REG_SPARE, .imm = 1},
		{.code = EBPF_ALU64 | EBPF_ARSH | BPF_K, .dst_reg = REG_SPARE, .imm = 63},
		{.code = BPF_ALU | BPF_AND | BPF_X, .dst_reg = REG_A, .src_reg = REG_SPARE},
	};

	for (uint32_t k = 0; k < PLX_DIM(mask); k++)
		put(p, mask[k]);
	put(p, i);
}

/* With its number in a register. */
static void put_by_reg(struct pkt_bpf_patch *p, struct ebpf_insn i)
{
	put(p, (struct ebpf_insn){
		       .code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = REG_SPARE, .imm = i.imm});
	i.code = (uint8_t)(BPF_JMP | BPF_OP(i.code) | BPF_X);
	i.src_reg = REG_SPARE;
	i.imm = 0;
	put(p, i);
}

/* What is a jump stays the last one of what it becomes. */
static void put_safe(struct pkt_bpf_patch *p, struct ebpf_insn i)
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
		put_by_reg(p, i);
		break;
	case BPF_STX | BPF_MEM | BPF_W:
		put_store(p, i);
		break;
	case BPF_JMP | EBPF_EXIT:
		put(p, (struct ebpf_insn){.code = BPF_JMP | BPF_JA, .off = TO_EXIT});
		break;
	default:
		put(p, i);
	}
}

static bool exits(const struct ebpf_insn *i)
{
	return i->code == (BPF_JMP | EBPF_EXIT);
}

static bool jumps(const struct ebpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_JMP && !exits(i);
}

static uint32_t end_of(const struct pkt_bpf_patch *p, uint32_t i)
{
	return (uint32_t)((int64_t)i + 1 + p->from[i].off);
}

static bool falls_through(const struct ebpf_insn *i)
{
	return !exits(i) && i->code != (BPF_JMP | BPF_JA);
}

/* `ret #0`: A = 0, and the exit. */
static bool is_reject(const struct ebpf_insn *i)
{
	return i[0].code == (BPF_ALU | EBPF_MOV | BPF_K) && i[0].dst_reg == REG_A && !i[0].imm &&
	       exits(&i[1]);
}

/* Does the jump at i go to one that is left out, as there is another one behind the gap? */
static bool is_to_reject(const struct pkt_bpf_patch *p, uint32_t i)
{
	return end_of(p, i) == p->n;
}

/* The last one is left out if nothing but jumps leads there, and what is before it is an end, too.
 */
static void cut_reject(struct pkt_bpf_patch *p)
{
	if (p->n > 3 && is_reject(&p->from[p->n - 2]) && exits(&p->from[p->n - 3]))
		p->n -= 2;
}

unsigned int pkt__bpf_next(const struct pkt_bpf_patch *p, uint32_t i, uint32_t next[2])
{
	unsigned int n = 0;

	if (jumps(&p->from[i]))
		next[n++] = end_of(p, i);
	if (falls_through(&p->from[i]))
		next[n++] = i + 1;
	return n;
}

static uint16_t word_of(const struct ebpf_insn *i)
{
	return (uint16_t)(1u << ((-i->off / 4 - 1) % MEMWORDS));
}

static bool reads_word(const struct ebpf_insn *i)
{
	return i->code == (BPF_LDX | BPF_MEM | BPF_W) && i->src_reg == EBPF_REG_10;
}

static bool writes_word(const struct ebpf_insn *i)
{
	return i->code == (BPF_STX | BPF_MEM | BPF_W);
}

/* All jumps go forward: from the beginning to the end each place is known when it is met.
 * @return all words that are written; -1: one is read that may not be */
static int32_t look_forward(struct pkt_bpf_patch *p)
{
	uint16_t all = 0;
	uint32_t next[2];

	for (uint32_t i = 1; i < p->n; i++)
		p->place[i].written = UINT16_MAX;
	for (uint32_t i = 0; i < p->n; i++) {
		uint16_t written = p->place[i].written;

		if (reads_word(&p->from[i]) && !(written & word_of(&p->from[i])))
			return -1;
		if (writes_word(&p->from[i]))
			written |= word_of(&p->from[i]);
		for (unsigned int k = pkt__bpf_next(p, i, next); k--;) {
			struct pkt_bpf_place *to = &p->place[next[k]];

			to->written &= written;
			to->ways = (uint8_t)PLX_MIN(to->ways + 1, 2);
		}
		if (writes_word(&p->from[i]))
			all |= word_of(&p->from[i]);
	}
	return all;
}

/* Whatever it was before. */
static bool is_set(const struct ebpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	if (class != BPF_ALU && class != EBPF_ALU64)
		return false;
	return BPF_OP(i->code) == EBPF_MOV ||
	       (BPF_OP(i->code) == BPF_XOR && BPF_SRC(i->code) == BPF_X &&
		       i->src_reg == i->dst_reg);
}

uint8_t pkt__bpf_needs(const struct ebpf_insn *i, uint8_t needs)
{
	uint8_t dst = needs_reg(i->dst_reg), src = needs_reg(i->src_reg);

	switch (BPF_CLASS(i->code)) {
	case BPF_LD: /* to A */
		needs &= (uint8_t)~NEEDS_A;
		return BPF_MODE(i->code) == BPF_IND ? needs | NEEDS_X : needs;
	case BPF_LDX:
		return needs & (uint8_t)~dst;
	case BPF_STX:
		return needs | src;
	case BPF_ALU:
	case EBPF_ALU64:
		needs = is_set(i) ? needs & (uint8_t)~dst : needs | dst;
		if (BPF_OP(i->code) == BPF_XOR && is_set(i))
			return needs;
		return BPF_SRC(i->code) == BPF_X ? needs | src : needs;
	default: /* jumps, the exit */
		if (i->code == (BPF_JMP | BPF_JA))
			return needs;
		needs |= exits(i) ? NEEDS_A : dst;
		return BPF_SRC(i->code) == BPF_X ? needs | src : needs;
	}
}

static uint8_t needs_behind(const struct pkt_bpf_patch *p, uint32_t i)
{
	uint32_t next[2];
	uint8_t needs = 0;

	for (unsigned int k = pkt__bpf_next(p, i, next); k--;)
		needs |= p->place[next[k]].needs;
	return needs;
}

static void look_back(struct pkt_bpf_patch *p)
{
	for (uint32_t i = p->n; i--;) {
		uint8_t behind = needs_behind(p, i), dst = needs_reg(p->from[i].dst_reg);
		struct pkt_bpf_place *at = &p->place[i];

		at->vain = is_set(&p->from[i]) && dst && !(behind & dst);
		at->needs = at->vain ? behind : pkt__bpf_needs(&p->from[i], behind);
	}
}

/* Before anything else. */
static void put_words(struct pkt_bpf_patch *p, uint16_t words)
{
	if (words) {
		put_zero(p, EBPF_REG_1);
		put_unknown(p, REG_TMP); /* the length, as nobody reads it */
	}
	for (int16_t k = 0; k < MEMWORDS; k++)
		if (words >> k & 1)
			put(p, (struct ebpf_insn){.code = BPF_STX | BPF_MEM | BPF_W,
				       .dst_reg = EBPF_REG_10,
				       .src_reg = REG_SPARE,
				       .off = (int16_t)(-4 * (k + 1))});
}

static int16_t distance(uint32_t from, uint32_t to)
{
	return (int16_t)(to - from - 1);
}

/* @param reject  the exit is next to it. */
static void aim(struct pkt_bpf_patch *p, uint32_t reject)
{
	for (uint32_t i = 0; i < reject; i++) {
		if (jumps(&p->to[i]) && p->to[i].off == TO_REJECT)
			p->to[i].off = distance(i, reject);
		if (jumps(&p->to[i]) && p->to[i].off == TO_EXIT)
			p->to[i].off = distance(i, reject + 1);
		if (jumps(&p->to[i]) && p->to[i].off == TO_UNSURE)
			p->to[i].off = distance(i, reject + 2);
	}
	for (uint32_t i = 0; i + 1 < p->n; i++) {
		uint32_t jump = p->place[i + 1].at - 1;
		uint32_t end;

		if (!jumps(&p->from[i]))
			continue;
		if (is_to_reject(p, i)) {
			p->to[jump].off = distance(jump, reject);
			continue;
		}
		end = end_of(p, i);
		p->to[jump].off = distance(jump, p->len);
		put(p, (struct ebpf_insn){.code = BPF_JMP | BPF_JA,
			       .off = distance(p->len, p->place[end].at)});
	}
}

/* DPDK refuses what nothing leads to, so a jump that is always taken leads into the gap. */
static void put_gap(struct pkt_bpf_patch *p)
{
	put(p, (struct ebpf_insn){
		       .code = BPF_JMP | BPF_JGE | BPF_K, .dst_reg = REG_A, .off = TO_EXIT});
	for (uint32_t i = 0; i < GAP; i++)
		put(p, (struct ebpf_insn){.code = BPF_ALU | EBPF_MOV | BPF_K,
			       .dst_reg = REG_SPARE,
			       .imm = INT32_MAX});
}

static bool takes_x(const struct ebpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	return (class == BPF_ALU || class == BPF_JMP) && BPF_SRC(i->code) == BPF_X;
}

/* The ends that programs have in common. The exit that is there first is all that machine code
 * makes of it, and the one after it a short jump back, in any pass. */
static void put_ends(struct pkt_bpf_patch *p)
{
	put(p, (struct ebpf_insn){.code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = REG_A});
	put(p, (struct ebpf_insn){.code = BPF_JMP | EBPF_EXIT});
	if (!p->unsure)
		return;
	put(p, (struct ebpf_insn){
		       .code = EBPF_ALU64 | EBPF_MOV | BPF_K, .dst_reg = REG_A, .imm = -1});
	put(p, (struct ebpf_insn){.code = BPF_JMP | EBPF_EXIT});
}

/* Of a flat program: what is found out about a place is known behind it as well, but where ways
 * meet. */
static void hand_on(struct pkt_bpf_patch *p, uint32_t i)
{
	uint32_t checked = p->place[i].checked, next[2];

	if (!p->place[i].vain && forgets_place(&p->from[i]))
		checked = 0;
	for (unsigned int k = pkt__bpf_next(p, i, next); k--;)
		if (p->place[next[k]].ways == 1)
			p->place[next[k]].checked = checked;
}

/* Raw if something is compared with it. A number of 32 bits is taken for one with a sign. */
static void put_compare(struct pkt_bpf_patch *p, uint32_t i, struct ebpf_insn insn)
{
	if (BPF_SRC(insn.code) == BPF_K)
		insn.imm = (int32_t)pkt__bpf_raw(p, i, (uint32_t)insn.imm);
	if (BPF_SRC(insn.code) == BPF_K && insn.imm < 0)
		put_by_reg(p, insn);
	else
		put_safe(p, insn);
}

static void put_flat(struct pkt_bpf_patch *p, uint32_t i, struct ebpf_insn insn)
{
	if (BPF_CLASS(insn.code) == BPF_LD) {
		put_flat_load(p, i);
		return;
	}
	if (pkt__bpf_compares_raw(p, i)) {
		put_compare(p, i, insn);
		return;
	}
	if (insn.code == (BPF_ALU | EBPF_MOV | BPF_K) && insn.dst_reg == REG_TMP &&
		pkt__bpf_compares_raw(p, i + 1))
		insn.imm = (int32_t)pkt__bpf_raw(p, i + 1, (uint32_t)insn.imm);
	put_safe(p, insn);
}

static void put_at(struct pkt_bpf_patch *p, uint32_t i)
{
	struct ebpf_insn insn = p->from[i];

	if (takes_x(&insn))
		insn.imm = 0;
	p->place[i].at = p->len;
	if (p->place[i].ways > 1)
		put_meeting(p, p->place[i].needs & (NEEDS_A | NEEDS_X));
	if (p->flat) {
		if (!p->place[i].vain)
			put_flat(p, i, insn);
		hand_on(p, i);
	} else if (!p->place[i].vain) {
		put_safe(p, insn);
	}
}

static int patch(struct pkt_bpf_patch *p)
{
	uint32_t last, reject;
	int32_t words;

	if (!exits(&p->from[p->n - 1]))
		return EINVAL;
	cut_reject(p);
	last = p->n - 1;
	words = look_forward(p);
	if (words < 0)
		return EINVAL;
	look_back(p);
	put_words(p, (uint16_t)words);
	if (p->flat) {
		pkt__bpf_find_raw(p);
		put_data(p);
	}
	for (uint32_t i = 0; i < last; i++)
		put_at(p, i);
	p->place[last].at = p->len;
	put_gap(p);
	reject = p->len;
	put_ends(p);
	if (p->len <= LEN_MAX)
		aim(p, reject);
	return p->len > LEN_MAX ? E2BIG : 0;
}

int pkt__bpf_patch(struct pkt_bpf_patch *p, const struct ebpf_insn *from, uint32_t n)
{
	p->from = from;
	p->n = n;
	p->to = calloc(LEN_MAX, sizeof(*p->to));
	p->place = calloc(n, sizeof(*p->place));
	return p->to && p->place ? patch(p) : ENOMEM;
}

void pkt__bpf_patch_free(struct pkt_bpf_patch *p)
{
	free(p->to);
	free(p->place);
}
