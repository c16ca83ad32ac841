/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A run of the whole stack, for a command: interfaces, addresses and routes by struct stack_conf.
 * The command fills the first part of a struct stack and calls stack_run().
 */
#include <plx_net.h>
#include <plx_sock.h>

#include "app.h"

struct stack;

/** A command's own part. Functions may be NULL. */
struct stack_ops {
	/** Interfaces are there, and sockets if wanted; no lcore runs. Main thread. */
	int (*begin)(struct stack *s, struct plx_error *e);
	/** The engine has stopped. Undoes begin(), also one that failed. Main thread. */
	void (*end)(struct stack *s);
	/** As those of struct app_run_ops. */
	void (*json)(struct stack *s, json_t *o, bool final);
	void (*text)(struct stack *s, FILE *out);
};

struct stack {
	struct app *app;
	const struct stack_ops *ops;
	const struct up_conf *services; /**< for the plan; NULL = none */
	bool sockets;			/**< there shall be some */
	void *arg;			/**< the command's */

	struct app_run *run;
	struct up_plan plan;
	struct plx_tunables tun;
	struct plx_net *net;
	struct plx_sock *sock; /**< NULL without sockets */
	struct plx_engine *eng;
	uint16_t lcores;
	uint16_t first_if; /**< index of the first interface */
};

/** What can be wrong with the options, seen before EAL starts. 0 or -errno with *e filled. */
int stack_check(const struct app *app, const struct up_conf *services, struct plx_error *e);
/** Run until it is to end. @return enum app_exit. */
int stack_run(struct stack *s);

/** A counter, of which each of n lcores has one: NAME is the sum, NAME_by_lcore the list. */
void stack_json_counter(json_t *o, const char *name, const uint64_t *each, uint16_t n);
/** The sum of one counter of each lcore. */
uint64_t stack_sum(const uint64_t *each, uint16_t n);
