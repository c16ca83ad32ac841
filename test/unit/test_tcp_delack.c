/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

static uint32_t got; /* bytes of text that the peer has sent */

static void text(struct tt *t, uint32_t n)
{
	char s[64];

	sprintf(s, ". %u:%u(%u) ack %u", got + 1, got + n + 1, n, t->c.snd.nxt - tt_iss(t));
	eq(tt_in(t, s), PLX_DROP_NONE);
	got += n;
	plx_tcp_read(&t->c, n, t->now);
}

static void up(struct tt *t)
{
	tt_up(t);
	got = 0;
}

/* Past the quick ACKs of the start. */
static void settle(struct tt *t)
{
	for (int i = 0; i < 40; i++) {
		text(t, 1000);
		tt_drain(t);
		tt_ms(t, 1);
		tt_drain(t);
	}
	eq(t->c.rcv.quick, 0);
	if (t->c.ack_due)
		text(t, 1000);
	tt_drain(t);
	ok(!t->c.ack_due);
}

T(the_first_segments_are_acknowledged_at_once)
{
	static struct tt t;

	up(&t);
	for (int i = 0; i < 16; i++) {
		text(&t, 1000);
		eq(tt_drain(&t), 1);
		tt_ms(&t, 1);
	}
	text(&t, 1000);
	eq(tt_drain(&t), 0);
	tt_down(&t);
}

/* RFC 1122 4.2.3.2, RFC 5681 4.2. */
T(then_every_second_full_one)
{
	static struct tt t;

	up(&t);
	settle(&t);
	for (int i = 0; i < 20; i++) {
		text(&t, 1000);
		eq(tt_drain(&t), 0);
		text(&t, 1000);
		eq(tt_drain(&t), 1);
	}
	tt_down(&t);
}

T(a_lone_one_after_a_delay)
{
	static struct tt t;

	up(&t);
	settle(&t);
	text(&t, 1000);
	tt_none(&t, IDLE);
	ok(t.c.delack_ns - t.now <= PLX_MS(200)); /* RFC 1122: less than half a second */
	tt_timer(&t);
	eq(tt_drain(&t), 1);
	eq(tt_stat(&t, TCPEXT_DELAYEDACKS), 1);
	tt_none(&t, IDLE);
	eq(t.c.delack_ns, PLX_NEVER);
	tt_down(&t);
}

/* Linux: the delay doubles when it was in vain. */
T(a_delay_in_vain_grows)
{
	static struct tt t;
	uint32_t ato;

	up(&t);
	settle(&t);
	text(&t, 1000);
	tt_none(&t, IDLE);
	ato = t.c.rcv.ato_us;
	tt_timer(&t);
	tt_drain(&t);
	eq(t.c.rcv.ato_us, PLX_MIN(2 * ato, t.c.rtt.rto_us));
	tt_down(&t);
}

T(in_a_dialogue_the_answer_carries_it)
{
	static struct tt t;

	up(&t);
	text(&t, 100);
	tt_write(&t, 100); /* quickly answered: a dialogue */
	ok(tt_pull(&t));
	ok(t.c.pingpong);
	text(&t, 100);
	tt_none(&t, IDLE); /* though it is one of the first */
	tt_write(&t, 100);
	eq(tt_drain(&t), 1);
	/* and after time to think it still is one (Linux's tcp_incr_quickack()) */
	tt_ms(&t, 3000);
	tt_drain(&t);
	text(&t, 100);
	tt_none(&t, IDLE);
	/* until no answer comes */
	tt_timer(&t);
	eq(tt_drain(&t), 1);
	ok(!t.c.pingpong);
	tt_down(&t);
}

T(text_that_is_sent_does_not_end_quick_acks)
{
	static struct tt t;

	up(&t);
	text(&t, 1000);
	eq(tt_drain(&t), 1);
	tt_ms(&t, 100); /* no answer to it */
	tt_write(&t, 100);
	eq(tt_drain(&t), 1);
	ok(!t.c.pingpong);
	text(&t, 1000);
	eq(tt_drain(&t), 1);
	tt_down(&t);
}

T(a_program_may_ask_for_quick_acks_or_none)
{
	static struct tt t;

	up(&t);
	plx_tcp_set_quickack(&t.c, false, t.now);
	text(&t, 100);
	tt_none(&t, IDLE);
	plx_tcp_set_quickack(&t.c, true, t.now);
	tt_us(&t, 0);
	eq(tt_drain(&t), 1);
	text(&t, 100);
	eq(tt_drain(&t), 1);
	tt_down(&t);
}

T(a_gap_is_told_at_once)
{
	static struct tt t;

	up(&t);
	settle(&t);
	got += 1000;
	text(&t, 1000);
	ok(t.rx.ack_now);
	eq(tt_drain(&t), 1);
	tt_down(&t);
}

RUN(T_(the_first_segments_are_acknowledged_at_once), T_(then_every_second_full_one),
	T_(a_lone_one_after_a_delay), T_(a_delay_in_vain_grows),
	T_(in_a_dialogue_the_answer_carries_it), T_(text_that_is_sent_does_not_end_quick_acks),
	T_(a_program_may_ask_for_quick_acks_or_none), T_(a_gap_is_told_at_once))
