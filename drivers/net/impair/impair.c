/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair.h"

#include <errno.h>
#include <stdio.h>

#include <rte_kvargs.h>
#include <rte_malloc.h>

#define DEFAULT_LIMIT 1000 /* netem's */
#define DEFAULT_DESCS 1024

#define SUPER (PLX_PORT_F_TSO | PLX_PORT_F_USO | PLX_PORT_F_LRO)

static void line_setup(struct impair_line *l, const struct plx_impair_conf *c)
{
	plx_impair_init(&l->model, c); /* checked before */
	l->needs_l4 = false;
	for (unsigned int i = 0; i < c->n_aim; i++)
		l->needs_l4 |= c->aim[i].l4;
}

static void lines_stop(struct impair_port *ip)
{
	impair__line_stop(&ip->line[PLX_NET_IMPAIR_RX]);
	impair__line_stop(&ip->line[PLX_NET_IMPAIR_TX]);
}

static int line_start(
	struct impair_line *l, const struct plx_impair_conf *c, uint16_t queues, int socket)
{
	int err = 0;

	l->held = 0;
	l->cap = c->limit_pkts;
	rte_spinlock_init(&l->lock);
	line_setup(l, c);
	for (uint16_t q = 0; q < queues && !err; q++)
		err = impair__heap_new(&l->heap[q], l->cap, socket);
	return err;
}

static int open_lower(struct impair_port *ip, const struct plx_port_conf *conf, struct plx_error *e)
{
	struct plx_port_conf c = *conf;
	int err;

	c.rx_intr = false;
	c.tx_limit = 1;		 /* its FIFO stays empty */
	c.features_off |= SUPER; /* a link loses packets, not trains of them */
	err = plx_port_open(ip->lower, &c, e);
	ip->lower->switchable &= ~SUPER; /* nor later */
	return err;
}

static int impair_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	struct impair_port *ip = p->priv;
	int err = line_start(&ip->line[PLX_NET_IMPAIR_RX], &ip->conf[PLX_NET_IMPAIR_RX],
		conf->n_rxq, p->caps.socket);

	if (!err)
		err = line_start(&ip->line[PLX_NET_IMPAIR_TX], &ip->conf[PLX_NET_IMPAIR_TX],
			conf->n_txq, p->caps.socket);
	if (err)
		plx_error_set(e, err, PLX_ERR_PORT_OPEN, p->name, "making its queues", "no memory",
			"raise EAL's -m (MiB), or give a smaller limit=");
	else
		err = open_lower(ip, conf, e);
	if (err) {
		lines_stop(ip);
		return err;
	}
	p->features &= ip->lower->features | ~(uint32_t)PLX_PORT_F_NTUPLE; /* it says so late */
	for (uint16_t i = 0; i < p->n_rxq; i++)
		p->rxq[i]->burst = impair__rx_burst;
	for (uint16_t i = 0; i < p->n_txq; i++)
		p->txq[i]->burst = impair__tx_burst;
	return 0;
}

static void impair_stop(struct plx_port *p)
{
	struct impair_port *ip = p->priv;

	lines_stop(ip);
	plx_port_close(ip->lower);
}

static void impair_fini(struct plx_port *p)
{
	struct impair_port *ip = p->priv;

	plx_port_destroy(ip->lower);
	rte_free(ip);
}

static struct plx_port *lower(const struct plx_port *p)
{
	return ((const struct impair_port *)p->priv)->lower;
}

static int set_rx_mode(struct plx_port *p, bool promisc, bool allmulti)
{
	return plx_port_set_rx_mode(lower(p), promisc, allmulti);
}

static int set_mcast(struct plx_port *p, const struct plx_mac *mac, uint32_t n)
{
	return plx_port_set_mcast(lower(p), mac, n);
}

static int set_mac(struct plx_port *p, const struct plx_mac *mac)
{
	return plx_port_set_mac(lower(p), mac);
}

static int set_mtu(struct plx_port *p, uint16_t mtu)
{
	return plx_port_set_mtu(lower(p), mtu);
}

static int set_link(struct plx_port *p, bool up)
{
	return plx_port_set_link(lower(p), up);
}

static void get_link(struct plx_port *p, struct plx_link *link)
{
	plx_port_link(lower(p), link);
}

static int rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t key_bytes, const struct plx_reta *reta)
{
	struct plx_port *l = lower(p);

	return l->ops->rss_set ? l->ops->rss_set(l, key, key_bytes, reta) : -EOPNOTSUPP;
}

static int rss_get(struct plx_port *p, uint8_t *key, uint16_t *key_bytes, struct plx_reta *reta)
{
	struct plx_port *l = lower(p);

	return l->ops->rss_get ? l->ops->rss_get(l, key, key_bytes, reta) : -EOPNOTSUPP;
}

static int rss_types(struct plx_port *p, uint32_t types)
{
	return plx_port_rss_types_set(lower(p), types);
}

static int ntuple_add(struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule)
{
	return plx_port_ntuple_add(lower(p), flow, queue, rule);
}

