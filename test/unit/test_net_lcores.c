/* SPDX-License-Identifier: BSD-3-Clause */
/* More lcores than one: what arrives where its socket is not. */
#define T_EAL_LCORES "(0-1)@0"
#include "net_t.h"

static struct nt_sock here, there;

static void start(void)
{
	struct plx_addr group = t_addr("239.1.2.3");

	nt_simple();
	eq(plx_engine_lcores(nt.eng), 2);
	eq(nt_open(&here, 8, 0), 0);
	eq(nt_open(&there, 9, 1), 0);
	eq(plx_net_group_join(nt.net, 1, &group), 0);
	nt_run();
	nt_forget();
	nt_mark();
}

T(a_datagram_goes_to_its_socket)
{
	start();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 4");
	eq(there.n, 1);
	eq(there.lcore, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 8 len 4");
	eq(here.n, 1);
	eq(here.lcore, 0);
	eq(nt_stat(PLX_STAT_IP_INRECEIVES), 2);
	eq(nt_stat(PLX_STAT_IP_INDELIVERS), 2);
	nt_no_drop();
}

/* A group's members are on both; so are those of what we send ourselves. */
T(a_group_has_members_everywhere)
{
	start();
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1 > 8 len 4");
	eq(here.n, 1);
	eq(here.lcore, 0);
	nt_in(0, "ip 10.0.0.1 > 239.1.2.3 udp 1 > 9 len 4");
	eq(there.n, 1);
	eq(there.lcore, 1);
	eq(nt_send("239.1.2.3", 3000), PLX_DROP_NONE);
	eq(there.n, 2);
	eq(there.bytes, 3000);
	eq(there.lcore, 1);
	eq(there.msg.iface, 1);
	ok(there.msg.to_many);
	eq(nt_forget(), 3);
	nt_no_drop();
}

RUN_EAL(NT_(a_datagram_goes_to_its_socket), NT_(a_group_has_members_everywhere))
