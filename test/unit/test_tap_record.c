/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_LCORES "(0-1)@0"
#include "tap_t.h"

#include <sched.h>

/*
 * What a recorder keeps. Packets have a number and are of any length; the test has a list of all
 * that were recorded, and what is read has to be its end: whole, in order, and as long as was
 * asked.
 */

#define KEEP	PLX_TAP_RING_MIN
#define LOG_MAX 400000

static struct plx_tap *tap;

static struct {
	uint32_t bytes; /* in memory */
	bool lost;	/* there was no room */
} list[LOG_MAX];
static plx_ns last_ns;		/* of what was read */
static uint32_t n_list, n_read; /* all before it was read, or overwritten */

static void start(void)
{
	start_taps();
	n_list = n_read = 0;
	last_ns = 0;
}

static void record(struct plx_tap_conf conf)
{
	conf.keep_bytes = conf.keep_bytes ? conf.keep_bytes : KEEP;
	conf.points = conf.points ? conf.points : PLX_TAP_BIT(RX);
	tap = open_tap(conf);
}

static void stop(void)
{
	close_tap(tap);
}

static struct plx_tap_stats stats(void)
{
	struct plx_tap_stats s;

	plx_tap_stats(tap, &s);
	return s;
}

static struct plx_tap_kept kept(void)
{
	struct plx_tap_kept k;

	plx_tap_kept(tap, &k);
	return k;
}

static uint8_t frame[2048];

/* Into the list: where it is looked at first is the snap length. */
static void note(uint32_t bytes)
{
	uint32_t caplen = PLX_MIN(bytes, plx_tap_conf_of(tap)->snap_bytes);

	ok(n_list < LOG_MAX);
	list[n_list].lost = false;
	list[n_list++].bytes = (40 + caplen + 7) & ~7u;
}

static void feed_one(uint32_t bytes)
{
	number_frame(frame, n_list, 0x9999);
	t_port_feed(&et.port[0], 0, frame, bytes, 0);
	note(bytes);
}

static void step(void)
{
	et.now += 10;
	plx_engine_step(et.eng, 0);
}

static void feed(uint32_t n, uint32_t bytes)
{
	for (uint32_t i = 0; i < n; i++) {
		feed_one(bytes);
		if (i % 64 == 63 || i + 1 == n)
			step();
	}
}

/* ---- reading ---- */

static uint32_t n_got;
static int64_t last_got;

static uint32_t next_of(uint32_t i)
{
	while (i < n_list && list[i].lost)
		i++;
	return i;
}

static uint64_t bytes_from(uint32_t i, uint32_t *n)
{
	uint64_t bytes = 0;

	*n = 0;
	for (; i < n_list; i++)
		if (!list[i].lost) {
			bytes += list[i].bytes;
			++*n;
		}
	return bytes;
}

/* The first one since it was frozen: no more was overwritten than had to be. */
static void check_first(uint32_t i)
{
	const struct plx_tap_conf *c = plx_tap_conf_of(tap);
	struct plx_tap_kept k = kept();
	uint32_t n;
	uint64_t bytes = bytes_from(i, &n);

	ok(i >= n_read);
	ok(!list[i].lost);
	ok(i == next_of(n_read) || bytes >= c->keep_bytes);
	ok(bytes <= c->keep_bytes + c->snap_bytes + 48 + c->ring_bytes);
	eq(k.pkts, n);
	ok(k.bytes >= bytes);
}

static bool check(void *arg, const struct plx_tap_pkt *p)
{
	uint32_t i = number_in(plx_tap_data(p));

	if (last_got < 0)
		check_first(i);
	else
		eq(i, next_of((uint32_t)last_got + 1));
	ok(p->ts_ns >= last_ns);
	eq(((p->caplen + 40 + 7) & ~7u), list[i].bytes);
	last_ns = p->ts_ns;
	last_got = i;
	n_got++;
	return true;
}

static void freeze(void)
{
	plx_tap_freeze(tap);
	last_got = -1;
}

