#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Super-segments between stacks, by each kind of a virtio device's rings; and from a host that
# leaves them to its guest as they are: they count, and leave, as the packets that they stand for.
#
#	pollux load 10.9.0.1 -- net_virtio_user0 --socket-- net_vhost0 -- 10.9.0.2 pollux echo
#	vhost_super -- net_vhost0 --socket-- net_virtio_user0 -- pollux fwd -- net_pcap0
. "$(dirname "$0")/lib.sh"

need jq python3 tshark cc pkg-config
netns k
export PLX_MEM=512
sock=$tmp/vhost.sock

xstat() { # name port which
	ctl -n "$1" dev -S "$2" | awk -v name="$3:" '$1 == name { print $2 }'
}

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
