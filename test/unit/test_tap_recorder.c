/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_t.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plx_tap_writer.h>

/* A recorder's files: when there is one, and what is in it. Its thread is real, the clock is not.
 */

#define FRAME 60
#define KEEP  PLX_TAP_RING_MIN
#define FIT   (KEEP / (40 + 64)) /* packets that stay at least */

static struct plx_taps *taps;
static struct plx_tap_writer *w;
static char dir[64], path[128];
static uint32_t fed;

static void start(void)
{
	et_new(2, 1);
	et_start();
	taps = plx_taps_create(et.eng, NULL);
	snprintf(dir, sizeof(dir), "/tmp/plx-rec-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.pcapng", dir);
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

/* With one trigger. */
static void begin_for(struct plx_tap_trigger t, struct plx_tap_record_conf conf)
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

	plx_tap_detach(plx_tap_writer_tap(w));
	while (!plx_tap_gone(plx_tap_writer_tap(w)))
		plx_engine_step(et.eng, 0);
	eq(plx_tap_writer_stop(w, &s), 0);
	w = NULL;
	return s;
}

/* Frames with numbers. */
static void feed(uint32_t n)
{
	uint8_t b[FRAME] = {2};

	plx_put_be16(b + 12, 0x9999);
	for (uint32_t i = 0; i < n; i++) {
		plx_put_be32(b + 14, fed++);
		t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
		if (i % 64 == 63 || i + 1 == n) {
			et.now += PLX_US(1);
			plx_engine_step(et.eng, 0);
		}
	}
}

static void feed_reset(void)
{
	uint8_t b[FRAME] = {2};

	plx_put_be16(b + 12, 0x0800);
	b[14] = 0x45;
	b[23] = 6;
	b[47] = 4;
	t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
	et.now += PLX_US(1);
	plx_engine_step(et.eng, 0);
}

#define EVENTUALLY(what)                                                                           \
	for (int i_ = 0; !(what); i_++) {                                                          \
		if (i_ == 5000)                                                                    \
			fail_msg("never: %s", #what);                                              \
		usleep(1000);                                                                      \
	}

static bool is(enum plx_tap_record_state state, uint32_t files)
{
	struct plx_tap_writer_stats s = stats();

	return s.record.state == state && s.files == files;
}

/* The thread has looked, and seen nothing. */
static void quiet(uint32_t files)
{
	usleep(20000);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, files));
}

static void by_hand(uint32_t files)
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

static void take_text(char *to, size_t room, struct plx_pcapng_text t)
{
	snprintf(to, room, "%.*s", (int)t.len, t.p ? t.p : "");
}

static void on_pkt(const struct plx_pcapng_pkt *p)
{
	const uint8_t *b = p->data;
	uint32_t n = plx_get_be32(b + 14);
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

static void parse(const char *name)
{
	static uint8_t buf[1u << 20];
	struct plx_pcapng_clock ifaces[40];
	struct plx_pcapng_reader r;
	struct plx_pcapng_error err;
	struct plx_pcapng_item it;
	enum plx_pcapng_kind kind;
	size_t have, at = 0;
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	have = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	memset(&file, 0, sizeof(file));
	plx_pcapng_reader_init(&r, ifaces, PLX_DIM(ifaces));
	while ((kind = plx_pcapng_next(&r, buf + at, have - at, &it)) != PLX_PCAPNG_MORE) {
		on_item(kind, &it);
		at += it.used;
	}
	eq(plx_pcapng_end(&r, have - at, &err), 0); /* no half block */
}

/* Number n of this recorder's. @return false: it is not there. */
static bool read_file(unsigned int n)
{
	char prefix[16], name[400] = "";
	DIR *list = opendir(dir);
	struct dirent *d;

	snprintf(prefix, sizeof(prefix), "a_%05u_", n);
	while ((d = readdir(list)))
		if (strncmp(d->d_name, prefix, strlen(prefix)) == 0)
			snprintf(name, sizeof(name), "%s/%s", dir, d->d_name);
	closedir(list);
	if (name[0])
		parse(name);
	return name[0];
}

#define SAYS(text) assert_non_null(strstr(file.comment, text))

/* ---- by hand ---- */

T(a_file_has_what_was_before)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(5000);
	quiet(0);
	ok(!read_file(1));
	s = stats();
	ok(s.record.pkts >= FIT && s.record.bytes >= KEEP);
	eq(s.record.pkts + s.record.overwritten, 5000);
	eq(s.tap.full, 0);
	by_hand(1);
	ok(read_file(1));
	ok(file.pkts >= FIT);
	eq(file.first, 5000 - file.pkts);
	eq(file.last, 4999);
	eq(file.delivered, file.pkts);
	eq(file.stats, 2);
	ok(strncmp(file.comment, "trigger: by hand at 20", 22) == 0);
	feed(10);
	by_hand(2); /* none is in both */
	ok(read_file(2));
	eq(file.pkts, 10);
	eq(file.first, 5000);
	eq(file.delivered, 10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 3));
	ok(read_file(3)); /* it was asked for */
	eq(file.pkts, 0);
	str_eq(stats().record.last, file.comment);
	s = end();
	eq(s.record.triggers, 3);
	eq(s.record.ignored, 0);
	eq(s.files, 3);
}

