/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>

/*
 * c-ares on an lcore: its sockets are ours, its time is the program's. It is given all that it
 * would read from files itself, and does neither the hosts file nor the order of what it finds.
 */

#define EVENTS 16

struct resolv_dns {
	struct resolv_lcore *rl;
	ares_channel channel;
	int epfd;
	int kick; /**< an eventfd: a query has begun, its time has to be asked for */
	bool closed;
};

/* ---- sockets ---- */

static ares_socket_t on_socket(int domain, int type, int protocol, void *arg)
{
	return plx_socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int on_close(ares_socket_t fd, void *arg)
{
	const struct resolv_dns *d = arg;

	return d->closed ? 0 : plx_close(fd); /* plx_sock_destroy() closes the last ones */
}

static int on_connect(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len, void *arg)
{
	return plx_connect(fd, sa, len);
}

static ares_ssize_t on_recv(ares_socket_t fd, void *buf, size_t n, int flags, struct sockaddr *sa,
	ares_socklen_t *len, void *arg)
{
	return plx_recvfrom(fd, buf, n, flags, sa, len);
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
	return plx_writev(fd, iov, n);
}

static const struct ares_socket_functions functions = {.asocket = on_socket,
	.aclose = on_close,
	.aconnect = on_connect,
	.arecvfrom = on_recv,
	.asendv = on_send};

/* What to watch a socket for; nothing: it is about to be closed. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	const struct resolv_dns *d = arg;
	struct epoll_event ev = {
		.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u), .data.fd = fd};

	if (d->closed)
		return;
	if (!ev.events)
		plx_epoll_ctl(d->epfd, EPOLL_CTL_DEL, fd, NULL);
	else if (plx_epoll_ctl(d->epfd, EPOLL_CTL_MOD, fd, &ev) != 0)
		plx_epoll_ctl(d->epfd, EPOLL_CTL_ADD, fd, &ev);
}

/* ---- life ---- */

static bool set_servers(struct resolv_dns *d, const struct resolv_conf *c)
{
	char csv[PLX_RESOLV_SERVERS * sizeof(c->server[0])] = "";

	for (unsigned int i = 0; i < c->n_server; i++) {
		strcat(csv, i ? "," : "");
		strcat(csv, c->server[i]);
	}
	return ares_set_servers_ports_csv(d->channel, csv) == ARES_SUCCESS;
}

static bool channel_new(struct resolv_dns *d, struct resolv_conf *c)
{
	static char by_dns[] = "b", no_file[] = "/dev/null";
	char *domains[PLX_RESOLV_SEARCH];
	struct ares_options o = {
		.flags = ARES_FLAG_NOALIASES | (c->use_vc ? ARES_FLAG_USEVC : 0) |
			 (c->edns0 ? ARES_FLAG_EDNS : 0),
		.timeout = (int)c->timeout_s * 1000,
		.tries = (int)c->attempts,
		.ndots = (int)c->ndots,
		.domains = domains,
		.ndomains = (int)c->n_search,
		.lookups = by_dns,
		.sock_state_cb = on_state,
		.sock_state_cb_data = d,
		.ednspsz = 1232,
		.resolvconf_path = no_file,
	};

	for (unsigned int i = 0; i < c->n_search; i++)
		domains[i] = c->search[i];
	if (ares_init_options(&d->channel, &o,
		    ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
			    ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
			    ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF |
			    (c->rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE)) != ARES_SUCCESS)
		return false;
	ares_set_socket_functions(d->channel, &functions, d);
	if (set_servers(d, c))
		return true;
	ares_destroy(d->channel);
	return false;
}

static bool watch_kick(struct resolv_dns *d)
{
	struct epoll_event ev = {.events = EPOLLIN};

	d->epfd = plx_epoll_create1(EPOLL_CLOEXEC);
	d->kick = plx_eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ev.data.fd = d->kick;
	return d->epfd >= 0 && d->kick >= 0 &&
	       plx_epoll_ctl(d->epfd, EPOLL_CTL_ADD, d->kick, &ev) == 0;
}

struct resolv_dns *resolv__dns_new(struct resolv_lcore *rl)
{
	struct resolv_dns *d = rl->r->conf.n_server ? calloc(1, sizeof(*d)) : NULL;

	if (!d)
		return NULL;
	d->rl = rl;
	if (watch_kick(d) && channel_new(d, &rl->r->conf))
		return d;
	free(d); /* descriptors go with the sockets */
	return NULL;
}

void resolv__dns_free(struct resolv_dns *d)
{
	d->closed = true;
	ares_destroy(d->channel);
	free(d);
}

/* ---- answers ---- */

/* c-ares's words in those of netdb.h, as glibc chooses them. */
static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
		return EAI_NODATA;
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
	case ARES_ENONAME:
		return EAI_NONAME;
	case ARES_ENOMEM:
		return EAI_MEMORY;
	case ARES_ESERVFAIL:
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
	case ARES_EREFUSED:
	case ARES_ENOTIMP:
		return EAI_AGAIN;
	default:
		return EAI_FAIL;
	}
}

