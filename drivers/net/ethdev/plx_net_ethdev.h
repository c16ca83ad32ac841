/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Any DPDK port as a port of ours.
 */
#include <plx_base_error.h>

PLX_C_BEGIN

/**
 * Register all ethdev ports that EAL has probed, in their order, under their device names. Once,
 * after rte_eal_init(), by the main thread. @return how many, or -errno with *e filled.
 */
PLX_API int plx_net_ethdev_probe(struct plx_error *e);

PLX_C_END
