#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two lcores on one port: a flow stays on the lcore that owns it, fragments are put together first,
# and what does not fit into the other lcore's backlog is counted.
#
#	 kernel          pollux, 2 queues
#	10.9.0.1 --t0-- 10.9.0.2      fd00:9::1 --t0-- fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
up=(up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7 --udp-sink 9)
flows=test/smoke/flows.py

kernel_side() {
	iface_up t0 10.9.0.1/24 fd00:9::1/64
	run ip link set t0 txqueuelen 5000
	eventually "the IPv6 address is there" ping -c 1 -W 1 fd00:9::2
}

served() { # what total: until so many datagrams were served in all
	eventually "$1" bash -c "tail -n 1 '${out[$name]}' | jq -e '.udp_served == $2' >/dev/null"
}

many_flows() {
	expect "64 flows are echoed" $flows 10.9.0.2 7 --flows 64 --count 10
	expect "64 flows of IPv6 too" $flows fd00:9::2 7 --flows 64 --count 10
	expect "pings of 45 fragments" ping -q -c 3 -i 0.1 -W 2 -s 65000 10.9.0.2
	expect "of IPv6 too" ping -q -c 3 -i 0.1 -W 2 -s 65000 fd00:9::2
	expect "datagrams of 42 fragments" $flows 10.9.0.2 7 --flows 16 --count 3 --size 60000
	expect "of IPv6 too" $flows fd00:9::2 7 --flows 16 --count 3 --size 60000
}

# A flow at a time: all of it on one lcore, and not all flows on the same.
flow_by_flow() { # total so far
	local total=$1 before=() after=() i moved owners=
	for _ in {1..4}; do
		readarray -t before < <(json_field -n "$name" '.udp_served_by_lcore[]')
		run $flows 10.9.0.2 7 --flows 1 --count 50 >/dev/null || fail "a flow alone"
		served "50 more" $((total += 50)) >/dev/null
		readarray -t after < <(json_field -n "$name" '.udp_served_by_lcore[]')
		moved=0
		for i in "${!after[@]}"; do
			[ "${after[i]}" != "${before[i]}" ] || continue
			moved=$((moved + 1))
			owners+=" $i"
		done
		[ $moved = 1 ] || fail "a flow was served by $moved lcores"
	done
	ok "each of 4 flows was served by one lcore:$owners"
}

# --- two lcores, two queues ---

name=two
start_pollux -n two -l 0-1 --vdev=net_tap0,iface=t0 -- "${up[@]}"
kernel_side
expect_match "the kernel has two queues" "$(run ls /sys/class/net/t0/queues)" "rx-1"
many_flows
served "all was served" 1376
expect_ge "by lcore 0" "$(json_field -n two '.udp_served_by_lcore[0]')" 300
expect_ge "and by lcore 1" "$(json_field -n two '.udp_served_by_lcore[1]')" 300
expect_ge "some was steered to its owner" "$(json_field -n two '[.lcores[].handed] | add')" 1
flow_by_flow 1376
ctl -n two sysctl net.pollux.soft_steer=0 >/dev/null
handed() {
	ctl -n two idle --json | jq '[.[].handed_pkts] | add'
}
count=$(handed)
expect "flows are echoed unsteered" $flows 10.9.0.2 7 --flows 64 --count 3
expect_eq "... where they come in" "$(handed)" "$count"
expect_eq "the datagrams of fragments were put together" \
	"$(json_field -n two '.snmp.IpReasmOKs + .snmp.Ip6ReasmOKs')" $((6 + 96))
stop_pollux -n two
expect_eq "nothing was dropped but groups that we are not in" \
	"$(json_field -n two '.drops | del(.IP_MCAST_NOT_MEMBER) | length')" 0
snmp=$(json_field -n two .snmp)
expect_eq "no packet was counted twice on its way to another lcore" \
	"$(jq '.IpInReceives - .IpReasmReqds + .IpReasmOKs - .IpInDelivers' <<<"$snmp")" 0

# --- one of them floods the other's backlog, and a stop in the middle of it ---

name=full
start_pollux -n full -l 0-1 --vdev=net_tap0,iface=t0 -- "${up[@]}" \
	--sysctl net.core.netdev_max_backlog=1
kernel_side
spawn flood $flows fd00:9::2 7 --flows 200 --count 100000 --patience 0.05 --again
eventually "what does not fit into the other's backlog is dropped" \
	bash -c "tail -n 1 '${out[full]}' | jq -e '.drops.BACKLOG_FULL > 0' >/dev/null"
stop_pollux -n full
expect_eq "and is counted where it was dropped" \
	"$(json_field -n full '[.lcores[].dropped] | add')" \
	"$(json_field -n full .drops.BACKLOG_FULL)"
