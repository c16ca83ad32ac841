/* SPDX-License-Identifier: BSD-3-Clause */
#include "feature.h"

#include <errno.h>
#include <stdio.h>

/*
 * What a port does for us, and what we do for it: netdev's features, wanted_features, hw_features
 * (switchable) and netdev_fix_features().
 */

#define SOFT_ON ((uint32_t)(PLX_PORT_F_GSO | PLX_PORT_F_GRO))
#define TX_SWITCHES                                                                                \
	((uint32_t)(PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4 | PLX_PORT_F_SG |               \
		    PLX_PORT_F_TSO | PLX_PORT_F_USO))
#define RX_SWITCHES ((uint32_t)(PLX_PORT_F_RX_CSUM | PLX_PORT_F_LRO))
#define UNREAD	    ((uint32_t)(PLX_PORT_F_RX_HASH | PLX_PORT_F_NTUPLE)) /* off: not used */

const struct plx_port_feature_info plx_port_feature_info[PLX_PORT_FBIT_MAX] = {
#define X(id, name, text) [PLX_PORT_FBIT_##id] = {name, text},
	PLX_PORT_FEATURES(X)
#undef X
};

static const struct plx_port_feature_group groups[] = {
#define X(name, abbr, kernel, set) {name, abbr, kernel, set},
	PLX_PORT_FEATURE_GROUPS(X)
#undef X
};

static const struct {
	uint32_t features, need;
} needs[] = {
	/* super-segments are chains, and have no checksum */
	{PLX_PORT_F_TSO | PLX_PORT_F_USO, PLX_PORT_F_SG | PLX_PORT_F_TX_CSUM_L4},
	{PLX_PORT_F_GSO, PLX_PORT_F_SG},
	{PLX_PORT_F_LRO, PLX_PORT_F_RX_CSUM},
};

uint32_t plx_port_features_fix(uint32_t features)
{
	for (size_t i = 0; i < PLX_DIM(needs); i++)
		if ((features & needs[i].need) != needs[i].need)
			features &= ~needs[i].features;
	return features;
}

/* ---- names ---- */

const struct plx_port_feature_group *plx_port_feature_group(enum plx_port_feature_bit bit)
{
	for (size_t i = 0; i < PLX_DIM(groups); i++)
		if (groups[i].features & 1u << bit)
			return &groups[i];
	return NULL;
}

enum plx_port_feature_bit plx_port_feature_nth(unsigned int i)
{
	uint32_t grouped = 0;

	for (size_t g = 0; g < PLX_DIM(groups); g++) {
		for (uint32_t left = groups[g].features; left; left &= left - 1)
			if (i-- == 0)
				return (enum plx_port_feature_bit)__builtin_ctz(left);
		grouped |= groups[g].features;
	}
	for (unsigned int bit = 0; bit < PLX_PORT_FBIT_MAX; bit++)
		if (!(grouped & 1u << bit) && i-- == 0)
			return (enum plx_port_feature_bit)bit;
	return PLX_PORT_FBIT_MAX;
}

uint32_t plx_port_features_named(const char *word)
{
	for (unsigned int i = 0; *word && i < PLX_PORT_FBIT_MAX; i++)
		if (strcmp(word, plx_port_feature_info[i].name) == 0)
			return 1u << i;
	for (size_t i = 0; *word && i < PLX_DIM(groups); i++)
		if (strcmp(word, groups[i].name) == 0 || strcmp(word, groups[i].abbr) == 0 ||
			strcmp(word, groups[i].kernel) == 0)
			return groups[i].features;
	return 0;
}

/** A word of "tso=off gro=on". */
struct setting {
	char name[64];
	uint32_t features;
	bool on;
};

/* @return what follows, or NULL at the end; *err and why: it is wrong. */
static const char *next_setting(
	struct setting *s, const char *text, int *err, char *why, size_t size)
{
	size_t len, name;

	text += strspn(text, " ");
	len = strcspn(text, " ");
	name = PLX_MIN(strcspn(text, "= "), sizeof(s->name) - 1);
	if (len == 0)
		return NULL;
	snprintf(s->name, sizeof(s->name), "%.*s", (int)name, text);
	s->features = plx_port_features_named(s->name);
	s->on = len == name + 3 && memcmp(text + name, "=on", 3) == 0;
	if (!s->features) {
		snprintf(why, size, "no feature '%s'", s->name);
		*err = -EOPNOTSUPP;
	} else if (!s->on && (len != name + 4 || memcmp(text + name, "=off", 4) != 0)) {
		snprintf(why, size, "'%s' is neither =on nor =off", s->name);
		*err = -EINVAL;
	}
	return text + len;
}

int plx_port_features_read(
	const struct plx_port *p, const char *text, uint32_t *wanted, char *why, size_t size)
{
	uint32_t all = *wanted;
	struct setting s;
	int err = 0;

	while ((text = next_setting(&s, text, &err, why, size))) {
		uint32_t differ = (s.on ? ~p->features : p->features) & s.features;

		if (err)
			return err;
		if (differ && !(s.features & p->switchable)) {
			snprintf(why, size,
				"Could not change any device features: %s is %s "
				"[fixed]",
				s.name, s.on ? "off" : "on");
			return -EOPNOTSUPP;
		}
		all = s.on ? all | s.features : all & ~s.features;
	}
	*wanted = all;
	return 0;
}

