/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_pcapng_write.h"

#include "pcapng.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Cuts between two characters: a text that ends within one would not be UTF-8. */
uint16_t pcapng__cut(struct plx_pcapng_text t, uint16_t max)
{
	uint32_t n = t.len;

	if (plx_likely(n <= max))
		return (uint16_t)n;
	for (n = max; n && ((uint8_t)t.p[n] & 0xc0) == 0x80;)
		n--;
	return (uint16_t)n;
}

/* Bytes of the options of fixed length. */
static ALWAYS_INLINE uint32_t fixed_need(uint32_t has)
{
	return !!(has & PLX_PCAPNG_FLAGS) * 8u + !!(has & PLX_PCAPNG_QUEUE) * 8u +
	       !!(has & PLX_PCAPNG_HASH) * 12u + !!(has & PLX_PCAPNG_DROPS) * 12u +
	       !!(has & PLX_PCAPNG_VERDICT) * 16u + !!(has & PLX_PCAPNG_META) * 20u +
	       !!(has & PLX_PCAPNG_ID) * 12u;
}

static ALWAYS_INLINE size_t need_of(const struct plx_pcapng_pkt *pkt, uint32_t has)
{
	size_t opts = fixed_need(has);

	if (plx_unlikely(pkt->comment.p))
		opts += 4 + pad4(pcapng__cut(pkt->comment, TEXT_MAX));
	return PKT_LEAST + (size_t)pad4(pkt->caplen) + opts + (opts ? 4 : 0);
}

static ALWAYS_INLINE uint8_t *opt_head(uint8_t *p, uint16_t code, uint16_t n)
{
	put32(p, (uint32_t)n << 16 | code);
	return p + 4;
}

static ALWAYS_INLINE uint8_t *opt_u32(uint8_t *p, uint16_t code, uint32_t v)
{
	p = opt_head(p, code, sizeof(v));
	put32(p, v);
	return p + 4;
}

static ALWAYS_INLINE uint8_t *opt_u64(uint8_t *p, uint16_t code, uint64_t v)
{
	p = opt_head(p, code, sizeof(v));
	put64(p, v);
	return p + 8;
}

static ALWAYS_INLINE uint8_t *opt_hash(uint8_t *p, uint32_t v)
{
	p = opt_head(p, PKT_HASH, 5);
	put64(p, (uint64_t)v << 8 | HASH_TOEPLITZ); /* and the padding */
	return p + 8;
}

static ALWAYS_INLINE uint8_t *opt_verdict(uint8_t *p, uint8_t kind, uint64_t v)
{
	p = opt_head(p, PKT_VERDICT, 9);
	put32(p + 8, 0); /* the padding, and a byte that is written anew */
	p[0] = kind;
	put64(p + 1, v);
	return p + 12;
}

static ALWAYS_INLINE uint8_t *opt_meta(uint8_t *p, const struct plx_pcapng_meta *m)
{
	p = opt_head(p, OPT_CUSTOM_BIN, CUSTOM_BYTES);
	put32(p, CUSTOM_PEN);
	plx_put_be32(p + 4, CUSTOM_MARK);
	plx_put_be16(p + CUSTOM_HOOK, (uint16_t)(m->hook << 8));
	plx_put_be16(p + CUSTOM_REASON, m->reason);
	plx_put_be32(p + CUSTOM_SAMPLE, m->sample);
	return p + CUSTOM_BYTES;
}

static uint8_t *opt_comment(uint8_t *p, struct plx_pcapng_text t)
{
	uint16_t n = pcapng__cut(t, TEXT_MAX);

	p = opt_head(p, OPT_COMMENT, n);
	memset(p + n, 0, pad4(n) - n);
	if (n)
		memcpy(p, t.p, n);
	return p + pad4(n);
}

