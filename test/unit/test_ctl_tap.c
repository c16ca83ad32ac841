/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <plx_wire.h>

#include "tap.h"

static char complaint[256];

void ctl_complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(complaint, sizeof(complaint), format, ap);
	va_end(ap);
}

/* ---- a packet in a line ---- */

static uint8_t b[128];
static struct plx_pcapng_pkt pkt;

static const char *line(struct line_about about)
{
	static char buf[LINE_BYTES];

	about.no_time = true;
	pkt.data = b;
	return line_format(buf, &pkt, &about);
}

static struct plx_addr addr(const char *text)
{
	struct plx_addr a;

	eq(plx_addr_parse(&a, text), 0);
	return a;
}

/* An IP header behind an Ethernet one, of 10.9.0.1 or fd00::1. @return where the rest goes. */
static uint8_t *ip(uint8_t version, uint8_t proto, uint16_t l4_bytes)
{
	const struct plx_eth eth = {
		.dst = {.b = {2, 0, 0, 0, 0, 1}},
		.src = {.b = {2, 0, 0, 0, 0, 2}},
		.type = version == 4 ? PLX_ETHERTYPE_IP4 : PLX_ETHERTYPE_IP6,
	};
	const struct plx_ip h = {
		.src = addr(version == 4 ? "10.9.0.1" : "fd00::1"),
		.dst = addr(version == 4 ? "10.9.0.2" : "fd00::2"),
		.hdr_bytes = version == 4 ? 20 : 40,
		.l4_bytes = l4_bytes,
		.version = version,
		.ttl = 64,
		.proto = proto,
	};
	uint8_t *p = b;

	memset(b, 0, sizeof(b));
	p += plx_wire_eth_emit(p, &eth);
	p += version == 4 ? plx_wire_ip4_emit(p, &h) : plx_wire_ip6_emit(p, &h);
	pkt = (struct plx_pcapng_pkt){.len = (uint32_t)(p - b) + l4_bytes};
	pkt.caplen = pkt.len;
	return p;
}

static void udp(uint8_t version, uint16_t payload)
{
	const struct plx_udp u = {.sport = 1024, .dport = 7, .len = (uint16_t)(8 + payload)};

	plx_wire_udp_emit(ip(version, PLX_IPPROTO_UDP, (uint16_t)(8 + payload)), &u);
}

T(udp_and_where_it_was_seen)
{
	udp(4, 4);
	str_eq(line((struct line_about){0}), "10.9.0.1:1024 > 10.9.0.2:7 udp len 4");
	str_eq(line((struct line_about){.macs = true}),
		"02:00:00:00:00:02 > 02:00:00:00:00:01 10.9.0.1:1024 > 10.9.0.2:7 udp len 4");
	pkt.has = PLX_PCAPNG_META;
	pkt.meta.hook = PLX_PCAPNG_HOOK_RX_GRO;
	str_eq(line((struct line_about){.port = "tap"}),
		"rx-gro tap 10.9.0.1:1024 > 10.9.0.2:7 udp len 4");
	udp(6, 0);
	str_eq(line((struct line_about){0}), "[fd00::1]:1024 > [fd00::2]:7 udp len 0");
}

T(a_drop_has_its_reason)
{
	udp(4, 4);
	pkt.has = PLX_PCAPNG_META;
	pkt.meta.hook = PLX_PCAPNG_HOOK_DROP;
	pkt.meta.reason = 77;
	str_eq(line((struct line_about){0}), "drop 10.9.0.1:1024 > 10.9.0.2:7 udp len 4 drop 77");
	pkt.comment = plx_pcapng_text("UDP_NO_PORT: no socket\non this port");
	str_eq(line((struct line_about){.port = "v"}),
		"drop v 10.9.0.1:1024 > 10.9.0.2:7 udp len 4 drop UDP_NO_PORT: no socket?on this "
		"port");
}

T(tcp_has_flags)
{
	struct plx_tcp_hdr t = {.sport = 80,
		.dport = 4000,
		.seq = 5,
		.ack = 9,
		.win = 100,
		.flags = PLX_TCP_SYN | PLX_TCP_ACK,
		.hdr_bytes = 20};

	plx_wire_tcp_emit(ip(4, PLX_IPPROTO_TCP, 30), &t);
	str_eq(line((struct line_about){0}),
		"10.9.0.1:80 > 10.9.0.2:4000 tcp [S.] seq 5 ack 9 win 100 len 10");
	t.flags = 0;
	plx_wire_tcp_emit(ip(4, PLX_IPPROTO_TCP, 20), &t);
	str_eq(line((struct line_about){0}),
		"10.9.0.1:80 > 10.9.0.2:4000 tcp [none] seq 5 win 100 len 0");
	t.hdr_bytes = 60; /* more than there is */
	plx_wire_tcp_emit(ip(4, PLX_IPPROTO_TCP, 20), &t);
	str_eq(line((struct line_about){0}), "10.9.0.1 > 10.9.0.2 tcp, header broken");
}

