/* SPDX-License-Identifier: BSD-3-Clause */
#include "../unit/t.h"
#include "sim.h"

#include <stdlib.h>

/*
 * Any seed makes a world: a link each way with faults of its own, some connections with programs
 * that send, answer, dawdle and close. In each world every byte arrives once, in order, whole;
 * every connection ends; no memory is left; time never stands still. A failure prints its seed:
 * PLX_TEST_SEED=N runs that world alone, PLX_TRACE=1 shows its segments.
 */

static double pick(struct plx_rng *r, const double *v, size_t n)
{
	return v[plx_rng_below(r, n)];
}

/* Faults that a connection can live through: without a limit of time it would always arrive. */
static void fault(struct plx_rng *r, char *text, size_t len)
{
	static const double loss[] = {0, 0, 0.1, 1, 3, 10}, late[] = {0, 0, 1, 10};
	static const double delay[] = {0.1, 1, 10, 50, 150}, rate[] = {1, 5, 50, 1000};
	double d = pick(r, delay, PLX_DIM(delay));
	int n = snprintf(text, len, "delay=%dus", (int)(d * 1000));

	if (plx_rng_chance(r, 0.5))
		n += snprintf(
			text + n, len - (size_t)n, ",loss=%g%%", pick(r, loss, PLX_DIM(loss)));
	if (plx_rng_chance(r, 0.3))
		n += snprintf(text + n, len - (size_t)n, ",jitter=%dus", (int)(d * 1000 / 2));
	if (plx_rng_chance(r, 0.3))
		n += snprintf(text + n, len - (size_t)n, ",reorder=%g%%:%dus",
			pick(r, late, PLX_DIM(late)), (int)(d * 700));
	if (plx_rng_chance(r, 0.2))
		n += snprintf(text + n, len - (size_t)n, ",dup=2%%");
	if (plx_rng_chance(r, 0.1))
		n += snprintf(text + n, len - (size_t)n, ",corrupt=1%%");
	if (plx_rng_chance(r, 0.4))
		snprintf(text + n, len - (size_t)n, ",rate=%gmbit,queue=%uk",
			pick(r, rate, PLX_DIM(rate)), (unsigned int)(20 + plx_rng_below(r, 300)));
}

static void options(struct plx_rng *r, struct sim *s)
{
	int64_t *v = s->tun.v;

	v[PLX_TUN_TCP_SACK] = plx_rng_chance(r, 0.85);
	v[PLX_TUN_TCP_DSACK] = plx_rng_chance(r, 0.9);
	v[PLX_TUN_TCP_TIMESTAMPS] = plx_rng_chance(r, 0.8);
	v[PLX_TUN_TCP_WINDOW_SCALING] = plx_rng_chance(r, 0.9);
	v[PLX_TUN_TCP_CUBIC] = plx_rng_chance(r, 0.7);
	v[PLX_TUN_TCP_ECN] = (int64_t)plx_rng_below(r, 3);
	v[PLX_TUN_TCP_FRTO] = plx_rng_chance(r, 0.8) ? 2 : 0;
	v[PLX_TUN_TCP_RECOVERY] = plx_rng_chance(r, 0.9);
	v[PLX_TUN_TCP_EARLY_RETRANS] = plx_rng_chance(r, 0.9) ? 3 : 0;
	v[PLX_TUN_TCP_PACING] = plx_rng_chance(r, 0.2);
	if (plx_rng_chance(r, 0.1))
		v[PLX_TUN_TCP_RMEM_DEFAULT] = 4096;
	s->mtu = plx_rng_chance(r, 0.2) ? 576 : plx_rng_chance(r, 0.1) ? 9000 : 1500;
}

static void program(struct plx_rng *r, struct sim_end *a, struct sim_end *b)
{
	a->to_send = plx_rng_below(r, plx_rng_chance(r, 0.2) ? 2000000 : 100000);
	if (plx_rng_chance(r, 0.3))
		b->answer = 1;
	else
		b->to_send = plx_rng_below(r, 100000);
	if (plx_rng_chance(r, 0.2))
		b->read_rate = 20000 + plx_rng_below(r, 500000);
}

static bool whole(const struct sim_end *from, const struct sim_end *to)
{
	return to->received == from->to_send + from->answer * from->read;
}

/* @return what went wrong, or NULL. */
static const char *world(uint64_t seed, char *text, size_t len)
{
	struct sim *s = malloc(sizeof(*s));
	struct plx_rng r;
	uint32_t n;
	struct sim_end *e;
	struct sim_link there, back;
	char f1[256], f2[256];
	const char *wrong = NULL;
	bool over;

	plx_rng_init(&r, seed);
	n = 1 + (uint32_t)plx_rng_below(&r, 4);
	e = calloc(2 * n, sizeof(*e));
	assert_non_null(s);
	assert_non_null(e);
	sim_init(s, seed);
	s->trace = getenv("PLX_TRACE") != NULL;
	fault(&r, f1, sizeof(f1));
	fault(&r, f2, sizeof(f2));
	options(&r, s);
	sim_link_init(s, &there, f1);
	sim_link_init(s, &back, f2);
	for (uint32_t i = 0; i < n; i++) {
		program(&r, &e[2 * i], &e[2 * i + 1]);
		sim_connect(s, &e[2 * i], &there, &e[2 * i + 1], &back,
			PLX_US(plx_rng_below(&r, 2000000)));
	}
	over = sim_run(s, PLX_SEC(86400));
	for (uint32_t i = 0; i < 2 * n && !wrong; i++)
		if (e[i].c.err)
			wrong = "a connection failed";
		else if (!whole(&e[i], &e[i ^ 1]))
			wrong = "bytes are missing";
	sim_fini(s);
	if (!over && !wrong)
		wrong = "not all connections ended";
	if (s->broken)
		wrong = "broken";
	snprintf(text, len, "%s%s; there %s, back %s, at %.1f s", wrong ? wrong : "",
		s->broken ? s->broken : "", f1, f2, (double)s->now / 1e9);
	free(e);
	free(s);
	return wrong;
}

T(every_world_ends_well)
{
	const char *one = getenv("PLX_TEST_SEED"), *long_run = getenv("PLX_LONG");
	uint64_t first = one ? strtoull(one, NULL, 0) : 1, n = one ? 1 : 300;
	uint32_t bad = 0;
	char text[1024];

	if (!one && long_run && !strcmp(long_run, "1"))
		n = 10000;
	for (uint64_t seed = first; seed < first + n; seed++)
		if (world(seed, text, sizeof(text))) {
			printf("seed %llu: %s\n", (unsigned long long)seed, text);
			bad++;
		}
	eq(bad, 0);
}

RUN(T_(every_world_ends_well))
