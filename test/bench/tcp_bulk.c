/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a long stream costs: two stacks on the ends of an in-memory pipe, each with an lcore of its
 * own, stepped in turn by one thread, so that the time of each end is known apart. Text is copied
 * in by the sending program and out by the receiving one.
 *
 *   bench tcp_bulk [EAL arguments] -- [seconds] [keys of the pipe] [features to do without] [lend]
 *
 * Features by their names of ethtool, with "+" between. With lend the sending program copies
 * nothing: it has the text in mbufs of its own, and lends them again and again.
 *
 * Wants two lcores, which may share a CPU: --lcores '(0-1)@0'. Prints Gb/s that each end alone
 * would manage, cycles a byte, and for comparison the rate of memcpy() from and to text that lies
 * in the second-level cache.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_net.h>
#include <plx_net_lend.h>
#include <plx_net_pipe.h>
#include <plx_net_tcp.h>

#define PORT	9
#define TEXT	65536u
#define WARM_UP 2000 /* steps before it counts */

/* One end: 0 sends, 1 receives. */
static struct {
	struct plx_net *net;
	struct plx_engine *eng;
	uint64_t cycles;
} end[2];

static struct plx_tunables tun;
static struct plx_net_tcp_listener listener;
static struct plx_net_tcp *from, *to;
static uint8_t text[TEXT], got[TEXT];
static uint64_t written, received, before, wrong, wire;
static struct rte_mempool *pool; /* of lent, with lend */
static struct rte_mbuf *lent;	 /* text */

static int make_lent(struct plx_error *e)
{
	const struct plx_pkt_pool_conf conf = {
		.name = "text", .pkts = 255, .socket = SOCKET_ID_ANY};

	pool = plx_pkt_pool_create(&conf, e);
	for (uint32_t at = 0; pool && at < TEXT; at += 2048) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		if (!m)
			return -1;
		memcpy(rte_pktmbuf_append(m, 2048), text + at, 2048);
		if (!lent)
			lent = m;
		else if (rte_pktmbuf_chain(lent, m) != 0)
			return -1;
	}
	return pool ? 0 : -1;
}

/* Each call has a reference of its own. */
static void lend(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	while (plx_net_tcp_room(c)) {
		rte_pktmbuf_refcnt_update(lent, 1);
		if (plx_net_tcp_send(sn, c, lent, false, NULL) != 0) {
			rte_pktmbuf_free(lent);
			return;
		}
		written += TEXT;
	}
	plx_net_tcp_want_room(c);
}

static void more(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint32_t n;

	if (lent) {
		lend(sn, c);
		return;
	}
	do {
		n = plx_net_tcp_write(sn, c, text + written % TEXT, TEXT - written % TEXT);
		written += n;
	} while (n);
}

/* The stream repeats text: a byte of each piece is looked at. */
static void readable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint32_t n;

	while ((n = plx_net_tcp_read(sn, c, got, TEXT))) {
		wrong += got[n - 1] != text[(received + n - 1) % TEXT];
		received += n;
	}
}

static void closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	if (c == from)
		from = NULL;
	if (c == to)
		to = NULL;
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops sends = {
	.established = more, .writable = more, .closed = closed};
static const struct plx_net_tcp_ops receives = {.readable = readable, .closed = closed};

static bool take(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	to = c;
	plx_net_tcp_take(c, &receives, NULL);
	return true;
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return 1;
}

static uint32_t features_of(char *names)
{
	uint32_t off = 0;

	for (char *save, *s = strtok_r(names, "+", &save); s; s = strtok_r(NULL, "+", &save))
		for (int i = 0; i < PLX_PORT_FBIT_MAX; i++)
			if (strcmp(s, plx_port_feature_info[i].name) == 0)
				off |= 1u << i;
	return off;
}

static int make(int i, uint32_t lcore, uint32_t off, struct plx_error *e)
{
	struct plx_engine_conf conf = {.ops = &plx_net_ops,
		.tun = &tun,
		.lcores = &lcore,
		.n_lcores = 1,
		.ports = 1u << i,
		.features_off = off,
		.seed = 1};
	struct plx_prefix addr;
	struct plx_addr peer;
	int index;

	end[i].net = plx_net_create(&(struct plx_net_conf){.seed = 1}, &tun, e);
	conf.arg = end[i].net;
	end[i].eng = end[i].net ? plx_engine_create(&conf, e) : NULL;
	if (!end[i].eng || plx_engine_open_ports(end[i].eng, e) != 0 ||
		plx_net_attach(end[i].net, end[i].eng, e) != 0)
		return -1;
	plx_prefix_parse(&addr, i ? "10.0.0.2/24" : "10.0.0.1/24");
	plx_addr_parse(&peer, i ? "10.0.0.1" : "10.0.0.2");
	index = plx_net_if_add(end[i].net, (uint16_t)i, 0, 0);
	if (index < 0 || plx_net_addr_add(end[i].net, (uint16_t)index, &addr) != 0)
		return -1;
	return plx_net_neigh_add(end[i].net, (uint16_t)index, &peer, &plx_port_get(!i)->mac);
}

