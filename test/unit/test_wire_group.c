/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

#define MLD_GROUP "ff02000000000000000000000000 00fb"
#define MLD_NONE  "00000000000000000000000000000000"

/* IGMP as it came by 224.0.0.1 with a router alert; the checksum is filled in. */
static enum plx_drop igmp_to(struct plx_group_msg *m, const char *dst, bool alert, const char *text)
{
	struct plx_ip ip = {.src = addr("10.0.0.1"),
		.dst = addr(dst),
		.ttl = 1,
		.version = 4,
		.router_alert = alert};
	struct pkt k = hex(text);
	enum plx_drop drop;
	void *p;

	if (k.len >= 4)
		plx_wire_l4_cksum_fill(&ip.src, &ip.dst, PLX_IPPROTO_IGMP, k.b, k.len);
	p = exact(k.b, k.len);
	drop = plx_wire_igmp_parse(m, &ip, p, k.len);
	exact_free(p, k.len);
	return drop;
}

static enum plx_drop igmp(struct plx_group_msg *m, const char *text)
{
	return igmp_to(m, "224.0.0.1", true, text);
}

static struct plx_ip mld_header(void)
{
	return (struct plx_ip){.src = addr("fe80::1"),
		.dst = addr("ff02::1"),
		.ttl = 1,
		.version = 6,
		.router_alert = true};
}

static enum plx_drop mld(struct plx_group_msg *m, const char *text)
{
	struct plx_ip ip = mld_header();
	struct pkt k = hex(text);
	void *p = exact(k.b, k.len);
	enum plx_drop drop = plx_wire_mld_parse(m, &ip, p, k.len);

	exact_free(p, k.len);
	return drop;
}

T(the_three_versions_of_igmp_queries)
{
	struct plx_group_msg m;

	eq(igmp(&m, "11 00 0000 00000000"), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_QUERY);
	eq(m.version, 1);
	eq(m.max_resp_ms, 10000);
	ok(plx_addr_is_any(&m.group));

	eq(igmp(&m, "11 64 0000 e0000116"), PLX_DROP_NONE);
	eq(m.version, 2);
	eq(m.max_resp_ms, 10000);
	addr_eq(m.group, "224.0.1.22");

	eq(igmp(&m, "11 18 0000 efff0001 0b 7d 0002 0a000005 0a000006"), PLX_DROP_NONE);
	eq(m.version, 3);
	eq(m.max_resp_ms, 2400);
	addr_eq(m.group, "239.255.0.1");
	ok(m.suppress);
	eq(m.qrv, 3);
	eq(m.qqi_s, 125);
	eq(m.n_src, 2);
}

T(both_versions_of_mld_queries)
{
	struct plx_group_msg m;

	eq(mld(&m, "82 00 0000 2710 0000" MLD_NONE), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_QUERY);
	eq(m.version, 1);
	eq(m.max_resp_ms, 10000);
	ok(plx_addr_is_any(&m.group));

	eq(mld(&m, "82 00 0000 2710 0000" MLD_GROUP "02 7d 0001 20010db8000000000000000000000005"),
		PLX_DROP_NONE);
	eq(m.version, 2);
	addr_eq(m.group, "ff02::fb");
	ok(!m.suppress);
	eq(m.qrv, 2);
	eq(m.n_src, 1);
}

T(sources_of_a_query)
{
	struct pkt k = hex("11 18 0000 efff0001 0b 7d 0002 0a000005 0a000006");
	struct plx_ip ip = {.src = addr("10.0.0.1"),
		.dst = addr("239.255.0.1"),
		.version = 4,
		.router_alert = true};
	struct plx_group_msg m;
	struct plx_addr a;

	plx_wire_l4_cksum_fill(&ip.src, &ip.dst, PLX_IPPROTO_IGMP, k.b, k.len);
	eq(plx_wire_igmp_parse(&m, &ip, k.b, k.len), PLX_DROP_NONE);
	a = plx_wire_group_src(&m, k.b, 1);
	addr_eq(a, "10.0.0.6");

	k = hex("82 00 0000 2710 0000" MLD_GROUP "02 7d 0002 20010db8000000000000000000000005"
		"20010db8000000000000000000000006");
	ip = mld_header();
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_NONE);
	a = plx_wire_group_src(&m, k.b, 1);
	addr_eq(a, "2001:db8::6");
}

/* RFC 3376 4.1.1 and 4.1.7, RFC 3810 5.1.3: the examples, and the ends of each range. */
T(codes_that_are_small_floating_point_numbers)
{
	static const struct {
		uint8_t code;
		uint32_t value;
	} rows8[] = {{0x01, 1}, {0x7f, 127}, {0x80, 128}, {0x8f, 248}, {0x90, 256}, {0xff, 31744}};
	static const struct {
		uint16_t code;
		uint32_t value;
	} rows16[] = {{0, 0}, {1, 1}, {0x7fff, 32767}, {0x8000, 32768}, {0x8fff, 65528},
		{0xffff, 8387584}};
	struct plx_group_msg m;
	char text[128];

	for (size_t i = 0; i < PLX_DIM(rows8); i++) {
		snprintf(text, sizeof(text), "11 %02x 0000 00000000 00 %02x 0000", rows8[i].code,
			rows8[i].code);
		eq(igmp(&m, text), PLX_DROP_NONE);
		eq(m.max_resp_ms, rows8[i].value * 100);
		eq(m.qqi_s, rows8[i].value);
	}
	for (size_t i = 0; i < PLX_DIM(rows16); i++) {
		snprintf(text, sizeof(text), "82 00 0000 %04x 0000" MLD_NONE "00 80 0000",
			rows16[i].code);
		eq(mld(&m, text), PLX_DROP_NONE);
		eq(m.max_resp_ms, rows16[i].value);
		eq(m.qqi_s, 128);
	}
}

