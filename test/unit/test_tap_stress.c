/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_LCORES "(0-1)@0"
#include "engine_t.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <plx_tap.h>

/*
 * Taps of all kinds come and go while an lcore has all the work it can do: some are read, one is
 * not and is full, one's file may not grow, one's reader is killed. What each counted is held
 * against the numbers that packets carry, traffic against what was sent: nothing is lost, doubled
 * or held up. With PLX_LONG=1 that are 10 million packets and 1,000 taps.
 */

#define FRAME	   60
#define BURST	   64
#define FILE_BYTES 100000 /* of the file that may not grow */

static struct plx_taps *taps;
static char path[64];

/* ---- traffic: what comes is delivered, dropped, or goes out by port 1, where all must arrive ----
 */

static uint32_t fed; /* packets; the lcore's */
static bool done_feeding;
static uint64_t arrived; /* at the other end */
static uint32_t expected = 2, calls;

static uint64_t received(void)
{
	return plx_count_read(et.port[0].port->rxq[0]->pkts);
}

static void on_rx(struct t_port *tp, struct plx_rxq *q)
{
	uint8_t b[FRAME] = {2};

	if (__atomic_load_n(&done_feeding, __ATOMIC_RELAXED))
		return;
	while (tp->q[0].n_rx < 32) {
		plx_put_be16(b + 12, fed % 2 ? 0x9999 : 0x9998);
		plx_put_be32(b + 14, fed++);
		t_port_feed(tp, 0, b, sizeof(b), 0);
	}
}

static uint32_t number_of(const uint8_t *b)
{
	return plx_get_be32(b + 14);
}

static void rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		switch (number_of(rte_pktmbuf_mtod(pkts[i], const uint8_t *)) % 4) {
		case 0:
			plx_pkt_deliver(pkts[i]);
			break;
		case 1:
			rte_pktmbuf_adj(pkts[i], 14);
			plx_pkt_drop(pkts[i], PLX_DROP_UDP_NO_PORT);
			break;
		default:
			plx_softnet_tx(sn, 1, pkts[i]);
		}
	}
}

/* A driver that does not take all of each burst. */
static uint16_t tx(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	n = (uint16_t)(++calls % 5 == 0 ? n / 2 : n);
	for (uint16_t i = 0; i < n; i++) {
		eq(number_of(rte_pktmbuf_mtod(pkts[i], const uint8_t *)), expected);
		expected += expected % 4 == 2 ? 1 : 3;
		rte_pktmbuf_free(pkts[i]);
	}
	arrived += n;
	return n;
}

/* ---- taps ---- */

enum kind { ALL, HALF, SAMPLE, COSTLY, OUT, TINY, DISK, PIPE, KINDS };

static struct passing {
	struct plx_tap *tap;
	struct plx_tap_writer *writer;
	uint64_t before, after; /* packets received when it began */
	uint64_t n, lost;	/* read, and said to be lost before them */
	int64_t last;		/* number */
	pid_t reader;
} passing[KINDS];

static const struct plx_tap_conf conf[KINDS] = {
	[ALL] = {.points = PLX_TAP_BIT(RX)},
	[HALF] = {.points = PLX_TAP_BIT(RX), .filter = "ether proto 0x9999"},
	[SAMPLE] = {.points = PLX_TAP_BIT(RX_GRO), .sample = 10, .ring_bytes = 1 << 17},
	[COSTLY] = {.points = PLX_TAP_BIT(RX), .max_cost_ppm = PLX_TAP_COST_MIN},
	[OUT] = {.points = PLX_TAP_BIT(TX) | PLX_TAP_BIT(DROP) | PLX_TAP_BIT(FWD),
		.directions = PLX_TAP_OUT},
	[TINY] = {.points = PLX_TAP_BIT(RX), .ring_bytes = PLX_TAP_RING_MIN, .snap_bytes = 30},
	[DISK] = {.points = PLX_TAP_BIT(RX)},
	[PIPE] = {.points = PLX_TAP_BIT(RX) | PLX_TAP_BIT(DROP), .ports = 1},
};

static uint64_t seen_full, seen_sampled, seen_missed;

