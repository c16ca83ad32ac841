/* SPDX-License-Identifier: BSD-3-Clause */
#include "recorder_t.h"

/* A recorder's files: when there is one, and what is in it. */

/* ---- by hand ---- */

T(a_file_has_what_was_before)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(5000);
	quiet(0);
	ok(!read_file(1));
	s = stats();
	ok(s.record.pkts >= FIT && s.record.bytes >= KEEP);
	eq(s.record.pkts + s.record.overwritten, 5000);
	eq(s.tap.full, 0);
	by_hand(1);
	ok(read_file(1));
	ok(file.pkts >= FIT);
	eq(file.first, 5000 - file.pkts);
	eq(file.last, 4999);
	eq(file.delivered, file.pkts);
	eq(file.stats, 2);
	ok(strncmp(file.comment, "trigger: by hand at 20", 22) == 0);
	feed(10);
	by_hand(2); /* none is in both */
	ok(read_file(2));
	eq(file.pkts, 10);
	eq(file.first, 5000);
	eq(file.delivered, 10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 3));
	ok(read_file(3)); /* it was asked for */
	eq(file.pkts, 0);
	str_eq(stats().record.last, file.comment);
	s = end();
	eq(s.record.triggers, 3);
	eq(s.record.ignored, 0);
	eq(s.files, 3);
}

T(nothing_happens)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for(
		(struct plx_tap_trigger){.kind = PLX_TAP_ON_RST}, (struct plx_tap_record_conf){0});
	feed(100);
	quiet(0);
	s = end();
	eq(s.files, 0);
	eq(s.written, 0);
	eq(s.record.triggers, 0);
	ok(!read_file(1));
}

T(its_end_is_something_too)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_END, .text = "end"},
		(struct plx_tap_record_conf){.after_ns = PLX_SEC(1000)});
	feed(100);
	s = end();
	eq(s.files, 1);
	ok(read_file(1));
	eq(file.pkts, 100);
	SAYS("trigger: end at ");
}

/* ---- and what comes after ---- */

T(for_some_time)
{
	plx_ns at;

	start();
	begin((struct plx_tap_writer_conf){.record = {.after_ns = PLX_SEC(1)}});
	feed(10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	at = et.now;
	feed(10);
	et.now = at + PLX_SEC(1) - PLX_US(10);
	feed(1);
	usleep(10000);
	ok(is(PLX_TAP_RECORD_WRITES, 1));
	et.now = at + PLX_SEC(1);
	feed(5); /* too late */
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 21);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 2));
	et.now += PLX_SEC(2);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 2));
	ok(read_file(2));
	eq(file.first, 21);
	eq(file.pkts, 5);
	end();
}

T(for_so_many)
{
	start();
	begin((struct plx_tap_writer_conf){.record = {.after_pkts = 7}});
	feed(10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	et.now += PLX_SEC(100);
	feed(6);
	usleep(10000);
	ok(is(PLX_TAP_RECORD_WRITES, 1));
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 17);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 2));
	feed(9);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 2));
	ok(read_file(2));
	eq(file.pkts, 7);
	end();
}

/* Lcores do not wait for it, and what is lost stands in the file. */
T(the_rings_are_full_meanwhile)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.record = {.after_ns = PLX_SEC(1)}});
	feed(2000);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	for (int i = 0; i < 400; i++) /* far quicker than a thread that sleeps */
		feed(300);
	et.now += PLX_SEC(2);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	s = end();
	eq(s.tap.seen, 122000);
	eq(s.tap.seen, s.tap.accepted + s.tap.full);
}

T(it_is_stopped_meanwhile)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.record = {.after_ns = PLX_SEC(1000)}});
	feed(10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	feed(10);
	s = end();
	eq(s.written, 20);
	ok(read_file(1));
	eq(file.pkts, 20);
	eq(file.stats, 2);
}

/* ---- again and again ---- */

T(it_rests_between_files)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_RST},
		(struct plx_tap_record_conf){.rearm_ns = PLX_SEC(10)});
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 1));
	feed_reset();
	EVENTUALLY(stats().record.ignored == 1);
	ok(is(PLX_TAP_RECORD_RESTS, 1));
	eq(plx_tap_writer_trigger(w), 0); /* a hand may */
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 2));
	et.now += PLX_SEC(11);
	quiet(2);
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 3));
	s = end();
	eq(s.record.triggers, 4);
	eq(s.record.ignored, 1);
}

T(what_happens_within_a_file)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_RST},
		(struct plx_tap_record_conf){.after_ns = PLX_SEC(1)});
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	et.now += PLX_MS(10);
	feed_reset();
	EVENTUALLY(stats().record.covered == 1);
	et.now += PLX_SEC(2);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	quiet(1); /* it is done with */
	ok(read_file(1));
	eq(file.pkts, 2);
	s = end();
	eq(s.record.triggers, 2);
	eq(s.files, 1);
}

T(the_newest_files_stay)
{
	start();
	begin((struct plx_tap_writer_conf){.rotate = {.files = 2}});
	for (uint32_t i = 1; i <= 4; i++) {
		feed(1);
		by_hand(i);
	}
	end();
	ok(!read_file(1) && !read_file(2));
	ok(read_file(3) && read_file(4));
	eq(file.first, 3);
}

T(so_many_files)
{
	start();
	begin((struct plx_tap_writer_conf){.tap = {.limit = 2}});
	feed(10);
	by_hand(1);
	ok(!plx_tap_writer_ended(w));
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(plx_tap_writer_ended(w));
	eq(end().files, 2);
}

T(classic_files)
{
	start();
	begin((struct plx_tap_writer_conf){.format = PLX_TAP_PCAP_NS});
	feed(300);
	by_hand(1);
	ok(read_file(1));
	eq(file.pkts, 300);
	eq(file.last, 299);
	end();
}

RUN_EAL(FILE_(a_file_has_what_was_before), FILE_(nothing_happens), FILE_(its_end_is_something_too),
	FILE_(for_some_time), FILE_(for_so_many), FILE_(the_rings_are_full_meanwhile),
	FILE_(it_is_stopped_meanwhile), FILE_(it_rests_between_files),
	FILE_(what_happens_within_a_file), FILE_(the_newest_files_stay), FILE_(so_many_files),
	FILE_(classic_files))
