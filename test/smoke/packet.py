#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ask frame_echo, as an arping does: packet.py INTERFACE MAC.

To all and to the MAC, short and long, with a tag of VLAN 0, 300 in a row on as many source MACs
(which lcore they arrive at is the kernel's choice). Another EtherType, and what is for another
MAC, is not answered.
"""
import socket
import sys

PRIVATE = 0x88b5
ALL = b'\xff' * 6


class Link:
    """The kernel's end."""

    def __init__(self, iface):
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(PRIVATE))
        self.raw.bind((iface, PRIVATE))
        self.raw.settimeout(10)
        self.mac = self.raw.getsockname()[4]

    def send(self, dst, text, src=None, ethertype=PRIVATE, tag=b''):
        """A frame, padded as hardware does."""
        head = dst + (src or self.mac) + tag + ethertype.to_bytes(2, 'big')
        self.raw.send((head + text).ljust(60, b'\0'))

    def receive(self):
        """(destination, source, text) of the next frame that came in."""
        while True:
            frame, where = self.raw.recvfrom(4096)
            if where[2] != socket.PACKET_OUTGOING:
                return frame[:6], frame[6:12], frame[14:]

    def ask(self, dst, text, **more):
        """Our own text comes back, to who has asked."""
        self.send(dst, text, **more)
        return self.receive()


def main(iface, us):
    """Exit code."""
    us = bytes.fromhex(us.replace(':', ''))
    link = Link(iface)
    link.send(ALL, b'nobody speaks this', ethertype=0x88b6)
    link.send(us[:5] + bytes([us[5] ^ 1]), b'not for you', ethertype=0x88b6)
    assert link.ask(ALL, b'hello') == (link.mac, us, b'hello'.ljust(46, b'\0'))
    assert link.ask(us, b'x' * 1500) == (link.mac, us, b'x' * 1500)
    assert link.ask(us, b'y' * 100, tag=b'\x81\0\x60\0')[2] == b'y' * 100
    sources = [b'\x02\0\0\0' + i.to_bytes(2, 'big') for i in range(300)]
    for batch in range(0, 300, 20):
        some = sources[batch:batch + 20]
        for source in some:
            link.send(us, source, src=source)
        answers = [link.receive() for _ in some]
        assert sorted(a[0] for a in answers) == some, answers
        assert all(a[2].startswith(a[0]) for a in answers)
    return 0


sys.exit(main(*sys.argv[1:]))
