/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_bind.h"

static bool addresses_meet(const struct plx_bind *a, const struct plx_bind *b)
{
	bool a6 = plx_addr_is_any6(&a->laddr), b6 = plx_addr_is_any6(&b->laddr);

	if (a6 && b6)
		return true;
	if (a6)
		return !(a->v6only && plx_addr_is_v4(&b->laddr));
	if (b6)
		return !(b->v6only && plx_addr_is_v4(&a->laddr));
	if (plx_addr_eq(&a->laddr, &b->laddr))
		return true;
	return plx_addr_is_v4(&a->laddr) && plx_addr_is_v4(&b->laddr) &&
	       (plx_addr_is_any(&a->laddr) || plx_addr_is_any(&b->laddr));
}

bool plx_bind_meet(const struct plx_bind *a, const struct plx_bind *b)
{
	return (!a->iface || !b->iface || a->iface == b->iface) && addresses_meet(a, b);
}

bool plx_bind_share(const struct plx_bind *a, const struct plx_bind *b)
{
	return (a->reuseaddr && b->reuseaddr) || (a->reuseport && b->reuseport && a->uid == b->uid);
}
