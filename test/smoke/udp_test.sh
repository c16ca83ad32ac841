#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# UDP echo of sizes of every kind, whole and in fragments, with and without checksums; a sink that
# counts; a closed port that says so. Every size there is: udp_sizes_long.sh.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7, sink 9
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need nc python3 tcpdump tshark jq
netns k
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--udp-echo 7 --udp-sink 9 --sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24 fd00:9::1/64
capture t0

expect_eq "a word comes back" "$(udp_ask 10.9.0.2 7 hello)" hello
expect_eq "a word comes back, IPv6" "$(udp_ask fd00:9::2 7 hello)" hello

# The client's own words: connect, send, receive, compare.
cat >"$tmp/client.py" <<'END'
import random, socket, sys

def client(address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.settimeout(float(sys.argv[1]))
    s.connect((address, port))
    return s

def echo(s, size):
    data = random.randbytes(size)
    s.send(data)
    got = s.recv(65536)
    assert got == data, f"size {size}: {len(got)} bytes came back, or not the same"

def sizes(most, header):
    """Those that are near a fragment's end, few, many and a random lot."""
    n = set(range(80)) | set(range(most - 8, most + 1)) | set(random.sample(range(most), 100))
    step = (1500 - header) & ~7
    for end in range(step - 8, most - 1, step):
        n |= {end - 1, end, end + 1, end + 8}
    return sorted(n)
END

expect "each size comes back whole" /usr/bin/python3 - $patience <<END
$(cat "$tmp/client.py")
for address, most, header in ("10.9.0.2", 65507, 20), ("fd00:9::2", 65527, 48):
    s = client(address, 7)
    for size in sizes(most, header):
        echo(s, size)
END

expect "datagrams without a checksum come back" /usr/bin/python3 - $patience <<END
$(cat "$tmp/client.py")
SO_NO_CHECK = 11
s = client("10.9.0.2", 7)
s.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
for size in 0, 1, 99, 1472, 3000, 65507:
    echo(s, size)
END
expect "several that are under way come back in order, 4 clients at once" \
	/usr/bin/python3 - $patience <<END
$(cat "$tmp/client.py")
clients = [client(a, 7) for a in ("10.9.0.2", "fd00:9::2") * 2]
for turn in range(20):
    for i in range(8):
        for n, s in enumerate(clients):
            s.send(bytes([turn, i, n]) * 100)
    for n, s in enumerate(clients):
        for i in range(8):
            assert s.recv(65536) == bytes([turn, i, n]) * 100
END
expect "one to everybody comes back from the host's own address" /usr/bin/python3 - $patience <<END
$(cat "$tmp/client.py")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.settimeout(float(sys.argv[1]))
s.bind(("10.9.0.1", 0))
for address in "10.9.0.255", "255.255.255.255":
    s.sendto(b"anybody?", (address, 7))
    assert s.recvfrom(100) == (b"anybody?", ("10.9.0.2", 7))
END
captured t0

expect "the sink takes 500 and answers none" /usr/bin/python3 - $patience <<END
$(cat "$tmp/client.py")
for address in "10.9.0.2", "fd00:9::2":
    s = client(address, 9)
    for i in range(250):
        s.send(b"x" * i)
    s.setblocking(False)
    try:
        s.recv(10)
        sys.exit("the sink said something")
    except BlockingIOError:
        pass
END
expect "IPv6 without a checksum is dropped" /usr/bin/python3 - 0.2 <<END
$(cat "$tmp/client.py")
UDP_NO_CHECK6_TX = 101
s = client("fd00:9::2", 7)
s.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
for size in 10, 3000:
    s.send(b"x" * size)
    try:
        s.recv(10)
        sys.exit("it was answered")
    except TimeoutError:
        pass
END
expect "a closed port refuses" /usr/bin/python3 - $patience <<END
$(cat "$tmp/client.py")
for address in "10.9.0.2", "fd00:9::2":
    s = client(address, 4444)
    s.send(b"x")
    try:
        s.recv(10)
        sys.exit("it was answered")
    except ConnectionRefusedError:
        pass
END

stop_pollux
expect_eq "zero checksums were dropped for that, one of them in 3 fragments" \
	"$(json_field .drops.UDP_ZERO_CHECKSUM)" 4
expect_eq "so were those to a closed port" "$(json_field .drops.UDP_NO_PORT)" 2
expect_eq "each was counted" "$(json_field '.snmp.UdpInDatagrams + .snmp.Udp6InDatagrams')" \
	"$(json_field .udp_served)"
expect_eq "each but the sunk was echoed" \
	"$(json_field '.snmp.UdpOutDatagrams + .snmp.Udp6OutDatagrams + 500')" \
	"$(json_field .udp_served)"
