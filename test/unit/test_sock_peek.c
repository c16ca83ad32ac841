/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include "sock.h"

/* SO_PEEK_OFF, as Linux has it. */

static int fd;

static void set_off(int v)
{
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &v, sizeof(v)), 0);
}

static int off(void)
{
	int v = -77;
	socklen_t len = sizeof(v);

	eq(plx_getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &v, &len), 0);
	return v;
}

/* So much is peeked at or read. */
static void sees(const char *text, int flags)
{
	char buf[16];

	eq(plx_recv(fd, buf, sizeof(buf), flags), strlen(text));
	mem_eq(buf, text, strlen(text));
}

static void sees_nothing(void)
{
	char buf[16];

	fails(plx_recv(fd, buf, sizeof(buf), MSG_PEEK), EAGAIN);
}

/* ---- TCP ---- */

/* "abXcdef", whose X is urgent, waits at fd. */
static void with_a_mark(bool oobinline)
{
	int c[2], on = oobinline;

	st_new();
	st_pair(c, "10.0.0.2", 80);
	fd = c[1];
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)), 0);
	eq(plx_send(c[0], "abX", 3, MSG_OOB), 3);
	eq(plx_send(c[0], "cdef", 4, 0), 4);
	nt_sleep(PLX_SEC(1));
}

/* What it leaves out is not counted: the third one sees a byte again. */
T(the_urgent_byte_is_left_out)
{
	with_a_mark(false);
	set_off(0);
	sees("ab", MSG_PEEK);
	sees("cdef", MSG_PEEK);
	eq(off(), 6);
	sees("f", MSG_PEEK);
	eq(off(), 7);
	sees_nothing();
	sees("ab", 0);
	eq(off(), 5);
	sees_nothing();
	sees("cdef", 0);
	eq(off(), 1);
}

T(beginning_at_the_urgent_byte_or_behind_it)
{
	with_a_mark(false);
	set_off(2);
	sees("cdef", MSG_PEEK);
	set_off(3);
	sees("cdef", MSG_PEEK);
	sees_nothing();
	set_off(4);
	sees("def", MSG_PEEK);
}

T(an_urgent_byte_inline_is_text)
{
	with_a_mark(true);
	set_off(1);
	sees("b", MSG_PEEK);
	sees("Xcdef", MSG_PEEK);
	sees_nothing();
	set_off(3);
	sees("cdef", MSG_PEEK);
}

T(nothing_but_the_urgent_byte)
{
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	fd = c[1];
	set_off(0);
	eq(plx_send(c[0], "abX", 3, MSG_OOB), 3);
	nt_sleep(PLX_SEC(1));
	sees("ab", MSG_PEEK);
	sees_nothing();
	eq(off(), 2);
	eq(plx_send(c[0], "cd", 2, 0), 2);
	nt_sleep(PLX_SEC(1));
	sees("cd", MSG_PEEK);
}

/* Those with the same options share them, until one's offset is another. */
T(an_offset_that_stays_is_shared)
{
	const struct plx_arena *arena;
	size_t was;
	int c[2][2];

	st_new();
	for (int i = 0; i < 2; i++) {
		st_pair(c[i], "10.0.0.2", (uint16_t)(80 + i));
		fd = c[i][1];
		set_off(0);
	}
	arena = &sock__lcores[rte_lcore_id()]->arena;
	eq(plx_send(c[1][0], "abcd", 4, 0), 4);
	nt_sleep(PLX_SEC(1));
	was = plx_arena_used(arena);
	sees("abcd", 0);
	eq(plx_arena_used(arena), was);
	eq(plx_send(c[1][0], "ef", 2, 0), 2);
	nt_sleep(PLX_SEC(1));
	sees("ef", MSG_PEEK);
	ok(plx_arena_used(arena) > was);
	eq(off(), 2);
	fd = c[0][1];
	eq(off(), 0);
}

