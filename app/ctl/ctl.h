/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * pollux-ctl: sees and steers a running pollux from outside. libc and jansson, no DPDK.
 *
 * Tables come page by page from EAL's telemetry socket, as arrays of objects, and are printed as
 * the Linux tools print theirs (fmt.h). Commands go to the control socket, one JSON object each.
 */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/** Exit codes. */
enum ctl_exit {
	CTL_OK,
	CTL_FAILED, /**< at run time: nobody there, or refused */
	CTL_USAGE,  /**< the command line is wrong */
};

/** Options and operands of `ss` alone. */
struct ctl_ss {
	bool tcp, udp, listening, all;
	bool info, timers, memory, processes; /**< -i -o -m -p */
	bool no_header, oneline;
	unsigned int states; /**< bits of enum ss_state (ss.h) */
};

/** Options, in any place of the command line; those of `ss` behind it. */
struct ctl_opts {
	const char *prefix; /**< --file-prefix; NULL = the only one that runs */
	int pid;	    /**< --pid; 0 = whoever it is */
	bool json, watch, v4, v6, stats, zeros, raw, xstats, features, set_features, help;
	double watch_s;
	struct ctl_ss ss;
};

/** Say on stderr what is wrong, one line. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* find.c */

#define CTL_PATH_MAX 4096

/** A running pollux. */
struct ctl_peer {
	char dir[CTL_PATH_MAX]; /**< its EAL run-time directory */
	char prefix[256];
	char sock[256]; /**< its control socket there */
	int pid;
};

/** Where EAL keeps the directories of its processes, by its rules. */
const char *ctl_base_dir(char *buf, size_t size);
/**
 * The one that the prefix names, or the only one if it is NULL; of several the one with the pid.
 * @return CTL_OK, or the exit code after a complaint.
 */
int ctl_find(const char *prefix, int pid, struct ctl_peer *peer);

/* sock.c */

/** Connect to a socket in a directory. @return the descriptor or -errno. */
int ctl_connect(const char *dir, const char *name);
/** All rows of a table, as an array; *pid is who answered. @return NULL after a complaint. */
json_t *ctl_read(const struct ctl_peer *peer, const char *table);
/** The same; a table that is not there is empty. */
json_t *ctl_read_if_any(const struct ctl_peer *peer, const char *table);
/** Send a command and wait for the verdict. Takes the request. @return an exit code. */
int ctl_write(const struct ctl_peer *peer, json_t *request);
/** The same with the answer in *reply, the caller's; NULL unless CTL_OK comes back. */
int ctl_ask(const struct ctl_peer *peer, json_t *request, json_t **reply);
/** Its answer, the caller's; NULL, and no complaint, if there is none or it says no. */
json_t *ctl_ask_quietly(const struct ctl_peer *peer, json_t *request);
/** Ask it to stop, and wait until it has. @return an exit code. */
int ctl_stop(const struct ctl_peer *peer);

/* request.c */

/**
 * The request for a command line that changes something: "addr add 10.0.0.1/24 dev 0".
 * @return 0 with *request, the caller's; 1 if the line only shows something; -EINVAL with why, one
 *         line of text.
 */
int ctl_request(int argc, char **argv, bool v6, json_t **request, char *why, size_t size);
/** The same for an operand of sysctl: "net.ipv4.ip_forward=1". */
int ctl_request_sysctl(const char *operand, json_t **request, char *why, size_t size);
/** The same for `ethtool -K`, from the port on: "t0 tso off gro on". */
int ctl_request_features(int argc, char **argv, json_t **request, char *why, size_t size);

/* ethtool.c */

/** What `ethtool` is asked to do. @return an exit code, or -1 if it is to show something. */
int ctl_ethtool(const struct ctl_opts *o, int argc, char **argv);

/* tap.c */

extern const char ctl_tap_text[]; /**< forms, options and examples */
/** Is it a line of `tap` that begins or ends a capture? */
bool ctl_tap_acts(int argc, char **argv);
/** Such a line, with its own options. @return an exit code. */
int ctl_tap(const struct ctl_opts *o, int argc, char **argv);

/* tcpdump.c */

extern const char ctl_tcpdump_text[];
/** `tcpdump` and its own options. @return an exit code. */
int ctl_tcpdump(const struct ctl_opts *o, int argc, char **argv);

/* steer.c */

extern const char ctl_steer_text[]; /**< forms, options and examples */
/** `steer` and its own options. @return an exit code. */
int ctl_steer(const struct ctl_opts *o, int argc, char **argv);
