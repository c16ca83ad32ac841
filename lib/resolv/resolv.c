/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A resolver's life: files are read, and each lcore gets a program that talks to name servers. */

#define FILE_CONF  "/etc/resolv.conf"
#define FILE_HOSTS "/etc/hosts"

static struct resolv_lcore *lcores[RTE_MAX_LCORE];
static struct plx_resolv *first;

struct resolv_lcore *resolv__self(void)
{
	unsigned int id = rte_lcore_id();

	return id < RTE_MAX_LCORE ? lcores[id] : NULL;
}

struct plx_resolv *resolv__first(void)
{
	return first;
}

/* ---- the program of an lcore ---- */

/* Without memory for it names are looked for in the hosts file alone. */
static int start(struct plx_softnet *sn, void *arg)
{
	struct resolv_lcore *rl = arg;

	rl->dns = resolv__dns_new(rl);
	return 0;
}

static plx_ns run(struct plx_softnet *sn, void *arg)
{
	const struct resolv_lcore *rl = arg;

	return rl->dns ? resolv__dns_run(rl->dns, plx_sock_now()) : PLX_NEVER;
}

/* ---- life ---- */

static int read_files(struct plx_resolv *r, const struct plx_resolv_conf *conf)
{
	FILE *f = fopen(conf->file ? conf->file : FILE_CONF, "re");
	int err;

	resolv__conf_read(&r->conf, f);
	if (f)
		fclose(f);
	f = fopen(conf->hosts ? conf->hosts : FILE_HOSTS, "re");
	err = resolv__hosts_read(&r->hosts, f);
	if (f)
		fclose(f);
	return err ? err : resolv__conf_override(&r->conf, conf);
}

static void add_lcore(struct plx_resolv *r, struct plx_sock *s, uint16_t i)
{
	struct resolv_lcore *rl = &r->lcore[i];

	*rl = (struct resolv_lcore){.r = r,
		.sn = plx_engine_softnet(plx_net_engine(r->net), i),
		.program = {.start = start, .run = run, .arg = rl}};
	lcores[rl->sn->lcore] = rl;
	plx_sock_program_add(s, i, &rl->program);
}

struct plx_resolv *plx_resolv_create(struct plx_net *net, struct plx_sock *s,
	const struct plx_resolv_conf *conf, struct plx_error *e)
{
	struct plx_resolv *r = calloc(1, sizeof(*r));
	int err = r ? read_files(r, conf) : -ENOMEM;

	if (err) {
		free(r);
		plx_error_set(e, err, PLX_ERR_RUN, "the resolver",
			err == -EINVAL ? "a bad name server or domain" : strerror(-err));
		return NULL;
	}
	r->net = net;
	r->n = plx_engine_lcores(plx_net_engine(net));
	for (uint16_t i = 0; i < r->n; i++)
		add_lcore(r, s, i);
	if (!first)
		first = r;
	return r;
}

void plx_resolv_destroy(struct plx_resolv *r)
{
	if (!r)
		return;
	r->closed = true;
	for (uint16_t i = 0; i < r->n; i++) {
		struct resolv_lcore *rl = &r->lcore[i];

		resolv__end_all(rl);
		if (rl->dns)
			resolv__dns_free(rl->dns);
		lcores[rl->sn->lcore] = NULL;
	}
	if (first == r)
		first = NULL;
	resolv__hosts_free(&r->hosts);
	free(r);
}

const char *plx_resolv_server(const struct plx_resolv *r, unsigned int i)
{
	return i < r->conf.n_server ? r->conf.server[i] : NULL;
}
