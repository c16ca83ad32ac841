/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The stack's glue: interfaces, addresses, routes, neighbours; Ethernet, IP, ICMP and UDP in and
 * out.
 *
 * The one library that knows both the pure protocols and mbufs. One lcore, the first of the engine,
 * is the control lcore: it alone changes addresses, routes, neighbours, groups and path MTUs, and
 * publishes them as immutable snapshots that all lcores read without locks (rte_rcu_qsbr). Frames
 * that change such things go to its mailbox. Datagrams are handled on the lcore that owns their
 * socket, segments on that of their flow (plx_net_tcp.h); errors and echoes where they arrive.
 *
 * Calls marked "control" may be made by the main thread before plx_engine_run(), and by any
 * ordinary thread while it runs (they then run on the control lcore and the caller waits); never by
 * an lcore.
 */
#include <plx_engine.h>
#include <plx_frag.h>
#include <plx_neigh.h>
#include <plx_steer.h>
#include <plx_udp.h>
#include <plx_wire.h>

#include "plx_net_tcp.h"

PLX_C_BEGIN

#define PLX_NET_IF_MAX	   64
#define PLX_NET_IF_NAMELEN 72

struct plx_net;

struct plx_net_conf {
	uint32_t udp_sockets; /**< expected; 0 = 1024 */
	/** Each lcore's memory for TCP, taken when it is first used; 0 = 32 MiB. Less is taken
	 * where there is less. */
	size_t tcp_bytes;
	uint64_t seed; /**< of all secrets; 0 = from the system */
};

/**
 * Make the stack. tun is kept and read live. Before plx_engine_create(), whose ops are plx_net_ops
 * and whose arg is the stack. @return NULL with *e filled.
 */
PLX_API struct plx_net *plx_net_create(
	const struct plx_net_conf *conf, struct plx_tunables *tun, struct plx_error *e);
/** After plx_engine_destroy(). */
PLX_API void plx_net_destroy(struct plx_net *net);
PLX_API extern const struct plx_engine_ops plx_net_ops;
/** Tell the stack its engine, before any interface is added. @return 0 or -errno with *e filled. */
PLX_API int plx_net_attach(struct plx_net *net, struct plx_engine *eng, struct plx_error *e);
/** Packets held for neighbours, for reassembly and on the way to ourselves. At a quiet moment. */
PLX_API uint64_t plx_net_held(struct plx_net *net);

/* Interfaces: control */

struct plx_net_if {
	char name[PLX_NET_IF_NAMELEN]; /**< the port's name, ".VID" for a VLAN */
	uint16_t index;		       /**< 1 .. */
	uint16_t port;
	uint16_t vlan; /**< VLAN ID, 0 = untagged */
	uint16_t mtu;
	struct plx_mac mac;
	bool up;
};

/** An interface on an open port. @param vlan 0 or 1..4094. @return its index or -errno. */
PLX_API int plx_net_if_add(struct plx_net *net, uint16_t port, uint16_t vlan, uint16_t mtu);
PLX_API int plx_net_if_set_up(struct plx_net *net, uint16_t index, bool up);
PLX_API int plx_net_if_set_mtu(struct plx_net *net, uint16_t index, uint16_t mtu);
PLX_API int plx_net_if_set_mac(struct plx_net *net, uint16_t index, const struct plx_mac *mac);
/** Switch features of a port, as plx_port_set_features(); all its interfaces follow. */
PLX_API int plx_net_port_set_features(struct plx_net *net, uint16_t port, uint32_t wanted);
/** By name. @return index or -ENODEV. */
PLX_API int plx_net_if_find(struct plx_net *net, const char *name);
/** The next one after *index (0 to begin). @return false at the end. Any thread. */
PLX_API bool plx_net_if_next(struct plx_net *net, uint16_t *index, struct plx_net_if *ifc);

/* Addresses: control */

