/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet sockets on LAN. Frames have an EtherType for experiments, so that what the stacks say of
 * themselves is told apart.
 */
#define ROWS "packets"
#include "kit.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define PRIVATE 0x88b5

static struct {
	uint8_t b[2000];
	ssize_t n;
	struct sockaddr_ll ll;
	struct msghdr m;
	struct tpacket_auxdata aux;
	bool has_aux, has_stamp;
} in; /* one row at a time */

static int packet(int type, int proto)
{
	return keep((int)must(S(socket)(AF_PACKET, type, htons((uint16_t)proto))));
}

static int bind_to(int fd, int ifindex, int proto)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_ifindex = ifindex,
		.sll_protocol = htons((uint16_t)proto)};

	return S(bind)(fd, (struct sockaddr *)&ll, sizeof(ll));
}

static int packet_at(int type, int proto)
{
	int fd = packet(type, 0);

	must(bind_to(fd, (int)lan_index(), proto));
	return fd;
}

/* LAN's MAC. */
static void lan_mac(uint8_t *mac)
{
	struct sockaddr_ll ll = {0};
	socklen_t len = sizeof(ll);
	int fd = packet_at(SOCK_RAW, 0);

	must(S(getsockname)(fd, (struct sockaddr *)&ll, &len));
	memcpy(mac, ll.sll_addr, 6);
	must(drop(fd));
}

/* From a neighbour. @param to "us", or the six bytes. */
static size_t frame_of(uint8_t *b, const char *to, int type)
{
	static const uint8_t from[6] = {2, 1, 2, 3, 4, 5};

	memset(b, 0, 64);
	if (strcmp(to, "us") == 0)
		lan_mac(b);
	else
		memcpy(b, to, 6);
	memcpy(b + 6, from, 6);
	b[12] = (uint8_t)(type >> 8);
	b[13] = (uint8_t)type;
	memcpy(b + 14, "hello", 5);
	return 64;
}

static void comes(const char *to, int type)
{
	uint8_t b[64];

	lan_in(b, frame_of(b, to, type));
}

static void comes_tagged(const char *to, int tci)
{
	uint8_t b[68];

	frame_of(b, to, ETH_P_8021Q);
	b[14] = (uint8_t)(tci >> 8);
	b[15] = (uint8_t)tci;
	b[16] = PRIVATE >> 8;
	b[17] = PRIVATE & 0xff;
	memcpy(b + 18, "hello", 5);
	lan_in(b, 64);
}

static ssize_t take_flags(int fd, size_t room, int flags)
{
	static union {
		struct cmsghdr h;
		char b[256];
	} control;
	struct iovec v = {in.b, room};

	in.m = (struct msghdr){.msg_name = &in.ll,
		.msg_namelen = sizeof(in.ll),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	in.has_aux = in.has_stamp = false;
	in.n = S(recvmsg)(fd, &in.m, flags | MSG_DONTWAIT);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&in.m); in.n >= 0 && h; h = CMSG_NXTHDR(&in.m, h)) {
		if (h->cmsg_level == SOL_PACKET && h->cmsg_type == PACKET_AUXDATA) {
			in.has_aux = true;
			memcpy(&in.aux, CMSG_DATA(h), sizeof(in.aux));
		}
		in.has_stamp |= h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_TIMESTAMPNS;
	}
	return in.n;
}

static bool is_ours(void)
{
	return in.ll.sll_protocol == htons(PRIVATE) || in.ll.sll_protocol == htons(ETH_P_8021Q) ||
	       in.ll.sll_protocol == htons(ETH_P_802_2) || in.ll.sll_protocol == htons(ETH_P_802_3);
}

/* The next frame that is ours, if it has come. @return whether there was one. */
static bool took(int fd)
{
	while (take_flags(fd, sizeof(in.b), 0) >= 0)
		if (is_ours())
			return true;
	return false;
}

