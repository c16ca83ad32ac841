/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <rte_cycles.h>

/*
 * What the lcores count, as tables. All of it is single-writer counters and read from outside: no
 * lcore is asked, so a stuck one can be looked at.
 */

static const struct plx_softnet *at(const struct plx_engine *eng, uint64_t *cursor)
{
	return *cursor < eng->n ? eng->sn[(*cursor)++] : NULL;
}

static uint32_t backlog(const struct plx_softnet *sn)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < sn->eng->n; i++)
		n += sn->in[i] ? plx_ring_count(sn->in[i]) : 0;
	return n;
}

/* The columns of /proc/net/softnet_stat; cpu_collision is 0 in Linux, too. */
static enum plx_telem_more softnet_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const struct plx_softnet *sn = at(arg, cursor);
	uint32_t waiting;

	if (!sn)
		return PLX_TELEM_END;
	waiting = backlog(sn);
	plx_telem_row_u64(r, "processed", plx_count_read(sn->processed));
	plx_telem_row_u64(r, "dropped", plx_count_read(sn->dropped));
	plx_telem_row_u64(r, "time_squeeze", plx_count_read(sn->time_squeeze));
	plx_telem_row_u64(r, "cpu_collision", 0);
	plx_telem_row_u64(r, "received_rps", plx_count_read(sn->received_rps));
	plx_telem_row_u64(r, "flow_limit_count", plx_count_read(sn->limit.count));
	plx_telem_row_u64(r, "backlog_len", waiting);
	plx_telem_row_u64(r, "cpu", sn->lcore);
	plx_telem_row_u64(r, "input_qlen", waiting);
	plx_telem_row_u64(r, "process_qlen", 0);
	return PLX_TELEM_MORE;
}

static void add_hist(
	struct plx_telem_row *r, const char *name, const char *max_name, const struct plx_hist *h)
{
	uint64_t n[PLX_ENGINE_HIST];

	for (int i = 0; i < PLX_ENGINE_HIST; i++)
		n[i] = plx_count_read(h->n[i]);
	plx_telem_row_u64s(r, name, n, PLX_ENGINE_HIST);
	plx_telem_row_u64(r, max_name, (uint64_t)plx_count_read(h->max_ns));
}

static uint64_t up_ns(const struct plx_softnet *sn)
{
	uint64_t start = plx_count_read(sn->start_cycles);

	return start ? (uint64_t)(plx_engine_now(sn->eng) - engine__ns(sn->eng, start)) : 0;
}

static const char *policy(const struct plx_softnet *sn)
{
	switch (sn->eng->conf.idle) {
	case PLX_IDLE_POLL:
		return "poll";
	case PLX_IDLE_PAUSE:
		return "pause";
	default:
		return sn->can_sleep ? "sleep" : "backoff";
	}
}

static enum plx_telem_more idle_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	static const struct {
		const char *ns, *n;
	} names[PLX_RES_MAX] = {
		[PLX_RES_BUSY] = {"busy_ns", "busy_n"},
		[PLX_RES_SPIN] = {"spin_ns", "spin_n"},
		[PLX_RES_PAUSE] = {"pause_ns", "pause_n"},
		[PLX_RES_SLEEP] = {"sleep_ns", "sleep_n"},
		[PLX_RES_BACKOFF] = {"backoff_ns", "backoff_n"},
	};
	const struct plx_softnet *sn = at(arg, cursor);

	if (!sn)
		return PLX_TELEM_END;
	plx_telem_row_u64(r, "lcore", sn->lcore);
	plx_telem_row_str(r, "policy", policy(sn));
	plx_telem_row_u64(r, "shared_cpu", sn->shared_cpu);
	plx_telem_row_u64(r, "up_ns", up_ns(sn));
	for (int i = 0; i < PLX_RES_MAX; i++) {
		plx_telem_row_u64(r, names[i].ns, (uint64_t)plx_count_read(sn->residency_ns[i]));
		plx_telem_row_u64(r, names[i].n, plx_count_read(sn->residency_n[i]));
	}
	plx_telem_row_u64(r, "passes", plx_count_read(sn->passes));
	plx_telem_row_u64(r, "rx_pkts", plx_count_read(sn->rx_pkts));
	plx_telem_row_u64(r, "handed_pkts", plx_count_read(sn->handed_pkts));
	plx_telem_row_u64(r, "busy_cycles", plx_count_read(sn->busy_cycles));
	add_hist(r, "slept", "slept_max_ns", &sn->slept);
	add_hist(r, "latency", "latency_max_ns", &sn->latency);
	return PLX_TELEM_MORE;
}

static int stop(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	plx_engine_stop(arg);
	return 0;
}

static struct plx_telem_table tables[] = {
	{
		.name = "ports",
		.help = "Ports: driver, queues, features, quirks. Parameter: cursor",
		.row = engine__port_row,
	},
	{
		.name = "dev",
		.help = "Ports: state and Linux's interface statistics. Parameter: cursor",
		.row = engine__dev_row,
	},
	{
		.name = "xstats",
		.help = "Ports: the driver's own statistics. Parameter: cursor",
		.row = engine__xstats_row,
	},
	{
		.name = "features",
		.help = "Ports: features in use, asked for, fixed. Parameter: cursor",
		.row = engine__features_row,
	},
	{
		.name = "softnet",
		.help = "Lcores: the columns of softnet_stat. Parameter: cursor",
		.row = softnet_row,
	},
	{
		.name = "rss",
		.help = "Ports: how the device spreads packets over queues. Parameter: cursor",
		.row = engine__rss_row,
	},
	{
		.name = "indir",
		.help = "Ports: 128 entries of the indirection table. Parameter: cursor",
		.row = engine__indir_row,
	},
	{
		.name = "flow_limit",
		.help = "Lcores: the flow limit of what is handed over. Parameter: cursor",
		.row = engine__limit_row,
		.run = engine__limit_run,
	},
	{
		.name = "idle",
		.help = "Lcores: what their time went to, sleeps, wake-ups. Parameter: cursor",
		.row = idle_row,
	},
};

static const struct plx_telem_cmd cmd[] = {
	{
		.name = "link set",
		.args = "dev:s up:i? mtu:i? address:s?",
		.help = "change a port",
		.run = engine__link_set,
	},
	{
		.name = "feature set",
		.args = "dev:s features:s",
		.help = "switch features of a port: NAME=on|off...",
		.run = engine__feature_set,
	},
	{
		.name = "steer rss",
		.args = "dev:s equal:i? weight:s? start:i?",
		.help = "fill a port's indirection table, as ethtool -X",
		.run = engine__rss_set,
	},
	{
		.name = "steer key",
		.args = "dev:s key:s",
		.help = "give a port an RSS key: in hexadecimal digits, microsoft or random",
		.run = engine__key_set,
	},
	{
		.name = "steer rx-flow-hash",
		.args = "dev:s flow:s fields:s",
		.help = "what of a flow's packets a port hashes, as ethtool -N",
		.run = engine__types_set,
	},
	{
		.name = "stop",
		.help = "stop cleanly: drain, count, exit",
		.run = stop,
	},
};
static struct plx_telem_cmds cmds = {.cmd = cmd, .n = PLX_DIM(cmd)};

int plx_engine_telem_add(struct plx_engine *eng)
{
	int err = plx_telem_tables_add(tables, PLX_DIM(tables), eng);

	cmds.arg = eng;
	if (!err)
		plx_telem_cmds_add(&cmds);
	return err;
}

void plx_engine_telem_del(void)
{
	plx_telem_cmds_del(&cmds);
	plx_telem_tables_del(tables, PLX_DIM(tables));
}
