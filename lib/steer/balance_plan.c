/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

/*
 * The plan of a round: from the hottest lcore to the coolest, one bucket at a time, the one that
 * leaves the hotter of the two coolest; where a single one does not help, two that change places.
 * It works on the lists of buckets by owner that the round made, and on nothing else.
 *
 * What is larger than the share stays where it is the largest: the others leave it. It moves only
 * to an lcore that is all but empty, if that relieves its own by a quarter of the share; so an
 * elephant finds a place, and never goes back and forth.
 */

#define TRIES	   30000 /* pairs of buckets that a round looks at, at most */
#define FUTILE_MAX 4	 /* halvings of that, one for each round in a row that found nothing */
#define PARTNERS   16	 /* the coolest lcores, with which exchanges are tried */
#define DONORS	   8	 /* that have nothing for a cold lcore: then it stays cold */
#define STEP_HOT   11 /* of the share, 2^-n: what a move must bring, on an lcore that is too hot */
#define STEP_WARM  8  /* on one that is not any more, and on its way to `stop` */
#define STEP_FEED  10 /* on one that gives to a cold one */

struct pick {
	struct plx_balance *b;
	uint16_t from, to;
	uint64_t easy;	 /* both lcores below this level: good enough */
	uint64_t excess; /* load that from has too much */
	/* the best so far */
	uint64_t score;	      /* the hotter of the two levels then */
	uint64_t off;	      /* from the excess */
	uint64_t least, most; /* loads whose move makes it better */
	uint16_t to_best;
	uint16_t give, take; /* buckets; BALANCE_NONE */
};

static struct pick pick_init(struct plx_balance *b, uint16_t from, uint64_t easy, uint64_t step)
{
	const struct plx_balance_of_lcore *f = &b->lcore[from];
	uint64_t level = balance_level(f, f->load), aim = b->share * f->weight;

	return (struct pick){.b = b,
		.from = from,
		.to = BALANCE_NONE,
		.easy = easy,
		.excess = f->load > aim ? f->load - aim : 0,
		.score = level > step ? level - step : 0,
		.off = UINT64_MAX,
		.to_best = BALANCE_NONE,
		.give = BALANCE_NONE,
		.take = BALANCE_NONE};
}

/* Would it be better for these two to change places (or for give alone to leave)? */
static void consider(struct pick *p, uint64_t moved, uint16_t give, uint16_t take)
{
	const struct plx_balance_of_lcore *f = &p->b->lcore[p->from], *t = &p->b->lcore[p->to];
	uint64_t score =
		PLX_MAX(balance_level(f, f->load - moved), balance_level(t, t->load + moved));
	uint64_t off = moved > p->excess ? moved - p->excess : p->excess - moved;

	score = PLX_MAX(score, p->easy);
	if (score > p->score || (score == p->score && off >= p->off))
		return;
	p->score = score;
	p->off = off;
	p->to_best = p->to;
	p->give = give;
	p->take = take;
}

/* The one exception for an elephant. */
static bool may_settle(const struct pick *p, uint64_t load)
{
	const struct plx_balance_of_lcore *f = &p->b->lcore[p->from], *t = &p->b->lcore[p->to];
	uint64_t then = PLX_MAX(balance_level(f, f->load - load), balance_level(t, t->load + load));

	return balance_level(t, t->load) <= p->b->share / 16 &&
	       then + p->b->share / 4 <= balance_level(f, f->load);
}

static void give_one(struct pick *p)
{
	const struct plx_balance *b = p->b;

	for (uint16_t i = b->lcore[p->from].head; i != BALANCE_NONE; i = b->bucket[i].next) {
		const struct plx_balance_of_bucket *k = &b->bucket[i];

		if (balance_may_move(k) &&
			(!balance_anchored(b, p->from, i) || may_settle(p, k->load)))
			consider(p, k->load, i, BALANCE_NONE);
	}
}

/* So much load must move for both to be cooler than the best so far. */
static void window(struct pick *p)
{
	const struct plx_balance_of_lcore *f = &p->b->lcore[p->from], *t = &p->b->lcore[p->to];
	uint64_t keep = p->score * f->weight, room = p->score * t->weight;

	p->least = f->load > keep ? f->load - keep : 0;
	p->most = room > t->load ? room - t->load : 0;
}

