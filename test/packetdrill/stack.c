/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#define MBUFS	   8191 /* of 2 KB: the receive buffer of 15 MB that scripts ask for */
#define TCP_BYTES  (16 << 20)
#define LOOK_NS	   PLX_US(1)   /* what a look at the clock takes */
#define SETTLE_NS  PLX_SEC(10) /* what a stack says of itself when it comes up is said then */
#define PASSES_MAX 100000

static struct {
	pthread_mutex_t lock;
	plx_ns now_ns;
	bool up, verbose;
	struct plx_clock clock;
	struct plx_net *net;
	struct plx_engine *eng;
	struct plx_sock *sock;
} st = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct plx_tunables pd_tunables;

/* ---- the clock ---- */

plx_ns pd_now(void)
{
	return __atomic_load_n(&st.now_ns, __ATOMIC_ACQUIRE);
}

plx_ns pd_now_tick(void)
{
	return __atomic_add_fetch(&st.now_ns, LOOK_NS, __ATOMIC_ACQ_REL);
}

static plx_ns clock_now(void *arg)
{
	return pd_now();
}

static void set_now(plx_ns when)
{
	if (when > pd_now())
		__atomic_store_n(&st.now_ns, when, __ATOMIC_RELEASE);
}

/* ---- steps ---- */

static void lock(void *arg)
{
	pthread_mutex_lock(&st.lock);
}

static void unlock(void *arg)
{
	pthread_mutex_unlock(&st.lock);
}

static bool run_locked(void)
{
	int passes = 0;

	while (plx_engine_step(st.eng, 0))
		if (++passes > PASSES_MAX)
			pd_die("the engine never comes to rest");
	return passes > 0;
}

void pd_stack_run(void)
{
	lock(NULL);
	if (run_locked())
		pd_thread_wake();
	unlock(NULL);
}

/* At this moment all has been done, and nobody is on his way. */
static void settle(void)
{
	do
		pd_stack_run();
	while (pd_thread_settle());
}

static plx_ns deadline(void)
{
	plx_ns when;

	lock(NULL);
	when = plx_engine_deadline(st.eng);
	unlock(NULL);
	return PLX_MIN(when, pd_thread_deadline());
}

bool pd_stack_until(plx_ns when, bool (*stop)(void *arg), void *arg)
{
	for (int stops = 0;; stops++) {
		plx_ns due;

		if (stops > PASSES_MAX)
			pd_die("timers fire without end");
		settle();
		if (stop && stop(arg))
			return true;
		due = deadline();
		if (due == PLX_NEVER && when == PLX_NEVER)
			return false;
		if (due > when)
			break;
		set_now(due);
		pd_thread_wake();
	}
	set_now(when);
	pd_thread_wake();
	settle();
	return stop && stop(arg);
}

void pd_stack_input(const void *packet, size_t bytes)
{
	lock(NULL);
	pd_wire_put(packet, bytes);
	if (run_locked())
		pd_thread_wake();
	unlock(NULL);
}

/* ---- life ---- */

