/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What holds for each item of a plan of `up`, wherever its text came from: its values are within
 * bounds, and written out they read the same.
 */
#include <inttypes.h>
#include <stdio.h>

#include "../../app/up.h"
#include "fuzz.h"

static inline void refused(int err, const struct plx_error *e)
{
	must(err < 0 && *e->text && *e->remedy);
	must(!strpbrk(e->text, "\n\x1f") && !strpbrk(e->remedy, "\n\x1f"));
}

static inline void if_reads_the_same(const struct up_if *f)
{
	static struct up_plan again;
	const struct up_if *g = &again.ifs[0];
	char text[8192], addr[PLX_PREFIX_STRLEN];
	int n = snprintf(text, sizeof(text), "%s", f->port);
	struct plx_error e;

	must(*f->port && !strpbrk(f->port, ",="));
	for (uint32_t i = 0; i < f->n_addr; i++)
		n += sprintf(text + n, ",addr=%s", plx_prefix_format(&f->addr[i], addr));
	for (uint32_t i = 0; i < f->n_gw; i++) {
		must(!plx_addr_is_any(&f->gw[i]) && !plx_addr_is_mcast(&f->gw[i]));
		n += sprintf(text + n, ",gw=%s", plx_addr_format(&f->gw[i], addr));
	}
	for (uint32_t i = 0; i < f->n_group; i++)
		n += sprintf(text + n, ",group=%s", plx_addr_format(&f->group[i], addr));
	if (f->mtu)
		n += sprintf(text + n, ",mtu=%u", f->mtu);
	if (f->vlan)
		n += sprintf(text + n, ",vlan=%u", f->vlan);
	if ((size_t)n >= sizeof(f->text)) /* a short text's addresses at their longest */
		return;
	again.n_if = 0;
	must(up_parse_if(&again, text, &e) == 0 && again.n_if == 1);
	must(strcmp(f->port, g->port) == 0 && f->mtu == g->mtu && f->vlan == g->vlan);
	must(f->n_addr == g->n_addr && f->n_gw == g->n_gw && f->n_group == g->n_group);
	must(!memcmp(f->addr, g->addr, sizeof(f->addr)) && !memcmp(f->gw, g->gw, sizeof(f->gw)));
	must(!memcmp(f->group, g->group, sizeof(f->group)));
}

static inline void route_reads_the_same(const struct up_route *r)
{
	static struct up_plan again;
	const struct up_route *s = &again.routes[0];
	char text[512], addr[PLX_PREFIX_STRLEN];
	int n = sprintf(text, "%s", plx_prefix_format(&r->dst, addr));
	struct plx_error e;

	must(!plx_addr_is_any(&r->via) || r->iface[0]);
	if (!plx_addr_is_any(&r->via))
		n += sprintf(text + n, ",via=%s", plx_addr_format(&r->via, addr));
	if (r->iface[0])
		n += sprintf(text + n, ",if=%s", r->iface);
	if ((size_t)n >= sizeof(r->text))
		return;
	again.n_route = 0;
	must(up_parse_route(&again, text, &e) == 0 && again.n_route == 1);
	must(r->dst.len == s->dst.len && plx_addr_eq(&r->dst.addr, &s->dst.addr));
	must(plx_addr_is_any(&r->via) || plx_addr_eq(&r->via, &s->via));
	must(strcmp(r->iface, s->iface) == 0);
}

static inline void resolver_holds(const struct up_resolver *r)
{
	must(r->n_server <= UP_SERVERS && r->n_search <= UP_SEARCH);
	for (uint32_t i = 0; i < r->n_server; i++)
		must(r->server[i][0] && strlen(r->server[i]) < sizeof(r->server[0]));
	for (uint32_t i = 0; i < r->n_search; i++)
		must(r->search[i][0] && strlen(r->search[i]) < sizeof(r->search[0]));
}

static inline void plan_holds(const struct up_plan *p)
{
	must(p->n_if <= UP_IFS && p->n_route <= UP_ROUTES && p->n_sysctl <= UP_SYSCTLS);
	must(p->n_service <= UP_SERVICES);
	resolver_holds(&p->resolver);
	for (uint32_t i = 0; i < p->n_if; i++)
		if_reads_the_same(&p->ifs[i]);
	for (uint32_t i = 0; i < p->n_route; i++)
		route_reads_the_same(&p->routes[i]);
	for (uint32_t i = 0; i < p->n_sysctl; i++) {
		const struct plx_tunable_info *info = &plx_tunable_info[p->sysctl[i].id];

		must(p->sysctl[i].value >= info->min && p->sysctl[i].value <= info->max);
	}
	for (uint32_t i = 0; i < p->n_service; i++) {
		must(p->service[i].port);
		for (uint32_t j = 0; j < i; j++) /* UDP and TCP have ports of their own */
			must(p->service[i].port != p->service[j].port ||
				up_is_tcp(&p->service[i]) != up_is_tcp(&p->service[j]));
	}
}
