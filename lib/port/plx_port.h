/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Ports: whatever frames come from and go to, behind one ops table, the twin of net_device_ops.
 *
 * drivers/net/ethdev puts any DPDK port behind it; pipe, loop, vtap and impair are ours. The upper
 * layers see queues only: an rx queue is polled by one lcore, a tx queue is filled by one lcore,
 * and neither is ever shared.
 *
 * Transmit keeps order: frames are pushed to the tx queue's own FIFO and flushed in bursts; what
 * the driver refuses stays at the head and is tried again (Linux's requeue). A frame that the
 * driver could never take (its length, its form) is dropped before it enters the FIFO, since some
 * drivers refuse it for ever: see the quirk table.
 *
 * A super-segment is one mbuf chain for several wire packets. To be sent it has what DPDK asks for
 * (RTE_MBUF_F_TX_TCP_SEG or _UDP_SEG, l2_len, l3_len, l4_len, tso_segsz, an L4 checksum field that
 * holds the sum of the pseudo-header without the length), and its number of packets
 * (plx_pkt_set_wire()); where the port has TX_CSUM_IP4, RTE_MBUF_F_TX_IP_CKSUM and a zero in IPv4's
 * field, else a right header checksum. One that came merged (RTE_MBUF_F_RX_LRO) is made such a one
 * when it is pushed. For a port without TSO or USO it is cut in software (plx_gso_segment()).
 *
 * Set-up and control calls (open, close, set_*) are for one control thread; the burst calls for the
 * owning lcore.
 */
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <plx_base_addr.h>
#include <plx_base_error.h>
#include <plx_pkt.h>
#include <plx_port_ntuple.h>
#include <plx_steer.h>

PLX_C_BEGIN

#define PLX_PORT_MAX	    32
#define PLX_PORT_QUEUES_MAX 16
#define PLX_PORT_NAMELEN    64
#define PLX_PORT_BURST	    64 /**< most packets a poll: Linux's weight */
#define PLX_PORT_MCAST_MAX  64 /**< group MACs a port can be asked to accept */

/* The features of a port, named as ethtool -k names them: X(ID, "name", "sentence"). */
#define PLX_PORT_FEATURES(X)                                                                       \
	X(RX_CSUM, "rx-checksumming", "tells whether received checksums are right")                \
	X(TX_CSUM_IP4, "tx-checksum-ipv4-header", "fills the IPv4 header checksum")                \
	X(TX_CSUM_L4, "tx-checksum-ip-generic", "fills TCP and UDP checksums")                     \
	X(SG, "tx-scatter-gather", "sends chained mbufs")                                          \
	X(TSO, "tx-tcp-segmentation", "cuts TCP super-segments, IPv4 and IPv6")                    \
	X(USO, "tx-udp-segmentation", "cuts UDP super-datagrams, IPv4 and IPv6")                   \
	X(LRO, "large-receive-offload", "may give packets that were merged, with their number")    \
	X(RX_HASH, "receive-hashing", "gives the RSS hash of a packet")                            \
	X(RSS, "rx-rss", "spreads over queues by a key and an indirection table that can be set")  \
	X(NTUPLE, "ntuple-filters", "puts single flows into the queues that it is told")           \
	X(RX_INTR, "rx-interrupt", "can wake a sleeping lcore")                                    \
	X(SET_MAC, "set-mac", "MAC address can be changed")                                        \
	X(SET_MTU, "set-mtu", "MTU can be changed")                                                \
	X(PROMISC, "promiscuous", "can pass foreign MACs")                                         \
	X(ALLMULTI, "allmulticast", "can pass all group MACs")                                     \
	X(RX_FILTER, "rx-mac-filter", "drops foreign MACs itself")                                 \
	X(LINK, "link-state", "knows whether the link is up")                                      \
	X(NO_ETH, "no-ethernet", "carries bare IP packets (TUN)")                                  \
	X(GSO, "tx-generic-segmentation", "is handed super-segments, cut in software if need be")  \
	X(GRO, "rx-gro", "what comes is merged in software")                                       \
	X(UDP_GRO, "rx-udp-gro-forwarding", "datagrams too, for who can take or forward such")

enum plx_port_feature_bit {
#define X(id, name, text) PLX_PORT_FBIT_##id,
	PLX_PORT_FEATURES(X)
#undef X
		PLX_PORT_FBIT_MAX
};

/** A set of features. */
enum plx_port_feature {
#define X(id, name, text) PLX_PORT_F_##id = 1u << PLX_PORT_FBIT_##id,
	PLX_PORT_FEATURES(X)
#undef X
};

struct plx_port_feature_info {
	const char *name; /**< ethtool's */
	const char *text;
};
PLX_API extern const struct plx_port_feature_info plx_port_feature_info[PLX_PORT_FBIT_MAX];

/** Features that are the port's, not the driver's: each has them, and they can be switched. */
#define PLX_PORT_F_SOFT ((uint32_t)(PLX_PORT_F_GSO | PLX_PORT_F_GRO | PLX_PORT_F_UDP_GRO))

/*
 * What else ethtool calls features: X("name", "short", "kernel's", set). What has a name of the
 * kernel's is one feature, which ethtool shows under the first name; of others it shows both.
 */
#define PLX_PORT_FEATURE_GROUPS(X)                                                                 \
	X("rx-checksumming", "rx", "rx-checksum", PLX_PORT_F_RX_CSUM)                              \
	X("tx-checksumming", "tx", "", PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4)             \
	X("scatter-gather", "sg", "", PLX_PORT_F_SG)                                               \
	X("tcp-segmentation-offload", "tso", "", PLX_PORT_F_TSO)                                   \
	X("generic-segmentation-offload", "gso", "tx-generic-segmentation", PLX_PORT_F_GSO)        \
	X("generic-receive-offload", "gro", "rx-gro", PLX_PORT_F_GRO)                              \
	X("large-receive-offload", "lro", "rx-lro", PLX_PORT_F_LRO)                                \
	X("ntuple-filters", "ntuple", "rx-ntuple-filter", PLX_PORT_F_NTUPLE)                       \
	X("receive-hashing", "rxhash", "rx-hashing", PLX_PORT_F_RX_HASH)

struct plx_port_feature_group {
	const char *name, *abbr, *kernel;
	uint32_t features;
};
/** The group of a feature, NULL: it has none. */
PLX_API const struct plx_port_feature_group *plx_port_feature_group(enum plx_port_feature_bit bit);
/** Which feature is the i-th that ethtool shows: group by group, then the others. */
PLX_API enum plx_port_feature_bit plx_port_feature_nth(unsigned int i);

/** What a driver does that others do not; data, in lib/port/quirk.c. */
enum plx_quirk_flag {
	PLX_QUIRK_MAX_QUEUES = 1u << 0,	  /**< aborts beyond `arg` queues */
	PLX_QUIRK_REFUSES_LONG = 1u << 1, /**< a frame over the MTU is refused for ever */
	PLX_QUIRK_TX_LOSSY = 1u << 2,	  /**< tx_burst's return is "consumed", not "sent" */
	PLX_QUIRK_INTR_SILENT = 1u << 3,  /**< rx interrupts work though enabling says -ENOTSUP */
	PLX_QUIRK_RSS_LIES = 1u << 4,  /**< advertises or accepts RSS settings and ignores them */
	PLX_QUIRK_PREALLOC = 1u << 5,  /**< takes a descriptor's mbuf for each rx slot at start */
	PLX_QUIRK_LINK_LIES = 1u << 6, /**< link state is a constant */
	PLX_QUIRK_LINK_LATE = 1u << 7, /**< link comes up after start, by a handshake */
	PLX_QUIRK_NO_PORT_FIELD = 1u << 8, /**< does not set m->port */
	PLX_QUIRK_FOLLOWS_TX = 1u << 9,	   /**< a flow arrives on the queue it was last sent on */
	PLX_QUIRK_MTU_ROOM = 1u << 10,	  /**< writes past the mbuf when the MTU exceeds its room */
	PLX_QUIRK_SAME_QUEUES = 1u << 11, /**< wants as many rx queues as tx queues */
	PLX_QUIRK_COPIES =
		1u << 12, /**< tx copies and frees at once: nothing is held by the driver */
	PLX_QUIRK_END_OF_FILE = 1u << 13, /**< a source that ends */
	PLX_QUIRK_SAME_MAC = 1u << 14,	  /**< gives its MAC to the other end too */
	PLX_QUIRK_REFUSAL_ERRS =
		1u << 15,	    /**< its tx errors are refusals: the frames are offered again */
	PLX_QUIRK_HOLDS = 1u << 16, /**< loses the packets that it holds when it is closed */
	PLX_QUIRK_DEFRAGS = 1u << 17,	  /**< IPv4 fragments come put together, cut to a buffer */
	PLX_QUIRK_KEEPS = 1u << 18,	  /**< up to `arg` mbufs a queue never come back */
	PLX_QUIRK_TX_WAITS = 1u << 19,	  /**< tx sleeps until the interface has sent */
	PLX_QUIRK_PARTIAL = 1u << 20,	  /**< gives packets whose checksum is not filled in */
	PLX_QUIRK_TSO_LIES = 1u << 21,	  /**< advertises a TSO that is of no use */
	PLX_QUIRK_PEER_QUEUES = 1u << 22, /**< its peer must have as many queues */
};

struct plx_quirk {
	const char *driver;   /**< DPDK's driver name, "net_tap" */
	uint32_t from, below; /**< DPDK versions YYMM that have it: from <= v < below; below 0 = all
				 since */
	uint32_t flags;	      /**< enum plx_quirk_flag, usually one */
	uint32_t arg;
	const char *text; /**< a sentence for `pollux ports` */
};

/** Rows of the quirk table that apply to the running DPDK; iterate with *i from 0 until NULL. */
PLX_API const struct plx_quirk *plx_quirk_next(const char *driver, unsigned int *i);
/** All flags in force for a driver. */
PLX_API uint32_t plx_quirk_flags(const char *driver);
/** The queue limit of PLX_QUIRK_MAX_QUEUES, or UINT32_MAX. */
PLX_API uint32_t plx_quirk_max_queues(const char *driver);

struct plx_gro;
struct plx_port;
struct plx_rxq;
struct plx_txq;

typedef uint16_t (*plx_rx_burst_fn)(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
typedef uint16_t (*plx_tx_burst_fn)(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);

/** A receive queue: polled by one lcore. */
struct plx_rxq {
	plx_rx_burst_fn burst; /**< the driver's; NULL: a DPDK port's, see plx_rxq_take() */
	void *priv;	       /**< the driver's queue */
	struct plx_port *port;
	uint16_t id;	     /**< 0 .. n_rxq-1 */
	uint16_t dev_id;     /**< the driver's own port number */
	uint32_t lcore;	     /**< who polls it; LCORE_ID_ANY = nobody yet */
	bool wakes;	     /**< the driver can wake who polls it, and is to; the engine's */
	struct plx_gro *gro; /**< of who polls it; NULL = nothing is merged */
	uint64_t pkts;	     /**< received */
	uint64_t polls;	     /**< polls that found packets */
	uint64_t full;	     /**< polls that were cut at their weight */
} PLX_ALIGNED;

/** What the watchdog of a transmit queue knows: see plx_txq_watch(). */
struct plx_tx_watch {
	uint32_t head;	   /**< of the queue, when it was looked at last */
	plx_ns since_ns;   /**< since when it has been so */
	uint64_t timeouts; /**< times that it stood still for too long */
	uint64_t stuck;	   /**< the same, but a queue that did not move in between counts once */
	uint64_t pkts;	   /**< accepted by the driver until the last time-out */
	uint32_t waited;   /**< frames that the last one of `stuck` dropped */
	plx_ns waited_ns;  /**< and for how long they had waited */
	uint64_t reported; /**< of `stuck`; the control thread's */
};

/** A transmit queue: filled and flushed by one lcore. */
struct plx_txq {
	plx_tx_burst_fn burst; /**< the driver's; NULL: a DPDK port's, see plx_txq_give() */
	void *priv;	       /**< the driver's queue */
	struct plx_port *port;
	struct rte_mbuf **fifo;	    /**< power-of-two ring of `cap` */
	struct rte_mempool *pool;   /**< of its lcore: for packets that are cut */
	struct rte_mempool *clones; /**< the same, for what is attached: NULL = pool */
	uint32_t cap;
	uint32_t head, tail; /**< free-running; head = next to send */
	uint32_t more;	     /**< wire packets that wait beyond a packet each */
	uint32_t limit;	     /**< most packets that wait (txqueuelen); 0 while the link is down */
	uint16_t id;
	uint16_t dev_id;
	uint16_t max_bytes; /**< longest frame the port takes, link header included; 0 = no check */
	uint16_t max_segs;  /**< mbufs of a packet at most, super-segments apart; 1 = no chains */
	bool listed;	    /**< on its lcore's list of queues to flush */
	bool looks; /**< each packet is looked at: any of the above, or fix_flags may come */
	uint64_t fix_flags; /**< of ol_flags: what plx_txq_fix() has to see to */
	uint64_t cut_flags; /**< of ol_flags: super-segments that are not the device's to cut */
	uint32_t lcore;
	uint64_t pkts;	   /**< accepted by the driver */
	uint64_t drops;	   /**< packets that never got to the driver */
	uint64_t requeues; /**< bursts cut short by the driver, the rest tried again */
	uint64_t bursts;
	uint64_t refused;    /**< bursts of which the driver took nothing */
	uint16_t watch_less; /**< of PLX_PKT_WATCH_MAX: so many fewer are looked at at a time */
	struct plx_tx_watch watch;
} PLX_ALIGNED;

/** What a driver can do; filled by its probe. */
struct plx_port_caps {
	char driver[32];    /**< "net_tap", "pipe" */
	uint32_t features;  /**< enum plx_port_feature */
	uint32_t no_quirks; /**< quirks of its driver that this device does not have */
	uint16_t max_rxq, max_txq;
	uint16_t rxd, txd; /**< descriptors it would like; 0 = our default */
	uint16_t max_segs; /**< mbufs that a packet may have to be sent; 0 = any number */
	uint16_t rx_segs;  /**< mbufs that one may come in, to size pools by; 0 = one */
	uint16_t min_mtu, max_mtu;
	uint16_t reta_size; /**< 0 = no table */
	uint16_t key_bytes;
	uint32_t rss_types; /**< PLX_RSS_*: what it can hash, with PLX_PORT_F_RSS */
	int socket;	    /**< NUMA node, SOCKET_ID_ANY */
};

/** How a port is to be opened. */
struct plx_port_conf {
	uint16_t n_rxq, n_txq; /**< at most PLX_PORT_QUEUES_MAX, as caps allow */
	uint16_t rxd, txd;     /**< descriptors; 0 = the driver's wish or 1024 */
	uint16_t mtu;	       /**< 0 = as it is */
	struct rte_mempool *pool[PLX_PORT_QUEUES_MAX];	 /**< by rx queue: its lcore's pool */
	struct rte_mempool *clones[PLX_PORT_QUEUES_MAX]; /**< by tx queue; NULL = its pool */
	bool rx_intr;					 /**< the engine may sleep on its queues */
	bool promisc;
	uint32_t features_off; /**< features not to be used */
	uint32_t tx_limit;     /**< packets that may wait for the driver; 0 = 1000 */
};

/** Linux's rtnl_link_stats64, under its names. */
struct plx_port_stats {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped, rx_nohandler;
	uint64_t rx_missed_errors;
};

struct plx_link {
	bool up;
	uint32_t mbps; /**< 0 = unknown */
	bool full_duplex;
};

/**
 * A driver. Calls marked optional may be NULL: the port then says -EOPNOTSUPP.
 * open() either succeeds or leaves nothing behind.
 */
struct plx_port_ops {
	const char *name; /**< as in --port NAME=<name>,... */
	/** Set p->burst functions and p->priv's queues from conf, start receiving. */
	int (*open)(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e);
	/** Stop receiving and sending; may be opened again. */
	void (*stop)(struct plx_port *p);
	/** Free p->priv; p is not used again. */
	void (*fini)(struct plx_port *p);
	int (*set_rx_mode)(struct plx_port *p, bool promisc, bool allmulti); /**< optional */
	int (*set_mcast)(
		struct plx_port *p, const struct plx_mac *mac, uint32_t n); /**< optional */
	int (*set_mac)(struct plx_port *p, const struct plx_mac *mac);	    /**< optional */
	int (*set_mtu)(struct plx_port *p, uint16_t mtu);		    /**< optional */
	int (*set_link)(struct plx_port *p, bool up);			    /**< optional */
	/**
	 * Have the device give and take what these features say, while it runs; p->features are
	 * still the old. What it took when it was opened it goes on taking. A driver without it
	 * needs no telling about transmit features; its receive features cannot be switched, nor
	 * those that it was opened without. Optional.
	 */
	int (*set_features)(struct plx_port *p, uint32_t features);
	/**
	 * The twin of ndo_features_check(): is the device able to cut this super-segment, which TSO
	 * or USO is on for? Makes it what the device wants. Before it is queued, on the queue's
	 * lcore. @return false: it is cut in software, and is as it was. Optional.
	 */
	bool (*features_check)(struct plx_txq *q, struct rte_mbuf *m);
	void (*link)(struct plx_port *p, struct plx_link *link); /**< never blocks */
	/** Add to *s what only the driver knows (its own drops, bytes). Optional. */
	void (*stats)(struct plx_port *p, struct plx_port_stats *s);
	/** Names and values as ethtool -S; @return how many there are (max may be smaller).
	 * Optional. */
	int (*xstats)(struct plx_port *p, char (*names)[64], uint64_t *values, int max);
	int (*rss_set)(struct plx_port *p, const uint8_t *key, uint16_t key_bytes,
		const struct plx_reta *reta); /**< optional; either may be NULL */
	int (*rss_get)(struct plx_port *p, uint8_t *key, uint16_t *key_bytes,
		struct plx_reta *reta); /**< optional */
	/** Have it hash these types, some of caps.rss_types. Optional. */
	int (*rss_types)(struct plx_port *p, uint32_t types);
	/** plx_port_ntuple.h, checked: with PLX_PORT_F_NTUPLE. stop() drops all rules. */
	int (*ntuple_add)(
		struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule);
	void (*ntuple_del)(struct plx_port *p, void *rule);
	/** Join or leave an epoll set of rte_epoll. Optional. */
	int (*rx_intr)(struct plx_rxq *q, int epfd, bool add);
	/** Before sleeping: ask for an interrupt. Afterwards: poll again. Optional. */
	int (*rx_intr_arm)(struct plx_rxq *q, bool arm);
	/**
	 * The device took nothing for the watchdog's time: get it going again, give up what it
	 * holds of this queue. On the queue's lcore, which must not wait long. Optional.
	 */
	void (*tx_timeout)(struct plx_txq *q);
};

/** A port. Fields are read by all, written through the calls below. */
struct plx_port {
	const struct plx_port_ops *ops;
	void *priv;
	char name[PLX_PORT_NAMELEN];
	uint16_t id; /**< 0, 1, ... in the order of creation */
	uint16_t mtu;
	struct plx_mac mac;
	bool open;
	uint32_t opening; /**< how often it has been opened */
	bool admin_up;
	bool promisc, allmulti;
	bool cut_here;	     /**< see plx_port_cut_here() */
	bool lost_link;	     /**< the last link state seen was down: see plx_port_link_check() */
	uint32_t tx_limit;   /**< of its tx queues while the link is up */
	uint32_t features;   /**< in use, see plx_port_features() */
	uint32_t wanted;     /**< asked for; in use as far as what they need is, too */
	uint32_t switchable; /**< can be switched while it is open; the others are [fixed] */
	uint32_t quirks;     /**< enum plx_quirk_flag in force */
	struct plx_port_caps caps;
	uint16_t n_rxq, n_txq;
	struct plx_rxq *rxq[PLX_PORT_QUEUES_MAX];
	struct plx_txq *txq[PLX_PORT_QUEUES_MAX];
	/** Of queues that are gone: counters outlive them. */
	uint64_t past_rx_pkts, past_tx_pkts, past_tx_drops;
	const char *steer_why; /**< see plx_port_steer_why() */
	bool key_refused;      /**< it was given an RSS key, and said no */
	uint32_t rss_types;    /**< see plx_port_rss_types() */
};

/* Registry */

/** A driver of ours that `--port NAME=<ops name>,k=v` can make. Call from a constructor. */
struct plx_port_driver {
	const char *name;
	const char *help; /**< its keys, one line */
	/** Make a port of the name from the part after "driver,"; may be "". */
	int (*create)(const char *name, const char *args, struct plx_error *e);
	struct plx_port_driver *next;
};
PLX_API void plx_port_driver_register(struct plx_port_driver *d);
PLX_API const struct plx_port_driver *plx_port_driver_next(const struct plx_port_driver *d);

/** Parse "NAME=driver[,k=v...]" and make it. @return 0 or -errno with *e filled (PORT_SPEC). */
PLX_API int plx_port_create(const char *spec, struct plx_error *e);

/**
 * For drivers: register a port. priv is the port's from here on; caps and mac are copied.
 * @return the port, or NULL when there are PLX_PORT_MAX or the name is taken.
 */
PLX_API struct plx_port *plx_port_add(const char *name, const struct plx_port_ops *ops, void *priv,
	const struct plx_port_caps *caps, const struct plx_mac *mac, uint16_t mtu);
/**
 * For drivers that wrap a port: upper, added last, takes the place and number of lower. Nobody
 * finds lower any more; upper alone opens it, and gives it to plx_port_destroy() in its own fini().
 */
PLX_API void plx_port_replace(struct plx_port *lower, struct plx_port *upper);
/** Close and free a port that has been replaced. */
PLX_API void plx_port_destroy(struct plx_port *p);
PLX_API uint16_t plx_port_count(void);
PLX_API struct plx_port *plx_port_get(uint16_t id);
/** By name, or by number in decimal. @return NULL if there is none. */
PLX_API struct plx_port *plx_port_find(const char *name);
/**
 * The same of "PORT" or "PORT:QUEUE"; names have colons, too.
 * @param queue -1: none is named. The port may have fewer. @return NULL if there is no such port.
 */
PLX_API struct plx_port *plx_port_find_queue(const char *text, int *queue);

/** Queues of each direction that it can be opened with: the driver's limit, its quirks', ours. */
PLX_API uint16_t plx_port_max_queues(const struct plx_port *p);
/** @return 0, or -EINVAL with *e filled (TAP_QUEUES, PORT_QUEUES) if n are too many. */
PLX_API int plx_port_check_queues(const struct plx_port *p, uint16_t n, struct plx_error *e);

/* Life */

/** Bring it up. Unwinds whole when any step fails. @return 0 or -errno with *e filled. */
PLX_API int plx_port_open(
	struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *e);
/** What waits in the tx queues is dropped (STOPPED). By one thread, with no lcore polling. */
PLX_API void plx_port_close(struct plx_port *p);
/** Close and free all ports. */
PLX_API void plx_port_fini_all(void);
/** Mbufs that a port with this configuration takes from the pools: descriptors, FIFOs, bursts. */
PLX_API uint32_t plx_port_mbufs(const struct plx_port *p, const struct plx_port_conf *conf);
/** Those attached to others' data, which need no room: payload of what waits to be sent. */
PLX_API uint32_t plx_port_clones(const struct plx_port *p, const struct plx_port_conf *conf);
/** Mbufs that an open port never gives back (PLX_QUIRK_KEEPS), at most. */
PLX_API uint32_t plx_port_kept_mbufs(const struct plx_port *p);

/* Control: 0 or -errno; -EOPNOTSUPP where the driver cannot. */

PLX_API int plx_port_set_mtu(struct plx_port *p, uint16_t mtu);
PLX_API int plx_port_set_mac(struct plx_port *p, const struct plx_mac *mac);
PLX_API int plx_port_set_rx_mode(struct plx_port *p, bool promisc, bool allmulti);
/** The group MACs wanted; falls back to allmulticast, then to promiscuous mode. */
PLX_API int plx_port_set_mcast(struct plx_port *p, const struct plx_mac *mac, uint32_t n);
PLX_API int plx_port_set_link(struct plx_port *p, bool up);
/**
 * Switch features of an open port, as `ethtool -K` does: those that are wanted and that are not
 * fixed; others in `wanted` are not looked at. What needs another one that is off is off as well,
 * and comes back with it (plx_port_features_fix()).
 *
 * lcores go on meanwhile. Each packet is sent in the form that the features had when it was queued,
 * or made: that is harmless, because what is turned off at run time is no longer used, while the
 * driver takes it as before; and what is turned on, the driver has heard of first. What was
 * received before may come merged, or without a checksum, for a while.
 *
 * @return 0; -ENETDOWN: not open; the driver's error, and all is as it was.
 */
PLX_API int plx_port_set_features(struct plx_port *p, uint32_t wanted);
/**
 * For who makes packets of other forms than drivers without LRO give (merged, to be cut, with a
 * checksum that is not there): from now on each port's way out looks at each packet. GRO and ports
 * that give such have said so themselves.
 */
PLX_API void plx_port_odd_forms(void);
/**
 * For drivers: whether the other end takes no super-segments now. They are cut in software then,
 * though TSO and USO stay on; what waits, the driver still has to take.
 */
PLX_API void plx_port_cut_here(struct plx_port *p, bool yes);
/** Of these features those that can be in use, as netdev_fix_features(): TSO and USO need
 * scatter-gather and L4 checksums, GSO scatter-gather, LRO receive checksums. */
PLX_API uint32_t plx_port_features_fix(uint32_t features);
/** The features that a word names: one, or those of a group, by any of its names. 0 = none. */
PLX_API uint32_t plx_port_features_named(const char *word);
/**
 * Read "tso=off gro=on" over *wanted.
 * @return 0; -EOPNOTSUPP: there is no such feature, or none in a word that can be switched;
 * -EINVAL: neither on nor off. *why has a line of text then, *wanted is as it was.
 */
PLX_API int plx_port_features_read(
	const struct plx_port *p, const char *text, uint32_t *wanted, char *why, size_t size);
/** By what a device spreads packets over its queues. */
struct plx_port_rss {
	uint8_t key[PLX_STEER_KEY_MAX];
	uint16_t key_bytes;
	uint32_t types; /**< PLX_RSS_* */
	struct plx_reta reta;
};
/**
 * What the device says that it does. Any thread.
 * @return 0; -ENETDOWN: not open; -EOPNOTSUPP: plx_port_steer_why() says why; the driver's error.
 */
PLX_API int plx_port_rss_get(struct plx_port *p, struct plx_port_rss *r);
/**
 * Give the device a key, a table, or both (else NULL), and look whether it has it. Packets come
 * meanwhile: some go by the old one. Control thread.
 * @return as plx_port_rss_get(); -EINVAL: another length or size than the device's, or a queue that
 * it has not; -EIO: it took it and has another one. It is not believed any more then
 * (plx_port_steer_why()).
 */
PLX_API int plx_port_rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t bytes, const struct plx_reta *reta);
/**
 * Which types of packets the device is to hash, by addresses or by ports too (`ethtool -N DEV
 * rx-flow-hash`). Control thread.
 * @return as plx_port_rss_set(); -EOPNOTSUPP: or these are fixed; -EINVAL: it cannot hash some.
 */
PLX_API int plx_port_rss_types_set(struct plx_port *p, uint32_t types);
/** Why flows are steered in software, half a sentence; NULL: the device does it. Any thread. */
PLX_API const char *plx_port_steer_why(const struct plx_port *p);
/**
 * Does an open port of several queues claim RSS that is none? It is asked when the port is opened,
 * and whenever it is given a key or a table. @param buf which claim: "it accepts a key and ..."
 */
PLX_API bool plx_port_rss_lie(const struct plx_port *p, char *buf, size_t size);
PLX_API void plx_port_link(struct plx_port *p, struct plx_link *link);
/**
 * Look at the link (the twin of linkwatch): while it is down what is sent is dropped (TX_DOWN),
 * what waits too, instead of waiting for a peer that may never come. To be called about once a
 * second. @return whether the link came or went.
 */
PLX_API bool plx_port_link_check(struct plx_port *p);
/** A queue that stands still. */
struct plx_tx_stuck {
	uint16_t queue;
	uint32_t pkts; /**< that waited and were dropped */
	plx_ns waited_ns;
};
/**
 * What the watchdog found that was not told yet, one queue a call: to be asked about once a second
 * until it says false. A queue is told of once; again when it has moved in between.
 */
PLX_API bool plx_port_stuck(struct plx_port *p, struct plx_tx_stuck *what);
PLX_API void plx_port_stats(struct plx_port *p, struct plx_port_stats *s);
/**
 * Names and values as ethtool -S: the queues' own (rx_queue_0_packets, tx_queue_0_tx_timeouts),
 * then the driver's. @return how many were written, at most max.
 */
PLX_API int plx_port_xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max);

