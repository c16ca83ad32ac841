/* SPDX-License-Identifier: BSD-3-Clause */
/* `pollux-ctl steer explain` of a running process: what follows from the tables that it tells. */
#include "t.h"

#include <stdarg.h>

#include "steer_live.h"

/* main.c's, and that of what is not called. */
void ctl_complain(const char *format, ...)
{
}

static struct plx_addr t_addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

static struct live_tables t;
static struct live l;

static void set(json_t **table, const char *text)
{
	json_error_t e;
	json_t *rows = json_loads(text, 0, &e);

	if (!rows)
		fail_msg("%s: %s", text, e.text);
	json_decref(*table);
	*table = rows;
}

/* Lcores 4 and 6 by EAL's numbers, Microsoft's key, the owners of even and odd buckets. */
static void set_steer(int soft_steer, int forward)
{
	json_t *key = json_array(), *owners = json_array();

	for (int i = 0; i < PLX_STEER_KEY_MIN; i++)
		json_array_append_new(key, json_integer(plx_steer_key_microsoft[i]));
	for (int i = 0; i < 128; i++)
		json_array_append_new(owners, json_integer(i % 2 ? 6 : 4));
	json_decref(t.steer);
	t.steer = json_pack("[{s:o, s:i, s:i, s:i, s:[i,i], s:o}]", "key", key, "soft_steer",
		soft_steer, "forward4", forward, "forward6", 0, "lcores", 4, 6, "owners", owners);
}

/* A port whose device tells nothing, of two queues. */
static int up(void **state)
{
	set_steer(1, 0);
	set(&t.rss, "[{\"ifname\": \"tap\", \"driver\": \"net_tap\", \"rings\": 2, "
		    "\"lcores\": [4, 6], \"software_steering\": \"the driver has no RSS\"}]");
	set(&t.indir, "[]");
	set(&t.limit, "[]");
	set(&t.flows, "[]");
	set(&t.rps, "[]");
	set(&t.addr, "[{\"ifname\": \"tap\", \"local\": \"161.142.100.80\", "
		     "\"broadcast\": \"161.142.100.255\"}, {\"ifname\": \"bare\"}]");
	set(&t.socks, "[]");
	return 0;
}

static int down(void **state)
{
	json_t **all[] = {
		&t.rss, &t.indir, &t.steer, &t.flows, &t.limit, &t.rps, &t.addr, &t.socks};

	for (unsigned int i = 0; i < PLX_DIM(all); i++) {
		json_decref(*all[i]);
		*all[i] = NULL;
	}
	return 0;
}

/* Microsoft's first row: 0x51ccc178 by ports, bucket 120; 0x323e8fc2 by addresses, bucket 66. */
static void flow(uint8_t proto)
{
	bool ports = proto == PLX_IPPROTO_TCP || proto == PLX_IPPROTO_UDP;

	memset(&l, 0, sizeof(l));
	l.t = (struct plx_tuple){.proto = proto,
		.src = t_addr("66.9.149.187"),
		.dst = t_addr("161.142.100.80"),
		.sport = ports ? 2794 : 0,
		.dport = ports ? 1766 : 0};
}

static void decided(enum live_by by, int lcore)
{
	ok(live_reckon(&l, &t));
	eq(l.by, by);
	eq(l.lcore, lcore);
}

T(the_owner_map_decides)
{
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_OWNER, 4);
	eq(l.e.hash, 0x51ccc178);
	eq(l.e.owner_bucket, 120);
	eq(l.port[0].lcore, LIVE_NONE);
	assert_null(l.sock);
	flow(PLX_IPPROTO_TCP);
	l.t.sport = 2795;
	ok(live_reckon(&l, &t));
	eq(l.lcore, l.e.hash % 2 ? 6 : 4);
}

#define SEGMENT                                                                                    \
	"\"local\": \"161.142.100.80\", \"local_port\": 1766, \"dst\": \"66.9.149.187\", "         \
	"\"dst_port\": 2794"
#define LISTENER "{\"state\": \"LISTEN\", \"local\": \"*\", \"local_port\": 1766, \"lcore\": 4}"

