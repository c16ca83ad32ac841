/* SPDX-License-Identifier: BSD-3-Clause */
#include "neigh_t.h"

#define REQUEST PLX_ARP_REQUEST
#define REPLY	PLX_ARP_REPLY
#define NONE	PLX_DROP_NONE
#define IGNORED PLX_DROP_ND_IGNORED

/* A table whose entry for `addr` is in that state, with MAC :02 if it has one, all told. */
static void start(struct nt *t, const char *addr, uint8_t state)
{
	struct plx_addr a = ip(addr);
	struct plx_mac m = mac(2);
	struct plx_neigh_tx tx;
	struct plx_neigh *n;

	nt_init(t, (struct plx_neigh_conf)PLX_NEIGH_CONF_DEFAULT);
	switch (state) {
	case 0:
		return;
	case PLX_NEIGH_INCOMPLETE:
		nt_use(t, 0, addr);
		break;
	case PLX_NEIGH_FAILED:
		nt_use(t, -SEC(3), addr);
		for (int s = -2; s <= 0; s++)
			plx_neigh_timer(t->t, SEC(s));
		break;
	case PLX_NEIGH_DELAY:
		eq(plx_neigh_add(t->t, 1, &a, &m, PLX_NEIGH_STALE, 0), 0);
		nt_use(t, 0, addr);
		break;
	case PLX_NEIGH_PROBE:
		eq(plx_neigh_add(t->t, 1, &a, &m, PLX_NEIGH_STALE, -SEC(5)), 0);
		nt_use(t, -SEC(5), addr);
		plx_neigh_timer(t->t, 0);
		break;
	default:
		eq(plx_neigh_add(t->t, 1, &a, &m, state, 0), 0);
	}
	eq(plx_neigh_find(t->t, 1, &a)->state, state);
	while (plx_neigh_output(t->t, 0, &tx))
		;
	while (plx_neigh_event(t->t, &n))
		;
}

/*
 * One row: an entry in state `from`, a message, and what must come of it: the verdict, the state,
 * the last byte of the MAC (0: no entry or no MAC), the event.
 */
struct want {
	enum plx_drop drop;
	uint8_t state;
	uint8_t mac;
	unsigned int event;
};

static void check(struct nt *t, const char *addr, enum plx_drop drop, const struct want *w)
{
	const struct plx_neigh *n = nt_find(t, addr);
	struct plx_neigh *told;

	eq(drop, w->drop);
	eq(n ? n->state : 0, w->state);
	eq(n && plx_neigh_is_usable(n) ? n->mac.b[5] : 0, w->mac);
	eq(plx_neigh_event(t->t, &told), w->event);
	nt_quiet(t, 0);
	nt_fini(t);
}

#define INC  PLX_NEIGH_INCOMPLETE
#define REA  PLX_NEIGH_REACHABLE
#define STA  PLX_NEIGH_STALE
#define DEL  PLX_NEIGH_DELAY
#define PRO  PLX_NEIGH_PROBE
#define FAI  PLX_NEIGH_FAILED
#define PER  PLX_NEIGH_PERMANENT
#define OWN  PLX_NEIGH_NOARP
#define E_US PLX_NEIGH_EV_USABLE
#define E_MA PLX_NEIGH_EV_MAC
#define E_ST PLX_NEIGH_EV_STALE
#define E_HO PLX_NEIGH_EV_HOST

