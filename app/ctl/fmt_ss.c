/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"

/*
 * `ss -tinomap` of iproute2 6.1 when its output is no terminal: each column is as wide as the
 * longest thing in it, and what -p, -o, -m and -i add is all in the last one, with a line's end in
 * the middle. What Pollux does not count is left out.
 */

/** A piece of text that grows. */
struct text {
	FILE *out;
	char *s;
	size_t size;
};

enum column { NETID, STATE, RECV_Q, SEND_Q, LOCAL, LOCAL_PORT, PEER, PEER_PORT, PROCESS, COLUMNS };

static const struct {
	const char *title;
	bool right; /* aligned */
	bool apart; /* a space before it */
} columns[COLUMNS] = {
	[NETID] = {"Netid", false, false},
	[STATE] = {"State", false, true},
	[RECV_Q] = {"Recv-Q", false, true},
	[SEND_Q] = {"Send-Q", false, true},
	[LOCAL] = {"Local Address:", true, true},
	[LOCAL_PORT] = {"Port", false, false},
	[PEER] = {"Peer Address:", true, true},
	[PEER_PORT] = {"Port", false, false},
	[PROCESS] = {"Process", false, false},
};

/** All cells, a row of COLUMNS after the other. */
struct table {
	char **cell;
	size_t rows;
	size_t width[COLUMNS];
};

static bool text_open(struct text *t)
{
	*t = (struct text){0};
	t->out = open_memstream(&t->s, &t->size);
	return t->out;
}

/* @return the text, the caller's. */
static char *text_close(struct text *t)
{
	fclose(t->out);
	return t->s;
}

static char *__attribute__((format(printf, 1, 2))) cell(const char *format, ...)
{
	struct text t;
	va_list ap;

	if (!text_open(&t))
		return NULL;
	va_start(ap, format);
	vfprintf(t.out, format, ap);
	va_end(ap);
	return text_close(&t);
}

/* ---- what a cell says ---- */

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* The tables' "*" is ::, which ss calls so unless it hears IPv6 alone. */
static char *address(const json_t *row, const char *key)
{
	const char *a = fmt_str(row, key), *local = fmt_str(row, "local");
	const char *dev = strcmp(key, "local") == 0 ? fmt_str(row, "dev") : "";

	if (strcmp(a, "*") == 0 && fmt_num(row, "v6only"))
		a = "::";
	else if (strcmp(a, "*") == 0 && strcmp(local, "*") != 0) /* nobody's */
		a = is_v6(local) ? "::" : "0.0.0.0";
	return cell(is_v6(a) ? "[%s]%s%s:" : "%s%s%s:", a, *dev ? "%" : "", dev);
}

static char *port(const json_t *row, const char *key)
{
	return fmt_num(row, key) ? cell("%lld", fmt_num(row, key)) : cell("*");
}

static void some(FILE *out, const json_t *row, const char *name, const char *key)
{
	if (fmt_num(row, key))
		fprintf(out, " %s:%lld", name, fmt_num(row, key));
}

static void some_ms(FILE *out, const json_t *row, const char *name, const char *key)
{
	if (fmt_num(row, key))
		fprintf(out, " %s:%g", name, (double)fmt_num(row, key) / 1000);
}

/* -p */
static void print_users(FILE *out, const json_t *row)
{
	if (json_object_get(row, "fd"))
		fprintf(out, " users:((\"lcore %lld\",fd=%lld))", fmt_num(row, "lcore"),
			fmt_num(row, "fd"));
}

/* As ss' print_ms_timer(): the more there is left the coarser. */
static void print_left(FILE *out, long long ms)
{
	long long min = ms / 60000, s = ms / 1000 % 60;

	ms %= 1000;
	if (min)
		fprintf(out, "%lldmin", min);
	if (min > 9)
		s = 0;
	if (min || s > 9)
		ms = 0;
	if (s)
		fprintf(out, "%lld%s", s, ms ? "." : "sec");
	if (ms)
		fprintf(out, "%03lldms", ms);
}

