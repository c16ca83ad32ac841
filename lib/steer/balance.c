/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

#include <errno.h>

/*
 * A round: counters to loads (balance_measure.c), loads to moves (balance_plan.c), and here what
 * comes before, between and after: is it time, is there anything to judge, has it lasted, was it
 * worth it, and what is the reason.
 */

#define BUSY_IDLE  50	/* permille: nobody is busier, so nobody needs relief */
#define BUSY_BLIND 100	/* permille of the mean lcore, while nothing is counted */
#define NOISE	   2300 /* permille: of smoothed counts, over the root of their number */
#define NOISE_MAX  500

static_assert(sizeof(struct plx_balance) <= 80 * 1024, "as its description says");

void plx_steer_balance_defaults(struct plx_balance_conf *c)
{
	*c = (struct plx_balance_conf){.interval_ns = PLX_MS(100),
		.smooth_ns = PLX_MS(100),
		.rest_ns = PLX_MS(500),
		.idle_per_s = 1000,
		.start_permille = 80,
		.stop_permille = 30,
		.gain_permille = 10,
		.moves = 64};
}

static bool time_valid(plx_ns t)
{
	return t > 0 && t <= PLX_SEC(3600);
}

int plx_steer_balance_init(struct plx_balance *b, const struct plx_balance_conf *conf)
{
	struct plx_balance_conf c;

	if (conf)
		c = *conf;
	else
		plx_steer_balance_defaults(&c);
	if (!time_valid(c.interval_ns) || !time_valid(c.smooth_ns) || !time_valid(c.rest_ns))
		return -EINVAL;
	if (c.stop_permille >= c.start_permille || c.start_permille > 1000 ||
		c.gain_permille > 1000)
		return -EINVAL;
	if (c.moves < 2 || c.moves > PLX_BALANCE_MOVES_MAX)
		return -EINVAL;
	memset(b, 0, sizeof(*b));
	b->conf = c;
	b->said.lcore = PLX_STEER_NO_LCORE;
	return 0;
}

/* What was measured does not hold any more; what was counted of rounds does. */
static void forget(struct plx_balance *b)
{
	b->based = b->known = false;
	b->lcores = 0;
	memset(b->bucket, 0, sizeof(b->bucket));
	for (uint16_t i = 0; i < PLX_OWNER_BUCKETS_MAX; i++)
		b->bucket[i].moved = PLX_NEVER;
}

void plx_steer_balance_set(struct plx_balance *b, enum plx_balance_mode mode)
{
	if (b->mode == PLX_BALANCE_OFF && mode != PLX_BALANCE_OFF)
		forget(b);
	b->given = b->said.moves = 0;
	b->mode = mode;
}

/* --- a round -----------------------------------------------------------------------------------
 */

static bool valid(const struct plx_balance_input *in)
{
	uint16_t size = in->map->size;

	if (size == 0 || size > PLX_OWNER_BUCKETS_MAX || (size & (size - 1)) != 0)
		return false;
	if (in->lcores == 0 || in->lcores > PLX_STEER_LCORES_MAX)
		return false;
	for (uint16_t i = 0; i < in->lcores; i++) {
		const struct plx_balance_lcore *l = &in->lcore[i];

		if (l->weight > PLX_BALANCE_WEIGHT_MAX)
			return false;
		if (l->busy_permille == PLX_BALANCE_NO_BUSY)
			continue;
		if (l->busy_permille > 1000 || l->other_permille > l->busy_permille)
			return false;
	}
	return true;
}

static int say(struct plx_balance *b, enum plx_balance_why why)
{
	b->said.why = why;
	plx_count(b->rounds[why], 1);
	return 0;
}

static uint32_t root(uint64_t v)
{
	uint64_t r = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((r | bit) * (r | bit) <= v)
			r |= bit;
	return (uint32_t)r;
}

/* Few packets are uneven by chance: what is counted must stand out from that. */
static void find_noise(struct plx_balance *b, uint32_t lcores)
{
	uint32_t r = root(b->counted / lcores);

	b->noise_permille = (uint16_t)(r ? PLX_MIN(NOISE / r, NOISE_MAX) : NOISE_MAX);
}

/* Is there nothing to be judged by? */
static bool nothing_to_judge(
	struct plx_balance *b, const struct plx_balance_input *in, enum plx_balance_why *why)
{
	uint32_t busiest = 0, busy = 0, known = 0;
	uint64_t rate = 0;

