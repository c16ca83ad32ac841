/* SPDX-License-Identifier: BSD-3-Clause */
#include "up.h"

#include <errno.h>

#include <plx_resolv_conf.h>

/* [resolver] of the file of --config: the keys are those of NAMES_OPTS. */

static_assert(UP_SERVERS == PLX_RESOLV_SERVERS && UP_SEARCH == PLX_RESOLV_SEARCH, "as many fit");

static const char *const keys[] = {"nameserver", "search", "resolv-conf", "hosts"};

bool up_resolver_has(const char *key)
{
	for (size_t i = 0; i < PLX_DIM(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* @return false: it is too long, or nothing. */
static bool keep(char *to, size_t size, const char *value)
{
	return value[0] && (size_t)snprintf(to, size, "%s", value) < size;
}

int up_resolver_key(struct up_plan *plan, const char *key, const char *value, struct plx_error *e)
{
	struct up_resolver *r = &plan->resolver;
	const char *hint = "give a path of at most 255 characters";
	bool ok;

	if (strcmp(key, "nameserver") == 0) {
		hint = "form: 10.9.0.1, 10.9.0.1:53, [fd00:9::1]:53; 8 of them at most";
		ok = r->n_server < UP_SERVERS && plx_resolv_server_ok(value) &&
		     keep(r->server[r->n_server], sizeof(r->server[0]), value);
		r->n_server += ok;
	} else if (strcmp(key, "search") == 0) {
		hint = "8 domains at most";
		ok = r->n_search < UP_SEARCH &&
		     keep(r->search[r->n_search], sizeof(r->search[0]), value);
		r->n_search += ok;
	} else if (strcmp(key, "hosts") == 0) {
		ok = keep(r->hosts, sizeof(r->hosts), value);
	} else {
		ok = keep(r->file, sizeof(r->file), value);
	}
	return ok ? 0
		  : plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, plan->cmd, value, key, hint);
}
