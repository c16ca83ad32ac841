/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The TCP services of `up`: echo, sink and source.
 */
#include <plx_net.h>

#include "up.h"

struct up_tcp {
	struct plx_net_tcp_listener listener[UP_SERVICES];
	uint32_t n;
	/* of each lcore */
	uint64_t accepted[PLX_ENGINE_LCORES_MAX];
	uint64_t received[PLX_ENGINE_LCORES_MAX], sent[PLX_ENGINE_LCORES_MAX]; /**< bytes */
};

/** Listen. @return 0 or -errno with *e filled. */
int up_tcp_open(
	struct up_tcp *t, struct plx_net *net, const struct up_service *s, struct plx_error *e);
void up_tcp_close(struct up_tcp *t, struct plx_net *net);
