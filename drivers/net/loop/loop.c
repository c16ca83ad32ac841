/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_net_loop.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_kvargs.h>
#include <rte_malloc.h>

#include <plx_base_ring.h>

#define DEFAULT_DEPTH 1024
#define LINK_BYTES    22 /* an Ethernet header and two VLAN tags */
#define LOOP_MBPS     100000

/* What p->priv points to. */
struct loop {
	struct plx_ring *ring[PLX_PORT_QUEUES_MAX];
	uint64_t bytes[PLX_PORT_QUEUES_MAX];   /* sent, by queue, its lcore's */
	uint64_t dropped[PLX_PORT_QUEUES_MAX]; /* the same */
	uint16_t queues;
	bool up;
};

static bool is_up(const struct loop *l)
{
	return __atomic_load_n(&l->up, __ATOMIC_ACQUIRE);
}

static void set_up(struct loop *l, bool up)
{
	__atomic_store_n(&l->up, up, __ATOMIC_RELEASE);
}

static uint16_t rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	const struct loop *l = q->port->priv;

	return (uint16_t)plx_ring_dequeue(l->ring[q->id], (void **)pkts, n);
}

static bool refuse(struct plx_txq *q, struct loop *l, struct rte_mbuf *m)
{
	bool too_long = m->pkt_len > (uint32_t)q->port->mtu + LINK_BYTES;

	if (plx_likely(is_up(l) && !too_long))
		return false;
	plx_txq_lost(m, too_long ? PLX_DROP_TX_TOO_LONG : PLX_DROP_TX_DOWN);
	plx_count(l->dropped[q->id], 1);
	return true;
}

static uint16_t tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct loop *l = q->port->priv;
	struct plx_ring *ring = l->ring[q->id];
	uint16_t i;

	for (i = 0; i < n; i++) {
		struct rte_mbuf *m;

		if (refuse(q, l, pkts[i]))
			continue;
		if (plx_ring_count(ring) == plx_ring_capacity(ring))
			break;
		m = plx_pkt_own(pkts[i]);
		if (!m)
			break;
		m->ol_flags = 0;
		m->packet_type = 0;
		m->tx_offload = 0;
		m->port = q->port->id;
		plx_count(l->bytes[q->id], m->pkt_len);
		plx_ring_enqueue(ring, (void *const *)&m, 1);
	}
	return i;
}

uint32_t plx_net_loop_rx_pending(const struct plx_rxq *q)
{
	const struct loop *l = q->port->priv;

	return plx_ring_count(l->ring[q->id]);
}

static void drain(struct loop *l)
{
	void *m[PLX_PORT_BURST];
	unsigned int n;

	for (uint16_t q = 0; q < l->queues; q++)
		while ((n = plx_ring_dequeue(l->ring[q], m, PLX_DIM(m))))
			rte_pktmbuf_free_bulk((struct rte_mbuf **)m, n);
}

static int loop_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	if (conf->n_rxq != conf->n_txq)
		return plx_error_set(e, -EINVAL, PLX_ERR_PORT_OPEN, p->name,
			"as many rx queues as tx queues", "frames would have nowhere to come back",
			"give both the same number");
	for (uint16_t i = 0; i < p->n_rxq; i++) {
		p->rxq[i]->burst = rx_burst;
		p->txq[i]->burst = tx_burst;
	}
	set_up(p->priv, true);
	return 0;
}

static void loop_stop(struct plx_port *p)
{
	set_up(p->priv, false);
	drain(p->priv);
}

static void loop_free(struct loop *l)
{
	for (uint16_t q = 0; q < l->queues; q++)
		rte_free(l->ring[q]);
	rte_free(l);
}

static void loop_fini(struct plx_port *p)
{
	loop_free(p->priv);
}

static int set_mtu(struct plx_port *p, uint16_t mtu)
{
	return 0; /* the sender reads p->mtu */
}

static int set_mac(struct plx_port *p, const struct plx_mac *mac)
{
	return 0; /* no filter to tell */
}

static int set_link(struct plx_port *p, bool up)
{
	set_up(p->priv, up && p->open);
	return 0;
}

static void get_link(struct plx_port *p, struct plx_link *link)
{
	*link = (struct plx_link){.up = is_up(p->priv), .mbps = LOOP_MBPS, .full_duplex = true};
}

