/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <stdlib.h>

#include "stack.h"
#include "up_tcp.h"

/*
 * The stack on the ports: interfaces, addresses and routes from the command line or a file, and
 * small services to talk to.
 */

#define FIELD(kind) offsetof(struct up_conf, service[kind])
static const struct opt opts[] = {
	{"udp-echo", "PORT", OPT_LIST, FIELD(UP_UDP_ECHO), NULL, "send datagrams back"},
	{"udp-sink", "PORT", OPT_LIST, FIELD(UP_UDP_SINK), NULL, "count datagrams"},
	{"tcp-echo", "PORT", OPT_LIST, FIELD(UP_TCP_ECHO), NULL, "send back what comes"},
	{"tcp-sink", "PORT", OPT_LIST, FIELD(UP_TCP_SINK), NULL, "read and count what comes"},
	{"tcp-source", "PORT", OPT_LIST, FIELD(UP_TCP_SOURCE), NULL,
		"send as long as somebody reads: byte i is i modulo 251"},
	{NULL},
};

/** A command's whole run. */
struct up {
	struct stack stack;
	struct plx_net_udp *socks; /**< one for each service and lcore */
	uint32_t n_socks;
	uint64_t served[PLX_ENGINE_LCORES_MAX], errors[PLX_ENGINE_LCORES_MAX]; /**< datagrams */
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
		err = plx_net_udp_open(up->stack.net, s);
		if (err)
			return plx_error_set(e, err, PLX_ERR_RUN, "a UDP socket", strerror(-err));
		up->n_socks++;
	}
	return 0;
}

static int open_services(struct stack *s, struct plx_error *e)
{
	struct up *up = s->arg;
	const struct up_plan *p = &s->plan;
	int err = 0;

	up->socks = calloc(p->n_service * s->lcores + 1, sizeof(*up->socks));
	if (!up->socks)
		return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "UDP sockets");
	for (uint32_t i = 0; !err && i < p->n_service; i++)
		err = up_is_tcp(&p->service[i])
			      ? up_tcp_open(&up->tcp, up->stack.net, &p->service[i], e)
			      : open_service(up, s->eng, &p->service[i], e);
	return err;
}

static void close_services(struct stack *s)
{
	struct up *up = s->arg;

	while (up->n_socks)
		plx_net_udp_close(s->net, &up->socks[--up->n_socks]);
	up_tcp_close(&up->tcp, s->net);
	free(up->socks);
	up->socks = NULL;
}

/* ---- report ---- */

static void json(struct stack *s, json_t *o, bool final)
{
	const struct up *up = s->arg;

	stack_json_counter(o, "udp_served", up->served, s->lcores);
	stack_json_counter(o, "udp_errors", up->errors, s->lcores);
	stack_json_counter(o, "tcp_accepted", up->tcp.accepted, s->lcores);
	stack_json_counter(o, "tcp_received", up->tcp.received, s->lcores);
	stack_json_counter(o, "tcp_sent", up->tcp.sent, s->lcores);
}

static bool has_tcp(const struct up_plan *p)
{
	for (uint32_t i = 0; i < p->n_service; i++)
		if (up_is_tcp(&p->service[i]))
			return true;
	return false;
}

static void text(struct stack *s, FILE *out)
{
	const struct up *up = s->arg;

	fprintf(out, "udp services: %llu datagrams, %llu errors\n",
		(unsigned long long)stack_sum(up->served, s->lcores),
		(unsigned long long)stack_sum(up->errors, s->lcores));
	if (has_tcp(&s->plan))
		fprintf(out,
			"tcp services: %llu connections, %llu bytes received, %llu bytes sent\n",
			(unsigned long long)stack_sum(up->tcp.accepted, s->lcores),
			(unsigned long long)stack_sum(up->tcp.received, s->lcores),
			(unsigned long long)stack_sum(up->tcp.sent, s->lcores));
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	return stack_check(app, arg, e);
}

static int run(struct app *app, void *arg)
{
	static const struct stack_ops ops = {
		.begin = open_services,
		.end = close_services,
		.json = json,
		.text = text,
	};
	static struct up up;

	up.stack = (struct stack){.app = app, .ops = &ops, .services = arg, .arg = &up};
	return stack_run(&up.stack);
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
	.stack = true,
	.check = check,
	.run = run,
};
