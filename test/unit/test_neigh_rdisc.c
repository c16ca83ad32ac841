/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

/*
 * Our MAC is 02:00:00:00:00:01, so that 2001:db8::/64 makes 2001:db8::ff:fe00:1; the router is
 * fe80::9. Events are written as lines of text.
 */
#define OURS "2001:db8::ff:fe00:1"

struct rt {
	struct plx_rdisc r;
	struct plx_rng rng;
};

static struct plx_rdisc_conf conf(void)
{
	return (struct plx_rdisc_conf){
		PLX_RDISC_CONF_DEFAULT, .iface = 1, .mac = mac(1), .max_mtu = 1500};
}

static void start_conf(struct rt *t, struct plx_rdisc_conf c)
{
	plx_rng_init(&t->rng, 1);
	plx_neigh_rdisc_init(&t->r, &c, &t->rng);
	plx_neigh_rdisc_start(&t->r, 0);
}

/* Nothing is solicited, so that the deadlines are those of what was learnt. */
static void start(struct rt *t)
{
	struct plx_rdisc_conf c = conf();

	c.solicits = 0;
	start_conf(t, c);
}

static void to_text(char *buf, size_t room, const struct plx_rdisc_event *ev)
{
	static const char *const verb[] = {
		[PLX_RDISC_DEL_ADDR] = "del addr",
		[PLX_RDISC_DEL_ONLINK] = "del onlink",
		[PLX_RDISC_DEL_ROUTER] = "del router",
		[PLX_RDISC_ADD_ADDR] = "add addr",
		[PLX_RDISC_DEPRECATE] = "deprecate",
		[PLX_RDISC_ADD_ONLINK] = "add onlink",
		[PLX_RDISC_ADD_ROUTER] = "add router",
		[PLX_RDISC_SET_MTU] = "mtu",
		[PLX_RDISC_SET_HOPLIMIT] = "hoplimit",
		[PLX_RDISC_SET_TIMES] = "times",
	};
	char what[PLX_PREFIX_STRLEN];

	switch (ev->kind) {
	case PLX_RDISC_DEL_ONLINK:
	case PLX_RDISC_ADD_ONLINK:
		plx_prefix_format(&ev->prefix, what);
		break;
	case PLX_RDISC_ADD_ROUTER:
		plx_addr_format(&ev->addr, what);
		snprintf(what + strlen(what), sizeof(what) - strlen(what), " %d", ev->preference);
		break;
	case PLX_RDISC_SET_MTU:
		snprintf(what, sizeof(what), "%u", ev->mtu);
		break;
	case PLX_RDISC_SET_HOPLIMIT:
		snprintf(what, sizeof(what), "%u", ev->hop_limit);
		break;
	case PLX_RDISC_SET_TIMES:
		snprintf(what, sizeof(what), "%lld %lld", (long long)(ev->reachable_ns / PLX_MS(1)),
			(long long)(ev->retrans_ns / PLX_MS(1)));
		break;
	default:
		plx_addr_format(&ev->addr, what);
	}
	snprintf(buf, room, "%s %s", verb[ev->kind], what);
}

static void says(struct rt *t, const char *want)
{
	struct plx_rdisc_event ev;
	char got[80];

	ok(plx_neigh_rdisc_event(&t->r, &ev));
	to_text(got, sizeof(got), &ev);
	str_eq(got, want);
}

static void silent(struct rt *t)
{
	struct plx_rdisc_event ev;
	char got[80] = "";

	if (plx_neigh_rdisc_event(&t->r, &ev))
		to_text(got, sizeof(got), &ev);
	str_eq(got, "");
}

static struct plx_nd ra(uint16_t lifetime_s)
{
	return (struct plx_nd){.type = PLX_ICMP6_RA, .lifetime_s = lifetime_s};
}

static void add_prefix(
	struct plx_nd *nd, const char *prefix, const char *flags, uint32_t valid_s, uint32_t pref_s)
{
	struct plx_nd_prefix *p = &nd->prefix[nd->n_prefix++];

