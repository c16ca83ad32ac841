/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng_build_t.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../app/replay.h"

/* What comes out of capture files: of all forms, in part, broken ones. */

static struct replay_file f;
static struct replay_store s;
static struct replay_counts c;
static struct plx_error e;
static char path[64];

/* The file's bytes under a name. */
static void file(const void *p, size_t n)
{
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = memfd_create("replay", 0);
	eq(write(fd, p, n), n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	e = (struct plx_error){0};
}

static int load(const struct replay_want *w)
{
	int err = replay_file_open(&f, path, &e);

	replay_free(&s);
	s.max = 1 << 20;
	memset(&c, 0xff, sizeof(c));
	if (!err)
		err = replay_load(&f, w, &s, &c, &e);
	replay_file_close(&f);
	replay_file_close(&f);
	return err;
}

static void accounts_for_all(void)
{
	eq(c.read, s.pkts + c.filtered + c.ifaces + c.links);
}

/* The n-th packet, from 0 on. */
static const struct replay_pkt *nth(uint32_t n)
{
	const struct replay_pkt *p = replay_first(&s);

	while (p && n--)
		p = replay_next(&s, p);
	assert_non_null(p);
	return p;
}

T(classic_files_of_four_forms)
{
	static const uint32_t magic[] = {0xa1b2c3d4, 0xa1b23c4d};
	const struct replay_want w = {.ip = true};

	for (int i = 0; i < 4; i++) {
		struct build b = classic(magic[i / 2], i % 2);

		file(b.f.p, b.f.len);
		eq(load(&w), 0);
		accounts_for_all();
		eq(s.pkts, 3);
		eq(c.snapped, 2); /* what is shorter than captured is not */
		assert_null(c.cut);
		eq(nth(0)->at_ns, PLX_US(999999) / (i / 2 ? 1000 : 1));
		eq(nth(2)->at_ns - nth(1)->at_ns, PLX_SEC(1));
		eq(nth(2)->bytes, 2);
		mem_eq(nth(2)->data, "ab", 2);
		free(b.f.p);
	}
}

/* A time of 0 is one in a classic file. */
T(classic_times_from_zero)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 1};
	struct build b = {0};

	u32(&b, 0xa1b2c3d4);
	u16(&b, 2);
	u16(&b, 4);
	number(&b, 0, 8);
	u32(&b, 65535);
	u32(&b, 1);
	for (uint32_t i = 0; i < 2; i++) {
		u32(&b, i);
		u32(&b, 0);
		u32(&b, 0);
		u32(&b, 0);
	}
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){0}), 0);
	replay_plan(&s, &pace);
	eq(nth(1)->at_ns, PLX_SEC(1));
	free(b.f.p);
}

/* And so is it in pcapng, but in blocks that have none. */
T(pcapng_times_from_zero)
{
	struct replay_pace pace = {.mode = REPLAY_TIMED, .speed = 1};
	struct build b = {0};

	section(&b, NULL);
	iface(&b, 1, 0, 9, 0);
	pkt_begin(&b, 0, 0, 3, 3);
	end(&b);
	pkt_begin(&b, 0, 1000, 3, 3);
	end(&b);
	begin(&b, 3);
	u32(&b, 4);
	bytes(&b, "none", 4);
	end(&b);
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){0}), 0);
	eq(nth(0)->at_ns, 0);
	eq(nth(2)->at_ns, REPLAY_NO_TIME);
	replay_plan(&s, &pace);
	eq(pace.untimed, 1);
	eq(nth(1)->at_ns, 1000);
	free(b.f.p);
}

T(every_kind_of_block_of_two_sections)
{
	const struct replay_want ether = {0}, ip = {.ip = true};

	for (int be = 0; be < 2; be++) {
		struct build b = everything(be);

		file(b.f.p, b.f.len);
		eq(load(&ether), 0);
		accounts_for_all();
		eq(c.read, 5);
		eq(s.pkts, 3);
		eq(c.links, 2);
		mem_eq(nth(0)->data, "simplest", 8); /* of 20 bytes; it has no time */
		eq(nth(0)->bytes, 8);
		eq(nth(0)->at_ns, REPLAY_NO_TIME);
		eq(c.snapped, 1);
		mem_eq(nth(1)->data, "old", 3);
		eq(nth(1)->at_ns, PLX_US(2000001));
		eq(nth(2)->bytes, 0);
		eq(load(&ip), 0);
		accounts_for_all();
		eq(s.pkts, 2);
		eq(nth(0)->at_ns, PLX_MS(105500)); /* 5.5 s, and the file's offset of 100 */
		mem_eq(nth(0)->data, "01234", 5);
		free(b.f.p);
	}
}

T(one_interface)
{
	struct build b = everything(false);

	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){.one_iface = true, .iface = 1, .ip = true}), 0);
	accounts_for_all();
	eq(s.pkts, 2);
	eq(c.ifaces, 3);
	eq(load(&(struct replay_want){.one_iface = true, .iface = 7}), 0);
	eq(s.pkts, 0);
	eq(c.ifaces, 5);
	free(b.f.p);
}

