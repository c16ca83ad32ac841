/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <string.h>

#include "ctl.h"

/* A line in words, its request as JSON; what it says instead is why it is none. */
static const char *request(const char *line, bool v6)
{
	static char text[512];
	char words[256], why[256], *argv[32];
	json_t *j = NULL;
	char *dump;
	int argc = 0, err;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	err = ctl_request(argc, argv, v6, &j, why, sizeof(why));
	if (err) {
		snprintf(text, sizeof(text), "%s", err == 1 ? "shows" : why);
		return text;
	}
	dump = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	for (char *c = dump; *c; c++)
		if (*c == '"')
			*c = '\'';
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

#define asks(line, json)  str_eq(request(line, false), json)
#define asks6(line, json) str_eq(request(line, true), json)

T(addr_lines)
{
	asks("addr add 10.9.0.2/24 dev t0",
		"{'cmd':'addr add','args':{'local':'10.9.0.2/24','dev':'t0'}}");
	asks("addr del dev t0 fd00::1/64",
		"{'cmd':'addr del','args':{'dev':'t0','local':'fd00::1/64'}}");
}

T(route_lines)
{
	asks("route add default via 10.9.0.1",
		"{'cmd':'route add','args':{'dst':'0.0.0.0/0','via':'10.9.0.1'}}");
	asks("route add default via fe80::1 dev t0",
		"{'cmd':'route add','args':{'dst':'::/0','via':'fe80::1','dev':'t0'}}");
	asks6("route del default", "{'cmd':'route del','args':{'dst':'::/0'}}");
	asks("route add 10.7.0.0/16 via 10.9.0.9 dev t0 src 10.9.0.2 metric 10 mtu 1400",
		"{'cmd':'route add','args':{'dst':'10.7.0.0/16','via':'10.9.0.9','dev':'t0',"
		"'src':'10.9.0.2','metric':10,'mtu':1400}}");
	asks("route add unreachable 10.8.0.0/16",
		"{'cmd':'route add','args':{'type':'unreachable','dst':'10.8.0.0/16'}}");
}

T(neigh_lines)
{
	asks("neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev t0",
		"{'cmd':'neigh add','args':{'dst':'10.9.0.7','lladdr':'02:00:00:00:00:07',"
		"'dev':'t0'}}");
	asks("neigh del 10.9.0.7 dev t0",
		"{'cmd':'neigh del','args':{'dst':'10.9.0.7','dev':'t0'}}");
}

T(link_lines)
{
	asks("link set t0 up", "{'cmd':'link set','args':{'dev':'t0','up':1}}");
	asks("link set dev t0 down", "{'cmd':'link set','args':{'dev':'t0','up':0}}");
	asks("link set t0 mtu 9000 address 02:00:00:00:00:01 up",
		"{'cmd':'link set','args':{'dev':'t0','mtu':9000,'address':'02:00:00:00:00:01',"
		"'up':1}}");
}

T(lines_that_show)
{
	asks("addr", "shows");
	asks("addr show", "shows");
	asks("route show dev t0", "shows");
	asks("link t0", "shows");
	asks("softnet add", "shows");
}

#define ADDR_FORM "ADDRESS/LENGTH dev INTERFACE"

T(lines_that_are_wrong)
{
	asks("addr add", "incomplete; form: " ADDR_FORM);
	asks("addr add 10.9.0.2/24", "incomplete; form: " ADDR_FORM);
	asks("addr add 10.9.0.2/24 dev", "'dev' needs a value; form: " ADDR_FORM);
	asks("addr add 10.9.0.2/24 10.9.0.3/24 dev t0",
		"'10.9.0.3/24' is one too many; form: " ADDR_FORM);
	asks("addr add 10.9.0.2/24 dev t0 dev t1", "'dev' is one too many; form: " ADDR_FORM);
	asks("link set t0 mtu big", "mtu 'big' is no number");
	asks("link set t0 mtu 99999999999999999999", "mtu '99999999999999999999' is no number");
	asks("link set t0 up down",
		"'down' is one too many; form: INTERFACE [up|down] [mtu N] [address MAC]");
	asks("link set t0 mtu",
		"'mtu' needs a value; form: INTERFACE [up|down] [mtu N] [address MAC]");
	asks("neigh add \xff dev t0 lladdr x", "'\xff' is not in UTF-8");
}

static const char *sysctl(const char *operand)
{
	static char text[512];
	char why[256];
	json_t *j;
	char *dump;
	int err = ctl_request_sysctl(operand, &j, why, sizeof(why));

	if (err) {
		snprintf(text, sizeof(text), "%s", err == 1 ? "shows" : why);
		return text;
	}
	dump = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

T(tunables)
{
	str_eq(sysctl("net.ipv4.ip_forward=1"),
		"{\"cmd\":\"sysctl\",\"args\":{\"name\":\"net.ipv4.ip_forward\",\"value\":1}}");
	str_eq(sysctl("net.ipv4.ip_forward"), "shows");
	str_eq(sysctl("a=b"), "a=b: 'b' is no number");
	str_eq(sysctl("a="), "a=: '' is no number");
	str_eq(sysctl("\xff=1"), "not in UTF-8");
}

static const char *features(const char *line)
{
	static char text[512];
	char words[256], why[256], *argv[32], *dump;
	json_t *j;
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	if (ctl_request_features(argc, argv, &j, why, sizeof(why)) != 0) {
		snprintf(text, sizeof(text), "%s", why);
		return text;
	}
	dump = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

T(features_of_a_port)
{
	static char lro[] = "large-receive-offload", off[] = "off";
	char *many[201] = {lro};
	char why[64];
	json_t *j;

	str_eq(features("t0 tso off gro on"), "{\"cmd\":\"feature set\",\"args\":"
					      "{\"dev\":\"t0\",\"features\":\"tso=off gro=on\"}}");
	str_eq(features(""), "incomplete; form: -K PORT FEATURE on|off...");
	str_eq(features("t0"), "incomplete; form: -K PORT FEATURE on|off...");
	str_eq(features("t0 tso"), "flag 'tso' is not followed by 'on' or 'off'");
	str_eq(features("t0 tso on gro 1"), "flag 'gro' is not followed by 'on' or 'off'");
	str_eq(features("t0 a=b on"), "'a=b' is no flag");
	str_eq(features("\xff tso on"), "not in UTF-8");
	for (int i = 1; i < 201; i++)
		many[i] = i % 2 ? lro : off;
	eq(ctl_request_features(201, many, &j, why, sizeof(why)), -EINVAL);
	str_eq(why, "too many flags");
}

RUN(T_(addr_lines), T_(route_lines), T_(neigh_lines), T_(link_lines), T_(lines_that_show),
	T_(lines_that_are_wrong), T_(tunables), T_(features_of_a_port))
