/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_pcapng_rotate.h>

static const struct tm when = {
	.tm_year = 126, .tm_mon = 10, .tm_mday = 29, .tm_hour = 15, .tm_min = 45, .tm_sec = 0};

static struct plx_pcapng_rotate start(struct plx_pcapng_rotate_conf conf)
{
	struct plx_pcapng_rotate rot;

	plx_pcapng_rotate_init(&rot, &conf);
	ok(plx_pcapng_rotate_due(&rot, 0, 0)); /* there is no file yet */
	eq(plx_pcapng_rotate_next(&rot, PLX_SEC(100)), 0);
	eq(rot.num, 1);
	return rot;
}

T(names_are_dumpcaps)
{
	static const struct {
		const char *base, *name;
		uint32_t num;
	} rows[] = {
		{"name.pcapng", "name_00001_20261129154500.pcapng", 1},
		{"/tmp/a.b/name.pcapng", "/tmp/a.b/name_00042_20261129154500.pcapng", 42},
		{"/tmp/a.b/name", "/tmp/a.b/name_00001_20261129154500", 1},
		{"name", "name_99999_20261129154500", 99999},
		{"a.b.pcap", "a.b_100000_20261129154500.pcap", 100000},
		{"x.", "x_00007_20261129154500.", 7},
		{".hidden", "_4294967295_20261129154500.hidden", UINT32_MAX},
	};
	char name[64];

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		eq(plx_pcapng_rotate_name(name, sizeof(name), rows[i].base, rows[i].num, &when), 0);
		str_eq(name, rows[i].name);
	}
}

T(a_name_fits_or_is_refused)
{
	char *name = malloc(33);

	for (size_t room = 0; room < 33; room++)
		eq(plx_pcapng_rotate_name(name, room, "name.pcapng", 1, &when), -ENAMETOOLONG);
	eq(plx_pcapng_rotate_name(name, 33, "name.pcapng", 1, &when), 0);
	eq(plx_pcapng_rotate_name(name, 33, "", 1, &when), -EINVAL);
	eq(plx_pcapng_rotate_name(name, 33, "dir/", 1, &when), -EINVAL);
	free(name);
}

T(without_limits_there_is_one_file)
{
	struct plx_pcapng_rotate rot = start((struct plx_pcapng_rotate_conf){0});

	plx_pcapng_rotate_wrote(&rot, UINT64_MAX / 2, UINT64_MAX / 2);
	ok(!plx_pcapng_rotate_due(&rot, 1 << 20, INT64_MAX));
}

T(a_file_ends_before_it_is_too_long)
{
	struct plx_pcapng_rotate rot = start((struct plx_pcapng_rotate_conf){.bytes = 1000});

	plx_pcapng_rotate_wrote(&rot, 100, 0);
	ok(!plx_pcapng_rotate_due(&rot, 2000, PLX_SEC(100))); /* no file would be long enough */
	plx_pcapng_rotate_wrote(&rot, 400, 1);
	ok(!plx_pcapng_rotate_due(&rot, 500, PLX_SEC(100)));
	ok(plx_pcapng_rotate_due(&rot, 501, PLX_SEC(100)));
	ok(plx_pcapng_rotate_due(&rot, UINT64_MAX, PLX_SEC(100)));
	plx_pcapng_rotate_wrote(&rot, 500, 1);
	ok(plx_pcapng_rotate_due(&rot, 1, PLX_SEC(100)));
	ok(!plx_pcapng_rotate_due(&rot, 0, PLX_SEC(100))); /* it may stay so until one comes */
	plx_pcapng_rotate_wrote(&rot, 500, 1);		   /* statistics at its end */
	ok(plx_pcapng_rotate_due(&rot, 1, PLX_SEC(100)));
}