T(nothing_happens)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for(
		(struct plx_tap_trigger){.kind = PLX_TAP_ON_RST}, (struct plx_tap_record_conf){0});
	feed(100);
	quiet(0);
	s = end();
	eq(s.files, 0);
	eq(s.written, 0);
	eq(s.record.triggers, 0);
	ok(!read_file(1));
}

T(its_end_is_something_too)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_END, .text = "end"},
		(struct plx_tap_record_conf){.after_ns = PLX_SEC(1000)});
	feed(100);
	s = end();
	eq(s.files, 1);
	ok(read_file(1));
	eq(file.pkts, 100);
	SAYS("trigger: end at ");
}

/* ---- and what comes after ---- */

T(for_some_time)
{
	plx_ns at;

	start();
	begin((struct plx_tap_writer_conf){.record = {.after_ns = PLX_SEC(1)}});
	feed(10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	at = et.now;
	feed(10);
	et.now = at + PLX_SEC(1) - PLX_US(10);
	feed(1);
	usleep(10000);
	ok(is(PLX_TAP_RECORD_WRITES, 1));
	et.now = at + PLX_SEC(1);
	feed(5); /* too late */
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 21);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 2));
	et.now += PLX_SEC(2);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 2));
	ok(read_file(2));
	eq(file.first, 21);
	eq(file.pkts, 5);
	end();
}

T(for_so_many)
{
	start();
	begin((struct plx_tap_writer_conf){.record = {.after_pkts = 7}});
	feed(10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	et.now += PLX_SEC(100);
	feed(6);
	usleep(10000);
	ok(is(PLX_TAP_RECORD_WRITES, 1));
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 17);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 2));
	feed(9);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 2));
	ok(read_file(2));
	eq(file.pkts, 7);
	end();
}

/* Lcores do not wait for it, and what is lost stands in the file. */
T(the_rings_are_full_meanwhile)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.record = {.after_ns = PLX_SEC(1)}});
	feed(2000);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	for (int i = 0; i < 400; i++) /* far quicker than a thread that sleeps */
		feed(300);
	et.now += PLX_SEC(2);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	s = end();
	eq(s.tap.seen, 122000);
	eq(s.tap.seen, s.tap.accepted + s.tap.full);
}

T(it_is_stopped_meanwhile)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.record = {.after_ns = PLX_SEC(1000)}});
	feed(10);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	feed(10);
	s = end();
	eq(s.written, 20);
	ok(read_file(1));
	eq(file.pkts, 20);
	eq(file.stats, 2);
}

/* ---- things that happen ---- */

T(a_reset)
{
	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_RST, .text = "rst"},
		(struct plx_tap_record_conf){.after_ns = PLX_MS(1)});
	feed(100);
	quiet(0);
	feed_reset();
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	et.now += PLX_SEC(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 102);
	eq(file.asked, 2);
	str_eq(file.pkt_comment, "trigger: rst");
	SAYS("trigger: rst (");
	SAYS(", lcore 0)");
	end();
}

T(packets_that_match)
{
	const struct plx_tap_trigger t[] = {{.kind = PLX_TAP_ON_RST, .text = "rst"},
		{.kind = PLX_TAP_ON_MATCH, .text = "ether[17] = 50"}};

	start();
	begin((struct plx_tap_writer_conf){.record = {.trigger = t, .n_triggers = 2}});
	feed(50);
	quiet(0);
	feed(10);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 60);
	eq(file.asked, 1);
	str_eq(file.pkt_comment, "trigger: ether[17] = 50");
	SAYS("ether[17] = 50 (1, lcore 0) at ");
	end();
}

static uint32_t to_drop;

