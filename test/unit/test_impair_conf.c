/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_impair.h>

static struct plx_impair_conf parse(const char *text)
{
	struct plx_impair_conf c = {0};
	struct plx_impair_error err = {0, NULL};
	int rc = plx_impair_conf_parse(&c, text, &err);

	if (rc)
		print_message("%s: at %zu: %s\n", text, err.pos, err.text);
	eq(rc, 0);
	return c;
}

#define near(a, b) ok((a) - (b) < 1e-9 && (b) - (a) < 1e-9)

T(a_link_reads_as_netem_writes_it)
{
	struct plx_impair_conf c = parse("loss=1%,delay=10ms,jitter=2ms,dist=normal,order=keep,"
					 "rate=100mbit,burst=32kb,queue=1m,limit=1000,dup=0.1%,"
					 "reorder=25%,gap=5,corrupt=0.01%:3,seed=42,nth=100");

	near(c.loss, 0.01);
	eq(c.delay_ns, PLX_MS(10));
	eq(c.jitter_ns, PLX_MS(2));
	eq(c.dist, PLX_IMPAIR_NORMAL);
	ok(c.keep_order);
	eq(c.rate_bps, 100000000);
	eq(c.burst_bytes, 32768);
	eq(c.queue_bytes, 1 << 20);
	eq(c.limit_pkts, 1000);
	near(c.dup, 0.001);
	near(c.reorder, 0.25);
	eq(c.reorder_ns, 0);
	eq(c.gap, 5);
	near(c.corrupt, 0.0001);
	eq(c.corrupt_bits, 3);
	eq(c.seed, 42);
	eq(c.every, 100);
	assert_null(plx_impair_conf_check(&c));
}

T(units_and_fractions)
{
	eq(parse("delay=1.5us").delay_ns, 1500);
	eq(parse("delay=80ns").delay_ns, 80);
	eq(parse("delay=2s").delay_ns, PLX_SEC(2));
	eq(parse("rate=2.5gbit").rate_bps, 2500000000);
	eq(parse("rate=64kbit").rate_bps, 64000);
	eq(parse("rate=9600bit").rate_bps, 9600);
	eq(parse("queue=1500").queue_bytes, 1500);
	eq(parse("queue=1500b").queue_bytes, 1500);
	eq(parse("queue=0.5k").queue_bytes, 512);
	near(parse("loss=0.25").loss, 0.25);
	near(parse("loss=100%").loss, 1);
	eq(parse("reorder=1%:3ms").reorder_ns, PLX_MS(3));
	eq(parse("seed=18446744073709551615").seed, UINT64_MAX);
	ok(!parse("order=keep,order=free").keep_order);
	eq(parse("corrupt=1%").corrupt_bits, 1);
}

T(gilbert_elliott_fills_in_as_netem_does)
{
	struct plx_impair_conf c = parse("ge=10%");

	near(c.ge.p, 0.1);
	near(c.ge.r, 0.9);
	near(c.ge.bad_loss, 1);
	near(c.ge.good_loss, 0);
	c = parse("ge=1%:25%:70%:0.1%");
	near(c.ge.p, 0.01);
	near(c.ge.r, 0.25);
	near(c.ge.bad_loss, 0.7);
	near(c.ge.good_loss, 0.001);
}

T(packets_are_named_by_number)
{
	struct plx_impair_conf c = parse("drop=1/5/7");

	eq(c.n_nth, 3);
	eq(c.nth[0], 1);
	eq(c.nth[1], 5);
	eq(c.nth[2], 7);
	c = parse("drop=1/5/7,drop=9");
	eq(c.n_nth, 1);
	eq(c.nth[0], 9);
}

T(packets_are_aimed_at_by_bytes)
{
	struct plx_impair_conf c =
		parse("aim=l4+13:02/12:3,aim=12:86dd,aim=0:Ff:2-,aim=4:00000001:2-4");

	eq(c.n_aim, 4);
	ok(c.aim[0].l4);
	eq(c.aim[0].off, 13);
	eq(c.aim[0].len, 1);
	eq(c.aim[0].value, 0x02);
	eq(c.aim[0].mask, 0x12);
	eq(c.aim[0].first, 3);
	eq(c.aim[0].last, 3);
	ok(!c.aim[1].l4);
	eq(c.aim[1].len, 2);
	eq(c.aim[1].value, 0x86dd);
	eq(c.aim[1].mask, 0xffff);
	eq(c.aim[1].first, 1);
	eq(c.aim[1].last, UINT32_MAX);
	eq(c.aim[2].value, 0xff);
	eq(c.aim[2].mask, 0xff);
	eq(c.aim[2].first, 2);
	eq(c.aim[2].last, UINT32_MAX);
	eq(c.aim[3].mask, UINT32_MAX);
	eq(c.aim[3].first, 2);
	eq(c.aim[3].last, 4);
}

T(bounds_are_inside)
{
	static const char *const good[] = {"delay=3600s,jitter=3600s,reorder=100%:3600s,gap=1",
		"loss=100%,dup=1,corrupt=1:8,ge=100%:100%:100%:100%", "nth=1,limit=0",
		"drop=1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
		"aim=0:00,aim=65535:00112233,aim=0:00,aim=0:0000",
		"rate=1kbit,queue=1024m,burst=1024m", "rate=1000gbit"};

	for (size_t i = 0; i < PLX_DIM(good); i++) {
		struct plx_impair_conf c = parse(good[i]);

		assert_null(plx_impair_conf_check(&c));
	}
}

