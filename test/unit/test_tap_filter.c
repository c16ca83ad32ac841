/* SPDX-License-Identifier: BSD-3-Clause */
#include "t_eal.h"

#include <pcap/pcap.h>

#include <plx_base_rng.h>
#include <plx_tap.h>

#include "tap_expr_t.h"
#include "tap_frames_t.h"

#define FRAMES 600
#define ROUNDS 3

static struct tf frames[FRAMES];

/* ---- mbufs ---- */

/* Not counted: it is not one of the account's. */
static struct rte_mbuf *whole(const uint8_t *b, uint16_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(t_pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, n), b, n);
	return m;
}

/* Cut at random into segments, some of which are of no or a few bytes. */
static struct rte_mbuf *chain(struct plx_rng *r, const struct tf *f)
{
	struct rte_mbuf *m = NULL;
	uint16_t at = 0;

	while (at < f->n || !m) {
		uint64_t want = plx_rng_below(r, plx_rng_below(r, 2) ? 40 : 4);
		uint16_t n = (uint16_t)PLX_MIN(want, (uint64_t)(f->n - at));
		struct rte_mbuf *seg = whole(f->b + at, n);

		if (!m)
			m = seg;
		else
			eq(rte_pktmbuf_chain(m, seg), 0);
		at = (uint16_t)(at + n);
	}
	return m;
}

/* The outermost tags beside the frame, as a device leaves it that takes them off. */
static struct rte_mbuf *stripped(const struct tf *f, bool chained, bool out)
{
	uint16_t tags = 1, tpid = f->n >= 18 ? plx_get_be16(f->b + 12) : 0, left;
	struct rte_mbuf *m;

	if (tpid == 0x88a8 && f->n >= 22 && plx_get_be16(f->b + 16) == 0x8100)
		tags = 2;
	else if (tpid != 0x8100)
		return NULL;
	left = (uint16_t)(f->n - 12 - 4 * tags);
	if (chained) {
		m = whole(f->b, 7);
		eq(rte_pktmbuf_chain(m, whole(f->b + 7, 5)), 0);
		eq(rte_pktmbuf_chain(m, whole(f->b + 12 + 4 * tags, left)), 0);
	} else {
		m = whole(f->b, 12);
		memcpy(rte_pktmbuf_append(m, left), f->b + 12 + 4 * tags, left);
	}
	m->vlan_tci = plx_get_be16(f->b + 14 + 4 * (tags - 1));
	m->vlan_tci_outer = plx_get_be16(f->b + 14);
	if (out)
		m->ol_flags |= RTE_MBUF_F_TX_VLAN | (tags == 2 ? RTE_MBUF_F_TX_QINQ : 0);
	else
		m->ol_flags |=
			RTE_MBUF_F_RX_VLAN_STRIPPED | (tags == 2 ? RTE_MBUF_F_RX_QINQ_STRIPPED : 0);
	return m;
}

/* ---- the same as libpcap ---- */

struct forms {
	struct rte_mbuf *m[4];
};
static struct forms forms[FRAMES];

static void make_forms(struct plx_rng *r)
{
	for (int i = 0; i < FRAMES; i++) {
		forms[i].m[0] = whole(frames[i].b, frames[i].n);
		forms[i].m[1] = i % 3 == 0 ? chain(r, &frames[i]) : NULL;
		forms[i].m[2] = stripped(&frames[i], false, i & 1);
		forms[i].m[3] = i % 8 < 2 ? stripped(&frames[i], true, i & 1) : NULL;
	}
}

static void free_forms(void)
{
	for (int i = 0; i < FRAMES; i++)
		for (int k = 0; k < 4; k++)
			rte_pktmbuf_free(forms[i].m[k]);
}

static bool libpcap_says(struct bpf_program *p, const struct tf *f)
{
	struct pcap_pkthdr h = {.caplen = f->n, .len = f->n};

	return pcap_offline_filter(p, &h, f->b) != 0;
}

/* libpcap itself does not know directions of what it reads: a word that it has stands for each. */
static char *for_libpcap(const char *expr, bool out)
{
	char *s = strdup(expr), *at;

	while ((at = strstr(s, "inbound")))
		memcpy(at, out ? "(0>len)" : "(0<len)", 7);
	while ((at = strstr(s, "outbound")))
		memcpy(at, out ? "(0<len) " : "(0>len) ", 8);
	return s;
}

static unsigned int differ(const char *expr, int dlt, const struct plx_tap_filter *f, bool out)
{
	pcap_t *h = pcap_open_dead(dlt, 262144);
	char *ours = for_libpcap(expr, out);
	struct bpf_program p;
	unsigned int wanted = 0;

	if (pcap_compile(h, &p, ours, 1, PCAP_NETMASK_UNKNOWN) != 0)
		fail_msg("'%s': %s", ours, pcap_geterr(h));
	for (int i = 0; i < FRAMES; i++) {
		bool want = libpcap_says(&p, &frames[i]);

		wanted += want;
		for (int k = 0; k < 4; k++)
			if (forms[i].m[k] && plx_tap_filter_run(f, forms[i].m[k], out) != want)
				fail_msg("'%s' of frame %d, form %d, %s: libpcap says %d", expr, i,
					k, out ? "out" : "in", want);
	}
	pcap_freecode(&p);
	pcap_close(h);
	free(ours);
	return wanted;
}

