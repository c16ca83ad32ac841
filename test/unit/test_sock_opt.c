/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <sys/time.h>

#include <plx_tcp_info.h>

/* setsockopt() and getsockopt(): ranges, lengths, errnos and defaults as Linux has them. */

static int fd;

static void start(int domain, int type)
{
	st_new();
	fd = plx_socket(domain, type, 0);
	ok(fd >= 0);
}

static int set(int level, int name, int v)
{
	return plx_setsockopt(fd, level, name, &v, sizeof(v));
}

static int get(int level, int name)
{
	int v = -77;
	socklen_t len = sizeof(v);

	eq(plx_getsockopt(fd, level, name, &v, &len), 0);
	eq(len, sizeof(v));
	return v;
}

/* Set to v, it is what getsockopt() says. */
static void keeps(int level, int name, int v)
{
	eq(set(level, name, v), 0);
	eq(get(level, name), v);
}

T(flags)
{
	static const int names[] = {SO_DEBUG, SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE,
		SO_BROADCAST, SO_OOBINLINE, SO_DONTROUTE, SO_TIMESTAMP, SO_TIMESTAMPNS};

	start(AF_INET, SOCK_STREAM);
	for (size_t i = 0; i < PLX_DIM(names); i++) {
		eq(get(SOL_SOCKET, names[i]), 0);
		eq(set(SOL_SOCKET, names[i], 17), 0);
		eq(get(SOL_SOCKET, names[i]), 1);
		keeps(SOL_SOCKET, names[i], 0);
	}
	keeps(IPPROTO_TCP, TCP_NODELAY, 1);
	keeps(IPPROTO_TCP, TCP_CORK, 1);
}

T(what_it_is)
{
	start(AF_INET6, SOCK_STREAM);
	eq(get(SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	eq(get(SOL_SOCKET, SO_DOMAIN), AF_INET6);
	eq(get(SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	eq(get(SOL_SOCKET, SO_ACCEPTCONN), 0);
	eq(get(SOL_SOCKET, SO_ERROR), 0);
	eq(get(SOL_SOCKET, SO_SNDLOWAT), 1);
	fails(set(SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	fails(set(SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
	fails(set(SOL_SOCKET, SO_SNDLOWAT, 1), ENOPROTOOPT);
	eq(st_bind(fd, "::", 80), 0);
	eq(plx_listen(fd, 1), 0);
	eq(get(SOL_SOCKET, SO_ACCEPTCONN), 1);
}

T(lengths)
{
	char b[8] = "\x7f\x7f\x7f\x7f\x7f\x7f\x7f";
	socklen_t len = 1;

	start(AF_INET, SOCK_STREAM);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, b, 3), EINVAL);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 4), EFAULT);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, b, (socklen_t)-1), EINVAL);
	fails(plx_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, b, 1), EINVAL);
	eq(set(SOL_SOCKET, SO_REUSEADDR, 1), 0);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, b, &len), 0); /* cut */
	eq(len, 1);
	eq(b[0], 1);
	eq(b[1], 0x7f);
	len = 8;
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, b, &len), 0);
	eq(len, 4);
	fails(plx_getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, b, NULL), EFAULT);
	len = (socklen_t)-1;
	fails(plx_getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, b, &len), EINVAL);
	len = 4;
	fails(plx_getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, &len), EFAULT);
	/* IP's options are ints or bytes */
	b[0] = 9;
	eq(plx_setsockopt(fd, IPPROTO_IP, IP_TTL, b, 1), 0);
	eq(get(IPPROTO_IP, IP_TTL), 9);
	len = 1;
	b[0] = 0;
	eq(plx_getsockopt(fd, IPPROTO_IP, IP_TTL, b, &len), 0);
	eq(len, 1);
	eq(b[0], 9);
}

