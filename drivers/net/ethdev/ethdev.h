/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <plx_base_list.h>
#include <plx_port.h>

#include <rte_ethdev.h>

#define ETHDEV_RSS_UDP (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)
/** What we have devices hash: no modifiers such as RTE_ETH_RSS_L3_SRC_ONLY. */
#define ETHDEV_RSS_TYPES (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP)

/** What p->priv points to. */
struct ethdev {
	uint16_t port_id;
	bool started;
	bool intr;    /**< rx interrupts were configured */
	uint16_t txd; /**< descriptors of a tx queue */
	struct rte_eth_dev_info info;
	struct plx_list rules; /**< of ntuple.c */
};

/* open.c */
int ethdev__open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e);
void ethdev__stop(struct plx_port *p);

/* offload.c */
/** plx_port_ops.features_check: what DPDK promises of TSO, and what it does not. */
bool ethdev__features_check(struct plx_txq *q, struct rte_mbuf *m);
/** Of a device that is handed super-segments. */
uint16_t ethdev__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);
/** Of a device that gives what is merged, or has no checksum yet. */
uint16_t ethdev__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);

/* packet.c */
/** Keep net_af_packet on this interface from sleeping in its transmit. */
void ethdev__packet_no_wait(unsigned int if_index);

/* ntuple.c */
/** Started: does it take rules of ours? */
bool ethdev__takes_rules(const struct plx_port *p);
int ethdev__ntuple_add(
	struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule);
void ethdev__ntuple_del(struct plx_port *p, void *rule);
/** Before it is stopped: all of ours. */
void ethdev__ntuple_drop(struct plx_port *p);

/* control.c */
int ethdev__set_rx_mode(struct plx_port *p, bool promisc, bool allmulti);
int ethdev__set_mcast(struct plx_port *p, const struct plx_mac *mac, uint32_t n);
int ethdev__set_mac(struct plx_port *p, const struct plx_mac *mac);
int ethdev__set_mtu(struct plx_port *p, uint16_t mtu);
int ethdev__set_link(struct plx_port *p, bool up);
void ethdev__link(struct plx_port *p, struct plx_link *link);
void ethdev__stats(struct plx_port *p, struct plx_port_stats *s);
int ethdev__xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max);
int ethdev__rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t key_bytes, const struct plx_reta *reta);
int ethdev__rss_get(struct plx_port *p, uint8_t *key, uint16_t *key_bytes, struct plx_reta *reta);
int ethdev__rss_types(struct plx_port *p, uint32_t types);
int ethdev__rx_intr(struct plx_rxq *q, int epfd, bool add);
int ethdev__rx_intr_arm(struct plx_rxq *q, bool arm);
