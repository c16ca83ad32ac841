/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What a resolver is told, in words. It knows nothing of sockets.
 */
#include <plx_base.h>

PLX_C_BEGIN

#define PLX_RESOLV_SERVERS 8 /**< name servers that are asked, at most (glibc: 3) */
#define PLX_RESOLV_SEARCH  8 /**< domains that are tried, at most */

/** All of it may be zero. Strings need not live longer than plx_resolv_create(). */
struct plx_resolv_conf {
	const char *file;  /**< in place of /etc/resolv.conf; a missing one is an empty one */
	const char *hosts; /**< in place of /etc/hosts; likewise */
	/** "A", "A:PORT", "[A6]:PORT": in place of the file's; NULL at the end. */
	const char *server[PLX_RESOLV_SERVERS + 1];
	const char *search[PLX_RESOLV_SEARCH + 1]; /**< likewise */
};

/** Is text a name server as plx_resolv_conf.server takes it? Any thread. */
PLX_API bool plx_resolv_server_ok(const char *text);

PLX_C_END