T(levels)
{
	int v = 0;
	socklen_t len = sizeof(v);

	start(AF_INET, SOCK_DGRAM);
	fails(set(IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
	fails(set(IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
	fails(set(SOL_SOCKET, 999, 1), ENOPROTOOPT);
	fails(plx_getsockopt(fd, SOL_SOCKET, 999, &v, &len), ENOPROTOOPT);
	fails(plx_getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &len), EOPNOTSUPP);
	fd = plx_socket(AF_INET6, SOCK_DGRAM, 0);
	fails(plx_getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, &len), ENOPROTOOPT);
	keeps(IPPROTO_IP, IP_TTL, 3);
	fd = plx_epoll_create1(0);
	fails(set(SOL_SOCKET, SO_REUSEADDR, 1), ENOTSOCK);
	fails(plx_getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, &len), ENOTSOCK);
}

T(buffers)
{
	start(AF_INET, SOCK_STREAM);
	eq(get(SOL_SOCKET, SO_RCVBUF), 131072);
	eq(get(SOL_SOCKET, SO_SNDBUF), 16384);
	eq(set(SOL_SOCKET, SO_RCVBUF, 10000), 0);
	eq(get(SOL_SOCKET, SO_RCVBUF), 20000);
	eq(set(SOL_SOCKET, SO_RCVBUF, 0), 0);
	eq(get(SOL_SOCKET, SO_RCVBUF), 2304);
	eq(set(SOL_SOCKET, SO_RCVBUF, 1 << 30), 0); /* rmem_max */
	eq(get(SOL_SOCKET, SO_RCVBUF), 2 * 212992);
	eq(set(SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20), 0);
	eq(get(SOL_SOCKET, SO_RCVBUF), 2 << 20);
	eq(set(SOL_SOCKET, SO_SNDBUF, -1), 0);
	eq(get(SOL_SOCKET, SO_SNDBUF), 2 * 212992);
	eq(set(SOL_SOCKET, SO_SNDBUF, 1), 0);
	eq(get(SOL_SOCKET, SO_SNDBUF), 4608);
	keeps(SOL_SOCKET, SO_RCVLOWAT, 100);
	eq(set(SOL_SOCKET, SO_RCVLOWAT, 0), 0);
	eq(get(SOL_SOCKET, SO_RCVLOWAT), 1);
	eq(set(SOL_SOCKET, SO_RCVLOWAT, -1), 0);
	eq(get(SOL_SOCKET, SO_RCVLOWAT), 1 << 20);
}

T(times)
{
	struct timeval tv = {.tv_sec = 1, .tv_usec = 500000};
	struct linger l = {.l_onoff = 1, .l_linger = 5};
	socklen_t len = sizeof(tv);

	start(AF_INET, SOCK_STREAM);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	memset(&tv, 0, sizeof(tv));
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	eq(tv.tv_sec, 1);
	eq(tv.tv_usec, 500000);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len), 0);
	eq(tv.tv_sec, 0);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, 8), EINVAL);
	tv.tv_usec = 1000000;
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	l.l_linger = 0;
	len = sizeof(l);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len), 0);
	eq(l.l_onoff, 1);
	eq(l.l_linger, 5);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
}

