/* SPDX-License-Identifier: BSD-3-Clause */
#include "rdisc.h"

#define TWO_HOURS     PLX_SEC(7200)
#define IDGEN_RETRIES 3 /* RFC 7217 7 */

static bool same_prefix(const struct plx_prefix *a, const struct plx_prefix *b)
{
	return a->len == b->len && plx_addr_eq(&a->addr, &b->addr);
}

static struct plx_rdisc_prefix *find_prefix(struct plx_rdisc *r, const struct plx_prefix *prefix)
{
	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++)
		if (r->prefixes[i].live && same_prefix(&r->prefixes[i].prefix, prefix))
			return &r->prefixes[i];
	return NULL;
}

static struct plx_rdisc_prefix *add_prefix(struct plx_rdisc *r, const struct plx_prefix *prefix)
{
	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++) {
		struct plx_rdisc_prefix *p = &r->prefixes[i];

		if (!p->live && !p->told) {
			*p = (struct plx_rdisc_prefix){.prefix = *prefix, .live = true};
			return p;
		}
	}
	return NULL;
}

/* RFC 4861 6.3.4 */
static void input_onlink(
	struct plx_rdisc *r, const struct plx_prefix *prefix, uint32_t valid_s, plx_ns now)
{
	struct plx_rdisc_prefix *p = find_prefix(r, prefix);

	if (!p && valid_s > 0)
		p = add_prefix(r, prefix);
	if (!p)
		return;
	p->until = neigh__until(now, valid_s);
	p->live = valid_s > 0;
}

static struct plx_rdisc_addr *find_addr(struct plx_rdisc *r, const struct plx_prefix *prefix)
{
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++)
		if (r->addrs[i].live && same_prefix(&r->addrs[i].prefix, prefix))
			return &r->addrs[i];
	return NULL;
}

static struct plx_rdisc_addr *add_addr(
	struct plx_rdisc *r, const struct plx_prefix *prefix, uint8_t dad_counter)
{
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++) {
		struct plx_rdisc_addr *a = &r->addrs[i];

		if (a->live || a->told)
			continue;
		*a = (struct plx_rdisc_addr){
			.prefix = *prefix, .live = true, .dad_counter = dad_counter};
		a->addr = r->conf.iid == PLX_RDISC_EUI64
				  ? plx_neigh_addr_eui64(prefix, &r->conf.mac)
				  : plx_neigh_addr_stable(
					    prefix, &r->conf.mac, r->conf.secret, dad_counter);
		return a;
	}
	return NULL;
}

/*
 * RFC 4862 5.5.3 e: an unauthenticated advertisement must not end an address soon. Its valid
 * lifetime is taken as it is only if that is more than two hours or more than what remains; else it
 * shrinks to two hours at most.
 */
static plx_ns renewed(plx_ns valid_until, uint32_t valid_s, plx_ns now)
{
	plx_ns advertised = neigh__until(now, valid_s);

	if (advertised > now + TWO_HOURS || advertised > valid_until)
		return advertised;
	return PLX_MIN(valid_until, now + TWO_HOURS);
}

/* RFC 4862 5.5.3; a) to c) were done on parsing, but for the flag. */
static void input_autonomous(struct plx_rdisc *r, const struct plx_nd_prefix *pi, plx_ns now)
{
	struct plx_rdisc_addr *a = find_addr(r, &pi->prefix);

	if (a) {
		a->valid_until = renewed(a->valid_until, pi->valid_s, now); /* e) */
	} else {
		if (pi->valid_s == 0 || pi->prefix.len != 64)
			return; /* d) */
		a = add_addr(r, &pi->prefix, 0);
		if (!a)
			return;
		a->valid_until = neigh__until(now, pi->valid_s);
	}
	a->preferred_until = neigh__until(now, pi->preferred_s);
	a->deprecated = a->preferred_until <= now;
}

void neigh__slaac_input(struct plx_rdisc *r, const struct plx_nd_prefix *pi, plx_ns now)
{
	if (pi->on_link && r->conf.accept_pinfo)
		input_onlink(r, &pi->prefix, pi->valid_s, now);
	if (pi->autonomous && r->conf.autoconf)
		input_autonomous(r, pi, now);
}

void plx_neigh_rdisc_duplicate(struct plx_rdisc *r, const struct plx_addr *addr)
{
	struct plx_rdisc_addr *old = r->addrs, *a = NULL;

	while (old < r->addrs + PLX_DIM(r->addrs) &&
		!(old->live && !old->barred && plx_addr_eq(&old->addr, addr)))
		old++;
	if (old == r->addrs + PLX_DIM(r->addrs))
		return;
	if (r->conf.iid == PLX_RDISC_STABLE && old->dad_counter < IDGEN_RETRIES)
		a = add_addr(r, &old->prefix, old->dad_counter + 1);
	if (!a) {
		old->barred = true;
		return;
	}
	a->preferred_until = old->preferred_until;
	a->valid_until = old->valid_until;
	a->deprecated = old->deprecated;
	old->live = false;
}

void neigh__slaac_timer(struct plx_rdisc *r, plx_ns now)
{
	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++)
		if (r->prefixes[i].until <= now)
			r->prefixes[i].live = false;
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++) {
		struct plx_rdisc_addr *a = &r->addrs[i];

		if (a->preferred_until <= now)
			a->deprecated = true;
		if (a->valid_until <= now)
			a->live = false;
	}
}

plx_ns neigh__slaac_deadline(const struct plx_rdisc *r)
{
	plx_ns first = PLX_NEVER;

	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++)
		if (r->prefixes[i].live)
			first = PLX_MIN(first, r->prefixes[i].until);
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++) {
		const struct plx_rdisc_addr *a = &r->addrs[i];

		if (a->live)
			first = PLX_MIN(
				first, a->deprecated ? a->valid_until
						     : PLX_MIN(a->preferred_until, a->valid_until));
	}
	return first;
}
