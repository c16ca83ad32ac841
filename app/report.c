/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <inttypes.h>

/*
 * Some drivers say "taken" where they mean "tried": what they then could not send is a drop of
 * theirs, not a packet transmitted.
 */
static void count_port(
	const struct plx_port *p, const struct plx_port_stats *s, struct app_counts *c)
{
	c->rx_bytes += s->rx_bytes;
	c->tx_bytes += s->tx_bytes;
	if (p->quirks & PLX_QUIRK_TX_LOSSY) {
		uint64_t lost = PLX_MIN(s->tx_errors, c->acct.tx_pkts);

		c->acct.tx_pkts -= lost;
		c->acct.drop[PLX_DROP_TX_ERROR] += lost;
	}
}

void report_counts(struct app_run *run, struct app_counts *c)
{
	struct plx_engine *eng = run->eng;

	memset(c, 0, sizeof(*c));
	plx_acct_sum(&c->acct);
	c->lcores = plx_engine_lcores(eng);
	for (uint16_t i = 0; i < c->lcores; i++) {
		const struct plx_softnet *sn = plx_engine_softnet(eng, i);

		c->lcore[i] = (struct app_lcore){
			.lcore = sn->lcore,
			.received = plx_count_read(sn->rx_pkts),
			.processed = plx_count_read(sn->processed),
			.handed = plx_count_read(sn->handed_pkts),
			.dropped = plx_count_read(sn->dropped),
			.time_squeeze = plx_count_read(sn->time_squeeze),
		};
		c->busy_cycles += plx_count_read(sn->busy_cycles);
		for (int r = 0; r < PLX_RES_MAX; r++)
			c->residency_ns[r] += plx_count_read(sn->residency_ns[r]);
	}
	for (uint16_t i = 0; i < run->n_ports; i++) {
		plx_port_stats(plx_port_get(i), &c->port[i]);
		count_port(plx_port_get(i), &c->port[i], c);
	}
	c->held = plx_engine_held(eng);
	if (run->ops->held)
		c->held += run->ops->held(run);
}

/** Rates between two counts. */
struct rates {
	double seconds, rx_mpps, tx_mpps, mpps, rx_gbps, tx_gbps, cycles, busy;
};

/* net_memif forgets its bytes when the peer goes: that is no traffic of exabytes. */
static double growth(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) : 0;
}

static void rates(const struct app_counts *a, const struct app_counts *b, struct rates *r)
{
	uint64_t rx = b->acct.rx_pkts - a->acct.rx_pkts, tx = b->acct.tx_pkts - a->acct.tx_pkts;
	double s = (double)(b->when_ns - a->when_ns) / 1e9;
	plx_ns busy = b->residency_ns[PLX_RES_BUSY] - a->residency_ns[PLX_RES_BUSY], all = 0;

	for (int i = 0; i < PLX_RES_MAX; i++)
		all += b->residency_ns[i] - a->residency_ns[i];
	*r = (struct rates){.seconds = s};
	if (s > 0) {
		r->rx_mpps = (double)rx / s / 1e6;
		r->tx_mpps = (double)tx / s / 1e6;
		r->rx_gbps = growth(a->rx_bytes, b->rx_bytes) * 8 / s / 1e9;
		r->tx_gbps = growth(a->tx_bytes, b->tx_bytes) * 8 / s / 1e9;
	}
	/* a source has no packets to receive: it is measured by what it sends */
	r->mpps = rx ? r->rx_mpps : r->tx_mpps;
	if (rx || tx)
		r->cycles = (double)(b->busy_cycles - a->busy_cycles) / (double)(rx ? rx : tx);
	if (all > 0)
		r->busy = (double)busy / (double)all;
}

void report_json(const struct app *app, json_t *o)
{
	json_dumpf(o, app->out, JSON_COMPACT | JSON_REAL_PRECISION(6));
	fputc('\n', app->out);
	fflush(app->out);
	json_decref(o);
}

