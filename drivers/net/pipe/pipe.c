/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_kvargs.h>
#include <rte_malloc.h>

#define RETA_SIZE     128
#define DEFAULT_DEPTH 1024
#define DEFAULT_MTU   1500

/* What --port says. */
struct spec {
	const char *peer;
	uint16_t queues, depth, mtu;
	bool drop_when_full, whole;
	uint8_t lie;
};

static void drain(struct pipe_end *e)
{
	void *m[PLX_PORT_BURST];
	unsigned int n;

	for (uint16_t q = 0; q < e->queues; q++)
		for (uint16_t from = 0; from < e->queues; from++)
			while ((n = plx_ring_dequeue(e->rxq[q].ring[from], m, PLX_DIM(m))))
				rte_pktmbuf_free_bulk((struct rte_mbuf **)m, n);
}

static void close_events(struct pipe_end *e)
{
	for (uint16_t q = 0; q < e->queues; q++) {
		if (e->rxq[q].fd >= 0)
			close(e->rxq[q].fd);
		e->rxq[q].fd = -1;
		e->rxq[q].armed = false;
	}
}

static int open_events(struct pipe_end *e, uint16_t n)
{
	for (uint16_t q = 0; q < n; q++) {
		e->rxq[q].fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (e->rxq[q].fd < 0) {
			int err = -errno;

			close_events(e);
			return err;
		}
	}
	return 0;
}

/* The peer's lcores read p->features; what they send super is theirs to cut if we take no such. */
static int set_features(struct plx_port *p, uint32_t features)
{
	const struct pipe_end *e = p->priv;

	if (e->peer)
		plx_port_cut_here(e->peer->port, !(features & PLX_PORT_F_LRO));
	return 0;
}

static int pipe_open(struct plx_port *p, const struct plx_port_conf *conf, struct plx_error *err)
{
	struct pipe_end *e = p->priv;
	int rc;

	if (conf->rx_intr && p->features & PLX_PORT_F_RX_INTR) {
		rc = open_events(e, conf->n_rxq);
		if (rc)
			return plx_error_set(err, rc, PLX_ERR_PORT_OPEN, p->name, "eventfd",
				strerror(-rc), "raise the limit of open files (ulimit -n)");
	}
	for (uint16_t i = 0; i < p->n_rxq; i++)
		p->rxq[i]->burst = pipe__rx_burst;
	for (uint16_t i = 0; i < p->n_txq; i++)
		p->txq[i]->burst = pipe__tx_burst;
	plx_steer_reta_equal(&e->reta, RETA_SIZE, 0, PLX_MAX(p->n_rxq, 1));
	e->spread = p->features & PLX_PORT_F_RSS ? PLX_MAX(p->n_rxq, 1) : 1;
	set_features(p, p->features);
	drain(e);
	__atomic_store_n(&e->up, true, __ATOMIC_RELEASE);
	return 0;
}

static void pipe_stop(struct plx_port *p)
{
	struct pipe_end *e = p->priv;

	__atomic_store_n(&e->up, false, __ATOMIC_RELEASE);
	drain(e);
	close_events(e);
	pipe__rules_drop(e);
}

/* An end and its rings: what waits there is the receiver's. */
static void end_free(struct pipe_end *e)
{
	if (!e)
		return;
	for (uint16_t q = 0; q < e->queues; q++)
		for (uint16_t from = 0; from < e->queues; from++)
			rte_free(e->rxq[q].ring[from]);
	rte_free(e);
}

static void pipe_fini(struct plx_port *p)
{
	struct pipe_end *e = p->priv;

	drain(e); /* a sender may have been faster than our stop */
	if (e->peer)
		e->peer->peer = NULL;
	end_free(e);
}

static int set_mtu(struct plx_port *p, uint16_t mtu)
{
	return 0; /* the senders read p->mtu */
}

static int set_mac(struct plx_port *p, const struct plx_mac *mac)
{
	return 0; /* no filter to tell */
}

static const struct plx_port_ops ops = {
	.name = "pipe",
	.open = pipe_open,
	.stop = pipe_stop,
	.fini = pipe_fini,
	.set_mac = set_mac,
	.set_mtu = set_mtu,
	.set_link = pipe__set_link,
	.set_features = set_features,
	.link = pipe__link,
	.stats = pipe__stats,
	.rss_set = pipe__rss_set,
	.rss_get = pipe__rss_get,
	.rss_types = pipe__rss_types,
	.ntuple_add = pipe__ntuple_add,
	.ntuple_del = pipe__ntuple_del,
	.rx_intr = pipe__rx_intr,
	.rx_intr_arm = pipe__rx_intr_arm,
};

