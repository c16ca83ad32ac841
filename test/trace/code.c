/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <ctype.h>
#include <stdlib.h>

/*
 * Code between %{ and }%: packetdrill gives it to Python. Ours understands assertions over
 * TCP_INFO's fields, counters under nstat's names and the reason for which the last packet was
 * dropped.
 */

struct eval {
	struct td_run *r;
	const char *p;
	bool bad;
	struct plx_tcp_info info;
};

#define FIELD(name)                                                                                \
	{                                                                                          \
		"tcpi_" #name, offsetof(struct plx_tcp_info, tcpi_##name),                         \
			sizeof(((struct plx_tcp_info *)0)->tcpi_##name)                            \
	}

static const struct {
	const char *name;
	size_t at, bytes;
} fields[] = {
	FIELD(state),
	FIELD(ca_state),
	FIELD(retransmits),
	FIELD(probes),
	FIELD(backoff),
	FIELD(options),
	FIELD(rto),
	FIELD(ato),
	FIELD(snd_mss),
	FIELD(rcv_mss),
	FIELD(unacked),
	FIELD(sacked),
	FIELD(lost),
	FIELD(retrans),
	FIELD(fackets),
	FIELD(last_data_sent),
	FIELD(last_ack_sent),
	FIELD(last_data_recv),
	FIELD(last_ack_recv),
	FIELD(pmtu),
	FIELD(rcv_ssthresh),
	FIELD(rtt),
	FIELD(rttvar),
	FIELD(snd_ssthresh),
	FIELD(snd_cwnd),
	FIELD(advmss),
	FIELD(reordering),
	FIELD(rcv_rtt),
	FIELD(rcv_space),
	FIELD(total_retrans),
	FIELD(pacing_rate),
	FIELD(max_pacing_rate),
	FIELD(bytes_acked),
	FIELD(bytes_received),
	FIELD(segs_out),
	FIELD(segs_in),
	FIELD(notsent_bytes),
	FIELD(min_rtt),
	FIELD(data_segs_in),
	FIELD(data_segs_out),
	FIELD(delivery_rate),
	FIELD(busy_time),
	FIELD(rwnd_limited),
	FIELD(sndbuf_limited),
	FIELD(delivered),
	FIELD(delivered_ce),
	FIELD(bytes_sent),
	FIELD(bytes_retrans),
	FIELD(dsack_dups),
	FIELD(reord_seen),
	FIELD(rcv_ooopack),
	FIELD(snd_wnd),
	FIELD(rcv_wnd),
	FIELD(rehash),
	FIELD(total_rto),
	FIELD(total_rto_recoveries),
	FIELD(total_rto_time),
};

static bool info_field(const struct eval *e, const char *name, int64_t *v)
{
	if (strcmp(name, "tcpi_snd_wscale") == 0)
		return *v = e->info.tcpi_snd_wscale, true;
	if (strcmp(name, "tcpi_rcv_wscale") == 0)
		return *v = e->info.tcpi_rcv_wscale, true;
	for (unsigned int i = 0; i < PLX_DIM(fields); i++) {
		/* the prefix may be left out */
		if (strcmp(fields[i].name, name) == 0 || strcmp(fields[i].name + 5, name) == 0) {
			uint64_t n = 0;

			memcpy(&n, (const char *)&e->info + fields[i].at, fields[i].bytes);
			*v = (int64_t)n;
			return true;
		}
	}
	return false;
}

/* "TcpExtTCPTimeouts", "TCP_PAWS", "drop". */
static bool stack_name(const struct eval *e, const char *name, int64_t *v)
{
	if (strcmp(name, "drop") == 0)
		return *v = e->r->drop, true;
	for (int i = 0; i < PLX_STAT_MAX; i++) {
		size_t n = strlen(plx_stat_info[i].group);

		if (strncmp(name, plx_stat_info[i].group, n) == 0 &&
			strcmp(name + n, plx_stat_info[i].name) == 0)
			return *v = (int64_t)e->r->stat[i], true;
	}
	for (int i = PLX_DROP_NONE + 1; i < PLX_DROP_MAX; i++) {
		if (strcmp(name, plx_drop_info[i].name) == 0 ||
			(strncmp(name, "DROP_", 5) == 0 &&
				strcmp(name + 5, plx_drop_info[i].name) == 0))
			return *v = i, true;
	}
	return strcmp(name, "NONE") == 0 ? (*v = PLX_DROP_NONE, true) : false;
}

/* ---- expressions, as in C and Python ---- */

static int64_t parse_or(struct eval *e);

static void blanks(struct eval *e)
{
	while (*e->p == ' ' || *e->p == '\t' || *e->p == '\r')
		e->p++;
}

static bool take(struct eval *e, const char *s)
{
	size_t n = strlen(s);

	blanks(e);
	if (strncmp(e->p, s, n) != 0)
		return false;
	if (isalpha((unsigned char)*s) && (isalnum((unsigned char)e->p[n]) || e->p[n] == '_'))
		return false;
	e->p += n;
	return true;
}

static int64_t parse_name(struct eval *e)
{
	char name[80];
	size_t n = 0;
	int64_t v = 0;

	while (isalnum((unsigned char)e->p[n]) || e->p[n] == '_')
		n++;
	snprintf(name, sizeof(name), "%.*s", (int)n, e->p);
	if (n == 0 || !(info_field(e, name, &v) || td_const(name, &v) || stack_name(e, name, &v))) {
		if (!e->bad)
			td_fail(e->r, "'%s' is no value in: %s", n ? name : e->p, e->p);
		e->bad = true;
		return 0;
	}
	e->p += n;
	return v;
}

static int64_t parse_primary(struct eval *e)
{
	int64_t v;
	char *end;

	if (take(e, "(")) {
		v = parse_or(e);
		if (!take(e, ")") && !e->bad) {
			td_fail(e->r, "')' is missing before '%.20s'", e->p);
			e->bad = true;
		}
		return v;
	}
	if (take(e, "-"))
		return -parse_primary(e);
	blanks(e);
	if (isdigit((unsigned char)*e->p)) {
		v = strtoll(e->p, &end, 0);
		e->p = end;
		return v;
	}
	return parse_name(e);
}

static int64_t parse_mul(struct eval *e)
{
	int64_t v = parse_primary(e), w;

	for (;;) {
		if (take(e, "*")) {
			v *= parse_primary(e);
		} else if (take(e, "//") || take(e, "/")) {
			w = parse_primary(e);
			v = w ? v / w : 0;
		} else if (take(e, "%")) {
			w = parse_primary(e);
			v = w ? v % w : 0;
		} else {
			return v;
		}
	}
}

static int64_t parse_add(struct eval *e)
{
	int64_t v = parse_mul(e);

	for (;;) {
		if (take(e, "+"))
			v += parse_mul(e);
		else if (take(e, "-"))
			v -= parse_mul(e);
		else
			return v;
	}
}

static bool at(struct eval *e, const char *s)
{
	blanks(e);
	return strncmp(e->p, s, strlen(s)) == 0;
}

static int64_t parse_bits(struct eval *e)
{
	int64_t v = parse_add(e);

	for (;;) {
		if (!at(e, "&&") && take(e, "&"))
			v &= parse_add(e);
		else if (!at(e, "||") && take(e, "|"))
			v |= parse_add(e);
		else
			return v;
	}
}

/* a < b < c holds when both do, as in Python. */
static int64_t parse_compare(struct eval *e)
{
	int64_t left = parse_bits(e), right, holds;
	bool any = false, all = true;

	for (;;) {
		if (take(e, "==")) {
			right = parse_bits(e);
			holds = left == right;
		} else if (take(e, "!=")) {
			right = parse_bits(e);
			holds = left != right;
		} else if (take(e, "<=")) {
			right = parse_bits(e);
			holds = left <= right;
		} else if (take(e, ">=")) {
			right = parse_bits(e);
			holds = left >= right;
		} else if (take(e, "<")) {
			right = parse_bits(e);
			holds = left < right;
		} else if (take(e, ">")) {
			right = parse_bits(e);
			holds = left > right;
		} else {
			return any ? all : left;
		}
		any = true;
		all = all && holds;
		left = right;
	}
}

static int64_t parse_not(struct eval *e)
{
	if (take(e, "not") || (!at(e, "!=") && take(e, "!")))
		return !parse_not(e);
	return parse_compare(e);
}

static int64_t parse_and(struct eval *e)
{
	int64_t v = parse_not(e), w;

	while (take(e, "and") || take(e, "&&")) {
		w = parse_not(e);
		v = v && w;
	}
	return v;
}

static int64_t parse_or(struct eval *e)
{
	int64_t v = parse_and(e), w;

	while (take(e, "or") || take(e, "||")) {
		w = parse_and(e);
		v = v || w;
	}
	return v;
}

/* ---- statements ---- */

/* The end of a statement: a line's, or a semicolon; within quotes and brackets neither is. */
static const char *statement_end(const char *p)
{
	char quote = 0;
	int depth = 0;

	for (; *p; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '(' || *p == '[')
			depth++;
		else if (*p == ')' || *p == ']')
			depth--;
		else if (depth <= 0 && (*p == '\n' || *p == ';'))
			break;
	}
	return p;
}

