/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What others write: files put together by hand, block by block, in either byte order.
 */
#include "pcapng_t.h"

struct build {
	struct t_file f;
	bool be;
	size_t block; /* where the open one starts */
};

static inline void bytes(struct build *b, const void *p, size_t n)
{
	if (n)
		memcpy(t_grow(&b->f, n), p, n);
}

static inline void number(struct build *b, uint64_t v, size_t n)
{
	uint8_t *p = t_grow(&b->f, n);

	for (size_t i = 0; i < n; i++)
		p[b->be ? n - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

static inline void u16(struct build *b, uint16_t v)
{
	number(b, v, 2);
}

static inline void u32(struct build *b, uint32_t v)
{
	number(b, v, 4);
}

static inline void ticks(struct build *b, uint64_t v)
{
	u32(b, (uint32_t)(v >> 32));
	u32(b, (uint32_t)v);
}

static inline void pad(struct build *b)
{
	while (b->f.len % 4)
		bytes(b, "\xff", 1);
}

static inline void begin(struct build *b, uint32_t type)
{
	b->block = b->f.len;
	u32(b, type);
	u32(b, 0);
}

static inline void end(struct build *b)
{
	uint32_t n = (uint32_t)(b->f.len - b->block) + 4;
	uint8_t *at;

	u32(b, n);
	at = b->f.p + b->block + 4;
	memcpy(at, b->f.p + b->f.len - 4, 4);
}

static inline void opt(struct build *b, uint16_t code, const void *p, size_t n)
{
	u16(b, code);
	u16(b, (uint16_t)n);
	bytes(b, p, n);
	pad(b);
}

static inline void opt_n(struct build *b, uint16_t code, uint64_t v, size_t n)
{
	u16(b, code);
	u16(b, (uint16_t)n);
	number(b, v, n);
	pad(b);
}

static inline void section(struct build *b, const char *app)
{
	begin(b, 0x0a0d0d0a);
	u32(b, 0x1a2b3c4d);
	u16(b, 1);
	u16(b, 2);
	number(b, 12345, 8); /* a length of the section, which nobody needs */
	if (app)
		opt(b, 4, app, strlen(app));
	end(b);
}

static inline void iface(
	struct build *b, uint16_t link, uint32_t snaplen, int tsresol, int64_t offset_s)
{
	begin(b, 1);
	u16(b, link);
	u16(b, 0);
	u32(b, snaplen);
	if (tsresol >= 0)
		opt_n(b, 9, (uint8_t)tsresol, 1);
	if (offset_s)
		opt_n(b, 14, (uint64_t)offset_s, 8);
	end(b);
}

static inline void pkt_begin(struct build *b, uint32_t i, uint64_t t, uint32_t caplen, uint32_t len)
{
	begin(b, 6);
	u32(b, i);
	ticks(b, t);
	u32(b, caplen);
	u32(b, len);
	bytes(b, "0123456789abcdefghijklmnopqrstuvwxyz", caplen);
	pad(b);
}

static inline void old_pkt(struct build *b, uint16_t i, uint16_t drops, uint64_t t)
{
	begin(b, 2);
	u16(b, i);
	u16(b, drops);
	ticks(b, t);
	u32(b, 3);
	u32(b, 2); /* shorter than captured, as some do */
	bytes(b, "old", 3);
	pad(b);
	opt_n(b, 2, 1, 4);
	opt(b, 4, "not a drop count here", 21);
	opt(b, 1, "veteran", 7);
	u32(b, 0);
	end(b);
}

static inline void custom(struct build *b, uint32_t pen, const char *rest)
{
	u16(b, 2989);
	u16(b, 16);
	u32(b, pen);
	bytes(b, rest, 12);
}

static inline void stats(struct build *b)
{
	begin(b, 5);
	u32(b, 1);
	ticks(b, 1024);
	u16(b, 2);
	u16(b, 8);
	ticks(b, 512);
	opt_n(b, 4, 1000, 8);
	opt_n(b, 7, 5, 8);
	opt(b, 1, "sum", 3);
	end(b);
}

/* Every kind of block, in one order and then in the other. */
static inline struct build everything(bool be)
{
	struct build b = {.be = be};

	section(&b, "theirs");
	begin(&b, 1);
	u16(&b, 1);
	u16(&b, 0);
	u32(&b, 8);
	opt(&b, 2, "eth0", 4);
	opt(&b, 3, "", 0);
	opt(&b, 6, "\2\0\0\0\0\1", 6);
	opt_n(&b, 8, 10000000000, 8);
	opt(&b, 11, "\1\1\2\3\4", 5); /* compiled, not a text */
	opt(&b, 11, "\0udp", 4);
	opt(&b, 12, "Linux", 5);
	opt(&b, 15, "NIC", 3);
	u32(&b, 0);
	u32(&b, 0x12345678); /* nothing counts behind the end mark */
	end(&b);
	iface(&b, 101, 0, 0x8a, 100);
	pkt_begin(&b, 1, 1024 * 5 + 512, 5, 60);
	opt(&b, 1, "first", 5);
	opt(&b, 999, "unknown", 7);
	opt(&b, 3, "\2\1\2\3\4", 5); /* CRC32 */
	u16(&b, 3);
	u16(&b, 5);
	number(&b, 5, 1);
	number(&b, 0x11223344, 4);
	pad(&b);
	opt(&b, 7, "\0odd", 4); /* a device's, of a length that we don't keep */
	u16(&b, 7);
	u16(&b, 9);
	number(&b, 2, 1);
	number(&b, 1, 8);
	pad(&b);
	opt_n(&b, 2, 0x01000002, 4);
	opt_n(&b, 6, 7, 4);
	opt_n(&b, 4, 1ull << 40, 8);
	opt_n(&b, 5, 99, 8);
	custom(&b, 32474, "PLX\1\1\0\0\2\0\0\0\3");
	custom(&b, 32473, "QLX\1\1\0\0\2\0\0\0\3");
	custom(&b, 32473, "PLX\1\4\0\1\2\0\0\1\0");
	opt(&b, 2989, "abc", 3);
	opt(&b, 1, "second", 6);
	end(&b);
	begin(&b, 3);
	u32(&b, 20);
	bytes(&b, "simplest", 8);
	end(&b);
	old_pkt(&b, 0, 3, 2000001);
	old_pkt(&b, 1, 0xffff, 1024);
	begin(&b, 0x99);
	end(&b);
	begin(&b, 0x40000bad);
	bytes(&b, "a custom block, in short", 24);
	end(&b);
	stats(&b);
	b.be = !be;
	section(&b, NULL);
	iface(&b, 1, 0, 9, 0);
	pkt_begin(&b, 0, 1, 0, 0);
	end(&b);
	return b;
}

static inline struct build classic(uint32_t magic, bool be)
{
	struct build b = {.be = be};

	u32(&b, magic);
	u16(&b, 2);
	u16(&b, 4);
	number(&b, 0, 8);
	u32(&b, 65535);
	u32(&b, 0x50000065); /* with the length of an FCS */
	for (uint32_t i = 0; i < 3; i++) {
		u32(&b, i);
		u32(&b, 999999);
		u32(&b, i);
		u32(&b, i == 1 ? 0 : 60);
		bytes(&b, "abc", i);
	}
	return b;
}
