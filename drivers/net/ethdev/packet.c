/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

/*
 * net_af_packet's transmit calls poll() without a time limit when the kernel still holds the next
 * slot of its ring. The kernel says "writable" as long as less than half of the socket's send
 * buffer is under way; beyond that the lcore sleeps until the interface has sent, be it for ever
 * (packet(7); net/packet/af_packet.c, packet_poll() and net/core/datagram.c, datagram_poll()). A
 * send buffer that is never half full makes it return at once, and the burst be refused, as a
 * driver's should. The ring bounds what is under way all the same.
 *
 * The driver keeps its sockets to itself, so they are looked for among the files of the process.
 */

static bool is_packet_socket(int fd, unsigned int if_index)
{
	struct sockaddr_ll a = {0};
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) == 0 && a.sll_family == AF_PACKET &&
	       (unsigned int)a.sll_ifindex == if_index;
}

static void enlarge(int fd)
{
	int bytes = INT_MAX / 2; /* the most that it takes; it keeps the double */

	/* without cap_net_admin as much as net.core.wmem_max lets us */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

void ethdev__packet_no_wait(unsigned int if_index)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		int fd = atoi(e->d_name); /* "." and ".." are 0: no packet socket */

		if (is_packet_socket(fd, if_index))
			enlarge(fd);
	}
	closedir(dir);
}
