/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_impair.h"

#include <errno.h>

/* What the dice say about a packet, before anything is made of it. */
struct dice {
	bool lost, dup, reorder;
	plx_ns jitter_ns;
};

static plx_ns bytes_to_ns(uint32_t bytes, uint64_t rate_bps)
{
	return rate_bps ? (plx_ns)(bytes * UINT64_C(8000000000) / rate_bps) : 0;
}

int plx_impair_init(struct plx_impair *im, const struct plx_impair_conf *conf)
{
	struct plx_rng seeds, *const streams[] = {&im->loss, &im->ge, &im->dup, &im->corrupt,
				      &im->reorder, &im->jitter};

	if (plx_impair_conf_check(conf))
		return -EINVAL;
	*im = (struct plx_impair){
		.conf = *conf,
		.queue_ns = bytes_to_ns(conf->queue_bytes, conf->rate_bps),
		.burst_ns = bytes_to_ns(conf->burst_bytes, conf->rate_bps),
	};
	plx_rng_init(&seeds, conf->seed);
	for (size_t i = 0; i < PLX_DIM(streams); i++)
		plx_rng_init(streams[i], plx_rng_u64(&seeds));
	return 0;
}

static bool aim_matches(const struct plx_impair_aim *a, const struct plx_impair_pkt *pkt)
{
	uint64_t off = (uint64_t)a->off + (a->l4 ? pkt->l4_off : 0);
	uint32_t v = 0;

	if (!pkt->data || off + a->len > pkt->data_len || (a->l4 && pkt->l4_off == 0))
		return false;
	for (unsigned int i = 0; i < a->len; i++)
		v = v << 8 | ((const uint8_t *)pkt->data)[off + i];
	return ((v ^ a->value) & a->mask) == 0;
}

static bool aimed(struct plx_impair *im, const struct plx_impair_pkt *pkt)
{
	const struct plx_impair_conf *c = &im->conf;
	bool lost = c->pick && c->pick(c->pick_arg, pkt);

	for (unsigned int i = 0; i < c->n_aim; i++) {
		if (!aim_matches(&c->aim[i], pkt))
			continue;
		im->aim_hits[i]++;
		lost |= im->aim_hits[i] >= c->aim[i].first && im->aim_hits[i] <= c->aim[i].last;
	}
	return lost;
}

/* stats.seen counts this packet already: it is its number. */
static bool numbered(struct plx_impair *im)
{
	const struct plx_impair_conf *c = &im->conf;
	bool lost = c->every && im->stats.seen % c->every == 0;

	if (im->nth_next < c->n_nth && c->nth[im->nth_next] == im->stats.seen) {
		im->nth_next++;
		lost = true;
	}
	return lost;
}

/* The loss is the one of the state that the packet finds; then the state moves, as in netem. */
static bool gilbert_elliott(struct plx_impair *im)
{
	const struct plx_impair_ge *ge = &im->conf.ge;
	bool bad = im->ge_bad;

	if (ge->p <= 0)
		return false;
	im->ge_bad ^= plx_rng_chance(&im->ge, bad ? ge->r : ge->p);
	return plx_rng_chance(&im->ge, bad ? ge->bad_loss : ge->good_loss);
}

static plx_ns roll_jitter(struct plx_impair *im)
{
	plx_ns jitter = im->conf.jitter_ns;
	double z = -6;

	if (jitter == 0)
		return 0;
	if (im->conf.dist == PLX_IMPAIR_UNIFORM)
		return (plx_ns)plx_rng_below(&im->jitter, 2 * (uint64_t)jitter + 1) - jitter;
	/* The sum of twelve even draws has the variance 1, and the same bits on every machine. */
	for (int i = 0; i < 12; i++)
		z += plx_rng_double(&im->jitter);
	return (plx_ns)((double)jitter * z);
}

/* Every model sees every packet and draws for it: no model's pattern depends on another one. */
static struct dice roll(struct plx_impair *im, const struct plx_impair_pkt *pkt)
{
	const struct plx_impair_conf *c = &im->conf;
	struct dice d;

	d.lost = aimed(im, pkt);
	d.lost |= numbered(im);
	d.lost |= plx_rng_chance(&im->loss, c->loss);
	d.lost |= gilbert_elliott(im);
	d.dup = plx_rng_chance(&im->dup, c->dup);
	d.reorder = plx_rng_chance(&im->reorder, c->reorder);
	d.jitter_ns = roll_jitter(im);
	return d;
}

