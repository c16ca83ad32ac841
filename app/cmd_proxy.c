/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>

#include "proxy.h"

struct options {
	const char *listen, *to;
	struct proxy_conf conf; /* what they say */
};

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"listen", "[ADDR:]PORT", OPT_STR, FIELD(listen), NULL, "where to listen"},
	{"to", "HOST:PORT", OPT_STR, FIELD(to), NULL,
		"where connections go on to, by address or name"},
	NAMES_OPTS(FIELD(conf.to.names)),
	{NULL},
};

static int check(struct app *app, void *arg, struct plx_error *e)
{
	struct options *o = arg;
	const char *missing = !o->listen ? "--listen" : !o->to ? "--to" : NULL;

	if (missing)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_MISSING, "proxy", missing, "proxy");
	if (endpoint_listen(&o->conf.listen, "proxy", "listen", o->listen, e) != 0 ||
		endpoint_target(&o->conf.to.to, "proxy", "to", o->to, e) != 0 ||
		names_conf_check("proxy", &o->conf.to.names, e) != 0)
		return -EINVAL;
	o->conf.to.type = SOCK_STREAM;
	return stack_check(app, NULL, e);
}

static int run(struct app *app, void *arg)
{
	return prog_main(app, &proxy_ops, &((struct options *)arg)->conf);
}

const struct plx_cmd cmd_proxy = {
	.name = "proxy",
	.summary = "pass TCP connections on to another server",
	.text = "Accepts connections and makes another one for each: what comes by one goes out by "
		"the\n"
		"other, both ways. An end of stream is passed on, so is a reset, and a slow reader "
		"slows\n"
		"down the sender. A name is looked for once, at the start.\n"
		"\n"
		"Example:\n"
		"  pollux ... -- proxy --if 0,addr=10.9.0.2/24 --listen 8080 --to 10.9.0.1:80",
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.stack = true,
	.check = check,
	.run = run,
};
