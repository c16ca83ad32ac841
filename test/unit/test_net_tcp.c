/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_tcp_ends_t.h"

#include <plx_net_lend.h>

#define PEER "02:00:00:00:00:01"

static void echo(bool v6)
{
	struct tt_seg s;

	tt_start();
	tt.v6 = v6;
	tt.echo = true;
	tt_connect();
	tt_in(PLX_TCP_ACK | PLX_TCP_PSH, tt.seq, 0, 5);
	tt.seq += 5;
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 5);
	eq(s.h.seq, tt.ack);
	eq(s.h.ack, tt.seq); /* one segment for both */
	for (uint32_t i = 0; i < 5; i++)
		eq(s.text[i], tt_text(i));
	tt.ack += 5;
	tt_in(PLX_TCP_ACK | PLX_TCP_FIN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_FIN, 0); /* the same */
	tt.ack++;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	nt_none();
	nt_no_drop();
	eq(tt.fins, 1);
	eq(tt.closed, 0); /* we have closed it */
	eq(nt_stat(PLX_STAT_TCP_INSEGS), 5);
	eq(nt_stat(PLX_STAT_TCP_OUTSEGS), 3);
	eq(nt_stat(PLX_STAT_TCP_PASSIVEOPENS), 1);
	eq(nt_stat(PLX_STAT_TCP_CURRESTAB), 0);
}

T(echoes)
{
	echo(false);
}

T(echoes_by_ipv6)
{
	echo(true);
}

/* A SYN behind the segment that ends a connection of the same ports, in one burst with it. */
static void comes_back(uint16_t last, int closed, int err)
{
	struct tt_seg s;

	tt_make(last, tt.seq, 0, 0);
	nt_feed(0);
	tt.seq += 100000;
	tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	eq(s.h.ack, tt.seq);
	tt.ack = s.h.seq + 1;
	eq(tt.closed, closed);
	eq(tt.err, err);
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	eq(tt.accepted, 2);
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_TCP_CURRESTAB), 1);
}

T(ports_come_back_in_the_burst_of_the_last_ack)
{
	struct tt_seg s;

	tt_start();
	tt.echo = true;
	tt_connect();
	tt_in(PLX_TCP_ACK | PLX_TCP_FIN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_FIN, 0); /* the same */
	tt.ack++;
	comes_back(PLX_TCP_ACK, 0, 0);
}

T(ports_come_back_in_the_burst_of_a_reset)
{
	tt_start();
	tt_connect();
	comes_back(PLX_TCP_RST | PLX_TCP_ACK, 1, ECONNRESET);
}

T(nobody_listens)
{
	struct tt_seg s;

	tt = (struct tt){.port = 1024, .seq = 1000};
	nt_simple();
	tt_in(PLX_TCP_SYN, 1000, 0, 0);
	tt_expect(&s, PLX_TCP_RST | PLX_TCP_ACK, 0);
	eq(s.h.ack, 1001);
	nt_drop(PLX_DROP_TCP_NO_CONN);
	tt.ack = 77;
	tt_in(PLX_TCP_ACK, 1000, 0, 9);
	tt_expect(&s, PLX_TCP_RST, 0);
	eq(s.h.seq, 77);
	nt_drop(PLX_DROP_TCP_NO_CONN);
	tt_in(PLX_TCP_RST, 1000, 0, 0);
	nt_none();
	nt_drop(PLX_DROP_TCP_NO_CONN);
	eq(nt_stat(PLX_STAT_TCP_OUTRSTS), 2);
	nt_tun(PLX_TUN_TCP_RST_LIMIT, 3);
	for (int i = 0; i < 10; i++)
		tt_in(PLX_TCP_SYN, 1000, 0, 0);
	eq(nt_forget(), 1);
	nt_drops(PLX_DROP_TCP_NO_CONN, 10);
}

