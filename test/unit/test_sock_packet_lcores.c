/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet sockets where their frames are not: copies go to their lcore. */
#define T_EAL_LCORES "(0-1)@0"
#include "packet_t.h"

#define FRAME "ethertype 34997"

/* A frame comes in at the other lcore's queue. */
static void far_in(const char *frame)
{
	nt_make(0, frame);
	t_port_feed(&nt.port[0], 1, nt.in.b, nt.in.bytes, 0);
}

T(a_copy_is_handed_over)
{
	int fd;

	st_new();
	eq(plx_engine_lcores(nt.eng), 2);
	fd = pt_open(SOCK_RAW, PRIVATE);
	far_in(FRAME);
	plx_engine_step(nt.eng, 1);
	pt_none(fd); /* it is under way */
	eq(plx_engine_held(nt.eng), 1);
	nt_run();
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	mem_eq(pt.b, nt.in.b, 60);
	eq(pt.ll.sll_ifindex, 1);
	nt_in(0, FRAME); /* and its own lcore's */
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	nt_no_drop();
}

/* What is under way to a socket that is bound anew comes to it; to one that is closed, no more. */
T(a_socket_that_is_gone_meanwhile)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	far_in(FRAME);
	plx_engine_step(nt.eng, 1);
	eq(pt_bind(fd, 1, PRIVATE), 0);
	nt_run();
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	far_in(FRAME);
	plx_engine_step(nt.eng, 1);
	eq(plx_close(fd), 0);
	nt_run();
	nt_drop(PLX_DROP_TAP_GONE);
	nt_sleep(PLX_SEC(1));
}

T(the_backlog_is_full)
{
	struct tpacket_stats stats;
	int fd, n = 0;

	st_new();
	nt_tun(PLX_TUN_NETDEV_MAX_BACKLOG, 4);
	fd = pt_open(SOCK_RAW, PRIVATE);
	for (int i = 0; i < 10; i++)
		far_in(FRAME);
	plx_engine_step(nt.eng, 1);
	nt_run();
	nt_drops(PLX_DROP_BACKLOG_FULL, 6);
	while (pt_get(fd, sizeof(pt.b), 0) == 60)
		n++;
	eq(n, 4);
	stats = pt_stats(fd);
	eq(stats.tp_packets, 4);
}

/* A full queue stops copies where they would be made. */
T(no_room_seen_from_afar)
{
	int fd, small = 1, n = 0;
	struct tpacket_stats stats;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 10; i++) {
		far_in(FRAME);
		nt_run();
	}
	nt_no_drop();
	stats = pt_stats(fd);
	eq(stats.tp_packets, 10);
	while (pt_get(fd, sizeof(pt.b), 0) == 60)
		n++;
	eq(n + stats.tp_drops, 10);
}

T(both_lcores_are_told_that_a_link_is_down)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_RAW, 0);
	eq(pt_bind(fd, 1, PRIVATE), 0);
	eq(plx_net_if_set_up(nt.net, 1, false), 0);
	nt_run();
	eq(pt_get(fd, sizeof(pt.b), 0), -ENETDOWN);
}

RUN_EAL(ST_(a_copy_is_handed_over), ST_(a_socket_that_is_gone_meanwhile), ST_(the_backlog_is_full),
	ST_(no_room_seen_from_afar), ST_(both_lcores_are_told_that_a_link_is_down))
