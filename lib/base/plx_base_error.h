/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * One set-up error in words: what, why and what to do, from the catalogue plx_base_err.def.
 *
 * Functions that set things up take a `struct plx_error *`, fill it where the fault is known best
 * and return the -errno; the program that asked prints it.
 */
#include "plx_base_reasons.h"

PLX_C_BEGIN

struct plx_error {
	enum plx_err id;
	char text[320];	  /**< what and why, one line */
	char remedy[320]; /**< what to do, one line */
};

/**
 * Fill *e (if not NULL) from row id; the arguments are those of the row's text, then its remedy's.
 * The catalogue is the only source of formats. @return err, so that a caller can `return` the call.
 */
PLX_API int plx_error_set(struct plx_error *e, int err, enum plx_err id, ...);

PLX_C_END
