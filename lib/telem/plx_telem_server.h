/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The control socket: commands that change a running Pollux, as JSON.
 *
 * A SOCK_SEQPACKET Unix socket, `pollux.sock` in EAL's run-time directory, mode 0600; the peer must
 * be root or have our user id. One packet is one request, and has one reply:
 *
 *     {"cmd": "addr add", "args": {"local": "10.0.0.1/24", "dev": "0"}}
 *     {"ok": true}
 *     {"error": {"errno": 17, "name": "EEXIST", "message": "addr add: ..."}}
 *
 * `help` lists the commands. The server belongs to one thread, the program's control thread, and
 * never blocks it: a client that does not read its replies, sends too much or overstays is closed.
 * Handlers run on that thread.
 */
#include <plx_base_error.h>

PLX_C_BEGIN

#define PLX_TELEM_SOCKET	"pollux.sock"
#define PLX_TELEM_REQUEST_BYTES 8192 /**< longest request */
#define PLX_TELEM_CLIENTS	8    /**< one more, and the one that was silent longest is closed */

struct plx_telem_args;	/**< of a request; valid while the handler runs */
struct plx_telem_reply; /**< to it; likewise */

/** A command. */
struct plx_telem_cmd {
	const char *name; /**< "addr add" */
	/**
	 * Its arguments, "local:s dev:s metric:i?": s = string, i = integer, ? = may be missing.
	 * Others, and others' types, are refused before the handler runs. NULL = none.
	 */
	const char *args;
	const char *help; /**< one line */
	/** @return 0, or -errno as plx_telem_reply_error() gives it. */
	int (*run)(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg);
};

/** A set of commands. The caller's memory, constant from _add() to _del(). */
struct plx_telem_cmds {
	const struct plx_telem_cmd *cmd;
	unsigned int n;
	void *arg; /**< the handlers' */
	struct plx_telem_cmds *next;
};

/** Offer commands; of two with one name the later added runs. For the control thread. */
PLX_API void plx_telem_cmds_add(struct plx_telem_cmds *set);
/** Nothing happens if they were not added. */
PLX_API void plx_telem_cmds_del(struct plx_telem_cmds *set);

/* For handlers */

/** A string argument, or NULL if it is missing. */
PLX_API const char *plx_telem_args_str(const struct plx_telem_args *args, const char *name);
/** An integer argument, or the default if it is missing. */
PLX_API int64_t plx_telem_args_int(
	const struct plx_telem_args *args, const char *name, int64_t def);
/** Add an integer to the answer "ok": {"ok": true, "tap": 3}. */
PLX_API void plx_telem_reply_int(struct plx_telem_reply *reply, const char *name, int64_t value);
/** Say why it failed, in a line; the command's name is put before it. @return err. */
PLX_API int plx_telem_reply_error(struct plx_telem_reply *reply, int err, const char *format, ...)
	PLX_PRINTF(3, 4);

/* The server */

struct plx_telem_server;

/**
 * Listen on pollux.sock, or, where another process does, on pollux.sock:1 and so on. A socket file
 * that nobody listens on is replaced.
 * @param dir EAL's run-time directory. @return NULL with *e filled (CONTROL_SOCKET).
 */
PLX_API struct plx_telem_server *plx_telem_server_open(const char *dir, struct plx_error *e);
/** Close all clients and remove the file, if it is still ours. NULL is fine. */
PLX_API void plx_telem_server_close(struct plx_telem_server *s);
/** One descriptor for poll(): readable when serve() has work. */
PLX_API int plx_telem_server_fd(const struct plx_telem_server *s);
/** Do what can be done now, at most 64 requests. Never blocks. @return requests answered. */
PLX_API unsigned int plx_telem_server_serve(struct plx_telem_server *s);

PLX_C_END
