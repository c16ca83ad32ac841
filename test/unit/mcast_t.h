/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Group membership in a test: joins and queries by text, reports as text.
 */
#include "t.h"

#include <plx_mcast.h>
#include <plx_wire.h>

static inline struct plx_mcast *up_with(uint32_t groups, uint32_t sources)
{
	struct plx_mcast_conf c = {.groups = groups, .sources = sources, .seed = {5, 6}};
	struct plx_mcast *m = plx_mcast_init(aligned_alloc(64, plx_mcast_size(&c)), &c);

	ok(m);
	plx_mcast_link(m, true, 0);
	return m;
}

static inline struct plx_mcast *up(void)
{
	return up_with(20, 64);
}

static inline struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static inline int join(struct plx_mcast *m, const char *group, const char *src, plx_ns now)
{
	struct plx_addr g = addr(group), s = addr(src ? src : "::");

	return plx_mcast_join(m, &g, src ? &s : NULL, now);
}

static inline int leave(struct plx_mcast *m, const char *group, const char *src, plx_ns now)
{
	struct plx_addr g = addr(group), s = addr(src ? src : "::");

	return plx_mcast_leave(m, &g, src ? &s : NULL, now);
}

static inline bool member(const struct plx_mcast *m, const char *group)
{
	struct plx_addr g = addr(group);

	return plx_mcast_is_member(m, &g);
}

static inline bool accepts(const struct plx_mcast *m, const char *group, const char *src)
{
	struct plx_addr g = addr(group), s = addr(src);

	return plx_mcast_accepts(m, &g, &s);
}

static inline char *add_text(char *at, const char *text)
{
	strcpy(at, text);
	return at + strlen(text);
}

static inline char *add_addr(char *at, const struct plx_addr *a)
{
	char buf[PLX_ADDR_STRLEN];

	return add_text(at, plx_addr_format(a, buf));
}

/* "224.0.0.22: to_ex 239.1.1.1, allow 232.1.1.1 10.0.0.1 10.0.0.2"; older: "239.1.1.1: report2". */
static inline const char *text(const struct plx_mcast_report *r)
{
	static const char *const types[] = {
		[PLX_GROUP_IS_INCLUDE] = "is_in ",
		[PLX_GROUP_IS_EXCLUDE] = "is_ex ",
		[PLX_GROUP_TO_INCLUDE] = "to_in ",
		[PLX_GROUP_TO_EXCLUDE] = "to_ex ",
		[PLX_GROUP_ALLOW] = "allow ",
		[PLX_GROUP_BLOCK] = "block ",
	};
	static char buf[16384];
	char *at = add_addr(buf, &r->dst);

	if (r->msg.kind != PLX_GROUP_REPORTS) {
		at = add_text(at, r->msg.kind == PLX_GROUP_LEAVE ? ": leave" : ": report");
		*at++ = '0' + r->msg.version;
		*at++ = ' ';
		add_addr(at, &r->msg.group);
		return buf;
	}
	for (uint32_t i = 0; i < r->n; i++) {
		at = add_text(at, i ? ", " : ": ");
		at = add_text(at, types[r->rec[i].type]);
		at = add_addr(at, &r->rec[i].group);
		for (uint16_t k = 0; k < r->rec[i].n_src; k++)
			at = add_addr(add_text(at, " "), &r->rec[i].src[k]);
	}
	return buf;
}

#define ROOM 1400

static inline void out(struct plx_mcast *m, plx_ns now, const char *want)
{
	struct plx_mcast_report r;

	ok(plx_mcast_output(m, now, ROOM, &r));
	str_eq(text(&r), want);
}

static inline void none(struct plx_mcast *m, plx_ns now)
{
	struct plx_mcast_report r;

	plx_mcast_timer(m, now);
	if (plx_mcast_output(m, now, ROOM, &r))
		fail_msg("unexpected: %s", text(&r));
}

/* Nothing until the deadline, which comes in (from, to], then this. @return that time. */
static inline plx_ns out_later(struct plx_mcast *m, plx_ns from, plx_ns to, const char *want)
{
	plx_ns at = plx_mcast_deadline(m);

	assert_in_range(at, from, to);
	none(m, at - 1);
	eq(plx_mcast_deadline(m), at);
	plx_mcast_timer(m, at);
	out(m, at, want);
	return at;
}

static inline void query(struct plx_mcast *m, uint8_t version, const char *group, uint32_t max_ms,
	const char *const *src, plx_ns now)
{
	struct plx_group_msg msg = {
		.kind = PLX_GROUP_QUERY,
		.version = version,
		.group = addr(group),
		.max_resp_ms = max_ms,
		.qrv = 2,
		.qqi_s = 125,
		.src_off = 12,
	};
	bool v6 = !plx_addr_is_v4(&msg.group);
	uint8_t bytes[1024] = {0};

	for (; src && *src; src++) {
		struct plx_addr a = addr(*src);
		size_t n = v6 ? 16 : 4;

		memcpy(bytes + msg.src_off + n * msg.n_src++, a.b + 16 - n, n);
	}
	plx_mcast_input(m, &msg, bytes, now);
}

static inline void heard(struct plx_mcast *m, uint8_t version, const char *group, plx_ns now)
{
	struct plx_group_msg msg = {
		.kind = PLX_GROUP_REPORT, .version = version, .group = addr(group)};

	plx_mcast_input(m, &msg, NULL, now);
}

#define SRC(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A machine with 239.1.1.1 (any), 232.1.1.1 (10.0.0.1, .2), all told by the end of second 2. */
static inline struct plx_mcast *settled(void)
{
	struct plx_mcast *m = up();
	struct plx_mcast_report r;

	eq(join(m, "239.1.1.1", NULL, 0), 0);
	eq(join(m, "232.1.1.1", "10.0.0.1", 0), 0);
	eq(join(m, "232.1.1.1", "10.0.0.2", 0), 0);
	for (plx_ns now = 0; now <= PLX_SEC(2); now += PLX_SEC(1))
		while (plx_mcast_output(m, now, ROOM, &r))
			;
	eq(plx_mcast_deadline(m), PLX_NEVER);
	return m;
}
