/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng_build_t.h"

static bool says(struct plx_pcapng_text t, const char *s)
{
	return t_text_eq(t, plx_pcapng_text(s));
}

static void rich_pkt(const struct plx_pcapng_pkt *p)
{
	eq(p->ts_ns, PLX_SEC(105) + 500000000);
	eq(p->caplen, 5);
	eq(p->len, 60);
	eq(p->iface, 1);
	mem_eq(p->data, "01234", 5);
	ok(says(p->comment, "first"));
	eq(p->has, 0x7f);
	eq(p->flags, PLX_PCAPNG_F_OUT | PLX_PCAPNG_F_ERR_CRC);
	eq(p->queue, 7);
	eq(p->hash, 0x11223344);
	eq(p->drops, 1ull << 40);
	eq(p->id, 99);
	eq(p->verdict_kind, PLX_PCAPNG_VERDICT_XDP);
	eq(p->verdict, 1);
	eq(p->meta.hook, 4);
	eq(p->meta.reason, 0x102);
	eq(p->meta.sample, 256);
}

static void old_pkts(struct t_pump *u)
{
	const struct plx_pcapng_pkt *p = &u->item.pkt;

	t_want(u, PLX_PCAPNG_PKT);
	eq(p->ts_ns, 2000001000);
	eq(p->iface, 0);
	mem_eq(p->data, "old", 3);
	eq(p->caplen, 3);
	eq(p->len, 3);
	eq(p->has, PLX_PCAPNG_FLAGS | PLX_PCAPNG_DROPS);
	eq(p->flags, PLX_PCAPNG_F_IN);
	eq(p->drops, 3);
	ok(says(p->comment, "veteran"));
	t_want(u, PLX_PCAPNG_PKT);
	eq(p->ts_ns, PLX_SEC(101));
	eq(p->iface, 1);
	eq(p->has, PLX_PCAPNG_FLAGS);
}

static void first_ifaces(struct t_pump *u)
{
	const struct plx_pcapng_iface *i = &u->item.iface;

	t_want(u, PLX_PCAPNG_IFACE);
	eq(i->link, PLX_PCAPNG_LINK_ETHERNET);
	eq(i->snaplen, 8);
	ok(says(i->name, "eth0") && says(i->descr, "") && says(i->filter, "udp"));
	ok(says(i->os, "Linux") && says(i->hardware, "NIC") && !i->comment.p);
	ok(i->has_mac);
	mem_eq(i->mac, "\2\0\0\0\0\1", 6);
	eq(i->speed_bps, 10000000000);
	eq(i->tsresol, 6);
	t_want(u, PLX_PCAPNG_IFACE);
	eq(i->link, PLX_PCAPNG_LINK_RAW);
	eq(i->tsresol, 0x8a);
	eq(i->tsoffset_s, 100);
	ok(!i->has_mac && !i->name.p);
	eq(u->r.n_ifaces, 2);
}

static void their_stats(const struct plx_pcapng_stats *s)
{
	eq(s->iface, 1);
	eq(s->ts_ns, PLX_SEC(101));
	eq(s->has, PLX_PCAPNG_START | PLX_PCAPNG_IFRECV | PLX_PCAPNG_OSDROP);
	eq(s->start_ns, PLX_SEC(100) + 500000000);
	eq(s->ifrecv, 1000);
	eq(s->osdrop, 5);
	ok(says(s->comment, "sum"));
}

T(every_block_in_both_byte_orders)
{
	for (int be = 0; be < 2; be++) {
		struct build b = everything(be);
		struct t_pump u;

		t_pump_init(&u, b.f.p, b.f.len);
		t_want(&u, PLX_PCAPNG_SECTION);
		ok(says(u.item.section.app, "theirs") && !u.item.section.os.p);
		eq(u.r.swapped, be);
		first_ifaces(&u);
		t_want(&u, PLX_PCAPNG_PKT);
		rich_pkt(&u.item.pkt);
		t_want(&u, PLX_PCAPNG_PKT);
		mem_eq(u.item.pkt.data, "simplest", 8);
		eq(u.item.pkt.caplen, 8);
		eq(u.item.pkt.len, 20);
		eq(u.item.pkt.ts_ns, 0);
		eq(u.item.pkt.has, PLX_PCAPNG_UNTIMED);
		old_pkts(&u);
		t_want(&u, PLX_PCAPNG_SKIPPED);
		eq(u.item.skipped, 0x99);
		do
			t_want(&u, PLX_PCAPNG_SKIPPED);
		while (u.r.skip_total);
		eq(u.item.skipped, 0x40000bad);
		t_want(&u, PLX_PCAPNG_STATS);
		their_stats(&u.item.stats);
		t_want(&u, PLX_PCAPNG_SECTION);
		eq(u.r.swapped, !be);
		eq(u.r.n_ifaces, 0);
		t_want(&u, PLX_PCAPNG_IFACE);
		t_want(&u, PLX_PCAPNG_PKT);
		eq(u.item.pkt.ts_ns, 1);
		eq(u.item.pkt.caplen, 0);
		t_want_end(&u);
		t_pump_fini(&u);
		free(b.f.p);
	}
}

