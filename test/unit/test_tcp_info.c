/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_t.h"

T(it_shows_what_linux_shows)
{
	static struct tt t;
	struct plx_tcp_info i;

	tt_up(&t, .ecn = true, .rtt_ms = 20);
	tt_write(&t, 20000);
	eq(tt_drain(&t), 10);
	tt_ms(&t, 20);
	eq(tt_in(&t, ". ack 1001 sack 3001:4001"), PLX_DROP_NONE);
	eq(tt_in(&t, "P 1:101(100) ack 1001"), PLX_DROP_NONE);
	tt_ms(&t, 5);
	plx_tcp_info_get(&t.c, t.now, &i);
	eq(i.tcpi_state, PLX_TCP_ESTABLISHED);
	eq(i.tcpi_ca_state, PLX_TCP_CA_DISORDER);
	eq(i.tcpi_options, PLX_TCPI_OPT_TIMESTAMPS | PLX_TCPI_OPT_SACK | PLX_TCPI_OPT_WSCALE |
				   PLX_TCPI_OPT_ECN);
	eq(i.tcpi_unacked, 9);
	eq(i.tcpi_sacked, 1);
	eq(i.tcpi_snd_cwnd, t.c.cwnd);
	eq(i.tcpi_snd_mss, 1000);
	eq(i.tcpi_advmss, 1448);
	eq(i.tcpi_pmtu, 1500);
	eq(i.tcpi_bytes_acked, 1000);
	eq(i.tcpi_bytes_received, 100);
	eq(i.tcpi_notsent_bytes, 10000);
	eq(i.tcpi_bytes_sent, 10000);
	eq(i.tcpi_delivered, 2);
	eq(i.tcpi_last_data_recv, 5);
	eq(i.tcpi_last_data_sent, 25);
	eq(i.tcpi_rcv_wscale, 7);
	ok(i.tcpi_rtt > 0 && i.tcpi_rtt <= 20000);
	eq(i.tcpi_rto, tcp__rto_us(&t.c));
	tt_down(&t);
}

T(it_counts_what_was_sent_again)
{
	static struct tt t;
	struct plx_tcp_info i;

	tt_up(&t);
	tt_tun(&t, TCP_EARLY_RETRANS, 0);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	tt_timer(&t);
	ok(tt_pull(&t));
	plx_tcp_info_get(&t.c, t.now, &i);
	eq(i.tcpi_retransmits, 1);
	eq(i.tcpi_backoff, 1);
	eq(i.tcpi_retrans, 1);
	eq(i.tcpi_total_retrans, 1);
	eq(i.tcpi_bytes_retrans, 1000);
	eq(i.tcpi_bytes_sent, 2000);
	eq(i.tcpi_total_rto, 1);
	tt_down(&t);
}

T(it_sends_a_fin_again_and_counts_no_byte_for_it)
{
	static struct tt t;
	struct plx_tcp_info i;

	tt_up(&t);
	tt_tun(&t, TCP_EARLY_RETRANS, 0);
	tt_write(&t, 100);
	plx_tcp_shutdown(&t.c, t.now);
	ok(tt_pull(&t));
	tt_timer(&t);
	ok(tt_pull(&t));
	plx_tcp_info_get(&t.c, t.now, &i);
	eq(i.tcpi_bytes_retrans, 100);
	eq(i.tcpi_bytes_sent, 200);
	tt_down(&t);
}

/* ---- queues and timers ---- */

T(what_is_kept_is_what_is_in_order_and_what_is_not)
{
	static struct tt t;

	tt_up(&t);
	eq(plx_tcp_queued(&t.c), 0);
	eq(tt_in(&t, "P 1:101(100) ack 1"), PLX_DROP_NONE);
	eq(tt_in(&t, "P 201:251(50) ack 1"), PLX_DROP_NONE);
	eq(plx_tcp_readable(&t.c), 100);
	eq(plx_tcp_queued(&t.c), 150);
	tt_down(&t);
}

static struct plx_tcp_timer_info timer_of(const struct tt *t)
{
	struct plx_tcp_timer_info ti;

	plx_tcp_timer_get(&t->c.id, t->now, &ti);
	return ti;
}

