/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

#include <sys/mman.h>

#define PAGE  4096
#define FRONT 256 /* four cache lines */

/* The record such that its first four cache lines end a page, and the next page is forbidden. */
static struct plx_tcp *in_front_of_a_wall(const struct plx_tcp *c, uint8_t **page)
{
	struct plx_tcp *at;

	*page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(*page, MAP_FAILED);
	at = (struct plx_tcp *)(void *)(*page + PAGE - FRONT);
	*at = *c;
	return at;
}

/* A segment in order, read, and its ACK where one is due: the record's first four lines do. */
T(text_in_order_touches_four_cache_lines)
{
	struct plx_tcp_rx rx = {0};
	struct plx_tcp_tx tx;
	static struct tt t;
	struct plx_tcp *c;
	uint32_t acks = 0;
	uint8_t *page;

	tt_up(&t, 0);
	c = in_front_of_a_wall(&t.c, &page);
	for (uint32_t i = 0; i < 100; i++) {
		struct plx_tcp_seg seg = {.seq = TT_IRS + 1 + 1000 * i, .ack = TT_ISS + 1};

		seg.len = 1000;
		seg.segs = 1;
		seg.win = 65535;
		seg.flags = PLX_TCP_ACK;
		seg.opts.present = PLX_TCP_OPT_TS;
		t.now += PLX_US(10);
		seg.opts.ts_val = plx_tcp_ts_now(t.now) + t.peer_ms;
		seg.opts.ts_ecr = t.ecr;
		rx.tx = &t.reply;
		if (i == 40) /* all that happens once has happened */
			eq(mprotect(page + PAGE, PAGE, PROT_NONE), 0);
		eq(plx_tcp_input(c, &seg, t.now, &rx), PLX_DROP_NONE);
		eq(rx.ready, 1000);
		plx_tcp_read(c, rx.ready, t.now);
		acks += plx_tcp_output(c, t.now, &t.room, &tx);
	}
	ok(acks >= 50); /* every second at least */
	eq(mprotect(page + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	t.c = *c;
	munmap(page, 2 * PAGE);
	tt_down(&t);
}

RUN(T_(text_in_order_touches_four_cache_lines))
