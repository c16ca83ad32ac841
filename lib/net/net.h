/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of this library share: the snapshot that all lcores read, the state of each lcore,
 * and the control lcore's own state.
 */
#include "plx_net.h"

#include <plx_mcast.h>

#include <pthread.h>

#include "lpm.h"
#include "ports.h"
#include "rtab.h"

#define NET_IF_MAX	PLX_NET_IF_MAX
#define NET_ADDR_MAX	256
#define NET_ROUTE_MAX	15000
#define NET_PEND_MAX	1000 /* packets to ourselves that wait for the next pass */
#define NET_HANDLER_MAX 16
/* To be cut into several behind us */
#define NET_TX_SEG (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

/* Where an lcore goes on with a packet handed over: meta.stage. */
enum net_stage {
	NET_STAGE_IP,  /**< input; data at the IP header, meta.iface = the interface it came by */
	NET_STAGE_ARP, /**< control: data at the ARP packet */
	NET_STAGE_ND, /**< control: neighbour discovery, checksum verified; data at the IP header */
	NET_STAGE_GROUP,    /**< control: IGMP or MLD, checksum verified; data at the IP header */
	NET_STAGE_PMTU,	    /**< control: verified "too big"; data at the IP header */
	NET_STAGE_REDIRECT, /**< control: verified ICMP redirect; data at the IP header */
	NET_STAGE_NEIGH, /**< control: out by meta.iface, next hop unknown; data at the IP header */
	NET_STAGE_TAP,	 /**< a copy for a tap of this lcore */
};

/* Timers of an lcore's wheel that are ours. */
enum net_timer {
	NET_TIMER_FRAG,
	NET_TIMER_CTL,
	NET_TIMER_TCP,	   /**< a connection's */
	NET_TIMER_TCP_REQ, /**< of all SYN queues */
	NET_TIMER_TCP_TW,  /**< of all TIME-WAITs */
};

/* meta.flags */
#define NET_F_LINK_GROUP 1  /**< came in a group or broadcast frame */
#define NET_F_FORWARDED	 2  /**< not ours; of input: another lcore that had it thought so */
#define NET_F_COPY	 4  /**< another lcore's copy of a group's datagram */
#define NET_F_HANDED	 8  /**< came by another lcore, which has counted it as received */
#define NET_F_LOOPED	 16 /**< our own, on its way to ourselves */
#define NET_F_BOUND	 32 /**< our own, by this interface alone (net__route_by()) */
/* what an upper layer says of the next hop: net_dst.advice */
/* of input alone */
#define NET_F_RAW 64 /**< another lcore's copy for the raw sockets here */
/* of output alone */
#define NET_F_PROGRESS 64  /**< our packets arrive (RFC 4861 7.3.1) */
#define NET_F_DOUBT    128 /**< no answer for long (RFC 1122 4.2.3.5) */

/* ---- the snapshot: immutable once published ---- */

/** An interface as the data path needs it. */
struct net_if {
	uint16_t index; /**< 0 = slot not used */
	uint16_t port, vlan;
	uint16_t mtu, mtu6; /**< of IPv4, and of IPv6: as a router advertised */
	struct plx_mac mac;
	bool up, eth;
	bool rss_hash;	   /**< its port hashes with our key */
	uint32_t features; /**< of its port */
};

struct net_src {
	struct plx_addr addr;
	uint16_t iface;
	uint8_t plen;
	bool deprecated;
};

struct net_group {
	struct plx_addr addr;
	uint16_t iface;
};

/** Something that readers may still see; freed when all have passed a quiescent point. */
struct net_retired {
	struct net_retired *next;
	uint64_t token;
	void (*free)(struct net_retired *r);
};

