/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>

#include <rte_eal.h>

#include <plx_telem.h>

/*
 * What pollux-ctl talks to. Tables are served by EAL's telemetry threads; commands come by the
 * control socket and run here, on the control thread.
 */

static void on_request(struct app_run *run, struct app_watch *w)
{
	plx_telem_server_serve(w->arg);
}

int app_control_start(struct app_run *run, struct plx_error *e)
{
	struct plx_telem_server *server = plx_telem_server_open(rte_eal_get_runtime_dir(), e);
	int err;

	if (!server)
		return -EIO;
	run->control = (struct app_watch){plx_telem_server_fd(server), on_request, server};
	err = plx_telem_common_add(run->tun);
	if (!err)
		err = plx_engine_telem_add(run->eng);
	if (!err)
		err = capture_ctl_add(run->captures);
	if (!err)
		err = app_run_watch(run, &run->control);
	return err ? plx_error_set(e, err, PLX_ERR_RUN, "the control socket", strerror(-err)) : 0;
}

void app_control_stop(struct app_run *run)
{
	plx_telem_server_close(run->control.arg); /* first: its end tells others that we end */
	run->control.arg = NULL;
	capture_ctl_del();
	plx_engine_telem_del();
	plx_telem_common_del();
}
