/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

/*
 * Taps come and go: at each point hangs an immutable list of those that look there. A new one is
 * hung in its place, the old one, and the taps that were in it alone, are freed when all lcores
 * have passed a quiescent state. Linux does the same with ptype_all, by RCU.
 */

static_assert((int)PLX_PKT_LINK_ETHER == (int)PLX_TAP_LINK_ETHER &&
		      (int)PLX_PKT_LINK_IP == (int)PLX_TAP_LINK_IP,
	"one is used as the other");

#define WAIT_US 100 /* between two looks at the lcores */

/* A list that hangs nowhere any more. */
struct retired {
	struct tap_list *list;
	uint64_t token;
	struct retired *next;
};

struct plx_taps {
	struct tap_host host;
	pthread_mutex_t lock;
	struct plx_tap *all; /* not detached */
	struct tap_list *list[PLX_PKT_AT_MAX];
	struct retired *retired;
};

struct plx_engine *plx_taps_engine(const struct plx_taps *ts)
{
	return ts->host.eng;
}

plx_ns tap__now(const struct plx_tap *t)
{
	return t->ts->host.now(&t->ts->host);
}

const struct tap_host *tap__host(const struct plx_tap *t)
{
	return &t->ts->host;
}

static plx_ns engine_now(const struct tap_host *h)
{
	return plx_engine_now(h->eng);
}

static bool engine_port(const struct tap_host *h, uint16_t id, struct tap_port *p)
{
	struct plx_port *port = plx_port_get(id);
	struct plx_link link;

	if (!port || !plx_engine_has_port(h->eng, id))
		return false;
	plx_port_link(port, &link);
	*p = (struct tap_port){.name = port->name,
		.ip = plx_port_features(port) & PLX_PORT_F_NO_ETH,
		.bps = link.mbps * UINT64_C(1000000)};
	if (!p->ip) {
		p->has_mac = true;
		memcpy(p->mac, &port->mac, sizeof(p->mac));
	}
	return true;
}

struct plx_taps *plx_taps_create(struct plx_engine *eng, struct plx_error *e)
{
	struct tap_host h = {.eng = eng,
		.rcu = plx_engine_rcu(eng),
		.n_lcores = plx_engine_lcores(eng),
		.now = engine_now,
		.port = engine_port};

	for (uint16_t i = 0; i < h.n_lcores; i++)
		h.lcore[i] = plx_engine_softnet(eng, i)->lcore;
	return tap__taps_new(&h, e);
}

struct plx_taps *tap__taps_new(const struct tap_host *h, struct plx_error *e)
{
	struct plx_taps *ts = calloc(1, sizeof(*ts));

	if (!ts) {
		plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "taps");
		return NULL;
	}
	ts->host = *h;
	pthread_mutex_init(&ts->lock, NULL);
	return ts;
}

/* ---- lists ---- */

static bool looks_at(const struct plx_tap *t, enum plx_pkt_point point)
{
	return t->conf.points >> point & 1;
}

/* Who sees a packet dropped or forwarded wants to know where it came from. */
static bool needs_notes(const struct plx_taps *ts)
{
	for (const struct plx_tap *t = ts->all; t; t = t->next)
		if (t->conf.points & (PLX_TAP_BIT(DROP) | PLX_TAP_BIT(FWD)))
			return true;
	return false;
}

static uint32_t count_at(const struct plx_taps *ts, enum plx_pkt_point point)
{
	uint32_t n = 0;

	for (const struct plx_tap *t = ts->all; t; t = t->next)
		n += looks_at(t, point);
	return n;
}

/* @return 0 with *made, NULL if nobody looks there; -ENOMEM. */
static int make_list(const struct plx_taps *ts, enum plx_pkt_point point, struct tap_list **made)
{
	bool notes = point == PLX_PKT_AT_RX_GRO && needs_notes(ts);
	uint32_t n = count_at(ts, point);
	struct tap_list *l;

	*made = NULL;
	if (!n && !notes)
		return 0;
	l = calloc(1, sizeof(*l) + n * sizeof(l->tap[0]));
	if (!l)
		return -ENOMEM;
	l->watch = (struct plx_pkt_watch){.see = tap__see, .took = tap__took};
	l->notes = notes;
	for (struct plx_tap *t = ts->all; t; t = t->next)
		if (looks_at(t, point))
			l->tap[l->n++] = t;
	*made = l;
	return 0;
}

