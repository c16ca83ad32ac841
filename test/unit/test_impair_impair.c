/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_impair.h>

/* A link from the text form, and packets of 1000 bytes that the caller never holds. */
static struct plx_impair link_of(const char *text)
{
	struct plx_impair_conf c = {0};
	struct plx_impair_error err;
	struct plx_impair im;

	eq(plx_impair_conf_parse(&c, text, &err), 0);
	eq(plx_impair_init(&im, &c), 0);
	return im;
}

static struct plx_impair_verdict send(struct plx_impair *im, plx_ns now)
{
	struct plx_impair_verdict v;

	plx_impair_decide(im, now, &(struct plx_impair_pkt){.bytes = 1000}, &v);
	return v;
}

static plx_ns departs(struct plx_impair *im, plx_ns now)
{
	struct plx_impair_verdict v = send(im, now);

	eq(v.drop, PLX_DROP_NONE);
	return v.depart_ns;
}

static unsigned int lost_of(struct plx_impair *im, unsigned int n)
{
	unsigned int lost = 0;

	for (unsigned int i = 0; i < n; i++)
		lost += send(im, 0).drop == PLX_DROP_IMPAIR_LOSS;
	eq(im->stats.lost, lost);
	eq(im->stats.seen, n);
	return lost;
}

static bool same(const struct plx_impair_verdict *a, const struct plx_impair_verdict *b)
{
	if (a->drop != b->drop || a->copies != b->copies || a->depart_ns != b->depart_ns ||
		a->flips != b->flips)
		return false;
	for (unsigned int i = 0; i < a->flips; i++)
		if (a->flip[i].off != b->flip[i].off || a->flip[i].mask != b->flip[i].mask)
			return false;
	return true;
}

#define between(x, lo, hi) assert_in_range(x, lo, hi)

T(a_perfect_link_changes_nothing)
{
	struct plx_impair im = link_of("seed=1");

	for (plx_ns now = 0; now < 1000; now++) {
		struct plx_impair_verdict v = send(&im, now);

		eq(v.drop, PLX_DROP_NONE);
		eq(v.copies, 1);
		eq(v.depart_ns, now);
		eq(v.flips, 0);
	}
}

T(the_same_seed_gives_the_same_verdicts)
{
	const char *text = "seed=9,loss=10%,ge=5%:30%,dup=10%,corrupt=10%:4,delay=1ms,jitter=1ms,"
			   "dist=normal,reorder=10%,rate=1gbit,queue=100k";
	struct plx_impair a = link_of(text), b = link_of(text), c = link_of(text);
	unsigned int differ = 0;

	c.conf.seed = 10;
	eq(plx_impair_init(&c, &c.conf), 0);
	for (plx_ns now = 0; now < PLX_MS(20); now += PLX_US(5)) {
		struct plx_impair_verdict va = send(&a, now), vb = send(&b, now),
					  vc = send(&c, now);

		ok(same(&va, &vb));
		differ += !same(&va, &vc);
	}
	ok(differ > 1000);
	ok(a.stats.lost && a.stats.duplicated && a.stats.corrupted && a.stats.reordered);
}

/* Change everything but the loss: the same packets are lost. */
T(the_models_draw_apart)
{
	struct plx_impair plain = link_of("seed=3,loss=10%,ge=2%:50%");
	struct plx_impair busy =
		link_of("seed=3,loss=10%,ge=2%:50%,dup=30%,corrupt=20%:8,delay=1ms,"
			"jitter=5ms,dist=normal,reorder=50%,gap=3,rate=1mbit");

	for (int i = 0; i < 5000; i++)
		eq(send(&plain, i).drop, send(&busy, i).drop);
}

T(more_loss_loses_the_same_packets_and_more)
{
	struct plx_impair few = link_of("seed=3,loss=1%"), many = link_of("seed=3,loss=5%");

	for (int i = 0; i < 5000; i++) {
		bool lost = send(&few, 0).drop != PLX_DROP_NONE;

		ok(send(&many, 0).drop != PLX_DROP_NONE || !lost);
	}
	ok(few.stats.lost < many.stats.lost);
}

T(uniform_loss_loses_its_share)
{
	struct plx_impair im = link_of("loss=1%,seed=5");

	between(lost_of(&im, 100000), 900, 1100); /* 1000 +- 3.2 sigma */
	im = link_of("loss=100%");
	eq(lost_of(&im, 1000), 1000);
}

