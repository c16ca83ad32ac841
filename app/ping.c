/* SPDX-License-Identifier: BSD-3-Clause */
#include "ping.h"

#include <math.h>

/* ---- numbers ---- */

uint16_t ping_sent(struct ping_stats *s, plx_ns now)
{
	uint16_t seq = (uint16_t)++s->sent;

	if (s->sent == 1)
		s->first_ns = now;
	s->last_ns = now;
	s->at_ns[seq] = now;
	s->answered[seq / 8] &= (uint8_t) ~(1u << seq % 8);
	return seq;
}

/* How many were sent since seq, itself included; 0 = it was not. */
static uint64_t age(const struct ping_stats *s, uint16_t seq)
{
	uint16_t n = (uint16_t)((uint16_t)s->sent - seq);

	return n < s->sent ? n + 1u : 0;
}

static void note_pipe(struct ping_stats *s, uint16_t seq)
{
	s->pipe = PLX_MAX(s->pipe, age(s, seq));
}

enum ping_was ping_received(struct ping_stats *s, uint16_t seq, plx_ns now, plx_ns *rtt_ns)
{
	uint8_t bit = (uint8_t)(1u << seq % 8);
	double us;

	if (!age(s, seq))
		return PING_ODD;
	*rtt_ns = now - s->at_ns[seq];
	s->last_ns = now;
	note_pipe(s, seq);
	us = (double)(*rtt_ns / 1000);
	s->sum_us += us;
	s->sum2_us += us * us;
	if (!(s->received + s->dups) || *rtt_ns < s->min_ns)
		s->min_ns = *rtt_ns;
	s->max_ns = PLX_MAX(s->max_ns, *rtt_ns);
	if (s->answered[seq / 8] & bit) {
		s->dups++;
		return PING_DUP;
	}
	s->answered[seq / 8] |= bit;
	s->received++;
	return PING_NEW;
}

void ping_error(struct ping_stats *s, uint16_t seq, plx_ns now)
{
	if (!age(s, seq))
		return;
	s->last_ns = now;
	note_pipe(s, seq);
	s->errors++;
}

double ping_mdev_us(const struct ping_stats *s)
{
	double n = (double)(s->received + s->dups), mean = n > 0 ? s->sum_us / n : 0;
	double var = n > 0 ? s->sum2_us / n - mean * mean : 0;

	return var > 0 ? sqrt(var) : 0;
}

/* ---- bytes ---- */

void ping_fill(uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)i;
}

int ping_check(const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (data[i] != (uint8_t)i)
			return (int)i;
	return -1;
}

/* ---- words ---- */

const char *ping_ms(plx_ns ns, char buf[static 24])
{
	long us = (long)(ns / 1000);

	if (us >= 100000 - 50)
		snprintf(buf, 24, "%ld", (us + 500) / 1000);
	else if (us >= 10000 - 5)
		snprintf(buf, 24, "%ld.%01ld", (us + 50) / 1000, (us + 50) % 1000 / 100);
	else if (us >= 1000)
		snprintf(buf, 24, "%ld.%02ld", (us + 5) / 1000, (us + 5) % 1000 / 10);
	else
		snprintf(buf, 24, "%ld.%03ld", us / 1000, us % 1000);
	return buf;
}

static const char *why4(uint8_t type, uint8_t code, uint32_t info, char buf[static 80])
{
	static const char *const unreach[] = {"Net Unreachable", "Host Unreachable",
		"Protocol Unreachable", "Port Unreachable", NULL, "Source Route Failed",
		"Net Unknown", "Host Unknown", "Host Isolated", "Net Prohibited", "Host Prohibited",
		"Net Unreachable for Type of Service", "Host Unreachable for Type of Service"};

	switch (type) {
	case 3:
		if (code == 4)
			snprintf(buf, 80, "Frag needed and DF set (mtu = %u)", info);
		else if (code == 13)
			snprintf(buf, 80, "Packet filtered");
		else if (code < PLX_DIM(unreach))
			snprintf(buf, 80, "Destination %s", unreach[code]);
		else
			snprintf(buf, 80, "Dest Unreachable, Bad Code: %u", code);
		return buf;
	case 5:
		return "Redirect";
	case 11:
		return code ? "Frag reassembly time exceeded" : "Time to live exceeded";
	case 12:
		return "Parameter problem";
	default:
		snprintf(buf, 80, "Bad ICMP type: %u", type);
		return buf;
	}
}

static const char *why6(uint8_t type, uint8_t code, uint32_t info, char buf[static 80])
{
	static const char *const unreach[] = {"No route", "Administratively prohibited",
		"Beyond scope of source address", "Address unreachable", "Port unreachable"};

	switch (type) {
	case 1:
		if (code < PLX_DIM(unreach))
			snprintf(buf, 80, "Destination unreachable: %s", unreach[code]);
		else
			snprintf(buf, 80, "Destination unreachable: Unknown code %u", code);
		return buf;
	case 2:
		snprintf(buf, 80, "Packet too big: mtu=%u", info);
		return buf;
	case 3:
		snprintf(buf, 80, "Time exceeded: %s",
			code ? "Defragmentation failure" : "Hop limit");
		return buf;
	default:
		snprintf(buf, 80, "Parameter problem: code %u", code);
		return buf;
	}
}

const char *ping_why(bool v6, uint8_t type, uint8_t code, uint32_t info, char buf[static 80])
{
	return v6 ? why6(type, code, info, buf) : why4(type, code, info, buf);
}

/* In us, as iputils writes them. */
static void print_rtt(const struct ping_stats *s, FILE *out)
{
	double n = (double)(s->received + s->dups);

	fprintf(out, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms",
		(double)(s->min_ns / 1000) / 1e3, s->sum_us / n / 1e3,
		(double)(s->max_ns / 1000) / 1e3, ping_mdev_us(s) / 1e3);
}

void ping_print_stats(const struct ping_stats *s, const char *target, FILE *out)
{
	fprintf(out, "\n--- %s ping statistics ---\n%llu packets transmitted, %llu received",
		target, (unsigned long long)s->sent, (unsigned long long)s->received);
	if (s->dups)
		fprintf(out, ", +%llu duplicates", (unsigned long long)s->dups);
	if (s->errors)
		fprintf(out, ", +%llu errors", (unsigned long long)s->errors);
	if (s->sent)
		fprintf(out, ", %g%% packet loss, time %lldms",
			(float)(s->sent - s->received) * 100 / (float)s->sent,
			(long long)(s->last_ns - s->first_ns) / 1000000);
	fputc('\n', out);
	if (s->received)
		print_rtt(s, out);
	if (s->pipe > 1)
		fprintf(out, "%spipe %llu", s->received ? ", " : "", (unsigned long long)s->pipe);
	fputc('\n', out);
}
