/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#define MACS	"020000000002 020000000001"
#define IP4(pr) "45 00 001c 0001 4000 40" pr "0000 0a000001 0a000002"
#define IP6(nh)                                                                                    \
	"6000 0000 0008" nh "40 20010db8000000000000000000000001 20010db8000000000000000000000002"
#define L4 "1234 5678 0008 0000"

T(flows)
{
	static const struct {
		const char *what, *frame;
		bool ip;
		uint8_t proto;
		bool ports, frag;
	} rows[] = {
		{"UDP", MACS "0800" IP4("11") L4, true, 17, true, false},
		{"TCP", MACS "0800" IP4("06") L4, true, 6, true, false},
		{"SCTP", MACS "0800" IP4("84") L4, true, 132, true, false},
		{"ICMP", MACS "0800" IP4("01") L4, true, 1, false, false},
		{"UDP6", MACS "86dd" IP6("11") L4, true, 17, true, false},
		{"ICMP6", MACS "86dd" IP6("3a") L4, true, 58, false, false},
		{"VLAN", MACS "8100 0064 0800" IP4("11") L4, true, 17, true, false},
		{"QinQ", MACS "88a8 0064 8100 0001 86dd" IP6("11") L4, true, 17, true, false},
		{"ARP", MACS "0806 0001 0800 06 04 0001", false, 0, false, false},
		{"802.3", MACS "0026 424203", false, 0, false, false},
		{"short", MACS "08", false, 0, false, false},
		{"nothing behind the type", MACS "0800", false, 0, false, false},
		{"IPv4 header short", MACS "0800 45000014", false, 0, false, false},
		{"IPv4 header length of 4 words",
			MACS "0800 44 00 001c 0001 4000 40 11 0000 0a000001 0a000002" L4, false, 0,
			false, false},
		{"IPv4 with options",
			MACS "0800 46 00 0020 0001 4000 40 11 0000 0a000001 0a000002 01010101" L4,
			true, 17, true, false},
		{"ports cut off", MACS "0800" IP4("11") "123456", true, 17, false, false},
		{"first fragment", MACS "0800 45 00 001c 0001 2000 40 11 0000 0a000001 0a000002" L4,
			true, 17, false, true},
		{"later fragment", MACS "0800 45 00 001c 0001 0001 40 11 0000 0a000001 0a000002" L4,
			true, 17, false, true},
		{"behind extension headers",
			MACS "86dd" IP6("00") "3c00010400000000 2b00010400000000"
					      "1100000000000000" L4,
			true, 17, true, false},
		{"IPv6 first fragment", MACS "86dd" IP6("2c") "11 00 0001 00000001" L4, true, 17,
			false, true},
		{"IPv6 later fragment", MACS "86dd" IP6("2c") "11 00 0008 00000001" L4, true, 17,
			false, true},
		{"IPv6 atomic fragment", MACS "86dd" IP6("2c") "11 00 0000 00000001" L4, true, 17,
			true, false},
		{"IPv6 chain cut off", MACS "86dd" IP6("00") "1101010400000000", true, 0, false,
			false},
		{"IPv6 header short", MACS "86dd 60000000", false, 0, false, false},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].frame);
		void *p = exact(k.b, k.len);
		struct plx_tuple t;

		print_message("%s\n", rows[i].what);
		eq(plx_wire_tuple(&t, p, k.len), rows[i].ip);
		if (rows[i].ip) {
			eq(t.proto, rows[i].proto);
			eq(t.sport, rows[i].ports ? 0x1234 : 0);
			eq(t.dport, rows[i].ports ? 0x5678 : 0);
			eq(t.frag, rows[i].frag);
			if (plx_addr_is_v4(&t.src)) {
				addr_eq(t.src, "10.0.0.1");
				addr_eq(t.dst, "10.0.0.2");
			} else {
				addr_eq(t.src, "2001:db8::1");
				addr_eq(t.dst, "2001:db8::2");
			}
		}
		exact_free(p, k.len);
	}
}

T(frames_cut_anywhere)
{
	static const struct {
		const char *frame;
		uint32_t ip, ports;
	} rows[] = {
		{MACS "0800" IP4("11") L4, 34, 38},
		{MACS "8100 0064 0800" IP4("11") L4, 38, 42},
		{MACS "86dd" IP6("11") L4, 54, 58},
		{MACS "86dd" IP6("3c") "1100010400000000" L4, 54, 66},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].frame);

		EACH_TRUNCATION(k, n, p, {
			struct plx_tuple t;

			eq(plx_wire_tuple(&t, p, n), n >= rows[i].ip);
			if (n >= rows[i].ip)
				eq(t.sport, n >= rows[i].ports ? 0x1234 : 0);
		});
	}
}

