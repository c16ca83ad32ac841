/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

void td_report(const struct td_run *r, const char *name, FILE *out)
{
	uint32_t n = PLX_MIN(r->n_history, (uint32_t)TD_HISTORY);
	char text[TD_TEXT], at[32];

	if (r->ev)
		fprintf(out, "%s:%d: %s: %s\n  script:   %s\n", r->script->path, r->ev->line, name,
			r->why, r->ev->text);
	else
		fprintf(out, "%s: %s: at the end: %s\n", r->script->path, name, r->why);
	for (uint32_t i = r->n_history - n; i < r->n_history; i++) {
		const struct td_seen *seen = &r->history[i % TD_HISTORY];

		fprintf(out, "    %12s %c %s%s%s\n", td_time_text(seen->at - r->begin, at),
			seen->in ? '<' : '>', td_seen_text(seen, text),
			seen->drop ? "   dropped: " : "",
			seen->drop ? plx_drop_info[seen->drop].name : "");
	}
}
