#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What no host would send: each frame is dropped for its own reason and answered as the RFCs say or
# not at all; ping is still answered after each lot, and the account closes.
#
#	 scapy and the kernel    pollux
#	10.9.0.1   --t0--       10.9.0.2
#	fd00:9::1               fd00:9::2
. "$(dirname "$0")/lib.sh"

need ping python3 tcpdump tshark jq
netns k
scapy_up
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--udp-echo 7 --sysctl net.ipv6.conf.all.dad_transmits=0 \
	--sysctl net.ipv4.icmp_ratelimit=0 --sysctl net.ipv4.icmp_msgs_per_sec=1000000 \
	--sysctl net.ipv4.icmp_msgs_burst=10000 \
	--sysctl net.ipv4.ipfrag_time=1 --sysctl net.ipv6.ip6frag_time=1
iface_up t0 10.9.0.1/24 fd00:9::1/64
capture t0

alive() { # after what
	expect "ping after $1" ping -q -c 2 -i 0.02 -W $patience 10.9.0.2
	expect "ping after $1, IPv6" ping -q -c 2 -i 0.02 -W $patience fd00:9::2
}
alive nothing

scapy <<END
import collections, json, subprocess

mine, port = "${kernel_mac[t0]}", "${port_mac[t0]}"
sock = conf.L2socket(iface="t0")
told = collections.Counter()

def drops():
    said = subprocess.run(["$POLLUX_CTL", "--file-prefix", "${prefix[pollux]}", "drops", "--json"],
        capture_output=True, check=True).stdout
    return collections.Counter({r["reason"]: r["count"] for r in json.loads(said)})

def listen(answers):
    """Take in what Pollux says by now: its ICMP errors as (type, code), anything else by name."""
    while sock in SuperSocket.select([sock], 0.001):
        got = sock.recv()
        if got is None or got.src != port:
            continue
        for kind in ICMP, ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, \
                ICMPv6ParamProblem:
            if kind in got:
                answers.append((got[kind].type, got[kind].code))
                break
        else:
            if UDP in got:
                answers.append("UDP")
            elif ICMPv6EchoReply in got:
                answers.append("pong")
            elif ARP in got and got[ARP].op == 2:
                answers.append("ARP")

def case(name, frames, says=(), **wanted):
    """Send frames; Pollux has to drop so many for these reasons, and to answer so."""
    frames = frames if isinstance(frames, list) else [frames]
    says = says if isinstance(says, list) else [says] if says else []
    answers = []
    listen([])
    before, end = drops(), time.time() + $patience
    for f in frames:
        sock.send(f)
    while True:
        listen(answers)
        diff = dict(drops() - before)
        if "IP_MCAST_NOT_MEMBER" not in wanted:
            diff.pop("IP_MCAST_NOT_MEMBER", None) # the kernel talks to other groups
        if diff == wanted and len(answers) >= len(says):
            break
        assert time.time() < end, f"{name}: dropped {diff}, wanted {wanted}; answers {answers}"
        time.sleep(0.01)
    time.sleep(0.01)
    listen(answers)
    assert answers == says, f"{name}: answers {answers}, wanted {says}"
    told.update(wanted)
    print("ok", name)

E = Ether(src=mine, dst=port)
I = IP(src="10.9.0.1", dst="10.9.0.2")
I6 = IPv6(src="fd00:9::1", dst="fd00:9::2")
U = UDP(sport=7777, dport=7)

def whole(size):
    """A datagram for the echo port, without a checksum."""
    return raw(U / bytes(size))[:6] + bytes(2 + size)

def ip(p, cut=None, **fields):
    """An IPv4 packet with bytes changed after all was computed: field = value, and cut."""
    b = bytearray(raw(p))
    at = {"version": (0, 1), "length": (2, 2), "check": (10, 2)}
    for k, v in fields.items():
        o, n = at[k]
        b[o:o + n] = v.to_bytes(n, "big")
    if "check" not in fields:
        b[10:12] = b"\0\0"
        b[10:12] = checksum(bytes(b[:20])).to_bytes(2, "big")
    return Ether(src=mine, dst=port, type=0x0800) / Raw(bytes(b[:cut]))
