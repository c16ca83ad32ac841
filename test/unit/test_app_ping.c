/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <string.h>

#include "../../app/ping.h"

/* What ping counts and prints. */

static struct ping_stats s;
static char text[512];

static const char *printed(void)
{
	FILE *f = fmemopen(text, sizeof(text), "w");

	ping_print_stats(&s, "10.0.0.1", f);
	fclose(f);
	return text;
}

T(all_answered)
{
	plx_ns rtt;

	s = (struct ping_stats){0};
	eq(ping_sent(&s, PLX_MS(1000)), 1);
	eq(ping_received(&s, 1, PLX_MS(1001), &rtt), PING_NEW);
	eq(rtt, PLX_MS(1));
	eq(ping_sent(&s, PLX_MS(2000)), 2);
	eq(ping_received(&s, 2, PLX_MS(2003), &rtt), PING_NEW);
	eq(ping_received(&s, 3, PLX_MS(2003), &rtt), PING_ODD);
	eq(ping_received(&s, 0, PLX_MS(2003), &rtt), PING_ODD);
	str_eq(printed(), "\n--- 10.0.0.1 ping statistics ---\n"
			  "2 packets transmitted, 2 received, 0% packet loss, time 1003ms\n"
			  "rtt min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms\n");
}

T(lost_twice_and_refused)
{
	plx_ns rtt;

	s = (struct ping_stats){0};
	for (int i = 0; i < 3; i++)
		ping_sent(&s, PLX_MS(i));
	ping_received(&s, 1, PLX_MS(5), &rtt);
	eq(ping_received(&s, 1, PLX_MS(5), &rtt), PING_DUP);
	ping_error(&s, 3, PLX_MS(6));
	ping_error(&s, 9, PLX_MS(7)); /* of nobody */
	str_eq(printed(), "\n--- 10.0.0.1 ping statistics ---\n"
			  "3 packets transmitted, 1 received, +1 duplicates, +1 errors, "
			  "66.6667% packet loss, time 6ms\n"
			  "rtt min/avg/max/mdev = 5.000/5.000/5.000/0.000 ms, pipe 3\n");
	s = (struct ping_stats){0};
	ping_sent(&s, 0);
	str_eq(printed(), "\n--- 10.0.0.1 ping statistics ---\n"
			  "1 packets transmitted, 0 received, 100% packet loss, time 0ms\n\n");
}

/* Numbers come round after 65,536. */
T(sequence_numbers_come_round)
{
	plx_ns rtt;

	s = (struct ping_stats){0};
	for (int i = 0; i < 65537; i++) {
		uint16_t seq = ping_sent(&s, i);

		eq(ping_received(&s, seq, i, &rtt), PING_NEW);
	}
	eq(ping_received(&s, 1, 65540, &rtt), PING_DUP);
	eq(s.received, 65537);
}

T(times)
{
	char b[24];

	str_eq(ping_ms(PLX_US(45), b), "0.045");
	str_eq(ping_ms(PLX_US(1234), b), "1.23");
	str_eq(ping_ms(PLX_US(12345), b), "12.3");
	str_eq(ping_ms(PLX_US(123456), b), "123");
	str_eq(ping_ms(PLX_US(99999), b), "100");
}

T(reasons)
{
	char b[80];

	str_eq(ping_why(false, 3, 1, 0, b), "Destination Host Unreachable");
	str_eq(ping_why(false, 3, 4, 1400, b), "Frag needed and DF set (mtu = 1400)");
	str_eq(ping_why(false, 11, 0, 0, b), "Time to live exceeded");
	str_eq(ping_why(true, 1, 3, 0, b), "Destination unreachable: Address unreachable");
	str_eq(ping_why(true, 2, 0, 1280, b), "Packet too big: mtu=1280");
	str_eq(ping_why(true, 3, 0, 0, b), "Time exceeded: Hop limit");
}

T(wrong_bytes)
{
	uint8_t b[300];

	ping_fill(b, sizeof(b));
	eq(ping_check(b, sizeof(b)), -1);
	b[257]++;
	eq(ping_check(b, sizeof(b)), 257);
}

RUN(T_(all_answered), T_(lost_twice_and_refused), T_(sequence_numbers_come_round), T_(times),
	T_(reasons), T_(wrong_bytes))
