/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a server's answers grow with its lcores: two stacks, a server's and its clients', on the ends
 * of an in-memory pipe. A thread of its own on each CPU plays lcore i of both in turn, step by
 * step, and has both ends of its flows: their ports are chosen so. So nothing is shared between the
 * threads but what the stacks themselves share.
 *
 *   bench steer_lcores [EAL arguments] -- udp|tcp [seconds [queues [flows of each lcore [bytes]]]]
 *
 * EAL's lcores are the server's, then as many of the clients': --lcores '(0,1)@0' is one of each,
 * '(0,2)@0,(1,3)@1' two of each. A flow has one question under way. Prints answers for each second
 * that the threads were on their CPUs.
 *
 * With several queues a NIC hashes each packet, and in a pipe its sender does so. To have that in
 * the figures of one lcore, too, give it a port of two queues: its flows all come by the first.
 *
 * A NIC's driver frees what it has sent on the lcore that sent it, whose cache of mbufs gives it
 * out again. From a pipe mbufs come home by the ring of their pool, each as often as all the
 * others. So the pools are small: of the usual size they are more than CPUs have caches for.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_net.h>
#include <plx_net_tcp.h>

#define PORT	 7
#define LCORES	 8
#define FLOWS	 256
#define BYTES	 1024
#define MBUFS	 1024 /* what two lcores' caches hold at most, and those at hand for TCP */
#define WARM_UP	 0.2  /* seconds */
#define GIVEN_UP 60   /* seconds: links, handshakes */

enum { SERVER, CLIENTS };

static struct end {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_addr addr;
	struct plx_toeplitz key; /* of its port */
	struct plx_reta reta;
} end[2];

struct flow {
	struct plx_net_udp udp;
	struct plx_net_tcp *tcp;
	uint16_t lport;
};

/** What a lcore of the clients has. */
static struct clients {
	struct flow flow[FLOWS];
	uint64_t answers, measured;
	uint64_t handed; /* packets to other lcores, meanwhile */
	double cpu;	 /* seconds */
	uint32_t phase;	 /* 0: not yet, 1: measuring, 2: measured */
	uint32_t ready;	 /* flows */
	bool asked;
	struct plx_poller poller;
} PLX_ALIGNED clients[LCORES];

static struct plx_tunables tun;
static uint16_t lcores, queues;
static uint32_t flows = 32, bytes = 64;
static bool tcp, done;
static uint8_t text[BYTES];
static double seconds = 1;
static uint64_t from, given_up;

static uint64_t after(double s)
{
	return rte_rdtsc() + (uint64_t)(s * (double)rte_get_tsc_hz());
}

/* ---- datagrams ---- */

static void udp_answer(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	const struct plx_net_udp_msg back = {
		.src = msg->dst, .dst = msg->src, .sport = msg->dport, .dport = msg->sport};

	plx_net_udp_send(sn, m, &back);
}

/* An answer becomes the next question. */
static void udp_answered(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	plx_count(clients[sn->index].answers, 1);
	udp_answer(sn, s, m, msg);
}

static const struct plx_net_udp_ops udp_serves = {.rx = udp_answer};
static const struct plx_net_udp_ops udp_asks = {.rx = udp_answered};

static void udp_ask(struct plx_softnet *sn, const struct flow *f)
{
	const struct plx_net_udp_msg msg = {.src = end[CLIENTS].addr,
		.dst = end[SERVER].addr,
		.sport = f->lport,
		.dport = PORT};
	struct rte_mbuf *m = plx_softnet_alloc(sn);

	if (!m)
		return;
	memcpy(rte_pktmbuf_append(m, (uint16_t)bytes), text, bytes);
	plx_net_udp_send(sn, m, &msg);
}

/* ---- connections ---- */

static void echo(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t got[BYTES];
	uint32_t n;

	while ((n = plx_net_tcp_read(sn, c, got, sizeof(got))))
		plx_net_tcp_write(sn, c, got, n);
}

