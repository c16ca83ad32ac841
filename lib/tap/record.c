/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>

/*
 * A recorder: the last packets of each lcore stay in its ring, the newest over the oldest, until
 * somebody wants to have them. Nobody reads meanwhile, so that it is the lcore that moves the
 * ring's tail. To find the beginning of a record to move it to, the lcore would have to walk over
 * what it wrote long ago, and which is in no cache any more; so it notes where one begins now and
 * then, about a hundred times a round.
 *
 * plx_tap_freeze() sets a bit of the tail. From then on it is the reader's, and the ring that of
 * any capture: what there is no room for is lost, and counted. plx_tap_thaw() gives the tail back
 * where the reader left it. Both sides change it by one atomic instruction, so none waits for the
 * other.
 */

#define STEPS 128 /* between two notes: so much of the memory */
static_assert(STEPS < TAP_PAST / 2, "one more for each step, and one for the rest");

/* What the end of the memory would cut leaves a gap there, which is none of what is kept. */
uint64_t tap__record_keep(const struct plx_tap *t)
{
	return t->conf.keep_bytes ? t->conf.keep_bytes + tap_rec_bytes(t->conf.snap_bytes) : 0;
}

int tap__record_init(struct tap_lane *l, const struct plx_tap *t, int socket)
{
	struct tap_record *rec = plx_pkt_mem_alloc(sizeof(*rec), socket);

	if (!rec)
		return -ENOMEM;
	rec->tap = t;
	rec->keep = tap__record_keep(t);
	rec->step = l->ring.size / STEPS;
	rec->since_ns = tap__now(t);
	l->ring.mark_at = rec->step;
	l->rec = rec;
	return 0;
}

static struct tap_past *past_at(struct tap_record *rec, uint32_t i)
{
	return &rec->past[(rec->first + i) % TAP_PAST];
}

static void pop(struct tap_record *rec, uint32_t n)
{
	rec->first += n;
	rec->n -= n;
}

/* The reader may have taken what was noted. */
static void forget(struct tap_record *rec, uint64_t tail)
{
	while (rec->n && past_at(rec, 0)->pos <= tail)
		pop(rec, 1);
}

static void note(struct tap_lane *l)
{
	struct tap_record *rec = l->rec;

	*past_at(rec, rec->n++) = (struct tap_past){
		.pos = l->ring.laid, .pkts = l->sums.accepted, .ns = tap__now(rec->tap)};
	l->ring.mark_at = l->ring.laid + rec->step;
}

