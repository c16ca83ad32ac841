/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Tables as text, in the forms of the Linux tools, so that habits and parsers go on working.
 *
 * Each takes the rows as JSON (doc/guide/telemetry.md) and prints them to a file: no state, no
 * clock, so that they are tested against golden text.
 */
#include "ctl.h"

/** How to print. */
struct fmt {
	FILE *out;
	const struct ctl_opts *opts;
	bool one; /**< the rows are of what was named: no need to say so again */
	/** The rows `seconds` ago, for rates and shares; NULL = since the start. */
	const json_t *before;
	double seconds;
};

/** A string of a row, "" if it has none. */
const char *fmt_str(const json_t *row, const char *key);
/** A number of a row, 0 if it has none. */
long long fmt_num(const json_t *row, const char *key);

/** Which rows are wanted. */
struct fmt_filter {
	const char *only;	/**< a shell pattern; NULL = all */
	const char *key, *key2; /**< what it is compared with: key's text and then key2's, if any */
	bool v4, v6;		/**< families; neither = both */
};
/** @return a new array of those rows. */
json_t *fmt_select(const json_t *rows, const struct fmt_filter *filter);

void fmt_ports(const struct fmt *f, const json_t *rows);    /**< as `pollux ports` */
void fmt_dev(const struct fmt *f, const json_t *rows);	    /**< `ip -s link` */
void fmt_xstats(const struct fmt *f, const json_t *rows);   /**< `ethtool -S` */
void fmt_features(const struct fmt *f, const json_t *rows); /**< `ethtool -k` */
json_t *fmt_features_json(const json_t *rows);		    /**< `ethtool --json -k` */
/**
 * Print what came of `ethtool -K`, its line from the port on, if that is more or less than was
 * asked for, as ethtool does.
 * @param before,after the table "features".
 * @return whether nothing changed that should have.
 */
bool fmt_ethtool_changes(
	FILE *out, const json_t *before, const json_t *after, int argc, char **argv);
void fmt_addr(const struct fmt *f, const json_t *rows);	   /**< `ip addr` */
void fmt_neigh(const struct fmt *f, const json_t *rows);   /**< `ip neigh`, `ip -s neigh` */
void fmt_cache(const struct fmt *f, const json_t *rows);   /**< `ip route show cache` */
void fmt_route(const struct fmt *f, const json_t *rows);   /**< `ip route`, `ip -6 route` */
void fmt_tcp(const struct fmt *f, const json_t *rows);	   /**< `ss -tan`, -s: `ss -tani` */
void fmt_ss(const struct fmt *f, const json_t *rows);	   /**< `ss -tinomap` */
void fmt_softnet(const struct fmt *f, const json_t *rows); /**< softnet_stat */
/** /proc/net/sockstat, and a line for each lcore */
void fmt_sockstat(const struct fmt *f, const json_t *rows);
void fmt_snmp(const struct fmt *f, const json_t *rows); /**< `nstat -a`, `nstat -az` */
void fmt_drops(const struct fmt *f, const json_t *rows);
void fmt_sysctl(const struct fmt *f, const json_t *rows); /**< `sysctl -a` */
void fmt_idle(const struct fmt *f, const json_t *rows);
void fmt_tap(const struct fmt *f, const json_t *rows); /**< captures, -s: all of each */
