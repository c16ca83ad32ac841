/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Private to the library. */
#include "cost.h"
#include "ring.h"

#include <plx_base_rng.h>
#include <plx_pkt_bpf.h>

/** A program of classic BPF. */
struct tap_classic {
	struct plx_bpf_insn *insns; /**< by malloc() */
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

/** Of ol_flags: there is one. */
#define TAP_TAGS                                                                                   \
	(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_RX_QINQ_STRIPPED |          \
		RTE_MBUF_F_TX_QINQ)

/** view.c: m as it is (was, will be) on the wire; m itself if that is how it lies. */
const struct rte_mbuf *tap__view(struct tap_view *v, const struct rte_mbuf *m);

/** filter.c: the program, for what tap__view() gave. */
const struct plx_pkt_bpf *tap__filter_prog(const struct plx_tap_filter *f, bool out);

/* What an lcore counts. */
struct tap_sums {
	uint64_t accepted, filtered, sampled, bytes;
	uint64_t lost;	 /* the ring was full, or */
	uint64_t missed; /* it would have cost too much */
};

/* How far things were in front of a packet on its way out. */
struct tap_mark {
	uint64_t laid;
	uint32_t skip, miss;
	struct tap_sums sums;
};

/* Packets that were looked at, and that the driver has not answered for. */
struct tap_stage {
	bool open;
	bool passed; /* nothing of them is looked at */
	uint16_t n;
	struct tap_sums sums;
	struct tap_mark at[PLX_PKT_WATCH_MAX + 1];
};

#define TAP_PAST 512

/* Where a record begins, and what came before it. */
struct tap_past {
	uint64_t pos, pkts;
	plx_ns ns;
};

/* Packets that were asked for by plx_tap_conf.match[]. */
struct tap_match {
	uint64_t n;	 /* single writer: the lcore */
	plx_ns first_ns; /* of the first one behind `seen` */
	uint64_t seen;	 /* the reader's */
};

/** What a lane of a recorder has beside. The lcore's, but for the last line. */
struct tap_record {
	const struct plx_tap *tap;
	uint64_t keep, step;
	uint32_t first, n; /* of past[], which is a ring: what was noted, oldest first */
	struct tap_past past[TAP_PAST];
	uint64_t overwritten; /* packets; single writer */
	plx_ns since_ns;      /* the same: what came later was not overwritten */
	struct tap_match match[PLX_TAP_MATCHES];
	/* the reader's */
	uint64_t read PLX_ALIGNED; /* packets; single writer */
	plx_ns read_ns;		   /* the last one's time */
	bool cut;		   /* what came behind the last one was overwritten */
} PLX_ALIGNED;

/** What one lcore has of one tap. */
struct tap_lane {
	struct tap_ring ring;
	struct tap_sums sums; /* single writer */
	uint32_t skip;	      /* packets until the next one that is in the sample */
	struct plx_rng rng;
	struct tap_record *rec; /* a recorder's; else NULL */
	/* with a ceiling */
	uint32_t miss;	   /* packets until the next one that is looked at */
	uint32_t calls;	   /* so far */
	uint64_t staging;  /* cycles that what is staged has taken */
	uint32_t standing; /* calls that these stand for; 0: it was not measured */
	struct tap_cost cost;

	struct tap_stage stage;
	uint32_t told PLX_ALIGNED; /* the reader's: of those lost, so many it has been told of */
} PLX_ALIGNED;

/** A port, as a file says it. */
struct tap_port {
	const char *name; /**< stays */
	bool ip;	  /**< no Ethernet header */
	bool has_mac;
	uint8_t mac[6];
	uint64_t bps;
};

/** What taps stand on: an engine, or DPDK alone (ethdev.c). */
struct tap_host {
	struct plx_engine *eng; /**< or NULL */
	struct rte_rcu_qsbr *rcu;
	uint16_t n_lcores;
	uint32_t lcore[PLX_ENGINE_LCORES_MAX];
	plx_ns (*now)(const struct tap_host *h);
	/** @return false: no port of it has this number, below PLX_PORT_MAX. */
	bool (*port)(const struct tap_host *h, uint16_t id, struct tap_port *p);
	void (*fini)(struct tap_host *h); /**< may be NULL */
};

enum tap_state {
	TAP_NEW, /* in no list yet */
	TAP_HUNG,
	TAP_DETACHED,
};

struct plx_tap {
	struct plx_taps *ts;
	struct plx_tap_conf conf;
	struct plx_tap_filter *filter[PLX_TAP_LINKS];
	uint16_t n_lanes;
	struct plx_tap_filter *match[PLX_TAP_MATCHES][PLX_TAP_LINKS];
	uint32_t n_matches;
	bool frozen;	/* the reader's */
	uint32_t lists; /* that it is in, and that lcores may see */
	enum tap_state state;
	uint64_t given;				       /* single writer */
	struct tap_lane *lanes[PLX_ENGINE_LCORES_MAX]; /* the same, without gaps */
	struct tap_lane *lane[RTE_MAX_LCORE];	       /* by lcore id */
	struct plx_tap *next;
};

/** The taps at one point: what hangs there. Does not change any more. */
struct tap_list {
	struct plx_pkt_watch watch;
	bool notes; /* where packets came from, for those who see them later */
	uint32_t n;
	struct plx_tap *tap[];
};

/** lane.c: plx_pkt_watch.see and .took. */
void tap__see(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s,
	struct rte_mbuf *const *pkts, uint16_t n);
void tap__took(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s, uint16_t n);

/** record.c: bytes of each ring beyond conf.ring_bytes. */
uint64_t tap__record_keep(const struct plx_tap *t);
/** record.c: make l a recorder's. @return 0 or -ENOMEM. */
int tap__record_init(struct tap_lane *l, const struct plx_tap *t, int socket);
/** On the lcore: is a packet that was just laid asked for by conf.match[]? */
void tap__record_look(struct tap_lane *l, struct plx_tap_pkt *p, const struct rte_mbuf *m);
/** The reader's: how many have been asked for by match[i] since the last call, and when the first
 * of them came. */
uint64_t tap__record_matched(struct tap_lane *l, uint32_t i, plx_ns *first_ns);
/** The reader's: it is done with p. */
void tap__record_read(struct tap_lane *l, const struct plx_tap_pkt *p);

/** tap.c: plx_tap_open() by halves: what can be refused, then the lists. As it says. */
struct plx_tap *tap__new(struct plx_taps *ts, const struct plx_tap_conf *conf, struct plx_error *e,
	struct plx_tap_filter_error *why);
/** @return 0, or -ENOMEM with *e filled: plx_tap_close() does not wait then. */
int tap__hang(struct plx_tap *t, struct plx_error *e);
/** tap.c: *h is copied. @return NULL with *e filled. */
struct plx_taps *tap__taps_new(const struct tap_host *h, struct plx_error *e);
const struct tap_host *tap__host(const struct plx_tap *t);
/** Packets' time. */
plx_ns tap__now(const struct plx_tap *t);
