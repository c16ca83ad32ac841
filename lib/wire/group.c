/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_group.h"

#define IGMP_BYTES	  8
#define IGMP3_QUERY_BYTES 12
#define MLD_BYTES	  24
#define MLD2_QUERY_BYTES  28
#define REPORT_BYTES	  8 /* IGMPv3 and MLDv2: before the records */

#define IGMP1_MAX_RESP_MS 10000 /* RFC 2236 4 */

/*
 * The small floating point of newer queries: mant_bits of mantissa with a hidden one above them,
 * and three bits of exponent (RFC 3376 4.1.1, RFC 3810 5.1.3). Below its top bit a code is plain.
 */
static uint32_t decode(uint32_t code, unsigned int mant_bits)
{
	uint32_t one = 1u << mant_bits;

	if (code < one << 3)
		return code;
	return ((code & (one - 1)) | one) << ((code >> mant_bits & 7) + 3);
}

/* 224.0.0.1 or ff02::1 */
static bool is_all_hosts(const struct plx_addr *a)
{
	if (plx_addr_is_v4(a))
		return plx_addr_v4(a) == 0xe0000001;
	return plx_get_be64(a->b) == 0xff02ull << 48 && plx_get_be64(a->b + 8) == 1;
}

/*
 * RFC 3376 9.1, RFC 3810 10.1: a general query to any group but all hosts is a forgery meant to
 * have many answer unseen. One to an address of ours is fine.
 */
static bool is_query_sane(const struct plx_group_msg *msg, const struct plx_ip *ip)
{
	if (!plx_addr_is_any(&msg->group))
		return plx_addr_is_mcast(&msg->group);
	return msg->n_src == 0 && (!plx_addr_is_mcast(&ip->dst) || is_all_hosts(&ip->dst));
}

/* The tail that IGMPv3 and MLDv2 queries share: flags, QQIC, sources. */
static bool parse_tail(struct plx_group_msg *msg, const struct plx_ip *ip, const uint8_t *b,
	uint32_t at, uint32_t len)
{
	uint32_t addr_bytes = ip->version == 4 ? 4 : 16;

	msg->suppress = b[at] & 8;
	msg->qrv = b[at] & 7;
	msg->qqi_s = decode(b[at + 1], 4);
	msg->n_src = plx_get_be16(b + at + 2);
	msg->src_off = (uint16_t)(at + 4);
	return msg->n_src * addr_bytes <= len - at - 4;
}

static bool parse_igmp_query(
	struct plx_group_msg *msg, const struct plx_ip *ip, const uint8_t *b, uint32_t len)
{
	if (len > IGMP_BYTES) {
		msg->version = 3;
		msg->max_resp_ms = decode(b[1], 4) * 100;
		if (len < IGMP3_QUERY_BYTES || !parse_tail(msg, ip, b, 8, len))
			return false;
	} else {
		msg->version = b[1] ? 2 : 1;
		msg->max_resp_ms = b[1] ? b[1] * 100u : IGMP1_MAX_RESP_MS;
	}
	/* RFC 3376 9.1: IGMPv2 and later queries come with a router alert. */
	return (msg->version == 1 || ip->router_alert) && is_query_sane(msg, ip);
}

enum plx_drop plx_wire_igmp_parse(
	struct plx_group_msg *msg, const struct plx_ip *ip, const void *p, uint32_t len)
{
	const uint8_t *b = p;
	bool good;

	if (ip->version != 4 || len < IGMP_BYTES || plx_cksum(p, len) != 0)
		return PLX_DROP_IGMP_MALFORMED;
	*msg = (struct plx_group_msg){.group = plx_addr_from_v4(b + 4)};
	switch (b[0]) {
	case PLX_IGMP_QUERY:
		msg->kind = PLX_GROUP_QUERY;
		good = parse_igmp_query(msg, ip, b, len);
		break;
	case PLX_IGMP_V1_REPORT:
	case PLX_IGMP_V2_REPORT:
		msg->kind = PLX_GROUP_REPORT;
		msg->version = b[0] == PLX_IGMP_V1_REPORT ? 1 : 2;
		good = plx_addr_is_mcast(&msg->group);
		break;
	case PLX_IGMP_LEAVE:
		msg->kind = PLX_GROUP_LEAVE;
		msg->version = 2;
		good = plx_addr_is_mcast(&msg->group);
		break;
	case PLX_IGMP_V3_REPORT:
		*msg = (struct plx_group_msg){.kind = PLX_GROUP_REPORTS, .version = 3};
		good = true;
		break;
	default:
		good = false;
		break;
	}
	return good ? PLX_DROP_NONE : PLX_DROP_IGMP_MALFORMED;
}

static bool parse_mld_query(
	struct plx_group_msg *msg, const struct plx_ip *ip, const uint8_t *b, uint32_t len)
{
	/* RFC 3810 8.1: 24 bytes, 28 and more, and nothing else. */
	if (len >= MLD2_QUERY_BYTES) {
		msg->version = 2;
		msg->max_resp_ms = decode(plx_get_be16(b + 4), 12);
		if (!parse_tail(msg, ip, b, 24, len))
			return false;
	} else if (len == MLD_BYTES) {
		msg->version = 1;
		msg->max_resp_ms = plx_get_be16(b + 4);
	} else {
		return false;
	}
	return !plx_addr_is_any6(&ip->src) && is_query_sane(msg, ip);
}

