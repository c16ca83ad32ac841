/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Two stacks on the ends of a pipe, stepped by one thread with a clock of its own: 10.0.0.1, whose
 * sockets are the test's, and 10.0.0.2, whose TCP reads and looks at each byte.
 *
 * Text is what its place in the stream says: zt_text(). After each test all mbufs are back in their
 * pools, those that were lent too (t_pool's).
 */
#define T_EAL_LCORES "(0-1)@0"
#define T_EAL_MEM    "256"
#include "t_eal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <linux/errqueue.h>

#include <plx_net_impair.h>
#include <plx_net_pipe.h>
#include <plx_net_tcp.h>
#include <plx_sock.h>

#define ZT_PORT 80

static struct zt {
	plx_ns now;
	struct plx_tunables tun;
	struct plx_net *net[2];
	struct plx_engine *eng[2];
	struct plx_sock *s;
	struct plx_net_tcp_listener l;
	struct plx_net_tcp *c;	 /**< the other end's connection */
	struct plx_net_udp u;	 /**< its socket */
	uint64_t got;		 /**< bytes that it has read, all of them right */
	bool hold;		 /**< it does not read */
	uint32_t datagrams, bad; /**< of its UDP */
	uint32_t done, copied;	 /**< completions */
} zt;

static uint8_t zt_text(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static void zt_fill(void *p, uint64_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = zt_text(at + i);
}

static plx_ns zt_clock(void)
{
	return zt.now;
}

static plx_ns zt_now(void *arg)
{
	return zt.now;
}

/* ---- the other end ---- */

static void zt_read(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	uint8_t buf[4096];
	uint32_t n;

	while (!zt.hold && (n = plx_net_tcp_read(sn, c, buf, sizeof(buf)))) {
		for (uint32_t i = 0; i < n; i++)
			eq(buf[i], zt_text(zt.got + i));
		zt.got += n;
	}
}

static void zt_closed(struct plx_softnet *sn, struct plx_net_tcp *c, int err)
{
	zt.c = NULL;
	plx_net_tcp_close(sn, c);
}

static void zt_fin(struct plx_softnet *sn, struct plx_net_tcp *c)
{
	zt_read(sn, c);
	zt_closed(sn, c, 0);
}

static const struct plx_net_tcp_ops zt_ops = {
	.readable = zt_read, .peer_closed = zt_fin, .closed = zt_closed};

static bool zt_accept(struct plx_softnet *sn, struct plx_net_tcp_listener *l, struct plx_net_tcp *c)
{
	zt.c = c;
	plx_net_tcp_take(c, &zt_ops, NULL);
	return true;
}

static void zt_rx(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	static uint8_t flat[65536];
	const uint8_t *p = rte_pktmbuf_read(m, 0, m->pkt_len, flat);

	zt.datagrams++;
	zt.got += m->pkt_len;
	for (uint32_t i = 0; i < m->pkt_len; i++)
		zt.bad += p[i] != zt_text(i);
	rte_pktmbuf_free(m);
}

static const struct plx_net_udp_ops zt_udp_ops = {.rx = zt_rx};

/* ---- time, with other threads about ---- */

static pthread_mutex_t zt_mutex = PTHREAD_MUTEX_INITIALIZER;

static inline void zt_lock(void *arg)
{
	pthread_mutex_lock(&zt_mutex);
}

static inline void zt_unlock(void *arg)
{
	pthread_mutex_unlock(&zt_mutex);
}

/** Both until they have nothing to do at this moment. */
static inline void zt_run(void)
{
	uint32_t work;

	do {
		zt_lock(NULL);
		work = plx_engine_step(zt.eng[0], 0) + plx_engine_step(zt.eng[1], 0);
		zt_unlock(NULL);
	} while (work);
}

static inline void zt_sleep(plx_ns ns)
{
	for (plx_ns until = zt.now + ns; zt.now < until; zt.now += PLX_MS(1))
		zt_run();
	zt_run();
}

/* ---- life ---- */

static inline void zt_end(int i, uint16_t port, uint32_t off)
{
	static struct plx_clock clock = {.now = zt_now};
	uint32_t lcore = (uint32_t)i;
	struct plx_engine_conf conf = {.ops = &plx_net_ops,
		.tun = &zt.tun,
		.clock = &clock,
		.lcores = &lcore,
		.n_lcores = 1,
		.ports = 1u << port,
		.features_off = off,
		.mbufs = 4095,
		.seed = 1};
	struct plx_prefix addr;
	struct plx_error e;

	zt.net[i] = plx_net_create(
		&(struct plx_net_conf){.seed = 1, .udp_sockets = 64, .tcp_bytes = 16 << 20},
		&zt.tun, &e);
	assert_non_null(zt.net[i]);
	conf.arg = zt.net[i];
	zt.eng[i] = plx_engine_create(&conf, &e);
	assert_non_null(zt.eng[i]);
	eq(plx_engine_open_ports(zt.eng[i], &e), 0);
	eq(plx_net_attach(zt.net[i], zt.eng[i], &e), 0);
	ok(plx_prefix_parse(&addr, i ? "10.0.0.2/24" : "10.0.0.1/24") == 0);
	eq(plx_net_if_add(zt.net[i], port, 0, 0), 1);
	eq(plx_net_addr_add(zt.net[i], 1, &addr), 0);
}

static inline void zt_know(int i, const char *addr, const struct plx_port *p)
{
	struct plx_addr a;

	ok(plx_addr_parse(&a, addr) == 0);
	eq(plx_net_neigh_add(zt.net[i], 1, &a, &p->mac), 0);
}

/**
 * @param pipe keys of the pipe. @param impair of the line as 10.0.0.1 sees it, or NULL.
 * @param off features that 10.0.0.1 does without.
 */
static inline void zt_new(const char *pipe, const char *impair, uint32_t off)
{
	static const struct plx_sock_conf conf = {
		.bytes = 4 << 20, .lock = zt_lock, .unlock = zt_unlock};
	const struct plx_port *a;
	struct plx_error e;
	char spec[256];

	zt = (struct zt){.now = PLX_SEC(1)};
	plx_net_impair_clock(zt_clock);
	plx_tunables_init(&zt.tun);
	zt.tun.v[PLX_TUN_DAD_TRANSMITS] = 0;
	snprintf(spec, sizeof(spec), "a=pipe,peer=b,queues=1%s%s", *pipe ? "," : "", pipe);
	eq(plx_port_create(spec, &e), 0);
	snprintf(spec, sizeof(spec), "bad=impair,lower=a,%s", impair ? impair : "");
	if (impair)
		eq(plx_port_create(spec, &e), 0);
	a = plx_port_find(impair ? "bad" : "a");
	zt_end(0, a->id, off);
	zt_end(1, plx_port_find("b")->id, 0);
	zt_know(0, "10.0.0.2", plx_port_find("b"));
	zt_know(1, "10.0.0.1", a);
	zt.s = plx_sock_create(zt.net[0], &conf, &e);
	assert_non_null(zt.s);
	zt.l = (struct plx_net_tcp_listener){.accept = zt_accept, .lport = ZT_PORT};
	eq(plx_net_tcp_listen(zt.net[1], &zt.l), 0);
	zt.u = (struct plx_net_udp){.ops = &zt_udp_ops, .lport = ZT_PORT};
	eq(plx_net_udp_open(zt.net[1], &zt.u), 0);
	for (int i = 0; i < 2; i++)
		eq(plx_engine_step_begin(zt.eng[i]), 0);
	zt_sleep(PLX_MS(5));
}

static inline void zt_stop(void)
{
	for (int i = 0; i < 2; i++)
		if (plx_engine_running(zt.eng[i]))
			plx_engine_step_end(zt.eng[i]);
}

static inline int zt_after(void **state)
{
	zt_stop();
	plx_net_tcp_unlisten(zt.net[1], &zt.l);
	plx_net_udp_close(zt.net[1], &zt.u);
	plx_sock_destroy(zt.s);
	for (int i = 0; i < 2; i++)
		plx_engine_close_ports(zt.eng[i]);
	plx_port_fini_all();
	for (int i = 0; i < 2; i++)
		eq(plx_engine_destroy(zt.eng[i]), 0);
	for (int i = 0; i < 2; i++)
		plx_net_destroy(zt.net[i]);
	return t_eal_after(state);
}

#define ZT_(name) cmocka_unit_test_teardown(name, zt_after)

/* ---- sockets ---- */

#define fails(call, err)                                                                           \
	do {                                                                                       \
		eq(call, -1);                                                                      \
		eq(errno, err);                                                                    \
	} while (0)

static inline struct sockaddr_in zt_sa(const char *addr)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(ZT_PORT)};

	eq(inet_pton(AF_INET, addr, &in.sin_addr), 1);
	return in;
}

