/* SPDX-License-Identifier: BSD-3-Clause */
#include "pkt_t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vtap.h"

/* A pair of sockets that keep frames apart is as good as /dev/net/tun: the kernel is `far`. */
static int fd, far;
static struct vtap_rxq rx;
static struct vtap_txq tx;
static struct plx_port port = {.mtu = 1500, .id = 3};
static struct plx_rxq rxq = {.burst = vtap__rx_burst, .priv = &rx, .port = &port};
static struct plx_txq txq = {.burst = vtap__tx_burst, .priv = &tx, .port = &port};

static bool start(bool uring)
{
	int s[2];
	struct vtap_uring *in, *out;

	eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s), 0);
	fd = s[0];
	far = s[1];
	in = uring ? vtap__uring_new(fd) : NULL;
	out = uring ? vtap__uring_new(fd) : NULL;
	if (uring && (!in || !out)) {
		vtap__uring_free(in);
		vtap__uring_free(out);
		close(fd);
		close(far);
		return false;
	}
	memset(&rx, 0, sizeof(rx));
	memset(&tx, 0, sizeof(tx));
	rxq.pkts = txq.pkts = 0;
	eq(vtap__rxq_start(&rx, fd, true, t_pool, VTAP_KEPT, in, SOCKET_ID_ANY), 0);
	eq(vtap__txq_start(&tx, fd, out, SOCKET_ID_ANY), 0);
	return true;
}

static void stop(void)
{
	vtap__rxq_stop(&rx);
	vtap__txq_stop(&tx);
	close(fd);
	close(far);
}

/* The kernel hands over a frame. */
static void give(const struct virtio_net_hdr *h, const uint8_t *p, uint32_t n)
{
	static uint8_t all[sizeof(*h) + sizeof(t_bytes)];

	memcpy(all, h, sizeof(*h));
	memcpy(all + sizeof(*h), p, n);
	eq(write(far, all, sizeof(*h) + n), sizeof(*h) + n);
}

static void give_tcp(uint32_t text, uint16_t size)
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = size ? VIRTIO_NET_HDR_GSO_TCPV4 : 0,
		.gso_size = size,
		.csum_start = 34,
		.csum_offset = 16,
	};
	uint32_t l4, n = t_build(&(struct t_pkt){.text = text}, &l4);

	give(&h, t_bytes, n);
}

static void with_both(void (*test)(void))
{
	for (int uring = 0; uring < 2; uring++) {
		if (!start(uring)) {
			print_message("no io_uring here\n");
			continue;
		}
		test();
		stop();
		eq(rte_mempool_in_use_count(t_pool), 0);
	}
}

static void receive_in_order(void)
{
	struct rte_mbuf *m;

	assert_null(t_recv(&(struct plx_port){.rxq = {&rxq}}, 0));
	for (uint32_t i = 0; i < 100; i++)
		give_tcp(i, 0);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(plx_rxq_burst(&rxq, &m, 1), 1);
		eq(m->pkt_len, 54 + i);
		eq(m->port, 3);
		plx_pkt_deliver(m);
	}
	eq(plx_rxq_burst(&rxq, &m, 1), 0);
	eq(rxq.pkts, 100);
}

T(frames_come_in_order)
{
	with_both(receive_in_order);
}

static void receive_bursts(void)
{
	struct rte_mbuf *m[PLX_PORT_BURST];
	uint32_t at = 0, n;

	for (int round = 0; round < 40; round++) {
		uint32_t some = (uint32_t)(round * 7 % 60);

		for (uint32_t i = 0; i < some; i++)
			give_tcp(i, 0);
		for (at = 0; (n = plx_rxq_burst(&rxq, m, PLX_PORT_BURST));) {
			for (uint32_t i = 0; i < n; i++)
				eq(m[i]->pkt_len, 54 + at++);
			plx_pkt_deliver_bulk(m, n);
		}
		eq(at, some);
	}
}

T(bursts_of_any_length)
{
	with_both(receive_bursts);
}

static void receive_long(void)
{
	static const uint32_t texts[] = {1993, 1994, 1995, 4000, 65481, 0, 65481};
	struct rte_mbuf *m;
	uint32_t l4;

	for (size_t i = 0; i < PLX_DIM(texts); i++) {
		give_tcp(texts[i], 1400);
		if (texts[i] == 0) { /* nothing to be cut */
			eq(plx_rxq_burst(&rxq, &m, 1), 0);
			continue;
		}
		assert_int_equal(plx_rxq_burst(&rxq, &m, 1), 1);
		eq(plx_pkt_wire(m), (texts[i] + 1399) / 1400);
		t_same(m, t_build(&(struct t_pkt){.text = texts[i]}, &l4));
		plx_pkt_deliver(m);
	}
	eq(plx_acct_self()->drop[PLX_DROP_RX_OFFLOAD], 1);
	plx_acct_self()->drop[PLX_DROP_RX_OFFLOAD] = 0;
	plx_acct_self()->rx_pkts--;
	eq(rx.count.super, 6);
	eq(rxq.pkts, 2 + 2 + 2 + 3 + 47 + 47);
}