T(the_four_kinds_of_classic_files)
{
	for (int i = 0; i < 4; i++) {
		bool be = i & 1, ns = i & 2;
		struct build b = classic(ns ? 0xa1b23c4d : 0xa1b2c3d4, be);
		struct t_pump u;

		t_pump_init(&u, b.f.p, b.f.len);
		t_want(&u, PLX_PCAPNG_IFACE);
		eq(u.item.iface.link, PLX_PCAPNG_LINK_RAW);
		eq(u.item.iface.snaplen, 65535);
		eq(u.item.iface.tsresol, ns ? 9 : 6);
		ok(u.r.classic && u.r.swapped == be && u.r.n_ifaces == 1);
		for (uint32_t n = 0; n < 3; n++) {
			t_want(&u, PLX_PCAPNG_PKT);
			eq(u.item.pkt.ts_ns, PLX_SEC(n) + (ns ? 999999 : 999999000));
			eq(u.item.pkt.caplen, n);
			eq(u.item.pkt.len, n == 1 ? 1 : 60);
			eq(u.item.pkt.has, 0);
			mem_eq(u.item.pkt.data, "abc", n);
		}
		t_want_end(&u);
		t_pump_fini(&u);
		free(b.f.p);
	}
}

T(times_of_any_unit)
{
	static const struct {
		int tsresol;
		int64_t offset_s;
		uint64_t ticks;
		plx_ns ns;
	} rows[] = {
		{-1, 0, 1, 1000},
		{6, 0, 1800000000000000, PLX_SEC(1800000000)},
		{9, 0, 1, 1},
		{9, 0, INT64_MAX, INT64_MAX},
		{9, 0, UINT64_MAX, INT64_MAX},
		{0, 0, 5, PLX_SEC(5)},
		{0, 0, UINT64_MAX, INT64_MAX},
		{3, 1, 5, PLX_SEC(1) + PLX_MS(5)},
		{10, 0, 19, 1},
		{12, 0, 1999, 1},
		{28, 0, UINT64_MAX, 1},
		{29, 0, UINT64_MAX, 0},
		{127, 0, UINT64_MAX, 0},
		{0x80, 0, 5, PLX_SEC(5)},
		{0x80, 0, UINT64_MAX, INT64_MAX},
		{0x80 | 20, 0, 1, 953},
		{0x80 | 30, 0, 3ull << 30, PLX_SEC(3)},
		{0x80 | 64, 0, UINT64_MAX, 999999999},
		{0x80 | 127, 0, UINT64_MAX, 0},
		{9, -1, 0, -PLX_SEC(1)},
		{9, -3, PLX_SEC(1), -PLX_SEC(2)},
		{9, INT64_MIN, 5, INT64_MIN},
		{9, INT64_MAX, 5, INT64_MAX},
		{0, INT64_MIN, UINT64_MAX, INT64_MAX},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct build b = {.be = i % 2};
		struct t_pump u;

		section(&b, NULL);
		iface(&b, 1, 0, rows[i].tsresol, rows[i].offset_s);
		pkt_begin(&b, 0, rows[i].ticks, 1, 1);
		end(&b);
		t_pump_init(&u, b.f.p, b.f.len);
		t_want(&u, PLX_PCAPNG_SECTION);
		t_want(&u, PLX_PCAPNG_IFACE);
		t_want(&u, PLX_PCAPNG_PKT);
		if (u.item.pkt.ts_ns != rows[i].ns)
			print_message("row %zu\n", i);
		ok(u.item.pkt.ts_ns == rows[i].ns);
		t_pump_fini(&u);
		free(b.f.p);
	}
}

/* Wireshark 4.0's editcap writes a verdict under the queue's code; the packet is good all the same.
 */
T(an_option_of_another_length_is_passed_over)
{
	static const uint16_t codes[] = {2, 4, 5, 6};

	for (size_t i = 0; i < PLX_DIM(codes); i++) {
		struct build b = {.be = i % 2};
		struct t_pump u;

		section(&b, NULL);
		iface(&b, 1, 0, -1, 0);
		pkt_begin(&b, 0, 1, 4, 4);
		opt(&b, codes[i], "123456789", 9);
		opt(&b, codes[i], "", 0);
		opt(&b, 1, "still read", 10);
		end(&b);
		t_pump_init(&u, b.f.p, b.f.len);
		t_want(&u, PLX_PCAPNG_SECTION);
		t_want(&u, PLX_PCAPNG_IFACE);
		t_want(&u, PLX_PCAPNG_PKT);
		eq(u.item.pkt.has, 0);
		ok(says(u.item.pkt.comment, "still read"));
		t_want_end(&u);
		t_pump_fini(&u);
		free(b.f.p);
	}
}

RUN(T_(every_block_in_both_byte_orders), T_(the_four_kinds_of_classic_files), T_(times_of_any_unit),
	T_(an_option_of_another_length_is_passed_over))
