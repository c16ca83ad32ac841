/* SPDX-License-Identifier: BSD-3-Clause */
/* Connected UDP sockets that move with their bucket. */
#define T_EAL_LCORES "(0-2)@0"
#define T_EAL_MEM    "128"
#include "net_t.h"

#include "../../lib/net/move.h"

#define LCORES 3
#define PEER   9

/* Frames that the port has sent and nobody has looked at. */
static uint32_t on_wire(void)
{
	uint32_t n = 0;

	for (uint16_t q = 0; q < nt.port[0].port->n_txq; q++)
		n += nt.port[0].q[q].n_tx - nt.port[0].q[q].tx_at;
	return n;
}

/* ---- a program that goes along ---- */

struct sock {
	struct plx_net_udp s;
	uint16_t lcore; /* whose memory it is */
};

static struct prog {
	struct sock *at; /* where it is; NULL: on its way, or gone */
	int copies, left, errors;
	uint16_t too_much; /* an lcore where it does not want to be */
	bool refuses, gone;
	uint32_t got, wrong, lcore, elsewhere; /* datagrams; of the last one; not where it is */
	uint32_t sent;			       /* datagrams that must be out when it arrives */
} prog;

static struct sock *sock_of(const struct plx_net_udp *s)
{
	return plx_container_of(s, struct sock, s);
}

/* Numbered from 0. */
static void on_rx(struct plx_softnet *sn, struct plx_net_udp *s, struct rte_mbuf *m,
	const struct plx_net_udp_msg *msg)
{
	uint32_t n;

	memcpy(&n, rte_pktmbuf_mtod(m, void *), sizeof(n));
	prog.wrong += n != prog.got++;
	prog.elsewhere += sock_of(s) != prog.at || sn->index != prog.at->lcore;
	prog.lcore = sn->index;
	rte_pktmbuf_free(m);
}

static void on_error(struct plx_softnet *sn, struct plx_net_udp *s, const struct plx_net_error *e,
	const struct plx_net_udp_msg *msg)
{
	prog.elsewhere += sock_of(s) != prog.at || sn->index != prog.at->lcore;
	prog.errors++;
}

static bool leave(struct plx_softnet *sn, struct plx_net_udp *s, struct plx_softnet *to)
{
	eq(sn->index, sock_of(s)->lcore);
	if (prog.refuses)
		return false;
	prog.at = NULL;
	return true;
}

static struct plx_net_udp *copy(struct plx_softnet *sn, const struct plx_net_udp *s)
{
	struct sock *own;

	assert_null(prog.at);
	if (prog.too_much && prog.too_much == sn->index)
		return NULL;
	own = calloc(1, sizeof(*own));
	*own = *sock_of(s);
	own->lcore = sn->index;
	prog.copies++;
	return &own->s;
}

static void arrive(struct plx_softnet *sn, struct plx_net_udp *s)
{
	eq(sn->index, sock_of(s)->lcore);
	eq(s->home, sn->index);
	prog.at = sock_of(s);
	eq(on_wire(), prog.sent);
}

static void left(struct plx_softnet *sn, struct plx_net_udp *s)
{
	eq(sn->index, sock_of(s)->lcore);
	ok(prog.at != sock_of(s));
	prog.left++;
	free(sock_of(s));
}

static void gone(struct plx_softnet *sn, struct plx_net_udp *s)
{
	eq(sn->index, sock_of(s)->lcore);
	prog.gone = true;
	free(sock_of(s));
}

static const struct plx_net_udp_ops ops = {.rx = on_rx,
	.error = on_error,
	.leave = leave,
	.copy = copy,
	.arrive = arrive,
	.left = left};

static struct plx_softnet *lcore(uint16_t i)
{
	return plx_engine_softnet(nt.eng, i);
}

static uint16_t bucket_of(uint16_t port)
{
	struct plx_addr us = t_addr("10.0.0.2"), peer = t_addr("10.0.0.1");

	return plx_steer_owner_bucket(
		&nt.net->owners, plx_steer_hash(&nt.net->toeplitz, &peer, &us, PEER, port, true));
}

