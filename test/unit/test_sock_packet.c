/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet sockets on one lcore. */
#include "packet_t.h"

#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

static const uint8_t ours[6] = {2, 0, 0, 0, 0, 2}, peers[6] = {2, 0, 0, 0, 0, 1};

#define FRAME "ethertype 34997" /* PRIVATE, to us, 46 bytes of payload */

/* ---- in ---- */

T(a_whole_frame_and_whose_it_is)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	nt_in(0, FRAME);
	nt_no_drop(); /* it is not ETH_PROTO that is counted any more */
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	mem_eq(pt.b, nt.in.b, 60);
	eq(pt.ll_len, sizeof(struct sockaddr_ll));
	eq(pt.ll.sll_family, AF_PACKET);
	eq(pt.ll.sll_protocol, htons(PRIVATE));
	eq(pt.ll.sll_ifindex, 1);
	eq(pt.ll.sll_hatype, ARPHRD_ETHER);
	eq(pt.ll.sll_pkttype, PACKET_HOST);
	eq(pt.ll.sll_halen, 6);
	mem_eq(pt.ll.sll_addr, peers, 6);
	pt_none(fd);
	eq(plx_close(fd), 0);
	nt_in(0, FRAME);
	nt_drop(PLX_DROP_ETH_PROTO);
}

T(the_kinds_of_frames)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	nt_in(0, "to ff:ff:ff:ff:ff:ff " FRAME);
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_pkttype, PACKET_BROADCAST);
	nt_in(0, "to 01:00:5e:00:00:05 " FRAME);
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_pkttype, PACKET_MULTICAST);
	nt_no_drop();
	nt_in(0, "to 02:00:00:00:00:77 " FRAME);
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_pkttype, PACKET_OTHERHOST);
	nt_drop(PLX_DROP_ETH_OTHERHOST); /* the stack still drops it */
}

T(without_the_link_header)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_DGRAM, ETH_P_IP);
	pt_on(fd, SOL_PACKET, PACKET_AUXDATA);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 4");
	eq(pt_get(fd, 20, 0), 20);
	eq(pt.flags, MSG_TRUNC);
	mem_eq(pt.b, nt.in.b + 14, 20);
	mem_eq(pt.ll.sll_addr, peers, 6);
	ok(pt.has_aux);
	eq(pt.aux.tp_len, 32);
	eq(pt.aux.tp_snaplen, 32);
	eq(pt.aux.tp_net, 0);
	nt_drop(PLX_DROP_UDP_NO_PORT); /* and the stack went on with it */
}

T(all_of_them_and_what_goes_out)
{
	int fd, in_only;

	st_new();
	fd = pt_open(SOCK_RAW, ETH_P_ALL);
	in_only = pt_open(SOCK_RAW, ETH_P_ALL);
	pt_on(in_only, SOL_PACKET, PACKET_IGNORE_OUTGOING);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 8");
	eq(pt_get(fd, sizeof(pt.b), 0), 14 + 36);
	eq(pt.ll.sll_pkttype, PACKET_HOST);
	eq(pt.b[14 + 20], 8);
	eq(pt_get(fd, sizeof(pt.b), 0), 14 + 36);
	eq(pt.ll.sll_pkttype, PACKET_OUTGOING);
	eq(pt.b[14 + 20], 0);
	mem_eq(pt.ll.sll_addr, ours, 6);
	pt_none(fd);
	eq(pt_get(in_only, sizeof(pt.b), 0), 14 + 36);
	pt_none(in_only);
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp echo-reply len 8");
	nt_no_drop();
}