static void thaw(void)
{
	plx_tap_thaw(tap);
	if (last_got >= 0)
		n_read = (uint32_t)last_got + 1;
}

static uint32_t read_some(uint32_t max)
{
	uint32_t n;

	n_got = 0;
	n = plx_tap_read(tap, check, NULL, max);
	eq(n, n_got);
	return n;
}

/* ---- */

T(nothing_is_read_until_it_is_frozen)
{
	start();
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed(100, 60);
	eq(read_some(UINT32_MAX), 0);
	freeze();
	eq(read_some(UINT32_MAX), 100);
	eq(last_got, 99);
	feed(3, 60); /* and what comes while it is */
	eq(read_some(UINT32_MAX), 3);
	thaw();
	feed(3, 60);
	eq(read_some(UINT32_MAX), 0);
	freeze();
	eq(read_some(UINT32_MAX), 3); /* once */
	thaw();
	eq(stats().given, 106);
	eq(stats().seen, 106);
	eq(kept().pkts, 0);
	eq(kept().bytes, 0);
	eq(kept().overwritten, 0);
	stop();
}

T(the_oldest_are_overwritten)
{
	start();
	record((struct plx_tap_conf){.keep_bytes = 70001, .snap_bytes = 64});
	eq(plx_tap_conf_of(tap)->keep_bytes, 70008);
	eq(plx_tap_conf_of(tap)->ring_bytes, PLX_TAP_RING_MIN);
	feed(10000, 64);
	eq(stats().full, 0);
	ok(kept().overwritten > 8000);
	eq(kept().pkts, 10000 - kept().overwritten);
	freeze();
	ok(read_some(UINT32_MAX) * 104 >= 70008);
	/* a note for each 128th of the memory, so no more than two of these are kept beyond */
	ok(n_got * 104 <= 70008 + 2 * (70008 + PLX_TAP_RING_MIN) / 128 + 64 * 104);
	eq(last_got, 9999);
	thaw();
	stop();
}

T(how_far_it_reaches)
{
	start();
	record((struct plx_tap_conf){.snap_bytes = 60});
	feed(1, 60);
	et.now += PLX_SEC(1);
	eq(kept().reach_ns, PLX_SEC(1) + 10); /* nothing was lost since it began */
	for (int i = 0; i < 100; i++) {
		et.now += PLX_SEC(1);
		feed(50, 60);
	}
	/* 65,536 bytes are 630 packets of 104 bytes, the burst before them was overwritten */
	ok(kept().reach_ns >= PLX_SEC(12) && kept().reach_ns <= PLX_SEC(15));
	freeze();
	read_some(10);
	thaw();
	ok(kept().reach_ns <= PLX_SEC(15));
	freeze();
	read_some(UINT32_MAX);
	thaw();
	eq(kept().reach_ns, 0);
	stop();
}

/* Lcores go on, as far as there is room; what is lost is counted, and said. */
T(while_it_is_frozen)
{
	uint64_t had, got;

	start();
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed(2000, 64);
	freeze();
	had = kept().pkts;
	feed(64, 64);
	eq(stats().full, 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t full = stats().full;

		feed(1, 64);
		list[n_list - 1].lost = stats().full > full;
	}
	got = 1064 - stats().full;
	ok(got * 104 > PLX_TAP_RING_MIN - 128 * 104 && got < 1000);
	eq(kept().pkts, had + got);
	eq(read_some(UINT32_MAX), had + got);
	feed(64, 64); /* there is room again */
	eq(read_some(UINT32_MAX), 64);
	thaw();
	feed(5000, 64);
	eq(stats().full, 1064 - got);
	freeze();
	read_some(UINT32_MAX);
	eq(last_got, n_list - 1);
	thaw();
	stop();
}

T(what_is_not_read_stays)
{
	start();
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed(300, 64);
	freeze();
	eq(read_some(100), 100);
	thaw();
	freeze();
	eq(read_some(1), 1);
	eq(last_got, 100);
	thaw();
	freeze();
	thaw();
	feed(2000, 64);
	freeze();
	ok(read_some(UINT32_MAX) > 600);
	eq(last_got, 2299);
	thaw();
	stop();
}

