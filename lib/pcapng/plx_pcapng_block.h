/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What a capture file holds, in host order: the same structs are written and read.
 *
 * Pointers in them are borrowed: while writing from the caller, who may change what they lead to
 * once the call is over; while reading from the buffer that was shown.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

/** Longest block or packet record that is read, in bytes; hostile files name more. */
#define PLX_PCAPNG_BLOCK_MAX (16u << 20)

/** Most bytes of a packet that a file may keep (the limit that others read). */
#define PLX_PCAPNG_SNAPLEN_MAX 262144u

/** UTF-8 without an end marker. p == NULL = there is none; len 0 with a p is an empty text. */
struct plx_pcapng_text {
	const char *p;
	uint32_t len; /**< bytes; more than 65535 are cut when written */
};

/** The text of a C string, or none for NULL. */
static inline struct plx_pcapng_text plx_pcapng_text(const char *s)
{
	struct plx_pcapng_text t = {s, s ? (uint32_t)strlen(s) : 0};

	return t;
}

/** Link types (LINKTYPE_ of tcpdump.org). */
enum plx_pcapng_link {
	PLX_PCAPNG_LINK_ETHERNET = 1,
	PLX_PCAPNG_LINK_RAW = 101, /**< IPv4 or IPv6, by the first four bits */
};

/** Section Header Block: who captured. */
struct plx_pcapng_section {
	struct plx_pcapng_text hardware, os, app, comment;
};

/** Interface Description Block. Numbered from 0 in the order of the section. */
struct plx_pcapng_iface {
	uint32_t link;	  /**< enum plx_pcapng_link; 16 bits in pcapng */
	uint32_t snaplen; /**< bytes kept of a packet; 0 = all */
	struct plx_pcapng_text name, descr, filter, hardware, os, comment;
	bool has_mac;
	uint8_t mac[6];
	uint64_t speed_bps; /**< 0 = not known */
	uint8_t tsresol;    /**< as read: 10^-n s, with the top bit 2^-n s. We write 9 */
	int64_t tsoffset_s; /**< as read, and counted in all times. We write none */
};

/** What a packet has beside its bytes: bits of plx_pcapng_pkt.has. */
enum {
	PLX_PCAPNG_FLAGS = 1 << 0,
	PLX_PCAPNG_QUEUE = 1 << 1,
	PLX_PCAPNG_HASH = 1 << 2,
	PLX_PCAPNG_DROPS = 1 << 3,
	PLX_PCAPNG_VERDICT = 1 << 4,
	PLX_PCAPNG_META = 1 << 5,
	PLX_PCAPNG_ID = 1 << 6,
	PLX_PCAPNG_UNTIMED = 1 << 7, /**< as read: ts_ns is void. What we write has a time */
};

/** Bits of plx_pcapng_pkt.flags (draft-ietf-opsawg-pcapng 4.3.1). */
enum {
	PLX_PCAPNG_F_IN = 1,
	PLX_PCAPNG_F_OUT = 2,
	PLX_PCAPNG_F_DIR = 3, /**< mask of the two */
	PLX_PCAPNG_F_UNICAST = 1 << 2,
	PLX_PCAPNG_F_MULTICAST = 2 << 2,
	PLX_PCAPNG_F_BROADCAST = 3 << 2,
	PLX_PCAPNG_F_PROMISC = 4 << 2, /**< another host's */
	PLX_PCAPNG_F_CAST = 7 << 2,    /**< mask of the four */
	PLX_PCAPNG_F_CSUM_NOT_READY = 1 << 9,
	PLX_PCAPNG_F_CSUM_VALID = 1 << 10,
	PLX_PCAPNG_F_TSO = 1 << 11,	/**< a super-segment, to be cut */
	PLX_PCAPNG_F_ERR_CRC = 1 << 24, /**< the link's errors from here on */
	PLX_PCAPNG_F_ERR_LONG = 1 << 25,
	PLX_PCAPNG_F_ERR_SHORT = 1 << 26,
	PLX_PCAPNG_F_ERR_IFG = 1 << 27,
	PLX_PCAPNG_F_ERR_ALIGN = 1 << 28,
	PLX_PCAPNG_F_ERR_SFD = 1 << 29,
	PLX_PCAPNG_F_ERR_PREAMBLE = 1 << 30,
};
#define PLX_PCAPNG_F_ERR_SYMBOL (1u << 31)

