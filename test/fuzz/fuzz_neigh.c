/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link's life: ARP and ND messages, packets to send, passing time, an operator and a caller who
 * does not always listen, in any order. The cache stays within its bounds and agrees with itself;
 * no deadline is in the past once timers ran; pulling comes to an end; what is taken back was
 * given.
 */
#include <stdlib.h>

#include <plx_neigh.h>
#include <plx_wire.h>

#include "fuzz.h"

#define THRESH	  8
#define MAX_SLOTS (THRESH + THRESH / 4 + 16)
#define CLAIMS	  2
#define IFACE	  1

struct world {
	struct input in;
	struct plx_rng rng;
	struct plx_neigh_table *t;
	struct plx_claim claims[CLAIMS];
	struct plx_rdisc r;
	struct plx_addr given[PLX_RDISC_ADDRS]; /* addresses that rdisc asked for */
	unsigned int n_given;
	plx_ns now;
};

/* One of few, so that they meet: 10.0.0.0 to .15 and fe80:: to fe80::f. */
static struct plx_addr some_addr(struct input *in)
{
	uint8_t b = u8(in), v4[4] = {10, 0, 0, b & 15}, v6[16] = {0xfe, 0x80, [15] = b & 15};

	return b & 16 ? plx_addr_from_v6(v6) : plx_addr_from_v4(v4);
}

static bool is_ours(const struct world *w, const struct plx_addr *a)
{
	for (int i = 0; i < CLAIMS; i++)
		if (w->claims[i].state == PLX_CLAIM_VALID && plx_addr_eq(&w->claims[i].addr, a))
			return true;
	return false;
}

static void hear_arp(struct world *w)
{
	size_t len;
	const uint8_t *p = span(&w->in, PLX_ARP_BYTES, &len);
	struct plx_arp arp;

	if (plx_wire_arp_parse(&arp, p, (uint32_t)len) != PLX_DROP_NONE)
		return;
	for (int i = 0; i < CLAIMS; i++)
		plx_neigh_claim_input_arp(&w->claims[i], &arp, w->now);
	plx_neigh_input_arp(w->t, IFACE, &arp, is_ours(w, &arp.tpa), w->now);
}

static void hear_nd(struct world *w)
{
	uint8_t how = u8(&w->in);
	struct plx_ip ip = {.version = 6, .ttl = PLX_ND_HOP_LIMIT, .src = some_addr(&w->in)};
	size_t len;
	const uint8_t *p = span(&w->in, u8(&w->in), &len);
	struct plx_nd nd;

	if (how & 1)
		memset(&ip.src, 0, sizeof(ip.src));
	ip.dst = w->claims[1].addr;
	if (how & 2)
		ip.dst = plx_wire_nd_solicited_node(&ip.dst);
	if (how & 4)
		ip.dst = (struct plx_addr){.b = {0xff, 2, [15] = 1}};
	if (plx_wire_nd_parse(&nd, &ip, p, (uint32_t)len) != PLX_DROP_NONE)
		return;
	if (how & 8) /* our own probe, looped back */
		memcpy(nd.nonce, w->claims[1].nonce[0], sizeof(nd.nonce));
	for (int i = 0; i < CLAIMS; i++)
		plx_neigh_claim_input_nd(&w->claims[i], &nd, &ip.src, w->now);
	plx_neigh_input_nd(w->t, IFACE, &nd, &ip.src, is_ours(w, &nd.target), w->now);
	if (nd.type == PLX_ICMP6_RA)
		plx_neigh_rdisc_input(&w->r, &nd, &ip.src, w->now);
}

