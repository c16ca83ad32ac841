/* SPDX-License-Identifier: BSD-3-Clause */
#include "errq.h"

/*
 * What few sockets have. Those whose options are the same, and who have nothing else there, share
 * one copy: the connections that a listener lets in, above all. Who sets one more gets its own.
 */

#define LOOKS 4 /* the copies that were used last are compared with, no more */

static struct sock_cold *cold_new(struct sock_lcore *sl, const struct sock_opts *o)
{
	struct sock_cold *cold = sock__alloc(sl, sizeof(*cold));

	if (cold)
		cold->opt = *o;
	return cold;
}

static void leave(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_cold *cold = f->cold;

	f->cold = NULL;
	f->flags &= ~SOCKF_SHARED;
	if (--cold->sharers)
		return;
	plx_list_del(&cold->of_lcore);
	sock__free(sl, cold, sizeof(*cold));
}

static void join(struct sock_lcore *sl, struct sock_file *f, struct sock_cold *cold)
{
	f->cold = cold;
	f->flags |= SOCKF_SHARED;
	cold->sharers++;
}

static struct sock_cold *find(struct sock_lcore *sl, const struct sock_opts *o)
{
	struct sock_cold *cold;
	int n = 0;

	plx_list_foreach (cold, &sl->colds, of_lcore) {
		if (memcmp(&cold->opt, o, sizeof(*o)) == 0)
			return cold;
		if (++n == LOOKS)
			break;
	}
	return NULL;
}

struct sock_cold *sock__cold(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_cold *cold;

	if (f->cold && !sock__is(f, SOCKF_SHARED))
		return f->cold;
	cold = cold_new(sl, sock__opts(f));
	if (!cold)
		return NULL;
	if (f->cold)
		leave(sl, f);
	f->cold = cold;
	return cold;
}

bool sock__cold_take(struct sock_lcore *sl, struct sock_file *f, const struct sock_opts *o)
{
	struct sock_cold *cold = find(sl, o);

	if (!cold) {
		cold = cold_new(sl, o);
		if (!cold)
			return false;
		plx_list_init(&cold->of_lcore);
		plx_list_add_head(&sl->colds, &cold->of_lcore);
	}
	join(sl, f, cold);
	return true;
}

/* Nothing in it is f's alone. */
static bool is_common(const struct sock_file *f)
{
	const struct sock_cold *cold = f->cold;

	return !sock__is(f, SOCKF_BOUND | SOCKF_BOUND_IP) && !cold->listen && !cold->zc &&
	       !cold->owner_pid && !cold->sig && !cold->opt.cookie;
}

void sock__cold_share(struct sock_lcore *sl, struct sock_file *f)
{
	struct sock_cold *own = f->cold;

	if (!own || sock__is(f, SOCKF_SHARED) || !is_common(f))
		return;
	if (sock__cold_take(sl, f, &own->opt))
		sock__free(sl, own, sizeof(*own));
}

void sock__cold_free(struct sock_lcore *sl, struct sock_file *f)
{
	if (!f->cold)
		return;
	if (sock__is(f, SOCKF_SHARED)) {
		leave(sl, f);
		return;
	}
	if (sock__is(f, SOCKF_BOUND))
		plx_net_bind_del(sl->ns->net, &f->cold->bind);
	sock__zc_close(f->cold->zc);
	sock__free(sl, f->cold, sizeof(*f->cold));
	f->cold = NULL;
}
