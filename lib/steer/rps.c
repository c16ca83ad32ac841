/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_rps.h"

#include <errno.h>

void plx_lcore_set_first(struct plx_lcore_set *s, uint16_t n)
{
	*s = (struct plx_lcore_set){0};
	for (uint16_t i = 0; i < n; i++)
		plx_lcore_set_add(s, i);
}

/* @return the number's value and *text behind it; -1: none, or too large. */
static int number(const char **text)
{
	int v = 0;

	if (**text < '0' || **text > '9')
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		v = v * 10 + (**text - '0');
		if (v >= PLX_STEER_LCORES_MAX)
			return -1;
	}
	return v;
}

int plx_lcore_set_parse(struct plx_lcore_set *s, const char *text)
{
	struct plx_lcore_set got = {0};

	for (;; text++) {
		int first = number(&text), last = first;

		if (*text == '-') {
			text++;
			last = number(&text);
		}
		if (first < 0 || last < first || (*text && *text != ','))
			return -EINVAL;
		for (int i = first; i <= last; i++)
			plx_lcore_set_add(&got, (uint16_t)i);
		if (!*text)
			break;
	}
	*s = got;
	return 0;
}

void plx_steer_rps_set(
	struct plx_rps_map *m, const struct plx_lcore_set *want, const struct plx_lcore_set *online)
{
	m->len = 0;
	for (uint16_t i = 0; i < PLX_STEER_LCORES_MAX; i++)
		if (plx_lcore_set_has(want, i) && plx_lcore_set_has(online, i))
			m->lcore[m->len++] = i;
}

uint16_t plx_steer_rps(
	const struct plx_rps_map *m, uint32_t hash, const struct plx_lcore_set *online)
{
	uint16_t lcore;

	if (m->len == 0 || hash == 0)
		return PLX_STEER_NO_LCORE;
	lcore = m->lcore[plx_steer_reciprocal_scale(hash, m->len)];
	return plx_lcore_set_has(online, lcore) ? lcore : PLX_STEER_NO_LCORE;
}
