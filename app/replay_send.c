/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay_send.h"

#include <errno.h>

#define WAIT_LINK PLX_MS(5)
#define LINGER	  PLX_MS(50) /* for what a NIC's ring or a port that delays still holds */
#define ETH_BYTES 14u
#define TAG_BYTES 4u /* ports count a VLAN tag beside the MTU */

/* Some drivers would take it, and some refuse it for ever, or read a header that is not there. */
static enum plx_drop unfit(const struct replay_send *r, const struct replay_pkt *p)
{
	bool ip = plx_port_features(r->port) & PLX_PORT_F_NO_ETH;
	uint32_t mtu = __atomic_load_n(&r->port->mtu, __ATOMIC_RELAXED);

	if (p->bytes < (ip ? 1u : ETH_BYTES))
		return PLX_DROP_ETH_SHORT;
	return p->bytes > mtu + (ip ? 0 : ETH_BYTES + TAG_BYTES) ? PLX_DROP_TX_TOO_LONG
								 : PLX_DROP_NONE;
}

/* A chain if one buffer does not hold it. @return NULL: no buffers. */
static struct rte_mbuf *make(struct plx_softnet *sn, const uint8_t *data, uint32_t bytes)
{
	struct rte_mbuf *head = plx_softnet_alloc(sn), *m = head;
	uint32_t at = 0, n;

	while (m) {
		n = PLX_MIN(bytes - at, rte_pktmbuf_tailroom(m));
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), data + at, n);
		if (m != head)
			rte_pktmbuf_chain(head, m);
		at += n;
		if (at == bytes)
			return head;
		m = plx_softnet_alloc(sn);
	}
	rte_pktmbuf_free(head);
	return NULL;
}

/* What one buffer holds of it has to do. @return false: no buffer. */
static bool refuse(struct replay_send *r, struct plx_softnet *sn, const struct replay_pkt *p,
	enum plx_drop why)
{
	struct rte_mbuf *m = plx_softnet_alloc(sn);

	if (!m)
		return false;
	rte_pktmbuf_append(m, (uint16_t)PLX_MIN(p->bytes, rte_pktmbuf_tailroom(m)));
	memcpy(rte_pktmbuf_mtod(m, void *), p->data, m->data_len);
	plx_pkt_originate(1);
	plx_txq_drop(r->q, m, why);
	return true;
}

static void advance(struct replay_send *r)
{
	r->next = replay_next(r->store, r->next);
	if (r->next)
		return;
	plx_count(r->round, 1);
	if (r->rounds && r->round == r->rounds)
		return;
	r->next = replay_first(r->store);
	r->round_ns = replay_round_ns(r->pace, r->round);
}

static plx_ns due_ns(const struct replay_send *r)
{
	return r->start_ns + r->round_ns + r->next->at_ns;
}

/* Packets that are due. @param seen those that were looked at, refused ones too. @return how many.
 */
static uint16_t take(struct replay_send *r, struct plx_softnet *sn, plx_ns now,
	struct rte_mbuf **pkts, uint16_t *seen)
{
	bool flat = r->pace->mode == REPLAY_FLAT;
	uint16_t n = 0;

	for (*seen = 0; r->next && *seen < r->burst; ++*seen) {
		const struct replay_pkt *p = r->next;
		enum plx_drop why;

		if (!flat && due_ns(r) > now)
			break;
		why = unfit(r, p);
		if (why) {
			if (!refuse(r, sn, p, why))
				break;
			advance(r);
			continue;
		}
		pkts[n] = make(sn, p->data, p->bytes);
		if (!pkts[n])
			break;
		r->given[n].due_ns = due_ns(r);
		r->given[n++].bytes = p->bytes;
		advance(r);
	}
	return n;
}

/*
 * What has left the queue of the burst that was given to it: in order, and what was dropped of it,
 * as when the link is lost, behind what was sent. So many were sent as the lcore's account says,
 * in which nobody else sends: a driver takes back there what it took and lost, at once or later.
 */
