/* SPDX-License-Identifier: BSD-3-Clause */
/* `pollux-ctl steer selftest`: what follows from the packets that came. */
#include "t.h"

#include <stdlib.h>

#include <plx_wire_ip.h>

#include "steer_selftest.h"

/* main.c's. */
void ctl_complain(const char *format, ...)
{
}

static json_t *row, *indir;
static struct self_port s;

/* A port of two queues, Microsoft's key, an equal table. */
static void port(int rings, const char *why)
{
	json_t *key = json_array(), *queues = json_array(), *lcores = json_array();

	for (int i = 0; i < PLX_STEER_KEY_MIN; i++)
		json_array_append_new(key, json_integer(plx_steer_key_microsoft[i]));
	for (int i = 0; i < 128; i++)
		json_array_append_new(queues, json_integer(i % rings));
	for (int i = 0; i < rings; i++)
		json_array_append_new(lcores, json_integer(i));
	json_decref(row);
	json_decref(indir);
	row = json_pack("{s:s, s:i, s:s, s:o, s:o, s:i, s:i}", "ifname", "p", "rings", rings,
		"software_steering", why, "key", key, "lcores", lcores, "types", PLX_RSS_ALL,
		"indir_size", 128);
	indir = json_pack("[{s:s, s:i, s:o}]", "ifname", "p", "first", 0, "queues", queues);
	self_init(&s, row, indir);
}

static int down(void **state)
{
	json_decref(row);
	json_decref(indir);
	row = indir = NULL;
	return 0;
}

static struct plx_tuple flow(int i)
{
	struct plx_tuple t = {.proto = PLX_IPPROTO_UDP, .sport = (uint16_t)(1000 + i), .dport = 7};

	eq(plx_addr_parse(&t.src, "10.0.0.1"), 0);
	eq(plx_addr_parse(&t.dst, "10.0.0.2"), 0);
	return t;
}

/* Packets of so many flows, as a device would have them. */
static void come(int n, uint32_t (*hash_of)(const struct plx_tuple *t), int queue_more, bool mute)
{
	for (int i = 0; i < n; i++) {
		struct plx_tuple t = flow(i);
		uint32_t hash = hash_of(&t);
		uint32_t queue = (hash % 128 + (uint32_t)queue_more) % 2;

		self_packet(&s, &t, mute ? NULL : &hash, queue);
	}
}

static uint32_t right(const struct plx_tuple *t)
{
	return plx_steer_hash_tuple(&s.rss.key, t);
}

static uint32_t of_addrs(const struct plx_tuple *t)
{
	return plx_steer_hash(&s.rss.key, &t->src, &t->dst, 0, 0, false);
}

static uint32_t of_sorted(const struct plx_tuple *t)
{
	struct plx_toeplitz sorted = s.rss.key;

	sorted.symmetric = true;
	return plx_steer_hash_tuple(&sorted, t);
}

static uint32_t none(const struct plx_tuple *t)
{
	return t->sport * 2654435761u;
}

static const char *says(bool off)
{
	static char text[512];
	FILE *f = fmemopen(text, sizeof(text), "w");

	self_print(f, &s, off);
	fclose(f);
	return text;
}

T(it_agrees)
{
	port(2, "");
	eq(self_judge(&s), SELF_NOTHING);
	str_eq(says(false),
		"p: no packet came that it would hash: send it some, of several flows\n");
	come(20, right, 0, false);
	come(20, right, 0, false);
	eq(self_judge(&s), SELF_AGREES);
	str_eq(says(false), "p: agrees: 40 of 40 hashes are Toeplitz by its key, 40 of 40 packets "
			    "came by the queue of its table (20 flows)\n");
	come(100, right, 0, false);
	eq(s.flows, SELF_FLOWS);
}

T(another_hash)
{
	port(2, "");
	come(20, none, 0, false);
	eq(self_judge(&s), SELF_HASH);
	str_eq(says(true),
		"p: 0 of 20 hashes are Toeplitz by its key: it does not hash as it says; "
		"receive-hashing is off now, flows are steered in software\n");
	port(2, "");
	come(20, right, 0, false);
	come(1, none, 0, false);
	eq(self_judge(&s), SELF_HASH);
	str_eq(says(false), "p: 20 of 21 hashes are Toeplitz by its key: it does not hash as it "
			    "says; flows are steered in software\n");
}

T(a_hash_of_something_else)
{
	port(2, "");
	come(20, of_addrs, 0, false);
	eq(self_judge(&s), SELF_HASH);
	ok(strstr(says(false),
		"0 of 20 hashes are Toeplitz by its key, the others of the addresses "
		"alone: "));
	port(2, "");
	come(20, of_sorted, 0, false);
	eq(self_judge(&s), SELF_HASH);
	ok(strstr(says(false), ", the others of the sorted tuple: "));
}

T(another_queue)
{
	port(2, "");
	come(20, right, 1, false);
	eq(self_judge(&s), SELF_QUEUE);
	str_eq(says(false), "p: 20 of 20 hashes are Toeplitz by its key, but 20 of 20 packets came "
			    "by another queue than that of its table; lcores hand them over in "
			    "software\n");
}

T(no_hash)
{
	port(2, "");
	come(20, right, 0, true);
	eq(self_judge(&s), SELF_MUTE);
	str_eq(says(false), "p: none of 20 packets came with a hash: it gives none; 20 came by the "
			    "queue of its table; flows are steered in software\n");
}

/* Types that the device does not hash are not asked. */
T(what_it_does_not_claim_to_hash_is_left_out)
{
	struct plx_tuple t = flow(0);
	uint32_t hash = 7;

	port(2, "");
	s.rss.types = PLX_RSS_IPV4_TCP;
	self_packet(&s, &t, &hash, 0);
	eq(self_judge(&s), SELF_NOTHING);
	t.proto = PLX_IPPROTO_TCP;
	self_packet(&s, &t, &hash, 0);
	eq(self_judge(&s), SELF_HASH);
}

T(who_claims_nothing_is_not_judged)
{
	port(2, "the driver has no RSS");
	eq(self_judge(&s), SELF_SOFTWARE);
	str_eq(says(false), "p: the driver has no RSS: flows are steered in software\n");
	port(1, "");
	eq(self_judge(&s), SELF_ONE);
	str_eq(says(false), "p: has one receive queue: there is nothing to be spread\n");
	port(2, "");
	json_object_del(row, "key");
	self_init(&s, row, indir);
	eq(self_judge(&s), SELF_SOFTWARE);
	str_eq(says(false),
		"p: it tells a key or a table that cannot be: flows are steered in software\n");
}

T(it_is_told_as_json)
{
	json_t *j;

	port(2, "");
	come(20, right, 1, false);
	j = self_json(&s, false);
	str_eq(json_string_value(json_object_get(j, "verdict")), "queue");
	eq(json_integer_value(json_object_get(j, "right")), 20);
	eq(json_integer_value(json_object_get(j, "right_queue")), 0);
	json_decref(j);
}

#define T_DOWN(name) cmocka_unit_test_teardown(name, down)

RUN(T_DOWN(it_agrees), T_DOWN(another_hash), T_DOWN(a_hash_of_something_else),
	T_DOWN(another_queue), T_DOWN(no_hash), T_DOWN(what_it_does_not_claim_to_hash_is_left_out),
	T_DOWN(who_claims_nothing_is_not_judged), T_DOWN(it_is_told_as_json))
