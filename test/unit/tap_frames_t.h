/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * Frames of all kinds, from a generator: what filters are asked about.
 */
#include <plx_base_rng.h>

#define TF_MAX 400

struct tf {
	uint8_t b[TF_MAX];
	uint16_t n;
};

static inline uint16_t tf_pick(struct plx_rng *r, const uint16_t *of, size_t n)
{
	return of[plx_rng_below(r, n)];
}
#define TF_PICK(r, ...)                                                                            \
	tf_pick(r, (const uint16_t[]){__VA_ARGS__},                                                \
		sizeof((uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static inline void tf_be16(struct tf *f, uint16_t v)
{
	plx_put_be16(f->b + f->n, v);
	f->n += 2;
}

static inline void tf_bytes(struct tf *f, struct plx_rng *r, uint16_t n)
{
	plx_rng_bytes(r, f->b + f->n, n);
	f->n = (uint16_t)(f->n + n);
}

static inline void tf_mac(struct tf *f, struct plx_rng *r)
{
	static const uint8_t mac[4][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {1, 0, 0x5e, 0, 0, 1}};

	memcpy(f->b + f->n, mac[plx_rng_below(r, 4)], 6);
	f->n += 6;
}

static inline void tf_l4(struct tf *f, struct plx_rng *r, uint8_t proto)
{
	if (proto == 1 || proto == 58) {
		f->b[f->n++] = (uint8_t)TF_PICK(r, 0, 3, 5, 8, 11, 128, 129, 135, 136);
		f->b[f->n++] = (uint8_t)plx_rng_below(r, 4);
		tf_bytes(f, r, 10);
		return;
	}
	tf_be16(f, TF_PICK(r, 22, 53, 80, 443, 4444, 1024, 65535));
	tf_be16(f, TF_PICK(r, 22, 53, 80, 443, 4444, 1024, 65535));
	tf_bytes(f, r, 8);
	f->b[f->n++] = (uint8_t)(TF_PICK(r, 5, 5, 6, 15, 0) << 4);
	f->b[f->n++] = (uint8_t)TF_PICK(r, 0x02, 0x10, 0x12, 0x11, 0x04, 0x18, 0xff, 0);
	tf_bytes(f, r, (uint16_t)plx_rng_below(r, 30));
}

static inline void tf_ip4(struct tf *f, struct plx_rng *r)
{
	uint8_t proto = (uint8_t)TF_PICK(r, 1, 2, 6, 6, 17, 17, 47, 50, 89, 132);
	uint16_t words = TF_PICK(r, 5, 5, 5, 6, 8), at = f->n;

	f->b[f->n++] = (uint8_t)(0x40 | words);
	f->b[f->n++] = (uint8_t)TF_PICK(r, 0, 0x10, 0xb8);
	tf_be16(f, TF_PICK(r, 40, 100, 1500));
	tf_bytes(f, r, 2);
	tf_be16(f, TF_PICK(r, 0, 0, 0x4000, 0x2000, 0x2005, 0x0007));
	f->b[f->n++] = (uint8_t)TF_PICK(r, 1, 64, 255);
	f->b[f->n++] = proto;
	tf_bytes(f, r, 2);
	for (int i = 0; i < 2; i++) {
		tf_be16(f, TF_PICK(r, 0x0a00, 0x0a00, 0xc0a8, 0xe000));
		tf_be16(f, TF_PICK(r, 1, 2, 3, 0x0101));
	}
	tf_bytes(f, r, (uint16_t)(at + words * 4 - f->n));
	tf_l4(f, r, proto);
}

static inline void tf_ip6(struct tf *f, struct plx_rng *r)
{
	uint8_t proto = (uint8_t)TF_PICK(r, 6, 6, 17, 17, 58, 58, 0, 44, 60, 132);

	f->b[f->n++] = 0x60;
	tf_bytes(f, r, 3);
	tf_be16(f, TF_PICK(r, 20, 80, 1400));
	f->b[f->n++] = proto;
	f->b[f->n++] = (uint8_t)TF_PICK(r, 1, 64, 255);
	for (int i = 0; i < 2; i++) {
		tf_be16(f, TF_PICK(r, 0x2001, 0x2001, 0xfe80, 0xff02));
		tf_be16(f, TF_PICK(r, 0x0db8, 0));
		memset(f->b + f->n, 0, 10);
		f->n += 10;
		tf_be16(f, TF_PICK(r, 1, 2));
	}
	if (proto == 0 || proto == 44 || proto == 60) {
		f->b[f->n++] = (uint8_t)TF_PICK(r, 6, 17, 58);
		f->b[f->n++] = 0;
		tf_be16(f, TF_PICK(r, 0, 1, 0x0100));
		tf_bytes(f, r, 4);
	}
	tf_l4(f, r, proto);
}

static inline void tf_arp(struct tf *f, struct plx_rng *r)
{
	tf_be16(f, 1);
	tf_be16(f, 0x0800);
	tf_be16(f, 0x0604);
	tf_be16(f, TF_PICK(r, 1, 2));
	for (int i = 0; i < 2; i++) {
		tf_mac(f, r);
		tf_be16(f, 0x0a00);
		tf_be16(f, TF_PICK(r, 1, 2));
	}
}

static inline void tf_rest(struct tf *f, struct plx_rng *r)
{
	static const uint16_t types[] = {0x0800, 0x0800, 0x0800, 0x0800, 0x86dd, 0x86dd, 0x86dd,
		0x0806, 0x8863, 0x8864, 0x8847, 0x88cc, 0x0026, 0x05dc};
	uint16_t type = tf_pick(r, types, PLX_DIM(types));

	tf_be16(f, type);
	if (type == 0x0800)
		tf_ip4(f, r);
	else if (type == 0x86dd)
		tf_ip6(f, r);
	else if (type == 0x0806)
		tf_arp(f, r);
	else if (type < 0x600)
		tf_be16(f, TF_PICK(r, 0x4242, 0xffff, 0xaaaa, 0xe0e0));
	tf_bytes(f, r, (uint16_t)plx_rng_below(r, 40));
}

/** A frame with 0 to 2 tags, whole, short or cut anywhere. */
static inline void tf_frame(struct tf *f, struct plx_rng *r)
{
	f->n = 0;
	tf_mac(f, r);
	tf_mac(f, r);
	for (uint64_t tags = TF_PICK(r, 0, 0, 0, 1, 1, 2); tags; tags--) {
		tf_be16(f, tags == 2 ? TF_PICK(r, 0x88a8, 0x8100, 0x9100) : 0x8100);
		tf_be16(f, (uint16_t)(TF_PICK(r, 1, 7, 10, 100, 4095) | TF_PICK(r, 0, 0x6000)));
	}
	tf_rest(f, r);
	if (plx_rng_below(r, 4) == 0)
		f->n = (uint16_t)(1 + plx_rng_below(r, f->n));
}

/** An IP packet, as ports without Ethernet carry it. */
static inline void tf_packet(struct tf *f, struct plx_rng *r)
{
	f->n = 0;
	if (plx_rng_below(r, 2))
		tf_ip4(f, r);
	else
		tf_ip6(f, r);
	if (plx_rng_below(r, 4) == 0)
		f->n = (uint16_t)(1 + plx_rng_below(r, f->n));
}
