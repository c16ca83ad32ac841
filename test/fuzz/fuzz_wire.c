/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An Ethernet frame through every parser of the wire library. Nothing may read beyond it; what was
 * parsed is emitted and parsed again and must come out the same; two functions that read the same
 * thing must agree.
 */
#include <plx_wire.h>

#include "fuzz.h"

/* Structs are compared with their padding, so that starts out alike. */
#define blank(a)   memset(&(a), 0, sizeof(a))
#define same(a, b) must(memcmp(&(a), &(b), sizeof(a)) == 0)

static void fuzz_arp(const uint8_t *p, uint32_t len)
{
	uint8_t b[PLX_ARP_BYTES];
	struct plx_arp arp, again;

	blank(arp), blank(again);
	if (plx_wire_arp_parse(&arp, p, len) != PLX_DROP_NONE)
		return;
	must(plx_wire_arp_emit(b, &arp) == sizeof(b));
	must(memcmp(b, p, sizeof(b)) == 0);
	must(plx_wire_arp_parse(&again, b, sizeof(b)) == PLX_DROP_NONE);
	same(arp, again);
}

static void fuzz_udp(const struct plx_ip *ip, const uint8_t *p)
{
	struct plx_udp udp, again;
	uint8_t b[PLX_UDP_BYTES];

	if (plx_wire_udp_parse(&udp, p, ip->l4_bytes) != PLX_DROP_NONE)
		return;
	must(udp.len <= ip->l4_bytes);
	plx_wire_udp_check(&udp, ip, p);
	must(plx_wire_udp_emit(b, &udp) == sizeof(b));
	must(plx_wire_udp_parse(&again, b, ip->l4_bytes) == PLX_DROP_NONE);
	same(udp, again);
}

/* Emitted options take whole words, so some SACK blocks may not fit any more. */
static void fuzz_tcp_opts(const uint8_t *p, uint32_t len, bool syn)
{
	uint8_t b[PLX_TCP_OPTS_MAX_BYTES];
	struct plx_tcp_opts o, again;
	uint32_t n;

	if (plx_wire_tcp_opts_parse(&o, p, len, syn) != PLX_DROP_NONE)
		return;
	n = plx_wire_tcp_opts_emit(b, &o);
	must(n % 4 == 0 && n <= sizeof(b) && n == plx_wire_tcp_opts_bytes(&o));
	must(plx_wire_tcp_opts_parse(&again, b, n, syn) == PLX_DROP_NONE);
	must(again.n_sack <= o.n_sack);
	memset(o.sack + again.n_sack, 0, (PLX_TCP_SACKS_MAX - again.n_sack) * sizeof(o.sack[0]));
	o.n_sack = again.n_sack;
	if (o.n_sack == 0)
		o.present &= ~PLX_TCP_OPT_SACK;
	same(o, again);
}

static void fuzz_tcp(const struct plx_ip *ip, const uint8_t *p)
{
	struct plx_tcp_hdr tcp, again;
	uint8_t b[PLX_TCP_BYTES];

	if (plx_wire_tcp_parse(&tcp, p, ip->l4_bytes) != PLX_DROP_NONE)
		return;
	must(tcp.hdr_bytes <= ip->l4_bytes);
	must(plx_wire_tcp_emit(b, &tcp) == sizeof(b));
	must(plx_wire_tcp_parse(&again, b, tcp.hdr_bytes) == PLX_DROP_NONE);
	must(tcp.seq == again.seq && tcp.flags == again.flags && tcp.hdr_bytes == again.hdr_bytes);
	fuzz_tcp_opts(p + PLX_TCP_BYTES, tcp.hdr_bytes - PLX_TCP_BYTES, tcp.flags & PLX_TCP_SYN);
}

static void fuzz_sctp(const struct plx_ip *ip, const uint8_t *p)
{
	uint8_t b[PLX_SCTP_BYTES];
	struct plx_sctp sctp;

	if (plx_wire_sctp_parse(&sctp, p, ip->l4_bytes) != PLX_DROP_NONE)
		return;
	must(plx_wire_sctp_emit(b, &sctp) == sizeof(b));
	must(memcmp(b, p, sizeof(b)) == 0);
}

