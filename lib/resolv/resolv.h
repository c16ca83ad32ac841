/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of the library share.
 *
 * A query is a struct resolv_job of the lcore that carries it out. gai.c says what is asked for and
 * makes the result, query.c goes from source to source, dns.c is the one file that knows c-ares.
 */
#include <errno.h>
#include <netinet/in.h>

#include "plx_resolv.h"
#include "text.h"

#define RESOLV_NAME_MAX 1025 /* NI_MAXHOST */

/* service.c */

/** What an address is for: an entry of the result each. */
struct resolv_service {
	int type, protocol;
	uint16_t port;
};
#define RESOLV_SERVICES 3
/** @param name NULL: port 0. @return how many, or EAI_* (negative). */
int resolv__service(
	struct resolv_service s[RESOLV_SERVICES], const char *name, const struct addrinfo *hints);

/* gai.c, order.c */

struct resolv_addr {
	struct plx_addr addr;
	uint32_t scope;
};
/** Addresses that were found, and the name that they belong to. */
struct resolv_found {
	struct resolv_addr *v;
	unsigned int n, room;
	char canon[RESOLV_NAME_MAX];
};
/** @return 0 or EAI_MEMORY. */
int resolv__found_add(struct resolv_found *f, const struct plx_addr *a, uint32_t scope);
void resolv__found_free(struct resolv_found *f);

/** A query in numbers. */
struct resolv_want {
	char node[RESOLV_NAME_MAX];
	bool no_node;
	int flags, family;
	struct resolv_service service[RESOLV_SERVICES];
	int n_services;
};
/** What the caller asks for. @return 0 or EAI_*. */
int resolv__want(
	struct resolv_want *w, const char *node, const char *service, const struct addrinfo *hints);
/** AI_ADDRCONFIG: which families has this host addresses of? @return 0, or EAI_NONAME: not of the
 * one that is asked for. */
int resolv__addrconfig(struct resolv_want *w, bool v4, bool v6);
/** No name, or an address: found without anybody's help. @return 0, EAI_*, or 1: it is a name. */
int resolv__numeric(const struct resolv_want *w, struct resolv_found *f);
/** The family that DNS is asked for: AF_UNSPEC both. */
int resolv__dns_family(const struct resolv_want *w);
/** Drop what was not asked for: AI_V4MAPPED, AI_ALL. */
void resolv__filter(const struct resolv_want *w, struct resolv_found *f);
/** The result. @return 0 or EAI_*. */
int resolv__result(
	const struct resolv_want *w, const struct resolv_found *f, struct addrinfo **res);

/** What is known of a way to a destination, for the order. */
struct resolv_way {
	bool usable, on_link;
	struct plx_addr src;
};
/** Is a with its way to be tried before b? RFC 6724, 6. */
bool resolv__before(const struct plx_addr *a, const struct resolv_way *way_a,
	const struct plx_addr *b, const struct resolv_way *way_b);
/** By RFC 6724 and the routes of sn's stack. On its lcore. */
void resolv__order(struct plx_softnet *sn, struct resolv_found *f);

/* resolv.c */

struct resolv_dns;
struct resolv_lcore {
	struct plx_resolv *r;
	struct plx_softnet *sn;
	struct plx_sock_program program;
	struct resolv_dns *dns;	 /**< NULL until the lcore runs */
	struct resolv_job *jobs; /**< under way */
};
struct plx_resolv {
	struct plx_net *net;
	struct resolv_conf conf;
	struct resolv_hosts hosts;
	uint16_t n;
	uint32_t next; /**< which lcore the next thread's query is for */
	bool closed;
	struct resolv_lcore lcore[PLX_ENGINE_LCORES_MAX];
};
/** The lcore that the calling thread is; NULL: an ordinary thread. */
struct resolv_lcore *resolv__self(void);
/** Whom ordinary threads ask; NULL: nobody. */
struct plx_resolv *resolv__first(void);

/* query.c */

struct resolv_job {
	struct plx_resolv_query *q; /**< NULL: it was given up */
	struct resolv_lcore *rl;
	struct resolv_job *next;
	bool by_name; /**< of an address, its name */
	bool exact;   /**< what was written is what is wanted: an address, or nobody */
	struct resolv_want want;
	struct resolv_found found;
	struct plx_addr addr;
	char name[RESOLV_NAME_MAX];
};
/** dns.c has an answer: EAI_*, or 0 with job->found or job->name filled. Frees job. */
void resolv__answered(struct resolv_job *job, int err);
/** Begin q by what was asked for. @param local no name servers. On the lcore. */
void resolv__begin_addr(struct resolv_lcore *rl, struct plx_resolv_query *q,
	const struct resolv_want *w, bool local);
void resolv__begin_name(
	struct resolv_lcore *rl, struct plx_resolv_query *q, const struct plx_addr *a, bool local);
/** End what is under way. After the run. */
void resolv__end_all(struct resolv_lcore *rl);
/** The name of an address: waits as plx_getnameinfo() does. @param name RESOLV_NAME_MAX bytes.
 * @return 0 or EAI_*. */
int resolv__name_of(const struct plx_addr *a, char *name);
/** An address of a socket's. @return EAI_FAMILY: none of ours. */
int resolv__addr_of(const struct sockaddr *sa, socklen_t len, struct plx_addr *a, uint16_t *port,
	uint32_t *scope);

/* dns.c, or dns_none.c without c-ares */

/** On the lcore. @return NULL: no memory, no servers. */
struct resolv_dns *resolv__dns_new(struct resolv_lcore *rl);
void resolv__dns_free(struct resolv_dns *d);
/** Ask for job->want, or the name of job->addr: resolv__answered() follows, maybe at once. */
void resolv__dns_ask(struct resolv_dns *d, struct resolv_job *job);
/** What came in. @return when to be called again at the latest. */
plx_ns resolv__dns_run(struct resolv_dns *d, plx_ns now);
