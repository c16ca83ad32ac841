/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Private to the library. */
#include "plx_tap.h"

/** An instruction of classic BPF, as libpcap and Linux lay it out. */
struct tap_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/** A program of classic BPF. */
struct tap_classic {
	struct tap_insn *insns; /**< by malloc() */
	uint32_t n;
};

/** What libpcap loads, in Linux's way, to know a packet's direction: a byte of this offset. */
#define TAP_AD_OFF     0xfffff000u
#define TAP_AD_PKTTYPE (TAP_AD_OFF + 4)

/** classic.c: compile. @return 0; -EINVAL or -ENOMEM with *e filled. */
int tap__classic_compile(struct tap_classic *c, const char *expr, enum plx_tap_link link,
	struct plx_tap_filter_error *e);

/** A packet with the tags in front that stand beside it: segments that borrow it. */
struct tap_view {
	struct rte_mbuf head, rest;
	uint8_t hdr[20]; /* MACs, two tags */
};

/** view.c: m as it is (was, will be) on the wire; m itself if that is how it lies. */
const struct rte_mbuf *tap__view(struct tap_view *v, const struct rte_mbuf *m);

/** filter.c: plx_tap_filter_run() of what tap__view() gave. */
bool tap__filter_match(const struct plx_tap_filter *f, const struct rte_mbuf *m, bool out);