T(icmp_arp_and_others)
{
	struct plx_icmp i = {.type = 8, .rest = 3 << 16 | 1};
	struct plx_arp a = {.op = PLX_ARP_REQUEST,
		.spa = addr("10.9.0.1"),
		.tpa = addr("10.9.0.2"),
		.sha = {.b = {2, 0, 0, 0, 0, 2}}};

	plx_wire_icmp_emit(ip(4, PLX_IPPROTO_ICMP, 64), &i);
	str_eq(line((struct line_about){0}),
		"10.9.0.1 > 10.9.0.2 icmp echo request id 3 seq 1 len 64");
	i.type = 3;
	i.code = 1;
	plx_wire_icmp_emit(ip(6, PLX_IPPROTO_ICMP6, 64), &i);
	str_eq(line((struct line_about){0}), "fd00::1 > fd00::2 icmp6 type 3 code 1 len 64");
	ip(4, PLX_IPPROTO_GRE, 24);
	str_eq(line((struct line_about){0}), "10.9.0.1 > 10.9.0.2 proto 47 len 24");
	plx_put_be16(b + 12, PLX_ETHERTYPE_ARP);
	plx_wire_arp_emit(b + 14, &a);
	pkt.len = pkt.caplen = 42;
	str_eq(line((struct line_about){0}), "arp who-has 10.9.0.2 tell 10.9.0.1 len 28");
	a.op = PLX_ARP_REPLY;
	plx_wire_arp_emit(b + 14, &a);
	str_eq(line((struct line_about){0}), "arp 10.9.0.1 is-at 02:00:00:00:00:02 len 28");
	plx_put_be16(b + 12, 0x88cc);
	str_eq(line((struct line_about){0}),
		"02:00:00:00:00:02 > 02:00:00:00:00:01 type 0x88cc len 28");
}

T(what_is_broken_is_said)
{
	udp(4, 4);
	pkt.len = pkt.caplen = 13;
	str_eq(line((struct line_about){0}), "ethernet, header broken, len 13");
	pkt.len = pkt.caplen = 20;
	ok(strncmp(line((struct line_about){0}), "ip, ", 4) == 0);
	udp(4, 4);
	b[20] ^= 1; /* the checksum is wrong now */
	ok(strncmp(line((struct line_about){0}), "ip, ", 4) == 0);
	memmove(b, b + 14, sizeof(b) - 14); /* a bare one */
	b[6] ^= 1;
	pkt.len = pkt.caplen -= 14;
	str_eq(line((struct line_about){.bare = true}), "10.9.0.1:1024 > 10.9.0.2:7 udp len 4");
}

/* Of a long packet a few bytes were kept: the headers still say it all. */
T(a_packet_that_was_cut)
{
	udp(4, 60);
	pkt.caplen = 42;
	memset(b + 42, 0xff, sizeof(b) - 42); /* not to be looked at */
	str_eq(line((struct line_about){0}), "10.9.0.1:1024 > 10.9.0.2:7 udp len 60");
	pkt.caplen = 0;
	str_eq(line((struct line_about){.macs = true}),
		"00:00:00:00:00:00 > 00:00:00:00:00:00 type 0x0000 len 88");
}

T(times_are_local)
{
	char buf[LINE_BYTES];

	setenv("TZ", "UTC0", 1);
	tzset();
	udp(4, 4);
	pkt.data = b;
	pkt.ts_ns = PLX_SEC(1700000000) + 123456789;
	str_eq(line_format(buf, &pkt, &(struct line_about){0}),
		"22:13:20.123456 10.9.0.1:1024 > 10.9.0.2:7 udp len 4");
}

/* Whatever the bytes are, what is said of them fits, and is one line of ASCII. */
T(any_bytes_make_a_line)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(1));
	for (int n = 0; n < 200000; n++) {
		struct line_about about = {.bare = n & 1, .macs = n & 2, .port = "p"};
		uint32_t len = (uint32_t)plx_rng_below(&rng, sizeof(b) + 1);
		const char *text;

		udp(n & 4 ? 4 : 6, 20);
		for (int i = 0; i < 8; i++)
			b[plx_rng_below(&rng, sizeof(b))] = (uint8_t)plx_rng_below(&rng, 256);
		pkt.caplen = len;
		pkt.len = n & 8 ? len : len + (uint32_t)plx_rng_below(&rng, 70000);
		text = line(about);
		for (; *text; text++)
			ok(*text >= ' ' && *text < 0x7f);
	}
}