T(lengths_are_no_types)
{
	int novell, llc, all;

	st_new();
	novell = pt_open(SOCK_RAW, ETH_P_802_3);
	llc = pt_open(SOCK_RAW, ETH_P_802_2);
	all = pt_open(SOCK_RAW, ETH_P_ALL);
	nt_in(0, "ethertype 46");
	eq(pt_get(llc, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_protocol, htons(ETH_P_802_2));
	nt_make(0, "ethertype 46");
	nt.in.b[14] = nt.in.b[15] = 0xff;
	nt_feed(0);
	nt_run();
	pt_none(llc);
	eq(pt_get(novell, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_protocol, htons(ETH_P_802_3));
	eq(pt_get(all, sizeof(pt.b), 0), 60);
	eq(pt_get(all, sizeof(pt.b), 0), 60);
	nt_no_drop();
}

T(a_frame_in_pieces)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_DGRAM, ETH_P_IP);
	nt_in_chained(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 1000", 60);
	eq(pt_get(fd, sizeof(pt.b), 0), 1028);
	mem_eq(pt.b, nt.in.b + 14, 1028);
}

T(bound_to_an_interface_and_a_type)
{
	struct sockaddr_ll ll;
	socklen_t len = sizeof(ll);
	int fd;

	st_new();
	fd = pt_open(SOCK_RAW, 0);
	nt_in(0, FRAME);
	nt_drop(PLX_DROP_ETH_PROTO);
	pt_none(fd);
	fails(pt_bind(fd, 2, PRIVATE), ENODEV);
	fails(pt_bind(fd, -1, PRIVATE), ENODEV);
	fails(st_bind(fd, "10.0.0.2", 0), EINVAL); /* too short for one */
	eq(plx_getsockname(fd, (struct sockaddr *)&ll, &len), 0);
	eq(len, 12);
	eq(ll.sll_halen, 0);
	eq(pt_bind(fd, 1, PRIVATE), 0);
	len = sizeof(ll);
	eq(plx_getsockname(fd, (struct sockaddr *)&ll, &len), 0);
	eq(len, 18);
	eq(ll.sll_ifindex, 1);
	eq(ll.sll_protocol, htons(PRIVATE));
	eq(ll.sll_hatype, ARPHRD_ETHER);
	mem_eq(ll.sll_addr, ours, 6);
	nt_in(0, FRAME);
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	nt_in(0, "ethertype 34998");
	nt_drop(PLX_DROP_ETH_PROTO);
	pt_none(fd);
	fails(plx_getpeername(fd, (struct sockaddr *)&ll, &len), EOPNOTSUPP);
	fails(plx_connect(fd, (struct sockaddr *)&ll, sizeof(ll)), EOPNOTSUPP);
	fails(plx_listen(fd, 1), EOPNOTSUPP);
	fails(plx_shutdown(fd, SHUT_RD), EOPNOTSUPP);
}

/* ---- VLANs ---- */

static void with_vlan(void)
{
	st_new();
	eq(plx_net_if_add(nt.net, 0, 7, 0), 2);
	nt_sleep(PLX_SEC(30));
	nt_forget();
	nt_mark();
}

static void expect_untagged(int fd, int iface)
{
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_ifindex, iface);
	eq(pt.ll.sll_protocol, htons(PRIVATE));
	mem_eq(pt.b, nt.in.b, 12);
	mem_eq(pt.b + 12, nt.in.b + 16, 48);
}

T(a_tag_is_told_beside_the_frame)
{
	int port, vlan, orig;

	with_vlan();
	port = pt_open(SOCK_RAW, ETH_P_ALL);
	pt_on(port, SOL_PACKET, PACKET_AUXDATA);
	vlan = pt_open(SOCK_RAW, PRIVATE);
	eq(pt_bind(vlan, 2, PRIVATE), 0);
	pt_on(vlan, SOL_PACKET, PACKET_AUXDATA);
	orig = pt_open(SOCK_RAW, PRIVATE);
	pt_on(orig, SOL_PACKET, PACKET_ORIGDEV);
	eq(pt_bind(orig, 1, PRIVATE), 0); /* of the port, all its VLANs' */
	nt_in(0, "vlan 24583 " FRAME);	  /* priority 3, VLAN 7 */
	expect_untagged(port, 1);
	eq(pt.aux.tp_vlan_tci, 24583);
	eq(pt.aux.tp_vlan_tpid, ETH_P_8021Q);
	eq(pt.aux.tp_status & 0x50, TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID);
	eq(pt.aux.tp_net, 14);
	expect_untagged(port, 2); /* once more, at the VLAN's interface */
	eq(pt.aux.tp_status & TP_STATUS_VLAN_VALID, 0);
	pt_none(port);
	expect_untagged(vlan, 2);
	eq(pt.aux.tp_status & TP_STATUS_VLAN_VALID, 0);
	expect_untagged(orig, 1);
	nt_no_drop();
}