/* Burst lengths are geometric with mean 1/r, gaps with mean 1/p. */
T(gilbert_elliott_loses_in_bursts)
{
	struct plx_impair im = link_of("ge=1%:20%,seed=6");
	unsigned int lost = 0, bursts = 0, singles = 0, run = 0;

	for (int i = 0; i < 200000; i++) {
		if (send(&im, 0).drop) {
			bursts += run++ == 0;
			lost++;
		} else {
			singles += run == 1;
			run = 0;
		}
	}
	between(lost, 200000 * 0.0476 * 0.93, 200000 * 0.0476 * 1.07); /* p / (p + r) */
	between(lost * 100 / bursts, 470, 530);			       /* mean 1/r = 5 */
	between(singles * 1000 / bursts, 170, 230);		       /* P(length 1) = r */
}

T(gilbert_elliott_states_lose_their_own_share)
{
	struct plx_impair im = link_of("ge=50%:50%:40%:10%,seed=7");

	between(lost_of(&im, 100000), 24200, 25800); /* half of each: 25 % */
}

T(every_nth_and_the_named_ones_are_lost)
{
	struct plx_impair im = link_of("nth=4,drop=1/6/7/9");
	static const char fate[] = "x..x.xxxx..x...x";

	for (size_t i = 0; i < sizeof(fate) - 1; i++)
		eq(send(&im, 0).drop, fate[i] == 'x' ? PLX_DROP_IMPAIR_LOSS : PLX_DROP_NONE);
}

/* A TCP header's start: what aims look at, behind 4 bytes of something. */
static enum plx_drop send_tcp(struct plx_impair *im, uint8_t flags, uint32_t l4_off)
{
	uint8_t data[24] = {0xaa, 0xbb, [4 + 13] = flags};
	struct plx_impair_verdict v;

	plx_impair_decide(im, 0,
		&(struct plx_impair_pkt){
			.bytes = 60, .data = data, .data_len = sizeof(data), .l4_off = l4_off},
		&v);
	return v.drop;
}

T(aimed_loss_takes_the_second_syn_ack)
{
	enum { SYN = 2, ACK = 16, SYN_ACK = 18 };
	struct plx_impair im = link_of("aim=l4+13:12/12:2");

	eq(send_tcp(&im, SYN, 4), PLX_DROP_NONE);
	eq(send_tcp(&im, SYN_ACK, 4), PLX_DROP_NONE);
	eq(send_tcp(&im, ACK, 4), PLX_DROP_NONE);
	eq(send_tcp(&im, SYN_ACK | 1, 4), PLX_DROP_IMPAIR_LOSS);
	eq(send_tcp(&im, SYN_ACK, 4), PLX_DROP_NONE);
}

T(aimed_loss_needs_the_bytes_it_looks_at)
{
	struct plx_impair im = link_of("aim=l4+13:12"), frame = link_of("aim=0:aabb:2-3");
	struct plx_impair l4 = link_of("aim=l4+0:aabb"), end = link_of("aim=22:0000"),
			  past = link_of("aim=23:0000");

	eq(send_tcp(&im, 0x12, 0), PLX_DROP_NONE); /* no transport header known */
	eq(send_tcp(&l4, 0x12, 0), PLX_DROP_NONE);
	eq(send_tcp(&im, 0x12, 11), PLX_DROP_NONE); /* past the end */
	eq(send_tcp(&im, 0x12, UINT32_MAX), PLX_DROP_NONE);
	eq(send(&im, 0).drop, PLX_DROP_NONE); /* no data */
	eq(send_tcp(&im, 0x12, 4), PLX_DROP_IMPAIR_LOSS);

	eq(send_tcp(&frame, 0, 0), PLX_DROP_NONE);
	eq(send_tcp(&frame, 0, 0), PLX_DROP_IMPAIR_LOSS);
	eq(send_tcp(&frame, 0, 0), PLX_DROP_IMPAIR_LOSS);
	eq(send_tcp(&frame, 0, 0), PLX_DROP_NONE);

	eq(send_tcp(&end, 0, 0), PLX_DROP_IMPAIR_LOSS);
	eq(send_tcp(&past, 0, 0), PLX_DROP_NONE);
}

