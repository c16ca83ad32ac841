/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections by the thousand, with PLX_LONG=1 by the million, between two engines of one process
 * on the ends of a pipe: each sends, wants it back and ends, in one of three ways; half of them by
 * IPv6. Nothing is left of them: no mbuf, no block of an arena, no place in a table.
 */
#define T_EAL_LCORES "(0-1)@0,2@1"
#define T_EAL_MEM    "192"
#include "t_eal.h"

#include <rte_cycles.h>

#include <plx_net.h>
#include <plx_net_pipe.h>
#include <plx_net_tcp.h>

#define PORTS	6
#define AT_ONCE 256
#define LONGEST 3000
#define STEP_NS PLX_MS(64) /* 64 connections in it: TIME-WAITs stay below their limit */
#define PATIENT 70	   /* seconds until a run that does not end has failed */

/* Who ends it first. */
enum way {
	AFTER_ECHO, /* the client, when it has its text back */
	WITH_TEXT,  /* the client, with its text */
	SERVER,	    /* the server, with the echo */
	WAYS
};

struct conn {
	uint32_t number, got;
	struct conn *next;
};

static struct end {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_tcp_ctx *ctx; /* of its lcore */
	size_t idle_bytes;	 /* of its arena, when there is nothing */
} client, server;

static struct pair {
	struct plx_tunables tun;
	struct plx_clock clock;
	plx_ns now;
	bool stepped;
	struct plx_net_tcp_listener l[PORTS];
	struct plx_poller poller;
	/* the client's lcore writes; another thread reads over, looks at the rest at the end */
	uint32_t quota, started, over;
	uint32_t failed, wrong;
	struct conn conn[AT_ONCE], *idle;
	/* the server's lcore */
	uint32_t accepted, refused;
	struct plx_addr to[2];
	uint8_t text[LONGEST];
} p;

