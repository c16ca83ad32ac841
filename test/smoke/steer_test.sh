#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pollux-ctl steer without a process: a flow is explained, a capture is spread over queues, and both
# say what Microsoft's table and a second reckoning in Python say.
. "$(dirname "$0")/lib.sh"

need jq
model() { # argument...
	/usr/bin/python3 test/smoke/steer.py "$@" 2>/dev/null
}
model make "$tmp" || skip "no scapy here"
steer() { # argument...
	"$POLLUX_CTL" steer "$@"
}

microsoft=6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa
other=0f1e2d3c4b5a69788796a5b4c3d2e1f000112233445566778899aabbccddeeff0123456789abcdef

# --- explain -----------------------------------------------------------------------------------

explained() { # filter argument...
	local filter=$1
	shift
	steer explain "$@" --offline --json | jq -r "$filter"
}

# "Verifying the RSS Hash Calculation": by ports, and by addresses (as a fragment).
while read -r src sport dst dport ports addrs; do
	expect_eq "$src to $dst by ports" \
		"$(explained .hash tcp "$src:$sport" "$dst:$dport")" "$ports"
	expect_eq "... by addresses" "$(explained .hash tcp "${src//[\[\]]/}" "${dst//[\[\]]/}" \
		--fragment)" "$addrs"
done <<'EOF'
66.9.149.187 2794 161.142.100.80 1766 0x51ccc178 0x323e8fc2
199.92.111.2 14230 65.69.140.83 4739 0xc626b0ea 0xd718262a
24.19.198.95 12898 12.22.207.184 38024 0x5c2b394a 0xd2d0a5de
38.27.205.30 48228 209.142.163.6 2217 0xafc7327f 0x82989176
153.39.163.191 44251 202.188.127.2 1303 0x10e828a2 0x5d1809c5
[3ffe:2501:200:1fff::7] 2794 [3ffe:2501:200:3::1] 1766 0x40207d3d 0x2cc18cd5
[3ffe:501:8::260:97ff:fe40:efab] 14230 [ff02::1] 4739 0xdde51bbf 0x0f0c461c
[3ffe:1900:4545:3:200:f8ff:fe21:67cf] 44251 [fe80::200:f8ff:fe21:67cf] 38024 0x02d1feef 0x4b61e985
EOF

flow=(tcp 66.9.149.187:2794 161.142.100.80:1766)
back=(tcp 161.142.100.80:1766 66.9.149.187:2794)
printf -v indent '%10s' ''
expect_eq "in words" "$(steer explain "${flow[@]}" --offline --rps 0,2-5)" \
	"flow      tcp 66.9.149.187:2794 > 161.142.100.80:1766
hash      0x51ccc178, Toeplitz of addresses and ports by Microsoft's key
${indent}42 09 95 bb a1 8e 64 50 0a ea 06 e6
bucket    120 of 128: the hash's low 7 bits
queue     0 of 4: the table's entry 120
rps       lcore 2, entry 1 of 5 of the map 0,2-5: hash * 5 / 2^32
rfs       not asked: offline there are no sockets
limit     not asked: offline there is no backlog
decided   by RPS: lcore 2 of those in the map"
expect_match "without RPS the queue decides" "$(steer explain "${flow[@]}" --offline)" \
	"rps +off: queue 0 has no map.*decided +by the queue: lcore 0 polls it"
all='[.bucket, .buckets, .queue, .queues, .polled_by, .rps, .decided_by, .lcore] | tojson'
expect_eq "as JSON" "$(explained "$all" "${flow[@]}")" '[120,128,0,4,0,null,"queue",0]'
expect_eq "queues and table of other sizes" \
	"$(explained "$all" "${flow[@]}" --queues 7 --reta-size 512)" \
	"[$((0x178)),512,$((0x178 % 7)),7,$((0x178 % 7)),null,\"queue\",$((0x178 % 7))]"
expect_eq "weights" "$(explained .queue "${flow[@]}" --weights 100,28)" 1
expect_eq "RPS as JSON" "$(explained '.rps.map, .rps.entry | tojson' "${flow[@]}" --rps 9,4)" \
	$'[4,9]\n0'
expect_eq "symmetric: both directions alike" "$(explained .hash "${flow[@]}" --symmetric)" \
	"$(explained .hash "${back[@]}" --symmetric)"
expect_not "else not" test "$(explained .hash "${flow[@]}")" = "$(explained .hash "${back[@]}")"
expect_match "... and shown" "$(steer explain "${back[@]}" --offline --symmetric)" \
	"sorted, by.*42 09 95 bb a1 8e 64 50 06 e6 0a ea  \(exchanged to be in order\)"
