/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_port.h>
#include <plx_base_rng.h>

static uint64_t bits[PLX_PORT_WORDS];
static uint32_t asked;

static uint64_t of_bits(const void *arg, uint32_t word)
{
	asked++;
	ok(word < PLX_PORT_WORDS);
	return ((const uint64_t *)arg)[word];
}

static bool member(const struct plx_port_set *s, uint32_t port)
{
	return port && port >= s->lo && port <= s->hi && s->parity >> port % 64 & 1 &&
	       (!s->word || plx_port_bit(bits, (uint16_t)port));
}

/* Every member is found, in order, and nothing else. */
static void check_all(const struct plx_port_set *s)
{
	uint32_t from = 0;
	uint16_t port;

	while ((port = plx_port_next(s, from))) {
		for (; from < port; from++)
			ok(!member(s, from));
		ok(member(s, port));
		from = port + 1u;
	}
	for (; from < 65536; from++)
		ok(!member(s, from));
}

static void make(struct plx_rng *r, struct plx_port_set *s)
{
	static const uint64_t parities[] = {PLX_PORT_EVEN, PLX_PORT_ODD, UINT64_MAX};
	double density = plx_rng_double(r);

	density *= density;
	for (uint32_t w = 0; w < PLX_PORT_WORDS; w++) {
		bits[w] = 0;
		for (int j = 0; j < 64; j++)
			bits[w] |= (uint64_t)plx_rng_chance(r, density) << j;
	}
	*s = (struct plx_port_set){
		.lo = (uint16_t)plx_rng_below(r, 65536),
		.hi = (uint16_t)plx_rng_below(r, 65536),
		.parity = parities[plx_rng_below(r, 3)],
		.word = plx_rng_chance(r, 0.8) ? of_bits : NULL,
		.arg = bits,
		.most = 64,
	};
	if (plx_rng_chance(r, 0.1))
		s->lo = 0;
	if (plx_rng_chance(r, 0.1))
		s->hi = 65535;
}

T(all_members_and_no_others)
{
	struct plx_port_set s;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 60; i++) {
		make(&r, &s);
		check_all(&s);
		for (int k = 0; k < 200; k++) {
			uint16_t port = plx_port_draw(&s, plx_rng_u64(&r));

			ok(!port || member(&s, port));
		}
	}
}

/* A search is 1024 words, however few members there are; a draw is one. */
T(what_it_costs)
{
	struct plx_port_set s = {.lo = 1,
		.hi = 65535,
		.parity = UINT64_MAX,
		.word = of_bits,
		.arg = bits,
		.most = 64};

	memset(bits, 0, sizeof(bits));
	asked = 0;
	eq(plx_port_next(&s, 0), 0);
	eq(asked, PLX_PORT_WORDS);
	eq(plx_port_draw(&s, 12345), 0);
	eq(asked, PLX_PORT_WORDS + 1);
	bits[1023] = UINT64_C(1) << 63;
	eq(plx_port_next(&s, 0), 65535);
	eq(plx_port_next(&s, 65535), 65535);
	eq(plx_port_next(&s, 65536), 0);
}

/* Chi-square of 200 draws a member, of words with as few and as many as there can be. */
T(all_are_equally_likely)
{
	static uint32_t seen[65536];
	struct plx_port_set s = {.lo = 1000,
		.hi = 1700,
		.parity = PLX_PORT_ODD,
		.word = of_bits,
		.arg = bits,
		.most = 32};
	uint32_t members = 0, drawn = 0;
	double chi = 0, expect;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(2));
	memset(seen, 0, sizeof(seen));
	for (uint32_t w = 0; w < PLX_PORT_WORDS; w++)
		bits[w] = plx_rng_u64(&r) & (w % 2 ? UINT64_MAX : plx_rng_u64(&r) & 0xff);
	for (uint32_t port = 0; port < 65536; port++)
		members += member(&s, port);
	while (drawn < 200 * members) {
		uint16_t port = plx_port_draw(&s, plx_rng_u64(&r));

		seen[port] += port != 0;
		drawn += port != 0;
	}
	expect = (double)drawn / members;
	for (uint32_t port = 0; port < 65536; port++)
		if (member(&s, port))
			chi += (seen[port] - expect) * (seen[port] - expect) / expect;
	/* mean: members - 1; its standard deviation: the root of twice that, of some 80 */
	ok(chi < 2.0 * members);
	ok(chi > 0.4 * members);
}

RUN(T_(all_members_and_no_others), T_(what_it_costs), T_(all_are_equally_likely))
