/* SPDX-License-Identifier: BSD-3-Clause */
#include "tell.h"

#include <errno.h>

void net__tell_init(struct net_tell *t, struct plx_net *net, const struct net_tell_ops *ops,
	struct net_told *told)
{
	t->ops = ops;
	t->net = net;
	t->told = told;
	pthread_spin_init(&t->lock, PTHREAD_PROCESS_PRIVATE);
}

static void on_gone(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_tell *t = plx_container_of(msg, struct net_tell, gone);

	t->ops->gone(net__self(sn), t);
}

/* Is t's end: it may be gone behind this. */
static void seen_the_end(struct net_tell *t)
{
	struct plx_softnet *by = t->net->lcore[t->by]->sn;

	if (__atomic_sub_fetch(&t->left, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	t->gone.fn = on_gone;
	if (plx_engine_serves(t->net->eng))
		plx_softnet_post(by, &t->gone);
	else
		on_gone(by, &t->gone);
}

static void on_told(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_told *told = plx_container_of(msg, struct net_told, msg);
	struct net_tell *t = told->tell;
	struct net_lcore *nl = net__self(sn);
	struct net_want w;

	pthread_spin_lock(&t->lock);
	told->pending = false;
	w = t->want;
	pthread_spin_unlock(&t->lock);
	if (!w.there)
		return; /* the end is told by itself */
	net__begin(nl);
	t->ops->apply(nl, t, &w); /* for want of memory: this lcore does without */
}

static void on_end(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_tell *t = plx_container_of(msg, struct net_told, end)->tell;
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	t->ops->apply(nl, t, &(struct net_want){.there = false});
	seen_the_end(t);
}

/* What is wanted, and who has no message under way that will see it: a bit for each lcore. */
static uint64_t want(struct net_lcore *nl, struct net_tell *t, const struct net_want *w)
{
	uint64_t need = 0;

	pthread_spin_lock(&t->lock);
	t->want = *w;
	for (uint16_t i = 0; w->there && i < t->net->n_lcores; i++) {
		if (i == nl->sn->index || t->told[i].pending)
			continue;
		t->told[i].pending = true;
		need |= UINT64_C(1) << i;
	}
	pthread_spin_unlock(&t->lock);
	return need;
}

static void deliver(struct plx_net *net, uint16_t lcore, struct plx_msg *msg)
{
	struct plx_softnet *sn = net->lcore[lcore]->sn;

	if (plx_engine_serves(net->eng))
		plx_softnet_post(sn, msg);
	else /* nobody runs: before the run, or after it */
		msg->fn(sn, msg);
}

void net__tell(struct net_lcore *nl, struct net_tell *t, const struct net_want *w)
{
	for (uint64_t need = want(nl, t, w); need; need &= need - 1) {
		uint16_t i = (uint16_t)__builtin_ctzll(need);

		t->told[i].msg.fn = on_told;
		t->told[i].tell = t;
		deliver(t->net, i, &t->told[i].msg);
	}
}

/* Behind the last message t may be gone. */
void net__tell_end(struct net_lcore *nl, struct net_tell *t)
{
	struct plx_net *net = t->net;
	uint16_t n = net->n_lcores, self = nl->sn->index;
	struct net_told *told = t->told;

	t->by = self;
	t->left = n - 1u;
	if (t->left == 0) {
		t->ops->gone(nl, t);
		return;
	}
	want(nl, t, &(struct net_want){.there = false});
	for (uint16_t i = 0; i < n; i++)
		if (i != self) {
			told[i].end.fn = on_end;
			told[i].tell = t;
		}
	for (uint16_t i = 0; i < n; i++)
		if (i != self)
			deliver(net, i, &told[i].end);
}

struct wait {
	struct net_tell *t;
	const struct net_want *w;
	int result;
};

static void on_wait(struct plx_softnet *sn, void *arg)
{
	struct wait *a = arg;
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	a->result = a->t->ops->apply(nl, a->t, a->w);
}

int net__tell_wait(struct net_tell *t, const struct net_want *w)
{
	struct wait a = {.t = t, .w = w};

	for (uint16_t i = 0; i < t->net->n_lcores && !a.result; i++) {
		struct plx_softnet *sn = t->net->lcore[i]->sn;

		if (plx_softnet_call(sn, on_wait, &a) == -ESHUTDOWN)
			on_wait(sn, &a); /* before the run, or after it */
	}
	return a.result;
}
