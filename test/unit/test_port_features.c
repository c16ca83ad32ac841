/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_t.h"

#define F(id) ((uint32_t)PLX_PORT_F_##id)
#define DEVICE                                                                                     \
	(F(RX_CSUM) | F(TX_CSUM_IP4) | F(TX_CSUM_L4) | F(SG) | F(TSO) | F(USO) | F(LRO) | F(RSS))
#define SUPER (F(TSO) | F(USO))

static struct t_port tp;
static struct plx_port_ops ops; /* t_port_ops with set_features */
static uint32_t told, in_use;	/* what it was called with, and what was in use then */
static int tell_err, calls;

static int set_features(struct plx_port *p, uint32_t features)
{
	calls++;
	told = features;
	in_use = p->features;
	return tell_err;
}

static struct plx_port *start(uint32_t features, uint32_t off, bool with_op)
{
	struct plx_port_conf conf = {.n_rxq = 1, .n_txq = 2, .features_off = off, .pool = {t_pool}};
	struct plx_error e;

	plx_port_fini_all();
	t_port_add(&tp, 2, features);
	ops = t_port_ops;
	ops.set_features = set_features;
	told = in_use = 0;
	tell_err = calls = 0;
	if (with_op)
		tp.port->ops = &ops;
	eq(plx_port_open(tp.port, &conf, &e), 0);
	return tp.port;
}

static void switch_to(uint32_t on, uint32_t off)
{
	eq(plx_port_set_features(tp.port, (tp.port->wanted | on) & ~off), 0);
}

/* In use of these, and no more. */
static void uses(uint32_t mask, uint32_t features)
{
	eq(tp.port->features & mask, features);
	for (uint16_t i = 0; i < tp.port->n_txq; i++) {
		const struct plx_txq *q = tp.port->txq[i];

		eq(q->max_segs, tp.port->features & F(SG) ? UINT16_MAX : 1);
		ok(q->max_segs > 1 || q->looks);
		eq(!!(q->cut_flags & RTE_MBUF_F_TX_TCP_SEG), !(tp.port->features & F(TSO)));
		eq(!!(q->cut_flags & RTE_MBUF_F_TX_UDP_SEG), !(tp.port->features & F(USO)));
		ok(q->fix_flags & RTE_MBUF_F_RX_LRO);
	}
}

T(what_needs_another_goes_with_it_and_comes_back)
{
	uint32_t all = DEVICE | F(GSO) | F(GRO);

	start(DEVICE, 0, true);
	uses(all, all);
	switch_to(0, F(SG));
	uses(all, all & ~(F(SG) | SUPER | F(GSO)));
	eq(tp.port->wanted & all, all & ~F(SG));
	switch_to(F(SG), 0);
	uses(all, all);
	switch_to(0, F(TX_CSUM_L4));
	uses(all, all & ~(F(TX_CSUM_L4) | SUPER));
	switch_to(0, F(RX_CSUM));
	uses(all, all & ~(F(TX_CSUM_L4) | SUPER | F(RX_CSUM) | F(LRO)));
	switch_to(0, F(USO)); /* while it is off anyway: it does not come back */
	switch_to(F(TX_CSUM_L4) | F(RX_CSUM), 0);
	uses(all, all & ~F(USO));
	switch_to(0, F(TSO) | F(TX_CSUM_IP4) | F(GRO));
	uses(all, all & ~(SUPER | F(TX_CSUM_IP4) | F(GRO)));
}

T(wanted_and_not_possible)
{
	start(DEVICE, 0, true);
	switch_to(0, F(SG) | F(TSO));
	switch_to(F(TSO), 0);
	uses(SUPER, 0);
	ok(tp.port->wanted & F(TSO));
	switch_to(F(SG), 0);
	uses(SUPER, SUPER);
}

T(each_set_of_features_is_closed)
{
	for (uint32_t f = 0; f < 1u << PLX_PORT_FBIT_MAX; f += 37) {
		uint32_t g = plx_port_features_fix(f);

		eq(g & ~f, 0);
		eq(plx_port_features_fix(g), g);
	}
}

