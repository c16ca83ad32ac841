/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * For tests of the adapter: a peer that speaks TCP and UDP in raw packets, as packetdrill does, and
 * the second thread, for calls that block.
 *
 * The peer is 192.0.2.1 (or 2001:db8:1::1), the stack 192.168.0.1 (2001:db8::1), on port 8080.
 */
#include "t.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <plx_wire.h>

#include "interface.h"

#define PORT	8080
#define PEER_MS 1000 /* microseconds */

static struct packetdrill_interface pd;

/* ---- the clock ---- */

static long long now_us(void)
{
	struct timeval tv;

	eq(pd.gettimeofday(pd.self, &tv, NULL), 0);
	return (long long)tv.tv_sec * 1000000 + tv.tv_usec;
}

static inline void sleep_us(useconds_t us)
{
	eq(pd.usleep(pd.self, us), 0);
}

/** It was at this time, give or take a millisecond: looks at the clock move it. */
#define at_us(got, want)                                                                           \
	do {                                                                                       \
		long long got_ = (got), want_ = (want);                                            \
		if (got_ < want_ || got_ > want_ + PEER_MS)                                        \
			fail_msg("at %lld us, not %lld", got_, want_);                             \
	} while (0)

/* ---- packets ---- */

static struct peer {
	bool v6;
	uint16_t port;
	uint32_t seq, ack; /* its next sequence number, and ours that it expects */
	bool ts;	   /* its SYN has timestamps */
} peer;

/** A segment of the stack's. */
struct seg {
	struct plx_ip ip;
	struct plx_tcp_hdr h;
	struct plx_tcp_opts o;
	uint32_t len;
	const uint8_t *text;
	long long us;
	uint8_t raw[70000];
};

static struct plx_addr addr_of(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static struct plx_addr peer_addr(void)
{
	return addr_of(peer.v6 ? "2001:db8:1::1" : "192.0.2.1");
}

static struct plx_addr our_addr(void)
{
	return addr_of(peer.v6 ? "2001:db8::1" : "192.168.0.1");
}

static uint8_t text_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* An IP packet around what stands at its place behind the header. */
static void put_ip(uint8_t *packet, uint8_t proto, uint32_t l4_bytes)
{
	struct plx_ip ip = {.src = peer_addr(), .dst = our_addr(), .proto = proto, .ttl = 64};
	uint32_t hdr = peer.v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES;

	ip.version = peer.v6 ? 6 : 4;
	ip.l4_bytes = (uint16_t)l4_bytes;
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, proto, packet + hdr, l4_bytes);
	if (peer.v6)
		plx_wire_ip6_emit(packet, &ip);
	else
		plx_wire_ip4_emit(packet, &ip);
	eq(pd.netdev_send(pd.self, packet, hdr + l4_bytes), 0);
}

/** The peer sends a segment with so much text. */
static void tcp_in(uint16_t flags, uint32_t len)
{
	static uint8_t packet[70000];
	struct plx_tcp_opts o = {.mss = 1000, .present = flags & PLX_TCP_SYN ? PLX_TCP_OPT_MSS : 0};
	struct plx_tcp_hdr h = {.sport = peer.port,
		.dport = PORT,
		.seq = peer.seq,
		.ack = flags & PLX_TCP_ACK ? peer.ack : 0,
		.flags = flags,
		.win = 60000};
	uint8_t *p = packet + (peer.v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES);

	if (flags & PLX_TCP_SYN && peer.ts)
		o.present |= PLX_TCP_OPT_TS;
	h.hdr_bytes = (uint8_t)(PLX_TCP_BYTES + plx_wire_tcp_opts_bytes(&o));
	plx_wire_tcp_emit(p, &h);
	plx_wire_tcp_opts_emit(p + PLX_TCP_BYTES, &o);
	for (uint32_t i = 0; i < len; i++)
		p[h.hdr_bytes + i] = text_at(i);
	peer.seq += len + !!(flags & (PLX_TCP_SYN | PLX_TCP_FIN));
	put_ip(packet, PLX_IPPROTO_TCP, h.hdr_bytes + len);
}

/** Another packet of the stack's. @return false: none will come. */
static bool next_packet(struct seg *s, size_t *bytes)
{
	uint8_t code;

	*bytes = sizeof(s->raw);
	eq(pd.netdev_receive(pd.self, s->raw, bytes, &s->us), 0);
	if (*bytes == 0)
		return false;
	if (s->raw[0] >> 4 == 4)
		eq(plx_wire_ip4_parse(&s->ip, s->raw, (uint32_t)*bytes, true), PLX_DROP_NONE);
	else
		eq(plx_wire_ip6_parse(&s->ip, s->raw, (uint32_t)*bytes, &code), PLX_DROP_NONE);
	s->text = s->raw + s->ip.hdr_bytes;
	ok(plx_wire_l4_cksum_ok(&s->ip, s->text, s->ip.l4_bytes));
	return true;
}

