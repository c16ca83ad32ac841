/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Programs of classic BPF (what libpcap's expressions and SO_ATTACH_FILTER are made of), asked
 * about mbufs where they lie, by DPDK's compiler. Chains of mbufs are read over their ends; nothing
 * outside the packet is read, and each program ends.
 *
 * Source: McCanne, Jacobson, "The BSD Packet Filter"; Linux, Documentation/networking/filter.rst.
 */
#include <rte_mbuf.h>

#include <plx_base_defs.h>

PLX_C_BEGIN

/** An instruction, as Linux (struct sock_filter) and libpcap (struct bpf_insn) lay it out. */
struct plx_bpf_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

struct rte_bpf;

/** One that is loaded. */
struct plx_pkt_bpf {
	struct rte_bpf *bpf, *flat_bpf;
	uint64_t (*jit)(void *m);  /**< NULL: DPDK interprets it */
	uint64_t (*flat)(void *m); /**< of a first segment; beyond 32 bits: ask jit */
	uint32_t flat_bytes;	   /**< that it must have; UINT32_MAX: there is no such program */
};

/**
 * Any thread. Needs EAL.
 * @param insns  of which jumps and accesses to the scratch memory stay inside, whose end is a
 *               return, and that load nothing of Linux's own offsets: Linux's bpf_check_classic().
 * @return 0; -ENOMEM, -EINVAL, -E2BIG, -ENOTSUP and *p untouched.
 */
PLX_API int plx_pkt_bpf_load(struct plx_pkt_bpf *p, const struct plx_bpf_insn *insns, uint32_t n);
/** Nobody runs it any more. One of all zeros is fine. */
PLX_API void plx_pkt_bpf_free(struct plx_pkt_bpf *p);

/** What plx_pkt_bpf_run() does without machine code. */
PLX_API uint32_t plx_pkt_bpf_interpret(const struct plx_pkt_bpf *p, const struct rte_mbuf *m);
/** What it does with an mbuf whose first segment is short. */
PLX_API uint32_t plx_pkt_bpf_run_any(const struct plx_pkt_bpf *p, const struct rte_mbuf *m);

/** Any thread, any number at a time. @return what the program returns; 0: m is not wanted. */
static inline uint32_t plx_pkt_bpf_run(const struct plx_pkt_bpf *p, const struct rte_mbuf *m)
{
	uint64_t verdict;

	if (plx_likely(m->data_len >= p->flat_bytes)) {
		verdict = p->flat((void *)(uintptr_t)m); /* which is only read */
		if (plx_likely(!(verdict >> 32)))
			return (uint32_t)verdict;
	}
	return plx_pkt_bpf_run_any(p, m);
}

/**
 * How many of n packets it refuses before the first one that it wants, or that it does not tell of
 * here: that is in pieces, or has any of these ol_flags. What refuses nearly all is asked so by
 * half of the instructions.
 * @param wanted  set: the packet behind those is wanted; else it has yet to be asked.
 */
static inline uint16_t plx_pkt_bpf_refused(const struct plx_pkt_bpf *p,
	struct rte_mbuf *const *pkts, uint16_t n, uint64_t flags, bool *wanted)
{
	struct rte_mbuf *const *at = pkts, *const *end = pkts + n;
	uint64_t (*flat)(void *m) = p->flat, verdict = 0;
	uint32_t least = p->flat_bytes;

	for (; at < end && !((*at)->ol_flags & flags) && (*at)->data_len >= least; at++) {
		verdict = flat(*at); /* which only reads */
		if (verdict)
			break;
	}
	*wanted = verdict && !(verdict >> 32);
	return (uint16_t)(at - pkts);
}

PLX_C_END
