/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * One end of a connection in a test; the peer is the test itself, which speaks in short notation:
 *
 *     tt_in(&t, ". 1:1001(1000) ack 1 win 500");
 *     tt_out(&t, ". 1:1(0) ack 1001");
 *
 * Flags are of "WEUPRSF", shown in this order, or "." (ACK goes without saying where "ack" stands).
 * Sequence numbers count from the ISNs, so that the first byte is 1 each way; what is left out is
 * what the peer would say. "sack A:B", "ts VAL ecr ECR" (milliseconds of the peer's and of our
 * clock), "urg N", "ce", "mss N", "wscale N", "sackok" as options; "nots" leaves timestamps out. An
 * expected segment is compared with as much as it says: flags, text, ack always; win, ts, mss,
 * wscale, ect when named; sack and urg when there.
 */
#include "t.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <tcp.h>

#define TT_IRS 0xfffff000u /* the peer's ISN: numbers wrap soon */
#define TT_ISS 0xffffe000u

struct tt_conf {
	bool no_sack, no_ts, no_wscale;
	bool wait;	  /* stay in SYN-SENT */
	uint32_t iss;	  /* 0 = TT_ISS */
	uint16_t mss;	  /* of the peer's SYN; 0 = 1000 more than the options take */
	uint16_t win;	  /* of its SYN-ACK; 0 = 65535 */
	uint32_t rtt_ms;  /* of the handshake; 0 = 10 */
	uint32_t rcv_buf; /* net.pollux.tcp_rmem_default; 0 = its default */
	bool ecn, reno;
};

struct tt {
	struct tt_conf conf;
	struct plx_tunables tun;
	uint64_t stat[PLX_STAT_MAX];
	struct plx_arena arena;
	void *mem;
	struct plx_tcp_ctx ctx;
	struct plx_tcp c;
	plx_ns now;
	struct plx_tcp_tx tx;	 /* the last one */
	struct plx_tcp_tx reply; /* rx.reply's */
	struct plx_tcp_rx rx;
	struct plx_tcp_room room;
	uint16_t events; /* of timer(), and of input(); the test clears them */
	uint32_t next;	 /* the peer's snd.nxt */
	uint32_t ack;	 /* what the peer acknowledges */
	uint16_t win;
	uint32_t peer_ms; /* what the peer's clock is ahead of ours */
	uint32_t ecr;	  /* our last timestamp */
	char text[256];
};

static inline void tt_set(struct tt *t, enum plx_tunable id, int64_t v)
{
	eq(plx_tunable_set(&t->tun, id, v), 0);
}
#define tt_tun(t, ID, v) tt_set(t, PLX_TUN_##ID, v)

/* tt_stat(t, TCPEXT_TCPTIMEOUTS): since it was last asked. */
static inline uint64_t tt_stat_(struct tt *t, enum plx_stat id)
{
	uint64_t v = t->stat[id];

	t->stat[id] = 0;
	return v;
}
#define tt_stat(t, ID) tt_stat_(t, PLX_STAT_##ID)

static inline uint32_t tt_iss(const struct tt *t)
{
	return t->conf.iss ? t->conf.iss : TT_ISS;
}

static inline void tt_clock(struct tt *t, plx_ns ns)
{
	t->now += ns;
	if (plx_tcp_deadline(&t->c) <= t->now)
		t->events |= plx_tcp_timer(&t->c, t->now);
}
/* Time goes on; what is due is done, in one go: output must follow. */
static inline void tt_us(struct tt *t, int64_t us)
{
	tt_clock(t, us * 1000);
}
static inline void tt_ms(struct tt *t, int64_t ms)
{
	tt_us(t, ms * 1000);
}
/* To where the next timer goes off, and what it does. @return how long that was, us. */
static inline int64_t tt_timer(struct tt *t)
{
	plx_ns ns = plx_tcp_deadline(&t->c) - t->now;

	ok(ns < PLX_SEC(100000));
	tt_clock(t, PLX_MAX(ns, 0));
	return ns / 1000;
}

