/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A port whose wire is the test: frames are laid before it, what it sends is kept to be looked at,
 * and each of its calls can be told to fail.
 */
#include "t_eal.h"

#include <errno.h>

#include <plx_steer.h>

#define T_PORT_PKTS 2048

struct t_port_queue {
	struct rte_mbuf *rx[T_PORT_PKTS]; /* to be received */
	struct rte_mbuf *tx[T_PORT_PKTS]; /* sent */
	unsigned int n_rx, rx_at, n_tx, tx_at;
};

/** A device with RSS that does, of what it is told, as much as the test says. */
struct t_port_rss {
	uint8_t key[PLX_STEER_KEY_MIN];
	struct plx_reta reta;
	bool keeps_key, keeps_table; /* whatever it is told */
	int set_key_err, set_table_err, set_types_err, get_err;
	unsigned int tables; /* that it was given */
};

/** A device that puts single flows into queues. */
struct t_port_ntuple {
	int err; /* what it says to another rule */
	struct t_port_rule {
		struct plx_tuple flow;
		uint16_t queue;
		bool in;
	} rule[16];
	unsigned int n, made, asked; /* in force; in all; and asked for */
};

struct t_port {
	struct plx_port *port;
	struct t_port_queue q[PLX_PORT_QUEUES_MAX];
	unsigned int room; /* packets that a tx burst takes at most */
	int open_err;	   /* what open() says */
	int opens, stops, finis;
	void (*on_rx)(struct t_port *tp, struct plx_rxq *q); /* before a burst is received */
	struct plx_mac mcast[PLX_PORT_MCAST_MAX];
	uint32_t n_mcast;
	bool link_down;
	int mcast_err, mode_err;
	int timeouts;
	struct t_port_rss rss;
	struct t_port_ntuple ntuple;
};

static uint16_t t_port_rx(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct t_port *tp = q->port->priv;
	struct t_port_queue *w = &tp->q[q->id];
	uint16_t i = 0;

	if (tp->on_rx)
		tp->on_rx(tp, q);
	while (i < n && w->rx_at < w->n_rx)
		pkts[i++] = w->rx[w->rx_at++];
	if (w->rx_at == w->n_rx)
		w->rx_at = w->n_rx = 0;
	return i;
}

static uint16_t t_port_tx(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct t_port *tp = q->port->priv;
	struct t_port_queue *w = &tp->q[q->id];
	uint16_t i = 0;

	while (i < n && i < tp->room && w->n_tx < T_PORT_PKTS)
		w->tx[w->n_tx++] = pkts[i++];
	return i;
}

static int t_port_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	struct t_port *tp = p->priv;

	tp->opens++;
	if (tp->open_err)
		return plx_error_set(e, tp->open_err, PLX_ERR_PORT_OPEN, p->name, "opening",
			"the test says so", "mend the test");
	for (uint16_t i = 0; i < p->n_rxq; i++)
		p->rxq[i]->burst = t_port_rx;
	for (uint16_t i = 0; i < p->n_txq; i++)
		p->txq[i]->burst = t_port_tx;
	return 0;
}

/* Give up all that is on the wire. */
static void t_port_clear(struct t_port *tp)
{
	for (unsigned int i = 0; i < PLX_PORT_QUEUES_MAX; i++) {
		struct t_port_queue *w = &tp->q[i];

		while (w->tx_at < w->n_tx)
			rte_pktmbuf_free(w->tx[w->tx_at++]);
		while (w->rx_at < w->n_rx)
			rte_pktmbuf_free(w->rx[w->rx_at++]);
		w->rx_at = w->n_rx = w->tx_at = w->n_tx = 0;
	}
}

static void t_port_stop(struct plx_port *p)
{
	struct t_port *tp = p->priv;

	tp->stops++;
	t_port_clear(tp);
}

static void t_port_fini(struct plx_port *p)
{
	((struct t_port *)p->priv)->finis++;
}

static int t_port_set_mcast(struct plx_port *p, const struct plx_mac *mac, uint32_t n)
{
	struct t_port *tp = p->priv;

	if (tp->mcast_err)
		return tp->mcast_err;
	memcpy(tp->mcast, mac, n * sizeof(*mac));
	tp->n_mcast = n;
	return 0;
}

static int t_port_set_mode(struct plx_port *p, bool promisc, bool allmulti)
{
	return ((struct t_port *)p->priv)->mode_err;
}

static int t_port_ok_mac(struct plx_port *p, const struct plx_mac *mac)
{
	return 0;
}

static int t_port_ok_mtu(struct plx_port *p, uint16_t mtu)
{
	return 0;
}

static int t_port_set_link(struct plx_port *p, bool up)
{
	((struct t_port *)p->priv)->link_down = !up;
	return 0;
}

static void t_port_timeout(struct plx_txq *q)
{
	((struct t_port *)q->port->priv)->timeouts++;
}

