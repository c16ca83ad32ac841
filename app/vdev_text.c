/* SPDX-License-Identifier: BSD-3-Clause */
#include "vdev.h"

#include <stdio.h>

bool vdev_next(int argc, char *const *argv, int *i, struct vdev *v)
{
	while (*i < argc) {
		const char *arg = argv[(*i)++], *spec = NULL;
		size_t n;

		if (strncmp(arg, "--vdev=", 7) == 0)
			spec = arg + 7;
		else if (strcmp(arg, "--vdev") == 0 && *i < argc)
			spec = argv[(*i)++];
		if (!spec)
			continue;
		n = strcspn(spec, ",");
		snprintf(v->name, sizeof(v->name), "%.*s", (int)n, spec);
		v->args = spec[n] ? spec + n + 1 : "";
		return true;
	}
	return false;
}

bool vdev_arg(const char **at, const char *key, char *value, size_t size)
{
	size_t n = strlen(key);

	while (**at) {
		const char *a = *at;
		size_t len = strcspn(a, ",");

		*at += len + (a[len] == ',');
		if (len > n && strncmp(a, key, n) == 0 && a[n] == '=') {
			snprintf(value, size, "%.*s", (int)(len - n - 1), a + n + 1);
			return true;
		}
	}
	return false;
}

void vdev_said(const char *log, const char *name, char *text, size_t size)
{
	const char *line = log, *before = NULL;

	snprintf(text, size, "its driver does not say why");
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t n = strcspn(line, "\n");
		const char *at = memmem(line, n, name, strlen(name));

		if (at && strncmp(line, "vdev_probe", 10) == 0) {
			if (before)
				snprintf(text, size, "%.*s", (int)strcspn(before, "\n"), before);
			return;
		}
		if (strncmp(line, "EAL:", 4) != 0)
			before = line;
	}
}

const char *vdev_unknown(const char *log, char *name, size_t size)
{
	static const char said_so[] = "failed to parse device \"";
	const char *at = strstr(log, said_so);

	if (!at)
		return NULL;
	at += sizeof(said_so) - 1;
	snprintf(name, size, "%.*s", (int)strcspn(at, "\"\n"), at);
	return name;
}
