/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_telem.h"

#include <errno.h>

#include <plx_pkt.h>

static struct plx_tunables *tunables;

/* The lcores' counts of one kind: read one by one, since a page of them is read often. */
static uint64_t sum(const uint64_t *first)
{
	size_t off = (size_t)((const char *)first - (const char *)plx_acct);
	uint64_t n = 0;

	for (unsigned int l = 0; l < RTE_MAX_LCORE; l++)
		n += __atomic_load_n(
			(const uint64_t *)((const char *)&plx_acct[l] + off), __ATOMIC_RELAXED);
	return n;
}

static enum plx_telem_more drop_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	uint64_t i = *cursor ? *cursor : PLX_DROP_NONE + 1;

	if (i >= PLX_DROP_MAX)
		return PLX_TELEM_END;
	plx_telem_row_str(r, "reason", plx_drop_info[i].name);
	plx_telem_row_str(r, "layer", plx_drop_info[i].layer);
	plx_telem_row_u64(r, "count", sum(&plx_acct[0].drop[i]));
	plx_telem_row_str(r, "text", plx_drop_info[i].text);
	*cursor = i + 1;
	return PLX_TELEM_MORE;
}

static enum plx_telem_more stat_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	uint64_t i = *cursor;

	if (i >= PLX_STAT_MAX)
		return PLX_TELEM_END;
	plx_telem_row_str(r, "group", plx_stat_info[i].group);
	plx_telem_row_str(r, "name", plx_stat_info[i].name);
	plx_telem_row_u64(r, "value", sum(&plx_acct[0].stat[i]));
	*cursor = i + 1;
	return PLX_TELEM_MORE;
}

static enum plx_telem_more tunable_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	uint64_t i = *cursor;

	if (i >= PLX_TUN_MAX)
		return PLX_TELEM_END;
	plx_telem_row_str(r, "name", plx_tunable_info[i].name);
	plx_telem_row_i64(r, "value", __atomic_load_n(&tunables->v[i], __ATOMIC_RELAXED));
	plx_telem_row_i64(r, "default", plx_tunable_info[i].def);
	plx_telem_row_i64(r, "min", plx_tunable_info[i].min);
	plx_telem_row_i64(r, "max", plx_tunable_info[i].max);
	plx_telem_row_str(r, "unit", plx_tunable_info[i].unit);
	plx_telem_row_str(r, "when", plx_tunable_info[i].when);
	plx_telem_row_str(r, "text", plx_tunable_info[i].text);
	*cursor = i + 1;
	return PLX_TELEM_MORE;
}

static int sysctl(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const char *name = plx_telem_args_str(args, "name");
	int64_t value = plx_telem_args_int(args, "value", 0);
	int id = plx_tunable_find(name), err;

	if (id < 0)
		return plx_telem_reply_error(reply, id, "no tunable '%s'", name);
	if (*plx_tunable_info[id].when) /* Linux's read-only files say the same */
		return plx_telem_reply_error(reply, -EACCES,
			"%s is read at %s only: give it there, by up --sysctl", name,
			plx_tunable_info[id].when);
	err = plx_tunable_set(tunables, (enum plx_tunable)id, value);
	if (err)
		plx_telem_reply_error(reply, err, "%s: %lld is not in %lld..%lld", name,
			(long long)value, (long long)plx_tunable_info[id].min,
			(long long)plx_tunable_info[id].max);
	return err;
}

static struct plx_telem_table common[] = {
	{
		.name = "drops",
		.help = "Dropped packets by reason. Parameter: cursor",
		.row = drop_row,
	},
	{
		.name = "snmp",
		.help = "Protocol counters under Linux's names. Parameter: cursor",
		.row = stat_row,
	},
	{
		.name = "sysctl",
		.help = "Tunables under Linux's names. Parameter: cursor",
		.row = tunable_row,
	},
};

static const struct plx_telem_cmd set_cmd = {
	.name = "sysctl",
	.args = "name:s value:i",
	.help = "set a tunable",
	.run = sysctl,
};
static struct plx_telem_cmds cmds = {.cmd = &set_cmd, .n = 1};

int plx_telem_common_add(struct plx_tunables *tun)
{
	int err;

	tunables = tun;
	err = plx_telem_tables_add(common, PLX_DIM(common), NULL);
	if (!err)
		plx_telem_cmds_add(&cmds);
	return err;
}

void plx_telem_common_del(void)
{
	plx_telem_cmds_del(&cmds);
	plx_telem_tables_del(common, PLX_DIM(common));
}
