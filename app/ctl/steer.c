/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <plx_wire_ip.h>

#define QUEUES	4
#define TOP	10
#define TOP_MAX 1000
#define SECONDS 5
#define SAMPLE	256

const char ctl_steer_text[] =
	"usage: pollux-ctl steer explain PROTO SRC DST [--fragment]\n"
	"       pollux-ctl steer show [PORT]\n"
	"       pollux-ctl steer set lcores LCORES [weight W0 W1...]\n"
	"       pollux-ctl steer set bucket N LCORE\n"
	"       pollux-ctl steer set rps PORT[:QUEUE] LCORES|none\n"
	"       pollux-ctl steer set rss PORT [start N] equal N | weight W0 W1... | default\n"
	"       pollux-ctl steer set key PORT HEX|default|microsoft|random\n"
	"       pollux-ctl steer set rx-flow-hash PORT tcp4|udp4|sctp4|tcp6|udp6|sctp6 sd|sdfn\n"
	"       pollux-ctl steer selftest [PORT] [--for SECONDS] [--count N]\n"
	"       pollux-ctl steer explain PROTO SRC DST --offline [OPTION...]\n"
	"       pollux-ctl steer simulate FILE [OPTION...]\n"
	"\n"
	"explain says, step by step, where a packet of a flow goes in the running process: hash,\n"
	"bucket, queue, who polls that, for whom it is, owner, socket, flow limit, and which rule\n"
	"decided. With --offline the tables are made of options. PROTO is tcp, udp, sctp, icmp,\n"
	"icmp6 or a number; SRC and DST are 10.0.0.1:80 or [2001:db8::1]:80, and addresses alone\n"
	"where there are no ports.\n"
	"show prints the tables that ports spread packets by, as ethtool -x, and the map of the\n"
	"lcores that own flows.\n"
	"set changes them while packets pass: lcores, which lcores own flows and poll, and\n"
	"bucket, whose the flows of one are: connections move, in order and without loss; rps,\n"
	"which lcores forward what comes by a port or by one of its queues; rss, the port's\n"
	"indirection table, as ethtool -X; key, its RSS key; rx-flow-hash, what it hashes, as\n"
	"ethtool -N: addresses, or ports too. The last three are for ports whose device has\n"
	"such, which is asked whether it has taken them.\n"
	"selftest says whether a port's RSS is what it claims, by packets that come meanwhile:\n"
	"their hash against Toeplitz by its key, their queue against its table. Of a port that\n"
	"does not hash as it says nobody looks at the hash any more (ethtool -K PORT rxhash off).\n"
	"simulate reads a capture (pcap or pcapng) and says how its packets would spread over\n"
	"queues, which flows are the largest, and which weights would even it out.\n"
	"\n"
	"  --offline          by tables made of these options; no process is asked\n"
	"  --key HEX          the device's key, 40 to 64 bytes, as ethtool -x prints it\n"
	"                     (default: Microsoft's)\n"
	"  --queues N         receive queues (default: 4, or as many as there are weights)\n"
	"  --reta-size N      entries of the indirection table, 128 to 1024 (default: 128)\n"
	"  --weights W0,W1... of the queues, as ethtool -X weight (default: equal)\n"
	"  --symmetric        sort the tuple: both directions of a flow go to one queue\n"
	"  --rx-flow-hash F=X as ethtool -N: udp4=sd, tcp6=sdfn; may be repeated\n"
	"  --fragment         explain: the packet is a fragment\n"
	"  --rps LIST         explain: each queue's map of lcores, 0,2-5\n"
	"  --inner            simulate: hash what IPIP, GRE and VXLAN carry\n"
	"  --for SECONDS      selftest: so long at most, 1 to 3600 (default: 5)\n"
	"  --count N          selftest: so many packets of each port (default: 256)\n"
	"  --top N            simulate: so many of the largest flows (default: 10)\n"
	"  --svg FILE         simulate: draw the queues' load\n"
	"  --moves            simulate: which single buckets the rebalancer would move\n"
	"\n"
	"Examples:\n"
	"  pollux-ctl steer explain tcp 10.9.0.1:40000 10.9.0.2:7\n"
	"  pollux-ctl steer show tap\n"
	"  pollux-ctl steer set lcores 0-2 weight 2 1 1\n"
	"  pollux-ctl steer set rps net_tap0:1 0,2-3\n"
	"  pollux-ctl steer set rss q weight 6 2\n"
	"  pollux-ctl steer selftest --for 60\n"
	"  pollux-ctl steer explain tcp 66.9.149.187:2794 161.142.100.80:1766 --offline\n"
	"  pollux-ctl steer explain udp [fd00::1]:53 [fd00::2]:999 --offline --rps 0-3 --json\n"
	"  pollux-ctl steer simulate day.pcap --queues 8 --svg day.svg\n"
	"  pollux-ctl steer simulate day.pcap --weights 30,34,31,33 --symmetric\n"
	"  pollux-ctl steer simulate day.pcap --queues 8 --moves\n";

