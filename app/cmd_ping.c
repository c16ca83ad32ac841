/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include <rte_random.h>

#include "names.h"
#include "ping.h"

/*
 * ping, over a raw socket of ICMP or ICMPv6: its answers and the errors about its requests all come
 * there, as packets. Times are those of the loop's pass.
 */

struct options {
	struct names_conf names;
	uint32_t count, interval_ms, size, timeout_ms, ttl;
	bool quiet, df, v4, v6;
};

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"count", "N", OPT_U32, FIELD(count), "0", "end after so many requests; 0: on SIGINT", 0,
		UINT32_MAX},
	{"interval", "MS", OPT_U32, FIELD(interval_ms), "1000", "between two requests", 1, 3600000},
	{"size", "BYTES", OPT_U32, FIELD(size), "56", "of data, behind ICMP's header", 0,
		PING_SIZE_MAX},
	{"timeout", "MS", OPT_U32, FIELD(timeout_ms), "10000",
		"how long to wait for answers to the last one", 1, 3600000},
	{"ttl", "N", OPT_U32, FIELD(ttl), "0",
		"time to live, hop limit; 0: as the stack's default is", 0, 255},
	{"df", NULL, OPT_FLAG, FIELD(df), NULL, "don't fragment (ping -M do)"},
	{"quiet", NULL, OPT_FLAG, FIELD(quiet), NULL, "print the summary alone"},
	{"ipv4", NULL, OPT_FLAG, FIELD(v4), NULL, "only addresses of IPv4"},
	{"ipv6", NULL, OPT_FLAG, FIELD(v6), NULL, "only addresses of IPv6"},
	NAMES_OPTS(FIELD(names)),
	{NULL},
};

static struct ping {
	struct names_run n;
	const struct options *o;
	const char *target;
	char addr[INET6_ADDRSTRLEN + PLX_IF_NAMESIZE];
	bool v6, asked;
	uint16_t id;
	union prog_addr to;
	socklen_t to_len;
	struct watch sock;
	plx_ns next_ns;
	struct ping_stats stats;
	uint8_t packet[PING_HDR + PING_SIZE_MAX];
} ping = {.sock.fd = -1};

/* ---- in ---- */

static void answered(
	uint16_t seq, const char *from, int ttl, const uint8_t *data, size_t n, plx_ns now)
{
	FILE *out = ping.o->quiet ? NULL : ping.n.out;
	enum ping_was was;
	plx_ns rtt_ns;
	char ms[24];
	int odd = ping_check(data, n);

	was = ping_received(&ping.stats, seq, now, &rtt_ns);
	if (was == PING_ODD || !out)
		return;
	fprintf(out, "%zu bytes from %s: icmp_seq=%u ttl=%d time=%s ms%s\n", n + PING_HDR, from,
		seq, ttl, ping_ms(rtt_ns, ms), was == PING_DUP ? " (DUP!)" : "");
	if (odd >= 0)
		fprintf(out, "wrong data byte #%d should be 0x%x but was 0x%x\n", odd, odd & 0xff,
			data[odd]);
	fflush(out);
}

static void failed(
	uint16_t seq, const char *from, uint8_t type, uint8_t code, uint32_t info, plx_ns now)
{
	FILE *out = ping.o->quiet ? NULL : ping.n.out;
	char why[80];

	ping_error(&ping.stats, seq, now);
	if (!out)
		return;
	fprintf(out, "From %s icmp_seq=%u %s\n", from, seq,
		ping_why(ping.v6, type, code, info, why));
	fflush(out);
}

/* Is it an echo of ours, of this type? It is quoted, or came. */
static bool is_ours(const uint8_t *icmp, size_t n, uint8_t type, uint16_t *seq)
{
	*seq = plx_get_be16(icmp + 6);
	return n >= PING_HDR && icmp[0] == type && plx_get_be16(icmp + 4) == ping.id;
}

static void in4(const uint8_t *p, size_t n, const char *from, plx_ns now)
{
	size_t hdr = n >= sizeof(struct iphdr) ? (size_t)(p[0] & 15) * 4 : n;
	const uint8_t *icmp = p + hdr;
	uint16_t seq;

	if (n < hdr + PING_HDR)
		return;
	if (is_ours(icmp, n - hdr, ICMP_ECHOREPLY, &seq)) {
		answered(seq, from, p[8], icmp + PING_HDR, n - hdr - PING_HDR, now);
		return;
	}
	n -= hdr + PING_HDR;
	p = icmp + PING_HDR;
	hdr = n >= sizeof(struct iphdr) ? (size_t)(p[0] & 15) * 4 : n;
	if ((icmp[0] == ICMP_DEST_UNREACH || icmp[0] == ICMP_TIME_EXCEEDED ||
		    icmp[0] == ICMP_PARAMETERPROB) &&
		n >= hdr + PING_HDR && p[9] == IPPROTO_ICMP &&
		is_ours(p + hdr, n - hdr, ICMP_ECHO, &seq))
		failed(seq, from, icmp[0], icmp[1], plx_get_be16(icmp + 6), now);
}

