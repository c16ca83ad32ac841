/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Connections of tt (net_tcp_t.h) that move among three stepped lcores, and a program that goes
 * along or does not.
 */
#define T_EAL_LCORES "(0-2)@0"
#define T_EAL_MEM    "128"
#include "net_tcp_t.h"

#include <errno.h>

#include "../../lib/net/move.h"

#define LCORES 3

/* ---- a program that goes along ---- */

static struct mover {
	int left, arrived, gone;
	uint16_t too_much; /* an lcore where it does not want to be */
	bool refuses;
} mover;

static inline bool mv_leave(struct plx_softnet *sn, struct plx_net_tcp *c, struct plx_softnet *to)
{
	if (mover.refuses)
		return false;
	mover.left++;
	tt.c = NULL;
	return true;
}

static inline bool mv_arrive(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	if (mover.too_much && sn->index == mover.too_much)
		return false;
	mover.arrived++;
	tt.c = c;
	tt.lcore = sn->index;
	return true;
}

static inline void mv_left(struct plx_softnet *sn, void *user)
{
	mover.gone++;
}

static struct plx_net_tcp_ops mv_ops;

static inline bool mv_accept(
	struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	tt_accept(sn, l, c);
	plx_net_tcp_take(c, &mv_ops, NULL);
	return true;
}

static inline void start(void)
{
	mv_ops = tt_ops;
	mv_ops.leave = mv_leave;
	mv_ops.arrive = mv_arrive;
	mv_ops.left = mv_left;
	memset(&mover, 0, sizeof(mover));
	tt_start();
	eq(plx_engine_lcores(nt.eng), LCORES);
	tt.l.accept = mv_accept;
}

/* ---- moving ---- */

static inline struct plx_net_moves moves(void)
{
	struct plx_net_moves m;

	plx_net_moves_get(nt.net, &m);
	return m;
}

/* All buckets to one lcore, without a step. */
static inline void wish_all(uint16_t lcore)
{
	uint16_t want[PLX_OWNER_BUCKETS_MAX], n = plx_net_buckets(nt.net);

	for (uint16_t i = 0; i < n; i++)
		want[i] = lcore;
	eq(plx_net_owners_set(nt.net, want, n), 0);
}

static inline void settled(void)
{
	nt_sleep(PLX_MS(20)); /* some of it waits for the others' passes */
	eq(moves().waiting, 0);
	eq(moves().reordered, 0);
	eq(moves().dropped, 0);
}

/* The other one than it is on. */
static inline uint16_t elsewhere(void)
{
	return (uint16_t)((tt.lcore + 1) % LCORES);
}

/* Text of the peer, by a queue of its own; it is read in order. */
static inline void more(uint32_t n)
{
	uint64_t got = tt.got;
	struct tt_seg s;

	tt_make(PLX_TCP_ACK | PLX_TCP_PSH, tt.seq, got, n);
	t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 0);
	nt_run();
	tt.seq += n;
	eq(tt.got, got + n);
	nt_sleep(PLX_MS(300));
	while (tt_out(&s))
		eq(s.h.ack, tt.seq);
}

static inline void step(uint16_t lcore)
{
	plx_engine_step(nt.eng, lcore);
}

static inline void feed(uint32_t at, uint32_t n)
{
	tt_make(PLX_TCP_ACK | PLX_TCP_PSH, tt.seq + at, at, n);
	t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 0);
}

/*
 * Whatever has been done of a move when a segment comes: it is seen in its place. The old owner is
 * slow, so that packets wait; or the new one is, so that they lie on their way.
 */
static inline void segments_at_any_time(void (*ask)(uint16_t lcore))
{
	for (int slow = 0; slow < LCORES; slow++)
		for (int when = 0; when < 24; when++) {
			uint32_t at = 0;

			start();
			tt_connect();
			nt_mark();
			ask(elsewhere());
			for (int i = 0; i < 48; i++) {
				for (uint16_t l = 0; l < LCORES; l++)
					if (l != slow || i > when)
						step(l);
				nt.now += PLX_US(i % 3 * 20);
				feed(at, 10);
				at += 10;
			}
			settled();
			eq(tt.got, at);
			eq(nt_stat(PLX_STAT_TCPEXT_TCPOFOQUEUE), 0);
			eq(mover.arrived, 1);
			eq(moves().conns, 1);
			nt_no_drop();
			tt_after(NULL);
		}
}
