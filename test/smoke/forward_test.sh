#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Pollux forwards between two kernels: pings, UDP and TCP streams, fragments; where the next link is
# narrower it fragments, or tells the sender, which then knows the path's MTU.
#
#	 kernel a                  pollux                      kernel b
#	10.1.0.1   --t0--  10.1.0.254 10.2.0.254  --t1--  10.2.0.1
#	fd00:1::1          fd00:1::fe fd00:2::fe          fd00:2::1
#	           MTU 1500                       MTU 1280
. "$(dirname "$0")/lib.sh"

need ping socat sha256sum python3 tcpdump tshark jq
netns b
netns a
start_pollux --vdev=net_tap0,iface=t0 --vdev=net_tap1,iface=t1 -- up \
	--if 0,addr=10.1.0.254/24,addr=fd00:1::fe/64 \
	--if 1,addr=10.2.0.254/24,addr=fd00:2::fe/64,mtu=1280 \
	--sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1 \
	--sysctl net.ipv6.conf.all.dad_transmits=0
iface_to t1 b
run ip link set t1 mtu 1280
iface_up t1 10.2.0.1/24 fd00:2::1/64
run ip route add default via 10.2.0.254
run ip route add default via fd00:2::fe
capture t1
use a
iface_up t0 10.1.0.1/24 fd00:1::1/64
run ip route add default via 10.1.0.254
run ip route add default via fd00:1::fe
capture t0

expect "ping" ping -q -c 3 -i 0.02 -W $patience 10.2.0.1
expect "ping, IPv6" ping -q -c 3 -i 0.02 -W $patience fd00:2::1
expect "what fits the narrow link" ping -q -c 1 -W $patience -M "do" -s 1252 10.2.0.1
expect "what does not is cut" ping -q -c 1 -W $patience -M dont -s 1400 10.2.0.1
expect "fragments are cut again" ping -q -c 1 -W $patience -M dont -s 8000 10.2.0.1
expect "with options in each" ping -q -c 1 -W $patience -M dont -s 3000 -T tsonly 10.2.0.1
# Each writes the address by which it leaves: we on the way there, and on the way back.
expect_match "record route" "$(run ping -n -c 1 -W $patience -R 10.2.0.1)" \
	"RR:.*10\.1\.0\.1.*10\.2\.0\.254.*10\.2\.0\.1.*10\.1\.0\.254.*10\.1\.0\.1"

# Don't fragment: refused once, then the kernel knows the path's MTU.
expect_match "with DF: frag needed" "$(run ping -c 1 -W $patience -M "do" -s 1400 10.2.0.1)" \
	"Frag needed and DF set \(mtu = 1280\)"
expect_match "the kernel has learnt the path's MTU" "$(run ip route get 10.2.0.1)" "mtu 1280"
expect_match "IPv6: packet too big" "$(run ping -c 1 -W $patience -M "do" -s 1400 fd00:2::1)" \
	"Packet too big: mtu=1280"
expect_match "the kernel has learnt the path's MTU, IPv6" "$(run ip route get fd00:2::1)" "mtu 1280"
expect "fragments of that size go through" ping -q -c 1 -W $patience -s 8000 fd00:2::1

# Streams.
megs=4
[ "$PLX_LONG" = 0 ] || megs=100
head -c ${megs}M /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")
for to in TCP4:10.2.0.1 "TCP6:[fd00:2::1]"; do
	use b
	spawn "listen-${to%%:*}" socat -u "${to%%:*}-LISTEN:5000" "CREATE:$tmp/got"
	eventually_quietly bash -c "ss -tln | grep -q :5000" || fail "nobody listens"
	use a
	expect "$megs MB by ${to%%:*}" \
		timeout $((3 * patience)) socat -u "OPEN:$tmp/data" "$to:5000"
	finish "listen-${to%%:*}"
	expect_eq "came over whole" "$(sha256sum <"$tmp/got")" "$sum"
done
# What the kernels say is theirs: full windows, a segment sent twice on a slow machine, a TCP
# checksum of 0xffff for 0, options that are blanked out in later fragments.
theirs='tcp.analysis.flags || tcp.options.sack.dsack || tcp.checksum == 0xffff ||
	_ws.expert.message contains "NOP"'
captured t0 "$theirs"
captured t1 "$theirs"

cat >"$tmp/udp.py" <<'END'
import socket, sys
far = sys.argv[2]
s = socket.socket(socket.AF_INET6 if ":" in far else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
s.settimeout(float(sys.argv[3]))
if sys.argv[1] == "echo":
    s.bind((far, 5001))
    print("bound", flush=True)
    while True:
        data, who = s.recvfrom(65536)
        s.sendto(data, who)
s.connect((far, 5001))
for i in range(2000):
    size = (i * 37) % 1200 if i % 50 else 20000
    data = i.to_bytes(4, "big") + bytes(size)
    s.send(data)
    assert s.recv(65536) == data, i
END
for far in 10.2.0.1 fd00:2::1; do
	use b
	spawn "echo-$far" /usr/bin/python3 "$tmp/udp.py" echo $far 60
	use a
	eventually_quietly grep -q bound "${out[echo-$far]}" || fail "no echo server"
	expect "2000 datagrams to $far and back, some in fragments" \
		/usr/bin/python3 "$tmp/udp.py" ask $far $patience
done

stop_pollux
expect_eq "only what was too big was dropped" "$(json_field '.drops |
	del(.IP_MCAST_NOT_MEMBER, .ND_IGNORED, .ARP_IGNORED) | keys | join(" ")')" IP_TOO_BIG
expect_ge "senders were told" "$(json_field .snmp.Icmp6OutPktTooBigs)" 1
expect_eq "nothing was reassembled on the way" \
	"$(json_field '.snmp.IpReasmReqds + .snmp.Ip6ReasmReqds')" 0
expect_ge "fragments were made" "$(json_field .snmp.IpFragCreates)" 4
expect_eq "every one of them fits" "$(frames t1 "
	eth.src == ${port_mac[t1]} && frame.len > 1294")" 0
expect_eq "the quote of IPv6 fills the minimum MTU (RFC 4443 3.2)" "$(shark t0 -Y "
	eth.src == ${port_mac[t0]} && icmpv6.type == 2" -T fields -e frame.len | sort -u)" 1294
