/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plx_port.h"

/** Before the driver is opened: what is wanted, and what of it can be. */
void port__features_begin(struct plx_port *p, uint32_t off);
/** When it is, and has taken from p->features and p->caps what it turned out not to have. */
void port__features_opened(struct plx_port *p);
/** The MTU has changed. */
void port__features_mtu(struct plx_port *p);
/** Of how many mbufs a packet may be that is no super-segment. */
uint16_t port__max_segs(const struct plx_port *p, uint32_t features);