static void ntuple_del(struct plx_port *p, void *rule)
{
	plx_port_ntuple_del(lower(p), rule);
}

static void tx_timeout(struct plx_txq *q)
{
	struct plx_port *l = lower(q->port);

	impair__give_up(q->port->priv, q->id);
	if (l->ops->tx_timeout)
		l->ops->tx_timeout(l->txq[q->id]);
}

static void stats(struct plx_port *p, struct plx_port_stats *s)
{
	const struct impair_port *ip = p->priv;
	struct plx_impair_stats rx, tx;
	struct plx_port_stats l;
	uint64_t lost;

	plx_port_stats(lower(p), &l);
	plx_net_impair_stats(p, PLX_NET_IMPAIR_RX, &rx);
	plx_net_impair_stats(p, PLX_NET_IMPAIR_TX, &tx);
	lost = tx.lost + tx.queue_full + plx_count_read(ip->line[PLX_NET_IMPAIR_TX].given_up);
	l.rx_packets = s->rx_packets;
	l.tx_packets = s->tx_packets - PLX_MIN(s->tx_packets, lost);
	l.rx_dropped += rx.lost + rx.queue_full;
	l.tx_dropped += s->tx_dropped + lost;
	*s = l;
}

static int xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max)
{
	static const char *const dirs[] = {"rx", "tx"};
	static const char *const fields[] = {
		"seen", "lost", "queue_full", "duplicated", "corrupted", "reordered"};
	int count = 0;

	for (int d = 0; d < 2; d++) {
		struct plx_impair_stats s;

		plx_net_impair_stats(p, (enum plx_net_impair_dir)d, &s);
		const uint64_t v[] = {
			s.seen, s.lost, s.queue_full, s.duplicated, s.corrupted, s.reordered};
		for (size_t i = 0; i < PLX_DIM(fields); i++, count++) {
			if (count >= max)
				continue;
			snprintf(names[count], sizeof(names[count]), "impair_%s_%s", dirs[d],
				fields[i]);
			values[count] = v[i];
		}
	}
	return count;
}

static const struct plx_port_ops ops = {
	.name = "impair",
	.open = impair_open,
	.stop = impair_stop,
	.fini = impair_fini,
	.set_rx_mode = set_rx_mode,
	.set_mcast = set_mcast,
	.set_mac = set_mac,
	.set_mtu = set_mtu,
	.set_link = set_link,
	.link = get_link,
	.stats = stats,
	.xstats = xstats,
	.rss_set = rss_set,
	.rss_get = rss_get,
	.rss_types = rss_types,
	.ntuple_add = ntuple_add,
	.ntuple_del = ntuple_del,
	.tx_timeout = tx_timeout,
};

void plx_net_impair_stats(
	struct plx_port *p, enum plx_net_impair_dir dir, struct plx_impair_stats *s)
{
	struct impair_line *l = &((struct impair_port *)p->priv)->line[dir];

	rte_spinlock_lock(&l->lock);
	*s = l->model.stats;
	rte_spinlock_unlock(&l->lock);
}

static int bad_text(
	const char *name, const char *text, const struct plx_impair_error *at, struct plx_error *e)
{
	char why[256];

	snprintf(why, sizeof(why), "'%.100s', at character %zu: %s", text, at->pos + 1, at->text);
	return plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, name, why);
}

/* text over *c, whole or not at all. */
static int read_conf(
	const char *name, struct plx_impair_conf *c, const char *text, struct plx_error *e)
{
	struct plx_impair_error at;

	return plx_impair_conf_parse(c, text, &at) ? bad_text(name, text, &at, e) : 0;
}

static int check_conf(const char *name, const struct plx_impair_conf *c, struct plx_error *e)
{
	const char *wrong = plx_impair_conf_check(c);

	return wrong ? plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, name, wrong) : 0;
}

int plx_net_impair_set(
	struct plx_port *p, enum plx_net_impair_dir dir, const char *text, struct plx_error *e)
{
	struct impair_port *ip = p->priv;
	struct plx_impair_conf c;
	int err;

	if (p->ops != &ops)
		return -ENODEV;
	c = ip->conf[dir];
	err = read_conf(p->name, &c, text, e);
	if (!err)
		err = check_conf(p->name, &c, e);
	if (err)
		return err;
	ip->conf[dir] = c;
	if (p->open) {
		struct impair_line *l = &ip->line[dir];

		if (c.limit_pkts == 0 || c.limit_pkts > l->cap)
			c.limit_pkts = l->cap;
		rte_spinlock_lock(&l->lock);
		line_setup(l, &c);
		rte_spinlock_unlock(&l->lock);
	}
	return 0;
}

/* What --port says. */
struct spec {
	const char *lower;
	struct plx_impair_conf conf[2];
	bool tx_seed;
};

