#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# No flow on two lcores, and each in its order: whatever brings the packets, whether they are
# forwarded by RPS or are for us. Packets have numbers, and a transmit queue is an lcore's; so who
# watches the kernel's end knows both. Devices of several queues (net_tap, net_af_packet), and of
# one, whose lcore hands over (net_pcap, net_memif).
#
#	 the kernel, netns a, or a file, or a process      pollux        the kernel, netns b
#	10.1.0.2   --ta--            a: 10.1.0.1     b: 10.2.0.1  --tb--  10.2.0.2
#	fd00:1::2  --ta--            fd00:1::1       fd00:2::1    --tb--  fd00:2::2
. "$(dirname "$0")/lib.sh"

need jq python3 ethtool
steered=test/smoke/steered.py
kinds=(udp4 tcp4 udp6 tcp6 frag4 frag6)
count=5 # packets of each flow
netns b
netns a

far=(--if "b,addr=10.2.0.1/24,addr=fd00:2::1/64")
# By chance one of four lcores has too few of 64 flows (1.5 %): it is the same chance each time.
up=(--seed 1 --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1
	--sysctl net.ipv6.conf.all.dad_transmits=0 --udp-echo 7 --mbufs 8191)
routes=(--route "10.1.0.0/16,via=10.1.0.2" --route "10.2.0.0/16,via=10.2.0.2"
	--route "fd00:1:1::/64,via=fd00:1::2" --route "fd00:2:1::/64,via=fd00:2::2")
addr=addr=10.1.0.1/24,addr=fd00:1::1/64

near_end() {
	use a
	iface_up ta 10.1.0.2/24 fd00:1::2/64
	run ip link set ta txqueuelen 5000
	run ip route replace default via 10.1.0.1
	run ip -6 route replace default via fd00:1::1
}

far_end() {
	use a
	iface_to tb b
	iface_up tb 10.2.0.2/24 fd00:2::2/64
	run ip link set tb txqueuelen 5000
	run ip route replace default via 10.2.0.1
	run ip -6 route replace default via fd00:2::1
	use a
	eventually_quietly ping -q -c 1 -W 1 10.2.0.2 || fail "$name: the way is not open"
	eventually_quietly ping -q -c 1 -W 1 fd00:2::2 || fail "$name: nor by IPv6"
}

# Frames are told apart by the number in each: none is to be merged.
no_gro() { # port...
	local port
	for port; do
		ctl -n "$name" ethtool -K "$port" gro off >/dev/null 2>&1
	done
}

watch_at() { # what netns interface how...
	local what=$1
	use "$2"
	spawn "watch.$what" $steered watch "$3" "$tmp/$what" "${@:4}"
	eventually_quietly grep -q ready "${out[watch.$what]}" || fail "nobody watches $3"
}

watched() { # what
	sleep 0.2
	kill -TERM "${pid[watch.$1]}"
	finish "watch.$1"
	[ $status = 0 ] || fail "watching failed: $(cat "${err[watch.$1]}")"
}

inject() { # netns interface mac argument...
	use "$1"
	run $steered send "${@:2}" >"$tmp/sent" || fail "frames by $2"
}

port_mac() { # port: of pollux's end
	ctl -n "$name" addr | grep -A 1 "^[0-9]*: $1: " | sed -n 's/.*ether \([^ ]*\).*/\1/p'
}

# What was seen of each kind. Fragments have one pair of addresses, and so one lcore.
holds() { # flows-of-each file kind...
	local kind said wanted='' several
	for kind in "${@:3}"; do
		several=yes
		[[ $kind != frag* ]] || several=no
		wanted+="$kind, flows: $1
$kind, all came: yes
$kind, a flow has one CPU: yes
$kind, its order is kept: yes
$kind, flows have several CPUs: $several
"
	done
	said=$($steered facts "$2" "${@:3}" --count $count | grep -v 'both ways')
	[ "$said" = "${wanted%$'\n'}" ] || fail "$name: $said"
	ok "$name: each flow on one lcore, in order: ${*:3}"
}

