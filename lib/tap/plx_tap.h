/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Capture: filters.
 */
#include <plx_tap_filter.h>
