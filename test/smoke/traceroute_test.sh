#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# traceroute finds Pollux as a host and as a router on the way: port unreachable, time exceeded, and
# from the right address. When forwarding is off nothing gets through.
#
#	 kernel a                  pollux                      kernel b
#	10.1.0.1   --t0--  10.1.0.254 10.2.0.254  --t1--  10.2.0.1
#	fd00:1::1          fd00:1::fe fd00:2::fe          fd00:2::1
. "$(dirname "$0")/lib.sh"

need traceroute ping tcpdump tshark jq
netns b
netns a
start_pollux --vdev=net_tap0,iface=t0 --vdev=net_tap1,iface=t1 -- up \
	--if 0,addr=10.1.0.254/24,addr=fd00:1::fe/64 --if 1,addr=10.2.0.254/24,addr=fd00:2::fe/64 \
	--sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1 \
	--sysctl net.ipv6.conf.all.dad_transmits=0 --sysctl net.ipv4.icmp_ratelimit=0 \
	--sysctl net.ipv4.neigh.default.retrans_time_ms=200
iface_to t1 b
iface_up t1 10.2.0.1/24 fd00:2::1/64
run ip route add default via 10.2.0.254
run ip route add default via fd00:2::fe
run sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
capture t1
use a
iface_up t0 10.1.0.1/24 fd00:1::1/64
run ip route add default via 10.1.0.254
run ip route add default via fd00:1::fe
capture t0

hops() { # argument...: the address of each hop, in order
	run traceroute -n -q 1 -w $patience "$@" >"$tmp/hops" || cat "$tmp/hops"
	awk 'NR > 1 { print $2 }' "$tmp/hops" | paste -sd ' '
}

expect_eq "Pollux itself, by a closed port" "$(hops 10.1.0.254)" 10.1.0.254
expect_eq "its far side too" "$(hops 10.2.0.254)" 10.2.0.254
expect_eq "IPv6" "$(hops fd00:1::fe)" fd00:1::fe
expect_eq "its far side too, IPv6" "$(hops fd00:2::fe)" fd00:2::fe
expect_eq "through Pollux" "$(hops 10.2.0.1)" "10.1.0.254 10.2.0.1"
expect_eq "through Pollux, IPv6" "$(hops fd00:2::1)" "fd00:1::fe fd00:2::1"
expect_eq "by ICMP" "$(hops -I 10.2.0.1)" "10.1.0.254 10.2.0.1"
expect_eq "by ICMPv6" "$(hops -I fd00:2::1)" "fd00:1::fe fd00:2::1"
expect_eq "by UDP to port 53, which nobody serves" "$(hops -U 10.2.0.1)" "10.1.0.254 10.2.0.1"
expect_eq "with long probes" "$(hops fd00:2::1 1400)" "fd00:1::fe fd00:2::1"
expect_not "time to live 1 goes one hop" ping -q -c 1 -W 0.3 -t 1 10.2.0.1
expect "time to live 2 goes two" ping -q -c 1 -W $patience -t 2 10.2.0.1
expect_not "hop limit 1 goes one hop" ping -q -c 1 -W 0.3 -t 1 fd00:2::1
expect "hop limit 2 goes two" ping -q -c 1 -W $patience -t 2 fd00:2::1
expect_match "no route: network unreachable" "$(run ping -n -c 1 -W $patience 10.3.0.1)" \
	"From 10.1.0.254 .*Destination Net Unreachable"
expect_match "no route, IPv6" "$(run ping -n -c 1 -W $patience fd00:3::1)" \
	"From fd00:1::fe .*Destination unreachable: No route"
expect_match "nobody there: host unreachable" "$(run ping -n -c 1 -W $patience 10.2.0.77)" \
	"From 10.1.0.254 .*Destination Host Unreachable"
expect_match "nobody there, IPv6" "$(run ping -n -c 1 -W $patience fd00:2::77)" \
	"From fd00:1::fe .*Destination unreachable: Address unreachable"

dropped=$(ctl drops --json | jq 'map(select(.reason == "IP_NOT_LOCAL").count) | add // 0')
expect_eq "nothing was dropped as not local while we forward" "$dropped" 0
ctl sysctl net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 >/dev/null || fail "sysctl"
expect_not "forwarding is off: nothing goes through" ping -q -c 1 -W 0.3 10.2.0.1
expect_not "nor over IPv6" ping -q -c 1 -W 0.3 fd00:2::1
captured t0
captured t1

stop_pollux
expect_eq "and that is why" "$(json_field .drops.IP_NOT_LOCAL)" 2
expect_eq "time to live ended as often as it was told" "$(json_field .drops.IP_TTL)" \
	"$(json_field '.snmp.IcmpOutTimeExcds + .snmp.Icmp6OutTimeExcds')"
expect_eq "routes were missing" "$(json_field .drops.IP_NO_ROUTE)" 2
expect_eq "neighbours were missing" "$(json_field .drops.NEIGH_FAILED)" 2
expect_eq "each error quotes at least the 8 bytes after the header (RFC 792)" "$(frames t0 "
	icmp.type in {3, 11} && eth.src == ${port_mac[t0]} && !(frame.len >= 70)")" 0
