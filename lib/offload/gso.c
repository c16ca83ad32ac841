/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_offload.h"

#include <errno.h>

#include "offload.h"

#define SEG_FLAGS  (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)
#define SUM_FLAGS  (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)
#define RX_SUMS	   (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define MBUF_KIND  (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)
#define CLONE_BULK 32

/* What is read from m, and what is written. */
struct cutting {
	struct gso_cut c;
	const struct plx_gso_conf *conf;
	struct rte_mbuf *m;
	struct rte_mbuf *seg; /* where the next part's payload begins: */
	uint32_t off;	      /* offset in seg */
	uint64_t flags;	      /* of the parts */
	uint64_t sum_flags;   /* checksums to be filled, here or by the device */
	bool copy;
	uint16_t n_clones;    /* indirect mbufs that are taken and not used yet */
	uint32_t more_clones; /* as many at most are needed beyond them */
	struct rte_mbuf *clones[CLONE_BULK];
};

static int describe(const struct rte_mbuf *m, struct gso_cut *c)
{
	uint64_t seg = m->ol_flags & SEG_FLAGS;
	uint64_t ip = m->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);

	if (seg != RTE_MBUF_F_TX_TCP_SEG && seg != RTE_MBUF_F_TX_UDP_SEG)
		return -EINVAL;
	if (ip != RTE_MBUF_F_TX_IPV4 && ip != RTE_MBUF_F_TX_IPV6)
		return -EINVAL;
	if (m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK)
		return -EINVAL;
	*c = (struct gso_cut){
		.hdr = rte_pktmbuf_mtod(m, const uint8_t *),
		.l2_bytes = m->l2_len,
		.l3_bytes = m->l3_len,
		.l4_bytes = m->l4_len,
		.seg_bytes = m->tso_segsz,
		.v6 = ip == RTE_MBUF_F_TX_IPV6,
		.udp = seg == RTE_MBUF_F_TX_UDP_SEG,
		.fixed_id = m->ol_flags & plx_pkt_fixed_id_flag,
	};
	if (offload__gso_hdr_bytes(c) > m->pkt_len)
		return -EINVAL;
	c->payload_bytes = m->pkt_len - offload__gso_hdr_bytes(c);
	return offload__gso_check(c, m->data_len);
}

int plx_gso_parts(const struct rte_mbuf *m)
{
	struct gso_cut c;
	int err = describe(m, &c);

	return err ? err : c.parts;
}

static uint64_t sum_flags(const struct gso_cut *c)
{
	uint64_t ip = c->v6 ? 0 : RTE_MBUF_F_TX_IP_CKSUM;

	if (!c->udp)
		return ip | RTE_MBUF_F_TX_TCP_CKSUM;
	return c->no_sum ? ip : ip | RTE_MBUF_F_TX_UDP_CKSUM;
}

/* Behind the headers in one mbuf: if it has to be, or if it costs less. */
static int choose_form(struct cutting *k)
{
	uint32_t hdr = offload__gso_hdr_bytes(&k->c);
	uint32_t data = offload__gso_data_bytes(&k->c, 0);
	uint32_t room = (uint32_t)rte_pktmbuf_data_room_size(k->conf->pool);
	bool fits = RTE_PKTMBUF_HEADROOM + hdr + data <= room;

	k->copy = k->conf->linear || (data <= PLX_GSO_COPY_BYTES && fits);
	if (k->copy)
		return fits ? 0 : -EINVAL;
	/* each part has one, and each border of m's segments splits one */
	k->more_clones = k->c.parts + k->m->nb_segs;
	return RTE_PKTMBUF_HEADROOM + hdr <= room ? 0 : -EINVAL;
}

static int begin(struct cutting *k, struct rte_mbuf *m, const struct plx_gso_conf *conf)
{
	int err = describe(m, &k->c);

	if (err)
		return err;
	if (plx_pkt_wire(m) != k->c.parts)
		return -EINVAL;
	k->conf = conf;
	k->m = k->seg = m;
	k->off = offload__gso_hdr_bytes(&k->c);
	k->sum_flags = sum_flags(&k->c);
	k->flags = m->ol_flags & ~(SEG_FLAGS | SUM_FLAGS | MBUF_KIND | RTE_MBUF_F_RX_LRO |
					 plx_pkt_merged_flag | plx_pkt_fixed_id_flag);
	k->n_clones = 0;
	return choose_form(k);
}

/* The next piece of the payload, of at most want bytes: *off in the segment returned. */
static struct rte_mbuf *next_piece(struct cutting *k, uint32_t want, uint32_t *off, uint32_t *n)
{
	while (k->off >= k->seg->data_len) {
		k->off -= k->seg->data_len;
		k->seg = k->seg->next;
	}
	*off = k->off;
	*n = PLX_MIN(want, k->seg->data_len - k->off);
	k->off += *n;
	return k->seg;
}