static void hang_list(struct plx_taps *ts, enum plx_pkt_point point, struct tap_list *l)
{
	for (uint16_t i = 0; i < ts->host.n_lcores; i++)
		plx_pkt_watch_set(ts->host.lcore[i], point, l ? &l->watch : NULL);
	for (uint32_t i = 0; l && i < l->n; i++)
		l->tap[i]->lists++;
	ts->list[point] = l;
}

static void let_go(struct tap_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		l->tap[i]->lists--;
	free(l);
}

/* Free what no lcore sees any more. */
static void reap(struct plx_taps *ts)
{
	struct retired **at = &ts->retired, *r;

	while ((r = *at)) {
		if (rte_rcu_qsbr_check(ts->host.rcu, r->token, false) != 1) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		let_go(r->list);
		free(r);
	}
}

struct change {
	struct tap_list *list[PLX_PKT_AT_MAX];
	struct retired *old[PLX_PKT_AT_MAX];
};

static void undo(struct change *c)
{
	for (int i = 0; i < PLX_PKT_AT_MAX; i++) {
		free(c->list[i]);
		free(c->old[i]);
	}
}

/* All memory first. */
static int prepare(const struct plx_taps *ts, struct change *c)
{
	int err = 0;

	memset(c, 0, sizeof(*c));
	for (int i = 0; !err && i < PLX_PKT_AT_MAX; i++) {
		err = make_list(ts, (enum plx_pkt_point)i, &c->list[i]);
		if (err || !ts->list[i])
			continue;
		c->old[i] = malloc(sizeof(*c->old[i]));
		err = c->old[i] ? 0 : -ENOMEM;
	}
	if (err)
		undo(c);
	return err;
}

static void commit(struct plx_taps *ts, struct change *c)
{
	uint64_t token;

	for (int i = 0; i < PLX_PKT_AT_MAX; i++) {
		if (c->old[i])
			c->old[i]->list = ts->list[i];
		hang_list(ts, (enum plx_pkt_point)i, c->list[i]);
	}
	token = rte_rcu_qsbr_start(ts->host.rcu);
	for (int i = 0; i < PLX_PKT_AT_MAX; i++) {
		if (!c->old[i])
			continue;
		c->old[i]->token = token;
		c->old[i]->next = ts->retired;
		ts->retired = c->old[i];
	}
}

/* ---- a tap ---- */

static void tap_free(struct plx_tap *t)
{
	for (uint16_t i = 0; i < t->n_lanes; i++) {
		rte_free(t->lanes[i]->rec);
		rte_free(t->lanes[i]->ring.mem);
		rte_free(t->lanes[i]);
	}
	for (int i = 0; i < PLX_TAP_LINKS; i++) {
		plx_tap_filter_free(t->filter[i]);
		for (uint32_t m = 0; m < PLX_TAP_MATCHES; m++)
			plx_tap_filter_free(t->match[m][i]);
	}
	free((char *)(uintptr_t)t->conf.filter);
	free(t);
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = PLX_TAP_RING_MIN;

	while (p < n && p < 1u << 30)
		p <<= 1;
	return p;
}

/* What is kept, and by default a quarter of it for what comes while it is read. */
static void complete_recorder(struct plx_tap_conf *c)
{
	uint64_t keep = PLX_MAX(c->keep_bytes, (uint64_t)PLX_TAP_RING_MIN);

	c->keep_bytes = (keep + TAP_RING_ALIGN - 1) & ~(uint64_t)(TAP_RING_ALIGN - 1);
	if (!c->ring_bytes)
		c->ring_bytes = (uint32_t)PLX_MIN(keep / 4, (uint64_t)PLX_TAP_RING);
}