/* The same, when it comes. */
static bool take(int fd)
{
	await(fd, POLLIN);
	return took(fd);
}

static void say_frame(void)
{
	static const char *const kind[] = {"host", "broadcast", "multicast", "other", "outgoing"};

	say("%zd %s type %x if %s hw %d/%d %02x:%02x from %s/%d", in.n,
		in.ll.sll_pkttype < 5 ? kind[in.ll.sll_pkttype] : "?", ntohs(in.ll.sll_protocol),
		in.ll.sll_ifindex == (int)lan_index() ? "LAN" : "?", in.ll.sll_hatype,
		in.ll.sll_halen, in.b[12], in.b[13],
		memcmp(in.ll.sll_addr, "\2\1\2\3\4\5", 6) == 0 ? "neighbour" : "us",
		(int)in.m.msg_namelen);
}

static void take_and_say(int fd)
{
	if (take(fd))
		say_frame();
	else
		num(-1);
}

static void say_aux(void)
{
	if (!in.has_aux)
		say("no auxdata");
	else
		say("aux status %x len %u snap %u mac %u net %u vlan %u/%x",
			in.aux.tp_status & ~(unsigned)(TP_STATUS_CSUM_VALID), in.aux.tp_len,
			in.aux.tp_snaplen, in.aux.tp_mac, in.aux.tp_net, in.aux.tp_vlan_tci,
			in.aux.tp_vlan_tpid);
}

/* ---- its life ---- */

ROW(packet_types, "socket(AF_PACKET): the types")
{
	static const int types[] = {
		SOCK_RAW, SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET, SOCK_RDM, 99};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		new_fd(S(socket)(AF_PACKET, types[i], 0));
	new_fd(S(socket)(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0x12345678));
	new_fd(S(socket)(AF_PACKET, SOCK_RAW, -1));
}

ROW(packet_what_it_is, "SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR of one")
{
	int fd = packet(SOCK_DGRAM, PRIVATE);

	say_int(fd, SOL_SOCKET, SO_TYPE);
	say_int(fd, SOL_SOCKET, SO_DOMAIN);
	say_int(fd, SOL_SOCKET, SO_PROTOCOL);
	say_error(fd);
	see(fd);
}

static void say_ll(int fd)
{
	struct sockaddr_ll ll;
	socklen_t len = sizeof(ll);

	memset(&ll, 0xee, sizeof(ll));
	if (num(S(getsockname)(fd, (struct sockaddr *)&ll, &len)) == 0)
		say("%d/%u if %s type %x hw %d/%d kind %d", ll.sll_family, len,
			ll.sll_ifindex == (int)lan_index() ? "LAN"
			: ll.sll_ifindex		   ? "?"
							   : "any",
			ntohs(ll.sll_protocol), ll.sll_hatype, ll.sll_halen, ll.sll_pkttype);
}

ROW(packet_names, "getsockname() of a fresh one, of one that is bound, and bound anew; no peer")
{
	struct at a = {.len = sizeof(a.ss)};
	int fd = packet(SOCK_RAW, PRIVATE);

	say_ll(fd);
	num(bind_to(fd, (int)lan_index(), ETH_P_IP));
	say_ll(fd);
	num(bind_to(fd, 0, 0));
	say_ll(fd);
	num(S(getpeername)(fd, &a.sa, &a.len));
}

ROW(packet_bind_wrong, "bind(): no interface, a negative one, short, of another family")
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = (int)lan_index()};
	int fd = packet(SOCK_RAW, PRIVATE);

	num(bind_to(fd, 9999, PRIVATE));
	num(bind_to(fd, -1, PRIVATE));
	num(S(bind)(fd, (struct sockaddr *)&ll, 12));
	num(S(bind)(fd, (struct sockaddr *)&ll, 19));
	num(S(bind)(fd, (struct sockaddr *)&ll, 20));
	num(S(bind)(fd, (struct sockaddr *)&ll, 21));
	ll.sll_family = AF_INET;
	num(S(bind)(fd, (struct sockaddr *)&ll, sizeof(ll)));
}

