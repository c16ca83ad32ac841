#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Which queue each packet of a capture goes to, reckoned apart from Pollux: the Toeplitz hash by
its definition over one large integer, `ethtool -X weight` by adding up.

steer.py make DIR             eth.pcap: flows of both families, from large to small, with tags,
                              fragments, ICMP and ARP; raw.pcap, sll.pcap: those of IP without
                              Ethernet; gre.pcap, vxlan.pcap: the same within a tunnel
steer.py table WEIGHTS SIZE     the indirection table that they make, as JSON
steer.py queues FILE QUEUES SIZE KEY SYMMETRIC WEIGHTS
                              packets, bytes and flows of each queue, as JSON. KEY: hex;
                              SYMMETRIC: 0 or 1; WEIGHTS: w0,w1,... or -
"""
import importlib
import json
import os
import random
import sys
import warnings

MAC = {'src': '02:00:00:00:aa:01', 'dst': '02:00:00:00:bb:01'}

SCAPY = ('ARP GRE ICMP IP TCP UDP VXLAN CookedLinux Dot1Q Ether IPv6 IPv6ExtHdrFragment Raw '
         'RawPcapWriter rdpcap').split()


def need_scapy():
    """Who makes packets and takes them apart; it takes a second to come."""
    warnings.simplefilter('ignore')
    everything = importlib.import_module('scapy.all')
    globals().update({name: getattr(everything, name) for name in SCAPY})


def flows():
    rng = random.Random(31)
    for i in range(60):
        if i % 3 == 2:
            ip = IPv6(src='2001:db8::%x' % rng.getrandbits(64 - 49), dst='2001:db8:1::1')
        else:
            ip = IP(src='198.51.%d.%d' % (rng.randrange(256), rng.randrange(256)),
                    dst='203.0.113.%d' % rng.randrange(256))
        l4 = (TCP if i % 2 else UDP)(sport=rng.randrange(1024, 65536), dport=7 + i % 5)
        yield 600 // (i + 1) + 1, ip / l4 / Raw(rng.randbytes(rng.randrange(1, 900)))
    yield 5, IP(src='198.51.100.9', dst='203.0.113.9') / ICMP() / Raw(b'ping')
    yield 4, IP(src='198.51.100.9', dst='203.0.113.9', flags='MF') / UDP(sport=9, dport=9)
    yield 3, IP(src='198.51.100.9', dst='203.0.113.9', frag=5, proto=17) / Raw(bytes(99))
    yield 2, (IPv6(src='2001:db8::9', dst='2001:db8::a') /
              IPv6ExtHdrFragment(offset=8, m=1, nh=17) / Raw(bytes(64)))
    yield 6, IP(src='198.51.100.9', dst='203.0.113.9', proto=47) / Raw(b'no tunnel')


def eth(p, tagged):
    return Ether(**MAC) / (Dot1Q(vlan=7) / p if tagged and ARP not in p else p)


def make(where):
    outer = IP(src='192.0.2.1', dst='192.0.2.2')
    pkts = [p for n, p in flows() for _ in range(n)]
    tunnel = outer / UDP(sport=50000, dport=4789) / VXLAN(vni=1)
    write(where + '/eth.pcap', 1, pkts + [ARP(pdst='203.0.113.1')] * 8, eth)
    write(where + '/raw.pcap', 101, pkts, lambda p, _: p)
    write(where + '/sll.pcap', 113, pkts,
          lambda p, _: CookedLinux(proto=0x0800 if IP in p else 0x86dd) / p)
    write(where + '/gre.pcap', 1, pkts, lambda p, _: Ether(**MAC) / outer / GRE() / p)
    write(where + '/vxlan.pcap', 1, pkts, lambda p, tag: Ether(**MAC) / tunnel / eth(p, tag))


def write(path, linktype, pkts, wrap):
    """Each seventh may be tagged; what comes again is built once."""
    built = {}
    with RawPcapWriter(path, linktype=linktype) as f:
        for i, p in enumerate(pkts):
            key = id(p), i % 7 == 0
            if key not in built:
                built[key] = bytes(wrap(p, key[1]))
            f.write(built[key])


def toeplitz(key, data):
    key_bits = len(key) * 8
    whole = int.from_bytes(key, 'big')
    bits = ''.join(format(b, '08b') for b in data)
    result = 0
    for i, bit in enumerate(bits):
        if bit == '1':
            result ^= whole >> (key_bits - 32 - i) & 0xffffffff
    return result


def dissect(p):
    """The flow's name, and what of it is hashed: pairs of addresses and of ports, or None; hex."""
    if IP in p:
        ip = p[IP]
        frag = bool(ip.frag or ip.flags.MF)
        proto = ip.proto
        addrs = [bytes(map(int, a.split('.'))) for a in (ip.src, ip.dst)]
    elif IPv6 in p:
        ip = p[IPv6]
        frag = IPv6ExtHdrFragment in p
        proto = p[IPv6ExtHdrFragment].nh if frag else ip.nh
        raw = bytes(ip)
        addrs = [raw[8:24], raw[24:40]]
    else:
        return None
    ports = None
    for l4 in (TCP, UDP):
        if not frag and l4 in p:
            ports = [p[l4].sport.to_bytes(2, 'big'), p[l4].dport.to_bytes(2, 'big')]
    addrs, ports = [a.hex() for a in addrs], ports and [a.hex() for a in ports]
    return '%s %d %d %s' % (addrs, proto, frag, ports), addrs, ports


def packets(path):
    """(length, what it is) of each; kept beside the file for the next time."""
    kept = path + '.json'
    if not os.path.exists(kept):
        need_scapy()
        found = [(p.wirelen or len(p), dissect(p)) for p in rdpcap(path)]
        with open(kept, 'w') as f:
            json.dump(found, f)
    with open(kept) as f:
        return json.load(f)


def table(queues, size, weights):
    if weights == '-':
        return [i % queues for i in range(size)]
    w = [int(x) for x in weights.split(',')]
    result = []
    for q, _ in enumerate(w):
        end = size * sum(w[:q + 1]) // sum(w)  # in whole entries, as ethtool
        result += [q] * (end - len(result))
    return result


def queues(path, n, size, key, symmetric, weights):
    key = bytes.fromhex(key)
    reta = table(n, size, weights)
    count = [{'queue': q, 'packets': 0, 'bytes': 0, 'flows': 0} for q in range(n)]
    known, seen = {}, set()
    for length, d in packets(path):
        if d and d[0] not in known:
            addrs, ports = d[1], d[2]
            if symmetric:
                addrs, ports = sorted(addrs), sorted(ports) if ports else None
            known[d[0]] = toeplitz(key, bytes.fromhex(''.join(addrs + (ports or []))))
        q = reta[known[d[0]] % size if d else 0]
        count[q]['packets'] += 1
        count[q]['bytes'] += length
        if d and d[0] not in seen:
            seen.add(d[0])
            count[q]['flows'] += 1
    print(json.dumps(count, separators=(',', ':')))


if sys.argv[1] == 'make':
    need_scapy()
    make(sys.argv[2])
elif sys.argv[1] == 'table':
    print(json.dumps(table(0, int(sys.argv[3]), sys.argv[2]), separators=(',', ':')))
else:
    queues(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6] == '1',
           sys.argv[7])
