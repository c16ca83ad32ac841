/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What captures cost: one lcore forwards 64-byte packets from a port to another, their MACs
 * exchanged, while a thread on another CPU hangs taps in its way, one after the other and round by
 * round, and reads what they copy. The ports are made here and cost next to nothing: the packets
 * that one sends are those that the other gives again, as many as there are or so many a second.
 *
 * Cycles (of the TSC) are taken from where the port has given a burst to where it is asked for the
 * next one; of batches of packets the median counts, so that who else runs on the CPU does not.
 *
 *   bench capture [EAL arguments] -- SECONDS ROUNDS MPPS FILE
 *
 * Each way of capturing for so many seconds as fast as it goes, then those that read all from 1 to
 * MPPS million packets a second. FILE is the base of the files' names: no others may begin so. A
 * JSON line for each.
 */
#include "bench.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_tap.h>

#include "capture_pkts.h"

#define PKTS	 512  /* that go round: a receive ring's */
#define BATCH	 4096 /* packets between two samples */
#define SAMPLES	 (1u << 16)
#define ENOUGH	 8 /* samples, for which a way waits PATIENCE times as long */
#define PATIENCE 20
#define SETTLE_S 0.002	     /* from one way to the next */
#define FILE_MAX (64u << 20) /* bytes; two of them are kept */

/* A way of capturing. */
struct way {
	const char *name;
	enum { NOTHING, NO_TAP, READ, WRITE } kind;
	struct plx_tap_conf conf;
};

static const struct way ways[] = {
	{"no taps", NOTHING, {0}},
	{"taps, none open", NO_TAP, {0}},
	{"tap of another port", READ, {.points = PLX_TAP_BIT(RX), .ports = 1u << 1}},
	{"tap of drops", READ, {.points = PLX_TAP_BIT(DROP)}},
	{"filter, no match", READ, {.points = PLX_TAP_BIT(RX), .filter = SHORT}},
	{"long filter, no match", READ, {.points = PLX_TAP_BIT(RX), .filter = LONG}},
	{"1 of 256, read", READ,
		{.points = PLX_TAP_BIT(RX), .sample = 256, .snap_bytes = SNAP, .seed = 1}},
	{"all, read", READ, {.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP}},
	{"all, recorded", READ,
		{.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP, .keep_bytes = KEEP}},
	{"all, recorded, resets sought", READ,
		{.points = PLX_TAP_BIT(RX),
			.snap_bytes = SNAP,
			.keep_bytes = KEEP,
			.match = {PLX_TAP_MATCH_RST}}},
	{"all on the way out, read", READ, {.points = PLX_TAP_BIT(TX), .snap_bytes = SNAP}},
	{"all, to a file", WRITE, {.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP}},
};

static const char *const paced[] = {"all, read", "all, to a file"};

/* Cycles a packet, by batches. */
struct slice {
	uint32_t n;
	float cycles[SAMPLES];
};

static struct {
	struct plx_engine *eng;
	const char *file;
	double seconds;
	uint32_t rounds, mpps;
	uint64_t pps; /* offered; 0 = as fast as it goes. The control thread's, as the next */
	struct slice *slice; /* where samples go; NULL: nowhere */
	uint64_t odd;	     /* copies that are not as they should be; the reader's */
	int err;	     /* the control thread's */
} b;

/* What goes round: the lcore's. */
static struct {
	struct rte_mbuf *pkt[PKTS];
	uint32_t head, tail;
	uint64_t pps, begin, due; /* due: of all since begin, those given or missed */
	uint64_t missed;	  /* single writer, as the next */
	uint64_t forwarded;
	struct slice *slice;
	uint64_t since, cycles;
	uint32_t given, pkts; /* by the last burst; of the batch */
} w;

/* ---- ports ---- */

static void sample(uint64_t now)
{
	struct slice *s = __atomic_load_n(&b.slice, __ATOMIC_ACQUIRE);

	if (s != w.slice) {
		w.slice = s;
		w.cycles = w.pkts = w.given = 0;
	}
	if (!w.given || !s)
		return;
	w.cycles += now - w.since;
	w.pkts += w.given;
	w.given = 0;
	if (w.pkts < BATCH)
		return;
	if (s->n < SAMPLES) {
		s->cycles[s->n] = (float)((double)w.cycles / w.pkts);
		__atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELEASE);
	}
	w.cycles = w.pkts = 0;
}

