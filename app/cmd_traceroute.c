/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <rte_random.h>

#include "names.h"
#include "trace.h"

/* traceroute: options, and what it prints. trace.c sends the probes. */

struct options {
	struct names_conf names;
	uint32_t max_hops, queries, wait_s, port, size;
	bool icmp, tcp, v4, v6;
};

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"max-hops", "N", OPT_U32, FIELD(max_hops), "30", "routers on the way, at most", 1,
		TRACE_HOPS_MAX},
	{"queries", "N", OPT_U32, FIELD(queries), "3", "probes for each", 1, TRACE_QUERIES_MAX},
	{"wait", "S", OPT_U32, FIELD(wait_s), "5", "how long to wait for an answer", 1, 60},
	{"dport", "PORT", OPT_U32, FIELD(port), "0",
		"of the first probe, each of the others goes to the next; of TCP, of all; "
		"0: 33434, of TCP 80",
		0, 65535},
	{"size", "BYTES", OPT_U32, FIELD(size), "0", "of a packet; 0: 60, of IPv6 80", 0, 1500},
	{"icmp", NULL, OPT_FLAG, FIELD(icmp), NULL, "probes are echoes, not datagrams of UDP"},
	{"tcp", NULL, OPT_FLAG, FIELD(tcp), NULL, "probes are SYNs; no connection is made"},
	{"ipv4", NULL, OPT_FLAG, FIELD(v4), NULL, "only addresses of IPv4"},
	{"ipv6", NULL, OPT_FLAG, FIELD(v6), NULL, "only addresses of IPv6"},
	NAMES_OPTS(FIELD(names)),
	{NULL},
};

static struct traceroute {
	struct names_run n;
	const struct options *o;
	const char *target;
	char addr[INET6_ADDRSTRLEN + PLX_IF_NAMESIZE];
	bool asked, begun;
	uint32_t printed; /**< probes */
	struct trace t;
} tr;

/* ---- words ---- */

static const char *text_of(const union prog_addr *a, char buf[static INET6_ADDRSTRLEN])
{
	return inet_ntop(a->sa.sa_family,
		a->sa.sa_family == AF_INET6 ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr,
		buf, INET6_ADDRSTRLEN);
}

/* What traceroute(8) puts behind the time. */
static const char *mark_of(const struct trace_probe *p, char buf[static 16])
{
	static const char *const v4[] = {[0] = "!N",
		[1] = "!H",
		[2] = "!P",
		[5] = "!S",
		[6] = "!N",
		[7] = "!H",
		[9] = "!X",
		[10] = "!X",
		[13] = "!X",
		[14] = "!V",
		[15] = "!C"};
	static const char *const v6[] = {"!N", "!X", "!S", "!H"};
	bool six = tr.t.v6;

	if (p->type == (six ? 3 : 11) || p->type == TRACE_ECHO || p->final)
		return "";
	if (p->type == (six ? 2 : 3) && (six || p->code == 4))
		snprintf(buf, 16, "!F-%u", p->info);
	else if (p->type == (six ? 1 : 3) && p->code < (six ? PLX_DIM(v6) : PLX_DIM(v4)) &&
		 (six ? v6 : v4)[p->code])
		return (six ? v6 : v4)[p->code];
	else
		snprintf(buf, 16, "!<%u-%u>", p->type, p->code);
	return buf;
}

static void print_probe(FILE *out, const struct trace_probe *p, const struct trace_probe *before)
{
	char text[INET6_ADDRSTRLEN], mark[16];
	const char *m;

	if (!p->answered) {
		fputs(" *", out);
		return;
	}
	if (!before || !before->answered || memcmp(&before->from, &p->from, sizeof(p->from)) != 0)
		fprintf(out, " %s", text_of(&p->from, text));
	fprintf(out, "  %.3f ms", NAMES_MS(p->rtt_ns));
	m = mark_of(p, mark);
	if (*m)
		fprintf(out, " %s", m);
}

/* As far as is known what became of them, in order. */
static void print_more(FILE *out)
{
	const struct trace *t = &tr.t;

	for (; tr.printed < t->n_probes && trace_known(t, tr.printed); tr.printed++) {
		uint32_t hop = tr.printed / t->queries, q = tr.printed % t->queries;

		if (q == 0)
			fprintf(out, "%2u ", hop + 1);
		print_probe(out, &t->probe[tr.printed], q ? &t->probe[tr.printed - 1] : NULL);
		if (q == t->queries - 1)
			fputc('\n', out);
	}
	fflush(out);
}

static void print_head(FILE *out)
{
	fprintf(out, "traceroute to %s (%s), %u hops max, %u byte packets\n", tr.target, tr.addr,
		tr.o->max_hops, tr.t.bytes);
	fflush(out);
}

/* ---- the program ---- */