static void values(const struct eval *e, const char *from, const char *to, char *buf, size_t bytes)
{
	size_t n = 0;
	int64_t v;

	*buf = 0;
	while (from < to) {
		char name[80];
		size_t len = 0;

		while (from + len < to && (isalnum((unsigned char)from[len]) || from[len] == '_'))
			len++;
		snprintf(name, sizeof(name), "%.*s", (int)len, from);
		if (len && (info_field(e, name, &v) || stack_name(e, name, &v)) &&
			n < bytes - 100) {
			if (strcmp(name, "drop") == 0)
				n += (size_t)snprintf(buf + n, bytes - n, " drop = %s",
					v ? plx_drop_info[v].name : "NONE");
			else if (!isupper((unsigned char)*name) || strncmp(name, "Tcp", 3) == 0)
				n += (size_t)snprintf(
					buf + n, bytes - n, " %s = %lld", name, (long long)v);
		}
		from += len ? len : 1;
	}
}

static bool statement(struct eval *e, const char *end)
{
	const char *from = e->p;
	char seen[400];

	if (!take(e, "assert")) /* print, import, ... */
		return true;
	if (parse_or(e) || e->bad)
		return !e->bad;
	values(e, from, end, seen, sizeof(seen));
	return td_fail(e->r, "%.*s\n  seen:    %s", (int)(end - from), from, seen);
}

static const struct td_sock *asked_about(const struct td_run *r)
{
	return r->last && r->last->started ? r->last : NULL;
}

bool td_code(struct td_run *r, const char *text)
{
	const struct td_sock *s = asked_about(r);
	struct eval e = {.r = r};
	const char *end;

	e.info.tcpi_state = PLX_TCP_CLOSED;
	if (s)
		plx_tcp_info_get(&s->c, r->now, &e.info);
	while (*text) {
		end = statement_end(text);
		e.p = text;
		while (isspace((unsigned char)*e.p) && e.p < end)
			e.p++;
		if (e.p < end && *e.p != '#' && !statement(&e, end))
			return false;
		text = *end ? end + 1 : end;
	}
	return !r->failed;
}
