/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request to the control socket, whatever it holds: one reply in JSON, that says ok or why not,
 * and a command runs with arguments of its own types only.
 */
#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "../../lib/telem/cmd.h"
#include "fuzz.h"

static int runs;

static int add(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	const char *local = plx_telem_args_str(args, "local");
	int64_t metric = plx_telem_args_int(args, "metric", -7);

	runs++;
	must(local && arg == &runs);
	if (metric < 0 && metric != -7)
		return plx_telem_reply_error(
			reply, -ERANGE, "%s: a metric of %lld", local, (long long)metric);
	return metric == 5 ? -EEXIST : 0;
}

static int stop(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	runs++;
	must(!plx_telem_args_str(args, "local"));
	return 0;
}

static const struct plx_telem_cmd cmd[] = {
	{.name = "addr add", .args = "local:s dev:s? metric:i?", .help = "as the real", .run = add},
	{.name = "stop", .help = "as the real", .run = stop},
};
static struct plx_telem_cmds cmds = {.cmd = cmd, .n = PLX_DIM(cmd), .arg = &runs};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool added;
	json_t *reply;
	char *text;

	if (size > PLX_TELEM_REQUEST_BYTES)
		return 0;
	if (!added)
		plx_telem_cmds_add(&cmds);
	added = true;
	runs = 0;
	text = telem__answer((const char *)data, size);
	must(text);
	reply = json_loads(text, 0, NULL);
	must(json_is_object(reply));
	if (json_is_true(json_object_get(reply, "ok"))) {
		must(runs == 1 || json_is_array(json_object_get(reply, "commands")));
	} else {
		const json_t *e = json_object_get(reply, "error");

		must(runs <= 1);
		must(json_integer_value(json_object_get(e, "errno")) > 0);
		must(*json_string_value(json_object_get(e, "message")));
	}
	json_decref(reply);
	free(text);
	return 0;
}
