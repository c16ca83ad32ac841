/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt_bpf.h"
#include "bpf_patch.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_bpf.h>
#include <rte_errno.h>
#include <rte_malloc.h>

/*
 * A program of classic BPF becomes two of DPDK's (bpf_patch.c). One is for any mbuf. The other one
 * is for those whose first segment holds all that the program loads from fixed places, as most do:
 * it looks at bytes where they are, and where a computed place lies beyond the first segment it
 * says that it does not know.
 */

/* libpcap's, which DPDK takes. */
struct bpf_program {
	unsigned int bf_len;
	const struct plx_bpf_insn *bf_insns;
};

/* @return NULL: rte_errno says why. */
static struct rte_bpf *load_safe(struct pkt_bpf_patch *p, struct rte_bpf_prm *prm)
{
	struct rte_bpf_prm safe = *prm;
	struct rte_bpf *bpf = NULL;

	rte_errno = pkt__bpf_patch(p, prm->ins, prm->nb_ins);
	if (rte_errno == 0) {
		safe.ins = p->to;
		safe.nb_ins = p->len;
		safe.prog_arg.buf_size = PKT_BPF_BUF_MAX;
		bpf = rte_bpf_load(&safe);
	}
	pkt__bpf_patch_free(p);
	return bpf;
}

static uint64_t (*machine_code(const struct rte_bpf *bpf))(void *m)
{
	struct rte_bpf_jit jit;

	return rte_bpf_get_jit(bpf, &jit) == 0 ? jit.func : NULL;
}

/* Where it cannot be, the other one is asked. */
static void load_flat(struct plx_pkt_bpf *p, struct rte_bpf_prm *prm)
{
	struct pkt_bpf_patch patch = {.flat = true};

	p->flat_bytes = UINT32_MAX;
	p->flat = NULL;
	p->flat_bpf = p->jit ? load_safe(&patch, prm) : NULL;
	if (!p->flat_bpf)
		return;
	p->flat = machine_code(p->flat_bpf);
	if (p->flat)
		p->flat_bytes = patch.flat_bytes;
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* experimental: rte_bpf_convert() */
int plx_pkt_bpf_load(struct plx_pkt_bpf *p, const struct plx_bpf_insn *insns, uint32_t n)
{
	const struct bpf_program classic = {.bf_len = n, .bf_insns = insns};
	struct rte_bpf_prm *prm = rte_bpf_convert(&classic);
	struct pkt_bpf_patch patch = {.flat = false};
	struct rte_bpf *bpf;

	if (!prm)
		return -rte_errno;
	bpf = load_safe(&patch, prm);
	if (bpf) {
		p->bpf = bpf;
		p->jit = machine_code(bpf);
		load_flat(p, prm);
	}
	rte_free(prm);
	return bpf ? 0 : -rte_errno;
}

uint32_t plx_pkt_bpf_interpret(const struct plx_pkt_bpf *p, const struct rte_mbuf *m)
{
	return (uint32_t)rte_bpf_exec(p->bpf, (void *)(uintptr_t)m);
}

uint32_t plx_pkt_bpf_run_any(const struct plx_pkt_bpf *p, const struct rte_mbuf *m)
{
	if (plx_likely(p->jit))
		return (uint32_t)p->jit((void *)(uintptr_t)m); /* which is only read */
	return plx_pkt_bpf_interpret(p, m);
}

void plx_pkt_bpf_free(struct plx_pkt_bpf *p)
{
	rte_bpf_destroy(p->flat_bpf);
	rte_bpf_destroy(p->bpf);
	*p = (struct plx_pkt_bpf){0};
}
