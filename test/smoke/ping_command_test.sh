#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux ping` says what ping says: answers, sizes, a name, errors of routers and of neighbours
# that are not there; and pings another Pollux over memif.
#
#	 kernel a (router)      pollux ping, in a namespace of its own
#	10.9.0.1 --v0  v1-- 10.9.0.2      fd00:9::1 --v0  v1-- fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq ping ethtool
netns p
netns k
veth v0 p v1
use p
iface_up v1
use k
iface_up v0 10.9.0.1/24 fd00:9::1/64
run sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
run ip route add unreachable 10.7.0.0/16
run ip route add 10.3.0.0/16 via 10.9.0.9

# Times, and how long it took, become T; the rest has to be the same.
no_times() {
	sed -E 's/time=[0-9.]+ ms/time=T ms/; s/time [0-9]+ms/time T/; s/= [0-9./]+ ms/= T ms/
		s/ttl=[0-9]+/ttl=T/'
}

prefix[c]=$id-c
pollux_ping() { # argument...
	use p
	run "$POLLUX" --no-pci --no-huge -m 128 -l 0 --file-prefix "$id-c" \
		--vdev=net_af_packet0,iface=v1 -- ping \
		--if 0,addr=10.9.0.2/24,gw=10.9.0.1,addr=fd00:9::2/64,gw=fd00:9::1 \
		--sysctl net.ipv6.conf.all.dad_transmits=0 "$@" 2>"$tmp/err"
	status=$?
	use k
}

# The same by ping, between the same two addresses the other way round.
same() { # what address pollux's-arguments ping's-arguments
	local ours theirs
	read -ra ours <<<"$3"
	read -ra theirs <<<"$4"
	pollux_ping "$2" "${ours[@]}" >"$tmp/ours"
	expect_eq "$1: it succeeds" $status 0
	run ping -n "$2" "${theirs[@]}" >"$tmp/theirs"
	expect_eq "$1: as ping prints it" "$(no_times <"$tmp/ours")" "$(no_times <"$tmp/theirs")"
}
same "IPv4" 10.9.0.1 "--count 3 --interval 50" "-c 3 -i 0.05"
same "IPv6" fd00:9::1 "--count 2 --interval 50" "-c 2 -i 0.05"
same "a longer one" 10.9.0.1 "--count 1 --size 1400" "-c 1 -s 1400"
same "a short one" 10.9.0.1 "--count 1 --size 16" "-c 1 -s 16"
same "quiet" 10.9.0.1 "--count 2 --interval 20 --quiet" "-c 2 -i 0.02 -q"
expect_match "times are told" "$(tail -n 1 "$tmp/ours")" \
	"^rtt min/avg/max/mdev = [0-9]+\.[0-9]{3}/[0-9]+\.[0-9]{3}/[0-9]+\.[0-9]{3}/[0-9.]+ ms$"

echo "10.9.0.1 gate.example" >"$tmp/hosts"
pollux_ping --hosts "$tmp/hosts" --count 1 gate.example >"$tmp/ours"
expect_eq "by name" "$(head -n 1 "$tmp/ours")" \
	"PING gate.example (10.9.0.1) 56(84) bytes of data."
# The kernel has one bucket for all that it tells a sender, which fills in a second.
sleep 1
pollux_ping --count 2 --interval 1200 --timeout 4000 10.7.0.1 >"$tmp/ours"
expect_eq "a router that knows no way: exit code 1" $status 1
expect_eq "is told of, as ping does" "$(no_times <"$tmp/ours")" \
	"PING 10.7.0.1 (10.7.0.1) 56(84) bytes of data.
From 10.9.0.1 icmp_seq=1 Destination Host Unreachable
From 10.9.0.1 icmp_seq=2 Destination Host Unreachable

--- 10.7.0.1 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time T"
pollux_ping --count 1 --timeout 5000 10.9.0.66 >"$tmp/ours"
expect_eq "nobody has the address: we say so ourselves" "$(sed -n 2p "$tmp/ours")" \
	"From 10.9.0.2 icmp_seq=1 Destination Host Unreachable"
pollux_ping --count 1 --ttl 1 10.3.0.1 >"$tmp/ours"
expect_eq "time to live" "$(sed -n 2p "$tmp/ours")" "From 10.9.0.1 icmp_seq=1 Time to live exceeded"
pollux_ping --count 1 --df --size 2000 10.9.0.1 >"$tmp/ours"
expect_match "too big to go in one piece" "$(grep ping: "$tmp/err")" "message too long"

pollux_ping --hosts "$tmp/hosts" --nameserver 10.9.0.1 --count 1 nosuch.example >"$tmp/ours"
expect_eq "an unknown name: exit code 2" $status 2
expect_match "and why" "$(grep ping: "$tmp/err")" "ping: nosuch.example: .*name"

# Two of us.
use k
export PLX_MEM=256
memif=net_memif0,socket=$tmp/memif.sock,socket-abstract=no
start_pollux -n server -l 0 "--vdev=$memif,role=server" -- up --if "0,addr=10.6.0.1/24"
start_pollux -n client -l 1 "--vdev=$memif,role=client" -- ping --if "0,addr=10.6.0.2/24" \
	--count 5 --interval 100 --size 8000 10.6.0.1
wait_pollux -n client
stop_pollux -n server
expect_eq "two of us, in fragments: all are answered" \
	"$(json_field -n client '.ping | [.transmitted, .received, .duplicates] | @csv')" 5,5,0
expect_eq "by the other one" "$(json_field -n server .snmp.IcmpInEchos)" 5
