/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec.h"

#include <errno.h>

int port__spec_parse(struct port_spec *s, const char *text, struct plx_error *e)
{
	const char *eq = strchr(text, '=');

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(s->name))
		return plx_error_set(e, -EINVAL, PLX_ERR_PORT_SPEC, text,
			"a name of up to 63 characters and '=' must come first");
	memcpy(s->name, text, (size_t)(eq - text));
	s->name[eq - text] = '\0';
	s->driver = eq + 1;
	s->driver_len = strcspn(s->driver, ",");
	s->args = s->driver + s->driver_len;
	if (*s->args)
		s->args++;
	return 0;
}