T(a_text_goes_over_what_is_there)
{
	struct plx_impair_conf c = parse("loss=1%,delay=10ms");
	struct plx_impair_error err;

	eq(plx_impair_conf_parse(&c, "loss=2%", &err), 0);
	near(c.loss, 0.02);
	eq(c.delay_ns, PLX_MS(10));
}

T(errors_point_at_the_place_and_leave_no_trace)
{
	static const struct {
		const char *text;
		size_t pos;
		const char *says;
	} rows[] = {
		{"", 0, "no such key"},
		{"los=1%", 0, "no such key"},
		{"loss", 0, "no such key"},
		{"loss=", 5, "a number"},
		{"loss=x", 5, "a number"},
		{"loss=101%", 5, "range"},
		{"loss=1.01", 5, "range"},
		{"loss=-1%", 5, "a number"},
		{"loss=inf", 5, "a number"},
		{"loss=1%;dup=1%", 7, "comma"},
		{"loss=1%,", 8, "no such key"},
		{"loss=1%,delay=10", 16, "unit"},
		{"loss=1%,delay=10m", 16, "unit"},
		{"delay=2h", 7, "unit"},
		{"delay=3601s", 6, "range"},
		{"rate=100", 8, "unit"},
		{"rate=100mbits", 12, "comma"},
		{"rate=2000gbit", 5, "range"},
		{"queue=2048m", 6, "range"},
		{"nth=0", 4, "range"},
		{"nth=4294967296", 4, "range"},
		{"seed=18446744073709551616", 5, "range"},
		{"seed=99999999999999999999999", 5, "range"},
		{"drop=3/2", 7, "ascending"},
		{"drop=3/", 7, "whole number"},
		{"drop=1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", 44, "16 numbers"},
		{"ge=1%:x", 6, "a number"},
		{"ge=", 3, "a number"},
		{"ge=1%:", 6, "a number"},
		{"nth=", 4, "whole number"},
		{"drop=", 5, "whole number"},
		{"rate=", 5, "a number"},
		{"queue=", 6, "a number"},
		{"delay=", 6, "a number"},
		{"corrupt=1%:", 11, "whole number"},
		{"reorder=1%:", 11, "a number"},
		{"aim=", 4, "whole number"},
		{"aim=0:", 6, "pairs"},
		{"aim=0:00/", 9, "pairs"},
		{"aim=0:00:", 9, "whole number"},
		{"aim=13", 6, "colon"},
		{"aim=65536:00", 4, "range"},
		{"aim=0:0", 7, "pairs"},
		{"aim=0:xx", 6, "pairs"},
		{"aim=0:0011223344", 14, "comma"},
		{"aim=0:0011/11", 13, "mask"},
		{"aim=0:00:0", 9, "range"},
		{"aim=0:00:3-2", 11, "range"},
		{"aim=0:00,aim=0:00,aim=0:00,aim=0:00,aim=0:00", 40, "aims"},
		{"corrupt=1%:9", 11, "range"},
		{"dist=flat", 5, "uniform or normal"},
		{"order=strict", 6, "keep or free"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_impair_conf c = parse("seed=7"), before = c;
		struct plx_impair_error err = {0, NULL};

		eq(plx_impair_conf_parse(&c, rows[i].text, &err), -EINVAL);
		if (err.pos != rows[i].pos || !strstr(err.text, rows[i].says))
			print_message("%s: at %zu: %s\n", rows[i].text, err.pos, err.text);
		eq(err.pos, rows[i].pos);
		assert_non_null(strstr(err.text, rows[i].says));
		mem_eq(&c, &before, sizeof(c));
	}
}

T(parts_that_do_not_fit_are_refused)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"reorder=1%", "reorder needs a delay"},
		{"gap=5", "gap needs reorder"},
		{"queue=10k", "need a rate"},
		{"burst=10k", "need a rate"},
		{"rate=10bit", "rate lies outside"},
	};
	struct plx_impair im;

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_impair_conf c = parse(rows[i].text);

		assert_non_null(plx_impair_conf_check(&c));
		assert_non_null(strstr(plx_impair_conf_check(&c), rows[i].says));
		eq(plx_impair_init(&im, &c), -EINVAL);
	}
}

T(a_conf_made_by_hand_is_checked_too)
{
	const struct plx_impair_conf bad[] = {
		{.loss = 1.5},
		{.loss = -0.1},
		{.ge = {.p = __builtin_nan("")}},
		{.delay_ns = -1},
		{.jitter_ns = PLX_SEC(7200)},
		{.corrupt_bits = 9},
		{.n_nth = 17},
		{.n_nth = 1},
		{.n_nth = 2, .nth = {5, 5}},
		{.n_aim = 1},
		{.n_aim = 5},
		{.n_aim = 1, .aim = {{.len = 5}}},
		{.dist = (enum plx_impair_dist)7},
		{.rate_bps = 1000000, .queue_bytes = UINT32_MAX},
	};
	const struct plx_impair_conf good = {0};

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		assert_non_null(plx_impair_conf_check(&bad[i]));
	assert_null(plx_impair_conf_check(&good));
}

RUN(T_(a_link_reads_as_netem_writes_it), T_(units_and_fractions),
	T_(gilbert_elliott_fills_in_as_netem_does), T_(packets_are_named_by_number),
	T_(packets_are_aimed_at_by_bytes), T_(bounds_are_inside),
	T_(a_text_goes_over_what_is_there), T_(errors_point_at_the_place_and_leave_no_trace),
	T_(parts_that_do_not_fit_are_refused), T_(a_conf_made_by_hand_is_checked_too))
