/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * One set-up error in words: what, why and what to do, from the catalogue plx_base_err.def.
 *
 * Functions that set things up take a `struct plx_error *`, fill it where the fault is known best
 * and return the -errno; the program that asked prints it, as one line: "TEXT; REMEDY".
 */
#include "plx_base_reasons.h"

PLX_C_BEGIN

struct plx_error {
	enum plx_err id;
	char text[800];	  /**< what and why */
	char remedy[400]; /**< what to do */
};

/**
 * Fill *e (if not NULL) from row id; the arguments are those of the row's text, then its remedy's.
 * The catalogue is the only source of formats. Long strings are cut, and control characters become
 * '?', so that neither half is lost or leaves its line.
 * @return err, so that a caller can `return` the call.
 */
PLX_API int plx_error_set(struct plx_error *e, int err, enum plx_err id, ...);

PLX_C_END
