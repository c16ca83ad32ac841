#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A flood of SYNs from random addresses while wrk goes on: cookies answer them, wrk has no error,
# and when the flood is over nothing is left of it.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     http 80
. "$(dirname "$0")/lib.sh"

need hping3 wrk curl jq
netns k
export PLX_MEM=512
seconds=2
start_pollux -- http --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24 --size 1000 \
	--sysctl net.ipv4.tcp_max_syn_backlog=256
run ip address add 10.9.0.1/24 dev t0
# What Pollux answers goes to addresses that do not exist: out, and away.
run ip route add blackhole default
run sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.t0.rp_filter=0
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
ctl route add default via 10.9.0.1 || fail "no route"

# As many as the sender can. The sanitizers make Pollux slower than that by far: then the kernel's
# queue of the TAP drops nearly all, ARP's answers with them, and nobody has a next hop.
rate=(--flood)
[[ $PLX_BUILD != *[at]san* ]] || rate=(-i u50)
spawn flood hping3 -q "${rate[@]}" --rand-source -S -p 80 10.9.0.2
eventually_ctl "cookies are sent" 'SyncookiesSent +[1-9][0-9]{2}' snmp 'TcpExtSyncookies*'
said=$(run timeout $((seconds + 3 * patience)) wrk -t 1 -c 20 -d $seconds --timeout $patience \
	http://10.9.0.2/x)
expect "a new client is served, too" timeout $patience curl -sS -o /dev/null http://10.9.0.2/y
running flood || fail "the flood has ended by itself: $(cat "${err[flood]}")"
kill -KILL "${pid[flood]}"
wait "${pid[flood]}" 2>/dev/null
unset 'pid[flood]'
[[ $said != *"Socket errors"* && $said != *Non-2xx* ]] || fail "wrk: $said"
expect_ge "wrk got answers all the time" "$(awk '/requests in/ { print $1 }' <<<"$said")" 20
eventually_ctl "no connection is left" '^State[^'$'\n'']*$' ss -tn
stop_pollux
expect_ge "the flood was one" "$(json_field .snmp.TcpExtSyncookiesSent)" 1000
expect_ge "who came by a cookie was let in" "$(json_field .snmp.TcpExtSyncookiesRecv)" 1
expect_eq "no request was wrong" "$(json_field .errors)" 0