/* Steering and the stack have to agree about each packet that the stack accepts. */
T(the_tuple_is_what_the_parsers_say)
{
	static const uint8_t next[] = {0, 43, 44, 60, 17, 6};
	unsigned int agreed = 0;
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(13));
	for (int i = 0; i < 200000; i++) {
		struct pkt k = hex(IP6("00"));
		struct plx_tuple t;
		struct plx_ip ip = {0};
		uint8_t code;

		k.len = 40 + (uint32_t)plx_rng_below(&rng, 80);
		k.b[6] = next[plx_rng_below(&rng, 6)];
		for (uint32_t at = 40; at < k.len; at++)
			k.b[at] = at % 8 == 0 ? next[plx_rng_below(&rng, 6)]
					      : (uint8_t)plx_rng_below(&rng, 3);
		plx_put_be16(k.b + 4, (uint16_t)(k.len - 40));
		ok(plx_wire_tuple_l3(&t, k.b, k.len));
		if (plx_wire_ip6_parse(&ip, k.b, k.len, &code) != PLX_DROP_NONE)
			continue;
		eq(t.proto, ip.proto);
		eq(t.frag, ip.is_frag);
		if (!t.frag && ip.l4_bytes >= 8 && (ip.proto == 17 || ip.proto == 6)) {
			eq(t.sport, plx_get_be16(k.b + ip.hdr_bytes));
			eq(t.dport, plx_get_be16(k.b + ip.hdr_bytes + 2));
			agreed++;
		}
	}
	ok(agreed > 1000);
}

T(quotes)
{
	static const struct {
		const char *what, *quote;
		bool good, ports, frag;
		uint32_t l4_off;
	} rows[] = {
		{"UDP", IP4("11") L4, true, true, false, 20},
		{"TCP, of which 8 bytes came back",
			"45 00 05dc 0001 4000 40 06 0000 0a000001 0a000002" L4, true, true, false,
			20},
		{"ICMP", IP4("01") L4, true, false, false, 20},
		{"with options", "46 00 0020 0001 4000 40 11 0000 0a000001 0a000002 94040000" L4,
			true, true, false, 24},
		{"first fragment", "45 00 05dc 0001 2000 40 11 0000 0a000001 0a000002" L4, true,
			true, true, 20},
		{"later fragment", "45 00 05dc 0001 2001 40 11 0000 0a000001 0a000002" L4, false,
			false, false, 0},
		{"7 bytes", IP4("11") "1234 5678 0008 00", false, false, false, 0},
		{"UDP6", IP6("11") L4, true, true, false, 40},
		{"UDP6 behind a header", IP6("3c") "1100010400000000" L4, true, true, false, 48},
		{"IPv6 first fragment", IP6("2c") "11 00 0001 00000001" L4, true, true, true, 48},
		{"IPv6 later fragment", IP6("2c") "11 00 0009 00000001" L4, false, false, false, 0},
		{"IPv6 chain cut off", IP6("3c") "1101010400000000", false, false, false, 0},
		{"IPv6 with mapped addresses",
			"6000 0000 0008 11 40 00000000000000000000ffff0a000001"
			"00000000000000000000ffff0a000002" L4,
			false, false, false, 0},
		{"IPv6 with one mapped address",
			"6000 0000 0008 11 40 20010db8000000000000000000000001"
			"00000000000000000000ffff0a000002" L4,
			false, false, false, 0},
		{"no IP", "55 00 001c 0001 4000 40 11 0000 0a000001 0a000002" L4, false, false,
			false, 0},
		{"nothing", "", false, false, false, 0},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].quote);
		void *p = exact(k.b, k.len);
		struct plx_tuple t;
		uint32_t off;

		print_message("%s\n", rows[i].what);
		eq(plx_wire_icmp_quote(&t, &off, p, k.len),
			rows[i].good ? PLX_DROP_NONE : PLX_DROP_ICMP_QUOTE);
		if (rows[i].good) {
			eq(off, rows[i].l4_off);
			eq(t.sport, rows[i].ports ? 0x1234 : 0);
			eq(t.frag, rows[i].frag);
		}
		EACH_TRUNCATION(k, n, cut, {
			if (n < rows[i].l4_off + 8)
				eq(plx_wire_icmp_quote(&t, &off, cut, n), PLX_DROP_ICMP_QUOTE);
		});
		exact_free(p, k.len);
	}
}

