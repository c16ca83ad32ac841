/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * A connection as Linux's getsockopt(TCP_INFO) shows it: the same fields, names, order and units.
 */
#include <plx_base_defs.h>

PLX_C_BEGIN

struct plx_tcp;
struct plx_tcp_id;

/** Linux's include/uapi/linux/tcp.h, struct tcp_info, as of 6.18. */
struct plx_tcp_info {
	uint8_t tcpi_state, tcpi_ca_state, tcpi_retransmits, tcpi_probes, tcpi_backoff,
		tcpi_options;
	uint8_t tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
	uint8_t tcpi_delivery_rate_app_limited : 1, tcpi_fastopen_client_fail : 2;
	uint32_t tcpi_rto, tcpi_ato, tcpi_snd_mss, tcpi_rcv_mss;
	uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans, tcpi_fackets;
	uint32_t tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, tcpi_last_ack_recv;
	uint32_t tcpi_pmtu, tcpi_rcv_ssthresh, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh,
		tcpi_snd_cwnd, tcpi_advmss, tcpi_reordering;
	uint32_t tcpi_rcv_rtt, tcpi_rcv_space;
	uint32_t tcpi_total_retrans;
	uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate, tcpi_bytes_acked, tcpi_bytes_received;
	uint32_t tcpi_segs_out, tcpi_segs_in;
	uint32_t tcpi_notsent_bytes, tcpi_min_rtt, tcpi_data_segs_in, tcpi_data_segs_out;
	uint64_t tcpi_delivery_rate;
	uint64_t tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited;
	uint32_t tcpi_delivered, tcpi_delivered_ce;
	uint64_t tcpi_bytes_sent, tcpi_bytes_retrans;
	uint32_t tcpi_dsack_dups, tcpi_reord_seen, tcpi_rcv_ooopack, tcpi_snd_wnd, tcpi_rcv_wnd,
		tcpi_rehash;
	uint16_t tcpi_total_rto, tcpi_total_rto_recoveries;
	uint32_t tcpi_total_rto_time;
	/* Accurate ECN: 0, we do not have it */
	uint32_t tcpi_received_ce, tcpi_delivered_e1_bytes, tcpi_delivered_e0_bytes,
		tcpi_delivered_ce_bytes, tcpi_received_e1_bytes, tcpi_received_e0_bytes,
		tcpi_received_ce_bytes;
	uint32_t tcpi_ecn_mode : 2, tcpi_accecn_opt_seen : 2, tcpi_accecn_fail_mode : 4,
		tcpi_options2 : 24;
};
static_assert(sizeof(struct plx_tcp_info) == 280, "as programs made for Linux expect it");

/** tcpi_options. */
#define PLX_TCPI_OPT_TIMESTAMPS 1
#define PLX_TCPI_OPT_SACK	2
#define PLX_TCPI_OPT_WSCALE	4
#define PLX_TCPI_OPT_ECN	8
#define PLX_TCPI_OPT_ECN_SEEN	16

PLX_API void plx_tcp_info_get(const struct plx_tcp *c, plx_ns now, struct plx_tcp_info *info);

/** Bytes of received text that are kept: to be read, and out of order. */
PLX_API uint32_t plx_tcp_queued(const struct plx_tcp *c);

/** The timer that `ss -o` shows; the values are Linux's idiag_timer. */
enum plx_tcp_timer_kind {
	PLX_TCP_TIMER_OFF,
	PLX_TCP_TIMER_ON,	 /**< something will be sent again, or is lost by then */
	PLX_TCP_TIMER_KEEPALIVE, /**< or the end of an orphan's FIN-WAIT-2 */
	PLX_TCP_TIMER_TIMEWAIT,
	PLX_TCP_TIMER_PERSIST, /**< zero-window probe */
};

struct plx_tcp_timer_info {
	enum plx_tcp_timer_kind kind;
	uint32_t retrans; /**< time-outs or probes in a row */
	plx_ns left_ns;	  /**< until it is over; 0 = it is due */
};

/** Of whatever the table holds: a connection, a handshake, a TIME-WAIT; off for a listener. */
PLX_API void plx_tcp_timer_get(
	const struct plx_tcp_id *id, plx_ns now, struct plx_tcp_timer_info *t);

PLX_C_END
