/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a DPDK device is told of single flows. The device is a net_null; rte_flow's functions are
 * the test's, and stand in front of DPDK's own.
 */
#include "t_eal.h"

#include <errno.h>

#include <rte_errno.h>
#include <rte_flow.h>

#include <plx_net_ethdev.h>
#include <plx_wire_ip.h>

static struct nic {
	bool validates;
	int err; /* of another rule */
	unsigned int validated, rules;
	/* of the rule that came last */
	enum rte_flow_item_type ip_type, l4_type;
	uint8_t ip[40], ip_mask[40]; /* headers */
	uint8_t l4[20], l4_mask[20];
	uint16_t queue;
} nic;

static struct plx_port *port;

/* Each item whole: a header, and what of it counts. */
static void note(const struct rte_flow_attr *attr, const struct rte_flow_item *item,
	const struct rte_flow_action *action)
{
	size_t ip_bytes = item[1].type == RTE_FLOW_ITEM_TYPE_IPV4 ? 20 : 40;
	size_t l4_bytes = item[2].type == RTE_FLOW_ITEM_TYPE_TCP ? 20 : 8;

	ok(attr->ingress && !attr->egress && !attr->transfer && !attr->group && !attr->priority);
	eq(item[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	assert_null(item[0].spec);
	nic.ip_type = item[1].type;
	memcpy(nic.ip, item[1].spec, ip_bytes);
	memcpy(nic.ip_mask, item[1].mask, ip_bytes);
	nic.l4_type = item[2].type;
	memcpy(nic.l4, item[2].spec, l4_bytes);
	memcpy(nic.l4_mask, item[2].mask, l4_bytes);
	for (int i = 0; i < 3; i++)
		assert_null(item[i].last);
	eq(item[3].type, RTE_FLOW_ITEM_TYPE_END);
	eq(action[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	nic.queue = ((const struct rte_flow_action_queue *)action[0].conf)->index;
	eq(action[1].type, RTE_FLOW_ACTION_TYPE_END);
}

int rte_flow_validate(uint16_t port_id, const struct rte_flow_attr *attr,
	const struct rte_flow_item item[], const struct rte_flow_action action[],
	struct rte_flow_error *e)
{
	note(attr, item, action);
	nic.validated++;
	return nic.validates ? 0 : -ENOTSUP;
}

struct rte_flow *rte_flow_create(uint16_t port_id, const struct rte_flow_attr *attr,
	const struct rte_flow_item item[], const struct rte_flow_action action[],
	struct rte_flow_error *e)
{
	note(attr, item, action);
	rte_errno = -nic.err;
	if (nic.err)
		return NULL;
	nic.rules++;
	return (struct rte_flow *)&nic;
}

int rte_flow_destroy(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *e)
{
	ok(flow == (struct rte_flow *)&nic);
	nic.rules--;
	return 0;
}

static void start(bool validates, uint16_t queues)
{
	struct plx_error e;

	nic = (struct nic){.validates = validates};
	eq(rte_eal_hotplug_add("vdev", "net_null0", ""), 0);
	eq(plx_net_ethdev_probe(&e), 1);
	port = plx_port_find("net_null0");
	assert_non_null(port);
	ok(!(port->caps.features & PLX_PORT_F_NTUPLE));
	port->caps.features |= PLX_PORT_F_NTUPLE; /* as those of a NIC */
	t_open("net_null0", queues);
}

static void finish(void)
{
	plx_port_fini_all();
	eq(rte_eal_hotplug_remove("vdev", "net_null0"), 0);
}

static bool can(void)
{
	return plx_port_features(port) & PLX_PORT_F_NTUPLE;
}

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static struct plx_tuple flow(const char *src, const char *dst, uint8_t proto)
{
	return (struct plx_tuple){.src = addr(src),
		.dst = addr(dst),
		.sport = 0x1234,
		.dport = 0x5678,
		.proto = proto};
}

T(who_can)
{
	for (int i = 0; i < 4; i++) {
		bool validates = i & 1, many = i & 2;
		struct plx_tuple t = flow("10.0.0.1", "10.0.0.2", PLX_IPPROTO_TCP);
		void *rule;

		start(validates, many ? 2 : 1);
		eq(can(), validates && many);
		eq(nic.validated, many);
		if (!can())
			eq(plx_port_ntuple_add(port, &t, 0, &rule), -EOPNOTSUPP);
		finish();
	}
}

T(ip4)
{
	static const uint8_t src[] = {10, 0, 0, 1}, dst[] = {10, 0, 0, 2};
	static const uint8_t ports[] = {0x12, 0x34, 0x56, 0x78};
	uint8_t ip_mask[20] = {0}, l4_mask[20] = {0xff, 0xff, 0xff, 0xff};
	struct plx_tuple t = flow("10.0.0.1", "10.0.0.2", PLX_IPPROTO_TCP);
	void *rule;

	memset(ip_mask + 12, 0xff, 8);
	start(true, 2);
	eq(plx_port_ntuple_add(port, &t, 1, &rule), 0);
	eq(nic.rules, 1);
	eq(nic.queue, 1);
	eq(nic.ip_type, RTE_FLOW_ITEM_TYPE_IPV4);
	mem_eq(nic.ip + 12, src, 4);
	mem_eq(nic.ip + 16, dst, 4);
	mem_eq(nic.ip_mask, ip_mask, 20);
	eq(nic.l4_type, RTE_FLOW_ITEM_TYPE_TCP);
	mem_eq(nic.l4, ports, 4);
	mem_eq(nic.l4_mask, l4_mask, 20);
	plx_port_ntuple_del(port, rule);
	eq(nic.rules, 0);
	finish();
}

T(ip6)
{
	struct plx_tuple t = flow("2001:db8::1", "2001:db8::2", PLX_IPPROTO_UDP);
	uint8_t ip_mask[40] = {0}, l4_mask[8] = {0xff, 0xff, 0xff, 0xff};
	void *rule;

	memset(ip_mask + 8, 0xff, 32);
	start(true, 2);
	eq(plx_port_ntuple_add(port, &t, 0, &rule), 0);
	eq(nic.queue, 0);
	eq(nic.ip_type, RTE_FLOW_ITEM_TYPE_IPV6);
	mem_eq(nic.ip + 8, t.src.b, 16);
	mem_eq(nic.ip + 24, t.dst.b, 16);
	mem_eq(nic.ip_mask, ip_mask, 40);
	eq(nic.l4_type, RTE_FLOW_ITEM_TYPE_UDP);
	mem_eq(nic.l4_mask, l4_mask, 8);
	finish();
}

T(what_is_refused)
{
	struct plx_tuple t = flow("10.0.0.1", "10.0.0.2", PLX_IPPROTO_TCP), other;
	void *rule;

	start(true, 2);
	eq(plx_port_ntuple_add(port, &t, 2, &rule), -EINVAL);
	other = t;
	other.frag = true;
	eq(plx_port_ntuple_add(port, &other, 0, &rule), -EINVAL);
	other = t;
	other.proto = PLX_IPPROTO_ICMP;
	eq(plx_port_ntuple_add(port, &other, 0, &rule), -EINVAL);
	other = t;
	other.src = addr("2001:db8::1");
	eq(plx_port_ntuple_add(port, &other, 0, &rule), -EINVAL);
	eq(nic.rules, 0);
	nic.err = -ENOSPC;
	eq(plx_port_ntuple_add(port, &t, 0, &rule), -ENOSPC);
	nic.err = 0;
	eq(plx_port_set_features(port, port->wanted & ~(uint32_t)PLX_PORT_F_NTUPLE), 0);
	eq(plx_port_ntuple_add(port, &t, 0, &rule), -EOPNOTSUPP);
	eq(plx_port_set_features(port, port->wanted | PLX_PORT_F_NTUPLE), 0);
	eq(plx_port_ntuple_add(port, &t, 0, &rule), 0);
	eq(plx_port_ntuple_add(port, &t, 1, &rule), 0);
	nic.rules++; /* of somebody else */
	plx_port_close(port);
	eq(nic.rules, 1);
	eq(plx_port_ntuple_add(port, &t, 0, &rule), -ENETDOWN);
	plx_port_ntuple_del(port, rule); /* it is gone: nothing happens */
	finish();
}

RUN_EAL(T_EAL_(who_can), T_EAL_(ip4), T_EAL_(ip6), T_EAL_(what_is_refused))
