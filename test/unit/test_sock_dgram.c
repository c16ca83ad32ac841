/* SPDX-License-Identifier: BSD-3-Clause */
#include "dgram_t.h"

#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

/* UDP sockets: to ourselves, and to the peer on the wire, 10.0.0.1. */

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM | POLLWRBAND)

T(there_and_back)
{
	int a, b;

	st_new();
	a = udp("10.0.0.2", 7);
	b = udp(NULL, 0);
	eq(st_poll(a), OUT);
	eq(send_to(b, "10.0.0.2", 7, "hello", 0), 5);
	nt_run();
	eq(st_poll(a), IN | OUT);
	eq(get(a, MSG_PEEK), 5);
	eq(get(a, 0), 5);
	str_eq(got.text, "hello");
	eq(ntohs(((struct sockaddr_in *)&got.from)->sin_port), port_of(b));
	eq(got.m.msg_namelen, sizeof(struct sockaddr_in));
	eq(plx_sendto(a, "hi", 2, 0, (struct sockaddr *)&got.from, got.m.msg_namelen), 2);
	nt_run();
	eq(get(b, 0), 2);
	str_eq(st_text(&got.from), "10.0.0.2:7");
	fails(get(b, 0), EAGAIN);
	eq(plx_close(a), 0);
	eq(plx_close(b), 0);
	eq(plx_sock_count(st.s), 0);
	eq(st_bind(udp(NULL, 0), "10.0.0.2", 7), 0); /* its port is free again */
}

T(on_the_wire)
{
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	str_eq(st_text(&got.from), "10.0.0.1:1024");
	eq(send_to(fd, "10.0.0.1", 1024, "abcd", 0), 4);
	nt_run();
	eq(nt_forget(), 1);
}

T(cut_and_empty)
{
	int fd;
	char buf[4];

	st_new();
	fd = udp("10.0.0.2", 7);
	eq(send_to(fd, "10.0.0.2", 7, "0123456789", 0), 10);
	eq(send_to(fd, "10.0.0.2", 7, "", 0), 0);
	eq(send_to(fd, "10.0.0.2", 7, "0123456789", 0), 10);
	nt_run();
	eq(plx_recv(fd, buf, 4, MSG_TRUNC | MSG_PEEK), 10);
	eq(plx_recv(fd, buf, 4, 0), 4);
	eq(plx_recv(fd, buf, 4, 0), 0);
	eq(st_poll(fd), IN | OUT);
	eq(get(fd, 0), 10);
	eq(got.m.msg_flags, 0);
}

/* A datagram that takes many mbufs. */
T(big)
{
	static char out[65507], in[65535];
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.2", 7);
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	eq(plx_sendto(fd, out, sizeof(out), 0, (struct sockaddr *)&ss, len), sizeof(out));
	nt_run();
	eq(value(fd, SOL_SOCKET, SO_RCVBUF), 212992);
	eq(plx_recv(fd, in, sizeof(in), 0), sizeof(out));
	mem_eq(in, out, sizeof(out));
	fails(plx_sendto(fd, in, 65508, 0, (struct sockaddr *)&ss, len), EMSGSIZE);
	fails(plx_sendto(fd, in, 65536, 0, (struct sockaddr *)&ss, len), EMSGSIZE);
}

T(connected)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd, other;

	st_new();
	fd = udp(NULL, 0);
	other = udp("10.0.0.2", 8);
	fails(plx_send(fd, "x", 1, 0), EDESTADDRREQ);
	fails(plx_getpeername(fd, (struct sockaddr *)&ss, &len), ENOTCONN);
	eq(st_connect(fd, "10.0.0.1", 7), 0);
	str_eq(name_of(fd), (snprintf(got.text, 64, "10.0.0.2:%u", port_of(fd)), got.text));
	eq(plx_getpeername(fd, (struct sockaddr *)&ss, &len), 0);
	str_eq(st_text(&ss), "10.0.0.1:7");
	fails(st_bind(fd, "10.0.0.2", 99), EINVAL);
	eq(send_to(other, "10.0.0.2", port_of(fd), "x", 0), 1); /* of a stranger */
	nt_run();
	eq(nt_stat(PLX_STAT_UDP_NOPORTS), 1);
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(plx_send(fd, "abc", 3, 0), 3);
	nt_run();
	eq(nt_forget(), 1);
	eq(plx_connect(fd, &none, sizeof(none)), 0);
	str_eq(name_of(fd), "0.0.0.0:0");
	fails(plx_send(fd, "x", 1, 0), EDESTADDRREQ);
}