ROW(packet_no_calls, "connect(), listen(), accept(), shutdown()")
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = (int)lan_index()};
	int fd = packet(SOCK_RAW, PRIVATE);

	num(S(connect)(fd, (struct sockaddr *)&ll, sizeof(ll)));
	num(S(listen)(fd, 1));
	num(S(accept)(fd, NULL, NULL));
	num(S(shutdown)(fd, SHUT_RDWR));
}

/* ---- in ---- */

ROW(packet_kinds, "frames to us, to all, to a group, to somebody else")
{
	int fd = packet_at(SOCK_RAW, PRIVATE);

	comes("us", PRIVATE);
	take_and_say(fd);
	comes("\xff\xff\xff\xff\xff\xff", PRIVATE);
	take_and_say(fd);
	comes("\1\0\x5e\1\2\3", PRIVATE);
	take_and_say(fd);
	comes("\2\7\7\7\7\7", PRIVATE);
	take_and_say(fd);
}

ROW(packet_cooked, "SOCK_DGRAM: behind the link header")
{
	int fd = packet_at(SOCK_DGRAM, PRIVATE);

	set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1);
	comes("us", PRIVATE);
	take_and_say(fd);
	say("%.5s", (char *)in.b);
	say_aux();
}

ROW(packet_all, "ETH_P_ALL, another type, type 0, and no interface named")
{
	int all = packet_at(SOCK_RAW, ETH_P_ALL), other = packet_at(SOCK_RAW, 0x88b6),
	    none = packet(SOCK_RAW, 0), any = packet(SOCK_RAW, PRIVATE);

	comes("us", PRIVATE);
	take_and_say(all);
	take_and_say(any);
	num(take_flags(other, 100, 0));
	num(take_flags(none, 100, 0));
}

ROW(packet_8023, "lengths in place of types")
{
	int all = packet_at(SOCK_RAW, ETH_P_ALL), llc = packet_at(SOCK_RAW, ETH_P_802_2),
	    novell = packet_at(SOCK_RAW, ETH_P_802_3);
	uint8_t b[64];

	comes("us", 50);
	take_and_say(all);
	take_and_say(llc);
	frame_of(b, "us", 50);
	b[14] = b[15] = 0xff;
	lan_in(b, sizeof(b));
	take_and_say(all);
	take_and_say(novell);
	num(take_flags(llc, 100, 0));
}

ROW(packet_auxdata, "PACKET_AUXDATA of a frame, and of a part of it")
{
	int fd = packet_at(SOCK_RAW, PRIVATE);

	comes("us", PRIVATE);
	take(fd);
	say_aux();
	num(set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1));
	comes("us", PRIVATE);
	await(fd, POLLIN);
	num(take_flags(fd, 20, 0));
	say("%x", (unsigned)in.m.msg_flags);
	say_aux();
}

ROW(packet_vlan, "a tag of a VLAN that is not ours, and of none (VLAN 0)")
{
	int all = packet_at(SOCK_RAW, ETH_P_ALL), typed = packet_at(SOCK_RAW, PRIVATE),
	    tags = packet_at(SOCK_RAW, ETH_P_8021Q);

	set_int(all, SOL_PACKET, PACKET_AUXDATA, 1);
	set_int(typed, SOL_PACKET, PACKET_AUXDATA, 1);
	for (int tci = 0x6007; tci >= 0x6000; tci -= 7) {
		comes_tagged("us", tci);
		take_and_say(all);
		say_aux();
		take_and_say(typed);
		say_aux();
	}
	num(take_flags(tags, 100, 0));
}