/** Immutable, but for static routes, which come and go in place. */
struct net_cfg {
	struct net_retired retired;
	struct net_if ifs[NET_IF_MAX];
	uint8_t port_if[PLX_PORT_MAX];	/**< untagged interface of a port, 0 = none */
	uint8_t *vlan_if[PLX_PORT_MAX]; /**< by VLAN ID, 0 = none; NULL = no tagged interface */
	struct plx_net_route *routes;	/**< none is ever overwritten */
	uint32_t n_routes, max_routes;
	struct net_lpm lpm; /**< index into routes */
	/** A bit for each local or broadcast address but loopback ones, by its last 6 bits. */
	uint64_t own;
	struct net_src *srcs; /**< valid addresses, for source selection */
	uint32_t n_srcs;
	struct net_group *groups; /**< joined, sorted by address */
	uint32_t n_groups;
};

/** A resolved neighbour; mac is immutable, a new one replaces the entry. */
struct net_nbr {
	struct net_rnode node; /**< key: address and interface */
	struct net_retired retired;
	struct plx_msg note; /**< to the control lcore: what `why` says */
	struct plx_mac mac;
	uint8_t asks;	/**< NBR_*: what the control lcore wants to hear of */
	uint8_t why;	/**< NBR_*: what it is told */
	uint32_t noted; /**< 1 while note is under way */
};

/** What we were told about the way to one destination; immutable, a new one replaces it. */
struct net_exc {
	struct net_rnode node; /**< key: the destination */
	struct net_retired retired;
	uint16_t mtu;	     /**< of the path, until mtu_until */
	uint16_t iface;	     /**< of the redirect */
	struct plx_addr gw;  /**< redirected to, until gw_until, */
	struct plx_addr old; /**< while this is the next hop by route */
	plx_ns mtu_until, gw_until;
};

/* ---- each lcore ---- */

struct net_token {
	uint32_t tag;	/**< of the destination */
	plx_ns full_at; /**< when it may get a whole burst again */
};

/** Redirects sent to one sender. */
struct net_redirected {
	uint32_t tag; /**< of the sender */
	uint32_t n;
	plx_ns last;
};

struct net_rps;	  /* rps.h */
struct net_rfs;	  /* rfs.h */
struct net_arfs;  /* arfs.h */
struct net_tcp;	  /* tcp.h */
struct net_moves; /* move.h */
struct net_flows; /* flow.h */
struct net_mover;
struct net_balance; /* balance.h */
struct net_taps;    /* tap.h */

struct net_lcore {
	struct plx_softnet *sn;
	struct plx_net *net;
	const struct net_cfg *cfg;   /**< of this burst */
	const struct net_taps *taps; /**< the same; NULL: there are none */
	bool control;
	bool stopped; /**< holds no packet any more: nobody would let it go */
	bool parks;   /**< buckets come or go: net__move_park() has a say */
	struct net_mover *mover;
	uint64_t *bucket_pkts; /**< segments that came here, by the bucket of their flow */
	struct plx_udp *udp;
	struct plx_list udp_flows; /**< struct net_udp_sock at home here that go with their flow */
	struct plx_frag *frag;
	struct net_tcp *tcp;
	struct plx_steer_ports ports; /**< by which answers come to this lcore */
	struct plx_timer frag_timer;
	uint32_t spare_mbufs; /**< of our pool at start: what drivers did not take */
	struct net_way *way;  /**< of this burst; NULL outside of one */
	uint32_t ip_id[256];
	struct rte_mbuf *loop_head, *loop_tail; /**< to ourselves */
	uint32_t loop_n;
	struct plx_poller loop_poller;
	/* ICMP rate limits */
	struct net_token dest[256];
	plx_ns errors_full_at; /**< the same for all together */
	struct net_redirected redirected[256];
	struct plx_list raws;	    /**< struct plx_net_raw */
	struct plx_list taps_here;  /**< struct plx_net_tap, set by this lcore */
	struct plx_msg tap_link;    /**< an interface has gone down or come up */
	bool tap_link_told;	    /**< tap_link is under way */
	struct plx_quota udp_quota; /**< bytes of mbufs with datagrams that wait for programs */
	uint32_t socks, n_raws;	    /**< sockets of programs; entries of raws */
	void *udp_mem, *frag_mem;
	uint64_t udp_unbinds; /**< of this lcore's table */
	/** Where the reader of the table udp is: the sock-th of them is s, if none went since. */
	struct {
		const struct plx_udp_sock *s;
		uint64_t sock, unbinds;
	} udp_seen;
};