/* getaddrinfo() asks so for the source that a destination would have. */
T(connected_to_port_0)
{
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	eq(st_connect(fd, "10.0.0.1", 0), 0);
	str_eq(name_of(fd), "10.0.0.2:7");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	fails(get(fd, 0), EAGAIN);
}

T(refused)
{
	int fd, plain;

	st_new();
	fd = udp(NULL, 0);
	eq(st_connect(fd, "10.0.0.2", 9), 0);
	eq(plx_send(fd, "x", 1, 0), 1);
	nt_run();
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(st_poll(fd), OUT | POLLERR);
	fails(plx_recv(fd, got.text, 1, 0), ECONNREFUSED);
	fails(plx_recv(fd, got.text, 1, 0), EAGAIN);
	eq(plx_send(fd, "x", 1, 0), 1);
	nt_run();
	nt_drop(PLX_DROP_UDP_NO_PORT);
	fails(plx_send(fd, "x", 1, 0), ECONNREFUSED); /* whoever asks first is told */
	eq(plx_send(fd, "x", 1, 0), 1);
	nt_run();
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(value(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	eq(value(fd, SOL_SOCKET, SO_ERROR), 0);
	plain = udp(NULL, 0); /* who is not connected is not told */
	eq(send_to(plain, "10.0.0.2", 9, "x", 0), 1);
	nt_run();
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(st_poll(plain), OUT);
}

T(the_error_queue)
{
	const struct sock_extended_err *ee;
	int fd;

	st_new();
	fd = udp(NULL, 0);
	on(fd, IPPROTO_IP, IP_RECVERR, 1);
	fails(get(fd, MSG_ERRQUEUE), EAGAIN);
	eq(send_to(fd, "10.0.0.2", 9, "hello", 0), 5);
	nt_run();
	nt_drop(PLX_DROP_UDP_NO_PORT);
	eq(st_poll(fd), OUT | POLLERR);
	eq(get(fd, MSG_ERRQUEUE), 5);
	str_eq(got.text, "hello");
	str_eq(st_text(&got.from), "10.0.0.2:9");
	eq(got.m.msg_flags, MSG_ERRQUEUE);
	ee = cmsg(IPPROTO_IP, IP_RECVERR, sizeof(*ee) + sizeof(struct sockaddr_in));
	assert_non_null(ee);
	eq(ee->ee_errno, ECONNREFUSED);
	eq(ee->ee_origin, SO_EE_ORIGIN_ICMP);
	eq(ee->ee_type, 3);
	eq(ee->ee_code, 3);
	str_eq(st_text((const struct sockaddr_storage *)SO_EE_OFFENDER(ee)), "10.0.0.2:0");
	eq(st_poll(fd), OUT);
	eq(value(fd, SOL_SOCKET, SO_ERROR), 0);
}

T(too_big_for_the_path)
{
	static const char text[2000];
	const struct sock_extended_err *ee;
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.1", 9);
	int fd;

	st_new();
	fd = udp(NULL, 0);
	eq(plx_sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&ss, len), sizeof(text));
	nt_run();
	eq(nt_forget(), 2); /* fragments */
	on(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	on(fd, IPPROTO_IP, IP_RECVERR, 1);
	fails(plx_sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&ss, len), EMSGSIZE);
	nt_drop(PLX_DROP_IP_TOO_BIG);
	eq(st_poll(fd), OUT | POLLERR);
	eq(get(fd, MSG_ERRQUEUE), 0);
	str_eq(st_text(&got.from), "10.0.0.1:9");
	ee = cmsg(IPPROTO_IP, IP_RECVERR, sizeof(*ee) + sizeof(struct sockaddr_in));
	eq(ee->ee_errno, EMSGSIZE);
	eq(ee->ee_origin, SO_EE_ORIGIN_LOCAL);
	eq(ee->ee_info, 1500);
	eq(SO_EE_OFFENDER(ee)->sa_family, AF_UNSPEC);
	fails(get(fd, 0), EAGAIN); /* SO_ERROR is not set */
}

T(the_buffer_is_full)
{
	int fd, n = 0;

	st_new();
	nt_tun(PLX_TUN_RMEM_MAX, 8192);
	fd = udp("10.0.0.2", 7);
	on(fd, SOL_SOCKET, SO_RCVBUF, 100000);
	eq(value(fd, SOL_SOCKET, SO_RCVBUF), 16384);
	on(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	for (int i = 0; i < 20; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	while (get(fd, 0) == 4)
		n++;
	ok(n > 4 && n < 10);
	eq(nt_stat(PLX_STAT_UDP_RCVBUFERRORS), 20 - n);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	eq(cmsg_int(SOL_SOCKET, SO_RXQ_OVFL), 20 - n);
	nt_no_drop();
}

T(default_sizes_are_tunables)
{
	int fd;

	st_new();
	nt_tun(PLX_TUN_RMEM_DEFAULT, 5000);
	nt_tun(PLX_TUN_WMEM_DEFAULT, 6000);
	nt_tun(PLX_TUN_WMEM_MAX, 7000);
	fd = udp("10.0.0.2", 7);
	eq(value(fd, SOL_SOCKET, SO_RCVBUF), 5000);
	eq(value(fd, SOL_SOCKET, SO_SNDBUF), 6000);
	on(fd, SOL_SOCKET, SO_SNDBUF, 100000);
	eq(value(fd, SOL_SOCKET, SO_SNDBUF), 14000);
	on(fd, SOL_SOCKET, SO_SNDBUFFORCE, 100000);
	eq(value(fd, SOL_SOCKET, SO_SNDBUF), 200000);
}

T(what_is_said_with_it)
{
	const struct in_pktinfo *info;
	int fd;

	st_new();
	fd = udp("0.0.0.0", 7);
	on(fd, IPPROTO_IP, IP_PKTINFO, 1);
	on(fd, IPPROTO_IP, IP_RECVTTL, 1);
	on(fd, IPPROTO_IP, IP_RECVTOS, 1);
	on(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 ttl 17 tos 8 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	info = cmsg(IPPROTO_IP, IP_PKTINFO, sizeof(*info));
	assert_non_null(info);
	eq(info->ipi_ifindex, 1);
	eq(info->ipi_addr.s_addr, htonl(0x0a000002));
	eq(info->ipi_spec_dst.s_addr, htonl(0x0a000002));
	eq(cmsg_int(IPPROTO_IP, IP_TTL), 17);
	eq(*(const uint8_t *)cmsg(IPPROTO_IP, IP_TOS, 1), 8);
	assert_non_null(cmsg(SOL_SOCKET, SO_TIMESTAMPNS, sizeof(struct timespec)));
}

/* One thing that is said with the next datagram. */
static ssize_t send_with(int fd, int level, int type, const void *data, size_t bytes)
{
	char text[] = "abcd";
	struct iovec v = {text, 4};
	_Alignas(8) char control[64] = "";
	struct sockaddr_storage to;
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = st_sa(&to, "10.0.0.1", 9),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(bytes)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(h), data, bytes);
	return plx_sendmsg(fd, &m, 0);
}

T(said_for_one)
{
	struct in_pktinfo info = {.ipi_ifindex = 1};
	const uint16_t segment = 2;
	int fd;

	st_new();
	fd = udp("0.0.0.0", 7);
	eq(send_with(fd, IPPROTO_IP, IP_TTL, &(int){9}, 4), 4);
	eq(send_with(fd, IPPROTO_IP, IP_TOS, &(int){8}, 4), 4);
	eq(send_with(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, 2), 4);
	eq(send_with(fd, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info)), 4);
	nt_run();
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 ttl 9 df udp 7 > 9 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 8 df udp 7 > 9 len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 9 len 2");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 9 len 2");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 9 len 4");
	nt_none();
	fails(send_with(fd, IPPROTO_IP, IP_TTL, &(int){0}, 4), EINVAL);
	fails(send_with(fd, IPPROTO_IP, 99, &(int){1}, 4), EINVAL);
	eq(send_with(fd, IPPROTO_IPV6, 99, &(int){1}, 4), 4); /* not looked at */
	info.ipi_ifindex = 9;
	fails(send_with(fd, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info)), ENODEV);
	info.ipi_ifindex = 0;
	info.ipi_spec_dst.s_addr = htonl(0x09090909);
	fails(send_with(fd, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info)), ENETUNREACH);
}