static void complete(struct plx_tap_conf *c)
{
	if (c->keep_bytes)
		complete_recorder(c);
	c->points = c->points ? c->points : PLX_TAP_BIT(RX) | PLX_TAP_BIT(TX);
	c->ports = c->ports ? c->ports : UINT32_MAX;
	c->queues = c->queues ? c->queues : UINT32_MAX;
	c->directions = c->directions ? c->directions : PLX_TAP_IN | PLX_TAP_OUT;
	c->sample = PLX_MAX(PLX_MIN(c->sample, PLX_TAP_SAMPLE_MAX), 1u);
	if (c->max_cost_ppm)
		c->max_cost_ppm =
			PLX_MAX(PLX_MIN(c->max_cost_ppm, PLX_TAP_COST_ALL), PLX_TAP_COST_MIN);
	c->ring_bytes = power_of_two(c->ring_bytes ? c->ring_bytes : PLX_TAP_RING);
	if (!c->snap_bytes || c->snap_bytes > PLX_TAP_SNAP_MAX)
		c->snap_bytes = PLX_TAP_SNAP_MAX;
	c->snap_bytes = PLX_MIN(c->snap_bytes, c->ring_bytes / 4); /* a few always fit */
}

/* A reset of TCP; behind a tag, too. */
static const char *const rst_expr[] = {
	[PLX_TAP_LINK_ETHER] =
		"tcp[13] & 4 != 0 or (ip6 proto 6 and ip6[53] & 4 != 0) or "
		"(vlan and (tcp[13] & 4 != 0 or (ip6 proto 6 and ip6[53] & 4 != 0)))",
	[PLX_TAP_LINK_IP] = "tcp[13] & 4 != 0 or (ip6 proto 6 and ip6[53] & 4 != 0)",
};

static int compile_match(struct plx_tap *t, uint32_t i, struct plx_tap_filter_error *why)
{
	const char *expr = t->conf.match[i];

	for (int link = 0; link < PLX_TAP_LINKS; link++)
		t->match[i][link] = plx_tap_filter_compile(
			strcmp(expr, PLX_TAP_MATCH_RST) == 0 ? rst_expr[link] : expr,
			(enum plx_tap_link)link, link == PLX_TAP_LINK_ETHER ? why : NULL);
	if (t->match[i][PLX_TAP_LINK_ETHER])
		return 0;
	if (why)
		why->match = i + 1;
	return -EINVAL;
}

static int compile_matches(struct plx_tap *t, struct plx_tap_filter_error *why)
{
	int err = 0;

	if (!t->conf.keep_bytes)
		return 0;
	while (!err && t->n_matches < PLX_TAP_MATCHES && t->conf.match[t->n_matches])
		err = compile_match(t, t->n_matches++, why);
	return err;
}

/* One that has no meaning for bare packets wants none of them. */
static int compile(struct plx_tap *t, struct plx_tap_filter_error *why)
{
	const char *expr = t->conf.filter;

	if (!expr || !expr[strspn(expr, " \t\n")]) {
		t->conf.filter = NULL;
		return 0;
	}
	t->filter[PLX_TAP_LINK_ETHER] = plx_tap_filter_compile(expr, PLX_TAP_LINK_ETHER, why);
	if (!t->filter[PLX_TAP_LINK_ETHER]) {
		t->conf.filter = NULL;
		return -EINVAL;
	}
	t->filter[PLX_TAP_LINK_IP] = plx_tap_filter_compile(expr, PLX_TAP_LINK_IP, NULL);
	t->conf.filter = strdup(expr);
	return t->conf.filter ? 0 : -ENOMEM;
}

/* What measuring takes: the least that was seen. */
static void calibrate(struct tap_cost *c)
{
	uint64_t asking = UINT64_MAX, own = UINT64_MAX;
	struct tap_cost scratch = *c;

	for (int i = 0; i < 32; i++) {
		uint64_t begin = rte_rdtsc(), now = rte_rdtsc(), took;

		asking = PLX_MIN(asking, now - begin);
		begin = rte_rdtsc();
		tap__cost_spent(&scratch, now, begin, 1);
		took = rte_rdtsc() - begin;
		own = PLX_MIN(own, took);
	}
	c->asking = asking;
	c->own = asking + 2 * own; /* where nothing is at hand as it is here */
}

