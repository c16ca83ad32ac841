/* SPDX-License-Identifier: BSD-3-Clause */
#include "loan.h"

#include <errno.h>

/*
 * Loans: their records are of the memory for what waits to be sent, TCP's, whose owner alone gives
 * it out and takes it back. So an ended loan goes home by a message, even to its own lcore: who let
 * go of the last share may be deep in a driver, and the program be told there.
 */

/* Its lcore; behind the end of the run the main thread. */
static void home(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct net_loan *l = plx_container_of(msg, struct net_loan, msg);
	bool copied = __atomic_load_n(&l->pkt.copied, __ATOMIC_RELAXED);
	struct plx_net_done done = l->done;

	rte_pktmbuf_free(l->m);
	plx_arena_free(&net__self(sn)->tcp->arena, l, sizeof(*l));
	if (done.fn)
		done.fn(sn, &done, copied);
}

static void over(struct plx_pkt_loan *pkt)
{
	struct net_loan *l = plx_container_of(pkt, struct net_loan, pkt);

	if (!plx_softnet_try_post(l->sn, &l->msg))
		home(l->sn, &l->msg); /* nobody runs any more */
}

struct net_loan *net__loan_new(struct net_lcore *nl, const struct plx_net_done *done)
{
	struct net_loan *l;

	if (net__tcp_mem(nl) != 0)
		return NULL;
	l = plx_arena_alloc(&nl->tcp->arena, sizeof(*l));
	if (!l)
		return NULL;
	*l = (struct net_loan){.sn = nl->sn, .charge = sizeof(*l), .msg.fn = home};
	if (done)
		l->done = *done;
	plx_pkt_loan_init(&l->pkt, over);
	return l;
}

void net__loan_cancel(struct net_loan *l)
{
	l->done.fn = NULL;
	l->m = NULL;
	plx_pkt_loan_put(&l->pkt);
}

uint32_t net__loan_charge(const struct rte_mbuf *m)
{
	uint32_t n = 0;

	for (; m; m = m->next)
		n += m->buf_len + (uint32_t)sizeof(*m);
	return n;
}

bool net__loan_sane(const struct rte_mbuf *m)
{
	uint32_t bytes = 0, segs = 0;

	for (const struct rte_mbuf *s = m; s; s = s->next) {
		if ((uint32_t)s->data_off + s->data_len > s->buf_len)
			return false;
		bytes += s->data_len;
		segs++;
	}
	return bytes == m->pkt_len && segs == m->nb_segs;
}

/* ---- datagrams ---- */

struct rte_mbuf *plx_net_lend(struct plx_softnet *sn, const void *p, rte_iova_t iova, uint16_t n,
	const struct plx_net_done *done)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(sn->clones);
	struct net_loan *l = m ? net__loan_new(net__self(sn), done) : NULL;

	if (!l) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	plx_pkt_loan_attach(&l->pkt, m, p, iova, n);
	plx_pkt_loan_put(&l->pkt);
	return m;
}

void plx_net_unlend(struct rte_mbuf *m)
{
	for (const struct rte_mbuf *s = m; s; s = s->next) {
		struct plx_pkt_loan *l = plx_pkt_loan_in(s);

		if (l)
			plx_container_of(l, struct net_loan, pkt)->done.fn = NULL;
	}
	rte_pktmbuf_free(m);
}

/* A chain that carries what m does. @return NULL: no memory. */
static struct rte_mbuf *carry(struct net_lcore *nl, struct net_loan *l, const struct rte_mbuf *m)
{
	struct rte_mbuf *head = NULL, **at = &head;
	uint16_t segs = 0;

	for (; m; m = m->next) {
		if (!m->data_len && (m->next || head))
			continue;
		*at = rte_pktmbuf_alloc(nl->sn->clones);
		if (!*at) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		plx_pkt_loan_attach(&l->pkt, *at, rte_pktmbuf_mtod(m, const void *),
			rte_pktmbuf_iova(m), m->data_len);
		if (segs++)
			head->pkt_len += m->data_len;
		at = &(*at)->next;
	}
	head->nb_segs = segs;
	return head;
}

/* Nobody else has any of it, so headers may go in front of it where it is. */
static bool is_ours(const struct rte_mbuf *m)
{
	for (; m; m = m->next)
		if (rte_mbuf_refcnt_read(m) != 1)
			return false;
	return true;
}

/* What it says of how it came is not for those who send it. */
static void forget(struct rte_mbuf *m)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = 0;
	m->packet_type = 0;
	*plx_pkt_meta(m) = (struct plx_pkt_meta){0};
}

static struct rte_mbuf *copy(struct net_lcore *nl, struct net_loan *l, const struct rte_mbuf *m)
{
	struct rte_mbuf *c = rte_pktmbuf_copy(m, nl->sn->pool, 0, UINT32_MAX);

	if (c)
		forget(c);
	l->pkt.copied = true;
	return c;
}

/* What was lost is gone; only what was refused with a reason to tell is still there. */
static int refused(enum plx_drop drop)
{
	return drop == PLX_DROP_NO_MBUF ? 0 : -plx_net_errno(drop);
}

static int send_loan(struct net_lcore *nl, struct rte_mbuf *m, const struct plx_net_udp_msg *msg,
	const struct plx_net_done *done)
{
	struct net_loan *l = net__loan_new(nl, done);
	struct rte_mbuf *pkt = NULL;
	enum plx_drop drop;
	int err;

	if (l)
		pkt = m->nb_segs > NET_LOAN_PIECES ? copy(nl, l, m) : carry(nl, l, m);
	if (!pkt) {
		if (l)
			net__loan_cancel(l);
		return -ENOBUFS;
	}
	drop = plx_net_udp_send(nl->sn, pkt, msg);
	err = refused(drop);
	if (drop != PLX_DROP_NONE && drop != PLX_DROP_NO_MBUF)
		rte_pktmbuf_free(pkt);
	if (err) {
		net__loan_cancel(l);
		return err;
	}
	l->m = m;
	plx_pkt_loan_put(&l->pkt);
	return 0;
}

int plx_net_udp_send_lent(struct plx_softnet *sn, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg, const struct plx_net_done *done)
{
	struct plx_net_udp_msg how = *msg;
	enum plx_drop drop;
	int err;

	if (!net__loan_sane(m))
		return -EINVAL;
	how.keep = true;
	if ((done && done->fn) || m->nb_segs > NET_LOAN_PIECES || !is_ours(m))
		return send_loan(net__self(sn), m, &how, done);
	forget(m);
	drop = plx_net_udp_send(sn, m, &how);
	err = refused(drop);
	if (!err && drop != PLX_DROP_NONE && drop != PLX_DROP_NO_MBUF)
		rte_pktmbuf_free(m);
	return err;
}