T(those_of_software_have_all_ports)
{
	start(F(SG), 0, false);
	uses(PLX_PORT_F_SOFT, F(GSO) | F(GRO));
	eq(tp.port->switchable & PLX_PORT_F_SOFT, PLX_PORT_F_SOFT);
	switch_to(F(UDP_GRO), F(GRO) | F(GSO));
	uses(PLX_PORT_F_SOFT, F(UDP_GRO));
	start(0, 0, false); /* no chains, no super-segments */
	uses(PLX_PORT_F_SOFT, F(GRO));
	ok(tp.port->wanted & F(GSO));
}

static bool never(struct plx_txq *q, struct rte_mbuf *m)
{
	return false;
}

/* Each super-segment has to come to plx_txq_fix(), also while it is not cut there. */
T(a_device_that_is_asked_is_asked_of_each)
{
	struct plx_port *p = start(DEVICE, 0, true);

	eq(p->txq[0]->fix_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG), 0);
	ops.features_check = never;
	switch_to(0, F(USO));
	uses(SUPER, F(TSO));
	eq(p->txq[0]->fix_flags & RTE_MBUF_F_TX_TCP_SEG, RTE_MBUF_F_TX_TCP_SEG);
	eq(p->txq[0]->cut_flags, RTE_MBUF_F_TX_UDP_SEG);
	ops.features_check = NULL;
}

/* A driver that is not asked can have its transmit features left unused. */
T(what_is_fixed_stays)
{
	start(DEVICE, F(TX_CSUM_IP4), false);
	eq(tp.port->switchable & DEVICE, F(TX_CSUM_L4) | F(SG) | SUPER);
	switch_to(F(TX_CSUM_IP4), DEVICE & ~F(TX_CSUM_IP4));
	uses(DEVICE, F(RX_CSUM) | F(LRO) | F(RSS));
	eq(tp.port->wanted & F(TX_CSUM_IP4), 0);
	switch_to(DEVICE, 0);
	uses(DEVICE, DEVICE & ~F(TX_CSUM_IP4));
	start(DEVICE, F(TX_CSUM_L4), false); /* TSO was not set up then, either */
	eq(tp.port->switchable & DEVICE, F(TX_CSUM_IP4) | F(SG));
	switch_to(DEVICE, 0);
	uses(SUPER | F(TX_CSUM_L4), 0);
	start(DEVICE, F(TX_CSUM_L4) | F(RX_CSUM), true); /* but this one can do it now */
	uses(DEVICE, DEVICE & ~(F(TX_CSUM_L4) | F(RX_CSUM) | SUPER | F(LRO)));
	switch_to(DEVICE, 0);
	uses(DEVICE, DEVICE);
	ok(!(tp.port->switchable & F(RSS)));
}

/* Off before the driver hears of it, on when it has. */
T(the_driver_is_told_in_between)
{
	start(DEVICE, 0, true);
	switch_to(0, F(LRO) | F(SG));
	eq(calls, 1);
	eq(told, tp.port->features);
	eq(in_use, told);
	switch_to(F(LRO) | F(SG), F(TX_CSUM_IP4));
	eq(told, tp.port->features);
	eq(in_use & (F(LRO) | F(SG) | F(TX_CSUM_IP4)), 0);
	switch_to(0, 0);
	eq(calls, 2); /* nothing new */
}

T(a_driver_that_fails_changes_nothing)
{
	uint32_t was, wanted;

	start(DEVICE, 0, true);
	was = tp.port->features;
	wanted = tp.port->wanted;
	tell_err = -EIO;
	eq(plx_port_set_features(tp.port, 0), -EIO);
	eq(tp.port->wanted, wanted);
	uses(UINT32_MAX, was);
	plx_port_close(tp.port);
	eq(plx_port_set_features(tp.port, 0), -ENETDOWN);
}

static void frame(struct plx_txq *q)
{
	uint8_t bytes[200] = {0};
	struct rte_mbuf *m = t_mbuf(bytes, 100), *n = rte_pktmbuf_alloc(t_pool);

	assert_non_null(n);
	assert_non_null(rte_pktmbuf_append(n, 100));
	eq(rte_pktmbuf_chain(m, n), 0);
	plx_txq_push(q, m);
}

