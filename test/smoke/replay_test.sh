#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# replay: what the kernel's tcpdump gets is the file, byte by byte and at its times; faster, again
# and again, rewritten, filtered, cut short; bad files are refused.
#
#	 kernel        pollux
#	tcpdump <--t0-- replay <-- in.pcap
# shellcheck disable=SC2119 # stop_pollux and wait_pollux need no arguments
. "$(dirname "$0")/lib.sh"

need jq tshark tcpdump editcap mergecap ethtool
given=$tmp/in.pcap got=$tmp/out.pcap n=60
/usr/bin/python3 - "$given" "$tmp/long.pcap" <<'END' 2>/dev/null || skip "no scapy here"
import random, sys
from scapy.all import *
random.seed(4)
eth = Ether(src='02:00:00:00:aa:01', dst='02:00:00:00:bb:01')
ip4 = IP(src='192.0.2.1', dst='198.51.100.2')
ip6 = IPv6(src='2001:db8::1', dst='2001:db8:1::2')
tcp, udp, none = TCP(sport=1000, dport=7001), UDP(sport=1000, dport=7000), UDP(chksum=0)
ns = IPv6(src='fe80::1', dst='ff02::1:ff00:5') / ICMPv6ND_NS(tgt='2001:db8::5')
frag6 = IPv6ExtHdrFragment(m=1, id=7)
forms = [
    lambda t: eth / ip4 / udp / t,
    lambda t: eth / ip4 / tcp / t,
    lambda t: eth / ip6 / udp / t,
    lambda t: eth / ip6 / tcp / t,
    lambda t: eth / Dot1Q(vlan=7) / ip4 / tcp / t,
    lambda t: eth / Dot1AD(vlan=7) / Dot1Q(vlan=8) / ip6 / udp / t,
    lambda t: eth / ip6 / ICMPv6EchoRequest(data=t.load),
    lambda t: eth / ip4 / ICMP() / t,
    lambda t: fragment(ip4 / udp / Raw(bytes(1000)), 600)[0],
    lambda t: fragment(ip4 / udp / Raw(bytes(1000)), 600)[1],
    lambda t: eth / ip6 / IPv6ExtHdrHopByHop() / udp / t,
    lambda t: eth / ARP(psrc='192.0.2.1', pdst='192.0.2.9', hwsrc='02:00:00:00:aa:01'),
    lambda t: eth / ns,
    lambda t: eth / ip4 / none / t,
    lambda t: eth / IP(src='203.0.113.7', dst='192.0.2.255', options=[IPOption_NOP()]) / udp / t,
]
frames = []
for i in range(60):
    f = forms[i % 15](Raw(random.randbytes(random.randrange(20, 1200))))
    f = f if f.haslayer(Ether) else eth / f
    f = Ether(bytes(f))
    f.time = 1700000000 + i * 0.02
    frames.append(f)
wrpcap(sys.argv[1], frames)
wrpcap(sys.argv[2], [frames[0], eth / ip4 / udp / Raw(bytes(3000)), frames[1]])
END
head -c 24 "$given" >"$tmp/none.pcap"

# Send a file into another one, as fast as the disk takes it unless an argument says otherwise.
sent() { # file argument...
	local from=$1 pace=--flat-out
	shift
	[[ " $* " != *" --"@(speed|pps|mbps)" "* ]] || pace=
	rm -f "$got"
	start_pollux "--vdev=net_pcap0,rx_pcap=$tmp/none.pcap,tx_pcap=$got" -- \
		replay "$from" ${pace:+"$pace"} "$@"
	wait_pollux
}

# Send the file to the kernel, which records it.
over() { # interface driver argument...
	local iface=$1 driver=$2
	shift 2
	spawn dump tcpdump -i "$iface" -Q in -s 0 -U --immediate-mode -B 32768 -w "$got"
	eventually_quietly grep -q 'listening on' "${err[dump]}" || fail "tcpdump does not listen"
	start_pollux -- replay "$@" --port "v=$driver,iface=$iface"
	wait_pollux
	eventually_quietly complete "$(json_field .replay.packets)"
	kill -INT "${pid[dump]}"
	finish dump
}

complete() { # packets: has the kernel recorded as many?
	[ "$(tcpdump -r "$got" 2>/dev/null | wc -l)" = "$1" ]
}

# The bytes of all packets, line by line; 0x0000 begins one.
bytes() { # file
	tcpdump -r "$1" -n -t -xx 2>/dev/null | sed -n 's/^\t\(0x\)/\1/p'
}

# How long they are.
lengths() { # file
	bytes "$1" | awk '/^0x0000/ && NR > 1 { print n; n = 0 }
		{ $1 = ""; gsub(/ /, ""); n += length($0) / 2 } END { print n }'
}

times() { # file
	tcpdump -r "$1" -n -tt -q 2>/dev/null | cut -d ' ' -f 1
}

span_ms() { # file
	times "$1" | awk 'NR == 1 { first = $1 } END { printf "%d\n", ($1 - first) * 1000 }'
}