static void operate(struct world *w)
{
	static const uint8_t states[] = {
		PLX_NEIGH_PERMANENT, PLX_NEIGH_NOARP, PLX_NEIGH_REACHABLE, PLX_NEIGH_STALE};
	uint8_t how = u8(&w->in);
	struct plx_addr a = some_addr(&w->in);
	struct plx_mac m = {{2, 0, 0, 0, 0, u8(&w->in)}};

	switch (how % 8) {
	case 0:
		plx_neigh_add(w->t, IFACE, &a, &m, states[how >> 6], w->now);
		break;
	case 1:
		plx_neigh_del(w->t, IFACE, &a);
		break;
	case 2:
		plx_neigh_flush(w->t, IFACE, how & 0x80);
		break;
	case 3:
		plx_neigh_claim_restart(&w->claims[how >> 7], w->now);
		break;
	case 4:
		plx_neigh_rdisc_start(&w->r, w->now);
		break;
	case 5:
		plx_neigh_rdisc_stop(&w->r);
		break;
	case 6:
		if (w->n_given > 0)
			plx_neigh_rdisc_duplicate(&w->r, &w->given[how % w->n_given]);
		break;
	default:
		plx_neigh_rdisc_not_router(&w->r, &a);
	}
}

static void send(struct world *w)
{
	struct plx_addr a = some_addr(&w->in);
	struct plx_neigh *n = plx_neigh_use(w->t, IFACE, &a, w->now);

	must(!n || plx_addr_eq(&n->addr, &a));
	must(!n || (n->state != PLX_NEIGH_FAILED && n->state != PLX_NEIGH_STALE));
}

static void confirm(struct world *w)
{
	struct plx_addr a = some_addr(&w->in);
	struct plx_neigh *n = plx_neigh_find(w->t, IFACE, &a);

	if (n)
		plx_neigh_confirm(w->t, n, w->now);
}

static void run_timers(struct world *w)
{
	plx_neigh_timer(w->t, w->now);
	must(plx_neigh_deadline(w->t) > w->now);
	plx_neigh_rdisc_timer(&w->r, w->now);
	must(plx_neigh_rdisc_deadline(&w->r) > w->now);
	for (int i = 0; i < CLAIMS; i++) {
		plx_neigh_claim_timer(&w->claims[i], w->now);
		must(plx_neigh_claim_deadline(&w->claims[i]) > w->now);
	}
}

/* From nanoseconds to half a day, and now and then just to the next deadline. */
static void pass(struct world *w)
{
	uint8_t b = u8(&w->in);
	plx_ns next = plx_neigh_deadline(w->t);

	if (b & 0x80)
		w->now += (plx_ns)(b & 15) << (b >> 4 & 7) * 6;
	else if (next != PLX_NEVER)
		w->now = PLX_MAX(w->now, next);
	run_timers(w);
}

static void pull_messages(struct world *w)
{
	struct plx_neigh_tx tx;
	unsigned int n = 0;

	while (plx_neigh_output(w->t, w->now, &tx)) {
		const struct plx_neigh *e = plx_neigh_find(w->t, tx.iface, &tx.target);

		must(e && (e->state == PLX_NEIGH_INCOMPLETE || e->state == PLX_NEIGH_PROBE));
		must(plx_mac_is_mcast(&tx.dst_mac) == (e->state == PLX_NEIGH_INCOMPLETE));
		must(++n <= THRESH);
	}
	for (int i = 0; i < CLAIMS; i++) {
		if (plx_neigh_claim_output(&w->claims[i], w->now, &tx))
			must(w->claims[i].state != PLX_CLAIM_DUPLICATE);
		must(!plx_neigh_claim_output(&w->claims[i], w->now, &tx));
	}
	plx_neigh_rdisc_output(&w->r, w->now, &tx);
	must(!plx_neigh_rdisc_output(&w->r, w->now, &tx));
}

static void pull_neigh_events(struct world *w)
{
	struct plx_neigh *e;
	unsigned int what, n = 0;

	while ((what = plx_neigh_event(w->t, &e)) != 0) {
		const struct plx_neigh *found = plx_neigh_find(w->t, e->iface, &e->addr);

		must(what == PLX_NEIGH_EV_REMOVED ? found != e : found == e);
		if (what & (PLX_NEIGH_EV_USABLE | PLX_NEIGH_EV_MAC | PLX_NEIGH_EV_STALE))
			must(plx_neigh_is_usable(e));
		if (what & PLX_NEIGH_EV_FAILED)
			must(!plx_neigh_is_usable(e));
		must(++n <= MAX_SLOTS);
	}
}

static unsigned int given_at(const struct world *w, const struct plx_addr *a)
{
	unsigned int i = 0;

	while (i < w->n_given && !plx_addr_eq(&w->given[i], a))
		i++;
	return i;
}

