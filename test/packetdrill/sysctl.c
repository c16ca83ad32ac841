/* SPDX-License-Identifier: BSD-3-Clause */
#include "adapter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/un.h>

/*
 * The shell commands of a script are children of packetdrill's. Where `sysctl` is ours (the script
 * of this name beside), it sends each "name=value" to an abstract socket that is named after
 * $PACKETDRILL_PID, as packetdrill tells its children, and waits for the answer.
 */

/* Least, default and greatest: of ours, two. */
static const struct {
	const char *name;
	enum plx_tunable def, max;
} triples[] = {
	{"net.ipv4.tcp_rmem", PLX_TUN_TCP_RMEM_DEFAULT, PLX_TUN_TCP_RMEM_MAX},
	{"net.ipv4.tcp_wmem", PLX_TUN_TCP_WMEM_DEFAULT, PLX_TUN_TCP_WMEM_MAX},
};

static const char *set(enum plx_tunable id, long long value)
{
	const struct plx_tunable_info *t = &plx_tunable_info[id];
	long long v = PLX_MAX((long long)t->min, PLX_MIN(value, (long long)t->max));

	/* what is out of our bounds is Linux's way to say "more than that" (tcp_early_retrans=4) */
	return plx_tunable_set(&pd_tunables, id, v) == 0 ? "ok" : "out of range";
}

static const char *several(const char *name, const char *value)
{
	long long v[3];

	for (size_t i = 0; i < PLX_DIM(triples); i++) {
		if (strcmp(name, triples[i].name) != 0)
			continue;
		if (sscanf(value, "%lld %lld %lld", &v[0], &v[1], &v[2]) != 3)
			return "it takes three numbers";
		set(triples[i].def, v[1]);
		return set(triples[i].max, v[2]);
	}
	if (strcmp(name, "net.ipv4.tcp_congestion_control") == 0)
		return set(PLX_TUN_TCP_CUBIC, strcmp(value, "cubic") == 0);
	return "unknown";
}

const char *pd_sysctl_set(const char *text)
{
	const char *eq = strchr(text, '=');
	char name[128], *end;
	long long value;
	int id;

	if (!eq || (size_t)(eq - text) >= sizeof(name))
		return "it is no NAME=VALUE";
	memcpy(name, text, (size_t)(eq - text));
	name[eq - text] = '\0';
	id = plx_tunable_find(name);
	if (id < 0)
		return several(name, eq + 1);
	value = strtoll(eq + 1, &end, 0);
	return *end || end == eq + 1 ? "it takes a number" : set((enum plx_tunable)id, value);
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct sockaddr_un from;
	char text[512];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &len);
		const char *answer;

		if (n < 0)
			return NULL;
		text[n] = '\0';
		answer = pd_sysctl_set(text);
		sendto(fd, answer, strlen(answer), 0, (struct sockaddr *)&from, len);
	}
}

void pd_sysctl_start(void)
{
	const char *pid = getenv("PACKETDRILL_PID");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	sigset_t all, old;
	pthread_t thread;
	int fd, n;

	if (!pid)
		return;
	n = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "plx-packetdrill-%s", pid);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
		bind(fd, (struct sockaddr *)&sa,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0)
		pd_die("the socket for sysctl: %s", strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
		pd_die("the thread for sysctl: %s", strerror(errno));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_detach(thread);
}
