/* SPDX-License-Identifier: BSD-3-Clause */
/* Precompiled, since DPDK's headers are most of what there is to compile: half a second for each
 * file. Files include what they need nevertheless, and are built without this, too. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
