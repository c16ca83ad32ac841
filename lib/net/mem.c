/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/*
 * How much memory sockets may have (doc/design/memory.md): all of them together, as Linux's tcp_mem
 * and udp_mem; those of an lcore, of its packet buffers; each one, its fair part when memory is
 * short.
 *
 * Nothing here is asked for each packet: an lcore takes from the budget in batches, and asks when
 * one is used up, or while memory is short.
 */

#define PAGE_BYTES  4096
#define BATCH_BYTES (32 << 10) /* taken from the budget at a time, at most */
#define LEAST_BYTES 4096       /* Linux's tcp_rmem[0]: who has less, gets some more */
/* In sixteenths of an lcore's memory for TCP: while so much is used, new connections, and new text
 * to be sent, get some. The rest is for what is established. */
#define PART_CONNS 13
#define PART_TEXT  14

/* ---- what there is ---- */

/* Mbufs of the lcore's own pool: others' are as large. */
static int64_t mbuf_bytes(const struct net_lcore *nl)
{
	return (int64_t)sizeof(struct rte_mbuf) + rte_pktmbuf_data_room_size(nl->sn->pool);
}

/* What queues may hold of this lcore's packet buffers, and of any other's: so that it is for all.
 */
int64_t net__mem_share(const struct net_lcore *nl)
{
	return nl->spare_mbufs * mbuf_bytes(nl) * net__tun(nl->net, PLX_TUN_RCV_MBUFS) / 100 /
	       nl->net->n_lcores;
}

static int64_t rcv_held(const struct net_lcore *nl)
{
	return nl->tcp->rx.used + nl->udp_quota.used;
}

void net__mem_start(struct net_lcore *nl)
{
	struct plx_net *net = nl->net;
	int64_t bytes = net__mem_share(nl);
	int64_t batch = PLX_MAX(PLX_MIN(bytes / 16, BATCH_BYTES), PAGE_BYTES);

	plx_quota_init(&nl->tcp->rx, &net->tcp_mem, batch);
	plx_quota_init(&nl->tcp->tx, &net->tcp_mem, BATCH_BYTES);
	plx_quota_init(&nl->udp_quota, &net->udp_mem, batch);
	__atomic_fetch_add(&net->rcv_bytes, bytes, __ATOMIC_RELAXED);
}

void net__mem_there(struct net_lcore *nl)
{
	__atomic_fetch_add(&nl->net->snd_bytes,
		(int64_t)plx_arena_size(&nl->tcp->arena) / 16 * PART_TEXT, __ATOMIC_RELAXED);
}

static int64_t or_pages(const struct plx_net *net, enum plx_tunable pages, int64_t otherwise)
{
	int64_t n = net__tun(net, pages);

	return n ? n * PAGE_BYTES : otherwise;
}

/* Of TCP, bytes. */
static int64_t high(const struct plx_net *net)
{
	return or_pages(net, PLX_TUN_TCP_MEM_HIGH,
		plx_count_read(net->rcv_bytes) + plx_count_read(net->snd_bytes));
}

/* ---- is it short? ---- */

/* Once it is, it has to be well below before it is not. */
static bool is_short(const struct net_lcore *nl)
{
	const struct plx_net *net = nl->net;
	bool was = nl->tcp->ctx.pressure;
	int64_t all = high(net), ours = net__mem_share(nl);

	all = was ? or_pages(net, PLX_TUN_TCP_MEM_LOW, all / 2)
		  : or_pages(net, PLX_TUN_TCP_MEM_PRESSURE, all / 3 * 2);
	ours = was ? ours / 2 : ours / 3 * 2;
	return plx_budget_taken(&net->tcp_mem) > all || rcv_held(nl) > ours;
}

void net__mem_look(struct net_lcore *nl)
{
	struct net_tcp *t = nl->tcp;
	bool now_short = is_short(nl);

	if (now_short && !t->ctx.pressure) {
		plx_stat_inc(PLX_STAT_TCPEXT_TCPMEMORYPRESSURES);
		t->short_ns = nl->sn->now_ns;
	} else if (!now_short && t->ctx.pressure) {
		plx_count(plx_acct_self()->stat[PLX_STAT_TCPEXT_TCPMEMORYPRESSURESCHRONO],
			(uint64_t)(nl->sn->now_ns - t->short_ns) / 1000000);
	}
	t->ctx.pressure = now_short;
	t->ctx.refuse = now_short ||
			plx_arena_used(&t->arena) > plx_arena_size(&t->arena) / 16 * PART_CONNS;
}

