/* SPDX-License-Identifier: BSD-3-Clause */
#include "trigger.h"

#include <plx_base.h>

/*
 * A burst is more than so many within a time. Of the past there is a sample about every sixtieth of
 * that time, and sums between two of them are known. If the thread has not looked for longer than
 * the time, what came meanwhile is divided among as many of these times as have passed: one of them
 * had so many at least. So there is no false alarm; a burst that is missed is one that would have
 * been none in 59 sixtieths of the time.
 */

#define PARTS 60
static_assert(PARTS < TRIGGER_SAMPLES, "they all have a place");

static struct trigger_sample *sample_at(struct trigger *t, uint32_t i)
{
	return &t->sample[(t->first + i) % TRIGGER_SAMPLES];
}

static void begin(struct trigger *t, uint64_t n, plx_ns now)
{
	t->first = 0;
	t->n = 1;
	t->sample[0] = (struct trigger_sample){.ns = now, .n = n};
}

static uint64_t sum(const uint64_t *count, uint16_t lcores)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < lcores; i++)
		n += count[i];
	return n;
}

void trigger__init(struct trigger *t, const struct plx_tap_trigger *conf, const uint64_t *count,
	uint16_t lcores, plx_ns now)
{
	bool drops = conf->kind == PLX_TAP_ON_DROPS;

	*t = (struct trigger){.over = drops ? conf->over : 0,
		.within_ns = drops ? conf->ns : 0,
		.lcores = PLX_MIN(lcores, (uint16_t)TRIGGER_LCORES)};
	memcpy(t->seen, count, t->lcores * sizeof(*count));
	begin(t, sum(count, t->lcores), now);
}

/* Those that are too old go, but for the newest of them if there is no other. */
static void age(struct trigger *t, plx_ns now)
{
	while (t->n > 1 && now - sample_at(t, 0)->ns > t->within_ns) {
		t->first++;
		t->n--;
	}
}

static void take(struct trigger *t, uint64_t n, plx_ns now)
{
	plx_ns last = sample_at(t, t->n - 1)->ns;

	if (t->n < TRIGGER_SAMPLES && now - last >= t->within_ns / PARTS)
		*sample_at(t, t->n++) = (struct trigger_sample){.ns = now, .n = n};
}

/* Before this look is a sample itself. @return how many, if they are too many; else 0. */
static uint64_t burst(struct trigger *t, uint64_t n, plx_ns now)
{
	const struct trigger_sample *s;
	uint64_t times = 1, more;

	age(t, now);
	s = sample_at(t, 0);
	more = n - s->n;
	if (t->within_ns && now - s->ns > t->within_ns)
		times = (uint64_t)((now - s->ns + t->within_ns - 1) / t->within_ns);
	return (more + times - 1) / times > t->over ? more : 0;
}

/* The lcore that had most since the last look. */
static uint16_t most(struct trigger *t, const uint64_t *count)
{
	uint16_t found = 0;

	for (uint16_t i = 1; i < t->lcores; i++)
		if (count[i] - t->seen[i] > count[found] - t->seen[found])
			found = i;
	return found;
}

bool trigger__look(struct trigger *t, const uint64_t *count, plx_ns now, struct trigger_event *e)
{
	uint64_t all = sum(count, t->lcores), n = burst(t, all, now);

	*e = (struct trigger_event){.n = n, .lcore = most(t, count)};
	memcpy(t->seen, count, t->lcores * sizeof(*count));
	if (n)
		begin(t, all, now);
	else
		take(t, all, now);
	return n;
}