enum {
	OFFLINE = 256,
	KEY,
	QUEUES_,
	RETA_SIZE,
	WEIGHTS,
	SYMMETRIC,
	FIELDS,
	FRAGMENT,
	RPS,
	INNER,
	TOP_,
	SVG,
	MOVES,
	FOR,
	COUNT,
};

static const struct option steer_options[] = {
	{"offline", no_argument, NULL, OFFLINE},
	{"key", required_argument, NULL, KEY},
	{"queues", required_argument, NULL, QUEUES_},
	{"reta-size", required_argument, NULL, RETA_SIZE},
	{"weights", required_argument, NULL, WEIGHTS},
	{"symmetric", no_argument, NULL, SYMMETRIC},
	{"rx-flow-hash", required_argument, NULL, FIELDS},
	{"fragment", no_argument, NULL, FRAGMENT},
	{"rps", required_argument, NULL, RPS},
	{"inner", no_argument, NULL, INNER},
	{"top", required_argument, NULL, TOP_},
	{"svg", required_argument, NULL, SVG},
	{"moves", no_argument, NULL, MOVES},
	{"for", required_argument, NULL, FOR},
	{"count", required_argument, NULL, COUNT},
	{"file-prefix", required_argument, NULL, 'f'},
	{"pid", required_argument, NULL, 'p'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{NULL},
};

static const struct {
	const char *name;
	uint8_t proto;
	bool ports;
} protos[] = {
	{"tcp", PLX_IPPROTO_TCP, true},
	{"udp", PLX_IPPROTO_UDP, true},
	{"sctp", PLX_IPPROTO_SCTP, true},
	{"icmp", PLX_IPPROTO_ICMP, false},
	{"icmp6", PLX_IPPROTO_ICMP6, false},
};

/* Digits from first to last. @return false: no number, or out of bounds. */
static bool number(const char *text, const char *end, uint32_t max, uint32_t *v)
{
	uint64_t n = 0;

	if (text == end)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > max)
			return false;
	}
	*v = (uint32_t)n;
	return true;
}

bool steer_proto_parse(const char *text, uint8_t *proto)
{
	uint32_t v;

	for (size_t i = 0; i < PLX_DIM(protos); i++)
		if (strcmp(protos[i].name, text) == 0) {
			*proto = protos[i].proto;
			return true;
		}
	if (!number(text, text + strlen(text), 255, &v))
		return false;
	*proto = (uint8_t)v;
	return true;
}

bool steer_proto_has_ports(uint8_t proto)
{
	for (size_t i = 0; i < PLX_DIM(protos); i++)
		if (protos[i].proto == proto)
			return protos[i].ports;
	return false;
}

