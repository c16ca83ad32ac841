/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include <plx_net_ethdev.h>

#include "vdev.h"

#define LOG_MAX 16384

/*
 * While EAL starts, stdout and stderr are a file in memory. On failure the one line that says why
 * is picked from it (a wrong option alone prints a hundred); on success what is out of the ordinary
 * goes to stderr. With --log-level all of it does, whatever happens.
 */
static struct {
	int fd;
	int err; /* the real stderr */
} capture = {-1, -1};

/* EAL panics by abort(): what it said must not be lost. Async-signal-safe. */
static void on_abort(int sig)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(capture.fd, buf, sizeof(buf), at)) > 0 &&
		write(capture.err, buf, (size_t)n) == n)
		at += n;
	signal(sig, SIG_DFL);
	raise(sig);
}

static int capture_begin(void)
{
	fflush(stderr);
	capture.fd = memfd_create("pollux-eal", MFD_CLOEXEC);
	capture.err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (capture.fd < 0 || capture.err < 0)
		return -errno;
	signal(SIGABRT, on_abort);
	dup2(capture.fd, STDOUT_FILENO);
	dup2(capture.fd, STDERR_FILENO);
	return 0;
}

/* Back to normal: from here on foreign prints to stdout land on stderr. The text goes to log. */
static void capture_end(char *log, size_t size)
{
	ssize_t n;

	fflush(stdout);
	fflush(stderr);
	signal(SIGABRT, SIG_DFL);
	dup2(capture.err, STDOUT_FILENO);
	dup2(capture.err, STDERR_FILENO);
	n = pread(capture.fd, log, size - 1, 0);
	log[n > 0 ? n : 0] = '\0';
	close(capture.fd);
	close(capture.err);
}

/* What EAL says every time. */
static bool everyday(const char *line)
{
	static const char *const begins[] = {"EAL: Detected ", "EAL: Multi-process socket",
		"EAL: Selected IOVA", "EAL: Physical addresses", "EAL: VFIO", "EAL: Probe ",
		"EAL: No available", "EAL: No free", "EAL: Static memory layout", "EAL: WARNING",
		"TELEMETRY: No legacy", "\n",
		/* net_tap on a kernel without multiq: rte_flow is not used here */
		"tap_nl_dump_ext_ack(): Specified qdisc kind", "qdisc_create_multiq()",
		"eth_dev_tap_create(): "};

	for (size_t i = 0; i < PLX_DIM(begins); i++)
		if (strncmp(line, begins[i], strlen(begins[i])) == 0)
			return true;
	return *line == '\0';
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : "";
}

/* Does the user want EAL's log whatever happens? */
static bool verbose(const struct app *app)
{
	for (int i = 0; i < app->eal_argc; i++)
		if (strncmp(app->eal_argv[i], "--log-level", 11) == 0)
			return true;
	return false;
}

static void print_log(const char *log, bool all)
{
	for (const char *line = log; *line; line = next_line(line))
		if (all || !everyday(line))
			fprintf(stderr, "%.*s\n", (int)strcspn(line, "\n"), line);
}

/* The first line that is out of the ordinary, without who says it. */
static const char *reason(const char *log, char *text, size_t size)
{
	static const char *const who[] = {"EAL: FATAL: ", "EAL: ", "pollux: "};
	const char *line = log;

	while (*line && everyday(line))
		line = next_line(line);
	if (!*line)
		return NULL;
	for (size_t i = 0; i < PLX_DIM(who); i++)
		if (strncmp(line, who[i], strlen(who[i])) == 0) {
			line += strlen(who[i]);
			break;
		}
	snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
	return text;
}

