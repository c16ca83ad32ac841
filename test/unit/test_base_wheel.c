/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_rng.h>
#include <plx_base_wheel.h>

#define TICK 1024 /* ns */

/* What fired, in order, as "ab". */
struct log {
	char text[64];
};

static void note(struct plx_timer *t, void *arg)
{
	struct log *l = arg;
	size_t n = strlen(l->text);

	ok(!plx_timer_is_armed(t));
	ok(n + 1 < sizeof(l->text));
	l->text[n] = (char)t->tag;
	l->text[n + 1] = '\0';
}

/* Run with budget to spare: exactly these fire. */
static void fires(struct plx_wheel *w, plx_ns now, const char *want)
{
	struct log l = {""};

	ok(plx_wheel_run(w, now, 1000, note, &l) < 1000);
	str_eq(l.text, want);
}

static struct plx_timer timer(char tag)
{
	return (struct plx_timer){.tag = (uint32_t)tag};
}

T(never_early_and_at_most_a_tick_late)
{
	struct plx_timer a = timer('a'), b = timer('b'), c = timer('c');
	struct plx_wheel w;

	plx_wheel_init(&w, 0, TICK);
	eq(plx_wheel_tick(&w), TICK);
	eq(plx_wheel_deadline(&w), PLX_NEVER);
	plx_wheel_add(&w, &a, 10 * TICK);
	plx_wheel_add(&w, &b, 10 * TICK + 1); /* just misses that tick */
	plx_wheel_add(&w, &c, 5000 * TICK);
	ok(plx_timer_is_armed(&a));
	eq(plx_wheel_count(&w), 3);
	eq(plx_wheel_deadline(&w), 10 * TICK);
	fires(&w, 10 * TICK - 1, "");
	fires(&w, 10 * TICK, "a");
	eq(plx_wheel_deadline(&w), 11 * TICK);
	fires(&w, 11 * TICK - 1, "");
	fires(&w, 11 * TICK, "b");
	ok(plx_wheel_deadline(&w) <= 5000 * TICK);
	fires(&w, 5000 * TICK - 1, "");
	eq(plx_wheel_deadline(&w), 5000 * TICK);
	fires(&w, 4000 * TICK, ""); /* a clock that goes back does no harm */
	fires(&w, 5000 * TICK, "c");
	eq(plx_wheel_count(&w), 0);
	eq(plx_wheel_deadline(&w), PLX_NEVER);
}

T(the_tick_is_rounded_down_to_a_power_of_two)
{
	struct plx_timer a = timer('a');
	struct plx_wheel w;

	plx_wheel_init(&w, 0, PLX_MS(1));
	eq(plx_wheel_tick(&w), 1 << 19);
	plx_wheel_init(&w, 0, 1);
	eq(plx_wheel_tick(&w), 1);
	plx_wheel_add(&w, &a, 77);
	fires(&w, 76, "");
	fires(&w, 77, "a");
}

T(armed_again_moves_and_disarmed_is_silent)
{
	struct plx_timer a = timer('a'), b = timer('b');
	struct plx_wheel w;

	plx_wheel_init(&w, 0, TICK);
	plx_wheel_add(&w, &a, 10 * TICK);
	plx_wheel_add(&w, &a, 1000 * TICK);
	eq(plx_wheel_count(&w), 1);
	fires(&w, 900 * TICK, "");
	plx_wheel_add(&w, &a, 901 * TICK);
	eq(plx_wheel_deadline(&w), 901 * TICK);
	plx_wheel_add(&w, &b, 901 * TICK);
	plx_wheel_del(&w, &b);
	plx_wheel_del(&w, &b);
	ok(!plx_timer_is_armed(&b));
	fires(&w, 2000 * TICK, "a");
	plx_wheel_add(&w, &a, 2001 * TICK);
	plx_wheel_add(&w, &a, PLX_NEVER);
	ok(!plx_timer_is_armed(&a));
	plx_wheel_add(&w, &b, PLX_NEVER);
	ok(!plx_timer_is_armed(&b));
	eq(plx_wheel_count(&w), 0);
	eq(plx_wheel_deadline(&w), PLX_NEVER);
	fires(&w, PLX_NEVER - 1, "");
}

