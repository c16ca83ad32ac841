/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap_file_t.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct plx_tap_writer *begin(struct plx_tap_writer_conf conf)
{
	struct plx_error e = {0};
	struct plx_tap_writer *w;

	conf.file = conf.file ? conf.file : path;
	conf.app = "test 1";
	w = plx_tap_writer_start(taps, &conf, &e, NULL);
	if (!w)
		fail_msg("%s", e.text);
	return w;
}

static void feed(unsigned int port, uint32_t from, uint32_t n)
{
	feed_frames(port, from, n, 0x9999);
	plx_engine_step(et.eng, 0);
}

/* ---- what a file holds ---- */

static struct {
	unsigned int sections, ifaces, pkts, stats;
	uint32_t first, last; /* numbers of packets */
	uint64_t delivered, osdrop, ifrecv, ifdrop, drops;
	plx_ns last_ns;
	struct plx_pcapng_pkt pkt; /* the last one, its bytes gone */
	char app[16], name[4][16], comment[64];
} file;

static void on_item(enum plx_pcapng_kind kind, const struct plx_pcapng_item *it)
{
	switch (kind) {
	case PLX_PCAPNG_SECTION:
		file.sections++;
		take_text(file.app, sizeof(file.app), it->section.app);
		break;
	case PLX_PCAPNG_IFACE:
		take_text(file.name[file.ifaces++ % 4], 16, it->iface.name);
		break;
	case PLX_PCAPNG_PKT:
		file.pkt = it->pkt;
		file.last = number_in(it->pkt.data);
		if (!file.pkts++)
			file.first = file.last;
		if (it->pkt.has & PLX_PCAPNG_DROPS)
			file.drops += it->pkt.drops;
		ok(it->pkt.ts_ns >= file.last_ns);
		file.last_ns = it->pkt.ts_ns;
		take_text(file.comment, sizeof(file.comment), it->pkt.comment);
		break;
	case PLX_PCAPNG_STATS:
		file.stats++;
		file.delivered += it->stats.delivered;
		file.osdrop += it->stats.osdrop;
		file.ifrecv += it->stats.ifrecv;
		file.ifdrop += it->stats.ifdrop;
		break;
	default:
		fail_msg("%s", it->error.text);
	}
}

static void read_file(const char *name)
{
	memset(&file, 0, sizeof(file));
	parse_file(name, on_item);
}

/* ---- */

T(a_file_has_what_was_seen)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;
	struct stat st;
	FILE *f;

	start_files();
	f = fopen(path, "w"); /* what was there before is gone */
	for (int i = 0; i < 10000; i++)
		fputs("old", f);
	fclose(f);
	w = begin((struct plx_tap_writer_conf){.tap = {.filter = "len > 10"}});
	feed(1, 0, 100);
	ok(!plx_tap_writer_ended(w));
	eq(stop_writer(w, &s), 0);
	eq(s.written, 100);
	eq(s.tap.accepted, 100);
	eq(s.tap.given, 100);
	eq(s.files, 1);
	eq(stat(path, &st), 0);
	eq(st.st_size, s.bytes);
	read_file(path);
	eq(file.sections, 1);
	str_eq(file.app, "test 1");
	eq(file.ifaces, 2);
	str_eq(file.name[1], "t1");
	eq(file.pkts, 100);
	eq(file.first, 0);
	eq(file.last, 99);
	eq(file.pkt.iface, 1);
	eq(file.pkt.flags, PLX_PCAPNG_F_IN);
	eq(file.pkt.len, FRAME);
	eq(file.pkt.meta.hook, PLX_PCAPNG_HOOK_RX);
	ok(file.pkt.has & PLX_PCAPNG_QUEUE);
	eq(file.stats, 2);
	eq(file.delivered, 100);
	eq(file.osdrop, 0);
	{
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		ok(file.last_ns / PLX_SEC(1) - now.tv_sec <= 1);
		ok(now.tv_sec - file.last_ns / PLX_SEC(1) < 100);
	}
}

/* Of bare packets that were made here. */
static void rx_drops_bare(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = et_mbuf(sn, 0);
		uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

		memset(p, 0, m->pkt_len);
		p[0] = 0x45;
		plx_put_be16(p + 2, (uint16_t)m->pkt_len);
		plx_pkt_drop(m, PLX_DROP_UDP_NO_PORT);
	}
	plx_pkt_deliver_bulk(pkts, n);
}