static void copy_payload(struct cutting *k, struct rte_mbuf *part, uint32_t bytes)
{
	uint8_t *to = rte_pktmbuf_mtod_offset(part, uint8_t *, part->data_len);
	uint32_t off, n;

	part->data_len = (uint16_t)(part->data_len + bytes);
	part->pkt_len += bytes;
	for (; bytes; bytes -= n, to += n) {
		const struct rte_mbuf *seg = next_piece(k, bytes, &off, &n);

		memcpy(to, rte_pktmbuf_mtod_offset(seg, const uint8_t *, off), n);
	}
}

static struct rte_mbuf *take_clone(struct cutting *k)
{
	struct rte_mempool *pool = k->conf->clones ? k->conf->clones : k->conf->pool;

	if (k->n_clones == 0) {
		uint16_t n = (uint16_t)PLX_MIN(k->more_clones, (uint32_t)CLONE_BULK);

		if (rte_pktmbuf_alloc_bulk(pool, k->clones, n) != 0)
			return NULL;
		k->n_clones = n;
		k->more_clones -= n;
	}
	return k->clones[--k->n_clones];
}

static int attach_payload(struct cutting *k, struct rte_mbuf *part, uint32_t bytes)
{
	struct rte_mbuf *last = part;
	uint32_t off, n;

	part->pkt_len += bytes;
	for (; bytes; bytes -= n) {
		struct rte_mbuf *seg, *clone = take_clone(k);

		if (!clone)
			return -ENOMEM;
		seg = next_piece(k, bytes, &off, &n);
		rte_pktmbuf_attach(clone, seg);
		clone->ol_flags &= MBUF_KIND;
		clone->data_off = (uint16_t)(clone->data_off + off);
		clone->data_len = (uint16_t)n;
		clone->pkt_len = n;
		last->next = clone;
		last = clone;
		part->nb_segs++;
	}
	return 0;
}

static void describe_part(const struct cutting *k, struct rte_mbuf *part)
{
	const struct rte_mbuf *m = k->m;

	part->port = m->port;
	part->packet_type = m->packet_type;
	part->vlan_tci = m->vlan_tci;
	part->vlan_tci_outer = m->vlan_tci_outer;
	part->hash = m->hash;
	part->tx_offload = m->tx_offload;
	part->tso_segsz = 0;
	rte_mbuf_dynfield_copy(part, m);
	part->ol_flags = k->flags;
}

static void fill_sums(const struct cutting *k, struct rte_mbuf *part)
{
	uint64_t device = (k->conf->ip_cksum ? RTE_MBUF_F_TX_IP_CKSUM : 0) |
			  (k->conf->l4_cksum ? RTE_MBUF_F_TX_L4_MASK : 0);

	part->ol_flags |= k->sum_flags & ~device;
	plx_pkt_csum_fill(part); /* offload__gso_check() has looked at all that it asks for */
	part->ol_flags |= k->sum_flags & device;
}

static int make_part(struct cutting *k, struct rte_mbuf *part, uint32_t i)
{
	uint32_t bytes = offload__gso_data_bytes(&k->c, i);
	int err = 0;

	offload__gso_header(&k->c, i, rte_pktmbuf_mtod(part, uint8_t *));
	part->pkt_len = part->data_len = (uint16_t)offload__gso_hdr_bytes(&k->c);
	describe_part(k, part);
	if (k->copy)
		copy_payload(k, part, bytes);
	else
		err = attach_payload(k, part, bytes);
	if (!err)
		fill_sums(k, part);
	return err;
}

static int segment(
	struct rte_mbuf *m, const struct plx_gso_conf *conf, struct rte_mbuf **out, uint32_t max)
{
	struct cutting k;
	int err = begin(&k, m, conf);

	if (err)
		return err;
	if (k.c.parts > max)
		return -ENOSPC;
	if (rte_pktmbuf_alloc_bulk(conf->pool, out, k.c.parts) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < k.c.parts && !err; i++)
		err = make_part(&k, out[i], i);
	rte_pktmbuf_free_bulk(k.clones, k.n_clones);
	if (err) {
		rte_pktmbuf_free_bulk(out, k.c.parts);
		return err;
	}
	if (k.copy)
		plx_pkt_loan_copied(m);
	rte_pktmbuf_free(m);
	return k.c.parts;
}

int plx_gso_segment(
	struct rte_mbuf *m, const struct plx_gso_conf *conf, struct rte_mbuf **out, uint32_t max)
{
	int n = segment(m, conf, out, max);

	if (plx_unlikely(n == -ENOMEM && !conf->linear)) { /* there may be enough of one kind */
		struct plx_gso_conf copying = *conf;

		copying.linear = true;
		n = segment(m, &copying, out, max);
		return n < 0 ? -ENOMEM : n;
	}
	return n;
}

