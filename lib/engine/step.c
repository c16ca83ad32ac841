/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>

/*
 * One thread plays all lcores: for the time of a step it has the number of the lcore that it plays,
 * and so its account and its mempool caches.
 */

static void be(uint32_t lcore)
{
	RTE_PER_LCORE(_lcore_id) = lcore;
	plx_acct_bind();
}

/* @return who it was before, for be(). */
static uint32_t play(const struct plx_softnet *sn)
{
	uint32_t was = rte_lcore_id();

	be(sn->lcore);
	return was;
}

void engine__step_call(
	struct plx_softnet *sn, void (*fn)(struct plx_softnet *sn, void *arg), void *arg)
{
	uint32_t was = play(sn);

	fn(sn, arg);
	be(was);
}

static void each(struct plx_engine *eng, void (*fn)(struct plx_softnet *sn))
{
	for (uint16_t i = 0; i < eng->n; i++) {
		uint32_t was = play(eng->sn[i]);

		fn(eng->sn[i]);
		be(was);
	}
}

int plx_engine_step_begin(struct plx_engine *eng)
{
	eng->stepped = true;
	__atomic_store_n(&eng->closed, 0, __ATOMIC_SEQ_CST);
	each(eng, engine__enter);
	return eng->failed ? -EIO : 0;
}

uint32_t plx_engine_step(struct plx_engine *eng, uint16_t index)
{
	struct plx_softnet *sn = eng->sn[index];
	uint32_t was = play(sn), work = engine__turn(sn, engine__cycles(eng));

	be(was);
	return work;
}

plx_ns plx_engine_deadline(struct plx_engine *eng)
{
	plx_ns when = PLX_NEVER;

	for (uint16_t i = 0; i < eng->n; i++) {
		struct plx_softnet *sn = eng->sn[i];
		plx_ns d = engine__mail_waits(sn) || sn->n_dirty ? 0 : engine__deadline(sn);

		when = PLX_MIN(when, d);
	}
	return when;
}

void plx_engine_step_end(struct plx_engine *eng)
{
	uint32_t work;

	plx_engine_stop(eng);
	each(eng, engine__leave);
	do {
		work = 0;
		for (uint16_t i = 0; i < eng->n; i++) {
			uint32_t was = play(eng->sn[i]);

			work += engine__serve(eng->sn[i]);
			be(was);
		}
	} while (work);
	__atomic_store_n(&eng->closed, 1, __ATOMIC_SEQ_CST);
	each(eng, engine__gone);
}
