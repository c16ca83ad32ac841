/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Where a flow goes in a running process, by the tables that it tells: what each port's device does
 * with it, for whom it is, and who decides. Lcores by EAL's numbers.
 */
#include <plx_wire_ip.h>

#include "steer.h"

#define LIVE_PORTS  32
#define LIVE_LCORES 64
#define LIVE_NONE   (-1) /**< no lcore, or the tables do not say which */

/** What the process tells; rows as in doc/guide/telemetry.md. */
struct live_tables {
	json_t *rss, *indir, *steer, *flows, *limit, *rps, *addr, *socks, *balance;
};

/** For whom a packet is. */
enum live_to {
	LIVE_TO_US,
	LIVE_TO_MANY, /**< a group, or everybody on the link */
	LIVE_TO_FORWARD,
	LIVE_TO_NOBODY, /**< another host's, and it is not forwarded */
};

/** What decides where it is handled. */
enum live_by {
	LIVE_BY_QUEUE,	    /**< the lcore that polls its queue keeps it */
	LIVE_BY_OWNER,	    /**< the owner map */
	LIVE_BY_CONNECTION, /**< it lives on another lcore than its flow's */
	LIVE_BY_SOCKET,	    /**< the lcore of a UDP socket */
	LIVE_BY_MEMBERS,    /**< a copy for each lcore that listens */
	LIVE_BY_RPS,	    /**< the map of its queue; of what is forwarded */
	LIVE_BY_FLOW,	    /**< it has an lcore of its own, whatever its bucket's */
};

/** A port that it may come in by. */
struct live_port {
	const json_t *row;
	bool known;		    /**< the device says how it spreads: e is filled */
	struct plx_steer_explain e; /**< by the device's own key and table */
	int lcore;		    /**< that polls its queue; LIVE_NONE: not known */
	int rule;    /**< the queue of a rule for this flow alone; LIVE_NONE: there is none */
	bool spread; /**< a queue that it may come by has an RPS map */
	int rps;     /**< the lcore that follows from the maps; LIVE_NONE: not known */
};

/** An lcore that limits what it hands over to where the flow is handled. */
struct live_limit {
	int lcore;
	struct plx_steer_explain e;
	uint32_t buckets, waiting, max_backlog;
};

struct live {
	struct plx_tuple t;
	struct plx_rss rss;	    /**< by the process's key */
	struct plx_steer_explain e; /**< by that, and its owner map */
	uint16_t buckets;	    /**< of the owner map */
	enum live_to to;
	struct live_port port[LIVE_PORTS];
	unsigned int n_ports, lcores;
	int owner;	    /**< by the owner map */
	int flow;	    /**< by the entry of this flow alone; LIVE_NONE: it has none */
	const json_t *sock; /**< of the connection, the listener or the UDP socket; NULL = none */
	int sock_lcore;	    /**< LIVE_NONE: a listener, or one of several sockets */
	struct live_limit limit[LIVE_LCORES];
	unsigned int n_limits;
	enum live_by by;
	int lcore;
};

/** By what a port's device spreads: from its row of the table rss, and the table indir.
 * @return false: it does not say, or that cannot be. */
bool live_rss(struct plx_rss *rss, struct plx_reta *reta, const json_t *indir, const json_t *port);
/** Reckon where a packet of l->t goes. @return false when the tables are not what they should be.
 */
bool live_reckon(struct live *l, const struct live_tables *t);
/** In words, and as JSON, one line. */
void live_print(FILE *out, const struct live *l);
void live_print_json(FILE *out, const struct live *l);
