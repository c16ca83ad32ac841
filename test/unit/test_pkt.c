/* SPDX-License-Identifier: BSD-3-Clause */
#include "t_eal.h"

#include <errno.h>

#include <plx_base_cksum.h>
#include <plx_base_rng.h>

/* What a packet is made of. */
struct shape {
	bool v6;
	uint8_t proto;
	uint16_t l2, l3, l4_bytes; /* header bytes; transport header and payload */
	uint16_t cut;		   /* 0, or bytes of the first segment */
};

static uint32_t pseudo_of(const struct shape *s, const uint8_t *ip)
{
	struct plx_addr src, dst;

	src = s->v6 ? plx_addr_from_v6(ip + 8) : plx_addr_from_v4(ip + 12);
	dst = s->v6 ? plx_addr_from_v6(ip + 24) : plx_addr_from_v4(ip + 16);
	return plx_cksum_pseudo(&src, &dst, s->proto, s->l4_bytes);
}

/* Random bytes with both checksums left to the device, in one or two segments. */
static struct rte_mbuf *packet(const struct shape *s, struct plx_rng *rng)
{
	uint16_t bytes = s->l2 + s->l3 + s->l4_bytes, pseudo;
	uint8_t f[1500];
	struct rte_mbuf *m, *rest;

	plx_rng_bytes(rng, f, bytes);
	pseudo = plx_cksum_fold(pseudo_of(s, f + s->l2));
	memcpy(f + s->l2 + s->l3 + (s->proto == 6 ? 16 : 6), &pseudo, 2);
	m = t_mbuf(f, s->cut ? s->cut : bytes);
	if (s->cut) {
		rest = rte_pktmbuf_alloc(t_pool);
		memcpy(rte_pktmbuf_append(rest, bytes - s->cut), f + s->cut, bytes - s->cut);
		eq(rte_pktmbuf_chain(m, rest), 0);
	}
	m->l2_len = s->l2;
	m->l3_len = s->l3;
	m->ol_flags |= s->proto == 6 ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	m->ol_flags |= s->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	return m;
}

static void check_filled(const struct shape *s, struct rte_mbuf *m)
{
	uint8_t f[1500];
	const uint8_t *p = rte_pktmbuf_read(m, 0, m->pkt_len, f);
	uint32_t sum = pseudo_of(s, p + s->l2);

	eq(plx_cksum_finish(plx_cksum_add(sum, p + s->l2 + s->l3, s->l4_bytes)), 0);
	if (!s->v6)
		eq(plx_cksum_ip4(p + s->l2, s->l3), 0);
	eq(m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK), 0);
}

T(checksums_are_filled_whatever_the_shape)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int i = 0; i < 4000; i++) {
		struct shape s = {.v6 = i & 1,
			.proto = i & 2 ? 6 : 17,
			.l2 = (uint16_t)(14 + 4 * plx_rng_below(&rng, 3)),
			.l4_bytes = (uint16_t)(20 + plx_rng_below(&rng, 1300))};
		struct rte_mbuf *m;

		s.l3 = s.v6 ? 40 : (uint16_t)(20 + 4 * plx_rng_below(&rng, 11));
		if (i & 4)
			s.cut = (uint16_t)(s.l2 + s.l3 + 20 +
					   plx_rng_below(&rng, s.l4_bytes - 19u));
		m = packet(&s, &rng);
		eq(plx_pkt_csum_fill(m), 0);
		check_filled(&s, m);
		plx_pkt_deliver(m);
	}
}

/* However a packet is cut, and wherever the part that is summed lies. */
T(a_part_of_a_chain_is_summed_as_if_it_were_whole)
{
	struct plx_rng rng;
	uint8_t f[1500];

	plx_rng_init(&rng, t_seed(2));
	for (int i = 0; i < 4000; i++) {
		uint32_t bytes = 1 + (uint32_t)plx_rng_below(&rng, sizeof(f)), done;
		uint32_t off = (uint32_t)plx_rng_below(&rng, bytes + 1);
		uint32_t len = (uint32_t)plx_rng_below(&rng, bytes + 100);
		uint32_t there = PLX_MIN(len, bytes - off);
		struct rte_mbuf *m;

		plx_rng_bytes(&rng, f, bytes);
		done = 1 + (uint32_t)plx_rng_below(&rng, bytes);
		m = t_mbuf(f, (uint16_t)done);
		while (done < bytes) {
			uint32_t n = 1 + (uint32_t)plx_rng_below(&rng, bytes - done);
			struct rte_mbuf *more = rte_pktmbuf_alloc(t_pool);

			memcpy(rte_pktmbuf_append(more, (uint16_t)n), f + done, n);
			eq(rte_pktmbuf_chain(m, more), 0);
			done += n;
		}
		eq(plx_cksum_finish(plx_pkt_csum_sum(m, off, len)),
			plx_cksum_finish(plx_cksum_add(0, f + off, there)));
		plx_pkt_deliver(m);
	}
}