expect_eq "another key, with colons" \
	"$(explained .hash "${flow[@]}" --key "$(sed 's/../&:/g;s/:$//' <<<"$other")")" \
	"$(explained .hash "${flow[@]}" --key "$other")"
expect_eq "... and sorting, in any order" \
	"$(explained .hash "${back[@]}" --symmetric --key $other)" \
	"$(explained .hash "${flow[@]}" --key $other --symmetric)"
expect_eq "UDP by addresses alone" \
	"$(explained '"\(.fields) \(.hash)"' udp "${flow[@]:1}" --rx-flow-hash udp4=sd)" \
	"sd 0x323e8fc2"
expect_eq "a protocol without ports" "$(explained .hash 47 66.9.149.187 161.142.100.80)" 0x323e8fc2

refuses() { # what regex argument...
	local what=$1 regex=$2 rc=0 said
	shift 2
	said=$(steer "$@" 2>&1) || rc=$?
	expect_eq "$what" "$rc" 2
	expect_eq "... in one line" "$(wc -l <<<"$said")" 1
	expect_match "... that says why" "$said" "pollux-ctl: .*$regex"
}

x=(explain "${flow[@]}" --offline)
refuses "nothing to do" "explain, show, set.* or simulate"
refuses "something else" "'ask' is not understood" ask
refuses "no flow" "PROTO SRC DST" explain --offline
refuses "no protocol" "PROTO is" explain tpc 1.2.3.4:1 1.2.3.4:2 --offline
refuses "no address" "SRC and DST are" explain tcp 1.2.3:1 1.2.3.4:2 --offline
refuses "no port" "need ports" explain tcp 1.2.3.4 1.2.3.4:2 --offline
refuses "a port too large" "SRC and DST are" explain tcp 1.2.3.4:65536 1.2.3.4:2 --offline
refuses "a port of ICMP" "has no ports" explain icmp 1.2.3.4:1 1.2.3.4 --offline
refuses "a fragment's port" "fragment has no" explain udp 1.2.3.4:1 1.2.3.4 --offline --fragment
refuses "two families" "two families" explain tcp 1.2.3.4:1 "[fd00::1]:2" --offline
refuses "a short key" "40 to 64 bytes" "${x[@]}" --key 6d5a
refuses "a key of other letters" "hexadecimal" "${x[@]}" --key "${microsoft/6d/xy}"
refuses "no queues" "1 to 1024" "${x[@]}" --queues 0
refuses "more queues than entries" "more than the table's 128" "${x[@]}" --queues 129
refuses "a table of 100" "128, 256, 512 or 1024" "${x[@]}" --reta-size 100
refuses "weights of none" "a number for each" "${x[@]}" --weights 1,,2
refuses "weights of 0" "sum has to be" "${x[@]}" --weights 0,0
refuses "too many weights" "3 of them for 2 queues" "${x[@]}" --queues 2 --weights 1,1,1
refuses "no lcores" "below 256" "${x[@]}" --rps 3-1
refuses "no field" "FLOW=sd" "${x[@]}" --rx-flow-hash udp4=s
refuses "an option of none" "--nosuch is not understood" "${x[@]}" --nosuch
refuses "an option's value" "--key needs a value" "${x[@]}" --key
refuses "two files" "one FILE" simulate a b
refuses "explain's options" "are of explain" simulate --rps 1 a
refuses "simulate's options" "are of simulate" "${x[@]}" --svg a
refuses "... without a value" "are of simulate" "${x[@]}" --moves

# --- simulate ----------------------------------------------------------------------------------

agree() { # what queues size key symmetric weights option...
	local what=$1 n=$2 size=$3 key=$4 symmetric=$5 weights=$6
	shift 6
	expect_eq "$what: the queues' load" \
		"$(steer simulate "$tmp/eth.pcap" --json "$@" | jq -c .queues)" \
		"$(model queues "$tmp/eth.pcap" "$n" "$size" "$key" "$symmetric" "$weights")"
}

agree "as it is" 4 128 $microsoft 0 -
agree "sorted" 8 128 $microsoft 1 - --queues 8 --symmetric
agree "another key" 3 512 $other 0 - --queues 3 --reta-size 512 --key $other
agree "weights" 3 256 $microsoft 0 1,0,2 --weights 1,0,2 --reta-size 256

json=$(steer simulate "$tmp/eth.pcap" --json --top 3)
expect_eq "not of IP" "$(jq .not_ip <<<"$json")" 8
expect_eq "the largest flow has 601 packets" "$(jq '.largest[0].packets' <<<"$json")" 601
expect_eq "three of them" "$(jq '.largest | length' <<<"$json")" 3
expect_eq "imbalance is the largest over the mean" "$(jq .imbalance.packets <<<"$json")" \
	"$(jq '[.queues[].packets] | max * length / add' <<<"$json")"
