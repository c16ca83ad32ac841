/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A connection in conversation with the test: packets in the notation of test/trace, times counted
 * from when it was established.
 *
 *     struct tt t = tt_established(.mss = 1000, .rtt = PLX_MS(10));
 *
 *     tt_write(&t, 2000);
 *     tt_out(&t, PLX_MS(0), ". 1:1001(1000) ack 1");
 *     tt_out(&t, PLX_MS(0), "P. 1001:2001(1000) ack 1");
 *     tt_in(&t, PLX_MS(10), ". ack 1 win 500 sack 1001:2001");
 *     tt_none(&t, PLX_MS(10));
 *     tt_end(&t);
 */
#include "lang.h"
#include "t.h"

#define TT_EPOCH       PLX_SEC(1000)
#define TT_ARENA_BYTES (1u << 20)
#define TT_OUT	       1024

struct tt_conf {
	uint16_t mss;	   /**< the peer's; 0 = 1000 */
	plx_ns rtt;	   /**< of the handshake; 0 = 100 ms */
	uint16_t win;	   /**< the peer's in the handshake, as "win" says it; 0 = 500 */
	uint32_t iss, irs; /**< 0 = such that numbers wrap soon */
	bool no_sack, no_wscale, ts, ecn;
	uint32_t max_len; /**< of a super-segment; 0 = none */
};

struct tt_stack {
	struct plx_tcp c; /* first */
	struct plx_tcp_ctx ctx;
	struct plx_tunables tun;
	uint64_t stat[PLX_STAT_MAX];
	void *mem;
	struct plx_arena arena;
	struct td_flow flow;
	struct td_conf conf;
	struct td_seen out[TT_OUT];
	unsigned int head, n;
	uint32_t max_len;
	plx_ns now;
};

struct tt {
	struct tt_stack *s;
	struct plx_tcp *c;    /**< of s */
	struct plx_tcp_rx rx; /**< of the last tt_in() */
	enum plx_drop drop;   /**< of the last tt_in() */
};

static void tt__drain(struct tt *t)
{
	struct plx_tcp_room room = {.segs = 1 << 16, .bytes = UINT32_MAX, .max_len = t->s->max_len};
	struct plx_tcp_tx tx;

	while (plx_tcp_output(t->c, t->s->now, &room, &tx)) {
		struct plx_tcp_tx one = tx;

		for (uint32_t left = tx.len, more = 1; more; more = left) {
			one.len = tx.mss && left > tx.mss ? tx.mss : left;
			left -= one.len;
			one.flags = left ? tx.flags & ~(PLX_TCP_PSH | PLX_TCP_FIN) : tx.flags;
			assert_true(t->s->n < TT_OUT);
			td_flow_out(&t->s->flow, &one, t->s->now, &t->s->out[t->s->n++]);
			one.seq += one.len;
		}
	}
}

/* Timers fire in order until then. */
static void tt__pass(struct tt *t, plx_ns at)
{
	for (;;) {
		plx_ns next = plx_tcp_deadline(t->c);

		if (next > TT_EPOCH + at)
			break;
		t->s->now = PLX_MAX(next, t->s->now);
		plx_tcp_timer(t->c, t->s->now);
		tt__drain(t);
	}
	t->s->now = PLX_MAX(t->s->now, TT_EPOCH + at);
}

static inline plx_ns tt_now(const struct tt *t)
{
	return t->s->now - TT_EPOCH;
}

static inline struct tt tt__new(const struct tt_conf *conf)
{
	struct tt_stack *s = calloc(1, sizeof(*s));
	struct tt t = {.s = s, .c = &s->c};
	struct plx_tcp_id id = {.lport = 8080, .rport = 50000};
	struct plx_tcp_path path = {.mtu = 1500};
	uint32_t iss = conf->iss ? conf->iss : 0xffffe000, irs = conf->irs ? conf->irs : 0xfffff000;
	struct plx_tcp_start start = {.iss = iss,
		.irs = irs,
		.rcv_wnd = 64240,
		.mss = conf->mss ? conf->mss : 1000,
		.snd_wnd = 65535,
		.wscale_ok = !conf->no_wscale,
		.snd_wscale = conf->no_wscale ? 0 : 7,
		.rcv_wscale = conf->no_wscale ? 0 : 7,
		.sack_ok = !conf->no_sack,
		.ts_ok = conf->ts,
		.ecn_ok = conf->ecn,
		.sent_ns = TT_EPOCH - (conf->rtt ? conf->rtt : PLX_MS(100))};
	struct plx_tcp_seg ack = {.seq = irs + 1,
		.ack = iss + 1,
		.flags = PLX_TCP_ACK,
		.win = conf->win ? conf->win : 500};
	struct plx_tcp_tx tx = {0};

	s->mem = malloc(TT_ARENA_BYTES);
	assert_int_equal(plx_arena_init(&s->arena, s->mem, TT_ARENA_BYTES), 0);
	plx_tunables_init(&s->tun);
	s->ctx = (struct plx_tcp_ctx){.tun = &s->tun, .stat = s->stat, .mem = &s->arena, .seed = 1};
	plx_tcp_ctx_init(&s->ctx);
	s->now = TT_EPOCH;
	s->max_len = conf->max_len;
	plx_addr_parse(&id.laddr, "192.168.0.1");
	plx_addr_parse(&id.raddr, "192.0.2.1");
	td_flow_init(&s->flow, id.lport, id.rport, irs);
	s->flow.have_local = s->flow.have_remote = true;
	s->flow.local_isn = iss;
	s->flow.peer_nxt = 1;
	plx_tcp_init(t.c, &s->ctx, &id);
	plx_tcp_accept(t.c, &start, &path, s->now);
	if (conf->ts) {
		ack.opts = (struct plx_tcp_opts){.present = PLX_TCP_OPT_TS,
			.ts_val = 1,
			.ts_ecr = plx_tcp_ts_now(start.sent_ns)};
	}
	t.rx.tx = &tx;
	t.drop = plx_tcp_input(t.c, &ack, s->now, &t.rx);
	assert_int_equal(t.drop, PLX_DROP_NONE);
	assert_int_equal(t.c->id.state, PLX_TCP_ESTABLISHED);
	tt__drain(&t);
	return t;
}

