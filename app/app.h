/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The frame of the `pollux` binary: `pollux [EAL arguments] -- COMMAND [options]`.
 *
 * A command is a row of the table in main.c: a name, texts, a table of options and a function. Its
 * options are parsed, and what can be wrong with them is said, before EAL is started. Commands that
 * forward packets fill a struct app_run and call app_run(), which owns the rest: engine, ports,
 * signals, reports, the account at the end.
 */
#include <sched.h>
#include <stdio.h>

#include <jansson.h>

#include <plx_base_error.h>
#include <plx_engine.h>

#include "capture_conf.h"
#include "up.h"

/** Exit codes. */
enum app_exit {
	APP_OK,
	APP_FAILED,	/**< at run time */
	APP_USAGE,	/**< the command line is wrong */
	APP_ACCOUNTING, /**< packets or mbufs went missing */
};

/* Options: opt.h */

/** Options that all commands have. */
struct app_common {
	bool json;
	uint32_t queues;       /**< of each port; 0 = one for each lcore */
	struct opt_list ports; /**< --port: ports that are not EAL's */
};

/** Options of commands that run the engine. */
struct app_run_opts {
	uint32_t for_s;	       /**< 0 = until a signal comes */
	uint32_t idle_exit_ms; /**< 0 = never */
	uint32_t burst, rxd, txd, mbufs, mbuf_bytes;
	uint32_t idle; /**< enum plx_idle_policy */
	uint32_t seed;
};

/* Commands */

struct app;

struct plx_cmd {
	const char *name;
	const char *operands; /**< "check FILE"; NULL = it takes none */
	const char *summary;  /**< a line for the list of commands */
	const char *text;     /**< what it does, and examples */
	const struct opt *opts;
	size_t conf_bytes;	      /**< of the struct that opts is for */
	enum plx_idle_policy idle;    /**< the default of --idle */
	bool no_eal;		      /**< needs neither EAL nor ports */
	bool runs;		      /**< takes struct app_run_opts too */
	bool stack;		      /**< takes struct stack_conf too */
	void (*more_help)(FILE *out); /**< printed after the options; optional */
	/** What can be found wrong before EAL starts. 0 or -errno with *e filled. Optional. */
	int (*check)(struct app *app, void *conf, struct plx_error *e);
	/** @return enum app_exit. */
	int (*run)(struct app *app, void *conf);
};

extern const struct plx_cmd cmd_ports, cmd_fwd, cmd_up, cmd_config, cmd_http, cmd_load, cmd_proxy,
	cmd_echo, cmd_discard, cmd_chargen, cmd_capture, cmd_replay;

#define APP_CAPTURES 8

/** What a command is given. */
struct app {
	const struct plx_cmd *cmd;
	FILE *out;	/**< our stdout, which no library writes to */
	cpu_set_t cpus; /**< CPUs that the process may use, as it began */
	struct app_common common;
	struct app_run_opts run;
	struct stack_conf stack;
	struct capture_conf capture[APP_CAPTURES]; /**< of the words `capture ...` */
	unsigned int n_captures;
	const char *operand[8];
	unsigned int n_operands;
	char **eal_argv; /**< EAL's part of the command line, without argv[0] */
	int eal_argc;
};

/** Print a set-up error and its remedy on stderr, one line. @return the exit code that goes with
 * it. */
int app_fail(const struct plx_error *e);
/** A note on stderr, one line. */
void app_note(const char *fmt, ...) PLX_PRINTF(1, 2);

/* opt.c */

/** All options of a command to their defaults. */
void opt_defaults(struct app *app, void *conf);
/** Parse a command's arguments. @return 0, 1 when help was asked for, -errno with *e filled. */
int opt_parse(struct app *app, void *conf, int argc, char **argv, struct plx_error *e);
/** What `pollux -- COMMAND --help` prints. */
void opt_help(const struct plx_cmd *cmd, FILE *out);
/** A row of its tables: a word, and beside it a text that is broken into lines. */
void opt_help_row(const char *left, const char *text, FILE *out);

/* eal.c */

/**
 * Start EAL and make all ports: EAL's in their order, then those of --port. What EAL prints goes to
 * stderr, and nowhere when it fails: then *e says why.
 */
int app_eal_start(struct app *app, struct plx_error *e);
/** Free the ports, clean EAL up and remove its files. */
void app_eal_stop(struct app *app);

/* huge.c */

/** Is -m, if given, a number? */
int huge_check(const struct app *app, struct plx_error *e);

#define HUGE_ARGS 3
/**
 * What EAL has to be told where there are no huge pages, and the command line says nothing of them.
 * @return how many arguments; if any, the note says why.
 */
int huge_args(const struct app *app, char *arg[static HUGE_ARGS], char *note, size_t size);
/**
 * Remove the files of huge pages of a process that has ended: what EAL itself had allocated stays
 * in them. Unless the command line says --huge-unlink.
 */
