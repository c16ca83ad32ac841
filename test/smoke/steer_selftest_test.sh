#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ports that lie about their RSS: Pollux says so when it starts, and pollux-ctl steer selftest finds
# out by the packets that come.
#
#	 kernel, netns k          pollux fwd
#	 frames  --t0--  v -> a === b -> w  --t1--        b is honest, or lies in its way
. "$(dirname "$0")/lib.sh"

need jq python3
order=test/smoke/order.py
netns k
run sysctl -qw net.ipv6.conf.default.disable_ipv6=1
/usr/bin/python3 test/smoke/steer.py make "$tmp" 2>/dev/null || skip "no scapy here"
lcores=(--lcores '0@(0,1),1@(0,1)')

# --- at start ----------------------------------------------------------------------------------

PLX_MEM=384 start_pollux -n lies "${lcores[@]}" --vdev=net_null0,no-rx=1 -- fwd --idle sleep \
	--port a=pipe,peer=b,queues=2,lie=table --port c=pipe,peer=d,queues=2
stay="packets stay with the queue they come by"
expect_eq "all that lie are told of, and no other" \
	"$(sed -n 's/^pollux: \([^:]*\): the RSS of \(.*\)/\1: \2/p' "${err[lies]}")" \
	"net_null0: net_null is not relied on: it accepts a key and a table and ignores them; $stay
a: pipe is not relied on: it was given a table and has another; $stay
b: pipe is not relied on: it was given a table and has another; $stay"
rc=0
said=$(ctl -n lies steer set rss a equal 1 2>&1) || rc=$?
expect_match "nor can they be set" "$rc:$said" \
	"^1:pollux-ctl: steer rss: a: it was given a table and has another \(EOPNOTSUPP\)$"
expect_eq "selftest has nothing to ask them" "$(ctl -n lies steer selftest a)" \
	"a: it was given a table and has another: flows are steered in software"
expect_eq "... nor a driver that is known" "$(ctl -n lies steer selftest net_null0)" \
	"net_null0: the driver ignores RSS settings: flows are steered in software"
rc=0
said=$(ctl -n lies steer selftest c --for 1) || rc=$?
expect_eq "without packets it does not say" "$rc:$said" \
	"1:c: no packet came that it would hash: send it some, of several flows"
rc=0
said=$(ctl -n lies steer selftest x 2>&1) || rc=$?
expect_eq "no such port" "$rc:$said" "1:pollux-ctl: steer selftest: no port 'x'"
stop_pollux -n lies
start_pollux -n one --vdev=net_null0,no-rx=1 -- fwd --idle sleep \
	--port a=pipe,peer=b,queues=2,lie=table
expect_eq "with one queue nobody is told of" "$(grep -c RSS "${err[one]}")" 0
expect_eq "... nor judged" "$(ctl -n one steer selftest a)" \
	"a: has one receive queue: there is nothing to be spread"
stop_pollux -n one

# --- by packets --------------------------------------------------------------------------------

judged() { # lie exit-code regex
	local lie=$1 code=$2 regex=$3 rc=0 said
	PLX_MEM=256 start_pollux -n "$lie" "${lcores[@]}" -- fwd --idle sleep \
		--port v=vtap,iface=t0,queues=2 --port "a=pipe,peer=b,queues=2,lie=$lie" \
		--port w=vtap,iface=t1,queues=2
	expect_eq "$lie: at start nobody knows" "$(cat "${err[$lie]}")" ""
	run ip link set t0 up txqueuelen 5000
	run ip link set t1 up
	spawn frames "$order" frames t0 "$tmp/eth.pcap" 10000
	said=$(ctl -n "$lie" steer selftest b --for 20 2>&1) || rc=$?
	expect_eq "$lie: the exit code" "$rc" "$code"
	expect_match "$lie: in words" "$said" "$regex"
	hashing=$(ctl -n "$lie" ethtool -k b | grep receive-hashing)
	[ "$lie" != no ] || honest "$lie"
	kill "${pid[frames]}"
	finish frames
	stop_pollux -n "$lie"
}
# With another key and another table it agrees again, in any number, and so says JSON.
honest() { # name
	ctl -n "$1" steer set key b random
	ctl -n "$1" steer set rss b weight 5 1
	expect_match "it agrees by what it was given, too" \
		"$(ctl -n "$1" steer selftest b --count 64 --for 20)" \
		"^b: agrees: 64 of 64 .*, 64 of 64"
	expect_eq "all ports as JSON" "$(ctl -n "$1" steer selftest --json --count 32 --for 1 |
		jq -c 'map([.ifname, .verdict, .packets == .right_queue]) | flatten')" \
		'["v","software",true,"a","nothing",true,"b","agrees",true,"w","software",true]'
}
all="256 of 256 hashes are Toeplitz by its key" soft="flows are steered in software"
judged no 0 "^b: agrees: $all, 256 of 256 packets came by the queue of its table \
\([0-9]+.* flows\)$"
expect_match "its hash is looked at" "$hashing" "receive-hashing: on"
judged hash 1 "^b: [0-9]+ of 256 hashes are Toeplitz by its key: it does not hash as it says; \
receive-hashing is off now, $soft$"
expect_match "its hash is not looked at any more" "$hashing" "receive-hashing: off"
judged queue 1 "^b: $all, but 256 of 256 packets came by another queue than that of its table; \
lcores hand them over in software$"
expect_match "its hash is right" "$hashing" "receive-hashing: on"
judged mute 1 "^b: none of 256 packets came with a hash: it gives none; 256 came by the queue of \
its table; $soft$"