T(v6_and_v4_mapped)
{
	const struct in6_pktinfo *info;
	int fd;

	st_new();
	fd = udp("::", 7);
	on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	on(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	fails(plx_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, 4), EINVAL);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	str_eq(st_text(&got.from), "[2001:db8::1]:1024");
	info = cmsg(IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*info));
	eq(info->ipi6_ifindex, 1);
	eq(cmsg_int(IPPROTO_IPV6, IPV6_HOPLIMIT), 64);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	eq(get(fd, 0), 4);
	str_eq(st_text(&got.from), "[::ffff:10.0.0.1]:1024");
	eq(plx_sendto(fd, "ab", 2, 0, (struct sockaddr *)&got.from, got.m.msg_namelen), 2);
	nt_run();
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 df udp 7 > 1024 len 2");
}

/* The checksum of the datagram that was sent next, behind a header of IP of so many bytes. */
static uint16_t sum_sent(uint32_t ip_bytes)
{
	struct rte_mbuf *m = t_port_sent(&nt.port[0], 0);
	uint16_t sum;

	assert_non_null(m);
	eq(plx_pkt_csum_fill(m), 0); /* as the device would */
	sum = plx_get_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + ip_bytes + 6));
	rte_pktmbuf_free(m);
	return sum;
}

/* SO_NO_CHECK is about IPv4, also by a socket of IPv6; UDP_NO_CHECK6_TX about IPv6. */
T(without_a_checksum)
{
	const uint16_t segment = 2;
	int fd;

	st_new();
	fd = udp("::", 7);
	for (int v4 = 0; v4 < 2; v4++)
		for (int v6 = 0; v6 < 2; v6++) {
			on(fd, SOL_SOCKET, SO_NO_CHECK, v4);
			on(fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, v6);
			eq(send_to(fd, "::ffff:10.0.0.1", 9, "ab", 0), 2);
			eq(send_to(fd, "2001:db8::1", 9, "ab", 0), 2);
			nt_run();
			eq(sum_sent(PLX_IP4_BYTES) == 0, v4);
			eq(sum_sent(PLX_IP6_BYTES) == 0, v6);
			nt_none();
		}
	fd = udp("10.0.0.2", 8);
	on(fd, SOL_SOCKET, SO_NO_CHECK, 1);
	fails(send_with(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, 2), EINVAL);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 8 len 4"); /* what comes may have one */
	eq(get(fd, 0), 4);
}

