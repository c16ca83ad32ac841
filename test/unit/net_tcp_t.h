/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A stack that speaks TCP with the test: the peer's segments are made by hand, ours are taken from
 * the wire and read. Text is what its place in the stream says: tt_text().
 */
#include "net_t.h"

#include <plx_net_tcp.h>

#define TT_PORT 7

/** What a connection of ours has told. */
static struct tt {
	struct plx_net_tcp_listener l;
	struct plx_net_tcp *c; /**< accepted or connected last; NULL once it is closed */
	bool echo, hold;       /**< send back; do not read */
	int accepted, established, fins, closed, err;
	uint64_t got;		/**< bytes read, all of them right */
	uint64_t sent, to_send; /**< of our own */
	uint32_t lcore;
	/* the peer */
	bool v6;
	const char *peer;  /**< NULL: 10.0.0.1, 2001:db8::1 */
	uint16_t port, to; /**< to: our port; 0 = TT_PORT */
	uint16_t urg;
	uint8_t ttl;	   /**< 0 = 64 */
	uint8_t near;	   /**< the least that ours takes, once it is told */
	uint32_t seq, ack; /**< its next sequence number, and ours that it expects */
} tt;

static uint8_t tt_text(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

/* ---- the program ---- */

static void tt_write(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t buf[3000];
	uint32_t n = 1;

	while (n && tt.sent < tt.to_send) {
		uint32_t want = (uint32_t)PLX_MIN(tt.to_send - tt.sent, sizeof(buf));

		for (uint32_t i = 0; i < want; i++)
			buf[i] = tt_text(tt.sent + i);
		n = plx_net_tcp_write(sn, c, buf, want);
		tt.sent += n;
	}
}

static void tt_read(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t buf[999];
	uint32_t n;

	tt.lcore = sn->index;
	if (tt.hold)
		return;
	while ((n = plx_net_tcp_read(sn, c, buf, sizeof(buf)))) {
		for (uint32_t i = 0; i < n; i++)
			eq(buf[i], tt_text(tt.got + i));
		tt.got += n;
		if (tt.echo)
			eq(plx_net_tcp_write(sn, c, buf, n), n);
	}
}

static void tt_established(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	tt.established++;
	tt.lcore = sn->index;
	tt_write(sn, c);
}

static void tt_fin(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	tt.fins++;
	tt_read(sn, c);
	if (tt.echo) {
		tt.c = NULL;
		plx_net_tcp_close(sn, c);
	}
}

static void tt_closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	tt.closed++;
	tt.err = err;
	tt.c = NULL;
	plx_net_tcp_close(sn, c);
}

static uint8_t tt_near(const struct plx_net_tcp *c, bool v4)
{
	return tt.near;
}

static const struct plx_net_tcp_ops tt_ops = {
	.min_ttl = tt_near,
	.established = tt_established,
	.readable = tt_read,
	.writable = tt_write,
	.peer_closed = tt_fin,
	.closed = tt_closed,
};

static bool tt_accept(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	tt.accepted++;
	tt.c = c;
	tt.lcore = sn->index;
	plx_net_tcp_take(c, &tt_ops, NULL);
	return true;
}

static inline void tt_listen(void)
{
	tt.l = (struct plx_net_tcp_listener){.accept = tt_accept, .lport = TT_PORT};
	eq(plx_net_tcp_listen(nt.net, &tt.l), 0);
}

/** nt_simple(), with a listener. */
static inline void tt_start(void)
{
	tt = (struct tt){.port = 1024, .seq = 1000};
	nt_simple();
	tt_listen();
}

static inline struct plx_softnet *tt_sn(void)
{
	return plx_engine_softnet(nt.eng, 0);
}

/* ---- the wire ---- */

/** A segment of ours. */
struct tt_seg {
	struct plx_ip ip;
	struct plx_tcp_hdr h;
	struct plx_tcp_opts o;
	uint32_t len;
	const uint8_t *text;
};