/** Whose word plx_pcapng_pkt.verdict is. */
enum plx_pcapng_verdict {
	PLX_PCAPNG_VERDICT_HW = 0,  /**< a device's; read only if it has 8 bytes */
	PLX_PCAPNG_VERDICT_TC = 1,  /**< TC_ACT_* of linux/pkt_cls.h */
	PLX_PCAPNG_VERDICT_XDP = 2, /**< enum xdp_action of linux/bpf.h */
};

/** Where a packet was seen. These numbers are part of the file format. */
enum plx_pcapng_hook {
	PLX_PCAPNG_HOOK_NONE,	/**< not said */
	PLX_PCAPNG_HOOK_RX,	/**< as the driver gave it */
	PLX_PCAPNG_HOOK_RX_GRO, /**< merged by GRO, its VLAN tag taken off: Linux's ptype_all */
	PLX_PCAPNG_HOOK_TX,	/**< the driver accepted it */
	PLX_PCAPNG_HOOK_DROP,	/**< dropped for the reason that stands beside */
	PLX_PCAPNG_HOOK_FWD,	/**< being forwarded */
};

/**
 * What no standard option says: our custom option (doc/design/capture.md). A reason's number is
 * that of the release that the section names; the comment has its name for people.
 */
struct plx_pcapng_meta {
	uint8_t hook;	 /**< enum plx_pcapng_hook */
	uint16_t reason; /**< enum plx_drop; 0 = it was not dropped */
	uint32_t sample; /**< it stands for so many that the filter took; 0 and 1 are the same */
};

/** The packet of both formats. Classic pcap keeps the time, the lengths and the bytes alone. */
struct plx_pcapng_pkt {
	plx_ns ts_ns;	  /**< since 1970-01-01 UTC. To write: not negative */
	const void *data; /**< caplen bytes */
	uint32_t caplen;  /**< to write: at most PLX_PCAPNG_SNAPLEN_MAX */
	uint32_t len;	  /**< on the wire */
	uint32_t iface;	  /**< number in the section */
	uint32_t has;	  /**< PLX_PCAPNG_*: which of the following are set; the rest is void */
	uint32_t flags;	  /**< PLX_PCAPNG_F_* */
	uint32_t queue;
	uint32_t hash; /**< Toeplitz, the NIC's RSS hash */
	struct plx_pcapng_meta meta;
	uint64_t drops; /**< lost since the interface's packet before, or since the start */
	uint64_t id;	/**< the same for one packet seen at several places */
	uint64_t verdict;
	uint8_t verdict_kind; /**< enum plx_pcapng_verdict */
	struct plx_pcapng_text comment;
};

/** What an interface's statistics have: bits of plx_pcapng_stats.has. */
enum {
	PLX_PCAPNG_START = 1 << 0,
	PLX_PCAPNG_END = 1 << 1,
	PLX_PCAPNG_IFRECV = 1 << 2,
	PLX_PCAPNG_IFDROP = 1 << 3,
	PLX_PCAPNG_ACCEPT = 1 << 4,
	PLX_PCAPNG_OSDROP = 1 << 5,
	PLX_PCAPNG_DELIVERED = 1 << 6,
};

/** Interface Statistics Block; counters run from the start of the capture. */
struct plx_pcapng_stats {
	uint32_t iface;
	uint32_t has;	    /**< PLX_PCAPNG_START... */
	plx_ns ts_ns;	    /**< when these were true; since 1970, as the next two */
	plx_ns start_ns;    /**< capture began */
	plx_ns end_ns;	    /**< capture ended */
	uint64_t ifrecv;    /**< packets that the interface received */
	uint64_t ifdrop;    /**< that it lost for want of resources */
	uint64_t accept;    /**< that the filter took */
	uint64_t osdrop;    /**< that were taken, and lost before they reached the writer */
	uint64_t delivered; /**< that reached the writer */
	struct plx_pcapng_text comment;
};

PLX_C_END
