/* SPDX-License-Identifier: BSD-3-Clause */
#include "bind_t.h"

#include <plx_base_bind.h>

static unsigned int hears(const struct plx_bind *b)
{
	return bind_hears(&b->laddr, b->v6only);
}

static struct plx_bind make(struct plx_rng *r)
{
	struct plx_bind b = {
		.laddr = bind_any(r),
		.iface = (uint32_t)plx_rng_below(r, 3),
		.uid = (uint32_t)plx_rng_below(r, 2),
		.reuseaddr = plx_rng_chance(r, 0.5),
		.reuseport = plx_rng_chance(r, 0.5),
	};

	b.v6only = !plx_addr_is_v4(&b.laddr) && plx_rng_chance(r, 0.3);
	return b;
}

T(who_hears_the_same_must_agree)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int i = 0; i < 20000; i++) {
		struct plx_bind a = make(&r), b = make(&r);
		bool meet = hears(&a) & hears(&b) && (!a.iface || !b.iface || a.iface == b.iface);
		bool share = (a.reuseaddr && b.reuseaddr) ||
			     (a.reuseport && b.reuseport && a.uid == b.uid);

		eq(plx_bind_meet(&a, &b), meet);
		eq(plx_bind_meet(&b, &a), meet);
		eq(plx_bind_share(&a, &b), share);
		eq(plx_bind_conflict(&a, &b), meet && !share);
	}
}

RUN(T_(who_hears_the_same_must_agree))