/** Make the peer's segment in nt.in. at: place of its text in the stream. */
static inline void tt_make(uint16_t flags, uint32_t seq, uint64_t at, uint32_t len)
{
	struct plx_eth eth = {.src = nt.peer[0], .dst = nt.port[0].port->mac};
	struct plx_ip ip = {
		.ttl = tt.ttl ? tt.ttl : 64, .proto = PLX_IPPROTO_TCP, .version = tt.v6 ? 6 : 4};
	struct plx_tcp_opts o = {.mss = 1460};
	struct plx_tcp_hdr h = {.sport = tt.port,
		.dport = tt.to ? tt.to : TT_PORT,
		.seq = seq,
		.ack = flags & PLX_TCP_ACK ? tt.ack : 0,
		.flags = flags,
		.win = 60000,
		.urg = tt.urg};
	uint32_t hdr = tt.v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES;
	uint8_t *p = nt.in.b + PLX_ETH_BYTES + hdr;

	ip.src = t_addr(tt.peer ? tt.peer : tt.v6 ? "2001:db8::1" : "10.0.0.1");
	ip.dst = t_addr(tt.v6 ? "2001:db8::2" : "10.0.0.2");
	if (flags & PLX_TCP_SYN)
		o.present = PLX_TCP_OPT_MSS | PLX_TCP_OPT_SACK_OK;
	h.hdr_bytes = (uint8_t)(PLX_TCP_BYTES + plx_wire_tcp_opts_bytes(&o));
	plx_wire_tcp_emit(p, &h);
	plx_wire_tcp_opts_emit(p + PLX_TCP_BYTES, &o);
	for (uint32_t i = 0; i < len; i++)
		p[h.hdr_bytes + i] = tt_text(at + i);
	ip.l4_bytes = (uint16_t)(h.hdr_bytes + len);
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, ip.proto, p, ip.l4_bytes);
	eth.type = tt.v6 ? PLX_ETHERTYPE_IP6 : PLX_ETHERTYPE_IP4;
	plx_wire_eth_emit(nt.in.b, &eth);
	if (tt.v6)
		plx_wire_ip6_emit(nt.in.b + PLX_ETH_BYTES, &ip);
	else
		plx_wire_ip4_emit(nt.in.b + PLX_ETH_BYTES, &ip);
	nt.in.bytes = PLX_ETH_BYTES + hdr + ip.l4_bytes;
}

static inline void tt_in(uint16_t flags, uint32_t seq, uint64_t at, uint32_t len)
{
	tt_make(flags, seq, at, len);
	nt_feed(0);
	nt_run();
}

/** Our next segment, checked. @return false: there is none. */
static inline bool tt_out(struct tt_seg *s)
{
	uint8_t code;

	if (!nt_sent(0))
		return false;
	if (nt.last[0] >> 4 == 4)
		eq(plx_wire_ip4_parse(&s->ip, nt.last, nt.last_bytes, true), PLX_DROP_NONE);
	else
		eq(plx_wire_ip6_parse(&s->ip, nt.last, nt.last_bytes, &code), PLX_DROP_NONE);
	eq(s->ip.proto, PLX_IPPROTO_TCP);
	s->text = nt.last + s->ip.hdr_bytes;
	ok(plx_wire_l4_cksum_ok(&s->ip, s->text, s->ip.l4_bytes));
	eq(plx_wire_tcp_parse(&s->h, s->text, s->ip.l4_bytes), PLX_DROP_NONE);
	eq(plx_wire_tcp_opts_parse(&s->o, s->text + PLX_TCP_BYTES, s->h.hdr_bytes - PLX_TCP_BYTES,
		   s->h.flags & PLX_TCP_SYN),
		PLX_DROP_NONE);
	s->text += s->h.hdr_bytes;
	s->len = s->ip.l4_bytes - s->h.hdr_bytes;
	return true;
}

/** The next one has these flags and so much text. */
#define tt_expect(s, want_flags, want_len)                                                         \
	do {                                                                                       \
		ok(tt_out(s));                                                                     \
		eq((s)->h.flags, want_flags);                                                      \
		eq((s)->len, want_len);                                                            \
	} while (0)

/** The peer connects. */
static inline void tt_connect(void)
{
	struct tt_seg s;

	tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	eq(s.h.ack, tt.seq);
	tt.ack = s.h.seq + 1;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	eq(tt.accepted, 1);
	nt_none();
}

/** It has, and we have begun to send so much. */
static inline void tt_sending(uint64_t bytes)
{
	tt_start();
	tt_connect();
	tt.to_send = bytes;
	tt_write(tt_sn(), tt.c);
	nt_run();
}

static inline int tt_after(void **state)
{
	nt_stop_engine();
	if (nt.net)
		plx_net_tcp_unlisten(nt.net, &tt.l);
	return nt_after(state);
}

#define TT_(name) cmocka_unit_test_teardown(name, tt_after)
