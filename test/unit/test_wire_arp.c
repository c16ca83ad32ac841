/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#define REQUEST "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"

T(a_request)
{
	struct pkt k = hex(REQUEST);
	struct plx_arp arp;

	eq(plx_wire_arp_parse(&arp, k.b, k.len), PLX_DROP_NONE);
	eq(arp.op, PLX_ARP_REQUEST);
	mac_eq(arp.sha, "02:00:00:00:00:01");
	ok(plx_mac_is_zero(&arp.tha));
	addr_eq(arp.spa, "10.0.0.1");
	addr_eq(arp.tpa, "10.0.0.2");
}

T(padding_may_follow)
{
	struct pkt k = hex(REQUEST "0000 0000 0000 0000 0000 0000 0000 0000 0000");
	struct plx_arp arp;

	eq(plx_wire_arp_parse(&arp, k.b, k.len), PLX_DROP_NONE);
}

T(a_short_one_is_malformed)
{
	struct pkt k = hex(REQUEST);
	struct plx_arp arp;

	EACH_TRUNCATION(k, n, p, eq(plx_wire_arp_parse(&arp, p, n), PLX_DROP_ARP_MALFORMED));
}

T(what_is_not_ethernet_and_ipv4_is_malformed)
{
	/* the last byte of each of the four fields, in hardware, protocol, and their lengths */
	static const uint32_t offsets[] = {0, 1, 2, 3, 4, 5};

	for (size_t i = 0; i < PLX_DIM(offsets); i++) {
		struct pkt k = hex(REQUEST);
		struct plx_arp arp;

		k.b[offsets[i]] ^= 1;
		eq(plx_wire_arp_parse(&arp, k.b, k.len), PLX_DROP_ARP_MALFORMED);
	}
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(2));
	for (int i = 0; i < 10000; i++) {
		struct plx_arp in = {.op = (uint16_t)plx_rng_u32(&rng)}, out;
		uint8_t b[PLX_ARP_BYTES];

		plx_rng_bytes(&rng, &in.sha, sizeof(in.sha));
		plx_rng_bytes(&rng, &in.tha, sizeof(in.tha));
		in.spa = random_addr(&rng, 4);
		in.tpa = random_addr(&rng, 4);
		memset(&out, 0, sizeof(out));
		eq(plx_wire_arp_emit(b, &in), PLX_ARP_BYTES);
		eq(plx_wire_arp_parse(&out, b, sizeof(b)), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

RUN(T_(a_request), T_(padding_may_follow), T_(a_short_one_is_malformed),
	T_(what_is_not_ethernet_and_ipv4_is_malformed), T_(what_is_emitted_is_parsed))
