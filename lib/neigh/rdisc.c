/* SPDX-License-Identifier: BSD-3-Clause */
#include "rdisc.h"

#include "neigh.h"

/*
 * Timers: next_rs; until of routers and prefixes; preferred_until and valid_until of addresses.
 * There are few enough to look at all of them.
 */

/* RFC 4861 10 */
#define MAX_RTR_SOLICITATION_DELAY PLX_SEC(1)
#define RTR_SOLICITATION_INTERVAL  PLX_SEC(4)
#define MAX_REACHABLE_TIME_MS	   3600000
/* RFC 7559 2 */
#define MRT PLX_SEC(3600)

#define MIN_MTU		 1280 /* RFC 8200 5 */
#define MIN_RETRANS_MS	 10   /* as Linux: no router can make us storm */
#define MIN_REACHABLE_MS 100

#define NEWS_MTU      0x1
#define NEWS_HOPLIMIT 0x2
#define NEWS_TIMES    0x4

void plx_neigh_rdisc_init(
	struct plx_rdisc *r, const struct plx_rdisc_conf *conf, struct plx_rng *rng)
{
	*r = (struct plx_rdisc){.conf = *conf, .rng = rng, .next_rs = PLX_NEVER};
}

void plx_neigh_rdisc_start(struct plx_rdisc *r, plx_ns now)
{
	r->started = true;
	r->found = r->rs_due = false;
	r->rs_sent = 0;
	r->rs_interval = 0;
	r->next_rs = PLX_NEVER;
	if (r->conf.solicits > 0)
		r->next_rs = now + neigh__between(r->rng, 0, MAX_RTR_SOLICITATION_DELAY);
}

void plx_neigh_rdisc_stop(struct plx_rdisc *r)
{
	r->started = r->rs_due = false;
	r->next_rs = PLX_NEVER;
	r->mtu = 0;
	r->hop_limit = 0;
	r->reachable_ns = r->retrans_ns = 0;
	r->news = 0;
	for (size_t i = 0; i < PLX_DIM(r->routers); i++)
		r->routers[i].live = false;
	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++)
		r->prefixes[i].live = false;
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++)
		r->addrs[i].live = false;
}

static plx_ns tenth(struct plx_rng *rng, plx_ns t)
{
	return neigh__between(rng, -t / 10, t / 10);
}

/* RFC 4861 6.3.7: every 4 s, a few times. RFC 7559 2: doubling, with a jitter of a tenth, up to an
 * hour. */
static plx_ns next_interval(struct plx_rdisc *r)
{
	if (!r->conf.backoff)
		return r->rs_sent < r->conf.solicits ? RTR_SOLICITATION_INTERVAL : PLX_NEVER;
	if (r->rs_interval == 0)
		r->rs_interval =
			RTR_SOLICITATION_INTERVAL + tenth(r->rng, RTR_SOLICITATION_INTERVAL);
	else
		r->rs_interval = 2 * r->rs_interval + tenth(r->rng, r->rs_interval);
	if (r->rs_interval > MRT)
		r->rs_interval = MRT + tenth(r->rng, MRT);
	return r->rs_interval;
}

static void solicit(struct plx_rdisc *r, plx_ns now)
{
	plx_ns interval;

	r->rs_due = true;
	r->rs_sent++;
	interval = r->found ? PLX_NEVER : next_interval(r);
	r->next_rs = interval == PLX_NEVER ? PLX_NEVER : now + interval;
}

static struct plx_rdisc_router *find_router(struct plx_rdisc *r, const struct plx_addr *addr)
{
	for (size_t i = 0; i < PLX_DIM(r->routers); i++)
		if (r->routers[i].live && plx_addr_eq(&r->routers[i].addr, addr))
			return &r->routers[i];
	return NULL;
}

static struct plx_rdisc_router *add_router(struct plx_rdisc *r, const struct plx_addr *addr)
{
	for (size_t i = 0; i < PLX_DIM(r->routers); i++) {
		struct plx_rdisc_router *router = &r->routers[i];

		if (!router->live && !router->told) {
			*router = (struct plx_rdisc_router){.addr = *addr, .live = true};
			return router;
		}
	}
	return NULL;
}

