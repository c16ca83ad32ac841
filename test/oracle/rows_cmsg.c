/* SPDX-License-Identifier: BSD-3-Clause */
/* recvmsg(): what comes beside the text; the queue of errors. */
#define ROWS "control messages"
#include "cmsg.h"

static int a, b; /* one row at a time */

static void with_option(int level, int name)
{
	if (level == IPPROTO_IPV6)
		udp_pair6(&a, &b);
	else
		udp_pair(&a, &b);
	num(set_int(b, level, name, 1));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
}

ROW(nothing_asked, "recvmsg(): nothing asked for, nothing comes")
{
	udp_pair(&a, &b);
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
	say("%d", (int)in.m.msg_controllen);
	say_addr(&in.from.sa, in.m.msg_namelen);
}

ROW(pktinfo, "IP_PKTINFO")
{
	with_option(IPPROTO_IP, IP_PKTINFO);
}

ROW(recvttl, "IP_RECVTTL")
{
	with_option(IPPROTO_IP, IP_RECVTTL);
}

ROW(recvtos, "IP_RECVTOS")
{
	with_option(IPPROTO_IP, IP_RECVTOS);
}

ROW(origdstaddr, "IP_RECVORIGDSTADDR")
{
	with_option(IPPROTO_IP, IP_RECVORIGDSTADDR);
}

ROW(timestamp, "SO_TIMESTAMP")
{
	with_option(SOL_SOCKET, SO_TIMESTAMP);
}

ROW(timestampns, "SO_TIMESTAMPNS")
{
	with_option(SOL_SOCKET, SO_TIMESTAMPNS);
}

ROW(rxq_ovfl, "SO_RXQ_OVFL: nothing lost yet")
{
	with_option(SOL_SOCKET, SO_RXQ_OVFL);
}

