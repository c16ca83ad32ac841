/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include "../../lib/net/tcp.h"
#include "../../lib/telem/page.h"

/* The tables tcp and udp: what they tell of sockets. */

static struct plx_telem_row page;

/* A page of a table from its start. @return its rows. */
static uint32_t read_table(
	enum plx_telem_more (*row)(struct plx_telem_row *r, uint64_t *cursor, void *arg))
{
	const struct plx_telem_table t = {.name = "t", .row = row, .arg = nt.net};

	telem__page_fill(&page, &t, 0);
	eq(page.next, 0);
	return page.rows;
}

static const struct telem_field *field(uint32_t row, const char *name)
{
	ok(row < page.rows);
	for (uint32_t i = page.first[row]; i < page.first[row + 1]; i++)
		if (strcmp(page.field[i].name, name) == 0)
			return &page.field[i];
	return NULL;
}

static bool has(uint32_t row, const char *name)
{
	return field(row, name);
}

static uint64_t num(uint32_t row, const char *name)
{
	const struct telem_field *f = field(row, name);

	if (!f)
		fail_msg("no %s", name);
	eq(f->type, TELEM_U64);
	return f->u;
}

static const char *str(uint32_t row, const char *name)
{
	const struct telem_field *f = field(row, name);

	if (!f)
		fail_msg("no %s", name);
	eq(f->type, TELEM_STR);
	return &page.text[f->at];
}

static int bound(int domain, int type, const char *addr, uint16_t port)
{
	int fd = plx_socket(domain, type, 0);

	ok(fd >= 0);
	eq(st_bind(fd, addr, port), 0);
	return fd;
}

T(a_udp_socket_tells_what_waits_and_what_was_lost)
{
	static const char text[1000];
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.2", 700);
	int fd, small = 1;

	st_new();
	fd = bound(AF_INET, SOCK_DGRAM, "10.0.0.2", 700);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	eq(read_table(net__udp_row), 1);
	str_eq(str(0, "state"), "UNCONN");
	str_eq(str(0, "local"), "10.0.0.2");
	eq(num(0, "local_port"), 700);
	str_eq(str(0, "dst"), "*");
	eq(num(0, "recv_q"), 0);
	eq(num(0, "drops"), 0);
	eq(num(0, "fd"), fd);
	ok(!has(0, "dev"));
	for (int i = 0; i < 50; i++) {
		eq(plx_sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&ss, len),
			sizeof(text));
		nt_run();
	}
	read_table(net__udp_row);
	ok(num(0, "recv_q") >= num(0, "skmem_rb"));
	ok(num(0, "drops") > 0 && num(0, "drops") < 50);
	for (char buf[1000]; plx_recv(fd, buf, sizeof(buf), 0) > 0;)
		;
	read_table(net__udp_row);
	eq(num(0, "recv_q"), 0);
	plx_close(fd);
	eq(read_table(net__udp_row), 0);
}

T(udp_sockets_come_in_the_order_in_which_they_were_bound)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "2001:db8::1", 9);
	int a, b, c, on = 1;

	st_new();
	a = bound(AF_INET, SOCK_DGRAM, "0.0.0.0", 701);
	b = bound(AF_INET6, SOCK_DGRAM, "::", 702);
	c = plx_socket(AF_INET6, SOCK_DGRAM, 0);
	eq(plx_setsockopt(c, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	eq(st_bind(c, "::", 703), 0);
	eq(read_table(net__udp_row), 3);
	str_eq(str(0, "local"), "0.0.0.0");
	str_eq(str(1, "local"), "*");
	ok(!has(1, "v6only"));
	eq(num(2, "v6only"), 1);
	eq(plx_connect(b, (struct sockaddr *)&ss, len), 0);
	plx_close(a);
	eq(read_table(net__udp_row), 2);
	eq(num(0, "fd"), b);
	str_eq(str(0, "state"), "ESTAB");
	str_eq(str(0, "dst"), "2001:db8::1");
	eq(num(0, "dst_port"), 9);
	eq(num(1, "fd"), c);
}

/* The row of the connection from a local port. */
static uint32_t row_of(uint32_t rows, uint16_t lport, const char *state)
{
	for (uint32_t i = 0; i < rows; i++)
		if (num(i, "local_port") == lport && strcmp(str(i, "state"), state) == 0)
			return i;
	fail_msg("no %s of port %u", state, lport);
	return 0;
}

T(a_connection_is_of_its_descriptor_once_it_is_accepted)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.2", 80);
	int listener, client, conn;
	uint32_t n, at;

	st_new();
	listener = bound(AF_INET, SOCK_STREAM, "10.0.0.2", 80);
	eq(plx_listen(listener, 5), 0);
	client = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(plx_connect(client, (struct sockaddr *)&ss, len), -1);
	eq(errno, EINPROGRESS);
	nt_run();
	n = read_table(net__tcp_row);
	eq(n, 3);
	at = row_of(n, 80, "LISTEN");
	eq(num(at, "fd"), listener);
	eq(num(at, "recv_q"), 1);
	eq(num(at, "send_q"), 5);
	ok(!has(row_of(n, 80, "ESTAB"), "fd")); /* nobody's yet */
	conn = plx_accept(listener, NULL, NULL);
	ok(conn >= 0);
	eq(plx_send(client, "hello", 5, 0), 5);
	nt_run();
	n = read_table(net__tcp_row);
	at = row_of(n, 80, "ESTAB");
	eq(num(at, "fd"), conn);
	eq(num(at, "recv_q"), 5);
	ok(num(at, "skmem_r") > 100); /* the room of five bytes */
	eq(num(at, "bytes_received"), 5);
	str_eq(str(at, "options"), "ts sack");
	str_eq(str(at, "cc"), "cubic");
	eq(num(row_of(n, 80, "LISTEN"), "recv_q"), 0);
	plx_close(conn);
	nt_run();
	n = read_table(net__tcp_row);
	for (uint32_t i = 0; i < n; i++)
		ok(!has(i, "fd") || num(i, "fd") != (uint64_t)conn);
}

T(a_timer_runs_while_nobody_answers)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.1", 80);
	int fd;

	st_new();
	fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	eq(plx_connect(fd, (struct sockaddr *)&ss, len), -1);
	nt_run();
	eq(read_table(net__tcp_row), 1);
	str_eq(str(0, "state"), "SYN-SENT");
	str_eq(str(0, "timer"), "on");
	eq(num(0, "timer_ms"), 1000);
	eq(num(0, "timer_retrans"), 0);
	eq(num(0, "fd"), fd);
	ok(!has(0, "lastsnd_ms"));
	nt_sleep(PLX_MS(1250));
	read_table(net__tcp_row);
	eq(num(0, "timer_ms"), 750);
	eq(num(0, "timer_retrans"), 1);
	nt_forget();
}

RUN_EAL(ST_(a_udp_socket_tells_what_waits_and_what_was_lost),
	ST_(udp_sockets_come_in_the_order_in_which_they_were_bound),
	ST_(a_connection_is_of_its_descriptor_once_it_is_accepted),
	ST_(a_timer_runs_while_nobody_answers))
