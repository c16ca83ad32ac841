/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_impair.h"

#include <errno.h>

#define MOST_BYTES (1u << 30)
#define MOST_NS	   PLX_SEC(3600)

/* A reader that stops at the first thing it does not understand: p stays there, why says it. */
struct scan {
	const char *p;
	const char *why;
};

static bool fail(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static bool take(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool scan_u64(struct scan *s, uint64_t *v, uint64_t min, uint64_t max)
{
	const char *start = s->p;
	uint64_t n = 0;

	if (!is_digit(*s->p))
		return fail(s, "a whole number belongs here");
	for (; is_digit(*s->p); s->p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*s->p - '0'), &n))
			break;
	if (is_digit(*s->p) || n < min || n > max) {
		s->p = start;
		return fail(s, "this number is out of range");
	}
	*v = n;
	return true;
}

static bool scan_u32(struct scan *s, uint32_t *v, uint32_t min, uint32_t max)
{
	uint64_t n;

	if (!scan_u64(s, &n, min, max))
		return false;
	*v = (uint32_t)n;
	return true;
}

/* Digits with an optional fraction; strtod() would follow the locale and take "inf" and "0x1p3". */
static bool scan_real(struct scan *s, double *v)
{
	double scale = 1;

	if (!is_digit(*s->p))
		return fail(s, "a number belongs here");
	for (*v = 0; is_digit(*s->p); s->p++)
		*v = *v * 10 + (*s->p - '0');
	if (*s->p != '.')
		return true;
	s->p++;
	for (; is_digit(*s->p); s->p++)
		*v += (*s->p - '0') * (scale /= 10);
	return true;
}

/* A number in a unit of the table, which ends with a NULL word; v is in the table's base unit. */
struct unit {
	const char *word;
	double factor;
};

static bool scan_quantity(
	struct scan *s, double *v, const struct unit *units, double max, const char *unit_missing)
{
	const char *start = s->p;

	if (!scan_real(s, v))
		return false;
	while (units->word && !take(s, units->word))
		units++;
	if (!units->word)
		return fail(s, unit_missing);
	*v *= units->factor;
	if (*v <= max)
		return true;
	s->p = start;
	return fail(s, "this number is out of range");
}

static bool scan_prob(struct scan *s, double *p)
{
	static const struct unit units[] = {{"%", 0.01}, {"", 1}, {NULL, 0}};

	return scan_quantity(s, p, units, 1, "");
}