END

scapy <<'END'
case("no payload", Ether(src=mine, dst=port, type=0x0800), IP4_SHORT=1)
case("no payload, IPv6", Ether(src=mine, dst=port, type=0x86dd), IP6_SHORT=1)
case("unknown EtherType", Ether(src=mine, dst=port, type=0x88b5) / b"?", ETH_PROTO=1)
case("a length in place of the EtherType", Ether(src=mine, dst=port, type=46) / bytes(46),
    ETH_PROTO=1)
case("tag cut off", Ether(src=mine, dst=port, type=0x8100), ETH_SHORT=1)
case("tag cut in two", Ether(src=mine, dst=port, type=0x8100) / b"\0\5", ETH_SHORT=1)
case("tags without end", Ether(src=mine, dst=port, type=0x8100) / (b"\0\5\x81\0" * 300),
    VLAN_UNKNOWN=1)
case("from a group address", Ether(src="01:00:5e:00:00:01", dst=port) / I / U, ETH_SRC_MCAST=1)
case("for another host", Ether(src=mine, dst="02:00:00:00:00:99") / I / U, ETH_OTHERHOST=1)
END
alive "odd frames"

scapy <<'END'
A = dict(hwsrc=mine, psrc="10.9.0.1", pdst="10.9.0.2")
case("ARP cut off", Ether(src=mine, dst=port, type=0x0806) / Raw(raw(ARP(op=1, **A))[:20]),
    ARP_MALFORMED=1)
case("ARP of token ring", E / ARP(hwtype=6, op=1, **A), ARP_MALFORMED=1)
case("ARP of another protocol", E / ARP(ptype=0x86dd, op=1, **A), ARP_MALFORMED=1)
case("ARP with long addresses", Ether(src=mine, dst=port, type=0x0806) /
    bytes.fromhex("0001080008100001") / bytes(40), ARP_MALFORMED=1)
case("ARP, operation 9", E / ARP(op=9, **A), ARP_IGNORED=1)
case("ARP between others", E / ARP(op=1, hwsrc=mine, psrc="10.9.0.9", pdst="10.9.0.7"),
    ARP_IGNORED=1)
case("ARP from a group", E / ARP(op=1, hwsrc=mine, psrc="224.0.0.1", pdst="10.9.0.2"),
    ARP_IGNORED=1)
case("ARP from everybody", E / ARP(op=1, hwsrc=mine, psrc="255.255.255.255", pdst="10.9.0.2"),
    ARP_IGNORED=1)
case("ARP from 127.0.0.1", E / ARP(op=1, hwsrc=mine, psrc="127.0.0.1", pdst="10.9.0.2"),
    ARP_IGNORED=1)
case("ARP from a group MAC", E / ARP(op=1, hwsrc="01:00:5e:00:00:01", psrc="10.9.0.9",
    pdst="10.9.0.2"), ARP_IGNORED=1)
case("ARP from no MAC", E / ARP(op=1, hwsrc="00:00:00:00:00:00", psrc="10.9.0.9",
    pdst="10.9.0.2"), ARP_IGNORED=1)
case("an ARP answer that nobody asked for", E / ARP(op=2, hwsrc=mine, psrc="10.9.0.66",
    pdst="10.9.0.66"), ARP_IGNORED=1)
END
alive "ARP nonsense"

scapy <<'END'
case("IPv4: version 5", ip(I / U, version=0x55), IP4_VERSION=1)
case("header of 16 bytes", ip(I / U, version=0x44), IP4_IHL=1)
case("header longer than the packet", ip(I / U, version=0x4f), IP4_SHORT=1)
case("packet longer than the frame", ip(I / U, length=1000), IP4_LENGTH=1)
case("packet shorter than its header", ip(I / U, length=10), IP4_LENGTH=1)
case("header cut off", ip(I / U, cut=19), IP4_SHORT=1)
case("wrong header checksum", ip(I / U, check=0x1234), IP4_CHECKSUM=1)
case("header checksum 0", ip(I / U, check=0), IP4_CHECKSUM=1)
case("IPv6 in an IPv4 frame", Ether(src=mine, dst=port, type=0x0800) / I6 / U, IP4_VERSION=1)

