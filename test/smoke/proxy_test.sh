#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux proxy` stands between the kernel's clients and the kernel's servers: bytes both ways, a
# half that ends, a reader that is slow, a server that is not there, one that resets.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     8000 -> 10.9.0.1:9000
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq python3
netns k
export PLX_MEM=256
mib=10
[[ $PLX_BUILD != *[at]san* ]] || mib=2

start_pollux -l 0-1 -- proxy --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--sysctl net.ipv6.conf.all.dad_transmits=0 --listen 8000 --to 10.9.0.1:9000
run ip address add 10.9.0.1/24 dev t0
run ip address add fd00:9::1/64 dev t0
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
eventually "by IPv6 too" ping -q -c 1 -W 1 fd00:9::2

cat >"$tmp/both.py" <<'END'
import random, socket, struct, sys, threading, time
mib, patience = int(sys.argv[1]), int(sys.argv[2])
data = random.randbytes(mib << 20)
listener = None

def listen():
    global listener
    listener = socket.create_server(("10.9.0.1", 9000), reuse_port=True)

def pair(host="10.9.0.2"):
    c = socket.create_connection((host, 8000), patience)
    s, _ = listener.accept()
    s.settimeout(patience)
    return c, s

def read_all(s):
    got = bytearray()
    while part := s.recv(1 << 16):
        got += part
    return bytes(got)

def send(s, what):
    t = threading.Thread(target=s.sendall, args=(what,))
    t.start()
    return t

def read_n(s, n): # MSG_WAITALL does not wait where there is a timeout
    got = bytearray()
    while len(got) < n and (part := s.recv(1 << 16)):
        got += part
    return bytes(got)

def both_ways():
    for host in "10.9.0.2", "fd00:9::2":
        c, s = pair(host)
        t = send(c, data), send(s, data[::-1])
        got = []
        u = threading.Thread(target=lambda: got.append(read_n(c, len(data))))
        u.start()
        assert read_n(s, len(data)) == data
        for x in (*t, u):
            x.join()
        assert got[0] == data[::-1]

def halves():
    for first in 0, 1:
        ends = pair()
        a, b = ends[first], ends[1 - first]
        a.sendall(b"question")
        a.shutdown(socket.SHUT_WR)
        assert read_all(b) == b"question"
        t = send(b, data) # the other half goes on
        assert read_n(a, len(data)) == data
        t.join()
        b.shutdown(socket.SHUT_WR)
        assert a.recv(1) == b""

def slow_reader():
    c, s = pair()
    c.settimeout(0.3)
    sent = 0
    try: # nobody reads: there is an end to what is taken
        while sent < 256 << 20:
            sent += c.send(b"x" * 65536)
        sys.exit("the proxy takes all")
    except TimeoutError:
        pass
    c.shutdown(socket.SHUT_WR)
    n = 0
    while part := s.recv(1 << 20):
        n += len(part)
    assert n == sent, (n, sent)

def refused():
    listener.close()
    try:
        c = socket.create_connection(("10.9.0.2", 8000), patience)
        sys.exit("something came, or an end that is none: %r" % c.recv(1))
    except ConnectionResetError: # as early as that
        pass

def reset():
    for first in 0, 1:
        ends = pair()
        a, b = ends[first], ends[1 - first]
        a.sendall(b"x")
        assert b.recv(1) == b"x"
        a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        a.close()
        try:
            b.recv(1)
            sys.exit("no reset came")
        except ConnectionResetError:
            pass

def many():
    pairs = [pair() for i in range(200)]
    for i, (c, s) in enumerate(pairs):
        c.sendall(b"%d" % i)
        s.sendall(b"%d" % -i)
    for i, (c, s) in enumerate(pairs):
        assert s.recv(10) == b"%d" % i and c.recv(10) == b"%d" % -i

listen()
globals()[sys.argv[3]]()
END

try() { # what function
	expect "$1" timeout $((3 * patience)) /usr/bin/python3 "$tmp/both.py" $mib $patience "$2"
}
try "$mib MiB go both ways at once, in both families" both_ways
try "the end of a half is passed on, and the other goes on" halves
try "a slow reader stops the sender, and gets all" slow_reader
try "no server: the client is refused" refused
try "a reset is passed on, either way" reset
try "200 connections do not mix" many
stop_pollux
expect_eq "each was counted" "$(json_field .connections)" 208
expect_eq "one has failed" "$(json_field .failed)" 1
expect_ge "both directions, too" "$(json_field '[.bytes_to_server, .bytes_to_client] | min')" \
	$((3 * mib << 20))