T(a_drop_says_why)
{
	struct plx_tap_writer *w;

	start_files();
	et.ops.rx = rx_drops;
	w = begin((struct plx_tap_writer_conf){.tap = {.points = PLX_TAP_BIT(DROP)}});
	feed(0, 0, 2);
	eq(stop_writer(w, NULL), 0);
	read_file(path);
	eq(file.pkts, 2);
	eq(file.pkt.meta.hook, PLX_PCAPNG_HOOK_DROP);
	eq(file.pkt.meta.reason, PLX_DROP_UDP_NO_PORT);
	assert_non_null(strstr(file.comment, "UDP_NO_PORT: "));
}

/* With a ceiling the file says what came, and what of that nobody looked at. */
T(what_cost_too_much_is_in_the_file)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_files();
	w = begin((struct plx_tap_writer_conf){.tap = {.filter = "len > 10",
						       .ring_bytes = 4u << 20,
						       .points = PLX_TAP_BIT(RX),
						       .max_cost_ppm = PLX_TAP_COST_MIN}});
	for (uint32_t i = 0; i < 500; i++)
		feed(i & 1, i * 60, 60);
	eq(stop_writer(w, &s), 0);
	eq(s.tap.seen, 30000);
	eq(s.tap.seen, s.tap.accepted + s.tap.filtered + s.tap.full + s.tap.missed);
	ok(s.tap.missed > 100);
	read_file(path);
	eq(file.pkts, s.tap.accepted);
	eq(file.delivered, s.tap.accepted);
	eq(file.ifrecv, s.tap.seen);
	eq(file.ifdrop, s.tap.missed);
	eq(file.osdrop, s.tap.full);
	eq(file.pkts + file.ifdrop + file.osdrop, 30000);
	/* in front of the last packet, and behind it */
	eq(file.drops, file.last + 1 - file.pkts);
	ok(file.drops <= file.ifdrop);
}

static unsigned int n_pkts; /* of all files */

static void look_at_file(const char *name)
{
	read_file(name);
	n_pkts += file.pkts;
	eq(file.stats, 2);
	ok(file.first == 40 || file.first == 80);
}

/* The last files stay, each whole by itself. */
T(files_rotate)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_files();
	w = begin((struct plx_tap_writer_conf){.rotate = {.files = 2, .pkts = 40}});
	feed(0, 0, 60);
	feed(0, 60, 50);
	eq(stop_writer(w, &s), 0);
	eq(s.files, 3);
	eq(s.written, 110);
	n_pkts = 0;
	eq(for_each_file(look_at_file), 2);
	eq(n_pkts, 70);
}

/* Of so many bytes, one at a time. */
static void feed_large(const struct plx_tap_writer *w, uint32_t n)
{
	static uint8_t b[2000];
	struct plx_tap_writer_stats s;

	for (uint32_t i = 0; i < n; i++) {
		number_frame(b, i, 0x9999);
		t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
		if (i % 32)
			continue;
		plx_engine_step(et.eng, 0);
		do
			plx_tap_writer_stats(w, &s);
		while (s.written < s.tap.accepted);
	}
	plx_engine_step(et.eng, 0);
}

static char first[400];

static void note_name(const char *name)
{
	snprintf(first, sizeof(first), "%s", name);
}

/* What a large file has taken is given back by and by; its name is gone at once, and who has it
 * open still has it. */
T(large_files_rotate)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;
	struct stat st, now;
	int fd;

	start_files();
	w = begin((struct plx_tap_writer_conf){.rotate = {.files = 1, .bytes = 9000000}});
	feed_large(w, 3000);
	eq(for_each_file(note_name), 1);
	fd = open(first, O_RDONLY);
	ok(fd >= 0);
	feed_large(w, 3000);
	eq(fstat(fd, &st), 0);
	ok(st.st_size > 8 << 20 && st.st_size <= 9000000);
	eq(st.st_nlink, 0);
	eq(access(first, F_OK), -1);
	feed_large(w, 3000);
	eq(stop_writer(w, &s), 0);
	eq(s.files, 3);
	eq(s.written, 9000);
	eq(for_each_file(note_name), 1);
	read_file(first);
	eq(file.last, 2999);
	eq(fstat(fd, &now), 0);
	eq(now.st_size, st.st_size);
	close(fd);
}

static void look_how_long(const char *name)
{
	struct stat st;

	eq(stat(name, &st), 0);
	ok(st.st_size <= 2000);
	read_file(name);
	n_pkts += file.pkts;
	ok(file.pkts > 3);
	eq(file.stats, 2);
}