/** A connection that the peer has opened; arguments are fields of struct tt_conf. */
#define tt_established(...) tt__new(&(struct tt_conf){__VA_ARGS__})

/** The end: it must give back all of its memory. */
static inline void tt_end(struct tt *t)
{
	plx_tcp_fini(t->c);
	assert_int_equal(plx_arena_used(&t->s->arena), 0);
	plx_arena_fini(&t->s->arena);
	free(t->s->mem);
	free(t->s);
	t->s = NULL;
}

static inline void tt_write(struct tt *t, uint32_t n)
{
	plx_tcp_wrote(t->c, n, t->s->now);
	tt__drain(t);
}

static inline void tt_read(struct tt *t, uint32_t n)
{
	plx_tcp_read(t->c, n, t->s->now);
	tt__drain(t);
}

static inline void tt_shutdown(struct tt *t)
{
	plx_tcp_shutdown(t->c, t->s->now);
	tt__drain(t);
}

/** Time passes. */
static inline void tt_wait(struct tt *t, plx_ns at)
{
	tt__pass(t, at);
}

static void tt__parse(struct td_pkt *pkt, bool in, const char *text)
{
	char err[320];

	if (td_pkt_parse(pkt, in, text, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

/** A packet comes at `at`. */
static inline void tt_in(struct tt *t, plx_ns at, const char *text)
{
	struct td_pkt pkt;
	struct td_seen seen;
	struct plx_tcp_seg seg;
	static struct plx_tcp_tx tx;

	tt__parse(&pkt, true, text);
	tt__pass(t, at);
	assert_int_equal(td_flow_in(&t->s->flow, &pkt, &seen), 0);
	t->rx = (struct plx_tcp_rx){.tx = &tx};
	t->drop = td_seen_seg(&seen, &seg);
	if (t->drop != PLX_DROP_NONE)
		return;
	t->drop = plx_tcp_input(t->c, &seg, t->s->now, &t->rx);
	if (t->rx.reply)
		td_flow_out(&t->s->flow, &tx, t->s->now, &t->s->out[t->s->n++]);
	tt__drain(t);
}

/** The next packet that leaves is this one, at exactly `at`. */
static inline void tt_out(struct tt *t, plx_ns at, const char *text)
{
	struct td_pkt pkt;
	const struct td_seen *seen;
	const char *why;
	uint32_t done = 0;
	char a[TD_TEXT], when[32];

	tt__parse(&pkt, false, text);
	do {
		if (t->s->head == t->s->n)
			tt__pass(t, at);
		if (t->s->head == t->s->n)
			fail_msg("nothing was sent\n  expected: %s", text);
		seen = &t->s->out[t->s->head++];
		why = td_match(&pkt, seen, &t->s->conf, &done);
		if (!why && seen->at != TT_EPOCH + at)
			why = "time";
		if (why)
			fail_msg("%s\n  expected: %s\n  seen:     %s at %s", why, text,
				td_seen_text(seen, a), td_time_text(seen->at - TT_EPOCH, when));
		td_flow_learn(&t->s->flow, &pkt, seen);
	} while (done < pkt.len);
	if (t->s->head == t->s->n)
		t->s->head = t->s->n = 0;
}

/** Nothing more has left until `at`. */
static inline void tt_none(struct tt *t, plx_ns at)
{
	char a[TD_TEXT];

	tt__pass(t, at);
	if (t->s->head != t->s->n)
		fail_msg("sent and not expected: %s", td_seen_text(&t->s->out[t->s->head], a));
}