/* A port by which answers of the peer come to this lcore. */
static uint16_t port_of(uint16_t home)
{
	for (uint16_t port = 1000;; port++)
		if (nt.net->owners.lcore[bucket_of(port)] == home)
			return port;
}

static int connect_it(void)
{
	struct plx_addr us = t_addr("10.0.0.2"), peer = t_addr("10.0.0.1");

	return plx_net_udp_connect(lcore(prog.at->lcore), &prog.at->s, &us, &peer, PEER);
}

static void open_it(uint16_t home, uint16_t port)
{
	struct sock *s = calloc(1, sizeof(*s));

	memset(&prog, 0, sizeof(prog));
	*s = (struct sock){.lcore = home,
		.s = {.ops = &ops,
			.laddr = t_addr("0.0.0.0"),
			.lport = port,
			.home = home,
			.gone = gone}};
	prog.at = s;
	eq(plx_net_udp_bind(lcore(home), &s->s), 0);
	nt_run();
}

/* Bound and connected on the lcore of its flow. */
static void start(uint16_t home)
{
	nt_simple();
	eq(plx_engine_lcores(nt.eng), LCORES);
	open_it(home, port_of(home));
	eq(connect_it(), 0);
	nt_run();
}

static int after(void **state)
{
	nt_stop_engine();
	assert_non_null(prog.at);
	plx_net_udp_unbind(lcore(prog.at->lcore), &prog.at->s);
	ok(prog.gone);
	eq(prog.copies, prog.left);
	eq(prog.wrong, 0);
	eq(prog.elsewhere, 0);
	return nt_after(state);
}

/* ---- datagrams ---- */

static uint32_t fed; /* datagrams */

static void step(uint16_t i)
{
	plx_engine_step(nt.eng, i);
}

/* The next one, without a checksum, by a queue. */
static void feed(uint16_t queue)
{
	char text[128];
	uint8_t *udp;

	snprintf(text, sizeof(text), "ip 10.0.0.1 > 10.0.0.2 udp %d > %u len 4", PEER,
		prog.at ? prog.at->s.lport : 0);
	nt_make(0, text);
	udp = nt.in.b + 14 + PLX_IP4_BYTES;
	memset(udp + 6, 0, 2);
	memcpy(udp + PLX_UDP_BYTES, &fed, sizeof(fed));
	t_port_feed(&nt.port[0], queue, nt.in.b, nt.in.bytes, 0);
	fed++;
}

/* The frame is made beforehand: the socket may be on its way. */
static void feed_again(uint16_t queue)
{
	memcpy(nt.in.b + 14 + PLX_IP4_BYTES + PLX_UDP_BYTES, &fed, sizeof(fed));
	t_port_feed(&nt.port[0], queue, nt.in.b, nt.in.bytes, 0);
	fed++;
}

/* One by each queue, which come to where it is. */
static void talk(uint16_t home)
{
	fed = prog.got;
	for (uint16_t q = 0; q < LCORES; q++) {
		feed(q);
		nt_run();
		eq(prog.got, fed);
		eq(prog.lcore, home);
	}
}

/* ---- moving ---- */

static struct plx_net_moves moves(void)
{
	struct plx_net_moves m;

	plx_net_moves_get(nt.net, &m);
	return m;
}

static void wish(uint16_t to)
{
	eq(plx_net_owner_set(nt.net, bucket_of(prog.at->s.lport), to), 0);
}

static void settled(void)
{
	nt_sleep(PLX_MS(20)); /* some of it waits for the others' passes */
	eq(moves().waiting, 0);
	eq(moves().reordered, 0);
	eq(moves().dropped, 0);
}

static void move(uint16_t to)
{
	wish(to);
	settled();
}

T(a_socket_goes_along)
{
	start(0);
	talk(0);
	for (uint16_t i = 1; i < 3 * LCORES; i++) {
		move(i % LCORES);
		eq(prog.at->lcore, i % LCORES);
		for (uint16_t l = 0; l < LCORES; l++)
			eq(prog.at->s.replica[l].home, i % LCORES);
		talk(i % LCORES);
	}
	eq(moves().conns, 3 * LCORES - 1);
	eq(moves().stayed, 0);
	eq(prog.copies, 3 * LCORES - 1);
	eq(plx_net_udp_disconnect(lcore(prog.at->lcore), &prog.at->s), 0);
	nt_run();
	move(0);
	talk(2); /* it has no flow any more */
	eq(connect_it(), 0);
	nt_run();
	move(1);
	talk(2); /* and was elsewhere when it had one again */
	nt_no_drop();
}