def opt(b):
    b += bytes(-len(b) % 4)
    p = bytearray(raw(IP(src="10.9.0.1", dst="10.9.0.2", ihl=5 + len(b) // 4,
        len=20 + len(b) + 9, chksum=0, proto=17))[:20] + b)
    p[10:12] = checksum(bytes(p)).to_bytes(2, "big")
    return Ether(src=mine, dst=port, type=0x0800) / Raw(bytes(p) + whole(1))
case("loose source route", opt(b"\x83\x07\x04\x0a\x09\x00\x03"), says=(12, 0), IP4_OPTIONS=1)
case("strict source route", opt(b"\x89\x07\x04\x0a\x09\x00\x03"), says=(12, 0), IP4_OPTIONS=1)
case("option of length 0", opt(b"\x07\x00\x04\x00"), says=(12, 0), IP4_OPTIONS=1)
case("option of length 1", opt(b"\x44\x01\x05\x00"), says=(12, 0), IP4_OPTIONS=1)
case("option beyond the header", opt(b"\x07\x27\x04\x00"), says=(12, 0), IP4_OPTIONS=1)
case("record route that points into itself", opt(b"\x07\x07\x02\x00\x00\x00\x00"), says=(12, 0),
    IP4_OPTIONS=1)
case("timestamp of an unknown form", opt(b"\x44\x08\x05\x02\x00\x00\x00\x00"), says=(12, 0),
    IP4_OPTIONS=1)
case("an unknown option is passed over", opt(b"\x5e\x04\x00\x00"), says="UDP")

for src in "0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", \
        "10.9.0.255", "10.9.0.0":
    case(f"from {src}", E / IP(src=src, dst="10.9.0.2") / U, IP4_MARTIAN_SRC=1)
case("from ourselves (land)", [
    E / IP(src="10.9.0.2", dst="10.9.0.2") / UDP(sport=7, dport=7) / b"x",
    E / IP(src="10.9.0.2", dst="10.9.0.2") / ICMP(),
    E / IP(src="10.9.0.2", dst="10.9.0.2") / TCP(sport=7, dport=7)], IP4_MARTIAN_SRC=3)
for dst in "127.0.0.1", "0.0.0.0":
    case(f"to {dst}", E / IP(src="10.9.0.1", dst=dst) / U, IP4_MARTIAN_DST=1)
case("to another host", E / IP(src="10.9.0.1", dst="10.8.0.2") / U, IP_NOT_LOCAL=1)
case("to 240.0.0.1", E / IP(src="10.9.0.1", dst="240.0.0.1") / U, IP_NOT_LOCAL=1)
case("to a group", E / IP(src="10.9.0.1", dst="239.9.9.9") / U, IP_MCAST_NOT_MEMBER=1)
case("to one host by broadcast", Ether(src=mine, dst="ff:ff:ff:ff:ff:ff") / I / U, IP4_BCAST_LINK=1)
case("unknown protocol", E / IP(src="10.9.0.1", dst="10.9.0.2", proto=99) / b"x", says=(3, 2),
    IP_NO_PROTO=1)
case("ICMPv6 over IPv4", E / IP(src="10.9.0.1", dst="10.9.0.2", proto=58) / ICMPv6EchoRequest(),
    says=(3, 2), IP_NO_PROTO=1)
END
alive "IPv4 nonsense"

scapy <<'END'
ids = itertools.count(1)
def frag(off, data, mf=True, id=None, proto=17, **kw):
    return E / IP(src="10.9.0.1", dst="10.9.0.2", id=id or n, frag=off // 8,
    flags="MF" if mf else 0,
        proto=proto, **kw) / data
n = next(ids)
case("fragment of a length no multiple of 8", frag(0, bytes(33)), FRAG_MALFORMED=1)
n = next(ids)
case("fragment of nothing", frag(8, b""), FRAG_MALFORMED=1)
n = next(ids)
case("fragment beyond 65535 bytes (ping of death)", frag(65528, bytes(32), mf=False, proto=1),
    FRAG_TOO_BIG=1)
