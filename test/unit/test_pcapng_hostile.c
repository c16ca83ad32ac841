/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng_build_t.h"

/* Where each item of a file ends: bit by bit, as the file has it whole. */
static size_t bounds(const struct build *b, size_t *at, size_t max)
{
	struct t_pump u;
	size_t n = 0;

	t_pump_init(&u, b->f.p, b->f.len);
	while (t_next(&u, b->f.len) != PLX_PCAPNG_MORE) {
		ok(n < max);
		at[n++] = u.at;
	}
	assert_null(u.end.text);
	t_pump_fini(&u);
	return n;
}

/* Whatever is left of a file, the items that are whole come, then the end that it deserves. */
static void cut_everywhere(const struct build *b)
{
	size_t at[32], n = bounds(b, at, PLX_DIM(at)), whole = 0;

	for (size_t cut = 0; cut < b->f.len; cut++) {
		struct t_pump u;
		size_t got = 0, steps = 0;
		enum plx_pcapng_kind kind;
		bool clean;

		while (whole < n && at[whole] <= cut)
			whole++;
		clean = whole && at[whole - 1] == cut;
		t_pump_init(&u, b->f.p, cut);
		while ((kind = t_next(&u, cut % 3 ? 0 : cut)) != PLX_PCAPNG_MORE) {
			ne(kind, PLX_PCAPNG_ERROR);
			ok(++steps < 100);
			got += !u.r.skip_total; /* else a block's part */
		}
		eq(got, whole);
		eq(!u.end.text, clean);
		if (u.end.text)
			eq(u.end.off, cut);
		ok(cut || strstr(u.end.text, "empty"));
		t_pump_fini(&u);
	}
}

T(a_file_may_end_anywhere)
{
	struct build b;

	for (int be = 0; be < 2; be++) {
		b = everything(be);
		cut_everywhere(&b);
		free(b.f.p);
		b = classic(0xa1b2c3d4, be);
		cut_everywhere(&b);
		free(b.f.p);
	}
}

/* SHB 0..28, IDB 28..48, EPB 48..96 (flags at 80), ISB 96..132 (ifrecv at 116), SPB 132..152. */
static struct build plain(void)
{
	struct build b = {0};

	section(&b, NULL);
	iface(&b, 1, 0, -1, 0);
	pkt_begin(&b, 0, 1, 4, 4);
	opt_n(&b, 2, 1, 4);
	u32(&b, 0);
	end(&b);
	begin(&b, 5);
	u32(&b, 0);
	ticks(&b, 1);
	opt_n(&b, 4, 1, 8);
	end(&b);
	begin(&b, 3);
	u32(&b, 4);
	bytes(&b, "data", 4);
	end(&b);
	eq(b.f.len, 152);
	return b;
}

/* Reads to the end or to the error. */
static enum plx_pcapng_kind last(struct t_pump *u)
{
	enum plx_pcapng_kind kind;

	for (int steps = 0; steps < 1000; steps++) {
		kind = t_next(u, 0);
		if (kind == PLX_PCAPNG_MORE || kind == PLX_PCAPNG_ERROR)
			return kind;
	}
	fail();
	return kind;
}

