#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many UDP flows against an echo service, in lock step: each flow has one datagram under way.

Prints one line: flows, datagrams sent, replies that came back right, replies that did not. Exit
code 0 when every datagram came back unchanged to its own socket.
"""
import argparse
import os
import selectors
import socket
import struct
import sys
import time


class Flow:
    def __init__(self, args, family, address, index):
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.setblocking(False)
        if args.bind:
            self.sock.bind((args.bind, 0))
        self.sock.connect(address)
        self.sizes = args.size
        self.index = index
        self.left = args.count
        self.expected = None

    def send(self):
        """@return False when all is done."""
        if self.left == 0:
            return False
        size = self.sizes[self.left % len(self.sizes)]
        self.expected = os.urandom(min(size, 32)).ljust(size, bytes([self.index & 255]))
        self.left -= 1
        self.sock.send(self.expected)
        return True


def refused(address, family, patience):
    """A closed port answers by an ICMP error, which the kernel tells the socket."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.connect(address)
        sock.send(b"anybody?")
        try:
            sock.recv(16)
        except ConnectionRefusedError:
            print("refused")
            return 0
        except socket.timeout:
            print("no answer")
        return 1


def group(address, family, iface, wanted):
    """One datagram to a group or to all: count the answers, and wait for one too many."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        if family == socket.AF_INET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, iface.encode())
        else:
            address = (*address[:3], socket.if_nametoindex(iface))
        sock.sendto(b"everybody?", address)
        answers = 0
        try:
            while answers <= wanted:
                answers += sock.recv(16) == b"everybody?"
        except socket.timeout:
            pass
        print(f"answers {answers}")
        return 0 if answers == wanted else 1


def orphans(address, count):
    """Datagrams from ports that no socket has: what is answered meets an ICMP error."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sock:
        for i in range(count):
            # far apart: a Toeplitz hash is linear, few bits that differ may give few values
            port = 20000 + i * 397 % 40000
            head = struct.pack("!HHHH", port, address[1], 12, 0)
            sock.sendto(head + b"lost", (address[0], 0))
            time.sleep(0.002)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--flows", type=int, default=16)
    parser.add_argument("--count", type=int, default=10, help="datagrams of a flow")
    parser.add_argument("--size", default="64", help="bytes, or several by turns: 0,1,1472")
    parser.add_argument("--bind", help="source address")
    parser.add_argument("--patience", type=float, default=3, help="seconds without any reply")
    parser.add_argument("--refused", action="store_true", help="expect nobody there")
    parser.add_argument("--again", action="store_true", help="send on when nothing comes back")
    parser.add_argument("--group", metavar="IFACE", help="send one datagram by this interface")
    parser.add_argument("--answers", type=int, default=1, help="to the one datagram")
    parser.add_argument("--orphans", type=int, help="so many datagrams, of nobody")
    args = parser.parse_args()
    args.size = [int(s) for s in args.size.split(",")]
    info = socket.getaddrinfo(args.address, args.port, type=socket.SOCK_DGRAM)[0]
    if args.refused:
        return refused(info[4], info[0], args.patience)
    if args.group:
        return group(info[4], info[0], args.group, args.answers)
    if args.orphans:
        return orphans(info[4], args.orphans)
    wait = selectors.DefaultSelector()
    flows = [Flow(args, info[0], info[4], i) for i in range(args.flows)]
    sent = good = bad = 0
    for flow in flows:
        wait.register(flow.sock, selectors.EVENT_READ, flow)
        sent += flow.send()
    busy = len(flows) if args.count else 0
    while busy:
        events = wait.select(args.patience)
        if not events:
            if not args.again:
                break
            for flow in flows:
                flow.send()
        for key, _ in events:
            flow = key.data
            try:
                data = flow.sock.recv(65536)
            except OSError:
                data = None
            if data == flow.expected:
                good += 1
            else:
                bad += 1
            if flow.send():
                sent += 1
            else:
                busy -= 1
                wait.unregister(flow.sock)
    print(f"flows {len(flows)} sent {sent} good {good} bad {bad}")
    return 0 if good == args.flows * args.count and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
