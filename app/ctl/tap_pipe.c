/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fmt.h"

/*
 * A capture for ourselves: the process writes into a named pipe in its own run-time directory,
 * which both sides see under one name. When this program goes, the pipe has no reader, and the
 * process forgets the capture.
 */

/* Its writer is the process's user, who need not be ours. @return the descriptor or -errno. */
static int make_pipe(const struct ctl_peer *peer, const char *path)
{
	struct stat st, own = {.st_mode = S_IFIFO};
	char sock[CTL_PATH_MAX + 300];
	int fd;

	snprintf(sock, sizeof(sock), "%s/%s", peer->dir, peer->sock);
	if (mkfifo(path, 0600) != 0) {
		ctl_complain("%s: %s", path, strerror(errno));
		return -errno;
	}
	/* the directory is the other one's, who may have put something else there */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && fstat(fd, &own) == 0 && S_ISFIFO(own.st_mode) && stat(sock, &st) == 0 &&
		(st.st_uid == geteuid() || fchown(fd, st.st_uid, st.st_gid) == 0))
		return fd;
	ctl_complain("%s: %s", path,
		fd >= 0 && !S_ISFIFO(own.st_mode) ? "it is no pipe any more" : strerror(errno));
	if (fd >= 0)
		close(fd);
	unlink(path);
	return -EIO;
}

int tap_pipe_begin(
	const struct ctl_peer *peer, const char *who, json_t *args, int *fd, long long *tap)
{
	char path[CTL_PATH_MAX + 32];
	json_t *reply = NULL;
	int code;

	snprintf(path, sizeof(path), "%s/%s.%d", peer->dir, who, (int)getpid());
	*fd = make_pipe(peer, path);
	if (*fd < 0)
		return CTL_FAILED;
	json_object_set_new(args, "file", json_string(path));
	json_object_set_new(args, "once", json_integer(1));
	code = ctl_ask(peer, json_pack("{s:s,s:O}", "cmd", "tap start", "args", args), &reply);
	unlink(path); /* both sides have it */
	*tap = fmt_num(reply, "tap");
	json_decref(reply);
	if (code != CTL_OK)
		close(*fd);
	return code;
}
