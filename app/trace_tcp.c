/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace_tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#define WINDOW 5840

void trace_syn_put(const struct trace_syn *s, uint8_t *p)
{
	const uint32_t n = TRACE_SYN + s->data;
	/* MSS 1460, SACK permitted, timestamps, window scale 7 */
	static const uint8_t opts[TRACE_SYN - 20] = {
		2, 4, 1460 >> 8, 1460 & 255, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
	uint16_t check;

	memset(p, 0, 20);
	plx_put_be16(p, s->sport);
	plx_put_be16(p + 2, s->dport);
	plx_put_be32(p + 4, s->seq);
	p[12] = TRACE_SYN / 4 << 4;
	p[13] = TH_SYN;
	plx_put_be16(p + 14, WINDOW);
	memcpy(p + 20, opts, sizeof(opts));
	check = plx_cksum_finish(
		plx_cksum_add(plx_cksum_pseudo(&s->src, &s->dst, IPPROTO_TCP, n), p, n));
	memcpy(p + 16, &check, 2);
}

int trace_syn_answered(const struct trace_syn *s, uint32_t n, const uint8_t *p, size_t bytes)
{
	uint32_t i;

	if (bytes < 20 || plx_get_be16(p) != s->dport ||
		plx_get_be32(p + 8) - (s->seq + 1) > s->data)
		return -1;
	if (!(p[13] & TH_ACK) || !(p[13] & (TH_SYN | TH_RST)))
		return -1;
	i = (uint16_t)(plx_get_be16(p + 2) - s->sport);
	return i < n ? (int)i : -1;
}

int trace_syn_quoted(const struct trace_syn *s, uint32_t n, const uint8_t *p)
{
	uint32_t i = (uint16_t)(plx_get_be16(p) - s->sport);

	if (plx_get_be16(p + 2) != s->dport || plx_get_be32(p + 4) != s->seq)
		return -1;
	return i < n ? (int)i : -1;
}