T(a_tag_of_nobodys)
{
	int all, typed;

	with_vlan();
	all = pt_open(SOCK_RAW, ETH_P_ALL);
	typed = pt_open(SOCK_RAW, PRIVATE);
	nt_in(0, "vlan 8 " FRAME);
	expect_untagged(all, 1);
	eq(pt.ll.sll_pkttype, PACKET_HOST);
	expect_untagged(typed, 1);
	eq(pt.ll.sll_pkttype, PACKET_OTHERHOST);
	nt_drop(PLX_DROP_VLAN_UNKNOWN);
}

T(out_by_a_vlan)
{
	static const uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, 1};
	int all, fd;

	with_vlan();
	all = pt_open(SOCK_RAW, ETH_P_ALL);
	pt_on(all, SOL_PACKET, PACKET_AUXDATA);
	fd = pt_open(SOCK_RAW, 0);
	eq(pt_bind(fd, 2, PRIVATE), 0);
	eq(plx_send(fd, frame, sizeof(frame), 0), sizeof(frame));
	eq(pt_sent(), 64);
	mem_eq(wire.b, frame, 12);
	mem_eq(wire.b + 12, "\x81\0\0\7", 4);
	mem_eq(wire.b + 16, frame + 12, 48);
	eq(pt_sent(), 0);
	eq(pt_get(all, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_ifindex, 2);
	mem_eq(pt.b, frame, 60);
	eq(pt_get(all, sizeof(pt.b), 0), 60);
	eq(pt.ll.sll_ifindex, 1);
	mem_eq(pt.b, frame, 60);
	eq(pt.aux.tp_vlan_tci, 7);
	pt_none(all);
}

/* ---- out ---- */

static int sent_to(int fd, int iface, uint16_t proto, size_t n)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_ifindex = iface,
		.sll_protocol = htons(proto),
		.sll_halen = 6,
		.sll_addr = {2, 0, 0, 0, 0, 1}};
	static uint8_t b[2000];
	int r = (int)plx_sendto(fd, b, n, 0, (struct sockaddr *)&ll, sizeof(ll));

	nt_run();
	return r;
}

T(a_frame_with_our_header)
{
	int fd;

	st_new();
	fd = pt_open(SOCK_DGRAM, 0);
	eq(sent_to(fd, 1, PRIVATE, 46), 46);
	eq(pt_sent(), 60);
	mem_eq(wire.b, peers, 6);
	mem_eq(wire.b + 6, ours, 6);
	mem_eq(wire.b + 12, "\x88\xb5", 2);
	eq(sent_to(fd, 1, ETH_P_802_2, 46), 46); /* whose type is its length */
	eq(pt_sent(), 60);
	mem_eq(wire.b + 12, "\0\x2e", 2);
	eq(sent_to(fd, 1, PRIVATE, 1500), 1500);
	eq(pt_sent(), 1514);
	fails(sent_to(fd, 1, PRIVATE, 1501), EMSGSIZE);
	fails(sent_to(fd, 1, PRIVATE, 1600), EMSGSIZE);
	fails(sent_to(fd, 7, PRIVATE, 46), ENXIO);
	fails(plx_send(fd, "x", 1, 0), ENXIO);
	eq(pt_bind(fd, 1, PRIVATE), 0);
	fails(plx_send(fd, "x", 1, 0), EINVAL); /* to whom? */
	eq(pt_sent(), 0);
}

T(a_frame_as_it_is)
{
	static const uint8_t frame[1519] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 9, 9, 9, 9, 9, 0x88, 0xb5};
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = 1};
	int fd, other;

	st_new();
	fd = pt_open(SOCK_RAW, ETH_P_ALL);
	other = pt_open(SOCK_RAW, ETH_P_ALL);
	eq(pt_bind(fd, 1, ETH_P_ALL), 0);
	eq(plx_send(fd, frame, 14, 0), 14);
	eq(pt_sent(), 14);
	mem_eq(wire.b, frame, 14);
	pt_none(fd); /* one's own are not heard */
	eq(pt_get(other, sizeof(pt.b), 0), 14);
	eq(pt.ll.sll_pkttype, PACKET_OUTGOING);
	eq(pt.ll.sll_addr[1], 9);
	fails(plx_send(fd, frame, 13, 0), EINVAL);
	eq(plx_send(fd, frame, 1514, 0), 1514);
	fails(plx_send(fd, frame, 1515, 0), EMSGSIZE);
	fails(plx_send(fd, frame, 1519, 0), EMSGSIZE);
	fails(plx_sendto(fd, frame, 14, 0, (struct sockaddr *)&ll, 12), EINVAL);
	eq(pt_get(other, sizeof(pt.b), 0), 1514);
	pt_on(fd, SOL_PACKET, PACKET_QDISC_BYPASS);
	eq(plx_send(fd, frame, 14, 0), 14);
	pt_none(other);
	eq(pt_sent(), 1514);
	eq(pt_sent(), 14);
	eq(pt_sent(), 0);
}