T(an_error_says_what_and_where)
{
	static const struct {
		size_t off, n;
		uint32_t v;
		uint64_t where;
		const char *what;
	} rows[] = {
		{0, 4, 0x12345678, 0, "neither"},
		{8, 4, 0x1a2b3c4e, 8, "byte order"},
		{12, 2, 2, 12, "version 1"},
		{4, 4, 0, 4, "this length"},
		{4, 4, 24, 4, "this length"},
		{4, 4, 30, 4, "this length"},
		{4, 4, 0xfffffffc, 4, "16 MiB"},
		{24, 4, 32, 24, "two lengths"},
		{32, 4, 16, 32, "this length"},
		{44, 4, 0, 44, "two lengths"},
		{48, 4, 0x0a0d0d0a, 56, "byte order"},
		{48, 4, 77, 96, ""}, /* an unknown block: all the rest is fine */
		{52, 4, 28, 52, "this length"},
		{52, 4, 47, 52, "this length"},
		{52, 4, PLX_PCAPNG_BLOCK_MAX + 4, 52, "16 MiB"},
		{52, 4, 40, 84, "two lengths"},
		{56, 4, 1, 56, "not described"},
		{56, 4, UINT32_MAX, 56, "not described"},
		{68, 4, 17, 68, "more bytes than its block"},
		{68, 4, UINT32_MAX, 68, "more bytes than its block"},
		{68, 4, 16, 96, ""}, /* the options have become data */
		{82, 2, 3, 96, ""},  /* the option is passed over */
		{82, 2, 12, 80, "beyond its block"},
		{82, 2, UINT16_MAX, 80, "beyond its block"},
		{80, 2, 4, 96, ""},
		{88, 4, 0x00010001, 88, "beyond its block"},
		{104, 4, 1, 104, "not described"},
		{118, 2, 7, 132, ""},
		{140, 4, 5, 140, "more bytes than its block"},
		{132, 4, 2, 136, "this length"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct build b = plain();
		struct plx_pcapng_error e;
		struct t_pump u;

		t_pump_init(&u, b.f.p, b.f.len);
		memcpy(b.f.p + rows[i].off, &rows[i].v, rows[i].n);
		eq(last(&u), *rows[i].what ? PLX_PCAPNG_ERROR : PLX_PCAPNG_MORE);
		e = *rows[i].what ? u.item.error : (struct plx_pcapng_error){rows[i].where, ""};
		if (e.off != rows[i].where || !strstr(e.text, rows[i].what))
			print_message("row %zu: at %d: %s\n", i, (int)e.off, e.text);
		eq(e.off, rows[i].where);
		assert_non_null(strstr(e.text, rows[i].what));
		if (*rows[i].what) {
			t_want(&u, PLX_PCAPNG_ERROR); /* and stays so */
			eq(u.item.error.off, e.off);
			ok(u.item.error.text == e.text);
			eq(plx_pcapng_end(&u.r, 0, &e), -EINVAL);
			eq(e.off, rows[i].where);
		} else {
			assert_null(u.end.text);
		}
		t_pump_fini(&u);
		free(b.f.p);
	}
}

T(errors_of_classic_files)
{
	static const struct {
		size_t off;
		uint32_t v;
		uint64_t where;
		const char *what;
	} rows[] = {
		{0, 0xa1b2cd34, 0, "neither"}, /* a variant with longer records */
		{4, 0x00040001, 4, "version 2.4"},
		{4, 0x00020002, 4, "version 2.4"},
		{32, PLX_PCAPNG_BLOCK_MAX, 32, "16 MiB"},
		{32, UINT32_MAX, 32, "16 MiB"},
	};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct build b = classic(0xa1b2c3d4, false);
		struct t_pump u;

		t_pump_init(&u, b.f.p, b.f.len);
		memcpy(b.f.p + rows[i].off, &rows[i].v, 4);
		eq(last(&u), PLX_PCAPNG_ERROR);
		eq(u.item.error.off, rows[i].where);
		assert_non_null(strstr(u.item.error.text, rows[i].what));
		t_pump_fini(&u);
		free(b.f.p);
	}
}

T(a_block_that_is_passed_over_has_two_lengths_too)
{
	for (int at_once = 0; at_once < 2; at_once++) {
		struct build b = plain();
		enum plx_pcapng_kind kind;
		struct t_pump u;

		b.f.p[48] = 77;
		b.f.p[92]++;
		t_pump_init(&u, b.f.p, b.f.len);
		t_want(&u, PLX_PCAPNG_SECTION);
		t_want(&u, PLX_PCAPNG_IFACE);
		do
			kind = t_next(&u, at_once ? 200 : 0);
		while (kind == PLX_PCAPNG_SKIPPED);
		eq(kind, PLX_PCAPNG_ERROR);
		eq(u.item.error.off, 92);
		assert_non_null(strstr(u.item.error.text, "two lengths"));
		t_pump_fini(&u);
		free(b.f.p);
	}
}

T(a_section_may_have_as_many_interfaces_as_there_is_room_for)
{
	struct build b = {0};
	struct t_pump u;

	for (int s = 0; s < 2; s++) {
		section(&b, NULL);
		for (size_t i = 0; i < PLX_DIM(u.ifaces) + (s == 1); i++)
			iface(&b, 1, 0, -1, 0);
	}
	t_pump_init(&u, b.f.p, b.f.len);
	eq(last(&u), PLX_PCAPNG_ERROR);
	eq(u.item.error.off, b.f.len - 20);
	assert_non_null(strstr(u.item.error.text, "more interfaces"));
	t_pump_fini(&u);
	free(b.f.p);
}