/* May a whole burst be given? What a receive ring has no room for is missed. */
static bool is_due(uint64_t now, uint16_t n)
{
	uint64_t pps = __atomic_load_n(&b.pps, __ATOMIC_RELAXED), waits;

	if (pps != w.pps) {
		w.pps = pps;
		w.begin = now;
		w.due = 0;
	}
	if (!pps)
		return true;
	waits = (uint64_t)((double)(now - w.begin) * (double)pps / (double)rte_get_tsc_hz()) -
		w.due;
	if (waits > PKTS) {
		plx_count(w.missed, waits - PKTS);
		w.due += waits - PKTS;
	}
	if (waits < n)
		return false;
	w.due += n;
	return true;
}

static uint16_t give(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint64_t now = rte_rdtsc();

	sample(now);
	n = (uint16_t)PLX_MIN(n, w.tail - w.head);
	if (!n || !is_due(now, n))
		return 0;
	for (uint16_t i = 0; i < n; i++) {
		pkts[i] = w.pkt[w.head++ % PKTS];
		pkts[i]->ol_flags = 0;
		pkts[i]->port = q->port->id;
	}
	w.given = n;
	w.since = rte_rdtsc();
	return n;
}

static uint16_t nothing(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	return 0;
}

static uint16_t take(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		w.pkt[w.tail++ % PKTS] = pkts[i];
	plx_count(w.forwarded, n);
	return n;
}

static int port_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e)
{
	p->rxq[0]->burst = p->id == 0 ? give : nothing;
	p->txq[0]->burst = take;
	return 0;
}

static void port_stop(struct plx_port *p)
{
	while (w.head != w.tail)
		rte_pktmbuf_free(w.pkt[w.head++ % PKTS]);
}

static void port_fini(struct plx_port *p)
{
}

static void port_link(struct plx_port *p, struct plx_link *link)
{
	*link = (struct plx_link){.up = true, .mbps = 100000, .full_duplex = true};
}

static int port_add(const char *name)
{
	static const struct plx_port_ops ops = {.name = "bench",
		.open = port_open,
		.stop = port_stop,
		.fini = port_fini,
		.link = port_link};
	static const struct plx_mac mac = {{2, 0, 0, 0, 0, 1}};
	const struct plx_port_caps caps = {.driver = "bench",
		.features = PLX_PORT_F_SG,
		.max_rxq = 1,
		.max_txq = 1,
		.rxd = PKTS,
		.txd = PKTS,
		.min_mtu = 68,
		.max_mtu = UINT16_MAX,
		.socket = SOCKET_ID_ANY};

	return plx_port_add(name, &ops, NULL, &caps, &mac, UINT16_MAX) ? 0 : -1;
}

/* ---- forwarding ---- */

static int on_start(struct plx_softnet *sn)
{
	while (w.tail < PKTS) {
		struct rte_mbuf *m = plx_softnet_alloc(sn);

		if (!m)
			return -ENOMEM;
		build(m, w.tail);
		w.pkt[w.tail++] = m;
	}
	return 0;
}

static void on_rx(struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		uint8_t *p = rte_pktmbuf_mtod(pkts[i], uint8_t *), t[6];

		memcpy(t, p, 6);
		memcpy(p, p + 6, 6);
		memcpy(p + 6, t, 6);
	}
	plx_softnet_tx_burst(sn, 1, pkts, n);
}

/* ---- the control thread ---- */

static int die(const struct plx_error *e)
{
	fprintf(stderr, "%s; %s\n", e->text, e->remedy);
	return 1;
}

static int by_size(const void *x, const void *y)
{
	float d = *(const float *)x - *(const float *)y;

	return d < 0 ? -1 : d > 0;
}

static bool look(void *arg, const struct plx_tap_pkt *p)
{
	b.odd += p->len != FRAME || p->caplen != FRAME;
	return true;
}

/* For so long, reading what t (may be NULL) has; longer, if the lcore was kept from its CPU. */
static void pass(struct plx_tap *t, double seconds, const struct slice *s)
{
	uint64_t ticks = (uint64_t)(seconds * (double)rte_get_tsc_hz()), begin = rte_rdtsc(), took;

	do {
		if (!t || !plx_tap_read(t, look, NULL, 256))
			usleep(20);
		took = rte_rdtsc() - begin;
	} while (took < ticks || (s && took < ticks * PATIENCE &&
					 __atomic_load_n(&s->n, __ATOMIC_ACQUIRE) < ENOUGH));
}

