/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Nothing is left in a ring when a function here returns: each request says RWF_NOWAIT, so that the
 * kernel does it at once, in the order of submission, or not at all. Where it can't (it would take
 * a thread of its own instead) we do without.
 */
#ifdef VTAP_URING
#include <liburing.h>

#define TRIES 100 /* while the kernel has no memory for a request */

struct vtap_uring {
	struct io_uring ring;
};

static struct io_uring_sqe *next(struct vtap_uring *u, unsigned int i)
{
	struct io_uring_sqe *sqe =
		io_uring_get_sqe(&u->ring); /* there are as many as a batch has */

	io_uring_sqe_set_data64(sqe, i);
	return sqe;
}

void vtap__uring_read(struct vtap_uring *u, unsigned int i, const struct iovec *iov, unsigned n)
{
	struct io_uring_sqe *sqe = next(u, i);

	io_uring_prep_readv2(sqe, 0, iov, n, 0, RWF_NOWAIT);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	io_uring_sqe_set_data64(sqe, i);
}

void vtap__uring_write(struct vtap_uring *u, unsigned int i, const struct iovec *iov, unsigned n)
{
	struct io_uring_sqe *sqe = next(u, i);

	io_uring_prep_writev2(sqe, 0, iov, n, 0, RWF_NOWAIT);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	io_uring_sqe_set_data64(sqe, i);
}

/* Those that the kernel has done. @return how many. */
static unsigned int take_done(struct vtap_uring *u, int *res)
{
	struct io_uring_cqe *cqe;
	unsigned int n = 0;

	for (; io_uring_peek_cqe(&u->ring, &cqe) == 0; n++) {
		res[io_uring_cqe_get_data64(cqe)] = cqe->res;
		io_uring_cqe_seen(&u->ring, cqe);
	}
	return n;
}

/* A signal, or a moment without memory, leaves the rest to be submitted: it is tried again. */
int vtap__uring_run(struct vtap_uring *u, unsigned int n, int *res)
{
	unsigned int done = 0, tries = 0;
	int rc;

	for (unsigned int i = 0; i < n; i++)
		res[i] = -ECANCELED;
	for (;;) {
		rc = io_uring_submit_and_wait(&u->ring, n - done);
		done += take_done(u, res);
		if (plx_likely(done == n))
			return 0;
		if (rc < 0 && rc != -EINTR && (rc != -EAGAIN || ++tries == TRIES))
			return rc;
	}
}

/* Does it say "nothing there", or "cannot"? Whatever comes meanwhile is lost: nobody listens yet.
 */
static bool works(struct vtap_uring *u)
{
	uint8_t byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = sizeof(byte)};
	int res;

	vtap__uring_read(u, 0, &iov, 1);
	if (vtap__uring_run(u, 1, &res) != 0)
		return false;
	return res != -EOPNOTSUPP && res != -ENOSYS && res != -EPERM;
}

struct vtap_uring *vtap__uring_new(int fd)
{
	struct vtap_uring *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	if (io_uring_queue_init(VTAP_BATCH, &u->ring, 0) != 0) {
		free(u);
		return NULL;
	}
	if (io_uring_register_files(&u->ring, &fd, 1) != 0 || !works(u)) {
		vtap__uring_free(u);
		return NULL;
	}
	return u;
}

void vtap__uring_free(struct vtap_uring *u)
{
	if (!u)
		return;
	/* or the kernel lets go of the interface some time after we have closed it */
	io_uring_unregister_files(&u->ring);
	io_uring_queue_exit(&u->ring);
	free(u);
}
#else
struct vtap_uring *vtap__uring_new(int fd)
{
	return NULL;
}

void vtap__uring_free(struct vtap_uring *u)
{
}

void vtap__uring_read(struct vtap_uring *u, unsigned int i, const struct iovec *iov, unsigned n)
{
}

void vtap__uring_write(struct vtap_uring *u, unsigned int i, const struct iovec *iov, unsigned n)
{
}

int vtap__uring_run(struct vtap_uring *u, unsigned int n, int *res)
{
	return -ENOSYS;
}
#endif
