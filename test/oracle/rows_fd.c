/* SPDX-License-Identifier: BSD-3-Clause */
/* fcntl(), ioctl(). */
#define ROWS "descriptors"
#include "kit.h"

#include <linux/sockios.h>
#include <net/if.h>

static int c, s; /* one row at a time */

static void say_flags(int fd)
{
	int flags = S(fcntl)(fd, F_GETFL);

	if (flags < 0)
		num(flags);
	else
		say("%s%s%s", (flags & O_ACCMODE) == O_RDWR ? "rw" : "?",
			flags & O_NONBLOCK ? "+nonblock" : "", flags & O_ASYNC ? "+async" : "");
}

static int asked(int fd, unsigned long request)
{
	int n = -1;

	if (S(ioctl)(fd, request, &n) < 0)
		num(-1);
	else
		say("%d", n);
	return n;
}

ROW(getfl, "F_GETFL: TCP, UDP, an epoll set, an eventfd")
{
	say_flags(tcp());
	say_flags(udp());
	say_flags(keep(S(epoll_create1)(0)));
	say_flags(keep(S(eventfd)(0, EFD_NONBLOCK)));
}

ROW(setfl, "F_SETFL: O_NONBLOCK on and off; other flags don't matter")
{
	int t = tcp();

	num(S(fcntl)(t, F_SETFL, O_NONBLOCK));
	say_flags(t);
	num(S(fcntl)(t, F_SETFL, O_CREAT | O_TRUNC));
	say_flags(t);
	num(S(fcntl)(t, F_SETFL, O_NONBLOCK));
	num(S(fcntl)(t, F_SETFL, 0));
	say_flags(t);
}

ROW(setfl_works, "F_SETFL: recv() and accept() don't wait then")
{
	char buf[4];
	int l = tcp_pair(&c, &s);

	must(S(fcntl)(s, F_SETFL, O_NONBLOCK));
	must(S(fcntl)(l, F_SETFL, O_NONBLOCK));
	num(S(recv)(s, buf, 4, 0));
	num(S(accept)(l, NULL, NULL));
}

ROW(async, "O_ASYNC, F_SETOWN: SIGIO when text comes")
{
	tcp_pair(&c, &s);
	num(S(fcntl)(s, F_SETOWN, getpid()));
	num(S(fcntl)(s, F_GETOWN) == getpid());
	num(S(fcntl)(s, F_SETFL, O_ASYNC));
	say_flags(s);
	put(c, "abc");
	await(s, POLLIN);
	for (int i = 0; i < 100 && !signals(SIGIO); i++)
		nap_ms(10);
	say("%s", signals(SIGIO) ? "sigio" : "-");
}

ROW(own_default, "F_GETOWN: nobody")
{
	num(S(fcntl)(tcp(), F_GETOWN));
}

ROW(own_group, "F_SETOWN, F_SETOWN_EX: a group; F_GETOWN has it negative")
{
	struct f_owner_ex ex = {.type = F_OWNER_PGRP, .pid = getpgrp()};
	int t = tcp(), n = 0;

	num(S(fcntl)(t, F_SETOWN, -getpgrp()));
	num(S(fcntl)(t, F_GETOWN) == -getpgrp());
	must(S(ioctl)(t, SIOCGPGRP, &n));
	num(n == -getpgrp());
	t = tcp();
	num(S(fcntl)(t, F_SETOWN_EX, &ex));
	num(S(fcntl)(t, F_GETOWN) == -getpgrp());
	ex = (struct f_owner_ex){.type = F_OWNER_TID};
	num(S(fcntl)(t, F_GETOWN_EX, &ex));
	num(ex.type == F_OWNER_PGRP && ex.pid == getpgrp());
}

ROW(own_nobody, "F_SETOWN_EX: nobody's number; a negative one; none; a kind that is none")
{
	static const int types[] = {F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP, 3, -1};
	int t = tcp();

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct f_owner_ex ex = {.type = types[i], .pid = 0x7ffffff0};

		num(S(fcntl)(t, F_SETOWN_EX, &ex));
		ex.pid = -1;
		num(S(fcntl)(t, F_SETOWN_EX, &ex));
		ex.pid = 0;
		num(S(fcntl)(t, F_SETOWN_EX, &ex));
		num(S(fcntl)(t, F_GETOWN));
	}
}

/* Of a thread that keeps them out: sent to the process, another one would take them. */
static void signal_of_mine(int sig)
{
	sigset_t set;

	for (int i = 0; i < 100; i++) {
		sigpending(&set);
		if (sigismember(&set, sig) || signals(sig))
			break;
		nap_ms(10);
	}
	say("%d", signals(sig));
	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	say("%d", signals(sig));
}

