/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVE_MAX 64 /* requests a call */
#define SUFFIXES  64 /* processes in one directory */

struct client {
	int fd;	       /* -1 = free */
	uint64_t last; /* number of the event at which it was last heard of */
};

struct plx_telem_server {
	int listener;
	int epfd; /* of the listener and all clients; data = index, PLX_TELEM_CLIENTS = listener */
	uint64_t events;
	struct client client[PLX_TELEM_CLIENTS];
	struct sockaddr_un addr;
	dev_t dev; /* of the socket file that is ours */
	ino_t ino;
};

static struct plx_telem_server *refuse(
	struct plx_telem_server *s, const char *path, int err, const char *why, struct plx_error *e)
{
	plx_error_set(e, err, PLX_ERR_CONTROL_SOCKET, path, why);
	plx_telem_server_close(s);
	errno = -err;
	return NULL;
}

/* True if somebody listens on the file. */
static bool is_live(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = fd < 0 ? errno : 0;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	return err != ECONNREFUSED && err != ENOENT;
}

static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int bind_over_stale(int fd, const struct sockaddr_un *addr)
{
	const struct sockaddr *sa = (const struct sockaddr *)addr;

	if (bind(fd, sa, sizeof(*addr)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_socket(addr->sun_path))
		return -EEXIST;
	if (is_live(addr))
		return -EADDRINUSE;
	if (unlink(addr->sun_path) != 0)
		return -errno;
	return bind(fd, sa, sizeof(*addr)) == 0 ? 0 : -errno;
}

/*
 * EAL's directory is one process's, unless it shares nothing (--in-memory, --no-shconf): then a
 * number comes behind the name, as EAL's telemetry does it.
 */
static int bind_first_free(struct plx_telem_server *s)
{
	size_t n = strlen(s->addr.sun_path), room = sizeof(s->addr.sun_path) - n;
	int err = bind_over_stale(s->listener, &s->addr);

	for (int i = 1; err == -EADDRINUSE && i < SUFFIXES; i++) {
		if (snprintf(s->addr.sun_path + n, room, ":%d", i) >= (int)room)
			return -ENAMETOOLONG;
		err = bind_over_stale(s->listener, &s->addr);
	}
	return err;
}

static int watch(const struct plx_telem_server *s, int fd, uint32_t index)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = index};

	return epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

static int start(struct plx_telem_server *s)
{
	struct stat st;
	int err;

	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->epfd < 0 || s->listener < 0)
		return -errno;
	/* The file gets the socket's own mode, so there is no moment at which others may use it. */
	if (fchmod(s->listener, 0600) != 0)
		return -errno;
	err = bind_first_free(s);
	if (err)
		return err;
	if (stat(s->addr.sun_path, &st) != 0)
		return -errno;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	if (listen(s->listener, PLX_TELEM_CLIENTS) != 0)
		return -errno;
	return watch(s, s->listener, PLX_TELEM_CLIENTS);
}

struct plx_telem_server *plx_telem_server_open(const char *dir, struct plx_error *e)
{
	struct plx_telem_server *s = malloc(sizeof(*s));
	char path[4096];
	int err;

	snprintf(path, sizeof(path), "%s/" PLX_TELEM_SOCKET, dir);
	if (!s)
		return refuse(NULL, path, -ENOMEM, "no memory", e);
	*s = (struct plx_telem_server){.listener = -1, .epfd = -1, .addr.sun_family = AF_UNIX};
	for (int i = 0; i < PLX_TELEM_CLIENTS; i++)
		s->client[i].fd = -1;
	if (strlen(path) >= sizeof(s->addr.sun_path))
		return refuse(s, path, -ENAMETOOLONG, "the path is too long for a socket", e);
	memcpy(s->addr.sun_path, path, strlen(path) + 1);
	err = start(s);
	if (err == -EADDRINUSE)
		return refuse(s, path, err, "in use by a running process", e);
	return err ? refuse(s, path, err, strerror(-err), e) : s;
}

static void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd); /* leaves the epoll set by itself */
	c->fd = -1;
}

void plx_telem_server_close(struct plx_telem_server *s)
{
	struct stat st;

	if (!s)
		return;
	for (int i = 0; i < PLX_TELEM_CLIENTS; i++)
		client_close(&s->client[i]);
	if (s->ino && lstat(s->addr.sun_path, &st) == 0 && st.st_dev == s->dev &&
		st.st_ino == s->ino)
		unlink(s->addr.sun_path);
	if (s->listener >= 0)
		close(s->listener);
	if (s->epfd >= 0)
		close(s->epfd);
	free(s);
}

int plx_telem_server_fd(const struct plx_telem_server *s)
{
	return s->epfd;
}

/* A reply goes out at once or its reader is no good. */
static void send_reply(struct client *c, char *reply)
{
	size_t len = reply ? strlen(reply) : 0;

	if (!reply || send(c->fd, reply, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
		client_close(c);
	free(reply);
}

static bool peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

/* A free place: every client is between requests, so the one silent longest can go. */
static struct client *place(struct plx_telem_server *s)
{
	struct client *oldest = &s->client[0];

	for (int i = 0; i < PLX_TELEM_CLIENTS; i++) {
		if (s->client[i].fd < 0)
			return &s->client[i];
		if (s->client[i].last < oldest->last)
			oldest = &s->client[i];
	}
	client_close(oldest);
	return oldest;
}

/* @return false when nobody waits. */
static bool accept_one(struct plx_telem_server *s)
{
	struct client c = {.last = ++s->events}, *at;

	c.fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (c.fd < 0)
		return false;
	if (!peer_allowed(c.fd)) {
		send_reply(&c, telem__refuse(-EPERM, "only root and the owner may"));
		client_close(&c);
		return true;
	}
	at = place(s);
	*at = c;
	if (watch(s, c.fd, (uint32_t)(at - s->client)) != 0)
		client_close(at);
	return true;
}

/* @return requests answered: 1, or 0 when the client is gone. */
static unsigned int read_one(struct plx_telem_server *s, struct client *c)
{
	char buf[PLX_TELEM_REQUEST_BYTES];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		client_close(c);
		return 0;
	}
	c->last = ++s->events;
	send_reply(c, (size_t)n > sizeof(buf) ? telem__refuse(-EMSGSIZE, "request too long")
					      : telem__answer(buf, (size_t)n));
	return 1;
}

unsigned int plx_telem_server_serve(struct plx_telem_server *s)
{
	struct epoll_event ev[SERVE_MAX];
	int n = epoll_wait(s->epfd, ev, SERVE_MAX, 0);
	unsigned int done = 0;

	for (int i = 0; i < n; i++) {
		struct client *c = &s->client[ev[i].data.u32 % PLX_TELEM_CLIENTS];

		if (ev[i].data.u32 == PLX_TELEM_CLIENTS)
			for (int more = PLX_TELEM_CLIENTS; more && accept_one(s); more--)
				;
		else if (c->fd >= 0)
			done += read_one(s, c);
	}
	return done;
}
