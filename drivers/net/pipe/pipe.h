/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <rte_epoll.h>

#include <plx_base_list.h>
#include <plx_base_ring.h>

#include "plx_net_pipe.h"

#define PIPE_RULES 256 /* for single flows; a power of two */

/** The receiving side of a queue. */
struct pipe_rxq {
	struct plx_ring *ring[PLX_PORT_QUEUES_MAX]; /**< by the peer's tx queue */
	uint16_t next;				    /**< ring to look at first */
	int fd;					    /**< eventfd, -1 = no interrupts */
	bool armed;				    /**< its lcore may sleep: write to fd */
	struct rte_epoll_event event;
} PLX_ALIGNED;

/** The sending side of a queue. Counters are its lcore's. */
struct pipe_txq {
	uint64_t bytes;
	uint64_t dropped; /**< by this end: no carrier, too long, impossible checksum */
	uint64_t giants;  /**< too long for the peer */
	uint64_t missed;  /**< the peer's queue was full */
} PLX_ALIGNED;

/** What p->priv points to. */
struct pipe_end {
	struct pipe_rxq rxq[PLX_PORT_QUEUES_MAX];
	struct pipe_txq txq[PLX_PORT_QUEUES_MAX];
	struct plx_toeplitz keys[2];	/**< one in use, one to write the next key in */
	const struct plx_toeplitz *key; /**< read by the peer's lcores */
	struct plx_reta reta;		/**< the same */
	/** [low bits of the hash]: the hash, the queue + 1 below it; 0: none. The same. */
	uint64_t rule[PIPE_RULES];
	bool has_rules;	       /**< the same */
	struct plx_list rules; /**< struct pipe_rule */
	struct plx_port *port;
	struct pipe_end *peer; /**< NULL once that is gone */
	uint16_t queues;       /**< rings are there for so many on each side */
	uint16_t depth;
	uint16_t spread; /**< rx queues in use; 1 = no hashing */
	bool up;	 /**< open and set up; the other half of the carrier */
	bool drop_when_full;
	uint8_t lie; /**< enum pipe_lie: what its RSS does that it does not say */
};

/** lie=: for tests of who has to do with devices that do not do as they say. */
enum pipe_lie {
	PIPE_HONEST,
	PIPE_LIE_HASH,	/**< the hash is another one than that by its key */
	PIPE_LIE_QUEUE, /**< the queue is another one than that of its table */
	PIPE_LIE_MUTE,	/**< packets come without their hash */
	PIPE_LIE_TABLE, /**< a table is taken, and another one kept */
};

/** Frames with an Ethernet header and two tags fit the MTU. */
#define PIPE_LINK_BYTES 22

/* burst.c */
uint16_t pipe__rx_burst(struct plx_rxq *q, struct rte_mbuf **pkts, uint16_t n);
uint16_t pipe__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n);

/* ntuple.c */
int pipe__ntuple_add(struct plx_port *p, const struct plx_tuple *flow, uint16_t queue, void **rule);
void pipe__ntuple_del(struct plx_port *p, void *rule);
/** For the peer's lcores. @return the queue of a hash, -1: no rule is for it. */
int pipe__rule_find(const struct pipe_end *e, uint32_t hash);
/** The list or the key has changed. */
void pipe__rules_build(struct pipe_end *e);
void pipe__rules_drop(struct pipe_end *e);

/* control.c */
int pipe__set_link(struct plx_port *p, bool up);
void pipe__link(struct plx_port *p, struct plx_link *link);
void pipe__stats(struct plx_port *p, struct plx_port_stats *s);
int pipe__rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t key_bytes, const struct plx_reta *reta);
int pipe__rss_get(struct plx_port *p, uint8_t *key, uint16_t *key_bytes, struct plx_reta *reta);
int pipe__rss_types(struct plx_port *p, uint32_t types);
int pipe__rx_intr(struct plx_rxq *q, int epfd, bool add);
int pipe__rx_intr_arm(struct plx_rxq *q, bool arm);
bool pipe__carrier(const struct pipe_end *e);
void pipe__wake(struct pipe_rxq *r);
