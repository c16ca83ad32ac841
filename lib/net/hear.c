/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

#include <errno.h>
#include <stdlib.h>

/*
 * What ports hear for the sake of taps: everything (promiscuous), all groups, or one more group.
 * Interfaces share their port, so it is counted there. The stack itself goes on filtering by MAC.
 */

struct net_hear_group {
	struct net_hear_group *next;
	struct plx_mac mac;
	uint32_t n; /* how often it was asked for */
};

uint32_t net__hear_groups(const struct plx_net *net, const struct plx_port *p, struct plx_mac *mac,
	uint32_t n, uint32_t max)
{
	for (const struct net_hear_group *g = net->hear[p->id].group; g && n < max; g = g->next)
		mac[n++] = g->mac;
	return n;
}

void net__hear_free(struct plx_net *net)
{
	for (unsigned int i = 0; i < PLX_PORT_MAX; i++)
		while (net->hear[i].group) {
			struct net_hear_group *g = net->hear[i].group;

			net->hear[i].group = g->next;
			free(g);
		}
}

/* dev_mc_add(), dev_mc_del() */
static void group(struct net_hear *h, const struct plx_mac *mac, bool on)
{
	struct net_hear_group **at = &h->group, *g;

	while (*at && !plx_mac_eq(&(*at)->mac, mac))
		at = &(*at)->next;
	g = *at;
	if (on && !g) {
		g = calloc(1, sizeof(*g));
		if (!g)
			return; /* the port does not hear it: as if it were not sent here */
		g->mac = *mac;
		*at = g;
	}
	if (on) {
		g->n++;
	} else if (g && --g->n == 0) {
		*at = g->next;
		free(g);
	}
}

/* What the port was asked for by others, it goes on with. */
static void set_mode(struct plx_net *net, struct plx_port *p, struct net_hear *h)
{
	plx_port_set_rx_mode(p, h->promisc || h->was_promisc, h->allmulti || h->was_allmulti);
	net__set_filter(net, p);
}

static void hear(struct plx_net *net, uint16_t iface, enum plx_net_hear what,
	const struct plx_mac *mac, bool on)
{
	struct plx_port *p = net->ifc[iface].port;
	struct net_hear *h = &net->hear[p->id];

	if (what == PLX_NET_HEAR_GROUP) {
		group(h, mac, on);
		net__set_filter(net, p);
		return;
	}
	if (!h->promisc && !h->allmulti) {
		h->was_promisc = p->promisc;
		h->was_allmulti = p->allmulti;
	}
	if (what == PLX_NET_HEAR_PROMISC)
		h->promisc += on ? 1 : -1u;
	else
		h->allmulti += on ? 1 : -1u;
	set_mode(net, p, h);
}

struct hear_note {
	struct plx_msg msg;
	struct plx_net *net;
	struct plx_mac mac;
	uint16_t iface;
	uint8_t what;
	bool on;
};

static void on_hear(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct hear_note *n = plx_container_of(msg, struct hear_note, msg);

	hear(n->net, n->iface, n->what, &n->mac, n->on);
	free(n);
}

int plx_net_hear(struct plx_softnet *sn, uint16_t iface, enum plx_net_hear what,
	const struct plx_mac *mac, bool on)
{
	struct net_lcore *nl = net__self(sn);
	struct plx_net *net = nl->net;
	struct hear_note *n;

	net__begin(nl);
	if (iface == 0 || iface >= NET_IF_MAX || !nl->cfg->ifs[iface].index)
		return -ENODEV;
	if (nl->control || !plx_engine_serves(net->eng)) {
		hear(net, iface, what, mac, on);
		return 0;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOBUFS;
	*n = (struct hear_note){
		.msg.fn = on_hear, .net = net, .iface = iface, .what = (uint8_t)what, .on = on};
	if (mac)
		n->mac = *mac;
	plx_softnet_post(net->lcore[0]->sn, &n->msg);
	return 0;
}