void huge_clean(const struct app *app, const char *prefix);

/* vdev.c */

/** What can be wrong with the --vdev arguments, seen before EAL starts. */
int vdev_check(const struct app *app, struct plx_error *e);
/** Did all of them come up? `log` is what EAL said meanwhile. */
int vdev_compare(const struct app *app, const char *log, struct plx_error *e);

/* run.c */

struct app_run;

/** Something in the control thread's loop: called when fd is readable. */
struct app_watch {
	int fd;
	void (*ready)(struct app_run *run, struct app_watch *w);
	void *arg;
};

/** A command's part of a run. Functions may be NULL. */
struct app_run_ops {
	struct plx_engine_ops engine;
	/** Ports are open, no lcore runs. Main thread. */
	int (*begin)(struct app_run *run, struct plx_error *e);
	/** All lcores run; before `ready` is printed. Control thread. */
	int (*up)(struct app_run *run, struct plx_error *e);
	/** Some times a second. Control thread. */
	void (*tick)(struct app_run *run);
	/** Every second. Control thread. */
	void (*second)(struct app_run *run);
	/** The engine has stopped, ports are still open. Undoes begin() and up(). Main thread. What
	 * failed on an lcore it tells by run->err and run->error. */
	void (*end)(struct app_run *run);
	/** Packets that the command's own layers hold. */
	uint64_t (*held)(struct app_run *run);
	/** Add the command's fields to an object of --json. */
	void (*json)(struct app_run *run, json_t *o, bool final);
	/** More lines for the text totals. */
	void (*text)(struct app_run *run, FILE *out);
};

/** What an lcore did: where flows went. */
struct app_lcore {
	uint32_t lcore;
	uint64_t received, processed, handed, dropped, time_squeeze;
};

/** What a run has counted so far. */
struct app_counts {
	plx_ns when_ns; /**< since `ready` */
	struct plx_acct acct;
	uint64_t busy_cycles;
	plx_ns residency_ns[PLX_RES_MAX];
	uint64_t held;
	uint64_t rx_bytes, tx_bytes;
	struct plx_port_stats port[PLX_PORT_MAX];
	struct app_lcore lcore[PLX_ENGINE_LCORES_MAX];
	uint16_t lcores;
};

/** A run of the engine under the control of a command. The command fills the first part. */
struct app_run {
	struct app *app;
	const struct app_run_ops *ops;
	const char *mode;	     /**< for the report; "" if the command has none */
	struct plx_engine_conf conf; /**< ops, arg, idle, burst, rxd, txd, mbufs, seed are filled */
	void *arg;		     /**< the command's */

	struct plx_engine *eng;
	uint16_t n_ports;
	char port_name[PLX_PORT_MAX][PLX_PORT_NAMELEN];
	int epfd;
	struct app_watch signals, tick, done, control;
	struct captures *captures; /**< capture.h */
	bool capture_failed;	   /**< by an error other than a reader that went away */
	struct plx_tunables *tun;  /**< live: `pollux-ctl sysctl` writes it; NULL = defaults */
	struct plx_tunables default_tun;
	uint64_t hz;
	bool ready;
	struct plx_error error; /**< of the control thread's, or an lcore's */
	int err;
	plx_ns start_ns, stop_ns; /**< CLOCK_MONOTONIC */
	plx_ns next_report_ns;
	plx_ns last_rx_ns; /**< when packets were last seen to come in */
	uint64_t last_rx;
	struct app_counts now, before; /**< at the last report and the one before */
};

/** Run until a signal comes, --for or --idle-exit is over. @return enum app_exit. */
int app_run(struct app_run *run);
/** Have fd watched by the control thread; w stays the caller's. From up() on. @return 0 or -errno.
 */
int app_run_watch(struct app_run *run, struct app_watch *w);
void app_run_unwatch(struct app_run *run, struct app_watch *w);
/** Ask for the end. Any thread. */
void app_run_stop(struct app_run *run);

/** Time since `ready`. */
plx_ns app_run_elapsed(const struct app_run *run);

/* control.c */

/** Serve tables and the control socket. Control thread, once all lcores run. */
int app_control_start(struct app_run *run, struct plx_error *e);
/** After the run, with the ports still open. Fine if it was not started. */
void app_control_stop(struct app_run *run);

/* report.c */

void report_counts(struct app_run *run, struct app_counts *c);
/** The line or the object that is due each second. */
void report_interval(struct app_run *run);
void report_final(struct app_run *run, const struct app_counts *c, uint32_t leaked);
/** NULL when the account closes, else what is missing, in buf. */
const char *report_account(const struct app_counts *c, uint32_t leaked, char *buf, size_t size);
/** One JSON line on our stdout; takes o. */
void report_json(const struct app *app, json_t *o);
