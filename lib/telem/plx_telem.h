/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Seeing and steering a running Pollux from outside.
 *
 * Reads are tables, served by rte_telemetry under /plx/NAME (plx_telem_table.h). Writes are
 * commands, served as JSON over the control socket (plx_telem_server.h). Neither takes an mbuf, so
 * both work when the pools are empty.
 */
#include "plx_telem_server.h"
#include "plx_telem_table.h"
