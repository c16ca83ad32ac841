/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <stdlib.h>

#include <plx_net.h>

#include "up_tcp.h"

static_assert(UP_PORT_NAMELEN == PLX_PORT_NAMELEN, "the names of ports are as long");

/*
 * The stack on the ports: interfaces, addresses and routes from the command line or a file, and
 * small services to talk to.
 */

static const struct opt opts[] = {
	{"if", "PORT,K=V...", OPT_LIST, offsetof(struct up_conf, ifs), NULL,
		"an interface: addr=A/LEN..., group=A..., gw=A, mtu=N, vlan=ID"},
	{"route", "PREFIX,via=A[,if=NAME]", OPT_LIST, offsetof(struct up_conf, routes), NULL,
		"a route"},
	{"udp-echo", "PORT", OPT_LIST, offsetof(struct up_conf, echo), NULL, "send datagrams back"},
	{"udp-sink", "PORT", OPT_LIST, offsetof(struct up_conf, sink), NULL, "count datagrams"},
	{"tcp-echo", "PORT", OPT_LIST, offsetof(struct up_conf, tcp_echo), NULL,
		"send back what comes"},
	{"tcp-sink", "PORT", OPT_LIST, offsetof(struct up_conf, tcp_sink), NULL,
		"read and count what comes"},
	{"tcp-source", "PORT", OPT_LIST, offsetof(struct up_conf, tcp_source), NULL,
		"send as long as somebody reads: byte i is i modulo 251"},
	{"sysctl", "NAME=VALUE", OPT_LIST, offsetof(struct up_conf, sysctl), NULL,
		"a tunable under its Linux name, e.g. net.ipv4.ip_forward=1"},
	{"config", "FILE", OPT_STR, offsetof(struct up_conf, file), NULL,
		"read all of this from an INI file; see 'pollux -- config --help'"},
	{"no-offload", NULL, OPT_FLAG, offsetof(struct up_conf, no_offload), NULL,
		"checksums by software even where the device has them"},
	{NULL},
};

/** A command's whole run. */
struct up {
	struct up_conf *conf;
	struct up_plan plan;
	struct plx_tunables tun;
	struct plx_net *net;
	struct plx_net_udp *socks; /**< one for each service and lcore */
	uint32_t n_socks;
	uint64_t served[PLX_ENGINE_LCORES_MAX], errors[PLX_ENGINE_LCORES_MAX]; /**< datagrams */
	uint16_t lcores;
	struct up_tcp tcp;
};

/* ---- services ---- */

static void echo_rx(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	static const struct plx_addr any; /* chosen by the route */
	const struct plx_net_udp_msg reply = {
		.src = msg->to_many ? any : msg->dst,
		.dst = msg->src,
		.sport = msg->dport,
		.dport = msg->sport,
		.iface = plx_addr_is_linklocal(&msg->src) ? msg->iface : 0,
	};

	plx_count(((struct up *)s->user)->served[sn->index], 1);
	plx_net_udp_send(sn, m, &reply);
}

/* Its datagrams are counted as delivered already. */
static void sink_rx(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	plx_count(((struct up *)s->user)->served[sn->index], 1);
	rte_pktmbuf_free(m);
}

/* Nobody is there for our answer. */
static void echo_error(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_net_error *e,
	const struct plx_net_udp_msg *msg)
{
	plx_count(((struct up *)s->user)->errors[sn->index], 1);
}

static const struct plx_net_udp_ops echo_ops = {.rx = echo_rx, .error = echo_error};
static const struct plx_net_udp_ops sink_ops = {.rx = sink_rx};

/* A socket of each lcore, sharing the port: flows stay where they arrive or belong. */
static int open_service(struct up *up, struct plx_engine *eng, const struct up_service *service,
	struct plx_error *e)
{
	for (uint16_t i = 0; i < plx_engine_lcores(eng); i++) {
		struct plx_net_udp *s = &up->socks[up->n_socks];
		int err;

		*s = (struct plx_net_udp){
			.ops = service->kind == UP_UDP_SINK ? &sink_ops : &echo_ops,
			.user = up,
			.lport = service->port,
			.home = i,
			.reuseport = true,
		};
		err = plx_net_udp_open(up->net, s);
		if (err)
			return plx_error_set(e, err, PLX_ERR_RUN, "a UDP socket", strerror(-err));
		up->n_socks++;
	}
	return 0;
}

