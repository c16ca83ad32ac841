/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* The one that runs, for events of its sockets. */
static struct trace *active;

bool trace_known(const struct trace *t, uint32_t i)
{
	return t->probe[i].answered || t->probe[i].lost;
}

bool trace_over(const struct trace *t)
{
	return t->err || (t->next == t->n_probes && !t->flight);
}

static void close_probe(struct trace *t, struct trace_probe *p)
{
	t->flight--;
	if (p->sock.fd > 0)
		plx_close(p->sock.fd);
	p->sock.fd = 0;
}

/* The way ends with this probe's hop: what was sent for later ones does not matter. */
static void cut(struct trace *t, uint32_t i)
{
	uint32_t n = (i / t->queries + 1) * t->queries;

	for (uint32_t k = n; k < t->next; k++)
		if (!trace_known(t, k))
			close_probe(t, &t->probe[k]);
	t->n_probes = PLX_MIN(t->n_probes, n);
	t->next = PLX_MIN(t->next, n);
}

static void answer(struct trace *t, uint32_t i, plx_ns now, const union prog_addr *from,
	uint8_t type, uint8_t code, uint32_t info)
{
	struct trace_probe *p = &t->probe[i];
	bool unreach = type == (t->v6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH);

	if (i >= t->next || trace_known(t, i))
		return;
	p->answered = true;
	p->rtt_ns = now - p->sent_ns;
	p->type = type;
	p->code = code;
	p->info = info;
	p->from.sa.sa_family = from->sa.sa_family;
	if (t->v6)
		p->from.in6.sin6_addr = from->in6.sin6_addr;
	else
		p->from.in.sin_addr = from->in.sin_addr;
	p->final = type == TRACE_ECHO ||
		   (unreach && code == (t->v6 ? ICMP6_DST_UNREACH_NOPORT : ICMP_PORT_UNREACH));
	t->reached |= p->final;
	close_probe(t, p);
	if (p->final || unreach || (t->v6 && type == ICMP6_PACKET_TOO_BIG))
		cut(t, i);
}

/* ---- by UDP ---- */

