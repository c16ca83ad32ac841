/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Buckets that move by themselves: balance.c. */
#include "move.h"

/** @return 0 or -ENOMEM. */
int net__balance_new(struct plx_net *net);
void net__balance_free(struct plx_net *net);
/** On the control lcore, before the first pass. */
void net__balance_start(struct net_lcore *nl);
/** The table balance. On the control lcore. */
enum plx_telem_more net__balance_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
