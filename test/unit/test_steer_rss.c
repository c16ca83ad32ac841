/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

#define MACS "020000000002 020000000001"
/* The first row of Microsoft's suite, and the first of IPv6. */
#define IP4(pr, frag) "45 00 0028 0001" frag "40" pr "0000 420995bb a18e6450"
#define PORTS	      "0aea 06e6 0000 0000"
#define HASH4	      0x323e8fc2
#define HASH4_TCP     0x51ccc178
#define SRC	      "66.9.149.187"
#define DST	      "161.142.100.80"
#define OUTER	      "45 00 0060 0001 0000 40"
#define OUTER_ADDR    "0000 c0000201 c0000202"

static struct plx_rss rss(uint32_t types)
{
	struct plx_rss r = {.types = types};

	eq(plx_steer_toeplitz_init(
		   &r.key, plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft)),
		0);
	return r;
}

static struct plx_rss_out hashed(const struct plx_rss *r, const char *frame)
{
	struct pkt k = hex(frame);
	struct plx_rss_out out;
	void *p = exact(k.b, k.len);
	enum plx_rss_how how = plx_steer_rss_frame(r, p, k.len, &out);

	exact_free(p, k.len);
	eq(how, out.how);
	return out;
}

T(frames_are_hashed_by_what_they_are)
{
	static const struct {
		const char *what, *frame;
		enum plx_rss_how how;
		uint32_t hash;
	} rows[] = {
		{"TCP", MACS "0800" IP4("06", "0000") PORTS, PLX_RSS_PORTS, HASH4_TCP},
		{"UDP in a VLAN", MACS "8100 0064 0800" IP4("11", "0000") PORTS, PLX_RSS_PORTS,
			HASH4_TCP},
		{"SCTP in QinQ", MACS "88a8 0001 8100 0002 0800" IP4("84", "0000") PORTS,
			PLX_RSS_PORTS, HASH4_TCP},
		{"first fragment", MACS "0800" IP4("11", "2000") PORTS, PLX_RSS_ADDRS, HASH4},
		{"last fragment", MACS "0800" IP4("11", "0010") PORTS, PLX_RSS_ADDRS, HASH4},
		{"ICMP", MACS "0800" IP4("01", "0000") PORTS, PLX_RSS_ADDRS, HASH4},
		{"ARP", MACS "0806 0001 0800 06 04 0001", PLX_RSS_NONE, 0},
		{"cut short", MACS "0800 4500", PLX_RSS_NONE, 0},
	};
	struct plx_rss r = rss(PLX_RSS_ALL);

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_rss_out out = hashed(&r, rows[i].frame);

		print_message("%s\n", rows[i].what);
		eq(out.how, rows[i].how);
		eq(out.hash, rows[i].hash);
		eq(out.ip, rows[i].how != PLX_RSS_NONE);
		ok(!out.inner);
	}
}

/* The same inner flow by each way to carry it, once asked for. */
T(tunnels_are_hashed_by_what_they_carry_if_wanted)
{
	static const char *const rows[] = {
		MACS "0800" OUTER "04" OUTER_ADDR IP4("06", "0000") PORTS,
		MACS "0800" OUTER "2f" OUTER_ADDR "2000 0800 00000007" IP4("06", "0000") PORTS,
		MACS "0800" OUTER "11" OUTER_ADDR "c000 12b5 0000 0000 08000000 00000100" MACS
		     "0800" IP4("06", "0000") PORTS,
	};
	struct plx_rss r = rss(PLX_RSS_ALL);
	struct plx_addr src = addr("192.0.2.1");

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_rss_out out;

		r.inner = false;
		out = hashed(&r, rows[i]);
		ok(!out.inner);
		ok(plx_addr_eq(&out.tuple.src, &src));
		ne(out.hash, HASH4_TCP);
		r.inner = true;
		out = hashed(&r, rows[i]);
		ok(out.inner);
		eq(out.hash, HASH4_TCP);
	}
	/* What is no tunnel is hashed as ever. */
	eq(hashed(&r, MACS "0800" IP4("06", "0000") PORTS).hash, HASH4_TCP);
}

T(symmetric_frames_hash_alike_in_both_directions)
{
	struct plx_rss r = rss(PLX_RSS_ALL);
	uint32_t there;

	r.key.symmetric = true;
	there = hashed(&r, MACS "0800" IP4("06", "0000") PORTS).hash;
	eq(hashed(&r, MACS "0800 45 00 0028 0001 0000 40 06 0000 a18e6450 420995bb 06e6 0aea").hash,
		there);
}

