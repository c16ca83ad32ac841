#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Capture files in and out through net_pcap: packet by packet; files that are cut off, huge, of
# other formats, several at once.
#
#	in.pcap --> pollux --> out.pcap
# shellcheck disable=SC2119 # stop_pollux and wait_pollux need no arguments
. "$(dirname "$0")/lib.sh"

need jq tshark editcap capinfos
given=$tmp/in.pcap got=$tmp/out.pcap
/usr/bin/python3 test/smoke/frames.py forms "$given" "$tmp/spoiled.pcap" 2>/dev/null ||
	skip "no scapy here"

count() { # file
	capinfos -rcMT "$1" 2>/dev/null | cut -f 2
}

replay "$given" "$got"
expect_eq "io: all packets come out" "$(json_field .tx_packets)" 240
expect_eq "io: byte by byte, in order" "$(packets "$got")" "$(packets "$given")"

# A file that is cut off in the middle of its last packet, and one without any.
head -c $(($(stat -c %s "$given") - 10)) "$given" >"$tmp/cut.pcap"
replay "$tmp/cut.pcap" "$got"
expect_eq "a file that is cut off: all but the last" "$(json_field .rx_packets)" 239
head -c 24 "$given" >"$tmp/none.pcap"
replay "$tmp/none.pcap" "$got"
expect_eq "a file without packets" "$(json_field .rx_packets)" 0

# Other formats that libpcap reads.
editcap -F pcapng "$given" "$tmp/in.pcapng"
replay "$tmp/in.pcapng" "$got"
expect_eq "pcapng is read" "$(packets "$got")" "$(packets "$given")"
editcap -F nsecpcap "$given" "$tmp/ns.pcap"
replay "$tmp/ns.pcap" "$got"
expect_eq "so is pcap with nanoseconds" "$(packets "$got")" "$(packets "$given")"

# A huge one: half a million packets of 60 to 1,500 bytes.
/usr/bin/python3 test/smoke/frames.py huge "$tmp/huge.pcap"
replay "$tmp/huge.pcap" "$got" --burst 64
expect_eq "a huge file: all packets" "$(json_field '"\(.rx_packets) \(.tx_packets)"')" \
	"500000 500000"
expect "a huge file: byte by byte" \
	/usr/bin/python3 test/smoke/frames.py same "$tmp/huge.pcap" "$got"
expect_eq "a huge file: none is lost on its way" "$(count "$got")" 500000
rm -f "$tmp/huge.pcap"

# Two files at one device: one queue each, on one lcore or on two.
files=rx_pcap=$given,rx_pcap=$given,tx_pcap=$got,tx_pcap=$tmp/out2.pcap
for lcores in '0@0' '(0-1)@0'; do
	start_pollux --lcores "$lcores" "--vdev=net_pcap0,$files" -- fwd --queues 2 --idle-exit 300
	wait_pollux
	expect_eq "two files, lcores $lcores" "$(json_field .rx_packets)" 480
done
