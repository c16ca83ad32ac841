/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_bpf.h>
#include <rte_errno.h>

/* Linux's load of a packet's direction becomes a constant: a program for each direction. */

#define OUTGOING 4 /* PACKET_OUTGOING */

struct plx_tap_filter {
	struct plx_pkt_bpf prog[2]; /* in, out */
	bool directed;		    /* they differ */
};

static bool loads_direction(const struct plx_bpf_insn *i)
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
		c->insns[i] = (struct plx_bpf_insn){.code = BPF_LD | BPF_IMM, .k = kind};
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
		err = plx_pkt_bpf_load(&f->prog[0], c->insns, c->n);
		if (!err && f->directed)
			err = plx_pkt_bpf_load(&f->prog[1], out.insns, out.n);
		else
			f->prog[1] = f->prog[0];
	}
	free(out.insns);
	return err;
}

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
		plx_pkt_bpf_free(&f->prog[1]);
	plx_pkt_bpf_free(&f->prog[0]);
	free(f);
}

const struct plx_pkt_bpf *tap__filter_prog(const struct plx_tap_filter *f, bool out)
{
	return &f->prog[out];
}

bool plx_tap_filter_run(const struct plx_tap_filter *f, const struct rte_mbuf *m, bool out)
{
	struct tap_view v;

	return plx_pkt_bpf_run(&f->prog[out], tap__view(&v, m));
}

bool plx_tap_filter_jitted(const struct plx_tap_filter *f)
{
	return f->prog[0].jit != NULL;
}
