/* SPDX-License-Identifier: BSD-3-Clause */
#include "pkt_t.h"

#include <endian.h>

#include "vtap.h"

#define NEEDS VIRTIO_NET_HDR_F_NEEDS_CSUM

static struct virtio_net_hdr hdr(uint8_t gso, uint16_t size, uint16_t start, uint16_t off)
{
	return (struct virtio_net_hdr){
		.flags = NEEDS,
		.gso_type = gso,
		.gso_size = htole16(size),
		.csum_start = htole16(start),
		.csum_offset = htole16(off),
	};
}

/* ---- what came ---- */

static enum plx_drop in(
	const struct t_pkt *k, const struct virtio_net_hdr *h, uint64_t *flags, uint32_t *wire)
{
	struct rte_mbuf *m = t_pkt(k);
	enum plx_drop drop = vtap__hdr_in(m, h, !k->bare);

	*flags = m->ol_flags;
	*wire = plx_pkt_wire(m);
	plx_pkt_originate(*wire - 1);
	plx_pkt_deliver(m);
	return drop;
}

T(a_checksum_that_is_not_there_is_marked)
{
	const uint64_t marks = RTE_MBUF_F_RX_L4_CKSUM_GOOD | plx_pkt_partial_flag;
	static const struct {
		struct t_pkt k;
		uint16_t start, off;
	} rows[] = {
		{{.text = 0}, 34, 16},
		{{.text = 100, .v6 = true}, 54, 16},
		{{.text = 100, .udp = true, .vlans = 1}, 38, 6},
		{{.text = 65000, .udp = true, .v6 = true}, 54, 6},
		{{.text = 100, .bare = true}, 20, 16},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct virtio_net_hdr h = hdr(0, 0, rows[i].start, rows[i].off);
		struct rte_mbuf *m = t_pkt(&rows[i].k);
		uint32_t l4, n = t_build(&rows[i].k, &l4);

		eq(vtap__hdr_in(m, &h, !rows[i].k.bare), PLX_DROP_NONE);
		eq(m->ol_flags, marks);
		t_same(m, n);
		plx_pkt_deliver(m);
	}
}

T(a_checksum_that_was_seen_is_good)
{
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	uint64_t flags;
	uint32_t wire;

	eq(in(&(struct t_pkt){.text = 10}, &h, &flags, &wire), PLX_DROP_NONE);
	eq(flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	h.flags = 0;
	eq(in(&(struct t_pkt){.text = 10}, &h, &flags, &wire), PLX_DROP_NONE);
	eq(flags, 0);
}

T(super_segments_carry_their_number)
{
	static const struct {
		struct t_pkt k;
		uint8_t gso;
		uint16_t size, start;
		uint32_t wire;
	} rows[] = {
		{{.text = 2801}, VIRTIO_NET_HDR_GSO_TCPV4, 1400, 34, 3},
		{{.text = 2800}, VIRTIO_NET_HDR_GSO_TCPV4, 1400, 34, 2},
		{{.text = 65000}, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 1, 34, 65000},
		{{.text = 65000, .v6 = true}, VIRTIO_NET_HDR_GSO_TCPV6, 1440, 54, 46},
		{{.text = 3000, .v6 = true, .vlans = 2}, VIRTIO_NET_HDR_GSO_TCPV6, 1440, 62, 3},
		{{.text = 5000, .udp = true}, VIRTIO_NET_HDR_GSO_UDP_L4, 1000, 34, 5},
		{{.text = 5000, .udp = true, .v6 = true}, VIRTIO_NET_HDR_GSO_UDP_L4, 1001, 54, 5},
		{{.text = 3000, .bare = true}, VIRTIO_NET_HDR_GSO_TCPV4, 1400, 20, 3},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct virtio_net_hdr h =
			hdr(rows[i].gso, rows[i].size, rows[i].start, rows[i].k.udp ? 6 : 16);
		struct rte_mbuf *m = t_pkt(&rows[i].k);

		h.hdr_len = htole16(i & 1 ? 0xffff : 3); /* lies: nobody cares */
		eq(vtap__hdr_in(m, &h, !rows[i].k.bare), PLX_DROP_NONE);
		ok(m->ol_flags & RTE_MBUF_F_RX_LRO);
		ok(m->ol_flags & plx_pkt_partial_flag);
		eq(m->tso_segsz, rows[i].size);
		eq(plx_pkt_wire(m), rows[i].wire);
		plx_pkt_originate(rows[i].wire - 1);
		plx_pkt_deliver(m);
	}
}

T(a_super_segment_of_one_is_none)
{
	struct virtio_net_hdr h = hdr(VIRTIO_NET_HDR_GSO_TCPV4, 1400, 34, 16);
	uint64_t flags;
	uint32_t wire;

	eq(in(&(struct t_pkt){.text = 1400}, &h, &flags, &wire), PLX_DROP_NONE);
	ok(!(flags & RTE_MBUF_F_RX_LRO));
	ok(flags & plx_pkt_partial_flag);
	eq(wire, 1);
}

T(headers_that_do_not_fit_are_refused)
{
	static const struct {
		const char *what;
		struct t_pkt k;
		struct virtio_net_hdr h;
	} rows[] = {
		{"begins behind the end", {.text = 10}, {.flags = NEEDS, .csum_start = 64}},
		{"the field ends behind it", {.text = 10},
			{.flags = NEEDS, .csum_start = 47, .csum_offset = 16}},
		{"far behind it", {.text = 10},
			{.flags = NEEDS, .csum_start = 0xffff, .csum_offset = 0xffff}},
		{"the field is not in the first mbuf", {.text = 3000},
			{.flags = NEEDS, .csum_start = 2500, .csum_offset = 6}},
		{"no checksum to be cut with", {.text = 3000},
			{.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1400}},
		{"size 0", {.text = 3000},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				.csum_start = 34,
				.csum_offset = 16}},
		{"no text", {.text = 0},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				.gso_size = 1400,
				.csum_start = 34,
				.csum_offset = 16}},
		{"another family", {.text = 3000},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
				.gso_size = 1400,
				.csum_start = 34,
				.csum_offset = 16}},
		{"another transport", {.text = 3000},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
				.gso_size = 1400,
				.csum_start = 34,
				.csum_offset = 16}},
		{"fragments of UDP", {.text = 3000, .udp = true},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_UDP,
				.gso_size = 1400,
				.csum_start = 34,
				.csum_offset = 6}},
		{"an unknown kind", {.text = 3000},
			{.flags = NEEDS,
				.gso_type = 99,
				.gso_size = 1400,
				.csum_start = 34,
				.csum_offset = 16}},
		{"nothing but the mark for ECN", {.text = 3000},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_ECN,
				.gso_size = 1400,
				.csum_start = 34,
				.csum_offset = 16}},
		{"to be cut, but at another header", {.text = 3000},
			{.flags = NEEDS,
				.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				.gso_size = 1400,
				.csum_start = 38,
				.csum_offset = 16}},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		uint64_t flags;
		uint32_t wire;

		if (in(&rows[i].k, &rows[i].h, &flags, &wire) != PLX_DROP_RX_OFFLOAD)
			fail_msg("taken: %s", rows[i].what);
		eq(wire, 1);
	}
}