T(what_is_malformed)
{
	uint8_t *tcp = nt.in.b + PLX_ETH_BYTES + PLX_IP4_BYTES;
	uint16_t check;

	tt_start();
	tt_make(PLX_TCP_SYN, 1, 0, 0);
	tcp[16] ^= 1;
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_TCP_CHECKSUM);
	eq(nt_stat(PLX_STAT_TCP_INCSUMERRORS), 1);
	eq(nt_stat(PLX_STAT_TCP_INERRS), 1);
	tt_make(PLX_TCP_SYN, 1, 0, 0);
	tcp[12] = 0x40;
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_TCP_OFFSET);
	tt_make(PLX_TCP_SYN, 1, 0, 0);
	memcpy(&check, tcp + 16, 2);
	check = plx_cksum_adjust16(check, htobe16(2 << 8 | 4), htobe16(2 << 8 | 1));
	tcp[21] = 1; /* of the MSS */
	memcpy(tcp + 16, &check, 2);
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_TCP_OPTIONS);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 6 len 19");
	nt_drop(PLX_DROP_TCP_SHORT);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.255 proto 6 len 20");
	nt_drop(PLX_DROP_TCP_TO_MANY);
	nt_none();
	eq(nt_stat(PLX_STAT_TCP_INSEGS), 4);
}

/* Every second piece first, then one over all: it is cut at each gap. */
T(text_out_of_order_is_put_together)
{
	struct tt_seg s;

	tt_start();
	tt_connect();
	for (uint32_t i = 1; i < 8; i += 2)
		tt_in(PLX_TCP_ACK, tt.seq + i * 100, i * 100, 100);
	for (uint32_t i = 1; i < 8; i += 2) { /* at once for each (RFC 5681 4.2) */
		tt_expect(&s, PLX_TCP_ACK, 0);
		eq(s.h.ack, tt.seq);
		ok(s.o.present & PLX_TCP_OPT_SACK);
	}
	eq(tt.got, 0);
	tt_in(PLX_TCP_ACK, tt.seq, 0, 800);
	eq(tt.got, 800);
	tt_expect(&s, PLX_TCP_ACK, 0);
	eq(s.h.ack, tt.seq + 800);
	nt_none();
	nt_no_drop();
	tt_in(PLX_TCP_ACK, tt.seq + 700, 700, 100);
	nt_drop(PLX_DROP_TCP_TEXT_OLD);
	tt_expect(&s, PLX_TCP_ACK, 0);
}

/* The same in mbufs of 37 bytes, headers and all. */
T(chained_mbufs_are_cut_as_well)
{
	tt_start();
	tt_connect();
	for (uint32_t i = 1; i < 8; i += 2) {
		tt_make(PLX_TCP_ACK, tt.seq + i * 100, i * 100, 100);
		t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 37);
		nt_run();
	}
	tt_make(PLX_TCP_ACK, tt.seq, 0, 800);
	t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 37);
	nt_run();
	eq(tt.got, 800);
	nt_forget();
}

/* Short pieces share an mbuf; what is not read closes the window and frees with the connection. */
T(what_is_not_read_is_bounded)
{
	struct tt_seg s = {0};
	uint32_t n = 0;

	tt_start();
	tt.hold = true;
	tt_connect();
	for (uint32_t i = 0; i < 200; i++) {
		tt_in(PLX_TCP_ACK, tt.seq, n, 10);
		tt.seq += 10;
		n += 10;
	}
	ok(rte_mempool_in_use_count(t_pool) < 20);
	while (tt_out(&s))
		;
	while (n < 1000000) {
		uint32_t edge = s.h.ack + s.h.win;

		if (plx_seq_diff(edge, tt.seq) < 1000)
			break;
		tt_in(PLX_TCP_ACK, tt.seq, n, 1000);
		tt.seq += 1000;
		n += 1000;
		while (tt_out(&s))
			;
	}
	ok(n < 70000);
	tt.hold = false;
	tt_read(tt_sn(), tt.c);
	eq(tt.got, n);
	nt_run();
	ok(tt_out(&s)); /* the window is open again */
	ok(s.h.win > 20000);
	tt.hold = true;
	tt_in(PLX_TCP_ACK, tt.seq, n, 1000);
	nt_forget();
	nt_no_drop();
}