T(a_recorder_goes_while_it_is_frozen)
{
	start();
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	feed(2000, 64);
	freeze();
	plx_tap_detach(tap);
	feed(10, 64);
	n_list -= 10; /* nobody looked */
	while (!plx_tap_gone(tap))
		plx_engine_step(et.eng, 0);
	ok(read_some(10) == 10);
	ok(read_some(UINT32_MAX) > 500); /* still there */
	eq(last_got, 1999);
	plx_tap_close(tap);
}

/* ---- on the way out ---- */

static uint16_t tx(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	n = (uint16_t)PLX_MIN(n, et.port[1].room);
	for (uint16_t i = 0; i < n; i++) {
		eq(number_in(rte_pktmbuf_mtod(pkts[i], void *)), n_list);
		note(pkts[i]->pkt_len);
		rte_pktmbuf_free(pkts[i]);
	}
	return n;
}

static void send_out(uint32_t n, uint32_t more, uint32_t bytes)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = plx_softnet_alloc(et.sn);

		assert_non_null(m);
		number_frame(frame, n_list + more + i, 0x9999);
		memcpy(rte_pktmbuf_append(m, (uint16_t)bytes), frame, bytes);
		plx_pkt_originate(1);
		plx_softnet_tx(et.sn, 1, m);
	}
}

/* What is laid and taken back again, also over the end of the memory. */
T(what_a_driver_refuses)
{
	struct plx_rng rng;
	uint32_t waiting = 0;

	start();
	plx_rng_init(&rng, t_seed(1));
	et.port[1].port->txq[0]->burst = tx;
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(TX)});
	for (int i = 0; i < 20000; i++) {
		uint32_t n = (uint32_t)plx_rng_below(&rng, 40), before = n_list;

		if (waiting < 200) {
			send_out(n, waiting, 60 + (uint32_t)plx_rng_below(&rng, 1000));
			waiting += n;
		}
		et.port[1].room = (uint32_t)plx_rng_below(&rng, 40);
		step();
		waiting -= n_list - before;
		if (i % 100 == 99) {
			freeze();
			read_some((uint32_t)plx_rng_below(&rng, 200));
			thaw();
		}
	}
	eq(stats().full, 0);
	eq(stats().accepted, n_list);
	et.port[1].room = UINT32_MAX;
	step();
	stop();
}

/* A burst of which nothing can be overwritten while it is not known what the driver takes: what was
 * kept makes room for it. */
T(a_burst_that_is_longer_than_what_is_kept)
{
	start();
	et.port[1].port->txq[0]->burst = tx;
	et.port[1].room = UINT32_MAX;
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(TX)});
	for (int i = 0; i < 50; i++) {
		send_out(64, 0, 1500);
		step();
	}
	eq(stats().accepted, 3200);
	freeze();
	eq(read_some(UINT32_MAX), 64);
	thaw();
	stop();
}

T(a_burst_that_is_longer_than_all)
{
	const struct plx_pkt_seen s = {.point = PLX_PKT_AT_TX, .out = true};
	const struct plx_pkt_watch *w;
	struct rte_mbuf *m[64];
	uint32_t fit = 0;

	start();
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(TX), .snap_bytes = 2048});
	step();
	w = plx_pkt_watch(PLX_PKT_AT_TX);
	for (uint32_t i = 0; i < 64; i++) {
		m[i] = plx_softnet_alloc(et.sn);
		assert_non_null(m[i]);
		number_frame(frame, i, 0x9999);
		memcpy(rte_pktmbuf_append(m[i], 2048), frame, 2048);
		note(2048);
	}
	for (int i = 0; i < 5; i++) {
		uint64_t had = stats().accepted;

		w->see(w, &s, m, 64);
		w->took(w, &s, 64);
		fit = (uint32_t)(stats().accepted - had);
		ok(fit >= 62 && fit < 64);
		eq(stats().accepted + stats().full, 64 * (i + 1));
	}
	for (uint32_t i = fit; i < 64; i++)
		list[i].lost = true;
	freeze();
	eq(read_some(UINT32_MAX), fit);
	thaw();
	for (uint32_t i = 0; i < 64; i++)
		rte_pktmbuf_free(m[i]);
	stop();
}

