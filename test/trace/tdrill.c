/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

/*
 * tdrill: run scripts, each in IPv4 and in IPv6 unless it says otherwise. Prints as cmocka does.
 */

static const char usage[] =
	"usage: tdrill [OPTION]... FILE|DIR...\n"
	"\n"
	"Runs packetdrill scripts (*.pkt) against the TCP library in virtual time.\n"
	"\n"
	"  -v            say what is skipped, and what passes\n"
	"  -q            say only what fails\n"
	"  -n            only read the scripts\n"
	"  --ip=4|6      one family\n"
	"  --strict      what is sent must be expected, to the end of the script\n"
	"  --tso=N       super-segments of up to N segments: 2, as Linux on slow paths, else PSH\n"
	"                is not compared; 0 = none\n"
	"  --isn=N       where the peer's sequence numbers begin\n"
	"  --seed=N      of the stack's secrets\n"
	"  --epoch=S     the clock when a script begins, in seconds\n";

struct options {
	bool verbose, quiet, parse_only;
	unsigned int ip;
	struct td_setup setup;
};

static unsigned int passed, failed;
static struct td_run run; /* large */

/* "test/trace/close/fin.pkt" -> "close_fin" */
static void case_name(const char *path, char *name, size_t bytes)
{
	const char *from = strrchr(path, '/');
	size_t n = 0;

	while (from && from > path && from[-1] != '/')
		from--;
	for (from = from ? from : path; *from && n < bytes - 1; from++) {
		if (strcmp(from, ".pkt") == 0)
			break;
		name[n++] = isalnum((unsigned char)*from) ? *from : '_';
	}
	name[n] = 0;
}

static bool run_script(struct td_script *s, const struct options *o, const char *path)
{
	static const char *const family[] = {"IPv4", "IPv6"};
	bool ok = true;

	if (td_script_load(s, path) != 0) {
		printf("%s\n", s->err);
		return false;
	}
	for (unsigned int i = 0; i < 2 && !o->parse_only; i++) {
		struct td_setup setup = o->setup;

		if (!(s->conf.ip & o->ip & 1u << i))
			continue;
		setup.v6 = i == 1;
		if (!td_run(&run, s, &setup)) {
			td_report(&run, family[i], stdout);
			ok = false;
		}
	}
	return ok;
}

static void run_file(const struct options *o, const char *path)
{
	struct td_script s = {0};
	char name[200];
	bool ok;

	case_name(path, name, sizeof(name));
	if (!o->quiet)
		printf("[ RUN      ] %s\n", name);
	fflush(stdout);
	ok = run_script(&s, o, path);
	td_script_free(&s);
	passed += ok;
	failed += !ok;
	if (!ok)
		printf("[  FAILED  ] %s\n", name);
	else if (!o->quiet)
		printf("[       OK ] %s\n", name);
}

static int wanted(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int run_path(const struct options *o, const char *path)
{
	struct dirent **names;
	struct stat st;
	size_t len = strlen(path);
	int n, err = 0;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		run_file(o, path);
		return 0;
	}
	n = scandir(path, &names, wanted, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[4096];
		const char *end = strrchr(names[i]->d_name, '.');

		snprintf(sub, sizeof(sub), "%s%s%s", path, path[len - 1] == '/' ? "" : "/",
			names[i]->d_name);
		if ((end && strcmp(end, ".pkt") == 0) ||
			(stat(sub, &st) == 0 && S_ISDIR(st.st_mode)))
			err |= run_path(o, sub);
		free(names[i]);
	}
	free(names);
	return err;
}

static const char *value_of(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return strncmp(arg, name, n) == 0 ? arg + n : NULL;
}

static bool option(struct options *o, const char *arg)
{
	const char *v;

	if (strcmp(arg, "-v") == 0)
		o->verbose = o->setup.verbose = true;
	else if (strcmp(arg, "-q") == 0)
		o->quiet = true;
	else if (strcmp(arg, "-n") == 0)
		o->parse_only = true;
	else if (strcmp(arg, "--strict") == 0)
		o->setup.strict = true;
	else if (strcmp(arg, "--ip=4") == 0)
		o->ip = TD_IP4;
	else if (strcmp(arg, "--ip=6") == 0)
		o->ip = TD_IP6;
	else if ((v = value_of(arg, "--tso=")))
		o->setup.max_segs = (uint32_t)strtoul(v, NULL, 0);
	else if ((v = value_of(arg, "--isn=")))
		o->setup.remote_isn = (uint32_t)strtoul(v, NULL, 0);
	else if ((v = value_of(arg, "--seed=")))
		o->setup.seed = strtoull(v, NULL, 0);
	else if ((v = value_of(arg, "--epoch=")))
		o->setup.epoch = PLX_SEC(strtoll(v, NULL, 0));
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct options o = {.ip = TD_IP4 | TD_IP6,
		/* so that numbers of both ends wrap within a short script */
		.setup = {.max_segs = 2,
			.remote_isn = 0xfffff000,
			.seed = 1,
			.epoch = PLX_SEC(1000)}};
	int err = 0, i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!option(&o, argv[i])) {
			fputs(usage, strcmp(argv[i], "--help") == 0 ? stdout : stderr);
			return strcmp(argv[i], "--help") == 0 ? 0 : 2;
		}
	}
	if (i == argc) {
		fputs(usage, stderr);
		return 2;
	}
	for (; i < argc; i++)
		err |= run_path(&o, argv[i]);
	printf("%u passed, %u failed\n", passed, failed);
	return err || failed ? 1 : 0;
}
