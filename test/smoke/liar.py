#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""TCP peers that mean no good, each many times over, from an address that nobody has:

bytes  sends a byte a segment and reads nothing
holes  leaves out a byte between any two pieces, and never sends it
zero   sends as much as it may, with its own window closed for ever

liar.py INTERFACE KERNEL-MAC POLLUX-MAC LOCAL REMOTE PORT KIND=CONNECTIONS... prints "ready" when
all have done their worst, and resets all of them when it is interrupted.
"""
import select
import signal
import socket
import struct
import sys
import time

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


class Wire:
    def __init__(self, iface, mine, theirs, local, remote):
        self.eth = bytes.fromhex((theirs + mine).replace(":", "")) + b"\x08\x00"
        self.local, self.remote = socket.inet_aton(local), socket.inet_aton(remote)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800))
        self.sock.bind((iface, 0))

    def send(self, sport, dport, seq, ack, flags, win, text=b"", options=b""):
        tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff,
            (20 + len(options)) // 4 << 4, flags, win, 0, 0) + options + text
        pseudo = self.local + self.remote + struct.pack("!BBH", 0, 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0,
            self.local, self.remote)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.sock.send(self.eth + ip + tcp)

    def receive(self, wait):
        """What came for us within so many seconds: port, sequence numbers, flags, text."""
        if not select.select([self.sock], [], [], wait)[0]:
            return None
        p = self.sock.recv(70000)[14:]
        if p[9] != 6 or p[12:16] != self.remote or p[16:20] != self.local:
            return ()
        t = p[(p[0] & 15) * 4:struct.unpack("!H", p[2:4])[0]]
        _, dport, seq, ack, off, flags, win = struct.unpack("!HHIIBBH", t[:16])
        return dport, seq, ack, flags, win, len(t) - (off >> 4) * 4


class Peer:
    def __init__(self, wire, kind, sport, dport):
        self.wire, self.kind, self.sport, self.dport = wire, kind, sport, dport
        self.una = self.seq = sport * 1000
        self.ack = self.edge = 0
        self.open = self.over = False
        self.win = 0 if kind == "zero" else 500
        wire.send(sport, dport, self.seq, 0, SYN, 0xffff, options=b"\x02\x04\x05\xb4\x04\x02\0\0")
        self.seq += 1

    def say(self, flags=ACK, text=b"", at=None):
        self.wire.send(self.sport, self.dport, self.seq if at is None else at, self.ack, flags,
            self.win, text)

    def hear(self, seq, ack, flags, win, length):
        if flags & RST:
            self.over = True
            return
        self.una, self.edge = ack, ack + win
        if flags & SYN:
            self.ack, self.open = seq + 1, True
        if flags & SYN or (length and self.kind == "zero"):
            self.say()

    def lie(self):
        """One more segment. Returns whether there was any."""
        if not self.open or self.over:
            return False
        if self.kind == "holes":
            if self.seq + 701 > self.edge:
                return False
            self.say(text=bytes(700), at=self.seq + 1)
            self.seq += 701
            return True
        n = 1 if self.kind == "bytes" else 1400
        if self.seq + n > self.edge or (self.kind == "bytes" and self.seq % 1000 > 600):
            return False
        self.say(text=bytes(n), flags=ACK | PSH)
        self.seq += n
        return True


def main():
    iface, mine, theirs, local, remote, port = sys.argv[1:7]
    wire = Wire(iface, mine, theirs, local, remote)
    peers = {}
    for arg in sys.argv[7:]:
        kind, n = arg.split("=")
        for _ in range(int(n)):
            p = Peer(wire, kind, 20000 + len(peers), int(port))
            peers[p.sport] = p
    quiet, told, over = time.time(), False, []
    signal.signal(signal.SIGINT, lambda *_: over.append(True))
    while not over:
        said = [p.lie() for p in peers.values()]
        if any(said):
            quiet = time.time()
        while True:
            got = wire.receive(0 if any(said) else 0.02)
            if got is None:
                break
            if got and got[0] in peers:
                peers[got[0]].hear(*got[1:])
        if not told and time.time() - quiet > 1:
            told = True
            print("ready", sum(p.open and not p.over for p in peers.values()), flush=True)
    for p in peers.values():
        p.say(flags=RST | ACK, at=p.una)


main()
