/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include <plx_tap_filter.h>

#include "replay_send.h"

struct options {
	const char *speed, *mbps, *iface, *filter, *out;
	uint32_t pps, loop, max_mem;
	bool flat, pad;
	struct opt_mac src, dst;
	struct opt_list maps;
};

/* A run of it. */
static struct {
	const struct options *o;
	const char *path;
	struct replay_file file;
	struct replay_want want;
	struct replay_rewrite rewrite;
	struct replay_store store;
	struct replay_counts counts;
	struct replay_pace pace;
	struct replay_send send;
	struct plx_tap_filter *filter;
} replay;

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"speed", "N", OPT_STR, FIELD(speed), NULL,
		"x10: in a tenth of the file's time; 0.5: in twice of it"},
	{"flat-out", NULL, OPT_FLAG, FIELD(flat), NULL, "as fast as the port takes packets"},
	{"pps", "N", OPT_U32, FIELD(pps), "0", "so many packets a second", 0, UINT32_MAX},
	{"mbps", "N", OPT_STR, FIELD(mbps), NULL, "so many Mb/s, of frames without their FCS"},
	{"loop", "N", OPT_U32, FIELD(loop), "1", "how often the file is sent; 0 is for ever", 0,
		UINT32_MAX},
	{"src-mac", "MAC", OPT_MAC, FIELD(src), NULL, "source MAC of all frames"},
	{"dst-mac", "MAC", OPT_MAC, FIELD(dst), NULL, "destination MAC of all frames"},
	{"map-ip", "OLD/LEN=NEW/LEN", OPT_LIST, FIELD(maps), NULL,
		"addresses of a prefix get another one; the first that matches counts"},
	{"filter", "EXPR", OPT_STR, FIELD(filter), NULL,
		"packets that it wants, as pcap-filter(7) has it", .letter = 'f'},
	{"interface", "N", OPT_STR, FIELD(iface), NULL,
		"of pcapng: packets of interface N, from 0 on, alone"},
	{"pad", NULL, OPT_FLAG, FIELD(pad), NULL,
		"zeroes for what was not captured of a packet; else it is sent as captured"},
	{"out", "PORT", OPT_STR, FIELD(out), NULL, "the port to send by; else the first one"},
	{"max-mem", "MIB", OPT_U32, FIELD(max_mem), "1024",
		"memory that the file's packets may take", 1, 1 << 20},
	{NULL},
};

static const char help[] =
	"Sends the packets of a capture file (pcap, pcapng; - is standard input) out of a port, "
	"at\n"
	"the times that the file says. What arrives at the ports meanwhile is dropped.\n"
	"\n"
	"All of the file is read before the first packet leaves. Sending begins when the port has "
	"a\n"
	"link. A packet whose time is before that of one in front of it is sent at once. One that\n"
	"is longer than the port's MTU is not sent: TX_TOO_LONG; nor is one that is shorter than\n"
	"an Ethernet header: ETH_SHORT.\n"
	"\n"
	"Examples:\n"
	"  pollux --no-pci --no-huge -m 128 -l 0 -- replay in.pcap --port v=vtap,iface=plx0\n"
	"  pollux ... -- replay in.pcapng --interface 1 -f 'udp port 53' --speed x10 \\\n"
	"    --dst-mac 02:00:00:00:00:01 --map-ip 192.0.2.0/24=10.9.0.0/24 \\\n"
	"    --map-ip 2001:db8::/64=fd00:9::/64\n"
	"  pollux ... -- replay in.pcap --flat-out --loop 0 --for 10 --json";

static int bad(const char *value, const char *option, const char *hint, struct plx_error *e)
{
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "replay", value, option, hint);
}

/*
 * Signals, which main() has blocked for those who wait for them, end the process while a file is
 * read: a FIFO that nobody writes to, or a terminal, may never come to an end.
 */
