/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_conf.h"

#include <errno.h>
#include <stdio.h>

#define FIELD(name) offsetof(struct capture_conf, name)

const struct opt capture_opts[] = {
	{"filter", "EXPR", OPT_STR, FIELD(filter), NULL,
		"which packets, by an expression of tcpdump's (pcap-filter(7)); otherwise all",
		.letter = 'f'},
	{"write", "FILE", OPT_STR, FIELD(file), NULL,
		"where to; -: to the standard output, for tshark -i -", .letter = 'w'},
	{"hook", "LIST", OPT_STR, FIELD(hooks), NULL,
		"where: rx, rx-gro (behind GRO), tx, drop, fwd; otherwise rx,tx"},
	{"port", "LIST", OPT_STR, FIELD(ports), NULL, "of these ports alone", .letter = 'i'},
	{"direction", "in|out", OPT_STR, FIELD(direction), NULL, "on their way in or out alone",
		.letter = 'Q'},
	{"snaplen", "BYTES", OPT_U32, FIELD(snaplen), NULL, "of each packet at most; 0: all", 0,
		262144, .letter = 's'},
	{"count", "N", OPT_U32, FIELD(count), NULL, "end after so many packets; 0: never", 0,
		UINT32_MAX, .letter = 'c'},
	{"sample", "N", OPT_U32, FIELD(sample), NULL, "one packet of N, at random", 1, 1u << 31},
	{"max-cost", "PERCENT", OPT_STR, FIELD(max_cost), NULL,
		"of an lcore's time at most, 0.1% to 100%: beyond it not all packets are looked "
		"at"},
	{"format", "NAME", OPT_STR, FIELD(format), NULL,
		"of the file: pcapng, or classic pcap (microseconds) and pcap-ns; otherwise "
		"pcapng"},
	{"ring", "LIMIT[,LIMIT...]", OPT_STR, FIELD(ring), NULL,
		"several files: files:N (keep the newest N), filesize:SIZE, duration:S, packets:N",
		.letter = 'b'},
	{"buffer", "SIZE", OPT_STR, FIELD(buffer), NULL,
		"between each lcore and the file, 64K to 1G; otherwise 4M", .letter = 'B'},
	{"record", "SIZE", OPT_STR, FIELD(record), NULL,
		"keep the last packets of each lcore in memory, 64K to 2G, and write them to a "
		"file when something happens, or by 'pollux-ctl tap trigger N'"},
	{"trigger", "LIST", OPT_STR, FIELD(trigger), NULL,
		"of --record: what may happen: drops[:REASON]>N[/TIME], squeeze, rto, "
		"latency>TIME, "
		"rst, match:EXPR (at the end of the list), end"},
	{"after", "TIME|N", OPT_STR, FIELD(after), NULL,
		"of --record: what comes for so long, or so many packets, is in the file too; "
		"otherwise 0"},
	{"rearm", "TIME", OPT_STR, FIELD(rearm), NULL,
		"of --record: between a file's end and the next one, unless by hand; otherwise 1s"},
	{NULL},
};

static const char *const hook_name[] = {
#define X(id, name, text) name,
#include <plx_base_point.def>
#undef X
};

#define BUFFER_MIN (UINT64_C(64) << 10)
#define BUFFER_MAX (UINT64_C(1) << 30)
#define FILE_MAX   (UINT64_C(1) << 50)
#define RECORD_MAX (UINT64_C(2) << 30)
#define REARM_MAX  PLX_SEC(86400)
#define ITEM_MAX   32

/* The next item of a list, without its comma. @return false at the end, or if it is too long. */
static bool next_item(const char **at, char item[static ITEM_MAX])
{
	size_t n = strcspn(*at, ",");

	if (n == 0 || n >= ITEM_MAX)
		return false;
	memcpy(item, *at, n);
	item[n] = '\0';
	*at += n;
	if (**at == ',' && (*at)[1]) /* one at the end stays, and is an item too many */
		++*at;
	return true;
}

