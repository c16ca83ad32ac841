/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * `pollux replay` on an lcore: packets from memory into mbufs, and out when they are due.
 *
 * One lcore sends, by one transmit queue, since packets are to leave in the file's order. A burst
 * is given to the queue when the one before has left it, so that a packet that has to wait waits
 * here, and its lateness is known.
 */
#include <plx_engine.h>

#include "hist.h"
#include "replay.h"

/** What is sent, how, and how far it is. The first part is written before the run. */
struct replay_send {
	const struct replay_store *store; /**< not empty */
	const struct replay_pace *pace;
	uint32_t rounds; /**< 0 = for ever */
	uint16_t burst;	 /**< packets at a time, at most PLX_PORT_BURST */
	struct plx_port *port;
	void (*over)(void *arg); /**< on the lcore, once: all was sent, or dropped, 50 ms ago */
	void *arg;

	struct plx_poller poller;
	struct plx_txq *q;
	bool go; /**< the control thread's word: begin */

	/* the lcore's */
	const struct replay_pkt *next; /**< NULL: there is no more */
	plx_ns start_ns, round_ns;     /**< of the engine's clock; of the round, since the start */
	plx_ns over_ns;		       /**< if it lingers: when the run is over */
	bool started, lingers, told;
	/* a burst that has been given to the queue, and has not left it */
	uint16_t n_given;
	struct {
		plx_ns due_ns;
		uint32_t bytes;
	} given[PLX_PORT_BURST];
	uint64_t was_sent; /**< the lcore's account, when it began */

	/* counters; the lcore writes */
	uint64_t sent, bytes;	    /**< taken by the device, and not lost by its driver */
	uint64_t round;		    /**< rounds that are behind us */
	uint64_t first_ns, last_ns; /**< from when on they left and until when, since the start */
	struct hist late;	    /**< ns; of those sent, but for REPLAY_FLAT */
};

/** Have an lcore of the engine send. Main thread, ports are open. @return 0 or -ENODEV. */
int replay_send_add(struct replay_send *r, struct plx_engine *eng);
/** All lcores run. Any thread. It begins when the port has a link. */
void replay_send_go(struct replay_send *r);
