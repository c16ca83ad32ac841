/* SPDX-License-Identifier: BSD-3-Clause */
#include "zerocopy_t.h"

#include <netinet/udp.h>

/* plx_send_mbuf(). */

/* ---- streams ---- */

/* As much as there is of it, chain by chain, until all has arrived and is free again. */
static void stream(int fd, uint64_t bytes, uint32_t n, uint16_t len, uint16_t rest)
{
	uint64_t sent = 0, each = (uint64_t)n * len + rest;
	uint32_t calls = 0;
	int i;

	while (sent < bytes) {
		struct rte_mbuf *m = zt_chain(sent, n, len, rest);

		for (i = 0; i < 20000 && zt_send(fd, m) < 0; i++) {
			eq(errno, EAGAIN);
			zt_sleep(PLX_MS(1));
		}
		ok(i < 20000);
		sent += each;
		calls++;
	}
	for (i = 0; i < 60000 && zt.done < calls; i++)
		zt_sleep(PLX_MS(1));
	eq(zt.got, sent);
	eq(zt.done, calls);
	eq(zt_out(), 0);
}

static void streams(const char *pipe, uint32_t off)
{
	int fd;

	zt_new(pipe, NULL, off);
	fd = zt_socket(SOCK_STREAM);
	stream(fd, 1 << 20, 10, 2000, 77);
}

T(super_segments_carry_mbufs)
{
	streams("whole=on", 0);
	eq(zt.copied, 0);
}

T(super_segments_are_cut_across_mbufs)
{
	streams("", 0);
	eq(zt.copied, 0);
}

T(segments_carry_mbufs)
{
	streams("", PLX_PORT_F_GSO);
	eq(zt.copied, 0);
}

T(a_port_that_takes_no_chains_has_it_copied)
{
	streams("", PLX_PORT_F_SG);
	eq(zt.copied, zt.done);
}