static void block_signal(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

ROW(own_thread_sigurg, "F_OWNER_TID: SIGURG is the thread's")
{
	struct f_owner_ex ex = {.type = F_OWNER_TID, .pid = gettid()};

	tcp_pair(&c, &s);
	num(S(fcntl)(s, F_SETOWN_EX, &ex));
	num(S(fcntl)(s, F_GETOWN) == gettid());
	block_signal(SIGURG);
	must(S(send)(c, "!", 1, MSG_OOB));
	signal_of_mine(SIGURG);
}

ROW(own_thread_sigio, "F_OWNER_TID: SIGIO is the thread's, and so is F_SETSIG's")
{
	struct f_owner_ex ex = {.type = F_OWNER_TID, .pid = gettid()};

	tcp_pair(&c, &s);
	num(S(fcntl)(s, F_SETOWN_EX, &ex));
	must(S(fcntl)(s, F_SETFL, O_ASYNC));
	block_signal(SIGIO);
	put(c, "abc");
	signal_of_mine(SIGIO);
	must(S(fcntl)(s, F_SETSIG, SIGUSR2));
	block_signal(SIGUSR2);
	put(c, "abc");
	signal_of_mine(SIGUSR2);
}

ROW(urgent_async, "O_ASYNC: an urgent byte sends SIGURG and SIGIO")
{
	tcp_pair(&c, &s);
	num(S(fcntl)(s, F_SETOWN, getpid()));
	must(S(fcntl)(s, F_SETFL, O_ASYNC));
	must(S(send)(c, "!", 1, MSG_OOB));
	await(s, POLLPRI);
	for (int i = 0; i < 100 && !(signals(SIGURG) && signals(SIGIO)); i++)
		nap_ms(10);
	say("%d %d", signals(SIGURG) > 0, signals(SIGIO) > 0);
}

ROW(setsig_int, "F_SETSIG: an int, whatever is above it; negative; too high")
{
	int t = tcp();

	num(S(fcntl)(t, F_SETSIG, 1L << 32 | SIGUSR1));
	num(S(fcntl)(t, F_GETSIG) == SIGUSR1);
	num(S(fcntl)(t, F_SETSIG, -1));
	num(S(fcntl)(t, F_SETSIG, 64));
	num(S(fcntl)(t, F_SETSIG, 65));
	num(S(fcntl)(t, F_SETSIG, 0));
}

ROW(getfd, "F_GETFD, F_SETFD")
{
	int t = tcp();

	num(S(fcntl)(t, F_GETFD));
	num(S(fcntl)(t, F_SETFD, FD_CLOEXEC));
	num(S(fcntl)(t, F_GETFD));
	num(S(fcntl)(t, F_SETFD, 0));
	num(S(fcntl)(t, F_GETFD));
}

ROW(dupfd, "F_DUPFD: two numbers, one socket")
{
	int t;

	tcp_pair(&c, &s);
	t = new_fd(S(fcntl)(s, F_DUPFD, 0));
	if (t < 0)
		return;
	num(drop(s));
	put(c, "abc");
	await(t, POLLIN);
	get(t, 10);
}

ROW(dupfd_cloexec, "F_DUPFD_CLOEXEC")
{
	int t = new_fd(S(fcntl)(tcp(), F_DUPFD_CLOEXEC, 0));

	if (t >= 0)
		num(S(fcntl)(t, F_GETFD));
}

ROW(fcntl_unknown, "fcntl(): locks, unknown commands")
{
	struct flock l = {.l_type = F_RDLCK};
	int t = tcp();

	num(S(fcntl)(t, 9999));
	num(S(fcntl)(t, F_GETLK, &l));
	num(S(fcntl)(t, F_GETPIPE_SZ));
}

ROW(fionbio, "FIONBIO: as O_NONBLOCK")
{
	int t = tcp(), on = 1;

	num(S(ioctl)(t, FIONBIO, &on));
	say_flags(t);
	on = 0;
	num(S(ioctl)(t, FIONBIO, &on));
	say_flags(t);
}

ROW(fioasync, "FIOASYNC: as O_ASYNC")
{
	int t = tcp(), on = 1;

	num(S(ioctl)(t, FIOASYNC, &on));
	say_flags(t);
}

ROW(fionread, "FIONREAD: TCP: bytes that are there; after FIN")
{
	tcp_pair(&c, &s);
	asked(s, FIONREAD);
	put(c, "abc");
	await(s, POLLIN);
	asked(s, FIONREAD);
	get(s, 1);
	asked(s, FIONREAD);
	S(shutdown)(c, SHUT_WR);
	await(s, POLLRDHUP);
	asked(s, FIONREAD);
	get(s, 10);
	asked(s, FIONREAD);
}

ROW(fionread_states, "FIONREAD: new, listening, UDP")
{
	asked(tcp(), FIONREAD);
	asked(listener_at(A1), FIONREAD);
	asked(udp(), FIONREAD);
}

ROW(fionread_udp, "FIONREAD: UDP: the next datagram's length")
{
	udp_pair(&c, &s);
	put(c, "abc");
	put(c, "defgh");
	await(s, POLLIN);
	settle();
	asked(s, FIONREAD);
	get(s, 1);
	asked(s, FIONREAD);
}

ROW(siocoutq, "SIOCOUTQ: what the peer has not acknowledged")
{
	tcp_pair(&c, &s);
	asked(c, SIOCOUTQ);
	put(c, "abc");
	await(s, POLLIN);
	settle();
	asked(c, SIOCOUTQ);
	asked(tcp(), SIOCOUTQ);
	asked(listener_at(A1), SIOCOUTQ);
}

ROW(siocoutq_full, "SIOCOUTQ, SIOCOUTQNSD: the peer does not read")
{
	static char block[65536];
	int n = 0;

	tcp_pair(&c, &s);
	while (S(send)(c, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	must(S(ioctl)(c, SIOCOUTQ, &n));
	say("%s", n > 0 ? "some" : "none");
	num(S(ioctl)(c, SIOCOUTQNSD, &n));
}

ROW(siocoutq_udp, "SIOCOUTQ: UDP, all sent")
{
	udp_pair(&c, &s);
	put(c, "abc");
	await(s, POLLIN);
	get(s, 10);
	settle();
	asked(c, SIOCOUTQ);
}

ROW(siocatmark_udp, "SIOCATMARK: UDP")
{
	asked(udp(), SIOCATMARK);
}

ROW(siocgstamp, "SIOCGSTAMP: no datagram yet")
{
	struct timeval tv;

	num(S(ioctl)(udp(), SIOCGSTAMP, &tv));
}

ROW(ioctl_unknown, "ioctl(): unknown; a terminal's")
{
	int n = 0;

	num(S(ioctl)(tcp(), 0x12345678, &n));
	num(S(ioctl)(tcp(), 0x5401 /* TCGETS */, &n));
	num(S(ioctl)(udp(), 0x12345678, &n));
}

ROW(ioctl_pointer, "ioctl(): no pointer")
{
	num(S(ioctl)(tcp(), FIONREAD, NULL));
	num(S(ioctl)(tcp(), FIONBIO, NULL));
}

ROW(ioctl_interfaces, "ioctl(): SIOCGIFMTU, _INDEX, _NAME, _HWADDR, _FLAGS; of none")
{
	struct ifreq ifr = {.ifr_name = LAN};

	num(S(ioctl)(udp(), SIOCGIFMTU, &ifr));
	say("%d", ifr.ifr_mtu);
	num(S(ioctl)(udp(), SIOCGIFINDEX, &ifr));
	say("%d", ifr.ifr_ifindex == (int)lan_index());
	num(S(ioctl)(udp(), SIOCGIFNAME, &ifr));
	num(S(ioctl)(udp(), SIOCGIFHWADDR, &ifr));
	say("%d", ifr.ifr_hwaddr.sa_family);
	num(S(ioctl)(udp(), SIOCGIFFLAGS, &ifr));
	say("%x", ifr.ifr_flags & (IFF_UP | IFF_BROADCAST | IFF_MULTICAST | IFF_NOARP));
	strcpy(ifr.ifr_name, "none0");
	num(S(ioctl)(udp(), SIOCGIFINDEX, &ifr));
	ifr.ifr_ifindex = 9999;
	num(S(ioctl)(udp(), SIOCGIFNAME, &ifr));
}

ROW(ioctl_eventfd, "ioctl(): an eventfd")
{
	asked(keep(S(eventfd)(0, 0)), FIONREAD);
}

ROW(getown_pgrp, "SIOCGPGRP, SIOCSPGRP, FIOSETOWN")
{
	int t = tcp(), pid = getpid(), got = -1;

	num(S(ioctl)(t, SIOCSPGRP, &pid));
	num(S(ioctl)(t, SIOCGPGRP, &got));
	say("%d", got == pid);
	num(S(fcntl)(t, F_GETOWN) == pid);
}
