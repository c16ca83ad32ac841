/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng_t.h"

static struct plx_pcapng_text text(const char *s)
{
	return plx_pcapng_text(s);
}

#define is(f, ...)                                                                                 \
	do {                                                                                       \
		static const uint8_t want_[] = {__VA_ARGS__};                                      \
		eq((f).len, sizeof(want_));                                                        \
		mem_eq((f).p, want_, sizeof(want_));                                               \
		free((f).p);                                                                       \
	} while (0)

T(a_section_of_unknown_length)
{
	const struct plx_pcapng_section none = {{0}};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_section_put, &none);
	is(f, 0x0a, 0x0d, 0x0d, 0x0a, 32, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 32, 0, 0, 0);
}

T(a_section_says_who_captured)
{
	const struct plx_pcapng_section s = {
		.hardware = text("h"), .os = text("os"), .app = text("app"), .comment = text("")};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_section_put, &s);
	is(f, 0x0a, 0x0d, 0x0d, 0x0a, 60, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 1, 0, 'h', 0, 0, 0, 3, 0, 2, 0, 'o', 's',
		0, 0, 4, 0, 3, 0, 'a', 'p', 'p', 0, 1, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0);
}

T(an_interface_has_times_in_ns)
{
	const struct plx_pcapng_iface i = {.link = PLX_PCAPNG_LINK_RAW};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_iface_put, &i);
	is(f, 1, 0, 0, 0, 32, 0, 0, 0, 101, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0,
		32, 0, 0, 0);
}

T(an_interface_is_described)
{
	const struct plx_pcapng_iface i = {.link = PLX_PCAPNG_LINK_ETHERNET,
		.snaplen = 96,
		.name = text("plx0"),
		.descr = text("first"),
		.filter = text("udp"),
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, 1},
		.speed_bps = 10000000000};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_iface_put, &i);
	is(f, 1, 0, 0, 0, 84, 0, 0, 0, 1, 0, 0, 0, 96, 0, 0, 0, 2, 0, 4, 0, 'p', 'l', 'x', '0', 3,
		0, 5, 0, 'f', 'i', 'r', 's', 't', 0, 0, 0, 6, 0, 6, 0, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0,
		8, 0, 0, 0xe4, 0x0b, 0x54, 2, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 11, 0, 4, 0, 0, 'u',
		'd', 'p', 0, 0, 0, 0, 84, 0, 0, 0);
}

T(a_packet_without_options_has_no_end_mark)
{
	const struct plx_pcapng_pkt pkt = {.ts_ns = 0x0102030405060708,
		.data = "abcde",
		.caplen = 5,
		.len = 0x1234,
		.iface = 3};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_pkt_put, &pkt);
	is(f, 6, 0, 0, 0, 40, 0, 0, 0, 3, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, 5, 0, 0, 0, 0x34, 0x12,
		0, 0, 'a', 'b', 'c', 'd', 'e', 0, 0, 0, 40, 0, 0, 0);
}

T(a_packet_with_all_options)
{
	const struct plx_pcapng_pkt pkt = {.data = "",
		.has = 0x7f,
		.flags = PLX_PCAPNG_F_OUT | PLX_PCAPNG_F_BROADCAST | PLX_PCAPNG_F_ERR_CRC,
		.queue = 7,
		.hash = 0x11223344,
		.meta = {.hook = 4, .reason = 0x0506, .sample = 256},
		.drops = 9,
		.id = 0x0102030405060708,
		.verdict_kind = PLX_PCAPNG_VERDICT_XDP,
		.verdict = 1,
		.comment = text("why")};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_pkt_put, &pkt);
	is(f, 6, 0, 0, 0, 132, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 4, 0, 0x0e, 0, 0, 1,				    /* epb_flags */
		6, 0, 4, 0, 7, 0, 0, 0,					    /* epb_queue */
		3, 0, 5, 0, 5, 0x44, 0x33, 0x22, 0x11, 0, 0, 0,		    /* epb_hash */
		0xad, 0x0b, 16, 0, 0xd9, 0x7e, 0, 0, 'P', 'L', 'X', 1,	    /* 2989, 32473 */
		4, 0, 5, 6, 0, 0, 1, 0, 4, 0, 8, 0, 9, 0, 0, 0, 0, 0, 0, 0, /* epb_dropcount */
		7, 0, 9, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,		    /* epb_verdict */
		5, 0, 8, 0, 8, 7, 6, 5, 4, 3, 2, 1,			    /* epb_packetid */
		1, 0, 3, 0, 'w', 'h', 'y', 0, 0, 0, 0, 0, 132, 0, 0, 0);
}

