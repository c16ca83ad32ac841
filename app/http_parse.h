/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The head of an HTTP/1 request (RFC 9112), as a server of files has to understand it.
 *
 * Pure: bytes in, a struct out; nothing is allocated and nothing is kept between two calls, so that
 * it does not matter how the bytes were cut on their way. What two readers could understand
 * differently is refused (RFC 9112, 11.2): odd white space, folded lines, two lengths.
 */
#include <plx_base.h>

#define HTTP_HEAD_MAX 8192 /**< bytes of a request line and its fields */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

struct http_request {
	const char *target; /**< the path and the query, in the text that was parsed */
	uint32_t target_len;
	uint32_t head_bytes; /**< the body, if any, begins behind them */
	uint64_t body_bytes; /**< Content-Length */
	/** Range: bytes from first to last, which may be beyond the end; with suffix the last ones,
	 * as many as `last` says. */
	uint64_t first, last;
	bool ranged, suffix;
	uint8_t method; /**< enum http_method */
	bool old;	/**< HTTP/1.0 */
	bool close;	/**< the connection ends with the answer */
	bool coded;	/**< a Transfer-Encoding: where the body ends is not known */
};

/**
 * Parse the request that the n bytes begin with. @return the bytes of its head; 0 if it goes on
 * behind them; or the status that refuses it, negative (-400, -414, -431, -505), after which nobody
 * knows where the next one begins.
 */
int http_parse(struct http_request *r, const char *text, size_t n);

/**
 * The path of a target: without the query, %XX decoded, with a NUL at its end. @return its length;
 * -400 for a bad escape or a NUL in it, -414 if out is too small.
 */
int http_path(const struct http_request *r, char *out, size_t size);
