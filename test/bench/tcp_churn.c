/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections by the million: each connects to an echo server, sends 64 bytes, wants them back,
 * ends in both directions, and is replaced by another. For a stack on the other end of port 0.
 *
 *   bench_tcp_churn [EAL arguments] -- ADDRESS/LENGTH SERVER PORT PORTS CONNECTIONS AT-ONCE
 *
 * Spread over PORTS ports from PORT on, because of TIME-WAIT. Prints what became of them, and a
 * rate; ends with 1 if one failed, was answered wrongly or took mbufs along, or if nothing moves
 * for 10 s.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_net.h>
#include <plx_net_ethdev.h>
#include <plx_net_tcp.h>

#define BYTES 64

struct conn {
	struct plx_net_tcp *c;
	uint32_t got;
};

static struct {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_net_tcp_to to;
	uint16_t port, ports;
	uint64_t total, at_once;
	uint64_t started, ended, failed, wrong;
	struct conn *conn;
	struct conn **idle; /* a stack */
	uint64_t n_idle;
	plx_ns begin, end, moved;
	uint8_t text[BYTES];
} b;

static void over(struct conn *c)
{
	b.idle[b.n_idle++] = c;
	b.moved = plx_engine_now(b.eng);
}

static void established(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	if (plx_net_tcp_write(sn, c, b.text, BYTES) != BYTES)
		b.wrong++;
}

static void readable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct conn *conn = plx_net_tcp_user(c);
	uint8_t buf[BYTES + 1];
	uint32_t n;

	while ((n = plx_net_tcp_read(sn, c, buf, sizeof(buf)))) {
		if (n > BYTES - conn->got || memcmp(buf, b.text + conn->got, n) != 0) {
			b.wrong++;
			break;
		}
		conn->got += n;
	}
	if (conn->got == BYTES)
		plx_net_tcp_shutdown(sn, c);
}

static void closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	struct conn *conn = plx_net_tcp_user(c);

	if (err) {
		b.failed++;
		fprintf(stderr, "a connection failed: %s\n", strerror(err));
	} else if (conn->got != BYTES)
		b.wrong++;
	else
		b.ended++;
	plx_net_tcp_close(sn, c);
	over(conn);
}

static const struct plx_net_tcp_ops ops = {
	.established = established,
	.readable = readable,
	.closed = closed,
};

/* Keep so many open. */
static uint32_t start(struct plx_softnet *sn, void *arg)
{
	plx_ns now = plx_engine_now(b.eng);
	uint32_t n = 0;

	if (!b.begin)
		b.begin = b.moved = now;
	while (b.started < b.total && b.n_idle && n < 32) {
		struct conn *c = b.idle[b.n_idle - 1];
		int err;

		c->got = 0;
		b.to.rport = (uint16_t)(b.port + b.started % b.ports);
		err = plx_net_tcp_connect(sn, &b.to, &ops, c, &c->c);
		if (err) /* no port, no memory: later */
			break;
		b.n_idle--;
		b.started++;
		n++;
	}
	if ((b.started == b.total && b.n_idle == b.at_once) || now - b.moved > PLX_SEC(10)) {
		b.end = now;
		plx_engine_stop(b.eng);
	}
	return n;
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return 1;
}

static bool setup(char **argv, struct plx_prefix *addr)
{
	if (plx_prefix_parse(addr, argv[1]) != 0 || plx_addr_parse(&b.to.raddr, argv[2]) != 0)
		return false;
	b.port = (uint16_t)atoi(argv[3]);
	b.ports = (uint16_t)atoi(argv[4]);
	b.total = strtoull(argv[5], NULL, 10);
	b.at_once = strtoull(argv[6], NULL, 10);
	if (!b.ports || !b.at_once)
		return false;
	b.conn = calloc(b.at_once, sizeof(*b.conn));
	b.idle = calloc(b.at_once, sizeof(*b.idle));
	if (!b.conn || !b.idle)
		return false;
	for (uint64_t i = 0; i < b.at_once; i++)
		b.idle[b.n_idle++] = &b.conn[i];
	for (int i = 0; i < BYTES; i++)
		b.text[i] = (uint8_t)i;
	return true;
}

int main(int argc, char **argv)
{
	struct plx_poller poller = {.run = start};
	struct plx_tunables tun;
	struct plx_prefix addr;
	struct plx_error e;
	int used = rte_eal_init(argc, argv), index;
	uint32_t leaked;

	if (used < 0 || plx_pkt_init() != 0)
		return 1;
	argv += used;
	if (argc - used != 7 || !setup(argv, &addr)) {
		fprintf(stderr, "usage: bench_tcp_churn [EAL arguments] -- ADDRESS/LENGTH SERVER "
				"PORT PORTS CONNECTIONS AT-ONCE\n");
		return 2;
	}
	if (plx_net_ethdev_probe(&e) < 0)
		return die(&e);
	plx_tunables_init(&tun);
	tun.v[PLX_TUN_TCP_TW_TIMEOUT] = 1;
	b.net = plx_net_create(&(struct plx_net_conf){.seed = 1}, &tun, &e);
	b.eng = plx_engine_create(
		&(struct plx_engine_conf){.ops = &plx_net_ops, .tun = &tun, .arg = b.net}, &e);
	if (!b.net || !b.eng || plx_engine_open_ports(b.eng, &e) != 0 ||
		plx_net_attach(b.net, b.eng, &e) != 0)
		return die(&e);
	index = plx_net_if_add(b.net, 0, 0, 0);
	if (index < 0 || plx_net_addr_add(b.net, (uint16_t)index, &addr) != 0)
		return 1;
	plx_softnet_add_poller(plx_engine_softnet(b.eng, 0), &poller);
	plx_engine_run(b.eng);
	plx_engine_close_ports(b.eng);
	plx_port_fini_all();
	leaked = plx_engine_destroy(b.eng);
	plx_net_destroy(b.net);
	printf("{\"connections\":%" PRIu64 ",\"ended\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"wrong\":%" PRIu64 ",\"per_second\":%.0f,\"mbufs_leaked\":%" PRIu32 "}\n",
		b.started, b.ended, b.failed, b.wrong,
		(double)b.ended * 1e9 / (double)PLX_MAX(b.end - b.begin, (plx_ns)1), leaked);
	free(b.conn);
	free(b.idle);
	return leaked || b.ended != b.total ? 1 : 0;
}