n = next(ids)
u = whole(24)
case("a fragment twice", [frag(0, u[:16]), frag(0, u[:16]), frag(16, u[16:], mf=False)],
    says="UDP", FRAG_DUPLICATE=1)
n = next(ids)
case("in reverse order", [frag(16, u[16:], mf=False), frag(8, u[8:16]), frag(0, u[:8])], says="UDP")
shapes = {
    "one inside the other (teardrop)": (8, 8, True),
    "begins in the other": (16, 24, False),
    "covers the other's end": (8, 32, False),
    "covers it whole": (0, 40, True),
    "ends in the other": (0, 16, True),
}
for name, (off, size, mf) in shapes.items():
    n = next(ids)
    first = frag(0, bytes(24)) if off else frag(8, bytes(24))
    case("overlap: " + name, [first, frag(off, bytes(size), mf=mf)], FRAG_OVERLAP=2)
n = next(ids)
case("what comes after an overlap", [frag(0, u[:16]), frag(8, bytes(16)), frag(24, u[24:],
    mf=False)], FRAG_OVERLAP=3)
n = next(ids)
case("two different ends", [frag(24, bytes(8), mf=False), frag(16, bytes(8), mf=False)],
    FRAG_MALFORMED=2)
n = next(ids)
case("data beyond the end", [frag(24, bytes(8), mf=False), frag(40, bytes(8))], FRAG_MALFORMED=2)
n = next(ids)
case("the rest never comes: the sender is told", [frag(0, bytes(16)), frag(24, bytes(8))],
    says=(11, 1), FRAG_TIMEOUT=2)
n = next(ids)
case("the first never comes: it is not", [frag(8, bytes(16)), frag(24, bytes(8), mf=False)],
    FRAG_TIMEOUT=2)
END
alive "IPv4 fragments"
scapy <<'END'
n = next(ids)
case("fragments without end", [frag(8 * i, bytes(8)) for i in range(1, 200)], FRAG_MEMORY=199)
END
alive "fragments without end"

scapy <<'END'
case("ICMP of 4 bytes", E / IP(src="10.9.0.1", dst="10.9.0.2", proto=1) / b"\x08\0\0\0",
    ICMP_SHORT=1)
case("ICMP with a wrong checksum", E / I / ICMP(chksum=0x1234), ICMP_CHECKSUM=1)
case("ICMP of type 42", E / I / ICMP(type=42), ICMP_TYPE=1)
case("ICMP timestamp request", E / I / ICMP(type=13), says=[(14, 0)])
case("and one without its times", E / IP(src="10.9.0.1", dst="10.9.0.2", proto=1) /
    b"\x0d\0\xf2\xff\0\0\0\0", ICMP_SHORT=1)
case("a reply that nobody asked for", E / I / ICMP(type=0), ICMP_TYPE=1)
case("redirect", E / I / ICMP(type=5, gw="10.9.0.9") / IP(src="10.9.0.2", dst="10.9.0.1") / U,
    ICMP_REDIRECT=1)
quoted = IP(src="10.9.0.2", dst="10.9.0.1") / UDP(sport=7, dport=7777)
case("error that quotes nothing", E / I / ICMP(type=3, code=3), ICMP_QUOTE=1)
case("error that quotes half a header", E / I / ICMP(type=3, code=3) / raw(quoted)[:10],
    ICMP_QUOTE=1)
case("error that quotes no ports", E / I / ICMP(type=3, code=3) / raw(quoted)[:20], ICMP_QUOTE=1)
case("error that quotes a packet of version 9", E / I / ICMP(type=3, code=3) /
    Raw(b"\x95" + raw(quoted)[1:]), ICMP_QUOTE=1)
case("error about what we did not send", E / I / ICMP(type=3, code=3) /
    IP(src="10.9.0.1", dst="10.9.0.2") / UDP(sport=7, dport=7777), ICMP_ERROR_UNMATCHED=1)
case("error about a socket that is not", E / I / ICMP(type=3, code=4, nexthopmtu=600) /
    IP(src="10.9.0.2", dst="10.9.0.1") / UDP(sport=4444, dport=7777), ICMP_ERROR_UNMATCHED=1)
