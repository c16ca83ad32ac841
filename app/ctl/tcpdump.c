/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fmt.h"

/*
 * Packets of a running process as they pass, by a named pipe that tcpdump, tshark or line.c reads.
 */

const char ctl_tcpdump_text[] =
	"usage: pollux-ctl tcpdump [OPTION...] [EXPR]\n"
	"\n"
	"Prints packets of a running process as they pass, by tcpdump if there is one, else by\n"
	"tshark, else in a line each of its own; with --hook drop always so, as it has the "
	"reason.\n"
	"^C ends it.\n"
	"\n"
	"      --hook LIST        where: rx, rx-gro, tx, drop, fwd (default: rx,tx)\n"
	"      --form NAME        tcpdump, tshark or line\n"
	"  -w, --write FILE       the packets to a file of ours; -: to the standard output\n"
	"  -f, --filter EXPR      which packets; or the words behind the options\n"
	"  -i, --port LIST        of these ports alone\n"
	"  -Q, --direction in|out on their way in or out alone\n"
	"  -s, --snaplen BYTES    of each packet at most\n"
	"  -c, --count N          end after so many packets\n"
	"      --sample N         one packet of N, at random\n"
	"      --max-cost PERCENT of an lcore's time at most, 0.1% to 100%\n"
	"  -B, --buffer SIZE      between each lcore and us, 64K to 1G (default: 4M)\n"
	"  -n -e -t -q -v -x -X -A -S -l -K -#  are tcpdump's; of these tshark is given -n -x -l,\n"
	"                         and -V for -v; a line of ours knows -e and -t\n"
	"\n"
	"Examples:\n"
	"  pollux-ctl tcpdump -n\n"
	"  pollux-ctl tcpdump -ne -c 10 tcp port 80\n"
	"  pollux-ctl tcpdump --hook drop\n"
	"  pollux-ctl tcpdump -w - | wireshark -k -i -\n";

static const struct option dump_options[] = {
	TAP_OPTIONS,
	{"form", required_argument, NULL, TAP_FORM},
	{NULL},
};

#define THEIRS	  "neqtvxXASlK#" /* tcpdump's own options, which say how to print */
#define WORDS_MAX 64

enum form { FORM_ANY, FORM_TCPDUMP, FORM_TSHARK, FORM_LINE, FORM_RAW };

struct dump {
	json_t *args;	       /**< of `tap start` */
	char given[WORDS_MAX]; /**< letters of THEIRS, in their order */
	unsigned int n_given;
	enum form form;
	const char *file; /**< FORM_RAW: where to */
	struct ctl_peer peer;
	int fd; /**< of the pipe (tap_pipe.c) */
	long long tap;
};

static volatile int stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

/* ---- the command line ---- */

static bool set_form(struct dump *d, const char *name)
{
	static const char *const names[] = {
		[FORM_TCPDUMP] = "tcpdump", [FORM_TSHARK] = "tshark", [FORM_LINE] = "line"};

	for (int i = FORM_TCPDUMP; i <= FORM_LINE; i++)
		if (strcmp(names[i], name) == 0) {
			d->form = (enum form)i;
			return true;
		}
	ctl_complain("--form %s: choose one of: tcpdump tshark line", name);
	return false;
}

/* @return 0; -EINVAL after a complaint. */
static int set_option(struct dump *d, int c, char **argv)
{
	int err;

	if (c == TAP_FORM)
		return set_form(d, optarg) ? 0 : -EINVAL;
	if (c == 'w') {
		d->file = optarg;
		return 0;
	}
	if (c < 256 && c != ':' && c != '?' && strchr(THEIRS, c)) {
		if (d->n_given < WORDS_MAX)
			d->given[d->n_given++] = (char)c;
		return 0;
	}
	err = tap_option(d->args, c, optarg);
	if (err > 0)
		tap_complain_option("tcpdump", c, argv);
	return err ? -EINVAL : 0;
}

static bool in_path(const char *name)
{
	const char *at = getenv("PATH");
	char path[CTL_PATH_MAX];

	for (size_t n; at && *at; at += n + (at[n] == ':')) {
		n = strcspn(at, ":");
		snprintf(path, sizeof(path), "%.*s/%s", (int)n, at, name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* What tcpdump and tshark print has no place for a reason. */
static enum form choose(const struct dump *d)
{
	const char *hooks = json_string_value(json_object_get(d->args, "hooks"));

	if (d->form != FORM_ANY)
		return d->form;
	if (hooks && strstr(hooks, "drop"))
		return FORM_LINE;
	return in_path("tcpdump") ? FORM_TCPDUMP : in_path("tshark") ? FORM_TSHARK : FORM_LINE;
}

/* @return -1, or an exit code. */
static int parse(struct dump *d, int argc, char **argv)
{
	int c, err = 0;

	optind = 0; /* anew */
	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, "+:" TAP_LETTERS "h" THEIRS, dump_options,
				NULL)) != -1) {
		if (c == 'h') {
			fputs(ctl_tcpdump_text, stdout);
			return CTL_OK;
		}
		err = set_option(d, c, argv);
	}
	if (!err)
		err = tap_expression(d->args, argc - optind, argv + optind);
	if (d->file)
		d->form = FORM_RAW;
	if (!err && d->form == FORM_RAW && strcmp(d->file, "-") == 0 && isatty(STDOUT_FILENO)) {
		ctl_complain("-w -: a terminal cannot show it; append: | tshark -i -");
		err = -EINVAL;
	}
	d->form = choose(d);
	return err ? CTL_USAGE : -1;
}

