#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux-ctl ss` shows listeners, a connection with all its figures, and UDP sockets, as the
# kernel's ss shows the other end.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     TCP and UDP echo 7, TCP source 19
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need ss python3 jq
netns k
start_pollux -l 0,1 --vdev=net_tap0,iface=t0 -- up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" \
	--tcp-echo 7 --tcp-source 19 --udp-echo 7 --sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24 fd00:9::1/64
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2

# One that has had an answer, and one that does not read what comes.
cat >"$tmp/client.py" <<'END'
import socket, sys, time
a = socket.create_connection(("10.9.0.2", 7), 10)
a.sendall(b"x" * 1000)
got = 0
while got < 1000:
    got += len(a.recv(1000))
b = socket.socket()
b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
b.connect(("10.9.0.2", 19))
print("ready", flush=True)
time.sleep(600)
END
spawn client /usr/bin/python3 "$tmp/client.py"
eventually "a client has connections" grep -q ready "${out[client]}"

shows() { # what it is, pattern, options...
	local what=$1 pattern=$2
	shift 2
	expect_match "$what" "$(ctl ss "$@")" "$pattern"
}

shows "a listener, of both families" 'LISTEN 0 +[0-9]+ +\*:7 +\*:\* ' -tan
expect_eq "-t alone shows no listener" "$(ctl ss -tn | grep -c LISTEN)" 0
shows "a connection" 'ESTAB +0 +0 +10\.9\.0\.2:7 +10\.9\.0\.1:[0-9]+ ' -tn
n='[0-9.]+'
all=$'\n\t skmem:'"\(r0,rb$n,tb$n,w0\) ts sack cubic wscale:$n,$n rto:$n rtt:$n/$n (ato:$n )?"
all+="mss:1448 pmtu:1500 rcvmss:$n advmss:1448 cwnd:$n bytes_sent:1000 bytes_acked:1000 "
all+="bytes_received:1000 send ${n}bps "
shows "with its memory and its figures" "$all" -tinomap
eventually_ctl "the one that does not read is probed" \
	$'10\\.9\\.0\\.2:19 [^\n]* timer:\\(persist,' ss -tno
shows "UDP's, unconnected" 'UNCONN 0 +0 +(0\.0\.0\.0|\*):7 +(0\.0\.0\.0|\*):\* ' -uan
expect_eq "both with their netid" \
	"$(ctl ss -an | awk '{ print $1 }' | sort -u | tr '\n' ' ')" "Netid tcp udp "
expect_eq "a state is left out when all have it" \
	"$(ctl ss -tnH state established | awk '{ print NF }' | sort -u)" 4
expect_eq "none are of IPv6" "$(ctl ss -6tnH)" ""
expect_eq "the header is that of the kernel's ss" "$(ctl ss -tan | head -1 | tr -d ' ')" \
	"$(run ss -tan | head -1 | tr -d ' ')"
expect_eq "JSON has all" \
	"$(ctl ss -tn --json | jq '[.[] | select(.local_port == 7) | .bytes_sent] == [1000]')" true

# Each name that we print, the kernel's ss knows.
names() {
	grep -aoE '(^|[ ,(])[a-z_]+:' | tr -d ' ,(' | sort -u
}
ctl ss -tinomap | grep $'^\t' | names >"$tmp/ours"
names <"$(command -v ss)" >"$tmp/known"
expect_eq "its names are ss' own" "$(comm -23 "$tmp/ours" "$tmp/known")" ""

expect_not "an unknown state is refused" ctl ss state open
expect_not "an expression, too" ctl ss sport = :7
stop_pollux
