/* SPDX-License-Identifier: BSD-3-Clause */
/* What each state of a socket looks like: to poll(), select(), epoll, and to those who go on. */
#include "kit.h"

/* ---- states ---- */

static int tcp_fresh(void)
{
	return tcp();
}

static int tcp_bound(void)
{
	int s = tcp();

	must(bind_at(s, A1, 0));
	return s;
}

static int tcp_listening(void)
{
	return listener_at(A1);
}

static int tcp_listening_one(void)
{
	int l = listener_at(A1);

	must(connect_at(tcp(), A1, port_of(l)));
	await(l, POLLIN);
	return l;
}

static int tcp_listening_shut(void)
{
	int l = listener_at(A1);

	must(S(shutdown)(l, SHUT_RD));
	return l;
}

static int tcp_connecting(void)
{
	int s = tcp();

	nonblock(s);
	connect_at(s, NOBODY, 7);
	settle();
	return s;
}

static int tcp_refused(void)
{
	int s = tcp();

	nonblock(s);
	connect_at(s, A1, free_port(SOCK_STREAM));
	await(s, POLLOUT);
	return s;
}

static int tcp_connected(void)
{
	int c, s;

	tcp_pair(&c, &s);
	await(c, POLLOUT);
	return c;
}

static int tcp_accepted(void)
{
	int c, s;

	tcp_pair(&c, &s);
	return s;
}

static int tcp_text(void)
{
	int c, s;

	tcp_pair(&c, &s);
	put(c, "abc");
	await(s, POLLIN);
	return s;
}

static int tcp_full(void)
{
	static char block[65536];
	int c, s, quiet = 0;

	tcp_pair(&c, &s);
	must(set_int(c, SOL_SOCKET, SO_SNDBUF, 8192));
	must(set_int(s, SOL_SOCKET, SO_RCVBUF, 8192));
	while (quiet < 5) {
		if (S(send)(c, block, sizeof(block), MSG_DONTWAIT) > 0) {
			quiet = 0;
			continue;
		}
		quiet++;
		settle();
	}
	return c;
}

static int tcp_fin(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_WR));
	await(s, POLLIN);
	return s;
}

static int tcp_text_fin(void)
{
	int c, s;

	tcp_pair(&c, &s);
	put(c, "abc");
	must(S(shutdown)(c, SHUT_WR));
	await(s, POLLRDHUP);
	return s;
}

static int tcp_peer_closed(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(drop(c));
	await(s, POLLIN);
	return s;
}

static int tcp_shut_wr(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_WR));
	await(s, POLLIN);
	settle();
	return c;
}

static int tcp_shut_rd(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_RD));
	settle();
	return c;
}

static int tcp_shut_rd_text(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(s, SHUT_RD));
	put(c, "abc");
	settle();
	return s;
}

static int tcp_shut_both(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_RDWR));
	await(s, POLLIN);
	settle();
	return c;
}

static int tcp_fin_both(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_WR));
	await(s, POLLIN);
	must(S(shutdown)(s, SHUT_WR));
	await(s, POLLHUP);
	nap_ms(50); /* for the FIN to be acknowledged */
	return s;
}

static int tcp_time_wait(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(shutdown)(c, SHUT_WR));
	await(s, POLLIN);
	must(S(shutdown)(s, SHUT_WR));
	await(c, POLLHUP);
	settle();
	return c;
}

static int tcp_reset(void)
{
	int c, s;

	tcp_pair(&c, &s);
	reset(c);
	await(s, POLLHUP);
	return s;
}

static int tcp_text_reset(void)
{
	int c, s;

	tcp_pair(&c, &s);
	put(c, "abc");
	await(s, POLLIN);
	reset(c);
	await(s, POLLHUP);
	return s;
}

static int tcp_fin_reset(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(drop(c));
	await(s, POLLIN);
	put(s, "into the void");
	await(s, POLLHUP);
	return s;
}

static int tcp_urgent(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(S(send)(c, "!", 1, MSG_OOB));
	await(s, POLLPRI);
	return s;
}

static int tcp_urgent_inline(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(set_int(s, SOL_SOCKET, SO_OOBINLINE, 1));
	must(S(send)(c, "!", 1, MSG_OOB));
	await(s, POLLPRI);
	return s;
}

static int tcp_below_low_water(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 5));
	put(c, "abc");
	settle();
	return s;
}

static int tcp_at_low_water(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 5));
	put(c, "abcde");
	await(s, POLLIN);
	return s;
}

static int tcp_low_water_fin(void)
{
	int c, s;

	tcp_pair(&c, &s);
	must(set_int(s, SOL_SOCKET, SO_RCVLOWAT, 5));
	put(c, "abc");
	must(S(shutdown)(c, SHUT_WR));
	await(s, POLLRDHUP);
	return s;
}

