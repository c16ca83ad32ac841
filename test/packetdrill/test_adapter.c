/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <dlfcn.h>
#include <netinet/tcp.h>
#include <time.h>

/*
 * The adapter's library is loaded and used as packetdrill does it; no packetdrill is needed.
 * Arguments: the library, the script `sysctl`.
 */

static const char *lib_path, *sysctl_path;

/* ---- the clock ---- */

T(a_look_at_the_clock_moves_it)
{
	long long was = now_us();

	for (int i = 0; i < 1000; i++) {
		long long is = now_us();

		ok(is > was);
		was = is;
	}
}

T(sleeping_takes_no_time)
{
	long long was = now_us();
	time_t began = time(NULL);

	sleep_us(80 * 1000000);
	at_us(now_us(), was + 80 * 1000000);
	ok(time(NULL) - began < 30);
}

T(nothing_comes_from_a_stack_that_has_nothing_to_send)
{
	struct seg s;
	size_t bytes;

	ok(!next_packet(&s, &bytes));
}

/* ---- calls that block ---- */

static long do_accept(struct blocking *b)
{
	socklen_t len = (socklen_t)b->n;

	return pd.accept(pd.self, b->fd, b->buf, &len);
}

static void accept_blocks(void)
{
	struct sockaddr_storage from = {0}, want;
	struct blocking b = {.call = do_accept, .fd = listening(), .buf = &from, .n = sizeof(from)};
	const struct plx_addr a = peer_addr();
	struct seg s;
	socklen_t len;
	long long came;

	peer.port++;
	len = sockaddr_of(&want, &a, peer.port);
	block(&b);
	sleep_us(100000);
	tcp_in(PLX_TCP_SYN, 0);
	tcp_out(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	peer.ack = s.h.seq + 1;
	sleep_us(100000);
	ok(!is_done(&b));
	came = now_us();
	tcp_in(PLX_TCP_ACK, 0);
	sleep_us(1000000); /* not before accept() has looked at the clock */
	unblocked(&b);
	ok(b.result >= 0);
	at_us(b.us, came);
	mem_eq(&from, &want, len);
	reset((int)b.result);
	eq(pd.close(pd.self, b.fd), 0);
}

T(an_accept_that_blocks_sleeps_until_the_handshake)
{
	accept_blocks();
}

T(so_it_does_in_ipv6)
{
	peer.v6 = true;
	accept_blocks();
}

static long do_read(struct blocking *b)
{
	return pd.read(pd.self, b->fd, b->buf, b->n);
}

T(a_read_that_blocks_sleeps_until_text_comes)
{
	uint8_t buf[500];
	int listener = listening();
	struct blocking b = {
		.call = do_read, .fd = accepted(listener), .buf = buf, .n = sizeof(buf)};
	long long came;

	block(&b);
	sleep_us(300000);
	came = now_us();
	tcp_in(PLX_TCP_ACK, 100);
	sleep_us(1000000);
	unblocked(&b);
	eq(b.result, 100);
	at_us(b.us, came);
	for (uint32_t i = 0; i < 100; i++)
		eq(buf[i], text_at(i));
	reset(b.fd);
	eq(pd.close(pd.self, listener), 0);
}

static long do_poll(struct blocking *b)
{
	return pd.poll(pd.self, b->buf, 1, b->timeout_ms);
}

T(a_poll_times_out_by_the_virtual_clock)
{
	int listener = listening();
	struct pollfd p = {.fd = listener, .events = POLLIN};
	struct blocking b = {.call = do_poll, .buf = &p, .timeout_ms = 700};
	long long began = now_us();

	eq(pd.poll(pd.self, &p, 1, 300), 0); /* the thread that moves the clock */
	at_us(now_us(), began + 300000);

	began = now_us();
	block(&b);
	sleep_us(5000000);
	unblocked(&b);
	eq(b.result, 0);
	at_us(b.us, began + 700000);
	eq(pd.close(pd.self, listener), 0);
}

T(a_poll_with_a_time_limit_ends_when_something_comes)
{
	int listener = listening();
	struct pollfd p = {.events = POLLIN};
	struct blocking b = {.call = do_poll, .buf = &p, .timeout_ms = 10000};
	long long came;

	p.fd = accepted(listener);
	block(&b);
	sleep_us(1000000);
	came = now_us();
	tcp_in(PLX_TCP_ACK | PLX_TCP_PSH, 10);
	sleep_us(1000000);
	unblocked(&b);
	eq(b.result, 1);
	eq(p.revents, POLLIN);
	at_us(b.us, came);
	reset(p.fd);
	eq(pd.close(pd.self, listener), 0);
}

/* ---- text ---- */

T(text_leaves_in_segments_with_the_time_of_their_emission)
{
	static uint8_t text[5000];
	int listener = listening(), fd = accepted(listener);
	long long wrote;
	struct seg s;

	for (uint32_t i = 0; i < sizeof(text); i++)
		text[i] = text_at(i);
	sleep_us(50000);
	wrote = now_us();
	eq(pd.write(pd.self, fd, text, sizeof(text)), sizeof(text));
	sleep_us(50000); /* looked at late */
	for (uint32_t at = 0; at < sizeof(text); at += 1000) {
		tcp_out(&s, PLX_TCP_ACK, 1000);
		at_us(s.us, wrote);
		mem_eq(s.text, text + at, 1000);
		eq(s.h.seq, peer.ack + at);
	}
	reset(fd);
	eq(pd.close(pd.self, listener), 0);
}

T(receiving_waits_for_the_time_out)
{
	int listener = listening(), fd = accepted(listener);
	struct seg s;
	long long first;

	eq(pd.send(pd.self, fd, "x", 1, 0), 1);
	tcp_out(&s, PLX_TCP_ACK, 1);
	first = s.us;
	tcp_out(&s, PLX_TCP_ACK, 1); /* a tail loss probe, or the time-out: nobody answers */
	ok(s.us > first + 100000);
	tcp_out(&s, PLX_TCP_ACK, 1);
	ok(s.us > first + 200000 && now_us() >= s.us);
	reset(fd);
	eq(pd.close(pd.self, listener), 0);
}

T(a_packet_may_be_longer_than_the_mtu)
{
	static uint8_t got[40000];
	int listener = listening(), fd = accepted(listener);

	tcp_in(PLX_TCP_ACK, sizeof(got));
	eq(pd.recv(pd.self, fd, got, sizeof(got), MSG_WAITALL), sizeof(got));
	for (uint32_t i = 0; i < sizeof(got); i++)
		eq(got[i], text_at(i));
	reset(fd);
	eq(pd.close(pd.self, listener), 0);
}

T(a_datagram_comes_in_and_is_answered)
{
	int fd = bound(SOCK_DGRAM);
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	uint8_t packet[64], buf[64], *udp = packet + PLX_IP4_BYTES;
	struct seg s;
	size_t bytes;

	plx_put_be16(udp, 4000);
	plx_put_be16(udp + 2, PORT);
	plx_put_be16(udp + 4, 8 + 5);
	plx_put_be16(udp + 6, 0);
	memcpy(udp + 8, "hello", 5);
	put_ip(packet, PLX_IPPROTO_UDP, 8 + 5);
	eq(pd.recvfrom(pd.self, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	mem_eq(buf, "hello", 5);
	eq(((struct sockaddr_in *)&from)->sin_port, htons(4000));
	eq(pd.sendto(pd.self, fd, "world!", 6, 0, (struct sockaddr *)&from, len), 6);
	ok(next_packet(&s, &bytes));
	eq(s.ip.proto, PLX_IPPROTO_UDP);
	mem_eq(s.text + 8, "world!", 6);
	eq(pd.close(pd.self, fd), 0);
}

/* ---- readiness ---- */

T(epoll_leaves_events_alone_when_there_are_none)
{
	int listener = listening(), fd = accepted(listener);
	int ep = pd.epoll_create(pd.self, 1);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
	long long began;

	ok(ep >= 0);
	eq(pd.epoll_ctl(pd.self, ep, EPOLL_CTL_ADD, fd, &e), 0);
	e = (struct epoll_event){.events = 0x1234, .data.u64 = 5678};
	began = now_us();
	eq(pd.epoll_wait(pd.self, ep, &e, 1, 500), 0);
	at_us(now_us(), began + 500000);
	eq(e.events, 0x1234);
	eq(e.data.u64, 5678);
	tcp_in(PLX_TCP_ACK, 10);
	eq(pd.epoll_wait(pd.self, ep, &e, 1, 0), 1);
	eq(e.events, EPOLLIN);
	eq(e.data.fd, fd);
	eq(pd.close(pd.self, ep), 0);
	reset(fd);
	eq(pd.close(pd.self, listener), 0);
}

/* ---- descriptors, errors, settings ---- */

T(errors_are_of_libc)
{
	int fd[2];

	errno = 0;
	eq(pd.close(pd.self, 1000000), -1);
	eq(errno, EBADF);
	eq(pd.pipe(pd.self, fd), -1);
	eq(errno, ENOSYS);
}

T(text_at_null_is_an_efault)
{
	int listener = listening(), fd = accepted(listener);
	uint8_t buf[10];

	errno = 0;
	eq(pd.write(pd.self, fd, NULL, 10), -1);
	eq(errno, EFAULT);
	tcp_in(PLX_TCP_ACK, 10);
	errno = 0;
	eq(pd.read(pd.self, fd, NULL, 10), -1);
	eq(errno, EFAULT);
	eq(pd.read(pd.self, fd, buf, sizeof(buf)), 10); /* it is still there */
	reset(fd);
	eq(pd.close(pd.self, listener), 0);
}

T(an_option_that_is_set_while_it_listens_counts)
{
	int listener = listening(), mss = 900;
	struct seg s;

	eq(pd.setsockopt(pd.self, listener, SOL_TCP, TCP_MAXSEG, &mss, sizeof(mss)), 0);
	peer.port++;
	tcp_in(PLX_TCP_SYN, 0);
	tcp_out(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	eq(s.o.mss, 900);
	tcp_in(PLX_TCP_RST, 0);
	eq(pd.close(pd.self, listener), 0);
	forget_packets();
}

T(the_hosts_close_and_getsockopt_know_our_descriptors)
{
	int listener = listening(), fd = accepted(listener), one = 0, host;
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct seg s;

	eq(getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len), 0);
	eq(info.tcpi_state, TCP_ESTABLISHED);
	eq(close(fd), 0);
	tcp_out(&s, PLX_TCP_ACK | PLX_TCP_FIN, 0);
	errno = 0;
	eq(pd.close(pd.self, fd), -1);
	eq(errno, EBADF);
	tcp_in(PLX_TCP_RST | PLX_TCP_ACK, 0);
	eq(close(listener), 0);

	host = socket(AF_UNIX, SOCK_STREAM, 0); /* and the kernel's are still the kernel's */
	ok(host >= 0);
	len = sizeof(one);
	eq(getsockopt(host, SOL_SOCKET, SO_TYPE, &one, &len), 0);
	eq(one, SOCK_STREAM);
	eq(close(host), 0);
	eq(close(host), -1);
}

/* What a script's sysctl does: in a process of its own. */
static int sysctl(const char *words)
{
	char command[600];

	snprintf(command, sizeof(command), "'%s' %s", sysctl_path, words);
	return system(command);
}

/* Whether the stack agrees to timestamps. */
static bool has_timestamps(int listener)
{
	struct seg s;

	peer.port++;
	tcp_in(PLX_TCP_SYN, 0);
	tcp_out(&s, PLX_TCP_SYN | PLX_TCP_ACK, 0);
	peer.ack = s.h.seq + 1;
	tcp_in(PLX_TCP_RST | PLX_TCP_ACK, 0);
	return s.o.present & PLX_TCP_OPT_TS;
}

T(a_script_sets_tunables_by_name)
{
	int listener = listening();

	peer.ts = true;
	ok(has_timestamps(listener));
	eq(sysctl("-q net.ipv4.tcp_timestamps=0 net.ipv4.tcp_no_such_thing=1"), 0);
	ok(!has_timestamps(listener));
	eq(sysctl("-q /proc/sys/net/ipv4/tcp_timestamps=1"), 0);
	ok(has_timestamps(listener));
	ne(sysctl("-q net.ipv4.tcp_timestamps=yes 2>/dev/null"), 0);
	eq(pd.close(pd.self, listener), 0);
}

/* ---- as packetdrill loads it ---- */

static int start(void **state)
{
	void (*init)(const char *flags, struct packetdrill_interface *ifc);
	int how = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
	void *lib;

#ifndef __SANITIZE_ADDRESS__
	how |= RTLD_DEEPBIND; /* which ASan has no way to follow */
#endif
	lib = dlopen(lib_path, how);
	if (!lib) {
		print_message("%s\n", dlerror());
		return -1;
	}
	*(void **)&init = dlsym(lib, "packetdrill_interface_init");
	if (!init)
		return -1;
	init("ip4=192.168.0.1/16,ip6=2001:db8::1/64,mtu=1500", &pd);
	return 0;
}

static int stop(void **state)
{
	pd.free(pd.self); /* ends the process if something is missing */
	return 0;
}

static int before(void **state)
{
	peer.v6 = peer.ts = false;
	peer.seq = 1000;
	return 0;
}

#define PD_(name) cmocka_unit_test_setup(name, before)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PD_(a_look_at_the_clock_moves_it),
		PD_(sleeping_takes_no_time),
		PD_(nothing_comes_from_a_stack_that_has_nothing_to_send),
		PD_(an_accept_that_blocks_sleeps_until_the_handshake),
		PD_(so_it_does_in_ipv6),
		PD_(a_read_that_blocks_sleeps_until_text_comes),
		PD_(a_poll_times_out_by_the_virtual_clock),
		PD_(a_poll_with_a_time_limit_ends_when_something_comes),
		PD_(text_leaves_in_segments_with_the_time_of_their_emission),
		PD_(receiving_waits_for_the_time_out),
		PD_(a_packet_may_be_longer_than_the_mtu),
		PD_(a_datagram_comes_in_and_is_answered),
		PD_(epoll_leaves_events_alone_when_there_are_none),
		PD_(errors_are_of_libc),
		PD_(text_at_null_is_an_efault),
		PD_(an_option_that_is_set_while_it_listens_counts),
		PD_(the_hosts_close_and_getsockopt_know_our_descriptors),
		PD_(a_script_sets_tunables_by_name),
	};
	char pid[16];

	if (argc != 3) {
		fprintf(stderr, "usage: %s LIBRARY SYSCTL\n", argv[0]);
		return 2;
	}
	lib_path = argv[1];
	sysctl_path = argv[2];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("PACKETDRILL_PID", pid, 1);
	return cmocka_run_group_tests(tests, start, stop);
}
