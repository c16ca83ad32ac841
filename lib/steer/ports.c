/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_ports.h"

#include <plx_base_port.h>

/*
 * Our port is the destination of what comes, so it stands last: LAST. Where the tuple is sorted
 * (struct plx_toeplitz.symmetric) and it is less than the peer's, it stands before that: FIRST.
 */
enum place { LAST, FIRST };

/* What a port adds to the hash. The addresses before it take 8 or 32 bytes, two half bytes each. */
static uint32_t contribution(const struct plx_toeplitz *t, bool v6, enum place place, uint32_t port)
{
	uint32_t at = (v6 ? 64u : 16u) + (place == LAST ? 4 : 0), hash = 0;

	for (uint32_t i = 0; i < 4; i++)
		hash ^= t->half[at + i][port >> (12 - 4 * i) & 15];
	return hash;
}

static uint64_t mine(const struct plx_steer_ports *p, const uint32_t *part, uint32_t bucket)
{
	uint64_t m = 0;

	for (uint32_t j = 0; j < 64; j++)
		if (plx_steer_owner(&p->map, bucket ^ part[j]) == p->self)
			m |= UINT64_C(1) << j;
	return m;
}

static void make(struct plx_steer_ports *p, bool v6, enum place place)
{
	uint32_t part[64], even, odd;

	for (uint32_t j = 0; j < 64; j++)
		part[j] = contribution(p->t, v6, place, j);
	for (uint32_t b = 0; b < p->map.size; b++) {
		uint64_t m = mine(p, part, b);

		even = (uint32_t)__builtin_popcountll(m & PLX_PORT_EVEN);
		odd = (uint32_t)__builtin_popcountll(m & PLX_PORT_ODD);
		p->mine[v6][place][b] = m;
		p->most[v6] = PLX_MAX(p->most[v6], PLX_MAX(even, odd));
	}
}

void plx_steer_ports_init(struct plx_steer_ports *p, const struct plx_toeplitz *t,
	const struct plx_owner_map *map, uint16_t self)
{
	p->t = t;
	p->self = self;
	p->map.size = 0;
	plx_steer_ports_update(p, map);
}

void plx_steer_ports_update(struct plx_steer_ports *p, const struct plx_owner_map *map)
{
	uint32_t changes = __atomic_load_n(&map->changes, __ATOMIC_ACQUIRE);

	if (p->map.size == map->size && p->map.changes == changes)
		return;
	p->map.size = map->size;
	p->map.changes = changes;
	for (uint16_t i = 0; i < map->size; i++)
		p->map.lcore[i] = __atomic_load_n(&map->lcore[i], __ATOMIC_RELAXED);
	for (int v6 = 0; v6 < 2; v6++) {
		p->most[v6] = 0;
		make(p, v6, LAST);
		if (!p->t->symmetric)
			continue;
		make(p, v6, FIRST);
		p->most[v6] = p->most[v6] ? 32 : 0; /* a word may be of both */
	}
}

/* Not to depend on how the tuple is sorted, the rest is what the whole is with a port that stands
 * in the right place, less what that adds. */
void plx_steer_ports_to(struct plx_steer_ports_to *to, const struct plx_steer_ports *p,
	const struct plx_addr *laddr, const struct plx_addr *raddr, uint16_t rport)
{
	const uint16_t greatest = UINT16_MAX;
	const struct plx_toeplitz *t = p->t;

	to->p = p;
	to->v6 = !plx_addr_is_v4(laddr) || !plx_addr_is_v4(raddr);
	to->rport = t->symmetric ? rport : 0;
	to->rest[LAST] = plx_steer_hash(t, raddr, laddr, rport, greatest, true) ^
			 contribution(t, to->v6, LAST, greatest);
	if (t->symmetric && rport)
		to->rest[FIRST] = plx_steer_hash(t, raddr, laddr, rport, 0, true);
}

static uint64_t word_at(const struct plx_steer_ports_to *to, enum place place, uint32_t first)
{
	const struct plx_steer_ports *p = to->p;
	uint32_t hash = to->rest[place] ^ contribution(p->t, to->v6, place, first);

	return p->mine[to->v6][place][plx_steer_owner_bucket(&p->map, hash)];
}

uint64_t plx_steer_ports_word(const struct plx_steer_ports_to *to, uint32_t word)
{
	uint32_t first = word * 64, n;
	uint64_t less;

	if (first >= to->rport) /* always, unless tuples are sorted */
		return word_at(to, LAST, first);
	n = to->rport - first;
	less = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
	return (word_at(to, FIRST, first) & less) | (word_at(to, LAST, first) & ~less);
}