/* ---- a file as it comes ---- */

T(a_file_is_printed_as_it_comes)
{
	const struct plx_pcapng_section s = {.app = plx_pcapng_text("test")};
	const struct plx_pcapng_iface i = {
		.link = PLX_PCAPNG_LINK_ETHERNET, .name = plx_pcapng_text("v")};
	const struct line_about about = {.no_time = true};
	static uint8_t file[4096];
	const volatile int go_on = 0;
	size_t n = 0, one;
	int fd[2];

	udp(4, 4);
	pkt.data = b;
	n += plx_pcapng_section_put(file + n, sizeof(file) - n, &s);
	n += plx_pcapng_iface_put(file + n, sizeof(file) - n, &i);
	one = plx_pcapng_pkt_put(file + n, sizeof(file) - n, &pkt);
	n += one;
	n += plx_pcapng_pkt_put(file + n, sizeof(file) - n, &pkt);
	for (size_t cut = 0; cut <= one; cut += one) { /* one whole; one in its middle */
		eq(pipe(fd), 0);
		eq(write(fd[1], file, n - cut / 2), (ssize_t)(n - cut / 2));
		close(fd[1]);
		eq(line_print_all(fd[0], &about, 0, &go_on), cut ? 1 : 2);
		close(fd[0]);
	}
	eq(pipe(fd), 0); /* stays open: two, and no waiting for a third */
	eq(write(fd[1], file, n), (ssize_t)n);
	eq(line_print_all(fd[0], &about, 2, &go_on), 2);
	eq(write(fd[1], "no capture file at all, but text", 32), 32);
	eq(line_print_all(fd[0], &about, 2, &go_on), -22);
	ok(strstr(complaint, "at byte 0"));
	close(fd[0]);
	close(fd[1]);
}

/* ---- options ---- */

static const char *args(json_t *j)
{
	static char text[256];
	char *dump = json_dumps(j, JSON_COMPACT);

	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	json_decref(j);
	for (char *c = text; *c; c++)
		if (*c == '"')
			*c = '\'';
	return text;
}

T(options_become_arguments)
{
	json_t *j = json_object();

	eq(tap_option(j, 'c', "10"), 0);
	eq(tap_option(j, 's', "0"), 0);
	eq(tap_option(j, TAP_HOOK, "rx,tx"), 0);
	eq(tap_option(j, 'b', "files:2"), 0);
	eq(tap_option(j, 'z', "1"), 1);
	str_eq(args(j), "{'count':10,'snaplen':0,'hooks':'rx,tx','ring':'files:2'}");
}

T(numbers_that_are_none)
{
	static const char *const bad[] = {"", "x", "1x", " 1", "-1", "+1", "99999999999999999999"};
	json_t *j = json_object();

	for (size_t i = 0; i < PLX_DIM(bad); i++)
		ok(tap_option(j, 'c', bad[i]) < 0);
	ok(strstr(complaint, "count '99999999999999999999' is no number"));
	ok(tap_option(j, 'f', "\xff") < 0);
	ok(strstr(complaint, "UTF-8"));
	str_eq(args(j), "{}");
}

T(words_become_an_expression)
{
	char tcp[] = "tcp", port[] = "port", n[] = "80", *words[] = {tcp, port, n};
	static char much[4097];
	char *long_words[] = {much};
	json_t *j = json_object();

	eq(tap_expression(j, 0, NULL), 0);
	eq(tap_expression(j, 3, words), 0);
	ok(tap_expression(j, 3, words) < 0); /* another one */
	str_eq(args(j), "{'filter':'tcp port 80'}");
	memset(much, 'x', sizeof(much) - 1);
	j = json_object();
	ok(tap_expression(j, 1, long_words) < 0);
	str_eq(args(j), "{}");
}

RUN(T_(udp_and_where_it_was_seen), T_(a_drop_has_its_reason), T_(tcp_has_flags),
	T_(icmp_arp_and_others), T_(what_is_broken_is_said), T_(a_packet_that_was_cut),
	T_(times_are_local), T_(any_bytes_make_a_line), T_(a_file_is_printed_as_it_comes),
	T_(options_become_arguments), T_(numbers_that_are_none), T_(words_become_an_expression))
