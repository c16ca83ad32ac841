/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <stdarg.h>
#include <stdlib.h>

/* Events in the order of the script, and the time between them. */

#define FOREVER	    PLX_SEC(100000) /* how long "*" waits */
#define REMOTE_PORT 50000

bool td_fail(struct td_run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return false;
	r->failed = true;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	return false;
}

void td_note(struct td_run *r, const struct td_seen *seen)
{
	r->history[r->n_history++ % TD_HISTORY] = *seen;
}

/* ---- time ---- */

/* The call that waits: has it come back by what has happened? */
static void retry_call(struct td_run *r)
{
	struct td_pending *p = &r->call;

	if (!p->active || td_call_try(r, p) == TD_BLOCK)
		return;
	p->active = false;
	if (!td_call_check(r, p))
		return;
	if (r->now < p->done - r->conf.tolerance_ns || r->now > p->done + r->conf.tolerance_ns) {
		char a[32], b[32];

		td_fail(r, "line %d: %s() returned at %s\n  expected: at %s", p->ev->line,
			p->ev->call.name, td_time_text(r->now - r->begin, a),
			td_time_text(p->done - r->begin, b));
	}
}

static bool sent_something(const struct td_run *r)
{
	return r->n_out > r->head_out;
}

/* Fire timers until `until`; or, when asked so, only until something was sent. */
static void pass_time(struct td_run *r, plx_ns until, bool stop_at_output)
{
	unsigned int idle = 0;

	while (!r->failed) {
		plx_ns next = td_net_deadline(r);

		if (r->call.active && r->call.wake)
			next = PLX_MIN(next, r->call.wake);
		if ((stop_at_output && sent_something(r)) || next > until)
			break;
		idle = next <= r->now ? idle + 1 : 0;
		if (idle == 1000) {
			td_fail(r, "a timer fires again and again without a change");
			return;
		}
		r->now = PLX_MAX(r->now, next);
		td_net_timers(r);
		retry_call(r);
	}
	if (!(stop_at_output && sent_something(r)))
		r->now = PLX_MAX(r->now, until);
}

static plx_ns absolute(const struct td_run *r, const struct td_time *t, plx_ns when)
{
	return t->kind == TD_TIME_REL ? r->base + when : r->begin + when;
}

/* ---- packets ---- */

static struct td_flow *flow_of(struct td_run *r, const struct td_pkt *pkt)
{
	if (pkt->sport) /* "remote > local" as it comes */
		return td_net_flow(r, pkt->dport, pkt->sport);
	if (!r->cur)
		r->cur = td_net_flow(r, 8080, r->next_rport++);
	return r->cur;
}

static void run_in(struct td_run *r, const struct td_pkt *pkt)
{
	struct td_flow *f = flow_of(r, pkt);
	struct td_seen seen;

	if (td_flow_in(f, pkt, &seen) != 0) {
		td_fail(r, "more than 40 bytes of options");
		return;
	}
	seen.at = r->now;
	td_net_in(r, f, &seen, pkt);
	seen.drop = r->drop;
	td_note(r, &seen);
	retry_call(r);
}

static bool in_time(struct td_run *r, const struct td_event *ev, const struct td_seen *seen)
{
	const struct td_time *t = &ev->time;
	plx_ns from, to;
	char a[32], b[32], c[32];

	if (t->kind == TD_TIME_ANY)
		return true;
	from = absolute(r, t, t->at);
	to = t->range ? absolute(r, t, t->end) : from;
	if (seen->at >= from - r->conf.tolerance_ns && seen->at <= to + r->conf.tolerance_ns)
		return true;
	return td_fail(r, "sent at %s\n  expected: %s%s%s", td_time_text(seen->at - r->begin, a),
		td_time_text(from - r->begin, b), t->range ? " ~ " : "",
		t->range ? td_time_text(to - r->begin, c) : "");
}

static struct td_seen *next_out(struct td_run *r, const struct td_event *ev)
{
	const struct td_time *t = &ev->time;
	plx_ns until = t->kind == TD_TIME_ANY
			       ? r->now + FOREVER
			       : absolute(r, t, t->range ? t->end : t->at) + r->conf.tolerance_ns;
	struct td_seen *seen;

	if (!sent_something(r))
		pass_time(r, PLX_MAX(until, r->now), true);
	if (r->failed || !sent_something(r))
		return NULL;
	seen = &r->out[r->head_out++];
	r->now = PLX_MAX(r->now, seen->at);
	if (r->head_out == r->n_out)
		r->head_out = r->n_out = 0;
	return seen;
}

