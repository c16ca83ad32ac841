/* SPDX-License-Identifier: BSD-3-Clause */
/* The rebalancer at work: flows of unlike weight, three lcores. */
#define T_EAL_LCORES "(0-2)@0"
#define T_EAL_MEM    "128"
#include "net_tcp_t.h"

#include <errno.h>

#include "../../lib/net/balance.h"

#define LCORES 3
#define FLOWS  300

static uint32_t pkts[LCORES]; /* by owner, of a second */

/* A segment of flow i, for nobody: only where it goes matters. */
static void feed(uint32_t i)
{
	tt.port = (uint16_t)(2000 + i);
	tt_make(PLX_TCP_RST, 1, 0, 0);
	t_port_feed(&nt.port[0], (uint16_t)(i % LCORES), nt.in.b, nt.in.bytes, 0);
}

static uint16_t owner(uint32_t i)
{
	const struct plx_tcp_id id = {.laddr = t_addr("10.0.0.2"),
		.raddr = t_addr("10.0.0.1"),
		.lport = TT_PORT,
		.rport = (uint16_t)(2000 + i)};

	return net__tcp_owner(nt.net->lcore[0], &id);
}

/* Flow i has 1/(i+1) of the first one's packets. */
static uint32_t part(uint32_t i)
{
	return 1200 / (i + 1);
}

/* A second, in steps of 10 ms. */
static void second(void)
{
	memset(pkts, 0, sizeof(pkts));
	for (uint32_t t = 0; t < 100; t++) {
		for (uint32_t i = 0; i < FLOWS; i++) {
			uint32_t n = (part(i) * (t + 1)) / 100 - part(i) * t / 100;

			pkts[owner(i)] += n;
			while (n--)
				feed(i);
		}
		nt_sleep(PLX_MS(10));
		nt_forget();
	}
}

static uint32_t worst(void)
{
	uint32_t all = 0, most = 0;

	for (int i = 0; i < LCORES; i++) {
		all += pkts[i];
		most = PLX_MAX(most, pkts[i]);
	}
	return most * 1000 * LCORES / all;
}

static void all_to(uint16_t lcore)
{
	uint16_t want[PLX_OWNER_BUCKETS_MAX];

	for (uint16_t i = 0; i < plx_net_buckets(nt.net); i++)
		want[i] = lcore;
	eq(plx_net_owners_set(nt.net, want, plx_net_buckets(nt.net)), 0);
	nt_sleep(PLX_MS(20));
}

static const struct plx_balance *balance(void)
{
	return (const struct plx_balance *)nt.net->balance; /* its first member */
}

/* From all on one lcore to what is best, within a second of it. */
T(uneven_flows_are_spread)
{
	tt_start();
	all_to(1);
	second();
	eq(worst(), 1000 * LCORES); /* it is off */
	nt_tun(PLX_TUN_STEER_BALANCE, 2);
	second();
	second();
	ok(worst() <= 1150);
	ok(balance()->done > 10);
	eq(balance()->refused, 0);
	/* and nothing moves any more */
	nt_mark();
	for (int i = 0; i < 5; i++) {
		uint64_t done = balance()->done;

		second();
		ok(worst() <= 1150);
		ok(balance()->done <= done + 2);
	}
}

T(it_only_says)
{
	tt_start();
	all_to(2);
	nt_tun(PLX_TUN_STEER_BALANCE, 1);
	second();
	second();
	eq(worst(), 1000 * LCORES);
	eq(balance()->said.why, PLX_BALANCE_WHY_ADVISED);
	eq(balance()->said.lcore, 2);
	eq(balance()->done, 0);
}

/* An lcore that is to own nothing gets nothing. */
T(lcores_that_are_out_stay_out)
{
	static const uint16_t two[] = {0, 2};

	tt_start();
	nt_tun(PLX_TUN_STEER_BALANCE, 2);
	eq(plx_net_owners_share(nt.net, two, NULL, 2), 0);
	nt_sleep(PLX_MS(20));
	second();
	second();
	second();
	eq(pkts[1], 0);
	ok(worst() <= 1725); /* 1.15 times 3/2 */
	eq(plx_net_owners_share(nt.net, two, NULL, 0), -EINVAL);
	eq(plx_net_owners_share(nt.net, (const uint16_t[]){0, 3}, NULL, 2), -EINVAL);
	eq(plx_net_owners_share(nt.net, two, (const uint32_t[]){1, 257}, 2), -EINVAL);
	eq(plx_net_owners_share(nt.net, two, (const uint32_t[]){0, 0}, 2), -EINVAL);
}

RUN_EAL(TT_(uneven_flows_are_spread), TT_(it_only_says), TT_(lcores_that_are_out_stay_out))