static void set_u64(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

static json_t *drops(const struct plx_acct *a)
{
	json_t *o = json_object();

	for (int i = 0; i < PLX_DROP_MAX; i++)
		if (a->drop[i])
			set_u64(o, plx_drop_info[i].name, a->drop[i]);
	return o;
}

/* Under nstat's names: IpInReceives. */
static json_t *snmp(const struct plx_acct *a)
{
	json_t *o = json_object();
	char name[64];

	for (int i = 0; i < PLX_STAT_MAX; i++) {
		if (!a->stat[i])
			continue;
		snprintf(name, sizeof(name), "%s%s", plx_stat_info[i].group, plx_stat_info[i].name);
		set_u64(o, name, a->stat[i]);
	}
	return o;
}

static json_t *ports(const struct app_run *run, const struct app_counts *c)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < run->n_ports; i++) {
		const struct plx_port_stats *s = &c->port[i];
		json_t *o = json_pack("{s:i,s:s}", "port", i, "name", run->port_name[i]);

		set_u64(o, "rx_packets", s->rx_packets);
		set_u64(o, "tx_packets", s->tx_packets);
		set_u64(o, "rx_bytes", s->rx_bytes);
		set_u64(o, "tx_bytes", s->tx_bytes);
		set_u64(o, "rx_errors", s->rx_errors);
		set_u64(o, "tx_errors", s->tx_errors);
		set_u64(o, "rx_dropped", s->rx_dropped);
		set_u64(o, "tx_dropped", s->tx_dropped);
		set_u64(o, "rx_missed_errors", s->rx_missed_errors);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *lcores(const struct app_counts *c)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < c->lcores; i++) {
		const struct app_lcore *l = &c->lcore[i];
		json_t *o = json_pack("{s:i}", "lcore", (int)l->lcore);

		set_u64(o, "received", l->received);
		set_u64(o, "processed", l->processed);
		set_u64(o, "handed", l->handed);
		set_u64(o, "dropped", l->dropped);
		set_u64(o, "time_squeeze", l->time_squeeze);
		json_array_append_new(list, o);
	}
	return list;
}

/* Cumulative counters, and the rates since `from`. */
static json_t *object(
	struct app_run *run, const struct app_counts *from, const struct app_counts *c)
{
	json_t *captures = capture_json(run), *o;
	struct rates r;

	rates(from, c, &r);
	o = json_pack("{s:s,s:s,s:f}", "command", run->app->cmd->name, "mode", run->mode, "seconds",
		(double)c->when_ns / 1e9);
	set_u64(o, "rx_packets", c->acct.rx_pkts);
	set_u64(o, "tx_packets", c->acct.tx_pkts);
	set_u64(o, "originated", c->acct.originated_pkts);
	set_u64(o, "delivered", c->acct.delivered_pkts);
	set_u64(o, "held", c->held);
	json_object_set_new(o, "drops", drops(&c->acct));
	json_object_set_new(o, "snmp", snmp(&c->acct));
	json_object_set_new(o, "mpps", json_real(r.mpps));
	json_object_set_new(o, "rx_mpps", json_real(r.rx_mpps));
	json_object_set_new(o, "tx_mpps", json_real(r.tx_mpps));
	json_object_set_new(o, "rx_gbps", json_real(r.rx_gbps));
	json_object_set_new(o, "tx_gbps", json_real(r.tx_gbps));
	json_object_set_new(o, "cycles_per_packet", json_real(r.cycles));
	json_object_set_new(o, "busy", json_real(r.busy));
	set_u64(o, "tsc_hz", run->hz);
	json_object_set_new(o, "ports", ports(run, c));
	json_object_set_new(o, "lcores", lcores(c));
	if (captures)
		json_object_set_new(o, "captures", captures);
	return o;
}

