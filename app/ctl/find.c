/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET "pollux.sock"

/* As eal_create_runtime_dir() chooses. */
const char *ctl_base_dir(char *buf, size_t size)
{
	const char *dir = getenv("RUNTIME_DIRECTORY");

	if (!dir)
		dir = getuid() == 0 ? "/var/run" : getenv("XDG_RUNTIME_DIR");
	snprintf(buf, size, "%s/dpdk", dir ? dir : "/tmp");
	return buf;
}

/* Is a pollux there? @return 0 with *peer filled, or -errno. */
static int look(const char *base, const char *prefix, struct ctl_peer *peer)
{
	struct ucred who = {0};
	socklen_t len = sizeof(who);
	int fd;

	snprintf(peer->prefix, sizeof(peer->prefix), "%s", prefix);
	if (snprintf(peer->dir, sizeof(peer->dir), "%s/%s", base, prefix) >= (int)sizeof(peer->dir))
		return -ENAMETOOLONG;
	fd = ctl_connect(peer->dir, SOCKET);
	if (fd < 0)
		return fd;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	close(fd);
	peer->pid = who.pid;
	return 0;
}

static int find_named(const char *base, const char *prefix, struct ctl_peer *peer)
{
	int err = strchr(prefix, '/') ? -EINVAL : look(base, prefix, peer);

	if (!err)
		return CTL_OK;
	if (err == -ENOENT || err == -ECONNREFUSED)
		ctl_complain("no pollux with --file-prefix %s is running (in %s)", prefix, base);
	else
		ctl_complain("--file-prefix %s: %s", prefix, strerror(-err));
	return CTL_FAILED;
}

int ctl_find(const char *prefix, struct ctl_peer *peer)
{
	char base[CTL_PATH_MAX], list[1024] = "";
	struct ctl_peer other;
	struct dirent *entry;
	int n = 0, denied = 0;
	DIR *d;

	ctl_base_dir(base, sizeof(base));
	if (prefix)
		return find_named(base, prefix, peer);
	d = opendir(base);
	while (d && (entry = readdir(d))) {
		size_t used = strlen(list);
		int err = entry->d_name[0] == '.' ? -ENOENT : look(base, entry->d_name, &other);

		denied += err == -EACCES || err == -EPERM;
		if (err)
			continue;
		snprintf(list + used, sizeof(list) - used, "%s%s (pid %d)", n ? ", " : "",
			other.prefix, other.pid);
		if (n++ == 0)
			*peer = other;
	}
	if (d)
		closedir(d);
	if (n == 1)
		return CTL_OK;
	if (n > 1)
		ctl_complain("several are running, choose one by --file-prefix: %s", list);
	else
		ctl_complain("no running pollux found in %s%s", base,
			denied ? ", or it is another user's" : "");
	return n > 1 ? CTL_USAGE : CTL_FAILED;
}
