/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Taps: the list of them, what a frame looks like to them, and copies on their way to those of
 * other lcores. Linux's __netif_receive_skb_core() and dev_queue_xmit_nit(), as far as they are
 * about packet sockets.
 */

#define MACS_BYTES 12
#define TAG_BYTES  4

/* A frame without the tag behind its MACs: two segments that borrow it. */
struct view {
	struct rte_mbuf macs, rest;
};

static const struct rte_mbuf *untag(struct view *v, const struct rte_mbuf *m)
{
	v->macs = *m;
	v->rest = *m;
	v->macs.next = &v->rest;
	v->macs.data_len = MACS_BYTES;
	v->macs.pkt_len -= TAG_BYTES;
	v->macs.nb_segs++;
	v->rest.data_off += MACS_BYTES + TAG_BYTES;
	v->rest.data_len = (uint16_t)(v->rest.data_len - MACS_BYTES - TAG_BYTES);
	return &v->macs;
}

/* ---- what it is ---- */

/* eth_type_trans(): behind a length 0xffff means Novell's. @param p what follows the type. */
static uint16_t proto_of(uint16_t type, const uint8_t *p, uint32_t bytes)
{
	if (type >= PLX_ETH_TYPE_MIN)
		return type;
	return bytes >= 2 && plx_get_be16(p) == 0xffff ? PLX_NET_PROTO_802_3 : PLX_NET_PROTO_802_2;
}

/* Of a frame, or of one whose tag ends skip bytes later than its MACs. */
static uint16_t frame_proto(const struct rte_mbuf *m, uint32_t skip)
{
	uint32_t at = MACS_BYTES + skip + 2;
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	return proto_of(plx_get_be16(p + at - 2), p + at, m->data_len - at);
}

static uint16_t ip_proto(const struct rte_mbuf *m)
{
	uint8_t version = m->data_len ? *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 : 0;

	return version == 4 ? PLX_ETHERTYPE_IP4 : version == 6 ? PLX_ETHERTYPE_IP6 : 0;
}

static uint8_t kind_of(const struct plx_mac *dst, const struct plx_mac *self)
{
	if (plx_mac_is_bcast(dst))
		return PLX_NET_FRAME_BROADCAST;
	if (plx_mac_is_mcast(dst))
		return PLX_NET_FRAME_MULTICAST;
	return plx_mac_eq(dst, self) ? PLX_NET_FRAME_HOST : PLX_NET_FRAME_OTHERHOST;
}

static struct plx_net_frame describe(const struct rte_mbuf *m, uint8_t link_bytes)
{
	struct plx_net_frame f = {.bytes = m->pkt_len, .link_bytes = link_bytes};

