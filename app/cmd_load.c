/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>

#include "load.h"

/* Clients that make load: options; load_conn.c and the kinds do it. */

struct options {
	const char *to[LOAD_KINDS];
	struct opt_list src;
	struct load_conf conf;
};

static const char *const close_names[] = {
	[LOAD_CLOSE_US] = "us", [LOAD_CLOSE_PEER] = "peer", [LOAD_CLOSE_RESET] = "reset", NULL};

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"tcp-rr", "HOST:PORT", OPT_STR, FIELD(to[LOAD_TCP_RR]), NULL,
		"a request and its echo, again and again"},
	{"tcp-crr", "HOST:PORT", OPT_STR, FIELD(to[LOAD_TCP_CRR]), NULL,
		"the same with a connection for each"},
	{"tcp-stream", "HOST:PORT", OPT_STR, FIELD(to[LOAD_TCP_STREAM]), NULL,
		"send as long as the peer reads"},
	{"udp-rr", "HOST:PORT", OPT_STR, FIELD(to[LOAD_UDP_RR]), NULL,
		"a datagram and its echo, again and again"},
	{"udp-stream", "HOST:PORT", OPT_STR, FIELD(to[LOAD_UDP_STREAM]), NULL, "send datagrams"},
	{"http", "HOST:PORT", OPT_STR, FIELD(to[LOAD_HTTP]), NULL, "GET, again and again"},
	{"conns", "N", OPT_U32, FIELD(conf.conns), "1", "connections, or sockets of UDP, at a time",
		1, 16000000},
	{"size", "BYTES", OPT_U32, FIELD(conf.size), "1", "of a request, a write or a datagram", 1,
		LOAD_BYTES_MAX},
	{"src", "RANGE", OPT_LIST, FIELD(src), NULL,
		"addresses to talk from in turn: A, A-B or A/LEN; the first interface gets them"},
	{"close", "WHO", OPT_CHOICE, FIELD(conf.close), "us",
		"tcp-crr: who ends a connection first and has its TIME-WAIT: us, peer; reset: "
		"nobody",
		.choices = close_names},
	{"in-flight", "N", OPT_U32, FIELD(conf.in_flight), "0",
		"tcp-rr: requests under way at a time, by the connections in turn; 0: one by each",
		0, 1000000},
	{"rate", "N", OPT_U32, FIELD(conf.rate), "0",
		"udp-stream: datagrams a second; 0: as fast as they go", 0, 100000000},
	{"unconnected", NULL, OPT_FLAG, FIELD(conf.unconnected), NULL,
		"udp-stream: each datagram has its address"},
	{"path", "PATH", OPT_STR, FIELD(conf.path), "/", "http: what to ask for"},
	NAMES_OPTS(FIELD(conf.to.names)),
	{NULL},
};

static int bad(const char *value, const char *option, const char *hint, struct plx_error *e)
{
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "load", value, option, hint);
}

/* Which of the kinds, and where to. */
static int check_kind(struct options *o, struct plx_error *e)
{
	struct load_conf *conf = &o->conf;
	int n = 0;

	for (int k = 0; k < LOAD_KINDS; k++) {
		if (!o->to[k])
			continue;
		n++;
		conf->kind = (enum load_kind)k;
		if (endpoint_target(&conf->to.to, "load", opts[k].name, o->to[k], e) != 0)
			return -EINVAL;
	}
	if (n == 1)
		return 0;
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_MISSING, "load",
		"one of --tcp-rr, --tcp-crr, --tcp-stream, --udp-rr, --udp-stream and "
		"--http",
		"load");
}

static int check_src(struct options *o, struct plx_error *e)
{
	struct load_conf *conf = &o->conf;
	struct peer_conf *to = &conf->to;
	bool v4;

	for (unsigned int i = 0; i < o->src.n; i++) {
		int err = addr_list_add(&conf->src, o->src.v[i]);

		if (err)
			return bad(o->src.v[i], "src",
				err == -E2BIG ? "65536 addresses in 16 ranges at most"
					      : "form: 10.9.1.1, 10.9.1.1-10.9.1.9, 10.9.1.0/24",
				e);
		v4 = plx_addr_is_v4(&conf->src.range[i].first);
		if (i == 0 && to->to.host[0])
			to->family = v4 ? AF_INET : AF_INET6;
		if (v4 !=
			(to->to.host[0] ? to->family == AF_INET : plx_addr_is_v4(&to->to.ep.addr)))
			return bad(o->src.v[i], "src", "of the same family as the peer", e);
	}
	return 0;
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	struct options *o = arg;
	struct load_conf *conf = &o->conf;
	const char *path = conf->path;

	if (check_kind(o, e) != 0 || check_src(o, e) != 0 ||
		names_conf_check("load", &conf->to.names, e) != 0)
		return -EINVAL;
	conf->to.type = SOCK_STREAM; /* each address once; all kinds go to any of them */
	if (conf->unconnected && conf->kind != LOAD_UDP_STREAM)
		return bad("", "unconnected", "of --udp-stream alone", e);
	if (conf->kind == LOAD_HTTP &&
		(path[0] != '/' || strpbrk(path, " \r\n\t") || strlen(path) > 4096))
		return bad(path, "path", "form: /a/b", e);
	if (conf->kind >= LOAD_UDP_RR && conf->kind != LOAD_HTTP && conf->size > 65507)
		return bad("65508 or more", "size", "a datagram has at most 65507 bytes", e);
	return stack_check(app, NULL, e);
}

static int run(struct app *app, void *arg)
{
	return prog_main(app, &load_prog_ops, &((struct options *)arg)->conf);
}

const struct plx_cmd cmd_load = {
	.name = "load",
	.summary = "make load by TCP, UDP or HTTP, and measure",
	.text = "Clients that talk to one server as fast as it answers, or send as fast as it "
		"reads, "
		"and\n"
		"tell how long answers took. A port is busy for a minute when a connection ends by "
		"us\n"
		"first: with --src there are as many ports for each address. A name is looked for "
		"once,\n"
		"at the start.\n"
		"\n"
		"Examples:\n"
		"  pollux ... -- load --if 0,addr=10.9.0.1/24 --tcp-rr 10.9.0.2:7 --conns 100 "
		"--for 5\n"
		"  pollux ... -- load --if 0,addr=10.9.0.1/24 --http 10.9.0.2:80 --path /a.html "
		"\\\n"
		"    --conns 100 --for 5 --json\n"
		"  pollux ... -- load --if 0,addr=10.9.0.1/24 --tcp-crr 10.9.0.2:7 --conns 50 \\\n"
		"    --src 10.9.0.100-10.9.0.199 --close reset --for 5",
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.stack = true,
	.check = check,
	.run = run,
};
