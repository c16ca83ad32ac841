#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples do what their first comment says.
#
#	 kernel                       examples
#	10.9.0.1 -------- x0 -------- udp_echo, socket_*, proto_handler 10.9.0.2
#
#	  k: 10.8.0.1 --- a0 --- l2fwd, tap_ports --- b0 --- 10.8.0.2 :b
. "$(dirname "$0")/lib.sh"

need jq nc python3 tshark
examples=$PLX_BUILD/examples

# As start_pollux has it, for a program that is not pollux: it says "ready" and goes on.
start_example() { # name argument...
	local name=$1 end=$((SECONDS + 2 * patience))
	shift
	prefix[$name]=$id-$name
	spawn "$name" "$examples/$name" --no-pci --no-huge -m 128 -l "${lcores-0}" \
		"--file-prefix=${prefix[$name]}" "$@"
	until grep -qsx ready "${out[$name]}"; do
		running "$name" || fail "$name ended before it was ready"
		[ $SECONDS -lt $end ] || fail "$name was not ready in time"
		sleep 0.05
	done
}
stop_example() { # name
	kill -INT "${pid[$1]}"
	finish "$1"
	expect_eq "$1 ended well: nothing leaked, nothing missing" $status 0
}

expect "toeplitz has Microsoft's values" "$examples/toeplitz"
expect_eq "toeplitz names a queue" \
	"$("$examples/toeplitz" -q 4 66.9.149.187 2794 161.142.100.80 1766)" \
	"hash 51ccc178  entry 120 of 128  queue 0 of 4"
expect_eq "both ways by a symmetric hash" \
	"$("$examples/toeplitz" -s 10.0.0.1 1000 10.0.0.2 80)" \
	"$("$examples/toeplitz" -s 10.0.0.2 80 10.0.0.1 1000)"
expect_not "toeplitz refuses a table that is no power of two" "$examples/toeplitz" -r 100

netns k
start_example udp_echo --vdev=net_tap0,iface=x0 -- 7 10.9.0.2/24
iface_up x0 10.9.0.1/24
expect "udp_echo is pinged" ping -c 2 -i 0.2 -W 2 10.9.0.2
expect_eq "and echoes" "$(udp_ask 10.9.0.2 7 hello)" hello
stop_example udp_echo
expect_match "and prints its account" "$(tail -n 1 "${out[udp_echo]}")" \
	'^rx [0-9]+ \+ originated [0-9]+ = transmitted .*; 0 mbufs leaked$'

start_example socket_echo --vdev=net_tap0,iface=x0 -- 10.9.0.2/24
iface_up x0 10.9.0.1/24
echoed() { # text
	echo "$1" | run timeout $patience nc -N 10.9.0.2 7
}
spawn first nc 10.9.0.2 7 # which goes on
expect_eq "socket_echo echoes" "$(echoed hello)" hello
expect_eq "to the next one, too" "$(head -c 3000 /dev/zero | tr '\0' x | run timeout $patience \
	nc -N 10.9.0.2 7 | wc -c)" 3000
stop_example socket_echo

lcores=0,1 start_example socket_thread --vdev=net_tap0,iface=x0 -- 10.9.0.2/24
iface_up x0 10.9.0.1/24
expect_eq "socket_thread answers in capitals" "$(echoed hello)" HELLO
expect_eq "and the next one" "$(echoed 'hello again')" "HELLO AGAIN"
stop_example socket_thread
expect_not "socket_thread wants an lcore for the stack" \
	env "RUNTIME_DIRECTORY=$tmp" timeout $patience \
	"$examples/socket_thread" --no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-none" -- \
	10.9.0.2/24

start_example proto_handler --vdev=net_tap0,iface=x0 -- 10.9.0.2/24
iface_up x0 10.9.0.1/24
expect "proto_handler answers its IP protocol, whole and in fragments" python3 -c '
import socket
for text in b"hello", bytes(4000):
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
	s.settimeout(5)
	s.sendto(text, ("10.9.0.2", 0))
	packet = s.recv(65535)
	assert packet[20:] == text, packet
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("x0", 0))
s.send(b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(50))
'
stop_example proto_handler
expect_eq "and counts its EtherType" "$(tail -n 1 "${out[proto_handler]}")" \
	"protocol 253: 2 packets; EtherType 88b5: 1 frames, 50 bytes; leaked 0"

between_two() { # example argument...
	start_example "$1" --vdev=net_tap0,iface=a0 --vdev=net_tap1,iface=b0 -- "${@:2}"
	ip -n "$id-k" link set b0 netns "$id-b" || skip "cannot move b0"
	use b
	iface_up b0 10.8.0.2/24
	use k
	iface_up a0 10.8.0.1/24
}
netns b
use k
between_two l2fwd
expect "l2fwd joins two links" ping -c 5 -i 0.2 -W 2 10.8.0.2
stop_example l2fwd
known=$(sed -n 's/.*to a known port \([0-9]*\),.*/\1/p' "${out[l2fwd]}")
expect_ge "what is known goes one way only" "$known" 9

between_two tap_ports "$tmp/wire.pcapng" icmp
expect "tap_ports joins them as well" ping -c 5 -i 0.2 -W 2 10.8.0.2
stop_example tap_ports
expect_eq "tap_ports has seen each ping and pong come and go" \
	"$(tshark -r "$tmp/wire.pcapng" -T fields -e frame.interface_name -e icmp.type 2>/dev/null |
		sort | uniq -c | tr -s ' \t\n' ' ')" \
	" 5 net_tap0 0 5 net_tap0 8 5 net_tap1 0 5 net_tap1 8 "
