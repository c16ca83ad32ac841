/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Options as data, and the values that they take. Like up.h and vdev.h it knows nothing of DPDK, so
 * that what reads a user's text is fuzzed without it.
 */
#include <plx_base.h>

enum opt_type {
	OPT_FLAG,   /**< bool */
	OPT_U32,    /**< uint32_t, min .. max */
	OPT_STR,    /**< const char * */
	OPT_CHOICE, /**< uint32_t, the index in `choices` */
	OPT_MAC,    /**< struct opt_mac */
	OPT_LIST,   /**< struct opt_list; may be given many times */
};

#define OPT_LIST_MAX 64
struct opt_list {
	const char *v[OPT_LIST_MAX];
	unsigned int n;
};

struct opt_mac {
	struct plx_mac mac;
	bool set;
};

/** An option of a command; tables end with a row without a name. */
struct opt {
	const char *name; /**< without the dashes */
	const char *arg;  /**< what stands for its value in the help; NULL for a flag */
	enum opt_type type;
	size_t offset;		    /**< in the struct that the table is for */
	const char *deflt;	    /**< as if given; NULL = none */
	const char *help;	    /**< a sentence */
	uint32_t min, max;	    /**< of OPT_U32 */
	const char *const *choices; /**< of OPT_CHOICE, NULL at its end */
	char letter;		    /**< 'f': it may be given as -f, too; 0 = it may not */
};

/* opt_value.c */

/** A decimal number within bounds. @return false if it is not one. */
bool opt_u32(const char *s, uint32_t min, uint32_t max, uint32_t *v);
/** Put a value where the option wants it, in conf. @return false if it is not of its type. */
bool opt_assign(const struct opt *o, void *conf, const char *value);