static void pull_rdisc_events(struct world *w)
{
	struct plx_rdisc_event ev;
	unsigned int n = 0;

	while (plx_neigh_rdisc_event(&w->r, &ev)) {
		unsigned int i = given_at(w, &ev.addr);

		must(++n < 200);
		if (ev.kind == PLX_RDISC_ADD_ADDR && i == w->n_given) {
			must(i < PLX_RDISC_ADDRS);
			w->given[w->n_given++] = ev.addr;
		}
		if (ev.kind == PLX_RDISC_DEPRECATE)
			must(i < w->n_given);
		if (ev.kind == PLX_RDISC_DEL_ADDR) {
			must(i < w->n_given);
			w->given[i] = w->given[--w->n_given];
		}
		must(ev.kind != PLX_RDISC_SET_MTU || (ev.mtu >= 1280 && ev.mtu <= 1500));
	}
}

static void check_table(const struct world *w)
{
	const struct plx_neigh *e;
	uint32_t cursor = 0, n = 0;

	while ((e = plx_neigh_next(w->t, &cursor)) != NULL) {
		must(plx_neigh_find(w->t, e->iface, &e->addr) == e);
		must(e->state != 0 && (e->state & (e->state - 1)) == 0);
		must(!plx_neigh_is_usable(e) || !plx_mac_is_mcast(&e->mac));
		must(!plx_addr_is_mcast(&e->addr) && !plx_addr_is_any(&e->addr));
		n++;
	}
	must(n == plx_neigh_count(w->t) && n <= THRESH);
}

static void *table_memory(const struct plx_neigh_conf *conf)
{
	static void *mem;

	if (!mem)
		must(posix_memalign(&mem, 64, plx_neigh_table_size(conf)) == 0);
	return mem;
}

static void begin(struct world *w, const uint8_t *data, size_t size)
{
	struct plx_neigh_conf conf = PLX_NEIGH_CONF_DEFAULT;
	struct plx_claim_conf conf4 = PLX_CLAIM_CONF_V4, conf6 = PLX_CLAIM_CONF_V6;
	struct plx_rdisc_conf rconf = {PLX_RDISC_CONF_DEFAULT, .iface = IFACE, .max_mtu = 1500};
	struct plx_mac mac = {{2, 0, 0, 0, 0, 1}};
	uint8_t v4[4] = {10, 0, 0, 1}, v6[16] = {0xfe, 0x80, [15] = 1};
	struct plx_addr a4 = plx_addr_from_v4(v4), a6 = plx_addr_from_v6(v6);
	uint8_t how;

	*w = (struct world){.in = {data, size}};
	how = u8(&w->in);
	conf.gc_thresh3 = THRESH;
	conf4.policy = how % 3;
	conf4.transmits = how & 4 ? 3 : 0;
	conf6.announces = how >> 3 & 1;
	rconf.mac = mac;
	rconf.iid = how & 16 ? PLX_RDISC_STABLE : PLX_RDISC_EUI64;
	rconf.backoff = how & 32;
	plx_rng_init(&w->rng, 1);
	w->t = plx_neigh_table_init(table_memory(&conf), &conf, &w->rng);
	plx_neigh_claim_init(&w->claims[0], &conf4, IFACE, &a4, &mac, &w->rng, 0);
	plx_neigh_claim_init(&w->claims[1], &conf6, IFACE, &a6, &mac, &w->rng, 0);
	plx_neigh_rdisc_init(&w->r, &rconf, &w->rng);
	plx_neigh_rdisc_start(&w->r, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const ops[])(struct world *) = {pass, hear_arp, hear_nd, send, confirm,
		operate, pull_neigh_events, pull_rdisc_events};
	struct world w;

	if (size > 4096)
		return 0;
	begin(&w, data, size);
	while (w.in.left > 0) {
		ops[u8(&w.in) % PLX_DIM(ops)](&w);
		pull_messages(&w);
		check_table(&w);
	}
	plx_neigh_table_fini(w.t);
	plx_neigh_rdisc_stop(&w.r);
	pull_neigh_events(&w);
	pull_rdisc_events(&w);
	must(plx_neigh_count(w.t) == 0 && w.n_given == 0);
	return 0;
}
