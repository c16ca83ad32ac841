/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include <rte_cycles.h>

/*
 * Opening connections, some at a time, each from the next address; measuring what they do; and
 * opening others when they end.
 */

#define OPENING_MAX 256	       /* handshakes under way */
#define BURST	    64	       /* opened in a pass */
#define PAUSE	    PLX_MS(10) /* after one that could not be opened */
#define LATE	    PLX_SEC(1)

/* A pass can be long beside an answer, so it is not the time of the pass that counts. */
plx_ns load_clock(void)
{
	static double ns_per_cycle;

	if (ns_per_cycle == 0)
		ns_per_cycle = 1e9 / (double)rte_get_tsc_hz();
	return (plx_ns)((double)rte_rdtsc() * ns_per_cycle);
}

plx_ns load_answered(struct load_lcore *l, struct load_conn *c)
{
	plx_ns now = load_clock();

	if (l->first == 0)
		l->first = c->began;
	l->last = now;
	hist_record(&l->hist, (uint64_t)PLX_MAX(now - c->began, (plx_ns)0));
	plx_count(l->p.count[LOAD_ANSWERS], 1);
	c->waits = false;
	l->in_flight--;
	return now;
}

void load_asked(struct load_lcore *l, struct load_conn *c)
{
	l->in_flight += !c->waits;
	c->waits = true;
}

/* In the list of who waits all are in the order in which they came into it: who has its answer
 * stays there, and is passed over. */
void load_waits(struct load_lcore *l, struct load_conn *c)
{
	load_asked(l, c);
	if (!plx_list_empty(&c->link))
		return;
	c->listed = l->p.now;
	plx_list_add_tail(&l->late, &c->link);
}

void load_over(struct load_lcore *l, struct load_conn *c, enum load_count count)
{
	if (c->w.dead)
		return;
	plx_count(l->p.count[count], 1);
	if (!c->open)
		l->opening--;
	l->in_flight -= c->waits;
	l->missing++;
	plx_list_del(&c->link);
	prog_free(&l->p, &c->w);
}