static void fuzz_nd(const struct plx_ip *ip, const uint8_t *p)
{
	uint8_t b[PLX_ND_MAX_BYTES];
	struct plx_nd nd, again;
	uint32_t n;

	if (plx_wire_nd_parse(&nd, ip, p, ip->l4_bytes) != PLX_DROP_NONE)
		return;
	must(nd.n_prefix <= PLX_ND_PREFIXES);
	n = plx_wire_nd_emit(b, &nd);
	must(n >= 8 && n <= sizeof(b));
	must(plx_wire_nd_parse(&again, ip, b, n) == PLX_DROP_NONE);
	same(nd, again);
}

static void fuzz_query(const struct plx_group_msg *msg, const uint8_t *p)
{
	for (unsigned int i = 0; i < msg->n_src; i++) {
		struct plx_addr src = plx_wire_group_src(msg, p, i);

		must(plx_addr_is_v4(&msg->group) == plx_addr_is_v4(&src) ||
			!plx_addr_is_v4(&msg->group)); /* MLD may name anything */
	}
}

static void fuzz_mld(const struct plx_ip *ip, const uint8_t *p)
{
	struct plx_group_msg msg, again;
	uint8_t b[24];

	if (plx_wire_mld_parse(&msg, ip, p, ip->l4_bytes) != PLX_DROP_NONE)
		return;
	if (msg.kind == PLX_GROUP_QUERY)
		fuzz_query(&msg, p);
	if (msg.kind == PLX_GROUP_QUERY || msg.kind == PLX_GROUP_REPORTS)
		return;
	must(plx_wire_mld_emit(b, &msg) == sizeof(b));
	must(plx_wire_mld_parse(&again, ip, b, sizeof(b)) == PLX_DROP_NONE);
	must(again.kind == msg.kind && plx_addr_eq(&again.group, &msg.group));
}

/* Random bytes have no right checksum: mend it in a copy. */
static void fuzz_igmp(const struct plx_ip *ip, const uint8_t *p)
{
	struct plx_group_msg msg, again;
	uint8_t copy[512], b[8];
	uint32_t len = PLX_MIN(ip->l4_bytes, (uint32_t)sizeof(copy));

	plx_wire_igmp_parse(&msg, ip, p, ip->l4_bytes);
	if (len < 8)
		return;
	memcpy(copy, p, len);
	plx_wire_l4_cksum_fill(&ip->src, &ip->dst, PLX_IPPROTO_IGMP, copy, len);
	if (plx_wire_igmp_parse(&msg, ip, copy, len) != PLX_DROP_NONE)
		return;
	if (msg.kind == PLX_GROUP_QUERY)
		fuzz_query(&msg, copy);
	if (msg.kind == PLX_GROUP_QUERY || msg.kind == PLX_GROUP_REPORTS)
		return;
	must(plx_wire_igmp_emit(b, &msg) == sizeof(b));
	must(plx_wire_igmp_parse(&again, ip, b, sizeof(b)) == PLX_DROP_NONE);
	must(again.kind == msg.kind && again.version == msg.version);
	must(plx_addr_eq(&again.group, &msg.group));
}

static void fuzz_icmp(const struct plx_ip *ip, const uint8_t *p)
{
	uint8_t b[PLX_ICMP_BYTES];
	struct plx_icmp icmp;
	struct plx_tuple t;
	uint32_t off;

	if (plx_wire_icmp_parse(&icmp, p, ip->l4_bytes) != PLX_DROP_NONE)
		return;
	must(plx_wire_icmp_emit(b, &icmp) == sizeof(b));
	must(memcmp(b, p, sizeof(b)) == 0);
	if (plx_wire_icmp_quote(&t, &off, p + 8, ip->l4_bytes - 8u) == PLX_DROP_NONE)
		must(off >= 20 && off + 8 <= ip->l4_bytes - 8u);
}

