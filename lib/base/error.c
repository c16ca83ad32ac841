/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_base_error.h"

#include <stdarg.h>
#include <stdio.h>

int plx_error_set(struct plx_error *e, int err, enum plx_err id, ...)
{
	const struct plx_err_info *info = &plx_err_info[id];
	char format[512], line[sizeof(e->text) + sizeof(e->remedy)];
	char *split;
	va_list ap;

	if (!e)
		return err;
	/* One format for both halves: a va_list must not be used again after vsnprintf(). */
	snprintf(format, sizeof(format), "%s\x1f%s", info->text, info->remedy);
	va_start(ap, id);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(line, sizeof(line), format, ap);
#pragma GCC diagnostic pop
	va_end(ap);
	split = strchr(line, '\x1f');
	if (split)
		*split++ = '\0';
	e->id = id;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)sizeof(e->text) - 1, line);
	snprintf(e->remedy, sizeof(e->remedy), "%.*s", (int)sizeof(e->remedy) - 1,
		split ? split : "");
	return err;
}
