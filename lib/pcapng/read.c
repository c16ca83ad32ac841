/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pcapng_read.h"

#include <errno.h>

#include "plx_pcapng_write.h"
#include "read.h"

void plx_pcapng_reader_init(
	struct plx_pcapng_reader *r, struct plx_pcapng_clock *ifaces, uint32_t max)
{
	*r = (struct plx_pcapng_reader){.ifaces = ifaces, .max_ifaces = max};
}

enum plx_pcapng_kind pcapng__fail(
	struct plx_pcapng_reader *r, struct plx_pcapng_item *item, uint64_t off, const char *text)
{
	r->error = (struct plx_pcapng_error){.off = r->off + off, .text = text};
	*item = (struct plx_pcapng_item){.error = r->error};
	return PLX_PCAPNG_ERROR;
}

static enum plx_pcapng_kind more(struct plx_pcapng_item *item, size_t want)
{
	*item = (struct plx_pcapng_item){.want = want};
	return PLX_PCAPNG_MORE;
}

static void step(struct plx_pcapng_reader *r, struct plx_pcapng_item *item, size_t used)
{
	item->used = used;
	r->off += used;
}

/* A block that is passed over may be longer than any buffer, so it goes by in pieces. */
static enum plx_pcapng_kind skip(
	struct plx_pcapng_reader *r, const uint8_t *p, size_t len, struct plx_pcapng_item *item)
{
	size_t take = PLX_MIN(len, r->skip);

	r->skip -= (uint32_t)take;
	if (!r->skip && len - take >= 4) {
		if (get32(p + take, r->swapped) != r->skip_total)
			return pcapng__fail(
				r, item, take, "the two lengths of this block are not the same");
		take += 4;
		r->skip_total = 0;
	}
	if (!take)
		return more(item, r->skip ? 1 : 4);
	*item = (struct plx_pcapng_item){.skipped = r->skip_type};
	step(r, item, take);
	return PLX_PCAPNG_SKIPPED;
}

/* Which byte order a section has: without it not even its first length can be read. */
static bool section_order(struct plx_pcapng_reader *r, const uint8_t *magic)
{
	r->swapped = get32(magic, false) != BYTE_ORDER_MAGIC;
	return get32(magic, r->swapped) == BYTE_ORDER_MAGIC;
}

static enum plx_pcapng_kind next_block(
	struct plx_pcapng_reader *r, const uint8_t *p, size_t len, struct plx_pcapng_item *item)
{
	struct block b = {.r = r, .item = item, .p = p};
	enum plx_pcapng_kind kind;
	uint32_t least;

	if (len < BLOCK_LEAST)
		return more(item, BLOCK_LEAST);
	b.type = get32(p, r->swapped);
	if (b.type == BLOCK_SECTION && !section_order(r, p + 8))
		return pcapng__fail(r, item, 8, "this section's byte order is not known");
	b.total = get32(p + 4, r->swapped);
	least = pcapng__block_least(b.type);
	if (b.total < PLX_MAX(least, BLOCK_LEAST) || b.total % 4)
		return pcapng__fail(r, item, 4, "a block cannot have this length");
	if (!least) {
		r->skip_type = b.type;
		r->skip_total = b.total;
		r->skip = b.total - 4;
		return skip(r, p, len, item);
	}
	if (b.total > PLX_PCAPNG_BLOCK_MAX)
		return pcapng__fail(r, item, 4, "this block is longer than 16 MiB");
	if (len < b.total)
		return more(item, b.total);
	if (get32(p + b.total - 4, r->swapped) != b.total)
		return pcapng__fail(
			r, item, b.total - 4, "the two lengths of this block are not the same");
	kind = pcapng__block_read(&b);
	if (kind != PLX_PCAPNG_ERROR)
		step(r, item, b.total);
	return kind;
}

static enum plx_pcapng_kind next_record(
	struct plx_pcapng_reader *r, const uint8_t *p, size_t len, struct plx_pcapng_item *item)
{
	uint32_t unit_ns = r->ifaces[0].tsresol == TSRESOL_NS ? 1 : 1000;
	uint32_t caplen;