/* Give up what lies before the n-th note from now on, if it is still the lcore's. */
static void give_up(struct tap_lane *l, uint64_t tail, uint32_t n)
{
	const struct tap_past *to = past_at(l->rec, n - 1);

	/* Acquire: what is written there then comes behind it. */
	if (!__atomic_compare_exchange_n(
		    &l->ring.taken, &tail, to->pos, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return; /* the reader was quicker */
	l->ring.free = to->pos;
	__atomic_store_n(
		&l->rec->overwritten, to->pkts - plx_count_read(l->rec->read), __ATOMIC_RELAXED);
	__atomic_store_n(&l->rec->since_ns, to->ns, __ATOMIC_RELAXED);
	pop(l->rec, n);
}

static uint64_t tail_of(struct tap_lane *l)
{
	uint64_t tail = __atomic_load_n(&l->ring.taken, __ATOMIC_ACQUIRE);

	l->ring.free = tail & ~TAP_RING_HELD;
	forget(l->rec, l->ring.free);
	return tail;
}

void tap__record_mark(struct tap_ring *r)
{
	struct tap_lane *l = plx_container_of(r, struct tap_lane, ring);
	struct tap_record *rec = l->rec;
	uint64_t tail;
	uint32_t n = 0;

	if (!l->stage.open) /* all that was laid stays */
		tap_ring_give(r);
	tail = tail_of(l);
	if (r->given == r->laid && rec->n < TAP_PAST)
		note(l);
	if (tail & TAP_RING_HELD)
		return;
	/* not `laid`: what a driver has not taken yet may be taken back */
	while (n < rec->n && r->given - past_at(rec, n)->pos >= rec->keep)
		n++;
	if (n)
		give_up(l, tail, n);
}

void tap__record_room(struct tap_ring *r, uint64_t to)
{
	struct tap_lane *l = plx_container_of(r, struct tap_lane, ring);
	uint64_t tail = tail_of(l);
	uint32_t n = 0;

	if (tail & TAP_RING_HELD)
		return;
	while (n < l->rec->n && tail < to)
		tail = past_at(l->rec, n++)->pos;
	if (n)
		give_up(l, r->free, n);
}

/* ---- packets that are asked for ---- */

void tap__record_look(struct tap_lane *l, struct plx_tap_pkt *p, const struct rte_mbuf *m)
{
	const struct plx_tap *t = l->rec->tap;
	bool out = p->flags & PLX_TAP_F_OUT;

	for (uint32_t i = 0; i < t->n_matches; i++) {
		const struct plx_tap_filter *f = t->match[i][p->link];
		struct tap_match *match = &l->rec->match[i];

		if (!f || !plx_pkt_bpf_run(tap__filter_prog(f, out), m))
			continue;
		if (!PLX_TAP_F_MATCH(p->flags))
			p->flags |= (uint8_t)((i + 1) << PLX_TAP_F_MATCH_SHIFT);
		/* Acquire: the reader has read the time of the one before. */
		if (match->n == __atomic_load_n(&match->seen, __ATOMIC_ACQUIRE))
			match->first_ns = p->ts_ns;
		__atomic_store_n(&match->n, match->n + 1, __ATOMIC_RELEASE);
	}
}

uint64_t tap__record_matched(struct tap_lane *l, uint32_t i, plx_ns *first_ns)
{
	struct tap_match *match = &l->rec->match[i];
	uint64_t n = __atomic_load_n(&match->n, __ATOMIC_ACQUIRE), more = n - match->seen;

	if (more) {
		*first_ns = match->first_ns;
		__atomic_store_n(&match->seen, n, __ATOMIC_RELEASE);
	}
	return more;
}

/* ---- the reader's ---- */

void plx_tap_freeze(struct plx_tap *t)
{
	for (uint16_t i = 0; i < t->n_lanes && t->conf.keep_bytes; i++) {
		struct tap_lane *l = t->lanes[i];
		struct tap_ring *r = &l->ring;
		uint64_t left = r->at; /* where it was left */

		/* Acquire: what the lcore has overwritten by now is not read. */
		r->at = __atomic_fetch_or(&r->taken, TAP_RING_HELD, __ATOMIC_ACQ_REL) &
			~TAP_RING_HELD;
		l->rec->cut |= r->at != left;
		r->start = r->at - r->at % r->size;
		r->seen = r->at;
		r->hold = TAP_RING_HELD;
	}
	t->frozen = true;
}

void plx_tap_thaw(struct plx_tap *t)
{
	t->frozen = false;
	for (uint16_t i = 0; i < t->n_lanes && t->conf.keep_bytes; i++) {
		struct tap_ring *r = &t->lanes[i]->ring;

		r->hold = 0;
		__atomic_store_n(&r->taken, r->at, __ATOMIC_RELEASE);
	}
}

void tap__record_read(struct tap_lane *l, const struct plx_tap_pkt *p)
{
	plx_count(l->rec->read, 1);
	__atomic_store_n(&l->rec->read_ns, p->ts_ns, __ATOMIC_RELAXED);
}

/* All that it recorded since then is there. */
static plx_ns since(const struct tap_record *rec)
{
	plx_ns lost = __atomic_load_n(&rec->since_ns, __ATOMIC_RELAXED);
	plx_ns read = __atomic_load_n(&rec->read_ns, __ATOMIC_RELAXED);

	return PLX_MAX(lost, read);
}

static void add_kept(const struct tap_lane *l, struct plx_tap_kept *k)
{
	uint64_t read = plx_count_read(l->rec->read);
	uint64_t lost = plx_count_read(l->rec->overwritten);
	uint64_t tail = __atomic_load_n(&l->ring.taken, __ATOMIC_ACQUIRE) & ~TAP_RING_HELD;
	uint64_t all = plx_count_read(l->sums.accepted);

	k->overwritten += lost;
	k->pkts += all > lost + read ? all - lost - read : 0;
	k->bytes += __atomic_load_n(&l->ring.given, __ATOMIC_RELAXED) - tail;
}

void plx_tap_kept(const struct plx_tap *t, struct plx_tap_kept *k)
{
	plx_ns last = 0;

	*k = (struct plx_tap_kept){0};
	if (!t->conf.keep_bytes)
		return;
	for (uint16_t i = 0; i < t->n_lanes; i++) {
		add_kept(t->lanes[i], k);
		last = PLX_MAX(last, since(t->lanes[i]->rec));
	}
	k->reach_ns = PLX_MAX(tap__now(t) - last, 0);
}
