#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each mode of fwd on devices that never end: what it counts, what it prints, on one lcore and on
# several that share a CPU.
#
#	net_null0 <--> pollux <--> net_null1
# shellcheck disable=SC2119 # stop_pollux and wait_pollux need no arguments
. "$(dirname "$0")/lib.sh"

need jq
two=(--vdev=net_null0 --vdev=net_null1)

# A short run; what must hold for the counters, as jq sees the final object.
mode() { # mode filter argument...
	local mode=$1 filter=$2
	shift 2
	start_pollux "${two[@]}" -- fwd --mode "$mode" "$@"
	sleep 0.1
	stop_pollux
	expect_eq "$mode: $filter" "$(json_field "$filter")" true
}
mode io '.rx_packets > 0 and .tx_packets == .rx_packets and .delivered == 0'
mode mac '.rx_packets > 0 and .tx_packets == .rx_packets'
mode macswap '.rx_packets > 0 and .tx_packets == .rx_packets'
mode 5tswap '.rx_packets > 0 and .tx_packets == .rx_packets'
mode csum '.rx_packets > 0 and .tx_packets == .rx_packets'
mode rxonly '.rx_packets > 0 and .tx_packets == 0 and .delivered == .rx_packets'
mode txonly '.rx_packets == 0 and .tx_packets > 0 and .originated == .tx_packets'
mode io '.ports[0].rx_packets == .ports[0].tx_packets' --topology loop
mode io '.ports[0].rx_packets == .ports[1].tx_packets' --topology paired
mode io '.ports[1].rx_packets == .ports[0].tx_packets' --topology chain
mode io '.rx_packets % 7 == 0' --burst 7
mode rxonly '.rx_packets > 0' --idle sleep
mode rxonly '.rx_packets > 0' --idle pause --rxd 256 --txd 256
mode rxonly '.rx_packets > 0 and (.ports[0].rx_packets > 0)' --queues 3

start_pollux "${two[@]}" -- fwd --for 2
wait_pollux
mapfile -t lines <"${out[pollux]}"
expect_eq "the first line is ready" "${lines[0]}" '{"ready":true}'
expect_eq "every line is an object" "$(jq -c type "${out[pollux]}" | sort -u)" '"object"'
expect_ge "one comes each second" ${#lines[@]} 3
expect_eq "one is final" "$(jq -c 'select(.final)' "${out[pollux]}" | wc -l)" 1
expect_eq "it holds what scripts rely on" "$(json_field '["command", "mode", "seconds",
	"rx_packets", "tx_packets", "mpps", "cycles_per_packet", "drops", "mbufs_leaked"]
	- keys | length')" 0
expect_eq "--for is kept to" "$(json_field '.seconds >= 2 and .seconds < 4')" true
expect_eq "counters only grow" "$(jq -s '[.[].rx_packets // 0] | . == sort' "${out[pollux]}")" true

prefix[text]=$id-text
"$POLLUX" --no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-text" "${two[@]}" -- fwd --for 1 \
	>"$tmp/text.out" 2>"$tmp/text.err" || fail "a run in text"
expect_eq "text: the first line is ready" "$(head -n 1 "$tmp/text.out")" ready
expect_match "text: a line of rates" "$(sed -n 2p "$tmp/text.out")" \
	"1\.0 s +rx +[0-9.]+ Mpps .*tx .*cycles/packet +busy +[0-9]+ %"
expect_match "text: totals" "$(cat "$tmp/text.out")" \
	"net_null0 .*rx [0-9]+ \+ originated 0 = transmitted [0-9]+ .*0 mbufs leaked"
expect_eq "text: nothing on stderr" "$(cat "$tmp/text.err")" ""

# Nobody listens any more: it ends.
prefix[pipe]=$id-pipe
timeout 10 "$POLLUX" --no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-pipe" "${two[@]}" -- fwd \
	2>/dev/null | head -n 1 >/dev/null
expect_eq "a closed pipe ends the run" "${PIPESTATUS[0]}" 1

# Four lcores on one CPU and on two: each has a queue of each port.
for cpus in 0 '(0,1)'; do
	PLX_MEM=384 start_pollux --lcores "(0-3)@$cpus" "${two[@]}" -- fwd
	sleep 0.2
	stop_pollux
	expect_eq "4 lcores on CPU $cpus forward all" \
		"$(json_field '.tx_packets == .rx_packets')" true
done

# Two lcores, three single-queue ports: what an lcore has no queue for goes by the other.
: >"$tmp/none"
start_pollux --lcores '(0-1)@0' --vdev=net_ring0 --vdev=net_ring1 --vdev=net_null0 -- \
	fwd --queues 1 --topology chain
sleep 0.5
stop_pollux
expect_eq "packets cross lcores" "$(json_field '.tx_packets > 0 and .rx_packets > 0')" true
