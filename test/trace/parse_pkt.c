/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

#include <errno.h>

/* A packet: what stands behind "<" or ">". */

static const struct {
	char letter;
	uint16_t flag;
} flag_letters[] = {
	{'F', PLX_TCP_FIN},
	{'S', PLX_TCP_SYN},
	{'R', PLX_TCP_RST},
	{'P', PLX_TCP_PSH},
	{'.', PLX_TCP_ACK},
	{'U', PLX_TCP_URG},
	{'E', PLX_TCP_ECE},
	{'W', PLX_TCP_CWR},
	{'C', PLX_TCP_CWR},
	{'A', PLX_TCP_AE},
	{'N', PLX_TCP_AE},
	{'-', 0},
};

static bool parse_flags(struct td_lex *l, uint16_t *flags)
{
	const char *from;

	td_lex_skip(l);
	for (from = l->p; *l->p && !isspace((unsigned char)*l->p); l->p++) {
		unsigned int i = 0;

		while (i < PLX_DIM(flag_letters) && flag_letters[i].letter != *l->p)
			i++;
		if (i == PLX_DIM(flag_letters))
			return td_lex_fail(l, "'%c' is no flag", *l->p);
		*flags |= flag_letters[i].flag;
	}
	return l->p > from || td_lex_fail(l, "flags are missing");
}

static bool parse_ecn(struct td_lex *l, struct td_pkt *pkt)
{
	static const struct {
		const char *name;
		int8_t ecn;
	} names[] = {{"noecn", PLX_TCP_NOT_ECT}, {"nonecn", PLX_TCP_NOT_ECT},
		{"ect0", PLX_TCP_ECT_0}, {"ect1", PLX_TCP_ECT_1}, {"ce", PLX_TCP_CE}};

	for (unsigned int i = 0; i < PLX_DIM(names); i++) {
		if (td_lex_word(l, names[i].name)) {
			pkt->ecn = names[i].ecn;
			return true;
		}
	}
	/* [tos 0x2], [ttl 64], [flowlabel 1] and such: of the IP header we see ECN only */
	while (*l->p && *l->p != ']') {
		if (td_lex_word(l, "tos") || td_lex_word(l, "tclass")) {
			uint32_t tos;

			if (!td_lex_u32(l, &tos))
				return false;
			pkt->ecn = tos & 3;
		} else {
			l->p++;
		}
	}
	return true;
}

/* ---- options ---- */

static bool parse_sacks(struct td_lex *l, struct td_opt *o)
{
	uint32_t start, end;

	o->kind = TD_OPT_SACK;
	do {
		if (o->n == PLX_TCP_SACKS_MAX)
			return td_lex_fail(l, "more than %d SACK blocks", PLX_TCP_SACKS_MAX);
		if (!td_lex_u32(l, &start) || !td_lex_need(l, ":") || !td_lex_u32(l, &end))
			return false;
		o->sack[o->n++] = (struct plx_tcp_sack){start, end};
		td_lex_skip(l);
	} while (isdigit((unsigned char)*l->p));
	return true;
}

