/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_cmd.h"

#include "rps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_MS 3000

/* Whose the buckets are to be, for `pollux-ctl steer set`. Lcores by EAL's numbers. */

static uint16_t queues_of(const struct plx_net *net, uint16_t port)
{
	return plx_engine_has_port(net->eng, port) ? plx_port_get(port)->n_rxq : 0;
}

/* The index of an lcore of the stack's, or -1. */
static int index_of(const struct plx_net *net, uint64_t eal)
{
	for (uint16_t i = 0; i < net->n_lcores; i++)
		if (net->lcore[i]->sn->lcore == eal)
			return i;
	return -1;
}

/* By their indices, rising. @return how many, or -errno, and it is answered. */
static int lcores_of(
	const struct plx_net *net, const char *list, uint16_t *lcore, struct plx_telem_reply *reply)
{
	struct plx_lcore_set set;
	int err = net__steer_read_lcores(net, reply, list, &set), n = 0;

	if (err)
		return err;
	for (uint32_t eal = 0; eal < PLX_STEER_LCORES_MAX; eal++)
		if (plx_lcore_set_has(&set, eal))
			lcore[n++] = (uint16_t)index_of(net, eal);
	return n;
}

/* "3 1". @return 0 or -EINVAL, and it is answered. */
static int weights_of(const char *list, uint32_t *weight, int lcores, struct plx_telem_reply *reply)
{
	int count = 0;
	char *end;

	for (const char *at = list; *at; at = end + (*end == ' '), count++) {
		unsigned long n = strtoul(at, &end, 10);

		if (*at < '0' || *at > '9' || n > PLX_BALANCE_WEIGHT_MAX || (*end && *end != ' '))
			return plx_telem_reply_error(reply, -EINVAL,
				"weight %s: numbers of at most %d", list, PLX_BALANCE_WEIGHT_MAX);
		if (count < lcores)
			weight[count] = (uint32_t)n;
	}
	if (count == lcores)
		return 0;
	return plx_telem_reply_error(
		reply, -EINVAL, "weight %s: %d for %d lcores", list, count, lcores);
}

/* Who asked wants to hear that it is so; but not for ever. */
static int settle(const struct plx_net *net, struct plx_telem_reply *reply)
{
	struct plx_net_moves m;

	for (int i = 0; i < SETTLE_MS; i++) {
		plx_net_moves_get(net, &m);
		if (!m.waiting)
			return 0;
		usleep(1000);
	}
	return plx_telem_reply_error(
		reply, -EINPROGRESS, "%u buckets are still on their way", m.waiting);
}

static int answer(int err, const char *inval, struct plx_telem_reply *reply)
{
	switch (err) {
	case 0:
		return 0;
	case -EINVAL:
		return plx_telem_reply_error(reply, err, "%s", inval);
	case -EOPNOTSUPP:
		return plx_telem_reply_error(reply, err,
			"flows live where they arrive: there is one lcore, or "
			"net.pollux.soft_steer is 0");
	default:
		return plx_telem_reply_error(reply, err, "%s", strerror(-err));
	}
}

/* Who polls is to be among them, too. */
static int share_queues(const struct plx_net *net, const uint16_t *lcore, const uint32_t *weight,
	int n, struct plx_telem_reply *reply)
{
	struct plx_owner_map now = {0};
	uint16_t want[PLX_OWNER_BUCKETS_MAX], at = 0;
	uint32_t some[PLX_ENGINE_LCORES_MAX];

	for (int i = 0; i < n; i++)
		some[i] = !weight || weight[i];
	for (uint16_t i = 0; i < plx_port_count(); i++)
		for (uint16_t q = 0; q < queues_of(net, i) && now.size < PLX_DIM(want); q++)
			now.lcore[now.size++] =
				(uint16_t)index_of(net, plx_port_get(i)->rxq[q]->lcore);
	plx_steer_owner_share(&now, want, lcore, some, (uint16_t)n);
	for (uint16_t i = 0; i < plx_port_count(); i++)
		for (uint16_t q = 0; q < queues_of(net, i) && at < now.size; q++, at++) {
			struct plx_port *p = plx_port_get(i);
			int err = plx_engine_queue_move(net->eng, p, q, want[at]);

			if (err)
				return plx_telem_reply_error(reply, err,
					"queue %u of %s goes on being polled by lcore %u: %s", q,
					p->name, p->rxq[q]->lcore, strerror(-err));
		}
	return 0;
}

int net__steer_lcores(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	struct plx_net *net = arg;
	const char *weights = plx_telem_args_str(args, "weight");
	uint16_t lcore[PLX_ENGINE_LCORES_MAX];
	uint32_t room[PLX_ENGINE_LCORES_MAX], *weight = weights ? room : NULL;
	int n = lcores_of(net, plx_telem_args_str(args, "lcores"), lcore, reply), err;

	if (n < 0)
		return n;
	if (weights && weights_of(weights, weight, n, reply) != 0)
		return -EINVAL;
	err = plx_net_owners_share(net, lcore, weight, (uint16_t)n);
	if (err)
		return answer(err, "no lcore has a weight", reply);
	err = share_queues(net, lcore, weight, n, reply);
	return err ? err : settle(net, reply);
}

int net__steer_bucket(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	struct plx_net *net = arg;
	int64_t bucket = plx_telem_args_int(args, "bucket", -1);
	int lcore = index_of(net, (uint64_t)plx_telem_args_int(args, "lcore", -1)), err;
	uint16_t n = plx_net_buckets(net);

	if (bucket < 0 || bucket >= n)
		return plx_telem_reply_error(reply, -EINVAL, "there are buckets 0 to %u", n - 1u);
	if (lcore < 0)
		return plx_telem_reply_error(reply, -EINVAL, "no such lcore runs");
	err = plx_net_owner_set(net, (uint16_t)bucket, (uint16_t)lcore);
	return err ? answer(err, "no such bucket", reply) : settle(net, reply);
}