static void mismatch(
	struct td_run *r, const struct td_pkt *pkt, const struct td_seen *seen, const char *why)
{
	char a[TD_TEXT], b[TD_TEXT];

	td_fail(r, "%s\n  expected: %s\n  seen:     %s", why, td_pkt_text(pkt, a),
		td_seen_text(seen, b));
}

static void run_out(struct td_run *r, const struct td_event *ev)
{
	struct td_pkt expected = ev->pkt;
	struct td_seen *next, seen;
	uint32_t done = 0;
	const char *why;
	char text[TD_TEXT];

	do {
		next = next_out(r, ev);
		if (!next) {
			td_fail(r, "nothing was sent\n  expected: %s",
				td_pkt_text(&expected, text));
			return;
		}
		seen = *next;
		td_note(r, &seen);
		why = td_match(&expected, &seen, &r->conf, &done);
		if (why) {
			mismatch(r, &expected, &seen, why);
			return;
		}
		td_flow_learn(seen.flow, &expected, &seen);
		if (!in_time(r, ev, &seen))
			return;
	} while (done < expected.len);
}

/* ---- calls ---- */

static void run_call(struct td_run *r, const struct td_event *ev)
{
	struct td_pending *p = &r->call;

	memset(p, 0, sizeof(*p));
	p->ev = ev;
	p->done = absolute(r, &ev->time, ev->time.done);
	if (td_call_try(r, p) == TD_DONE) {
		td_call_check(r, p);
		return;
	}
	if (!ev->time.blocking) {
		td_fail(r, "%s() blocks", ev->call.name);
		return;
	}
	p->active = true;
}

/* One call at a time, as there is one program. */
static void finish_call(struct td_run *r)
{
	if (!r->call.active)
		return;
	pass_time(r, r->call.done + r->conf.tolerance_ns, false);
	if (r->call.active)
		td_fail(r, "line %d: %s() has not returned", r->call.ev->line,
			r->call.ev->call.name);
}

/* ---- events ---- */

static void run_event(struct td_run *r, const struct td_event *ev)
{
	plx_ns at;

	r->ev = ev;
	r->base = r->now;
	at = ev->time.kind == TD_TIME_ANY ? r->now : absolute(r, &ev->time, ev->time.at);
	if (ev->type == TD_EVENT_PKT && !ev->pkt.in) {
		run_out(r, ev);
		return;
	}
	if (at < r->now - r->conf.tolerance_ns) {
		td_fail(r, "its time is over");
		return;
	}
	pass_time(r, at, false);
	if (ev->type == TD_EVENT_CALL)
		finish_call(r);
	if (r->failed)
		return;
	switch (ev->type) {
	case TD_EVENT_PKT:
		run_in(r, &ev->pkt);
		break;
	case TD_EVENT_CALL:
		run_call(r, ev);
		break;
	case TD_EVENT_COMMAND:
		td_command(r, ev->body);
		break;
	case TD_EVENT_CODE:
		td_code(r, ev->body);
		break;
	}
}

static void finish(struct td_run *r)
{
	char text[TD_TEXT];

	if (r->failed)
		return;
	r->ev = NULL;
	finish_call(r);
	if (r->conf.strict && sent_something(r) && !r->failed) {
		td_note(r, &r->out[r->head_out]);
		td_fail(r, "sent and not expected: %s", td_seen_text(&r->out[r->head_out], text));
	}
}

bool td_run(struct td_run *r, const struct td_script *script, const struct td_setup *setup)
{
	memset(r, 0, sizeof(*r));
	r->script = script;
	r->setup = *setup;
	r->conf = script->conf;
	if (r->conf.strict < 0)
		r->conf.strict = setup->strict;
	/* PSH ends a super-segment, too (Linux): scripts think of pairs */
	r->conf.any_psh = setup->max_segs != 2;
	r->mtu = r->conf.mtu ? r->conf.mtu : setup->v6 ? 1520 : 1500;
	r->begin = r->now = r->base = setup->epoch;
	r->next_rport = REMOTE_PORT;
	plx_addr_parse(&r->local, setup->v6 ? "fd3d:a0b:17d6::1" : "192.168.0.1");
	plx_addr_parse(&r->remote, setup->v6 ? "2001:db8::1" : "192.0.2.1");
	if (td_net_init(r)) {
		for (const struct td_event *ev = script->events; ev && !r->failed; ev = ev->next)
			run_event(r, ev);
	}
	finish(r);
	td_net_fini(r);
	return !r->failed;
}
