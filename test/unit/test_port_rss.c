/* SPDX-License-Identifier: BSD-3-Clause */
/* RSS of a port: what its device claims is asked after, when it is opened and when it is set. */
#include "port_t.h"

#include <plx_steer.h>

static struct t_port d;

/* Not opened yet. */
static struct plx_port *device(void)
{
	return t_port_add(&d, 4, PLX_PORT_F_RSS | PLX_PORT_F_RX_HASH);
}

static const char *lie(struct plx_port *p)
{
	static char text[160];

	return plx_port_rss_lie(p, text, sizeof(text)) ? text : NULL;
}

static void is_honest(struct plx_port *p)
{
	assert_null(plx_port_steer_why(p));
	assert_null(lie(p));
}

T(an_honest_device_begins_with_an_equal_table)
{
	struct plx_port *p = device();
	struct plx_port_rss r;
	struct plx_reta equal;

	eq(plx_port_rss_get(p, &r), -ENETDOWN);
	eq(plx_port_rss_set(p, NULL, 0, &d.rss.reta), -ENETDOWN);
	t_open("t0", 4);
	is_honest(p);
	eq(plx_steer_reta_equal(&equal, 128, 0, 4), 0);
	eq(plx_port_rss_get(p, &r), 0);
	eq(memcmp(&r.reta, &equal, sizeof(uint16_t) * 129), 0);
	eq(r.key_bytes, 40);
	eq(r.types, PLX_RSS_ALL);
}

T(nobody_is_asked_who_has_one_queue)
{
	struct plx_port *p = device();

	d.rss.keeps_table = true;
	t_open("t0", 1);
	is_honest(p);
	eq(d.rss.tables, 0);
}

static void lies(const char *what)
{
	struct plx_port *p = d.port;
	struct plx_port_rss r;

	t_open("t0", 2);
	str_eq(plx_port_steer_why(p), what);
	str_eq(lie(p), what);
	eq(plx_port_rss_get(p, &r), -EOPNOTSUPP);
	eq(plx_port_rss_set(p, NULL, 0, &d.rss.reta), -EOPNOTSUPP);
}

T(one_that_keeps_its_table_is_found_out)
{
	device();
	d.rss.keeps_table = true;
	lies("it was given a table and has another");
}

/* What it has happens to be what it is to have in the end. */
T(one_that_keeps_the_right_table_is_found_out)
{
	device();
	eq(plx_steer_reta_equal(&d.rss.reta, 128, 0, 2), 0);
	d.rss.keeps_table = true;
	lies("it was given a table and has another");
}

T(one_that_refuses_a_table_is_told_of)
{
	device();
	d.rss.set_table_err = -ENOTSUP;
	lies("it refuses a table");
}

T(one_that_tells_nothing_is_told_of)
{
	device();
	d.rss.get_err = -ENOTSUP;
	lies("it does not tell its key and its table");
}

T(one_without_a_table_is_told_of)
{
	device();
	d.rss.reta.size = 0;
	lies("it does not tell its key and its table");
}

T(one_with_a_table_of_an_odd_size_is_told_of)
{
	device()->caps.reta_size = 72;
	lies("its table is of a size that is not supported");
}

T(a_key_is_read_back)
{
	struct plx_port *p = device();
	uint8_t key[41] = {1, 2, 3};

	t_open("t0", 2);
	eq(plx_port_rss_set(p, key, 40, NULL), 0);
	eq(memcmp(d.rss.key, key, 40), 0);
	eq(plx_port_rss_set(p, key, 41, NULL), -EINVAL);
	is_honest(p);
	key[39] = 9;
	d.rss.keeps_key = true;
	eq(plx_port_rss_set(p, key, 40, NULL), -EIO);
	str_eq(lie(p), "it was given a key and has another");
}

T(a_key_that_is_refused_leaves_the_table)
{
	struct plx_port *p = device();
	uint8_t key[40] = {0};
	struct plx_port_rss r;

	t_open("t0", 2);
	d.rss.set_key_err = -ENOTSUP;
	eq(plx_port_rss_set(p, key, 40, NULL), -ENOTSUP);
	str_eq(lie(p), "it refuses a key");
	assert_null(plx_port_steer_why(p));
	eq(plx_port_rss_get(p, &r), 0);
}

T(a_table_is_read_back)
{
	struct plx_port *p = device();
	struct plx_reta reta;

	t_open("t0", 3);
	eq(plx_steer_reta_equal(&reta, 128, 1, 2), 0);
	eq(plx_port_rss_set(p, NULL, 0, &reta), 0);
	eq(d.rss.reta.q[0], 1);
	eq(plx_steer_reta_equal(&reta, 128, 2, 2), 0); /* queue 3 */
	eq(plx_port_rss_set(p, NULL, 0, &reta), -EINVAL);
	eq(plx_steer_reta_equal(&reta, 256, 0, 2), 0);
	eq(plx_port_rss_set(p, NULL, 0, &reta), -EINVAL);
	is_honest(p);
	d.rss.keeps_table = true;
	eq(plx_steer_reta_equal(&reta, 128, 0, 2), 0);
	eq(plx_port_rss_set(p, NULL, 0, &reta), -EIO);
	str_eq(plx_port_steer_why(p), "it was given a table and has another");
}

