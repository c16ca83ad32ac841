/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * ping in numbers and words: what was sent, what came back, and how iputils' ping says it. Nothing
 * here touches a socket.
 */
#include <stdio.h>

#include <plx_base.h>

#define PING_SIZE_MAX 65507
#define PING_HDR      8 /* of an ICMP echo */
#define PING_SEQS     65536

enum ping_was { PING_NEW, PING_DUP, PING_ODD };

struct ping_stats {
	uint64_t sent, received, dups, errors;
	uint64_t pipe; /**< most that were on their way at a time, as far as answers tell */
	plx_ns first_ns, last_ns;
	plx_ns min_ns, max_ns;
	double sum_us, sum2_us;
	plx_ns at_ns[PING_SEQS]; /**< when a sequence number was sent last */
	uint8_t answered[PING_SEQS / 8];
};

/** The next one leaves now. @return its sequence number: from 1 on. */
uint16_t ping_sent(struct ping_stats *s, plx_ns now);
/** An answer to seq. @param rtt_ns filled. @return PING_ODD: it was never sent. */
enum ping_was ping_received(struct ping_stats *s, uint16_t seq, plx_ns now, plx_ns *rtt_ns);
/** A router says that seq did not get there. */
void ping_error(struct ping_stats *s, uint16_t seq, plx_ns now);
/** Mean deviation, in us. */
double ping_mdev_us(const struct ping_stats *s);

/** What stands behind the header of each request: bytes that count up, as ping's. */
void ping_fill(uint8_t *data, size_t n);
/** @return where the first wrong byte is, or -1. */
int ping_check(const uint8_t *data, size_t n);

/** "0.123", "12.3", "123": to three digits or more. */
const char *ping_ms(plx_ns ns, char buf[static 24]);
/** What an ICMP error means. @param info the MTU. @return buf. */
const char *ping_why(bool v6, uint8_t type, uint8_t code, uint32_t info, char buf[static 80]);
/** The last lines. */
void ping_print_stats(const struct ping_stats *s, const char *target, FILE *out);
