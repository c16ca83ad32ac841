/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An ordinary thread whose calls wait, as those of any program of Linux's; the stack has an lcore
 * of its own. Lines come back in capital letters, to one client after the other.
 *
 *   cc socket_thread.c -o socket_thread $(pkg-config --cflags --libs libplx_sock libplx_net_ethdev)
 *   ./socket_thread --no-huge --no-pci -m 128 -l 0,1 --vdev=net_tap0,iface=plx0 -- 10.9.0.2/24
 *
 * Then, as root: ip link set plx0 up && ip address add 10.9.0.1/24 dev plx0; nc 10.9.0.2 7.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include <plx_net_ethdev.h>
#include <plx_sock.h>

static void on_signal(int sig)
{
	/* no SA_RESTART: the call that waits ends with EINTR */
}

static bool serve(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = plx_read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			buf[i] = (char)toupper((unsigned char)buf[i]);
		if (plx_send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n) /* waits for room, too */
			break;
	}
	return n >= 0 || errno != EINTR;
}

/* Until a signal comes. */
static void run(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
	int fd, listener = plx_socket(AF_INET6, SOCK_STREAM, 0); /* hears IPv4, too */
	bool more = plx_bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0 &&
		    plx_listen(listener, 100) == 0;

	puts(more ? "ready" : "cannot listen");
	fflush(stdout);
	while (more && (fd = plx_accept(listener, NULL, NULL)) >= 0) {
		more = serve(fd);
		plx_close(fd);
	}
	plx_close(listener);
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv);
	uint32_t lcore = rte_get_next_lcore(-1, 1, 0); /* not the main one, which is ours */
	struct plx_engine_conf conf = {
		.ops = &plx_net_ops, .idle = PLX_IDLE_SLEEP, .lcores = &lcore, .n_lcores = 1};
	struct sigaction quit = {.sa_handler = on_signal};
	struct plx_tunables tun;
	struct plx_engine *eng;
	struct plx_sock *sock;
	struct plx_net *net;
	struct plx_prefix p;
	struct plx_error e;

	if (used < 0 || argc < used + 2 || lcore == RTE_MAX_LCORE ||
		plx_prefix_parse(&p, argv[used + 1]) != 0 || plx_pkt_init() != 0 ||
		plx_net_ethdev_probe(&e) < 1)
		return EXIT_FAILURE;
	plx_tunables_init(&tun);
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
	run();
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
