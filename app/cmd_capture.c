/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

/*
 * The words `capture ...` behind any command are read by opt.c; alone they are this one, which does
 * nothing but receive.
 */

static const char help[] =
	"Writes packets as they pass to pcapng files. Alone it receives what comes by all ports,\n"
	"answers nothing, and ends with its captures; behind the words of another command it\n"
	"captures what that one receives, sends, forwards and drops. The word may come several\n"
	"times; what is no option of a capture is the command's, as before.\n"
	"\n"
	"Limits of --ring: files:N (keep the newest N), filesize:SIZE, duration:S, packets:N; one\n"
	"of the last three must be there. SIZE is in 1,000 bytes, or has K, M, G (1024) behind "
	"it.\n"
	"Files are called name_00001_20261129154500.pcapng then.\n"
	"With --record SIZE nothing is written until something happens (--trigger), or is asked\n"
	"for by 'pollux-ctl tap trigger N'; then the last packets of each lcore are, SIZE at\n"
	"least, each counted with 40 bytes more. Triggers, in quotes for the shell's sake:\n"
	"drops>100/1s (more within this time, otherwise 100ms; drops:REASON>0 of one reason),\n"
	"squeeze (time_squeeze), rto (a retransmission time-out), latency>500us (a pass of an\n"
	"lcore took longer), rst (a reset of TCP's), match:EXPR, end. --count counts files then.\n"
	"At the end stderr says how many were captured, left out by the filter, and lost.\n"
	"'pollux-ctl tap' begins, shows and ends captures of a process that runs.\n"
	"\n"
	"Examples:\n"
	"  pollux ... -- up --if 0,addr=10.9.0.2/24 capture -f 'tcp port 80' -w web.pcapng\n"
	"  pollux ... -- up --if 0,addr=10.9.0.2/24 capture --hook drop -w drops.pcapng \\\n"
	"      capture -w all.pcapng --ring files:10,filesize:100M\n"
	"  pollux ... -- fwd capture -w - | tshark -i -\n"
	"  pollux ... -- capture -w in.pcapng -c 100\n"
	"  pollux ... -- up --if 0,addr=10.9.0.2/24 capture -w why.pcapng --record 16M \\\n"
	"      --trigger 'rst,drops>100/100ms' --after 1s --ring files:10";

static int run(struct app *app, void *conf)
{
	const struct app_run_ops ops = {.engine = {.rx = fwd_rxonly}};
	struct app_run r = {.app = app, .ops = &ops, .mode = "", .conf = {.promisc = true}};
	int code = app_run(&r);

	return code == APP_OK && r.capture_failed ? APP_FAILED : code;
}

const struct plx_cmd cmd_capture = {
	.name = "capture",
	.summary = "capture packets to files: alone, or behind another command's words",
	.text = help,
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.run = run,
};
