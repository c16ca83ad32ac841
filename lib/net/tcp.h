/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the files of TCP's glue share.
 *
 * A connection's record and its table, the SYN queues, TIME-WAITs and what waits to be sent or
 * acknowledged live in an arena of the lcore; received text stays in the mbufs that it came in.
 */
#include <plx_base_mpsc.h>
#include <plx_telem.h>

#include "tell.h"

#define TCP_CHUNK                                                                                  \
	4032u /* bytes of a piece of a send buffer: a block of the arena, less its head            \
	       */
#define TCP_SPARE      40u   /* mbufs kept at hand: what output() names is sent */
#define TCP_LENT       96u   /* the same of those without room: pieces of a packet at most */
#define TCP_LEND       1024u /* text as long as this is lent to its packet, less is copied */
#define TCP_SUPER_SEGS 64u   /* wire segments of a super-segment at most: GRO's limit, too */
/* Text of a super-segment at most: what one IP packet has room for. */
#define TCP_SUPER    (65535u - PLX_IP6_BYTES - PLX_TCP_MAX_BYTES)
#define TCP_MTU_MAX  9216u /* of a path: more would be a long chain of mbufs */
#define TCP_RETRY_NS PLX_MS(1)
#define TCP_NOMEM_NS PLX_MS(10)

/* Flags of a connection, in its timer's tag. */
#define TCPF_TOUCHED	 0x001 /* on the list of those to be served */
#define TCPF_RELEASED	 0x002 /* its program has let go of it */
#define TCPF_ESTABLISHED 0x004 /* to be told */
#define TCPF_READABLE	 0x008
#define TCPF_FIN	 0x010
#define TCPF_OVER	 0x020
#define TCPF_WANTS_ROOM	 0x040 /* a write was cut short */
#define TCPF_NO_MEMORY	 0x080 /* for lack of memory: ask again */
#define TCPF_EMBRYO	 0x200 /* of user, its listener, not accepted yet */
#define TCPF_PROGRESS	 0x400 /* what it sends arrives: the next segment says so */
#define TCPF_DOUBT	 0x800 /* no answer for long: the same */
#define TCPF_GONE	 0x100 /* not in the table any more, and has no timer */
#define TCPF_URGENT	 0x1000
#define TCPF_FIN_ACKED	 0x2000
#define TCPF_FIN_TOLD	 0x4000	 /* the same was told, or is to be */
#define TCPF_AWAY	 0x8000	 /* not on the lcore of its flow's hash: tcp_away.c */
#define TCPF_NAMED	 0x10000 /* in the table of those: tcp_away.c */
#define TCPF_MIN_TTL	 0x20000 /* its program says which TTL a segment must have */
#define TCPF_EVENTS                                                                                \
	(TCPF_ESTABLISHED | TCPF_READABLE | TCPF_FIN | TCPF_OVER | TCPF_WANTS_ROOM | TCPF_URGENT | \
		TCPF_FIN_ACKED) /* that tell() looks at */
/* and what its IP headers say: TCPF_TOS is 8 bits, TCPF_TTL 8 more, 0 = default. The two lowest
 * ones of TCPF_TOS, ECN's, are TCP's and not kept: TCPF_NAMED and TCPF_MIN_TTL have them. */
#define TCPF_TOS_SHIFT 16
#define TCPF_TTL_SHIFT 24
#define TCPF_IP	       0xfffc0000u

/**
 * A piece of a send buffer. Packets that carry its text borrow it (rte_pktmbuf_attach_extbuf()):
 * acknowledged or not, it is freed by the last who holds it.
 */
struct net_tcp_chunk {
	struct rte_mbuf_ext_shared_info shared;
	struct plx_mpsc_node node; /* on its way home from another lcore */
	struct net_tcp *owner;
	uint8_t text[TCP_CHUNK] PLX_ALIGNED;
};
static_assert(sizeof(struct net_tcp_chunk) == 4096, "one block of the arena");

/** Text of a send buffer that lies in one piece: in a chunk, or where a program has lent it. */
struct net_tcp_piece {
	const uint8_t *text;
	rte_iova_t iova;
	struct rte_mbuf_ext_shared_info *shared; /* the chunk's, or the loan's: a share is ours */
	uint32_t at;				 /* its place among all that were appended */
	uint32_t len;
};

/**
 * Bytes of a connection; exists only while there are any. The send buffer is a ring of pieces: byte
 * `off` behind the first one not acknowledged is byte skip + off from the first piece on.
 */
