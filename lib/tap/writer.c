/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define IDLE_US	 50
#define SET_NS	 PLX_MS(100) /* between two corrections of the clock */
#define TELL_NS	 PLX_SEC(10) /* between two statistics of an interface */
#define NO_IFACE UINT32_MAX
#define COMMENT	 320

/* ---- time ---- */

static plx_ns wall_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return PLX_SEC(t.tv_sec) + t.tv_nsec;
}

/* What is still to come is not older than at: what has been read does not get newer than that. */
void tap__writer_keep_time(struct plx_tap_writer *w, plx_ns at)
{
	if (at - w->clock.now.mono < SET_NS)
		return;
	plx_tap_clock_set(&w->clock, at, wall_now() - (tap__now(w->tap) - at));
	w->ts_ns = INT64_MIN;
}

static plx_ns wall_of(struct plx_tap_writer *w, plx_ns ts_ns)
{
	if (ts_ns != w->ts_ns) {
		w->ts_ns = ts_ns;
		w->ts_wall = plx_tap_clock_wall(&w->clock, ts_ns);
	}
	return w->ts_wall;
}

/* ---- blocks ---- */

/* plx_pcapng_x_put() of a struct, at the end of the buffer. */
#define PUT(w, put, of)                                                                            \
	do {                                                                                       \
		size_t need_ = put(NULL, 0, of);                                                   \
		void *p_ = tap__out_room(&(w)->out, need_, &(w)->err);                             \
		if (p_) {                                                                          \
			put(p_, need_, of);                                                        \
			plx_pcapng_rotate_wrote(&(w)->rotate, need_, 0);                           \
		}                                                                                  \
	} while (0)

static void put_section(struct plx_tap_writer *w)
{
	const struct plx_pcapng_section s = {
		.app = plx_pcapng_text(w->app), .comment = plx_pcapng_text(w->note)};

	PUT(w, plx_pcapng_section_put, &s);
}

static bool find_port(const struct plx_tap_writer *w, uint32_t slot, struct tap_port *p)
{
	const struct tap_host *h = tap__host(w->tap);

	return slot < PLX_PORT_MAX && h->port(h, (uint16_t)slot, p);
}

static void iface_of(const struct plx_tap_writer *w, uint32_t slot, struct plx_pcapng_iface *i)
{
	const struct plx_tap_conf *conf = plx_tap_conf_of(w->tap);
	struct tap_port p;

	*i = (struct plx_pcapng_iface){
		.snaplen = conf->snap_bytes,
		.filter = plx_pcapng_text(conf->filter),
	};
	if (!find_port(w, slot, &p)) {
		p = (struct tap_port){.ip = slot == PLX_PORT_MAX + PLX_TAP_LINK_IP};
		p.name = p.ip ? "ip" : "link";
		i->descr = plx_pcapng_text("packets of no port, or without their link header");
	}
	i->link = p.ip ? PLX_PCAPNG_LINK_RAW : PLX_PCAPNG_LINK_ETHERNET;
	i->name = plx_pcapng_text(p.name);
	i->speed_bps = p.bps;
	i->has_mac = p.has_mac;
	memcpy(i->mac, p.mac, sizeof(i->mac));
}

/* What came to the tap's points, and what of that it was kept from looking at. */
static void add_missed(struct plx_pcapng_stats *s, const struct plx_tap_stats *t)
{
	s->has |= PLX_PCAPNG_IFRECV | PLX_PCAPNG_IFDROP;
	s->ifrecv = t->seen;
	s->ifdrop = t->missed;
	s->comment =
		plx_pcapng_text("received, missed, accepted and lost: of all interfaces together");
}

