/* SPDX-License-Identifier: BSD-3-Clause */
/* `pollux-ctl steer`: what is counted, which weights are suggested, what is drawn. */
#include "wire_t.h"

#include <plx_base_rng.h>

#include "steer.h"

/* main.c's. */
void ctl_complain(const char *format, ...)
{
}

static struct plx_rss rss;
static struct plx_reta reta;
static struct load l;

static int up(void **state)
{
	memset(&l, 0, sizeof(l));
	rss.types = PLX_RSS_ALL;
	l.rss = &rss;
	l.reta = &reta;
	if (plx_steer_reta_equal(&reta, 128, 0, 4) != 0)
		return -1;
	return plx_steer_toeplitz_init(&rss.key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN);
}

static int down(void **state)
{
	load_free(&l);
	return 0;
}

/* UDP from port number n, 42 bytes. */
static void add_flow(uint16_t port, uint32_t wire)
{
	struct pkt k = hex("020000000002 020000000001 0800 4500001c 00014000 40110000 420995bb "
			   "a18e6450 00000050 00080000");

	plx_put_be16(k.b + 34, port);
	eq(load_add(&l, k.b, k.len, wire), 0);
}

T(packets_are_counted_by_queue_bucket_and_flow)
{
	struct pkt arp = hex("ffffffffffff 020000000001 0806 0001");
	uint64_t packets[4], sum = 0, flows = 0;

	for (unsigned int i = 0; i < 3000; i++)
		add_flow((uint16_t)(i % 1000), 100 + i % 1000);
	eq(load_add(&l, arp.b, arp.len, 60), 0);
	eq(l.n, 1000);
	eq(l.all.flows, 1000);
	eq(l.all.packets, 3001);
	eq(l.all.bytes, 3 * (100 * 1000 + 999 * 500) + 60);
	eq(l.not_ip, 1);
	load_queue_packets(&l, 4, packets);
	for (int q = 0; q < 4; q++) {
		sum += packets[q];
		flows += l.queue[q].flows;
	}
	eq(sum, 3001);
	eq(flows, 1000);
	sum = 0;
	for (int i = 0; i < 128; i++) {
		uint64_t of_queue = 0;

		sum += l.bucket[i].packets;
		if (i >= 4)
			continue;
		for (int k = i; k < 128; k += 4)
			of_queue += l.bucket[k].packets;
		eq(of_queue, packets[i]);
	}
	eq(sum, 3001);
	for (uint32_t i = 0; i < l.n; i++) {
		eq(l.flow[i].packets, 3);
		eq(l.flow[i].bytes, 3 * (100 + l.flow[i].tuple.sport));
		eq(l.flow[i].queue, l.flow[i].hash % 4);
		eq(l.flow[i].hash, plx_steer_hash_tuple(&rss.key, &l.flow[i].tuple));
	}
}

/* A stranger who makes a capture does not know where its flows go in the table. */
T(each_table_has_a_key_of_its_own)
{
	uint64_t key[2];

	add_flow(1, 60);
	memcpy(key, l.key, sizeof(key));
	for (unsigned int i = 0; i < 1000; i++) /* it grows */
		add_flow((uint16_t)i, 60);
	eq(l.n, 1000);
	mem_eq(l.key, key, sizeof(key));
	load_free(&l);
	up(NULL);
	add_flow(1, 60);
	ok(memcmp(l.key, key, sizeof(key)) != 0);
	ok(l.key[0] | l.key[1]);
}

T(the_largest_come_first)
{
	for (unsigned int i = 0; i < 50; i++)
		for (unsigned int n = 0; n <= i * 7 % 50; n++)
			add_flow((uint16_t)i, i == 3 ? 1000 : 60);
	load_sort(&l);
	for (uint32_t i = 0; i < l.n; i++)
		eq(l.flow[i].packets, 50 - i);
	/* Of two with as many packets, the one with more bytes. */
	load_free(&l);
	up(NULL);
	add_flow(1, 60);
	add_flow(2, 61);
	load_sort(&l);
	eq(l.flow[0].tuple.sport, 2);
}

T(imbalance_is_the_largest_over_the_mean)
{
	static const uint64_t even[] = {5, 5, 5, 5}, odd[] = {1, 0, 3, 0}, none[4] = {0};

	ok(load_imbalance(even, 4) == 1);
	ok(load_imbalance(odd, 4) == 3);
	ok(load_imbalance(none, 4) == 0);
}

