/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * TCP connections: lib/tcp's numbers joined to bytes.
 *
 * A connection lives on one lcore, the owner of its flow, and all calls about it are made there. A
 * listener is on all lcores; what it accepts is on the lcore of the flow.
 *
 * Calls only note what is to be sent: it leaves at the end of the burst, so that an answer carries
 * the acknowledgement. Events are told at that time too, once a burst.
 *
 * A connection is its program's from accept() or plx_net_tcp_connect() until plx_net_tcp_close() or
 * plx_net_tcp_abort(), which may be called from any of its own events, too; no event comes after
 * them. When the engine stops, closed(ESHUTDOWN) is told to all that are left, those that were over
 * before too, and all are freed.
 */
#include <plx_engine.h>
#include <plx_tcp.h>

PLX_C_BEGIN

struct plx_net;
struct plx_net_tcp; /**< a connection */
struct plx_net_tcp_listener;

/** Events; each is optional. On the connection's lcore. */
struct plx_net_tcp_ops {
	/** plx_net_tcp_connect() has succeeded. */
	void (*established)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** More can be read. */
	void (*readable)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** The peer's urgent pointer has moved (RFC 6093): see plx_tcp_urgent_at(). Told before
	 * readable(). */
	void (*urgent)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** A write that took less than it was given may go on. */
	void (*writable)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** The peer sends no more; what came before can still be read. */
	void (*peer_closed)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** All that was written has arrived, the FIN too. */
	void (*fin_acked)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** An ICMP error that does not end it: see plx_tcp_take_error(). */
	void (*error)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** It is over: err 0, both directions have ended well; else an errno. What came before can
	 * still be read. Close it. */
	void (*closed)(struct plx_softnet *sn, struct plx_net_tcp *c, int err);
	/**
	 * Its flow is to live on another lcore (plx_net_move.h): may c, too? Then it is not valid
	 * any more, and its program is told of it anew by arrive(), which must be there. Nothing
	 * that can be read or written is lost. @param to where it is to live. @return false, as
	 * without leave(): it stays here, and what comes for it is handed over.
	 */
	bool (*leave)(struct plx_softnet *sn, struct plx_net_tcp *c, struct plx_softnet *to);
	/**
	 * c, whose program had let go of one of the same user by leave(), lives here from now on:
	 * on another lcore; or on the one where it was and as the same c, if the other could not
	 * take it. @return false: there is no memory for it here, it is to go back; there it counts
	 * as true.
	 */
	bool (*arrive)(struct plx_softnet *sn, struct plx_net_tcp *c);
	/** On the lcore that it has left: it has arrived. user is what it had then. Optional. */
	void (*left)(struct plx_softnet *sn, void *user);
	/** The least TTL or hop limit of what is taken; asked after plx_net_tcp_set_min_ttl(). */
	uint8_t (*min_ttl)(const struct plx_net_tcp *c, bool v4);
	/** For the table tcp: the descriptor by which its program knows it; -1 = it has none. */
	int (*fd)(const struct plx_net_tcp *c);
};

/* Listeners: control */

struct net_tcp_replica;
struct plx_net_tcp_listener {
	/** A handshake is complete: take c by plx_net_tcp_take(). @return false: reset it. */
	bool (*accept)(
		struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c);
	void *user;
	struct plx_addr laddr; /**< any = all */
	uint16_t lport;
	uint16_t iface;	  /**< 0 = any */
	uint32_t backlog; /**< handshakes under way, each lcore; 0 = somaxconn */
	uint32_t rcv_buf; /**< SO_RCVBUF, bytes; 0 = tuned */
	bool v6only, reuseport;
	/* for those that listen by an lcore */
	uint16_t home;	  /**< index of the lcore whose program accepts; PLX_NET_NO_HOME = any */
	uint8_t ttl, tos; /**< inherited; 0 = default */
	uint8_t min_ttl, min_hops; /**< the least of what is taken, of IPv4 and of IPv6 */
	uint8_t defer_accept;	   /**< inherited: as struct plx_tcp_listener's */
	uint16_t mss_clamp;	   /**< TCP_MAXSEG; 0 = none */
	/** For the table tcp, and constant: its program's descriptor (0 = it has none), and the
	 * index of the lcore that has it. */
	int fd;
	uint16_t by;
	/** After plx_net_tcp_unlisten_on(): no lcore knows l any more. On the lcore that asked. */
	void (*gone)(struct plx_softnet *sn, struct plx_net_tcp_listener *l);
	struct net_tcp_replica *replica; /**< one for each lcore; the stack's */
};
#define PLX_NET_NO_HOME UINT16_MAX

/** Listen on all lcores. @return 0 or -errno (-EADDRINUSE, -ENOMEM). */
PLX_API int plx_net_tcp_listen(struct plx_net *net, struct plx_net_tcp_listener *l);
/** What it has accepted stays. Harmless when it does not listen. */
PLX_API void plx_net_tcp_unlisten(struct plx_net *net, struct plx_net_tcp_listener *l);

/**
 * The same by an lcore, which does not wait: its own replica listens at once, those of the others
 * when they have seen their message. The port is the caller's by plx_net_bind_add().
 * @return 0 or -errno.
 */