ROW(packet_flags, "recv(): MSG_PEEK, MSG_TRUNC, flags that it does not take, the queue of errors")
{
	int fd = packet_at(SOCK_RAW, PRIVATE);

	comes("us", PRIVATE);
	await(fd, POLLIN);
	num(take_flags(fd, 10, MSG_PEEK));
	num(take_flags(fd, 10, MSG_PEEK | MSG_TRUNC));
	num(take_flags(fd, 100, MSG_OOB));
	num(take_flags(fd, 100, MSG_WAITALL));
	num(take_flags(fd, 100, MSG_NOSIGNAL));
	num(take_flags(fd, 100, MSG_ERRQUEUE));
	num(take_flags(fd, 0, 0));
	num(take_flags(fd, 100, 0));
}

ROW(packet_short_name, "recvfrom(): less room for the address than it takes")
{
	struct sockaddr_ll ll;
	socklen_t len = 12;
	int fd = packet_at(SOCK_RAW, PRIVATE);
	char b[100];

	memset(&ll, 0xee, sizeof(ll));
	comes("us", PRIVATE);
	await(fd, POLLIN);
	num(S(recvfrom)(fd, b, sizeof(b), 0, (struct sockaddr *)&ll, &len));
	say("%u halen %d %02x", len, ll.sll_halen, ll.sll_addr[0]);
}

ROW(packet_ready, "poll() and FIONREAD: nothing, a frame, read")
{
	int fd = packet_at(SOCK_RAW, PRIVATE), n = -1;

	see(fd);
	num(S(ioctl)(fd, FIONREAD, &n));
	say("%d", n);
	comes("us", PRIVATE);
	await(fd, POLLIN);
	see(fd);
	num(S(ioctl)(fd, FIONREAD, &n));
	say("%d", n);
	take(fd);
	see(fd);
}

ROW(packet_stamp, "SO_TIMESTAMPNS")
{
	int fd = packet_at(SOCK_RAW, PRIVATE);

	set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	comes("us", PRIVATE);
	take(fd);
	say("%d", in.has_stamp);
}

