/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>

#include "up.h"

static int check(struct app *app, void *conf, struct plx_error *e)
{
	if (app->n_operands > 0 && strcmp(app->operand[0], "check") != 0)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPERAND, "config", app->operand[0], "config");
	if (app->n_operands < 2)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPTION_MISSING, "config", "check FILE", "config");
	if (app->n_operands > 2)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPERAND, "config", app->operand[2], "config");
	return 0;
}

static int run(struct app *app, void *conf)
{
	const struct stack_conf c = {.file = app->operand[1]};
	const struct up_conf services = {0};
	static struct up_plan plan;
	struct plx_error e;

	if (up_plan("up", &c, &services, &plan, &e) != 0)
		return app_fail(&e);
	fprintf(app->out, "%s: %u interfaces, %u routes, %u services, %u tunables", c.file,
		plan.n_if, plan.n_route, plan.n_service, plan.n_sysctl);
	if (plan.resolver.n_server)
		fprintf(app->out, ", %u name servers", plan.resolver.n_server);
	fputc('\n', app->out);
	return APP_OK;
}

const struct plx_cmd cmd_config = {
	.name = "config",
	.operands = "check FILE",
	.summary = "check a file for 'up --config'",
	.text = "Reads the file as 'up --config FILE' would and says what is wrong, or what is in "
		"it.\n"
		"\n"
		"The file has the keys of up's options:\n"
		"  [if 0]\n"
		"  addr = 10.9.0.2/24\n"
		"  addr = fd00:9::2/64\n"
		"  gw = 10.9.0.1\n"
		"  [if 0.5]              ; VLAN 5 on the same port\n"
		"  addr = 10.5.0.2/24\n"
		"  [up]\n"
		"  route = 10.7.0.0/16,via=10.9.0.9\n"
		"  udp-echo = 7\n"
		"  sysctl = net.ipv4.ip_forward=1\n"
		"  [resolver]            ; of commands that take names\n"
		"  nameserver = 10.9.0.1\n"
		"\n"
		"Example:\n"
		"  pollux -- config check host.ini",
	.no_eal = true,
	.check = check,
	.run = run,
};
