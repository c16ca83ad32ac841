/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/epoll.h>

#include <rte_epoll.h>
#include <rte_interrupts.h>

#define RETA_GROUPS 16 /* of 64 entries: as many as a struct plx_reta holds */

static uint16_t id(const struct plx_port *p)
{
	return ((const struct ethdev *)p->priv)->port_id;
}

/* One word for "cannot". */
static int err_of(int err)
{
	return err == -ENOTSUP || err == -ENOSYS ? -EOPNOTSUPP : err;
}

int ethdev__set_rx_mode(struct plx_port *p, bool promisc, bool allmulti)
{
	int err = promisc ? rte_eth_promiscuous_enable(id(p)) : rte_eth_promiscuous_disable(id(p));

	if (err)
		return err_of(err);
	return err_of(allmulti ? rte_eth_allmulticast_enable(id(p))
			       : rte_eth_allmulticast_disable(id(p)));
}

int ethdev__set_mcast(struct plx_port *p, const struct plx_mac *mac, uint32_t n)
{
	struct rte_ether_addr list[PLX_PORT_MCAST_MAX];

	for (uint32_t i = 0; i < n; i++)
		memcpy(list[i].addr_bytes, mac[i].b, sizeof(mac[i].b));
	return err_of(rte_eth_dev_set_mc_addr_list(id(p), list, n));
}

int ethdev__set_mac(struct plx_port *p, const struct plx_mac *mac)
{
	struct rte_ether_addr a;

	if (p->quirks & PLX_QUIRK_SAME_MAC) /* it would be the kernel's; all frames come anyway */
		return 0;
	memcpy(a.addr_bytes, mac->b, sizeof(mac->b));
	return err_of(rte_eth_dev_default_mac_addr_set(id(p), &a));
}

int ethdev__set_mtu(struct plx_port *p, uint16_t mtu)
{
	if (p->quirks & PLX_QUIRK_MTU_ROOM && mtu > 1500)
		return -EINVAL;
	return err_of(rte_eth_dev_set_mtu(id(p), mtu));
}

int ethdev__set_link(struct plx_port *p, bool up)
{
	return err_of(up ? rte_eth_dev_set_link_up(id(p)) : rte_eth_dev_set_link_down(id(p)));
}

/*
 * A TAP's link is asked for by name. When its kernel side has been moved to another network
 * namespace there is nobody of that name here, and the driver says "down" for ever: then it isn't
 * known.
 */
static bool moved_away(const struct ethdev *d)
{
	char name[IF_NAMESIZE];

	return d->info.if_index && !if_indextoname(d->info.if_index, name);
}

void ethdev__link(struct plx_port *p, struct plx_link *link)
{
	struct rte_eth_link l = {0};

	if (rte_eth_link_get_nowait(id(p), &l) != 0)
		return;
	*link = (struct plx_link){
		.up = l.link_status == RTE_ETH_LINK_UP || moved_away(p->priv),
		.mbps = l.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : l.link_speed,
		.full_duplex = l.link_duplex == RTE_ETH_LINK_FULL_DUPLEX,
	};
}

void ethdev__stats(struct plx_port *p, struct plx_port_stats *s)
{
	struct rte_eth_stats d;

	if (rte_eth_stats_get(id(p), &d) != 0)
		return;
	s->rx_bytes += d.ibytes;
	s->tx_bytes += d.obytes;
	s->rx_errors += d.ierrors;
	if (!(p->quirks & PLX_QUIRK_REFUSAL_ERRS))
		s->tx_errors += d.oerrors;
	s->rx_missed_errors += d.imissed;
	s->rx_dropped += d.imissed + d.rx_nombuf;
}

int ethdev__xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max)
{
	struct rte_eth_xstat_name n[256];
	struct rte_eth_xstat v[256];
	int count = rte_eth_xstats_get_names(id(p), n, PLX_DIM(n));

	if (count < 0 || count > (int)PLX_DIM(n) ||
		rte_eth_xstats_get(id(p), v, (unsigned int)count) != count)
		return 0;
	for (int i = 0; i < count && i < max; i++) {
		snprintf(names[i], sizeof(names[i]), "%.63s", n[v[i].id].name);
		values[i] = v[i].value;
	}
	return count;
}

/* In DPDK's words; what is not among ours stays as it was configured. */
static uint64_t hash_types(const struct plx_port *p, uint32_t types)
{
	const struct rte_eth_dev_info *info = &((const struct ethdev *)p->priv)->info;

	return (info->flow_type_rss_offloads & ETHDEV_RSS_TYPES & ~(uint64_t)PLX_RSS_ALL) | types;
}

int ethdev__rss_types(struct plx_port *p, uint32_t types)
{
	struct rte_eth_rss_conf rss = {.rss_hf = hash_types(p, types)}; /* the key stays */
	int err = rte_eth_dev_rss_hash_update(id(p), &rss);

	if (err)
		return err_of(err);
	rss = (struct rte_eth_rss_conf){0};
	err = rte_eth_dev_rss_hash_conf_get(id(p), &rss);
	if (err)
		return err_of(err);
	return (rss.rss_hf & PLX_RSS_ALL) == types ? 0 : -EIO;
}