static void on_udp(struct prog *pr, struct watch *w, uint32_t events)
{
	struct trace_probe *p = plx_container_of(w, struct trace_probe, sock);
	uint8_t data[64], control[512];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	if (p->sock.fd <= 0 || plx_recvmsg(p->sock.fd, &m, MSG_ERRQUEUE) < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		const struct sock_extended_err *e = (const void *)CMSG_DATA(c);
		union prog_addr from = {0};

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
			!(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		if (e->ee_origin != SO_EE_ORIGIN_ICMP && e->ee_origin != SO_EE_ORIGIN_ICMP6)
			continue;
		memcpy(&from, SO_EE_OFFENDER(e), active->v6 ? sizeof(from.in6) : sizeof(from.in));
		answer(active, (uint32_t)(p - active->probe), pr->now, &from, e->ee_type,
			e->ee_code, e->ee_info);
		return;
	}
}

static int set_hops(const struct trace *t, int fd, int hops)
{
	return plx_setsockopt(fd, t->v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		t->v6 ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof(hops));
}

static int send_udp(struct trace *t, struct prog *pr, uint32_t i, const uint8_t *data, size_t n)
{
	struct trace_probe *p = &t->probe[i];
	union prog_addr to = t->to;
	const int one = 1;
	int fd = plx_socket(t->to.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	p->sock.fd = fd;
	p->sock.ready = on_udp;
	if (t->v6)
		to.in6.sin6_port = htons((uint16_t)(t->port + i));
	else
		to.in.sin_port = htons((uint16_t)(t->port + i));
	if (plx_setsockopt(fd, t->v6 ? IPPROTO_IPV6 : IPPROTO_IP, t->v6 ? IPV6_RECVERR : IP_RECVERR,
		    &one, sizeof(one)) != 0 ||
		set_hops(t, fd, (int)(i / t->queries) + 1) != 0 ||
		plx_connect(fd, &to.sa, t->to_len) != 0)
		return -errno;
	if (prog_watch(pr, &p->sock, EPOLLERR) != 0 || plx_send(fd, data, n, 0) < 0)
		return -errno;
	return 0;
}

/* ---- by ICMP ---- */

/* Of which probe's number does an echo's header tell? */
static bool number_of(const struct trace *t, const uint8_t *icmp, uint8_t type, uint32_t *i)
{
	*i = (uint32_t)plx_get_be16(icmp + 6) - 1;
	return icmp[0] == type && plx_get_be16(icmp + 4) == t->id && *i < t->next;
}

/* Which probe does an error quote? */
static bool is_quoted(const struct trace *t, const uint8_t *p, uint8_t proto, uint32_t *i)
{
	int syn;

	if (t->kind == TRACE_ICMP)
		return proto == (t->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) &&
		       number_of(t, p, t->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO, i);
	syn = proto == IPPROTO_TCP ? trace_syn_quoted(&t->syn, t->next, p) : -1;
	*i = (uint32_t)syn;
	return syn >= 0;
}

static void in_icmp(
	struct trace *t, const uint8_t *p, size_t n, const union prog_addr *from, plx_ns now)
{
	size_t hdr = t->v6 ? 0 : n > 0 ? (size_t)(p[0] & 15) * 4 : 0;
	uint8_t type, code;
	uint32_t i;

	if (n < hdr + TRACE_HDR)
		return;
	p += hdr;
	n -= hdr;
	type = p[0];
	code = p[1];
	if (t->kind == TRACE_ICMP &&
		number_of(t, p, t->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY, &i)) {
		answer(t, i, now, from, TRACE_ECHO, 0, 0);
		return;
	}
	if (t->v6 ? type >= 128 : type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED)
		return;
	p += TRACE_HDR;
	n -= TRACE_HDR;
	hdr = t->v6 ? sizeof(struct ip6_hdr) : n > 0 ? (size_t)(p[0] & 15) * 4 : 0;
	if (n >= hdr + TRACE_HDR && n >= sizeof(struct iphdr) &&
		is_quoted(t, p + hdr, p[t->v6 ? 6 : 9], &i))
		answer(t, i, now, from, type, code, plx_get_be32(p - 4));
}

/* IPv4's packets come with their header. */
static void in_tcp(
	struct trace *t, const uint8_t *p, size_t n, const union prog_addr *from, plx_ns now)
{
	size_t hdr = t->v6 ? 0 : n > 0 ? (size_t)(p[0] & 15) * 4 : 0;
	int i = n > hdr ? trace_syn_answered(&t->syn, t->next, p + hdr, n - hdr) : -1;

	if (i >= 0)
		answer(t, (uint32_t)i, now, from, TRACE_ECHO, 0, 0);
}

static void on_raw(struct prog *pr, struct watch *w, uint32_t events)
{
	static uint8_t packet[65536];
	union prog_addr from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = plx_recvfrom(w->fd, packet, sizeof(packet), 0, &from.sa, &len);
		if (n < 0)
			return;
		if (w == &active->syns)
			in_tcp(active, packet, (size_t)n, &from, pr->now);
		else
			in_icmp(active, packet, (size_t)n, &from, pr->now);
	}
}

static int send_icmp(struct trace *t, uint32_t i, uint8_t *data, size_t n)
{
	uint16_t sum;

	memset(data, 0, TRACE_HDR);
	data[0] = t->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	plx_put_be16(data + 4, t->id);
	plx_put_be16(data + 6, (uint16_t)(i + 1));
	if (!t->v6) {
		sum = plx_cksum(data, n);
		memcpy(data + 2, &sum, 2);
	}
	if (set_hops(t, t->raw.fd, (int)(i / t->queries) + 1) != 0 ||
		plx_sendto(t->raw.fd, data, n, 0, &t->to.sa, t->to_len) < 0)
		return -errno;
	return 0;
}

/* ---- by TCP ---- */

static size_t behind_ip(const struct trace *t)
{
	return t->bytes - (t->v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr));
}

