/* SPDX-License-Identifier: BSD-3-Clause */
#include "far.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <rte_lcore.h>
#include <rte_malloc.h>

/*
 * Descriptors. One table for the process, as numbers are the process's; its slots are dealt out to
 * lcores in pieces, and go back to the lcore that had them, so that nobody waits for anybody. A
 * number is base + slot + generation * files: what is closed is not mistaken for what has its slot
 * now.
 */

#define FILES	  (1u << 20)
#define PIECE	  64 /* slots that an lcore takes at a time */
#define MEM_BYTES ((size_t)64 << 20)
#define MEM_LEAST ((size_t)1 << 20)
#define GENS_MAX  1024

struct slot {
	struct sock_file *file; /* the owner's */
	uint32_t gen;		/* read by all */
	uint32_t lcore;		/* EAL's id + 1; 0: free. Free: next is in the pointer's place */
};

static struct {
	struct slot *v;
	uint32_t files, gens;
	int base;
	uint32_t dealt; /* slots */
	struct plx_sock *first;
	bool forked;
} table;

static __thread struct plx_sock *entered;
struct sock_lcore *sock__lcores[RTE_MAX_LCORE];

bool sock__forked(void)
{
	return table.forked;
}

struct sock_lcore *sock__self(void)
{
	unsigned int id = rte_lcore_id();

	return id < RTE_MAX_LCORE && !entered ? sock__lcores[id] : NULL;
}

struct plx_sock *sock__ns(void)
{
	const struct sock_lcore *self = sock__self();

	return self ? self->ns : entered ? entered : table.first;
}

void plx_sock_enter(struct plx_sock *s)
{
	entered = s;
}

/* ---- memory ---- */

static bool get_mem(struct sock_lcore *sl)
{
	size_t bytes = sl->ns->conf.bytes ? sl->ns->conf.bytes : MEM_BYTES;

	for (; bytes >= MEM_LEAST && !sl->mem; bytes /= 2) {
		sl->mem = plx_pkt_mem_alloc(bytes, (int)rte_lcore_to_socket_id(sl->sn->lcore));
		if (sl->mem && plx_arena_init(&sl->arena, sl->mem, bytes) != 0)
			abort(); /* never: it is more than one block */
	}
	return sl->mem;
}

void *sock__alloc(struct sock_lcore *sl, size_t bytes)
{
	void *p = plx_likely(sl->mem) || get_mem(sl) ? plx_arena_alloc(&sl->arena, bytes) : NULL;

	return p ? memset(p, 0, bytes) : NULL;
}

void sock__free(struct sock_lcore *sl, void *p, size_t bytes)
{
	plx_arena_free(&sl->arena, p, bytes);
}

struct sock_cold *sock__cold(struct sock_lcore *sl, struct sock_file *f)
{
	if (!f->cold) {
		f->cold = sock__alloc(sl, sizeof(*f->cold));
		if (f->cold)
			f->cold->opt = sock__default_opts;
	}
	return f->cold;
}

void sock__cold_free(struct sock_lcore *sl, struct sock_file *f)
{
	if (!f->cold)
		return;
	if (sock__is(f, SOCKF_BOUND))
		plx_net_bind_del(sl->ns->net, &f->cold->bind);
	sock__free(sl, f->cold, sizeof(*f->cold));
	f->cold = NULL;
}

/* ---- slots ---- */

static uint32_t next_free(const struct slot *s)
{
	return (uint32_t)(uintptr_t)s->file;
}

static void put_free(struct sock_lcore *sl, uint32_t i)
{
	table.v[i].file = (struct sock_file *)(uintptr_t)sl->free_slot;
	sl->free_slot = i;
}