static struct pipe_end *end_new(const struct spec *s)
{
	uint32_t slots = rte_align32pow2(PLX_MAX(s->depth / s->queues, 1));
	size_t bytes = plx_ring_size(slots);
	struct pipe_end *e = rte_zmalloc(NULL, sizeof(*e), RTE_CACHE_LINE_SIZE);

	if (!e)
		return NULL;
	e->queues = s->queues;
	e->depth = s->depth;
	e->spread = 1;
	e->drop_when_full = s->drop_when_full;
	e->lie = s->lie;
	e->key = &e->keys[0];
	plx_list_init(&e->rules);
	plx_steer_toeplitz_init(
		&e->keys[0], plx_steer_key_microsoft, sizeof(plx_steer_key_microsoft));
	plx_steer_reta_equal(&e->reta, RETA_SIZE, 0, 1);
	for (uint16_t q = 0; q < s->queues; q++) {
		e->rxq[q].fd = -1;
		for (uint16_t from = 0; from < s->queues; from++) {
			void *mem = rte_malloc(NULL, bytes, RTE_CACHE_LINE_SIZE);

			e->rxq[q].ring[from] = mem ? plx_ring_init(mem, slots) : NULL;
			if (!mem) {
				end_free(e);
				return NULL;
			}
		}
	}
	return e;
}

static struct plx_port *add_port(const char *name, struct pipe_end *e, uint16_t mtu, uint32_t more)
{
	static uint16_t made;
	struct plx_mac mac = {{0x02, 'P', 'L', 'X', (uint8_t)(made >> 8), (uint8_t)made}};
	struct plx_port_caps caps = {
		.driver = "pipe",
		.features = PLX_PORT_F_RX_CSUM | PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4 |
			    PLX_PORT_F_SG | PLX_PORT_F_RX_HASH | PLX_PORT_F_RSS |
			    PLX_PORT_F_NTUPLE | PLX_PORT_F_RX_INTR | PLX_PORT_F_SET_MAC |
			    PLX_PORT_F_SET_MTU | PLX_PORT_F_PROMISC | PLX_PORT_F_ALLMULTI |
			    PLX_PORT_F_LINK | more,
		.max_rxq = e->queues,
		.max_txq = e->queues,
		.rxd = PLX_PORT_BURST, /* receiving takes no mbufs in advance */
		.txd = e->depth,       /* what a tx queue may have on the way */
		.min_mtu = 68,
		.max_mtu = UINT16_MAX,
		.reta_size = RETA_SIZE,
		.key_bytes = sizeof(plx_steer_key_microsoft),
		.rss_types = PLX_RSS_ALL,
		.socket = SOCKET_ID_ANY,
	};

	made++;
	e->port = plx_port_add(name, &ops, e, &caps, &mac, mtu);
	return e->port;
}

static int no_memory(const char *name, struct plx_error *err)
{
	return plx_error_set(err, -ENOMEM, PLX_ERR_PORT_OPEN, name, "making the pipe", "no memory",
		"raise EAL's -m (MiB), or use fewer queues or a smaller depth");
}

static int make_pair(const char *name, const struct spec *s, struct plx_error *err)
{
	const uint32_t more = s->whole ? PLX_PORT_F_TSO | PLX_PORT_F_USO | PLX_PORT_F_LRO : 0;
	struct pipe_end *a = end_new(s), *b = end_new(s);

	if (!a || !b) {
		end_free(a);
		end_free(b);
		return no_memory(name, err);
	}
	if (plx_port_count() + 2 > PLX_PORT_MAX || !add_port(name, a, s->mtu, more)) {
		end_free(a);
		end_free(b);
		return plx_error_set(err, -ENOSPC, PLX_ERR_PORT_SPEC, name, "too many ports");
	}
	if (!add_port(s->peer, b, s->mtu, more)) {
		end_free(b); /* a stays, as a port whose cable is not plugged in */
		return plx_error_set(err, -ENOMEM, PLX_ERR_PORT_SPEC, name, "peer cannot be made");
	}
	a->peer = b;
	b->peer = a;
	return 0;
}

