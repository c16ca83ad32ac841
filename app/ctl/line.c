/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <plx_base_reasons.h>
#include <plx_wire.h>

/* Packets as lines. What is shown comes from strangers: names are ours, the rest is numbers. */

#define IFACES 64

/** A line that grows. */
struct line {
	char *buf;
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->buf + l->n, LINE_BYTES - l->n, format, ap);
	va_end(ap);
	if (n > 0)
		l->n = PLX_MIN(l->n + (size_t)n, (size_t)LINE_BYTES - 1);
}

static void add_time(struct line *l, plx_ns ns)
{
	time_t s = (time_t)(ns / PLX_SEC(1));
	struct tm tm;

	localtime_r(&s, &tm);
	add(l, "%02d:%02d:%02d.%06d ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(ns % PLX_SEC(1) / 1000));
}

/* "10.9.0.1:80", "[fd00::1]:80"; without a port the address alone */
static void add_end(struct line *l, const struct plx_addr *a, int port)
{
	char text[PLX_ADDR_STRLEN];

	plx_addr_format(a, text);
	if (port < 0)
		add(l, "%s", text);
	else
		add(l, plx_addr_is_v4(a) ? "%s:%d" : "[%s]:%d", text, port);
}

static void add_ends(struct line *l, const struct plx_ip *ip, int sport, int dport)
{
	add_end(l, &ip->src, sport);
	add(l, " > ");
	add_end(l, &ip->dst, dport);
}

static void add_tcp(struct line *l, const struct plx_ip *ip, const uint8_t *p)
{
	static const char letters[] = "FSRP.UEWe"; /* as tcpdump has them */
	char flags[sizeof(letters)];
	struct plx_tcp_hdr t;
	int n = 0;

	if (plx_wire_tcp_parse(&t, p, ip->l4_bytes) != PLX_DROP_NONE) {
		add_ends(l, ip, -1, -1);
		add(l, " tcp, header broken");
		return;
	}
	for (int i = 0; letters[i]; i++)
		if (t.flags >> i & 1)
			flags[n++] = letters[i];
	flags[n] = '\0';
	add_ends(l, ip, t.sport, t.dport);
	add(l, " tcp [%s] seq %u", n ? flags : "none", t.seq);
	if (t.flags & PLX_TCP_ACK)
		add(l, " ack %u", t.ack);
	add(l, " win %u len %u", t.win, ip->l4_bytes - t.hdr_bytes);
}

static void add_udp(struct line *l, const struct plx_ip *ip, const uint8_t *p)
{
	struct plx_udp u;

	if (plx_wire_udp_parse(&u, p, ip->l4_bytes) != PLX_DROP_NONE) {
		add_ends(l, ip, -1, -1);
		add(l, " udp, header broken");
		return;
	}
	add_ends(l, ip, u.sport, u.dport);
	add(l, " udp len %u", u.len - PLX_UDP_BYTES);
}

static void add_icmp(struct line *l, const struct plx_ip *ip, const uint8_t *p)
{
	const char *name = ip->version == 4 ? "icmp" : "icmp6";
	uint8_t ask = ip->version == 4 ? 8 : 128, answer = ip->version == 4 ? 0 : 129;
	struct plx_icmp i;

	add_ends(l, ip, -1, -1);
	if (plx_wire_icmp_parse(&i, p, ip->l4_bytes) != PLX_DROP_NONE)
		add(l, " %s, header broken", name);
	else if (i.type == ask || i.type == answer)
		add(l, " %s echo %s id %u seq %u len %u", name, i.type == ask ? "request" : "reply",
			plx_icmp_echo_id(&i), plx_icmp_echo_seq(&i), ip->l4_bytes);
	else
		add(l, " %s type %u code %u len %u", name, i.type, i.code, ip->l4_bytes);
}

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case PLX_IPPROTO_TCP:
		return "tcp";
	case PLX_IPPROTO_UDP:
		return "udp";
	case PLX_IPPROTO_ICMP:
		return "icmp";
	case PLX_IPPROTO_ICMP6:
		return "icmp6";
	case PLX_IPPROTO_IGMP:
		return "igmp";
	default:
		return NULL;
	}
}

static void add_other(struct line *l, const struct plx_ip *ip)
{
	const char *name = proto_name(ip->proto);

	add_ends(l, ip, -1, -1);
	if (name)
		add(l, " %s", name);
	else
		add(l, " proto %u", ip->proto);
	if (ip->is_frag)
		add(l, " fragment %u at %u%s", ip->id, ip->frag_off, ip->mf ? "+" : "");
	add(l, " len %u", ip->l4_bytes);
}

