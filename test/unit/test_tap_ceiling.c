/* SPDX-License-Identifier: BSD-3-Clause */
#define T_EAL_LCORES "(0-1)@0"
#include "tap_t.h"

#include <rte_cycles.h>

#include <plx_base_rng.h>

/* What a ceiling of a tap's cost does on an lcore: by the clock, so that nothing here may be exact
 * but what is counted. */

#define BURST 32
#define BYTES 1400
#define REST  20000 /* cycles from one to the next one */

static struct rte_mbuf *pkt[BURST];
static uint64_t busy; /* cycles of the tap */

static void start(void)
{
	start_taps();
	for (int i = 0; i < BURST; i++) {
		pkt[i] = et_mbuf(et.sn, (uint32_t)i);
		memset(rte_pktmbuf_append(pkt[i], BYTES - 60), i, BYTES - 60);
	}
}

static struct {
	uint64_t n, lost, stands;
} got;

static bool count(void *arg, const struct plx_tap_pkt *p)
{
	got.n++;
	got.lost += p->lost;
	got.stands += plx_tap_every(p->thin);
	return true;
}

static void read_all(struct plx_tap *t)
{
	while (plx_tap_read(t, count, NULL, 1000))
		;
}

static void spin(uint64_t until)
{
	while (rte_rdtsc() < until)
		;
}

/* A burst, as an lcore shows it that has other things to do as well. What took long is not the
 * tap's, but somebody else's who has the CPU. */
static void show(const struct plx_pkt_seen *s, uint16_t n, uint16_t take)
{
	const struct plx_pkt_watch *w = plx_pkt_watch((enum plx_pkt_point)s->point);
	uint64_t begin = rte_rdtsc(), took;

	assert_non_null(w);
	w->see(w, s, pkt, n);
	if (s->point == PLX_PKT_AT_TX)
		w->took(w, s, take);
	took = rte_rdtsc() - begin;
	if (took > rte_get_tsc_hz() / 5000)
		return;
	spin(begin + took + REST);
	busy += took;
}

static double share(struct plx_tap *t, const struct plx_pkt_seen *s, double seconds)
{
	uint64_t begin = rte_rdtsc(), passed;

	busy = 0;
	do {
		show(s, BURST, BURST);
		read_all(t);
		passed = rte_rdtsc() - begin;
	} while ((double)passed < seconds * (double)rte_get_tsc_hz());
	return (double)busy / (double)passed;
}

static const struct plx_pkt_seen rx = {.point = PLX_PKT_AT_RX};
static const struct plx_pkt_seen tx = {.point = PLX_PKT_AT_TX, .out = true};

static const struct plx_tap_conf heavy = {
	.points = PLX_TAP_BIT(RX) | PLX_TAP_BIT(TX), .filter = "not udp port 1 and len > 100"};

/* From outside, in millionths: what a sanitizer adds around a tap is not the tap's. */
static double seems(double is)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 0;
#else
	return is * 1e6;
#endif
}

T(a_share_stays_below)
{
	static const struct plx_pkt_seen *const points[] = {&rx, &tx};
	static const uint32_t ppm[] = {50000, 200000};
	struct plx_tap_stats s;
	struct plx_tap *t;

	start();
	t = open_tap(heavy);
	plx_engine_step(et.eng, 0);
	printf("without one: %.0f ppm\n", share(t, &rx, 0.3) * 1e6);
	plx_tap_stats(t, &s);
	eq(s.every, 1);
	eq(s.cost_ppm, 0);
	for (size_t i = 0; i < PLX_DIM(ppm); i++) {
		for (size_t k = 0; k < PLX_DIM(points); k++) {
			struct plx_tap_conf conf = heavy;
			struct plx_tap *low;
			double is = 1;

			conf.max_cost_ppm = ppm[i];
			low = open_tap(conf);
			close_tap(t);
			t = low;
			plx_engine_step(et.eng, 0);
			share(t, points[k], 0.3);
			/* who else has the CPU for moments makes it look dear: not each time */
			for (int tries = 0; tries < 4; tries++) {
				is = share(t, points[k], 1.2);
				plx_tap_stats(t, &s);
				if (seems(is) < ppm[i] * 1.25 && s.cost_ppm < ppm[i] * 1.25)
					break;
			}
			printf("of %u ppm: %.0f, as it says %u, one of %u\n", ppm[i], is * 1e6,
				s.cost_ppm, s.every);
			printf("%lu seen: %lu taken, %lu filtered, %lu full, %lu missed\n", s.seen,
				s.accepted, s.filtered, s.full, s.missed);
			ok(seems(is) < ppm[i] * 1.25);
			ok(s.cost_ppm < ppm[i] * 1.25);
			ok(s.accepted > 0);
		}
	}
	close_tap(t);
}

