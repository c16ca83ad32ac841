#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The link as it runs: other MTUs, another MAC, down and up, by Pollux's will and by the kernel's.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need ping tcpdump tshark jq
netns k
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--udp-echo 7 --sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24 fd00:9::1/64
capture t0
link() { # argument...
	ctl link set net_tap0 "$@" || fail "pollux-ctl link set net_tap0 $*"
}
pings() { # what
	expect "$1: ping" ping -q -c 2 -i 0.02 -W $patience 10.9.0.2
	expect "$1: ping, IPv6" ping -q -c 2 -i 0.02 -W $patience fd00:9::2
	expect "$1: ping of 5000 bytes" ping -q -c 1 -W $patience -s 5000 10.9.0.2
	expect "$1: ping of 5000 bytes, IPv6" ping -q -c 1 -W $patience -s 5000 fd00:9::2
}
frames_over() { # bytes: how many of Pollux's, since the last mark
	frames t0 "eth.src == ${port_mac[t0]} && frame.number > $mark && frame.len > $1"
}
pings "MTU 1500"
for mtu in 1400 1280; do
	link mtu $mtu
	eventually_ctl "MTU $mtu" "net_tap0: .* mtu $mtu " addr
	mark=$(frames t0 frame)
	pings "MTU $mtu"
	expect_eq "MTU $mtu: no frame is longer" "$(frames_over $((mtu + 14)))" 0
	expect_ge "MTU $mtu: fragments fill it" "$(frames_over $((mtu + 14 - 8)))" 6
done
# What is sent obeys; what comes may be longer. (net_tap has set the kernel's end too.)
run ip link set t0 mtu 1500
expect "ping of 1400 bytes" ping -q -c 1 -W $patience -s 1400 10.9.0.2
expect "ping of 1400 bytes, IPv6" ping -q -c 1 -W $patience -s 1400 fd00:9::2
for mtu in 50 9000; do
	expect_not "an MTU of $mtu is refused (net_tap takes 68 to 1500)" \
		"$POLLUX_CTL" --file-prefix "${prefix[pollux]}" link set net_tap0 mtu $mtu
done
link mtu 1500
captured t0

# Another MAC: announced, so that the kernel needs not ask.
capture t0
expect "ping" ping -q -c 1 -W $patience 10.9.0.2
link address 02:00:00:00:00:77
port_mac[t0]=02:00:00:00:00:77
eventually "the kernel hears of the new MAC" \
	bash -c "ip neighbour show 10.9.0.2 dev t0 | grep -q 02:00:00:00:00:77"
pings "another MAC"

# Down and up by Pollux: it is deaf, then as before, its neighbours asked anew.
link down
eventually_ctl "down" "net_tap0: <[A-Z,]*> .* state DOWN" addr
expect_eq "its neighbours are forgotten" "$(ctl neigh | wc -l)" 0
expect_not "no answer" ping -q -c 1 -W 0.5 10.9.0.2
link up
run ip address replace fd00:9::1/64 dev t0 nodad # the kernel has dropped it with the link
eventually "up again: ping" ping -q -c 1 -W 0.5 10.9.0.2
pings "up again"
captured t0

# Down and up by the kernel: frames cannot leave, and Pollux does not wear itself out over it.
cpu() { # clock ticks that pollux has used
	awk '{ print $14 + $15 }' "/proc/${pid[pollux]}/stat"
}
run ip link set t0 down
ctl addr add fd00:9::66/64 dev net_tap0 || fail "address not added" # has things to say
ticks=$(cpu)
sleep 1
ticks=$(($(cpu) - ticks))
[ $ticks -lt 30 ] || fail "1 s without a link has cost $ticks ticks of CPU"
ok "without a link it rests ($ticks ticks of CPU in 1 s)"
told=.snmp.Icmp6OutNeighborAdvertisements
before=$(json_field $told)
run ip link set t0 up
run ip address replace fd00:9::1/64 dev t0 nodad
eventually "up again by the kernel: its three addresses are announced" bash -c \
	"tail -n 1 '${out[pollux]}' | jq -e '$told >= $before + 3' >/dev/null"
eventually "up again by the kernel: ping" ping -q -c 1 -W 0.5 10.9.0.2
pings "up again by the kernel"

stop_pollux
expect_ge "what could not leave was dropped for that" "$(json_field .drops.TX_DOWN)" 1
