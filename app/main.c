/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_version.h>

#include "names.h"
#include "version.h"

static const struct plx_cmd *const commands[] = {
	&cmd_up,
	&cmd_http,
	&cmd_load,
	&cmd_proxy,
	&cmd_echo,
	&cmd_discard,
	&cmd_chargen,
	&cmd_ping,
	&cmd_traceroute,
	&cmd_resolve,
	&cmd_fwd,
	&cmd_replay,
	&cmd_ports,
	&cmd_config,
};

static const char usage[] =
	"usage: pollux [EAL ARGUMENTS] -- COMMAND [OPTION]...\n"
	"       pollux --version | --help | --eal-help\n"
	"\n"
	"A userspace twin of the Linux network path on DPDK's poll-mode drivers.\n"
	"\n"
	"Commands:\n";

static const char usage_end[] =
	"\n"
	"'pollux -- COMMAND --help' shows a command's options and examples. EAL's arguments say\n"
	"which devices and cores there are: --vdev=net_tap0,iface=plx0  -l 0-1  --no-huge -m 256\n";

void app_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("pollux: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static enum app_exit exit_code(enum plx_err id)
{
	switch (id) {
	case PLX_ERR_COMMAND_UNKNOWN:
	case PLX_ERR_COMMAND_MISSING:
	case PLX_ERR_OPTION_UNKNOWN:
	case PLX_ERR_OPTION_VALUE:
	case PLX_ERR_OPTION_NO_VALUE:
	case PLX_ERR_OPTION_MISSING:
	case PLX_ERR_OPERAND:
	case PLX_ERR_EAL_OPTION:
	case PLX_ERR_NO_PORTS:
	case PLX_ERR_PORT_UNKNOWN:
	case PLX_ERR_PORT_SPEC:
	case PLX_ERR_ADDR_BAD:
	case PLX_ERR_IF_SPEC:
	case PLX_ERR_ROUTE_SPEC:
	case PLX_ERR_CONFIG_FILE:
	case PLX_ERR_CONFIG_LINE:
	case PLX_ERR_TCP_PORT_IN_USE:
	case PLX_ERR_UDP_PORT_IN_USE:
		return APP_USAGE;
	case PLX_ERR_ACCOUNTING:
		return APP_ACCOUNTING;
	default:
		return APP_FAILED;
	}
}

int app_fail(const struct plx_error *e)
{
	fprintf(stderr, "pollux: %s; %s\n", e->text, e->remedy);
	return exit_code(e->id);
}

static void print_help(FILE *out)
{
	fputs(usage, out);
	for (size_t i = 0; i < PLX_DIM(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs(usage_end, out);
}

static void print_version(FILE *out)
{
	fprintf(out, "pollux %s (git %s)\n%s, built against %d.%02d.%d\nABI %s\n", PLX_VERSION,
		PLX_GIT, rte_version(), RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR, PLX_ABI);
}

/* What needs no command. @return -1, or the exit code when that was all. */
static int answer(const char *arg, FILE *out)
{
	if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
		print_help(out);
	else if (strcmp(arg, "--version") == 0 || strcmp(arg, "-V") == 0)
		print_version(out);
	else if (strcmp(arg, "--eal-help") == 0) {
		char *argv[] = {(char *)(uintptr_t) "pollux", (char *)(uintptr_t) "--help", NULL};

		return rte_eal_init(2, argv) < 0 ? APP_FAILED : APP_OK; /* prints and exits */
	} else
		return -1;
	fflush(out);
	return APP_OK;
}

static const struct plx_cmd *find(const char *name)
{
	for (size_t i = 0; i < PLX_DIM(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Where the command stands: behind "--", or first if there are no EAL arguments. 0 = nowhere. */
static int command_at(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
	return argc > 1 && argv[1][0] != '-' ? 1 : 0;
}

static int run_command(struct app *app, int argc, char **argv)
{
	struct plx_error e = {0};
	void *conf = calloc(1, PLX_MAX(app->cmd->conf_bytes, (size_t)1));
	int code, err;

	if (!conf)
		return APP_FAILED;
	opt_defaults(app, conf);
	err = opt_parse(app, conf, argc, argv, &e);
	if (!err && app->cmd->check)
		err = app->cmd->check(app, conf, &e);
	if (!err && !app->cmd->no_eal)
		err = app_eal_start(app, &e);
	if (err > 0) {
		opt_help(app->cmd, app->out);
		code = APP_OK;
	} else if (err < 0) {
		code = app_fail(&e);
	} else {
		code = app->cmd->run(app, conf);
		if (!app->cmd->no_eal)
			app_eal_stop(app);
	}
	free(conf);
	return code;
}

static int dispatch(struct app *app, int argc, char **argv)
{
	struct plx_error e = {0};
	int at = command_at(argc, argv), code;

	if (argc > 1 && (at == 0 || at == argc)) {
		code = answer(argv[1], app->out);
		if (code >= 0)
			return code;
	}
	if (at == 0 || at == argc) {
		plx_error_set(&e, -EINVAL, PLX_ERR_COMMAND_MISSING);
		return app_fail(&e);
	}
	code = answer(argv[at], app->out);
	if (code >= 0)
		return code;
	app->cmd = find(argv[at]);
	if (!app->cmd) {
		plx_error_set(&e, -EINVAL, PLX_ERR_COMMAND_UNKNOWN, argv[at]);
		return app_fail(&e);
	}
	app->eal_argv = argv + 1;
	app->eal_argc = at > 1 ? at - 2 : 0;
	return run_command(app, argc - at - 1, argv + at + 1);
}

int main(int argc, char **argv)
{
	struct app app = {0};
	sigset_t set;
	int code;

	/* Before any thread is made. Real-time signals stay: net_tap wakes by one. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* what the kernel sends when its queue of real-time ones is full */
	sched_getaffinity(0, sizeof(app.cpus), &app.cpus);

	app.out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
	if (!app.out)
		return APP_FAILED;
	code = dispatch(&app, argc, argv);
	if ((ferror(app.out) | fclose(app.out)) && code == APP_OK) {
		app_note("stdout could not be written");
		code = APP_FAILED;
	}
	return code;
}