/* ---- the interface goes ---- */

T(down_and_up)
{
	int bound, all, err;
	socklen_t len = sizeof(err);

	st_new();
	bound = pt_open(SOCK_RAW, 0);
	eq(pt_bind(bound, 1, PRIVATE), 0);
	all = pt_open(SOCK_RAW, PRIVATE);
	eq(plx_net_if_set_up(nt.net, 1, false), 0);
	nt_run();
	eq(st_poll(bound) & (POLLERR | POLLIN), POLLERR);
	eq(st_poll(all) & POLLERR, 0);
	eq(pt_get(bound, sizeof(pt.b), 0), -ENETDOWN);
	pt_none(bound); /* it is told once */
	fails(sent_to(bound, 1, PRIVATE, 60), ENETDOWN);
	eq(pt_bind(bound, 1, ETH_P_ALL), 0);
	eq(plx_getsockopt(bound, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	eq(err, ENETDOWN);
	eq(plx_net_if_set_up(nt.net, 1, true), 0);
	nt_sleep(PLX_SEC(30));
	while (pt_get(bound, sizeof(pt.b), 0) > 0)
		;
	nt_in(0, FRAME);
	eq(pt_get(bound, sizeof(pt.b), 0), 60);
	eq(pt_get(all, sizeof(pt.b), 0), 60);
}

/* ---- room, readiness, what is told ---- */

T(no_room)
{
	int fd, small = 1, n = 0;
	struct tpacket_stats stats;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	pt_on(fd, SOL_SOCKET, SO_RXQ_OVFL);
	for (int i = 0; i < 10; i++)
		nt_in(0, FRAME);
	nt_no_drop(); /* its copies were never made */
	stats = pt_stats(fd);
	eq(stats.tp_packets, 10);
	ok(stats.tp_drops > 5 && stats.tp_drops < 10);
	eq(pt_stats(fd).tp_packets, 0);
	while (pt_get(fd, sizeof(pt.b), 0) == 60) {
		eq(pt.ovfl, 0); /* when it came */
		n++;
	}
	eq(n + stats.tp_drops, 10);
	nt_in(0, FRAME);
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	eq(pt.ovfl, 10 - n);
	stats = pt_stats(fd);
	eq(stats.tp_packets, 1);
	eq(stats.tp_drops, 0);
}

T(ready_and_told_how_much)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	int fd, set, n = -1;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	set = plx_epoll_create1(0);
	eq(plx_epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev), 0);
	eq(plx_epoll_wait(set, &ev, 1, 0), 0);
	eq(st_poll(fd), POLLOUT | POLLWRNORM | POLLWRBAND);
	eq(plx_ioctl(fd, FIONREAD, &n), 0);
	eq(n, 0);
	nt_in(0, FRAME);
	eq(plx_epoll_wait(set, &ev, 1, 0), 1);
	eq(ev.events, EPOLLIN);
	eq(plx_epoll_wait(set, &ev, 1, 0), 0);
	eq(st_poll(fd) & (POLLIN | POLLRDNORM), POLLIN | POLLRDNORM);
	eq(plx_ioctl(fd, FIONREAD, &n), 0);
	eq(n, 60);
	eq(pt_get(fd, 10, MSG_PEEK | MSG_TRUNC), 60);
	eq(pt.flags, MSG_TRUNC);
	pt_on(fd, SOL_SOCKET, SO_TIMESTAMPNS);
	nt_in(0, FRAME);
	eq(pt_get(fd, 10, 0), 10);
	ok(pt.has_stamp);
	eq(pt_get(fd, sizeof(pt.b), MSG_OOB), -EINVAL);
	eq(pt_get(fd, sizeof(pt.b), 0), 60);
	ok(pt.has_stamp);
}