/* ---- packets that are asked for ---- */

static const struct {
	bool rst, v6, tag;
} kinds[] = {
	{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}};
static uint32_t flags_got[16];

static bool keep_flags(void *arg, const struct plx_tap_pkt *p)
{
	flags_got[n_got++ % 16] = PLX_TAP_F_MATCH(p->flags);
	return true;
}

T(a_reset_is_found)
{
	start();
	record((struct plx_tap_conf){.match = {"ether proto 0x9999", PLX_TAP_MATCH_RST},
		.snap_bytes = 20}); /* the packet is looked at, not what is kept of it */
	for (unsigned int i = 0; i < PLX_DIM(kinds); i++) {
		uint8_t b[100] = {2}, *p = b + 12;

		if (kinds[i].tag) {
			plx_put_be16(p, 0x8100);
			p += 4;
		}
		plx_put_be16(p, kinds[i].v6 ? 0x86dd : 0x0800);
		p += 2;
		p[0] = kinds[i].v6 ? 0x60 : 0x45;
		p[kinds[i].v6 ? 6 : 9] = 6;
		p += kinds[i].v6 ? 40 : 20;
		p[12] = 0x50;
		p[13] = kinds[i].rst ? 0x14 : 0x10;
		t_port_feed(&et.port[0], 0, b, sizeof(b), 0);
	}
	number_frame(frame, 0, 0x9999);
	t_port_feed(&et.port[0], 0, frame, 60, 0);
	step();
	plx_tap_freeze(tap);
	n_got = 0;
	eq(plx_tap_read(tap, keep_flags, NULL, UINT32_MAX), PLX_DIM(kinds) + 1);
	for (unsigned int i = 0; i < PLX_DIM(kinds); i++)
		eq(flags_got[i], kinds[i].rst ? 2 : 0);
	eq(flags_got[PLX_DIM(kinds)], 1);
	plx_tap_thaw(tap);
	stop();
}

T(an_expression_that_is_none)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};
	struct plx_tap_conf conf = {.keep_bytes = KEEP, .match = {"rst", "tcp prot 80"}};

	start();
	assert_null(plx_tap_open(taps, &conf, &e, &why));
	eq(why.column, 5);
	eq(why.match, 2);
}

/* ---- anything, in any order ---- */

static void feed_any(struct plx_rng *rng, bool frozen)
{
	uint32_t n = frozen ? 1 : 1 + (uint32_t)plx_rng_below(rng, 64);
	uint64_t full = stats().full;

	for (uint32_t i = 0; i < n; i++)
		feed_one(60 + (uint32_t)plx_rng_below(rng, plx_rng_below(rng, 4) ? 100 : 1900));
	step();
	if (frozen)
		list[n_list - 1].lost = stats().full > full;
	else
		eq(stats().full, full); /* armed it loses nothing */
}

static void anything(struct plx_rng *rng, struct plx_tap_conf conf, uint32_t ops)
{
	bool frozen = false;

	record(conf);
	n_list = n_read = 0;
	last_ns = 0;
	for (uint32_t i = 0; i < ops && n_list < LOG_MAX - 64; i++) {
		uint64_t dice = plx_rng_below(rng, 100);

		if (dice >= 10 || (frozen && dice >= 7)) {
			feed_any(rng, frozen);
		} else if (!frozen) {
			freeze();
			frozen = true;
		} else if (dice < 2) {
			thaw();
			frozen = false;
		} else {
			read_some((uint32_t)plx_rng_below(rng, 400));
		}
		eq(stats().seen, n_list);
	}
	if (!frozen)
		freeze();
	read_some(UINT32_MAX);
	thaw();
	stop();
}

