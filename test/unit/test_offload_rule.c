/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets become one, and what becomes of their headers. */
#include "offload_gro_t.h"

static const uint8_t ts_2[12] = {1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 2};

T(packets_in_a_row_become_one)
{
	all_merge(&(struct t_pkt){T_TCP4, .seq = 5, .id = 7, .bytes = 3000}, 1000, false);
	all_merge(&(struct t_pkt){T_TCP6, .seq = 5, .label = 0x12345, .bytes = 3000}, 1000, false);
	all_merge(&(struct t_pkt){T_UDP4, .id = 7, .bytes = 3000}, 1000, false);
	all_merge(&(struct t_pkt){T_UDP6, .bytes = 3000}, 1000, false);
}

T(options_that_are_equal_do_not_hinder)
{
	all_merge(
		&(struct t_pkt){T_TCP4, .opts = ts_1, .opt_bytes = 12, .bytes = 4000}, 1000, false);
}

T(numbers_wrap)
{
	all_merge(&(struct t_pkt){T_TCP4, .seq = 0xfffffff0, .id = 0xffff, .bytes = 3000}, 1000,
		false);
}

T(odd_sizes_merge_too)
{
	all_merge(&(struct t_pkt){T_TCP4, .bytes = 9}, 1, false);
	all_merge(&(struct t_pkt){T_UDP6, .bytes = 3 * 333}, 333, false);
}

T(tags_and_no_link_layer_at_all)
{
	for (uint8_t l2 = 14; l2 <= 22; l2 += 4) {
		all_merge(&(struct t_pkt){T_TCP4, .l2 = l2, .vlan = {1, 2}, .bytes = 3000}, 1000,
			false);
		all_merge(&(struct t_pkt){T_UDP6, .l2 = l2, .vlan = {1, 2}, .bytes = 3000}, 1000,
			false);
	}
	all_merge(&(struct t_pkt){T_TCP4, .l2 = 0, .bytes = 3000}, 1000, false);
	all_merge(&(struct t_pkt){T_TCP6, .l2 = 0, .bytes = 3000}, 1000, false);
}

/* p, then q, which does not belong to it: two packets, in this order. */
static void do_not_merge(const struct t_pkt *p, const struct t_pkt *q)
{
	begin(true, p->l2 == 0);
	in(p);
	nothing();
	in(q);
	alone(p);
	flush();
	alone(q);
	nothing();
}

T(each_field_of_ip4_matters)
{
	PAIR(T_TCP4);
	struct t_pkt q = b;

	q.ttl--;
	do_not_merge(&a, &q);
	q = b;
	q.tos = 1; /* ECN */
	do_not_merge(&a, &q);
	q = b;
	q.tos = 4;
	do_not_merge(&a, &q);
	q = b;
	q.df = true;
	do_not_merge(&a, &q);
	q = b;
	q.id++;
	do_not_merge(&a, &q);
	q.id = a.id; /* the same, but no DF */
	do_not_merge(&a, &q);
}

T(each_field_of_ip6_matters)
{
	PAIR(T_TCP6, .label = 9);
	struct t_pkt q = b;

	q.ttl--;
	do_not_merge(&a, &q);
	q = b;
	q.tos = 3;
	do_not_merge(&a, &q);
	q = b;
	q.label++; /* Linux takes it for another flow: ours is the order of the ports */
	do_not_merge(&a, &q);
}

T(with_df_the_identification_may_stay)
{
	PAIR(T_TCP4, .df = true);
	struct t_pkt c;

	all_merge(&p, SEG, true);
	all_merge(&p, SEG, false);
	/* but not change its mind: */
	p.bytes = 3 * SEG;
	c = part(&p, 2);
	b.id = a.id;
	begin(false, false);
	in(&a);
	in(&b);
	in(&c);
	p.bytes = 2 * SEG;
	merged(&p, SEG, true);
	flush();
	alone(&c);
}

