/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_ip.h"

/* Option numbers (RFC 791 3.1), the copied bit included. */
#define OPT_EOL	 0
#define OPT_NOP	 1
#define OPT_RR	 7
#define OPT_TS	 68
#define OPT_LSRR 131
#define OPT_SSRR 137
#define OPT_RA	 148

/*
 * A record route or timestamp option has a pointer, counted from 1 at the option's type: the next
 * slot. Beyond the end it says "full"; before the first slot, or at a slot that is cut off,
 * nonsense.
 */
static bool pointer_ok(const uint8_t *opt, uint8_t first, uint8_t slot)
{
	return opt[2] >= first && (opt[2] > opt[1] || opt[2] + slot - 1 <= opt[1]);
}

/* @return 0, or the offset inside the option of the byte at fault, plus 1. */
static uint32_t record_route_fault(const uint8_t *opt)
{
	if (opt[1] < 3)
		return 1 + 1;
	return pointer_ok(opt, 4, 4) ? 0 : 2 + 1;
}

static uint32_t timestamp_fault(const uint8_t *opt)
{
	uint8_t flag;

	if (opt[1] < 4)
		return 1 + 1;
	flag = opt[3] & 0xf;
	if (flag != 0 && flag != 1 && flag != 3) /* times; addresses and times; given addresses */
		return 3 + 1;
	return pointer_ok(opt, 5, flag == 0 ? 4 : 8) ? 0 : 2 + 1;
}

static uint32_t option_fault(struct plx_ip *ip, const uint8_t *opt)
{
	switch (opt[0]) {
	case OPT_LSRR:
	case OPT_SSRR:
		return 0 + 1;
	case OPT_RR:
		return record_route_fault(opt);
	case OPT_TS:
		return timestamp_fault(opt);
	case OPT_RA:
		if (opt[1] != 4)
			return 1 + 1;
		ip->router_alert = plx_get_be16(opt + 2) == 0; /* others: reserved, RFC 5350 2.1 */
		return 0;
	default:
		return 0;
	}
}

enum plx_drop plx_wire_ip4_options_parse(struct plx_ip *ip, const void *p)
{
	const uint8_t *b = p;
	uint32_t at = PLX_IP4_BYTES;

	while (at < ip->hdr_bytes && b[at] != OPT_EOL) {
		uint32_t left = ip->hdr_bytes - at, fault;

		if (b[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (left < 2 || b[at + 1] < 2 || b[at + 1] > left) {
			ip->err_ptr = (uint16_t)at;
			return PLX_DROP_IP4_OPTIONS;
		}
		fault = option_fault(ip, b + at);
		if (fault) {
			ip->err_ptr = (uint16_t)(at + fault - 1);
			return PLX_DROP_IP4_OPTIONS;
		}
		at += b[at + 1];
	}
	return PLX_DROP_NONE;
}

uint32_t plx_wire_ip4_emit_opts(void *p, const struct plx_ip *ip, const void *opt, uint32_t bytes)
{
	uint8_t *b = p;
	uint32_t hdr = PLX_IP4_BYTES + bytes;
	uint16_t check;

	plx_wire_ip4_emit(p, ip);
	b[0] = (uint8_t)(0x40 | hdr / 4);
	plx_put_be16(b + 2, (uint16_t)(hdr + ip->l4_bytes));
	memset(b + 10, 0, 2);
	memmove(b + PLX_IP4_BYTES, opt, bytes);
	check = plx_cksum_ip4(b, hdr);
	memcpy(b + 10, &check, 2);
	return hdr;
}

uint32_t plx_wire_ip4_emit_ra(void *p, const struct plx_ip *ip)
{
	static const uint8_t ra[] = {OPT_RA, 4, 0, 0};

	return plx_wire_ip4_emit_opts(p, ip, ra, sizeof(ra));
}

/* ---- options on their way ---- */

/* @return bytes of the option at o, of which there are at least so many. */
static uint32_t option_bytes(const uint8_t *o)
{
	return o[0] == OPT_NOP ? 1 : o[1];
}

static void record_route(uint8_t *o, const struct plx_ip4_record *r)
{
	if (o[2] + 3 > o[1])
		return;
	memcpy(o + o[2] - 1, r->addr.b + 12, 4);
	o[2] = (uint8_t)(o[2] + 4);
}

/* @return false: one more that found no room, of whom no count can be kept. */
static bool record_time(uint8_t *o, const struct plx_ip4_record *r)
{
	uint8_t flag = o[3] & 0xf, slot = flag == 0 ? 4 : 8, *at = o + o[2] - 1;
	struct plx_addr asked;

	if (o[2] + slot - 1 > o[1]) {
		if (flag == 3) /* all who were asked have written: nobody is left out */
			return true;
		if (o[3] >> 4 == 15)
			return false;
		o[3] = (uint8_t)(o[3] + 0x10);
		return true;
	}
	if (flag == 1)
		memcpy(at, r->addr.b + 12, 4);
	asked = plx_addr_from_v4(at);
	if (flag == 3 && !r->ours(r->arg, &asked))
		return true;
	plx_put_be32(at + slot - 4, r->time);
	o[2] = (uint8_t)(o[2] + slot);
	return true;
}

bool plx_wire_ip4_options_record(
	void *opt, uint32_t bytes, const struct plx_ip4_record *r, uint32_t *fault)
{
	uint8_t *b = opt;

	for (uint32_t at = 0; at < bytes && b[at] != OPT_EOL; at += option_bytes(b + at)) {
		if (b[at] == OPT_RR) {
			record_route(b + at, r);
		} else if (b[at] == OPT_TS && !record_time(b + at, r)) {
			*fault = at + 3;
			return false;
		}
	}
	return true;
}

uint32_t plx_wire_ip4_options_pick(
	void *out, const void *opt, uint32_t bytes, enum plx_ip4_options_keep keep)
{
	const uint8_t *b = opt;
	uint8_t *o = out;
	uint32_t n = 0, len;

	for (uint32_t at = 0; at < bytes && b[at] != OPT_EOL; at += len) {
		len = option_bytes(b + at);
		if (keep == PLX_IP4_OPTIONS_COPIED ? b[at] & 0x80
						   : b[at] == OPT_RR || b[at] == OPT_TS) {
			memcpy(o + n, b + at, len);
			n += len;
		}
	}
	while (n % 4)
		o[n++] = OPT_EOL;
	return n;
}
