/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options that are numbers: what they are at first, what they take, of which length. A table of
 * options, and a handful of questions asked of each.
 */
#include "kit.h"

#include <linux/errqueue.h>

#define LOCAL	  1 /* large values depend on the machine, and are told as N */
#define READ_ONLY 2
#define LCORE	  4 /* any that is not negative is told as N */

enum kind { TCP, UDP, TCP6, UDP6 };

static int of_kind(enum kind k)
{
	return made(
		k < TCP6 ? AF_INET : AF_INET6, k == UDP || k == UDP6 ? SOCK_DGRAM : SOCK_STREAM);
}

struct option {
	const char *name;
	int level, id;
	enum kind kind;
	int flags;
	int values[6]; /* beside 0, 1 and -1; ends with 0 */
};

#define O(level_, id_, kind_, flags_, ...)                                                         \
	{                                                                                          \
		.name = #id_, .level = level_, .id = id_, .kind = kind_, .flags = flags_,          \
		.values = {__VA_ARGS__},                                                           \
	}

static const struct option options[] = {
	O(SOL_SOCKET, SO_REUSEADDR, TCP, 0, 2),
	O(SOL_SOCKET, SO_REUSEPORT, TCP, 0, 2),
	O(SOL_SOCKET, SO_KEEPALIVE, TCP, 0, 2),
	O(SOL_SOCKET, SO_BROADCAST, UDP, 0, 2),
	O(SOL_SOCKET, SO_DONTROUTE, UDP, 0, 2),
	O(SOL_SOCKET, SO_OOBINLINE, TCP, 0, 2),
	O(SOL_SOCKET, SO_RCVLOWAT, TCP, LOCAL, 2, 5000),
	O(SOL_SOCKET, SO_SNDLOWAT, TCP, 0, 2),
	O(SOL_SOCKET, SO_SNDBUF, TCP, LOCAL, 2, 10000, 65536),
	O(SOL_SOCKET, SO_RCVBUF, TCP, LOCAL, 2, 10000, 65536),
	O(SOL_SOCKET, SO_SNDBUFFORCE, TCP, LOCAL, 2, 10000),
	O(SOL_SOCKET, SO_RCVBUFFORCE, TCP, LOCAL, 2, 10000),
	O(SOL_SOCKET, SO_BUF_LOCK, TCP, 0, 2, 3, 4),
	O(SOL_SOCKET, SO_TYPE, TCP, READ_ONLY, 2),
	O(SOL_SOCKET, SO_DOMAIN, TCP, READ_ONLY, 2),
	O(SOL_SOCKET, SO_PROTOCOL, TCP, READ_ONLY, 2),
	O(SOL_SOCKET, SO_ACCEPTCONN, TCP, READ_ONLY, 2),
	O(SOL_SOCKET, SO_ERROR, TCP, READ_ONLY, 2),
	O(SOL_SOCKET, SO_PRIORITY, TCP, 0, 6, 7, 100),
	O(SOL_SOCKET, SO_MARK, TCP, 0, 7),
	O(SOL_SOCKET, SO_TIMESTAMP, UDP, 0, 2),
	O(SOL_SOCKET, SO_TIMESTAMPNS, UDP, 0, 2),
	O(SOL_SOCKET, SO_RXQ_OVFL, UDP, 0, 2),
	O(SOL_SOCKET, SO_NO_CHECK, UDP, 0, 2),
	O(SOL_SOCKET, SO_PEEK_OFF, UDP, 0, 5),
	O(SOL_SOCKET, SO_SELECT_ERR_QUEUE, UDP, 0, 2),
	O(SOL_SOCKET, SO_ZEROCOPY, TCP, 0, 2),
	O(SOL_SOCKET, SO_INCOMING_CPU, TCP, LCORE),
	O(SOL_SOCKET, SO_BUSY_POLL, TCP, LOCAL, 50),
	O(SOL_SOCKET, SO_LOCK_FILTER, TCP, 0, 2),
	O(SOL_SOCKET, SO_PASSCRED, TCP, 0, 2),
	O(SOL_SOCKET, SO_BINDTOIFINDEX, UDP, 0, 77),
	O(SOL_SOCKET, 9999, TCP, 0, 2),
	O(IPPROTO_IP, IP_TOS, UDP, 0, 3, 0x10, 0xb8, 255, 256),
	O(IPPROTO_IP, IP_TTL, UDP, 0, 64, 255, 256),
	O(IPPROTO_IP, IP_MINTTL, TCP, 0, 255, 256),
	O(IPPROTO_IP, IP_MULTICAST_TTL, UDP, 0, 64, 255, 256),
	O(IPPROTO_IP, IP_MULTICAST_LOOP, UDP, 0, 2, 255),
	O(IPPROTO_IP, IP_MULTICAST_ALL, UDP, 0, 2),
	O(IPPROTO_IP, IP_PKTINFO, UDP, 0, 2),
	O(IPPROTO_IP, IP_RECVTTL, UDP, 0, 2),
	O(IPPROTO_IP, IP_RECVTOS, UDP, 0, 2),
	O(IPPROTO_IP, IP_RECVERR, UDP, 0, 2),
	O(IPPROTO_IP, IP_RECVOPTS, UDP, 0, 2),
	O(IPPROTO_IP, IP_RECVORIGDSTADDR, UDP, 0, 2),
	O(IPPROTO_IP, IP_RECVFRAGSIZE, UDP, 0, 2),
	O(IPPROTO_IP, IP_MTU_DISCOVER, UDP, 0, 2, 3, 4, 5, 6),
	O(IPPROTO_IP, IP_MTU, UDP, READ_ONLY, 2),
	O(IPPROTO_IP, IP_FREEBIND, TCP, 0, 2),
	O(IPPROTO_IP, IP_TRANSPARENT, TCP, 0, 2),
	O(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, TCP, 0, 2),
	O(IPPROTO_IP, IP_HDRINCL, UDP, 0, 2),
	O(IPPROTO_IP, IP_NODEFRAG, UDP, 0, 2),
	O(IPPROTO_IP, IP_UNICAST_IF, UDP, 0, 77),
	O(IPPROTO_IP, 9999, UDP, 0, 2),
	O(IPPROTO_IPV6, IPV6_V6ONLY, TCP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_UNICAST_HOPS, UDP6, 0, 64, 255, 256, -2),
	O(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, UDP6, 0, 64, 255, 256, -2),
	O(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, UDP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_MULTICAST_IF, UDP6, 0, 77),
	O(IPPROTO_IPV6, IPV6_RECVPKTINFO, UDP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, UDP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_TCLASS, UDP6, 0, 0xb8, 255, 256, -2),
	O(IPPROTO_IPV6, IPV6_RECVTCLASS, UDP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_RECVERR, UDP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_MTU_DISCOVER, UDP6, 0, 2, 3, 4, 5, 6),
	O(IPPROTO_IPV6, IPV6_MTU, UDP6, 0, 1279, 1280),
	O(IPPROTO_IPV6, IPV6_DONTFRAG, UDP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_MINHOPCOUNT, TCP6, 0, 255, 256),
	O(IPPROTO_IPV6, IPV6_FREEBIND, TCP6, 0, 2),
	O(IPPROTO_IPV6, IPV6_UNICAST_IF, UDP6, 0, 77),
	O(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, UDP6, 0, 2),
	O(IPPROTO_IPV6, 9999, UDP6, 0, 2),
	O(IPPROTO_TCP, TCP_NODELAY, TCP, 0, 2),
	O(IPPROTO_TCP, TCP_CORK, TCP, 0, 2),
	O(IPPROTO_TCP, TCP_MAXSEG, TCP, 0, 10, 88, 1000, 32767, 32768),
	O(IPPROTO_TCP, TCP_KEEPIDLE, TCP, 0, 10, 32767, 32768),
	O(IPPROTO_TCP, TCP_KEEPINTVL, TCP, 0, 10, 32767, 32768),
	O(IPPROTO_TCP, TCP_KEEPCNT, TCP, 0, 10, 127, 128),
	O(IPPROTO_TCP, TCP_SYNCNT, TCP, 0, 10, 127, 128),
	O(IPPROTO_TCP, TCP_LINGER2, TCP, 0, 10, 120, 121),
	O(IPPROTO_TCP, TCP_DEFER_ACCEPT, TCP, 0, 3, 10),
	O(IPPROTO_TCP, TCP_WINDOW_CLAMP, TCP, 0, 1000, 10000),
	O(IPPROTO_TCP, TCP_QUICKACK, TCP, 0, 2),
	O(IPPROTO_TCP, TCP_USER_TIMEOUT, TCP, 0, 1000),
	O(IPPROTO_TCP, TCP_NOTSENT_LOWAT, TCP, 0, 1000),
	O(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, TCP, 0, 2),
	O(IPPROTO_TCP, TCP_FASTOPEN, TCP, 0, 5),
	O(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, TCP, 0, 2),
	O(IPPROTO_TCP, TCP_SAVE_SYN, TCP, 0, 2, 3),
	O(IPPROTO_TCP, TCP_INQ, TCP, 0, 2),
	O(IPPROTO_TCP, TCP_REPAIR, TCP, 0, 2),
	O(IPPROTO_TCP, 9999, TCP, 0, 2),
	O(IPPROTO_UDP, UDP_CORK, UDP, 0, 2),
	O(IPPROTO_UDP, UDP_SEGMENT, UDP, 0, 1000, 65535, 65536),
	O(IPPROTO_UDP, UDP_GRO, UDP, 0, 2),
	O(IPPROTO_UDP, UDP_NO_CHECK6_TX, UDP6, 0, 2),
	O(IPPROTO_UDP, UDP_NO_CHECK6_RX, UDP6, 0, 2),
	O(IPPROTO_UDP, 9999, UDP, 0, 2),
	O(9999, 1, TCP, 0, 2),
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* ---- questions ---- */

/* On a socket of each kind. */
static void ask_default(const void *arg)
{
	static const char *const kinds[] = {"tcp", "udp", "tcp6", "udp6"};
	const struct option *o = arg;

	for (enum kind k = TCP; k <= UDP6; k++) {
		int value = 0x55555555, s = of_kind(k);
		socklen_t len = sizeof(value);

		if (S(getsockopt)(s, o->level, o->id, &value, &len) < 0)
			say("%s:%s", kinds[k], errno_name(errno));
		else if ((o->flags & LOCAL && value > 1000) || (o->flags & LCORE && value >= 0))
			say("%s:N", kinds[k]);
		else
			say("%s:%d", kinds[k], value);
	}
}

static void try_value(const struct option *o, int s, int value)
{
	int got = 0x55555555;
	socklen_t len = sizeof(got);

	if (set_int(s, o->level, o->id, value) < 0)
		say("%d:%s", value, errno_name(errno));
	else if (S(getsockopt)(s, o->level, o->id, &got, &len) < 0)
		say("%d:0/%s", value, errno_name(errno));
	else if (o->flags & LOCAL && got > 200000)
		say("%d:N", value);
	else
		say("%d:%d", value, got);
}

static void ask_values(const void *arg)
{
	const struct option *o = arg;
	int s = of_kind(o->kind);

	try_value(o, s, 1);
	for (const int *v = o->values; *v; v++)
		try_value(o, s, *v);
	try_value(o, s, -1);
	try_value(o, s, 0);
}

/* What remains in the buffer counts as well. */
static void ask_length(const void *arg)
{
	static const socklen_t lens[] = {0, 1, 2, 3, 4, 8, (socklen_t)-1};
	const struct option *o = arg;
	int value[2] = {1, 0}, s = of_kind(o->kind), r;

	say("set");
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		r = S(setsockopt)(of_kind(o->kind), o->level, o->id, value, lens[i]);
		say("%d:%s", (int)lens[i], r < 0 ? errno_name(errno) : "0");
	}
	say("get");
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		socklen_t len = lens[i];

		r = S(getsockopt)(s, o->level, o->id, value, &len);
		say("%d:%s/%d", (int)lens[i], r < 0 ? errno_name(errno) : "0", (int)len);
	}
}