T(each_field_of_tcp_matters)
{
	PAIR(T_TCP4, .opts = ts_1, .opt_bytes = 12);
	struct t_pkt q = b;

	q.ack++;
	do_not_merge(&a, &q);
	q = b;
	q.win++;
	do_not_merge(&a, &q);
	q = b;
	q.urg++;
	do_not_merge(&a, &q);
	q = b;
	q.opts = ts_2;
	do_not_merge(&a, &q);
	q = b;
	q.opt_bytes = 0;
	do_not_merge(&a, &q);
	q = b;
	q.flags |= PLX_TCP_ECE;
	do_not_merge(&a, &q);
	q = b;
	q.flags = 0;
	do_not_merge(&a, &q);
}

T(a_gap_or_a_repetition_is_not_merged)
{
	PAIR(T_TCP4);
	struct t_pkt q = b;

	q.seq++;
	do_not_merge(&a, &q);
	q.seq = b.seq - 1;
	do_not_merge(&a, &q);
	q = a;
	q.id = b.id;
	do_not_merge(&a, &q);
}

T(a_longer_one_begins_anew_a_shorter_one_ends_it)
{
	PAIR(T_TCP4, .bytes = 2 * SEG - 1);
	struct t_pkt q = b;

	q.bytes = SEG + 1;
	do_not_merge(&a, &q);
	begin(false, false);
	in(&a);
	in(&b);
	merged(&p, SEG, false); /* at once */
	nothing();
	eq(plx_gro_held_pkts(&g), 0);
}

T(datagrams_end_by_size_too)
{
	PAIR(T_UDP4, .bytes = 2 * SEG - 1);
	struct t_pkt q = b;

	q.bytes = SEG + 1;
	do_not_merge(&a, &q);
	begin(true, false);
	in(&a);
	in(&b);
	merged(&p, SEG, false);
	nothing();
}

T(datagrams_are_left_alone_unless_asked_for)
{
	PAIR(T_UDP4);

	begin(false, false);
	in(&a);
	alone(&a);
	in(&b);
	alone(&b);
	eq(plx_gro_held_pkts(&g), 0);
}

/* Linux merges none of them: but cut by us they are again without. */
T(without_a_checksum_only_with_its_like)
{
	PAIR(T_UDP4);
	struct t_pkt none = {T_UDP4, .no_sum = true, .bytes = 3000};

	all_merge(&none, 1000, false);
	b.no_sum = true;
	do_not_merge(&a, &b);
	a.no_sum = true;
	b.no_sum = false;
	do_not_merge(&a, &b);
	/* IPv6 knows no such datagrams (RFC 8200 8.1) */
	a = (struct t_pkt){T_UDP6, .no_sum = true, .bytes = SEG};
	begin(true, false);
	in(&a);
	alone(&a);
}

T(psh_and_fin_are_merged_and_end_it)
{
	PAIR(T_TCP4, .flags = ACK | PSH | PLX_TCP_FIN);
	static const uint8_t ends[] = {PSH, PLX_TCP_FIN, PSH | PLX_TCP_FIN};

	for (size_t i = 0; i < PLX_DIM(ends); i++) {
		p.flags = ACK | ends[i];
		a = part(&p, 0);
		b = part(&p, 1);
		eq(a.flags, ACK);
		begin(false, false);
		in(&a);
		nothing();
		in(&b);
		merged(&p, SEG, false);
		in(&b); /* with nothing held it does not wait */
		alone(&b);
		nothing();
	}
}

T(syn_rst_and_urg_come_out_at_once_and_behind)
{
	static const uint8_t flags[] = {PLX_TCP_SYN, PLX_TCP_RST, PLX_TCP_URG};

	for (size_t i = 0; i < PLX_DIM(flags); i++) {
		PAIR(T_TCP4);

		b.flags |= flags[i];
		begin(false, false);
		in(&a);
		in(&b);
		alone(&a);
		alone(&b);
		nothing();
	}
}

T(a_pure_ack_comes_out_behind_what_was_held)
{
	PAIR(T_TCP4);
	struct t_pkt pure = b;

	pure.bytes = 0;
	begin(false, false);
	in(&a);
	in(&pure);
	alone(&a);
	alone(&pure);
	in(&b);
	flush();
	alone(&b);
}

T(cwr_begins_a_packet)
{
	PAIR(T_TCP4, .flags = ACK | PLX_TCP_CWR);

	all_merge(&p, SEG, false);
	b.flags |= PLX_TCP_CWR;
	do_not_merge(&a, &b);
	a.flags = ACK;
	do_not_merge(&a, &b);
	p.flags |= PLX_TCP_ECE; /* on all */
	all_merge(&p, SEG, false);
}