T(arp_row_by_row)
{
	static const struct {
		uint8_t from;
		uint16_t op;
		uint8_t sha;
		const char *spa, *tpa;
		struct want want;
	} rows[] = {
		/* Who asks for us is learnt (RFC 826) and not believed to hear us. */
		{0, REQUEST, 2, "10.0.0.2", "10.0.0.1", {NONE, STA, 2, E_US}},
		{INC, REQUEST, 2, "10.0.0.2", "10.0.0.1", {NONE, STA, 2, E_US}},
		{FAI, REQUEST, 2, "10.0.0.2", "10.0.0.1", {NONE, STA, 2, E_US}},
		{REA, REQUEST, 2, "10.0.0.2", "10.0.0.1", {NONE, REA, 2, 0}},
		{DEL, REQUEST, 2, "10.0.0.2", "10.0.0.1", {NONE, DEL, 2, 0}},
		{REA, REQUEST, 3, "10.0.0.2", "10.0.0.1", {NONE, STA, 3, E_MA | E_ST}},
		{STA, REQUEST, 3, "10.0.0.2", "10.0.0.1", {NONE, STA, 3, E_MA}},
		{PRO, REQUEST, 3, "10.0.0.2", "10.0.0.1", {NONE, STA, 3, E_MA | E_ST}},
		{PER, REQUEST, 3, "10.0.0.2", "10.0.0.1", {NONE, PER, 2, 0}},
		/* A reply to us proves both ways; nobody asked for it: nothing is made of it. */
		{0, REPLY, 2, "10.0.0.2", "10.0.0.1", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{INC, REPLY, 2, "10.0.0.2", "10.0.0.1", {NONE, REA, 2, E_US}},
		{STA, REPLY, 2, "10.0.0.2", "10.0.0.1", {NONE, REA, 2, E_ST}},
		{DEL, REPLY, 2, "10.0.0.2", "10.0.0.1", {NONE, REA, 2, 0}},
		{PRO, REPLY, 2, "10.0.0.2", "10.0.0.1", {NONE, REA, 2, 0}},
		{PRO, REPLY, 3, "10.0.0.2", "10.0.0.1", {NONE, REA, 3, E_MA}},
		{FAI, REPLY, 2, "10.0.0.2", "10.0.0.1", {NONE, REA, 2, E_US}},
		{OWN, REPLY, 3, "10.0.0.2", "10.0.0.1", {NONE, OWN, 2, 0}},
		/* Gratuitous, in both forms: updates, never makes. */
		{0, REQUEST, 2, "10.0.0.2", "10.0.0.2", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{0, REPLY, 2, "10.0.0.2", "10.0.0.2", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{REA, REQUEST, 2, "10.0.0.2", "10.0.0.2", {NONE, REA, 2, 0}},
		{REA, REQUEST, 3, "10.0.0.2", "10.0.0.2", {NONE, STA, 3, E_MA | E_ST}},
		{REA, REPLY, 3, "10.0.0.2", "10.0.0.2", {NONE, STA, 3, E_MA | E_ST}},
		{INC, REPLY, 2, "10.0.0.2", "10.0.0.2", {NONE, STA, 2, E_US}},
		{FAI, REQUEST, 2, "10.0.0.2", "10.0.0.2", {NONE, STA, 2, E_US}},
		/* Overheard: the same. */
		{0, REQUEST, 2, "10.0.0.2", "10.0.0.7", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{STA, REQUEST, 3, "10.0.0.2", "10.0.0.7", {NONE, STA, 3, E_MA}},
		{STA, REPLY, 2, "10.0.0.2", "10.0.0.7", {NONE, STA, 2, 0}},
		/* A probe: to be answered if it is for us, nothing to learn. */
		{0, REQUEST, 2, "0.0.0.0", "10.0.0.1", {NONE, 0, 0, 0}},
		{0, REQUEST, 2, "0.0.0.0", "10.0.0.7", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		/* What cannot be. */
		{0, REQUEST, 2, "224.0.0.1", "10.0.0.1", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{0, REQUEST, 2, "255.255.255.255", "10.0.0.1", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{0, REQUEST, 2, "127.0.0.1", "10.0.0.1", {PLX_DROP_ARP_IGNORED, 0, 0, 0}},
		{STA, 3, 3, "10.0.0.2", "10.0.0.1", {PLX_DROP_ARP_IGNORED, STA, 2, 0}},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct nt t;
		struct plx_arp a = arp(rows[i].op, rows[i].sha, rows[i].spa, rows[i].tpa);
		bool ours = strcmp(rows[i].tpa, "10.0.0.1") == 0;

		start(&t, "10.0.0.2", rows[i].from);
		check(&t, "10.0.0.2", nt_arp(&t, 0, a, ours), &rows[i].want);
	}
}

T(arp_refuses_a_mac_that_no_host_has)
{
	static const struct plx_mac bad[] = {
		{{0}}, {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, {{1, 0, 0x5e}}};

	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		struct nt t;
		struct plx_arp a = arp(REQUEST, 2, "10.0.0.2", "10.0.0.1");

		a.sha = bad[i];
		start(&t, "10.0.0.2", STA);
		check(&t, "10.0.0.2", nt_arp(&t, 0, a, true),
			&(struct want){PLX_DROP_ARP_IGNORED, STA, 2, 0});
	}
}

/* RFC 4861 7.2.5 and the table of appendix C. tlla 2 is the cached one, 3 another, 0 none. */
T(advertisements_row_by_row)
{
	static const struct {
		uint8_t from;
		const char *flags;
		uint8_t tlla;
		struct want want;
	} rows[] = {
		{0, "SO", 2, {IGNORED, 0, 0, 0}},
		{FAI, "SO", 2, {IGNORED, FAI, 0, 0}},
		/* INCOMPLETE: Override does not matter, the option does. */
		{INC, "S", 2, {NONE, REA, 2, E_US}},
		{INC, "SO", 2, {NONE, REA, 2, E_US}},
		{INC, "", 2, {NONE, STA, 2, E_US}},
		{INC, "O", 2, {NONE, STA, 2, E_US}},
		{INC, "SO", 0, {IGNORED, INC, 0, 0}},
		/* Another MAC, no Override: doubt, no change. */
		{REA, "", 3, {NONE, STA, 2, E_ST}},
		{REA, "S", 3, {NONE, STA, 2, E_ST}},
		{STA, "", 3, {NONE, STA, 2, 0}},
		{DEL, "S", 3, {NONE, DEL, 2, 0}},
		{PRO, "S", 3, {NONE, PRO, 2, 0}},
		/* The same MAC or none, solicited: reachable. */
		{REA, "S", 2, {NONE, REA, 2, 0}},
		{STA, "S", 2, {NONE, REA, 2, E_ST}},
		{DEL, "S", 2, {NONE, REA, 2, 0}},
		{PRO, "S", 2, {NONE, REA, 2, 0}},
		{PRO, "S", 0, {NONE, REA, 2, 0}},
		{PRO, "SO", 0, {NONE, REA, 2, 0}},
		{STA, "SO", 2, {NONE, REA, 2, E_ST}},
		/* ... unsolicited: as it was. */
		{REA, "", 2, {NONE, REA, 2, 0}},
		{REA, "O", 2, {NONE, REA, 2, 0}},
		{STA, "O", 2, {NONE, STA, 2, 0}},
		{DEL, "O", 0, {NONE, DEL, 2, 0}},
		{PRO, "", 2, {NONE, PRO, 2, 0}},
		/* Another MAC with Override: believed; unsolicited: stale. */
		{REA, "SO", 3, {NONE, REA, 3, E_MA}},
		{STA, "SO", 3, {NONE, REA, 3, E_MA | E_ST}},
		{PRO, "SO", 3, {NONE, REA, 3, E_MA}},
		{REA, "O", 3, {NONE, STA, 3, E_MA | E_ST}},
		{STA, "O", 3, {NONE, STA, 3, E_MA}},
		{DEL, "O", 3, {NONE, STA, 3, E_MA | E_ST}},
		{PRO, "O", 3, {NONE, STA, 3, E_MA | E_ST}},
		/* Set by hand: not theirs to change. */
		{PER, "SO", 3, {NONE, PER, 2, 0}},
		{OWN, "SO", 3, {NONE, OWN, 2, 0}},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct nt t;
		struct plx_nd nd = na("fe80::2", rows[i].flags, rows[i].tlla);

		start(&t, "fe80::2", rows[i].from);
		check(&t, "fe80::2", nt_nd(&t, 0, nd, "fe80::2", false), &rows[i].want);
	}
}

/* RFC 4861 7.2.3 and 7.2.4. */
T(solicitations_row_by_row)
{
	static const struct {
		uint8_t from;
		const char *src;
		uint8_t slla;
		bool ours;
		struct want want;
	} rows[] = {
		{0, "fe80::2", 2, true, {NONE, STA, 2, E_US}},
		{0, "fe80::2", 2, false, {IGNORED, 0, 0, 0}},
		{0, "fe80::2", 0, true, {NONE, 0, 0, 0}},
		{0, "::", 0, true, {NONE, 0, 0, 0}},
		{INC, "fe80::2", 2, true, {NONE, STA, 2, E_US}},
		{INC, "fe80::2", 0, true, {NONE, INC, 0, 0}},
		{FAI, "fe80::2", 2, true, {NONE, STA, 2, E_US}},
		{REA, "fe80::2", 2, true, {NONE, REA, 2, 0}},
		{REA, "fe80::2", 3, true, {NONE, STA, 3, E_MA | E_ST}},
		{REA, "fe80::2", 3, false, {IGNORED, REA, 2, 0}},
		{PRO, "fe80::2", 2, true, {NONE, PRO, 2, 0}},
		{PRO, "fe80::2", 3, true, {NONE, STA, 3, E_MA | E_ST}},
		{PER, "fe80::2", 3, true, {NONE, PER, 2, 0}},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct nt t;
		struct plx_nd nd = ns("fe80::1", rows[i].slla);

		start(&t, "fe80::2", rows[i].from);
		check(&t, "fe80::2", nt_nd(&t, 0, nd, rows[i].src, rows[i].ours), &rows[i].want);
	}
}

T(a_router_is_one_until_it_says_otherwise)
{
	struct nt t;
	struct plx_nd ra = {.type = PLX_ICMP6_RA, .has_slla = true, .slla = mac(2)};

	start(&t, "fe80::2", 0);
	eq(nt_nd(&t, 0, ra, "fe80::2", false), NONE);
	nt_state(&t, "fe80::2", "STALE");
	ok(nt_find(&t, "fe80::2")->router);
	nt_tells(&t, E_US, "fe80::2");
	/* Another MAC without Override is not even listened to. */
	eq(nt_nd(&t, 0, na("fe80::2", "S", 3), "fe80::2", false), NONE);
	ok(nt_find(&t, "fe80::2")->router);
	nt_quiet(&t, 0);
	/* A solicitation leaves the flag alone. */
	eq(nt_nd(&t, 0, ns("fe80::1", 2), "fe80::2", true), NONE);
	ok(nt_find(&t, "fe80::2")->router);
	eq(nt_nd(&t, 0, na("fe80::2", "RS", 2), "fe80::2", false), NONE);
	nt_tells(&t, E_ST, "fe80::2");
	eq(nt_nd(&t, 0, na("fe80::2", "S", 2), "fe80::2", false), NONE);
	nt_tells(&t, E_HO, "fe80::2");
	ok(!nt_find(&t, "fe80::2")->router);
	nt_quiet(&t, 0);
	nt_fini(&t);
}

T(router_advertisements_without_option_mark_who_is_known)
{
	struct nt t;
	struct plx_nd ra = {.type = PLX_ICMP6_RA};

	start(&t, "fe80::2", REA);
	eq(nt_nd(&t, 0, ra, "fe80::2", false), NONE);
	ok(nt_find(&t, "fe80::2")->router);
	eq(nt_nd(&t, 0, ra, "fe80::3", false), NONE);
	ok(nt_find(&t, "fe80::3") == NULL);
	nt_quiet(&t, 0);
	nt_fini(&t);
}

T(redirects_name_a_router_or_the_destination_itself)
{
	struct nt t;
	struct plx_nd rd = {.type = PLX_ICMP6_REDIRECT,
		.target = ip("fe80::3"),
		.dst = ip("2001:db8::9"),
		.has_tlla = true,
		.tlla = mac(3)};

	start(&t, "fe80::2", REA);
	eq(nt_nd(&t, 0, rd, "fe80::2", false), NONE);
	nt_state(&t, "fe80::3", "STALE");
	ok(nt_find(&t, "fe80::3")->router);
	rd.target = rd.dst;
	eq(nt_nd(&t, 0, rd, "fe80::2", false), NONE);
	nt_state(&t, "2001:db8::9", "STALE");
	ok(!nt_find(&t, "2001:db8::9")->router);
	nt_fini(&t);
}

T(router_solicitations_are_for_routers)
{
	struct nt t;
	struct plx_nd rs = {.type = PLX_ICMP6_RS, .has_slla = true, .slla = mac(2)};

	start(&t, "fe80::2", 0);
	eq(nt_nd(&t, 0, rs, "fe80::2", true), IGNORED);
	ok(nt_find(&t, "fe80::2") == NULL);
	nt_fini(&t);
}

T(nd_refuses_a_mac_that_no_host_has)
{
	struct nt t;
	struct plx_nd nd = na("fe80::2", "SO", 3);

	nd.tlla.b[0] = 0x33;
	start(&t, "fe80::2", STA);
	check(&t, "fe80::2", nt_nd(&t, 0, nd, "fe80::2", false),
		&(struct want){IGNORED, STA, 2, 0});
	nd = ns("fe80::1", 3);
	nd.slla = (struct plx_mac){{0}};
	start(&t, "fe80::2", STA);
	check(&t, "fe80::2", nt_nd(&t, 0, nd, "fe80::2", true), &(struct want){NONE, STA, 2, 0});
}

RUN(T_(arp_row_by_row), T_(arp_refuses_a_mac_that_no_host_has), T_(advertisements_row_by_row),
	T_(solicitations_row_by_row), T_(a_router_is_one_until_it_says_otherwise),
	T_(router_advertisements_without_option_mark_who_is_known),
	T_(redirects_name_a_router_or_the_destination_itself),
	T_(router_solicitations_are_for_routers), T_(nd_refuses_a_mac_that_no_host_has))