static void ask_null(const void *arg)
{
	const struct option *o = arg;
	int s = of_kind(o->kind), value;
	socklen_t len = sizeof(value);

	num(S(setsockopt)(s, o->level, o->id, NULL, sizeof(int)));
	num(S(getsockopt)(s, o->level, o->id, NULL, &len));
	num(S(getsockopt)(s, o->level, o->id, &value, NULL));
}

static const struct {
	const char *name, *what;
	void (*fn)(const void *arg);
} questions[] = {
	{"default", "its default", ask_default},
	{"values", "set, get", ask_values},
	{"length", "setsockopt(), getsockopt() by length", ask_length},
	{"null", "setsockopt(), getsockopt() without a value; without a length", ask_null},
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static const char *level_name(int level)
{
	switch (level) {
	case SOL_SOCKET:
		return "SOL_SOCKET";
	case IPPROTO_IP:
		return "IPPROTO_IP";
	case IPPROTO_IPV6:
		return "IPPROTO_IPV6";
	case IPPROTO_TCP:
		return "IPPROTO_TCP";
	case IPPROTO_UDP:
		return "IPPROTO_UDP";
	default:
		return "level";
	}
}

__attribute__((constructor)) static void add_options(void)
{
	char name[100], what[200];

	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];
		bool known = o->name[0] > '9';

		for (size_t k = 0; k < QUESTIONS; k++) {
			snprintf(name, sizeof(name), "%s%s%s_%s", known ? "" : level_name(o->level),
				known ? "" : "_", o->name, questions[k].name);
			if (known)
				snprintf(what, sizeof(what), "%s: %s", o->name, questions[k].what);
			else
				snprintf(what, sizeof(what), "%s %d, option %s: %s",
					level_name(o->level), o->level, o->name, questions[k].what);
			row_make(&(struct row){.group = "options",
				.name = name,
				.what = what,
				.order = (int)(i * QUESTIONS + k),
				.fn = questions[k].fn,
				.arg = o});
		}
	}
}
