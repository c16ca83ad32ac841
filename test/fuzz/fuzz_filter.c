/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Programs of classic BPF, such as Linux takes, asked about a frame: machine code, DPDK's
 * interpreter and libpcap's say the same, of the frame in one piece and of a chain, and read
 * nothing beside it. What cannot be loaded is refused.
 *
 * The program: a byte of options, how many instructions, then each as its code (a number in the
 * list below; by an option both bytes), what a jump says, and its number: one byte below 0xf0, else
 * that one and four of it. Then five sizes of segments; the rest is the frame.
 */
#include <pcap/pcap.h>

#include <plx_pkt_bpf.h>

#include "fenced.h"

#define INSNS_MAX 96
#define LINEAR	  1 /* options: of jumps one way is to the next one, as DPDK wants no dead code */
#define SLOTS	  2 /* the scratch memory is written first, as it wants that as well */
#define RAW	  4 /* codes of any kind, most of which there are not */

static struct bpf_insn prog[INSNS_MAX + 2 * BPF_MEMWORDS + 1];
static uint32_t n;

static const uint8_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND,
	BPF_LD | BPF_B | BPF_IND,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LDX | BPF_B | BPF_MSH,
	BPF_LDX | BPF_IMM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_ALU | BPF_MOD | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
};

static bool is_known(uint16_t code)
{
	for (size_t i = 0; i < sizeof(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static uint32_t number(struct input *in)
{
	uint32_t k = u8(in);

	if (k >= 0xf0)
		for (int i = 0; i < 4; i++)
			k = k << 8 | u8(in);
	return k;
}

static void put(uint16_t code, uint32_t k)
{
	prog[n++] = (struct bpf_insn)BPF_STMT(code, k);
}

/* Forward and inside: left are so many that can be gone to. */
static void aim(struct bpf_insn *i, struct input *in, uint32_t left, bool linear)
{
	i->jt = (u_char)(u8(in) % left);
	i->jf = (u_char)(u8(in) % left);
	if (BPF_OP(i->code) == BPF_JA)
		i->k %= left;
	else if (linear)
		*(i->k & 1 ? &i->jt : &i->jf) = 0;
}

/* What Linux refuses before it is loaded, and plx_pkt_bpf_load() is not to be given. */
static void make_fine(struct bpf_insn *i)
{
	uint16_t op = BPF_OP(i->code);

	switch (BPF_CLASS(i->code)) {
	case BPF_ST:
	case BPF_STX:
		i->k %= BPF_MEMWORDS;
		break;
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(i->code) == BPF_MEM)
			i->k %= BPF_MEMWORDS;
		break;
	case BPF_ALU:
		if (BPF_SRC(i->code) == BPF_X)
			break;
		if (op == BPF_LSH || op == BPF_RSH)
			i->k %= 32;
		if ((op == BPF_DIV || op == BPF_MOD) && !i->k)
			i->k = 1;
	}
}

static void build(struct input *in)
{
	uint8_t how = u8(in);
	uint32_t want = u8(in) % INSNS_MAX;

	n = 0;
	for (uint32_t i = 0; how & SLOTS && i < BPF_MEMWORDS; i++) {
		put(BPF_LD | BPF_IMM, i * 0x01010101);
		put(BPF_ST, i);
	}
	for (uint32_t i = 0; i < want; i++) {
		uint16_t code = u8(in);
		struct bpf_insn *insn = &prog[n];

		code = how & RAW ? (uint16_t)(code << 8 | u8(in)) : codes[code % sizeof(codes)];
		put(code, 0);
		if (BPF_CLASS(code) == BPF_JMP) {
			insn->k = number(in);
			aim(insn, in, want - i, how & LINEAR);
		} else {
			insn->k = number(in);
			make_fine(insn);
		}
	}
	put(BPF_RET | BPF_A, 0);
}

static bool all_known(void)
{
	for (uint32_t i = 0; i < n; i++)
		if (!is_known(prog[i].code))
			return false;
	return true;
}

static void ask(const struct plx_pkt_bpf *p, const struct rte_mbuf *m, uint32_t want)
{
	must(plx_pkt_bpf_run(p, m) == want);
	must(plx_pkt_bpf_interpret(p, m) == want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size}, cuts;
	struct plx_pkt_bpf p = {0};
	const uint8_t *frame;
	size_t bytes;
	uint32_t want;

	fenced_init();
	build(&in);
	static_assert(sizeof(prog[0]) == sizeof(struct plx_bpf_insn), "the same");
	if (plx_pkt_bpf_load(&p, (const void *)prog, n) != 0) {
		must(!p.bpf);
		return 0;
	}
	must(all_known());
	cuts.p = span(&in, FENCED_SEGS - 1, &cuts.left);
	frame = span(&in, FENCED_MAX, &bytes);
	want = bpf_filter(prog, frame, (u_int)bytes, (u_int)bytes);
	ask(&p, fenced_whole(frame, bytes, true), want);
	ask(&p, fenced_whole(frame, bytes, false), want);
	ask(&p, fenced_chain(&cuts, frame, bytes), want);
	plx_pkt_bpf_free(&p);
	return 0;
}