struct net_tcp_buf {
	struct rte_mbuf *in_head, *in_tail;   /* in order, to be read */
	struct rte_mbuf *ofo_head, *ofo_tail; /* out of order, by place in the stream */
	struct net_tcp_piece *piece;
	uint32_t first, n, cap; /* of piece[] */
	uint32_t skip, bytes;
	uint32_t extra; /* what loans are charged beyond their bytes; 0 = there is none */
};
static_assert(sizeof(struct net_tcp_buf) <= 64, "one block of the arena");

struct plx_net_tcp {
	struct plx_tcp c;	/* first: what the table finds */
	struct plx_timer timer; /* tag: TCPF_*; of those that are gone, node is in net_tcp.gone */
	const struct plx_net_tcp_ops *ops;
	void *user;
	struct net_tcp_buf *buf;
	struct plx_net_tcp *next; /* touched */
};
static_assert(sizeof(struct plx_net_tcp) <= 512, "one block of the arena");

/* A listener on one lcore. */
struct net_tcp_replica {
	struct plx_tcp_listener l;
	struct plx_list node; /* of net_tcp.listeners */
	uint8_t ttl, tos;     /* inherited */
	uint8_t min_ttl, min_hops;
};

/* Mbufs at hand. */
struct net_spare {
	struct rte_mbuf *m[TCP_LENT];
	uint32_t n;
};

/* TCP on one lcore. */
struct net_tcp {
	struct plx_tcp_ctx ctx;
	struct plx_arena arena;
	void *mem; /* the arena's; NULL until somebody listens or connects */
	struct plx_list gone, listeners;
	struct plx_list tw, fin_wait_2; /* struct plx_tcp_tw, by age */
	struct plx_timer req_timer, tw_timer;
	struct plx_net_tcp *touched, **touched_end; /* to be served */
	struct plx_net_tcp *news[PLX_PORT_BURST];   /* to be told something before that */
	uint32_t n_news;
	bool stopping;
	bool starved;		      /* some of them wait for mbufs or queues */
	uint32_t mbuf_room;	      /* bytes, of the lcore's mbufs */
	struct net_spare spare, lent; /* of the lcore's two pools */
	struct net_spare last, *from; /* of its reserve; which of them segments are made of now */
	struct plx_quota rx, tx;      /* bytes of mbufs with received text; of text to be sent */
	uint32_t conns, orphans;      /* records of connections; those without a program */
	uint32_t n_listeners;
	plx_ns short_ns;      /* since when ctx.pressure */
	uint32_t lcore;	      /* whose all this is */
	bool lends;	      /* text can be read by devices where it lies */
	struct plx_mpsc home; /* chunks that others were the last to hold */
	/* of its connections' local ports; other lcores look at the bits. uses: NULL if there are
	 * none */
	struct plx_tcp_port_uses *uses;
	uint32_t *away_n; /* of each port; the same */
	uint64_t away[PLX_PORT_WORDS];
	struct plx_poller poller;
};

static inline struct plx_net_tcp *net__tcp_of(struct plx_tcp_id *id)
{
	return plx_container_of(id, struct plx_net_tcp, c.id);
}

/** Of the flow that comes from id's peer. */
static inline uint32_t net__tcp_hash(const struct plx_net *net, const struct plx_tcp_id *id)
{
	return plx_steer_hash(&net->toeplitz, &id->raddr, &id->laddr, id->rport, id->lport, true);
}

static inline uint32_t *net__tcp_flags(struct plx_net_tcp *tc)
{
	return &tc->timer.tag;
}

static inline bool net__tcp_is(const struct plx_net_tcp *tc, uint32_t flags)
{
	return tc->timer.tag & flags;
}

/** The least TTL of what is for tc (RFC 5082); 0 = any. */
static inline uint8_t net__tcp_min_ttl(const struct plx_net_tcp *tc)
{
	if (plx_likely(!net__tcp_is(tc, TCPF_MIN_TTL)) || net__tcp_is(tc, TCPF_RELEASED))
		return 0;
	return tc->ops->min_ttl(tc, plx_addr_is_v4(&tc->c.id.raddr));
}

static inline bool net__tcp_is_over(const struct plx_net_tcp *tc)
{
	return tc->c.id.state == PLX_TCP_CLOSED || tc->c.id.state == PLX_TCP_TIME_WAIT;
}

static inline void net__tcp_set_ip(struct plx_net_tcp *tc, uint8_t ttl, uint8_t tos)
{
	uint32_t *f = net__tcp_flags(tc);

	*f = (*f & ~TCPF_IP) | (uint32_t)ttl << TCPF_TTL_SHIFT |
	     (uint32_t)(tos & ~PLX_IP_ECN_MASK) << TCPF_TOS_SHIFT;
}

