/* SPDX-License-Identifier: BSD-3-Clause */
#include "read.h"

static uint16_t b16(const struct block *b, uint32_t off)
{
	return get16(b->p + off, b->r->swapped);
}

static uint32_t b32(const struct block *b, uint32_t off)
{
	return get32(b->p + off, b->r->swapped);
}

static enum plx_pcapng_kind fail(const struct block *b, uint32_t off, const char *text)
{
	return pcapng__fail(b->r, b->item, off, text);
}

/* An option: len bytes at v, which stand at off in the block. */
struct opt {
	const uint8_t *v;
	uint32_t off;
	uint16_t code, len;
	bool swapped;
};

static uint64_t opt_u64(const struct opt *o)
{
	return get64(o->v, o->swapped);
}

/* A time has its upper word first, whatever the byte order. */
static uint64_t ticks(const uint8_t *p, bool swapped)
{
	return (uint64_t)get32(p, swapped) << 32 | get32(p + 4, swapped);
}

static void first_text(struct plx_pcapng_text *t, const struct opt *o)
{
	if (!t->p)
		*t = (struct plx_pcapng_text){.p = (const char *)o->v, .len = o->len};
}

/*
 * Bytes that the option must have; 0 = any number. One of another length is passed over as one that
 * is not known would be: Wireshark 4.0 copies a verdict under the queue's code. Codes above 1 mean
 * something else in each block.
 */
static uint32_t opt_bytes(uint32_t block, uint16_t code)
{
	switch (block << 16 | code) {
	case BLOCK_IFACE << 16 | IF_TSRESOL:
		return 1;
	case BLOCK_PKT << 16 | PKT_FLAGS:
	case BLOCK_PKT << 16 | PKT_QUEUE:
	case BLOCK_PKT_OLD << 16 | PKT_FLAGS:
		return 4;
	case BLOCK_IFACE << 16 | IF_MAC:
		return 6;
	case BLOCK_IFACE << 16 | IF_SPEED:
	case BLOCK_IFACE << 16 | IF_TSOFFSET:
	case BLOCK_PKT << 16 | PKT_DROPS:
	case BLOCK_PKT << 16 | PKT_ID:
		return 8;
	}
	return block == BLOCK_STATS && code >= STATS_START && code <= STATS_DELIVERED ? 8 : 0;
}

/*
 * The options from off to the block's end, each given to take(). There need not be an end mark.
 * What is left before the length at the end is a multiple of four, so an option's head is whole.
 */
static const char *each_opt(const struct block *b, uint32_t *off,
	void (*take)(const struct opt *o, const struct block *b))
{
	uint32_t end = b->total - 4;

	while (*off < end) {
		struct opt o = {.v = b->p + *off + 4,
			.off = *off + 4,
			.code = b16(b, *off),
			.len = b16(b, *off + 2),
			.swapped = b->r->swapped};
		uint32_t bytes;

		if (o.code == OPT_END)
			return NULL;
		if (pad4(o.len) > end - o.off)
			return "this option goes beyond its block";
		bytes = opt_bytes(b->type, o.code);
		if (!bytes || o.len == bytes)
			take(&o, b);
		*off = o.off + pad4(o.len);
	}
	return NULL;
}

static enum plx_pcapng_kind with_opts(const struct block *b, uint32_t off,
	enum plx_pcapng_kind kind, void (*take)(const struct opt *o, const struct block *b))
{
	const char *wrong = each_opt(b, &off, take);

	return wrong ? fail(b, off, wrong) : kind;
}

__extension__ typedef __int128 wide; /* 2^64 units of 1 s are more ns than plx_ns holds */

plx_ns pcapng__ns(const struct plx_pcapng_clock *c, uint64_t ticks)
{
	unsigned int n = c->tsresol & 0x7f;
	wide t = ticks;

	if (c->tsresol & 0x80) {
		t = t * PLX_SEC(1) >> n;
	} else {
		for (; n < TSRESOL_NS; n++)
			t *= 10;
		for (; n > TSRESOL_NS && t; n--)
			t /= 10;
	}
	t += (wide)c->tsoffset_s * PLX_SEC(1);
	return (plx_ns)PLX_MAX(PLX_MIN(t, INT64_MAX), INT64_MIN);
}

static plx_ns block_ns(const struct block *b, uint32_t iface, const uint8_t *p)
{
	return pcapng__ns(&b->r->ifaces[iface], ticks(p, b->r->swapped));
}

static void section_opt(const struct opt *o, const struct block *b)
{
	struct plx_pcapng_section *s = &b->item->section;

	if (o->code == SECTION_HARDWARE)
		first_text(&s->hardware, o);
	else if (o->code == SECTION_OS)
		first_text(&s->os, o);
	else if (o->code == SECTION_APP)
		first_text(&s->app, o);
	else if (o->code == OPT_COMMENT)
		first_text(&s->comment, o);
}