T(what_other_hosts_say)
{
	struct plx_group_msg m;

	eq(igmp(&m, "12 00 0000 e0000116"), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_REPORT);
	eq(m.version, 1);
	eq(igmp(&m, "16 00 0000 e0000116"), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_REPORT);
	eq(m.version, 2);
	addr_eq(m.group, "224.0.1.22");
	eq(igmp(&m, "17 00 0000 e0000116"), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_LEAVE);
	eq(igmp(&m, "22 00 0000 0000 0001 04000000 e0000116"), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_REPORTS);
	eq(m.version, 3);
	eq(mld(&m, "83 00 0000 0000 0000" MLD_GROUP), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_REPORT);
	addr_eq(m.group, "ff02::fb");
	eq(mld(&m, "84 00 0000 0000 0000" MLD_GROUP), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_LEAVE);
	eq(mld(&m, "8f 00 0000 0000 0000"), PLX_DROP_NONE);
	eq(m.kind, PLX_GROUP_REPORTS);
	eq(m.version, 2);
}

T(queries_that_a_host_ignores)
{
	static const struct {
		const char *what, *dst;
		bool alert;
		const char *text;
		bool good;
	} rows[] = {
		{"general, to another group", "224.0.0.5", true, "11 64 0000 00000000", false},
		{"general, to one host", "10.0.0.2", true, "11 64 0000 00000000", true},
		{"of a group, to that group", "224.0.1.22", true, "11 64 0000 e0000116", true},
		{"of no group", "224.0.0.1", true, "11 64 0000 0a000001", false},
		{"no router alert, IGMPv1", "224.0.0.1", false, "11 00 0000 00000000", true},
		{"no router alert, IGMPv2", "224.0.0.1", false, "11 64 0000 00000000", false},
		{"no router alert, IGMPv3", "224.0.0.1", false, "11 64 0000 00000000 02 7d 0000",
			false},
		{"sources of no group", "224.0.0.1", true,
			"11 64 0000 00000000 02 7d 0001 0a000005", false},
		{"report of no group", "224.0.0.1", true, "16 00 0000 0a000001", false},
		{"leave of no group", "224.0.0.1", true, "17 00 0000 00000000", false},
		{"another type", "224.0.0.1", true, "13 00 0000 e0000116", false},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct plx_group_msg m;

		print_message("%s\n", rows[i].what);
		eq(igmp_to(&m, rows[i].dst, rows[i].alert, rows[i].text),
			rows[i].good ? PLX_DROP_NONE : PLX_DROP_IGMP_MALFORMED);
	}
}

/* RFC 3810 6.2 */
T(mld_from_where_it_cannot_come)
{
	struct pkt k = hex("82 00 0000 2710 0000" MLD_NONE "02 7d 0000");
	struct plx_ip good = mld_header(), ip;
	struct plx_group_msg m;

	eq(plx_wire_mld_parse(&m, &good, k.b, k.len), PLX_DROP_NONE);
	ip = good, ip.ttl = 2;
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_IGMP_MALFORMED);
	ip = good, ip.router_alert = false;
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_IGMP_MALFORMED);
	ip = good, ip.src = addr("2001:db8::1");
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_IGMP_MALFORMED);
	ip = good, ip.src = addr("::"); /* a query, no */
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_IGMP_MALFORMED);
	k.b[0] = PLX_ICMP6_MLD2_REPORT; /* a report, yes: RFC 3590 */
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_NONE);
	k.b[0] = PLX_ICMP6_MLD_QUERY;
	ip = good, ip.dst = addr("ff02::2");
	eq(plx_wire_mld_parse(&m, &ip, k.b, k.len), PLX_DROP_IGMP_MALFORMED);
}

T(every_wrong_igmp_length_is_malformed)
{
	struct plx_ip ip = {.src = addr("10.0.0.1"),
		.dst = addr("224.0.0.1"),
		.version = 4,
		.router_alert = true};
	struct pkt k = hex("11 64 0000 e0000116 02 7d 0002 0a000005 0a000006");

	for (uint32_t n = 0; n <= k.len; n++) {
		struct pkt cut = k;
		struct plx_group_msg m;
		void *p;

		if (n >= 4)
			plx_wire_l4_cksum_fill(&ip.src, &ip.dst, PLX_IPPROTO_IGMP, cut.b, n);
		p = exact(cut.b, n);
		eq(plx_wire_igmp_parse(&m, &ip, p, n),
			n == 8 || n == k.len ? PLX_DROP_NONE : PLX_DROP_IGMP_MALFORMED);
		exact_free(p, n);
	}
}

