/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The small services of old: echo (RFC 862), discard (RFC 863), character generator (RFC 864), by
 * TCP and UDP.
 */
#include "prog.h"

enum service_kind { SERVICE_ECHO, SERVICE_DISCARD, SERVICE_CHARGEN };

struct service_conf {
	enum service_kind kind;
	struct endpoint listen;
};

enum service_count {
	SERVICE_CONNECTIONS,
	SERVICE_DATAGRAMS,
	SERVICE_RECEIVED,
	SERVICE_SENT,
	SERVICE_ABORTED,
	SERVICE_IGNORED,
	SERVICE_COUNTS,
};

#define SERVICE_LINE   74 /**< 72 characters of 95, a line's end; each line begins one later */
#define SERVICE_LINES  95
#define SERVICE_BUFFER 65536

struct service_lcore {
	struct prog p;
	const struct service_conf *conf;
	struct watch listener, dgram;
	char pattern[SERVICE_LINE * SERVICE_LINES]; /**< of the generator, which then repeats */
	char buf[SERVICE_BUFFER];
};

/** Programs whose arg is a struct service_conf. */
extern const struct prog_ops service_ops;

/** service_udp.c: serve datagrams. @return 0 or -errno. */
int service_udp_start(struct service_lcore *s);
