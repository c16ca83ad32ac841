/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_table.h"

#include <errno.h>

static bool conf_valid(const struct plx_udp_conf *conf)
{
	return conf->sockets > 0 && conf->sockets <= 1 << 26 && conf->groups > 0 &&
	       conf->groups <= 1 << 20 && conf->group_sockets > 0 && conf->group_sockets <= 65535;
}

static uint32_t pow2(uint32_t least, uint32_t at_least)
{
	uint32_t n = least;

	while (n < at_least)
		n *= 2;
	return n;
}

static uint32_t ports(const struct plx_udp_conf *conf)
{
	return PLX_MIN(conf->sockets, 65536u);
}

static void *carve(uint8_t *mem, size_t *used, size_t bytes)
{
	void *p = mem ? mem + *used : NULL;

	*used += (bytes + 63) & ~(size_t)63;
	return p;
}

struct parts {
	struct plx_udp_port *port;
	struct plx_udp_group *group;
	struct plx_udp_sock **member;
	uint16_t *home;
};

/* With mem: the parts' places. Without: only the size. */
static size_t lay_out(
	struct plx_udp *t, struct parts *parts, uint8_t *mem, const struct plx_udp_conf *conf)
{
	size_t members = (size_t)conf->groups * conf->group_sockets, used = 0;

	carve(mem, &used, sizeof(*t));
	t->ports = carve(mem, &used, pow2(16, ports(conf)) * sizeof(*t->ports));
	t->socks = carve(mem, &used, pow2(16, conf->sockets) * sizeof(*t->socks));
	parts->port = carve(mem, &used, ports(conf) * sizeof(*parts->port));
	parts->group = carve(mem, &used, conf->groups * sizeof(*parts->group));
	parts->member = carve(mem, &used, members * sizeof(*parts->member));
	parts->home = carve(mem, &used, members * sizeof(*parts->home));
	return used;
}

size_t plx_udp_size(const struct plx_udp_conf *conf)
{
	struct parts parts;
	struct plx_udp t;

	return conf_valid(conf) ? lay_out(&t, &parts, NULL, conf) : 0;
}

struct plx_udp *plx_udp_init(void *mem, const struct plx_udp_conf *conf)
{
	struct plx_udp *t = mem;
	struct parts parts;

	if (!conf_valid(conf))
		return NULL;
	memset(mem, 0, plx_udp_size(conf));
	lay_out(t, &parts, mem, conf);
	memcpy(t->seed, conf->seed, sizeof(t->seed));
	t->port_shift = 32 - __builtin_ctz(pow2(16, ports(conf)));
	t->sock_mask = pow2(16, conf->sockets) - 1;
	t->max = conf->sockets;
	t->group_max = conf->group_sockets;
	plx_list_init(&t->all);
	for (uint32_t i = 0; i < ports(conf); i++) {
		parts.port[i].hash_next = t->free_port;
		t->free_port = &parts.port[i];
	}
	for (uint32_t i = 0; i < conf->groups; i++) {
		struct plx_udp_group *g = &parts.group[i];

		g->sock = parts.member + (size_t)i * conf->group_sockets;
		g->home = parts.home + (size_t)i * conf->group_sockets;
		g->next_free = t->free_group;
		t->free_group = g;
	}
	return t;
}

static struct plx_udp_port *port_get(struct plx_udp *t, uint16_t port)
{
	struct plx_udp_port **bucket, *p = udp__port(t, port);

	if (p)
		return p;
	p = t->free_port; /* there are as many as sockets */
	t->free_port = p->hash_next;
	bucket = &t->ports[udp__port_bucket(t, port)];
	*p = (struct plx_udp_port){.hash_next = *bucket, .port = port};
	plx_list_init(&p->any);
	plx_list_init(&p->all);
	*bucket = p;
	return p;
}

static void port_put(struct plx_udp *t, struct plx_udp_port *p)
{
	struct plx_udp_port **at = &t->ports[udp__port_bucket(t, p->port)];

	if (!plx_list_empty(&p->all))
		return;
	while (*at != p)
		at = &(*at)->hash_next;
	*at = p->hash_next;
	p->hash_next = t->free_port;
	t->free_port = p;
}

