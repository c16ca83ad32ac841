/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pollux's side: a stack on one end of the in-memory pipe, whose other end nobody listens to. The
 * rows run in an ordinary thread; ORACLE_LCORES says how many lcores there are (2).
 */
#include "kit.h"

#include <sched.h>
#include <sys/resource.h>

#include <rte_eal.h>

#include <plx_resolv.h>

#define FD_BASE 512 /* ours are above, the kernel's below: all fit into an fd_set */

static struct {
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_sock *sock;
	struct plx_resolv *resolv;
	uint32_t resolvers; /* sockets of theirs, which are open to the end */
	struct plx_tunables tun;
	cpu_set_t cpus;
	int (*rows)(void);
	int code;
	int lan;
} w;

void settle(void)
{
	nap_ms(10);
}

unsigned int lan_index(void)
{
	return (unsigned int)w.lan;
}

struct frame {
	const void *p;
	size_t bytes;
};

static void send_frame(struct plx_softnet *sn, void *arg)
{
	const struct frame *f = arg;
	struct rte_mbuf *m = plx_softnet_alloc(sn);

	if (!m)
		return;
	memcpy(rte_pktmbuf_append(m, (uint16_t)f->bytes), f->p, f->bytes);
	plx_pkt_originate(1);
	plx_softnet_tx(sn, plx_port_find("nobody")->id, m);
}

/* By the other end of the pipe. */
void lan_in(const void *frame, size_t bytes)
{
	struct frame f = {frame, bytes};

	plx_softnet_call(plx_engine_softnet(w.eng, 0), send_frame, &f);
}

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void fail_with(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	exit(1);
}

/* As many lcores as asked for, on the CPUs that there are, in turn. */
static void init_eal(char *name)
{
	const char *wanted = getenv("ORACLE_LCORES");
	char lcores[200] = "--lcores=";
	char *args[] = {name, (char[]){"--no-huge"}, (char[]){"--no-pci"}, (char[]){"--no-shconf"},
		(char[]){"--no-telemetry"}, (char[]){"--log-level=error"}, (char[]){"-m"},
		(char[]){"512"}, lcores};
	int n = wanted ? atoi(wanted) : 2, cpu = -1;

	sched_getaffinity(0, sizeof(w.cpus), &w.cpus);
	for (int i = 0; i < n && i < 8; i++) {
		do
			cpu = (cpu + 1) % CPU_SETSIZE;
		while (!CPU_ISSET(cpu, &w.cpus));
		sprintf(lcores + strlen(lcores), "%s%d@%d", i ? "," : "", i, cpu);
	}
	if (rte_eal_init((int)(sizeof(args) / sizeof(args[0])), args) < 0 || plx_pkt_init() != 0)
		fail("EAL does not start");
}

static void add_address(const char *text)
{
	struct plx_prefix p;

	if (plx_prefix_parse(&p, text) != 0 || plx_net_addr_add(w.net, (uint16_t)w.lan, &p) != 0)
		fail(text);
}

static void add_route(const char *text, uint8_t type)
{
	struct plx_net_route r = {.type = type, .proto = PLX_NET_PROTO_STATIC};

	if (plx_prefix_parse(&r.dst, text) != 0 || plx_net_route_add(w.net, &r) != 0)
		fail(text);
}

static void make_world(void)
{
	struct plx_sock_conf conf = {.files = 256, .fd_base = FD_BASE};
	struct plx_resolv_conf names = {.file = world_file(RESOLV), .hosts = world_file(HOSTS)};
	struct plx_error e;

	plx_tunables_init(&w.tun);
	w.tun.v[PLX_TUN_DAD_TRANSMITS] = 0;
	if (plx_port_create(LAN "=pipe,peer=nobody", &e) != 0)
		fail_with(&e);
	w.net = plx_net_create(&(struct plx_net_conf){.seed = 1}, &w.tun, &e);
	if (!w.net)
		fail_with(&e);
	w.eng = plx_engine_create(&(struct plx_engine_conf){.ops = &plx_net_ops,
					  .arg = w.net,
					  .tun = &w.tun,
					  .idle = PLX_IDLE_SLEEP,
					  .spare_lcores = true},
		&e);
	if (!w.eng || plx_engine_open_ports(w.eng, &e) != 0 ||
		plx_net_attach(w.net, w.eng, &e) != 0)
		fail_with(&e);
	w.lan = plx_net_if_add(w.net, plx_port_find(LAN)->id, 0, 0);
	if (w.lan < 0)
		fail(LAN);
	add_address(A1 "/24");
	add_address(A2 "/24");
	add_address(B1 "/64");
	add_address(B2 "/64");
	add_route("10.66.0.0/16", PLX_NET_ROUTE_UNREACHABLE);
	add_route("10.67.0.0/16", PLX_NET_ROUTE_BLACKHOLE);
	w.sock = plx_sock_create(w.net, &conf, &e);
	if (!w.sock)
		fail_with(&e);
	w.resolv = plx_resolv_create(w.net, w.sock, &names, &e);
	if (!w.resolv)
		fail_with(&e);
	unlink(names.file);
	unlink(names.hosts);
}

static void nothing(struct plx_softnet *sn, void *arg)
{
}

static void *run_rows(void *arg)
{
	while (!plx_engine_running(w.eng))
		nap_ms(1);
	/* messages come before programs in a pass: behind the second one these have started */
	for (uint16_t i = 0; i < 2 * plx_engine_lcores(w.eng); i++)
		plx_softnet_call(plx_engine_softnet(w.eng, i / 2), nothing, NULL);
	w.resolvers = plx_sock_count(w.sock);
	w.code = w.rows();
	plx_engine_stop(w.eng);
	return NULL;
}

static int end(void)
{
	uint32_t leaked, open = plx_sock_count(w.sock) - w.resolvers;

	plx_resolv_destroy(w.resolv);
	plx_sock_destroy(w.sock);
	plx_engine_close_ports(w.eng);
	plx_port_fini_all();
	leaked = plx_engine_destroy(w.eng);
	plx_net_destroy(w.net);
	rte_eal_cleanup();
	if (open)
		fprintf(stderr, "%u sockets are still open\n", open);
	if (leaked)
		fprintf(stderr, "%u mbufs have leaked\n", leaked);
	return open || leaked;
}

int side_main(int argc, char **argv, int (*main_rows)(void))
{
	struct rlimit files = {FD_BASE, FD_BASE};
	pthread_attr_t attr;
	pthread_t thread;
	int bad;

	w.rows = main_rows;
	setrlimit(RLIMIT_NOFILE, &files);
	init_eal(argv[0]);
	make_world();
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(w.cpus), &w.cpus);
	if (pthread_create(&thread, &attr, run_rows, NULL) != 0)
		fail("no thread");
	plx_engine_run(w.eng);
	pthread_join(thread, NULL);
	bad = end();
	return w.code ? w.code : bad;
}
