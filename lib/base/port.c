/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_port.h"

/* The ports of a word from lo to hi. */
static uint64_t within(const struct plx_port_set *s, uint32_t word)
{
	uint64_t m = UINT64_MAX;

	if (word < s->lo / 64u || word > s->hi / 64u)
		return 0;
	if (word == s->lo / 64u)
		m &= UINT64_MAX << s->lo % 64;
	if (word == s->hi / 64u)
		m &= UINT64_MAX >> (63 - s->hi % 64);
	return m;
}

uint64_t plx_port_word(const struct plx_port_set *s, uint32_t word)
{
	uint64_t m = within(s, word) & s->parity;

	if (word == 0)
		m &= ~UINT64_C(1); /* port 0 is none */
	return m && s->word ? m & s->word(s->arg, word) : m;
}

/* The n-th bit that is set, n < their number. */
static uint32_t nth_bit(uint64_t m, uint32_t n)
{
	while (n--)
		m &= m - 1;
	return (uint32_t)__builtin_ctzll(m);
}

/* 0..n-1 of 16 bits, which no n here comes near to. */
static uint32_t part(uint64_t bits, uint32_t n)
{
	return (uint32_t)(((bits & 0xffff) * n) >> 16);
}

/* A word, then one of `most` places in it, of which only the first ones are members: each member
 * is one of words * most that are equally likely. */
uint16_t plx_port_draw(const struct plx_port_set *s, uint64_t random)
{
	uint32_t first = s->lo / 64u, place, word;
	uint64_t m;

	if (s->lo > s->hi)
		return 0;
	word = first + (uint32_t)((random >> 32) * (s->hi / 64u - first + 1) >> 32);
	m = plx_port_word(s, word);
	place = part(random, s->most);
	if (place >= (uint32_t)__builtin_popcountll(m))
		return 0;
	return (uint16_t)(word * 64 + nth_bit(m, place));
}

uint16_t plx_port_next(const struct plx_port_set *s, uint32_t from)
{
	uint32_t word;
	uint64_t m;

	from = PLX_MAX(from, (uint32_t)s->lo);
	if (from > s->hi)
		return 0;
	word = from / 64;
	m = plx_port_word(s, word) & UINT64_MAX << from % 64;
	while (!m && ++word <= s->hi / 64u)
		m = plx_port_word(s, word);
	return m ? (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(m)) : 0;
}
