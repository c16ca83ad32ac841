/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* Linux's tcp_get_info(). */

static uint32_t ago(plx_ns now, uint32_t ms)
{
	return tcp__ms(now) - ms;
}

static void sending(const struct plx_tcp *c, struct plx_tcp_info *i)
{
	i->tcpi_unacked = c->packets_out;
	i->tcpi_sacked = c->sacked_out;
	i->tcpi_lost = c->lost_out;
	i->tcpi_retrans = c->retrans_out;
	i->tcpi_snd_cwnd = c->cwnd;
	i->tcpi_snd_ssthresh = c->ssthresh;
	i->tcpi_reordering = c->reordering;
	i->tcpi_notsent_bytes = plx_tcp_unsent(c);
	i->tcpi_snd_wnd = c->snd.wnd;
	i->tcpi_bytes_acked = c->bytes_acked;
	i->tcpi_delivered = c->delivered;
}

static void seldom(const struct tcp_cold *cold, struct plx_tcp_info *i)
{
	if (!cold)
		return;
	i->tcpi_total_retrans = cold->total_retrans;
	i->tcpi_bytes_retrans = cold->bytes_retrans;
	i->tcpi_dsack_dups = cold->dsack_dups;
	i->tcpi_reord_seen = cold->reord_seen;
	i->tcpi_total_rto = (uint16_t)PLX_MIN(cold->total_rto, 65535u);
}

void plx_tcp_info_get(const struct plx_tcp *c, plx_ns now, struct plx_tcp_info *i)
{
	memset(i, 0, sizeof(*i));
	i->tcpi_state = c->id.state;
	i->tcpi_ca_state = c->ca;
	i->tcpi_retransmits = c->retransmits;
	i->tcpi_probes = c->probes;
	i->tcpi_backoff = c->backoff;
	i->tcpi_options = (uint8_t)((c->ts_ok ? PLX_TCPI_OPT_TIMESTAMPS : 0) |
				    (c->sack_ok ? PLX_TCPI_OPT_SACK : 0) |
				    (c->wscale_ok ? PLX_TCPI_OPT_WSCALE : 0) |
				    (c->ecn_ok ? PLX_TCPI_OPT_ECN : 0) |
				    (c->ecn_seen ? PLX_TCPI_OPT_ECN_SEEN : 0));
	i->tcpi_snd_wscale = c->snd_wscale & 15;
	i->tcpi_rcv_wscale = c->rcv_wscale & 15;
	i->tcpi_rto = tcp__rto_us(c);
	i->tcpi_ato = c->rcv.ato_us;
	i->tcpi_snd_mss = c->snd.mss;
	i->tcpi_rcv_mss = c->rcv.mss;
	i->tcpi_advmss = tcp__adv_mss(c);
	if (c->ts_ok && tcp__synchronized(c)) /* what it is worth to the peer */
		i->tcpi_advmss -= TCP_TS_BYTES;
	i->tcpi_last_data_sent = ago(now, tcp__ms(c->snd.last_ns));
	i->tcpi_last_data_recv = ago(now, c->rcv.last_ms);
	i->tcpi_pmtu = c->pmtu;
	i->tcpi_rcv_ssthresh = c->rcv.ssthresh;
	i->tcpi_rtt = c->rtt.srtt8_us >> 3;
	i->tcpi_rttvar = c->rtt.mdev4_us >> 2;
	i->tcpi_min_rtt = c->rtt.min_us;
	i->tcpi_rcv_rtt = c->rcv.rtt_us;
	i->tcpi_rcv_space = c->rcv.space;
	i->tcpi_rcv_wnd = tcp__rcv_wnd(c);
	i->tcpi_bytes_received = c->bytes_received;
	sending(c, i);
	seldom(c->cold, i);
	i->tcpi_bytes_sent =
		c->bytes_acked + plx_tcp_unacked(c) - plx_tcp_unsent(c) + i->tcpi_bytes_retrans;
}

uint32_t plx_tcp_queued(const struct plx_tcp *c)
{
	return plx_tcp_readable(c) + tcp__ofo_bytes(c);
}

/* ---- timers: Linux's inet_diag_msg_attrs_fill() and its like ---- */

static void conn_timer(const struct plx_tcp *c, plx_ns now, struct plx_tcp_timer_info *t)
{
	if (c->rtx_kind != PLX_TCP_RTX_NONE) {
		bool probe = c->rtx_kind == PLX_TCP_RTX_PROBE;

		t->kind = probe ? PLX_TCP_TIMER_PERSIST : PLX_TCP_TIMER_ON;
		t->retrans = probe ? c->probes : c->retransmits;
		t->left_ns = c->rtx_ns - now;
	} else if (c->keep_ns != PLX_NEVER) {
		t->kind = PLX_TCP_TIMER_KEEPALIVE;
		t->retrans = c->probes;
		t->left_ns = c->keep_ns - now;
	}
}

void plx_tcp_timer_get(const struct plx_tcp_id *id, plx_ns now, struct plx_tcp_timer_info *t)
{
	const struct plx_tcp_req *req = plx_container_of(id, const struct plx_tcp_req, id);
	const struct plx_tcp_tw *tw = plx_container_of(id, const struct plx_tcp_tw, id);

	*t = (struct plx_tcp_timer_info){.kind = PLX_TCP_TIMER_OFF};
	switch (id->kind) {
	case PLX_TCP_KIND_CONN:
		conn_timer(plx_container_of(id, const struct plx_tcp, id), now, t);
		break;
	case PLX_TCP_KIND_REQ:
		t->kind = PLX_TCP_TIMER_ON;
		t->retrans = req->retrans;
		t->left_ns = req->due_ns - now;
		break;
	case PLX_TCP_KIND_TW:
		t->kind = PLX_TCP_TIMER_TIMEWAIT;
		t->left_ns = tw->until_ns - now;
		break;
	default:
		break;
	}
	t->left_ns = PLX_MAX(t->left_ns, (plx_ns)0);
}