static void stats_of(const struct plx_tap_writer *w, uint32_t slot, struct plx_pcapng_stats *s)
{
	struct plx_tap_stats t;

	*s = (struct plx_pcapng_stats){.iface = w->iface[slot].id,
		.has = PLX_PCAPNG_START | PLX_PCAPNG_END | PLX_PCAPNG_DELIVERED,
		.ts_ns = plx_tap_clock_wall(&w->clock, tap__now(w->tap)),
		.start_ns = w->start_ns,
		.delivered = w->iface[slot].delivered};
	s->end_ns = s->ts_ns;
	if (s->iface == 0) { /* lcores count for the tap, not for a port */
		plx_tap_stats(w->tap, &t);
		s->has |= PLX_PCAPNG_OSDROP;
		s->osdrop = t.full - PLX_MIN(w->full_before, t.full); /* of about now */
		s->comment = plx_pcapng_text("accepted and lost: of all interfaces together");
		if (w->rec) /* what it took, missed, and has overwritten is no part of a file */
			return;
		s->has |= PLX_PCAPNG_ACCEPT;
		s->accept = t.accepted + t.full;
		if (plx_tap_conf_of(w->tap)->max_cost_ppm)
			add_missed(s, &t);
	}
}

static void put_stats(struct plx_tap_writer *w, uint32_t slot, bool end)
{
	struct plx_pcapng_stats s;

	stats_of(w, slot, &s);
	if (!end)
		s.has &= ~PLX_PCAPNG_END;
	PUT(w, plx_pcapng_stats_put, &s);
}

/* Of all interfaces. */
static void put_all_stats(struct plx_tap_writer *w, bool end)
{
	for (uint32_t i = 0; !w->err && i < TAP_IFACES; i++)
		if (w->iface[i].id != NO_IFACE)
			put_stats(w, i, end);
}

/* Now and then, so that a capture that is cut off has some; the file's end must still have room. */
static void keep_told(struct plx_tap_writer *w, plx_ns now)
{
	uint64_t max = w->rotate.conf.bytes;

	if (now - w->told_ns < TELL_NS || w->told == w->written || w->err)
		return;
	w->told_ns = now;
	w->told = w->written;
	if (!max || w->rotate.bytes + 2 * w->tail_bytes <= max)
		put_all_stats(w, false);
}

static void put_iface(struct plx_tap_writer *w, uint32_t slot)
{
	struct plx_pcapng_iface i;
	struct plx_pcapng_stats s;

	iface_of(w, slot, &i);
	w->iface[slot].id = w->n_ifaces++;
	stats_of(w, slot, &s);
	w->tail_bytes += plx_pcapng_stats_put(NULL, 0, &s);
	PUT(w, plx_pcapng_iface_put, &i);
}

/* For a packet: with all that the file gets because of it. */
static uint64_t room_for(const struct plx_tap_writer *w, uint32_t slot, size_t need)
{
	struct plx_pcapng_iface i;
	struct plx_pcapng_stats s;

	if (w->iface[slot].id != NO_IFACE)
		return need + w->tail_bytes;
	iface_of(w, slot, &i);
	stats_of(w, slot, &s);
	return need + w->tail_bytes + plx_pcapng_iface_put(NULL, 0, &i) +
	       plx_pcapng_stats_put(NULL, 0, &s);
}

static bool is_tapped(const struct plx_tap_writer *w, uint32_t port)
{
	return plx_tap_conf_of(w->tap)->ports >> port & 1;
}

static enum plx_pcap_unit unit_of(const struct plx_tap_writer *w)
{
	return w->format == PLX_TAP_PCAP_NS ? PLX_PCAP_NS : PLX_PCAP_US;
}

/* Of the first port that is looked at. */
static bool first_is_ip(const struct plx_tap_writer *w)
{
	struct tap_port p;

	for (uint32_t i = 0; i < PLX_PORT_MAX; i++)
		if (is_tapped(w, i) && find_port(w, i, &p))
			return p.ip;
	return false;
}

static void put_classic_head(struct plx_tap_writer *w)
{
	void *room = tap__out_room(&w->out, PLX_PCAP_HEAD, &w->err);

	if (!room)
		return;
	w->ip = first_is_ip(w);
	w->out.head = PLX_PCAP_HEAD;
	plx_pcap_head_put(room, PLX_PCAP_HEAD, unit_of(w),
		w->ip ? PLX_PCAPNG_LINK_RAW : PLX_PCAPNG_LINK_ETHERNET,
		plx_tap_conf_of(w->tap)->snap_bytes);
	plx_pcapng_rotate_wrote(&w->rotate, PLX_PCAP_HEAD, 0);
}

