/* SPDX-License-Identifier: BSD-3-Clause */
#include "errq.h"
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
	uint32_t gen;		/* read by all, as what follows */
	uint16_t lcore;		/* EAL's id + 1; 0: free. Free: next is in the pointer's place */
	bool set;		/* an epoll set's */
};

static struct {
	struct slot *v;
	uint32_t files, gens; /* files is 1 << shift */
	uint8_t shift;
	int base;
	pthread_mutex_t lock; /* of the next two */
	uint32_t dealt;	      /* slots */
	uint32_t back;	      /* list of those that an lcore has given back */
	struct plx_sock *first;
	bool forked;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

/* ---- slots ---- */

/* A list of free ones: the head's number, and so on. */
static void put_free(uint32_t *list, uint32_t i)
{
	table.v[i].file = (struct sock_file *)(uintptr_t)*list;
	*list = i;
}

static uint32_t take_free(uint32_t *list)
{
	uint32_t i = *list;

	*list = (uint32_t)(uintptr_t)table.v[i].file;
	return i;
}

/* The lowest of a fresh piece is taken first. */
static bool deal(struct sock_lcore *sl)
{
	pthread_mutex_lock(&table.lock);
	for (uint32_t i = 0; i < PIECE && table.back != SOCK_NO_SLOT; i++)
		put_free(&sl->free_slot, take_free(&table.back));
	if (sl->free_slot == SOCK_NO_SLOT && table.dealt < table.files) {
		uint32_t end = PLX_MIN(table.dealt + PIECE, table.files);

		for (uint32_t i = end; i-- > table.dealt;)
			put_free(&sl->free_slot, i);
		table.dealt = end;
	}
	pthread_mutex_unlock(&table.lock);
	return sl->free_slot != SOCK_NO_SLOT;
}

static void give_back(struct sock_lcore *sl)
{
	pthread_mutex_lock(&table.lock);
	while (sl->free_slot != SOCK_NO_SLOT)
		put_free(&table.back, take_free(&sl->free_slot));
	pthread_mutex_unlock(&table.lock);
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
	f->slot = take_free(&sl->free_slot);
	s = &table.v[f->slot];
	s->file = f;
	if (!sl->foreign)
		f->flags |= SOCKF_PROGRAM;
	__atomic_store_n(&s->set, sock__is_set(f), __ATOMIC_RELAXED);
	__atomic_store_n(&s->lcore, (uint16_t)(sl->sn->lcore + 1), __ATOMIC_RELEASE);
	plx_count(sl->n_files, 1);
	plx_net_socks(sl->sn, f->kind->type != 0);
	return sock__fd_of(f);
}

static void fd_end(struct sock_lcore *sl, struct sock_file *f)
{
	struct slot *s = &table.v[f->slot];

	__atomic_store_n(&s->lcore, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s->gen, (s->gen + 1) % table.gens, __ATOMIC_RELEASE);
	put_free(&sl->free_slot, f->slot);
	plx_count(sl->n_files, -1u);
	plx_net_socks(sl->sn, -(f->kind->type != 0));
}

void sock__fd_leave(struct sock_lcore *sl, struct sock_file *f, const struct sock_lcore *to)
{
	struct slot *s = &table.v[f->slot];

	__atomic_store_n(&s->file, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&s->lcore, (uint16_t)(to->sn->lcore + 1), __ATOMIC_RELEASE);
}

void sock__fd_put(struct sock_lcore *sl, struct sock_file *f)
{
	struct slot *s = &table.v[f->slot];

	/* who sees the file sees whose it is */
	__atomic_store_n(&s->lcore, (uint16_t)(sl->sn->lcore + 1), __ATOMIC_RELAXED);
	__atomic_store_n(&s->file, f, __ATOMIC_RELEASE);
	plx_count(sl->n_files, 1);
	plx_net_socks(sl->sn, 1);
}

void sock__fd_left(struct sock_lcore *sl)
{
	plx_count(sl->n_files, -1u);
	plx_net_socks(sl->sn, -1);
}

/* @return NULL: it is none of ours, or another's by now. */
static struct slot *slot_of(int fd)
{
	uint32_t at = (uint32_t)fd - (uint32_t)table.base, gen = at >> table.shift;
	struct slot *s;

	if (!table.v || fd < table.base || gen >= table.gens)
		return NULL;
	s = &table.v[at & (table.files - 1)];
	return __atomic_load_n(&s->gen, __ATOMIC_ACQUIRE) == gen ? s : NULL;
}

int sock__fd_lcore(int fd)
{
	const struct slot *s = slot_of(fd);

	return s ? (int)__atomic_load_n(&s->lcore, __ATOMIC_ACQUIRE) - 1 : -1;
}

bool sock__fd_is_set(int fd)
{
	const struct slot *s = slot_of(fd);

	return s && __atomic_load_n(&s->lcore, __ATOMIC_ACQUIRE) &&
	       __atomic_load_n(&s->set, __ATOMIC_RELAXED);
}

struct sock_file *sock__file(const struct sock_lcore *sl, int fd)
{
	const struct slot *s = slot_of(fd);
	struct sock_file *f;