both_ways() { # mac-of-a mac-of-b
	watch_at out b tb queue "$lcores" in
	watch_at back a ta "${back[@]}"
	inject a ta "$1" "${kinds[@]}" --count $count
	inject b tb "$2" "${kinds[@]}" --count $count --back
	watched out
	watched back
	holds 64 "$tmp/out" "${kinds[@]}"
	holds 64 "$tmp/back" "${kinds[@]}"
	jq -s add "$tmp/out" "$tmp/back" >"$tmp/both"
	expect_eq "$name: answers on the lcore of their questions" "$($steered facts "$tmp/both" \
		"${kinds[@]}" | grep -c 'both ways have the same CPU: yes')" ${#kinds[@]}
}

# Datagrams to ourselves are answered by their owners, who are several.
answers() { # mac
	watch_at echo a ta "${back[@]}"
	inject a ta "$1" echo4 echo6 --count $count
	watched echo
	holds 64 "$tmp/echo" echo4 echo6
}

nothing_lost() {
	stop_pollux -n "$name"
	expect_eq "$name: nothing was dropped for want of room" "$(json_field -n "$name" \
		'.drops | del(.TX_DOWN) | keys |
			map(select(test("^TX_|MBUF|BACKLOG|FLOW|STOPPED"))) | length')" 0
}

# --- net_tap -----------------------------------------------------------------------------------

for lcores in 2 3 4; do
	name=tap$lcores
	back=(queue "$lcores" in)
	use a
	PLX_MEM=512 start_pollux -n "$name" --lcores "(0-$((lcores - 1)))@(0,1)" \
		--vdev=net_tap0,iface=ta -- up "${up[@]}" "${far[@]}" "${routes[@]}" \
		--port "b=vtap,iface=tb,queues=$lcores" \
		--if "0,$addr" --rps "net_tap0=0-$((lcores - 1))" --rps "b=0-$((lcores - 1))"
	no_gro b net_tap0
	near_end
	far_end
	both_ways "$(port_mac net_tap0)" "$(port_mac b)"
	answers "$(port_mac net_tap0)"
	nothing_lost
done

# --- net_af_packet -----------------------------------------------------------------------------

lcores=2
name=af_packet
kinds=(udp4 tcp4 udp6 tcp6 frag6) # of IPv4 the kernel puts fragments together for this driver
back=(cpu 2 in) # lcore i is on CPU i, and so is what it sends, until it has come
netns p
use a
veth ta p va
use p
iface_up va
run ip link set va txqueuelen 5000
PLX_MEM=512 start_pollux -n "$name" -l 0-1 \
	"--vdev=net_af_packet0,iface=va,qpairs=2,blocksz=65536,framesz=2048,framecnt=2048" \
	-- up "${up[@]}" "${far[@]}" "${routes[@]}" --if "0,$addr" \
	--port "b=vtap,iface=tb,queues=2,netns=$id-a" --rps net_af_packet0=0-1 --rps b=0-1
no_gro b net_af_packet0
near_end
far_end
both_ways "$(port_mac net_af_packet0)" "$(port_mac b)"
answers "$(port_mac net_af_packet0)"
nothing_lost
use p
run ip link del va

# --- one queue: its lcore hands over -----------------------------------------------------------

# A TUN behind it, to which packets go before anybody could have been asked for a MAC.
use b
run ip tuntap add tb mode tun multi_queue || skip "no TUN here"
run ip link set tb up txqueuelen 5000
tun=(--port "b=vtun,iface=tb,queues=2" "${far[@]}" --route "10.2.0.0/16,if=b"
	--route "fd00:2:1::/64,if=b")

one_way() { # packets
	eventually_quietly bash -c \
		"tail -n 1 '${out[$name]}' | jq -e '.ports[1].tx_packets >= $1' >/dev/null"
	watched out
	holds 64 "$tmp/out" "${kinds[@]}"
	expect_ge "$name: lcore 0 received all, and handed them over" \
		"$(ctl -n "$name" idle --json | jq '.[] | select(.lcore == 0) | .handed_pkts')" 100
	nothing_lost
}

name=pcap
kinds=(udp4 tcp6 frag4) count=4 # all at once, and less than a backlog
$steered pcap "$tmp/in.pcap" 02:00:00:00:00:01 udp4 --count 1
mac=$("$POLLUX" --no-pci --no-huge -m 64 -l 0 --file-prefix "$id-ports" \
	"--vdev=net_pcap0,rx_pcap=$tmp/in.pcap" -- ports 2>/dev/null |
	awk '$2 == "net_pcap0" { print $4 }')
$steered pcap "$tmp/in.pcap" "$mac" "${kinds[@]}" --count $count
watch_at out b tb queue 2 in
PLX_MEM=512 start_pollux -n $name --lcores '(0-1)@(0,1)' \
	"--vdev=net_pcap0,rx_pcap=$tmp/in.pcap" -- up "${up[@]}" "${tun[@]}" --if "0,$addr" \
	--rps net_pcap0=0-1
one_way 1024

# Its peer has one queue: had it two here, the second one would bring packets again.
name=memif
kinds=(udp4 tcp4 udp6 tcp6 frag4 frag6) count=5
memif=net_memif0,socket=$tmp/memif.sock,socket-abstract=no
watch_at out b tb queue 2 in
PLX_MEM=512 start_pollux -n $name --lcores '(0-1)@(0,1)' "--vdev=$memif,role=server" -- up \
	"${up[@]}" "${tun[@]}" --if "0,$addr" --rps net_memif0=0-1
no_gro net_memif0
use a
start_pollux -n feed -l 0 --vdev=net_tap0,iface=ta "--vdev=$memif,role=client" -- fwd --mode io
run ip link set ta up txqueuelen 5000
eventually_ctl "memif: the link is up" "net_memif0:.*state UP" -n $name addr
inject a ta "$(port_mac net_memif0)" "${kinds[@]}" --count $count
one_way 2560
stop_pollux -n feed
