/* SPDX-License-Identifier: BSD-3-Clause */
/* More lcores than one: a connection lives where its flow belongs. */
#define T_EAL_LCORES "(0-1)@0"
#include "net_tcp_t.h"

/* Wherever its segments arrive, one lcore has a connection; both have some. */
T(a_flow_has_one_lcore)
{
	uint32_t lcores = 0;
	struct tt_seg s;

	tt_start();
	eq(plx_engine_lcores(nt.eng), 2);
	tt.hold = true;
	for (int i = 0; i < 16; i++) {
		uint32_t lcore;

		tt.accepted = 0;
		tt.port++;
		tt_connect();
		lcore = tt.lcore;
		lcores |= 1u << lcore;
		tt_make(PLX_TCP_ACK, tt.seq, 0, 10);
		t_port_feed(&nt.port[0], 1, nt.in.b, nt.in.bytes, 0);
		nt_run();
		eq(tt.lcore, lcore);
		nt_sleep(PLX_MS(300));
		tt_expect(&s, PLX_TCP_ACK, 0);
		tt_in(PLX_TCP_RST, tt.seq + 10, 0, 0);
		eq(tt.err, ECONNRESET);
	}
	eq(lcores, 3);
	eq(nt_stat(PLX_STAT_TCP_INSEGS), 16 * 4);
	nt_no_drop();
}

/* The answer to our SYN comes to the lcore that has sent it, without being handed over. */
T(a_port_is_chosen_for_its_lcore)
{
	struct plx_net_tcp_to to = {.raddr = t_addr("10.0.0.1"), .rport = 80};
	struct tt_seg s;

	tt_start();
	for (uint16_t lcore = 0; lcore < 2; lcore++)
		for (int i = 0; i < 8; i++) {
			struct plx_softnet *sn = plx_engine_softnet(nt.eng, lcore);
			struct plx_net_tcp *c;

			tt.closed = 0;
			eq(plx_net_tcp_connect(sn, &to, &tt_ops, NULL, &c), 0);
			nt_run();
			tt_expect(&s, PLX_TCP_SYN, 0);
			/* an error goes the same way, from the other lcore too */
			nt_make(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 1 quote 28");
			t_port_feed(&nt.port[0], 1, nt.in.b, nt.in.bytes, 0);
			nt_run();
			eq(tt.closed, 1);
		}
	nt_no_drop();
}

RUN_EAL(TT_(a_flow_has_one_lcore), TT_(a_port_is_chosen_for_its_lcore))