/* RFC 4861 6.3.4, RFC 4191 2.2 */
static void input_router(
	struct plx_rdisc *r, const struct plx_nd *nd, const struct plx_addr *src, plx_ns now)
{
	struct plx_rdisc_router *router = find_router(r, src);

	if (!r->conf.accept_defrtr)
		return;
	if (nd->lifetime_s == 0) {
		if (router)
			router->live = false;
		return;
	}
	if (!router)
		router = add_router(r, src);
	if (!router)
		return;
	router->until = now + PLX_SEC(nd->lifetime_s);
	router->preference = r->conf.accept_rtr_pref ? nd->preference : 0;
}

static void input_times(struct plx_rdisc *r, const struct plx_nd *nd)
{
	plx_ns reachable_ns = r->reachable_ns, retrans_ns = r->retrans_ns;

	if (nd->reachable_ms > 0 && nd->reachable_ms <= MAX_REACHABLE_TIME_MS)
		reachable_ns = PLX_MS(PLX_MAX(nd->reachable_ms, MIN_REACHABLE_MS));
	if (nd->retrans_ms > 0 && nd->retrans_ms <= MAX_REACHABLE_TIME_MS)
		retrans_ns = PLX_MS(PLX_MAX(nd->retrans_ms, MIN_RETRANS_MS));
	if (reachable_ns != r->reachable_ns || retrans_ns != r->retrans_ns)
		r->news |= NEWS_TIMES;
	r->reachable_ns = reachable_ns;
	r->retrans_ns = retrans_ns;
}

/* RFC 4861 6.3.4: 0 says nothing; values of a link are kept when a router ceases to say them. */
static void input_link(struct plx_rdisc *r, const struct plx_nd *nd)
{
	if (nd->hop_limit != 0 && nd->hop_limit >= r->conf.min_hop_limit &&
		nd->hop_limit != r->hop_limit) {
		r->hop_limit = nd->hop_limit;
		r->news |= NEWS_HOPLIMIT;
	}
	if (nd->mtu >= MIN_MTU && nd->mtu <= r->conf.max_mtu && nd->mtu != r->mtu) {
		r->mtu = nd->mtu;
		r->news |= NEWS_MTU;
	}
	input_times(r, nd);
}

enum plx_drop plx_neigh_rdisc_input(
	struct plx_rdisc *r, const struct plx_nd *nd, const struct plx_addr *src, plx_ns now)
{
	if (!r->started || nd->type != PLX_ICMP6_RA)
		return PLX_DROP_ND_IGNORED;
	input_router(r, nd, src, now);
	input_link(r, nd);
	for (unsigned int i = 0; i < nd->n_prefix; i++)
		neigh__slaac_input(r, &nd->prefix[i], now);
	if (nd->lifetime_s > 0) {
		/* RFC 4861 6.3.7: stop asking, but ask once at least. */
		r->found = true;
		if (r->rs_sent > 0)
			r->next_rs = PLX_NEVER;
	}
	return PLX_DROP_NONE;
}

void plx_neigh_rdisc_not_router(struct plx_rdisc *r, const struct plx_addr *addr)
{
	struct plx_rdisc_router *router = find_router(r, addr);

	if (router)
		router->live = false;
}

bool plx_neigh_rdisc_output(struct plx_rdisc *r, plx_ns now, struct plx_neigh_tx *tx)
{
	static const struct plx_addr all_routers = {.b = {0xff, 0x02, [15] = 2}};

	if (!r->rs_due)
		return false;
	r->rs_due = false;
	*tx = (struct plx_neigh_tx){
		.kind = PLX_NEIGH_TX_RS,
		.iface = r->conf.iface,
		.dst = all_routers,
		.dst_mac = plx_wire_group_mac(&all_routers),
	};
	return true;
}

void plx_neigh_rdisc_timer(struct plx_rdisc *r, plx_ns now)
{
	if (r->next_rs <= now)
		solicit(r, now);
	for (size_t i = 0; i < PLX_DIM(r->routers); i++)
		if (r->routers[i].until <= now)
			r->routers[i].live = false;
	neigh__slaac_timer(r, now);
}