/* That it had none where it was read is not written: it has one now. */
T(a_packet_without_a_time)
{
	struct plx_pcapng_pkt p = {.has = PLX_PCAPNG_QUEUE, .queue = 3};
	struct t_file with = {0}, without = {0};

	t_put(&with, plx_pcapng_pkt_put, &p);
	p.has |= PLX_PCAPNG_UNTIMED;
	t_put(&without, plx_pcapng_pkt_put, &p);
	eq(without.len, with.len);
	mem_eq(without.p, with.p, with.len);
	free(with.p);
	free(without.p);
}

T(statistics_of_an_interface)
{
	const struct plx_pcapng_stats s = {.iface = 1,
		.has = 0x7f,
		.ts_ns = 0x0000000200000001,
		.start_ns = 0x0000000400000003,
		.end_ns = 0x0000000600000005,
		.ifrecv = 7,
		.ifdrop = 8,
		.accept = 9,
		.osdrop = 10,
		.delivered = 11};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_stats_put, &s);
	is(f, 5, 0, 0, 0, 112, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 8, 0, 4, 0, 0, 0,
		3, 0, 0, 0, 3, 0, 8, 0, 6, 0, 0, 0, 5, 0, 0, 0, 4, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0,
		5, 0, 8, 0, 8, 0, 0, 0, 0, 0, 0, 0, 6, 0, 8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7, 0, 8, 0,
		10, 0, 0, 0, 0, 0, 0, 0, 8, 0, 8, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 112, 0, 0,
		0);
}

T(a_classic_file_in_us_and_in_ns)
{
	const struct plx_pcapng_pkt pkt = {
		.ts_ns = 3000123456, .data = "abcde", .caplen = 5, .len = 60};
	struct t_file us = {0}, ns = {0};

	t_put(&us, plx_pcap_head_put, PLX_PCAP_US, PLX_PCAPNG_LINK_ETHERNET, 0);
	t_put(&us, plx_pcap_pkt_put, PLX_PCAP_US, &pkt);
	t_put(&ns, plx_pcap_head_put, PLX_PCAP_NS, PLX_PCAPNG_LINK_RAW, 96);
	t_put(&ns, plx_pcap_pkt_put, PLX_PCAP_NS, &pkt);
	is(us, 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
		3, 0, 0, 0, 123, 0, 0, 0, 5, 0, 0, 0, 60, 0, 0, 0, 'a', 'b', 'c', 'd', 'e');
	is(ns, 0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 96, 0, 0, 0, 101, 0, 0,
		0, 3, 0, 0, 0, 0x40, 0xe2, 1, 0, 5, 0, 0, 0, 60, 0, 0, 0, 'a', 'b', 'c', 'd', 'e');
}

/* put() into each room that is too small leaves no trace, and the old contents leave none in it. */
#define fits_or_is_not_written(put, ...)                                                           \
	do {                                                                                       \
		static uint8_t a_[4096], b_[4096], old_[4096];                                     \
		size_t need_ = put(NULL, 0, __VA_ARGS__);                                          \
		ok(need_ > 0 && need_ < sizeof(a_));                                               \
		memset(a_, 0xa5, sizeof(a_));                                                      \
		memset(old_, 0xa5, sizeof(old_));                                                  \
		memset(b_, 0x5a, sizeof(b_));                                                      \
		for (size_t room_ = 0; room_ < need_; room_++)                                     \
			eq(put(a_, room_, __VA_ARGS__), need_);                                    \
		mem_eq(a_, old_, sizeof(a_));                                                      \
		eq(put(a_, need_, __VA_ARGS__), need_);                                            \
		eq(put(b_, sizeof(b_), __VA_ARGS__), need_);                                       \
		mem_eq(a_, b_, need_);                                                             \
		mem_eq(a_ + need_, old_, sizeof(a_) - need_);                                      \
	} while (0)

