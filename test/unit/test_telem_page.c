/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <plx_base.h>

#include "page.h"

/* --- a table of n rows whose sizes come from a seed ------------------------------------------- */

struct model {
	uint64_t rows;
	uint64_t seed;
	uint64_t calls; /* of row() */
};

static char long_text[4 * TELEM_STR_BYTES];

static struct plx_rng rng_of(const struct model *m, uint64_t i)
{
	struct plx_rng rng;

	plx_rng_init(&rng, m->seed + i);
	return rng;
}

static enum plx_telem_more model_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	static const uint64_t numbers[40];
	struct model *m = arg;
	struct plx_rng rng = rng_of(m, *cursor);

	m->calls++;
	if (*cursor >= m->rows)
		return PLX_TELEM_END;
	plx_telem_row_u64(r, "id", *cursor);
	for (uint32_t n = plx_rng_below(&rng, 12); n; n--)
		plx_telem_row_str(
			r, "text", long_text + sizeof(long_text) - 1 - plx_rng_below(&rng, 200));
	plx_telem_row_u64s(r, "numbers", numbers, plx_rng_below(&rng, PLX_DIM(numbers)));
	++*cursor;
	return PLX_TELEM_MORE;
}

/** The page as rte_telemetry of 22.11 would write it, without its name. */
static size_t json_bytes(const struct plx_telem_row *p)
{
	size_t n = strlen("{}");

	for (uint32_t i = 0; i < p->rows; i++) {
		n += (size_t)snprintf(NULL, 0, "\"%u\":{},", i);
		for (uint32_t j = p->first[i]; j < p->first[i + 1]; j++) {
			const struct telem_field *f = &p->field[j];
			const char *s = p->text + f->at;

			n += strlen(f->name) + strlen("\"\":,");
			if (f->type == TELEM_U64)
				n += (size_t)snprintf(NULL, 0, "%llu", (unsigned long long)f->u);
			else if (f->type == TELEM_U64S)
				n += strlen("[]") + f->n * strlen("0,");
			else
				for (n += 2; *s; s++)
					n += 1 + (*s == '"' || *s == '\\');
		}
	}
	return n;
}

static uint64_t first_id(const struct plx_telem_row *p, uint32_t row)
{
	return p->field[p->first[row]].u;
}

static struct plx_telem_row page;

T(every_row_comes_once_in_order_on_pages_that_fit)
{
	struct model m = {.rows = 2000, .seed = t_seed(7)};
	const struct plx_telem_table t = {.row = model_row, .arg = &m};
	uint64_t cursor = 0, wanted = 0;
	unsigned int pages = 0;

	memset(long_text, '"', sizeof(long_text) - 1); /* each costs two bytes of JSON */
	do {
		telem__page_fill(&page, &t, cursor);
		ok(page.rows > 0 && page.rows <= PLX_TELEM_ROWS);
		ok(json_bytes(&page) <= TELEM_JSON_BYTES);
		for (uint32_t i = 0; i < page.rows; i++)
			eq(first_id(&page, i), wanted++);
		cursor = page.next;
		pages++;
	} while (cursor);
	eq(wanted, m.rows);
	ok(pages > 10);
	ok(m.calls < m.rows + 2 * pages); /* only what did not fit is made twice */
}

static enum plx_telem_more tiny_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	if (*cursor > PLX_TELEM_ROWS)
		return PLX_TELEM_END;
	plx_telem_row_u64(r, "id", (*cursor)++);
	return PLX_TELEM_MORE;
}

T(small_rows_stop_at_the_limit_of_rows)
{
	const struct plx_telem_table t = {.row = tiny_row};

	telem__page_fill(&page, &t, 0);
	eq(page.rows, PLX_TELEM_ROWS);
	eq(page.next, PLX_TELEM_ROWS);
	telem__page_fill(&page, &t, page.next);
	eq(page.rows, 1);
	eq(page.next, 0);
}

T(a_cursor_beyond_the_end_gets_an_empty_page)
{
	struct model m = {.rows = 3};
	const struct plx_telem_table t = {.row = model_row, .arg = &m};

	telem__page_fill(&page, &t, UINT64_MAX);
	eq(page.rows, 0);
	eq(page.next, 0);
}

/* --- sparse tables and several owners ----------------------------------------------------------
 */