static int open_services(struct up *up, struct plx_engine *eng, struct plx_error *e)
{
	const struct up_plan *p = &up->plan;
	int err = 0;

	up->socks = calloc(p->n_service * plx_engine_lcores(eng) + 1, sizeof(*up->socks));
	if (!up->socks)
		return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "UDP sockets");
	for (uint32_t i = 0; !err && i < p->n_service; i++)
		err = up_is_tcp(&p->service[i]) ? up_tcp_open(&up->tcp, up->net, &p->service[i], e)
						: open_service(up, eng, &p->service[i], e);
	return err;
}

/* ---- interfaces ---- */

static int add_if(struct up *up, struct up_if *f, struct plx_error *e)
{
	struct plx_port *p = plx_port_find(f->port);
	int index, err;

	if (!p)
		return plx_error_set(e, -ENODEV, PLX_ERR_PORT_UNKNOWN, f->port);
	if (f->mtu && !f->vlan) {
		err = plx_port_set_mtu(p, f->mtu);
		if (err)
			return plx_error_set(
				e, err, PLX_ERR_IF_SPEC, f->text, "the port refuses this MTU");
	}
	index = plx_net_if_add(up->net, p->id, f->vlan, f->mtu);
	if (index < 0)
		return plx_error_set(e, index, PLX_ERR_IF_SPEC, f->text,
			index == -EEXIST   ? "this port and VLAN are an interface already"
			: index == -EINVAL ? "a port without Ethernet has no VLANs"
					   : strerror(-index));
	for (uint32_t i = 0; i < f->n_addr; i++) {
		err = plx_net_addr_add(up->net, (uint16_t)index, &f->addr[i]);
		if (err)
			return plx_error_set(e, err, PLX_ERR_IF_SPEC, f->text,
				err == -EEXIST ? "an address is given twice"
					       : "an address that no host can have");
	}
	for (uint32_t i = 0; i < f->n_group; i++) {
		err = plx_net_group_join(up->net, (uint16_t)index, &f->group[i]);
		if (err)
			return plx_error_set(e, err, PLX_ERR_IF_SPEC, f->text, strerror(-err));
	}
	for (uint32_t i = 0; i < f->n_gw; i++) {
		struct plx_net_route r = {
			.via = f->gw[i], .iface = (uint16_t)index, .proto = PLX_NET_PROTO_STATIC};

		plx_prefix_parse(&r.dst, plx_addr_is_v4(&f->gw[i]) ? "0.0.0.0/0" : "::/0");
		err = plx_net_route_add(up->net, &r);
		if (err)
			return plx_error_set(
				e, err, PLX_ERR_IF_SPEC, f->text, "a default route exists already");
	}
	return 0;
}

static int add_route(struct up *up, struct up_route *r, struct plx_error *e)
{
	struct plx_net_route route = {.dst = r->dst, .via = r->via, .proto = PLX_NET_PROTO_STATIC};
	int err;

	if (r->iface[0]) {
		int i = plx_net_if_find(up->net, r->iface);
		const struct plx_port *p = plx_port_find(r->iface);

		if (i < 0 && p)
			i = plx_net_if_find(up->net, p->name);
		if (i < 0)
			return plx_error_set(
				e, -ENODEV, PLX_ERR_ROUTE_SPEC, r->text, "no such interface");
		route.iface = (uint16_t)i;
	}
	err = plx_net_route_add(up->net, &route);
	if (err)
		return plx_error_set(e, err, PLX_ERR_ROUTE_SPEC, r->text,
			err == -ENETUNREACH ? "the gateway is on none of our networks"
			: err == -EEXIST    ? "this route exists already"
					    : strerror(-err));
	return 0;
}

static int begin(struct app_run *run, struct plx_error *e)
{
	struct up *up = run->arg;
	int err = plx_net_attach(up->net, run->eng, e);

	up->lcores = plx_engine_lcores(run->eng);
	for (uint32_t i = 0; !err && i < up->plan.n_if; i++)
		err = add_if(up, &up->plan.ifs[i], e);
	for (uint32_t i = 0; !err && i < up->plan.n_route; i++)
		err = add_route(up, &up->plan.routes[i], e);
	return err ? err : open_services(up, run->eng, e);
}

/* All lcores run. */
static int ready(struct app_run *run, struct plx_error *e)
{
	int err = plx_net_telem_add(((struct up *)run->arg)->net);

	return err ? plx_error_set(e, err, PLX_ERR_RUN, "telemetry", strerror(-err)) : 0;
}

