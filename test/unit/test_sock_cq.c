/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

/* Completion queues. */

static void submit(struct plx_cq *cq, const struct plx_sqe *s)
{
	eq(plx_cq_submit(cq, s, 1), 1);
}

/* The next result is of this request. */
static int64_t result(struct plx_cq *cq, uint64_t user)
{
	struct plx_cqe cqe;

	nt_run();
	eq(plx_cq_reap(cq, &cqe, 1, 0), 1);
	eq(cqe.user, user);
	return cqe.result;
}

static void none(struct plx_cq *cq)
{
	struct plx_cqe cqe;

	nt_run();
	eq(plx_cq_reap(cq, &cqe, 1, 0), 0);
}

T(a_connection_by_requests)
{
	struct sockaddr_storage ss, peer;
	socklen_t len = sizeof(peer);
	char in[8];
	struct plx_cq *cq;
	int l, c, a;

	st_new();
	cq = plx_cq_create(8);
	l = st_listen("10.0.0.2", 80);
	c = plx_socket(AF_INET, SOCK_STREAM, 0);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_ACCEPT,
			   .fd = l,
			   .addr = (struct sockaddr *)&peer,
			   .addr_len = &len,
			   .user = 1});
	none(cq);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_CONNECT,
			   .fd = c,
			   .addr = (struct sockaddr *)&ss,
			   .len = st_sa(&ss, "10.0.0.2", 80),
			   .user = 2});
	eq(result(cq, 2), 0);
	a = (int)result(cq, 1);
	ok(a >= 0);
	eq(peer.ss_family, AF_INET);
	submit(cq, &(struct plx_sqe){
			   .op = PLX_CQ_RECV, .fd = a, .buf = in, .len = sizeof(in), .user = 3});
	none(cq);
	submit(cq,
		&(struct plx_sqe){
			.op = PLX_CQ_SEND, .fd = c, .buf = (char[]){"hello"}, .len = 5, .user = 4});
	eq(result(cq, 4), 5);
	eq(result(cq, 3), 5);
	mem_eq(in, "hello", 5);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_SHUTDOWN, .fd = c, .flags = SHUT_WR, .user = 5});
	eq(result(cq, 5), 0);
	submit(cq, &(struct plx_sqe){
			   .op = PLX_CQ_RECV, .fd = a, .buf = in, .len = sizeof(in), .user = 6});
	eq(result(cq, 6), 0);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_CLOSE, .fd = a, .user = 7});
	eq(result(cq, 7), 0);
	fails(plx_close(a), EBADF);
	plx_cq_destroy(cq);
}

T(what_is_wrong_is_said)
{
	struct plx_cq *cq;
	int fd;

	st_new();
	cq = plx_cq_create(2);
	fd = plx_socket(AF_INET, SOCK_STREAM, 0);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_MAX, .user = 1});
	eq(result(cq, 1), -EINVAL);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_CLOSE, .fd = 3, .user = 2});
	eq(result(cq, 2), -EBADF);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_RECV, .fd = fd, .user = 3});
	eq(result(cq, 3), -ENOTCONN);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_SENDMSG, .fd = fd, .user = 4});
	eq(result(cq, 4), -EFAULT);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_NOP, .user = 5});
	eq(result(cq, 5), 0);
	plx_cq_destroy(cq);
}

T(cancelled_timed_out_closed)
{
	char in[8];
	struct plx_cq *cq;
	int c[2];

	st_new();
	st_pair(c, "10.0.0.2", 80);
	cq = plx_cq_create(4);
	submit(cq,
		&(struct plx_sqe){.op = PLX_CQ_RECV, .fd = c[0], .buf = in, .len = 1, .user = 1});
	none(cq);
	plx_cq_cancel(cq, 1);
	eq(result(cq, 1), -ECANCELED);
	submit(cq, &(struct plx_sqe){.op = PLX_CQ_RECV,
			   .fd = c[0],
			   .buf = in,
			   .len = 1,
			   .timeout_ms = 50,
			   .user = 2});
	nt_sleep(PLX_MS(49));
	none(cq);
	nt_sleep(PLX_MS(2));
	eq(result(cq, 2), -ETIMEDOUT);
	submit(cq,
		&(struct plx_sqe){.op = PLX_CQ_RECV, .fd = c[0], .buf = in, .len = 1, .user = 3});
	eq(plx_close(c[0]), 0);
	eq(result(cq, 3), -EBADF);
	plx_cq_destroy(cq);
}

T(more_than_there_is_room_for)
{
	struct plx_sqe s[3] = {{.op = PLX_CQ_NOP, .user = 1}, {.op = PLX_CQ_NOP, .user = 2},
		{.op = PLX_CQ_NOP, .user = 3}};
	struct plx_cqe cqe[3];
	struct plx_cq *cq;

	st_new();
	assert_null(plx_cq_create(0));
	cq = plx_cq_create(2);
	eq(plx_cq_submit(cq, s, 3), 2);
	eq(plx_cq_reap(cq, cqe, 3, 0), 2);
	eq(plx_cq_submit(cq, s + 2, 1), 1);
	plx_cq_destroy(cq);
}

/* As sendmsg() and recvmsg() look at it. */
T(messages_that_are_none)
{
	struct iovec bad = {.iov_len = SIZE_MAX};
	struct msghdr m = {.msg_iovlen = 1};
	struct plx_sqe s = {.op = PLX_CQ_SENDMSG, .msg = &m, .user = 1};
	struct plx_cq *cq;

	st_new();
	cq = plx_cq_create(2);
	s.fd = plx_socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < 2; i++) {
		m.msg_iov = NULL;
		submit(cq, &s);
		eq(result(cq, 1), -EFAULT);
		m.msg_iov = &bad;
		submit(cq, &s);
		eq(result(cq, 1), -EINVAL);
		s.op = PLX_CQ_RECVMSG;
	}
	plx_cq_destroy(cq);
}

RUN_EAL(ST_(a_connection_by_requests), ST_(what_is_wrong_is_said), ST_(messages_that_are_none),
	ST_(cancelled_timed_out_closed), ST_(more_than_there_is_room_for))