T(no_file_is_longer_than_it_may_be)
{
	struct plx_tap_writer *w;

	start_files();
	w = begin((struct plx_tap_writer_conf){.rotate = {.bytes = 2000}});
	feed(0, 0, 60);
	feed(0, 60, 60);
	eq(stop_writer(w, NULL), 0);
	n_pkts = 0;
	ok(for_each_file(look_how_long) > 5);
	eq(n_pkts, 120);
}

T(classic_files)
{
	static const enum plx_tap_format formats[] = {PLX_TAP_PCAP_US, PLX_TAP_PCAP_NS};

	start_files();
	for (unsigned int i = 0; i < PLX_DIM(formats); i++) {
		struct plx_tap_writer_stats s;
		struct plx_tap_writer *w;
		struct stat st;

		w = begin((struct plx_tap_writer_conf){.format = formats[i]});
		feed(1, 0, 50);
		et_sleep(PLX_SEC(20)); /* they have no statistics */
		feed(0, 50, 50);
		eq(stop_writer(w, &s), 0);
		eq(s.written, 100);
		eq(s.unfit, 0);
		eq(stat(path, &st), 0);
		eq(st.st_size, PLX_PCAP_HEAD + 100 * (PLX_PCAP_PKT_DATA + FRAME));
		read_file(path);
		eq(file.pkts, 100);
		eq(file.last, 99);
		eq(file.pkt.len, FRAME);
		ok(formats[i] == PLX_TAP_PCAP_NS || file.pkt.ts_ns % 1000 == 0);
	}
}

/* What is no frame any more has no place among frames. */
T(a_classic_file_has_one_link_type)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_files();
	et.ops.rx = rx_drops_bare;
	w = begin((struct plx_tap_writer_conf){
		.format = PLX_TAP_PCAP_US, .tap = {.points = PLX_TAP_BIT(DROP)}});
	feed(0, 0, 3);
	eq(stop_writer(w, &s), 0);
	eq(s.tap.accepted, 3);
	eq(s.unfit, 3);
	eq(s.written, 0);
	read_file(path);
	eq(file.pkts, 0);
}

/* Statistics come every ten seconds in which something was written, and at the end. */
T(statistics_come_now_and_then)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_files();
	w = begin((struct plx_tap_writer_conf){.app = NULL});
	for (uint32_t i = 0; i < 3; i++) {
		feed(0, i, 1);
		do
			plx_tap_writer_stats(w, &s);
		while (s.written <= i);
		et_sleep(PLX_SEC(10));
		plx_engine_step(et.eng, 0);
		usleep(20000); /* it looks every 2 ms */
		et_sleep(PLX_SEC(10));
	}
	eq(stop_writer(w, NULL), 0);
	read_file(path);
	eq(file.pkts, 3);
	eq(file.stats, 4 * 2);
}

T(a_limit_ends_it)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_files();
	w = begin((struct plx_tap_writer_conf){.tap = {.limit = 7}});
	feed(0, 0, 20);
	while (!plx_tap_writer_ended(w))
		usleep(1000);
	eq(stop_writer(w, &s), 0);
	eq(s.written, 7);
	read_file(path);
	eq(file.pkts, 7);
}

/* ---- what goes wrong ---- */

static void until_ended(struct plx_tap_writer *w)
{
	for (uint32_t i = 0; !plx_tap_writer_ended(w); i++) {
		feed(0, i * 60, 60);
		usleep(100);
	}
	feed(0, 0, 60); /* traffic goes on */
}

T(a_full_disk_ends_it)
{
	struct plx_error e = {0};

	start_files();
	assert_null(plx_tap_writer_start(
		taps, &(struct plx_tap_writer_conf){.file = "/dev/full"}, &e, NULL));
	eq(e.id, PLX_ERR_PCAP_FILE);
}

/* Short writes, then none: the file ends with a whole block. */
T(a_file_that_may_not_grow)
{
	struct rlimit was, few = {.rlim_cur = 30001, .rlim_max = RLIM_INFINITY};
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;
	struct stat st;

	start_files();
	signal(SIGXFSZ, SIG_IGN);
	eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	few.rlim_max = was.rlim_max;
	w = begin((struct plx_tap_writer_conf){.app = NULL});
	eq(setrlimit(RLIMIT_FSIZE, &few), 0);
	until_ended(w);
	eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	eq(stop_writer(w, &s), -EFBIG);
	eq(s.err, -EFBIG);
	eq(stat(path, &st), 0);
	ok(st.st_size < 30001 && st.st_size > 29700);
	read_file(path);
	ok(file.pkts > 100);
	eq(file.last, file.pkts - 1);
}

