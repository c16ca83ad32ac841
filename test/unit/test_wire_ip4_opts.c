/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

/* Record route, timestamps, and which options go where. Options are written as they stand. */

static bool ours(const void *arg, const struct plx_addr *a)
{
	return plx_addr_eq(a, arg);
}

/* 10.0.0.2 records them at 1000 ms. @return what they are then, or nothing and the fault. */
static struct pkt record(const char *options, uint32_t *fault)
{
	struct plx_addr me;
	struct plx_ip4_record r = {.time = 1000, .ours = ours, .arg = &me};
	struct pkt k = hex(options);

	plx_addr_parse(&me, "10.0.0.2");
	r.addr = me;
	*fault = 0;
	if (!plx_wire_ip4_options_record(k.b, k.len, &r, fault))
		k.len = 0;
	return k;
}

static void becomes(const char *before, const char *after)
{
	uint32_t fault;
	struct pkt got = record(before, &fault), want = hex(after);

	eq(got.len, want.len);
	mem_eq(got.b, want.b, want.len);
}

T(the_route_is_recorded_slot_by_slot)
{
	becomes("07 0b 04 00000000 00000000 00", "07 0b 08 0a000002 00000000 00");
	becomes("07 0b 08 0a000001 00000000 00", "07 0b 0c 0a000001 0a000002 00");
	becomes("07 0b 0c 0a000001 0a000009 00", "07 0b 0c 0a000001 0a000009 00"); /* full */
	becomes("07 03 04 00", "07 03 04 00");
}

T(others_are_left_alone)
{
	becomes("01 01 94 04 0000 07 07 04 00000000 88 04 1234 00",
		"01 01 94 04 0000 07 07 08 0a000002 88 04 1234 00");
	becomes("00 07 07 04 00000000", "00 07 07 04 00000000"); /* behind the end */
}

T(timestamps_alone)
{
	becomes("44 0c 05 00 00000000 00000000", "44 0c 09 00 000003e8 00000000");
	becomes("44 0c 09 00 00000001 00000000", "44 0c 0d 00 00000001 000003e8");
}

T(timestamps_with_addresses)
{
	becomes("44 14 05 01 00000000 00000000 00000000 00000000",
		"44 14 0d 01 0a000002 000003e8 00000000 00000000");
}

/* Who is named first writes first; the others wait for their turn. */
T(timestamps_of_whom_they_ask)
{
	becomes("44 14 05 03 0a000002 00000000 0a000009 00000000",
		"44 14 0d 03 0a000002 000003e8 0a000009 00000000");
	becomes("44 14 05 03 0a000009 00000000 0a000002 00000000",
		"44 14 05 03 0a000009 00000000 0a000002 00000000");
	becomes("44 0c 0d 03 0a000002 000003e8", "44 0c 0d 03 0a000002 000003e8");
}

T(who_finds_no_room_is_counted)
{
	uint32_t fault;

	becomes("44 08 09 00 00000001", "44 08 09 10 00000001");
	becomes("44 08 09 e0 00000001", "44 08 09 f0 00000001");
	eq(record("01 44 08 09 f0 00000001", &fault).len, 0);
	eq(fault, 4); /* the byte of the count */
}

static void picks(enum plx_ip4_options_keep keep, const char *before, const char *after)
{
	struct pkt from = hex(before), want = hex(after);
	uint8_t out[PLX_IP4_OPTS_MAX];

	eq(plx_wire_ip4_options_pick(out, from.b, from.len, keep), want.len);
	mem_eq(out, want.b, want.len);
}

T(fragments_have_what_is_to_be_copied)
{
	picks(PLX_IP4_OPTIONS_COPIED, "07 07 04 00000000 94 04 0000 01", "94 04 0000");
	picks(PLX_IP4_OPTIONS_COPIED, "07 07 04 00000000 01", "");
	picks(PLX_IP4_OPTIONS_COPIED, "88 03 01 01", "88 03 01 00");
}

T(a_reply_has_the_records)
{
	picks(PLX_IP4_OPTIONS_ECHOED, "94 04 0000 01 07 07 04 00000000", "07 07 04 00000000 00");
	picks(PLX_IP4_OPTIONS_ECHOED, "44 08 05 00 00000000", "44 08 05 00 00000000");
	picks(PLX_IP4_OPTIONS_ECHOED, "94 04 0000", "");
}

RUN(T_(the_route_is_recorded_slot_by_slot), T_(others_are_left_alone), T_(timestamps_alone),
	T_(timestamps_with_addresses), T_(timestamps_of_whom_they_ask),
	T_(who_finds_no_room_is_counted), T_(fragments_have_what_is_to_be_copied),
	T_(a_reply_has_the_records))
