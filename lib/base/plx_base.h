/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Layer 0: what every other library is made of. No clock, no I/O, no DPDK.
 *
 * This header gathers the library's parts; each can be included alone.
 */
#include "plx_base_addr.h"
#include "plx_base_defs.h"
#include "plx_base_reasons.h"