enum plx_net_addr_state {
	PLX_NET_ADDR_TENTATIVE, /**< duplicate address detection runs */
	PLX_NET_ADDR_VALID,
	PLX_NET_ADDR_DEPRECATED, /**< valid, not for new use */
	PLX_NET_ADDR_DUPLICATE,	 /**< somebody else has it: not used */
};

struct plx_net_addr {
	struct plx_prefix prefix; /**< address and length of its network */
	uint16_t iface;
	uint8_t state;	/**< enum plx_net_addr_state */
	bool dynamic;	/**< from a router's advertisement */
	bool secondary; /**< an older one of the same network has its routes. Output */
	plx_ns valid_until, preferred_until;
};

/** @return 0, -EEXIST, -EINVAL, -ENODEV, -ENOSPC. */
PLX_API int plx_net_addr_add(struct plx_net *net, uint16_t iface, const struct plx_prefix *addr);
PLX_API int plx_net_addr_del(struct plx_net *net, uint16_t iface, const struct plx_prefix *addr);
/** Address number *cursor (0 to begin; advanced). @return false at the end. On the control lcore.
 */
PLX_API bool plx_net_addr_next(struct plx_net *net, uint32_t *cursor, struct plx_net_addr *addr);

/* Routes: control */

enum plx_net_route_type {
	PLX_NET_ROUTE_UNICAST,
	PLX_NET_ROUTE_LOCAL,
	PLX_NET_ROUTE_BROADCAST,
	PLX_NET_ROUTE_UNREACHABLE,
	PLX_NET_ROUTE_BLACKHOLE,
};

enum plx_net_route_proto {
	PLX_NET_PROTO_KERNEL, /**< comes with an address */
	PLX_NET_PROTO_STATIC,
	PLX_NET_PROTO_RA,
};

struct plx_net_route {
	struct plx_prefix dst; /**< host bits are 0 */
	struct plx_addr via;   /**< gateway; any = on the link */
	struct plx_addr src;   /**< preferred source; any = chosen */
	uint16_t iface;	       /**< 0 for unreachable and blackhole */
	uint16_t mtu;	       /**< 0 = the interface's */
	uint32_t metric;       /**< the smaller wins */
	uint8_t type, proto;
};

/** iface 0: found by the gateway. @return 0, -EEXIST, -ENETUNREACH (gateway not on a link),
 * -EINVAL. */
PLX_API int plx_net_route_add(struct plx_net *net, const struct plx_net_route *route);
/** The first that matches dst, and via, iface and metric where these are set. @return 0 or -ESRCH.
 */
PLX_API int plx_net_route_del(struct plx_net *net, const struct plx_net_route *route);
/** Route number *cursor. On the control lcore. */
PLX_API bool plx_net_route_next(struct plx_net *net, uint32_t *cursor, struct plx_net_route *route);

/* Neighbours: control */

PLX_API int plx_net_neigh_add(struct plx_net *net, uint16_t iface, const struct plx_addr *addr,
	const struct plx_mac *mac);
PLX_API int plx_net_neigh_del(struct plx_net *net, uint16_t iface, const struct plx_addr *addr);
/** Entry at *cursor. On the control lcore. @return NULL at the end. */
PLX_API const struct plx_neigh *plx_net_neigh_next(struct plx_net *net, uint32_t *cursor);

/* Groups: control. Joins count. */

PLX_API int plx_net_group_join(struct plx_net *net, uint16_t iface, const struct plx_addr *group);
PLX_API int plx_net_group_leave(struct plx_net *net, uint16_t iface, const struct plx_addr *group);

/* UDP */

/** Where a datagram came from and went to. */
struct plx_net_udp_msg {
	struct plx_addr src, dst;
	uint16_t sport, dport;
	uint16_t iface; /**< it came by; to send: 0 = by route */
	uint8_t ttl, tos;
	bool to_many; /**< received: dst is a group or a broadcast address, no source of answers */
	bool bound;   /**< to send: by iface or not at all (SO_BINDTODEVICE) */
	bool no_loop; /**< to send: members of the group here don't get it (IP_MULTICAST_LOOP 0) */
};