T(what_is_overdue_fires_with_the_next_tick)
{
	struct plx_timer a = timer('a'), b = timer('b');
	struct plx_wheel w;

	plx_wheel_init(&w, 0, TICK);
	fires(&w, 100 * TICK + 7, "");
	plx_wheel_add(&w, &a, 3);
	plx_wheel_add(&w, &b, 100 * TICK + 7);
	eq(plx_wheel_deadline(&w), 101 * TICK);
	fires(&w, 101 * TICK, "ab");
}

T(the_owners_fields_are_left_alone)
{
	struct plx_timer a = {.kind = 7, .tag = 'a'};
	struct plx_wheel w;

	plx_wheel_init(&w, 0, TICK);
	plx_wheel_add(&w, &a, 70 * TICK);
	eq(a.when, 70 * TICK);
	fires(&w, 70 * TICK, "a");
	eq(a.kind, 7);
	eq(a.tag, 'a');
}

T(both_ends_of_time)
{
	struct plx_timer a = timer('a'), b = timer('b'), c = timer('c');
	struct plx_wheel w;

	plx_wheel_init(&w, -PLX_SEC(5), 1);
	plx_wheel_add(&w, &a, PLX_NEVER - 1);
	plx_wheel_add(&w, &b, -PLX_SEC(1));
	plx_wheel_add(&w, &c, INT64_MIN);
	fires(&w, INT64_MIN, "");
	fires(&w, -PLX_SEC(5) + 1, "c");
	fires(&w, -PLX_SEC(1) - 1, "");
	eq(plx_wheel_deadline(&w), -PLX_SEC(1));
	fires(&w, -PLX_SEC(1), "b");
	ok(plx_wheel_deadline(&w) <= PLX_NEVER - 1);
	fires(&w, PLX_NEVER - 2, "");
	eq(plx_wheel_deadline(&w), PLX_NEVER - 1);
	fires(&w, PLX_NEVER - 1, "a");

	/* Rounded up, it would lie beyond the end. */
	plx_wheel_init(&w, 0, TICK);
	plx_wheel_add(&w, &a, PLX_NEVER - 1);
	fires(&w, PLX_NEVER - TICK, "");
	eq(plx_wheel_deadline(&w), PLX_NEVER - 1);
}

/* Sleeping from deadline to deadline costs a few wake-ups, however far the timer is. */
T(few_wakeups_for_a_far_timer)
{
	struct plx_timer a = timer('a');
	plx_ns when = PLX_SEC(86400) * 10 + 12345, now = 0;
	struct log l = {""};
	struct plx_wheel w;
	int wakeups = 0;

	plx_wheel_init(&w, 0, PLX_MS(1));
	plx_wheel_add(&w, &a, when);
	while (plx_timer_is_armed(&a)) {
		ok(plx_wheel_deadline(&w) > now);
		now = plx_wheel_deadline(&w);
		eq(plx_wheel_run(&w, now, 10, note, &l), 1);
		wakeups++;
	}
	ok(now >= when && now < when + plx_wheel_tick(&w));
	ok(wakeups <= 6); /* 10 days are 31 bits of ticks */
}

/* --- callbacks --- */

struct scene {
	struct plx_wheel w;
	struct plx_timer *victim, *again;
	plx_ns again_at;
	struct log log;
};

static void act(struct plx_timer *t, void *arg)
{
	struct scene *s = arg;

	note(t, &s->log);
	if (s->victim)
		plx_wheel_del(&s->w, s->victim);
	if (s->again)
		plx_wheel_add(&s->w, s->again, s->again_at);
}