/* ---- the control lcore's ---- */

struct net_ifc {
	struct plx_net_if pub; /**< pub.index 0 = slot not used */
	struct plx_port *port;
	struct plx_rdisc rdisc;
	struct plx_mcast *mcast;
	uint32_t mcast_gen;
	struct net_member *member; /**< groups joined by programs, not for our addresses */
	uint16_t mtu6;		   /**< Linux's cnf.mtu6: at most pub.mtu */
	bool rss_hash;
	bool lost_link; /**< as last seen */
	bool router;	/**< joined the groups of routers */
};

/** What the taps of all its interfaces have a port hear: plx_net_hear(). */
struct net_hear {
	uint32_t promisc, allmulti;	/**< how often it was asked for */
	bool was_promisc, was_allmulti; /**< before */
	struct net_hear_group *group;
};

/** A group that programs are in. */
struct net_member {
	struct net_member *next;
	struct plx_addr group;
	uint32_t n; /**< how often it was joined */
};

struct net_addr {
	struct plx_net_addr pub; /**< pub.iface 0 = slot not used */
	uint64_t serial;	 /**< of addresses added: the lower, the older */
	struct plx_claim claim;
};

struct net_ethertype {
	uint16_t type;
	plx_net_handler fn;
};

struct plx_net {
	struct net_cfg *cfg;   /**< published */
	struct net_taps *taps; /**< published; NULL: there are none */
	struct net_rps *rps;   /**< the same; NULL: what is forwarded stays where it came */
	struct net_rfs *rfs;   /**< the same; NULL: RFS is off */
	struct net_arfs *arfs;
	struct net_rtab nbr; /**< struct net_nbr */
	struct net_rtab exc; /**< struct net_exc */
	struct plx_tunables *tun;
	struct plx_engine *eng;
	struct plx_toeplitz toeplitz;
	struct plx_toeplitz sorted; /**< the same key, symmetric: RPS */
	uint8_t toeplitz_key[PLX_STEER_KEY_MAX];
	struct plx_owner_map owners;	  /**< control's, but for looking at it */
	struct plx_owner_map frag_owners; /**< of fragments: these don't move */
	struct plx_owner_flows flows;	  /**< the same: those that live elsewhere */
	struct net_flows *flows_asked;	  /**< flow.h */
	struct net_moves *moves;	  /**< control's */
	struct net_balance *balance;	  /**< the same */
	uint16_t n_lcores;
	plx_net_handler proto[256];
	struct net_ethertype ethertype[NET_HANDLER_MAX];
	uint32_t n_ethertype;
	struct net_lcore *lcore[PLX_ENGINE_LCORES_MAX];

	/* any thread */
	struct net_ports ports;
	pthread_mutex_t ports_lock;
	uint32_t udp_socks;	  /**< that any lcore may know of */
	uint64_t udp_order;	  /**< of the last bind or connect */
	uint64_t raw_lcores[256]; /**< of each protocol: lcores with raw sockets for it */
	uint32_t *tcp_away;	  /**< of each local port: tcp_away.c */
	bool has_away;
	struct net_named *named[1024]; /**< the same file */
	pthread_mutex_t named_lock;
	pthread_mutex_t taps_lock;	    /**< of who changes taps */
	uint64_t tap_ids;		    /**< given out */
	struct plx_budget tcp_mem, udp_mem; /**< bytes */
	/** What all lcores' receive queues may hold, and their text to be sent may take, bytes. */
	int64_t rcv_bytes, snd_bytes;