	if (len < PLX_PCAP_PKT_DATA)
		return more(item, PLX_PCAP_PKT_DATA);
	caplen = get32(p + 8, r->swapped);
	if (caplen > PLX_PCAPNG_BLOCK_MAX - PLX_PCAP_PKT_DATA)
		return pcapng__fail(r, item, 8, "this packet is longer than 16 MiB");
	if (len < PLX_PCAP_PKT_DATA + caplen)
		return more(item, PLX_PCAP_PKT_DATA + caplen);
	*item = (struct plx_pcapng_item){
		.pkt = {
			.ts_ns = PLX_SEC(get32(p, r->swapped)) +
				 (plx_ns)get32(p + 4, r->swapped) * unit_ns,
			.data = p + PLX_PCAP_PKT_DATA,
			.caplen = caplen,
			.len = PLX_MAX(get32(p + 12, r->swapped), caplen),
		}};
	step(r, item, PLX_PCAP_PKT_DATA + caplen);
	return PLX_PCAPNG_PKT;
}

static enum plx_pcapng_kind classic_head(
	struct plx_pcapng_reader *r, const uint8_t *p, size_t len, struct plx_pcapng_item *item)
{
	struct plx_pcapng_clock *c = &r->ifaces[0];
	bool ns = get32(p, r->swapped) == PCAP_MAGIC_NS;

	if (len < PLX_PCAP_HEAD)
		return more(item, PLX_PCAP_HEAD);
	if (get16(p + 4, r->swapped) != PCAP_MAJOR || get16(p + 6, r->swapped) != PCAP_MINOR)
		return pcapng__fail(r, item, 4, "of pcap files only version 2.4 is read");
	*c = (struct plx_pcapng_clock){
		.snaplen = get32(p + 16, r->swapped),
		.tsresol = ns ? TSRESOL_NS : TSRESOL_US,
	};
	*item = (struct plx_pcapng_item){.iface = {
						 .link = get32(p + 20, r->swapped) & PCAP_LINK,
						 .snaplen = c->snaplen,
						 .tsresol = c->tsresol,
					 }};
	r->n_ifaces = 1;
	r->started = true;
	r->classic = true;
	step(r, item, PLX_PCAP_HEAD);
	return PLX_PCAPNG_IFACE;
}

static bool is_classic(struct plx_pcapng_reader *r, const uint8_t *p)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		uint32_t magic = get32(p, swapped);

		r->swapped = swapped;
		if (magic == PCAP_MAGIC_US || magic == PCAP_MAGIC_NS)
			return true;
	}
	return false;
}

static enum plx_pcapng_kind first(
	struct plx_pcapng_reader *r, const uint8_t *p, size_t len, struct plx_pcapng_item *item)
{
	if (len < 4)
		return more(item, 4);
	if (is_classic(r, p))
		return classic_head(r, p, len, item);
	if (get32(p, false) == BLOCK_SECTION)
		return next_block(r, p, len, item);
	return pcapng__fail(r, item, 0, "this is neither pcapng nor pcap");
}

enum plx_pcapng_kind plx_pcapng_next(
	struct plx_pcapng_reader *r, const void *buf, size_t len, struct plx_pcapng_item *item)
{
	if (r->error.text)
		return pcapng__fail(r, item, r->error.off - r->off, r->error.text);
	if (r->skip_total)
		return skip(r, buf, len, item);
	if (!r->started)
		return first(r, buf, len, item);
	return r->classic ? next_record(r, buf, len, item) : next_block(r, buf, len, item);
}

static const char *unfinished(const struct plx_pcapng_reader *r, size_t left)
{
	if (!r->started)
		return left ? "the file ends within its head" : "the file is empty";
	if (!left && !r->skip_total)
		return NULL;
	return r->classic ? "the file ends within a packet" : "the file ends within a block";
}

int plx_pcapng_end(const struct plx_pcapng_reader *r, size_t left, struct plx_pcapng_error *err)
{
	const char *text = unfinished(r, left);

	if (r->error.text)
		*err = r->error;
	else if (text)
		*err = (struct plx_pcapng_error){.off = r->off + left, .text = text};
	else
		return 0;
	return -EINVAL;
}