/* What an application writes arrives as it was written, through losses of ours and of the peer's
 * ACKs: the peer acknowledges nothing for a while. */
T(what_is_written_is_sent_again)
{
	struct tt_seg s;
	uint64_t at = 0;

	tt_sending(200000);
	nt_forget(); /* all of the first flight is lost */
	for (int i = 0; i < 10000 && at < tt.to_send; i++) {
		bool any = false;

		nt_sleep(PLX_MS(20));
		while (tt_out(&s)) {
			uint32_t off = s.h.seq - tt.ack;

			any = true;
			for (uint32_t k = 0; k < s.len && off < 100000; k++)
				eq(s.text[k], tt_text(at + off + k));
			if (off == 0) {
				at += s.len;
				tt.ack += s.len;
			}
		}
		if (any && i % 7)
			tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	}
	eq(at, tt.to_send);
	ok(nt_stat(PLX_STAT_TCP_RETRANSSEGS) > 5);
	tt_in(PLX_TCP_RST | PLX_TCP_ACK, tt.seq, 0, 0);
	eq(tt.closed, 1);
	eq(tt.err, ECONNRESET);
	nt_no_drop();
}

/* ---- both ends here ---- */

static const uint32_t ends_bytes = 1000000;

static void ends_read(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct ends *e = plx_net_tcp_user(c);
	struct rte_mbuf *m;

	while ((m = plx_net_tcp_recv(sn, c))) {
		static uint8_t flat[65535];
		const uint8_t *p = rte_pktmbuf_read(m, 0, m->pkt_len, flat);

		for (uint32_t i = 0; i < m->pkt_len; i++)
			eq(p[i], tt_text(e->got + i));
		e->got += m->pkt_len;
		rte_pktmbuf_free(m);
	}
}

static void to_ourselves(const char *addr)
{
	ends_start();
	ends_connect(addr);
	nt_sleep(PLX_SEC(20));
	ends_are_done();
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_TCP_ACTIVEOPENS), 1);
	eq(nt_stat(PLX_STAT_TCP_RETRANSSEGS), 0);
	nt_sleep(PLX_SEC(70));		    /* TIME-WAIT ends */
	eq(nt_stat(PLX_STAT_TCPEXT_TW), 2); /* both have closed at once */
}

T(to_ourselves_both_ways)
{
	to_ourselves("10.0.0.2");
}

T(to_ourselves_by_ipv6)
{
	to_ourselves("2001:db8::2");
}

/* ---- ICMP ---- */

/* An error about the segment sent last, of which n bytes are quoted. */
static void icmp(const char *what)
{
	char text[120];

	snprintf(text, sizeof(text), "ip 10.0.0.9 > 10.0.0.2 icmp %s quote 28", what);
	nt_in(0, text);
}

T(a_path_is_narrower_than_we_thought)
{
	struct tt_seg s;
	uint32_t n = 0;

	tt_sending(14000);
	tt_expect(&s, PLX_TCP_ACK, 1460);
	ok(s.ip.df);
	plx_put_be32(nt.last + 24, s.h.seq + 100000); /* not in flight: forged */
	icmp("unreach 4 rest 1000");
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
	eq(plx_net_tcp_tcb(tt.c)->pmtu, 1500);
	plx_put_be32(nt.last + 24, s.h.seq);
	icmp("unreach 4 rest 1000");
	nt_no_drop();
	eq(plx_net_tcp_tcb(tt.c)->pmtu, 1000);
	nt_forget();
	for (int i = 0; i < 100 && n < tt.to_send; i++) {
		nt_sleep(PLX_MS(50));
		while (tt_out(&s)) {
			ok(s.ip.l4_bytes + 20 <= 1000);
			if (s.h.seq == tt.ack) {
				tt.ack += s.len;
				n += s.len;
			}
		}
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	}
	eq(n, tt.to_send);
}