ROW(packet_statistics, "PACKET_STATISTICS: read, and read again; a full queue; wrong lengths")
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	int fd = packet_at(SOCK_RAW, PRIVATE), n = 0;

	for (int i = 0; i < 3; i++)
		comes("us", PRIVATE);
	while (n < 3 && take(fd))
		n++;
	for (int i = 0; i < 2; i++) {
		num(S(getsockopt)(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len));
		say("%u-%u/%u", st.tp_packets, st.tp_drops, len);
	}
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 1);
	for (int i = 0; i < 20; i++)
		comes("us", PRIVATE);
	settle();
	settle();
	must(S(getsockopt)(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	say("%u %s", st.tp_packets, st.tp_drops > 5 && st.tp_drops < 20 ? "some lost" : "?");
	len = 4;
	num(S(getsockopt)(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	say("%u", len);
	num(S(setsockopt)(fd, SOL_PACKET, PACKET_STATISTICS, &st, sizeof(st)));
}

/* ---- out ---- */

static void out_frame(int fd, const char *to, int type)
{
	uint8_t b[64];

	frame_of(b, to, type);
	num(S(send)(fd, b, sizeof(b), 0));
}

ROW(packet_outgoing, "a frame that is sent: others of ETH_P_ALL see it")
{
	int a = packet_at(SOCK_RAW, ETH_P_ALL), b = packet_at(SOCK_RAW, ETH_P_ALL),
	    typed = packet_at(SOCK_RAW, PRIVATE), quiet = packet_at(SOCK_RAW, ETH_P_ALL);

	num(set_int(quiet, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1));
	out_frame(a, "\2\7\7\7\7\7", PRIVATE);
	take_and_say(b);
	settle();
	num(took(a));
	num(take_flags(typed, 100, 0));
	num(took(quiet));
	num(set_int(a, SOL_PACKET, PACKET_QDISC_BYPASS, 1));
	out_frame(a, "\2\7\7\7\7\7", PRIVATE);
	settle();
	num(took(b));
}

ROW(packet_send_lengths, "send(): frames that are too short and too long")
{
	int fd = packet_at(SOCK_RAW, PRIVATE);
	uint8_t b[1600];

	memset(b, 0, sizeof(b));
	frame_of(b, "\2\7\7\7\7\7", PRIVATE);
	num(S(send)(fd, b, 0, 0));
	num(S(send)(fd, b, 13, 0));
	num(S(send)(fd, b, 14, 0));
	num(S(send)(fd, b, 1514, 0));
	num(S(send)(fd, b, 1515, 0));
	num(S(send)(fd, b, 1518, 0));
	num(S(send)(fd, b, 1519, 0));
	frame_of(b, "\2\7\7\7\7\7", ETH_P_8021Q);
	num(S(send)(fd, b, 1518, 0));
	num(S(send)(fd, b, 1519, 0));
}

static ssize_t to_neighbour(int fd, size_t n, int ifindex, int halen, socklen_t len)
{
	static uint8_t b[2000] = "hello";
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_ifindex = ifindex,
		.sll_protocol = htons(PRIVATE),
		.sll_halen = (uint8_t)halen,
		.sll_addr = {2, 7, 7, 7, 7, 7}};

	return S(sendto)(fd, b, n, 0, (struct sockaddr *)&ll, len);
}

ROW(packet_send_cooked, "SOCK_DGRAM: sendto(), with and without an address, and lengths")
{
	int fd = packet(SOCK_DGRAM, 0), all = packet_at(SOCK_RAW, ETH_P_ALL),
	    lan = (int)lan_index();

	num(to_neighbour(fd, 50, lan, 6, 20));
	take_and_say(all);
	num(S(send)(fd, "x", 1, 0));
	must(bind_to(fd, lan, PRIVATE));
	num(S(send)(fd, "x", 1, 0));
	num(to_neighbour(fd, 0, lan, 6, 20));
	num(to_neighbour(fd, 1500, lan, 6, 20));
	num(to_neighbour(fd, 1501, lan, 6, 20));
	num(to_neighbour(fd, 1519, lan, 6, 20));
	num(to_neighbour(fd, 50, lan, 4, 20));
	num(to_neighbour(fd, 50, lan, 9, 20));
	num(to_neighbour(fd, 50, lan, 6, 18));
	num(to_neighbour(fd, 50, 9999, 6, 20));
	num(to_neighbour(fd, 50, 0, 6, 20));
}

ROW(packet_send_nowhere, "send() of one that is not bound; what sendto() says of the interface")
{
	int fd = packet(SOCK_RAW, PRIVATE);

	out_frame(fd, "\2\7\7\7\7\7", PRIVATE);
	num(to_neighbour(fd, 60, (int)lan_index(), 0, 20));
	num(to_neighbour(fd, 60, (int)lan_index(), 0, 12));
	num(to_neighbour(fd, 60, 9999, 0, 20));
}

/* ---- options ---- */

static void say_opt(int fd, int name)
{
	int v = -7;
	socklen_t len = sizeof(v);

	if (num(S(getsockopt)(fd, SOL_PACKET, name, &v, &len)) == 0)
		say("%d/%u", v, len);
}

ROW(packet_options, "PACKET_AUXDATA, _ORIGDEV, _IGNORE_OUTGOING, _QDISC_BYPASS: values, lengths")
{
	static const int names[] = {
		PACKET_AUXDATA, PACKET_ORIGDEV, PACKET_IGNORE_OUTGOING, PACKET_QDISC_BYPASS};
	static const int values[] = {1, 7, -1, 0};
	int fd = packet(SOCK_RAW, 0);
	long two[2] = {1, 0};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		say("%s", i ? "|" : "");
		say_opt(fd, names[i]);
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			num(set_int(fd, SOL_PACKET, names[i], values[k]));
			say_opt(fd, names[i]);
		}
		num(S(setsockopt)(fd, SOL_PACKET, names[i], two, 3));
		num(S(setsockopt)(fd, SOL_PACKET, names[i], two, 8));
	}
	num(set_int(fd, SOL_PACKET, 9999, 1));
	say_opt(fd, 9999);
	say_opt(fd, PACKET_ADD_MEMBERSHIP);
	num(set_int(fd, IPPROTO_IP, IP_TTL, 1));
	num(set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1));
}