T(the_link_layer_matters)
{
	PAIR(T_TCP4, .l2 = 22, .vlan = {1, 2});
	struct t_pkt q = b;

	q.vlan[0] = 3;
	do_not_merge(&a, &q);
	q = b;
	q.vlan[1] = 3;
	do_not_merge(&a, &q);
	q.l2 = 18;
	do_not_merge(&a, &q);
	do_not_merge(&q, &b);
	q.l2 = 14;
	do_not_merge(&q, &b);
}

T(addresses_and_ports_are_the_flow)
{
	PAIR(T_TCP4);

	for (int i = 0; i < 5; i++) {
		struct t_pkt q = b;

		q.host = i == 0;
		q.sport = (uint16_t)(q.sport + (i == 1));
		q.dport = (uint16_t)(q.dport + (i == 2));
		q.udp = i == 3;
		q.v6 = i == 4;
		begin(true, false);
		in(&a);
		in(&q);
		nothing(); /* both are held */
		eq(plx_gro_held_pkts(&g), 2);
		in(&b); /* and the first goes on */
		flush();
		eq(n_out, 2);
		if (plx_pkt_wire(out[0]) == 1) {
			alone(&q);
			merged(&p, SEG, false);
		} else {
			merged(&p, SEG, false);
			alone(&q);
		}
	}
}

T(at_most_so_many_parts)
{
	struct t_pkt p = {T_TCP4, .bytes = 65 * 10}, last = t_part(&p, 10, 64, false);

	begin(false, false);
	p.bytes = 64 * 10;
	in_parts(&p, 10, false);
	merged(&p, 10, false); /* at once */
	in(&last);
	flush();
	alone(&last);
}

T(at_most_65535_bytes_of_ip)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint16_t seg = 1960; /* 33 of them fit, with headers of 40 or 60 bytes */
		struct t_pkt p = {T_TCP4, .v6 = v6, .bytes = 34 * 1960};
		struct t_pkt last = t_part(&p, seg, 33, false);

		begin(false, false);
		in_parts(&p, seg, false);
		p.bytes = 33 * 1960;
		merged(&p, seg, false);
		flush();
		alone(&last);
	}
	/* 65,535 to the byte, and not one more */
	all_merge(&(struct t_pkt){T_TCP4, .bytes = 65495}, 1960, false);
	all_merge(&(struct t_pkt){T_TCP6, .bytes = 65475}, 1960, false);
	for (int v6 = 0; v6 < 2; v6++) {
		struct t_pkt p = {T_TCP4, .v6 = v6, .bytes = v6 ? 65476 : 65496};

		begin(false, false);
		in_parts(&p, 1960, false);
		flush();
		eq(n_out, 2);
		eq(plx_pkt_wire(out[0]), 33);
		plx_pkt_deliver_bulk(out, 2);
	}
}

RUN_EAL(T_EAL_(packets_in_a_row_become_one), T_EAL_(options_that_are_equal_do_not_hinder),
	T_EAL_(numbers_wrap), T_EAL_(odd_sizes_merge_too), T_EAL_(tags_and_no_link_layer_at_all),
	T_EAL_(each_field_of_ip4_matters), T_EAL_(each_field_of_ip6_matters),
	T_EAL_(with_df_the_identification_may_stay), T_EAL_(each_field_of_tcp_matters),
	T_EAL_(a_gap_or_a_repetition_is_not_merged),
	T_EAL_(a_longer_one_begins_anew_a_shorter_one_ends_it), T_EAL_(datagrams_end_by_size_too),
	T_EAL_(datagrams_are_left_alone_unless_asked_for),
	T_EAL_(without_a_checksum_only_with_its_like), T_EAL_(psh_and_fin_are_merged_and_end_it),
	T_EAL_(syn_rst_and_urg_come_out_at_once_and_behind),
	T_EAL_(a_pure_ack_comes_out_behind_what_was_held), T_EAL_(cwr_begins_a_packet),
	T_EAL_(the_link_layer_matters), T_EAL_(addresses_and_ports_are_the_flow),
	T_EAL_(at_most_so_many_parts), T_EAL_(at_most_65535_bytes_of_ip))
