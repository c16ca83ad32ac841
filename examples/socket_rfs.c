/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads whose connections come to them: each client is served by a thread of its own, on a CPU of
 * a list, and RFS moves its connection to the lcore that runs there. Lines come back as they are;
 * "?" is answered by where the connection is.
 *
 *   cc socket_rfs.c -o socket_rfs $(pkg-config --cflags --libs libplx_sock libplx_net_ethdev)
 *   ./socket_rfs --no-huge --no-pci -m 256 --lcores '0@(0,1),1@0,2@1' --vdev=net_tap0,iface=plx0 --
 *       10.9.0.2/24 0 1
 *
 * Then, as root: ip link set plx0 up && ip address add 10.9.0.1/24 dev plx0; nc 10.9.0.2 7.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_SET() */
#endif
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include <plx_net_ethdev.h>
#include <plx_sock.h>

#define LCORES 8

static struct plx_engine *eng;
static struct plx_sock *sock;
static struct plx_net *net;

static void on_signal(int sig)
{
	/* no SA_RESTART: the call that waits ends with EINTR */
}

/** Who serves a client. */
struct server {
	int fd, cpu;
};

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* Where it is, and what has been handed from lcore to lcore so far. */
static int where(const struct server *s, char *buf, size_t size)
{
	struct plx_net_moves m;
	uint64_t handed = 0;

	plx_net_moves_get(net, &m);
	for (uint16_t i = 0; i < plx_engine_lcores(eng); i++)
		handed += plx_count_read(plx_engine_softnet(eng, i)->handed_pkts);
	return snprintf(buf, size,
		"cpu %d near %d on %d flows %u moved %lu stayed %lu dropped %lu late %lu handed "
		"%lu\n",
		s->cpu, plx_engine_near(eng, s->cpu), plx_sock_owner(s->fd), m.flows, m.conns,
		m.stayed, m.dropped, m.reordered, handed);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	char buf[4096];
	ssize_t n;

	pin(s->cpu);
	plx_sock_enter(sock);
	while ((n = plx_recv(s->fd, buf, sizeof(buf), 0)) > 0) {
		if (n == 2 && buf[0] == '?')
			n = where(s, buf, sizeof(buf));
		if (plx_send(s->fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	}
	plx_close(s->fd);
	free(s);
	return NULL;
}

/* Until a signal comes. */
static void run(char **cpus, int n)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
	int fd, listener = plx_socket(AF_INET6, SOCK_STREAM, 0); /* hears IPv4, too */
	bool more = plx_bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0 &&
		    plx_listen(listener, 100) == 0;

	puts(more ? "ready" : "cannot listen");
	fflush(stdout);
	for (int i = 0; more && (fd = plx_accept(listener, NULL, NULL)) >= 0; i++) {
		struct server *s = malloc(sizeof(*s));
		pthread_t thread;

		*s = (struct server){.fd = fd, .cpu = atoi(cpus[i % n])};
		more = pthread_create(&thread, NULL, serve, s) == 0;
		if (more)
			pthread_detach(thread);
	}
	plx_close(listener);
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv);
	struct plx_engine_conf conf = {.ops = &plx_net_ops, .idle = PLX_IDLE_SLEEP};
	struct sigaction quit = {.sa_handler = on_signal};
	uint32_t lcore[LCORES], i;
	struct plx_tunables tun;
	struct plx_prefix p;
	struct plx_error e;

	if (used < 0 || argc < used + 3)
		return EXIT_FAILURE;
	RTE_LCORE_FOREACH_WORKER(i) /* not the main one, which is ours */
	{
		if (conf.n_lcores < LCORES)
			lcore[conf.n_lcores++] = i;
	}
	if (conf.n_lcores == 0 || plx_prefix_parse(&p, argv[used + 1]) != 0 ||
		plx_pkt_init() != 0 || plx_net_ethdev_probe(&e) < 1)
		return EXIT_FAILURE;
	plx_tunables_init(&tun);
	tun.v[PLX_TUN_RPS_SOCK_FLOW_ENTRIES] = 32768; /* net.core.rps_sock_flow_entries */
	conf.lcores = lcore;
	conf.tun = &tun;
	conf.arg = net = plx_net_create(&(struct plx_net_conf){0}, &tun, &e);
	if (!net || !(eng = plx_engine_create(&conf, &e)) || plx_engine_open_ports(eng, &e) != 0 ||
		plx_net_attach(net, eng, &e) != 0 || plx_net_if_add(net, 0, 0, 0) != 1 ||
		plx_net_addr_add(net, 1, &p) != 0 || !(sock = plx_sock_create(net, NULL, &e)))
		return EXIT_FAILURE;
	sigaction(SIGINT, &quit, NULL);
	plx_engine_start(eng);
	while (!plx_engine_running(eng))
		sched_yield();
	run(argv + used + 2, argc - used - 2);
	plx_engine_stop(eng);
	plx_engine_join(eng);
	plx_sock_destroy(sock); /* closes what is open */
	plx_engine_close_ports(eng);
	plx_port_fini_all();
	used = (int)plx_engine_destroy(eng); /* mbufs that are missing */
	plx_net_destroy(net);
	rte_eal_cleanup();
	return used == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
