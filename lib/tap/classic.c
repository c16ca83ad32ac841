/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcap/pcap.h>

/*
 * An expression to a program of classic BPF, by libpcap, which says what is wrong but not where.
 * Where it is follows from how it reads: word by word, and no further than to the first that cannot
 * be. So the beginning of the expression up to a word is tried, with a word behind it that no
 * expression has: if the complaint is of that one, all before it was fine.
 */

#define SYNTAX	"syntax error"
#define SNAP	262144 /* what an accepting program returns; not looked at */
#define NO_WORD " 987654321987654"

static_assert(sizeof(struct plx_bpf_insn) == sizeof(struct bpf_insn), "libpcap's layout");

static bool is_linux_only(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_LD && BPF_MODE(i->code) == BPF_ABS && i->k >= TAP_AD_OFF &&
	       i->k < TAP_AD_OFF + 64 && i->k != TAP_AD_PKTTYPE;
}

static bool jumps_back(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_JA) && (int32_t)i->k < 0;
}

/* What libpcap makes for Linux's sockets, or for itself. @return NULL: all can be had */
static const char *missing(const struct bpf_program *p)
{
	for (unsigned int i = 0; i < p->bf_len; i++) {
		if (is_linux_only(&p->bf_insns[i]))
			return "asks for what only Linux's kernel knows of a packet";
		if (jumps_back(&p->bf_insns[i])) /* as Linux has it: an lcore has no time for it */
			return "needs a loop (protochain)";
	}
	return NULL;
}

/* @return whether it compiles; if not, why. */
static bool try(const char *expr, enum plx_tap_link link, struct bpf_program *p, char *why)
{
	pcap_t *h = pcap_open_dead(link == PLX_TAP_LINK_ETHER ? DLT_EN10MB : DLT_RAW, SNAP);
	const char *lack;
	bool ok;

	if (!h) {
		snprintf(why, PCAP_ERRBUF_SIZE, "no memory");
		return false;
	}
	ok = pcap_compile(h, p, expr, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!ok)
		snprintf(why, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(h));
	pcap_close(h);
	if (!ok)
		return false;
	lack = missing(p);
	if (!lack)
		return true;
	snprintf(why, PCAP_ERRBUF_SIZE, "%s", lack);
	pcap_freecode(p);
	return false;
}

/* ---- where it is wrong ---- */

static bool in_word(char c)
{
	return c && !strchr(" \t\n()[]!&|<>=+*/%^", c);
}

static bool is_pair(const char *s)
{
	return s[1] && (s[1] == '=' || s[1] == s[0]) && strchr("&|<>=!", s[0]);
}

/* @return behind the word (or sign) that begins at s. */
static const char *word_end(const char *s)
{
	if (!in_word(*s))
		return s + 1 + is_pair(s);
	while (in_word(*s))
		s++;
	return s;
}

/* With these bytes alone it is wrong for the same reason, which is none of how they read. */
static bool is_bad_itself(const char *part, enum plx_tap_link link, const char *why)
{
	char found[PCAP_ERRBUF_SIZE];
	struct bpf_program p;

	if (strstr(why, SYNTAX))
		return false;
	if (!try(part, link, &p, found))
		return strcmp(found, why) == 0;
	pcap_freecode(&p);
	return false;
}

/* Does the reason show within the first len bytes? */
static bool fails_within(const char *expr, size_t len, enum plx_tap_link link, const char *why)
{
	char found[PCAP_ERRBUF_SIZE];
	struct bpf_program p;
	char *part;
	bool bad;

	if (asprintf(&part, "%.*s" NO_WORD, (int)len, expr) < 0)
		return false;
	bad = !try(part, link, &p, found) && strcmp(found, why) == 0;
	if (!bad) {
		part[len] = '\0';
		bad = is_bad_itself(part, link, why);
	}
	free(part);
	return bad;
}

static void say(
	struct plx_tap_filter_error *e, const char *expr, enum plx_tap_link link, const char *why)
{
	const char *s = expr + strspn(expr, " \t\n"), *end = s;

	if (!e)
		return;
	while (*s) {
		end = word_end(s);
		if (fails_within(expr, (size_t)(end - expr), link, why))
			break;
		s = end + strspn(end, " \t\n");
	}
	e->column = *s ? (uint32_t)(s - expr) + 1 : 0;
	if (*s)
		snprintf(e->text, sizeof(e->text), "%s at column %u, '%.*s'", why, e->column,
			(int)PLX_MIN(end - s, 64), s);
	else
		snprintf(e->text, sizeof(e->text), "%s at its end", why);
	for (char *c = e->text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
}

int tap__classic_compile(struct tap_classic *c, const char *expr, enum plx_tap_link link,
	struct plx_tap_filter_error *e)
{
	char why[PCAP_ERRBUF_SIZE];
	struct bpf_program p;

	if (!try(expr, link, &p, why)) {
		say(e, expr, link, why);
		return -EINVAL;
	}
	c->n = p.bf_len;
	c->insns = malloc(p.bf_len * sizeof(*c->insns));
	if (c->insns)
		memcpy(c->insns, p.bf_insns, p.bf_len * sizeof(*c->insns));
	pcap_freecode(&p);
	if (!c->insns && e)
		*e = (struct plx_tap_filter_error){.text = "no memory for its program"};
	return c->insns ? 0 : -ENOMEM;
}
