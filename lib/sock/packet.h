/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Packet sockets: what their files share.
 *
 * What the stack knows of a socket, its tap, is a record of its own (struct sock_tap): it is
 * replaced by bind() and by a filter, and lives until no lcore sees it any more. Of the socket
 * itself other lcores know nothing.
 */
#include <linux/if_packet.h>

#include "cmsg.h"
#include "opt.h"
#include "sock.h"

#include <plx_pkt_bpf.h>

struct sock_packet;

/** A program of classic BPF (SO_ATTACH_FILTER), shared by a socket and its taps. */
struct sock_filter_prog {
	uint32_t refs; /**< atomic */
	struct plx_pkt_bpf bpf;
};

struct sock_tap {
	struct plx_net_tap t;
	struct sock_packet *p;	       /**< for its own lcore alone */
	struct sock_filter_prog *prog; /**< NULL: all is wanted */
	bool cooked;		       /**< without the link header (SOCK_DGRAM) */
	bool stamp;    /**< somebody wants to know when it came; atomic, as is all below */
	bool full;     /**< there is no room in the socket's queue */
	uint32_t lost; /**< frames that found no room, or no mbuf */
};

/** PACKET_ADD_MEMBERSHIP */
struct sock_packet_member {
	struct sock_packet_member *next;
	uint16_t iface, type, alen;
	uint8_t addr[8];
	uint32_t n; /**< how often */
};

struct sock_packet {
	struct sock_file f; /**< first */
	struct sock_lcore *sl;
	struct sock_tap *tap;	       /**< NULL: it hears nothing */
	struct sock_filter_prog *prog; /**< SO_ATTACH_FILTER */
	uint16_t iface;		       /**< bound to; 0 = all */
	uint16_t proto;		       /**< as struct plx_net_tap's; 0 = it hears nothing */
	bool cooked;		       /**< SOCK_DGRAM */
	bool auxdata, origdev, no_out, quiet;
	bool locked;	       /**< SO_LOCK_FILTER */
	uint32_t rmem;	       /**< charged against SO_RCVBUF */
	uint32_t got;	       /**< PACKET_STATISTICS: since asked last */
	uint32_t drops, told;  /**< since ever, and as told by PACKET_STATISTICS */
	struct rte_mbuf *head; /**< frames, linked by their meta.next */
	struct rte_mbuf *tail; /**< undefined while head is NULL */
	struct sock_packet_member *member;
};

extern const struct sock_kind sock__packet_raw_kind, sock__packet_dgram_kind;
extern const struct sock_optlevel sock__level_packet;

/** NULL: it is none. */
static inline struct sock_packet *sock__packet(struct sock_file *f)
{
	return f->kind == &sock__packet_raw_kind || f->kind == &sock__packet_dgram_kind
		       ? (struct sock_packet *)f
		       : NULL;
}

/* packet.c */
/** What it hears has changed: a tap in place of the one before. 0 or -errno. */
int sock__packet_rehook(struct sock_packet *p);
/** Frames that found no room, since ever. */
uint32_t sock__packet_drops(struct sock_packet *p);
/** The interface as it is; -ENODEV. @param eth whether it has Ethernet */
int sock__packet_if(const struct sock_packet *p, uint16_t iface, struct plx_net_if *ifc, bool *eth);

/* packet_in.c */
void sock__packet_see(struct plx_softnet *sn, struct plx_net_tap *t, const struct rte_mbuf *m,
	struct plx_net_frame *f);
void sock__packet_take(struct plx_softnet *sn, struct plx_net_tap *t, struct rte_mbuf *m);
long sock__packet_recv(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);
struct rte_mbuf *sock__packet_recv_mbuf(struct sock_lcore *sl, struct sock_file *f, int *err);
void sock__packet_queue_free(struct sock_packet *p);
/** SO_RCVBUF may have changed. */
void sock__packet_room(struct sock_packet *p);

/* packet_out.c */
long sock__packet_send(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op);

/* packet_opt.c */
void sock__packet_leave_all(struct sock_packet *p);

/* packet_filter.c */
/** @return bytes of the frame that are wanted, from its byte off on; 0 = it is not. */
uint32_t sock__packet_run(
	const struct sock_filter_prog *prog, const struct rte_mbuf *m, uint32_t off);
void sock__packet_unref(struct sock_filter_prog *prog);
/* rows of SOL_SOCKET */
long sock__packet_attach(struct sock_optarg *a);
long sock__packet_detach(struct sock_optarg *a);
long sock__packet_lock(struct sock_optarg *a);
long sock__packet_locked(struct sock_optarg *a);
