#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pollux-ctl steer set, while packets pass: RPS maps of a router between two kernels move flows from
# one lcore to the other, and none is lost or overtaken; a port's table and key put each packet on
# the queue that a second reckoning says.
#
#	 kernel, netns a                pollux, a router               kernel, netns b
#	10.1.0.2   --ta--  net_tap0: 10.1.0.1   net_tap1: 10.2.0.1  --tb--  10.2.0.2
#
#	 kernel, netns k      pollux fwd, without a stack
#	 frames  --t0--  v -> a === b -> w  --t1--        b has RSS
. "$(dirname "$0")/lib.sh"

need jq python3 tcpdump
order=test/smoke/order.py
model() { # argument...
	/usr/bin/python3 test/smoke/steer.py "$@" 2>/dev/null
}
model make "$tmp" || skip "no scapy here"

# --- RPS ---------------------------------------------------------------------------------------

netns b
netns a
PLX_MEM=256 start_pollux --lcores '0@(0,1),3@(0,1)' --vdev=net_tap0,iface=ta \
	--vdev=net_tap1,iface=tb -- up --if net_tap0,addr=10.1.0.1/24 \
	--if net_tap1,addr=10.2.0.1/24 --sysctl net.ipv4.ip_forward=1 \
	--sysctl net.ipv6.conf.all.dad_transmits=0
iface_to tb b
iface_up tb 10.2.0.2/24
run ip route add default via 10.2.0.1
spawn receive "$order" receive 9 "$tmp/acks"
eventually "somebody listens" grep -q ready "${out[receive]}"
use a
iface_up ta 10.1.0.2/24
run ip route add default via 10.1.0.1
eventually "the way is open" ping -q -c 1 -W 1 10.2.0.2
for port in net_tap0 net_tap1; do
	expect_match "a NIC that lies is told of at start: $port" "$(cat "${err[pollux]}")" \
		"pollux: $port: the RSS of net_tap is not relied on: it advertises RSS types and \
rejects every RSS call; flows are steered in software"
done

column() { # column lcore: of softnet
	ctl softnet --json | jq ".[] | select(.cpu == $2) | .$1"
}
of() { # figure lcore: of idle
	ctl idle --json | jq ".[] | select(.lcore == $2) | .$1"
}
maps() {
	ctl steer show net_tap0 --json | jq -c '[.rps[] | [.queue, .lcores]]'
}
set_rps() { # port lcores
	ctl steer set rps "$1" "$2" || fail "steer set rps $1 $2"
}

# Until what an lcore has handed over, and been woken for, has grown so far.
moves() { # what from to
	local what=$1 from=$2 to=$3 end=$((SECONDS + patience)) handed woken
	handed=$(of handed_pkts "$from") woken=$(column received_rps "$to")
	until [ "$(of handed_pkts "$from")" -gt $((handed + 50)) ] &&
		[ "$(column received_rps "$to")" -gt $((woken + 5)) ]; do
		[ $SECONDS -lt $end ] || fail "$what"
		sleep 0.05
	done
	ok "$what"
}
# Nobody hands over any more.
stays() { # what lcore...
	local what=$1 lcore before=()
	shift
	sleep 0.1 # what was under way
	for lcore; do
		before[lcore]=$(of handed_pkts "$lcore")
	done
	sleep 0.3
	for lcore; do
		[ "$(of handed_pkts "$lcore")" -le $((before[lcore] + 5)) ] ||
			fail "$what: lcore $lcore handed over"
	done
	ok "$what"
}

spawn send "$order" send 10.2.0.2 9 "$tmp/acks" "$tmp" --flows 32
eventually "32 flows pass" grep -q sending "${out[send]}"
stays "without a map who receives forwards" 0 3
set_rps net_tap0 0
moves "all to lcore 0: lcore 3 hands over" 3 0
stays "... and lcore 0 does not" 0
expect_eq "shown" "$(maps)" '[[0,[0]],[1,[0]]]'
set_rps net_tap0 3
moves "all to lcore 3: lcore 0 hands over" 0 3
stays "... and lcore 3 does not" 3
set_rps net_tap0 0,3
moves "over both: some of lcore 0's" 0 3
moves "... and some of lcore 3's" 3 0
set_rps net_tap0:0 0
set_rps net_tap0:1 3
expect_eq "a map of each queue" "$(maps)" '[[0,[0]],[1,[3]]]'
stays "each to its own" 0 3
set_rps net_tap0:1 none
expect_eq "one map less" "$(maps)" '[[0,[0]]]'
set_rps 0 none
expect_eq "none" "$(maps)" '[]'
for ((i = 0; i < 30; i++)); do
	set_rps net_tap0 $((i % 2 * 3))
done
set_rps net_tap0 none
touch "$tmp/stop"
finish send
expect_match "nothing was lost, nothing overtaken" "$(cat "${out[send]}")" \
	"flows 32 sent [0-9]+ received [0-9]+ late 0 missing 0"

# --- what cannot be ----------------------------------------------------------------------------

refuses() { # what exit-code regex argument...
	local what=$1 code=$2 regex=$3 rc=0 said
	shift 3
	said=$(ctl "${on[@]}" steer set "$@" 2>&1 >/dev/null) || rc=$?
	expect_eq "$what" "$rc" "$code"
	expect_match "... in one line" "$said" "^pollux-ctl: [^"$'\n'"]*${regex}[^"$'\n'"]*$"
}
on=()
refuses "no such lcore" 1 "steer rps: lcore 1 is none of this run, which has 0, 3 \(EINVAL\)" \
	rps net_tap0 0-1
