/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file for --resolv-conf, or for --hosts: never a crash; what is taken is within its bounds,
 * reads the same when it is given again, and is found again.
 */
#include <stdio.h>
#include <string.h>

#include "../../lib/resolv/text.h"
#include "fuzz.h"

static void conf(FILE *f)
{
	static struct resolv_conf c, again;
	struct plx_resolv_conf given = {0};

	resolv__conf_read(&c, f);
	must(c.n_server <= PLX_RESOLV_SERVERS && c.n_search <= PLX_RESOLV_SEARCH);
	must(c.timeout_s >= 1 && c.timeout_s <= 30 && c.attempts >= 1 && c.attempts <= 5);
	must(c.ndots <= 15);
	for (unsigned int i = 0; i < c.n_server; i++) {
		given.server[i] = c.server[i];
		must(plx_resolv_server_ok(c.server[i]));
	}
	for (unsigned int i = 0; i < c.n_search; i++)
		given.search[i] = c.search[i];
	resolv__conf_read(&again, NULL);
	must(resolv__conf_override(&again, &given) == 0);
	must(again.n_server == c.n_server && again.n_search == c.n_search);
	for (unsigned int i = 0; i < c.n_server; i++)
		must(strcmp(again.server[i], c.server[i]) == 0);
	for (unsigned int i = 0; i < c.n_search; i++)
		must(strcmp(again.search[i], c.search[i]) == 0);
}

static void hosts(FILE *f)
{
	struct resolv_hosts h;

	must(resolv__hosts_read(&h, f) == 0);
	for (unsigned int i = 0; i < h.n; i++) {
		const struct resolv_host *e;
		unsigned int at = 0;

		must(*h.host[i].name && !strpbrk(h.host[i].name, " \t\r\n#"));
		do
			e = resolv__hosts_next(&h, h.host[i].name, &at);
		while (e && e != &h.host[i]);
		must(e || h.host[i].name[strlen(h.host[i].name) - 1] == '.');
		if (h.host[i].first)
			must(resolv__hosts_name(&h, &h.host[i].addr));
	}
	resolv__hosts_free(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f;

	if (size < 2 || size > 65536)
		return 0;
	f = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
	must(f);
	if (data[0] & 1)
		conf(f);
	else
		hosts(f);
	fclose(f);
	return 0;
}
