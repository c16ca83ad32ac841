/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"

/*
 * Super-segments to and from a DPDK device. What DPDK asks for, and what it leaves open: a device
 * that cuts may count identifications up where they were the same, or repeat CWR in each part, and
 * no capability says so (Linux has features for both, tx-tcp-mangleid- and -ecn-segmentation).
 * Such super-segments, which are few, are cut in software.
 */

#define TCP_FLAGS_OFF 13
#define TCP_CWR	      0x80
#define TCP_CKSUM_OFF 16
#define IP6_BYTES     40
#define OWN_DESCS     2	  /* a packet's own: offsets and sums, or a header of virtio's */
#define SEGS_MAX      128 /* a ring may be smaller than we asked for: virtio's is the other end's */

/* ---- what is sent ---- */

static uint32_t headers(const struct rte_mbuf *m)
{
	return (uint32_t)m->l2_len + m->l3_len + m->l4_len;
}

static const uint8_t *tcp(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len + m->l3_len);
}

/* In rte_eth_tx_prepare() drivers write to the headers; IPv6's extensions they don't look for. */
static bool is_plain(const struct rte_mbuf *m)
{
	if (!RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1 || m->data_len < headers(m))
		return false;
	if (m->tso_segsz == 0 || m->pkt_len - headers(m) <= m->tso_segsz) /* nothing to cut */
		return false;
	if (m->ol_flags & RTE_MBUF_F_TX_IPV6 && m->l3_len != IP6_BYTES)
		return false;
	return !(m->ol_flags & plx_pkt_fixed_id_flag) && !(tcp(m)[TCP_FLAGS_OFF] & TCP_CWR);
}

/*
 * Is each packet that it is to be cut into in so many mbufs at most, that of its headers included?
 * The one under way has so many, and wants so many bytes more.
 */
static bool each_within(const struct rte_mbuf *m, uint32_t max_segs)
{
	const uint32_t part = m->tso_segsz;
	uint32_t segs = 1, wants = part, off = headers(m);

	for (; m; m = m->next, off = 0) {
		uint32_t bytes = m->data_len - off;

		if (bytes && wants == 0) {
			segs = 1;
			wants = part;
		}
		if (bytes && ++segs > max_segs)
			return false;
		for (; bytes > wants; wants = part) {
			bytes -= wants;
			segs = 2;
		}
		wants -= bytes;
	}
	return true;
}

static bool fits(const struct ethdev *d, const struct rte_mbuf *m)
{
	const struct rte_eth_desc_lim *lim = &d->info.tx_desc_lim;

	if (m->nb_segs > SEGS_MAX || m->nb_segs + OWN_DESCS > d->txd)
		return false;
	if (lim->nb_seg_max && m->nb_segs > lim->nb_seg_max)
		return false;
	return lim->nb_mtu_seg_max == 0 || m->nb_segs < lim->nb_mtu_seg_max ||
	       each_within(m, lim->nb_mtu_seg_max);
}

/*
 * The driver looks for limits of its own, and puts into the headers what its device wants there: an
 * empty sum of IPv4's, a pseudo-header's with the length or without.
 */
static bool prepare(const struct plx_txq *q, struct rte_mbuf *m)
{
	uint8_t *field =
		rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len + m->l3_len + TCP_CKSUM_OFF);
	const uint64_t flags = m->ol_flags;
	uint16_t sum;

	memcpy(&sum, field, sizeof(sum));
	if (flags & RTE_MBUF_F_TX_IPV4) /* as RTE_MBUF_F_TX_TCP_SEG asks for */
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (rte_eth_tx_prepare(q->dev_id, q->id, &m, 1) == 1)
		return true;
	m->ol_flags = flags;
	memcpy(field, &sum, sizeof(sum));
	return false;
}

bool ethdev__features_check(struct plx_txq *q, struct rte_mbuf *m)
{
	return is_plain(m) && fits(q->port->priv, m) && prepare(q, m);
}

/* Most of a burst are packets of their own. */
static bool has_super(struct rte_mbuf *const *pkts, uint16_t n)
{
	uint64_t flags = 0;

	for (uint16_t i = 0; i < n; i++)
		flags |= pkts[i]->ol_flags;
	return flags & plx_pkt_merged_flag;
}

/* At most PLX_PORT_BURST. How many packets an mbuf was, it does not tell when it is sent. */
static uint16_t tx_counted(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint32_t wire[PLX_PORT_BURST], more = 0;
	uint16_t sent;

	for (uint16_t i = 0; i < n; i++)
		wire[i] = plx_pkt_wire(pkts[i]);
	sent = rte_eth_tx_burst(q->dev_id, q->id, pkts, n);
	for (uint16_t i = 0; i < sent; i++)
		more += wire[i] - 1;
	plx_txq_more(q, more);
	return sent;
}

uint16_t ethdev__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t done = 0, chunk, sent;

	if (plx_likely(!has_super(pkts, n)))
		return rte_eth_tx_burst(q->dev_id, q->id, pkts, n);
	do {
		chunk = (uint16_t)PLX_MIN(n - done, PLX_PORT_BURST);
		sent = tx_counted(q, pkts + done, chunk);
		done = (uint16_t)(done + sent);
	} while (sent == chunk && done < n);
	return done;
}

/* ---- what came ---- */

static bool has_no_sum(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/* The device's word about a packet, into ours. */
static enum plx_drop take_word(struct plx_rxq *q, struct rte_mbuf *m)
{
	bool merged = m->ol_flags & RTE_MBUF_F_RX_LRO;
	struct plx_pkt_layers l;

	if (!plx_pkt_layers(&l, m, true))
		return PLX_DROP_RX_OFFLOAD;
	if (merged && !plx_pkt_set_parts(m, &l, m->tso_segsz))
		return PLX_DROP_RX_OFFLOAD;
	if (has_no_sum(m)) {
		m->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | plx_pkt_partial_flag;
	}
	if (m->ol_flags & plx_pkt_merged_flag)
		plx_rxq_merged(q, m);
	return PLX_DROP_NONE;
}

uint16_t ethdev__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t got = rte_eth_rx_burst(q->dev_id, q->id, pkts, n), kept = 0;

	for (uint16_t i = 0; i < got; i++) {
		struct rte_mbuf *m = pkts[i];
		enum plx_drop drop = PLX_DROP_NONE;

		if (m->ol_flags & RTE_MBUF_F_RX_LRO || has_no_sum(m))
			drop = take_word(q, m);
		if (plx_likely(drop == PLX_DROP_NONE))
			pkts[kept++] = m;
		else
			plx_rxq_lost(m, drop);
	}
	return kept;
}
