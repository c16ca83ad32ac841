/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S  5
#define STOP_S	    30
#define REPLY_BYTES 65536
#define PAGES_MAX   100000

int ctl_connect(const char *dir, const char *name)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, err;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir, name) >=
		(int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void complain_io(int err)
{
	if (err == EAGAIN || err == EWOULDBLOCK)
		ctl_complain("no answer within %d s", PATIENCE_S);
	else if (err == EPIPE || err == ECONNRESET)
		ctl_complain("the process ended");
	else
		ctl_complain("talking to the process: %s", strerror(err));
}

/* One packet there (NULL: none) and one back, as JSON. @return NULL after a complaint. */
static json_t *exchange(int fd, const char *request)
{
	static char buf[REPLY_BYTES];
	json_error_t e;
	json_t *reply;
	ssize_t n = 0;

	if (request)
		n = send(fd, request, strlen(request), MSG_NOSIGNAL);
	if (n >= 0)
		n = recv(fd, buf, sizeof(buf), 0);
	if (n < 0) {
		complain_io(errno);
		return NULL;
	}
	if (n == 0) {
		ctl_complain(request ? "the process ended"
				     : "telemetry has as many clients as it takes (10)");
		return NULL;
	}
	reply = json_loadb(buf, (size_t)n, 0, &e);
	if (!reply)
		ctl_complain("the answer is no JSON: %s", e.text);
	return reply;
}

/* The control socket is the first to go when a pollux ends. */
static bool ended(const struct ctl_peer *peer)
{
	int fd = ctl_connect(peer->dir, peer->sock);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

/* Append a page's rows. @param must there is such a table. @return the next cursor, 0 at the end,
 * -1 after a complaint. */
static json_int_t read_page(const struct ctl_peer *peer, int fd, const char *table, bool must,
	json_int_t cursor, json_t *rows)
{
	char request[96], key[24];
	json_t *reply, *page;
	json_int_t next;

	snprintf(request, sizeof(request), "/plx/%s,%lld", table, (long long)cursor);
	reply = exchange(fd, request);
	if (!reply)
		return -1;
	page = json_object_iter_value(json_object_iter(reply));
	if (!json_is_object(page)) {
		json_decref(reply);
		if (ended(peer))
			complain_io(EPIPE);
		else if (!must)
			return 0;
		else
			ctl_complain("what runs there has no table '%s' (addr, route and neigh are "
				     "'pollux up's)",
				table);
		return -1;
	}
	for (size_t i = 0;; i++) {
		json_t *row;

		snprintf(key, sizeof(key), "%zu", i);
		row = json_object_get(page, key);
		if (!row)
			break;
		json_array_append(rows, row);
	}
	next = json_integer_value(json_object_get(page, "next"));
	json_decref(reply);
	return next;
}

/* @return the descriptor when this is the peer's; -ESRCH if it is another process's; -errno. */
static int dial(const struct ctl_peer *peer, const char *name, bool any)
{
	int fd = ctl_connect(peer->dir, name);
	json_t *greeting;
	bool its;

	if (fd < 0)
		return fd;
	greeting = exchange(fd, NULL);
	its = greeting &&
	      (any || json_integer_value(json_object_get(greeting, "pid")) == peer->pid);
	json_decref(greeting);
	if (its)
		return fd;
	close(fd);
	return greeting ? -ESRCH : -EIO;
}

#define TELEMETRY "dpdk_telemetry.v2"

/*
 * Processes that share a directory have sockets with numbers behind the name, and say who they are.
 * Where there is one it is taken at its name: a container's process has another pid in there.
 */
static int dial_telemetry(const struct ctl_peer *peer)
{
	DIR *d = opendir(peer->dir);
	struct dirent *entry;
	int fd = -ENOENT, n = 0;

	while (d && (entry = readdir(d)))
		n += strncmp(entry->d_name, TELEMETRY, strlen(TELEMETRY)) == 0;
	if (d)
		rewinddir(d);
	while (d && fd < 0 && fd != -EIO && (entry = readdir(d)))
		if (strncmp(entry->d_name, TELEMETRY, strlen(TELEMETRY)) == 0)
			fd = dial(peer, entry->d_name, n == 1);
	if (d)
		closedir(d);
	if (fd >= 0 || fd == -EIO) /* of an unfriendly greeting all is said */
		return fd;
	if (ended(peer))
		complain_io(EPIPE);
	else
		ctl_complain("%s/" TELEMETRY ": %s%s", peer->dir, strerror(-fd),
			fd == -ENOENT ? " (was it started with --no-telemetry?)" : "");
	return fd;
}

static json_t *read_table(const struct ctl_peer *peer, const char *table, bool must)
{
	json_t *rows = json_array();
	json_int_t cursor = 0;
	int fd = dial_telemetry(peer), pages = 0;

	if (fd < 0) {
		json_decref(rows);
		return NULL;
	}
	do
		cursor = read_page(peer, fd, table, must, cursor, rows);
	while (cursor > 0 && ++pages < PAGES_MAX);
	close(fd);
	if (cursor >= 0)
		return rows;
	json_decref(rows);
	return NULL;
}

json_t *ctl_read(const struct ctl_peer *peer, const char *table)
{
	return read_table(peer, table, true);
}

json_t *ctl_read_if_any(const struct ctl_peer *peer, const char *table)
{
	return read_table(peer, table, false);
}

/* @return the answer "ok", or NULL after a complaint, which may be unwanted. */
static json_t *ask(const struct ctl_peer *peer, json_t *request, bool complain)
{
	int fd = ctl_connect(peer->dir, peer->sock);
	char *text = json_dumps(request, JSON_COMPACT);
	json_t *reply = NULL, *error;

	json_decref(request);
	if (fd >= 0)
		reply = exchange(fd, text);
	else if (complain)
		ctl_complain("%s/%s: %s", peer->dir, peer->sock, strerror(-fd));
	error = json_object_get(reply, "error");
	if (error && complain)
		ctl_complain("%s (%s)", json_string_value(json_object_get(error, "message")),
			json_string_value(json_object_get(error, "name")));
	free(text);
	if (fd >= 0)
		close(fd);
	if (!error)
		return reply;
	json_decref(reply);
	return NULL;
}

int ctl_ask(const struct ctl_peer *peer, json_t *request, json_t **reply)
{
	*reply = ask(peer, request, true);
	return *reply ? CTL_OK : CTL_FAILED;
}

json_t *ctl_ask_quietly(const struct ctl_peer *peer, json_t *request)
{
	return ask(peer, request, false);
}

int ctl_write(const struct ctl_peer *peer, json_t *request)
{
	json_t *reply;
	int code = ctl_ask(peer, request, &reply);

	json_decref(reply);
	return code;
}

int ctl_stop(const struct ctl_peer *peer)
{
	/* Before it is asked, so that no other process can have its number. */
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, peer->pid, 0), .events = POLLIN};
	int code = ctl_write(peer, json_pack("{s:s}", "cmd", "stop"));

	if (code == CTL_OK && p.fd >= 0 && poll(&p, 1, STOP_S * 1000) == 0) {
		ctl_complain("asked to stop, it still runs after %d s", STOP_S);
		code = CTL_FAILED;
	}
	if (p.fd >= 0)
		close(p.fd);
	return code;
}
