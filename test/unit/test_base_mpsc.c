/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <pthread.h>
#include <sched.h>

#include <plx_base_mpsc.h>
#include <plx_base_rng.h>

T(first_in_first_out)
{
	struct plx_mpsc_node v[3];
	struct plx_mpsc q;

	plx_mpsc_init(&q);
	for (int round = 0; round < 4; round++) {
		ok(plx_mpsc_empty(&q));
		ok(!plx_mpsc_pop(&q));
		ok(plx_mpsc_push(&q, &v[0])); /* was empty: wake the consumer */
		ok(!plx_mpsc_push(&q, &v[1]));
		ok(!plx_mpsc_push(&q, &v[2]));
		for (int i = 0; i < 3; i++) {
			ok(!plx_mpsc_empty(&q));
			assert_ptr_equal(plx_mpsc_pop(&q), &v[i]);
		}
	}
	ok(!plx_mpsc_pop(&q));
}

/* The first step of a push alone: a producer that was put to sleep right after it. */
static struct plx_mpsc_node *half_push(struct plx_mpsc *q, struct plx_mpsc_node *n)
{
	n->next = NULL;
	return __atomic_exchange_n(&q->last, n, __ATOMIC_ACQ_REL);
}

T(a_producer_asleep_between_its_steps_hides_but_loses_nothing)
{
	struct plx_mpsc_node a, b, c, *prev;
	struct plx_mpsc q;

	plx_mpsc_init(&q);
	prev = half_push(&q, &a); /* onto an empty queue */
	ok(!plx_mpsc_pop(&q));
	ok(!plx_mpsc_empty(&q));
	prev->next = &a;
	assert_ptr_equal(plx_mpsc_pop(&q), &a);
	ok(plx_mpsc_empty(&q));

	plx_mpsc_push(&q, &a);
	prev = half_push(&q, &b);
	plx_mpsc_push(&q, &c);
	for (int i = 0; i < 3; i++) {
		ok(!plx_mpsc_pop(&q));
		ok(!plx_mpsc_empty(&q));
	}
	prev->next = &b;
	assert_ptr_equal(plx_mpsc_pop(&q), &a);
	assert_ptr_equal(plx_mpsc_pop(&q), &b);
	assert_ptr_equal(plx_mpsc_pop(&q), &c);
	ok(!plx_mpsc_pop(&q));
	ok(plx_mpsc_empty(&q));
}

/* pop() found a to be the last and put the stub behind it, but b's first step came before. */
T(a_push_that_overtakes_the_stub)
{
	struct plx_mpsc_node a, b, *prev;
	struct plx_mpsc q;

	plx_mpsc_init(&q);
	plx_mpsc_push(&q, &a);
	ok(!plx_mpsc_empty(&q));
	q.first = &a;
	prev = half_push(&q, &b);
	plx_mpsc_push(&q, &q.stub);
	ok(!plx_mpsc_pop(&q));
	ok(!plx_mpsc_empty(&q));
	prev->next = &b;
	assert_ptr_equal(plx_mpsc_pop(&q), &a);
	assert_ptr_equal(plx_mpsc_pop(&q), &b);
	ok(!plx_mpsc_pop(&q));
	ok(plx_mpsc_empty(&q));
}

T(agrees_with_a_counter)
{
	enum { N = 8 };
	struct plx_mpsc_node v[N];
	struct plx_mpsc q;
	struct plx_rng r;
	unsigned int in = 0, out = 0;

	plx_rng_init(&r, t_seed(1));
	plx_mpsc_init(&q);
	for (int i = 0; i < 20000; i++) {
		if (in - out < N && plx_rng_chance(&r, 0.5)) {
			bool woke = plx_mpsc_push(&q, &v[in++ % N]);

			ok(woke || in - out > 1);
		} else if (in != out) {
			assert_ptr_equal(plx_mpsc_pop(&q), &v[out++ % N]);
		} else {
			ok(!plx_mpsc_pop(&q));
		}
		eq(plx_mpsc_empty(&q), in == out);
	}
}

enum { PRODUCERS = 3, MESSAGES = 60000 };

struct message {
	struct plx_mpsc_node node;
	unsigned int from, seq;
};

struct producer {
	struct plx_mpsc *q;
	struct message *v;
	unsigned int id, wakes;
	pthread_t thread;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (unsigned int i = 0; i < MESSAGES; i++) {
		p->v[i].from = p->id;
		p->v[i].seq = i;
		p->wakes += plx_mpsc_push(p->q, &p->v[i].node);
		if (i % 512 == 0)
			sched_yield();
	}
	return NULL;
}

T(each_producer_keeps_its_order)
{
	struct producer p[PRODUCERS];
	unsigned int next[PRODUCERS] = {0}, wrong = 0, wakes = 0;
	struct plx_mpsc q;

	plx_mpsc_init(&q);
	for (unsigned int i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){.q = &q, .id = i, .v = malloc(MESSAGES * sizeof(*p[i].v))};
		eq(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
	}
	for (unsigned int got = 0; got < PRODUCERS * MESSAGES;) {
		struct plx_mpsc_node *n = plx_mpsc_pop(&q);

		if (n) {
			struct message *m = plx_container_of(n, struct message, node);

			wrong += m->seq != next[m->from]++;
			got++;
		} else if (plx_mpsc_empty(&q)) {
			sched_yield();
		}
	}
	for (unsigned int i = 0; i < PRODUCERS; i++) {
		pthread_join(p[i].thread, NULL);
		eq(next[i], MESSAGES);
		wakes += p[i].wakes;
		free(p[i].v);
	}
	eq(wrong, 0);
	ok(wakes >= 1);
	ok(plx_mpsc_empty(&q));
}

RUN(T_(first_in_first_out), T_(a_producer_asleep_between_its_steps_hides_but_loses_nothing),
	T_(a_push_that_overtakes_the_stub), T_(agrees_with_a_counter),
	T_(each_producer_keeps_its_order))
