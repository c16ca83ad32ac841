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
	ctl -n "$1" ethtool -k "$2" | grep -E "^$3:"
}

xstat() { # name port which
	ctl -n "$1" dev -S "$2" | awk -v name="$3:" '$1 == name { print $2 }'
}

# Packets that were in a device's super-segments, beyond one each.
more_than_mbufs() { # name port tx|rx
	echo $(($(xstat "$1" "$2" "$3_queue_0_packets") - $(xstat "$1" "$2" "$3_good_packets")))
}

# --- through the kernel, each combination ---

start_pollux -n host -l 0 --vdev=net_tap0,iface=t0 "--vdev=net_vhost0,iface=$sock,tso=1" \
	-- fwd --mode io
start_pollux -n guest -l 1 --single-file-segments "--vdev=net_virtio_user0,path=$sock" -- up \
	--if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 --udp-echo 7 --tcp-echo 7
iface_up t0 10.9.0.1/24 fd00:9::1/64
run ip link set t0 txqueuelen 5000
port_mac[t0]=$(ctl -n guest addr --json | jq -r '[.. | strings |
	select(test("^([0-9a-f]{2}:){5}[0-9a-f]{2}$"))][0]')
expect_match "virtio_user's TSO is used" "$(feature guest 0 tcp-seg.*)" ': on$'
expect_match "its LRO too" "$(feature guest 0 large-.*)" ': on \[fixed\]$'
expect_match "a vhost gives merged packets" "$(feature host net_vhost0 large-.*)" ': on \[fixed\]$'
expect_match "... and is given none" "$(feature host net_vhost0 tcp-seg.*)" ': off \[fixed\]$'
expect_match "net_tap's TSO is of no use" "$(feature host net_tap0 tcp-seg.*)" ': off \[fixed\]$'

eventually "a ping is answered" ping -q -c 1 -W 0.3 10.9.0.2
eventually "a ping6 too" ping -q -c 1 -W 0.3 fd00:9::2
capture t0
expect "combinations" test/smoke/offloads.py 10.9.0.2 fd00:9::2 \
	--ctl "$POLLUX_CTL --file-prefix ${prefix[guest]}" --port 0 --iface t0 \
	--patience "$patience" "${more[@]}"
cat "$tmp/expect"
handed=$(more_than_mbufs guest 0 tx)
expect_ge "super-segments went out" "$handed" 200
expect_eq "... and came as such" "$(more_than_mbufs host net_vhost0 rx)" "$handed"
captured t0 "tcp.analysis.flags"
expect_eq "the kernel got no wrong sum" "$(run nstat -asz TcpInCsumErrors UdpInCsumErrors \
	Udp6InCsumErrors | awk 'NR > 1 { n += $2 } END { print n + 0 }')" 0
stop_pollux -n guest
stop_pollux -n host
for name in guest host; do
	expect_eq "$name: nothing was odd, or had no room" "$(json_field -n $name \
		'[.drops | keys[] | select(test("^[TR]X_|MBUF|CHECKSUM|FULL"))] | length')" 0
done

# --- stack to stack: 20 requests of 60,000 bytes and their echo, by each kind of ring ---

between() { # what tso virtio-user-argument...
	local what=$1 host=host.$1 guest=guest.$1 tso=$2
	shift 2
	rm -f "$sock"
	start_pollux -n "$guest" -l 1 --single-file-segments \
		"--vdev=net_vhost0,iface=$sock,tso=$tso" -- echo --if 0,addr=10.9.0.2/24
	start_pollux -n "$host" -l 0 --single-file-segments \
		"--vdev=net_virtio_user0,path=$sock$*" -- load --if 0,addr=10.9.0.1/24 \
		--tcp-rr 10.9.0.2:7 --conns 4 --size 60000 --for 1
	wait_pollux -n "$host"
	stop_pollux -n "$guest"
	expect_ge "$what: both ways" "$(json_field -n "$host" .answers)" 20
	expect_eq "... without an error" "$(json_field -n "$host" .errors)" 0
}

between split 1
between packed 1 ,packed_vq=1
between short 1 ,mrg_rxbuf=0
between uncut 0

# --- what a host has not cut comes merged (LRO), and leaves as the packets that it stood for ---

need cc pkg-config
rm -f "$sock"
read -ra flags < <(pkg-config --cflags --libs libdpdk)
expect "a host that does not cut compiles" cc -o "$tmp/super" test/smoke/vhost_super.c "${flags[@]}"
prefix[super]=$id-super
spawn super "$tmp/super" --no-pci --no-huge -m 64 -l 0 --file-prefix="$id-super" --no-telemetry \
	"--vdev=net_vhost0,iface=$sock"
eventually_quietly grep -q ready "${out[super]}" || fail "the host is not ready"
start_pollux -n lro -l 1 --single-file-segments "--vdev=net_virtio_user0,path=$sock" \
	"--vdev=net_pcap0,tx_pcap=$tmp/lro.pcap" -- fwd --mode io
eventually "super-segments come" grep -qE '^[0-9]+$' "${out[super]}"
wire=$(tail -n 1 "${out[super]}")
eventually_ctl "... and count as $wire packets" "rx_queue_0_packets: $wire" -n lro dev -S \
	net_virtio_user0
expect_eq "... which were few mbufs" "$(xstat lro net_virtio_user0 rx_good_packets)" 48
stop_pollux -n lro
kill "${pid[super]}"
wait "${pid[super]}"
unset "pid[super]"
expect_eq "as many are on the wire" "$(frames lro frame)" "$wire"
expect_eq "... none of them odd" "$(frames lro '_ws.malformed || ip.checksum.status == 0 ||
	tcp.checksum.status == 0 || ip.bogus_ip_length || ipv6.plen_exceeds_framing ||
	tcp.len > 1460')" 0
expect_eq "... with all bytes in order" "$(shark lro -T fields -e tcp.payload | python3 -c 'if True:
	import sys
	got = bytes.fromhex(sys.stdin.read().replace(":", ""))
	print(got == bytes(i & 255 for i in range(8 * 84561)))')" True
