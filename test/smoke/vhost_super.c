/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A host that hands its guest super-segments, as a kernel's vhost does: by net_vhost, which puts
 * what an mbuf asks for into virtio's header, though it does not say that it can. TCP by IPv4 and
 * IPv6, in parts of several sizes; payload bytes count up from packet to packet. Prints how many
 * packets that are on a wire, and stays there until it is killed.
 *
 *	vhost_super EAL-ARGUMENT...
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#define ROOM 2048

static struct rte_mempool *pool;
static uint32_t at; /* payload sent */

static int start(void)
{
	struct rte_eth_conf conf = {
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	};

	pool = rte_pktmbuf_pool_create("super", 4095, 0, 0, ROOM + RTE_PKTMBUF_HEADROOM, -1);
	if (!pool || rte_eth_dev_configure(0, 1, 1, &conf) != 0 ||
		rte_eth_rx_queue_setup(0, 0, 256, 0, NULL, pool) != 0 ||
		rte_eth_tx_queue_setup(0, 0, 256, 0, NULL) != 0)
		return -1;
	return rte_eth_dev_start(0);
}

static void wait_for_guest(void)
{
	struct rte_eth_link link = {0};

	while (rte_eth_link_get_nowait(0, &link) == 0 && !link.link_status)
		usleep(10000);
	usleep(200000); /* its queues are there a little later */
}

static uint16_t headers(uint8_t *b, uint32_t text, uint16_t part, int v6)
{
	struct rte_ether_hdr *eth = (void *)b;
	struct rte_ipv4_hdr *ip4 = (void *)(eth + 1);
	struct rte_ipv6_hdr *ip6 = (void *)(eth + 1);
	struct rte_tcp_hdr *tcp = v6 ? (void *)(ip6 + 1) : (void *)(ip4 + 1);

	memset(b, 0, sizeof(*eth) + sizeof(*ip6) + sizeof(*tcp));
	eth->dst_addr.addr_bytes[0] = 2;
	eth->src_addr.addr_bytes[0] = 2;
	eth->src_addr.addr_bytes[5] = 1;
	eth->ether_type = rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	if (v6) {
		ip6->vtc_flow = rte_cpu_to_be_32(6u << 28);
		ip6->payload_len = rte_cpu_to_be_16((uint16_t)(sizeof(*tcp) + text));
		ip6->proto = IPPROTO_TCP;
		ip6->hop_limits = 64;
		((uint8_t *)ip6)[23] = 1; /* from ::1 to ::2 */
		((uint8_t *)ip6)[39] = 2;
	} else {
		ip4->version_ihl = 0x45;
		ip4->total_length =
			rte_cpu_to_be_16((uint16_t)(sizeof(*ip4) + sizeof(*tcp) + text));
		ip4->time_to_live = 64;
		ip4->next_proto_id = IPPROTO_TCP;
		ip4->src_addr = rte_cpu_to_be_32(0x0a090001);
		ip4->dst_addr = rte_cpu_to_be_32(0x0a090002);
	}
	tcp->src_port = rte_cpu_to_be_16(part);
	tcp->dst_port = rte_cpu_to_be_16(80);
	tcp->sent_seq = rte_cpu_to_be_32(at);
	tcp->data_off = 5 << 4;
	tcp->tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;
	tcp->rx_win = rte_cpu_to_be_16(1000);
	return (uint16_t)((uint8_t *)(tcp + 1) - b);
}

static void fill(struct rte_mbuf *m, uint32_t n)
{
	uint8_t *b = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)n);

	for (uint32_t i = 0; i < n; i++)
		b[i] = (uint8_t)(at + i);
	at += n;
}

static struct rte_mbuf *super(uint32_t text, uint16_t part, int v6)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	m->l2_len = RTE_ETHER_HDR_LEN;
	m->l3_len = v6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
	m->l4_len = sizeof(struct rte_tcp_hdr);
	m->tso_segsz = part;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	m->ol_flags |= v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	rte_pktmbuf_append(m, headers(rte_pktmbuf_mtod(m, uint8_t *), text, part, v6));
	for (uint32_t n; text; text -= n) {
		struct rte_mbuf *more = rte_pktmbuf_alloc(pool);

		n = RTE_MIN(text, (uint32_t)ROOM);
		fill(more, n);
		rte_pktmbuf_chain(m, more);
	}
	return m;
}

int main(int argc, char **argv)
{
	static const uint16_t parts[] = {100, 536, 1428, 1460};
	static const uint32_t texts[] = {1, 99, 1461, 3000, 20000, 60000};
	unsigned int wire = 0;

	if (rte_eal_init(argc, argv) < 0 || start() != 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	wait_for_guest();
	for (unsigned int i = 0; i < 2 * RTE_DIM(parts) * RTE_DIM(texts); i++) {
		uint16_t part = parts[i / 2 % RTE_DIM(parts)];
		uint32_t text = texts[i / 2 / RTE_DIM(parts)];
		struct rte_mbuf *m = super(text, part, i & 1);

		while (rte_eth_tx_burst(0, 0, &m, 1) == 0)
			usleep(100);
		wire += (text + part - 1) / part;
	}
	printf("%u\n", wire);
	fflush(stdout);
	return pause();
}