T(a_callback_may_delete_its_neighbour)
{
	struct plx_timer a = timer('a'), b = timer('b');
	struct scene s = {.victim = &b};

	plx_wheel_init(&s.w, 0, TICK);
	plx_wheel_add(&s.w, &a, 5 * TICK);
	plx_wheel_add(&s.w, &b, 5 * TICK);
	eq(plx_wheel_run(&s.w, 6 * TICK, 100, act, &s), 1);
	str_eq(s.log.text, "a");
	ok(!plx_timer_is_armed(&b));
	eq(plx_wheel_count(&s.w), 0);
	eq(plx_wheel_deadline(&s.w), PLX_NEVER);
}

T(a_callback_may_arm_itself_or_its_neighbour)
{
	struct plx_timer a = timer('a'), b = timer('b');
	struct scene s = {.again = &a};

	plx_wheel_init(&s.w, 0, TICK);
	plx_wheel_add(&s.w, &a, 5 * TICK);
	s.again_at = 8 * TICK;
	eq(plx_wheel_run(&s.w, 5 * TICK, 100, act, &s), 1);
	s.again = &b; /* not armed before: from now on it arms itself, a tick later each time */
	s.again_at = 0;
	eq(plx_wheel_run(&s.w, 11 * TICK, 100, act, &s), 4);
	str_eq(s.log.text, "aabbb");
	eq(plx_wheel_deadline(&s.w), 12 * TICK);
}

static void free_it(struct plx_timer *t, void *arg)
{
	++*(int *)arg;
	free(t);
}

T(a_callback_may_free_its_timer)
{
	struct plx_wheel w;
	int freed = 0;

	plx_wheel_init(&w, 0, TICK);
	for (int i = 0; i < 100; i++)
		plx_wheel_add(&w, calloc(1, sizeof(struct plx_timer)), i / 10 * 100 * TICK);
	while (plx_wheel_count(&w))
		ok(plx_wheel_run(&w, PLX_SEC(1), 7, free_it, &freed) <= 7);
	eq(freed, 100);
}

T(what_the_budget_cuts_off_comes_next)
{
	struct plx_timer v[10];
	struct log l = {""};
	struct plx_wheel w;

	plx_wheel_init(&w, 0, TICK);
	for (int i = 0; i < 10; i++) {
		v[i] = timer((char)('0' + i));
		plx_wheel_add(&w, &v[i], (i < 8 ? 100 : 101) * TICK);
	}
	eq(plx_wheel_run(&w, 200 * TICK, 0, note, &l), 0);
	eq(plx_wheel_run(&w, 200 * TICK, 4, note, &l), 4); /* four of ten moved down a level */
	ok(plx_wheel_deadline(&w) <= 100 * TICK);
	str_eq(l.text, "");
	eq(plx_wheel_run(&w, 200 * TICK, 9, note, &l), 9);
	str_eq(l.text, "012");
	ok(plx_wheel_deadline(&w) <= 100 * TICK);
	plx_wheel_del(&w, &v[4]);
	plx_wheel_del(&w, &v[9]);
	plx_wheel_add(&w, &v[5], 150 * TICK);
	/* Time needs not pass for the rest: 3 6 7, 8, and 5, which is due by now, too. */
	ok(plx_wheel_run(&w, 200 * TICK, 100, note, &l) < 100);
	str_eq(l.text, "01236785");
	eq(plx_wheel_count(&w), 0);
}

/* --- against a naive model --- */

enum { TIMERS = 256 };

struct world {
	struct plx_wheel w;
	struct plx_rng rng;
	struct plx_timer t[TIMERS];
	bool armed[TIMERS];
	plx_ns since[TIMERS]; /* armed at; the wheel can't be blamed for what came before */
	plx_ns now, horizon;
	unsigned int fired, ops;
};

