/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <rte_lcore.h>

/*
 * The ports of a command line and what a run would do with them. Nothing is opened.
 */

/* A port that nobody opened has no link: what its driver says of it then means nothing. */
static const char link_unknown[] = "unknown";

/** One row: numbers and texts of a port. */
struct row {
	struct plx_port *port;
	struct plx_place place;
	char mac[PLX_MAC_STRLEN];
	char lcores[128];
};

/* The EAL lcore that the engine gives an index to. */
static unsigned int lcore_at(uint16_t index)
{
	unsigned int lcore;

	RTE_LCORE_FOREACH(lcore)
	if (index-- == 0)
		break;
	return lcore;
}

static void describe(struct row *r, struct plx_port *p, const struct plx_place *place)
{
	uint16_t lcores = (uint16_t)PLX_MIN(rte_lcore_count(), (unsigned int)PLX_ENGINE_LCORES_MAX);
	size_t n = 0;

	*r = (struct row){.port = p, .place = *place};
	plx_mac_format(&p->mac, r->mac);
	for (uint16_t q = 0; q < place->queues && n < sizeof(r->lcores) - 12; q++)
		n += (size_t)snprintf(r->lcores + n, sizeof(r->lcores) - n, "%s%u", q ? "," : "",
			lcore_at((uint16_t)((place->first + q) % lcores)));
}

static void print(const struct row *r, FILE *out)
{
	const struct plx_port *p = r->port;
	char queues[24];
	const struct plx_quirk *q;
	unsigned int i = 0;

	snprintf(queues, sizeof(queues), "%u of %u", r->place.queues, plx_port_max_queues(p));
	fprintf(out, "%-4u %-16s %-14s %-17s %-12s %-10s %s\n", p->id, p->name, p->caps.driver,
		r->mac, link_unknown, queues, r->lcores);
	fprintf(out, "     features:");
	for (int f = 0; f < PLX_PORT_FBIT_MAX; f++)
		if (p->caps.features & 1u << f)
			fprintf(out, " %s", plx_port_feature_info[f].name);
	fprintf(out, "\n");
	if (p->steer_why)
		fprintf(out, "     flows are steered in software: %s\n", p->steer_why);
	while ((q = plx_quirk_next(p->caps.driver, &i)))
		if (p->quirks & q->flags)
			fprintf(out, "     quirk: %s\n", q->text);
}

static json_t *object(const struct row *r)
{
	const struct plx_port *p = r->port;
	json_t *features = json_array(), *quirks = json_array();
	const struct plx_quirk *q;
	unsigned int i = 0;

	for (int f = 0; f < PLX_PORT_FBIT_MAX; f++)
		if (p->caps.features & 1u << f)
			json_array_append_new(features, json_string(plx_port_feature_info[f].name));
	while ((q = plx_quirk_next(p->caps.driver, &i)))
		if (p->quirks & q->flags)
			json_array_append_new(quirks, json_string(q->text));
	return json_pack("{s:i,s:s,s:s,s:s,s:i,s:s,s:i,s:i,s:s,s:o,s:s?,s:o}", "port", p->id,
		"name", p->name, "driver", p->caps.driver, "mac", r->mac, "mtu", p->mtu, "link",
		link_unknown, "queues", r->place.queues, "max_queues", plx_port_max_queues(p),
		"lcores", r->lcores, "features", features, "software_steering", p->steer_why,
		"quirks", quirks);
}

static int run(struct app *app, void *conf)
{
	struct plx_place place[PLX_PORT_MAX];
	uint16_t n = plx_port_count();
	struct plx_error e;
	struct row r;

	if (n == 0) {
		plx_error_set(&e, -1, PLX_ERR_NO_PORTS);
		return app_fail(&e);
	}
	plx_engine_place((uint16_t)rte_lcore_count(), (uint16_t)app->common.queues, place);
	if (!app->common.json)
		fprintf(app->out, "%-4s %-16s %-14s %-17s %-12s %-10s %s\n", "port", "name",
			"driver", "MAC", "link", "queues", "lcores");
	for (uint16_t i = 0; i < n; i++) {
		describe(&r, plx_port_get(i), &place[i]);
		if (app->common.json)
			report_json(app, object(&r));
		else
			print(&r, app->out);
	}
	return APP_OK;
}

/* The drivers that are compiled in: known at run time only. */
static void help_drivers(FILE *out)
{
	const struct plx_port_driver *d = NULL;

	fprintf(out, "\nDrivers of --port NAME=DRIVER[,KEY=VALUE...]:\n");
	while ((d = plx_port_driver_next(d)))
		opt_help_row(d->name, d->help, out);
}

const struct plx_cmd cmd_ports = {
	.name = "ports",
	.summary = "list the ports of a command line: drivers, queues, features, quirks",
	.text = "Lists the ports that the command line makes and what a run would do with them:\n"
		"how many queues of each it would use and which lcore polls them. Opens nothing,\n"
		"so that links are unknown; 'pollux-ctl ports' sees those of a run.\n"
		"With --json: one object a port.\n"
		"\n"
		"Examples:\n"
		"  pollux --no-huge --no-pci --vdev=net_null0 -- ports\n"
		"  pollux --no-huge --no-pci --vdev=net_tap0,iface=plx0 -l 0-1 -- ports --json",
	.more_help = help_drivers,
	.run = run,
};