/* @param p at least len bytes. */
static void add_ip(struct line *l, const uint8_t *p, uint32_t len)
{
	bool v6 = len && p[0] >> 4 == 6;
	struct plx_ip ip;
	uint8_t code;
	enum plx_drop why =
		v6 ? plx_wire_ip6_parse(&ip, p, len, &code) : plx_wire_ip4_parse(&ip, p, len, true);

	if (why != PLX_DROP_NONE) {
		add(l, "ip%s, %s, len %u", v6 ? "6" : "", plx_drop_info[why].text, len);
		return;
	}
	p += ip.hdr_bytes;
	if (ip.frag_off || ip.is_frag)
		add_other(l, &ip);
	else if (ip.proto == PLX_IPPROTO_TCP)
		add_tcp(l, &ip, p);
	else if (ip.proto == PLX_IPPROTO_UDP)
		add_udp(l, &ip, p);
	else if (ip.proto == PLX_IPPROTO_ICMP || ip.proto == PLX_IPPROTO_ICMP6)
		add_icmp(l, &ip, p);
	else
		add_other(l, &ip);
}

static void add_arp(struct line *l, const uint8_t *p, uint32_t len)
{
	char spa[PLX_ADDR_STRLEN], tpa[PLX_ADDR_STRLEN], mac[PLX_MAC_STRLEN];
	struct plx_arp a;

	if (plx_wire_arp_parse(&a, p, len) != PLX_DROP_NONE)
		add(l, "arp, header broken");
	else if (a.op == PLX_ARP_REQUEST)
		add(l, "arp who-has %s tell %s", plx_addr_format(&a.tpa, tpa),
			plx_addr_format(&a.spa, spa));
	else if (a.op == PLX_ARP_REPLY)
		add(l, "arp %s is-at %s", plx_addr_format(&a.spa, spa),
			plx_mac_format(&a.sha, mac));
	else
		add(l, "arp op %u", a.op);
	add(l, " len %u", len);
}

static void add_macs(struct line *l, const struct plx_eth *eth)
{
	char src[PLX_MAC_STRLEN], dst[PLX_MAC_STRLEN];

	add(l, "%s > %s ", plx_mac_format(&eth->src, src), plx_mac_format(&eth->dst, dst));
}

static void add_frame(struct line *l, const uint8_t *p, uint32_t len, bool macs)
{
	struct plx_eth eth;

	if (plx_wire_eth_parse(&eth, p, len) != PLX_DROP_NONE) {
		add(l, "ethernet, header broken, len %u", len);
		return;
	}
	if (macs)
		add_macs(l, &eth);
	for (unsigned int i = 0; i < eth.n_vlan; i++)
		add(l, "vlan %u ", PLX_VLAN_VID(eth.vlan[i]));
	p += eth.hdr_bytes;
	len -= eth.hdr_bytes;
	if (eth.type == PLX_ETHERTYPE_IP4 || eth.type == PLX_ETHERTYPE_IP6) {
		add_ip(l, p, len);
	} else if (eth.type == PLX_ETHERTYPE_ARP) {
		add_arp(l, p, len);
	} else {
		if (!macs)
			add_macs(l, &eth);
		add(l, "type 0x%04x len %u", eth.type, len);
	}
}

/* Parsers are shown as many bytes as the wire had: zeroes where the capture has none. */
static void add_packet(struct line *l, const struct plx_pcapng_pkt *p, const struct line_about *a)
{
	static uint8_t whole[65536 + 64];
	const uint8_t *data = p->data;
	uint32_t len = p->len;

	if (p->caplen < p->len) {
		uint32_t have = PLX_MIN(p->caplen, (uint32_t)sizeof(whole));

		len = PLX_MIN(len, (uint32_t)sizeof(whole));
		memcpy(whole, data, have);
		memset(whole + have, 0, len - have);
		data = whole;
	}
	if (a->bare)
		add_ip(l, data, len);
	else
		add_frame(l, data, len, a->macs);
}

static const char *hook_name(uint8_t hook)
{
	static const char *const names[] = {
		"",
#define X(id, name, text) name,
#include <plx_base_point.def>
#undef X
	};

	return hook < PLX_DIM(names) ? names[hook] : "";
}

/* The name, which stands in the comment: the number is that of the other one's release. */
static void add_reason(struct line *l, const struct plx_pcapng_pkt *p)
{
	add(l, " drop ");
	if (!p->comment.p)
		add(l, "%u", p->meta.reason);
	for (uint32_t i = 0; p->comment.p && i < p->comment.len; i++) {
		char c = p->comment.p[i];

		add(l, "%c", c >= ' ' && c < 0x7f ? c : '?');
	}
}

