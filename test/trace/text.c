/* SPDX-License-Identifier: BSD-3-Clause */
#include "lang.h"

#include <stdarg.h>

/* Packets in the script's notation. */

struct out {
	char *p;
	size_t left;
};

PLX_PRINTF(2, 3) static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p, o->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n = (int)PLX_MIN((size_t)n, o->left - 1);
	o->p += n;
	o->left -= (size_t)n;
}

static void put_flags(struct out *o, uint16_t flags)
{
	static const char letters[] = "FSRP.UEWA"; /* by bits, from FIN up */

	if (!flags)
		put(o, "-");
	for (int i = 0; i < 9; i++) {
		if (i != 4 && flags & 1u << i)
			put(o, "%c", letters[i]);
	}
	if (flags & PLX_TCP_ACK)
		put(o, ".");
}

static void put_opt(struct out *o, const struct td_opt *opt)
{
	switch (opt->kind) {
	case TD_OPT_EOL:
		put(o, "eol");
		break;
	case TD_OPT_NOP:
		put(o, "nop");
		break;
	case TD_OPT_MSS:
		put(o, "mss %u", opt->v);
		break;
	case TD_OPT_WSCALE:
		put(o, "wscale %u", opt->v);
		break;
	case TD_OPT_SACK_OK:
		put(o, "sackOK");
		break;
	case TD_OPT_SACK:
		put(o, "sack");
		for (unsigned int i = 0; i < opt->n; i++)
			put(o, " %u:%u", opt->sack[i].start, opt->sack[i].end);
		break;
	case TD_OPT_TS:
		put(o, "TS val %u ecr %u", opt->ts.val, opt->ts.ecr);
		break;
	default:
		put(o, "raw ");
		for (unsigned int i = 0; i < opt->n; i++)
			put(o, "%02x", opt->raw[i]);
	}
}

static void put_opts(struct out *o, const struct td_opt *opt, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		put(o, i == 0 ? " <" : ",");
		put_opt(o, &opt[i]);
	}
	if (n)
		put(o, ">");
}

static void put_ecn(struct out *o, int ecn)
{
	static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

	if (ecn > PLX_TCP_NOT_ECT)
		put(o, "[%s] ", names[ecn & 3]);
}

const char *td_pkt_text(const struct td_pkt *pkt, char *buf)
{
	struct out o = {buf, TD_TEXT};

	if (pkt->is_icmp) {
		put(&o, "icmp mtu %u [%u]", pkt->icmp.mtu, pkt->icmp.seq);
		return buf;
	}
	put_ecn(&o, pkt->ecn);
	if (pkt->sport)
		put(&o, "%u > %u ", pkt->sport, pkt->dport);
	put_flags(&o, pkt->flags);
	if (pkt->has_seq)
		put(&o, " %u:%u(%u)", pkt->seq, pkt->seq + pkt->len, pkt->len);
	if (pkt->has_ack)
		put(&o, " ack %u", pkt->ack);
	if (pkt->has_win)
		put(&o, " win %u", pkt->win);
	if (pkt->has_urg)
		put(&o, " urg %u", pkt->urg);
	if (pkt->any_opts)
		put(&o, " <...>");
	put_opts(&o, pkt->opt, pkt->n_opt);
	return buf;
}

const char *td_seen_text(const struct td_seen *seen, char *buf)
{
	const struct td_flow *f = seen->flow;
	struct out o = {buf, TD_TEXT};
	struct td_opt opts[TD_OPTS_MAX];
	bool syn = seen->flags & PLX_TCP_SYN;
	uint32_t seq, seq_isn = seen->in ? f->remote_isn : f->local_isn;
	uint32_t ack_isn = seen->in ? f->local_isn : f->remote_isn;

	seq = seen->seq - seq_isn;
	if (seen->is_icmp) {
		put(&o, "icmp mtu %u [%u]", seen->mtu, seen->seq - f->local_isn);
		return buf;
	}
	if (syn && (seen->in || f->have_local))
		seq += seen->in ? f->remote_base : f->local_base;
	else if (syn)
		seq = 0;
	put_ecn(&o, seen->ecn);
	put_flags(&o, seen->flags);
	put(&o, " %u:%u(%u)", seq, seq + seen->len, seen->len);
	if (seen->flags & PLX_TCP_ACK)
		put(&o, " ack %u", seen->ack - ack_isn);
	put(&o, " win %u", seen->win);
	if (seen->flags & PLX_TCP_URG)
		put(&o, " urg %u", seen->urg);
	put_opts(&o, opts, td_seen_opts(seen, opts));
	return buf;
}

const char *td_time_text(plx_ns t, char *buf)
{
	plx_ns a = t < 0 ? -t : t;

	snprintf(buf, 32, "%s%lld.%06lld", t < 0 ? "-" : "", (long long)(a / PLX_SEC(1)),
		(long long)(a % PLX_SEC(1) / 1000));
	return buf;
}
