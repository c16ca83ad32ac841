#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What each mode of fwd does to a packet, on a capture of every form of frame.
#
#	in.pcap --> pollux --> out.pcap
# shellcheck disable=SC2119 # stop_pollux and wait_pollux need no arguments
. "$(dirname "$0")/lib.sh"

need jq tshark editcap
given=$tmp/in.pcap got=$tmp/out.pcap
/usr/bin/python3 test/smoke/frames.py forms "$given" "$tmp/spoiled.pcap" 2>/dev/null ||
	skip "no scapy here"

wrong_sums() { # file: packets with a checksum that is wrong
	tshark -n -r "$1" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-o tcp.check_checksum:TRUE -Y 'ip.checksum.status == "Bad" ||
		udp.checksum.status == "Bad" || tcp.checksum.status == "Bad"' 2>/dev/null | wc -l
}

replay "$given" "$tmp/once.pcap" --mode 5tswap
expect_eq "5tswap: addresses change places" "$(tshark -n -r "$tmp/once.pcap" -Y 'ip.src ==
	203.0.113.2 || ipv6.src == 2001:db8:1::2' 2>/dev/null | wc -l)" 220
expect_eq "5tswap: and ports" "$(tshark -n -r "$tmp/once.pcap" -Y 'udp.srcport == 7000 ||
	tcp.srcport == 7001' 2>/dev/null | wc -l)" 160
expect_eq "5tswap: no checksum breaks" "$(wrong_sums "$tmp/once.pcap")" 0
replay "$tmp/once.pcap" "$got" --mode 5tswap
expect_eq "5tswap: twice is as before" "$(packets "$got")" "$(packets "$given")"

replay "$given" "$tmp/once.pcap" --mode macswap
replay "$tmp/once.pcap" "$got" --mode macswap
expect_eq "macswap: twice is as before" "$(packets "$got")" "$(packets "$given")"
expect_eq "macswap: once is not" "$(tshark -n -r "$tmp/once.pcap" -Y 'eth.src ==
	02:00:00:00:bb:01 && eth.dst == 02:00:00:00:aa:01' 2>/dev/null | wc -l)" 240

replay "$given" "$got" --mode mac --eth-peer 0,02:11:22:33:44:55
expect_eq "mac: it goes to the peer" "$(tshark -n -r "$got" -Y 'eth.dst == 02:11:22:33:44:55 &&
	eth.src != 02:00:00:00:aa:01' 2>/dev/null | wc -l)" 240

expect_ge "csum: before, sums are wrong" "$(wrong_sums "$tmp/spoiled.pcap")" 180
replay "$tmp/spoiled.pcap" "$got" --mode csum
expect_eq "csum: afterwards none is" "$(wrong_sums "$got")" 0
expect_eq "csum: nothing else changed" "$(diff <(packets "$got") <(packets "$given") |
	grep -c '^<')" 40

replay "$given" "$got" --mode rxonly
expect_eq "rxonly: delivered, none sent" "$(json_field '"\(.delivered) \(.tx_packets)"')" "240 0"

# Short frames: dropped where a header is needed, passed on where it is not.
/usr/bin/python3 test/smoke/frames.py short "$tmp/short.pcap" 2>/dev/null
replay "$tmp/short.pcap" "$got" --mode macswap
expect_eq "macswap: what has no header is dropped" "$(json_field .drops.ETH_SHORT)" 13
replay "$tmp/short.pcap" "$got" --mode 5tswap
expect_eq "5tswap: what has no header is dropped" "$(json_field .drops.ETH_SHORT)" 13
replay "$tmp/short.pcap" "$got" --mode csum
expect_eq "csum: what does not parse goes on" "$(packets "$got")" "$(packets "$tmp/short.pcap")"

# The generator.
start_pollux "--vdev=net_pcap0,tx_pcap=$got" -- fwd --mode txonly --flows 16 --size 100
sleep 0.2
stop_pollux
editcap -r "$got" "$tmp/first.pcap" 1-160 2>/dev/null
expect_eq "txonly: frames as long as asked" "$(tshark -n -r "$tmp/first.pcap" -T fields \
	-e frame.len 2>/dev/null | sort -u)" 100
expect_eq "txonly: as many flows" "$(tshark -n -r "$tmp/first.pcap" -T fields -e udp.srcport \
	2>/dev/null | sort -u | wc -l)" 16
expect_eq "txonly: all sums are right" "$(wrong_sums "$tmp/first.pcap")" 0
expect_eq "txonly: to the discard port" "$(tshark -n -r "$tmp/first.pcap" -Y 'udp.dstport == 9 &&
	ip.dst == 198.19.0.1' 2>/dev/null | wc -l)" 160