/* -o */
static void print_timer(FILE *out, const json_t *row)
{
	if (!*fmt_str(row, "timer"))
		return;
	fprintf(out, " timer:(%s,", fmt_str(row, "timer"));
	print_left(out, fmt_num(row, "timer_ms"));
	fprintf(out, ",%lld)", fmt_num(row, "timer_retrans"));
}

/* -m: in ss' order what is known; of UDP's the bytes that wait are those charged. */
static void print_mem(FILE *out, const json_t *row)
{
	bool udp = strcmp(fmt_str(row, "netid"), "udp") == 0;
	static const char *const key[][2] = {
		{"skmem_rb", "rb"}, {"skmem_tb", "tb"}, {"skmem_w", "w"}, {"drops", "d"}};

	if (!udp && !json_object_get(row, "skmem_r"))
		return;
	fprintf(out, " skmem:(r%lld", fmt_num(row, udp ? "recv_q" : "skmem_r"));
	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		if (json_object_get(row, key[i][0]))
			fprintf(out, ",%s%lld", key[i][1], fmt_num(row, key[i][0]));
	fputc(')', out);
}

static void print_path(FILE *out, const json_t *row)
{
	if (*fmt_str(row, "options"))
		fprintf(out, " %s", fmt_str(row, "options"));
	fprintf(out, " %s", fmt_str(row, "cc"));
	if (json_object_get(row, "snd_wscale"))
		fprintf(out, " wscale:%lld,%lld", fmt_num(row, "snd_wscale"),
			fmt_num(row, "rcv_wscale"));
	some_ms(out, row, "rto", "rto_us");
	some(out, row, "backoff", "backoff");
	if (fmt_num(row, "rtt_us"))
		fprintf(out, " rtt:%g/%g", (double)fmt_num(row, "rtt_us") / 1000,
			(double)fmt_num(row, "rttvar_us") / 1000);
	some_ms(out, row, "ato", "ato_us");
	some(out, row, "mss", "mss");
	some(out, row, "pmtu", "pmtu");
	some(out, row, "rcvmss", "rcvmss");
	some(out, row, "advmss", "advmss");
	some(out, row, "cwnd", "cwnd");
	if (fmt_num(row, "ssthresh") < 0xffff)
		some(out, row, "ssthresh", "ssthresh");
}

static void print_bytes(FILE *out, const json_t *row)
{
	long long rtt_us = fmt_num(row, "rtt_us");
	double window = (double)fmt_num(row, "cwnd") * (double)fmt_num(row, "mss");

	some(out, row, "bytes_sent", "bytes_sent");
	some(out, row, "bytes_retrans", "bytes_retrans");
	some(out, row, "bytes_acked", "bytes_acked");
	some(out, row, "bytes_received", "bytes_received");
	if (rtt_us > 0 && window > 0) /* what window and round trip allow */
		fprintf(out, " send %.0fbps", window * 8e6 / (double)rtt_us);
	some(out, row, "lastsnd", "lastsnd_ms");
	some(out, row, "lastrcv", "lastrcv_ms");
	some(out, row, "delivered", "delivered");
}

static void print_losses(FILE *out, const json_t *row)
{
	some(out, row, "unacked", "unacked");
	if (fmt_num(row, "retrans") || fmt_num(row, "retrans_total"))
		fprintf(out, " retrans:%lld/%lld", fmt_num(row, "retrans"),
			fmt_num(row, "retrans_total"));
	some(out, row, "lost", "lost");
	some(out, row, "sacked", "sacked");
	some(out, row, "dsack_dups", "dsack_dups");
	if (fmt_num(row, "reordering") != 3)
		some(out, row, "reordering", "reordering");
	some(out, row, "reord_seen", "reord_seen");
	some_ms(out, row, "rcv_rtt", "rcv_rtt_us");
	some(out, row, "rcv_space", "rcv_space");
	some(out, row, "rcv_ssthresh", "rcv_ssthresh");
	some(out, row, "notsent", "notsent");
	some_ms(out, row, "minrtt", "minrtt_us");
	some(out, row, "snd_wnd", "snd_wnd");
}