/* ---- who may have more? ---- */

static int64_t conns(const struct plx_net *net)
{
	int64_t n = 0;

	for (uint16_t i = 0; i < net->n_lcores; i++)
		n += plx_count_read(net->lcore[i]->tcp->conns);
	return PLX_MAX(n, 1);
}

/*
 * Linux's __sk_mem_raise_allocated(), for the budget of all and for the packet buffers of the
 * lcore; beyond the latter there is a little for those who have nothing, as there is sure to be
 * somebody who reads what he gets.
 */
bool net__mem_may_receive(struct net_lcore *nl, uint32_t has, uint32_t n)
{
	int64_t ours = net__mem_share(nl), held = rcv_held(nl) + n;
	int64_t all = high(nl->net), taken = plx_budget_taken(&nl->net->tcp_mem) + n;

	net__mem_look(nl);
	if (!has)
		return held <= ours + ours / 4;
	if (held > ours || taken > all)
		return false;
	if (!nl->tcp->ctx.pressure || has < LEAST_BYTES)
		return true;
	return has + n <= PLX_MIN(ours / PLX_MAX(nl->tcp->conns, 1), all / conns(nl->net));
}

bool net__mem_may_send(struct net_lcore *nl, uint32_t has, uint32_t n)
{
	const struct plx_arena *a = &nl->tcp->arena;
	int64_t all = high(nl->net), taken = plx_budget_taken(&nl->net->tcp_mem) + n;

	if (plx_arena_used(a) > plx_arena_size(a) / 16 * PART_TEXT)
		return false;
	if (!has)
		return true;
	if (plx_likely(plx_quota_has(&nl->tcp->tx, n) && !nl->tcp->ctx.pressure))
		return true;
	net__mem_look(nl);
	if (taken > all)
		return false;
	return !nl->tcp->ctx.pressure || has + n <= all / conns(nl->net);
}

/* Linux's tcp_check_oom(). */
bool net__mem_drops_orphan(struct net_lcore *nl, const struct plx_net_tcp *tc)
{
	if (nl->tcp->orphans > net__tun(nl->net, PLX_TUN_TCP_MAX_ORPHANS))
		return true;
	return tc->buf && tc->buf->n > 1 && plx_budget_taken(&nl->net->tcp_mem) > high(nl->net);
}

/* ---- datagrams ---- */

/* Half of what the lcore may hold is TCP's, which has promised to keep it. */
static bool may_hold(struct net_lcore *nl, uint32_t has, uint32_t n)
{
	const struct plx_net *net = nl->net;
	int64_t ours = net__mem_share(nl), udp = nl->udp_quota.used + n;
	int64_t all = or_pages(net, PLX_TUN_UDP_MEM_HIGH, plx_count_read(net->rcv_bytes) / 2);

	if (!has)
		return rcv_held(nl) + n <= ours + ours / 4;
	return udp <= ours / 2 && rcv_held(nl) + n <= ours &&
	       plx_budget_taken(&net->udp_mem) + n <= all;
}

bool plx_net_mem_hold(struct plx_softnet *sn, uint32_t has, uint32_t n)
{
	struct net_lcore *nl = net__self(sn);

	if (plx_unlikely(!plx_quota_has(&nl->udp_quota, n) || nl->tcp->ctx.pressure) &&
		!may_hold(nl, has, n))
		return false;
	plx_quota_use(&nl->udp_quota, n);
	return true;
}

void plx_net_mem_let_go(struct plx_softnet *sn, uint32_t n)
{
	plx_quota_use(&net__self(sn)->udp_quota, -(int64_t)n);
}

void plx_net_socks(struct plx_softnet *sn, int32_t n)
{
	plx_count(net__self(sn)->socks, (uint32_t)n);
}

/* Fragments give way to what is whole: a quarter of the packet buffers is for what comes and goes,
 * unless fragments alone may have more. */
uint32_t net__mem_frag_mbufs(const struct net_lcore *nl, uint32_t most)
{
	int64_t all = (int64_t)nl->spare_mbufs / 4 * 3 / nl->net->n_lcores;
	int64_t left = PLX_MAX(all, (int64_t)most) - rcv_held(nl) / mbuf_bytes(nl);

	return (uint32_t)PLX_MAX(PLX_MIN((int64_t)most, left), 0);
}
