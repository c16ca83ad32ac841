/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What captures cost a packet in instructions of the CPU, a JSON object for each way.
 *
 * A process steps its child instruction by instruction (ptrace(2)) and counts: so it is exact, and
 * the same however much else runs on the machine. What the kernel does in a system call is one
 * instruction.
 *
 *   bench_instructions FILE
 *
 * The lcore's part is that of bursts of 32 packets of 60 bytes, which the child shows to a tap as
 * an engine does; the writer's is all that its thread does from its sleep until the last one of
 * many is a block of the file.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>

#include <plx_tap_writer.h>

#include "capture_pkts.h"

#define BURST	32
#define WRITTEN 256

/* Between the two processes. */
static struct {
	uint64_t count; /* the parent's: instructions */
	pid_t thread;	/* of the child, that is stepped by ASK_THREAD */
	bool stopped;	/* the parent's: it is */
	bool done;	/* the child's: that is enough */
} * both;

#define ASK_BEGIN  SIGUSR1 /* of the thread that asks, until it asks once more */
#define ASK_THREAD SIGUSR2 /* of both->thread, until both->done */

/* ---- who counts ---- */

static void step(pid_t thread, int *status)
{
	if (ptrace(PTRACE_SINGLESTEP, thread, NULL, NULL) != 0 ||
		waitpid(thread, status, __WALL) != thread || !WIFSTOPPED(*status)) {
		perror("a step");
		exit(1);
	}
}

static void count_until_asked(pid_t child)
{
	int status;

	for (both->count = 0;; both->count++) {
		step(child, &status);
		if (WSTOPSIG(status) == ASK_BEGIN)
			return;
	}
}

/* The child goes on meanwhile. */
static void count_thread(pid_t child)
{
	pid_t thread = both->thread;
	int status;

	both->count = 0;
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0 ||
		ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 ||
		waitpid(thread, &status, __WALL) != thread) {
		perror("its thread");
		exit(1);
	}
	ptrace(PTRACE_CONT, child, NULL, NULL);
	__atomic_store_n(&both->stopped, true, __ATOMIC_RELEASE);
	for (; !__atomic_load_n(&both->done, __ATOMIC_ACQUIRE); both->count++)
		step(thread, &status);
	ptrace(PTRACE_DETACH, thread, NULL, NULL);
}

/* @return what the child does. */
static int serve(pid_t child)
{
	for (int status, signal;; ptrace(PTRACE_CONT, child, NULL, signal)) {
		if (waitpid(child, &status, 0) != child || WIFSIGNALED(status))
			return 1;
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		signal = WSTOPSIG(status);
		if (signal == ASK_BEGIN)
			count_until_asked(child);
		else if (signal == ASK_THREAD)
			count_thread(child);
		if (signal == ASK_BEGIN || signal == ASK_THREAD || signal == SIGSTOP)
			signal = 0;
	}
}

/* ---- who is counted ---- */

static struct {
	struct plx_engine *eng;
	struct plx_taps *taps;
	struct rte_mbuf *pkt[BURST];
	const char *file;
	uint64_t asking; /* instructions that it takes to ask */
} b;

static struct plx_tap *tap; /* of the way that is counted */

struct way {
	const char *name;
	struct plx_tap_conf conf;
	unsigned int bursts; /* as many as it takes to be even */
	bool read;	     /* what is counted is the reader */
};

static const struct way ways[] = {
	{"filter, no match", {.points = PLX_TAP_BIT(RX), .filter = SHORT}, 1},
	{"long filter, no match", {.points = PLX_TAP_BIT(RX), .filter = LONG}, 1},
	{"1 of 256", {.points = PLX_TAP_BIT(RX), .sample = 256, .snap_bytes = SNAP, .seed = 1},
		256},
	{"all", {.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP}, 1},
	{"all on the way out", {.points = PLX_TAP_BIT(TX), .snap_bytes = SNAP}, 1},
	{"all, recorded", {.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP, .keep_bytes = KEEP}, 8},
	{"reader", {.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP}, 1, true},
};

static void show(const struct plx_tap_conf *conf, unsigned int bursts)
{
	bool out = conf->points == PLX_TAP_BIT(TX);
	enum plx_pkt_point point = out ? PLX_PKT_AT_TX : PLX_PKT_AT_RX;
	const struct plx_pkt_watch *w = plx_pkt_watch(point);
	const struct plx_pkt_seen s = {.point = (uint8_t)point, .out = out};

	while (bursts--) {
		w->see(w, &s, b.pkt, BURST);
		if (out)
			w->took(w, &s, BURST);
	}
}

static bool look(void *arg, const struct plx_tap_pkt *p)
{
	return true;
}

static void pass(const struct way *way)
{
	if (way->read)
		plx_tap_read(tap, look, NULL, UINT32_MAX);
	else
		show(&way->conf, way->bursts);
}

static void ask(int how)
{
	if (raise(how) != 0)
		exit(1);
}