T(a_connection_may_live_elsewhere)
{
	set(&t.socks, "[" LISTENER "]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_OWNER, 4);
	eq(l.sock_lcore, LIVE_NONE);
	set(&t.socks, "[" LISTENER ", {\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 4}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_OWNER, 4);
	eq(l.sock_lcore, 4);
	set(&t.socks, "[" LISTENER ", {\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 6}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_CONNECTION, 6);
	flow(PLX_IPPROTO_TCP); /* the other end's port is another one */
	l.t.sport = 2796;
	ok(live_reckon(&l, &t));
	eq(l.by, LIVE_BY_OWNER);
}

/* Whatever its bucket's owner is. */
T(a_flow_may_have_an_lcore_of_its_own)
{
	set(&t.flows, "[{\"hash\": 1, \"lcore\": 4}, {\"hash\": 1372373368, \"lcore\": 6}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_FLOW, 6);
	eq(l.owner, 4);
	eq(l.flow, 6);
	set(&t.socks, "[{\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 6, \"rfs_lcore\": 6}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_FLOW, 6);
	set(&t.socks, "[{\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 4}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_CONNECTION, 4);
	set(&t.socks, "[{\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 6}]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_FLOW, 6);
	set(&t.socks, "[]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	flow(PLX_IPPROTO_TCP);
	l.t.sport = 2796; /* another flow */
	ok(live_reckon(&l, &t));
	eq(l.by, LIVE_BY_OWNER);
	eq(l.flow, LIVE_NONE);
}

/* And a rule in its device, whatever that would make of its hash. */
T(a_flow_may_have_a_queue_of_its_own)
{
	const char *port = json_string_value(json_object_get(json_array_get(t.rss, 0), "ifname"));
	char row[160];

	for (int queue = 0; queue < 2; queue++) {
		json_t *lcores = json_object_get(json_array_get(t.rss, 0), "lcores");

		snprintf(row, sizeof(row),
			"[{\"hash\": 1372373368, \"lcore\": 6, \"ifname\": \"%s\", "
			"\"queue\": %d}]",
			port, queue);
		set(&t.flows, row);
		flow(PLX_IPPROTO_TCP);
		decided(LIVE_BY_FLOW, 6);
		eq(l.port[0].rule, queue);
		eq(l.port[0].lcore, json_integer_value(json_array_get(lcores, (size_t)queue)));
	}
	set(&t.flows, "[{\"hash\": 1372373368, \"lcore\": 6}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_FLOW, 6);
	eq(l.port[0].rule, LIVE_NONE);
}

T(without_steering_the_queue_decides)
{
	set_steer(0, 0);
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	set(&t.rss, "[{\"ifname\": \"a\", \"rings\": 1, \"lcores\": [6]}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_QUEUE, 6);
	set(&t.rss, "[{\"ifname\": \"a\", \"rings\": 1, \"lcores\": [6]},"
		    " {\"ifname\": \"b\", \"rings\": 1, \"lcores\": [4]}]");
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
}

T(datagrams_go_to_their_socket)
{
	flow(PLX_IPPROTO_UDP); /* nobody: answered where it comes in */
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	set(&t.socks, "[{\"state\": \"UNCONN\", \"local\": \"*\", \"local_port\": 1766, "
		      "\"lcore\": 6}]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_SOCKET, 6);
	/* one that is for IPv6 alone is not meant, nor one of another port */
	set(&t.socks, "[{\"state\": \"UNCONN\", \"local\": \"*\", \"local_port\": 1766, "
		      "\"lcore\": 6, \"v6only\": 1}, {\"state\": \"UNCONN\", \"local\": \"*\", "
		      "\"local_port\": 1767, \"lcore\": 6}]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
}

T(of_sockets_that_share_a_port_the_owners_is_taken)
{
	set(&t.socks, "[{\"state\": \"UNCONN\", \"local\": \"*\", \"local_port\": 1766, "
		      "\"lcore\": 6}, {\"state\": \"UNCONN\", \"local\": \"*\", "
		      "\"local_port\": 1766, \"lcore\": 4}]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_OWNER, 4);
	/* without steering by the lcore it comes to, which is not known */
	set_steer(0, 0);
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_SOCKET, LIVE_NONE);
	/* a connected one comes first, then one that is bound to the address */
	set_steer(1, 0);
	set(&t.socks, "[{\"state\": \"UNCONN\", \"local\": \"0.0.0.0\", \"local_port\": 1766, "
		      "\"lcore\": 4}, {\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 6}]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_SOCKET, 6);
	set(&t.socks, "[{\"state\": \"UNCONN\", \"local\": \"161.142.100.80\", "
		      "\"local_port\": 1766, \"lcore\": 6}, {\"state\": \"UNCONN\", "
		      "\"local\": \"*\", \"local_port\": 1766, \"lcore\": 4}]");
	flow(PLX_IPPROTO_UDP);
	decided(LIVE_BY_SOCKET, 6);
}

T(for_whom_it_is)
{
	flow(PLX_IPPROTO_ICMP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	eq(l.to, LIVE_TO_US);
	flow(PLX_IPPROTO_UDP);
	l.t.frag = true;
	l.t.sport = l.t.dport = 0;
	decided(LIVE_BY_OWNER, 4); /* put together by its addresses */
	eq(l.e.hash, 0x323e8fc2);
	flow(PLX_IPPROTO_UDP);
	l.t.dst = t_addr("161.142.100.255");
	decided(LIVE_BY_MEMBERS, LIVE_NONE);
	flow(PLX_IPPROTO_UDP);
	l.t.dst = t_addr("239.1.2.3");
	decided(LIVE_BY_MEMBERS, LIVE_NONE);
	flow(PLX_IPPROTO_TCP);
	l.t.dst = t_addr("192.0.2.1");
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	eq(l.to, LIVE_TO_NOBODY);
	set_steer(1, 1);
	flow(PLX_IPPROTO_TCP);
	l.t.dst = t_addr("192.0.2.1");
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	eq(l.to, LIVE_TO_FORWARD);
	flow(PLX_IPPROTO_TCP);
	l.t.dst = t_addr("127.0.0.1");
	ok(live_reckon(&l, &t));
	eq(l.by, LIVE_BY_OWNER);
}

/* Another key than the process's, and a table that turns the queues round. */
static void rss_port(const char *more)
{
	json_t *key = json_array(), *a = json_array(), *b = json_array();

	for (int i = 0; i < PLX_STEER_KEY_MIN; i++)
		json_array_append_new(key, json_integer(255 - plx_steer_key_microsoft[i]));
	for (int i = 0; i < 128; i++) {
		json_array_append_new(a, json_integer(1 - i % 2));
		json_array_append_new(b, json_integer(i % 2));
	}
	json_decref(t.rss);
	json_decref(t.indir);
	t.rss = json_pack("[{s:s, s:s, s:i, s:[i,i], s:s, s:o, s:i, s:i}]", "ifname", "p", "driver",
		"pipe", "rings", 2, "lcores", 4, 6, "software_steering", "", "key", key, "types",
		PLX_RSS_ALL, "indir_size", 256);
	t.indir = json_pack("[{s:s, s:i, s:o}, {s:s, s:i, s:o}]", "ifname", "p", "first", 0,
		"queues", a, "ifname", more, "first", 128, "queues", b);
}

T(a_device_that_tells_how_it_spreads)
{
	struct plx_rss rss = {.types = PLX_RSS_ALL};
	uint8_t key[PLX_STEER_KEY_MIN];
	uint32_t hash, queue;

	for (int i = 0; i < PLX_STEER_KEY_MIN; i++)
		key[i] = (uint8_t)(255 - plx_steer_key_microsoft[i]);
	eq(plx_steer_toeplitz_init(&rss.key, key, sizeof(key)), 0);
	rss_port("p");
	set_steer(0, 0);
	for (int i = 0; i < 20; i++) {
		flow(PLX_IPPROTO_TCP);
		l.t.sport = (uint16_t)(3000 + i);
		hash = plx_steer_rss_tuple(&rss, &l.t);
		queue = hash % 256 < 128 ? 1 - hash % 2 : hash % 2;
		decided(LIVE_BY_QUEUE, queue ? 6 : 4);
		ok(l.port[0].known);
		eq(l.port[0].e.hash, hash);
		eq(l.port[0].e.bucket, hash % 256);
		eq(l.port[0].e.queue, queue);
	}
	rss_port("q"); /* half of the table is missing */
	flow(PLX_IPPROTO_TCP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	ok(!l.port[0].known);
}

/* 64 of the last 128 packets are this flow's, and the oldest is another one's. */
static void set_limit(int mine, int waiting)
{
	json_t *history = json_array(), *packets = json_array();
	int slot = (int)plx_steer_hash_slot(0x51ccc178, 12);

	for (int i = 0; i < 128; i++) {
		json_array_append_new(history, json_integer(i < 128 - mine ? 7 : slot));
		json_array_append_new(packets, json_integer(i < 128 - mine ? 128 - mine : mine));
	}
	json_decref(t.limit);
	t.limit = json_pack("[{s:i, s:i}, {s:i, s:i, s:i, s:i, s:[i,i], s:o, s:o}]", "lcore", 4,
		"on", 1, "lcore", 6, "on", 1, "buckets", 4096, "max_backlog", 1000, "waiting",
		waiting, 0, "history", history, "packets", packets);
}

T(what_the_flow_limit_says)
{
	static const struct {
		int mine, waiting;
		bool drop;
	} rows[] = {{64, 500, true}, {63, 500, false}, {64, 499, false}, {0, 500, false}};

	for (unsigned int i = 0; i < PLX_DIM(rows); i++) {
		set_limit(rows[i].mine, rows[i].waiting);
		flow(PLX_IPPROTO_TCP);
		decided(LIVE_BY_OWNER, 4);
		eq(l.n_limits, 1); /* the owner hands nothing over to itself */
		eq(l.limit[0].lcore, 6);
		eq(l.limit[0].e.in_history, rows[i].mine);
		eq(l.limit[0].waiting, rows[i].waiting);
		eq(l.limit[0].e.drop, rows[i].drop);
	}
	flow(PLX_IPPROTO_ICMP);
	decided(LIVE_BY_QUEUE, LIVE_NONE);
	eq(l.n_limits, 0);
}

static void forwarded(uint16_t sport)
{
	set_steer(1, 1);
	flow(PLX_IPPROTO_TCP);
	l.t.dst = t_addr("192.0.2.1");
	l.t.sport = sport;
	ok(live_reckon(&l, &t));
	eq(l.to, LIVE_TO_FORWARD);
}

T(what_is_forwarded_goes_by_rps)
{
	struct plx_rss sorted = {.types = PLX_RSS_ALL};
	uint32_t hash;

	plx_steer_toeplitz_init(&sorted.key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN);
	sorted.key.symmetric = true;
	/* both queues alike: whichever it comes by */
	set(&t.rps, "[{\"ifname\": \"tap\", \"queue\": 0, \"lcores\": [4, 6]}, "
		    "{\"ifname\": \"tap\", \"queue\": 1, \"lcores\": [4, 6]}]");
	for (uint16_t i = 0; i < 20; i++) {
		forwarded((uint16_t)(3000 + i));
		hash = plx_steer_rss_tuple(&sorted, &l.t);
		eq(l.by, LIVE_BY_RPS);
		eq(l.lcore, hash >> 31 ? 6 : 4);
	}
	flow(PLX_IPPROTO_TCP); /* for us it is as before */
	decided(LIVE_BY_OWNER, 4);
	/* one alone: it depends on the queue, unless that gives the same */
	set(&t.rps, "[{\"ifname\": \"tap\", \"queue\": 1, \"lcores\": [4]}]");
	forwarded(3000);
	eq(l.by, LIVE_BY_RPS);
	eq(l.lcore, 4);
	set(&t.rps, "[{\"ifname\": \"tap\", \"queue\": 0, \"lcores\": [4]}]");
	forwarded(3000);
	eq(l.lcore, LIVE_NONE);
	ok(l.port[0].spread);
	set(&t.rps, "[{\"ifname\": \"other\", \"queue\": 0, \"lcores\": [4]}]");
	forwarded(3000);
	eq(l.by, LIVE_BY_QUEUE);
}

/* By the device's hash, if it gives that. */
T(rps_by_a_device_that_hashes)
{
	rss_port("p");
	set(&t.rps, "[{\"ifname\": \"p\", \"queue\": 0, \"lcores\": [4, 6]}, "
		    "{\"ifname\": \"p\", \"queue\": 1, \"lcores\": [6, 4]}]");
	json_object_set_new(json_array_get(t.rss, 0), "rxhash", json_integer(1));
	for (uint16_t i = 0; i < 20; i++) {
		forwarded((uint16_t)(3000 + i));
		ok(l.port[0].known);
		eq(l.lcore, (l.port[0].e.hash >> 31 ^ l.port[0].e.queue) ? 6 : 4);
	}
}

T(tables_of_another_form_are_refused)
{
	static const char *const bad[] = {"[]", "[{}]", "[{\"key\": [1], \"owners\": [0]}]",
		"[{\"owners\": [0, 0, 0], \"lcores\": [0]}]", "[7]"};

	for (unsigned int i = 0; i < PLX_DIM(bad); i++) {
		set(&t.steer, bad[i]);
		flow(PLX_IPPROTO_TCP);
		ok(!live_reckon(&l, &t));
	}
}

static const char *printed(void (*print)(FILE *out, const struct live *of))
{
	static char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	print(out, &l);
	fclose(out);
	return text;
}

T(in_words)
{
	set(&t.socks, "[" LISTENER ", {\"state\": \"ESTAB\", " SEGMENT ", \"lcore\": 6}]");
	flow(PLX_IPPROTO_TCP);
	ok(live_reckon(&l, &t));
	str_eq(printed(live_print),
		"flow      tcp 66.9.149.187:2794 > 161.142.100.80:1766\n"
		"hash      0x51ccc178, Toeplitz of addresses and ports by the process's key\n"
		"          42 09 95 bb a1 8e 64 50 0a ea 06 e6\n"
		"port      tap (net_tap): 2 queues, polled by lcores 4, 6; which one is not known: "
		"the driver has no RSS\n"
		"to        an address of ours\n"
		"owner     lcore 4: bucket 120 of 128\n"
		"socket    ESTAB, on lcore 6\n"
		"limit     none: off (net.core.flow_limit_cpu_bitmap)\n"
		"decided   by the connection, which is not where its flow is: lcore 6\n");
}

T(as_json)
{
	json_error_t e;
	json_t *j;

	rss_port("p");
	set_limit(64, 500);
	flow(PLX_IPPROTO_TCP);
	ok(live_reckon(&l, &t));
	j = json_loads(printed(live_print_json), 0, &e);
	assert_non_null(j);
	str_eq(json_string_value(json_object_get(j, "hash")), "0x51ccc178");
	str_eq(json_string_value(json_object_get(j, "decided_by")), "owner");
	eq(json_integer_value(json_object_get(j, "lcore")), 4);
	ok(json_is_null(json_object_get(j, "socket")));
	eq(json_integer_value(
		   json_object_get(json_array_get(json_object_get(j, "ports"), 0), "queue")),
		l.port[0].e.queue);
	ok(json_is_true(json_object_get(json_array_get(json_object_get(j, "limit"), 0), "drop")));
	json_decref(j);
}

#define L_(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {L_(the_owner_map_decides),
		L_(a_connection_may_live_elsewhere), L_(a_flow_may_have_an_lcore_of_its_own),
		L_(a_flow_may_have_a_queue_of_its_own), L_(without_steering_the_queue_decides),
		L_(datagrams_go_to_their_socket),
		L_(of_sockets_that_share_a_port_the_owners_is_taken), L_(for_whom_it_is),
		L_(a_device_that_tells_how_it_spreads), L_(what_the_flow_limit_says),
		L_(what_is_forwarded_goes_by_rps), L_(rps_by_a_device_that_hashes),
		L_(tables_of_another_form_are_refused), L_(in_words), L_(as_json)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