/** Whatever the stack still has to say is not looked at. */
static inline void forget_packets(void)
{
	static struct seg s;
	size_t bytes;

	while (next_packet(&s, &bytes))
		;
}

/** The stack's next segment has these flags and so much text. */
static void tcp_out(struct seg *s, uint16_t flags, uint32_t len)
{
	size_t bytes;

	ok(next_packet(s, &bytes));
	eq(s->ip.proto, PLX_IPPROTO_TCP);
	eq(plx_wire_tcp_parse(&s->h, s->text, s->ip.l4_bytes), PLX_DROP_NONE);
	eq(plx_wire_tcp_opts_parse(&s->o, s->text + PLX_TCP_BYTES, s->h.hdr_bytes - PLX_TCP_BYTES,
		   s->h.flags & PLX_TCP_SYN),
		PLX_DROP_NONE);
	s->text += s->h.hdr_bytes;
	s->len = s->ip.l4_bytes - s->h.hdr_bytes;
	eq(s->h.flags & ~PLX_TCP_PSH, flags);
	eq(s->len, len);
}

/* ---- the program ---- */

static inline socklen_t sockaddr_of(
	struct sockaddr_storage *ss, const struct plx_addr *a, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (plx_addr_is_v4(a)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->b + 12, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, 16);
	return sizeof(*in6);
}

static int family(void)
{
	return peer.v6 ? AF_INET6 : AF_INET;
}

/** A socket of the family, bound to PORT. */
static int bound(int type)
{
	struct sockaddr_storage ss;
	const struct plx_addr a = our_addr();
	socklen_t len = sockaddr_of(&ss, &a, PORT);
	int fd = pd.socket(pd.self, family(), type, 0), one = 1;

	ok(fd >= 0);
	eq(pd.setsockopt(pd.self, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	eq(pd.bind(pd.self, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static int listening(void)
{
	int fd = bound(SOCK_STREAM);

	eq(pd.listen(pd.self, fd, 1), 0);
	return fd;
}

/** The peer connects. @return the accepted socket. */
static inline int accepted(int listener)
{
	struct seg s;
	int fd;

	peer.port++;
	peer.seq = 1000;
	tcp_in(PLX_TCP_SYN, 0);
	tcp_out(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	peer.ack = s.h.seq + 1;
	tcp_in(PLX_TCP_ACK, 0);
	fd = pd.accept(pd.self, listener, NULL, NULL);
	ok(fd >= 0);
	return fd;
}

/** The peer gives up the connection, we close it: nothing is left. */
static inline void reset(int fd)
{
	tcp_in(PLX_TCP_RST | PLX_TCP_ACK, 0);
	eq(pd.close(pd.self, fd), 0);
	forget_packets();
}

/* ---- the second thread ---- */

struct blocking {
	long (*call)(struct blocking *b);
	int fd;
	void *buf;
	size_t n;
	int timeout_ms;
	/* results */
	long result;
	int err;
	long long us; /* when it came back */
	pid_t tid;
	bool done;
	pthread_t thread;
};

static void *blocking_main(void *arg)
{
	struct blocking *b = arg;
	struct timeval tv;

	__atomic_store_n(&b->tid, gettid(), __ATOMIC_RELEASE);
	b->result = b->call(b);
	b->err = errno;
	pd.gettimeofday(pd.self, &tv, NULL);
	b->us = (long long)tv.tv_sec * 1000000 + tv.tv_usec;
	__atomic_store_n(&b->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool is_done(const struct blocking *b)
{
	return __atomic_load_n(&b->done, __ATOMIC_ACQUIRE);
}

/* As packetdrill finds out. */
static bool is_asleep(pid_t tid)
{
	char path[64], line[512] = {0};
	const char *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return true;
	ok(read(fd, line, sizeof(line) - 1) > 0);
	close(fd);
	state = strrchr(line, ')');
	return state && state[2] == 'S';
}

/** Begin a call, which is to block. */
static inline void block(struct blocking *b)
{
	pid_t tid;

	eq(pthread_create(&b->thread, NULL, blocking_main, b), 0);
	do {
		sched_yield();
		tid = __atomic_load_n(&b->tid, __ATOMIC_ACQUIRE);
	} while (!tid || (!is_asleep(tid) && !is_done(b)));
	ok(!is_done(b));
}

/** It has come back. */
static inline void unblocked(struct blocking *b)
{
	eq(pthread_join(b->thread, NULL), 0);
}