/* The lowest of a piece is taken first. */
static bool deal(struct sock_lcore *sl)
{
	uint32_t at = __atomic_fetch_add(&table.dealt, PIECE, __ATOMIC_RELAXED);

	if (at >= table.files) {
		__atomic_fetch_sub(&table.dealt, PIECE, __ATOMIC_RELAXED);
		return false;
	}
	for (uint32_t i = PIECE; i-- > 0;)
		if (at + i < table.files)
			put_free(sl, at + i);
	return true;
}

uint32_t sock__files(void)
{
	return table.files;
}

int sock__fd_of(const struct sock_file *f)
{
	return table.base + (int)(f->slot + table.v[f->slot].gen * table.files);
}

int sock__fd_new(struct sock_lcore *sl, struct sock_file *f)
{
	struct slot *s;

	if (sl->free_slot == SOCK_NO_SLOT && !deal(sl))
		return -ENFILE;
	f->slot = sl->free_slot;
	s = &table.v[f->slot];
	sl->free_slot = next_free(s);
	s->file = f;
	__atomic_store_n(&s->lcore, sl->sn->lcore + 1, __ATOMIC_RELEASE);
	plx_count(sl->n_files, 1);
	plx_net_socks(sl->sn, f->kind->type != 0);
	return sock__fd_of(f);
}

static void fd_end(struct sock_lcore *sl, struct sock_file *f)
{
	struct slot *s = &table.v[f->slot];

	__atomic_store_n(&s->lcore, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s->gen, (s->gen + 1) % table.gens, __ATOMIC_RELEASE);
	put_free(sl, f->slot);
	plx_count(sl->n_files, -1u);
	plx_net_socks(sl->sn, -(f->kind->type != 0));
}

/* @return NULL: it is none of ours, or another's by now. */
static struct slot *slot_of(int fd)
{
	uint32_t at = (uint32_t)fd - (uint32_t)table.base;
	struct slot *s;

	if (!table.v || fd < table.base || at / table.files >= table.gens)
		return NULL;
	s = &table.v[at % table.files];
	return __atomic_load_n(&s->gen, __ATOMIC_ACQUIRE) == at / table.files ? s : NULL;
}

int sock__fd_lcore(int fd)
{
	const struct slot *s = slot_of(fd);

	return s ? (int)__atomic_load_n(&s->lcore, __ATOMIC_ACQUIRE) - 1 : -1;
}

struct sock_file *sock__file(const struct sock_lcore *sl, int fd)
{
	const struct slot *s = slot_of(fd);

	return s && s->lcore == sl->sn->lcore + 1 ? s->file : NULL;
}

bool plx_sock_is_ours(int fd)
{
	return table.v && fd >= table.base &&
	       (uint32_t)(fd - table.base) / table.files < table.gens;
}

int plx_sock_owner(int fd)
{
	int id = table.forked ? -1 : sock__fd_lcore(fd);

	if (id < 0) {
		errno = EBADF;
		return -1;
	}
	return sock__lcores[id]->sn->index;
}

void sock__close(struct sock_lcore *sl, struct sock_file *f)
{
	sock__unwatch(sl, f);
	sock__waiters_end(sl, f, -EBADF);
	fd_end(sl, f);
	f->kind->release(sl, f);
}

/* ---- life ---- */

static void on_fork(void)
{
	table.forked = true;
}

static int range(const struct plx_sock_conf *conf)
{
	uint32_t files = conf->files ? conf->files : FILES;
	struct rlimit limit = {0};
	uint64_t base;

	getrlimit(RLIMIT_NOFILE, &limit);
	base = PLX_MIN((uint64_t)limit.rlim_max, UINT64_C(1) << 30);
	if (conf->fd_base)
		base = (uint64_t)conf->fd_base;
	if (files & (files - 1) || base + files > INT32_MAX)
		return -EINVAL;
	table.base = (int)base;
	table.files = files;
	table.gens = (uint32_t)PLX_MIN((INT32_MAX - base) / files, (uint64_t)GENS_MAX);
	if (conf->fd_base && conf->fd_base + (int64_t)files <= FD_SETSIZE)
		table.gens = 1;
	return 0;
}

