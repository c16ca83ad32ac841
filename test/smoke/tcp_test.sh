#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel's clients talk TCP with Pollux: echo, sink and source, a closed port; with one lcore
# and with two.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7, sink 9, source 19
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need nc tcpdump tshark jq ethtool python3 sha256sum
netns k
up=(up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --tcp-echo 7 --tcp-sink 9 --tcp-source 19
	--sysctl net.ipv6.conf.all.dad_transmits=0)
mib=10
[[ $PLX_BUILD != *[at]san* ]] || mib=2
head -c $((mib << 20)) /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")

kernel_side() {
	iface_up t0 10.9.0.1/24 fd00:9::1/64
	eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
	eventually "by IPv6 too" ping -q -c 1 -W 1 fd00:9::2
}

echo_of() { # address: the checksum of what comes back
	run timeout $((3 * patience)) nc -N "$1" 7 <"$tmp/data" | sha256sum
}

# The source's bytes, so many of them, right.
cat >"$tmp/source.py" <<'END'
import socket, sys
left = int(sys.argv[2])
period = bytes(range(251)) * 300
at = 0
s = socket.create_connection((sys.argv[1], 19), 10)
while left:
    got = s.recv(min(left, 65536))
    assert got, "it ended early"
    assert got == period[at % 251:at % 251 + len(got)], f"wrong near byte {at}"
    at += len(got)
    left -= len(got)
END

# --- one lcore ---

start_pollux --vdev=net_tap0,iface=t0 -- "${up[@]}"
kernel_side
capture t0
expect_eq "a word comes back" "$(echo hello | run timeout $patience nc -N 10.9.0.2 7)" hello
expect_eq "a word comes back, IPv6" "$(echo hello | run timeout $patience nc -N fd00:9::2 7)" hello
expect_not "a closed port refuses" timeout $patience nc -z 10.9.0.2 444
expect_match "... at once, and says so" \
	"$(run timeout $patience nc -vz fd00:9::2 444 2>&1)" "Connection refused"
head -c 300000 "$tmp/data" >"$tmp/few"
expect_eq "300 kB come back" \
	"$(run timeout $patience nc -N 10.9.0.2 7 <"$tmp/few" | sha256sum)" \
	"$(sha256sum <"$tmp/few")"
# a kernel whose timer was early sends a segment twice, which is told it by D-SACK
captured t0 "tcp.flags.reset == 1 || tcp.options.sack.dsack"
expect_eq "no segment is missing, none out of order" "$(frames t0 "eth.src == ${port_mac[t0]} &&
	(tcp.analysis.lost_segment || tcp.analysis.out_of_order)")" 0

expect_eq "$mib MiB come back" "$(echo_of 10.9.0.2)" "$sum"
expect_eq "$mib MiB come back, IPv6" "$(echo_of fd00:9::2)" "$sum"
expect "$mib MiB go into the sink" timeout $((3 * patience)) bash -c \
	"nc -N 10.9.0.2 9 <'$tmp/data'"
expect "$mib MiB come from the source" timeout $((3 * patience)) \
	/usr/bin/python3 "$tmp/source.py" 10.9.0.2 $((mib << 20))
expect "$mib MiB come from the source, IPv6" timeout $((3 * patience)) \
	/usr/bin/python3 "$tmp/source.py" fd00:9::2 $((mib << 20))
# a reader that stops for a while closes our window and gets all the same
expect "a slow reader gets all" timeout $((3 * patience)) bash -c \
	"nc -N 10.9.0.2 7 <'$tmp/data' | (sleep 0.5; sha256sum) | grep -q '^${sum%% *}'"

sleep 0.3
stop_pollux
expect_eq "7 were echoed, 1 sunk, 2 served by the source" "$(json_field .tcp_accepted)" 9
expect_eq "each was counted" "$(json_field .snmp.TcpPassiveOpens)" 9
expect_eq "none is left" "$(json_field .snmp.TcpCurrEstab)" 0
expect_eq "resets were for the closed ports" "$(json_field .drops.TCP_NO_CONN)" 2
expect_eq "no checksum was wrong" "$(json_field .snmp.TcpInErrs)" 0

# --- two lcores, two queues ---

start_pollux -n two -l 0-1 --vdev=net_tap0,iface=t0 -- "${up[@]}" \
	--sysctl net.core.somaxconn=77
kernel_side
expect "16 connections at once" timeout $((3 * patience)) bash -c "
	for i in {1..16}; do
		(nc -N 10.9.0.2 7 <'$tmp/few' | cmp - '$tmp/few') &
		all+=(\$!)
	done
	for i in \"\${all[@]}\"; do wait \$i || exit 1; done"
expect_eq "$mib MiB come back from two lcores" "$(echo_of fd00:9::2)" "$sum"
# some are still open
spawn idle nc 10.9.0.2 7
spawn busy nc -d fd00:9::2 19
eventually_ctl "pollux-ctl tcp shows the listeners" "LISTEN +0 +77 +\*:19 " -n two tcp
eventually_ctl "... and connections" 'ESTAB +0 +[0-9]+ +\[fd00:9::2\]:19 +\[fd00:9::1\]' \
	-n two -6 tcp ESTAB
eventually_ctl "... of both families" 'ESTAB +0 +0 +10\.9\.0\.2:7 +10\.9\.0\.1:' \
	-n two -4 tcp ESTAB
eventually_ctl "... with their round trip" 'cubic rto:.* rtt:[0-9.]+/.* mss:14[0-9]+ ' -n two -s tcp
stop_pollux -n two
expect_ge "lcore 0 had some" "$(json_field -n two '.tcp_accepted_by_lcore[0]')" 1
expect_ge "lcore 1 had some" "$(json_field -n two '.tcp_accepted_by_lcore[1]')" 1
expect_eq "all were accepted" "$(json_field -n two .tcp_accepted)" 19