	/* control lcore only */
	struct net_ifc ifc[NET_IF_MAX];
	struct net_hear hear[PLX_PORT_MAX];
	struct net_addr addr[NET_ADDR_MAX];
	uint64_t addr_serial;	     /**< addresses added so far */
	uint16_t addr_top;	     /**< slots from here on have never been used */
	struct plx_net_route *route; /**< static and advertised ones, by metric */
	uint32_t n_route;
	struct plx_neigh_table *neigh;
	void *neigh_mem;
	struct plx_neigh_conf neigh_conf;
	uint32_t n_pending; /**< packets that wait for neighbours */
	struct plx_timer timer;
	struct plx_poller poller;
	bool pump;	      /**< the machines have had input */
	uint32_t rfs_entries; /**< as the tunable was last seen */
	plx_ns watch_ns;      /**< when to look at links and tunables again */
	struct net_retired *retired;
	struct plx_rng rng;
	uint64_t key[2];
	uint64_t tcp_seed; /**< the same on all lcores */
	struct plx_net_conf conf;
	bool started;
};

static inline int64_t net__tun(const struct plx_net *net, enum plx_tunable t)
{
	return __atomic_load_n(&net->tun->v[t], __ATOMIC_RELAXED);
}

static inline struct net_lcore *net__self(struct plx_softnet *sn)
{
	return (struct net_lcore *)sn->user;
}

/** Of what goes to dst. */
static inline uint16_t net__if_mtu(const struct net_if *ifc, const struct plx_addr *dst)
{
	return plx_addr_is_v4(dst) ? ifc->mtu : ifc->mtu6;
}

/**
 * Read the newest snapshot. At the beginning of whatever an lcore does for the stack: the one
 * before may be gone as soon as the lcore has passed a quiescent point, but not earlier.
 */
static inline void net__begin(struct net_lcore *nl)
{
	nl->cfg = __atomic_load_n(&nl->net->cfg, __ATOMIC_ACQUIRE);
	nl->taps = __atomic_load_n(&nl->net->taps, __ATOMIC_ACQUIRE);
}

static inline const struct net_if *net__if(const struct net_lcore *nl, uint16_t index)
{
	return &nl->cfg->ifs[index];
}

/** Count and drop. */
PLX_COLD void net__drop(struct rte_mbuf *m, enum plx_drop reason, enum plx_stat stat);

/** Going out. */
PLX_NOINLINE void net__drop_out(struct rte_mbuf *m, enum plx_drop reason, bool v6);

/** One of two counters, by family. */
static inline enum plx_stat net__stat(bool v6, enum plx_stat s4, enum plx_stat s6)
{
	return v6 ? s6 : s4;
}

/* net.c */
/** UDP sockets at most. */
uint32_t net__udp_max(const struct plx_net *net);
void net__stage(struct rte_mbuf *m, enum net_stage stage, uint16_t iface, uint8_t flags);
/** To the control lcore's input; takes m. */
PLX_NOINLINE void net__to_control(struct net_lcore *nl, struct rte_mbuf *m, enum net_stage stage,
	uint16_t iface, uint8_t flags);
/** To the IP input of another lcore; takes m, data at the IP header. */
PLX_NOINLINE void net__hand(
	struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx, uint16_t lcore);
/** To our own input on the next pass, as if it came by iface (0: none); takes m. */
PLX_NOINLINE void net__loopback(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface);
/** Free what r is part of when no reader can see it any more. Control. */
void net__retire(
	struct plx_net *net, struct net_retired *r, void (*free_fn)(struct net_retired *r));
void net__retire_poll(struct plx_net *net);

/* cfg.c: control */
int net__publish(struct plx_net *net);
void net__cfg_free(struct net_cfg *cfg);
/** Has an older address of the same interface and network its routes? */
bool net__addr_secondary(const struct plx_net *net, const struct net_addr *a);
struct net_addr *net__addr_find(
	const struct plx_net *net, uint16_t iface, const struct plx_addr *a);
/** Add with a state; claims it. */
int net__addr_add(struct plx_net *net, uint16_t iface, const struct plx_prefix *p, bool dynamic);
void net__addr_del(struct plx_net *net, struct net_addr *a);
int net__route_add(struct plx_net *net, const struct plx_net_route *r);
/** @param proto only one of this origin (enum plx_net_route_proto), or -1. */
int net__route_del(struct plx_net *net, const struct plx_net_route *r, int proto);
/** The address for packets from an interface to a destination (RFC 6724); any when there is none.
 */
struct plx_addr net__src_pick(
	const struct net_cfg *cfg, uint16_t iface, const struct plx_addr *dst);
