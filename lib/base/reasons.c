/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_reasons.h"

#include <errno.h>

const struct plx_drop_info plx_drop_info[PLX_DROP_MAX] = {
	[PLX_DROP_NONE] = {"NONE", "", "not dropped"},
#define X(id, layer, text) [PLX_DROP_##id] = {#id, layer, text},
#include "plx_base_drop.def"
#undef X
};

const struct plx_stat_info plx_stat_info[PLX_STAT_MAX] = {
#define X(id, group, name, text) [PLX_STAT_##id] = {group, name, text},
#include "plx_base_stat.def"
#undef X
};

const struct plx_err_info plx_err_info[PLX_ERR_MAX] = {
#define X(id, text, remedy) [PLX_ERR_##id] = {#id, text, remedy},
#include "plx_base_err.def"
#undef X
};

const struct plx_tunable_info plx_tunable_info[PLX_TUN_MAX] = {
#define X(id, name, def, min, max, unit, when, text)                                               \
	[PLX_TUN_##id] = {name, def, min, max, unit, when, text},
#include "plx_base_tunable.def"
#undef X
};

void plx_tunables_init(struct plx_tunables *t)
{
	for (int i = 0; i < PLX_TUN_MAX; i++)
		t->v[i] = plx_tunable_info[i].def;
}

int plx_tunable_find(const char *name)
{
	for (int i = 0; i < PLX_TUN_MAX; i++)
		if (strcmp(plx_tunable_info[i].name, name) == 0)
			return i;
	return -ENOENT;
}

int plx_tunable_set(struct plx_tunables *t, enum plx_tunable id, int64_t value)
{
	if (value < plx_tunable_info[id].min || value > plx_tunable_info[id].max)
		return -ERANGE;
	__atomic_store_n(&t->v[id], value, __ATOMIC_RELAXED); /* lcores read it live */
	return 0;
}
