/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

#include <stdarg.h>
#include <stdlib.h>

struct td_block {
	struct td_block *next;
	max_align_t bytes[];
};

void *td_alloc(struct td_pool *pool, size_t bytes)
{
	struct td_block *b = calloc(1, sizeof(*b) + bytes);

	if (!b)
		abort();
	b->next = pool->blocks;
	pool->blocks = b;
	return b->bytes;
}

char *td_strndup(struct td_pool *pool, const char *s, size_t n)
{
	char *t = td_alloc(pool, n + 1);

	memcpy(t, s, n);
	return t;
}

void td_pool_free(struct td_pool *pool)
{
	while (pool->blocks) {
		struct td_block *b = pool->blocks;

		pool->blocks = b->next;
		free(b);
	}
}

int td_lex_line(const struct td_lex *l)
{
	int line = 1;

	for (const char *p = l->begin; p < l->p; p++)
		line += *p == '\n';
	return line;
}

bool td_lex_fail(struct td_lex *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->failed)
		return false;
	l->failed = true;
	n = snprintf(l->err, sizeof(l->err), "%.150s:%d: ", l->file, td_lex_line(l));
	va_start(ap, fmt);
	vsnprintf(l->err + n, sizeof(l->err) - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static const char *past(const char *p, const char *mark)
{
	const char *q = strstr(p, mark);

	return q ? q + strlen(mark) : p + strlen(p);
}

void td_lex_skip(struct td_lex *l)
{
	for (;;) {
		while (isspace((unsigned char)*l->p))
			l->p++;
		if (strncmp(l->p, "//", 2) == 0 || *l->p == '#')
			l->p = past(l->p, "\n");
		else if (strncmp(l->p, "/*", 2) == 0)
			l->p = past(l->p, "*/");
		else
			return;
	}
}

bool td_lex_take(struct td_lex *l, const char *s)
{
	const char *before = l->p;
	size_t n = strlen(s);

	td_lex_skip(l);
	if (strncmp(l->p, s, n) != 0) {
		l->p = before;
		return false;
	}
	l->p += n;
	return true;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool td_lex_word(struct td_lex *l, const char *s)
{
	const char *before = l->p;

	if (td_lex_take(l, s) && !in_name(*l->p))
		return true;
	l->p = before;
	return false;
}

bool td_lex_need(struct td_lex *l, const char *s)
{
	if (td_lex_take(l, s))
		return true;
	return td_lex_fail(l, "expected '%s' before '%.12s'", s, l->p);
}

const char *td_lex_name(struct td_lex *l)
{
	const char *from;

	td_lex_skip(l);
	from = l->p;
	if (isdigit((unsigned char)*from))
		return NULL;
	while (in_name(*l->p))
		l->p++;
	return l->p == from ? NULL : td_strndup(l->pool, from, (size_t)(l->p - from));
}

bool td_lex_int(struct td_lex *l, int64_t *v)
{
	const char *p;
	bool minus = td_lex_take(l, "-");
	char *end;

	td_lex_skip(l);
	p = l->p;
	if (!isdigit((unsigned char)*p))
		return td_lex_fail(l, "expected a number before '%.12s'", p);
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		*v = (int64_t)strtoull(p, &end, 16);
	else
		*v = (int64_t)strtoull(p, &end, 10);
	l->p = end;
	if (minus)
		*v = -*v;
	return true;
}

bool td_lex_u32(struct td_lex *l, uint32_t *v)
{
	int64_t n;

	if (!td_lex_int(l, &n))
		return false;
	if (n < 0 || n > UINT32_MAX)
		return td_lex_fail(l, "%lld is out of range", (long long)n);
	*v = (uint32_t)n;
	return true;
}

const char *td_lex_until(struct td_lex *l, const char *end)
{
	const char *from = l->p, *to = strstr(from, end);

	if (!to) {
		td_lex_fail(l, "'%s' is missing", end);
		return NULL;
	}
	l->p = to + strlen(end);
	return td_strndup(l->pool, from, (size_t)(to - from));
}