plx_ns plx_neigh_rdisc_deadline(const struct plx_rdisc *r)
{
	plx_ns first = PLX_MIN(r->next_rs, neigh__slaac_deadline(r));

	for (size_t i = 0; i < PLX_DIM(r->routers); i++)
		if (r->routers[i].live)
			first = PLX_MIN(first, r->routers[i].until);
	return first;
}

static bool removal(struct plx_rdisc *r, struct plx_rdisc_event *ev)
{
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++) {
		struct plx_rdisc_addr *a = &r->addrs[i];

		if (a->told && (!a->live || a->barred)) {
			a->told = false;
			*ev = (struct plx_rdisc_event){
				.kind = PLX_RDISC_DEL_ADDR, .addr = a->addr, .prefix = a->prefix};
			return true;
		}
	}
	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++) {
		struct plx_rdisc_prefix *p = &r->prefixes[i];

		if (p->told && !p->live) {
			p->told = false;
			*ev = (struct plx_rdisc_event){
				.kind = PLX_RDISC_DEL_ONLINK, .prefix = p->prefix};
			return true;
		}
	}
	for (size_t i = 0; i < PLX_DIM(r->routers); i++) {
		struct plx_rdisc_router *router = &r->routers[i];

		if (router->told && !router->live) {
			router->told = false;
			*ev = (struct plx_rdisc_event){
				.kind = PLX_RDISC_DEL_ROUTER, .addr = router->addr};
			return true;
		}
	}
	return false;
}

/* A new address that is deprecated from the start is told in two steps. */
static bool addition_addr(struct plx_rdisc *r, struct plx_rdisc_event *ev)
{
	for (size_t i = 0; i < PLX_DIM(r->addrs); i++) {
		struct plx_rdisc_addr *a = &r->addrs[i];

		if (!a->live || a->barred || (a->told && a->told_deprecated == a->deprecated))
			continue;
		*ev = (struct plx_rdisc_event){
			.kind = a->told && a->deprecated ? PLX_RDISC_DEPRECATE : PLX_RDISC_ADD_ADDR,
			.addr = a->addr,
			.prefix = a->prefix};
		a->told_deprecated = ev->kind == PLX_RDISC_DEPRECATE;
		a->told = true;
		return true;
	}
	return false;
}

static bool addition(struct plx_rdisc *r, struct plx_rdisc_event *ev)
{
	if (addition_addr(r, ev))
		return true;
	for (size_t i = 0; i < PLX_DIM(r->prefixes); i++) {
		struct plx_rdisc_prefix *p = &r->prefixes[i];

		if (p->live && !p->told) {
			p->told = true;
			*ev = (struct plx_rdisc_event){
				.kind = PLX_RDISC_ADD_ONLINK, .prefix = p->prefix};
			return true;
		}
	}
	for (size_t i = 0; i < PLX_DIM(r->routers); i++) {
		struct plx_rdisc_router *router = &r->routers[i];

		if (router->live &&
			(!router->told || router->told_preference != router->preference)) {
			router->told = true;
			router->told_preference = router->preference;
			*ev = (struct plx_rdisc_event){.kind = PLX_RDISC_ADD_ROUTER,
				.addr = router->addr,
				.preference = router->preference};
			return true;
		}
	}
	return false;
}

static bool link_news(struct plx_rdisc *r, struct plx_rdisc_event *ev)
{
	static const struct {
		uint8_t news;
		enum plx_rdisc_kind kind;
	} rows[] = {{NEWS_MTU, PLX_RDISC_SET_MTU}, {NEWS_HOPLIMIT, PLX_RDISC_SET_HOPLIMIT},
		{NEWS_TIMES, PLX_RDISC_SET_TIMES}};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		if (!(r->news & rows[i].news))
			continue;
		r->news &= (uint8_t)~rows[i].news;
		*ev = (struct plx_rdisc_event){
			.kind = rows[i].kind,
			.mtu = r->mtu,
			.hop_limit = r->hop_limit,
			.reachable_ns = r->reachable_ns,
			.retrans_ns = r->retrans_ns,
		};
		return true;
	}
	return false;
}

bool plx_neigh_rdisc_event(struct plx_rdisc *r, struct plx_rdisc_event *ev)
{
	return removal(r, ev) || addition(r, ev) || link_news(r, ev);
}