/* The record of the path has its time (RFC 1191 6.3), and the connection follows. */
T(a_path_is_as_wide_again)
{
	struct tt_seg s;

	tt_sending(1400);
	nt_tun(PLX_TUN_MTU_EXPIRES, 10);
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 1400);
	plx_put_be32(nt.last + 24, s.h.seq);
	icmp("unreach 4 rest 1000");
	tt_expect(&s, PLX_TCP_ACK, 960);
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 440);
	tt.ack = s.h.seq + s.len;
	nt_sleep(PLX_SEC(9));
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	nt_forget();
	tt.to_send += 960;
	tt_write(tt_sn(), tt.c);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 960);
	tt.ack = s.h.seq + s.len;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	nt_sleep(PLX_SEC(2));
	tt.to_send += 1460;
	tt_write(tt_sn(), tt.c);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 1460);
	eq(plx_net_tcp_tcb(tt.c)->pmtu, 1500);
	nt_no_drop();
}

T(an_error_ends_an_attempt)
{
	const struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80};
	struct tt_seg s;

	tt_start();
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &tt.c), 0);
	nt_run();
	tt_expect(&s, PLX_TCP_SYN, 0);
	icmp("quench 0"); /* RFC 6633 4 */
	nt_drop(PLX_DROP_ICMP_TYPE);
	eq(tt.closed, 0);
	icmp("unreach 1");
	eq(tt.closed, 1);
	eq(tt.err, EHOSTUNREACH);
	nt_no_drop();
	nt_sleep(PLX_SEC(5));
	nt_none();
	eq(nt_stat(PLX_STAT_TCP_ATTEMPTFAILS), 1);
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 1 quote 28");
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
}

T(an_error_ends_a_handshake)
{
	struct tt_seg s;

	tt_start();
	tt_in(PLX_TCP_SYN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	icmp("unreach 3");
	nt_no_drop();
	plx_put_be32(nt.last + 24, s.h.seq + 1);
	icmp("unreach 1");
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
	nt_sleep(PLX_MS(1500));
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	icmp("unreach 1");
	nt_no_drop();
	eq(nt_stat(PLX_STAT_TCPEXT_LISTENDROPS), 1);
	nt_sleep(PLX_SEC(5));
	nt_none();
}

/* RFC 5082: what a router says that is too far away, as the quoted header tells. */
T(an_error_about_a_far_segment)
{
	struct tt_seg s;

	tt_sending(1400);
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 1400);
	tt.near = s.ip.ttl + 1;
	plx_net_tcp_set_min_ttl(tt.c, true);
	icmp("unreach 4 rest 1000");
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPMINTTLDROP), 1);
	eq(plx_net_tcp_tcb(tt.c)->pmtu, 1500);
	tt.near = s.ip.ttl;
	icmp("unreach 4 rest 1000");
	eq(plx_net_tcp_tcb(tt.c)->pmtu, 1000);
	eq(nt_stat(PLX_STAT_TCPEXT_TCPMINTTLDROP), 1);
}

T(a_far_syn_reopens_nothing)
{
	struct tt_seg s;

	tt = (struct tt){.port = 1024, .seq = 1000, .ttl = 255};
	nt_simple();
	tt.l = (struct plx_net_tcp_listener){.accept = tt_accept, .lport = TT_PORT, .min_ttl = 255};
	eq(plx_net_tcp_listen(nt.net, &tt.l), 0);
	tt_connect();
	plx_net_tcp_close(tt_sn(), tt.c);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_FIN, 0);
	tt.ack = s.h.seq + 1;
	tt_in(PLX_TCP_ACK | PLX_TCP_FIN, tt.seq++, 0, 0);
	tt_expect(&s, PLX_TCP_ACK, 0);
	nt_sleep(PLX_SEC(2));
	tt.seq += 100000;
	tt.ttl = 254;
	tt_in(PLX_TCP_SYN, tt.seq, 0, 0);
	nt_drop(PLX_DROP_TCP_MIN_TTL);
	nt_none();
	tt.ttl = 255;
	tt_in(PLX_TCP_SYN, tt.seq, 0, 0);
	tt_expect(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
}

/* ---- the next hop ---- */