static int why(const char *log, int err, struct plx_error *e)
{
	char text[PLX_PORT_NAMELEN + 128];

	if (vdev_unknown(log, text, sizeof(text)))
		return plx_error_set(e, -ENODEV, PLX_ERR_VDEV_FAILED, text,
			"there is no such driver",
			"some that there are: net_tap, net_pcap, net_null, net_memif, "
			"net_af_packet");
	if (strstr(log, "another primary"))
		return plx_error_set(e, -EBUSY, PLX_ERR_EAL_INIT,
			"another process uses the same --file-prefix",
			"give each process a --file-prefix of its own");
	if (strstr(log, "Error creating '") && reason(log, text, sizeof(text)))
		return plx_error_set(e, -EACCES, PLX_ERR_EAL_INIT, text,
			"have RUNTIME_DIRECTORY name a directory that you may write; "
			"--file-prefix has no '/'");
	if (strstr(log, "memseg"))
		return plx_error_set(e, -ENOMEM, PLX_ERR_EAL_INIT,
			"it could not reserve the memory asked for", "ask for less (-m)");
	if (strstr(log, "hugepage info"))
		return plx_error_set(e, -ENOMEM, PLX_ERR_EAL_INIT, "there are no huge pages",
			"leave out EAL's options about them, or reserve some: "
			"sysctl vm.nr_hugepages=256");
	if (!reason(log, text, sizeof(text)))
		snprintf(text, sizeof(text), "%s", strerror(-err));
	if (strstr(log, "'command line'"))
		return plx_error_set(e, -EINVAL, PLX_ERR_EAL_OPTION, text);
	return plx_error_set(e, err, PLX_ERR_EAL_INIT, text,
		"all that it says comes with --log-level=lib.eal:8");
}

static int init(struct app *app, char *log, size_t size, struct plx_error *e)
{
	char **argv = calloc((size_t)app->eal_argc + HUGE_ARGS + 2, sizeof(*argv));
	int argc = 1 + app->eal_argc, err = argv ? 0 : -ENOMEM;
	char note[128] = "";

	if (!err) {
		argv[0] = (char *)(uintptr_t) "pollux";
		memcpy(argv + 1, app->eal_argv, (size_t)app->eal_argc * sizeof(*argv));
		argc += huge_args(app, argv + argc, note, sizeof(note));
		err = capture_begin();
	}
	if (err) {
		free(argv);
		return plx_error_set(e, err, PLX_ERR_EAL_INIT, strerror(-err), "free some memory");
	}
	rte_errno = 0;
	if (rte_eal_init(argc, argv) < 0)
		err = rte_errno > 0 ? -rte_errno : -EIO; /* it does not always set it */
	capture_end(log, size);
	free(argv);
	if (verbose(app))
		print_log(log, true);
	if (err)
		return why(log, err, e);
	if (*note)
		app_note("%s", note);
	return 0;
}

static int make_ports(struct app *app, struct plx_error *e)
{
	int err = plx_net_ethdev_probe(e);

	for (unsigned int i = 0; err >= 0 && i < app->common.ports.n; i++)
		err = plx_port_create(app->common.ports.v[i], e);
	return err < 0 ? err : 0;
}

/* Whether a living primary process holds the directory: it keeps a lock on its config. */
static bool in_use(const char *dir)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[512];
	bool busy;
	int fd;

	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	busy = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return busy;
}

/* Processes that share nothing (--in-memory, --no-shconf) lock nothing, but they listen. */
static bool listens(const char *dir, const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct ucred who = {0};
	socklen_t len = sizeof(who);
	bool other;
	int fd;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir, name) >=
		(int)sizeof(addr.sun_path))
		return false; /* no socket has such a name */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	other = fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.pid != getpid();
	close(fd);
	return other;
}

/* EAL leaves its files there: config, hugepage_info, fbarray_*. */
static void remove_dir(const struct app *app, const char *dir)
{
	struct dirent *entry;
	DIR *d;

	if (in_use(dir))
		return;
	huge_clean(app, strrchr(dir, '/') + 1);
	d = opendir(dir);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && !listens(dir, entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

void app_eal_stop(struct app *app)
{
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	plx_port_fini_all();
	rte_eal_cleanup();
	if (*dir)
		remove_dir(app, dir);
}

int app_eal_start(struct app *app, struct plx_error *e)
{
	char log[LOG_MAX];
	int err = huge_check(app, e);

	if (!err)
		err = vdev_check(app, e);
	if (err)
		return err;
	err = init(app, log, sizeof(log), e);
	if (err) {
		const char *dir = rte_eal_get_runtime_dir();

		if (*dir)
			remove_dir(app, dir);
		return err;
	}
	err = plx_pkt_init();
	if (err)
		plx_error_set(e, err, PLX_ERR_EAL_INIT, "no room for a dynamic field in mbufs",
			"load fewer drivers (EAL's -d)");
	if (!err)
		err = vdev_compare(app, log, e);
	if (!err)
		err = make_ports(app, e);
	if (err)
		app_eal_stop(app);
	else if (!verbose(app))
		print_log(log, false);
	return err;
}