static enum plx_telem_more sparse_row(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	const uint64_t *slots = arg;

	if (*cursor == *slots)
		return PLX_TELEM_END;
	if (*cursor % 5000 == 4999)
		plx_telem_row_u64(r, "id", *cursor);
	++*cursor;
	return PLX_TELEM_MORE;
}

T(a_sparse_table_is_walked_in_bounded_steps)
{
	uint64_t slots = 10000, cursor = 0, found = 0;
	const struct plx_telem_table t = {.row = sparse_row, .arg = &slots};

	do {
		telem__page_fill(&page, &t, cursor);
		ok(!page.next || page.next - cursor == PLX_TELEM_STEPS);
		found += page.rows;
		cursor = page.next;
	} while (cursor);
	eq(found, 2);
}

static enum plx_telem_more two_owners(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	plx_telem_row_u64(r, "id", *cursor);
	++*cursor;
	return *cursor == 3 ? PLX_TELEM_TURN : *cursor == 6 ? PLX_TELEM_END : PLX_TELEM_MORE;
}

T(a_page_ends_where_the_owner_changes)
{
	const struct plx_telem_table t = {.row = two_owners};

	telem__page_fill(&page, &t, 0);
	eq(page.rows, 3);
	eq(page.next, 3);
	telem__page_fill(&page, &t, page.next);
	eq(page.rows, 3); /* a row may come with PLX_TELEM_END */
	eq(page.next, 0);
}

/* --- rows that cannot be -----------------------------------------------------------------------
 */

static enum plx_telem_more monster(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	static const uint64_t numbers[TELEM_ARRAY + 1];
	static const char *const texts[TELEM_ARRAY] = {
		[0 ... TELEM_ARRAY - 1] = "thirty-two bytes, so that it adds"};

	switch ((*cursor)++) {
	case 0:
		plx_telem_row_str(r, "id", "first");
		return PLX_TELEM_MORE;
	case 1: /* more fields than a dictionary takes */
		for (int i = 0; i < 300; i++)
			plx_telem_row_u64(r, "a", 1);
		return PLX_TELEM_MORE;
	case 2: /* more than an array takes */
		plx_telem_row_u64s(r, "a", numbers, TELEM_ARRAY + 1);
		return PLX_TELEM_MORE;
	case 3: /* more bytes than a reply takes */
		plx_telem_row_strs(r, "a", texts, TELEM_ARRAY);
		return PLX_TELEM_MORE;
	case 4:
		plx_telem_row_str(r, "id", "last");
		return PLX_TELEM_MORE;
	default:
		return PLX_TELEM_END;
	}
}

T(a_row_that_no_page_holds_is_left_out)
{
	const struct plx_telem_table t = {.row = monster};
	const char *seen[2];
	uint64_t cursor = 0;
	unsigned int n = 0, pages = 0;

	do {
		telem__page_fill(&page, &t, cursor);
		for (uint32_t i = 0; i < page.rows; i++) {
			ok(n < PLX_DIM(seen));
			seen[n++] = page.text[0] == 'f' ? "first" : "last";
		}
		cursor = page.next;
		ok(++pages < 10);
	} while (cursor);
	eq(n, 2);
	str_eq(seen[0], "first");
	str_eq(seen[1], "last");
}

static enum plx_telem_more odd_text(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	plx_telem_row_str(r, "name", arg);
	return PLX_TELEM_END;
}

T(text_is_printable_ascii_and_cut)
{
	char text[] = "t\xc3\xa4p\n0\x7f \"\\";
	struct plx_telem_table t = {.row = odd_text, .arg = text};

	telem__page_fill(&page, &t, 0);
	str_eq(page.text, "t??p?0? \"\\");
	memset(long_text, 'x', sizeof(long_text) - 1);
	t.arg = long_text;
	telem__page_fill(&page, &t, 0);
	eq(strlen(page.text), TELEM_STR_BYTES - 1);
}

RUN(T_(every_row_comes_once_in_order_on_pages_that_fit), T_(small_rows_stop_at_the_limit_of_rows),
	T_(a_cursor_beyond_the_end_gets_an_empty_page),
	T_(a_sparse_table_is_walked_in_bounded_steps), T_(a_page_ends_where_the_owner_changes),
	T_(a_row_that_no_page_holds_is_left_out), T_(text_is_printable_ascii_and_cut))