static int add_lane(struct plx_tap *t, uint32_t lcore)
{
	int socket = (int)rte_lcore_to_socket_id(lcore);
	struct tap_lane *l = plx_pkt_mem_alloc(sizeof(*l), socket);
	uint64_t bytes = tap__record_keep(t) + t->conf.ring_bytes;
	void *mem = plx_pkt_mem_alloc(bytes, socket);

	if (l && mem)
		tap_ring_init(&l->ring, mem, bytes);
	if (!l || !mem || (t->conf.keep_bytes && tap__record_init(l, t, socket) != 0)) {
		rte_free(l);
		rte_free(mem);
		return -ENOMEM;
	}
	plx_rng_init(&l->rng, t->conf.seed + t->n_lanes);
	l->skip = (uint32_t)plx_rng_below(&l->rng, t->conf.sample);
	if (t->conf.max_cost_ppm) {
		tap__cost_init(&l->cost, t->conf.max_cost_ppm, rte_get_tsc_hz(), rte_rdtsc());
		calibrate(&l->cost);
	}
	t->lanes[t->n_lanes++] = l;
	t->lane[lcore] = l;
	return 0;
}

static int add_lanes(struct plx_tap *t)
{
	int err = 0;

	for (uint16_t i = 0; !err && i < t->ts->host.n_lcores; i++)
		err = add_lane(t, t->ts->host.lcore[i]);
	return err;
}

struct plx_tap *tap__new(struct plx_taps *ts, const struct plx_tap_conf *conf, struct plx_error *e,
	struct plx_tap_filter_error *why)
{
	struct plx_tap *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (t) {
		t->ts = ts;
		t->conf = *conf;
		complete(&t->conf);
		err = compile(t, why);
		if (!err)
			err = compile_matches(t, why);
		memset(t->conf.match, 0, sizeof(t->conf.match)); /* not ours */
		if (!err)
			err = add_lanes(t);
		if (err)
			tap_free(t);
	}
	if (err == -ENOMEM)
		plx_error_set(e, err, PLX_ERR_NO_MEMORY, "a tap's rings");
	return err ? NULL : t;
}

/* Under the lock. */
static int hang_tap(struct plx_taps *ts, struct plx_tap *t)
{
	struct change c;

	if (t->state == TAP_DETACHED) /* it was quick: its reader has gone already */
		return 0;
	t->next = ts->all;
	ts->all = t;
	if (prepare(ts, &c) != 0) {
		ts->all = t->next;
		return -ENOMEM;
	}
	commit(ts, &c);
	t->state = TAP_HUNG;
	return 0;
}

int tap__hang(struct plx_tap *t, struct plx_error *e)
{
	struct plx_taps *ts = t->ts;
	int err;

	pthread_mutex_lock(&ts->lock);
	reap(ts);
	err = hang_tap(ts, t);
	pthread_mutex_unlock(&ts->lock);
	return err ? plx_error_set(e, err, PLX_ERR_NO_MEMORY, "a list of taps") : 0;
}

struct plx_tap *plx_tap_open(struct plx_taps *ts, const struct plx_tap_conf *conf,
	struct plx_error *e, struct plx_tap_filter_error *why)
{
	struct plx_tap *t = tap__new(ts, conf, e, why);

	if (!t || tap__hang(t, e) == 0)
		return t;
	tap_free(t);
	return NULL;
}