T(v6only)
{
	int fd;

	st_new();
	fd = udp(NULL, 0);
	eq(plx_close(fd), 0);
	fd = plx_socket(AF_INET6, SOCK_DGRAM, 0);
	on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	eq(st_bind(fd, "::", 7), 0);
	fails(send_to(fd, "::ffff:10.0.0.1", 7, "x", 0), ENETUNREACH);
	fails(st_connect(fd, "::ffff:10.0.0.1", 7), ENETUNREACH);
	eq(st_bind(udp(NULL, 0), "0.0.0.0", 7), 0);
}

T(several_calls_for_one)
{
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	eq(send_to(fd, "10.0.0.2", 7, "ab", MSG_MORE), 2);
	eq(send_to(fd, "10.0.0.2", 7, "cd", 0), 2);
	on(fd, IPPROTO_UDP, UDP_CORK, 1);
	eq(send_to(fd, "10.0.0.2", 7, "ef", 0), 2);
	eq(send_to(fd, "10.0.0.2", 7, "gh", 0), 2);
	nt_run();
	eq(get(fd, 0), 4);
	str_eq(got.text, "abcd");
	fails(get(fd, 0), EAGAIN);
	on(fd, IPPROTO_UDP, UDP_CORK, 0);
	nt_run();
	eq(get(fd, 0), 4);
	str_eq(got.text, "efgh");
	eq(send_to(fd, "10.0.0.2", 7, "lost", MSG_MORE), 4);
	eq(plx_close(fd), 0);
}

