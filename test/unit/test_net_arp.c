/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_t.h"

T(answers_who_asks_for_us)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.2 tell 10.0.0.9");
	nt_out(0, "arp 10.0.0.2 is-at 02:00:00:00:00:02");
	nt_none();
	nt_no_drop();
}

T(is_silent_about_others)
{
	nt_simple();
	nt_in(0, "arp who-has 10.0.0.7 tell 10.0.0.9");
	nt_none();
	nt_drop(PLX_DROP_ARP_IGNORED);
}

RUN_EAL(NT_(answers_who_asks_for_us), NT_(is_silent_about_others))
