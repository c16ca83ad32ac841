/* SPDX-License-Identifier: BSD-3-Clause */
#include "balance.h"

#include <errno.h>
#include <stdlib.h>

#include <plx_telem.h>

/*
 * The rebalancer at work: what each bucket brought, and how busy each lcore was, goes in; buckets
 * to be moved come out. All on the control lcore.
 */

struct net_balance {
	struct plx_balance b;
	struct plx_poller poller;
	struct plx_balance_lcore lcore[PLX_ENGINE_LCORES_MAX];
	uint64_t count[PLX_OWNER_BUCKETS_MAX];
	uint64_t moving[PLX_OWNER_BUCKETS_MAX / 64];
	plx_ns busy[PLX_ENGINE_LCORES_MAX]; /* so far, at the last input */
	plx_ns since;			    /* of it */
};

static enum plx_balance_mode wanted(const struct plx_net *net)
{
	if (net->n_lcores == 1 || !net__tun(net, PLX_TUN_SOFT_STEER))
		return PLX_BALANCE_OFF;
	return (enum plx_balance_mode)net__tun(net, PLX_TUN_STEER_BALANCE);
}

static void look_at_buckets(const struct plx_net *net, struct net_balance *nb)
{
	memset(nb->moving, 0, sizeof(nb->moving));
	for (uint16_t b = 0; b < net->owners.size; b++) {
		nb->count[b] = 0;
		for (uint16_t i = 0; i < net->n_lcores; i++)
			nb->count[b] += plx_count_read(net->lcore[i]->bucket_pkts[b]);
		if (net__move_pending(net, b))
			nb->moving[b / 64] |= UINT64_C(1) << b % 64;
	}
}

/* Thousandths of the time since then; what does not show in them is not known. */
static uint16_t busy_of(struct net_balance *nb, const struct net_lcore *nl, plx_ns ns)
{
	plx_ns busy = plx_count_read(nl->sn->residency_ns[PLX_RES_BUSY]);
	plx_ns part = (busy - nb->busy[nl->sn->index]) * 1000 / PLX_MAX(ns, 1);

	nb->busy[nl->sn->index] = busy;
	return part > 0 ? (uint16_t)PLX_MIN(part, 1000) : PLX_BALANCE_NO_BUSY;
}

static void look_at_lcores(const struct plx_net *net, struct net_balance *nb, plx_ns now)
{
	for (uint16_t i = 0; i < net->n_lcores; i++)
		nb->lcore[i] = (struct plx_balance_lcore){
			.weight = net->moves->weight[i],
			.busy_permille = busy_of(nb, net->lcore[i], now - nb->since),
		};
}

static void round_of(struct net_lcore *nl, struct net_balance *nb)
{
	struct plx_net *net = nl->net;
	struct plx_balance_move m;
	struct plx_balance_input in = {
		.now = nl->sn->now_ns,
		.map = &net->owners,
		.count = nb->count,
		.lcore = nb->lcore,
		.lcores = net->n_lcores,
		.moving = nb->moving,
	};

	look_at_buckets(net, nb);
	look_at_lcores(net, nb, in.now);
	nb->since = in.now;
	if (plx_steer_balance_input(&nb->b, &in) != 0)
		return;
	while (plx_steer_balance_output(&nb->b, &m))
		net__move_bucket(net, m.bucket, m.to);
	net__move_begin(net);
}

static uint32_t run(struct plx_softnet *sn, void *arg)
{
	struct net_lcore *nl = arg;
	struct net_balance *nb = nl->net->balance;
	enum plx_balance_mode mode = wanted(nl->net);

	if (plx_unlikely(mode != nb->b.mode)) {
		plx_steer_balance_set(&nb->b, mode);
		nb->since = sn->now_ns;
	}
	if (plx_likely(mode == PLX_BALANCE_OFF) || sn->now_ns < plx_steer_balance_deadline(&nb->b))
		return 0;
	round_of(nl, nb);
	return 1;
}

static plx_ns deadline(struct plx_softnet *sn, void *arg)
{
	return plx_steer_balance_deadline(&((struct net_lcore *)arg)->net->balance->b);
}

int net__balance_new(struct plx_net *net)
{
	net->balance = calloc(1, sizeof(*net->balance));
	if (!net->balance)
		return -ENOMEM;
	return plx_steer_balance_init(&net->balance->b, NULL);
}

void net__balance_free(struct plx_net *net)
{
	free(net->balance);
}

void net__balance_start(struct net_lcore *nl)
{
	struct plx_poller *p = &nl->net->balance->poller;

	if (nl->net->n_lcores == 1)
		return;
	*p = (struct plx_poller){.run = run, .deadline = deadline, .arg = nl};
	plx_softnet_add_poller(nl->sn, p);
}

/* ---- the table balance ---- */

enum plx_telem_more net__balance_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	static const char *const mode[] = {"off", "advise", "on"};
	const struct plx_net *net = arg;
	const struct plx_balance *b = &net->balance->b;
	const struct plx_balance_said *s = &b->said;

	if (*cursor > 0)
		return PLX_TELEM_END;
	++*cursor;
	plx_telem_row_str(r, "mode", mode[b->mode]);
	plx_telem_row_str(r, "decision", plx_steer_balance_name(s->why));
	plx_telem_row_str(r, "text", plx_steer_balance_text(s->why));
	plx_telem_row_u64(r, "worst_permille", s->worst_permille);
	plx_telem_row_u64(r, "after_permille", s->after_permille);
	if (s->lcore < net->n_lcores) {
		plx_telem_row_u64(r, "lcore", net->lcore[s->lcore]->sn->lcore);
		plx_telem_row_u64(r, "bucket", s->bucket);
		plx_telem_row_u64(r, "bucket_permille", s->bucket_permille);
	}
	plx_telem_row_u64(r, "moves", s->moves);
	plx_telem_row_u64(r, "asked", b->asked);
	plx_telem_row_u64(r, "done", b->done);
	plx_telem_row_u64(r, "refused", b->refused);
	for (int i = 0; i < PLX_BALANCE_WHY_N; i++)
		if (b->rounds[i])
			plx_telem_row_u64(
				r, plx_steer_balance_name((enum plx_balance_why)i), b->rounds[i]);
	return PLX_TELEM_MORE;
}
