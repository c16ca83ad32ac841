/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * The probes of traceroute: each has a time to live, and tells who said that it ended.
 *
 * By UDP each has a socket of its own, connected to a port of its own, as traceroute(8) does: what
 * comes is in its error queue (IP_RECVERR). By ICMP they share a raw socket. By TCP they are SYNs
 * from a raw socket, each from a port of its own, and errors come by the one of ICMP: no connection
 * is made, the stack itself resets what was accepted.
 */
#include "prog.h"
#include "trace_tcp.h"

#define TRACE_HOPS_MAX	  64
#define TRACE_QUERIES_MAX 10
#define TRACE_PROBES_MAX  (TRACE_HOPS_MAX * TRACE_QUERIES_MAX)
#define TRACE_FLIGHT	  16  /* probes on their way at a time */
#define TRACE_HDR	  8   /* of UDP, of an echo */
#define TRACE_ECHO	  255 /* trace_probe.type of an echo's answer */

enum trace_kind { TRACE_UDP, TRACE_ICMP, TRACE_TCP };

struct trace_probe {
	struct watch sock; /**< of UDP; fd 0: not open */
	plx_ns sent_ns;	   /**< 0: not yet */
	plx_ns rtt_ns;
	union prog_addr from; /**< port 0 */
	uint32_t info;	      /**< "too big": the MTU */
	uint8_t type, code;   /**< of the ICMP message */
	bool answered, lost;
	bool final; /**< it got to its end */
};

/** The first part is the command's. */
struct trace {
	bool v6;
	uint8_t kind;			   /**< enum trace_kind */
	uint16_t id;			   /**< of echoes */
	uint16_t port;			   /**< of UDP likewise; TCP's is the same for all */
	uint32_t queries, n_probes, bytes; /**< bytes: of a packet */
	plx_ns wait_ns;
	union prog_addr to;
	socklen_t to_len;

	struct watch raw, syns; /**< of ICMP, of TCP */
	struct trace_syn syn;	/**< the first; each other one comes from the next port */
	uint32_t next;		/**< probe to be sent */
	uint32_t flight;	/**< sent, and neither answered nor lost */
	bool reached;
	int err; /**< why it cannot go on: an errno */
	struct trace_probe probe[TRACE_PROBES_MAX];
};

/** Bytes of a probe's headers behind IP's. */
size_t trace_hdr(const struct trace *t);
/** Open what all probes need. On the lcore, as all of these. @return 0 or -errno. */
int trace_begin(struct trace *t, struct prog *p);
/** Send what may be sent, give up what came too late. @return when to call it again. */
plx_ns trace_run(struct trace *t, struct prog *p, plx_ns now);
/** Is it known what became of a probe? */
bool trace_known(const struct trace *t, uint32_t probe);
/** Is there nothing more to be learned? n_probes is cut where the way ends. */
bool trace_over(const struct trace *t);