T(long_frames_fill_chains_and_count_as_they_were)
{
	with_both(receive_long);
}

static void receive_junk(void)
{
	struct rte_mbuf *m;

	eq(write(far, "short", 5), 5); /* not even a header */
	eq(plx_rxq_burst(&rxq, &m, 1), 0);
	eq(rx.count.errors, 1);
	give_tcp(5, 0);
	assert_int_equal(plx_rxq_burst(&rxq, &m, 1), 1);
	eq(m->pkt_len, 59);
	plx_pkt_deliver(m);
}

T(junk_is_counted_and_forgotten)
{
	with_both(receive_junk);
}

/* Without mbufs nothing is read, so nothing is lost. */
static void receive_later(void)
{
	struct rte_mbuf *all[4096], *m;
	unsigned int n = 0;

	give_tcp(5, 0);
	assert_int_equal(plx_rxq_burst(&rxq, &m, 1), 1);
	plx_pkt_deliver(m);
	for (uint32_t i = 0; i < VTAP_BATCH; i++) /* all slots want some */
		give_tcp(1, 0);
	while (n < PLX_DIM(all) && (all[n] = rte_pktmbuf_alloc(t_pool)))
		n++;
	for (uint32_t got = 0; got < VTAP_BATCH && plx_rxq_burst(&rxq, &m, 1); got++)
		rte_pktmbuf_free(m);
	while (n)
		rte_pktmbuf_free(all[--n]);
	while (plx_rxq_burst(&rxq, &m, 1))
		rte_pktmbuf_free(m);
	eq(rxq.pkts, 1 + VTAP_BATCH);
	ok(rx.count.no_mbuf > 0);
	plx_acct_self()->delivered_pkts += VTAP_BATCH;
}

T(an_empty_pool_loses_nothing)
{
	with_both(receive_later);
}

/* ---- transmit ---- */

static uint32_t taken(uint8_t *to, uint32_t room)
{
	ssize_t n = read(far, to, room);

	return n < 0 ? 0 : (uint32_t)n;
}

static uint16_t send_burst(struct rte_mbuf **m, uint16_t n)
{
	uint16_t sent = txq.burst(&txq, m, n);

	plx_txq_sent(&txq, sent);
	return sent;
}

static void send_in_order(void)
{
	static uint8_t got[80000];
	struct rte_mbuf *m[PLX_PORT_BURST];

	for (uint32_t i = 0; i < PLX_PORT_BURST; i++)
		m[i] = t_pkt(&(struct t_pkt){.text = i * 20, .seg = 300});
	eq(send_burst(m, PLX_PORT_BURST), PLX_PORT_BURST);
	for (uint32_t i = 0; i < PLX_PORT_BURST; i++) {
		uint32_t l4, n = t_build(&(struct t_pkt){.text = i * 20}, &l4);

		eq(taken(got, sizeof(got)), 10 + n);
		mem_eq(got + 10, t_bytes, n);
		mem_eq(got, "\0\0\0\0\0\0\0\0\0\0", 10);
	}
	eq(taken(got, sizeof(got)), 0);
	eq(txq.pkts, PLX_PORT_BURST);
}

T(frames_go_out_in_order)
{
	with_both(send_in_order);
}

static struct rte_mbuf *super(uint32_t text)
{
	struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = text, .seg = 2000});

	m->ol_flags |= RTE_MBUF_F_RX_LRO;
	m->tso_segsz = 1400;
	eq(plx_pkt_ask(m, true), 0);
	plx_pkt_set_wire(m, (text + 1399) / 1400);
	plx_pkt_originate(plx_pkt_wire(m) - 1);
	return m;
}

/* The sum in the field is made whole on the way, in what is written only. */
static void send_super(void)
{
	static uint8_t got[80000];
	struct rte_mbuf *m[3] = {super(60000), super(3000), super(60000)};
	uint32_t l4, n;

	eq(send_burst(m, 3), 3);
	for (int i = 0; i < 3; i++) {
		n = t_build(&(struct t_pkt){.text = i == 1 ? 3000 : 60000}, &l4);
		eq(taken(got, sizeof(got)), 10 + n);
		mem_eq(got, "\1\1\x36\0\x78\5\x22\0\x10\0", 10);
		mem_eq(got + 10, t_bytes, n);
	}
	eq(txq.pkts, 43 + 3 + 43);
	eq(tx.count.super, 3);
}

