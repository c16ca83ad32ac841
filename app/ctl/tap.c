/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fmt.h"

const char ctl_tap_text[] =
	"usage: pollux-ctl tap [list] [N]\n"
	"       pollux-ctl tap stats [N], or with -s, --stats\n"
	"       pollux-ctl tap start -w FILE [OPTION...] [EXPR]\n"
	"       pollux-ctl tap trigger N\n"
	"       pollux-ctl tap stop N\n"
	"\n"
	"Captures of a running process: `start` begins one and prints its number, `stop` ends it\n"
	"and says what it came to. The process writes the file, as its own user. What has ended\n"
	"by itself stays in the list until it is stopped, too. `trigger` has a recorder write "
	"what\n"
	"it has in memory.\n"
	"\n"
	"  -f, --filter EXPR      which packets, as tcpdump; or the words behind the options\n"
	"  -w, --write FILE       a path, or a named pipe that somebody reads\n"
	"      --hook LIST        where: rx, rx-gro, tx, drop, fwd (default: rx,tx)\n"
	"  -i, --port LIST        of these ports alone\n"
	"  -Q, --direction in|out on their way in or out alone\n"
	"  -s, --snaplen BYTES    of each packet at most\n"
	"  -c, --count N          end after so many packets\n"
	"      --sample N         one packet of N, at random\n"
	"      --max-cost PERCENT of an lcore's time at most, 0.1% to 100%: beyond it not all\n"
	"                         packets are looked at\n"
	"      --format NAME      of the file: pcapng (default), pcap, pcap-ns\n"
	"  -b, --ring LIMITS      several files: files:N,filesize:SIZE,duration:S,packets:N\n"
	"  -B, --buffer SIZE      between each lcore and the file, 64K to 1G (default: 4M)\n"
	"      --record SIZE      keep the last packets of each lcore in memory, 64K to 2G; a "
	"file\n"
	"                         each time that something happens:\n"
	"      --trigger LIST     drops[:REASON]>N[/TIME], squeeze, rto, latency>TIME, rst, end,\n"
	"                         match:EXPR (at the end of the list)\n"
	"      --after TIME|N     what comes for so long, or so many packets, is in it too\n"
	"      --rearm TIME       from a file's end to the next one (default: 1s)\n"
	"\n"
	"Examples:\n"
	"  pollux-ctl tap start -w web.pcapng tcp port 80\n"
	"  pollux-ctl tap start -f icmp --hook rx,drop -w /tmp/icmp.pcapng\n"
	"  pollux-ctl tap start -w /tmp/rst.pcapng --record 16M --trigger rst,squeeze --after 1s\n"
	"  pollux-ctl tap trigger 3\n"
	"  pollux-ctl tap list --watch\n"
	"  pollux-ctl tap stop 1\n";

static const struct option tap_options[] = {
	TAP_OPTIONS,
	{"format", required_argument, NULL, TAP_FORMAT},
	{"record", required_argument, NULL, TAP_RECORD},
	{"trigger", required_argument, NULL, TAP_TRIGGER},
	{"after", required_argument, NULL, TAP_AFTER},
	{"rearm", required_argument, NULL, TAP_REARM},
	{"ring", required_argument, NULL, 'b'},
	{"json", no_argument, NULL, 'j'},
	{NULL},
};

/** What an option is called in a request. */
static const struct {
	int c;
	const char *arg;
	bool number;
} args_of[] = {
	{'f', "filter", false},
	{'w', "file", false},
	{TAP_HOOK, "hooks", false},
	{'i', "ports", false},
	{'Q', "direction", false},
	{'s', "snaplen", true},
	{'c', "count", true},
	{TAP_SAMPLE, "sample", true},
	{TAP_MAX_COST, "max_cost", false},
	{TAP_FORMAT, "format", false},
	{'b', "ring", false},
	{TAP_RECORD, "record", false},
	{TAP_TRIGGER, "trigger", false},
	{TAP_AFTER, "after", false},
	{TAP_REARM, "rearm", false},
	{'B', "buffer", false},
};

/* Digits alone. */
static json_t *number_json(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno ? NULL : json_integer(n);
}

int tap_option(json_t *args, int c, const char *value)
{
	for (size_t i = 0; i < sizeof(args_of) / sizeof(args_of[0]); i++) {
		json_t *v;

		if (args_of[i].c != c)
			continue;
		v = args_of[i].number ? number_json(value) : json_string(value);
		if (!v) {
			ctl_complain(args_of[i].number ? "%s '%s' is no number"
						       : "%s '%s' is not in UTF-8",
				args_of[i].arg, value);
			return -EINVAL;
		}
		json_object_set_new(args, args_of[i].arg, v);
		return 0;
	}
	return 1;
}

int tap_expression(json_t *args, int argc, char **argv)
{
	char text[4096];
	size_t n = 0;

	if (argc == 0)
		return 0;
	if (json_object_get(args, "filter")) {
		ctl_complain("'%s': there is an expression already, by -f", argv[0]);
		return -EINVAL;
	}
	for (int i = 0; i < argc && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "", argv[i]);
	if (n >= sizeof(text)) {
		ctl_complain("the expression is too long");
		return -EINVAL;
	}
	return tap_option(args, 'f', text);
}