T(an_mbuf_of_ones_own)
{
	struct rte_mbuf *m;
	int fd;

	st_new();
	fd = pt_open(SOCK_RAW, PRIVATE);
	nt_in(0, FRAME);
	m = plx_recv_mbuf(fd);
	assert_non_null(m);
	eq(m->pkt_len, 60);
	eq(plx_net_frame_of(m)->iface, 1);
	rte_pktmbuf_free(m);
	nt_in(0, FRAME); /* waits until the end */
}

/* ---- options ---- */

static int member(int fd, int name, int iface, uint16_t type, uint16_t alen)
{
	struct packet_mreq mr = {.mr_ifindex = iface,
		.mr_type = type,
		.mr_alen = alen,
		.mr_address = {1, 0, 0x5e, 1, 2, 3}};
	int r = plx_setsockopt(fd, SOL_PACKET, name, &mr, sizeof(mr));

	nt_run();
	return r;
}

T(memberships)
{
	struct plx_port *p;
	int fd, other;

	st_new();
	p = nt.port[0].port;
	p->features |= PLX_PORT_F_RX_FILTER;
	fd = pt_open(SOCK_RAW, 0);
	other = pt_open(SOCK_RAW, 0);
	fails(member(fd, PACKET_ADD_MEMBERSHIP, 9, PACKET_MR_PROMISC, 0), ENODEV);
	fails(member(fd, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_MULTICAST, 4), EINVAL);
	fails(member(fd, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_MULTICAST, 7), EINVAL);
	eq(member(fd, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_PROMISC, 0), 0);
	eq(member(fd, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_PROMISC, 0), 0);
	eq(member(other, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_PROMISC, 0), 0);
	eq(member(fd, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_ALLMULTI, 0), 0);
	ok(p->promisc && p->allmulti);
	eq(member(fd, PACKET_DROP_MEMBERSHIP, 1, PACKET_MR_ALLMULTI, 0), 0);
	ok(!p->allmulti);
	eq(member(fd, PACKET_DROP_MEMBERSHIP, 1, PACKET_MR_PROMISC, 0), 0);
	eq(member(fd, PACKET_DROP_MEMBERSHIP, 1, PACKET_MR_PROMISC, 0), 0);
	eq(member(fd, PACKET_DROP_MEMBERSHIP, 1, PACKET_MR_PROMISC, 0), 0); /* once too often */
	ok(p->promisc);
	eq(plx_close(other), 0);
	ok(!p->promisc);
	eq(member(fd, PACKET_ADD_MEMBERSHIP, 1, PACKET_MR_MULTICAST, 6), 0);
	mem_eq(&nt.port[0].mcast[nt.port[0].n_mcast - 1], "\1\0\x5e\1\2\3", 6);
	eq(plx_close(fd), 0);
	ok(memcmp(&nt.port[0].mcast[nt.port[0].n_mcast - 1], "\1\0\x5e\1\2\3", 6) != 0);
}

T(what_there_is_not)
{
	int fd, v = 1;
	socklen_t len = sizeof(v);

	st_new();
	fails(plx_socket(AF_PACKET, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	fd = pt_open(SOCK_DGRAM, 0);
	fails(plx_setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &v, sizeof(v)), ENOPROTOOPT);
	fails(plx_setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &v, sizeof(v)), ENOPROTOOPT);
	fails(plx_setsockopt(fd, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)), ENOPROTOOPT);
	fails(plx_setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &v, 3), EINVAL);
	fails(plx_setsockopt(fd, IPPROTO_IP, 1, &v, sizeof(v)), ENOPROTOOPT);
	fails(plx_getsockopt(fd, IPPROTO_IP, 1, &v, &len), ENOPROTOOPT);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &len), 0);
	eq(v, AF_PACKET);
	eq(plx_getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len), 0);
	eq(v, SOCK_DGRAM);
	eq(plx_getsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &v, &len), 0);
	eq(v, 0);
	pt_on(fd, SOL_PACKET, PACKET_ORIGDEV);
	eq(plx_getsockopt(fd, SOL_PACKET, PACKET_ORIGDEV, &v, &len), 0);
	eq(v, 1);
	fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)), ENOPROTOOPT);
}

