/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

/* `ethtool -K`, from the port on. @return an exit code. */
static int set(const struct ctl_peer *peer, int argc, char **argv, json_t *request)
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

int ctl_ethtool(const struct ctl_opts *o, int argc, char **argv)
{
	struct ctl_peer peer;
	json_t *request;
	char why[256];
	int code;

	if (o->features + o->set_features + o->xstats != 1) {
		ctl_complain("ethtool: one of -k, -K, -S; see 'pollux-ctl ethtool --help'");
		return CTL_USAGE;
	}
	if (!o->set_features)
		return -1;
	if (ctl_request_features(argc - 1, argv + 1, &request, why, sizeof(why)) != 0) {
		ctl_complain("ethtool: %s", why);
		return CTL_USAGE;
	}
	code = ctl_find(o->prefix, o->pid, &peer);
	if (code == CTL_OK)
		return set(&peer, argc - 1, argv + 1, request);
	json_decref(request);
	return code;
}
