/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>

/*
 * How devices spread packets, and the flow limit, for `pollux-ctl steer`. Devices are asked by the
 * reader's thread; the history of the flow limit is its lcore's, which fills the page.
 */

#define RETA_CHUNK 128 /* entries in a row */

static struct plx_port *at(uint64_t cursor)
{
	return cursor < plx_port_count() ? plx_port_get((uint16_t)cursor) : NULL;
}

enum plx_telem_more engine__rss_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	uint64_t lcores[PLX_PORT_QUEUES_MAX], bytes[PLX_STEER_KEY_MAX];
	struct plx_port *p = at(*cursor);
	struct plx_port_rss rss;
	const char *why;
	int err;

	if (!p)
		return PLX_TELEM_END;
	++*cursor;
	err = plx_port_rss_get(p, &rss);
	why = plx_port_steer_why(p);
	for (uint16_t i = 0; i < p->n_rxq; i++)
		lcores[i] = p->rxq[i]->lcore;
	plx_telem_row_str(r, "ifname", p->name);
	plx_telem_row_str(r, "driver", p->caps.driver);
	plx_telem_row_u64(r, "rings", p->n_rxq);
	plx_telem_row_u64s(r, "lcores", lcores, p->n_rxq);
	plx_telem_row_str(r, "software_steering",
		!err  ? ""
		: why ? why
		      : "the driver does not say how it spreads");
	if (err)
		return PLX_TELEM_MORE;
	for (uint16_t i = 0; i < rss.key_bytes; i++)
		bytes[i] = rss.key[i];
	plx_telem_row_u64s(r, "key", bytes, rss.key_bytes);
	plx_telem_row_u64(r, "types", rss.types);
	plx_telem_row_u64(r, "rxhash", !!(plx_port_features(p) & PLX_PORT_F_RX_HASH));
	plx_telem_row_u64(r, "indir_size", rss.reta.size);
	return PLX_TELEM_MORE;
}

/* A cursor is the port in the upper bits, the first entry in the lower 16. */
enum plx_telem_more engine__indir_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	struct plx_port *p = at(*cursor >> 16);
	uint64_t queue[RETA_CHUNK];
	uint32_t first = *cursor & 0xffff;
	struct plx_port_rss rss;
	uint16_t n = 0;

	if (!p)
		return PLX_TELEM_END;
	if (plx_port_rss_get(p, &rss) != 0 || first >= rss.reta.size) {
		*cursor = ((*cursor >> 16) + 1) << 16;
		return PLX_TELEM_MORE;
	}
	while (n < RETA_CHUNK && first + n < rss.reta.size) {
		queue[n] = rss.reta.q[first + n];
		n++;
	}
	plx_telem_row_str(r, "ifname", p->name);
	plx_telem_row_u64(r, "first", first);
	plx_telem_row_u64s(r, "queues", queue, n);
	*cursor += n;
	return PLX_TELEM_MORE;
}

enum plx_telem_more engine__limit_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	uint64_t history[PLX_FLOW_LIMIT_HISTORY], packets[PLX_FLOW_LIMIT_HISTORY];
	uint64_t waiting[PLX_ENGINE_LCORES_MAX];
	const struct plx_engine *eng = arg;
	const struct plx_softnet *sn;

	if (*cursor >= eng->n)
		return PLX_TELEM_END;
	sn = eng->sn[(*cursor)++];
	for (uint16_t i = 0; i < eng->n; i++)
		waiting[i] = sn->out[i].ring ? plx_ring_count(sn->out[i].ring) : 0;
	for (int i = 0; i < PLX_FLOW_LIMIT_HISTORY; i++) { /* the oldest first */
		history[i] = sn->limit.history[(sn->limit.head + i) % PLX_FLOW_LIMIT_HISTORY];
		packets[i] = sn->limit.bucket[history[i]];
	}
	plx_telem_row_u64(r, "lcore", sn->lcore);
	plx_telem_row_u64(r, "on", engine__limits(sn));
	plx_telem_row_u64(r, "buckets", UINT64_C(1) << sn->limit.log);
	plx_telem_row_u64(r, "count", sn->limit.count);
	plx_telem_row_u64(r, "max_backlog", (uint64_t)engine__tun(eng, PLX_TUN_NETDEV_MAX_BACKLOG));
	plx_telem_row_u64s(r, "waiting", waiting, eng->n);
	if (sn->limits) {
		plx_telem_row_u64s(r, "history", history, PLX_FLOW_LIMIT_HISTORY);
		plx_telem_row_u64s(r, "packets", packets, PLX_FLOW_LIMIT_HISTORY);
	}
	return *cursor < eng->n ? PLX_TELEM_TURN : PLX_TELEM_MORE;
}

int engine__limit_run(void *arg, uint64_t cursor, void (*fn)(void *fn_arg), void *fn_arg)
{
	const struct plx_engine *eng = arg;

	return plx_softnet_call_plain(eng->sn[PLX_MIN(cursor, eng->n - 1u)], fn, fn_arg);
}
