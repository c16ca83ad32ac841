/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What GRO joins, GSO takes apart again: frames are read in a row, those that follow each other
 * join a run, and at its end each part's headers are as they came, but for checksums that were
 * wrong before. Nothing is read or written beyond a frame's end.
 *
 * One byte of options, then for each frame its length (two bytes) and its bytes; a length of zero
 * repeats the last frame as the next one of its flow.
 */
#include <stdlib.h>

#include "../../lib/offload/offload.h"
#include "fuzz.h"

#define FRAME_MAX 2048

struct frame {
	uint8_t *b, *was; /* of bytes: so that one too far is seen; was: as it came */
	uint32_t bytes;
	struct plx_gro_pkt q;
};

struct row {
	struct frame f[PLX_GRO_PARTS_MAX];
	struct plx_gro_run run;
};

static uint8_t *copy(const uint8_t *b, size_t bytes)
{
	uint8_t *c = malloc(bytes ? bytes : 1);

	must(c);
	if (bytes)
		memcpy(c, b, bytes);
	return c;
}

static void drop(struct frame *f)
{
	free(f->b);
	free(f->was);
}

/* Headers of part i, made of the run's: as in the frame that came, where that was right. */
static void check_part(const struct gso_cut *c, uint32_t i, const struct frame *f)
{
	uint32_t hdr = offload__gso_hdr_bytes(c), l4 = (uint32_t)c->l2_bytes + c->l3_bytes;
	uint32_t sum = l4 + (c->udp ? 6 : 16);
	uint8_t *to = malloc(hdr), *was = copy(f->was, hdr);

	must(to && hdr == f->q.hdr_bytes);
	must(offload__gso_data_bytes(c, i) == f->q.data_bytes);
	offload__gso_header(c, i, to);
	if (!c->v6) /* left to the one that fills in checksums, as is the transport's */
		memset(was + c->l2_bytes + 10, 0, 2);
	must(!c->no_sum || memcmp(to + sum, was + sum, 2) == 0);
	memcpy(was + sum, to + sum, 2);
	must(memcmp(to, was, hdr) == 0);
	free(to);
	free(was);
}

/* The transport's field as plx_gso_from_gro() leaves it. */
static void put_pseudo(uint8_t *field, const struct plx_gro_pkt *q)
{
	uint16_t sum = plx_cksum_fold(offload__gro_pseudo(q));

	if (q->proto == PLX_IPPROTO_TCP || offload__ld16(field))
		memcpy(field, &sum, sizeof(sum));
}

static void check_run(struct row *r)
{
	const struct plx_gro_pkt *f = &r->run.first;
	uint32_t l3 = f->v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES, data = 0;
	struct gso_cut c = {
		.hdr = r->f[0].b,
		.l2_bytes = f->l2_bytes,
		.l3_bytes = (uint16_t)l3,
		.l4_bytes = (uint16_t)(f->hdr_bytes - f->l2_bytes - l3),
		.seg_bytes = f->data_bytes,
		.v6 = f->v6,
		.udp = f->proto == PLX_IPPROTO_UDP,
		.fixed_id = r->run.fixed_id,
	};

	for (uint32_t i = 0; i < r->run.parts; i++)
		data += r->f[i].q.data_bytes;
	if (r->run.parts > 1) {
		offload__gro_close(&r->run, data);
		put_pseudo(offload__l4(f) + (c.udp ? 6 : 16), f);
		must(f->v6 || plx_cksum_ip4(f->ip, PLX_IP4_BYTES) == 0);
		c.payload_bytes = data;
		must(offload__gso_check(&c, f->hdr_bytes) == 0);
		must(c.parts == r->run.parts);
		for (uint32_t i = 0; i < c.parts; i++)
			check_part(&c, i, &r->f[i]);
	}
	for (uint32_t i = 0; i < r->run.parts; i++)
		drop(&r->f[i]);
	r->run.parts = 0;
}

/* f is TCP or UDP with a payload. */
static void take(struct row *r, struct frame *f)
{
	bool ends;

	if (r->run.parts &&
		!(offload__same_flow(&r->run.first, &f->q) && offload__gro_follows(&r->run, &f->q)))
		check_run(r);
	if (r->run.parts) {
		ends = offload__gro_join(&r->run, &f->q);
		r->f[r->run.parts - 1] = *f;
		if (ends)
			check_run(r);
	} else if (f->q.ends) {
		drop(f);
	} else {
		r->run = (struct plx_gro_run){.first = f->q, .parts = 1};
		r->f[0] = *f;
	}
}

/* As the flow goes on: the next place in the sequence, the next identification (or, odd, not). */
static void go_on(struct frame *f, const struct plx_gro_pkt *q, uint8_t how)
{
	uint8_t *ip = f->was + q->l2_bytes, *l4 = ip + (q->v6 ? PLX_IP6_BYTES : PLX_IP4_BYTES);

	if (!q->v6 && !(how & 1))
		plx_put_be16(ip + 4, (uint16_t)(plx_get_be16(ip + 4) + 1));
	if (q->proto == PLX_IPPROTO_TCP)
		plx_put_be32(l4 + 4, plx_get_be32(l4 + 4) + q->data_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	bool raw_ip = u8(&in) & 1;
	uint8_t last[FRAME_MAX];
	uint32_t last_bytes = 0;
	struct plx_gro_pkt q = {0};
	enum gro_kind kind = GRO_ALIEN;
	struct row r = {0};

	while (in.left) {
		size_t want = u8(&in), got;
		struct frame f = {0};
		const uint8_t *b;

		want |= (size_t)(u8(&in) & 7) << 8;
		b = span(&in, want, &got);
		f.bytes = want ? (uint32_t)got : last_bytes;
		f.was = copy(want ? b : last, f.bytes);
		if (!want && kind == GRO_JOIN)
			go_on(&f, &q, u8(&in));
		memcpy(last, f.was, f.bytes);
		last_bytes = f.bytes;
		f.b = copy(f.was, f.bytes);
		kind = offload__gro_parse(&f.q, &(struct gro_frame){.p = f.b,
							.avail_bytes = f.bytes,
							.bytes = f.bytes,
							.raw_ip = raw_ip});
		q = f.q;
		if (kind >= GRO_LONE)
			(void)offload__hash(&f.q);
		if (kind == GRO_JOIN) {
			must(f.q.hdr_bytes + (uint32_t)f.q.data_bytes == f.q.end_bytes);
			must(f.q.end_bytes <= f.bytes && f.q.data_bytes > 0);
			take(&r, &f);
		} else {
			drop(&f);
		}
	}
	if (r.run.parts)
		check_run(&r);
	return 0;
}
