/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the rows of one side, and prints a line for each: group, name, what, observation; separated
 * by tabs. With arguments, those whose name begins with one of them.
 */
#include "kit.h"

#include <semaphore.h>
#include <stdarg.h>

#define FDS	 1200
#define LATERS	 8
#define PATIENCE 6000 /* ms that a row may take */

static struct row *rows;

static struct {
	char text[2000];
	size_t bytes;
	int fd[FDS];
	int n_fds;
	int signals[65];
	bool late;
	pthread_t later[LATERS];
	int n_later;
	pthread_mutex_t lock;
} now = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- what rows say ---- */

static void add_text(const char *fmt, va_list ap)
{
	size_t room = sizeof(now.text) - now.bytes;
	int n;

	if (now.bytes && room > 1) {
		now.text[now.bytes++] = ' ';
		room--;
	}
	n = vsnprintf(now.text + now.bytes, room, fmt, ap);
	now.bytes += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

void say(const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&now.lock);
	va_start(ap, fmt);
	add_text(fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&now.lock);
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(err);

	if (err == EOPNOTSUPP)
		return "EOPNOTSUPP";
	return name ? name : "E?";
}

long num(long result)
{
	if (result < 0)
		say("%s", errno_name(errno));
	else
		say("%ld", result);
	return result;
}

int new_fd(int fd)
{
	say("%s", fd < 0 ? errno_name(errno) : "fd");
	return keep(fd);
}

long prepared(long result, const char *what)
{
	if (result < 0)
		say("[%.*s: %s]", (int)strcspn(what, "("), what, errno_name(errno));
	return result;
}

const char *events_text(unsigned int events)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {{POLLIN, "IN"}, {POLLPRI, "PRI"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"},
		{POLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {POLLRDNORM, "RDNORM"},
		{POLLRDBAND, "RDBAND"}, {POLLWRNORM, "WRNORM"}, {POLLRDHUP, "RDHUP"}};
	static char texts[8][100];
	static unsigned int turn;
	char *text = texts[turn++ % 8];

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (events & names[i].bit)
			sprintf(text + strlen(text), "%s%s", text[0] ? "+" : "", names[i].name);
	return text[0] ? text : "-";
}

/* ---- what rows leave behind ---- */

int keep(int fd)
{
	pthread_mutex_lock(&now.lock);
	if (fd >= 0 && now.n_fds < FDS)
		now.fd[now.n_fds++] = fd;
	pthread_mutex_unlock(&now.lock);
	return fd;
}

int drop(int fd)
{
	pthread_mutex_lock(&now.lock);
	for (int i = 0; i < now.n_fds; i++)
		if (now.fd[i] == fd)
			now.fd[i] = -1;
	pthread_mutex_unlock(&now.lock);
	return S(close)(fd);
}

static void drop_all(void)
{
	for (int i = 0; i < now.n_fds; i++)
		if (now.fd[i] >= 0)
			S(close)(now.fd[i]);
	now.n_fds = 0;
}

/* ---- the world ---- */

const char *world_file(const char *text)
{
	static char names[4][24];
	static unsigned int turn;
	char *name = strcpy(names[turn++ % 4], "/tmp/oracle.XXXXXX");
	int fd = mkstemp(name);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
	return name;
}

/* ---- signals, threads ---- */

static void on_signal(int sig)
{
	__atomic_add_fetch(&now.signals[sig], 1, __ATOMIC_RELAXED);
}

int signals(int sig)
{
	return __atomic_load_n(&now.signals[sig], __ATOMIC_RELAXED);
}

bool row_is_late(void)
{
	return __atomic_load_n(&now.late, __ATOMIC_RELAXED);
}

struct later {
	int ms;
	void (*fn)(void *arg);
	void *arg;
};

static void *run_later(void *arg)
{
	struct later l = *(struct later *)arg;

	free(arg);
	nap_ms(l.ms);
	l.fn(l.arg);
	return NULL;
}

void later(int ms, void (*fn)(void *arg), void *arg)
{
	struct later *l = malloc(sizeof(*l));

	if (!l || now.n_later == LATERS)
		abort();
	*l = (struct later){.ms = ms, .fn = fn, .arg = arg};
	if (pthread_create(&now.later[now.n_later++], NULL, run_later, l) != 0)
		abort();
}

static void *run_row(void *arg)
{
	const struct row *r = arg;

	r->fn(r->arg);
	for (int i = 0; i < now.n_later; i++)
		pthread_join(now.later[i], NULL);
	return NULL;
}

static bool joined_within(pthread_t t, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_timedjoin_np(t, NULL, &until) == 0;
}

/* Threads that wait are woken by signals that restart nothing. */
static bool wake_up(pthread_t t)
{
	__atomic_store_n(&now.late, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 100; i++) {
		pthread_kill(t, SIGUSR1);
		for (int k = 0; k < now.n_later; k++)
			pthread_kill(now.later[k], SIGUSR1);
		if (joined_within(t, 50))
			return true;
	}
	return false;
}

static void run(struct row *r)
{
	pthread_t t;

	now.bytes = 0;
	now.text[0] = '\0';
	now.late = false;
	now.n_later = 0;
	memset(now.signals, 0, sizeof(now.signals));
	if (pthread_create(&t, NULL, run_row, r) != 0)
		abort();
	if (!joined_within(t, PATIENCE)) {
		if (!wake_up(t)) {
			fprintf(stderr, "%s/%s cannot be woken up\n", r->group, r->name);
			_exit(1);
		}
		say("(hangs)");
	}
	printf("%s\t%s\t%s\t%s\n", r->group, r->name, r->what, now.text);
	fflush(stdout);
	drop_all();
}

/* ---- rows ---- */

/* Constructors run in an order that nobody promises. */
static bool before(const struct row *a, const struct row *b)
{
	int groups = strcmp(a->group, b->group);

	return groups < 0 || (groups == 0 && a->order < b->order);
}

void row_add(struct row *r)
{
	struct row **p = &rows;

	while (*p && !before(r, *p))
		p = &(*p)->next;
	r->next = *p;
	*p = r;
}

void row_make(const struct row *r)
{
	struct row *copy = malloc(sizeof(*copy));

	if (!copy)
		abort();
	*copy = *r;
	copy->name = strdup(r->name);
	copy->what = strdup(r->what);
	row_add(copy);
}

static char **wanted;

static bool is_wanted(const struct row *r)
{
	if (!*wanted)
		return true;
	for (char **w = wanted; *w; w++)
		if (strncmp(r->name, *w, strlen(*w)) == 0 || strncmp(r->group, *w, strlen(*w)) == 0)
			return true;
	return false;
}

static int run_rows(void)
{
	static const int handled[] = {SIGUSR1, SIGUSR2, SIGPIPE, SIGURG, SIGIO};
	struct sigaction sa = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaction(handled[i], &sa, NULL);
	for (struct row *r = rows; r; r = r->next)
		if (is_wanted(r))
			run(r);
	return 0;
}

int main(int argc, char **argv)
{
	wanted = argv + 1;
	return side_main(argc, argv, run_rows);
}