T(a_file_ends_with_its_packets)
{
	struct plx_pcapng_rotate rot = start((struct plx_pcapng_rotate_conf){.pkts = 2});

	plx_pcapng_rotate_wrote(&rot, 100, 1);
	ok(!plx_pcapng_rotate_due(&rot, 100, 0));
	plx_pcapng_rotate_wrote(&rot, 100, 1);
	ok(plx_pcapng_rotate_due(&rot, 100, 0));
	ok(!plx_pcapng_rotate_due(&rot, 0, 0));
}

T(a_file_ends_in_time_though_nothing_comes)
{
	struct plx_pcapng_rotate rot =
		start((struct plx_pcapng_rotate_conf){.duration_ns = PLX_SEC(60)});

	ok(!plx_pcapng_rotate_due(&rot, 100, PLX_SEC(160) - 1));
	ok(plx_pcapng_rotate_due(&rot, 100, PLX_SEC(160)));
	ok(plx_pcapng_rotate_due(&rot, 0, PLX_SEC(160)));
	plx_pcapng_rotate_next(&rot, PLX_SEC(165));
	ok(!plx_pcapng_rotate_due(&rot, 0, PLX_SEC(220)));
	ok(plx_pcapng_rotate_due(&rot, 0, PLX_SEC(225)));
}

T(a_ring_keeps_the_newest)
{
	struct plx_pcapng_rotate rot = start((struct plx_pcapng_rotate_conf){.files = 3});

	eq(plx_pcapng_rotate_next(&rot, 0), 0);
	eq(plx_pcapng_rotate_next(&rot, 0), 0);
	eq(plx_pcapng_rotate_next(&rot, 0), 1);
	eq(plx_pcapng_rotate_next(&rot, 0), 2);
	eq(rot.num, 5);
}

/* All packets into files, as a disk would have them afterwards. */
T(limits_hold_for_every_file)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(7));
	for (int round = 0; round < 200; round++) {
		struct plx_pcapng_rotate_conf conf = {
			.files = (uint32_t)plx_rng_below(&rng, 4),
			.bytes = plx_rng_below(&rng, 3) * 1000,
			.pkts = plx_rng_below(&rng, 3) * 5,
			.duration_ns = (plx_ns)plx_rng_below(&rng, 3) * 100,
		};
		struct plx_pcapng_rotate rot;
		bool there[1000] = {false};
		uint64_t bytes = 0, pkts = 0;
		plx_ns now = 1000, opened = 0;
		uint32_t kept = 0;

		plx_pcapng_rotate_init(&rot, &conf);
		for (int i = 0; i < 500; i++) {
			uint64_t need = 1 + plx_rng_below(&rng, 1200);

			now += (plx_ns)plx_rng_below(&rng, 20);
			if (plx_pcapng_rotate_due(&rot, need, now)) {
				uint32_t old = plx_pcapng_rotate_next(&rot, now);

				ok(rot.num < PLX_DIM(there) && !there[rot.num]);
				there[rot.num] = true;
				kept += 1 - (old != 0);
				ok(!old || there[old]);
				there[old] = false;
				ok(rot.num == 1 || pkts ||
					(conf.duration_ns && now - opened >= conf.duration_ns));
				bytes = 0, pkts = 0, opened = now;
			}
			plx_pcapng_rotate_wrote(&rot, need, 1);
			bytes += need, pkts++;
			ok(!conf.bytes || bytes <= conf.bytes || pkts == 1);
			ok(!conf.pkts || pkts <= conf.pkts);
			ok(!conf.duration_ns || now - opened < conf.duration_ns);
			ok(there[rot.num]);
			ok(!conf.files || kept <= conf.files);
			ok(!conf.files || rot.num < conf.files || kept == conf.files);
		}
		ok(conf.files || kept == rot.num);
	}
}

RUN(T_(names_are_dumpcaps), T_(a_name_fits_or_is_refused), T_(without_limits_there_is_one_file),
	T_(a_file_ends_before_it_is_too_long), T_(a_file_ends_with_its_packets),
	T_(a_file_ends_in_time_though_nothing_comes), T_(a_ring_keeps_the_newest),
	T_(limits_hold_for_every_file))