/* What is open while a way is measured. */
struct capture {
	const struct way *way;
	struct plx_taps *taps;
	struct plx_tap *tap; /* that we read */
	struct plx_tap_writer *writer;
};

static int open_capture(struct capture *c, const struct way *way)
{
	struct plx_tap_filter_error why = {0};
	struct plx_tap_writer_conf file = {
		.tap = way->conf, .file = b.file, .rotate = {.bytes = FILE_MAX, .files = 2}};
	struct plx_error e = {0};

	*c = (struct capture){.way = way};
	if (way->kind == NOTHING)
		return 0;
	c->taps = plx_taps_create(b.eng, &e);
	if (c->taps && way->kind == READ)
		c->tap = plx_tap_open(c->taps, &way->conf, &e, &why);
	if (c->taps && way->kind == WRITE)
		c->writer = plx_tap_writer_start(c->taps, &file, &e, &why);
	if (c->taps && (way->kind == NO_TAP || c->tap || c->writer))
		return 0;
	fprintf(stderr, "%s%s\n", e.text, why.text);
	return -1;
}

static void close_capture(struct capture *c, struct plx_tap_writer_stats *s)
{
	*s = (struct plx_tap_writer_stats){0};
	if (c->tap) {
		while (!plx_tap_gone(c->tap))
			plx_tap_read(c->tap, look, NULL, 256);
		while (plx_tap_read(c->tap, look, NULL, 256))
			;
		plx_tap_stats(c->tap, &s->tap);
		plx_tap_close(c->tap);
	}
	if (c->writer)
		plx_tap_writer_stop(c->writer, s);
	plx_taps_destroy(c->taps);
}

struct result {
	uint64_t forwarded, missed;
	double seconds;
	struct plx_tap_writer_stats s;
};

static double percent(uint64_t part, uint64_t of)
{
	return of ? 100. * (double)part / (double)of : 0;
}

/*
 * Each packet is counted once, and what was taken has arrived. A burst that was under way when the
 * tap came may have been forwarded unseen.
 */
static bool adds_up(const struct capture *c, const struct result *r)
{
	const struct plx_tap_stats *t = &r->s.tap;
	const struct plx_tap_conf *conf = &c->way->conf;
	bool sees = conf->points & (PLX_TAP_BIT(RX) | PLX_TAP_BIT(TX)) && !conf->ports;

	if (conf->keep_bytes ? t->given || t->full : t->given != t->accepted)
		return false;
	if (c->way->kind == WRITE && r->s.written != t->accepted)
		return false;
	if (!sees)
		return t->seen == 0;
	if (t->seen + PLX_PORT_BURST < r->forwarded)
		return false;
	return conf->filter ? t->filtered == t->seen : conf->sample > 1 || !t->sampled;
}

static void report(const struct capture *c, uint32_t round, struct slice *s, const struct result *r)
{
	const struct plx_tap_stats *t = &r->s.tap;
	double cycles, best;

	qsort(s->cycles, s->n, sizeof(s->cycles[0]), by_size);
	cycles = s->n ? (double)s->cycles[s->n / 2] : 0;
	best = s->n ? (double)s->cycles[0] : 0;
	printf("{\"way\":\"%s\",\"round\":%u,\"offered_mpps\":%.3f,\"forwarded_mpps\":%.3f,"
	       "\"missed_percent\":%.4f,\"cycles\":%.2f,\"cycles_best\":%.2f,\"mpps\":%.3f,"
	       "\"batches\":%u,\"seen\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"full\":%" PRIu64
	       ",\"lost_percent\":%.4f,\"bytes\":%" PRIu64 ",\"err\":%d,\"adds_up\":%s}\n",
		c->way->name, round, (double)b.pps / 1e6, (double)r->forwarded / r->seconds / 1e6,
		percent(r->missed, r->missed + r->forwarded), cycles, best,
		s->n ? (double)rte_get_tsc_hz() / cycles / 1e6 : 0, s->n, t->seen, t->accepted,
		t->full, percent(t->full, t->full + t->accepted), r->s.bytes, r->s.err,
		adds_up(c, r) ? "true" : "false");
	fflush(stdout);
}

