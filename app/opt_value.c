/* SPDX-License-Identifier: BSD-3-Clause */
#include "opt.h"

#include <errno.h>
#include <stdlib.h>

bool opt_u32(const char *s, uint32_t min, uint32_t max, uint32_t *v)
{
	unsigned long long n;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno || *end || n < min || n > max)
		return false;
	*v = (uint32_t)n;
	return true;
}

static bool choice(const char *const *choices, const char *s, uint32_t *v)
{
	for (uint32_t i = 0; choices[i]; i++)
		if (strcmp(choices[i], s) == 0) {
			*v = i;
			return true;
		}
	return false;
}

static bool append(struct opt_list *l, const char *s)
{
	if (l->n == OPT_LIST_MAX)
		return false;
	l->v[l->n++] = s;
	return true;
}

bool opt_assign(const struct opt *o, void *conf, const char *value)
{
	void *to = (char *)conf + o->offset;
	struct opt_mac *mac = to;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)to = true;
		return true;
	case OPT_U32:
		return opt_u32(value, o->min, o->max, to);
	case OPT_STR:
		*(const char **)to = value;
		return true;
	case OPT_CHOICE:
		return choice(o->choices, value, to);
	case OPT_MAC:
		mac->set = true;
		return plx_mac_parse(&mac->mac, value) == 0;
	case OPT_LIST:
		return append(to, value);
	}
	return false;
}