/* Who is the sender of what goes there? */
static int find_src(struct trace *t)
{
	int fd = plx_socket(t->to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	union prog_addr to = t->to, from;
	socklen_t len = sizeof(from);

	if (fd < 0)
		return -errno;
	to.in.sin_port = htons(t->port); /* at the same place in both families */
	if (plx_connect(fd, &to.sa, t->to_len) != 0 || plx_getsockname(fd, &from.sa, &len) != 0)
		err = -errno;
	plx_close(fd);
	if (err)
		return err;
	t->syn.src =
		t->v6 ? plx_addr_from_v6(&from.in6.sin6_addr) : plx_addr_from_v4(&from.in.sin_addr);
	t->syn.dst =
		t->v6 ? plx_addr_from_v6(&to.in6.sin6_addr) : plx_addr_from_v4(&to.in.sin_addr);
	t->syn.dport = t->port;
	t->syn.data = (uint32_t)(behind_ip(t) - TRACE_SYN);
	return 0;
}

static int send_tcp(struct trace *t, uint32_t i, uint8_t *data, size_t n)
{
	struct trace_syn s = t->syn;

	s.sport = (uint16_t)(s.sport + i);
	trace_syn_put(&s, data);
	if (set_hops(t, t->syns.fd, (int)(i / t->queries) + 1) != 0 ||
		plx_sendto(t->syns.fd, data, n, 0, &t->to.sa, t->to_len) < 0)
		return -errno;
	return 0;
}

/* ---- all of it ---- */

static int open_raw(struct trace *t, struct prog *p, struct watch *w, int proto)
{
	w->fd = plx_socket(t->to.sa.sa_family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
	if (w->fd < 0)
		return -errno;
	return prog_watch(p, w, EPOLLIN);
}

int trace_begin(struct trace *t, struct prog *p)
{
	int err = 0;

	active = t;
	t->raw = t->syns = (struct watch){.fd = -1, .ready = on_raw};
	if (t->kind == TRACE_UDP)
		return 0;
	if (t->kind == TRACE_TCP)
		err = find_src(t);
	if (!err && t->kind == TRACE_TCP)
		err = open_raw(t, p, &t->syns, IPPROTO_TCP);
	return err ? err : open_raw(t, p, &t->raw, t->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

size_t trace_hdr(const struct trace *t)
{
	return t->kind == TRACE_TCP ? TRACE_SYN : TRACE_HDR;
}

static int send_probe(struct trace *t, struct prog *pr, uint32_t i, plx_ns now)
{
	uint8_t packet[1500];
	size_t n = behind_ip(t);

	t->probe[i].sent_ns = now;
	t->flight++;
	for (size_t k = 0; k < n; k++)
		packet[k] = (uint8_t)('@' + (k & 63)); /* as traceroute(8) fills it */
	if (t->kind == TRACE_ICMP)
		return send_icmp(t, i, packet, n);
	if (t->kind == TRACE_TCP)
		return send_tcp(t, i, packet, n);
	return send_udp(t, pr, i, packet, n - TRACE_HDR);
}

/* @return when the next one is lost. */
static plx_ns give_up(struct trace *t, plx_ns now)
{
	plx_ns next = PLX_NEVER;

	for (uint32_t i = 0; i < t->next; i++) {
		struct trace_probe *p = &t->probe[i];

		if (trace_known(t, i))
			continue;
		if (now - p->sent_ns >= t->wait_ns) {
			p->lost = true;
			close_probe(t, p);
		} else {
			next = PLX_MIN(next, p->sent_ns + t->wait_ns);
		}
	}
	return next;
}

plx_ns trace_run(struct trace *t, struct prog *p, plx_ns now)
{
	while (!t->err && t->next < t->n_probes && t->flight < TRACE_FLIGHT) {
		uint32_t i = t->next++;

		t->err = -send_probe(t, p, i, now);
	}
	return give_up(t, now);
}
