/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

T(a_plain_frame)
{
	struct pkt k = hex("02 00 00 00 00 02  02 00 00 00 00 01  0800  45");
	struct plx_eth eth = {0};

	eq(plx_wire_eth_parse(&eth, k.b, k.len), PLX_DROP_NONE);
	mac_eq(eth.dst, "02:00:00:00:00:02");
	mac_eq(eth.src, "02:00:00:00:00:01");
	eq(eth.type, PLX_ETHERTYPE_IP4);
	eq(eth.n_vlan, 0);
	eq(eth.hdr_bytes, 14);
}

T(tags_come_outer_first)
{
	struct pkt k = hex("ffffffffffff 020000000001  88a8 2064  8100 e00a  86dd");
	struct plx_eth eth = {0};

	eq(plx_wire_eth_parse(&eth, k.b, k.len), PLX_DROP_NONE);
	eq(eth.n_vlan, 2);
	eq(PLX_VLAN_VID(eth.vlan[0]), 100);
	eq(PLX_VLAN_PCP(eth.vlan[0]), 1);
	eq(PLX_VLAN_VID(eth.vlan[1]), 10);
	eq(PLX_VLAN_PCP(eth.vlan[1]), 7);
	eq(eth.type, PLX_ETHERTYPE_IP6);
	eq(eth.hdr_bytes, 22);
}

T(a_third_tag_is_left_in_the_type)
{
	struct pkt k = hex("ffffffffffff 020000000001  8100 0001  8100 0002  8100 0003  0800");
	struct plx_eth eth = {0};

	eq(plx_wire_eth_parse(&eth, k.b, k.len), PLX_DROP_NONE);
	eq(eth.n_vlan, 2);
	eq(eth.type, PLX_ETHERTYPE_8021Q);
	eq(eth.hdr_bytes, 22);
}

T(an_802_3_frame_has_its_length_for_a_type)
{
	struct pkt k = hex("0180c2000000 020000000001  0026  424203");
	struct plx_eth eth = {0};

	eq(plx_wire_eth_parse(&eth, k.b, k.len), PLX_DROP_NONE);
	ok(eth.type < PLX_ETH_TYPE_MIN);
	eq(eth.type, 0x26);
}

T(a_frame_cut_within_its_header_is_short)
{
	static const char *const frames[] = {
		"ffffffffffff 020000000001 0806",
		"ffffffffffff 020000000001 8100 0001 0806",
		"ffffffffffff 020000000001 88a8 0001 8100 0002 0806",
	};

	for (size_t i = 0; i < PLX_DIM(frames); i++) {
		struct pkt k = hex(frames[i]);
		struct plx_eth eth = {0};

		EACH_TRUNCATION(k, n, p, eq(plx_wire_eth_parse(&eth, p, n), PLX_DROP_ETH_SHORT));
		eq(plx_wire_eth_parse(&eth, k.b, k.len), PLX_DROP_NONE);
		eq(eth.hdr_bytes, k.len);
		eq(eth.type, PLX_ETHERTYPE_ARP);
	}
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int i = 0; i < 10000; i++) {
		struct plx_eth in = {0}, out;
		uint8_t b[PLX_ETH_MAX_BYTES];

		plx_rng_bytes(&rng, &in.dst, 12);
		in.type = PLX_ETHERTYPE_IP6;
		in.n_vlan = (uint8_t)plx_rng_below(&rng, 3);
		for (int v = 0; v < in.n_vlan; v++)
			in.vlan[v] = (uint16_t)plx_rng_u32(&rng);
		in.hdr_bytes = (uint8_t)(PLX_ETH_BYTES + 4 * in.n_vlan);
		eq(plx_wire_eth_emit(b, &in), in.hdr_bytes);
		eq(plx_get_be16(b + 12), in.n_vlan == 0	  ? PLX_ETHERTYPE_IP6
					 : in.n_vlan == 1 ? PLX_ETHERTYPE_8021Q
							  : PLX_ETHERTYPE_8021AD);
		eq(plx_wire_eth_parse(&out, b, in.hdr_bytes), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

RUN(T_(a_plain_frame), T_(tags_come_outer_first), T_(a_third_tag_is_left_in_the_type),
	T_(an_802_3_frame_has_its_length_for_a_type), T_(a_frame_cut_within_its_header_is_short),
	T_(what_is_emitted_is_parsed))