static int number(const char *text, unsigned long min, unsigned long max, uint16_t *v)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < min || n > max)
		return -EINVAL;
	*v = (uint16_t)n;
	return 0;
}

static const char *take_lie(struct spec *s, const char *text)
{
	static const char *const lies[] = {[PIPE_HONEST] = "no",
		[PIPE_LIE_HASH] = "hash",
		[PIPE_LIE_QUEUE] = "queue",
		[PIPE_LIE_MUTE] = "mute",
		[PIPE_LIE_TABLE] = "table"};

	for (uint8_t i = 0; i < PLX_DIM(lies); i++)
		if (strcmp(lies[i], text) == 0) {
			s->lie = i;
			return NULL;
		}
	return "lie must be hash, queue, mute, table or no";
}

/* @return NULL, or what is wrong with it. */
static const char *take_key(struct spec *s, const struct rte_kvargs_pair *kv)
{
	const char *v = kv->value ? kv->value : "";

	if (strcmp(kv->key, "peer") == 0)
		s->peer = v;
	else if (strcmp(kv->key, "queues") == 0)
		return number(v, 1, PLX_PORT_QUEUES_MAX, &s->queues) ? "queues must be 1 to 16"
								     : NULL;
	else if (strcmp(kv->key, "depth") == 0)
		return number(v, 1, 32768, &s->depth) ? "depth must be 1 to 32768" : NULL;
	else if (strcmp(kv->key, "mtu") == 0)
		return number(v, 68, UINT16_MAX, &s->mtu) ? "mtu must be 68 to 65535" : NULL;
	else if (strcmp(kv->key, "full") == 0 && strcmp(v, "drop") == 0)
		s->drop_when_full = true;
	else if (strcmp(kv->key, "full") == 0 && strcmp(v, "wait") == 0)
		s->drop_when_full = false;
	else if (strcmp(kv->key, "full") == 0)
		return "full must be wait or drop";
	else if (strcmp(kv->key, "whole") == 0 && strcmp(v, "on") == 0)
		s->whole = true;
	else if (strcmp(kv->key, "whole") == 0 && strcmp(v, "off") == 0)
		s->whole = false;
	else if (strcmp(kv->key, "whole") == 0)
		return "whole must be on or off";
	else if (strcmp(kv->key, "lie") == 0)
		return take_lie(s, v);
	else
		return "keys of a pipe: peer, queues, depth, mtu, full, whole, lie";
	return NULL;
}

static_assert(PLX_PORT_QUEUES_MAX == 16, "the text above says so");

static const char *take_keys(struct spec *s, const struct rte_kvargs *kv, const char *name)
{
	const char *wrong = NULL;

	for (unsigned int i = 0; kv && !wrong && i < kv->count; i++)
		wrong = take_key(s, &kv->pairs[i]);
	if (wrong)
		return wrong;
	if (!s->peer || !*s->peer)
		return "a pipe needs peer=NAME";
	if (strlen(s->peer) >= PLX_PORT_NAMELEN)
		return "the peer's name is too long";
	if (strcmp(s->peer, name) == 0 || plx_port_find(s->peer))
		return "the peer's name is taken";
	return NULL;
}

static int create(const char *name, const char *args, struct plx_error *err)
{
	struct spec s = {.queues = 1, .depth = DEFAULT_DEPTH, .mtu = DEFAULT_MTU};
	struct rte_kvargs *kv = rte_kvargs_parse(args, NULL);
	const char *wrong = take_keys(&s, kv, name);
	int rc;

	if (*args && !kv)
		wrong = "options are KEY=VALUE, separated by commas";
	rc = wrong ? plx_error_set(err, -EINVAL, PLX_ERR_PORT_SPEC, name, wrong)
		   : make_pair(name, &s, err);
	rte_kvargs_free(kv);
	return rc;
}

static struct plx_port_driver driver = {
	.name = "pipe",
	.help = "peer=NAME[,queues=N][,depth=N][,mtu=N][,full=wait|drop] [,whole=on|off] "
		"[,lie=hash|queue|mute|table]",
	.create = create,
};

__attribute__((constructor)) static void register_driver(void)
{
	plx_port_driver_register(&driver);
}
