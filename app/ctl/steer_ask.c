/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_live.h"

#include <string.h>

#include "fmt.h"

/* `steer explain` and `steer show` of a running process: its tables are read, then it is as if it
 * were the question that tables were made up for. */

/* --- explain -----------------------------------------------------------------------------------
 */

static void forget(struct live_tables *t)
{
	json_decref(t->rss);
	json_decref(t->indir);
	json_decref(t->steer);
	json_decref(t->flows);
	json_decref(t->limit);
	json_decref(t->rps);
	json_decref(t->addr);
	json_decref(t->socks);
	json_decref(t->balance);
}

/* @return false after a complaint. */
static bool read_tables(struct live_tables *t, const struct ctl_peer *peer, uint8_t proto)
{
	*t = (struct live_tables){.steer = ctl_read(peer, "steer")};
	if (t->steer)
		t->rss = ctl_read(peer, "rss");
	if (t->rss)
		t->indir = ctl_read(peer, "indir");
	if (t->indir)
		t->flows = ctl_read(peer, "flows");
	if (t->flows)
		t->limit = ctl_read(peer, "flow_limit");
	if (t->limit)
		t->rps = ctl_read(peer, "rps");
	if (t->rps)
		t->addr = ctl_read(peer, "addr");
	if (!t->addr)
		return false;
	if (proto == PLX_IPPROTO_TCP || proto == PLX_IPPROTO_UDP)
		t->socks = ctl_read(peer, proto == PLX_IPPROTO_TCP ? "tcp" : "udp");
	else
		t->socks = json_array();
	return t->socks;
}

int steer_explain_live(const struct steer_opts *o, const struct plx_tuple *tuple)
{
	static struct live l; /* too large for a stack */
	struct live_tables t = {0};
	struct ctl_peer peer;
	int code = ctl_find(o->prefix, o->pid, &peer);

	if (code != CTL_OK)
		return code;
	l = (struct live){.t = *tuple};
	code = CTL_FAILED;
	if (!read_tables(&t, &peer, tuple->proto)) {
		/* has been said */
	} else if (!live_reckon(&l, &t)) {
		ctl_complain("steer explain: the process tells tables of another form; are "
			     "pollux-ctl and pollux of one version?");
	} else {
		if (o->json)
			live_print_json(stdout, &l);
		else
			live_print(stdout, &l);
		code = CTL_OK;
	}
	forget(&t);
	return code;
}

/* --- show --------------------------------------------------------------------------------------
 */

/* In lines of eight, as ethtool -x. */
static void print_table(const json_t *entries)
{
	size_t i, n = json_array_size(entries);
	json_t *v;

	json_array_foreach(entries, i, v)
	{
		if (i % 8 == 0)
			printf("%5zu: ", i);
		printf(" %5lld%s", json_integer_value(v), i % 8 == 7 || i + 1 == n ? "\n" : "");
	}
}

static void print_key(const json_t *key)
{
	size_t i;
	json_t *v;

	json_array_foreach(key, i, v)
	{
		printf("%s%02llx", i ? ":" : "", json_integer_value(v));
	}
	printf("\n");
}

/* All entries of a port. */
static json_t *indir_of(const json_t *indir, const char *port)
{
	json_t *all = json_array(), *row;
	size_t i;

	json_array_foreach(indir, i, row)
	{
		if (strcmp(fmt_str(row, "ifname"), port) == 0)
			json_array_extend(all, json_object_get(row, "queues"));
	}
	return all;
}

/* By what flows are hashed, in the letters of ethtool -N. */
static void show_fields(uint32_t types)
{
	static const char *const flows[] = {"tcp4", "udp4", "sctp4", "tcp6", "udp6", "sctp6"};

	printf("RX flow hash fields:\n   ");
	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		const char *fields = plx_steer_rss_fields(types, flows[i]);

		printf(" %s %s%s", flows[i], *fields ? fields : "none",
			i + 1 < sizeof(flows) / sizeof(flows[0]) ? "," : "\n");
	}
}

static void show_port(const json_t *port, const json_t *indir)
{
	json_t *table = indir_of(indir, fmt_str(port, "ifname"));
	const char *why = fmt_str(port, "software_steering");

	printf("RX flow hash indirection table for %s with %lld RX ring(s):\n",
		fmt_str(port, "ifname"), fmt_num(port, "rings"));
	if (*why)
		printf("Operation not supported: %s\n", why);
	print_table(table);
	printf("RSS hash key:\n");
	if (*why)
		printf("Operation not supported\n");
	else
		print_key(json_object_get(port, "key"));
	printf("RSS hash function:\n");
	printf("    toeplitz: %s\n    xor: off\n    crc32: off\n", *why ? "off" : "on");
	if (!*why)
		show_fields((uint32_t)fmt_num(port, "types"));
	json_decref(table);
}

