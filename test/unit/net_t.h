/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The whole stack in a test: ports whose wire is the test, an engine that is stepped, a clock that
 * stands still until told.
 *
 * Port i has the MAC 02:00:00:00:0i:02; its peer, who sends and gets all unicast, is
 * 02:00:00:00:0i:01. After every test the account closes and no mbuf is missing.
 */
#include "port_t.h"

#include "frame_t.h"

#include <plx_net.h>

#define NT_PORTS 3

static struct nt {
	plx_ns now;
	struct plx_clock clock;
	struct plx_tunables tun;
	struct plx_net *net;
	struct plx_engine *eng;
	struct t_port port[NT_PORTS];
	struct plx_mac peer[NT_PORTS];
	unsigned int n_ports;
	struct plx_acct base; /* what has been looked at */
	struct t_frame in;
	uint8_t last[70000]; /* the IP packet taken last from a wire: what "quote" quotes */
	uint32_t last_bytes;
	uint32_t mbufs;	  /* 0: as the engine computes it */
	uint32_t reserve; /* 0: as the tunable has it */
	uint16_t queues;  /* of each port; 0: four */
} nt;

static plx_ns nt_now(void *arg)
{
	return nt.now;
}

/** All lcores until there is nothing to do at this moment. */
static void nt_run(void)
{
	uint32_t work;
	int passes = 0;

	do {
		work = 0;
		for (uint16_t i = 0; i < plx_engine_lcores(nt.eng); i++)
			work += plx_engine_step(nt.eng, i);
		if (++passes > 10000)
			fail_msg("the engine never comes to rest");
	} while (work);
}

/** Go on to a time, doing on the way what is due. */
static void nt_until(plx_ns when)
{
	int stops = 0;

	for (;;) {
		plx_ns due;

		nt_run();
		due = plx_engine_deadline(nt.eng);
		if (due > when)
			break;
		nt.now = PLX_MAX(nt.now, due);
		if (++stops > 100000)
			fail_msg("timers fire without end");
	}
	nt.now = when;
	nt_run();
}

static void nt_sleep(plx_ns ns)
{
	nt_until(nt.now + ns);
}

/** What was counted up to now has been looked at. */
static void nt_mark(void)
{
	plx_acct_sum(&nt.base);
}

/** A counter's growth since nt_mark(). */
static inline uint64_t nt_stat(enum plx_stat id)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.stat[id] - nt.base.stat[id];
}

/** Exactly n packets have been dropped since the last look, all for this reason. */
static void nt_drops(enum plx_drop reason, uint64_t n)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	for (int i = 0; i < PLX_DROP_MAX; i++) {
		uint64_t got = sum.drop[i] - nt.base.drop[i];

		if (got != (i == (int)reason ? n : 0))
			fail_msg("%lu dropped: %s, not %lu: %s", got, plx_drop_info[i].name, n,
				plx_drop_info[reason].name);
	}
	memcpy(nt.base.drop, sum.drop, sizeof(sum.drop));
}

static inline void nt_drop(enum plx_drop reason)
{
	nt_drops(reason, 1);
}

static inline void nt_no_drop(void)
{
	nt_drops(PLX_DROP_NONE, 0);
}

/** What a port sent next, as text. @return NULL: nothing. */
static const char *nt_sent(unsigned int port)
{
	static struct t_text text;
	struct t_port *tp = &nt.port[port];
	struct rte_mbuf *m = NULL;
	static uint8_t flat[70000];
	const uint8_t *p;
	uint32_t skip;

	for (uint16_t q = 0; q < tp->port->n_txq && !m; q++)
		m = t_port_sent(tp, q);
	if (!m)
		return NULL;
	eq(plx_pkt_csum_fill(m), 0); /* as the device would */
	p = rte_pktmbuf_read(m, 0, m->pkt_len, flat);
	t_text_of(&text, p, m->pkt_len, &tp->port->mac, &nt.peer[port]);
	skip = plx_get_be16(p + 12) == PLX_ETHERTYPE_8021Q ? 18 : 14;
	nt.last_bytes = m->pkt_len - skip;
	memcpy(nt.last, p + skip, nt.last_bytes);
	rte_pktmbuf_free(m);
	return text.s;
}

/** The next frame that a port sent. */
#define nt_out(port, frame)                                                                        \
	do {                                                                                       \
		const char *sent_ = nt_sent(port);                                                 \
		if (!sent_)                                                                        \
			fail_msg("nothing sent, not: %s", frame);                                  \
		str_eq(sent_, frame);                                                              \
	} while (0)

/** No port has anything more to send. */
#define nt_none()                                                                                  \
	do {                                                                                       \
		for (unsigned int port_ = 0; port_ < nt.n_ports; port_++) {                        \
			const char *sent_ = nt_sent(port_);                                        \
			if (sent_)                                                                 \
				fail_msg("port %u sent: %s", port_, sent_);                        \
		}                                                                                  \
	} while (0)

