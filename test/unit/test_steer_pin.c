/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer_pin.h>

static const uint64_t key[2] = {0x0123456789abcdef, 0xfedcba9876543210};

static struct plx_tuple tuple(uint16_t n)
{
	return (struct plx_tuple){.src = plx_addr_from_v4("\x0a\0\0\x01"),
		.dst = plx_addr_from_v4("\x0a\0\0\x02"),
		.sport = n,
		.dport = 7,
		.proto = 17};
}

struct fixture {
	struct plx_pins pins;
	void *mem;
};

static struct fixture pins(uint32_t capacity)
{
	struct fixture f = {.mem = malloc(plx_steer_pins_bytes(capacity))};

	assert_non_null(f.mem);
	plx_steer_pins_init(&f.pins, f.mem, capacity, key);
	return f;
}

T(a_pin_is_found_moved_and_undone)
{
	struct fixture f = pins(4);
	struct plx_tuple t = tuple(1), other = tuple(2);

	eq(plx_steer_pins_find(&f.pins, &t), -ENOENT);
	eq(plx_steer_pins_add(&f.pins, &t, 3), 0);
	eq(plx_steer_pins_find(&f.pins, &t), 3);
	eq(plx_steer_pins_find(&f.pins, &other), -ENOENT);
	eq(plx_steer_pins_add(&f.pins, &t, 5), 0);
	eq(plx_steer_pins_find(&f.pins, &t), 5);
	eq(f.pins.used, 1);
	eq(plx_steer_pins_del(&f.pins, &other), -ENOENT);
	eq(plx_steer_pins_del(&f.pins, &t), 0);
	eq(plx_steer_pins_del(&f.pins, &t), -ENOENT);
	eq(plx_steer_pins_find(&f.pins, &t), -ENOENT);
	free(f.mem);
}

T(each_part_of_the_tuple_counts)
{
	struct fixture f = pins(8);
	struct plx_tuple t = tuple(1), u;

	eq(plx_steer_pins_add(&f.pins, &t, 1), 0);
	u = t, u.src.b[15]++;
	eq(plx_steer_pins_find(&f.pins, &u), -ENOENT);
	u = t, u.dst.b[0]++;
	eq(plx_steer_pins_find(&f.pins, &u), -ENOENT);
	u = t, u.sport++;
	eq(plx_steer_pins_find(&f.pins, &u), -ENOENT);
	u = t, u.dport++;
	eq(plx_steer_pins_find(&f.pins, &u), -ENOENT);
	u = t, u.proto = 6;
	eq(plx_steer_pins_find(&f.pins, &u), -ENOENT);
	u = t, u.frag = true;
	eq(plx_steer_pins_find(&f.pins, &u), -ENOENT);
	free(f.mem);
}

T(a_full_table_takes_moves_but_no_more_flows)
{
	struct fixture f = pins(3);
	struct plx_tuple t[4] = {tuple(1), tuple(2), tuple(3), tuple(4)};

	for (uint16_t i = 0; i < 3; i++)
		eq(plx_steer_pins_add(&f.pins, &t[i], i), 0);
	eq(plx_steer_pins_add(&f.pins, &t[3], 9), -ENOSPC);
	eq(plx_steer_pins_find(&f.pins, &t[3]), -ENOENT);
	eq(plx_steer_pins_add(&f.pins, &t[1], 9), 0);
	eq(plx_steer_pins_find(&f.pins, &t[1]), 9);
	eq(plx_steer_pins_del(&f.pins, &t[0]), 0);
	eq(plx_steer_pins_add(&f.pins, &t[3], 8), 0);
	eq(plx_steer_pins_find(&f.pins, &t[3]), 8);
	free(f.mem);
}

T(a_table_of_no_capacity_is_empty_and_full)
{
	struct fixture f = pins(0);
	struct plx_tuple t = tuple(1);

	eq(plx_steer_pins_find(&f.pins, &t), -ENOENT);
	eq(plx_steer_pins_del(&f.pins, &t), -ENOENT);
	eq(plx_steer_pins_add(&f.pins, &t, 1), -ENOSPC);
	free(f.mem);
}

T(random_operations_match_an_array)
{
	enum { FLOWS = 64, CAPACITY = 48 };
	int model[FLOWS], used = 0;
	struct fixture f = pins(CAPACITY);
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(3));
	for (int i = 0; i < FLOWS; i++)
		model[i] = -ENOENT;
	for (int i = 0; i < 100000; i++) {
		uint16_t n = (uint16_t)plx_rng_below(&rng, FLOWS);
		uint16_t lcore = (uint16_t)plx_rng_below(&rng, 128);
		struct plx_tuple t = tuple(n);

		if (plx_rng_below(&rng, 5) < 3) {
			int want = model[n] < 0 && used == CAPACITY ? -ENOSPC : 0;

			eq(plx_steer_pins_add(&f.pins, &t, lcore), want);
			if (want == 0) {
				used += model[n] < 0;
				model[n] = lcore;
			}
		} else {
			eq(plx_steer_pins_del(&f.pins, &t), model[n] < 0 ? -ENOENT : 0);
			used -= model[n] >= 0;
			model[n] = -ENOENT;
		}
		eq(f.pins.used, used);
		t = tuple(n = (uint16_t)plx_rng_below(&rng, FLOWS));
		eq(plx_steer_pins_find(&f.pins, &t), model[n]);
	}
	for (uint16_t n = 0; n < FLOWS; n++) {
		struct plx_tuple t = tuple(n);

		eq(plx_steer_pins_find(&f.pins, &t), model[n]);
	}
	free(f.mem);
}

/* So many flows that some share their 32 hash bits: about 10 pairs for each field. */
T(flows_of_equal_hash_are_told_apart)
{
	enum { FLOWS = 300000 };
	struct fixture f = pins(FLOWS);

	for (int field = 0; field < 2; field++) {
		struct plx_tuple t = tuple(1);
		struct plx_addr *a = field ? &t.dst : &t.src;

		plx_steer_pins_init(&f.pins, f.mem, FLOWS, key);
		for (uint32_t i = 0; i < FLOWS; i++) {
			a->w[3] = i;
			eq(plx_steer_pins_add(&f.pins, &t, (uint16_t)i), 0);
		}
		eq(f.pins.used, FLOWS);
		for (uint32_t i = 0; i < FLOWS; i++) {
			a->w[3] = i;
			eq(plx_steer_pins_find(&f.pins, &t), (uint16_t)i);
		}
	}
	free(f.mem);
}

RUN(T_(a_pin_is_found_moved_and_undone), T_(each_part_of_the_tuple_counts),
	T_(a_full_table_takes_moves_but_no_more_flows),
	T_(a_table_of_no_capacity_is_empty_and_full), T_(random_operations_match_an_array),
	T_(flows_of_equal_hash_are_told_apart))
