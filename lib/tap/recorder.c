/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "trigger.h"

/*
 * The thread of a recorder. Armed, it looks every 2 ms whether something has happened. If so the
 * tap is frozen, a file is made of what it has, and of what is still to come for it, and the tap
 * thaws: what came later, while the file was being written, is what the next one begins with.
 */

static_assert(TRIGGER_LCORES == PLX_ENGINE_LCORES_MAX, "one place for each");

/* A trigger. */
struct watch {
	struct plx_tap_trigger conf;
	struct trigger state;
	uint32_t match;			  /* of RST, MATCH: the index in plx_tap_conf.match[] */
	int slow;			  /* of LATENCY: the engine's; -1 = none */
	uint64_t matched[TRIGGER_LCORES]; /* of RST, MATCH: so far */
};

/* What has happened. */
struct happened {
	uint32_t n;
	bool asked; /* by hand */
	plx_ns at_ns;
	char text[PLX_TAP_RECORD_LASTLEN - 64];
};

struct tap_recorder {
	struct plx_tap_record_conf conf;
	uint32_t n;
	struct watch watch[PLX_TAP_TRIGGERS];
	uint64_t limit; /* files; 0 = any number */
	uint32_t asked; /* by hand; any thread */
	/* the thread's */
	uint32_t served; /* of those asked for */
	plx_ns at_ns, end_ns, looked_ns, rest_ns;
	uint32_t left; /* of the packets that are still to come */
	bool past;     /* all that belongs into the file is in it */
	char note[PLX_TAP_RECORD_LASTLEN];
	/* single writer */
	enum plx_tap_record_state state;
	uint64_t triggers, covered, ignored, failed;
	int err;
	pthread_mutex_t lock;
	char last[PLX_TAP_RECORD_LASTLEN]; /* under the lock */
};

/* ---- what it looks at ---- */

static bool is_match(const struct watch *wa)
{
	return wa->conf.kind == PLX_TAP_ON_RST || wa->conf.kind == PLX_TAP_ON_MATCH;
}

static uint64_t drops_of(uint32_t lcore, uint32_t reason)
{
	const struct plx_acct *a = &plx_acct[lcore];
	uint64_t n = 0;

	if (reason)
		return plx_count_read(a->drop[reason]);
	for (int i = 1; i < PLX_DROP_MAX; i++)
		n += plx_count_read(a->drop[i]);
	return n;
}

/* The packets that were asked for. @param first_ns of the first since the last look. */
static uint64_t match_of(struct plx_tap_writer *w, struct watch *wa, uint16_t i, plx_ns *first_ns)
{
	plx_ns ns = *first_ns;
	uint64_t more = tap__record_matched(w->tap->lanes[i], wa->match, &ns);

	if (more)
		*first_ns = PLX_MIN(*first_ns, ns);
	wa->matched[i] += more;
	return wa->matched[i];
}

/* Of the lcore of this index. */
static uint64_t count_of(struct plx_tap_writer *w, struct watch *wa, uint16_t i, plx_ns *first_ns)
{
	const struct tap_host *h = tap__host(w->tap);

	switch (wa->conf.kind) {
	case PLX_TAP_ON_DROPS:
		return drops_of(h->lcore[i], wa->conf.reason);
	case PLX_TAP_ON_RTO:
		return plx_count_read(plx_acct[h->lcore[i]].stat[PLX_STAT_TCPEXT_TCPTIMEOUTS]);
	case PLX_TAP_ON_SQUEEZE:
		return plx_count_read(plx_engine_softnet(h->eng, i)->time_squeeze);
	case PLX_TAP_ON_LATENCY:
		return plx_count_read(plx_engine_softnet(h->eng, i)->slow[wa->slow].n);
	case PLX_TAP_ON_RST:
	case PLX_TAP_ON_MATCH:
		return match_of(w, wa, i, first_ns);
	case PLX_TAP_ON_END:
		break;
	}
	return 0;
}

static void count_all(struct plx_tap_writer *w, struct watch *wa, uint64_t n[static TRIGGER_LCORES],
	plx_ns *first_ns)
{
	for (uint16_t i = 0; i < w->tap->n_lanes; i++)
		n[i] = count_of(w, wa, i, first_ns);
}

/* ---- what has happened ---- */

