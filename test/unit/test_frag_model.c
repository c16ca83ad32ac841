/* SPDX-License-Identifier: BSD-3-Clause */
#include "frag_t.h"

/*
 * The naive model: for each datagram a map of bytes, and a list of what was held. No limits apply,
 * so each verdict is known.
 */
#define M_KEYS	6
#define M_BYTES 512

struct model {
	bool live;
	enum plx_drop refused;
	plx_ns since;
	uint8_t map[M_BYTES];	      /* number of the fragment that brought the byte, from 1 */
	struct plx_frag_in part[128]; /* [number] */
	int n;
	uint32_t end;
};

static uint32_t m_top(const struct model *m)
{
	uint32_t top = 0;

	for (uint32_t i = 0; i < M_BYTES; i++)
		if (m->map[i])
			top = i + 1;
	return top;
}

static enum plx_drop m_verdict(const struct model *m, const struct plx_frag_in *in)
{
	uint32_t end = in->off + in->len;

	if (in->len == 0 || (in->more && in->len % 8))
		return PLX_DROP_FRAG_MALFORMED;
	if (m->refused)
		return m->refused;
	if (m->end && (in->more ? end >= m->end : end != m->end))
		return PLX_DROP_FRAG_MALFORMED;
	if (!m->end && !in->more && m->n && m_top(m) >= end)
		return PLX_DROP_FRAG_MALFORMED;
	for (int i = 1; i <= m->n; i++)
		if (m->part[i].off == in->off && m->part[i].len == in->len)
			return PLX_DROP_FRAG_DUPLICATE;
	for (uint32_t i = in->off; i < end; i++)
		if (m->map[i])
			return PLX_DROP_FRAG_OVERLAP;
	return PLX_DROP_NONE;
}

static bool m_full(const struct model *m)
{
	for (uint32_t i = 0; i < m->end; i++)
		if (!m->map[i])
			return false;
	return m->end != 0;
}

/* Mostly one of the five parts of a datagram of 73 bytes, now and then anything. */
static struct plx_frag_in m_random(struct plx_rng *r, uint32_t id)
{
	uint32_t part = plx_rng_below(r, 5), off = 16 * part, len = part == 4 ? 9 : 16;
	bool more = part != 4;

	if (plx_rng_below(r, 16) == 0) {
		more = plx_rng_below(r, 3) != 0;
		off = 8 * plx_rng_below(r, 12);
		len = plx_rng_below(r, 2) ? 8 * plx_rng_below(r, 4) : plx_rng_below(r, 32);
	}
	if (off == 0 && !more)
		more = true; /* not the atomic ones */
	return id & 1 ? frag6(id, off, len, more) : frag(id, off, len, more);
}

/* Those held came back, each once, with this reason. */
static void m_dead(struct ft *t, struct model *m, enum plx_drop why)
{
	for (int i = 0; i < m->n; i++) {
		struct plx_frag_dead d;
		int j = 1;

		ok(plx_frag_pop_dead(t->f, &d));
		eq(d.reason, why);
		while (j <= m->n && m->part[j].pkt != d.pkt)
			j++;
		ok(j <= m->n);
		eq(d.time_exceeded, why == PLX_DROP_FRAG_TIMEOUT && m->part[j].off == 0);
		m->part[j].pkt = NULL;
	}
	none_dead(t);
}

static void m_expire(struct ft *t, struct model *models, plx_ns now)
{
	for (;;) {
		struct model *first = NULL;
		plx_ns at = PLX_NEVER;

		for (int id = 0; id < M_KEYS; id++) {
			plx_ns due = models[id].since + PLX_SEC(id & 1 ? 60 : 30);

			if ((models[id].live || models[id].refused) && due < at)
				at = due, first = &models[id];
		}
		eq(plx_frag_deadline(t->f), at);
		if (at > now)
			return;
		plx_frag_timer(t->f, at);
		m_dead(t, first, PLX_DROP_FRAG_TIMEOUT);
		*first = (struct model){0};
	}
}

