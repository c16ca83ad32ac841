/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * `pollux-ctl ss`: which rows of the tables tcp and udp are wanted. fmt_ss() prints them.
 */
#include "ctl.h"

/** Linux's numbers. */
enum ss_state {
	SS_ESTAB = 1,
	SS_SYN_SENT,
	SS_SYN_RECV,
	SS_FIN_WAIT_1,
	SS_FIN_WAIT_2,
	SS_TIME_WAIT,
	SS_UNCONN,
	SS_CLOSE_WAIT,
	SS_LAST_ACK,
	SS_LISTEN,
	SS_CLOSING,
	SS_STATES
};
#define SS_ALL ((1u << SS_STATES) - 2)

/** Neither -t nor -u is both. */
static inline bool ctl_ss_both(const struct ctl_ss *ss)
{
	return ss->tcp == ss->udp;
}

/** The operands, [state STATE | exclude STATE]...: fill ss->states. @return false: complained. */
bool ctl_ss_parse(struct ctl_ss *ss, int argc, char **argv);
/** Append to out those of a table's rows that are wanted, each with "netid". */
void ctl_ss_select(json_t *out, const char *netid, const json_t *rows, const struct ctl_opts *o);
/** Those of both tables, UDP's first, as ss has them. @return NULL after a complaint. */
json_t *ctl_ss_read(const struct ctl_opts *o, const struct ctl_peer *peer);