static enum plx_pcapng_kind on_section(const struct block *b)
{
	if (b16(b, 12) != 1)
		return fail(b, 12, "of pcapng only version 1 is read");
	*b->item = (struct plx_pcapng_item){.section = {{0}}};
	b->r->n_ifaces = 0;
	b->r->started = true;
	return with_opts(b, SECTION_LEAST - 4, PLX_PCAPNG_SECTION, section_opt);
}

static void filter_opt(struct plx_pcapng_text *t, const struct opt *o)
{
	if (!t->p && o->len && o->v[0] == FILTER_TEXT)
		*t = (struct plx_pcapng_text){.p = (const char *)o->v + 1, .len = o->len - 1u};
}

static void iface_opt(const struct opt *o, const struct block *b)
{
	struct plx_pcapng_iface *f = &b->item->iface;

	switch (o->code) {
	case OPT_COMMENT:
		first_text(&f->comment, o);
		break;
	case IF_NAME:
		first_text(&f->name, o);
		break;
	case IF_DESCR:
		first_text(&f->descr, o);
		break;
	case IF_MAC:
		f->has_mac = true;
		memcpy(f->mac, o->v, sizeof(f->mac));
		break;
	case IF_SPEED:
		f->speed_bps = opt_u64(o);
		break;
	case IF_TSRESOL:
		f->tsresol = o->v[0];
		break;
	case IF_FILTER:
		filter_opt(&f->filter, o);
		break;
	case IF_OS:
		first_text(&f->os, o);
		break;
	case IF_TSOFFSET:
		f->tsoffset_s = (int64_t)opt_u64(o);
		break;
	case IF_HARDWARE:
		first_text(&f->hardware, o);
		break;
	}
}

static enum plx_pcapng_kind on_iface(const struct block *b)
{
	struct plx_pcapng_iface *f = &b->item->iface;
	struct plx_pcapng_reader *r = b->r;
	enum plx_pcapng_kind kind;

	if (r->n_ifaces == r->max_ifaces)
		return fail(b, 0, "this section has more interfaces than there is room for");
	*b->item = (struct plx_pcapng_item){
		.iface = {.link = b16(b, 8), .snaplen = b32(b, 12), .tsresol = TSRESOL_US}};
	kind = with_opts(b, IFACE_LEAST - 4, PLX_PCAPNG_IFACE, iface_opt);
	if (kind == PLX_PCAPNG_IFACE)
		r->ifaces[r->n_ifaces++] = (struct plx_pcapng_clock){
			.snaplen = f->snaplen, .tsresol = f->tsresol, .tsoffset_s = f->tsoffset_s};
	return kind;
}

static void meta_opt(struct plx_pcapng_pkt *pkt, const struct opt *o)
{
	if (o->len < CUSTOM_BYTES || get32(o->v, o->swapped) != CUSTOM_PEN ||
		plx_get_be32(o->v + 4) != CUSTOM_MARK)
		return;
	pkt->has |= PLX_PCAPNG_META;
	pkt->meta = (struct plx_pcapng_meta){.hook = o->v[CUSTOM_HOOK],
		.reason = plx_get_be16(o->v + CUSTOM_REASON),
		.sample = plx_get_be32(o->v + CUSTOM_SAMPLE)};
}

static void hash_opt(struct plx_pcapng_pkt *pkt, const struct opt *o)
{
	if (pkt->has & PLX_PCAPNG_HASH || o->len != 5 || o->v[0] != HASH_TOEPLITZ)
		return;
	pkt->has |= PLX_PCAPNG_HASH;
	pkt->hash = get32(o->v + 1, o->swapped);
}

static void verdict_opt(struct plx_pcapng_pkt *pkt, const struct opt *o)
{
	if (pkt->has & PLX_PCAPNG_VERDICT || o->len != 9)
		return;
	pkt->has |= PLX_PCAPNG_VERDICT;
	pkt->verdict_kind = o->v[0];
	pkt->verdict = get64(o->v + 1, o->swapped);
}

/* Those that the obsolete block has too. */
static void old_pkt_opt(const struct opt *o, const struct block *b)
{
	struct plx_pcapng_pkt *pkt = &b->item->pkt;

	switch (o->code) {
	case OPT_COMMENT:
		first_text(&pkt->comment, o);
		break;
	case OPT_CUSTOM_BIN:
		meta_opt(pkt, o);
		break;
	case PKT_FLAGS:
		pkt->has |= PLX_PCAPNG_FLAGS;
		pkt->flags = get32(o->v, o->swapped);
		break;
	case PKT_HASH:
		hash_opt(pkt, o);
		break;
	}
}

