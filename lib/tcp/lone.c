/* SPDX-License-Identifier: BSD-3-Clause */
#include "lone.h"

bool plx_tcp_reset_for(const struct plx_tcp_seg *seg, struct plx_tcp_tx *tx)
{
	if (seg->flags & PLX_TCP_RST)
		return false;
	*tx = (struct plx_tcp_tx){.flags = PLX_TCP_RST};
	if (seg->flags & PLX_TCP_ACK) {
		tx->seq = seg->ack;
	} else {
		tx->ack = seg->seq + plx_tcp_seg_space(seg);
		tx->flags |= PLX_TCP_ACK;
	}
	return true;
}

void tcp__lone_rst(
	struct plx_tcp_ctx *ctx, const struct plx_tcp_seg *seg, plx_ns now, struct plx_tcp_rx *rx)
{
	uint32_t per_second = (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_RST_LIMIT);

	if (seg->flags & PLX_TCP_RST || !plx_tcp_limit_take(&ctx->reset, now, per_second))
		return;
	rx->reply = plx_tcp_reset_for(seg, rx->tx);
	tcp__lone_count(ctx, PLX_STAT_TCP_OUTRSTS);
	tcp__lone_count(ctx, PLX_STAT_TCP_OUTSEGS);
}

bool tcp__lone_may_answer(struct plx_tcp_ctx *ctx, const struct plx_tcp_seg *seg, plx_ns now,
	uint32_t *last_ms, enum plx_stat skipped)
{
	uint32_t now_ms = plx_tcp_ts_now(now);
	uint32_t gap_ms = (uint32_t)plx_tcp__tun(ctx, PLX_TUN_TCP_INVALID_RATELIMIT);

	if (plx_tcp_seg_space(seg) && !(seg->flags & PLX_TCP_SYN))
		return true;
	if (*last_ms && now_ms - *last_ms < gap_ms) {
		tcp__lone_count(ctx, skipped);
		return false;
	}
	*last_ms = now_ms ? now_ms : 1;
	return true;
}
