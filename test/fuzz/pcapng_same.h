/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Two items of capture files say the same.
 */
#include <stdlib.h>

#include <plx_pcapng.h>

#include "fuzz.h"

static inline void same_text(struct plx_pcapng_text a, struct plx_pcapng_text b)
{
	must(!a.p == !b.p && a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len)));
}

static inline void same_section(
	const struct plx_pcapng_section *a, const struct plx_pcapng_section *b)
{
	same_text(a->hardware, b->hardware);
	same_text(a->os, b->os);
	same_text(a->app, b->app);
	same_text(a->comment, b->comment);
}

/* But for the unit of times, which is another one when it has been written again. */
static inline void same_iface(const struct plx_pcapng_iface *a, const struct plx_pcapng_iface *b)
{
	must((uint16_t)a->link == (uint16_t)b->link && a->snaplen == b->snaplen);
	must(a->speed_bps == b->speed_bps && a->has_mac == b->has_mac);
	must(!a->has_mac || !memcmp(a->mac, b->mac, sizeof(a->mac)));
	same_text(a->name, b->name);
	same_text(a->descr, b->descr);
	same_text(a->filter, b->filter);
	same_text(a->hardware, b->hardware);
	same_text(a->os, b->os);
	same_text(a->comment, b->comment);
}

static inline void same_pkt(const struct plx_pcapng_pkt *a, const struct plx_pcapng_pkt *b)
{
	uint32_t has = a->has;

	must(a->ts_ns == b->ts_ns && a->iface == b->iface && a->has == b->has);
	must(a->caplen == b->caplen && a->len == b->len);
	must(!a->caplen || !memcmp(a->data, b->data, a->caplen));
	must(!(has & PLX_PCAPNG_FLAGS) || a->flags == b->flags);
	must(!(has & PLX_PCAPNG_QUEUE) || a->queue == b->queue);
	must(!(has & PLX_PCAPNG_HASH) || a->hash == b->hash);
	must(!(has & PLX_PCAPNG_DROPS) || a->drops == b->drops);
	must(!(has & PLX_PCAPNG_ID) || a->id == b->id);
	if (has & PLX_PCAPNG_VERDICT)
		must(a->verdict == b->verdict && a->verdict_kind == b->verdict_kind);
	if (has & PLX_PCAPNG_META)
		must(a->meta.hook == b->meta.hook && a->meta.reason == b->meta.reason &&
			a->meta.sample == b->meta.sample);
	same_text(a->comment, b->comment);
}

static inline void same_stats(const struct plx_pcapng_stats *a, const struct plx_pcapng_stats *b)
{
	uint32_t has = a->has;

	must(a->iface == b->iface && a->has == b->has && a->ts_ns == b->ts_ns);
	must(!(has & PLX_PCAPNG_START) || a->start_ns == b->start_ns);
	must(!(has & PLX_PCAPNG_END) || a->end_ns == b->end_ns);
	must(!(has & PLX_PCAPNG_IFRECV) || a->ifrecv == b->ifrecv);
	must(!(has & PLX_PCAPNG_IFDROP) || a->ifdrop == b->ifdrop);
	must(!(has & PLX_PCAPNG_ACCEPT) || a->accept == b->accept);
	must(!(has & PLX_PCAPNG_OSDROP) || a->osdrop == b->osdrop);
	must(!(has & PLX_PCAPNG_DELIVERED) || a->delivered == b->delivered);
	same_text(a->comment, b->comment);
}

static inline void same_item(
	enum plx_pcapng_kind kind, const struct plx_pcapng_item *a, const struct plx_pcapng_item *b)
{
	switch (kind) {
	case PLX_PCAPNG_SECTION:
		same_section(&a->section, &b->section);
		break;
	case PLX_PCAPNG_IFACE:
		same_iface(&a->iface, &b->iface);
		break;
	case PLX_PCAPNG_PKT:
		same_pkt(&a->pkt, &b->pkt);
		break;
	case PLX_PCAPNG_STATS:
		same_stats(&a->stats, &b->stats);
		break;
	default:
		must(false);
	}
}

/** What an item needs as a block of ours, written if room is enough. */
static inline size_t put_item(
	uint8_t *buf, size_t room, enum plx_pcapng_kind kind, const struct plx_pcapng_item *item)
{
	switch (kind) {
	case PLX_PCAPNG_SECTION:
		return plx_pcapng_section_put(buf, room, &item->section);
	case PLX_PCAPNG_IFACE:
		return plx_pcapng_iface_put(buf, room, &item->iface);
	case PLX_PCAPNG_PKT:
		must(plx_pcapng_pkt_put(NULL, 0, &item->pkt) == plx_pcapng_pkt_need(&item->pkt));
		return plx_pcapng_pkt_put(buf, room, &item->pkt);
	case PLX_PCAPNG_STATS:
		return plx_pcapng_stats_put(buf, room, &item->stats);
	default:
		must(false);
	}
	return 0;
}

/** The item as a block in memory of its exact size, to be freed. */
static inline uint8_t *make_block(
	enum plx_pcapng_kind kind, const struct plx_pcapng_item *item, size_t *len)
{
	uint8_t *p;

	*len = put_item(NULL, 0, kind, item);
	p = malloc(*len);
	must(p && *len % 4 == 0);
	must(put_item(p, *len, kind, item) == *len);
	return p;
}

/**
 * Written as a block of ours, it reads the same, but that it has a time: r is in the state of the
 * items before.
 */
static inline void reads_the_same(
	struct plx_pcapng_reader *r, enum plx_pcapng_kind kind, const struct plx_pcapng_item *item)
{
	struct plx_pcapng_item again, want = *item;
	size_t len;
	uint8_t *p = make_block(kind, item, &len);

	must(plx_pcapng_next(r, p, len, &again) == kind && again.used == len);
	if (kind == PLX_PCAPNG_PKT)
		want.pkt.has &= ~(uint32_t)PLX_PCAPNG_UNTIMED;
	same_item(kind, &want, &again);
	free(p);
}
