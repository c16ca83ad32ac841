/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

static const char *const names[PLX_TCP_EVENT_MAX] = {
	[PLX_TCP_EVENT_STATE] = "STATE",
	[PLX_TCP_EVENT_IN] = "IN",
	[PLX_TCP_EVENT_OUT] = "OUT",
	[PLX_TCP_EVENT_RTT] = "RTT",
	[PLX_TCP_EVENT_CA] = "CA",
	[PLX_TCP_EVENT_LOST] = "LOST",
	[PLX_TCP_EVENT_RETRANS] = "RETRANS",
	[PLX_TCP_EVENT_RTO] = "RTO",
	[PLX_TCP_EVENT_TLP] = "TLP",
	[PLX_TCP_EVENT_PROBE] = "PROBE",
	[PLX_TCP_EVENT_KEEPALIVE] = "KEEPALIVE",
	[PLX_TCP_EVENT_UNDO] = "UNDO",
	[PLX_TCP_EVENT_REORDER] = "REORDER",
	[PLX_TCP_EVENT_CHALLENGE] = "CHALLENGE",
	[PLX_TCP_EVENT_RENEGED] = "RENEGED",
	[PLX_TCP_EVENT_PRUNE] = "PRUNE",
};

const char *plx_tcp_event_name(enum plx_tcp_event_type type)
{
	return type < PLX_TCP_EVENT_MAX ? names[type] : "?";
}

PLX_COLD void tcp__event(const struct plx_tcp *c, struct plx_tcp_event *ev, plx_ns now)
{
	ev->c = c;
	ev->now = now;
	c->ctx->event(c->ctx->event_arg, ev);
}
