/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture file of any bytes: nothing is read beyond what is shown, it ends, it says the same
 * whether it comes at once or by no more than the reader asks for, and each item of it that is
 * written again reads the same.
 */
#include "pcapng_same.h"

#define IFACES 4

/* A reader that sees no more than it asked for, in memory of just that size. */
struct miser {
	struct plx_pcapng_reader r;
	struct plx_pcapng_clock ifaces[IFACES];
	struct plx_pcapng_item item;
	const uint8_t *p;
	size_t left;
	uint8_t *exact;
};

static enum plx_pcapng_kind next(struct miser *m)
{
	enum plx_pcapng_kind kind;
	size_t show = 0;

	for (;;) {
		free(m->exact);
		m->exact = malloc(show + !show);
		must(m->exact);
		if (show)
			memcpy(m->exact, m->p, show);
		kind = plx_pcapng_next(&m->r, m->exact, show, &m->item);
		if (kind != PLX_PCAPNG_MORE)
			break;
		must(m->item.used == 0 && m->item.want > show);
		must(m->item.want <= PLX_PCAPNG_BLOCK_MAX);
		if (m->item.want > m->left)
			return kind;
		show = m->item.want;
	}
	must(m->item.used <= show);
	m->p += m->item.used;
	m->left -= m->item.used;
	return kind;
}

/* The same, but parts of blocks that are passed over. */
static enum plx_pcapng_kind next_told(struct miser *m)
{
	enum plx_pcapng_kind kind = next(m);

	while (kind == PLX_PCAPNG_SKIPPED)
		kind = next(m);
	return kind;
}

/* Times before 1970 cannot be written. */
static bool writable(enum plx_pcapng_kind kind, const struct plx_pcapng_item *item)
{
	if (kind == PLX_PCAPNG_PKT)
		return item->pkt.ts_ns >= 0;
	if (kind == PLX_PCAPNG_STATS)
		return item->stats.ts_ns >= 0 && item->stats.start_ns >= 0 &&
		       item->stats.end_ns >= 0;
	return true;
}

static void at_the_end(const struct miser *m, const struct plx_pcapng_reader *r, size_t left)
{
	struct plx_pcapng_error a = {0, NULL}, b = {0, NULL};

	must(plx_pcapng_end(r, left, &a) == plx_pcapng_end(&m->r, m->left, &b));
	must(a.text == b.text && a.off == b.off);
	must(r->off + left == m->r.off + m->left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct miser m = {.p = data, .left = size};
	struct plx_pcapng_clock ifaces[IFACES], again_ifaces[IFACES];
	const struct plx_pcapng_item empty = {.section = {{0}}};
	struct plx_pcapng_reader r, again;
	struct plx_pcapng_item item;
	enum plx_pcapng_kind kind;

	plx_pcapng_reader_init(&m.r, m.ifaces, IFACES);
	plx_pcapng_reader_init(&r, ifaces, IFACES);
	plx_pcapng_reader_init(&again, again_ifaces, IFACES);
	reads_the_same(&again, PLX_PCAPNG_SECTION, &empty); /* which a classic file has not */
	for (size_t left = size;; data += item.used, left -= item.used) {
		kind = plx_pcapng_next(&r, data, left, &item);
		if (kind == PLX_PCAPNG_SKIPPED) {
			must(item.used > 0 && item.used <= left);
			continue;
		}
		must(next_told(&m) == kind);
		if (kind == PLX_PCAPNG_MORE || kind == PLX_PCAPNG_ERROR) {
			at_the_end(&m, &r, left);
			break;
		}
		must(item.used > 0 && item.used <= left);
		must(r.n_ifaces <= IFACES);
		same_item(kind, &item, &m.item);
		if (kind == PLX_PCAPNG_PKT)
			must(item.pkt.caplen < item.used && item.pkt.caplen <= item.pkt.len &&
				item.pkt.iface < r.n_ifaces);
		if (writable(kind, &item))
			reads_the_same(&again, kind, &item);
	}
	free(m.exact);
	return 0;
}
