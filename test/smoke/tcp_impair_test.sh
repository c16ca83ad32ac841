#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# TCP over a link that loses and reorders: what arrives is what was sent, both ways.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- bad(net_tap0) 10.9.0.2     echo 7
. "$(dirname "$0")/lib.sh"

need nc jq ethtool sha256sum
netns k
head -c 2000000 /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")

bad() { # name impairment
	start_pollux -n "$1" --vdev=net_tap0,iface=t0 -- up \
		--port "bad=impair,lower=net_tap0,$2,seed=7" \
		--if 0,addr=10.9.0.2/24 --tcp-echo 7
	iface_up t0 10.9.0.1/24
	eventually "$1: the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
	expect_eq "$1: 2 MB come back whole" \
		"$(run timeout $((3 * patience)) nc -N 10.9.0.2 7 <"$tmp/data" | sha256sum)" "$sum"
	stop_pollux -n "$1"
}

bad loss loss=2%
expect_ge "some was lost" "$(json_field -n loss .drops.IMPAIR_LOSS)" 20
expect_ge "and sent again" "$(json_field -n loss .snmp.TcpRetransSegs)" 5
expect_ge "by SACK" "$(json_field -n loss .snmp.TcpExtTCPSackRecovery)" 1
bad reorder reorder=10%:1ms
expect_ge "what came out of order was kept" "$(json_field -n reorder .snmp.TcpExtTCPOFOQueue)" 10
