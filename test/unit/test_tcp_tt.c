/* SPDX-License-Identifier: BSD-3-Clause */
#include "tt.h"

/* Conversations with one connection, and the notation that they are in. */

T(a_write_leaves_in_segments)
{
	struct tt t = tt_established(.mss = 1000);

	tt_write(&t, 2500);
	tt_out(&t, 0, ". 1:1001(1000) ack 1");
	tt_out(&t, 0, "P. 1001:2001(1000) ack 1");
	tt_out(&t, 0, "P. 2001:2501(500) ack 1");
	tt_none(&t, PLX_MS(100));
	tt_in(&t, PLX_MS(100), ". ack 2501 win 500");
	eq(t.rx.acked, 2500);
	tt_none(&t, PLX_SEC(10));
	tt_end(&t);
}

T(a_long_one_is_matched_by_its_pieces)
{
	struct tt t = tt_established(.mss = 1000, .max_len = 65535);

	tt_write(&t, 4000);
	tt_out(&t, 0, "P. 1:4001(4000) ack 1");
	tt_end(&t);
}

T(rack_waits_for_the_reordering_window)
{
	struct tt t = tt_established(.mss = 1000, .rtt = PLX_MS(100));

	tt_write(&t, 2000);
	tt_out(&t, 0, ". 1:1001(1000) ack 1");
	tt_out(&t, 0, "P. 1001:2001(1000) ack 1");
	tt_in(&t, PLX_MS(100), ". ack 1 win 500 sack 1001:2001");
	tt_none(&t, PLX_MS(124)); /* a quarter of the round trip: RFC 8985 6.2, step 4 */
	tt_wait(&t, PLX_MS(145));
	eq(t.s->n, 1);
	eq(t.s->stat[PLX_STAT_TCP_RETRANSSEGS], 1);
	tt_end(&t);
}

T(text_out_of_order_is_named)
{
	struct tt t = tt_established(.mss = 1000);

	tt_in(&t, PLX_MS(1), "P. 101:201(100) ack 1 win 500");
	eq(t.rx.n_keep, 1);
	eq(t.rx.keep[0].at, 100);
	eq(t.rx.ready, 0);
	tt_out(&t, PLX_MS(1), ". 1:1(0) ack 1 sack 101:201");
	tt_in(&t, PLX_MS(2), "P. 1:101(100) ack 1 win 500");
	eq(t.rx.ready, 200);
	tt_out(&t, PLX_MS(2), ". 1:1(0) ack 201");
	tt_end(&t);
}

T(fins_cross)
{
	struct tt t = tt_established(.mss = 1000);

	tt_shutdown(&t);
	tt_out(&t, 0, "F. 1:1(0) ack 1");
	tt_in(&t, PLX_MS(1), "F. 1:1(0) ack 1 win 500");
	tt_out(&t, PLX_MS(1), ". 2:2(0) ack 2");
	eq(t.c->id.state, PLX_TCP_CLOSING);
	tt_in(&t, PLX_MS(2), ". ack 2 win 500");
	ok(t.rx.events & PLX_TCP_EV_TIME_WAIT);
	tt_end(&t);
}

static void same(const char *text)
{
	struct td_pkt pkt;
	char err[320], buf[TD_TEXT];

	if (td_pkt_parse(&pkt, true, text, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	str_eq(td_pkt_text(&pkt, buf), text);
}

T(packets_are_written_as_they_were_read)
{
	same("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>");
	same("[ce] FPUEW. 1:1001(1000) ack 7 win 3 urg 9 <nop,nop,sack 1:2 3:4>");
	same("8080 > 50000 R. 0:0(0) ack 1 <...>");
	same("- 1:101(100) win 8 <raw 0204,eol>");
}

T(what_is_no_packet_is_refused)
{
	static const char *const bad[] = {"", "X 0:0(0)", ". 1:2(5)", ". 1:1(0) ack", ". win 70000",
		". 1:1(0) <sack>", ". 1:1(0) <mss>", ". 1:1(0) <what 1>", ". 1:1(0) <nop",
		"icmp what", ". 1:1(0) ack 1 more"};
	struct td_pkt pkt;
	char err[320];

	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		if (td_pkt_parse(&pkt, true, bad[i], err, sizeof(err)) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
}

static int parse(const char *text, struct td_script *s)
{
	memset(s, 0, sizeof(*s));
	return td_script_parse(s, "x.pkt", text);
}

T(times_are_read)
{
	struct td_script s;
	const struct td_event *ev;

	eq(parse("--tolerance_usecs=1\n"
		 "0.5 `a`\n+.25 `b`\n+1~+2.000001 > . 1:1(0)\n* > . 1:1(0)\n"
		 "+0...0.2 f(3) = -1 EAGAIN (text)\n",
		   &s),
		0);
	eq(s.conf.tolerance_ns, 1000);
	ev = s.events;
	eq(ev->time.kind, TD_TIME_ABS);
	eq(ev->time.at, PLX_MS(500));
	ev = ev->next;
	eq(ev->time.kind, TD_TIME_REL);
	eq(ev->time.at, PLX_MS(250));
	ev = ev->next;
	ok(ev->time.range);
	eq(ev->time.end, PLX_US(2000001));
	ev = ev->next;
	eq(ev->time.kind, TD_TIME_ANY);
	ev = ev->next;
	ok(ev->time.blocking);
	eq(ev->time.done, PLX_MS(200));
	str_eq(ev->text, "+0...0.2 f(3) = -1 EAGAIN (text)");
	eq(ev->line, 6);
	td_script_free(&s);
}

T(an_error_names_its_line)
{
	struct td_script s;

	ne(parse("// fine\n+0 < . 1:1(0) ack 1 win 5\n+0 < Q 1:1(0)\n", &s), 0);
	str_eq(s.err, "x.pkt:3: 'Q' is no flag");
	td_script_free(&s);
	ne(parse("+0 read(3, ..., 5) =\n", &s), 0);
	td_script_free(&s);
	ne(parse("+0 %{ assert 1\n", &s), 0);
	td_script_free(&s);
	ne(parse("`sysctl", &s), 0);
	td_script_free(&s);
}

RUN(T_(a_write_leaves_in_segments), T_(a_long_one_is_matched_by_its_pieces),
	T_(rack_waits_for_the_reordering_window), T_(text_out_of_order_is_named), T_(fins_cross),
	T_(packets_are_written_as_they_were_read), T_(what_is_no_packet_is_refused),
	T_(times_are_read), T_(an_error_names_its_line))
