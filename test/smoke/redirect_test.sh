#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Redirects on a link with two routers: Pollux as the router that sends them, which the kernel
# follows; then the kernel as the router, which Pollux follows only if it is told to.
#
#	 kernel k ---.      .--- kernel far
#	10.9.0.1     | br0  |   10.9.0.3         10.8.0.1
#	fd00:9::1    |      |   fd00:9::3        fd00:8::1
#	           t0 pollux
#	      10.9.0.2 fd00:9::2
. "$(dirname "$0")/lib.sh"

need ping jq tcpdump tshark
netns far
netns k
veth v0 far v1
run ip link add br0 type bridge mcast_snooping 0 || skip "no bridge here"
run ip link set v0 up master br0
use far
iface_up v1 10.9.0.3/24 fd00:9::3/64
run ip address add 10.8.0.1/32 dev lo
run ip address add fd00:8::1/128 dev lo
far_mac=$(run cat /sys/class/net/v1/address)
far_ll=$(linklocal "$far_mac")
use k
run sysctl -qw net.ipv4.conf.all.accept_redirects=1 net.ipv6.conf.br0.accept_redirects=1
iface_up br0 10.9.0.1/24 fd00:9::1/64
k_mac=$(run cat /sys/class/net/br0/address)
run ip link set br0 address "$k_mac" # does not take that of a port which comes later
k_ll=$(linklocal "$k_mac")

pollux_on_br0() { # name argument...
	local name=$1
	shift
	start_pollux -n "$name" --vdev=net_tap0,iface=t0 -- up \
		--if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 --udp-echo 7 \
		--sysctl net.ipv6.conf.all.dad_transmits=0 "$@"
	iface_up t0
	run ip link set t0 master br0
	for space in far k; do # another MAC each time, announced before the bridge could hear it
		use $space
		run ip neigh flush all
	done
	eventually_quietly ping -q -c 1 -W 1 10.9.0.2 || fail "no ping over the bridge"
	eventually_quietly ping -q -c 1 -W 1 fd00:9::2 || fail "no ping over the bridge, IPv6"
	capture t0
}

# --- Pollux is the router ---

pollux_on_br0 router --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1
ctl -n router route add 10.8.0.0/24 via 10.9.0.3
ctl -n router route add fd00:8::/64 via "$far_ll" dev net_tap0
run ip route add 10.8.0.0/24 via 10.9.0.2
run ip route add fd00:8::/64 via "$(linklocal "${port_mac[t0]}")" dev br0
expect_match "the kernel goes by Pollux" "$(run ip route get 10.8.0.1)" "via 10.9.0.2 "
eventually "and follows its redirect" \
	bash -c "ping -q -c 2 -i 0.1 -W 1 10.8.0.1; ip route get 10.8.0.1 | grep 'via 10.9.0.3 '"
expect_match "as a redirect" "$(run ip route get 10.8.0.1)" "redirected"
theirs=$(run ip route show cache | sed 's/expires [0-9]*/expires N/; s/dev br0/dev net_tap0/')
eventually "IPv6: the same" bash -c \
	"ping -q -c 2 -i 0.1 -W 1 fd00:8::1; ip route get fd00:8::1 | grep 'via $far_ll '"
captured t0
stop_pollux -n router
expect_ge "IPv4: some were sent" "$(json_field -n router .snmp.IcmpOutRedirects)" 1
expect_ge "IPv6: some were sent" "$(json_field -n router .snmp.Icmp6OutRedirects)" 1
expect_ge "quoting what they are about" "$(frames t0 "icmp.type == 5 && icmp.code == 1 &&
	icmp.redir_gw == 10.9.0.3 && ip.dst == 10.8.0.1")" 1
expect_ge "IPv6: the same" "$(frames t0 "icmpv6.type == 137 && ipv6.dst == fd00:9::1 &&
	icmpv6.nd.rd.target_address == $far_ll && icmpv6.rd.na.destination_address == fd00:8::1")" 1

# --- the kernel is the router ---

run sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
run ip route flush cache
run ip -6 route flush cache
run ip route replace 10.8.0.0/24 via 10.9.0.3
run ip route replace fd00:8::/64 via "$far_ll" dev br0
host() { # name argument...
	pollux_on_br0 "$@"
	ctl -n "$1" route add 10.8.0.0/24 via 10.9.0.1
	ctl -n "$1" route add fd00:8::/64 via "$k_ll" dev net_tap0
	use far
}
answers() { # what
	expect "$1: answered" ping -q -c 5 -i 0.1 -W $patience -I 10.8.0.1 10.9.0.2
	expect "$1: answered, IPv6" ping -q -c 5 -i 0.1 -W $patience -I fd00:8::1 fd00:9::2
	use k
	captured t0
}

host deaf
answers "not followed"
stop_pollux -n deaf
expect_ge "not followed: came" "$(json_field -n deaf .drops.ICMP_REDIRECT)" 2
expect_eq "not followed: all by the router" "$(frames t0 "eth.src == ${port_mac[t0]} &&
	(ip.dst == 10.8.0.1 || ipv6.dst == fd00:8::1) && eth.dst != $k_mac")" 0

host follower --sysctl net.ipv4.conf.all.accept_redirects=1 \
	--sysctl net.ipv6.conf.all.accept_redirects=1
answers followed
expect_eq "followed: told as the kernel tells it" "$(ctl -n follower -4 cache |
	sed 's/expires [0-9]*/expires N/')" "$theirs"
expect_match "followed: IPv6 too" "$(ctl -n follower -6 cache)" \
	"^fd00:8::1 via $far_ll dev net_tap0 .*<redirected>"
stop_pollux -n follower
expect_eq "followed: none refused" "$(json_field -n follower '[.drops |
	to_entries[] | select(.key | test("REDIRECT|UNMATCHED")) | .value] | add')" 0
for family in "ip.dst == 10.8.0.1" "ipv6.dst == fd00:8::1"; do
	expect_eq "followed: the first by the router ($family)" "$(frames t0 \
		"eth.src == ${port_mac[t0]} && $family && eth.dst == $k_mac")" 1
	expect_eq "followed: the others straight" "$(frames t0 \
		"eth.src == ${port_mac[t0]} && $family && eth.dst == $far_mac")" 4
done