/* It never was where its flow is, or has none: it has its home for good. */
T(a_socket_elsewhere)
{
	start(0);
	plx_net_udp_unbind(lcore(0), &prog.at->s);
	nt_run();
	ok(prog.gone);
	open_it(1, port_of(2));
	talk(1);
	move(0);
	talk(1);
	move(2);
	eq(connect_it(), 0);
	nt_run();
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		move(i % LCORES);
		talk(1);
	}
	eq(moves().conns, 0);
	nt_no_drop();
}

/* Its program does not let it go: what comes is handed over, in order, there and back. */
T(a_socket_that_stays)
{
	start(1);
	prog.refuses = true;
	for (uint16_t i = 0; i < 2 * LCORES; i++) {
		move(i % LCORES);
		talk(1);
	}
	eq(moves().conns, 0);
	eq(moves().stayed, 1);
	nt_no_drop();
}

/* Whatever has been done of a move when datagrams come, by any queue: each is seen in its place. */
static void at_any_time(bool refuses)
{
	for (uint16_t slow = 0; slow < LCORES; slow++)
		for (int when = 0; when < 24; when++) {
			fed = 0;
			start(1);
			prog.refuses = refuses;
			feed(0);
			nt_run();
			wish(2);
			for (int i = 0; i < 48; i++) {
				for (uint16_t l = 0; l < LCORES; l++)
					if (l != slow || i > when)
						step(l);
				nt.now += PLX_US(i % 3 * 20);
				feed_again((uint16_t)(when % LCORES));
			}
			settled();
			eq(prog.got, fed);
			eq(prog.lcore, refuses ? 1 : 2);
			eq(prog.copies, !refuses);
			nt_no_drop();
			if (slow != LCORES - 1 || when != 23)
				after(NULL);
		}
}

T(datagrams_come_at_any_time)
{
	at_any_time(false);
}

T(datagrams_of_one_that_stays)
{
	at_any_time(true);
}

/* What the peer's host says of a datagram is told once, wherever the socket is. */
T(errors_come_at_any_time)
{
	for (int when = 0; when < 24; when++) {
		struct plx_net_udp_msg msg = {.dst = t_addr("10.0.0.1"), .dport = PEER};

		start(1);
		msg.sport = prog.at->s.lport;
		plx_net_udp_send(lcore(1), plx_softnet_alloc(lcore(1)), &msg);
		nt_run();
		ok(nt_sent(0));
		nt_make(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 28");
		wish(2);
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(20);
		}
		t_port_feed(&nt.port[0], (uint16_t)(when % LCORES), nt.in.b, nt.in.bytes, 0);
		settled();
		eq(prog.errors, 1);
		eq(prog.at->lcore, 2);
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp unreach 3 quote 28");
		eq(prog.errors, 2);
		nt_no_drop();
		if (when != 23)
			after(NULL);
	}
}

/* There is no memory there: it is back where it was, and misses nothing. */
T(no_memory_there)
{
	start(1);
	prog.too_much = 2;
	fed = 0;
	feed(0);
	wish(2);
	for (int i = 0; i < 48; i++) {
		step((uint16_t)(i % LCORES));
		feed_again(0);
	}
	settled();
	eq(prog.got, fed);
	talk(1);
	eq(moves().stayed, 1);
	eq(moves().conns, 0);
	prog.too_much = 0;
	move(0);
	talk(1); /* who has stayed is not asked again */
	nt_no_drop();
}

/* The engine stops, whatever has been done of a move: it is on one of the two. */
T(an_end_at_any_time)
{
	for (int when = 0; when < 30; when++) {
		start(1);
		fed = 0;
		feed(0);
		wish(2);
		for (int i = 0; i < when; i++) {
			step((uint16_t)(i % LCORES));
			nt.now += PLX_US(20);
			feed_again(0);
		}
		nt_stop_engine();
		assert_non_null(prog.at);
		ok(prog.at->lcore == 1 || prog.at->lcore == 2);
		if (when != 29)
			after(NULL);
	}
}

