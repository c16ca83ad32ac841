/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The text of plx_port_create(), taken apart: NAME=DRIVER[,ARGS]. Knows nothing of DPDK, so that it
 * is fuzzed without it.
 */
#include <plx_base_error.h>

#define PORT_SPEC_NAMELEN 64 /**< PLX_PORT_NAMELEN, which is DPDK's */

struct port_spec {
	char name[PORT_SPEC_NAMELEN];
	const char *driver; /**< in the text, driver_len characters */
	size_t driver_len;
	const char *args; /**< in the text; "" if there are none */
};

/** @return 0 or -errno with *e filled. */
int port__spec_parse(struct port_spec *s, const char *text, struct plx_error *e);
