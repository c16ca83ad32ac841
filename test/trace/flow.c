/* SPDX-License-Identifier: BSD-3-Clause */
#include "lang.h"

#include <errno.h>

/*
 * The script's numbers are relative to the SYNs, the stack's are not. A SYN's own number in the
 * script need not be 0; whatever follows it counts from it nevertheless, as in packetdrill.
 */

void td_flow_init(struct td_flow *f, uint16_t lport, uint16_t rport, uint32_t remote_isn)
{
	memset(f, 0, sizeof(*f));
	f->lport = lport;
	f->rport = rport;
	f->remote_isn = remote_isn;
}

uint32_t td_flow_local(const struct td_flow *f, uint32_t x)
{
	return f->local_isn + x;
}

/* ---- timestamps: the latest live value that the script called so, else by the clock ---- */

static void ts_learn(struct td_flow *f, uint32_t script, uint32_t live)
{
	unsigned int i = f->n_ts++ % TD_TS_MAX;

	f->ts[i].script = script;
	f->ts[i].live = live;
	if (i == 0 && f->n_ts == 1) {
		f->ts_first.script = script;
		f->ts_first.live = live;
	}
}

static uint32_t ts_live(const struct td_flow *f, uint32_t script)
{
	uint32_t n = PLX_MIN(f->n_ts, (uint32_t)TD_TS_MAX);

	for (uint32_t i = f->n_ts; n--;) {
		i--;
		if (f->ts[i % TD_TS_MAX].script == script)
			return f->ts[i % TD_TS_MAX].live;
	}
	return f->n_ts && script ? script - f->ts_first.script + f->ts_first.live : script;
}

/* ---- options ---- */

static int opt_encode(const struct td_flow *f, const struct td_opt *o, uint8_t *b, uint32_t room)
{
	uint32_t n = o->kind == TD_OPT_TS	? 10
		     : o->kind == TD_OPT_SACK	? 2 + 8u * o->n
		     : o->kind == TD_OPT_MSS	? 4
		     : o->kind == TD_OPT_WSCALE ? 3
		     : o->kind == TD_OPT_RAW	? o->n
		     : o->kind <= TD_OPT_NOP	? 1
						: 2;

	if (n > room)
		return -E2BIG;
	if (o->kind == TD_OPT_RAW) {
		memcpy(b, o->raw, n);
		return (int)n;
	}
	b[0] = o->kind;
	if (n > 1)
		b[1] = (uint8_t)n;
	if (o->kind == TD_OPT_MSS)
		plx_put_be16(b + 2, (uint16_t)o->v);
	else if (o->kind == TD_OPT_WSCALE)
		b[2] = (uint8_t)o->v;
	for (uint32_t i = 0; o->kind == TD_OPT_SACK && i < o->n; i++) {
		plx_put_be32(b + 2 + 8 * i, td_flow_local(f, o->sack[i].start));
		plx_put_be32(b + 6 + 8 * i, td_flow_local(f, o->sack[i].end));
	}
	if (o->kind == TD_OPT_TS) {
		plx_put_be32(b + 2, o->ts.val);
		plx_put_be32(b + 6, ts_live(f, o->ts.ecr));
	}
	return (int)n;
}

/* As the script would write what is on the wire. */
uint32_t td_seen_opts(const struct td_seen *seen, struct td_opt *out)
{
	const uint8_t *b = seen->opts, *end = b + seen->opt_bytes;
	uint32_t base = seen->in ? seen->flow->local_isn : seen->flow->remote_isn, n = 0;

	while (b < end && n < TD_OPTS_MAX) {
		struct td_opt *o = &out[n++];
		uint32_t len = b[0] <= TD_OPT_NOP ? 1 : end - b > 1 ? b[1] : 1;

		memset(o, 0, sizeof(*o));
		o->kind = b[0];
		if (len > (uint32_t)(end - b) || (len < 2 && b[0] > TD_OPT_NOP))
			len = (uint32_t)(end - b);
		if (o->kind == TD_OPT_MSS && len == 4) {
			o->v = plx_get_be16(b + 2);
		} else if (o->kind == TD_OPT_WSCALE && len == 3) {
			o->v = b[2];
		} else if (o->kind == TD_OPT_TS && len == 10) {
			o->ts.val = plx_get_be32(b + 2);
			o->ts.ecr = plx_get_be32(b + 6);
		} else if (o->kind == TD_OPT_SACK && len > 2 && (len - 2) % 8 == 0) {
			for (o->n = 0; o->n < (len - 2) / 8; o->n++) {
				o->sack[o->n].start = plx_get_be32(b + 2 + 8 * o->n) - base;
				o->sack[o->n].end = plx_get_be32(b + 6 + 8 * o->n) - base;
			}
		} else if (o->kind > TD_OPT_SACK_OK) {
			o->kind = TD_OPT_RAW;
			o->n = (uint8_t)len;
			memcpy(o->raw, b, len);
		}
		b += len;
	}
	return n;
}

