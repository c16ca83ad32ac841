#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# net_vhost and net_virtio_user between two processes: each frame sent comes, and the stack behind
# them serves the kernel, by one pair of queues and by two.
#
#	 kernel          pollux fwd                    pollux up
#	10.9.0.1 --t0-- net_tap0  net_vhost0 --socket-- net_virtio_user0 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
export PLX_MEM=512
sock=$tmp/vhost.sock

start_pollux -n host -l 0 "--vdev=net_vhost0,iface=$sock" -- fwd --mode rxonly
start_pollux -n guest -l 1 --single-file-segments "--vdev=net_virtio_user0,path=$sock" \
	-- fwd --mode txonly --for 1
wait_pollux -n guest
stop_pollux -n host
expect_ge "frames were sent" "$(json_field -n guest .tx_packets)" 1000
sent=$(json_field -n guest .tx_packets)
expect_ge "and came, but for a ring that the end of the sender may take along" \
	"$(json_field -n host .rx_packets)" $((sent - 256))

serve() { # name queues lcores
	local host=host$1 guest=guest$1
	rm -f "$sock"
	start_pollux -n "$host" -l "$3" --vdev=net_tap0,iface=t0 \
		"--vdev=net_vhost0,iface=$sock,queues=$2" -- fwd --mode io
	start_pollux -n "$guest" -l "$3" --single-file-segments \
		"--vdev=net_virtio_user0,path=$sock,queues=$2" -- up \
		--if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7
	iface_up t0 10.9.0.1/24 fd00:9::1/64
	run ip link set t0 txqueuelen 5000
	kernel_talks "$1"
	stop_pollux -n "$guest"
	stop_pollux -n "$host"
	expect_eq "$1: all datagrams were served" "$(json_field -n "$guest" .udp_served)" 128
	expect_eq "$1: nothing was dropped but groups" "$(json_field -n "$guest" \
		'.drops | del(.IP_MCAST_NOT_MEMBER) | length')" 0
}

serve one 1 0
serve two 2 0-1