/* On the first CPU that we may use; afterwards on all of them again. */
static void start_eal(void)
{
	char name[] = "packetdrill", huge[] = "--no-huge", pci[] = "--no-pci", mem[] = "-m",
	     mib[] = "128", files[] = "--no-shconf", tel[] = "--no-telemetry", l[] = "-l", cpu[8],
	     prefix[] = "--file-prefix", unique[40], level[] = "--log-level=error";
	char *argv[] = {name, huge, pci, mem, mib, files, tel, l, cpu, prefix, unique, level};
	cpu_set_t cpus;
	unsigned int i = 0;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		pd_die("cannot ask for the CPUs: %s", strerror(errno));
	while (i < CPU_SETSIZE - 1 && !CPU_ISSET(i, &cpus))
		i++;
	snprintf(cpu, sizeof(cpu), "%u", i);
	snprintf(unique, sizeof(unique), "plx-packetdrill-%d", (int)getpid());
	if (rte_eal_init((int)PLX_DIM(argv), argv) < 0)
		pd_die("EAL did not start: %s", rte_strerror(rte_errno));
	rmdir(rte_eal_get_runtime_dir()); /* it is empty; a script that fails would leave it */
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void must(int err, const char *what, const struct plx_error *e)
{
	if (err < 0)
		pd_die("%s: %s", what, e && *e->text ? e->text : strerror(-err));
}

static void must_have(const void *p, const char *what, const struct plx_error *e)
{
	if (!p)
		pd_die("%s: %s", what, e->text);
}

static void make_stack(void)
{
	const struct plx_net_conf nc = {.seed = 1, .udp_sockets = 64, .tcp_bytes = TCP_BYTES};
	struct plx_engine_conf ec = {.ops = &plx_net_ops,
		.tun = &pd_tunables,
		.clock = &st.clock,
		.seed = 1,
		.rxd = PLX_PORT_BURST,
		.txd = 1024,
		.mbufs = MBUFS};
	const struct plx_sock_conf sc = {
		.files = 1024, .bytes = TCP_BYTES, .lock = lock, .unlock = unlock};
	struct plx_error e = {0};

	st.clock = (struct plx_clock){.now = clock_now};
	st.net = plx_net_create(&nc, &pd_tunables, &e);
	must_have(st.net, "the stack", &e);
	ec.arg = st.net;
	st.eng = plx_engine_create(&ec, &e);
	must_have(st.eng, "the engine", &e);
	must(plx_engine_open_ports(st.eng, &e), "the port", &e);
	must(plx_net_attach(st.net, st.eng, &e), "the stack", &e);
	st.sock = plx_sock_create(st.net, &sc, &e);
	must_have(st.sock, "the sockets", &e);
}

static void add_address(int iface, const struct plx_prefix *p)
{
	const struct plx_addr any4 = plx_addr_from_v4((const uint8_t[]){0, 0, 0, 0});
	struct plx_net_route all = {.iface = (uint16_t)iface, .proto = PLX_NET_PROTO_STATIC};

	if (!p->len)
		return;
	if (plx_addr_is_v4(&p->addr))
		all.dst = (struct plx_prefix){.addr = any4, .len = 96};
	must(plx_net_addr_add(st.net, (uint16_t)iface, p), "an address", NULL);
	must(plx_net_route_add(st.net, &all), "a route", NULL);
}

struct plx_sock *pd_stack_start(const struct pd_flags *f)
{
	struct pd_packet *p;
	int iface;

	st.verbose = f->verbose;
	st.now_ns = PLX_SEC(1);
	start_eal();
	must(plx_pkt_init(), "mbufs", NULL);
	plx_tunables_init(&pd_tunables);
	plx_tunable_set(&pd_tunables, PLX_TUN_DAD_TRANSMITS, 0);
	plx_tunable_set(&pd_tunables, PLX_TUN_RTR_SOLICITS, 0);
	if (!pd_wire_add(f->mtu))
		pd_die("no memory for the port");
	make_stack();
	iface = plx_net_if_add(st.net, 0, 0, 0);
	must(iface, "the interface", NULL);
	add_address(iface, &f->ip4);
	add_address(iface, &f->ip6);
	must(plx_engine_step_begin(st.eng), "the engine", NULL);
	st.up = true;
	pd_stack_until(pd_now() + SETTLE_NS, NULL, NULL);
	while ((p = pd_wire_get()))
		free(p);
	return st.sock;
}

/* What the script could not see: drops by reason. */
static void tell(const struct plx_acct *sum)
{
	for (int i = 1; i < PLX_DROP_MAX; i++)
		if (sum->drop[i])
			fprintf(stderr, "libplx_packetdrill: %lu dropped: %s, %s\n", sum->drop[i],
				plx_drop_info[i].name, plx_drop_info[i].text);
}

void pd_stack_stop(void)
{
	struct plx_acct sum;
	uint64_t in, out;
	uint32_t missing;

	st.up = false;
	plx_engine_step_end(st.eng);
	plx_sock_destroy(st.sock);
	plx_engine_close_ports(st.eng);
	missing = plx_engine_destroy(st.eng);
	plx_net_destroy(st.net);
	plx_port_fini_all();
	plx_acct_sum(&sum);
	in = sum.rx_pkts + sum.originated_pkts;
	out = sum.tx_pkts + sum.delivered_pkts + plx_acct_drops(&sum);
	if (st.verbose)
		tell(&sum);
	if (missing || in != out)
		pd_die("at the end %u mbufs are missing; %lu packets in, %lu out", missing, in,
			out);
	rte_eal_cleanup();
}