static int member(int fd, int name, int ifindex, int type, int alen)
{
	struct packet_mreq mr = {.mr_ifindex = ifindex,
		.mr_type = (unsigned short)type,
		.mr_alen = (unsigned short)alen,
		.mr_address = {1, 0, 0x5e, 1, 2, 3}};

	return S(setsockopt)(fd, SOL_PACKET, name, &mr, sizeof(mr));
}

ROW(packet_members, "PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP")
{
	int fd = packet(SOCK_RAW, 0), lan = (int)lan_index();

	for (int type = PACKET_MR_MULTICAST; type <= PACKET_MR_UNICAST; type++) {
		num(member(fd, PACKET_ADD_MEMBERSHIP, lan, type, 0));
		num(member(fd, PACKET_ADD_MEMBERSHIP, lan, type, 6));
		num(member(fd, PACKET_DROP_MEMBERSHIP, lan, type, 6));
	}
	num(member(fd, PACKET_ADD_MEMBERSHIP, lan, 99, 0));
	num(member(fd, PACKET_ADD_MEMBERSHIP, lan, PACKET_MR_MULTICAST, 7));
	num(member(fd, PACKET_ADD_MEMBERSHIP, lan, PACKET_MR_MULTICAST, 9));
	num(member(fd, PACKET_ADD_MEMBERSHIP, 9999, PACKET_MR_PROMISC, 0));
	num(member(fd, PACKET_DROP_MEMBERSHIP, lan, PACKET_MR_PROMISC, 3));
	num(set_int(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, 1));
}

ROW(packet_filter, "SO_ATTACH_FILTER: 20 bytes of each frame, none, and back; wrong ones; locked")
{
	static struct sock_filter some[] = {BPF_STMT(BPF_RET | BPF_K, 20)},
				  none[] = {BPF_STMT(BPF_RET | BPF_K, 0)},
				  endless[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
	struct sock_fprog fp = {1, some};
	int fd = packet_at(SOCK_RAW, PRIVATE);

	set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1);
	num(set_int(fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	num(S(setsockopt)(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fp, sizeof(fp)));
	comes("us", PRIVATE);
	take(fd);
	say("%zd", in.n);
	say_aux();
	fp.filter = none;
	num(S(setsockopt)(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fp, sizeof(fp)));
	comes("us", PRIVATE);
	settle();
	num(take_flags(fd, 100, 0));
	num(set_int(fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	comes("us", PRIVATE);
	take(fd);
	say("%zd", in.n);
	fp.filter = endless;
	num(S(setsockopt)(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fp, sizeof(fp)));
	fp.len = 0;
	num(S(setsockopt)(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fp, sizeof(fp)));
	num(S(setsockopt)(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fp, 8));
	num(set_int(fd, SOL_SOCKET, SO_LOCK_FILTER, 1));
	say_int(fd, SOL_SOCKET, SO_LOCK_FILTER);
	num(set_int(fd, SOL_SOCKET, SO_LOCK_FILTER, 0));
	num(set_int(fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
}

ROW(packet_fanout, "PACKET_FANOUT")
{
	int fd = packet_at(SOCK_RAW, PRIVATE);

	num(set_int(fd, SOL_PACKET, PACKET_FANOUT, 1));
}

ROW(packet_ring, "PACKET_VERSION, PACKET_RX_RING")
{
	struct tpacket_req rq = {4096, 1, 2048, 2};
	int fd = packet_at(SOCK_RAW, PRIVATE);

	num(set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2));
	num(S(setsockopt)(fd, SOL_PACKET, PACKET_RX_RING, &rq, sizeof(rq)));
}