bool net__group_joined(const struct net_cfg *cfg, uint16_t iface, const struct plx_addr *group);
plx_ns net__now(const struct plx_net *net);

/* api.c */
/** Run fn on the control lcore and wait; at once before the run. @return 0 or -ESHUTDOWN. */
int net__control(struct plx_net *net, void (*fn)(struct plx_softnet *sn, void *arg), void *arg);
/** Forget what programs have joined. At the end. */
void net__members_free(struct net_ifc *c);

/* hear.c: control */
/** Add the group MACs that taps want to hear at a port to the n of mac[]. @return how many. */
uint32_t net__hear_groups(const struct plx_net *net, const struct plx_port *p, struct plx_mac *mac,
	uint32_t n, uint32_t max);
void net__hear_free(struct plx_net *net);
/** ctl.c: have a port accept the groups that anybody wants. */
void net__set_filter(struct plx_net *net, struct plx_port *p);

/* bind.c */
/** As plx_net_bind_add(), but whosever the address is. */
int net__bind_claim(
	struct plx_net *net, struct plx_net_bind *b, plx_net_bind_choose choose, const void *arg);

/* ctl.c: control */
void net__ctl_start(struct plx_net *net);
/** The part of router discovery that tunables decide. */
void net__rdisc_conf(const struct plx_net *net, struct plx_rdisc_conf *conf);
/** What its claim and its prefix say of an address. @return enum plx_net_addr_state. */
uint8_t net__addr_state(const struct plx_net *net, const struct net_addr *a);
/** Ask for routers on an interface that has come up. */
void net__rdisc_start(struct plx_net *net, struct net_ifc *c);
/** The machines have had input: net__ctl_run() is due, once a pass. */
void net__ctl_pump(struct plx_net *net);
/** Send, publish and time what the machines have to say. @return whether there was a reason to. */
bool net__ctl_run(struct plx_net *net);
void net__ctl_arp(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface);
void net__ctl_nd(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags);
void net__ctl_group(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface);
void net__ctl_stop(struct plx_net *net);

/* ctl_tx.c: control */
void net__send_arp(struct net_lcore *nl, const struct net_if *ifc, const struct plx_arp *arp,
	const struct plx_mac *dst);
/** With hop limit 255. */
void net__send_nd(struct net_lcore *nl, const struct net_if *ifc, const struct plx_nd *nd,
	const struct plx_addr *src, const struct plx_addr *dst, const struct plx_mac *mac);
void net__send_tx(struct net_lcore *nl, const struct plx_neigh_tx *tx);
void net__send_report(
	struct net_lcore *nl, const struct net_if *ifc, const struct plx_mcast_report *r);

/* link.c: control */
void net__link_up(struct plx_net *net, struct net_ifc *c);
void net__link_down(struct plx_net *net, struct net_ifc *c);
/** See what has changed without a word to us. Once a pass. */
void net__link_watch(struct plx_net *net);

/** Where a packet came in by a wire; 0: it is our own come back, of which no machine learns. */
static inline uint16_t net__wire_if(const struct plx_net_rx *rx)
{
	return rx->looped ? 0 : rx->iface;
}

/* nbr.c */
/** On the link: header and out. Takes m, whose data begin at the IP header. */
void net__link_out(struct net_lcore *nl, struct rte_mbuf *m, const struct net_if *ifc,
	const struct plx_addr *nexthop, bool bcast);
/** Control: the packet waits for its next hop, or goes. Takes m. */
void net__nbr_resolve(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags);
/** The tunables that the neighbour table has copies of. */
void net__nbr_conf(const struct plx_net *net, struct plx_neigh_conf *c);
/** Control: has one of them been set? Before the table is used. */
void net__nbr_refresh(struct plx_net *net);
/** Control: one event of the neighbour table. */
void net__nbr_event(struct plx_net *net, struct plx_neigh *n, unsigned int what);