ROW(pktinfo6, "IPV6_RECVPKTINFO")
{
	with_option(IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

ROW(hoplimit6, "IPV6_RECVHOPLIMIT")
{
	with_option(IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
}

ROW(tclass6, "IPV6_RECVTCLASS")
{
	with_option(IPPROTO_IPV6, IPV6_RECVTCLASS);
}

ROW(ttl_that_was_set, "IP_TTL, IP_TOS: what was set is what arrives")
{
	udp_pair(&a, &b);
	must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
	must(set_int(b, IPPROTO_IP, IP_RECVTOS, 1));
	must(set_int(a, IPPROTO_IP, IP_TTL, 33));
	must(set_int(a, IPPROTO_IP, IP_TOS, 0x88));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
}

ROW(hops_that_were_set, "IPV6_UNICAST_HOPS, IPV6_TCLASS: what was set is what arrives")
{
	udp_pair6(&a, &b);
	must(set_int(b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
	must(set_int(b, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
	must(set_int(a, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33));
	must(set_int(a, IPPROTO_IPV6, IPV6_TCLASS, 0x88));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
}

ROW(all_at_once, "several of them, and their order")
{
	udp_pair(&a, &b);
	must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
	must(set_int(b, IPPROTO_IP, IP_RECVTOS, 1));
	must(set_int(b, IPPROTO_IP, IP_PKTINFO, 1));
	must(set_int(b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
}

ROW(ctrunc, "MSG_CTRUNC: less room than they need")
{
	static const size_t rooms[] = {0, 8, 16, 20, 24, 44, 48};

	udp_pair(&a, &b);
	must(set_int(b, IPPROTO_IP, IP_PKTINFO, 1));
	must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		put(a, "abc");
		await(b, POLLIN);
		take(b, rooms[i], 0);
		say("%zu;", in.m.msg_controllen);
	}
}

ROW(peeked, "MSG_PEEK: they come each time")
{
	udp_pair(&a, &b);
	must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, MSG_PEEK);
	take_all(b, 0);
}

ROW(not_over_tcp, "TCP gives none of IP's")
{
	tcp_pair(&a, &b);
	num(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
	num(set_int(b, IPPROTO_IP, IP_PKTINFO, 1));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
}

ROW(tcp_inq, "TCP_INQ: how much more there is")
{
	tcp_pair(&a, &b);
	num(set_int(b, IPPROTO_TCP, TCP_INQ, 1));
	put(a, "abc");
	await(b, POLLIN);
	take_all(b, 0);
}

ROW(tcp_inq_fin, "TCP_INQ: text and a FIN, the FIN alone, after it")
{
	tcp_pair(&a, &b);
	num(set_int(b, IPPROTO_TCP, TCP_INQ, 1));
	put(a, "abcde");
	must(S(shutdown)(a, SHUT_WR));
	await(b, POLLRDHUP);
	take_all(b, MSG_PEEK);
	take_all(b, 0);
	take_all(b, 0);
}

ROW(pktinfo_mapped, "IPv4 at an IPv6 socket: IP_PKTINFO, IPV6_RECVPKTINFO")
{
	int s = udp6();

	must(set_int(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
	must(bind_at(s, ANY6, 0));
	must(send_at(udp(), "abc", A1, port_of(s)));
	await(s, POLLIN);
	take_all(s, 0);
}

/* ---- MSG_ERRQUEUE ---- */

ROW(errqueue_empty, "MSG_ERRQUEUE: nothing there; TCP")
{
	take_all(udp(), MSG_ERRQUEUE);
	take_all(tcp(), MSG_ERRQUEUE);
}

static int refused(void)
{
	int s = udp();

	must(set_int(s, IPPROTO_IP, IP_RECVERR, 1));
	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	put(s, "abc");
	await(s, POLLERR);
	return s;
}

ROW(errqueue, "MSG_ERRQUEUE: who, what, the datagram, where it went to")
{
	int s = refused();

	take_all(s, MSG_ERRQUEUE);
	say("'%.3s'", in.text);
	say_addr(&in.from.sa, in.m.msg_namelen);
	take_all(s, MSG_ERRQUEUE);
	say_error(s);
	see(s);
}

ROW(errqueue_after_error, "MSG_ERRQUEUE: still there after SO_ERROR")
{
	int s = refused();

	say_error(s);
	see(s);
	take_all(s, MSG_ERRQUEUE);
	see(s);
}

ROW(errqueue_select, "SO_SELECT_ERR_QUEUE: POLLPRI as well, as long as there is an error")
{
	int s = refused();

	num(set_int(s, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1));
	see(s);
	take_all(s, MSG_ERRQUEUE);
	see(s);
	say_error(s);
	see(s);
}

ROW(errqueue_two, "MSG_ERRQUEUE: two of them")
{
	int s = refused();

	S(send)(s, "de", 2, 0);
	S(send)(s, "de", 2, 0);
	settle();
	take_all(s, MSG_ERRQUEUE);
	take_all(s, MSG_ERRQUEUE);
	take_all(s, MSG_ERRQUEUE);
}

ROW(errqueue_off, "IP_RECVERR 0: empties the queue")
{
	int s = refused();

	must(set_int(s, IPPROTO_IP, IP_RECVERR, 0));
	take_all(s, MSG_ERRQUEUE);
}

ROW(errqueue6, "MSG_ERRQUEUE: IPv6")
{
	int s = udp6();

	must(set_int(s, IPPROTO_IPV6, IPV6_RECVERR, 1));
	must(connect_at(s, B1, 9));
	put(s, "abc");
	await(s, POLLERR);
	take_all(s, MSG_ERRQUEUE);
	say_addr(&in.from.sa, in.m.msg_namelen);
}

ROW(errqueue_local, "MSG_ERRQUEUE: EMSGSIZE of our own")
{
	static char block[3000];
	int s = udp();

	must(set_int(s, IPPROTO_IP, IP_RECVERR, 1));
	must(set_int(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	must(connect_at(s, NOBODY, 7));
	num(S(send)(s, block, sizeof(block), 0));
	take_all(s, MSG_ERRQUEUE);
}