static void settle(struct replay_send *r, plx_ns now)
{
	uint64_t total = plx_acct_self()->tx_pkts - r->was_sent;
	uint64_t sent = total > r->sent ? total - r->sent : 0;
	uint16_t left = (uint16_t)plx_txq_len(r->q), gone = (uint16_t)(r->n_given - left);
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < gone && i < sent; i++) {
		bytes += r->given[i].bytes;
		if (r->pace->mode != REPLAY_FLAT)
			hist_record(&r->late, (uint64_t)PLX_MAX(now - r->given[i].due_ns, 0));
	}
	memmove(r->given, r->given + gone, left * sizeof(r->given[0]));
	r->n_given = left;
	__atomic_store_n(&r->sent, total, __ATOMIC_RELAXED);
	if (!sent)
		return;
	__atomic_store_n(&r->last_ns, (uint64_t)(now - r->start_ns), __ATOMIC_RELAXED);
	plx_count(r->bytes, bytes);
}

/* @return may packets go? */
static bool started(struct replay_send *r, const struct plx_softnet *sn)
{
	if (r->started)
		return true;
	if (!__atomic_load_n(&r->go, __ATOMIC_ACQUIRE) || !plx_count_read(r->q->limit))
		return false;
	r->start_ns = plx_engine_now(sn->eng);
	r->was_sent = plx_acct_self()->tx_pkts;
	r->next = replay_first(r->store);
	return r->started = true;
}

/* All that there was has left the queue: when the port had time for it, the run is over. */
static void linger(struct replay_send *r, plx_ns now)
{
	if (!r->lingers)
		r->over_ns = now + LINGER;
	r->lingers = true;
	if (now < r->over_ns)
		return;
	r->told = true;
	r->over(r->arg);
}

static uint32_t work(struct plx_softnet *sn, void *arg)
{
	struct rte_mbuf *pkts[PLX_PORT_BURST];
	struct replay_send *r = arg;
	uint16_t n, seen;
	plx_ns now;

	if (r->told || !started(r, sn))
		return 0;
	now = plx_engine_now(sn->eng);
	if (r->n_given || r->lingers)
		settle(r, now);
	if (r->n_given)
		return 0;
	n = take(r, sn, now, pkts, &seen);
	if (n) {
		r->n_given = n;
		if (!r->sent)
			__atomic_store_n(
				&r->first_ns, (uint64_t)(now - r->start_ns), __ATOMIC_RELAXED);
		plx_pkt_originate(n);
		plx_softnet_tx_burst(sn, r->port->id, pkts, n);
		now = plx_engine_now(sn->eng);
		settle(r, now);
	}
	if (!r->next && !r->n_given)
		linger(r, now);
	return seen;
}

static plx_ns deadline(struct plx_softnet *sn, void *arg)
{
	const struct replay_send *r = arg;

	if (!r->started)
		return sn->now_ns + WAIT_LINK;
	if (r->told)
		return PLX_NEVER;
	if (r->lingers)
		return r->over_ns;
	if (r->n_given)
		return sn->now_ns;
	return r->pace->mode == REPLAY_FLAT ? sn->now_ns : due_ns(r);
}

int replay_send_add(struct replay_send *r, struct plx_engine *eng)
{
	r->poller = (struct plx_poller){.run = work, .deadline = deadline, .arg = r};
	for (uint16_t i = 0; i < plx_engine_lcores(eng); i++) {
		struct plx_softnet *sn = plx_engine_softnet(eng, i);

		r->q = sn->txq[r->port->id];
		if (!r->q)
			continue;
		plx_softnet_add_poller(sn, &r->poller);
		return 0;
	}
	return -ENODEV;
}

void replay_send_go(struct replay_send *r)
{
	__atomic_store_n(&r->go, true, __ATOMIC_RELEASE);
}