void tap_complain_option(const char *command, int c, char **argv)
{
	char word[4];

	snprintf(word, sizeof(word), "-%c", optopt);
	if (c == ':')
		ctl_complain(
			"%s needs a value; see 'pollux-ctl %s --help'", argv[optind - 1], command);
	else
		ctl_complain("option %s is not understood; see 'pollux-ctl %s --help'",
			optopt > 0 && optopt < 256 ? word : argv[optind - 1], command);
}

/* Of the other process's directory nothing is known. */
static int make_absolute(json_t *args)
{
	const char *file = json_string_value(json_object_get(args, "file"));
	char dir[PATH_MAX], path[2 * PATH_MAX];

	if (!file || !*file) {
		ctl_complain("tap start: -w FILE is missing; see 'pollux-ctl tap --help'");
		return -EINVAL;
	}
	if (strcmp(file, "-") == 0) {
		ctl_complain("tap start: the process writes, and its standard output is not ours; "
			     "'pollux-ctl tcpdump -w -' is what you look for");
		return -EINVAL;
	}
	if (file[0] == '/')
		return 0;
	if (!getcwd(dir, sizeof(dir))) {
		ctl_complain("tap start: the current directory: %s", strerror(errno));
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return tap_option(args, 'w', path);
}

/* @return -1, or an exit code. */
static int parse_start(json_t *args, bool *json, int argc, char **argv)
{
	int c, err = 0;

	optind = 0; /* anew */
	opterr = 0;
	while (!err &&
		(c = getopt_long(argc, argv, "+:" TAP_LETTERS "b:jh", tap_options, NULL)) != -1) {
		if (c == 'h') {
			fputs(ctl_tap_text, stdout);
			return CTL_OK;
		}
		if (c == 'j') {
			*json = true;
			continue;
		}
		err = tap_option(args, c, optarg);
		if (err > 0)
			tap_complain_option("tap", c, argv);
	}
	if (!err)
		err = tap_expression(args, argc - optind, argv + optind);
	if (!err)
		err = make_absolute(args);
	return err ? CTL_USAGE : -1;
}

static int start(const struct ctl_opts *o, const struct ctl_peer *peer, json_t *args, bool json)
{
	json_t *reply = NULL;
	int code = ctl_ask(peer, json_pack("{s:s,s:O}", "cmd", "tap start", "args", args), &reply);
	long long n = fmt_num(reply, "tap");

	if (code == CTL_OK)
		printf(json || o->json ? "{\"tap\":%lld}\n" : "%lld\n", n);
	json_decref(reply);
	return code;
}

static int run_start(const struct ctl_opts *o, int argc, char **argv)
{
	json_t *args = json_object();
	struct ctl_peer peer;
	bool json = false;
	int code = parse_start(args, &json, argc, argv);

	if (code < 0) {
		code = ctl_find(o->prefix, o->pid, &peer);
		if (code == CTL_OK)
			code = start(o, &peer, args, json);
	}
	json_decref(args);
	return code;
}

/* "tap WORD N" */
static int ask_of_one(
	const struct ctl_opts *o, const char *word, int argc, char **argv, json_t **reply)
{
	json_t *n = argc == 2 ? number_json(argv[1]) : NULL;
	struct ctl_peer peer;
	char cmd[32];
	int code;

	if (!n) {
		ctl_complain("tap %s: give the number of a tap; 'pollux-ctl tap' lists them", word);
		return CTL_USAGE;
	}
	snprintf(cmd, sizeof(cmd), "tap %s", word);
	code = ctl_find(o->prefix, o->pid, &peer);
	if (code == CTL_OK)
		code = ctl_ask(
			&peer, json_pack("{s:s,s:{s:O}}", "cmd", cmd, "args", "tap", n), reply);
	json_decref(n);
	return code;
}

static int run_trigger(const struct ctl_opts *o, int argc, char **argv)
{
	json_t *reply = NULL;
	int code = ask_of_one(o, "trigger", argc, argv, &reply);

	json_decref(reply);
	return code;
}

static int run_stop(const struct ctl_opts *o, int argc, char **argv)
{
	json_t *reply = NULL;
	int code = ask_of_one(o, "stop", argc, argv, &reply), err;

	if (code == CTL_OK) {
		err = (int)fmt_num(reply, "errno");
		printf("%lld captured, %lld filtered, %lld lost", fmt_num(reply, "written"),
			fmt_num(reply, "filtered"), fmt_num(reply, "full"));
		if (fmt_num(reply, "missed"))
			printf(", %lld missed to keep its cost", fmt_num(reply, "missed"));
		if (fmt_num(reply, "unfit"))
			printf(", %lld of another link type", fmt_num(reply, "unfit"));
		printf("%s%s\n", err ? "; ended early: " : "", err ? strerror(err) : "");
	}
	json_decref(reply);
	return code;
}

bool ctl_tap_acts(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "start") == 0 || strcmp(argv[1], "stop") == 0 ||
				   strcmp(argv[1], "trigger") == 0);
}

int ctl_tap(const struct ctl_opts *o, int argc, char **argv)
{
	if (strcmp(argv[1], "stop") == 0)
		return run_stop(o, argc - 1, argv + 1);
	if (strcmp(argv[1], "trigger") == 0)
		return run_trigger(o, argc - 1, argv + 1);
	return run_start(o, argc - 1, argv + 1);
}
