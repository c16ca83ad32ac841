/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <ctype.h>
#include <stdlib.h>

/*
 * Shell commands are not run. Of what scripts use them for, settings are ours: sysctl, the MTU, the
 * initial window of a route.
 */

struct setting {
	enum plx_tunable id;
	int64_t v;
};

/* What packetdrill's collection calls its defaults: a host of today, its buffers and options. */
static const struct setting defaults[] = {
	{PLX_TUN_TCP_RMEM_DEFAULT, 540000},
	{PLX_TUN_TCP_RMEM_MAX, 15 << 20},
	{PLX_TUN_TCP_WMEM_DEFAULT, 262144},
	{PLX_TUN_TCP_WMEM_MAX, 4194304},
	{PLX_TUN_TCP_TIMESTAMPS, 1},
	{PLX_TUN_TCP_SYN_RETRIES, 5},
	{PLX_TUN_TCP_SYNACK_RETRIES, 5},
	{PLX_TUN_TCP_FRTO, 2},
	{PLX_TUN_TCP_SACK, 1},
	{PLX_TUN_TCP_DSACK, 1},
	{PLX_TUN_TCP_REORDERING, 3},
	{PLX_TUN_TCP_CUBIC, 1},
	{PLX_TUN_TCP_SLOW_START_AFTER_IDLE, 0},
	{PLX_TUN_TCP_EARLY_RETRANS, 3},
	{PLX_TUN_TCP_RECOVERY, 1},
	{PLX_TUN_TCP_ECN, 0},
	{PLX_TUN_TCP_PACING_SS_RATIO, 200},
	{PLX_TUN_TCP_PACING_CA_RATIO, 120},
};

static void set(struct td_run *r, enum plx_tunable id, int64_t v)
{
	if (plx_tunable_set(&r->tun, id, v) != 0)
		td_fail(r, "%s = %lld is out of its bounds", plx_tunable_info[id].name,
			(long long)v);
}

/* "4096 131072 6291456": least, default, most. */
static void set_mem(struct td_run *r, enum plx_tunable def, enum plx_tunable max, const char *value)
{
	char *p;

	strtoll(value, &p, 0);
	set(r, def, strtoll(p, &p, 0));
	set(r, max, strtoll(p, &p, 0));
}

static void set_named(struct td_run *r, const char *name, const char *value)
{
	int id = plx_tunable_find(name);

	if (id >= 0)
		set(r, (enum plx_tunable)id, strtoll(value, NULL, 0));
	else if (strcmp(name, "net.ipv4.tcp_rmem") == 0)
		set_mem(r, PLX_TUN_TCP_RMEM_DEFAULT, PLX_TUN_TCP_RMEM_MAX, value);
	else if (strcmp(name, "net.ipv4.tcp_wmem") == 0)
		set_mem(r, PLX_TUN_TCP_WMEM_DEFAULT, PLX_TUN_TCP_WMEM_MAX, value);
	else if (strcmp(name, "net.ipv4.tcp_congestion_control") == 0)
		set(r, PLX_TUN_TCP_CUBIC, strcmp(value, "cubic") == 0);
	else if (r->setup.verbose)
		printf("# %s is not ours\n", name);
}

/* "net/ipv4/x=1", "/proc/sys/net/ipv4/x=1", "net.ipv4.x=\"1 2 3\"". */
static void assignment(struct td_run *r, char *word)
{
	char *value = strchr(word, '='), *end;

	if (!value)
		return;
	*value++ = 0;
	if (strncmp(word, "/proc/sys/", 10) == 0)
		word += 10;
	for (char *p = word; *p; p++)
		*p = *p == '/' ? '.' : *p;
	end = value + strlen(value);
	if (end - value > 1 && (*value == '"' || *value == '\'')) {
		value++;
		end[-1] = 0;
	}
	set_named(r, word, value);
}

/* The next word of *p; what is quoted belongs to it. */
static bool next_word(const char **p, char *word, size_t bytes)
{
	size_t n = 0;
	char quote = 0;

	while (**p && (isspace((unsigned char)**p) || **p == '\\'))
		(*p)++;
	while (**p && (quote || !isspace((unsigned char)**p))) {
		if (**p == '"' || **p == '\'')
			quote = quote ? 0 : **p;
		if (n < bytes - 1)
			word[n++] = **p;
		(*p)++;
	}
	word[n] = 0;
	return n > 0;
}

static void route_word(struct td_run *r, const char *word, const char *value)
{
	if (strcmp(word, "initcwnd") == 0)
		set(r, PLX_TUN_TCP_INIT_CWND, atoi(value));
	else if (strcmp(word, "mtu") == 0 && atoi(value) > 0)
		r->mtu = (uint16_t)atoi(value);
}

void td_command(struct td_run *r, const char *text)
{
	char word[200], before[200] = "";
	const char *p = text;
	bool route = false;

	while (next_word(&p, word, sizeof(word))) {
		if (strstr(word, "defaults.sh")) {
			for (unsigned int i = 0; i < PLX_DIM(defaults); i++)
				set(r, defaults[i].id, defaults[i].v);
		} else if (strcmp(word, "ip") == 0 || strcmp(word, "ifconfig") == 0) {
			route = true;
		} else if (strncmp(word, "net", 3) == 0 || strncmp(word, "/proc/sys/", 10) == 0) {
			route = false;
			assignment(r, word);
		} else if (route) {
			route_word(r, before, word);
		}
		snprintf(before, sizeof(before), "%s", word);
	}
}