static void pkt_opt(const struct opt *o, const struct block *b)
{
	struct plx_pcapng_pkt *pkt = &b->item->pkt;

	switch (o->code) {
	case PKT_DROPS:
		pkt->has |= PLX_PCAPNG_DROPS;
		pkt->drops = opt_u64(o);
		break;
	case PKT_ID:
		pkt->has |= PLX_PCAPNG_ID;
		pkt->id = opt_u64(o);
		break;
	case PKT_QUEUE:
		pkt->has |= PLX_PCAPNG_QUEUE;
		pkt->queue = get32(o->v, o->swapped);
		break;
	case PKT_VERDICT:
		verdict_opt(pkt, o);
		break;
	default:
		old_pkt_opt(o, b);
	}
}

/* The Enhanced Packet Block; the obsolete one has the same form but for its interface's word. */
static enum plx_pcapng_kind on_pkt(const struct block *b)
{
	bool old = b->type == BLOCK_PKT_OLD;
	uint32_t iface = old ? b16(b, 8) : b32(b, 8), caplen = b32(b, 20);
	struct plx_pcapng_pkt *pkt = &b->item->pkt;

	if (iface >= b->r->n_ifaces)
		return fail(b, 8, "this packet's interface was not described");
	if (caplen > b->total - PKT_LEAST)
		return fail(b, 20, "this packet has more bytes than its block");
	*b->item = (struct plx_pcapng_item){.pkt = {
						    .ts_ns = block_ns(b, iface, b->p + 12),
						    .data = b->p + PKT_LEAST - 4,
						    .caplen = caplen,
						    .len = PLX_MAX(b32(b, 24), caplen),
						    .iface = iface,
					    }};
	if (old && b16(b, 10) != UINT16_MAX) {
		pkt->has = PLX_PCAPNG_DROPS;
		pkt->drops = b16(b, 10);
	}
	return with_opts(
		b, PKT_LEAST - 4 + pad4(caplen), PLX_PCAPNG_PKT, old ? old_pkt_opt : pkt_opt);
}

/* No time, no options, and the length is what interface 0 keeps of a packet. */
static enum plx_pcapng_kind on_simple(const struct block *b)
{
	uint32_t len = b32(b, 8), caplen = len;

	if (!b->r->n_ifaces)
		return fail(b, 0, "this packet's interface was not described");
	if (b->r->ifaces[0].snaplen)
		caplen = PLX_MIN(len, b->r->ifaces[0].snaplen);
	if (caplen > b->total - PKT_SIMPLE_LEAST)
		return fail(b, 8, "this packet has more bytes than its block");
	*b->item = (struct plx_pcapng_item){.pkt = {.data = b->p + PKT_SIMPLE_LEAST - 4,
						    .caplen = caplen,
						    .len = len,
						    .has = PLX_PCAPNG_UNTIMED}};
	return PLX_PCAPNG_PKT;
}

static void stats_opt(const struct opt *o, const struct block *b)
{
	struct plx_pcapng_stats *s = &b->item->stats;
	uint64_t *const counter[] = {&s->ifrecv, &s->ifdrop, &s->accept, &s->osdrop, &s->delivered};

	static_assert(PLX_PCAPNG_START == 1 << (STATS_START - STATS_START) &&
			      PLX_PCAPNG_DELIVERED == 1 << (STATS_DELIVERED - STATS_START),
		"in the order of the codes");
	if (o->code == OPT_COMMENT)
		first_text(&s->comment, o);
	if (o->code < STATS_START || o->code > STATS_DELIVERED)
		return;
	s->has |= 1u << (o->code - STATS_START);
	if (o->code == STATS_START)
		s->start_ns = block_ns(b, s->iface, o->v);
	else if (o->code == STATS_END)
		s->end_ns = block_ns(b, s->iface, o->v);
	else
		*counter[o->code - STATS_IFRECV] = opt_u64(o);
}

static enum plx_pcapng_kind on_stats(const struct block *b)
{
	uint32_t iface = b32(b, 8);

	if (iface >= b->r->n_ifaces)
		return fail(b, 8, "the interface of these statistics was not described");
	*b->item = (struct plx_pcapng_item){
		.stats = {.iface = iface, .ts_ns = block_ns(b, iface, b->p + 12)}};
	return with_opts(b, STATS_LEAST - 4, PLX_PCAPNG_STATS, stats_opt);
}

uint32_t pcapng__block_least(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION:
		return SECTION_LEAST;
	case BLOCK_IFACE:
		return IFACE_LEAST;
	case BLOCK_PKT:
	case BLOCK_PKT_OLD:
		return PKT_LEAST;
	case BLOCK_PKT_SIMPLE:
		return PKT_SIMPLE_LEAST;
	case BLOCK_STATS:
		return STATS_LEAST;
	}
	return 0;
}

enum plx_pcapng_kind pcapng__block_read(const struct block *b)
{
	switch (b->type) {
	case BLOCK_SECTION:
		return on_section(b);
	case BLOCK_IFACE:
		return on_iface(b);
	case BLOCK_PKT_SIMPLE:
		return on_simple(b);
	case BLOCK_STATS:
		return on_stats(b);
	}
	return on_pkt(b);
}
