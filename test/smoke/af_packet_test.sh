#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# net_af_packet over veth, with one pair of queues and with two: ping, fragments, UDP of each size;
# what the driver takes without sending it is no packet transmitted, and an interface that does not
# send stops no lcore.
#
#	 kernel              pollux in a namespace of its own
#	10.9.0.1 --v0  v1-- 10.9.0.2      fd00:9::1 --v0  v1-- fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3 tc
up=(up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7)
flows=test/smoke/flows.py

netns p
netns k
veth v0 p v1
use p
iface_up v1
use k
iface_up v0 10.9.0.1/24 fd00:9::1/64

packet_port() { # name pairs lcores arguments
	local name=$1 pairs=$2 lcores=$3
	shift 3
	use p
	local ring=blocksz=1044480,framesz=65280,framecnt=256
	# The kernel puts IPv4 fragments together for this driver: a frame has to hold a datagram.
	PLX_MEM=512 start_pollux -n "$name" -l "$lcores" \
		--vdev="net_af_packet0,iface=v1,qpairs=$pairs,$ring" \
		-- "${up[@]}" --mbuf-size 65407 --mbufs 3000 "$@" \
		--sysctl net.ipv4.ipfrag_high_thresh=67108864 \
		--sysctl net.pollux.ipfrag_max_source=67108864 # what a fragment costs is its buffer
	use k
	eventually "$name: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
	eventually "$name: a ping6 too" ping -q -c 1 -W 1 fd00:9::2
}

serves() { # name
	expect "$1: small pings" ping -q -c 3 -i 0.1 -W 2 10.9.0.2
	kernel_talks "$1" 65000
	expect "$1: a closed port says so" $flows 10.9.0.2 8 --refused
	expect "$1: a flood of pings" ping -q -f -c 2000 -W 2 10.9.0.2
}

packet_port one 1 0
serves one
expect_eq "one: the driver sent all that it took" "$(json_field -n one '.ports[0].tx_errors')" 0

# The interface goes down: the driver takes each frame all the same, but a counter of it knows.
use p
run ip link set v1 down
for i in {3..7}; do # each is announced
	ctl -n one addr add "10.9.0.$i/24" dev net_af_packet0
done
eventually "one: what was taken and not sent is an error of the device" bash -c \
	"tail -n 1 '${out[one]}' | jq -e '.ports[0].tx_errors >= 5' >/dev/null"
stop_pollux -n one
expect_eq "one: and a packet dropped, not one transmitted" "$(json_field -n one .drops.TX_ERROR)" \
	"$(json_field -n one '.ports[0].tx_errors')"
expect_eq "one: nothing else was dropped but groups, and what had no port" "$(json_field -n one \
	'.drops | del(.IP_MCAST_NOT_MEMBER, .UDP_NO_PORT, .TX_ERROR) | length')" 0
run ip link set v1 up

packet_port two 2 0-1
serves two
expect "two: 64 flows" $flows 10.9.0.2 7 --flows 64 --count 10
stop_pollux -n two
expect_ge "two: lcore 0 had its part" "$(json_field -n two '.udp_served_by_lcore[0]')" 100
expect_ge "two: and lcore 1" "$(json_field -n two '.udp_served_by_lcore[1]')" 100
expect_ge "two: both polled a queue" "$(json_field -n two '[.lcores[].received] | min')" 100

# An interface that sends a kilobyte a second, through which the driver's ring is soon full: there
# it would sleep until the interface has sent, with all else that its lcore has to do.
use p
start_pollux -n slow -l 0-1 --vdev="net_af_packet0,iface=v1,qpairs=2,qdisc_bypass=0,$(
	)blocksz=4096,framesz=2048,framecnt=64" -- "${up[@]}"
use k
eventually "slow: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
use p
run tc qdisc add dev v1 root tbf rate 8kbit burst 1600 limit 1000000
use k
sent=$(run ping -q -f -s 1000 -c 200 -w 3 10.9.0.2 | sed -n 's/ packets transmitted.*//p')
eventually "slow: all of them were received" bash -c \
	"tail -n 1 '${out[slow]}' | jq -e '.snmp.IcmpInEchos > $sent' >/dev/null"
stop_pollux -n slow
expect_ge "slow: what the driver refused was kept, and dropped at the end" \
	"$(json_field -n slow .drops.STOPPED)" 10
use p
run tc qdisc del dev v1 root

# Where a frame holds less than a datagram, IPv4 fragments come cut, and that is said.
use p
start_pollux -n small --vdev=net_af_packet0,iface=v1 -- "${up[@]}"
use k
eventually "small: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
expect_not "small: one of fragments is not" ping -q -c 1 -W 1 -s 8000 10.9.0.2
eventually "small: of IPv6 it is" ping -q -c 1 -W 1 -s 8000 fd00:9::2
stop_pollux -n small
expect_eq "small: it came too short" "$(json_field -n small .drops.IP4_LENGTH)" 1
