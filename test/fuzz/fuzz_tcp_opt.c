/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options: what was parsed is emitted the same, as far as there is room; and a connection and a
 * listener make of any options of a SYN something that can be lived with.
 */
#include "tcp_check.h"

#include <stdlib.h>

static struct plx_tunables tun;
static uint64_t stat[PLX_STAT_MAX];
static struct plx_arena arena;
static struct plx_tcp_ctx ctx;

static void round_trip(const struct plx_tcp_opts *o, bool syn)
{
	uint8_t p[PLX_TCP_OPTS_MAX_BYTES];
	struct plx_tcp_opts again;
	uint32_t n = plx_wire_tcp_opts_emit(p, o);

	must(n <= sizeof(p) && n % 4 == 0 && n == plx_wire_tcp_opts_bytes(o));
	must(plx_wire_tcp_opts_parse(&again, p, n, syn) == PLX_DROP_NONE);
	must((again.present | PLX_TCP_OPT_SACK) == (o->present | PLX_TCP_OPT_SACK));
	if (o->present & PLX_TCP_OPT_MSS)
		must(again.mss == o->mss);
	if (o->present & PLX_TCP_OPT_WSCALE)
		must(again.wscale == o->wscale);
	if (o->present & PLX_TCP_OPT_TS)
		must(again.ts_val == o->ts_val && again.ts_ecr == o->ts_ecr);
	if (!(again.present & PLX_TCP_OPT_SACK))
		return;
	must(again.n_sack >= 1 && again.n_sack <= o->n_sack);
	for (uint32_t i = 0; i < again.n_sack; i++)
		must(again.sack[i].start == o->sack[i].start &&
			again.sack[i].end == o->sack[i].end);
}

/* Text goes out in segments that fit the path with all options. */
static void talk(struct plx_tcp *c, plx_ns now)
{
	const struct plx_tcp_room room = {.segs = 100, .bytes = 1 << 20};
	struct plx_tcp_tx tx;

	plx_tcp_wrote(c, 20000, now);
	for (int n = 0; n < 20 && plx_tcp_output(c, now, &room, &tx); n++) {
		must(tx.len + plx_wire_tcp_opts_bytes(&tx.opts) + 40 <= c->pmtu || tx.len <= 48);
		check_conn(c);
	}
	must(c->snd.mss >= 36 && c->snd.mss <= c->pmtu - 40);
	must(c->snd_wscale <= 14 && c->rcv_wscale <= 14);
}

static struct plx_tcp_id tuple(void)
{
	struct plx_tcp_id id = {.lport = 80, .rport = 1000};

	id.laddr = plx_addr_from_v4("\x0a\x00\x00\x01");
	id.raddr = plx_addr_from_v4("\x0a\x00\x00\x02");
	return id;
}

static void active(struct plx_tcp_seg *seg)
{
	const struct plx_tcp_room room = {.segs = 1, .bytes = 1 << 20};
	const struct plx_tcp_path path = {.mtu = 1500};
	struct plx_tcp_id id = tuple();
	struct plx_tcp_tx tx, reply;
	struct plx_tcp_rx rx = {.tx = &reply};
	struct plx_tcp c;
	plx_ns now = PLX_SEC(1);

	plx_tcp_init(&c, &ctx, &id);
	plx_tcp_open(&c, &path, 0, now);
	must(plx_tcp_output(&c, now, &room, &tx));
	seg->ack = tx.seq + 1;
	seg->flags = PLX_TCP_SYN | PLX_TCP_ACK;
	if (seg->opts.present & PLX_TCP_OPT_TS)
		seg->opts.ts_ecr = tx.opts.ts_val;
	must(plx_tcp_input(&c, seg, now + PLX_MS(1), &rx) == PLX_DROP_NONE);
	must(c.id.state == PLX_TCP_ESTABLISHED);
	talk(&c, now + PLX_MS(1));
	plx_tcp_fini(&c);
}

static void passive(struct plx_tcp_seg *seg)
{
	const struct plx_tcp_path path = {.mtu = 1500};
	struct plx_tcp_listener l = {.id = tuple(), .backlog = 4};
	struct plx_tcp_id id = tuple();
	struct plx_tcp_tx tx;
	struct plx_tcp_rx rx = {.tx = &tx};
	struct plx_tcp_req *req;
	struct plx_tcp_start start;
	enum plx_drop drop;
	plx_ns now = PLX_SEC(1);
	struct plx_tcp c;

	seg->flags = PLX_TCP_SYN;
	seg->ack = 0;
	if (plx_tcp_listener_input(&ctx, &l, &id, seg, &path, now, 0, &rx, &req, &start, &drop) ==
			PLX_TCP_VERDICT_SYN_ACK &&
		req) {
		struct plx_tcp_seg ack = {.seq = seg->seq + 1,
			.ack = tx.seq + 1,
			.flags = PLX_TCP_ACK,
			.win = 1000,
			.opts = {.present = tx.opts.present & PLX_TCP_OPT_TS,
				.ts_val = seg->opts.ts_val,
				.ts_ecr = tx.opts.ts_val}};

		must(plx_wire_tcp_opts_bytes(&tx.opts) <= PLX_TCP_OPTS_MAX_BYTES);
		must(plx_tcp_req_input(&ctx, req, &ack, &path, now, &rx, &start, &drop) ==
			PLX_TCP_VERDICT_ACCEPT);
		plx_tcp_init(&c, &ctx, &id);
		plx_tcp_accept(&c, &start, &path, now);
		must(plx_tcp_input(&c, &ack, now, &rx) == PLX_DROP_NONE);
		talk(&c, now);
		plx_tcp_fini(&c);
	}
	plx_tcp_listener_fini(&ctx, &l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plx_tcp_seg seg = {.seq = 7, .win = 60000};
	static void *mem;
	bool syn;

	if (!mem) {
		mem = aligned_alloc(4096, 1 << 20);
		must(mem && plx_arena_init(&arena, mem, 1 << 20) == 0);
		plx_tunables_init(&tun);
		ctx = (struct plx_tcp_ctx){.tun = &tun, .stat = stat, .mem = &arena, .seed = 1};
		ctx.table = plx_tcp_table_create(&(struct plx_tcp_table_conf){.mem = &arena});
		must(ctx.table && plx_tcp_ctx_init(&ctx) == 0);
	}
	if (size < 1 || size > 1 + PLX_TCP_OPTS_MAX_BYTES)
		return 0;
	syn = data[0] & 1;
	if (plx_wire_tcp_opts_parse(&seg.opts, data + 1, (uint32_t)size - 1, syn))
		return 0;
	round_trip(&seg.opts, syn);
	if (!syn)
		return 0;
	active(&seg);
	passive(&seg);
	return 0;
}