T(its_timer_is_that_of_what_is_in_flight)
{
	static struct tt t;

	tt_up(&t);
	tt_tun(&t, TCP_EARLY_RETRANS, 0);
	eq(timer_of(&t).kind, PLX_TCP_TIMER_OFF);
	tt_write(&t, 1000);
	ok(tt_pull(&t));
	eq(timer_of(&t).kind, PLX_TCP_TIMER_ON);
	eq(timer_of(&t).left_ns, PLX_US(tcp__rto_us(&t.c)));
	eq(timer_of(&t).retrans, 0);
	tt_timer(&t);
	ok(tt_pull(&t));
	eq(timer_of(&t).kind, PLX_TCP_TIMER_ON);
	eq(timer_of(&t).retrans, 1);
	tt_down(&t);
}

T(its_timer_is_else_that_of_keep_alive_or_of_a_shut_window)
{
	static struct tt t;

	tt_up(&t);
	plx_tcp_set_keepalive(&t.c, true, 90, 1, 3, t.now);
	eq(timer_of(&t).kind, PLX_TCP_TIMER_KEEPALIVE);
	eq(timer_of(&t).left_ns, PLX_SEC(90));
	tt_write(&t, 100);
	ok(tt_pull(&t));
	tt_write(&t, 100);
	eq(tt_in(&t, ". ack 101 win 0"), PLX_DROP_NONE);
	tt_drain(&t);
	eq(timer_of(&t).kind, PLX_TCP_TIMER_PERSIST);
	eq(timer_of(&t).retrans, 0);
	tt_down(&t);
}

/* ---- events ---- */

static uint32_t seen[PLX_TCP_EVENT_MAX];
static struct plx_tcp_event last[PLX_TCP_EVENT_MAX];

static void see(void *arg, const struct plx_tcp_event *ev)
{
	struct tt *t = arg;

	assert_ptr_equal(ev->c, &t->c);
	seen[ev->type]++;
	last[ev->type] = *ev;
}

T(each_event_has_a_name)
{
	for (int i = 0; i < PLX_TCP_EVENT_MAX; i++)
		ok(plx_tcp_event_name(i) && *plx_tcp_event_name(i) != '?');
	str_eq(plx_tcp_event_name(PLX_TCP_EVENT_MAX), "?");
}

T(who_listens_hears_what_happens)
{
	static struct tt t;

	tt_up(&t);
	t.ctx.event_arg = &t;
	t.ctx.event = see;
	tt_write(&t, 5000);
	eq(tt_drain(&t), 5);
	eq(seen[PLX_TCP_EVENT_OUT], 5);
	eq(tt_in(&t, ". ack 1 sack 1001:5001"), PLX_DROP_NONE);
	eq(seen[PLX_TCP_EVENT_IN], 1);
	eq(seen[PLX_TCP_EVENT_LOST], 1);
	eq(last[PLX_TCP_EVENT_LOST].a, tt_iss(&t) + 1);
	eq(last[PLX_TCP_EVENT_CA].b, PLX_TCP_CA_RECOVERY);
	tt_drain(&t);
	eq(seen[PLX_TCP_EVENT_RETRANS], 1);
	tt_timer(&t);
	eq(seen[PLX_TCP_EVENT_RTO], 1);
	eq(last[PLX_TCP_EVENT_RTO].a, 1);
	plx_tcp_abort(&t.c, t.now);
	eq(last[PLX_TCP_EVENT_STATE].a, PLX_TCP_ESTABLISHED);
	eq(last[PLX_TCP_EVENT_STATE].b, PLX_TCP_CLOSED);
	tt_drain(&t);
	tt_down(&t);
}

RUN(T_(it_shows_what_linux_shows), T_(it_counts_what_was_sent_again),
	T_(it_sends_a_fin_again_and_counts_no_byte_for_it),
	T_(what_is_kept_is_what_is_in_order_and_what_is_not),
	T_(its_timer_is_that_of_what_is_in_flight),
	T_(its_timer_is_else_that_of_keep_alive_or_of_a_shut_window), T_(each_event_has_a_name),
	T_(who_listens_hears_what_happens))
