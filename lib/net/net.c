/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <rte_prefetch.h>

#include "arfs.h"
#include "rfs.h"
#include "rps.h"
#include "tap.h"

#define FRAG_DATAGRAMS 1024
#define FRAG_PIECES    8192
#define UDP_SOCKETS    1024
#define PREFETCH       3 /* packets ahead */

plx_ns net__now(const struct plx_net *net)
{
	return net->started ? net->lcore[0]->sn->now_ns : plx_engine_now(net->eng);
}

void net__drop(struct rte_mbuf *m, enum plx_drop reason, enum plx_stat stat)
{
	plx_stat_inc(stat);
	plx_pkt_drop(m, reason);
}

/* ---- hand-over ---- */

void net__stage(struct rte_mbuf *m, enum net_stage stage, uint16_t iface, uint8_t flags)
{
	struct plx_pkt_meta *meta = plx_pkt_meta(m);

	meta->stage = stage;
	meta->iface = iface;
	meta->flags = flags;
}

static void control_in(struct net_lcore *nl, struct rte_mbuf *m, enum net_stage stage,
	uint16_t iface, uint8_t flags)
{
	switch (stage) {
	case NET_STAGE_ARP:
		net__ctl_arp(nl, m, iface);
		break;
	case NET_STAGE_ND:
		net__ctl_nd(nl, m, iface, flags);
		break;
	case NET_STAGE_GROUP:
		net__ctl_group(nl, m, iface);
		break;
	case NET_STAGE_PMTU:
		net__pmtu_in(nl, m);
		break;
	case NET_STAGE_REDIRECT:
		net__redirect4_in(nl, m, iface);
		break;
	case NET_STAGE_NEIGH:
		net__nbr_resolve(nl, m, iface, flags);
		break;
	case NET_STAGE_TAP:
		net__tap_take(nl, m);
		break;
	case NET_STAGE_IP:
		break;
	}
}

void net__to_control(struct net_lcore *nl, struct rte_mbuf *m, enum net_stage stage, uint16_t iface,
	uint8_t flags)
{
	if (nl->control) {
		control_in(nl, m, stage, iface, flags);
		return;
	}
	net__stage(m, stage, iface, flags);
	plx_softnet_hand(nl->sn, 0, m);
}

void net__stage_again(struct rte_mbuf *m, const struct plx_net_rx *rx)
{
	net__stage(m, NET_STAGE_IP, rx->iface,
		NET_F_HANDED | (rx->link_group ? NET_F_LINK_GROUP : 0) |
			(rx->copy ? NET_F_COPY : 0) | (rx->looped ? NET_F_LOOPED : 0));
}

void net__hand(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx, uint16_t lcore)
{
	net__stage_again(m, rx);
	plx_softnet_hand(nl->sn, lcore, m);
}

static void ip_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags)
{
	if (*rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4)
		net__ip4_in(nl, m, iface, flags);
	else
		net__ip6_in(nl, m, iface, flags);
}

void net__backlog(struct net_lcore *nl, struct rte_mbuf **pkts, uint16_t n)
{
	if (plx_unlikely(nl->stopped)) {
		plx_pkt_drop_bulk(pkts, n, PLX_DROP_STOPPED);
		return;
	}
	net__begin(nl);
	for (uint16_t i = 0; i < n; i++) {
		const struct plx_pkt_meta *meta = plx_pkt_meta(pkts[i]);

		if (meta->stage == NET_STAGE_IP)
			ip_in(nl, pkts[i], meta->iface, meta->flags);
		else
			control_in(nl, pkts[i], meta->stage, meta->iface, meta->flags);
	}
	net__tcp_tell(nl);
}

static void on_backlog(struct plx_softnet *sn, struct rte_mbuf **pkts, uint16_t n)
{
	net__backlog(net__self(sn), pkts, n);
}

/* For the flow limit: as Linux's flow dissector, to which all that is not IP is one flow. What did
 * not come from outside belongs to none. */
