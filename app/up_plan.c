/* SPDX-License-Identifier: BSD-3-Clause */
#include "up.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Where the values of key=value lists come from: the command line's words, or a file's lines made
 * into them. */

static int bad_if(const struct up_if *f, const char *why, struct plx_error *e)
{
	return plx_error_set(e, -EINVAL, PLX_ERR_IF_SPEC, f->text, why);
}

static bool is_gateway(struct plx_addr *a, const char *text)
{
	return plx_addr_parse(a, text) == 0 && !plx_addr_is_any(a) && !plx_addr_is_mcast(a);
}

static int if_key(struct up_if *f, const char *key, const char *value, struct plx_error *e)
{
	uint32_t n;

	if (strcmp(key, "addr") == 0) {
		if (f->n_addr == UP_ADDRS)
			return bad_if(f, "more than 16 addresses", e);
		if (plx_prefix_parse(&f->addr[f->n_addr], value) != 0 || !strchr(value, '/'))
			return plx_error_set(e, -EINVAL, PLX_ERR_ADDR_BAD, value,
				"not an address with its prefix length");
		f->n_addr++;
		return 0;
	}
	if (strcmp(key, "gw") == 0) {
		if (!is_gateway(&f->gw[f->n_gw == 2 ? 1 : f->n_gw], value))
			return plx_error_set(
				e, -EINVAL, PLX_ERR_ADDR_BAD, value, "not an address of a gateway");
		if (f->n_gw == 2 ||
			(f->n_gw == 1 && plx_addr_is_v4(&f->gw[0]) == plx_addr_is_v4(&f->gw[1])))
			return bad_if(f, "more than one gateway of a family", e);
		f->n_gw++;
		return 0;
	}
	if (strcmp(key, "group") == 0) {
		if (f->n_group == UP_GROUPS)
			return bad_if(f, "more than 16 groups", e);
		if (plx_addr_parse(&f->group[f->n_group], value) != 0 ||
			!plx_addr_is_mcast(&f->group[f->n_group]))
			return plx_error_set(
				e, -EINVAL, PLX_ERR_ADDR_BAD, value, "not a multicast address");
		f->n_group++;
		return 0;
	}
	if (strcmp(key, "mtu") == 0) {
		if (!opt_u32(value, 68, 65535, &n))
			return bad_if(f, "mtu must be 68 to 65535", e);
		f->mtu = (uint16_t)n;
		return 0;
	}
	if (strcmp(key, "vlan") == 0) {
		if (!opt_u32(value, 1, 4094, &n))
			return bad_if(f, "vlan must be 1 to 4094", e);
		f->vlan = (uint16_t)n;
		return 0;
	}
	return bad_if(f, "unknown key: there are addr, gw, group, mtu and vlan", e);
}

int up_parse_if(struct up_plan *plan, const char *text, struct plx_error *e)
{
	struct up_if *f = &plan->ifs[plan->n_if];
	char copy[sizeof(f->text)], *at = copy, *word;

	if (plan->n_if == UP_IFS || strlen(text) >= sizeof(f->text))
		return plx_error_set(
			e, -E2BIG, PLX_ERR_IF_SPEC, text, "too many interfaces, or too long");
	memset(f, 0, sizeof(*f));
	strcpy(f->text, text);
	strcpy(copy, text);
	word = strsep(&at, ",");
	if (*word == '\0' || strchr(word, '=') || strlen(word) >= sizeof(f->port))
		return bad_if(f, "the port, by number or name, must come first", e);
	strcpy(f->port, word);
	while ((word = strsep(&at, ","))) {
		char *value = strchr(word, '=');
		int err;

		if (!value)
			return bad_if(f, "a key without a value", e);
		*value++ = '\0';
		err = if_key(f, word, value, e);
		if (err)
			return err;
	}
	plan->n_if++;
	return 0;
}

int up_parse_route(struct up_plan *plan, const char *text, struct plx_error *e)
{
	struct up_route *r = &plan->routes[plan->n_route];
	char copy[sizeof(r->text)], *at = copy, *word;
	bool via = false;

	if (plan->n_route == UP_ROUTES || strlen(text) >= sizeof(r->text))
		return plx_error_set(
			e, -E2BIG, PLX_ERR_ROUTE_SPEC, text, "too many routes, or too long");
	memset(r, 0, sizeof(*r));
	strcpy(r->text, text);
	strcpy(copy, text);
	word = strsep(&at, ",");
	if (plx_prefix_parse(&r->dst, word) != 0)
		return plx_error_set(e, -EINVAL, PLX_ERR_ROUTE_SPEC, text, "not a prefix");
	while ((word = strsep(&at, ","))) {
		if (strncmp(word, "via=", 4) == 0 && plx_addr_parse(&r->via, word + 4) == 0) {
			via = !plx_addr_is_any(&r->via); /* none, as Linux's tools write it */
		} else if (strncmp(word, "if=", 3) == 0 && strlen(word + 3) < sizeof(r->iface)) {
			strcpy(r->iface, word + 3);
		} else {
			return plx_error_set(e, -EINVAL, PLX_ERR_ROUTE_SPEC, text,
				"after the prefix come via=ADDRESS and if=NAME");
		}
	}
	if (!via && !r->iface[0])
		return plx_error_set(
			e, -EINVAL, PLX_ERR_ROUTE_SPEC, text, "neither a gateway nor an interface");
	plan->n_route++;
	return 0;
}

