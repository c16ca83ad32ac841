/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

/*
 * Who polls a receive queue may change while packets come: the old lcore polls it no more, hands
 * over and sends what it has of it; when all lcores have taken in what it handed over to them, the
 * new one begins. Meanwhile what comes waits in the device.
 */

#define QUEUE_TX_NS PLX_MS(10) /* so long a driver is waited for that takes nothing */
#define QUEUE_OVER  1	       /* queue_move.fate: it is done */
#define QUEUE_LEFT  2	       /* nobody waits for it */

struct queue_move {
	struct plx_engine *eng;
	struct plx_rxq *q;
	struct plx_softnet *from, *to;
	struct plx_msg msg;
	plx_ns since;
	uint32_t left; /* atomic: lcores that have not taken in all yet */
	uint32_t fate; /* atomic: whoever comes second frees it */
	sem_t over;
	struct plx_late_msg late[PLX_ENGINE_LCORES_MAX];
};

static void end(struct queue_move *mv)
{
	sem_post(&mv->over);
	if (__atomic_exchange_n(&mv->fate, QUEUE_OVER, __ATOMIC_ACQ_REL) == QUEUE_LEFT)
		free(mv);
}

static int place_of(const struct plx_softnet *sn, const struct plx_rxq *q)
{
	for (uint16_t i = 0; i < sn->n_rxq; i++)
		if (sn->rxq[i] == q)
			return i;
	return -1;
}

/* ---- on the lcore that gets it ---- */

static void arrive(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct queue_move *mv = plx_container_of(msg, struct queue_move, msg);

	sn->rxq[sn->n_rxq++] = mv->q;
	__atomic_store_n(&mv->q->lcore, sn->lcore, __ATOMIC_RELEASE);
	engine__idle_add(sn, mv->q);
	sn->idle_since_ns = sn->now_ns; /* something may wait there: look before a sleep */
	end(mv);
}

/* ---- on all of them ---- */

static void taken_in(struct plx_softnet *sn, struct plx_late_msg *late)
{
	struct queue_move *mv = plx_container_of(late, struct queue_move, late[sn->index]);

	if (__atomic_sub_fetch(&mv->left, 1, __ATOMIC_ACQ_REL))
		return;
	mv->msg.fn = arrive;
	plx_softnet_post(mv->to, &mv->msg);
}

/* ---- on the lcore that has it ---- */

static void sent(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct queue_move *mv = plx_container_of(msg, struct queue_move, msg);

	if (!plx_softnet_flush(sn) && sn->now_ns < mv->since + QUEUE_TX_NS) {
		plx_softnet_post(sn, msg);
		return;
	}
	mv->left = mv->eng->n;
	for (uint16_t i = 0; i < mv->eng->n; i++) {
		mv->late[i].fn = taken_in;
		plx_softnet_post_late(mv->eng->sn[i], &mv->late[i]);
	}
}

static void leave(struct plx_softnet *sn, struct plx_msg *msg)
{
	struct queue_move *mv = plx_container_of(msg, struct queue_move, msg);
	int at = place_of(sn, mv->q);

	if (at < 0 || mv->to->n_rxq == PLX_ENGINE_RXQ_MAX ||
		__atomic_load_n(&mv->eng->stop, __ATOMIC_RELAXED)) {
		end(mv);
		return;
	}
	engine__gro_release(sn, mv->q);
	engine__idle_del(sn, mv->q);
	sn->n_rxq--;
	for (uint16_t i = (uint16_t)at; i < sn->n_rxq; i++)
		sn->rxq[i] = sn->rxq[i + 1];
	if (sn->first >= sn->n_rxq)
		sn->first = 0;
	mv->since = sn->now_ns;
	msg->fn = sent;
	sent(sn, msg);
}

/* ---- who wishes it ---- */

static struct plx_softnet *with(const struct plx_engine *eng, uint32_t lcore)
{
	for (uint16_t i = 0; i < eng->n; i++)
		if (eng->sn[i]->lcore == lcore)
			return eng->sn[i];
	return NULL;
}

/* A second at a time: behind the end of the run nobody serves it any more. */
static bool wait_for(struct queue_move *mv)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sem_timedwait(&mv->over, &until) == 0)
			return true;
	} while (plx_engine_serves(mv->eng));
	return __atomic_exchange_n(&mv->fate, QUEUE_LEFT, __ATOMIC_ACQ_REL) == QUEUE_OVER;
}

static int move(
	struct plx_engine *eng, struct plx_rxq *q, struct plx_softnet *from, struct plx_softnet *to)
{
	struct queue_move *mv = calloc(1, sizeof(*mv));
	int err = 0;

	if (!mv)
		return -ENOMEM;
	*mv = (struct queue_move){.eng = eng, .q = q, .from = from, .to = to, .msg.fn = leave};
	sem_init(&mv->over, 0, 0);
	if (!plx_softnet_try_post(from, &mv->msg))
		err = -ESHUTDOWN;
	else if (!wait_for(mv))
		return -ESHUTDOWN; /* who comes to it frees it */
	else if (__atomic_load_n(&q->lcore, __ATOMIC_ACQUIRE) != to->lcore)
		err = plx_engine_stopping(eng) ? -ESHUTDOWN : -ENOSPC;
	while (!err && __atomic_load_n(&mv->fate, __ATOMIC_ACQUIRE) != QUEUE_OVER)
		; /* it is about to be */
	sem_destroy(&mv->over);
	free(mv);
	return err;
}

int plx_engine_queue_move(
	struct plx_engine *eng, struct plx_port *p, uint16_t queue, uint16_t index)
{
	static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER;
	struct plx_softnet *from, *to;
	int err;

	if (!engine__owns(eng, p->id) || queue >= p->n_rxq || index >= eng->n)
		return -EINVAL;
	if (eng->conf.no_rx || eng->stepped)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&one_by_one);
	from = with(eng, __atomic_load_n(&p->rxq[queue]->lcore, __ATOMIC_ACQUIRE));
	to = eng->sn[index];
	err = !from ? -EINVAL : from == to ? 0 : move(eng, p->rxq[queue], from, to);
	pthread_mutex_unlock(&one_by_one);
	return err;
}