static int tcp_disconnected(void)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int c, s;

	tcp_pair(&c, &s);
	must(S(connect)(c, &nowhere, sizeof(nowhere)));
	return c;
}

static int udp_fresh(void)
{
	return udp();
}

static int udp_bound(void)
{
	int s = udp();

	must(bind_at(s, A1, 0));
	return s;
}

static int udp_text(void)
{
	int a, b;

	udp_pair(&a, &b);
	put(a, "abc");
	await(b, POLLIN);
	return b;
}

static int udp_empty(void)
{
	int a, b;

	udp_pair(&a, &b);
	put(a, "");
	await(b, POLLIN);
	return b;
}

static int udp_refused(void)
{
	int s = udp();

	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	put(s, "abc");
	await(s, POLLIN);
	return s;
}

static int udp_refused_queued(void)
{
	int s = udp();

	must(set_int(s, IPPROTO_IP, IP_RECVERR, 1));
	must(connect_at(s, A1, free_port(SOCK_DGRAM)));
	put(s, "abc");
	await(s, POLLERR);
	return s;
}

static int udp_shut_rd(void)
{
	int a, b;

	udp_pair(&a, &b);
	must(S(shutdown)(a, SHUT_RD));
	return a;
}

static int udp_shut_wr(void)
{
	int a, b;

	udp_pair(&a, &b);
	must(S(shutdown)(a, SHUT_WR));
	return a;
}

static int udp_shut_both(void)
{
	int a, b;

	udp_pair(&a, &b);
	must(S(shutdown)(a, SHUT_RDWR));
	return a;
}

static int udp_low_water(void)
{
	int a, b;

	udp_pair(&a, &b);
	must(set_int(b, SOL_SOCKET, SO_RCVLOWAT, 5));
	put(a, "abc");
	await(b, POLLIN);
	return b;
}

/* ---- observers ---- */

static void by_poll(int fd)
{
	see(fd);
}

static void by_poll_none(int fd)
{
	struct pollfd p = {.fd = fd};

	num(S(poll)(&p, 1, 0));
	say("%s", events_text((unsigned short)p.revents));
}

static void by_select(int fd)
{
	struct timeval none = {0};
	fd_set rd, wr, ex;
	int n;

	FD_ZERO(&rd);
	FD_ZERO(&wr);
	FD_ZERO(&ex);
	FD_SET(fd, &rd);
	FD_SET(fd, &wr);
	FD_SET(fd, &ex);
	n = S(select)(fd + 1, &rd, &wr, &ex, &none);
	if (num(n) >= 0)
		say("%s%s%s", FD_ISSET(fd, &rd) ? "r" : "-", FD_ISSET(fd, &wr) ? "w" : "-",
			FD_ISSET(fd, &ex) ? "x" : "-");
}

static void by_epoll(int fd)
{
	struct epoll_event ev = {.events = ALL_EVENTS}, got[2];
	int ep = keep((int)must(S(epoll_create1)(0))), n;

	must(S(epoll_ctl)(ep, EPOLL_CTL_ADD, fd, &ev));
	n = S(epoll_wait)(ep, got, 2, 0);
	say("%s", n == 1 ? events_text(got[0].events) : n == 0 ? "-" : "?");
}

static void by_recv(int fd)
{
	get(fd, 100);
	get(fd, 100);
	see(fd);
}

