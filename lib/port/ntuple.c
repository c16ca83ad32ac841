/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_port.h"

#include <errno.h>

#include <plx_wire_ip.h>

static bool is_flow(const struct plx_tuple *t)
{
	return (t->proto == PLX_IPPROTO_TCP || t->proto == PLX_IPPROTO_UDP) && !t->frag &&
	       plx_addr_is_v4(&t->src) == plx_addr_is_v4(&t->dst);
}

int plx_port_ntuple_add(
	struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule)
{
	if (!p->open)
		return -ENETDOWN;
	if (!(plx_port_features(p) & PLX_PORT_F_NTUPLE))
		return -EOPNOTSUPP;
	if (queue >= p->n_rxq || !is_flow(flow))
		return -EINVAL;
	return p->ops->ntuple_add(p, flow, queue, rule);
}

void plx_port_ntuple_del(struct plx_port *p, void *rule)
{
	if (p->open)
		p->ops->ntuple_del(p, rule);
}
