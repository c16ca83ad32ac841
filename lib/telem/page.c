/* SPDX-License-Identifier: BSD-3-Clause */
#include "page.h"

#include <ctype.h>

#define TELEM_TOO_LONG (2 * TELEM_JSON_BYTES)

/* Room for one more field of so many bytes of JSON, or NULL and the row is full. */
static struct telem_field *field_new(
	struct plx_telem_row *r, const char *name, enum telem_type type, size_t value_bytes)
{
	size_t bytes = strlen(name) + 4 + value_bytes; /* "name":value, */
	struct telem_field *f;

	if (r->full || r->fields == TELEM_FIELDS ||
		r->fields - r->first[r->rows] == TELEM_ROW_FIELDS ||
		r->json_bytes + bytes > TELEM_JSON_BYTES) {
		r->full = true;
		return NULL;
	}
	r->json_bytes += (uint32_t)bytes;
	f = &r->field[r->fields++];
	*f = (struct telem_field){.name = name, .type = type};
	return f;
}

/* 22.11 reads behind its table of escapes for a byte beyond ASCII. */
static char printable(char c)
{
	return isascii((unsigned char)c) && isprint((unsigned char)c) ? c : '?';
}

/* Bytes of JSON that a text becomes, with its quotes. */
static size_t str_bytes(const char *value)
{
	size_t len = strnlen(value, TELEM_STR_BYTES - 1), escapes = 0;

	for (size_t i = 0; i < len; i++)
		escapes += value[i] == '"' || value[i] == '\\';
	return len + escapes + 2;
}

/* There is room where field_new() found some: the JSON is longer than the text and its NUL. */
static void add_text(struct plx_telem_row *r, const char *value)
{
	size_t len = strnlen(value, TELEM_STR_BYTES - 1);

	for (size_t i = 0; i < len; i++)
		r->text[r->text_len++] = printable(value[i]);
	r->text[r->text_len++] = '\0';
}

void plx_telem_row_str(struct plx_telem_row *r, const char *name, const char *value)
{
	struct telem_field *f = field_new(r, name, TELEM_STR, str_bytes(value));

	if (!f)
		return;
	f->at = r->text_len;
	add_text(r, value);
}

void plx_telem_row_strs(
	struct plx_telem_row *r, const char *name, const char *const *values, unsigned int n)
{
	size_t bytes = n <= TELEM_ARRAY ? 2 : TELEM_TOO_LONG;
	struct telem_field *f;

	for (unsigned int i = 0; i < n && bytes <= TELEM_JSON_BYTES; i++)
		bytes += str_bytes(values[i]) + 1;
	f = field_new(r, name, TELEM_STRS, bytes);
	if (!f)
		return;
	f->at = r->text_len;
	f->n = n;
	for (unsigned int i = 0; i < n; i++)
		add_text(r, values[i]);
}

/* Readers of JSON refuse the whole reply for one integer that is too big for them. */
static uint64_t as_json(uint64_t value)
{
	return PLX_MIN(value, (uint64_t)INT64_MAX);
}

void plx_telem_row_u64(struct plx_telem_row *r, const char *name, uint64_t value)
{
	struct telem_field *f = field_new(r, name, TELEM_U64, 20);

	if (f)
		f->u = as_json(value);
}

void plx_telem_row_i64(struct plx_telem_row *r, const char *name, int64_t value)
{
	struct telem_field *f = field_new(r, name, TELEM_I64, 20);

	if (f)
		f->i = value;
}

void plx_telem_row_u64s(
	struct plx_telem_row *r, const char *name, const uint64_t *values, unsigned int n)
{
	struct telem_field *f;

	f = field_new(r, name, TELEM_U64S, n <= TELEM_ARRAY ? 2 + 21 * (size_t)n : TELEM_TOO_LONG);
	if (!f)
		return;
	f->at = r->numbers;
	f->n = n;
	for (unsigned int i = 0; i < n; i++)
		r->number[r->numbers++] = as_json(values[i]);
}

/* Make one row; undo it if it does not fit. @return what row() says. */
static enum plx_telem_more add_row(
	struct plx_telem_row *page, const struct plx_telem_table *t, uint64_t *cursor)
{
	uint32_t fields = page->fields, text_len = page->text_len, numbers = page->numbers;
	uint32_t json_bytes = page->json_bytes;
	enum plx_telem_more more;

	page->first[page->rows] = fields;
	page->json_bytes += sizeof("\"255\":{},");
	more = t->row(page, cursor, t->arg);
	if (!page->full && page->fields > fields) {
		page->rows++;
		return more;
	}
	page->fields = fields;
	page->text_len = text_len;
	page->numbers = numbers;
	page->json_bytes = json_bytes;
	return more;
}

void telem__page_fill(struct plx_telem_row *page, const struct plx_telem_table *t, uint64_t cursor)
{
	page->rows = page->fields = page->text_len = page->numbers = page->json_bytes = 0;
	page->full = false;
	for (int steps = 0; steps < PLX_TELEM_STEPS && page->rows < PLX_TELEM_ROWS; steps++) {
		uint64_t at = cursor;
		enum plx_telem_more more = add_row(page, t, &cursor);

		if (page->full && page->rows) {
			cursor = at; /* again, on the next page */
			break;
		}
		page->full = false; /* a row that no page can hold is left out */
		if (more == PLX_TELEM_END)
			cursor = 0;
		if (more != PLX_TELEM_MORE)
			break;
	}
	page->first[page->rows] = page->fields;
	page->next = cursor;
}
