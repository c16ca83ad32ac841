/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

T(answers_ping)
{
	nt_simple();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 ttl 3 tos 8 icmp echo-request rest 65537 len 56");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 8 icmp echo-reply len 56");
	eq(plx_get_be32(nt.last + 24), 65537);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 56");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 56");
	nt_none();
	nt_no_drop();
	eq(nt_stat(PLX_STAT_ICMP_OUTECHOREPS), 1);
	eq(nt_stat(PLX_STAT_ICMP6_INECHOS), 1);
}

T(answers_ping_of_every_form)
{
	nt_simple();
	for (uint32_t seg = 14; seg < 100; seg++) {
		nt_in_chained(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 41", seg);
		nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp echo-reply len 41");
		nt_in_chained(0, "ip 2001:db8::1 > 2001:db8::2 icmp echo-request len 41", seg);
		nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 41");
	}
	nt_no_drop();
}

/* Asked by a group, it answers from an address of its own, with the right checksum. */
T(answers_ping_to_all_nodes)
{
	nt_simple();
	nt_in(0, "ip 2001:db8::1 > ff02::1 icmp echo-request len 4");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp echo-reply len 4");
	nt_in(0, "ip 10.0.0.1 > 224.0.0.1 icmp echo-request len 4");
	nt_drop(PLX_DROP_ICMP_ECHO_IGNORED);
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 icmp echo-request len 4");
	nt_drop(PLX_DROP_ICMP_ECHO_IGNORED);
	nt_none();
	nt_tun(PLX_TUN_ICMP_ECHO_IGNORE_BROADCASTS, 0);
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 icmp echo-request len 4");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp echo-reply len 4");
	nt_tun(PLX_TUN_ICMP_ECHO_IGNORE_ALL, 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 4");
	nt_drop(PLX_DROP_ICMP_ECHO_IGNORED);
	nt_none();
}

T(answers_what_time_it_is)
{
	uint8_t asked[12];

	nt_simple();
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 icmp timestamp rest 65537 len 12");
	memcpy(asked, nt.in.b + 14 + 28, sizeof(asked));
	nt_feed(0);
	nt_run();
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp timestamp-reply len 12");
	eq(plx_get_be32(nt.last + 24), 65537);
	ok(!memcmp(nt.last + 28, asked, 4));
	/* ms, not of midnight's */
	eq(plx_get_be32(nt.last + 32), UINT32_C(1) << 31 | (uint32_t)(nt.now / PLX_MS(1)));
	eq(plx_get_be32(nt.last + 36), plx_get_be32(nt.last + 32));
	for (uint32_t seg = 14; seg < 60; seg++) { /* what is behind it does not come back */
		nt_in_chained(0, "ip 10.0.0.1 > 10.0.0.2 icmp timestamp len 41", seg);
		nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp timestamp-reply len 12");
	}
	eq(nt_stat(PLX_STAT_ICMP_INTIMESTAMPS), 47);
	eq(nt_stat(PLX_STAT_ICMP_OUTTIMESTAMPREPS), 47);
	eq(nt_stat(PLX_STAT_ICMP_OUTECHOREPS), 0);
	nt_no_drop();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp timestamp len 11");
	nt_drop(PLX_DROP_ICMP_SHORT);
	eq(nt_stat(PLX_STAT_ICMP_INERRORS), 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp timestamp-reply len 12");
	nt_drop(PLX_DROP_ICMP_TYPE);
	eq(nt_stat(PLX_STAT_ICMP_INTIMESTAMPREPS), 1);
	nt_in(0, "ip 10.0.0.1 > 224.0.0.1 icmp timestamp len 12");
	nt_drop(PLX_DROP_ICMP_ECHO_IGNORED);
	nt_tun(PLX_TUN_ICMP_ECHO_IGNORE_ALL, 1); /* that is about echo */
	nt_tun(PLX_TUN_ICMP_ECHO_IGNORE_BROADCASTS, 0);
	nt_in(0, "ip 10.0.0.1 > 224.0.0.1 icmp timestamp len 12");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 icmp timestamp-reply len 12");
	nt_none();
	nt_no_drop();
}

T(malformed)
{
	nt_simple();
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 icmp echo-request len 4");
	nt.in.b[36] ^= 1;
	nt_feed(0);
	nt_run();
	nt_drop(PLX_DROP_ICMP_CHECKSUM);
	eq(nt_stat(PLX_STAT_ICMP_INCSUMERRORS), 1);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 1 len 7");
	nt_drop(PLX_DROP_ICMP_SHORT);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp 17 len 12");
	nt_drop(PLX_DROP_ICMP_TYPE);
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 icmp redirect 1 len 28");
	nt_drop(PLX_DROP_ICMP_REDIRECT);
	nt_none();
}

/* RFC 1122 3.2.2, RFC 4443 2.4 e: what no error is sent about. */
T(no_errors_about_these)
{
	nt_simple();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 proto 99 len 8");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 2 quote 28");
	nt_drop(PLX_DROP_IP_NO_PROTO);
	nt_in(0, "ip 10.0.0.1 > 224.0.0.1 proto 99 len 8");
	nt_drop(PLX_DROP_IP_NO_PROTO);
	nt_in(0, "ip 10.0.0.1 > 255.255.255.255 proto 99 len 8");
	nt_drop(PLX_DROP_IP_NO_PROTO);
	nt_in(0, "to ff:ff:ff:ff:ff:ff ip 10.0.0.1 > 10.0.0.2 proto 99 len 8");
	nt_drop(PLX_DROP_IP4_BCAST_LINK);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 proto 99 len 8");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp param 1 rest 6 quote 48");
	nt_drop(PLX_DROP_IP_NO_PROTO);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 proto 59 len 8"); /* no next header */
	nt_drop(PLX_DROP_IP_NO_PROTO);
	nt_in(0, "ip 2001:db8::1 > ff02::1 proto 99 len 8");
	nt_drop(PLX_DROP_IP_NO_PROTO);
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 icmp 100 len 8"); /* an unknown error */
	nt_drop(PLX_DROP_ICMP_TYPE);
	nt_none();
}