static void show_owners(const json_t *steer)
{
	printf("Owner map with %zu lcore(s):\n", json_array_size(json_object_get(steer, "lcores")));
	print_table(json_object_get(steer, "owners"));
	printf("Hash key:\n");
	print_key(json_object_get(steer, "key"));
	printf("Moved: %lld connection(s), %lld stayed; %lld packet(s) waited, %lld dropped; "
	       "%lld move(s) abandoned\n",
		fmt_num(steer, "moved_conns"), fmt_num(steer, "stayed_conns"),
		fmt_num(steer, "parked"), fmt_num(steer, "park_drops"),
		fmt_num(steer, "abandoned"));
	if (fmt_num(steer, "moving"))
		printf("Moving: %lld bucket(s) or flow(s)\n", fmt_num(steer, "moving"));
	if (fmt_num(steer, "rfs_entries"))
		printf("RFS: %lld entries; ", fmt_num(steer, "rfs_entries"));
	else
		printf("RFS: off; ");
	printf("%lld flow(s) with an lcore of their own, %lld moved there, %lld refused; ",
		fmt_num(steer, "flows"), fmt_num(steer, "flows_moved"),
		fmt_num(steer, "flows_refused"));
	printf("%lld with a rule in their device, %lld made, %lld refused\n",
		fmt_num(steer, "arfs_rules"), fmt_num(steer, "arfs_made"),
		fmt_num(steer, "arfs_refused"));
}

/* What it decided last, and about whom. */
static void show_balance(const json_t *row)
{
	bool off = strcmp(fmt_str(row, "mode"), "off") == 0;

	printf("Rebalancer: %s", fmt_str(row, "mode"));
	if (!off)
		printf(": %s", fmt_str(row, "text"));
	if (!off && json_object_get(row, "lcore"))
		printf("; lcore %lld has %.2f of its share", fmt_num(row, "lcore"),
			(double)fmt_num(row, "worst_permille") / 1000);
	printf("\n");
}

static json_t *show_json(const json_t *rss, const json_t *indir, const json_t *steer)
{
	json_t *ports = json_array(), *port;
	size_t i;

	json_array_foreach(rss, i, port)
	{
		json_t *o = json_copy(port);

		json_object_set_new(o, "indir", indir_of(indir, fmt_str(port, "ifname")));
		json_array_append_new(ports, o);
	}
	return json_pack("{s:o, s:O?}", "ports", ports, "owner_map", steer);
}

/* Each queue's map, as the files rps_cpus of /sys. */
static void show_rps(const json_t *rps)
{
	size_t i, k;
	json_t *row, *lcore;

	json_array_foreach(rps, i, row)
	{
		printf("RPS of %s, queue %lld:", fmt_str(row, "ifname"), fmt_num(row, "queue"));
		json_array_foreach(json_object_get(row, "lcores"), k, lcore)
		{
			printf("%s %lld", k ? "," : "", json_integer_value(lcore));
		}
		printf("\n");
	}
}

static void show_all(const struct live_tables *t, const json_t *ports, const json_t *rps)
{
	json_t *port;
	size_t i;

	json_array_foreach(ports, i, port)
	{
		show_port(port, t->indir);
	}
	show_rps(rps);
	if (json_array_size(t->steer))
		show_owners(json_array_get(t->steer, 0));
	if (json_array_size(t->balance))
		show_balance(json_array_get(t->balance, 0));
}

static void show_all_json(const struct live_tables *t, const json_t *ports, const json_t *rps)
{
	json_t *all = show_json(ports, t->indir, json_array_get(t->steer, 0));

	json_object_set_new(all, "rps", json_deep_copy(rps));
	json_object_set(all, "balance", json_array_get(t->balance, 0));
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
}

/* @return an exit code. */
static int show(const struct steer_opts *o, const char *port, const struct ctl_peer *peer)
{
	const struct fmt_filter only = {.only = port, .key = "ifname"};
	struct live_tables t = {.steer = ctl_read_if_any(peer, "steer")}; /* without a stack none */
	json_t *ports = NULL, *rps = NULL;
	int code = CTL_FAILED;

	if (t.steer)
		t.rss = ctl_read(peer, "rss");
	if (t.rss)
		t.indir = ctl_read(peer, "indir");
	if (t.indir)
		t.rps = ctl_read_if_any(peer, "rps");
	if (t.rps)
		t.balance = ctl_read_if_any(peer, "balance");
	if (t.balance) {
		ports = fmt_select(t.rss, &only);
		rps = fmt_select(t.rps, &only);
	}
	if (ports && json_array_size(ports) == 0) {
		ctl_complain("steer show: no port '%s'", port);
	} else if (ports) {
		(o->json ? show_all_json : show_all)(&t, ports, rps);
		code = CTL_OK;
	}
	json_decref(ports);
	json_decref(rps);
	forget(&t);
	return code;
}

int steer_show(const struct steer_opts *o, int argc, char **argv)
{
	struct ctl_peer peer;
	int code;

	if (argc > 1) {
		ctl_complain("steer show: one PORT or none; see 'pollux-ctl steer --help'");
		return CTL_USAGE;
	}
	code = ctl_find(o->prefix, o->pid, &peer);
	return code == CTL_OK ? show(o, argc ? argv[0] : NULL, &peer) : code;
}