static void in6(const uint8_t *icmp, size_t n, int ttl, const char *from, plx_ns now)
{
	const size_t hdr = sizeof(struct ip6_hdr);
	uint16_t seq;

	if (n < PING_HDR)
		return;
	if (is_ours(icmp, n, ICMP6_ECHO_REPLY, &seq))
		answered(seq, from, ttl, icmp + PING_HDR, n - PING_HDR, now);
	else if (icmp[0] < 128 && n >= PING_HDR + hdr + PING_HDR &&
		 icmp[PING_HDR + 6] == IPPROTO_ICMPV6 &&
		 is_ours(icmp + PING_HDR + hdr, n - PING_HDR - hdr, ICMP6_ECHO_REQUEST, &seq))
		failed(seq, from, icmp[0], icmp[1], plx_get_be32(icmp + 4), now);
}

static int hops_of(struct msghdr *m)
{
	int hops = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	return hops;
}

/* Of each request something has become. */
static void end_if_told(void)
{
	const struct ping_stats *s = &ping.stats;
	uint32_t count = ping.o->count;

	if (count && s->sent >= count && s->received + s->errors >= count)
		names_end(&ping.n, APP_OK);
}

static void ready(struct prog *p, struct watch *w, uint32_t events)
{
	static uint8_t packet[65536];
	uint8_t control[256];
	union prog_addr sa;
	struct iovec iov = {packet, sizeof(packet)};
	char from[INET6_ADDRSTRLEN];
	ssize_t n;

	for (;;) {
		struct msghdr m = {.msg_name = &sa,
			.msg_namelen = sizeof(sa),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};

		n = plx_recvmsg(w->fd, &m, 0);
		if (n < 0)
			break;
		inet_ntop(sa.sa.sa_family,
			ping.v6 ? (const void *)&sa.in6.sin6_addr : &sa.in.sin_addr, from,
			sizeof(from));
		if (ping.v6)
			in6(packet, (size_t)n, hops_of(&m), from, p->now);
		else
			in4(packet, (size_t)n, from, p->now);
	}
	end_if_told();
}

/* ---- out ---- */

static void send_one(plx_ns now)
{
	size_t n = PING_HDR + ping.o->size;
	uint16_t seq = ping_sent(&ping.stats, now), sum;

	memset(ping.packet, 0, PING_HDR);
	ping.packet[0] = ping.v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	plx_put_be16(ping.packet + 4, ping.id);
	plx_put_be16(ping.packet + 6, seq);
	if (!ping.v6) {
		sum = plx_cksum(ping.packet, n);
		memcpy(ping.packet + 2, &sum, 2);
	}
	if (plx_sendto(ping.sock.fd, ping.packet, n, 0, &ping.to.sa, ping.to_len) >= 0)
		return;
	ping_error(&ping.stats, seq, now);
	if (errno == EMSGSIZE)
		app_note("ping: local error: message too long");
	else
		app_note("ping: sendmsg: %s", strerror(errno));
}

static int open_socket(const struct addrinfo *ai)
{
	const int one = 1, ttl = (int)ping.o->ttl, must = IP_PMTUDISC_DO;
	int level = ping.v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int fd = plx_socket(ai->ai_family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		ping.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	if (fd < 0)
		return -1;
	if (ping.v6)
		plx_setsockopt(fd, level, IPV6_RECVHOPLIMIT, &one, sizeof(one));
	if (ttl && plx_setsockopt(
			   fd, level, ping.v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl)) != 0)
		return -1;
	if (ping.o->df && plx_setsockopt(fd, level, ping.v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
				  &must, sizeof(must)) != 0)
		return -1;
	ping.sock.fd = fd; /* not connected: errors come from others than the peer */
	return 0;
}

static void print_head(void)
{
	if (!ping.n.out)
		return;
	if (ping.v6)
		fprintf(ping.n.out, "PING %s(%s) %u data bytes\n", ping.target, ping.addr,
			ping.o->size);
	else
		fprintf(ping.n.out, "PING %s (%s) %u(%u) bytes of data.\n", ping.target, ping.addr,
			ping.o->size, ping.o->size + PING_HDR + (uint32_t)sizeof(struct iphdr));
	fflush(ping.n.out);
}