/* Connected with one that has told us its MAC, which remains to be confirmed. */
static void stale_peer(void)
{
	struct tt_seg s;

	tt_start();
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.9");
	nt_forget();
	tt.peer = "10.0.0.9";
	tt_connect();
	tt.to_send = 1000;
	tt_write(tt_sn(), tt.c);
	nt_run();
	tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 1000);
}

/* RFC 4861 7.3.1: what we say arrives, so the neighbour needs not be asked. */
T(progress_confirms_the_next_hop)
{
	stale_peer();
	tt.ack += 1000;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	nt_sleep(PLX_SEC(10));
	nt_none();
	nt_no_drop();
}

/* RFC 1122 4.2.3.5: no answer for R1; is it there at all? */
T(no_answer_makes_the_next_hop_doubted)
{
	const char *asks = "arp who-has 10.0.0.9 tell 10.0.0.2 to " PEER, *sent;
	int sent_again = 0, tenths = 0, asked = 0;

	stale_peer();
	while (!asked && tenths++ < 100) {
		nt_sleep(PLX_MS(100));
		while ((sent = nt_sent(0)))
			*(strcmp(sent, asks) ? &sent_again : &asked) += 1;
	}
	eq(asked, 1);
	ok(tenths > 50); /* it was confirmed by the handshake */
	ok(sent_again >= 5);
	nt_no_drop();
}

/* ---- connect ---- */

T(connects_and_is_refused)
{
	struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = TT_PORT};
	struct tt_seg s;

	tt_start();
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &tt.c), 0);
	nt_run();
	tt_expect(&s, PLX_TCP_SYN, 0);
	ok(s.o.present & PLX_TCP_OPT_SACK_OK);
	eq(s.o.mss, 1460);
	eq(nt_stat(PLX_STAT_TCP_OUTSEGS), 1);
	to.raddr = t_addr("10.9.9.9");
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &tt.c), -ENETUNREACH);
	nt_sleep(PLX_MS(1500)); /* once more */
	tt_expect(&s, PLX_TCP_SYN, 0);
	eq(nt_stat(PLX_STAT_TCP_OUTSEGS), 1);
	eq(nt_stat(PLX_STAT_TCP_RETRANSSEGS), 1);
	tt.ack = s.h.seq + 1;
	tt_make(PLX_TCP_RST | PLX_TCP_ACK, 0, 0, 0);
	plx_put_be16(nt.in.b + 14 + 20, TT_PORT);
	plx_put_be16(nt.in.b + 14 + 22, s.h.sport);
	memset(nt.in.b + 14 + 20 + 16, 0, 2);
	s.ip.l4_bytes = 20;
	plx_wire_l4_cksum_fill(&s.ip.dst, &s.ip.src, PLX_IPPROTO_TCP, nt.in.b + 34, 20);
	nt_feed(0);
	nt_run();
	eq(tt.closed, 1);
	eq(tt.err, ECONNREFUSED);
	nt_no_drop();
}

/* ---- want of memory, and the end ---- */

/* The record, its timer and its place in the table: nothing else stays of a dialogue. */
T(an_idle_connection_is_small)
{
	const uint32_t n = 2000;
	size_t least = SIZE_MAX, used = 0;
	struct plx_arena *mem = NULL;
	struct tt_seg s;

	tt_start();
	tt.echo = true;
	for (uint32_t i = 0; i <= n; i++) {
		tt.port++;
		tt.seq = 1000;
		tt.got = 0;
		tt.accepted = 0;
		tt_connect();
		tt_in(PLX_TCP_ACK | PLX_TCP_PSH, tt.seq, 0, 100);
		tt_expect(&s, PLX_TCP_ACK | PLX_TCP_PSH, 100);
		tt.seq += 100;
		tt.ack += 100;
		tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
		nt_none();
		mem = plx_net_tcp_tcb(tt.c)->ctx->mem;
		used = plx_arena_used(mem);
		least = PLX_MIN(least, used);
	}
	ok((used - least) / n >= sizeof(struct plx_tcp));
	ok((used - least) / n <= 640);
	tt.echo = false;
}

