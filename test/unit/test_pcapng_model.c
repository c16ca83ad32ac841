/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng_t.h"

/*
 * What is written is read back, whatever it is and in whatever pieces it comes. The model is the
 * list of what was written.
 */
#define MOST 40

struct written {
	enum plx_pcapng_kind kind;
	struct plx_pcapng_pkt pkt;
	struct plx_pcapng_iface iface;
	struct plx_pcapng_section section;
	struct plx_pcapng_stats stats;
	uint8_t data[2048];
	char comment[64], name[16];
};

static struct plx_pcapng_text random_text(struct plx_rng *rng, char buf[16])
{
	struct plx_pcapng_text t = {NULL, 0};

	plx_rng_bytes(rng, buf, 16);
	if (plx_rng_below(rng, 2)) {
		t.p = buf;
		t.len = (uint32_t)plx_rng_below(rng, 17);
	}
	return t;
}

static void random_iface(struct plx_rng *rng, struct written *w)
{
	struct plx_pcapng_iface *i = &w->iface;

	*i = (struct plx_pcapng_iface){.link = (uint16_t)plx_rng_u32(rng),
		.snaplen = plx_rng_u32(rng),
		.name = random_text(rng, w->name),
		.has_mac = plx_rng_below(rng, 2),
		.speed_bps = plx_rng_below(rng, 2) * plx_rng_u64(rng)};
	i->descr = plx_rng_below(rng, 2) ? i->name : plx_pcapng_text(NULL);
	i->filter = plx_rng_below(rng, 2) ? i->name : plx_pcapng_text("ip or ip6");
	i->os = plx_rng_below(rng, 2) ? i->name : plx_pcapng_text("os");
	i->hardware = plx_rng_below(rng, 2) ? i->name : plx_pcapng_text("");
	i->comment = plx_rng_below(rng, 2) ? i->name : plx_pcapng_text("of an interface");
	plx_rng_bytes(rng, i->mac, sizeof(i->mac));
}

static plx_ns random_time(struct plx_rng *rng)
{
	return (plx_ns)(plx_rng_u64(rng) >> (1 + plx_rng_below(rng, 30)));
}

static void random_stats(struct plx_rng *rng, struct written *w, uint32_t n_ifaces)
{
	w->stats = (struct plx_pcapng_stats){.iface = (uint32_t)plx_rng_below(rng, n_ifaces),
		.has = (uint32_t)plx_rng_below(rng, 128),
		.ts_ns = random_time(rng),
		.start_ns = random_time(rng),
		.end_ns = random_time(rng),
		.ifrecv = plx_rng_u64(rng),
		.ifdrop = plx_rng_u64(rng),
		.accept = plx_rng_u64(rng),
		.osdrop = plx_rng_u64(rng),
		.delivered = plx_rng_u64(rng),
		.comment = random_text(rng, w->name)};
}

static void random_item(
	struct plx_rng *rng, struct written *w, struct t_file *f, uint32_t *n_ifaces)
{
	uint64_t dice = *n_ifaces ? plx_rng_below(rng, 10) : 1;

	if (dice == 0) {
		w->kind = PLX_PCAPNG_SECTION;
		w->section = (struct plx_pcapng_section){.hardware = random_text(rng, w->name)};
		w->section.app = w->section.hardware;
		*n_ifaces = 0;
		t_put(f, plx_pcapng_section_put, &w->section);
	} else if (dice == 1 && *n_ifaces < 8) {
		w->kind = PLX_PCAPNG_IFACE;
		random_iface(rng, w);
		++*n_ifaces;
		t_put(f, plx_pcapng_iface_put, &w->iface);
	} else if (dice == 2) {
		w->kind = PLX_PCAPNG_STATS;
		random_stats(rng, w, *n_ifaces);
		t_put(f, plx_pcapng_stats_put, &w->stats);
	} else {
		w->kind = PLX_PCAPNG_PKT;
		t_random_pkt(rng, &w->pkt, *n_ifaces, w->data, w->comment);
		eq(plx_pcapng_pkt_need(&w->pkt), plx_pcapng_pkt_put(NULL, 0, &w->pkt));
		t_put(f, plx_pcapng_pkt_put, &w->pkt);
	}
}

static void same_iface(const struct plx_pcapng_iface *a, const struct plx_pcapng_iface *b)
{
	eq(a->link, b->link);
	eq(a->snaplen, b->snaplen);
	ok(t_text_eq(a->name, b->name) && t_text_eq(a->descr, b->descr));
	ok(t_text_eq(a->filter, b->filter) && t_text_eq(a->comment, b->comment));
	ok(t_text_eq(a->os, b->os) && t_text_eq(a->hardware, b->hardware));
	eq(a->has_mac, b->has_mac);
	ok(!a->has_mac || !memcmp(a->mac, b->mac, sizeof(a->mac)));
	ok(a->speed_bps == b->speed_bps);
	eq(b->tsresol, 9);
	eq(b->tsoffset_s, 0);
}

