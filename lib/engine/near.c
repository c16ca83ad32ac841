/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_lcore.h>

/*
 * Which lcore is the nearest to a CPU: one that runs there, one on the same core, one behind the
 * same second-level cache. Of several the first. Farther than that there is none: to follow a
 * thread over the third-level cache gains nothing that a move is worth.
 */

static void take(struct plx_engine *eng, unsigned long cpu, uint16_t index)
{
	if (cpu < ENGINE_CPUS && eng->near[cpu] == ENGINE_NOT_NEAR)
		eng->near[cpu] = index;
}

/* "0,4-7", as the kernel writes lists of CPUs. */
static void take_list(struct plx_engine *eng, const char *list, uint16_t index)
{
	char *end;

	for (; *list >= '0' && *list <= '9'; list = *end == ',' ? end + 1 : end) {
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (unsigned long cpu = first; cpu <= last && cpu < ENGINE_CPUS; cpu++)
			take(eng, cpu, index);
	}
}

/* What the kernel says of a CPU; nothing where it says nothing. */
static void take_file(struct plx_engine *eng, const char *root, unsigned int cpu, const char *name,
	uint16_t index)
{
	char path[256], list[4096] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/cpu%u/%s", root, cpu, name);
	f = fopen(path, "r");
	if (!f)
		return;
	if (fgets(list, sizeof(list), f))
		take_list(eng, list, index);
	fclose(f);
}

void engine__near_init(struct plx_engine *eng, const char *root)
{
	static const char *const shared[] = {
		"topology/thread_siblings_list", "cache/index2/shared_cpu_list"};

	for (unsigned int cpu = 0; cpu < ENGINE_CPUS; cpu++)
		eng->near[cpu] = ENGINE_NOT_NEAR;
	for (uint16_t i = 0; i < eng->n; i++) {
		rte_cpuset_t set = rte_lcore_cpuset(eng->sn[i]->lcore);

		for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &set))
				take(eng, cpu, i);
	}
	for (size_t k = 0; k < PLX_DIM(shared); k++)
		for (uint16_t i = 0; i < eng->n; i++) {
			rte_cpuset_t set = rte_lcore_cpuset(eng->sn[i]->lcore);

			for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
				if (CPU_ISSET(cpu, &set))
					take_file(eng, root, cpu, shared[k], i);
		}
}

int plx_engine_near(const struct plx_engine *eng, int cpu)
{
	uint16_t near;

	if (cpu < 0 || cpu >= ENGINE_CPUS)
		return -1;
	near = __atomic_load_n(&eng->near[cpu], __ATOMIC_RELAXED);
	return near == ENGINE_NOT_NEAR ? -1 : near;
}
