/* SPDX-License-Identifier: BSD-3-Clause */
#include "listen_t.h"

#include "listen.h"

/* A number within 3 of the right one is right for another MSS. */
#define MSS_APART 4

T(a_cookie_brings_back_the_mss_for_two_periods)
{
	static struct lt t;
	struct plx_tcp_start s = {.irs = LT_IRS, .mss = 1460};

	lt_up(&t);
	s.iss = tcp__cookie_make(&t.ctx, &t.id, &s, PLX_SEC(640));
	eq(tcp__cookie_mss(&t.ctx, &t.id, &s, PLX_SEC(640)), 1460);
	eq(tcp__cookie_mss(&t.ctx, &t.id, &s, PLX_SEC(640 + 128) - 1), 1460);
	eq(tcp__cookie_mss(&t.ctx, &t.id, &s, PLX_SEC(640 + 128)), 0);
	eq(tcp__cookie_mss(&t.ctx, &t.id, &s, PLX_SEC(639)), 0); /* from the future */
	lt_down(&t);
}

T(it_is_good_for_one_flow_and_one_isn_only)
{
	static struct lt t;
	struct plx_tcp_start s = {.irs = LT_IRS, .mss = 1460}, other;
	struct plx_tcp_id id;

	lt_up(&t);
	s.iss = tcp__cookie_make(&t.ctx, &t.id, &s, 0);
	other = s;
	other.irs += MSS_APART;
	eq(tcp__cookie_mss(&t.ctx, &t.id, &other, 0), 0);
	id = t.id;
	id.rport++;
	eq(tcp__cookie_mss(&t.ctx, &id, &s, 0), 0);
	lt_down(&t);
}

T(the_mss_is_rounded_down_to_one_of_the_table)
{
	static struct lt t;
	static const struct {
		const char *addr;
		uint16_t mss, back;
	} rows[] = {{"10.0.0.1", 100, 536}, {"10.0.0.1", 1299, 536}, {"10.0.0.1", 1300, 1300},
		{"10.0.0.1", 1459, 1440}, {"10.0.0.1", 8960, 1460}, {"2001:db8::1", 1220, 1220},
		{"2001:db8::1", 1439, 1420}, {"2001:db8::1", 8940, 8940}};

	lt_up(&t);
	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_tcp_id id = tuple(rows[i].addr, 80, rows[i].addr, 99);
		struct plx_tcp_start s = {.irs = 1, .mss = rows[i].mss};

		s.iss = tcp__cookie_make(&t.ctx, &id, &s, 0);
		eq(tcp__cookie_mss(&t.ctx, &id, &s, 0), rows[i].back);
	}
	lt_down(&t);
}

/* By hand: 1000 ms = 0x3e8, without its low six bits 0x3c0. */
T(options_travel_in_the_low_bits_of_the_timestamp)
{
	struct plx_tcp_start s = {.wscale_ok = true, .snd_wscale = 7, .sack_ok = true};

	eq(tcp__cookie_ts(&s, PLX_MS(1000)), 0x3c0 | 0x10 | 7);
	s.ecn_ok = true; /* 0x3c0 | 0x37 = 1015, later than now: one step back */
	eq(tcp__cookie_ts(&s, PLX_MS(1000)), 0x380 | 0x37);
	s = (struct plx_tcp_start){0};
	eq(tcp__cookie_ts(&s, PLX_MS(1000)), 0x3c0 | 15);
}

T(options_come_back_and_none_that_is_forbidden)
{
	static struct lt t;
	struct plx_tcp_start s = {0};

	lt_up(&t);
	ok(tcp__cookie_options(&t.ctx, 0x380 | 0x37, &s));
	ok(s.wscale_ok && s.sack_ok && s.ecn_ok);
	eq(s.snd_wscale, 7);
	ok(tcp__cookie_options(&t.ctx, 0x3c0 | 15, &s));
	ok(!s.wscale_ok && !s.sack_ok && !s.ecn_ok);
	lt_tun(&t, PLX_TUN_TCP_ECN, 0);
	ok(tcp__cookie_options(&t.ctx, 0x37, &s));
	ok(!s.ecn_ok);
	lt_tun(&t, PLX_TUN_TCP_SACK, 0);
	ok(!tcp__cookie_options(&t.ctx, 0x37, &s));
	ok(tcp__cookie_options(&t.ctx, 0x07, &s));
	lt_tun(&t, PLX_TUN_TCP_WINDOW_SCALING, 0);
	ok(!tcp__cookie_options(&t.ctx, 0x07, &s));
	ok(tcp__cookie_options(&t.ctx, 0x0f, &s));
	lt_tun(&t, PLX_TUN_TCP_TIMESTAMPS, 0);
	ok(!tcp__cookie_options(&t.ctx, 0x0f, &s));
	lt_down(&t);
}

T(of_a_million_forged_ones_none_is_taken)
{
	static struct lt t;
	struct plx_rng r;
	uint32_t taken = 0;

	lt_up(&t);
	plx_rng_init(&r, t_seed(0xc00c1e));
	t.l.cookie_sent = true;
	t.l.cookie_last_ns = PLX_SEC(1000);
	for (int i = 0; i < 1000000; i++) {
		struct plx_tcp_seg seg = {
			.seq = plx_rng_u32(&r), .ack = plx_rng_u32(&r), .flags = PLX_TCP_ACK};

		t.id.raddr.w[3] = plx_rng_u32(&r);
		t.id.rport = (uint16_t)plx_rng_u32(&r);
		taken += lt_in(&t, seg, PLX_SEC(1000)) == PLX_TCP_VERDICT_ACCEPT;
	}
	eq(taken, 0);
	eq(lt_stat(&t, TCPEXT_SYNCOOKIESFAILED), 1000000);
	lt_down(&t);
}

/* The last 24 bits: given the period, four numbers of each 2^24 are right, and no more. */
T(a_guesser_who_knows_the_period_needs_2_to_the_22_tries)
{
	static struct lt t;
	struct plx_tcp_start s = {.irs = LT_IRS, .mss = 536};
	uint32_t right = 0, iss;

	lt_up(&t);
	iss = tcp__cookie_make(&t.ctx, &t.id, &s, 0);
	for (uint32_t i = 0; i < 1 << 24; i += 1 << 4) {
		s.iss = iss + i;
		right += tcp__cookie_mss(&t.ctx, &t.id, &s, 0) != 0;
	}
	eq(right, 1); /* itself: the other three are its neighbours */
	lt_down(&t);
}

RUN(T_(a_cookie_brings_back_the_mss_for_two_periods), T_(it_is_good_for_one_flow_and_one_isn_only),
	T_(the_mss_is_rounded_down_to_one_of_the_table),
	T_(options_travel_in_the_low_bits_of_the_timestamp),
	T_(options_come_back_and_none_that_is_forbidden),
	T_(of_a_million_forged_ones_none_is_taken),
	T_(a_guesser_who_knows_the_period_needs_2_to_the_22_tries))
