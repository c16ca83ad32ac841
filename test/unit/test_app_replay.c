/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <string.h>

#include "../../app/replay.h"

/* Packets in memory, and when each is due. */

static struct replay_store s;

static void fill(const plx_ns *at, size_t n, uint32_t bytes)
{
	replay_free(&s);
	s.max = 1 << 20;
	for (size_t i = 0; i < n; i++)
		assert_non_null(replay_add(&s, at[i], "", 0, bytes));
}

static void due(const plx_ns *at, size_t n)
{
	const struct replay_pkt *p = replay_first(&s);

	for (size_t i = 0; i < n; i++, p = replay_next(&s, p)) {
		assert_non_null(p);
		eq(p->at_ns, at[i]);
	}
	assert_null(p);
}
#define FILL(bytes, ...)                                                                           \
	fill((const plx_ns[]){__VA_ARGS__}, PLX_DIM(((const plx_ns[]){__VA_ARGS__})), bytes)
#define DUE(...) due((const plx_ns[]){__VA_ARGS__}, PLX_DIM(((const plx_ns[]){__VA_ARGS__})))

T(packets_lie_one_behind_the_other)
{
	static const char text[] = "0123456789";
	const struct replay_pkt *p;

	replay_free(&s);
	s.max = 1 << 20;
	assert_null(replay_first(&s));
	for (uint32_t i = 0; i <= 10; i++)
		assert_non_null(replay_add(&s, i, text, i, i + i % 3));
	p = replay_first(&s);
	for (uint32_t i = 0; i <= 10; i++, p = replay_next(&s, p)) {
		eq(p->at_ns, i);
		eq(p->bytes, i + i % 3);
		eq((uintptr_t)p % 8, 0);
		mem_eq(p->data, text, i);
		mem_eq(p->data + i, "\0\0\0", i % 3);
	}
	assert_null(p);
	eq(s.pkts, 11);
	eq(s.bytes, 55 + 10);
}

T(no_more_than_is_allowed)
{
	uint64_t n = 0;

	replay_free(&s);
	s.max = 100000;
	while (replay_add(&s, 0, "", 0, 85)) /* and 12, in steps of 8 */
		n++;
	eq(errno, ENOSPC);
	eq(n, 100000 / 104);
	ok(s.room <= s.max);
	assert_null(replay_add(&s, 0, "", 0, UINT32_MAX - 64));
	eq(errno, ENOSPC);
	s.max = 0;
	replay_free(&s);
	assert_null(replay_add(&s, 0, "", 0, 0));
	eq(errno, ENOSPC);
}

T(as_the_file_says)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 1};

	FILL(60, 1000, 1500, 1500, 4000);
	replay_plan(&s, &pace);
	DUE(0, 500, 500, 3000);
	eq(replay_round_ns(&pace, 0), 0);
	eq(replay_round_ns(&pace, 1), 4000);
	eq(replay_round_ns(&pace, 5), 20000);
	eq(pace.backwards, 0);
}

T(faster_and_slower)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 10};

	FILL(60, 0, PLX_SEC(1), PLX_SEC(3));
	replay_plan(&s, &pace);
	DUE(0, PLX_MS(100), PLX_MS(300));
	eq(replay_round_ns(&pace, 2), PLX_MS(900));
	pace.speed = 0.5;
	FILL(60, -PLX_SEC(1), 0, PLX_SEC(3));
	replay_plan(&s, &pace);
	DUE(0, PLX_SEC(2), PLX_SEC(8));
}

/* What is out of order is due at once, and what follows at its own time. */
T(times_that_go_backwards)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 1};

	FILL(60, 100, 300, 200, 300, 50, 400);
	replay_plan(&s, &pace);
	DUE(0, 200, 200, 200, 200, 300);
	eq(pace.backwards, 2);
}

T(packets_without_a_time)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 1};

	FILL(60, REPLAY_NO_TIME, PLX_SEC(1000), REPLAY_NO_TIME, PLX_SEC(1001));
	replay_plan(&s, &pace);
	DUE(0, 0, 0, PLX_SEC(1));
	eq(pace.untimed, 2);
	eq(pace.backwards, 0);
	FILL(60, REPLAY_NO_TIME, REPLAY_NO_TIME);
	replay_plan(&s, &pace);
	DUE(0, 0);
	eq(replay_round_ns(&pace, UINT64_MAX), 0);
}

