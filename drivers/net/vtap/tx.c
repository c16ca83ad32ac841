/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <errno.h>

#include <rte_malloc.h>

static_assert(VTAP_BATCH <= PLX_PORT_BURST, "a batch is a part of a burst");

static bool too_long(const struct rte_mbuf *m, const struct plx_port *p)
{
	uint32_t bytes = m->pkt_len;

	if (m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG))
		bytes = PLX_MIN(bytes, (uint32_t)m->l2_len + m->l3_len + m->l4_len + m->tso_segsz);
	return bytes > (uint32_t)p->mtu + VTAP_LINK_BYTES;
}

static void add(struct vtap_write *w, void *p, size_t len)
{
	if (len)
		w->iov[w->n_iov++] = (struct iovec){.iov_base = p, .iov_len = len};
}

/* The header, and m but for what is patched: nothing is written to m, which may come again. */
static void gather(struct vtap_write *w, const struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t at = w->patch.at, len = m->data_len;

	w->n_iov = 0;
	add(w, &w->hdr, sizeof(w->hdr));
	if (at) {
		add(w, p, at);
		add(w, &w->patch.value, sizeof(w->patch.value));
		at += (uint32_t)sizeof(w->patch.value);
	}
	add(w, p + at, len - at);
	for (m = m->next; m; m = m->next)
		add(w, rte_pktmbuf_mtod(m, void *), m->data_len);
}

static enum plx_drop prepare(
	struct vtap_write *w, const struct rte_mbuf *m, const struct plx_port *p)
{
	enum plx_drop drop;

	if (plx_unlikely(too_long(m, p)))
		return PLX_DROP_TX_TOO_LONG;
	drop = vtap__hdr_out(m, &w->hdr, &w->patch);
	if (plx_likely(drop == PLX_DROP_NONE))
		gather(w, m);
	return drop;
}

static enum plx_drop reason(int err)
{
	/* the kernel's end is down, or gone */
	return err == EIO || err == EBADFD ? PLX_DROP_TX_DOWN : PLX_DROP_TX_ERROR;
}

static void lose(struct plx_txq *q, struct rte_mbuf *m, enum plx_drop drop)
{
	struct vtap_txq *t = q->priv;

	plx_count(t->count.dropped, plx_pkt_wire(m));
	plx_txq_lost(m, drop);
}

static void sent(struct plx_txq *q, struct rte_mbuf *m)
{
	struct vtap_txq *t = q->priv;

	plx_count(t->count.bytes, m->pkt_len);
	if (plx_unlikely(m->ol_flags & plx_pkt_merged_flag)) {
		plx_count(t->count.super, 1);
		plx_txq_merged(q, m);
	}
	rte_pktmbuf_free(m);
}

/* @return 0 or -errno. */
static int write_one(struct vtap_txq *t, const struct vtap_write *w)
{
	ssize_t n;

	do {
		n = writev(t->fd, w->iov, w->n_iov);
		plx_count(t->count.calls, 1);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* What has become of a write. @return false: the kernel had no room for it. */
static bool settle(struct plx_txq *q, struct rte_mbuf *m, int err)
{
	struct vtap_txq *t = q->priv;

	if (plx_likely(err == 0)) {
		sent(q, m);
	} else if (err == -EAGAIN) {
		plx_count(t->count.again, 1);
		return false;
	} else {
		lose(q, m, reason(-err));
	}
	return true;
}

static uint16_t by_calls(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct vtap_txq *t = q->priv;
	struct vtap_write *w = &t->write[0];
	uint16_t i;

	w->iov = t->iov;
	for (i = 0; i < n; i++) {
		enum plx_drop drop = pkts[i]->nb_segs + 4 > VTAP_IOVS
					     ? PLX_DROP_TX_NO_OFFLOAD
					     : prepare(w, pkts[i], q->port);

		if (plx_unlikely(drop != PLX_DROP_NONE))
			lose(q, pkts[i], drop);
		else if (!settle(q, pkts[i], write_one(t, w)))
			break;
	}
	return i;
}

/* Prepare writes as long as there is room for their iovecs. @return how many of pkts. */
static uint16_t fill_batch(
	struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n, enum plx_drop *drops)
{
	struct vtap_txq *t = q->priv;
	uint32_t used = 0;
	uint16_t i;

	for (i = 0; i < n && used + pkts[i]->nb_segs + 4 <= VTAP_IOVS; i++) {
		struct vtap_write *w = &t->write[i];

		w->iov = t->iov + used;
		drops[i] = prepare(w, pkts[i], q->port);
		if (drops[i] != PLX_DROP_NONE)
			continue;
		used += w->n_iov;
	}
	return i;
}

/*
 * Queues are not bounded by bytes (see attach.c), so that a write is not refused while one behind
 * it is taken. Should it be so all the same, it is lost: its place is taken.
 */
static void run_batch(
	struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n, const enum plx_drop *drops)
{
	struct vtap_txq *t = q->priv;
	int res[VTAP_BATCH];
	unsigned int k = 0;

	for (uint16_t i = 0; i < n; i++)
		if (drops[i] == PLX_DROP_NONE)
			vtap__uring_write(t->uring, k++, t->write[i].iov, t->write[i].n_iov);
	plx_count(t->count.calls, 1);
	if (plx_unlikely(k && vtap__uring_run(t->uring, k, res) != 0)) {
		vtap__uring_free(t->uring);
		t->uring = NULL; /* by a call each from now on */
	}
	k = 0;
	for (uint16_t i = 0; i < n; i++) {
		if (drops[i] != PLX_DROP_NONE)
			lose(q, pkts[i], drops[i]);
		else if (!settle(q, pkts[i], PLX_MIN(res[k], 0)))
			lose(q, pkts[i], PLX_DROP_TX_ERROR);
		k += drops[i] == PLX_DROP_NONE;
	}
}

static uint16_t by_batches(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	const struct vtap_txq *t = q->priv;
	enum plx_drop drops[VTAP_BATCH];
	uint16_t done = 0;

	while (done < n && plx_likely(t->uring)) {
		uint16_t chunk = (uint16_t)PLX_MIN(n - done, VTAP_BATCH);

		chunk = fill_batch(q, pkts + done, chunk, drops);
		if (chunk == 0) { /* more segments than a system call takes */
			lose(q, pkts[done++], PLX_DROP_TX_NO_OFFLOAD);
			continue;
		}
		run_batch(q, pkts + done, chunk, drops);
		done += chunk;
	}
	return done;
}

uint16_t vtap__tx_burst(struct plx_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	const struct vtap_txq *t = q->priv;

	return t->uring && n > 1 ? by_batches(q, pkts, n) : by_calls(q, pkts, n);
}

int vtap__txq_start(struct vtap_txq *t, int fd, struct vtap_uring *uring, int socket)
{
	*t = (struct vtap_txq){
		.fd = fd,
		.uring = uring,
		.iov = plx_pkt_mem_alloc(VTAP_IOVS * sizeof(*t->iov), socket),
		.count = t->count,
	};
	return t->iov ? 0 : -ENOMEM;
}

void vtap__txq_stop(struct vtap_txq *t)
{
	rte_free(t->iov);
	vtap__uring_free(t->uring);
	t->iov = NULL;
	t->uring = NULL;
}