static bool parse_ts(struct td_lex *l, struct td_opt *o)
{
	o->kind = TD_OPT_TS;
	return (td_lex_word(l, "val") || td_lex_fail(l, "'val' is missing")) &&
	       td_lex_u32(l, &o->ts.val) &&
	       (td_lex_word(l, "ecr") || td_lex_fail(l, "'ecr' is missing")) &&
	       td_lex_u32(l, &o->ts.ecr);
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* "raw 030405" as it stands; "FO 1234" a cookie (kind 34). */
static bool parse_raw(struct td_lex *l, struct td_opt *o, int kind)
{
	o->kind = TD_OPT_RAW;
	if (kind >= 0) {
		o->raw[o->n++] = (uint8_t)kind;
		o->n++;
	}
	td_lex_skip(l);
	while (isxdigit((unsigned char)l->p[0]) && isxdigit((unsigned char)l->p[1])) {
		if (o->n == sizeof(o->raw))
			return td_lex_fail(l, "option is too long");
		o->raw[o->n++] = (uint8_t)(hex(l->p[0]) * 16 + hex(l->p[1]));
		l->p += 2;
	}
	if (kind >= 0)
		o->raw[1] = o->n;
	return true;
}

static bool parse_opt(struct td_lex *l, struct td_pkt *pkt)
{
	struct td_opt *o = &pkt->opt[pkt->n_opt];

	if (pkt->n_opt == TD_OPTS_MAX)
		return td_lex_fail(l, "too many options");
	memset(o, 0, sizeof(*o));
	pkt->n_opt++;
	if (td_lex_word(l, "nop"))
		o->kind = TD_OPT_NOP;
	else if (td_lex_word(l, "eol"))
		o->kind = TD_OPT_EOL;
	else if (td_lex_word(l, "sackOK"))
		o->kind = TD_OPT_SACK_OK;
	else if (td_lex_word(l, "mss"))
		return o->kind = TD_OPT_MSS, td_lex_u32(l, &o->v);
	else if (td_lex_word(l, "wscale"))
		return o->kind = TD_OPT_WSCALE, td_lex_u32(l, &o->v);
	else if (td_lex_word(l, "sack"))
		return parse_sacks(l, o);
	else if (td_lex_word(l, "TS"))
		return parse_ts(l, o);
	else if (td_lex_word(l, "FO"))
		return parse_raw(l, o, 34);
	else if (td_lex_word(l, "raw"))
		return parse_raw(l, o, -1);
	else
		return td_lex_fail(l, "option '%.10s' is not known", l->p);
	return true;
}

static bool parse_opts(struct td_lex *l, struct td_pkt *pkt)
{
	if (td_lex_take(l, ">"))
		return true;
	if (td_lex_take(l, "...")) {
		pkt->any_opts = true;
		return td_lex_need(l, ">");
	}
	do {
		if (!parse_opt(l, pkt))
			return false;
	} while (td_lex_take(l, ","));
	return td_lex_need(l, ">");
}

/* ---- ICMP ---- */

#define ENDS4 1
#define ENDS6 2

static const struct td_icmp_name {
	const char *name;
	int err4, err6;
	bool hard;
	uint8_t ends; /* a handshake that is under way for a listener */
} icmp_names[] = {
	/* Linux's icmp_err_convert[] and icmpv6_err_convert(); tcp_v4_err(), tcp_v6_err() */
	{"net_unreachable", ENETUNREACH, ENETUNREACH, false, ENDS4},
	{"host_unreachable", EHOSTUNREACH, EHOSTUNREACH, false, ENDS4},
	{"protocol_unreachable", ENOPROTOOPT, ENOPROTOOPT, true},
	{"port_unreachable", ECONNREFUSED, ECONNREFUSED, true, ENDS6},
	{"frag_needed", EMSGSIZE, EMSGSIZE, false},
	{"source_route_failed", EOPNOTSUPP, EOPNOTSUPP, false},
	{"net_unknown", ENETUNREACH, ENETUNREACH, true},
	{"host_unknown", EHOSTDOWN, EHOSTUNREACH, true},
	{"source_host_isolated", ENONET, EHOSTUNREACH, true},
	{"net_prohibited", ENETUNREACH, EACCES, true, ENDS6},
	{"host_prohibited", EHOSTUNREACH, EACCES, true, ENDS6},
	{"net_unreachable_for_tos", ENETUNREACH, ENETUNREACH, false},
	{"host_unreachable_for_tos", EHOSTUNREACH, EHOSTUNREACH, false},
	{"packet_filtered", EHOSTUNREACH, EACCES, true, ENDS6},
	{"precedence_violation", EHOSTUNREACH, EACCES, true, ENDS6},
	{"precedence_cutoff", EHOSTUNREACH, EACCES, true, ENDS6},
	{"no_route", ENETUNREACH, ENETUNREACH, false, ENDS4},
	{"admin_prohibited", EHOSTUNREACH, EACCES, true, ENDS6},
	{"not_neighbour", EHOSTUNREACH, EHOSTUNREACH, false},
	{"address_unreachable", EHOSTUNREACH, EHOSTUNREACH, false, ENDS4},
	{"packet_too_big", EMSGSIZE, EMSGSIZE, false},
	{"ttl_exceeded", EHOSTUNREACH, EHOSTUNREACH, false, ENDS4},
	{"time_exceeded", EHOSTUNREACH, EHOSTUNREACH, false, ENDS4},
	{"source_quench", 0, 0, false},
	{"parameter_problem", EPROTO, EPROTO, true, ENDS4 | ENDS6},
};

static bool parse_quote(struct td_lex *l, struct td_pkt *pkt)
{
	uint32_t end, len;

	pkt->icmp.has_seq = true;
	if (!td_lex_u32(l, &pkt->icmp.seq))
		return false;
	if (td_lex_take(l, ":") && !td_lex_u32(l, &end))
		return false;
	if (td_lex_take(l, "(") && (!td_lex_u32(l, &len) || !td_lex_need(l, ")")))
		return false;
	return td_lex_need(l, "]");
}

/* "unreachable frag_needed mtu 1200 [1:1001(1000)]" */
static bool parse_icmp(struct td_lex *l, struct td_pkt *pkt, bool v6)
{
	const struct td_icmp_name *found = NULL;
	const char *name;

	pkt->is_icmp = true;
	while ((td_lex_skip(l), isalpha((unsigned char)*l->p))) {
		if (td_lex_word(l, "mtu")) {
			if (!td_lex_u32(l, &pkt->icmp.mtu))
				return false;
			continue;
		}
		name = td_lex_name(l);
		for (unsigned int i = 0; i < PLX_DIM(icmp_names); i++) {
			if (strcmp(icmp_names[i].name, name) == 0)
				found = &icmp_names[i];
		}
		if (!found && strcmp(name, "unreachable") != 0)
			return td_lex_fail(l, "ICMP '%s' is not known", name);
	}
	if (!found)
		return td_lex_fail(l, "ICMP needs a type or code");
	pkt->icmp.err = v6 ? found->err6 : found->err4;
	pkt->icmp.hard = found->hard;
	pkt->icmp.ends = found->ends & (v6 ? ENDS6 : ENDS4);
	return td_lex_take(l, "[") ? parse_quote(l, pkt) : true;
}

/* ---- segments ---- */

static bool parse_seq(struct td_lex *l, struct td_pkt *pkt)
{
	uint32_t end;

	if (!td_lex_u32(l, &pkt->seq))
		return false;
	pkt->has_seq = true;
	end = pkt->seq;
	if (td_lex_take(l, ":") && !td_lex_u32(l, &end))
		return false;
	pkt->len = end - pkt->seq;
	if (td_lex_take(l, "(")) {
		if (!td_lex_u32(l, &pkt->len) || !td_lex_need(l, ")"))
			return false;
		if (end != pkt->seq && pkt->seq + pkt->len != end)
			return td_lex_fail(l, "%u:%u are not %u bytes", pkt->seq, end, pkt->len);
	}
	return true;
}

static bool parse_u16(struct td_lex *l, uint16_t *v)
{
	uint32_t n;

	if (!td_lex_u32(l, &n))
		return false;
	*v = (uint16_t)n;
	return n <= 65535 || td_lex_fail(l, "%u does not fit into 16 bits", n);
}

static bool parse_fields(struct td_lex *l, struct td_pkt *pkt)
{
	for (;;) {
		if (td_lex_word(l, "ack")) {
			pkt->has_ack = true;
			if (!td_lex_u32(l, &pkt->ack))
				return false;
		} else if (td_lex_word(l, "win")) {
			pkt->has_win = true;
			if (!parse_u16(l, &pkt->win))
				return false;
		} else if (td_lex_word(l, "urg")) {
			pkt->has_urg = true;
			if (!parse_u16(l, &pkt->urg))
				return false;
		} else if (td_lex_word(l, "sack")) {
			struct td_opt *o = &pkt->opt[pkt->n_opt++];

			pkt->short_opts = true;
			memset(o, 0, sizeof(*o));
			if (!parse_sacks(l, o))
				return false;
		} else if (td_lex_take(l, "<")) {
			return parse_opts(l, pkt);
		} else {
			return true;
		}
	}
}

/* "40000 > 8080": another connection than the one under test. */
static bool parse_ports(struct td_lex *l, struct td_pkt *pkt)
{
	const char *before = l->p;

	td_lex_skip(l);
	if (!isdigit((unsigned char)*l->p))
		return true;
	if (!parse_u16(l, &pkt->sport))
		return false;
	if (!td_lex_take(l, ">")) {
		pkt->sport = 0;
		l->p = before;
		return true;
	}
	return parse_u16(l, &pkt->dport);
}

bool td_parse_pkt(struct td_lex *l, struct td_pkt *pkt)
{
	pkt->ecn = TD_ECN_ANY;
	if (td_lex_take(l, "[")) {
		td_lex_skip(l);
		if (isdigit((unsigned char)*l->p)) {
			if (!parse_quote(l, pkt))
				return false;
		} else if (!parse_ecn(l, pkt) || !td_lex_need(l, "]")) {
			return false;
		}
	}
	if (td_lex_word(l, "icmp"))
		return parse_icmp(l, pkt, false);
	if (td_lex_word(l, "icmpv6"))
		return parse_icmp(l, pkt, true);
	if (!parse_ports(l, pkt) || !parse_flags(l, &pkt->flags))
		return false;
	td_lex_skip(l);
	if (isdigit((unsigned char)*l->p) && !parse_seq(l, pkt))
		return false;
	return parse_fields(l, pkt);
}

int td_pkt_parse(struct td_pkt *pkt, bool in, const char *text, char *err, size_t err_bytes)
{
	struct td_pool pool = {0};
	struct td_lex l = {.p = text, .begin = text, .file = text, .pool = &pool};

	memset(pkt, 0, sizeof(*pkt));
	pkt->in = in;
	if (td_parse_pkt(&l, pkt)) {
		td_lex_skip(&l);
		if (*l.p)
			td_lex_fail(&l, "left over: '%s'", l.p);
	}
	td_pool_free(&pool);
	if (l.failed && err)
		snprintf(err, err_bytes, "%s", l.err);
	return l.failed ? -EINVAL : 0;
}
