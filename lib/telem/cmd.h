/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "plx_telem_server.h"

/**
 * Answer one request, whatever it holds: to the commands that are registered.
 * @return the reply as JSON, to be freed with free(); NULL when there is no memory for it.
 */
char *telem__answer(const char *request, size_t len);

/** The reply to a request that is not looked at. Likewise. */
char *telem__refuse(int err, const char *why);