static struct plx_bind claim_of(const struct plx_udp_sock *s)
{
	return (struct plx_bind){
		.laddr = s->laddr,
		.iface = s->iface,
		.uid = s->uid,
		.v6only = s->v6only,
		.reuseaddr = s->reuseaddr,
		.reuseport = s->reuseport,
	};
}

bool udp__conflicts(const struct plx_udp_port *p, const struct plx_udp_sock *s)
{
	const struct plx_bind claim = claim_of(s);
	const struct plx_udp_sock *other;

	plx_list_foreach (other, &p->all, of_port) {
		const struct plx_bind there = claim_of(other);

		if (other != s && plx_bind_conflict(&there, &claim))
			return true;
	}
	return false;
}

static struct plx_udp_sock **bucket_of(const struct plx_udp *t, const struct plx_udp_sock *s)
{
	return udp__bucket(t, &s->laddr, s->lport, &s->raddr, s->rport);
}

static bool hashed(const struct plx_udp_sock *s)
{
	return s->connected || !plx_addr_is_any(&s->laddr);
}

static uint32_t *link_count(struct plx_udp_sock *s)
{
	return s->connected ? &s->port->connected : &s->port->specific;
}

static bool is_newer(const struct plx_udp_sock *a, const struct plx_udp_sock *b)
{
	return b->order && a->order > b->order;
}

/* Of those bound to any: before whom s belongs. */
static struct plx_list *before_whom(struct plx_udp_sock *s)
{
	struct plx_list *at = s->port->any.next;

	while (at != &s->port->any && is_newer(plx_list_entry(at, struct plx_udp_sock, of_any), s))
		at = at->next;
	return at;
}

/* To where lookup finds it. */
static void expose(struct plx_udp *t, struct plx_udp_sock *s)
{
	struct plx_udp_sock **at;

	if (!hashed(s)) {
		plx_list_add_tail(before_whom(s), &s->of_any);
		return;
	}
	for (at = bucket_of(t, s); *at && is_newer(*at, s);)
		at = &(*at)->hash_next;
	s->hash_next = *at;
	*at = s;
	++*link_count(s);
}

/* And away; or heir, of the same address and port, in its place. */
static void hide(struct plx_udp *t, struct plx_udp_sock *s, struct plx_udp_sock *heir)
{
	struct plx_udp_sock **at;

	if (!hashed(s)) {
		if (heir)
			plx_list_add_tail(&s->of_any, &heir->of_any);
		plx_list_del(&s->of_any);
		return;
	}
	for (at = bucket_of(t, s); *at != s;)
		at = &(*at)->hash_next;
	if (heir) {
		heir->hash_next = s->hash_next;
		*at = heir;
	} else {
		*at = s->hash_next;
		--*link_count(s);
	}
}

static bool same_group(const struct plx_udp_sock *a, const struct plx_udp_sock *b)
{
	return a->uid == b->uid && a->iface == b->iface && a->v6only == b->v6only &&
	       plx_addr_eq(&a->laddr, &b->laddr);
}

static struct plx_udp_group *group_find(const struct plx_udp_sock *s)
{
	struct plx_udp_sock *other;

	plx_list_foreach (other, &s->port->all, of_port)
		if (other->group && other != s && same_group(other, s))
			return other->group;
	return NULL;
}

/* Unconnected: alone, or with its group. */
static int attach(struct plx_udp *t, struct plx_udp_sock *s)
{
	struct plx_udp_group *g;

	if (s->reuseport) {
		g = group_find(s);
		if (g ? g->n == t->group_max : !t->free_group)
			return -ENOBUFS;
		if (!g) {
			g = t->free_group;
			t->free_group = g->next_free;
			g->n = 0;
		}
		s->group = g;
		s->group_at = g->n++;
		g->sock[s->group_at] = s;
		g->home[s->group_at] = s->home;
		if (s->group_at != 0)
			return 0;
	}
	expose(t, s);
	return 0;
}

