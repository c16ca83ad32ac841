/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture that the input describes, written and read again: every section, interface, packet and
 * statistics says the same, in pcapng and, as far as it can, in classic pcap. Nothing is written
 * where there is not room for all.
 */
#include "pcapng_same.h"

#define IFACES 4

static uint64_t number(struct input *in, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | u8(in);
	return v;
}

static plx_ns a_time(struct input *in)
{
	return (plx_ns)(number(in, 8) >> 1);
}

static struct plx_pcapng_text a_text(struct input *in)
{
	struct plx_pcapng_text t = {NULL, 0};
	uint8_t want = u8(in);
	size_t n;

	if (want) {
		t.p = (const char *)span(in, want - 1, &n);
		t.len = (uint32_t)n;
	}
	return t;
}

/* Statements, as the order of initialisers is the compiler's. */

static void a_section(struct input *in, struct plx_pcapng_section *s)
{
	s->hardware = a_text(in);
	s->os = a_text(in);
	s->app = a_text(in);
	s->comment = a_text(in);
}

static void an_iface(struct input *in, struct plx_pcapng_iface *i)
{
	*i = (struct plx_pcapng_iface){.link = (uint32_t)number(in, 2)};
	i->snaplen = (uint32_t)number(in, 4);
	i->name = a_text(in);
	i->descr = a_text(in);
	i->filter = a_text(in);
	i->has_mac = u8(in) & 1;
	i->mac[5] = u8(in);
	i->speed_bps = number(in, u8(in) % 9);
}

static void a_pkt(struct input *in, struct plx_pcapng_pkt *p, uint32_t n_ifaces)
{
	size_t n;

	p->ts_ns = a_time(in);
	p->iface = u8(in) % n_ifaces;
	p->has = u8(in) & 0x7f;
	p->flags = (uint32_t)number(in, 4);
	p->queue = u8(in);
	p->hash = (uint32_t)number(in, 4);
	p->meta.hook = u8(in);
	p->meta.reason = (uint16_t)number(in, 2);
	p->meta.sample = u8(in);
	p->drops = number(in, u8(in) % 9);
	p->id = number(in, u8(in) % 9);
	p->verdict = number(in, u8(in) % 9);
	p->verdict_kind = u8(in);
	p->comment = a_text(in);
	p->data = span(in, number(in, 2), &n);
	p->caplen = (uint32_t)n;
	p->len = p->caplen + u8(in);
}

static void some_stats(struct input *in, struct plx_pcapng_stats *s, uint32_t n_ifaces)
{
	s->iface = u8(in) % n_ifaces;
	s->has = u8(in) & 0x7f;
	s->ts_ns = a_time(in);
	s->start_ns = a_time(in);
	s->end_ns = a_time(in);
	s->ifrecv = number(in, u8(in) % 9);
	s->ifdrop = number(in, u8(in) % 9);
	s->accept = number(in, u8(in) % 9);
	s->osdrop = number(in, u8(in) % 9);
	s->delivered = number(in, u8(in) % 9);
	s->comment = a_text(in);
}

static enum plx_pcapng_kind an_item(
	struct input *in, struct plx_pcapng_item *item, uint32_t n_ifaces)
{
	uint8_t what = u8(in);

	if (what % 16 == 0) {
		a_section(in, &item->section);
		return PLX_PCAPNG_SECTION;
	}
	if (!n_ifaces || (what % 16 == 1 && n_ifaces < IFACES)) {
		an_iface(in, &item->iface);
		return PLX_PCAPNG_IFACE;
	}
	if (what % 16 == 2) {
		some_stats(in, &item->stats, n_ifaces);
		return PLX_PCAPNG_STATS;
	}
	a_pkt(in, &item->pkt, n_ifaces);
	return PLX_PCAPNG_PKT;
}

/* With less room than it needs, a block leaves no trace. */
static void all_or_nothing(
	enum plx_pcapng_kind kind, const struct plx_pcapng_item *item, uint8_t short_of)
{
	size_t len, room;
	uint8_t *p = make_block(kind, item, &len), *q = malloc(len);

	must(q);
	memset(q, 0xa5, len);
	room = short_of < len ? len - 1 - short_of : 0;
	must(put_item(q, room, kind, item) == len);
	for (size_t i = 0; i < len; i++)
		must(q[i] == 0xa5);
	must(put_item(q, len, kind, item) == len && memcmp(p, q, len) == 0);
	free(q);
	free(p);
}

/* A file of this one packet. */
static void classic_too(const struct plx_pcapng_pkt *pkt, enum plx_pcap_unit unit)
{
	size_t need = plx_pcap_pkt_put(NULL, 0, unit, pkt), len = PLX_PCAP_HEAD + need;
	struct plx_pcapng_pkt want = *pkt;
	struct plx_pcapng_clock iface;
	struct plx_pcapng_reader r;
	struct plx_pcapng_item item;
	uint8_t *p = malloc(len);

	must(p);
	want.ts_ns %= PLX_SEC(1) << 32;
	must(plx_pcap_head_put(p, len, unit, PLX_PCAPNG_LINK_RAW, 96) == PLX_PCAP_HEAD);
	must(plx_pcap_pkt_put(p + PLX_PCAP_HEAD, need, unit, &want) == need);
	plx_pcapng_reader_init(&r, &iface, 1);
	must(plx_pcapng_next(&r, p, len, &item) == PLX_PCAPNG_IFACE);
	must(item.iface.link == PLX_PCAPNG_LINK_RAW && item.iface.snaplen == 96);
	must(plx_pcapng_next(&r, p + item.used, need, &item) == PLX_PCAPNG_PKT);
	must(item.used == need);
	if (unit == PLX_PCAP_US)
		want.ts_ns -= want.ts_ns % 1000;
	want.iface = want.has = 0;
	want.comment = plx_pcapng_text(NULL);
	same_pkt(&want, &item.pkt);
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.p = data, .left = size};
	struct plx_pcapng_clock ifaces[IFACES];
	struct plx_pcapng_item item;
	struct plx_pcapng_reader r;
	uint8_t short_of = u8(&in);

	plx_pcapng_reader_init(&r, ifaces, IFACES);
	a_section(&in, &item.section);
	reads_the_same(&r, PLX_PCAPNG_SECTION, &item);
	while (in.left) {
		enum plx_pcapng_kind kind = an_item(&in, &item, r.n_ifaces);

		all_or_nothing(kind, &item, short_of);
		reads_the_same(&r, kind, &item);
		if (kind == PLX_PCAPNG_PKT)
			classic_too(&item.pkt, short_of % 2 ? PLX_PCAP_NS : PLX_PCAP_US);
	}
	return 0;
}
