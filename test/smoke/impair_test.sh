#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A bad link in front of net_tap: pings see its loss and its delay, and each packet that it lost is
# accounted for.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- bad(net_tap0) 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq ethtool
netns k

answered() { # ping's arguments: how many of them were
	run ping -q "$@" 10.9.0.2 | sed -n 's/.*, \([0-9]*\) received.*/\1/p'
}

start_pollux -n loss --vdev=net_tap0,iface=t0 --  up \
	--port bad=impair,lower=net_tap0,rx.loss=20%,seed=7 --if 0,addr=10.9.0.2/24
iface_up t0 10.9.0.1/24
eventually "the neighbour is found all the same" ping -q -c 1 -W 1 10.9.0.2
n=$(answered -i 0.005 -c 400 -W 1)
echo "loss: $n of 400 answered"
expect_ge "of 400 pings about 320 are answered: not too few" "$n" 270
expect_ge "and not too many" 365 "$n"
stop_pollux -n loss
expect_ge "each packet lost has its reason" "$(json_field -n loss .drops.IMPAIR_LOSS)" $((400 - n))

start_pollux -n delay --vdev=net_tap0,iface=t0 -- up \
	--port bad=impair,lower=net_tap0,tx.delay=50ms --if 0,addr=10.9.0.2/24
iface_up t0 10.9.0.1/24
eventually "delay: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
rtt=$(run ping -q -i 0.1 -c 10 10.9.0.2 | sed -n 's|^rtt.* = \([0-9]*\).*|\1|p')
expect_ge "each answer is 50 ms late" "$rtt" 50
expect_ge "and not much more" 90 "$rtt"
stop_pollux -n delay
expect_eq "delay: nothing was lost" "$(json_field -n delay \
	'.drops | del(.IP_MCAST_NOT_MEMBER, .STOPPED) | length')" 0
