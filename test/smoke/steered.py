#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Flows sent, and watched where they leave: who has forwarded which packet, and in which order.

Each packet carries its kind, flow, direction and number, so that it is known wherever it comes out.
One program for both sides: of the kernel the CPU is asked that has sent a packet on, of Pollux the
transmit queue, which is an lcore's. A classic filter of packet sockets knows both (SKF_AD_CPU,
SKF_AD_QUEUE), so there is a socket for each.

  send IFACE MAC KIND...    frames to the router's MAC
  pcap FILE MAC KIND...     the same into a capture file
  watch IFACE FILE cpu|queue N in|out
                            until SIGTERM, then write to FILE what has passed
  facts FILE KIND...        what that says of each kind, a line each
  came FILE greedy4         for each flow LOUD: packets that came in all, those of the others, and
                            how many flows were not in order
  ways FILE KIND            for each hundred of numbers: who has sent them
  ballast IFACE             make each packet of an interface cost who handles it some time
"""
import argparse
import ctypes
import errno
import json
import os
import random
import selectors
import signal
import socket
import struct
import sys
import time

MAGIC = b"\xd5PLX"
HEAD = struct.Struct(">4sBHBI")  # magic, kind, flow, whether it is the way back, number
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
AD = 0xfffff000  # SKF_AD_OFF
AD_PKTTYPE, AD_QUEUE, AD_CPU = 4, 24, 36
OUTGOING = 4
LD, JEQ, RET, DIV = 0x20, 0x15, 0x06, 0x34


# ---- frames ----

def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(src, dst, proto, text, frag=0, number=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(text), number, frag, 64, proto, 0,
                       src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + text


def ip6(src, dst, proto, text, label=0):
    return struct.pack(">IHBB16s16s", 6 << 28 | label, len(text), proto, 64, src, dst) + text


def udp(sport, dport, text):
    return struct.pack(">HHHH", sport, dport, 8 + len(text), 0) + text


def tcp(sport, dport, text):
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x10, 1000, 0, 0) + text


def sctp(sport, dport, text):
    return struct.pack(">HHII", sport, dport, 1, 0) + text


def addr4(net, r):
    return socket.inet_aton(f"{net}.{r.randrange(1, 255)}.{r.randrange(1, 255)}")


def addr6(net, r):
    return socket.inet_pton(socket.AF_INET6, f"{net}::{r.randrange(1, 65535):x}")


class Kind:
    """Flows of one kind: their frames, both ways. Flow i is the same whoever asks."""
    nets = {4: ("10.1", "10.2"), 6: ("fd00:1:1", "fd00:2:1")}

    def __init__(self, name):
        self.name = name
        self.number = NAMES.index(name)
        self.v6 = name.endswith("6")

    def ends(self, r):
        a, b = self.nets[6 if self.v6 else 4]
        if self.name == "vlan4":
            a = "10.5"
        make = addr6 if self.v6 else addr4
        return make(a, r), make(b, r)

    def packets(self, flow, back, number):
        """@return the IP packets, of which each carries the number."""
        r = random.Random(f"{self.name} {flow}")
        # of these all flows have the same pair of addresses
        alike = self.name in ("icmp4", "esp4", "ipip4", "frag4", "frag6", "label6", "greedy4")
        src, dst = self.ends(random.Random(self.name) if alike else r)
        sport, dport = r.randrange(1024, 65536), r.randrange(1024, 65536)
        label = r.randrange(1, 1 << 20)
        mark = HEAD.pack(MAGIC, self.number, flow, back, number)
        if back:
            src, dst, sport, dport = dst, src, dport, sport
        return getattr(self, self.name.rstrip("46"))(src, dst, sport, dport, mark, label, back)

    def whole(self, src, dst, proto, text, label=0):
        return [ip6(src, dst, proto, text, label) if self.v6 else ip4(src, dst, proto, text)]

    def udp(self, src, dst, sport, dport, mark, *_):
        return self.whole(src, dst, 17, udp(sport, dport, mark))

    vlan = greedy = udp

    def echo(self, src, dst, sport, dport, mark, *_):
        """To the router itself."""
        dst = socket.inet_pton(socket.AF_INET6, "fd00:1::1") if self.v6 else bytes([10, 1, 0, 1])
        text = udp(sport, 7, mark + bytes(len(mark) & 1))
        pseudo = src + dst + struct.pack(">II", len(text), 17)
        return self.whole(src, dst, 17, text[:6] + struct.pack(
            ">H", checksum(pseudo + text) or 0xffff) + text[8:])

    def tcp(self, src, dst, sport, dport, mark, *_):
        return self.whole(src, dst, 6, tcp(sport, dport, mark))

    def sctp(self, src, dst, sport, dport, mark, *_):
        return self.whole(src, dst, 132, sctp(sport, dport, mark))

    def icmp(self, src, dst, sport, dport, mark, *_):
        return self.whole(src, dst, 1, struct.pack(">BBHHH", 8, 0, 0, sport ^ dport, 0) + mark)

    def esp(self, src, dst, sport, dport, mark, label, *_):
        return self.whole(src, dst, 50, struct.pack(">II", label << 12 | 5, 1) + mark)

    def label(self, src, dst, sport, dport, mark, label, back):
        """One pair of ports, and a label for each flow: the other one on the way back."""
        return self.whole(src, dst, 17, udp(1000, 1000, mark), label ^ (0x12345 if back else 0))

    def ipip(self, src, dst, sport, dport, mark, *_):
        inner = ip4(socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2"), 17,
                    udp(sport, dport, mark))
        return self.whole(src, dst, 4, inner)

    def frag(self, src, dst, sport, dport, mark, label, back):
        text = udp(sport, dport, mark)
        text += bytes(32 - len(text))
        rest = mark + bytes(16 - len(mark))
        if not self.v6:
            return [ip4(src, dst, 17, text, 0x2000, label & 0xffff),
                    ip4(src, dst, 17, rest, 4, label & 0xffff)]
        return [self.whole(src, dst, 44, struct.pack(">BBHI", 17, 0, off, label) + part)[0]
                for off, part in ((1, text), (32, rest))]


NAMES = ["udp4", "tcp4", "udp6", "tcp6", "sctp4", "frag4", "frag6", "icmp4", "vlan4", "label6",
         "esp4", "ipip4", "greedy4", "echo4", "echo6"]


def frames(kind, mac, flow, back, number):
    # an address of its own, lest the router take it for its own
    head = bytes.fromhex(mac.replace(":", "")) + b"\x02\x00\x00\x00\x00\x99"
    if kind.name == "vlan4" and not back:
        head += b"\x81\x00\x00\x05"
    for p in kind.packets(flow, back, number):
        yield (head + (b"\x86\xdd" if kind.v6 else b"\x08\x00") + p).ljust(60, b"\0")


def plan(args):
    """The frames of all flows by turns. Of greedy4 flow LOUD has nine of ten packets, the others
    are LOUD * 1000 and those behind it."""
    for number in range(args.first, args.first + args.count):
        for kind in map(Kind, args.kind):
            for flow in range(args.flows):
                if kind.name == "greedy4":
                    for i in range(9):
                        yield from frames(kind, args.mac, args.loud, args.back,
                                          (number * args.flows + flow) * 9 + i)
                    yield from frames(kind, args.mac, args.loud * 1000 + flow, args.back,
                                      number)
                else:
                    yield from frames(kind, args.mac, flow, args.back, number)


def send(args):
    if args.cpu is not None:
        os.sched_setaffinity(0, [args.cpu])
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((args.iface, 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    out = list(plan(args))  # made before, so that it goes fast
    for i, frame in enumerate(out):
        try:
            s.send(frame)
        except OSError as e:
            if e.errno != errno.ENOBUFS:  # a backlog of Linux's that is full says so
                raise
        if not args.fast and i % 16 == 15:
            time.sleep(0.001)
    print(len(out))


def pcap(args):
    with open(args.file, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in plan(args):
            f.write(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame)


# ---- packet sockets ----

def filtered(iface, insns):
    """A packet socket of an interface that gets what the filter, of (code, jt, jf, k), takes."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *i) for i in insns))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                 struct.pack("@HP", len(insns), ctypes.addressof(code)))
    s.bind((iface, ETH_P_ALL))
    return s


