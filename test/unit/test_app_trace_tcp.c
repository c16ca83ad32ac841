/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <netinet/tcp.h>
#include <string.h>

#include <plx_wire.h>

#include "../../app/trace_tcp.h"

static struct trace_syn syn_of(const char *src, const char *dst)
{
	struct trace_syn s = {.sport = 40000, .dport = 80, .seq = 0xfffffffe};

	eq(plx_addr_parse(&s.src, src), 0);
	eq(plx_addr_parse(&s.dst, dst), 0);
	return s;
}

T(a_syn_is_one)
{
	static const char *const ends[][2] = {{"10.9.0.1", "10.8.0.1"}, {"fd00::1", "fd01::2"}};

	for (int i = 0; i < 2; i++) {
		struct trace_syn s = syn_of(ends[i][0], ends[i][1]);
		uint8_t p[TRACE_SYN + 3] = {[TRACE_SYN] = 'a', 'b', 'c'};
		struct plx_tcp_opts opts = {0};
		struct plx_tcp_hdr h;

		s.data = 3;
		trace_syn_put(&s, p);
		eq(plx_cksum_finish(plx_cksum_add(
			   plx_cksum_pseudo(&s.src, &s.dst, 6, sizeof(p)), p, sizeof(p))),
			0);
		eq(plx_wire_tcp_parse(&h, p, sizeof(p)), PLX_DROP_NONE);
		eq(h.hdr_bytes, TRACE_SYN);
		eq(h.flags, PLX_TCP_SYN);
		eq(h.sport, 40000);
		eq(h.dport, 80);
		eq(h.seq, 0xfffffffe);
		eq(plx_wire_tcp_opts_parse(
			   &opts, p + PLX_TCP_BYTES, TRACE_SYN - PLX_TCP_BYTES, true),
			PLX_DROP_NONE);
		eq(opts.mss, 1460);
		eq(trace_syn_quoted(&s, 1, p), 0);
	}
}

static uint32_t data; /* of each */

/* An answer from port 80, and what is made of it when 10 SYNs are under way. */
static int answered(uint16_t dport, uint32_t ack, uint8_t flags, size_t bytes)
{
	struct trace_syn s = syn_of("10.9.0.1", "10.8.0.1");
	uint8_t p[20] = {0};

	s.data = data;
	plx_put_be16(p, 80);
	plx_put_be16(p + 2, dport);
	plx_put_be32(p + 8, ack);
	p[12] = 5 << 4;
	p[13] = flags;
	return trace_syn_answered(&s, 10, p, bytes);
}

T(an_answer_is_to_one_of_the_syns)
{
	eq(answered(40000, 0xffffffff, TH_SYN | TH_ACK, 20), 0);
	eq(answered(40009, 0xffffffff, TH_RST | TH_ACK, 20), 9);
	eq(answered(40010, 0xffffffff, TH_RST | TH_ACK, 20), -1); /* not sent yet */
	eq(answered(39999, 0xffffffff, TH_RST | TH_ACK, 20), -1);
	eq(answered(40000, 0xfffffffe, TH_RST | TH_ACK, 20), -1);
	eq(answered(40000, 0xffffffff, TH_ACK, 20), -1);
	eq(answered(40000, 0xffffffff, TH_SYN, 20), -1);
	eq(answered(40000, 0xffffffff, TH_SYN | TH_ACK, 19), -1);
}

/* A host without the port acknowledges all of it, one that listens the SYN alone, or more. */
T(an_answer_may_acknowledge_data)
{
	data = 140;
	eq(answered(40000, 0xffffffff + 140u, TH_RST | TH_ACK, 20), 0);
	eq(answered(40001, 0xffffffff, TH_SYN | TH_ACK, 20), 1);
	eq(answered(40002, 0xffffffff + 100u, TH_SYN | TH_ACK, 20), 2);
	eq(answered(40000, 0xffffffff + 141u, TH_RST | TH_ACK, 20), -1);
	eq(answered(40000, 0xfffffffe, TH_RST | TH_ACK, 20), -1);
	data = 0;
	eq(answered(40000, 0, TH_RST | TH_ACK, 20), -1);
}

T(an_error_quotes_one_of_the_syns)
{
	struct trace_syn s = syn_of("10.9.0.1", "10.8.0.1"), other = s;
	uint8_t p[TRACE_SYN];

	other.sport += 7;
	trace_syn_put(&other, p);
	eq(trace_syn_quoted(&s, 10, p), 7);
	eq(trace_syn_quoted(&s, 7, p), -1);
	plx_put_be16(p + 2, 81);
	eq(trace_syn_quoted(&s, 10, p), -1);
	plx_put_be16(p + 2, 80);
	plx_put_be32(p + 4, 0);
	eq(trace_syn_quoted(&s, 10, p), -1);
}

RUN(T_(a_syn_is_one), T_(an_answer_is_to_one_of_the_syns), T_(an_answer_may_acknowledge_data),
	T_(an_error_quotes_one_of_the_syns))