struct plx_net_udp;
struct plx_net_udp_ops {
	/** A datagram: m holds the payload, and is the callee's. On the socket's lcore. */
	void (*rx)(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
		const struct plx_net_udp_msg *msg);
	/** An ICMP error about a datagram of ours: err as Linux maps it. msg as it was sent.
	 * Optional. */
	void (*error)(struct plx_softnet *sn, struct plx_net_udp *s, int err, uint32_t mtu,
		const struct plx_net_udp_msg *msg);
};

/** A socket; embedded in the owner's object. */
struct plx_net_udp {
	const struct plx_net_udp_ops *ops;
	void *user;
	struct plx_addr laddr;
	uint16_t lport;
	uint16_t home;	/**< index of the lcore that owns it */
	uint16_t iface; /**< 0 = any */
	bool v6only, reuseport, reuseaddr;
	struct plx_udp_sock *replica; /**< one for each lcore; the stack's */
};

/** Bind laddr:lport on all lcores' tables. Control. @return 0 or -errno (-EADDRINUSE). */
PLX_API int plx_net_udp_open(struct plx_net *net, struct plx_net_udp *s);
PLX_API void plx_net_udp_close(struct plx_net *net, struct plx_net_udp *s);

/**
 * Send the payload m as a datagram from msg->src:sport (src any: chosen) to msg->dst:dport. Takes
 * m; counts it as originated. What goes to a group that the interface has joined, or to everybody,
 * is also received here. On an lcore. @return NONE or the reason for which it was dropped.
 */
PLX_API enum plx_drop plx_net_udp_send(
	struct plx_softnet *sn, struct rte_mbuf *m, const struct plx_net_udp_msg *msg);

/* Protocol handlers */

/** A received packet as handlers see it. */
struct plx_net_rx {
	struct plx_softnet *sn;
	struct plx_ip ip; /**< IP handlers: the header */
	uint16_t iface;
	bool link_group; /**< came in a group or broadcast frame */
	bool to_many;	 /**< its destination is a group or a broadcast address */
	bool copy;	 /**< another lcore's copy of a group's datagram */
	bool handed;	 /**< came by another lcore, which has counted it */
	bool looped;	 /**< our own: it never was on a wire */
};

/** Takes m. EtherType handlers: data starts behind the Ethernet header; IP handlers: at the IP
 * header. */
typedef void (*plx_net_handler)(struct plx_net_rx *rx, struct rte_mbuf *m);

/** Before the run. IPv4, IPv6 and ARP are taken. @return 0, -EEXIST, -ENOSPC. */
PLX_API int plx_net_ethertype_register(struct plx_net *net, uint16_t type, plx_net_handler fn);
/** For an IP protocol of either family. @return 0 or -EEXIST. */
PLX_API int plx_net_ipproto_register(struct plx_net *net, uint8_t proto, plx_net_handler fn);

/**
 * Send an IP packet: m holds what follows the IP header; ip gives src (any: chosen), dst, proto,
 * ttl (0 = default), tos, df. Fragments as needed. Takes m. On an lcore.
 */
PLX_API enum plx_drop plx_net_ip_send(
	struct plx_softnet *sn, struct rte_mbuf *m, struct plx_ip *ip, uint16_t oif);

/* Telemetry: for the program's control thread */

/**
 * Serve the tables addr, route and neigh, and the commands that change them and the interfaces;
 * `link set` before the engine's. Of one stack at a time; while the engine runs. @return 0 or
 * -errno.
 */
PLX_API int plx_net_telem_add(struct plx_net *net);
/** Nothing happens if there is nothing to undo. */
PLX_API void plx_net_telem_del(void);

PLX_C_END
