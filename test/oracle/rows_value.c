/* SPDX-License-Identifier: BSD-3-Clause */
/* What accept() inherits; options of connected sockets; options that are no numbers. */
#define ROWS "values"
#include "kit.h"

#include <linux/filter.h>

struct inherited {
	const char *name;
	int level, id, value;
};

static const struct inherited inherits[] = {
	{"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1},
	{"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1},
	{"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1},
	{"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1},
	{"SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, 1},
	{"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, 1},
	{"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 7},
	{"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 10000},
	{"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 10000},
	{"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 3},
	{"SO_MARK", SOL_SOCKET, SO_MARK, 7},
	{"SO_TIMESTAMPNS", SOL_SOCKET, SO_TIMESTAMPNS, 1},
	{"IP_TOS", IPPROTO_IP, IP_TOS, 0x10},
	{"IP_TTL", IPPROTO_IP, IP_TTL, 33},
	{"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, 2},
	{"IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL, 5},
	{"IP_FREEBIND", IPPROTO_IP, IP_FREEBIND, 1},
	{"IP_RECVERR", IPPROTO_IP, IP_RECVERR, 1},
	{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1},
	{"TCP_CORK", IPPROTO_TCP, TCP_CORK, 1},
	{"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 33},
	{"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 34},
	{"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 5},
	{"TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 12},
	{"TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 4},
	{"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 12345},
	{"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4321},
	{"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 3},
	{"TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN, 5},
	{"TCP_INQ", IPPROTO_TCP, TCP_INQ, 1},
};

/* The accepted one has it; and what a listener gets later, its next one has. */
static void inherit(const void *arg)
{
	const struct inherited *o = arg;
	int l = listener_at(A1), c = tcp(), s;

	num(set_int(l, o->level, o->id, o->value));
	say_int(l, o->level, o->id);
	must(connect_at(c, A1, port_of(l)));
	S(send)(c, "abcdefgh", 8, 0); /* for TCP_DEFER_ACCEPT */
	await(l, POLLIN);
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	say_int(s, o->level, o->id);
}

__attribute__((constructor)) static void add_inherits(void)
{
	char name[100], what[200];

	for (size_t i = 0; i < sizeof(inherits) / sizeof(inherits[0]); i++) {
		snprintf(name, sizeof(name), "inherit_%s", inherits[i].name);
		snprintf(what, sizeof(what), "%s: set, the listener's, the accepted one's",
			inherits[i].name);
		row_make(&(struct row){.group = ROWS,
			.name = name,
			.what = what,
			.order = (int)i - 1000,
			.fn = inherit,
			.arg = &inherits[i]});
	}
}

/* What is on its way here has a TTL or hop limit of 64. */
static void min_ttl(const char *ip, int level, int name)
{
	int c, s, l = pair_at(ip, &c, &s), late;

	num(set_int(s, level, name, 65));
	put(c, "abc");
	settle();
	see(s);
	num(set_int(s, level, name, 64));
	say("%s", events_text((unsigned int)await(s, POLLIN))); /* it is sent again */
	num(set_int(l, level, name, 65));
	late = keep(
		S(socket)(strchr(ip, ':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	num(connect_at(late, ip, port_of(l)));
	settle();
	see(late);
	num(set_int(l, level, name, 64));
	say("%s", events_text((unsigned int)await(late, POLLOUT)));
	await(l, POLLIN);
	say_int(keep(S(accept)(l, NULL, NULL)), level, name);
}

ROW(min_ttl_v4, "IP_MINTTL: what has less is not there; listeners; inherited")
{
	min_ttl(A1, IPPROTO_IP, IP_MINTTL);
}

ROW(min_ttl_v6, "IPV6_MINHOPCOUNT: the same")
{
	min_ttl(B1, IPPROTO_IPV6, IPV6_MINHOPCOUNT);
}

ROW(min_ttl_mapped,
	"IP_MINTTL of a socket of IPv6 for mapped ones; IPV6_MINHOPCOUNT is not for them")
{
	int c = tcp(), s, l = listener_at(ANY6);

	must(connect_at(c, A1, port_of(l)));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	num(set_int(s, IPPROTO_IPV6, IPV6_MINHOPCOUNT, 255));
	put(c, "abc");
	say("%s", events_text((unsigned int)await(s, POLLIN)));
	get(s, 4);
	num(set_int(s, IPPROTO_IP, IP_MINTTL, 255));
	put(c, "def");
	settle();
	see(s);
}

ROW(inherit_linger, "SO_LINGER: the accepted one's")
{
	struct linger l = {1, 9};
	socklen_t len = sizeof(l);
	int lis = listener_at(A1), s;

	must(S(setsockopt)(lis, SOL_SOCKET, SO_LINGER, &l, len));
	must(connect_at(tcp(), A1, port_of(lis)));
	s = keep((int)must(S(accept)(lis, NULL, NULL)));
	l = (struct linger){0};
	num(S(getsockopt)(s, SOL_SOCKET, SO_LINGER, &l, &len));
	say("%d/%d", l.l_onoff, l.l_linger);
}

ROW(inherit_timeout, "SO_RCVTIMEO: the accepted one's")
{
	struct timeval tv = {3, 0};
	socklen_t len = sizeof(tv);
	int l = listener_at(A1), s;

	must(S(setsockopt)(l, SOL_SOCKET, SO_RCVTIMEO, &tv, len));
	must(connect_at(tcp(), A1, port_of(l)));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	tv = (struct timeval){0};
	num(S(getsockopt)(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	say("%d", (int)tv.tv_sec);
}

ROW(inherit_nonblock, "O_NONBLOCK: not the accepted one's")
{
	int l = listener_at(A1), s;

	must(connect_at(tcp(), A1, port_of(l)));
	await(l, POLLIN);
	nonblock(l);
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	num(S(fcntl)(s, F_GETFL) & O_NONBLOCK);
}

ROW(inherit_congestion, "TCP_CONGESTION: the accepted one's")
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int l = listener_at(A1), s;

	must(S(setsockopt)(l, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	must(connect_at(tcp(), A1, port_of(l)));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	must(S(getsockopt)(s, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	say("%s", name);
}

ROW(type_of_accepted, "SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN: listener and accepted one")
{
	int c, s, l = tcp_pair(&c, &s);

	say_int(l, SOL_SOCKET, SO_ACCEPTCONN);
	say_int(s, SOL_SOCKET, SO_ACCEPTCONN);
	say_int(s, SOL_SOCKET, SO_TYPE);
	say_int(s, SOL_SOCKET, SO_PROTOCOL);
	say_int(s, SOL_SOCKET, SO_DOMAIN);
}

ROW(reuse_late, "SO_REUSEADDR, SO_REUSEPORT: of a bound socket; of a connected one")
{
	int s = tcp(), c, t;

	must(bind_at(s, A1, 0));
	num(set_int(s, SOL_SOCKET, SO_REUSEADDR, 1));
	num(set_int(s, SOL_SOCKET, SO_REUSEPORT, 1));
	tcp_pair(&c, &t);
	num(set_int(c, SOL_SOCKET, SO_REUSEADDR, 1));
	num(set_int(c, SOL_SOCKET, SO_REUSEPORT, 1));
}

ROW(connected_values, "of a connected socket: TCP_NODELAY, TCP_KEEPIDLE, IP_TTL, SO_RCVLOWAT")
{
	int c, s;

	tcp_pair(&c, &s);
	num(set_int(c, IPPROTO_TCP, TCP_NODELAY, 1));
	say_int(c, IPPROTO_TCP, TCP_NODELAY);
	num(set_int(c, IPPROTO_TCP, TCP_KEEPIDLE, 100));
	say_int(c, IPPROTO_TCP, TCP_KEEPIDLE);
	num(set_int(c, IPPROTO_IP, IP_TTL, 7));
	say_int(c, IPPROTO_IP, IP_TTL);
	num(set_int(c, SOL_SOCKET, SO_RCVLOWAT, 100));
	say_int(c, SOL_SOCKET, SO_RCVLOWAT);
}

ROW(connected_late, "of a connected socket: TCP_SYNCNT, TCP_DEFER_ACCEPT, TCP_FASTOPEN")
{
	int c, s;

	tcp_pair(&c, &s);
	num(set_int(c, IPPROTO_TCP, TCP_SYNCNT, 3));
	num(set_int(c, IPPROTO_TCP, TCP_DEFER_ACCEPT, 3));
	num(set_int(c, IPPROTO_TCP, TCP_FASTOPEN, 3));
	num(set_int(c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	num(set_int(c, IPPROTO_TCP, TCP_WINDOW_CLAMP, 5000));
}

ROW(accept_conn_udp, "SO_ACCEPTCONN: UDP, and after shutdown()")
{
	int l = listener_at(A1);

	say_int(udp(), SOL_SOCKET, SO_ACCEPTCONN);
	must(S(shutdown)(l, SHUT_RD));
	say_int(l, SOL_SOCKET, SO_ACCEPTCONN);
}

ROW(attach_filter, "SO_ATTACH_FILTER, SO_DETACH_FILTER: only what it lets through")
{
	struct sock_filter none[] = {{BPF_RET | BPF_K, 0, 0, 0}};
	struct sock_fprog prog = {.len = 1, .filter = none};
	int a, b, dummy = 0;

	udp_pair(&a, &b);
	num(S(setsockopt)(b, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	put(a, "abc");
	settle();
	see(b);
	num(S(setsockopt)(b, SOL_SOCKET, SO_DETACH_FILTER, &dummy, sizeof(dummy)));
	num(S(setsockopt)(b, SOL_SOCKET, SO_DETACH_FILTER, &dummy, sizeof(dummy)));
}

ROW(peercred, "SO_PEERCRED")
{
	struct {
		int pid, uid, gid;
	} cred = {0};
	socklen_t len = sizeof(cred);

	num(S(getsockopt)(tcp(), SOL_SOCKET, SO_PEERCRED, &cred, &len));
	say("%d %d %d", cred.pid, cred.uid, cred.gid);
}

ROW(cookie, "SO_COOKIE: a number of its own, the same each time")
{
	uint64_t a = 0, b = 0, other = 0;
	socklen_t len = 8;
	int s = tcp();

	num(S(getsockopt)(s, SOL_SOCKET, SO_COOKIE, &a, &len));
	num(S(getsockopt)(s, SOL_SOCKET, SO_COOKIE, &b, &len));
	num(S(getsockopt)(tcp(), SOL_SOCKET, SO_COOKIE, &other, &len));
	say("%d", a == b && a != other && a != 0);
	len = 4;
	num(S(getsockopt)(s, SOL_SOCKET, SO_COOKIE, &a, &len));
}

static uint32_t mem_of(int s, int which)
{
	uint32_t info[9] = {0};
	socklen_t len = sizeof(info);

	must(S(getsockopt)(s, SOL_SOCKET, SO_MEMINFO, info, &len));
	return info[which];
}

ROW(meminfo_rmem, "SO_MEMINFO: what is not read takes more memory than its bytes, until it is")
{
	int a, b;

	tcp_pair(&a, &b);
	num(mem_of(b, 0));
	put(a, "hello");
	await(b, POLLIN);
	num(mem_of(b, 0) > 100);
	get(b, 2);
	num(mem_of(b, 0) > 100);
	get(b, 10);
	num(mem_of(b, 0));
	udp_pair(&a, &b);
	put(a, "hello");
	await(b, POLLIN);
	num(mem_of(b, 0) > 100);
	get(b, 10);
	num(mem_of(b, 0));
}

ROW(meminfo_bufs, "SO_MEMINFO has SO_RCVBUF and SO_SNDBUF")
{
	int a, b;

	tcp_pair(&a, &b);
	must(set_int(a, SOL_SOCKET, SO_RCVBUF, 30000));
	must(set_int(a, SOL_SOCKET, SO_SNDBUF, 40000));
	num(mem_of(a, 1));
	num(mem_of(a, 3));
	num((int)mem_of(b, 1) == get_int(b, SOL_SOCKET, SO_RCVBUF));
	num((int)mem_of(b, 3) == get_int(b, SOL_SOCKET, SO_SNDBUF));
}

ROW(meminfo_wmem, "SO_MEMINFO: what has arrived needs no memory any more")
{
	int a, b;

	tcp_pair(&a, &b);
	num(mem_of(a, 5));
	put(a, "hello");
	await(b, POLLIN);
	settle();
	num(mem_of(a, 5));
}

ROW(small_segments, "a byte a segment: they share their memory")
{
	int a, b;

	tcp_pair(&a, &b);
	must(set_int(a, IPPROTO_TCP, TCP_NODELAY, 1));
	for (int i = 0; i < 200; i++)
		must(S(send)(a, "x", 1, 0));
	settle();
	num(mem_of(b, 0) < 200 * 256);
}

ROW(unread, "what nobody reads is bounded by SO_RCVBUF and SO_SNDBUF")
{
	static char block[10000];
	int a, b;

	tcp_pair(&a, &b);
	must(set_int(b, SOL_SOCKET, SO_RCVBUF, 20000));
	must(set_int(a, SOL_SOCKET, SO_SNDBUF, 20000));
	nonblock(a);
	for (int i = 0; i < 100; i++) {
		while (S(send)(a, block, sizeof(block), 0) > 0)
			;
		nap_ms(1);
	}
	num(mem_of(b, 0) <= 2 * mem_of(b, 1));
	num(events_now(a) & POLLOUT);
	while (S(recv)(b, block, sizeof(block), MSG_DONTWAIT) > 0)
		settle();
	num(mem_of(b, 0));
	await(a, POLLOUT);
	num(events_now(a) & POLLOUT);
}

ROW(meminfo, "SO_MEMINFO")
{
	uint32_t info[16];
	socklen_t len = sizeof(info);

	num(S(getsockopt)(tcp(), SOL_SOCKET, SO_MEMINFO, info, &len));
}

ROW(max_pacing_rate, "SO_MAX_PACING_RATE: default, set, get")
{
	uint32_t rate = 1;
	socklen_t len = sizeof(rate);
	int s = tcp();

	num(S(getsockopt)(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len));
	say("%x", rate);
	rate = 1000000;
	num(S(setsockopt)(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	num(S(getsockopt)(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len));
	say("%u", rate);
}

ROW(ip_options, "IP_OPTIONS: none; a no-op")
{
	uint8_t buf[40] = {1, 1, 1, 1};
	socklen_t len = sizeof(buf);
	int s = udp();

	num(S(getsockopt)(s, IPPROTO_IP, IP_OPTIONS, buf, &len));
	say("%d", (int)len);
	buf[0] = 1;
	num(S(setsockopt)(s, IPPROTO_IP, IP_OPTIONS, buf, 4));
	num(S(setsockopt)(s, IPPROTO_IP, IP_OPTIONS, buf, 41));
}

ROW(ulp, "TCP_ULP: none; tls of a socket that is not connected")
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	num(S(getsockopt)(tcp(), IPPROTO_TCP, TCP_ULP, name, &len));
	num(S(setsockopt)(tcp(), IPPROTO_TCP, TCP_ULP, "nonesuch", 8));
}

ROW(md5sig, "TCP_MD5SIG: a key for a peer")
{
	struct tcp_md5sig key = {.tcpm_keylen = 3, .tcpm_key = "abc"};
	struct at peer = at(A2, 0);

	memcpy(&key.tcpm_addr, &peer.ss, sizeof(key.tcpm_addr));
	num(S(setsockopt)(tcp(), IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)));
}

ROW(cc_info, "TCP_CC_INFO")
{
	uint8_t buf[64];
	socklen_t len = sizeof(buf);

	num(S(getsockopt)(tcp(), IPPROTO_TCP, TCP_CC_INFO, buf, &len));
}

ROW(saved_syn, "TCP_SAVED_SYN: of a connection whose listener kept it")
{
	uint8_t buf[128];
	socklen_t len = sizeof(buf);
	int l = listener_at(A1), s;

	num(set_int(l, IPPROTO_TCP, TCP_SAVE_SYN, 1));
	must(connect_at(tcp(), A1, port_of(l)));
	s = keep((int)must(S(accept)(l, NULL, NULL)));
	num(S(getsockopt)(s, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len));
	say("%d", len > 0);
}

ROW(tcp_timestamp, "TCP_TIMESTAMP: can be read")
{
	int c, s, value = -1;
	socklen_t len = sizeof(value);

	tcp_pair(&c, &s);
	num(S(getsockopt)(c, IPPROTO_TCP, TCP_TIMESTAMP, &value, &len));
}

ROW(error_is_read_once, "SO_ERROR: of a refused connection, once")
{
	int s = tcp();

	nonblock(s);
	connect_at(s, A1, free_port(SOCK_STREAM));
	await(s, POLLOUT);
	say_error(s);
	say_error(s);
	num(connect_at(s, A1, port_of(listener_at(A1))));
}

ROW(error_nowhere, "SO_ERROR: a route that says no gives it at once")
{
	int s = tcp();

	nonblock(s);
	num(connect_at(s, FOREIGN, 7));
	say_error(s);
}

/* ICMP_FILTER, ICMPV6_FILTER of a raw socket: asked, set, and asked again. */
static void filter_of(int domain, int protocol, int level)
{
	int r = keep((int)must(S(socket)(domain, SOCK_RAW, protocol)));
	uint32_t bits[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	socklen_t len = sizeof(bits);

	num(S(setsockopt)(r, level, 1, bits, sizeof(bits)));
	memset(bits, 0, sizeof(bits));
	if (num(S(getsockopt)(r, level, 1, bits, &len)) == 0)
		say("%u/%u/%u", bits[0], bits[7], len);
}

ROW(peek_off_raw, "SO_PEEK_OFF: of raw sockets and of packet sockets; lengths; no value")
{
	static const int kinds[][3] = {{AF_INET, SOCK_RAW, IPPROTO_ICMP},
		{AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}, {AF_PACKET, SOCK_RAW, 0},
		{AF_PACKET, SOCK_DGRAM, 0}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int u = keep((int)must(S(socket)(kinds[i][0], kinds[i][1], kinds[i][2]))), v = 0;
		socklen_t len = sizeof(v);

		num(set_int(u, SOL_SOCKET, SO_PEEK_OFF, 0));
		num(set_int(u, SOL_SOCKET, SO_PEEK_OFF, -1));
		num(S(setsockopt)(u, SOL_SOCKET, SO_PEEK_OFF, &v, 3));
		num(S(setsockopt)(u, SOL_SOCKET, SO_PEEK_OFF, NULL, sizeof(v)));
		num(S(getsockopt)(u, SOL_SOCKET, SO_PEEK_OFF, &v, &len));
		len = 0;
		num(S(getsockopt)(u, SOL_SOCKET, SO_PEEK_OFF, &v, &len));
		len = (socklen_t)-1;
		num(S(getsockopt)(u, SOL_SOCKET, SO_PEEK_OFF, &v, &len));
	}
}

ROW(icmp_filter, "ICMP_FILTER, ICMPV6_FILTER: raw sockets of their protocol, and of others")
{
	filter_of(AF_INET, IPPROTO_ICMP, SOL_RAW);
	filter_of(AF_INET, IPPROTO_UDP, SOL_RAW);
	filter_of(AF_INET, IPPROTO_ICMPV6, SOL_RAW);
	filter_of(AF_INET, IPPROTO_RAW, SOL_RAW);
	filter_of(AF_INET6, IPPROTO_ICMPV6, IPPROTO_ICMPV6);
	filter_of(AF_INET6, IPPROTO_UDP, IPPROTO_ICMPV6);
	filter_of(AF_INET6, IPPROTO_ICMP, IPPROTO_ICMPV6);
}