static bool odd_length(void *arg, const struct plx_impair_pkt *pkt)
{
	++*(int *)arg;
	return pkt->bytes & 1;
}

T(a_predicate_picks_packets)
{
	int calls = 0;
	struct plx_impair_conf c = {.pick = odd_length, .pick_arg = &calls};
	struct plx_impair_verdict v;
	struct plx_impair im;

	eq(plx_impair_init(&im, &c), 0);
	plx_impair_decide(&im, 0, &(struct plx_impair_pkt){.bytes = 61}, &v);
	eq(v.drop, PLX_DROP_IMPAIR_LOSS);
	plx_impair_decide(&im, 0, &(struct plx_impair_pkt){.bytes = 60}, &v);
	eq(v.drop, PLX_DROP_NONE);
	eq(calls, 2);
}

T(some_packets_leave_twice)
{
	struct plx_impair im = link_of("dup=2%,seed=8");
	unsigned int copies = 0;

	for (int i = 0; i < 50000; i++)
		copies += send(&im, 0).copies;
	between(copies, 50900, 51100);
	eq(im.stats.duplicated, copies - 50000);
}

T(corruption_flips_so_many_different_bits_inside_of_the_packet)
{
	struct plx_impair im = link_of("corrupt=50%:8,seed=9");
	unsigned int hit = 0, seen[3] = {0};

	for (int i = 0; i < 4000; i++) {
		struct plx_impair_verdict v;
		uint8_t data[3] = {0};
		unsigned int bits = 0;

		plx_impair_decide(&im, 0, &(struct plx_impair_pkt){.bytes = 3}, &v);
		for (unsigned int k = 0; k < v.flips; k++) {
			ok(v.flip[k].off < 3);
			data[v.flip[k].off] ^= v.flip[k].mask;
		}
		for (int k = 0; k < 3; k++) {
			bits += (unsigned int)__builtin_popcount(data[k]);
			seen[k] |= data[k];
		}
		eq(bits, v.flips);
		ok(bits == 0 || bits == 8);
		hit += bits == 8;
	}
	between(hit, 1900, 2100);
	eq(im.stats.corrupted, hit);
	for (int k = 0; k < 3; k++)
		eq(seen[k], 0xff);
}

T(one_bit_is_flipped_unless_more_are_asked_for)
{
	struct plx_impair im = link_of("corrupt=100%");

	eq(send(&im, 0).flips, 1);
	eq(im.stats.corrupted, 1);
}

T(an_empty_packet_has_no_bit_to_flip)
{
	struct plx_impair im = link_of("corrupt=100%");
	struct plx_impair_verdict v;

	plx_impair_decide(&im, 0, &(struct plx_impair_pkt){.bytes = 0}, &v);
	eq(v.flips, 0);
	eq(v.drop, PLX_DROP_NONE);
}

T(delay_without_jitter_is_exact)
{
	struct plx_impair im = link_of("delay=10ms");

	eq(departs(&im, PLX_MS(0)), PLX_MS(10));
	eq(departs(&im, PLX_MS(3)), PLX_MS(13));
}

T(uniform_jitter_stays_in_its_bounds_and_reaches_them)
{
	struct plx_impair im = link_of("delay=10us,jitter=4ns,seed=10");
	unsigned int hits[9] = {0};

	for (int i = 0; i < 9000; i++) {
		plx_ns d = departs(&im, 0) - (PLX_US(10) - 4);

		assert_in_range(d, 0, 8);
		hits[d]++;
	}
	for (int i = 0; i < 9; i++)
		between(hits[i], 850, 1150);
}

T(normal_jitter_has_its_standard_deviation)
{
	struct plx_impair im = link_of("delay=100ms,jitter=10ms,dist=normal,seed=11");
	unsigned int one = 0, two = 0, above = 0;
	double sum = 0;

	for (int i = 0; i < 50000; i++) {
		plx_ns d = departs(&im, 0) - PLX_MS(100);

		sum += (double)d;
		one += llabs(d) <= PLX_MS(10);
		two += llabs(d) <= PLX_MS(20);
		above += d > 0;
		ok(llabs(d) <= PLX_MS(60));
	}
	between(one, 33700, 34600); /* 68.3 % */
	between(two, 47500, 47950); /* 95.4 % */
	between(above, 24600, 25400);
	ok(sum / 50000 > -200e3 && sum / 50000 < 200e3);
}