def watch(args):
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    what, first = (AD_CPU, 0) if args.by == "cpu" else (AD_QUEUE, 1)
    wait = selectors.DefaultSelector()
    seen = []
    for way in range(args.ways):
        s = filtered(args.iface, [
            (LD, 0, 0, AD + AD_PKTTYPE),
            (JEQ, 0, 3, OUTGOING) if args.way == "out" else (JEQ, 3, 0, OUTGOING),
            (LD, 0, 0, AD + what),
            (JEQ, 0, 1, way + first),
            (RET, 0, 0, 256),
            (RET, 0, 0, 0)])
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        s.setblocking(False)
        wait.register(s, selectors.EVENT_READ, way)
    print("ready", flush=True)
    while True:
        found = wait.select(0.1)
        if not found and ending:
            break
        for key, _ in found:
            for _ in range(1000):
                try:
                    frame = key.fileobj.recv(256)
                except OSError:
                    break  # nothing, or that the interface has been down
                at = frame.find(MAGIC)
                if at >= 0:
                    seen.append((key.data, *HEAD.unpack_from(frame, at)[1:]))
    with open(args.file, "w", encoding="ascii") as f:
        json.dump(seen, f)


def ballast(args):
    slow = [(LD, 0, 0, AD + AD_CPU)] + [(DIV, 0, 0, 3)] * 4000 + [(RET, 0, 0, 0)]
    keep = [filtered(args.iface, slow) for _ in range(3)]
    print("ready", flush=True)
    while keep:
        signal.pause()


