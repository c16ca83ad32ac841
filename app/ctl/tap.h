/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * `pollux-ctl tap` and `tcpdump`: captures of a running process, and packets in a line each.
 */
#include <getopt.h>

#include <plx_pcapng.h>

#include "ctl.h"

/* tap.c */

/** Long options without a short name. */
enum {
	TAP_HOOK = 256,
	TAP_SAMPLE,
	TAP_FORM,
	TAP_FORMAT,
	TAP_RECORD,
	TAP_TRIGGER,
	TAP_AFTER,
	TAP_REARM,
	TAP_MAX_COST,
};

/** Short options of a capture. */
#define TAP_LETTERS "f:w:i:Q:s:c:B:"
/* Of a table of getopt_long(). */
#define TAP_OPTIONS                                                                                \
	{"filter", required_argument, NULL, 'f'}, {"write", required_argument, NULL, 'w'},         \
		{"hook", required_argument, NULL, TAP_HOOK},                                       \
		{"port", required_argument, NULL, 'i'},                                            \
		{"direction", required_argument, NULL, 'Q'},                                       \
		{"snaplen", required_argument, NULL, 's'},                                         \
		{"count", required_argument, NULL, 'c'},                                           \
		{"sample", required_argument, NULL, TAP_SAMPLE},                                   \
		{"max-cost", required_argument, NULL, TAP_MAX_COST},                               \
		{"buffer", required_argument, NULL, 'B'},                                          \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}
/** Put the option c with its value (optarg) into the arguments of `tap start`. @return 0; 1 if it
 * is no option of a capture; -EINVAL after a complaint. */
int tap_option(json_t *args, int c, const char *value);
/** The words from argv on as an expression; none is fine. @return 0 or -EINVAL after a complaint.
 */
int tap_expression(json_t *args, int argc, char **argv);
/** Say which option getopt_long() did not like, ':' or '?'. */
void tap_complain_option(const char *command, int c, char **argv);

/* tap_pipe.c */

/**
 * Begin a capture that comes to us: it ends when fd is closed.
 * @param who  part of the pipe's name. @param args of `tap start`; file and once are added.
 * @param fd   to read from; does not block. @param tap its number.
 * @return an exit code.
 */
int tap_pipe_begin(
	const struct ctl_peer *peer, const char *who, json_t *args, int *fd, long long *tap);

/* line.c */

/** What is known of a packet beside itself. */
struct line_about {
	const char *port; /**< NULL or "" = none */
	bool bare;	  /**< begins with an IP header, not Ethernet */
	bool macs;	  /**< show Ethernet's header, too */
	bool no_time;
};

#define LINE_BYTES 512
/**
 * A packet as a line without its end: time (local), point, port, addresses, protocol, flags,
 * length; of one that was dropped the reason.
 * @return buf, of LINE_BYTES bytes.
 */
const char *line_format(char *buf, const struct plx_pcapng_pkt *p, const struct line_about *about);

/**
 * A packet of a capture file. @param port its interface's name, "" = none.
 * @param bare begins with an IP header, not Ethernet.
 * @return whether there is to be another one.
 */
typedef bool (*line_fn)(void *arg, const struct plx_pcapng_pkt *p, const char *port, bool bare);
/** Give the packets of a capture file that comes from fd to fn, until it ends, or stop is set.
 * @return how many, or -errno after a complaint. */
long long line_read_all(int fd, line_fn fn, void *arg, volatile const int *stop);

/** Print the packets of a capture file that comes from fd, in a line each, until it ends, or stop
 * is set, or max were printed (0 = any number). @return how many, or -errno after a complaint. */
long long line_print_all(
	int fd, const struct line_about *about, long long max, volatile const int *stop);