T(an_udp_sum_of_zero_is_sent_as_ffff)
{
	/* The pseudo-header's sum stands in the field; the rest is chosen so that all sums to ffff.
	 */
	uint8_t f[42] = {[34] = 0, 1, 0, 2, 0, 8, 0xff, 0xff - 11};
	struct rte_mbuf *m = t_mbuf(f, sizeof(f));

	m->l2_len = 14;
	m->l3_len = 20;
	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	eq(plx_pkt_csum_fill(m), 0);
	eq(plx_get_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 40)), 0xffff);
	plx_pkt_deliver(m);
}

T(nothing_asked_nothing_changed)
{
	uint8_t f[60];
	struct rte_mbuf *m;

	memset(f, 0xa5, sizeof(f));
	m = t_mbuf(f, sizeof(f));
	eq(plx_pkt_csum_fill(m), 0);
	mem_eq(rte_pktmbuf_mtod(m, void *), f, sizeof(f));
	plx_pkt_deliver(m);
}

T(lengths_that_do_not_fit_are_refused)
{
	static const struct {
		uint16_t bytes, l2, l3;
		uint64_t flags;
		int err;
	} rows[] = {
		{60, 14, 16, RTE_MBUF_F_TX_IP_CKSUM, -EINVAL},
		{60, 14, 22, RTE_MBUF_F_TX_IP_CKSUM, -EINVAL},
		{33, 14, 20, RTE_MBUF_F_TX_IP_CKSUM, -EINVAL},
		{34, 14, 20, RTE_MBUF_F_TX_IP_CKSUM, 0},
		{41, 14, 20, RTE_MBUF_F_TX_UDP_CKSUM, -EINVAL},
		{42, 14, 20, RTE_MBUF_F_TX_UDP_CKSUM, 0},
		{51, 14, 20, RTE_MBUF_F_TX_TCP_CKSUM, -EINVAL},
		{52, 14, 20, RTE_MBUF_F_TX_TCP_CKSUM, 0},
		{60, 14, 20, RTE_MBUF_F_TX_SCTP_CKSUM, -EOPNOTSUPP},
	};
	uint8_t f[60] = {0};

	for (size_t i = 0; i < PLX_DIM(rows); i++) {
		struct rte_mbuf *m = t_mbuf(f, rows[i].bytes);

		m->l2_len = rows[i].l2;
		m->l3_len = rows[i].l3;
		m->ol_flags |= rows[i].flags;
		eq(plx_pkt_csum_fill(m), rows[i].err);
		eq(m->ol_flags, rows[i].err ? rows[i].flags : 0);
		plx_pkt_deliver(m);
	}
}

T(a_private_packet_is_its_own)
{
	uint8_t f[60] = {1, 2, 3};
	struct rte_mbuf *m = t_mbuf(f, sizeof(f));

	ok(!plx_pkt_shared(m));
	assert_ptr_equal(plx_pkt_own(m), m);
	plx_pkt_deliver(m);
}

T(a_clone_and_its_original_are_shared_until_one_goes)
{
	uint8_t f[60] = {1, 2, 3};
	struct rte_mbuf *m = t_mbuf(f, sizeof(f)), *clone = rte_pktmbuf_clone(m, t_pool), *own;

	ok(plx_pkt_shared(m));
	ok(plx_pkt_shared(clone));
	own = plx_pkt_own(clone);
	assert_non_null(own);
	ok(!plx_pkt_shared(own));
	ok(!plx_pkt_shared(m)); /* the clone is gone */
	mem_eq(rte_pktmbuf_mtod(own, void *), f, sizeof(f));
	rte_pktmbuf_free(own);
	plx_pkt_deliver(m);
}

T(one_shared_segment_is_enough)
{
	uint8_t f[60] = {0};
	struct rte_mbuf *m = t_mbuf(f, sizeof(f)), *rest = rte_pktmbuf_alloc(t_pool), *own;

	memset(rte_pktmbuf_append(rest, 40), 7, 40);
	eq(rte_pktmbuf_chain(m, rest), 0);
	ok(!plx_pkt_shared(m));
	rte_pktmbuf_refcnt_update(rest, 1);
	ok(plx_pkt_shared(m));
	own = plx_pkt_own(m);
	assert_non_null(own);
	ok(!plx_pkt_shared(own));
	eq(own->pkt_len, 100);
	rte_pktmbuf_free(rest);
	plx_pkt_deliver(own);
}

