/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload.h"

/*
 * Which packets may become one: Linux's rules (inet_, ipv6_, tcp_ and udp_gro_receive()), with the
 * aim that cutting the result gives the same bytes again.
 */

#define IP4_DF	     0x4000
#define TCP_ACK_OFF  8
#define TCP_OFF_OFF  12 /* data offset, flags, window: one word */
#define TCP_FLAG_OFF 13
#define TCP_URG_OFF  18
#define UDP_LEN_OFF  4
#define UDP_SUM_OFF  6

/* The word at TCP_OFF_OFF as it is loaded: its second byte are the flags. */
#define FLAG_BITS(flags) ((uint32_t)(flags) << 8)

/* All tags and addresses, and that nothing stands between. */
static bool same_l2(const struct plx_gro_pkt *a, const struct plx_gro_pkt *b)
{
	const uint8_t *p = a->ip - a->l2_bytes, *q = b->ip - b->l2_bytes;
	uint32_t n = a->l2_bytes;

	if (n != b->l2_bytes)
		return false;
	if (n == 0)
		return true;
	/* overlapping words: 14 bytes, or up to 22 */
	return ((offload__ld64(p) ^ offload__ld64(q)) |
		       (offload__ld64(p + 6) ^ offload__ld64(q + 6)) |
		       (offload__ld64(p + n - 8) ^ offload__ld64(q + n - 8))) == 0;
}

/*
 * One more than the last, or, where the sender may do so (DF, RFC 6864), always the same. The
 * second packet decides which.
 */
static bool id_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	const uint8_t *b = r->first.ip;
	uint16_t step = (uint16_t)(plx_get_be16(q->ip + 4) - plx_get_be16(b + 4));

	if (r->parts == 1 && step == 0)
		return plx_get_be16(b + 6) & IP4_DF;
	return step == (r->fixed_id ? 0 : r->parts);
}

/* All but length, identification and checksum. */
static bool ip4_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	const uint8_t *a = r->first.ip, *b = q->ip;
	uint32_t diff;

	diff = offload__ld16(a) ^ offload__ld16(b);	     /* version, header length, TOS */
	diff |= offload__ld16(a + 6) ^ offload__ld16(b + 6); /* DF */
	diff |= a[8] ^ b[8];				     /* TTL */
	return diff == 0 && id_follows(r, q);
}

/* All but the length. */
static bool ip6_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	const uint8_t *a = r->first.ip, *b = q->ip;

	return ((offload__ld32(a) ^ offload__ld32(b)) |
		       (uint32_t)(offload__ld16(a + 6) ^ offload__ld16(b + 6))) == 0;
}

static bool same_options(const uint8_t *a, const uint8_t *b)
{
	uint32_t end = (a[TCP_OFF_OFF] >> 4) * 4u, diff = 0;

	for (uint32_t i = PLX_TCP_BYTES; i < end; i += 4)
		diff |= offload__ld32(a + i) ^ offload__ld32(b + i);
	return diff == 0;
}

/* CWR begins a packet and never stands within: cutting puts it on the first part (RFC 3168). */
static bool tcp_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	const uint8_t *a = offload__l4(&r->first), *b = offload__l4(q);
	uint32_t flags = offload__ld32(b + TCP_OFF_OFF), diff;

	diff = (flags ^ offload__ld32(a + TCP_OFF_OFF)) &
	       ~FLAG_BITS(PLX_TCP_CWR | PLX_TCP_PSH | PLX_TCP_FIN);
	diff |= flags & FLAG_BITS(PLX_TCP_CWR);
	diff |= offload__ld32(a + TCP_ACK_OFF) ^ offload__ld32(b + TCP_ACK_OFF);
	diff |= offload__ld16(a + TCP_URG_OFF) ^ offload__ld16(b + TCP_URG_OFF);
	diff |= (plx_get_be32(a + 4) + (uint32_t)r->parts * r->first.data_bytes) ^
		plx_get_be32(b + 4);
	return diff == 0 && same_options(a, b);
}

/* Linux merges none without a checksum; we remember that there was none. */
static bool udp_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	const uint8_t *a = offload__l4(&r->first), *b = offload__l4(q);

	return (offload__ld16(a + UDP_SUM_OFF) == 0) == (offload__ld16(b + UDP_SUM_OFF) == 0);
}

bool offload__gro_follows(const struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	const struct plx_gro_pkt *f = &r->first;
	uint32_t bytes = (uint32_t)f->hdr_bytes - f->l2_bytes + (uint32_t)r->parts * f->data_bytes +
			 q->data_bytes;

	if (q->data_bytes > f->data_bytes || bytes > PLX_GRO_BYTES_MAX)
		return false;
	if (!same_l2(f, q))
		return false;
	if (!(f->v6 ? ip6_follows(r, q) : ip4_follows(r, q)))
		return false;
	return f->proto == PLX_IPPROTO_TCP ? tcp_follows(r, q) : udp_follows(r, q);
}

bool offload__gro_join(struct plx_gro_run *r, const struct plx_gro_pkt *q)
{
	if (r->parts == 1)
		r->fixed_id = !q->v6 && offload__ld16(q->ip + 4) == offload__ld16(r->first.ip + 4);
	if (q->ends)
		offload__l4(&r->first)[TCP_FLAG_OFF] |=
			offload__l4(q)[TCP_FLAG_OFF] & (PLX_TCP_FIN | PLX_TCP_PSH);
	r->parts++;
	return q->ends || q->data_bytes < r->first.data_bytes || r->parts == PLX_GRO_PARTS_MAX;
}

void offload__gro_close(const struct plx_gro_run *r, uint32_t data_bytes)
{
	const struct plx_gro_pkt *f = &r->first;
	uint32_t hdr = f->v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES;
	uint32_t l4_bytes = f->hdr_bytes - f->l2_bytes - hdr + data_bytes;
	uint16_t sum = 0;

	if (f->proto == PLX_IPPROTO_UDP)
		plx_put_be16(offload__l4(f) + UDP_LEN_OFF, (uint16_t)l4_bytes);
	if (f->v6) {
		plx_put_be16(f->ip + 4, (uint16_t)l4_bytes);
		return;
	}
	plx_put_be16(f->ip + 2, (uint16_t)(hdr + l4_bytes));
	memcpy(f->ip + 10, &sum, sizeof(sum));
	sum = plx_cksum_ip4(f->ip, PLX_IP4_BYTES);
	memcpy(f->ip + 10, &sum, sizeof(sum));
}

uint32_t offload__gro_pseudo(const struct plx_gro_pkt *q)
{
	struct plx_addr src, dst;
	uint32_t l4 = q->end_bytes - q->l2_bytes;

	if (q->v6) {
		src = plx_addr_from_v6(q->ip + 8);
		dst = plx_addr_from_v6(q->ip + 24);
		l4 -= PLX_IP6_BYTES;
	} else {
		src = plx_addr_from_v4(q->ip + 12);
		dst = plx_addr_from_v4(q->ip + 16);
		l4 -= PLX_IP4_BYTES;
	}
	return plx_cksum_pseudo(&src, &dst, q->proto, l4);
}
