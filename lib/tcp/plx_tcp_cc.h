/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Congestion control, pluggable: the twin of Linux's struct tcp_congestion_ops. Windows are counted
 * in segments, as Linux does.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

struct plx_tcp;

/** Where loss recovery is (Linux's enum tcp_ca_state). */
enum plx_tcp_ca {
	PLX_TCP_CA_OPEN,     /**< all is well */
	PLX_TCP_CA_DISORDER, /**< SACKs or duplicate ACKs, nothing taken for lost yet */
	PLX_TCP_CA_CWR,	     /**< reducing for ECN */
	PLX_TCP_CA_RECOVERY, /**< fast retransmission */
	PLX_TCP_CA_LOSS,     /**< after a retransmission time-out */
};

#define PLX_TCP_CC_NAMELEN    16
#define PLX_TCP_CC_PRIV_BYTES 32 /**< what an algorithm may keep in each connection */

struct plx_tcp_cc {
	const char *name;
	/** The connection is established, or has this algorithm from now on. Optional. */
	void (*init)(struct plx_tcp *c, plx_ns now);
	/** The slow start threshold after a loss, in segments, at least 2. */
	uint32_t (*ssthresh)(struct plx_tcp *c);
	/** acked segments more have been delivered, the window was in use: grow it. */
	void (*avoid)(struct plx_tcp *c, uint32_t acked_segs, plx_ns now);
	/** The window to go back to when the reduction was wrong. */
	uint32_t (*undo)(struct plx_tcp *c);
	/** The state is about to be ca. Optional. */
	void (*set_state)(struct plx_tcp *c, enum plx_tcp_ca ca, plx_ns now);
	/** Sends again after idle_ns without anything in flight. Optional. */
	void (*restart)(struct plx_tcp *c, plx_ns idle_ns, plx_ns now);
};

PLX_API extern const struct plx_tcp_cc plx_tcp_reno;  /**< RFC 5681 */
PLX_API extern const struct plx_tcp_cc plx_tcp_cubic; /**< RFC 9438 */

/** By name. @return NULL if there is none. */
PLX_API const struct plx_tcp_cc *plx_tcp_cc_find(const char *name);
/** All, in the order of net.ipv4.tcp_available_congestion_control. @return NULL at the end. */
PLX_API const struct plx_tcp_cc *plx_tcp_cc_next(const struct plx_tcp_cc *cc);

PLX_C_END