/* No sum of times is more than a plx_ns holds. */
T(times_of_madmen)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 0.000001};
	const plx_ns longest = INT64_MAX / 4;

	FILL(60, INT64_MIN + 1, INT64_MAX, 0);
	replay_plan(&s, &pace);
	DUE(0, longest, longest);
	eq(replay_round_ns(&pace, 1), longest);
	eq(replay_round_ns(&pace, UINT64_MAX), longest);
	pace.speed = 1;
	FILL(60, 0, PLX_SEC(1));
	replay_plan(&s, &pace);
	eq(replay_round_ns(&pace, 3), PLX_SEC(6));
	eq(replay_round_ns(&pace, UINT64_MAX), longest);
}

T(packets_a_second)
{
	struct replay_pace pace = {.mode = REPLAY_PPS, .rate = 3};

	FILL(60, 9, 8, 7, REPLAY_NO_TIME);
	replay_plan(&s, &pace);
	DUE(0, 333333333, 666666666, PLX_SEC(1));
	eq(replay_round_ns(&pace, 3), PLX_SEC(4)); /* nothing is lost by rounding */
	eq(replay_round_ns(&pace, 1), 1333333333);
	pace.rate = UINT32_MAX;
	FILL(60, 0);
	replay_plan(&s, &pace);
	eq(replay_round_ns(&pace, UINT32_MAX), PLX_SEC(1));
}

T(bits_a_second)
{
	struct replay_pace pace = {.mode = REPLAY_BPS, .rate = 1000000};

	FILL(125, 0, 0, 0);
	replay_plan(&s, &pace);
	DUE(0, PLX_MS(1), PLX_MS(2));
	eq(replay_round_ns(&pace, 10), PLX_MS(30));
}

T(as_fast_as_it_goes)
{
	struct replay_pace pace = {.mode = REPLAY_FLAT};

	FILL(60, 5, 50, 500);
	replay_plan(&s, &pace);
	DUE(0, 0, 0);
	eq(replay_round_ns(&pace, UINT64_MAX), 0);
}

T(one_packet_is_a_round_without_length)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 1};

	FILL(60, 5);
	replay_plan(&s, &pace);
	eq(replay_round_ns(&pace, 7), 0);
	replay_free(&s);
	replay_plan(&s, &pace);
	eq(replay_round_ns(&pace, 7), 0);
}

T(speeds_in_words)
{
	static const char *const bad[] = {"", "x", ".", "0", "-1", "1x0", "xx2", "1e3", "inf",
		"nan", "0x10", "1.2.3", " 1", "1 ", "0.0000001", "1000001", "x-1", "1,5",
		"1111111111111111111111111"};
	uint64_t bps;
	double v;

	ok(replay_speed_parse(&v, "x10") && v == 10);
	ok(replay_speed_parse(&v, "10x") && v == 10);
	ok(replay_speed_parse(&v, "0.5") && v == 0.5);
	ok(replay_speed_parse(&v, ".5") && v == 0.5);
	ok(replay_speed_parse(&v, "2.") && v == 2);
	ok(replay_speed_parse(&v, "1000000") && v == 1000000);
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		if (replay_speed_parse(&v, bad[i]))
			fail_msg("'%s' is no speed", bad[i]);
	ok(replay_mbps_parse(&bps, "0.001") && bps == 1000);
	ok(replay_mbps_parse(&bps, "12.5") && bps == 12500000);
	ok(replay_mbps_parse(&bps, "1000000") && bps == 1000000000000);
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		if (strcmp(bad[i], "1000001") != 0 && replay_mbps_parse(&bps, bad[i]))
			fail_msg("'%s' are no Mb/s", bad[i]);
	ok(!replay_mbps_parse(&bps, "x10"));
	ok(!replay_mbps_parse(&bps, "1000000.1"));
}

RUN(T_(packets_lie_one_behind_the_other), T_(no_more_than_is_allowed), T_(as_the_file_says),
	T_(faster_and_slower), T_(times_that_go_backwards), T_(packets_without_a_time),
	T_(times_of_madmen), T_(packets_a_second), T_(bits_a_second), T_(as_fast_as_it_goes),
	T_(one_packet_is_a_round_without_length), T_(speeds_in_words))
