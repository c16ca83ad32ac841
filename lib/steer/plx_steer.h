/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Steering: from a packet's tuple to the lcore that owns its flow.
 *
 *     tuple --Toeplitz--> hash --RETA--> queue        what a NIC does, and the pipe driver
 *     tuple --Toeplitz--> hash --owner map--> lcore   what decides where a flow lives
 *     tuple --Toeplitz--> hash --flows--> lcore       the few that live elsewhere
 *     tuple --pins--> lcore                           the same, by exact tuples
 *     load of buckets --balance--> owner map         so that the lcores are even
 *     lcore --ports--> tuple                          ports of ours whose answers come here
 *
 * Pure: no clock, no allocation. This header gathers the library's parts; each can be included
 * alone.
 */
#include "plx_steer_balance.h"
#include "plx_steer_explain.h"
#include "plx_steer_flows.h"
#include "plx_steer_limit.h"
#include "plx_steer_owner.h"
#include "plx_steer_pin.h"
#include "plx_steer_ports.h"
#include "plx_steer_reta.h"
#include "plx_steer_rfs.h"
#include "plx_steer_rps.h"
#include "plx_steer_rss.h"
#include "plx_steer_toeplitz.h"