	eq(plx_prefix_parse(&p->prefix, prefix), 0);
	p->on_link = strchr(flags, 'L') != NULL;
	p->autonomous = strchr(flags, 'A') != NULL;
	p->valid_s = valid_s;
	p->preferred_s = pref_s;
}

static void hears(struct rt *t, plx_ns now, struct plx_nd nd, const char *src)
{
	struct plx_addr s = ip(src);

	eq(plx_neigh_rdisc_input(&t->r, &nd, &s, now), PLX_DROP_NONE);
}

/* From a router that isn't a default router. */
static void hears_prefix(struct rt *t, plx_ns now, const char *prefix, const char *flags,
	uint32_t valid_s, uint32_t pref_s)
{
	struct plx_nd nd = ra(0);

	add_prefix(&nd, prefix, flags, valid_s, pref_s);
	hears(t, now, nd, "fe80::9");
}

static void at(struct rt *t, plx_ns now)
{
	eq(plx_neigh_rdisc_deadline(&t->r), now);
	plx_neigh_rdisc_timer(&t->r, now - 1);
	silent(t);
	plx_neigh_rdisc_timer(&t->r, now);
	ok(plx_neigh_rdisc_deadline(&t->r) > now);
}

static plx_ns solicits(struct rt *t)
{
	plx_ns now = plx_neigh_rdisc_deadline(&t->r);
	struct plx_neigh_tx tx;

	ne(now, PLX_NEVER);
	ok(!plx_neigh_rdisc_output(&t->r, now, &tx));
	plx_neigh_rdisc_timer(&t->r, now);
	ok(plx_neigh_rdisc_output(&t->r, now, &tx));
	eq(tx.kind, PLX_NEIGH_TX_RS);
	eq(tx.iface, 1);
	ip_eq(&tx.dst, "ff02::2");
	mac_eq(&tx.dst_mac, "33:33:00:00:00:02");
	ok(!plx_neigh_rdisc_output(&t->r, now, &tx));
	return now;
}

T(three_solicitations_four_seconds_apart)
{
	struct rt t;
	plx_ns first;

	start_conf(&t, conf());
	first = solicits(&t);
	ok(first <= SEC(1));
	eq(solicits(&t), first + SEC(4));
	eq(solicits(&t), first + SEC(8));
	eq(plx_neigh_rdisc_deadline(&t.r), PLX_NEVER);
}

T(a_default_router_ends_the_questions)
{
	struct rt t;

	start_conf(&t, conf());
	solicits(&t);
	hears(&t, SEC(2), ra(0), "fe80::8"); /* no default router: go on */
	ne(plx_neigh_rdisc_deadline(&t.r), PLX_NEVER);
	hears(&t, SEC(2), ra(1800), "fe80::9");
	eq(plx_neigh_rdisc_deadline(&t.r), SEC(1802));
}

T(one_question_is_asked_in_any_case)
{
	struct rt t;

	start_conf(&t, conf());
	hears(&t, 0, ra(1800), "fe80::9");
	ok(solicits(&t) <= SEC(1));
	eq(plx_neigh_rdisc_deadline(&t.r), SEC(1800));
}

T(back_off_doubles_up_to_an_hour)
{
	struct rt t;
	struct plx_rdisc_conf c = conf();
	plx_ns last, gap = 0;

	c.backoff = true;
	start_conf(&t, c);
	last = solicits(&t);
	for (int i = 0; i < 30; i++) {
		plx_ns now = solicits(&t), g = now - last;

		if (i == 0)
			ok(g >= MS(3600) && g <= MS(4400)); /* IRT of 4 s and a tenth */
		else if (i < 9)
			ok(g >= gap * 19 / 10 && g <= gap * 21 / 10);
		else if (i > 11)
			ok(g >= SEC(3240) && g <= SEC(3960)); /* MRT and a tenth */
		last = now;
		gap = g;
	}
	hears(&t, last, ra(9000), "fe80::9");
	eq(plx_neigh_rdisc_deadline(&t.r), last + SEC(9000));
}