static uint32_t on_flow(struct plx_softnet *sn, struct rte_mbuf *m)
{
	uint8_t stage = plx_pkt_meta(m)->stage;
	struct plx_tuple t;

	if (stage == NET_STAGE_NEIGH || stage == NET_STAGE_TAP)
		return 0;
	if (stage == NET_STAGE_ARP ||
		!plx_wire_tuple_l3(&t, rte_pktmbuf_mtod(m, const void *), m->data_len))
		return 1;
	return plx_steer_hash_nonzero(plx_steer_hash_tuple(&net__self(sn)->net->toeplitz, &t));
}

static void frames_in(struct net_lcore *nl, struct rte_mbuf **pkts, uint16_t n, uint16_t port)
{
	for (uint16_t i = 0; i < n && i < PREFETCH; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + PREFETCH < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + PREFETCH], void *));
		net__eth_in(nl, pkts[i], port);
	}
}

static void on_rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct net_lcore *nl = net__self(sn);
	uint16_t port = q->port->id;
	struct net_way way;

	net__way_begin(nl, &way, q);
	net__begin(nl);
	if (plx_unlikely(nl->taps))
		net__taps_in(nl, q->port, pkts, n);
	if (plx_likely(!(plx_port_features(q->port) & PLX_PORT_F_NO_ETH)))
		frames_in(nl, pkts, n, port);
	else
		for (uint16_t i = 0; i < n; i++)
			net__l3_in(nl, pkts[i], port);
	net__tcp_tell(nl);
	nl->way = NULL;
}

/* ---- to ourselves ---- */

/* Whoever receives it may keep it for long, so who has lent it gets it back now (Linux's
 * skb_orphan_frags_rx()). @return NULL: no memory. */
PLX_NOINLINE static struct rte_mbuf *copy_lent(struct net_lcore *nl, struct rte_mbuf *m)
{
	struct rte_mbuf *c = rte_pktmbuf_copy(m, nl->sn->pool, 0, UINT32_MAX);

	if (!c) {
		plx_pkt_drop(m, PLX_DROP_NO_MBUF);
		return NULL;
	}
	plx_pkt_loan_copied(m);
	rte_pktmbuf_free(m);
	return c;
}

void net__loopback(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface)
{
	bool super = m->ol_flags & NET_TX_SEG;

	if (nl->loop_n == NET_PEND_MAX || nl->stopped) {
		plx_pkt_drop(m, nl->stopped ? PLX_DROP_STOPPED : PLX_DROP_BACKLOG_FULL);
		return;
	}
	if (plx_unlikely(m->nb_segs > 1 && plx_pkt_lent(m))) {
		m = copy_lent(nl, m);
		if (!m)
			return;
	}
	/* what leaves here has a checksum by our own hand, or is for several packets that have not
	 * been cut, and comes in again as a packet of its own */
	plx_count(plx_acct_self()->tx_pkts, plx_pkt_wire(m));
	m->ol_flags &= ~(RTE_MBUF_F_TX_OFFLOAD_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK |
			 RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_RSS_HASH);
	if (super)
		m->ol_flags |=
			RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_GOOD | plx_pkt_partial_flag;
	net__stage(m, NET_STAGE_IP, iface, NET_F_LOOPED);
	plx_pkt_meta(m)->next = NULL;
	if (nl->loop_n++)
		plx_pkt_meta(nl->loop_tail)->next = m;
	else
		nl->loop_head = m;
	nl->loop_tail = m;
}

static uint32_t loop_run(struct plx_softnet *sn, void *arg)
{
	struct net_lcore *nl = arg;
	struct rte_mbuf *m = nl->loop_head;
	uint32_t n = nl->loop_n;

	if (plx_likely(n == 0))
		return 0;
	net__begin(nl);
	nl->loop_head = nl->loop_tail = NULL;
	nl->loop_n = 0;
	while (m) {
		struct rte_mbuf *next = plx_pkt_meta(m)->next;

		plx_count(plx_acct_self()->rx_pkts, plx_pkt_wire(m));
		ip_in(nl, m, plx_pkt_meta(m)->iface, NET_F_LOOPED);
		m = next;
	}
	return n;
}

static plx_ns loop_deadline(struct plx_softnet *sn, void *arg)
{
	return ((struct net_lcore *)arg)->loop_n ? 0 : PLX_NEVER;
}

