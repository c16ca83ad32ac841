#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# More lcores than CPUs, and than queues: neighbours are found from any lcore, a group is told on
# each lcore once, an error finds the lcore of its socket, an lcore without a queue serves others.
#
#	 kernel          pollux, 4 queues
#	10.9.0.1 --t0-- 10.9.0.2      fd00:9::1 --t0-- fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
run sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
	net.ipv4.icmp_msgs_per_sec=10000 net.ipv4.icmp_msgs_burst=10000
up=(up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7)
flows=test/smoke/flows.py

expect_refused "fwd wants a queue for each lcore, and net_tap has at most 4" 1 \
	"at most 4|more than 4" \
	--no-pci --no-huge -m 512 --file-prefix="$id-fwd" --lcores '(0-4)@(0,1)' \
	--vdev=net_tap0,iface=t0 -- fwd

PLX_MEM=512 start_pollux --lcores '(0-4)@(0,1)' --vdev=net_tap0,iface=t0 -- "${up[@]}"
iface_up t0 10.9.0.1/24 fd00:9::1/64
run ip link set t0 txqueuelen 5000
expect_match "the kernel has 4 queues" "$(run ls /sys/class/net/t0/queues)" "rx-3"
expect_not "and no fifth" test -e /sys/class/net/t0/queues/rx-4
eventually "the IPv6 address is there" ping -c 1 -W 1 fd00:9::2

# The kernel knows Pollux; Pollux has to find each of these, from the lcore that the flow is on.
mac=$(run ip neigh show 10.9.0.2 dev t0 | sed 's/.*lladdr \([^ ]*\).*/\1/')
[ -n "$mac" ] || mac=$(run ip neigh show fd00:9::2 dev t0 | sed 's/.*lladdr \([^ ]*\).*/\1/')
run ip neigh replace 10.9.0.2 lladdr "$mac" dev t0 nud permanent
run ip neigh replace fd00:9::2 lladdr "$mac" dev t0 nud permanent
for i in {10..25}; do
	run ip address add "10.9.0.$i/24" dev t0
	run ip address add "fd00:9::$i/64" dev t0 nodad
done
for i in {10..25}; do
	run $flows 10.9.0.2 7 --flows 4 --count 2 --bind "10.9.0.$i" >/dev/null ||
		fail "neighbour 10.9.0.$i"
	run $flows fd00:9::2 7 --flows 4 --count 2 --bind "fd00:9::$i" >/dev/null ||
		fail "neighbour fd00:9::$i"
done
ok "16 neighbours of each family were found"

expect "64 flows are echoed" $flows 10.9.0.2 7 --flows 64 --count 10
expect "64 flows of IPv6 too" $flows fd00:9::2 7 --flows 64 --count 10
expect "datagrams of 42 fragments" $flows 10.9.0.2 7 --flows 16 --count 3 --size 60000
expect "of IPv6 too" $flows fd00:9::2 7 --flows 16 --count 3 --size 60000

expect "a group's datagram is answered once by each of the 5 lcores" \
	$flows 224.0.0.1 7 --group t0 --answers 5
expect "of IPv6 too" $flows ff02::1 7 --group t0 --answers 5
expect "and a broadcast" $flows 10.9.0.255 7 --group t0 --answers 5

expect "datagrams from sockets that nobody listens to" $flows 10.9.0.2 7 --orphans 100
stop_pollux
expect_eq "nothing was dropped but groups that we are not in" \
	"$(json_field '.drops | del(.IP_MCAST_NOT_MEMBER) | length')" 0
for i in 0 1 2 3 4; do
	expect_ge "lcore $i had its part" "$(json_field ".udp_served_by_lcore[$i]")" 100
done
expect_ge "the fifth by the others' hands" "$(json_field '[.lcores[].handed] | add')" \
	"$(json_field '.udp_served_by_lcore[4]')"
expect_eq "and received nothing itself" "$(json_field '.lcores[4].received')" 0
expect_eq "each error came to a socket" "$(json_field '.udp_errors')" 100
for i in 0 1 2 3 4; do
	expect_ge "lcore $i had its errors" "$(json_field ".udp_errors_by_lcore[$i]")" 5
done