static bool scan_time(struct scan *s, plx_ns *t)
{
	static const struct unit units[] = {
		{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {NULL, 0}};
	double v;

	if (!scan_quantity(s, &v, units, MOST_NS, "a time needs a unit: ns, us, ms or s"))
		return false;
	*t = (plx_ns)(v + 0.5);
	return true;
}

static bool scan_bytes(struct scan *s, uint32_t *bytes)
{
	static const struct unit units[] = {{"kb", 1024}, {"k", 1024}, {"mb", 1 << 20},
		{"m", 1 << 20}, {"b", 1}, {"", 1}, {NULL, 0}};
	double v;

	if (!scan_quantity(s, &v, units, MOST_BYTES, ""))
		return false;
	*bytes = (uint32_t)(v + 0.5);
	return true;
}

static bool scan_rate(struct scan *s, uint64_t *bps)
{
	static const struct unit units[] = {
		{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"bit", 1}, {NULL, 0}};
	double v;

	if (!scan_quantity(s, &v, units, 1e12, "a rate needs a unit: bit, kbit, mbit or gbit"))
		return false;
	*bps = (uint64_t)(v + 0.5);
	return true;
}

/* One to four bytes as pairs of hex digits. */
static bool scan_hex(struct scan *s, uint32_t *v, uint8_t *len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int n = 0;
	const char *d;

	for (*v = 0; n < 8 && *s->p && (d = strchr(digits, *s->p | 0x20)); n++, s->p++)
		*v = *v << 4 | (uint32_t)(d - digits);
	if (n == 0 || n % 2)
		return fail(s, "pairs of hex digits belong here");
	*len = (uint8_t)(n / 2);
	return true;
}

static bool key_loss(struct scan *s, struct plx_impair_conf *c)
{
	return scan_prob(s, &c->loss);
}

static bool key_ge(struct scan *s, struct plx_impair_conf *c)
{
	double *const rest[] = {&c->ge.r, &c->ge.bad_loss, &c->ge.good_loss};

	c->ge = (struct plx_impair_ge){.bad_loss = 1};
	if (!scan_prob(s, &c->ge.p))
		return false;
	c->ge.r = 1 - c->ge.p;
	for (size_t i = 0; i < PLX_DIM(rest) && take(s, ":"); i++)
		if (!scan_prob(s, rest[i]))
			return false;
	return true;
}

static bool key_nth(struct scan *s, struct plx_impair_conf *c)
{
	return scan_u32(s, &c->every, 1, UINT32_MAX);
}

static bool key_drop(struct scan *s, struct plx_impair_conf *c)
{
	c->n_nth = 0;
	do {
		const char *start = s->p;
		uint32_t n;

		if (!scan_u32(s, &n, 1, UINT32_MAX))
			return false;
		if (c->n_nth == PLX_IMPAIR_NTH_MAX || (c->n_nth && n <= c->nth[c->n_nth - 1])) {
			s->p = start;
			return fail(s, "16 numbers at most, ascending");
		}
		c->nth[c->n_nth++] = n;
	} while (take(s, "/"));
	return true;
}

static_assert(PLX_IMPAIR_NTH_MAX == 16, "the text above says so");

/* The ":A[-[B]]" of an aim. */
static bool scan_range(struct scan *s, struct plx_impair_aim *a)
{
	if (!scan_u32(s, &a->first, 1, UINT32_MAX))
		return false;
	a->last = a->first;
	if (!take(s, "-"))
		return true;
	a->last = UINT32_MAX;
	return !is_digit(*s->p) || scan_u32(s, &a->last, a->first, UINT32_MAX);
}

static bool key_aim(struct scan *s, struct plx_impair_conf *c)
{
	struct plx_impair_aim a = {.first = 1, .last = UINT32_MAX};
	uint8_t mask_len;
	uint32_t off;

	if (c->n_aim == PLX_IMPAIR_AIM_MAX)
		return fail(s, "too many aims");
	a.l4 = take(s, "l4+");
	if (!scan_u32(s, &off, 0, UINT16_MAX))
		return false;
	a.off = (uint16_t)off;
	if (!take(s, ":"))
		return fail(s, "a colon and the value belong here");
	if (!scan_hex(s, &a.value, &a.len))
		return false;
	a.mask = UINT32_MAX >> (32 - 8 * a.len);
	if (take(s, "/") && (!scan_hex(s, &a.mask, &mask_len) || mask_len != a.len))
		return fail(s, "the mask must be as long as the value");
	if (take(s, ":") && !scan_range(s, &a))
		return false;
	c->aim[c->n_aim++] = a;
	return true;
}

static bool key_dup(struct scan *s, struct plx_impair_conf *c)
{
	return scan_prob(s, &c->dup);
}

static bool key_corrupt(struct scan *s, struct plx_impair_conf *c)
{
	uint32_t bits = 1;

	if (!scan_prob(s, &c->corrupt) ||
		(take(s, ":") && !scan_u32(s, &bits, 1, PLX_IMPAIR_FLIP_MAX)))
		return false;
	c->corrupt_bits = (uint8_t)bits;
	return true;
}

static bool key_rate(struct scan *s, struct plx_impair_conf *c)
{
	return scan_rate(s, &c->rate_bps);
}

static bool key_burst(struct scan *s, struct plx_impair_conf *c)
{
	return scan_bytes(s, &c->burst_bytes);
}

static bool key_queue(struct scan *s, struct plx_impair_conf *c)
{
	return scan_bytes(s, &c->queue_bytes);
}

static bool key_limit(struct scan *s, struct plx_impair_conf *c)
{
	return scan_u32(s, &c->limit_pkts, 0, UINT32_MAX);
}

static bool key_delay(struct scan *s, struct plx_impair_conf *c)
{
	return scan_time(s, &c->delay_ns);
}

static bool key_jitter(struct scan *s, struct plx_impair_conf *c)
{
	return scan_time(s, &c->jitter_ns);
}

static bool key_dist(struct scan *s, struct plx_impair_conf *c)
{
	if (take(s, "uniform"))
		c->dist = PLX_IMPAIR_UNIFORM;
	else if (take(s, "normal"))
		c->dist = PLX_IMPAIR_NORMAL;
	else
		return fail(s, "uniform or normal belongs here");
	return true;
}

static bool key_order(struct scan *s, struct plx_impair_conf *c)
{
	c->keep_order = take(s, "keep");
	return c->keep_order || take(s, "free") || fail(s, "keep or free belongs here");
}

static bool key_reorder(struct scan *s, struct plx_impair_conf *c)
{
	c->reorder_ns = 0;
	return scan_prob(s, &c->reorder) && (!take(s, ":") || scan_time(s, &c->reorder_ns));
}

static bool key_gap(struct scan *s, struct plx_impair_conf *c)
{
	return scan_u32(s, &c->gap, 1, UINT32_MAX);
}

static bool key_seed(struct scan *s, struct plx_impair_conf *c)
{
	return scan_u64(s, &c->seed, 0, UINT64_MAX);
}

static bool scan_pair(struct scan *s, struct plx_impair_conf *c)
{
	static const struct {
		const char *key;
		bool (*read)(struct scan *s, struct plx_impair_conf *c);
	} keys[] = {
		{"loss=", key_loss},
		{"ge=", key_ge},
		{"nth=", key_nth},
		{"drop=", key_drop},
		{"aim=", key_aim},
		{"dup=", key_dup},
		{"corrupt=", key_corrupt},
		{"rate=", key_rate},
		{"burst=", key_burst},
		{"queue=", key_queue},
		{"limit=", key_limit},
		{"delay=", key_delay},
		{"jitter=", key_jitter},
		{"dist=", key_dist},
		{"order=", key_order},
		{"reorder=", key_reorder},
		{"gap=", key_gap},
		{"seed=", key_seed},
	};

	for (size_t i = 0; i < PLX_DIM(keys); i++)
		if (take(s, keys[i].key))
			return keys[i].read(s, c);
	return fail(s, "no such key: loss, ge, nth, drop, aim, dup, corrupt, rate, burst, queue, "
		       "limit, delay, jitter, dist, order, reorder, gap, seed, each with =VALUE");
}

int plx_impair_conf_parse(struct plx_impair_conf *c, const char *text, struct plx_impair_error *err)
{
	struct scan s = {.p = text};
	struct plx_impair_conf new = *c;

	while (scan_pair(&s, &new)) {
		if (*s.p == '\0') {
			*c = new;
			return 0;
		}
		if (!take(&s, ",")) {
			fail(&s, "a comma and the next key, or the end, belong here");
			break;
		}
	}
	*err = (struct plx_impair_error){.pos = (size_t)(s.p - text), .text = s.why};
	return -EINVAL;
}

static bool probs_ok(const struct plx_impair_conf *c)
{
	const double p[] = {c->loss, c->dup, c->corrupt, c->reorder, c->ge.p, c->ge.r,
		c->ge.bad_loss, c->ge.good_loss};

	for (size_t i = 0; i < PLX_DIM(p); i++)
		if (!(p[i] >= 0 && p[i] <= 1)) /* NaN too */
			return false;
	return true;
}

static bool times_ok(const struct plx_impair_conf *c)
{
	const plx_ns t[] = {c->delay_ns, c->jitter_ns, c->reorder_ns};

	for (size_t i = 0; i < PLX_DIM(t); i++)
		if (t[i] < 0 || t[i] > MOST_NS)
			return false;
	return true;
}

static bool aims_ok(const struct plx_impair_conf *c)
{
	if (c->n_nth > PLX_IMPAIR_NTH_MAX || c->n_aim > PLX_IMPAIR_AIM_MAX)
		return false;
	for (unsigned int i = 0; i < c->n_nth; i++)
		if (c->nth[i] <= (i ? c->nth[i - 1] : 0))
			return false;
	for (unsigned int i = 0; i < c->n_aim; i++)
		if (c->aim[i].len < 1 || c->aim[i].len > 4)
			return false;
	return true;
}

const char *plx_impair_conf_check(const struct plx_impair_conf *c)
{
	if (!probs_ok(c))
		return "a probability lies outside of 0..1";
	if (!times_ok(c))
		return "a time lies outside of 0..1 h";
	if (!aims_ok(c))
		return "aimed loss: too many, not ascending or of a bad length";
	if (c->corrupt_bits > PLX_IMPAIR_FLIP_MAX)
		return "too many bits to flip in a packet";
	if (c->rate_bps && (c->rate_bps < 1000 || c->rate_bps > UINT64_C(1000000000000)))
		return "rate lies outside of 1 kbit to 1000 gbit";
	if (!c->rate_bps && (c->burst_bytes || c->queue_bytes))
		return "burst and queue need a rate";
	if (c->burst_bytes > MOST_BYTES || c->queue_bytes > MOST_BYTES)
		return "burst and queue may have 1 GiB at most";
	if (c->dist != PLX_IMPAIR_UNIFORM && c->dist != PLX_IMPAIR_NORMAL)
		return "no such distribution";
	if (c->reorder > 0 && c->reorder_ns == 0 && c->delay_ns == 0)
		return "reorder needs a delay to overtake in, or a time to hold back: reorder=P:T";
	if (c->gap && !(c->reorder > 0))
		return "gap needs reorder";
	return NULL;
}
