/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The part of GSO and GRO that decides: headers in, headers out, not an mbuf in it, so that it can
 * be fuzzed without DPDK (test/fuzz/fuzz_offload.c).
 */
#include "plx_offload_hdr.h"

/* What a received frame is to GRO. */
enum gro_kind {
	GRO_ALIEN, /* of no flow that is ever held */
	GRO_ODD,   /* IP whose addresses alone are known: fragments, options, extension headers */
	GRO_LONE,  /* TCP or UDP that is never merged, but has its place in its flow */
	GRO_JOIN,  /* TCP or UDP with a payload */
};

/* A frame as it lies in memory. */
struct gro_frame {
	uint8_t *p;
	uint32_t avail_bytes; /* at p in one piece */
	uint32_t bytes;	      /* of the whole frame */
	bool raw_ip;	      /* begins with the IP header */
};

/* 60 + 60 bytes of IPv4 and TCP, and two VLAN tags: nothing beyond is ever looked at. */
#define GRO_HEADERS_MAX 160

/*
 * q is filled as far as the kind says: ODD has ip, v6 and proto (0 = any), LONE also ports at their
 * place. Checksums are not looked at, but for values that a sender never writes.
 */
enum gro_kind offload__gro_parse(struct plx_gro_pkt *q, const struct gro_frame *f);

/* May q be merged behind r? Of the same flow (offload__same_flow()), checksums apart. */
bool offload__gro_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q);
/* q, that follows r, is merged. @return true when nothing may be merged behind it. */
bool offload__gro_join(struct plx_gro_run *r, const struct plx_gro_pkt *q);
/* The headers of a run of several, which ends here. @param data_bytes payload of all parts. */
void offload__gro_close(const struct plx_gro_run *r, uint32_t data_bytes);
/* The sum of q's pseudo-header, not finished. */
uint32_t offload__gro_pseudo(const struct plx_gro_pkt *q);

static inline uint32_t offload__ld32(const uint8_t *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint64_t offload__ld64(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint16_t offload__ld16(const uint8_t *p)
{
	uint16_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint8_t *offload__l4(const struct plx_gro_pkt *q)
{
	return q->ip + (q->v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES);
}

static inline bool offload__same_addrs(const struct plx_gro_pkt *a, const struct plx_gro_pkt *b)
{
	const uint8_t *p = a->ip, *q = b->ip;

	if (a->v6 != b->v6)
		return false;
	if (!a->v6)
		return offload__ld64(p + 12) == offload__ld64(q + 12);
	return ((offload__ld64(p + 8) ^ offload__ld64(q + 8)) |
		       (offload__ld64(p + 16) ^ offload__ld64(q + 16)) |
		       (offload__ld64(p + 24) ^ offload__ld64(q + 24)) |
		       (offload__ld64(p + 32) ^ offload__ld64(q + 32))) == 0;
}

/* Addresses, protocol, ports: what order is kept by. */
static inline bool offload__same_flow(const struct plx_gro_pkt *a, const struct plx_gro_pkt *b)
{
	return a->proto == b->proto && offload__same_addrs(a, b) &&
	       offload__ld32(offload__l4(a)) == offload__ld32(offload__l4(b));
}

/* A cheap hash of the same. Whoever aims at a bucket makes his own packets go unmerged. */
static inline uint32_t offload__hash(const struct plx_gro_pkt *q)
{
	uint64_t ports = offload__ld32(offload__l4(q)), h;

	if (!q->v6)
		h = offload__ld64(q->ip + 12);
	else
		h = offload__ld64(q->ip + 8) ^ plx_rotl64(offload__ld64(q->ip + 16), 17) ^
		    plx_rotl64(offload__ld64(q->ip + 24), 31) ^
		    plx_rotl64(offload__ld64(q->ip + 32), 47);
	return (uint32_t)((h ^ ports * 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93 >> 32);
}

/* The headers of a packet that is to be cut. */
struct gso_cut {
	const uint8_t *hdr; /* of the whole */
	uint32_t payload_bytes;
	uint16_t l2_bytes, l3_bytes, l4_bytes;
	uint16_t seg_bytes; /* payload of each part but the last */
	uint16_t parts;
	bool v6, udp;
	bool fixed_id; /* IPv4: all parts have the same identification */
	bool no_sum;   /* UDP over IPv4 without a checksum: set by offload__gso_check() */
};

/*
 * Do the lengths fit each other and the headers? Sets parts and no_sum.
 * @param hdr_avail_bytes at hdr in one piece. @return 0 or -EINVAL.
 */
int offload__gso_check(struct gso_cut *c, uint32_t hdr_avail_bytes);

static inline uint32_t offload__gso_hdr_bytes(const struct gso_cut *c)
{
	return (uint32_t)c->l2_bytes + c->l3_bytes + c->l4_bytes;
}

/* Payload of part i. */
static inline uint32_t offload__gso_data_bytes(const struct gso_cut *c, uint32_t i)
{
	uint32_t left = c->payload_bytes - i * c->seg_bytes;

	return PLX_MIN(left, (uint32_t)c->seg_bytes);
}

/*
 * Write the headers of part i: IPv4's checksum zero, in TCP's and UDP's the sum of the
 * pseudo-header, or zero where there is to be none.
 */
void offload__gso_header(const struct gso_cut *c, uint32_t i, uint8_t *to);
