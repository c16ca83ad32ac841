#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
usage: hashed.py ADDRESS PORT --conns N --for SECONDS [--size BYTES]

N connections to an echo at once, each of which sends blocks of random text, one at a time, and
hashes what it sends and what comes back. At the end each shuts down, reads on to the peer's end,
and compares. Prints one line: connections, blocks, bytes, how many failed and why. Exits 0 if all
of them had all back.
"""
import argparse
import collections
import hashlib
import random
import selectors
import socket
import sys
import time


class Conn:
    def __init__(self, args, number):
        self.args = args
        self.random = random.Random(number)
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.bytes = self.blocks = self.due = 0
        self.rest = b''
        self.ended = False
        self.sock = socket.create_connection((args.address, args.port), timeout=30)
        self.sock.setblocking(False)

    def write(self):
        """Go on with a block, or begin one. @return whether it wants to write more."""
        if not self.rest and not self.due:
            self.rest = self.random.randbytes(self.random.randint(1, self.args.size))
            self.due = len(self.rest)
            self.sent.update(self.rest)
        if self.rest:
            try:
                self.rest = self.rest[self.sock.send(self.rest):]
            except BlockingIOError:
                pass
        return bool(self.rest)

    def read(self):
        """@return whether the block is back."""
        data = self.sock.recv(65536)
        if not data and not self.ended:
            raise ConnectionError('the peer has ended it')
        self.got.update(data)
        self.bytes += len(data)
        self.due -= len(data)
        if self.due == 0:
            self.blocks += 1
        return self.due == 0

    def end(self):
        """All that is on its way comes back, and then the peer's end."""
        self.sock.setblocking(True)
        self.sock.settimeout(30)
        self.ended = True
        if self.rest:
            self.sock.sendall(self.rest)
        while self.due:
            self.read()
        self.sock.shutdown(socket.SHUT_WR)
        if self.sock.recv(1):
            raise ConnectionError('more came than was sent')
        if self.sent.digest() != self.got.digest():
            raise ConnectionError('something else came back')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('address')
    parser.add_argument('port', type=int)
    parser.add_argument('--conns', type=int, default=100)
    parser.add_argument('--for', dest='seconds', type=float, default=5)
    parser.add_argument('--size', type=int, default=2000)
    args = parser.parse_args()
    failures = collections.Counter()
    selector = selectors.DefaultSelector()
    conns = [Conn(args, i) for i in range(args.conns)]
    print('connected', flush=True)
    for conn in conns:
        selector.register(conn.sock, selectors.EVENT_READ | selectors.EVENT_WRITE * conn.write(),
                          conn)

    def fail(conn, err):
        failures[str(err)] += 1
        selector.unregister(conn.sock)
        conns.remove(conn)

    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        for key, events in selector.select(0.1):
            conn = key.data
            try:
                if events & selectors.EVENT_READ and conn.read() or events & selectors.EVENT_WRITE:
                    selector.modify(conn.sock, selectors.EVENT_READ |
                                    selectors.EVENT_WRITE * conn.write(), conn)
            except OSError as err:
                fail(conn, err)
    for conn in list(conns):
        try:
            conn.end()
        except OSError as err:
            fail(conn, err)
    print('connections %d blocks %d bytes %d failed %d %s' % (
        len(conns), sum(c.blocks for c in conns), sum(c.bytes for c in conns),
        sum(failures.values()), dict(failures) or ''))
    return 1 if failures else 0


sys.exit(main())