/* The best of all ways to cut n buckets into runs, one for each queue. */
static uint64_t best_cut(const uint64_t *v, unsigned int n, unsigned int queues)
{
	uint64_t sum = 0, best = UINT64_MAX;

	if (queues == 1) {
		for (unsigned int i = 0; i < n; i++)
			sum += v[i];
		return sum;
	}
	for (unsigned int i = 0; i <= n; i++) {
		uint64_t rest = best_cut(v + i, n - i, queues - 1);

		best = PLX_MIN(best, PLX_MAX(sum, rest));
		if (i < n)
			sum += v[i];
	}
	return best;
}

T(weights_are_the_best_there_are_and_ethtool_lays_them_so)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(29));
	for (int round = 0; round < 60; round++) {
		uint16_t queues = (uint16_t)(1 + plx_rng_below(&rng, 4));
		uint64_t v[12], after[4], max = 0;
		uint32_t w[4], sum = 0;

		/* A dozen buckets have something; the brute force goes through these. */
		memset(l.bucket, 0, sizeof(l.bucket));
		l.all.packets = 0;
		for (unsigned int i = 0; i < 12; i++) {
			v[i] = plx_rng_below(&rng, round % 2 ? 100 : 3);
			l.bucket[10 * i + 5].packets = v[i];
			l.all.packets += v[i];
		}
		load_weights(&l, queues, w, after);
		for (uint16_t q = 0; q < queues; q++) {
			max = PLX_MAX(max, after[q]);
			sum += w[q];
		}
		eq(sum, 128);
		eq(max, best_cut(v, 12, queues));
		eq(plx_steer_reta_weights(&reta, 128, 0, w, queues), 0);
		for (uint16_t q = 0; q < queues; q++) {
			uint64_t got = 0;

			for (unsigned int i = 0; i < 128; i++)
				if (reta.q[i] == q)
					got += l.bucket[i].packets;
			eq(got, after[q]);
		}
	}
}

T(a_drawing_has_a_bar_for_each_queue_and_a_clean_title)
{
	char *text = NULL, *at;
	size_t size;
	unsigned int bars = 0;
	FILE *f = open_memstream(&text, &size);

	for (uint16_t i = 0; i < 100; i++)
		add_flow(i, 60);
	ok(steer_svg(f, "a<b>&\001.pcap", &l, 4));
	fclose(f);
	for (at = text; (at = strstr(at, "<title>queue ")); at++)
		bars++;
	eq(bars, 4);
	ok(strstr(text, "a&lt;b&gt;&amp;?.pcap: packets by queue"));
	ok(strstr(text, "</svg>"));
	free(text);
	/* Of nothing, too; and of very many. */
	load_free(&l);
	up(NULL);
	f = open_memstream(&text, &size);
	ok(steer_svg(f, "", &l, 1024));
	fclose(f);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	free(text);
}

T(protocols_have_names_and_numbers)
{
	char buf[8], text[STEER_TUPLE_STRLEN];
	struct plx_tuple t = {.src = addr("2001:db8::1"),
		.dst = addr("2001:db8::2"),
		.sport = 80,
		.dport = 443,
		.proto = 6};
	uint8_t proto;

	ok(steer_proto_parse("udp", &proto));
	eq(proto, 17);
	ok(steer_proto_parse("47", &proto));
	eq(proto, 47);
	str_eq(steer_proto_name(47, buf), "47");
	str_eq(steer_proto_name(132, buf), "sctp");
	ok(!steer_proto_parse("", &proto) && !steer_proto_parse("256", &proto));
	ok(!steer_proto_parse("-1", &proto) && !steer_proto_parse("tcpx", &proto));
	str_eq(steer_tuple_text(&t, text), "tcp [2001:db8::1]:80 > [2001:db8::2]:443");
	t.frag = true;
	str_eq(steer_tuple_text(&t, text), "tcp fragment 2001:db8::1 > 2001:db8::2");
}

