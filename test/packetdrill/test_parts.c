/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include "adapter.h"

/* What of the adapter needs no engine. */

struct plx_tunables pd_tunables;

plx_ns pd_now(void)
{
	return 0;
}

static int fresh(void **state)
{
	plx_tunables_init(&pd_tunables);
	return 0;
}

/* ---- flags ---- */

T(flags_name_addresses_and_the_mtu)
{
	struct pd_flags f;
	char text[PLX_PREFIX_STRLEN];

	eq(pd_flags_parse(&f, "ip4=192.168.0.1/16,ip6=fd3d:a0b:17d6::1/48,mtu=1520"), NULL);
	str_eq(plx_prefix_format(&f.ip4, text), "192.168.0.1/16");
	str_eq(plx_prefix_format(&f.ip6, text), "fd3d:a0b:17d6::1/48");
	eq(f.mtu, 1520);
	ok(!f.verbose);
	eq(pd_flags_parse(&f, "ip4=10.0.0.1/8,verbose"), NULL);
	eq(f.mtu, 1500);
	eq(f.ip6.len, 0);
	ok(f.verbose);
}

T(wrong_flags_are_told)
{
	struct pd_flags f;

	str_eq(pd_flags_parse(&f, NULL), "it has to name an address");
	str_eq(pd_flags_parse(&f, "mtu=1500"), "it has to name an address");
	str_eq(pd_flags_parse(&f, "ip4=::1/64"), "ip4= is an IPv4 prefix");
	str_eq(pd_flags_parse(&f, "ip6=10.0.0.1/8"), "ip6= is an IPv6 prefix");
	str_eq(pd_flags_parse(&f, "ip4=10.0.0.1/8,mtu=67"), "mtu= is 68 to 65535");
	str_eq(pd_flags_parse(&f, "ip4=10.0.0.1/8,mtu=-1"), "mtu= is 68 to 65535");
	str_eq(pd_flags_parse(&f, "ip4=10.0.0.1/8,ttl=1"), "keys are ip4, ip6, mtu and verbose");
}

/* ---- tunables ---- */

T(a_tunable_is_set_by_its_name)
{
	str_eq(pd_sysctl_set("net.ipv4.tcp_timestamps=0"), "ok");
	eq(pd_tunables.v[PLX_TUN_TCP_TIMESTAMPS], 0);
	str_eq(pd_sysctl_set("net.ipv4.tcp_early_retrans=4"), "ok"); /* as much as there is */
	eq(pd_tunables.v[PLX_TUN_TCP_EARLY_RETRANS], 3);
}

T(buffers_have_three_numbers)
{
	str_eq(pd_sysctl_set("net.ipv4.tcp_rmem=4096 540000 15728640"), "ok");
	eq(pd_tunables.v[PLX_TUN_TCP_RMEM_DEFAULT], 540000);
	eq(pd_tunables.v[PLX_TUN_TCP_RMEM_MAX], 15728640);
	str_eq(pd_sysctl_set("net.ipv4.tcp_wmem=4096 262144 4194304"), "ok");
	eq(pd_tunables.v[PLX_TUN_TCP_WMEM_DEFAULT], 262144);
	eq(pd_tunables.v[PLX_TUN_TCP_WMEM_MAX], 4194304);
	str_eq(pd_sysctl_set("net.ipv4.tcp_wmem=4096"), "it takes three numbers");
}

T(congestion_control_has_a_name)
{
	str_eq(pd_sysctl_set("net.ipv4.tcp_congestion_control=reno"), "ok");
	eq(pd_tunables.v[PLX_TUN_TCP_CUBIC], 0);
	str_eq(pd_sysctl_set("net.ipv4.tcp_congestion_control=cubic"), "ok");
	eq(pd_tunables.v[PLX_TUN_TCP_CUBIC], 1);
}

T(what_is_no_setting_is_told)
{
	str_eq(pd_sysctl_set("net.ipv4.tcp_fack=0"), "unknown");
	str_eq(pd_sysctl_set("net.ipv4.tcp_timestamps"), "it is no NAME=VALUE");
	str_eq(pd_sysctl_set("net.ipv4.tcp_timestamps=yes"), "it takes a number");
	str_eq(pd_sysctl_set("net.ipv4.tcp_timestamps="), "it takes a number");
}

/* ---- checksums ---- */

/* A segment or datagram of 5 bytes of text. @return its length. */
static uint32_t make(uint8_t *p, uint8_t version, uint8_t proto)
{
	const uint8_t from[4] = {192, 168, 0, 1}, to[4] = {192, 0, 2, 1};
	struct plx_ip ip = {.version = version, .proto = proto, .ttl = 64};
	uint32_t hdr = version == 4 ? PLX_IP4_BYTES : PLX_IP6_BYTES;
	uint8_t *l4 = p + hdr;

	ip.src = plx_addr_from_v4(from);
	ip.dst = plx_addr_from_v4(to);
	if (version == 6)
		ip.src.b[0] = ip.dst.b[0] = 0x20;
	ip.l4_bytes = proto == PLX_IPPROTO_TCP ? 25 : 13;
	memset(l4, 0, ip.l4_bytes);
	memcpy(l4 + ip.l4_bytes - 5, "hello", 5);
	if (proto == PLX_IPPROTO_TCP)
		l4[12] = 0x50;
	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, proto, l4, ip.l4_bytes);
	if (version == 4)
		plx_wire_ip4_emit(p, &ip);
	else
		plx_wire_ip6_emit(p, &ip);
	return hdr + ip.l4_bytes;
}

T(a_wrong_checksum_is_found)
{
	static const uint8_t protos[] = {PLX_IPPROTO_TCP, PLX_IPPROTO_UDP};
	uint8_t p[100];

	for (uint8_t version = 4; version <= 6; version += 2) {
		for (size_t i = 0; i < PLX_DIM(protos); i++) {
			uint32_t n = make(p, version, protos[i]);

			eq(pd_wire_fault(p, n), NULL);
			p[n - 1] ^= 1;
			str_eq(pd_wire_fault(p, n), "a wrong checksum");
			p[n - 1] ^= 1;
			str_eq(pd_wire_fault(p, n + 1), "another length than it says");
		}
	}
}

T(udp_has_none_in_ipv4_only)
{
	uint8_t p[100];
	uint32_t n = make(p, 4, PLX_IPPROTO_UDP);

	memset(p + PLX_IP4_BYTES + 6, 0, 2);
	eq(pd_wire_fault(p, n), NULL);
	n = make(p, 6, PLX_IPPROTO_UDP);
	memset(p + PLX_IP6_BYTES + 6, 0, 2);
	str_eq(pd_wire_fault(p, n), "a wrong checksum");
}

T(a_wrong_header_is_found)
{
	uint8_t p[100];
	uint32_t n = make(p, 4, PLX_IPPROTO_TCP);

	p[8] ^= 1;
	str_eq(pd_wire_fault(p, n), plx_drop_info[PLX_DROP_IP4_CHECKSUM].text);
	ok(pd_wire_fault(p, 0) != NULL);
}

#define PD_(name) cmocka_unit_test_setup(name, fresh)

RUN(PD_(flags_name_addresses_and_the_mtu), PD_(wrong_flags_are_told),
	PD_(a_tunable_is_set_by_its_name), PD_(buffers_have_three_numbers),
	PD_(congestion_control_has_a_name), PD_(what_is_no_setting_is_told),
	PD_(a_wrong_checksum_is_found), PD_(udp_has_none_in_ipv4_only),
	PD_(a_wrong_header_is_found))
