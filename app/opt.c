/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>

static const char *const idle_names[] = {
	[PLX_IDLE_POLL] = "poll", [PLX_IDLE_PAUSE] = "pause", [PLX_IDLE_SLEEP] = "sleep", NULL};

static const struct opt common_opts[] = {
	{"queues", "N", OPT_U32, offsetof(struct app_common, queues), "0",
		"queues of each port; 0: one for each lcore, as far as its driver goes", 0,
		PLX_PORT_QUEUES_MAX},
	{"json", NULL, OPT_FLAG, offsetof(struct app_common, json), NULL,
		"print JSON lines only on stdout"},
	{"port", "NAME=DRIVER[,K=V...]", OPT_LIST, offsetof(struct app_common, ports), NULL,
		"a port that is not EAL's; 'pollux -- ports --help' lists the drivers"},
	{NULL},
};

static const struct opt run_opts[] = {
	{"for", "S", OPT_U32, offsetof(struct app_run_opts, for_s), "0",
		"end after so many seconds; 0: on SIGINT or SIGTERM", 0, 1000000},
	{"idle-exit", "MS", OPT_U32, offsetof(struct app_run_opts, idle_exit_ms), "0",
		"end when no packet has come in for so long; 0: never", 0, 100000000},
	{"burst", "N", OPT_U32, offsetof(struct app_run_opts, burst), "0",
		"packets a poll; 0: as the tunable dev_weight says", 0, PLX_PORT_BURST},
	{"rxd", "N", OPT_U32, offsetof(struct app_run_opts, rxd), "0",
		"receive descriptors; 0: as the driver likes", 0, 32768},
	{"txd", "N", OPT_U32, offsetof(struct app_run_opts, txd), "0",
		"transmit descriptors; 0: as the driver likes", 0, 32768},
	{"mbufs", "N", OPT_U32, offsetof(struct app_run_opts, mbufs), "0",
		"packet buffers of each lcore; 0: as the ports need", 0, 1 << 24},
	{"mbuf-size", "BYTES", OPT_U32, offsetof(struct app_run_opts, mbuf_bytes), "2048",
		"what one packet buffer holds", 2048, UINT16_MAX - RTE_PKTMBUF_HEADROOM},
	{"idle", "POLICY", OPT_CHOICE, offsetof(struct app_run_opts, idle), NULL,
		"what an lcore without work does: poll, pause, sleep", .choices = idle_names},
	{"seed", "N", OPT_U32, offsetof(struct app_run_opts, seed), "0",
		"of all random generators; 0: from the system", 0, UINT32_MAX},
	{NULL},
};

static const struct opt stack_opts[] = {
	{"if", "PORT,K=V...", OPT_LIST, offsetof(struct stack_conf, ifs), NULL,
		"an interface: addr=A/LEN..., group=A..., gw=A, mtu=N, vlan=ID"},
	{"route", "PREFIX,via=A[,if=NAME]", OPT_LIST, offsetof(struct stack_conf, routes), NULL,
		"a route"},
	{"sysctl", "NAME=VALUE", OPT_LIST, offsetof(struct stack_conf, sysctl), NULL,
		"a tunable under its Linux name, e.g. net.ipv4.ip_forward=1"},
	{"rps", "PORT[:QUEUE]=LCORES", OPT_LIST, offsetof(struct stack_conf, rps), NULL,
		"spread what comes there and is forwarded over these lcores, 0,2-3"},
	{"config", "FILE", OPT_STR, offsetof(struct stack_conf, file), NULL,
		"read all of this from an INI file; see 'pollux -- config --help'"},
	{"no-offload", NULL, OPT_FLAG, offsetof(struct stack_conf, no_offload), NULL,
		"checksums by software even where the device has them"},
	{"tcp-memory", "MIB", OPT_U32, offsetof(struct stack_conf, tcp_mib), "0",
		"each lcore's memory for TCP: 1 MiB for 1,900 connections; 0: 32", 0, 65536},
	{"sock-memory", "MIB", OPT_U32, offsetof(struct stack_conf, sock_mib), "0",
		"each lcore's memory for what belongs to sockets; 0: 64", 0, 65536},
	{"sockets", "N", OPT_U32, offsetof(struct stack_conf, sockets), "0",
		"sockets at a time; 0: 1048576", 0, 1 << 26},
	{NULL},
};

