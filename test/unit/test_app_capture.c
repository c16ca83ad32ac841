/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <string.h>

#include "../../app/capture_conf.h"

static struct capture_plan plan;
static struct plx_error e;

/* What of it was refused: the option, "-w" if it is missing, "" if nothing was. */
static const char *refused(struct capture_conf conf)
{
	static char option[16];
	const char *at;

	memset(&e, 0, sizeof(e));
	conf.file = conf.file ? conf.file : "a.pcapng";
	if (capture_plan(&conf, "capture", &plan, &e) == 0)
		return "";
	if (e.id == PLX_ERR_OPTION_MISSING)
		return "-w";
	eq(e.id, PLX_ERR_OPTION_VALUE);
	at = strstr(e.text, " for --");
	assert_non_null(at);
	snprintf(option, sizeof(option), "%s", at + 7);
	return option;
}

static uint64_t bytes(const char *text, uint64_t unit, uint64_t max)
{
	uint64_t n = 0;

	return capture_bytes_parse(text, unit, max, &n) ? n : 0;
}

T(a_size_has_a_unit)
{
	eq(bytes("1", 1, 1000), 1);
	eq(bytes("1", 1000, 1000), 1000);
	eq(bytes("64K", 1, 1 << 20), 65536);
	eq(bytes("64k", 1000, 1 << 20), 65536);
	eq(bytes("100M", 1000, UINT64_C(1) << 50), 104857600);
	eq(bytes("1G", 1, 1u << 30), 1u << 30);
	eq(bytes("1048576G", 1, UINT64_C(1) << 50), UINT64_C(1) << 50);
}

T(what_is_none_is_refused)
{
	static const char *const bad[] = {"", "0", "0K", "-1", "+1", " 1", "1 ", "1KB", "1T", "M",
		"1.5M", "0x10", "1e3", "18446744073709551617", "99999999999999999999999999G",
		"1048577G", "1-", "1\x0b", "1\x8b"};

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		eq(bytes(bad[i], 1, UINT64_C(1) << 50), 0);
	eq(bytes("1001", 1, 1000), 0);
	eq(bytes("1K", 1, 1000), 0);
	eq(bytes("2", 1000, 1999), 0);
}

T(a_file_has_to_be_named)
{
	struct capture_conf none = {.hooks = "rx"}, empty = {.file = ""};

	eq(capture_plan(&none, "capture", &plan, &e), -EINVAL);
	eq(e.id, PLX_ERR_OPTION_MISSING);
	ok(strstr(e.text, "-w FILE"));
	ok(strstr(e.remedy, "pollux -- capture --help"));
	eq(capture_plan(&empty, "tap", &plan, &e), -EINVAL);
	ok(strncmp(e.text, "tap: ", 5) == 0);
}

T(hooks_are_bits_in_their_order)
{
	char buf[CAPTURE_HOOKS_STRLEN];

	str_eq(refused((struct capture_conf){0}), "");
	eq(plan.hooks, 0);
	str_eq(refused((struct capture_conf){.hooks = "tx,rx"}), "");
	eq(plan.hooks, 1 | 4);
	str_eq(capture_hooks_format(plan.hooks, buf), "rx,tx");
	str_eq(refused((struct capture_conf){.hooks = "rx,rx-gro,tx,drop,fwd"}), "");
	eq(plan.hooks, 31);
	str_eq(capture_hooks_format(plan.hooks, buf), "rx,rx-gro,tx,drop,fwd");
	str_eq(capture_hooks_format(0, buf), "");
	str_eq(refused((struct capture_conf){.hooks = "drop,drop"}), "");
	str_eq(capture_hooks_format(plan.hooks, buf), "drop");
}

T(hooks_that_are_none)
{
	static const char *const bad[] = {"", ",", "rx,", ",rx", "rx,,tx", "RX", "rx tx", "rxx",
		"r", "rx-gro-and-a-word-that-is-too-long-to-be-one"};

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		str_eq(refused((struct capture_conf){.hooks = bad[i]}), "hook");
}

T(formats)
{
	str_eq(refused((struct capture_conf){.format = "pcapng"}), "");
	eq(plan.format, 0);
	str_eq(refused((struct capture_conf){.format = "pcap"}), "");
	eq(plan.format, 1);
	str_eq(refused((struct capture_conf){.format = "pcap-ns"}), "");
	eq(plan.format, 2);
	str_eq(refused((struct capture_conf){.format = "pcap-us"}), "format");
	str_eq(refused((struct capture_conf){.format = ""}), "format");
}