/* The words behind `set`: their request, or what is wrong with them. */
static const char *request(const char *line)
{
	static char text[256];
	char words[256], why[256], *argv[32], *dump;
	json_t *j = NULL;
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	if (steer_set_request(argc, argv, &j, why, sizeof(why)) != 0) {
		snprintf(text, sizeof(text), "%s", why);
		return text;
	}
	dump = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	for (char *c = dump; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

#define asks(line, json) str_eq(request(line), json)

T(set_is_written_as_ethtool)
{
	asks("rps net_tap0:1 0,2-3",
		"{'cmd':'steer rps','args':{'dev':'net_tap0:1','lcores':'0,2-3'}}");
	asks("rps v none", "{'cmd':'steer rps','args':{'dev':'v','lcores':'none'}}");
	asks("rss q equal 2", "{'cmd':'steer rss','args':{'dev':'q','equal':2}}");
	asks("rss q start 1 equal 2", "{'cmd':'steer rss','args':{'dev':'q','start':1,'equal':2}}");
	asks("rss q weight 6 2", "{'cmd':'steer rss','args':{'dev':'q','weight':'6 2'}}");
	asks("rss q start 2 weight 1 0 1",
		"{'cmd':'steer rss','args':{'dev':'q','start':2,'weight':'1 0 1'}}");
	asks("rss q default", "{'cmd':'steer rss','args':{'dev':'q'}}");
	asks("lcores 0,2-3", "{'cmd':'steer lcores','args':{'lcores':'0,2-3'}}");
	asks("lcores 0-1 weight 3 1",
		"{'cmd':'steer lcores','args':{'lcores':'0-1','weight':'3 1'}}");
	asks("bucket 7 1", "{'cmd':'steer bucket','args':{'bucket':7,'lcore':1}}");
	asks("rx-flow-hash q udp4 sd",
		"{'cmd':'steer rx-flow-hash','args':{'dev':'q','flow':'udp4','fields':'sd'}}");
	asks("key q random", "{'cmd':'steer key','args':{'dev':'q','key':'random'}}");
}

#define RSS_FORM "rss PORT [start N] equal N | weight W0 W1... | default"

T(lines_of_set_that_are_wrong)
{
	asks("", "lcores, bucket, rps, rss, key or rx-flow-hash");
	asks("owner 7 1", "'owner' is not understood: there are lcores, bucket, rps, rss, key and "
			  "rx-flow-hash");
	asks("lcores", "incomplete; form: lcores LCORES [weight W0 W1...]");
	asks("lcores 0 now", "'now' is not understood; form: lcores LCORES [weight W0 W1...]");
	asks("lcores 0 weight", "'weight' needs numbers; form: lcores LCORES [weight W0 W1...]");
	asks("lcores 0 weight x", "weight 'x' is no number");
	asks("bucket 7", "incomplete; form: bucket N LCORE");
	asks("bucket 7 1 2", "too many words; form: bucket N LCORE");
	asks("bucket x 1", "bucket 'x' is no number");
	asks("bucket 1 -1", "lcore '-1' is no number");
	asks("rx-flow-hash q udp4",
		"incomplete; form: rx-flow-hash PORT tcp4|udp4|sctp4|tcp6|udp6|sctp6 sd|sdfn");
	asks("rps", "incomplete; form: rps PORT[:QUEUE] LCORES|none");
	asks("rps v", "incomplete; form: rps PORT[:QUEUE] LCORES|none");
	asks("rps v 0 1", "too many words; form: rps PORT[:QUEUE] LCORES|none");
	asks("key q", "incomplete; form: key PORT HEX|default|microsoft|random");
	asks("rss", "incomplete; form: " RSS_FORM);
	asks("rss q", "incomplete; form: " RSS_FORM);
	asks("rss q start", "'start' needs a number; form: " RSS_FORM);
	asks("rss q start 1", "incomplete; form: " RSS_FORM);
	asks("rss q start 1 default", "'default' is not understood; form: " RSS_FORM);
	asks("rss q equal", "'equal' needs a number; form: " RSS_FORM);
	asks("rss q equal two", "equal 'two' is no number");
	asks("rss q equal 99999999999", "equal '99999999999' is no number");
	asks("rss q equal 2 3", "'3' is not understood; form: " RSS_FORM);
	asks("rss q weight", "'weight' needs numbers; form: " RSS_FORM);
	asks("rss q weight 1 x", "weight 'x' is no number");
	asks("rss q default now", "'now' is not understood; form: " RSS_FORM);
	asks("rss \xff equal 1", "'\xff' is not in UTF-8");
	asks("key q \xff", "'\xff' is not in UTF-8");
}

#define L_(name) cmocka_unit_test_setup_teardown(name, up, down)

RUN(L_(packets_are_counted_by_queue_bucket_and_flow), L_(each_table_has_a_key_of_its_own),
	L_(the_largest_come_first), L_(imbalance_is_the_largest_over_the_mean),
	L_(weights_are_the_best_there_are_and_ethtool_lays_them_so),
	L_(a_drawing_has_a_bar_for_each_queue_and_a_clean_title),
	L_(protocols_have_names_and_numbers), T_(set_is_written_as_ethtool),
	T_(lines_of_set_that_are_wrong))