/* The checksum of an encapsulated packet: summed here, so that it is right for all. */
T(a_checksum_elsewhere_is_completed_at_once)
{
	struct t_pkt k = {.text = 501};
	uint32_t l4, n = t_build(&k, &l4);
	struct virtio_net_hdr h = hdr(0, 0, (uint16_t)l4, 16);
	struct rte_mbuf *m;

	t_bytes[14 + 9] = 47;
	m = t_chain(t_bytes, n, 100, 1);
	eq(vtap__hdr_in(m, &h, true), PLX_DROP_NONE);
	eq(m->ol_flags, 0);
	k.sum = true;
	t_build(&k, &l4);
	t_bytes[14 + 9] = 47;
	t_same(m, n);
	plx_pkt_deliver(m);
}

/* Any header over any bytes: refused or not, nothing is read or written beyond the packet. */
T(noise)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(7));
	for (int i = 0; i < 20000; i++) {
		struct t_pkt k = {
			.text = plx_rng_below(&rng, 200),
			.v6 = plx_rng_below(&rng, 2),
			.udp = plx_rng_below(&rng, 2),
			.seg = (uint16_t)(1 + plx_rng_below(&rng, 150)),
		};
		uint32_t l4, n = t_build(&k, &l4), wire;
		struct virtio_net_hdr h = hdr((uint8_t)plx_rng_below(&rng, 7),
			(uint16_t)plx_rng_below(&rng, 300), (uint16_t)(l4 + plx_rng_below(&rng, 3)),
			(uint16_t)plx_rng_below(&rng, 20));
		struct rte_mbuf *m;

		if (plx_rng_below(&rng, 3) == 0)
			t_bytes[plx_rng_below(&rng, n)] = (uint8_t)plx_rng_below(&rng, 256);
		m = t_chain(t_bytes, n, k.seg, 1);
		vtap__hdr_in(m, &h, true);
		wire = plx_pkt_wire(m);
		ok(wire == 1 || wire == (k.text + m->tso_segsz - 1) / m->tso_segsz);
		plx_pkt_originate(wire - 1);
		plx_pkt_deliver(m);
	}
}

/* ---- what is sent ---- */

static struct virtio_net_hdr out_hdr;
static struct vtap_patch out_patch;

static enum plx_drop out(const struct t_pkt *k, uint64_t flags, uint16_t segsz)
{
	struct rte_mbuf *m = t_pkt(k);
	enum plx_drop drop;

