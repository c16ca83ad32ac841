/* SPDX-License-Identifier: BSD-3-Clause */
#include "t_eal.h"

#include <rte_ethdev.h>

#include <plx_tap.h>

#define BURST 8

/* A port of DPDK's that always has packets (64 bytes, zeroes) and takes all. */
static uint16_t port;
static struct plx_taps *taps;

static void start(void)
{
	const struct rte_eth_conf conf = {0};

	eq(rte_eal_hotplug_add("vdev", "net_null0", ""), 0);
	eq(rte_eth_dev_get_port_by_name("net_null0", &port), 0);
	eq(rte_eth_dev_configure(port, 2, 1, &conf), 0);
	for (uint16_t q = 0; q < 2; q++)
		eq(rte_eth_rx_queue_setup(port, q, 64, SOCKET_ID_ANY, NULL, t_pool), 0);
	eq(rte_eth_tx_queue_setup(port, 0, 64, SOCKET_ID_ANY, NULL), 0);
	eq(rte_eth_dev_start(port), 0);
	taps = plx_taps_create_ethdev(NULL);
	assert_non_null(taps);
	eq(plx_taps_add_port(taps, port, NULL), 0);
}

static void pass(uint16_t queue)
{
	struct rte_mbuf *pkts[BURST];

	eq(rte_eth_rx_burst(port, queue, pkts, BURST), BURST);
	eq(rte_eth_tx_burst(port, 0, pkts, BURST), BURST);
}

static struct {
	uint32_t n, out, queue1;
	plx_ns last;
} got;

static bool on_pkt(void *arg, const struct plx_tap_pkt *p)
{
	eq(p->port, port);
	eq(p->len, 64);
	eq(p->caplen, 20);
	eq(p->link, PLX_TAP_LINK_ETHER);
	ok(p->ts_ns >= got.last);
	got.last = p->ts_ns;
	got.n++;
	got.out += p->point == PLX_PKT_AT_TX && p->flags & PLX_TAP_F_OUT;
	got.queue1 += p->queue == 1;
	return true;
}

T(what_passes_is_seen)
{
	struct plx_tap_conf conf = {.snap_bytes = 20};
	struct plx_tap *t, *out;
	struct plx_tap_stats s;

	start();
	pass(0);
	t = plx_tap_open(taps, &conf, NULL, NULL);
	conf.points = PLX_TAP_BIT(TX);
	conf.filter = "inbound";
	out = plx_tap_open(taps, &conf, NULL, NULL);
	pass(0);
	pass(1);
	memset(&got, 0, sizeof(got));
	eq(plx_tap_read(t, on_pkt, NULL, UINT32_MAX), 4 * BURST);
	eq(got.out, 2 * BURST);
	eq(got.queue1, BURST);
	plx_tap_stats(out, &s);
	eq(s.filtered, 2 * BURST);
	plx_tap_close(t); /* nobody has to pass a quiescent state */
	plx_tap_close(out);
	pass(0);
	assert_null(plx_pkt_watches[rte_lcore_id()].at[PLX_PKT_AT_RX]);
}

T(a_file_names_the_port)
{
	char path[] = "/tmp/plx-tap-XXXXXX", text[4096];
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;
	FILE *f;
	size_t n;

	start();
	close(mkstemp(path));
	w = plx_tap_writer_start(taps,
		&(struct plx_tap_writer_conf){.file = path, .tap.snap_bytes = 20}, NULL, NULL);
	assert_non_null(w);
	pass(1);
	eq(plx_tap_writer_stop(w, &s), 0);
	eq(s.written, 2 * BURST);
	f = fopen(path, "r");
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	unlink(path);
	eq(n, s.bytes);
	assert_non_null(memmem(text, n, "net_null0", 9));
}

/* Of what is counted by an engine a recorder knows nothing here. */
T(a_recorder)
{
	char dir[] = "/tmp/plx-tap-XXXXXX", path[64], command[64];
	struct plx_tap_trigger t = {.kind = PLX_TAP_ON_RTO, .text = "it"};
	struct plx_tap_writer_conf conf = {.tap = {.snap_bytes = 20, .keep_bytes = 1},
		.record = {.trigger = &t, .n_triggers = 1},
		.file = path};
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;
	struct plx_error e = {0};

	start();
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_null(plx_tap_writer_start(taps, &conf, &e, NULL));
	eq(e.id, PLX_ERR_RUN);
	assert_non_null(strstr(e.text, "without an engine"));
	t.kind = PLX_TAP_ON_END;
	w = plx_tap_writer_start(taps, &conf, &e, NULL);
	assert_non_null(w);
	for (int i = 0; i < 500; i++)
		pass(1);
	eq(plx_tap_writer_stop(w, &s), 0);
	eq(s.files, 1);
	eq(s.tap.seen, 1000 * BURST);
	eq(s.tap.full, 0);
	eq(s.written + s.record.overwritten, 1000 * BURST);
	ok(s.written >= PLX_TAP_RING_MIN / 64 && s.record.overwritten);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	eq(system(command), 0);
}

T(refusals)
{
	struct plx_error e = {0};

	start();
	assert_null(plx_taps_create_ethdev(&e));
	eq(e.id, PLX_ERR_RUN);
	eq(plx_taps_add_port(taps, port, &e), -EEXIST);
	eq(plx_taps_add_port(taps, 17, &e), -ENODEV);
	eq(plx_taps_add_port(taps, 9999, &e), -ENODEV);
	eq(e.id, PLX_ERR_PORT_OPEN);
}

/* All is given back, and a port can be had again. */
static int after(void **state)
{
	if (taps)
		plx_taps_destroy(taps);
	taps = NULL;
	rte_eth_dev_stop(port);
	rte_eal_hotplug_remove("vdev", "net_null0");
	return t_eal_after(state);
}

#define TAP_(name) cmocka_unit_test_teardown(name, after)

RUN_EAL(TAP_(what_passes_is_seen), TAP_(a_file_names_the_port), TAP_(a_recorder), TAP_(refusals))
