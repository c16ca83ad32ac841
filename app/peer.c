/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <errno.h>

/* Servers that cannot be reached yet (duplicate address detection, a link that comes up) are asked
 * again for some time. */
#define PATIENCE PLX_SEC(5)
#define PAUSE	 PLX_MS(100)

int peer_prepare(struct stack *s, struct peer_conf *conf, struct plx_error *e)
{
	if (!conf->to.host[0])
		return 0;
	conf->resolv = names_resolver(s, &conf->names, e);
	return conf->resolv ? 0 : -EINVAL;
}

void peer_finish(struct peer_conf *conf)
{
	plx_resolv_destroy(conf->resolv);
	conf->resolv = NULL;
}

static struct plx_addr addr_of(const struct addrinfo *ai)
{
	union prog_addr a;

	memcpy(&a, ai->ai_addr, PLX_MIN((size_t)ai->ai_addrlen, sizeof(a)));
	return ai->ai_family == AF_INET ? plx_addr_from_v4(&a.in.sin_addr)
					: plx_addr_from_v6(&a.in6.sin6_addr);
}

static void failed(struct peer *peer, struct prog *p, int err)
{
	if (err == EAI_SYSTEM && errno == ESHUTDOWN) /* the run is over */
		return;
	if (err == EAI_AGAIN && p->now < peer->give_up_ns) {
		peer->asked = false;
		peer->next_ns = p->now + PAUSE;
		return;
	}
	p->err = -EHOSTUNREACH;
	p->host = peer->conf->to.host;
	p->why = names_error(err);
	plx_engine_stop(p->sn->eng);
}

static void found(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name)
{
	struct peer *peer = plx_container_of(q, struct peer, query);

	if (err) {
		failed(peer, q->arg, err);
		return;
	}
	peer->ep = (struct endpoint){.addr = addr_of(res), .port = peer->conf->to.ep.port};
	peer->known = true;
	plx_freeaddrinfo(res);
}

static void ask(struct peer *peer, struct prog *p)
{
	const struct peer_conf *conf = peer->conf;
	const struct addrinfo hints = {.ai_socktype = conf->type, .ai_family = conf->family};

	if (!peer->give_up_ns)
		peer->give_up_ns = p->now + (plx_resolv_server(conf->resolv, 0) ? PATIENCE : 0);
	peer->asked = true;
	peer->query.done = found;
	peer->query.arg = p;
	plx_resolv_addr(&peer->query, conf->to.host, NULL, &hints);
}

bool peer_known(struct peer *peer, struct prog *p, const struct peer_conf *conf, plx_ns *next)
{
	*next = PLX_NEVER;
	if (peer->known || p->err)
		return peer->known;
	peer->conf = conf;
	if (!conf->to.host[0]) {
		peer->ep = conf->to.ep;
		peer->known = true;
	} else if (!peer->asked && p->now >= peer->next_ns) {
		ask(peer, p);
	}
	if (!peer->asked)
		*next = peer->next_ns;
	return peer->known;
}