static void stats(struct plx_port *p, struct plx_port_stats *s)
{
	const struct loop *l = p->priv;

	for (uint16_t q = 0; q < l->queues; q++) {
		uint64_t bytes = plx_count_read(l->bytes[q]);
		uint64_t dropped = plx_count_read(l->dropped[q]);

		s->tx_bytes += bytes;
		s->rx_bytes += bytes;
		s->tx_dropped += dropped;
		s->tx_packets -= PLX_MIN(dropped, s->tx_packets);
	}
}

static const struct plx_port_ops ops = {
	.name = "loop",
	.open = loop_open,
	.stop = loop_stop,
	.fini = loop_fini,
	.set_mac = set_mac,
	.set_mtu = set_mtu,
	.set_link = set_link,
	.link = get_link,
	.stats = stats,
};

static struct loop *loop_new(uint16_t queues, uint16_t depth)
{
	uint32_t slots = rte_align32pow2(depth);
	struct loop *l = rte_zmalloc(NULL, sizeof(*l), RTE_CACHE_LINE_SIZE);

	if (!l)
		return NULL;
	for (; l->queues < queues; l->queues++) {
		void *mem = rte_malloc(NULL, plx_ring_size(slots), RTE_CACHE_LINE_SIZE);

		if (!mem) {
			loop_free(l);
			return NULL;
		}
		l->ring[l->queues] = plx_ring_init(mem, slots);
	}
	return l;
}

static int add_port(const char *name, struct loop *l, uint16_t depth, uint16_t mtu)
{
	static uint16_t made;
	struct plx_mac mac = {{0x02, 'P', 'L', 'L', (uint8_t)(made >> 8), (uint8_t)made}};
	struct plx_port_caps caps = {
		.driver = "loop",
		.features = PLX_PORT_F_SG | PLX_PORT_F_SET_MAC | PLX_PORT_F_SET_MTU |
			    PLX_PORT_F_PROMISC | PLX_PORT_F_ALLMULTI | PLX_PORT_F_LINK,
		.max_rxq = l->queues,
		.max_txq = l->queues,
		.rxd = PLX_PORT_BURST, /* receiving takes no mbufs in advance */
		.txd = depth,
		.min_mtu = 68,
		.max_mtu = UINT16_MAX,
		.socket = SOCKET_ID_ANY,
	};

	made++;
	return plx_port_add(name, &ops, l, &caps, &mac, mtu) ? 0 : -ENOSPC;
}

/* Only decimal digits, unlike strtoul(). */
static bool number(const char *text, unsigned long min, unsigned long max, uint16_t *v)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < min || n > max)
		return false;
	*v = (uint16_t)n;
	return true;
}

static const char *take_key(
	const struct rte_kvargs_pair *kv, uint16_t *queues, uint16_t *depth, uint16_t *mtu)
{
	const char *v = kv->value ? kv->value : "";

	if (strcmp(kv->key, "queues") == 0)
		return number(v, 1, PLX_PORT_QUEUES_MAX, queues) ? NULL : "queues must be 1 to 16";
	if (strcmp(kv->key, "depth") == 0)
		return number(v, 1, 32768, depth) ? NULL : "depth must be 1 to 32768";
	if (strcmp(kv->key, "mtu") == 0)
		return number(v, 68, UINT16_MAX, mtu) ? NULL : "mtu must be 68 to 65535";
	return "keys of a loop: queues, depth, mtu";
}

static_assert(PLX_PORT_QUEUES_MAX == 16, "the text above says so");

static int create(const char *name, const char *args, struct plx_error *e)
{
	uint16_t queues = 1, depth = DEFAULT_DEPTH, mtu = UINT16_MAX;
	struct rte_kvargs *kv = rte_kvargs_parse(args, NULL);
	const char *wrong = *args && !kv ? "options are KEY=VALUE, separated by commas" : NULL;
	struct loop *l;
	int err;

	for (unsigned int i = 0; kv && !wrong && i < kv->count; i++)
		wrong = take_key(&kv->pairs[i], &queues, &depth, &mtu);
	rte_kvargs_free(kv);
	if (wrong)
		return plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, name, wrong);
	l = loop_new(queues, depth);
	if (!l)
		return plx_error_set(e, -ENOMEM, PLX_ERR_PORT_SPEC, name, "no memory");
	err = add_port(name, l, depth, mtu);
	if (err) {
		loop_free(l);
		plx_error_set(e, err, PLX_ERR_PORT_SPEC, name, "too many ports");
	}
	return err;
}

static struct plx_port_driver driver = {
	.name = "loop",
	.help = "[queues=N][,depth=N][,mtu=N]",
	.create = create,
};

__attribute__((constructor)) static void register_driver(void)
{
	plx_port_driver_register(&driver);
}
