/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any segment in any state: a connection that is taken there first, a listener with its SYN queue,
 * a TIME-WAIT. What must hold of a connection holds after each step; each byte is kept once; a
 * reset is never answered by one.
 */
#include "tcp_check.h"

#include <stdlib.h>

#define IRS 0xfffff000u

static struct plx_tunables tun;
static uint64_t stat[PLX_STAT_MAX];
static struct plx_arena arena;
static struct plx_tcp_ctx ctx;
static struct plx_tcp_listener listener;
static struct plx_tcp c;
static struct plx_tcp_req *req;
static struct plx_tcp_tw tw;
static enum plx_tcp_kind kind; /* which of them segments go to */
static struct plx_ranges kept;
static struct plx_range kept_v[1024];
static uint64_t received;
static uint32_t peer_ack; /* of SYN-ACKs and of what we send */
static plx_ns now;

static const struct plx_tcp_path path = {.mtu = 1500};

static struct plx_tcp_id tuple(void)
{
	struct plx_tcp_id id = {.lport = 80, .rport = 1000};

	id.laddr = plx_addr_from_v4("\x0a\x00\x00\x01");
	id.raddr = plx_addr_from_v4("\x0a\x00\x00\x02");
	return id;
}

static void drain(void)
{
	const struct plx_tcp_room room = {.segs = 8, .bytes = 65536};
	struct plx_tcp_tx tx;

	for (uint32_t n = 0; plx_tcp_output(&c, now, &room, &tx); n++) {
		must(n < 10000);
		peer_ack = tx.seq + tx.len + !!(tx.flags & (PLX_TCP_SYN | PLX_TCP_FIN));
		check_conn(&c);
	}
	check_conn(&c);
}

static void keep(const struct plx_tcp_seg *seg, const struct plx_tcp_rx *rx)
{
	uint64_t before = received;

	for (uint32_t i = 0; i < rx->n_keep; i++) {
		const struct plx_tcp_keep *k = &rx->keep[i];

		must(k->len > 0 && k->off + (uint64_t)k->len <= seg->len);
		must(!plx_ranges_overlaps(&kept, before + k->at, before + k->at + k->len));
		must(plx_ranges_add(&kept, before + k->at, before + k->at + k->len) == 0);
	}
	if (!rx->ready)
		return;
	must(plx_ranges_contains(&kept, before, before + rx->ready));
	must(plx_ranges_remove(&kept, before, before + rx->ready) == 0);
	received += rx->ready;
}

/* RFC 9293 3.10.7: nothing answers a reset but challenge ACKs. */
static void check_reply(const struct plx_tcp_seg *seg, const struct plx_tcp_rx *rx)
{
	if (seg->flags & PLX_TCP_RST && rx->reply)
		must(!(rx->tx->flags & PLX_TCP_RST));
}

static void to_conn(const struct plx_tcp_seg *seg)
{
	struct plx_tcp_tx reply;
	struct plx_tcp_rx rx = {.tx = &reply};
	enum plx_tcp_state before = c.id.state;

	plx_tcp_input(&c, seg, now, &rx);
	check_reply(seg, &rx);
	keep(seg, &rx);
	if (before != PLX_TCP_CLOSED && c.id.state == PLX_TCP_CLOSED)
		must(rx.events & (PLX_TCP_EV_RESET | PLX_TCP_EV_CLOSED));
	drain();
	if (c.id.state == PLX_TCP_TIME_WAIT) {
		if (plx_tcp_tw_init(&tw, &c, now) == 0)
			kind = PLX_TCP_KIND_TW;
		else
			kind = PLX_TCP_KIND_LISTENER;
		plx_tcp_fini(&c);
	}
}

static void accepted(const struct plx_tcp_start *start, const struct plx_tcp_seg *seg)
{
	struct plx_tcp_id id = tuple();

	if (req)
		plx_tcp_req_fini(&ctx, req);
	req = NULL;
	plx_tcp_init(&c, &ctx, &id);
	plx_tcp_accept(&c, start, &path, now);
	kind = PLX_TCP_KIND_CONN;
	to_conn(seg);
}

static void to_listener(const struct plx_tcp_seg *seg)
{
	struct plx_tcp_tx reply;
	struct plx_tcp_rx rx = {.tx = &reply};
	struct plx_tcp_id id = tuple();
	struct plx_tcp_start start;
	enum plx_tcp_verdict v;
	enum plx_drop drop;

	if (req)
		v = plx_tcp_req_input(&ctx, req, seg, &path, now, &rx, &start, &drop);
	else
		v = plx_tcp_listener_input(
			&ctx, &listener, &id, seg, &path, now, 0, &rx, &req, &start, &drop);
	check_reply(seg, &rx);
	if (v == PLX_TCP_VERDICT_SYN_ACK)
		peer_ack = reply.seq + 1;
	if (v == PLX_TCP_VERDICT_ACCEPT) {
		accepted(&start, seg);
	} else if (req && rx.events & PLX_TCP_EV_RESET) {
		plx_tcp_req_fini(&ctx, req);
		req = NULL;
	}
}

static void to_tw(const struct plx_tcp_seg *seg)
{
	struct plx_tcp_tx reply;
	struct plx_tcp_rx rx = {.tx = &reply};

	plx_tcp_tw_input(&ctx, &tw, seg, now, &rx);
	check_reply(seg, &rx);
}

/* Where the peer's next byte belongs, that most segments be of interest. */
static uint32_t next_seq(void)
{
	if (kind == PLX_TCP_KIND_CONN && c.id.state != PLX_TCP_SYN_SENT)
		return c.rcv.nxt;
	return req ? req->irs + 1 : IRS;
}