# ---- what was seen ----

def by_flow(args, name):
    """{(flow, back): ([who sent it], [number])}"""
    number = NAMES.index(name)
    flows = {}
    with open(args.file, encoding="ascii") as f:
        for way, kind, flow, back, n in json.load(f):
            if kind == number:
                ways, numbers = flows.setdefault((flow, back), ([], []))
                ways.append(way)
                numbers.append(n)
    return flows


def facts(args):
    for name in args.kind:
        flows = by_flow(args, name)
        pieces = 2 if name.startswith("frag") else 1
        ways = {flow: set(w) for flow, (w, _) in flows.items()}
        used = set().union(*ways.values())
        load = [sum(way in w for w in ways.values()) for way in used]
        both = [ways[flow, 0] | w for (flow, back), w in ways.items()
                if back and (flow, 0) in ways]
        said = {
            "all came": all(len(n) == args.count * pieces for _, n in flows.values()),
            "a flow has one CPU": all(len(w) == 1 for w in ways.values()),
            "its order is kept": all(n == sorted(n) for _, n in flows.values()),
            "flows have several CPUs": len(used) > 1 and min(load) * 2 >= sum(load) / len(load),
        }
        if both:
            said["both ways have the same CPU"] = all(len(w) == 1 for w in both)
        print(f"{name}, flows: {len(ways)}")
        for what, holds in said.items():
            print(f"{name}, {what}: {'yes' if holds else 'no'}")


def came(args):
    loud = {}
    for name in args.kind:
        for (flow, _), (_, numbers) in by_flow(args, name).items():
            said = loud.setdefault(flow if flow < 1000 else flow // 1000, [0, 0, 0])
            said[0] += len(numbers)
            said[1] += len(numbers) if flow >= 1000 else 0
            said[2] += numbers != sorted(numbers)
    for flow, said in sorted(loud.items()):
        print(flow, *said)


def ways_of(args):
    blocks = {}
    for name in args.kind:
        for ways, numbers in by_flow(args, name).values():
            for way, number in zip(ways, numbers):
                blocks.setdefault(number // 100, set()).add(way)
    for block, ways in sorted(blocks.items()):
        print(block, *sorted(ways))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(required=True)
    for name, run in (("send", send), ("pcap", pcap)):
        c = sub.add_parser(name)
        c.add_argument("iface" if name == "send" else "file")
        c.add_argument("mac")
        c.add_argument("kind", nargs="+", choices=NAMES)
        c.add_argument("--flows", type=int, default=64)
        c.add_argument("--count", type=int, default=10, help="packets of each")
        c.add_argument("--first", type=int, default=0, help="number of the first")
        c.add_argument("--loud", type=int, default=0, help="the flow that greedy4 is loud in")
        c.add_argument("--back", action="store_true", help="the other direction")
        c.add_argument("--fast", action="store_true", help="as fast as it goes")
        c.add_argument("--cpu", type=int, help="send from this one")
        c.set_defaults(run=run)
    c = sub.add_parser("watch")
    c.add_argument("iface")
    c.add_argument("file")
    c.add_argument("by", choices=("cpu", "queue"))
    c.add_argument("ways", type=int)
    c.add_argument("way", choices=("in", "out"))
    c.set_defaults(run=watch)
    c = sub.add_parser("ballast")
    c.add_argument("iface")
    c.set_defaults(run=ballast)
    for name, run in (("facts", facts), ("came", came), ("ways", ways_of)):
        c = sub.add_parser(name)
        c.add_argument("file")
        c.add_argument("kind", nargs="+", choices=NAMES)
        c.add_argument("--count", type=int, default=10, help="packets of each flow")
        c.set_defaults(run=run)
    args = p.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
