/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <pthread.h>
#include <sched.h>

#include <plx_base_ring.h>
#include <plx_base_rng.h>

static struct plx_ring *ring(uint32_t capacity)
{
	struct plx_ring *r =
		plx_ring_init(aligned_alloc(64, (plx_ring_size(capacity) + 63) & ~63ul), capacity);

	ok(r);
	return r;
}

static void *obj(uintptr_t n)
{
	return (void *)(n * 8 + 8);
}

static unsigned int put(struct plx_ring *r, uintptr_t first, unsigned int n)
{
	void *v[64];

	for (unsigned int i = 0; i < n; i++)
		v[i] = obj(first + i);
	return plx_ring_enqueue(r, v, n);
}

/* Up to n come out; they are numbered from first. */
static unsigned int get(struct plx_ring *r, uintptr_t first, unsigned int n)
{
	void *v[64];

	n = plx_ring_dequeue(r, v, n);
	for (unsigned int i = 0; i < n; i++)
		assert_ptr_equal(v[i], obj(first + i));
	return n;
}

T(memory_and_capacity_are_checked)
{
	_Alignas(64) char mem[512];

	eq(plx_ring_size(0), 0);
	eq(plx_ring_size(3), 0);
	eq(plx_ring_size(0xffffffff), 0);
	eq(plx_ring_size(1), sizeof(struct plx_ring) + sizeof(void *));
	eq(plx_ring_size(1u << 31), sizeof(struct plx_ring) + (sizeof(void *) << 31));
	ok(!plx_ring_init(mem, 12));
	ok(!plx_ring_init(mem, 0));
	ok(!plx_ring_init(mem + 8, 8));
	assert_ptr_equal(plx_ring_init(mem, 8), mem);
	eq(plx_ring_capacity((struct plx_ring *)mem), 8);
}

T(as_many_as_fit)
{
	struct plx_ring *r = ring(8);

	ok(plx_ring_empty(r));
	eq(get(r, 0, 4), 0);
	eq(put(r, 0, 5), 5);
	eq(plx_ring_count(r), 5);
	eq(put(r, 5, 5), 3);
	eq(put(r, 8, 1), 0);
	eq(plx_ring_count(r), 8);
	eq(get(r, 0, 3), 3);
	eq(put(r, 8, 64), 3);
	eq(get(r, 3, 64), 8);
	eq(get(r, 11, 1), 0);
	eq(put(r, 11, 0), 0);
	eq(get(r, 11, 0), 0);
	ok(plx_ring_empty(r));
	free(r);
}

T(a_ring_of_one)
{
	struct plx_ring *r = ring(1);

	for (unsigned int i = 0; i < 5; i++) {
		eq(put(r, i, 2), 1);
		eq(put(r, i + 1, 1), 0);
		eq(get(r, i, 2), 1);
		eq(get(r, i, 1), 0);
	}
	free(r);
}

/* Random bursts; the positions start just before they wrap. */
T(order_and_count_survive_the_wrap)
{
	struct plx_ring *r = ring(16);
	struct plx_rng rng;
	uint64_t in = 0, out = 0;

	plx_rng_init(&rng, t_seed(1));
	r->prod.pos = r->prod.seen = r->cons.pos = r->cons.seen = UINT32_MAX - 1000;
	for (int i = 0; i < 5000; i++) {
		unsigned int n = (unsigned int)plx_rng_below(&rng, 20),
			     room = 16 - (unsigned int)(in - out);

		eq(put(r, in, n), PLX_MIN(n, room));
		in += PLX_MIN(n, room);
		eq(plx_ring_count(r), in - out);
		n = (unsigned int)plx_rng_below(&rng, 20);
		room = PLX_MIN(n, (unsigned int)(in - out));
		eq(get(r, out, n), room);
		out += room;
		eq(plx_ring_count(r), in - out);
	}
	ok(r->prod.pos < UINT32_MAX - 1000);
	free(r);
}

enum { OBJECTS = 300000 };

static void *producer(void *arg)
{
	static uint64_t payload[OBJECTS];
	struct plx_ring *r = arg;
	struct plx_rng rng;

	plx_rng_init(&rng, 1);
	for (unsigned int i = 0; i < OBJECTS;) {
		unsigned int n = 1 + (unsigned int)plx_rng_below(&rng, 40);
		void *v[40];

		n = PLX_MIN(n, OBJECTS - i);
		for (unsigned int k = 0; k < n; k++) {
			payload[i + k] = i + k; /* plain: the ring publishes it */
			v[k] = &payload[i + k];
		}
		n = plx_ring_enqueue(r, v, n);
		i += n;
		if (n == 0)
			sched_yield();
	}
	return NULL;
}

T(two_threads)
{
	struct plx_ring *r = ring(64);
	struct plx_rng rng;
	unsigned int got = 0, wrong = 0;
	pthread_t t;

	plx_rng_init(&rng, t_seed(2));
	eq(pthread_create(&t, NULL, producer, r), 0);
	while (got < OBJECTS) {
		void *v[40];
		unsigned int n = plx_ring_dequeue(r, v, 1 + (unsigned int)plx_rng_below(&rng, 40));

		for (unsigned int i = 0; i < n; i++)
			wrong += *(uint64_t *)v[i] != got++;
		if (n == 0)
			sched_yield();
	}
	pthread_join(t, NULL);
	eq(wrong, 0);
	ok(plx_ring_empty(r));
	free(r);
}

RUN(T_(memory_and_capacity_are_checked), T_(as_many_as_fit), T_(a_ring_of_one),
	T_(order_and_count_survive_the_wrap), T_(two_threads))
