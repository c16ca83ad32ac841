/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Multicast group membership of one interface: the host side of IGMPv3 (RFC 3376) and MLDv2 (RFC
 *3810), with IGMPv2, IGMPv1 and MLDv1 spoken where an older querier is present.
 *
 * One machine, two encodings: groups of both families live in one table, reports come out as
 *numbers (wire writes them). The interface's filter for a group is EXCLUDE{} while somebody has
 *joined any source, else INCLUDE of the sources joined; a socket that blocks sources is EXCLUDE{}
 *here and filters itself.
 *
 *	join, leave          changes; a change is reported at once, and robustness - 1 times more at
 *			     random times (RFC 3376 5.1, RFC 3810 6.1)
 *	input, heard         a querier's query; another host's report (silences ours in older
 *versions) output               pulled: the next report to send now timer, deadline      as in all
 *libraries
 *
 * No clock, no allocation: memory, a seed and `now` come from the caller. One owner: the control
 *lcore; others read what the owner publishes from plx_mcast_next().
 */
#include <plx_base_addr.h>
#include <plx_base_defs.h>

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

/** Link up: report all groups as if just joined, in the newest version. Down: forget what was to be
 * sent. */
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
	uint32_t sources; /**< sources joined; filter is EXCLUDE{} if users > 0, else INCLUDE of
			     these */
	bool reported;	  /**< false: never announced (all-hosts, interface-local) */
};

/** Walk the groups. @param cursor starts at 0. @return false at the end. */
PLX_API bool plx_mcast_next(
	const struct plx_mcast *m, uint32_t *cursor, struct plx_mcast_group *group);

/** Changes whenever the set of groups does: time to program the MAC filter and publish. */
PLX_API uint32_t plx_mcast_generation(const struct plx_mcast *m);

/** How a querier speaks; a report's form follows. */
enum plx_mcast_version {
	PLX_MCAST_IGMP1 = 1,
	PLX_MCAST_IGMP2,
	PLX_MCAST_IGMP3,
	PLX_MCAST_MLD1,
	PLX_MCAST_MLD2,
};

/**
 * A query, parsed. The caller has checked what bytes and headers tell: checksum, and for MLD a
 * link-local source, hop limit 1 and router alert (RFC 3810 5.1.14).
 */
struct plx_mcast_query {
	enum plx_mcast_version version; /**< by length and code, RFC 3376 7.1, RFC 3810 8.1 */
	struct plx_addr group;		/**< any: general query */
	plx_ns max_resp_ns;		/**< decoded; IGMPv1: ignored, 10 s */
	uint8_t qrv;			/**< querier's robustness; 0 = not told */
	plx_ns qqi_ns;			/**< querier's interval, decoded; 0 = not told */
	const uint8_t
		*src; /**< sources as on the wire: 4 or 16 bytes each; borrowed for the call */
	uint16_t nsrc;
};

/** Take a query. @return 0, or -EINVAL when it asks for what is no group or for sources of no
 * group. */
PLX_API int plx_mcast_input(struct plx_mcast *m, const struct plx_mcast_query *q, plx_ns now);

/** Another host reported this group in IGMPv1, IGMPv2 or MLDv1: ours is not needed (RFC 2236 3). */
PLX_API void plx_mcast_heard(struct plx_mcast *m, const struct plx_addr *group);

enum plx_mcast_msg {
	PLX_MCAST_IGMP1_REPORT, /**< type 0x12, to the group */
	PLX_MCAST_IGMP2_REPORT, /**< type 0x16, to the group */
	PLX_MCAST_IGMP2_LEAVE,	/**< type 0x17, to 224.0.0.2 */
	PLX_MCAST_IGMP3_REPORT, /**< type 0x22, to 224.0.0.22 */
	PLX_MCAST_MLD1_REPORT,	/**< type 131, to the group */
	PLX_MCAST_MLD1_DONE,	/**< type 132, to ff02::2 */
	PLX_MCAST_MLD2_REPORT,	/**< type 143, to ff02::16 */
};

/** Record types, the same numbers in IGMPv3 and MLDv2 (RFC 3376 4.2.12). */
enum plx_mcast_record_type {
	PLX_MCAST_IS_IN = 1,
	PLX_MCAST_IS_EX,
	PLX_MCAST_TO_IN,
	PLX_MCAST_TO_EX,
	PLX_MCAST_ALLOW,
	PLX_MCAST_BLOCK,
};

struct plx_mcast_record {
	struct plx_addr group;
	enum plx_mcast_record_type type; /**< of version 3 and MLDv2 reports only */
	uint16_t nsrc;
	const struct plx_addr *src;
};

/** A message to send: TTL or hop limit 1, router alert option, link-local source (or ::) for MLD.
 */
struct plx_mcast_report {
	enum plx_mcast_msg msg;
	struct plx_addr dst;
	uint16_t nrec;			    /**< older versions: 1, its group only */
	const struct plx_mcast_record *rec; /**< the machine's; valid until its next call */
};

#define PLX_MCAST_RECORDS_MAX 64 /**< records in one report */
#define PLX_MCAST_SOURCES_MAX 64 /**< sources in one report */

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

/** The version spoken now. @param v6 MLD, else IGMP. */
PLX_API enum plx_mcast_version plx_mcast_version(const struct plx_mcast *m, bool v6);

PLX_C_END