static void put_head(struct plx_tap_writer *w)
{
	struct tap_port p;

	w->n_ifaces = 0;
	w->tail_bytes = 0;
	for (uint32_t i = 0; i < TAP_IFACES; i++)
		w->iface[i].id = NO_IFACE;
	if (w->out.classic) {
		put_classic_head(w);
		return;
	}
	put_section(w);
	for (uint32_t i = 0; !w->err && i < PLX_PORT_MAX; i++) {
		w->iface[i].links = find_port(w, i, &p) ? 1 << p.ip : 0;
		if (w->iface[i].links && is_tapped(w, i))
			put_iface(w, i);
	}
}

/* ---- files ---- */

static bool rotates(const struct plx_tap_writer *w)
{
	const struct plx_pcapng_rotate_conf *c = &w->rotate.conf;

	return w->rec || c->files || c->bytes || c->pkts || c->duration_ns;
}

static int file_name(const struct plx_tap_writer *w, char *name, size_t room)
{
	time_t when = (time_t)(wall_now() / PLX_SEC(1));
	struct tm tm;

	if (!rotates(w)) {
		if (strlen(w->file) >= room)
			return -ENAMETOOLONG;
		memcpy(name, w->file, strlen(w->file) + 1);
		return 0;
	}
	localtime_r(&when, &tm);
	return plx_pcapng_rotate_name(name, room, w->file, w->rotate.num, &tm);
}

void tap__writer_begin(struct plx_tap_writer *w)
{
	uint32_t old = plx_pcapng_rotate_next(&w->rotate, tap__now(w->tap));
	char name[PATH_MAX];

	tap__out_delete(&w->out, old);
	w->err = file_name(w, name, sizeof(name));
	if (!w->err)
		w->err = tap__out_open(&w->out, name, w->rotate.num);
	if (w->err)
		return;
	plx_count(w->files, 1);
	put_head(w);
}

void tap__writer_end(struct plx_tap_writer *w)
{
	int err;

	put_all_stats(w, true);
	err = tap__out_close(&w->out);
	if (!w->err)
		w->err = err;
}

/* Neither a limit nor the time have to be looked at. */
static bool has_room(const struct plx_tap_writer *w, uint64_t bytes)
{
	const struct plx_pcapng_rotate *r = &w->rotate;

	return r->num && !r->conf.duration_ns && (!r->conf.pkts || r->pkts < r->conf.pkts) &&
	       (!r->conf.bytes || r->bytes + bytes <= r->conf.bytes);
}

PLX_NOINLINE static void rotate_now(struct plx_tap_writer *w, uint64_t bytes)
{
	if (w->err || !plx_pcapng_rotate_due(&w->rotate, bytes, tap__now(w->tap)))
		return;
	tap__writer_end(w);
	if (!w->err)
		tap__writer_begin(w);
}

static inline void rotate(struct plx_tap_writer *w, uint64_t bytes)
{
	if (plx_unlikely(!has_room(w, bytes)))
		rotate_now(w, bytes);
}

/* ---- packets ---- */

/* Of the port, unless it has another link layer than the packet has. */
static uint32_t slot_of(const struct plx_tap_writer *w, const struct plx_tap_pkt *p)
{
	bool ip = p->link == PLX_TAP_LINK_IP;

	if (p->port < PLX_PORT_MAX && w->iface[p->port].links >> ip & 1)
		return p->port;
	return PLX_PORT_MAX + p->link;
}

