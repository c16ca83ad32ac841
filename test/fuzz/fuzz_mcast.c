/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host's membership: joins and leaves, queriers of any version, other hosts' reports, a link that
 * goes and comes, passing time. Beside it stands a table of counts that says who is a member; what
 * is to be sent fits the room given and comes to an end; no deadline is in the past once timers
 * ran.
 */
#include <stdlib.h>

#include <plx_base_cksum.h>
#include <plx_mcast.h>
#include <plx_wire.h>

#include "fuzz.h"

#define GROUPS	3 /* of each family */
#define SOURCES 3
#define MTU	1500

struct world {
	struct input in;
	struct plx_mcast *m;
	uint32_t joins[2][GROUPS][SOURCES + 1]; /* the last: of any source */
	plx_ns now;
};

static struct plx_addr group_of(bool v6, unsigned int g)
{
	uint8_t v4[4] = {239, 1, 0, (uint8_t)g}, six[16] = {0xff, 2, [13] = 1, [15] = (uint8_t)g};

	return v6 ? plx_addr_from_v6(six) : plx_addr_from_v4(v4);
}

static struct plx_addr source_of(bool v6, unsigned int s)
{
	uint8_t v4[4] = {10, 0, 0, (uint8_t)(s + 1)}, six[16] = {0xfe, 0x80, [15] = (uint8_t)s};

	return v6 ? plx_addr_from_v6(six) : plx_addr_from_v4(v4);
}

static void change(struct world *w)
{
	uint8_t how = u8(&w->in);
	bool v6 = how & 1, leave = how & 2;
	unsigned int g = how / 4 % GROUPS, s = how / 16 % (SOURCES + 1);
	struct plx_addr group = group_of(v6, g), src = source_of(v6, s);
	const struct plx_addr *from = s == SOURCES ? NULL : &src;
	uint32_t *n = &w->joins[v6][g][s];

	if (leave) {
		must((plx_mcast_leave(w->m, &group, from, w->now) == 0) == (*n > 0));
		*n -= *n > 0;
	} else if (plx_mcast_join(w->m, &group, from, w->now) == 0) {
		++*n;
	}
}

/* A message as it came: the checksum is made right, or nothing would get past it. */
static void hear(struct world *w)
{
	uint8_t how = u8(&w->in), b[256];
	bool v6 = how & 1;
	struct plx_ip ip = {.version = v6 ? 6 : 4,
		.ttl = 1,
		.router_alert = !(how & 2),
		.src = source_of(v6, 0),
		.dst = group_of(v6, how / 16 % GROUPS)};
	struct plx_group_msg msg;
	uint16_t sum;
	size_t len;
	const uint8_t *p = span(&w->in, u8(&w->in), &len);

	if (how & 4)
		ip.dst = v6 ? (struct plx_addr){.b = {0xff, 2, [15] = 1}}
			    : plx_addr_from_v4((const uint8_t[]){224, 0, 0, 1});
	memcpy(b, p, len);
	if (!v6 && len >= 4) {
		memset(b + 2, 0, 2);
		sum = plx_cksum(b, (uint32_t)len);
		memcpy(b + 2, &sum, 2);
	}
	if ((v6 ? plx_wire_mld_parse(&msg, &ip, b, (uint32_t)len)
		: plx_wire_igmp_parse(&msg, &ip, b, (uint32_t)len)) == PLX_DROP_NONE)
		plx_mcast_input(w->m, &msg, b, w->now);
}

static void link(struct world *w)
{
	plx_mcast_link(w->m, u8(&w->in) & 1, w->now);
}

/* As long as asked, or until something is due. */
static void pass(struct world *w)
{
	uint8_t how = u8(&w->in);
	plx_ns due = plx_mcast_deadline(w->m);

	if (how & 1 && due != PLX_NEVER)
		w->now = PLX_MAX(w->now, due);
	else
		w->now += PLX_MS(1) << (how / 2 % 20);
	plx_mcast_timer(w->m, w->now);
}

static uint32_t emit(const struct plx_mcast_report *r, uint8_t *p, uint32_t room)
{
	bool v4 = plx_addr_is_v4(&r->dst);

	if (r->msg.kind == PLX_GROUP_REPORTS)
		return v4 ? plx_wire_igmp3_report_emit(p, room, r->rec, r->n)
			  : plx_wire_mld2_report_emit(p, room, r->rec, r->n);
	return v4 ? plx_wire_igmp_emit(p, &r->msg) : plx_wire_mld_emit(p, &r->msg);
}

static void pull(struct world *w)
{
	uint32_t room = 64 + u8(&w->in) * 5u, bytes;
	struct plx_mcast_report r;
	uint8_t out[MTU];

	for (int n = 0; plx_mcast_output(w->m, w->now, room, &r); n++) {
		must(n < 1000);
		must(plx_addr_is_mcast(&r.dst));
		must(r.msg.kind != PLX_GROUP_QUERY);
		bytes = emit(&r, out, room);
		must(bytes > 0 && bytes <= room);
	}
	must(plx_mcast_deadline(w->m) > w->now);
}

static void check(const struct world *w)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (unsigned int g = 0; g < GROUPS; g++) {
			const uint32_t *n = w->joins[v6][g];
			struct plx_addr group = group_of(v6, g);

			must(plx_mcast_is_member(w->m, &group) == (n[0] || n[1] || n[2] || n[3]));
			for (unsigned int s = 0; s < SOURCES; s++) {
				struct plx_addr src = source_of(v6, s);

				must(plx_mcast_accepts(w->m, &group, &src) == (n[SOURCES] || n[s]));
			}
		}
}

static void *memory(const struct plx_mcast_conf *conf)
{
	static void *mem;

	if (!mem)
		must(posix_memalign(&mem, 64, plx_mcast_size(conf)) == 0);
	return mem;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const ops[])(struct world *) = {pass, change, hear, link};
	/* room for all but one, so that tables get full */
	const struct plx_mcast_conf conf = {
		.groups = GROUPS, .sources = 2 * GROUPS * SOURCES - 2, .seed = {1, 2}};
	struct world w = {.in = {data, size}};

	if (size > 4096)
		return 0;
	w.m = plx_mcast_init(memory(&conf), &conf);
	must(w.m);
	while (w.in.left > 0) {
		uint8_t op = u8(&w.in);

		ops[op % PLX_DIM(ops)](&w);
		if (op & 128) {
			plx_mcast_timer(w.m, w.now);
			pull(&w);
		}
		check(&w);
	}
	return 0;
}
