/* SPDX-License-Identifier: BSD-3-Clause */
#include "mcast_table.h"

static bool conf_valid(const struct plx_mcast_conf *conf)
{
	return conf->groups > 0 && conf->groups <= 1 << 20 && conf->sources > 0 &&
	       conf->sources <= 1 << 24;
}

static uint32_t buckets(const struct plx_mcast_conf *conf)
{
	uint32_t n = 16;

	while (n < 2 * conf->groups)
		n *= 2;
	return n;
}

static void *carve(uint8_t *mem, size_t *used, size_t bytes)
{
	void *p = mem ? mem + *used : NULL;

	*used += (bytes + 63) & ~(size_t)63;
	return p;
}

/* With mem: the parts' places. Without: only the size. */
static size_t lay_out(struct plx_mcast *m, uint8_t *mem, const struct plx_mcast_conf *conf)
{
	size_t used = 0;

	carve(mem, &used, sizeof(*m));
	m->buckets = carve(mem, &used, buckets(conf) * sizeof(*m->buckets));
	m->free_group = carve(mem, &used, 2 * conf->groups * sizeof(*m->free_group));
	m->free_source = carve(mem, &used, conf->sources * sizeof(*m->free_source));
	return used;
}

size_t plx_mcast_size(const struct plx_mcast_conf *conf)
{
	struct plx_mcast m;

	return conf_valid(conf) ? lay_out(&m, NULL, conf) : 0;
}

/* RFC 3376 8.1, 8.2, 8.3; the same numbers in RFC 3810 9.1, 9.2, 9.3. */
static void family_init(struct family *f, uint8_t newest)
{
	*f = (struct family){
		.newest = newest,
		.version = newest,
		.robustness = 2,
		.query_interval_ns = PLX_SEC(125),
		.response_interval_ns = PLX_SEC(10),
		.older_until = {PLX_NEVER, PLX_NEVER},
		.general_at = PLX_NEVER,
		.change_at = PLX_NEVER,
	};
}

struct plx_mcast *plx_mcast_init(void *mem, const struct plx_mcast_conf *conf)
{
	struct plx_mcast *m = mem;

	if (!conf_valid(conf))
		return NULL;
	memset(mem, 0, plx_mcast_size(conf));
	lay_out(m, mem, conf);
	memcpy(m->seed, conf->seed, sizeof(m->seed));
	plx_rng_init(&m->rng, plx_siphash(m->seed, "delays", 6));
	m->mask = buckets(conf) - 1;
	m->max_members = conf->groups;
	m->deadline = PLX_NEVER;
	plx_list_init(&m->groups);
	family_init(&m->family[0], 3);
	family_init(&m->family[1], 2);
	for (uint32_t i = 0; i + 1 < 2 * conf->groups; i++)
		m->free_group[i].hash_next = &m->free_group[i + 1];
	for (uint32_t i = 0; i + 1 < conf->sources; i++)
		m->free_source[i].next = &m->free_source[i + 1];
	return m;
}

plx_ns mcast__later(struct plx_mcast *m, plx_ns now, plx_ns max)
{
	return now + (plx_ns)plx_rng_below(&m->rng, (uint64_t)max + 1);
}

static struct group **bucket(const struct plx_mcast *m, const struct plx_addr *addr)
{
	return &m->buckets[plx_hash_words(m->seed, addr->q, PLX_DIM(addr->q)) & m->mask];
}

struct group *mcast__find(const struct plx_mcast *m, const struct plx_addr *addr)
{
	struct group *g = *bucket(m, addr);

	while (g && !plx_addr_eq(&g->addr, addr))
		g = g->hash_next;
	return g;
}

struct source *mcast__source(const struct group *g, const struct plx_addr *addr)
{
	struct source *s = g->sources;

	while (s && !plx_addr_eq(&s->addr, addr))
		s = s->next;
	return s;
}

/* All-hosts and all-nodes are never announced, nor what stays in the host (RFC 3376 5, RFC 3810 6).
 */
static bool is_reported(const struct plx_addr *a)
{
	uint8_t scope = a->b[1] & 0xf;

	if (plx_addr_is_v4(a))
		return plx_addr_v4(a) != 0xe0000001;
	return scope >= 2 &&
	       !(plx_get_be64(a->b) == 0xff02ull << 48 && plx_get_be64(a->b + 8) == 1);
}

static void group_free(struct plx_mcast *m, struct group *g)
{
	struct group **at = bucket(m, &g->addr);

	while (*at != g)
		at = &(*at)->hash_next;
	*at = g->hash_next;
	plx_list_del(&g->link);
	g->hash_next = m->free_group;
	m->free_group = g;
}

