/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_t.h"

T(an_echo_request)
{
	struct pkt k = hex("08 00 f7fd 0001 0001 6869");
	struct plx_icmp icmp = {0};

	eq(plx_wire_icmp_parse(&icmp, k.b, k.len), PLX_DROP_NONE);
	eq(icmp.type, PLX_ICMP_ECHO_REQUEST);
	eq(icmp.code, 0);
	mem_eq(&icmp.check, k.b + 2, 2);
	eq(plx_icmp_echo_id(&icmp), 1);
	eq(plx_icmp_echo_seq(&icmp), 1);
}

T(a_short_one)
{
	struct pkt k = hex("08 00 f7fd 0001 0001");
	struct plx_icmp icmp = {0};

	EACH_TRUNCATION(k, n, p, eq(plx_wire_icmp_parse(&icmp, p, n), PLX_DROP_ICMP_SHORT));
	eq(plx_wire_icmp_parse(&icmp, k.b, k.len), PLX_DROP_NONE);
}

T(errors_are_told_from_questions)
{
	static const uint8_t errors4[] = {3, 4, 5, 11, 12};
	unsigned int n = 0;

	for (unsigned int type = 0; type < 256; type++) {
		n += plx_icmp_is_error(4, (uint8_t)type);
		eq(plx_icmp_is_error(6, (uint8_t)type), type < 128);
	}
	eq(n, PLX_DIM(errors4));
	for (size_t i = 0; i < PLX_DIM(errors4); i++)
		ok(plx_icmp_is_error(4, errors4[i]));
}

T(what_is_emitted_is_parsed)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(8));
	for (int i = 0; i < 1000; i++) {
		struct plx_icmp in, out;
		uint8_t b[PLX_ICMP_BYTES];

		plx_rng_bytes(&rng, &in, sizeof(in)); /* no padding inside, any value is valid */
		eq(plx_wire_icmp_emit(b, &in), PLX_ICMP_BYTES);
		eq(plx_wire_icmp_parse(&out, b, sizeof(b)), PLX_DROP_NONE);
		mem_eq(&in, &out, sizeof(in));
	}
}

RUN(T_(an_echo_request), T_(a_short_one), T_(errors_are_told_from_questions),
	T_(what_is_emitted_is_parsed))
