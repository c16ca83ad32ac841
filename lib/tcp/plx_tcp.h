/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * TCP as numbers (RFC 9293 and those in doc/rfc/tcp.md): sequence ranges, flags, options and times
 * go in and come out; no bytes, no clock, no device, no allocator but the caller's arena.
 *
 * The parts, one header each:
 *
 * - ctx:    what all connections of an lcore share: tunables, memory, secrets, counters
 * - seg:    a segment in, what became of it, a segment out
 * - conn:   a connection and its verbs
 * - listen: connections that are not yet: SYN queue, cookies
 * - tw:     connections that are no more: TIME-WAIT
 * - table:  which of them a segment is for
 * - cc:     congestion control
 * - event, info: what can be seen of a connection
 *
 * Everything of one ctx has one owner, an lcore; nothing here is shared or locked.
 */
#include "plx_tcp_cc.h"
#include "plx_tcp_conn.h"
#include "plx_tcp_ctx.h"
#include "plx_tcp_event.h"
#include "plx_tcp_info.h"
#include "plx_tcp_listen.h"
#include "plx_tcp_seg.h"
#include "plx_tcp_table.h"
#include "plx_tcp_tw.h"
