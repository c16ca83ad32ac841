/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A recorder in a test, and what its files hold. Its thread is real, the clock is not.
 */
#include "tap_file_t.h"

#include <unistd.h>

#define KEEP PLX_TAP_RING_MIN
#define FIT  (KEEP / (40 + 64)) /* packets that stay at least */

static struct plx_tap_writer *w;
static uint32_t fed;

static void start(void)
{
	start_files();
	fed = 0;
}

static struct plx_tap_writer *open_recorder(
	struct plx_tap_writer_conf conf, struct plx_error *e, struct plx_tap_filter_error *why)
{
	conf.file = conf.file ? conf.file : path;
	conf.tap.keep_bytes = KEEP;
	conf.tap.snap_bytes = 128;
	conf.tap.points = conf.tap.points ? conf.tap.points : PLX_TAP_BIT(RX);
	return plx_tap_writer_start(taps, &conf, e, why);
}

static void begin(struct plx_tap_writer_conf conf)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};

	w = open_recorder(conf, &e, &why);
	if (!w)
		fail_msg("%s%s", e.text, why.text);
}

/** With one trigger. */
static inline void begin_for(struct plx_tap_trigger t, struct plx_tap_record_conf conf)
{
	t.text = t.text ? t.text : "it";
	conf.trigger = &t;
	conf.n_triggers = 1;
	begin((struct plx_tap_writer_conf){.record = conf});
}

static struct plx_tap_writer_stats stats(void)
{
	struct plx_tap_writer_stats s;

	plx_tap_writer_stats(w, &s);
	return s;
}

static struct plx_tap_writer_stats end(void)
{
	struct plx_tap_writer_stats s;

	eq(stop_writer(w, &s), 0);
	w = NULL;
	return s;
}

/** Frames with numbers, in bursts of 64. */
static void feed(uint32_t n)
{
	for (uint32_t burst; n; n -= burst, fed += burst) {
		burst = PLX_MIN(n, 64u);
		feed_frames(0, fed, burst, 0x9999);
		et_sleep(PLX_US(1));
		plx_engine_step(et.eng, 0);
	}
}

static inline void feed_reset(void)
{
	uint8_t b[FRAME] = {2};

	plx_put_be16(b + 12, 0x0800);
	b[14] = 0x45;
	b[23] = 6;
	b[47] = 4;
	t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
	et_sleep(PLX_US(1));
	plx_engine_step(et.eng, 0);
}

#define EVENTUALLY(what)                                                                           \
	for (int i_ = 0; !(what); i_++) {                                                          \
		if (i_ == 5000)                                                                    \
			fail_msg("never: %s", #what);                                              \
		usleep(1000);                                                                      \
	}

static inline bool is(enum plx_tap_record_state state, uint32_t files)
{
	struct plx_tap_writer_stats s = stats();

	return s.record.state == state && s.files == files;
}

/** The thread has looked, and seen nothing. */
static inline void quiet(uint32_t files)
{
	usleep(20000);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, files));
}

static inline void by_hand(uint32_t files)
{
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, files));
}

/* ---- what a file holds ---- */

static struct {
	unsigned int pkts, stats, asked;
	uint32_t first, last; /* numbers, of frames that have one */
	uint64_t delivered, osdrop;
	plx_ns last_ns, first_ns;
	char comment[256], pkt_comment[128];
} file;

static void on_pkt(const struct plx_pcapng_pkt *p)
{
	const uint8_t *b = p->data;
	uint32_t n = number_in(b);
	char comment[128];

	ok(p->ts_ns >= file.last_ns);
	file.last_ns = p->ts_ns;
	file.first_ns = file.pkts ? file.first_ns : p->ts_ns;
	take_text(comment, sizeof(comment), p->comment);
	if (comment[0]) {
		file.asked++;
		memcpy(file.pkt_comment, comment, sizeof(comment));
	}
	if (plx_get_be16(b + 12) == 0x9999) {
		if (file.pkts)
			eq(n, file.last + 1); /* none is missing */
		else
			file.first = n;
		file.last = n;
	}
	file.pkts++;
}

static void on_item(enum plx_pcapng_kind kind, const struct plx_pcapng_item *it)
{
	switch (kind) {
	case PLX_PCAPNG_SECTION:
		take_text(file.comment, sizeof(file.comment), it->section.comment);
		break;
	case PLX_PCAPNG_PKT:
		on_pkt(&it->pkt);
		break;
	case PLX_PCAPNG_STATS:
		file.stats++;
		file.delivered += it->stats.delivered;
		file.osdrop += it->stats.osdrop;
		break;
	case PLX_PCAPNG_IFACE:
		break;
	default:
		fail_msg("%s", it->error.text);
	}
}

static char wanted[16]; /* what the file's name has to hold */
static bool found;

static void look_at_file(const char *name)
{
	if (!strstr(name, wanted))
		return;
	memset(&file, 0, sizeof(file));
	parse_file(name, on_item);
	found = true;
}

/** Number n of this recorder's. @return false: it is not there. */
static bool read_file(unsigned int n)
{
	snprintf(wanted, sizeof(wanted), "/a_%05u_", n);
	found = false;
	for_each_file(look_at_file);
	return found;
}

#define SAYS(text) assert_non_null(strstr(file.comment, text))

/** It cannot be, and says why. */
static inline void refuse(struct plx_tap_writer_conf conf, const char *text)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};

	assert_null(open_recorder(conf, &e, &why));
	if (!strstr(e.text, text) && !strstr(why.text, text))
		fail_msg("'%s%s' says nothing of '%s'", e.text, why.text, text);
}
