#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Clients of all manners: Python's http.client and asyncio, those that close one half and read on,
# those that are killed in mid-transfer, with unread bytes or by RST. Of none is anything left.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7, chargen 19, http 80
. "$(dirname "$0")/lib.sh"

need jq python3
netns k
export PLX_MEM=512
many=100
[[ $PLX_BUILD != *[at]san* ]] || many=40

serve() { # name argument-of-pollux...
	local name=$1
	shift
	start_pollux -n "$name" -l 0-1 -- "$@" --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24
	run ip address add 10.9.0.1/24 dev t0
	eventually "$name: the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
}

# All that their sockets had was given back.
served() { # name
	eventually_ctl "$1: no connection is left" '^State[^'$'\n'']*$' -n "$1" ss -tn
	stop_pollux -n "$1"
	expect_eq "$1: none is established" "$(json_field -n "$1" .snmp.TcpCurrEstab)" 0
	expect_eq "$1: no checksum was wrong" "$(json_field -n "$1" .snmp.TcpInErrs)" 0
}

cat >"$tmp/clients.py" <<'END2'
import asyncio, http.client, os, signal, socket, struct, sys, threading, time
host, many, patience = "10.9.0.2", int(sys.argv[2]), int(sys.argv[3])

def http_client():
    c = http.client.HTTPConnection(host, timeout=patience)
    for i in range(100):
        c.request("GET", "/%d" % i)
        a = c.getresponse()
        assert a.status == 200 and len(a.read()) == 70000
    for i in range(20): # one connection for each
        c = http.client.HTTPConnection(host, timeout=patience)
        c.request("HEAD", "/", headers={"Connection": "close"})
        a = c.getresponse()
        assert a.status == 200 and a.read() == b""
        assert a.getheader("Content-Length") == "70000"

def http_asyncio():
    async def one(i):
        r, w = await asyncio.open_connection(host, 80)
        for k in range(5):
            w.write(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % i)
            await w.drain()
            head = await r.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await r.readexactly(70000)
        w.close()
        await w.wait_closed()
    async def all():
        await asyncio.wait_for(asyncio.gather(*map(one, range(many))), 3 * patience)
    asyncio.run(all())

def connect(port):
    s = socket.create_connection((host, port), patience)
    return s

def read_all(s):
    got = bytearray()
    while part := s.recv(1 << 16):
        got += part
    return bytes(got)

def http_half():
    s = connect(80)
    s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 20)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s).count(b"HTTP/1.1 200") == 20

def echo_half():
    data = os.urandom(3 << 20)
    for late in False, True: # he reads what comes, or only when all is said
        s = connect(7)
        def say():
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        t = threading.Thread(target=say)
        t.start()
        assert read_all(s) == data
        t.join()

# Each is a process of its own, in the middle of something.
def kill(port, ask=b""):
    children = []
    for i in range(many // 10):
        child = os.fork()
        if child == 0:
            s = connect(port)
            s.sendall(ask)
            if port == 7:
                threading.Thread(target=s.sendall, args=(b"x" * (1 << 28),), daemon=True).start()
            while s.recv(1000): # slower than it comes: something is on its way, always
                time.sleep(0.001)
            os._exit(1)
        children.append(child)
    time.sleep(0.5)
    for child in children:
        time.sleep(0.003)
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1]) # it had not ended before

def reset(port, ask=b""):
    for i in range(many):
        s = connect(port)
        s.sendall(ask or b"x" * 1000)
        if i % 2:
            s.recv(1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

def http_kill():
    kill(80, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 200)
def http_reset():
    reset(80, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 20)
def echo_kill():
    kill(7)
def echo_reset():
    reset(7)
def chargen_kill():
    kill(19)
def chargen_reset():
    reset(19)

globals()[sys.argv[1]]()
END2
try() { # what function
	expect "$1" timeout $((4 * patience)) /usr/bin/python3 "$tmp/clients.py" "$2" $many \
		$patience
}

serve http http --size 70000
try "http.client: 100 requests of one connection, 20 of their own" http_client
try "asyncio: $many connections at once" http_asyncio
try "20 requests, then SHUT_WR: all are answered" http_half
try "clients are killed while they read" http_kill
try "clients reset their connections" http_reset
served http

serve echo echo
try "SHUT_WR, then all of the echo comes, and its end" echo_half
try "clients are killed while they write and read" echo_kill
try "clients reset their connections" echo_reset
served echo

serve chargen chargen
try "clients are killed while they read without end" chargen_kill
try "clients reset their connections" chargen_reset
served chargen
expect_ge "the killed were noticed" "$(json_field -n chargen .aborted)" $((many / 10))
