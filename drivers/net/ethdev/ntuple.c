/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_flow.h>

#include <plx_wire_ip.h>

/*
 * n-tuple rules by rte_flow: Ethernet, IPv4 or IPv6, TCP or UDP; both addresses, both ports; to a
 * queue. Without a mask of its own each item would be compared by the fields that it is compared by
 * by default, which for ports and addresses is wholly; but drivers differ in what they take for
 * default, so all is said.
 */

#define ITEM_ETH  0
#define ITEM_IP	  1
#define ITEM_L4	  2
#define ITEM_END  3
#define ACTION_TO 0

/** A rule in DPDK's words, that points into itself. */
struct words {
	struct rte_flow_attr attr;
	struct rte_flow_item item[ITEM_END + 1];
	struct rte_flow_action action[2];
	struct rte_flow_action_queue to;
	union {
		struct rte_flow_item_ipv4 v4;
		struct rte_flow_item_ipv6 v6;
	} ip, ip_mask;
	union {
		struct rte_flow_item_tcp tcp;
		struct rte_flow_item_udp udp;
	} l4, l4_mask;
};

static void say_ip(struct words *w, const struct plx_tuple *t)
{
	struct rte_flow_item *item = &w->item[ITEM_IP];

	*item = (struct rte_flow_item){.spec = &w->ip, .mask = &w->ip_mask};
	if (plx_addr_is_v4(&t->src)) {
		item->type = RTE_FLOW_ITEM_TYPE_IPV4;
		w->ip.v4.hdr.src_addr = t->src.w[3];
		w->ip.v4.hdr.dst_addr = t->dst.w[3];
		w->ip_mask.v4.hdr.src_addr = w->ip_mask.v4.hdr.dst_addr = UINT32_MAX;
		return;
	}
	item->type = RTE_FLOW_ITEM_TYPE_IPV6;
	memcpy(w->ip.v6.hdr.src_addr, t->src.b, sizeof(t->src.b));
	memcpy(w->ip.v6.hdr.dst_addr, t->dst.b, sizeof(t->dst.b));
	memset(w->ip_mask.v6.hdr.src_addr, 0xff, sizeof(t->src.b));
	memset(w->ip_mask.v6.hdr.dst_addr, 0xff, sizeof(t->dst.b));
}

static void say_ports(struct words *w, const struct plx_tuple *t)
{
	struct rte_flow_item *item = &w->item[ITEM_L4];
	rte_be16_t src = rte_cpu_to_be_16(t->sport), dst = rte_cpu_to_be_16(t->dport);

	*item = (struct rte_flow_item){.spec = &w->l4, .mask = &w->l4_mask};
	if (t->proto == PLX_IPPROTO_TCP) {
		item->type = RTE_FLOW_ITEM_TYPE_TCP;
		w->l4.tcp.hdr.src_port = src;
		w->l4.tcp.hdr.dst_port = dst;
		w->l4_mask.tcp.hdr.src_port = w->l4_mask.tcp.hdr.dst_port = UINT16_MAX;
		return;
	}
	item->type = RTE_FLOW_ITEM_TYPE_UDP;
	w->l4.udp.hdr.src_port = src;
	w->l4.udp.hdr.dst_port = dst;
	w->l4_mask.udp.hdr.src_port = w->l4_mask.udp.hdr.dst_port = UINT16_MAX;
}

static void say(struct words *w, const struct plx_tuple *t, uint16_t queue)
{
	*w = (struct words){.attr.ingress = 1, .to.index = queue};
	w->item[ITEM_ETH].type = RTE_FLOW_ITEM_TYPE_ETH;
	say_ip(w, t);
	say_ports(w, t);
	w->item[ITEM_END].type = RTE_FLOW_ITEM_TYPE_END;
	w->action[ACTION_TO] = (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_QUEUE, &w->to};
	w->action[ACTION_TO + 1].type = RTE_FLOW_ACTION_TYPE_END;
}

static uint16_t id(const struct plx_port *p)
{
	return ((const struct ethdev *)p->priv)->port_id;
}

bool ethdev__takes_rules(const struct plx_port *p)
{
	const struct plx_tuple any = {.src = plx_addr_from_v4((const uint8_t[]){192, 0, 2, 1}),
		.dst = plx_addr_from_v4((const uint8_t[]){192, 0, 2, 2}),
		.sport = 1024,
		.dport = 1024,
		.proto = PLX_IPPROTO_TCP};
	struct rte_flow_error e;
	struct words w;

	if (!(p->features & PLX_PORT_F_NTUPLE) || p->n_rxq == 1)
		return false;
	say(&w, &any, 1);
	return rte_flow_validate(id(p), &w.attr, w.item, w.action, &e) == 0;
}

/** One of ours; others may have rules of their own in the device. */
struct rule {
	struct plx_list node;
	struct rte_flow *flow;
};

int ethdev__ntuple_add(
	struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule)
{
	struct ethdev *d = p->priv;
	struct rule *r = malloc(sizeof(*r));
	struct rte_flow_error e;
	struct words w;
	int err;

	if (!r)
		return -ENOMEM;
	say(&w, flow, queue);
	rte_errno = EIO; /* not all drivers say why */
	r->flow = rte_flow_create(d->port_id, &w.attr, w.item, w.action, &e);
	err = -rte_errno;
	if (!r->flow) {
		free(r);
		return err;
	}
	plx_list_add_tail(&d->rules, &r->node);
	*rule = r;
	return 0;
}

void ethdev__ntuple_del(struct plx_port *p, void *rule)
{
	struct rule *r = rule;
	struct rte_flow_error e;

	rte_flow_destroy(id(p), r->flow, &e);
	plx_list_del(&r->node);
	free(r);
}

void ethdev__ntuple_drop(struct plx_port *p)
{
	struct ethdev *d = p->priv;

	while (!plx_list_empty(&d->rules))
		ethdev__ntuple_del(p, plx_list_first(&d->rules, struct rule, node));
}