T(an_empty_pool_delays)
{
	struct plx_softnet *sn;
	struct rte_mbuf *all[5000];
	unsigned int n = 0;
	struct tt_seg s;

	tt_start();
	tt_connect();
	sn = tt_sn();
	while (n < PLX_DIM(all) && (all[n] = plx_softnet_alloc(sn)))
		n++;
	tt.to_send = 60000;
	tt_write(sn, tt.c);
	nt_sleep(PLX_MS(5));
	while (tt_out(&s)) /* what was at hand */
		;
	rte_pktmbuf_free_bulk(all, n);
	nt_sleep(PLX_MS(5));
	tt.ack = s.h.seq + s.len;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
	ok(tt_out(&s));
	nt_forget();
}

static void lend(uint32_t bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);

	assert_non_null(m);
	memset(rte_pktmbuf_append(m, (uint16_t)bytes), 'x', bytes);
	eq(plx_net_tcp_send(tt_sn(), tt.c, m, false, NULL), 0);
}

static void acknowledge_one(void)
{
	struct tt_seg s;

	ok(tt_out(&s));
	eq(s.len, 1460);
	tt.ack += s.len;
	tt_in(PLX_TCP_ACK, tt.seq, 0, 0);
}

T(what_is_lent_is_charged_with_its_mbufs_until_it_is_acknowledged)
{
	uint32_t each;

	tt_start();
	tt_connect();
	eq(plx_net_tcp_queued(tt.c), 0);
	lend(1460);
	each = plx_net_tcp_queued(tt.c);
	ok(each > rte_pktmbuf_data_room_size(t_pool));
	lend(1460);
	lend(1460);
	eq(plx_net_tcp_queued(tt.c), 3 * each);
	nt_run();
	acknowledge_one();
	eq(plx_net_tcp_queued(tt.c), 2 * each);
	eq(rte_mempool_in_use_count(t_pool), 2);
	acknowledge_one();
	eq(plx_net_tcp_queued(tt.c), each);
	acknowledge_one();
	eq(plx_net_tcp_queued(tt.c), 0);
	eq(rte_mempool_in_use_count(t_pool), 0);
}

T(a_stop_resets_what_is_open)
{
	const struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80};
	struct plx_net_tcp *c;

	tt_start();
	tt.hold = true;
	tt_connect();
	tt.to_send = 100000;
	tt_write(tt_sn(), tt.c);
	eq(plx_net_tcp_connect(tt_sn(), &to, &tt_ops, NULL, &c), 0);
	tt_in(PLX_TCP_ACK, tt.seq, 0, 500);
	tt_in(PLX_TCP_ACK, tt.seq + 900, 900, 500);
	tt.port++;
	tt_in(PLX_TCP_SYN, 1, 0, 0);
	nt_forget();
	plx_engine_step_end(nt.eng);
	eq(tt.closed, 2);
	eq(tt.err, ESHUTDOWN);
	eq(nt_stat(PLX_STAT_TCP_OUTRSTS), 1);
}

RUN_EAL(TT_(echoes), TT_(echoes_by_ipv6), TT_(ports_come_back_in_the_burst_of_the_last_ack),
	TT_(ports_come_back_in_the_burst_of_a_reset), TT_(nobody_listens), TT_(what_is_malformed),
	TT_(text_out_of_order_is_put_together), TT_(chained_mbufs_are_cut_as_well),
	TT_(what_is_not_read_is_bounded), TT_(what_is_written_is_sent_again),
	TT_(to_ourselves_both_ways), TT_(to_ourselves_by_ipv6),
	TT_(a_path_is_narrower_than_we_thought), TT_(a_path_is_as_wide_again),
	TT_(an_error_ends_an_attempt), TT_(an_error_ends_a_handshake),
	TT_(an_error_about_a_far_segment), TT_(a_far_syn_reopens_nothing),
	TT_(progress_confirms_the_next_hop), TT_(no_answer_makes_the_next_hop_doubted),
	TT_(connects_and_is_refused), TT_(an_empty_pool_delays), TT_(an_idle_connection_is_small),
	TT_(what_is_lent_is_charged_with_its_mbufs_until_it_is_acknowledged),
	TT_(a_stop_resets_what_is_open))