T(small_mbufs_are_copied_as_drivers_take_few)
{
	int fd;

	zt_new("whole=on", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	stream(fd, 200000, 200, 17, 3);
	eq(zt.copied, zt.done);
}

/* Few in each segment, but a super-segment of them has more than there are mbufs at hand. */
T(many_mbufs_are_copied_as_a_packet_carries_so_many)
{
	int fd;

	zt_new("whole=on", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	stream(fd, 1 << 20, 130, 500, 0);
	ok(zt.copied > 0 && zt.copied < zt.done);
}

/* There is always something on its way: what is acknowledged is charged no more. */
T(a_small_buffer_for_long)
{
	int fd, small = 30000;

	zt_new("", "delay=5ms", 0);
	fd = zt_socket(SOCK_STREAM);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	stream(fd, 1 << 20, 2, 1000, 0);
	eq(zt.copied, 0);
}

T(one_byte)
{
	int fd;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	stream(fd, 3, 1, 1, 0);
	eq(zt.copied, 0);
}

/* What is lost is sent again from where it lies. */
static void lossy(const char *pipe, uint32_t off)
{
	int fd;

	zt_new(pipe, "loss=3%,seed=7", off);
	fd = zt_socket(SOCK_STREAM);
	stream(fd, 600000, 7, 1448, 511);
	ok(plx_acct[0].stat[PLX_STAT_TCP_RETRANSSEGS] > 5);
}

T(what_is_lost_is_sent_again)
{
	lossy("", 0);
	eq(zt.copied, 0);
}

T(what_is_lost_is_sent_again_segment_by_segment)
{
	lossy("", PLX_PORT_F_GSO);
	eq(zt.copied, 0);
}

/* Written, lent, written: each byte in its place, whatever it lies in. */
T(lent_between_written)
{
	uint8_t buf[5000];
	uint64_t at = 0;
	int fd;

	zt_new("", "loss=2%,seed=3", 0);
	fd = zt_socket(SOCK_STREAM);
	for (uint32_t i = 0; i < 60; i++) {
		uint32_t n = 1 + i * 83 % (uint32_t)sizeof(buf);

		zt_fill(buf, at, n);
		for (uint32_t done = 0; done < n;) {
			ssize_t k = plx_send(fd, buf + done, n - done, 0);

			done += k > 0 ? (uint32_t)k : 0;
			zt_sleep(PLX_MS(1));
		}
		at += n;
		while (zt_send(fd, zt_chain(at, i % 4, 1000, 13)) < 0)
			fail(); /* there is room for so little */
		at += i % 4 * 1000 + 13;
	}
	for (int i = 0; i < 60000 && (zt.got < at || zt.done < 60); i++)
		zt_sleep(PLX_MS(1));
	eq(zt.got, at);
	eq(zt.done, 60);
	eq(zt_out(), 0);
}

T(it_is_held_until_it_is_acknowledged)
{
	int fd;

	zt_new("whole=on", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	eq(zt_send(fd, zt_chain(0, 5, 2000, 0)), 10000);
	eq(zt.done, 0);
	eq(zt_out(), 5);
	plx_engine_step(zt.eng[0], 0); /* it is on its way */
	eq(zt.done, 0);
	zt_sleep(PLX_MS(100));
	eq(zt.got, 10000);
	eq(zt.done, 1);
	eq(zt_out(), 0);
}

/* The mbufs of a file, say, for all who ask for it. */
T(the_same_mbufs_again_and_again)
{
	struct rte_mbuf *m;
	static uint8_t was[2][4096];
	uint16_t room;
	int fd;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	m = zt_chain(0, 1, 1757, 0); /* zt_text() comes again after 1757 * 251 bytes: by hand */
	room = m->buf_len;
	for (int i = 0; i < 20; i++) {
		zt_fill(rte_pktmbuf_mtod(m, void *), zt.got, 1757);
		memcpy(was[0], m->buf_addr, room);
		rte_mbuf_refcnt_update(m, 2);
		eq(zt_send(fd, m), 1757);
		zt_run();
		memcpy(was[1], m->buf_addr, room);
		mem_eq(was[0], was[1], room); /* its headroom, too */
		zt_sleep(PLX_MS(100));
		eq(zt.done, i + 1);
		eq(rte_mbuf_refcnt_read(m), 2);
		rte_mbuf_refcnt_update(m, -1);
	}
	eq(zt.got, 20 * 1757);
	eq(zt_out(), 1);
	rte_pktmbuf_free(m);
}

T(a_full_buffer_takes_nothing)
{
	struct rte_mbuf *m = NULL;
	int fd, small = 20000, calls = 0;
	uint64_t at = 0;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	for (;; calls++, at += 1000) {
		m = zt_chain(at, 1, 1000, 0);
		if (zt_send(fd, m) < 0)
			break;
	}
	eq(errno, EAGAIN);
	eq(m->pkt_len, 1000);
	ok(calls >= 16 && calls <= 18); /* not 40: an mbuf holds twice as much, and more */
	ok(!(zt_poll(fd) & POLLOUT));
	zt_sleep(PLX_MS(200));
	ok(zt_poll(fd) & POLLOUT);
	eq(zt_send(fd, m), 1000);
	/* longer than the buffer: as a whole, if there is any room */
	zt_sleep(PLX_MS(200));
	eq(zt_send(fd, zt_chain(at + 1000, 100, 2000, 0)), 200000);
	zt_sleep(PLX_MS(1000));
	eq(zt.got, at + 1000 + 200000);
	eq(zt.done, calls + 2);
}

static int with_text_on_its_way(void)
{
	int fd;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	zt.hold = true;
	for (uint64_t at = 0; at < 1000000; at += 20000) {
		struct rte_mbuf *m = zt_chain(at, 10, 2000, 0);

		if (zt_send(fd, m) < 0) {
			rte_pktmbuf_free(m);
			break;
		}
		zt_run();
	}
	zt_sleep(PLX_MS(10));
	ok(zt_out() > 0); /* their window is full */
	return fd;
}

T(close_with_text_on_its_way)
{
	int fd = with_text_on_its_way();

	eq(plx_close(fd), 0);
	zt.hold = false;
	zt_read(plx_engine_softnet(zt.eng[1], 0), zt.c);
	zt_sleep(PLX_SEC(3));
	eq(zt_out(), 0);
}

T(abort_with_text_on_its_way)
{
	struct linger now = {.l_onoff = 1};
	int fd = with_text_on_its_way();

	eq(plx_setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	eq(plx_close(fd), 0);
	zt_run();
	eq(zt_out(), 0);
	ok(zt.done > 0);
}

T(a_reset_gives_it_back_before_the_socket_is_closed)
{
	int fd = with_text_on_its_way();

	plx_net_tcp_abort(plx_engine_softnet(zt.eng[1], 0), zt.c);
	zt.c = NULL;
	zt_run();
	eq(zt_out(), 0);
	ok(zt.done > 0);
	fails(zt_send(fd, NULL), EFAULT);
	ok(zt_poll(fd) & POLLERR);
}

T(the_end_of_the_run_gives_it_back)
{
	uint32_t before;

	with_text_on_its_way();
	before = zt.done;
	zt_stop();
	ok(zt.done > before);
	eq(zt_out(), 0);
}

static void *from_a_thread(void *arg)
{
	struct rte_mbuf *m = ((void **)arg)[1];
	ssize_t r = plx_send_mbuf(*(int *)((void **)arg)[0], m, NULL, 0, NULL);

	return (void *)(intptr_t)(r == -1 ? errno : 0);
}

T(what_is_refused_stays_the_callers)
{
	struct rte_mbuf *m, *wrong;
	pthread_t thread;
	void *args[2], *err;
	int fd, tcp;

	zt_new("", NULL, 0);
	m = zt_chain(0, 2, 100, 0);
	tcp = plx_socket(AF_INET, SOCK_STREAM, 0);
	fails(zt_send(tcp, m), EPIPE);
	fails(zt_send(3, m), EBADF);
	fd = plx_epoll_create1(0);
	fails(zt_send(fd, m), ENOTSOCK);
	fd = plx_socket(AF_INET, SOCK_RAW, 99);
	fails(zt_send(fd, m), EOPNOTSUPP);
	fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	fails(zt_send(fd, m), EDESTADDRREQ);
	fd = zt_socket(SOCK_STREAM);
	args[0] = &fd;
	args[1] = m;
	eq(pthread_create(&thread, NULL, from_a_thread, args), 0);
	eq(pthread_join(thread, &err), 0);
	eq((intptr_t)err, EXDEV);
	wrong = zt_chain(0, 2, 100, 0);
	wrong->pkt_len++;
	fails(zt_send(fd, wrong), EINVAL);
	wrong->pkt_len = PLX_NET_LEND_BYTES + 1;
	fails(zt_send(fd, wrong), EMSGSIZE);
	wrong->pkt_len = 200;
	eq(zt_send(fd, wrong), 200);
	eq(plx_shutdown(fd, SHUT_WR), 0);
	fails(zt_send(fd, m), EPIPE);
	zt_sleep(PLX_MS(100));
	eq(zt.done, 1);
	eq(zt_out(), 2);
	rte_pktmbuf_free(m);
}

T(nothing_is_taken_at_once)
{
	int fd;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_STREAM);
	eq(zt_send(fd, zt_chain(0, 1, 0, 0)), 0);
	eq(zt.done, 0); /* not within the call */
	zt_run();
	eq(zt.done, 1);
}

/* ---- datagrams ---- */

T(a_datagram_is_its_mbuf)
{
	struct rte_mbuf *m;
	int fd;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_DGRAM);
	m = zt_chain(0, 1, 1000, 0);
	m->ol_flags |= RTE_MBUF_F_RX_LRO | plx_pkt_partial_flag; /* as it came */
	eq(plx_send_mbuf(fd, m, NULL, 0, NULL), 1000);
	zt_run();
	eq(zt.datagrams, 1);
	eq(zt.got, 1000);
	eq(zt_out(), 0);
	eq(plx_send_mbuf(fd, zt_chain(0, 3, 400, 1), NULL, 0, NULL), 1201);
	eq(plx_send_mbuf(fd, zt_chain(0, 20, 10, 1), NULL, 0, NULL), 201);
	eq(plx_send_mbuf(fd, zt_chain(0, 9, 1000, 0), NULL, 0, NULL), 9000); /* in fragments */
	zt_run();
	eq(zt.datagrams, 4);
	eq(zt.got, 1000 + 1201 + 201 + 9000);
	eq(zt.bad, 0);
	eq(zt_out(), 0);
}

T(a_datagram_and_a_word_when_it_is_free)
{
	struct rte_mbuf *m;
	int fd;

	zt_new("", NULL, 0);
	fd = zt_socket(SOCK_DGRAM);
	m = zt_chain(0, 2, 700, 0);
	rte_mbuf_refcnt_update(m, 1);
	rte_mbuf_refcnt_update(m->next, 1);
	eq(zt_send(fd, m), 1400);
	zt_run();
	eq(zt.done, 1);
	eq(zt.copied, 0);
	eq(zt_out(), 2); /* ours still */
	eq(zt_send(fd, m), 1400);
	zt_run();
	eq(zt.done, 2);
	eq(zt_out(), 0);
	eq(zt_send(fd, zt_chain(0, 9, 100, 0)), 900); /* more than drivers take */
	zt_run();
	eq(zt.done, 3);
	eq(zt.copied, 1);
	eq(zt_send(fd, zt_chain(0, 2, 2000, 0)), 4000); /* fragments */
	zt_run();
	eq(zt.copied, 2);
	eq(zt.datagrams, 4);
	eq(zt.bad, 0);
}

T(a_datagram_that_is_refused)
{
	struct sockaddr_in in = zt_sa("192.0.2.1");
	struct msghdr to = {.msg_name = &in, .msg_namelen = sizeof(in)};
	const struct plx_net_done done = {.fn = zt_on_done};
	struct rte_mbuf *m;
	int fd, on = 1;

	zt_new("", NULL, 0);
	fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	m = zt_chain(0, 1, 100, 0);
	fails(plx_send_mbuf(fd, m, &to, 0, NULL), ENETUNREACH);
	fails(plx_send_mbuf(fd, m, &to, 0, &done), ENETUNREACH);
	eq(m->pkt_len, 100);
	in = zt_sa("10.0.0.2");
	eq(plx_setsockopt(fd, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)), 0);
	fails(plx_send_mbuf(fd, m, &to, 0, &done), EINVAL);
	on = 0;
	eq(plx_setsockopt(fd, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)), 0);
	eq(plx_send_mbuf(fd, m, &to, 0, &done), 100);
	zt_run();
	eq(zt.done, 1);
	eq(zt.datagrams, 1);
}