/* ---- snapshots ---- */

void net__retire(struct plx_net *net, struct net_retired *r, void (*free_fn)(struct net_retired *r))
{
	if (!net->started) {
		free_fn(r);
		return;
	}
	*r = (struct net_retired){
		.next = net->retired,
		.token = rte_rcu_qsbr_start(plx_engine_rcu(net->eng)),
		.free = free_fn,
	};
	net->retired = r;
}

void net__retire_poll(struct plx_net *net)
{
	struct net_retired **at = &net->retired;

	while (*at) {
		struct net_retired *r = *at;

		if (net->started &&
			rte_rcu_qsbr_check(plx_engine_rcu(net->eng), r->token, false) != 1) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		r->free(r);
	}
}

/* ---- timers ---- */

static void on_timer(struct plx_softnet *sn, struct plx_timer *t)
{
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	switch (t->kind) {
	case NET_TIMER_FRAG:
		net__frag_timer(nl);
		break;
	case NET_TIMER_CTL:
		net__ctl_pump(nl->net);
		break;
	case NET_TIMER_TCP:
		net__tcp_timer(nl, t);
		break;
	case NET_TIMER_TCP_REQ:
		net__tcp_req_timer(nl);
		break;
	case NET_TIMER_TCP_TW:
		net__tcp_tw_timer(nl);
		break;
	}
}

/* ---- life ---- */

static uint32_t ctl_run(struct plx_softnet *sn, void *arg)
{
	struct plx_net *net = arg;

	net__link_watch(net);
	if (plx_likely(!net->pump))
		return 0;
	net__begin(net->lcore[0]);
	return net__ctl_run(net);
}

static plx_ns ctl_deadline(struct plx_softnet *sn, void *arg)
{
	return ((struct plx_net *)arg)->pump ? 0 : PLX_NEVER;
}

static int on_start(struct plx_softnet *sn)
{
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	net__frag_start(nl);
	net__tcp_start(nl);
	nl->loop_poller =
		(struct plx_poller){.run = loop_run, .deadline = loop_deadline, .arg = nl};
	plx_softnet_add_poller(sn, &nl->loop_poller);
	if (nl->control) {
		nl->net->poller = (struct plx_poller){
			.run = ctl_run, .deadline = ctl_deadline, .arg = nl->net};
		plx_softnet_add_poller(sn, &nl->net->poller);
		net__balance_start(nl);
		__atomic_store_n(&nl->net->started, true, __ATOMIC_RELEASE);
		net__ctl_start(nl->net);
	}
	return 0;
}

static void on_stop(struct plx_softnet *sn)
{
	struct net_lcore *nl = net__self(sn);

	net__begin(nl);
	net__move_stop(nl);
	net__tcp_stop(nl);
	nl->stopped = true;
	net__frag_stop(nl);
	while (nl->loop_head) {
		struct rte_mbuf *next = plx_pkt_meta(nl->loop_head)->next;

		plx_count(plx_acct_self()->rx_pkts, plx_pkt_wire(nl->loop_head));
		plx_pkt_drop(nl->loop_head, PLX_DROP_STOPPED);
		nl->loop_head = next;
	}
	nl->loop_n = 0;
	if (nl->control)
		net__ctl_stop(nl->net);
}

const struct plx_engine_ops plx_net_ops = {
	.rx = on_rx,
	.backlog = on_backlog,
	.flow = on_flow,
	.timer = on_timer,
	.start = on_start,
	.stop = on_stop,
	.merges = true,
	.counts_mcast = true,
};

static void *aligned(size_t bytes)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, bytes) != 0)
		return NULL;
	memset(p, 0, bytes);
	return p;
}

uint32_t net__udp_max(const struct plx_net *net)
{
	return net->conf.udp_sockets ? net->conf.udp_sockets : UDP_SOCKETS;
}

static struct net_lcore *lcore_new(struct plx_net *net, struct plx_softnet *sn)
{
	struct net_lcore *nl = aligned(sizeof(*nl));
	struct plx_frag_conf fc = {.datagrams = FRAG_DATAGRAMS, .pieces = FRAG_PIECES};
	struct plx_udp_conf uc = {
		.sockets = net__udp_max(net),
		.groups = 64,
		.group_sockets = PLX_ENGINE_LCORES_MAX,
		.seed = {net->key[0], net->key[1]},
	};