static void fuzz_l4(const struct plx_ip *ip, const uint8_t *p)
{
	plx_wire_l4_cksum_ok(ip, p, ip->l4_bytes);
	switch (ip->proto) {
	case PLX_IPPROTO_UDP:
		fuzz_udp(ip, p);
		break;
	case PLX_IPPROTO_TCP:
		fuzz_tcp(ip, p);
		break;
	case PLX_IPPROTO_SCTP:
		fuzz_sctp(ip, p);
		break;
	case PLX_IPPROTO_IGMP:
		if (ip->version == 4)
			fuzz_igmp(ip, p);
		break;
	case PLX_IPPROTO_ICMP6:
		fuzz_nd(ip, p);
		fuzz_mld(ip, p);
		fuzz_icmp(ip, p);
		break;
	case PLX_IPPROTO_ICMP:
		fuzz_icmp(ip, p);
		break;
	default:
		break;
	}
}

/* What the parser accepted, the tuple's quick reader tells alike. */
static void fuzz_tuple(const struct plx_ip *ip, const uint8_t *p, uint32_t len)
{
	struct plx_tuple t;
	bool ports = ip->proto == PLX_IPPROTO_TCP || ip->proto == PLX_IPPROTO_UDP ||
		     ip->proto == PLX_IPPROTO_SCTP;

	must(plx_wire_tuple_l3(&t, p, len));
	must(plx_addr_eq(&t.src, &ip->src) && plx_addr_eq(&t.dst, &ip->dst));
	must(t.proto == ip->proto && t.frag == ip->is_frag);
	if (ports && !ip->is_frag && ip->l4_bytes >= 4)
		must(t.sport == plx_get_be16(p + ip->hdr_bytes) &&
			t.dport == plx_get_be16(p + ip->hdr_bytes + 2));
	else if (!ports || ip->is_frag)
		must(t.sport == 0 && t.dport == 0);
}

static bool ours(const void *arg, const struct plx_addr *a)
{
	return a->b[15] & 1;
}

/* What we write and pick stays in its bounds. An option whose length is no whole number of slots is
 * good until the last whole one is taken. */
static void fuzz_ip4_opts(struct plx_ip ip, const uint8_t *p)
{
	const struct plx_ip4_record r = {.addr = ip.dst, .time = 1, .ours = ours};
	uint32_t n = ip.hdr_bytes - PLX_IP4_BYTES, fault;
	uint8_t opt[PLX_IP4_OPTS_MAX], out[PLX_IP4_OPTS_MAX], b[PLX_IP4_MAX_BYTES];
	struct plx_ip again;
	enum plx_drop drop;

	memcpy(opt, p + PLX_IP4_BYTES, n);
	if (!plx_wire_ip4_options_record(opt, n, &r, &fault))
		must(fault < n);
	ip.l4_bytes = 0;
	must(plx_wire_ip4_emit_opts(b, &ip, opt, n) == ip.hdr_bytes);
	drop = plx_wire_ip4_parse(&again, b, ip.hdr_bytes, true);
	must(drop == PLX_DROP_NONE || drop == PLX_DROP_IP4_OPTIONS);
	for (unsigned int keep = 0; keep < 2; keep++)
		must(plx_wire_ip4_options_pick(out, opt, n, (enum plx_ip4_options_keep)keep) <= n);
}

static void fuzz_ip4(const uint8_t *p, uint32_t len)
{
	uint8_t b[PLX_IP4_RA_BYTES];
	struct plx_ip ip, again;

	blank(ip), blank(again);
	plx_wire_ip4_parse(&ip, p, len, true);
	if (plx_wire_ip4_parse(&ip, p, len, false) != PLX_DROP_NONE)
		return;
	must((uint32_t)ip.hdr_bytes + ip.l4_bytes <= len);
	fuzz_tuple(&ip, p, len);
	if (!ip.is_frag)
		fuzz_l4(&ip, p + ip.hdr_bytes);

	if (ip.has_options)
		fuzz_ip4_opts(ip, p);
	ip.hdr_bytes = PLX_IP4_BYTES;
	ip.l4_bytes = 0;
	ip.has_options = ip.router_alert = false;
	plx_wire_ip4_emit(b, &ip);
	must(plx_wire_ip4_parse(&again, b, PLX_IP4_BYTES, true) == PLX_DROP_NONE);
	same(ip, again);
	if (ip.ttl > 0) {
		must(plx_wire_ip4_ttl_dec(b) == ip.ttl - 1);
		must(plx_wire_ip4_parse(&again, b, PLX_IP4_BYTES, true) == PLX_DROP_NONE);
	}
	plx_wire_ip4_emit_ra(b, &ip);
	must(plx_wire_ip4_parse(&again, b, PLX_IP4_RA_BYTES, true) == PLX_DROP_NONE);
	must(again.router_alert);
}