	for (uint16_t i = 0; i < b->lcores; i++) {
		const struct plx_balance_lcore *l = &in->lcore[i];

		if (l->busy_permille == PLX_BALANCE_NO_BUSY)
			continue;
		known++;
		busy += l->busy_permille - l->other_permille;
		busiest = PLX_MAX(busiest, l->busy_permille);
	}
	for (uint16_t i = 0; i < b->size; i++)
		rate += b->bucket[i].rate / 16;
	*why = PLX_BALANCE_WHY_BLIND;
	if (known && b->counted == 0 && busy >= BUSY_BLIND * known)
		return true;
	*why = PLX_BALANCE_WHY_IDLE;
	return rate / b->lcores < b->conf.idle_per_s || (known == b->lcores && busiest < BUSY_IDLE);
}

/* Who is too hot, who is too cold, and since when. @return rounds that the hottest has been. */
static uint8_t look(struct plx_balance *b)
{
	uint8_t longest = 0;

	for (uint16_t i = 0; i < b->lcores; i++) {
		struct plx_balance_of_lcore *l = &b->lcore[i];

		l->before = balance_level(l, l->load);
		if (!l->weight || l->before <= balance_limit(b, l))
			l->hot = 0;
		else if (l->hot < UINT8_MAX)
			l->hot++;
		if (!l->weight || l->before >= b->share / 2)
			l->cold = 0;
		else if (l->cold < UINT8_MAX)
			l->cold++;
		longest = PLX_MAX(longest, l->hot);
	}
	return longest;
}

static uint16_t hottest(const struct plx_balance *b)
{
	uint16_t worst = BALANCE_NONE;
	uint64_t most = 0;

	for (uint16_t i = 0; i < b->lcores; i++) {
		uint64_t level = balance_level(&b->lcore[i], b->lcore[i].load);

		if (b->lcore[i].weight && (worst == BALANCE_NONE || level > most)) {
			worst = i;
			most = level;
		}
	}
	return worst;
}

static uint32_t of_share(const struct plx_balance *b, uint64_t level)
{
	return (uint32_t)PLX_MIN(level * 1000 / b->share, UINT32_MAX);
}

static void describe(struct plx_balance *b, uint16_t worst)
{
	const struct plx_balance_of_lcore *l = &b->lcore[worst];

	b->said.lcore = worst;
	b->said.worst_permille = b->said.after_permille = of_share(b, balance_level_of(b, worst));
	b->said.bucket = l->top;
	b->said.bucket_permille = of_share(b, balance_level(l, l->largest));
}

/* Nobody is too hot, by what can be had. Would somebody be by the share alone? */
static enum plx_balance_why quiet(const struct plx_balance *b, uint16_t worst)
{
	const struct plx_balance_of_lcore *l = &b->lcore[worst];
	uint64_t limit =
		balance_permille(b->share, 1000u + b->conf.start_permille + b->noise_permille);

	if (l->before > limit)
		return l->largest >= l->other ? PLX_BALANCE_WHY_ELEPHANT : PLX_BALANCE_WHY_OTHER;
	return b->under_way ? PLX_BALANCE_WHY_UNDER_WAY : PLX_BALANCE_WHY_BALANCED;
}

static enum plx_balance_why held_by(const struct plx_balance_of_bucket *k)
{
	if (k->flags & BALANCE_PINNED)
		return PLX_BALANCE_WHY_PINNED;
	if (k->flags & BALANCE_MOVING)
		return PLX_BALANCE_WHY_UNDER_WAY;
	if (k->flags & BALANCE_RESTING)
		return k->flags & BALANCE_REFUSED ? PLX_BALANCE_WHY_REFUSED
						  : PLX_BALANCE_WHY_RESTING;
	return PLX_BALANCE_WHY_GAIN;
}

/* Why could this lcore not be relieved? By what most of its load is held, but for its largest
 * bucket, if that is an elephant, which is not to move anyway. */
static enum plx_balance_why stuck(const struct plx_balance *b, uint16_t lcore)
{
	const struct plx_balance_of_lcore *l = &b->lcore[lcore];
	enum plx_balance_why why = PLX_BALANCE_WHY_GAIN;
	uint64_t held[PLX_BALANCE_WHY_N] = {0};
	bool elephant = balance_level(l, l->largest) > b->share;

