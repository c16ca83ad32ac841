/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

#include <errno.h>

/* A call with its arguments and its result. */

static bool parse_parts(struct td_lex *l, struct td_expr *e, const char *end)
{
	struct td_expr **tail = &e->kids;

	if (td_lex_take(l, end))
		return true;
	do {
		*tail = td_alloc(l->pool, sizeof(**tail));
		if (!td_parse_expr(l, *tail))
			return false;
		tail = &(*tail)->next;
	} while (td_lex_take(l, ","));
	return td_lex_need(l, end);
}

/* "name=" or "name(...)=" before a field of a struct; elsewhere a name is a constant. */
static const char *field_name(struct td_lex *l)
{
	const char *before = l->p, *name = td_lex_name(l);

	if (name && td_lex_take(l, "(")) {
		l->p += strcspn(l->p, ")\n");
		if (*l->p == ')')
			l->p++;
	}
	if (name && td_lex_take(l, "=") && *l->p != '=')
		return name;
	l->p = before;
	return NULL;
}

static bool parse_primary(struct td_lex *l, struct td_expr *e)
{
	const char *s;

	td_lex_skip(l);
	if (td_lex_take(l, "...")) {
		e->kind = TD_EXPR_ELLIPSIS;
	} else if (td_lex_take(l, "?")) {
		e->kind = TD_EXPR_UNKNOWN;
	} else if (td_lex_take(l, "[")) {
		e->kind = TD_EXPR_LIST;
		return parse_parts(l, e, "]");
	} else if (td_lex_take(l, "{")) {
		e->kind = TD_EXPR_STRUCT;
		return parse_parts(l, e, "}");
	} else if (td_lex_take(l, "(")) {
		return td_parse_expr(l, e) && td_lex_need(l, ")");
	} else if (td_lex_take(l, "\"")) {
		e->kind = TD_EXPR_STR;
		e->s = td_lex_until(l, "\"");
	} else if (isdigit((unsigned char)*l->p) || *l->p == '-') {
		e->kind = TD_EXPR_INT;
		return td_lex_int(l, &e->v);
	} else if ((s = td_lex_name(l))) {
		e->kind = TD_EXPR_NAME;
		e->s = s;
		if (td_lex_take(l, "(")) {
			e->kind = TD_EXPR_CALL;
			return parse_parts(l, e, ")");
		}
	} else {
		return td_lex_fail(l, "expected an argument before '%.12s'", l->p);
	}
	return true;
}

bool td_parse_expr(struct td_lex *l, struct td_expr *e)
{
	const char *field = field_name(l);
	struct td_expr *left, *right;

	if (!parse_primary(l, e))
		return false;
	while (td_lex_take(l, "|")) {
		left = td_alloc(l->pool, sizeof(*left));
		right = td_alloc(l->pool, sizeof(*right));
		*left = *e;
		if (!parse_primary(l, right))
			return false;
		left->next = right;
		*e = (struct td_expr){.kind = TD_EXPR_OR, .kids = left};
	}
	e->field = field;
	return true;
}

bool td_parse_call(struct td_lex *l, struct td_call *call, struct td_time *time)
{
	int64_t v;
	const char *name;

	(void)time;
	call->name = td_lex_name(l);
	if (!call->name)
		return td_lex_fail(l, "expected a packet or a call before '%.12s'", l->p);
	call->args.kind = TD_EXPR_LIST;
	call->result = td_alloc(l->pool, sizeof(*call->result));
	if (!td_lex_need(l, "(") || !parse_parts(l, &call->args, ")") || !td_lex_need(l, "=") ||
		!td_parse_expr(l, call->result))
		return false;
	/* "-1 EAGAIN (Resource temporarily unavailable)" */
	if (td_lex_take(l, "E")) {
		l->p--;
		name = td_lex_name(l);
		if (!td_const(name, &v))
			return td_lex_fail(l, "errno '%s' is not known", name);
		call->err = (int)v;
	}
	if (td_lex_take(l, "("))
		return td_lex_until(l, ")") != NULL;
	return true;
}

const struct td_expr *td_expr_at(const struct td_expr *e, unsigned int n)
{
	const struct td_expr *k = e ? e->kids : NULL;

	while (k && n--)
		k = k->next;
	return k;
}

const struct td_expr *td_expr_field(const struct td_expr *e, const char *name)
{
	const struct td_expr *k = e ? e->kids : NULL;

	while (k && (!k->field || strcmp(k->field, name) != 0))
		k = k->next;
	return k;
}

bool td_expr_int(const struct td_expr *e, int64_t *v)
{
	int64_t right;

	if (!e)
		return false;
	switch (e->kind) {
	case TD_EXPR_INT:
		*v = e->v;
		return true;
	case TD_EXPR_NAME:
		return td_const(e->s, v);
	case TD_EXPR_OR:
		if (!td_expr_int(e->kids, v) || !td_expr_int(e->kids->next, &right))
			return false;
		*v |= right;
		return true;
	case TD_EXPR_LIST: /* [1] */
	case TD_EXPR_CALL: /* htons(8080): which address or port is of no concern */
		return td_expr_int(e->kids, v);
	default:
		return false;
	}
}