/* Options do not change what the transport's checksum is over, a routing header would. */
static bool is_option(uint8_t nh)
{
	return nh == PLX_IPPROTO_HOPOPTS || nh == PLX_IPPROTO_DSTOPTS;
}

/* Bytes of the headers of IP in front of the transport's, *proto. @return 0: they are not all here.
 */
static uint16_t ip_bytes(const uint8_t *ip, uint32_t avail, bool v6, uint8_t *proto)
{
	uint32_t at = PLX_IP6_BYTES;

	*proto = ip[v6 ? 6 : 9];
	if (!v6)
		return (uint16_t)((ip[0] & 0xf) * 4);
	while (is_option(*proto)) {
		if (at + 8 > avail)
			return 0;
		*proto = ip[at];
		at += ip[at + 1] * 8u + 8;
	}
	return at <= avail ? (uint16_t)at : 0;
}

/* What stands at l2_bytes: IP, and behind it TCP or UDP? */
static int describe_merged(const struct rte_mbuf *m, uint16_t l2_bytes, struct gso_cut *c)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, l2_bytes);
	uint32_t avail = m->data_len - (uint32_t)l2_bytes;
	uint8_t proto;

	if (m->data_len < l2_bytes + PLX_IP4_BYTES)
		return -EINVAL;
	*c = (struct gso_cut){
		.hdr = rte_pktmbuf_mtod(m, const uint8_t *),
		.l2_bytes = l2_bytes,
		.v6 = ip[0] >> 4 == 6,
		.seg_bytes = m->tso_segsz,
	};
	c->l3_bytes = ip_bytes(ip, avail, c->v6, &proto);
	c->udp = proto == PLX_IPPROTO_UDP;
	if (!c->l3_bytes || (!c->udp && proto != PLX_IPPROTO_TCP))
		return -EINVAL;
	if (avail < c->l3_bytes + (uint32_t)(c->udp ? PLX_UDP_BYTES : PLX_TCP_BYTES))
		return -EINVAL;
	c->l4_bytes = (uint16_t)(c->udp ? PLX_UDP_BYTES : (ip[c->l3_bytes + 12] >> 4) * 4);
	if (offload__gso_hdr_bytes(c) > m->pkt_len)
		return -EINVAL;
	c->payload_bytes = m->pkt_len - offload__gso_hdr_bytes(c);
	return 0;
}

static uint16_t pseudo_of(const struct gso_cut *c)
{
	const uint8_t *ip = c->hdr + c->l2_bytes;
	struct plx_addr src = c->v6 ? plx_addr_from_v6(ip + 8) : plx_addr_from_v4(ip + 12);
	struct plx_addr dst = c->v6 ? plx_addr_from_v6(ip + 24) : plx_addr_from_v4(ip + 16);

	return plx_cksum_fold(
		plx_cksum_pseudo(&src, &dst, c->udp ? PLX_IPPROTO_UDP : PLX_IPPROTO_TCP, 0));
}

/* The transport's field gets the pseudo-header's sum if the lengths fit, else it stays. */
static int put_pseudo(struct rte_mbuf *m, struct gso_cut *c)
{
	uint8_t *field = rte_pktmbuf_mtod_offset(
		m, uint8_t *, c->l2_bytes + c->l3_bytes + (c->udp ? 6 : 16));
	uint16_t was = offload__ld16(field), sum = pseudo_of(c);
	int err;

	if (!c->udp || was)
		memcpy(field, &sum, sizeof(sum));
	err = offload__gso_check(c, m->data_len);
	if (!err && plx_pkt_wire(m) != c->parts)
		err = -EINVAL;
	if (err)
		memcpy(field, &was, sizeof(was));
	return err;
}

int plx_gso_from_gro(struct rte_mbuf *m, uint16_t l2_bytes)
{
	struct gso_cut c;
	int err;

	if (!(m->ol_flags & RTE_MBUF_F_RX_LRO) || describe_merged(m, l2_bytes, &c) != 0)
		return -EINVAL;
	if (!RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1)
		return -EBUSY;
	err = put_pseudo(m, &c);
	if (err)
		return err;
	m->l2_len = l2_bytes;
	m->l3_len = c.l3_bytes;
	m->l4_len = c.l4_bytes;
	if (!c.v6) /* the device's, or that of plx_gso_segment() */
		memset(rte_pktmbuf_mtod_offset(m, uint8_t *, l2_bytes + 10), 0, 2);
	m->ol_flags &= ~(RTE_MBUF_F_RX_LRO | RX_SUMS | plx_pkt_partial_flag);
	m->ol_flags |= (c.udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG) |
		       (c.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
	return 0;
}
