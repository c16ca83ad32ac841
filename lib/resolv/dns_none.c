/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolv.h"

/* Built without c-ares: no name server is asked. */

struct resolv_dns *resolv__dns_new(struct resolv_lcore *rl)
{
	return NULL;
}

void resolv__dns_free(struct resolv_dns *d)
{
}

void resolv__dns_ask(struct resolv_dns *d, struct resolv_job *job)
{
	resolv__answered(job, EAI_FAIL);
}

plx_ns resolv__dns_run(struct resolv_dns *d, plx_ns now)
{
	return PLX_NEVER;
}