/* All of a kind that is whole: none twice, none missing that is not said to be. */
static bool on_pkt(void *arg, const struct plx_tap_pkt *p)
{
	struct passing *t = arg;
	int64_t number = number_of(plx_tap_data(p));
	enum kind kind = (enum kind)(t - passing);

	if (t->last >= 0) {
		int64_t gap = number - t->last;

		ok(gap > 0);
		if (kind == ALL || kind == COSTLY)
			eq(gap, 1 + p->lost);
		if (kind == HALF)
			eq(gap, 2 * (1 + p->lost));
	}
	if (kind == HALF)
		eq(number % 2, 1);
	if (kind == OUT)
		ok(number % 4 >= 2 && p->flags & PLX_TAP_F_OUT);
	t->last = number;
	t->lost += p->lost;
	t->n++;
	return true;
}

/* Killed by close_pipe(). @return where to write. */
static int spawn_reader(struct passing *t)
{
	char name[] = "cat", *argv[] = {name, NULL};
	posix_spawn_file_actions_t act;
	int fd[2];

	eq(pipe2(fd, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, fd[0], 0);
	posix_spawn_file_actions_addopen(&act, 1, "/dev/null", O_WRONLY, 0);
	eq(posix_spawnp(&t->reader, name, &act, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&act);
	close(fd[0]);
	return fd[1];
}

static void open_passing(enum kind kind)
{
	struct passing *t = &passing[kind];
	struct plx_tap_writer_conf w = {.tap = conf[kind], .file = path};
	struct plx_error e = {0};
	char name[40];
	int fd = -1;

	*t = (struct passing){.last = -1, .before = received()};
	if (kind == PIPE) {
		fd = spawn_reader(t);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		w.file = name;
	}
	if (kind == DISK || kind == PIPE) {
		t->writer = plx_tap_writer_start(taps, &w, &e, NULL);
		if (t->writer)
			t->tap = plx_tap_writer_tap(t->writer);
	} else {
		t->tap = plx_tap_open(taps, &conf[kind], &e, NULL);
	}
	if (!t->tap)
		fail_msg("%s", e.text);
	if (fd >= 0)
		close(fd);
	t->after = received();
}

/* A burst more or less was on its way when it came and when it went. */
static void check_seen(const struct passing *t, const struct plx_tap_stats *s, uint64_t until)
{
	uint64_t end = received();

	ok(s->seen <= end - t->before + 2 * BURST);
	ok(s->seen + 2 * BURST >= until - t->after);
}

static void close_writer(enum kind kind)
{
	struct passing *t = &passing[kind];
	struct plx_tap_writer_stats s;

	if (kind == PIPE) {
		kill(t->reader, SIGKILL);
		eq(waitpid(t->reader, NULL, 0), t->reader);
	}
	while (!plx_tap_writer_ended(t->writer))
		sched_yield();
	eq(plx_tap_writer_stop(t->writer, &s), kind == PIPE ? -EPIPE : -EFBIG);
	eq(s.tap.seen, s.tap.accepted + s.tap.full);
	ok(s.tap.given <= s.tap.accepted && s.tap.accepted);
}

static void close_tap(enum kind kind)
{
	struct passing *t = &passing[kind];
	uint64_t until = received();
	struct plx_tap_stats s;

	plx_tap_detach(t->tap);
	while (!plx_tap_gone(t->tap))
		sched_yield();
	plx_tap_read(t->tap, on_pkt, t, UINT32_MAX);
	plx_tap_stats(t->tap, &s);
	eq(t->n, s.accepted);
	eq(s.given, s.accepted);
	ok(t->lost <= s.full + s.missed);
	ok(kind == COSTLY || !s.missed);
	if (kind != OUT)
		check_seen(t, &s, until);
	if (kind == HALF)
		ok(s.filtered <= s.seen / 2 + 1 && s.filtered + 1 >= s.seen / 2);
	else
		eq(s.filtered, 0);
	seen_full += kind == TINY ? s.full : 0;
	seen_sampled += s.sampled;
	seen_missed += s.missed;
	plx_tap_close(t->tap);
}

static void close_passing(enum kind kind)
{
	if (!passing[kind].tap)
		return;
	if (passing[kind].writer)
		close_writer(kind);
	else
		close_tap(kind);
	passing[kind].tap = NULL;
}

static void read_some(void)
{
	for (unsigned int i = 0; i < TINY; i++)
		if (passing[i].tap)
			plx_tap_read(passing[i].tap, on_pkt, &passing[i], 500);
}

/* ---- one that stays ---- */

static struct stays {
	uint64_t n[PLX_PKT_AT_MAX], lost;
} stays;

static bool on_stays(void *arg, const struct plx_tap_pkt *p)
{
	stays.n[p->point]++;
	stays.lost += p->lost;
	return true;
}

static void check_stays(struct plx_tap *t)
{
	struct plx_tap_stats s;
	uint64_t n = 0;

	plx_tap_read(t, on_stays, NULL, UINT32_MAX);
	plx_tap_stats(t, &s);
	for (unsigned int i = 0; i < PLX_PKT_AT_MAX; i++)
		n += stays.n[i];
	eq(s.seen, received() + arrived + (received() + 2) / 4); /* came, went, dropped */
	eq(s.accepted, n);
	eq(s.accepted + s.full, s.seen);
	ok(stays.lost <= s.full);
	print_message("of %lu packets %lu copies were read, %lu lost\n", received(), n, s.full);
}

static void start(void)
{
	static const uint32_t lcore1 = 1;
	struct plx_error e = {0};

	et_new(2, 1);
	et.conf.lcores = &lcore1;
	et.conf.n_lcores = 1;
	et.conf.clock = NULL;
	et.ops.rx = rx;
	et.port[0].on_rx = on_rx;
	eq(et_open(&e), 0);
	et.port[1].port->txq[0]->burst = tx;
	taps = plx_taps_create(et.eng, NULL);
	assert_non_null(taps);
}

static void come_and_go(struct plx_tap *all, unsigned int rounds, uint64_t pkts)
{
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t until = pkts * (i + 1) / rounds;

		for (unsigned int k = 0; k < KINDS; k++) {
			close_passing((enum kind)k);
			open_passing((enum kind)k);
			read_some();
			plx_tap_read(all, on_stays, NULL, 5000);
		}
		while (received() < until) {
			read_some();
			plx_tap_read(all, on_stays, NULL, 5000);
			sched_yield();
		}
	}
	for (unsigned int k = 0; k < KINDS; k++)
		close_passing((enum kind)k);
}

T(taps_under_load)
{
	const char *env = getenv("PLX_LONG");
	bool is_long = env && strcmp(env, "1") == 0;
	struct rlimit was, few;
	struct plx_tap *all;
	int fd;

	start();
	snprintf(path, sizeof(path), "/tmp/plx-stress-XXXXXX");
	fd = mkstemp(path);
	ok(fd >= 0);
	close(fd);
	signal(SIGXFSZ, SIG_IGN);
	eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	few = was;
	few.rlim_cur = FILE_BYTES;
	eq(setrlimit(RLIMIT_FSIZE, &few), 0);
	all = plx_tap_open(taps,
		&(struct plx_tap_conf){
			.points = PLX_TAP_BIT(RX) | PLX_TAP_BIT(TX) | PLX_TAP_BIT(DROP)},
		NULL, NULL);
	assert_non_null(all);
	plx_engine_start(et.eng);
	come_and_go(all, is_long ? 1000 / KINDS + 1 : 4, is_long ? 10000000 : 50000);
	__atomic_store_n(&done_feeding, true, __ATOMIC_RELAXED);
	usleep(1000);
	plx_engine_stop(et.eng);
	eq(plx_engine_join(et.eng), 0);
	eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	unlink(path);
	eq(received(), fed);
	eq(arrived, fed / 4 * 2 + (fed % 4 == 3));
	check_stays(all);
	plx_tap_close(all);
	ok(seen_full && seen_sampled && seen_missed);
}

static int after(void **state)
{
	plx_taps_destroy(taps);
	return et_after(state);
}

RUN_EAL(cmocka_unit_test_teardown(taps_under_load, after))
