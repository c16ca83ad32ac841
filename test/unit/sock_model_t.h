/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Random calls on TCP sockets, and a model of what each may give.
 *
 * A pair is a connection to ourselves. What an end writes is a function of the pair and of the
 * place in the stream, so each byte that is read is known. Of an end the model knows how much was
 * written and read, which halves are closed, and whether a reset may have come: only then is more
 * than one outcome right. The rest follows from the calls.
 */
#include "sock_t.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define SM_PAIRS     16
#define SM_LISTENERS 3
#define SM_PORT	     100	/* of the first listener */
#define SM_AHEAD     (64 << 10) /* bytes that may be written and not read yet */
#define SM_OPTS	     PLX_DIM(sm_opts)

/* Options that are told as they were set. */
static const struct {
	int level, name, least, most;
} sm_opts[] = {
	{SOL_SOCKET, SO_KEEPALIVE, 0, 1},
	{SOL_SOCKET, SO_PRIORITY, 0, 6},
	{SOL_SOCKET, SO_RCVLOWAT, 1, 3000},
	{SOL_SOCKET, SO_REUSEADDR, 0, 1},
	{IPPROTO_TCP, TCP_NODELAY, 0, 1},
	{IPPROTO_TCP, TCP_CORK, 0, 1},
	{IPPROTO_TCP, TCP_KEEPIDLE, 1, 100},
	{IPPROTO_TCP, TCP_KEEPINTVL, 1, 100},
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1, 1 << 20},
};
#define SM_LOWAT 2 /* the place of SO_RCVLOWAT */

struct sm_end {
	int fd;		    /**< -1: none yet, or closed */
	uint32_t sent, got; /**< bytes of the stream written here, and read here */
	bool wr_shut, rd_shut;
	bool closed;	/**< by close() */
	bool may_reset; /**< a reset may have come, or may come */
	bool urgent;	/**< this end has written an urgent byte that the other has not passed */
	uint32_t urgent_at;
	bool had_urgent, inline_urgent; /**< of what is read here */
	int opt[SM_OPTS];		/**< as set; -1: never */
};

struct sm_pair {
	bool used;
	bool accepted;
	uint64_t key;
	uint16_t port; /**< of e[0] */
	int listener;
	struct sm_end e[2]; /**< who has connected, who was accepted */
};

static struct sm {
	struct plx_rng rng;
	uint64_t seed;
	unsigned int step;
	struct sm_pair pair[SM_PAIRS];
	struct {
		int fd;
	} listener[SM_LISTENERS];
	uint64_t next_key;
	unsigned int given_up; /**< were connecting, and closed before accept() */
	uint64_t bytes, accepts, resets, reports;
} sm;

/** What fails names the seed and the step, by which it can be had again. */
#define must(x)                                                                                    \
	do {                                                                                       \
		int errno_ = errno;                                                                \
		if (!(x))                                                                          \
			fail_msg("seed %llu, step %u: %s (errno %d)", (unsigned long long)sm.seed, \
				sm.step, #x, errno_);                                              \
	} while (0)

static inline uint32_t sm_roll(uint32_t n)
{
	return (uint32_t)plx_rng_below(&sm.rng, n);
}

static inline uint8_t sm_byte(const struct sm_pair *p, int dir, uint32_t at)
{
	uint64_t x = (p->key * 2 + (uint64_t)dir) * UINT64_C(0x9e3779b97f4a7c15) + at;

	return (uint8_t)((x ^ x >> 29) * 31 + (at >> 8));
}

static inline struct sm_end *sm_peer(struct sm_pair *p, int i)
{
	return &p->e[1 - i];
}

static inline void sm_end_init(struct sm_end *e, int fd)
{
	*e = (struct sm_end){.fd = fd};
	for (size_t i = 0; i < SM_OPTS; i++)
		e->opt[i] = -1;
}

/* Before anything urgent can have come. */
static inline void sm_end_new(struct sm_end *e, int fd)
{
	sm_end_init(e, fd);
	e->inline_urgent = sm_roll(3) == 0;
	if (e->inline_urgent)
		must(plx_setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int)) == 0);
}