/** Forget what has been sent. @return how many frames. */
static inline unsigned int nt_forget(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nt.n_ports; i++)
		while (nt_sent(i))
			n++;
	return n;
}

/** Make the frame in nt.in, to be spoiled before nt_feed(). */
static void nt_make(unsigned int port, const char *frame)
{
	t_frame_of(&nt.in, frame, &nt.peer[port], &nt.port[port].port->mac, nt.last, nt.last_bytes);
}

static void nt_feed(unsigned int port)
{
	t_port_feed(&nt.port[port], 0, nt.in.b, nt.in.bytes, 0);
}

/** A frame comes in at a port, and all that follows from it happens. */
static inline void nt_in(unsigned int port, const char *frame)
{
	nt_make(port, frame);
	nt_feed(port);
	nt_run();
}

/** The same in segments of so many bytes. */
static inline void nt_in_chained(unsigned int port, const char *frame, uint32_t seg)
{
	nt_make(port, frame);
	t_port_feed(&nt.port[port], 0, nt.in.b, nt.in.bytes, seg);
	nt_run();
}

/** The stack on so many ports, each an interface (1 ..), not started yet. */
static void nt_new(unsigned int ports, uint32_t features)
{
	struct plx_net_conf nc = {.seed = 1, .udp_sockets = 64};
	struct plx_engine_conf ec = {.ops = &plx_net_ops,
		.tun = &nt.tun,
		.clock = &nt.clock,
		.seed = 1,
		.spare_lcores = true,
		.rxd = 64,
		.txd = 64,
		.mbufs = nt.mbufs ? nt.mbufs : 4095};
	struct plx_error e;

	nt.now = PLX_SEC(1);
	nt.clock.now = nt_now;
	nt.n_ports = ports;
	nt.last_bytes = 0;
	plx_tunables_init(&nt.tun);
	if (nt.reserve)
		nt.tun.v[PLX_TUN_RESERVE_MBUFS] = nt.reserve;
	for (unsigned int i = 0; i < ports; i++) {
		t_port_add(&nt.port[i], nt.queues ? nt.queues : 4, features);
		nt.peer[i] = nt.port[i].port->mac;
		nt.peer[i].b[5] = 1;
	}
	nt.net = plx_net_create(&nc, &nt.tun, &e);
	assert_non_null(nt.net);
	ec.arg = nt.net;
	nt.eng = plx_engine_create(&ec, &e);
	assert_non_null(nt.eng);
	if (plx_engine_open_ports(nt.eng, &e) != 0)
		fail_msg("%s", e.text);
	eq(plx_net_attach(nt.net, nt.eng, &e), 0);
	for (unsigned int i = 0; i < ports; i++)
		eq(plx_net_if_add(nt.net, (uint16_t)i, 0, 0), i + 1);
	nt_mark();
}

static inline void nt_tun(enum plx_tunable t, int64_t v)
{
	nt.tun.v[t] = v;
}

static inline void nt_addr(uint16_t iface, const char *prefix)
{
	struct plx_prefix p = t_prefix(prefix);

	eq(plx_net_addr_add(nt.net, iface, &p), 0);
}

/** The peer of an interface has this address: no need to ask. */
static inline void nt_neigh(uint16_t iface, const char *addr)
{
	struct plx_addr a = t_addr(addr);

	eq(plx_net_neigh_add(nt.net, iface, &a, &nt.peer[iface - 1]), 0);
}

static inline int nt_route(const char *dst, const char *via)
{
	struct plx_net_route r = {.dst = t_prefix(dst), .proto = PLX_NET_PROTO_STATIC};

	if (via)
		r.via = t_addr(via);
	return plx_net_route_add(nt.net, &r);
}

static void nt_start(void)
{
	eq(plx_engine_step_begin(nt.eng), 0);
}

/** Start, and let pass what a stack says of itself when it comes up. */
static void nt_settle(void)
{
	nt_start();
	nt_sleep(PLX_SEC(30));
	nt_forget();
	nt_mark();
}

/** One port, two addresses, a peer with two addresses; settled. */
static inline void nt_simple(void)
{
	nt_new(1, 0);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(1, "2001:db8::1");
	nt_settle();
}

/** A router between 10.0.0.0/24 and 10.1.0.0/24, and the same for IPv6; a peer in each; settled. */
static inline void nt_router(void)
{
	nt_new(2, 0);
	nt_tun(PLX_TUN_IP_FORWARD, 1);
	nt_tun(PLX_TUN_IP6_FORWARDING, 1);
	nt_addr(1, "10.0.0.2/24");
	nt_addr(2, "10.1.0.2/24");
	nt_addr(1, "2001:db8::2/64");
	nt_addr(2, "2001:db8:1::2/64");
	nt_neigh(1, "10.0.0.1");
	nt_neigh(2, "10.1.0.1");
	nt_neigh(1, "2001:db8::1");
	nt_neigh(2, "2001:db8:1::1");
	nt_settle();
}

