/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES (64u << 20)
#define WIRE_BYTES  54 /* Ethernet, IPv4 and TCP headers */

struct sim_pkt {
	plx_ns at;
	uint64_t order;
	struct sim_end *to;
	struct plx_tcp_seg seg;
	uint64_t stream; /* where its text belongs */
};

__attribute__((format(printf, 2, 3))) static void broken(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->broken)
		return;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	s->broken = s->why;
}

/* ---- packets under way ---- */

static bool earlier(const struct sim_pkt *a, const struct sim_pkt *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct sim *s, const struct sim_pkt *p)
{
	uint32_t i;

	if (s->n_heap == s->cap_heap) {
		s->cap_heap = s->cap_heap ? s->cap_heap * 2 : 1024;
		s->heap = realloc(s->heap, s->cap_heap * sizeof(*s->heap));
		if (!s->heap)
			abort();
	}
	for (i = s->n_heap++; i > 0 && earlier(p, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = *p;
}

static struct sim_pkt pop(struct sim *s)
{
	struct sim_pkt top = s->heap[0], last = s->heap[--s->n_heap];
	uint32_t i = 0;

	for (uint32_t k; (k = 2 * i + 1) < s->n_heap; i = k) {
		if (k + 1 < s->n_heap && earlier(&s->heap[k + 1], &s->heap[k]))
			k++;
		if (!earlier(&s->heap[k], &last))
			break;
		s->heap[i] = s->heap[k];
	}
	s->heap[i] = last;
	return top;
}

static void show(const struct sim *s, const struct sim_end *e, const char *how, uint32_t seq,
	uint32_t len, uint32_t ack, uint16_t flags, uint32_t win, const struct plx_tcp_opts *o)
{
	printf("%12.6f %c %s %c%c%c%c %u:%u(%u) ack %u win %u", (double)s->now / 1e9,
		e == s->end[0] ? 'A' : 'B', how, flags & PLX_TCP_SYN ? 'S' : '.',
		flags & PLX_TCP_FIN ? 'F' : '.', flags & PLX_TCP_RST ? 'R' : '.',
		flags & PLX_TCP_PSH ? 'P' : '.', seq, seq + len, len, ack, win);
	if (o->present & PLX_TCP_OPT_SACK)
		for (int i = 0; i < o->n_sack; i++)
			printf(" sack %u:%u", o->sack[i].start, o->sack[i].end);
	printf("\n");
}

static void transmit(struct sim_end *e, const struct plx_tcp_tx *tx)
{
	struct sim *s = e->sim;
	struct plx_impair_pkt what = {.bytes = tx->len + WIRE_BYTES};
	struct plx_impair_verdict v;
	struct sim_pkt p = {
		.to = e->peer,
		.stream = e->acked + tx->off,
		.seg = {.seq = tx->seq,
			.ack = tx->ack,
			.len = tx->len,
			.flags = tx->flags,
			.win = tx->win,
			.urg = tx->urg,
			.ecn = tx->ecn,
			.opts = tx->opts},
	};

	e->segs_out++;
	e->bytes_out += tx->len;
	if (tx->len && e->acked + tx->off + tx->len > e->written)
		broken(s, "sends what was never written");
	if (s->trace)
		show(s, e, "> ", tx->seq - e->c.iss, tx->len, tx->ack - e->peer->c.iss, tx->flags,
			tx->win, &tx->opts);
	e->out->pkts++;
	e->out->bytes += what.bytes;
	plx_impair_decide(&e->out->im, s->now, &what, &v);
	if (v.drop != PLX_DROP_NONE || v.flips) {
		if (s->trace)
			printf("             (lost)\n");
		return;
	}
	for (unsigned int i = 0; i < v.copies; i++) {
		p.at = v.depart_ns;
		p.order = s->order++;
		push(s, &p);
	}
}

/* ---- a program ---- */

static uint64_t wanted(const struct sim_end *e)
{
	return e->to_send + e->answer * e->read;
}

static bool sent_all(const struct sim_end *e)
{
	return e->written == wanted(e) && (!e->answer || (e->fin && !e->readable));
}

static void program(struct sim_end *e)
{
	struct sim *s = e->sim;
	uint64_t room, n;

	if (e->closed || e->over || e->c.id.state == PLX_TCP_CLOSED)
		return;
	if (e->readable) {
		n = e->readable;
		if (e->read_rate) {
			uint64_t may =
				(uint64_t)(s->now - e->read_at) / 1000 * e->read_rate / 1000000;

			n = PLX_MIN(n, may);
		}
		if (n) {
			e->read_at = s->now;
			e->read += n;
			e->readable -= n;
			plx_tcp_read(&e->c, (uint32_t)n, s->now);
		}
	}
	room = plx_tcp_sndbuf(&e->c);
	room = room > plx_tcp_unacked(&e->c) ? room - plx_tcp_unacked(&e->c) : 0;
	n = PLX_MIN(room, wanted(e) - e->written);
	if (n) {
		e->written += n;
		plx_tcp_wrote(&e->c, (uint32_t)n, s->now);
	}
	if (sent_all(e) && !e->keep_open && e->fin && !e->readable) {
		e->closed = true;
		plx_tcp_close(&e->c, s->now);
	} else if (sent_all(e) && !e->keep_open) {
		plx_tcp_shutdown(&e->c, s->now);
	}
}

static bool output(struct sim_end *e, const struct plx_tcp_room *room, struct plx_tcp_tx *tx)
{
	bool idle = plx_tcp_idle(&e->c, e->sim->now);
	bool sent = plx_tcp_output(&e->c, e->sim->now, room, tx);

	if (idle && sent)
		broken(e->sim, "idle, and sends");
	return sent;
}

static void drain(struct sim_end *e)
{
	const struct plx_tcp_room room = {.segs = UINT32_MAX, .bytes = UINT32_MAX};
	struct plx_tcp_tx tx;
	uint32_t n = 0;

	while (output(e, &room, &tx)) {
		transmit(e, &tx);
		if (++n > 100000) {
			broken(e->sim, "output without end");
			return;
		}
	}
	if (e->c.packets_out && e->c.rtx_ns == PLX_NEVER && e->c.id.state != PLX_TCP_CLOSED)
		broken(e->sim, "text in flight and no timer");
}

static void over(struct sim_end *e)
{
	if (e->over)
		return;
	e->over = true;
	e->over_at = e->sim->now;
}

static void events(struct sim_end *e, uint16_t ev)
{
	if (ev & PLX_TCP_EV_FIN)
		e->fin = true;
	if (ev & (PLX_TCP_EV_RESET | PLX_TCP_EV_CLOSED | PLX_TCP_EV_TIME_WAIT))
		over(e);
}

/* Each kept byte is where it belongs, and comes once. */
static void keep(
	struct sim_end *e, const struct sim_pkt *p, const struct plx_tcp_rx *rx, uint64_t before)
{
	for (uint32_t i = 0; i < rx->n_keep; i++) {
		const struct plx_tcp_keep *k = &rx->keep[i];
		uint64_t at = before + k->at;

		if (k->len == 0 || k->off + (uint64_t)k->len > p->seg.len)
			broken(e->sim, "keeps [%u, +%u) of %u bytes", k->off, k->len, p->seg.len);
		if (at != p->stream + k->off)
			broken(e->sim, "byte %llu kept at %llu",
				(unsigned long long)(p->stream + k->off), (unsigned long long)at);
		if (at < before || plx_ranges_overlaps(&e->kept, at, at + k->len))
			broken(e->sim, "byte %llu kept twice", (unsigned long long)at);
		if (plx_ranges_add(&e->kept, at, at + k->len) != 0)
			broken(e->sim, "too many ranges");
	}
	if (!rx->ready)
		return;
	if (!plx_ranges_contains(&e->kept, before, before + rx->ready))
		broken(e->sim, "readable, and not here");
	plx_ranges_remove(&e->kept, before, before + rx->ready);
	e->received += rx->ready;
	e->readable += rx->ready;
}

/* The handshake of an end that listens. @return whether the segment is now the connection's. */
static bool handshake(
	struct sim *s, struct sim_end *e, const struct plx_tcp_seg *seg, struct plx_tcp_rx *rx)
{
	struct plx_tcp_path path = {.mtu = s->mtu};
	struct plx_tcp_start start;
	enum plx_tcp_verdict v;
	enum plx_drop drop;

	if (e->req)
		v = plx_tcp_req_input(&s->ctx, e->req, seg, &path, s->now, rx, &start, &drop);
	else
		v = plx_tcp_listener_input(&s->ctx, &e->listener, &e->c.id, seg, &path, s->now, 0,
			rx, &e->req, &start, &drop);
	if (v == PLX_TCP_VERDICT_SYN_ACK || rx->reply)
		transmit(e, rx->tx);
	if (e->req && (v == PLX_TCP_VERDICT_ACCEPT || rx->events & PLX_TCP_EV_RESET)) {
		plx_tcp_req_fini(&s->ctx, e->req);
		e->req = NULL;
	}
	if (v != PLX_TCP_VERDICT_ACCEPT)
		return false;
	e->listens = false;
	plx_tcp_accept(&e->c, &start, &path, s->now);
	return true;
}

static void synacks(struct sim *s)
{
	struct plx_tcp_path path = {.mtu = s->mtu};
	struct plx_tcp_req *r;
	struct plx_tcp_tx tx;

	while ((r = plx_tcp_req_due(&s->ctx, s->now))) {
		struct sim_end *e = r->listener->user;

		switch (plx_tcp_req_timer(&s->ctx, r, &path, s->now, &tx)) {
		case PLX_TCP_REQ_SEND:
			transmit(e, &tx);
			break;
		case PLX_TCP_REQ_OVER:
			plx_tcp_req_fini(&s->ctx, r);
			e->req = NULL;
			break;
		default:
			break;
		}
	}
}

static void receive(struct sim *s, const struct sim_pkt *p)
{
	struct sim_end *e = p->to;
	struct plx_tcp_tx reply;
	struct plx_tcp_rx rx = {.tx = &reply};
	uint64_t before = e->received;
	enum plx_drop drop;

	if (e->over && e->c.id.state != PLX_TCP_TIME_WAIT) {
		return;
	}
	if (s->trace)
		show(s, e, " <", p->seg.seq - e->peer->c.iss, p->seg.len, p->seg.ack - e->c.iss,
			p->seg.flags, p->seg.win, &p->seg.opts);
	if (e->listens && !handshake(s, e, &p->seg, &rx))
		return;
	drop = plx_tcp_input(&e->c, &p->seg, s->now, &rx);
	if (s->trace && drop != PLX_DROP_NONE)
		printf("             (%s)\n", plx_drop_info[drop].name);
	keep(e, p, &rx, before);
	e->twice += p->seg.len && p->stream + p->seg.len <= before;
	e->acked += rx.acked;
	if (e->acked > e->written)
		broken(s, "acknowledged before it was written");
	events(e, rx.events);
	if (rx.reply) {
		transmit(e, &reply);
	}
	if (rx.ack_now)
		drain(e);
	program(e);
	drain(e);
}

/* ---- the whole ---- */

void sim_init(struct sim *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->mtu = 1500;
	plx_tunables_init(&s->tun);
	s->arena_mem = aligned_alloc(4096, ARENA_BYTES);
	s->mem = malloc(sizeof(*s->mem));
	if (!s->arena_mem || !s->mem || plx_arena_init(s->mem, s->arena_mem, ARENA_BYTES) != 0)
		abort();
	s->ctx = (struct plx_tcp_ctx){.tun = &s->tun, .stat = s->stat, .mem = s->mem, .seed = seed};
	s->ctx.table = plx_tcp_table_create(
		&(struct plx_tcp_table_conf){.seed = {seed, 1}, .mem = s->mem});
	if (!s->ctx.table || plx_tcp_ctx_init(&s->ctx) != 0)
		abort();
}

void sim_fini(struct sim *s)
{
	for (uint32_t i = 0; i < s->n_ends; i++) {
		if (s->end[i]->req)
			plx_tcp_req_fini(&s->ctx, s->end[i]->req);
		plx_tcp_fini(&s->end[i]->c);
	}
	plx_tcp_table_destroy(s->ctx.table);
	if (plx_arena_used(s->mem) != 0)
		broken(s, "leaks memory");
	free(s->arena_mem);
	free(s->mem);
	free(s->heap);
}

void sim_link_init(struct sim *s, struct sim_link *l, const char *text)
{
	struct plx_impair_conf conf = {.seed = s->seed ^ (uintptr_t)s->order++};
	struct plx_impair_error err;

	memset(l, 0, sizeof(*l));
	if (*text && plx_impair_conf_parse(&conf, text, &err) != 0) {
		fprintf(stderr, "sim: '%s': %s\n", text, err.text);
		abort();
	}
	conf.seed += s->seed;
	if (plx_impair_init(&l->im, &conf) != 0)
		abort();
}

static void add(struct sim *s, struct sim_end *e, struct sim_link *out, struct sim_end *peer)
{
	bool server = s->n_ends & 1;
	uint16_t port = (uint16_t)(1000 + s->n_ends / 2);
	struct plx_tcp_id id = {.lport = server ? 80 : port, .rport = server ? port : 80};
	uint8_t a[4] = {10, 0, 0, 1}, b[4] = {10, 0, 0, 2};

	id.laddr = plx_addr_from_v4(server ? b : a);
	id.raddr = plx_addr_from_v4(server ? a : b);
	e->sim = s;
	e->peer = peer;
	e->out = out;
	plx_ranges_init(&e->kept, e->kept_v, PLX_DIM(e->kept_v));
	plx_tcp_init(&e->c, &s->ctx, &id);
	s->end[s->n_ends++] = e;
}

void sim_connect(struct sim *s, struct sim_end *a, struct sim_link *ab, struct sim_end *b,
	struct sim_link *ba, plx_ns at)
{
	add(s, a, ab, b);
	add(s, b, ba, a);
	a->open_at = at;
	b->open_at = PLX_NEVER;
	b->listens = true;
	b->listener = (struct plx_tcp_listener){.id = b->c.id, .backlog = 128, .user = b};
}

static plx_ns next_of(const struct sim_end *e)
{
	plx_ns t =
		e->over && e->c.id.state != PLX_TCP_TIME_WAIT ? PLX_NEVER : plx_tcp_deadline(&e->c);

	if (e->open_at != PLX_NEVER)
		t = PLX_MIN(t, e->open_at);
	if (e->readable && e->read_rate && !e->over)
		t = PLX_MIN(t, e->read_at + PLX_MS(10));
	return t;
}

static void turn(struct sim *s, struct sim_end *e)
{
	struct plx_tcp_path path = {.mtu = s->mtu};

	if (e->open_at <= s->now) {
		e->open_at = PLX_NEVER;
		plx_tcp_open(&e->c, &path, 0, s->now);
	}
	events(e, plx_tcp_timer(&e->c, s->now));
	program(e);
	drain(e);
}

bool sim_run(struct sim *s, plx_ns until)
{
	uint64_t idle = 0;

	while (!s->broken) {
		plx_ns next = PLX_MIN(
			s->n_heap ? s->heap[0].at : PLX_NEVER, plx_tcp_req_deadline(&s->ctx));
		bool all = true;

		for (uint32_t i = 0; i < s->n_ends; i++) {
			next = PLX_MIN(next, next_of(s->end[i]));
			all = all && s->end[i]->over;
		}
		if (all)
			return true;
		if (next > until || next == PLX_NEVER)
			break;
		idle = next <= s->now ? idle + 1 : 0;
		if (idle > 1000000)
			broken(s, "time stands still");
		s->now = PLX_MAX(s->now, next);
		while (s->n_heap && s->heap[0].at <= s->now) {
			struct sim_pkt p = pop(s);

			receive(s, &p);
		}
		synacks(s);
		for (uint32_t i = 0; i < s->n_ends; i++)
			if (next_of(s->end[i]) <= s->now)
				turn(s, s->end[i]);
	}
	return false;
}