static void m_step(struct ft *t, struct model *m, struct plx_frag_in in, plx_ns now)
{
	enum plx_drop want = m_verdict(m, &in), got = give(t, in, now);

	in.pkt = PKT(t->next_pkt);
	eq(got, want);
	if (want == PLX_DROP_NONE) {
		if (!m->live)
			m->live = true, m->since = now;
		m->part[++m->n] = in;
		memset(m->map + in.off, m->n, in.len);
		if (!in.more)
			m->end = in.off + in.len;
		eq(t->out.n, m_full(m) ? m->n : 0);
		for (uint32_t i = 0; i < t->out.n; i++)
			eq((uintptr_t)t->out.piece[i].pkt,
				(uintptr_t)m->part[m->map[t->out.piece[i].off]].pkt);
		if (t->out.n)
			*m = (struct model){0};
	} else if (m->live && want != PLX_DROP_FRAG_DUPLICATE && in.len &&
		   (!in.more || in.len % 8 == 0)) {
		m_dead(t, m, want);
		*m = (struct model){.refused = want, .since = now};
	}
	none_dead(t);
}

T(random_fragments_against_a_map_of_bytes)
{
	static struct model models[M_KEYS];
	struct ft t = up();
	struct plx_rng r;
	plx_ns now = 0;

	plx_rng_init(&r, t_seed(0xf4a6));
	for (int i = 0; i < 200000; i++) {
		uint32_t id = plx_rng_below(&r, M_KEYS);
		plx_ns next = now + plx_rng_below(&r, PLX_SEC(1));

		/* Two of one moment would make the order of their ends undecided. */
		now = next + 1;
		m_expire(&t, models, now);
		m_step(&t, &models[id], m_random(&r, id), now);
	}
	ok(plx_frag_stats(t.f)->v4.oks > 100);
	ok(plx_frag_stats(t.f)->v6.timeouts > 100);
	down(&t);
}

/* Under tight limits verdicts depend on history; that each packet comes out once does not. */
T(under_pressure_each_packet_comes_out_once)
{
	static uint8_t in_table[200001];
	bool seen[PLX_DROP_MAX] = {false};
	struct plx_frag_conf c = conf();
	struct plx_frag_dead d;
	struct plx_rng r;
	plx_ns now = 0;
	struct ft t;

	c.datagrams = 5;
	c.pieces = 11;
	c.limits.memory_bytes = 9000;
	c.limits.source_bytes = 6000;
	c.limits.datagram_pieces = 6;
	c.limits.buffers = 14;
	t = up_with(&c);
	plx_rng_init(&r, t_seed(0xf4a7));
	for (int i = 0; i < 200000; i++) {
		struct plx_frag_in in = m_random(&r, plx_rng_below(&r, 3));

		in.key.src.b[15] = plx_rng_below(&r, 2);
		in.charge = 300 + plx_rng_below(&r, 900);
		in.buffers = 1 + (uint32_t)plx_rng_below(&r, 3);
		now += plx_rng_below(&r, PLX_SEC(2));
		if (give(&t, in, now) == PLX_DROP_NONE)
			in_table[t.next_pkt] = 1;
		for (uint32_t k = 0; k < t.out.n; k++)
			ok(in_table[(uintptr_t)t.out.piece[k].pkt]--);
		plx_frag_timer(t.f, now);
		while (plx_frag_pop_dead(t.f, &d)) {
			seen[d.reason] = true;
			ok(in_table[(uintptr_t)d.pkt]--);
		}
		ok(plx_frag_stats(t.f)->memory_bytes <= 9000);
		ok(plx_frag_stats(t.f)->held <= 11);
		ok(plx_frag_stats(t.f)->buffers <= 14);
		ok(plx_frag_stats(t.f)->datagrams + plx_frag_stats(t.f)->refused <= 5);
	}
	plx_frag_fini(t.f);
	while (plx_frag_pop_dead(t.f, &d))
		ok(in_table[(uintptr_t)d.pkt]--);
	for (size_t i = 0; i < sizeof(in_table); i++)
		ok(!in_table[i]);
	ok(seen[PLX_DROP_FRAG_MEMORY] && seen[PLX_DROP_FRAG_PER_SOURCE]);
	ok(seen[PLX_DROP_FRAG_BUFFERS]);
	ok(seen[PLX_DROP_FRAG_TIMEOUT] && seen[PLX_DROP_FRAG_OVERLAP]);
	ok(plx_frag_stats(t.f)->v4.oks > 100);
	down(&t);
}

RUN(T_(random_fragments_against_a_map_of_bytes), T_(under_pressure_each_packet_comes_out_once))
