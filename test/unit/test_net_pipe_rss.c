/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe_t.h"

#include <errno.h>

#include <plx_base_rng.h>
#include <plx_wire_tuple.h>

/* On which queue a frame comes, and with which hash: as of a NIC, and as of one that lies. */

static uint32_t hash_of(struct rte_mbuf *m, const uint8_t *key)
{
	struct plx_toeplitz t;
	struct plx_tuple u;

	eq(plx_steer_toeplitz_init(&t, key, 40), 0);
	ok(plx_wire_tuple(&u, rte_pktmbuf_mtod(m, void *), m->data_len));
	return plx_steer_hash_tuple(&t, &u);
}

T(frames_land_on_the_queue_of_the_peers_table_with_their_hash)
{
	unsigned int used = 0;

	pair("a=pipe,peer=b,queues=4", 2, 4);
	for (uint16_t sport = 0; sport < 256; sport++)
		send_pkt(a, sport & 1, udp(sport, sport));
	for (uint16_t q = 0; q < 4; q++) {
		struct rte_mbuf *m;
		unsigned int n = 0;

		for (; (m = t_recv(b, q)); n++) {
			uint32_t hash = hash_of(m, plx_steer_key_microsoft);

			ok(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
			eq(m->hash.rss, hash);
			eq((hash & 127) % 4, q);
			plx_pkt_deliver(m);
		}
		ok(n > 32);
		used += n;
	}
	eq(used, 256);
}

T(key_and_table_change_while_it_runs)
{
	uint8_t key[40], back[64];
	uint16_t len = sizeof(back);
	struct plx_reta reta, got;
	struct plx_rng rng;
	struct rte_mbuf *m;

	pair("a=pipe,peer=b,queues=2", 1, 2);
	plx_rng_init(&rng, t_seed(1));
	plx_rng_bytes(&rng, key, sizeof(key));
	eq(b->ops->rss_set(b, key, sizeof(key), NULL), 0);
	send_pkt(a, 0, udp(1000, 0));
	m = t_recv(b, 0);
	m = m ? m : t_recv(b, 1);
	assert_non_null(m);
	eq(m->hash.rss, hash_of(m, key));
	plx_pkt_deliver(m);

	eq(plx_steer_reta_equal(&reta, 128, 1, 1), 0); /* all to queue 1 */
	eq(b->ops->rss_set(b, NULL, 0, &reta), 0);
	for (uint16_t sport = 0; sport < 64; sport++)
		send_pkt(a, 0, udp(sport, 0));
	eq(t_drain(b, 0), 0);
	eq(t_drain(b, 1), 64);

	eq(b->ops->rss_get(b, back, &len, &got), 0);
	eq(len, 40);
	mem_eq(back, key, 40);
	mem_eq(got.q, reta.q, 128 * sizeof(reta.q[0]));
}

T(bad_keys_and_tables_are_refused)
{
	struct plx_reta reta;
	uint8_t key[52] = {0};
	uint16_t len = 39;

	make("a=pipe,peer=b,queues=2");
	b = t_open("b", 2);
	eq(plx_steer_reta_equal(&reta, 128, 0, 3), 0);
	eq(b->ops->rss_set(b, NULL, 0, &reta), -EINVAL); /* names queue 2 */
	eq(plx_steer_reta_equal(&reta, 256, 0, 2), 0);
	eq(b->ops->rss_set(b, NULL, 0, &reta), -EINVAL);
	eq(b->ops->rss_set(b, key, 52, NULL), -EINVAL);
	eq(b->ops->rss_get(b, key, &len, NULL), -EINVAL);
}

T(frames_without_a_tuple_go_to_queue_0_unhashed)
{
	uint8_t arp[60] = {[0 ... 5] = 0xff, 2, 0, 0, 0, 0, 1, 8, 6};
	struct rte_mbuf *m;

	pair("a=pipe,peer=b,queues=4", 1, 4);
	send_pkt(a, 0, t_mbuf(arp, sizeof(arp)));
	send_pkt(a, 0, t_mbuf(arp, 13));
	for (int i = 0; i < 2; i++) {
		m = t_recv(b, 0);
		assert_non_null(m);
		ok(!(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH));
		plx_pkt_deliver(m);
	}
}

/* How many of 64 flows come to b with the right hash, and by the right queue. */
static void lies_of(const char *lie, unsigned int *hashed, unsigned int *right, unsigned int *queue)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "a=pipe,peer=b,queues=4,lie=%s", lie);
	pair(spec, 4, 4);
	*hashed = *right = *queue = 0;
	for (uint16_t port = 1000; port < 1064; port++)
		send_pkt(a, 0, udp(port, 0));
	for (uint16_t q = 0; q < 4; q++)
		for (struct rte_mbuf *m; (m = t_recv(b, q));) {
			uint32_t hash = hash_of(m, plx_steer_key_microsoft);
			bool has = m->ol_flags & RTE_MBUF_F_RX_RSS_HASH;

			*hashed += has;
			*right += has && m->hash.rss == hash;
			*queue += (has ? m->hash.rss : hash) % 128 % 4 == q;
			plx_pkt_deliver(m);
		}
}