static void compare(enum plx_tap_link link, int dlt, unsigned int *usable, unsigned int *telling)
{
	for (size_t i = 0; i < PLX_DIM(tap_expr); i++) {
		struct plx_tap_filter_error e;
		struct plx_tap_filter *f = plx_tap_filter_compile(tap_expr[i], link, &e);
		unsigned int wanted;

		if (!f) { /* then not by libpcap either, see those that are refused */
			if (link == PLX_TAP_LINK_ETHER)
				fail_msg("'%s': %s", tap_expr[i], e.text);
			continue;
		}
		wanted = differ(tap_expr[i], dlt, f, false);
		differ(tap_expr[i], dlt, f, true);
		++*usable;
		*telling += wanted && wanted < FRAMES;
		plx_tap_filter_free(f);
	}
}

T(verdicts_are_those_of_libpcap)
{
	unsigned int usable = 0, telling = 0;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(1));
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < FRAMES; i++)
			tf_frame(&frames[i], &r);
		make_forms(&r);
		usable = telling = 0;
		compare(PLX_TAP_LINK_ETHER, DLT_EN10MB, &usable, &telling);
		free_forms();
	}
	print_message("%u expressions, %u of them tell frames apart\n", usable, telling);
	ok(usable >= 200 && telling >= 180);
}

T(verdicts_on_bare_packets)
{
	unsigned int usable = 0, telling = 0;
	struct plx_rng r;

	plx_rng_init(&r, t_seed(2));
	for (int i = 0; i < FRAMES; i++)
		tf_packet(&frames[i], &r);
	for (int i = 0; i < FRAMES; i++) {
		forms[i] = (struct forms){{whole(frames[i].b, frames[i].n)}};
		forms[i].m[1] = i % 2 ? chain(&r, &frames[i]) : NULL;
	}
	compare(PLX_TAP_LINK_IP, DLT_RAW, &usable, &telling);
	free_forms();
	print_message("%u expressions, %u of them tell packets apart\n", usable, telling);
	ok(usable >= 100 && telling >= 90);
}

/* ---- what cannot be used ---- */

static const struct {
	const char *expr;
	uint32_t column;
	const char *why;
} refused[] = {
	{"tcp prot 80", 5, "syntax error"},
	{"tcp and and udp", 9, "syntax error"},
	{"tcp && (udp || )", 16, "syntax error"},
	{"tcp && foo bar", 8, "syntax error"},
	{"(tcp", 0, "syntax error"},
	{"host", 0, "syntax error"},
	{"tcp)", 4, "syntax error"},
	{"tcp port 80 or @", 16, "syntax error"},
	{"tcp port 80 or 99999999999 or ip", 16, "overflows"},
	{"tcp port 80000", 10, "80000"},
	{"tcp and port 99999 and udp", 14, "99999"},
	{"net 10.0.0.1/8", 14, "non-network bits"},
	{"ether host 1:2:3", 12, ""},
	{"tcp and ifindex 3", 17, "only Linux"},
	{"tcp[3000000000:9] = 1", 17, "data size must be"},
	{"ip and ip6 protochain 6", 23, "a loop"},
	{"port 80 and wlan type data", 0, ""},
};

T(refusals_say_why_and_where)
{
	for (size_t i = 0; i < PLX_DIM(refused); i++) {
		struct plx_tap_filter_error e = {.column = 999};

		assert_null(plx_tap_filter_compile(refused[i].expr, PLX_TAP_LINK_ETHER, &e));
		print_message("'%s': %s\n", refused[i].expr, e.text);
		assert_non_null(strstr(e.text, refused[i].why));
		assert_null(strchr(e.text, '\n'));
		if (*refused[i].why)
			eq(e.column, refused[i].column);
	}
	assert_null(plx_tap_filter_compile("tcp prot 80", PLX_TAP_LINK_ETHER, NULL));
	assert_null(plx_tap_filter_compile("ether host 02:00:00:00:00:01", PLX_TAP_LINK_IP, NULL));
}

/* ---- memory ---- */

static unsigned int mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

T(programs_leave_nothing_behind)
{
	unsigned int before;

	plx_tap_filter_free(NULL);
	plx_tap_filter_free(plx_tap_filter_compile("outbound", PLX_TAP_LINK_ETHER, NULL));
	before = mappings();
	for (int i = 0; i < 300; i++) {
		struct plx_tap_filter *f =
			plx_tap_filter_compile("inbound and tcp", PLX_TAP_LINK_ETHER, NULL);

		assert_non_null(f);
#ifdef RTE_ARCH_X86_64
		ok(plx_tap_filter_jitted(f));
#endif
		plx_tap_filter_free(f);
	}
	ok(mappings() <= before + 10);
}

/* What an expression computes must not lead out of the packet: 4 GB away, or before it. */
T(far_offsets_are_no_reads)
{
	static const char *const far[] = {"ether[0xfffffffe:4] = 0 or ip", "ether[0xfffff:4] = 0",
		"ether[ether[0:4]:4] = 0", "ether[ether[0:4] + 1] = 0",
		"ether[0 - ether[4:2]] = 0"};
	uint8_t b[64] = {0xff, 0xff, 0xff, 0xfd, 0, 1};
	struct rte_mbuf *m = whole(b, sizeof(b));

	for (size_t i = 0; i < PLX_DIM(far); i++) {
		struct plx_tap_filter *f = plx_tap_filter_compile(far[i], PLX_TAP_LINK_ETHER, NULL);

		assert_non_null(f);
		ok(!plx_tap_filter_run(f, m, false));
		plx_tap_filter_free(f);
	}
	rte_pktmbuf_free(m);
}

RUN_EAL(T_EAL_(verdicts_are_those_of_libpcap), T_EAL_(verdicts_on_bare_packets),
	T_EAL_(refusals_say_why_and_where), T_EAL_(programs_leave_nothing_behind),
	T_EAL_(far_offsets_are_no_reads))