/* Data path */

/** The features in use, for lcores: the control thread may switch them. */
static inline uint32_t plx_port_features(const struct plx_port *p)
{
	return __atomic_load_n(&p->features, __ATOMIC_RELAXED);
}

/** PLX_RSS_*: what its hash covers now; all of them when it is opened. For lcores. */
static inline uint32_t plx_port_rss_types(const struct plx_port *p)
{
	return __atomic_load_n(&p->rss_types, __ATOMIC_RELAXED);
}

/*
 * What the driver has, and what it takes. Most queues are a DPDK port's: from and to those packets
 * go without a function of ours in between.
 */
static inline uint16_t plx_rxq_take(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	if (plx_likely(!q->burst))
		return rte_eth_rx_burst(q->dev_id, q->id, pkts, n);
	return q->burst(q, pkts, n);
}

static inline uint16_t plx_txq_give(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	if (plx_likely(!q->burst))
		return rte_eth_tx_burst(q->dev_id, q->id, pkts, n);
	return q->burst(q, pkts, n);
}

/** Poll. Counts the packets into the lcore's account. @return how many, at most n <=
 * PLX_PORT_BURST. */
static inline uint16_t plx_rxq_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t got = plx_rxq_take(q, pkts, n);

	if (got == 0)
		return 0;
	plx_count(q->pkts, got);
	plx_count(q->polls, 1);
	plx_count(q->full, got == n);
	plx_count(plx_acct_self()->rx_pkts, got);
	return got;
}

