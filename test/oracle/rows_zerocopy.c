/* SPDX-License-Identifier: BSD-3-Clause */
#define ROWS "zerocopy"
#include "kit.h"

#include <linux/errqueue.h>

/*
 * MSG_ZEROCOPY: of memory that is the process's, to ourselves, so that it is copied in the end on
 * both sides; what is asked is who is told what, and when.
 */

static char text[70000];
static int a, b; /* one row at a time */

static long put_zc(int s, size_t n)
{
	return S(send)(s, text, n, MSG_ZEROCOPY | MSG_NOSIGNAL);
}

static long send_zc_at(int s, const char *ip)
{
	struct at to = at(ip, 9);

	return S(sendto)(s, text, 100, MSG_ZEROCOPY, &to.sa, to.len);
}

/* The next notification: its range, and what else recvmsg() says. */
static void told(int s)
{
	union {
		char c[256];
		struct cmsghdr h;
	} control;
	struct sockaddr_storage from;
	struct iovec v = {text, 10};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	long r = num(S(recvmsg)(s, &m, MSG_ERRQUEUE));
	struct sock_extended_err ee;
	struct cmsghdr *c;

	if (r < 0)
		return;
	c = CMSG_FIRSTHDR(&m);
	if (!c) {
		say("no cmsg");
		return;
	}
	memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	say("%s%s len:%u namelen:%u flags:%x", c->cmsg_level == IPPROTO_IP ? "IP" : "IPV6",
		(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
				(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)
			? "_RECVERR"
			: "?",
		(unsigned int)c->cmsg_len, (unsigned int)m.msg_namelen, (unsigned int)m.msg_flags);
	say("errno:%u origin:%u type:%u code:%u %u-%u", ee.ee_errno, ee.ee_origin, ee.ee_type,
		ee.ee_code, ee.ee_info, ee.ee_data);
}

static void on(int s)
{
	must(set_int(s, SOL_SOCKET, SO_ZEROCOPY, 1));
}

/* Whatever came so far is read by the other end. */
static void drain(int s)
{
	static char buf[70000];

	settle();
	while (S(recv)(s, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		settle();
	settle();
}

ROW(tcp_one, "TCP: a call, and its notification")
{
	tcp_pair(&a, &b);
	on(a);
	num(put_zc(a, 5000));
	await(a, POLLERR);
	see(a);
	told(a);
	told(a);
	see(a);
	say_error(a);
	drain(b);
}

ROW(tcp_range, "TCP: two calls are told together")
{
	tcp_pair(&a, &b);
	on(a);
	num(put_zc(a, 3000));
	drain(b);
	num(put_zc(a, 3000));
	drain(b);
	told(a);
	told(a);
	num(put_zc(a, 3000));
	drain(b);
	told(a);
}

ROW(tcp_v6, "TCP over IPv6: the notification is IPV6_RECVERR's")
{
	pair_at(B1, &a, &b);
	on(a);
	num(put_zc(a, 3000));
	drain(b);
	told(a);
}

ROW(not_asked_for, "MSG_ZEROCOPY without SO_ZEROCOPY: sent, and nobody is told")
{
	tcp_pair(&a, &b);
	num(put_zc(a, 3000));
	drain(b);
	told(a);
	see(a);
}

ROW(of_nothing, "MSG_ZEROCOPY of no bytes: no notification")
{
	tcp_pair(&a, &b);
	on(a);
	num(put_zc(a, 0));
	num(put_zc(a, 2000));
	drain(b);
	told(a);
}

ROW(not_connected, "MSG_ZEROCOPY on a socket that is not connected: has no number")
{
	int s = tcp();

	on(s);
	num(put_zc(s, 100));
	told(s);
}

ROW(inherited, "SO_ZEROCOPY: a connection has its listener's")
{
	int l = listener_at(A1);

	on(l);
	a = tcp();
	must(connect_at(a, A1, port_of(l)));
	b = keep(S(accept)(l, NULL, NULL));
	say_int(b, SOL_SOCKET, SO_ZEROCOPY);
	num(put_zc(b, 2000));
	drain(a);
	told(b);
}

ROW(udp_one, "UDP: a call, and its notification")
{
	udp_pair(&a, &b);
	on(a);
	num(put_zc(a, 1000));
	await(a, POLLERR);
	see(a);
	told(a);
	told(a);
	see(a);
	say_error(a);
}

ROW(udp_range, "UDP: calls are told together")
{
	udp_pair(&a, &b);
	on(a);
	num(put_zc(a, 1000));
	num(put_zc(a, 1000));
	settle();
	drain(b);
	num(put_zc(a, 1000));
	drain(b);
	told(a);
	told(a);
}

ROW(udp_nowhere, "UDP: no route: the call has no number")
{
	int s = udp();

	on(s);
	num(S(sendto)(s, text, 100, MSG_ZEROCOPY, NULL, 0));
	told(s);
	num(send_zc_at(s, FOREIGN));
	told(s);
	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	num(put_zc(s, 0));
	told(s);
}

ROW(udp_refused, "UDP: a notification and an ICMP error, in one queue")
{
	int s = udp();

	on(s);
	must(set_int(s, IPPROTO_IP, IP_RECVERR, 1));
	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	num(put_zc(s, 1000));
	settle();
	must(set_int(s, IPPROTO_IP, IP_RECVERR, 0)); /* forgets those of ICMP */
	told(s);
	told(s);
}

ROW(others, "SO_ZEROCOPY: of a raw socket")
{
	int s = keep(S(socket)(AF_INET, SOCK_RAW, 99));

	num(set_int(s, SOL_SOCKET, SO_ZEROCOPY, 1));
	say_int(s, SOL_SOCKET, SO_ZEROCOPY);
}