/* The rule as a table: rows of what the packet is, from the most exact bit to the least. */
static enum plx_rss_how naive(uint32_t types, bool v6, uint8_t proto, bool frag)
{
	unsigned int base = v6 ? 8 : 2;
	bool any = types >> base & 1;

	if (frag)
		return any || types >> (base + 1) & 1 ? PLX_RSS_ADDRS : PLX_RSS_NONE;
	if (proto == 6)
		return types >> (base + 2) & 1 ? PLX_RSS_PORTS : any ? PLX_RSS_ADDRS : PLX_RSS_NONE;
	if (proto == 17)
		return types >> (base + 3) & 1 ? PLX_RSS_PORTS : any ? PLX_RSS_ADDRS : PLX_RSS_NONE;
	if (proto == 132)
		return types >> (base + 4) & 1 ? PLX_RSS_PORTS : any ? PLX_RSS_ADDRS : PLX_RSS_NONE;
	return any || types >> (base + 5) & 1 ? PLX_RSS_ADDRS : PLX_RSS_NONE;
}

T(every_mask_of_types_says_what_is_hashed)
{
	static const uint8_t protos[] = {6, 17, 132, 1, 50};
	struct plx_rss r = rss(0);

	for (uint32_t types = 0; types < 1u << 14; types += 4)
		for (unsigned int i = 0; i < 20; i++) {
			bool v6 = i & 1, frag = i & 2;
			struct plx_tuple t = {.src = addr(v6 ? "2001:db8::1" : SRC),
				.dst = addr(v6 ? "2001:db8::2" : DST),
				.sport = frag ? 0 : 1,
				.dport = frag ? 0 : 2,
				.proto = protos[i / 4],
				.frag = frag};
			enum plx_rss_how how = naive(types, v6, t.proto, frag);

			r.types = types;
			eq(plx_steer_rss_how(types, &t), how);
			if (types & 0x30c) /* a sample: hashing costs more */
				continue;
			eq(plx_steer_rss_tuple(&r, &t),
				how == PLX_RSS_NONE
					? 0
					: plx_steer_hash(&r.key, &t.src, &t.dst, t.sport, t.dport,
						  how == PLX_RSS_PORTS));
		}
}

T(fields_are_set_as_by_ethtool)
{
	uint32_t types = PLX_RSS_ALL;

	str_eq(plx_steer_rss_fields(types, "udp4"), "sdfn");
	eq(plx_steer_rss_fields_set(&types, "udp4", "sd"), 0);
	eq(types, PLX_RSS_ALL & ~PLX_RSS_IPV4_UDP);
	str_eq(plx_steer_rss_fields(types, "udp4"), "sd");
	str_eq(plx_steer_rss_fields(types, "udp6"), "sdfn");
	eq(plx_steer_rss_fields_set(&types, "udp4", "fnsd"), 0);
	eq(types, PLX_RSS_ALL);
	eq(plx_steer_rss_fields_set(&types, "tcp6", "ds"), 0);
	eq(types, PLX_RSS_ALL & ~PLX_RSS_IPV6_TCP);
	/* Where nothing was hashed, the addresses are now. */
	types = 0;
	str_eq(plx_steer_rss_fields(types, "sctp6"), "");
	eq(plx_steer_rss_fields_set(&types, "sctp6", "sd"), 0);
	eq(types, PLX_RSS_IPV6);
}

T(fields_and_flows_that_are_none_are_refused)
{
	static const char *const rows[][2] = {{"tcp", "sd"}, {"tcp5", "sd"}, {"4", "sd"},
		{"", "sd"}, {"icmp4", "sd"}, {"tcp4", ""}, {"tcp4", "s"}, {"tcp4", "sdf"},
		{"tcp4", "sdfnm"}, {"tcp4", "sdd"}, {"xtcp4", "sd"}};
	uint32_t types = PLX_RSS_IPV4;

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		eq(plx_steer_rss_fields_set(&types, rows[i][0], rows[i][1]), -EINVAL);
		eq(types, PLX_RSS_IPV4);
	}
	assert_null(plx_steer_rss_fields(types, "icmp4"));
}

RUN(T_(frames_are_hashed_by_what_they_are), T_(tunnels_are_hashed_by_what_they_carry_if_wanted),
	T_(symmetric_frames_hash_alike_in_both_directions),
	T_(every_mask_of_types_says_what_is_hashed), T_(fields_are_set_as_by_ethtool),
	T_(fields_and_flows_that_are_none_are_refused))
