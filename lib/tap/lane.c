/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <rte_cycles.h>

/*
 * What an lcore does for a tap: looks at each packet, and copies what is wanted into its ring. On
 * the way out packets are looked at before the driver has them, since it may free them at once: the
 * records are laid, and given to the reader when it is known how many were taken. The others are
 * taken back, to be looked at again; but if something was dropped in between, whose record lies
 * behind theirs, they are made void.
 *
 * With a ceiling each call in which something is looked at is measured, and one of LOOK of those in
 * which nothing is. Without one it is the same code with all that left out by the compiler.
 */

#define LOOK	      16
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What is the same for all packets of a call, and their time: they came together, or go together.
 */
struct call {
	const struct plx_tap *t;
	struct tap_lane *l;
	struct tap_sums *sum;
	const struct plx_pkt_seen *seen;
	plx_ns now_ns; /* 0: nobody has asked yet */
	uint8_t thin;  /* of plx_tap_every() */
};

/* A packet as it is to be copied. */
struct sight {
	const struct rte_mbuf *m;
	struct tap_view view;
	struct rte_mbuf whole;
	struct plx_pkt_seen seen;
	uint8_t flags;
	bool all;			/* wanted, whatever it is */
	const struct plx_pkt_bpf *prog; /* else what says so; NULL: nothing is */
};

/* An IP header whose length is that of a packet? */
static bool is_ip(const struct rte_mbuf *m)
{
	uint8_t buf[6];
	const uint8_t *p = rte_pktmbuf_read(m, 0, sizeof(buf), buf);

	if (!p)
		return false;
	if (p[0] >> 4 == 4)
		return (p[0] & 0xf) >= 5 && plx_get_be16(p + 2) >= 20 &&
		       plx_get_be16(p + 2) <= m->pkt_len;
	return p[0] >> 4 == 6 && plx_get_be16(p + 4) + 40u <= m->pkt_len;
}

/* From where it began when it came: the headers are still there. */
static void restore(struct sight *s, const struct plx_pkt_came *c)
{
	uint16_t more = (uint16_t)(s->m->data_off - c->start);

	s->whole = *s->m;
	s->whole.data_off = c->start;
	s->whole.data_len = (uint16_t)(s->whole.data_len + more);
	s->whole.pkt_len += more;
	s->m = &s->whole;
	s->seen.link = c->ip ? PLX_PKT_LINK_IP : PLX_PKT_LINK_ETHER;
	s->seen.port = c->port;
	s->seen.queue = c->queue;
}

/* What may have lost headers. */
static void look_back(struct sight *s)
{
	const struct plx_pkt_came *c = plx_pkt_came(s->m);

	if (c) {
		restore(s, c);
	} else {
		s->seen.link = is_ip(s->m) ? PLX_PKT_LINK_IP : PLX_PKT_LINK_ETHER;
		s->flags |= PLX_TAP_F_REST;
	}
}

/* Of what is at its points. */
static inline bool concerns(const struct plx_tap *t, const struct plx_pkt_seen *s)
{
	if (!(t->conf.directions & (s->out ? PLX_TAP_OUT : PLX_TAP_IN)))
		return false;
	if (s->port == PLX_PKT_NO_PORT)
		return t->conf.ports == UINT32_MAX && t->conf.queues == UINT32_MAX;
	return t->conf.ports >> s->port & 1 && t->conf.queues >> s->queue & 1;
}

/* Its filter, when it is known what it begins with. */
static void choose_filter(const struct plx_tap *t, struct sight *s)
{
	const struct plx_tap_filter *f = t->filter[s->seen.link];

	s->all = !t->conf.filter;
	s->prog = f ? tap__filter_prog(f, s->seen.out) : NULL;
}

static bool wanted(const struct sight *s)
{
	return s->all || (s->prog && plx_pkt_bpf_run(s->prog, s->m));
}

