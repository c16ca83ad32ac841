/* SPDX-License-Identifier: BSD-3-Clause */
#include "frag_table.h"

#include <errno.h>

#include <plx_base_hash.h>

void plx_frag_limits_init(struct plx_frag_limits *l)
{
	*l = (struct plx_frag_limits){
		.memory_bytes = 4 << 20,
		.source_bytes = 1 << 20,
		.buffers = UINT32_MAX,
		.timeout_v4_ns = PLX_SEC(30),
		.timeout_v6_ns = PLX_SEC(60),
		.datagram_pieces = 128,
	};
}

static bool limits_valid(const struct plx_frag_limits *l)
{
	return l->timeout_v4_ns > 0 && l->timeout_v6_ns > 0 && l->datagram_pieces > 0 &&
	       l->datagram_pieces <= PLX_FRAG_PIECES_MAX;
}

static bool conf_valid(const struct plx_frag_conf *conf)
{
	return conf->datagrams > 0 && conf->datagrams <= 1 << 24 && conf->pieces > 0 &&
	       conf->pieces <= 1 << 26 && limits_valid(&conf->limits);
}

int plx_frag_limits_set(struct plx_frag *f, const struct plx_frag_limits *l)
{
	if (!limits_valid(l))
		return -EINVAL;
	f->limits = *l;
	return 0;
}

static uint32_t buckets(const struct plx_frag_conf *conf)
{
	uint32_t n = 16;

	while (n < conf->datagrams)
		n *= 2;
	return n;
}

/* One more than are ever held: the dead of one call fit beside what that call takes in. */
static uint32_t fragments(const struct plx_frag_conf *conf)
{
	return conf->pieces + 1;
}

static void *carve(uint8_t *mem, size_t *used, size_t bytes)
{
	void *p = mem ? mem + *used : NULL;

	*used += (bytes + 63) & ~(size_t)63;
	return p;
}

/* With mem: the parts' places. Without: only the size. */
static size_t lay_out(struct plx_frag *f, uint8_t *mem, const struct plx_frag_conf *conf)
{
	size_t used = 0;

	carve(mem, &used, sizeof(struct plx_frag));
	f->datagrams = carve(mem, &used, buckets(conf) * sizeof(*f->datagrams));
	f->sources = carve(mem, &used, buckets(conf) * sizeof(*f->sources));
	f->free_datagram = carve(mem, &used, conf->datagrams * sizeof(*f->free_datagram));
	f->free_source = carve(mem, &used, conf->datagrams * sizeof(*f->free_source));
	f->free_fragment = carve(mem, &used, fragments(conf) * sizeof(*f->free_fragment));
	f->out = carve(mem, &used, PLX_FRAG_PIECES_MAX * sizeof(*f->out));
	return used;
}

size_t plx_frag_size(const struct plx_frag_conf *conf)
{
	struct plx_frag f;

	return conf_valid(conf) ? lay_out(&f, NULL, conf) : 0;
}

static void chain_free(struct plx_frag *f, const struct plx_frag_conf *conf)
{
	for (uint32_t i = 0; i + 1 < conf->datagrams; i++) {
		f->free_datagram[i].hash_next = &f->free_datagram[i + 1];
		f->free_source[i].hash_next = &f->free_source[i + 1];
	}
	for (uint32_t i = 0; i + 1 < fragments(conf); i++)
		f->free_fragment[i].next = &f->free_fragment[i + 1];
}

struct plx_frag *plx_frag_init(void *mem, const struct plx_frag_conf *conf)
{
	struct plx_frag *f = mem;

	if (!conf_valid(conf))
		return NULL;
	memset(mem, 0, plx_frag_size(conf));
	lay_out(f, mem, conf);
	f->limits = conf->limits;
	memcpy(f->seed, conf->seed, sizeof(f->seed));
	f->mask = buckets(conf) - 1;
	f->max_held = conf->pieces;
	for (int v6 = 0; v6 < 2; v6++) {
		plx_list_init(&f->progress[v6]);
		plx_list_init(&f->refused[v6]);
	}
	chain_free(f, conf);
	return f;
}

const struct plx_frag_stats *plx_frag_stats(const struct plx_frag *f)
{
	return &f->stats;
}

static uint32_t hash_key(const struct plx_frag *f, const struct plx_frag_key *k)
{
	const uint64_t w[] = {k->src.q[0], k->src.q[1], k->dst.q[0], k->dst.q[1],
		(uint64_t)k->proto << 32 | k->id};

	return plx_siphash13_words(f->seed, w, PLX_DIM(w)) & f->mask;
}

static uint32_t hash_addr(const struct plx_frag *f, const struct plx_addr *a)
{
	return plx_siphash13_words(f->seed, a->q, PLX_DIM(a->q)) & f->mask;
}

static bool key_eq(const struct plx_frag_key *a, const struct plx_frag_key *b)
{
	return a->id == b->id && a->proto == b->proto && plx_addr_eq(&a->src, &b->src) &&
	       plx_addr_eq(&a->dst, &b->dst);
}

struct datagram *frag__find(const struct plx_frag *f, const struct plx_frag_key *key)
{
	struct datagram *d = f->datagrams[hash_key(f, key)];

	while (d && !key_eq(&d->key, key))
		d = d->hash_next;
	return d;
}

struct source *frag__source(const struct plx_frag *f, const struct plx_addr *addr)
{
	struct source *s = f->sources[hash_addr(f, addr)];

	while (s && !plx_addr_eq(&s->addr, addr))
		s = s->hash_next;
	return s;
}

/* There are as many sources as records, so there is one to be had. */
static struct source *source_get(struct plx_frag *f, const struct plx_addr *addr)
{
	struct source **bucket, *s = frag__source(f, addr);

