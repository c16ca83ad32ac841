/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack.h"

#include <errno.h>

static_assert(UP_PORT_NAMELEN == PLX_PORT_NAMELEN, "the names of ports are as long");

/* ---- interfaces ---- */

static int add_if(struct stack *s, struct up_if *f, struct plx_error *e)
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
	index = plx_net_if_add(s->net, p->id, f->vlan, f->mtu);
	if (index < 0)
		return plx_error_set(e, index, PLX_ERR_IF_SPEC, f->text,
			index == -EEXIST   ? "this port and VLAN are an interface already"
			: index == -EINVAL ? "a port without Ethernet has no VLANs"
					   : strerror(-index));
	if (f == &s->plan.ifs[0])
		s->first_if = (uint16_t)index;
	for (uint32_t i = 0; i < f->n_addr; i++) {
		err = plx_net_addr_add(s->net, (uint16_t)index, &f->addr[i]);
		if (err)
			return plx_error_set(e, err, PLX_ERR_IF_SPEC, f->text,
				err == -EEXIST ? "an address is given twice"
					       : "an address that no host can have");
	}
	for (uint32_t i = 0; i < f->n_group; i++) {
		err = plx_net_group_join(s->net, (uint16_t)index, &f->group[i]);
		if (err)
			return plx_error_set(e, err, PLX_ERR_IF_SPEC, f->text, strerror(-err));
	}
	for (uint32_t i = 0; i < f->n_gw; i++) {
		struct plx_net_route r = {
			.via = f->gw[i], .iface = (uint16_t)index, .proto = PLX_NET_PROTO_STATIC};

		plx_prefix_parse(&r.dst, plx_addr_is_v4(&f->gw[i]) ? "0.0.0.0/0" : "::/0");
		err = plx_net_route_add(s->net, &r);
		if (err)
			return plx_error_set(
				e, err, PLX_ERR_IF_SPEC, f->text, "a default route exists already");
	}
	return 0;
}

static int add_route(struct stack *s, struct up_route *r, struct plx_error *e)
{
	struct plx_net_route route = {.dst = r->dst, .via = r->via, .proto = PLX_NET_PROTO_STATIC};
	int err;

	if (r->iface[0]) {
		int i = plx_net_if_find(s->net, r->iface);
		const struct plx_port *p = plx_port_find(r->iface);

		if (i < 0 && p)
			i = plx_net_if_find(s->net, p->name);
		if (i < 0)
			return plx_error_set(
				e, -ENODEV, PLX_ERR_ROUTE_SPEC, r->text, "no such interface");
		route.iface = (uint16_t)i;
	}
	err = plx_net_route_add(s->net, &route);
	if (err)
		return plx_error_set(e, err, PLX_ERR_ROUTE_SPEC, r->text,
			err == -ENETUNREACH ? "the gateway is on none of our networks"
			: err == -EEXIST    ? "this route exists already"
					    : strerror(-err));
	return 0;
}

static bool all_run(const struct stack *s, const struct plx_lcore_set *set)
{
	struct plx_lcore_set rest = *set;

	for (uint16_t i = 0; i < s->lcores; i++)
		plx_lcore_set_del(&rest, (uint16_t)plx_engine_softnet(s->eng, i)->lcore);
	for (uint32_t i = 0; i < PLX_STEER_LCORES_MAX; i++)
		if (plx_lcore_set_has(&rest, i))
			return false;
	return true;
}

static int add_rps(struct stack *s, const struct up_rps *r, struct plx_error *e)
{
	int queue, err;
	const struct plx_port *p = plx_port_find_queue(r->port, &queue);

	if (!p)
		return plx_error_set(e, -ENODEV, PLX_ERR_PORT_UNKNOWN, r->port);
	if (!all_run(s, &r->lcores))
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, s->app->cmd->name, r->text,
			"rps", "name lcores of this run (EAL's -l or --lcores)");
	err = plx_net_rps_set(s->net, p->id, queue, &r->lcores);
	if (err == -EINVAL)
		return plx_error_set(e, err, PLX_ERR_OPTION_VALUE, s->app->cmd->name, r->text,
			"rps", "the port has fewer queues: they are numbered from 0");
	return err ? plx_error_set(e, err, PLX_ERR_RUN, "RPS", strerror(-err)) : 0;
}

static void undo(struct stack *s)
{
	if (s->ops->end)
		s->ops->end(s);
	if (s->sock)
		plx_sock_destroy(s->sock);
	s->sock = NULL;
}

