/* SPDX-License-Identifier: BSD-3-Clause */
#include "../unit/t.h"
#include "table.h"

#include <math.h>

/*
 * How fast, how fair, how wasteful: one transfer for each cell, in virtual time, held against
 * golden tables. The first column of each table is what physics or a model allows.
 */

static void row_bulk(struct table *t, const struct bulk *b, const char *head)
{
	struct bulk_result r;

	bulk_run(b, &r);
	assert_null(r.broken);
	fprintf(t->f,
		"%s %8.2f Mb/s  %5llu sent again  %4llu needlessly  %3llu time-outs  %3llu "
		"undone\n",
		head, r.mbps, (unsigned long long)r.retrans, (unsigned long long)r.needless,
		(unsigned long long)r.rtos, (unsigned long long)r.undos);
}

T(goodput_under_random_loss)
{
	static const double loss[] = {0, 0.1, 0.5, 1, 2, 5, 10};
	static const int rtt[] = {1, 10, 50, 100, 300};
	struct table t;

	table_open(&t,
		"Goodput under random loss, Mb/s: a 100 Mb/s link; model = 1.22 MSS / (RTT "
		"sqrt p)\n"
		"Without SACK 0 % is a matter of rounds: slow start overflows the queue, "
		"NewReno mends a hole a\n"
		"round trip until the time-out, and the ACK that covers the rest lets out a "
		"whole window at once.\n"
		"Where that overflows the queue again, it is all repeated with 0.7 of it; at "
		"100 ms one round more\n"
		"or less is 50 or 65.\n"
		"  loss  RTT ms    model     reno    cubic   cubic without SACK");
	for (size_t i = 0; i < PLX_DIM(loss); i++)
		for (size_t k = 0; k < PLX_DIM(rtt); k++) {
			char there[128], back[64];
			struct bulk b = {.there = there, .back = back, .time = PLX_SEC(20)};
			struct bulk_result r;
			double model = loss[i] > 0
					       ? 1.22 * 1448 * 8 /
							 (rtt[k] / 1e3 * sqrt(loss[i] / 100)) / 1e6
					       : 100;

			snprintf(there, sizeof(there), "rate=100mbit,queue=1m,delay=%dus,loss=%g%%",
				rtt[k] * 500, loss[i]);
			snprintf(back, sizeof(back), "delay=%dus", rtt[k] * 500);
			fprintf(t.f, "%5.1f%% %7d %8.2f", loss[i], rtt[k],
				model < 100 ? model : 100);
			for (int how = 0; how < 3; how++) {
				b.reno = how == 0;
				b.no_sack = how == 2;
				bulk_run(&b, &r);
				assert_null(r.broken);
				fprintf(t.f, " %8.2f", r.mbps);
			}
			fprintf(t.f, "\n");
		}
	ok(table_close(&t, "loss"));
}

T(goodput_under_reordering)
{
	static const int share[] = {0, 1, 5, 10, 20};
	struct table t;

	table_open(
		&t, "Reordering: 50 Mb/s, 40 ms; so many percent of the packets come 10 ms late");
	for (int way = 0; way < 2; way++)
		for (size_t i = 0; i < PLX_DIM(share); i++) {
			char there[128], back[128], head[64];
			struct bulk b = {.there = there, .back = back, .time = PLX_SEC(20)};
			int data = way == 0 ? share[i] : 0, acks = way == 1 ? share[i] : 0;

			snprintf(there, sizeof(there),
				"rate=50mbit,queue=500k,delay=20ms,reorder=%d%%:10ms", data);
			snprintf(back, sizeof(back), "delay=20ms,reorder=%d%%:10ms", acks);
			snprintf(head, sizeof(head), "%-5s %3d%%", way ? "ACKs" : "data", share[i]);
			row_bulk(&t, &b, head);
		}
	ok(table_close(&t, "reorder"));
}

