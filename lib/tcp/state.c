/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* The state, and the one door through which it changes (RFC 9293 3.3.2). */

static const char *const names[PLX_TCP_STATE_MAX] = {
	[PLX_TCP_ESTABLISHED] = "ESTABLISHED",
	[PLX_TCP_SYN_SENT] = "SYN-SENT",
	[PLX_TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[PLX_TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[PLX_TCP_FIN_WAIT_2] = "FIN-WAIT-2",
	[PLX_TCP_TIME_WAIT] = "TIME-WAIT",
	[PLX_TCP_CLOSED] = "CLOSED",
	[PLX_TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[PLX_TCP_LAST_ACK] = "LAST-ACK",
	[PLX_TCP_LISTEN] = "LISTEN",
	[PLX_TCP_CLOSING] = "CLOSING",
};

const char *plx_tcp_state_name(enum plx_tcp_state state)
{
	return state < PLX_TCP_STATE_MAX && names[state] ? names[state] : "?";
}

#define BIT(s) (1u << PLX_TCP_##s)

/* Where each state may lead to: the diagram of RFC 9293 3.3.2, and ABORT from everywhere. */
static const uint16_t leads_to[PLX_TCP_STATE_MAX] = {
	[PLX_TCP_CLOSED] = BIT(SYN_SENT) | BIT(SYN_RECEIVED),
	[PLX_TCP_SYN_SENT] = BIT(SYN_RECEIVED) | BIT(ESTABLISHED) | BIT(CLOSED),
	[PLX_TCP_SYN_RECEIVED] = BIT(ESTABLISHED) | BIT(CLOSED),
	[PLX_TCP_ESTABLISHED] = BIT(FIN_WAIT_1) | BIT(CLOSE_WAIT) | BIT(CLOSED),
	[PLX_TCP_FIN_WAIT_1] = BIT(FIN_WAIT_2) | BIT(CLOSING) | BIT(TIME_WAIT) | BIT(CLOSED),
	[PLX_TCP_FIN_WAIT_2] = BIT(TIME_WAIT) | BIT(CLOSED),
	[PLX_TCP_CLOSE_WAIT] = BIT(LAST_ACK) | BIT(CLOSED),
	[PLX_TCP_CLOSING] = BIT(TIME_WAIT) | BIT(CLOSED),
	[PLX_TCP_LAST_ACK] = BIT(CLOSED),
	[PLX_TCP_TIME_WAIT] = BIT(CLOSED),
};

static bool counts(enum plx_tcp_state s)
{
	return s == PLX_TCP_ESTABLISHED || s == PLX_TCP_CLOSE_WAIT;
}

void tcp__set_state(struct plx_tcp *c, enum plx_tcp_state state, plx_ns now)
{
	enum plx_tcp_state old = c->id.state;

	if (old == state)
		return;
	assert(leads_to[old] & 1u << state);
	tcp_stat_add(c, TCP_CURRESTAB, counts(state) - counts(old));
	c->id.state = (uint8_t)state;
	tcp_event(c, now, STATE, .a = old, .b = state);
}

void tcp__done(struct plx_tcp *c, int err, plx_ns now)
{
	if (err)
		c->err = (uint8_t)err;
	tcp__sndq_free(c);
	tcp__rcvq_free(c);
	c->syn_due = c->fin_due = c->ack_due = c->probe_due = c->tlp_due = c->force_due = false;
	c->rtx_kind = PLX_TCP_RTX_NONE;
	c->rtx_ns = c->delack_ns = c->keep_ns = c->pace_ns = PLX_NEVER;
	tcp__set_state(c, PLX_TCP_CLOSED, now);
}