/* A recorder's, too. */
static void take_all(struct plx_tap *t)
{
	if (plx_tap_conf_of(t)->keep_bytes)
		plx_tap_freeze(t);
	read_all(t);
	if (plx_tap_conf_of(t)->keep_bytes)
		plx_tap_thaw(t);
}

static uint64_t show_any(struct plx_tap *t, struct plx_rng *r)
{
	const struct plx_pkt_seen queue1 = {.point = PLX_PKT_AT_RX, .queue = 1};
	uint64_t shown = 0;

	for (int i = 0; i < 40000; i++) {
		uint16_t n = (uint16_t)(1 + plx_rng_below(r, BURST));
		uint16_t take = (uint16_t)plx_rng_below(r, n + 1);

		show(&queue1, n, 0); /* none of its affair */
		if (plx_rng_below(r, 2)) {
			show(&rx, n, 0);
			shown += n;
		} else {
			show(&tx, n, take);
			shown += take;
		}
		if (plx_rng_below(r, 100) == 0)
			take_all(t);
	}
	return shown;
}

static void count_each(uint64_t keep_bytes)
{
	struct plx_tap_conf conf = heavy;
	struct plx_tap_kept k;
	struct plx_tap_stats s;
	uint64_t shown;
	struct plx_tap *t;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	start();
	conf.max_cost_ppm = PLX_TAP_COST_MIN;
	conf.queues = 1;
	conf.ring_bytes = PLX_TAP_RING_MIN;
	conf.keep_bytes = keep_bytes;
	conf.filter = "ether[3] & 3 != 0";
	conf.sample = 2;
	memset(&got, 0, sizeof(got));
	t = open_tap(conf);
	plx_engine_step(et.eng, 0);
	shown = show_any(t, &r);
	take_all(t);
	plx_tap_stats(t, &s);
	plx_tap_kept(t, &k);
	eq(s.seen, shown);
	eq(s.seen, s.accepted + s.filtered + s.full + s.sampled + s.missed);
	ok(s.missed > shown / 10);
	ok(s.filtered > 0 && s.sampled > 0);
	eq(s.accepted, got.n + k.overwritten);
	eq(k.pkts, 0);
	/* what was lost behind the last packet nobody has been told of */
	ok(got.lost <= s.full + s.missed);
	close_tap(t);
}

/* Whatever is looked at, refused, taken again and dropped: each once. */
T(each_packet_is_counted_once)
{
	count_each(0);
}

T(each_packet_of_a_recorder_is_counted_once)
{
	count_each(PLX_TAP_RING_MIN);
}

/* ---- a recorder ---- */

static uint32_t numbers;
static int64_t last; /* that was read; -1: those in front of the next one were overwritten */

static void show_numbers(void)
{
	for (int i = 0; i < BURST; i++)
		plx_put_be32(rte_pktmbuf_mtod_offset(pkt[i], uint8_t *, 20), numbers++);
	show(&rx, BURST, 0);
}

/* It says what was missed in front of it, as far as that is known. */
static bool follow(void *arg, const struct plx_tap_pkt *p)
{
	int64_t n = plx_get_be32((const uint8_t *)plx_tap_data(p) + 20);

	eq(p->lost, last < 0 ? 0 : n - last - 1);
	last = n;
	return true;
}

static void show_until(struct plx_tap *t, uint64_t accepted)
{
	struct plx_tap_stats s;

	do {
		show_numbers();
		plx_tap_stats(t, &s);
	} while (s.accepted < accepted);
	ok(s.missed > s.accepted);
	eq(s.full, 0);
}

