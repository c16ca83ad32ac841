#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two processes test each other over memif: each kind of `load` against `echo`, `discard`, `http`.
# What one has sent the other has received; latencies make sense; nothing is left open.
#
#	pollux load                      pollux echo, discard, http
#	10.9.0.1 net_memif0 --socket-- net_memif0 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq
need_root
export PLX_MEM=512
memif=net_memif0,socket=$tmp/memif.sock,socket-abstract=no

serve() { # name command...
	local name=$1
	shift
	rm -f "$tmp/memif.sock"
	start_pollux -n "$name" -l 0 "--vdev=$memif,role=server" -- "$@" --if 0,addr=10.9.0.2/24
}

load() { # name argument...
	local name=$1
	shift
	start_pollux -n "$name" -l 1 "--vdev=$memif,role=client" -- load \
		--if 0,addr=10.9.0.1/24 --for 1 "$@"
	wait_pollux -n "$name"
	expect_eq "$name: nothing has failed" "$(json_field -n "$name" '.errors, .last_error' |
		tr '\n' ' ')" "0 "
}

measured() { # name
	expect_ge "$1: there were answers" "$(json_field -n "$1" .answers)" 100
	expect_eq "$1: latencies grow with their part" "$(json_field -n "$1" '.latency_us |
		.min > 0 and .min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and
		.p99 <= ."p99.9" and ."p99.9" <= .max')" true
	expect_eq "$1: the rate is answers by time" "$(json_field -n "$1" \
		'.answers / .measured_seconds / .answers_per_second | . > 0.99 and . < 1.01')" true
}

serve echo echo
load tcp-rr --tcp-rr 10.9.0.2:7 --conns 20 --size 100
measured tcp-rr
expect_eq "all 20 connections were used" "$(json_field -n tcp-rr .connections)" 20
load udp-rr --udp-rr 10.9.0.2:7 --conns 20 --size 100
measured udp-rr
load crr --tcp-crr 10.9.0.2:7 --conns 10 --size 10 --close reset --src 10.9.0.100-10.9.0.119
measured crr
expect_eq "we closed first, and say so" "$(json_field -n crr \
	'.closed_first_by_us > 100 and .closed_first_by_peer == 0')" true
expect_eq "each connection had one answer, but for those under way" \
	"$(json_field -n crr '.connections - .answers | . >= 0 and . <= 10')" true
load crr-src --tcp-crr 10.9.0.2:7 --conns 10 --size 10 --src 10.9.0.100-10.9.0.119
measured crr-src # no port is one of the TIME-WAITs that the ones before have left
stop_pollux -n echo
expect_eq "the server has seen them, and echoed all" "$(json_field -n echo \
	'.connections > 100 and .datagrams > 100 and .bytes_received == .bytes_sent')" true

serve discard discard
load stream --tcp-stream 10.9.0.2:9 --conns 4 --size 65536
load udp-stream --udp-stream 10.9.0.2:9 --conns 4 --size 1000 --rate 5000
load unconnected --udp-stream 10.9.0.2:9 --conns 4 --size 1000 --rate 5000 --unconnected
stop_pollux -n discard
expect_ge "bytes went" "$(json_field -n stream .bytes_sent)" $((1 << 20))
expect_eq "those that came are no more" "$(json_field -n discard .bytes_received)" \
	"$(json_field -n discard ".bytes_received | if . <= $(($(json_field -n stream .bytes_sent) +
		$(json_field -n udp-stream .bytes_sent) +
		$(json_field -n unconnected .bytes_sent))) then . else -1 end")"
expect_eq "the rate is kept" "$(json_field -n udp-stream \
	'.bytes_sent / 1000 / .seconds | . > 1000 and . < 5300')" true

expect_eq "each with its address goes as fast" "$(json_field -n unconnected \
	'.bytes_sent / 1000 / .seconds | . > 1000 and . < 5300')" true

serve web http --size 5000
load http --http 10.9.0.2:80 --conns 50 --path /x
measured http
stop_pollux -n web
expect_eq "requests are the answers, but for those under way" "$(json_field -n web \
	".requests - $(json_field -n http .answers) | . >= 0 and . <= 50")" true
