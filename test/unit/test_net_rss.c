/* SPDX-License-Identifier: BSD-3-Clause */
/* RSS and RPS at run time: whose hash is believed, and the commands of `steer set`. */
#define T_EAL_LCORES "(0,2,5)@0"
#define T_EAL_MEM    "128"
#include "net_t.h"

#include <stdlib.h>

#include "../../lib/net/rps.h"
#include "../../lib/telem/cmd.h"

static const struct plx_telem_cmd cmd[] = {
	{"rps", "dev:s lcores:s", "", net__steer_rps},
	{"rss", "dev:s equal:i? weight:s? start:i?", "", net__steer_rss},
	{"key", "dev:s key:s", "", net__steer_key},
	{"rx-flow-hash", "dev:s flow:s fields:s", "", net__steer_types},
};
static struct plx_telem_cmds cmds = {.cmd = cmd, .n = PLX_DIM(cmd)};

/* "ok", or what stands behind the error's number. */
static const char *asks(const char *name, const char *args)
{
	static char text[512];
	char request[256], *reply, *why;

	cmds.arg = nt.net;
	plx_telem_cmds_del(&cmds);
	plx_telem_cmds_add(&cmds);
	snprintf(request, sizeof(request), "{\"cmd\":\"%s\",\"args\":{%s}}", name, args);
	for (char *c = request; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	reply = telem__answer(request, strlen(request));
	assert_non_null(reply);
	why = strstr(reply, "\"name\":");
	snprintf(text, sizeof(text), "%s", why ? why : "ok");
	free(reply);
	return text;
}

#define sets(name, args) str_eq(asks(name, args), "ok")
#define refuses(name, args, error, why)                                                            \
	str_eq(asks(name, args), "\"name\":\"" error "\",\"message\":\"" name ": " why "\"}}")

/* ---- whose hash is believed ---- */

static struct nt_sock server[3];

/* A service with a socket on each lcore, on a port whose device hashes. */
static void start_by(uint32_t types)
{
	nt_new(1, PLX_PORT_F_RSS | PLX_PORT_F_RX_HASH);
	nt.port[0].port->rss_types = types; /* as if it had been so when it was added */
	net__rss_share(nt.net, &nt.net->ifc[1]);
	nt_addr(1, "10.0.0.2/24");
	nt_neigh(1, "10.0.0.1");
	nt_settle();
	eq(plx_engine_lcores(nt.eng), 3);
	for (uint16_t i = 0; i < 3; i++) {
		server[i] = (struct nt_sock){.s = {.ops = &nt_sock_ops,
						     .user = &server[i],
						     .lport = 7,
						     .home = i,
						     .reuseport = true}};
		eq(plx_net_udp_open(nt.net, &server[i].s), 0);
	}
}

static void start(void)
{
	start_by(PLX_RSS_ALL);
}

static void end(void)
{
	for (int i = 0; i < 3; i++)
		plx_net_udp_close(nt.net, &server[i].s);
	nt_no_drop();
}

/* Which lcore serves it, with this hash of the device's. */
static int served(int sport, uint32_t hash)
{
	char text[128];
	struct rte_mbuf *m;
	int by = -1;

	for (int i = 0; i < 3; i++)
		server[i].n = 0;
	snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp %d > 7 len 4", sport);
	nt_make(0, text);
	nt_feed(0);
	m = nt.port[0].q[0].rx[nt.port[0].q[0].n_rx - 1];
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->hash.rss = hash;
	nt_run();
	for (int i = 0; i < 3; i++)
		if (server[i].n) {
			eq(by, -1);
			by = i;
		}
	return by;
}

/* The device's hash says where a datagram is served / nobody looks at it. */
static void is_believed(bool yes)
{
	unsigned int differ = 0;

	for (int sport = 1000; sport < 1020; sport++) {
		int by = served(sport, 0);

		for (uint32_t hash = 0; hash < 6; hash++) {
			int now = served(sport, hash);

			differ += now != by;
			if (yes)
				eq(now, hash % 3);
		}
	}
	eq(differ != 0, yes);
}

T(a_device_with_our_key_is_believed)
{
	start();
	eq(memcmp(nt.port[0].rss.key, nt.net->toeplitz_key, 40), 0);
	is_believed(true);
	sets("key", "'dev':'t0','key':'default'"); /* as it is */
	is_believed(true);
	sets("rss", "'dev':'t0','weight':'1 1 6'"); /* has nothing to do with it */
	eq(nt.port[0].rss.reta.q[127], 2);
	is_believed(true);
	end();
}

/* What it hashes by addresses alone would be taken for a flow's. */
T(one_that_hashes_not_all_flows_is_not)
{
	start_by(PLX_RSS_ALL & ~PLX_RSS_IPV6_TCP);
	is_believed(false);
	end();
}

T(one_that_is_told_to_hash_less_is_not)
{
	start();
	eq(plx_net_port_rss_types_set(nt.net, 0, PLX_RSS_ALL & ~PLX_RSS_IPV4_SCTP), 0);
	is_believed(true); /* nobody looks for that in it */
	sets("rx-flow-hash", "'dev':'t0','flow':'tcp6','fields':'sd'");
	is_believed(false);
	sets("rx-flow-hash", "'dev':'t0','flow':'tcp6','fields':'sdfn'");
	is_believed(false); /* what was hashed before may still be on its way */
	end();
}

T(one_with_another_key_is_not)
{
	start();
	sets("key", "'dev':'t0','key':'microsoft'");
	eq(memcmp(nt.port[0].rss.key, plx_steer_key_microsoft, 40), 0);
	is_believed(false);
	sets("key", "'dev':'t0','key':'default'"); /* what hashed before may still be on its way */
	eq(memcmp(nt.port[0].rss.key, nt.net->toeplitz_key, 40), 0);
	is_believed(false);
	eq(plx_net_if_add(nt.net, 0, 5, 0), 2); /* nor is one that comes later */
	is_believed(false);
	eq(memcmp(nt.port[0].rss.key, nt.net->toeplitz_key, 40), 0);
	end();
}

T(one_that_keeps_its_key_is_not)
{
	start();
	nt.port[0].rss.keeps_key = true;
	refuses("key", "'dev':'t0','key':'microsoft'", "EIO",
		"t0: it was given a key and has another: it is not relied on any more, flows are "
		"steered in software");
	is_believed(false);
	refuses("rss", "'dev':'t0','equal':2", "EOPNOTSUPP",
		"t0: it was given a key and has another; spread what is forwarded by RPS: "
		"'pollux-ctl steer set rps'");
	end();
}

T(one_whose_hash_is_left_unread_is_not)
{
	start();
	eq(plx_net_port_set_features(
		   nt.net, 0, nt.port[0].port->wanted & ~(uint32_t)PLX_PORT_F_RX_HASH),
		0);
	is_believed(false);
	eq(plx_net_port_set_features(nt.net, 0, nt.port[0].port->wanted | PLX_PORT_F_RX_HASH), 0);
	is_believed(true);
	end();
}

T(one_that_refuses_our_key_is_not)
{
	char claim[80];

	start();
	nt.port[0].rss.set_key_err = -ENOTSUP;
	refuses("key", "'dev':'t0','key':'random'", "EOPNOTSUPP",
		"t0: the driver: Operation not supported");
	ok(plx_port_rss_lie(nt.port[0].port, claim, sizeof(claim)));
	str_eq(claim, "it refuses a key");
	is_believed(false);
	end();
}

/* ---- RPS ---- */

static int forwarder(const char *frame)
{
	int by = -1;

	nt_in(0, frame);
	for (int q = 0; q < 3; q++)
		if (nt.port[1].q[q].tx_at < nt.port[1].q[q].n_tx)
			by = q;
	nt_forget();
	return by;
}

T(rps_by_lcores_of_eal)
{
	static const char frame[] = "ip 10.0.0.1 > 10.1.0.1 udp 1 > 2 len 9";

	nt_router();
	eq(forwarder(frame), 0);
	sets("rps", "'dev':'t0','lcores':'5'");
	eq(forwarder(frame), 2);
	sets("rps", "'dev':'t0:0','lcores':'2'");
	eq(forwarder(frame), 1);
	sets("rps", "'dev':'t0:1','lcores':'none'");
	eq(forwarder(frame), 1);
	sets("rps", "'dev':'0:0','lcores':'none'");
	eq(forwarder(frame), 0);
	sets("rps", "'dev':'t0','lcores':'0,2,5'");
	sets("rps", "'dev':'t0','lcores':'none'");
	assert_null(nt.net->rps);
	refuses("rps", "'dev':'t0','lcores':'0-5'", "EINVAL",
		"lcore 1 is none of this run, which has 0, 2, 5");
	refuses("rps", "'dev':'t0','lcores':'0,x'", "EINVAL", "'0,x': lcores as 0,2-3, or none");
	refuses("rps", "'dev':'t0','lcores':''", "EINVAL", "'': lcores as 0,2-3, or none");
	refuses("rps", "'dev':'t0:3','lcores':'0'", "EINVAL",
		"t0 has 3 receive queues, numbered from 0");
	refuses("rps", "'dev':'t9','lcores':'0'", "ENODEV", "no device 't9'");
	refuses("rps", "'dev':'t0:x','lcores':'0'", "ENODEV", "no device 't0:x'");
	assert_null(nt.net->rps);
	refuses("rss", "'dev':'t0','equal':2", "EOPNOTSUPP",
		"t0: the driver has no RSS; spread what is forwarded by RPS: 'pollux-ctl steer set "
		"rps'");
}

RUN_EAL(NT_(a_device_with_our_key_is_believed), NT_(one_that_hashes_not_all_flows_is_not),
	NT_(one_that_is_told_to_hash_less_is_not), NT_(one_with_another_key_is_not),
	NT_(one_that_keeps_its_key_is_not), NT_(one_whose_hash_is_left_unread_is_not),
	NT_(one_that_refuses_our_key_is_not), NT_(rps_by_lcores_of_eal))