static struct plx_addr addr_of(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static enum way way_of(uint32_t number)
{
	return number % WAYS;
}

/* Short ones; some are of several segments, where the server need not know the end. */
static uint32_t bytes_of(uint32_t number)
{
	return way_of(number) != SERVER && number % 64 < 3 ? LONGEST : 1 + number % 1000;
}

/* ---- the server ---- */

static void echo(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t buf[LONGEST];
	uint32_t n = plx_net_tcp_read(sn, c, buf, sizeof(buf));

	if (plx_net_tcp_write(sn, c, buf, n) != n)
		p.refused++;
	if (plx_net_tcp_user(c) == &p.l[SERVER])
		plx_net_tcp_shutdown(sn, c);
}

static void served(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	plx_net_tcp_close(sn, c);
}

static void broken(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	p.refused += err != 0;
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops server_ops = {
	.readable = echo, .peer_closed = served, .closed = broken};

static bool take(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	p.accepted++;
	server.ctx = plx_net_tcp_tcb(c)->ctx;
	plx_net_tcp_take(c, &server_ops, &p.l[way_of((uint32_t)(l - p.l))]);
	return true;
}

/* ---- the client ---- */

static void over(struct plx_softnet *sn, struct plx_net_tcp *c, struct conn *conn)
{
	p.wrong += conn->got != bytes_of(conn->number);
	plx_net_tcp_close(sn, c);
	conn->next = p.idle;
	p.idle = conn;
	__atomic_store_n(&p.over, p.over + 1, __ATOMIC_RELEASE);
}

static void established(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	const struct conn *conn = plx_net_tcp_user(c);
	uint32_t n = bytes_of(conn->number);

	client.ctx = plx_net_tcp_tcb(c)->ctx;
	p.wrong += plx_net_tcp_write(sn, c, p.text, n) != n;
	if (way_of(conn->number) == WITH_TEXT)
		plx_net_tcp_shutdown(sn, c);
}

static void readable(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct conn *conn = plx_net_tcp_user(c);
	uint32_t n, bytes = bytes_of(conn->number);
	uint8_t buf[LONGEST + 1];

	n = plx_net_tcp_read(sn, c, buf, sizeof(buf));
	if (n > bytes - conn->got || memcmp(buf, p.text + conn->got, n) != 0)
		p.wrong++;
	conn->got += n;
	if (conn->got == bytes && way_of(conn->number) == AFTER_ECHO)
		plx_net_tcp_shutdown(sn, c);
}

static void peer_closed(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	struct conn *conn = plx_net_tcp_user(c);

	if (way_of(conn->number) == SERVER) /* the others hear that both directions have ended */
		over(sn, c, conn);
}

static void closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	p.failed += err != 0;
	over(sn, c, plx_net_tcp_user(c));
}

static const struct plx_net_tcp_ops client_ops = {.established = established,
	.readable = readable,
	.peer_closed = peer_closed,
	.closed = closed};

/* Each pass begins some, as many as may be. */
static uint32_t begin(struct plx_softnet *sn, void *arg)
{
	struct plx_net_tcp_to to = {0};
	uint32_t n = 0, quota = __atomic_load_n(&p.quota, __ATOMIC_ACQUIRE);
	struct plx_net_tcp *c;

	for (; p.started < quota && p.idle && n < 32; n++) {
		struct conn *conn = p.idle;

		*conn = (struct conn){.number = p.started, .next = conn->next};
		to.raddr = p.to[p.started / WAYS % 2];
		to.rport = (uint16_t)(7 + p.started % PORTS);
		if (plx_net_tcp_connect(sn, &to, &client_ops, conn, &c) != 0)
			break;
		p.idle = conn->next;
		p.started++;
	}
	return n;
}

static plx_ns begin_when(struct plx_softnet *sn, void *arg)
{
	return p.started < __atomic_load_n(&p.quota, __ATOMIC_ACQUIRE) ? 0 : PLX_NEVER;
}

/* ---- both ---- */

static plx_ns now(void *arg)
{
	return p.now;
}

static void make(struct end *end, int i)
{
	static const char *const addr[2][2] = {
		{"10.0.0.1", "2001:db8::1"}, {"10.0.0.2", "2001:db8::2"}};
	const uint32_t lcore = (uint32_t)i + 1;
	struct plx_error e;
	struct plx_engine_conf conf = {.ops = &plx_net_ops,
		.tun = &p.tun,
		.lcores = &lcore,
		.n_lcores = 1,
		.ports = 1u << i,
		.clock = p.stepped ? &p.clock : NULL,
		.idle = PLX_IDLE_PAUSE,
		.mbufs = 8191,
		.seed = 1};

	end->net = plx_net_create(&(struct plx_net_conf){.seed = 1 + (uint64_t)i}, &p.tun, &e);
	assert_non_null(end->net);
	conf.arg = end->net;
	end->eng = plx_engine_create(&conf, &e);
	assert_non_null(end->eng);
	if (plx_engine_open_ports(end->eng, &e) != 0)
		fail_msg("%s", e.text);
	eq(plx_net_attach(end->net, end->eng, &e), 0);
	eq(plx_net_if_add(end->net, (uint16_t)i, 0, 0), 1);
	for (int k = 0; k < 2; k++) {
		struct plx_prefix prefix = {.addr = addr_of(addr[i][k]), .len = k ? 64 : 96 + 24};
		struct plx_addr peer = addr_of(addr[!i][k]);

		eq(plx_net_addr_add(end->net, 1, &prefix), 0);
		eq(plx_net_neigh_add(end->net, 1, &peer, &plx_port_get(!i)->mac), 0);
	}
}

static void start(bool stepped)
{
	struct plx_error e;

	memset(&p, 0, sizeof(p));
	p.stepped = stepped;
	p.now = PLX_SEC(1);
	p.clock.now = now;
	plx_tunables_init(&p.tun);
	p.tun.v[PLX_TUN_DAD_TRANSMITS] = 0;
	if (!stepped)
		p.tun.v[PLX_TUN_TCP_TW_TIMEOUT] = 1;
	for (uint32_t i = 0; i < LONGEST; i++)
		p.text[i] = (uint8_t)(i * 7 + i / 251);
	for (uint32_t i = 0; i < AT_ONCE; i++) {
		p.conn[i].next = p.idle;
		p.idle = &p.conn[i];
	}
	p.to[0] = addr_of("10.0.0.2");
	p.to[1] = addr_of("2001:db8::2");
	eq(plx_port_create("a=pipe,peer=b,queues=1", &e), 0);
	make(&client, 0);
	make(&server, 1);
	p.poller = (struct plx_poller){.run = begin, .deadline = begin_when};
	plx_softnet_add_poller(plx_engine_softnet(client.eng, 0), &p.poller);
	for (uint16_t i = 0; i < PORTS; i++) {
		p.l[i] = (struct plx_net_tcp_listener){.accept = take, .lport = (uint16_t)(7 + i)};
		eq(plx_net_tcp_listen(server.net, &p.l[i]), 0);
	}
	if (stepped) {
		eq(plx_engine_step_begin(client.eng), 0);
		eq(plx_engine_step_begin(server.eng), 0);
	} else {
		plx_engine_start(client.eng);
		plx_engine_start(server.eng);
	}
}

/* Pass the time, until so many are over if there are so many. */
static void pass(plx_ns ns, uint32_t over_at)
{
	plx_ns until = p.now + ns;

	while (p.stepped && p.now < until) {
		plx_ns due;

		while (plx_engine_step(client.eng, 0) + plx_engine_step(server.eng, 0))
			;
		due = PLX_MIN(plx_engine_deadline(client.eng), plx_engine_deadline(server.eng));
		p.now = PLX_MAX(p.now, PLX_MIN(due, until));
	}
	until = plx_engine_now(client.eng) + ns;
	while (!p.stepped && __atomic_load_n(&p.over, __ATOMIC_ACQUIRE) < over_at &&
		plx_engine_now(client.eng) < until)
		rte_delay_us_sleep(1000);
}

/* So many more connections. */
static void connections(uint32_t n)
{
	uint32_t last = p.over + n, quota = p.over;

	while (p.over < last) {
		uint32_t before = p.over;

		quota = PLX_MIN(last, quota + (p.stepped ? (uint32_t)(STEP_NS / PLX_MS(1)) : n));
		__atomic_store_n(&p.quota, quota, __ATOMIC_RELEASE);
		pass(p.stepped ? STEP_NS : PLX_SEC(PATIENT), last);
		if (p.over == before)
			fail_msg("%u of %u are over, no more follow", p.over, last);
	}
}

struct left {
	struct end *end;
	size_t bytes;
	uint32_t in_table, time_waits;
};

static void look(struct plx_softnet *sn, void *arg)
{
	struct left *left = arg;
	const struct plx_tcp_ctx *ctx = left->end->ctx;

	left->bytes = plx_arena_used(ctx->mem);
	left->in_table = plx_tcp_table_count(ctx->table);
	left->time_waits = ctx->time_waits;
}

/* What an end keeps when its connections have ended. */
static size_t left_at(struct end *end)
{
	struct left left = {.end = end};

	for (int i = 0; i < PATIENT * 20; i++) {
		pass(PLX_MS(50), UINT32_MAX);
		eq(plx_softnet_call(plx_engine_softnet(end->eng, 0), look, &left), 0);
		if (!left.in_table)
			break;
	}
	eq(left.in_table, 0);
	eq(left.time_waits, 0);
	eq(plx_net_held(end->net), 0);
	return left.bytes;
}

/* Tables shrink as they are added to: some more connections, and all is as it was. */
static void shrinks(void)
{
	for (int i = 0; i < 8; i++) {
		connections(p.stepped ? 600 : 60);
		if (left_at(&client) == client.idle_bytes && left_at(&server) == server.idle_bytes)
			return;
	}
	fail_msg("the client has %zu bytes, not %zu; the server %zu, not %zu", left_at(&client),
		client.idle_bytes, left_at(&server), server.idle_bytes);
}

static void stop(struct end *end)
{
	if (p.stepped) {
		plx_engine_step_end(end->eng);
		return;
	}
	plx_engine_stop(end->eng);
	eq(plx_engine_join(end->eng), 0);
}

static void finish(void)
{
	struct plx_acct sum;

	stop(&client);
	stop(&server);
	for (uint16_t i = 0; i < PORTS; i++)
		plx_net_tcp_unlisten(server.net, &p.l[i]);
	plx_acct_sum(&sum);
	eq(p.started, p.over);
	eq(p.accepted, p.over);
	eq(p.failed + p.wrong + p.refused, 0);
	eq(sum.stat[PLX_STAT_TCP_ACTIVEOPENS], p.over);
	eq(sum.stat[PLX_STAT_TCP_PASSIVEOPENS], p.over);
	eq(sum.stat[PLX_STAT_TCPEXT_TCPTIMEWAITOVERFLOW], 0);
	/* in real time some repeat what is late, to an end that may be over by now */
	ok(sum.stat[PLX_STAT_TCP_OUTRSTS] <= sum.stat[PLX_STAT_TCP_RETRANSSEGS]);
	ok(!p.stepped || !sum.stat[PLX_STAT_TCP_RETRANSSEGS]);
	plx_engine_close_ports(client.eng);
	plx_engine_close_ports(server.eng);
	plx_port_fini_all();
	eq(plx_engine_destroy(client.eng), 0); /* mbufs missing */
	eq(plx_engine_destroy(server.eng), 0);
	plx_net_destroy(client.net);
	plx_net_destroy(server.net);
}

static void echoes(bool stepped, uint32_t n)
{
	start(stepped);
	connections(64);
	client.idle_bytes = left_at(&client);
	server.idle_bytes = left_at(&server);
	connections(n);
	left_at(&client);
	shrinks();
	finish();
}

/* Both by one thread in turn, in a time of their own: TIME-WAIT lasts a minute. */
T(a_million_leave_nothing)
{
	const char *long_run = getenv("PLX_LONG");

	echoes(true, long_run && atoi(long_run) ? 1000000 : 20000);
}

/* Both at once, each by a thread of its own. */
T(thousands_at_once_leave_nothing)
{
	echoes(false, 5000);
}

RUN_EAL(T_EAL_(a_million_leave_nothing), T_EAL_(thousands_at_once_leave_nothing))
