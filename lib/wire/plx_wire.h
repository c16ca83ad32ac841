/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Layer 0: headers on the wire, to and from small structs in host order.
 *
 * `parse` reads a span of bytes, trusts no length in it, and fills a struct; a struct that parse
 * returned with PLX_DROP_NONE is valid, and after a drop it holds nothing of use but what the
 * function names. `emit` writes a struct's bytes into room that the caller has and returns how
 * many. Pure and thread-safe: no memory of its own, no pointers kept, any alignment.
 *
 * Checksums are handled as they stand in memory, everything else in host order.
 */
#include "plx_wire_eth.h"
#include "plx_wire_group.h"
#include "plx_wire_icmp.h"
#include "plx_wire_ip.h"
#include "plx_wire_l4.h"
#include "plx_wire_nd.h"
#include "plx_wire_tcp.h"
#include "plx_wire_tuple.h"