/* ---- its end ---- */

static void say(const json_t *came_to)
{
	fprintf(stderr, "%lld packets captured, %lld filtered, %lld lost",
		fmt_num(came_to, "written"), fmt_num(came_to, "filtered"),
		fmt_num(came_to, "full"));
	if (fmt_num(came_to, "missed"))
		fprintf(stderr, ", %lld missed to keep its cost", fmt_num(came_to, "missed"));
	fputc('\n', stderr);
}

/* What it came to, for people. Who has ended meanwhile does not answer. */
static void end(const struct dump *d)
{
	json_t *request =
		json_pack("{s:s,s:{s:I}}", "cmd", "tap stop", "args", "tap", (json_int_t)d->tap);
	json_t *reply;

	close(d->fd);
	reply = ctl_ask_quietly(&d->peer, request);
	if (reply)
		say(reply);
	json_decref(reply);
}

/* ---- who reads it ---- */

/* In the child. */
static void exec_reader(const struct dump *d, char *const *argv)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	fcntl(d->fd, F_SETFL, 0); /* it waits for packets */
	dup2(d->fd, STDIN_FILENO);
	execvp(argv[0], argv);
	ctl_complain("%s: %s", argv[0], strerror(errno));
	_exit(127);
}

static int run_reader(const struct dump *d, char *const *argv)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exec_reader(d, argv);
	if (pid < 0) {
		ctl_complain("%s: %s", argv[0], strerror(errno));
		return CTL_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		if (stopped)
			kill(pid, SIGINT); /* it was asked, too, unless only we were */
	if (WIFSIGNALED(status))
		return stopped ? CTL_OK : CTL_FAILED;
	return WEXITSTATUS(status) == 0 ? CTL_OK : CTL_FAILED;
}

#define WORD(w) ((char *)(uintptr_t)(w))

static int by_tcpdump(const struct dump *d)
{
	char letters[WORDS_MAX][3], count[24],
		*argv[WORDS_MAX + 8] = {WORD("tcpdump"), WORD("-r"), WORD("-")};
	json_t *c = json_object_get(d->args, "count");
	int n = 3;

	for (unsigned int i = 0; i < d->n_given; i++) {
		snprintf(letters[i], sizeof(letters[i]), "-%c", d->given[i]);
		argv[n++] = letters[i];
	}
	if (json_integer_value(c) > 0 && json_integer_value(c) <= INT_MAX) {
		snprintf(count, sizeof(count), "%lld", json_integer_value(c));
		argv[n++] = WORD("-c");
		argv[n++] = count;
	}
	return run_reader(d, argv);
}

static int by_tshark(const struct dump *d)
{
	char *argv[16] = {WORD("tshark"), WORD("-i"), WORD("-")};
	int n = 3;

	if (memchr(d->given, 'n', d->n_given))
		argv[n++] = WORD("-n");
	if (memchr(d->given, 'v', d->n_given))
		argv[n++] = WORD("-V");
	if (memchr(d->given, 'x', d->n_given))
		argv[n++] = WORD("-x");
	if (memchr(d->given, 'l', d->n_given))
		argv[n++] = WORD("-l");
	return run_reader(d, argv);
}

static int by_line(const struct dump *d)
{
	const struct line_about about = {
		.macs = memchr(d->given, 'e', d->n_given),
		.no_time = memchr(d->given, 't', d->n_given),
	};
	long long max = json_integer_value(json_object_get(d->args, "count"));

	return line_print_all(d->fd, &about, max, &stopped) < 0 ? CTL_FAILED : CTL_OK;
}

static int raw_copy(const struct dump *d, FILE *out)
{
	static char buf[1 << 16];
	ssize_t n = 1;

	fcntl(d->fd, F_SETFL, 0);
	while (n > 0 && !stopped) {
		n = read(d->fd, buf, sizeof(buf));
		if (n > 0 && (fwrite(buf, 1, (size_t)n, out) != (size_t)n || fflush(out) != 0)) {
			ctl_complain("%s: %s", d->file, strerror(errno));
			return CTL_FAILED;
		}
	}
	return CTL_OK;
}

static int raw(const struct dump *d)
{
	FILE *out = strcmp(d->file, "-") == 0 ? stdout : fopen(d->file, "we");
	int code;

	if (!out) {
		ctl_complain("%s: %s", d->file, strerror(errno));
		return CTL_FAILED;
	}
	code = raw_copy(d, out);
	if (out != stdout && fclose(out) != 0)
		code = CTL_FAILED;
	return code;
}

static int show(const struct dump *d)
{
	switch (d->form) {
	case FORM_TCPDUMP:
		return by_tcpdump(d);
	case FORM_TSHARK:
		return by_tshark(d);
	case FORM_RAW:
		return raw(d);
	default:
		return by_line(d);
	}
}

int ctl_tcpdump(const struct ctl_opts *o, int argc, char **argv)
{
	const struct sigaction sa = {.sa_handler = on_signal}; /* calls that wait end by it */
	struct dump d = {.args = json_object(), .fd = -1};
	int code = parse(&d, argc, argv);

	if (code >= 0)
		goto out;
	code = ctl_find(o->prefix, o->pid, &d.peer);
	if (code != CTL_OK)
		goto out;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	code = tap_pipe_begin(&d.peer, "tcpdump", d.args, &d.fd, &d.tap);
	if (code == CTL_OK) {
		code = show(&d);
		end(&d);
	}
out:
	json_decref(d.args);
	return code;
}
