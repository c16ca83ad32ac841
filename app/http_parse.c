/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_parse.h"

#include <strings.h>

/* What a byte may be part of. */
#define TOKEN  1 /* of a method or a field's name (RFC 9110, 5.6.2) */
#define TARGET 2
#define VALUE  4

#define SOLID (TARGET | VALUE)
#define ALL   (TOKEN | SOLID)
static const uint8_t class[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = ALL,
	['"'] = SOLID,
	['#' ... '\''] = ALL,
	['(' ... ')'] = SOLID,
	['*' ... '+'] = ALL,
	[','] = SOLID,
	['-' ... '.'] = ALL,
	['/'] = SOLID,
	['0' ... '9'] = ALL,
	[':' ... '@'] = SOLID,
	['A' ... 'Z'] = ALL,
	['[' ... ']'] = SOLID,
	['^' ... 'z'] = ALL,
	['{'] = SOLID,
	['|'] = ALL,
	['}'] = SOLID,
	['~'] = ALL,
	[0x80 ... 0xff] = SOLID,
};

/* A part of the text. */
struct span {
	const char *p, *end;
};

static size_t span_len(const struct span *s)
{
	return (size_t)(s->end - s->p);
}

/* The bytes of a class that s begins with; s begins behind them then. */
static struct span take(struct span *s, uint8_t what)
{
	struct span t = {s->p, s->p};

	while (t.end < s->end && (class[(uint8_t)*t.end] & what))
		t.end++;
	s->p = t.end;
	return t;
}

