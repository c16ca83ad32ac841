/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <stddef.h>

/*
 * SOL_PACKET. There are no rings (PACKET_RX_RING and what is about them), no fanout, no
 * virtio-net headers: ENOPROTOOPT.
 */

/* ---- memberships ---- */

static int hear(struct sock_packet *p, const struct sock_packet_member *k, bool on)
{
	struct plx_mac mac;

	switch (k->type) {
	case PACKET_MR_MULTICAST:
		memcpy(&mac, k->addr, sizeof(mac));
		return plx_net_hear(p->sl->sn, k->iface, PLX_NET_HEAR_GROUP, &mac, on);
	case PACKET_MR_ALLMULTI:
		return plx_net_hear(p->sl->sn, k->iface, PLX_NET_HEAR_ALLMULTI, NULL, on);
	case PACKET_MR_PROMISC:
	case PACKET_MR_UNICAST: /* no port has a list of these: as devices without one in Linux */
		return plx_net_hear(p->sl->sn, k->iface, PLX_NET_HEAR_PROMISC, NULL, on);
	default:
		return 0;
	}
}

static bool has_addr(const struct sock_packet_member *k)
{
	return k->type == PACKET_MR_MULTICAST || k->type == PACKET_MR_UNICAST;
}

/* Where the membership is linked in, or would be at the end. */
static struct sock_packet_member **find(
	struct sock_packet *p, const struct sock_packet_member *want)
{
	struct sock_packet_member **at = &p->member;

	while (*at && ((*at)->iface != want->iface || (*at)->type != want->type ||
			      (*at)->alen != want->alen ||
			      memcmp((*at)->addr, want->addr, want->alen) != 0))
		at = &(*at)->next;
	return at;
}

/* packet_mc_add() */
static long add(struct sock_packet *p, int ifindex, struct sock_packet_member *want)
{
	struct sock_packet_member **at, *k;
	struct plx_net_if ifc;
	bool eth;
	int err;

	if (ifindex <= 0 || ifindex > UINT16_MAX || sock__packet_if(p, want->iface, &ifc, &eth))
		return -ENODEV;
	if (want->alen > (eth ? sizeof(struct plx_mac) : 0))
		return -EINVAL;
	at = find(p, want);
	if (*at) {
		(*at)->n++;
		return 0;
	}
	if (has_addr(want) && want->alen != sizeof(struct plx_mac))
		return -EINVAL;
	k = sock__alloc(p->sl, sizeof(*k));
	if (!k)
		return -ENOBUFS;
	*k = *want;
	k->n = 1;
	err = hear(p, k, true);
	if (err)
		sock__free(p->sl, k, sizeof(*k));
	else
		*at = k;
	return err;
}

static void unlink_one(struct sock_packet *p, struct sock_packet_member **at)
{
	struct sock_packet_member *k = *at;

	*at = k->next;
	hear(p, k, false);
	sock__free(p->sl, k, sizeof(*k));
}

/* packet_mc_drop(): who is none is told nothing. */
static long drop(struct sock_packet *p, const struct sock_packet_member *want)
{
	struct sock_packet_member **at = find(p, want);

	if (*at && --(*at)->n == 0)
		unlink_one(p, at);
	return 0;
}

void sock__packet_leave_all(struct sock_packet *p)
{
	while (p->member)
		unlink_one(p, &p->member);
}

static long set_member(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);
	struct sock_packet_member want = {0};
	struct packet_mreq mr;

	if (a->len < (int)sizeof(mr))
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(&mr, a->op->cvalue, sizeof(mr));
	if ((size_t)a->len < offsetof(struct packet_mreq, mr_address) + mr.mr_alen)
		return -EINVAL;
	want.iface = (uint16_t)mr.mr_ifindex;
	want.type = mr.mr_type;
	want.alen = mr.mr_alen;
	if (mr.mr_alen <= sizeof(want.addr)) /* a longer one is refused */
		memcpy(want.addr, mr.mr_address, mr.mr_alen);
	if (a->def->name == PACKET_ADD_MEMBERSHIP)
		return add(p, mr.mr_ifindex, &want);
	return mr.mr_alen <= sizeof(want.addr) ? drop(p, &want) : 0;
}

/* ---- the others ---- */

static long set_auxdata(struct sock_optarg *a)
{
	sock__packet(a->f)->auxdata = a->v;
	return 0;
}

static long get_auxdata(struct sock_optarg *a)
{
	a->v = sock__packet(a->f)->auxdata;
	return 0;
}

static long set_origdev(struct sock_optarg *a)
{
	sock__packet(a->f)->origdev = a->v;
	return 0;
}

static long get_origdev(struct sock_optarg *a)
{
	a->v = sock__packet(a->f)->origdev;
	return 0;
}

static long set_ignore_outgoing(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);

	if (a->len != sizeof(int))
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(&a->v, a->op->cvalue, sizeof(a->v));
	if (a->v < 0 || a->v > 1)
		return -EINVAL;
	if (p->no_out == a->v)
		return 0;
	p->no_out = a->v;
	sock__packet_drops(p); /* the tap that goes has counted some */
	return sock__packet_rehook(p);
}

static long get_ignore_outgoing(struct sock_optarg *a)
{
	a->v = sock__packet(a->f)->no_out;
	return 0;
}

/* There is no queue to go past, but nobody sees what goes so. */
static long set_qdisc_bypass(struct sock_optarg *a)
{
	if (a->len != sizeof(int))
		return -EINVAL;
	if (!a->op->cvalue)
		return -EFAULT;
	memcpy(&a->v, a->op->cvalue, sizeof(a->v));
	sock__packet(a->f)->quiet = a->v;
	return 0;
}

static long get_qdisc_bypass(struct sock_optarg *a)
{
	a->v = sock__packet(a->f)->quiet;
	return 0;
}

/* They begin anew when they are read. */
static long get_statistics(struct sock_optarg *a)
{
	struct sock_packet *p = sock__packet(a->f);
	uint32_t drops = sock__packet_drops(p);
	struct tpacket_stats st = {
		.tp_packets = p->got + drops - p->told, .tp_drops = drops - p->told};

	p->got = 0;
	p->told = drops;
	return sock__opt_put(a, &st, sizeof(st));
}

static const struct sock_optdef defs[] = {
	{PACKET_ADD_MEMBERSHIP, SOCK_OPT_BYTES, .set = set_member},
	{PACKET_DROP_MEMBERSHIP, SOCK_OPT_BYTES, .set = set_member},
	{PACKET_STATISTICS, SOCK_OPT_BYTES, .set = sock__opt_none, .get = get_statistics},
	{PACKET_AUXDATA, SOCK_OPT_INT, .set = set_auxdata, .get = get_auxdata},
	{PACKET_ORIGDEV, SOCK_OPT_INT, .set = set_origdev, .get = get_origdev},
	{PACKET_IGNORE_OUTGOING, SOCK_OPT_BYTES, .set = set_ignore_outgoing,
		.get = get_ignore_outgoing},
	{PACKET_QDISC_BYPASS, SOCK_OPT_BYTES, .set = set_qdisc_bypass, .get = get_qdisc_bypass},
};

const struct sock_optlevel sock__level_packet = {
	.level = SOL_PACKET,
	.def = defs,
	.n = PLX_DIM(defs),
	.load = sock__opt_load,
	.store = sock__opt_store,
};