const char *steer_proto_name(uint8_t proto, char buf[static 8])
{
	for (size_t i = 0; i < PLX_DIM(protos); i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	snprintf(buf, 8, "%u", proto);
	return buf;
}

static void end_text(const struct plx_addr *a, uint16_t port, bool ports, char buf[static 64])
{
	char addr[PLX_ADDR_STRLEN];
	bool v4 = plx_addr_is_v4(a);

	plx_addr_format(a, addr);
	if (ports)
		snprintf(buf, 64, "%s%s%s:%u", v4 ? "" : "[", addr, v4 ? "" : "]", port);
	else
		snprintf(buf, 64, "%s", addr);
}

const char *steer_tuple_text(const struct plx_tuple *t, char buf[static STEER_TUPLE_STRLEN])
{
	bool ports = steer_proto_has_ports(t->proto) && !t->frag;
	char src[64], dst[64], name[8];

	end_text(&t->src, t->sport, ports, src);
	end_text(&t->dst, t->dport, ports, dst);
	snprintf(buf, STEER_TUPLE_STRLEN, "%s%s %s > %s", steer_proto_name(t->proto, name),
		t->frag ? " fragment" : "", src, dst);
	return buf;
}

json_t *steer_tuple_json(const struct plx_tuple *t)
{
	char src[PLX_ADDR_STRLEN], dst[PLX_ADDR_STRLEN], name[8];

	return json_pack("{s:s, s:s, s:i, s:s, s:i, s:b}", "proto",
		steer_proto_name(t->proto, name), "src", plx_addr_format(&t->src, src), "sport",
		t->sport, "dst", plx_addr_format(&t->dst, dst), "dport", t->dport, "fragment",
		t->frag);
}

/* --- options -----------------------------------------------------------------------------------
 */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "6d:5a:..." or without colons. */
static bool set_key(struct plx_rss *r, const char *text)
{
	uint8_t key[PLX_STEER_KEY_MAX];
	size_t n = 0;

	for (; *text; text += 2) {
		int high, low;

		if (*text == ':' && n)
			text++;
		high = digit(*text);
		low = high < 0 ? -1 : digit(text[1]);
		if (low < 0 || n == sizeof(key))
			return false;
		key[n++] = (uint8_t)(high << 4 | low);
	}
	return plx_steer_toeplitz_init(&r->key, key, n) == 0;
}

static bool set_weights(struct steer_opts *o, const char *text)
{
	o->n_weights = 0;
	for (;; text++) {
		const char *end = text + strcspn(text, ",");

		if (o->n_weights == PLX_RETA_SIZE_MAX ||
			!number(text, end, PLX_RETA_SIZE_MAX, &o->weight[o->n_weights++]))
			return false;
		text = end;
		if (!*text)
			return true;
	}
}

/* "udp4=sd" */
static bool set_fields(struct plx_rss *r, const char *text)
{
	const char *eq = strchr(text, '=');
	char flow[8];

	if (!eq || (size_t)(eq - text) >= sizeof(flow))
		return false;
	memcpy(flow, text, (size_t)(eq - text));
	flow[eq - text] = '\0';
	return plx_steer_rss_fields_set(&r->types, flow, eq + 1) == 0;
}

/* @return whether the option's value is one. */
static bool set_value(struct steer_opts *o, int c, const char *text)
{
	const char *end = text + strlen(text);
	struct plx_lcore_set set;
	uint32_t v;

	switch (c) {
	case KEY:
		return set_key(&o->rss, text);
	case QUEUES_:
		if (!number(text, end, PLX_RETA_SIZE_MAX, &v) || v == 0)
			return false;
		o->queues = (uint16_t)v;
		return true;
	case RETA_SIZE:
		return number(text, end, PLX_RETA_SIZE_MAX, &o->reta_size);
	case WEIGHTS:
		return set_weights(o, text);
	case FIELDS:
		return set_fields(&o->rss, text);
	case RPS:
		o->rps = text;
		return plx_lcore_set_parse(&set, text) == 0;
	case TOP_:
		return number(text, end, TOP_MAX, &o->top);
	case FOR:
		return number(text, end, 3600, &o->seconds) && o->seconds;
	case COUNT:
		return number(text, end, 1000000, &o->count) && o->count;
	case 'p':
		if (!number(text, end, INT32_MAX, &v) || v == 0)
			return false;
		o->pid = (int)v;
		return true;
	default:
		o->svg = text;
		return *text;
	}
}

static const char *what_is_wanted(int c)
{
	switch (c) {
	case KEY:
		return "40 to 64 bytes in hexadecimal digits";
	case QUEUES_:
		return "1 to 1024";
	case RETA_SIZE:
		return "128, 256, 512 or 1024";
	case WEIGHTS:
		return "a number for each queue, as 1,1,2";
	case FIELDS:
		return "FLOW=sd or FLOW=sdfn, FLOW one of tcp4 udp4 sctp4 tcp6 udp6 sctp6";
	case RPS:
		return "lcores, as 0,2-5, below 256";
	case TOP_:
		return "0 to 1000";
	case FOR:
		return "seconds, 1 to 3600";
	case COUNT:
		return "1 to 1000000";
	case 'p':
		return "that is no process's number";
	default:
		return "a file";
	}
}

static const char *option_name(int c)
{
	for (const struct option *o = steer_options; o->name; o++)
		if (o->val == c)
			return o->name;
	return "";
}

/* @return -1, or the exit code. */
static int set_option(struct steer_opts *o, int c, char **argv)
{
	switch (c) {
	case 'j':
		o->json = true;
		return -1;
	case 'h':
		o->help = true;
		return -1;
	case 'f':
		o->prefix = optarg;
		return -1;
	case OFFLINE:
		o->offline = true;
		return -1;
	case SYMMETRIC:
		o->rss.key.symmetric = true;
		o->made_up = option_name(c);
		return -1;
	case FRAGMENT:
		o->fragment = true;
		return -1;
	case INNER:
		o->rss.inner = true;
		return -1;
	case MOVES:
		o->moves = true;
		return -1;
	case ':':
		ctl_complain("%s needs a value; see 'pollux-ctl steer --help'", argv[optind - 1]);
		return CTL_USAGE;
	case '?':
		ctl_complain("option %s is not understood; see 'pollux-ctl steer --help'",
			argv[optind - 1]);
		return CTL_USAGE;
	default:
		if (c != TOP_ && c != SVG && c != FOR && c != COUNT && c != 'p')
			o->made_up = option_name(c);
		if (set_value(o, c, optarg))
			return -1;
		ctl_complain("--%s %s: %s", option_name(c), optarg, what_is_wanted(c));
		return CTL_USAGE;
	}
}

/* The table of queues and weights. @return -1, or the exit code. */
static int make_reta(struct steer_opts *o)
{
	uint16_t size = (uint16_t)o->reta_size;
	int err;

	if (!o->queues)
		o->queues = o->n_weights ? o->n_weights : QUEUES;
	if (o->n_weights > o->queues) {
		ctl_complain("--weights: %u of them for %u queues", o->n_weights, o->queues);
		return CTL_USAGE;
	}
	err = o->n_weights ? plx_steer_reta_weights(&o->reta, size, 0, o->weight, o->n_weights)
			   : plx_steer_reta_equal(&o->reta, size, 0, o->queues);
	if (err == 0)
		return -1;
	if (plx_steer_reta_equal(&o->reta, size, 0, 1) != 0)
		ctl_complain("--reta-size %u: %s", o->reta_size, what_is_wanted(RETA_SIZE));
	else if (o->n_weights)
		ctl_complain("--weights: their sum has to be 1 to %u, the table's size", size);
	else
		ctl_complain("--queues %u: more than the table's %u entries", o->queues, size);
	return CTL_USAGE;
}

static int parse(struct steer_opts *o, int argc, char **argv)
{
	bool symmetric;
	int c, code = -1;

	optind = 0;
	opterr = 0;
	while (code < 0 && (c = getopt_long(argc, argv, ":f:p:jh", steer_options, NULL)) != -1) {
		symmetric = o->rss.key.symmetric;
		code = set_option(o, c, argv);
		o->rss.key.symmetric |= symmetric; /* a key that comes later begins anew */
	}
	return code < 0 && !o->help ? make_reta(o) : code;
}

/* A form that has none of the options of explain and simulate. @return false after a complaint. */
static bool alone(const struct steer_opts *o, const char *form)
{
	if (!o->offline && !o->made_up)
		return true;
	ctl_complain("steer %s: --%s is of explain and simulate", form,
		o->offline ? "offline" : o->made_up);
	return false;
}

int ctl_steer(const struct ctl_opts *ctl, int argc, char **argv)
{
	static struct steer_opts o; /* too large for a stack */
	int code;

	o = (struct steer_opts){.prefix = ctl->prefix,
		.pid = ctl->pid,
		.json = ctl->json,
		.help = ctl->help,
		.reta_size = PLX_RETA_SIZE_MIN,
		.top = TOP,
		.seconds = SECONDS,
		.count = SAMPLE};
	o.rss.types = PLX_RSS_ALL;
	plx_steer_toeplitz_init(&o.rss.key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN);
	code = parse(&o, argc, argv);
	if (code >= 0)
		return code;
	if (o.help) {
		fputs(ctl_steer_text, stdout);
		return CTL_OK;
	}
	argc -= optind;
	argv += optind;
	if (argc > 0 && strcmp(argv[0], "explain") == 0)
		return steer_explain(&o, argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "show") == 0)
		return alone(&o, "show") ? steer_show(&o, argc - 1, argv + 1) : CTL_USAGE;
	if (argc > 0 && strcmp(argv[0], "set") == 0)
		return alone(&o, "set") ? steer_set(&o, argc - 1, argv + 1) : CTL_USAGE;
	if (argc > 0 && strcmp(argv[0], "selftest") == 0)
		return alone(&o, "selftest") ? steer_selftest(&o, argc - 1, argv + 1) : CTL_USAGE;
	if (argc > 0 && strcmp(argv[0], "simulate") == 0)
		return steer_simulate(&o, argc - 1, argv + 1);
	if (argc > 0)
		ctl_complain(
			"steer: '%s' is not understood; see 'pollux-ctl steer --help'", argv[0]);
	else
		ctl_complain(
			"steer: explain, show, set, selftest or simulate; see 'pollux-ctl steer "
			"--help'");
	return CTL_USAGE;
}
