/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fmt.h"
#include "ss.h"
#include "version.h"

/** A command: what it reads and prints, or what its lines change. */
struct command {
	const char *name;
	const char *table;	/**< NULL: it only changes things */
	const char *key, *key2; /**< of a row: what an operand is compared with; NULL = none */
	const char *flags;	/**< short names of its options, beyond those of all */
	void (*print)(const struct fmt *f, const json_t *rows);
	const char *summary;
	const char *text;		      /**< forms and examples */
	json_t *(*shape)(const json_t *rows); /**< for --json; NULL: the rows */
	/** What does it all, from its options on; NULL: as the others say. @return an exit code. */
	int (*run)(const struct ctl_opts *o, int argc, char **argv);
};

static const struct command commands[] = {
	{"ports", "ports", "name", NULL, "", fmt_ports, "drivers, queues, features, quirks",
		"usage: pollux-ctl ports [PORT]\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl ports\n"
		"  pollux-ctl ports --json | jq '.[].driver'\n"},
	{"dev", "dev", "ifname", NULL, "S", fmt_dev, "interface statistics, as `ip -s link`",
		"usage: pollux-ctl dev [show] [[dev] INTERFACE]\n"
		"       pollux-ctl dev -S [INTERFACE]\n"
		"\n"
		"-S, --statistics prints the driver's own figures, as `ethtool -S` does.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl dev\n"
		"  pollux-ctl dev net_tap0 --watch\n"
		"  pollux-ctl dev -S net_tap0\n"},
	{"ethtool", "features", "ifname", NULL, "kKS", fmt_features,
		"offloads and other features, as `ethtool -k` and `-K`",
		"usage: pollux-ctl ethtool -k [PORT]\n"
		"       pollux-ctl ethtool -K PORT FEATURE on|off [FEATURE on|off]...\n"
		"       pollux-ctl ethtool -S [PORT]\n"
		"\n"
		"-k, --show-features, --show-offload prints which features are in use. [fixed]:\n"
		"cannot be switched while the port is open; [requested on]: needs another one\n"
		"that is off.\n"
		"-K, --features, --offload switches them: one by its name, or by ethtool's tx,\n"
		"rx, sg, tso, gso, gro, lro. What else changes by it is printed. Nothing is\n"
		"changed if one of them is unknown or fixed.\n"
		"-S, --statistics is `pollux-ctl dev -S`.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl ethtool -k net_tap0\n"
		"  pollux-ctl ethtool -k net_tap0 --json | jq '.[].\"tx-checksum-ip-generic\"'\n"
		"  pollux-ctl ethtool -K net_tap0 gro off tx off\n",
		fmt_features_json},
	{"softnet", "softnet", NULL, NULL, "r", fmt_softnet, "lcores, as /proc/net/softnet_stat",
		"usage: pollux-ctl softnet [-r]\n"
		"\n"
		"-r, --raw prints the file's 15 hexadecimal columns, for its parsers.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl softnet --watch\n"
		"  pollux-ctl softnet --raw\n"},
	{"sockstat", "sockstat", NULL, NULL, "r", fmt_sockstat,
		"sockets and their memory, as /proc/net/sockstat",
		"usage: pollux-ctl sockstat [-r]\n"
		"\n"
		"-r, --raw prints the file's lines alone, without those of the lcores.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl sockstat\n"
		"  pollux-ctl sockstat --watch\n"},
	{"snmp", "snmp", "group", "name", "za", fmt_snmp, "protocol counters, as `nstat`",
		"usage: pollux-ctl snmp [-z] [PATTERN]\n"
		"\n"
		"Prints counters that are not 0; -z, --zeros (or nstat's -a) prints all. The last\n"
		"column is the rate in 1/s with --watch.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl snmp\n"
		"  pollux-ctl snmp -z 'Udp*'\n"
		"  pollux-ctl snmp --watch=0.5\n"},
	{"drops", "drops", "reason", NULL, "za", fmt_drops, "dropped packets and why",
		"usage: pollux-ctl drops [-z] [PATTERN]\n"
		"\n"
		"Prints the reasons that were met; -z, --zeros (or -a) prints all.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl drops\n"
		"  pollux-ctl drops --watch 'IP*'\n"
		"  pollux-ctl drops --json | jq 'map(.count) | add'\n"},
	{"addr", "addr", "ifname", NULL, "46", fmt_addr, "interfaces and addresses, as `ip addr`",
		"usage: pollux-ctl addr [show] [[dev] INTERFACE] [-4|-6]\n"
		"       pollux-ctl addr add|del ADDRESS/LENGTH dev INTERFACE\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl addr\n"
		"  pollux-ctl addr add 10.9.0.2/24 dev net_tap0\n"
		"  pollux-ctl addr del 2001:db8::2/64 dev net_tap0\n"},
	{"route", "route", "dev", NULL, "46a", fmt_route, "routes, as `ip route` and `ip -6 route`",
		"usage: pollux-ctl [-4|-6] route [show] [dev INTERFACE] [-a]\n"
		"       pollux-ctl [-6] route add|del [unreachable|blackhole] PREFIX|default\n"
		"           [via ADDRESS] [dev INTERFACE] [src ADDRESS] [metric N] [mtu N]\n"
		"\n"
		"-a prints local and broadcast addresses too, which ip has in a table of their "
		"own.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl route\n"
		"  pollux-ctl -6 route\n"
		"  pollux-ctl route add default via 10.9.0.1\n"
		"  pollux-ctl route add 10.7.0.0/16 via 10.9.0.9 dev net_tap0 metric 10\n"
		"  pollux-ctl route del 10.7.0.0/16\n"},
	{"cache", "cache", "dev", NULL, "46", fmt_cache,
		"path MTUs and redirects learned, as `ip route show cache`",
		"usage: pollux-ctl [-4|-6] cache [show] [dev INTERFACE]\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl cache\n"
		"  pollux-ctl cache --json\n"},
	{"neigh", "neigh", "dev", NULL, "46s", fmt_neigh, "neighbours, as `ip neigh`",
		"usage: pollux-ctl [-s] neigh [show] [dev INTERFACE] [-4|-6]\n"
		"       pollux-ctl neigh add|del ADDRESS [lladdr MAC] dev INTERFACE\n"
		"\n"
		"-s, --stats prints the seconds since it was used, confirmed and changed, and its\n"
		"probes, too.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl neigh\n"
		"  pollux-ctl neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev net_tap0\n"
		"  pollux-ctl neigh del 10.9.0.7 dev net_tap0\n"},
	{"tcp", "tcp", "state", NULL, "46s", fmt_tcp,
		"TCP's listeners and connections, as `ss -tan`",
		"usage: pollux-ctl [-s] tcp [STATE] [-4|-6]\n"
		"\n"
		"-s, --stats prints round trip, window and losses too, as `ss -i`.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl tcp\n"
		"  pollux-ctl -s tcp ESTAB\n"
		"  pollux-ctl tcp --json | jq 'map(.send_q) | add'\n"},
	{"ss", "tcp", NULL, NULL, "tulaionmpHO46", fmt_ss,
		"sockets of UDP and TCP, as `ss -tinomap`",
		"usage: pollux-ctl ss [-tulaionmpHO46] [state STATE | exclude STATE]...\n"
		"\n"
		"  -t, --tcp        TCP's alone; -u, --udp: UDP's alone\n"
		"  -a, --all        listeners, TIME-WAITs and unconnected ones, too\n"
		"  -l, --listening  listeners and unconnected ones alone\n"
		"  -i, --info       round trip, window, bytes, losses of a connection\n"
		"  -o, --options    the timer that runs: what for, how long, for how often\n"
		"  -m, --memory     bytes in its queues and their bounds\n"
		"  -p, --processes  the lcore and the descriptor of who has it by a socket call\n"
		"  -n, --numeric    a matter of course\n"
		"  -H, --no-header  -O, --oneline: -i and -m on the socket's own line\n"
		"  -4, -6           of one family\n"
		"\n"
		"STATE: all, connected, synchronized, bucket, big, established, syn-sent,\n"
		"syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack,\n"
		"listening, closing. What ss would print and Pollux does not count is left out.\n"
		"These options come behind `ss`; of several processes --pid chooses, not -p.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl ss -tinomap\n"
		"  pollux-ctl ss -tn state established\n"
		"  pollux-ctl ss -ua --json | jq 'map(.drops) | add'\n"},
	{"link", "dev", "ifname", NULL, "s", fmt_dev, "changes an interface, as `ip link set`",
		"usage: pollux-ctl [-s] link [show] [[dev] INTERFACE]\n"
		"       pollux-ctl link set INTERFACE [up|down] [mtu N] [address MAC]\n"
		"\n"
		"What it shows is `pollux-ctl dev`: ip's -s is a matter of course.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl link set net_tap0 down\n"
		"  pollux-ctl link set net_tap0 mtu 9000 address 02:00:00:00:00:01\n"},
	{"idle", "idle", NULL, NULL, "s", fmt_idle,
		"what the lcores' time goes to, sleeps, wake-ups",
		"usage: pollux-ctl idle [-s]\n"
		"\n"
		"-s, --stats prints the histograms too. With --watch the shares are those of the "
		"interval.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl idle\n"
		"  pollux-ctl idle -s\n"
		"  pollux-ctl idle --watch\n"},
	{"sysctl", "sysctl", "name", NULL, "saw", fmt_sysctl, "tunables, as `sysctl`",
		"usage: pollux-ctl sysctl [-s] [PATTERN]\n"
		"       pollux-ctl sysctl NAME=VALUE...\n"
		"\n"
		"-s, --stats prints meaning, default and bounds too. sysctl's own -a and -w may "
		"be\n"
		"there: all is printed anyway, and NAME=VALUE writes.\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl sysctl -s 'net.ipv4.*'\n"
		"  pollux-ctl sysctl net.ipv4.ip_forward=1\n"},
	{"tap", "tap", "tap", NULL, "s", fmt_tap, "captures: begins, shows and ends them",
		ctl_tap_text, NULL, ctl_tap},
	{"tcpdump", NULL, NULL, NULL, "", NULL, "prints packets as they pass, as `tcpdump`",
		ctl_tcpdump_text, NULL, ctl_tcpdump},
	{"steer", NULL, NULL, NULL, "", NULL, "where flows go: queues, lcores, and why",
		ctl_steer_text, NULL, ctl_steer},
	{"stop", NULL, NULL, NULL, "", NULL, "asks for a clean end and waits for it",
		"usage: pollux-ctl stop\n"
		"\n"
		"Examples:\n"
		"  pollux-ctl --file-prefix demo stop\n"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char usage[] =
	"usage: pollux-ctl [--file-prefix P] COMMAND [ARGUMENT...] [OPTION...]\n"
	"\n"
	"Sees and steers a running pollux. Commands:\n";

static const char options_text[] =
	"\n"
	"Options:\n"
	"  -f, --file-prefix P    the process's EAL option; not needed while only one runs\n"
	"  -p, --pid N            of several with the same prefix: this process\n"
	"  -j, --json             rows as JSON\n"
	"      --watch[=SECONDS]  again and again, each 1 s or as said\n"
	"  -h, --help             with a command: its forms and examples\n"
	"  -V, --version\n";

static const struct option long_options[] = {
	{"file-prefix", required_argument, NULL, 'f'},
	{"pid", required_argument, NULL, 'P'},
	{"json", no_argument, NULL, 'j'},
	{"watch", optional_argument, NULL, 'W'},
	{"stats", no_argument, NULL, 's'},
	{"zeros", no_argument, NULL, 'z'},
	{"raw", no_argument, NULL, 'r'},
	{"statistics", no_argument, NULL, 'S'},
	{"show-features", no_argument, NULL, 'k'},
	{"show-offload", no_argument, NULL, 'k'},
	{"features", no_argument, NULL, 'K'},
	{"offload", no_argument, NULL, 'K'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL},
};

/* Those behind `ss`: -p is ss' own there. */
static const struct option ss_options[] = {
	{"file-prefix", required_argument, NULL, 'f'},
	{"pid", required_argument, NULL, 'P'},
	{"json", no_argument, NULL, 'j'},
	{"watch", optional_argument, NULL, 'W'},
	{"tcp", no_argument, NULL, 't'},
	{"udp", no_argument, NULL, 'u'},
	{"listening", no_argument, NULL, 'l'},
	{"all", no_argument, NULL, 'a'},
	{"info", no_argument, NULL, 'i'},
	{"options", no_argument, NULL, 'o'},
	{"numeric", no_argument, NULL, 'n'},
	{"memory", no_argument, NULL, 'm'},
	{"processes", no_argument, NULL, 'p'},
	{"no-header", no_argument, NULL, 'H'},
	{"oneline", no_argument, NULL, 'O'},
	{"ipv4", no_argument, NULL, '4'},
	{"ipv6", no_argument, NULL, '6'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL},
};

void ctl_complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("pollux-ctl: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static void help(const struct command *c)
{
	if (c) {
		fputs(c->text, stdout);
		return;
	}
	fputs(usage, stdout);
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs(options_text, stdout);
	printf("\nExamples:\n"
	       "  pollux-ctl drops --watch\n"
	       "  pollux-ctl --file-prefix demo addr add 10.9.0.2/24 dev net_tap0\n"
	       "\n'pollux-ctl COMMAND --help' has more.\n");
}

static bool set_watch(struct ctl_opts *o, const char *seconds)
{
	char *end;

	o->watch = true;
	o->watch_s = seconds ? strtod(seconds, &end) : 1;
	if (!seconds || (*seconds && !*end && o->watch_s >= 0.1 && o->watch_s <= 86400))
		return true;
	ctl_complain("--watch=%s: seconds, 0.1 to 86400", seconds);
	return false;
}

static bool set_pid(struct ctl_opts *o, const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (*text && !*end && pid > 0 && pid <= INT_MAX) {
		o->pid = (int)pid;
		return true;
	}
	ctl_complain("--pid %s: that is no process's number", text);
	return false;
}

/** How options are written. */
struct style {
	const char *shorts;
	const struct option *longs;
};

static const struct style styles[] = {
	{":f:p:jhV46szrSawkK", long_options},
	{":f:jhVtulaionmpHO46", ss_options},
};

/* What only some commands have is in given, by its short name; 'p' is --pid's but in ss. */
static void set_given(struct ctl_opts *o, const char given[static 128])
{
	o->v4 = given['4'];
	o->v6 = given['6'];
	o->stats = given['s'];
	o->zeros = given['z'] || given['a'];
	o->raw = given['r'];
	o->xstats = given['S'];
	o->features = given['k'];
	o->set_features = given['K'];
	o->ss = (struct ctl_ss){
		.tcp = given['t'],
		.udp = given['u'],
		.listening = given['l'],
		.all = given['a'],
		.info = given['i'],
		.timers = given['o'],
		.memory = given['m'],
		.processes = given['p'],
		.no_header = given['H'],
		.oneline = given['O'],
	};
}

/* One option. @return -1, or the exit code. */
static int set_option(struct ctl_opts *o, int c, char **argv, char given[static 128])
{
	char word[4];

	switch (c) {
	case 'f':
		o->prefix = optarg;
		return -1;
	case 'P':
		return set_pid(o, optarg) ? -1 : CTL_USAGE;
	case 'j':
		o->json = true;
		return -1;
	case 'W':
		return set_watch(o, optarg) ? -1 : CTL_USAGE;
	case 'h':
		o->help = true;
		return -1;
	case 'V':
		printf("pollux-ctl %s (git %s)\n", PLX_VERSION, PLX_GIT);
		return CTL_OK;
	case ':':
		ctl_complain("%s needs a value; see 'pollux-ctl --help'", argv[optind - 1]);
		return CTL_USAGE;
	case '?':
		snprintf(word, sizeof(word), "-%c", optopt);
		ctl_complain("option %s is not understood; see 'pollux-ctl --help'",
			optopt ? word : argv[optind - 1]);
		return CTL_USAGE;
	default:
		given[c] = 1;
		return -1;
	}
}

/*
 * Options from argv[1] on, in a style; optind is where the operands begin then.
 * @param stop at the first operand. @return -1, or the exit code.
 */
static int parse_options(int argc, char **argv, const struct style *s, bool stop,
	struct ctl_opts *o, char given[static 128])
{
	bool pid_is_p = strstr(s->shorts, "p:");
	char shorts[64];
	int c, code = -1;

	snprintf(shorts, sizeof(shorts), "%s%s", stop ? "+" : "", s->shorts);
	optind = 0; /* anew */
	opterr = 0; /* said here, as all is */
	while (code < 0 && (c = getopt_long(argc, argv, shorts, s->longs, NULL)) != -1)
		code = set_option(o, c == 'p' && pid_is_p ? 'P' : c, argv, given);
	return code;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static bool options_fit(const struct command *c, const char given[static 128])
{
	for (int i = 0; i < 128; i++)
		if (given[i] && !strchr(c->flags, i)) {
			ctl_complain("%s has no option -%c; see 'pollux-ctl %s --help'", c->name, i,
				c->name);
			return false;
		}
	return true;
}

static void print_rows(const struct command *c, const struct fmt *f, const json_t *rows)
{
	if (f->opts->json) {
		json_t *shaped = c->shape && !f->opts->xstats ? c->shape(rows) : NULL;

		json_dumpf(shaped ? shaped : rows, f->out, JSON_COMPACT);
		fputc('\n', f->out);
		json_decref(shaped);
	} else if (f->opts->xstats) {
		fmt_xstats(f, rows);
	} else {
		c->print(f, rows);
	}
	fflush(f->out);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void wait_s(double s)
{
	struct timespec ts = {.tv_sec = (time_t)s};

	ts.tv_nsec = (long)((s - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
}

/* Between two looks: a fresh screen for a reader, an empty line for a file. */
static void separate(const struct fmt *f, bool first)
{
	if (f->opts->json)
		return;
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", f->out);
	else if (!first)
		fputc('\n', f->out);
}

/* The rows that are asked for, or NULL after a complaint. */
static json_t *look(const struct command *c, const struct ctl_opts *o, const char *only,
	const struct ctl_peer *peer)
{
	struct fmt_filter filter = {only, c->key, c->key2, o->v4, o->v6};
	json_t *all, *rows;

	if (c->print == fmt_ss)
		return ctl_ss_read(o, peer);
	all = ctl_read(peer, o->xstats ? "xstats" : c->table);
	if (!all)
		return NULL;
	/* As ip: "route" alone is IPv4's. */
	if (c->print == fmt_route && !o->json && !o->v6)
		filter.v4 = true;
	rows = fmt_select(all, &filter);
	if (only && json_array_size(rows) == 0) {
		ctl_complain("%s: no '%s'", c->name, only);
		json_decref(rows);
		rows = NULL;
	}
	json_decref(all);
	return rows;
}

/* @return an exit code. */
static int show(const struct command *c, const struct ctl_opts *o, const char *only,
	const struct ctl_peer *peer)
{
	struct fmt f = {.out = stdout, .opts = o, .one = only};
	json_t *before = NULL, *rows;
	double then = 0;

	while ((rows = look(c, o, only, peer))) {
		double now = now_s();

		if (o->watch)
			separate(&f, !before);
		f.before = before;
		f.seconds = now - then;
		print_rows(c, &f, rows);
		json_decref(before);
		before = rows;
		then = now;
		if (!o->watch || ferror(stdout))
			break;
		wait_s(o->watch_s);
	}
	json_decref(before);
	return rows ? CTL_OK : CTL_FAILED;
}

/* The operands of a line that shows: [show|list|stats] [dev] [NAME]. @return false after a
 * complaint. */
static bool parse_show(
	const struct command *c, struct ctl_opts *o, int argc, char **argv, const char **only)
{
	int at = 1;

	if (at < argc && c->print == fmt_tap && strcmp(argv[at], "stats") == 0) {
		o->stats = true;
		at++;
	} else if (at < argc && (strcmp(argv[at], "show") == 0 || strcmp(argv[at], "list") == 0))
		at++;
	if (at + 1 < argc && strcmp(argv[at], "dev") == 0)
		at++;
	if (at < argc && c->key)
		*only = argv[at++];
	if (at < argc)
		ctl_complain("%s: '%s' is not understood; see 'pollux-ctl %s --help'", c->name,
			argv[at], c->name);
	return at >= argc;
}

/* NAME=VALUE... @return an exit code, or -1 if these are no such operands. */
static int set_tunables(const struct ctl_opts *o, int argc, char **argv)
{
	struct ctl_peer peer;
	char why[256];
	int code = -1;

	for (int i = 1; i < argc; i++) {
		json_t *request;
		int err = ctl_request_sysctl(argv[i], &request, why, sizeof(why));

		if (err == 1 && code == -1)
			return -1;
		if (err) {
			ctl_complain("sysctl: %s", err == 1 ? "no '=' in an argument" : why);
			return CTL_USAGE;
		}
		code = code == -1 ? ctl_find(o->prefix, o->pid, &peer) : CTL_OK;
		if (code == CTL_OK)
			code = ctl_write(&peer, request);
		else
			json_decref(request);
		if (code != CTL_OK)
			return code;
		printf("%.*s = %s\n", (int)strcspn(argv[i], "="), argv[i],
			strchr(argv[i], '=') + 1);
	}
	return code;
}

static int run(const struct command *c, struct ctl_opts *o, int argc, char **argv)
{
	const char *only = NULL;
	struct ctl_peer peer;
	char why[256];
	json_t *request;
	int code = -1, err;

	if (strcmp(c->name, "sysctl") == 0)
		code = set_tunables(o, argc, argv);
	if (strcmp(c->name, "ethtool") == 0)
		code = ctl_ethtool(o, argc, argv);
	if (code >= 0)
		return code;
	err = ctl_request(argc, argv, o->v6, &request, why, sizeof(why));
	if (err < 0) {
		ctl_complain("%s %s: %s", c->name, argv[1], why);
		return CTL_USAGE;
	}
	if (c->print == fmt_ss ? !ctl_ss_parse(&o->ss, argc - 1, argv + 1)
			       : err == 1 && !parse_show(c, o, argc, argv, &only))
		return CTL_USAGE;
	code = ctl_find(o->prefix, o->pid, &peer);
	if (code != CTL_OK) {
		if (err == 0)
			json_decref(request);
		return code;
	}
	if (err == 0)
		return ctl_write(&peer, request);
	return c->table ? show(c, o, only, &peer) : ctl_stop(&peer);
}

/* Does it do all, from its options on? Of `tap` some lines show a table. */
static bool runs_itself(const struct command *c, int argc, char **argv)
{
	return c->run && (c->run != ctl_tap || ctl_tap_acts(argc, argv));
}

/* The command is the first operand; how options behind it are written, it says. *argv and *argc:
 * it and its operands. @return -1, or the exit code. */
static int parse(int *argc, char ***argv, struct ctl_opts *o, char given[static 128])
{
	int code = parse_options(*argc, *argv, &styles[0], true, o, given);
	const struct command *c;
	char *command;

	if (code >= 0)
		return code;
	*argc -= optind;
	*argv += optind;
	if (*argc == 0)
		return -1;
	command = **argv;
	c = find_command(command);
	if (c && runs_itself(c, *argc, *argv)) {
		set_given(o, given);
		return -1;
	}
	code = parse_options(*argc, *argv, &styles[strcmp(command, "ss") == 0], false, o, given);
	*argc -= optind - 1;
	*argv += optind - 1;
	**argv = command;
	set_given(o, given);
	return code;
}

static int ctl(int argc, char **argv)
{
	struct ctl_opts o = {0};
	char given[128] = {0};
	const struct command *c;
	int code = parse(&argc, &argv, &o, given);

	if (code >= 0)
		return code;
	if (argc == 0) {
		if (o.help)
			help(NULL);
		else
			ctl_complain("no command; 'pollux-ctl --help' lists them");
		return o.help ? CTL_OK : CTL_USAGE;
	}
	c = find_command(argv[0]);
	if (!c) {
		ctl_complain("unknown command '%s'; 'pollux-ctl --help' lists them", argv[0]);
		return CTL_USAGE;
	}
	if (runs_itself(c, argc, argv))
		return options_fit(c, given) ? c->run(&o, argc, argv) : CTL_USAGE;
	if (o.help) {
		help(c);
		return CTL_OK;
	}
	if (!options_fit(c, given))
		return CTL_USAGE;
	return run(c, &o, argc, argv);
}

int main(int argc, char **argv)
{
	int code = ctl(argc, argv);

	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CTL_OK) {
		ctl_complain("stdout could not be written");
		code = CTL_FAILED;
	}
	return code;
}