case("errors about errors are not answered", E / IP(src="10.9.0.1", dst="10.9.0.2") /
    ICMP(type=11) / quoted)

case("UDP of 7 bytes", E / IP(src="10.9.0.1", dst="10.9.0.2", proto=17) / bytes(7), UDP_SHORT=1)
case("UDP length 7", E / I / UDP(sport=7777, dport=7, len=7) / b"abc", UDP_LENGTH=1)
case("UDP length beyond the packet", E / I / UDP(sport=7777, dport=7, len=100) / b"abc",
    UDP_LENGTH=1)
case("UDP with a wrong checksum", E / I / UDP(sport=7777, dport=7, chksum=0x1234) / b"abc",
    UDP_CHECKSUM=1)
case("UDP to port 0", E / I / UDP(sport=7777, dport=0) / b"abc", UDP_PORT_ZERO=1)
case("UDP from port 0: nowhere to answer to", E / I / UDP(sport=0, dport=7) / b"abc",
    UDP_PORT_ZERO=1)
case("UDP to a closed port", E / I / UDP(sport=7777, dport=4444), says=(3, 3), UDP_NO_PORT=1)
case("UDP to a closed port, for everybody", Ether(src=mine, dst="ff:ff:ff:ff:ff:ff") /
    IP(src="10.9.0.1", dst="10.9.0.255") / UDP(sport=7777, dport=4444), UDP_NO_PORT=1)
END
alive "ICMP and UDP nonsense"

scapy <<'END'
def ip6(p, cut=None, **fields):
    """An IPv6 packet with bytes changed after all was computed."""
    b = bytearray(raw(p))
    at = {"version": (0, 1), "length": (4, 2)}
    for k, v in fields.items():
        o, n = at[k]
        b[o:o + n] = v.to_bytes(n, "big")
    return Ether(src=mine, dst=port, type=0x86dd) / Raw(bytes(b[:cut]))
def ext(nh, *data):
    """An IPv6 packet that begins with extension headers by hand."""
    return E / IPv6(src="fd00:9::1", dst="fd00:9::2", nh=nh) / Raw(b"".join(data))

case("IPv6: version 7", ip6(I6 / U, version=0x70), IP6_VERSION=1)
case("header cut off, IPv6", ip6(I6 / U, cut=39), IP6_SHORT=1)
case("packet longer than the frame, IPv6", ip6(I6 / U, length=1000), IP6_LENGTH=1)
for src in "::1", "ff02::1", "fd00:9::2":
    case(f"from {src}", E / IPv6(src=src, dst="fd00:9::2") / U, IP6_MARTIAN_SRC=1)
case("from a mapped address", E / IPv6(src="::ffff:10.9.0.1", dst="fd00:9::2") / U, IP6_MAPPED=1)
case("to a mapped address", E / IPv6(src="fd00:9::1", dst="::ffff:10.9.0.2") / U, IP6_MAPPED=1)
for dst in "::1", "::", "ff01::1", "ff00::1":
    case(f"to {dst}", E / IPv6(src="fd00:9::1", dst=dst) / U, IP6_MARTIAN_DST=1)
case("to another host, IPv6", E / IPv6(src="fd00:9::1", dst="fd00:8::2") / U, IP_NOT_LOCAL=1)

case("unknown next header", ext(200, bytes(8)), says=(4, 1), IP_NO_PROTO=1)
case("ICMP over IPv6", ext(1, raw(ICMP())), says=(4, 1), IP_NO_PROTO=1)
case("no next header", ext(59, b"x"), IP_NO_PROTO=1)
case("extension header cut off", ext(60, b"\x11\0\1"), IP6_EXTHDR=1)
case("extension header beyond the packet", ext(60, b"\x11\x09\1\4\0\0\0\0", raw(U)), IP6_EXTHDR=1)
case("hop-by-hop header in second place", ext(60, b"\0\0\1\4\0\0\0\0", b"\x11\0\1\4\0\0\0\0",
    raw(U)),
    says=(4, 1), IP6_EXTHDR_UNKNOWN=1)
