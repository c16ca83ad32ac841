#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ping is answered: IPv4 and IPv6, small, odd, fragmented, the largest there is, and in a flood.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2
#	fd00:9::1          fd00:9::2, fe80::...
. "$(dirname "$0")/lib.sh"

need ping tcpdump tshark jq hping3
netns k
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--sysctl net.ipv6.conf.all.dad_transmits=0
iface_up t0 10.9.0.1/24 fd00:9::1/64
capture t0

asked=0
pings() { # what count argument...
	local what=$1 count=$2
	shift 2
	asked=$((asked + count))
	expect "$what" ping -q -c "$count" -i 0.02 -W $patience "$@"
	expect_match "$what: each answered once, whole" "$(cat "$tmp/expect")" \
		"$count packets transmitted, $count received, 0% packet loss"
}

pings "IPv4" 3 10.9.0.2
pings "IPv6" 3 fd00:9::2
pings "IPv6, link-local" 2 "$(linklocal "${port_mac[t0]}")%t0"
for size in 0 1 7 17 1471 1472 1473; do
	pings "$size bytes" 1 -s $size 10.9.0.2
	pings "$size bytes, IPv6" 1 -s $size fd00:9::2
done
pings "a pattern comes back" 2 -s 1000 -p 00ff10 10.9.0.2
pings "type of service" 1 -Q 0x48 10.9.0.2
# Each of them writes its address: the sender, we on our way back, the receiver.
asked=$((asked + 2))
expect_match "record route" "$(run ping -n -c 1 -W $patience -R 10.9.0.2)" \
	"RR:.*10\.9\.0\.1.*10\.9\.0\.2.*10\.9\.0\.1"
expect_match "timestamps with addresses" "$(run ping -n -c 1 -W $patience -T tsandaddr 10.9.0.2)" \
	"TS:.*10\.9\.0\.1.*10\.9\.0\.2.*not-standard"
for size in 8000 65000 65507; do
	pings "$size bytes in fragments" 2 -s $size 10.9.0.2
done
for size in 8000 65000 65527; do
	pings "$size bytes in fragments, IPv6" 2 -s $size fd00:9::2
done
captured t0
for n in 1 2 3; do
	expect_match "timestamp $n" "$(run hping3 -n --icmp --icmptype 13 -c 1 10.9.0.2 2>&1)" \
		"ICMP timestamp: Originate=[0-9]+ Receive=[0-9]+ Transmit=[0-9]+"
done

n=3000
[ "$PLX_LONG" = 0 ] || n=100000
asked=$((asked + 2 * n))
for address in 10.9.0.2 fd00:9::2; do
	expect "a flood to $address" ping -q -f -c $n -W $patience $address
	expect_match "nothing of it is lost" "$(cat "$tmp/expect")" "$n received, 0% packet loss"
done

stop_pollux
expect_eq "no more and no fewer than $asked requests" \
	"$(json_field '.snmp.IcmpInEchos + .snmp.Icmp6InEchos')" $asked
expect_eq "and as many replies" \
	"$(json_field '.snmp.IcmpOutEchoReps + .snmp.Icmp6OutEchoReplies')" $asked