/* A pipe, which a path leads to. */
static struct {
	int fd[2];
	char name[64];
} to;

static void start_pipe(int flags)
{
	start_files();
	eq(pipe2(to.fd, flags), 0);
	snprintf(to.name, sizeof(to.name), "/proc/self/fd/%d", to.fd[1]);
}

static void close_pipe(void)
{
	close(to.fd[0]);
	close(to.fd[1]);
}

T(a_reader_that_goes_away)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_pipe(0);
	w = begin((struct plx_tap_writer_conf){.file = to.name});
	close_pipe();
	until_ended(w);
	eq(stop_writer(w, &s), -EPIPE);
}

/* It is seen also while there is nothing to be written. */
T(a_reader_that_goes_away_in_silence)
{
	struct plx_tap_writer *w;

	start_pipe(0);
	w = begin((struct plx_tap_writer_conf){.file = to.name});
	close_pipe();
	while (!plx_tap_writer_ended(w)) {
		plx_engine_step(et.eng, 0);
		usleep(100);
	}
	eq(stop_writer(w, NULL), -EPIPE);
}

/* Copies are lost, and are counted; to stop it does not take for ever. */
T(a_reader_that_reads_nothing)
{
	struct plx_tap_writer_stats s;
	struct plx_tap_writer *w;

	start_pipe(0);
	w = begin((struct plx_tap_writer_conf){.file = to.name, .tap = {.ring_bytes = 65536}});
	do {
		feed(0, 0, 60);
		plx_tap_writer_stats(w, &s);
	} while (!s.tap.full);
	eq(stop_writer(w, &s), -ECANCELED);
	eq(s.tap.seen, s.tap.accepted + s.tap.full);
	close_pipe();
}

/* To begin waits for nobody, nor does to end for long. */
T(a_pipe_that_is_full)
{
	struct plx_tap_writer *w;

	start_pipe(O_NONBLOCK);
	while (write(to.fd[1], to.name, sizeof(to.name)) > 0)
		;
	w = begin((struct plx_tap_writer_conf){.file = to.name});
	feed(0, 0, 10);
	eq(stop_writer(w, NULL), -ECANCELED);
	close_pipe();
}

T(a_pipe_that_has_to_be_there)
{
	struct plx_tap_writer_conf conf = {.file = path, .there = true};
	struct plx_error e = {0};

	start_files();
	assert_null(plx_tap_writer_start(taps, &conf, &e, NULL));
	eq(e.id, PLX_ERR_PCAP_FILE);
	eq(access(path, F_OK), -1);
}

T(a_pipe_that_nobody_reads)
{
	struct plx_tap_writer_conf conf = {.file = path};
	struct plx_error e = {0};

	start_files();
	eq(mkfifo(path, 0600), 0);
	assert_null(plx_tap_writer_start(taps, &conf, &e, NULL));
	eq(e.id, PLX_ERR_PCAP_FILE);
	assert_non_null(strstr(e.text, "nobody reads"));
}

T(refusals)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};
	struct plx_tap_writer_conf conf = {
		.file = "/nowhere/at/all", .tap = {.filter = "tcp prot"}};

	start_files();
	assert_null(plx_tap_writer_start(taps, &conf, &e, &why));
	eq(why.column, 5);
	conf.tap.filter = NULL;
	assert_null(plx_tap_writer_start(taps, &conf, &e, &why));
	eq(e.id, PLX_ERR_PCAP_FILE);
	assert_non_null(strstr(e.text, "/nowhere/at/all"));
}

RUN_EAL(FILE_(a_file_has_what_was_seen), FILE_(a_drop_says_why),
	FILE_(what_cost_too_much_is_in_the_file), FILE_(files_rotate), FILE_(large_files_rotate),
	FILE_(no_file_is_longer_than_it_may_be), FILE_(classic_files),
	FILE_(a_classic_file_has_one_link_type), FILE_(statistics_come_now_and_then),
	FILE_(a_limit_ends_it), FILE_(a_full_disk_ends_it), FILE_(a_file_that_may_not_grow),
	FILE_(a_reader_that_goes_away), FILE_(a_reader_that_goes_away_in_silence),
	FILE_(a_reader_that_reads_nothing), FILE_(a_pipe_that_is_full),
	FILE_(a_pipe_that_has_to_be_there), FILE_(a_pipe_that_nobody_reads), FILE_(refusals))
