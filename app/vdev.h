/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The text of --vdev arguments, and what EAL and its drivers say of them. vdev_text.c
 */
#include <plx_base.h>

#define VDEV_NAMELEN 64 /**< PLX_PORT_NAMELEN, which is DPDK's */

/** A --vdev argument: "net_tap0,iface=plx0". */
struct vdev {
	char name[VDEV_NAMELEN];
	const char *args; /**< after the name's comma; "" if there are none */
};

/** The next --vdev from EAL's arguments; *i starts at 0. */
bool vdev_next(int argc, char *const *argv, int *i, struct vdev *v);
/** The value of the key at or after *at. @return false when there is no more; *at moves on. */
bool vdev_arg(const char **at, const char *key, char *value, size_t size);
/** What the log says about a device: the line before EAL's own that gives it up. */
void vdev_said(const char *log, const char *name, char *text, size_t size);
/** EAL refused one as a whole. @return the device's name, or NULL if the log is about other things.
 */
const char *vdev_unknown(const char *log, char *name, size_t size);