T(a_router_lives_as_long_as_it_says)
{
	struct rt t;

	start(&t);
	hears(&t, 0, ra(1800), "fe80::9");
	says(&t, "add router fe80::9 0");
	silent(&t);
	hears(&t, SEC(600), ra(1800), "fe80::9"); /* renewed: nothing new */
	silent(&t);
	at(&t, SEC(2400));
	says(&t, "del router fe80::9");
	silent(&t);
	eq(plx_neigh_rdisc_deadline(&t.r), PLX_NEVER);
}

T(a_router_that_says_zero_is_gone)
{
	struct rt t;

	start(&t);
	hears(&t, 0, ra(1800), "fe80::9");
	says(&t, "add router fe80::9 0");
	hears(&t, 1, ra(0), "fe80::9");
	says(&t, "del router fe80::9");
	hears(&t, 2, ra(0), "fe80::9");
	silent(&t);
}

T(a_router_that_became_a_host_is_gone)
{
	struct rt t;
	struct plx_addr a = ip("fe80::9"), b = ip("fe80::8");

	start(&t);
	hears(&t, 0, ra(1800), "fe80::9");
	says(&t, "add router fe80::9 0");
	plx_neigh_rdisc_not_router(&t.r, &b);
	silent(&t);
	plx_neigh_rdisc_not_router(&t.r, &a);
	says(&t, "del router fe80::9");
}

T(preferences_are_told_when_they_change)
{
	struct rt t;
	struct plx_nd nd = ra(1800);
	struct plx_rdisc_conf c = conf();

	start(&t);
	nd.preference = 1;
	hears(&t, 0, nd, "fe80::9");
	says(&t, "add router fe80::9 1");
	nd.preference = -1;
	hears(&t, 1, nd, "fe80::9");
	says(&t, "add router fe80::9 -1");
	silent(&t);

	c.accept_rtr_pref = false;
	start_conf(&t, c);
	hears(&t, 0, nd, "fe80::9");
	says(&t, "add router fe80::9 0");
}

T(surplus_routers_are_not_learnt)
{
	struct rt t;
	struct plx_rdisc_event ev;
	unsigned int n = 0;

	start(&t);
	for (uint8_t i = 1; i <= PLX_RDISC_ROUTERS + 3; i++) {
		char addr[16];

		snprintf(addr, sizeof(addr), "fe80::%x", i);
		hears(&t, 0, ra(1800), addr);
	}
	while (plx_neigh_rdisc_event(&t.r, &ev))
		n += ev.kind == PLX_RDISC_ADD_ROUTER;
	eq(n, PLX_RDISC_ROUTERS);
}

T(a_prefix_makes_an_address_and_a_route)
{
	struct rt t;

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "LA", 86400, 14400);
	says(&t, "add addr " OURS);
	says(&t, "add onlink 2001:db8::/64");
	silent(&t);
	at(&t, SEC(14400));
	says(&t, "deprecate " OURS);
	at(&t, SEC(86400));
	says(&t, "del addr " OURS);
	says(&t, "del onlink 2001:db8::/64");
	silent(&t);
	eq(plx_neigh_rdisc_deadline(&t.r), PLX_NEVER);
}

T(each_flag_is_a_matter_of_its_own)
{
	struct rt t;
	struct plx_rdisc_conf c = conf();

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "A", 86400, 14400);
	says(&t, "add addr " OURS);
	silent(&t);
	hears_prefix(&t, 0, "2001:db8:0:1::/64", "L", 86400, 14400);
	says(&t, "add onlink 2001:db8:0:1::/64");
	silent(&t);
	hears_prefix(&t, 0, "2001:db8:0:2::/64", "", 86400, 14400);
	silent(&t);

	c.autoconf = false;
	start_conf(&t, c);
	hears_prefix(&t, 0, "2001:db8::/64", "LA", 86400, 14400);
	says(&t, "add onlink 2001:db8::/64");
	silent(&t);

	c = conf();
	c.accept_pinfo = false;
	c.accept_defrtr = false;
	start_conf(&t, c);
	hears(&t, 0, ra(1800), "fe80::9");
	hears_prefix(&t, 0, "2001:db8::/64", "L", 86400, 14400);
	silent(&t);
}

