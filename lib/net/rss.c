/* SPDX-License-Identifier: BSD-3-Clause */
#include "rps.h"

#include <errno.h>

/*
 * The RSS of ports, as far as the stack builds upon it: a device that hashes with the process's key
 * says whose a flow is. As soon as it has another key its hash says nothing any more, and it stays
 * so: what it hashed by the last one may still wait in its queues when it has the right one again.
 */

/* What it has to hash by ports. */
#define FLOWS (PLX_RSS_IPV4_TCP | PLX_RSS_IPV4_UDP | PLX_RSS_IPV6_TCP | PLX_RSS_IPV6_UDP)

static struct net_ifc *other_of(struct plx_net *net, const struct net_ifc *c)
{
	for (unsigned int i = 1; i < NET_IF_MAX; i++)
		if (net->ifc[i].pub.index && net->ifc[i].port == c->port && &net->ifc[i] != c)
			return &net->ifc[i];
	return NULL;
}

/* A device that hashes as we do, with our key, spares us the hash. */
void net__rss_share(struct plx_net *net, struct net_ifc *c)
{
	const struct net_ifc *other = other_of(net, c);
	struct plx_port *p = c->port;
	uint16_t bytes = p->caps.key_bytes;

	if (other) {
		c->rss_hash = other->rss_hash;
		return;
	}
	c->rss_hash = plx_engine_lcores(net->eng) > 1 && p->features & PLX_PORT_F_RX_HASH &&
		      (plx_port_rss_types(p) & FLOWS) == FLOWS && bytes >= PLX_STEER_KEY_MIN &&
		      bytes <= sizeof(net->toeplitz_key) &&
		      plx_port_rss_set(p, net->toeplitz_key, bytes, NULL) == 0;
}

/** A change. */
struct change {
	struct plx_net *net;
	struct plx_port *port;
	int result;
};

static void do_forget(struct plx_softnet *sn, void *arg)
{
	struct change *c = arg;
	bool any = false;

	for (unsigned int i = 1; i < NET_IF_MAX; i++) {
		struct net_ifc *ifc = &c->net->ifc[i];

		if (ifc->pub.index && ifc->port == c->port) {
			any |= ifc->rss_hash;
			ifc->rss_hash = false;
		}
	}
	c->result = any ? net__publish(c->net) : 0;
}

static void nothing(struct plx_softnet *sn, void *arg)
{
}

/* No lcore looks at the port's hashes any more: each has begun a burst since. */
static int forget_hash(struct plx_net *net, struct plx_port *p)
{
	struct change c = {.net = net, .port = p};
	int err = net__control(net, do_forget, &c);

	if (!err)
		err = c.result;
	for (uint16_t i = 0; !err && net->started && i < net->n_lcores; i++)
		err = plx_softnet_call(net->lcore[i]->sn, nothing, NULL);
	return err;
}

int plx_net_port_rss_set(struct plx_net *net, uint16_t port, const uint8_t *key, uint16_t bytes,
	const struct plx_reta *reta)
{
	struct plx_port *p = plx_port_get(port);
	struct plx_port_rss now;
	int err;

	if (!p || !plx_engine_has_port(net->eng, port))
		return -ENODEV;
	err = plx_port_rss_get(p, &now);
	if (!err && key && (now.key_bytes != bytes || memcmp(now.key, key, bytes) != 0))
		err = forget_hash(net, p);
	return err ? err : plx_port_rss_set(p, key, bytes, reta);
}

int plx_net_port_rss_types_set(struct plx_net *net, uint16_t port, uint32_t types)
{
	struct plx_port *p = plx_port_get(port);
	int err = 0;

	if (!p || !plx_engine_has_port(net->eng, port))
		return -ENODEV;
	if ((types & FLOWS) != FLOWS)
		err = forget_hash(net, p);
	return err ? err : plx_port_rss_types_set(p, types);
}
