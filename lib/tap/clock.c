/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_tap_clock.h"

#define HALF_PPB 500000000

#define NEAR_NS (INT64_C(1) << 32) /* times a slew there is room for it in 64 bits */

static plx_ns at(const struct plx_tap_line *l, plx_ns mono)
{
	plx_ns d = mono - l->mono; /* may be negative */

	if (plx_likely(d > -NEAR_NS && d < NEAR_NS))
		return l->wall + d + d * l->slew_ppb / PLX_SEC(1);
	return l->wall + d + (plx_ns)((__int128)d * l->slew_ppb / PLX_SEC(1));
}

void plx_tap_clock_init(struct plx_tap_clock *c, plx_ns mono, plx_ns wall)
{
	c->now = (struct plx_tap_line){.mono = mono, .wall = wall};
	c->before = c->now;
}

/* To make up for err within the time that passed since the last correction, or a second. */
static int64_t slew_for(plx_ns err, plx_ns passed)
{
	plx_ns within = PLX_MAX(passed, PLX_SEC(1));
	int64_t ppb = (int64_t)((__int128)err * PLX_SEC(1) / within);

	if (err < -PLX_TAP_CLOCK_JUMP_NS)
		return -HALF_PPB;
	return PLX_MAX(PLX_MIN(ppb, PLX_TAP_CLOCK_SLEW_PPB), -PLX_TAP_CLOCK_SLEW_PPB);
}

void plx_tap_clock_set(struct plx_tap_clock *c, plx_ns mono, plx_ns wall)
{
	plx_ns passed = mono - c->now.mono, ours, err;

	if (passed <= 0) /* nothing to be learned */
		return;
	ours = at(&c->now, mono);
	err = wall - ours;
	c->before = c->now;
	c->now.mono = mono;
	c->now.wall = err > PLX_TAP_CLOCK_JUMP_NS ? wall : ours;
	c->now.slew_ppb = slew_for(wall - c->now.wall, passed);
}

plx_ns plx_tap_clock_wall(const struct plx_tap_clock *c, plx_ns mono)
{
	return at(mono < c->now.mono ? &c->before : &c->now, mono);
}
