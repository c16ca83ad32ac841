/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Addresses to bind to, and the naive model of who would hear what.
 */
#include "t.h"

#include <plx_base_addr.h>
#include <plx_base_rng.h>

static const char *const bind_addrs[] = {"0.0.0.0", "::", "10.0.0.1", "10.0.0.2", "2001:db8::1"};

static inline struct plx_addr bind_addr(const char *s)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, s), 0);
	return a;
}

static inline struct plx_addr bind_any(struct plx_rng *r)
{
	return bind_addr(bind_addrs[plx_rng_below(r, PLX_DIM(bind_addrs))]);
}

/** Which of some addresses who is bound to laddr could hear, as bits. */
static inline unsigned int bind_hears(const struct plx_addr *laddr, bool v6only)
{
	static const char *const hearers[] = {
		"10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1", "2001:db8::2"};
	unsigned int set = 0;

	for (int i = 0; i < 5; i++) {
		struct plx_addr a = bind_addr(hearers[i]);
		bool any = plx_addr_is_any6(laddr) ? !v6only || i >= 3
						   : plx_addr_is_any(laddr) && i < 3;

		if (any || plx_addr_eq(&a, laddr))
			set |= 1u << i;
	}
	return set;
}