#define OUT4(pr) MACS "0800 45 00 0040 0001 4000 40" pr "0000 c0000201 c0000202"
#define OUT6(nh)                                                                                   \
	MACS "86dd 6000 0000 0040" nh "40 20010db8000000000000000000000a01"                        \
	     "20010db8000000000000000000000a02"
#define VXLAN	"c000 12b5 0000 0000 08000000 00006400"
#define INNER	MACS "0800" IP4("06") L4
#define INNER_Q MACS "8100 0005 86dd" IP6("11") L4

T(tunnels_are_opened)
{
	static const struct {
		const char *what, *frame;
		bool inner;
	} rows[] = {
		{"4 in 4", OUT4("04") IP4("06") L4, true},
		{"6 in 4", OUT4("29") IP6("06") L4, true},
		{"4 in 6", OUT6("04") IP4("11") L4, true},
		{"6 in 6", OUT6("29") IP6("11") L4, true},
		{"6 in 6 behind options", OUT6("3c") "2900010400000000" IP6("11") L4, true},
		{"4 where 6 is said", OUT4("29") IP4("06") L4, false},
		{"6 where 4 is said", OUT4("04") IP6("06") L4, false},
		{"GRE", OUT4("2f") "0000 0800" IP4("06") L4, true},
		{"GRE with a key", OUT4("2f") "2000 0800 00000001" IP4("06") L4, true},
		{"GRE with all", OUT6("2f") "b000 86dd 00000000 00000001 00000002" IP6("06") L4,
			true},
		{"GRE with Ethernet", OUT4("2f") "0000 6558" INNER, true},
		{"GRE with what is not IP", OUT4("2f") "0000 880b 00210000", false},
		{"GRE with a route", OUT4("2f") "4000 0800 00000000" IP4("06") L4, false},
		{"PPTP's GRE", OUT4("2f") "3001 880b 00000000 00000000" IP4("06") L4, false},
		{"VXLAN", OUT4("11") VXLAN INNER, true},
		{"VXLAN over IPv6, VLAN within", OUT6("11") VXLAN INNER_Q, true},
		{"VXLAN without its flag", OUT4("11") "c000 12b5 0000 0000 00000000 00006400" INNER,
			false},
		{"UDP to another port", OUT4("11") "c000 12b6 0000 0000 08000000 00006400" INNER,
			false},
		{"UDP from VXLAN's", OUT4("11") "12b5 0035 0000 0000 08000000 00006400" INNER,
			false},
		{"no tunnel", OUT4("06") L4, false},
		{"a fragment of the tunnel's",
			MACS "0800 45 00 0040 0001 2000 40 04 0000 c0000201 c0000202" IP4("06") L4,
			false},
	};
	const struct plx_tuple none = {.sport = 7};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].frame);
		struct plx_tuple t = none;
		void *p = exact(k.b, k.len);

		print_message("%s\n", rows[i].what);
		eq(plx_wire_tuple_inner(&t, p, k.len), rows[i].inner);
		exact_free(p, k.len);
		if (!rows[i].inner) {
			mem_eq(&t, &none, sizeof(t));
			continue;
		}
		eq(t.sport, 0x1234);
		eq(t.dport, 0x5678);
		if (plx_addr_is_v4(&t.src))
			addr_eq(t.src, "10.0.0.1");
		else
			addr_eq(t.src, "2001:db8::1");
		/* Who does not look into tunnels sees the outer one. */
		ok(plx_wire_tuple(&t, k.b, k.len));
		if (plx_addr_is_v4(&t.src))
			addr_eq(t.src, "192.0.2.1");
		else
			addr_eq(t.src, "2001:db8::a01");
	}
}

T(tunnels_cut_anywhere)
{
	static const struct {
		const char *frame;
		uint32_t l3, ports; /* bytes before the inner IP header's end, and its ports' */
	} rows[] = {
		{OUT4("04") IP4("06") L4, 54, 58},
		{OUT4("2f") "b000 0800 00000000 00000001 00000002" IP4("06") L4, 70, 74},
		{OUT6("11") VXLAN INNER_Q, 128, 132},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct pkt k = hex(rows[i].frame);

		EACH_TRUNCATION(k, n, p, {
			struct plx_tuple t;

			eq(plx_wire_tuple_inner(&t, p, n), n >= rows[i].l3);
			if (n >= rows[i].l3)
				eq(t.sport, n >= rows[i].ports ? 0x1234 : 0);
		});
	}
}

RUN(T_(flows), T_(frames_cut_anywhere), T_(the_tuple_is_what_the_parsers_say), T_(quotes),
	T_(tunnels_are_opened), T_(tunnels_cut_anywhere))