/* Of the capture before. */
static void remove_files(void)
{
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s_*", b.file);
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

static int measure(const struct way *way, uint32_t round, uint64_t pps)
{
	static struct slice slice;
	struct result r = {0};
	struct capture c;
	uint64_t begin;

	if (way->kind == WRITE)
		remove_files();
	if (open_capture(&c, way) != 0)
		return -1;
	__atomic_store_n(&b.pps, pps, __ATOMIC_RELAXED);
	pass(c.tap, SETTLE_S, NULL);
	slice.n = 0;
	__atomic_store_n(&b.slice, &slice, __ATOMIC_RELEASE);
	begin = rte_rdtsc();
	r.forwarded = plx_count_read(w.forwarded);
	r.missed = plx_count_read(w.missed);
	pass(c.tap, b.seconds, &slice);
	r.forwarded = plx_count_read(w.forwarded) - r.forwarded;
	r.missed = plx_count_read(w.missed) - r.missed;
	r.seconds = (double)(rte_rdtsc() - begin) / (double)rte_get_tsc_hz();
	__atomic_store_n(&b.slice, NULL, __ATOMIC_RELEASE);
	close_capture(&c, &r.s);
	report(&c, round, &slice, &r);
	return r.s.err;
}

/* Where it begins changes from round to round. */
static int measure_all(uint32_t round)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < PLX_DIM(ways); i++)
		err = measure(&ways[(i + round) % PLX_DIM(ways)], round, 0);
	for (uint32_t mpps = 1; mpps <= b.mpps; mpps++)
		for (uint32_t i = 0; !err && i < PLX_DIM(ways); i++)
			for (uint32_t k = 0; !err && k < PLX_DIM(paced); k++)
				if (strcmp(ways[i].name, paced[k]) == 0)
					err = measure(&ways[i], round, mpps * UINT64_C(1000000));
	return err;
}

/* Not in the lcore's way, if there is another CPU. */
static void leave_lcore(void)
{
	rte_cpuset_t cpus, theirs;

	memset(&cpus, 0xff, sizeof(cpus)); /* the kernel leaves those that we may use */
	sched_setaffinity(0, sizeof(cpus), &cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	theirs = rte_lcore_cpuset(rte_get_main_lcore());
	CPU_AND(&theirs, &theirs, &cpus);
	CPU_XOR(&cpus, &cpus, &theirs);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *control(void *arg)
{
	leave_lcore();
	while (!plx_engine_running(b.eng) && !plx_engine_stopping(b.eng))
		usleep(100);
	pass(NULL, b.seconds, NULL); /* caches, clock rates */
	for (uint32_t i = 0; !b.err && i < b.rounds; i++)
		b.err = measure_all(i);
	plx_engine_stop(b.eng);
	return NULL;
}

int bench_capture(int argc, char **argv)
{
	static const struct plx_engine_ops ops = {.rx = on_rx, .start = on_start};
	const struct plx_engine_conf conf = {.ops = &ops};
	struct plx_error e;
	pthread_t thread;
	int used = rte_eal_init(argc, argv);

	if (used < 0 || plx_pkt_init() != 0)
		return 1;
	argc -= used;
	argv += used;
	if (argc != 5) {
		fprintf(stderr, "usage: bench capture [EAL] -- SECONDS ROUNDS MPPS FILE\n");
		return 2;
	}
	b.seconds = atof(argv[1]);
	b.rounds = (uint32_t)atoi(argv[2]);
	b.mpps = (uint32_t)atoi(argv[3]);
	b.file = argv[4];
	if (port_add("in") != 0 || port_add("out") != 0)
		return 1;
	b.eng = plx_engine_create(&conf, &e);
	if (!b.eng || plx_engine_open_ports(b.eng, &e) != 0)
		return die(&e);
	if (pthread_create(&thread, NULL, control, NULL) != 0)
		return 1;
	plx_engine_run(b.eng);
	pthread_join(thread, NULL);
	plx_engine_close_ports(b.eng);
	if (plx_engine_destroy(b.eng) != 0) {
		fprintf(stderr, "mbufs leaked\n");
		return 1;
	}
	return b.err || b.odd ? 1 : 0;
}
