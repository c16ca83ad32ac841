#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# nmap scans us, by SYN and UDP, and tries to find out what we are: it sees what is open and what is
# not, its odd packets do no harm, and each of them is accounted for.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     TCP echo 7, sink 9, source 19; UDP echo 7
. "$(dirname "$0")/lib.sh"

need nmap nc jq
netns k
start_pollux -l 0-1 --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24 --udp-echo 7 \
	--tcp-echo 7 --tcp-sink 9 --tcp-source 19 --sysctl net.ipv4.icmp_ratelimit=0
iface_up t0 10.9.0.1/24
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2

run timeout $((4 * patience)) nmap -n -sS -sU -O -p T:1-1000,U:1-40 --max-retries 2 \
	--osscan-guess -oG "$tmp/scan" 10.9.0.2 >"$tmp/nmap" 2>&1 || fail "nmap: $(cat "$tmp/nmap")"
ports=$(grep -o 'Ports: [^'$'\t'']*' "$tmp/scan")
expect_eq "the open ports are open" \
	"$(grep -oE '[0-9]+/open/(tcp|udp)' <<<"$ports" | sort -n | tr '\n' ' ')" \
	"7/open/tcp 7/open/udp 9/open/tcp 19/open/tcp "
expect_match "all others are closed, and say so" "$(cat "$tmp/nmap")" \
	"Not shown: [^"$'\n'"]*997 closed tcp ports \(reset\)[^"$'\n'"]*"
expect_match "nothing is filtered" "$(grep -c 'filtered' "$tmp/nmap")" "^0$"
expect_eq "it still echoes" "$(udp_ask 10.9.0.2 7 hello)" hello
expect_eq "by TCP, too" "$(echo hello | run timeout $patience nc -N 10.9.0.2 7)" hello
eventually_ctl "no connection is left" '^State[^'$'\n'']*$' ss -tn
stop_pollux
expect_ge "closed ports were asked" "$(json_field .drops.TCP_NO_CONN)" 997
expect_ge "of UDP, too" "$(json_field .drops.UDP_NO_PORT)" 39