static int t_port_rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t bytes, const struct plx_reta *reta)
{
	struct t_port_rss *r = &((struct t_port *)p->priv)->rss;

	if (key && r->set_key_err)
		return r->set_key_err;
	if (reta && r->set_table_err)
		return r->set_table_err;
	if (key && !r->keeps_key)
		memcpy(r->key, key, bytes);
	if (reta && !r->keeps_table)
		r->reta = *reta;
	r->tables += !!reta;
	return 0;
}

static int t_port_rss_get(struct plx_port *p, uint8_t *key, uint16_t *bytes, struct plx_reta *reta)
{
	const struct t_port_rss *r = &((struct t_port *)p->priv)->rss;

	if (r->get_err)
		return r->get_err;
	ok(*bytes >= sizeof(r->key));
	memcpy(key, r->key, sizeof(r->key));
	*bytes = sizeof(r->key);
	*reta = r->reta;
	return 0;
}

static int t_port_rss_types(struct plx_port *p, uint32_t types)
{
	return ((struct t_port *)p->priv)->rss.set_types_err;
}

static int t_port_ntuple_add(
	struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule)
{
	struct t_port_ntuple *t = &((struct t_port *)p->priv)->ntuple;
	struct t_port_rule *r = t->rule;

	t->asked++;
	if (t->err)
		return t->err;
	while (r->in)
		r++;
	ok(r < t->rule + PLX_DIM(t->rule));
	*r = (struct t_port_rule){*flow, queue, true};
	t->n++;
	t->made++;
	*rule = r;
	return 0;
}

static void t_port_ntuple_del(struct plx_port *p, void *rule)
{
	struct t_port_rule *r = rule;

	ok(r->in);
	r->in = false;
	((struct t_port *)p->priv)->ntuple.n--;
}

static const struct plx_port_ops t_port_ops = {
	.name = "test",
	.open = t_port_open,
	.stop = t_port_stop,
	.fini = t_port_fini,
	.set_rx_mode = t_port_set_mode,
	.set_mcast = t_port_set_mcast,
	.set_mac = t_port_ok_mac,
	.set_mtu = t_port_ok_mtu,
	.set_link = t_port_set_link,
	.rss_set = t_port_rss_set,
	.rss_get = t_port_rss_get,
	.rss_types = t_port_rss_types,
	.ntuple_add = t_port_ntuple_add,
	.ntuple_del = t_port_ntuple_del,
	.tx_timeout = t_port_timeout,
};

/** MAC 02:00:00:00:NN:02, MTU 1500. @param features beside SET_MAC and SET_MTU. */
static struct plx_port *t_port_add(struct t_port *tp, uint16_t queues, uint32_t features)
{
	struct plx_port_caps caps = {
		.driver = "test",
		.features = features | PLX_PORT_F_SET_MAC | PLX_PORT_F_SET_MTU,
		.max_rxq = queues,
		.max_txq = queues,
		.min_mtu = 68,
		.max_mtu = 9000,
		.socket = SOCKET_ID_ANY,
	};
	struct plx_mac mac = {{0x02, 0, 0, 0, (uint8_t)plx_port_count(), 0x02}};
	char name[16];

	if (features & PLX_PORT_F_RSS) {
		caps.reta_size = PLX_RETA_SIZE_MIN;
		caps.key_bytes = PLX_STEER_KEY_MIN;
		caps.rss_types = PLX_RSS_ALL;
	}
	snprintf(name, sizeof(name), "t%u", plx_port_count());
	*tp = (struct t_port){.room = UINT32_MAX};
	tp->rss.reta.size = PLX_RETA_SIZE_MIN; /* all to queue 0 */
	tp->port = plx_port_add(name, &t_port_ops, tp, &caps, &mac, 1500);
	assert_non_null(tp->port);
	return tp->port;
}

/** Lay a frame before it, in segments of at most seg bytes (0 = in one). */
static inline struct rte_mbuf *t_port_feed(
	struct t_port *tp, uint16_t queue, const void *frame, uint32_t bytes, uint32_t seg)
{
	struct t_port_queue *w = &tp->q[queue];
	struct rte_mbuf *head = NULL;
	const uint8_t *p = frame;

	do {
		uint32_t n = seg && seg < bytes ? seg : bytes;
		struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);
		void *to;

		assert_non_null(m);
		to = rte_pktmbuf_append(m, (uint16_t)n);
		assert_non_null(to);
		memcpy(to, p, n);
		p += n;
		bytes -= n;
		if (!head)
			head = m;
		else
			eq(rte_pktmbuf_chain(head, m), 0);
	} while (bytes);
	ok(w->n_rx < T_PORT_PKTS);
	w->rx[w->n_rx++] = head;
	return head;
}

/** What was sent next, or NULL. The caller frees it. */
static inline struct rte_mbuf *t_port_sent(struct t_port *tp, uint16_t queue)
{
	struct t_port_queue *w = &tp->q[queue];
	struct rte_mbuf *m = w->tx_at < w->n_tx ? w->tx[w->tx_at++] : NULL;

	if (w->tx_at == w->n_tx)
		w->tx_at = w->n_tx = 0;
	return m;
}