T(only_a_slash_64_makes_an_address)
{
	struct rt t;

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/63", "A", 86400, 14400);
	hears_prefix(&t, 0, "2001:db8::/65", "A", 86400, 14400);
	hears_prefix(&t, 0, "2001:db8::/64", "LA", 0, 0); /* valid for no time */
	silent(&t);
}

T(surplus_prefixes_are_not_learnt)
{
	struct rt t;
	struct plx_rdisc_event ev;
	unsigned int addrs = 0, onlinks = 0, dels = 0;

	start(&t);
	for (unsigned int i = 0; i < 20; i++) {
		char prefix[PLX_PREFIX_STRLEN];

		snprintf(prefix, sizeof(prefix), "2001:db8:0:%x::/64", i);
		hears_prefix(&t, 0, prefix, "LA", 86400, 14400);
	}
	while (plx_neigh_rdisc_event(&t.r, &ev)) {
		addrs += ev.kind == PLX_RDISC_ADD_ADDR;
		onlinks += ev.kind == PLX_RDISC_ADD_ONLINK;
	}
	eq(addrs, PLX_RDISC_ADDRS);
	eq(onlinks, PLX_RDISC_PREFIXES);
	plx_neigh_rdisc_stop(&t.r);
	while (plx_neigh_rdisc_event(&t.r, &ev))
		dels++;
	eq(dels, PLX_RDISC_ADDRS + PLX_RDISC_PREFIXES);
}

T(infinity_is_for_ever)
{
	struct rt t;

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "LA", UINT32_MAX, UINT32_MAX);
	says(&t, "add addr " OURS);
	says(&t, "add onlink 2001:db8::/64");
	eq(plx_neigh_rdisc_deadline(&t.r), PLX_NEVER);
	hears_prefix(&t, 1, "2001:db8::/64", "LA", 86400, 14400); /* and may end all the same */
	at(&t, SEC(14400) + 1);
	says(&t, "deprecate " OURS);
}

T(a_route_ends_at_once_an_address_does_not)
{
	struct rt t;

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "LA", 86400, 14400);
	says(&t, "add addr " OURS);
	says(&t, "add onlink 2001:db8::/64");
	hears_prefix(&t, SEC(1), "2001:db8::/64", "LA", 0, 0);
	says(&t, "del onlink 2001:db8::/64");
	says(&t, "deprecate " OURS);
	silent(&t);
	at(&t, SEC(7201));
	says(&t, "del addr " OURS);
}

/* RFC 4862 5.5.3 e, at hour 1: what remains, what is advertised, what comes of it. */
T(the_two_hour_rule_row_by_row)
{
	static const struct {
		uint32_t remains, says, becomes;
	} rows[] = {
		{1800, 7201, 7201},  /* more than two hours */
		{36000, 7201, 7201}, /* less than remains, but more than two hours */
		{1800, 3600, 3600},  /* more than remains */
		{UINT32_MAX, UINT32_MAX, UINT32_MAX},
		{7200, 7199, 7200}, /* two hours remain: ignored */
		{1800, 60, 1800},   /* the same */
		{1800, 0, 1800},
		{7201, 7200, 7200}, /* else two hours */
		{36000, 60, 7200},
		{UINT32_MAX, 0, 7200},
		{36000, UINT32_MAX, UINT32_MAX},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct rt t;
		plx_ns now = SEC(3600);
		uint32_t valid =
			rows[i].remains == UINT32_MAX ? UINT32_MAX : rows[i].remains + 3600;

		start(&t);
		hears_prefix(&t, 0, "2001:db8::/64", "A", valid, 0);
		hears_prefix(&t, now, "2001:db8::/64", "A", rows[i].says, 0);
		eq(plx_neigh_rdisc_deadline(&t.r),
			rows[i].becomes == UINT32_MAX ? PLX_NEVER : now + SEC(rows[i].becomes));
	}
}

