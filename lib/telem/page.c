/* SPDX-License-Identifier: BSD-3-Clause */
#include "page.h"

#include <ctype.h>

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

void plx_telem_row_str(struct plx_telem_row *r, const char *name, const char *value)
{
	size_t len = strnlen(value, TELEM_STR_BYTES - 1), escapes = 0;
	struct telem_field *f;

	for (size_t i = 0; i < len; i++)
		escapes += value[i] == '"' || value[i] == '\\';
	f = field_new(r, name, TELEM_STR, len + escapes + 2);
	if (!f)
		return;
	f->at = r->text_len; /* has room: the JSON is longer than the text and its NUL */
	for (size_t i = 0; i < len; i++)
		r->text[r->text_len++] = printable(value[i]);
	r->text[r->text_len++] = '\0';
}

void plx_telem_row_u64(struct plx_telem_row *r, const char *name, uint64_t value)
{
	struct telem_field *f = field_new(r, name, TELEM_U64, 20);

	if (f)
		f->u = value;
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

	f = field_new(r, name, TELEM_U64S, n <= TELEM_ARRAY ? 2 + 21 * (size_t)n : SIZE_MAX / 2);
	if (!f)
		return;
	f->at = r->numbers;
	f->n = n;
	memcpy(r->number + r->numbers, values, n * sizeof(*values));
	r->numbers += n;
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
