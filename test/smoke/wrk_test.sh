#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# wrk with 1, 100 and 1000 connections at once gets its answers, and no connection has an error; the
# ends of both lengths of bodies, on one lcore and on two.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     http 80
. "$(dirname "$0")/lib.sh"

need wrk jq
netns k
export PLX_MEM=512
conns=(1 100 1000)
[[ $PLX_BUILD != *[at]san* ]] || conns=(1 20)

served() { # lcores size
	local name=l$1 n said
	start_pollux -n "$name" -l "$1" -- http --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24 \
		--size "$2"
	run ip address add 10.9.0.1/24 dev t0
	eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
	for n in "${conns[@]}"; do
		said=$(run timeout $((3 * patience)) wrk -t 1 -c "$n" -d $((1 + n / 800)) \
			--timeout $patience http://10.9.0.2/x)
		[[ $said != *"Socket errors"* && $said != *Non-2xx* ]] || fail "wrk: $said"
		expect_ge "$2 bytes on lcores $1: $n connections get answers" \
			"$(awk '/requests in/ { print $1 }' <<<"$said")" "$n"
	done
	eventually_ctl "... and are gone" '^State[^'$'\n'']*$' -n "$name" ss -tn
	stop_pollux -n "$name"
	expect_eq "no request was wrong" "$(json_field -n "$name" .errors)" 0
	expect_eq "no checksum, either" "$(json_field -n "$name" .snmp.TcpInErrs)" 0
}

served 0 100
served 0-1 10000