static inline uint16_t sm_port_of(int fd, bool peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int r = peer ? plx_getpeername(fd, (struct sockaddr *)&ss, &len)
		     : plx_getsockname(fd, (struct sockaddr *)&ss, &len);

	must(r == 0);
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

/* Nothing more can come of it. */
static inline void sm_pair_done(struct sm_pair *p)
{
	if (p->e[0].fd < 0 && p->e[1].fd < 0)
		p->used = false;
}

/* ---- listeners ---- */

static inline void sm_listen(int i)
{
	int fd = plx_socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0);
	must(plx_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0);
	must(st_bind(fd, sm_roll(2) ? "10.0.0.2" : "0.0.0.0", (uint16_t)(SM_PORT + i)) == 0);
	must(plx_listen(fd, (int)sm_roll(8)) == 0);
	sm.listener[i].fd = fd;
}

static inline void sm_unlisten(int i)
{
	must(plx_close(sm.listener[i].fd) == 0);
	sm.listener[i].fd = -1;
	for (int k = 0; k < SM_PAIRS; k++)
		if (sm.pair[k].used && !sm.pair[k].accepted && sm.pair[k].listener == i)
			sm.pair[k].e[0].may_reset = true;
}

/* Two may have one port: if they have begun with different listeners, or the first was refused. */
static inline struct sm_pair *sm_pair_of(int listener, uint16_t port)
{
	struct sm_pair *newest = NULL;

	for (int k = 0; k < SM_PAIRS; k++) {
		struct sm_pair *p = &sm.pair[k];

		if (p->used && !p->accepted && p->listener == listener && p->port == port &&
			(!newest || p->key > newest->key))
			newest = p;
	}
	return newest;
}

static inline void sm_accept(int i)
{
	int fd = plx_accept4(sm.listener[i].fd, NULL, NULL, sm_roll(2) ? SOCK_NONBLOCK : 0);
	struct sm_pair *p;
	uint32_t ready = st_poll(sm.listener[i].fd);

	must(fd >= 0 || errno == EAGAIN);
	must(fd >= 0 || !(ready & POLLIN));
	if (fd < 0)
		return;
	sm.accepts++;
	p = sm_pair_of(i, st_poll(fd) & POLLHUP ? 0 : sm_port_of(fd, true));
	if (!p) { /* it was given up by who had begun it, or reset */
		must(sm.given_up > 0);
		sm.given_up--;
		must(plx_close(fd) == 0);
		return;
	}
	p->accepted = true;
	sm_end_new(&p->e[1], fd);
	p->e[1].may_reset = p->e[0].may_reset;
}

/* ---- life ---- */

static inline void sm_connect(struct sm_pair *p)
{
	int fd = plx_socket(AF_INET, SOCK_STREAM | (sm_roll(2) ? SOCK_NONBLOCK : 0), 0);

	must(fd >= 0);
	p->used = true;
	p->accepted = false;
	p->key = sm.next_key++;
	p->listener = (int)sm_roll(SM_LISTENERS);
	sm_end_new(&p->e[0], fd);
	sm_end_init(&p->e[1], -1);
	must(st_connect(fd, "10.0.0.2", (uint16_t)(SM_PORT + p->listener)) == -1);
	must(errno == EINPROGRESS);
	p->port = sm_port_of(fd, false);
	/* until it is accepted it may be refused, or never be let in */
	p->e[0].may_reset = true;
}

/* It was accepted, and all that e[0] knows is that it is open: from now on all is certain. */
static inline bool sm_certain(const struct sm_pair *p)
{
	return p->accepted && !p->e[0].may_reset && !p->e[1].may_reset;
}

static inline void sm_end_closes(struct sm_pair *p, int i, bool abort)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	struct linger now = {.l_onoff = 1};

	if (abort)
		must(plx_setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	must(plx_close(e->fd) == 0);
	must(plx_close(e->fd) == -1 && errno == EBADF);
	/* what it has not read ends it by RST, now or when that comes (RFC 2525, 2.17) */
	if (abort || o->sent != e->got)
		o->may_reset = true;
	sm.resets += abort;
	e->fd = -1;
	e->closed = e->wr_shut = e->rd_shut = true;
	if (!p->accepted)
		sm.given_up++;
	sm_pair_done(p);
}

static inline void sm_shutdown(struct sm_pair *p, int i, int how)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	int r = plx_shutdown(e->fd, how);

	must(r == 0 || errno == ENOTCONN);
	/* both directions have ended: to Linux it is closed */
	must(r == 0 || e->may_reset || (e->wr_shut && o->wr_shut));
	if (how != SHUT_RD)
		e->wr_shut = true;
	if (how != SHUT_WR)
		e->rd_shut = true;
}

/* ---- text ---- */

static inline void sm_sent(struct sm_pair *p, int i, uint32_t n, bool urgent)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);

	e->sent += n;
	sm.bytes += n;
	if (o->closed)
		e->may_reset = true;
	if (urgent) {
		e->urgent = true;
		e->urgent_at = e->sent - 1;
		o->had_urgent = true;
	}
}