/* ---- filters ---- */

static int attach(int fd, const struct sock_filter *code, unsigned short n)
{
	struct sock_fprog fp = {n, (struct sock_filter *)(uintptr_t)code};

	return plx_setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fp, sizeof(fp));
}

/* UDP to port 9 of IPv4 in Ethernet, 40 bytes of each. */
static const struct sock_filter udp_9[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 6),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 9, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 40),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

T(a_filter)
{
	static const struct sock_filter first_byte[] = {/* of IP: there is no link header */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0x40000),
		BPF_STMT(BPF_RET | BPF_K, 0)};
	static const struct sock_filter kind[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_STMT(BPF_RET | BPF_A, 0)};
	static const struct sock_filter jump[] = {
		BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0), BPF_STMT(BPF_RET | BPF_K, 0)};
	static const struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
	static const struct sock_filter by_zero[] = {
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_A, 0)};
	static const struct sock_filter shift[] = {
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), BPF_STMT(BPF_RET | BPF_A, 0)};
	static const struct sock_filter scratch[] = {
		BPF_STMT(BPF_LD | BPF_MEM, BPF_MEMWORDS), BPF_STMT(BPF_RET | BPF_A, 0)};
	static const struct sock_filter far[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0)};
	int fd, dgram, v = 0;

	with_vlan();
	fd = pt_open(SOCK_RAW, ETH_P_ALL);
	dgram = pt_open(SOCK_DGRAM, ETH_P_IP);
	pt_on(fd, SOL_PACKET, PACKET_AUXDATA);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)), ENOENT);
	eq(attach(fd, udp_9, PLX_DIM(udp_9)), 0);
	eq(attach(dgram, first_byte, PLX_DIM(first_byte)), 0);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 8 len 100");
	pt_none(fd);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 100");
	eq(pt_get(fd, sizeof(pt.b), 0), 40);
	eq(pt.aux.tp_len, 142);
	eq(pt.aux.tp_snaplen, 40);
	/* a tag is not there for it, nor are the pieces of a frame */
	nt_make(0, "vlan 7 ip 10.0.0.1 > 10.0.0.2 udp 1 > 9 len 100");
	t_port_feed(&nt.port[0], 0, nt.in.b, nt.in.bytes, 33);
	nt_run();
	eq(pt_get(fd, sizeof(pt.b), 0), 40);
	eq(pt_get(fd, sizeof(pt.b), 0), 40);
	pt_none(fd);
	eq(pt_get(dgram, sizeof(pt.b), 0), 128);
	fails(attach(fd, kind, PLX_DIM(kind)), EINVAL);
	fails(attach(fd, jump, PLX_DIM(jump)), EINVAL);
	fails(attach(fd, endless, PLX_DIM(endless)), EINVAL);
	fails(attach(fd, by_zero, PLX_DIM(by_zero)), EINVAL);
	fails(attach(fd, shift, PLX_DIM(shift)), EINVAL);
	fails(attach(fd, scratch, PLX_DIM(scratch)), EINVAL);
	fails(attach(fd, far, PLX_DIM(far)), EINVAL);
	fails(attach(fd, udp_9, 0), EINVAL);
	pt_on(fd, SOL_SOCKET, SO_LOCK_FILTER);
	fails(attach(fd, udp_9, PLX_DIM(udp_9)), EPERM);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)), EPERM);
	fails(plx_setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &v, sizeof(v)), EPERM);
	eq(plx_setsockopt(dgram, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)), 0);
}

RUN_EAL(ST_(a_whole_frame_and_whose_it_is), ST_(the_kinds_of_frames), ST_(without_the_link_header),
	ST_(all_of_them_and_what_goes_out), ST_(lengths_are_no_types), ST_(a_frame_in_pieces),
	ST_(bound_to_an_interface_and_a_type), ST_(a_tag_is_told_beside_the_frame),
	ST_(a_tag_of_nobodys), ST_(out_by_a_vlan), ST_(a_frame_with_our_header),
	ST_(a_frame_as_it_is), ST_(down_and_up), ST_(no_room), ST_(ready_and_told_how_much),
	ST_(an_mbuf_of_ones_own), ST_(memberships), ST_(what_there_is_not), ST_(a_filter))
