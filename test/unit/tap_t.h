/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Taps of an engine that the test steps: two ports, one lcore. TAP_() closes what is open.
 */
#include "engine_t.h"

#include <plx_tap.h>

#define FRAME 60 /* bytes of the frames that are made here */

static struct plx_taps *taps;

static inline void start_taps(void)
{
	static const uint32_t lcore0;

	et_new(2, 1);
	et.conf.lcores = &lcore0;
	et.conf.n_lcores = 1;
	et_start();
	taps = plx_taps_create(et.eng, NULL);
	assert_non_null(taps);
}

static inline struct plx_tap *open_tap(struct plx_tap_conf conf)
{
	struct plx_tap_filter_error why = {0};
	struct plx_error e = {0};
	struct plx_tap *t = plx_tap_open(taps, &conf, &e, &why);

	if (!t)
		fail_msg("%s%s", e.text, why.text);
	return t;
}

/** It sees nothing any more. What comes next is read by a step on the way. */
static inline void detach_tap(struct plx_tap *t)
{
	plx_tap_detach(t);
	while (!plx_tap_gone(t))
		plx_engine_step(et.eng, 0);
}

static inline void close_tap(struct plx_tap *t)
{
	detach_tap(t);
	plx_tap_close(t);
}

/** The beginning of a frame of an EtherType of its own, with a number. */
static inline void number_frame(uint8_t *b, uint32_t n, uint16_t type)
{
	b[0] = 2;
	plx_put_be16(b + 12, type);
	plx_put_be32(b + 14, n);
}

static inline uint32_t number_in(const void *frame)
{
	return plx_get_be32((const uint8_t *)frame + 14);
}

/** So many of them, to be received by the next step. */
static inline void feed_frames(unsigned int port, uint32_t from, uint32_t n, uint16_t type)
{
	uint8_t b[FRAME] = {0};

	for (uint32_t i = 0; i < n; i++) {
		number_frame(b, from + i, type);
		t_port_feed(&et.port[port], 0, b, sizeof(b), 0);
	}
}

/** Lets go of the headers that a stack would have read. */
static inline void rx_drops(
	struct plx_softnet *sn, struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		rte_pktmbuf_adj(pkts[i], 14);
		plx_pkt_drop(pkts[i], PLX_DROP_UDP_NO_PORT);
	}
}

static inline int after_taps(void **state)
{
	if (et.eng && plx_engine_running(et.eng))
		plx_engine_step_end(et.eng);
	plx_taps_destroy(taps);
	taps = NULL;
	return et_after(state);
}

#define TAP_(name) cmocka_unit_test_teardown(name, after_taps)
