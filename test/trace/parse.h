/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What the parsers of the language share: a cursor in the text, with the first error kept.
 */
#include "lang.h"

#include <ctype.h>

struct td_lex {
	const char *p;
	const char *file;
	const char *begin;
	struct td_pool *pool;
	bool failed;
	char err[320];
};

int td_lex_line(const struct td_lex *l);
/** Keep the first error, "file:line: ...". @return false. */
bool td_lex_fail(struct td_lex *l, const char *fmt, ...) PLX_PRINTF(2, 3);
/** Over white space and comments. */
void td_lex_skip(struct td_lex *l);
/** Over white space, then over s if it stands there. */
bool td_lex_take(struct td_lex *l, const char *s);
/** The same, of a whole word. */
bool td_lex_word(struct td_lex *l, const char *s);
bool td_lex_need(struct td_lex *l, const char *s);
/** A name into the pool, or NULL. */
const char *td_lex_name(struct td_lex *l);
/** A number, decimal or hexadecimal, maybe negative. */
bool td_lex_int(struct td_lex *l, int64_t *v);
bool td_lex_u32(struct td_lex *l, uint32_t *v);
/** Text up to `end`, which is passed over. */
const char *td_lex_until(struct td_lex *l, const char *end);

bool td_parse_time(struct td_lex *l, struct td_time *t);
bool td_parse_pkt(struct td_lex *l, struct td_pkt *pkt);
bool td_parse_expr(struct td_lex *l, struct td_expr *e);
bool td_parse_call(struct td_lex *l, struct td_call *call, struct td_time *time);
