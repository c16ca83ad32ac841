/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

static struct nt_sock sock;

/* One piece of the datagram in nt.in, as a frame of its own. */
struct piece {
	uint32_t off, len;
	bool more;
};

static struct t_frame whole; /* the frame that is cut */

static void cut4(const struct piece *c)
{
	const uint8_t *p = whole.b + 14;
	uint16_t check, word = (uint16_t)(c->off / 8 | (c->more ? 0x2000 : 0));

	memcpy(nt.in.b, whole.b, 34);
	plx_put_be16(nt.in.b + 16, (uint16_t)(20 + c->len));
	plx_put_be16(nt.in.b + 20, word);
	memset(nt.in.b + 24, 0, 2);
	check = plx_cksum_ip4(nt.in.b + 14, 20);
	memcpy(nt.in.b + 24, &check, 2);
	memcpy(nt.in.b + 34, p + 20 + c->off, c->len);
	nt.in.bytes = 34 + c->len;
}

static void cut6(const struct piece *c)
{
	const uint8_t *p = whole.b + 14;

	memcpy(nt.in.b, whole.b, 54);
	plx_put_be16(nt.in.b + 18, (uint16_t)(8 + c->len));
	nt.in.b[20] = 44;
	nt.in.b[54] = p[6];
	nt.in.b[55] = 0;
	plx_put_be16(nt.in.b + 56, (uint16_t)(c->off | c->more));
	plx_put_be32(nt.in.b + 58, 99);
	memcpy(nt.in.b + 62, p + 40 + c->off, c->len);
	nt.in.bytes = 62 + c->len;
}

static void datagram(const char *text)
{
	nt_make(0, text);
	whole = nt.in;
}

static void piece(uint32_t off, uint32_t len, bool more)
{
	const struct piece c = {off, len, more};

	if (whole.b[14] >> 4 == 4)
		cut4(&c);
	else
		cut6(&c);
	nt_feed(0);
	nt_run();
}

static void start(void)
{
	nt_simple();
	eq(nt_open(&sock, 7, 0), 0);
}

static void is_whole(uint32_t bytes)
{
	eq(sock.n, 1);
	eq(sock.bytes, bytes);
	for (uint32_t i = 0; i < bytes && i < sizeof(sock.data); i++)
		eq(sock.data[i], (uint8_t)i);
	sock.n = 0;
	nt_no_drop();
	eq(plx_net_held(nt.net), 0);
}

static const char *const dgrams[] = {
	"ip 10.0.0.1 > 10.0.0.2 id 5 udp 1024 > 7 len 1000",
	"ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 1000",
};

T(pieces_in_order)
{
	start();
	for (int v = 0; v < 2; v++) {
		datagram(dgrams[v]);
		piece(0, 400, true);
		piece(400, 400, true);
		eq(plx_net_held(nt.net), 2);
		piece(800, 208, false);
		is_whole(1000);
	}
	eq(nt_stat(PLX_STAT_IP_REASMOKS), 1);
	eq(nt_stat(PLX_STAT_IP6_REASMOKS), 1);
	eq(nt_stat(PLX_STAT_IP_REASMREQDS), 3);
	eq(nt_stat(PLX_STAT_UDP_INDATAGRAMS), 1);
}

T(pieces_in_every_order)
{
	static const struct piece p[3] = {{0, 8, true}, {8, 800, true}, {808, 200, false}};
	static const uint8_t order[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	start();
	for (int v = 0; v < 2; v++)
		for (int o = 0; o < 6; o++) {
			datagram(dgrams[v]);
			for (int i = 0; i < 3; i++) {
				const struct piece *x = &p[order[o][i]];

				piece(x->off, x->len, x->more);
			}
			is_whole(1000);
		}
}

/* As they come by a link of jumbo frames, and large receive buffers that are still too small. */
T(pieces_longer_than_an_mbuf)
{
	static const char *const long_dgrams[] = {
		"ip 10.0.0.1 > 10.0.0.2 id 5 udp 1024 > 7 len 8000",
		"ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 8000",
	};
	static const struct piece p[2] = {{0, 4800, true}, {4800, 3208, false}};

	start();
	for (int v = 0; v < 2; v++)
		for (int first = 0; first < 2; first++) {
			datagram(long_dgrams[v]);
			for (int i = 0; i < 2; i++) {
				const struct piece *x = &p[i ^ first];

				v ? cut6(x) : cut4(x);
				t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 1400);
				nt_run();
			}
			is_whole(8000);
		}
	/* the header that says where its data belong is not to be found in the first segment */
	cut6(&p[0]);
	t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 58);
	nt_run();
	nt_drop(PLX_DROP_IP6_EXTHDR);
}