T(goodput_over_small_buffers)
{
	static const int queue[] = {5, 12, 25, 50, 100, 200};
	struct table t;

	table_open(&t, "Buffer of the bottleneck: 20 Mb/s, 20 ms (BDP 50 kB)");
	for (int reno = 0; reno < 2; reno++)
		for (size_t i = 0; i < PLX_DIM(queue); i++) {
			char there[128], head[64];
			struct bulk b = {.there = there,
				.back = "delay=10ms",
				.time = PLX_SEC(20),
				.reno = reno};

			snprintf(
				there, sizeof(there), "rate=20mbit,queue=%dk,delay=10ms", queue[i]);
			snprintf(head, sizeof(head), "%-5s %3d kB", reno ? "reno" : "cubic",
				queue[i]);
			row_bulk(&t, &b, head);
		}
	ok(table_close(&t, "buffer"));
}

/* Delay that leaps now and then: time-outs and retransmissions that were not needed. */
T(spurious_retransmissions_are_undone)
{
	static const struct {
		const char *name, *there;
	} way[] = {
		{"jitter 30 ms", "rate=20mbit,queue=300k,delay=60ms,jitter=30ms"},
		{"jitter, in order", "rate=20mbit,queue=300k,delay=60ms,jitter=30ms,order=keep"},
		{"0.2 % 400 ms late", "rate=20mbit,queue=300k,delay=20ms,reorder=0.2%:400ms"},
		{"1 % duplicated", "rate=20mbit,queue=300k,delay=20ms,dup=1%"},
	};
	struct table t;

	table_open(
		&t, "Spurious retransmissions: with undo (timestamps, D-SACK, F-RTO) and without");
	for (size_t i = 0; i < PLX_DIM(way); i++)
		for (int off = 0; off < 2; off++) {
			char head[64];
			struct bulk b = {.there = way[i].there,
				.back = "delay=20ms",
				.time = PLX_SEC(20),
				.no_undo = off};

			snprintf(head, sizeof(head), "%-18s %-7s", way[i].name,
				off ? "without" : "undo");
			row_bulk(&t, &b, head);
		}
	ok(table_close(&t, "spurious"));
}

/* Jain's index of n flows that share a link, over the second half of the time. */
static double fairness(uint32_t n, int reno, double *total)
{
	struct sim *s = malloc(sizeof(*s));
	struct sim_end *e = calloc(2 * n, sizeof(*e));
	struct sim_link there, back;
	double sum = 0, squares = 0;
	uint64_t half[64];

	assert_non_null(s);
	assert_non_null(e);
	sim_init(s, 7);
	s->tun.v[PLX_TUN_TCP_CUBIC] = !reno;
	sim_link_init(s, &there, "rate=50mbit,queue=250k,delay=10ms");
	sim_link_init(s, &back, "delay=10ms");
	for (uint32_t i = 0; i < n; i++) {
		e[2 * i].to_send = UINT64_C(1) << 40;
		sim_connect(s, &e[2 * i], &there, &e[2 * i + 1], &back, PLX_MS(137) * i);
	}
	sim_run(s, PLX_SEC(30));
	for (uint32_t i = 0; i < n; i++)
		half[i] = e[2 * i + 1].received;
	sim_run(s, PLX_SEC(60));
	for (uint32_t i = 0; i < n; i++) {
		double x = (double)(e[2 * i + 1].received - half[i]);

		sum += x;
		squares += x * x;
	}
	*total = sum * 8 / 30e6;
	sim_fini(s);
	assert_null(s->broken);
	free(e);
	free(s);
	return sum * sum / (n * squares);
}

T(flows_share_a_link_fairly)
{
	static const uint32_t flows[] = {2, 4, 8, 16};
	struct table t;

	table_open(&t, "Fairness: flows over 50 Mb/s, 20 ms, 250 kB; Jain's index (1 = fair)");
	for (int reno = 1; reno >= 0; reno--)
		for (size_t i = 0; i < PLX_DIM(flows); i++) {
			double total, jain = fairness(flows[i], reno, &total);

			fprintf(t.f, "%-5s %3u flows  %.3f  %6.2f Mb/s together\n",
				reno ? "reno" : "cubic", flows[i], jain, total);
			ok(jain > 0.75);
		}
	ok(table_close(&t, "fairness"));
}

RUN(T_(goodput_under_random_loss), T_(goodput_under_reordering), T_(goodput_over_small_buffers),
	T_(spurious_retransmissions_are_undone), T_(flows_share_a_link_fairly))