int up_parse_sysctl(struct up_plan *plan, const char *text, struct plx_error *e)
{
	struct up_sysctl *s = &plan->sysctl[plan->n_sysctl];
	const char *eq = strchr(text, '=');
	struct plx_tunables check;
	char name[128], hint[128], *end;
	int id;

	if (plan->n_sysctl == UP_SYSCTLS)
		return plx_error_set(e, -E2BIG, PLX_ERR_OPTION_VALUE, plan->cmd, text, "sysctl",
			"there are 64 tunables at most");
	if (!eq || (size_t)(eq - text) >= sizeof(name))
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, plan->cmd, text, "sysctl",
			"form: NAME=VALUE");
	memcpy(name, text, (size_t)(eq - text));
	name[eq - text] = '\0';
	id = plx_tunable_find(name);
	if (id < 0)
		return plx_error_set(e, -ENOENT, PLX_ERR_OPTION_VALUE, plan->cmd, text, "sysctl",
			"no such tunable; doc/guide/sysctl.md lists them");
	s->id = (enum plx_tunable)id;
	s->value = strtoll(eq + 1, &end, 10);
	plx_tunables_init(&check);
	if (eq[1] == '\0' || *end != '\0' || plx_tunable_set(&check, s->id, s->value) != 0) {
		snprintf(hint, sizeof(hint), "give a number from %" PRId64 " to %" PRId64,
			plx_tunable_info[id].min, plx_tunable_info[id].max);
		return plx_error_set(
			e, -ERANGE, PLX_ERR_OPTION_VALUE, plan->cmd, text, "sysctl", hint);
	}
	plan->n_sysctl++;
	return 0;
}

const char *const up_kind_name[UP_KINDS] = {
	[UP_UDP_ECHO] = "udp-echo",
	[UP_UDP_SINK] = "udp-sink",
	[UP_TCP_ECHO] = "tcp-echo",
	[UP_TCP_SINK] = "tcp-sink",
	[UP_TCP_SOURCE] = "tcp-source",
};

int up_parse_service(struct up_plan *plan, enum up_kind kind, const char *text, struct plx_error *e)
{
	struct up_service *s = &plan->service[plan->n_service];
	uint32_t port;

	if (plan->n_service == UP_SERVICES)
		return plx_error_set(e, -E2BIG, PLX_ERR_OPTION_VALUE, plan->cmd, text,
			up_kind_name[kind], "there are 32 services at most");
	if (!opt_u32(text, 1, 65535, &port))
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, plan->cmd, text,
			up_kind_name[kind], "give a number from 1 to 65535");
	*s = (struct up_service){.port = (uint16_t)port, .kind = (uint8_t)kind};
	for (uint32_t i = 0; i < plan->n_service; i++)
		if (plan->service[i].port == port && up_is_tcp(&plan->service[i]) == up_is_tcp(s))
			return plx_error_set(e, -EADDRINUSE,
				up_is_tcp(s) ? PLX_ERR_TCP_PORT_IN_USE : PLX_ERR_UDP_PORT_IN_USE,
				port);
	plan->n_service++;
	return 0;
}

int up_plan(const char *cmd, const struct stack_conf *conf, const struct up_conf *services,
	struct up_plan *plan, struct plx_error *e)
{
	int err = 0;

	memset(plan, 0, sizeof(*plan));
	plan->cmd = cmd;
	if (conf->file)
		err = up_config_read(conf->file, plan, e);
	if (!services)
		plan->n_service = 0;
	for (unsigned int i = 0; !err && i < conf->ifs.n; i++)
		err = up_parse_if(plan, conf->ifs.v[i], e);
	for (unsigned int i = 0; !err && i < conf->routes.n; i++)
		err = up_parse_route(plan, conf->routes.v[i], e);
	for (unsigned int i = 0; !err && i < conf->sysctl.n; i++)
		err = up_parse_sysctl(plan, conf->sysctl.v[i], e);
	for (unsigned int i = 0; !err && i < conf->rps.n; i++)
		err = up_parse_rps(plan, conf->rps.v[i], e);
	for (int k = 0; services && k < UP_KINDS; k++)
		for (unsigned int i = 0; !err && i < services->service[k].n; i++)
			err = up_parse_service(plan, (enum up_kind)k, services->service[k].v[i], e);
	if (!err && plan->n_if == 0)
		err = plx_error_set(e, -EINVAL, PLX_ERR_OPTION_MISSING, cmd, "--if", cmd);
	return err;
}