static uint8_t flags_of(const struct rte_mbuf *m)
{
	uint64_t ol = m->ol_flags;
	uint8_t f = 0;

	if (ol & RTE_MBUF_F_RX_RSS_HASH)
		f |= PLX_TAP_F_HASH;
	if (ol & (plx_pkt_partial_flag | RTE_MBUF_F_TX_L4_MASK))
		f |= PLX_TAP_F_CSUM_OPEN;
	else if ((ol & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		f |= PLX_TAP_F_CSUM_OK;
	if (ol & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_RX_LRO))
		f |= PLX_TAP_F_SUPER;
	return f;
}

static void copy(void *to, const struct rte_mbuf *m, uint32_t n)
{
	uint8_t *p = to;

	for (; m && n; m = m->next) {
		uint32_t part = PLX_MIN(n, (uint32_t)m->data_len);

		memcpy(p, rte_pktmbuf_mtod(m, const void *), part);
		p += part;
		n -= part;
	}
}

static plx_ns time_of(struct call *c)
{
	if (!c->now_ns)
		c->now_ns = tap__now(c->t);
	return c->now_ns;
}

static void fill(struct plx_tap_pkt *p, struct call *c, const struct sight *s, uint32_t caplen)
{
	struct rte_mbuf *m = (struct rte_mbuf *)(uintptr_t)s->m;
	const struct tap_lane *l = c->l;

	p->kind = PLX_TAP_PKT;
	p->point = s->seen.point;
	p->link = s->seen.link;
	p->flags = (uint8_t)(s->flags | flags_of(m));
	p->ts_ns = time_of(c);
	p->caplen = caplen;
	p->len = m->pkt_len;
	p->hash = m->hash.rss;
	p->lost = (uint32_t)(l->sums.lost + (l->stage.open ? l->stage.sums.lost : 0));
	p->port = s->seen.port;
	p->queue = s->seen.queue;
	p->thin = c->thin;
	p->reason = s->seen.reason;
	p->wire_pkts = (uint16_t)plx_pkt_wire(m);
	copy(p + 1, m, caplen);
}

/* Until the next one. The gap is every - 1 on average, and even: what comes in step is seen as
 * well.
 */
static uint32_t draw(struct tap_lane *l, uint32_t every)
{
	return every > 1 ? (uint32_t)plx_rng_below(&l->rng, 2 * (uint64_t)every - 1) : 0;
}

/* @return how many of the next n packets are not in the sample; 0: the next one is. */
static uint16_t leave_out(struct call *c, uint16_t n)
{
	const struct plx_tap *t = c->t;
	struct tap_lane *l = c->l;
	uint16_t gap;

	if (t->conf.sample <= 1)
		return 0;
	gap = (uint16_t)PLX_MIN(l->skip, (uint32_t)n);
	if (gap) {
		l->skip -= gap;
		plx_count(c->sum->sampled, gap);
		return gap;
	}
	l->skip = draw(l, t->conf.sample);
	return 0;
}

static void count_missed(struct tap_sums *sum, uint16_t n)
{
	plx_count(sum->lost, n);
	plx_count(sum->missed, n);
}

/* @return how many of the next n packets cost too much; 0: the next one does not. */
static uint16_t miss_out(struct call *c, uint16_t n)
{
	struct tap_lane *l = c->l;
	uint16_t gap = l->cost.closed ? n : (uint16_t)PLX_MIN(l->miss, (uint32_t)n);

	if (gap) {
		l->miss -= PLX_MIN(l->miss, (uint32_t)gap);
		count_missed(c->sum, gap);
		return gap;
	}
	l->miss = draw(l, plx_tap_every(l->cost.rung));
	return 0;
}

/* Of the next n packets: how many are left out, for whatever reason. */
static ALWAYS_INLINE uint16_t pass_by(struct call *c, uint16_t n, bool costs)
{
	uint16_t gap = costs ? miss_out(c, n) : 0;

	return gap ? gap : leave_out(c, costs ? 1 : n);
}

PLX_NOINLINE static void take(struct call *c, const struct sight *s)
{
	uint32_t caplen = PLX_MIN(s->m->pkt_len, c->t->conf.snap_bytes);
	struct plx_tap_pkt *p = tap_ring_lay(&c->l->ring, tap_rec_bytes(caplen));

	if (plx_unlikely(!p)) {
		plx_count(c->sum->lost, 1);
		return;
	}
	fill(p, c, s, caplen);
	if (plx_unlikely(c->t->n_matches))
		tap__record_look(c->l, p, s->m);
	plx_count(c->sum->accepted, 1);
	plx_count(c->sum->bytes, caplen);
}

/* What it is, and of which port, is known from what was noted only. */
static bool is_late(const struct plx_pkt_seen *s)
{
	return s->link == PLX_PKT_LINK_UNKNOWN;
}

static void judge(struct call *c, struct sight *s)
{
	if (s->seen.link == PLX_PKT_LINK_ETHER)
		s->m = tap__view(&s->view, s->m);
	if (wanted(s))
		take(c, s);
	else
		plx_count(c->sum->filtered, 1);
}

static void mark(struct tap_stage *st, const struct tap_lane *l, uint16_t i)
{
	st->at[i] = (struct tap_mark){
		.laid = l->ring.laid, .skip = l->skip, .miss = l->miss, .sums = st->sums};
}

/* With its own registers: refused packets are the most frequent thing by far. */
PLX_NOINLINE static uint16_t refused(const struct plx_pkt_bpf *prog, struct rte_mbuf *const *pkts,
	uint16_t n, uint64_t tags, bool *wanted)
{
	return plx_pkt_bpf_refused(prog, pkts, n, tags, wanted);
}

static uint64_t tags_of(const struct sight *s)
{
	return s->seen.link == PLX_PKT_LINK_ETHER ? TAP_TAGS : 0;
}

/* All of a call, where nothing is left out, and nothing has to be known of each: by a program. */
static ALWAYS_INLINE void sift(struct call *c, struct sight *s, struct tap_stage *st,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	uint64_t tags = tags_of(s);

	for (uint16_t i = 0, gap; i < n; i++) {
		bool yes;

		if (st)
			mark(st, c->l, i);
		gap = refused(s->prog, pkts + i, st ? 1 : (uint16_t)(n - i), tags, &yes);
		if (gap) {
			plx_count(c->sum->filtered, gap);
			i = (uint16_t)(i + gap - 1);
			continue;
		}
		s->m = pkts[i];
		if (plx_unlikely(s->m->ol_flags & tags))
			s->m = tap__view(&s->view, s->m);
		if (yes || plx_pkt_bpf_run(s->prog, s->m))
			take(c, s);
		else
			plx_count(c->sum->filtered, 1);
	}
}

/* The same without one: each, or none. */
static ALWAYS_INLINE void take_all(struct call *c, struct sight *s, struct tap_stage *st,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	uint64_t tags = tags_of(s);

	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];

		if (st)
			mark(st, c->l, i);
		if (plx_unlikely(m->ol_flags & tags))
			m = tap__view(&s->view, m);
		s->m = m;
		if (s->all)
			take(c, s);
		else
			plx_count(c->sum->filtered, 1);
	}
}

