/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's side: a network namespace of its own, a TAP that nobody reads for a link. */
#include "kit.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>

void settle(void)
{
	nap_ms(5);
}

unsigned int lan_index(void)
{
	return if_nametoindex(LAN);
}

static int tap;

void lan_in(const void *frame, size_t bytes)
{
	must(write(tap, frame, bytes));
}

static bool make_lan(void)
{
	struct ifreq ifr = {.ifr_name = LAN, .ifr_flags = IFF_TAP | IFF_NO_PI};

	tap = open("/dev/net/tun", O_RDWR);
	return tap >= 0 && ioctl(tap, TUNSETIFF, &ifr) == 0;
}

int side_main(int argc, char **argv, int (*main_rows)(void))
{
	static const char world[] = "exec 2>&1; set -e; export PATH=$PATH:/usr/sbin:/sbin\n"
				    "ip link set lo up\n"
				    "ip link set " LAN " up multicast on\n"
				    "ip address add " A1 "/24 brd + dev " LAN "\n"
				    "ip address add " A2 "/24 brd + dev " LAN "\n"
				    "ip address add " B1 "/64 nodad dev " LAN "\n"
				    "ip address add " B2 "/64 nodad dev " LAN "\n"
				    "ip route add unreachable 10.66.0.0/16\n"
				    "ip route add blackhole 10.67.0.0/16\n";

	if (unshare(CLONE_NEWNET) != 0) {
		printf("skip: no network namespace: %s\n", strerror(errno));
		return 77;
	}
	if (!make_lan()) {
		printf("skip: no TAP: %s\n", strerror(errno));
		return 77;
	}
	if (system(world) != 0) {
		fprintf(stderr, "cannot set up the network namespace\n");
		return 1;
	}
	return main_rows();
}
