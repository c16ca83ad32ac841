/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Taps: who wants to see frames as they pass between the ports and the stack.
 *
 * They stand where Linux's ptype_all and ptype_base handlers do. On the way in behind GRO and in
 * front of everything else, so that frames are seen that the stack drops; a VLAN's frames are seen
 * with their tag taken off, first by the taps of the port's own interface, then by those of the
 * VLAN's. On the way out (dev_queue_xmit_nit()) in front of the transmit queue. What the stack
 * sends to an address of its own passes no port, and is not seen.
 *
 * The list is an immutable snapshot that each lcore reads as it comes (rte_rcu_qsbr): a stack
 * without taps pays one branch a burst, and one a frame on the way out. see() runs on the lcore
 * where the frame is; it copies what it wants (plx_net_tap_pass()), or looks and lets go.
 */
#include <plx_engine.h>
#include <plx_wire_eth.h>

PLX_C_BEGIN

struct plx_net;
struct plx_net_tap;

/* Of plx_net_tap.proto and plx_net_frame.proto: numbers that are no EtherTypes, as Linux's
 * ETH_P_*. */
#define PLX_NET_PROTO_802_3 1 /**< a length, then 0xffff: Novell's */
#define PLX_NET_PROTO_ALL   3 /**< any, and outgoing ones too */
#define PLX_NET_PROTO_802_2 4 /**< a length */

/** Linux's PACKET_*: whose a frame is. */
enum plx_net_frame_kind {
	PLX_NET_FRAME_HOST,
	PLX_NET_FRAME_BROADCAST,
	PLX_NET_FRAME_MULTICAST,
	PLX_NET_FRAME_OTHERHOST,
	PLX_NET_FRAME_OUTGOING,
};

/** What the stack knows of a frame. It goes with each copy, see plx_net_frame_of(). */
struct plx_net_frame {
	uint64_t tap;	     /**< plx_net_tap.id of who gets the copy */
	int64_t real_ns;     /**< the callee's: the stack does not look at it */
	uint32_t user;	     /**< the same */
	uint32_t snap_bytes; /**< of the frame, as many are in the copy */
	uint32_t bytes;	     /**< of the frame, from its link header on */
	uint16_t iface;	     /**< that it is seen at */
	uint16_t port_iface; /**< the untagged interface of the port, or as iface */
	uint16_t proto;	     /**< EtherType behind the tag, PLX_NET_PROTO_802_x */
	uint16_t tci, tpid;  /**< of the tag that was taken off; tpid 0: none was */
	uint8_t link_bytes;  /**< of the link header: 14, or 0 where there is no Ethernet */
	uint8_t kind;	     /**< enum plx_net_frame_kind */
	bool no_csum;	     /**< the transport checksum is not filled in */
	bool csum_ok;	     /**< received, and the device says that it is right */
	bool merged;	     /**< one packet for many of TCP */
	struct plx_mac src;  /**< of the link header */
};
static_assert(sizeof(struct plx_net_frame) <= RTE_PKTMBUF_HEADROOM, "it travels in the headroom");

/**
 * One that sees. Embedded in the owner's object, which lives until gone(). What is set here does
 * not change any more; plx_net_tap_set() replaces one by another.
 */
struct plx_net_tap {
	uint16_t iface; /**< at this one; 0 = at all */
	uint16_t proto; /**< of this one; PLX_NET_PROTO_ALL = of all */
	bool no_out;	/**< PLX_NET_PROTO_ALL: but not what goes out (PACKET_IGNORE_OUTGOING) */
	/**
	 * A frame, on the lcore where it is. m is to be read, not written, and not kept: it is the
	 * frame as the interface sees it, without the tag that *f tells of.
	 */
	void (*see)(struct plx_softnet *sn, struct plx_net_tap *t, const struct rte_mbuf *m,
		struct plx_net_frame *f);
	/** A copy, on the lcore that set the tap. m is the callee's, and counted as delivered. */
	void (*take)(struct plx_softnet *sn, struct plx_net_tap *t, struct rte_mbuf *m);
	/** iface went down or came up; on the same lcore. Optional. */
	void (*link)(struct plx_softnet *sn, struct plx_net_tap *t, bool up);
	/** No lcore sees it any more: t may be freed. On any thread. */
	void (*gone)(struct plx_net_tap *t);
	/* the stack's */
	uint64_t id;
	uint16_t home;		     /**< index of the lcore that set it */
	bool up;		     /**< of iface, as link() was told last */
	bool dead;		     /**< deleted, and there was no memory for a list without it */
	struct plx_net_tap *leaving; /**< the next one that goes with the same list */
	struct plx_list node;
};

/**
 * By an lcore: from now on t sees in place of old; either may be NULL. t is told of what old's
 * copies bring that are still under way. @return 0; -ENOMEM: all is as it was.
 */
PLX_API int plx_net_tap_set(struct plx_softnet *sn, struct plx_net_tap *old, struct plx_net_tap *t);

/**
 * From see(): a copy of m, from its byte off on and snap bytes at most, to t->take(), by the
 * backlog of its lcore where that is another one. *f goes with it.
 * @return false: there is no mbuf.
 */
PLX_API bool plx_net_tap_pass(struct plx_softnet *sn, const struct plx_net_tap *t,
	const struct rte_mbuf *m, struct plx_net_frame *f, uint32_t off, uint32_t snap);

/** Of a copy that take() got, as long as its first bytes have not been added to. */
static inline struct plx_net_frame *plx_net_frame_of(const struct rte_mbuf *m)
{
	return (struct plx_net_frame *)m->buf_addr;
}

/**
 * Send a frame by an interface: m holds it from its Ethernet header on (from the IP header where
 * there is no Ethernet), without the VLAN's tag. Takes m; counts it as originated. Seen by all taps
 * but `by` (NULL: by all); by none if quiet. On an lcore.
 * @return 0; -ENXIO: no such interface; -ENETDOWN.
 */
PLX_API int plx_net_frame_send(struct plx_softnet *sn, struct rte_mbuf *m, uint16_t iface,
	const struct plx_net_tap *by, bool quiet);

/** What an interface hears besides what is for it; each counts. */
enum plx_net_hear {
	PLX_NET_HEAR_PROMISC,
	PLX_NET_HEAR_ALLMULTI,
	PLX_NET_HEAR_GROUP, /**< a group MAC */
};
/** By an lcore, which does not wait: the control lcore does it. @param mac of a group, or NULL.
 * @return 0, -ENODEV, -ENOBUFS. */
PLX_API int plx_net_hear(struct plx_softnet *sn, uint16_t iface, enum plx_net_hear what,
	const struct plx_mac *mac, bool on);

PLX_C_END