void load_failed(struct load_lcore *l, struct load_conn *c, int err)
{
	socklen_t len = sizeof(err);

	if (!err)
		plx_getsockopt(c->w.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	l->err = err;
	l->pause = l->p.now + PAUSE;
	load_over(l, c, LOAD_ERRORS);
}

/* ---- opening ---- */

static void conn_ready(struct prog *p, struct watch *w, uint32_t events)
{
	struct load_lcore *l = (struct load_lcore *)p;
	struct load_conn *c = (struct load_conn *)w;

	if (events & EPOLLERR) {
		load_failed(l, c, 0);
		return;
	}
	if (!c->open) {
		if (!(events & EPOLLOUT))
			return;
		c->open = true;
		l->opening--;
		plx_count(p->count[LOAD_CONNECTIONS], 1);
		l->ops->open(l, c);
	}
	if (!c->w.dead)
		l->ops->ready(l, c);
}

/* From an address of its own, whose port is chosen when the peer is known: the same one can serve
 * for several peers. */
static int bind_src(int fd, const struct load_conf *conf, uint32_t number)
{
	struct endpoint from = {.addr = addr_list_get(&conf->src, number % conf->src.n)};
	union prog_addr addr;
	socklen_t len = prog_sockaddr(&addr, &from);
	const int one = 1;

	plx_setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return plx_bind(fd, &addr.sa, len);
}

static int open_socket(const struct load_lcore *l, uint32_t number)
{
	const struct load_conf *conf = l->conf;
	int fd = plx_socket(l->to.sa.sa_family, l->ops->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int one = 1;

	if (fd < 0)
		return -errno;
	if (l->ops->type == SOCK_STREAM)
		plx_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if ((conf->src.n && bind_src(fd, conf, number) != 0) ||
		(!conf->unconnected && plx_connect(fd, &l->to.sa, l->to_len) != 0 &&
			errno != EINPROGRESS)) {
		int err = -errno;

		plx_close(fd);
		return err;
	}
	return fd;
}

static int open_one(struct load_lcore *l)
{
	struct load_conn *c = calloc(1, l->ops->conn_bytes);
	int err;

	if (!c)
		return -ENOMEM;
	plx_list_init(&c->link);
	c->number = l->next++;
	c->began = load_clock();
	c->w = (struct watch){.fd = open_socket(l, c->number), .ready = conn_ready};
	if (c->w.fd < 0) {
		err = c->w.fd;
		free(c);
		return err;
	}
	err = prog_watch(&l->p, &c->w, EPOLLIN | EPOLLOUT | EPOLLET);
	l->opening++;
	l->missing--;
	if (err)
		load_failed(l, c, -err);
	return 0;
}

static plx_ns open_some(struct load_lcore *l)
{
	int err;

	if (l->missing == 0 || l->opening >= OPENING_MAX)
		return PLX_NEVER;
	if (l->p.now < l->pause)
		return l->pause;
	for (int i = 0; i < BURST && l->missing && l->opening < OPENING_MAX; i++)
		if ((err = open_one(l)) != 0) {
			l->err = -err;
			plx_count(l->p.count[LOAD_ERRORS], 1);
			l->pause = l->p.now + PAUSE;
			return l->pause;
		}
	return l->missing && l->opening < OPENING_MAX ? l->p.now : PLX_NEVER;
}

/* ---- a program ---- */

static plx_ns look_for_late(struct load_lcore *l)
{
	struct load_conn *c;

	while ((c = plx_list_first(&l->late, struct load_conn, link)) &&
		c->listed + LATE <= l->p.now) {
		plx_list_del(&c->link);
		if (!c->waits)
			continue;
		if (load_clock() - c->began < LATE) /* another question by now */
			load_waits(l, c);
		else if (l->ops->late)
			l->ops->late(l, c);
	}
	return c ? c->listed + LATE : PLX_NEVER;
}

static plx_ns timer(struct prog *p, plx_ns now)
{
	struct load_lcore *l = (struct load_lcore *)p;
	plx_ns next, late, pass;

	if (!peer_known(&l->peer, p, &l->conf->to, &next))
		return next;
	if (!l->to_len)
		l->to_len = prog_sockaddr(&l->to, &l->peer.ep);
	next = open_some(l);
	late = look_for_late(l);
	pass = l->ops->pass ? l->ops->pass(l) : PLX_NEVER;
	next = PLX_MIN(next, late);
	return PLX_MIN(next, pass);
}

static const struct load_ops *const kinds[LOAD_KINDS] = {
	[LOAD_TCP_RR] = &load_tcp_rr,
	[LOAD_TCP_CRR] = &load_tcp_crr,
	[LOAD_TCP_STREAM] = &load_tcp_stream,
	[LOAD_UDP_RR] = &load_udp_rr,
	[LOAD_UDP_STREAM] = &load_udp_stream,
	[LOAD_HTTP] = &load_http,
};

static void make_request(struct load_lcore *l)
{
	const struct target *to = &l->conf->to.to;
	char addr[ENDPOINT_STRLEN];

	l->out_bytes = l->conf->size;
	for (uint32_t i = 0; i < l->out_bytes; i++)
		l->out[i] = (char)('a' + i % 26);
	if (l->conf->kind == LOAD_HTTP)
		l->out_bytes = (uint32_t)snprintf(l->out, sizeof(l->out),
			"GET %s HTTP/1.1\r\nHost: %s%s%s\r\n\r\n", l->conf->path, to->host,
			to->host[0] ? ":" : "", endpoint_format(&to->ep, addr));
}

static int start(struct prog *p)
{
	struct load_lcore *l = (struct load_lcore *)p;
	uint16_t lcores = plx_engine_lcores(p->sn->eng), i = p->sn->index;

	l->conf = p->arg;
	l->ops = kinds[l->conf->kind];
	l->conns = l->conf->conns / lcores + (i < l->conf->conns % lcores);
	l->missing = l->conns;
	if (l->conf->in_flight)
		l->in_flight_max = PLX_MAX(l->conf->in_flight / lcores, 1u);
	/* each lcore goes through the addresses from a place of its own */
	l->next = i * (l->conf->conns / lcores + 1);
	plx_list_init(&l->late);
	plx_list_init(&l->all);
	make_request(l);
	return 0;
}

static const char *const counts[LOAD_COUNTS + 1] = {
	[LOAD_CONNECTIONS] = "connections",
	[LOAD_ANSWERS] = "answers",
	[LOAD_SENT] = "bytes_sent",
	[LOAD_RECEIVED] = "bytes_received",
	[LOAD_ERRORS] = "errors",
	[LOAD_LOST] = "lost",
	[LOAD_CLOSED_BY_US] = "closed_first_by_us",
	[LOAD_CLOSED_BY_PEER] = "closed_first_by_peer",
};

/* ---- report ---- */

/* What failed last, in words; NULL: nothing. */
static const char *last_error(const struct stack *s)
{
	int err = 0;

	for (uint16_t i = 0; i < s->lcores; i++)
		err = err ? err : ((const struct load_lcore *)prog_get(s, i))->err;
	return err ? strerror(err) : NULL;
}

static void add_up(const struct stack *s, struct hist *all, double *seconds)
{
	plx_ns first = 0, last = 0;

	*all = (struct hist){0};
	for (uint16_t i = 0; i < s->lcores; i++) {
		const struct load_lcore *l = (const struct load_lcore *)prog_get(s, i);

		hist_merge(all, &l->hist);
		if (l->first && (first == 0 || l->first < first))
			first = l->first;
		last = PLX_MAX(last, l->last);
	}
	*seconds = (double)(last - first) / 1e9;
}

static const double percents[] = {50, 90, 99, 99.9};
static const char *const percent_names[] = {"p50", "p90", "p99", "p99.9"};

static double per_second(uint64_t n, double seconds)
{
	return seconds > 0 ? (double)n / seconds : 0;
}

/* Latencies in the last object only: until then they are the lcores'. */
static void json(struct stack *s, json_t *o, bool final)
{
	static struct hist all;
	json_t *latency;
	double seconds;

	if (!final)
		return;
	if (last_error(s))
		json_object_set_new(o, "last_error", json_string(last_error(s)));
	add_up(s, &all, &seconds);
	latency =
		json_pack("{s:f,s:f}", "min", (double)all.min / 1e3, "mean", hist_mean(&all) / 1e3);
	for (size_t i = 0; i < PLX_DIM(percents); i++)
		json_object_set_new(latency, percent_names[i],
			json_real((double)hist_percentile(&all, percents[i]) / 1e3));
	json_object_set_new(latency, "max", json_real((double)all.max / 1e3));
	json_object_set_new(o, "latency_us", latency);
	json_object_set_new(o, "measured_seconds", json_real(seconds));
	json_object_set_new(o, "answers_per_second", json_real(per_second(all.count, seconds)));
	json_object_set_new(
		o, "sent_gbps", json_real(per_second(prog_sum(s, LOAD_SENT), seconds) * 8 / 1e9));
	json_object_set_new(o, "received_gbps",
		json_real(per_second(prog_sum(s, LOAD_RECEIVED), seconds) * 8 / 1e9));
}

static void text(struct stack *s, FILE *out)
{
	static struct hist all;
	double seconds;

	if (last_error(s))
		fprintf(out, "last error: %s\n", last_error(s));
	add_up(s, &all, &seconds);
	fprintf(out, "in %.3f s: %.0f answers/s, sent %.3f Gb/s, received %.3f Gb/s\n", seconds,
		per_second(all.count, seconds),
		per_second(prog_sum(s, LOAD_SENT), seconds) * 8 / 1e9,
		per_second(prog_sum(s, LOAD_RECEIVED), seconds) * 8 / 1e9);
	if (all.count == 0)
		return;
	fprintf(out, "latency us:");
	for (size_t i = 0; i < PLX_DIM(percents); i++)
		fprintf(out, " %s %.1f", percent_names[i],
			(double)hist_percentile(&all, percents[i]) / 1e3);
	fprintf(out, " max %.1f\n", (double)all.max / 1e3);
}

/* Addresses to talk from that no interface has yet: the first one gets them. */
static int prepare(struct stack *s, struct plx_error *e)
{
	struct load_conf *conf = prog_arg(s);

	for (uint32_t i = 0; i < conf->src.n; i++) {
		struct plx_prefix p = {.addr = addr_list_get(&conf->src, i), .len = 128};
		int err = plx_net_addr_add(s->net, s->first_if, &p);

		if (err && err != -EEXIST)
			return plx_error_set(
				e, err, PLX_ERR_RUN, "an address of --src", strerror(-err));
	}
	return peer_prepare(s, &conf->to, e);
}

static void end(struct stack *s)
{
	peer_finish(&((struct load_conf *)prog_arg(s))->to);
}

const struct prog_ops load_prog_ops = {
	.bytes = sizeof(struct load_lcore),
	.counts = counts,
	.prepare = prepare,
	.end = end,
	.start = start,
	.timer = timer,
	.json = json,
	.text = text,
};