static bool parse_hooks(const char *text, uint32_t *hooks)
{
	char item[ITEM_MAX];
	int i;

	if (!*text)
		return false;
	while (next_item(&text, item)) {
		for (i = 0; i < (int)PLX_DIM(hook_name) && strcmp(hook_name[i], item) != 0; i++)
			;
		if (i == (int)PLX_DIM(hook_name))
			return false;
		*hooks |= 1u << i;
	}
	return !*text;
}

bool capture_bytes_parse(const char *text, uint64_t unit, uint64_t max, uint64_t *bytes)
{
	static const char suffixes[] = "KkMmGg";
	uint64_t n = 0;
	const char *s;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9' && n <= max; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	if (n > max)
		return false;
	s = *text ? strchr(suffixes, *text) : NULL;
	if (*text && (!s || text[1]))
		return false;
	unit = s ? UINT64_C(1) << (10 * ((s - suffixes) / 2 + 1)) : unit;
	if (n == 0 || n > max / unit)
		return false;
	*bytes = n * unit;
	return true;
}

bool capture_percent_parse(const char *text, uint32_t *ppm)
{
	uint32_t tenths = 0;
	int n = 0;

	for (; *text >= '0' && *text <= '9' && n < 3; n++)
		tenths = tenths * 10 + (uint32_t)(*text++ - '0');
	tenths *= 10;
	if (!n)
		return false;
	if (text[0] == '.' && text[1] >= '0' && text[1] <= '9') {
		tenths += (uint32_t)(text[1] - '0');
		text += 2;
	}
	if (strcmp(text, "%") != 0 || tenths < 1 || tenths > 1000)
		return false;
	*ppm = tenths * 1000;
	return true;
}

/* "filesize:100M" */
static bool parse_limit(const char *item, struct plx_pcapng_rotate_conf *r)
{
	const char *value = strchr(item, ':');
	size_t n = value ? (size_t)(value - item) : 0;
	uint32_t v = 0;

	if (!value)
		return false;
	value++;
	if (n == 8 && memcmp(item, "filesize", n) == 0) /* dumpcap's unit is 1,000 bytes */
		return capture_bytes_parse(value, 1000, FILE_MAX, &r->bytes);
	if (n == 5 && memcmp(item, "files", n) == 0)
		return opt_u32(value, 1, 100000, &r->files);
	if (n == 7 && memcmp(item, "packets", n) == 0) {
		r->pkts = opt_u32(value, 1, UINT32_MAX, &v) ? v : 0;
		return v;
	}
	if (n == 8 && memcmp(item, "duration", n) == 0) {
		r->duration_ns = opt_u32(value, 1, 1000000, &v) ? PLX_SEC(v) : 0;
		return v;
	}
	return false;
}

static bool parse_ring(const char *text, bool record, struct plx_pcapng_rotate_conf *r)
{
	char item[ITEM_MAX];

	if (!*text)
		return false;
	while (next_item(&text, item))
		if (!parse_limit(item, r))
			return false;
	/* how many to keep says nothing of when the next one begins; but of a recorder's */
	return !*text && (record || r->bytes || r->pkts || r->duration_ns);
}

static int bad(const char *cmd, const char *value, const char *option, const char *hint,
	struct plx_error *e)
{
	return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, value, option, hint);
}

static int plan_direction(
	const char *text, const char *cmd, struct capture_plan *plan, struct plx_error *e)
{
	if (strcmp(text, "in") == 0)
		plan->directions = 1;
	else if (strcmp(text, "out") == 0)
		plan->directions = 2;
	else
		return bad(cmd, text, "direction", "choose one of: in out", e);
	return 0;
}

static int plan_format(
	const char *text, const char *cmd, struct capture_plan *plan, struct plx_error *e)
{
	static const char *const names[] = {"pcapng", "pcap", "pcap-ns"};

	for (uint32_t i = 0; i < PLX_DIM(names); i++)
		if (strcmp(text, names[i]) == 0) {
			plan->format = i;
			return 0;
		}
	return bad(cmd, text, "format", "choose one of: pcapng pcap pcap-ns", e);
}

