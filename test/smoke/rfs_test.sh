#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Connections go to the lcore that has the CPU of the thread that reads them, while it waits for
# them; and the kernel's TUN brings their packets there by itself.
#
#	 kernel                       socket_rfs: an lcore on each of two CPUs, threads on both
#	10.9.0.1 -------- x0 -------- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need python3
[ "$(nproc)" -ge 2 ] || skip "it takes two CPUs"
netns k

cat >"$tmp/ask.py" <<'END'
import re, socket, sys, time
CONNS, LINES = 4, 40

def ask(s, text):
    s.sendall(text)
    got = b""
    while not got.endswith(b"\n"):
        part = s.recv(4096)
        assert part, "it was closed"
        got += part
    return got

def where(s):
    return {k: int(v) for k, v in re.findall(r"(\w+) (-?\d+)", ask(s, b"?\n").decode())}

def talk(rounds):
    for i in range(rounds):
        for n, s in enumerate(conns):
            line = b"%d %d " % (n, i) + b"x" * (i % 900) + b"\n"
            assert ask(s, line) == line, "another line came back"

def connect():
    s = socket.create_connection(("10.9.0.2", 7), 20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s

def elsewhere():
    return sum(w["on"] != w["near"] for w in map(where, conns))

conns = [connect() for _ in range(CONNS)]
while not elsewhere() and len(conns) < 64: # by chance all were in their place
    conns.append(connect())
print("before", elsewhere())
end = time.monotonic() + 60
while elsewhere() and time.monotonic() < end:
    talk(LINES)
for s in conns:
    print(where(s))
w = where(conns[0])
before = w["handed"]
talk(LINES)
w = where(conns[0])
print("elsewhere", elsewhere())
print("flows", w["flows"])
print("moved", w["moved"])
print("stayed", w["stayed"])
print("lost", w["dropped"] + w["late"])
print("handed", w["handed"] - before)
for s in conns:
    s.close()
s = connect()
for _ in range(6): # which are too few calls for this one to move
    time.sleep(0.5)
    left = where(s)["flows"]
    if not left:
        break
print("left", left)
END
said() { # word
	sed -n "s/^$1 //p" "${out[ask]}"
}

prefix[rfs]=$id-rfs
spawn rfs "$PLX_BUILD/examples/socket_rfs" --no-pci --no-huge -m 256 \
	"--file-prefix=${prefix[rfs]}" \
	--lcores '0@(0,1),1@0,2@1' --vdev=net_tap0,iface=x0 -- 10.9.0.2/24 0 1
eventually "it is ready" grep -qsx ready "${out[rfs]}"
iface_up x0 10.9.0.1/24
eventually "it is there" ping -q -c 1 -W 1 10.9.0.2
spawn ask python3 "$tmp/ask.py"
finish ask
cat "${out[ask]}"
expect_eq "all lines came back" "$status" 0
expect_ge "some connections were not where their thread is" "$(said before)" 1
expect_eq "all are by now" "$(said elsewhere)" 0
expect_ge "some have moved for it" "$(said moved)" 1
expect_eq "none had to stay" "$(said stayed)" 0
expect_eq "no packet was lost for it or came late" "$(said lost)" 0
expect "and hardly one is handed over any more ($(said handed) of some 300)" \
	[ "$(said handed)" -le 10 ]
expect_eq "when they are closed no flow has an lcore of its own" "$(said left)" 0
kill -INT "${pid[rfs]}"
finish rfs
expect_eq "it ended well: nothing leaked" "$status" 0