/* eth.c */
/** A frame from a port. Takes m. */
void net__eth_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t port);
/** From a port without Ethernet: the version nibble is all there is. Takes m. */
void net__l3_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t port);
/** Put an Ethernet header in front and send. Takes m. */
void net__eth_tx(struct net_lcore *nl, struct rte_mbuf *m, const struct net_if *ifc,
	const struct plx_mac *dst, uint16_t type);

/* ip_in.c: take m, data at the IP header */
void net__ip4_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags);
void net__ip6_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface, uint8_t flags);
PLX_NOINLINE void net__trim_slow(struct rte_mbuf *m, uint32_t len);
/** Cut what is behind the first len bytes. */
static inline void net__trim(struct rte_mbuf *m, uint32_t len)
{
	if (plx_unlikely(m->pkt_len > len))
		net__trim_slow(m, len);
}
/** Is the source of what came by the wire an address of ours, or one that means everybody? */
bool net__from_self(const struct net_lcore *nl, const struct plx_addr *src);
/** Whole and for us: to its protocol. */
void net__ip_deliver(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx);

/* raw.c */
/** Copies for the raw sockets. m stays the caller's. @return whether there are any. */
bool net__raw_in(struct net_lcore *nl, const struct rte_mbuf *m, const struct plx_net_rx *rx);

/* forward.c */
PLX_NOINLINE void net__forward(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx,
	const struct plx_net_route *rt);

struct net_opts;
struct net_dst;

/* mem.c */
/** Mbufs that an lcore may hold fragments in, of so many at most. */
uint32_t net__mem_frag_mbufs(const struct net_lcore *nl, uint32_t most);

/* frag.c */
/** How many packet buffers there are to hold fragments in. At start. */
void net__frag_start(struct net_lcore *nl);
PLX_NOINLINE void net__frag_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx);
void net__frag_timer(struct net_lcore *nl);
void net__frag_stop(struct net_lcore *nl);
/** Cut and send. @param opts IPv4 options, or NULL. Takes m: what follows the header. */
PLX_NOINLINE enum plx_drop net__fragment(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_ip *ip, const struct net_opts *opts, uint16_t mtu,
	const struct net_if *ifc, const struct plx_addr *nexthop, bool bcast);

/* ip_opts.c */
/** IPv4 options: of a packet or its first fragment, and of the other fragments. */
struct net_opts {
	uint8_t first[PLX_IP4_OPTS_MAX], rest[PLX_IP4_OPTS_MAX];
	uint8_t first_bytes, rest_bytes;
};
/** Those of the header at p, as they are. */
void net__opts_get(struct net_opts *o, const uint8_t *p, uint16_t hdr_bytes);
/** Those that the reply to an echo request takes over. @return whether there are any. */
bool net__opts_echoed(struct net_opts *o, const uint8_t *p, uint16_t hdr_bytes);
/** The time as options and ICMP tell it: ms of a clock that does not know midnight, and says so. */
uint32_t net__time_ms(const struct net_lcore *nl);
/**
 * Write ourselves into those that ask for it, from on the way to d.
 * @return true, or false: one has no room for the count of those without room, at *fault in the
 *         header.
 */
bool net__opts_record(
	struct net_lcore *nl, void *opt, uint32_t bytes, const struct net_dst *d, uint32_t *fault);

/* ip_out.c */
struct net_dst {
	const struct net_if *ifc;
	const struct plx_addr *src; /**< that the route wants, or NULL */
	struct plx_addr nexthop;
	uint16_t mtu;
	bool bcast, local;
	bool loop;	/**< those here hear it, too: joined the group, or are among everybody; */
	bool no_loop;	/**< but the sender does not want that */
	bool no_wire;	/**< with loop: they alone (a group's time to live of 0) */
	bool bound;	/**< by net__route_by() */
	uint8_t advice; /**< NET_F_PROGRESS, NET_F_DOUBT */
};

/**
 * How a burst came, and the last way that it has taken: what comes together often goes to one
 * place, as does what is sent together. It ends with the burst: the next one sees what has changed.
 */