static void append(struct happened *h, const char *text, uint64_t n, uint32_t lcore)
{
	size_t have = strlen(h->text);

	h->n++;
	if (n)
		snprintf(h->text + have, sizeof(h->text) - have, "%s%s (%llu, lcore %u)",
			have ? ", " : "", text, (unsigned long long)n, lcore);
	else
		snprintf(h->text + have, sizeof(h->text) - have, "%s%s", have ? ", " : "", text);
}

static void look_at_hand(struct tap_recorder *rec, struct happened *h)
{
	uint32_t asked = __atomic_load_n(&rec->asked, __ATOMIC_RELAXED);

	if (asked == rec->served)
		return;
	rec->served = asked;
	h->asked = true;
	append(h, "by hand", 0, 0);
}

static void look(struct plx_tap_writer *w, plx_ns now, struct happened *h)
{
	struct tap_recorder *rec = w->rec;
	uint64_t n[TRIGGER_LCORES];
	struct trigger_event e;

	*h = (struct happened){.at_ns = now};
	for (uint32_t i = 0; i < rec->n; i++) {
		struct watch *wa = &rec->watch[i];

		count_all(w, wa, n, &h->at_ns);
		if (trigger__look(&wa->state, n, now, &e))
			append(h, wa->conf.text, e.n, tap__host(w->tap)->lcore[e.lcore]);
	}
	look_at_hand(rec, h);
	rec->looked_ns = now;
	plx_count(rec->triggers, h->n);
}

const char *tap__recorder_note(const struct tap_recorder *rec, const struct plx_tap_pkt *p)
{
	uint32_t match = PLX_TAP_F_MATCH(p->flags);

	for (uint32_t i = 0; match && i < rec->n; i++)
		if (is_match(&rec->watch[i]) && rec->watch[i].match == match - 1)
			return rec->watch[i].conf.text;
	return NULL;
}

/* ---- a file ---- */

static void set_state(struct tap_recorder *rec, enum plx_tap_record_state state)
{
	__atomic_store_n(&rec->state, state, __ATOMIC_RELAXED);
}

/* A moment after the file was begun: what happens now is in it as well. */
static void cover(struct plx_tap_writer *w, plx_ns now)
{
	struct happened h;

	if (now > w->rec->end_ns || now - w->rec->looked_ns < PLX_US(TAP_IDLE_US))
		return;
	look(w, now, &h);
	plx_count(w->rec->covered, h.n);
}

static bool on_pkt(void *arg, const struct plx_tap_pkt *p)
{
	struct plx_tap_writer *w = arg;
	struct tap_recorder *rec = w->rec;
	bool later = p->ts_ns > rec->at_ns;

	rec->past = p->ts_ns > rec->end_ns || (rec->conf.after_pkts && later && !rec->left);
	if (rec->past || !tap__writer_put(w, p))
		return false;
	rec->left -= rec->left && later;
	return true;
}

/* If there is nothing to be read. */
static bool is_over(const struct tap_recorder *rec, plx_ns now)
{
	return rec->conf.after_pkts ? !rec->left : now >= rec->end_ns;
}

/* Until all is there, or no more comes. */
static void write_all(struct plx_tap_writer *w)
{
	struct tap_recorder *rec = w->rec;

	rec->past = false;
	while (!w->err && !rec->past) {
		bool last = __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
		plx_ns now = tap__now(w->tap);

		cover(w, now);
		if (plx_tap_read(w->tap, on_pkt, w, TAP_BATCH)) {
			tap__writer_keep_time(w, w->last_ns);
			continue;
		}
		tap__writer_keep_time(w, now);
		if (rec->past || w->err || last || is_over(rec, now))
			break;
		w->err = tap__out_flush(&w->out);
		usleep(TAP_IDLE_US);
	}
}

static void describe(struct plx_tap_writer *w, const struct happened *h)
{
	struct tap_recorder *rec = w->rec;
	plx_ns wall = plx_tap_clock_wall(&w->clock, h->at_ns);
	time_t s = (time_t)(wall / PLX_SEC(1));
	char when[32];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(rec->note, sizeof(rec->note), "trigger: %s at %s.%06dZ", h->text, when,
		(int)(wall % PLX_SEC(1) / 1000));
	w->note = rec->note;
	pthread_mutex_lock(&rec->lock);
	memcpy(rec->last, rec->note, sizeof(rec->last));
	pthread_mutex_unlock(&rec->lock);
}