static void ask(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	plx_net_tcp_write(sn, c, text, bytes);
}

static void established(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	clients[sn->index].ready++;
	ask(sn, c);
}

static void answered(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	if (plx_net_tcp_readable(c) < bytes)
		return;
	plx_net_tcp_skip(sn, c, bytes);
	plx_count(clients[sn->index].answers, 1);
	ask(sn, c);
}

static void closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	plx_net_tcp_close(sn, c);
}

static const struct plx_net_tcp_ops tcp_serves = {.readable = echo, .closed = closed};
static const struct plx_net_tcp_ops tcp_asks = {
	.established = established, .readable = answered, .closed = closed};

static bool take(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	plx_net_tcp_take(c, &tcp_serves, NULL);
	return true;
}

static struct plx_net_tcp_listener listener = {.accept = take, .lport = PORT};

/* ---- the clients' lcores ---- */

static uint16_t n_measured(void)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < lcores; i++)
		n += __atomic_load_n(&clients[i].phase, __ATOMIC_ACQUIRE) == 2;
	return n;
}

static bool all_ready(void)
{
	for (uint16_t i = 0; i < lcores; i++)
		if (plx_count_read(clients[i].ready) < flows)
			return false;
	return true;
}

static void stop(void)
{
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
}

/* What this thread has been on its CPU for: what else runs there does not count. */
static double on_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* By an lcore of either stack to others. */
static uint64_t handed_by(uint16_t i)
{
	return plx_engine_softnet(end[SERVER].eng, i)->handed_pkts +
	       plx_engine_softnet(end[CLIENTS].eng, i)->handed_pkts;
}

/* Some time after all flows are there, for so long; each lcore for itself. */
static void measure(struct clients *c, uint16_t i)
{
	uint64_t now = rte_rdtsc(), when = __atomic_load_n(&from, __ATOMIC_RELAXED);

	if (i == 0 && !when && all_ready())
		__atomic_store_n(&from, after(WARM_UP), __ATOMIC_RELAXED);
	if (i == 0 && (now > given_up || n_measured() == lcores))
		stop();
	if (!when || now < when)
		return;
	if (c->phase == 0) {
		c->cpu = -on_cpu();
		c->measured = -c->answers;
		c->handed = -handed_by(i);
		c->phase = 1;
	} else if (c->phase == 1 && now > when + (uint64_t)(seconds * (double)rte_get_tsc_hz())) {
		c->cpu += on_cpu();
		c->measured += c->answers;
		c->handed += handed_by(i);
		__atomic_store_n(&c->phase, 2, __ATOMIC_RELEASE);
	}
}

static uint32_t run_clients(struct plx_softnet *sn, void *arg)
{
	struct clients *c = arg;

	measure(c, sn->index);
	if (c->asked || sn->now_ns < PLX_MS(100)) /* the link is up by then */
		return 0;
	c->asked = true;
	for (uint32_t i = 0; i < flows; i++) {
		const struct plx_net_tcp_to dst = {
			.raddr = end[SERVER].addr, .rport = PORT, .lport = c->flow[i].lport};

		if (!tcp)
			udp_ask(sn, &c->flow[i]);
		else if (plx_net_tcp_connect(sn, &dst, &tcp_asks, NULL, &c->flow[i].tcp) != 0)
			stop();
	}
	if (!tcp)
		plx_count(c->ready, flows);
	return 1;
}

/* @param arg the index of the lcores that this thread plays. */
static int play(void *arg)
{
	uint16_t i = (uint16_t)(uintptr_t)arg;

	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		plx_engine_step(end[SERVER].eng, i);
		plx_engine_step(end[CLIENTS].eng, i);
	}
	return 0;
}

/* ---- making it ---- */

