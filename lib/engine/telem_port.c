/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>

#define XSTATS_MAX   1024
#define XSTATS_CHUNK 64 /* in a row: 64 names of 63 bytes and their values fit into a page */

static struct plx_port *at(uint64_t cursor)
{
	return cursor < plx_port_count() ? plx_port_get((uint16_t)cursor) : NULL;
}

static void add_lists(struct plx_telem_row *r, const struct plx_port *p)
{
	const char *features[PLX_PORT_FBIT_MAX], *quirks[32];
	uint32_t in_use = plx_port_features(p);
	const struct plx_quirk *quirk;
	unsigned int n = 0, i = 0;

	for (unsigned int f = 0; f < PLX_PORT_FBIT_MAX; f++)
		if (in_use & 1u << f)
			features[n++] = plx_port_feature_info[f].name;
	plx_telem_row_strs(r, "features", features, n);
	n = 0;
	while (n < PLX_DIM(quirks) && (quirk = plx_quirk_next(p->caps.driver, &i)))
		if (p->quirks & quirk->flags) /* this device has it */
			quirks[n++] = quirk->text;
	plx_telem_row_strs(r, "quirks", quirks, n);
}

enum plx_telem_more engine__port_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_port *p = at(*cursor);
	uint64_t lcores[PLX_PORT_QUEUES_MAX];
	const char *steer_why;
	struct plx_link link;
	char mac[PLX_MAC_STRLEN];

	if (!p)
		return PLX_TELEM_END;
	++*cursor;
	steer_why = plx_port_steer_why(p);
	plx_port_link(p, &link);
	plx_telem_row_u64(r, "port", p->id);
	plx_telem_row_str(r, "name", p->name);
	plx_telem_row_str(r, "driver", p->caps.driver);
	plx_telem_row_str(r, "mac", plx_mac_format(&p->mac, mac));
	plx_telem_row_u64(r, "mtu", p->mtu);
	plx_telem_row_str(r, "link",
		!(plx_port_features(p) & PLX_PORT_F_LINK) ? "unknown"
		: link.up				  ? "up"
							  : "down");
	plx_telem_row_u64(r, "mbps", link.mbps);
	plx_telem_row_u64(r, "queues", p->n_rxq);
	plx_telem_row_u64(r, "max_queues", plx_port_max_queues(p));
	for (uint16_t i = 0; i < p->n_rxq; i++)
		lcores[i] = p->rxq[i]->lcore;
	plx_telem_row_u64s(r, "lcores", lcores, p->n_rxq);
	plx_telem_row_str(r, "software_steering", steer_why ? steer_why : "");
	add_lists(r, p);
	return PLX_TELEM_MORE;
}

/* A cursor is the port in the upper bits, where in ethtool's order in the lower 8. */
enum plx_telem_more engine__features_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const struct plx_port *p = at(*cursor >> 8);
	enum plx_port_feature_bit bit = plx_port_feature_nth(*cursor & 0xff);
	const struct plx_port_feature_group *g;

	if (!p)
		return PLX_TELEM_END;
	if (bit == PLX_PORT_FBIT_MAX) {
		*cursor = ((*cursor >> 8) + 1) << 8;
		return PLX_TELEM_MORE;
	}
	++*cursor;
	g = plx_port_feature_group(bit);
	plx_telem_row_str(r, "ifname", p->name);
	plx_telem_row_u64(r, "port", p->id);
	plx_telem_row_str(r, "name", plx_port_feature_info[bit].name);
	plx_telem_row_str(r, "group", g ? g->name : "");
	plx_telem_row_str(r, "abbr", g ? g->abbr : "");
	plx_telem_row_str(r, "kernel", g ? g->kernel : "");
	plx_telem_row_u64(r, "active", plx_port_features(p) >> bit & 1);
	plx_telem_row_u64(r, "requested", __atomic_load_n(&p->wanted, __ATOMIC_RELAXED) >> bit & 1);
	plx_telem_row_u64(r, "fixed", !(p->switchable >> bit & 1));
	return PLX_TELEM_MORE;
}

/* Where the upper layer looks at MACs; without one nobody knows. */
static void add_mcast(
	struct plx_telem_row *r, const struct plx_port *p, const struct plx_engine *eng)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < eng->n; i++)
		sum += __atomic_load_n(&eng->sn[i]->rx_mcast[p->id], __ATOMIC_RELAXED);
	if (eng->conf.ops->counts_mcast)
		plx_telem_row_u64(r, "multicast", sum);
}

static void add_stats(struct plx_telem_row *r, struct plx_port *p)
{
	struct plx_port_stats s;

	plx_port_stats(p, &s);
	plx_telem_row_u64(r, "rx_bytes", s.rx_bytes);
	plx_telem_row_u64(r, "rx_packets", s.rx_packets);
	plx_telem_row_u64(r, "rx_errors", s.rx_errors);
	plx_telem_row_u64(r, "rx_dropped", s.rx_dropped);
	plx_telem_row_u64(r, "rx_missed_errors", s.rx_missed_errors);
	plx_telem_row_u64(r, "rx_nohandler", s.rx_nohandler);
	plx_telem_row_u64(r, "tx_bytes", s.tx_bytes);
	plx_telem_row_u64(r, "tx_packets", s.tx_packets);
	plx_telem_row_u64(r, "tx_errors", s.tx_errors);
	plx_telem_row_u64(r, "tx_dropped", s.tx_dropped);
}