T(a_ring_of_files)
{
	str_eq(refused((struct capture_conf){.ring = "files:10,filesize:100M"}), "");
	eq(plan.rotate.files, 10);
	eq(plan.rotate.bytes, 104857600);
	eq(plan.rotate.pkts, 0);
	eq(plan.rotate.duration_ns, 0);
	str_eq(refused((struct capture_conf){.ring = "duration:60,packets:1000,filesize:5"}), "");
	eq(plan.rotate.files, 0);
	eq(plan.rotate.bytes, 5000); /* dumpcap's unit */
	eq(plan.rotate.pkts, 1000);
	eq(plan.rotate.duration_ns, PLX_SEC(60));
}

T(a_ring_that_is_none)
{
	static const char *const bad[] = {"", "files:10", "files", "files:", "files:0,packets:1",
		"files:x,packets:1", "packets:0", "packets:4294967296", "duration:0",
		"duration:1.5", "filesize:0", "filesize:1T", "filesize:1,", ",filesize:1",
		"filesize:1 ", "fly:1", "packets=1", "interval:5", "packets:1,,files:2",
		"packets:000000000000000000000000000000001"};

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		str_eq(refused((struct capture_conf){.ring = bad[i]}), "ring");
	str_eq(refused((struct capture_conf){.ring = "packets:1", .file = "-"}), "ring");
}

T(a_share_in_percent)
{
	static const char *const bad[] = {"", "0%", "0.0%", "101%", "100.1%", "1000%", "-1", "-1%",
		"5", "5 %", " 5%", "5% ", "5%%", "%", ".5%", "5.%", "0.05%", "1e1%", "+5%",
		"4294967301%", "5,5%", "five%"};

	str_eq(refused((struct capture_conf){0}), "");
	eq(plan.max_cost_ppm, 0);
	str_eq(refused((struct capture_conf){.max_cost = "5%"}), "");
	eq(plan.max_cost_ppm, 50000);
	str_eq(refused((struct capture_conf){.max_cost = "0.1%"}), "");
	eq(plan.max_cost_ppm, 1000);
	str_eq(refused((struct capture_conf){.max_cost = "12.5%"}), "");
	eq(plan.max_cost_ppm, 125000);
	str_eq(refused((struct capture_conf){.max_cost = "100%"}), "");
	eq(plan.max_cost_ppm, 1000000);
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		str_eq(refused((struct capture_conf){.max_cost = bad[i]}), "max-cost");
}

T(the_rest)
{
	str_eq(refused((struct capture_conf){.direction = "in"}), "");
	eq(plan.directions, 1);
	str_eq(refused((struct capture_conf){.direction = "out"}), "");
	eq(plan.directions, 2);
	str_eq(refused((struct capture_conf){.direction = "up"}), "direction");
	str_eq(refused((struct capture_conf){.buffer = "64K"}), "");
	eq(plan.ring_bytes, 65536);
	str_eq(refused((struct capture_conf){.buffer = "1G"}), "");
	eq(plan.ring_bytes, 1u << 30);
	str_eq(refused((struct capture_conf){.buffer = "65535"}), "buffer");
	str_eq(refused((struct capture_conf){.buffer = "2G"}), "buffer");
	str_eq(refused((struct capture_conf){.buffer = "many"}), "buffer");
}

/* ---- recorders ---- */

static const char *refused_trigger(const char *list)
{
	return refused((struct capture_conf){.record = "1M", .trigger = list});
}

T(what_a_recorder_waits_for)
{
	str_eq(refused_trigger("drops>100/1s,squeeze,rto,latency>500us,rst,end"), "");
	eq(plan.keep_bytes, 1 << 20);
	eq(plan.n_triggers, 6);
	eq(plan.trigger[0].kind, CAPTURE_ON_DROPS);
	eq(plan.trigger[0].reason, PLX_DROP_NONE);
	eq(plan.trigger[0].over, 100);
	eq(plan.trigger[0].ns, PLX_SEC(1));
	str_eq(plan.trigger[0].text, "drops>100/1s");
	eq(plan.trigger[1].kind, CAPTURE_ON_SQUEEZE);
	eq(plan.trigger[2].kind, CAPTURE_ON_RTO);
	eq(plan.trigger[3].kind, CAPTURE_ON_LATENCY);
	eq(plan.trigger[3].ns, PLX_US(500));
	eq(plan.trigger[4].kind, CAPTURE_ON_RST);
	eq(plan.trigger[5].kind, CAPTURE_ON_END);
	str_eq(refused_trigger("drops:UDP_NO_PORT>0"), "");
	eq(plan.trigger[0].reason, PLX_DROP_UDP_NO_PORT);
	eq(plan.trigger[0].over, 0);
	eq(plan.trigger[0].ns, PLX_MS(100));
	str_eq(refused_trigger("rst,match:tcp[13] & 2 != 0, or so"), ""); /* not ours to parse */
	eq(plan.n_triggers, 2);
	eq(plan.trigger[1].kind, CAPTURE_ON_MATCH);
	str_eq(plan.trigger[1].text, "tcp[13] & 2 != 0, or so");
	str_eq(refused_trigger("rst,rst,rst,rst,rst,rst,rst,rst"), "");
	eq(plan.n_triggers, 8);
}

