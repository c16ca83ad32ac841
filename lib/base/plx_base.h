/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Layer 0: what every other library is made of. No clock, no I/O, no DPDK.
 *
 * This header gathers the library's parts; each can be included alone.
 */
#include "plx_base_addr.h"
#include "plx_base_arena.h"
#include "plx_base_bind.h"
#include "plx_base_budget.h"
#include "plx_base_cksum.h"
#include "plx_base_defs.h"
#include "plx_base_error.h"
#include "plx_base_hash.h"
#include "plx_base_list.h"
#include "plx_base_mpsc.h"
#include "plx_base_port.h"
#include "plx_base_ranges.h"
#include "plx_base_reasons.h"
#include "plx_base_ring.h"
#include "plx_base_rng.h"
#include "plx_base_seq.h"
#include "plx_base_wheel.h"