T(a_deprecated_address_may_be_preferred_again)
{
	struct rt t;

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "A", 86400, 0);
	says(&t, "add addr " OURS);
	says(&t, "deprecate " OURS);
	silent(&t);
	hears_prefix(&t, 1, "2001:db8::/64", "A", 86400, 600);
	says(&t, "add addr " OURS);
	silent(&t);
	at(&t, SEC(600) + 1);
	says(&t, "deprecate " OURS);
}

T(a_duplicate_from_the_mac_is_not_tried_again)
{
	struct rt t;
	struct plx_addr a = ip(OURS), b = ip("2001:db8::77");

	start(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "A", 86400, 14400);
	says(&t, "add addr " OURS);
	plx_neigh_rdisc_duplicate(&t.r, &b); /* none of ours */
	silent(&t);
	plx_neigh_rdisc_duplicate(&t.r, &a);
	says(&t, "del addr " OURS);
	hears_prefix(&t, SEC(60), "2001:db8::/64", "A", 86400, 14400);
	silent(&t);
	plx_neigh_rdisc_timer(&t.r, SEC(86460));
	silent(&t);
	hears_prefix(&t, SEC(90000), "2001:db8::/64", "A", 86400, 14400); /* it had gone */
	says(&t, "add addr " OURS);
}

T(a_stable_duplicate_is_replaced_three_times)
{
	struct rt t;
	struct plx_rdisc_conf c = conf();
	struct plx_addr a;

	c.iid = PLX_RDISC_STABLE;
	c.solicits = 0;
	for (uint8_t i = 0; i < sizeof(c.secret); i++)
		c.secret[i] = i;
	start_conf(&t, c);
	hears_prefix(&t, 0, "2001:db8::/64", "A", 86400, 14400);
	says(&t, "add addr 2001:db8::bb88:a1e2:2881:fa5d"); /* as in test_neigh_iid.c */
	a = ip("2001:db8::bb88:a1e2:2881:fa5d");
	plx_neigh_rdisc_duplicate(&t.r, &a);
	says(&t, "del addr 2001:db8::bb88:a1e2:2881:fa5d");
	says(&t, "add addr 2001:db8::7750:b8a4:f07c:9677");
	hears_prefix(&t, 1, "2001:db8::/64", "A", 86400, 14400); /* renews the new one */
	silent(&t);
	a = ip("2001:db8::7750:b8a4:f07c:9677");
	plx_neigh_rdisc_duplicate(&t.r, &a);
	says(&t, "del addr 2001:db8::7750:b8a4:f07c:9677");
	says(&t, "add addr 2001:db8::bb49:7255:e9d0:53f7");
	a = ip("2001:db8::bb49:7255:e9d0:53f7");
	plx_neigh_rdisc_duplicate(&t.r, &a);
	says(&t, "del addr 2001:db8::bb49:7255:e9d0:53f7");
	says(&t, "add addr 2001:db8::1a88:fdf:9591:2736");
	a = ip("2001:db8::1a88:fdf:9591:2736");
	plx_neigh_rdisc_duplicate(&t.r, &a);
	says(&t, "del addr 2001:db8::1a88:fdf:9591:2736");
	silent(&t);
	eq(plx_neigh_rdisc_deadline(&t.r), SEC(14400) + 1);
}

T(link_parameters_are_told_when_they_change)
{
	struct rt t;
	struct plx_nd nd = ra(0);

	start(&t);
	nd.mtu = 1400;
	nd.hop_limit = 32;
	nd.reachable_ms = 20000;
	nd.retrans_ms = 500;
	hears(&t, 0, nd, "fe80::9");
	says(&t, "mtu 1400");
	says(&t, "hoplimit 32");
	says(&t, "times 20000 500");
	silent(&t);
	hears(&t, 1, nd, "fe80::9");
	hears(&t, 2, ra(0), "fe80::9"); /* unspecified: stays */
	silent(&t);
	nd.retrans_ms = 0;
	nd.reachable_ms = 30000;
	hears(&t, 3, nd, "fe80::9");
	says(&t, "times 30000 500");
	silent(&t);
}