/* Whoever receives it here may keep it for long. */
T(what_goes_to_ourselves_is_copied)
{
	struct sockaddr_in in = zt_sa("10.0.0.1");
	struct msghdr to = {.msg_name = &in, .msg_namelen = sizeof(in)};
	const struct plx_net_done done = {.fn = zt_on_done};
	char buf[3000];
	int a, b;

	zt_new("", NULL, 0);
	a = plx_socket(AF_INET, SOCK_DGRAM, 0);
	b = plx_socket(AF_INET, SOCK_DGRAM, 0);
	eq(plx_bind(b, (struct sockaddr *)&in, sizeof(in)), 0);
	eq(plx_send_mbuf(a, zt_chain(0, 2, 1000, 0), &to, 0, &done), 2000);
	zt_run();
	eq(zt.done, 1);
	eq(zt.copied, 1);
	eq(zt_out(), 0);
	eq(plx_recv(b, buf, sizeof(buf), 0), 2000);
	for (int i = 0; i < 2000; i++)
		eq((uint8_t)buf[i], zt_text((uint64_t)i));
}

T(a_stream_to_ourselves_is_copied)
{
	struct sockaddr_in in = zt_sa("10.0.0.1");
	static uint8_t buf[20000];
	size_t got = 0;
	ssize_t n;
	int a, b, l;

	zt_new("", NULL, 0);
	l = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(plx_bind(l, (struct sockaddr *)&in, sizeof(in)), 0);
	eq(plx_listen(l, 1), 0);
	a = plx_socket(AF_INET, SOCK_STREAM, 0);
	fails(plx_connect(a, (struct sockaddr *)&in, sizeof(in)), EINPROGRESS);
	zt_run();
	b = plx_accept(l, NULL, NULL);
	ok(b >= 0);
	eq(zt_send(a, zt_chain(0, 9, 2000, 0)), 18000);
	zt_sleep(PLX_MS(50));
	eq(zt.done, 1); /* though nobody has read it */
	eq(zt.copied, 1);
	eq(zt_out(), 0);
	while ((n = plx_recv(b, buf + got, sizeof(buf) - got, 0)) > 0)
		got += (size_t)n;
	eq(got, 18000);
	for (uint32_t k = 0; k < 18000; k++)
		eq(buf[k], zt_text(k));
}

