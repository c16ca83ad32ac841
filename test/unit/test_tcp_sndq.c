/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

/* ---- by hand ---- */

static uint32_t at(const struct tt *t, uint32_t rel)
{
	return tt_iss(t) + rel;
}

static void add(struct tt *t, uint32_t from, uint32_t to, uint8_t flags, plx_ns now)
{
	ok(tcp__sndq_reserve(&t->c, 1));
	tcp__sndq_add(&t->c, at(t, from), at(t, to), flags, now);
}

T(a_burst_is_one_run)
{
	static struct tt t;

	tt_up(&t);
	add(&t, 1, 1001, 0, 5);
	add(&t, 1001, 4001, 0, 5);
	eq(t.c.snd.run_n, 1);
	eq(t.c.packets_out, 4);
	add(&t, 4001, 4101, 0, 5); /* a short one is its last */
	eq(t.c.snd.run_n, 1);
	add(&t, 4101, 5101, 0, 5);
	add(&t, 5101, 6101, 0, 6); /* another time */
	eq(t.c.snd.run_n, 3);
	eq(t.c.packets_out, 7);
	tt_down(&t);
}

T(a_fin_rides_on_the_last_segment)
{
	static struct tt t;

	tt_up(&t);
	add(&t, 1, 1002, RUN_FIN, 5);
	eq(t.c.packets_out, 1);
	tcp__sndq_pop(&t.c);
	add(&t, 1, 2002, RUN_FIN, 5);
	eq(t.c.packets_out, 2);
	ok(tcp__sndq_split(&t.c, 0, at(&t, 1001)));
	eq(tcp__run(&t.c, 0)->segs, 1);
	eq(tcp__run(&t.c, 0)->flags, 0);
	eq(tcp__run(&t.c, 1)->segs, 1);
	eq(tcp__run(&t.c, 1)->flags, RUN_FIN);
	tcp__sndq_recount(&t.c, tcp__run(&t.c, 1));
	eq(t.c.packets_out, 2);
	tt_down(&t);
	tt_up(&t);
	add(&t, 1, 2, RUN_FIN, 5);
	eq(t.c.packets_out, 1);
	tt_down(&t);
}

T(another_mss_is_another_number_of_segments)
{
	static struct tt t;

	tt_up(&t);
	add(&t, 1, 4001, 0, 5);
	tcp__run_flag(&t.c, tcp__run(&t.c, 0), RUN_LOST, 0);
	t.c.snd.mss = 500;
	tcp__sndq_recount(&t.c, tcp__run(&t.c, 0));
	eq(t.c.packets_out, 8);
	eq(t.c.lost_out, 8);
	tt_down(&t);
}

T(what_is_acknowledged_in_part_keeps_the_rest)
{
	static struct tt t;

	tt_up(&t);
	add(&t, 1, 4001, 0, 5);
	tcp__sndq_trim(&t.c, at(&t, 2501));
	eq(t.c.packets_out, 2); /* the third one is there in part */
	tcp__sndq_trim(&t.c, at(&t, 4000));
	eq(t.c.packets_out, 1);
	tcp__sndq_pop(&t.c);
	eq(t.c.packets_out, 0);
	add(&t, 1, 4001, 0, 5);
	for (uint32_t b = 2; b < 4001; b++) /* in small steps */
		tcp__sndq_trim(&t.c, at(&t, b));
	eq(t.c.packets_out, 1);
	tt_down(&t);
}

T(without_memory_nothing_is_cut)
{
	static struct tt t;
	void *p[64];
	uint32_t n = 0;

	tt_up(&t);
	for (uint32_t i = 0; i < 8; i++)
		add(&t, 1 + 1000 * i, 1001 + 1000 * i, 0, 5 + i);
	eq(t.c.snd.run_n, 8);
	while (n < PLX_DIM(p) && (p[n] = plx_arena_alloc(&t.arena, 64 << 10)))
		n++;
	while (plx_arena_alloc(&t.arena, 384))
		;
	ok(!tcp__sndq_split(&t.c, 3, at(&t, 3501)));
	eq(t.c.snd.run_n, 8);
	eq(t.c.packets_out, 8);
	/* the arena goes as a whole */
	plx_arena_fini(&t.arena);
	free(t.mem);
}

/* ---- random operations against a record for each byte ---- */

#define M_BYTES 60000u
#define M_MSS	100u

static struct {
	uint8_t flags[M_BYTES];
	plx_ns sent_ns[M_BYTES];
	bool joined[M_BYTES]; /* was lost or SACKed: then only the latest time is known */
	uint32_t una, nxt;
} m;

