#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux traceroute` finds the same routers as traceroute does from the same place, by UDP, by
# ICMP and by TCP, and says the same of a way that ends.
#
#	pollux in p             kernel r1                    kernel r2              kernel h
#	10.1.0.2 --v1  v0-- 10.1.0.1 10.2.0.1 --r1 r2-- 10.2.0.2 10.3.0.1 --h0 h1-- 10.3.0.2
. "$(dirname "$0")/lib.sh"

need jq traceroute ethtool python3
for name in h r2 r1 p; do
	netns $name
	run sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done
veth v1 r1 v0
use r1
veth r1 r2 r2
use r2
veth h0 h h1
iface_up r2 10.2.0.2/24 fd00:2::2/64
run sysctl -qw net.ipv4.neigh.h0.retrans_time_ms=100
iface_up h0 10.3.0.1/24 fd00:3::1/64
run ip route add default via 10.2.0.1
run ip -6 route add default via fd00:2::1
use h
iface_up h1 10.3.0.2/24 fd00:3::2/64
run ip route add default via 10.3.0.1
run ip -6 route add default via fd00:3::1
use r1
iface_up v0 10.1.0.1/24 fd00:1::1/64
iface_up r1 10.2.0.1/24 fd00:2::1/64
run ip route add 10.3.0.0/24 via 10.2.0.2
run ip -6 route add fd00:3::/64 via fd00:2::2

prefix[c]=$id-c
ours() { # argument...
	run "$POLLUX" --no-pci --no-huge -m 128 -l 0 --file-prefix "$id-c" \
		--vdev=net_af_packet0,iface=v1 -- traceroute \
		--if 0,addr=10.1.0.2/24,gw=10.1.0.1,addr=fd00:1::2/64,gw=fd00:1::1 \
		--sysctl net.ipv6.conf.all.dad_transmits=0 "$@" 2>"$tmp/err"
}
no_times() {
	sed -E 's/[0-9.]+ ms/T ms/g; s/ +$//'
}

use h
spawn server /usr/bin/python3 -u -c '
import socket
s = socket.create_server(("fd00:3::2", 8080), family=socket.AF_INET6)
print("up")
s.accept()
print("a connection")'
eventually_quietly grep -q up "${out[server]}"
use p
iface_up v1
ours 10.3.0.2 >"$tmp/udp4" || fail "traceroute fails: $(tail -n 2 "$tmp/err")"
ours fd00:3::2 >"$tmp/udp6"
ours --icmp 10.3.0.2 >"$tmp/icmp4"
ours --icmp --queries 1 fd00:3::2 >"$tmp/icmp6"
ours --tcp 10.3.0.2 >"$tmp/tcp4"
ours --tcp --dport 8080 --queries 1 fd00:3::2 >"$tmp/tcp6"
ours --tcp --size 200 10.3.0.2 >"$tmp/data4"
ours --tcp --size 200 --dport 8080 --queries 1 fd00:3::2 >"$tmp/data6"
ours --tcp --dport 65535 --queries 1 10.3.0.2 >"$tmp/last"
ours --dport 65506 --queries 1 10.3.0.2 >"$tmp/last_udp"
ours --queries 1 10.3.0.77 >"$tmp/none"
ours --max-hops 2 10.3.0.2 >"$tmp/max"
ours --queries 1 10.2.0.2 --json >"$tmp/json"

# Now the kernel in the same place.
run ip address add 10.1.0.2/24 dev v1
run ip address add fd00:1::2/64 dev v1 nodad
run ip route add default via 10.1.0.1
run ip -6 route add default via fd00:1::1
same() { # what file argument...
	local what=$1 file=$2
	shift 2
	run traceroute -n -w 5 "$@" | no_times >"$tmp/theirs"
	expect_eq "$what: as traceroute prints it" "$(no_times <"$tmp/$file")" \
		"$(cat "$tmp/theirs")"
}
same "UDP" udp4 10.3.0.2
same "UDP, IPv6" udp6 fd00:3::2
same "ICMP" icmp4 -I 10.3.0.2
same "ICMPv6" icmp6 -I -q 1 fd00:3::2
same "TCP, a port where nobody listens" tcp4 -T 10.3.0.2
same "TCP over IPv6, one that accepts" tcp6 -T -p 8080 -q 1 fd00:3::2
hops() {
	tail -n +2 "$tmp/$1" | no_times
}
expect_eq "TCP with data, a port where nobody listens" "$(hops data4)" "$(hops tcp4)"
expect_eq "TCP with data, one that accepts" "$(hops data6)" "$(hops tcp6)"
same "TCP to the last port" last -T -p 65535 -q 1 10.3.0.2
same "UDP up to the last port" last_udp -p 65506 -q 1 10.3.0.2
same "a way that ends" none -q 1 10.3.0.77
same "two hops at most" max -m 2 10.3.0.2
expect_eq "nobody was connected" "$(cat "${out[server]}")" up
expect_eq "with --json" "$(tail -n 1 "$tmp/json" |
	jq -c '[.reached, (.probes[] | .hop, .from)]')" '[true,1,"10.1.0.1",2,"10.2.0.2"]'
