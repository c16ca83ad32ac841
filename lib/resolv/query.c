/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

#include <ctype.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

/*
 * A query goes from source to source: is it an address, is it in the hosts file, what do name
 * servers say. It belongs to one lcore; a thread that waits for it sleeps on a semaphore.
 */

/* ---- its life ---- */

static struct resolv_job *job_new(struct resolv_lcore *rl, struct plx_resolv_query *q)
{
	struct resolv_job *job = calloc(1, sizeof(*job));

	q->job = job;
	if (!job) {
		q->done(q, EAI_MEMORY, NULL, NULL);
		return NULL;
	}
	job->q = q;
	job->rl = rl;
	job->next = rl->jobs;
	rl->jobs = job;
	return job;
}

static void job_free(struct resolv_job *job)
{
	struct resolv_job **at = &job->rl->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	resolv__found_free(&job->found);
	free(job);
}

static int result(struct resolv_job *job, struct addrinfo **res)
{
	if (!job->exact)
		resolv__filter(&job->want, &job->found);
	if (!job->found.n)
		return EAI_NODATA;
	if (!job->rl->r->closed)
		resolv__order(job->rl->sn, &job->found);
	return resolv__result(&job->want, &job->found, res);
}

void resolv__answered(struct resolv_job *job, int err)
{
	struct plx_resolv_query *q = job->q;
	struct addrinfo *res = NULL;
	int saved = errno;

	if (q) {
		q->job = NULL;
		if (!err && !job->by_name)
			err = result(job, &res);
		errno = saved;
		q->done(q, err, res, !err && job->by_name ? job->name : NULL);
	}
	job_free(job);
}

void plx_resolv_cancel(struct plx_resolv_query *q)
{
	if (q->job)
		q->job->q = NULL;
	q->job = NULL;
}

void resolv__end_all(struct resolv_lcore *rl)
{
	for (struct resolv_job *job = rl->jobs; job; job = job->next) {
		struct plx_resolv_query *q = job->q;

		if (!q)
			continue;
		plx_resolv_cancel(q);
		errno = ESHUTDOWN;
		q->done(q, EAI_SYSTEM, NULL, NULL);
	}
	if (!rl->dns) /* else dns.c gives them back */
		while (rl->jobs)
			job_free(rl->jobs);
}

/* ---- its sources ---- */

/* @return EAI_NONAME: it does not know the name, or no address of what is wanted. */
static int from_hosts(struct resolv_job *job)
{
	const struct resolv_hosts *h = &job->rl->r->hosts;
	const struct resolv_host *e;
	unsigned int at = 0;
	int err = 0;

	while (!err && (e = resolv__hosts_next(h, job->want.node, &at))) {
		if (!job->found.n)
			strncpy(job->found.canon, e->canon, sizeof(job->found.canon) - 1);
		err = resolv__found_add(&job->found, &e->addr, 0);
	}
	if (err)
		return err;
	resolv__filter(&job->want, &job->found);
	if (job->found.n)
		return 0;
	job->found.canon[0] = '\0';
	return EAI_NONAME;
}

