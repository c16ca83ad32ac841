/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include <plx_net_ethdev.h>

#define LOG_MAX 16384

/*
 * While EAL starts, stdout and stderr are a file in memory: on success it goes to stderr, on
 * failure the one line that says why is picked from it (a wrong option alone prints a hundred).
 */
static struct {
	int fd;
	int err; /* the real stderr */
} capture = {-1, -1};

static void capture_spill(void)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(capture.fd, buf, sizeof(buf), at)) > 0 &&
		write(capture.err, buf, (size_t)n) == n)
		at += n;
}

/* EAL panics by abort(): what it said must not be lost. */
static void on_abort(int sig)
{
	capture_spill();
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
}

static void capture_free(void)
{
	close(capture.fd);
	close(capture.err);
	capture.fd = capture.err = -1;
}

/* The first line that is not about everyday things, without its prefix. */
static const char *reason(char *log)
{
	static const char *const everyday[] = {"EAL: Detected ", "EAL: Multi-process socket",
		"EAL: Selected IOVA", "EAL: Physical addresses", "EAL: VFIO", "EAL: Probe ",
		"EAL: No available", "EAL: No free", "TELEMETRY:", "EAL: WARNING"};
	char *save, *line;

	for (line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool skip = *line == '\0';
		char *text;

		for (size_t i = 0; i < PLX_DIM(everyday); i++)
			skip |= strncmp(line, everyday[i], strlen(everyday[i])) == 0;
		if (skip)
			continue;
		text = strstr(line, "FATAL: ");
		if (text)
			return text + 7;
		text = strstr(line, ": ");
		return text && !strchr(line, '\'') ? text + 2
		       : text && text - line < 8   ? text + 2
						   : line;
	}
	return NULL;
}

static int why(const struct app *app, char *log, int err, struct plx_error *e)
{
	char name[PLX_PORT_NAMELEN];
	const char *text;

	if (vdev_unknown(log, name, sizeof(name)))
		return plx_error_set(e, -ENODEV, PLX_ERR_VDEV_FAILED, name,
			"there is no such driver, or its arguments are malformed",
			"the drivers: net_tap, net_pcap, net_null, net_ring, net_memif, "
			"net_af_packet...");
	if (strstr(log, "another primary"))
		return plx_error_set(e, -EBUSY, PLX_ERR_EAL_INIT,
			"another process uses the same --file-prefix",
			"give each process a --file-prefix of its own");
	if (strstr(log, "hugepage info"))
		return plx_error_set(e, -ENOMEM, PLX_ERR_EAL_INIT, "no huge pages",
			"give EAL --no-huge -m 512, or reserve some in "
			"/proc/sys/vm/nr_hugepages");
	if (strstr(log, "'command line'")) {
		text = reason(log);
		return plx_error_set(
			e, -EINVAL, PLX_ERR_EAL_OPTION, text ? text : "invalid arguments");
	}
	text = reason(log);
	return plx_error_set(e, err, PLX_ERR_EAL_INIT, text ? text : strerror(-err),
		"its whole log comes with --log-level=8");
}

/* Does the user want EAL's log whatever happens? */
static bool verbose(const struct app *app)
{
	for (int i = 0; i < app->eal_argc; i++)
		if (strncmp(app->eal_argv[i], "--log-level", 11) == 0)
			return true;
	return false;
}

static int init(struct app *app, char *log, size_t size, struct plx_error *e)
{
	char **argv = calloc((size_t)app->eal_argc + 2, sizeof(*argv));
	int err = argv ? capture_begin() : -ENOMEM;

	if (err) {
		free(argv);
		return plx_error_set(e, err, PLX_ERR_EAL_INIT, strerror(-err), "free some memory");
	}
	argv[0] = (char *)(uintptr_t) "pollux";
	for (int i = 0; i < app->eal_argc; i++)
		argv[1 + i] = app->eal_argv[i];
	err = rte_eal_init(app->eal_argc + 1, argv) < 0 ? -rte_errno : 0;
	capture_end(log, size);
	if (!err || verbose(app))
		capture_spill();
	capture_free();
	free(argv);
	return err ? why(app, log, err, e) : 0;
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

/* EAL leaves its files there: config, hugepage_info, fbarray_*. */
static void remove_dir(const char *dir)
{
	struct dirent *entry;
	DIR *d;

	if (in_use(dir))
		return;
	d = opendir(dir);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
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
		remove_dir(dir);
}

int app_eal_start(struct app *app, struct plx_error *e)
{
	char log[LOG_MAX];
	int err = vdev_check(app, e);

	if (err)
		return err;
	err = init(app, log, sizeof(log), e);
	if (err) {
		const char *dir = rte_eal_get_runtime_dir();

		if (*dir)
			remove_dir(dir);
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
	return err;
}
