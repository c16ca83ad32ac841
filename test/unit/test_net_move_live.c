/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections that talk all the time, by PLX_LONG=1 ten thousand, between two engines of one
 * process on the ends of a pipe. One of the server's two lcores stops to own flows and to poll, and
 * starts again, a hundred times. Each byte is checked; none comes out of order. The same of
 * datagrams between connected sockets: each has its number, and none is missing.
 */
#define T_EAL_LCORES "0@0,1@0,(2-3)@1"
#define T_EAL_MEM    "640"
#include "t_eal.h"

#include <errno.h>

#include <rte_cycles.h>

#include <plx_net.h>
#include <plx_net_pipe.h>

#include "../../lib/net/net.h"

#define CONNS_MAX 10000
#define BLOCK	  1000
#define ROUNDS	  100
#define FLOWS	  64 /* of UDP */
#define WINDOW	  4  /* their datagrams that are under way */
#define TCP_BYTES ((size_t)128 << 20)

struct conn {
	struct plx_net_tcp *c;
	uint64_t sent, got;
	uint32_t step; /* how long its blocks are */
};

static struct end {
	struct plx_net *net;
	struct plx_engine *eng;
} client, server;

static struct live {
	struct plx_tunables tun;
	struct plx_net_tcp_listener l;
	struct plx_poller poller;
	struct conn conn[CONNS_MAX];
	uint32_t conns, begun, talk;
	bool ends; /* the client's resets come behind text that nobody can answer */
	/* read by the main thread */
	uint32_t established, blocks, wrong, failed;
	/* of the server's lcores */
	uint32_t left[4], arrived[4], gone[4], refused;
	/* UDP */
	struct plx_net_udp client[FLOWS], *server[FLOWS];
	uint32_t sent[FLOWS], got[FLOWS], flows, opened;
} v;

