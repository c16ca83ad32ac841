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

#include "plx_net_bind.h"
#include "plx_net_move.h"
#include "plx_net_tap.h"
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
/** Those that it was made with. Any thread. */
PLX_API const struct plx_tunables *plx_net_tunables(const struct plx_net *net);
/** As of plx_net_attach(). Any thread. */
PLX_API struct plx_engine *plx_net_engine(const struct plx_net *net);
/** Packets held for neighbours, for reassembly and on the way to ourselves. At a quiet moment. */
PLX_API uint64_t plx_net_held(struct plx_net *net);

/*
 * Memory (doc/design/memory.md): what programs' sockets hold of received packets, charged by the
 * room of their mbufs. On the lcore; TCP's is charged by the stack itself.
 */

/** May a socket that holds `has` bytes hold n more? Charges them. @return false: drop it. */
PLX_API bool plx_net_mem_hold(struct plx_softnet *sn, uint32_t has, uint32_t n);
PLX_API void plx_net_mem_let_go(struct plx_softnet *sn, uint32_t n);
/** n sockets more, or less: as /proc/net/sockstat counts them. */
PLX_API void plx_net_socks(struct plx_softnet *sn, int32_t n);

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

#define PLX_NET_ALL_QUEUES (-1)

/**
 * Spread what comes by a receive queue of a port, and is to be forwarded, over lcores: Linux's
 * rps_cpus. What is for us goes to its owner, whatever this says. At any time; packets of a flow
 * that are on their way then may be overtaken.
 * @param queue  or PLX_NET_ALL_QUEUES.
 * @param lcores by EAL's numbers; those that are not the engine's are left out. NULL, or none: it
 *               is forwarded where it comes in.
 * @return 0, -ENODEV: no such port, -EINVAL: no such queue, -ENOMEM or -ESHUTDOWN.
 */
PLX_API int plx_net_rps_set(
	struct plx_net *net, uint16_t port, int queue, const struct plx_lcore_set *lcores);
/**
 * Give a port's device an RSS key or a table, as plx_port_rss_set(). A device that hashes by the
 * process's own key, as all begin, spares lcores a hash for each packet; with another one they
 * reckon it, from before the device has it until the end of the run.
 * @return as plx_port_rss_set(), -ENODEV or -ESHUTDOWN.
 */
PLX_API int plx_net_port_rss_set(struct plx_net *net, uint16_t port, const uint8_t *key,
	uint16_t bytes, const struct plx_reta *reta);
/** Which types of packets it is to hash, as plx_port_rss_types_set(); the same holds for a device
 * that does not hash all flows by ports. */
PLX_API int plx_net_port_rss_types_set(struct plx_net *net, uint16_t port, uint32_t types);

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
	bool no_wire; /**< to send: they alone get it (IP_MULTICAST_TTL 0) */
	bool keep; /**< to send: m stays the caller's if it is refused, but for NO_MBUF: it was lost
		    */
	bool no_check;	  /**< to send: without a checksum (SO_NO_CHECK); not with gso */
	uint8_t pmtudisc; /**< to send: Linux's IP_PMTUDISC_*; see PLX_NET_PMTU */
	/** To send: cut into datagrams of so many bytes (UDP_SEGMENT), of which there are at most
	 * PLX_NET_UDP_SEGMENTS_MAX; 0 = one. */
	uint16_t gso;
};
#define PLX_NET_UDP_SEGMENTS_MAX 128 /* Linux's UDP_MAX_SEGMENTS (64 before 6.9) */

/** Of plx_net_udp_msg.pmtudisc: 0 = as net.ipv4.ip_no_pmtu_disc says, else IP_PMTUDISC_x + 1. */
#define PLX_NET_PMTU(x) ((uint8_t)((x) + 1))

/** What an ICMP error says of a packet that we sent (Linux's struct sock_extended_err). */
struct plx_net_error {
	int err;	      /**< as Linux maps it */
	uint32_t info;	      /**< "too big": the MTU */
	uint8_t type, code;   /**< of the message */
	bool hard;	      /**< Linux tells programs of it though they did not ask
				 (icmp_err_convert[].fatal) */
	struct plx_addr from; /**< who says so */
	const void *data;     /**< what it quotes of our payload */
	uint32_t len;
};

struct plx_net_udp;
/** What its program knows of a socket, for the table udp. */
struct plx_net_udp_info {
	int fd;			 /**< its descriptor; -1 = it has none */
	uint32_t recv_q;	 /**< bytes that wait to be read, as they are charged */
	uint32_t rcvbuf, sndbuf; /**< 0 = there is no bound */
	uint32_t drops;		 /**< datagrams that found no room */
};
struct plx_net_udp_ops {
	/** A datagram: m holds the payload, and is the callee's. On the socket's lcore. */
	void (*rx)(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
		const struct plx_net_udp_msg *msg);
	/** An ICMP error about a datagram of ours. msg as it was sent. Optional. */
	void (*error)(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_net_error *e,
		const struct plx_net_udp_msg *msg);
	/** Fill *info; on the socket's lcore. Optional: nothing waits, no descriptor. */
	void (*info)(const struct plx_net_udp *s, struct plx_net_udp_info *info);
	/**
	 * The bucket of its flow goes to another lcore (plx_net_move.h), and a connected socket
	 * that was at home with it goes along, if this says so: nothing comes for s any more, and
	 * nothing may be sent by it. All four or none; none: it stays, and its datagrams are handed
	 * over.
	 */
	bool (*leave)(struct plx_softnet *sn, struct plx_net_udp *s, struct plx_softnet *to);
	/** It has left: on the new lcore, make what it is there from what it was. s is read only.
	 * @return NULL: no memory, it goes back. */
	struct plx_net_udp *(*copy)(struct plx_softnet *sn, const struct plx_net_udp *s);
	/** It is at home: the copy on the new lcore, or s on the old one, if it is back. */
	void (*arrive)(struct plx_softnet *sn, struct plx_net_udp *s);
	/** On the old lcore: its copy is at home, what is left of s is the program's to free. */
	void (*left)(struct plx_softnet *sn, struct plx_net_udp *s);
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
	/** After plx_net_udp_unbind(): no lcore knows s any more. On its home lcore. */
	void (*gone)(struct plx_softnet *sn, struct plx_net_udp *s);
	struct plx_udp_sock *replica; /**< one for each lcore; the stack's */
};