/* A ping of many pieces is answered in as many as it takes. */
T(a_long_ping)
{
	start();
	datagram("ip 10.0.0.1 > 10.0.0.2 id 5 icmp echo-request len 4000");
	for (uint32_t off = 0; off < 4008; off += 1000)
		piece(off, PLX_MIN(1000u, 4008 - off), off + 1000 < 4008);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 +0 proto 1 len 1480");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 +1480 proto 1 len 1480");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 @2960 proto 1 len 1048");
	nt_none();
	datagram("ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 4000");
	for (uint32_t off = 0; off < 4008; off += 1000)
		piece(off, PLX_MIN(1000u, 4008 - off), off + 1000 < 4008);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 +0 proto 58 len 1448");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 +1448 proto 58 len 1448");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 @2896 proto 58 len 1112");
	nt_none();
	nt_no_drop();
}

/* RFC 5722: an overlap is the end of the datagram. */
T(overlaps)
{
	start();
	datagram(dgrams[1]);
	piece(0, 400, true);
	piece(392, 400, true);
	nt_drops(PLX_DROP_FRAG_OVERLAP, 2);
	piece(800, 208, false);
	nt_drop(PLX_DROP_FRAG_OVERLAP);
	eq(sock.n, 0);
	eq(plx_net_held(nt.net), 0);
	nt_none();
}

T(duplicates)
{
	start();
	datagram(dgrams[0]);
	piece(0, 400, true);
	piece(0, 400, true);
	nt_drop(PLX_DROP_FRAG_DUPLICATE);
	piece(400, 608, false);
	is_whole(1000);
}

T(time_is_up)
{
	start();
	datagram(dgrams[0]);
	piece(0, 400, true);
	nt_sleep(PLX_SEC(29));
	nt_none();
	nt_sleep(PLX_SEC(2));
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp time 1 quote 420");
	nt_drop(PLX_DROP_FRAG_TIMEOUT);
	datagram(dgrams[1]);
	piece(0, 400, true);
	nt_sleep(PLX_SEC(61));
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp time 1 quote 448");
	nt_drop(PLX_DROP_FRAG_TIMEOUT);
	piece(400, 400, true); /* without the first one nobody is told */
	nt_sleep(PLX_SEC(61));
	nt_drop(PLX_DROP_FRAG_TIMEOUT);
	datagram("ip 2001:db8::1 > 2001:db8::2 icmp unreach 4 len 1000"); /* an error: no error */
	piece(0, 400, true);
	nt_sleep(PLX_SEC(61));
	nt_drop(PLX_DROP_FRAG_TIMEOUT);
	nt_none();
	eq(nt_stat(PLX_STAT_IP_REASMTIMEOUT), 1);
}

/* Reception needs the pool: fragments get half of what it has, and a ping finds room. */
T(endless_fragments_leave_the_pool_alone)
{
	uint32_t most, held;

	nt.mbufs = 200;
	start();
	nt.mbufs = 0;
	most = rte_mempool_avail_count(plx_engine_softnet(nt.eng, 0)->pool) / 2;
	ok(most > 50 && most <= 100);
	datagram(dgrams[0]);
	for (uint16_t i = 0; i < 1000; i++) {
		plx_put_be16(whole.b + 18, i);
		piece(0, 400, true);
		ok(plx_net_held(nt.net) <= most);
	}
	held = (uint32_t)plx_net_held(nt.net);
	eq(held, most);
	nt_drops(PLX_DROP_FRAG_BUFFERS, 1000 - most);
	eq(nt_stat(PLX_STAT_IP_REASMFAILS), 1000 - most);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 8");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp echo-reply len 8");

	nt_tun(PLX_TUN_IPFRAG_MBUFS, 0); /* none at all */
	piece(0, 400, true);
	nt_drop(PLX_DROP_FRAG_DUPLICATE);
	plx_put_be16(whole.b + 18, 1001);
	piece(0, 400, true);
	nt_drop(PLX_DROP_FRAG_BUFFERS);
	nt_tun(PLX_TUN_IPFRAG_MBUFS, 100);
	for (uint16_t i = 2000; i < 3000; i++) {
		plx_put_be16(whole.b + 18, i);
		piece(0, 400, true);
	}
	ok(plx_net_held(nt.net) >= 2 * held && plx_net_held(nt.net) <= 2 * held + 1);
}

