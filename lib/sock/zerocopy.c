/* SPDX-License-Identifier: BSD-3-Clause */
#include "errq.h"

#include <stdlib.h>

#include <rte_memory.h>

/*
 * MSG_ZEROCOPY, after Linux's net/core/skbuff.c (msg_zerocopy_realloc(),
 * __msg_zerocopy_callback()). Memory can be lent if it is DPDK's, so that devices can read it;
 * other is copied, and the notification says so.
 */

#define PIECES_MAX 7u /* of a datagram: plx_net_lend.h's packets have no more */

static struct sock_zc_call *call_of(struct sock_zc *zc, uint32_t id)
{
	return &zc->call[id % SOCK_ZC_CALLS];
}

/* ---- the end of a call ---- */

/* skb_zerocopy_notify_extend(); but what was copied is told apart. */
static bool joins(const struct sock_derr *last, const struct sock_derr *e)
{
	return last->ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY && last->ee.ee_code == e->ee.ee_code &&
	       last->ee.ee_data + 1 == e->ee.ee_info;
}

static void notify(struct sock_zc *zc, struct sock_derr *e)
{
	struct plx_fifo *q = sock__errs(zc->f);
	struct sock_derr *last = plx_fifo_empty(q) ? NULL : (struct sock_derr *)q->tail;

	if (last && joins(last, e)) {
		last->ee.ee_data = e->ee.ee_data;
		sock__free(zc->sl, e, sizeof(*e));
	} else {
		plx_fifo_push(q, &e->node);
		zc->queued++;
	}
	sock__wake(zc->sl, zc->f, EPOLLERR);
}

static void over(struct sock_zc *zc, uint32_t id)
{
	struct sock_zc_call *k = call_of(zc, id);
	struct sock_derr *e = k->told;

	k->told = NULL;
	zc->out--;
	if (zc->f) {
		e->real_ns = sock__real_ns();
		e->ee = (struct sock_extended_err){
			.ee_origin = SO_EE_ORIGIN_ZEROCOPY, .ee_info = id, .ee_data = id};
		if (k->copied)
			e->ee.ee_code = SO_EE_CODE_ZEROCOPY_COPIED;
		notify(zc, e);
	} else if (!zc->out) {
		free(zc);
	}
}

static void put(struct sock_zc *zc, uint32_t id)
{
	if (--call_of(zc, id)->refs == 0)
		over(zc, id);
}

static void on_free(struct plx_softnet *sn, const struct plx_net_done *d, bool copied)
{
	struct sock_zc *zc = d->arg;

	call_of(zc, (uint32_t)d->id)->copied |= copied;
	put(zc, (uint32_t)d->id);
}

/* ---- a call ---- */

static struct sock_zc *of(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_cold *cold = sock__cold(sl, f);

	if (!cold)
		return NULL;
	if (!cold->zc) {
		cold->zc = calloc(1, sizeof(*cold->zc));
		if (!cold->zc)
			return NULL;
		cold->zc->sl = sl;
		cold->zc->f = f;
	}
	return cold->zc;
}

int sock__zc_begin(struct sock_lcore *sl, struct sock_file *f, struct sock_op *op)
{
	struct sock_zc *zc = of(sl, f);
	struct sock_zc_call *k;

	if (!zc || zc->out + zc->queued >= SOCK_ZC_CALLS || call_of(zc, zc->next)->refs)
		return -ENOBUFS;
	k = call_of(zc, zc->next);
	*k = (struct sock_zc_call){.told = sock__alloc(sl, sizeof(*k->told)), .refs = 1};
	if (!k->told) {
		k->refs = 0;
		return -ENOBUFS;
	}
	zc->out++;
	op->zc = zc;
	op->zc_id = zc->next++;
	return 0;
}

/* msg_zerocopy_put_abort(): if calls have come after it, it keeps its number, and is told. */
static bool abort_call(struct sock_zc *zc, uint32_t id)
{
	struct sock_zc_call *k = call_of(zc, id);

	if (!zc->f || id + 1 != zc->next || k->refs != 1)
		return false;
	sock__free(zc->sl, k->told, sizeof(*k->told));
	*k = (struct sock_zc_call){0};
	zc->out--;
	zc->next--;
	return true;
}

void sock__zc_end(struct sock_op *op, bool sent)
{
	struct sock_zc *zc = op->zc;

	op->zc = NULL;
	if (sent || !abort_call(zc, op->zc_id))
		put(zc, op->zc_id);
}

