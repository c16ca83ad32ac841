/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * How the options of the levels are told: a table for each, a row for each option.
 *
 * Most options are a field of struct sock_opts with a range. What is more than that has functions.
 */
#include "sock.h"

/** A setsockopt() or getsockopt() under way. */
struct sock_optarg {
	struct sock_lcore *sl;
	struct sock_file *f;
	struct sock_op *op;
	const struct sock_optdef *def;
	struct sock_opts *opt; /**< set: to be written */
	int v;		       /**< the value, unless raw */
	int len;	       /**< bytes given, or room for them */
};

enum sock_opt_how {
	SOCK_OPT_INT,  /**< v is looked at by the functions alone */
	SOCK_OPT_BOOL, /**< kept in a bool */
	SOCK_OPT_U8,
	SOCK_OPT_U16,
	SOCK_OPT_U32,
	SOCK_OPT_I16,
	SOCK_OPT_BYTES, /**< no int: set() and get() see to the value themselves */
};

/** Sockets that have the option. */
#define SOCK_ONLY_STREAM 1
#define SOCK_ONLY_DGRAM	 2
#define SOCK_ONLY_RAW	 4
#define SOCK_ONLY_PACKET 8

struct sock_optdef {
	int name;
	uint8_t how;  /**< enum sock_opt_how */
	uint8_t only; /**< SOCK_ONLY_STREAM, ...; 0 = all have it */
	uint16_t at;  /**< of the field in struct sock_opts */
	int32_t min, max;
	/** In place of the field's rule. 0 or -errno. */
	long (*set)(struct sock_optarg *a);
	/** 0: a->v is the value; SOCK_OPT_PUT: it has been put; -errno. */
	long (*get)(struct sock_optarg *a);
};
#define SOCK_OPT_PUT	   1
#define SOCK_OPT_AT(field) offsetof(struct sock_opts, field)

/** A level's rules for lengths differ: Linux's functions are not one. */
struct sock_optlevel {
	int level;
	const struct sock_optdef *def;
	size_t n;
	/** The int in the caller's memory. 0 or -errno. */
	long (*load)(struct sock_optarg *a);
	/** The int to the caller's memory. */
	void (*store)(struct sock_optarg *a);
};

extern const struct sock_optlevel sock__level_sol, sock__level_tcp, sock__level_ip, sock__level_ip6,
	sock__level_udp;

/** The option's field as it is. */
#define SOCK_OPT_FIELD(a) sock__opt_field((a)->def, sock__opts((a)->f))
int sock__opt_field(const struct sock_optdef *def, const struct sock_opts *o);
/** An int of four bytes at least, as most levels want it. */
long sock__opt_load(struct sock_optarg *a);
/** As much of an int as there is room for. */
void sock__opt_store(struct sock_optarg *a);
/** What is no int: as much of it as there is room for. @return SOCK_OPT_PUT. */
long sock__opt_put(struct sock_optarg *a, const void *p, size_t n);
/** IP_MTU, IPV6_MTU: of a connected socket's path. */
long sock__opt_mtu(struct sock_optarg *a);
/** Not to be read, not to be set. */
long sock__opt_none(struct sock_optarg *a);
/** The raw value, if it is n bytes long at least. @return 0, -EINVAL. */
long sock__opt_take(const struct sock_optarg *a, void *p, size_t n);

static inline int64_t sock__tun(const struct sock_lcore *sl, enum plx_tunable t)
{
	return __atomic_load_n(&plx_net_tunables(sl->ns->net)->v[t], __ATOMIC_RELAXED);
}
/** SO_RCVBUF, SO_SNDBUF of a datagram socket that has set none: the tunables'. */
uint32_t sock__rcvbuf(const struct sock_lcore *sl, const struct sock_file *f);
uint32_t sock__sndbuf(const struct sock_lcore *sl, const struct sock_file *f);

/** The index of the interface with this name; -ENODEV. */
int sock__iface_find(const struct sock_lcore *sl, const char *name);
bool sock__iface_is(const struct sock_lcore *sl, int index);
/** The one that has this address, or 0. */
uint16_t sock__iface_with(const struct sock_lcore *sl, const struct plx_addr *a);

/* opt_tcp.c */
/** Something of it has been set: the connection hears of it at once. */
void sock__apply(struct sock_lcore *sl, struct sock_file *f, int level, int name);
/** A fresh connection: all that is not as by default. */
void sock__apply_all(struct sock_lcore *sl, struct sock_file *f, struct plx_net_tcp *tc);

/* opt_mc.c: groups */
long sock__mc_if4(struct sock_optarg *a);
long sock__mc_if6(struct sock_optarg *a);
long sock__mc_member4(struct sock_optarg *a);
long sock__mc_member6(struct sock_optarg *a);
long sock__mc_group_req(struct sock_optarg *a);
