/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pcapng_write.h"

#include "pcapng.h"

/*
 * The blocks of which there are few. Each is described once, by a function that runs twice: first
 * without a place to write to, which gives the length, then for good.
 */
struct out {
	uint8_t *p; /* NULL = count */
	uint32_t len, total;
};

static void out_bytes(struct out *o, const void *src, uint32_t n)
{
	if (o->p && n)
		memcpy(o->p + o->len, src, n);
	o->len += n;
}

static void out_u16(struct out *o, uint16_t v)
{
	out_bytes(o, &v, sizeof(v));
}

static void out_u32(struct out *o, uint32_t v)
{
	out_bytes(o, &v, sizeof(v));
}

static void out_u64(struct out *o, uint64_t v)
{
	out_bytes(o, &v, sizeof(v));
}

static void out_time(struct out *o, plx_ns t)
{
	uint8_t b[8];

	put_time(b, t);
	out_bytes(o, b, sizeof(b));
}

static void out_pad(struct out *o)
{
	out_bytes(o, "\0\0", pad4(o->len) - o->len);
}

static void out_opt(struct out *o, uint16_t code, const void *value, uint16_t n)
{
	out_u16(o, code);
	out_u16(o, n);
	out_bytes(o, value, n);
	out_pad(o);
}

static void out_text(struct out *o, uint16_t code, struct plx_pcapng_text t)
{
	if (t.p)
		out_opt(o, code, t.p, pcapng__cut(t, TEXT_MAX));
}

static void out_time_if(struct out *o, bool have, uint16_t code, plx_ns t)
{
	uint8_t b[8];

	put_time(b, t);
	if (have)
		out_opt(o, code, b, sizeof(b));
}

static void out_u64_if(struct out *o, bool have, uint16_t code, uint64_t v)
{
	if (have)
		out_opt(o, code, &v, sizeof(v));
}

typedef void fill_fn(struct out *o, const void *arg);

static uint32_t run(struct out o, uint32_t type, fill_fn *fill, const void *arg)
{
	out_u32(&o, type);
	out_u32(&o, o.total);
	fill(&o, arg);
	out_u32(&o, OPT_END);
	out_u32(&o, o.total);
	return o.len;
}

static size_t put_block(void *buf, size_t room, uint32_t type, fill_fn *fill, const void *arg)
{
	uint32_t need = run((struct out){0}, type, fill, arg);

	if (need <= room)
		run((struct out){.p = buf, .total = need}, type, fill, arg);
	return need;
}

static void fill_section(struct out *o, const void *arg)
{
	const struct plx_pcapng_section *s = arg;

	out_u32(o, BYTE_ORDER_MAGIC);
	out_u16(o, 1); /* version 1.0 */
	out_u16(o, 0);
	out_u64(o, UINT64_MAX); /* length of the section: not known */
	out_text(o, SECTION_HARDWARE, s->hardware);
	out_text(o, SECTION_OS, s->os);
	out_text(o, SECTION_APP, s->app);
	out_text(o, OPT_COMMENT, s->comment);
}

static void out_filter(struct out *o, struct plx_pcapng_text t)
{
	uint16_t n;

	if (!t.p)
		return;
	n = pcapng__cut(t, TEXT_MAX - 1);
	out_u16(o, IF_FILTER);
	out_u16(o, (uint16_t)(n + 1));
	out_bytes(o, &(uint8_t){FILTER_TEXT}, 1);
	out_bytes(o, t.p, n);
	out_pad(o);
}

static void fill_iface(struct out *o, const void *arg)
{
	const struct plx_pcapng_iface *f = arg;

	out_u16(o, (uint16_t)f->link);
	out_u16(o, 0);
	out_u32(o, f->snaplen);
	out_text(o, IF_NAME, f->name);
	out_text(o, IF_DESCR, f->descr);
	if (f->has_mac)
		out_opt(o, IF_MAC, f->mac, sizeof(f->mac));
	out_u64_if(o, f->speed_bps != 0, IF_SPEED, f->speed_bps);
	out_opt(o, IF_TSRESOL, &(uint8_t){TSRESOL_NS}, 1);
	out_filter(o, f->filter);
	out_text(o, IF_OS, f->os);
	out_text(o, IF_HARDWARE, f->hardware);
	out_text(o, OPT_COMMENT, f->comment);
}

static void fill_stats(struct out *o, const void *arg)
{
	const struct plx_pcapng_stats *s = arg;

	out_u32(o, s->iface);
	out_time(o, s->ts_ns);
	out_time_if(o, s->has & PLX_PCAPNG_START, STATS_START, s->start_ns);
	out_time_if(o, s->has & PLX_PCAPNG_END, STATS_END, s->end_ns);
	out_u64_if(o, s->has & PLX_PCAPNG_IFRECV, STATS_IFRECV, s->ifrecv);
	out_u64_if(o, s->has & PLX_PCAPNG_IFDROP, STATS_IFDROP, s->ifdrop);
	out_u64_if(o, s->has & PLX_PCAPNG_ACCEPT, STATS_ACCEPT, s->accept);
	out_u64_if(o, s->has & PLX_PCAPNG_OSDROP, STATS_OSDROP, s->osdrop);
	out_u64_if(o, s->has & PLX_PCAPNG_DELIVERED, STATS_DELIVERED, s->delivered);
	out_text(o, OPT_COMMENT, s->comment);
}

size_t plx_pcapng_section_put(void *buf, size_t room, const struct plx_pcapng_section *section)
{
	return put_block(buf, room, BLOCK_SECTION, fill_section, section);
}

size_t plx_pcapng_iface_put(void *buf, size_t room, const struct plx_pcapng_iface *iface)
{
	return put_block(buf, room, BLOCK_IFACE, fill_iface, iface);
}

size_t plx_pcapng_stats_put(void *buf, size_t room, const struct plx_pcapng_stats *stats)
{
	return put_block(buf, room, BLOCK_STATS, fill_stats, stats);
}

size_t plx_pcap_head_put(
	void *buf, size_t room, enum plx_pcap_unit unit, uint32_t link, uint32_t snaplen)
{
	uint8_t *p = buf;

	if (room < PLX_PCAP_HEAD)
		return PLX_PCAP_HEAD;
	put32(p, unit == PLX_PCAP_NS ? PCAP_MAGIC_NS : PCAP_MAGIC_US);
	put16(p + 4, PCAP_MAJOR);
	put16(p + 6, PCAP_MINOR);
	put64(p + 8, 0); /* time zone and accuracy, which nobody sets */
	put32(p + 16, snaplen ? snaplen : PLX_PCAPNG_SNAPLEN_MAX);
	put32(p + 20, link);
	return PLX_PCAP_HEAD;
}
