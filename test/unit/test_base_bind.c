/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base_bind.h>
#include <plx_base_rng.h>

static const char *const addrs[] = {"0.0.0.0", "::", "10.0.0.1", "10.0.0.2", "2001:db8::1"};
static const char *const hearers[] = {
	"10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1", "2001:db8::2"};

static struct plx_addr addr(const char *s)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, s), 0);
	return a;
}

/* What it could hear, as bits. */
static unsigned int hears(const struct plx_bind *b)
{
	unsigned int set = 0;

	for (int i = 0; i < 5; i++) {
		struct plx_addr a = addr(hearers[i]);
		bool any = plx_addr_is_any6(&b->laddr) ? !b->v6only || i >= 3
						       : plx_addr_is_any(&b->laddr) && i < 3;

		if (any || plx_addr_eq(&a, &b->laddr))
			set |= 1u << i;
	}
	return set;
}

static struct plx_bind make(struct plx_rng *r)
{
	struct plx_bind b = {
		.laddr = addr(addrs[plx_rng_below(r, PLX_DIM(addrs))]),
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