# By how many ms does a packet come later than the file says, counted from the earliest? The median.
late_ms() { # file
	paste <(times "$1") <(times "$given") | awk '{ print ($1 - $2) * 1000 }' | sort -n |
		awk '{ late[NR] = $1 } END { printf "%d\n", late[int((NR + 1) / 2)] - late[1] }'
}

# --- to the kernel, at the file's times ----------------------------------------------------------

netns k
run ip tuntap add dev t0 mode tap multi_queue
run ip tuntap add dev u0 mode tun multi_queue
run sysctl -qw net.ipv6.conf.t0.disable_ipv6=1 net.ipv6.conf.u0.disable_ipv6=1
run ip link set t0 up
run ip link set u0 up
file=$(bytes "$given") lengths=$(lengths "$given")
# A CPU that is busy with others makes packets late: it has five chances.
least=50
[[ $PLX_BUILD != *[at]san* ]] || least=300
for _ in {1..5}; do
	over t0 vtap "$given"
	late=$(late_ms "$got") p50=$(json_field '.replay.late_us.p50 / 1000 | floor')
	[ $((late > p50 ? late : p50)) -ge $least ] || break
done
expect_eq "the kernel gets all of it, byte by byte, in order" "$(bytes "$got")" "$file"
expect_ge "as long as the file: ms" "$(span_ms "$got")" 1000
expect_ge "at its times: half of the packets less than $least ms late ($late)" $((least - late)) 1
expect_ge "the report says so ($p50)" $((least - p50)) 1
expect_eq "and how many they were" \
	"$(json_field '"\(.mode) \(.replay.packets) \(.replay.rounds) \(.replay.bytes)"')" \
	"timed $n 1 $(lengths "$given" | awk '{ n += $1 } END { print n }')"

for _ in {1..5}; do
	over t0 vtap "$given" --speed x10 --loop 3
	span=$(span_ms "$got")
	[ "$span" -ge 1180 ] || break
done
expect_eq "x10, three times: each time the same" "$(bytes "$got")" \
	"$(for _ in 1 2 3; do echo "$file"; done)"
expect_ge "x10, three times: ms" "$span" 300
expect_ge "x10, three times: a third of once, about ($span)" $((1180 - span)) 1

# --- rewritten -----------------------------------------------------------------------------------

# To tshark, by columns: 1-11 addresses wherever they stand; 12-16 is that checksum right (1) or
# wrong (0); 17 more fragments follow, and the checksum is in what 18-20 carry.
decoded() { # file
	tshark -n -r "$1" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-o tcp.check_checksum:TRUE -o ip.defragment:TRUE -T fields -e frame.number \
		-e eth.src -e eth.dst -e ip.src -e ip.dst -e ipv6.src -e ipv6.dst \
		-e arp.src.hw_mac -e arp.src.proto_ipv4 -e arp.dst.proto_ipv4 \
		-e icmpv6.nd.ns.target_address -e ip.checksum.status -e tcp.checksum.status \
		-e udp.checksum.status -e icmp.checksum.status -e icmpv6.checksum.status \
		-e ip.flags.mf -e udp.payload -e tcp.payload -e data 2>/dev/null
}

over t0 vtap "$given" --flat-out --src-mac 02:aa:00:00:00:01 --dst-mac 02:bb:00:00:00:02 \
	--map-ip 192.0.2.0/24=10.9.0.0/24 --map-ip 2001:db8:1::/48=fd00:9::/48 \
	--map-ip 2001:db8::/32=fd00::/32 --map-ip 198.51.100.2=10.0.0.1
decoded "$given" >"$tmp/was"
decoded "$got" >"$tmp/is"
expect_eq "addresses are what the maps make of them" "$(cut -f 1-11 "$tmp/is")" \
	"$(cut -f 1-11 "$tmp/was" | sed -E 's/02:00:00:00:aa:01/02:aa:00:00:00:01/g
	s/02:00:00:00:bb:01/02:bb:00:00:00:02/g; s/192\.0\.2\./10.9.0./g
	s/198.51.100.2/10.0.0.1/g; s/2001:db8:1:/fd00:9:/g; s/2001:db8:/fd00:/g')"
sums=$(cut -f 12-16 "$tmp/is")
expect_eq "what was right is right" "$sums" "$(cut -f 12-16 "$tmp/was")"
expect_eq "none is wrong" "$(grep 0 <<<"$sums")" ""
expect_ge "and these are not few" "$(grep -o 1 <<<"$sums" | wc -l)" 80
expect_eq "what they carry has not changed" "$(awk -F '\t' '!$17' "$tmp/is" | cut -f 18-)" \
	"$(awk -F '\t' '!$17' "$tmp/was" | cut -f 18-)"
expect_eq "the report says how many" "$(json_field .replay.rewritten)" $n

# --- without Ethernet ----------------------------------------------------------------------------