static int set_key(struct plx_port *p, const uint8_t *key, uint16_t key_bytes)
{
	uint8_t copy[64];
	struct rte_eth_rss_conf rss = {
		.rss_key = copy,
		.rss_key_len = (uint8_t)key_bytes,
		.rss_hf = hash_types(p, plx_port_rss_types(p)),
	};

	if (key_bytes > sizeof(copy) || key_bytes != p->caps.key_bytes)
		return -EINVAL;
	memcpy(copy, key, key_bytes);
	return rte_eth_dev_rss_hash_update(id(p), &rss);
}

static int set_reta(struct plx_port *p, const struct plx_reta *reta)
{
	struct rte_eth_rss_reta_entry64 t[RETA_GROUPS];

	if (reta->size != p->caps.reta_size || reta->size > RETA_GROUPS * RTE_ETH_RETA_GROUP_SIZE)
		return -EINVAL;
	memset(t, 0, sizeof(t));
	for (unsigned int i = 0; i < reta->size; i++) {
		struct rte_eth_rss_reta_entry64 *g = &t[i / RTE_ETH_RETA_GROUP_SIZE];

		g->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		g->reta[i % RTE_ETH_RETA_GROUP_SIZE] = reta->q[i];
	}
	return rte_eth_dev_rss_reta_update(id(p), t, reta->size);
}

int ethdev__rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t key_bytes, const struct plx_reta *reta)
{
	int err = 0;

	if (!(p->features & PLX_PORT_F_RSS))
		return -EOPNOTSUPP;
	if (key)
		err = set_key(p, key, key_bytes);
	if (!err && reta)
		err = set_reta(p, reta);
	return err_of(err);
}

static int get_reta(struct plx_port *p, struct plx_reta *reta)
{
	struct rte_eth_rss_reta_entry64 t[RETA_GROUPS];
	int err;

	if (p->caps.reta_size > RETA_GROUPS * RTE_ETH_RETA_GROUP_SIZE)
		return -EOPNOTSUPP;
	memset(t, 0, sizeof(t));
	for (unsigned int i = 0; i < RETA_GROUPS; i++)
		t[i].mask = UINT64_MAX;
	err = rte_eth_dev_rss_reta_query(id(p), t, p->caps.reta_size);
	reta->size = p->caps.reta_size;
	for (unsigned int i = 0; i < reta->size; i++)
		reta->q[i] = t[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
	return err;
}

int ethdev__rss_get(struct plx_port *p, uint8_t *key, uint16_t *key_bytes, struct plx_reta *reta)
{
	int err = 0;

	if (!(p->features & PLX_PORT_F_RSS))
		return -EOPNOTSUPP;
	if (key) {
		/* some drivers fill in as many bytes as they have, and leave the length */
		uint16_t bytes = PLX_MIN(*key_bytes, p->caps.key_bytes);
		struct rte_eth_rss_conf rss = {.rss_key = key, .rss_key_len = (uint8_t)bytes};

		err = rte_eth_dev_rss_hash_conf_get(id(p), &rss);
		*key_bytes = rss.rss_key_len;
	}
	if (!err && reta)
		err = get_reta(p, reta);
	return err_of(err);
}

/*
 * Where nothing has to be armed, the descriptor is that of the packets. It is watched by level: an
 * edge may pass while the driver, which waits for a signal of its own, sees no packet yet.
 */
static int watch_fd(struct plx_rxq *q, int epfd, bool add)
{
	struct epoll_event ev = {.events = EPOLLIN}; /* data.ptr NULL: no record of rte_epoll's */
	int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(q->dev_id, q->id);

	if (fd < 0)
		return -EOPNOTSUPP;
	return epoll_ctl(epfd, add ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &ev) == 0 ? 0 : -errno;
}

int ethdev__rx_intr(struct plx_rxq *q, int epfd, bool add)
{
	if (!((const struct ethdev *)q->port->priv)->intr)
		return -EOPNOTSUPP;
	if (q->port->quirks & PLX_QUIRK_INTR_SILENT)
		return watch_fd(q, epfd, add);
	return err_of(rte_eth_dev_rx_intr_ctl_q(
		q->dev_id, q->id, epfd, add ? RTE_INTR_EVENT_ADD : RTE_INTR_EVENT_DEL, q));
}

int ethdev__rx_intr_arm(struct plx_rxq *q, bool arm)
{
	int err = arm ? rte_eth_dev_rx_intr_enable(q->dev_id, q->id)
		      : rte_eth_dev_rx_intr_disable(q->dev_id, q->id);

	return q->port->quirks & PLX_QUIRK_INTR_SILENT ? 0 : err_of(err);
}