struct net_way {
	const struct net_cfg *cfg; /**< that d is by; NULL: none yet */
	struct plx_addr dst;
	uint16_t oif;
	struct net_dst d;
	struct net_nbr *nbr;	   /**< the last next hop; NULL: none yet */
	const struct plx_rxq *q;   /**< that the burst came by; NULL: it comes from here */
	const struct net_rps *rps; /**< NULL: nothing is spread */
	/* input's: where the last packet went to */
	const struct net_cfg *in_cfg; /**< that in_rt is by; NULL: none yet */
	struct plx_addr in_dst;
	const struct plx_net_route *in_rt; /**< NULL: none, or in_dst is a group */
};
/** Until nl->way is NULL again. @param q that the burst came by, or NULL. */
static inline void net__way_begin(
	struct net_lcore *nl, struct net_way *way, const struct plx_rxq *q)
{
	way->cfg = way->in_cfg = NULL;
	way->nbr = NULL;
	way->q = q;
	way->rps = q ? __atomic_load_n(&nl->net->rps, __ATOMIC_ACQUIRE) : NULL;
	nl->way = way;
}
/** Who here hears it, and whether anybody else does, as a socket's program wants it. */
static inline void net__ask_loop(struct net_dst *d, const struct plx_net_udp_msg *how)
{
	if (plx_likely(!(d->loop | how->no_wire)))
		return;
	d->no_loop = (how->no_loop && !d->bcast) || !d->loop;
	d->no_wire = how->no_wire;
	d->loop = true;
}

/** Which way. @param oif wanted interface or 0. @return NONE or why not. */
enum plx_drop net__route(
	struct net_lcore *nl, const struct plx_addr *dst, uint16_t oif, struct net_dst *d);
/**
 * By no interface but oif, if that is not 0: the longest of its prefixes, and IPv4 takes a
 * destination without a route for a neighbour (Linux's ip_route_output_key(), SO_BINDTODEVICE).
 */
enum plx_drop net__route_by(
	struct net_lcore *nl, const struct plx_addr *dst, uint16_t oif, struct net_dst *d);
/** As plx_net_ports_to(). way.c */
bool net__ports_to(struct net_lcore *nl, const struct plx_addr *laddr, const struct plx_addr *raddr,
	uint16_t rport, struct plx_steer_ports_to *to);
/** Version, time to live and source where ip leaves them open. @return false: there is no source.
 */
bool net__ip_defaults(struct net_lcore *nl, struct plx_ip *ip, const struct net_dst *d);
/** Send: m holds what follows the IP header. Takes m; already counted as originated. */
enum plx_drop net__ip_out(
	struct net_lcore *nl, struct rte_mbuf *m, struct plx_ip *ip, const struct net_dst *d);
/** The same with IPv4 options. */
enum plx_drop net__ip_out_opts(struct net_lcore *nl, struct rte_mbuf *m, struct plx_ip *ip,
	const struct net_opts *opts, const struct net_dst *d);
#define NET_PARTS_MAX 2048 /* of 65,535 bytes by Linux's least MSS, 48, with timestamps */
/**
 * The packets that a merged one was: IP headers in front, each for one wire packet.
 * @param sums whether the transport's sums may be left unfinished. @return how many, m is gone;
 * -ENOMEM or -EINVAL.
 */
int net__apart(
	struct net_lcore *nl, struct rte_mbuf *m, bool sums, struct rte_mbuf **part, uint32_t max);
struct rte_mbuf *net__headroom_slow(struct net_lcore *nl, struct rte_mbuf *m);
/** n bytes in front of m's data that are ours to write: those of shared data are not. */
static inline bool net__has_headroom(const struct rte_mbuf *m, uint16_t n)
{
	return plx_likely(m->data_off >= n && rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m));
}
/** Room in front of m's data, or a new head mbuf. @return the head or NULL (m is dropped). */
static inline struct rte_mbuf *net__headroom(struct net_lcore *nl, struct rte_mbuf *m, uint16_t n)
{
	return net__has_headroom(m, n) ? m : net__headroom_slow(nl, m);
}
/** Begin n bytes earlier, which net__headroom() has made sure are there. @return the new data. */
static inline void *net__push(struct rte_mbuf *m, uint16_t n)
{
	m->data_off = (uint16_t)(m->data_off - n);
	m->data_len = (uint16_t)(m->data_len + n);
	m->pkt_len += n;
	return rte_pktmbuf_mtod(m, void *);
}
/** Is the transport checksum right? By the device's word, or summed up over the chain. */
bool net__l4_ok(const struct rte_mbuf *m, const struct plx_ip *ip);

