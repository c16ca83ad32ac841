/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures in a program that knows nothing of Pollux but this: here a wire between two ports, by
 * DPDK's own calls, with what passes written to a file.
 *
 *   cc tap_ports.c -o tap_ports $(pkg-config --cflags --libs libplx_tap)
 *   ./tap_ports --no-huge --no-pci -m 128 --vdev=net_tap0,iface=a --vdev=net_tap1,iface=b -- \
 *      wire.pcapng 'arp or icmp6'
 *
 * Ctrl-C ends it and says what was captured. "-" as the file is a pipe, for tshark -i -.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include <plx_tap.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

static int port_start(uint16_t id, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = {0};

	return rte_eth_dev_configure(id, 1, 1, &conf) != 0 ||
	       rte_eth_rx_queue_setup(id, 0, 512, SOCKET_ID_ANY, NULL, pool) != 0 ||
	       rte_eth_tx_queue_setup(id, 0, 512, SOCKET_ID_ANY, NULL) != 0 ||
	       rte_eth_dev_start(id) != 0;
}

static void pass_on(uint16_t from)
{
	struct rte_mbuf *pkts[32];
	uint16_t n = rte_eth_rx_burst(from, 0, pkts, 32);
	uint16_t sent = rte_eth_tx_burst(from ^ 1, 0, pkts, n);

	for (; sent < n; sent++)
		rte_pktmbuf_free(pkts[sent]);
}

static int die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv), err;
	struct plx_tap_writer_conf conf = {.app = "tap_ports"};
	struct plx_tap_writer_stats s;
	struct plx_tap_filter_error why;
	struct plx_error e = {.text = ""};
	struct plx_tap_writer *w = NULL;
	struct rte_mempool *pool;
	struct plx_taps *taps;
	FILE *say;

	if (used < 0 || argc - used < 2 || rte_eth_dev_count_avail() != 2)
		return die("usage", "tap_ports EAL... (two ports) -- FILE [FILTER]");
	conf.file = argv[used + 1];
	say = strcmp(conf.file, "-") == 0 ? stderr : stdout;
	conf.tap.filter = argc - used > 2 ? argv[used + 2] : NULL;
	pool = rte_pktmbuf_pool_create("pkts", 8191, 250, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!pool || port_start(0, pool) || port_start(1, pool))
		return die("ports", "they do not start");
	taps = plx_taps_create_ethdev(&e);
	if (taps && plx_taps_add_port(taps, 0, &e) == 0 && plx_taps_add_port(taps, 1, &e) == 0)
		w = plx_tap_writer_start(taps, &conf, &e, &why);
	if (!w)
		return die("capture", *e.text ? e.text : why.text);
	signal(SIGINT, on_signal);
	fprintf(say, "ready\n");
	fflush(say);
	while (!stop) {
		pass_on(0);
		pass_on(1);
	}
	err = plx_tap_writer_stop(w, &s); /* no lcore is in a burst, so none is waited for */
	plx_taps_destroy(taps);
	fprintf(say, "%" PRIu64 " packets seen, %" PRIu64 " written, %" PRIu64 " lost\n",
		s.tap.seen, s.written, s.tap.full);
	rte_eth_dev_close(0);
	rte_eth_dev_close(1);
	rte_eal_cleanup();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