/* Of what characters names in DNS are made (glibc's res_hnok()): others are not asked for. */
static bool is_host_name(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

/* What neither addresses nor files tell. */
static void ask(struct resolv_job *job, bool local)
{
	struct resolv_lcore *rl = job->rl;

	if (!job->by_name && !is_host_name(job->want.node)) {
		resolv__answered(job, EAI_NONAME);
	} else if (local) {
		errno = EAGAIN;
		resolv__answered(job, EAI_SYSTEM);
	} else if (!rl->dns) {
		resolv__answered(job, rl->r->conf.n_server ? EAI_FAIL : EAI_AGAIN);
	} else {
		resolv__dns_ask(rl->dns, job);
	}
}

void resolv__begin_addr(struct resolv_lcore *rl, struct plx_resolv_query *q,
	const struct resolv_want *w, bool local)
{
	struct resolv_job *job = job_new(rl, q);
	int err;

	if (!job)
		return;
	job->want = *w;
	w = &job->want;
	err = resolv__addrconfig(
		&job->want, plx_net_has_family(rl->sn, true), plx_net_has_family(rl->sn, false));
	if (!err)
		err = resolv__numeric(w, &job->found);
	job->exact = err != 1;
	if (err == 1)
		err = from_hosts(job) == 0 ? 0 : 1;
	if (err == 1)
		ask(job, local);
	else
		resolv__answered(job, err);
}

void resolv__begin_name(
	struct resolv_lcore *rl, struct plx_resolv_query *q, const struct plx_addr *a, bool local)
{
	struct resolv_job *job = job_new(rl, q);
	const char *name = resolv__hosts_name(&rl->r->hosts, a);

	if (!job)
		return;
	job->by_name = true;
	job->addr = *a;
	if (!name) {
		ask(job, local);
		return;
	}
	strncpy(job->name, name, sizeof(job->name) - 1);
	resolv__answered(job, 0);
}

/* ---- programs of an lcore ---- */

void plx_resolv_addr(struct plx_resolv_query *q, const char *node, const char *service,
	const struct addrinfo *hints)
{
	struct resolv_lcore *rl = resolv__self();
	struct resolv_want w;
	int err = rl ? resolv__want(&w, node, service, hints) : EAI_SYSTEM;

	q->job = NULL;
	errno = ENOSYS; /* of EAI_SYSTEM */
	if (err)
		q->done(q, err, NULL, NULL);
	else
		resolv__begin_addr(rl, q, &w, false);
}

void plx_resolv_name(struct plx_resolv_query *q, const struct sockaddr *sa, socklen_t len)
{
	struct resolv_lcore *rl = resolv__self();
	struct plx_addr a;
	uint16_t port;
	uint32_t scope;
	int err = rl ? resolv__addr_of(sa, len, &a, &port, &scope) : EAI_SYSTEM;

	q->job = NULL;
	errno = ENOSYS;
	if (err)
		q->done(q, err, NULL, NULL);
	else
		resolv__begin_name(rl, q, &a, false);
}

/* ---- whoever waits ---- */

/** A call that is not over before its query is; on its caller's stack. */
struct call {
	struct plx_resolv_query q;
	struct resolv_lcore *rl;
	const struct resolv_want *want; /**< NULL: the name of addr */
	const struct plx_addr *addr;
	sem_t over;
	int err, saved_errno;
	struct addrinfo *res;
	char *name;
};

static void over(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name)
{
	struct call *c = plx_container_of(q, struct call, q);

	c->err = err;
	c->saved_errno = errno;
	c->res = res;
	if (name)
		strcpy(c->name, name);
	sem_post(&c->over);
}

static void begin(struct call *c, bool local)
{
	if (c->want)
		resolv__begin_addr(c->rl, &c->q, c->want, local);
	else
		resolv__begin_name(c->rl, &c->q, c->addr, local);
}

static void begin_there(struct plx_softnet *sn, void *arg)
{
	begin(arg, false);
}

/* No signal ends it, as none ends glibc's; nor may the thread be unwound meanwhile. */
static int begin_and_sleep(struct call *c)
{
	int state, err;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	err = plx_softnet_call(c->rl->sn, begin_there, c);
	while (!err && sem_wait(&c->over) != 0)
		;
	pthread_setcancelstate(state, NULL);
	errno = -err;
	return err ? EAI_SYSTEM : c->err;
}

static int carry(struct call *c)
{
	struct plx_resolv *r = resolv__first();

	c->q.done = over;
	c->rl = resolv__self();
	if (c->rl) {
		begin(c, true); /* is over when it returns */
		return c->err;
	}
	errno = ENOSYS;
	if (!r)
		return EAI_SYSTEM;
	c->rl = &r->lcore[__atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED) % r->n];
	return begin_and_sleep(c);
}

static int wait_for(struct call *c)
{
	int err;

	c->saved_errno = 0;
	sem_init(&c->over, 0, 0);
	err = carry(c);
	sem_destroy(&c->over);
	if (err == EAI_SYSTEM && c->saved_errno)
		errno = c->saved_errno;
	return err;
}

int plx_getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	struct resolv_want w;
	struct call c = {.want = &w};
	int err = resolv__want(&w, node, service, hints);

	if (!err)
		err = wait_for(&c);
	if (!err)
		*res = c.res;
	return err;
}

int resolv__name_of(const struct plx_addr *a, char *name)
{
	struct call c = {.addr = a, .name = name};

	return wait_for(&c);
}