static int take_key(
	const char *name, struct spec *s, const struct rte_kvargs_pair *kv, struct plx_error *e)
{
	bool rx = strncmp(kv->key, "rx.", 3) == 0, tx = strncmp(kv->key, "tx.", 3) == 0;
	char text[256];
	int err = 0;

	if (strcmp(kv->key, "lower") == 0) {
		s->lower = kv->value;
		return 0;
	}
	snprintf(text, sizeof(text), "%s=%s", kv->key + (rx || tx ? 3 : 0),
		kv->value ? kv->value : "");
	s->tx_seed |= tx && strncmp(text, "seed=", 5) == 0;
	if (!tx)
		err = read_conf(name, &s->conf[PLX_NET_IMPAIR_RX], text, e);
	if (!rx && !err)
		err = read_conf(name, &s->conf[PLX_NET_IMPAIR_TX], text, e);
	return err;
}

/* What the two directions have if nothing was said about it. */
static int finish(const char *name, struct spec *s, struct plx_error *e)
{
	int err = 0;

	if (!s->tx_seed)
		s->conf[PLX_NET_IMPAIR_TX].seed++;
	for (int d = 0; d < 2 && !err; d++) {
		if (s->conf[d].limit_pkts == 0)
			s->conf[d].limit_pkts = DEFAULT_LIMIT;
		err = check_conf(name, &s->conf[d], e);
	}
	return err;
}

static const char *why_not(const struct plx_port *lower_port, const struct spec *s)
{
	if (!s->lower || !*s->lower)
		return "an impair port needs lower=PORT";
	if (!lower_port)
		return "there is no such lower port (yet): give it first";
	if (lower_port->open)
		return "the lower port is in use";
	return NULL;
}

/*
 * As the lower port, but for what we cannot or may not pass on. Its features stay as it was opened
 * with: transmit features of ours may be left unused.
 */
static struct plx_port_caps caps_over(const struct plx_port_caps *lower_caps, uint32_t held)
{
	struct plx_port_caps caps = *lower_caps;
	uint32_t rxd = caps.rxd ? caps.rxd : DEFAULT_DESCS;
	uint32_t txd = caps.txd ? caps.txd : DEFAULT_DESCS;
	uint32_t queues = plx_quirk_max_queues(caps.driver);

	snprintf(caps.driver, sizeof(caps.driver), "impair");
	caps.features &= ~(uint32_t)(PLX_PORT_F_RX_INTR | SUPER);
	caps.max_rxq = (uint16_t)PLX_MIN(caps.max_rxq, queues);
	caps.max_txq = (uint16_t)PLX_MIN(caps.max_txq, queues);
	/* for those who count mbufs: what we hold comes on top */
	caps.rxd = (uint16_t)PLX_MIN(rxd + held, (uint32_t)UINT16_MAX);
	caps.txd = (uint16_t)PLX_MIN(txd + held, (uint32_t)UINT16_MAX);
	return caps;
}

static int make(const char *name, const struct spec *s, struct plx_error *e)
{
	struct plx_port *low = s->lower ? plx_port_find(s->lower) : NULL;
	const char *wrong = why_not(low, s);
	struct plx_port_caps caps;
	struct impair_port *ip;

	if (wrong)
		return plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, name, wrong);
	ip = rte_zmalloc(NULL, sizeof(*ip), RTE_CACHE_LINE_SIZE);
	if (!ip)
		return plx_error_set(e, -ENOMEM, PLX_ERR_PORT_SPEC, name, "no memory");
	ip->lower = low;
	memcpy(ip->conf, s->conf, sizeof(ip->conf));
	ip->line[PLX_NET_IMPAIR_TX].tx = true;
	caps = caps_over(&low->caps, PLX_MAX(s->conf[0].limit_pkts, s->conf[1].limit_pkts));
	ip->port = plx_port_add(name, &ops, ip, &caps, &low->mac, low->mtu);
	if (!ip->port) {
		rte_free(ip);
		return plx_error_set(e, -ENOSPC, PLX_ERR_PORT_SPEC, name, "too many ports");
	}
	ip->port->quirks = low->quirks;
	ip->port->steer_why = low->steer_why;
	plx_port_replace(low, ip->port);
	return 0;
}

static int create(const char *name, const char *args, struct plx_error *e)
{
	struct rte_kvargs *kv = rte_kvargs_parse(args, NULL);
	struct spec s = {0};
	int err = 0;

	if (!kv)
		return plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, name,
			"options are KEY=VALUE, separated by commas");
	for (unsigned int i = 0; !err && i < kv->count; i++)
		err = take_key(name, &s, &kv->pairs[i], e);
	if (!err)
		err = finish(name, &s, e);
	if (!err)
		err = make(name, &s, e);
	rte_kvargs_free(kv);
	return err;
}

static struct plx_port_driver driver = {
	.name = "impair",
	.help = "lower=PORT[,[rx.|tx.]KEY=VALUE...]: loss ge nth drop aim dup corrupt rate burst "
		"queue "
		"limit delay jitter dist order reorder gap seed",
	.create = create,
};

__attribute__((constructor)) static void register_driver(void)
{
	plx_port_driver_register(&driver);
}
