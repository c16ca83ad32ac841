/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What --port NAME=impair,... says: never a crash, a text that is refused changes nothing, and a
 * link that is accepted gives each packet a fate that its caller can carry out.
 */
#include <plx_impair.h>

#include "fuzz.h"

static void drive(const struct plx_impair_conf *c)
{
	static struct plx_impair im;
	uint8_t bytes[100] = {0};
	plx_ns now = PLX_SEC(1);

	must(plx_impair_init(&im, c) == 0);
	for (uint32_t i = 0; i < 40; i++, now += PLX_US(i * i)) {
		struct plx_impair_pkt pkt = {.bytes = 60 + i * 37,
			.data = bytes,
			.data_len = i < 20 ? 60 : sizeof(bytes),
			.l4_off = i % 2 ? 34 : 0,
			.held = i};
		struct plx_impair_verdict v;

		bytes[i] = (uint8_t)(i * 7);
		plx_impair_decide(&im, now, &pkt, &v);
		if (v.drop) {
			must(v.drop == PLX_DROP_IMPAIR_LOSS || v.drop == PLX_DROP_IMPAIR_QUEUE);
			continue;
		}
		must(v.copies == 1 || v.copies == 2);
		must(v.depart_ns >= now);
		must(v.flips <= PLX_IMPAIR_FLIP_MAX);
		for (unsigned int f = 0; f < v.flips; f++)
			must(v.flip[f].off < pkt.bytes && v.flip[f].mask);
	}
	must(im.stats.seen == 40);
	must(im.stats.lost + im.stats.queue_full <= 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plx_impair_conf c = {.seed = 1}, before = c;
	struct plx_impair_error e;
	char text[256];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (plx_impair_conf_parse(&c, text, &e) != 0) {
		must(memcmp(&c, &before, sizeof(c)) == 0);
		must(e.pos <= strlen(text) && *e.text);
	} else if (!plx_impair_conf_check(&c)) {
		drive(&c);
	}
	return 0;
}