/* What has a meaning for a recorder alone. */
static int plan_no_record(const struct capture_conf *conf, const char *cmd, struct plx_error *e)
{
	static const char *const hint = "it says when to write what --record keeps";

	if (conf->trigger)
		return bad(cmd, conf->trigger, "trigger", hint, e);
	if (conf->after)
		return bad(cmd, conf->after, "after", hint, e);
	return conf->rearm ? bad(cmd, conf->rearm, "rearm", hint, e) : 0;
}

static int plan_record(const struct capture_conf *conf, const char *cmd, struct capture_plan *plan,
	struct plx_error *e)
{
	const struct plx_pcapng_rotate_conf *r = &plan->rotate;

	plan->rearm_ns = PLX_SEC(1);
	if (!capture_bytes_parse(conf->record, 1, RECORD_MAX, &plan->keep_bytes) ||
		plan->keep_bytes < BUFFER_MIN)
		return bad(cmd, conf->record, "record", "64K to 2G", e);
	if (conf->trigger &&
		!capture_triggers_parse(conf->trigger, plan->trigger, &plan->n_triggers))
		return bad(cmd, conf->trigger, "trigger",
			"a list of: drops>100/100ms drops:UDP_NO_PORT>0 squeeze rto latency>500us "
			"rst end match:EXPR; 10ms to 60s",
			e);
	if (conf->after && !capture_after_parse(conf->after, &plan->after_ns, &plan->after_pkts))
		return bad(cmd, conf->after, "after", "form: 500ms, 1s, or 1000 (packets)", e);
	if (conf->rearm && !capture_time_parse(conf->rearm, REARM_MAX, &plan->rearm_ns))
		return bad(cmd, conf->rearm, "rearm", "form: 500ms, 1s, 10m; 0: at once", e);
	if (r->bytes || r->pkts || r->duration_ns)
		return bad(cmd, conf->ring, "ring", "with --record: files:N alone", e);
	if (strcmp(conf->file, "-") == 0 || conf->once)
		return bad(cmd, conf->record, "record",
			"each file has a name of its own: give -w a path", e);
	return 0;
}

int capture_plan(const struct capture_conf *conf, const char *cmd, struct capture_plan *plan,
	struct plx_error *e)
{
	uint64_t bytes = 0;

	*plan = (struct capture_plan){0};
	if (!conf->file || !*conf->file)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_MISSING, cmd, "-w FILE", "capture");
	if (conf->hooks && !parse_hooks(conf->hooks, &plan->hooks))
		return bad(cmd, conf->hooks, "hook", "a list of: rx rx-gro tx drop fwd", e);
	if (conf->direction && plan_direction(conf->direction, cmd, plan, e) != 0)
		return -EINVAL;
	if (conf->format && plan_format(conf->format, cmd, plan, e) != 0)
		return -EINVAL;
	if (conf->ring && !parse_ring(conf->ring, conf->record, &plan->rotate))
		return bad(cmd, conf->ring, "ring",
			"form: files:10,filesize:100M,duration:60,packets:1000; one of the last "
			"three must be there",
			e);
	if (conf->ring && strcmp(conf->file, "-") == 0)
		return bad(cmd, conf->ring, "ring", "the standard output is one file", e);
	if (conf->buffer && !capture_bytes_parse(conf->buffer, 1, BUFFER_MAX, &bytes))
		return bad(cmd, conf->buffer, "buffer", "64K to 1G", e);
	if (conf->buffer && bytes < BUFFER_MIN)
		return bad(cmd, conf->buffer, "buffer", "64K to 1G", e);
	plan->ring_bytes = (uint32_t)bytes;
	if (conf->max_cost && !capture_percent_parse(conf->max_cost, &plan->max_cost_ppm))
		return bad(cmd, conf->max_cost, "max-cost", "0.1% to 100%, as in 5% or 0.5%", e);
	return conf->record ? plan_record(conf, cmd, plan, e) : plan_no_record(conf, cmd, e);
}

const char *capture_hooks_format(uint32_t hooks, char *buf)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int i = 0; i < (int)PLX_DIM(hook_name); i++)
		if (hooks >> i & 1)
			n += (size_t)snprintf(buf + n, CAPTURE_HOOKS_STRLEN - n, "%s%s",
				n ? "," : "", hook_name[i]);
	return buf;
}
