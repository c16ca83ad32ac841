/* SPDX-License-Identifier: BSD-3-Clause */
#include "up.h"

#include <errno.h>

/* Names of ports have colons, too: where the queue begins is seen when it is known which there are.
 */
int up_parse_rps(struct up_plan *plan, const char *text, struct plx_error *e)
{
	struct up_rps *r = &plan->rps[plan->n_rps];
	const char *eq = strrchr(text, '=');

	if (plan->n_rps == UP_RPS)
		return plx_error_set(e, -E2BIG, PLX_ERR_OPTION_VALUE, plan->cmd, text, "rps",
			"there are 64 maps at most");
	if (!eq || eq == text || strlen(text) >= sizeof(r->text) ||
		plx_lcore_set_parse(&r->lcores, eq + 1) != 0)
		return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, plan->cmd, text, "rps",
			"form: PORT[:QUEUE]=LCORES, as net_tap0=0,2-3");
	strcpy(r->text, text);
	snprintf(r->port, sizeof(r->port), "%.*s", (int)(eq - text), text);
	plan->n_rps++;
	return 0;
}