T(it_lies_if_it_is_told_to)
{
	unsigned int hashed, right, queue;
	struct plx_error e;

	lies_of("no", &hashed, &right, &queue);
	eq(hashed, 64);
	eq(right, 64);
	eq(queue, 64);
	plx_port_fini_all();
	lies_of("hash", &hashed, &right, &queue);
	eq(hashed, 64);
	ok(right < 8);
	eq(queue, 64);
	plx_port_fini_all();
	lies_of("queue", &hashed, &right, &queue);
	eq(right, 64);
	eq(queue, 0);
	plx_port_fini_all();
	lies_of("mute", &hashed, &right, &queue);
	eq(hashed, 0);
	eq(queue, 64);
	plx_port_fini_all();
	eq(plx_port_create("a=pipe,peer=b,lie=white", &e), -EINVAL);
}

/* By addresses alone all flows of a pair are on one queue; what is not hashed is on the first. */
T(it_hashes_what_it_is_told_to)
{
	unsigned int queues = 0;

	pair("a=pipe,peer=b,queues=4", 4, 4);
	eq(plx_port_rss_types_set(b, PLX_RSS_ALL & ~PLX_RSS_IPV4_UDP), 0);
	for (uint16_t port = 1000; port < 1064; port++)
		send_pkt(a, 0, udp(port, 0));
	for (uint16_t q = 0; q < 4; q++)
		queues += t_drain(b, q) == 64;
	eq(queues, 1);
	eq(plx_port_rss_types_set(b, PLX_RSS_IPV4_TCP), 0);
	for (uint16_t port = 1000; port < 1064; port++)
		send_pkt(a, 0, udp(port, 0));
	for (unsigned int i = 0; i < 64; i++) {
		struct rte_mbuf *m = t_recv(b, 0);

		assert_non_null(m);
		ok(!(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH));
		plx_pkt_deliver(m);
	}
	eq(plx_port_rss_types_set(b, PLX_RSS_ALL), 0);
	for (uint16_t port = 1000; port < 1064; port++)
		send_pkt(a, 0, udp(port, 0));
	for (uint16_t q = 0; q < 4; q++)
		ok(t_drain(b, q) > 4);
}

/* A table that is not kept is found out when the port is opened. */
T(a_table_that_it_does_not_keep)
{
	pair("a=pipe,peer=b,queues=2,lie=table", 2, 2);
	str_eq(plx_port_steer_why(b), "it was given a table and has another");
}

/* The tuple of the datagrams of udp(). */
static struct plx_tuple flow(uint16_t sport)
{
	struct rte_mbuf *m = udp(sport, 0);
	struct plx_tuple t;

	ok(plx_wire_tuple(&t, rte_pktmbuf_mtod(m, void *), m->data_len));
	plx_pkt_deliver(m);
	return t;
}

static uint16_t queue_of(uint16_t sport)
{
	send_pkt(a, 0, udp(sport, 0));
	for (uint16_t q = 0; q < 4; q++)
		if (t_drain(b, q))
			return q;
	fail_msg("it has not come");
	return 0;
}

T(single_flows_go_where_they_are_told_to)
{
	uint8_t key[40];
	uint16_t was[64];
	void *rule[64];

	pair("a=pipe,peer=b,queues=4", 1, 4);
	memset(key, 0x5a, sizeof(key));
	key[3] = 7;
	for (uint16_t i = 0; i < 64; i++)
		was[i] = queue_of(i);
	for (uint16_t i = 0; i < 64; i += 2) {
		struct plx_tuple t = flow(i);

		eq(plx_port_ntuple_add(b, &t, (was[i] + 1) % 4, &rule[i]), 0);
		eq(plx_port_ntuple_add(b, &t, was[i], &rule[i + 1]), -ENOSPC);
	}
	for (uint16_t i = 0; i < 64; i++)
		eq(queue_of(i), (was[i] + !(i & 1)) % 4);
	/* by another key they are the same flows, unless two fall together */
	eq(b->ops->rss_set(b, key, sizeof(key), NULL), 0);
	eq(queue_of(0), (was[0] + 1) % 4);
	eq(b->ops->rss_set(b, plx_steer_key_microsoft, sizeof(key), NULL), 0);
	for (uint16_t i = 0; i < 64; i += 4)
		plx_port_ntuple_del(b, rule[i]);
	for (uint16_t i = 0; i < 64; i++)
		eq(queue_of(i), (was[i] + (i % 4 == 2)) % 4);
	plx_port_close(b);
	b = t_open("b", 4);
	for (uint16_t i = 0; i < 64; i++)
		eq(queue_of(i), was[i]);
}

RUN_EAL(T_EAL_(frames_land_on_the_queue_of_the_peers_table_with_their_hash),
	T_EAL_(key_and_table_change_while_it_runs), T_EAL_(bad_keys_and_tables_are_refused),
	T_EAL_(frames_without_a_tuple_go_to_queue_0_unhashed), T_EAL_(it_lies_if_it_is_told_to),
	T_EAL_(it_hashes_what_it_is_told_to), T_EAL_(a_table_that_it_does_not_keep),
	T_EAL_(single_flows_go_where_they_are_told_to))
