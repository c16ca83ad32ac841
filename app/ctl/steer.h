/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * `pollux-ctl steer`: where flows go, by the tables of a running process, or by tables that are
 * made up from options.
 */
#include "ctl.h"

#include <plx_steer.h>
#include <plx_steer_explain.h>

#include "steer_load.h"

/** Options, and the tables made of them. */
struct steer_opts {
	const char *prefix; /**< as those of struct ctl_opts */
	int pid;
	bool json, help, offline, fragment, moves;
	const char *made_up; /**< an option of a made-up table that was given; NULL = none */
	uint16_t queues;
	uint16_t n_weights;
	uint32_t reta_size, weight[PLX_RETA_SIZE_MAX];
	const char *rps; /**< --rps; NULL */
	const char *svg; /**< --svg; NULL */
	uint32_t top;
	uint32_t seconds, count; /**< of selftest: as long at most; packets of a port */
	struct plx_rss rss;
	struct plx_reta reta;
};

/** A protocol's name, or its number in buf. */
const char *steer_proto_name(uint8_t proto, char buf[static 8]);
/** "tcp 10.0.0.1:80 > 10.0.0.2:1234", "icmp 10.0.0.1 > 10.0.0.2". */
const char *steer_tuple_text(const struct plx_tuple *t, char buf[static STEER_TUPLE_STRLEN]);
/** tcp, icmp6, 47. @return false: none. */
bool steer_proto_parse(const char *text, uint8_t *proto);
/** Whether it has ports that are hashed. */
bool steer_proto_has_ports(uint8_t proto);
/** src, sport, dst, dport, proto, fragment: for --json. @return a new object. */
json_t *steer_tuple_json(const struct plx_tuple *t);

/* steer_explain.c */

/** explain PROTO SRC DST. @return an exit code. */
int steer_explain(const struct steer_opts *o, int argc, char **argv);
/** What is hashed, and what comes of it. @param whose "the process's": the key. */
void steer_print_hash(
	FILE *out, const struct plx_steer_explain *e, const struct plx_rss *rss, const char *whose);

/* steer_ask.c */

/** The same of a running process. @return an exit code. */
int steer_explain_live(const struct steer_opts *o, const struct plx_tuple *tuple);
/** show [PORT]. @return an exit code. */
int steer_show(const struct steer_opts *o, int argc, char **argv);

/* steer_set.c */

/**
 * The request for the words behind `set`: "rss q equal 2".
 * @return 0 with *request, the caller's; -EINVAL with why, one line of text.
 */
int steer_set_request(int argc, char **argv, json_t **request, char *why, size_t size);
/** set rps|rss|key .... @return an exit code. */
int steer_set(const struct steer_opts *o, int argc, char **argv);

/* steer_selftest.c */

/** selftest [PORT]. @return an exit code. */
int steer_selftest(const struct steer_opts *o, int argc, char **argv);

/* steer_simulate.c */

/** simulate FILE. @return an exit code. */
int steer_simulate(const struct steer_opts *o, int argc, char **argv);

/* steer_moves.c */

/**
 * The rebalancer's moves, by the packets of the buckets of l->reta.
 * @param map  who has which bucket then. @return in words, why it leaves it at that.
 */
const char *steer_moves(const struct load *l, uint16_t queues, struct plx_owner_map *map);

/* steer_svg.c */

/** Bars of the queues' packets. @return false: the file could not be written. */
bool steer_svg(FILE *f, const char *title, const struct load *l, uint16_t queues);