/* ---- notation ---- */

static inline uint32_t tt_num(const char **s, uint32_t otherwise)
{
	char *end;
	unsigned long v = strtoul(*s, &end, 10);

	if (end == *s)
		return otherwise;
	*s = end;
	return (uint32_t)v;
}

/* "word " at *s? Then it is behind it. */
static inline bool tt_word(const char **s, const char *word)
{
	size_t n = strlen(word);

	while (**s == ' ')
		(*s)++;
	if (strncmp(*s, word, n) != 0 || ((*s)[n] != ' ' && (*s)[n] != '\0'))
		return false;
	*s += n;
	while (**s == ' ')
		(*s)++;
	return true;
}

static inline uint16_t tt_flags(const char **s)
{
	static const char letters[] = "FSRP.UEW"; /* bit by bit */
	const char *at;
	uint16_t flags = 0;

	for (; **s && **s != ' '; (*s)++) {
		at = strchr(letters, **s);
		ok(at);
		if (*at != '.')
			flags |= (uint16_t)(1u << (at - letters));
	}
	while (**s == ' ')
		(*s)++;
	return flags;
}

static inline bool tt_option(struct tt *t, const char **s, struct plx_tcp_seg *seg)
{
	struct plx_tcp_opts *o = &seg->opts;

	if (tt_word(s, "ts")) {
		o->present |= PLX_TCP_OPT_TS;
		o->ts_val = tt_num(s, 0);
		if (tt_word(s, "ecr"))
			o->ts_ecr = tt_num(s, 0);
		if (o->ts_ecr) /* 0 = none */
			o->ts_ecr += t->c.ts_off;
	} else if (tt_word(s, "sack")) {
		o->present |= PLX_TCP_OPT_SACK;
		o->sack[o->n_sack].start = tt_iss(t) + tt_num(s, 0);
		(*s)++;
		o->sack[o->n_sack++].end = tt_iss(t) + tt_num(s, 0);
	} else if (tt_word(s, "mss")) {
		o->present |= PLX_TCP_OPT_MSS;
		o->mss = (uint16_t)tt_num(s, 0);
	} else if (tt_word(s, "wscale")) {
		o->present |= PLX_TCP_OPT_WSCALE;
		o->wscale = (uint8_t)tt_num(s, 0);
	} else if (tt_word(s, "sackok")) {
		o->present |= PLX_TCP_OPT_SACK_OK;
	} else {
		return false;
	}
	return true;
}

static inline struct plx_tcp_seg tt_parse(struct tt *t, const char *s)
{
	struct plx_tcp_seg seg = {.win = t->win, .segs = 1};
	const char *all = s;
	bool nots = false;

	seg.flags = tt_flags(&s);
	seg.seq = t->next;
	if (*s >= '0' && *s <= '9') {
		uint32_t from = tt_num(&s, 0), to;

		seg.seq = TT_IRS + from;
		ok(*s++ == ':');
		to = tt_num(&s, from);
		ok(*s++ == '(');
		seg.len = tt_num(&s, 0);
		ok(*s++ == ')');
		eq(to - from, seg.len);
	}
	while (*s) {
		if (tt_word(&s, "ack")) {
			seg.flags |= PLX_TCP_ACK;
			seg.ack = tt_iss(t) + tt_num(&s, 0);
		} else if (tt_word(&s, "win")) {
			seg.win = (uint16_t)tt_num(&s, 0);
		} else if (tt_word(&s, "urg")) {
			seg.urg = (uint16_t)tt_num(&s, 0);
		} else if (tt_word(&s, "ce")) {
			seg.ecn = PLX_TCP_CE;
		} else if (tt_word(&s, "nots")) {
			nots = true;
		} else if (!tt_option(t, &s, &seg)) {
			fail_msg("what is '%s' in '%s'?", s, all);
		}
	}
	if (t->c.ts_ok && !nots && !(seg.opts.present & PLX_TCP_OPT_TS)) {
		seg.opts.present |= PLX_TCP_OPT_TS;
		seg.opts.ts_val = plx_tcp_ts_now(t->now) + t->peer_ms;
		seg.opts.ts_ecr = t->ecr;
	}
	return seg;
}