enum plx_telem_more engine__dev_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_port *p = at(*cursor);
	struct plx_link link;
	char mac[PLX_MAC_STRLEN];

	if (!p)
		return PLX_TELEM_END;
	++*cursor;
	plx_port_link(p, &link);
	plx_telem_row_u64(r, "ifindex", p->id + 1u); /* Linux counts from 1 */
	plx_telem_row_str(r, "ifname", p->name);
	plx_telem_row_u64(r, "port", p->id);
	plx_telem_row_str(r, "mac", plx_mac_format(&p->mac, mac));
	plx_telem_row_u64(r, "mtu", p->mtu);
	plx_telem_row_u64(r, "up", p->admin_up);
	plx_telem_row_u64(r, "running", link.up);
	plx_telem_row_u64(r, "promisc", p->promisc);
	plx_telem_row_u64(r, "allmulti", p->allmulti);
	plx_telem_row_u64(r, "noarp", !!(plx_port_features(p) & PLX_PORT_F_NO_ETH));
	plx_telem_row_u64(r, "qlen", p->n_txq ? p->txq[0]->limit : 0);
	add_stats(r, p);
	add_mcast(r, p, arg);
	return PLX_TELEM_MORE;
}

/* A cursor is the port in the upper bits, where in its list in the lower 16. */
enum plx_telem_more engine__xstats_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	char names[XSTATS_MAX][64];
	uint64_t values[XSTATS_MAX];
	const char *list[XSTATS_CHUNK];
	struct plx_port *p = at(*cursor >> 16);
	unsigned int from = *cursor & 0xffff, n = 0;
	int total;

	if (!p)
		return PLX_TELEM_END;
	total = plx_port_xstats(p, names, values, XSTATS_MAX);
	while (n < XSTATS_CHUNK && (int)(from + n) < total) {
		list[n] = names[from + n];
		n++;
	}
	if (n == 0) {
		*cursor = ((*cursor >> 16) + 1) << 16;
		return PLX_TELEM_MORE;
	}
	plx_telem_row_str(r, "ifname", p->name);
	plx_telem_row_strs(r, "names", list, n);
	plx_telem_row_u64s(r, "values", values + from, n);
	*cursor += n;
	return PLX_TELEM_MORE;
}

/* What the command asks of a port, step by step; the first that fails ends it. */
static int change(struct plx_port *p, const struct plx_telem_args *args, const char **step)
{
	const char *address = plx_telem_args_str(args, "address");
	int64_t mtu = plx_telem_args_int(args, "mtu", -1), up = plx_telem_args_int(args, "up", -1);
	struct plx_mac mac;
	int err = 0;

	*step = "address";
	if (address)
		err = plx_mac_parse(&mac, address) ? -EINVAL : plx_port_set_mac(p, &mac);
	if (err)
		return err;
	*step = "mtu";
	if (mtu != -1)
		err = mtu < 0 || mtu > UINT16_MAX ? -EINVAL : plx_port_set_mtu(p, (uint16_t)mtu);
	if (err)
		return err;
	*step = "up";
	if (up != -1)
		err = up != 0 && up != 1 ? -EINVAL : plx_port_set_link(p, up);
	return err;
}

int engine__link_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const char *dev = plx_telem_args_str(args, "dev"), *step;
	struct plx_port *p = plx_port_find(dev);
	int err;

	if (!p)
		return plx_telem_reply_error(reply, -ENODEV, "no device '%s'", dev);
	err = change(p, args, &step);
	if (err)
		plx_telem_reply_error(reply, err, "%s: %s: %s", dev, step, strerror(-err));
	return err;
}

int plx_engine_feature_request(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	int (*set)(void *arg, struct plx_port *p, uint32_t wanted), void *arg)
{
	const char *dev = plx_telem_args_str(args, "dev");
	struct plx_port *p = plx_port_find(dev);
	uint32_t wanted;
	char why[128];
	int err;

	if (!p)
		return plx_telem_reply_error(reply, -ENODEV, "no device '%s'", dev);
	wanted = p->wanted;
	err = plx_port_features_read(
		p, plx_telem_args_str(args, "features"), &wanted, why, sizeof(why));
	if (err)
		return plx_telem_reply_error(reply, err, "%s: %s", p->name, why);
	err = set(arg, p, wanted);
	if (err)
		plx_telem_reply_error(reply, err, "%s: %s", p->name, strerror(-err));
	return err;
}

static int set_features(void *arg, struct plx_port *p, uint32_t wanted)
{
	return plx_port_set_features(p, wanted);
}

int engine__feature_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	return plx_engine_feature_request(args, reply, set_features, arg);
}