void sock__zc_close(struct sock_zc *zc)
{
	if (!zc)
		return;
	for (uint32_t i = 0; i < SOCK_ZC_CALLS; i++)
		sock__free(zc->sl, zc->call[i].told, sizeof(*zc->call[i].told));
	while (!plx_fifo_empty(&zc->q))
		sock__free(zc->sl, plx_fifo_pop(&zc->q), sizeof(struct sock_derr));
	zc->f = NULL;
	if (!zc->out)
		free(zc);
}

void sock__zc_read(struct sock_file *f)
{
	f->cold->zc->queued--;
}

/* ---- memory ---- */

/* How many of n bytes at p devices find in a row at *iova. 0: it is not DPDK's, or they cannot. */
static uint32_t extent(const void *p, uint32_t n, rte_iova_t *iova)
{
	const uint8_t *at = p, *end = at + n;

	while (at < end) {
		const struct rte_memseg *ms = rte_mem_virt2memseg(at, NULL);
		rte_iova_t here;

		if (!ms || ms->iova == RTE_BAD_IOVA)
			break;
		here = ms->iova + (rte_iova_t)(at - (const uint8_t *)ms->addr);
		if (at == (const uint8_t *)p)
			*iova = here;
		else if (here != *iova + (rte_iova_t)(at - (const uint8_t *)p))
			break;
		at = (const uint8_t *)ms->addr + ms->len;
	}
	return at < end ? (uint32_t)(at - (const uint8_t *)p) : n;
}

static struct plx_net_done done_of(const struct sock_op *op)
{
	return (struct plx_net_done){.fn = on_free, .arg = op->zc, .id = op->zc_id};
}

static uint32_t copy(struct sock_lcore *sl, struct plx_net_tcp *c, const struct sock_op *op,
	const void *p, uint32_t n, bool more)
{
	sock__zc_copied(op);
	return more ? plx_net_tcp_write_more(sl->sn, c, p, n) : plx_net_tcp_write(sl->sn, c, p, n);
}

uint32_t sock__zc_write(struct sock_lcore *sl, struct plx_net_tcp *c, const struct sock_op *op,
	const void *p, uint32_t n, bool more)
{
	const struct plx_net_done done = done_of(op);
	uint32_t put = 0, part, got;

	do {
		const uint8_t *at = (const uint8_t *)p + put;
		rte_iova_t iova = RTE_BAD_IOVA;

		part = PLX_MIN(extent(at, n - put, &iova), PLX_NET_LEND_BYTES);
		if (!part)
			return put + copy(sl, c, op, at, n - put, more);
		got = plx_net_tcp_lend(sl->sn, c, at, iova, part, more || part < n - put, &done);
		if (got)
			call_of(op->zc, op->zc_id)->refs++;
		put += got;
	} while (got == part && put < n);
	return put;
}

/* Lend n bytes at p, behind *at. @return false: not possible. */
static bool lend(struct sock_lcore *sl, const struct sock_op *op, const uint8_t *p, size_t n,
	struct rte_mbuf **head, struct rte_mbuf **last)
{
	const struct plx_net_done done = done_of(op);

	while (n) {
		rte_iova_t iova = RTE_BAD_IOVA;
		uint32_t part = extent(p, (uint32_t)PLX_MIN(n, (size_t)UINT16_MAX), &iova);
		struct rte_mbuf *m = NULL;

		if (part && (!*head || (*head)->nb_segs < PIECES_MAX))
			m = plx_net_lend(sl->sn, p, iova, (uint16_t)part, &done);
		if (!m)
			return false;
		if (*head) {
			(*last)->next = m;
			(*head)->nb_segs++;
			(*head)->pkt_len += part;
		} else {
			*head = m;
		}
		*last = m;
		p += part;
		n -= part;
	}
	return true;
}

struct rte_mbuf *sock__zc_datagram(struct sock_lcore *sl, const struct sock_op *op)
{
	struct sock_iov it = sock__iov_at(op->send, 0);
	struct rte_mbuf *head = NULL, *last = NULL;
	size_t n;
	void *p;

	while (sock__iov_next(&it, &p, &n)) {
		if (lend(sl, op, p, n, &head, &last))
			continue;
		if (head)
			plx_net_unlend(head);
		return NULL;
	}
	if (head)
		call_of(op->zc, op->zc_id)->refs += head->nb_segs;
	return head;
}

void sock__zc_refused(const struct sock_op *op, struct rte_mbuf *m)
{
	call_of(op->zc, op->zc_id)->refs -= m->nb_segs;
	plx_net_unlend(m);
}
