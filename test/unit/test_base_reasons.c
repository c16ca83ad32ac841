/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>

#include <plx_base_error.h>
#include <plx_base_reasons.h>

T(every_row_is_filled_and_unique)
{
	for (int i = 0; i < PLX_DROP_MAX; i++) {
		ok(plx_drop_info[i].name && plx_drop_info[i].layer && plx_drop_info[i].text);
		for (int j = 0; j < i; j++)
			ok(strcmp(plx_drop_info[i].text, plx_drop_info[j].text) != 0 ||
				strcmp(plx_drop_info[i].layer, plx_drop_info[j].layer) != 0);
	}
	for (int i = 0; i < PLX_STAT_MAX; i++)
		for (int j = 0; j < i; j++)
			ok(strcmp(plx_stat_info[i].group, plx_stat_info[j].group) != 0 ||
				strcmp(plx_stat_info[i].name, plx_stat_info[j].name) != 0);
	for (int i = 0; i < PLX_ERR_MAX; i++)
		ok(plx_err_info[i].name[0] && plx_err_info[i].text[0] && plx_err_info[i].remedy[0]);
	for (int i = 0; i < PLX_TUN_MAX; i++)
		eq(plx_tunable_find(plx_tunable_info[i].name), i);
}

T(tunables_keep_their_bounds)
{
	struct plx_tunables t;

	plx_tunables_init(&t);
	for (int i = 0; i < PLX_TUN_MAX; i++) {
		const struct plx_tunable_info *info = &plx_tunable_info[i];

		ok(info->min <= info->def && info->def <= info->max);
		eq(t.v[i], info->def);
		eq(plx_tunable_set(&t, i, info->max), 0);
		eq(plx_tunable_set(&t, i, info->max + 1), -ERANGE);
		eq(plx_tunable_set(&t, i, info->min - 1), -ERANGE);
		eq(t.v[i], info->max);
	}
	eq(plx_tunable_find("net.ipv4.no_such_thing"), -ENOENT);
}

T(an_error_is_one_line_whatever_it_quotes)
{
	char huge[5000];
	struct plx_error e;

	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	eq(plx_error_set(&e, -EINVAL, PLX_ERR_PORT_OPEN, huge, huge, "why", "do this"), -EINVAL);
	str_eq(e.text + strlen(e.text) - strlen(" failed: why"), " failed: why");
	str_eq(e.remedy, "do this");
	plx_error_set(&e, -EINVAL, PLX_ERR_COMMAND_UNKNOWN, "a\nb\033[1m\x1f\x7f\xc3\xa9");
	str_eq(e.text, "unknown command 'a?b?[1m??\xc3\xa9'");
	str_eq(e.remedy, "see 'pollux -- --help' for the commands");
	plx_error_set(&e, -EIO, PLX_ERR_EAL_INIT, "It says why.", "do this");
	str_eq(e.text, "EAL did not start: It says why");
	eq(plx_error_set(NULL, -ENOENT, PLX_ERR_NO_PORTS), -ENOENT);
}

RUN(T_(an_error_is_one_line_whatever_it_quotes), T_(every_row_is_filled_and_unique),
	T_(tunables_keep_their_bounds))
