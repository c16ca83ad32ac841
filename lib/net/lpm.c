/* SPDX-License-Identifier: BSD-3-Clause */
#include "lpm.h"

#include <errno.h>
#include <stdlib.h>

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

static int32_t node_new(struct net_lpm *t, const uint64_t *key, unsigned int len, int32_t value)
{
	struct net_lpm_node *n = &t->node[t->n];
	uint64_t hi = len == 0 ? 0 : len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
	uint64_t lo = len <= 64 ? 0 : len == 128 ? UINT64_MAX : ~(UINT64_MAX >> (len - 64));

	*n = (struct net_lpm_node){
		.key = {key[0] & hi, key[1] & lo},
		.child = {NET_LPM_NONE, NET_LPM_NONE},
		.value = value,
		.len = (uint8_t)len,
	};
	return (int32_t)t->n++;
}

int net__lpm_init(struct net_lpm *t, uint32_t max)
{
	static const uint64_t zero[2];

	/* a leaf and a fork for each prefix, and the root */
	*t = (struct net_lpm){.cap = 2 * max + 1};
	t->node = calloc(t->cap, sizeof(*t->node));
	if (!t->node)
		return -ENOMEM;
	node_new(t, zero, 0, NET_LPM_NONE);
	return 0;
}

void net__lpm_fini(struct net_lpm *t)
{
	free(t->node);
	free(t->t16);
	free(t->chunk);
	*t = (struct net_lpm){0};
}

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

void net__lpm_add(struct net_lpm *t, const struct plx_prefix *p, int32_t value)
{
	const uint64_t key[2] = {plx_get_be64(p->addr.b), plx_get_be64(p->addr.b + 8)};
	int32_t *link = NULL, at = 0, fork;
	unsigned int same = 0;

	/* down to the node that is not on p's way, or past the leaves */
	while (at >= 0) {
		struct net_lpm_node *n = &t->node[at];

		same = common(n->key, key, PLX_MIN(n->len, p->len));
		if (same < n->len)
			break;
		if (n->len == p->len) {
			if (n->value == NET_LPM_NONE)
				n->value = value;
			return;
		}
		link = &n->child[bit_of(key, n->len)];
		at = *link;
	}
	if (at < 0) {
		*link = node_new(t, key, p->len, value);
		return;
	}
	/* n is longer than what it shares with p: p goes above it, or both below a fork */
	fork = node_new(t, key, same, same == p->len ? value : NET_LPM_NONE);
	t->node[fork].child[bit_of(t->node[at].key, same)] = at;
	if (same < p->len) {
		int32_t leaf = node_new(t, key, p->len, value);

		t->node[fork].child[bit_of(key, same)] = leaf;
	}
	*link = fork;
}

int32_t net__lpm_walk(const struct net_lpm *t, const struct plx_addr *a)
{
	const uint64_t key[2] = {plx_get_be64(a->b), plx_get_be64(a->b + 8)};
	int32_t best = NET_LPM_NONE, at = 0;

	while (at >= 0) {
		const struct net_lpm_node *n = &t->node[at];

		if (!matches(n->key, key, n->len))
			break;
		if (n->value != NET_LPM_NONE)
			best = n->value;
		if (n->len == 128)
			break;
		at = n->child[bit_of(key, n->len)];
	}
	return best;
}

/* ---- the IPv4 table ---- */

static void fill(uint16_t *e, uint32_t n, uint16_t value)
{
	for (uint32_t i = 0; i < n; i++)
		e[i] = value;
}

/* The chunk below an entry; a new one starts as the entry was. */
static uint16_t *below(struct net_lpm *t, uint16_t *e)
{
	if (!(*e & NET_LPM_EXT)) {
		fill(t->chunk[t->n_chunk], 256, *e);
		*e = (uint16_t)(NET_LPM_EXT | t->n_chunk++);
	}
	return t->chunk[*e & ~NET_LPM_EXT];
}

/* One prefix of an IPv4 address; shorter ones have been put before. */
static void put4(struct net_lpm *t, uint32_t addr, unsigned int len, uint16_t value)
{
	uint16_t *e = &t->t16[addr >> 16];

	if (len <= 16) {
		fill(e, 1u << (16 - len), value);
		return;
	}
	e = &below(t, e)[addr >> 8 & 0xff];
	if (len <= 24) {
		fill(e, 1u << (24 - len), value);
		return;
	}
	e = &below(t, e)[addr & 0xff];
	fill(e, 1u << (32 - len), value);
}

/*
 * Top down: a parent's prefix is put before those inside it. Prefixes shorter than IPv4's 96 bits
 * are IPv6's (::/0) and not meant for it.
 */
static void put_node(struct net_lpm *t, int32_t at)
{
	const struct net_lpm_node *n;

	if (at < 0)
		return;
	n = &t->node[at];
	if (n->value != NET_LPM_NONE && n->len >= 96 && n->key[0] == 0 && n->key[1] >> 32 == 0xffff)
		put4(t, (uint32_t)n->key[1], n->len - 96u, (uint16_t)n->value);
	put_node(t, n->child[0]);
	put_node(t, n->child[1]);
}

int net__lpm_finish(struct net_lpm *t)
{
	t->cap_chunk = 2 * t->n + 1; /* a prefix opens at most two */
	t->t16 = malloc(65536 * sizeof(*t->t16));
	t->chunk = malloc(t->cap_chunk * sizeof(*t->chunk));
	if (!t->t16 || !t->chunk || t->cap_chunk > NET_LPM_MAX)
		return -ENOMEM;
	fill(t->t16, 65536, NET_LPM_EMPTY);
	put_node(t, 0);
	return 0;
}
