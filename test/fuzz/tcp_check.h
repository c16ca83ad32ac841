/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What must hold of a connection at any time, whatever the peer does: for fuzzers and the
 * simulator.
 */
#include <tcp.h>

#include "fuzz.h"

/* What was sent is one piece from snd.una to snd.nxt, and the counters are its sums. */
static inline void check_sent(const struct plx_tcp *c)
{
	uint32_t at = c->snd.una, out = 0, sacked = 0, lost = 0, again = 0;

	for (uint32_t i = 0; i < c->snd.run_n; i++) {
		const struct tcp_run *r = tcp__run(c, i);

		must(r->seq == at);
		must(plx_seq_lt(r->seq, r->end));
		must(r->segs > 0);
		must(!(r->flags & RUN_SACKED && r->flags & (RUN_LOST | RUN_RETRANS)));
		out += r->segs;
		sacked += r->flags & RUN_SACKED ? r->segs : 0;
		lost += r->flags & RUN_LOST ? r->segs : 0;
		again += r->flags & RUN_RETRANS ? r->segs : 0;
		at = r->end;
	}
	if (c->snd.run_n)
		must(at == c->snd.nxt);
	must(out == c->packets_out && lost == c->lost_out && again == c->retrans_out);
	if (c->sack_ok)
		must(sacked == c->sacked_out);
	must(c->sacked_out + c->lost_out <= c->packets_out);
	must(c->retrans_out <= c->packets_out);
}

static inline void check_conn(const struct plx_tcp *c)
{
	if (c->id.state == PLX_TCP_CLOSED) {
		must(!c->snd.run && !c->rcv.ofo);
		must(plx_tcp_deadline(c) == PLX_NEVER);
		return;
	}
	if (c->id.state == PLX_TCP_SYN_SENT || c->id.state == PLX_TCP_SYN_RECEIVED)
		return;
	must(plx_seq_le(c->snd.una, c->snd.nxt));
	must(plx_seq_le(c->snd.nxt, c->snd.end + c->fin_sent));
	must(c->cwnd >= 1 && c->ssthresh >= 2);
	check_sent(c);
	must(plx_seq_le(c->rcv.read, c->rcv.nxt));
	must(plx_seq_le(c->rcv.wup, c->rcv.nxt));
	must(tcp__ofo_bytes(c) <= tcp__rcv_wnd(c));
	must(c->rtt.rto_us > 0);
	if (c->packets_out) /* a timer watches over what is in flight, or output() is due */
		must(c->rtx_ns != PLX_NEVER || c->tlp_due);
}