static void options(struct input *in, struct plx_tcp_opts *o)
{
	uint8_t what = u8(in);

	o->present = what & 0x1f;
	o->mss = (uint16_t)(u8(in) << 3);
	o->wscale = what >> 5;
	o->ts_val = (uint32_t)(plx_tcp_ts_now(now) + (int8_t)u8(in));
	o->ts_ecr =
		plx_tcp_ts_now(now) + (kind == PLX_TCP_KIND_CONN ? c.ts_off : 0) - (u8(in) & 15);
	if (!(what & PLX_TCP_OPT_SACK))
		return;
	o->n_sack = (uint8_t)(1 + u8(in) % PLX_TCP_SACKS_MAX);
	for (uint32_t i = 0; i < o->n_sack; i++) {
		o->sack[i].start = peer_ack - u8(in) * 100u;
		o->sack[i].end = o->sack[i].start + u8(in) * 50u;
	}
}

static void segment(struct input *in)
{
	uint8_t how = u8(in);
	struct plx_tcp_seg seg = {.seq = next_seq(), .ack = peer_ack, .segs = 1};

	seg.flags = (uint16_t)(u8(in) | (how & 1 ? PLX_TCP_ACK : 0));
	seg.win = (uint16_t)(u8(in) << 8);
	if (how & 2)
		seg.seq += (uint32_t)((int8_t)u8(in) * 64);
	if (how & 4)
		seg.ack -= (uint32_t)((int8_t)u8(in) * 16);
	if (how & 8)
		seg.len = u8(in) * 17u;
	if (how & 16)
		seg.urg = u8(in);
	if (how & 32)
		options(in, &seg.opts);
	seg.ecn = how >> 6;
	if (kind == PLX_TCP_KIND_CONN)
		to_conn(&seg);
	else if (kind == PLX_TCP_KIND_TW)
		to_tw(&seg);
	else
		to_listener(&seg);
}

static void time_goes_on(uint8_t by)
{
	now += PLX_MS(by) * (by & 1 ? 1 : 20);
	if (kind != PLX_TCP_KIND_CONN)
		return;
	plx_tcp_timer(&c, now);
	drain();
}

static void program(uint8_t what, uint8_t by)
{
	if (kind != PLX_TCP_KIND_CONN)
		return;
	switch (what % 8) {
	case 0:
	case 1:
		if (!c.fin_due && !c.fin_sent && !c.orphan)
			plx_tcp_wrote(&c, by * 50u, now);
		break;
	case 2:
		if (c.id.state != PLX_TCP_CLOSED && tcp__synchronized(&c))
			plx_tcp_read(&c, PLX_MIN(plx_tcp_readable(&c), by * 50u), now);
		break;
	case 3:
		plx_tcp_shutdown(&c, now);
		break;
	case 4:
		by < 128 ? plx_tcp_close(&c, now) : plx_tcp_urgent(&c);
		break;
	case 5:
		plx_tcp_error(&c, EHOSTUNREACH, by & 1, c.snd.una, now);
		break;
	case 6:
		plx_tcp_path_mtu(&c, (uint16_t)(by * 6), c.snd.una, now);
		break;
	case 7:
		plx_tcp_set_rcvbuf(&c, by * 100u);
		plx_tcp_set_user_timeout(&c, by * 10u);
		plx_tcp_set_keepalive(&c, by & 1, 1, 1, 1 + by % 4, now);
		break;
	}
	check_conn(&c);
	drain();
}

static void begin(uint8_t how)
{
	struct plx_tcp_id id = tuple();

	plx_tunables_init(&tun);
	tun.v[PLX_TUN_TCP_SACK] = how & 1;
	tun.v[PLX_TUN_TCP_TIMESTAMPS] = how >> 1 & 1;
	tun.v[PLX_TUN_TCP_ECN] = how >> 2 & 1;
	tun.v[PLX_TUN_TCP_SYNCOOKIES] = how & 8 ? 2 : 1;
	if (how & 16)
		tun.v[PLX_TUN_TCP_RMEM_DEFAULT] = 4096;
	now = PLX_SEC(10);
	plx_ranges_init(&kept, kept_v, PLX_DIM(kept_v));
	received = 0;
	peer_ack = 0;
	req = NULL;
	listener = (struct plx_tcp_listener){.id = id, .backlog = 2};
	listener.id.kind = PLX_TCP_KIND_LISTENER;
	kind = PLX_TCP_KIND_LISTENER;
	if (how & 32)
		return;
	kind = PLX_TCP_KIND_CONN;
	plx_tcp_init(&c, &ctx, &id);
	plx_tcp_open(&c, &path, 0, now);
	drain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	static void *mem;

	if (!mem) {
		mem = aligned_alloc(4096, 1 << 20);
		must(mem && plx_arena_init(&arena, mem, 1 << 20) == 0);
		plx_tunables_init(&tun);
		ctx = (struct plx_tcp_ctx){.tun = &tun, .stat = stat, .mem = &arena, .seed = 1};
		ctx.table = plx_tcp_table_create(&(struct plx_tcp_table_conf){.mem = &arena});
		must(ctx.table);
	}
	if (size < 1 || size > 1000)
		return 0;
	must(plx_tcp_ctx_init(&ctx) == 0);
	begin(u8(&in));
	while (in.left) {
		uint8_t op = u8(&in);

		if (op < 160)
			segment(&in);
		else if (op < 200)
			time_goes_on(u8(&in));
		else
			program(op, u8(&in));
	}
	if (kind == PLX_TCP_KIND_CONN)
		plx_tcp_fini(&c);
	else if (kind == PLX_TCP_KIND_TW)
		plx_tcp_tw_fini(&ctx, &tw, now);
	plx_tcp_listener_fini(&ctx, &listener);
	return 0;
}