static inline void sm_send(struct sm_pair *p, int i)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	static uint8_t buf[20000];
	uint32_t n = 1 + sm_roll(sm_roll(4) ? 1500 : sizeof(buf)), cut = sm_roll(n);
	struct iovec iov[2] = {{buf, cut}, {buf + cut, n - cut}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	bool urgent = p->accepted && !o->closed && !e->urgent && sm_roll(20) == 0;
	int flags = MSG_NOSIGNAL | (urgent ? MSG_OOB : 0) | (sm_roll(8) ? 0 : MSG_MORE);
	ssize_t r;

	if (e->sent - o->got > SM_AHEAD)
		return;
	for (uint32_t k = 0; k < n; k++)
		buf[k] = sm_byte(p, i, e->sent + k);
	r = plx_sendmsg(e->fd, &m, flags);
	if (r > 0) {
		must(!e->wr_shut && r <= n);
		sm_sent(p, i, (uint32_t)r, urgent);
		return;
	}
	must(r == -1);
	switch (errno) {
	case EAGAIN: /* there is no room, because something is on its way */
		must(e->sent != o->got || !p->accepted);
		break;
	case EPIPE:
		must(e->wr_shut || e->may_reset);
		break;
	default:
		must(e->may_reset);
		must(errno == ECONNRESET || errno == ECONNREFUSED || errno == ETIMEDOUT);
	}
}

/* Where the next byte is that a read gets, and how many there are at most up to the mark. */
static inline uint32_t sm_next(struct sm_pair *p, int i, uint32_t *most)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	uint32_t at = e->got;

	*most = o->sent - at;
	if (!o->urgent)
		return at;
	if (at == o->urgent_at && !e->inline_urgent)
		at++;
	if (at <= o->urgent_at)
		*most = PLX_MIN(*most, o->urgent_at - at);
	else
		*most = o->sent - at;
	if (*most == 0 && at == o->urgent_at) /* the mark is here: it begins with the byte */
		*most = o->sent - at;
	return at;
}

static inline void sm_got(struct sm_pair *p, int i, const uint8_t *buf, uint32_t n, bool keep)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	uint32_t most, at = sm_next(p, i, &most);

	must(n <= most);
	for (uint32_t k = 0; k < n; k++)
		if (buf[k] != sm_byte(p, 1 - i, at + k))
			fail_msg("seed %llu, step %u: byte %u of a stream is wrong",
				(unsigned long long)sm.seed, sm.step, at + k);
	if (keep)
		return;
	e->got = at + n;
	if (o->urgent && e->got > o->urgent_at)
		o->urgent = false;
}

/* Has all that the other end wrote been read? An urgent byte at the end is not text. */
static inline bool sm_all_read(struct sm_pair *p, int i)
{
	const struct sm_end *e = &p->e[i], *o = sm_peer(p, i);

	return e->got == o->sent ||
	       (o->urgent && !e->inline_urgent && o->urgent_at == e->got && e->got + 1 == o->sent);
}

static inline ssize_t sm_recv(struct sm_pair *p, int i, int flags)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	static uint8_t buf[20000];
	uint32_t n = 1 + sm_roll(sizeof(buf)), cut = sm_roll(n);
	struct iovec iov[2] = {{buf, cut}, {buf + cut, n - cut}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	int inq = -1;
	ssize_t r;

	must(plx_ioctl(e->fd, SIOCINQ, &inq) == 0);
	r = plx_recvmsg(e->fd, &m, flags);
	if (r > 0) {
		/* SIOCINQ counts up to the mark */
		must(e->had_urgent || (uint32_t)r == PLX_MIN(n, (uint32_t)inq));
		sm_got(p, i, buf, (uint32_t)r, flags & MSG_PEEK);
	} else if (r == 0) {
		must(e->rd_shut || o->wr_shut || e->may_reset);
		must(e->rd_shut || e->may_reset || sm_all_read(p, i));
	} else if (errno != EAGAIN) {
		must(e->may_reset);
		must(errno == ECONNRESET || errno == ECONNREFUSED || errno == ETIMEDOUT ||
			errno == ENOTCONN || errno == EPIPE);
	}
	return r;
}