static void report(const char *what, double instructions)
{
	printf("{\"what\":\"%s\",\"instructions\":%.1f}\n", what, instructions);
	fflush(stdout);
}

static int die(const char *why)
{
	fprintf(stderr, "%s\n", why);
	return -1;
}

static void let_go(struct plx_tap *t)
{
	plx_tap_detach(t);
	while (!plx_tap_gone(t))
		plx_engine_step(b.eng, 0);
}

/* The second time: what is done once for all is done. */
static int count(const struct way *way)
{
	struct plx_error e = {0};

	tap = plx_tap_open(b.taps, &way->conf, &e, NULL);
	if (!tap)
		return die(e.text);
	for (int i = 0; i < 2; i++) {
		if (way->read)
			show(&way->conf, way->bursts);
		if (i == 1)
			ask(ASK_BEGIN);
		pass(way);
	}
	ask(ASK_BEGIN);
	report(way->name, (double)(both->count - b.asking) / (way->bursts * BURST));
	let_go(tap);
	plx_tap_close(tap);
	return 0;
}

static bool is_writer(const char *thread)
{
	char path[300], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", thread);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return strcmp(name, "plx-capture\n") == 0;
}

/* By its name, as the library gives it. */
static pid_t thread_of_writer(void)
{
	DIR *threads = opendir("/proc/self/task");
	struct dirent *d;
	pid_t found = 0;

	while (!found && (d = readdir(threads)))
		if (is_writer(d->d_name))
			found = atoi(d->d_name);
	closedir(threads);
	return found;
}

static int count_writer(void)
{
	const struct plx_tap_writer_conf conf = {
		.tap = {.points = PLX_TAP_BIT(RX), .snap_bytes = SNAP}, .file = b.file};
	struct plx_tap_writer_stats s;
	struct plx_error e = {0};
	struct plx_tap_writer *w = plx_tap_writer_start(b.taps, &conf, &e, NULL);

	if (!w)
		return die(e.text);
	show(&conf.tap, WRITTEN / BURST);
	do { /* and sleeps again */
		usleep(10000);
		plx_tap_writer_stats(w, &s);
	} while (s.written < WRITTEN);
	both->thread = thread_of_writer();
	if (!both->thread)
		return die("no thread writes");
	ask(ASK_THREAD);
	while (!__atomic_load_n(&both->stopped, __ATOMIC_ACQUIRE))
		;
	show(&conf.tap, WRITTEN / BURST);
	do
		plx_tap_writer_stats(w, &s);
	while (s.written < 2 * WRITTEN);
	report("writer", (double)both->count / WRITTEN);
	__atomic_store_n(&both->done, true, __ATOMIC_RELEASE);
	let_go(plx_tap_writer_tap(w));
	return plx_tap_writer_stop(w, NULL);
}

static int count_all(void)
{
	int err = 0;

	ask(ASK_BEGIN);
	ask(ASK_BEGIN);
	b.asking = both->count;
	for (size_t i = 0; !err && i < PLX_DIM(ways); i++)
		err = count(&ways[i]);
	return err ? err : count_writer();
}

static int set_up(void)
{
	static const struct plx_engine_ops ops;
	const struct plx_engine_conf conf = {.ops = &ops};
	struct plx_error e = {0};

	if (plx_pkt_init() != 0 || plx_port_create("a=pipe,peer=b", &e) != 0)
		return die(e.text);
	b.eng = plx_engine_create(&conf, &e);
	if (!b.eng || plx_engine_open_ports(b.eng, &e) != 0 || plx_engine_step_begin(b.eng) != 0)
		return die(e.text);
	b.taps = plx_taps_create(b.eng, &e);
	for (uint32_t i = 0; i < BURST; i++) {
		b.pkt[i] = plx_softnet_alloc(plx_engine_softnet(b.eng, 0));
		if (!b.pkt[i])
			return die("no mbufs");
		build(b.pkt[i], i);
	}
	return b.taps ? 0 : die(e.text);
}

static int run(void)
{
	char arg[][24] = {"bench", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m",
		"128", "-l", "0", "--log-level=error", "--file-prefix", ""};
	char *argv[PLX_DIM(arg)];

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
		return 77; /* it is not allowed here */
	snprintf(arg[PLX_DIM(arg) - 1], sizeof(arg[0]), "plx-bench-%d", (int)getpid());
	for (size_t i = 0; i < PLX_DIM(arg); i++)
		argv[i] = arg[i];
	if (rte_eal_init(PLX_DIM(argv), argv) < 0 || set_up() != 0 || count_all() != 0)
		return 1;
	rte_pktmbuf_free_bulk(b.pkt, BURST);
	plx_taps_destroy(b.taps);
	plx_engine_step_end(b.eng);
	return plx_engine_destroy(b.eng) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_instructions FILE\n");
		return 2;
	}
	b.file = argv[1];
	both = mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = both == MAP_FAILED ? -1 : fork();
	if (child < 0)
		return 1;
	return child == 0 ? run() : serve(child);
}
