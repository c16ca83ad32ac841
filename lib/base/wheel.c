/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_wheel.h"

/*
 * The wheel's invariants, for the tick `cur` that it has reached:
 *
 * 1. A timer in a slot has a tick later than cur. Its level is that of the highest base-64 digit in
 *    which both differ, its slot that digit. So the slots of cur's own digits are empty, and so are
 *    those before: the lowest level that has timers holds the earliest, in its lowest slot.
 * 2. cur may move forward freely as long as it does not reach an occupied slot: up to there the
 *    upper digits stay the same, and the digit of that level stays lower than the slot's.
 * 3. When it reaches one, the slot's list as a whole becomes `work`; its timers fire or find their
 *    place anew, one by one, and cur doesn't move before all have. That is what lets a run stop
 *    anywhere.
 */

static_assert(sizeof(struct plx_timer) == 32, "two timers in a cache line");
static_assert(PLX_WHEEL_LEVELS * PLX_WHEEL_BITS >= 64, "any tick has a level");
static_assert(PLX_WHEEL_SLOTS == 64, "a level's map is a word");

/* First tick at or after a time. Unsigned, so that no distance overflows. */
static uint64_t tick_of(const struct plx_wheel *w, plx_ns when)
{
	if (when <= w->origin)
		return 0;
	return (((uint64_t)when - (uint64_t)w->origin - 1) >> w->shift) + 1;
}

static plx_ns time_of(const struct plx_wheel *w, uint64_t tick)
{
	uint64_t past = tick << w->shift, most = (uint64_t)(PLX_NEVER - 1) - (uint64_t)w->origin;

	/* Rounding up may have gone beyond the end of time. */
	if (tick > most >> w->shift)
		past = most;
	return (plx_ns)((uint64_t)w->origin + past);
}

static void place(struct plx_wheel *w, struct plx_timer *t, uint64_t tick)
{
	unsigned int level = (63 - __builtin_clzll(tick ^ w->cur)) / PLX_WHEEL_BITS;
	unsigned int digit = tick >> level * PLX_WHEEL_BITS & (PLX_WHEEL_SLOTS - 1);
	unsigned int slot = level * PLX_WHEEL_SLOTS + digit;

	plx_list_add_tail(&w->slots[slot], &t->node);
	t->slot = (uint16_t)(slot + 1);
	w->map[level] |= UINT64_C(1) << digit;
	w->levels |= (uint16_t)(1 << level);
}

static void slot_is_empty(struct plx_wheel *w, unsigned int slot)
{
	unsigned int level = slot / PLX_WHEEL_SLOTS;

	w->map[level] &= ~(UINT64_C(1) << slot % PLX_WHEEL_SLOTS);
	if (!w->map[level])
		w->levels &= (uint16_t) ~(1 << level);
}

/* A timer in `work` still names the slot it came from; that one's map bit is right either way. */
static void unlink_timer(struct plx_wheel *w, struct plx_timer *t)
{
	unsigned int slot = t->slot - 1u;

	plx_list_del(&t->node);
	if (plx_list_empty(&w->slots[slot]))
		slot_is_empty(w, slot);
	t->slot = 0;
	w->armed--;
}

void plx_wheel_init(struct plx_wheel *w, plx_ns now, plx_ns tick_ns)
{
	assert(tick_ns > 0);
	memset(w, 0, sizeof(*w));
	w->origin = now;
	w->shift = (uint8_t)(63 - __builtin_clzll((uint64_t)tick_ns));
	plx_list_init(&w->work);
	for (size_t i = 0; i < PLX_DIM(w->slots); i++)
		plx_list_init(&w->slots[i]);
}

void plx_wheel_add(struct plx_wheel *w, struct plx_timer *t, plx_ns when)
{
	uint64_t tick;

	if (plx_timer_is_armed(t))
		unlink_timer(w, t);
	t->when = when;
	if (when == PLX_NEVER)
		return;
	tick = tick_of(w, when);
	place(w, t, PLX_MAX(tick, w->cur + 1));
	w->armed++;
}

void plx_wheel_del(struct plx_wheel *w, struct plx_timer *t)
{
	if (plx_timer_is_armed(t))
		unlink_timer(w, t);
}

/* The slot that the wheel reaches next and the tick where it begins. */
static bool next_slot(const struct plx_wheel *w, unsigned int *slot, uint64_t *tick)
{
	unsigned int level, digit, shift;
	uint64_t upper;

	if (!w->levels)
		return false;
	level = __builtin_ctz(w->levels);
	digit = __builtin_ctzll(w->map[level]);
	shift = level * PLX_WHEEL_BITS;
	upper = w->cur >> shift >> PLX_WHEEL_BITS;
	*slot = level * PLX_WHEEL_SLOTS + digit;
	*tick = (upper << PLX_WHEEL_BITS | digit) << shift;
	return true;
}

/* Fire or move down one timer of `work`. */
static void work_one(struct plx_wheel *w, struct plx_timer *t, plx_timer_fn *fn, void *arg)
{
	uint64_t tick = tick_of(w, t->when);

	if (tick > w->cur) {
		plx_list_del(&t->node);
		place(w, t, tick);
	} else {
		unlink_timer(w, t);
		fn(t, arg);
	}
}

unsigned int plx_wheel_run(
	struct plx_wheel *w, plx_ns now, unsigned int budget, plx_timer_fn *fn, void *arg)
{
	uint64_t next, target;
	unsigned int slot, used = 0;

	if (now < w->origin)
		return 0;
	target = ((uint64_t)now - (uint64_t)w->origin) >> w->shift;
	for (;;) {
		while (!plx_list_empty(&w->work)) {
			if (used == budget)
				return used;
			used++;
			/* The links of the next one are what the loop would wait for. */
			__builtin_prefetch(w->work.next->next);
			work_one(w, plx_list_first(&w->work, struct plx_timer, node), fn, arg);
		}
		if (!next_slot(w, &slot, &next) || next > target)
			break;
		w->cur = next;
		plx_list_splice_tail(&w->work, &w->slots[slot]);
		slot_is_empty(w, slot);
	}
	if (target > w->cur)
		w->cur = target;
	return used;
}

plx_ns plx_wheel_deadline(const struct plx_wheel *w)
{
	unsigned int slot;
	uint64_t tick;

	if (!plx_list_empty(&w->work))
		return time_of(w, w->cur);
	return next_slot(w, &slot, &tick) ? time_of(w, tick) : PLX_NEVER;
}