T(a_block_fits_or_is_not_written)
{
	const struct plx_pcapng_section section = {.app = text("a"), .comment = text("")};
	const struct plx_pcapng_iface iface = {
		.name = text("n"), .filter = text("ip"), .has_mac = true};
	const struct plx_pcapng_stats stats = {.has = 0x7f, .comment = text("late")};
	struct plx_pcapng_pkt pkt = {
		.data = "abcdefgh", .verdict = UINT64_MAX, .comment = text("c")};

	fits_or_is_not_written(plx_pcapng_section_put, &section);
	fits_or_is_not_written(plx_pcapng_iface_put, &iface);
	fits_or_is_not_written(plx_pcapng_stats_put, &stats);
	fits_or_is_not_written(plx_pcap_head_put, PLX_PCAP_NS, 1, 64);
	for (pkt.has = 0; pkt.has < 0x80; pkt.has++)
		for (pkt.caplen = 0; pkt.caplen < 9; pkt.caplen++) {
			fits_or_is_not_written(plx_pcapng_pkt_put, &pkt);
			eq(plx_pcapng_pkt_need(&pkt), plx_pcapng_pkt_put(NULL, 0, &pkt));
			pkt.comment.p = pkt.comment.p ? NULL : "c";
		}
	fits_or_is_not_written(plx_pcap_pkt_put, PLX_PCAP_US, &pkt);
}

/* As a caller does who gathers a chain of mbufs. */
T(data_may_be_filled_in_by_the_caller)
{
	struct plx_pcapng_pkt pkt = {.has = PLX_PCAPNG_FLAGS, .flags = 1};
	uint8_t whole[128], part[128];

	for (pkt.caplen = 0; pkt.caplen < 20; pkt.caplen++)
		for (int before = 0; before < 2; before++) {
			size_t need;

			pkt.data = "0123456789abcdefghij";
			need = plx_pcapng_pkt_put(whole, sizeof(whole), &pkt);
			memset(part, 0xee, sizeof(part));
			if (before)
				memcpy(part + PLX_PCAPNG_PKT_DATA, pkt.data, pkt.caplen);
			pkt.data = NULL;
			eq(plx_pcapng_pkt_put(part, sizeof(part), &pkt), need);
			if (!before)
				memcpy(part + PLX_PCAPNG_PKT_DATA, "0123456789abcdefghij",
					pkt.caplen);
			mem_eq(whole, part, need);
			pkt.data = "0123456789abcdefghij";
			need = plx_pcap_pkt_put(whole, sizeof(whole), PLX_PCAP_US, &pkt);
			memset(part, 0xee, sizeof(part));
			memcpy(part + PLX_PCAP_PKT_DATA, pkt.data, pkt.caplen);
			pkt.data = NULL;
			eq(plx_pcap_pkt_put(part, sizeof(part), PLX_PCAP_US, &pkt), need);
			mem_eq(whole, part, need);
		}
}

/* An option holds 65535 bytes; what is longer ends with a whole character. */
T(a_long_text_is_cut_between_characters)
{
	static char s[70000];
	const struct plx_pcapng_section section = {{0}};
	const struct plx_pcapng_pkt pkt = {.data = "", .comment = {s, sizeof(s)}};
	const struct plx_pcapng_iface iface = {.filter = {s, sizeof(s)}};
	const struct {
		size_t at; /* of a character of three bytes */
		uint32_t comment, filter;
	} rows[] = {{0, 65535, 65534}, {65532, 65535, 65532}, {65533, 65533, 65533},
		{65534, 65534, 65534}, {65535, 65535, 65534}};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct t_file f = {0};
		struct t_pump u;

		memset(s, 'x', sizeof(s));
		memcpy(s + rows[i].at, "\xe2\x82\xac", 3);
		t_put(&f, plx_pcapng_section_put, &section);
		t_put(&f, plx_pcapng_iface_put, &iface);
		t_put(&f, plx_pcapng_pkt_put, &pkt);
		t_pump_init(&u, f.p, f.len);
		t_want(&u, PLX_PCAPNG_SECTION);
		t_want(&u, PLX_PCAPNG_IFACE);
		eq(u.item.iface.filter.len, rows[i].filter);
		mem_eq(u.item.iface.filter.p, s, rows[i].filter);
		t_want(&u, PLX_PCAPNG_PKT);
		eq(u.item.pkt.comment.len, rows[i].comment);
		mem_eq(u.item.pkt.comment.p, s, rows[i].comment);
		t_want_end(&u);
		t_pump_fini(&u);
		free(f.p);
	}
}

RUN(T_(a_section_of_unknown_length), T_(a_section_says_who_captured),
	T_(an_interface_has_times_in_ns), T_(an_interface_is_described),
	T_(a_packet_without_options_has_no_end_mark), T_(a_packet_with_all_options),
	T_(a_packet_without_a_time), T_(statistics_of_an_interface),
	T_(a_classic_file_in_us_and_in_ns), T_(a_block_fits_or_is_not_written),
	T_(data_may_be_filled_in_by_the_caller), T_(a_long_text_is_cut_between_characters))