/* Too many wait: it stays, and none of them is lost. */
T(a_move_is_abandoned)
{
	const uint16_t old = 1, new = 2;
	struct net_mover *mv;
	uint32_t most;

	start(old);
	mv = nt.net->lcore[new]->mover;
	most = PLX_MIN(MOVE_PARK_MAX, nt.net->lcore[new]->spare_mbufs / 4);
	fed = 0;
	wish(new);
	feed(0);
	for (int i = 0; i < 40 + (int)(most - most / 4); i++) {
		step(0);
		step(new);
		feed_again(0);
	}
	ok(mv->n >= most - most / 4);
	settled();
	eq(prog.got, fed);
	eq(moves().abandoned, 1);
	eq(moves().stayed, 1);
	eq(moves().conns, 0);
	talk(old);
	move(0);
	talk(old);
	nt_no_drop();
	eq(plx_net_held(nt.net), 0);
}

/* It has no transmit queue of its own there, and sends by lcore 0, which is slow: what it has sent
 * is out before it is anywhere else. */
T(what_was_sent_is_out)
{
	for (uint16_t to = 0; to < 2; to++)
		for (int when = 0; when < 24; when++) {
			struct plx_net_udp_msg msg = {.dst = t_addr("10.0.0.1"), .dport = PEER};

			nt.queues = 2;
			start(2);
			msg.sport = prog.at->s.lport;
			wish(to);
			for (int i = 0; i < 48; i++) {
				if (i % 4 == 0 && i < 12 && prog.at && prog.at->lcore == 2) {
					plx_net_udp_send(
						lcore(2), plx_softnet_alloc(lcore(2)), &msg);
					prog.sent++;
				}
				for (uint16_t l = 0; l < LCORES; l++)
					if (l != 0 || i % 8 == 0 || i > when)
						step(l);
				nt.now += PLX_US(1);
			}
			settled();
			eq(prog.at->lcore, to);
			eq(nt_forget(), prog.sent);
			prog.sent = 0;
			nt.queues = 0;
			if (to != 1 || when != 23)
				after(NULL);
		}
}

/* Its flow alone, and a device that brings it there. */
T(a_flow_of_its_own)
{
	const struct t_port_ntuple *rules = &nt.port[0].ntuple;

	start(0);
	nt.port[0].port->features = PLX_PORT_F_NTUPLE;
	ok(!plx_net_udp_move(lcore(0), &prog.at->s, LCORES));
	for (uint16_t i = 1; i < LCORES; i++) {
		ok(plx_net_udp_move(lcore(prog.at->lcore), &prog.at->s, i));
		settled();
		eq(prog.at->lcore, i);
		eq(moves().flows, 1);
		talk(i);
		plx_net_arfs_serve(nt.net);
		if (i > 1) { /* the old rule is taken back */
			eq(rules->n, 0);
			talk(i);
			plx_net_arfs_serve(nt.net);
		}
		eq(rules->n, 1);
		eq(rules->rule[0].flow.proto, PLX_IPPROTO_UDP);
		eq(rules->rule[0].flow.sport, PEER);
		eq(rules->rule[0].flow.dport, prog.at->s.lport);
		eq(rules->rule[0].queue, i);
	}
	eq(plx_net_udp_disconnect(lcore(prog.at->lcore), &prog.at->s), 0);
	settled();
	eq(moves().flows, 0);
	plx_net_arfs_serve(nt.net);
	eq(rules->n, 0);
	ok(!plx_net_udp_move(lcore(prog.at->lcore), &prog.at->s, 0)); /* it has no flow */
	talk(LCORES - 1);
	nt_no_drop();
}

#define MU_(name) cmocka_unit_test_teardown(name, after)

RUN_EAL(MU_(a_socket_goes_along), MU_(a_socket_elsewhere), MU_(a_socket_that_stays),
	MU_(datagrams_come_at_any_time), MU_(datagrams_of_one_that_stays),
	MU_(errors_come_at_any_time), MU_(no_memory_there), MU_(an_end_at_any_time),
	MU_(a_move_is_abandoned), MU_(a_flow_of_its_own), MU_(what_was_sent_is_out))
