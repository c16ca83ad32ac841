/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <pthread.h>

/* Passes that took long: an lcore compares each with one number, the least that is asked for. */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void engine__slow_init(struct plx_softnet *sn)
{
	sn->slow_cycles = UINT64_MAX;
	for (int i = 0; i < PLX_ENGINE_SLOW; i++)
		sn->slow[i].over_cycles = UINT64_MAX;
}

PLX_NOINLINE void engine__slow(struct plx_softnet *sn, uint64_t cycles)
{
	for (int i = 0; i < PLX_ENGINE_SLOW; i++)
		if (cycles > plx_count_read(sn->slow[i].over_cycles))
			plx_count(sn->slow[i].n, 1);
}

static void set(struct plx_softnet *sn, int slow, uint64_t cycles)
{
	uint64_t least = UINT64_MAX;

	__atomic_store_n(&sn->slow[slow].over_cycles, cycles, __ATOMIC_RELAXED);
	for (int i = 0; i < PLX_ENGINE_SLOW; i++)
		least = PLX_MIN(least, sn->slow[i].over_cycles);
	__atomic_store_n(&sn->slow_cycles, least, __ATOMIC_RELAXED);
}

static void set_all(struct plx_engine *eng, int slow, uint64_t cycles)
{
	for (uint16_t i = 0; i < eng->n; i++)
		set(eng->sn[i], slow, cycles);
}

int plx_engine_slow_add(struct plx_engine *eng, plx_ns over_ns)
{
	uint64_t cycles = (uint64_t)((unsigned __int128)over_ns * eng->clock.hz / 1000000000);
	int slow = 0;

	pthread_mutex_lock(&lock);
	while (slow < PLX_ENGINE_SLOW && eng->sn[0]->slow[slow].over_cycles != UINT64_MAX)
		slow++;
	if (slow < PLX_ENGINE_SLOW)
		set_all(eng, slow, cycles);
	pthread_mutex_unlock(&lock);
	return slow < PLX_ENGINE_SLOW ? slow : -EBUSY;
}

void plx_engine_slow_del(struct plx_engine *eng, int slow)
{
	pthread_mutex_lock(&lock);
	set_all(eng, slow, UINT64_MAX);
	pthread_mutex_unlock(&lock);
}
