/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "peer.h"

/*
 * The programs of `pollux` on the kernel's sockets: bench_kernel COMMAND [OPTION]..., to compare
 * with. The sources of app/ as they are; here stands what is below them. One thread, which sleeps
 * in epoll_wait() as a program of the kernel's does.
 */

/* ---- the calls ---- */

#define CALL(result, name, params, args)                                                           \
	result plx_##name params                                                                   \
	{                                                                                          \
		return name args;                                                                  \
	}
CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, bind, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len))
CALL(int, connect, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len))
CALL(int, listen, (int fd, int backlog), (fd, backlog))
CALL(int, accept4, (int fd, struct sockaddr *a, socklen_t *len, int flags), (fd, a, len, flags))
CALL(int, shutdown, (int fd, int how), (fd, how))
CALL(int, close, (int fd), (fd))
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
	(fd, level, name, value, len))
CALL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
	(fd, level, name, value, len))
CALL(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n))
CALL(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))
CALL(ssize_t, writev, (int fd, const struct iovec *iov, int n), (fd, iov, n))
CALL(ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags))
CALL(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))
CALL(ssize_t, sendto,
	(int fd, const void *buf, size_t n, int flags, const struct sockaddr *a, socklen_t len),
	(fd, buf, n, flags, a, len))
CALL(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
CALL(int, epoll_create1, (int flags), (flags))
CALL(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *e), (epfd, op, fd, e))

static plx_ns wake = PLX_NEVER; /* when the program wants to run again */

static int sleep_ms(void)
{
	plx_ns left = wake - plx_sock_now();

	if (wake == PLX_NEVER)
		return 100; /* the end of the run has to be seen */
	return left <= 0 ? 0 : (int)PLX_MIN((left + PLX_MS(1) - 1) / PLX_MS(1), 100);
}

int plx_epoll_wait(int epfd, struct epoll_event *events, int n, int timeout_ms)
{
	return epoll_wait(epfd, events, n, timeout_ms ? timeout_ms : sleep_ms());
}

/* ---- what a program sees of the stack ---- */

plx_ns plx_sock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return PLX_SEC(t.tv_sec) + t.tv_nsec;
}

uint64_t rte_get_tsc_hz(void)
{
	static uint64_t hz;

	if (hz == 0) {
		struct timespec t = {.tv_nsec = 50000000};
		plx_ns begin = plx_sock_now();
		uint64_t tsc = rte_rdtsc();

		nanosleep(&t, NULL);
		hz = (uint64_t)((double)(rte_rdtsc() - tsc) * 1e9 /
				(double)(plx_sock_now() - begin));
	}
	return hz;
}

uint16_t plx_engine_lcores(const struct plx_engine *eng)
{
	return 1;
}

/* Whoever starts us gives the interface the addresses of --src. */
int plx_net_addr_add(struct plx_net *net, uint16_t ifindex, const struct plx_prefix *p)
{
	return 0;
}

int stack_check(const struct app *app, const struct up_conf *services, struct plx_error *e)
{
	return 0;
}

/* ---- names: the C library's ---- */

int names_conf_check(const char *cmd, const struct names_conf *conf, struct plx_error *e)
{
	return 0;
}

int peer_prepare(struct stack *s, struct peer_conf *conf, struct plx_error *e)
{
	return 0;
}

void peer_finish(struct peer_conf *conf)
{
}

static bool look(struct peer *peer, struct prog *p, const struct peer_conf *conf)
{
	const struct addrinfo hints = {.ai_socktype = conf->type, .ai_family = conf->family};
	union prog_addr a;
	struct addrinfo *ai;
	int err = getaddrinfo(conf->to.host, NULL, &hints, &ai);

	if (err) {
		app_note("bench_kernel: %s: %s", conf->to.host, gai_strerror(err));
		p->err = -EHOSTUNREACH;
		return false;
	}
	memcpy(&a, ai->ai_addr, ai->ai_addrlen);
	peer->ep.addr = ai->ai_family == AF_INET ? plx_addr_from_v4(&a.in.sin_addr)
						 : plx_addr_from_v6(&a.in6.sin6_addr);
	freeaddrinfo(ai);
	return true;
}

bool peer_known(struct peer *peer, struct prog *p, const struct peer_conf *conf, plx_ns *next)
{
	*next = PLX_NEVER;
	if (!peer->known && !p->err) {
		peer->ep = conf->to.ep;
		peer->known = !conf->to.host[0] || look(peer, p, conf);
	}
	return peer->known;
}

/* ---- a run ---- */

static struct prog *prog; /* there is one */
static void *prog_conf;
static volatile sig_atomic_t over;

void *prog_arg(const struct stack *s)
{
	return prog_conf;
}

struct prog *prog_get(const struct stack *s, uint16_t i)
{
	return prog;
}

uint64_t prog_sum(const struct stack *s, unsigned int count)
{
	return plx_count_read(prog->count[count]);
}

void app_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

int app_fail(const struct plx_error *e)
{
	app_note("bench_kernel: %s", e->text);
	return APP_FAILED;
}

static void end(int sig)
{
	over = 1;
}

static void report(struct stack *s, const struct prog_ops *ops)
{
	json_t *o = json_object();

	json_object_set_new(o, "final", json_true());
	for (unsigned int i = 0; ops->counts[i]; i++)
		json_object_set_new(o, ops->counts[i], json_integer((json_int_t)prog_sum(s, i)));
	if (ops->json)
		ops->json(s, o, true);
	json_dumpf(o, s->app->out, JSON_COMPACT);
	fputc('\n', s->app->out);
	json_decref(o);
}

int prog_main(struct app *app, const struct prog_ops *ops, void *arg)
{
	static struct stack s; /* its plan is large */
	static struct plx_softnet sn;
	plx_ns last = PLX_NEVER;
	struct sigaction act = {.sa_handler = end};

	s = (struct stack){.app = app, .lcores = 1};
	prog_conf = arg;
	prog = prog_make(ops, arg);
	if (!prog)
		return APP_FAILED;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	rte_get_tsc_hz();
	if (app->run.for_s)
		last = plx_sock_now() + PLX_SEC(app->run.for_s);
	if (prog->program.start(&sn, prog) != 0) {
		app_note("bench_kernel: %s", strerror(-prog->err));
		return APP_FAILED;
	}
	fprintf(app->out, "{\"ready\":true}\n");
	fflush(app->out);
	while (!over && plx_sock_now() < last)
		wake = prog->program.run(&sn, prog);
	report(&s, ops);
	return APP_OK;
}

/* The kernel's sockets are captured by others. */
const struct plx_cmd cmd_capture = {.name = "capture"};

int main(int argc, char **argv)
{
	static const struct plx_cmd *const commands[] = {
		&cmd_load, &cmd_echo, &cmd_discard, &cmd_chargen, &cmd_http};
	struct app app = {.out = stdout};
	struct plx_error e;
	void *conf;
	int err;

	for (size_t i = 0; argc > 1 && i < PLX_DIM(commands); i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			app.cmd = commands[i];
	if (!app.cmd) {
		app_note("usage: bench_kernel load|echo|discard|chargen|http [OPTION]...");
		return APP_USAGE;
	}
	conf = calloc(1, app.cmd->conf_bytes);
	if (!conf)
		return APP_FAILED;
	opt_defaults(&app, conf);
	err = opt_parse(&app, conf, argc - 2, argv + 2, &e);
	if (err == 1) {
		opt_help(app.cmd, stdout);
		return APP_OK;
	}
	if (err || app.cmd->check(&app, conf, &e) != 0)
		return app_fail(&e);
	return app.cmd->run(&app, conf);
}
