/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/** @file Commands about who owns which flows. */
#include <plx_telem.h>

#include "move.h"

/** `steer lcores`: share the buckets out. */
int net__steer_lcores(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net);
/** `steer bucket`: one of them. */
int net__steer_bucket(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *net);