	for (uint16_t i = l->head; i != BALANCE_NONE; i = b->bucket[i].next) {
		const struct plx_balance_of_bucket *k = &b->bucket[i];

		if (!elephant || i != l->top)
			held[held_by(k)] += k->load;
	}
	for (unsigned int i = 0; i < PLX_BALANCE_WHY_N; i++)
		if (held[i] > held[why])
			why = i;
	return why;
}

static enum plx_balance_why compare(struct plx_balance *b, const struct plx_balance_input *in)
{
	uint16_t worst = hottest(b), left;
	enum plx_balance_why why;
	uint8_t longest;

	if (nothing_to_judge(b, in, &why))
		return why;
	describe(b, worst);
	longest = look(b);
	if (longest && longest < BALANCE_PATIENCE)
		return PLX_BALANCE_WHY_NEW;
	left = steer__balance_plan(b);
	return left == BALANCE_NONE ? quiet(b, worst) : stuck(b, left);
}

static uint32_t eligible(const struct plx_balance *b)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < b->lcores; i++)
		n += b->lcore[i].weight != 0;
	return n;
}

static enum plx_balance_why judge(struct plx_balance *b, const struct plx_balance_input *in)
{
	uint32_t lcores = eligible(b);
	enum plx_balance_why why = PLX_BALANCE_WHY_ALONE;

	find_noise(b, PLX_MAX(lcores, 1));
	steer__balance_evacuate(b);
	if (lcores > 1)
		why = compare(b, in);
	if (b->said.moves == 0)
		return why;
	if (b->said.lcore != PLX_STEER_NO_LCORE)
		b->said.after_permille = of_share(b, balance_worst(b));
	return b->mode == PLX_BALANCE_ON ? PLX_BALANCE_WHY_MOVES : PLX_BALANCE_WHY_ADVISED;
}

int plx_steer_balance_input(struct plx_balance *b, const struct plx_balance_input *in)
{
	enum plx_balance_why why;

	if (!valid(in))
		return -EINVAL;
	if (b->mode == PLX_BALANCE_OFF)
		return say(b, PLX_BALANCE_WHY_OFF);
	if (b->size != in->map->size || (b->based && in->now < b->last))
		forget(b);
	if (b->based && in->now - b->last < b->conf.interval_ns / 2)
		return say(b, PLX_BALANCE_WHY_EARLY);
	b->said = (struct plx_balance_said){.at = in->now, .lcore = PLX_STEER_NO_LCORE};
	b->given = 0;
	b->size = in->map->size;
	steer__balance_measure(b, in);
	if (!b->based) {
		b->based = true;
		b->last = in->now;
		return say(b, PLX_BALANCE_WHY_LEARNING);
	}
	steer__balance_weigh(b, in);
	b->known = true;
	b->last = in->now;
	why = judge(b, in);
	b->futile = why == PLX_BALANCE_WHY_GAIN ? (uint16_t)PLX_MIN(b->futile + 1, 16) : 0;
	return say(b, why);
}

bool plx_steer_balance_output(struct plx_balance *b, struct plx_balance_move *m)
{
	struct plx_balance_of_bucket *k;

	if (b->mode != PLX_BALANCE_ON || b->given >= b->said.moves)
		return false;
	*m = b->move[b->given++];
	k = &b->bucket[m->bucket];
	k->flags |= BALANCE_ASKED;
	k->from = m->from;
	k->to = m->to;
	plx_count(b->asked, 1);
	return true;
}

plx_ns plx_steer_balance_deadline(const struct plx_balance *b)
{
	if (b->mode == PLX_BALANCE_OFF)
		return PLX_NEVER;
	return b->based ? b->last + b->conf.interval_ns : 0;
}

uint64_t plx_steer_balance_rate(const struct plx_balance *b, uint16_t bucket)
{
	return bucket < b->size ? b->bucket[bucket].rate / 16 : 0;
}

const char *plx_steer_balance_text(enum plx_balance_why why)
{
	static const char *const words[] = {
#define X(name, text) text,
		PLX_BALANCE_REASONS(X)
#undef X
	};

	return (unsigned int)why < PLX_BALANCE_WHY_N ? words[why] : "?";
}

const char *plx_steer_balance_name(enum plx_balance_why why)
{
	static const char *const names[] = {
#define X(name, text) #name,
		PLX_BALANCE_REASONS(X)
#undef X
	};

	return (unsigned int)why < PLX_BALANCE_WHY_N ? names[why] : "?";
}