/** Where an mbuf of a receive queue belongs in the stream: it is not going to be sent. */
static inline uint64_t *net__tcp_place(struct rte_mbuf *m)
{
	return &m->tx_offload;
}

static inline struct rte_mbuf **net__tcp_next(struct rte_mbuf *m)
{
	return &plx_pkt_meta(m)->next;
}

/** Room that m takes, whatever is in it, bytes (Linux's skb->truesize). */
static inline uint32_t net__room_of(const struct rte_mbuf *m)
{
	uint32_t n = (uint32_t)sizeof(*m) + m->buf_len;

	while (plx_unlikely((m = m->next) != NULL))
		n += (uint32_t)sizeof(*m) + m->buf_len;
	return n;
}

/** Received text of tc takes n bytes of room more (less, when negative). */
static inline void net__tcp_hold(struct net_lcore *nl, struct plx_net_tcp *tc, int32_t n)
{
	plx_quota_use(&nl->tcp->rx, n);
	plx_tcp_hold(&tc->c, n);
}

/* mem.c: how much memory sockets may have */
void net__mem_start(struct net_lcore *nl);
/** The lcore has got its memory for TCP. */
void net__mem_there(struct net_lcore *nl);
/** What receive queues may hold of this lcore's mbufs, bytes of room. */
int64_t net__mem_share(const struct net_lcore *nl);
/** Is memory short (still)? Sets what ctx says of it. */
void net__mem_look(struct net_lcore *nl);
/** May a connection that holds so much for received text hold n bytes more? */
bool net__mem_may_receive(struct net_lcore *nl, uint32_t has, uint32_t n);
/** The same of text to be sent. */
bool net__mem_may_send(struct net_lcore *nl, uint32_t has, uint32_t n);
/** Without a program, is it to be reset? */
bool net__mem_drops_orphan(struct net_lcore *nl, const struct plx_net_tcp *tc);

/* tcp.c: life of an lcore's TCP */
struct net_tcp *net__tcp_new(struct net_lcore *nl);
void net__tcp_free(struct net_tcp *t);
/** Memory, when somebody needs it. @return 0 or -ENOMEM. */
int net__tcp_mem(struct net_lcore *nl);
/** Before the engine runs, and before programs add their pollers: it runs behind these. */
void net__tcp_attach(struct net_lcore *nl);
void net__tcp_start(struct net_lcore *nl);
void net__tcp_stop(struct net_lcore *nl);
/** tc, which was on its way to another lcore then, comes back behind net__tcp_stop(). */
void net__tcp_stop_one(struct net_lcore *nl, struct plx_net_tcp *tc);