/** A table and the struct that it is for. */
struct table {
	const struct opt *opts;
	void *conf;
};

#define TABLES 5

/* Behind the word `capture` its options come first. */
static void tables(struct app *app, void *conf, struct table *t)
{
	unsigned int n = app->n_captures;

	t[0] = (struct table){n ? capture_opts : NULL, n ? &app->capture[n - 1] : NULL};
	t[1] = (struct table){app->cmd->opts, conf};
	t[2] = (struct table){app->cmd->stack ? stack_opts : NULL, &app->stack};
	t[3] = (struct table){app->cmd->runs ? run_opts : NULL, &app->run};
	t[4] = (struct table){common_opts, &app->common};
}

/* What a value should look like. */
static const char *wanted(const struct opt *o, char *buf, size_t size)
{
	int n;

	switch (o->type) {
	case OPT_U32:
		snprintf(buf, size, "give a number from %u to %u", o->min, o->max);
		return buf;
	case OPT_CHOICE:
		n = snprintf(buf, size, "choose one of:");
		for (uint32_t i = 0; o->choices[i] && n > 0 && (size_t)n < size; i++)
			n += snprintf(buf + n, size - (size_t)n, " %s", o->choices[i]);
		return buf;
	case OPT_MAC:
		return "form: 02:00:00:00:00:01";
	case OPT_FLAG:
		return "it takes no value";
	case OPT_LIST:
	case OPT_STR:
		break;
	}
	snprintf(buf, size, "form: --%s %s", o->name, o->arg);
	return buf;
}

void opt_defaults(struct app *app, void *conf)
{
	struct table t[TABLES];

	app->run.idle = app->cmd->idle;
	tables(app, conf, t);
	for (int i = 0; i < TABLES; i++)
		for (const struct opt *o = t[i].opts; o && o->name; o++)
			if (o->deflt)
				opt_assign(o, t[i].conf, o->deflt);
}

static const struct opt *find(
	const struct table *t, int tables, const char *name, size_t n, void **conf)
{
	for (int i = 0; i < tables; i++)
		for (const struct opt *o = t[i].opts; o && o->name; o++)
			if (strlen(o->name) == n && memcmp(o->name, name, n) == 0) {
				*conf = t[i].conf;
				return o;
			}
	return NULL;
}

static const struct opt *find_letter(const struct table *t, char letter, void **conf)
{
	for (int i = 0; i < TABLES; i++)
		for (const struct opt *o = t[i].opts; o && o->name; o++)
			if (o->letter == letter) {
				*conf = t[i].conf;
				return o;
			}
	return NULL;
}

/* The option of a word, "--name", "--name=value", "-n" or "-nvalue". @param value set to NULL if
 * it is not in the word. */
static const struct opt *find_option(
	const struct table *t, const char *word, const char **value, void **conf)
{
	const char *name = word + 2;
	size_t n = strcspn(name, "=");

	if (word[1] == '-') {
		*value = name[n] == '=' ? name + n + 1 : NULL;
		return find(t, TABLES, name, n, conf);
	}
	*value = *name ? name : NULL;
	return find_letter(t, word[1], conf);
}

/* One option at argv[*i]; *i moves over its value. */
static int parse_one(
	struct app *app, const struct table *t, int argc, char **argv, int *i, struct plx_error *e)
{
	const char *cmd = app->cmd->name, *value = NULL;
	char hint[256];
	void *conf = NULL;
	const struct opt *o = find_option(t, argv[*i], &value, &conf);

	if (!o)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_UNKNOWN, cmd, argv[*i], cmd);
	if (o->type == OPT_FLAG) {
		if (value)
			return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, value, o->name,
				wanted(o, hint, sizeof(hint)));
	} else if (!value) {
		if (*i + 1 == argc)
			return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_NO_VALUE, cmd, o->name,
				wanted(o, hint, sizeof(hint)));
		value = argv[++*i];
	}
	if (o->letter == 'i' && conf == t[0].conf && strchr(value, '=')) /* it is to be made */
		o = find(t + TABLES - 1, 1, "port", 4, &conf);
	if (!opt_assign(o, conf, value))
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, value, o->name,
			o->type == OPT_LIST ? "it may be given 64 times at most"
					    : wanted(o, hint, sizeof(hint)));
	return 0;
}

