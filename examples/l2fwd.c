/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A learning switch on the engine alone, without the stack: what comes in on one port goes out by
 * the port that its destination was last seen on, or by all others.
 *
 *   cc l2fwd.c -o l2fwd $(pkg-config --cflags --libs libplx_engine libplx_net_ethdev)
 *   ./l2fwd --no-huge --no-pci -m 128 --vdev=net_tap0,iface=a --vdev=net_tap1,iface=b -- 60
 *
 * The argument is how many seconds to run; without one, until Ctrl-C. One lcore: then the table of
 * addresses is nobody else's, and there is nothing to lock.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>

#include <plx_engine.h>
#include <plx_net_ethdev.h>
#include <plx_wire.h>

#define STATIONS 4096 /* a power of two */
#define AGE	 PLX_SEC(300)

/** Where a MAC address was last seen. A newcomer takes the place of who has the same hash. */
struct station {
	struct plx_mac mac;
	uint16_t port;
	plx_ns seen;
};

static struct {
	struct plx_engine *eng;
	struct station station[STATIONS];
	uint64_t key[2]; /* strangers choose MAC addresses: they must not aim for one place */
	uint64_t known, flooded;
} sw;

static struct station *place_of(const struct plx_mac *mac)
{
	uint64_t w = 0;

	memcpy(&w, mac->b, sizeof(mac->b));
	return &sw.station[plx_siphash13_words(sw.key, &w, 1) & (STATIONS - 1)];
}

static void learn(const struct plx_mac *mac, uint16_t port, plx_ns now)
{
	if (!plx_mac_is_mcast(mac))
		*place_of(mac) = (struct station){.mac = *mac, .port = port, .seen = now};
}

/* @return the port, or PLX_PORT_MAX: not known. */
static uint16_t find(const struct plx_mac *mac, plx_ns now)
{
	const struct station *s = place_of(mac);

	if (plx_mac_is_mcast(mac) || !plx_mac_eq(&s->mac, mac) || now - s->seen > AGE)
		return PLX_PORT_MAX;
	return s->port;
}

/* To all ports but one. Copies are packets that we make; the frame itself goes by the last door. */
static void flood(struct plx_softnet *sn, struct rte_mbuf *m, uint16_t from)
{
	uint16_t last = PLX_PORT_MAX;

	sw.flooded++;
	for (uint16_t i = 0; i < plx_port_count(); i++) {
		struct rte_mbuf *copy;

		if (i == from)
			continue;
		copy = last < PLX_PORT_MAX ? rte_pktmbuf_copy(m, sn->pool, 0, UINT32_MAX) : NULL;
		if (copy) {
			plx_pkt_originate(1);
			plx_softnet_tx(sn, last, copy);
		}
		last = i;
	}
	if (last < PLX_PORT_MAX)
		plx_softnet_tx(sn, last, m);
	else
		plx_pkt_drop(m, PLX_DROP_ETH_OTHERHOST); /* there is no other link */
}

static void on_rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t from = q->port->id;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		struct plx_eth eth;
		enum plx_drop drop =
			plx_wire_eth_parse(&eth, rte_pktmbuf_mtod(m, const void *), m->data_len);
		uint16_t to;

		if (drop != PLX_DROP_NONE) {
			plx_pkt_drop(m, drop);
			continue;
		}
		learn(&eth.src, from, sn->now_ns);
		to = find(&eth.dst, sn->now_ns);
		if (to == PLX_PORT_MAX) {
			flood(sn, m, from);
		} else if (to == from) {
			plx_pkt_drop(m, PLX_DROP_ETH_OTHERHOST); /* its link has delivered it */
		} else {
			sw.known++;
			plx_softnet_tx(sn, to, m);
		}
	}
}

static void on_signal(int sig)
{
	plx_engine_stop(sw.eng);
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return EXIT_FAILURE;
}

/* @return the exit code. */
static int settle(void)
{
	struct plx_acct a;
	uint32_t leaked;

	plx_engine_close_ports(sw.eng);
	plx_acct_sum(&a);
	plx_port_fini_all();
	leaked = plx_engine_destroy(sw.eng);
	printf("received %" PRIu64 ", to a known port %" PRIu64 ", to all %" PRIu64
	       ", sent %" PRIu64 ", dropped %" PRIu64 ", leaked %u\n",
		a.rx_pkts, sw.known, sw.flooded, a.tx_pkts, plx_acct_drops(&a), leaked);
	return leaked ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct plx_engine_ops ops = {.rx = on_rx};
	struct plx_engine_conf conf = {
		.ops = &ops, .idle = PLX_IDLE_SLEEP, .promisc = true, .spare_lcores = true};
	struct plx_error e;
	int used = rte_eal_init(argc, argv), code;

	if (used < 0 || plx_pkt_init() != 0 || getentropy(sw.key, sizeof(sw.key)) != 0)
		return EXIT_FAILURE;
	if (plx_net_ethdev_probe(&e) < 0)
		return die(&e);
	sw.eng = plx_engine_create(&conf, &e);
	if (!sw.eng || plx_engine_open_ports(sw.eng, &e) != 0)
		return die(&e);
	if (plx_engine_lcores(sw.eng) > 1) {
		fprintf(stderr, "one lcore, please (-l 0): the table of addresses has one owner\n");
		return EXIT_FAILURE;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGALRM, on_signal);
	alarm(argc - used > 1 ? (unsigned int)atoi(argv[used + 1]) : 0);
	printf("ready\n");
	fflush(stdout);
	plx_engine_run(sw.eng);
	code = settle();
	rte_eal_cleanup();
	return code;
}