static void group_leave(struct plx_udp *t, struct plx_udp_sock *s)
{
	struct plx_udp_group *g = s->group;
	uint32_t at = s->group_at, last = --g->n;

	s->group = NULL;
	g->sock[at] = g->sock[last];
	g->home[at] = g->home[last];
	g->sock[at]->group_at = at;
	if (at == 0)
		hide(t, s, last ? g->sock[0] : NULL);
	if (last == 0) {
		g->next_free = t->free_group;
		t->free_group = g;
	}
}

static void detach(struct plx_udp *t, struct plx_udp_sock *s)
{
	if (s->group)
		group_leave(t, s);
	else
		hide(t, s, NULL);
}

int plx_udp_bind(struct plx_udp *t, struct plx_udp_sock *s)
{
	struct plx_udp_port *p = udp__port(t, s->lport);
	int err;

	if (s->bound || s->lport == 0 || (s->v6only && plx_addr_is_v4(&s->laddr)))
		return -EINVAL;
	if (p && !s->order && udp__conflicts(p, s))
		return -EADDRINUSE;
	if (t->count == t->max)
		return -ENOBUFS;
	s->port = port_get(t, s->lport);
	s->group = NULL;
	s->connected = false;
	s->raddr = any6;
	s->rport = 0;
	s->bound_laddr = s->laddr;
	err = attach(t, s);
	if (err) {
		port_put(t, s->port);
		return err;
	}
	plx_list_add_tail(&t->all, &s->of_all);
	plx_list_add_tail(&s->port->all, &s->of_port);
	s->bound = true;
	t->count++;
	return 0;
}

void plx_udp_unbind(struct plx_udp *t, struct plx_udp_sock *s)
{
	if (!s->bound)
		return;
	detach(t, s);
	plx_list_del(&s->of_all);
	plx_list_del(&s->of_port);
	port_put(t, s->port);
	s->laddr = s->bound_laddr;
	s->raddr = any6;
	s->rport = 0;
	s->connected = s->bound = false;
	t->count--;
}

static bool may_connect(const struct plx_udp_sock *s, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport)
{
	if (!s->bound || rport == 0 || plx_addr_is_any(laddr) || plx_addr_is_any(raddr))
		return false;
	if (plx_addr_is_v4(laddr) != plx_addr_is_v4(raddr))
		return false;
	if (!plx_addr_is_any(&s->bound_laddr))
		return plx_addr_eq(&s->bound_laddr, laddr);
	if (plx_addr_is_v4(laddr))
		return plx_addr_is_v4(&s->bound_laddr) || !s->v6only;
	return plx_addr_is_any6(&s->bound_laddr);
}

int plx_udp_connect(struct plx_udp *t, struct plx_udp_sock *s, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport)
{
	if (!may_connect(s, laddr, raddr, rport))
		return -EINVAL;
	detach(t, s);
	s->laddr = *laddr;
	s->raddr = *raddr;
	s->rport = rport;
	s->connected = true;
	expose(t, s);
	return 0;
}

int plx_udp_disconnect(struct plx_udp *t, struct plx_udp_sock *s)
{
	struct plx_udp_sock was = *s;

	if (!s->connected)
		return 0;
	hide(t, s, NULL);
	s->laddr = s->bound_laddr;
	s->raddr = any6;
	s->rport = 0;
	s->connected = false;
	if (attach(t, s) == 0)
		return 0;
	s->laddr = was.laddr;
	s->raddr = was.raddr;
	s->rport = was.rport;
	s->connected = true;
	expose(t, s);
	return -ENOBUFS;
}

static struct plx_udp_sock *after(const struct plx_list *head, const struct plx_list *link)
{
	return link->next == head ? NULL : plx_list_entry(link->next, struct plx_udp_sock, of_all);
}

struct plx_udp_sock *plx_udp_next(const struct plx_udp *t, const struct plx_udp_sock *prev)
{
	return after(&t->all, prev ? &prev->of_all : &t->all);
}

uint32_t plx_udp_count(const struct plx_udp *t)
{
	return t->count;
}