	if (!s || __atomic_load_n(&s->lcore, __ATOMIC_ACQUIRE) != sl->sn->lcore + 1)
		return NULL;
	f = __atomic_load_n(&s->file, __ATOMIC_ACQUIRE);
	/* it may have gone back to whom it came from meanwhile */
	return __atomic_load_n(&s->lcore, __ATOMIC_RELAXED) == sl->sn->lcore + 1 ? f : NULL;
}

struct sock_lcore *sock__fd_moved(const struct sock_lcore *sl, int fd)
{
	int id = sock__fd_lcore(fd);
	struct sock_lcore *there = id >= 0 ? sock__lcores[id] : NULL;

	return there && !sock__file(sl, fd) ? there : NULL;
}

bool plx_sock_is_ours(int fd)
{
	return table.v && fd >= table.base &&
	       (uint32_t)(fd - table.base) >> table.shift < table.gens;
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
	table.shift = (uint8_t)__builtin_ctz(files);
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
	table.back = SOCK_NO_SLOT;
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
	give_back(sl);
	sock__lcores[sl->sn->lcore] = NULL;
	if (sl->mem)
		plx_arena_fini(&sl->arena);
	rte_free(sl->mem);
	free(sl);
}

/* The lcore that threads on sn's CPU are told to be near. */
static uint16_t near_of(const struct plx_sock *ns, const struct plx_softnet *sn)
{
	rte_cpuset_t set = rte_lcore_cpuset(sn->lcore);

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			return (uint16_t)plx_engine_near(ns->eng, cpu);
	return sn->index;
}

static struct sock_lcore *lcore_new(struct plx_sock *ns, struct plx_softnet *sn)
{
	struct sock_lcore *sl = aligned_alloc(64, (sizeof(*sl) + 63) / 64 * 64);

	if (!sl)
		return NULL;
	*sl = (struct sock_lcore){.ns = ns, .sn = sn, .free_slot = SOCK_NO_SLOT};
	sl->near = near_of(ns, sn);
	plx_list_init(&sl->fars);
	plx_list_init(&sl->colds);
	sock__lcores[sn->lcore] = sl;
	sock__poller_init(sl);
	return sl;
}

/* An lcore's sockets are one stack's: by its number they are found. @return 0 or -errno. */
static int make_lcores(struct plx_sock *ns)
{
	for (; ns->n < plx_engine_lcores(ns->eng); ns->n++) {
		struct plx_softnet *sn = plx_engine_softnet(ns->eng, ns->n);

		if (sock__lcores[sn->lcore])
			return -EBUSY;
		ns->lcore[ns->n] = lcore_new(ns, sn);
		if (!ns->lcore[ns->n])
			return -ENOMEM;
	}
	for (uint16_t i = 0; i < ns->n; i++) /* the engine keeps them */
		plx_softnet_add_poller(ns->lcore[i]->sn, &ns->lcore[i]->poller);
	return 0;
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

static struct plx_sock *refuse(struct plx_sock *ns, int err, struct plx_error *e)
{
	if (ns)
		destroy(ns);
	if (err == -ENOMEM)
		plx_error_set(e, err, PLX_ERR_NO_MEMORY, "sockets");
	else
		plx_error_set(e, err, PLX_ERR_RUN, "sockets", strerror(-err));
	return NULL;
}

struct plx_sock *plx_sock_create(
	struct plx_net *net, const struct plx_sock_conf *conf, struct plx_error *e)
{
	static const struct plx_sock_conf none;
	struct plx_sock *ns = calloc(1, sizeof(*ns)), **at = &table.first;
	int err;

	if (!ns)
		return refuse(NULL, -ENOMEM, e);
	ns->net = net;
	ns->eng = plx_net_engine(net);
	ns->conf = conf ? *conf : none;
	err = table.v ? 0 : make_table(&ns->conf);
	if (!err)
		err = make_lcores(ns);
	if (err)
		return refuse(ns, err, e);
	while (*at)
		at = &(*at)->next;
	*at = ns;
	return ns;
}

/* Before an lcore's memory goes: nobody runs any more, so the caller may be any lcore. */
static void close_all(const struct sock_lcore *sl)
{
	struct sock_lcore *mine = sock__lcores[sl->sn->lcore];

	for (uint32_t i = 0; i < table.files; i++)
		if (__atomic_load_n(&table.v[i].lcore, __ATOMIC_RELAXED) == sl->sn->lcore + 1)
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