static void found(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name)
{
	const struct options *o = tr.o;
	uint32_t least;

	if (err) {
		names_fail(&tr.n, tr.target, names_error(err));
		tr.n.code = APP_USAGE;
		return;
	}
	tr.t = (struct trace){.v6 = res->ai_family == AF_INET6,
		.kind = o->tcp	  ? TRACE_TCP
			: o->icmp ? TRACE_ICMP
				  : TRACE_UDP,
		.id = (uint16_t)rte_rand(),
		.queries = o->queries,
		.n_probes = o->max_hops * o->queries,
		.port = (uint16_t)(o->port  ? o->port
				   : o->tcp ? 80
					    : 33434),
		.syn = {.sport = (uint16_t)(32768 + rte_rand_max(28232 - TRACE_PROBES_MAX)),
			.seq = (uint32_t)rte_rand()},
		.wait_ns = PLX_SEC(o->wait_s),
		.to_len = res->ai_addrlen};
	memcpy(&tr.t.to, res->ai_addr, res->ai_addrlen);
	least = (tr.t.v6 ? 40 : 20) + (uint32_t)trace_hdr(&tr.t);
	tr.t.bytes = o->size ? PLX_MAX(o->size, least) : tr.t.v6 ? 80 : 60;
	plx_getnameinfo(
		res->ai_addr, res->ai_addrlen, tr.addr, sizeof(tr.addr), NULL, 0, NI_NUMERICHOST);
	plx_freeaddrinfo(res);
	err = trace_begin(&tr.t, q->arg);
	if (err) {
		names_fail(&tr.n, tr.target, strerror(-err));
		return;
	}
	if (tr.n.out)
		print_head(tr.n.out);
	tr.begun = true;
}

static void ask(struct prog *p)
{
	const struct options *o = tr.o;
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
		.ai_family = o->v6   ? AF_INET6
			     : o->v4 ? AF_INET
				     : AF_UNSPEC};

	tr.asked = true;
	tr.n.query.done = found;
	tr.n.query.arg = p;
	plx_resolv_addr(&tr.n.query, tr.target, NULL, &hints);
}

static plx_ns timer(struct prog *p, plx_ns now)
{
	plx_ns next;

	if (!names_ready(p, &next))
		return next;
	if (!tr.asked)
		ask(p);
	if (!tr.begun || tr.n.over)
		return PLX_NEVER;
	next = trace_run(&tr.t, p, now);
	if (tr.n.out)
		print_more(tr.n.out);
	if (tr.t.err)
		names_fail(&tr.n, tr.target, strerror(tr.t.err));
	else if (trace_over(&tr.t))
		names_end(&tr.n, APP_OK);
	return next;
}

static int start(struct prog *p)
{
	return 0;
}

static void json(struct stack *s, json_t *o, bool final)
{
	char text[INET6_ADDRSTRLEN];
	json_t *hops;

	if (!final || !tr.begun)
		return;
	hops = json_array();
	for (uint32_t i = 0; i < tr.t.n_probes && trace_known(&tr.t, i); i++) {
		const struct trace_probe *p = &tr.t.probe[i];

		json_array_append_new(hops,
			json_pack("{s:i, s:s?, s:f, s:i, s:i}", "hop", (int)(i / tr.t.queries) + 1,
				"from", p->answered ? text_of(&p->from, text) : NULL, "ms",
				NAMES_MS(p->rtt_ns), "type", (int)p->type, "code", (int)p->code));
	}
	json_object_set_new(o, "probes", hops);
	json_object_set_new(o, "reached", json_boolean(tr.t.reached));
}

static const struct prog_ops ops = {.bytes = sizeof(struct prog),
	.start = start,
	.timer = timer,
	.json = json,
	.prepare = names_prepare,
	.end = names_finish};

/* By UDP each probe has a port of its own, and 0 does not come behind 65535. */
static int check_ports(const struct options *o, struct plx_error *e)
{
	uint32_t n = o->max_hops * o->queries, most = 65535 - n + 1;
	char hint[80], port[16];

	if (o->icmp || o->tcp || o->port <= most)
		return 0;
	snprintf(port, sizeof(port), "%u", o->port);
	snprintf(hint, sizeof(hint), "%u at most, as %u probes go to a port each", most, n);
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "traceroute", port, "dport", hint);
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	const struct options *o = arg;
	int err;

	if (o->icmp && o->tcp)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "traceroute", "", "tcp",
			"give --icmp or --tcp");
	err = check_ports(o, e);
	return err ? err : names_check(app, arg, e);
}

static int run(struct app *app, void *arg)
{
	int code;

	tr.o = arg;
	tr.target = app->operand[0];
	code = names_main(app, &ops, &tr.n, &tr.o->names);
	return code == APP_OK ? tr.n.code : code;
}

const struct plx_cmd cmd_traceroute = {
	.name = "traceroute",
	.operands = "NAME",
	.summary = "the routers on the way to a host, printed as traceroute does",
	.text = "Probes with a time to live of 1, 2, 3 ... by UDP, whose errors come by "
		"IP_RECVERR,\n"
		"by ICMP echoes or by SYNs of TCP; 16 are on their way at a time. Addresses are "
		"not\n"
		"looked up.\n"
		"\n"
		"Examples:\n"
		"  pollux ... -- traceroute --if 0,addr=10.9.0.2/24,gw=10.9.0.1 10.1.0.1\n"
		"  pollux ... -- traceroute --if 0,addr=fd00:9::2/64,gw=fd00:9::1 --icmp \\\n"
		"    --queries 1 fd00:1::1",
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.stack = true,
	.check = check,
	.run = run,
};