/* @param st where to note how far things were in front of each packet; NULL: nowhere. */
static ALWAYS_INLINE void judge_all(
	struct call *c, struct tap_stage *st, struct rte_mbuf *const *pkts, uint16_t n, bool costs)
{
	uint8_t flags = c->seen->out ? PLX_TAP_F_OUT : 0;
	bool late = is_late(c->seen), some = !late && (costs || c->t->conf.sample > 1);
	struct sight s;
	uint16_t gap;

	s.seen = *c->seen;
	s.flags = flags;
	if (!late)
		choose_filter(c->t, &s);
	if (!late && !some) {
		if (s.prog)
			sift(c, &s, st, pkts, n);
		else
			take_all(c, &s, st, pkts, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++) {
		if (st)
			mark(st, c->l, i);
		gap = some ? pass_by(c, st ? 1 : (uint16_t)(n - i), costs) : 0;
		if (gap) {
			i = (uint16_t)(i + gap - 1);
			continue;
		}
		s.m = pkts[i];
		if (plx_unlikely(late)) {
			s.seen = *c->seen;
			s.flags = flags;
			look_back(&s);
			if (!concerns(c->t, &s.seen) || pass_by(c, 1, costs))
				continue;
			choose_filter(c->t, &s);
		}
		judge(c, &s);
	}
}

/* May it be at a port that is only known from what was noted? */
static bool may_concern(const struct plx_tap *t, const struct plx_pkt_seen *s)
{
	return is_late(s) ? t->conf.directions & (s->out ? PLX_TAP_OUT : PLX_TAP_IN)
			  : concerns(t, s);
}

/* In a gap of the sample? Then that is all. Nearly all calls, of one packet in many. */
static inline bool skip_all(
	const struct plx_tap *t, struct tap_lane *l, const struct plx_pkt_seen *s, uint16_t n)
{
	if (l->skip < n || t->conf.max_cost_ppm || is_late(s) || s->point == PLX_PKT_AT_TX)
		return false;
	l->skip -= n;
	plx_count(l->sums.sampled, n);
	return true;
}

/* ---- on the way out ---- */

static ALWAYS_INLINE void stage(
	struct call *c, struct rte_mbuf *const *pkts, uint16_t n, bool costs)
{
	struct tap_stage *st = &c->l->stage;

