/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file The two ends of a pipe, and the datagrams that cross it. */
#include "t_eal.h"

#include <plx_base_cksum.h>
#include <plx_net_pipe.h>

enum { PAYLOAD = 20, BYTES = 14 + 20 + 8 + PAYLOAD };

/** 10.0.0.1:sport -> 10.0.0.2:7, UDP, with right checksums. The payload begins with seq. */
static struct rte_mbuf *udp(uint16_t sport, uint32_t seq)
{
	uint8_t f[BYTES] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64,
		17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
	struct plx_addr src = plx_addr_from_v4(f + 26), dst = plx_addr_from_v4(f + 30);
	uint16_t check;
	uint32_t sum;

	plx_put_be16(f + 16, BYTES - 14);
	check = plx_cksum_ip4(f + 14, 20);
	memcpy(f + 24, &check, 2);
	plx_put_be16(f + 34, sport);
	plx_put_be16(f + 36, 7);
	plx_put_be16(f + 38, 8 + PAYLOAD);
	plx_put_be32(f + 42, seq);
	sum = plx_cksum_pseudo(&src, &dst, 17, 8 + PAYLOAD);
	check = plx_cksum_finish_udp(plx_cksum_add(sum, f + 34, 8 + PAYLOAD));
	memcpy(f + 40, &check, 2);
	return t_mbuf(f, sizeof(f));
}

static inline uint32_t seq_of(struct rte_mbuf *m)
{
	return plx_get_be32(rte_pktmbuf_mtod_offset(m, uint8_t *, 42));
}

static struct plx_port *a, *b; /**< the ends */

static void make(const char *spec)
{
	struct plx_error e = {0};

	if (plx_port_create(spec, &e) != 0)
		print_message("%s: %s\n", spec, e.text);
	assert_non_null(plx_port_find("a"));
	assert_non_null(plx_port_find("b"));
}

/** Both ends, open with so many queues. */
static void pair(const char *spec, uint16_t a_queues, uint16_t b_queues)
{
	make(spec);
	a = t_open("a", a_queues);
	b = t_open("b", b_queues);
}

static void send_pkt(struct plx_port *p, uint16_t queue, struct rte_mbuf *m)
{
	plx_txq_push(p->txq[queue], m);
	plx_txq_flush(p->txq[queue]);
}