/* Where the chain of CNAMEs ends; without one the name as it was asked for. */
static void put_canon(char *to, const struct ares_addrinfo *ai, const char *asked)
{
	const char *name = ai->name ? ai->name : asked;
	unsigned int links = 0;
	size_t n;

	for (const struct ares_addrinfo_cname *c = ai->cnames; c && links < 32;) {
		if (c->alias && strcasecmp(c->alias, name) == 0) {
			name = c->name;
			c = ai->cnames;
			links++;
		} else {
			c = c->next;
		}
	}
	n = strnlen(name, RESOLV_NAME_MAX - 1);
	memcpy(to, name, n);
	to[n] = '\0';
}

static int add_node(struct resolv_found *f, const struct ares_addrinfo_node *n)
{
	struct plx_addr a;

	if (n->ai_family == AF_INET)
		a = plx_addr_from_v4(
			&((const struct sockaddr_in *)(const void *)n->ai_addr)->sin_addr);
	else if (n->ai_family == AF_INET6)
		a = plx_addr_from_v6(
			&((const struct sockaddr_in6 *)(const void *)n->ai_addr)->sin6_addr);
	else
		return 0;
	return resolv__found_add(f, &a, 0);
}

static void on_addr(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
	struct resolv_job *job = arg;
	int err = error_of(status);

	if (!err) {
		put_canon(job->found.canon, ai, job->want.node);
		for (const struct ares_addrinfo_node *n = ai->nodes; !err && n; n = n->ai_next)
			err = add_node(&job->found, n);
		if (!err && !ai->nodes)
			err = EAI_NODATA;
	}
	ares_freeaddrinfo(ai);
	resolv__answered(job, err);
}

static void on_name(void *arg, int status, int timeouts, struct hostent *h)
{
	struct resolv_job *job = arg;
	int err = error_of(status);

	if (!err)
		strncpy(job->name, h->h_name, sizeof(job->name) - 1);
	resolv__answered(job, err);
}

void resolv__dns_ask(struct resolv_dns *d, struct resolv_job *job)
{
	const struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT | ARES_AI_CANONNAME,
		.ai_family = resolv__dns_family(&job->want)};
	const uint64_t one = 1;
	bool v4 = plx_addr_is_v4(&job->addr);

	if (!job->by_name)
		ares_getaddrinfo(d->channel, job->want.node, NULL, &hints, on_addr, job);
	else if (v4)
		ares_gethostbyaddr(d->channel, &job->addr.w[3], 4, AF_INET, on_name, job);
	else
		ares_gethostbyaddr(d->channel, job->addr.b, 16, AF_INET6, on_name, job);
	plx_write(d->kick, &one, sizeof(one));
}

/* ---- its time ---- */

static void process(struct resolv_dns *d, const struct epoll_event *ev)
{
	uint64_t n;

	if (ev->data.fd == d->kick) {
		plx_read(d->kick, &n, sizeof(n));
		return;
	}
	ares_process_fd(d->channel,
		ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? ev->data.fd : ARES_SOCKET_BAD,
		ev->events & EPOLLOUT ? ev->data.fd : ARES_SOCKET_BAD);
}

plx_ns resolv__dns_run(struct resolv_dns *d, plx_ns now)
{
	struct epoll_event ev[EVENTS];
	struct timeval tv;
	int n = plx_epoll_wait(d->epfd, ev, EVENTS, 0);

	for (int i = 0; i < n; i++)
		process(d, &ev[i]);
	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what has timed out */
	if (n == EVENTS)
		return now;
	if (!ares_timeout(d->channel, NULL, &tv))
		return PLX_NEVER;
	/* c-ares counts in microseconds, by another clock: rather late than twice */
	return now + PLX_SEC(tv.tv_sec) + PLX_US(tv.tv_usec) + PLX_MS(1);
}