/* What one of from's could be given for, of to's. */
static void exchange_one(struct pick *p, uint16_t give)
{
	struct plx_balance *b = p->b;
	uint64_t load = b->bucket[give].load;

	if (load < p->least)
		return;
	for (uint16_t i = b->lcore[p->to].head; i != BALANCE_NONE && b->tries;
		i = b->bucket[i].next) {
		const struct plx_balance_of_bucket *k = &b->bucket[i];

		b->tries--;
		if (k->load >= load || load - k->load < p->least || load - k->load > p->most)
			continue;
		if (balance_may_move(k) && !balance_anchored(b, p->to, i)) {
			consider(p, load - k->load, give, i);
			window(p);
		}
	}
}

/* At best the two are even then. */
static bool hopeless(const struct pick *p)
{
	const struct plx_balance_of_lcore *f = &p->b->lcore[p->from], *t = &p->b->lcore[p->to];

	return (f->load + t->load) / (uint64_t)(f->weight + t->weight) >= p->score;
}

/* The coolest lcore after this one; BALANCE_NONE: begin, and end. */
static uint16_t next_coolest(const struct plx_balance *b, uint16_t after)
{
	uint64_t from = after == BALANCE_NONE ? 0 : balance_level_of(b, after), least = 0;
	uint16_t best = BALANCE_NONE;

	for (uint16_t i = 0; i < b->lcores; i++) {
		uint64_t level = balance_level_of(b, i);

		if (!b->lcore[i].weight || level < from)
			continue;
		if (after != BALANCE_NONE && level == from && i <= after)
			continue;
		if (best == BALANCE_NONE || level < least) {
			best = i;
			least = level;
		}
	}
	return best;
}

static void exchange(struct pick *p)
{
	struct plx_balance *b = p->b;

	p->to = BALANCE_NONE;
	for (int n = 0; n < PARTNERS && b->tries; n++) {
		p->to = next_coolest(b, p->to);
		b->tries -= PLX_MIN(b->tries, b->lcores);
		if (p->to == BALANCE_NONE)
			return;
		if (p->to == p->from || hopeless(p))
			continue;
		give_one(p);
		window(p);
		for (uint16_t i = b->lcore[p->from].head; i != BALANCE_NONE && b->tries;
			i = b->bucket[i].next)
			if (balance_may_move(&b->bucket[i]) && !balance_anchored(b, p->from, i))
				exchange_one(p, i);
	}
}

/* --- a move is made ----------------------------------------------------------------------------
 */

static void note_top(struct plx_balance_of_lcore *l, uint16_t bucket, uint64_t load)
{
	if (l->top != BALANCE_NONE &&
		(load < l->largest || (load == l->largest && bucket > l->top)))
		return;
	l->top = bucket;
	l->largest = load;
}

static void take_off(struct plx_balance *b, uint16_t lcore, uint16_t bucket)
{
	struct plx_balance_of_lcore *l = &b->lcore[lcore];
	uint16_t *at = &l->head;

	l->load -= b->bucket[bucket].load;
	l->owned--;
	while (*at != bucket)
		at = &b->bucket[*at].next;
	*at = b->bucket[bucket].next;
	l->largest = 0;
	l->top = BALANCE_NONE;
	for (uint16_t i = l->head; i != BALANCE_NONE; i = b->bucket[i].next)
		note_top(l, i, b->bucket[i].load);
}

void steer__balance_put(struct plx_balance *b, uint16_t lcore, uint16_t bucket)
{
	struct plx_balance_of_lcore *l = &b->lcore[lcore];

	b->bucket[bucket].next = l->head;
	l->head = bucket;
	l->load += b->bucket[bucket].load;
	l->owned++;
	note_top(l, bucket, b->bucket[bucket].load);
}