/* Pages of it come when they are written to. */
static int make_table(const struct plx_sock_conf *conf)
{
	static bool told;
	int err = range(conf);

	if (err)
		return err;
	table.v = mmap(NULL, table.files * sizeof(*table.v), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table.v == MAP_FAILED) {
		table.v = NULL;
		return -ENOMEM;
	}
	table.dealt = 0;
	if (!told)
		pthread_atfork(NULL, NULL, on_fork);
	told = true;
	return 0;
}

static void free_table(void)
{
	munmap(table.v, table.files * sizeof(*table.v));
	table.v = NULL;
}

static void lcore_free(struct sock_lcore *sl)
{
	if (!sl)
		return;
	sock__far_free_all(sl);
	sock__lcores[sl->sn->lcore] = NULL;
	if (sl->mem)
		plx_arena_fini(&sl->arena);
	rte_free(sl->mem);
	free(sl);
}

static struct sock_lcore *lcore_new(struct plx_sock *ns, struct plx_softnet *sn)
{
	struct sock_lcore *sl = aligned_alloc(64, (sizeof(*sl) + 63) / 64 * 64);

	if (!sl)
		return NULL;
	*sl = (struct sock_lcore){.ns = ns, .sn = sn, .free_slot = SOCK_NO_SLOT};
	plx_list_init(&sl->fars);
	sock__lcores[sn->lcore] = sl;
	sock__poller_init(sl);
	plx_softnet_add_poller(sn, &sl->poller);
	return sl;
}

static void destroy(struct plx_sock *ns)
{
	struct plx_sock **at = &table.first;

	for (uint16_t i = 0; i < ns->n; i++)
		lcore_free(ns->lcore[i]);
	while (*at && *at != ns)
		at = &(*at)->next;
	if (*at)
		*at = ns->next;
	if (!table.first && table.v)
		free_table();
	free(ns);
}

struct plx_sock *plx_sock_create(
	struct plx_net *net, const struct plx_sock_conf *conf, struct plx_error *e)
{
	static const struct plx_sock_conf none;
	struct plx_sock *ns = calloc(1, sizeof(*ns)), **at = &table.first;
	int err = ns ? 0 : -ENOMEM;

	if (!err && !table.v)
		err = make_table(conf ? conf : &none);
	if (err) {
		free(ns);
		plx_error_set(e, err, PLX_ERR_RUN, "sockets", strerror(-err));
		return NULL;
	}
	ns->net = net;
	ns->eng = plx_net_engine(net);
	ns->conf = conf ? *conf : none;
	while (*at)
		at = &(*at)->next;
	*at = ns;
	for (; ns->n < plx_engine_lcores(ns->eng); ns->n++) {
		ns->lcore[ns->n] = lcore_new(ns, plx_engine_softnet(ns->eng, ns->n));
		if (ns->lcore[ns->n])
			continue;
		plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "sockets");
		destroy(ns);
		return NULL;
	}
	return ns;
}

/* Before an lcore's memory goes: nobody runs any more, so the caller may be any lcore. */
static void close_all(const struct sock_lcore *sl)
{
	struct sock_lcore *mine = sock__lcores[sl->sn->lcore];

	for (uint32_t i = 0; i < PLX_MIN(table.dealt, table.files); i++)
		if (table.v[i].lcore == sl->sn->lcore + 1)
			sock__close(mine, table.v[i].file);
}

void plx_sock_destroy(struct plx_sock *ns)
{
	if (!ns)
		return;
	for (uint16_t i = 0; i < ns->n; i++)
		close_all(ns->lcore[i]);
	sock__kernel_end(ns);
	destroy(ns);
}

uint32_t plx_sock_count(const struct plx_sock *s)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < s->n; i++)
		n += plx_count_read(s->lcore[i]->n_files);
	return n;
}