T(an_mbuf_taken_moves_it_back)
{
	struct rte_mbuf *m;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	fd = c[1];
	set_off(0);
	eq(plx_send(c[0], "abc", 3, 0), 3);
	nt_sleep(PLX_SEC(1));
	sees("abc", MSG_PEEK);
	m = plx_recv_mbuf(fd);
	assert_non_null(m);
	eq(m->pkt_len, 3);
	rte_pktmbuf_free(m);
	eq(off(), 0);
	eq(plx_send(c[0], "def", 3, 0), 3);
	nt_sleep(PLX_SEC(1));
	sees("def", MSG_PEEK);
}

/* ---- UDP ---- */

static void udp(void)
{
	st_new();
	fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	eq(st_bind(fd, "10.0.0.2", 7), 0);
	eq(st_connect(fd, "10.0.0.2", 7), 0);
}

static void put(const char *text)
{
	eq(plx_send(fd, text, strlen(text), 0), strlen(text));
	nt_run();
}

T(each_empty_datagram_is_seen_once)
{
	udp();
	put("");
	put("ab");
	put("");
	put("");
	put("cd");
	set_off(0);
	sees("", MSG_PEEK);
	sees("ab", MSG_PEEK);
	sees("", MSG_PEEK);
	sees("", MSG_PEEK);
	sees("cd", MSG_PEEK);
	sees_nothing();
	eq(off(), 4);
	sees("", 0);
	sees("ab", 0);
	eq(off(), 2);
	sees("", 0);
	sees("", 0);
	sees("cd", 0);
	eq(off(), 0);
}

T(an_empty_datagram_is_passed_over)
{
	udp();
	put("ab");
	put("");
	put("cd");
	set_off(3);
	sees("d", MSG_PEEK);
	set_off(2);
	sees("", MSG_PEEK);
	sees("cd", MSG_PEEK);
}

/* One that was seen without an offset counts as seen, too; without one it is seen again. */
T(an_empty_datagram_seen_before)
{
	udp();
	put("");
	put("ab");
	sees("", MSG_PEEK);
	sees("", MSG_PEEK);
	set_off(0);
	sees("ab", MSG_PEEK);
	set_off(-1);
	sees("", MSG_PEEK);
}

T(a_datagrams_mbuf_taken_moves_it_back)
{
	udp();
	put("abc");
	put("defg");
	set_off(0);
	sees("abc", MSG_PEEK);
	sees("defg", MSG_PEEK);
	rte_pktmbuf_free(plx_recv_mbuf(fd));
	eq(off(), 4);
	sees_nothing();
	rte_pktmbuf_free(plx_recv_mbuf(fd));
	eq(off(), 0);
}

/* ---- others ---- */

T(raw_and_packet_sockets_have_none)
{
	static const int kinds[][3] = {{AF_INET, SOCK_RAW, IPPROTO_ICMP},
		{AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}, {AF_PACKET, SOCK_RAW, 0},
		{AF_PACKET, SOCK_DGRAM, 0}};
	int v = 0;

	st_new();
	for (size_t i = 0; i < PLX_DIM(kinds); i++) {
		socklen_t len = sizeof(v);

		fd = plx_socket(kinds[i][0], kinds[i][1], kinds[i][2]);
		ok(fd >= 0);
		fails(plx_setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &v, sizeof(v)), EOPNOTSUPP);
		fails(plx_setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &v, 3), EINVAL);
		fails(plx_getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &v, &len), EOPNOTSUPP);
	}
}

RUN_EAL(ST_(the_urgent_byte_is_left_out), ST_(beginning_at_the_urgent_byte_or_behind_it),
	ST_(an_urgent_byte_inline_is_text), ST_(nothing_but_the_urgent_byte),
	ST_(an_offset_that_stays_is_shared), ST_(an_mbuf_taken_moves_it_back),
	ST_(each_empty_datagram_is_seen_once), ST_(an_empty_datagram_is_passed_over),
	ST_(an_empty_datagram_seen_before), ST_(a_datagrams_mbuf_taken_moves_it_back),
	ST_(raw_and_packet_sockets_have_none))