RUN_EAL(ZT_(super_segments_carry_mbufs), ZT_(super_segments_are_cut_across_mbufs),
	ZT_(segments_carry_mbufs), ZT_(a_port_that_takes_no_chains_has_it_copied),
	ZT_(small_mbufs_are_copied_as_drivers_take_few),
	ZT_(many_mbufs_are_copied_as_a_packet_carries_so_many), ZT_(a_small_buffer_for_long),
	ZT_(one_byte), ZT_(what_is_lost_is_sent_again),
	ZT_(what_is_lost_is_sent_again_segment_by_segment), ZT_(lent_between_written),
	ZT_(it_is_held_until_it_is_acknowledged), ZT_(the_same_mbufs_again_and_again),
	ZT_(a_full_buffer_takes_nothing), ZT_(close_with_text_on_its_way),
	ZT_(abort_with_text_on_its_way), ZT_(a_reset_gives_it_back_before_the_socket_is_closed),
	ZT_(the_end_of_the_run_gives_it_back), ZT_(what_is_refused_stays_the_callers),
	ZT_(nothing_is_taken_at_once), ZT_(a_datagram_is_its_mbuf),
	ZT_(a_datagram_and_a_word_when_it_is_free), ZT_(a_datagram_that_is_refused),
	ZT_(what_goes_to_ourselves_is_copied), ZT_(a_stream_to_ourselves_is_copied))
