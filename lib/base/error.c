/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_error.h"

#include <stdarg.h>
#include <stdio.h>

/* A string of the user's: as much of it as leaves room for what is said about it. */
#define STRING "%.240s"

/* Append a row's format with its strings bounded. @return the new length. */
static size_t append(char *format, size_t n, size_t size, const char *part)
{
	for (; *part && n + sizeof(STRING) < size; part++) {
		if (part[0] == '%' && part[1] == 's') {
			memcpy(format + n, STRING, sizeof(STRING) - 1);
			n += sizeof(STRING) - 1;
			part++;
		} else {
			format[n++] = *part;
		}
	}
	format[n] = '\0';
	return n;
}

/*
 * What is quoted may hold anything: the line stays one, and a terminal unharmed. A library's own
 * full stop goes: the sentence goes on.
 */
static void one_line(char *s)
{
	size_t n = strlen(s);

	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	if (n > 1 && s[-1] == '.' && s[-2] != '.')
		s[-1] = '\0';
}

int plx_error_set(struct plx_error *e, int err, enum plx_err id, ...)
{
	const struct plx_err_info *info = &plx_err_info[id];
	char format[512], line[sizeof(e->text) + sizeof(e->remedy)];
	size_t n;
	char *split;
	va_list ap;

	if (!e)
		return err;
	/* One format for both halves: a va_list must not be used again after vsnprintf(). */
	n = append(format, 0, sizeof(format), info->text);
	n = append(format, n, sizeof(format), "\x1f");
	append(format, n, sizeof(format), info->remedy);
	va_start(ap, id);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(line, sizeof(line), format, ap);
#pragma GCC diagnostic pop
	va_end(ap);
	split = strrchr(line, '\x1f');
	if (split)
		*split++ = '\0';
	one_line(line);
	e->id = id;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)sizeof(e->text) - 1, line);
	snprintf(e->remedy, sizeof(e->remedy), "%.*s", (int)sizeof(e->remedy) - 1,
		split ? split : "");
	one_line(e->remedy);
	return err;
}
