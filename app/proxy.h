/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A proxy of TCP: what comes by one connection goes on by another, both ways.
 */
#include "peer.h"

struct proxy_conf {
	struct endpoint listen;
	struct peer_conf to;
};

/** Programs whose arg is a struct proxy_conf. */
extern const struct prog_ops proxy_ops;