T(stopping_drops_the_pieces)
{
	start();
	datagram(dgrams[0]);
	piece(0, 400, true);
	piece(800, 208, false);
	plx_engine_step_end(nt.eng);
	nt_drops(PLX_DROP_STOPPED, 2);
}

T(malformed)
{
	start();
	datagram(dgrams[0]);
	piece(0, 401, true);
	nt_drop(PLX_DROP_FRAG_MALFORMED);
	whole.b[14] = 0x45;
	piece(65528, 400, false);
	nt_drop(PLX_DROP_FRAG_TOO_BIG);
	datagram(dgrams[1]);
	piece(0, 401, true);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp param 0 rest 4 quote 449");
	nt_drop(PLX_DROP_FRAG_MALFORMED);
	piece(65528, 400, false);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp param 0 rest 42 quote 448");
	nt_drop(PLX_DROP_FRAG_TOO_BIG);
	nt_none();
}

/* RFC 6946: alone it is whole, whatever else is held under its identification. */
T(atomic_fragments)
{
	start();
	datagram(dgrams[1]);
	piece(0, 400, true);
	nt_mark();
	piece(0, 1008, false);
	eq(sock.n, 1);
	eq(sock.bytes, 1000);
	eq(plx_net_held(nt.net), 1);
}

/* RFC 6980: neighbour discovery never comes in fragments. */
T(no_neighbour_discovery_in_fragments)
{
	start();
	datagram("ip 2001:db8::1 > ff02::1:ff00:2 nd ns 2001:db8::2 slla 02:00:00:00:00:01");
	piece(0, 32, false);
	nt_drop(PLX_DROP_ND_MALFORMED);
	nt_none();
}

/* The last header of the chain stands behind the fragment header: its fault is told (RFC 8200 4.2)
 */
T(a_fault_that_shows_when_it_is_whole)
{
	start();
	datagram("ip 2001:db8::1 > 2001:db8::2 proto 60 len 408");
	/* destination options: padding that is none, in 8 bytes; then no next header */
	memcpy(whole.b + 54, "\x3b\x00\x80\x04\x00\x00\x00\x00", 8);
	piece(0, 200, true);
	piece(200, 208, false);
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp param 2 rest 42 quote 448");
	nt_drops(PLX_DROP_IP6_OPTION, 2);
	nt_none();
}

/* Sent: each gets an identification of its own, and nobody can tell the next one. */
T(identifications_differ)
{
	uint16_t id[3][3];

	nt_simple();
	nt_neigh(1, "10.0.0.8");
	nt_neigh(1, "10.0.0.9");
	for (int i = 0; i < 3; i++)
		for (int to = 0; to < 3; to++) {
			static const char *const dst[] = {"10.0.0.1", "10.0.0.8", "10.0.0.9"};

			nt_send(dst[to], 2000);
			ok(nt_sent(0) != NULL);
			id[to][i] = plx_get_be16(nt.last + 4);
			ok(nt_sent(0) != NULL);
			eq(plx_get_be16(nt.last + 4), id[to][i]);
			nt_none();
		}
	for (int to = 0; to < 3; to++)
		ok(id[to][0] != id[to][1] && id[to][1] != id[to][2]);
	ok(id[0][0] != id[1][0] && id[1][0] != id[2][0]);
}