/** For drivers: m, which plx_rxq_burst() is going to count as one packet, stands for more. */
static inline void plx_rxq_merged(struct plx_rxq *q, struct rte_mbuf *m)
{
	uint32_t more = plx_pkt_wire(m) - 1;

	plx_count(q->pkts, more);
	plx_count(plx_acct_self()->rx_pkts, more);
}

/** For drivers: m came in and is not passed up. It counts as received and dropped. */
static inline void plx_rxq_lost(struct rte_mbuf *m, enum plx_drop reason)
{
	plx_count(plx_acct_self()->rx_pkts, plx_pkt_wire(m));
	plx_pkt_drop(m, reason);
}

/** For drivers: m is taken by burst() and cannot be sent. It counts as dropped, not as transmitted.
 */
static inline void plx_txq_lost(struct rte_mbuf *m, enum plx_drop reason)
{
	/* since the caller counts all that burst() takes */
	plx_count(plx_acct_self()->tx_pkts, -UINT64_C(1));
	plx_pkt_drop(m, reason);
}

/** For drivers: what burst() took was so many wire packets more than mbufs. */
static inline void plx_txq_more(struct plx_txq *q, uint32_t more)
{
	plx_count(q->pkts, more);
	plx_count(plx_acct_self()->tx_pkts, more);
}