static void by_send(int fd)
{
	num(S(send)(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	settle();
	num(S(send)(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static void by_error(int fd)
{
	say_error(fd);
	say_error(fd);
	see(fd);
}

static void by_connect(int fd)
{
	nonblock(fd);
	num(connect_at(fd, A2, free_port(SOCK_STREAM)));
}

static void by_listen(int fd)
{
	num(S(listen)(fd, 1));
	see(fd);
}

static void by_names(int fd)
{
	say_name(fd);
	say_peer(fd);
}

static void by_shutdown(int fd)
{
	num(S(shutdown)(fd, SHUT_RD));
	num(S(shutdown)(fd, SHUT_WR));
	nap_ms(50); /* for the FIN to be acknowledged */
	num(S(shutdown)(fd, SHUT_RDWR));
}

static const struct {
	const char *name, *what;
	void (*fn)(int fd);
} observers[] = {
	{"poll", "poll()", by_poll},
	{"poll0", "poll() for nothing", by_poll_none},
	{"select", "select()", by_select},
	{"epoll", "epoll", by_epoll},
	{"error", "SO_ERROR twice, poll()", by_error},
	{"recv", "recv() twice, poll()", by_recv},
	{"send", "send() twice", by_send},
	{"connect", "connect()", by_connect},
	{"listen", "listen(), poll()", by_listen},
	{"names", "getsockname(), getpeername()", by_names},
	{"shutdown", "shutdown() RD, WR, RDWR", by_shutdown},
};
#define OBSERVERS (sizeof(observers) / sizeof(observers[0]))

static const struct {
	const char *name, *what;
	int (*make)(void);
} states[] = {
	{"tcp_fresh", "TCP, new", tcp_fresh},
	{"tcp_bound", "TCP, bound", tcp_bound},
	{"tcp_listening", "TCP, listening", tcp_listening},
	{"tcp_listening_one", "TCP, listening, one waits", tcp_listening_one},
	{"tcp_listening_shut", "TCP, listening, then SHUT_RD", tcp_listening_shut},
	{"tcp_connecting", "TCP, SYN sent", tcp_connecting},
	{"tcp_refused", "TCP, refused", tcp_refused},
	{"tcp_connected", "TCP, connected", tcp_connected},
	{"tcp_accepted", "TCP, accepted", tcp_accepted},
	{"tcp_text", "TCP, text there", tcp_text},
	{"tcp_full", "TCP, send buffer full", tcp_full},
	{"tcp_fin", "TCP, FIN came", tcp_fin},
	{"tcp_text_fin", "TCP, text and FIN came", tcp_text_fin},
	{"tcp_peer_closed", "TCP, the peer has closed", tcp_peer_closed},
	{"tcp_shut_wr", "TCP, SHUT_WR", tcp_shut_wr},
	{"tcp_shut_rd", "TCP, SHUT_RD", tcp_shut_rd},
	{"tcp_shut_rd_text", "TCP, SHUT_RD, then text came", tcp_shut_rd_text},
	{"tcp_shut_both", "TCP, SHUT_RDWR", tcp_shut_both},
	{"tcp_fin_both", "TCP, FIN came, FIN sent", tcp_fin_both},
	{"tcp_time_wait", "TCP, FIN sent, FIN came", tcp_time_wait},
	{"tcp_reset", "TCP, RST came", tcp_reset},
	{"tcp_text_reset", "TCP, text and RST came", tcp_text_reset},
	{"tcp_fin_reset", "TCP, FIN came, sent, RST came", tcp_fin_reset},
	{"tcp_urgent", "TCP, urgent byte there", tcp_urgent},
	{"tcp_urgent_inline", "TCP, urgent byte, SO_OOBINLINE", tcp_urgent_inline},
	{"tcp_below_low_water", "TCP, less than SO_RCVLOWAT", tcp_below_low_water},
	{"tcp_at_low_water", "TCP, SO_RCVLOWAT reached", tcp_at_low_water},
	{"tcp_low_water_fin", "TCP, less than SO_RCVLOWAT, FIN", tcp_low_water_fin},
	{"tcp_disconnected", "TCP, connect() to AF_UNSPEC", tcp_disconnected},
	{"udp_fresh", "UDP, new", udp_fresh},
	{"udp_bound", "UDP, bound", udp_bound},
	{"udp_text", "UDP, a datagram there", udp_text},
	{"udp_empty", "UDP, an empty datagram there", udp_empty},
	{"udp_refused", "UDP, port unreachable came", udp_refused},
	{"udp_refused_queued", "UDP, the same, IP_RECVERR", udp_refused_queued},
	{"udp_shut_rd", "UDP, SHUT_RD", udp_shut_rd},
	{"udp_shut_wr", "UDP, SHUT_WR", udp_shut_wr},
	{"udp_shut_both", "UDP, SHUT_RDWR", udp_shut_both},
	{"udp_low_water", "UDP, less than SO_RCVLOWAT", udp_low_water},
};
#define STATES (sizeof(states) / sizeof(states[0]))

struct cell {
	int (*make)(void);
	void (*see)(int fd);
};

static void run_cell(const void *arg)
{
	const struct cell *c = arg;

	c->see(c->make());
}

__attribute__((constructor)) static void add_cells(void)
{
	static struct cell cells[STATES][OBSERVERS];
	char name[100], what[200];

	for (size_t i = 0; i < STATES; i++) {
		for (size_t k = 0; k < OBSERVERS; k++) {
			cells[i][k] = (struct cell){states[i].make, observers[k].fn};
			snprintf(name, sizeof(name), "%s_%s", states[i].name, observers[k].name);
			snprintf(what, sizeof(what), "%s: %s", states[i].what, observers[k].what);
			row_make(&(struct row){.group = "ready",
				.name = name,
				.what = what,
				.order = (int)(i * OBSERVERS + k),
				.fn = run_cell,
				.arg = &cells[i][k]});
		}
	}
}
