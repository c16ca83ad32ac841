/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>

#include "proxy.h"

struct options {
	const char *listen, *to;
};

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"listen", "[ADDR:]PORT", OPT_STR, FIELD(listen), NULL, "where to listen"},
	{"to", "ADDR:PORT", OPT_STR, FIELD(to), NULL, "where connections go on to"},
	{NULL},
};

static int conf_of(const struct options *o, struct proxy_conf *conf, struct plx_error *e)
{
	const char *missing = !o->listen ? "--listen" : !o->to ? "--to" : NULL;

	if (missing)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_MISSING, "proxy", missing, "proxy");
	if (endpoint_parse(&conf->listen, o->listen) != 0)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "proxy", o->listen, "listen",
			"form: 80, 10.9.0.2:80 or [fd00:9::2]:80");
	if (endpoint_parse(&conf->to, o->to) != 0 || plx_addr_is_any(&conf->to.addr))
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "proxy", o->to, "to",
			"form: 10.9.0.2:80 or [fd00:9::2]:80");
	return 0;
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	struct proxy_conf conf;
	int err = conf_of(arg, &conf, e);

	return err ? err : stack_check(app, NULL, e);
}

static int run(struct app *app, void *arg)
{
	struct proxy_conf conf;
	struct plx_error e;

	if (conf_of(arg, &conf, &e) != 0)
		return app_fail(&e);
	return prog_main(app, &proxy_ops, &conf);
}

const struct plx_cmd cmd_proxy = {
	.name = "proxy",
	.summary = "pass TCP connections on to another server",
	.text = "Accepts connections and makes another one for each: what comes by one goes out by "
		"the\n"
		"other, both ways. An end of stream is passed on, so is a reset, and a slow reader "
		"slows\n"
		"down the sender.\n"
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