T(super_segments_count_as_they_will_be)
{
	with_both(send_super);
}

T(what_the_kernel_has_no_room_for_goes_first_next_time)
{
	static uint8_t got[80000];
	struct rte_mbuf *m[PLX_PORT_BURST];
	uint16_t sent = 0, part;
	uint32_t seen = 0;

	ok(start(false));
	for (uint32_t i = 0; i < PLX_PORT_BURST; i++)
		m[i] = super(30000 + i);
	while (sent < PLX_PORT_BURST) {
		uint32_t bytes;

		part = send_burst(m + sent, (uint16_t)(PLX_PORT_BURST - sent));
		sent += part;
		bytes = taken(got, sizeof(got));
		eq(bytes, 10 + 54 + 30000 + seen++);
		/* nothing was added to the sum by the times that it was refused */
		t_build(&(struct t_pkt){.text = bytes - 64}, &(uint32_t){0});
		mem_eq(got + 10, t_bytes, bytes - 10);
	}
	ok(tx.count.again > 0);
	eq(tx.count.dropped, 0);
	stop();
}

static void refuse(struct rte_mbuf *m, enum plx_drop reason)
{
	struct rte_mbuf *burst[3] = {
		t_pkt(&(struct t_pkt){.text = 1}), m, t_pkt(&(struct t_pkt){.text = 2})};
	static uint8_t got[80000];

	eq(send_burst(burst, 3), 3);
	eq(plx_acct_self()->drop[reason], 1);
	plx_acct_self()->drop[reason] = 0;
	plx_acct_self()->originated_pkts--;
	eq(taken(got, sizeof(got)), 10 + 55);
	eq(taken(got, sizeof(got)), 10 + 56);
	eq(taken(got, sizeof(got)), 0);
}

static void send_bad(void)
{
	struct rte_mbuf *m = t_pkt(&(struct t_pkt){.text = 1600});

	refuse(m, PLX_DROP_TX_TOO_LONG);
	m = t_pkt(&(struct t_pkt){.text = 10});
	m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	refuse(m, PLX_DROP_TX_NO_OFFLOAD);
	m = t_pkt(&(struct t_pkt){.text = 10});
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	m->l2_len = 100;
	refuse(m, PLX_DROP_TX_ERROR);
	m = t_pkt(&(struct t_pkt){.text = 1200, .seg = 1}); /* 1254 mbufs */
	refuse(m, PLX_DROP_TX_NO_OFFLOAD);
	eq(tx.count.dropped, 4);
	signal(SIGPIPE, SIG_IGN);
	close(far);
	far = dup(fd);
	m = t_pkt(&(struct t_pkt){.text = 10});
	eq(send_burst(&m, 1), 1); /* whatever the kernel says: it is not offered for ever */
	eq(plx_acct_self()->drop[PLX_DROP_TX_ERROR], 1);
	plx_acct_self()->drop[PLX_DROP_TX_ERROR] = 0;
	plx_acct_self()->originated_pkts--;
}

T(what_cannot_be_sent_is_dropped_with_its_reason)
{
	with_both(send_bad);
}

