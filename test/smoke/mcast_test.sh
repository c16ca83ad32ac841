#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Groups: all hosts, solicited nodes and joined ones are heard, others are not; memberships are
# reported by IGMPv3 and MLDv2, unasked and to queriers of each version.
#
#	 kernel, and a querier by scapy   pollux
#	10.9.0.1   --t0--                10.9.0.2   in 239.1.2.3
#	fd00:9::1                        fd00:9::2  in ff05::1:3
. "$(dirname "$0")/lib.sh"

need ping python3 tcpdump tshark jq
netns k
scapy_up
start_pollux --vdev=net_tap0,iface=t0 -- up \
	--if 0,addr=10.9.0.2/24,addr=fd00:9::2/64,group=239.1.2.3,group=ff05::1:3 --udp-echo 7 \
	--sysctl net.ipv4.icmp_echo_ignore_broadcasts=0 --sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24 fd00:9::1/64
capture t0
ll=$(linklocal "${port_mac[t0]}")

answers() { # what who group: a ping to it is answered by Pollux's address
	eventually "$1" bash -c "ping -n -I t0 -c 2 -i 0.1 -W 1 $3 2>/dev/null | grep 'from $2'"
}
answers "all hosts" 10.9.0.2 224.0.0.1
answers "all nodes" "$ll" ff02::1
answers "the solicited-node group" "$ll" ff02::1:ff00:2
answers "a joined group" 10.9.0.2 239.1.2.3
answers "a joined group, IPv6" fd00:9::2 ff05::1:3
expect_match "everybody" "$(run ping -n -b -c 1 -W $patience 10.9.0.255 2>&1)" "from 10.9.0.2"
expect_not "no other group" ping -q -I t0 -c 1 -W 0.3 239.1.2.4
expect_not "no other group, IPv6" ping -q -I t0 -c 1 -W 0.3 ff05::1:4

expect "a datagram to a group comes back from the host's own address" /usr/bin/python3 - <<END
import socket
for family, group, mine in (socket.AF_INET, "239.1.2.3", "10.9.0.2"), \
        (socket.AF_INET6, "ff05::1:3", "fd00:9::2"):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout($patience)
    if family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.9.0.1"))
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("t0"))
    s.sendto(b"anybody?", (group, 7))
    data, who = s.recvfrom(100)
    assert (data, who[0]) == (b"anybody?", mine), who
END

# Queriers of each version; each is answered in its own.
scapy <<END
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3mq
e4 = Ether(src="02:00:00:00:00:05", dst="01:00:5e:00:00:01")
i4 = IP(src="10.9.0.5", dst="224.0.0.1", ttl=1, options=[IPOption_Router_Alert()])
e6 = Ether(src="02:00:00:00:00:05", dst="33:33:00:00:00:01")
i6 = IPv6(src="fe80::5", dst="ff02::1", hlim=1)
ra = IPv6ExtHdrHopByHop(options=[RouterAlert()])
pcap = "$tmp/t0.pcap"
def ask(*frames):
    for f in frames:
        sendp(f, iface="t0", verbose=0)
END
count() { # filter: what Pollux has sent so far
	frames t0 "eth.src == ${port_mac[t0]} && $1"
}
until_more() { # what filter before
	local end=$((SECONDS + patience))
	until [ "$(count "$2")" -gt "$3" ]; do
		[ $SECONDS -lt $end ] || fail "$1: not within $patience s"
	done
	ok "$1"
}
v3='igmp.type == 0x22 && igmp.maddr == 239.1.2.3'
v2='igmp.type == 0x16 && igmp.maddr == 239.1.2.3'
mld2='icmpv6.type == 143 && icmpv6.mldr.mar.multicast_address == ff05::1:3'
mld1='icmpv6.type == 131 && icmpv6.mld.multicast_address == ff05::1:3'
n3=$(count "$v3") n2=$(count "$v2") n6=$(count "$mld2") n1=$(count "$mld1")
own='icmpv6.mldr.mar.multicast_address == ff02::1:ff00:66 && icmpv6.mldr.mar.record_type'
ctl addr add fd00:9::66/64 dev net_tap0 || fail "address not added"
until_more "a new address's group is reported unasked" "$own == 4" 0
ctl addr del fd00:9::66/64 dev net_tap0 || fail "address not removed"
until_more "and left" "$own == 3" 0
scapy <<END
ask(e4 / i4 / IGMPv3(type=0x11, mrcode=5) / IGMPv3mq(), e6 / i6 / ra / ICMPv6MLQuery2(mrd=500))
END
until_more "a general query of IGMPv3" "$v3" "$n3"
until_more "a general query of MLDv2" "$mld2" "$n6"
n3=$(count "$v3") n6=$(count "$mld2")
scapy <<END
i4.dst, i6.dst = "239.1.2.3", "ff05::1:3"
e4.dst, e6.dst = "01:00:5e:01:02:03", "33:33:00:01:00:03"
ask(e4 / i4 / IGMPv3(type=0x11, mrcode=5) / IGMPv3mq(gaddr="239.1.2.3"),
    e6 / i6 / ra / ICMPv6MLQuery2(mladdr="ff05::1:3", mrd=500))
END
until_more "a query for one group, IGMPv3" "$v3" "$n3"
until_more "a query for one group, MLDv2" "$mld2" "$n6"
scapy <<END
i4.dst, i6.dst = "224.0.0.1", "ff02::1"
e4.dst, e6.dst = "01:00:5e:00:00:01", "33:33:00:00:00:01"
ask(e4 / i4 / IGMP(type=0x11, mrcode=5), e6 / i6 / ra / ICMPv6MLQuery(mrd=500))
END
until_more "a query of IGMPv2" "$v2" "$n2"
until_more "a query of MLDv1" "$mld1" "$n1"
scapy <<END
ask(e6 / i6 / ICMPv6MLQuery2(mrd=500),                     # without a router alert
    e6 / IPv6(src="fd00:9::5", dst="ff02::1", hlim=1) / ra / ICMPv6MLQuery2(mrd=500),
    e6 / IPv6(src="fe80::5", dst="ff02::1", hlim=2) / ra / ICMPv6MLQuery2(mrd=500))
END
captured t0

stop_pollux
expect_eq "queries that cannot be are refused" "$(json_field .drops.IGMP_MALFORMED)" 3
expect_ge "other groups were not for us" "$(json_field .drops.IP_MCAST_NOT_MEMBER)" 2
expect_eq "all reports have time to live 1 and the router alert option" "$(count "
	(igmp && (ip.ttl != 1 || ip.opt.type != 148)) ||
	(icmpv6.type in {131, 143} && (ipv6.hlim != 1 || !ipv6.opt.router_alert))")" 0
expect_eq "to the right addresses (RFC 3376 4.2.14, RFC 3810 5.2.14)" "$(count "
	(igmp.type == 0x22 && ip.dst != 224.0.0.22) ||
	(icmpv6.type == 143 && ipv6.dst != ff02::16) ||
	(igmp.type == 0x16 && ip.dst != igmp.maddr)")" 0
expect_eq "nothing about the all-hosts groups" "$(count "igmp.maddr == 224.0.0.1 ||
	icmpv6.mldr.mar.multicast_address == ff02::1")" 0
