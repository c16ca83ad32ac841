/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "names.h"

/* A name's addresses as `getent ahosts` prints them; A, AAAA and PTR as `host` does. */

struct options {
	struct names_conf names;
};

static const struct opt opts[] = {NAMES_OPTS(offsetof(struct options, names)), {NULL}};

enum kind { AHOSTS, A, AAAA, PTR, KINDS };
static const char *const kind_name[KINDS] = {[A] = "A", [AAAA] = "AAAA", [PTR] = "PTR"};

static struct resolve {
	struct names_run n;
	const char *name;
	enum kind kind;
	bool asked;
	json_t *found; /**< with --json */
} resolve;

static int parse(const struct app *app, struct resolve *r, struct plx_error *e)
{
	const char *type = app->n_operands > 1 ? app->operand[1] : NULL;
	struct in6_addr in;

	r->name = app->operand[0];
	r->kind = AHOSTS;
	for (int k = A; type && k < KINDS; k++)
		if (strcasecmp(type, kind_name[k]) == 0)
			r->kind = (enum kind)k;
	if (type && r->kind == AHOSTS)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPERAND, "resolve", type, "resolve");
	if (r->kind == PTR && inet_pton(AF_INET, r->name, &in) != 1 &&
		inet_pton(AF_INET6, r->name, &in) != 1)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPERAND, "resolve", r->name, "resolve");
	return 0;
}

/* ---- what was found ---- */

static const char *number(const struct addrinfo *ai, char *buf)
{
	const void *from =
		ai->ai_family == AF_INET
			? (const void *)&((const struct sockaddr_in *)(const void *)ai->ai_addr)
				  ->sin_addr
			: &((const struct sockaddr_in6 *)(const void *)ai->ai_addr)->sin6_addr;

	return inet_ntop(ai->ai_family, from, buf, INET6_ADDRSTRLEN);
}

static void print_ahosts(FILE *out, const struct addrinfo *res)
{
	char text[INET6_ADDRSTRLEN];

	for (const struct addrinfo *ai = res; ai; ai = ai->ai_next)
		fprintf(out, "%-15s %-6s %s\n", number(ai, text),
			ai->ai_socktype == SOCK_STREAM	? "STREAM"
			: ai->ai_socktype == SOCK_DGRAM ? "DGRAM"
							: "RAW",
			ai->ai_canonname ? ai->ai_canonname : "");
}

/* Was it found by this name, maybe with a domain of the search list behind it? */
static bool is_asked(const char *name)
{
	size_t n = strlen(resolve.name);

	n -= n > 1 && resolve.name[n - 1] == '.';
	return strncasecmp(name, resolve.name, n) == 0 && (!name[n] || name[n] == '.');
}

static void print_host(FILE *out, const struct addrinfo *res)
{
	const char *name = res->ai_canonname ? res->ai_canonname : resolve.name;
	char text[INET6_ADDRSTRLEN];

	if (!is_asked(name))
		fprintf(out, "%s is an alias for %s.\n", resolve.name, name);
	for (const struct addrinfo *ai = res; ai; ai = ai->ai_next)
		fprintf(out, "%s has %saddress %s\n", name,
			ai->ai_family == AF_INET6 ? "IPv6 " : "", number(ai, text));
}

/* What is asked for the name of an address (RFC 1035 3.5, RFC 3596 2.5). */
static void print_arpa(FILE *out, const char *addr)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, addr, b) == 1) {
		fprintf(out, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
		return;
	}
	inet_pton(AF_INET6, addr, b);
	for (int i = 15; i >= 0; i--)
		fprintf(out, "%x.%x.", b[i] & 15, b[i] >> 4);
	fputs("ip6.arpa", out);
}

static void keep_json(const struct addrinfo *res, const char *name)
{
	char text[INET6_ADDRSTRLEN];

	resolve.found = json_array();
	if (name)
		json_array_append_new(resolve.found, json_string(name));
	for (const struct addrinfo *ai = res; ai; ai = ai->ai_next)
		if (ai->ai_socktype == SOCK_STREAM)
			json_array_append_new(resolve.found, json_string(number(ai, text)));
}

static void found(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name)
{
	FILE *out = resolve.n.out;

	if (err) {
		names_fail(&resolve.n, resolve.name, names_error(err));
		return;
	}
	if (!out) {
		keep_json(res, name);
	} else if (name) {
		print_arpa(out, resolve.name);
		fprintf(out, " domain name pointer %s.\n", name);
	} else if (resolve.kind == AHOSTS) {
		print_ahosts(out, res);
	} else {
		print_host(out, res);
	}
	plx_freeaddrinfo(res);
	names_end(&resolve.n, APP_OK);
}

/* ---- the program ---- */

static void ask_name(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, resolve.name, &in.sin_addr) == 1) {
		plx_resolv_name(&resolve.n.query, (struct sockaddr *)&in, sizeof(in));
	} else {
		inet_pton(AF_INET6, resolve.name, &in6.sin6_addr);
		plx_resolv_name(&resolve.n.query, (struct sockaddr *)&in6, sizeof(in6));
	}
}

static void ask_addr(void)
{
	struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_family = AF_UNSPEC};

	if (resolve.kind != AHOSTS) {
		hints.ai_family = resolve.kind == A ? AF_INET : AF_INET6;
		hints.ai_socktype = SOCK_STREAM; /* each address once */
	}
	plx_resolv_addr(&resolve.n.query, resolve.name, NULL, &hints);
}

static plx_ns timer(struct prog *p, plx_ns now)
{
	plx_ns next;

	if (!names_ready(p, &next) || resolve.asked)
		return next;
	resolve.asked = true;
	resolve.n.query.done = found;
	if (resolve.kind == PTR)
		ask_name();
	else
		ask_addr();
	return PLX_NEVER;
}

static int start(struct prog *p)
{
	return 0;
}

static void json(struct stack *s, json_t *o, bool final)
{
	if (final && resolve.found)
		json_object_set(o, "found", resolve.found);
}

static const struct prog_ops ops = {.bytes = sizeof(struct prog),
	.start = start,
	.timer = timer,
	.json = json,
	.prepare = names_prepare,
	.end = names_finish};

static int check(struct app *app, void *arg, struct plx_error *e)
{
	const struct options *o = arg;
	int err = names_check_operands(app, &o->names, 2, e);

	return err ? err : parse(app, &resolve, e);
}

static int run(struct app *app, void *arg)
{
	const struct options *o = arg;
	int code = names_main(app, &ops, &resolve.n, &o->names);

	json_decref(resolve.found);
	return code == APP_OK ? resolve.n.code : code;
}

const struct plx_cmd cmd_resolve = {
	.name = "resolve",
	.operands = "NAME [A|AAAA|PTR]",
	.summary = "look for a name's addresses, or an address's name",
	.text = "Without a type it prints what 'getent ahosts NAME' does, with one what 'host'\n"
		"does. The hosts file is read first, then name servers are asked, through the\n"
		"stack. Ends with 1 when there is nothing.\n"
		"\n"
		"Examples:\n"
		"  pollux ... -- resolve --if 0,addr=10.9.0.2/24 --nameserver 10.9.0.1 "
		"example.org\n"
		"  pollux ... -- resolve --if 0,addr=10.9.0.2/24 --nameserver 10.9.0.1 \\\n"
		"    10.9.0.1 PTR",
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.stack = true,
	.check = check,
	.run = run,
};
