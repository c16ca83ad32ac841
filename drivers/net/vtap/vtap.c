/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <errno.h>
#include <stdio.h>

#include <rte_ether.h>
#include <rte_malloc.h>

#define DEFAULT_MTU 1500
#define MTU_MAX	    65521

static int start_queues(struct plx_port *p, const struct plx_port_conf *conf)
{
	struct vtap *v = p->priv;
	uint16_t kept = conf->rxd ? conf->rxd : VTAP_KEPT;
	bool uring = v->spec.uring;
	int err = 0;

	for (uint16_t i = 0; !err && i < v->n; i++) {
		err = vtap__rxq_start(&v->rxq[i], v->fd[i], v->eth, conf->pool[i], kept,
			uring ? vtap__uring_new(v->fd[i]) : NULL, p->caps.socket);
		if (err)
			break;
		err = vtap__txq_start(&v->txq[i], v->fd[i],
			uring ? vtap__uring_new(v->fd[i]) : NULL, p->caps.socket);
	}
	return err;
}

static void stop_queues(struct vtap *v)
{
	for (uint16_t i = 0; i < v->n; i++) {
		vtap__rxq_stop(&v->rxq[i]);
		vtap__txq_stop(&v->txq[i]);
	}
}

static int vtap_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	struct vtap *v = p->priv;
	int err;

	if (conf->n_rxq != conf->n_txq)
		return plx_error_set(e, -EINVAL, PLX_ERR_PORT_OPEN, p->name,
			"as many rx queues as tx queues", "a queue of the kernel's is both",
			"give both the same number");
	err = vtap__attach(p, conf->n_rxq, e);
	if (err)
		return err;
	err = start_queues(p, conf);
	if (err) {
		stop_queues(v);
		vtap__detach(v);
		return plx_error_set(e, err, PLX_ERR_PORT_OPEN, p->name, "setting up queues",
			strerror(-err), "raise EAL's -m (MiB), or give more --mbufs");
	}
	for (uint16_t i = 0; i < v->n; i++) {
		p->rxq[i]->burst = vtap__rx_burst;
		p->rxq[i]->priv = &v->rxq[i];
		p->txq[i]->burst = vtap__tx_burst;
		p->txq[i]->priv = &v->txq[i];
	}
	return 0;
}

static void vtap_stop(struct plx_port *p)
{
	struct vtap *v = p->priv;

	stop_queues(v);
	vtap__detach(v);
}

static void vtap_fini(struct plx_port *p)
{
	rte_free(p->priv);
}

static int set_mac(struct plx_port *p, const struct plx_mac *mac)
{
	return 0; /* no filter to tell: all frames come */
}

static const struct plx_port_ops ops = {
	.name = "vtap",
	.open = vtap_open,
	.stop = vtap_stop,
	.fini = vtap_fini,
	.set_mac = set_mac,
	.set_mtu = vtap__set_mtu,
	.set_link = vtap__set_link,
	.set_features = vtap__set_features,
	.link = vtap__link,
	.stats = vtap__stats,
	.xstats = vtap__xstats,
	.rx_intr = vtap__rx_intr,
	.rx_intr_arm = vtap__rx_intr_arm,
};

static uint32_t features(const struct vtap_spec *s, bool eth)
{
	uint32_t f = PLX_PORT_F_RX_CSUM | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_SG |
		     PLX_PORT_F_RX_INTR | PLX_PORT_F_SET_MTU | PLX_PORT_F_LINK;

	f |= eth ? PLX_PORT_F_SET_MAC | PLX_PORT_F_PROMISC | PLX_PORT_F_ALLMULTI
		 : PLX_PORT_F_NO_ETH;
	if (s->lro)
		f |= PLX_PORT_F_LRO;
	if (s->tso) /* a kernel without USO is found out when it is opened */
		f |= PLX_PORT_F_TSO | PLX_PORT_F_USO;
	return f;
}

static int make(const char *name, const struct vtap_spec *s, bool eth, struct plx_error *e)
{
	struct vtap *v = rte_zmalloc(NULL, sizeof(*v), RTE_CACHE_LINE_SIZE);
	struct plx_port_caps caps = {
		.features = features(s, eth),
		.max_rxq = s->queues,
		.max_txq = s->queues,
		.rxd = VTAP_RXD,
		.txd = VTAP_BATCH,
		.min_mtu = 68,
		.max_mtu = MTU_MAX,
		.socket = SOCKET_ID_ANY,
	};

	snprintf(caps.driver, sizeof(caps.driver), "%s", eth ? "vtap" : "vtun");
	if (!v)
		return plx_error_set(e, -ENOMEM, PLX_ERR_PORT_SPEC, name, "no memory");
	v->spec = *s;
	v->eth = eth;
	v->ctl = -1;
	if (!plx_port_add(name, &ops, v, &caps, &s->mac, s->mtu)) {
		rte_free(v);
		return plx_error_set(e, -ENOSPC, PLX_ERR_PORT_SPEC, name, "too many ports");
	}
	return 0;
}

static int create_one(const char *name, const char *args, bool eth, struct plx_error *e)
{
	struct vtap_spec s = {
		.queues = PLX_PORT_QUEUES_MAX,
		.mtu = DEFAULT_MTU,
		.persist = -1,
		.lro = true,
		.tso = true,
		.uring = true,
	};
	struct rte_ether_addr mac;
	const char *wrong;

	rte_eth_random_addr(mac.addr_bytes);
	memcpy(s.mac.b, mac.addr_bytes, sizeof(s.mac.b));
	wrong = vtap__spec(&s, args);
	if (!wrong && !s.iface[0]) {
		if (strlen(name) >= sizeof(s.iface))
			wrong = "the port's name is too long for an interface: give iface=";
		else
			memcpy(s.iface, name, strlen(name));
	}
	return wrong ? plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, name, wrong)
		     : make(name, &s, eth, e);
}

static int create_tap(const char *name, const char *args, struct plx_error *e)
{
	return create_one(name, args, true, e);
}

static int create_tun(const char *name, const char *args, struct plx_error *e)
{
	return create_one(name, args, false, e);
}

#define KEYS                                                                                       \
	"[KEY=VALUE[,...]]: iface=NAME queues=N mac=MAC mtu=N netns=NAME persist=0|1 lro=0|1 "     \
	"tso=0|1 uso=0|1 uring=0|1"

static struct plx_port_driver tap = {.name = "vtap", .help = KEYS, .create = create_tap};
static struct plx_port_driver tun = {.name = "vtun", .help = KEYS, .create = create_tun};

__attribute__((constructor)) static void register_driver(void)
{
	plx_port_driver_register(&tap);
	plx_port_driver_register(&tun);
}