static uint32_t file_flags(const struct plx_tap_pkt *p)
{
	uint32_t f = p->flags & PLX_TAP_F_OUT ? PLX_PCAPNG_F_OUT : PLX_PCAPNG_F_IN;

	if (p->flags & PLX_TAP_F_CSUM_OK)
		f |= PLX_PCAPNG_F_CSUM_VALID;
	if (p->flags & PLX_TAP_F_CSUM_OPEN)
		f |= PLX_PCAPNG_F_CSUM_NOT_READY;
	if (p->flags & PLX_TAP_F_SUPER)
		f |= PLX_PCAPNG_F_TSO;
	return f;
}

/* What a packet of it stands for. */
static uint32_t sample_of(const struct plx_tap_writer *w, const struct plx_tap_pkt *p)
{
	uint64_t n = (uint64_t)plx_tap_conf_of(w->tap)->sample * plx_tap_every(p->thin);

	return (uint32_t)PLX_MIN(n, (uint64_t)UINT32_MAX);
}

/* All but the interface and the comment. What is not set here is never asked for. */
static void to_file(
	struct plx_tap_writer *w, const struct plx_tap_pkt *p, struct plx_pcapng_pkt *to)
{
	uint32_t has = PLX_PCAPNG_FLAGS | PLX_PCAPNG_META;

	if (p->port != PLX_PKT_NO_PORT)
		has |= PLX_PCAPNG_QUEUE;
	if (p->flags & PLX_TAP_F_HASH)
		has |= PLX_PCAPNG_HASH;
	if (p->lost)
		has |= PLX_PCAPNG_DROPS;
	to->ts_ns = wall_of(w, p->ts_ns);
	to->data = plx_tap_data(p);
	to->caplen = p->caplen;
	to->len = p->len;
	to->has = has;
	to->flags = file_flags(p);
	to->queue = p->queue;
	to->hash = p->hash;
	to->drops = p->lost;
	to->meta.hook = (uint8_t)(p->point + 1);
	to->meta.reason = p->reason;
	to->meta.sample = plx_unlikely(p->thin) ? sample_of(w, p) : plx_tap_conf_of(w->tap)->sample;
}

static void put_pkt(struct plx_tap_writer *w, const struct plx_pcapng_pkt *pkt, size_t need)
{
	void *room = tap__out_room(&w->out, need, &w->err);

	if (!room)
		return;
	plx_pcapng_pkt_put(room, need, pkt);
	w->rotate.bytes += need;
	w->rotate.pkts++;
	plx_count(w->written, 1);
}

/* Why it was dropped; that it was waited for. @return buf, or NULL: there is nothing to say. */
static const char *comment_of(
	const struct plx_tap_writer *w, const struct plx_tap_pkt *p, char buf[static COMMENT])
{
	const char *asked = w->rec ? tap__recorder_note(w->rec, p) : NULL;
	bool dropped = p->reason && p->reason < PLX_DROP_MAX;
	int n = 0;

	if (dropped)
		n = snprintf(buf, COMMENT, "%s: %s", plx_drop_info[p->reason].name,
			plx_drop_info[p->reason].text);
	if (asked)
		snprintf(buf + n, (size_t)(COMMENT - n), "%strigger: %s", dropped ? "; " : "",
			asked);
	return dropped || asked ? buf : NULL;
}