/* The queue, and so the lcore, that a packet comes by. */
static uint16_t queue_of(const struct end *at, const struct plx_addr *src, uint16_t sport,
	const struct plx_addr *dst, uint16_t dport)
{
	if (queues == 1)
		return 0;
	return plx_steer_reta_queue(
		&at->reta, plx_steer_hash(&at->key, src, dst, sport, dport, true));
}

static int choose_ports(uint16_t index)
{
	static uint16_t port = 1024;
	const struct plx_addr *a = &end[CLIENTS].addr, *b = &end[SERVER].addr;
	uint32_t n = 0;

	while (n < flows) {
		struct flow *f = &clients[index].flow[n];

		if (++port == 0)
			return -1;
		if (queue_of(&end[SERVER], a, port, b, PORT) != index ||
			queue_of(&end[CLIENTS], b, PORT, a, port) != index)
			continue;
		n++;
		f->lport = port;
		if (tcp)
			continue;
		f->udp = (struct plx_net_udp){.ops = &udp_asks, .lport = port, .home = index};
		if (plx_net_udp_open(end[CLIENTS].net, &f->udp) != 0)
			return -1;
	}
	return 0;
}

static int make(int i, const uint32_t *ids, struct plx_error *e)
{
	struct plx_engine_conf conf = {.ops = &plx_net_ops,
		.tun = &tun,
		.lcores = ids,
		.n_lcores = lcores,
		.queues = queues,
		.mbufs = MBUFS + 2 * flows,
		.ports = 1u << i};
	const struct plx_port *p = plx_port_get((uint16_t)i);
	uint16_t key_bytes = PLX_STEER_KEY_MAX;
	uint8_t key[PLX_STEER_KEY_MAX];
	struct plx_prefix addr;
	int index;

	end[i].net = plx_net_create(&(struct plx_net_conf){.udp_sockets = 4096}, &tun, e);
	conf.arg = end[i].net;
	end[i].eng = end[i].net ? plx_engine_create(&conf, e) : NULL;
	if (!end[i].eng || plx_engine_open_ports(end[i].eng, e) != 0 ||
		plx_net_attach(end[i].net, end[i].eng, e) != 0)
		return -1;
	index = plx_net_if_add(end[i].net, (uint16_t)i, 0, 0);
	plx_prefix_parse(&addr, i == SERVER ? "10.0.0.2/24" : "10.0.0.1/24");
	end[i].addr = addr.addr;
	if (index < 0 || plx_net_addr_add(end[i].net, (uint16_t)index, &addr) != 0 ||
		plx_net_neigh_add(
			end[i].net, (uint16_t)index, &end[!i].addr, &plx_port_get(!i)->mac) != 0)
		return -1;
	if (p->ops->rss_get((struct plx_port *)(uintptr_t)p, key, &key_bytes, &end[i].reta) != 0)
		return -1;
	return plx_steer_toeplitz_init(&end[i].key, key, key_bytes);
}

static int serve(struct plx_net_udp *socks)
{
	if (tcp)
		return plx_net_tcp_listen(end[SERVER].net, &listener);
	for (uint16_t i = 0; i < lcores; i++) {
		socks[i] = (struct plx_net_udp){
			.ops = &udp_serves, .lport = PORT, .home = i, .reuseport = true};
		if (plx_net_udp_open(end[SERVER].net, &socks[i]) != 0)
			return -1;
	}
	return 0;
}

/* @return 1 when there is nothing to say. */
static int report(void)
{
	double rate = 0;
	uint64_t handed = 0;

	if (n_measured() < lcores)
		return 1;
	for (uint16_t i = 0; i < lcores; i++) {
		rate += (double)clients[i].measured / clients[i].cpu;
		handed += clients[i].handed;
	}
	printf("{\"what\":\"%s\",\"lcores\":%u,\"queues\":%u,\"answers_per_second\":%.0f,"
	       "\"handed_over\":%lu}\n",
		tcp ? "tcp" : "udp", lcores, queues, rate, handed);
	return rate == 0;
}