/* ---- what follows from them for the queues ---- */

/* There may be packets that not every port can send as they are. */
static bool odd_forms;

static uint64_t cut_flags(const struct plx_port *p, uint32_t features)
{
	uint64_t cut = 0;

	if (!(features & PLX_PORT_F_TSO) || p->cut_here)
		cut |= RTE_MBUF_F_TX_TCP_SEG;
	if (!(features & PLX_PORT_F_USO) || p->cut_here)
		cut |= RTE_MBUF_F_TX_UDP_SEG;
	return cut;
}

uint16_t port__max_segs(const struct plx_port *p, uint32_t features)
{
	if (!(features & PLX_PORT_F_SG))
		return 1;
	return p->caps.max_segs ? p->caps.max_segs : UINT16_MAX;
}

/* May a packet that is forwarded as it came be of more mbufs? */
static bool has_longer(const struct plx_txq *q, uint16_t max_segs)
{
	uint32_t room;

	if (max_segs == UINT16_MAX || !q->pool)
		return false;
	room = rte_pktmbuf_data_room_size(q->pool) - RTE_PKTMBUF_HEADROOM;
	return room * max_segs < q->port->mtu;
}

static void store_flags(struct plx_txq *q, uint64_t cut)
{
	uint64_t fix = plx_pkt_partial_flag | RTE_MBUF_F_RX_LRO | cut;

	if (q->port->ops->features_check) /* which is asked of each */
		fix |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG;
	__atomic_store_n(&q->cut_flags, cut, __ATOMIC_RELEASE);
	__atomic_store_n(&q->fix_flags, fix, __ATOMIC_RELEASE);
}

/*
 * Its lcore reads word by word. A super-segment must not be found to be a chain that nobody cuts:
 * it is to be cut before chains are not taken any more, and until they are again.
 */
static void set_queue(struct plx_txq *q, uint32_t features)
{
	uint64_t cut = cut_flags(q->port, features);
	uint16_t max_segs = port__max_segs(q->port, features);
	bool looks = max_segs == 1 || q->max_bytes || odd_forms || has_longer(q, max_segs);

	store_flags(q, q->cut_flags | cut);
	__atomic_store_n(&q->looks, looks, __ATOMIC_RELEASE);
	__atomic_store_n(&q->max_segs, max_segs, __ATOMIC_RELEASE);
	store_flags(q, cut);
}

static void set_queues(struct plx_port *p)
{
	for (uint16_t i = 0; i < p->n_txq; i++)
		set_queue(p->txq[i], p->features);
}

void plx_port_odd_forms(void)
{
	if (odd_forms)
		return;
	odd_forms = true;
	for (uint16_t i = 0; i < plx_port_count(); i++)
		set_queues(plx_port_get(i));
}

static void use(struct plx_port *p, uint32_t features)
{
	if (features & PLX_PORT_F_LRO)
		plx_port_odd_forms();
	__atomic_store_n(&p->features, features, __ATOMIC_RELAXED);
	set_queues(p);
}

void plx_port_cut_here(struct plx_port *p, bool yes)
{
	p->cut_here = yes;
	set_queues(p);
}

/* ---- life ---- */

void port__features_begin(struct plx_port *p, uint32_t off)
{
	p->wanted = (p->caps.features | SOFT_ON) & ~off;
	p->features = plx_port_features_fix(p->wanted);
	p->switchable = 0;
}

void port__features_mtu(struct plx_port *p)
{
	set_queues(p);
}

void port__features_opened(struct plx_port *p)
{
	uint32_t told = p->caps.features & (TX_SWITCHES | RX_SWITCHES);

	p->wanted &= p->caps.features | PLX_PORT_F_SOFT;
	p->switchable = PLX_PORT_F_SOFT | (p->features & UNREAD) |
			(p->ops->set_features ? told : p->features & TX_SWITCHES);
	if (p->quirks & PLX_QUIRK_PARTIAL)
		plx_port_odd_forms();
	use(p, p->features);
}

int plx_port_set_features(struct plx_port *p, uint32_t wanted)
{
	uint32_t was = p->features, now;
	int err = 0;

	if (!p->open)
		return -ENETDOWN;
	wanted = (p->wanted & ~p->switchable) | (wanted & p->switchable);
	now = plx_port_features_fix(wanted) & (p->switchable | was);
	if (now & PLX_PORT_F_LRO)
		plx_port_odd_forms();
	use(p, was & now);
	if (p->ops->set_features && now != was)
		err = p->ops->set_features(p, now);
	if (err) {
		use(p, was);
		return err;
	}
	__atomic_store_n(&p->wanted, wanted, __ATOMIC_RELAXED);
	use(p, now);
	return 0;
}
