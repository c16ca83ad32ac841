#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Neighbour discovery: asked and asking, duplicate addresses on either side, neighbours that go
# stale, move, are silent.
#
#	 kernel             pollux
#	fd00:9::1  --t0--  fd00:9::2
#	fd00:9::5          fd00:9::5: has to be given up
. "$(dirname "$0")/lib.sh"

need ndisc6 ping python3 tcpdump tshark jq
netns k
scapy_up
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=fd00:9::2/64 --udp-echo 7 \
	--sysctl net.ipv4.neigh.default.base_reachable_time_ms=1000 \
	--sysctl net.ipv4.neigh.default.retrans_time_ms=200 \
	--sysctl net.ipv4.neigh.default.delay_first_probe_time=1
iface_up t0 fd00:9::1/64
capture t0
port=${port_mac[t0]} kernel=${kernel_mac[t0]}

eventually_ctl "nobody else has the address: it is ours" \
	'fd00:9::2/64 scope global[^a-z]*valid' addr
expect "ndisc6 gets an answer" ndisc6 -1 -q fd00:9::2 t0
expect_match "with the port's MAC" "$(tr A-F a-f <"$tmp/expect")" "$port"
expect "for the link-local address too" ndisc6 -1 -q "$(linklocal "$port")" t0
expect_not "for nobody else's" ndisc6 -1 -q -r 1 -w 300 fd00:9::3 t0
expect "ping" ping -q -c 1 -W $patience fd00:9::2
eventually_ctl "the kernel is a neighbour" "fd00:9::1 dev net_tap0 lladdr $kernel" neigh

# Duplicate address detection, ours.
run ip address add fd00:9::5/64 dev t0 preferred_lft 0
ctl addr add fd00:9::5/64 dev net_tap0 || fail "address not added"
eventually_ctl "an address that the kernel has is not used" "fd00:9::5/64 .*dadfailed" addr
ctl addr add fd00:9::6/64 dev net_tap0 || fail "address not added"
eventually_ctl "one that nobody has is" 'fd00:9::6/64 scope global[^a-z]*valid' addr
expect "ping it" ping -q -c 1 -W $patience fd00:9::6
ctl addr del fd00:9::6/64 dev net_tap0 || fail "address not removed"
expect_not "it is gone" ndisc6 -1 -q -r 1 -w 300 fd00:9::6 t0

# The kernel's.
run sysctl -qw net.ipv6.conf.t0.accept_dad=1 net.ipv6.conf.all.accept_dad=1
run ip address add fd00:9::2/64 dev t0
eventually "the kernel sees that fd00:9::2 is taken" \
	bash -c "ip -6 address show dev t0 | grep -q 'fd00:9::2/64.*dadfailed'"
run ip address del fd00:9::2/64 dev t0
run sysctl -qw net.ipv6.conf.t0.accept_dad=0 net.ipv6.conf.all.accept_dad=0

eventually_ctl "left alone the neighbour goes stale" "fd00:9::1 .* STALE" neigh
expect "a ping uses it" ping -q -c 1 -W $patience fd00:9::2
eventually_ctl "and has it confirmed" "fd00:9::1 .* REACHABLE" neigh

spawn ping ping -q -i 0.1 -c 60 -W 1 fd00:9::2
run ip link set t0 address 02:00:00:00:00:bb
eventually_ctl "it moves without a word, and is found" \
	"fd00:9::1 .* lladdr 02:00:00:00:00:bb .*REACHABLE" neigh
kill -INT "${pid[ping]}"
finish ping
run sysctl -qw net.ipv6.conf.t0.ndisc_notify=1
run ip link set t0 address 02:00:00:00:00:aa
eventually_ctl "it moves and says so" "fd00:9::1 .* lladdr 02:00:00:00:00:aa" neigh
expect "ping after that" ping -q -c 3 -i 0.05 -W $patience fd00:9::2

# A neighbour that never answers: frames from an address that nobody has.
scapy <<END
sendp(Ether(dst="$port") / IPv6(src="fd00:9::77", dst="fd00:9::2") / UDP(sport=7777, dport=7) /
    b"x", iface="t0", count=150, verbose=0)
END
ok "150 answers for a silent neighbour"
eventually_ctl "it is given up" "fd00:9::77 dev net_tap0 +FAILED" neigh
captured t0
expect "ping after all that" ping -q -c 1 -W $patience fd00:9::2

stop_pollux
expect_eq "those that came too many were dropped" "$(json_field .drops.NEIGH_QUEUE_FULL)" 49
expect_eq "those that waited were dropped" "$(json_field .drops.NEIGH_FAILED)" 101

ours="eth.src == $port && icmpv6"
expect_ge "solicited advertisements, from no router" "$(frames t0 "$ours.type == 136 &&
	icmpv6.nd.na.flag.s == 1 && icmpv6.nd.na.flag.o == 1 && icmpv6.nd.na.flag.r == 0")" 3
expect_eq "none from a router" "$(frames t0 "$ours.type == 136 && icmpv6.nd.na.flag.r == 1")" 0
expect_ge "who asks without an address is answered for all to hear" "$(frames t0 "
	$ours.type == 136 && icmpv6.nd.na.flag.s == 0 && ipv6.dst == ff02::1")" 1
expect_ge "probes from no address, with a nonce (RFC 7527)" "$(frames t0 "$ours.type == 135 &&
	ipv6.src == :: && icmpv6.opt.type == 14 && icmpv6.opt.type != 1")" 2
expect_ge "probes of the stale one went to it alone" "$(frames t0 "$ours.type == 135 &&
	icmpv6.nd.ns.target_address == fd00:9::1 && eth.dst == $kernel")" 1
expect_eq "3 questions for the silent one, to its group" "$(frames t0 "$ours.type == 135 &&
	icmpv6.nd.ns.target_address == fd00:9::77 && ipv6.dst == ff02::1:ff00:77")" 3
expect_eq "all with hop limit 255" "$(frames t0 "$ours.type >= 133 && icmpv6.type <= 136 &&
	ipv6.hlim != 255")" 0