T(the_longest_datagram_goes_and_comes)
{
	unsigned int n = 0;

	nt.mbufs = 8191;
	start();
	nt.mbufs = 0;
	eq(nt_send("10.0.0.1", 65507), PLX_DROP_NONE);
	while (nt_sent(0))
		n++;
	eq(n, 45);
	eq(nt_stat(PLX_STAT_IP_FRAGCREATES), 45);
	eq(nt_stat(PLX_STAT_IP_FRAGOKS), 1);
	datagram("ip 10.0.0.1 > 10.0.0.2 id 5 udp 1024 > 7 len 65507");
	for (uint32_t off = 0; off < 65515; off += 1480)
		piece(off, PLX_MIN(1480u, 65515 - off), off + 1480 < 65515);
	eq(sock.bytes, 65507);
	eq(sock.segs, 45);
	nt_no_drop();
}

/* Half way through there is no buffer left: what has gone has gone, the rest is dropped once. */
T(no_buffers_half_way)
{
	struct plx_softnet *sn;
	struct rte_mbuf *all[1024], *m;
	unsigned int n = 0;
	const struct plx_net_udp_msg msg = {.dst = t_addr("10.0.0.1"), .sport = 9, .dport = 9};

	nt.mbufs = 600;
	nt_simple();
	nt.mbufs = 0;
	sn = plx_engine_softnet(nt.eng, 0);
	m = plx_softnet_alloc(sn);
	rte_pktmbuf_append(m, 2000);
	for (int i = 0; i < 3; i++) {
		struct rte_mbuf *more = plx_softnet_alloc(sn);

		rte_pktmbuf_append(more, 2000);
		rte_pktmbuf_chain(m, more);
	}
	while (n < 1024 && (all[n] = plx_softnet_alloc(sn)))
		n++;
	rte_pktmbuf_free_bulk(all, 3);
	eq(plx_net_udp_send(sn, m, &msg), PLX_DROP_NO_MBUF);
	nt_run();
	nt_drop(PLX_DROP_NO_MBUF);
	eq(nt_stat(PLX_STAT_IP_FRAGFAILS), 1);
	rte_pktmbuf_free_bulk(all + 3, n - 3);
	nt_forget();
}

/* An incomplete datagram is held for so long, and no longer. */
static void held_for(int v, plx_ns time)
{
	datagram(dgrams[v]);
	piece(0, 400, true);
	nt_sleep(time - PLX_MS(10));
	eq(plx_net_held(nt.net), 1);
	nt_sleep(PLX_SEC(1));
	eq(plx_net_held(nt.net), 0);
	nt_drop(PLX_DROP_FRAG_TIMEOUT);
	nt_forget();
}

T(tunables_hold_from_the_next_fragment)
{
	start();
	held_for(0, PLX_SEC(30));
	nt_tun(PLX_TUN_IPFRAG_TIME, 3);
	held_for(0, PLX_SEC(3));
	held_for(1, PLX_SEC(60));
	nt_tun(PLX_TUN_IP6FRAG_TIME, 2);
	held_for(1, PLX_SEC(2));

	nt_tun(PLX_TUN_IPFRAG_MAX_SOURCE, 0);
	piece(0, 400, true);
	nt_drop(PLX_DROP_FRAG_PER_SOURCE);
	nt_tun(PLX_TUN_IPFRAG_MAX_SOURCE, 1 << 20);
	nt_tun(PLX_TUN_IPFRAG_HIGH_THRESH, 0);
	piece(0, 400, true);
	nt_drop(PLX_DROP_FRAG_MEMORY);
	eq(plx_net_held(nt.net), 0);
}

RUN_EAL(NT_(tunables_hold_from_the_next_fragment), NT_(pieces_in_order), NT_(pieces_in_every_order),
	NT_(pieces_longer_than_an_mbuf), NT_(a_long_ping), NT_(overlaps), NT_(duplicates),
	NT_(time_is_up), NT_(endless_fragments_leave_the_pool_alone),
	NT_(stopping_drops_the_pieces), NT_(malformed), NT_(atomic_fragments),
	NT_(no_neighbour_discovery_in_fragments), NT_(a_fault_that_shows_when_it_is_whole),
	NT_(identifications_differ), NT_(the_longest_datagram_goes_and_comes),
	NT_(no_buffers_half_way))