	st->sums = (struct tap_sums){0};
	st->open = true;
	c->sum = &st->sums;
	judge_all(c, st, pkts, n, costs);
	mark(st, c->l, n);
	st->n = n;
}

static void settle(struct tap_lane *l, uint16_t n)
{
	struct tap_stage *st = &l->stage;
	const struct tap_mark *now = &st->at[n], *end = &st->at[st->n];

	if (l->ring.laid == end->laid) {
		tap_ring_retract(&l->ring, now->laid);
		l->skip = now->skip;
		l->miss = now->miss;
	} else {
		tap_ring_void(&l->ring, now->laid, end->laid);
	}
	plx_count(l->sums.accepted, now->sums.accepted);
	plx_count(l->sums.filtered, now->sums.filtered);
	plx_count(l->sums.lost, now->sums.lost);
	plx_count(l->sums.missed, now->sums.missed);
	plx_count(l->sums.sampled, now->sums.sampled);
	plx_count(l->sums.bytes, now->sums.bytes);
	st->open = false;
	tap_ring_give(&l->ring);
}

static ALWAYS_INLINE void see_all(
	struct call *c, struct rte_mbuf *const *pkts, uint16_t n, bool costs)
{
	if (c->seen->point == PLX_PKT_AT_TX) {
		stage(c, pkts, n, costs);
		return;
	}
	judge_all(c, NULL, pkts, n, costs);
	if (!c->l->stage.open)
		tap_ring_give(&c->l->ring);
}

/* ---- with a ceiling ---- */

/* Does it see whatever comes in a direction? */
static bool sees_all_ports(const struct plx_tap *t)
{
	return t->conf.ports == UINT32_MAX && t->conf.queues == UINT32_MAX;
}

static void missed(struct tap_lane *l, uint16_t n)
{
	l->miss -= PLX_MIN(l->miss, (uint32_t)n);
	count_missed(&l->sums, n);
}

/* @return whether none of them is looked at: that is all, then. */
static bool miss_all(struct call *c, uint16_t n)
{
	struct tap_lane *l = c->l;

	if (!l->cost.closed && l->miss < n)
		return false;
	if (is_late(c->seen) && !sees_all_ports(c->t))
		return false; /* some may be none of its affair */
	if (c->seen->point == PLX_PKT_AT_TX)
		l->stage.passed = true;
	else
		missed(l, n);
	return true;
}

static void spent(struct tap_lane *l, uint64_t begin, uint32_t times)
{
	if (tap__cost_spent(&l->cost, begin, rte_rdtsc(), times))
		l->miss = draw(l, plx_tap_every(l->cost.rung));
}

PLX_NOINLINE static void see_within(struct call *c, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct tap_lane *l = c->l;
	bool tx = c->seen->point == PLX_PKT_AT_TX;
	uint32_t times = LOOK;
	uint64_t begin;

	if (tx)
		l->standing = 0;
	if (++l->calls % LOOK && miss_all(c, n))
		return;
	begin = rte_rdtsc();
	if (!miss_all(c, n)) {
		c->thin = l->cost.rung;
		see_all(c, pkts, n, l->cost.rung > 1 || l->cost.closed || l->miss);
		times = 1;
	}
	if (tx) {
		l->staging = rte_rdtsc() - begin;
		l->staging -= PLX_MIN(l->staging, l->cost.asking);
		l->standing = times;
	} else {
		spent(l, begin, times);
	}
}

PLX_NOINLINE static void took_within(struct tap_lane *l, uint16_t n)
{
	uint64_t begin = l->standing ? rte_rdtsc() - l->staging : 0;

	if (l->stage.passed) {
		l->stage.passed = false;
		missed(l, n);
	} else {
		settle(l, n);
	}
	if (l->standing)
		spent(l, begin, l->standing);
}

/* ---- what hangs at a point ---- */

static const struct tap_list *list_of(const struct plx_pkt_watch *w)
{
	return plx_container_of(w, struct tap_list, watch);
}

PLX_NOINLINE static void look(const struct plx_tap *t, struct tap_lane *l,
	const struct plx_pkt_seen *s, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct call c = {.t = t, .l = l, .sum = &l->sums, .seen = s};

	if (plx_unlikely(t->conf.max_cost_ppm))
		see_within(&c, pkts, n);
	else
		see_all(&c, pkts, n, false);
}

PLX_NOINLINE static void show_all(const struct tap_list *list, const struct plx_pkt_seen *s,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	unsigned int lcore = rte_lcore_id();

	if (list->notes)
		plx_pkt_came_note(s, pkts, n);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct plx_tap *t = list->tap[i];
		struct tap_lane *l = t->lane[lcore];

		if (may_concern(t, s) && !skip_all(t, l, s, n))
			look(t, l, s, pkts, n);
	}
}

/* One tap that leaves them out, before anything is saved and set up for others. */
void tap__see(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	const struct tap_list *list = list_of(w);
	const struct plx_tap *t;

	if (list->n == 1 && !list->notes) {
		t = list->tap[0];
		if (may_concern(t, s) && skip_all(t, t->lane[rte_lcore_id()], s, n))
			return;
	}
	show_all(list, s, pkts, n);
}

void tap__took(const struct plx_pkt_watch *w, const struct plx_pkt_seen *s, uint16_t n)
{
	const struct tap_list *list = list_of(w);
	unsigned int lcore = rte_lcore_id();

	for (uint32_t i = 0; i < list->n; i++) {
		const struct plx_tap *t = list->tap[i];
		struct tap_lane *l = t->lane[lcore];

		if (!may_concern(t, s))
			continue;
		if (plx_unlikely(t->conf.max_cost_ppm))
			took_within(l, n);
		else
			settle(l, n);
	}
}
