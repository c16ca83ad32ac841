/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>

#include "service.h"

/* echo, discard, chargen: one command each. */

struct options {
	const char *listen;
	struct service_conf conf;
};

static const struct opt opts[] = {
	{"listen", "[ADDR:]PORT", OPT_STR, offsetof(struct options, listen), NULL,
		"where, by TCP and UDP; otherwise on the port of old: echo 7, discard 9, chargen "
		"19"},
	{NULL},
};

static const struct endpoint of_old[] = {
	[SERVICE_ECHO] = {.port = 7},
	[SERVICE_DISCARD] = {.port = 9},
	[SERVICE_CHARGEN] = {.port = 19},
};

static enum service_kind kind_of(const struct plx_cmd *cmd)
{
	if (cmd == &cmd_echo)
		return SERVICE_ECHO;
	return cmd == &cmd_discard ? SERVICE_DISCARD : SERVICE_CHARGEN;
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	struct options *o = arg;
	struct service_conf *conf = &o->conf;

	conf->kind = kind_of(app->cmd);
	conf->listen = of_old[conf->kind];
	if (o->listen &&
		endpoint_listen(&conf->listen, app->cmd->name, "listen", o->listen, e) != 0)
		return -EINVAL;
	return stack_check(app, NULL, e);
}

static int run(struct app *app, void *arg)
{
	return prog_main(app, &service_ops, &((struct options *)arg)->conf);
}

/* What the three have in common. */
#define SERVICE                                                                                    \
	.opts = opts, .conf_bytes = sizeof(struct options), .idle = PLX_IDLE_SLEEP, .runs = true,  \
	.stack = true, .check = check, .run = run

const struct plx_cmd cmd_echo = {
	.name = "echo",
	.summary = "send back what comes, by TCP and UDP",
	.text = "Sends back what comes (RFC 862), with sockets on each lcore. 'up --tcp-echo' does "
		"it\n"
		"without them.\n"
		"\n"
		"Example:\n"
		"  pollux ... -- echo --port v=vtap,iface=plx0 --if v,addr=10.9.0.2/24",
	SERVICE,
};

const struct plx_cmd cmd_discard = {
	.name = "discard",
	.summary = "read what comes and forget it, by TCP and UDP",
	.text = "Reads what comes and forgets it (RFC 863): where 'load --tcp-stream' goes to.\n"
		"\n"
		"Example:\n"
		"  pollux ... -- discard --if 0,addr=10.9.0.2/24",
	SERVICE,
};

const struct plx_cmd cmd_chargen = {
	.name = "chargen",
	.summary = "send lines of characters, by TCP and UDP",
	.text = "Sends lines of 72 characters for as long as somebody reads (RFC 864). A datagram\n"
		"is answered by one that is no longer, so that nobody can be flooded through it.\n"
		"\n"
		"Example:\n"
		"  pollux ... -- chargen --if 0,addr=10.9.0.2/24",
	SERVICE,
};