/* What it was is kept; the next one may do better. */
static void account(struct plx_tap_writer *w)
{
	struct tap_recorder *rec = w->rec;

	if (!w->err)
		return;
	__atomic_store_n(&rec->err, w->err, __ATOMIC_RELAXED);
	plx_count(rec->failed, 1);
	w->err = 0;
}

static void make_file(struct plx_tap_writer *w, const struct happened *h)
{
	struct tap_recorder *rec = w->rec;
	struct plx_tap_stats s;

	set_state(rec, PLX_TAP_RECORD_WRITES);
	rec->at_ns = h->at_ns;
	rec->left = rec->conf.after_pkts;
	rec->end_ns =
		rec->left ? INT64_MAX : PLX_MAX(rec->looked_ns, h->at_ns + rec->conf.after_ns);
	plx_tap_freeze(w->tap);
	describe(w, h);
	for (uint32_t i = 0; i < TAP_IFACES; i++)
		w->iface[i].delivered = 0;
	tap__writer_begin(w);
	if (!w->err) {
		write_all(w);
		tap__writer_end(w);
	}
	plx_tap_thaw(w->tap);
	account(w);
	plx_tap_stats(w->tap, &s);
	w->full_before = s.full;
	rec->rest_ns = tap__now(w->tap) + rec->conf.rearm_ns;
	set_state(rec, PLX_TAP_RECORD_RESTS);
}

/* ---- the thread ---- */

static bool all_done(const struct plx_tap_writer *w)
{
	return w->rec->limit && w->files >= w->rec->limit;
}

static void turn(struct plx_tap_writer *w)
{
	struct tap_recorder *rec = w->rec;
	plx_ns now = tap__now(w->tap);
	bool rests = now < rec->rest_ns;
	struct happened h;

	set_state(rec, rests ? PLX_TAP_RECORD_RESTS : PLX_TAP_RECORD_ARMED);
	tap__writer_keep_time(w, now);
	look(w, now, &h);
	if (h.n && (!rests || h.asked)) {
		plx_count(rec->covered, h.n - 1);
		make_file(w, &h);
		return;
	}
	plx_count(rec->ignored, h.n);
	usleep(TAP_IDLE_US);
}

/* Its own end may be what it waits for. */
static void last_turn(struct plx_tap_writer *w)
{
	struct happened h;

	look(w, tap__now(w->tap), &h);
	for (uint32_t i = 0; i < w->rec->n; i++)
		if (w->rec->watch[i].conf.kind == PLX_TAP_ON_END) {
			plx_count(w->rec->triggers, 1);
			append(&h, w->rec->watch[i].conf.text, 0, 0);
		}
	if (h.n)
		make_file(w, &h);
}

void tap__recorder_run(struct plx_tap_writer *w)
{
	while (!all_done(w) && !__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE))
		turn(w);
	if (!all_done(w))
		last_turn(w);
}

/* ---- life ---- */

struct tap_recorder *tap__recorder_new(const struct plx_tap_record_conf *conf, uint64_t files)
{
	struct tap_recorder *rec = calloc(1, sizeof(*rec));
	uint32_t matches = 0;
	bool all = true;

	if (!rec)
		return NULL;
	rec->conf = *conf;
	rec->n = PLX_MIN(conf->n_triggers, (uint32_t)PLX_TAP_TRIGGERS);
	rec->limit = files;
	rec->state = PLX_TAP_RECORD_ARMED;
	pthread_mutex_init(&rec->lock, NULL);
	for (uint32_t i = 0; i < rec->n; i++) {
		struct watch *wa = &rec->watch[i];

		wa->conf = conf->trigger[i];
		wa->conf.text = strdup(wa->conf.text);
		wa->slow = -1;
		wa->match = is_match(wa) ? matches++ : 0;
		all = all && wa->conf.text;
	}
	if (all)
		return rec;
	tap__recorder_free(rec);
	return NULL;
}

void tap__recorder_free(struct tap_recorder *rec)
{
	if (!rec)
		return;
	for (uint32_t i = 0; i < rec->n; i++)
		free((char *)(uintptr_t)rec->watch[i].conf.text);
	pthread_mutex_destroy(&rec->lock);
	free(rec);
}

