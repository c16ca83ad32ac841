#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Peers that lie, and a program that cannot get rid of what it has read: memory stays bounded, who
# means well is served all the time, and what was held comes back.
#
#	 kernel, and 10.9.0.99 by liar.py    pollux
#	10.9.0.1 --t0------------------- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq python3 nc
netns k
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24 --tcp-echo 7 --udp-echo 7 \
	--mbufs 900 --rxd 128 --sysctl net.ipv4.tcp_syncookies=0
iface_up t0 10.9.0.1/24
ctl neigh add 10.9.0.99 lladdr "${kernel_mac[t0]}" dev net_tap0
eventually "a ping is answered" ping -q -c 1 -W 1 10.9.0.2
head -c 300000 /dev/urandom >"$tmp/sent"

row() { # expression: of the row of lcore 0
	ctl sockstat --json | jq ".[0] | $1"
}
counter() { # name
	ctl snmp -z --json | jq "map(select(.group + .name == \"$1\"))[0].value"
}
honest() { # what
	expect "$1" bash -c "timeout 8 nc -N 10.9.0.2 7 <'$tmp/sent' | cmp - '$tmp/sent'"
}

honest "with plenty of memory a file comes back"
spawn old bash -c "{ until [ -e '$tmp/go' ]; do sleep 0.1; done; cat '$tmp/sent'; } |
	timeout 15 nc -N 10.9.0.2 7 | cmp - '$tmp/sent'"
eventually "somebody is connected" bash -c "'$POLLUX_CTL' --file-prefix '${prefix[pollux]}' tcp |
	grep -q ESTAB"
spawn liar /usr/bin/python3 test/smoke/liar.py t0 "${kernel_mac[t0]}" "${port_mac[t0]}" \
	10.9.0.99 10.9.0.2 7 bytes=5 holes=12 zero=12
eventually "all of them have connected and done their worst" grep -q "^ready" "${out[liar]}"
echo "liar: $(cat "${out[liar]}")"
ctl sockstat
expect_ge "what they sent is held" "$(row .tcp_rmem)" 100000
expect_eq "within the share of the packet buffers" \
	"$(row '.tcp_rmem + .udp_mem <= .rcv_most * 5 / 4')" true
expect_ge "memory is short, and that is counted" "$(counter TcpExtTCPMemoryPressures)" 1
expect_ge "it was looked for" "$(counter TcpExtPruneCalled)" 1
# as they come, or when memory is short: it depends on whether the echo reads in between
expect_ge "small segments share packet buffers" \
	"$(($(counter TcpExtTCPRcvCoalesce) + $(counter TcpExtTCPRcvCollapsed)))" 1
expect "ping is answered all along" ping -q -c 5 -i 0.1 -W 1 10.9.0.2
expect "so are datagrams" test/smoke/flows.py 10.9.0.2 7 --flows 4 --count 5
touch "$tmp/go"
finish old
expect_eq "who was connected before gets his file back" "$status" 0
if [ "$(row .pressure)" = 1 ]; then
	expect_not "nobody new is let in" timeout 1 nc -N -w 1 10.9.0.2 7
	expect_ge "for that reason" "$(ctl drops --json |
		jq 'map(select(.reason == "TCP_NEW_MEMORY"))[0].count')" 1
fi
kill -INT "${pid[liar]}"
finish liar
eventually "what they held comes back" bash -c "'$POLLUX_CTL' --file-prefix '${prefix[pollux]}' \
	sockstat --json | jq -e '.[0] | .tcp_rmem == 0 and .pressure == 0' >/dev/null"
honest "and a file comes back as before"
expect_match "sockstat is the file's" "$(ctl sockstat --raw)" \
	'^sockets: used [0-9]+
TCP: inuse [0-9]+ orphan [0-9]+ tw [0-9]+ alloc [0-9]+ mem [0-9]+
UDP: inuse [0-9]+ mem [0-9]+
UDPLITE: inuse 0
RAW: inuse [0-9]+
FRAG: inuse [0-9]+ memory [0-9]+$'
stop_pollux

# --- both ends write all they can, of hardly any packet buffers ---

start_pollux -n few --vdev=net_tap0,iface=t1 -- up --if 0,addr=10.9.1.2/24 --tcp-echo 7 \
	--mbufs 140 --rxd 64 --txd 64
iface_up t1 10.9.1.1/24
eventually "few: a ping is answered" ping -q -c 1 -W 1 10.9.1.2
for i in 1 2 3; do
	spawn "nc$i" bash -c "timeout 15 nc -N 10.9.1.2 7 <'$tmp/sent' | cmp - '$tmp/sent'"
done
for i in 1 2 3; do
	finish "nc$i"
	expect_eq "few: file $i comes back" "$status" 0
done
stop_pollux -n few