/* icmp.c */
void net__icmp4_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx);
void net__icmp6_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx);
/** An error about the packet m (data at its IP header), which stays the caller's. */
PLX_COLD void net__icmp_error(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_rx *rx,
	uint8_t type, uint8_t code, uint32_t rest);

/** An ICMP message that quotes a packet of ours. */
struct net_quote {
	struct plx_ip ip;
	struct plx_icmp icmp;
	struct plx_tuple t;
	const uint8_t *p; /**< the quoted packet */
};
/** Read what error_in() has passed on; m's data at the IP header. @return NONE or why not. */
enum plx_drop net__quote(const struct rte_mbuf *m, struct net_quote *q);

/* exc.c */
/** What an exception for dst changes in *d. */
PLX_NOINLINE void net__exc_apply(
	const struct net_lcore *nl, const struct plx_addr *dst, struct net_dst *d);
/** Control: the path to dst takes no more than mtu. */
void net__exc_mtu(struct plx_net *net, const struct plx_addr *dst, uint16_t mtu, plx_ns now);
/** Control: gw, on iface, is better for dst than the gateway of its route. */
void net__exc_gateway(struct plx_net *net, const struct plx_addr *dst, uint16_t iface,
	const struct plx_addr *gw, plx_ns now);
/** Control: the next one, from *cursor on, 0 at first. @return NULL: no more. */
const struct net_exc *net__exc_next(const struct plx_net *net, uint64_t *cursor);
/** Control: nobody answers there; back to the routes. */
void net__exc_gateway_lost(struct plx_net *net, const struct plx_neigh *gw);

/* pmtu.c */
/** What "too big" says of the path of a packet of quoted bytes; 0 = to be ignored. */
uint16_t net__pmtu_of(const struct plx_net *net, bool v6, uint32_t rest, uint16_t quoted_bytes);
/** Control. */
void net__pmtu_in(struct net_lcore *nl, struct rte_mbuf *m);

/* redirect.c */
/** Do we follow redirects? */
bool net__redirects_wanted(const struct plx_net *net, bool v6);
/** Control. Takes m. */
void net__redirect4_in(struct net_lcore *nl, struct rte_mbuf *m, uint16_t iface);
/** Control. */
enum plx_drop net__redirect6_in(
	struct net_lcore *nl, const struct plx_nd *nd, const struct plx_addr *src, uint16_t iface);
/** m is about to leave by the interface it came by: tell its sender. m stays the caller's. */
PLX_NOINLINE void net__redirect_out(struct net_lcore *nl, struct rte_mbuf *m,
	const struct plx_net_rx *rx, const struct net_dst *d);

/* Linux's IP_PMTUDISC_* */
enum net_pmtudisc {
	NET_PMTU_DONT,
	NET_PMTU_WANT,
	NET_PMTU_DO,
	NET_PMTU_PROBE,
	NET_PMTU_INTERFACE,
	NET_PMTU_OMIT,
};

/** Of IPv4, as Linux's ip_dont_fragment(): WANT sets DF on what fits the path that we know. */
static inline bool net__udp_df(const struct plx_net *net, uint8_t pmtudisc)
{
	if (plx_likely(!pmtudisc))
		return !net__tun(net, PLX_TUN_IP_NO_PMTU_DISC);
	return pmtudisc >= PLX_NET_PMTU(NET_PMTU_WANT) && pmtudisc <= PLX_NET_PMTU(NET_PMTU_PROBE);
}

/** It is about to be dropped: who keeps it has a reference of his own then. */
static inline void net__udp_keep(struct rte_mbuf *m, const struct plx_net_udp_msg *msg)
{
	if (msg->keep)
		rte_pktmbuf_refcnt_update(m, 1);
}