/** A datagram of ours from port 9 to port 9. @return what the stack says. */
static inline enum plx_drop nt_send(const char *dst, uint16_t len)
{
	struct plx_softnet *sn = plx_engine_softnet(nt.eng, 0);
	const struct plx_net_udp_msg msg = {.dst = t_addr(dst), .sport = 9, .dport = 9};
	struct rte_mbuf *m = plx_softnet_alloc(sn), *more;
	enum plx_drop drop;

	for (uint16_t n = 0; n < len;) {
		uint16_t part = PLX_MIN((uint16_t)(len - n), 2000);

		more = n ? plx_softnet_alloc(sn) : m;
		t_payload((uint8_t *)rte_pktmbuf_append(more, part), part);
		if (n)
			eq(rte_pktmbuf_chain(m, more), 0);
		n = (uint16_t)(n + part);
	}
	drop = plx_net_udp_send(sn, m, &msg);
	nt_run();
	return drop;
}

/** A socket that answers, and remembers what came. */
struct nt_sock {
	struct plx_net_udp s;
	bool echo;
	uint32_t n, bytes, segs; /* datagrams; of the last one */
	uint8_t data[2048];
	struct plx_net_udp_msg msg;
	uint32_t lcore;
	int errors, err; /* ICMP errors; the last one */
	uint32_t mtu;
	bool hard;
	struct plx_addr from;
	uint32_t quoted; /* bytes of our payload, in data */
};

static void nt_sock_rx(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	struct nt_sock *ns = s->user;
	const struct plx_net_udp_msg reply = {.src = msg->to_many ? t_addr("::") : msg->dst,
		.dst = msg->src,
		.sport = msg->dport,
		.dport = msg->sport,
		.iface = msg->iface};
	const uint8_t *p;

	ns->n++;
	ns->bytes = m->pkt_len;
	ns->segs = m->nb_segs;
	ns->msg = *msg;
	ns->lcore = sn->index;
	p = rte_pktmbuf_read(m, 0, PLX_MIN(m->pkt_len, 2048u), ns->data);
	if (p != ns->data)
		memcpy(ns->data, p, PLX_MIN(m->pkt_len, 2048u));
	if (ns->echo)
		plx_net_udp_send(sn, m, &reply);
	else
		rte_pktmbuf_free(m);
}

static void nt_sock_error(struct plx_softnet *sn, struct plx_net_udp *s,
	const struct plx_net_error *e, const struct plx_net_udp_msg *msg)
{
	struct nt_sock *ns = s->user;

	ns->errors++;
	ns->err = e->err;
	ns->mtu = e->info;
	ns->hard = e->hard;
	ns->from = e->from;
	ns->quoted = PLX_MIN(e->len, (uint32_t)sizeof(ns->data));
	memcpy(ns->data, e->data, ns->quoted);
	ns->msg = *msg;
	ns->lcore = sn->index;
}

static const struct plx_net_udp_ops nt_sock_ops = {.rx = nt_sock_rx, .error = nt_sock_error};

/** Open it on all addresses. @param home the lcore that owns it. */
static struct nt_sock *nt_socks[16];
static unsigned int nt_n_socks;

static inline int nt_open(struct nt_sock *ns, uint16_t port, uint16_t home)
{
	ok(nt_n_socks < PLX_DIM(nt_socks));
	for (unsigned int i = 0; i < nt_n_socks; i++)
		if (nt_socks[i] == ns) /* opened anew: the first one goes */
			plx_net_udp_close(nt.net, &ns->s);
	nt_socks[nt_n_socks++] = ns;
	*ns = (struct nt_sock){
		.s = {.ops = &nt_sock_ops, .user = ns, .lport = port, .home = home},
	};
	return plx_net_udp_open(nt.net, &ns->s);
}

static void nt_stop_engine(void)
{
	if (nt.eng && plx_engine_running(nt.eng))
		plx_engine_step_end(nt.eng);
}

static void nt_stop(void)
{
	if (!nt.eng)
		return;
	nt_stop_engine();
	while (nt_n_socks)
		plx_net_udp_close(nt.net, &nt_socks[--nt_n_socks]->s);
	eq(plx_net_held(nt.net), 0);
	plx_engine_close_ports(nt.eng);
	eq(plx_engine_destroy(nt.eng), 0); /* mbufs missing from its pools */
	plx_net_destroy(nt.net);
	nt.eng = NULL;
	nt.net = NULL;
}

static int nt_after(void **state)
{
	nt_stop();
	return t_eal_after(state);
}

#define NT_(name) cmocka_unit_test_teardown(name, nt_after)