	m->ol_flags = flags | (k->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->l2_len = k->bare ? 0 : (14 + 4 * k->vlans) & 127;
	m->l3_len = k->v6 ? 40 : 20;
	m->l4_len = k->udp ? 8 : 20;
	m->tso_segsz = segsz;
	drop = vtap__hdr_out(m, &out_hdr, &out_patch);
	plx_pkt_deliver(m);
	return drop;
}

static void is(const char *bytes)
{
	mem_eq(&out_hdr, bytes, sizeof(out_hdr));
}

T(the_header_of_what_is_sent)
{
	struct t_pkt k = {.text = 3000};

	eq(out(&k, 0, 0), PLX_DROP_NONE);
	is("\0\0\0\0\0\0\0\0\0\0");
	eq(out_patch.at, 0);
	eq(out(&k, RTE_MBUF_F_TX_TCP_CKSUM, 0), PLX_DROP_NONE);
	is("\1\0\0\0\0\0\x22\0\x10\0");
	eq(out_patch.at, 0);
	eq(out(&k, RTE_MBUF_F_TX_TCP_SEG, 0x0578), PLX_DROP_NONE);
	is("\1\1\x36\0\x78\5\x22\0\x10\0");
	eq(out_patch.at, 50);
	k.tcp_flags = PLX_TCP_CWR;
	eq(out(&k, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM, 0x0578), PLX_DROP_NONE);
	is("\1\x81\x36\0\x78\5\x22\0\x10\0");
	k.v6 = true;
	k.vlans = 1;
	eq(out(&k, RTE_MBUF_F_TX_TCP_SEG, 0x0578), PLX_DROP_NONE);
	is("\1\x84\x4e\0\x78\5\x3a\0\x10\0");
	k = (struct t_pkt){.text = 3000, .udp = true};
	eq(out(&k, RTE_MBUF_F_TX_UDP_CKSUM, 0), PLX_DROP_NONE);
	is("\1\0\0\0\0\0\x22\0\6\0");
	eq(out(&k, RTE_MBUF_F_TX_UDP_SEG, 1000), PLX_DROP_NONE);
	is("\1\5\x2a\0\xe8\3\x22\0\6\0");
	eq(out_patch.at, 40);
	k.bare = true;
	eq(out(&k, RTE_MBUF_F_TX_UDP_SEG, 3000), PLX_DROP_NONE); /* one after all */
	is("\1\0\0\0\0\0\x14\0\6\0");
	eq(out_patch.at, 26);
}

T(what_cannot_be_sent_is_refused)
{
	struct t_pkt k = {.text = 3000};

	eq(out(&k, RTE_MBUF_F_TX_IP_CKSUM, 0), PLX_DROP_TX_NO_OFFLOAD);
	eq(out(&k, RTE_MBUF_F_TX_SCTP_CKSUM, 0), PLX_DROP_TX_NO_OFFLOAD);
	eq(out(&k, RTE_MBUF_F_TX_TCP_SEG, 0), PLX_DROP_TX_ERROR);
	k.seg = 40; /* the headers are in two mbufs */
	eq(out(&k, RTE_MBUF_F_TX_TCP_CKSUM, 0), PLX_DROP_TX_ERROR);
	k.seg = 53;
	eq(out(&k, RTE_MBUF_F_TX_TCP_CKSUM, 0), PLX_DROP_NONE);
	eq(out(&k, RTE_MBUF_F_TX_TCP_SEG, 1400), PLX_DROP_TX_ERROR);
}

/* From the kernel to the kernel: header and bytes arrive as they were. */
T(there_and_back)
{
	for (int i = 0; i < 8; i++) {
		struct t_pkt k = {.text = 5000, .v6 = i & 1, .udp = i & 2};
		uint32_t l4, n = t_build(&k, &l4), field = l4 + (k.udp ? 6u : 16u);
		uint8_t kind = k.udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
			       : k.v6 ? VIRTIO_NET_HDR_GSO_TCPV6
				      : VIRTIO_NET_HDR_GSO_TCPV4;
		struct virtio_net_hdr h = hdr(
			i & 4 ? kind : 0, i & 4 ? 1400 : 0, (uint16_t)l4, (uint16_t)(field - l4));
		struct rte_mbuf *m = t_chain(t_bytes, n, 0, 1);

		eq(vtap__hdr_in(m, &h, true), PLX_DROP_NONE);
		plx_pkt_originate(plx_pkt_wire(m) - 1);
		eq(plx_pkt_ask(m, true), 0);
		eq(vtap__hdr_out(m, &out_hdr, &out_patch), PLX_DROP_NONE);
		h.hdr_len = i & 4 ? htole16((uint16_t)(l4 + (k.udp ? 8 : 20))) : 0;
		mem_eq(&out_hdr, &h, sizeof(h));
		if (out_patch.at) {
			eq(out_patch.at, field);
			memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, field), &out_patch.value, 2);
		}
		t_same(m, n);
		plx_pkt_deliver(m);
	}
}

RUN_EAL(T_EAL_(a_checksum_that_is_not_there_is_marked), T_EAL_(a_checksum_that_was_seen_is_good),
	T_EAL_(super_segments_carry_their_number), T_EAL_(a_super_segment_of_one_is_none),
	T_EAL_(headers_that_do_not_fit_are_refused),
	T_EAL_(a_checksum_elsewhere_is_completed_at_once), T_EAL_(noise),
	T_EAL_(the_header_of_what_is_sent), T_EAL_(what_cannot_be_sent_is_refused),
	T_EAL_(there_and_back))