T(of_tcp)
{
	start(AF_INET, SOCK_STREAM);
	eq(get(IPPROTO_TCP, TCP_KEEPIDLE), 7200);
	eq(get(IPPROTO_TCP, TCP_KEEPINTVL), 75);
	eq(get(IPPROTO_TCP, TCP_KEEPCNT), 9);
	eq(get(IPPROTO_TCP, TCP_SYNCNT), 6);
	eq(get(IPPROTO_TCP, TCP_LINGER2), 60);
	eq(get(IPPROTO_TCP, TCP_MAXSEG), 536);
	eq(get(IPPROTO_TCP, TCP_QUICKACK), 1);
	keeps(IPPROTO_TCP, TCP_KEEPIDLE, 32767);
	keeps(IPPROTO_TCP, TCP_KEEPCNT, 127);
	keeps(IPPROTO_TCP, TCP_MAXSEG, 1000);
	keeps(IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	keeps(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096);
	keeps(IPPROTO_TCP, TCP_SYNCNT, 3);
	keeps(IPPROTO_TCP, TCP_LINGER2, -1);
	keeps(IPPROTO_TCP, TCP_INQ, 1);
	fails(set(IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
	fails(set(IPPROTO_TCP, TCP_KEEPIDLE, 32768), EINVAL);
	fails(set(IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
	fails(set(IPPROTO_TCP, TCP_SYNCNT, 0), EINVAL);
	fails(set(IPPROTO_TCP, TCP_MAXSEG, 87), EINVAL);
	fails(set(IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
	fails(set(IPPROTO_TCP, TCP_INQ, 2), EINVAL);
	fails(set(IPPROTO_TCP, TCP_REPAIR, 1), ENOPROTOOPT);
	eq(set(IPPROTO_TCP, TCP_DEFER_ACCEPT, 5), 0); /* in time-outs: 1 + 2 + 4 s */
	eq(get(IPPROTO_TCP, TCP_DEFER_ACCEPT), 7);
}

T(congestion_control)
{
	char name[20] = "";
	socklen_t len = sizeof(name);

	start(AF_INET, SOCK_STREAM);
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	str_eq(name, "cubic");
	eq(len, 16);
	fails(plx_setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5), ENOENT);
	fails(plx_setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
	eq(plx_setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	len = 3;
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	eq(len, 3);
	mem_eq(name, "ren", 3);
}

T(a_connection_hears_of_it)
{
	struct plx_tcp_info info;
	socklen_t len = sizeof(info);
	char name[16];
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	fd = c[0];
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	eq(info.tcpi_state, 1);
	eq(len, sizeof(info));
	len = 3;
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	eq(len, 3);
	len = sizeof(name);
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_CC_INFO, name, &len), 0);
	eq(len, 0);
	eq(plx_setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	len = sizeof(name);
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	str_eq(name, "reno");
	keeps(IPPROTO_TCP, TCP_NODELAY, 1);
	eq(set(IPPROTO_TCP, TCP_QUICKACK, 0), 0);
	eq(get(IPPROTO_TCP, TCP_QUICKACK), 0);
	ok(get(IPPROTO_TCP, TCP_MAXSEG) >= 1448);
	eq(get(IPPROTO_IP, IP_MTU), 65535);
	eq(set(SOL_SOCKET, SO_RCVBUF, 10000), 0);
	eq(get(SOL_SOCKET, SO_RCVBUF), 20000);
}

T(what_is_left_to_read)
{
	_Alignas(8) char control[64] = "";
	struct iovec v = {control + 32, 2};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(int))};
	int c[2], left;

	st_new();
	st_pair(c, "10.0.0.2", 80);
	fd = c[1];
	eq(set(IPPROTO_TCP, TCP_INQ, 1), 0);
	eq(plx_send(c[0], "hello", 5, 0), 5);
	nt_run();
	eq(plx_recvmsg(fd, &m, 0), 2);
	eq(m.msg_controllen, CMSG_SPACE(sizeof(int)));
	memcpy(&left, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(left));
	eq(left, 3);
}

/* Set before connect(), and before listen(). */
T(a_fresh_connection_has_it)
{
	char name[16];
	socklen_t len = sizeof(name);
	int l, c;

	start(AF_INET, SOCK_STREAM);
	l = fd;
	eq(st_bind(l, "10.0.0.2", 80), 0);
	eq(plx_setsockopt(l, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	eq(set(SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	eq(plx_listen(l, 1), 0);
	c = fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(set(IPPROTO_TCP, TCP_MAXSEG, 700), 0);
	fails(st_connect(c, "10.0.0.2", 80), EINPROGRESS);
	nt_run();
	ok(get(IPPROTO_TCP, TCP_MAXSEG) <= 700);
	fd = plx_accept(l, NULL, NULL);
	ok(fd >= 0);
	eq(plx_getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	str_eq(name, "reno");
	eq(get(SOL_SOCKET, SO_KEEPALIVE), 1);
	ok(get(IPPROTO_TCP, TCP_MAXSEG) <= 700);
}

T(of_ip)
{
	int v;
	socklen_t len = sizeof(v);

	start(AF_INET, SOCK_DGRAM);
	eq(get(IPPROTO_IP, IP_TTL), 64);
	eq(get(IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
	eq(get(IPPROTO_IP, IP_MULTICAST_TTL), 1);
	eq(get(IPPROTO_IP, IP_MULTICAST_LOOP), 1);
	eq(get(IPPROTO_IP, IP_MULTICAST_ALL), 1);
	keeps(IPPROTO_IP, IP_TOS, 0x10);
	keeps(IPPROTO_IP, IP_PKTINFO, 1);
	keeps(IPPROTO_IP, IP_RECVERR, 1);
	keeps(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	keeps(IPPROTO_IP, IP_MULTICAST_TTL, 255);
	eq(set(IPPROTO_IP, IP_TTL, -1), 0);
	eq(get(IPPROTO_IP, IP_TTL), 64);
	fails(set(IPPROTO_IP, IP_TTL, 0), EINVAL);
	fails(set(IPPROTO_IP, IP_TTL, 256), EINVAL);
	fails(set(IPPROTO_IP, IP_MTU_DISCOVER, 6), EINVAL);
	fails(set(IPPROTO_IP, IP_MULTICAST_TTL, 256), EINVAL);
	fails(set(IPPROTO_IP, IP_MULTICAST_ALL, 2), EINVAL);
	fails(set(IPPROTO_IP, IP_MTU, 1400), ENOPROTOOPT);
	fails(plx_getsockopt(fd, IPPROTO_IP, IP_MTU, &v, &len), ENOTCONN);
	eq(st_connect(fd, "10.0.0.1", 7), 0);
	eq(get(IPPROTO_IP, IP_MTU), 1500);
	fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(set(IPPROTO_IP, IP_TOS, 0x13), 0); /* ECN is TCP's */
	eq(get(IPPROTO_IP, IP_TOS), 0x10);
	fails(set(IPPROTO_IP, IP_MULTICAST_TTL, 1), EINVAL);
}

T(of_ip6)
{
	start(AF_INET6, SOCK_DGRAM);
	eq(get(IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
	eq(get(IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 1);
	eq(get(IPPROTO_IPV6, IPV6_V6ONLY), 0);
	keeps(IPPROTO_IPV6, IPV6_V6ONLY, 1);
	keeps(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
	keeps(IPPROTO_IPV6, IPV6_TCLASS, 0x20);
	keeps(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	keeps(IPPROTO_IPV6, IPV6_RECVERR, 1);
	keeps(IPPROTO_IPV6, IPV6_MULTICAST_IF, 1);
	fails(set(IPPROTO_IPV6, IPV6_MULTICAST_IF, 9), ENODEV);
	fails(set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
	fails(set(IPPROTO_IPV6, IPV6_TCLASS, -2), EINVAL);
	fails(set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 2), EINVAL);
	fd = plx_socket(AF_INET6, SOCK_STREAM, 0);
	fails(set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1), ENOPROTOOPT);
}

T(of_udp)
{
	start(AF_INET, SOCK_DGRAM);
	keeps(IPPROTO_UDP, UDP_SEGMENT, 1000);
	fails(set(IPPROTO_UDP, UDP_SEGMENT, 65536), EINVAL);
	fails(set(IPPROTO_UDP, UDP_ENCAP, 1), ENOPROTOOPT);
	keeps(IPPROTO_UDP, UDP_CORK, 1);
}

T(facts)
{
	uint32_t mem[SK_MEMINFO_VARS];
	uint64_t a, b;
	socklen_t len = sizeof(a);

	start(AF_INET, SOCK_DGRAM);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &a, &len), 0);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &b, &len), 0);
	ok(a == b);
	eq(plx_getsockopt(plx_socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_COOKIE, &b, &len), 0);
	ok(a != b);
	len = sizeof(mem);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len), 0);
	eq(mem[SK_MEMINFO_RCVBUF], 212992);
	ok(get(SOL_SOCKET, SO_INCOMING_CPU) >= 0);
	keeps(SOL_SOCKET, SO_MARK, 7);
	keeps(SOL_SOCKET, SO_PRIORITY, 6);
	keeps(SOL_SOCKET, SO_BUSY_POLL, 50);
	fails(set(SOL_SOCKET, SO_BUSY_POLL, -1), EINVAL);
}

/* RFC 5082: what comes to ourselves has a TTL of 64. */
T(a_least_ttl)
{
	static const struct {
		const char *addr;
		int level, name;
	} ways[] = {{"10.0.0.2", IPPROTO_IP, IP_MINTTL},
		{"2001:db8::2", IPPROTO_IPV6, IPV6_MINHOPCOUNT}};
	int c[2], far = 65, near = 64;
	char buf[4];

	st_new();
	for (size_t i = 0; i < PLX_DIM(ways); i++) {
		st_pair(c, ways[i].addr, 80);
		nt_mark();
		eq(plx_setsockopt(c[1], ways[i].level, ways[i].name, &far, sizeof(far)), 0);
		eq(plx_write(c[0], "abc", 3), 3);
		nt_run();
		nt_drop(PLX_DROP_TCP_MIN_TTL);
		eq(nt_stat(PLX_STAT_TCPEXT_TCPMINTTLDROP), 1);
		fails(plx_read(c[1], buf, 4), EAGAIN);
		eq(plx_setsockopt(c[1], ways[i].level, ways[i].name, &near, sizeof(near)), 0);
		nt_sleep(PLX_SEC(1)); /* it is sent again */
		eq(plx_read(c[1], buf, 4), 3);
		nt_no_drop();
		plx_close(c[0]);
		plx_close(c[1]);
		nt_run();
	}
}

/* Datagrams beyond what all sockets may hold together, and what SO_MEMINFO says of the rest. */
T(memory_of_all)
{
	uint32_t mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);
	uint32_t held;

	start(AF_INET, SOCK_DGRAM);
	nt_tun(PLX_TUN_UDP_MEM_HIGH, 1);
	eq(st_bind(fd, "10.0.0.2", 7), 0);
	for (int i = 0; i < 60; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1024 > 7 len 4");
	ok(nt_stat(PLX_STAT_UDP_MEMERRORS) > 20);
	eq(nt_stat(PLX_STAT_UDP_RCVBUFERRORS), 0);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len), 0);
	held = 60 - (uint32_t)nt_stat(PLX_STAT_UDP_MEMERRORS);
	ok(mem[SK_MEMINFO_RMEM_ALLOC] >= held * 2048);
	ok(mem[SK_MEMINFO_RMEM_ALLOC] < 100000);
	eq(mem[SK_MEMINFO_DROPS], 60 - held);
	nt_no_drop();
}

RUN_EAL(ST_(a_least_ttl), ST_(memory_of_all), ST_(flags), ST_(what_it_is), ST_(lengths),
	ST_(levels), ST_(buffers), ST_(times), ST_(of_tcp), ST_(congestion_control),
	ST_(a_connection_hears_of_it), ST_(what_is_left_to_read), ST_(a_fresh_connection_has_it),
	ST_(of_ip), ST_(of_ip6), ST_(of_udp), ST_(facts))