/* ---- the program ---- */

static void found(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name)
{
	struct prog *p = q->arg;

	if (err) {
		names_fail(&ping.n, ping.target, names_error(err));
		ping.n.code = APP_USAGE; /* as ping's is */
		return;
	}
	ping.v6 = res->ai_family == AF_INET6;
	plx_getnameinfo(res->ai_addr, res->ai_addrlen, ping.addr, sizeof(ping.addr), NULL, 0,
		NI_NUMERICHOST);
	ping.sock.ready = ready;
	memcpy(&ping.to, res->ai_addr, res->ai_addrlen);
	ping.to_len = res->ai_addrlen;
	if (open_socket(res) != 0 || prog_watch(p, &ping.sock, EPOLLIN | EPOLLERR) != 0) {
		names_fail(&ping.n, ping.target, strerror(errno));
	} else {
		print_head();
		ping.next_ns = p->now;
	}
	plx_freeaddrinfo(res);
}

static void ask(struct prog *p)
{
	const struct options *o = ping.o;
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
		.ai_family = o->v6   ? AF_INET6
			     : o->v4 ? AF_INET
				     : AF_UNSPEC};

	ping.asked = true;
	ping.id = (uint16_t)rte_rand();
	ping.next_ns = PLX_NEVER;
	ping_fill(ping.packet + PING_HDR, o->size);
	ping.n.query.done = found;
	ping.n.query.arg = p;
	plx_resolv_addr(&ping.n.query, ping.target, NULL, &hints);
}

static plx_ns timer(struct prog *p, plx_ns now)
{
	const struct options *o = ping.o;
	plx_ns next;

	if (!names_ready(p, &next))
		return next;
	if (!ping.asked)
		ask(p);
	if (now < ping.next_ns || ping.n.over)
		return ping.next_ns;
	if (o->count && ping.stats.sent == o->count) {
		names_end(&ping.n, APP_OK);
		return PLX_NEVER;
	}
	send_one(now);
	end_if_told();
	ping.next_ns = now + PLX_MS(o->count && ping.stats.sent == o->count ? o->timeout_ms
									    : o->interval_ms);
	return ping.next_ns;
}

static int start(struct prog *p)
{
	return 0;
}

static void json(struct stack *s, json_t *o, bool final)
{
	const struct ping_stats *st = &ping.stats;
	double n = (double)(st->received + st->dups);

	if (!final)
		return;
	json_object_set_new(o, "ping",
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "target",
			ping.target, "address", ping.addr, "transmitted", (json_int_t)st->sent,
			"received", (json_int_t)st->received, "duplicates", (json_int_t)st->dups,
			"errors", (json_int_t)st->errors, "min_ms", NAMES_MS(st->min_ns), "avg_ms",
			n > 0 ? st->sum_us / n / 1e3 : 0, "max_ms", NAMES_MS(st->max_ns), "mdev_ms",
			ping_mdev_us(st) / 1e3));
}

static const struct prog_ops ops = {.bytes = sizeof(struct prog),
	.start = start,
	.timer = timer,
	.json = json,
	.prepare = names_prepare,
	.end = names_finish};

static int run(struct app *app, void *arg)
{
	int code;

	ping.o = arg;
	ping.target = app->operand[0];
	code = names_main(app, &ops, &ping.n, &ping.o->names);
	if (ping.n.out && ping.sock.fd >= 0)
		ping_print_stats(&ping.stats, ping.target, ping.n.out);
	if (code != APP_OK)
		return code;
	return ping.stats.received ? APP_OK : ping.n.code == APP_USAGE ? APP_USAGE : APP_FAILED;
}

const struct plx_cmd cmd_ping = {
	.name = "ping",
	.operands = "NAME",
	.summary = "ask hosts for an echo, and print as ping does",
	.text = "ICMP or ICMPv6 echoes over a raw socket. Ends with 0 when something was\n"
		"answered, 1 when nothing was, 2 when the name is unknown.\n"
		"\n"
		"Examples:\n"
		"  pollux ... -- ping --if 0,addr=10.9.0.2/24 --count 3 10.9.0.1\n"
		"  pollux ... -- ping --if 0,addr=fd00:9::2/64 --nameserver fd00:9::1 \\\n"
		"    --interval 200 --size 1400 --df www.example.org",
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.stack = true,
	.check = names_check,
	.run = run,
};
