/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two connections that talk over a wire which the fuzzer rules: it loses, doubles, delays and
 * changes segments, lets time pass, has programs write, read and close. Each byte that is kept is
 * where it belongs and comes once; what must hold of a connection holds after each step.
 */
#include "tcp_check.h"

#include <stdlib.h>

#define WIRE 64

struct packet {
	struct plx_tcp_seg seg;
	uint64_t stream; /* where its text belongs */
	uint8_t to;
	bool forged;
};

struct end {
	struct plx_tcp c;
	uint64_t written, acked, received;
	struct plx_ranges kept;
	struct plx_range kept_v[512];
	uint32_t edge; /* right edge of the window announced */
	bool fin, edge_known;
};

static struct plx_tunables tun;
static uint64_t stat[PLX_STAT_MAX];
static struct plx_arena arena;
static struct plx_tcp_ctx ctx;
static struct end end[2];
static struct packet wire[WIRE];
static uint32_t n_wire;
static plx_ns now;
static bool forged; /* from here on bytes can't be held against a stream */

static void send_tx(uint8_t from, const struct plx_tcp_tx *tx)
{
	struct end *e = &end[from];
	struct packet *p;

	if (tx->len)
		must(e->acked + tx->off + tx->len <= e->written);
	if (tx->flags & PLX_TCP_ACK && !(tx->flags & (PLX_TCP_SYN | PLX_TCP_RST)) &&
		e->c.id.state != PLX_TCP_CLOSED) {
		uint32_t edge = tx->ack + ((uint32_t)tx->win << e->c.rcv_wscale);

		if (e->edge_known)
			must(plx_seq_ge(edge, e->edge)); /* a window never shrinks */
		e->edge = edge;
		e->edge_known = true;
	}
	if (n_wire == WIRE)
		return;
	p = &wire[n_wire++];
	*p = (struct packet){.to = !from, .stream = e->acked + tx->off};
	p->seg = (struct plx_tcp_seg){.seq = tx->seq,
		.ack = tx->ack,
		.len = tx->len,
		.flags = tx->flags,
		.win = tx->win,
		.urg = tx->urg,
		.ecn = tx->ecn,
		.segs = 1,
		.opts = tx->opts};
}

static void drain(uint8_t i)
{
	const struct plx_tcp_room room = {.segs = 8, .bytes = 65536};
	struct plx_tcp_tx tx;

	for (uint32_t n = 0; plx_tcp_output(&end[i].c, now, &room, &tx); n++) {
		must(n < 10000);
		send_tx(i, &tx);
		check_conn(&end[i].c);
	}
	check_conn(&end[i].c);
}

static void keep(struct end *e, const struct packet *p, const struct plx_tcp_rx *rx)
{
	uint64_t before = e->received;

	for (uint32_t i = 0; i < rx->n_keep; i++) {
		const struct plx_tcp_keep *k = &rx->keep[i];
		uint64_t at = before + k->at;

		must(k->len > 0 && k->off + (uint64_t)k->len <= p->seg.len);
		must(!plx_ranges_overlaps(&e->kept, at, at + k->len));
		if (!forged)
			must(at == p->stream + k->off);
		must(plx_ranges_add(&e->kept, at, at + k->len) == 0);
	}
	if (rx->ready) {
		must(plx_ranges_contains(&e->kept, before, before + rx->ready));
		must(plx_ranges_remove(&e->kept, before, before + rx->ready) == 0);
		e->received += rx->ready;
	}
}

static void deliver(uint32_t i, bool stay)
{
	struct packet p = wire[i];
	struct end *e = &end[p.to];
	struct plx_tcp_tx reply;
	struct plx_tcp_rx rx = {.tx = &reply};

	if (!stay) {
		memmove(&wire[i], &wire[i + 1], (n_wire - i - 1) * sizeof(wire[0]));
		n_wire--;
	}
	plx_tcp_input(&e->c, &p.seg, now, &rx);
	keep(e, &p, &rx);
	e->acked += rx.acked;
	must(e->acked <= e->written || forged);
	e->fin |= !!(rx.events & PLX_TCP_EV_FIN);
	if (rx.reply)
		send_tx(p.to, &reply);
	check_conn(&e->c);
	drain(p.to);
}

static void change(struct plx_tcp_seg *s, uint8_t what, uint8_t by)
{
	forged = true;
	switch (what % 10) {
	case 0:
		s->seq += (int8_t)by * 100;
		break;
	case 1:
		s->ack += (int8_t)by * 100;
		break;
	case 2:
		s->flags ^= 1u << (by % 9);
		break;
	case 3:
		s->win = (uint16_t)(by * 257);
		break;
	case 4:
		s->len = by * 8u;
		break;
	case 5:
		s->opts.ts_val += (int8_t)by;
		break;
	case 6:
		s->opts.ts_ecr += (int8_t)by;
		break;
	case 7:
		s->opts.present ^= by & (PLX_TCP_OPT_TS | PLX_TCP_OPT_SACK);
		break;
	case 8:
		s->urg = by;
		break;
	case 9:
		s->opts.present |= PLX_TCP_OPT_SACK;
		s->opts.n_sack = (uint8_t)(1 + by % 4);
		for (uint32_t i = 0; i < s->opts.n_sack; i++) {
			s->opts.sack[i].start = s->ack + by * 97u * (i + 1);
			s->opts.sack[i].end = s->opts.sack[i].start + 1 + by * 31u;
		}
		break;
	}
	if (s->opts.n_sack == 0 || s->opts.n_sack > PLX_TCP_SACKS_MAX)
		s->opts.present &= (uint8_t)~PLX_TCP_OPT_SACK;
}

