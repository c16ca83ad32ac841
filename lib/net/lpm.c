/* SPDX-License-Identifier: BSD-3-Clause */
#include "lpm.h"

#include <errno.h>
#include <stdlib.h>

#define V4_BITS 96 /* of the prefix that IPv4 lies in: ::ffff:0:0/96 */

/* The first len bits of a and b are the same. */
static bool matches(const uint64_t *a, const uint64_t *b, unsigned int len)
{
	if (len <= 64)
		return len == 0 || (a[0] ^ b[0]) >> (64 - len) == 0;
	return a[0] == b[0] && (a[1] ^ b[1]) >> (128 - len) == 0;
}

static unsigned int bit_of(const uint64_t *a, unsigned int i)
{
	return (unsigned int)(a[i >> 6] >> (63 - (i & 63))) & 1;
}

static int32_t get(const int32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* What value leads to can be seen before it. */
static void set(int32_t *p, int32_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static int32_t node_new(struct net_lpm *t, const uint64_t *key, unsigned int len)
{
	struct net_lpm_node *n = &t->node[t->n];
	uint64_t hi = len == 0 ? 0 : len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
	uint64_t lo = len <= 64 ? 0 : len == 128 ? UINT64_MAX : ~(UINT64_MAX >> (len - 64));

	*n = (struct net_lpm_node){
		.key = {key[0] & hi, key[1] & lo},
		.child = {NET_LPM_NONE, NET_LPM_NONE},
		.value = NET_LPM_NONE,
		.len = (uint8_t)len,
	};
	return (int32_t)t->n++;
}

int net__lpm_init(struct net_lpm *t, uint32_t max)
{
	static const uint64_t zero[2];

	if (max > NET_LPM_MAX)
		return -EINVAL;
	/* a leaf and a fork for each prefix, and the root; two chunks. Pages that are not used
	 * cost nothing. */
	*t = (struct net_lpm){
		.cap = 2 * max + 1,
		.cap_chunk = PLX_MIN(2 * max, (uint32_t)NET_LPM_MAX),
	};
	t->node = malloc(t->cap * sizeof(*t->node));
	t->value = calloc(max + 1, sizeof(*t->value));
	t->t16 = malloc(65536 * sizeof(*t->t16));
	t->chunk = malloc((t->cap_chunk + 1) * sizeof(*t->chunk));
	if (!t->node || !t->value || !t->t16 || !t->chunk) {
		net__lpm_fini(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < 65536; i++)
		t->t16[i] = NET_LPM_EMPTY;
	node_new(t, zero, 0);
	return 0;
}

void net__lpm_fini(struct net_lpm *t)
{
	free(t->node);
	free(t->value);
	free(t->t16);
	free(t->chunk);
	*t = (struct net_lpm){0};
}

/* ---- the trie ---- */

/* The first bit in which a and b differ, at most len. */
static unsigned int common(const uint64_t *a, const uint64_t *b, unsigned int len)
{
	unsigned int n = 128;

	if (a[0] != b[0])
		n = (unsigned int)__builtin_clzll(a[0] ^ b[0]);
	else if (a[1] != b[1])
		n = 64 + (unsigned int)__builtin_clzll(a[1] ^ b[1]);
	return PLX_MIN(n, len);
}

/* The node of a prefix. @return NULL: there is none, and make is false. */
static struct net_lpm_node *node_at(struct net_lpm *t, const struct plx_prefix *p, bool make)
{
	const uint64_t key[2] = {plx_get_be64(p->addr.b), plx_get_be64(p->addr.b + 8)};
	int32_t *link = NULL, at = 0, fork, leaf;
	unsigned int same = 0;

	/* down to the node that is not on p's way, or past the leaves */
	while (at >= 0) {
		struct net_lpm_node *n = &t->node[at];

		same = common(n->key, key, PLX_MIN(n->len, p->len));
		if (same < n->len)
			break;
		if (n->len == p->len)
			return n;
		link = &n->child[bit_of(key, n->len)];
		at = *link;
	}
	if (!make)
		return NULL;
	if (at < 0) {
		leaf = node_new(t, key, p->len);
		set(link, leaf);
		return &t->node[leaf];
	}
	/* n is longer than what it shares with p: p goes above it, or both below a fork */
	leaf = fork = node_new(t, key, same);
	t->node[fork].child[bit_of(t->node[at].key, same)] = at;
	if (same < p->len) {
		leaf = node_new(t, key, p->len);
		t->node[fork].child[bit_of(key, same)] = leaf;
	}
	set(link, fork);
	return &t->node[leaf];
}

static int32_t first_that(const struct net_lpm *t, int32_t value,
	bool (*fits)(const void *arg, int32_t value), const void *arg)
{
	while (value != NET_LPM_NONE && fits && !fits(arg, value))
		value = get(&t->value[value].next);
	return value;
}

/* Prefixes shorter than IPv4's 96 bits are IPv6's (::/0) and not meant for it. */
int32_t net__lpm_walk(const struct net_lpm *t, const struct plx_addr *a,
	bool (*fits)(const void *arg, int32_t value), const void *arg)
{
	const uint64_t key[2] = {plx_get_be64(a->b), plx_get_be64(a->b + 8)};
	unsigned int least = plx_addr_is_v4(a) ? V4_BITS : 0;
	int32_t best = NET_LPM_NONE, at = 0;

	while (at >= 0) {
		const struct net_lpm_node *n = &t->node[at];
		int32_t value;

		if (!matches(n->key, key, n->len))
			break;
		value = get(&n->value);
		if (value != NET_LPM_NONE && n->len >= least) {
			if (plx_unlikely(fits != NULL))
				value = first_that(t, value, fits, arg);
			if (value != NET_LPM_NONE)
				best = value;
		}
		if (n->len == 128)
			break;
		at = get(&n->child[bit_of(key, n->len)]);
	}
	return best;
}

int32_t net__lpm_exact(const struct net_lpm *t, const struct plx_prefix *p)
{
	const struct net_lpm_node *n = node_at((struct net_lpm *)(uintptr_t)t, p, false);

	return n ? n->value : NET_LPM_NONE;
}

/* ---- the IPv4 table ---- */

/* Where no longer prefix has a say. */
static void paint(struct net_lpm *t, uint16_t *e, uint32_t n, uint8_t plen, uint16_t value)
{
	for (uint32_t i = 0; i < n; i++) {
		if (e[i] & NET_LPM_EXT)
			paint(t, t->chunk[e[i] & ~NET_LPM_EXT], 256, plen, value);
		else if (e[i] == NET_LPM_EMPTY || t->value[e[i]].plen <= plen)
			__atomic_store_n(&e[i], value, __ATOMIC_RELEASE);
	}
}

/* The chunk below an entry; a new one starts as the entry was. */
static uint16_t *below(struct net_lpm *t, uint16_t *e)
{
	if (!(*e & NET_LPM_EXT)) {
		for (uint32_t i = 0; i < 256; i++)
			t->chunk[t->n_chunk][i] = *e;
		__atomic_store_n(e, (uint16_t)(NET_LPM_EXT | t->n_chunk++), __ATOMIC_RELEASE);
	}
	return t->chunk[*e & ~NET_LPM_EXT];
}

/* @param value NET_LPM_EMPTY: nothing is there any more. */
static void put4(struct net_lpm *t, const struct plx_prefix *p, uint16_t value)
{
	const uint8_t *b = p->addr.b + 12;
	unsigned int len = p->len - V4_BITS;
	uint16_t *e = &t->t16[plx_get_be16(b)];

	if (len <= 16) {
		paint(t, e, 1u << (16 - len), p->len, value);
		return;
	}
	e = &below(t, e)[b[2]];
	if (len <= 24) {
		paint(t, e, 1u << (24 - len), p->len, value);
		return;
	}
	e = &below(t, e)[b[3]];
	paint(t, e, 1u << (32 - len), p->len, value);
}

static bool in_table(const struct plx_prefix *p)
{
	return p->len >= V4_BITS && plx_addr_is_v4(&p->addr);
}

/* ---- both ---- */

int net__lpm_add(struct net_lpm *t, const struct plx_prefix *p, int32_t value, uint64_t rank)
{
	struct net_lpm_value *v = &t->value[value];
	struct net_lpm_node *n;
	int32_t *link;

	if (t->cap - t->n < 2 || (in_table(p) && t->cap_chunk - t->n_chunk < 2))
		return -ENOSPC;
	n = node_at(t, p, true);
	for (link = &n->value; *link != NET_LPM_NONE && t->value[*link].rank <= rank;)
		link = &t->value[*link].next;
	*v = (struct net_lpm_value){.next = *link, .plen = p->len, .used = true, .rank = rank};
	set(link, value);
	if (link == &n->value && in_table(p))
		put4(t, p, (uint16_t)value);
	return 0;
}

struct shorter {
	const struct net_lpm_value *value;
	uint8_t plen;
};

static bool is_shorter(const void *arg, int32_t value)
{
	const struct shorter *than = arg;

	return than->value[value].plen < than->plen;
}

void net__lpm_del(struct net_lpm *t, const struct plx_prefix *p, int32_t value)
{
	const struct shorter than = {t->value, p->len};
	struct net_lpm_node *n = node_at(t, p, false);
	int32_t *link = &n->value, rest;

	while (*link != value)
		link = &t->value[*link].next;
	set(link, t->value[value].next); /* whoever stands on it still finds the next */
	t->value[value].used = false;
	if (link != &n->value || !in_table(p))
		return;
	rest = n->value;
	if (rest == NET_LPM_NONE)
		rest = net__lpm_walk(t, &p->addr, is_shorter, &than);
	put4(t, p, rest == NET_LPM_NONE ? NET_LPM_EMPTY : (uint16_t)rest);
}
