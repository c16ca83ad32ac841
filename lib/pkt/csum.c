/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pkt.h"

#include <errno.h>

#include <plx_base_cksum.h>

#define IP4_CKSUM_OFF 10
#define TCP_CKSUM_OFF 16
#define UDP_CKSUM_OFF 6

uint32_t plx_pkt_csum_sum(const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	uint32_t sum = 0, done = 0;

	for (; m && len; m = m->next) {
		uint32_t n;

		if (off >= m->data_len) {
			off -= m->data_len;
			continue;
		}
		n = PLX_MIN(len, m->data_len - off);
		sum = plx_cksum_combine(sum,
			plx_cksum_add(0, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), n),
			done);
		done += n;
		len -= n;
		off = 0;
	}
	return sum;
}

static int fill_l4(struct rte_mbuf *m, uint32_t l4_off, uint64_t which)
{
	bool udp = which == RTE_MBUF_F_TX_UDP_CKSUM;
	uint32_t field = l4_off + (udp ? UDP_CKSUM_OFF : TCP_CKSUM_OFF);
	uint16_t check;
	uint32_t sum;

	if (which == RTE_MBUF_F_TX_SCTP_CKSUM)
		return -EOPNOTSUPP;
	if (field + sizeof(check) > m->data_len)
		return -EINVAL;
	/* The field holds the sum of the pseudo-header already: it is part of what is summed. */
	sum = plx_pkt_csum_sum(m, l4_off, UINT32_MAX);
	check = udp ? plx_cksum_finish_udp(sum) : plx_cksum_finish(sum);
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, field), &check, sizeof(check));
	return 0;
}

static int fill_ip4(struct rte_mbuf *m)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
	uint16_t check = 0;

	if (m->l3_len < 20 || m->l3_len % 4 || (uint32_t)m->l2_len + m->l3_len > m->data_len)
		return -EINVAL;
	memcpy(ip + IP4_CKSUM_OFF, &check, sizeof(check));
	check = plx_cksum_ip4(ip, m->l3_len);
	memcpy(ip + IP4_CKSUM_OFF, &check, sizeof(check));
	return 0;
}

int plx_pkt_csum_fill(struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	int err = 0;

	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)
		err = fill_ip4(m);
	if (!err && l4)
		err = fill_l4(m, (uint32_t)m->l2_len + m->l3_len, l4);
	if (!err)
		m->ol_flags &= ~(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK);
	return err;
}