/* Options that are always there first: for a constant has no question is left. */
static ALWAYS_INLINE uint8_t *put_opts(uint8_t *p, const struct plx_pcapng_pkt *pkt, uint32_t has)
{
	if (has & PLX_PCAPNG_FLAGS)
		p = opt_u32(p, PKT_FLAGS, pkt->flags);
	if (has & PLX_PCAPNG_QUEUE)
		p = opt_u32(p, PKT_QUEUE, pkt->queue);
	if (has & PLX_PCAPNG_HASH)
		p = opt_hash(p, pkt->hash);
	if (has & PLX_PCAPNG_META)
		p = opt_meta(p, &pkt->meta);
	if (has & PLX_PCAPNG_DROPS)
		p = opt_u64(p, PKT_DROPS, pkt->drops);
	if (has & PLX_PCAPNG_VERDICT)
		p = opt_verdict(p, pkt->verdict_kind, pkt->verdict);
	if (has & PLX_PCAPNG_ID)
		p = opt_u64(p, PKT_ID, pkt->id);
	if (plx_unlikely(pkt->comment.p))
		p = opt_comment(p, pkt->comment);
	return p;
}

/* The padding goes first where that spares a question: what follows overwrites what is too much. */
static ALWAYS_INLINE uint8_t *put_data(uint8_t *p, const struct plx_pcapng_pkt *pkt)
{
	uint32_t n = pkt->caplen;

	if (plx_likely(pkt->data)) {
		put32(p + (n & ~3u), 0);
		memcpy(p, pkt->data, n);
	} else {
		memset(p + n, 0, pad4(n) - n);
	}
	return p + pad4(n);
}

static ALWAYS_INLINE size_t put_pkt(
	uint8_t *buf, size_t room, const struct plx_pcapng_pkt *pkt, uint32_t has)
{
	size_t need = need_of(pkt, has);
	uint8_t *p = buf, *opts;

	if (plx_unlikely(need > room))
		return need;
	put32(p, BLOCK_PKT);
	put32(p + 4, (uint32_t)need);
	put32(p + 8, pkt->iface);
	put_time(p + 12, pkt->ts_ns);
	put32(p + 20, pkt->caplen);
	put32(p + 24, pkt->len);
	opts = put_data(p + PLX_PCAPNG_PKT_DATA, pkt);
	p = put_opts(opts, pkt, has);
	if (p != opts)
		p = opt_head(p, OPT_END, 0);
	put32(p, (uint32_t)need);
	return need;
}

size_t plx_pcapng_pkt_need(const struct plx_pcapng_pkt *pkt)
{
	return need_of(pkt, pkt->has);
}

/* A tap sets the same options on each of its packets: what most do set has code of its own. */
size_t plx_pcapng_pkt_put(void *buf, size_t room, const struct plx_pcapng_pkt *pkt)
{
	enum {
		RX_TX = PLX_PCAPNG_FLAGS | PLX_PCAPNG_QUEUE,
		TAPPED = RX_TX | PLX_PCAPNG_META,
		HASHED = RX_TX | PLX_PCAPNG_HASH,
		HOOKED = HASHED | PLX_PCAPNG_META,
	};

	switch (pkt->has) {
	case RX_TX:
		return put_pkt(buf, room, pkt, RX_TX);
	case TAPPED:
		return put_pkt(buf, room, pkt, TAPPED);
	case HASHED:
		return put_pkt(buf, room, pkt, HASHED);
	case HOOKED:
		return put_pkt(buf, room, pkt, HOOKED);
	}
	return put_pkt(buf, room, pkt, pkt->has);
}

size_t plx_pcap_pkt_put(
	void *buf, size_t room, enum plx_pcap_unit unit, const struct plx_pcapng_pkt *pkt)
{
	size_t need = PLX_PCAP_PKT_DATA + (size_t)pkt->caplen;
	uint64_t ns = (uint64_t)pkt->ts_ns;
	uint8_t *p = buf;

	if (need > room)
		return need;
	put32(p, (uint32_t)(ns / 1000000000));
	ns %= 1000000000;
	put32(p + 4, (uint32_t)(unit == PLX_PCAP_NS ? ns : ns / 1000));
	put32(p + 8, pkt->caplen);
	put32(p + 12, pkt->len);
	if (pkt->data)
		memcpy(p + PLX_PCAP_PKT_DATA, pkt->data, pkt->caplen);
	return need;
}
