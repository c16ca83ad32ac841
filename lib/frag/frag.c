/* SPDX-License-Identifier: BSD-3-Clause */
#include "frag_table.h"

#define TIMER_BURST 32
#define ECN_NOT_ECT 0
#define ECN_CE	    3

/* What is wrong with a fragment whatever its datagram is. */
static enum plx_drop check_alone(const struct plx_frag_in *in)
{
	if (in->len == 0)
		return PLX_DROP_FRAG_MALFORMED;
	if (in->more && in->len % 8) /* RFC 791 3.2; RFC 8200 4.5 */
		return PLX_DROP_FRAG_MALFORMED;
	if ((uint64_t)in->head + in->off + in->len > 65535)
		return PLX_DROP_FRAG_TOO_BIG;
	return PLX_DROP_NONE;
}

/*
 * Whether both can be true: what the datagram's fragments say about its end, and what this one
 * says. "More" says that the end is beyond this fragment.
 */
static bool end_contradicts(const struct datagram *d, const struct plx_frag_in *in)
{
	uint32_t end = in->off + in->len;

	if (in->more)
		return d->end != END_UNKNOWN && end >= d->end;
	if (d->end != END_UNKNOWN)
		return end != d->end;
	return d->last && end <= d->last->off + d->last->len;
}

/* The last fragment held that starts at off or before, or NULL. Most come in order: look there
 * first. */
static struct fragment *place(const struct datagram *d, uint32_t off)
{
	struct fragment *at = NULL;

	if (d->last && d->last->off <= off)
		return d->last;
	for (struct fragment *g = d->first; g && g->off <= off; g = g->next)
		at = g;
	return at;
}

/* How it fits beside what is held, given its place. */
static enum plx_drop fit(
	const struct datagram *d, const struct fragment *at, const struct plx_frag_in *in)
{
	const struct fragment *next = at ? at->next : d->first;

	if (end_contradicts(d, in))
		return PLX_DROP_FRAG_MALFORMED;
	if (at && at->off == in->off && at->len == in->len)
		return PLX_DROP_FRAG_DUPLICATE;
	if (at && at->off + at->len > in->off)
		return PLX_DROP_FRAG_OVERLAP;
	if (next && in->off + in->len > next->off)
		return PLX_DROP_FRAG_OVERLAP;
	return PLX_DROP_NONE;
}

/*
 * Make room for one more fragment. Victims go whole and are forgotten. When the turn is at the
 * fragment's own datagram, that one alone is too much: it is refused from now on.
 */
static enum plx_drop evict_for(struct plx_frag *f, struct datagram *victim, struct datagram *own,
	enum plx_drop reason, plx_ns now)
{
	if (victim == own) {
		frag__refuse(f, own, reason, now);
		return reason;
	}
	frag__evict(f, victim, reason);
	return PLX_DROP_NONE;
}

static enum plx_drop make_source_room(
	struct plx_frag *f, const struct plx_frag_in *in, struct datagram *own, plx_ns now)
{
	const enum plx_drop reason = PLX_DROP_FRAG_PER_SOURCE;
	struct source *s;

	if (in->charge > f->limits.source_bytes)
		return reason;
	while ((s = frag__source(f, &in->key.src)) &&
		s->charge + in->charge > f->limits.source_bytes) {
		struct datagram *d = plx_list_first(&s->datagrams, struct datagram, of_source);

		if (evict_for(f, d, own, reason, now))
			return reason;
	}
	return PLX_DROP_NONE;
}

static enum plx_drop make_room(
	struct plx_frag *f, const struct plx_frag_in *in, struct datagram *own, plx_ns now)
{
	const enum plx_drop reason = PLX_DROP_FRAG_MEMORY;

	if (in->charge > f->limits.memory_bytes || !f->free_fragment)
		return reason;
	if (in->buffers > f->limits.buffers)
		return PLX_DROP_FRAG_BUFFERS;
	if (own && own->n >= f->limits.datagram_pieces) {
		frag__refuse(f, own, reason, now);
		return reason;
	}
	if (make_source_room(f, in, own, now))
		return PLX_DROP_FRAG_PER_SOURCE;
	while (f->stats.memory_bytes + in->charge > f->limits.memory_bytes ||
		f->held >= f->max_held) {
		if (evict_for(f, frag__oldest(f), own, reason, now))
			return reason;
	}
	while (f->stats.buffers + in->buffers > f->limits.buffers) {
		if (evict_for(f, frag__oldest(f), own, PLX_DROP_FRAG_BUFFERS, now))
			return PLX_DROP_FRAG_BUFFERS;
	}
	if (!own)
		frag__spare_record(f);
	return PLX_DROP_NONE;
}

/* Remember what the headers said. */
static void note(struct datagram *d, const struct plx_frag_in *in)
{
	if (!in->more)
		d->end = in->off + in->len;
	if (in->off == 0) {
		d->head = in->head;
		d->ecn = in->ecn & 3;
	}
	d->ecn_seen |= 1u << (in->ecn & 3);
	d->max_size = PLX_MAX(d->max_size, in->size);
	if (in->df)
		d->max_df_size = PLX_MAX(d->max_df_size, in->size);
}

/* RFC 3168 5.3: CE on one fragment is CE on the datagram; some not ECT and some ECT or CE cannot
 * be. */
static bool ecn_contradicts(const struct datagram *d)
{
	const uint8_t not_ect = 1u << ECN_NOT_ECT;

	return (d->ecn_seen & not_ect) && d->ecn_seen != not_ect;
}