/* There are as many records as members are allowed: if none is free, one stays to tell of its end.
 */
static void spare_group(struct plx_mcast *m)
{
	struct group *g;

	if (m->free_group)
		return;
	plx_list_foreach (g, &m->groups, link)
		if (!mcast__is_member(g))
			break;
	g->mode_left = g->todo = 0;
	for (struct source *s = g->sources; s; s = s->next)
		s->left = s->asked = 0;
	mcast__prune(m, g);
}

struct group *mcast__add(struct plx_mcast *m, const struct plx_addr *addr)
{
	bool v6 = !plx_addr_is_v4(addr);
	struct group *g;

	spare_group(m);
	g = m->free_group;
	m->free_group = g->hash_next;
	*g = (struct group){
		.hash_next = *bucket(m, addr),
		.addr = *addr,
		.answer_at = PLX_NEVER,
		.v6 = v6,
		.reported = is_reported(addr),
	};
	*bucket(m, addr) = g;
	plx_list_add_tail(&m->groups, &g->link);
	return g;
}

static void prune_sources(struct plx_mcast *m, struct group *g)
{
	for (struct source **at = &g->sources, *s; (s = *at);) {
		if (s->users || s->left || s->asked) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		s->next = m->free_source;
		m->free_source = s;
	}
}

void mcast__prune(struct plx_mcast *m, struct group *g)
{
	prune_sources(m, g);
	if (!mcast__is_member(g) && !g->sources && !g->mode_left && !g->todo)
		group_free(m, g);
}

/* A querier must not keep programs from joining: its questions are answered in general instead. */
static void forget_asked(struct plx_mcast *m)
{
	struct group *g;

	plx_list_foreach (g, &m->groups, link) {
		if (!g->asked_sources)
			continue;
		g->asked_sources = false;
		g->emitting = 0;
		for (struct source *s = g->sources; s; s = s->next)
			s->asked = false;
		prune_sources(m, g); /* its time to answer comes, and ends the group if need be */
	}
}

struct source *mcast__source_add(struct plx_mcast *m, struct group *g, const struct plx_addr *addr)
{
	struct source **at = &g->sources, *s;

	if (!m->free_source)
		forget_asked(m);
	s = m->free_source;
	if (!s)
		return NULL;
	m->free_source = s->next;
	while (*at)
		at = &(*at)->next;
	*s = (struct source){.addr = *addr};
	*at = s;
	return s;
}

void mcast__cancel(struct plx_mcast *m, bool v6)
{
	struct group *g, *next;

	m->family[v6].general_at = m->family[v6].change_at = PLX_NEVER;
	plx_list_foreach_safe (g, next, &m->groups, link) {
		if (g->v6 != v6)
			continue;
		g->answer_at = PLX_NEVER;
		g->left = g->mode_left = g->todo = g->emitting = 0;
		g->asked_sources = g->last_reporter = false;
		for (struct source *s = g->sources; s; s = s->next)
			s->left = s->asked = 0;
		mcast__prune(m, g);
	}
}

static bool is_all_hosts(const struct plx_addr *a)
{
	return plx_addr_is_mcast(a) && !is_reported(a) &&
	       (plx_addr_is_v4(a) || plx_get_be64(a->b + 8) == 1);
}

bool plx_mcast_is_member(const struct plx_mcast *m, const struct plx_addr *group)
{
	const struct group *g = mcast__find(m, group);

	return g ? mcast__is_member(g) || is_all_hosts(group) : is_all_hosts(group);
}

bool plx_mcast_accepts(
	const struct plx_mcast *m, const struct plx_addr *group, const struct plx_addr *src)
{
	const struct group *g = mcast__find(m, group);
	const struct source *s;

	if (is_all_hosts(group))
		return true;
	if (!g || g->users)
		return g != NULL;
	s = mcast__source(g, src);
	return s && s->users;
}

bool plx_mcast_next(const struct plx_mcast *m, uint32_t *cursor, struct plx_mcast_group *group)
{
	const struct group *g;
	uint32_t i = 0;

	plx_list_foreach (g, &m->groups, link) {
		if (!mcast__is_member(g) || i++ != *cursor)
			continue;
		++*cursor;
		*group = (struct plx_mcast_group){
			.addr = g->addr,
			.users = g->users,
			.sources = g->sources_used,
			.reported = g->reported,
		};
		return true;
	}
	return false;
}

uint32_t plx_mcast_generation(const struct plx_mcast *m)
{
	return m->generation;
}

unsigned int plx_mcast_version(const struct plx_mcast *m, bool v6)
{
	return m->family[v6].version;
}
