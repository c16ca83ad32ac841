/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_tcp.h"

/* Option kinds (RFC 9293 3.2, RFC 7323, RFC 2018). */
#define OPT_EOL	    0
#define OPT_NOP	    1
#define OPT_MSS	    2
#define OPT_WSCALE  3
#define OPT_SACK_OK 4
#define OPT_SACK    5
#define OPT_TS	    8

/* Every segment of a connection with timestamps begins so: NOP, NOP, timestamps. */
#define ALIGNED_TS (OPT_NOP << 24 | OPT_NOP << 16 | OPT_TS << 8 | 10)

static void parse_ts(struct plx_tcp_opts *o, const uint8_t *text)
{
	o->ts_val = plx_get_be32(text);
	o->ts_ecr = plx_get_be32(text + 4);
	o->present |= PLX_TCP_OPT_TS;
}

static bool parse_sack(struct plx_tcp_opts *o, const uint8_t *opt)
{
	uint8_t bytes = opt[1] - 2;

	if (bytes == 0 || bytes % 8 != 0 || bytes / 8 > PLX_TCP_SACKS_MAX)
		return false;
	o->n_sack = bytes / 8;
	for (unsigned int i = 0; i < o->n_sack; i++) {
		o->sack[i].start = plx_get_be32(opt + 2 + 8 * i);
		o->sack[i].end = plx_get_be32(opt + 6 + 8 * i);
	}
	o->present |= PLX_TCP_OPT_SACK;
	return true;
}

/* One option of opt[1] bytes, all of which are there. @return false when it has not its length. */
static bool parse_one(struct plx_tcp_opts *o, const uint8_t *opt, bool syn)
{
	switch (opt[0]) {
	case OPT_MSS:
		if (opt[1] != 4)
			return false;
		if (syn) {
			o->mss = plx_get_be16(opt + 2);
			o->present |= PLX_TCP_OPT_MSS;
		}
		return true;
	case OPT_WSCALE:
		if (opt[1] != 3)
			return false;
		if (syn) {
			o->wscale = opt[2];
			o->present |= PLX_TCP_OPT_WSCALE;
		}
		return true;
	case OPT_SACK_OK:
		if (opt[1] != 2)
			return false;
		if (syn)
			o->present |= PLX_TCP_OPT_SACK_OK;
		return true;
	case OPT_SACK:
		return parse_sack(o, opt);
	case OPT_TS:
		if (opt[1] != 10)
			return false;
		parse_ts(o, opt + 2);
		return true;
	default:
		return true;
	}
}

enum plx_drop plx_wire_tcp_opts_parse(struct plx_tcp_opts *o, const void *p, uint32_t len, bool syn)
{
	const uint8_t *b = p;
	uint32_t at = 0;

	memset(o, 0, sizeof(*o));
	if (plx_likely(len == 12 && plx_get_be32(b) == ALIGNED_TS)) {
		parse_ts(o, b + 4);
		return PLX_DROP_NONE;
	}
	while (at < len && b[at] != OPT_EOL) {
		if (b[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || b[at + 1] < 2 || b[at + 1] > len - at ||
			!parse_one(o, b + at, syn))
			return PLX_DROP_TCP_OPTIONS;
		at += b[at + 1];
	}
	return PLX_DROP_NONE;
}

/* Bytes of everything but SACK blocks. */
static uint32_t fixed_bytes(const struct plx_tcp_opts *o)
{
	uint32_t n = 0;

	if (o->present & PLX_TCP_OPT_MSS)
		n += 4;
	if (o->present & PLX_TCP_OPT_TS)
		n += 12; /* SACK-permitted goes into its padding */
	else if (o->present & PLX_TCP_OPT_SACK_OK)
		n += 4;
	if (o->present & PLX_TCP_OPT_WSCALE)
		n += 4;
	return n;
}

/* Blocks that fit behind the rest (RFC 2018 3: three next to timestamps, else four). */
static uint32_t sacks_that_fit(const struct plx_tcp_opts *o, uint32_t used)
{
	uint32_t room = (PLX_TCP_OPTS_MAX_BYTES - 4 - used) / 8;

	return o->present & PLX_TCP_OPT_SACK ? PLX_MIN(room, o->n_sack) : 0;
}

uint32_t plx_wire_tcp_opts_bytes(const struct plx_tcp_opts *o)
{
	uint32_t n = fixed_bytes(o), sacks = sacks_that_fit(o, n);

	return sacks ? n + 4 + 8 * sacks : n;
}

static uint8_t *put_word(uint8_t *b, uint8_t b0, uint8_t b1, uint8_t b2, uint8_t b3)
{
	b[0] = b0;
	b[1] = b1;
	b[2] = b2;
	b[3] = b3;
	return b + 4;
}

static uint8_t *put_be32(uint8_t *b, uint32_t v)
{
	plx_put_be32(b, v);
	return b + 4;
}

uint32_t plx_wire_tcp_opts_emit(void *p, const struct plx_tcp_opts *o)
{
	bool sack_ok = o->present & PLX_TCP_OPT_SACK_OK;
	uint8_t *b = p;
	uint32_t sacks;

	if (plx_likely(o->present == PLX_TCP_OPT_TS)) {
		put_be32(put_be32(put_be32(b, ALIGNED_TS), o->ts_val), o->ts_ecr);
		return 12;
	}
	sacks = sacks_that_fit(o, fixed_bytes(o));
	if (o->present & PLX_TCP_OPT_MSS)
		b = put_word(b, OPT_MSS, 4, (uint8_t)(o->mss >> 8), (uint8_t)o->mss);
	if (o->present & PLX_TCP_OPT_TS) {
		b = sack_ok ? put_word(b, OPT_SACK_OK, 2, OPT_TS, 10)
			    : put_word(b, OPT_NOP, OPT_NOP, OPT_TS, 10);
		b = put_be32(put_be32(b, o->ts_val), o->ts_ecr);
	} else if (sack_ok) {
		b = put_word(b, OPT_NOP, OPT_NOP, OPT_SACK_OK, 2);
	}
	if (o->present & PLX_TCP_OPT_WSCALE)
		b = put_word(b, OPT_NOP, OPT_WSCALE, 3, o->wscale);
	if (sacks) {
		b = put_word(b, OPT_NOP, OPT_NOP, OPT_SACK, (uint8_t)(2 + 8 * sacks));
		for (uint32_t i = 0; i < sacks; i++)
			b = put_be32(put_be32(b, o->sack[i].start), o->sack[i].end);
	}
	return (uint32_t)(b - (uint8_t *)p);
}
