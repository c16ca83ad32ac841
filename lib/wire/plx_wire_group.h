/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Multicast group membership: IGMPv1 to v3 (RFC 1112, 2236, 3376), MLDv1 and v2 (RFC 2710, 3810).
 *
 * One struct for both families. A host hears queries and old reports, and sends reports and leaves.
 */
#include "plx_wire_icmp.h"
#include "plx_wire_ip.h"

PLX_C_BEGIN

#define PLX_IGMP_QUERY	   0x11
#define PLX_IGMP_V1_REPORT 0x12
#define PLX_IGMP_V2_REPORT 0x16
#define PLX_IGMP_LEAVE	   0x17
#define PLX_IGMP_V3_REPORT 0x22

enum plx_group_kind {
	PLX_GROUP_QUERY,
	PLX_GROUP_REPORT,  /**< of one group: IGMPv1, v2; MLDv1 */
	PLX_GROUP_LEAVE,   /**< IGMPv2 leave, MLDv1 done */
	PLX_GROUP_REPORTS, /**< IGMPv3, MLDv2: its records are for routers, not parsed */
};

struct plx_group_msg {
	enum plx_group_kind kind;
	uint8_t version;       /**< IGMP 1..3, MLD 1..2 */
	bool suppress;	       /**< newest query: the S flag */
	uint8_t qrv;	       /**< newest query: robustness; 0 = over 7 */
	uint16_t n_src;	       /**< newest query: sources asked about */
	uint16_t src_off;      /**< they stand in the message from this byte on */
	uint32_t max_resp_ms;  /**< query: time to spread the answers over; IGMPv1: 10 s */
	uint32_t qqi_s;	       /**< newest query: the querier's interval */
	struct plx_addr group; /**< any() = general query */
};

/** What a record of a report says (RFC 3376 4.2.12, RFC 3810 5.2.12). */
enum plx_group_rec_type {
	PLX_GROUP_IS_INCLUDE = 1,
	PLX_GROUP_IS_EXCLUDE,
	PLX_GROUP_TO_INCLUDE,
	PLX_GROUP_TO_EXCLUDE,
	PLX_GROUP_ALLOW,
	PLX_GROUP_BLOCK,
};

struct plx_group_rec {
	enum plx_group_rec_type type;
	struct plx_addr group;
	const struct plx_addr *src; /**< n_src addresses, borrowed */
	uint16_t n_src;
};

/**
 * Parse an IGMP message, its checksum included.
 * @param ip the header it came in. @param p from the IGMP type on, len bytes.
 * @return NONE or IGMP_MALFORMED: also for queries that a host should ignore (RFC 3376 9.1).
 */
PLX_API enum plx_drop plx_wire_igmp_parse(
	struct plx_group_msg *msg, const struct plx_ip *ip, const void *p, uint32_t len);
/**
 * Parse an MLD message whose checksum has been verified: link-local source, hop limit 1 and router
 * alert are asked for (RFC 3810 6.2).
 * @param p from the ICMPv6 type on, len bytes. @return NONE or IGMP_MALFORMED.
 */
PLX_API enum plx_drop plx_wire_mld_parse(
	struct plx_group_msg *msg, const struct plx_ip *ip, const void *p, uint32_t len);
/** Source i < msg->n_src of a parsed query at p. */
PLX_API struct plx_addr plx_wire_group_src(
	const struct plx_group_msg *msg, const void *p, unsigned int i);

/**
 * Write an IGMPv1 or v2 report or a v2 leave, checksum included; goes to the group, a leave to
 * 224.0.0.2. Takes kind, version, group. @param p room for 8 bytes. @return 8.
 */
PLX_API uint32_t plx_wire_igmp_emit(void *p, const struct plx_group_msg *msg);
/**
 * Write an MLDv1 report or done, checksum 0; goes to the group, a done to ff02::2. Takes kind,
 * group.
 * @param p room for 24 bytes. @return 24.
 */
PLX_API uint32_t plx_wire_mld_emit(void *p, const struct plx_group_msg *msg);
/**
 * Write an IGMPv3 report of n records, checksum included; goes to 224.0.0.22.
 * @param room bytes at p. @return bytes written; 0 when they do not fit.
 */
PLX_API uint32_t plx_wire_igmp3_report_emit(
	void *p, uint32_t room, const struct plx_group_rec *rec, unsigned int n);
/** Write an MLDv2 report of n records, checksum 0; goes to ff02::16. As above. */
PLX_API uint32_t plx_wire_mld2_report_emit(
	void *p, uint32_t room, const struct plx_group_rec *rec, unsigned int n);

PLX_C_END
