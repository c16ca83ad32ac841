/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What people type as a capture filter: it is refused with a sentence of one line and a column
 * within the text, or its verdicts are libpcap's own, in both directions, of a frame in one piece
 * and of a chain.
 *
 * A byte of options, five sizes of segments, the frame's length, the frame; the rest is the text,
 * or, by an option, up to four expressions by their numbers and what is between them.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>

#include <pcap/pcap.h>

#include <plx_tap_filter.h>

#include "../unit/tap_expr_t.h"
#include "fenced.h"

#define BARE	  1 /* options */
#define NUMBERS	  2
#define TYPED_MAX 120 /* libpcap's optimizer takes its time */
#define TEXT_MAX  1000
#define DIRECTION 0xfffff004u
#define OUTGOING  4

/* Nobody is asked for the name of a host. */
int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	uint8_t addr[16];

	if (node && !inet_pton(AF_INET, node, addr) && !inet_pton(AF_INET6, node, addr))
		return EAI_NONAME;
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, res);
}

static void refused(const struct plx_tap_filter_error *e, size_t len)
{
	must(e->text[0] && strlen(e->text) < sizeof(e->text) && !strpbrk(e->text, "\n\r\t"));
	must(e->column <= len);
}

/* libpcap has no word for a direction but a load of Linux's. */
static void set_direction(struct bpf_program *p, bool out)
{
	for (u_int i = 0; i < p->bf_len; i++)
		if (p->bf_insns[i].code == (BPF_LD | BPF_H | BPF_ABS) &&
			p->bf_insns[i].k == DIRECTION)
			p->bf_insns[i] =
				(struct bpf_insn)BPF_STMT(BPF_LD | BPF_IMM, out ? OUTGOING : 0);
}

static void type(char *text, struct input *in)
{
	size_t n;
	const uint8_t *p = span(in, TYPED_MAX, &n);

	memcpy(text, p, n);
	text[n] = '\0';
}

/* Not (A) and (B) or (C) */
static void join(char *text, struct input *in)
{
	char *to = text;

	*to = '\0';
	for (int i = 0; i < 4 && in->left; i++) {
		const char *expr = tap_expr[u8(in) % PLX_DIM(tap_expr)];
		uint8_t how = u8(in);

		if (*expr)
			to += snprintf(to, (size_t)(text + TEXT_MAX - to), "%s%s(%s)",
				to == text  ? ""
				: (how & 1) ? " and "
					    : " or ",
				how & 2 ? "not " : "", expr);
		must(to < text + TEXT_MAX);
	}
}

struct question {
	const char *text;
	enum plx_tap_link link;
	bool out;
	const uint8_t *frame;
	size_t bytes;
	struct input cuts;
};

static bool libpcap_says(const struct question *q)
{
	pcap_t *h = pcap_open_dead(q->link == PLX_TAP_LINK_IP ? DLT_RAW : DLT_EN10MB, 262144);
	struct bpf_program p;
	bool yes;

	must(h && pcap_compile(h, &p, q->text, 1, PCAP_NETMASK_UNKNOWN) == 0);
	set_direction(&p, q->out);
	yes = bpf_filter(p.bf_insns, q->frame, (u_int)q->bytes, (u_int)q->bytes) != 0;
	pcap_freecode(&p);
	pcap_close(h);
	return yes;
}

static void ask(const struct plx_tap_filter *f, const struct question *q)
{
	struct input cuts = q->cuts;
	bool yes = libpcap_says(q);

	must(plx_tap_filter_run(f, fenced_whole(q->frame, q->bytes, true), q->out) == yes);
	must(plx_tap_filter_run(f, fenced_whole(q->frame, q->bytes, false), q->out) == yes);
	must(plx_tap_filter_run(f, fenced_chain(&cuts, q->frame, q->bytes), q->out) == yes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t how = u8(&in);
	struct question q = {.link = how & BARE ? PLX_TAP_LINK_IP : PLX_TAP_LINK_ETHER};
	struct plx_tap_filter_error e = {.column = UINT32_MAX};
	struct plx_tap_filter *f;
	char text[TEXT_MAX];

	fenced_init();
	q.cuts.p = span(&in, FENCED_SEGS - 1, &q.cuts.left);
	q.frame = span(&in, u8(&in), &q.bytes);
	if (how & NUMBERS)
		join(text, &in);
	else
		type(text, &in);
	q.text = text;
	f = plx_tap_filter_compile(text, q.link, &e);
	if (!f) {
		refused(&e, strlen(text));
		return 0;
	}
	ask(f, &q);
	q.out = true;
	ask(f, &q);
	plx_tap_filter_free(f);
	return 0;
}
