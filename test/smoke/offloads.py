#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Switch offloads on both ends of a link and move data over it, combination by combination.

Ours are switched by `pollux-ctl ethtool -K`, the kernel's by `ethtool -K`; what is fixed at an end
stays as it is. With each combination bytes go to the TCP echo on port 7 and come back, and so do
datagrams, some of them in fragments. Prints one line: the combinations tried. Exit code 1 and the
combination when something did not come back, or came back other than it was sent.
"""
import argparse
import hashlib
import itertools
import os
import random
import selectors
import socket
import subprocess
import sys

OURS = ["tx", "sg", "tso", "gso", "rx", "lro", "gro"]
KERNELS = ["tx", "sg", "tso", "gso", "gro"]
NEEDS = {"tso": ["sg", "tx"], "gso": ["sg"], "lro": ["rx"]} # which are off without these
DATAGRAMS = [1, 1000, 1472, 8000]


class End:
    """Of the link: what can be switched there, and how it is."""

    def __init__(self, command, port, words):
        self.command = command + ["-K", port]
        self.now = {}
        for word in words:
            if self.run(word, "off") and self.run(word, "on"):
                self.now[word] = True

    def run(self, *settings):
        done = subprocess.run(self.command + list(settings), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0

    def set(self, wanted):
        """What needs another one goes and comes with it: its words say nothing new then."""
        for on in True, False:
            words = [w for w in self.now if wanted[w] == on != self.now[w]]
            for word in words:
                self.run(word, "on" if on else "off")
        self.now = dict(wanted)

    def every(self):
        for values in itertools.product([True, False], repeat=len(self.now)):
            setting = dict(zip(self.now, values))
            if all(setting.get(need, True) for word in setting if setting[word]
                   for need in NEEDS.get(word, [])):
                yield setting

    def some(self):
        """All on, one off, all off."""
        words = list(self.now)
        yield dict.fromkeys(words, True)
        for word in words:
            yield {w: w != word for w in words}
        yield dict.fromkeys(words, False)


def pairs(ours, kernels, all_of_them):
    if all_of_them:
        yield from itertools.product(ours.every(), kernels.every())
        return
    on, off = dict.fromkeys(kernels.now, True), dict.fromkeys(kernels.now, False)
    for i, setting in enumerate(ours.some()):
        yield setting, off if i % 2 else on
    on, off = dict.fromkeys(ours.now, True), dict.fromkeys(ours.now, False)
    for i, setting in enumerate(kernels.some()):
        yield off if i % 2 else on, setting


def stream(address, data, patience):
    """@return what came back."""
    got, sent = [], 0
    with socket.create_connection((address, 7), patience) as s:
        s.setblocking(False)
        with selectors.DefaultSelector() as wait:
            wait.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while True:
                ready = wait.select(patience)
                if not ready:
                    raise OSError(f"nothing moves after {sent} bytes out, "
                                  f"{sum(map(len, got))} back")
                events = ready[0][1]
                if events & selectors.EVENT_WRITE:
                    sent += s.send(data[sent:sent + (1 << 18)])
                    if sent == len(data):
                        s.shutdown(socket.SHUT_WR)
                        wait.modify(s, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    part = s.recv(1 << 18)
                    if not part:
                        return b"".join(got)
                    got.append(part)


def datagrams(address, data, patience):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(patience)
        s.connect((address, 7))
        for size in DATAGRAMS:
            s.send(data[:size])
            if s.recv(65536) != data[:size]:
                raise OSError(f"a datagram of {size} bytes came back as another one")


def exchange(address, size, patience):
    data = os.urandom(size)
    back = stream(address, data, patience)
    if hashlib.sha256(back).digest() != hashlib.sha256(data).digest():
        raise OSError(f"{size} bytes went out, {len(back)} came back, or other ones")
    datagrams(address, data, patience)


def text(setting):
    return " ".join(f"{w}={'on' if on else 'off'}" for w, on in setting.items()) or "(all fixed)"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("addresses", nargs="+", help="in turn")
    parser.add_argument("--ctl", required=True, help="pollux-ctl and its options")
    parser.add_argument("--port", required=True, help="ours")
    parser.add_argument("--iface", required=True, help="the kernel's")
    parser.add_argument("--bytes", type=int, default=300000, help="each way, each time")
    parser.add_argument("--leave", default="", help="words of the kernel's not to be touched")
    parser.add_argument("--all", action="store_true", help="every combination")
    parser.add_argument("--patience", type=float, default=10)
    args = parser.parse_args()
    ours = End(args.ctl.split() + ["ethtool"], args.port, OURS)
    kernels = End(["ethtool"], args.iface, [w for w in KERNELS if w not in args.leave.split()])
    tries = list(pairs(ours, kernels, args.all))
    if args.all:
        random.Random(1).shuffle(tries) # each switch is made among many others
    for i, (mine, its) in enumerate(tries):
        ours.set(mine)
        kernels.set(its)
        try:
            exchange(args.addresses[i % len(args.addresses)], args.bytes, args.patience)
        except OSError as e:
            print(f"{e}\nours: {text(mine)}\nthe kernel's: {text(its)}")
            return 1
    print(f"{len(tries)} combinations; ours: {' '.join(ours.now)}; the kernel's: "
          f"{' '.join(kernels.now)}")
    return 0


sys.exit(main())
