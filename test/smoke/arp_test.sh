#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ARP: asked and asking, announcing, defending its address; neighbours that go stale, move, are
# silent.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2
. "$(dirname "$0")/lib.sh"

need arping ping nc python3 tcpdump tshark jq
netns k
scapy_up
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24 --udp-echo 7 \
	--sysctl net.ipv4.neigh.default.base_reachable_time_ms=500 \
	--sysctl net.ipv4.neigh.default.retrans_time_ms=200 \
	--sysctl net.ipv4.neigh.default.delay_first_probe_time=1
iface_up t0 10.9.0.1/24
capture t0
port=${port_mac[t0]} kernel=${kernel_mac[t0]}

expect "arping gets answers" arping -q -f -w 2 -I t0 10.9.0.2
expect_not "and none for an address that nobody has" arping -q -c 1 -w 1 -I t0 10.9.0.3
expect_not "a probe (RFC 5227) finds the address taken" arping -q -D -c 1 -w 1 -I t0 10.9.0.2
expect "ping" ping -q -c 1 -W $patience 10.9.0.2
eventually_ctl "the kernel is a neighbour" "10.9.0.1 dev net_tap0 lladdr $kernel" neigh

# Left alone it goes stale; the next use has Pollux ask the kernel, and only it, again.
eventually_ctl "left alone it goes stale" "10.9.0.1 .* STALE" neigh
expect "a ping uses it" ping -q -c 1 -W $patience 10.9.0.2
eventually_ctl "and has it confirmed" "10.9.0.1 .* REACHABLE" neigh

# The kernel gets another MAC: it says so; or it asks; or it does neither and must be missed first.
run sysctl -qw net.ipv4.conf.t0.arp_notify=1
run ip link set t0 address 02:00:00:00:00:aa
eventually_ctl "it moves, with a gratuitous ARP" "10.9.0.1 .* lladdr 02:00:00:00:00:aa" neigh
run sysctl -qw net.ipv4.conf.t0.arp_notify=0
run ip link set t0 address 02:00:00:00:00:bb # an answer under way would go to the old one
expect_match "it moves and asks: no ping is lost" \
	"$(run ping -q -i 0.01 -c 50 -W $patience 10.9.0.2)" " 50 received"
run ip link set t0 address 02:00:00:00:00:cc
run ip neighbour replace 10.9.0.2 lladdr "$port" nud permanent dev t0
eventually "it moves without a word, and is found: ping" ping -q -c 1 -W 0.2 10.9.0.2
eventually_ctl "it is known by its new MAC" "10.9.0.1 .* lladdr 02:00:00:00:00:cc" neigh
run ip neighbour del 10.9.0.2 dev t0

# Somebody else says that our address is his.
scapy <<END
sendp(Ether(src="02:00:00:00:00:ee", dst="ff:ff:ff:ff:ff:ff") /
    ARP(op="is-at", hwsrc="02:00:00:00:00:ee", psrc="10.9.0.2", pdst="10.9.0.2"),
    iface="t0", count=3, inter=0.05, verbose=0)
END
ok "another claims the address"
expect "Pollux still has it" arping -q -f -w 2 -I t0 10.9.0.2
expect_eq "and has not learnt it as a neighbour's" "$(ctl neigh | grep -c '^10.9.0.2 ')" 0

# A neighbour that never answers: the kernel sends from an address that it is silent about.
run sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
run ip address add 10.9.0.77/32 dev lo
expect "150 answers for a silent neighbour" /usr/bin/python3 - <<END
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.77", 0))
for i in range(150):
    s.sendto(b"x", ("10.9.0.2", 7))
END
eventually_ctl "it is given up" "10.9.0.77 dev net_tap0 +FAILED" neigh
eventually_ctl "no more than 101 waited for it" "NEIGH_QUEUE_FULL +neigh +49" drops
captured t0 arp.duplicate-address-detected # the kernel is, and seems to be, two
expect "ping after all that" ping -q -c 1 -W $patience 10.9.0.2

stop_pollux
expect_eq "those that came too many were dropped" "$(json_field .drops.NEIGH_QUEUE_FULL)" 49
expect_eq "those that waited were dropped" "$(json_field .drops.NEIGH_FAILED)" 101

ours="eth.src == $port && arp"
expect_ge "an announcement (RFC 5227 2.3)" "$(frames t0 "$ours && arp.opcode == 1 &&
	arp.src.proto_ipv4 == 10.9.0.2 && arp.dst.proto_ipv4 == 10.9.0.2")" 1
expect_ge "probes of the stale one went to it alone" "$(frames t0 "$ours && arp.opcode == 1 &&
	arp.dst.proto_ipv4 == 10.9.0.1 && eth.dst == $kernel")" 1
expect_eq "3 questions for the silent one" "$(frames t0 "$ours &&
	arp.dst.proto_ipv4 == 10.9.0.77 && eth.dst == ff:ff:ff:ff:ff:ff")" 3
expect_eq "the defence: one announcement (RFC 5227 2.4 c)" "$(frames t0 "$ours && arp.opcode == 1 &&
	arp.src.proto_ipv4 == 10.9.0.2 && arp.dst.proto_ipv4 == 10.9.0.2 &&
	frame.time_relative > $(shark t0 -Y "eth.src == 02:00:00:00:00:ee" -T fields \
	-e frame.time_relative | head -n 1)")" 1
expect_eq "nothing for addresses of others" "$(frames t0 "$ours &&
	!(arp.src.proto_ipv4 == 10.9.0.2)")" 0