weights=$(jq -r '.suggested.weights | join(",")' <<<"$json")
then=$(steer simulate "$tmp/eth.pcap" --json --weights "$weights")
expect_eq "with the suggested weights it is as promised" "$(jq .imbalance.packets <<<"$then")" \
	"$(jq .suggested.imbalance <<<"$json")"
expect_eq "... which is better" \
	"$(jq -n "$(jq .imbalance.packets <<<"$then") < $(jq .imbalance.packets <<<"$json")")" true
expect_eq "... and cannot be bettered by weights" "$(jq -c .suggested <<<"$then")" \
	"$(jq -c .suggested <<<"$json")"
said=$(steer simulate "$tmp/eth.pcap" --top 2)
expect_match "in words" "$said" "eth.pcap: [0-9]+ packets, .* 8 packets not of IP"
expect_match "... the flows" "$said" " 601 +[0-9.]+% +[0-3]  udp 198\.51\..* > 203\.0\.113"
expect_match "... the advice" "$said" "suggested: --weights $weights: then 1\."

json=$(steer simulate "$tmp/eth.pcap" --json --queues 5 --moves)
expect "single buckets are to move" jq -e '.moves.buckets | length > 0' <<<"$json"
expect_eq "... and with them it is as promised" "$(jq '
	. as $all | [range(5) | . as $q | $all.queues[$q].packets +
		([$all.moves.buckets[] | select(.to == $q).packets] | add // 0) -
		([$all.moves.buckets[] | select(.from == $q).packets] | add // 0)] |
	max * 5 / add' <<<"$json")" "$(jq .moves.imbalance <<<"$json")"
expect_eq "... which is better" "$(jq '.moves.imbalance < .imbalance.packets' <<<"$json")" true
said=$(steer simulate "$tmp/eth.pcap" --queues 5 --moves)
expect_match "... in words" "$said" \
	"by single buckets: [0-9]+ of 128 moved: then [0-9.]+ times the mean; "
expect_eq "... a line each" "$(sed '1,/^bucket /d' <<<"$said" | wc -l)" \
	"$(jq '.moves.buckets | length' <<<"$json")"
expect_match "one queue has nobody to give to" \
	"$(steer simulate "$tmp/eth.pcap" --queues 1 --moves)" "0 of 128 moved.*no other lcore"
expect_match "too many queues are told" \
	"$(steer simulate "$tmp/eth.pcap" --queues 257 --reta-size 512 --moves)" \
	"0 of 512 moved.*more queues than"

flows() { # file option...: of each flow its hash and packets
	local file=$1
	shift
	steer simulate "$tmp/$file.pcap" --json --top 1000 "$@" |
		jq -c '[.largest[] | [.hash, .packets]] | sort'
}
for form in raw sll; do
	expect_eq "$form: the same flows" "$(flows $form)" "$(flows eth)"
done
for form in gre vxlan; do
	expect_eq "$form: the same flows within" "$(flows $form --inner)" "$(flows eth)"
	expect_eq "$form: one flow from outside" "$(flows $form | jq length)" 1
done

expect "a drawing" "$POLLUX_CTL" steer simulate "$tmp/eth.pcap" --queues 5 --svg "$tmp/a.svg"
expect_eq "... is XML with a bar for each queue" "$(/usr/bin/python3 -c '
import sys, xml.etree.ElementTree as t
print(sum(r.find("{*}title") is not None for r in t.parse(sys.argv[1]).iter()))' "$tmp/a.svg")" 5

fails() { # what regex argument...
	local what=$1 regex=$2 rc=0 said any="[^"$'\n'"]*"
	shift 2
	said=$(steer "$@" 2>&1 >/dev/null) || rc=$?
	expect_eq "$what" "$rc" 1
	expect_match "... says why in one line" "$said" "^pollux-ctl: $any$regex$any$"
}
head -c 3000 "$tmp/eth.pcap" >"$tmp/cut.pcap"
head -c 24 "$tmp/eth.pcap" >"$tmp/none.pcap"
echo "no capture" >"$tmp/text"
fails "a file that is not there" "nosuch: No such file" simulate "$tmp/nosuch"
fails "a file of something else" "unknown file format" simulate "$tmp/text"
fails "a file that is cut off" "cut.pcap: truncated" simulate "$tmp/cut.pcap"
fails "a drawing without a place" "nosuch/a.svg: No such file" \
	simulate "$tmp/eth.pcap" --svg "$tmp/nosuch/a.svg"
fails "a full disk" "/dev/full: No space" simulate "$tmp/eth.pcap" --svg /dev/full
expect_eq "a file without packets" "$(steer simulate "$tmp/none.pcap" --json |
	jq -c '[.packets, .flows, (.imbalance.packets | floor), .largest]')" "[0,0,0,[]]"