static void heed_signals(bool on)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(on ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* --- options --------------------------------------------------------------------------------- */

static int check_pace(const struct options *o, struct plx_error *e)
{
	static const char one[] = "give one of --speed, --flat-out, --pps, --mbps";
	struct replay_pace *p = &replay.pace;

	p->speed = 1;
	if (o->speed && !replay_speed_parse(&p->speed, o->speed))
		return bad(o->speed, "speed", "form: x10, 0.5; from 0.000001 to 1000000", e);
	if (o->mbps && !replay_mbps_parse(&p->rate, o->mbps))
		return bad(o->mbps, "mbps", "form: 100, 0.5; from 0.001 to 1000000", e);
	if (o->mbps)
		p->mode = REPLAY_BPS;
	if (o->pps) {
		p->mode = REPLAY_PPS;
		p->rate = o->pps;
	}
	if (o->flat)
		p->mode = REPLAY_FLAT;
	if (!!o->speed + !!o->mbps + !!o->pps + o->flat > 1)
		return bad(o->speed  ? o->speed
			   : o->mbps ? o->mbps
				     : "",
			o->speed  ? "speed"
			: o->mbps ? "mbps"
				  : "flat-out",
			one, e);
	return 0;
}

static int check_rewrite(const struct options *o, struct plx_error *e)
{
	struct replay_rewrite *r = &replay.rewrite;

	r->src = o->src;
	r->dst = o->dst;
	for (unsigned int i = 0; i < o->maps.n; i++) {
		const char *why = replay_map_parse(&r->map[r->n_maps++], o->maps.v[i]);

		if (why)
			return bad(o->maps.v[i], "map-ip", why, e);
	}
	if (r->src.set || r->dst.set || r->n_maps)
		replay.want.rewrite = r;
	return 0;
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	const struct options *o = arg;
	struct replay_want *w = &replay.want;
	int err;

	if (app->n_operands == 0)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPTION_MISSING, "replay", "FILE", "replay");
	if (app->n_operands > 1)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPERAND, "replay", app->operand[1], "replay");
	if (check_pace(o, e) != 0 || check_rewrite(o, e) != 0)
		return -EINVAL;
	w->one_iface = o->iface;
	if (o->iface && !opt_u32(o->iface, 0, REPLAY_IFACES_MAX - 1, &w->iface))
		return bad(o->iface, "interface", "give a number from 0 to 1023", e);
	w->pad = o->pad;
	replay.store.max = (size_t)o->max_mem << 20;
	replay.o = o;
	replay.path = app->operand[0];
	heed_signals(true);
	err = replay_file_open(&replay.file, replay.path, e);
	heed_signals(false);
	return err;
}

/* --- the file -------------------------------------------------------------------------------- */

static int find_port(struct plx_error *e)
{
	const char *name = replay.o->out;

	replay.send.port = name ? plx_port_find(name) : plx_port_get(0);
	if (replay.send.port)
		return 0;
	if (name)
		return plx_error_set(e, -ENODEV, PLX_ERR_PORT_UNKNOWN, name);
	return plx_error_set(e, -ENODEV, PLX_ERR_NO_PORTS);
}

static bool wants(void *arg, const struct plx_pcapng_pkt *p)
{
	uint16_t n = (uint16_t)PLX_MIN(p->caplen, (uint32_t)UINT16_MAX);
	const struct rte_mbuf m = {
		.buf_addr = (void *)(uintptr_t)p->data, .nb_segs = 1, .data_len = n, .pkt_len = n};
	bool out = p->has & PLX_PCAPNG_FLAGS && (p->flags & PLX_PCAPNG_F_DIR) == PLX_PCAPNG_F_OUT;

	return plx_tap_filter_run(arg, &m, out);
}

