/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

int ctl_ethtool_set(const struct ctl_peer *peer, int argc, char **argv, json_t *request)
{
	json_t *before = ctl_read(peer, "features"), *after = NULL;
	int code = CTL_FAILED;

	if (before)
		code = ctl_write(peer, request);
	else
		json_decref(request);
	if (code == CTL_OK)
		after = ctl_read(peer, "features");
	if (code == CTL_OK && !after)
		code = CTL_FAILED;
	if (after && fmt_ethtool_changes(stdout, before, after, argc, argv)) {
		fflush(stdout);
		ctl_complain("Could not change any device features");
		code = CTL_FAILED;
	}
	json_decref(before);
	json_decref(after);
	return code;
}
