/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two stacks in a process: what the one has had of descriptors the other gets when it is gone; an
 * lcore is of one of them; and no set of one lcore watches one of another's.
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include <plx_sock.h>

#define FILES 256

#define must(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s: errno %d\n", __FILE__, __LINE__, #x, errno);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct plx_tunables tun;

struct stack {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_sock *sock;
	struct plx_sock_program prog;
	int set; /* its program's */
};

static struct plx_sock *make_sockets(struct stack *s)
{
	struct plx_error e;

	return plx_sock_create(
		s->net, &(struct plx_sock_conf){.files = FILES, .bytes = 1 << 20}, &e);
}

static void make(struct stack *s, const uint32_t *lcores, uint16_t n, const char *port)
{
	struct plx_engine_conf ec = {.ops = &plx_net_ops,
		.tun = &tun,
		.idle = PLX_IDLE_SLEEP,
		.spare_lcores = true,
		.lcores = lcores,
		.n_lcores = n,
		.ports = 1u << plx_port_find(port)->id};
	struct plx_error e;

	*s = (struct stack){.set = -1};
	s->net = plx_net_create(&(struct plx_net_conf){.udp_sockets = 64}, &tun, &e);
	must(s->net);
	ec.arg = s->net;
	s->eng = plx_engine_create(&ec, &e);
	must(s->eng && plx_engine_open_ports(s->eng, &e) == 0);
	must(plx_net_attach(s->net, s->eng, &e) == 0);
}

static void start(struct stack *s)
{
	plx_engine_start(s->eng);
	while (!plx_engine_running(s->eng))
		sched_yield();
}

static void stop(struct stack *s)
{
	plx_engine_stop(s->eng);
	must(plx_engine_join(s->eng) == 0);
}

static void end(struct stack *s)
{
	plx_sock_destroy(s->sock);
	plx_engine_close_ports(s->eng);
	must(plx_engine_destroy(s->eng) == 0);
	plx_net_destroy(s->net);
}

/* Sockets of s, for an ordinary thread: as many as one lcore has in a piece, and one more. */
static void use(const struct stack *s)
{
	int fd[65];

	plx_sock_enter(s->sock);
	for (size_t i = 0; i < PLX_DIM(fd); i++) {
		fd[i] = plx_socket(AF_INET, SOCK_DGRAM, 0);
		must(fd[i] >= 0);
	}
	for (size_t i = 0; i < PLX_DIM(fd); i++)
		must(plx_close(fd[i]) == 0);
	plx_sock_enter(NULL);
}

/* One stack after the other has more of them than there are. */
static void slots_come_back(void)
{
	static const uint32_t lcores[] = {2};
	struct stack s;

	for (int i = 0; i < 2 * FILES / 64; i++) {
		make(&s, lcores, 1, "b");
		s.sock = make_sockets(&s);
		must(s.sock);
		start(&s);
		use(&s);
		stop(&s);
		end(&s);
	}
}

static int pollers(const struct stack *s)
{
	int n = 0;

	for (uint16_t i = 0; i < plx_engine_lcores(s->eng); i++)
		for (const struct plx_poller *p = plx_engine_softnet(s->eng, i)->pollers; p;
			p = p->next)
			n++;
	return n;
}

/* It has sockets: others would take its calls. */
static void an_lcore_has_one_kind_of_sockets(void)
{
	static const uint32_t lcores[] = {2};
	struct stack s;
	int n;

	make(&s, lcores, 1, "b");
	s.sock = make_sockets(&s);
	must(s.sock);
	n = pollers(&s);
	must(!make_sockets(&s));
	must(pollers(&s) == n);
	start(&s);
	use(&s);
	stop(&s);
	end(&s);
}

/* ---- sets ---- */

static int make_set(struct plx_softnet *sn, void *arg)
{
	struct stack *s = arg;

	s->set = plx_epoll_create1(0);
	return s->set < 0;
}

static plx_ns nothing(struct plx_softnet *sn, void *arg)
{
	return PLX_NEVER;
}

static void sets_stay_on_an_lcore(void)
{
	static const uint32_t lcores[] = {2, 3};
	struct epoll_event ev = {.events = EPOLLIN};
	struct stack s;
	int set;

	make(&s, lcores, 2, "b");
	s.sock = make_sockets(&s);
	must(s.sock);
	s.prog = (struct plx_sock_program){.start = make_set, .run = nothing, .arg = &s};
	plx_sock_program_add(s.sock, 1, &s.prog);
	start(&s);
	while (__atomic_load_n(&s.set, __ATOMIC_ACQUIRE) < 0)
		sched_yield();
	plx_sock_enter(s.sock);
	set = plx_epoll_create1(0);
	must(set >= 0 && plx_sock_owner(set) != plx_sock_owner(s.set));
	must(plx_epoll_ctl(set, EPOLL_CTL_ADD, s.set, &ev) == -1 && errno == EXDEV);
	must(plx_epoll_ctl(set, EPOLL_CTL_MOD, s.set, &ev) == -1 && errno == ENOENT);
	ev.events = EPOLLIN | EPOLLEXCLUSIVE;
	must(plx_epoll_ctl(set, EPOLL_CTL_ADD, s.set, &ev) == -1 && errno == EINVAL);
	must(plx_close(set) == 0);
	plx_sock_enter(NULL);
	stop(&s);
	end(&s);
}

int main(int argc, char **argv)
{
	char *args[] = {argv[0], (char[]){"--no-huge"}, (char[]){"--no-pci"},
		(char[]){"--no-shconf"}, (char[]){"--no-telemetry"}, (char[]){"--log-level=error"},
		(char[]){"-m"}, (char[]){"512"}, (char[]){"--lcores=(0-3)@(0,1)"}};
	static const uint32_t lcores[] = {1};
	struct plx_error e;
	struct stack first;

	must(rte_eal_init(PLX_DIM(args), args) >= 0 && plx_pkt_init() == 0);
	plx_tunables_init(&tun);
	must(plx_port_create("a=pipe,peer=nobody1", &e) == 0);
	must(plx_port_create("b=pipe,peer=nobody2", &e) == 0);
	make(&first, lcores, 1, "a");
	first.sock = make_sockets(&first);
	must(first.sock);
	start(&first);
	slots_come_back();
	an_lcore_has_one_kind_of_sockets();
	sets_stay_on_an_lcore();
	use(&first);
	stop(&first);
	end(&first);
	plx_port_fini_all();
	rte_eal_cleanup();
	return 0;
}
