/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

static void up(struct tt *t, bool standard)
{
	tt_up(t);
	tt_tun(t, TCP_RTT_STANDARD, standard);
	tt_tun(t, TCP_RTO_MIN, 1000);
	t->c.rtt.srtt8_us = t->c.rtt.mdev4_us = t->c.rtt.rttvar4_us = 0;
}

static uint32_t rto(struct tt *t, uint32_t us)
{
	tcp__rtt_sample(&t->c, us, t->now);
	return tcp__rto_us(&t->c);
}

/* RFC 6298 2.2, 2.3: SRTT, RTTVAR by hand. */
T(standard_time_outs)
{
	static struct tt t;

	up(&t, true);
	eq(rto(&t, 100000), 300000);		 /* 100, 50 */
	eq(rto(&t, 100000), 100000 + 4 * 37500); /* 100, 37.5 */
	eq(rto(&t, 180000), 110000 + 4 * 48125); /* |100 - 180| / 4 + 37.5 * 3 / 4 */
	eq(t.c.rtt.srtt8_us >> 3, 110000);
	eq(rto(&t, 30000), 100000 + 4 * 56094 - 1); /* a shorter one counts the same */
	tt_tun(&t, TCP_RTO_MIN, 1000000);
	eq(rto(&t, 100000), 1000000); /* 2.4: as a whole */
	tt_down(&t);
	up(&t, true);
	tt_tun(&t, TCP_RTO_MIN, 200000);
	eq(rto(&t, 10000), 200000);
	eq(rto(&t, 10000), 200000);
	tt_down(&t);
}

T(the_least_counts_on_top_of_the_round_trip)
{
	static struct tt t;

	tt_up(&t); /* as Linux */
	eq(tcp__rto_us(&t.c), 210000);
	for (int i = 0; i < 100; i++)
		rto(&t, 10000);
	eq(tcp__rto_us(&t.c), 210000);
	tt_down(&t);
}

T(a_round_trip_that_gets_shorter_does_not_raise_it)
{
	static struct tt t;
	uint32_t last;

	up(&t, false);
	for (int i = 0; i < 200; i++)
		rto(&t, 100000);
	last = tcp__rto_us(&t.c);
	for (int i = 0; i < 50; i++) {
		uint32_t now = rto(&t, 100000 - 1500 * (uint32_t)i);

		ok(now <= last + 2000); /* 1/32 of what it fell by */
		last = now;
	}
	tt_down(&t);
}

T(the_deviation_of_the_last_flight_holds_until_it_is_over)
{
	static struct tt t;
	uint32_t after, floor;

	up(&t, false);
	for (int i = 0; i < 100; i++) {
		t.c.rtt.seq = t.c.snd.una - 1; /* each is a flight of its own */
		rto(&t, 100000);
	}
	t.c.rtt.seq = t.c.snd.una;
	after = rto(&t, 300000);
	floor = t.c.rtt.mdev_max4_us;
	eq(floor, t.c.rtt.rttvar4_us);
	for (int i = 0; i < 20; i++) {
		rto(&t, 100000);
		ok(tcp__rto_us(&t.c) >= (t.c.rtt.srtt8_us >> 3) + floor);
	}
	for (int i = 0; i < 40; i++) {
		t.c.rtt.seq = t.c.snd.una - 1;
		rto(&t, 100000);
	}
	ok(tcp__rto_us(&t.c) < after / 2);
	tt_down(&t);
}

/* Linux's tcp_rtt_estimator(), by hand. */
T(linux_like_time_outs)
{
	static struct tt t;

	up(&t, false);
	eq(rto(&t, 100000), 300000);
	t.c.rtt.seq = t.c.snd.una;
	eq(rto(&t, 100000), 300000); /* mdev falls, the flight's largest does not */
	eq(t.c.rtt.mdev4_us, 150000);
	t.c.rtt.seq = t.c.snd.una - 1;
	eq(rto(&t, 100000), 300000); /* 200 is the largest of this flight yet */
	eq(t.c.rtt.mdev_max4_us, 1000);
	t.c.rtt.seq = t.c.snd.una - 1;
	eq(rto(&t, 100000), 100000 + 200000 - (200000 - 84375) / 4);
	tt_down(&t);
}

T(it_is_bounded_and_doubles_up_to_the_bound)
{
	static struct tt t;

	up(&t, false);
	t.c.rtt.rto_us = 300000;
	for (int i = 0; i < 30; i++) {
		t.c.backoff = (uint8_t)i;
		eq(tcp__rto_us(&t.c), PLX_MIN(UINT64_C(300000) << i, UINT64_C(120000000)));
	}
	rto(&t, 4000000000u);
	ok(tcp__rto_us(&t.c) <= 120000000);
	eq(t.c.backoff, 0);
	tt_tun(&t, TCP_RTO_MAX, 5000);
	eq(tcp__rto_us(&t.c), 5000000);
	tt_down(&t);
}

T(jitter_is_added_to_the_least)
{
	static struct tt t;
	uint32_t least = UINT32_MAX, most = 0;

	tt_up(&t);
	tt_tun(&t, TCP_RTO_JITTER, 50);
	for (int i = 0; i < 200; i++) {
		t.c.rtt.srtt8_us = 0;
		least = PLX_MIN(least, rto(&t, 1000));
		most = PLX_MAX(most, tcp__rto_us(&t.c));
	}
	ok(least >= 201000 && least < 210000);
	ok(most > 290000 && most <= 301000);
	tt_down(&t);
}

T(the_least_round_trip_is_forgotten_after_five_minutes)
{
	static struct tt t;

	tt_up(&t);
	tcp__rtt_min(&t.c, 5000, t.now);
	eq(t.c.rtt.min_us, 5000);
	t.now += PLX_SEC(299);
	tcp__rtt_min(&t.c, 8000, t.now);
	eq(t.c.rtt.min_us, 5000);
	t.now += PLX_SEC(2);
	tcp__rtt_min(&t.c, 8000, t.now);
	eq(t.c.rtt.min_us, 8000);
	tt_down(&t);
}

RUN(T_(standard_time_outs), T_(the_least_counts_on_top_of_the_round_trip),
	T_(a_round_trip_that_gets_shorter_does_not_raise_it),
	T_(the_deviation_of_the_last_flight_holds_until_it_is_over), T_(linux_like_time_outs),
	T_(it_is_bounded_and_doubles_up_to_the_bound), T_(jitter_is_added_to_the_least),
	T_(the_least_round_trip_is_forgotten_after_five_minutes))
