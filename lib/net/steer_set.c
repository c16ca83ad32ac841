/* SPDX-License-Identifier: BSD-3-Clause */
#include "rps.h"

#include <errno.h>
#include <stdio.h>

#include <plx_telem.h>

/* `pollux-ctl steer set` where there is a stack. */

static_assert(PLX_NET_ALL_QUEUES == -1, "so says plx_port_find_queue()");

/* EAL's numbers of our lcores: "0, 2". */
static const char *our_lcores(const struct plx_net *net, char *buf, size_t size)
{
	size_t n = 0;

	for (uint16_t i = 0; i < net->n_lcores && n < size; i++)
		n += (size_t)snprintf(
			buf + n, size - n, "%s%u", i ? ", " : "", net->lcore[i]->sn->lcore);
	return buf;
}

/* @return the first one that is none of ours, or -1. */
static int stranger(const struct plx_net *net, const struct plx_lcore_set *set)
{
	struct plx_lcore_set rest = *set;

	for (uint16_t i = 0; i < net->n_lcores; i++)
		if (plx_lcore_set_has(set, net->lcore[i]->sn->lcore))
			plx_lcore_set_del(&rest, (uint16_t)net->lcore[i]->sn->lcore);
	for (int i = 0; i < PLX_STEER_LCORES_MAX; i++)
		if (plx_lcore_set_has(&rest, (uint32_t)i))
			return i;
	return -1;
}

int net__steer_read_lcores(const struct plx_net *net, struct plx_telem_reply *reply,
	const char *text, struct plx_lcore_set *set)
{
	char ours[256];
	int other;

	*set = (struct plx_lcore_set){0};
	if (strcmp(text, "none") == 0)
		return 0;
	if (plx_lcore_set_parse(set, text) != 0)
		return plx_telem_reply_error(
			reply, -EINVAL, "'%s': lcores as 0,2-3, or none", text);
	other = stranger(net, set);
	if (other < 0)
		return 0;
	return plx_telem_reply_error(reply, -EINVAL, "lcore %d is none of this run, which has %s",
		other, our_lcores(net, ours, sizeof(ours)));
}

int net__steer_rps(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const char *dev = plx_telem_args_str(args, "dev");
	struct plx_lcore_set set;
	struct plx_net *net = arg;
	int queue, err;
	const struct plx_port *p = plx_port_find_queue(dev, &queue);

	if (!p || !plx_engine_has_port(net->eng, p->id))
		return plx_telem_reply_error(reply, -ENODEV, "no device '%s'", dev);
	if (queue >= p->n_rxq)
		return plx_telem_reply_error(reply, -EINVAL,
			"%s has %u receive queues, numbered from 0", p->name, p->n_rxq);
	err = net__steer_read_lcores(net, reply, plx_telem_args_str(args, "lcores"), &set);
	if (err)
		return err;
	err = plx_net_rps_set(net, p->id, queue, &set);
	return err ? plx_telem_reply_error(reply, err, "%s: %s", dev, strerror(-err)) : 0;
}

static int set(void *arg, struct plx_port *p, const uint8_t *key, uint16_t bytes,
	const struct plx_reta *reta)
{
	return plx_net_port_rss_set(arg, p->id, key, bytes, reta);
}

static int set_types(void *arg, struct plx_port *p, uint32_t types)
{
	return plx_net_port_rss_types_set(arg, p->id, types);
}

static struct plx_engine_rss ours(struct plx_net *net)
{
	return (struct plx_engine_rss){
		.set = set,
		.set_types = set_types,
		.arg = net,
		.key = net->toeplitz_key,
		.instead = "; spread what is forwarded by RPS: 'pollux-ctl steer set rps'",
	};
}

int net__steer_rss(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const struct plx_engine_rss to = ours(arg);

	return plx_engine_rss_request(args, reply, &to);
}

int net__steer_key(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const struct plx_engine_rss to = ours(arg);

	return plx_engine_key_request(args, reply, &to);
}

int net__steer_types(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const struct plx_engine_rss to = ours(arg);

	return plx_engine_types_request(args, reply, &to);
}
