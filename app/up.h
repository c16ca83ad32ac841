/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What a stack is asked to be, in words (struct stack_conf, and struct up_conf for the services of
 * `up`) and in values (struct up_plan).
 */
#include <stdio.h>

#include <plx_base_error.h>
#include <plx_steer_rps.h>

#include "opt.h"

#define UP_IFS	    64
#define UP_ADDRS    16
#define UP_GROUPS   16
#define UP_ROUTES   256
#define UP_SERVICES 32
#define UP_SYSCTLS  64
#define UP_RPS	    64
#define UP_SERVERS  8 /**< PLX_RESOLV_SERVERS, which is lib/resolv's */
#define UP_SEARCH   8 /**< PLX_RESOLV_SEARCH */

#define UP_PORT_NAMELEN 64 /**< PLX_PORT_NAMELEN, which is DPDK's */

/** The options of all commands that run a stack. */
struct stack_conf {
	struct opt_list ifs, routes, sysctl, rps;
	const char *file;
	bool no_offload;
	uint32_t sockets, tcp_mib, sock_mib; /**< 0 = as the libraries have it */
};

enum up_kind { UP_UDP_ECHO, UP_UDP_SINK, UP_TCP_ECHO, UP_TCP_SINK, UP_TCP_SOURCE, UP_KINDS };
/** Their options and keys. */
extern const char *const up_kind_name[UP_KINDS];

/** The options of up's services. */
struct up_conf {
	struct opt_list service[UP_KINDS];
};

struct up_if {
	char text[1024]; /**< as it was given, for errors */
	char port[UP_PORT_NAMELEN];
	struct plx_prefix addr[UP_ADDRS];
	struct plx_addr gw[2]; /**< at most one of each family */
	struct plx_addr group[UP_GROUPS];
	uint32_t n_addr, n_gw, n_group;
	uint16_t mtu, vlan;
};

struct up_route {
	char text[256];
	struct plx_prefix dst;
	struct plx_addr via;
	char iface[UP_PORT_NAMELEN];
};

struct up_sysctl {
	enum plx_tunable id;
	int64_t value;
};

/** Lcores that forward what comes by a port, or by one queue of it. */
struct up_rps {
	char text[256]; /**< as it was given, for errors */
	char port[256]; /**< with its queue, if there is one */
	struct plx_lcore_set lcores;
};

struct up_service {
	uint16_t port;
	uint8_t kind; /**< enum up_kind */
};

static inline bool up_is_tcp(const struct up_service *s)
{
	return s->kind >= UP_TCP_ECHO;
}

/** Whom to ask for names, what to know without. "": not said. */
struct up_resolver {
	char server[UP_SERVERS][64], search[UP_SEARCH][256], file[256], hosts[256];
	uint32_t n_server, n_search;
};

/** All parsed. */
struct up_plan {
	const char *cmd; /**< whose options they are, for errors */
	struct up_if ifs[UP_IFS];
	struct up_route routes[UP_ROUTES];
	struct up_sysctl sysctl[UP_SYSCTLS];
	struct up_service service[UP_SERVICES];
	struct up_rps rps[UP_RPS];
	uint32_t n_if, n_route, n_sysctl, n_service, n_rps;
	struct up_resolver resolver; /**< of the file: options stand in its place */
};

/**
 * The whole command line of cmd, and the file that it names. @param services NULL: there are none,
 * and those of the file are left out. @return 0 or -errno with *e filled.
 */
int up_plan(const char *cmd, const struct stack_conf *conf, const struct up_conf *services,
	struct up_plan *plan, struct plx_error *e);

/* One item each, as after its option; 0 or -errno with *e filled. */
int up_parse_if(struct up_plan *plan, const char *text, struct plx_error *e);
int up_parse_route(struct up_plan *plan, const char *text, struct plx_error *e);
int up_parse_sysctl(struct up_plan *plan, const char *text, struct plx_error *e);
int up_parse_rps(struct up_plan *plan, const char *text, struct plx_error *e); /* up_rps.c */
int up_parse_service(
	struct up_plan *plan, enum up_kind kind, const char *text, struct plx_error *e);

/**
 * up_resolver.c: can value be one more of what cmd's resolver is told as key, "nameserver" or
 * "search", when there are n already? Where it is said does not matter, option or file. 0 or -errno
 * with *e filled.
 */
int up_resolver_check(
	const char *cmd, const char *key, const char *value, uint32_t n, struct plx_error *e);
/** One key of it, called as its option is. */
int up_resolver_key(struct up_plan *plan, const char *key, const char *value, struct plx_error *e);
/** Is key one of them? */
bool up_resolver_has(const char *key);

/** Read an INI file into the plan. up_config.c */
int up_config_read(const char *path, struct up_plan *plan, struct plx_error *e);
/** The same from an open file, which is called path in errors. */
int up_config_parse(FILE *f, const char *path, struct up_plan *plan, struct plx_error *e);