static void same_stats(const struct plx_pcapng_stats *a, const struct plx_pcapng_stats *b)
{
	eq(a->iface, b->iface);
	eq(a->has, b->has);
	ok(a->ts_ns == b->ts_ns);
	ok(!(a->has & PLX_PCAPNG_START) || a->start_ns == b->start_ns);
	ok(!(a->has & PLX_PCAPNG_END) || a->end_ns == b->end_ns);
	ok(!(a->has & PLX_PCAPNG_IFRECV) || a->ifrecv == b->ifrecv);
	ok(!(a->has & PLX_PCAPNG_IFDROP) || a->ifdrop == b->ifdrop);
	ok(!(a->has & PLX_PCAPNG_ACCEPT) || a->accept == b->accept);
	ok(!(a->has & PLX_PCAPNG_OSDROP) || a->osdrop == b->osdrop);
	ok(!(a->has & PLX_PCAPNG_DELIVERED) || a->delivered == b->delivered);
	ok(t_text_eq(a->comment, b->comment));
}

static void same(const struct written *w, const struct plx_pcapng_item *item)
{
	switch (w->kind) {
	case PLX_PCAPNG_SECTION:
		ok(t_text_eq(w->section.hardware, item->section.hardware));
		ok(t_text_eq(w->section.app, item->section.app));
		ok(!item->section.os.p && !item->section.comment.p);
		break;
	case PLX_PCAPNG_IFACE:
		same_iface(&w->iface, &item->iface);
		break;
	case PLX_PCAPNG_STATS:
		same_stats(&w->stats, &item->stats);
		break;
	default:
		t_same_pkt(&w->pkt, &item->pkt);
	}
}

T(what_is_written_is_read)
{
	static struct written w[MOST];
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int round = 0; round < 300; round++) {
		struct t_file f = {0};
		size_t n = 1 + plx_rng_below(&rng, MOST - 1);
		uint32_t n_ifaces = 0;
		struct t_pump u;

		memset(w, 0, sizeof(w));
		w[0].kind = PLX_PCAPNG_SECTION;
		t_put(&f, plx_pcapng_section_put, &w[0].section);
		for (size_t i = 1; i < n; i++)
			random_item(&rng, &w[i], &f, &n_ifaces);
		t_pump_init(&u, f.p, f.len);
		for (size_t i = 0; i < n; i++) {
			eq(t_next(&u, plx_rng_below(&rng, 3000)), w[i].kind);
			same(&w[i], &u.item);
		}
		t_want_end(&u);
		t_pump_fini(&u);
		free(f.p);
	}
}

/* Classic files keep a packet's time, in their unit, and its bytes. */
T(what_is_written_classic_is_read)
{
	static struct written w[MOST];
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(2));
	for (int round = 0; round < 100; round++) {
		enum plx_pcap_unit unit = round % 2 ? PLX_PCAP_NS : PLX_PCAP_US;
		struct t_file f = {0};
		struct t_pump u;

		memset(w, 0, sizeof(w));
		t_put(&f, plx_pcap_head_put, unit, 147, 0);
		for (size_t i = 0; i < MOST; i++) {
			t_random_pkt(&rng, &w[i].pkt, 1, w[i].data, w[i].comment);
			w[i].pkt.ts_ns = (plx_ns)plx_rng_below(&rng, (uint64_t)PLX_SEC(1) << 32);
			t_put(&f, plx_pcap_pkt_put, unit, &w[i].pkt);
		}
		t_pump_init(&u, f.p, f.len);
		t_want(&u, PLX_PCAPNG_IFACE);
		eq(u.item.iface.link, 147);
		eq(u.item.iface.snaplen, PLX_PCAPNG_SNAPLEN_MAX);
		for (size_t i = 0; i < MOST; i++) {
			struct plx_pcapng_pkt want = w[i].pkt;

			if (unit == PLX_PCAP_US)
				want.ts_ns -= want.ts_ns % 1000;
			want.has = 0;
			want.comment.p = NULL;
			want.comment.len = 0;
			eq(t_next(&u, plx_rng_below(&rng, 3000)), PLX_PCAPNG_PKT);
			t_same_pkt(&want, &u.item.pkt);
		}
		t_want_end(&u);
		t_pump_fini(&u);
		free(f.p);
	}
}

RUN(T_(what_is_written_is_read), T_(what_is_written_classic_is_read))
