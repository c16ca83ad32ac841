/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Layer 1: the link's neighbourhood, as state machines without I/O.
 *
 * - plx_neigh_table.h: the neighbour cache, ARP and ND in one table (RFC 826, RFC 4861 7);
 * - plx_neigh_claim.h: is an address of ours free? DAD and ACD (RFC 4862 5.4, RFC 5227);
 * - plx_neigh_rdisc.h: routers, prefixes, autoconfigured addresses (RFC 4861 6.3, RFC 4862 5.5).
 *
 * All three are fed with parsed messages and the time, asked for messages to send as
 * struct plx_neigh_tx, and asked for events. They belong to one lcore and neither allocate nor read
 * a clock.
 */
#include "plx_neigh_claim.h"
#include "plx_neigh_rdisc.h"
#include "plx_neigh_table.h"
#include "plx_neigh_tx.h"
