/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP echo server by Linux's calls, on the lcore where the packets arrive: nothing ever waits.
 *
 *   cc socket_echo.c -o socket_echo $(pkg-config --cflags --libs libplx_sock libplx_net_ethdev)
 *   ./socket_echo --no-huge --no-pci -m 128 -l 0 --vdev=net_tap0,iface=plx0 -- 10.9.0.2/24
 *
 * Then, as root: ip link set plx0 up && ip address add 10.9.0.1/24 dev plx0; nc 10.9.0.2 7.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include <plx_net_ethdev.h>
#include <plx_sock.h>

static struct plx_engine *eng;
static int set, listener;

static int watch(int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return plx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

/* Before the first event. */
static int start(struct plx_softnet *sn, void *arg)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(7)};

	set = plx_epoll_create1(0);
	listener = plx_socket(AF_INET6, SOCK_STREAM, 0); /* hears IPv4, too */
	return set < 0 || listener < 0 ||
	       plx_bind(listener, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	       plx_listen(listener, 100) != 0 || watch(listener) != 0;
}

/* Whoever does not read his echo in time is cut off; app/service.c waits for him. */
static void echo(int fd)
{
	char buf[4096];
	ssize_t n = plx_read(fd, buf, sizeof(buf));

	if (n <= 0 || plx_write(fd, buf, (size_t)n) != n)
		plx_close(fd);
}

/* Called when the set has got something. @return when to be called again without that. */
static plx_ns run(struct plx_softnet *sn, void *arg)
{
	struct epoll_event ev[32];
	int n = plx_epoll_wait(set, ev, 32, 0);

	for (int i = 0; i < n; i++) {
		int fd = ev[i].data.fd;

		if (fd != listener)
			echo(fd);
		else if ((fd = plx_accept(listener, NULL, NULL)) >= 0)
			watch(fd);
	}
	return n == 32 ? plx_sock_now() : PLX_NEVER;
}

static void on_signal(int sig)
{
	plx_engine_stop(eng); /* async-signal-safe */
}

int main(int argc, char **argv)
{
	struct plx_engine_conf conf = {.ops = &plx_net_ops, .idle = PLX_IDLE_SLEEP};
	int used = rte_eal_init(argc, argv);
	struct plx_sock_program program = {.start = start, .run = run};
	struct plx_tunables tun;
	struct plx_sock *sock;
	struct plx_net *net;
	struct plx_prefix p;
	struct plx_error e;

	if (used < 0 || argc < used + 2 || plx_prefix_parse(&p, argv[used + 1]) != 0 ||
		plx_pkt_init() != 0 || plx_net_ethdev_probe(&e) < 1)
		return EXIT_FAILURE;
	plx_tunables_init(&tun);
	conf.tun = &tun;
	conf.arg = net = plx_net_create(&(struct plx_net_conf){0}, &tun, &e);
	if (!net || !(eng = plx_engine_create(&conf, &e)) || plx_engine_open_ports(eng, &e) != 0 ||
		plx_net_attach(net, eng, &e) != 0 || plx_net_if_add(net, 0, 0, 0) != 1 ||
		plx_net_addr_add(net, 1, &p) != 0 || !(sock = plx_sock_create(net, NULL, &e)))
		return EXIT_FAILURE;
	plx_sock_program_add(sock, 0, &program);

	signal(SIGINT, on_signal);
	puts("ready");
	fflush(stdout);
	plx_engine_run(eng);

	plx_sock_destroy(sock); /* closes what is open */
	plx_engine_close_ports(eng);
	plx_port_fini_all();
	used = (int)plx_engine_destroy(eng); /* mbufs that are missing */
	plx_net_destroy(net);
	rte_eal_cleanup();
	return used == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