	if (!nl)
		return NULL;
	plx_list_init(&nl->raws);
	plx_list_init(&nl->udp_flows);
	plx_list_init(&nl->taps_here);
	plx_frag_limits_init(&fc.limits);
	fc.seed[0] = plx_rng_u64(&net->rng);
	fc.seed[1] = plx_rng_u64(&net->rng);
	nl->sn = sn;
	nl->net = net;
	nl->control = sn->index == 0;
	nl->frag_timer.kind = NET_TIMER_FRAG;
	nl->udp_mem = aligned(plx_udp_size(&uc));
	nl->frag_mem = aligned(plx_frag_size(&fc));
	if (nl->udp_mem && nl->frag_mem) {
		nl->udp = plx_udp_init(nl->udp_mem, &uc);
		nl->frag = plx_frag_init(nl->frag_mem, &fc);
	}
	nl->tcp = net__tcp_new(nl);
	if (!nl->udp || !nl->frag || !nl->tcp) {
		net__tcp_free(nl->tcp);
		free(nl->udp_mem);
		free(nl->frag_mem);
		free(nl);
		return NULL;
	}
	return nl;
}

static int tables_init(struct plx_net *net)
{
	struct plx_neigh_conf *c = &net->neigh_conf;

	*c = (struct plx_neigh_conf)PLX_NEIGH_CONF_DEFAULT;
	c->gc_thresh3 = (uint32_t)net__tun(net, PLX_TUN_NEIGH_GC_THRESH3);
	c->max_ifaces = NET_IF_MAX;
	net__nbr_conf(net, c);
	c->hash_key[0] = plx_rng_u64(&net->rng);
	c->hash_key[1] = plx_rng_u64(&net->rng);
	plx_rng_bytes(&net->rng, net->toeplitz_key, sizeof(net->toeplitz_key));
	plx_steer_toeplitz_init(&net->toeplitz, net->toeplitz_key, PLX_STEER_KEY_MIN);
	net->sorted = net->toeplitz;
	net->sorted.symmetric = true;
	net->neigh_mem = aligned(plx_neigh_table_size(c));
	net->route = calloc(NET_ROUTE_MAX, sizeof(*net->route));
	net->tcp_away = calloc(65536, sizeof(*net->tcp_away));
	if (!net->neigh_mem || !net->route || !net->tcp_away)
		return -ENOMEM;
	net->neigh = plx_neigh_table_init(net->neigh_mem, c, &net->rng);
	if (net__rtab_init(&net->nbr, c->gc_thresh3, net->key) != 0)
		return -ENOMEM;
	return net__rtab_init(&net->exc, 1024, net->key);
}

struct plx_net *plx_net_create(
	const struct plx_net_conf *conf, struct plx_tunables *tun, struct plx_error *e)
{
	struct plx_net *net = aligned(sizeof(*net));
	uint64_t seed = conf->seed;

	if (!net)
		goto no_memory;
	if (!seed && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		goto no_memory;
	net->conf = *conf;
	net->tun = tun;
	plx_rng_init(&net->rng, seed);
	net->key[0] = plx_rng_u64(&net->rng);
	net->key[1] = plx_rng_u64(&net->rng);
	net->tcp_seed = plx_rng_u64(&net->rng);
	net__ports_init(&net->ports, plx_hash_words(net->key, &net->tcp_seed, 1));
	pthread_mutex_init(&net->ports_lock, NULL);
	pthread_mutex_init(&net->named_lock, NULL);
	pthread_mutex_init(&net->taps_lock, NULL);
	net->timer.kind = NET_TIMER_CTL;
	if (tables_init(net) != 0)
		goto no_memory;
	return net;
no_memory:
	plx_net_destroy(net);
	plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "the stack", 0u, 0u);
	return NULL;
}

