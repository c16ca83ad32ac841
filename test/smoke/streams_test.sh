#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Long streams by socat and nc through `pollux proxy`, both ways at once and one by one, whole and
# in small pieces; small writes that wait for each other.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     8000 -> 10.9.0.1:9000
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need socat nc jq python3 ss
netns k
export PLX_MEM=512
mib=32
[[ $PLX_BUILD != *[at]san* ]] || mib=4
head -c $((mib << 20)) /dev/urandom >"$tmp/up"
head -c $((mib << 20)) /dev/urandom >"$tmp/down"
start_pollux -l 0-1 -- proxy --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--sysctl net.ipv6.conf.all.dad_transmits=0 --listen 8000 --to 10.9.0.1:9000
run ip address add 10.9.0.1/24 dev t0
run ip address add fd00:9::1/64 dev t0
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
eventually "by IPv6 too" ping -q -c 1 -W 1 fd00:9::2

# The file goes there while the other one comes, and each side ends its own half.
both_ways() { # what server-command client-command
	local what=$1 server=$2 client=$3
	spawn server bash -c "$server <'$tmp/down' >'$tmp/came.up'"
	eventually_quietly bash -c "ss -tlnH sport = :9000 | grep -q ." || fail "$what: no server"
	expect "$what" timeout $((6 * patience)) bash -c "$client <'$tmp/up' >'$tmp/came.down'"
	finish server
	expect "... $mib MiB have gone" cmp "$tmp/up" "$tmp/came.up"
	expect "... $mib MiB have come" cmp "$tmp/down" "$tmp/came.down"
}
listen="socat -b 65536 -t $patience - TCP-LISTEN:9000,bind=10.9.0.1,reuseaddr"
both_ways "socat, both ways at once" "$listen" "socat -b 65536 -t $patience - TCP:10.9.0.2:8000"

# nc ends when its peer's half has ended, whatever it has to say yet: one way at a time.
one_way() { # what file server-command client-command
	local what=$1 file=$2 server=$3 client=$4
	spawn server bash -c "$server"
	eventually_quietly bash -c "ss -tlnH sport = :9000 | grep -q ." || fail "$what: no server"
	expect "$what" timeout $((6 * patience)) bash -c "$client"
	finish server
	expect "... $mib MiB" cmp "$file" "$tmp/came"
}
one_way "nc sends by IPv6" "$tmp/up" "nc -d -l 10.9.0.1 9000 >'$tmp/came'" \
	"nc -N fd00:9::2 8000 <'$tmp/up'"
one_way "nc receives by IPv6" "$tmp/down" "nc -N -l 10.9.0.1 9000 <'$tmp/down'" \
	"nc -d fd00:9::2 8000 >'$tmp/came'"
mib=4
truncate -s $((mib << 20)) "$tmp/up" "$tmp/down"
both_ways "in small pieces" "$listen" "socat -b 1000 -t $patience - TCP:10.9.0.2:8000"

# Two small writes and an answer: the second write waits for the first one's ACK (RFC 896), which
# may be delayed (RFC 1122, 4.2.3.2), but for no more than that.
expect "write, write, read: an ACK may be late, no more" timeout $((3 * patience)) \
	/usr/bin/python3 - $patience <<'END2'
import socket, sys, threading, time
patience = int(sys.argv[1])
listener = socket.create_server(("10.9.0.1", 9000))
def serve():
    s, _ = listener.accept()
    while True:
        got = b""
        while len(got) < 20:
            part = s.recv(20 - len(got))
            if not part:
                s.close()
                return
            got += part
        s.send(got[:10])
        s.send(got[10:])
t = threading.Thread(target=serve)
t.start()
c = socket.create_connection(("10.9.0.2", 8000), patience)
took = []
for i in range(30):
    began = time.monotonic()
    c.send(b"%010d" % i)
    c.send(b"%010d" % -i)
    got = b""
    while len(got) < 20:
        got += c.recv(20)
    assert got == b"%010d%010d" % (i, -i)
    took.append(time.monotonic() - began)
c.close()
t.join()
took.sort()
assert took[15] < 0.19, took # four ACKs of 40 ms, and the way
END2
stop_pollux
expect_eq "five connections" "$(json_field .connections)" 5
expect_eq "no checksum was wrong" "$(json_field .snmp.TcpInErrs)" 0