	f.no_csum = m->ol_flags & (plx_pkt_partial_flag | NET_TX_SEG | RTE_MBUF_F_TX_L4_MASK);
	f.csum_ok = !f.no_csum &&
		    (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (link_bytes)
		memcpy(&f.src, rte_pktmbuf_mtod_offset(m, const uint8_t *, 6), sizeof(f.src));
	return f;
}

static void take_tag(struct plx_net_frame *f, const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	f->tpid = plx_get_be16(p + MACS_BYTES);
	f->tci = plx_get_be16(p + MACS_BYTES + 2);
}

/* ---- who sees it ---- */

/* Those who have bound themselves to the port's interface see its VLANs' of their type. */
static bool at_iface(const struct plx_net_tap *t, const struct plx_net_frame *f, bool all)
{
	return !t->iface || t->iface == f->iface || (!all && t->iface == f->port_iface);
}

/* Those that want all (Linux's ptype_all). @param by who has sent it, or NULL */
static void to_all(struct net_lcore *nl, const struct rte_mbuf *m, struct plx_net_frame *f,
	const struct plx_net_tap *by)
{
	const struct net_taps *taps = nl->taps;
	bool out = f->kind == PLX_NET_FRAME_OUTGOING;

	for (uint32_t i = 0; i < taps->n; i++) {
		struct plx_net_tap *t = taps->tap[i];

		if (t->proto == PLX_NET_PROTO_ALL && t != by && at_iface(t, f, true) &&
			!(out && t->no_out))
			t->see(nl->sn, t, m, f);
	}
}

/* Those of the frame's type (ptype_base). */
static void to_typed(struct net_lcore *nl, const struct rte_mbuf *m, struct plx_net_frame *f)
{
	const struct net_taps *taps = nl->taps;

	for (uint32_t i = 0; i < taps->n; i++) {
		struct plx_net_tap *t = taps->tap[i];

		if (t->proto == f->proto && t->proto != PLX_NET_PROTO_ALL && at_iface(t, f, false))
			t->see(nl->sn, t, m, f);
	}
}

bool net__taps_want(
	const struct net_lcore *nl, const struct rte_mbuf *m, uint16_t iface, uint16_t type)
{
	const struct net_taps *taps = nl->taps;
	struct plx_net_frame f = {
		.iface = iface, .port_iface = nl->cfg->port_if[net__if(nl, iface)->port]};

	f.proto = proto_of(type, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
	for (uint32_t i = 0; taps && i < taps->n; i++) {
		const struct plx_net_tap *t = taps->tap[i];

		/* who wants all has seen it at the port's interface, too */
		if ((t->proto == PLX_NET_PROTO_ALL || t->proto == f.proto) &&
			at_iface(t, &f, false))
			return true;
	}
	return false;
}

/* ---- in ---- */

static bool is_up(const struct net_lcore *nl, uint16_t iface)
{
	return iface && nl->cfg->ifs[iface].up;
}

static uint16_t vlan_if_of(const struct net_cfg *cfg, uint16_t port, const struct plx_eth *eth)
{
	uint16_t vid = PLX_VLAN_VID(eth->vlan[0]);

	return vid && eth->n_vlan == 1 && cfg->vlan_if[port] ? cfg->vlan_if[port][vid] : 0;
}

/* At the port's interface, with the tag told; then at the VLAN's, as if there had been none. */
static void tagged_in(struct net_lcore *nl, const struct rte_mbuf *m, struct plx_net_frame *f,
	const struct plx_eth *eth, uint16_t vlan_if)
{
	struct view v;
	const struct rte_mbuf *bare = untag(&v, m);

	take_tag(f, m);
	f->bytes -= TAG_BYTES;
	f->proto = frame_proto(m, TAG_BYTES);
	if (is_up(nl, f->iface))
		to_all(nl, bare, f, NULL);
	f->tci = f->tpid = 0;
	if (vlan_if) {
		if (!is_up(nl, vlan_if))
			return;
		f->iface = vlan_if;
		to_all(nl, bare, f, NULL);
	} else if (PLX_VLAN_VID(eth->vlan[0])) {
		f->kind = PLX_NET_FRAME_OTHERHOST; /* of a VLAN that we are not in */
	}
	if (is_up(nl, f->iface))
		to_typed(nl, bare, f);
}

static void frame_in(struct net_lcore *nl, const struct rte_mbuf *m, uint16_t port)
{
	uint16_t iface = nl->cfg->port_if[port], vlan_if;
	struct plx_net_frame f;
	struct plx_eth eth;

	if (plx_wire_eth_parse(&eth, rte_pktmbuf_mtod(m, const void *), m->data_len) !=
		PLX_DROP_NONE)
		return;
	vlan_if = vlan_if_of(nl->cfg, port, &eth);
	if (!iface && !vlan_if)
		return;
	f = describe(m, PLX_ETH_BYTES);
	f.iface = f.port_iface = iface ? iface : vlan_if;
	f.kind = kind_of(&eth.dst, &net__if(nl, f.iface)->mac);
	if (eth.n_vlan) {
		f.iface = iface;
		tagged_in(nl, m, &f, &eth, vlan_if);
	} else if (is_up(nl, iface)) {
		f.proto = frame_proto(m, 0);
		to_all(nl, m, &f, NULL);
		to_typed(nl, m, &f);
	}
}

static void packet_in(struct net_lcore *nl, const struct rte_mbuf *m, uint16_t port)
{
	struct plx_net_frame f = describe(m, 0);

	f.iface = f.port_iface = nl->cfg->port_if[port];
	if (!is_up(nl, f.iface))
		return;
	f.proto = ip_proto(m);
	to_all(nl, m, &f, NULL);
	to_typed(nl, m, &f);
}

PLX_NOINLINE void net__taps_in(
	struct net_lcore *nl, const struct plx_port *p, struct rte_mbuf *const *pkts, uint16_t n)
{
	bool eth = !(plx_port_features(p) & PLX_PORT_F_NO_ETH);

	for (uint16_t i = 0; i < n; i++) {
		if (eth)
			frame_in(nl, pkts[i], p->id);
		else
			packet_in(nl, pkts[i], p->id);
	}
}

/* ---- out ---- */

/* The VLAN's interface first, which has not put its tag on yet. */
static void tagged_out(struct net_lcore *nl, const struct rte_mbuf *m, struct plx_net_frame *f,
	const struct net_if *ifc, const struct plx_net_tap *by)
{
	struct view v;
	const struct rte_mbuf *bare = untag(&v, m);

	f->bytes -= TAG_BYTES;
	f->proto = frame_proto(m, TAG_BYTES);
	to_all(nl, bare, f, by);
	f->iface = nl->cfg->port_if[ifc->port];
	if (!f->iface)
		return;
	take_tag(f, m);
	to_all(nl, bare, f, by);
}

PLX_NOINLINE void net__taps_out(struct net_lcore *nl, const struct rte_mbuf *m,
	const struct net_if *ifc, const struct plx_net_tap *by)
{
	struct plx_net_frame f = describe(m, ifc->eth ? PLX_ETH_BYTES : 0);

	f.kind = PLX_NET_FRAME_OUTGOING;
	f.iface = f.port_iface = ifc->index;
	if (ifc->vlan) {
		tagged_out(nl, m, &f, ifc, by);
		return;
	}
	f.proto = ifc->eth ? frame_proto(m, 0) : ip_proto(m);
	to_all(nl, m, &f, by);
}

/* Between the MACs and the type. @return NULL: no room, m is dropped. */
static struct rte_mbuf *put_tag(struct net_lcore *nl, struct rte_mbuf *m, uint16_t tci)
{
	uint8_t *p;

	m = net__headroom(nl, m, TAG_BYTES);
	if (!m)
		return NULL;
	p = net__push(m, TAG_BYTES);
	memmove(p, p + TAG_BYTES, MACS_BYTES);
	plx_put_be16(p + MACS_BYTES, PLX_ETHERTYPE_8021Q);
	plx_put_be16(p + MACS_BYTES + 2, tci);
	return m;
}

int plx_net_frame_send(struct plx_softnet *sn, struct rte_mbuf *m, uint16_t iface,
	const struct plx_net_tap *by, bool quiet)
{
	struct net_lcore *nl = net__self(sn);
	const struct net_if *ifc;

	net__begin(nl);
	ifc = iface < NET_IF_MAX ? net__if(nl, iface) : NULL;
	if (!ifc || !ifc->index || !ifc->up) {
		rte_pktmbuf_free(m);
		return ifc && ifc->index ? -ENETDOWN : -ENXIO;
	}
	plx_pkt_originate(1);
	if (ifc->vlan) {
		m = put_tag(nl, m, ifc->vlan);
		if (!m)
			return 0; /* as good as sent and lost */
	}
	m->l2_len = ifc->eth ? PLX_ETH_BYTES : 0;
	if (nl->taps && !quiet)
		net__taps_out(nl, m, ifc, by);
	plx_softnet_tx(sn, ifc->port, m);
	return 0;
}

/* ---- copies ---- */

void net__tap_take(struct net_lcore *nl, struct rte_mbuf *m)
{
	uint64_t id = plx_net_frame_of(m)->tap;
	struct plx_net_tap *t;

	plx_list_foreach (t, &nl->taps_here, node)
		if (t->id == id) {
			plx_pkt_deliver_keep(m);
			t->take(nl->sn, t, m);
			return;
		}
	plx_pkt_drop(m, PLX_DROP_TAP_GONE);
}

/* Nothing but the link header is there, and somebody wants what is behind it. */
static struct rte_mbuf *copy_of(
	struct net_lcore *nl, const struct rte_mbuf *m, uint32_t off, uint32_t snap)
{
	if (plx_unlikely(off >= m->pkt_len || !snap))
		return plx_softnet_alloc(nl->sn);
	return rte_pktmbuf_copy(m, nl->sn->pool, off, snap);
}

bool plx_net_tap_pass(struct plx_softnet *sn, const struct plx_net_tap *t, const struct rte_mbuf *m,
	struct plx_net_frame *f, uint32_t off, uint32_t snap)
{
	struct net_lcore *nl = net__self(sn);
	struct rte_mbuf *c = copy_of(nl, m, off, snap);

	if (!c)
		return false;
	f->tap = t->id;
	f->snap_bytes = c->pkt_len;
	c->ol_flags &= ~RTE_MBUF_F_TX_OFFLOAD_MASK;
	memcpy(c->buf_addr, f, sizeof(*f));
	plx_pkt_originate(plx_pkt_wire(c));
	if (t->home == sn->index) {
		net__tap_take(nl, c);
		return true;
	}
	net__stage(c, NET_STAGE_TAP, f->iface, 0);
	plx_softnet_hand(sn, t->home, c);
	return true;
}

/* ---- the list ---- */

static void free_retired(struct net_retired *r)
{
	struct net_taps *taps = plx_container_of(r, struct net_taps, retired);
	struct plx_net_tap *t, *next;

	for (t = taps->leaving; t; t = next) {
		next = t->leaving;
		t->gone(t);
	}
	free(taps);
}

static void on_retire(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_taps *taps = plx_container_of(msg, struct net_taps, msg);
	struct plx_net *net = net__self(sn)->net;

	net__retire(net, &taps->retired, free_retired);
	net__ctl_pump(net);
}

static void retire(struct net_lcore *nl, struct net_taps *old)
{
	struct plx_softnet *control = nl->net->lcore[0]->sn;

	old->msg.fn = on_retire;
	if (nl->control || !plx_engine_serves(nl->net->eng))
		on_retire(control, &old->msg);
	else
		plx_softnet_post(control, &old->msg);
}

/*
 * The list without those that leave, with t. Who has just read the one before sees them for a
 * while: they hang on it until it can be freed. @return 0 or -ENOMEM
 */
static int replace(struct plx_net *net, const struct plx_net_tap *old, struct plx_net_tap *t)
{
	struct net_taps *cur = net->taps, *next;
	uint32_t n = cur ? cur->n : 0;

	next = calloc(1, sizeof(*next) + (n + 1) * sizeof(next->tap[0]));
	if (!next)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct plx_net_tap *x = cur->tap[i];

		if (x != old && !x->dead) {
			next->tap[next->n++] = x;
			continue;
		}
		x->leaving = cur->leaving;
		cur->leaving = x;
	}
	if (t)
		next->tap[next->n++] = t;
	if (!next->n) {
		free(next);
		next = NULL;
	}
	__atomic_store_n(&net->taps, next, __ATOMIC_RELEASE);
	return 0;
}

int plx_net_tap_set(struct plx_softnet *sn, struct plx_net_tap *old, struct plx_net_tap *t)
{
	struct net_lcore *nl = net__self(sn);
	struct plx_net *net = nl->net;
	struct net_taps *cur;
	int err;

	net__begin(nl);
	pthread_mutex_lock(&net->taps_lock);
	cur = net->taps;
	if (t) {
		t->id = old ? old->id : ++net->tap_ids;
		t->home = sn->index;
		t->up = !t->iface || is_up(nl, t->iface);
	}
	err = replace(net, old, t);
	if (err && !t) { /* the next one to change the list takes it out */
		old->dead = true;
		err = 0;
		cur = NULL;
	}
	pthread_mutex_unlock(&net->taps_lock);
	if (err)
		return err;
	if (t)
		plx_list_add_tail(&nl->taps_here, &t->node);
	if (old)
		plx_list_del(&old->node);
	if (cur)
		retire(nl, cur);
	return 0;
}

void net__taps_free(struct plx_net *net)
{
	struct net_taps *taps = net->taps;

	for (uint32_t i = 0; taps && i < taps->n; i++)
		if (taps->tap[i]->dead)
			taps->tap[i]->gone(taps->tap[i]);
	free(taps);
}

/* ---- interfaces that come and go ---- */

static void on_link(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_lcore *nl = net__self(sn);
	struct plx_net_tap *t;

	__atomic_store_n(&nl->tap_link_told, false, __ATOMIC_RELEASE);
	net__begin(nl);
	plx_list_foreach (t, &nl->taps_here, node) {
		bool up = !t->iface || is_up(nl, t->iface);

		if (up == t->up)
			continue;
		t->up = up;
		if (t->link)
			t->link(sn, t, up);
	}
}

void net__taps_link(struct plx_net *net)
{
	for (uint16_t i = 0; i < net->n_lcores; i++) {
		struct net_lcore *nl = net->lcore[i];

		if (__atomic_exchange_n(&nl->tap_link_told, true, __ATOMIC_ACQ_REL))
			continue;
		nl->tap_link.fn = on_link;
		if (plx_engine_serves(net->eng))
			plx_softnet_post(nl->sn, &nl->tap_link);
		else
			on_link(nl->sn, &nl->tap_link);
	}
}
