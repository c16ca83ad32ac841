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

/** What a search has found so far. */
struct search {
	int pid; /* wanted; 0 = any */
	struct ctl_peer *peer;
	char list[1024]; /* of all that fit */
	int n, denied;
};

/* Is a pollux behind this socket? */
static void look(struct search *s, const char *base, const char *prefix, const char *name)
{
	struct ctl_peer p = {0};
	struct ucred who = {0};
	socklen_t len = sizeof(who);
	size_t used = strlen(s->list);
	int fd;

	snprintf(p.prefix, sizeof(p.prefix), "%s", prefix);
	snprintf(p.sock, sizeof(p.sock), "%s", name);
	if (snprintf(p.dir, sizeof(p.dir), "%s/%s", base, prefix) >= (int)sizeof(p.dir))
		return;
	fd = ctl_connect(p.dir, name);
	if (fd < 0) {
		s->denied += fd == -EACCES || fd == -EPERM;
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	close(fd);
	p.pid = who.pid;
	if (s->pid && s->pid != p.pid)
		return;
	snprintf(s->list + used, sizeof(s->list) - used, "%s%s (pid %d)", s->n ? ", " : "", prefix,
		p.pid);
	if (s->n++ == 0)
		*s->peer = p;
}

/* Those that share a prefix (--in-memory, --no-shconf) have pollux.sock, pollux.sock:1, ... */
static void look_in(struct search *s, const char *base, const char *prefix)
{
	char dir[CTL_PATH_MAX + 256];
	struct dirent *entry;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/%s", base, prefix);
	d = opendir(dir);
	s->denied += !d && errno == EACCES;
	while (d && (entry = readdir(d)))
		if (strncmp(entry->d_name, SOCKET, strlen(SOCKET)) == 0)
			look(s, base, prefix, entry->d_name);
	if (d)
		closedir(d);
}

static void look_everywhere(struct search *s, const char *base)
{
	struct dirent *entry;
	DIR *d = opendir(base);

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			look_in(s, base, entry->d_name);
	if (d)
		closedir(d);
}

static int complain_none(const struct search *s, const char *base, const char *prefix)
{
	char named[300] = "", pid[32] = "";

	if (prefix)
		snprintf(named, sizeof(named), " with --file-prefix %s", prefix);
	if (s->pid)
		snprintf(pid, sizeof(pid), " with pid %d", s->pid);
	ctl_complain("no running pollux%s%s found in %s%s", named, pid, base,
		s->denied ? ", or it is another user's" : "");
	return CTL_FAILED;
}

int ctl_find(const char *prefix, int pid, struct ctl_peer *peer)
{
	struct search s = {.pid = pid, .peer = peer};
	char base[CTL_PATH_MAX];

	ctl_base_dir(base, sizeof(base));
	if (prefix && (!*prefix || strchr(prefix, '/'))) {
		ctl_complain("--file-prefix '%s': that is no name", prefix);
		return CTL_USAGE;
	}
	if (prefix)
		look_in(&s, base, prefix);
	else
		look_everywhere(&s, base);
	if (s.n == 1)
		return CTL_OK;
	if (s.n == 0)
		return complain_none(&s, base, prefix);
	ctl_complain("several are running, choose one by %s: %s",
		prefix ? "--pid" : "--file-prefix or --pid", s.list);
	return CTL_USAGE;
}
