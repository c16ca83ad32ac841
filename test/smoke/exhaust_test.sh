#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Too few mbufs, a full transmit queue, a link that goes: packets are lost under their reasons,
# nothing else is, and all is well again afterwards.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
up=(up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7)
flows=test/smoke/flows.py

# --- fewer mbufs than fragments in flight: the receive ring has 96 of 150 ---

start_pollux -n few --vdev=net_tap0,iface=t0 -- "${up[@]}" --mbufs 150 --rxd 96 \
	--sysctl net.ipv4.ipfrag_time=1 --sysctl net.pollux.ipfrag_mbufs=100
iface_up t0 10.9.0.1/24 fd00:9::1/64
run ip link set t0 txqueuelen 5000
eventually "few: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
run $flows 10.9.0.2 7 --flows 4 --count 1 --size 60000 --patience 1 >"$tmp/few"
echo "few: $(cat "$tmp/few")"
lost='(.drops.NO_MBUF // 0) + .ports[0].rx_dropped'
eventually "few: what found no mbuf is counted" bash -c \
	"tail -n 1 '${out[few]}' | jq -e '$lost > 0' >/dev/null"
eventually "few: it recovers" ping -q -c 5 -i 0.1 -W 1 10.9.0.2
expect "few: and serves as before" $flows 10.9.0.2 7 --flows 8 --count 10
stop_pollux -n few

# --- fragments without end, each of a datagram that never gets whole ---

start_pollux -n frags --vdev=net_tap0,iface=t0 -- "${up[@]}" --mbufs 300 --rxd 96
iface_up t0 10.9.0.1/24 fd00:9::1/64
eventually "fragments: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
cat >"$tmp/endless.py" <<'END'
import itertools, socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for i in itertools.count():
    # identification i, more fragments, offset 0
    s.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, i & 0xffff, 0x2000, 64, 17, 0,
        bytes([10, 9, 0, 1]), bytes([10, 9, 0, 2])) + bytes(64), ("10.9.0.2", 0))
    time.sleep(0.0005)
END
spawn endless /usr/bin/python3 "$tmp/endless.py"
eventually "fragments: the oldest had to go" bash -c \
	"tail -n 1 '${out[frags]}' | jq -e '.drops.FRAG_BUFFERS >= 500' >/dev/null"
expect "fragments: ping is answered all along" ping -q -c 20 -i 0.05 -W 1 10.9.0.2
expect "fragments: IPv6 too" ping -q -c 20 -i 0.05 -W 1 fd00:9::2
expect "fragments: and datagrams of a few" $flows 10.9.0.2 7 --flows 4 --count 5 --size 8000
kill "${pid[endless]}"
stop_pollux -n frags
expect_eq "fragments: all by their reason" "$(json_field -n frags '.drops |
	del(.IP_MCAST_NOT_MEMBER, .ND_IGNORED, .ARP_IGNORED, .STOPPED) | keys[]')" FRAG_BUFFERS
expect_eq "fragments: counted as Linux does" "$(json_field -n frags \
	'.snmp.IpReasmFails - .drops.FRAG_BUFFERS >= 0')" true

# --- the link goes and comes ---

start_pollux -n link --vdev=net_tap0,iface=t0 -- "${up[@]}"
iface_up t0 10.9.0.1/24 fd00:9::1/64
eventually "link: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
run ip link set t0 down
eventually "link: that it is down is noticed" grep -q "link is down" "${err[link]}"
for i in {3..7}; do # each is announced
	ctl -n link addr add "10.9.0.$i/24" dev net_tap0
done
eventually "link: what is sent then is dropped" bash -c \
	"tail -n 1 '${out[link]}' | jq -e '.drops.TX_DOWN >= 5 and .held == 0' >/dev/null"
run ip link set t0 up
eventually "link: that it is back too" grep -q "link is up" "${err[link]}"
eventually "link: a ping is answered again" ping -q -c 1 -W 1 10.9.0.2
stop_pollux -n link

# --- a transmit queue that stays full: nobody reads what goes to the ring of vhost ---

sock=$tmp/vhost.sock
PLX_MEM=512 start_pollux -n host -l 0 "--vdev=net_vhost0,iface=$sock" -- fwd --mode macswap
PLX_MEM=512 start_pollux -n guest -l 1 --single-file-segments \
	"--vdev=net_virtio_user0,path=$sock" -- fwd --mode txonly --for 1
wait_pollux -n guest
stop_pollux -n host
expect_ge "full: what found no room was dropped" "$(json_field -n host .drops.TX_FULL)" 1