/* Each form that a packet can have in a burst; the pools are whole when all are gone. */
T(a_burst_of_all_forms_goes_home)
{
	struct rte_mempool *other = plx_pkt_pool_create(
		&(struct plx_pkt_pool_conf){.name = "other", .pkts = 8, .socket = SOCKET_ID_ANY},
		NULL);
	uint8_t f[60] = {1, 2, 3};
	struct rte_mbuf *kept = t_mbuf(f, sizeof(f)), *twice = t_mbuf(f, sizeof(f)), *m[6];

	assert_non_null(other);
	m[0] = t_mbuf(f, sizeof(f));
	m[1] = rte_pktmbuf_clone(kept, t_pool); /* an indirect one */
	m[2] = rte_pktmbuf_alloc(other);
	m[3] = t_mbuf(f, sizeof(f));
	eq(rte_pktmbuf_chain(m[3], rte_pktmbuf_alloc(other)), 0);
	m[4] = twice; /* held by somebody else, too */
	rte_pktmbuf_refcnt_update(twice, 1);
	m[5] = t_mbuf(f, sizeof(f));
	plx_pkt_originate(2);
	plx_pkt_deliver_bulk(m, PLX_DIM(m));
	eq(rte_mempool_in_use_count(other), 0);
	eq(rte_mbuf_refcnt_read(twice), 1);
	eq(rte_mbuf_refcnt_read(kept), 1);
	eq(rte_mempool_in_use_count(t_pool), 2);
	rte_pktmbuf_free(twice);
	plx_pkt_deliver(kept);
	plx_pkt_deliver_bulk(m, 0);
	rte_mempool_free(other);
}

T(without_memory_a_shared_packet_stays_as_it_was)
{
	struct rte_mempool *tiny = plx_pkt_pool_create(
		&(struct plx_pkt_pool_conf){.name = "tiny", .pkts = 1, .socket = SOCKET_ID_ANY},
		NULL);
	struct rte_mbuf *m;

	assert_non_null(tiny);
	m = rte_pktmbuf_alloc(tiny);
	rte_pktmbuf_refcnt_update(m, 1);
	assert_null(plx_pkt_own(m));
	eq(rte_mbuf_refcnt_read(m), 2);
	rte_pktmbuf_refcnt_update(m, -1);
	rte_pktmbuf_free(m);
	rte_mempool_free(tiny);
}

static int loans_over;

static void over(struct plx_pkt_loan *l)
{
	loans_over++;
}

T(a_loan_is_over_with_its_last_share)
{
	static uint8_t text[3000];
	struct plx_pkt_loan l;
	struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool), *c;

	loans_over = 0;
	plx_pkt_loan_init(&l, over);
	plx_pkt_loan_attach(&l, m, text + 100, (rte_iova_t)(uintptr_t)(text + 100), 2000);
	eq(m->pkt_len, 2000);
	eq(rte_pktmbuf_mtod(m, uint8_t *), text + 100);
	eq(rte_pktmbuf_headroom(m), 0);
	eq(rte_pktmbuf_tailroom(m), 0);
	ok(plx_pkt_lent(m));
	ok(plx_pkt_shared(m)); /* not to be written to */
	c = rte_pktmbuf_clone(m, t_pool);
	ok(plx_pkt_lent(c));
	plx_pkt_loan_put(&l);
	rte_pktmbuf_free(m);
	eq(loans_over, 0);
	rte_pktmbuf_free(c);
	eq(loans_over, 1);
	ok(!l.copied);
}

T(who_copies_what_is_lent_notes_it)
{
	static uint8_t text[1000] = "lent";
	struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool), *head = rte_pktmbuf_alloc(t_pool);
	struct plx_pkt_loan l;

	loans_over = 0;
	plx_pkt_loan_init(&l, over);
	plx_pkt_loan_attach(&l, m, text, (rte_iova_t)(uintptr_t)text, 1000);
	plx_pkt_loan_put(&l);
	eq(rte_pktmbuf_chain(head, m), 0);
	m = plx_pkt_own(head);
	assert_non_null(m);
	eq(loans_over, 1);
	ok(l.copied);
	ok(!plx_pkt_lent(m));
	mem_eq(rte_pktmbuf_mtod(m, char *), "lent", 5);
	rte_pktmbuf_free(m);
}

RUN_EAL(T_EAL_(checksums_are_filled_whatever_the_shape),
	T_EAL_(a_part_of_a_chain_is_summed_as_if_it_were_whole),
	T_EAL_(an_udp_sum_of_zero_is_sent_as_ffff), T_EAL_(nothing_asked_nothing_changed),
	T_EAL_(lengths_that_do_not_fit_are_refused), T_EAL_(a_private_packet_is_its_own),
	T_EAL_(a_clone_and_its_original_are_shared_until_one_goes),
	T_EAL_(one_shared_segment_is_enough), T_EAL_(a_burst_of_all_forms_goes_home),
	T_EAL_(without_memory_a_shared_packet_stays_as_it_was),
	T_EAL_(a_loan_is_over_with_its_last_share), T_EAL_(who_copies_what_is_lent_notes_it))
