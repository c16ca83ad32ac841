/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Private to the library: what rte_bpf_convert() makes of classic BPF becomes safe, and
 * short. */
#include <rte_bpf.h>

#include <plx_base_defs.h>

/** Bytes that DPDK may take a segment for; what is loaded of it is compared with its length. */
#define PKT_BPF_BUF_MAX (1u << 20)

/* Registers, as rte_bpf_convert() has them. */
#define PKT_BPF_A   EBPF_REG_0
#define PKT_BPF_X   EBPF_REG_7
#define PKT_BPF_TMP EBPF_REG_8

/* Values that are needed. */
#define PKT_BPF_NEEDS_A 1
#define PKT_BPF_NEEDS_X 2
#define PKT_BPF_NEEDS_T 4

/** Of an instruction. */
struct pkt_bpf_place {
	uint32_t at;	  /**< where it went */
	uint32_t holds;	  /**< what A holds in front of it: bpf_raw.c */
	uint32_t checked; /**< a flat one's, if PKT_BPF_TMP is where X + 0 lies: X + checked is not
			     beyond the first segment; else 0 */
	uint16_t written; /**< scratch memory that is, whichever way one comes; a bit a word */
	uint8_t needs;	  /**< PKT_BPF_NEEDS_*: values that are used here or behind */
	uint8_t ways;	  /**< that lead here; more than one meet */
	bool vain;	  /**< it sets what nobody asks for: it is left out */
	bool raw;	  /**< a load whose bytes stay in the order that they have */
};

struct pkt_bpf_patch {
	/**
	 * For an mbuf whose first segment has flat_bytes: returns what does not fit into 32 bits
	 * where it would have to look further.
	 */
	bool flat;
	uint32_t flat_bytes;
	/* what it is made of */
	const struct ebpf_insn *from;
	uint32_t n;	      /**< that can be reached */
	struct ebpf_insn *to; /**< the outcome */
	uint32_t len;
	struct pkt_bpf_place *place; /**< of each of from */
	bool unsure;		     /**< there are ways to where it says so */
};

/** @return 0, ENOMEM, EINVAL, E2BIG. */
int pkt__bpf_patch(struct pkt_bpf_patch *p, const struct ebpf_insn *from, uint32_t n);
void pkt__bpf_patch_free(struct pkt_bpf_patch *p);

/** Where it goes on from i. @return how many places. */
unsigned int pkt__bpf_next(const struct pkt_bpf_patch *p, uint32_t i, uint32_t next[2]);
/** @param behind  PKT_BPF_NEEDS_*. @return in front of it. */
uint8_t pkt__bpf_needs(const struct ebpf_insn *i, uint8_t behind);

/** bpf_raw.c: which loads can be raw. ways, needs and vain are known. */
void pkt__bpf_find_raw(struct pkt_bpf_patch *p);
/** Is it a jump that compares what a raw load has given? */
bool pkt__bpf_compares_raw(const struct pkt_bpf_patch *p, uint32_t i);
/** What it is to be compared with instead of k. */
uint32_t pkt__bpf_raw(const struct pkt_bpf_patch *p, uint32_t i, uint32_t k);