static bool take_char(struct span *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static void skip_blanks(struct span *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

static bool same(const struct span *s, const char *word, size_t n)
{
	return span_len(s) == n && strncasecmp(s->p, word, n) == 0;
}
#define SAME(s, word) same(s, word, sizeof(word) - 1)

/* A decimal number with nothing around it. */
static bool number(struct span s, uint64_t *v)
{
	if (s.p == s.end)
		return false;
	for (*v = 0; s.p < s.end; s.p++) {
		uint64_t digit = (uint64_t)(uint8_t)*s.p - '0';

		if (digit > 9 || *v > (UINT64_MAX - digit) / 10)
			return false;
		*v = *v * 10 + digit;
	}
	return true;
}

/* ---- the request line ---- */

/* "/path?query", or "http://host/path" as to a proxy (RFC 9112, 3.2.2); others belong to methods
 * that we don't have. */
static int target(struct http_request *r, struct span t)
{
	static const char scheme[] = "http://";

	if (span_len(&t) >= sizeof(scheme) && strncasecmp(t.p, scheme, sizeof(scheme) - 1) == 0) {
		t.p += sizeof(scheme) - 1;
		while (t.p < t.end && *t.p != '/' && *t.p != '?')
			t.p++;
		if (t.p == t.end || *t.p == '?') { /* the host alone: the root is meant */
			t.p = "/";
			t.end = t.p + 1;
		}
	} else if (t.p == t.end || (*t.p != '/' && r->method != HTTP_OTHER)) {
		return -400;
	}
	r->target = t.p;
	r->target_len = (uint32_t)span_len(&t);
	return 0;
}

static int version(struct http_request *r, const struct span *v)
{
	const char *p = v->p;

	if (span_len(v) != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' || p[5] < '0' ||
		p[5] > '9' || p[7] < '0' || p[7] > '9')
		return -400;
	if (p[5] != '1')
		return -505;
	r->old = p[7] == '0';
	r->close = r->old;
	return 0;
}

static int request_line(struct http_request *r, struct span *line)
{
	const struct span method = take(line, TOKEN);
	struct span t;
	int err;

	if (method.p == method.end || !take_char(line, ' '))
		return -400;
	r->method = HTTP_OTHER; /* methods are case-sensitive */
	if (span_len(&method) == 3 && memcmp(method.p, "GET", 3) == 0)
		r->method = HTTP_GET;
	else if (span_len(&method) == 4 && memcmp(method.p, "HEAD", 4) == 0)
		r->method = HTTP_HEAD;
	t = take(line, TARGET);
	if (!take_char(line, ' '))
		return -400;
	err = version(r, line);
	return err ? err : target(r, t);
}

/* ---- fields ---- */

/** What is known of the fields so far. */
struct fields {
	bool host, length, range, if_range;
};

/* "close", "keep-alive", and others that are no matter of ours. */
static void connection(struct http_request *r, struct span v)
{
	while (v.p < v.end) {
		struct span option = take(&v, TOKEN);

		if (SAME(&option, "close"))
			r->close = true;
		else if (SAME(&option, "keep-alive") && r->old)
			r->close = false;
		if (v.p < v.end && option.p == option.end)
			v.p++; /* a comma, a blank */
	}
}

/* "bytes=1-2", "bytes=1-", "bytes=-2". Others, and more than one, are as if not there (RFC 9110,
 * 14.2). */
static void range(struct http_request *r, struct span v)
{
	struct span first, last;
	const char *dash;

	if (span_len(&v) < 6 || strncasecmp(v.p, "bytes=", 6) != 0)
		return;
	v.p += 6;
	dash = memchr(v.p, '-', span_len(&v));
	if (!dash)
		return;
	first = (struct span){v.p, dash};
	last = (struct span){dash + 1, v.end};
	r->suffix = first.p == first.end;
	r->first = 0;
	r->last = UINT64_MAX;
	if (!r->suffix && !number(first, &r->first))
		return;
	if ((r->suffix || last.p != last.end) && !number(last, &r->last))
		return;
	r->ranged = r->suffix || r->first <= r->last;
}

static int field(
	struct http_request *r, struct fields *f, const struct span *name, const struct span *value)
{
	uint64_t n;

	switch (span_len(name)) {
	case 4:
		if (SAME(name, "host")) {
			if (f->host)
				return -400;
			f->host = true;
		}
		break;
	case 5:
		if (SAME(name, "range")) {
			range(r, *value);
			if (f->range)
				r->ranged = false;
			f->range = true;
		}
		break;
	case 8:
		if (SAME(name, "if-range"))
			f->if_range = true;
		break;
	case 10:
		if (SAME(name, "connection"))
			connection(r, *value);
		break;
	case 14:
		if (SAME(name, "content-length")) {
			if (!number(*value, &n) || (f->length && n != r->body_bytes))
				return -400;
			f->length = true;
			r->body_bytes = n;
		}
		break;
	case 17:
		if (SAME(name, "transfer-encoding"))
			r->coded = true;
		break;
	}
	return 0;
}

static int field_line(struct http_request *r, struct fields *f, struct span *line)
{
	const struct span name = take(line, TOKEN);
	struct span value;

	/* no blank in front of the colon or of the name (RFC 9112, 5.1 and 5.2) */
	if (name.p == name.end || !take_char(line, ':'))
		return -400;
	skip_blanks(line);
	value = take(line, VALUE);
	if (line->p != line->end)
		return -400;
	while (value.end > value.p && (value.end[-1] == ' ' || value.end[-1] == '\t'))
		value.end--;
	return field(r, f, &name, &value);
}

/* ---- all of it ---- */

/* The next line without its end, which may be a bare LF (RFC 9112, 2.2). @return false: there is no
 * end yet. */
static bool next_line(struct span *text, struct span *line)
{
	const char *lf = memchr(text->p, '\n', span_len(text));

	if (!lf)
		return false;
	*line = (struct span){text->p, lf > text->p && lf[-1] == '\r' ? lf - 1 : lf};
	text->p = lf + 1;
	return true;
}

static int check(struct http_request *r, const struct fields *f)
{
	if (!f->host && !r->old)
		return -400;
	if (r->coded && (f->length || r->old))
		return -400;
	/* there is no validator that it could name: the condition is false (RFC 9110, 13.1.5) */
	if (f->if_range || r->method != HTTP_GET)
		r->ranged = false;
	return 0;
}

int http_parse(struct http_request *r, const char *text, size_t n)
{
	struct span t = {text, text + PLX_MIN(n, (size_t)HTTP_HEAD_MAX)}, line;
	struct fields f = {0};
	int err;

	memset(r, 0, sizeof(*r));
	do { /* empty lines in front are passed over (RFC 9112, 2.2) */
		if (!next_line(&t, &line))
			return n >= HTTP_HEAD_MAX ? -414 : 0;
	} while (line.p == line.end);
	err = request_line(r, &line);
	while (!err) {
		if (!next_line(&t, &line))
			return n >= HTTP_HEAD_MAX ? -431 : 0;
		if (line.p == line.end)
			break;
		err = field_line(r, &f, &line);
	}
	if (!err)
		err = check(r, &f);
	r->head_bytes = (uint32_t)(t.p - text);
	return err ? err : (int)r->head_bytes;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_path(const struct http_request *r, char *out, size_t size)
{
	const char *p = r->target, *end = p + r->target_len;
	size_t n = 0;

	for (; p < end && *p != '?'; p++) {
		char c = *p;

		if (c == '%') {
			int high = end - p > 2 ? hex(p[1]) : -1, low = high >= 0 ? hex(p[2]) : -1;

			if (low < 0 || (high | low) == 0)
				return -400;
			c = (char)(high << 4 | low);
			p += 2;
		}
		if (n + 1 >= size)
			return -414;
		out[n++] = c;
	}
	out[n] = '\0';
	return (int)n;
}