/* The segment arrives. @return its fate. */
static inline enum plx_drop tt_in(struct tt *t, const char *s)
{
	struct plx_tcp_seg seg = tt_parse(t, s);
	enum plx_drop drop;

	t->rx.tx = &t->reply;
	drop = plx_tcp_input(&t->c, &seg, t->now, &t->rx);
	t->events |= t->rx.events;
	t->next = plx_seq_max(t->next, seg.seq + plx_tcp_seg_space(&seg));
	return drop;
}

static inline const char *tt_show(struct tt *t, const struct plx_tcp_tx *tx, const char *want)
{
	static const char letters[] = "FSRP.UEW";
	static char out[256];
	size_t n = 0;
	uint32_t seq = tx->seq - tt_iss(t);

	for (int i = 7; i >= 0; i--) /* W E U . P R S F: only those that are there, "." for none */
		if (tx->flags & 1u << i && letters[i] != '.')
			out[n++] = letters[i];
	if (!n)
		out[n++] = '.';
	n += (size_t)sprintf(out + n, " %u:%u(%u)", seq, seq + tx->len, tx->len);
	if (tx->flags & PLX_TCP_ACK)
		n += (size_t)sprintf(out + n, " ack %u", tx->ack - TT_IRS);
	if (strstr(want, " win "))
		n += (size_t)sprintf(out + n, " win %u", tx->win);
	if (tx->flags & PLX_TCP_URG)
		n += (size_t)sprintf(out + n, " urg %u", tx->urg);
	if (strstr(want, " ect"))
		n += (size_t)sprintf(out + n, "%s", tx->ecn == PLX_TCP_ECT_0 ? " ect" : "");
	for (int i = 0; tx->opts.present & PLX_TCP_OPT_SACK && i < tx->opts.n_sack; i++)
		n += (size_t)sprintf(out + n, " sack %u:%u", tx->opts.sack[i].start - TT_IRS,
			tx->opts.sack[i].end - TT_IRS);
	if (strstr(want, " mss ") && tx->opts.present & PLX_TCP_OPT_MSS)
		n += (size_t)sprintf(out + n, " mss %u", tx->opts.mss);
	if (strstr(want, " wscale ") && tx->opts.present & PLX_TCP_OPT_WSCALE)
		n += (size_t)sprintf(out + n, " wscale %u", tx->opts.wscale);
	if (strstr(want, " sackok") && tx->opts.present & PLX_TCP_OPT_SACK_OK)
		n += (size_t)sprintf(out + n, " sackok");
	if (strstr(want, " ts ") && tx->opts.present & PLX_TCP_OPT_TS)
		sprintf(out + n, " ts %u ecr %u", tx->opts.ts_val - t->c.ts_off, tx->opts.ts_ecr);
	return out;
}

/* What leaves next is this. */
#define tt_out(t, want)                                                                            \
	do {                                                                                       \
		ok(tt_pull(t));                                                                    \
		str_eq(tt_show(t, &(t)->tx, want), want);                                          \
	} while (0)
