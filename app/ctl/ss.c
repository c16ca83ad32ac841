/* SPDX-License-Identifier: BSD-3-Clause */
#include "ss.h"

#include <string.h>
#include <strings.h>

#include "fmt.h"

/* What `ss` is asked for: iproute2's words to the states of the tables, and the rows of both. */

#define BIT(state) (1u << (state))

/* As the tables have them. */
static const char *const state_name[SS_STATES] = {
	[SS_ESTAB] = "ESTAB",
	[SS_SYN_SENT] = "SYN-SENT",
	[SS_SYN_RECV] = "SYN-RECV",
	[SS_FIN_WAIT_1] = "FIN-WAIT-1",
	[SS_FIN_WAIT_2] = "FIN-WAIT-2",
	[SS_TIME_WAIT] = "TIME-WAIT",
	[SS_UNCONN] = "UNCONN",
	[SS_CLOSE_WAIT] = "CLOSE-WAIT",
	[SS_LAST_ACK] = "LAST-ACK",
	[SS_LISTEN] = "LISTEN",
	[SS_CLOSING] = "CLOSING",
};

#define CONNECTED (SS_ALL & ~(BIT(SS_LISTEN) | BIT(SS_UNCONN)))

static const struct {
	const char *word;
	unsigned int states;
} words[] = {
	{"all", SS_ALL},
	{"connected", CONNECTED},
	{"synchronized", CONNECTED & ~BIT(SS_SYN_SENT)},
	{"bucket", BIT(SS_SYN_RECV) | BIT(SS_TIME_WAIT)},
	{"big", SS_ALL & ~(BIT(SS_SYN_RECV) | BIT(SS_TIME_WAIT))},
	{"established", BIT(SS_ESTAB)},
	{"syn-sent", BIT(SS_SYN_SENT)},
	{"syn-recv", BIT(SS_SYN_RECV)},
	{"fin-wait-1", BIT(SS_FIN_WAIT_1)},
	{"fin-wait-2", BIT(SS_FIN_WAIT_2)},
	{"time-wait", BIT(SS_TIME_WAIT)},
	{"close", BIT(SS_UNCONN)},
	{"closed", BIT(SS_UNCONN)},
	{"unconnected", BIT(SS_UNCONN)},
	{"close-wait", BIT(SS_CLOSE_WAIT)},
	{"last-ack", BIT(SS_LAST_ACK)},
	{"listening", BIT(SS_LISTEN)},
	{"closing", BIT(SS_CLOSING)},
};

static unsigned int states_of(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].states;
	return 0;
}

/* Without a filter: as ss, what is neither a listener nor half done, unless -a or -l. */
static unsigned int states_by_options(const struct ctl_ss *ss)
{
	if (ss->all)
		return SS_ALL;
	if (ss->listening)
		return BIT(SS_LISTEN) | BIT(SS_UNCONN);
	return CONNECTED & ~(BIT(SS_SYN_RECV) | BIT(SS_TIME_WAIT));
}

/* As ss: the first "state" begins with none, the first "exclude" with all. */
bool ctl_ss_parse(struct ctl_ss *ss, int argc, char **argv)
{
	ss->states = states_by_options(ss);
	for (int i = 0; i < argc; i += 2) {
		bool state = strcmp(argv[i], "state") == 0;
		const char *word = i + 1 < argc ? argv[i + 1] : "";
		unsigned int states = states_of(word);

		if (!state && strcmp(argv[i], "exclude") != 0) {
			ctl_complain(
				"ss: '%s' is not understood; see 'pollux-ctl ss --help'", argv[i]);
			return false;
		}
		if (!states) {
			ctl_complain("ss: no state '%s'; see 'pollux-ctl ss --help'", word);
			return false;
		}
		if (i == 0)
			ss->states = state ? 0 : SS_ALL;
		ss->states = state ? ss->states | states : ss->states & ~states;
	}
	if (!ss->states)
		ctl_complain("ss: no state is left");
	return ss->states;
}

static bool state_wanted(const struct ctl_ss *ss, const json_t *row)
{
	for (unsigned int i = 0; i < SS_STATES; i++)
		if (state_name[i] && strcmp(state_name[i], fmt_str(row, "state")) == 0)
			return ss->states & BIT(i);
	return ss->all; /* a newer process's */
}

/* "*" is a socket of IPv6 that hears both families. */
static bool family_wanted(const struct ctl_opts *o, const json_t *row)
{
	bool v6 = strpbrk(fmt_str(row, "local"), ":*") != NULL;

	return o->v4 == o->v6 || v6 == o->v6;
}

void ctl_ss_select(json_t *out, const char *netid, const json_t *rows, const struct ctl_opts *o)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (!state_wanted(&o->ss, row) || !family_wanted(o, row))
			continue;
		json_object_set_new(row, "netid", json_string(netid));
		json_array_append(out, row);
	}
}

static bool add_table(
	json_t *out, const char *table, const struct ctl_opts *o, const struct ctl_peer *peer)
{
	json_t *rows = ctl_read(peer, table);

	if (!rows)
		return false;
	ctl_ss_select(out, table, rows, o);
	json_decref(rows);
	return true;
}

json_t *ctl_ss_read(const struct ctl_opts *o, const struct ctl_peer *peer)
{
	bool both = ctl_ss_both(&o->ss);
	json_t *out = json_array();

	if (((both || o->ss.udp) && !add_table(out, "udp", o, peer)) ||
		((both || o->ss.tcp) && !add_table(out, "tcp", o, peer))) {
		json_decref(out);
		return NULL;
	}
	return out;
}