/* tcp_conn.c: life of a connection */
/** Not in the table yet. @return NULL: no memory. */
struct plx_net_tcp *net__tcp_conn_new(struct net_lcore *nl, const struct plx_tcp_id *id);
void net__tcp_conn_free(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Out of the table and without a timer, but still its program's. Twice is fine. */
void net__tcp_gone(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Its program has let go of it. */
void net__tcp_orphan(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Is an orphan too many, or has it too much? Then it is reset. */
void net__tcp_check_orphan(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Serve it at the end of the burst. */
void net__tcp_touch(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Nobody is to be told or served any more. */
void net__tcp_forget(struct net_tcp *t);
/** What lib/tcp says has happened. */
void net__tcp_note(struct net_lcore *nl, struct plx_net_tcp *tc, uint16_t events);
/** Tell programs what has come. At the end of a burst. */
void net__tcp_tell(struct net_lcore *nl);
/** Send what all that were touched have to. At the end of a pass. */
void net__tcp_serve(struct net_lcore *nl);
/** It waits for nothing but the end of its peer: a small record goes on. */
void net__tcp_time_wait(struct net_lcore *nl, struct plx_net_tcp *tc);
void net__tcp_tw_end(struct net_lcore *nl, struct plx_tcp_tw *w);
/** Its end has moved. */
void net__tcp_tw_moved(struct net_lcore *nl, struct plx_tcp_tw *w);
void net__tcp_timer(struct net_lcore *nl, struct plx_timer *timer);
void net__tcp_tw_timer(struct net_lcore *nl);
void net__tcp_req_timer(struct net_lcore *nl);
void net__tcp_req_rearm(struct net_lcore *nl);

/* tcp_in.c */
PLX_NOINLINE void net__tcp_in(struct net_lcore *nl, struct rte_mbuf *m, struct plx_net_rx *rx);
/** The lcore of the flow whose segments come from key->raddr. */
uint16_t net__tcp_owner(const struct net_lcore *nl, const struct plx_tcp_id *key);
/** Who hears what comes for k, and is for nobody else. @return NULL: nobody. */
struct plx_tcp_listener *net__tcp_listener(struct net_lcore *nl, const struct plx_tcp_id *k);
/** What the path to the peer takes. @param l of a handshake for this listener. */
struct plx_tcp_path net__tcp_path(
	struct net_lcore *nl, const struct plx_tcp_id *id, const struct plx_tcp_listener *l);

/* tcp_away.c */
/** A connection whose segments come to another lcore, or what is left of it in TIME-WAIT. */
void net__tcp_away_take(struct net_lcore *nl, const struct plx_tcp_id *id);
void net__tcp_away_drop(struct net_lcore *nl, const struct plx_tcp_id *id);
/** Its port was named, or it is away. @param iss_above out: of a TIME-WAIT that it takes.
 * @return false: another lcore has its four-tuple, or there is no memory. */
bool net__tcp_named_take(struct net_lcore *nl, const struct plx_tcp_id *id, uint32_t *iss_above);
/** It is in TIME-WAIT, and another lcore may take it, with an ISN above iss. */
void net__tcp_named_wait(struct net_lcore *nl, const struct plx_tcp_id *id, uint32_t iss);
void net__tcp_named_drop(struct net_lcore *nl, const struct plx_tcp_id *id);
/** It has come here from the lcore of index `from`. */
void net__tcp_named_move(struct net_lcore *nl, const struct plx_tcp_id *id, uint16_t from);
/** Which lcore may have the connection that this one has not? @param handed it was handed to us.
 * @return its index, or -1. */
int net__tcp_away_search(
	const struct net_lcore *nl, const struct plx_tcp_id *key, uint8_t flags, bool handed);
/** The same; most often there is none anywhere. */
static inline int net__tcp_away_find(
	const struct net_lcore *nl, const struct plx_tcp_id *key, uint8_t flags, bool handed)
{
	if (plx_likely(!__atomic_load_n(&nl->net->has_away, __ATOMIC_RELAXED)))
		return -1;
	return net__tcp_away_search(nl, key, flags, handed);
}

/* tcp_out.c */
/** What segments on this way may have. */
uint16_t net__tcp_mtu(const struct net_lcore *nl, const struct net_dst *d);
/** At least n mbufs at hand? */
bool net__tcp_reserve(struct net_lcore *nl, uint32_t n);
/** One of those at hand. */
struct rte_mbuf *net__tcp_spare(struct net_lcore *nl);
/** All that may leave. @return false: there is more, but no room; ask again. */
bool net__tcp_output(struct net_lcore *nl, struct plx_net_tcp *tc);
/** The way of what is of a connection, or of a listener's handshake. @param iface bound to, or of a
 * link-local address; 0 = any */
enum plx_drop net__tcp_route(
	struct net_lcore *nl, const struct plx_addr *dst, uint16_t iface, struct net_dst *d);
/** A segment without text of what is no connection (yet, any more).
 * @param l of a handshake for this listener; NULL = of none. */
void net__tcp_send_bare(struct net_lcore *nl, const struct plx_tcp_id *id,
	const struct plx_tcp_listener *l, const struct plx_tcp_tx *tx);
/** A RST, as far as their number is not limited; counts it. */
void net__tcp_send_reset(
	struct net_lcore *nl, const struct plx_tcp_id *id, const struct plx_tcp_tx *tx);

/* tcp_buf.c */
/** Is there memory to keep what a segment with text in m may bring? @return why not. */
enum plx_drop net__tcp_can_keep(struct net_lcore *nl, struct plx_net_tcp *tc,
	const struct rte_mbuf *m, const struct plx_tcp_seg *seg);
/** m at the end of what is in order. */
void net__tcp_in_link(struct net_tcp_buf *b, struct rte_mbuf *m);
/** Keep the parts of m's text, which begins at text_off. Takes m, which is counted already. */
void net__tcp_keep(struct net_lcore *nl, struct plx_net_tcp *tc, struct rte_mbuf *m,
	uint32_t text_off, const struct plx_tcp_rx *r, uint64_t stream);
/** Text out of order at stream offset from and behind it is given up. */
void net__tcp_give_up(struct net_lcore *nl, struct plx_net_tcp *tc, uint64_t from);
/** The first n bytes of the send buffer have arrived. */
void net__tcp_acked(struct net_lcore *nl, struct plx_net_tcp *tc, uint32_t n);
/** Append up to n bytes to the send buffer. @return how many: less when memory is short. */
uint32_t net__tcp_append(
	struct net_lcore *nl, struct plx_net_tcp *tc, const uint8_t *data, uint32_t n);
struct net_loan;
/** Append the text of a chain of mbufs that l lends. @return 0, or -ENOBUFS: nothing of it. */
int net__tcp_append_chain(
	struct net_lcore *nl, struct plx_net_tcp *tc, struct net_loan *l, const struct rte_mbuf *m);
/** The same of n bytes at p. */
int net__tcp_append_lent(struct net_lcore *nl, struct plx_net_tcp *tc, struct net_loan *l,
	const void *p, rte_iova_t iova, uint32_t n);
/** len bytes of the send buffer from off on. */
void net__tcp_copy(const struct net_tcp_buf *b, uint32_t off, void *to, uint32_t len);
/** May they be lent to a packet, to be cut into parts of mss, and are there mbufs for it? */
bool net__tcp_lendable(const struct net_tcp *t, const struct net_tcp_buf *b, uint32_t off,
	uint32_t len, uint32_t mss);
/** m, a fresh mbuf, borrows what lies in one piece of them. @return bytes, at most len. */
uint32_t net__tcp_lend(const struct net_tcp_buf *b, uint32_t off, struct rte_mbuf *m, uint32_t len);
/** Nothing will be sent any more. */
void net__tcp_out_drop(struct plx_net_tcp *tc);
/** Take back what others have let go of. */
void net__tcp_chunks_home(struct net_tcp *t);
/** Take the first mbuf of what can be read. @return NULL: there is none. */
struct rte_mbuf *net__tcp_in_pop(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Up to n bytes of what can be read, to nowhere if to is NULL. @return how many. */
uint32_t net__tcp_in_copy(struct net_lcore *nl, struct plx_net_tcp *tc, void *to, uint32_t n);
/** The same from byte off on, which stay. */
uint32_t net__tcp_in_peek(const struct plx_net_tcp *tc, uint32_t off, void *to, uint32_t n);
/** All received text goes. */
void net__tcp_in_drop(struct net_lcore *nl, struct plx_net_tcp *tc);
/** Nothing is kept for no bytes. */
void net__tcp_buf_idle(struct net_lcore *nl, struct plx_net_tcp *tc);
/** All goes. */
void net__tcp_buf_free(struct net_lcore *nl, struct plx_net_tcp *tc);

/* tcp_room.c */
/** m's text behind tail's, if there is room. @return whether m is gone. */
bool net__tcp_copy_behind(struct rte_mbuf *tail, struct rte_mbuf *m);
/** A chain's text in as few of its mbufs as may be written to. */
void net__tcp_squeeze(struct rte_mbuf *m);
/** For a segment that takes n bytes of room: is there any, or can some be made? @return why not. */
enum plx_drop net__tcp_make_room(
	struct net_lcore *nl, struct plx_net_tcp *tc, const struct plx_tcp_seg *seg, uint32_t n);

/* tcp_err.c */
/** What an ICMP error says. */
struct net_tcp_error {
	int err;      /**< as Linux maps it; 0 = nothing to tell */
	uint16_t mtu; /**< "too big": what it says; 0 = it is none */
	uint8_t ttl;  /**< by which one may be too far: IPv4's quoted one, as Linux has it */
	bool ends;    /**< a handshake that is under way for a listener */
};
/**
 * An error about a segment that we sent, with its first 8 bytes. Is handled if its connection is
 * this lcore's. @param handed it was handed to us.
 * @return the lcore that may have the connection, or -1: none has sent it.
 */
int net__tcp_error(struct net_lcore *nl, const struct plx_tuple *quoted, const uint8_t *l4,
	uint16_t iface, bool handed, const struct net_tcp_error *e);

/* tcp_telem.c: the table tcp */
enum plx_telem_more net__tcp_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
/** Of tables whose cursors have the lcore's index in their upper bits. */
#define NET_TELEM_LCORE_SHIFT 48
int net__telem_on_owner(void *arg, uint64_t cursor, void (*fn)(void *), void *fn_arg);
/** One end of a socket: "*" is ::, which hears IPv4, too. */
void net__telem_addr(struct plx_telem_row *r, const char *name, const struct plx_addr *a);
/** Which interface it is bound to, if any; and whether :: is IPv6 alone. */
void net__telem_bound(
	const struct net_lcore *nl, struct plx_telem_row *r, uint16_t iface, bool v6only);
/* mem_telem.c: the table sockstat */
enum plx_telem_more net__mem_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
/* udp_telem.c: the table udp */
enum plx_telem_more net__udp_row(struct plx_telem_row *r, uint64_t *cursor, void *arg);