T(cut_by_us)
{
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	on(fd, IPPROTO_UDP, UDP_SEGMENT, 4);
	eq(send_to(fd, "10.0.0.1", 7, "0123456789", 0), 10);
	nt_run();
	eq(nt_forget(), 3);
}

/* UDP_GRO: what came in a row, at once. */
T(several_datagrams_for_one_call)
{
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	on(fd, IPPROTO_UDP, UDP_GRO, 1);
	for (int i = 0; i < 4; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 20");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1025 > 7 len 4");
	eq(get(fd, MSG_PEEK), 60);
	eq(get(fd, 0), 60); /* as much as there is room for */
	eq(cmsg_int(IPPROTO_UDP, UDP_GRO), 20);
	eq(get(fd, 0), 24);
	eq(cmsg_int(IPPROTO_UDP, UDP_GRO), 20);
	for (int i = 0; i < 2; i++) {
		eq(get(fd, 0), 4);
		assert_null(cmsg(IPPROTO_UDP, UDP_GRO, 4));
	}
	fails(get(fd, 0), EAGAIN);
}

T(shut_down)
{
	int fd;

	st_new();
	fd = udp(NULL, 0);
	eq(st_connect(fd, "10.0.0.1", 7), 0);
	fails(plx_shutdown(fd, 3), EINVAL);
	eq(plx_shutdown(fd, SHUT_WR), 0);
	fails(plx_send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	eq(st_poll(fd), OUT);
	eq(plx_shutdown(fd, SHUT_RD), 0);
	eq(st_poll(fd), OUT | IN | POLLHUP | POLLRDHUP);
	fails(plx_shutdown(udp(NULL, 0), SHUT_RD), ENOTCONN);
}

T(asked_by_ioctl)
{
	int fd, n = -1;

	st_new();
	fd = udp("10.0.0.2", 7);
	eq(plx_ioctl(fd, FIONREAD, &n), 0);
	eq(n, 0);
	eq(send_to(fd, "10.0.0.2", 7, "hello", 0), 5);
	nt_run();
	eq(plx_ioctl(fd, SIOCINQ, &n), 0);
	eq(n, 5);
	eq(plx_ioctl(fd, SIOCOUTQ, &n), 0);
	eq(n, 0);
	fails(plx_ioctl(fd, SIOCATMARK, &n), ENOTTY);
	fails(plx_ioctl(fd, SIOCINQ, NULL), EFAULT);
}

T(without_a_copy)
{
	struct rte_mbuf *m;
	int fd;

	st_new();
	fd = udp("10.0.0.2", 7);
	assert_null(plx_recv_mbuf(fd));
	eq(errno, EAGAIN);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	m = plx_recv_mbuf(fd);
	assert_non_null(m);
	eq(m->pkt_len, 4);
	rte_pktmbuf_free(m);
}

RUN_EAL(ST_(there_and_back), ST_(on_the_wire), ST_(cut_and_empty), ST_(big), ST_(connected),
	ST_(connected_to_port_0), ST_(refused), ST_(the_error_queue), ST_(too_big_for_the_path),
	ST_(the_buffer_is_full), ST_(default_sizes_are_tunables), ST_(what_is_said_with_it),
	ST_(said_for_one), ST_(v6_and_v4_mapped), ST_(without_a_checksum), ST_(v6only),
	ST_(several_calls_for_one), ST_(cut_by_us), ST_(several_datagrams_for_one_call),
	ST_(shut_down), ST_(asked_by_ioctl), ST_(without_a_copy))
