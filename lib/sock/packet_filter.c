/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <linux/filter.h>
#include <stdlib.h>

/*
 * SO_ATTACH_FILTER: a program of classic BPF, by DPDK's compiler. Each frame is asked about on the
 * lcore where it is, before it is copied. Linux's own offsets (SKF_AD_OFF and what is near it: the
 * kind of a packet, its tag, ...) there are not: a program that loads from them is refused.
 */

static_assert(sizeof(struct sock_filter) == sizeof(struct plx_bpf_insn), "the same");

uint32_t sock__packet_run(
	const struct sock_filter_prog *prog, const struct rte_mbuf *m, uint32_t off)
{
	struct rte_mbuf behind = *m; /* borrowed, as if it began at off */

	if (off) {
		behind.data_off = (uint16_t)(behind.data_off + off);
		behind.data_len = (uint16_t)(behind.data_len - off);
		behind.pkt_len -= off;
	}
	return plx_pkt_bpf_run(&prog->bpf, &behind);
}

void sock__packet_unref(struct sock_filter_prog *prog)
{
	if (!prog || __atomic_sub_fetch(&prog->refs, 1, __ATOMIC_ACQ_REL))
		return;
	plx_pkt_bpf_free(&prog->bpf);
	free(prog);
}

/* Where it goes on is in the program; how far that is, is left. */
static bool jumps_inside(const struct sock_filter *i, uint32_t left)
{
	if (BPF_OP(i->code) == BPF_JA)
		return i->k < left;
	return i->jt < left && i->jf < left;
}

/* By a constant that makes no sense. */
static bool computes(const struct sock_filter *i)
{
	if (BPF_SRC(i->code) == BPF_X)
		return true;
	switch (BPF_OP(i->code)) {
	case BPF_DIV:
	case BPF_MOD:
		return i->k;
	case BPF_LSH:
	case BPF_RSH:
		return i->k < 32;
	default:
		return true;
	}
}

/* A load from Linux's own offsets, which are negative, or beyond the scratch memory. */
static bool loads(const struct sock_filter *i)
{
	switch (BPF_MODE(i->code)) {
	case BPF_MEM:
		return i->k < BPF_MEMWORDS;
	case BPF_ABS:
	case BPF_IND:
	case BPF_MSH:
		return (int32_t)i->k >= 0;
	default:
		return true;
	}
}

/* bpf_check_classic(): what DPDK's compiler relies on. @param left instructions behind it */
static bool is_fine(const struct sock_filter *i, uint32_t left)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
	case BPF_LDX:
		return loads(i);
	case BPF_ST:
	case BPF_STX:
		return i->k < BPF_MEMWORDS;
	case BPF_ALU:
		return computes(i);
	case BPF_JMP:
		return jumps_inside(i, left);
	default:
		return true;
	}
}

/* Its end is always met by an answer. */
static bool is_valid(const struct sock_fprog *fp)
{
	if (!fp->filter || !fp->len || fp->len > BPF_MAXINSNS)
		return false;
	for (uint32_t i = 0; i < fp->len; i++)
		if (!is_fine(&fp->filter[i], fp->len - i - 1))
			return false;
	return BPF_CLASS(fp->filter[fp->len - 1].code) == BPF_RET;
}

static struct sock_filter_prog *prog_new(const struct sock_fprog *fp)
{
	struct sock_filter_prog *prog = calloc(1, sizeof(*prog));

	if (!prog)
		return NULL;
	prog->refs = 1;
	if (plx_pkt_bpf_load(&prog->bpf, (const void *)fp->filter, fp->len) == 0)
		return prog;
	free(prog);
	return NULL;
}

/* In place of the one there is. */
static long use(struct sock_packet *p, struct sock_filter_prog *prog)
{
	struct sock_filter_prog *old = p->prog;
	long err;

	p->prog = prog;
	sock__packet_drops(p); /* the tap that goes has counted some */
	err = sock__packet_rehook(p);
	if (err)
		p->prog = old;
	sock__packet_unref(err ? prog : old);
	return err;
}

long sock__packet_attach(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);
	struct sock_filter_prog *prog;
	struct sock_fprog fp;

	if (a->len != sizeof(fp))
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(&fp, a->op->cvalue, sizeof(fp));
	if (p->locked)
		return -EPERM;
	if (!is_valid(&fp))
		return -EINVAL;
	prog = prog_new(&fp);
	return prog ? use(p, prog) : -EINVAL;
}

long sock__packet_detach(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);

	if (p->locked)
		return -EPERM;
	return p->prog ? use(p, NULL) : -ENOENT;
}

/* It cannot be unlocked. */
long sock__packet_lock(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);

	if (p->locked && !a->v)
		return -EPERM;
	p->locked = a->v;
	return 0;
}

long sock__packet_locked(struct sock_optarg *a)
{
	a->v = sock__packet(a->f)->locked;
	return 0;
}
