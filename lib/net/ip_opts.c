/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"

/* IPv4 options that hosts and routers write into: record route and timestamp. */

#define OTHER_CLOCK (UINT32_C(1) << 31) /* ms, but not since midnight UT (RFC 791 3.1, RFC 792) */

uint32_t net__time_ms(const struct net_lcore *nl)
{
	return (uint32_t)(nl->sn->now_ns / PLX_MS(1)) | OTHER_CLOCK;
}

void net__opts_get(struct net_opts *o, const uint8_t *p, uint16_t hdr_bytes)
{
	o->first_bytes = (uint8_t)(hdr_bytes - PLX_IP4_BYTES);
	memcpy(o->first, p + PLX_IP4_BYTES, o->first_bytes);
	o->rest_bytes = (uint8_t)plx_wire_ip4_options_pick(
		o->rest, o->first, o->first_bytes, PLX_IP4_OPTIONS_COPIED);
}

bool net__opts_echoed(struct net_opts *o, const uint8_t *p, uint16_t hdr_bytes)
{
	o->rest_bytes = 0; /* neither is copied into fragments */
	o->first_bytes = (uint8_t)plx_wire_ip4_options_pick(o->first, p + PLX_IP4_BYTES,
		hdr_bytes - (uint32_t)PLX_IP4_BYTES, PLX_IP4_OPTIONS_ECHOED);
	return o->first_bytes > 0;
}

static bool ours(const void *arg, const struct plx_addr *a)
{
	const struct net_cfg *cfg = arg;
	int32_t rt = net__lpm_lookup(&cfg->lpm, a);

	return rt >= 0 && cfg->routes[rt].type == PLX_NET_ROUTE_LOCAL;
}

bool net__opts_record(
	struct net_lcore *nl, void *opt, uint32_t bytes, const struct net_dst *d, uint32_t *fault)
{
	struct plx_ip4_record r = {
		.addr = d->src ? *d->src : net__src_pick(nl->cfg, d->ifc->index, &d->nexthop),
		.time = net__time_ms(nl),
		.ours = ours,
		.arg = nl->cfg,
	};

	if (plx_wire_ip4_options_record(opt, bytes, &r, fault))
		return true;
	*fault += PLX_IP4_BYTES;
	return false;
}
