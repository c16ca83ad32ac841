/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_port.h>
#include <plx_base_rng.h>
#include <plx_steer.h>

static struct plx_toeplitz t;
static struct plx_owner_map map;
static struct plx_steer_ports p;

static struct plx_addr random_addr(struct plx_rng *r, bool v6)
{
	struct plx_addr a;

	plx_rng_bytes(r, a.b, sizeof(a.b));
	return v6 ? a : plx_addr_from_v4(a.b);
}

/* Of all ports, what the hash itself says. */
static void check_peer(struct plx_rng *r, bool v6, uint16_t self)
{
	struct plx_addr laddr = random_addr(r, v6), raddr = random_addr(r, v6);
	uint16_t rport = (uint16_t)plx_rng_below(r, 65536);
	struct plx_steer_ports_to to;
	uint32_t wrong = 0, most = 0;

	plx_steer_ports_to(&to, &p, &laddr, &raddr, rport);
	for (uint32_t w = 0; w < PLX_PORT_WORDS; w++) {
		uint64_t m = plx_steer_ports_word(&to, w);

		most = PLX_MAX(most, (uint32_t)__builtin_popcountll(m & PLX_PORT_EVEN));
		most = PLX_MAX(most, (uint32_t)__builtin_popcountll(m & PLX_PORT_ODD));
		for (uint32_t j = 0; j < 64; j++) {
			uint32_t hash = plx_steer_hash(
				&t, &raddr, &laddr, rport, (uint16_t)(w * 64 + j), true);

			wrong += (plx_steer_owner(&map, hash) == self) != (m >> j & 1);
		}
	}
	eq(wrong, 0);
	ok(most <= plx_steer_ports_most(&to));
}

/* Keys as NICs have them, and such as make many ports alike, or all. */
static void make_key(struct plx_rng *r, int kind, uint8_t *key)
{
	static const uint8_t pair[2] = {0x6d, 0x5a};

	memset(key, 0, PLX_STEER_KEY_MIN);
	switch (kind) {
	case 0:
		memcpy(key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN);
		break;
	case 1: /* symmetric by its period of 16 bits */
		for (int i = 0; i < PLX_STEER_KEY_MIN; i++)
			key[i] = pair[i % 2];
		break;
	case 2: /* nothing at all */
		break;
	case 3:
		memset(key, 0xff, PLX_STEER_KEY_MIN);
		break;
	case 4: /* one bit, of the port's part */
		key[12] = 0x10;
		key[36] = 0x10;
		break;
	default:
		plx_rng_bytes(r, key, PLX_STEER_KEY_MIN);
	}
}

T(as_the_hash_says)
{
	static const uint16_t sizes[] = {1, 64, 128, 256, 512, 1024};
	uint8_t key[PLX_STEER_KEY_MIN];
	uint16_t lcores[7] = {0, 1, 2, 3, 4, 5, 6};
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 60; i++) {
		uint16_t n = (uint16_t)(1 + plx_rng_below(&r, 7));
		uint16_t self = (uint16_t)plx_rng_below(&r, n);

		make_key(&r, i % 7, key);
		eq(plx_steer_toeplitz_init(&t, key, sizeof(key)), 0);
		t.symmetric = plx_rng_chance(&r, 0.3);
		eq(plx_steer_owner_init(&map, sizes[i % PLX_DIM(sizes)], lcores, n), 0);
		plx_steer_ports_init(&p, &t, &map, self);
		check_peer(&r, false, self);
		check_peer(&r, true, self);
	}
}

/* The peer's port at the borders of what is sorted, and of a word. */
T(sorted_tuples)
{
	static const uint16_t rports[] = {0, 1, 63, 64, 65, 32768, 65535};
	static const uint16_t lcores[] = {0, 1};
	struct plx_addr a = {.b = {1}}, b = {.b = {2}};

	eq(plx_steer_toeplitz_init(&t, plx_steer_key_microsoft, PLX_STEER_KEY_MIN), 0);
	t.symmetric = true;
	eq(plx_steer_owner_init(&map, 128, lcores, 2), 0);
	plx_steer_ports_init(&p, &t, &map, 1);
	for (size_t i = 0; i < PLX_DIM(rports); i++) {
		struct plx_steer_ports_to to;

		plx_steer_ports_to(&to, &p, &a, &b, rports[i]);
		for (uint32_t port = 0; port < 65536; port++) {
			uint32_t hash = plx_steer_hash(&t, &b, &a, rports[i], (uint16_t)port, true);

			eq(plx_steer_ports_word(&to, port / 64) >> port % 64 & 1,
				plx_steer_owner(&map, hash));
		}
	}
}

/* Buckets that are given to others take their ports with them. */
T(the_map_changes)
{
	static const uint16_t lcores[] = {0, 1, 2};
	struct plx_rng r;

	plx_rng_init(&r, t_seed(2));
	eq(plx_steer_toeplitz_init(&t, plx_steer_key_microsoft, PLX_STEER_KEY_MIN), 0);
	eq(plx_steer_owner_init(&map, 1024, lcores, 3), 0);
	plx_steer_ports_init(&p, &t, &map, 1);
	for (int i = 0; i < 10; i++) {
		for (int k = 0; k < 100; k++)
			plx_steer_owner_set(&map, (uint16_t)plx_rng_below(&r, 1024),
				(uint16_t)plx_rng_below(&r, 3));
		plx_steer_ports_update(&p, &map);
		check_peer(&r, i & 1, 1);
	}
	for (uint16_t b = 0; b < 1024; b++)
		plx_steer_owner_set(&map, b, 2);
	plx_steer_ports_update(&p, &map);
	eq(p.most[0], 0);
	eq(p.most[1], 0);
	check_peer(&r, false, 1);
}

RUN(T_(as_the_hash_says), T_(sorted_tuples), T_(the_map_changes))