case("routing header 0", ext(43, b"\x11\2\0\1\0\0\0\0" + bytes(16), raw(U)), says=(4, 0), IP6_RH0=1)
case("routing header 9 with segments left", ext(43, b"\x11\0\x09\1\0\0\0\0", raw(U)), says=(4, 0),
    IP6_EXTHDR=1)
case("option to be passed over", ext(60, b"\x11\0\x1e\4\0\0\0\0", raw(I6 / U)[40:]), says="UDP")
case("option to be dropped for", ext(60, b"\x11\0\x5e\4\0\0\0\0", raw(U)), IP6_OPTION=1)
case("option to be told of", ext(60, b"\x11\0\x9e\4\0\0\0\0", raw(U)), says=(4, 2), IP6_OPTION=1)
case("the same to a group: told of", Ether(src=mine, dst="33:33:00:00:00:01") /
    IPv6(src="fd00:9::1", dst="ff02::1", nh=60) /
    Raw(b"\x11\0\x9e\4\0\0\0\0" + raw(U)), says=(4, 2), IP6_OPTION=1)
case("to a group: not told of", Ether(src=mine, dst="33:33:00:00:00:01") / IPv6(src="fd00:9::1",
    dst="ff02::1", nh=60) /
    Raw(b"\x11\0\xde\4\0\0\0\0" + raw(U)), IP6_OPTION=1)
case("option beyond its header", ext(60, b"\x11\0\x1e\x40\0\0\0\0", raw(U)), IP6_EXTHDR=1)
case("padding without end", ext(0, b"\x11\x20" + b"\0" * 262, raw(U)), IP6_EXTHDR=1)
case("padding with something in it", ext(0, b"\x11\0\1\4\0\0\1\0", raw(U)), IP6_EXTHDR=1)
case("options without end", ext(0, b"\x11\x20" + b"\x1e\0" * 131, raw(U)), says=(4, 9),
    IP6_EXTHDR=1)
case("headers without end", ext(60, b"\x3c\0\1\4\0\0\0\0" * 100, raw(U)), says=(4, 8), IP6_EXTHDR=1)
case("a jumbo payload", ext(0, b"\x11\0\xc2\4\0\1\0\0", raw(U)), says=(4, 2), IP6_OPTION=1)
case("UDP with a wrong checksum, IPv6", E / I6 / UDP(sport=7777, dport=7, chksum=0x1234) / b"abc",
    UDP_CHECKSUM=1)
case("UDP without a checksum, IPv6", E / I6 / UDP(sport=7777, dport=7, chksum=0) / b"abc",
    UDP_ZERO_CHECKSUM=1)
END
alive "IPv6 nonsense"