T(a_driver_that_is_known_to_lie_is_told_of)
{
	struct plx_port *p = t_port_add(&d, 4, 0);

	snprintf(p->caps.driver, sizeof(p->caps.driver), "net_null");
	p->quirks = plx_quirk_flags("net_null");
	p->steer_why = "the driver ignores RSS settings";
	assert_null(lie(p)); /* not open */
	t_open("t0", 2);
	str_eq(lie(p), "it accepts a key and a table and ignores them");
	plx_port_close(p);
	t_open("t0", 1);
	assert_null(lie(p));
	plx_port_close(p);
	snprintf(p->caps.driver, sizeof(p->caps.driver), "impair"); /* over such a one */
	t_open("t0", 2);
	str_eq(lie(p), "the driver ignores RSS settings");
}

T(one_without_rss_claims_none)
{
	struct plx_port *p = t_port_add(&d, 4, 0);
	struct plx_port_rss r;

	t_open("t0", 2);
	assert_null(lie(p));
	str_eq(plx_port_steer_why(p), "the driver has no RSS");
	eq(plx_port_rss_get(p, &r), -EOPNOTSUPP);
}

T(types_are_of_those_that_it_can)
{
	struct plx_port *p = device();

	p->caps.rss_types = PLX_RSS_ALL & ~PLX_RSS_IPV4_SCTP;
	eq(plx_port_rss_types_set(p, PLX_RSS_IPV4), -ENETDOWN);
	t_open("t0", 2);
	eq(plx_port_rss_types(p), PLX_RSS_ALL & ~PLX_RSS_IPV4_SCTP);
	eq(plx_port_rss_types_set(p, PLX_RSS_ALL), -EINVAL);
	eq(plx_port_rss_types_set(p, PLX_RSS_IPV4 | PLX_RSS_IPV6_TCP), 0);
	eq(plx_port_rss_types(p), PLX_RSS_IPV4 | PLX_RSS_IPV6_TCP);
	d.rss.set_types_err = -EBUSY;
	eq(plx_port_rss_types_set(p, PLX_RSS_IPV4), -EBUSY);
	eq(plx_port_rss_types(p), PLX_RSS_IPV4 | PLX_RSS_IPV6_TCP);
	is_honest(p);
	d.rss.set_types_err = -EIO;
	eq(plx_port_rss_types_set(p, PLX_RSS_IPV4), -EIO);
	str_eq(lie(p), "it was told what to hash and does otherwise");
	plx_port_close(p);
	d.rss.set_types_err = 0;
}

/* That its hash is not looked at is our affair, not the driver's. */
T(receive_hashing_can_be_left_unread)
{
	struct plx_port *p = device();

	t_open("t0", 2);
	ok(p->switchable & PLX_PORT_F_RX_HASH);
	eq(plx_port_set_features(p, p->wanted & ~(uint32_t)PLX_PORT_F_RX_HASH), 0);
	ok(!(plx_port_features(p) & PLX_PORT_F_RX_HASH));
	eq(plx_port_set_features(p, p->wanted | PLX_PORT_F_RX_HASH), 0);
	ok(plx_port_features(p) & PLX_PORT_F_RX_HASH);
}

T(queues_have_names)
{
	struct plx_port *p = device();
	int queue;

	assert_ptr_equal(plx_port_find_queue("t0", &queue), p);
	eq(queue, -1);
	assert_ptr_equal(plx_port_find_queue("t0:3", &queue), p);
	eq(queue, 3);
	assert_ptr_equal(plx_port_find_queue("0:17", &queue), p); /* whether there is one or not */
	eq(queue, 17);
	assert_null(plx_port_find_queue("t0:", &queue));
	assert_null(plx_port_find_queue("t0:x", &queue));
	assert_null(plx_port_find_queue("t0:1x", &queue));
	assert_null(plx_port_find_queue("t0:65536", &queue));
	assert_null(plx_port_find_queue("t1:0", &queue));
	assert_null(plx_port_find_queue(":0", &queue));
}

RUN_EAL(T_EAL_(an_honest_device_begins_with_an_equal_table),
	T_EAL_(nobody_is_asked_who_has_one_queue), T_EAL_(one_that_keeps_its_table_is_found_out),
	T_EAL_(one_that_keeps_the_right_table_is_found_out),
	T_EAL_(one_that_refuses_a_table_is_told_of), T_EAL_(one_that_tells_nothing_is_told_of),
	T_EAL_(one_without_a_table_is_told_of), T_EAL_(one_with_a_table_of_an_odd_size_is_told_of),
	T_EAL_(a_key_is_read_back), T_EAL_(a_key_that_is_refused_leaves_the_table),
	T_EAL_(a_table_is_read_back), T_EAL_(a_driver_that_is_known_to_lie_is_told_of),
	T_EAL_(one_without_rss_claims_none), T_EAL_(types_are_of_those_that_it_can),
	T_EAL_(receive_hashing_can_be_left_unread), T_EAL_(queues_have_names))
