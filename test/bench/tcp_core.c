/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lib/tcp costs: two connections that face each other in memory, no bytes, no packets. Cycles
 * of the TSC a call, the best and the median of many batches.
 */
#include <plx_tcp.h>

#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#define BATCHES 400
#define BATCH	256
#define ARENA	(8u << 20)

struct end {
	struct plx_tcp c;
	uint64_t input, output;
};

static struct plx_tunables tun;
static uint64_t stat[PLX_STAT_MAX];
static struct plx_arena arena;
static struct plx_tcp_ctx ctx = {.tun = &tun, .stat = stat, .mem = &arena, .seed = 1};
static struct end a, b;
static plx_ns now = PLX_SEC(1);
static const struct plx_tcp_room room = {.segs = 64, .bytes = 1 << 20};

static void pass(struct plx_tcp_seg *seg, const struct plx_tcp_tx *tx)
{
	seg->seq = tx->seq;
	seg->ack = tx->ack;
	seg->len = tx->len;
	seg->flags = tx->flags;
	seg->win = tx->win;
	seg->urg = tx->urg;
	seg->ecn = 0;
	seg->segs = 1;
	seg->opts = tx->opts;
}

static uint64_t tsc(bool timed)
{
	return timed ? __rdtsc() : 0;
}

/* All that from has to say, to to. @return segments. */
static inline uint32_t exchange(struct end *from, struct end *to, bool timed)
{
	struct plx_tcp_tx tx, reply;
	struct plx_tcp_rx rx;
	struct plx_tcp_seg seg;
	uint32_t n = 0;

	rx.tx = &reply;
	for (;; n++) {
		uint64_t t0 = tsc(timed), t1;
		bool more = plx_tcp_output(&from->c, now, &room, &tx);

		t1 = tsc(timed);
		from->output += t1 - t0;
		if (!more)
			return n;
		pass(&seg, &tx);
		t0 = tsc(timed);
		plx_tcp_input(&to->c, &seg, now, &rx);
		to->input += tsc(timed) - t0;
		if (rx.ready)
			plx_tcp_read(&to->c, rx.ready, now);
	}
}

static uint32_t talk(struct end *from, struct end *to)
{
	return exchange(from, to, false);
}

/* What reading the clock costs: it is taken off. */
static double clock_cost(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 10000; i++) {
		uint64_t t0 = __rdtsc(), t1 = __rdtsc();

		best = PLX_MIN(best, t1 - t0);
	}
	return (double)best;
}

static void settle(void)
{
	while (talk(&a, &b) + talk(&b, &a))
		;
}

static void open_pair(uint16_t port)
{
	struct plx_tcp_id ida = {.lport = port, .rport = 80}, idb = {.lport = 80, .rport = port};
	const struct plx_tcp_path path = {.mtu = 1500};
	uint8_t x[4] = {10, 0, 0, 1}, y[4] = {10, 0, 0, 2};

	ida.laddr = idb.raddr = plx_addr_from_v4(x);
	ida.raddr = idb.laddr = plx_addr_from_v4(y);
	plx_tcp_init(&a.c, &ctx, &ida);
	plx_tcp_init(&b.c, &ctx, &idb);
	plx_tcp_open(&a.c, &path, 0, now);
	plx_tcp_open(&b.c, &path, 0, now);
	settle();
	now += PLX_MS(1);
}

static void close_pair(void)
{
	plx_tcp_shutdown(&a.c, now);
	settle();
	plx_tcp_shutdown(&b.c, now);
	settle();
	plx_tcp_fini(&a.c);
	plx_tcp_fini(&b.c);
}

static int by_size(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return d < 0 ? -1 : d > 0;
}

static void report(const char *what, double *v)
{
	qsort(v, BATCHES, sizeof(*v), by_size);
	printf("%-38s\t%.0f\t%.0f\n", what, v[0], v[BATCHES / 2]);
}

/* A request of 64 bytes, an answer of 64: both ends together. */
static void request_response(void)
{
	double v[BATCHES];

	open_pair(1000);
	for (int i = 0; i < BATCHES; i++) {
		uint64_t t0 = __rdtsc();

		for (int k = 0; k < BATCH; k++) {
			now += PLX_US(10);
			plx_tcp_wrote(&a.c, 64, now);
			talk(&a, &b);
			plx_tcp_wrote(&b.c, 64, now);
			talk(&b, &a);
		}
		v[i] = (double)(__rdtsc() - t0) / BATCH;
	}
	report("request and response, both ends", v);
	close_pair();
}

/* Bulk: full segments one way, ACKs the other. */
static void bulk(void)
{
	double in[BATCHES], out[BATCHES], ack[BATCHES], clock = clock_cost();

	open_pair(1001);
	for (int i = 0; i < BATCHES; i++) {
		uint32_t segs = 0;

		a.input = a.output = b.input = b.output = 0;
		for (int k = 0; k < BATCH / 8; k++) {
			now += PLX_US(10);
			plx_tcp_wrote(&a.c, 8 * a.c.snd.mss, now);
			segs += exchange(&a, &b, true);
			exchange(&b, &a, true);
		}
		out[i] = (double)a.output / segs - clock;
		in[i] = (double)b.input / segs - clock;
		ack[i] = (double)a.input / (BATCH / 8) - clock;
	}
	report("input of a segment in order", in);
	report("output of a full segment", out);
	report("input of an ACK for 8 segments", ack);
	close_pair();
}

static void connect_close(void)
{
	double v[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		uint64_t t0 = __rdtsc();

		for (int k = 0; k < BATCH / 16; k++) {
			open_pair((uint16_t)(2000 + k));
			close_pair();
		}
		v[i] = (double)(__rdtsc() - t0) / (BATCH / 16);
	}
	report("connect and close, both ends", v);
}

int main(void)
{
	void *mem = aligned_alloc(4096, ARENA);

	plx_tunables_init(&tun);
	if (!mem || plx_arena_init(&arena, mem, ARENA) != 0 || plx_tcp_ctx_init(&ctx) != 0)
		return 1;
	printf("%-38s\tbest\tmedian\n", "cycles");
	bulk();
	request_response();
	connect_close();
	free(mem);
	return 0;
}