/* -i: what a connection has, and neither a listener nor what is left of one. */
static void print_info(FILE *out, const json_t *row)
{
	if (!*fmt_str(row, "cc"))
		return;
	print_path(out, row);
	print_bytes(out, row);
	print_losses(out, row);
}

/* The last column. */
static char *extras(const json_t *row, const struct ctl_ss *ss)
{
	bool info = ss->info && strcmp(fmt_str(row, "netid"), "udp") != 0;
	struct text t;

	if (!text_open(&t))
		return NULL;
	if (ss->processes)
		print_users(t.out, row);
	if (ss->timers)
		print_timer(t.out, row);
	if (ss->memory || info)
		fputs(ss->oneline ? " " : "\n\t", t.out);
	if (ss->memory)
		print_mem(t.out, row);
	if (info)
		print_info(t.out, row);
	return text_close(&t);
}

/* ---- the table ---- */

/* ss leaves out what is the same in all lines. */
static bool shown(enum column c, const struct ctl_ss *ss)
{
	if (c == NETID)
		return ctl_ss_both(ss);
	return c != STATE || (ss->states & (ss->states - 1)) != 0;
}

static char *make_cell(enum column c, const json_t *row, const struct ctl_ss *ss)
{
	switch (c) {
	case NETID:
		return cell("%s", fmt_str(row, "netid"));
	case STATE:
		return cell("%s", fmt_str(row, "state"));
	case RECV_Q:
		return cell("%-6lld", fmt_num(row, "recv_q"));
	case SEND_Q:
		return cell("%-6lld", fmt_num(row, "send_q"));
	case LOCAL:
		return address(row, "local");
	case LOCAL_PORT:
		return port(row, "local_port");
	case PEER:
		return address(row, "dst");
	case PEER_PORT:
		return port(row, "dst_port");
	default:
		return extras(row, ss);
	}
}

static void widen(struct table *t, enum column c, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	t->width[c] = len > t->width[c] ? len : t->width[c];
}

static void print_line(
	const struct table *t, const char *const *line, const struct ctl_ss *ss, FILE *out)
{
	bool first = true;

	for (enum column c = 0; c < COLUMNS; c++) {
		int width = (int)t->width[c];

		if (!shown(c, ss))
			continue;
		if (!first && columns[c].apart)
			fputc(' ', out);
		fprintf(out, "%*s", columns[c].right ? width : -width, line[c] ? line[c] : "");
		first = false;
	}
	fputc('\n', out);
}

static void print_table(struct table *t, const struct ctl_ss *ss, FILE *out)
{
	const char *title[COLUMNS];

	for (enum column c = 0; c < COLUMNS; c++) {
		title[c] = columns[c].title;
		if (!ss->no_header)
			widen(t, c, title[c]);
	}
	if (!ss->no_header)
		print_line(t, title, ss, out);
	for (size_t i = 0; i < t->rows; i++)
		print_line(t, (const char *const *)&t->cell[i * COLUMNS], ss, out);
}

void fmt_ss(const struct fmt *f, const json_t *rows)
{
	struct table t = {.rows = json_array_size(rows)};
	const struct ctl_ss *ss = &f->opts->ss;
	size_t i;
	json_t *row;

	t.cell = calloc(t.rows * COLUMNS + 1, sizeof(*t.cell));
	if (!t.cell)
		return;
	json_array_foreach(rows, i, row)
	{
		for (enum column c = 0; c < COLUMNS; c++) {
			t.cell[i * COLUMNS + c] = make_cell(c, row, ss);
			if (c != PROCESS || i + 1 < t.rows) /* ss forgets the last one */
				widen(&t, c, t.cell[i * COLUMNS + c]);
		}
	}
	print_table(&t, ss, f->out);
	for (i = 0; i < t.rows * COLUMNS; i++)
		free(t.cell[i]);
	free(t.cell);
}
