/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <plx_wire_eth.h>

/*
 * A tag that the device has taken off, or is to put on, stands beside the packet in its mbuf. Who
 * looks at frames wants to see it where it is on the wire.
 */

#define MACS_BYTES 12
#define TAG_BYTES  4
#define TWO_TAGS   (RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_TX_QINQ)

static void put_tag(struct tap_view *v, uint16_t tpid, uint16_t tci)
{
	uint8_t *p = v->hdr + v->head.data_len;

	plx_put_be16(p, tpid);
	plx_put_be16(p + 2, tci);
	v->head.data_len += TAG_BYTES;
	v->head.pkt_len += TAG_BYTES;
}

/* What follows the first n bytes, which may be several segments. */
static void skip(struct tap_view *v, const struct rte_mbuf *m, uint16_t n)
{
	while (n >= m->data_len && m->next) {
		n = (uint16_t)(n - m->data_len);
		m = m->next;
		v->head.nb_segs--;
	}
	v->rest = *m;
	v->rest.data_off = (uint16_t)(v->rest.data_off + n);
	v->rest.data_len = (uint16_t)(v->rest.data_len - n);
}

static const struct rte_mbuf *tagged(struct tap_view *v, const struct rte_mbuf *m)
{
	const void *macs = rte_pktmbuf_read(m, 0, MACS_BYTES, v->hdr);

	if (!macs)
		return m;
	if (macs != v->hdr)
		memcpy(v->hdr, macs, MACS_BYTES);
	v->head = *m;
	v->head.next = &v->rest;
	v->head.nb_segs++;
	v->head.buf_addr = v->hdr;
	v->head.data_off = 0;
	v->head.data_len = MACS_BYTES;
	skip(v, m, MACS_BYTES);
	if (m->ol_flags & TWO_TAGS)
		put_tag(v, PLX_ETHERTYPE_8021AD, m->vlan_tci_outer);
	put_tag(v, PLX_ETHERTYPE_8021Q, m->vlan_tci);
	return &v->head;
}

const struct rte_mbuf *tap__view(struct tap_view *v, const struct rte_mbuf *m)
{
	return plx_likely(!(m->ol_flags & TAP_TAGS)) ? m : tagged(v, m);
}
