#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the capture tests feed pollux with, always the same bytes.

frames.py forms GOOD SPOILED  240 frames of twelve forms in turn: both families, tags, fragments, no
                              IP at all, longer than a buffer; and the same with all sums wrong
frames.py short FILE          frames of 1 to 60 bytes
frames.py huge FILE           half a million frames of 60 to 1,500 bytes
frames.py same FILE FILE      exit 0 if the packets of two pcap files differ in their times only
"""
import random
import struct
import sys

from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, IPv6, IPv6ExtHdrFragment, Raw,
                       wrpcap)


def frames():
    random.seed(9)
    for i in range(240):
        eth = Ether(src='02:00:00:00:aa:01', dst='02:00:00:00:bb:01')
        ip4 = IP(src='198.51.100.1', dst='203.0.113.2', id=i)
        ip6 = IPv6(src='2001:db8::1', dst='2001:db8:1::2')
        text = Raw(random.randbytes(random.randrange(1, 1400)))
        udp = UDP(sport=1000 + i, dport=7000)
        tcp = TCP(sport=1000 + i, dport=7001, flags='PA')
        yield (eth / ip4 / udp / text,
               eth / ip4 / tcp / text,
               eth / ip6 / udp / text,
               eth / ip6 / tcp / text,
               eth / Dot1Q(vlan=7) / ip4 / udp / text,
               eth / Dot1Q(vlan=7) / Dot1Q(vlan=8) / ip6 / tcp / text,
               eth / ip4 / ICMP() / text,
               eth / IP(src='198.51.100.1', dst='203.0.113.2', flags='MF') / udp / text,
               eth / ip6 / IPv6ExtHdrFragment(m=1, id=i) / udp / text,
               eth / ARP(pdst='203.0.113.2'),
               eth / ip4 / udp / Raw(random.randbytes(random.randrange(2000, 9000))),
               eth / ip6 / tcp / Raw(random.randbytes(random.randrange(2000, 9000))))[i % 12]


def spoiled(frame):
    for layer in (IP, TCP, UDP):
        if frame.haslayer(layer):
            frame[layer].chksum = 0xbad
    return frame


def huge(path):
    frame = [struct.pack('<IIII', 1, 0, n, n) + bytes(n) for n in (60, 576, 60, 1500)]
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for _ in range(500):
            f.write(b''.join(frame) * 250)


def bodies(path):
    with open(path, 'rb') as f:
        f.read(24)
        while head := f.read(16):
            yield f.read(struct.unpack('<IIII', head)[2])


def same(one, other):
    return all(a == b for a, b in zip(bodies(one), bodies(other), strict=True))


match sys.argv[1:]:
    case ['forms', good, bad]:
        wrpcap(good, list(frames()))
        wrpcap(bad, [spoiled(f) for f in frames()])
    case ['short', path]:
        wrpcap(path, [Raw(bytes(n)) for n in range(1, 61)], linktype=1)
    case ['huge', path]:
        huge(path)
    case ['same', one, other]:
        sys.exit(not same(one, other))
    case _:
        sys.exit(__doc__)