/* Mostly near, sometimes far, sometimes in the past, seldom never. */
static plx_ns random_when(struct world *m)
{
	plx_ns span = m->horizon >> plx_rng_below(&m->rng, 40);

	switch (plx_rng_below(&m->rng, 16)) {
	case 0:
		return m->now - (plx_ns)plx_rng_below(&m->rng, (uint64_t)span + 1);
	case 1:
		return m->now;
	default:
		return m->now + (plx_ns)plx_rng_below(&m->rng, (uint64_t)span + 1);
	}
}

static void random_op(struct world *m)
{
	size_t i = plx_rng_below(&m->rng, TIMERS);

	m->ops++;
	if (plx_rng_chance(&m->rng, 0.3)) {
		plx_wheel_del(&m->w, &m->t[i]);
		m->armed[i] = false;
	} else {
		plx_ns when = plx_rng_chance(&m->rng, 0.01) ? PLX_NEVER : random_when(m);

		plx_wheel_add(&m->w, &m->t[i], when);
		m->armed[i] = when != PLX_NEVER;
		m->since[i] = m->now;
	}
	eq(plx_timer_is_armed(&m->t[i]), m->armed[i]);
}

static void model_fire(struct plx_timer *t, void *arg)
{
	struct world *m = arg;
	size_t i = (size_t)(t - m->t);

	ok(m->armed[i]);
	ok(t->when <= m->now);
	m->armed[i] = false;
	m->fired++;
	if (plx_rng_chance(&m->rng, 0.5))
		random_op(m);
}

static void random_run(struct world *m)
{
	unsigned int budget =
		plx_rng_chance(&m->rng, 0.3) ? (unsigned int)plx_rng_below(&m->rng, 20) : 1u << 20;
	plx_ns deadline = plx_wheel_deadline(&m->w);
	unsigned int used, before = m->fired;
	uint64_t count = 0;

	m->now += (plx_ns)plx_rng_below(
		&m->rng, (uint64_t)(m->horizon >> plx_rng_below(&m->rng, 44)) + 2);
	used = plx_wheel_run(&m->w, m->now, budget, model_fire, m);
	ok(used <= budget);
	ok(m->fired - before <= used);
	if (m->now < deadline)
		eq(used, 0);
	for (size_t i = 0; i < TIMERS; i++) {
		eq(plx_timer_is_armed(&m->t[i]), m->armed[i]);
		count += m->armed[i];
		if (m->armed[i] && used < budget)
			ok(m->now < PLX_MAX(m->t[i].when, m->since[i]) + plx_wheel_tick(&m->w));
	}
	eq(plx_wheel_count(&m->w), count);
	eq(plx_wheel_deadline(&m->w) == PLX_NEVER, count == 0);
	if (used < budget)
		ok(plx_wheel_deadline(&m->w) > m->now);
}

static void against_model(
	uint64_t seed, plx_ns start, plx_ns tick, plx_ns horizon, unsigned int ops)
{
	struct world *m = calloc(1, sizeof(*m));

	plx_rng_init(&m->rng, seed);
	m->now = start;
	m->horizon = horizon;
	plx_wheel_init(&m->w, start, tick);
	while (m->ops < ops) {
		for (uint64_t n = plx_rng_below(&m->rng, 60); n > 0; n--)
			random_op(m);
		random_run(m);
	}
	ok(m->fired > ops / 100);
	free(m);
}

T(agrees_with_a_naive_model)
{
	uint64_t seed = t_seed(1);

	against_model(seed, 0, 1, 1 << 12, 300000);
	against_model(seed + 1, 0, TICK, PLX_SEC(1), 300000);
	against_model(seed + 2, -PLX_SEC(1), PLX_MS(1), PLX_SEC(100), 400000);
	against_model(seed + 3, PLX_SEC(1), PLX_MS(1), PLX_SEC(3600), 500000);
	against_model(seed + 4, 0, PLX_US(10), PLX_SEC(86400) * 30, 500000);
	against_model(seed + 5, 0, 1, PLX_SEC(86400) * 365, 200000);
}

/* --- a million timers --- */