/* RFC 1812 4.3.2.3 and RFC 4443 2.4 c: as much as fits 576 and 1280 bytes. */
T(quotes_as_much_as_fits)
{
	nt_simple();
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 1400");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 3 quote 548");
	nt_in(0, "ip 2001:db8::1 > 2001:db8::2 udp 1 > 2 len 1400");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp unreach 4 quote 1232");
	nt_drops(PLX_DROP_UDP_NO_PORT, 2);
}

/* Padding of the link is not quoted. */
T(quotes_no_padding)
{
	nt_simple();
	nt_make(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	nt.in.bytes = 60;
	nt_feed(0);
	nt_run();
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 3 quote 28");
	nt_drop(PLX_DROP_UDP_NO_PORT);
	nt_make(0, "ip 2001:db8::1 > 2001:db8::2 proto 60 len 8"); /* options: 0 1 2 3 4 5 6 7 */
	memcpy(nt.in.b + 54, "\x3b\x00\xc1\x04\x00\x00\x00\x00", 8);
	nt.in.bytes += 40;
	nt_feed(0);
	nt_run();
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 icmp param 2 rest 42 quote 48");
	nt_drop(PLX_DROP_IP6_OPTION);
}

/* Six at once to one, then one a second; the clock may run for years. */
T(limits_errors_to_one)
{
	int sent = 0;

	nt_simple();
	nt_sleep(PLX_SEC(3600) * 24 * 365 * 200);
	nt_forget();
	nt_mark();
	nt_neigh(1, "10.0.0.1");
	for (int i = 0; i < 20; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	while (nt_sent(0))
		sent++;
	eq(sent, 6);
	eq(nt_stat(PLX_STAT_ICMP_OUTRATELIMITHOST), 14);
	nt_sleep(PLX_MS(999));
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	nt_none();
	nt_sleep(PLX_MS(1));
	nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 tos 192 icmp unreach 3 quote 28");
	nt_drops(PLX_DROP_UDP_NO_PORT, 22);
}

/* 50 at once to all, then 1000 a second, exactly, however they are asked for. */
T(limits_errors_to_all)
{
	uint64_t denied;

	nt_simple();
	nt_tun(PLX_TUN_ICMP_RATELIMIT, 0);
	for (int i = 0; i < 60; i++)
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
	eq(nt_forget(), 50);
	nt_sleep(PLX_SEC(1));
	nt_mark();
	for (int i = 0; i < 1000; i++) {
		nt_in(0, "ip 10.0.0.1 > 10.0.0.2 udp 1 > 2 len 0");
		nt_sleep(PLX_US(500));
	}
	denied = nt_stat(PLX_STAT_ICMP_OUTRATELIMITGLOBAL);
	eq(nt_forget(), 1000 - denied);
	ok(denied >= 450 && denied <= 451); /* 50 + 500 ms at 1000/s */
	nt_drops(PLX_DROP_UDP_NO_PORT, 1000);
}

/* ---- path MTU ---- */

static void big(const char *dst, const char *frame)
{
	eq(nt_send(dst, 1400), PLX_DROP_NONE);
	nt_out(0, frame);
}

T(learns_a_path_mtu_and_forgets_it)
{
	static struct nt_sock sock;

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 4 rest 1000 quote 28");
	eq(sock.mtu, 1000);
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 +0 proto 17 len 976");
	nt_out(0, "ip 10.0.0.2 > 10.0.0.1 @976 proto 17 len 432");
	nt_none();
	nt_sleep(PLX_SEC(601));
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
	nt_no_drop();
}

T(believes_no_path_mtu_below_the_least)
{
	static struct nt_sock sock;

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	big("2001:db8::1", "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1400");
	nt_in(0, "ip 2001:db8::9 > 2001:db8::2 icmp too-big 0 rest 1279 quote 1232");
	eq(sock.mtu, 1279);
	big("2001:db8::1", "ip 2001:db8::2 > 2001:db8::1 udp 9 > 9 len 1400"); /* RFC 8201 4 */
	nt_in(0, "ip 2001:db8::9 > 2001:db8::2 icmp too-big 0 rest 1280 quote 1232");
	big("2001:db8::1", "ip 2001:db8::2 > 2001:db8::1 +0 proto 17 len 1232");
	nt_out(0, "ip 2001:db8::2 > 2001:db8::1 @1232 proto 17 len 176");
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 4 rest 68 quote 28");
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 +0 proto 17 len 528"); /* min_pmtu 552 */
	nt_forget();
	nt_no_drop();
}

T(a_router_that_names_no_mtu)
{
	static struct nt_sock sock;

	nt_simple();
	eq(nt_open(&sock, 9, 0), 0);
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 4 quote 28");
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 +0 proto 17 len 984"); /* 1006: RFC 1191 7 */
	nt_forget();
}

T(forged_too_bigs_are_not_believed)
{
	nt_simple(); /* no socket on port 9 */
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
	nt_in(0, "ip 10.0.0.9 > 10.0.0.2 icmp unreach 4 rest 600 quote 28");
	nt_drop(PLX_DROP_ICMP_ERROR_UNMATCHED);
	big("10.0.0.1", "ip 10.0.0.2 > 10.0.0.1 df udp 9 > 9 len 1400");
}

RUN_EAL(NT_(answers_what_time_it_is), NT_(answers_ping), NT_(answers_ping_of_every_form),
	NT_(answers_ping_to_all_nodes), NT_(malformed), NT_(no_errors_about_these),
	NT_(quotes_as_much_as_fits), NT_(quotes_no_padding), NT_(limits_errors_to_one),
	NT_(limits_errors_to_all), NT_(learns_a_path_mtu_and_forgets_it),
	NT_(believes_no_path_mtu_below_the_least), NT_(a_router_that_names_no_mtu),
	NT_(forged_too_bigs_are_not_believed))