static void step(int i)
{
	uint64_t t = rte_rdtsc();

	plx_engine_step(end[i].eng, 0);
	end[i].cycles += rte_rdtsc() - t;
}

/* Bytes a second that memcpy() does of pieces of the size of a socket's buffer. */
static double memcpy_rate(void)
{
	double best = 0;

	for (int k = 0; k < 200; k++) {
		uint64_t t = rte_rdtsc();

		for (int i = 0; i < 16; i++) {
			memcpy(got, text, TEXT);
			__asm__ volatile("" ::: "memory");
		}
		t = rte_rdtsc() - t;
		best = PLX_MAX(best, 16.0 * TEXT * (double)rte_get_tsc_hz() / (double)t);
	}
	return best;
}

static uint64_t tx_pkts(void)
{
	struct plx_acct sum;

	plx_acct_sum(&sum);
	return sum.tx_pkts;
}

static void run(double seconds)
{
	struct plx_net_tcp_to dst = {.rport = PORT};
	uint64_t until;
	int err;

	plx_addr_parse(&dst.raddr, "10.0.0.2");
	for (int i = 0; i < 100; i++) {
		step(0);
		step(1);
	}
	err = plx_net_tcp_connect(plx_engine_softnet(end[0].eng, 0), &dst, &sends, NULL, &from);
	for (int i = 0; i < WARM_UP && !err; i++) {
		step(0);
		step(1);
	}
	end[0].cycles = end[1].cycles = 0;
	before = received;
	wire = tx_pkts();
	until = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());
	while (rte_rdtsc() < until) {
		step(0);
		step(1);
	}
	wire = tx_pkts() - wire;
}

static void report(void)
{
	double hz = (double)rte_get_tsc_hz(),
	       bytes = (double)PLX_MAX(received - before, UINT64_C(1));
	double copy = memcpy_rate() * 8e-9;

	printf("{\"bytes\":%.0f,\"wire_packets\":%lu,\"wrong\":%lu,\"send_gbps\":%.2f,"
	       "\"receive_gbps\":%.2f,\"send_cycles_byte\":%.3f,\"receive_cycles_byte\":%.3f,"
	       "\"memcpy_gbps\":%.1f}\n",
		bytes, wire, wrong, bytes * 8e-9 * hz / (double)end[0].cycles,
		bytes * 8e-9 * hz / (double)end[1].cycles, (double)end[0].cycles / bytes,
		(double)end[1].cycles / bytes, copy);
}

int bench_tcp_bulk(int argc, char **argv)
{
	struct plx_error e = {.text = "it cannot be set up", .remedy = "see EAL's log"};
	int used = rte_eal_init(argc, argv);
	uint32_t leaked = 0, lcore[2], n = 0, id;
	double seconds;
	char pipe[128];

	if (used < 0 || plx_pkt_init() != 0)
		return 1;
	argc -= used;
	argv += used;
	seconds = argc > 1 ? atof(argv[1]) : 2;
	snprintf(pipe, sizeof(pipe), "a=pipe,peer=b,queues=1,%s", argc > 2 ? argv[2] : "mtu=1500");
	RTE_LCORE_FOREACH(id)
	{
		if (n < 2)
			lcore[n++] = id;
	}
	if (n < 2 || plx_port_create(pipe, &e) != 0) {
		fprintf(stderr, "bench_tcp_bulk wants two lcores: --lcores '(0-1)@0'\n");
		return 2;
	}
	plx_tunables_init(&tun);
	for (uint64_t i = 0; i < TEXT; i++)
		text[i] = (uint8_t)(i * 7 + i / 251);
	listener = (struct plx_net_tcp_listener){.accept = take, .lport = PORT};
	for (int i = 0; i < 2; i++)
		if (make(i, lcore[i], argc > 3 ? features_of(argv[3]) : 0, &e) != 0)
			return die(&e);
	if (argc > 4 && strcmp(argv[4], "lend") == 0 && make_lent(&e) != 0)
		return die(&e);
	if (plx_net_tcp_listen(end[1].net, &listener) != 0)
		return 1;
	for (int i = 0; i < 2; i++)
		plx_engine_step_begin(end[i].eng);
	run(seconds);
	report();
	for (int i = 0; i < 2; i++)
		plx_engine_step_end(end[i].eng);
	plx_net_tcp_unlisten(end[1].net, &listener);
	for (int i = 0; i < 2; i++)
		plx_engine_close_ports(end[i].eng);
	plx_port_fini_all();
	for (int i = 0; i < 2; i++)
		leaked += plx_engine_destroy(end[i].eng);
	for (int i = 0; i < 2; i++)
		plx_net_destroy(end[i].net);
	rte_pktmbuf_free(lent);
	leaked += pool ? rte_mempool_in_use_count(pool) : 0;
	return leaked || wrong || !received;
}
