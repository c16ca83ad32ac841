/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Names in commands: the options of their resolver; and what those share that look for a name, ask
 * a question of the network and end (resolve, ping, traceroute). These run on the first lcore
 * alone, on which they also print: nobody's packets wait for them.
 */
#include <plx_resolv.h>

#include "prog.h"

extern const struct plx_cmd cmd_ping, cmd_resolve, cmd_traceroute;

/** Options of the resolver. */
struct names_conf {
	struct opt_list server, search;
	const char *file, *hosts;
};

/** Rows of a table of options; at: offset of the struct names_conf. */
#define NAMES_OPTS(at)                                                                             \
	{"nameserver", "ADDR[:PORT]", OPT_LIST, (at) + offsetof(struct names_conf, server), NULL,  \
		"a name server, in place of those of --resolv-conf"},                              \
		{"search", "DOMAIN", OPT_LIST, (at) + offsetof(struct names_conf, search), NULL,   \
			"a domain to try, in place of those of --resolv-conf"},                    \
		{"resolv-conf", "FILE", OPT_STR, (at) + offsetof(struct names_conf, file), NULL,   \
			"which name servers there are; otherwise /etc/resolv.conf"},               \
	{                                                                                          \
		"hosts", "FILE", OPT_STR, (at) + offsetof(struct names_conf, hosts), NULL,         \
			"names that no server is asked for; otherwise /etc/hosts"                  \
	}

/** A command of this kind: the first part of its own struct. */
struct names_run {
	const struct names_conf *conf;
	struct app *app;
	struct stack *stack;
	struct plx_resolv *resolv;
	struct plx_resolv_query query;
	FILE *out; /**< NULL with --json: all is in the last object */
	plx_ns give_up_ns;
	bool settled, over;
	int code; /**< enum app_exit; what the command comes to */
};

/** For struct plx_cmd.check, of one operand: what can be wrong with options that begin with a
 * struct names_conf. 0 or -errno with *e filled. */
int names_check(struct app *app, void *conf, struct plx_error *e);
/** The same for one to max operands. */
int names_check_operands(
	struct app *app, const struct names_conf *conf, unsigned int max, struct plx_error *e);
/** All of a command: prog_main() with n as its argument, without what a run says of itself. conf is
 * kept. @return enum app_exit: of the run; n->code is what it came to. */
int names_main(struct app *app, const struct prog_ops *ops, struct names_run *n,
	const struct names_conf *conf);
/** What can be wrong with the options of cmd's resolver. 0 or -errno with *e filled. */
int names_conf_check(const char *cmd, const struct names_conf *conf, struct plx_error *e);
/** A resolver as the options say. For struct prog_ops.prepare. @return NULL with *e filled. */
struct plx_resolv *names_resolver(
	struct stack *s, const struct names_conf *conf, struct plx_error *e);
/** For struct prog_ops: make the resolver, and free it. */
int names_prepare(struct stack *s, struct plx_error *e);
void names_finish(struct stack *s);
/** Is this lcore the one, and can its addresses be used (duplicate address detection)? *next is
 * when to ask again. */
bool names_ready(struct prog *p, plx_ns *next);
/** The end. On the lcore. */
void names_end(struct names_run *n, int code);
/** Likewise, with a line on stderr. */
void names_fail(struct names_run *n, const char *what, const char *why);
/** What an EAI_* is called. */
const char *names_error(int err);

/** Milliseconds, as ping and traceroute print them. */
#define NAMES_MS(ns) ((double)(ns) / 1e6)