/* From now on io_uring's calls fail: nothing of the kind is there behind their descriptors. */
static void break_rings(void)
{
	int none = open("/dev/null", O_RDWR);

	for (int at = 0; at < 100; at++) {
		char path[32], name[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
		n = readlink(path, name, sizeof(name) - 1);
		name[PLX_MAX(n, 0)] = '\0';
		if (strstr(name, "io_uring"))
			eq(dup2(none, at), at);
	}
	close(none);
}

T(a_ring_that_fails_is_done_without)
{
	struct rte_mbuf *m[PLX_PORT_BURST];
	static uint8_t got[80000];
	uint32_t n = 0;

	if (!start(true)) {
		print_message("no io_uring here\n");
		return;
	}
	for (uint32_t i = 0; i < 5; i++) /* until it reads several at a time */
		give_tcp(1, 0);
	while ((n = plx_rxq_burst(&rxq, m, 16)))
		plx_pkt_deliver_bulk(m, n);
	rx.batch = 8;
	break_rings();
	for (uint32_t i = 0; i < 20; i++)
		give_tcp(i, 0);
	eq(plx_rxq_burst(&rxq, m, 16), 0);
	assert_null(rx.uring);
	for (uint32_t at = 0; at < 20; at += n) {
		n = plx_rxq_burst(&rxq, m, 16);
		assert_int_not_equal(n, 0);
		for (uint32_t i = 0; i < n; i++)
			eq(m[i]->pkt_len, 54 + at + i);
		plx_pkt_deliver_bulk(m, n);
	}
	eq(rx.count.errors, 0);

	for (uint32_t i = 0; i < 40; i++)
		m[i] = t_pkt(&(struct t_pkt){.text = i});
	eq(send_burst(m, 40), VTAP_BATCH); /* whatever has become of them */
	assert_null(tx.uring);
	eq(plx_acct_self()->drop[PLX_DROP_TX_ERROR], VTAP_BATCH);
	plx_acct_self()->drop[PLX_DROP_TX_ERROR] = 0;
	plx_acct_self()->originated_pkts -= VTAP_BATCH;
	eq(send_burst(m + VTAP_BATCH, 40 - VTAP_BATCH), 40 - VTAP_BATCH);
	for (uint32_t i = VTAP_BATCH; i < 40; i++)
		eq(taken(got, sizeof(got)), 10 + 54 + i);
	stop();
	eq(rte_mempool_in_use_count(t_pool), 0);
}

/* ---- specs ---- */

T(bad_specs_say_what_is_wrong)
{
	static const struct {
		const char *spec, *says;
	} rows[] = {
		{"v=vtap,iface=", "iface must be"},
		{"v=vtap,iface=abcdefghijklmnop", "iface must be"},
		{"v=vtap,iface=a/b", "iface must be"},
		{"v=vtap,netns=../x", "netns must be"},
		{"v=vtap,queues=17", "queues must be"},
		{"v=vtap,queues=0", "queues must be"},
		{"v=vtap,mtu=67", "mtu must be"},
		{"v=vtap,mtu=65522", "mtu must be"},
		{"v=vtap,mac=01:00:00:00:00:01", "mac must be"},
		{"v=vtap,mac=x", "mac must be"},
		{"v=vtap,persist=2", "persist must be"},
		{"v=vtap,lro=yes", "must be 0 or 1"},
		{"v=vtun,uring=", "must be 0 or 1"},
		{"v=vtap,fly=1", "keys of a vtap"},
		{"averyverylongname=vtap", "give iface="},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_error e = {0};

		eq(plx_port_create(rows[i].spec, &e), -EINVAL);
		eq(e.id, PLX_ERR_PORT_SPEC);
		if (!strstr(e.text, rows[i].says))
			fail_msg("%s: %s", rows[i].spec, e.text);
		eq(plx_port_count(), 0);
	}
}

T(what_a_spec_turns_off_the_port_has_not)
{
	struct plx_error e;
	const struct plx_port *p;

	eq(plx_port_create("a=vtap,lro=0,queues=4,mtu=9000", &e), 0);
	eq(plx_port_create("b=vtun,tso=0", &e), 0);
	p = plx_port_find("a");
	eq(p->features & (PLX_PORT_F_LRO | PLX_PORT_F_TSO | PLX_PORT_F_USO),
		PLX_PORT_F_TSO | PLX_PORT_F_USO);
	eq(plx_port_max_queues(p), 4);
	eq(p->mtu, 9000);
	ok(p->quirks & PLX_QUIRK_FOLLOWS_TX);
	p = plx_port_find("b");
	eq(p->features & (PLX_PORT_F_LRO | PLX_PORT_F_TSO | PLX_PORT_F_USO | PLX_PORT_F_NO_ETH),
		PLX_PORT_F_LRO | PLX_PORT_F_NO_ETH);
	ok(p->quirks & PLX_QUIRK_PARTIAL);
}

RUN_EAL(T_EAL_(frames_come_in_order), T_EAL_(bursts_of_any_length),
	T_EAL_(long_frames_fill_chains_and_count_as_they_were),
	T_EAL_(junk_is_counted_and_forgotten), T_EAL_(an_empty_pool_loses_nothing),
	T_EAL_(frames_go_out_in_order), T_EAL_(super_segments_count_as_they_will_be),
	T_EAL_(what_the_kernel_has_no_room_for_goes_first_next_time),
	T_EAL_(what_cannot_be_sent_is_dropped_with_its_reason),
	T_EAL_(a_ring_that_fails_is_done_without), T_EAL_(bad_specs_say_what_is_wrong),
	T_EAL_(what_a_spec_turns_off_the_port_has_not))
