#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# net_af_xdp over veth, one queue: ping, fragments and UDP.
#
#	 kernel              pollux in a namespace of its own
#	10.9.0.1 --v0  v1-- 10.9.0.2      fd00:9::1 --v0  v1-- fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3

netns p
netns k
veth v0 p v1
use p
iface_up v1
use k
iface_up v0 10.9.0.1/24 fd00:9::1/64
use p
! run "$POLLUX" --no-pci --no-huge -m 64 -l 0 --file-prefix="$id-try" --vdev=net_af_xdp0,iface=v1 \
	-- ports >"$tmp/try" 2>&1 && grep -q "failed" "$tmp/try" &&
	skip "no net_af_xdp here: $(tail -n 2 "$tmp/try" | head -n 1)"

start_pollux --vdev=net_af_xdp0,iface=v1,start_queue=0,queue_count=1 -- up \
	--if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7
use k
kernel_talks af_xdp
expect "a flood of pings" ping -q -f -c 2000 -W 2 10.9.0.2
stop_pollux
expect_eq "all datagrams were served" "$(json_field .udp_served)" 128
expect_eq "nothing was dropped but groups that we are not in" \
	"$(json_field '.drops | del(.IP_MCAST_NOT_MEMBER) | length')" 0