scapy <<'END'
def frag6(off, data, mf=1, nh=17):
    return E / I6 / IPv6ExtHdrFragment(offset=off // 8, m=mf, id=n, nh=nh) / Raw(data)
u = raw(I6 / U / bytes(24))[40:]
n = next(ids)
case("in one fragment (RFC 6946)", frag6(0, u, mf=0), says="UDP")
case("in reverse order, IPv6", [frag6(16, u[16:], mf=0), frag6(0, u[:16])], says="UDP")
n = next(ids)
case("fragment of a length no multiple of 8, IPv6", frag6(0, bytes(33)), says=(4, 0),
    FRAG_MALFORMED=1)
case("fragment beyond 65535 bytes, IPv6", frag6(65528, bytes(32), mf=0), says=(4, 0),
    FRAG_TOO_BIG=1)
case("fragment header cut off", ext(44, b"\x11\0\0\1"), IP6_EXTHDR=1)
case("first fragment without the headers (RFC 7112)", frag6(0, b"\x11\1" + bytes(6), nh=60),
    says=(4, 3), IP6_EXTHDR=1)
n = next(ids)
case("overlap (RFC 5722)", [frag6(0, bytes(24)), frag6(16, bytes(24), mf=0)], FRAG_OVERLAP=2)
n = next(ids)
case("the rest never comes, IPv6: the sender is told", [frag6(0, bytes(16)), frag6(24, bytes(8))],
    says=(3, 1), FRAG_TIMEOUT=2)
END
alive "IPv6 fragments"

scapy <<'END'
def nd(msg, src="fd00:9::1", dst="fd00:9::2", hlim=255, mac=port):
    return Ether(src=mine, dst=mac) / IPv6(src=src, dst=dst, hlim=hlim) / msg
ns, sll = ICMPv6ND_NS(tgt="fd00:9::2"), ICMPv6NDOptSrcLLAddr(lladdr=mine)
case("ICMPv6 of 3 bytes", ext(58, b"\x80\0\0"), ICMP_SHORT=1)
case("ICMPv6 with a wrong checksum", E / I6 / ICMPv6EchoRequest(cksum=0x1234), ICMP_CHECKSUM=1)
case("ICMPv6 of type 200", E / I6 / ICMPv6Unknown(type=200, msgbody=bytes(4)), ICMP_TYPE=1)
case("ICMPv6 error of type 99", E / I6 / ICMPv6Unknown(type=99, msgbody=bytes(4)), ICMP_TYPE=1)
case("too big, about what we did not send", E / I6 / ICMPv6PacketTooBig(mtu=1280) /
    IPv6(src="fd00:9::7", dst="fd00:9::1") / UDP(sport=7, dport=7777), ICMP_ERROR_UNMATCHED=1)
case("NS with hop limit 64", nd(ns / sll, hlim=64), ND_HOPLIMIT=1)
case("NS for a group", nd(ICMPv6ND_NS(tgt="ff02::1") / sll), ND_MALFORMED=1)
case("NS with code 1", nd(ICMPv6ND_NS(tgt="fd00:9::2", code=1) / sll), ND_MALFORMED=1)
case("NS cut off", nd(ICMPv6Unknown(type=135, msgbody=bytes(8))), ND_MALFORMED=1)
case("NS with an option of length 0", nd(ns / ICMPv6NDOptSrcLLAddr(lladdr=mine, len=0)),
    ND_MALFORMED=1)
case("NS with an option beyond its end", nd(ns / ICMPv6NDOptSrcLLAddr(lladdr=mine, len=9)),
    ND_MALFORMED=1)
case("NS from nobody with a MAC", nd(ns / sll, src="::", dst="ff02::1:ff00:2",
    mac="33:33:ff:00:00:02"), ND_MALFORMED=1)
case("NS from nobody to one", nd(ns, src="::"), ND_MALFORMED=1)
case("NS for another", nd(ICMPv6ND_NS(tgt="fd00:9::7") / sll), ND_IGNORED=1)
case("NA, solicited, to all", nd(ICMPv6ND_NA(tgt="fd00:9::1", S=1), dst="ff02::1",
    mac="33:33:00:00:00:01"), ND_MALFORMED=1)
case("NA of a stranger", nd(ICMPv6ND_NA(tgt="fd00:9::66", S=0) /
    ICMPv6NDOptDstLLAddr(lladdr=mine)), ND_IGNORED=1)
case("RA from no link-local address", nd(ICMPv6ND_RA(), dst="ff02::1", mac="33:33:00:00:00:01"),
    ND_MALFORMED=1)
case("RA from beyond the link", nd(ICMPv6ND_RA(), src="fe80::1", dst="ff02::1", hlim=254,
    mac="33:33:00:00:00:01"), ND_HOPLIMIT=1)
case("RS: we are no router", nd(ICMPv6ND_RS(), src="fe80::1"), ND_IGNORED=1)
case("redirect, IPv6", nd(ICMPv6ND_Redirect(tgt="fe80::9", dst="fd00:7::1"), src="fe80::1"),
    ICMP_REDIRECT=1)
case("redirect from no link-local address", nd(ICMPv6ND_Redirect(tgt="fe80::9", dst="fd00:7::1")),
    ND_MALFORMED=1)
END
alive "ICMPv6 nonsense"

wanted=$(scapy <<<'print(json.dumps(told, sort_keys=True))')
captured t0 "icmp.type in {3, 11, 12} || icmpv6.type in {1, 3, 4}" # they quote nonsense
stop_pollux
expect_eq "the account has each of them" "$(json_field '.drops | del(.IP_MCAST_NOT_MEMBER)' |
	jq -cS .)" "$(jq -cS 'del(.IP_MCAST_NOT_MEMBER)' <<<"$wanted")"