T(jitter_never_sends_into_the_past)
{
	struct plx_impair im = link_of("delay=1ms,jitter=5ms,seed=12");
	unsigned int at_once = 0;

	for (plx_ns now = 0; now < 1000; now++) {
		plx_ns d = departs(&im, now);

		ok(d >= now);
		at_once += d == now;
	}
	ok(at_once > 300);
}

T(jitter_overtakes_unless_told_to_keep_order)
{
	struct plx_impair wild = link_of("delay=5ms,jitter=4ms,seed=13");
	struct plx_impair tame = link_of("delay=5ms,jitter=4ms,seed=13,order=keep");
	plx_ns last_wild = 0, last_tame = 0;
	unsigned int overtakes = 0;

	for (plx_ns now = 0; now < PLX_MS(100); now += PLX_US(100)) {
		plx_ns w = departs(&wild, now), t = departs(&tame, now);

		overtakes += w < last_wild;
		last_wild = w;
		ok(t >= last_tame);
		ok(t >= w); /* order only ever waits */
		last_tame = t;
	}
	ok(overtakes > 100);
}

T(rate_serialises_back_to_back_packets)
{
	struct plx_impair im = link_of("rate=8mbit"); /* 1 us a byte */

	eq(departs(&im, PLX_MS(0)), PLX_MS(1));
	eq(departs(&im, PLX_MS(0)), PLX_MS(2));
	eq(departs(&im, PLX_US(1500)), PLX_MS(3));
	eq(departs(&im, PLX_MS(10)), PLX_MS(11)); /* a pause earns no credit */
	eq(departs(&im, PLX_MS(10)), PLX_MS(12));
}

T(rate_loses_no_fraction_of_a_nanosecond)
{
	struct plx_impair im = link_of("rate=7gbit"); /* 1142.857... ns a packet */
	plx_ns last = 0;

	for (int i = 0; i < 7000; i++)
		last = departs(&im, 0);
	eq(last, PLX_MS(8));
}

T(a_burst_leaves_at_once_after_a_pause)
{
	struct plx_impair im = link_of("rate=8mbit,burst=3000");

	for (int i = 0; i < 3; i++)
		eq(departs(&im, 0), 0);
	eq(departs(&im, 0), PLX_MS(1));
	eq(departs(&im, 0), PLX_MS(2));
	eq(departs(&im, PLX_MS(4)), PLX_MS(4)); /* credit for 2 ms */
	eq(departs(&im, PLX_MS(4)), PLX_MS(4));
	eq(departs(&im, PLX_MS(4)), PLX_MS(5));
}

T(the_rates_queue_is_bounded_in_bytes)
{
	struct plx_impair im = link_of("rate=8mbit,queue=3000");

	for (int i = 1; i <= 3; i++)
		eq(departs(&im, 0), PLX_MS(i));
	eq(send(&im, 0).drop, PLX_DROP_IMPAIR_QUEUE);
	eq(send(&im, PLX_US(999)).drop, PLX_DROP_IMPAIR_QUEUE);
	eq(departs(&im, PLX_MS(1)), PLX_MS(4)); /* one has left, so one fits */
	eq(im.stats.queue_full, 2);
	eq(im.stats.lost, 0);
}

T(a_burst_does_not_wait_in_the_queue)
{
	struct plx_impair im = link_of("rate=8mbit,burst=2000,queue=1000");

	eq(departs(&im, 0), 0);
	eq(departs(&im, 0), 0);
	eq(departs(&im, 0), PLX_MS(1));
	eq(send(&im, 0).drop, PLX_DROP_IMPAIR_QUEUE);
}

T(the_limit_counts_what_the_caller_holds)
{
	struct plx_impair im = link_of("limit=2,delay=1s,dup=100%");
	struct plx_impair_pkt pkt = {.bytes = 100};
	struct plx_impair_verdict v;

	plx_impair_decide(&im, 0, &pkt, &v);
	eq(v.copies, 2);
	pkt.held = 1;
	plx_impair_decide(&im, 0, &pkt, &v);
	eq(v.drop, PLX_DROP_NONE);
	eq(v.copies, 1); /* place for one */
	pkt.held = 2;
	plx_impair_decide(&im, 0, &pkt, &v);
	eq(v.drop, PLX_DROP_IMPAIR_QUEUE);
}