/* Nothing leaves, for this reason. */
#define tt_none(t, WHY)                                                                            \
	do {                                                                                       \
		if (tt_pull(t))                                                                    \
			str_eq(tt_show(t, &(t)->tx, ""), "nothing");                               \
		eq((t)->tx.why, PLX_TCP_WHY_##WHY);                                                \
	} while (0)
/* The reply is this. */
#define tt_reply(t, want)                                                                          \
	do {                                                                                       \
		ok((t)->rx.reply);                                                                 \
		str_eq(tt_show(t, &(t)->reply, want), want);                                       \
	} while (0)

static inline bool tt_pull(struct tt *t)
{
	memset(&t->tx, 0x5a, sizeof(t->tx)); /* all that counts is written */
	if (!plx_tcp_output(&t->c, t->now, &t->room, &t->tx))
		return false;
	if (t->tx.opts.present & PLX_TCP_OPT_TS)
		t->ecr = t->tx.opts.ts_val;
	return true;
}
/* Whatever leaves. @return how many segments. */
static inline uint32_t tt_drain(struct tt *t)
{
	uint32_t n = 0;

	while (tt_pull(t))
		ok(n++ < 100000);
	return n;
}

/* ---- from nothing to a connection ---- */

static inline void tt_open(struct tt *t)
{
	struct plx_tcp_path path = {.mtu = 1500};
	struct plx_tcp_id id = {.lport = 1000, .rport = 80};

	id.laddr = plx_addr_from_v4("\x0a\x00\x00\x01");
	id.raddr = plx_addr_from_v4("\x0a\x00\x00\x02");
	plx_tcp_init(&t->c, &t->ctx, &id);
	plx_tcp_open(&t->c, &path, tt_iss(t), t->now);
}

static inline void tt_answer(struct tt *t)
{
	char s[128];

	ok(tt_pull(t));
	tt_ms(t, t->conf.rtt_ms ? t->conf.rtt_ms : 10);
	t->next = TT_IRS;
	sprintf(s, "S ack 1 mss %u%s%s",
		t->conf.mss	? t->conf.mss
		: t->conf.no_ts ? 1000u
				: 1012u,
		t->conf.no_sack ? "" : " sackok", t->conf.no_wscale ? "" : " wscale 0");
	if (t->conf.ecn)
		memmove(s + 1, s, strlen(s) + 1), s[1] = 'S', s[0] = 'E';
	eq(tt_in(t, s), PLX_DROP_NONE);
	eq(t->c.id.state, PLX_TCP_ESTABLISHED);
	tt_out(t, ". 1:1(0) ack 1");
	tt_none(t, IDLE);
	t->events = 0;
}

static inline void tt_up_conf(struct tt *t, struct tt_conf conf)
{
	const size_t bytes = 4 << 20;

	memset(t, 0, sizeof(*t));
	t->conf = conf;
	plx_tunables_init(&t->tun);
	tt_tun(t, TCP_SACK, !conf.no_sack);
	tt_tun(t, TCP_TIMESTAMPS, !conf.no_ts);
	tt_tun(t, TCP_WINDOW_SCALING, !conf.no_wscale);
	tt_tun(t, TCP_ECN, conf.ecn ? 1 : 2);
	tt_tun(t, TCP_CUBIC, !conf.reno);
	if (conf.rcv_buf)
		tt_tun(t, TCP_RMEM_DEFAULT, conf.rcv_buf);
	t->mem = aligned_alloc(64, bytes);
	eq(plx_arena_init(&t->arena, t->mem, bytes), 0);
	t->ctx = (struct plx_tcp_ctx){.tun = &t->tun, .stat = t->stat, .mem = &t->arena, .seed = 7};
	eq(plx_tcp_ctx_init(&t->ctx), 0);
	t->now = PLX_SEC(100);
	t->room = (struct plx_tcp_room){.segs = 100, .bytes = 1 << 20};
	t->win = conf.win ? conf.win : 65535;
	t->peer_ms = 5000;
	t->next = TT_IRS;
	tt_open(t);
	if (!conf.wait)
		tt_answer(t);
}
/* A connection in ESTABLISHED: tt_up(&t, .no_ts = true, .rtt_ms = 50). */
#define tt_up(t, ...) tt_up_conf(t, (struct tt_conf){__VA_ARGS__})

static inline void tt_down(struct tt *t)
{
	plx_tcp_fini(&t->c);
	eq(plx_arena_used(&t->arena), 0);
	plx_arena_fini(&t->arena);
	free(t->mem);
}

static inline void tt_write(struct tt *t, uint32_t n)
{
	plx_tcp_wrote(&t->c, n, t->now);
}

static inline uint32_t tt_rel(const struct tt *t, uint32_t seq)
{
	return seq - tt_iss(t);
}
