/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <errno.h>
#include <stdlib.h>

#define ALIGN	  8u		  /* of a packet in the store */
#define FIRST	  (64u << 10)	  /* bytes of the store's first room */
#define LONGEST	  (INT64_MAX / 4) /* two of them and a clock are a plx_ns */
#define SPEED_MIN 0.000001
#define SPEED_MAX 1000000.0

__extension__ typedef unsigned __int128 wide; /* packets times nanoseconds */

/* --- packets in memory ----------------------------------------------------------------------- */

static size_t place(uint32_t bytes)
{
	return (offsetof(struct replay_pkt, data) + bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* Doubled: the C library moves pages then, and copies nothing. */
static int grow(struct replay_store *s, size_t more)
{
	size_t room = s->room ? s->room : FIRST;
	uint8_t *mem;

	if (more > s->max - s->used)
		return ENOSPC;
	while (room < s->used + more)
		room *= 2;
	room = PLX_MIN(room, s->max);
	if (room <= s->room)
		return 0;
	mem = realloc(s->mem, room);
	if (!mem)
		return ENOMEM;
	s->mem = mem;
	s->room = room;
	return 0;
}

struct replay_pkt *replay_add(
	struct replay_store *s, plx_ns at_ns, const void *data, uint32_t have, uint32_t bytes)
{
	struct replay_pkt *p;

	errno = grow(s, place(bytes));
	if (errno)
		return NULL;
	p = (struct replay_pkt *)(s->mem + s->used);
	p->at_ns = at_ns;
	p->bytes = bytes;
	if (have)
		memcpy(p->data, data, have);
	memset(p->data + have, 0, bytes - have);
	s->used += place(bytes);
	s->pkts++;
	s->bytes += bytes;
	return p;
}

struct replay_pkt *replay_first(const struct replay_store *s)
{
	return s->used ? (struct replay_pkt *)s->mem : NULL;
}

struct replay_pkt *replay_next(const struct replay_store *s, const struct replay_pkt *p)
{
	size_t next = (size_t)((const uint8_t *)p - s->mem) + place(p->bytes);

	return next < s->used ? (struct replay_pkt *)(s->mem + next) : NULL;
}

void replay_free(struct replay_store *s)
{
	free(s->mem);
	*s = (struct replay_store){.max = s->max};
}

/* --- when ------------------------------------------------------------------------------------ */

/* Digits and at most one point: strtod() knows other numbers as well. */
static bool decimal(const char *text, size_t n, double *v)
{
	char buf[24];

	if (n == 0 || n >= sizeof(buf) || strspn(text, "0123456789.") < n ||
		(text[0] == '.' && n == 1))
		return false;
	memcpy(buf, text, n);
	buf[n] = '\0';
	if (strchr(buf, '.') != strrchr(buf, '.'))
		return false;
	*v = strtod(buf, NULL);
	return true;
}

bool replay_speed_parse(double *speed, const char *text)
{
	size_t n = strlen(text);
	double v;

	if (text[0] == 'x') {
		text++;
		n--;
	} else if (n && text[n - 1] == 'x') {
		n--;
	}
	if (!decimal(text, n, &v) || v < SPEED_MIN || v > SPEED_MAX)
		return false;
	*speed = v;
	return true;
}

bool replay_mbps_parse(uint64_t *bps, const char *text)
{
	double v;

	if (!decimal(text, strlen(text), &v) || v < 0.001 || v > 1000000)
		return false;
	*bps = (uint64_t)(v * 1e6 + 0.5);
	return true;
}

static plx_ns since(plx_ns base, plx_ns ns)
{
	plx_ns d;

	if (__builtin_sub_overflow(ns, base, &d))
		return LONGEST;
	return PLX_MIN(d, LONGEST);
}

static plx_ns scaled(plx_ns ns, double speed)
{
	long double v = (long double)ns / (long double)speed;

	return v < (long double)LONGEST ? (plx_ns)v : LONGEST;
}

/* @return when the last one is due. */
static plx_ns plan_timed(const struct replay_store *s, struct replay_pace *pace)
{
	plx_ns base = REPLAY_NO_TIME, latest = 0;

	for (struct replay_pkt *p = replay_first(s); p; p = replay_next(s, p)) {
		plx_ns ns = p->at_ns;

		if (ns == REPLAY_NO_TIME) {
			pace->untimed++;
		} else if (base == REPLAY_NO_TIME) {
			base = ns;
		} else if (ns < base || since(base, ns) < latest) {
			pace->backwards++;
		} else {
			latest = since(base, ns);
		}
		p->at_ns = scaled(latest, pace->speed);
	}
	return scaled(latest, pace->speed);
}

/* What so many units take. */
static plx_ns duration(const struct replay_pace *pace, uint64_t units)
{
	wide t = (wide)units * PLX_SEC(1) / pace->units_per_s;

	return t < LONGEST ? (plx_ns)t : LONGEST;
}

static void plan_rate(const struct replay_store *s, struct replay_pace *pace)
{
	for (struct replay_pkt *p = replay_first(s); p; p = replay_next(s, p)) {
		p->at_ns = duration(pace, pace->round_units);
		pace->round_units += pace->mode == REPLAY_PPS ? 1 : 8 * (uint64_t)p->bytes;
	}
}

void replay_plan(const struct replay_store *s, struct replay_pace *pace)
{
	uint64_t last;

	pace->backwards = pace->untimed = pace->round_units = 0;
	pace->units_per_s = PLX_SEC(1);
	switch (pace->mode) {
	case REPLAY_TIMED:
		last = (uint64_t)plan_timed(s, pace);
		if (s->pkts > 1)
			pace->round_units = last + last / (s->pkts - 1);
		break;
	case REPLAY_PPS:
	case REPLAY_BPS:
		pace->units_per_s = pace->rate;
		plan_rate(s, pace);
		break;
	case REPLAY_FLAT:
		for (struct replay_pkt *p = replay_first(s); p; p = replay_next(s, p))
			p->at_ns = 0;
		break;
	}
}

plx_ns replay_round_ns(const struct replay_pace *pace, uint64_t k)
{
	wide t = (wide)pace->round_units * PLX_SEC(1);

	if (t && k > (wide)LONGEST * pace->units_per_s / t)
		return LONGEST;
	return (plx_ns)(t * k / pace->units_per_s);
}