static void text_rates(const struct app_run *run, const struct rates *r, double at)
{
	char cycles[24] = "-"; /* of no packets */

	if (r->mpps > 0)
		snprintf(cycles, sizeof(cycles), "%.0f", r->cycles);
	fprintf(run->app->out,
		"%8.1f s  rx %8.3f Mpps %7.2f Gb/s  tx %8.3f Mpps %7.2f Gb/s  "
		"%6s cycles/packet  busy %3.0f %%\n",
		at, r->rx_mpps, r->rx_gbps, r->tx_mpps, r->tx_gbps, cycles, r->busy * 100);
}

void report_interval(struct app_run *run)
{
	struct rates r;

	run->before = run->now;
	report_counts(run, &run->now);
	run->now.when_ns = app_run_elapsed(run);
	if (run->app->common.json) {
		json_t *o = object(run, &run->before, &run->now);

		if (run->ops->json)
			run->ops->json(run, o, false);
		report_json(run->app, o);
		return;
	}
	rates(&run->before, &run->now, &r);
	text_rates(run, &r, (double)run->now.when_ns / 1e9);
	fflush(run->app->out);
}

static void text_totals(struct app_run *run, const struct app_counts *c, uint32_t leaked)
{
	FILE *out = run->app->out;

	fprintf(out, "\n%-20s %14s %14s %14s %10s %10s\n", "port", "rx", "tx", "rx bytes",
		"rx missed", "tx errors");
	for (uint16_t i = 0; i < run->n_ports; i++) {
		const struct plx_port_stats *s = &c->port[i];

		fprintf(out,
			"%-20s %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %10" PRIu64 " %10" PRIu64
			"\n",
			run->port_name[i], s->rx_packets, s->tx_packets, s->rx_bytes,
			s->rx_missed_errors, s->tx_errors);
	}
	if (run->ops->text)
		run->ops->text(run, out);
	fprintf(out,
		"\nrx %" PRIu64 " + originated %" PRIu64 " = transmitted %" PRIu64
		" + delivered %" PRIu64 " + dropped %" PRIu64 "; %u mbufs leaked\n",
		c->acct.rx_pkts, c->acct.originated_pkts, c->acct.tx_pkts, c->acct.delivered_pkts,
		plx_acct_drops(&c->acct), leaked);
	for (int i = 0; i < PLX_DROP_MAX; i++)
		if (c->acct.drop[i])
			fprintf(out, "  %12" PRIu64 "  %s: %s\n", c->acct.drop[i],
				plx_drop_info[i].name, plx_drop_info[i].text);
}

void report_final(struct app_run *run, const struct app_counts *c, uint32_t leaked)
{
	static const struct app_counts zero;
	struct rates r;

	if (run->app->common.json) {
		json_t *o = object(run, &zero, c);

		json_object_set_new(o, "final", json_true());
		set_u64(o, "mbufs_leaked", leaked);
		if (run->ops->json)
			run->ops->json(run, o, true);
		report_json(run->app, o);
		return;
	}
	rates(&zero, c, &r);
	text_totals(run, c, leaked);
	text_rates(run, &r, (double)c->when_ns / 1e9);
	fflush(run->app->out);
}

const char *report_account(const struct app_counts *c, uint32_t leaked, char *buf, size_t size)
{
	const struct plx_acct *a = &c->acct;
	uint64_t in = a->rx_pkts + a->originated_pkts;
	uint64_t out = a->tx_pkts + a->delivered_pkts + plx_acct_drops(a) + c->held;

	if (in != out) {
		snprintf(buf, size,
			"rx %" PRIu64 " + originated %" PRIu64 " != transmitted %" PRIu64
			" + delivered %" PRIu64 " + drops %" PRIu64 " + held %" PRIu64,
			a->rx_pkts, a->originated_pkts, a->tx_pkts, a->delivered_pkts,
			plx_acct_drops(a), c->held);
		return buf;
	}
	if (leaked || c->held) {
		snprintf(buf, size, "%u mbufs did not come back, %" PRIu64 " packets are held",
			leaked, c->held);
		return buf;
	}
	return NULL;
}
