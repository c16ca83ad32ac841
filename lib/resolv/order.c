/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <string.h>

/* The order of destinations (RFC 6724, section 6; what Linux has as /etc/gai.conf's defaults). */

/* Section 2.1: the longest prefix decides. */
static const struct policy {
	uint8_t prefix[16], len;
	uint8_t precedence, label;
} policies[] = {
	{{[15] = 1}, 128, 50, 0},
	{{[10] = 0xff, 0xff}, 96, 35, 4},
	{{0}, 96, 1, 3},
	{{0x20, 0x01}, 32, 5, 5},
	{{0x20, 0x02}, 16, 30, 2},
	{{0x3f, 0xfe}, 16, 1, 12},
	{{0xfe, 0xc0}, 10, 1, 11},
	{{0xfc}, 7, 3, 13},
	{{0}, 0, 40, 1},
};

static unsigned int common_bits(const uint8_t *a, const uint8_t *b)
{
	unsigned int n = 0;

	while (n < 128 && !((a[n / 8] ^ b[n / 8]) & (0x80 >> n % 8)))
		n++;
	return n;
}

static const struct policy *policy_of(const struct plx_addr *a)
{
	const struct policy *best = &policies[PLX_DIM(policies) - 1];

	for (unsigned int i = 0; i < PLX_DIM(policies); i++)
		if (policies[i].len > best->len &&
			common_bits(a->b, policies[i].prefix) >= policies[i].len)
			best = &policies[i];
	return best;
}

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* Section 3.1 and 3.2. */
static int scope_of(const struct plx_addr *a)
{
	if (!plx_addr_is_v4(a) && plx_addr_is_mcast(a))
		return a->b[1] & 15;
	if (plx_addr_is_loopback(a) || plx_addr_is_linklocal(a))
		return SCOPE_LINK;
	if (!plx_addr_is_v4(a) && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	return SCOPE_GLOBAL;
}

/* Positive: a is the better one. */
static int sooner(bool a, bool b)
{
	return (int)a - (int)b;
}

/* Rule 9. Addresses of IPv4 have something in common on one network only, as glibc has it. */
static int closeness(const struct plx_addr *a, const struct resolv_way *w)
{
	if (plx_addr_is_v4(a) && !w->on_link)
		return 0;
	return (int)common_bits(a->b, w->src.b);
}

bool resolv__before(const struct plx_addr *a, const struct resolv_way *wa, const struct plx_addr *b,
	const struct resolv_way *wb)
{
	const struct policy *pa = policy_of(a), *pb = policy_of(b);
	int r = sooner(wa->usable, wb->usable); /* rule 1 */

	if (!r && wa->usable) {
		r = sooner(scope_of(a) == scope_of(&wa->src),
			scope_of(b) == scope_of(&wb->src)); /* rule 2 */
		if (!r)
			r = sooner(pa->label == policy_of(&wa->src)->label,
				pb->label == policy_of(&wb->src)->label); /* rule 5 */
	}
	if (!r)
		r = pa->precedence - pb->precedence; /* rule 6 */
	if (!r)
		r = scope_of(b) - scope_of(a); /* rule 8 */
	if (!r && wa->usable && plx_addr_is_v4(a) == plx_addr_is_v4(b))
		r = closeness(a, wa) - closeness(b, wb); /* rule 9 */
	return r > 0;
}

static struct resolv_way way_to(struct plx_softnet *sn, const struct resolv_addr *a)
{
	struct plx_net_way way;

	if (plx_net_way(sn, &a->addr, (uint16_t)a->scope, false, &way) != 0)
		return (struct resolv_way){0};
	return (struct resolv_way){
		.usable = !plx_addr_is_any(&way.src), .on_link = !way.by_gateway, .src = way.src};
}

/* By insertion: what is equal stays as the name server said it (rule 10). */
void resolv__order(struct plx_softnet *sn, struct resolv_found *f)
{
	for (unsigned int i = 1; i < f->n; i++) {
		const struct resolv_addr a = f->v[i];
		const struct resolv_way way = way_to(sn, &a);
		unsigned int at = i;

		for (; at > 0; at--) {
			const struct resolv_way before = way_to(sn, &f->v[at - 1]);

			if (!resolv__before(&a.addr, &way, &f->v[at - 1].addr, &before))
				break;
			f->v[at] = f->v[at - 1];
		}
		f->v[at] = a;
	}
}