static void rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t drops = (uint16_t)PLX_MIN(n, to_drop);

	to_drop -= drops;
	plx_pkt_drop_bulk(pkts, drops, PLX_DROP_UDP_NO_PORT);
	plx_pkt_deliver_bulk(pkts + drops, (unsigned int)(n - drops));
}

T(a_burst_of_drops)
{
	start();
	et.ops.rx = rx;
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_DROPS,
			  .reason = PLX_DROP_UDP_NO_PORT,
			  .over = 10,
			  .ns = PLX_MS(100),
			  .text = "drops"},
		(struct plx_tap_record_conf){0});
	to_drop = 10;
	feed(50);
	quiet(0);
	plx_pkt_drop(et_mbuf(et.sn, 0), PLX_DROP_TX_DOWN); /* for another reason */
	quiet(0);
	to_drop = 1;
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	eq(file.pkts, 51);
	SAYS("drops (11, lcore 0)");
	end();
}

T(two_at_once)
{
	const struct plx_tap_trigger t[] = {{.kind = PLX_TAP_ON_RST, .text = "rst"},
		{.kind = PLX_TAP_ON_DROPS, .over = 0, .ns = PLX_MS(100), .text = "drops"}};
	struct plx_tap_writer_stats s;

	start();
	et.ops.rx = rx;
	begin((struct plx_tap_writer_conf){
		.record = {.trigger = t, .n_triggers = 2, .rearm_ns = PLX_SEC(1)}});
	to_drop = 1;
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 1));
	ok(read_file(1));
	eq(file.pkts, 1);
	usleep(10000);
	s = stats();
	eq(s.record.triggers, 2);
	eq(s.record.covered + s.record.ignored, 1);
	end();
}

static plx_ns rx_takes_ns;

static void rx_takes_long(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	et.now += rx_takes_ns;
	plx_pkt_deliver_bulk(pkts, n);
}

static void rx_times_out(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	plx_stat_inc(PLX_STAT_TCPEXT_TCPTIMEOUTS);
	plx_pkt_deliver_bulk(pkts, n);
}

T(a_slow_pass)
{
	start();
	et.ops.rx = rx_takes_long;
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_LATENCY, .ns = PLX_US(500)},
		(struct plx_tap_record_conf){0});
	rx_takes_ns = PLX_US(500);
	feed(1);
	quiet(0);
	rx_takes_ns = PLX_US(501);
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	SAYS("it (1, lcore 0)");
	end();
	eq(et.sn->slow_cycles, UINT64_MAX); /* nobody asks any more */
}

T(a_time_out)
{
	start();
	et.ops.rx = rx_times_out;
	begin_for(
		(struct plx_tap_trigger){.kind = PLX_TAP_ON_RTO}, (struct plx_tap_record_conf){0});
	quiet(0);
	feed(1);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	ok(read_file(1));
	SAYS("it (1, lcore 0)");
	end();
}

T(a_squeeze)
{
	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_SQUEEZE},
		(struct plx_tap_record_conf){0});
	quiet(0);
	for (int i = 0; i < 500; i++) {
		uint8_t b[FRAME] = {2};

		t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
	}
	plx_engine_step(et.eng, 0);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	plx_engine_step(et.eng, 0);
	end();
}

/* ---- again and again ---- */

T(it_rests_between_files)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_RST},
		(struct plx_tap_record_conf){.rearm_ns = PLX_SEC(10)});
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 1));
	feed_reset();
	EVENTUALLY(stats().record.ignored == 1);
	ok(is(PLX_TAP_RECORD_RESTS, 1));
	eq(plx_tap_writer_trigger(w), 0); /* a hand may */
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 2));
	et.now += PLX_SEC(11);
	quiet(2);
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_RESTS, 3));
	s = end();
	eq(s.record.triggers, 4);
	eq(s.record.ignored, 1);
}

T(what_happens_within_a_file)
{
	struct plx_tap_writer_stats s;

	start();
	begin_for((struct plx_tap_trigger){.kind = PLX_TAP_ON_RST},
		(struct plx_tap_record_conf){.after_ns = PLX_SEC(1)});
	feed_reset();
	EVENTUALLY(is(PLX_TAP_RECORD_WRITES, 1));
	et.now += PLX_MS(10);
	feed_reset();
	EVENTUALLY(stats().record.covered == 1);
	et.now += PLX_SEC(2);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 1));
	quiet(1); /* it is done with */
	ok(read_file(1));
	eq(file.pkts, 2);
	s = end();
	eq(s.record.triggers, 2);
	eq(s.files, 1);
}