static int compile(struct plx_error *e)
{
	struct plx_tap_filter_error why;

	if (!replay.o->filter)
		return 0;
	replay.filter = plx_tap_filter_compile(
		replay.o->filter, replay.want.ip ? PLX_TAP_LINK_IP : PLX_TAP_LINK_ETHER, &why);
	if (!replay.filter)
		return bad(replay.o->filter, "filter", why.text, e);
	replay.want.filter = wants;
	replay.want.arg = replay.filter;
	return 0;
}

static int none_left(struct plx_error *e)
{
	const struct replay_counts *c = &replay.counts;
	char text[256];

	if (!c->read)
		return plx_error_set(
			e, -ENODATA, PLX_ERR_PCAP_FILE, replay.path, "there is no packet in it");
	snprintf(text, sizeof(text),
		"none of its %" PRIu64 " packets is to be sent: %" PRIu64
		" are of other interfaces, %" PRIu64 " of a link that %s does not have, %" PRIu64
		" not wanted by the filter",
		c->read, c->ifaces, c->links, replay.send.port->name, c->filtered);
	return plx_error_set(e, -ENODATA, PLX_ERR_PCAP_FILE, replay.path, text);
}

static int load(struct plx_error *e)
{
	const struct replay_counts *c = &replay.counts;
	char value[16], hint[300];
	int err;

	replay.want.ip = replay.send.port->caps.features & PLX_PORT_F_NO_ETH;
	err = compile(e);
	if (!err)
		err = replay_load(&replay.file, &replay.want, &replay.store, &replay.counts, e);
	if (err == -ENOSPC) {
		snprintf(value, sizeof(value), "%u", replay.o->max_mem);
		snprintf(hint, sizeof(hint),
			"the packets of %.200s take more: give a higher one, or choose by --filter",
			replay.path);
		return bad(value, "max-mem", hint, e);
	}
	if (err)
		return err;
	if (c->cut)
		app_note("%s: %s (at byte %" PRIu64 "): what is whole of it is sent", replay.path,
			c->cut, c->cut_at);
	return replay.store.pkts ? 0 : none_left(e);
}

/* --- the run --------------------------------------------------------------------------------- */

static void rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_pkt_drop_bulk(pkts, n, PLX_DROP_RX_NO_IFACE);
}

static void over(void *arg)
{
	app_run_stop(arg);
}

static int begin(struct app_run *run, struct plx_error *e)
{
	struct replay_send *s = &replay.send;
	int err;

	s->store = &replay.store;
	s->pace = &replay.pace;
	s->rounds = replay.o->loop;
	s->burst = (uint16_t)(run->app->run.burst ? run->app->run.burst : PLX_PORT_BURST);
	s->over = over;
	s->arg = run;
	err = replay_send_add(s, run->eng);
	return err ? plx_error_set(e, err, PLX_ERR_RUN, s->port->name, strerror(-err)) : 0;
}

static int up(struct app_run *run, struct plx_error *e)
{
	struct plx_port *p = replay.send.port;

	plx_port_link_check(p);
	if (p->lost_link)
		app_note("%s has no link yet: packets are sent when it has one", p->name);
	replay_send_go(&replay.send);
	return 0;
}

static double seconds(void)
{
	const struct replay_send *s = &replay.send;
	uint64_t first = plx_count_read(s->first_ns), last = plx_count_read(s->last_ns);

	return last > first ? (double)(last - first) / 1e9 : 0; /* none may have left yet */
}

