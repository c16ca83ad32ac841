/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pcapng_rotate.h"

#include <errno.h>
#include <stdio.h>

void plx_pcapng_rotate_init(
	struct plx_pcapng_rotate *rot, const struct plx_pcapng_rotate_conf *conf)
{
	*rot = (struct plx_pcapng_rotate){.conf = *conf};
}

/* A file without a packet is never too full for one: else a packet over the limit had no place. */
static bool too_full(const struct plx_pcapng_rotate *rot, uint64_t bytes)
{
	const struct plx_pcapng_rotate_conf *c = &rot->conf;

	if (!bytes || !rot->pkts)
		return false;
	if (c->pkts && rot->pkts >= c->pkts)
		return true;
	return c->bytes && (rot->bytes >= c->bytes || bytes > c->bytes - rot->bytes);
}

bool plx_pcapng_rotate_due(const struct plx_pcapng_rotate *rot, uint64_t bytes, plx_ns now)
{
	plx_ns duration_ns = rot->conf.duration_ns;

	if (!rot->num)
		return true;
	return too_full(rot, bytes) || (duration_ns && now - rot->opened_ns >= duration_ns);
}

uint32_t plx_pcapng_rotate_next(struct plx_pcapng_rotate *rot, plx_ns now)
{
	uint32_t files = rot->conf.files;

	rot->num++;
	rot->bytes = 0;
	rot->pkts = 0;
	rot->opened_ns = now;
	return files && rot->num > files ? rot->num - files : 0;
}

void plx_pcapng_rotate_wrote(struct plx_pcapng_rotate *rot, uint64_t bytes, uint64_t pkts)
{
	rot->bytes += bytes;
	rot->pkts += pkts;
}

int plx_pcapng_rotate_name(
	char *name, size_t room, const char *base, uint32_t num, const struct tm *when)
{
	const char *slash = strrchr(base, '/'), *last = slash ? slash + 1 : base;
	const char *dot = strrchr(last, '.');
	size_t stem = dot ? (size_t)(dot - base) : strlen(base);
	char time[sizeof("20261129154500")];
	int n;

	if (!*last)
		return -EINVAL;
	if (strftime(time, sizeof(time), "%Y%m%d%H%M%S", when) == 0)
		return -EINVAL;
	n = snprintf(name, room, "%.*s_%05u_%s%s", (int)stem, base, num, time, base + stem);
	return n >= 0 && (size_t)n < room ? 0 : -ENAMETOOLONG;
}