T(a_wrong_igmp_checksum)
{
	struct plx_ip ip = {.src = addr("10.0.0.1"),
		.dst = addr("224.0.0.1"),
		.version = 4,
		.router_alert = true};
	struct pkt k = hex("11 64 ee9b 00000000"); /* 1164 + ee9b = ffff */
	struct plx_group_msg m;

	eq(plx_wire_igmp_parse(&m, &ip, k.b, k.len), PLX_DROP_NONE);
	k.b[3] ^= 1;
	eq(plx_wire_igmp_parse(&m, &ip, k.b, k.len), PLX_DROP_IGMP_MALFORMED);
}

T(every_wrong_mld_length_is_malformed)
{
	struct plx_ip ip = mld_header();
	struct pkt query =
		hex("82 00 0000 2710 0000" MLD_GROUP "02 7d 0001 20010db8000000000000000000000005");
	struct pkt report = hex("83 00 0000 0000 0000" MLD_GROUP);
	struct plx_group_msg m;

	EACH_TRUNCATION(query, n, p,
		eq(plx_wire_mld_parse(&m, &ip, p, n),
			n == 24 ? PLX_DROP_NONE : PLX_DROP_IGMP_MALFORMED));
	EACH_TRUNCATION(
		report, n, p, eq(plx_wire_mld_parse(&m, &ip, p, n), PLX_DROP_IGMP_MALFORMED));
}

T(old_reports_and_leaves)
{
	static const struct {
		enum plx_group_kind kind;
		uint8_t version;
		const char *text;
	} rows[] = {
		{PLX_GROUP_REPORT, 1, "12 00 0ce9 e0000116"},
		{PLX_GROUP_REPORT, 2, "16 00 08e9 e0000116"},
		{PLX_GROUP_LEAVE, 2, "17 00 07e9 e0000116"},
	};
	struct plx_group_msg m = {.kind = PLX_GROUP_REPORT, .group = addr("ff02::fb")};
	struct pkt k = hex("83 00 0000 0000 0000" MLD_GROUP);
	uint8_t b[24];

	eq(plx_wire_mld_emit(b, &m), 24);
	mem_eq(b, k.b, 24);
	m.kind = PLX_GROUP_LEAVE;
	eq(plx_wire_mld_emit(b, &m), 24);
	eq(b[0], PLX_ICMP6_MLD_DONE);

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		k = hex(rows[i].text);
		m = (struct plx_group_msg){.kind = rows[i].kind,
			.version = rows[i].version,
			.group = addr("224.0.1.22")};
		eq(plx_wire_igmp_emit(b, &m), 8);
		mem_eq(b, k.b, 8);
	}
}

T(new_reports)
{
	struct plx_addr src4[] = {addr("10.0.0.5"), addr("10.0.0.6")};
	struct plx_addr src6[] = {addr("2001:db8::5")};
	struct plx_group_rec rec4[] = {
		{.type = PLX_GROUP_TO_EXCLUDE, .group = addr("224.0.1.22")},
		{.type = PLX_GROUP_ALLOW, .group = addr("232.1.2.3"), .src = src4, .n_src = 2},
	};
	struct plx_group_rec rec6[] = {
		{.type = PLX_GROUP_TO_INCLUDE, .group = addr("ff02::fb"), .src = src6, .n_src = 1},
	};
	struct pkt v3 = hex("22 00 0f9b 0000 0002  04 00 0000 e0000116"
			    "05 00 0002 e8010203 0a000005 0a000006");
	struct pkt v2 = hex(
		"8f 00 0000 0000 0001  03 00 0001" MLD_GROUP "20010db8000000000000000000000005");
	uint8_t *p;

	for (uint32_t room = 0; room <= v3.len + 4; room++) {
		uint32_t n = room < v3.len ? 0 : v3.len;

		p = exact(v3.b, room);
		eq(plx_wire_igmp3_report_emit(p, room, rec4, 2), n);
		if (n) {
			eq(plx_cksum(p, n), 0);
			memset(p + 2, 0, 2);
			memset(v3.b + 2, 0, 2);
			mem_eq(p, v3.b, n);
		}
		exact_free(p, room);
	}
	for (uint32_t room = 0; room <= v2.len + 4; room++) {
		uint32_t n = room < v2.len ? 0 : v2.len;

		p = exact(v2.b, room);
		eq(plx_wire_mld2_report_emit(p, room, rec6, 1), n);
		mem_eq(p, v2.b, n);
		exact_free(p, room);
	}
}

RUN(T_(the_three_versions_of_igmp_queries), T_(both_versions_of_mld_queries),
	T_(sources_of_a_query), T_(codes_that_are_small_floating_point_numbers),
	T_(what_other_hosts_say), T_(queries_that_a_host_ignores),
	T_(mld_from_where_it_cannot_come), T_(every_wrong_igmp_length_is_malformed),
	T_(a_wrong_igmp_checksum), T_(every_wrong_mld_length_is_malformed),
	T_(old_reports_and_leaves), T_(new_reports))