const char *line_format(char *buf, const struct plx_pcapng_pkt *p, const struct line_about *a)
{
	bool meta = p->has & PLX_PCAPNG_META;
	struct line l = {.buf = buf};

	buf[0] = '\0';
	if (!a->no_time)
		add_time(&l, p->ts_ns);
	if (meta && *hook_name(p->meta.hook))
		add(&l, "%s ", hook_name(p->meta.hook));
	if (a->port && *a->port)
		add(&l, "%s ", a->port);
	add_packet(&l, p, a);
	if (meta && p->meta.reason)
		add_reason(&l, p);
	return buf;
}

/* ---- a file as it comes ---- */

/** A capture file that is read from a descriptor. */
struct reading {
	int fd;
	volatile const int *stop;
	line_fn fn;
	void *arg;
	struct plx_pcapng_reader r;
	struct plx_pcapng_clock clock[IFACES];
	char name[IFACES][32];
	bool bare[IFACES];
	uint32_t ifaces;
	uint8_t *buf;
	size_t room, have, at; /**< at: of the first byte that was not used */
};

/* Have want bytes from at on. @return 1; 0 at the end; -errno. */
static int need(struct reading *in, size_t want)
{
	if (in->at)
		memmove(in->buf, in->buf + in->at, in->have - in->at);
	in->have -= in->at;
	in->at = 0;
	if (want > in->room) {
		uint8_t *more = realloc(in->buf, want);

		if (!more)
			return -ENOMEM;
		in->buf = more;
		in->room = want;
	}
	while (in->have < want && !*in->stop) {
		struct pollfd p = {.fd = in->fd, .events = POLLIN};
		ssize_t n = poll(&p, 1, 200) == 1
				    ? read(in->fd, in->buf + in->have, in->room - in->have)
				    : -1;

		if (n == 0)
			return 0;
		if (n < 0 && p.revents && errno != EINTR && errno != EAGAIN)
			return -errno;
		in->have += n > 0 ? (size_t)n : 0;
	}
	return in->have >= want;
}

static void learn(struct reading *in, const struct plx_pcapng_iface *i)
{
	uint32_t n = in->r.n_ifaces - 1;

	in->bare[n] = i->link == PLX_PCAPNG_LINK_RAW;
	snprintf(in->name[n], sizeof(in->name[n]), "%.*s", i->name.p ? (int)i->name.len : 0,
		i->name.p ? i->name.p : "");
	for (char *c = in->name[n]; *c; c++)
		*c = *c >= ' ' && *c < 0x7f ? *c : '?';
}

static long long read_items(struct reading *in)
{
	struct plx_pcapng_item it;
	long long n = 0;
	int err = 1;
	bool more = true;

	while (err > 0 && more && !*in->stop) {
		switch (plx_pcapng_next(&in->r, in->buf + in->at, in->have - in->at, &it)) {
		case PLX_PCAPNG_MORE:
			fflush(stdout); /* what has come is to be seen before the next comes */
			err = need(in, it.want);
			continue;
		case PLX_PCAPNG_IFACE:
			learn(in, &it.iface);
			break;
		case PLX_PCAPNG_PKT:
			more = in->fn(
				in->arg, &it.pkt, in->name[it.pkt.iface], in->bare[it.pkt.iface]);
			n++;
			break;
		case PLX_PCAPNG_ERROR:
			ctl_complain("at byte %llu: %s", (unsigned long long)it.error.off,
				it.error.text);
			return -EINVAL;
		default:
			break;
		}
		in->at += it.used;
	}
	fflush(stdout);
	if (err >= 0)
		return n;
	ctl_complain("the packets: %s", strerror(-err));
	return err;
}

long long line_read_all(int fd, line_fn fn, void *arg, volatile const int *stop)
{
	struct reading *in = calloc(1, sizeof(*in));
	long long n;

	if (!in) {
		ctl_complain("the packets: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	in->fd = fd;
	in->stop = stop;
	in->fn = fn;
	in->arg = arg;
	in->buf = malloc(1 << 20);
	in->room = in->buf ? 1 << 20 : 0;
	plx_pcapng_reader_init(&in->r, in->clock, IFACES);
	n = read_items(in);
	free(in->buf);
	free(in);
	return n;
}

/** What is printed. */
struct printing {
	struct line_about about;
	long long max, n;
};

static bool print(void *arg, const struct plx_pcapng_pkt *p, const char *port, bool bare)
{
	struct printing *pr = arg;
	char buf[LINE_BYTES];

	pr->about.port = port;
	pr->about.bare = bare;
	puts(line_format(buf, p, &pr->about));
	pr->n++;
	return !(pr->max && pr->n >= pr->max) && !ferror(stdout);
}

long long line_print_all(
	int fd, const struct line_about *about, long long max, volatile const int *stop)
{
	struct printing pr = {.about = *about, .max = max};

	return line_read_all(fd, print, &pr, stop);
}
