/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * An HTTP server on the sockets of an lcore.
 */
#include "http.h"
#include "prog.h"

struct http_conf {
	struct endpoint listen;
	struct http_files files;
};

enum http_count {
	HTTP_CONNECTIONS,
	HTTP_REQUESTS,
	HTTP_ERRORS,
	HTTP_BYTES,
	HTTP_ABORTED,
	HTTP_TIMEOUTS,
	HTTP_COUNTS,
};

/** Programs whose arg is a struct http_conf. */
extern const struct prog_ops http_serve_ops;