void steer__balance_move(struct plx_balance *b, uint16_t bucket, uint16_t to)
{
	struct plx_balance_of_bucket *k = &b->bucket[bucket];

	if (k->owner < b->lcores)
		take_off(b, k->owner, bucket);
	steer__balance_put(b, to, bucket);
	k->flags |= BALANCE_PLANNED;
	b->move[b->said.moves++] = (struct plx_balance_move){bucket, k->owner, to};
}

/* @return false: nothing was found. */
static bool commit(struct pick *p)
{
	if (p->give == BALANCE_NONE)
		return false;
	steer__balance_move(p->b, p->give, p->to_best);
	if (p->take != BALANCE_NONE)
		steer__balance_move(p->b, p->take, p->from);
	return true;
}

/* The moves from the n-th on are not worth it. */
static void undo(struct plx_balance *b, uint16_t n)
{
	while (b->said.moves > n) {
		const struct plx_balance_move *m = &b->move[--b->said.moves];

		take_off(b, m->to, m->bucket);
		steer__balance_put(b, m->from, m->bucket);
		b->bucket[m->bucket].flags &= (uint8_t)~BALANCE_PLANNED;
	}
}

/* --- which lcores ------------------------------------------------------------------------------
 */

/* Where so much more makes the least; of several, who owns the fewest. */
static uint16_t coolest(const struct plx_balance *b, uint16_t not, uint64_t more)
{
	uint16_t best = BALANCE_NONE;
	uint64_t least = 0;

	for (uint16_t i = 0; i < b->lcores; i++) {
		const struct plx_balance_of_lcore *l = &b->lcore[i];
		uint64_t level = balance_level(l, l->load + more);

		if (i == not || !l->weight)
			continue;
		if (best == BALANCE_NONE || level < least ||
			(level == least && l->owned < b->lcore[best].owned)) {
			best = i;
			least = level;
		}
	}
	return best;
}

/* For long enough, or by what the plan has given to it. */
static uint16_t too_hot(const struct plx_balance *b)
{
	uint16_t worst = BALANCE_NONE;
	uint64_t most = 0;

	for (uint16_t i = 0; i < b->lcores; i++) {
		const struct plx_balance_of_lcore *l = &b->lcore[i];
		uint64_t level = balance_level(l, l->load);

		if (l->aside || level <= most)
			continue;
		if (l->hot < BALANCE_PATIENCE && level <= l->before)
			continue;
		if (level > balance_limit(b, l)) {
			worst = i;
			most = level;
		}
	}
	return worst;
}

/* On the way from too hot to `stop` crumbs are left alone: half of a mean bucket, at least. */
static uint64_t warm_step(const struct plx_balance *b)
{
	return PLX_MIN(b->share >> STEP_WARM, BALANCE_ONE * b->lcores / b->size / 2);
}

/* One move, or two buckets that change places. @return the other lcore, or BALANCE_NONE. */
static uint16_t relieve_once(struct plx_balance *b, uint16_t from)
{
	struct plx_balance_of_lcore *f = &b->lcore[from];
	bool hot = balance_level(f, f->load) > balance_limit(b, f);
	uint64_t easy = balance_permille(b->share, 1000u + b->conf.stop_permille);
	uint64_t step = hot ? b->share >> STEP_HOT : warm_step(b);
	struct pick p = pick_init(b, from, easy, step);

	p.to = coolest(b, from, p.excess);
	give_one(&p);
	if (commit(&p))
		return p.to_best;
	if (b->said.moves + 2 > b->conf.moves)
		return BALANCE_NONE;
	p = pick_init(b, from, easy, step * 4);
	exchange(&p);
	return commit(&p) ? p.to_best : BALANCE_NONE;
}

/* Down to `stop`, or as far as it goes, if that is worth it: chance alone makes one way to place
 * large buckets look better than another. @return whether anything moves. */