static void set_u64(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

static json_t *late_json(const struct hist *h)
{
	return json_pack("{s:f, s:f, s:f}", "p50", (double)hist_percentile(h, 50) / 1e3, "p99",
		(double)hist_percentile(h, 99) / 1e3, "max", (double)h->max / 1e3);
}

static void json(struct app_run *run, json_t *to, bool final)
{
	const struct replay_counts *c = &replay.counts;
	const struct replay_send *s = &replay.send;
	json_t *o = json_object(), *not_sent = json_object();

	set_u64(o, "packets", plx_count_read(s->sent));
	set_u64(o, "bytes", plx_count_read(s->bytes));
	json_object_set_new(o, "seconds", json_real(seconds()));
	set_u64(o, "rounds", plx_count_read(s->round));
	set_u64(o, "in_file", c->read);
	set_u64(o, "snapped", c->snapped);
	set_u64(o, "rewritten", c->rewritten);
	set_u64(o, "backwards", replay.pace.backwards);
	set_u64(o, "untimed", replay.pace.untimed);
	json_object_set_new(o, "cut", json_boolean(c->cut));
	set_u64(not_sent, "filter", c->filtered);
	set_u64(not_sent, "interface", c->ifaces);
	set_u64(not_sent, "link", c->links);
	json_object_set_new(o, "not_sent", not_sent);
	if (final && replay.pace.mode != REPLAY_FLAT)
		json_object_set_new(o, "late_us", late_json(&s->late));
	json_object_set_new(to, "replay", o);
}

static void text_file(FILE *out)
{
	const struct replay_counts *c = &replay.counts;
	const struct {
		uint64_t n;
		const char *what;
	} rows[] = {
		{c->filtered, "not sent: not wanted by the filter"},
		{c->ifaces, "not sent: of other interfaces"},
		{c->links, "not sent: of a link that the port does not have"},
		{c->snapped, replay.o->pad ? "not captured whole: filled with zeroes"
					   : "not captured whole: sent as captured"},
		{c->rewritten, "rewritten"},
		{replay.pace.backwards, "sent at once: their time is before that of another in "
					"front"},
		{replay.pace.untimed, "sent at once: without a time"},
	};

	fprintf(out, "%" PRIu64 " packets in the file\n", c->read);
	for (size_t i = 0; i < PLX_DIM(rows); i++)
		if (rows[i].n)
			fprintf(out, "  %12" PRIu64 "  %s\n", rows[i].n, rows[i].what);
}

static void text(struct app_run *run, FILE *out)
{
	const struct replay_send *s = &replay.send;
	const struct hist *h = &s->late;
	double t = seconds();

	fprintf(out, "\n%s: ", replay.path);
	text_file(out);
	fprintf(out, "sent %" PRIu64 " packets, %" PRIu64 " bytes in %.3f s, %" PRIu64 " rounds",
		s->sent, s->bytes, t, s->round);
	if (t > 0)
		fprintf(out, ": %.0f packets/s, %.3f Mb/s", (double)s->sent / t,
			(double)s->bytes * 8 / t / 1e6);
	fprintf(out, "\n");
	if (h->count)
		fprintf(out, "late us: p50 %.1f p99 %.1f max %.1f\n",
			(double)hist_percentile(h, 50) / 1e3, (double)hist_percentile(h, 99) / 1e3,
			(double)h->max / 1e3);
}

static int run(struct app *app, void *arg)
{
	static const struct app_run_ops ops = {
		.engine = {.rx = rx},
		.begin = begin,
		.up = up,
		.json = json,
		.text = text,
	};
	static const char *const modes[] = {
		[REPLAY_TIMED] = "timed",
		[REPLAY_PPS] = "pps",
		[REPLAY_BPS] = "mbps",
		[REPLAY_FLAT] = "flat-out",
	};
	struct app_run r = {.app = app, .ops = &ops, .mode = modes[replay.pace.mode], .arg = arg};
	struct plx_error e = {0};
	int err = find_port(&e), code;

	heed_signals(true);
	if (!err)
		err = load(&e);
	heed_signals(false);
	replay_file_close(&replay.file);
	if (!err)
		replay_plan(&replay.store, &replay.pace);
	code = err ? app_fail(&e) : app_run(&r);
	plx_tap_filter_free(replay.filter);
	replay_free(&replay.store);
	return code;
}

const struct plx_cmd cmd_replay = {
	.name = "replay",
	.operands = "FILE",
	.summary = "send the packets of a capture file, at its times or faster",
	.text = help,
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_POLL,
	.runs = true,
	.check = check,
	.run = run,
};