static void begin(uint8_t options)
{
	uint8_t addr[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
	const struct plx_tcp_path path = {.mtu = 576};

	plx_tunables_init(&tun);
	tun.v[PLX_TUN_TCP_SACK] = options & 1;
	tun.v[PLX_TUN_TCP_TIMESTAMPS] = options >> 1 & 1;
	tun.v[PLX_TUN_TCP_WINDOW_SCALING] = options >> 2 & 1;
	tun.v[PLX_TUN_TCP_ECN] = options >> 3 & 1;
	tun.v[PLX_TUN_TCP_CUBIC] = options >> 4 & 1;
	tun.v[PLX_TUN_TCP_PACING] = options >> 5 & 1;
	if (options & 64)
		tun.v[PLX_TUN_TCP_RMEM_DEFAULT] = 4096;
	ctx = (struct plx_tcp_ctx){.tun = &tun, .stat = stat, .mem = &arena, .seed = 1};
	must(plx_tcp_ctx_init(&ctx) == 0);
	n_wire = 0;
	now = PLX_SEC(1);
	forged = false;
	for (uint8_t i = 0; i < 2; i++) {
		struct plx_tcp_id id = {.lport = (uint16_t)(1 + i), .rport = (uint16_t)(2 - i)};

		id.laddr = plx_addr_from_v4(addr[i]);
		id.raddr = plx_addr_from_v4(addr[!i]);
		memset(&end[i], 0, sizeof(end[i]));
		plx_ranges_init(&end[i].kept, end[i].kept_v, PLX_DIM(end[i].kept_v));
		plx_tcp_init(&end[i].c, &ctx, &id);
		plx_tcp_open(&end[i].c, &path, 0, now);
	}
	drain(0);
	if (options & 128)
		drain(1); /* simultaneous open; else the second one opens late */
}

static void step(uint8_t op, uint8_t arg)
{
	uint8_t i = op & 1;
	struct end *e = &end[i];

	switch (op >> 1 & 15) {
	case 0:
	case 1:
	case 2:
		if (n_wire)
			deliver(arg % n_wire, false);
		return;
	case 3:
		if (n_wire)
			deliver(arg % n_wire, true); /* and once more later */
		return;
	case 4:
		if (n_wire) { /* lost */
			wire[arg % n_wire] = wire[n_wire - 1];
			n_wire--;
		}
		return;
	case 5:
		if (n_wire)
			change(&wire[n_wire - 1].seg, arg, (uint8_t)(arg >> 3 ^ op));
		return;
	case 6:
		now += PLX_MS(1 + arg);
		break;
	case 7:
		now = PLX_MAX(now, PLX_MIN(plx_tcp_deadline(&e->c), now + PLX_SEC(7200)));
		break;
	case 8:
	case 9:
		if (!e->c.orphan && !e->c.fin_due && !e->c.fin_sent) {
			e->written += arg * 16u;
			plx_tcp_wrote(&e->c, arg * 16u, now);
		}
		break;
	case 10: {
		uint32_t n = PLX_MIN(plx_tcp_readable(&e->c), arg * 16u);

		if (e->c.id.state != PLX_TCP_CLOSED)
			plx_tcp_read(&e->c, n, now);
		break;
	}
	case 11:
		plx_tcp_shutdown(&e->c, now);
		break;
	case 12:
		if (arg > 200)
			plx_tcp_close(&e->c, now);
		break;
	case 13:
		if (arg > 230)
			plx_tcp_abort(&e->c, now);
		else
			plx_tcp_set_nodelay(&e->c, arg & 1), plx_tcp_set_cork(&e->c, arg & 2);
		break;
	case 14:
		if (arg & 1)
			plx_tcp_route_mtu(&e->c, (uint16_t)(68 + arg * 6), now);
		else
			plx_tcp_path_mtu(&e->c, (uint16_t)(68 + arg * 2), e->c.snd.una, now);
		break;
	case 15: /* what is given up, the caller frees */
		plx_tcp_prune(&e->c, arg * 64u);
		plx_ranges_remove(&e->kept, e->received + arg * 64u, UINT64_MAX);
		break;
	}
	check_conn(&e->c);
	for (uint8_t k = 0; k < 2; k++) {
		plx_tcp_timer(&end[k].c, now);
		drain(k);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *mem;

	if (!mem) {
		mem = aligned_alloc(4096, 1 << 20);
		must(mem && plx_arena_init(&arena, mem, 1 << 20) == 0);
	}
	if (size < 1 || size > 2000)
		return 0;
	begin(data[0]);
	for (size_t i = 1; i + 1 < size; i += 2)
		step(data[i], data[i + 1]);
	for (uint8_t i = 0; i < 2; i++)
		plx_tcp_fini(&end[i].c);
	must(plx_arena_used(&arena) == 0);
	return 0;
}