refuses "no lcores" 1 "'all': lcores as 0,2-3, or none \(EINVAL\)" rps net_tap0 all
refuses "no such queue" 1 "net_tap0 has 2 receive queues, numbered from 0 \(EINVAL\)" \
	rps net_tap0:2 0
refuses "no such port" 1 "no device 'eth7' \(ENODEV\)" rps eth7 0
refuses "RSS that is none" 1 \
	"steer rss: net_tap0: the driver ignores RSS settings; spread what is forwarded by RPS: \
'pollux-ctl steer set rps' \(EOPNOTSUPP\)" \
	rss net_tap0 equal 2
refuses "... nor has it a key" 1 "the driver ignores RSS settings; .*EOPNOTSUPP" \
	key net_tap0 microsoft
refuses "half a line" 2 "steer set: incomplete; form: rps PORT\[:QUEUE\] LCORES\|none" rps net_tap0
refuses "another word" 2 "'owner' is not understood: there are lcores, bucket, rps" owner 7 1
refuses "an option of explain" 2 "steer set: --queues is of explain and simulate" \
	rps net_tap0 0 --queues 2
stop_pollux
expect_eq "no backlog was full" "$(json_field '.drops.BACKLOG_FULL')" 0

# --- RSS ---------------------------------------------------------------------------------------

netns k
run sysctl -qw net.ipv6.conf.default.disable_ipv6=1
on=(-n rss)
PLX_MEM=256 start_pollux -n rss -l 0-1 -- fwd --idle sleep --port v=vtap,iface=t0,queues=2 \
	--port a=pipe,peer=b,queues=2 --port w=vtap,iface=t1,queues=2
run ip link set t0 up txqueuelen 5000
run ip link set t1 up
expect_eq "who is honest, or claims nothing, is not told of" "$(cat "${err[rss]}")" ""

by_queue() { # packets that b has received by each
	ctl -n rss dev -S b | sed -nE 's/^ *rx_queue_[0-9]+_packets: //p' | xargs
}
all=$(tcpdump -n -r "$tmp/eth.pcap" 2>/dev/null | wc -l)

# The frames of the capture, once: as many by each queue as a second reckoning says.
spreads() { # what weights
	local what=$1 weights=$2 end=$((SECONDS + patience)) was is key
	key=$(ctl -n rss steer show b --json | jq -r '.ports[0].key | map(tostring) | join(" ")' |
		xargs printf '%02x')
	read -ra was <<<"$(by_queue)"
	run "$order" frames t0 "$tmp/eth.pcap" >/dev/null || fail "frames are sent"
	until
		read -ra is <<<"$(by_queue)"
		[ $((is[0] + is[1] - was[0] - was[1])) -ge "$all" ]
	do
		[ $SECONDS -lt $end ] || fail "$what: ${is[*]} of $all packets came"
		sleep 0.05
	done
	expect_eq "$what" "$((is[0] - was[0])) $((is[1] - was[1]))" "$(model \
		queues "$tmp/eth.pcap" 2 128 "$key" 0 "$weights" |
		jq -r 'map(.packets) | join(" ")')"
}
set_rss() { # argument...
	ctl -n rss steer set "$@" || fail "steer set $*"
}
shown() {
	ctl -n rss steer show b --json | jq -c '.ports[0].indir'
}

spreads "an equal table" -
set_rss rss b weight 100 27
expect_eq "weights as another fills them" "$(shown)" "$(model table 100,27 128)"
spreads "100 to 27" 100,27
set_rss key b random
set_rss rss b start 1 equal 1
read -ra was <<<"$(by_queue)"
run "$order" frames t0 "$tmp/eth.pcap" >/dev/null || fail "frames are sent"
eventually_ctl "all IP to the second" "rx_queue_1_packets: $((was[1] + all - 8))"$'\n' \
	-n rss dev -S b
set_rss rss b weight 3 1
spreads "three to one, by another key" 3,1
set_rss key b "$(seq -s: -f%02g 10 49)"
expect_match "a key by hand" "$(ctl -n rss steer show b)" "RSS hash key:.10:11:12.*:48:49.RSS hash"
set_rss rx-flow-hash b udp4 sd
expect_match "what is hashed" "$(ctl -n rss steer show b)" \
	"RX flow hash fields:.[ ]{4}tcp4 sdfn, udp4 sd, sctp4 sdfn, "
set_rss rx-flow-hash b udp4 sdfn
set_rss key b microsoft
set_rss rss b default

refuses "more queues than there are" 1 \
	"b \(2 queues, a table of 128\): it has fewer receive queues.*EINVAL" rss b equal 3
refuses "no weight" 1 "at least one weight must be non-zero \(EINVAL\)" rss b weight 0 0
refuses "too much weight" 1 "total weight exceeds the size of the indirection table \(EINVAL\)" \
	rss b weight 100 29
refuses "a short key" 1 \
	"its key has 40 bytes: give so many in hexadecimal digits, microsoft or random \(EINVAL\)" \
	key b 6d:5a
refuses "one that has none" 1 "v: the driver has no RSS \(EOPNOTSUPP\)" rss v equal 2
refuses "no such field" 1 "udp4 sdx: sd or sdfn of tcp4, .*EINVAL" rx-flow-hash b udp4 sdx
refuses "no stack, no RPS" 1 "no command 'steer rps'.*ENOSYS" rps v 0
expect_eq "nothing was changed" "$(shown)" "$(jq -nc '[range(128) % 2]')"
stop_pollux -n rss