/** Bind laddr:lport on all lcores' tables. Control. @return 0 or -errno (-EADDRINUSE). */
PLX_API int plx_net_udp_open(struct plx_net *net, struct plx_net_udp *s);
PLX_API void plx_net_udp_close(struct plx_net *net, struct plx_net_udp *s);

/*
 * The same by an lcore, s->home, which does not wait: its own replica is changed at once, those of
 * the others when they have seen their message, all in one order. The port is the caller's by
 * plx_net_bind_add().
 */
/** @return 0 or -errno. */
PLX_API int plx_net_udp_bind(struct plx_softnet *sn, struct plx_net_udp *s);
/** laddr replaces any. @return 0 or -errno. */
PLX_API int plx_net_udp_connect(struct plx_softnet *sn, struct plx_net_udp *s,
	const struct plx_addr *laddr, const struct plx_addr *raddr, uint16_t rport);
/** Back to what bind() made. @return 0 or -errno. */
PLX_API int plx_net_udp_disconnect(struct plx_softnet *sn, struct plx_net_udp *s);
/** s->gone() follows, at once if nobody else knows it. */
PLX_API void plx_net_udp_unbind(struct plx_softnet *sn, struct plx_net_udp *s);

/** Where a packet would go. */
struct plx_net_way {
	struct plx_addr src; /**< chosen for it; any = there is none */
	uint16_t iface, mtu; /**< mtu: of the path */
	bool bcast, local;
	bool by_gateway;
};
/** On an lcore. @param bound by iface or not at all. @return 0, -ENETUNREACH, -EHOSTUNREACH, ... */
PLX_API int plx_net_way(struct plx_softnet *sn, const struct plx_addr *dst, uint16_t iface,
	bool bound, struct plx_net_way *way);
/** Is it one of our addresses (or, with any, of one interface)? On an lcore. */
PLX_API bool plx_net_is_ours(struct plx_softnet *sn, const struct plx_addr *a, uint16_t iface);
/** Has an interface a valid address of IPv4 (else of IPv6)? Loopback ones do not count. On an
 * lcore.
 */
PLX_API bool plx_net_has_family(struct plx_softnet *sn, bool v4);
/** The errno that a call gives when its packet was dropped for this reason; 0 = none, as for a lost
 * one. */
PLX_API int plx_net_errno(enum plx_drop why);
/** Join or leave a group by an lcore, which does not wait: the control lcore announces it. Its
 * failures for want of memory are not told. @return 0, -ENODEV, -EINVAL (no group). */
PLX_API int plx_net_group_post(
	struct plx_softnet *sn, uint16_t iface, const struct plx_addr *group, bool join);
/**
 * From which ports has what is sent to raddr:rport its answers come to this lcore? On it; ask
 * plx_steer_ports_word() before anything else happens there.
 * @return false: from all, or nobody knows.
 */
PLX_API bool plx_net_ports_to(struct plx_softnet *sn, const struct plx_addr *laddr,
	const struct plx_addr *raddr, uint16_t rport, struct plx_steer_ports_to *to);

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
	bool raw;	 /**< a copy for raw sockets alone */
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
/** The same with what iface, bound, no_loop and no_wire of how say of the way. */
PLX_API enum plx_drop plx_net_ip_send_as(struct plx_softnet *sn, struct rte_mbuf *m,
	struct plx_ip *ip, const struct plx_net_udp_msg *how);

/* Raw sockets: on an lcore */

/** Hears what comes for us of a protocol, each packet a copy. Embedded in the owner's object. */
struct plx_net_raw {
	/** m, from the IP header on, is the callee's. */
	void (*rx)(struct plx_softnet *sn, struct plx_net_raw *r, struct rte_mbuf *m,
		const struct plx_net_rx *rx);
	uint8_t proto;
	bool v6;
	uint16_t iface;		      /**< 0 = any */
	struct plx_addr laddr, raddr; /**< any = all */
	struct plx_list node;	      /**< the stack's; plx_list_init() first */
};
/** On the lcore that is to hear. */
PLX_API void plx_net_raw_add(struct plx_softnet *sn, struct plx_net_raw *r);
PLX_API void plx_net_raw_del(struct plx_softnet *sn, struct plx_net_raw *r);

/* Telemetry: for the program's control thread */

/**
 * Serve the tables addr, route, neigh, cache, tcp and udp, and the commands that change them and
 * the interfaces; `link set` before the engine's. Of one stack at a time; while the engine runs.
 * @return 0 or -errno.
 */
PLX_API int plx_net_telem_add(struct plx_net *net);
/** Nothing happens if there is nothing to undo. */
PLX_API void plx_net_telem_del(void);

PLX_C_END

/* last, as it needs the rest */
#include "plx_net_lend.h"