static void take_out(struct plx_taps *ts, struct plx_tap *t)
{
	struct plx_tap **at = &ts->all;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

/* Under the lock. Without memory for lists all is as it was. */
static void detach(struct plx_tap *t)
{
	struct change c;

	if (t->state == TAP_NEW)
		t->state = TAP_DETACHED;
	if (t->state == TAP_DETACHED)
		return;
	take_out(t->ts, t);
	if (prepare(t->ts, &c) != 0) {
		t->next = t->ts->all;
		t->ts->all = t;
		return;
	}
	commit(t->ts, &c);
	t->state = TAP_DETACHED;
}

void plx_tap_detach(struct plx_tap *t)
{
	pthread_mutex_lock(&t->ts->lock);
	detach(t);
	pthread_mutex_unlock(&t->ts->lock);
}

bool plx_tap_gone(struct plx_tap *t)
{
	bool gone;

	pthread_mutex_lock(&t->ts->lock);
	detach(t);
	reap(t->ts);
	gone = t->state != TAP_HUNG && !t->lists;
	pthread_mutex_unlock(&t->ts->lock);
	return gone;
}

void plx_tap_close(struct plx_tap *t)
{
	while (!plx_tap_gone(t))
		usleep(WAIT_US);
	tap_free(t);
}

void plx_taps_destroy(struct plx_taps *ts)
{
	if (!ts)
		return;
	for (reap(ts); ts->retired; reap(ts))
		usleep(WAIT_US);
	pthread_mutex_destroy(&ts->lock);
	if (ts->host.fini)
		ts->host.fini(&ts->host);
	free(ts);
}

/* ---- reading ---- */

/* The lane whose next packet is the oldest. */
static struct tap_lane *oldest_of_all(struct plx_tap *t, const struct plx_tap_pkt **first)
{
	struct tap_lane *found = NULL;

	for (uint16_t i = 0; i < t->n_lanes; i++) {
		const struct plx_tap_pkt *p = tap_ring_next(&t->lanes[i]->ring);

		if (!p || (found && p->ts_ns >= (*first)->ts_ns))
			continue;
		found = t->lanes[i];
		*first = p;
	}
	return found;
}

static inline struct tap_lane *oldest(struct plx_tap *t, const struct plx_tap_pkt **first)
{
	if (t->n_lanes != 1)
		return oldest_of_all(t, first);
	*first = tap_ring_next(&t->lanes[0]->ring);
	return *first ? t->lanes[0] : NULL;
}

/*
 * Lcores write into each packet how many they have lost so far; the reader is told of those since
 * the one before. It may be fewer than that one said: those in between were laid, counted and taken
 * back, to be looked at again. If a recorder has overwritten the one before, nobody knows.
 */
static bool give(struct tap_lane *l, const struct plx_tap_pkt *p, plx_tap_read_fn fn, void *arg)
{
	struct plx_tap_pkt *mine = (struct plx_tap_pkt *)(uintptr_t)p;
	uint32_t sum = p->lost, more;

	if (l->rec && l->rec->cut) {
		l->rec->cut = false;
		l->told = sum;
	}
	more = sum - l->told;
	mine->lost = more < 1u << 31 ? more : 0;
	if (!fn(arg, p)) {
		mine->lost = sum;
		return false;
	}
	l->told += mine->lost;
	if (l->rec)
		tap__record_read(l, p);
	tap_ring_take(&l->ring, p);
	return true;
}

uint32_t plx_tap_read(struct plx_tap *t, plx_tap_read_fn fn, void *arg, uint32_t max)
{
	uint64_t left = t->conf.limit ? t->conf.limit - t->given : max;
	const struct plx_tap_pkt *p = NULL;
	struct tap_lane *l;
	uint32_t n = 0;

	if (t->conf.keep_bytes && !t->frozen)
		return 0;
	max = (uint32_t)PLX_MIN(left, (uint64_t)max);
	while (n < max && (l = oldest(t, &p)) && give(l, p, fn, arg))
		n++;
	plx_count(t->given, n);
	return n;
}

bool plx_tap_done(const struct plx_tap *t)
{
	return t->conf.limit && plx_count_read(t->given) >= t->conf.limit;
}

static void add_cost(const struct tap_cost *c, struct plx_tap_stats *s)
{
	uint32_t every = plx_tap_every(plx_count_read(c->rung));

	s->every = PLX_MAX(s->every, every);
	s->cost_ppm = PLX_MAX(s->cost_ppm, tap__cost_ppm(c, rte_rdtsc()));
}

void plx_tap_stats(const struct plx_tap *t, struct plx_tap_stats *s)
{
	uint64_t lost = 0;

	*s = (struct plx_tap_stats){.given = plx_count_read(t->given), .every = 1};
	for (uint16_t i = 0; i < t->n_lanes; i++) {
		const struct tap_sums *sum = &t->lanes[i]->sums;

		s->accepted += plx_count_read(sum->accepted);
		s->filtered += plx_count_read(sum->filtered);
		s->sampled += plx_count_read(sum->sampled);
		s->bytes += plx_count_read(sum->bytes);
		s->missed += plx_count_read(sum->missed);
		lost += plx_count_read(sum->lost);
		if (t->conf.max_cost_ppm)
			add_cost(&t->lanes[i]->cost, s);
	}
	lost = PLX_MAX(lost, s->missed); /* which was read before, of lcores that run */
	s->full = lost - s->missed;
	s->seen = s->accepted + s->filtered + s->sampled + lost;
}

const struct plx_tap_conf *plx_tap_conf_of(const struct plx_tap *t)
{
	return &t->conf;
}