T(simple_packets_need_an_interface)
{
	struct build b = {0};
	struct t_pump u;

	section(&b, NULL);
	begin(&b, 3);
	u32(&b, 0);
	end(&b);
	t_pump_init(&u, b.f.p, b.f.len);
	t_want(&u, PLX_PCAPNG_SECTION);
	t_want(&u, PLX_PCAPNG_ERROR);
	eq(u.item.error.off, 28);
	t_pump_fini(&u);
	free(b.f.p);
}

/* Nobody needs a buffer of 4 GiB to pass over what nobody knows. */
T(a_block_longer_than_memory_is_passed_over)
{
	struct build b = {0};
	struct plx_pcapng_item item;
	uint8_t last[4] = {0xfc, 0xff, 0xff, 0xff}, *piece = calloc(1, 1 << 20);
	uint64_t left = 0xfffffffc;
	struct t_pump u;

	section(&b, NULL);
	begin(&b, 0x99);
	u32(&b, 0xfffffffc);
	memcpy(b.f.p + 32, last, 4);
	t_pump_init(&u, b.f.p, b.f.len);
	t_want(&u, PLX_PCAPNG_SECTION);
	t_want(&u, PLX_PCAPNG_SKIPPED);
	for (left -= 12; left > 4; left -= item.used) {
		size_t n = PLX_MIN(left - 2, 1u << 20); /* never the whole of its last word */

		eq(plx_pcapng_next(&u.r, piece, n, &item), PLX_PCAPNG_SKIPPED);
		eq(item.skipped, 0x99);
		ok(item.used && item.used <= n);
	}
	for (size_t n = 0; n < 4; n++) {
		eq(plx_pcapng_next(&u.r, piece, n, &item), PLX_PCAPNG_MORE);
		eq(item.want, 4);
	}
	u.at = 0;
	eq(plx_pcapng_end(&u.r, 3, &u.end), -EINVAL);
	eq(u.end.off, 28 + 0xfffffffcull - 4 + 3);
	eq(plx_pcapng_next(&u.r, last, 4, &item), PLX_PCAPNG_SKIPPED);
	eq(item.used, 4);
	eq(u.r.off, 28 + 0xfffffffcull);
	eq(plx_pcapng_end(&u.r, 0, &u.end), 0);
	t_pump_fini(&u);
	free(b.f.p);
	free(piece);
}

T(the_longest_block_is_asked_for_and_no_longer_one)
{
	uint8_t head[12] = {0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 1, 0x4d, 0x3c, 0x2b, 0x1a};
	struct plx_pcapng_clock iface;
	struct plx_pcapng_reader r;
	struct plx_pcapng_item item;

	plx_pcapng_reader_init(&r, &iface, 1);
	eq(plx_pcapng_next(&r, head, sizeof(head), &item), PLX_PCAPNG_MORE);
	eq(item.want, PLX_PCAPNG_BLOCK_MAX);
	head[4] = 4;
	eq(plx_pcapng_next(&r, head, sizeof(head), &item), PLX_PCAPNG_ERROR);
	eq(item.error.off, 4);
}

/* Any bytes of a good file may turn bad: the reader ends, and sees nothing that it was not shown.
 */
T(spoiled_files_end)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(11));
	for (int round = 0; round < 3000; round++) {
		bool pcap = round % 4 == 0;
		struct build b = pcap ? classic(0xa1b23c4d, round & 4) : everything(round & 4);
		struct t_pump u;
		uint64_t n = 1 + plx_rng_below(&rng, 4);
		int steps = 0;
		enum plx_pcapng_kind kind;

		while (n--)
			b.f.p[plx_rng_below(&rng, b.f.len)] = (uint8_t)plx_rng_u32(&rng);
		t_pump_init(&u, b.f.p, b.f.len);
		do {
			kind = t_next(&u, plx_rng_below(&rng, 40));
			ok(++steps < 1000);
		} while (kind != PLX_PCAPNG_MORE && kind != PLX_PCAPNG_ERROR);
		if (kind == PLX_PCAPNG_ERROR)
			ok(u.item.error.text && u.item.error.off < b.f.len);
		t_pump_fini(&u);
		free(b.f.p);
	}
}

RUN(T_(a_block_that_is_passed_over_has_two_lengths_too), T_(a_file_may_end_anywhere),
	T_(an_error_says_what_and_where), T_(errors_of_classic_files),
	T_(a_section_may_have_as_many_interfaces_as_there_is_room_for),
	T_(simple_packets_need_an_interface), T_(a_block_longer_than_memory_is_passed_over),
	T_(the_longest_block_is_asked_for_and_no_longer_one), T_(spoiled_files_end))