/* Is it the word behind which a capture's options come? An operand may be called so, too. */
static bool is_capture(const struct app *app, const char *word)
{
	return app->cmd->runs && (!app->cmd->operands || app->n_operands) &&
	       strcmp(word, "capture") == 0;
}

static int begin_capture(struct app *app, struct plx_error *e)
{
	if (app->n_captures == APP_CAPTURES)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPERAND, app->cmd->name, "capture", "capture");
	app->n_captures++;
	return 0;
}

int opt_parse(struct app *app, void *conf, int argc, char **argv, struct plx_error *e)
{
	const char *cmd = app->cmd->name;
	struct table t[TABLES];
	int err = app->cmd == &cmd_capture ? begin_capture(app, e) : 0;

	for (int i = 0; !err && i < argc; i++) {
		tables(app, conf, t);
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
		if (argv[i][0] == '-' && argv[i][1])
			err = parse_one(app, t, argc, argv, &i, e);
		else if (is_capture(app, argv[i]))
			err = begin_capture(app, e);
		else if (!app->cmd->operands || app->n_operands == PLX_DIM(app->operand))
			err = plx_error_set(e, -EINVAL, PLX_ERR_OPERAND, cmd, argv[i], cmd);
		else
			app->operand[app->n_operands++] = argv[i];
	}
	return err;
}

#define HELP_LEFT  22 /* columns of the word */
#define HELP_WIDTH 88

void opt_help_row(const char *left, const char *text, FILE *out)
{
	int column = strlen(left) > HELP_LEFT - 2 ? HELP_WIDTH : HELP_LEFT;

	fprintf(out, "  %-*s", HELP_LEFT - 2, left);
	while (*text) {
		int n = (int)strcspn(text, " "), blanks = 1;

		if (column + 1 + n > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_LEFT, "");
			column = HELP_LEFT;
		}
		if (column == HELP_LEFT)
			blanks = 2;
		fprintf(out, "%*s%.*s", blanks, "", n, text);
		column += blanks + n;
		text += n + (int)strspn(text + n, " ");
	}
	fputc('\n', out);
}

static void help_table(const char *title, const struct opt *o, const struct plx_cmd *cmd, FILE *out)
{
	if (!o || !o->name)
		return;
	fprintf(out, "\n%s:\n", title);
	for (; o->name; o++) {
		const char *deflt = o->choices == idle_names ? idle_names[cmd->idle] : o->deflt;
		bool said = !deflt || strcmp(deflt, "0") == 0; /* what 0 means is in the text */
		char left[64], text[256], letter[8] = "";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s %s", letter, o->name, o->arg ? o->arg : "");
		snprintf(text, sizeof(text), said ? "%s%s" : "%s%s (default: %s)", o->help,
			o->type == OPT_LIST ? " (repeatable)" : "", deflt);
		opt_help_row(left, text, out);
	}
}

void opt_help(const struct plx_cmd *cmd, FILE *out)
{
	fprintf(out, "usage: pollux %s%s%s%s [OPTION]...\n\n%s\n",
		cmd->no_eal ? "" : "[EAL ARGUMENTS] -- ", cmd->name, cmd->operands ? " " : "",
		cmd->operands ? cmd->operands : "", cmd->text);
	help_table("Options", cmd == &cmd_capture ? capture_opts : cmd->opts, cmd, out);
	if (cmd->stack)
		help_table("Options of the stack", stack_opts, cmd, out);
	if (cmd->runs)
		help_table("Options of a run", run_opts, cmd, out);
	if (!cmd->no_eal)
		help_table("Options of all commands", common_opts, cmd, out);
	if (cmd->runs && cmd != &cmd_capture)
		fprintf(out,
			"\nBehind these, to capture what passes meanwhile, maybe several times:\n"
			"  capture -w FILE [-f EXPR] [OPTION]...; see 'pollux -- capture "
			"--help'\n");
	if (cmd->more_help)
		cmd->more_help(out);
}