static unsigned int segs_sent(void)
{
	struct rte_mbuf *m = t_port_sent(&tp, 0);
	unsigned int n = m ? m->nb_segs : 0;

	rte_pktmbuf_free(m);
	return n;
}

/* The driver still takes what waits in the old form. */
T(what_waits_is_sent_as_it_is)
{
	struct plx_txq *q = start(DEVICE, 0, false)->txq[0];

	frame(q);
	switch_to(0, F(SG));
	frame(q);
	switch_to(F(SG), 0);
	frame(q);
	eq(plx_txq_flush(q), 3);
	eq(segs_sent(), 2);
	eq(segs_sent(), 1);
	eq(segs_sent(), 2);
}

static int reads(const char *text, uint32_t *wanted, const char *says)
{
	char why[128] = "";
	int err = plx_port_features_read(tp.port, text, wanted, why, sizeof(why));

	if (!strstr(why, says))
		fail_msg("%s: '%s'", text, why);
	return err;
}

T(words_are_read)
{
	uint32_t w = 0;

	start(DEVICE & ~F(USO) & ~F(TX_CSUM_IP4), 0, true);
	eq(reads("", &w, ""), 0);
	eq(w, 0);
	eq(reads("tso=on tx-checksum-ip-generic=on gro=on rx-lro=on", &w, ""), 0);
	eq(w, F(TSO) | F(TX_CSUM_L4) | F(GRO) | F(LRO));
	eq(reads(" tx=off   gro=off  gro=on", &w, ""), 0); /* half of tx is fixed */
	eq(w, F(TSO) | F(GRO) | F(LRO));
	eq(reads("tso=off nosuch=on", &w, "no feature 'nosuch'"), -EOPNOTSUPP);
	eq(reads("=on", &w, "no feature ''"), -EOPNOTSUPP);
	eq(reads("tso", &w, "neither"), -EINVAL);
	eq(reads("tso=", &w, "neither"), -EINVAL);
	eq(reads("tso=onn", &w, "neither"), -EINVAL);
	eq(reads("rx-rss=off", &w, "device features: rx-rss is on [fixed]"), -EOPNOTSUPP);
	eq(reads("tx-udp-segmentation=on", &w, "is off [fixed]"), -EOPNOTSUPP);
	eq(reads("tx-udp-segmentation=off rx-rss=on", &w, ""), 0); /* so they are */
	eq(w, (F(TSO) | F(GRO) | F(LRO) | F(RSS)) & ~F(USO));
}

T(all_names_are_known)
{
	uint32_t seen = 0;

	for (unsigned int i = 0; i < PLX_PORT_FBIT_MAX; i++) {
		const struct plx_port_feature_group *g =
			plx_port_feature_group((enum plx_port_feature_bit)i);

		ok(plx_port_features_named(plx_port_feature_info[i].name) & 1u << i);
		if (!g)
			continue;
		ok(g->features & 1u << i);
		eq(plx_port_features_named(g->abbr), g->features);
		ok(plx_port_features_named(g->name) & 1u << i);
		ok(!*g->kernel || plx_port_features_named(g->kernel) == g->features);
	}
	for (unsigned int i = 0; i < PLX_PORT_FBIT_MAX; i++)
		seen |= 1u << plx_port_feature_nth(i);
	eq(seen, (1u << PLX_PORT_FBIT_MAX) - 1);
	eq(plx_port_feature_nth(3), PLX_PORT_FBIT_SG);
	eq(plx_port_feature_nth(PLX_PORT_FBIT_MAX), PLX_PORT_FBIT_MAX);
	eq(plx_port_features_named(""), 0);
	eq(plx_port_features_named("TSO"), 0);
}

RUN_EAL(T_EAL_(what_needs_another_goes_with_it_and_comes_back), T_EAL_(wanted_and_not_possible),
	T_EAL_(each_set_of_features_is_closed), T_EAL_(those_of_software_have_all_ports),
	T_EAL_(a_device_that_is_asked_is_asked_of_each), T_EAL_(what_is_fixed_stays),
	T_EAL_(the_driver_is_told_in_between), T_EAL_(a_driver_that_fails_changes_nothing),
	T_EAL_(what_waits_is_sent_as_it_is), T_EAL_(words_are_read), T_EAL_(all_names_are_known))