static uint8_t text(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

/* ---- the server: it sends back what comes ---- */

static void echo(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t buf[4 * BLOCK];
	uint32_t n;

	while ((n = plx_net_tcp_read(sn, c, buf, sizeof(buf))))
		if (plx_net_tcp_write(sn, c, buf, n) != n &&
			!__atomic_load_n(&v.ends, __ATOMIC_RELAXED))
			__atomic_add_fetch(&v.refused, 1, __ATOMIC_RELAXED);
}

static bool leave(struct plx_softnet *sn, struct plx_net_tcp *c, struct plx_softnet *to)
{
	v.left[sn->index]++;
	return true;
}

static bool arrive(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	v.arrived[sn->index]++;
	return true;
}

static void left(struct plx_softnet *sn, void *user)
{
	v.gone[sn->index]++;
}

static void ended(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops server_ops = {
	.readable = echo, .closed = ended, .leave = leave, .arrive = arrive, .left = left};

static bool take(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	plx_net_tcp_take(c, &server_ops, NULL);
	return true;
}

/* ---- the client: a block, its echo, the next one ---- */

static void say(struct plx_softnet *sn, struct plx_net_tcp *c, struct conn *conn)
{
	uint8_t buf[BLOCK];
	uint32_t n = 1 + (uint32_t)(conn->sent * 31 + conn->step) % BLOCK;

	for (uint32_t i = 0; i < n; i++)
		buf[i] = text(conn->sent + i);
	if (plx_net_tcp_write(sn, c, buf, n) != n)
		v.failed++;
	conn->sent += n;
}

static void established(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	plx_count(v.established, 1);
}

static void readable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct conn *conn = plx_net_tcp_user(c);
	uint8_t buf[BLOCK];
	uint32_t n;

	while ((n = plx_net_tcp_read(sn, c, buf, sizeof(buf))))
		for (uint32_t i = 0; i < n; i++)
			v.wrong += buf[i] != text(conn->got++);
	if (conn->got != conn->sent)
		return;
	plx_count(v.blocks, 1);
	say(sn, c, conn);
}

static void closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	v.failed += err != ESHUTDOWN;
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops client_ops = {
	.established = established, .readable = readable, .closed = closed};

static void open_one(struct plx_softnet *sn, struct conn *conn)
{
	struct plx_net_tcp_to to = {.rport = 7};

	eq(plx_addr_parse(&to.raddr, "10.0.0.2"), 0);
	v.failed += plx_net_tcp_connect(sn, &to, &client_ops, conn, &conn->c) != 0;
}

/* All are opened, then all begin to talk: some each pass. */
static uint32_t begin(struct plx_softnet *sn, void *arg)
{
	uint32_t n = 0;

	for (; v.begun < v.conns && n < 8; n++, v.begun++) {
		v.conn[v.begun].step = v.begun;
		open_one(sn, &v.conn[v.begun]);
	}
	for (; v.established == v.conns && v.talk < v.conns && n < 8; n++, v.talk++)
		say(sn, v.conn[v.talk].c, &v.conn[v.talk]);
	return n;
}

static plx_ns begin_when(struct plx_softnet *sn, void *arg)
{
	return v.begun < v.conns || (v.established == v.conns && v.talk < v.conns) ? 0 : PLX_NEVER;
}

/* ---- both ---- */

static void make(struct end *end, int i, const uint32_t *lcores, uint16_t n)
{
	static const char *const addr[] = {"10.0.0.1", "10.0.0.2"};
	struct plx_error e;
	struct plx_engine_conf conf = {.ops = &plx_net_ops,
		.tun = &v.tun,
		.lcores = lcores,
		.n_lcores = n,
		.ports = 1u << i,
		.idle = PLX_IDLE_SLEEP,
		.mbufs = 16383,
		.seed = 1};
	struct plx_prefix prefix = {.len = 96 + 24};
	struct plx_addr peer;

	end->net = plx_net_create(
		&(struct plx_net_conf){.seed = 1 + (uint64_t)i, .tcp_bytes = TCP_BYTES}, &v.tun,
		&e);
	assert_non_null(end->net);
	conf.arg = end->net;
	end->eng = plx_engine_create(&conf, &e);
	assert_non_null(end->eng);
	if (plx_engine_open_ports(end->eng, &e) != 0)
		fail_msg("%s", e.text);
	eq(plx_net_attach(end->net, end->eng, &e), 0);
	eq(plx_net_if_add(end->net, (uint16_t)i, 0, 0), 1);
	eq(plx_addr_parse(&prefix.addr, addr[i]), 0);
	eq(plx_addr_parse(&peer, addr[!i]), 0);
	eq(plx_net_addr_add(end->net, 1, &prefix), 0);
	eq(plx_net_neigh_add(end->net, 1, &peer, &plx_port_get(!i)->mac), 0);
}

static void start(uint32_t conns, struct plx_poller *p)
{
	static const uint32_t one[] = {1}, two[] = {2, 3};
	struct plx_error e;

	memset(&v, 0, sizeof(v));
	v.conns = conns;
	plx_tunables_init(&v.tun);
	v.tun.v[PLX_TUN_DAD_TRANSMITS] = 0;
	v.tun.v[PLX_TUN_TX_QUEUE_LEN] = 2 * CONNS_MAX;
	v.tun.v[PLX_TUN_TCP_MAX_SYN_BACKLOG] = v.tun.v[PLX_TUN_SOMAXCONN] = CONNS_MAX;
	eq(plx_port_create("a=pipe,peer=b,queues=2", &e), 0);
	make(&client, 0, one, 1);
	make(&server, 1, two, 2);
	v.poller = *p;
	plx_softnet_add_poller(plx_engine_softnet(client.eng, 0), &v.poller);
	v.l = (struct plx_net_tcp_listener){.accept = take, .lport = 7, .backlog = CONNS_MAX};
	eq(plx_net_tcp_listen(server.net, &v.l), 0);
	plx_engine_start(client.eng);
	plx_engine_start(server.eng);
}

static void wait_for(const uint32_t *count, uint32_t n)
{
	for (int i = 0; i < 60000; i++) {
		if (plx_count_read(*count) >= n)
			return;
		rte_delay_us_sleep(1000);
	}
	fail_msg("%u, not %u; %u failed of %u", plx_count_read(*count), n, v.failed, v.begun);
}

static struct plx_net_moves moves(void)
{
	struct plx_net_moves m;

	plx_net_moves_get(server.net, &m);
	return m;
}

/* ---- UDP: the client's numbers come back ---- */

struct flow {
	struct plx_net_udp s;
	uint32_t i, got;
};

static uint32_t number_of(struct rte_mbuf *m)
{
	uint32_t n;

	memcpy(&n, rte_pktmbuf_mtod(m, void *), sizeof(n));
	return n;
}

static void udp_echo(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	const struct plx_net_udp_msg back = {
		.src = msg->dst, .dst = msg->src, .sport = msg->dport, .dport = msg->sport};
	struct flow *f = plx_container_of(s, struct flow, s);

	if (number_of(m) != f->got++)
		__atomic_add_fetch(&v.wrong, 1, __ATOMIC_RELAXED);
	plx_net_udp_send(sn, m, &back);
}

static bool udp_leave(struct plx_softnet *sn, struct plx_net_udp *s, struct plx_softnet *to)
{
	v.left[sn->index]++;
	return true;
}

static struct plx_net_udp *udp_copy(struct plx_softnet *sn, const struct plx_net_udp *s)
{
	struct flow *f = malloc(sizeof(*f));

	*f = *plx_container_of(s, const struct flow, s);
	return &f->s;
}

static void udp_arrive(struct plx_softnet *sn, struct plx_net_udp *s)
{
	v.arrived[sn->index]++;
	v.server[plx_container_of(s, struct flow, s)->i] = s;
}

static void udp_left(struct plx_softnet *sn, struct plx_net_udp *s)
{
	v.gone[sn->index]++;
	free(plx_container_of(s, struct flow, s));
}

static void udp_gone(struct plx_softnet *sn, struct plx_net_udp *s)
{
	free(plx_container_of(s, struct flow, s));
}

static const struct plx_net_udp_ops udp_server_ops = {.rx = udp_echo,
	.leave = udp_leave,
	.copy = udp_copy,
	.arrive = udp_arrive,
	.left = udp_left};

/* On a lcore of the server: those whose flow is its own. */
static void udp_open(struct plx_softnet *sn, void *arg)
{
	struct plx_addr us, peer;

	eq(plx_addr_parse(&us, "10.0.0.2"), 0);
	eq(plx_addr_parse(&peer, "10.0.0.1"), 0);
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint16_t port = (uint16_t)(2000 + i);
		uint32_t hash = plx_steer_hash(
			&server.net->toeplitz, &peer, &us, (uint16_t)(port + 1000), port, true);
		struct flow *f;

		if (plx_steer_owner(&server.net->owners, hash) != sn->index)
			continue;
		f = calloc(1, sizeof(*f));
		f->i = i;
		f->s = (struct plx_net_udp){.ops = &udp_server_ops,
			.laddr = us,
			.lport = port,
			.home = sn->index,
			.gone = udp_gone};
		eq(plx_net_udp_bind(sn, &f->s), 0);
		eq(plx_net_udp_connect(sn, &f->s, &us, &peer, (uint16_t)(port + 1000)), 0);
		v.server[i] = &f->s;
		v.opened++;
	}
}

