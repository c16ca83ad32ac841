/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plx_port.h"

/** Its queues are there: is its RSS what it claims? p->steer_why says, if not. */
void port__rss_opened(struct plx_port *p);