enum { MILLION = 1000000 };

static void count_it(struct plx_timer *t, void *arg)
{
	++*(unsigned int *)arg;
}

/* How many timers a call touched, seen from outside: those that are in another slot after it. */
static unsigned int touched(struct plx_wheel *w, struct plx_timer *v, uint16_t *slots, plx_ns now,
	unsigned int budget, unsigned int *fired)
{
	unsigned int n = 0;

	for (int i = 0; i < MILLION; i++)
		slots[i] = v[i].slot;
	ok(plx_wheel_run(w, now, budget, count_it, fired) <= budget);
	for (int i = 0; i < MILLION; i++)
		n += slots[i] != v[i].slot;
	return n;
}

T(a_million_timers_with_bounded_calls)
{
	enum { BUDGET = 1000 };
	struct plx_timer *v = calloc(MILLION, sizeof(*v));
	uint16_t *slots = calloc(MILLION, sizeof(*slots));
	unsigned int fired = 0, calls = 0, used;
	plx_ns hour = PLX_SEC(3600);
	struct plx_wheel w;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(2));
	plx_wheel_init(&w, 0, PLX_MS(1));
	for (int i = 0; i < MILLION; i++)
		plx_wheel_add(&w, &v[i], (plx_ns)plx_rng_below(&r, (uint64_t)hour));
	eq(plx_wheel_count(&w), MILLION);

	/* The clock jumps over all of them: each call does its share and no more. */
	do {
		if (calls % 500 == 0) {
			ok(touched(&w, v, slots, 2 * hour, BUDGET, &fired) <= BUDGET);
			used = BUDGET;
		} else {
			used = plx_wheel_run(&w, 2 * hour, BUDGET, count_it, &fired);
			ok(used <= BUDGET);
		}
		calls++;
	} while (used == BUDGET && calls < 10000);
	eq(fired, MILLION);
	/* An hour of such ticks is 23 bits: four levels, so at most three moves and a firing each.
	 */
	ok(calls <= 4 * MILLION / BUDGET + 2);
	free(slots);
	free(v);
}

T(a_million_timers_in_one_slot)
{
	struct plx_timer *v = calloc(MILLION, sizeof(*v));
	plx_ns when = PLX_SEC(86400);
	unsigned int fired = 0;
	struct plx_wheel w;

	plx_wheel_init(&w, 0, PLX_MS(1));
	for (int i = 0; i < MILLION; i++)
		plx_wheel_add(&w, &v[i], when);
	eq(plx_wheel_run(&w, when - PLX_MS(1), 64, count_it, &fired), 64);
	ok(plx_wheel_deadline(&w) < when);
	for (int i = 0; i < MILLION; i += 2) /* from where they are, in the middle of it */
		plx_wheel_del(&w, &v[i]);
	eq(plx_wheel_count(&w), MILLION / 2);
	while (plx_wheel_run(&w, when - PLX_MS(1), 1 << 16, count_it, &fired) == 1 << 16)
		;
	eq(fired, 0);
	while (plx_wheel_run(&w, when + PLX_MS(1), 64, count_it, &fired) == 64)
		;
	eq(fired, MILLION / 2);
	free(v);
}

RUN(T_(never_early_and_at_most_a_tick_late), T_(the_tick_is_rounded_down_to_a_power_of_two),
	T_(armed_again_moves_and_disarmed_is_silent), T_(what_is_overdue_fires_with_the_next_tick),
	T_(the_owners_fields_are_left_alone), T_(both_ends_of_time),
	T_(few_wakeups_for_a_far_timer), T_(a_callback_may_delete_its_neighbour),
	T_(a_callback_may_arm_itself_or_its_neighbour), T_(a_callback_may_free_its_timer),
	T_(what_the_budget_cuts_off_comes_next), T_(agrees_with_a_naive_model),
	T_(a_million_timers_with_bounded_calls), T_(a_million_timers_in_one_slot))
