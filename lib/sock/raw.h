/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A raw socket: a datagram socket (dgram.h) of an IP protocol instead of UDP. Its protocol is in
 * the file's spare.
 */
#include "dgram.h"
#include "opt.h"

struct sock_raw {
	struct sock_dgram d; /**< first */
	struct plx_net_raw net;
	uint32_t filter[8]; /**< of ICMP's types: a bit for each that is not wanted */
};

extern const struct sock_optlevel sock__level_raw, sock__level_icmp6;
/** IPv4's header comes from the program. */
bool sock__raw_includes_header(const struct sock_file *f);