int plx_net_attach(struct plx_net *net, struct plx_engine *eng, struct plx_error *e)
{
	uint16_t lcores[PLX_ENGINE_LCORES_MAX], n = plx_engine_lcores(eng);

	net->eng = eng;
	net->n_lcores = n;
	for (uint16_t i = 0; i < n; i++) {
		struct plx_softnet *sn = plx_engine_softnet(eng, i);

		lcores[i] = i;
		net->lcore[i] = lcore_new(net, sn);
		if (!net->lcore[i])
			return plx_error_set(
				e, -ENOMEM, PLX_ERR_NO_MEMORY, "the stack's lcores", 0u, 0u);
		sn->user = net->lcore[i];
	}
	plx_steer_owner_init(&net->owners, 128, lcores, n);
	net->frag_owners = net->owners;
	for (uint16_t i = 0; i < n; i++)
		plx_steer_ports_init(&net->lcore[i]->ports, &net->toeplitz, &net->owners, i);
	if (net__flows_new(net) != 0 || net__arfs_new(net) != 0 || net__move_new(net) != 0 ||
		net__balance_new(net) != 0)
		return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "moves of flows", 0u, 0u);
	if (net__publish(net) != 0)
		return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "the configuration", 0u, 0u);
	for (uint16_t i = 0; i < n; i++) {
		net__move_start(net->lcore[i]); /* to run behind net__tcp_attach()'s */
		net__tcp_attach(net->lcore[i]);
	}
	return 0;
}

void plx_net_destroy(struct plx_net *net)
{
	if (!net)
		return;
	net->started = false;
	net__retire_poll(net);
	net__move_free(net);
	net__flows_free(net);
	net__arfs_free(net);
	net__balance_free(net);
	for (unsigned int i = 0; i < PLX_ENGINE_LCORES_MAX; i++)
		if (net->lcore[i]) {
			free(net->lcore[i]->udp_mem);
			free(net->lcore[i]->frag_mem);
			net__tcp_free(net->lcore[i]->tcp);
			free(net->lcore[i]);
		}
	for (unsigned int i = 0; i < NET_IF_MAX; i++) {
		free(net->ifc[i].mcast);
		net__members_free(&net->ifc[i]);
	}
	net__cfg_free(net->cfg);
	net__taps_free(net);
	net__rps_free(net);
	net__rfs_free(net);
	net__hear_free(net);
	net__rtab_fini(&net->nbr);
	net__rtab_fini(&net->exc);
	free(net->tcp_away);
	free(net->route);
	free(net->neigh_mem);
	pthread_mutex_destroy(&net->ports_lock);
	pthread_mutex_destroy(&net->named_lock);
	pthread_mutex_destroy(&net->taps_lock);
	free(net);
}

uint64_t plx_net_held(struct plx_net *net)
{
	uint64_t n = plx_count_read(net->n_pending);

	for (uint16_t i = 0; net->eng && i < plx_engine_lcores(net->eng); i++)
		n += plx_count_read(plx_frag_stats(net->lcore[i]->frag)->held) +
		     plx_count_read(net->lcore[i]->mover->held);
	return n;
}

int plx_net_ethertype_register(struct plx_net *net, uint16_t type, plx_net_handler fn)
{
	if (type == PLX_ETHERTYPE_IP4 || type == PLX_ETHERTYPE_IP6 || type == PLX_ETHERTYPE_ARP)
		return -EEXIST;
	for (uint32_t i = 0; i < net->n_ethertype; i++)
		if (net->ethertype[i].type == type)
			return -EEXIST;
	if (net->n_ethertype == NET_HANDLER_MAX)
		return -ENOSPC;
	net->ethertype[net->n_ethertype++] = (struct net_ethertype){type, fn};
	return 0;
}

int plx_net_ipproto_register(struct plx_net *net, uint8_t proto, plx_net_handler fn)
{
	static const uint8_t ours[] = {PLX_IPPROTO_ICMP, PLX_IPPROTO_IGMP, PLX_IPPROTO_UDP,
		PLX_IPPROTO_TCP, PLX_IPPROTO_ICMP6};

	if (net->proto[proto] || memchr(ours, proto, sizeof(ours)))
		return -EEXIST;
	net->proto[proto] = fn;
	return 0;
}
