/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side: a network namespace of its own, a TAP that nobody reads for a link; and a
 * mount namespace, in which the C library finds other files in /etc.
 */
#include "kit.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>

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

/* @return false: it cannot be covered. */
static bool cover(const char *path, const char *text)
{
	const char *file = world_file(text);
	bool ok = mount(file, path, NULL, MS_BIND, NULL) == 0;

	unlink(file);
	return ok;
}

static bool make_files(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       cover("/etc/hosts", HOSTS) && cover("/etc/resolv.conf", RESOLV) &&
	       cover("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n") &&
	       (access("/etc/gai.conf", F_OK) != 0 || cover("/etc/gai.conf", "\n"));
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
	if (!make_files()) {
		printf("skip: no files of our own in /etc: %s\n", strerror(errno));
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