static uint32_t pad4(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* Most packets have the same options as the one before. */
static size_t need_of(struct plx_tap_writer *w, const struct plx_pcapng_pkt *pkt)
{
	if (plx_unlikely(pkt->comment.p))
		return plx_pcapng_pkt_need(pkt);
	if (plx_unlikely(pkt->has != w->opts)) {
		w->opts = pkt->has;
		w->opts_need = plx_pcapng_pkt_need(pkt) - pad4(pkt->caplen);
	}
	return w->opts_need + pad4(pkt->caplen);
}

static bool on_pkt(void *arg, const struct plx_tap_pkt *p)
{
	struct plx_tap_writer *w = arg;
	struct plx_pcapng_pkt *pkt = &w->pkt;
	uint32_t slot = slot_of(w, p);
	char why[COMMENT];
	size_t need;

	to_file(w, p, pkt);
	pkt->comment = plx_pcapng_text(comment_of(w, p, why));
	need = need_of(w, pkt);
	rotate(w, room_for(w, slot, need));
	if (!w->err && w->iface[slot].id == NO_IFACE)
		put_iface(w, slot);
	if (w->err)
		return false;
	pkt->iface = w->iface[slot].id;
	put_pkt(w, pkt, need);
	if (w->err)
		return false;
	w->iface[slot].delivered++;
	w->last_ns = p->ts_ns;
	return true;
}

static bool on_classic_pkt(void *arg, const struct plx_tap_pkt *p)
{
	struct plx_tap_writer *w = arg;
	const struct plx_pcapng_pkt pkt = {.ts_ns = wall_of(w, p->ts_ns),
		.data = plx_tap_data(p),
		.caplen = p->caplen,
		.len = p->len};
	size_t need = plx_pcap_pkt_put(NULL, 0, unit_of(w), &pkt);
	void *room;

	w->last_ns = p->ts_ns;
	if ((p->link == PLX_TAP_LINK_IP) != w->ip) {
		plx_count(w->unfit, 1);
		return true;
	}
	rotate(w, need);
	room = w->err ? NULL : tap__out_room(&w->out, need, &w->err);
	if (!room)
		return false;
	plx_pcap_pkt_put(room, need, unit_of(w), &pkt);
	plx_pcapng_rotate_wrote(&w->rotate, need, 1);
	plx_count(w->written, 1);
	return true;
}

bool tap__writer_put(struct plx_tap_writer *w, const struct plx_tap_pkt *p)
{
	return w->out.classic ? on_classic_pkt(w, p) : on_pkt(w, p);
}

/* ---- the thread ---- */

/* Nothing has come: what was written is to be seen, and the next look may wait. */
static void rest(struct plx_tap_writer *w, unsigned int *us)
{
	w->err = w->out.n ? tap__out_flush(&w->out) : tap__out_check(&w->out);
	rotate(w, 0);
	usleep(*us);
	*us = PLX_MIN(*us * 2, (unsigned int)TAP_IDLE_US);
}

static void run(struct plx_tap_writer *w)
{
	plx_tap_read_fn fn = w->out.classic ? on_classic_pkt : on_pkt;
	unsigned int us = IDLE_US;

	while (!w->err && !plx_tap_done(w->tap)) {
		/* before the look: what is there then is all that there is */
		bool last = __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
		plx_ns now = tap__now(w->tap);

		keep_told(w, now);
		if (plx_tap_read(w->tap, fn, w, TAP_BATCH)) {
			tap__writer_keep_time(w, w->last_ns);
			us = IDLE_US;
			continue;
		}
		tap__writer_keep_time(w, now);
		if (last)
			break;
		if (!w->err)
			rest(w, &us);
	}
}

/* Not in an lcore's way, if there is another CPU. */
static void leave_lcores(const struct tap_host *h)
{
	rte_cpuset_t cpus, theirs;

	memset(&cpus, 0xff, sizeof(cpus)); /* the kernel leaves those that we may use */
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (uint16_t i = 0; i < h->n_lcores; i++) {
		theirs = rte_lcore_cpuset(h->lcore[i]);
		CPU_AND(&theirs, &theirs, &cpus);
		CPU_XOR(&cpus, &cpus, &theirs);
	}
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *thread_main(void *arg)
{
	struct plx_tap_writer *w = arg;

	leave_lcores(tap__host(w->tap));
	if (w->rec)
		tap__recorder_run(w);
	else
		run(w);
	plx_tap_detach(w->tap);
	if (!w->rec)
		tap__writer_end(w);
	__atomic_store_n(&w->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- life ---- */

static void writer_free(struct plx_tap_writer *w)
{
	tap__recorder_end(w);
	if (w->tap)
		plx_tap_close(w->tap);
	tap__recorder_free(w->rec);
	tap__out_fini(&w->out);
	free(w->file);
	free(w->app);
	free(w);
}

static struct plx_tap_writer *writer_new(const struct plx_tap_writer_conf *conf)
{
	struct plx_tap_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->file = strdup(conf->file);
	w->app = strdup(conf->app ? conf->app : "");
	plx_pcapng_rotate_init(&w->rotate, &conf->rotate);
	if (tap__out_init(&w->out, conf->rotate.files) == 0 && w->file && w->app) {
		w->out.there = conf->there;
		w->out.classic = conf->format != PLX_TAP_PCAPNG;
		w->format = conf->format;
		if (conf->tap.keep_bytes)
			w->rec = tap__recorder_new(&conf->record, conf->tap.limit);
		if (w->rec || !conf->tap.keep_bytes)
			return w;
	}
	writer_free(w);
	return NULL;
}

/* Signals are others' affair; EPIPE says what SIGPIPE does. */
static int start_thread(struct plx_tap_writer *w, struct plx_error *e)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return plx_error_set(e, -err, PLX_ERR_RUN, "a capture", strerror(err));
	pthread_setname_np(w->thread, "plx-capture");
	return 0;
}

static void stop_thread(struct plx_tap_writer *w)
{
	__atomic_store_n(&w->out.stop, true, __ATOMIC_RELAXED);
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
}

static int begin_file(struct plx_tap_writer *w, struct plx_error *e)
{
	tap__writer_begin(w);
	if (!w->err)
		w->err = tap__out_flush_now(&w->out);
	return w->err ? plx_error_set(e, w->err, PLX_ERR_PCAP_FILE, w->file,
				w->err == -ENXIO ? "nobody reads this pipe" : strerror(-w->err))
		      : 0;
}

/* All that can be refused comes before the tap hangs, so that there is no lcore to wait for. */
static int begin(struct plx_tap_writer *w, struct plx_error *e)
{
	int err;

	w->start_ns = wall_now();
	w->told_ns = tap__now(w->tap);
	plx_tap_clock_init(&w->clock, w->told_ns, w->start_ns);
	w->ts_ns = INT64_MIN;
	err = w->rec ? tap__recorder_begin(w, e) : begin_file(w, e);
	if (!err)
		err = start_thread(w, e);
	if (!err && (err = tap__hang(w->tap, e)) != 0)
		stop_thread(w);
	return err;
}

struct plx_tap_writer *plx_tap_writer_start(struct plx_taps *ts,
	const struct plx_tap_writer_conf *conf, struct plx_error *e,
	struct plx_tap_filter_error *why)
{
	struct plx_tap_writer *w = writer_new(conf);
	struct plx_tap_conf tap = conf->tap;

	if (!w) {
		plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "a capture");
		return NULL;
	}
	if (w->rec)
		tap__recorder_match(w->rec, &tap);
	w->tap = tap__new(ts, &tap, e, why);
	if (w->tap && begin(w, e) == 0)
		return w;
	w->out.n = 0;
	tap__out_close(&w->out);
	writer_free(w);
	return NULL;
}

struct plx_tap *plx_tap_writer_tap(struct plx_tap_writer *w)
{
	return w->tap;
}

bool plx_tap_writer_ended(const struct plx_tap_writer *w)
{
	return __atomic_load_n(&w->ended, __ATOMIC_ACQUIRE);
}

void plx_tap_writer_stats(const struct plx_tap_writer *w, struct plx_tap_writer_stats *s)
{
	plx_tap_stats(w->tap, &s->tap);
	s->written = plx_count_read(w->written);
	s->unfit = plx_count_read(w->unfit);
	s->bytes = plx_count_read(w->out.bytes);
	s->files = plx_count_read(w->files);
	s->err = plx_tap_writer_ended(w) ? w->err : 0;
	tap__recorder_stats(w, &s->record);
}

int plx_tap_writer_stop(struct plx_tap_writer *w, struct plx_tap_writer_stats *s)
{
	int err;

	plx_tap_detach(w->tap);
	while (!plx_tap_gone(w->tap))
		usleep(IDLE_US);
	stop_thread(w);
	if (s)
		plx_tap_writer_stats(w, s);
	err = w->err;
	writer_free(w);
	return err;
}