enum plx_drop plx_wire_mld_parse(
	struct plx_group_msg *msg, const struct plx_ip *ip, const void *p, uint32_t len)
{
	const uint8_t *b = p;
	bool good;

	if (ip->version != 6 || ip->ttl != 1 || !ip->router_alert || len < REPORT_BYTES ||
		!(plx_addr_is_linklocal(&ip->src) || plx_addr_is_any6(&ip->src)))
		return PLX_DROP_IGMP_MALFORMED;
	*msg = (struct plx_group_msg){.version = 1};
	if (b[0] == PLX_ICMP6_MLD2_REPORT) {
		msg->kind = PLX_GROUP_REPORTS;
		msg->version = 2;
		return PLX_DROP_NONE;
	}
	if (len < MLD_BYTES)
		return PLX_DROP_IGMP_MALFORMED;
	msg->group = plx_addr_from_v6(b + 8);
	switch (b[0]) {
	case PLX_ICMP6_MLD_QUERY:
		msg->kind = PLX_GROUP_QUERY;
		good = parse_mld_query(msg, ip, b, len);
		break;
	case PLX_ICMP6_MLD_REPORT:
		msg->kind = PLX_GROUP_REPORT;
		good = plx_addr_is_mcast(&msg->group);
		break;
	case PLX_ICMP6_MLD_DONE:
		msg->kind = PLX_GROUP_LEAVE;
		good = plx_addr_is_mcast(&msg->group);
		break;
	default:
		good = false;
		break;
	}
	return good ? PLX_DROP_NONE : PLX_DROP_IGMP_MALFORMED;
}

struct plx_addr plx_wire_group_src(const struct plx_group_msg *msg, const void *p, unsigned int i)
{
	const uint8_t *b = (const uint8_t *)p + msg->src_off;

	return plx_addr_is_v4(&msg->group) ? plx_addr_from_v4(b + 4 * i)
					   : plx_addr_from_v6(b + 16 * i);
}

static void fill_igmp_cksum(uint8_t *b, uint32_t len)
{
	uint16_t check;

	memset(b + 2, 0, 2);
	check = plx_cksum(b, len);
	memcpy(b + 2, &check, 2);
}

uint32_t plx_wire_igmp_emit(void *p, const struct plx_group_msg *msg)
{
	uint8_t *b = p;

	memset(b, 0, IGMP_BYTES);
	if (msg->kind == PLX_GROUP_LEAVE)
		b[0] = PLX_IGMP_LEAVE;
	else
		b[0] = msg->version == 1 ? PLX_IGMP_V1_REPORT : PLX_IGMP_V2_REPORT;
	memcpy(b + 4, &msg->group.w[3], 4);
	fill_igmp_cksum(b, IGMP_BYTES);
	return IGMP_BYTES;
}

uint32_t plx_wire_mld_emit(void *p, const struct plx_group_msg *msg)
{
	uint8_t *b = p;

	memset(b, 0, MLD_BYTES);
	b[0] = msg->kind == PLX_GROUP_LEAVE ? PLX_ICMP6_MLD_DONE : PLX_ICMP6_MLD_REPORT;
	memcpy(b + 8, msg->group.b, 16);
	return MLD_BYTES;
}

/* IPv4 addresses are the last 4 bytes of the 16. */
static uint32_t put_addr(uint8_t *b, const struct plx_addr *a, uint32_t addr_bytes)
{
	memcpy(b, a->b + 16 - addr_bytes, addr_bytes);
	return addr_bytes;
}

/* The form that IGMPv3 and MLDv2 share (RFC 3376 4.2, RFC 3810 5.2), but for the addresses' size.
 */
static uint32_t emit_report(uint8_t *b, uint32_t room, uint8_t type,
	const struct plx_group_rec *rec, unsigned int n, uint32_t addr_bytes)
{
	uint32_t at = REPORT_BYTES;

	if (room < REPORT_BYTES || n > UINT16_MAX)
		return 0;
	memset(b, 0, REPORT_BYTES);
	b[0] = type;
	plx_put_be16(b + 6, (uint16_t)n);
	for (const struct plx_group_rec *r = rec; r < rec + n; r++) {
		if (4 + addr_bytes * (1u + r->n_src) > room - at)
			return 0;
		b[at] = (uint8_t)r->type;
		b[at + 1] = 0;
		plx_put_be16(b + at + 2, r->n_src);
		at += 4 + put_addr(b + at + 4, &r->group, addr_bytes);
		for (unsigned int i = 0; i < r->n_src; i++)
			at += put_addr(b + at, &r->src[i], addr_bytes);
	}
	return at;
}

uint32_t plx_wire_igmp3_report_emit(
	void *p, uint32_t room, const struct plx_group_rec *rec, unsigned int n)
{
	uint32_t len = emit_report(p, room, PLX_IGMP_V3_REPORT, rec, n, 4);

	if (len)
		fill_igmp_cksum(p, len);
	return len;
}

uint32_t plx_wire_mld2_report_emit(
	void *p, uint32_t room, const struct plx_group_rec *rec, unsigned int n)
{
	return emit_report(p, room, PLX_ICMP6_MLD2_REPORT, rec, n, 16);
}
