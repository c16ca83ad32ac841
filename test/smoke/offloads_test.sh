#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Offloads switched off and on at both ends of a link, by net_tap, vtap, and net_af_packet on a
# veth: bytes and datagrams come back as they went, no checksum or length is wrong, and the account
# closes. Some combinations; with --all, every one (offloads_long.sh).
#
#	 kernel                                   pollux
#	10.9.0.1 --t0-- net_tap0 | v | v1-v0: 10.9.0.2     fd00:9::1 -- fd00:9::2     echo 7
. "$(dirname "$0")/lib.sh"

need jq ethtool python3 tcpdump tshark
netns p
netns k
more=()
[ "${1-}" != --all ] || more=(--all --bytes 64000)

wrong_sums() { # what the kernel of this namespace found wrong in what it got
	run nstat -asz TcpInCsumErrors UdpInCsumErrors Udp6InCsumErrors TcpInErrs |
		awk 'NR > 1 { n += $2 } END { print n + 0 }'
}

# What Pollux sent, as the kernel saw it; sums that are left to that are not there yet.
sound() { # interface mac all|no-sums
	local size=-1 mac=$2 sums="|| udp.checksum.status == 0 ||
		(tcp.checksum.status == 0 && tcp.checksum != 0xffff)" # see captured()
	[ "$3" = all ] || sums=
	while [ "$size" != "$(stat -c %s "$tmp/$1.pcap")" ]; do
		size=$(stat -c %s "$tmp/$1.pcap")
		sleep 0.2
	done
	kill -INT "${pid[tcpdump.$1]}"
	finish "tcpdump.$1"
	expect_eq "... no frame of Pollux's is odd" "$(frames "$1" "eth.src == $mac && (
		_ws.malformed || ip.checksum.status == 0 || ip.bogus_ip_length ||
		ipv6.plen_exceeds_framing || udp.length.bad $sums)")" 0
	expect_ge "... of many" "$(frames "$1" "eth.src == $mac")" 500
}

matrix() { # name port interface all|no-sums [words of the kernel's that stay as they are]
	local name=$1 port=$2 iface=$3
	eventually_quietly ping -q -c 1 -W 1 10.9.0.2 || fail "$name: no answer"
	eventually_quietly ping -q -c 1 -W 1 fd00:9::2 || fail "$name: no answer by IPv6"
	capture "$iface"
	expect "$name: combinations" test/smoke/offloads.py 10.9.0.2 fd00:9::2 \
		--ctl "$POLLUX_CTL --file-prefix ${prefix[$name]}" --port "$port" --iface "$iface" \
		--patience "$patience" --leave "${5-}" "${more[@]}"
	cat "$tmp/expect"
	expect_eq "... the kernel got no wrong sum" "$(wrong_sums)" 0
	sound "$iface" "$(ctl -n "$name" addr --json | jq -r "[.. | strings |
		select(test(\"^([0-9a-f]{2}:){5}[0-9a-f]{2}\$\"))][0]")" "$4"
	stop_pollux -n "$name"
	expect_eq "... nor did Pollux, nor was it short of anything" "$(json_field -n "$name" \
		'[.drops | keys[] | select(test("^[TR]X_|MBUF|CHECKSUM|FULL"))] | length')" 0
}

up=(up --udp-echo 7 --tcp-echo 7)
addr=addr=10.9.0.2/24,addr=fd00:9::2/64

start_pollux -n tap --vdev=net_tap0,iface=t0 -- "${up[@]}" --if "net_tap0,$addr"
iface_up t0 10.9.0.1/24
run ip address add fd00:9::1/64 dev t0 nodad
matrix tap net_tap0 t0 all

start_pollux -n vtap -- "${up[@]}" --port v=vtap,iface=t0 --if "v,$addr"
run ip address add 10.9.0.1/24 dev t0
run ip address add fd00:9::1/64 dev t0 nodad
matrix vtap v t0 no-sums

veth v0 p v1
use p
iface_up v1
start_pollux -n veth --vdev=net_af_packet0,iface=v1,blocksz=1044480,framesz=65280,framecnt=64 -- \
	"${up[@]}" --if "net_af_packet0,$addr" --mbuf-size 65407 --mbufs 1200
use k
iface_up v0 10.9.0.1/24
run ip address add fd00:9::1/64 dev v0 nodad
# DPDK's driver does not hear of a checksum that is not there yet: the kernel has to make them
matrix veth net_af_packet0 v0 all "tx tso"