void tap__recorder_match(const struct tap_recorder *rec, struct plx_tap_conf *tap)
{
	tap->limit = 0;
	memset(tap->match, 0, sizeof(tap->match));
	for (uint32_t i = 0; i < rec->n; i++) {
		const struct watch *wa = &rec->watch[i];

		if (is_match(wa) && wa->match < PLX_TAP_MATCHES)
			tap->match[wa->match] =
				wa->conf.kind == PLX_TAP_ON_RST ? PLX_TAP_MATCH_RST : wa->conf.text;
	}
}

/* What it is to be written to may be needed in hours: the last names are as long as any. */
static int check_path(const char *file)
{
	const size_t more = sizeof("_4294967295_20261129154500") - 1;
	const char *slash = strrchr(file, '/'), *last = slash ? slash + 1 : file;
	char dir[PATH_MAX];

	if (strcmp(file, "-") == 0 || !*last)
		return -EINVAL;
	if (strlen(last) + more > NAME_MAX || strlen(file) + more >= sizeof(dir))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), "%.*s.", (int)(last - file), file);
	return access(dir, W_OK | X_OK) == 0 ? 0 : -errno;
}

static int refuse(struct plx_error *e, int err, const char *why)
{
	return plx_error_set(e, err, PLX_ERR_RUN, "a recorder", why);
}

static int begin_watch(struct plx_tap_writer *w, struct watch *wa, struct plx_error *e)
{
	struct plx_engine *eng = tap__host(w->tap)->eng;
	uint64_t n[TRIGGER_LCORES] = {0};
	plx_ns now = tap__now(w->tap), first_ns = now;

	if (is_match(wa) && wa->match >= PLX_TAP_MATCHES)
		return refuse(e, -E2BIG, "it waits for three kinds of packets at most");
	if (!eng && !is_match(wa) && wa->conf.kind != PLX_TAP_ON_END)
		return refuse(e, -ENOTSUP, "without an engine nobody counts what it waits for");
	if (wa->conf.kind == PLX_TAP_ON_LATENCY) {
		wa->slow = plx_engine_slow_add(eng, wa->conf.ns);
		if (wa->slow < 0)
			return refuse(e, -EBUSY, "too many wait for latency at a time");
	}
	count_all(w, wa, n, &first_ns);
	trigger__init(&wa->state, &wa->conf, n, w->tap->n_lanes, now);
	return 0;
}

int tap__recorder_begin(struct plx_tap_writer *w, struct plx_error *e)
{
	int err = check_path(w->file);

	if (err)
		return plx_error_set(e, err, PLX_ERR_PCAP_FILE, w->file, strerror(-err));
	if (w->rec->conf.n_triggers > PLX_TAP_TRIGGERS)
		return refuse(e, -E2BIG, "it waits for eight things at most");
	for (uint32_t i = 0; !err && i < w->rec->n; i++)
		err = begin_watch(w, &w->rec->watch[i], e);
	return err;
}

void tap__recorder_end(struct plx_tap_writer *w)
{
	for (uint32_t i = 0; w->rec && i < w->rec->n; i++)
		if (w->rec->watch[i].slow >= 0)
			plx_engine_slow_del(tap__host(w->tap)->eng, w->rec->watch[i].slow);
}

int plx_tap_writer_trigger(struct plx_tap_writer *w)
{
	if (!w->rec)
		return -EINVAL;
	__atomic_add_fetch(&w->rec->asked, 1, __ATOMIC_RELAXED);
	return 0;
}

void tap__recorder_stats(const struct plx_tap_writer *w, struct plx_tap_record_stats *s)
{
	struct tap_recorder *rec = w->rec;
	struct plx_tap_kept k;

	*s = (struct plx_tap_record_stats){.state = PLX_TAP_RECORD_NONE};
	if (!rec)
		return;
	plx_tap_kept(w->tap, &k);
	s->state = __atomic_load_n(&rec->state, __ATOMIC_RELAXED);
	s->triggers = plx_count_read(rec->triggers);
	s->covered = plx_count_read(rec->covered);
	s->ignored = plx_count_read(rec->ignored);
	s->failed = plx_count_read(rec->failed);
	s->err = __atomic_load_n(&rec->err, __ATOMIC_RELAXED);
	s->pkts = k.pkts;
	s->bytes = k.bytes;
	s->overwritten = k.overwritten;
	s->reach_ns = k.reach_ns;
	pthread_mutex_lock(&rec->lock);
	memcpy(s->last, rec->last, sizeof(s->last));
	pthread_mutex_unlock(&rec->lock);
}