/* ---- in ---- */

static int seen_opts(const struct td_flow *f, const struct td_pkt *pkt, struct td_seen *seen)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < pkt->n_opt; i++) {
		int len = opt_encode(f, &pkt->opt[i], seen->opts + n, sizeof(seen->opts) - n);

		if (len < 0)
			return len;
		n += (uint32_t)len;
	}
	while (n % 4)
		seen->opts[n++] = TD_OPT_EOL;
	seen->opt_bytes = (uint8_t)n;
	return 0;
}

int td_flow_in(struct td_flow *f, const struct td_pkt *pkt, struct td_seen *seen)
{
	bool syn = pkt->flags & PLX_TCP_SYN;
	uint32_t seq = pkt->has_seq ? pkt->seq : f->peer_nxt;
	uint32_t next = seq + pkt->len + !!(pkt->flags & PLX_TCP_FIN) + syn;

	memset(seen, 0, sizeof(*seen));
	seen->in = true;
	seen->flow = f;
	if (pkt->is_icmp) {
		seen->is_icmp = true;
		seen->mtu = pkt->icmp.mtu;
		seen->seq = td_flow_local(f, pkt->icmp.has_seq ? pkt->icmp.seq : 1);
		return 0;
	}
	seen->seq = seq + f->remote_isn - (syn ? f->remote_base : 0);
	if (syn) {
		f->syn_seen = true;
		f->syn_live = seen->seq;
		f->syn_base = seq;
		if (!f->have_remote || pkt->flags & PLX_TCP_ACK) {
			f->have_remote = true;
			f->remote_isn = seen->seq;
			f->remote_base = seq;
		}
		next -= seq; /* what follows counts from the SYN */
	}
	if (!(pkt->flags & PLX_TCP_RST) && plx_seq_gt(next, f->peer_nxt))
		f->peer_nxt = next;
	seen->ack = pkt->has_ack ? td_flow_local(f, pkt->ack) : 0;
	seen->len = pkt->len;
	seen->flags = pkt->flags;
	seen->win = pkt->win;
	seen->urg = pkt->urg;
	seen->ecn = pkt->ecn == TD_ECN_ANY ? PLX_TCP_NOT_ECT : (uint8_t)pkt->ecn;
	return seen_opts(f, pkt, seen);
}

enum plx_drop td_seen_seg(const struct td_seen *seen, struct plx_tcp_seg *seg)
{
	*seg = (struct plx_tcp_seg){.seq = seen->seq,
		.ack = seen->ack,
		.len = seen->len,
		.flags = seen->flags,
		.win = seen->win,
		.urg = seen->urg,
		.ecn = seen->ecn,
		.segs = 1};
	return plx_wire_tcp_opts_parse(
		&seg->opts, seen->opts, seen->opt_bytes, seen->flags & PLX_TCP_SYN);
}

/* ---- out ---- */

void td_flow_out(struct td_flow *f, const struct plx_tcp_tx *tx, plx_ns at, struct td_seen *seen)
{
	uint8_t opts[64] = {0};

	*seen = (struct td_seen){.at = PLX_MAX(at, tx->depart_ns),
		.flow = f,
		.flags = tx->flags,
		.win = tx->win,
		.urg = tx->urg,
		.ecn = tx->ecn,
		.seq = tx->seq,
		.ack = tx->ack,
		.len = tx->len};
	seen->opt_bytes = (uint8_t)plx_wire_tcp_opts_emit(opts, &tx->opts);
	memcpy(seen->opts, opts, PLX_MIN(seen->opt_bytes, sizeof(seen->opts)));
}

/* The first SYN, or the first of a new incarnation, names our numbers. */
static bool begins_numbers(const struct td_flow *f, const struct td_seen *seen)
{
	if (!f->have_local || !(seen->flags & PLX_TCP_ACK))
		return true;
	return f->syn_seen && seen->ack - 1 == f->syn_live && f->syn_live != f->remote_isn;
}

void td_flow_learn(struct td_flow *f, const struct td_pkt *pkt, const struct td_seen *seen)
{
	struct td_opt opts[TD_OPTS_MAX];
	uint32_t n;

	if (seen->flags & PLX_TCP_SYN && begins_numbers(f, seen)) {
		f->have_local = true;
		f->local_isn = seen->seq;
		f->local_base = pkt ? pkt->seq : 0;
		if (f->syn_seen && seen->flags & PLX_TCP_ACK) {
			if (f->remote_isn != f->syn_live) { /* a new incarnation */
				f->peer_nxt = 1;
				f->n_ts = 0;
			}
			f->remote_isn = f->syn_live;
			f->remote_base = f->syn_base;
		}
	}
	n = pkt ? td_seen_opts(seen, opts) : 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; opts[i].kind == TD_OPT_TS && k < pkt->n_opt; k++) {
			if (pkt->opt[k].kind == TD_OPT_TS)
				ts_learn(f, pkt->opt[k].ts.val, opts[i].ts.val);
		}
	}
}

