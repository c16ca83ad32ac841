/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Generic segmentation and receive offload: one packet for many, on the way out and on the way in.
 *
 * GSO cuts a packet that is larger than the MTU into what goes on the wire, GRO joins what came
 * from the wire in a row. Both keep the rules of Linux's (tcp_gso_segment(), __udp_gso_segment(),
 * dev_gro_receive() and what they call), and GRO merges only what GSO then cuts into the same
 * bytes. Ports, engine and clock are the caller's; nothing here counts in the account: what goes in
 * stands for as many wire packets as what comes out.
 *
 * TCP and UDP over IPv4 and IPv6. All functions are for one EAL thread at a time; a struct plx_gro
 * belongs to one lcore (best: one for each receive queue).
 */
#include <rte_mbuf.h>

#include <plx_pkt.h>

#include "plx_offload_hdr.h"

PLX_C_BEGIN

/**
 * Payload of a part up to which it is copied behind its headers, bytes; larger ones are attached.
 * Below it the copy costs less than a second mbuf does: to take it, to attach it, to free it and,
 * in the driver, its descriptor.
 */
#define PLX_GSO_COPY_BYTES 1024

/** How plx_gso_segment() makes parts. */
struct plx_gso_conf {
	struct rte_mempool *pool;   /**< of headers and copies */
	struct rte_mempool *clones; /**< of indirect mbufs: need no room; NULL = pool */
	bool linear;		    /**< the port takes no chains: always copy */
	bool ip_cksum, l4_cksum;    /**< the device fills these checksums, by the flags of a part */
};

/**
 * How many packets will m be on the wire?
 *
 * m is what is handed to a device for TSO or USO: RTE_MBUF_F_TX_TCP_SEG or _UDP_SEG (which means
 * datagrams here, not fragments) with _TX_IPV4 or _TX_IPV6; l2_len (0 where there is no link
 * layer), l3_len (with options or extension headers), l4_len; tso_segsz, the payload of each part
 * but the last, bytes; in the transport's checksum field the pseudo-header's sum without the
 * length, or 0 in UDP over IPv4: no checksum. All headers are in the first segment; any chain, any
 * kind of mbufs. IPv4: identifications count up, unless plx_pkt_fixed_id_flag is set.
 *
 * @return at least 1, or -EINVAL: flags, lengths and headers do not fit each other.
 */
PLX_API int plx_gso_parts(const struct rte_mbuf *m);

/**
 * Cut m, which is as plx_gso_parts() wants it and stands for that many packets (plx_pkt_wire()).
 *
 * Each part stands for one. It has headers of its own and, behind them, payload that is copied or
 * attached (indirect mbufs: it is shared, nobody may write into it), m's flags, VLAN tags, port,
 * hash and meta data. What m's headers say of lengths and IPv4's checksum is not looked at. A
 * checksum is complete, or by conf left to the device: with RTE_MBUF_F_TX_*_CKSUM, the lengths of
 * headers, and the whole pseudo-header's sum in its field. m is only read, so it may be shared;
 * its payload lives on while a part holds it.
 *
 * @param out room for max packets. @return parts written, m is gone; or, and m is as it was,
 * -EINVAL (as above; m stands for another number; linear, and the pool's mbufs have no room for a
 * part), -ENOSPC (more than max), -ENOMEM.
 */
PLX_API int plx_gso_segment(
	struct rte_mbuf *m, const struct plx_gso_conf *conf, struct rte_mbuf **out, uint32_t max);

/**
 * Make of a merged packet that was received (by plx_gro_receive(), or by the device: RX_LRO and
 * tso_segsz) one to be sent: for a device that can, or for plx_gso_segment(). Flags, lengths and
 * checksum fields are then as plx_gso_parts() wants them. A UDP packet without checksum stays so,
 * but devices would fill it: cut those in software.
 *
 * @param l2_bytes before the IP header now.
 * @return 0; -EINVAL: not such a packet, or it does not stand for tso_segsz' number of packets;
 * -EBUSY: the first segment is shared (plx_pkt_own()). m is then as it was.
 */
PLX_API int plx_gso_from_gro(struct rte_mbuf *m, uint16_t l2_bytes);

