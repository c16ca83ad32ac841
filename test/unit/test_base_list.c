/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_list.h>
#include <plx_base_rng.h>

struct item {
	int id;
	struct plx_list node;
	struct plx_fifo_node qnode;
};

static struct item *of(struct plx_fifo_node *n)
{
	return n ? plx_container_of(n, struct item, qnode) : NULL;
}

/* The list says "1 2 3 " forward, and the same backward. */
static void is(struct plx_list *l, const char *want)
{
	char got[64] = "", back[64] = "";
	struct item *i;

	plx_list_foreach (i, l, node)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%d ", i->id);
	str_eq(got, want);
	for (struct plx_list *n = l->prev; n != l; n = n->prev) {
		char rest[64];

		snprintf(rest, sizeof(rest), "%s", back);
		snprintf(back, sizeof(back), "%d %.50s", plx_list_entry(n, struct item, node)->id,
			rest);
	}
	str_eq(back, want);
}

T(members_come_and_go)
{
	struct item a = {1}, b = {2}, c = {3}, *i;
	struct plx_list l;

	plx_list_init(&l);
	ok(plx_list_empty(&l));
	ok(!plx_list_first(&l, struct item, node) && !plx_list_last(&l, struct item, node));
	ok(!plx_list_pop(&l));
	plx_list_add_tail(&l, &b.node);
	plx_list_add_tail(&l, &c.node);
	plx_list_add_head(&l, &a.node);
	is(&l, "1 2 3 ");
	ok(plx_list_first(&l, struct item, node) == &a);
	ok(plx_list_last(&l, struct item, node) == &c);
	plx_list_move_tail(&l, &a.node);
	is(&l, "2 3 1 ");
	plx_list_del(&c.node);
	plx_list_del(&c.node);
	ok(plx_list_empty(&c.node));
	is(&l, "2 1 ");
	plx_list_add_tail(&a.node, &c.node); /* before 1 */
	is(&l, "2 3 1 ");
	ok(plx_list_pop(&l) == &b.node);
	plx_list_foreach (i, &l, node)
		ne(i->id, 2);
	is(&l, "3 1 ");
}

T(splice_keeps_the_order)
{
	struct item v[4] = {{1}, {2}, {3}, {4}};
	struct plx_list a, b;

	plx_list_init(&a);
	plx_list_init(&b);
	plx_list_splice_tail(&a, &b);
	is(&a, "");
	plx_list_add_tail(&b, &v[0].node);
	plx_list_add_tail(&b, &v[1].node);
	plx_list_splice_tail(&a, &b);
	is(&a, "1 2 ");
	is(&b, "");
	plx_list_splice_tail(&a, &b);
	is(&a, "1 2 ");
	plx_list_add_tail(&b, &v[2].node);
	plx_list_add_tail(&b, &v[3].node);
	plx_list_splice_tail(&a, &b);
	is(&a, "1 2 3 4 ");
}

T(a_safe_walk_may_free)
{
	struct plx_list l;
	struct item *i, *next;
	int left = 0;

	plx_list_init(&l);
	for (int id = 0; id < 10; id++) {
		i = calloc(1, sizeof(*i));
		i->id = id;
		plx_list_add_tail(&l, &i->node);
	}
	plx_list_foreach_safe (i, next, &l, node) {
		if (i->id % 3) {
			plx_list_del(&i->node);
			free(i);
		}
	}
	is(&l, "0 3 6 9 ");
	plx_list_foreach_safe (i, next, &l, node) {
		left++;
		plx_list_del(&i->node);
		free(i);
	}
	eq(left, 4);
	ok(plx_list_empty(&l));
}

T(a_queue_is_first_in_first_out)
{
	struct item v[5] = {{0}, {1}, {2}, {3}, {4}};
	struct plx_fifo q, other = {0};

	plx_fifo_init(&q);
	ok(plx_fifo_empty(&q) && !plx_fifo_peek(&q) && !plx_fifo_pop(&q));
	plx_fifo_push_head(&q, &v[1].qnode);
	plx_fifo_push(&q, &v[2].qnode);
	plx_fifo_push_head(&q, &v[0].qnode);
	plx_fifo_splice(&q, &other);
	plx_fifo_push(&other, &v[3].qnode);
	plx_fifo_splice(&q, &other);
	ok(plx_fifo_empty(&other));
	plx_fifo_push(&q, &v[4].qnode);
	for (int i = 0; i < 5; i++) {
		ok(of(plx_fifo_peek(&q)) == &v[i]);
		ok(of(plx_fifo_pop(&q)) == &v[i]);
	}
	ok(plx_fifo_empty(&q));
	plx_fifo_push(&q, &v[3].qnode); /* after having run empty */
	plx_fifo_splice(&other, &q);
	ok(of(plx_fifo_pop(&other)) == &v[3] && !plx_fifo_pop(&other) && !plx_fifo_pop(&q));
}

/* Random operations on both kinds against arrays. */
T(agrees_with_an_array)
{
	enum { N = 16 };
	struct item v[N];
	int model[N], n = 0, queued[N], qn = 0;
	struct plx_list l;
	struct plx_fifo q;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	plx_list_init(&l);
	plx_fifo_init(&q);
	for (int i = 0; i < N; i++) {
		v[i].id = i;
		plx_list_init(&v[i].node);
	}
	for (int step = 0; step < 20000; step++) {
		int id = (int)plx_rng_below(&r, N), at = 0;
		struct item *it = &v[id], *i;
		bool linked = !plx_list_empty(&it->node);

		while (at < n && model[at] != id)
			at++;
		eq(linked, at < n);
		if (linked) {
			plx_list_del(&it->node);
			memmove(&model[at], &model[at + 1], (size_t)(--n - at) * sizeof(int));
		} else if (plx_rng_chance(&r, 0.5)) {
			plx_list_add_tail(&l, &it->node);
			model[n++] = id;
		} else {
			plx_list_add_head(&l, &it->node);
			memmove(&model[1], &model[0], (size_t)n++ * sizeof(int));
			model[0] = id;
		}
		at = 0;
		plx_list_foreach (i, &l, node)
			eq(i->id, model[at++]);
		eq(at, n);

		if (qn && plx_rng_chance(&r, 0.5)) {
			eq(of(plx_fifo_pop(&q))->id, queued[0]);
			memmove(&queued[0], &queued[1], (size_t)--qn * sizeof(int));
		} else {
			for (at = 0; at < qn && queued[at] != id; at++)
				;
			if (at == qn) {
				plx_fifo_push(&q, &it->qnode);
				queued[qn++] = id;
			}
		}
		eq(plx_fifo_empty(&q), qn == 0);
	}
}

RUN(T_(members_come_and_go), T_(splice_keeps_the_order), T_(a_safe_walk_may_free),
	T_(a_queue_is_first_in_first_out), T_(agrees_with_an_array))
