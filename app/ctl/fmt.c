/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#include <fnmatch.h>
#include <string.h>

const char *fmt_str(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

long long fmt_num(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* A text or a number of a row, as a text. */
static const char *key_text(const json_t *row, const char *key, char buf[static 24])
{
	if (!json_is_integer(json_object_get(row, key)))
		return fmt_str(row, key);
	snprintf(buf, 24, "%lld", fmt_num(row, key));
	return buf;
}

static bool name_wanted(const json_t *row, const struct fmt_filter *filter)
{
	char name[256], number[24];

	if (!filter->only)
		return true;
	snprintf(name, sizeof(name), "%s%s", key_text(row, filter->key, number),
		filter->key2 ? fmt_str(row, filter->key2) : "");
	return fnmatch(filter->only, name, 0) == 0;
}

static bool family_wanted(const json_t *row, const struct fmt_filter *filter)
{
	const char *address = fmt_str(row, "local");

	if (!*address)
		address = fmt_str(row, "dst");
	if (filter->v4 == filter->v6)
		return true;
	return *address && (strchr(address, ':') != NULL) == filter->v6;
}

json_t *fmt_select(const json_t *rows, const struct fmt_filter *filter)
{
	json_t *out = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (name_wanted(row, filter) && family_wanted(row, filter))
			json_array_append(out, row);
	}
	return out;
}
