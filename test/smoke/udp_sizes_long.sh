#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# UDP echo of every size there is, from nothing to the largest datagram of IPv4 and of IPv6.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need python3 jq
netns k
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--udp-echo 7 --sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24 fd00:9::1/64

every() { # what address most
	expect "$1" /usr/bin/python3 - "$2" "$3" $patience <<-END
		import random, socket, sys
		address, most = sys.argv[1], int(sys.argv[2])
		s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
		                  socket.SOCK_DGRAM)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
		s.settimeout(float(sys.argv[3]))
		s.connect((address, 7))
		data = random.randbytes(most)
		for size in range(most + 1):
		    s.send(data[:size])
		    assert s.recv(65536) == data[:size], size
	END
}
every "each of 65508 sizes comes back whole" 10.9.0.2 65507
every "each of 65528 sizes comes back whole, IPv6" fd00:9::2 65527
stop_pollux
expect_eq "each was served once" "$(json_field .udp_served)" 131036