T(link_parameters_that_would_harm_are_ignored_or_raised)
{
	struct rt t;
	struct plx_rdisc_conf c = conf();
	struct plx_nd nd = ra(0);

	c.solicits = 0;
	c.min_hop_limit = 32;
	start_conf(&t, c);
	nd.mtu = 1279;
	nd.hop_limit = 31;
	nd.reachable_ms = 3600001;
	nd.retrans_ms = UINT32_MAX;
	hears(&t, 0, nd, "fe80::9");
	nd.mtu = 1501;
	hears(&t, 0, nd, "fe80::9");
	silent(&t);
	nd.mtu = 1280;
	nd.hop_limit = 32;
	nd.reachable_ms = nd.retrans_ms = 1;
	hears(&t, 0, nd, "fe80::9");
	says(&t, "mtu 1280");
	says(&t, "hoplimit 32");
	says(&t, "times 100 10");
}

T(a_stop_takes_all_back)
{
	struct rt t;
	struct plx_nd nd = ra(1800);
	struct plx_addr src = ip("fe80::9");

	start(&t);
	add_prefix(&nd, "2001:db8::/64", "LA", 86400, 14400);
	nd.mtu = 1400;
	hears(&t, 0, nd, "fe80::9");
	says(&t, "add addr " OURS);
	says(&t, "add onlink 2001:db8::/64");
	says(&t, "add router fe80::9 0");
	says(&t, "mtu 1400");
	plx_neigh_rdisc_stop(&t.r);
	says(&t, "del addr " OURS);
	says(&t, "del onlink 2001:db8::/64");
	says(&t, "del router fe80::9");
	silent(&t);
	eq(plx_neigh_rdisc_deadline(&t.r), PLX_NEVER);
	eq(plx_neigh_rdisc_input(&t.r, &nd, &src, 1), PLX_DROP_ND_IGNORED);
	silent(&t);
	plx_neigh_rdisc_start(&t.r, 2);
	hears(&t, 2, nd, "fe80::9");
	says(&t, "add addr " OURS);
	says(&t, "add onlink 2001:db8::/64");
	says(&t, "add router fe80::9 0");
	says(&t, "mtu 1400");
}

T(what_came_and_went_unseen_is_not_told)
{
	struct rt t;

	start(&t);
	hears(&t, 0, ra(1800), "fe80::9");
	hears(&t, 0, ra(0), "fe80::9");
	hears_prefix(&t, 0, "2001:db8::/64", "L", 100, 100);
	hears_prefix(&t, 0, "2001:db8::/64", "L", 0, 0);
	silent(&t);
	hears_prefix(&t, 0, "2001:db8::/64", "L", 100, 100);
	says(&t, "add onlink 2001:db8::/64");
	hears_prefix(&t, 0, "2001:db8::/64", "L", 0, 0);
	hears_prefix(&t, 0, "2001:db8::/64", "L", 100, 100);
	says(&t, "del onlink 2001:db8::/64");
	says(&t, "add onlink 2001:db8::/64");
	silent(&t);
}

RUN(T_(three_solicitations_four_seconds_apart), T_(a_default_router_ends_the_questions),
	T_(one_question_is_asked_in_any_case), T_(back_off_doubles_up_to_an_hour),
	T_(a_router_lives_as_long_as_it_says), T_(a_router_that_says_zero_is_gone),
	T_(a_router_that_became_a_host_is_gone), T_(preferences_are_told_when_they_change),
	T_(surplus_routers_are_not_learnt), T_(a_prefix_makes_an_address_and_a_route),
	T_(each_flag_is_a_matter_of_its_own), T_(only_a_slash_64_makes_an_address),
	T_(surplus_prefixes_are_not_learnt), T_(infinity_is_for_ever),
	T_(a_route_ends_at_once_an_address_does_not), T_(the_two_hour_rule_row_by_row),
	T_(a_deprecated_address_may_be_preferred_again),
	T_(a_duplicate_from_the_mac_is_not_tried_again),
	T_(a_stable_duplicate_is_replaced_three_times),
	T_(link_parameters_are_told_when_they_change),
	T_(link_parameters_that_would_harm_are_ignored_or_raised), T_(a_stop_takes_all_back),
	T_(what_came_and_went_unseen_is_not_told))
