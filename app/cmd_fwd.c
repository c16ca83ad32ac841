/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

static const char *const mode_names[] = {"io", NULL};

struct fwd_conf {
	uint32_t mode;
};

static const struct opt opts[] = {
	{"mode", "MODE", OPT_CHOICE, offsetof(struct fwd_conf, mode), "io",
		"what to do with a packet", .choices = mode_names},
	{NULL},
};

/** Where packets of a port go. */
static uint16_t peer[PLX_PORT_MAX];

static void io(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_softnet_tx_burst(sn, peer[q->port->id], pkts, n);
}

static void backlog(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	plx_pkt_drop_bulk(pkts, n, PLX_DROP_SINK);
}

static void timer(struct plx_softnet *sn, struct plx_timer *t)
{
}

static const struct app_run_ops ops = {
	.engine = {.rx = io, .backlog = backlog, .timer = timer},
};

static int run(struct app *app, void *arg)
{
	const struct fwd_conf *conf = arg;
	struct app_run r = {
		.app = app, .ops = &ops, .mode = mode_names[conf->mode], .conf = {.promisc = true}};
	uint16_t n = plx_port_count();

	for (uint16_t i = 0; i < n; i++)
		peer[i] = (i ^ 1) < n ? i ^ 1 : i;
	return app_run(&r);
}

const struct plx_cmd cmd_fwd = {
	.name = "fwd",
	.summary = "forward between ports: the counterparts of testpmd's engines",
	.text = "Forwards.",
	.opts = opts,
	.conf_bytes = sizeof(struct fwd_conf),
	.runs = true,
	.run = run,
};