static inline int zt_socket(int type)
{
	struct sockaddr_in in = zt_sa("10.0.0.2");
	int fd = plx_socket(AF_INET, type, 0), on = 1;

	ok(fd >= 0);
	eq(plx_setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), 0);
	if (plx_connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0)
		return fd;
	eq(errno, EINPROGRESS);
	for (int i = 0; i < 100 && !zt.c; i++)
		zt_sleep(PLX_MS(100));
	eq(plx_connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static inline uint32_t zt_poll(int fd)
{
	struct pollfd p = {.fd = fd, .events = (short)0xffff};

	ok(plx_poll(&p, 1, 0) >= 0);
	return (uint16_t)p.revents;
}

/* ---- what is lent ---- */

/** A chain of mbufs of t_pool: n of len bytes each, and rest more, from place at of the stream on.
 */
static inline struct rte_mbuf *zt_chain(uint64_t at, uint32_t n, uint16_t len, uint16_t rest)
{
	struct rte_mbuf *head = NULL, *m;

	for (uint32_t i = 0; i < n + (rest != 0); i++) {
		uint16_t part = i < n ? len : rest;

		m = rte_pktmbuf_alloc(t_pool);
		assert_non_null(m);
		zt_fill(rte_pktmbuf_append(m, part), at, part);
		at += part;
		if (head)
			eq(rte_pktmbuf_chain(head, m), 0);
		else
			head = m;
	}
	return head;
}

static void zt_on_done(struct plx_softnet *sn, const struct plx_net_done *d, bool copied)
{
	zt.done++;
	zt.copied += copied;
	if (d->arg)
		(*(uint32_t *)d->arg)++;
}

static inline ssize_t zt_send(int fd, struct rte_mbuf *m)
{
	const struct plx_net_done done = {.fn = zt_on_done};

	return plx_send_mbuf(fd, m, NULL, MSG_NOSIGNAL, &done);
}

/** Mbufs of t_pool that are out. */
static inline unsigned int zt_out(void)
{
	return rte_mempool_in_use_count(t_pool);
}

/** "lo-hi", "lo-hi copied", or "-": the next notification. One of a few buffers. */
static inline const char *zt_told(int fd)
{
	static char text[4][40];
	static int at;
	char *s = text[at++ % 4], control[128];
	struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
	struct sock_extended_err ee;
	struct cmsghdr *c;

	snprintf(s, sizeof(text[0]), "-");
	if (plx_recvmsg(fd, &m, MSG_ERRQUEUE) < 0) {
		eq(errno, EAGAIN);
		return s;
	}
	ok(m.msg_flags & MSG_ERRQUEUE);
	c = CMSG_FIRSTHDR(&m);
	assert_non_null(c);
	eq(c->cmsg_level, IPPROTO_IP);
	eq(c->cmsg_type, IP_RECVERR);
	memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	eq(ee.ee_errno, 0);
	eq(ee.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	snprintf(s, sizeof(text[0]), "%u-%u%s", ee.ee_info, ee.ee_data,
		ee.ee_code == SO_EE_CODE_ZEROCOPY_COPIED ? " copied" : "");
	return s;
}