PLX_API int plx_net_tcp_listen_on(struct plx_softnet *sn, struct plx_net_tcp_listener *l);
/** listen(2) once more: another backlog, and what else l says of those to be accepted. */
PLX_API void plx_net_tcp_relisten_on(struct plx_softnet *sn, struct plx_net_tcp_listener *l);
/** l->gone() follows, at once if nobody else knows it. */
PLX_API void plx_net_tcp_unlisten_on(struct plx_softnet *sn, struct plx_net_tcp_listener *l);
/** n more, or less, of what this lcore has let in wait to be accepted (Linux's sk_ack_backlog). */
PLX_API void plx_net_tcp_waiting(struct plx_softnet *sn, struct plx_net_tcp_listener *l, int32_t n);

/* Connections: on their lcore */

/** Whose c is. In accept(). */
PLX_API void plx_net_tcp_take(struct plx_net_tcp *c, const struct plx_net_tcp_ops *ops, void *user);
PLX_API void *plx_net_tcp_user(const struct plx_net_tcp *c);

/** Where to connect to. */
struct plx_net_tcp_to {
	struct plx_addr raddr;
	uint16_t rport;
	struct plx_addr laddr; /**< any = chosen */
	/** 0 = chosen, so that the answers come to this lcore; when there is none, so that they are
	 * handed over to it */
	uint16_t lport;
	uint16_t iface; /**< of a link-local address; 0 = by route */
	bool bound;	/**< by iface or not at all (SO_BINDTODEVICE) */
	/** Before the SYN is made: set what of c shall be otherwise. Optional. */
	void (*setup)(struct plx_net_tcp *c, void *user);
};
/**
 * Active open; established() or closed() follows.
 * @return 0, -ENETUNREACH, -EADDRNOTAVAIL (no address, no port, or the four-tuple is taken),
 * -ENOBUFS, -ESHUTDOWN.
 */
PLX_API int plx_net_tcp_connect(struct plx_softnet *sn, const struct plx_net_tcp_to *to,
	const struct plx_net_tcp_ops *ops, void *user, struct plx_net_tcp **c);

/** Copies as much as there is room for. @return bytes taken; less than n: writable() follows. */
PLX_API uint32_t plx_net_tcp_write(
	struct plx_softnet *sn, struct plx_net_tcp *c, const void *data, uint32_t n);
/** What a write would take now, if there is memory. */
PLX_API uint32_t plx_net_tcp_room(const struct plx_net_tcp *c);
/** Bytes that the send buffer is charged: those written and not acknowledged, and what of its
 * memory lent text (plx_net_lend.h) holds besides. */
PLX_API uint32_t plx_net_tcp_queued(const struct plx_net_tcp *c);
/** writable() is to be told when there is room, as after a write that was cut short. */
PLX_API void plx_net_tcp_want_room(struct plx_net_tcp *c);
/** Bytes that can be read. */
PLX_API uint32_t plx_net_tcp_readable(const struct plx_net_tcp *c);
/** Memory that what it has received, and what it has to send, takes, bytes (SO_MEMINFO). */
PLX_API uint32_t plx_net_tcp_rmem(const struct plx_net_tcp *c);
PLX_API uint32_t plx_net_tcp_wmem(const struct plx_net_tcp *c);
/** Up to n bytes. @return how many. */
PLX_API uint32_t plx_net_tcp_read(
	struct plx_softnet *sn, struct plx_net_tcp *c, void *data, uint32_t n);
/** The same, but they stay: bytes from off on. @return how many. */
PLX_API uint32_t plx_net_tcp_peek(
	const struct plx_net_tcp *c, uint32_t off, void *data, uint32_t n);
/** As plx_net_tcp_write(), but there is more to come: MSG_MORE. */
PLX_API uint32_t plx_net_tcp_write_more(
	struct plx_softnet *sn, struct plx_net_tcp *c, const void *data, uint32_t n);
/** Read n bytes and forget them. @return how many. */
PLX_API uint32_t plx_net_tcp_skip(struct plx_softnet *sn, struct plx_net_tcp *c, uint32_t n);
/** Of the IP header of what it sends: time to live (0 = default), traffic class (its ECN bits are
 * TCP's). */
PLX_API void plx_net_tcp_set_min_ttl(struct plx_net_tcp *c, bool on);
PLX_API void plx_net_tcp_set_ip(struct plx_net_tcp *c, uint8_t ttl, uint8_t tos);
/**
 * The next piece of text without a copy: the callee's, counted as delivered. Its data may be
 * shared: they are not to be written to. @return NULL when there is none.
 */
PLX_API struct rte_mbuf *plx_net_tcp_recv(struct plx_softnet *sn, struct plx_net_tcp *c);

/** No more will be written: FIN behind what was. */
PLX_API void plx_net_tcp_shutdown(struct plx_softnet *sn, struct plx_net_tcp *c);
/** Let go of it: what was written still arrives; unread text is answered by a RST. */
PLX_API void plx_net_tcp_close(struct plx_softnet *sn, struct plx_net_tcp *c);
/** RST. */
PLX_API void plx_net_tcp_abort(struct plx_softnet *sn, struct plx_net_tcp *c);

/** Its numbers, for plx_tcp_info_get() and the plx_tcp_set_*() that change no sequence number; call
 * plx_net_tcp_push() after what may let something be sent. */
PLX_API struct plx_tcp *plx_net_tcp_tcb(struct plx_net_tcp *c);
/** Look whether there is something to send. */
PLX_API void plx_net_tcp_push(struct plx_softnet *sn, struct plx_net_tcp *c);

PLX_C_END