#define PLX_GRO_BUCKETS	  8				    /**< of flows, by hash */
#define PLX_GRO_SLOTS	  8				    /**< flows of a bucket */
#define PLX_GRO_HELD_MAX  (PLX_GRO_BUCKETS * PLX_GRO_SLOTS) /**< mbuf chains held at a time */
#define PLX_GRO_BURST_MAX 64				    /**< packets of one plx_gro_receive() */
/** What one call puts out at most: all that it was given, and all that was held. */
#define PLX_GRO_OUT_MAX (PLX_GRO_HELD_MAX + PLX_GRO_BURST_MAX)

struct plx_gro_conf {
	bool raw_ip; /**< frames begin with the IP header (tun) */
	bool udp;    /**< merge datagrams too: only for who can take that (rx-udp-gro-forwarding) */
	plx_ns timeout_ns; /**< for plx_gro_deadline(): how long a packet may be held */
};

/** A packet that is held, and what was merged into it. Opaque. */
struct plx_gro_held {
	struct plx_gro_run run;
	struct rte_mbuf *m, *last; /**< the chain */
	plx_ns since_ns;
	uint32_t hash;
	uint32_t order; /**< counts up with each that is held */
};

/** Opaque. No pointers into itself, no memory elsewhere but the packets held. */
struct plx_gro {
	struct plx_gro_conf conf;
	plx_ns oldest_ns;   /**< nothing is held since earlier; PLX_NEVER = nothing is held */
	uint32_t held_pkts; /**< in wire packets */
	uint32_t order;	    /**< of the next one that is held */
	uint16_t n_held;
	uint8_t used[PLX_GRO_BUCKETS]; /**< a bit for each slot */
	struct plx_gro_held slot[PLX_GRO_BUCKETS][PLX_GRO_SLOTS];
};

PLX_API void plx_gro_init(struct plx_gro *g, const struct plx_gro_conf *conf);

/**
 * Take a burst from one queue, give what need not wait any longer.
 *
 * The order of a flow (addresses, protocol, ports) never changes: what cannot be merged comes out
 * behind what was held of its flow, and fragments and packets with IPv4 options or IPv6 extension
 * headers behind all that was held between their addresses. The flow's hash is m->hash.rss where
 * RX_RSS_HASH says so, which must then be set for all packets of a flow or for none.
 *
 * Merged is what differs in nothing but length, place in the sequence, identification (one more,
 * or with DF the same), PSH and FIN (they end the packet), CWR (it begins one), and has a right
 * checksum; parts of equal size, the last may be shorter. UDP without a checksum is merged with
 * the same (Linux merges none). RX_*_CKSUM_GOOD and _NONE are believed, _UNKNOWN is computed, and
 * what is found good is then marked as _GOOD. Left alone are packets that are shared, of external
 * buffers, merged already, or padded and in several segments.
 *
 * A packet that nothing was merged into comes out as it came, padding included. A merged one is a
 * chain: the first packet with its headers adapted (lengths, IPv4's checksum, PSH, FIN; TCP's and
 * UDP's checksum is that of the first packet), then the others' payload. It has
 * RTE_MBUF_F_RX_LRO, RX_{IP,L4}_CKSUM_GOOD, tso_segsz and the lengths of its headers, stands for
 * its number of packets (plx_pkt_wire()), and plx_pkt_fixed_id_flag tells of its identifications.
 *
 * @param pkts packets, n <= PLX_GRO_BURST_MAX of them; taken. Not aliased by out.
 * @param now_ns of this burst; never goes back.
 * @param out room for n + PLX_GRO_HELD_MAX. @return packets written there.
 */
PLX_API uint32_t plx_gro_receive(struct plx_gro *g, struct rte_mbuf *const *pkts, uint32_t n,
	plx_ns now_ns, struct rte_mbuf **out);

/**
 * Give what is held since until_ns or earlier, oldest first within a bucket; PLX_NEVER: all.
 * @param out room for PLX_GRO_HELD_MAX. @return packets written there.
 */
PLX_API uint32_t plx_gro_flush(struct plx_gro *g, plx_ns until_ns, struct rte_mbuf **out);

/**
 * When to call plx_gro_flush() with now - timeout_ns: PLX_NEVER when nothing is held. May be too
 * early, never too late.
 */
static inline plx_ns plx_gro_deadline(const struct plx_gro *g)
{
	return g->oldest_ns == PLX_NEVER ? PLX_NEVER : g->oldest_ns + g->conf.timeout_ns;
}

/** Wire packets that are held, for the account; any thread. */
static inline uint32_t plx_gro_held_pkts(const struct plx_gro *g)
{
	return plx_count_read(g->held_pkts);
}

PLX_C_END
