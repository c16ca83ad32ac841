#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Thousands of short connections from one address with few ports: each port comes back while we
# still have it in TIME-WAIT, and none is refused for it (RFC 9293, 3.6.1; RFC 6191).
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     http 80, which closes first
. "$(dirname "$0")/lib.sh"

need python3 jq
netns k
export PLX_MEM=256
n=5000
[[ $PLX_BUILD != *[at]san* ]] || n=1000
start_pollux -- http --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24 --size 10
run ip address add 10.9.0.1/24 dev t0
run sysctl -qw net.ipv4.ip_local_port_range="40000 40099"
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2

cat >"$tmp/storm.py" <<'END2'
import socket, sys
def connect():
    s = socket.socket()
    s.settimeout(int(sys.argv[2]))
    s.connect(("10.9.0.2", 80))
    return s
for turn in range(int(sys.argv[1]) // 50):
    conns = [connect() for i in range(50)]
    for s in conns:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n") # whose answer ends the connection
    for s in conns:
        got = b""
        while part := s.recv(4096):
            got += part
        assert got.startswith(b"HTTP/1.1 200"), got
        s.close()
END2
expect "$n connections by 100 ports" timeout $((6 * patience)) \
	/usr/bin/python3 "$tmp/storm.py" $n $patience
# The kernel gives out odd ports only while the 50 even ones are taken.
left=$(ctl ss -tanH state time-wait | wc -l)
expect_eq "each port has one TIME-WAIT at most ($left)" "$((left >= 50 && left <= 100))" 1
stop_pollux
expect_eq "all were connections of their own" "$(json_field .snmp.TcpPassiveOpens)" $n
expect_ge "nearly all came to a TIME-WAIT of the last" \
	"$(json_field .snmp.TcpExtTWRecycled)" $((n - 200))
expect_eq "none was reset" "$(json_field .snmp.TcpOutRsts)" 0