static bool relieve(struct plx_balance *b, uint16_t from)
{
	struct plx_balance_of_lcore *f = &b->lcore[from];
	uint64_t before = balance_level_of(b, from), others = 0;
	uint64_t worth = balance_worth(b);
	uint16_t n = b->said.moves, to;

	f->aside = true;
	while (b->said.moves < b->conf.moves &&
		balance_level_of(b, from) >
			balance_permille(balance_floor(b, f), 1000u + b->conf.stop_permille)) {
		to = relieve_once(b, from);
		if (to == BALANCE_NONE)
			break;
		others = PLX_MAX(others, balance_level_of(b, to));
	}
	if (b->said.moves < b->conf.moves &&
		PLX_MAX(balance_level_of(b, from), others) + worth > before)
		undo(b, n);
	return b->said.moves > n;
}

/* --- an lcore that has too little ----------------------------------------------------------------
 */

static uint16_t donor(const struct plx_balance *b)
{
	uint16_t worst = BALANCE_NONE;
	uint64_t most = b->share + (b->share >> STEP_FEED);

	for (uint16_t i = 0; i < b->lcores; i++) {
		const struct plx_balance_of_lcore *l = &b->lcore[i];
		uint64_t level = balance_level(l, l->load);

		if (l->weight && !l->aside && level > most) {
			worst = i;
			most = level;
		}
	}
	return worst;
}

/* One that has just come, beside many that are hardly over the share: nobody is too hot. */
static void feed(struct plx_balance *b, uint16_t to)
{
	struct plx_balance_of_lcore *t = &b->lcore[to];
	uint64_t enough = balance_permille(b->share, 1000u - b->conf.stop_permille);
	int failed = 0;

	while (failed < DONORS && b->said.moves < b->conf.moves &&
		balance_level(t, t->load) < enough) {
		uint16_t from = donor(b);
		struct pick p;

		if (from == BALANCE_NONE)
			return;
		p = pick_init(b, from, b->share, b->share >> STEP_FEED);
		p.to = to;
		give_one(&p);
		if (!commit(&p)) {
			b->lcore[from].aside = true;
			failed++;
		}
	}
}

void steer__balance_evacuate(struct plx_balance *b)
{
	b->tries = TRIES >> PLX_MIN(b->futile, FUTILE_MAX);
	for (uint16_t i = 0; i < b->size; i++) {
		const struct plx_balance_of_bucket *k = &b->bucket[i];
		bool refused = k->flags & BALANCE_REFUSED && k->flags & BALANCE_RESTING;
		uint16_t to;

		if (k->owner < b->lcores && b->lcore[k->owner].weight)
			continue;
		to = coolest(b, BALANCE_NONE, k->load);
		if (to == BALANCE_NONE || refused || k->flags & (BALANCE_PINNED | BALANCE_MOVING))
			b->said.stranded++;
		else if (b->said.moves < b->conf.moves)
			steer__balance_move(b, i, to);
	}
}

static bool over(const struct plx_balance *b)
{
	for (uint16_t i = 0; i < b->lcores; i++)
		if (b->lcore[i].weight && balance_level_of(b, i) > balance_limit(b, &b->lcore[i]))
			return true;
	return false;
}

/* The moves from the n-th on leave an lcore too hot: is there a better way, all anew? */
static void think_again(struct plx_balance *b, uint16_t n)
{
	struct plx_balance_move kept[PLX_BALANCE_MOVES_MAX];
	uint16_t end = b->said.moves;
	uint64_t now = balance_worst(b);

	memcpy(kept, b->move, end * sizeof(kept[0]));
	undo(b, n);
	if (steer__balance_repack(b, now))
		return;
	for (uint16_t i = n; i < end; i++)
		steer__balance_move(b, kept[i].bucket, kept[i].to);
}

uint16_t steer__balance_plan(struct plx_balance *b)
{
	uint16_t left = BALANCE_NONE, from, n = b->said.moves;
	bool any = false;

	while (b->said.moves < b->conf.moves && (from = too_hot(b)) != BALANCE_NONE) {
		if (!relieve(b, from) && left == BALANCE_NONE)
			left = from;
		any = true;
	}
	if (any && b->said.moves < b->conf.moves && over(b))
		think_again(b, n);
	for (uint16_t i = 0; i < b->lcores; i++)
		if (b->lcore[i].weight && b->lcore[i].cold >= BALANCE_PATIENCE)
			feed(b, i);
	return left;
}
