#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Datagrams one way, each flow numbered through, and how they came: none may be missing, none come
twice or behind a later one.

order.py receive PORT SOCKET            prints "ready"; tells the sender by a Unix socket what came
order.py send ADDRESS PORT SOCKET DIR [--flows N] [--window N]
                                        each flow has so many under way; until DIR/stop is there.
                                        Prints, once it has begun, "sending", and at the end
                                        "flows N sent N received N late N missing N"
order.py frames INTERFACE FILE [COUNT]  writes the frames of a capture to an interface
"""
import argparse
import os
import select
import socket
import struct
import sys
import time

RECORD = struct.Struct("!IIHH")  # number, what was wanted, flow's port, 0
PATIENCE = 10


def receive(args):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind(("", args.port))
    back = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wanted = {}
    print("ready", flush=True)
    while True:
        data, peer = sock.recvfrom(2048)
        number = struct.unpack("!I", data[:4])[0]
        at = wanted.get(peer[1], 0)
        back.sendto(RECORD.pack(number, at, peer[1], 0), args.socket)
        wanted[peer[1]] = max(at, number + 1)


def send(args):
    acks = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    acks.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    acks.bind(args.socket)
    flows = {}
    for _ in range(args.flows):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect((args.address, args.port))
        flows[sock.getsockname()[1]] = [sock, 0, 0]  # sent, received
    late = 0

    def fill(flow):
        while flow[1] - flow[2] < args.window:
            flow[0].send(struct.pack("!I", flow[1]).ljust(100, b"."))
            flow[1] += 1

    for flow in flows.values():
        fill(flow)
    print("sending", flush=True)
    last = time.monotonic()
    while any(f[1] > f[2] for f in flows.values()) and time.monotonic() - last < PATIENCE:
        if not select.select([acks], [], [], 0.1)[0]:
            continue
        last = time.monotonic()
        number, at, port, _ = RECORD.unpack(acks.recv(64))
        late += number < at
        flows[port][2] += 1
        if not os.path.exists(args.dir + "/stop"):
            fill(flows[port])
    sent = sum(f[1] for f in flows.values())
    received = sum(f[2] for f in flows.values())
    print(f"flows {len(flows)} sent {sent} received {received} late {late} "
          f"missing {sent - received}")
    return 0 if sent == received and not late else 1


def frames(args):
    with open(args.file, "rb") as f:
        data = f.read()
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((args.interface, 0))
    at, all_frames = 24, []
    while at < len(data):  # classic pcap, as scapy writes it
        size = struct.unpack("<IIII", data[at:at + 16])[2]
        all_frames.append(data[at + 16:at + 16 + size])
        at += 16 + size
    for _ in range(args.count):
        for i, frame in enumerate(all_frames):
            sock.send(frame)
            if i % 32 == 31:
                time.sleep(0.001)
    print(len(all_frames) * args.count)
    return 0


def main():
    parser = argparse.ArgumentParser()
    do = parser.add_subparsers(required=True)
    p = do.add_parser("receive")
    p.add_argument("port", type=int)
    p.add_argument("socket")
    p.set_defaults(run=receive)
    p = do.add_parser("send")
    p.add_argument("address")
    p.add_argument("port", type=int)
    p.add_argument("socket")
    p.add_argument("dir")
    p.add_argument("--flows", type=int, default=32)
    p.add_argument("--window", type=int, default=1)
    p.set_defaults(run=send)
    p = do.add_parser("frames")
    p.add_argument("interface")
    p.add_argument("file")
    p.add_argument("count", type=int, nargs="?", default=1)
    p.set_defaults(run=frames)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