T(copies_take_their_time_on_the_link)
{
	struct plx_impair im = link_of("rate=8mbit,dup=100%,queue=3000");
	struct plx_impair_verdict v = send(&im, 0);

	eq(v.copies, 2);
	eq(v.depart_ns, PLX_MS(2));
	v = send(&im, 0); /* queue for one more */
	eq(v.copies, 1);
	eq(v.depart_ns, PLX_MS(3));
	eq(send(&im, 0).drop, PLX_DROP_IMPAIR_QUEUE);
}

T(a_reordered_packet_overtakes_those_in_the_delay)
{
	struct plx_impair im = link_of("delay=10ms,reorder=100%,gap=4");

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			eq(departs(&im, PLX_MS(round)), PLX_MS(round) + PLX_MS(10));
		eq(departs(&im, PLX_MS(round)), PLX_MS(round));
	}
	eq(im.stats.reordered, 3);
}

T(a_reordered_packet_is_held_back_so_that_others_overtake)
{
	struct plx_impair im = link_of("reorder=100%:5ms,gap=2");

	eq(departs(&im, 0), 0);
	eq(departs(&im, 0), PLX_MS(5));
	eq(departs(&im, PLX_MS(1)), PLX_MS(1));
	eq(departs(&im, PLX_MS(1)), PLX_MS(6));
}

T(keeping_order_does_not_wait_for_the_held_back)
{
	struct plx_impair im = link_of("delay=1ms,order=keep,reorder=100%:50ms,gap=2");

	eq(departs(&im, 0), PLX_MS(1));
	eq(departs(&im, 0), PLX_MS(51));
	eq(departs(&im, PLX_MS(1)), PLX_MS(2));
}

T(reordering_takes_its_share_after_the_gap)
{
	struct plx_impair im = link_of("delay=1ms,reorder=25%,gap=3,seed=14");

	for (int i = 0; i < 60000; i++)
		departs(&im, 0);
	/* A cycle is 2 packets in order and a geometric wait of mean 4: one in 6. */
	between(im.stats.reordered, 9700, 10300);
}

T(reordering_skips_the_delay_but_not_the_rate)
{
	struct plx_impair im = link_of("rate=8mbit,delay=10ms,reorder=100%,gap=2");

	eq(departs(&im, 0), PLX_MS(11));
	eq(departs(&im, 0), PLX_MS(2));
}

RUN(T_(a_perfect_link_changes_nothing), T_(the_same_seed_gives_the_same_verdicts),
	T_(the_models_draw_apart), T_(more_loss_loses_the_same_packets_and_more),
	T_(uniform_loss_loses_its_share), T_(gilbert_elliott_loses_in_bursts),
	T_(gilbert_elliott_states_lose_their_own_share), T_(every_nth_and_the_named_ones_are_lost),
	T_(aimed_loss_takes_the_second_syn_ack), T_(aimed_loss_needs_the_bytes_it_looks_at),
	T_(a_predicate_picks_packets), T_(some_packets_leave_twice),
	T_(corruption_flips_so_many_different_bits_inside_of_the_packet),
	T_(one_bit_is_flipped_unless_more_are_asked_for), T_(an_empty_packet_has_no_bit_to_flip),
	T_(delay_without_jitter_is_exact), T_(uniform_jitter_stays_in_its_bounds_and_reaches_them),
	T_(normal_jitter_has_its_standard_deviation), T_(jitter_never_sends_into_the_past),
	T_(jitter_overtakes_unless_told_to_keep_order), T_(rate_serialises_back_to_back_packets),
	T_(rate_loses_no_fraction_of_a_nanosecond), T_(a_burst_leaves_at_once_after_a_pause),
	T_(the_rates_queue_is_bounded_in_bytes), T_(a_burst_does_not_wait_in_the_queue),
	T_(the_limit_counts_what_the_caller_holds), T_(copies_take_their_time_on_the_link),
	T_(a_reordered_packet_overtakes_those_in_the_delay),
	T_(a_reordered_packet_is_held_back_so_that_others_overtake),
	T_(keeping_order_does_not_wait_for_the_held_back),
	T_(reordering_takes_its_share_after_the_gap),
	T_(reordering_skips_the_delay_but_not_the_rate))
