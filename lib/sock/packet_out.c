/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <linux/if_ether.h>

#include "dgram.h"

/* Frames on their way out (Linux's packet_snd()). */

#define TAG_BYTES 4

struct dest {
	struct plx_net_if ifc;
	bool eth;
	uint16_t proto;
	const uint8_t *addr; /* of the neighbour; NULL: none is named */
};

static int named(const struct sock_packet *p, const struct msghdr *m, struct sockaddr_ll *ll,
	struct dest *to)
{
	const size_t fixed = offsetof(struct sockaddr_ll, sll_addr);

	if (m->msg_namelen < sizeof(*ll))
		return -EINVAL;
	memcpy(ll, m->msg_name, sizeof(*ll));
	if (m->msg_namelen < fixed + ll->sll_halen)
		return -EINVAL;
	to->proto = ntohs(ll->sll_protocol);
	to->addr = ll->sll_addr;
	if (ll->sll_ifindex <= 0 || ll->sll_ifindex > UINT16_MAX ||
		sock__packet_if(p, (uint16_t)ll->sll_ifindex, &to->ifc, &to->eth) != 0)
		return -ENXIO;
	return 0;
}

static int dest_of(const struct sock_packet *p, const struct msghdr *m, struct sockaddr_ll *ll,
	struct dest *to)
{
	int err = 0;

	if (m->msg_name && m->msg_namelen)
		err = named(p, m, ll, to);
	else if (sock__packet_if(p, p->iface, &to->ifc, &to->eth) != 0)
		err = -ENXIO;
	else
		*to = (struct dest){.ifc = to->ifc, .eth = to->eth, .proto = p->proto};
	return err ? err : to->ifc.up ? 0 : -ENETDOWN;
}

/* A tag of one's own may make it longer (packet_extra_vlan_len_allowed()). */
static int check_len(const struct dest *to, const struct rte_mbuf *m)
{
	uint32_t most = to->ifc.mtu + (to->eth ? PLX_ETH_BYTES : 0u);
	const uint8_t *type = rte_pktmbuf_mtod_offset(m, const uint8_t *, 12);

	if (!m->pkt_len || (to->eth && m->pkt_len < PLX_ETH_BYTES))
		return -EINVAL;
	if (m->pkt_len > most && !(to->eth && plx_get_be16(type) == ETH_P_8021Q))
		return -EMSGSIZE;
	return 0;
}

/* eth_header() */
static int put_header(const struct dest *to, struct rte_mbuf *m)
{
	struct plx_eth eth = {.src = to->ifc.mac, .type = to->proto};

	if (!to->eth)
		return 0;
	if (!to->addr)
		return -EINVAL;
	memcpy(&eth.dst, to->addr, sizeof(eth.dst));
	if (to->proto == ETH_P_802_3 || to->proto == ETH_P_802_2)
		eth.type = (uint16_t)m->pkt_len;
	plx_wire_eth_emit(rte_pktmbuf_prepend(m, PLX_ETH_BYTES), &eth);
	return 0;
}

static int fill(struct sock_packet *p, const struct sock_op *op, size_t len, const struct dest *to,
	struct rte_mbuf **m)
{
	int err = 0;

	*m = sock__dgram_fill(p->sl, NULL, op->send, 0, len);
	if (!*m)
		return -ENOBUFS;
	if (p->cooked)
		err = put_header(to, *m);
	if (!err)
		err = check_len(to, *m);
	if (err)
		rte_pktmbuf_free(*m);
	return err;
}

long sock__packet_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_packet *p = (struct sock_packet *)f;
	size_t len = sock__iov_bytes(op->send);
	struct sock_cmsg_tx tx;
	struct sockaddr_ll ll;
	struct rte_mbuf *m;
	struct dest to;
	int err;

	op->block = false;
	err = dest_of(p, op->send, &ll, &to);
	if (!err)
		err = sock__cmsg_get(f, op->send, false, &tx);
	if (err)
		return err;
	if (len > to.ifc.mtu + (p->cooked || !to.eth ? 0u : PLX_ETH_BYTES) + TAG_BYTES)
		return -EMSGSIZE;
	if (sock__iov_bad(op->send))
		return -EFAULT;
	err = fill(p, op, len, &to, &m);
	if (err)
		return err;
	err = plx_net_frame_send(sl->sn, m, to.ifc.index, p->tap ? &p->tap->t : NULL, p->quiet);
	return err ? err : (long)len;
}