static void end(struct app_run *run)
{
	struct up *up = run->arg;

	plx_net_telem_del();
	while (up->n_socks)
		plx_net_udp_close(up->net, &up->socks[--up->n_socks]);
	up_tcp_close(&up->tcp, up->net);
}

/* ---- report ---- */

static uint64_t held(struct app_run *run)
{
	return plx_net_held(((struct up *)run->arg)->net);
}

/* The sum of one counter of each lcore. */
static uint64_t sum(const struct up *up, const uint64_t *each)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < up->lcores; i++)
		n += plx_count_read(each[i]);
	return n;
}

static void json_counter(json_t *o, const struct up *up, const char *name, const uint64_t *each)
{
	json_t *list = json_array();
	char by[64];

	for (uint16_t i = 0; i < up->lcores; i++)
		json_array_append_new(list, json_integer((json_int_t)plx_count_read(each[i])));
	snprintf(by, sizeof(by), "%s_by_lcore", name);
	json_object_set_new(o, name, json_integer((json_int_t)sum(up, each)));
	json_object_set_new(o, by, list);
}

static void json(struct app_run *run, json_t *o, bool final)
{
	const struct up *up = run->arg;

	json_counter(o, up, "udp_served", up->served);
	json_counter(o, up, "udp_errors", up->errors);
	json_counter(o, up, "tcp_accepted", up->tcp.accepted);
	json_counter(o, up, "tcp_received", up->tcp.received);
	json_counter(o, up, "tcp_sent", up->tcp.sent);
}

static void text(struct app_run *run, FILE *out)
{
	const struct up *up = run->arg;

	fprintf(out, "udp services: %llu datagrams, %llu errors\n",
		(unsigned long long)sum(up, up->served), (unsigned long long)sum(up, up->errors));
	if (up->tcp.n)
		fprintf(out,
			"tcp services: %llu connections, %llu bytes received, %llu bytes sent\n",
			(unsigned long long)sum(up, up->tcp.accepted),
			(unsigned long long)sum(up, up->tcp.received),
			(unsigned long long)sum(up, up->tcp.sent));
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	static struct up_plan plan; /* parsed again by run(): here it only has to be right */

	return up_plan(arg, &plan, e);
}

static int run(struct app *app, void *arg)
{
	struct up up = {.conf = arg};
	struct app_run_ops ops = {.engine = plx_net_ops,
		.begin = begin,
		.up = ready,
		.end = end,
		.held = held,
		.json = json,
		.text = text};
	struct app_run r = {.app = app, .ops = &ops, .mode = "", .arg = &up};
	const struct plx_net_conf nc = {.seed = app->run.seed};
	int code;

	if (up_plan(up.conf, &up.plan, &r.error) != 0)
		return app_fail(&r.error);
	plx_tunables_init(&up.tun);
	for (uint32_t i = 0; i < up.plan.n_sysctl; i++)
		plx_tunable_set(&up.tun, up.plan.sysctl[i].id, up.plan.sysctl[i].value);
	up.net = plx_net_create(&nc, &up.tun, &r.error);
	if (!up.net)
		return app_fail(&r.error);
	r.tun = &up.tun;
	r.conf.spare_lcores = true;
	if (up.conf->no_offload)
		r.conf.features_off =
			PLX_PORT_F_RX_CSUM | PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4;
	code = app_run(&r);
	plx_net_destroy(up.net);
	free(up.socks);
	return code;
}

const struct plx_cmd cmd_up = {
	.name = "up",
	.summary = "run the stack on the ports: ARP, ND, IP, ICMP, UDP, TCP",
	.text = "Brings interfaces up on the ports and runs the stack: answers ARP, neighbour "
		"discovery\n"
		"and ping, forwards if told to, and serves echo, sink and source ports.\n"
		"\n"
		"Examples:\n"
		"  pollux --no-pci --no-huge -m 128 --vdev=net_tap0,iface=plx0 -- \\\n"
		"    up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 --udp-echo 7 --tcp-echo 7\n"
		"  pollux ... -- up --if 0,addr=10.1.0.1/24 --if 1,addr=10.2.0.1/24 \\\n"
		"    --sysctl net.ipv4.ip_forward=1\n"
		"  pollux ... -- up --port v=vtap,iface=plx0 --if v,addr=10.9.0.2/24\n"
		"  pollux ... -- up --if net_tap0,vlan=5,addr=10.5.0.2/24,gw=10.5.0.1\n"
		"  pollux ... -- up --config host.ini",
	.opts = opts,
	.conf_bytes = sizeof(struct up_conf),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.check = check,
	.run = run,
};