static int begin(struct app_run *run, struct plx_error *e)
{
	struct stack *s = run->arg;
	const struct stack_conf *sc = &s->app->stack;
	const struct plx_sock_conf conf = {
		.files = sc->sockets ? rte_align32pow2(sc->sockets) : 0,
		.bytes = (size_t)sc->sock_mib << 20,
	};
	int err = plx_net_attach(s->net, run->eng, e);

	s->run = run;
	s->eng = run->eng;
	s->lcores = plx_engine_lcores(run->eng);
	for (uint32_t i = 0; !err && i < s->plan.n_if; i++)
		err = add_if(s, &s->plan.ifs[i], e);
	for (uint32_t i = 0; !err && i < s->plan.n_route; i++)
		err = add_route(s, &s->plan.routes[i], e);
	for (uint32_t i = 0; !err && i < s->plan.n_rps; i++)
		err = add_rps(s, &s->plan.rps[i], e);
	if (!err && s->sockets) {
		s->sock = plx_sock_create(s->net, &conf, e);
		err = s->sock ? 0 : -ENOMEM;
	}
	if (!err && s->ops->begin)
		err = s->ops->begin(s, e);
	if (err)
		undo(s);
	return err;
}

/* All lcores run. */
static int ready(struct app_run *run, struct plx_error *e)
{
	int err = plx_net_telem_add(((struct stack *)run->arg)->net);

	return err ? plx_error_set(e, err, PLX_ERR_RUN, "telemetry", strerror(-err)) : 0;
}

static void end(struct app_run *run)
{
	plx_net_telem_del();
	undo(run->arg);
}

/* ---- report ---- */

static uint64_t held(struct app_run *run)
{
	return plx_net_held(((struct stack *)run->arg)->net);
}

uint64_t stack_sum(const uint64_t *each, uint16_t n)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < n; i++)
		sum += plx_count_read(each[i]);
	return sum;
}

void stack_json_counter(json_t *o, const char *name, const uint64_t *each, uint16_t n)
{
	json_t *list = json_array();
	char by[64];

	for (uint16_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)plx_count_read(each[i])));
	snprintf(by, sizeof(by), "%s_by_lcore", name);
	json_object_set_new(o, name, json_integer((json_int_t)stack_sum(each, n)));
	json_object_set_new(o, by, list);
}

static void json(struct app_run *run, json_t *o, bool final)
{
	struct stack *s = run->arg;

	if (s->ops->json)
		s->ops->json(s, o, final);
}

static void tick(struct app_run *run)
{
	plx_net_arfs_serve(((struct stack *)run->arg)->net);
}

static void text(struct app_run *run, FILE *out)
{
	struct stack *s = run->arg;

	if (s->ops->text)
		s->ops->text(s, out);
}

/* ---- all of it ---- */

int stack_check(const struct app *app, const struct up_conf *services, struct plx_error *e)
{
	static struct up_plan plan; /* parsed again by stack_run(): here it only has to be right */

	return up_plan(app->cmd->name, &app->stack, services, &plan, e);
}

int stack_run(struct stack *s)
{
	const struct stack_conf *conf = &s->app->stack;
	const struct app_run_ops ops = {.engine = plx_net_ops,
		.begin = begin,
		.up = ready,
		.end = end,
		.held = held,
		.tick = tick,
		.json = json,
		.text = text};
	struct app_run r = {.app = s->app, .ops = &ops, .mode = "", .arg = s};
	const struct plx_net_conf nc = {
		.seed = s->app->run.seed, .tcp_bytes = (size_t)conf->tcp_mib << 20};
	int code;

	if (up_plan(s->app->cmd->name, conf, s->services, &s->plan, &r.error) != 0)
		return app_fail(&r.error);
	plx_tunables_init(&s->tun);
	for (uint32_t i = 0; i < s->plan.n_sysctl; i++)
		plx_tunable_set(&s->tun, s->plan.sysctl[i].id, s->plan.sysctl[i].value);
	s->net = plx_net_create(&nc, &s->tun, &r.error);
	if (!s->net)
		return app_fail(&r.error);
	r.tun = &s->tun;
	r.conf.spare_lcores = true;
	if (conf->no_offload)
		r.conf.features_off =
			PLX_PORT_F_RX_CSUM | PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4;
	code = app_run(&r);
	plx_net_destroy(s->net);
	return code;
}