/* ---- comparison ---- */

static bool is_pad(const struct td_opt *o)
{
	return o->kind <= TD_OPT_NOP;
}

static const char *match_ts(const struct td_opt *want, const struct td_opt *got,
	const struct td_flow *f, const struct td_conf *conf)
{
	uint32_t expected;

	if (want->ts.ecr != got->ts.ecr)
		return "echoed timestamp";
	if (!conf->ts_tick_us || !f->n_ts)
		return NULL;
	expected = want->ts.val - f->ts_first.script;
	return expected == got->ts.val - f->ts_first.live ? NULL : "timestamp";
}

static const char *match_opt(const struct td_opt *want, const struct td_opt *got,
	const struct td_flow *f, const struct td_conf *conf)
{
	if (want->kind != got->kind)
		return "options";
	switch (want->kind) {
	case TD_OPT_MSS:
		return want->v == got->v ? NULL : "MSS";
	case TD_OPT_WSCALE:
		return want->v == got->v ? NULL : "window scale";
	case TD_OPT_TS:
		return match_ts(want, got, f, conf);
	case TD_OPT_SACK:
		return want->n == got->n && memcmp(want->sack, got->sack,
						    want->n * sizeof(want->sack[0])) == 0
			       ? NULL
			       : "SACK blocks";
	case TD_OPT_RAW:
		return want->n == got->n && memcmp(want->raw, got->raw, want->n) == 0 ? NULL
										      : "option";
	default:
		return NULL;
	}
}

static const char *match_opts(
	const struct td_pkt *pkt, const struct td_seen *seen, const struct td_conf *conf)
{
	struct td_opt got[TD_OPTS_MAX];
	uint32_t n = td_seen_opts(seen, got), i = 0, k = 0;
	const char *why;

	if (pkt->any_opts)
		return NULL;
	for (;;) {
		while (pkt->short_opts && i < pkt->n_opt && is_pad(&pkt->opt[i]))
			i++;
		while (pkt->short_opts && k < n && is_pad(&got[k]))
			k++;
		if (i == pkt->n_opt || k == n)
			return i == pkt->n_opt && k == n ? NULL : "options";
		why = match_opt(&pkt->opt[i++], &got[k++], seen->flow, conf);
		if (why)
			return why;
	}
}

static const char *match_numbers(
	const struct td_pkt *pkt, const struct td_seen *seen, uint32_t done, uint16_t flags)
{
	const struct td_flow *f = seen->flow;
	bool syn = flags & PLX_TCP_SYN, begins = syn && begins_numbers(f, seen);
	uint32_t seq = begins ? pkt->seq : seen->seq - f->local_isn + (syn ? f->local_base : 0);
	uint32_t ack = seen->ack - (begins && f->syn_seen ? f->syn_live : f->remote_isn);

	if (pkt->has_seq && seq != pkt->seq + done)
		return "sequence number";
	if (pkt->has_ack && (!(flags & PLX_TCP_ACK) || ack != pkt->ack))
		return "acknowledgement";
	if (pkt->has_win && seen->win != pkt->win)
		return "window";
	if (pkt->has_urg && seen->urg != pkt->urg)
		return "urgent pointer";
	if (pkt->ecn != TD_ECN_ANY && seen->ecn != pkt->ecn)
		return "ECN field";
	return NULL;
}

const char *td_match(const struct td_pkt *pkt, const struct td_seen *seen,
	const struct td_conf *conf, uint32_t *done)
{
	bool part = seen->len && *done + seen->len < pkt->len;
	uint16_t last = PLX_TCP_PSH | PLX_TCP_FIN, flags = pkt->flags;
	const char *why;

	if (pkt->sport && (pkt->sport != seen->flow->lport || pkt->dport != seen->flow->rport))
		return "ports";
	if (*done) /* once is enough (RFC 3168 6.1.2) */
		flags = (uint16_t)((flags & ~PLX_TCP_CWR) | (seen->flags & PLX_TCP_CWR));
	if (part)
		flags = (uint16_t)((flags & ~last) | (seen->flags & PLX_TCP_PSH));
	if (conf->any_psh)
		flags = (uint16_t)((flags & ~PLX_TCP_PSH) | (seen->flags & PLX_TCP_PSH));
	if (seen->flags != flags)
		return "flags";
	if (*done + seen->len > pkt->len || (!part && *done + seen->len != pkt->len))
		return "length";
	why = match_numbers(pkt, seen, *done, flags);
	if (!why)
		why = match_opts(pkt, seen, conf);
	if (!why)
		*done += seen->len;
	return why;
}
