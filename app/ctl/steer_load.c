/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <plx_base_hash.h>

static bool same(const struct plx_tuple *a, const struct plx_tuple *b)
{
	return plx_addr_eq(&a->src, &b->src) && plx_addr_eq(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport && a->proto == b->proto &&
	       a->frag == b->frag;
}

/* Captures are anybody's: whoever knew the key could fill one with flows of one slot. */
static uint32_t hash_of(const struct load *l, const struct plx_tuple *t)
{
	uint64_t w[5] = {t->src.q[0], t->src.q[1], t->dst.q[0], t->dst.q[1],
		(uint64_t)t->sport << 32 | (uint32_t)t->dport << 16 | (uint32_t)t->proto << 8 |
			t->frag};

	return (uint32_t)plx_siphash13_words(l->key, w, PLX_DIM(w));
}

static uint32_t *slot_of(const struct load *l, const struct plx_tuple *t)
{
	uint32_t i = hash_of(l, t) & l->mask;

	while (l->slot[i] && !same(&l->flow[l->slot[i] - 1].tuple, t))
		i = (i + 1) & l->mask;
	return &l->slot[i];
}

/* Twice the flows, and four times the slots of that: short probes. */
static int grow(struct load *l)
{
	uint32_t room = l->room ? l->room * 2 : 256;
	struct load_flow *flow = realloc(l->flow, room * sizeof(*flow));
	uint32_t *slot;

	if (!flow)
		return -ENOMEM;
	l->flow = flow;
	slot = calloc(room * 4ul, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(l->slot);
	l->slot = slot;
	l->mask = room * 4 - 1;
	l->room = room;
	for (uint32_t i = 0; i < l->n; i++)
		*slot_of(l, &l->flow[i].tuple) = i + 1;
	return 0;
}

/* A secret before the first flow. */
static int begin(struct load *l)
{
	if (getrandom(l->key, sizeof(l->key), 0) != (ssize_t)sizeof(l->key))
		return -errno;
	return grow(l);
}

static int count_flow(struct load *l, const struct plx_rss_out *out, uint16_t bucket, uint32_t wire)
{
	int err = 0;
	uint32_t *slot;

	if (l->n == l->room)
		err = l->room ? grow(l) : begin(l);
	if (err)
		return err;
	slot = slot_of(l, &out->tuple);
	if (!*slot) {
		l->flow[l->n] = (struct load_flow){
			.tuple = out->tuple, .hash = out->hash, .queue = l->reta->q[bucket]};
		*slot = ++l->n;
		l->all.flows++;
		l->queue[l->reta->q[bucket]].flows++;
		l->bucket[bucket].flows++;
	}
	l->flow[*slot - 1].packets++;
	l->flow[*slot - 1].bytes += wire;
	return 0;
}

static void count(struct load_count *c, uint32_t wire)
{
	c->packets++;
	c->bytes += wire;
}

int load_add(struct load *l, const void *frame, uint32_t len, uint32_t wire)
{
	struct plx_rss_out out;
	uint16_t bucket;
	int err = 0;

	plx_steer_rss_frame(l->rss, frame, len, &out);
	bucket = (uint16_t)(out.hash & (l->reta->size - 1u));
	if (out.ip)
		err = count_flow(l, &out, bucket, wire);
	if (err)
		return err;
	l->not_ip += !out.ip;
	count(&l->all, wire);
	count(&l->queue[l->reta->q[bucket]], wire);
	count(&l->bucket[bucket], wire);
	return 0;
}

void load_free(struct load *l)
{
	free(l->flow);
	free(l->slot);
	l->flow = NULL;
	l->slot = NULL;
	l->n = l->room = 0;
}

static int larger(const void *a, const void *b)
{
	const struct load_flow *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return memcmp(&x->tuple, &y->tuple, offsetof(struct plx_tuple, frag));
}

void load_sort(struct load *l)
{
	if (l->n)
		qsort(l->flow, l->n, sizeof(*l->flow), larger);
}

double load_imbalance(const uint64_t *v, uint16_t n)
{
	uint64_t sum = 0, max = 0;

	for (uint16_t i = 0; i < n; i++) {
		sum += v[i];
		max = PLX_MAX(max, v[i]);
	}
	return sum ? (double)max * n / (double)sum : 0;
}

void load_queue_packets(const struct load *l, uint16_t n, uint64_t *packets)
{
	for (uint16_t i = 0; i < n; i++)
		packets[i] = l->queue[i].packets;
}

/* Fill queues from left to right, none over `most`. @return whether the buckets fit. */
static bool fits(const struct load *l, uint16_t queues, uint64_t most)
{
	uint64_t sum = 0;
	uint32_t used = 1;

	for (uint16_t i = 0; i < l->reta->size; i++) {
		uint64_t n = l->bucket[i].packets;

		if (n > most)
			return false;
		if (sum + n > most) {
			used++;
			sum = 0;
		}
		sum += n;
	}
	return used <= queues;
}

/* The least that the largest queue can have, if each has a run of buckets. */
static uint64_t least(const struct load *l, uint16_t queues)
{
	uint64_t low = 0, high = l->all.packets;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (fits(l, queues, mid))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Each queue but the last takes as many buckets as the least bound allows. */
void load_weights(const struct load *l, uint16_t queues, uint32_t *weight, uint64_t *after)
{
	uint64_t most = least(l, queues);
	uint16_t at = 0;

	for (uint16_t q = 0; q < queues; q++) {
		weight[q] = 0;
		after[q] = 0;
		while (at < l->reta->size && after[q] + l->bucket[at].packets <= most) {
			after[q] += l->bucket[at++].packets;
			weight[q]++;
		}
	}
}
