/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"

#include <errno.h>
#include <string.h>

#define SETTLE_MAX  PLX_SEC(5) /* duplicate address detection takes two seconds at most */
#define SETTLE_STEP PLX_MS(10)

int names_conf_check(const char *cmd, const struct names_conf *conf, struct plx_error *e)
{
	int err = 0;

	for (unsigned int i = 0; i < conf->server.n && !err; i++)
		err = up_resolver_check(cmd, "nameserver", conf->server.v[i], i, e);
	for (unsigned int i = 0; i < conf->search.n && !err; i++)
		err = up_resolver_check(cmd, "search", conf->search.v[i], i, e);
	return err;
}

int names_check_operands(
	struct app *app, const struct names_conf *conf, unsigned int max, struct plx_error *e)
{
	const char *cmd = app->cmd->name;
	int err;

	if (app->n_operands == 0)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPTION_MISSING, cmd, app->cmd->operands, cmd);
	if (app->n_operands > max)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPERAND, cmd, app->operand[max], cmd);
	err = names_conf_check(cmd, conf, e);
	return err ? err : stack_check(app, NULL, e);
}

int names_check(struct app *app, void *conf, struct plx_error *e)
{
	return names_check_operands(app, conf, 1, e);
}

int names_main(struct app *app, const struct prog_ops *ops, struct names_run *n,
	const struct names_conf *conf)
{
	FILE *out = app->out, *nowhere = NULL;
	int code;

	n->app = app;
	n->conf = conf;
	n->code = APP_FAILED;
	n->out = app->common.json ? NULL : out;
	if (n->out)
		nowhere = fopen("/dev/null", "we");
	if (nowhere)
		app->out = nowhere;
	code = prog_main(app, ops, n);
	if (nowhere)
		fclose(nowhere);
	app->out = out;
	return code;
}

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

/* What the command line says stands in place of what the file does. */
struct plx_resolv *names_resolver(
	struct stack *s, const struct names_conf *conf, struct plx_error *e)
{
	const struct up_resolver *r = &s->plan.resolver;
	struct plx_resolv_conf c = {.file = conf->file ? conf->file : or_null(r->file),
		.hosts = conf->hosts ? conf->hosts : or_null(r->hosts)};
	bool servers = conf->server.n, search = conf->search.n;

	for (unsigned int i = 0; i < (servers ? conf->server.n : r->n_server); i++)
		c.server[i] = servers ? conf->server.v[i] : r->server[i];
	for (unsigned int i = 0; i < (search ? conf->search.n : r->n_search); i++)
		c.search[i] = search ? conf->search.v[i] : r->search[i];
	return plx_resolv_create(s->net, s->sock, &c, e);
}

int names_prepare(struct stack *s, struct plx_error *e)
{
	struct names_run *n = prog_arg(s);

	n->stack = s;
	n->resolv = names_resolver(s, n->conf, e);
	return n->resolv ? 0 : -EINVAL;
}

void names_finish(struct stack *s)
{
	struct names_run *n = prog_arg(s);

	plx_resolv_cancel(&n->query);
	plx_resolv_destroy(n->resolv);
}

static bool settled(struct plx_net *net)
{
	struct plx_net_addr a;
	uint32_t cursor = 0;

	while (plx_net_addr_next(net, &cursor, &a))
		if (a.state == PLX_NET_ADDR_TENTATIVE)
			return false;
	return true;
}

bool names_ready(struct prog *p, plx_ns *next)
{
	struct names_run *n = p->arg;

	*next = PLX_NEVER;
	if (p->sn->index != 0 || n->over) /* the first is the control lcore: it knows addresses */
		return false;
	if (n->settled)
		return true;
	if (!n->give_up_ns)
		n->give_up_ns = p->now + SETTLE_MAX;
	n->settled = settled(n->stack->net) || p->now >= n->give_up_ns;
	*next = p->now + SETTLE_STEP;
	return n->settled;
}

void names_end(struct names_run *n, int code)
{
	n->over = true;
	n->code = code;
	app_run_stop(n->stack->run);
}

void names_fail(struct names_run *n, const char *what, const char *why)
{
	app_note("%s: %s: %s", n->app->cmd->name, what, why);
	names_end(n, APP_FAILED);
}

const char *names_error(int err)
{
	return err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err);
}