T(what_nobody_can_wait_for)
{
	static char long_one[300] = "match:";
	static const char *const bad[] = {"", ",", "rst,", ",rst", "RST", "rs", "rst>1", "drops",
		"drops>", "drops>x", "drops>-1", "drops>1/", "drops>1/1", "drops>1/9ms",
		"drops>1/61s", "drops>1/1s/1s", "drops:>1", "drops:NO_REASON>1",
		"drops:UDP_NO_PORT", "drops:UDP_NO_PORT,rst", "drops UDP_NO_PORT>1",
		"drops>4294967296", "latency", "latency>", "latency>0", "latency>5", "latency>0us",
		"latency>-1us", "latency>61s", "match", "match:", "match: ", "squeeze:1", "end>0",
		long_one, "rst,rst,rst,rst,rst,rst,rst,rst,rst"};

	memset(long_one + 6, 'x', sizeof(long_one) - 7);
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		str_eq(refused_trigger(bad[i]), "trigger");
}

T(times)
{
	static const char *const bad[] = {"", "1", "s", "1 s", "1ss", "-1s", "1.5s", "1h", "1S",
		"99999999999999999999s", "3601s"};
	plx_ns ns = 0;

	ok(capture_time_parse("7us", PLX_SEC(1), &ns));
	eq(ns, PLX_US(7));
	ok(capture_time_parse("60m", PLX_SEC(3600), &ns));
	eq(ns, PLX_SEC(3600));
	ok(capture_time_parse("0", PLX_SEC(1), &ns));
	eq(ns, 0);
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		ok(!capture_time_parse(bad[i], PLX_SEC(3600), &ns));
}

T(a_recorder)
{
	str_eq(refused((struct capture_conf){.record = "64K"}), "");
	eq(plan.keep_bytes, 65536);
	eq(plan.rearm_ns, PLX_SEC(1));
	eq(plan.after_ns, 0);
	eq(plan.after_pkts, 0);
	str_eq(refused((struct capture_conf){.record = "2G", .after = "250ms", .rearm = "0"}), "");
	eq(plan.keep_bytes, UINT64_C(1) << 31);
	eq(plan.after_ns, PLX_MS(250));
	eq(plan.rearm_ns, 0);
	str_eq(refused((struct capture_conf){.record = "1M", .after = "1000"}), "");
	eq(plan.after_pkts, 1000);
	eq(plan.after_ns, 0);
	str_eq(refused((struct capture_conf){.record = "1M", .max_cost = "5%"}), "");
	eq(plan.keep_bytes, 1 << 20);
	eq(plan.max_cost_ppm, 50000);
	str_eq(refused((struct capture_conf){.record = "1M", .max_cost = "5"}), "max-cost");
	str_eq(refused((struct capture_conf){.record = "1M", .ring = "files:10"}), "");
	eq(plan.rotate.files, 10);
	str_eq(refused((struct capture_conf){.record = "1M", .ring = "packets:10"}), "ring");
	str_eq(refused((struct capture_conf){.record = "1M", .ring = ""}), "ring");
	str_eq(refused((struct capture_conf){.record = "65535"}), "record");
	str_eq(refused((struct capture_conf){.record = "3G"}), "record");
	str_eq(refused((struct capture_conf){.record = "1M", .file = "-"}), "record");
	str_eq(refused((struct capture_conf){.record = "1M", .once = true}), "record");
	str_eq(refused((struct capture_conf){.record = "1M", .after = "soon"}), "after");
	str_eq(refused((struct capture_conf){.record = "1M", .rearm = "1"}), "rearm");
	str_eq(refused((struct capture_conf){.trigger = "rst"}), "trigger");
	str_eq(refused((struct capture_conf){.after = "1s"}), "after");
	str_eq(refused((struct capture_conf){.rearm = "1s"}), "rearm");
}

RUN(T_(a_size_has_a_unit), T_(what_is_none_is_refused), T_(a_file_has_to_be_named),
	T_(hooks_are_bits_in_their_order), T_(hooks_that_are_none), T_(formats),
	T_(a_ring_of_files), T_(a_ring_that_is_none), T_(a_share_in_percent), T_(the_rest),
	T_(what_a_recorder_waits_for), T_(what_nobody_can_wait_for), T_(times), T_(a_recorder))