T(the_newest_files_stay)
{
	start();
	begin((struct plx_tap_writer_conf){.rotate = {.files = 2}});
	for (uint32_t i = 1; i <= 4; i++) {
		feed(1);
		by_hand(i);
	}
	end();
	ok(!read_file(1) && !read_file(2));
	ok(read_file(3) && read_file(4));
	eq(file.first, 3);
}

T(so_many_files)
{
	start();
	begin((struct plx_tap_writer_conf){.tap = {.limit = 2}});
	feed(10);
	by_hand(1);
	ok(!plx_tap_writer_ended(w));
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(plx_tap_writer_ended(w));
	eq(end().files, 2);
}

/* ---- what goes wrong ---- */

T(a_file_cannot_be_written)
{
	struct plx_tap_writer_stats s;

	start();
	begin((struct plx_tap_writer_conf){.app = "test"});
	feed(10);
	eq(rmdir(dir), 0);
	eq(plx_tap_writer_trigger(w), 0);
	EVENTUALLY(stats().record.failed == 1);
	eq(stats().record.err, -ENOENT);
	eq(stats().err, 0);
	EVENTUALLY(is(PLX_TAP_RECORD_ARMED, 0));
	eq(mkdir(dir, 0700), 0);
	feed(5);
	by_hand(1);
	ok(read_file(2)); /* nothing is lost */
	eq(file.pkts, 15);
	s = end();
	eq(s.record.failed, 1);
	eq(s.err, 0);
}

T(classic_files)
{
	start();
	begin((struct plx_tap_writer_conf){.format = PLX_TAP_PCAP_NS});
	feed(300);
	by_hand(1);
	ok(read_file(1));
	eq(file.pkts, 300);
	eq(file.last, 299);
	end();
}

static void refuse(struct plx_tap_writer_conf conf, const char *text)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};

	assert_null(open_recorder(conf, &e, &why));
	if (!strstr(e.text, text) && !strstr(why.text, text))
		fail_msg("'%s%s' says nothing of '%s'", e.text, why.text, text);
}

T(refusals)
{
	struct plx_tap_trigger t[PLX_TAP_TRIGGERS + 1];
	struct plx_tap_writer_conf conf = {.record = {.trigger = t}};

	for (unsigned int i = 0; i < PLX_DIM(t); i++)
		t[i] = (struct plx_tap_trigger){.kind = PLX_TAP_ON_RTO, .text = "rto"};
	start();
	conf.record.n_triggers = PLX_TAP_TRIGGERS + 1;
	refuse(conf, "eight things");
	for (unsigned int i = 0; i < 4; i++)
		t[i] = (struct plx_tap_trigger){.kind = PLX_TAP_ON_MATCH, .text = "tcp"};
	conf.record.n_triggers = 4;
	refuse(conf, "three kinds");
	t[1].text = "tcp prot 80";
	refuse(conf, "column 5");
	for (unsigned int i = 0; i < 5; i++)
		t[i] = (struct plx_tap_trigger){
			.kind = PLX_TAP_ON_LATENCY, .ns = PLX_US(1), .text = "latency"};
	conf.record.n_triggers = 5;
	refuse(conf, "too many wait for latency");
	eq(et.sn->slow_cycles, UINT64_MAX);
	refuse((struct plx_tap_writer_conf){.file = "/nowhere/a"}, "No such file");
	refuse((struct plx_tap_writer_conf){.file = "-"}, "Invalid");
	refuse((struct plx_tap_writer_conf){.file = "/tmp/"}, "Invalid");
}

static int after(void **state)
{
	char command[100];

	if (et.eng && plx_engine_running(et.eng))
		plx_engine_step_end(et.eng);
	plx_taps_destroy(taps);
	taps = NULL;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (dir[0] && system(command) != 0)
		return -1;
	dir[0] = '\0';
	return et_after(state);
}

#define REC_(name) cmocka_unit_test_teardown(name, after)

RUN_EAL(REC_(a_file_has_what_was_before), REC_(nothing_happens), REC_(its_end_is_something_too),
	REC_(for_some_time), REC_(for_so_many), REC_(the_rings_are_full_meanwhile),
	REC_(it_is_stopped_meanwhile), REC_(a_reset), REC_(packets_that_match),
	REC_(a_burst_of_drops), REC_(two_at_once), REC_(a_slow_pass), REC_(a_time_out),
	REC_(a_squeeze), REC_(it_rests_between_files), REC_(what_happens_within_a_file),
	REC_(the_newest_files_stay), REC_(so_many_files), REC_(a_file_cannot_be_written),
	REC_(classic_files), REC_(refusals))