T(what_was_not_captured)
{
	struct build b = {0};

	section(&b, NULL);
	iface(&b, 1, 0, 9, 0);
	pkt_begin(&b, 0, 1, 3, 8);
	end(&b);
	pkt_begin(&b, 0, 1, 3, UINT32_MAX); /* a lie */
	end(&b);
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){.pad = true}), 0);
	eq(nth(0)->bytes, 8);
	mem_eq(nth(0)->data, "012\0\0\0\0\0", 8);
	eq(nth(1)->bytes, PLX_PCAPNG_SNAPLEN_MAX);
	eq(c.snapped, 2);
	eq(load(&(struct replay_want){0}), 0);
	eq(nth(0)->bytes, 3);
	eq(nth(1)->bytes, 3);
	eq(c.snapped, 2);
	free(b.f.p);
}

static bool odd(void *arg, const struct plx_pcapng_pkt *p)
{
	uint32_t *n = arg;

	return ++*n % 2 == 1;
}

static bool long_one(void *arg, const struct plx_pcapng_pkt *p)
{
	return p->caplen > 3;
}

T(a_filter_and_a_rewrite)
{
	struct replay_rewrite rw = {.dst = {{{2, 2, 2, 2, 2, 2}}, true}};
	struct build b = {0};
	uint32_t n = 0;

	section(&b, NULL);
	iface(&b, 1, 0, 9, 0);
	for (uint32_t i = 0; i < 10; i++) {
		pkt_begin(&b, 0, i, i % 4 == 0 ? 14 : 3, 14);
		end(&b);
	}
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){.filter = odd, .arg = &n, .rewrite = &rw}), 0);
	accounts_for_all();
	eq(s.pkts, 5);
	eq(c.filtered, 5);
	eq(c.rewritten, 3);
	eq(c.snapped, 2);
	mem_eq(nth(0)->data,
		"\2\2\2\2\2\2"
		"6789abcd",
		14);
	mem_eq(nth(1)->data, "012", 3);
	eq(load(&(struct replay_want){.filter = long_one}), 0);
	eq(s.pkts, 3);
	eq(c.rewritten, 0);
	free(b.f.p);
}

T(more_than_is_allowed)
{
	struct build b = {0};

	section(&b, NULL);
	iface(&b, 1, 0, 9, 0);
	for (uint32_t i = 0; i < 9; i++) {
		pkt_begin(&b, 0, i, 3, 200000);
		end(&b);
	}
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){0}), 0);
	eq(load(&(struct replay_want){.pad = true}), -ENOSPC);
	eq(e.id, 0);
	free(b.f.p);
}

/* Items that are larger than what is read at a time, and many of them. */
T(large_ones)
{
	static char comment[65000];
	struct build b = {0};

	section(&b, NULL);
	iface(&b, 1, 0, 9, 0);
	memset(comment, 'c', sizeof(comment));
	for (uint32_t i = 0; i < 40; i++) {
		begin(&b, 6);
		u32(&b, 0);
		ticks(&b, i);
		u32(&b, 4);
		u32(&b, 4);
		bytes(&b, &i, 4);
		for (uint32_t k = 0; k < i % 8; k++)
			opt(&b, 1, comment, sizeof(comment));
		end(&b);
	}
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){0}), 0);
	eq(s.pkts, 40);
	for (uint32_t i = 0; i < 40; i++)
		mem_eq(nth(i)->data, &i, 4);
	free(b.f.p);
}

/* What is whole of a file that is cut off is taken; a head that is cut off is no file. */
T(cut_off_anywhere)
{
	struct build b = classic(0xa1b2c3d4, false);

	for (size_t n = 0; n <= b.f.len; n++) {
		const size_t ends[] = {24, 24 + 16, 24 + 33, 24 + 51};
		uint32_t whole = 0;
		bool clean = false;

		for (size_t i = 0; i < PLX_DIM(ends); i++) {
			whole += i && n >= ends[i];
			clean |= n == ends[i];
		}
		file(b.f.p, n);
		if (n < 24) {
			eq(load(&(struct replay_want){.ip = true}), -EINVAL);
			eq(e.id, PLX_ERR_PCAP_FILE);
			ok(strstr(e.text, n ? "within its head" : "the file is empty"));
			continue;
		}
		eq(load(&(struct replay_want){.ip = true}), 0);
		eq(s.pkts, whole);
		eq(!c.cut, clean);
		if (c.cut)
			eq(c.cut_at, n);
	}
	free(b.f.p);
}

T(what_is_no_capture)
{
	static const char text[] = "This is a letter, and not a capture file at all.\n";
	struct build b = everything(false);

	file(text, sizeof(text));
	eq(load(&(struct replay_want){0}), -EINVAL);
	ok(strstr(e.text, "neither pcapng nor pcap"));
	/* one that goes wrong later is refused as a whole */
	memset(b.f.p + b.f.len - 8, 0xff, 8);
	file(b.f.p, b.f.len);
	eq(load(&(struct replay_want){0}), -EINVAL);
	eq(e.id, PLX_ERR_PCAP_FILE);
	ok(strstr(e.text, "at byte"));
	free(b.f.p);
	snprintf(path, sizeof(path), "/nowhere/at/all");
	eq(load(&(struct replay_want){0}), -ENOENT);
	ok(strstr(e.text, "No such file"));
	snprintf(path, sizeof(path), "/tmp");
	eq(load(&(struct replay_want){0}), -EISDIR);
}

RUN(T_(classic_files_of_four_forms), T_(classic_times_from_zero), T_(pcapng_times_from_zero),
	T_(every_kind_of_block_of_two_sections), T_(one_interface), T_(what_was_not_captured),
	T_(a_filter_and_a_rewrite), T_(more_than_is_allowed), T_(large_ones), T_(cut_off_anywhere),
	T_(what_is_no_capture))
