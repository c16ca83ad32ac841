/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file for `up --config`: never a crash; what is refused is refused with file and line; what is
 * accepted is a plan within its bounds.
 */
#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct up_plan plan = {.cmd = "up"};
	struct plx_error e = {0};
	FILE *f;
	int err;

	if (size == 0 || size > 65536)
		return 0;
	f = fmemopen((void *)(uintptr_t)data, size, "r");
	must(f);
	plan.resolver.n_server = plan.resolver.n_search = 0;
	plan.n_if = plan.n_route = plan.n_sysctl = plan.n_service = 0;
	err = up_config_parse(f, "host.ini", &plan, &e);
	fclose(f);
	if (err) {
		refused(err, &e);
		must(strncmp(e.text, "host.ini:", 9) == 0 && e.text[9] >= '1' && e.text[9] <= '9');
	} else {
		plan_holds(&plan);
	}
	return 0;
}