	if (s)
		return s;
	s = f->free_source;
	f->free_source = s->hash_next;
	bucket = &f->sources[hash_addr(f, addr)];
	*s = (struct source){.addr = *addr, .hash_next = *bucket};
	plx_list_init(&s->datagrams);
	*bucket = s;
	return s;
}

static void source_put(struct plx_frag *f, struct source *s)
{
	struct source **at = &f->sources[hash_addr(f, &s->addr)];

	if (!plx_list_empty(&s->datagrams))
		return;
	while (*at != s)
		at = &(*at)->hash_next;
	*at = s->hash_next;
	s->hash_next = f->free_source;
	f->free_source = s;
}

struct datagram *frag__add(struct plx_frag *f, const struct plx_frag_key *key, plx_ns now)
{
	struct datagram **bucket = &f->datagrams[hash_key(f, key)], *d = f->free_datagram;

	f->free_datagram = d->hash_next;
	*d = (struct datagram){
		.key = *key,
		.hash_next = *bucket,
		.source = source_get(f, &key->src),
		.since = now,
		.end = END_UNKNOWN,
		.v6 = !plx_addr_is_v4(&key->src),
	};
	*bucket = d;
	plx_list_add_tail(&f->progress[d->v6], &d->of_age);
	plx_list_add_tail(&d->source->datagrams, &d->of_source);
	f->stats.datagrams++;
	return d;
}

void frag__hold(
	struct plx_frag *f, struct datagram *d, struct fragment *at, const struct plx_frag_in *in)
{
	struct fragment *g = f->free_fragment;

	f->free_fragment = g->next;
	*g = (struct fragment){
		.next = at ? at->next : d->first,
		.pkt = in->pkt,
		.off = in->off,
		.len = in->len,
		.charge = in->charge,
		.buffers = in->buffers,
	};
	*(at ? &at->next : &d->first) = g;
	if (d->last == at)
		d->last = g;
	d->n++;
	d->have += g->len;
	d->charge += g->charge;
	d->buffers += g->buffers;
	d->source->charge += g->charge;
	f->stats.memory_bytes += g->charge;
	f->stats.buffers += g->buffers;
	plx_count(f->stats.held, 1);
	f->held++;
}

/* Neither in progress any more nor charged; what it holds is for the caller to place. */
static void retire(struct plx_frag *f, struct datagram *d)
{
	f->held -= d->n;
	f->stats.memory_bytes -= d->charge;
	f->stats.buffers -= d->buffers;
	f->stats.datagrams--;
	d->source->charge -= d->charge;
	plx_list_del(&d->of_source);
	source_put(f, d->source);
	d->source = NULL;
	plx_list_del(&d->of_age);
}

static void kill_fragments(struct plx_frag *f, struct datagram *d, enum plx_drop reason)
{
	for (struct fragment *g = d->first, *next; g; g = next) {
		next = g->next;
		g->reason = reason;
		plx_fifo_push(&f->dead, &g->node);
	}
	d->first = d->last = NULL;
	d->n = 0;
}

static void unhash(struct plx_frag *f, struct datagram *d)
{
	struct datagram **at = &f->datagrams[hash_key(f, &d->key)];

	while (*at != d)
		at = &(*at)->hash_next;
	*at = d->hash_next;
	d->hash_next = f->free_datagram;
	f->free_datagram = d;
}

void frag__forget(struct plx_frag *f, struct datagram *d)
{
	plx_count(f->stats.held, -(uint32_t)d->n);
	retire(f, d);
	if (d->last) {
		d->last->next = f->free_fragment;
		f->free_fragment = d->first;
	}
	unhash(f, d);
}

void frag__evict(struct plx_frag *f, struct datagram *d, enum plx_drop reason)
{
	if (d->refused) {
		f->stats.refused--;
		plx_list_del(&d->of_age);
	} else {
		frag__count(f, d->v6)->fails++;
		retire(f, d);
		kill_fragments(f, d, reason);
	}
	unhash(f, d);
}

void frag__refuse(struct plx_frag *f, struct datagram *d, enum plx_drop reason, plx_ns now)
{
	frag__count(f, d->v6)->fails++;
	retire(f, d);
	kill_fragments(f, d, reason);
	d->refused = reason;
	d->since = now;
	plx_list_add_tail(&f->refused[d->v6], &d->of_age);
	f->stats.refused++;
}

static struct datagram *older(const struct plx_list by_family[2])
{
	struct datagram *a = plx_list_first(&by_family[0], struct datagram, of_age);
	struct datagram *b = plx_list_first(&by_family[1], struct datagram, of_age);

	if (!a || !b)
		return a ? a : b;
	return a->since <= b->since ? a : b;
}

struct datagram *frag__oldest(const struct plx_frag *f)
{
	return older(f->progress);
}

void frag__spare_record(struct plx_frag *f)
{
	struct datagram *d;

	if (f->free_datagram)
		return;
	d = older(f->refused);
	frag__evict(f, d ? d : frag__oldest(f), PLX_DROP_FRAG_MEMORY);
}

bool plx_frag_pop_dead(struct plx_frag *f, struct plx_frag_dead *dead)
{
	struct plx_fifo_node *node = plx_fifo_pop(&f->dead);
	struct fragment *g;

	if (!node)
		return false;
	g = plx_container_of(node, struct fragment, node);
	*dead = (struct plx_frag_dead){
		.pkt = g->pkt,
		.reason = g->reason,
		.time_exceeded = g->reason == PLX_DROP_FRAG_TIMEOUT && g->off == 0,
	};
	g->next = f->free_fragment;
	f->free_fragment = g;
	plx_count(f->stats.held, -1u);
	return true;
}