/* The runs are one piece, say of each byte what the model says, and the counters are their sums. */
static void m_check(const struct plx_tcp *c)
{
	uint32_t seq = m.una, out = 0, sum[3] = {0};
	static const uint8_t bit[3] = {RUN_SACKED, RUN_LOST, RUN_RETRANS};

	for (uint32_t i = 0; i < c->snd.run_n; i++) {
		const struct tcp_run *r = tcp__run(c, i);
		uint32_t from = r->seq - TT_ISS, to = r->end - TT_ISS;

		eq(from, seq);
		ok(from < to);
		ok(r->segs >= tcp__segs(to - from, M_MSS));
		for (uint32_t b = from; b < to; b++) {
			eq(m.flags[b], r->flags);
			ok(m.joined[b] ? m.sent_ns[b] <= r->sent_ns : m.sent_ns[b] == r->sent_ns);
		}
		out += r->segs;
		for (int k = 0; k < 3; k++)
			sum[k] += r->flags & bit[k] ? r->segs : 0;
		seq = to;
		eq(tcp__sndq_find(c, r->seq), i);
		eq(tcp__sndq_find(c, r->end - 1), i);
	}
	eq(seq, m.nxt);
	eq(tcp__sndq_find(c, TT_ISS + m.nxt), c->snd.run_n);
	eq(out, c->packets_out);
	eq(sum[0], c->sacked_out);
	eq(sum[1], c->lost_out);
	eq(sum[2], c->retrans_out);
}

static void m_flag(uint32_t from, uint32_t to, uint8_t set, uint8_t clear)
{
	for (uint32_t b = from; b < to; b++) {
		m.flags[b] = (uint8_t)((m.flags[b] & ~clear) | set);
		m.joined[b] |= m.flags[b] & (RUN_SACKED | RUN_LOST);
	}
}

static void m_flags(struct plx_tcp *c, struct plx_rng *r)
{
	static const uint8_t set[] = {RUN_SACKED, RUN_LOST, RUN_RETRANS | RUN_EVER, 0};
	static const uint8_t clear[] = {RUN_LOST | RUN_RETRANS, RUN_RETRANS, RUN_LOST, RUN_SACKED};
	uint32_t i = (uint32_t)plx_rng_below(r, c->snd.run_n), k = (uint32_t)plx_rng_below(r, 4);
	struct tcp_run *run = tcp__run(c, i);

	m_flag(run->seq - TT_ISS, run->end - TT_ISS, set[k], clear[k]);
	tcp__run_flag(c, run, set[k], clear[k]);
}

static void m_ack(struct plx_tcp *c, uint32_t ack)
{
	while (c->snd.run_n && plx_seq_le(tcp__run(c, 0)->end, TT_ISS + ack))
		tcp__sndq_pop(c);
	if (c->snd.run_n && plx_seq_gt(TT_ISS + ack, tcp__run(c, 0)->seq))
		tcp__sndq_trim(c, TT_ISS + ack);
	m.una = ack;
}

static void m_add(struct plx_tcp *c, struct plx_rng *r, plx_ns now)
{
	uint32_t n = plx_rng_below(r, 4) ? M_MSS * (1 + (uint32_t)plx_rng_below(r, 9))
					 : 1 + (uint32_t)plx_rng_below(r, 250);

	if (m.nxt + n > M_BYTES)
		return;
	ok(tcp__sndq_reserve(c, 1));
	tcp__sndq_add(c, TT_ISS + m.nxt, TT_ISS + m.nxt + n, 0, now);
	for (uint32_t b = m.nxt; b < m.nxt + n; b++) {
		m.flags[b] = 0;
		m.joined[b] = false;
		m.sent_ns[b] = now;
	}
	m.nxt += n;
}

static void m_step(struct plx_tcp *c, struct plx_rng *r, plx_ns now)
{
	uint32_t b, i;

	if (m.una == m.nxt || plx_rng_below(r, 4) == 0) {
		m_add(c, r, now);
		return;
	}
	b = m.una + (uint32_t)plx_rng_below(r, m.nxt - m.una);
	switch (plx_rng_below(r, 6)) {
	case 0:
		if (plx_rng_below(r, 4) == 0)
			m_ack(c, b);
		break;
	case 1:
	case 2:
		i = tcp__sndq_find(c, TT_ISS + b);
		if (tcp__run(c, i)->seq != TT_ISS + b)
			ok(tcp__sndq_split(c, i, TT_ISS + b));
		break;
	case 3:
		tcp__sndq_join(c, tcp__sndq_find(c, TT_ISS + b));
		break;
	default:
		m_flags(c, r);
		break;
	}
}

T(random_operations_against_a_record_for_each_byte)
{
	struct plx_rng r;

	plx_rng_init(&r, t_seed(0x5d9));
	for (int round = 0; round < 60; round++) {
		static struct tt t;
		plx_ns now = 0;

		tt_up(&t);
		t.c.snd.mss = M_MSS;
		m.una = m.nxt = 1;
		for (int i = 0; i < 1500; i++) {
			now += (plx_ns)plx_rng_below(&r, 2);
			m_step(&t.c, &r, now);
			m_check(&t.c);
		}
		m_ack(&t.c, m.nxt);
		eq(t.c.packets_out + t.c.sacked_out + t.c.lost_out + t.c.retrans_out, 0);
		tt_down(&t);
	}
}

RUN(T_(a_burst_is_one_run), T_(a_fin_rides_on_the_last_segment),
	T_(another_mss_is_another_number_of_segments),
	T_(what_is_acknowledged_in_part_keeps_the_rest), T_(without_memory_nothing_is_cut),
	T_(random_operations_against_a_record_for_each_byte))