T(a_recorder_knows_what_it_missed)
{
	struct plx_tap_conf conf = {
		.points = PLX_TAP_BIT(RX), .keep_bytes = PLX_TAP_RING_MIN, .max_cost_ppm = 10000};
	struct plx_tap_kept k;
	struct plx_tap *t;
	uint32_t n;

	start();
	t = open_tap(conf);
	plx_engine_step(et.eng, 0);
	numbers = 0;
	show_until(t, 300);
	plx_tap_kept(t, &k);
	ok(k.overwritten > 100);
	last = -1;
	plx_tap_freeze(t);
	ok(plx_tap_read(t, follow, NULL, 20) == 20);
	plx_tap_thaw(t);
	show_until(t, 305); /* nothing is overwritten: it goes on where it was left */
	plx_tap_freeze(t);
	n = plx_tap_read(t, follow, NULL, 1000);
	ok(n > 20);
	plx_tap_thaw(t);
	show_until(t, 700);
	last = -1;
	plx_tap_freeze(t);
	ok(plx_tap_read(t, follow, NULL, 1000) > 20);
	plx_tap_thaw(t);
	close_tap(t);
}

/* What each packet stands for is what there was, on average. */
T(packets_say_what_they_stand_for)
{
	struct plx_tap_conf conf = heavy;
	struct plx_tap_stats s;
	struct plx_tap *t;

	start();
	conf.max_cost_ppm = 100000;
	t = open_tap(conf);
	plx_engine_step(et.eng, 0);
	share(t, &rx, 1); /* until it settles, the bucket is empty at times */
	read_all(t);
	plx_tap_stats(t, &s);
	memset(&got, 0, sizeof(got));
	{
		uint64_t seen = s.seen;

		share(t, &rx, 1);
		read_all(t);
		plx_tap_stats(t, &s);
		printf("%lu stand for %lu of %lu\n", got.n, got.stands, s.seen - seen);
		ok(got.stands < (s.seen - seen) * 1.2);
		/* fewer where others had the CPU, and the bucket was empty for it */
		ok(got.stands > 0 || s.seen == seen);
	}
	close_tap(t);
}

/* Of which port a drop is has to be known before it can be missed. */
T(drops_of_a_port)
{
	struct plx_tap *one, *all;
	struct plx_tap_stats s;

	start();
	et.ops.rx = rx_drops;
	one = open_tap((struct plx_tap_conf){
		.points = PLX_TAP_BIT(DROP), .ports = 2, .max_cost_ppm = PLX_TAP_COST_MIN});
	all = open_tap((struct plx_tap_conf){
		.points = PLX_TAP_BIT(DROP), .max_cost_ppm = PLX_TAP_COST_MIN});
	for (int i = 0; i < 2000; i++) {
		et_feed(0, 0, 20);
		et_feed(1, 0, 10);
		plx_engine_step(et.eng, 0);
	}
	plx_tap_stats(one, &s);
	eq(s.seen, 20000);
	ok(s.missed > 0);
	plx_tap_stats(all, &s);
	eq(s.seen, 60000);
	ok(s.missed > 0);
	plx_tap_detach(one);
	close_tap(all);
	plx_tap_close(one);
}

static void refused(uint32_t given, uint32_t is)
{
	struct plx_tap *t = open_tap((struct plx_tap_conf){.max_cost_ppm = given});

	eq(plx_tap_conf_of(t)->max_cost_ppm, is);
	close_tap(t);
}

T(a_ceiling_has_bounds)
{
	start();
	refused(0, 0);
	refused(1, PLX_TAP_COST_MIN);
	refused(PLX_TAP_COST_ALL, PLX_TAP_COST_ALL);
	refused(UINT32_MAX, PLX_TAP_COST_ALL);
}

static int after(void **state)
{
	plx_pkt_deliver_bulk(pkt, BURST);
	return after_taps(state);
}

#define CEILING_(name) cmocka_unit_test_teardown(name, after)

RUN_EAL(CEILING_(a_share_stays_below), CEILING_(each_packet_is_counted_once),
	CEILING_(each_packet_of_a_recorder_is_counted_once),
	CEILING_(a_recorder_knows_what_it_missed), CEILING_(packets_say_what_they_stand_for),
	CEILING_(drops_of_a_port), CEILING_(a_ceiling_has_bounds))