static int die(const struct plx_error *e)
{
	fprintf(stderr, "bench_steer_lcores: %s; %s\n", e->text, e->remedy);
	return 1;
}

static int clean(struct plx_net_udp *socks)
{
	uint32_t leaked = 0;

	for (uint16_t i = 0; i < lcores && !tcp; i++) {
		for (uint32_t f = 0; f < flows; f++)
			plx_net_udp_close(end[CLIENTS].net, &clients[i].flow[f].udp);
		plx_net_udp_close(end[SERVER].net, &socks[i]);
	}
	if (tcp)
		plx_net_tcp_unlisten(end[SERVER].net, &listener);
	for (int i = 0; i < 2; i++)
		plx_engine_close_ports(end[i].eng);
	plx_port_fini_all();
	for (int i = 0; i < 2; i++)
		leaked += plx_engine_destroy(end[i].eng);
	for (int i = 0; i < 2; i++)
		plx_net_destroy(end[i].net);
	return leaked != 0;
}

static int take_args(int argc, char **argv)
{
	if (argc < 2 || (strcmp(argv[1], "udp") != 0 && strcmp(argv[1], "tcp") != 0))
		return -1;
	tcp = strcmp(argv[1], "tcp") == 0;
	seconds = argc > 2 ? atof(argv[2]) : seconds;
	queues = argc > 3 ? (uint16_t)atoi(argv[3]) : 0;
	flows = argc > 4 ? (uint32_t)atoi(argv[4]) : flows;
	bytes = argc > 5 ? (uint32_t)atoi(argv[5]) : bytes;
	return flows == 0 || flows > FLOWS || bytes == 0 || bytes > BYTES ? -1 : 0;
}

int bench_steer_lcores(int argc, char **argv)
{
	struct plx_error e = {.text = "it cannot be set up", .remedy = "see EAL's log"};
	struct plx_net_udp socks[LCORES];
	uint32_t ids[2 * LCORES], n = 0, id;
	int used = rte_eal_init(argc, argv), rc = 0;
	char pipe[64];

	if (used < 0 || plx_pkt_init() != 0 || take_args(argc - used, argv + used) != 0)
		return 2;
	RTE_LCORE_FOREACH(id)
	{
		if (n < PLX_DIM(ids))
			ids[n++] = id;
	}
	lcores = (uint16_t)(n / 2);
	queues = queues ? queues : lcores;
	snprintf(pipe, sizeof(pipe), "a=pipe,peer=b,queues=%u,depth=2048", queues);
	plx_tunables_init(&tun);
	if (lcores == 0 || plx_port_create(pipe, &e) != 0)
		return die(&e);
	for (int i = 0; i < 2; i++)
		plx_addr_parse(&end[i].addr, i == SERVER ? "10.0.0.2" : "10.0.0.1");
	for (int i = 0; i < 2; i++)
		if (make(i, ids + i * lcores, &e) != 0)
			return die(&e);
	for (uint16_t i = 0; i < lcores; i++) {
		clients[i].poller = (struct plx_poller){.run = run_clients, .arg = &clients[i]};
		plx_softnet_add_poller(plx_engine_softnet(end[CLIENTS].eng, i), &clients[i].poller);
		if (choose_ports(i) != 0)
			return die(&e);
	}
	if (serve(socks) != 0)
		return die(&e);
	for (int i = 0; i < 2; i++)
		rc |= plx_engine_step_begin(end[i].eng);
	given_up = after(GIVEN_UP + seconds);
	for (uintptr_t i = 1; i < lcores; i++)
		rte_eal_remote_launch(play, (void *)i, ids[i]);
	play(NULL);
	rte_eal_mp_wait_lcore();
	for (int i = 0; i < 2; i++)
		plx_engine_step_end(end[i].eng);
	rc |= report();
	return clean(socks) || rc;
}