static void udp_say(struct plx_softnet *sn, uint32_t i, struct rte_mbuf *m)
{
	struct plx_net_udp_msg to = {
		.sport = v.client[i].lport, .dport = (uint16_t)(v.client[i].lport - 1000)};

	eq(plx_addr_parse(&to.dst, "10.0.0.2"), 0);
	memcpy(rte_pktmbuf_mtod(m, void *), &v.sent[i], sizeof(v.sent[i]));
	v.sent[i]++;
	v.failed += plx_net_udp_send(sn, m, &to) != PLX_DROP_NONE;
}

/* In whatever order: they come by two queues, of which each lcore of the server has one. */
static void udp_answer(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	uint32_t i = (uint32_t)(s - v.client);

	v.got[i]++;
	plx_count(v.blocks, 1);
	udp_say(sn, i, m);
}

static const struct plx_net_udp_ops udp_client_ops = {.rx = udp_answer};

static uint32_t udp_begin(struct plx_softnet *sn, void *arg)
{
	struct rte_mbuf *m;
	uint32_t n = 0;

	for (; v.begun < v.flows * WINDOW && n < 8; n++, v.begun++) {
		m = plx_softnet_alloc(sn);
		rte_pktmbuf_append(m, 64);
		udp_say(sn, v.begun % v.flows, m);
	}
	return n;
}

static plx_ns udp_begin_when(struct plx_softnet *sn, void *arg)
{
	return v.begun < v.flows * WINDOW ? 0 : PLX_NEVER;
}

/* All flows and both queues to these lcores. */
static void share(const uint16_t *lcores, uint16_t n)
{
	struct plx_port *p = plx_port_get(1);

	eq(plx_net_owners_share(server.net, lcores, NULL, n), 0);
	for (uint16_t q = 0; q < p->n_rxq; q++)
		eq(plx_engine_queue_move(server.eng, p, q, lcores[q % n]), 0);
	for (int i = 0; moves().waiting && i < 60000; i++)
		rte_delay_us_sleep(100);
	eq(moves().waiting, 0);
}