/** For drivers: m is taken by burst(), stands for several packets, and was sent as so many. */
static inline void plx_txq_merged(struct plx_txq *q, struct rte_mbuf *m)
{
	plx_txq_more(q, plx_pkt_wire(m) - 1);
}

/** Packets that wait in the tx queue: exact on its lcore, of about now for others. */
static inline uint32_t plx_txq_len(const struct plx_txq *q)
{
	return plx_count_read(q->tail) - plx_count_read(q->head);
}

/** The same in wire packets: a super-segment counts as those that it is to be. */
static inline uint32_t plx_txq_wire(const struct plx_txq *q)
{
	return plx_txq_len(q) + plx_count_read(q->more);
}

/** Slow part of plx_txq_push(): makes the frame acceptable or drops it. @return m or NULL. */
PLX_API struct rte_mbuf *plx_txq_fix(struct plx_txq *q, struct rte_mbuf *m);

/** Queue a frame for the next flush. Takes m; what cannot be queued is dropped with its reason. */
static inline void plx_txq_push(struct plx_txq *q, struct rte_mbuf *m)
{
	uint16_t max_bytes = __atomic_load_n(&q->max_bytes, __ATOMIC_RELAXED);

	/* what the control thread may change */
	if (plx_unlikely((max_bytes && m->pkt_len > max_bytes) ||
			 m->ol_flags & __atomic_load_n(&q->fix_flags, __ATOMIC_RELAXED) ||
			 m->nb_segs > __atomic_load_n(&q->max_segs, __ATOMIC_RELAXED) ||
			 plx_txq_len(q) >= plx_count_read(q->limit))) {
		m = plx_txq_fix(q, m);
		if (!m)
			return;
	}
	if (plx_unlikely(m->ol_flags & plx_pkt_merged_flag))
		plx_count(q->more, plx_pkt_wire(m) - 1);
	q->fifo[q->tail & (q->cap - 1)] = m;
	plx_count(q->tail, 1);
}

