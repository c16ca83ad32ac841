#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# TSO by a DPDK device, and what comes merged by another: net_virtio_user hands super-segments to a
# net_vhost of another process (tso=1), with each offload on and off; bytes come back as they went,
# no frame is odd behind it, and the account closes in wire packets.
#
#	 kernel          pollux fwd                           pollux up
#	10.9.0.1 --t0-- net_tap0  net_vhost0 --socket-- net_virtio_user0 10.9.0.2    echo 7
. "$(dirname "$0")/lib.sh"

need jq ethtool python3 tcpdump tshark
netns k
export PLX_MEM=512
sock=$tmp/vhost.sock
more=()
[ "${1-}" != --all ] || more=(--all --bytes 64000)

feature() { # name port which
	ctl -n "$1" ethtool -k "$2" | grep "$3:"
}

xstat() { # name port which
	ctl -n "$1" dev -S "$2" | awk -v name="$3:" '$1 == name { print $2 }'
}

# Packets that were in a device's super-segments, beyond one each.
more_than_mbufs() { # name port tx|rx
	echo $(($(xstat "$1" "$2" "$3_queue_0_packets") - $(xstat "$1" "$2" "$3_good_packets")))
}

start_pollux -n host -l 0 --vdev=net_tap0,iface=t0 "--vdev=net_vhost0,iface=$sock,tso=1" \
	-- fwd --mode io
start_pollux -n guest -l 1 --single-file-segments "--vdev=net_virtio_user0,path=$sock" -- up \
	--if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 --udp-echo 7 --tcp-echo 7
iface_up t0 10.9.0.1/24 fd00:9::1/64
run ip link set t0 txqueuelen 5000
port_mac[t0]=$(ctl -n guest addr --json | jq -r '[.. | strings |
	select(test("^([0-9a-f]{2}:){5}[0-9a-f]{2}$"))][0]')
tso=tx-tcp-segmentation lro=large-receive-offload
expect_match "virtio_user's TSO is used" "$(feature guest net_virtio_user0 $tso)" ': on$'
expect_match "its LRO too" "$(feature guest net_virtio_user0 $lro)" ': on \[fixed\]$'
expect_match "a vhost gives merged packets" "$(feature host net_vhost0 $lro)" ': on \[fixed\]$'
expect_match "... and is given none" "$(feature host net_vhost0 $tso)" ': off \[fixed\]$'
expect_match "net_tap's TSO is of no use" "$(feature host net_tap0 $tso)" ': off \[fixed\]$'

eventually "a ping is answered" ping -q -c 1 -W 0.3 10.9.0.2
eventually "a ping6 too" ping -q -c 1 -W 0.3 fd00:9::2
capture t0
expect "combinations" test/smoke/offloads.py 10.9.0.2 fd00:9::2 \
	--ctl "$POLLUX_CTL --file-prefix ${prefix[guest]}" --port net_virtio_user0 --iface t0 \
	--patience "$patience" "${more[@]}"
cat "$tmp/expect"
handed=$(more_than_mbufs guest net_virtio_user0 tx)
expect_ge "super-segments went out" "$handed" 200
expect_eq "... and came as such" "$(more_than_mbufs host net_vhost0 rx)" "$handed"
# (what experts say of a busy machine is not about frames)
captured t0 "tcp && !(_ws.malformed || ip.checksum.status == 0 ||
	(tcp.checksum.status == 0 && tcp.checksum != 0xffff))"
expect_eq "the kernel got no wrong sum" "$(run nstat -asz TcpInCsumErrors UdpInCsumErrors \
	Udp6InCsumErrors | awk 'NR > 1 { n += $2 } END { print n + 0 }')" 0
stop_pollux -n guest
stop_pollux -n host
odd='[.drops | del(.TX_DOWN) | keys[] | select(test("^[TR]X_|MBUF|CHECKSUM|FULL"))] | length'
for name in guest host; do
	expect_eq "$name: nothing was odd, or had no room" "$(json_field -n $name "$odd")" 0
done
