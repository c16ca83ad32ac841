/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A port without Ethernet, of one queue each way. It has no offloads, so that what comes out is
 * what would be on a wire: cut, and with all checksums, which are looked at here because
 * packetdrill looks at those of IPv4 headers only.
 */

struct list {
	struct pd_packet *head, **tail;
};

static struct {
	struct list in, out;
	struct rte_mempool *pool;
	uint64_t in_bytes, out_bytes;
} wire = {.in.tail = &wire.in.head, .out.tail = &wire.out.head};

static struct pd_packet *packet_new(uint32_t bytes)
{
	struct pd_packet *p = malloc(sizeof(*p) + bytes);

	if (!p)
		pd_die("no memory");
	*p = (struct pd_packet){.bytes = bytes, .when_ns = pd_now()};
	return p;
}

static void put(struct list *l, struct pd_packet *p)
{
	*l->tail = p;
	l->tail = &p->next;
}

static struct pd_packet *get(struct list *l)
{
	struct pd_packet *p = l->head;

	if (!p)
		return NULL;
	l->head = p->next;
	if (!l->head)
		l->tail = &l->head;
	return p;
}

void pd_wire_put(const void *packet, size_t bytes)
{
	struct pd_packet *p = packet_new((uint32_t)bytes);

	memcpy(p->data, packet, bytes);
	put(&wire.in, p);
}

struct pd_packet *pd_wire_get(void)
{
	return get(&wire.out);
}

static void clear(struct list *l)
{
	struct pd_packet *p;

	while ((p = get(l)))
		free(p);
}

/* ---- checksums ---- */

static const char *l4_fault(const struct plx_ip *ip, const uint8_t *l4)
{
	switch (ip->proto) {
	case PLX_IPPROTO_UDP:
		if (ip->version == 4 && ip->l4_bytes >= 8 && plx_get_be16(l4 + 6) == 0)
			return NULL; /* none */
		break;
	case PLX_IPPROTO_TCP:
	case PLX_IPPROTO_ICMP:
	case PLX_IPPROTO_ICMP6:
	case PLX_IPPROTO_IGMP:
		break;
	default:
		return NULL;
	}
	return plx_wire_l4_cksum_ok(ip, l4, ip->l4_bytes) ? NULL : "a wrong checksum";
}

const char *pd_wire_fault(const void *packet, uint32_t bytes)
{
	const uint8_t *p = packet;
	uint8_t code;
	struct plx_ip ip;
	enum plx_drop wrong = bytes && p[0] >> 4 == 4 ? plx_wire_ip4_parse(&ip, p, bytes, true)
						      : plx_wire_ip6_parse(&ip, p, bytes, &code);

	if (wrong)
		return plx_drop_info[wrong].text;
	if (bytes != (uint32_t)ip.hdr_bytes + ip.l4_bytes)
		return "another length than it says";
	return ip.is_frag ? NULL : l4_fault(&ip, p + ip.hdr_bytes);
}

/* ---- the port ---- */

static struct rte_mbuf *mbufs_of(const struct pd_packet *p)
{
	struct rte_mbuf *head = NULL;

	for (uint32_t at = 0; at < p->bytes;) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(wire.pool);
		uint32_t n;

		if (!m || (head && rte_pktmbuf_chain(head, m) != 0))
			pd_die("no mbufs left");
		n = PLX_MIN(p->bytes - at, (uint32_t)rte_pktmbuf_tailroom(m));
		memcpy(rte_pktmbuf_mtod(m, void *), p->data + at, n);
		m->data_len = (uint16_t)n;
		at += n;
		if (!head)
			head = m;
		head->pkt_len = at;
	}
	return head;
}

static uint16_t rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct pd_packet *p;
	uint16_t i = 0;

	while (i < n && (p = get(&wire.in))) {
		wire.in_bytes += p->bytes;
		pkts[i] = mbufs_of(p);
		pkts[i++]->port = q->port->id;
		free(p);
	}
	return i;
}

static void dump(const uint8_t *p, uint32_t bytes)
{
	for (uint32_t i = 0; i < PLX_MIN(bytes, 96u); i++)
		fprintf(stderr, "%02x%s", p[i], i % 16 == 15 ? "\n" : " ");
	fputc('\n', stderr);
}

static void sent(struct rte_mbuf *m)
{
	struct pd_packet *p = packet_new(m->pkt_len);
	const void *flat = rte_pktmbuf_read(m, 0, m->pkt_len, p->data);
	const char *fault;

	if (flat != p->data)
		memcpy(p->data, flat, m->pkt_len);
	fault = pd_wire_fault(p->data, p->bytes);
	if (fault) {
		dump(p->data, p->bytes);
		pd_die("a packet of %u bytes was sent with %s", p->bytes, fault);
	}
	wire.out_bytes += p->bytes;
	put(&wire.out, p);
	rte_pktmbuf_free(m);
}

static uint16_t tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		sent(pkts[i]);
	return n;
}

static int wire_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	wire.pool = conf->pool[0];
	p->rxq[0]->burst = rx_burst;
	p->txq[0]->burst = tx_burst;
	return 0;
}

static void wire_stop(struct plx_port *p)
{
	clear(&wire.in);
	clear(&wire.out);
}

static void wire_fini(struct plx_port *p)
{
}

static int set_mtu(struct plx_port *p, uint16_t mtu)
{
	return 0;
}

static void get_link(struct plx_port *p, struct plx_link *link)
{
	*link = (struct plx_link){.up = true, .mbps = 10000, .full_duplex = true};
}

static void stats(struct plx_port *p, struct plx_port_stats *s)
{
	s->rx_bytes += wire.in_bytes;
	s->tx_bytes += wire.out_bytes;
}

static const struct plx_port_ops ops = {
	.name = "packetdrill",
	.open = wire_open,
	.stop = wire_stop,
	.fini = wire_fini,
	.set_mtu = set_mtu,
	.link = get_link,
	.stats = stats,
};

bool pd_wire_add(uint16_t mtu)
{
	const struct plx_port_caps caps = {
		.driver = "packetdrill",
		.features = PLX_PORT_F_SG | PLX_PORT_F_NO_ETH | PLX_PORT_F_SET_MTU,
		.max_rxq = 1,
		.max_txq = 1,
		.rxd = PLX_PORT_BURST,
		.txd = 1024,
		.min_mtu = 68,
		.max_mtu = UINT16_MAX,
		.socket = SOCKET_ID_ANY,
	};

	return plx_port_add("tun0", &ops, NULL, &caps, &(struct plx_mac){{0x02}}, mtu);
}
