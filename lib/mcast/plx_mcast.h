/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Multicast group membership of one interface: the host side of IGMPv3 (RFC 3376) and MLDv2
 * (RFC 3810), with IGMPv2, IGMPv1 and MLDv1 spoken where an older querier is present.
 *
 * One machine, two encodings: groups of both families live in one table, reports come out as the
 * structs that wire writes. The interface's filter for a group is EXCLUDE{} while somebody has
 * joined any source, else INCLUDE of the sources joined; a socket that blocks single sources is
 * EXCLUDE{} here and filters for itself.
 *
 * - join, leave: a change is reported at once, and robustness - 1 times more at random times
 *   (RFC 3376 5.1, RFC 3810 6.1)
 * - input: a querier's query, another host's report
 * - output: pulled, the next message to send
 * - timer, deadline: as in all libraries
 *
 * No clock, no allocation: memory, a seed and `now` come from the caller. One owner, the control
 * lcore; others read what the owner publishes from plx_mcast_next().
 */
#include <plx_base_addr.h>
#include <plx_base_defs.h>
#include <plx_wire_group.h>

PLX_C_BEGIN

struct plx_mcast; /**< memberships of one interface; one owner */

struct plx_mcast_conf {
	uint32_t groups;  /**< net.ipv4.igmp_max_memberships, of each family */
	uint32_t sources; /**< sources of all groups, those that a querier asked for included */
	uint64_t seed[2]; /**< key of the hash and start of the random delays */
};

/** Bytes that init() needs for this configuration. */
PLX_API size_t plx_mcast_size(const struct plx_mcast_conf *conf);

/**
 * No memberships, the link down.
 * @param mem  plx_mcast_size() bytes, aligned to a cache line; stays the caller's
 * @return the machine, at mem; or NULL when the configuration has a zero
 */
PLX_API struct plx_mcast *plx_mcast_init(void *mem, const struct plx_mcast_conf *conf);

/**
 * Down: forget what was due, and which version was spoken. Up: report all groups as if just joined;
 * up once more does that again, for the first link-local address to be used (RFC 3590).
 */
PLX_API void plx_mcast_link(struct plx_mcast *m, bool up, plx_ns now);

/**
 * Join a group once more: joins count, and each needs its leave.
 * @param src  one source only (source-specific), or NULL: any
 * @return 0; -EINVAL when not multicast or of two families; -ENOBUFS when a table is full
 */
PLX_API int plx_mcast_join(
	struct plx_mcast *m, const struct plx_addr *group, const struct plx_addr *src, plx_ns now);

/** Undo one join of the same group and source. @return 0; -EADDRNOTAVAIL when there is none. */
PLX_API int plx_mcast_leave(
	struct plx_mcast *m, const struct plx_addr *group, const struct plx_addr *src, plx_ns now);

/** Deliver this group? All-hosts, all-nodes: always. */
PLX_API bool plx_mcast_is_member(const struct plx_mcast *m, const struct plx_addr *group);

/** The same, for one source of the group: obeys the filter. */
PLX_API bool plx_mcast_accepts(
	const struct plx_mcast *m, const struct plx_addr *group, const struct plx_addr *src);

/** The interface's state for one group. */
struct plx_mcast_group {
	struct plx_addr addr;
	uint32_t users;	  /**< joins of any source */
	uint32_t sources; /**< sources joined: the filter is INCLUDE of these unless users > 0 */
	bool reported;	  /**< false: never announced (all-hosts, interface-local) */
};

/** Walk the groups. @param cursor starts at 0. @return false at the end. */
PLX_API bool plx_mcast_next(
	const struct plx_mcast *m, uint32_t *cursor, struct plx_mcast_group *group);

/** Changes whenever the set of groups does: time to program the MAC filter and publish. */
PLX_API uint32_t plx_mcast_generation(const struct plx_mcast *m);

/**
 * Take an IGMP or MLD message that wire has parsed and found right. Queries schedule answers and
 * tell which version to speak; a report of an older version by another host makes ours unneeded
 * (RFC 2236 3, RFC 2710 4); the rest is for routers.
 * @param p  the message's bytes, for the sources of a query; borrowed for the call
 */
PLX_API void plx_mcast_input(
	struct plx_mcast *m, const struct plx_group_msg *msg, const void *p, plx_ns now);

#define PLX_MCAST_RECORDS_MAX 64 /**< records in one report */
#define PLX_MCAST_SOURCES_MAX 90 /**< sources in one report */

/**
 * A message to send to dst: TTL or hop limit 1, router alert; from a link-local address (or ::
 * while there is none) for MLD. Its family is that of dst. msg.kind is GROUP_REPORTS: rec and n go
 * to plx_wire_igmp3_report_emit() or plx_wire_mld2_report_emit(); else msg goes to
 * plx_wire_igmp_emit() or plx_wire_mld_emit().
 */
struct plx_mcast_report {
	struct plx_addr dst;
	struct plx_group_msg msg;
	const struct plx_group_rec *rec; /**< the machine's; valid until its next call */
	uint32_t n;
};

/**
 * The next message that is due. Call until it returns false, after join, leave, input and timer.
 * @param room	bytes for the message from its type field on: MTU less IP header and router alert;
 *		at least 64
 */
PLX_API bool plx_mcast_output(
	struct plx_mcast *m, plx_ns now, uint32_t room, struct plx_mcast_report *report);

/** What is due becomes output. */
PLX_API void plx_mcast_timer(struct plx_mcast *m, plx_ns now);

/** When to call timer() and output(), or PLX_NEVER. 0 = at once, output is waiting. */
PLX_API plx_ns plx_mcast_deadline(const struct plx_mcast *m);

/** The version spoken now: IGMP 1..3, or MLD 1..2 when v6. */
PLX_API unsigned int plx_mcast_version(const struct plx_mcast *m, bool v6);

PLX_C_END