static inline void sm_recv_urgent(struct sm_pair *p, int i)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	uint8_t b;
	ssize_t r = plx_recv(e->fd, &b, 1, MSG_OOB | MSG_PEEK);

	if (r == 1) {
		must(o->urgent && !e->inline_urgent);
		must(b == sm_byte(p, 1 - i, o->urgent_at));
	} else if (r == 0) {
		must(e->may_reset || e->rd_shut || o->wr_shut);
	} else {
		must(errno == EAGAIN || errno == EINVAL || errno == ENOTCONN || e->may_reset);
	}
}

/* ---- options and what is asked ---- */

static inline void sm_option(struct sm_end *e)
{
	uint32_t k = sm_roll(SM_OPTS);
	int v = sm_opts[k].least + (int)sm_roll((uint32_t)(sm_opts[k].most - sm_opts[k].least + 1));
	socklen_t len = sizeof(v);

	if (sm_roll(2)) {
		must(plx_setsockopt(e->fd, sm_opts[k].level, sm_opts[k].name, &v, len) == 0);
		e->opt[k] = v;
	}
	must(plx_getsockopt(e->fd, sm_opts[k].level, sm_opts[k].name, &v, &len) == 0);
	must(len == sizeof(v));
	must(e->opt[k] < 0 || v == e->opt[k]);
}

/* What poll() says is what calls would find. */
static inline void sm_ready(struct sm_pair *p, int i)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	uint32_t is = st_poll(e->fd), lowat;
	int inq = -1, outq = -1, unsent = -1;

	must(plx_ioctl(e->fd, SIOCINQ, &inq) == 0);
	must(plx_ioctl(e->fd, SIOCOUTQ, &outq) == 0);
	must(plx_ioctl(e->fd, SIOCOUTQNSD, &unsent) == 0);
	must(unsent <= outq && inq >= 0);
	must((uint32_t)inq <= o->sent - e->got);
	/* what was read may not be acknowledged yet; a FIN is counted, too */
	must((uint32_t)outq <= e->sent + 1 && (uint32_t)unsent <= e->sent - o->got + 1);
	if (!sm_certain(p))
		return;
	lowat = e->opt[SM_LOWAT] > 0 ? (uint32_t)e->opt[SM_LOWAT] : 1;
	must(!(is & (POLLERR | POLLNVAL)));
	must(!(is & POLLRDHUP) || e->rd_shut || o->wr_shut);
	must(!(is & POLLHUP) || (e->wr_shut && (e->rd_shut || o->wr_shut)));
	if (!e->had_urgent)
		must(!(is & POLLIN) == !((uint32_t)inq >= lowat || is & POLLRDHUP));
	must(!(is & POLLIN) == !(is & POLLRDNORM) && !(is & POLLOUT) == !(is & POLLWRNORM));
	must(!(is & POLLOUT) || e->wr_shut || outq == 0 || unsent >= 0);
	must(is & POLLOUT || e->sent != o->got);
}

/** When time has passed: what was sent has come, and ends are known. */
static inline void sm_settled(struct sm_pair *p, int i)
{
	struct sm_end *e = &p->e[i], *o = sm_peer(p, i);
	uint32_t is = st_poll(e->fd), left = o->sent - e->got;
	int inq = -1;

	must(plx_ioctl(e->fd, SIOCINQ, &inq) == 0);
	if (!sm_certain(p) || e->had_urgent)
		return;
	must(left == 0 || inq > 0);
	if (left <= 4000)
		must((uint32_t)inq == left);
	if (o->wr_shut && left == 0)
		must(is & POLLRDHUP);
	if (left == 0 && !sm_all_read(p, i))
		must(is & POLLIN);
}

/** Read to the end, as far as it goes. */
static inline void sm_drain(struct sm_pair *p, int i)
{
	for (int k = 0; k < 1000 && sm_recv(p, i, 0) > 0; k++)
		nt_run();
}

/** Any call on one end. */
static inline void sm_act(struct sm_pair *p, int i)
{
	struct sm_end *e = &p->e[i];
	uint32_t what = sm_roll(40);

	if (what < 14)
		sm_send(p, i);
	else if (what < 26)
		sm_recv(p, i, sm_roll(4) ? 0 : MSG_DONTWAIT);
	else if (what < 29)
		sm_recv(p, i, MSG_PEEK);
	else if (what < 31)
		sm_drain(p, i);
	else if (what < 33)
		sm_option(e);
	else if (what < 36)
		sm_ready(p, i);
	else if (what < 37)
		sm_recv_urgent(p, i);
	else if (what < 38)
		sm_shutdown(p, i, (int)sm_roll(3));
	else
		sm_end_closes(p, i, sm_roll(4) == 0);
}
