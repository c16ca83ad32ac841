/* SPDX-License-Identifier: BSD-3-Clause */
#include "up.h"

#include <errno.h>

#include <plx_resolv_conf.h>

/* [resolver] of the file of --config: the keys are those of NAMES_OPTS. */

static_assert(UP_SERVERS == PLX_RESOLV_SERVERS && UP_SEARCH == PLX_RESOLV_SEARCH, "as many fit");

#define DOMAIN_MAX 253 /* characters of a name (RFC 1035, 2.3.4: 255 octets on the wire) */

static const char *const keys[] = {"nameserver", "search", "resolv-conf", "hosts"};

bool up_resolver_has(const char *key)
{
	for (size_t i = 0; i < PLX_DIM(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

int up_resolver_check(
	const char *cmd, const char *key, const char *value, uint32_t n, struct plx_error *e)
{
	const char *hint = "form: 10.9.0.1, 10.9.0.1:53, [fd00:9::1]:53; 8 of them at most";
	bool ok;

	if (strcmp(key, "nameserver") == 0) {
		ok = n < UP_SERVERS && plx_resolv_server_ok(value);
	} else {
		hint = "a domain of at most 253 characters; 8 of them at most";
		ok = n < UP_SEARCH && value[0] && strlen(value) <= DOMAIN_MAX;
	}
	return ok ? 0 : plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, cmd, value, key, hint);
}

/* @return false: it is too long, or nothing. */
static bool keep(char *to, size_t size, const char *value)
{
	return value[0] && (size_t)snprintf(to, size, "%s", value) < size;
}

int up_resolver_key(struct up_plan *plan, const char *key, const char *value, struct plx_error *e)
{
	struct up_resolver *r = &plan->resolver;
	bool server = strcmp(key, "nameserver") == 0, ok;
	int err;

	if (server || strcmp(key, "search") == 0) {
		err = up_resolver_check(
			plan->cmd, key, value, server ? r->n_server : r->n_search, e);
		if (err)
			return err;
		ok = server ? keep(r->server[r->n_server++], sizeof(r->server[0]), value)
			    : keep(r->search[r->n_search++], sizeof(r->search[0]), value);
	} else if (strcmp(key, "hosts") == 0) {
		ok = keep(r->hosts, sizeof(r->hosts), value);
	} else {
		ok = keep(r->file, sizeof(r->file), value);
	}
	return ok ? 0
		  : plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, plan->cmd, value, key,
			    "give a path of at most 255 characters");
}