static bool flipped(const struct plx_impair_verdict *v, uint32_t off, uint8_t mask)
{
	for (unsigned int i = 0; i < v->flips; i++)
		if (v->flip[i].off == off && v->flip[i].mask == mask)
			return true;
	return false;
}

/* Different bits, since two flips of one bit are none. */
static void roll_flips(struct plx_impair *im, uint32_t bytes, struct plx_impair_verdict *v)
{
	unsigned int want = PLX_MAX(im->conf.corrupt_bits, 1);

	if (!plx_rng_chance(&im->corrupt, im->conf.corrupt) || bytes == 0)
		return;
	while (v->flips < want) {
		uint64_t bit = plx_rng_below(&im->corrupt, (uint64_t)bytes * 8);
		uint32_t off = (uint32_t)(bit / 8);
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if (flipped(v, off, mask))
			continue;
		v->flip[v->flips].off = off;
		v->flip[v->flips++].mask = mask;
	}
}

/*
 * The rate as a virtual link that is free again at link_free_ns. A packet leaves when its last bit
 * has; burst_ns earlier where a burst is allowed. False when its wait is longer than the queue.
 */
static bool serialise(struct plx_impair *im, plx_ns now, uint64_t bytes, plx_ns *depart_ns)
{
	uint64_t rate = im->conf.rate_bps, work;
	plx_ns end;

	if (rate == 0)
		return true;
	if (im->link_free_ns < now)
		im->link_rem = 0;
	work = bytes * UINT64_C(8000000000) + im->link_rem;
	end = PLX_MAX(im->link_free_ns, now) + (plx_ns)(work / rate);
	if (im->conf.queue_bytes && end - im->burst_ns - now > im->queue_ns)
		return false;
	im->link_free_ns = end;
	im->link_rem = work % rate;
	*depart_ns = PLX_MAX(now, end - im->burst_ns);
	return true;
}

/* Place for the packet, or at least for one of its two copies? */
static bool admit(struct plx_impair *im, plx_ns now, const struct plx_impair_pkt *pkt,
	struct plx_impair_verdict *v)
{
	uint32_t limit = im->conf.limit_pkts;

	if (limit && pkt->held >= limit)
		return false;
	if (limit && v->copies > limit - pkt->held)
		v->copies = 1;
	if (serialise(im, now, (uint64_t)pkt->bytes * v->copies, &v->depart_ns))
		return true;
	if (v->copies == 1)
		return false;
	v->copies = 1;
	return serialise(im, now, pkt->bytes, &v->depart_ns);
}

/* v->depart_ns comes in as the end of serialisation. */
static void delay(struct plx_impair *im, const struct dice *d, struct plx_impair_verdict *v)
{
	const struct plx_impair_conf *c = &im->conf;
	plx_ns extra = PLX_MAX(c->delay_ns + d->jitter_ns, 0);

	if (d->reorder && (uint64_t)im->in_order + 1 >= c->gap) {
		im->in_order = 0;
		im->stats.reordered++;
		v->depart_ns += c->reorder_ns ? extra + c->reorder_ns : 0;
		return;
	}
	im->in_order++;
	v->depart_ns += extra;
	if (c->keep_order)
		v->depart_ns = PLX_MAX(v->depart_ns, im->last_ns);
	im->last_ns = PLX_MAX(v->depart_ns, im->last_ns);
}

void plx_impair_decide(struct plx_impair *im, plx_ns now, const struct plx_impair_pkt *pkt,
	struct plx_impair_verdict *v)
{
	struct dice d;

	im->stats.seen++;
	*v = (struct plx_impair_verdict){.copies = 1, .depart_ns = now};
	d = roll(im, pkt);
	roll_flips(im, pkt->bytes, v);
	if (d.lost) {
		im->stats.lost++;
		v->drop = PLX_DROP_IMPAIR_LOSS;
		return;
	}
	v->copies += d.dup;
	if (!admit(im, now, pkt, v)) {
		im->stats.queue_full++;
		v->drop = PLX_DROP_IMPAIR_QUEUE;
		return;
	}
	im->stats.duplicated += v->copies - 1;
	im->stats.corrupted += v->flips > 0;
	delay(im, &d, v);
}