static void fuzz_ip6(const uint8_t *p, uint32_t len)
{
	uint8_t b[PLX_IP6_BYTES + PLX_IP6_FRAG_BYTES], code, code2;
	struct plx_ip ip, again;
	enum plx_drop drop, drop2;

	blank(ip), blank(again);
	drop = plx_wire_ip6_parse(&ip, p, len, &code);
	drop2 = plx_wire_ip6_parse_hop(&again, p, len, &code2);
	if (drop2 == PLX_DROP_NONE)
		drop2 = plx_wire_ip6_parse_rest(&again, p, len, &code2);
	must(drop == drop2 && code == code2);
	same(ip, again);
	if (drop != PLX_DROP_NONE) {
		must(code == PLX_IP6_SILENT || ip.err_ptr < len);
		return;
	}
	must(code == PLX_IP6_SILENT);
	must((uint32_t)ip.hdr_bytes + ip.l4_bytes <= len);
	must(p[ip.nh_off] == ip.proto);
	must(ip.is_frag == (ip.mf || ip.frag_off));
	fuzz_tuple(&ip, p, len);
	if (!ip.is_frag)
		fuzz_l4(&ip, p + ip.hdr_bytes);

	/* Without its extension headers, but for the fragment header, whose data is left out. */
	if (ip.is_frag && ip.frag_off == 0)
		return;
	ip.hdr_bytes = ip.is_frag ? 48 : 40;
	ip.l4_bytes = 0;
	ip.nh_off = ip.is_frag ? 40 : 6;
	ip.frag_hdr_off = ip.is_frag ? 40 : 0;
	ip.unfrag_nh_off = ip.is_frag ? 6 : 0;
	ip.id = ip.is_frag ? ip.id : 0;
	ip.has_options = ip.is_frag;
	ip.router_alert = false;
	plx_wire_ip6_emit(b, &ip);
	plx_wire_ip6_frag_emit(b + PLX_IP6_BYTES, &ip);
	must(plx_wire_ip6_parse(&again, b, ip.hdr_bytes, &code) == PLX_DROP_NONE);
	same(ip, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t b[PLX_ETH_MAX_BYTES];
	struct plx_eth eth, again;
	struct plx_tuple t;
	uint32_t len = (uint32_t)size;

	if (size > 65536 + PLX_ETH_MAX_BYTES)
		return 0;
	if (plx_wire_tuple_inner(&t, data, len))
		must(plx_wire_tuple(&t, data, len));
	if (plx_wire_eth_parse(&eth, data, len) != PLX_DROP_NONE)
		return 0;
	must(eth.hdr_bytes <= len);
	must(plx_wire_eth_emit(b, &eth) == eth.hdr_bytes);
	if (eth.type != PLX_ETHERTYPE_8021Q && eth.type != PLX_ETHERTYPE_8021AD) {
		must(plx_wire_eth_parse(&again, b, eth.hdr_bytes) == PLX_DROP_NONE);
		same(eth, again);
	}
	data += eth.hdr_bytes;
	len -= eth.hdr_bytes;
	switch (eth.type) {
	case PLX_ETHERTYPE_ARP:
		fuzz_arp(data, len);
		break;
	case PLX_ETHERTYPE_IP4:
		fuzz_ip4(data, len);
		break;
	case PLX_ETHERTYPE_IP6:
		fuzz_ip6(data, len);
		break;
	default:
		break;
	}
	return 0;
}
