/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

#include <errno.h>
#include <stdlib.h>

/* A script: options, then events. */

static bool at_time(const char *p)
{
	return isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]));
}

/* Seconds with up to nine decimals; the dots of "..." are not part of it. */
static bool parse_seconds(struct td_lex *l, plx_ns *t)
{
	plx_ns unit = PLX_SEC(1), most = PLX_SEC(100000000);

	td_lex_skip(l);
	if (!at_time(l->p))
		return td_lex_fail(l, "expected a time before '%.12s'", l->p);
	for (*t = 0; isdigit((unsigned char)*l->p) && *t < most; l->p++)
		*t = *t * 10 + PLX_SEC(*l->p - '0');
	if (*t >= most)
		return td_lex_fail(l, "more than three years");
	if (*l->p != '.' || l->p[1] == '.')
		return true;
	for (l->p++; isdigit((unsigned char)*l->p); l->p++)
		*t += (*l->p - '0') * (unit /= 10);
	return true;
}

/* "+.1", "0.5", "+1~+2", "*"; "+0...0.2" for a call that blocks. */
bool td_parse_time(struct td_lex *l, struct td_time *t)
{
	memset(t, 0, sizeof(*t));
	if (td_lex_take(l, "*")) {
		t->kind = TD_TIME_ANY;
		return true;
	}
	t->kind = td_lex_take(l, "+") ? TD_TIME_REL : TD_TIME_ABS;
	if (!parse_seconds(l, &t->at))
		return false;
	if (td_lex_take(l, "~")) {
		t->range = true;
		td_lex_take(l, "+");
		return parse_seconds(l, &t->end);
	}
	if (td_lex_take(l, "...")) {
		t->blocking = true;
		td_lex_take(l, "+");
		return parse_seconds(l, &t->done);
	}
	return true;
}

static bool parse_option(struct td_lex *l, struct td_conf *conf)
{
	const char *from = l->p, *name, *value = "";
	size_t n = strcspn(from, "= \t\n");

	name = td_strndup(l->pool, from, n);
	l->p += n;
	if (*l->p == '=') {
		n = strcspn(++l->p, " \t\n");
		value = td_strndup(l->pool, l->p, n);
		l->p += n;
	}
	if (strcmp(name, "tolerance_usecs") == 0)
		conf->tolerance_ns = PLX_US(atoll(value));
	else if (strcmp(name, "tcp_ts_tick_usecs") == 0)
		conf->ts_tick_us = (uint32_t)atoi(value);
	else if (strcmp(name, "mtu") == 0)
		conf->mtu = (uint16_t)atoi(value);
	else if (strcmp(name, "strict") == 0)
		conf->strict = *value != '0';
	else if (strcmp(name, "ip_version") == 0 && strcmp(value, "ipv4") == 0)
		conf->ip = TD_IP4;
	else if (strcmp(name, "ip_version") == 0)
		conf->ip = TD_IP6;
	/* all else is about devices, processes and the kernel */
	return true;
}

static const char *event_text(struct td_lex *l, const char *from)
{
	const char *to = l->p;

	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	return td_strndup(l->pool, from, (size_t)(to - from));
}

static bool parse_event(struct td_lex *l, struct td_event *ev)
{
	const char *from;

	td_lex_skip(l);
	from = l->p;
	ev->line = td_lex_line(l);
	if (*l->p != '`' && strncmp(l->p, "%{", 2) != 0 && !td_parse_time(l, &ev->time))
		return false;
	td_lex_skip(l);
	if (*l->p == '<' || *l->p == '>') {
		ev->type = TD_EVENT_PKT;
		ev->pkt.in = *l->p++ == '<';
		if (!td_parse_pkt(l, &ev->pkt))
			return false;
	} else if (*l->p == '`') {
		l->p++;
		ev->type = TD_EVENT_COMMAND;
		ev->body = td_lex_until(l, "`");
	} else if (td_lex_take(l, "%{")) {
		ev->type = TD_EVENT_CODE;
		ev->body = td_lex_until(l, "}%");
	} else {
		ev->type = TD_EVENT_CALL;
		if (!td_parse_call(l, &ev->call, &ev->time))
			return false;
	}
	ev->text = event_text(l, from);
	return !l->failed;
}

int td_script_parse(struct td_script *s, const char *path, const char *text)
{
	struct td_lex l = {.p = text, .begin = text, .file = path, .pool = &s->pool};
	struct td_event **tail = &s->events;

	s->path = path;
	s->conf =
		(struct td_conf){.tolerance_ns = PLX_US(4000), .ip = TD_IP4 | TD_IP6, .strict = -1};
	while (td_lex_take(&l, "--") && parse_option(&l, &s->conf))
		;
	for (td_lex_skip(&l); !l.failed && *l.p; td_lex_skip(&l)) {
		*tail = td_alloc(&s->pool, sizeof(**tail));
		if (parse_event(&l, *tail))
			tail = &(*tail)->next;
	}
	snprintf(s->err, sizeof(s->err), "%s", l.err);
	return l.failed ? -EINVAL : 0;
}

int td_script_load(struct td_script *s, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n, cap = 1 << 20;
	char *text;

	s->path = path;
	if (!f) {
		snprintf(s->err, sizeof(s->err), "%s: %s", path, strerror(errno));
		return -EIO;
	}
	text = td_alloc(&s->pool, cap);
	n = fread(text, 1, cap - 1, f);
	text[n] = 0;
	fclose(f);
	return td_script_parse(s, path, text);
}

void td_script_free(struct td_script *s)
{
	td_pool_free(&s->pool);
	s->events = NULL;
}