tcpdump -r "$given" -w "$tmp/ip.pcap" 'ether proto 0x0800' 2>/dev/null
editcap -C 14 -L -T rawip "$tmp/ip.pcap" "$tmp/raw.pcapng"
over u0 vtun "$tmp/raw.pcapng" --flat-out
expect_eq "bare IP by a TUN" "$(bytes "$got")" "$(bytes "$tmp/raw.pcapng")"

# --- in part -------------------------------------------------------------------------------------

sent "$given" -f 'vlan or icmp6' --speed 1000
tcpdump -r "$given" -w "$tmp/want.pcap" 'vlan or icmp6' 2>/dev/null
expect_eq "a filter takes what libpcap's takes" "$(bytes "$got")" "$(bytes "$tmp/want.pcap")"
expect_eq "the rest is counted" "$(json_field '.replay | .packets + .not_sent.filter')" $n

mergecap -I none -w "$tmp/two.pcapng" "$tmp/want.pcap" "$given"
sent "$tmp/two.pcapng" --interface 1
expect_eq "one of two interfaces" "$(bytes "$got")" "$file"
expect_eq "the other is counted" "$(json_field .replay.not_sent.interface)" \
	"$(lengths "$tmp/want.pcap" | wc -l)"

editcap -F nsecpcap -s 100 "$given" "$tmp/snapped.pcap"
sent "$tmp/snapped.pcap" --pps 1000
expect_eq "what is snapped is sent as captured" "$(lengths "$got")" \
	"$(awk '{ print $1 < 100 ? $1 : 100 }' <<<"$lengths")"
expect_eq "and counted" "$(json_field .replay.snapped)" "$(awk '$1 > 100' <<<"$lengths" | wc -l)"
expect_ge "1000 packets a second: ms" "$(json_field '.replay.seconds * 1000 | ceil')" $((n - 1))
sent "$tmp/snapped.pcap" --pad --mbps 10
expect_eq "or padded" "$(lengths "$got")" "$lengths"
expect_eq "10 Mb/s, and not more" \
	"$(json_field '.replay | .bytes * 8 / .seconds / 1e6 < 10.5')" true

sent "$tmp/long.pcap"
expect_eq "what is longer than the MTU is not sent" "$(lengths "$got")" \
	"$(lengths "$tmp/long.pcap" | grep -v 3042)"
expect_eq "that has a reason" "$(json_field .drops.TX_TOO_LONG)" 1

# --- bad files -----------------------------------------------------------------------------------

head -c $(($(stat -c %s "$given") - 5)) "$given" >"$tmp/cut.pcap"
sent "$tmp/cut.pcap"
expect_eq "a file that is cut off: all but the last" "$(bytes "$got")" "$(bytes "$tmp/cut.pcap")"
expect_match "that is said" "$(cat "${err[pollux]}")" "cut.pcap: the file ends within a packet"
expect_eq "and reported" "$(json_field .replay.cut)" true

refused() { # what exit-code regex argument...
	local what=$1 code=$2 regex=$3
	shift 3
	expect_refused "$what" "$code" "$regex" --no-pci --no-huge -m 128 -l 0 \
		"--file-prefix=$id-refused" --vdev=net_null0 -- replay "$@"
}
prefix[refused]=$id-refused
: >"$tmp/empty.pcap"
refused "an empty file" 1 "empty.pcap: the file is empty" "$tmp/empty.pcap"
refused "a file that is none" 1 "neither pcapng nor pcap" "$0"
refused "a file without packets" 1 "there is no packet in it" "$tmp/none.pcap"
refused "a file that is not there" 1 "No such file" "$tmp/no.pcap"
refused "no file" 2 "FILE is missing"
refused "a file too many" 2 "unexpected argument 'b'" a b
refused "nothing that is wanted" 1 "$n not wanted by the filter" "$given" -f 'udp port 9'
refused "another link" 1 "of a link that net_null0" "$tmp/raw.pcapng"
refused "a bad filter" 2 "'udp prot 9' for --filter; " "$given" -f 'udp prot 9'
refused "a bad map" 2 "same length" "$given" --map-ip 10.0.0.0/8=10.0.0.0/9
refused "a bad speed" 2 "'fast' for --speed" "$given" --speed fast
refused "two paces" 2 "give one of" "$given" --speed 2 --pps 5
refused "an unknown port" 2 "no port named 'x'" "$given" --out x
yes "$given" | head -n 40 | xargs mergecap -a -w "$tmp/many.pcapng"
refused "more than may be" 2 "'1' for --max-mem; the packets of .*many.pcapng take more" \
	"$tmp/many.pcapng" --max-mem 1 --pad

# --- what comes in meanwhile; for ever -----------------------------------------------------------

start_pollux -- replay "$given" --loop 0 --speed x100 --port v=vtap,iface=t0
run ip address add 10.9.0.1/24 dev t0
expect_not "nobody answers" ping -q -c 1 -W 0.3 10.9.0.2
stop_pollux
expect_ge "what came was dropped" "$(json_field .drops.RX_NO_IFACE)" 1
expect_ge "rounds, one after the other" "$(json_field .replay.rounds)" 5
