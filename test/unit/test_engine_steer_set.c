/* SPDX-License-Identifier: BSD-3-Clause */
/* `steer rss` and `steer key`: a port's table and key, as ethtool -X, on pipes. */
#include "t_eal.h"

#include <errno.h>
#include <stdlib.h>

#include <plx_net_pipe.h>
#include <plx_steer.h>

#include "../../lib/engine/engine.h"
#include "../../lib/telem/cmd.h"

static const struct plx_telem_cmd cmd[] = {
	{"rss", "dev:s equal:i? weight:s? start:i?", "", engine__rss_set},
	{"key", "dev:s key:s", "", engine__key_set},
	{"hash", "dev:s flow:s fields:s", "", engine__types_set},
};
static struct plx_telem_cmds cmds = {.cmd = cmd, .n = PLX_DIM(cmd)};

/* The answer to a command: "ok", or errno's name and why. */
static const char *asks(const char *name, const char *args)
{
	static char text[512];
	char request[512], *reply, *why;

	snprintf(request, sizeof(request), "{\"cmd\":\"%s\",\"args\":{%s}}", name, args);
	for (char *c = request; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	reply = telem__answer(request, strlen(request));
	assert_non_null(reply);
	why = strstr(reply, "\"name\":\"");
	snprintf(text, sizeof(text), "%s",
		why			  ? why + strlen("\"name\":\"")
		: strstr(reply, "\"ok\"") ? "ok"
					  : reply);
	free(reply);
	return text;
}

#define sets(name, args) str_eq(asks(name, args), "ok")
/* The error's name, and a part of what it says. */
#define refuses(name, args, error, why)                                                            \
	do {                                                                                       \
		const char *said_ = asks(name, args);                                              \
		if (strncmp(said_, error "\"", strlen(error) + 1) != 0 || !strstr(said_, why))     \
			fail_msg("%s, not %s: %s", said_, error, why);                             \
	} while (0)

/* a, of so many queues. */
static struct plx_port *pipe_of(uint16_t queues)
{
	struct plx_error e = {0};
	char spec[64];

	snprintf(spec, sizeof(spec), "a=pipe,peer=b,queues=%u", queues);
	eq(plx_port_create(spec, &e), 0);
	plx_telem_cmds_del(&cmds);
	plx_telem_cmds_add(&cmds);
	return t_open("a", queues);
}

/* Entries of each queue, "64 64", and that they are as ethtool fills them. */
static const char *table(struct plx_port *p)
{
	unsigned int n[PLX_PORT_QUEUES_MAX] = {0};
	static char text[128];
	struct plx_port_rss r;
	size_t used = 0;

	eq(plx_port_rss_get(p, &r), 0);
	for (unsigned int i = 0; i < r.reta.size; i++)
		n[r.reta.q[i]]++;
	for (unsigned int q = 0; q < p->n_rxq; q++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%u", q ? " " : "", n[q]);
	return text;
}

T(equal_as_ethtool)
{
	struct plx_port *p = pipe_of(4);
	struct plx_port_rss r;

	str_eq(table(p), "32 32 32 32");
	sets("rss", "'dev':'a','equal':3");
	str_eq(table(p), "43 43 42 0");
	eq(plx_port_rss_get(p, &r), 0);
	for (unsigned int i = 0; i < 128; i++)
		eq(r.reta.q[i], i % 3);
	sets("rss", "'dev':'a','equal':2,'start':2");
	str_eq(table(p), "0 0 64 64");
	sets("rss", "'dev':'a','equal':1");
	str_eq(table(p), "128 0 0 0");
	sets("rss", "'dev':'a','start':1"); /* as ethtool: all from there on */
	str_eq(table(p), "0 43 43 42");
	sets("rss", "'dev':'a'");
	str_eq(table(p), "32 32 32 32");
}

/* Numbers are those of a table that the kernel's ethtool fills: entry i is of the first queue j
 * with i < 128 * (w0 + ... + wj) / sum. */
T(weights_as_ethtool)
{
	struct plx_port *p = pipe_of(4);
	struct plx_port_rss r;

	sets("rss", "'dev':'a','weight':'6 2'");
	str_eq(table(p), "96 32 0 0");
	eq(plx_port_rss_get(p, &r), 0);
	for (unsigned int i = 0; i < 128; i++)
		eq(r.reta.q[i], i >= 96);
	sets("rss", "'dev':'a','weight':'1 1 1'");
	str_eq(table(p), "42 43 43 0");
	sets("rss", "'dev':'a','weight':'0,0,0,5'");
	str_eq(table(p), "0 0 0 128");
	sets("rss", "'dev':'a','weight':'1 2','start':1");
	str_eq(table(p), "0 42 86 0");
	sets("rss", "'dev':'a','weight':'100 28 0 0'");
	str_eq(table(p), "100 28 0 0");
	sets("rss", "'dev':'a','weight':'1 1 0 0 0'"); /* of a queue 4 there is no entry */
	str_eq(table(p), "64 64 0 0");
}

T(tables_that_cannot_be)
{
	struct plx_port *p = pipe_of(2);

	refuses("rss", "'dev':'a','equal':3", "EINVAL",
		"a (2 queues, a table of 128): it has fewer");
	refuses("rss", "'dev':'a','equal':0", "EINVAL", "at least 1");
	refuses("rss", "'dev':'a','equal':-1,'weight':'x'", "EINVAL", "weights are numbers");
	refuses("rss", "'dev':'a','equal':2,'start':1", "EINVAL", "it has fewer");
	refuses("rss", "'dev':'a','equal':1,'start':2", "EINVAL", "no such queue to start with");
	refuses("rss", "'dev':'a','start':-1", "EINVAL", "no such queue to start with");
	refuses("rss", "'dev':'a','weight':'1 1','equal':2", "EINVAL", "not both");
	refuses("rss", "'dev':'a','weight':'0 0'", "EINVAL",
		"at least one weight must be non-zero");
	refuses("rss", "'dev':'a','weight':''", "EINVAL", "at least one weight must be non-zero");
	refuses("rss", "'dev':'a','weight':'100 29'", "EINVAL",
		"total weight exceeds the size of the indirection table");
	refuses("rss", "'dev':'a','weight':'99999999999999999999 1'", "EINVAL", "total weight");
	refuses("rss", "'dev':'a','weight':'1 -1'", "EINVAL", "weights are numbers");
	refuses("rss", "'dev':'a','weight':'1 1 1'", "EINVAL", "more weights than receive queues");
	refuses("rss", "'dev':'a','weight':'1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1'", "EINVAL",
		"weights are numbers");
	refuses("rss", "'dev':'x','equal':2", "ENODEV", "no device 'x'");
	refuses("rss", "'dev':'b','equal':2", "ENETDOWN", "b: it is not open");
	refuses("rss", "'equal':2", "EINVAL", "argument 'dev' is missing");
	str_eq(table(p), "64 64");
}

T(keys)
{
	struct plx_port *p = pipe_of(2);
	struct plx_port_rss r;
	char hex[400];
	size_t n;

	n = (size_t)snprintf(hex, sizeof(hex), "'dev':'a','key':'");
	for (int i = 0; i < 40; i++)
		n += (size_t)snprintf(hex + n, sizeof(hex) - n, "%s%02x", i ? ":" : "", i + 1);
	snprintf(hex + n, sizeof(hex) - n, "'");
	sets("key", hex);
	eq(plx_port_rss_get(p, &r), 0);
	for (unsigned int i = 0; i < 40; i++)
		eq(r.key[i], i + 1);
	sets("key", "'dev':'a','key':'microsoft'");
	eq(plx_port_rss_get(p, &r), 0);
	eq(memcmp(r.key, plx_steer_key_microsoft, 40), 0);
	sets("key", "'dev':'a','key':'random'");
	eq(plx_port_rss_get(p, &r), 0);
	ok(memcmp(r.key, plx_steer_key_microsoft, 40) != 0);
	refuses("key", "'dev':'a','key':'6d:5a'", "EINVAL",
		"its key has 40 bytes: give so many in hexadecimal digits, microsoft or random");
	refuses("key", "'dev':'a','key':'default'", "EINVAL", "hexadecimal digits"); /* no stack */
	refuses("key", "'dev':'a','key':''", "EINVAL", "hexadecimal digits");
	hex[n - 1] = 'g';
	refuses("key", hex, "EINVAL", "hexadecimal digits");
	str_eq(table(p), "64 64");
}

T(types)
{
	struct plx_port *p = pipe_of(2);
	struct plx_port_rss r;

	sets("hash", "'dev':'a','flow':'udp4','fields':'sd'");
	eq(plx_port_rss_get(p, &r), 0);
	eq(r.types, PLX_RSS_ALL & ~PLX_RSS_IPV4_UDP);
	sets("hash", "'dev':'a','flow':'udp4','fields':'sdfn'");
	eq(plx_port_rss_get(p, &r), 0);
	eq(r.types, PLX_RSS_ALL);
	refuses("hash", "'dev':'a','flow':'udp4','fields':'f'", "EINVAL",
		"udp4 f: sd or sdfn of tcp4, udp4, sctp4, tcp6, udp6 or sctp6");
	refuses("hash", "'dev':'a','flow':'ah4','fields':'sd'", "EINVAL", "ah4 sd: sd or sdfn of");
	p->caps.rss_types &= ~PLX_RSS_IPV6_SCTP;
	p->rss_types = p->caps.rss_types;
	refuses("hash", "'dev':'a','flow':'sctp6','fields':'sdfn'", "EOPNOTSUPP",
		"a: it cannot hash sctp6 by sdfn");
	sets("hash", "'dev':'a','flow':'tcp4','fields':'sd'");
}

/* A TAP, say. */
T(who_has_none_says_so)
{
	struct plx_error e = {0};

	eq(plx_port_create("l=loop", &e), 0);
	plx_telem_cmds_del(&cmds);
	plx_telem_cmds_add(&cmds);
	t_open("l", 1);
	refuses("rss", "'dev':'l','equal':1", "EOPNOTSUPP", "l: the driver has no RSS");
	refuses("key", "'dev':'l','key':'random'", "EOPNOTSUPP", "l: the driver has no RSS");
}

RUN_EAL(T_EAL_(equal_as_ethtool), T_EAL_(weights_as_ethtool), T_EAL_(tables_that_cannot_be),
	T_EAL_(keys), T_EAL_(types), T_EAL_(who_has_none_says_so))