T(a_model)
{
	struct plx_rng rng;

	start();
	plx_rng_init(&rng, t_seed(1));
	for (uint32_t i = 0; i < 30; i++)
		anything(&rng,
			(struct plx_tap_conf){.keep_bytes = KEEP + plx_rng_below(&rng, 100000),
				.snap_bytes = i % 3 ? 0 : 20 + (uint32_t)plx_rng_below(&rng, 300),
				.ring_bytes =
					i % 2 ? 0 : PLX_TAP_RING_MIN << plx_rng_below(&rng, 3)},
			3000);
}

/* ---- an lcore at work ---- */

#define WORK 300000

static uint32_t fed;

static void on_rx(struct t_port *tp, struct plx_rxq *q)
{
	uint8_t b[512] = {0};

	while (fed < WORK && tp->q[0].n_rx < 32) {
		number_frame(b, fed, 0x9999);
		t_port_feed(tp, 0, b, 60 + fed * 7 % 400, 0);
		__atomic_store_n(&fed, fed + 1, __ATOMIC_RELAXED);
	}
}

struct run {
	int64_t last, first;
	uint64_t lost;
};

static bool check_run(void *arg, const struct plx_tap_pkt *p)
{
	struct run *r = arg;
	const uint8_t *b = plx_tap_data(p);
	int64_t n = number_in(b);

	if (r->first < 0) {
		r->first = n;
		ok(n > r->last);
	} else {
		eq(n, r->last + 1 + p->lost);
	}
	eq(p->len, 60 + n * 7 % 400);
	eq(b[12], 0x99);
	r->last = n;
	return true;
}

T(frozen_and_thawed_under_load)
{
	static const uint32_t lcore1 = 1;
	struct run r = {.last = -1};
	struct plx_error e = {0};
	struct plx_rng rng;
	unsigned int rounds = 0;

	plx_rng_init(&rng, t_seed(1));
	et_new(1, 1);
	et.conf.lcores = &lcore1;
	et.conf.n_lcores = 1;
	et.conf.clock = NULL;
	et.port[0].on_rx = on_rx;
	fed = 0;
	eq(et_open(&e), 0);
	taps = plx_taps_create(et.eng, NULL);
	record((struct plx_tap_conf){.points = PLX_TAP_BIT(RX)});
	plx_engine_start(et.eng);
	while (__atomic_load_n(&fed, __ATOMIC_RELAXED) < WORK) {
		plx_tap_freeze(tap);
		r.first = -1;
		plx_tap_read(tap, check_run, &r, (uint32_t)plx_rng_below(&rng, 2000));
		plx_tap_thaw(tap);
		rounds++;
		sched_yield();
	}
	plx_engine_stop(et.eng);
	eq(plx_engine_join(et.eng), 0);
	plx_tap_freeze(tap);
	r.first = -1;
	plx_tap_read(tap, check_run, &r, UINT32_MAX);
	plx_tap_thaw(tap);
	print_message("%u rounds: %lu read, %lu overwritten, %lu lost\n", rounds, stats().given,
		kept().overwritten, stats().full);
	eq(stats().accepted, stats().given + kept().overwritten);
	eq(kept().pkts, 0);
	plx_tap_close(tap);
}

RUN_EAL(TAP_(nothing_is_read_until_it_is_frozen), TAP_(the_oldest_are_overwritten),
	TAP_(how_far_it_reaches), TAP_(while_it_is_frozen), TAP_(what_is_not_read_stays),
	TAP_(a_recorder_goes_while_it_is_frozen), TAP_(what_a_driver_refuses),
	TAP_(a_burst_that_is_longer_than_what_is_kept), TAP_(a_burst_that_is_longer_than_all),
	TAP_(a_reset_is_found), TAP_(an_expression_that_is_none), TAP_(a_model),
	TAP_(frozen_and_thawed_under_load))