static void stop(struct end *end)
{
	plx_engine_stop(end->eng);
	eq(plx_engine_join(end->eng), 0);
}

static void finish(void)
{
	plx_net_tcp_unlisten(server.net, &v.l);
	plx_engine_close_ports(client.eng);
	plx_engine_close_ports(server.eng);
	plx_port_fini_all();
	eq(plx_engine_destroy(client.eng), 0); /* mbufs missing */
	eq(plx_engine_destroy(server.eng), 0);
	plx_net_destroy(client.net);
	plx_net_destroy(server.net);
}

T(an_lcore_stops_and_starts)
{
	static const uint16_t first[] = {0}, both[] = {0, 1}, second[] = {1};
	const char *long_run = getenv("PLX_LONG");
	struct plx_acct sum;
	uint32_t blocks;

	start(long_run && atoi(long_run) ? CONNS_MAX : 300,
		&(struct plx_poller){.run = begin, .deadline = begin_when});
	wait_for(&v.established, v.conns);
	for (int i = 0; i < ROUNDS; i++) {
		blocks = plx_count_read(v.blocks);
		share(i & 1 ? first : second, 1);
		share(both, 2);
		wait_for(&v.blocks, blocks + v.conns / 10);
	}
	eq(moves().dropped, 0);
	eq(moves().stayed, 0);
	eq(moves().reordered, 0);
	ok(moves().conns >= (uint64_t)v.conns * ROUNDS / 2);
	plx_acct_sum(&sum);
	eq(sum.stat[PLX_STAT_TCPEXT_TCPOFOQUEUE], 0);
	eq(sum.drop[PLX_DROP_MOVE_FULL], 0);
	__atomic_store_n(&v.ends, true, __ATOMIC_RELAXED);
	stop(&client);
	stop(&server);
	finish();
	eq(v.wrong, 0);
	eq(v.failed, 0);
	eq(v.refused, 0);
	eq(v.left[0] + v.left[1], v.arrived[0] + v.arrived[1]);
	eq(v.left[0], v.gone[0]);
	eq(v.left[1], v.gone[1]);
}

static void begin_flows(struct plx_softnet *sn, void *arg)
{
	v.flows = FLOWS;
}

static void open_flows(void)
{
	for (uint16_t i = 0; i < 2; i++)
		eq(plx_softnet_call(plx_engine_softnet(server.eng, i), udp_open, NULL), 0);
	eq(v.opened, FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		v.client[i] =
			(struct plx_net_udp){.ops = &udp_client_ops, .lport = (uint16_t)(3000 + i)};
		eq(plx_net_udp_open(client.net, &v.client[i]), 0);
	}
	eq(plx_softnet_call(plx_engine_softnet(client.eng, 0), begin_flows, NULL), 0);
}

static void close_flows(void)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		plx_net_udp_close(client.net, &v.client[i]);
		plx_net_udp_unbind(plx_engine_softnet(server.eng, v.server[i]->home), v.server[i]);
	}
}

T(and_datagrams)
{
	static const uint16_t first[] = {0}, both[] = {0, 1}, second[] = {1};
	uint32_t blocks;

	start(0, &(struct plx_poller){.run = udp_begin, .deadline = udp_begin_when});
	open_flows();
	wait_for(&v.blocks, FLOWS * WINDOW);
	for (int i = 0; i < ROUNDS; i++) {
		blocks = plx_count_read(v.blocks);
		share(i & 1 ? first : second, 1);
		share(both, 2);
		wait_for(&v.blocks, blocks + FLOWS * WINDOW);
	}
	eq(moves().dropped, 0);
	eq(moves().stayed, 0);
	eq(moves().abandoned, 0);
	eq(moves().reordered, 0);
	ok(moves().conns >= (uint64_t)FLOWS * ROUNDS / 2);
	stop(&client);
	stop(&server);
	close_flows();
	finish();
	eq(v.wrong + v.failed, 0);
	for (uint32_t i = 0; i < FLOWS; i++)
		ok(v.sent[i] - v.got[i] == WINDOW);
	eq(v.left[0] + v.left[1], v.arrived[0] + v.arrived[1]);
	eq(v.left[0], v.gone[0]);
	eq(v.left[1], v.gone[1]);
}

RUN_EAL(T_EAL_(an_lcore_stops_and_starts), T_EAL_(and_datagrams))