/* With all fragments there, is it a datagram? */
static enum plx_drop check_whole(const struct datagram *d)
{
	if (d->head + d->end > 65535) /* the first one's head may be longer than the others' */
		return PLX_DROP_FRAG_TOO_BIG;
	if (ecn_contradicts(d))
		return PLX_DROP_FRAG_ECN;
	return PLX_DROP_NONE;
}

/* Hand the datagram over and forget it. */
static void deliver(struct plx_frag *f, struct datagram *d, struct plx_frag_out *out)
{
	*out = (struct plx_frag_out){
		.piece = f->out,
		.len = d->end,
		.max_size = d->max_size,
		.df = d->max_df_size == d->max_size,
		.ecn = d->ecn_seen & 1u << ECN_CE ? ECN_CE : d->ecn,
	};
	for (const struct fragment *g = d->first; g; g = g->next)
		f->out[out->n++] =
			(struct plx_frag_piece){.pkt = g->pkt, .off = g->off, .len = g->len};
	frag__count(f, d->v6)->oks++;
	frag__forget(f, d);
}

/* RFC 6946 4: processed on its own, whatever else is known under its key. */
static enum plx_drop atomic(
	struct plx_frag *f, const struct plx_frag_in *in, struct plx_frag_out *out)
{
	f->out[0] = (struct plx_frag_piece){.pkt = in->pkt, .len = in->len};
	*out = (struct plx_frag_out){
		.piece = f->out,
		.n = 1,
		.len = in->len,
		.max_size = in->size,
		.df = in->df,
		.ecn = in->ecn & 3,
	};
	frag__count(f, !plx_addr_is_v4(&in->key.src))->oks++;
	return PLX_DROP_NONE;
}

/* Into its datagram; then the last fragment that was missing makes it whole. */
static enum plx_drop add(struct plx_frag *f, struct datagram *d, struct fragment *at,
	const struct plx_frag_in *in, struct plx_frag_out *out)
{
	note(d, in);
	if (d->have + in->len == d->end) {
		enum plx_drop reason = check_whole(d);

		if (reason) {
			frag__evict(f, d, reason);
			return reason;
		}
	}
	frag__hold(f, d, at, in);
	if (d->have == d->end)
		deliver(f, d, out);
	return PLX_DROP_NONE;
}

/* A fragment refused; unless its datagram was, and was counted, it is one more failure. */
static enum plx_drop refuse_alone(
	struct plx_frag *f, const struct plx_frag_in *in, enum plx_drop reason)
{
	frag__count(f, !plx_addr_is_v4(&in->key.src))->fails++;
	return reason;
}

enum plx_drop plx_frag_input(
	struct plx_frag *f, const struct plx_frag_in *in, plx_ns now, struct plx_frag_out *out)
{
	enum plx_drop reason = check_alone(in);
	struct fragment *at = NULL;
	struct datagram *d;

	*out = (struct plx_frag_out){0};
	frag__count(f, !plx_addr_is_v4(&in->key.src))->reqds++;
	if (reason)
		return refuse_alone(f, in, reason);
	if (in->off == 0 && !in->more)
		return atomic(f, in, out);

	d = frag__find(f, &in->key);
	if (d && d->refused)
		return d->refused;
	if (d) {
		at = place(d, in->off);
		reason = fit(d, at, in);
		if (reason && reason != PLX_DROP_FRAG_DUPLICATE)
			frag__refuse(f, d, reason, now);
		if (reason)
			return reason;
	}
	reason = make_room(f, in, d, now);
	if (reason)
		return d && d->refused ? reason : refuse_alone(f, in, reason);
	if (!d)
		d = frag__add(f, &in->key, now);
	return add(f, d, at, in, out);
}

static plx_ns timeout(const struct plx_frag *f, bool v6)
{
	return v6 ? f->limits.timeout_v6_ns : f->limits.timeout_v4_ns;
}

static struct datagram *due(const struct plx_frag *f, const struct plx_list *by_age, plx_ns now)
{
	struct datagram *d = plx_list_first(by_age, struct datagram, of_age);

	return d && now - d->since >= timeout(f, d->v6) ? d : NULL;
}

void plx_frag_timer(struct plx_frag *f, plx_ns now)
{
	for (int i = 0; i < TIMER_BURST; i++) {
		struct datagram *d;

		if ((d = due(f, &f->progress[0], now)) || (d = due(f, &f->progress[1], now)))
			frag__count(f, d->v6)->timeouts++;
		else if (!(d = due(f, &f->refused[0], now)) && !(d = due(f, &f->refused[1], now)))
			return;
		frag__evict(f, d, PLX_DROP_FRAG_TIMEOUT);
	}
}

static plx_ns first_due(const struct plx_frag *f, const struct plx_list *by_age)
{
	const struct datagram *d = plx_list_first(by_age, struct datagram, of_age);

	return d ? d->since + timeout(f, d->v6) : PLX_NEVER;
}

plx_ns plx_frag_deadline(const struct plx_frag *f)
{
	plx_ns at = PLX_NEVER;

	for (int v6 = 0; v6 < 2; v6++) {
		at = PLX_MIN(at, first_due(f, &f->progress[v6]));
		at = PLX_MIN(at, first_due(f, &f->refused[v6]));
	}
	return at;
}

void plx_frag_fini(struct plx_frag *f)
{
	struct datagram *d;

	for (int v6 = 0; v6 < 2; v6++) {
		while ((d = plx_list_first(&f->progress[v6], struct datagram, of_age)))
			frag__evict(f, d, PLX_DROP_STOPPED);
		while ((d = plx_list_first(&f->refused[v6], struct datagram, of_age)))
			frag__evict(f, d, PLX_DROP_STOPPED);
	}
}
