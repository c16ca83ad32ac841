#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# VLANs: an interface for a tag answers in that tag, others' frames are dropped. The kernel here may
# have no 8021q module, so that scapy speaks for the other side.
#
#	 scapy                     pollux
#	10.5.0.1 fd00:5::1  --t0.5--  10.5.0.2 fd00:5::2
#	10.9.0.1            --t0----  10.9.0.2            the kernel
. "$(dirname "$0")/lib.sh"

need ping python3 tcpdump tshark jq
netns k
scapy_up
start_pollux --vdev=net_tap0,iface=t0 -- up --udp-echo 7 \
	--if 0,addr=10.9.0.2/24 --if net_tap0,vlan=5,addr=10.5.0.2/24,addr=fd00:5::2/64,mtu=1400 \
	--sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24
expect_eq "interfaces have numbers of their own" \
	"$(ctl addr --json | jq -r '[.[] | "\(.ifindex) \(.ifname)"] | unique | join(", ")')" \
	"1 net_tap0, 2 net_tap0.5"
capture t0
expect "untagged: ping" ping -q -c 2 -i 0.02 -W $patience 10.9.0.2

# The other host of VLAN 5: it answers ARP and NS, and asks.
scapy <<END
mine, port = "02:00:00:00:00:05", "${port_mac[t0]}"
sock = conf.L2socket(iface="t0")

def tagged(vid=5, prio=0, dst=port):
    return Ether(src=mine, dst=dst) / Dot1Q(vlan=vid, prio=prio)

def is_at(frame):
    """What this host answers by itself."""
    if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == "10.5.0.1":
        return tagged() / ARP(op=2, hwsrc=mine, psrc="10.5.0.1", hwdst=port, pdst=frame[ARP].psrc)
    if ICMPv6ND_NS in frame and frame[ICMPv6ND_NS].tgt == "fd00:5::1":
        return (tagged() / IPv6(src="fd00:5::1", dst=frame[IPv6].src) /
            ICMPv6ND_NA(tgt="fd00:5::1", R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mine))

def ask(frame, wants, seconds=$patience):
    """Send; the first frame of Pollux's that is wanted, or None."""
    sock.send(frame)
    end = time.time() + seconds
    while time.time() < end:
        got = sock.recv() if sock in SuperSocket.select([sock], 0.1) else None
        if got is None or Ether not in got or got.src != port:
            continue
        if is_at(got):
            sock.send(is_at(got))
        elif wants(got):
            return got

def in_vlan(got, vid):
    assert got is not None, "no answer"
    assert Dot1Q in got and got[Dot1Q].vlan == vid, got.summary()
    return got

udp4 = IP(src="10.5.0.1", dst="10.5.0.2") / UDP(sport=7777, dport=7)
udp6 = IPv6(src="fd00:5::1", dst="fd00:5::2") / UDP(sport=7777, dport=7)
is_udp = lambda f: UDP in f and f[UDP].sport == 7
is_pong = lambda f: ICMP in f and f[ICMP].type == 0
END

scapy <<END
got = in_vlan(ask(tagged(dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mine, psrc="10.5.0.1",
    pdst="10.5.0.2"), lambda f: ARP in f and f[ARP].op == 2), 5)
assert (got[ARP].hwsrc, got[ARP].psrc, got[ARP].pdst) == (port, "10.5.0.2", "10.5.0.1")
END
ok "VLAN 5: ARP"
scapy <<END
in_vlan(ask(tagged() / IP(src="10.5.0.1", dst="10.5.0.2") / ICMP(seq=3) / b"data", is_pong), 5)
END
ok "VLAN 5: ping"
scapy <<END
got = in_vlan(ask(tagged(dst="33:33:ff:00:00:02") /
    IPv6(src="fd00:5::1", dst="ff02::1:ff00:2") / ICMPv6ND_NS(tgt="fd00:5::2") /
    ICMPv6NDOptSrcLLAddr(lladdr=mine), lambda f: ICMPv6ND_NA in f), 5)
assert got[ICMPv6NDOptDstLLAddr].lladdr == port and got[ICMPv6ND_NA].S == 1
in_vlan(ask(tagged() / IPv6(src="fd00:5::1", dst="fd00:5::2") / ICMPv6EchoRequest(data=b"x" * 99),
    lambda f: ICMPv6EchoReply in f), 5)
END
ok "VLAN 5: NS, ping over IPv6"
scapy <<END
for udp in udp4, udp6:
    got = in_vlan(ask(tagged() / udp / b"hello", is_udp), 5)
    assert bytes(got[UDP].payload)[:5] == b"hello"
END
ok "VLAN 5: UDP echo, both families"
scapy <<END
assert in_vlan(ask(tagged(prio=5) / udp4 / b"urgent", is_udp), 5)
END
ok "VLAN 5: whatever the priority"
scapy <<END
got = ask(tagged(vid=0, prio=3) / IP(src="10.9.0.1", dst="10.9.0.2") / ICMP(), is_pong)
assert got is not None, "no answer"
assert Dot1Q not in got, got.summary()
END
ok "a priority tag is no VLAN: the answer is untagged"
scapy <<END
first = in_vlan(ask(tagged() / udp4 / (b"x" * 1372), is_udp), 5)
assert first[IP].len == 1400 and first[IP].flags != "MF", "it fits its MTU"
first = in_vlan(ask(tagged() / udp4 / (b"x" * 1400), lambda f: IP in f and f[IP].flags == "MF"), 5)
assert first[IP].len <= 1400
END
ok "the VLAN has an MTU of its own"

scapy <<END
nothing = lambda f: ICMP in f or UDP in f or ARP in f and f[ARP].op == 2
arp = ARP(op=1, hwsrc=mine, psrc="10.5.0.1", pdst="10.5.0.2")
ones = "ff:ff:ff:ff:ff:ff"
sock.send(tagged(vid=6, dst=ones) / arp)                                     # unknown
sock.send(tagged(vid=4095) / udp4)                                           # reserved
sock.send(Ether(src=mine, dst=port, type=0x88a8) / Dot1Q(vlan=5) / Dot1Q(vlan=5) / udp4)  # QinQ
sock.send(tagged() / Dot1Q(vlan=5) / udp4)                                   # two C-tags
sock.send(Ether(src=mine, dst=port) / Dot1Q(vlan=5, type=0x0800))            # cut off
sock.send(Ether(src=mine, dst="02:00:00:00:00:77") / Dot1Q(vlan=5) / udp4)   # somebody else's
assert ask(tagged(vid=7) / udp4, nothing, 1) is None
END
ok "what is in other VLANs or in two is not answered"
expect "untagged still: ping" ping -q -c 2 -i 0.02 -W $patience 10.9.0.2
captured t0

stop_pollux
expect_eq "dropped as of an unknown VLAN" "$(json_field .drops.VLAN_UNKNOWN)" 5
expect_eq "dropped as of another host" "$(json_field .drops.ETH_OTHERHOST)" 1
expect_eq "dropped as cut off" "$(json_field .drops.IP4_SHORT)" 1
