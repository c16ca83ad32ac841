/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <sys/uio.h>

#include <linux/if.h>
#include <linux/virtio_net.h>

#include "plx_net_vtap.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4 /* Linux 6.2 */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define VTAP_FRAME_MAX	(65535 + 18) /* the longest IP packet, behind Ethernet and a tag */
#define VTAP_LINK_BYTES 22	     /* an Ethernet header and two tags, over the MTU */
#define VTAP_BATCH	16	     /* reads, and writes, of one system call */
#define VTAP_IOVS	1024	     /* as many as a system call takes: UIO_MAXIOV */
#define VTAP_KEPT	(VTAP_BATCH * 33)
/* What pools are sized by, twice: those, and a burst of the longest frames on their way up. */
#define VTAP_RXD ((VTAP_KEPT + PLX_PORT_BURST * 33) / 2)

/** What --port says. */
struct vtap_spec {
	char iface[IFNAMSIZ];
	char netns[64];
	struct plx_mac mac;
	uint16_t queues, mtu;
	int persist; /**< -1: nothing was said */
	bool lro, tso, uso, uring;
};

/** A read: its header, and mbufs that take the longest frame. */
struct vtap_slot {
	struct virtio_net_hdr hdr;
	uint16_t missing;    /**< of its mbufs, from the first on: a packet took them along */
	struct rte_mbuf **m; /**< vtap_rxq.segs of them */
	struct iovec *iov;   /**< the header and those */
};

/** Counted by a receiving lcore; they outlive a close. */
struct vtap_rx_count {
	uint64_t bytes;
	uint64_t calls;	  /**< system calls */
	uint64_t super;	  /**< mbufs that were several packets */
	uint64_t partial; /**< packets without a checksum */
	uint64_t errors;  /**< reads that failed */
	uint64_t no_mbuf; /**< times that the pool had none for the next read */
};

/** Counted by a sending lcore. */
struct vtap_tx_count {
	uint64_t bytes;
	uint64_t calls;
	uint64_t super;	  /**< mbufs that were several packets */
	uint64_t dropped; /**< too long, of a form that we cannot send, or the kernel refused it */
	uint64_t again;	  /**< times that the kernel had no room */
};

/** The receiving side of a queue. */
struct vtap_rxq {
	int fd;
	bool eth;
	bool gone;	  /**< the interface was taken away: nothing will come any more */
	uint16_t segs;	  /**< mbufs of a slot */
	uint16_t n_slots; /**< 1 without io_uring */
	uint16_t batch;	  /**< reads at a time, as many as lately brought something */
	struct vtap_slot *slot;
	struct rte_mempool *pool;
	struct vtap_uring *uring; /**< NULL: readv() */
	int epfd;		  /**< watches fd; -1: nobody sleeps on it */
	struct vtap_rx_count count;
} PLX_ALIGNED;

/** What is to be written where the mbuf has something else: two bytes at an even place. */
struct vtap_patch {
	uint16_t at; /**< 0: nothing */
	uint16_t value;
};

/** A write. */
struct vtap_write {
	struct virtio_net_hdr hdr;
	struct vtap_patch patch;
	struct iovec *iov;
	uint16_t n_iov;
};

/** The sending side of a queue. */
struct vtap_txq {
	int fd;
	struct vtap_uring *uring; /**< NULL: writev() */
	struct vtap_write write[VTAP_BATCH];
	struct iovec *iov; /**< VTAP_IOVS, shared out among those */
	struct vtap_tx_count count;
} PLX_ALIGNED;

/** What p->priv points to. */
struct vtap {
	struct vtap_rxq rxq[PLX_PORT_QUEUES_MAX];
	struct vtap_txq txq[PLX_PORT_QUEUES_MAX];
	struct vtap_spec spec;
	bool eth;
	bool knows_uso;		     /**< the kernel does */
	uint16_t n;		     /**< queues that are open */
	int fd[PLX_PORT_QUEUES_MAX]; /**< of /dev/net/tun */
	int ctl;		     /**< a socket in the namespace of the interface, for ioctl() */
	char iface[IFNAMSIZ];	     /**< as the kernel calls it */
};

/* spec.c */
/** Fill *s, which has the defaults. @return NULL, or what is wrong. */
const char *vtap__spec(struct vtap_spec *s, const char *args);

/* hdr.c */
/**
 * What came, by its header: flags of m, its number of wire packets; completes a checksum that
 * nobody else would. @return PLX_DROP_NONE or RX_OFFLOAD.
 */
enum plx_drop vtap__hdr_in(struct rte_mbuf *m, const struct virtio_net_hdr *h, bool eth);
/** The header for what is sent. @return PLX_DROP_NONE, TX_ERROR or TX_NO_OFFLOAD. */
enum plx_drop vtap__hdr_out(
	const struct rte_mbuf *m, struct virtio_net_hdr *h, struct vtap_patch *patch);

/* rx.c */
/** @param uring NULL or a ring of its own, which is the queue's from here on. */
int vtap__rxq_start(struct vtap_rxq *r, int fd, bool eth, struct rte_mempool *pool, uint16_t kept,
	struct vtap_uring *uring, int socket);
void vtap__rxq_stop(struct vtap_rxq *r);
uint16_t vtap__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);

/* tx.c */
int vtap__txq_start(struct vtap_txq *t, int fd, struct vtap_uring *uring, int socket);
void vtap__txq_stop(struct vtap_txq *t);
uint16_t vtap__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);

/* uring.c */
/** A ring for the reads, or the writes, of fd. @return NULL: not built in, or not allowed. */
struct vtap_uring *vtap__uring_new(int fd);
void vtap__uring_free(struct vtap_uring *u);
/** One more for the next run, number i of it. iov stays until then. */
void vtap__uring_read(struct vtap_uring *u, unsigned int i, const struct iovec *iov, unsigned n);
void vtap__uring_write(struct vtap_uring *u, unsigned int i, const struct iovec *iov, unsigned n);
/**
 * Do all n, in their order, none of which waits: res[i] is as a system call's in the kernel, bytes
 * or -errno. @return 0; or -errno: those with -ECANCELED were not done, and the ring is of no use
 * any more: vtap__uring_free().
 */
int vtap__uring_run(struct vtap_uring *u, unsigned int n, int *res);

/* attach.c */
/** Open n queues: v->fd, v->ctl, v->iface, the interface up. Unwinds whole. */
int vtap__attach(struct plx_port *p, uint16_t n, struct plx_error *e);
void vtap__detach(struct vtap *v);
int vtap__set_features(struct plx_port *p, uint32_t features);

/* control.c */
int vtap__set_mtu(struct plx_port *p, uint16_t mtu);
int vtap__set_link(struct plx_port *p, bool up);
void vtap__link(struct plx_port *p, struct plx_link *link);
void vtap__stats(struct plx_port *p, struct plx_port_stats *s);
int vtap__xstats(struct plx_port *p, char (*names)[64], uint64_t *values, int max);
int vtap__rx_intr(struct plx_rxq *q, int epfd, bool add);
int vtap__rx_intr_arm(struct plx_rxq *q, bool arm);