/** Offer what waits to the driver, in order. @return how many it took. */
PLX_API uint32_t plx_txq_flush(struct plx_txq *q);

/**
 * The watchdog (Linux's dev_watchdog()): for whoever flushes, with the time, while something waits
 * after a flush. When the frame in front has waited for timeout_ns, all that wait are dropped
 * (TX_TIMEOUT), so that a device that stands still does not keep a pool's mbufs for ever, and the
 * driver is told. @return whether it was so.
 */
PLX_API bool plx_txq_watch(struct plx_txq *q, plx_ns now, plx_ns timeout_ns);

/** Drop m, which was to go by q; counted there. Takes m. On q's lcore. */
PLX_API void plx_txq_drop(struct plx_txq *q, struct rte_mbuf *m, enum plx_drop reason);
/** The same with all that waits; on q's lcore, or while none runs. */
PLX_API void plx_txq_drop_all(struct plx_txq *q, enum plx_drop reason);

/** The rest of plx_txq_burst(): by the FIFO. Takes all. */
PLX_API void plx_txq_burst_slow(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);
/** Behind what was sent of a burst: the rest waits. Takes all. */
PLX_API void plx_txq_requeue(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);

/** The driver has taken n more. */
static inline void plx_txq_sent(struct plx_txq *q, uint32_t n)
{
	plx_count(q->pkts, n);
	plx_count(plx_acct_self()->tx_pkts, n);
}

/**
 * Send a burst past the FIFO if it is empty, else behind it: for forwarders that have a burst at
 * hand. Takes all; what the driver refuses waits in the FIFO as far as its limit goes.
 */
static inline void plx_txq_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t sent;

	/* The direct way: nothing waits, the port is up and takes any form and length, and nobody
	 * watches. */
	if (plx_unlikely(q->head != q->tail || __atomic_load_n(&q->looks, __ATOMIC_RELAXED) ||
			 !plx_count_read(q->limit) || plx_pkt_watch(PLX_PKT_AT_TX))) {
		plx_txq_burst_slow(q, pkts, n);
		return;
	}
	sent = plx_txq_give(q, pkts, n);
	plx_count(q->bursts, 1);
	plx_txq_sent(q, sent);
	if (plx_unlikely(sent < n))
		plx_txq_requeue(q, pkts + sent, (uint16_t)(n - sent));
}

PLX_C_END
