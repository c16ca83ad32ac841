/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_selftest.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fmt.h"
#include "tap.h"

/*
 * `steer selftest`: packets come by a capture of where drivers give them, with the device's hash
 * and the queue. So it costs the process nothing while it is not asked, and what a capture costs
 * while it is.
 */

#define PORTS 32
#define SNAP  192 /* two tags and IPv6's extension headers */

/** What is looked at. */
struct test {
	const struct steer_opts *o;
	struct ctl_peer peer;
	json_t *rss, *indir;
	struct self_port port[PORTS];
	bool off[PORTS]; /* switched off by us */
	unsigned int n;
};

static volatile int over;

static void on_signal(int sig)
{
	over = 1;
}

/* @return an exit code. */
static int read_tables(struct test *t, json_t **rss, json_t **indir)
{
	*rss = ctl_read(&t->peer, "rss");
	*indir = *rss ? ctl_read(&t->peer, "indir") : NULL;
	return *indir ? CTL_OK : CTL_FAILED;
}

static int choose_ports(struct test *t, const char *only)
{
	size_t i;
	json_t *row;

	json_array_foreach(t->rss, i, row)
	{
		if (t->n < PORTS && (!only || strcmp(fmt_str(row, "ifname"), only) == 0))
			self_init(&t->port[t->n++], row, t->indir);
	}
	if (t->n)
		return CTL_OK;
	ctl_complain("steer selftest: no port '%s'", only ? only : "");
	return CTL_FAILED;
}

/* Is there something to be seen of it? */
static bool is_asked(const struct test *t, const struct self_port *s)
{
	enum self_verdict v = self_judge(s);

	return v != SELF_SOFTWARE && v != SELF_ONE && s->packets < t->o->count;
}

static bool any_asked(const struct test *t)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (is_asked(t, &t->port[i]))
			return true;
	return false;
}

static bool take(void *arg, const struct plx_pcapng_pkt *p, const char *port, bool bare)
{
	struct test *t = arg;
	struct plx_tuple tuple;
	bool ip = bare ? plx_wire_tuple_l3(&tuple, p->data, p->caplen)
		       : plx_wire_tuple(&tuple, p->data, p->caplen);

	for (unsigned int i = 0; ip && p->has & PLX_PCAPNG_QUEUE && i < t->n; i++)
		if (strcmp(fmt_str(t->port[i].row, "ifname"), port) == 0 &&
			is_asked(t, &t->port[i]))
			self_packet(&t->port[i], &tuple, p->has & PLX_PCAPNG_HASH ? &p->hash : NULL,
				p->queue);
	return any_asked(t);
}

/* Until there are enough, or the time is up. @return an exit code. */
static int sample(struct test *t, const char *only)
{
	const struct sigaction sa = {.sa_handler = on_signal}; /* calls that wait end by it */
	json_t *args =
		json_pack("{s:s, s:s, s:i}", "hooks", "rx", "direction", "in", "snaplen", SNAP);
	long long tap;
	int fd, code;

	if (only)
		json_object_set_new(args, "ports", json_string(only));
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	code = tap_pipe_begin(&t->peer, "selftest", args, &fd, &tap);
	json_decref(args);
	if (code != CTL_OK)
		return code;
	alarm(t->o->seconds);
	if (line_read_all(fd, take, t, &over) < 0)
		code = CTL_FAILED;
	alarm(0);
	close(fd);
	json_decref(ctl_ask_quietly(&t->peer,
		json_pack("{s:s,s:{s:I}}", "cmd", "tap stop", "args", "tap", (json_int_t)tap)));
	return code;
}

/* Tables that changed meanwhile are not what packets were spread by. */
static int compare_tables(struct test *t)
{
	json_t *rss, *indir;
	int code = read_tables(t, &rss, &indir);

	if (code == CTL_OK && (!json_equal(rss, t->rss) || !json_equal(indir, t->indir))) {
		ctl_complain("steer selftest: keys or tables changed meanwhile; ask again");
		code = CTL_FAILED;
	}
	json_decref(rss);
	json_decref(indir);
	return code;
}

/* Whose hash is none is not to be taken for one. */
static int switch_off(struct test *t)
{
	int code = CTL_OK;

	for (unsigned int i = 0; code == CTL_OK && i < t->n; i++) {
		const struct self_port *s = &t->port[i];

		if (self_judge(s) != SELF_HASH || !fmt_num(s->row, "rxhash"))
			continue;
		code = ctl_write(&t->peer,
			json_pack("{s:s,s:{s:s,s:s}}", "cmd", "feature set", "args", "dev",
				fmt_str(s->row, "ifname"), "features", "rxhash=off"));
		t->off[i] = code == CTL_OK;
	}
	return code;
}

/* @return an exit code: that of the worst. */
static int print(const struct test *t)
{
	json_t *list = json_array();
	int code = CTL_OK;

	for (unsigned int i = 0; i < t->n; i++) {
		const struct self_port *s = &t->port[i];
		enum self_verdict v = self_judge(s);

		if (v != SELF_AGREES && v != SELF_SOFTWARE && v != SELF_ONE)
			code = CTL_FAILED;
		if (!t->o->json)
			self_print(stdout, s, t->off[i]);
		json_array_append_new(list, self_json(s, t->off[i]));
	}
	if (t->o->json) {
		json_dumpf(list, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(list);
	return code;
}

int steer_selftest(const struct steer_opts *o, int argc, char **argv)
{
	static struct test t; /* too large for a stack */
	const char *only = argc ? argv[0] : NULL;
	int code;

	if (argc > 1) {
		ctl_complain("steer selftest: one PORT or none; see 'pollux-ctl steer --help'");
		return CTL_USAGE;
	}
	t = (struct test){.o = o};
	code = ctl_find(o->prefix, o->pid, &t.peer);
	if (code == CTL_OK)
		code = read_tables(&t, &t.rss, &t.indir);
	if (code == CTL_OK)
		code = choose_ports(&t, only);
	if (code == CTL_OK && any_asked(&t)) {
		code = sample(&t, only);
		if (code == CTL_OK)
			code = compare_tables(&t);
		if (code == CTL_OK)
			code = switch_off(&t);
	}
	if (code == CTL_OK)
		code = print(&t);
	json_decref(t.rss);
	json_decref(t.indir);
	return code;
}
