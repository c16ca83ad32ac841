/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The lists that are written once: drop reasons, counters, errors with their remedies, tunables.
 *
 * Each .def file is a list of X(...) rows; the enums, names, texts and tables here come from it.
 */
#include "plx_base_defs.h"

PLX_C_BEGIN

/** Why a packet was dropped. PLX_DROP_NONE = it was not. */
enum plx_drop {
	PLX_DROP_NONE,
#define X(id, layer, text) PLX_DROP_##id,
#include "plx_base_drop.def"
#undef X
	PLX_DROP_MAX
};

/** Counters under Linux's names. */
enum plx_stat {
#define X(id, group, name, text) PLX_STAT_##id,
#include "plx_base_stat.def"
#undef X
	PLX_STAT_MAX
};

/** Set-up errors, each with its remedy. */
enum plx_err {
#define X(id, text, remedy) PLX_ERR_##id,
#include "plx_base_err.def"
#undef X
	PLX_ERR_MAX
};

/** Tunables under Linux's sysctl names. */
enum plx_tunable {
#define X(id, name, def, min, max, unit, when, text) PLX_TUN_##id,
#include "plx_base_tunable.def"
#undef X
	PLX_TUN_MAX
};

struct plx_drop_info {
	const char *name;  /**< "UDP_NO_PORT" */
	const char *layer; /**< "udp" */
	const char *text;  /**< a sentence */
};

struct plx_stat_info {
	const char *group; /**< "Udp" */
	const char *name;  /**< "NoPorts" */
	const char *text;  /**< a sentence */
};

struct plx_err_info {
	const char *name;   /**< "NO_PORTS" */
	const char *text;   /**< printf format: what and why */
	const char *remedy; /**< what to do; may itself hold a conversion */
};

struct plx_tunable_info {
	const char *name; /**< "net.ipv4.ip_forward" */
	int64_t def, min, max;
	const char *unit; /**< "ms", or "" for a plain number */
	const char *when; /**< "" = it may change at any time; "start" = it is read once */
	const char *text; /**< a sentence */
};

PLX_API extern const struct plx_drop_info plx_drop_info[PLX_DROP_MAX];
PLX_API extern const struct plx_stat_info plx_stat_info[PLX_STAT_MAX];
PLX_API extern const struct plx_err_info plx_err_info[PLX_ERR_MAX];
PLX_API extern const struct plx_tunable_info plx_tunable_info[PLX_TUN_MAX];

/** A set of tunables: the owner's copy. */
struct plx_tunables {
	int64_t v[PLX_TUN_MAX];
};

/** All defaults. */
PLX_API void plx_tunables_init(struct plx_tunables *t);
/** By name. @return the tunable, or -ENOENT. */
PLX_API int plx_tunable_find(const char *name);
/** Set one. @return 0, -ERANGE outside of its bounds. */
PLX_API int plx_tunable_set(struct plx_tunables *t, enum plx_tunable id, int64_t value);

PLX_C_END
