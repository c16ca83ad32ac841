/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Private to the library: what rte_bpf_convert() makes of classic BPF becomes safe, and
 * short. */
#include <rte_bpf.h>

#include <plx_base_defs.h>

/** Bytes that DPDK may take a segment for; what is loaded of it is compared with its length. */
#define PKT_BPF_BUF_MAX (1u << 20)

struct pkt_bpf_place;

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
