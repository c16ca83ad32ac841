#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# RPS, the flow limit and their counters beside Linux's own: the same frames go through a router
# that is the kernel, between veths with rps_cpus, and through one that is Pollux with --rps, and
# the same program says of each who has forwarded what. Where the two are not alike is in the list
# below, with reasons in doc/design/steering.md: what differs and is not listed fails, and so does
# what is listed and does not differ.
#
#	 kernel, netns a       the router: the kernel        kernel, netns b
#	10.1.0.2   --ta--     a: 10.1.0.1     b: 10.2.0.1    --tb--  10.2.0.2
#	fd00:1::2  --ta--     a: fd00:1::1    b: fd00:2::1   --tb--  fd00:2::2
#	           --tNAME--  four more ways in, each with a map of its own
#
# A VLAN is a way in only: what is for 10.5.0.0/16 leaves untagged.
. "$(dirname "$0")/lib.sh"

need jq python3 ethtool
steered=test/smoke/steered.py
if [ "$(nproc)" -lt 2 ] || [ "$(cat /sys/devices/system/cpu/online)" = 0 ]; then
	skip "needs CPUs 0 and 1"
fi

# The sysctl is the whole machine's: it is as it was when this ends.
bitmap=$(sysctl -n net.core.flow_limit_cpu_bitmap 2>/dev/null) || skip "no flow limit here"
trap 'rc=$?; sysctl -qw "net.core.flow_limit_cpu_bitmap=$bitmap"; (exit $rc); cleanup' EXIT

netns b
netns r
netns a

# Each way in: which CPU receives, the map.
ways=(a b s0 s1 m0 m1)
declare -A cpu=([s0]=0 [s1]=1 [m0]=0 [m1]=1)
declare -A map=([a]=0-1 [b]=0-1 [m0]=1 [m1]=0)
declare -A mask=([a]=3 [b]=3 [m0]=2 [m1]=1)
declare -A mac=()

# --- the far ends ------------------------------------------------------------------------------

far() { # after the interfaces are there
	local way
	for way in a b; do
		use "$way"
		run ip link set "t$way" up txqueuelen 5000
		run ethtool -K "t$way" gro off >/dev/null 2>&1
	done
	use b
	run ip address add 10.2.0.2/24 dev tb
	run ip address add fd00:2::2/64 dev tb nodad
	run ip route add default via 10.2.0.1
	run ip -6 route add default via fd00:2::1
	use a
	for way in "${ways[@]:2}"; do
		run ip link set "t$way" up txqueuelen 5000
	done
	run ip address add 10.1.0.2/24 dev ta
	run ip address add fd00:1::2/64 dev ta nodad
	run ip route add default via 10.1.0.1
	run ip -6 route add default via fd00:1::1
	eventually "$side: the way is open" ping -q -c 1 -W 1 10.2.0.2
	eventually "$side: by IPv6, too" ping -q -c 1 -W 1 fd00:2::2
}

# --- the kernel as the router ------------------------------------------------------------------

kernel_up() {
	local way n=20
	side=linux
	use r
	run sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	use a
	for way in a "${ways[@]:2}"; do
		veth "t$way" r "r$way"
	done
	use b
	veth tb r rb
	use r
	for way in "${ways[@]}"; do
		run ethtool -K "r$way" gro off tso off gso off >/dev/null 2>&1
		run ip link set "r$way" up
		mac[$way]=$(run cat "/sys/class/net/r$way/address")
		[ -z "${mask[$way]-}" ] ||
			run sh -c "echo ${mask[$way]} >/sys/class/net/r$way/queues/rx-0/rps_cpus" ||
			skip "no RPS of veths here"
		run ip address add 10.$((n++)).0.1/24 dev "r$way"
	done
	run ip address add 10.1.0.1/24 dev ra
	run ip address add fd00:1::1/64 dev ra nodad
	run ip address add 10.2.0.1/24 dev rb
	run ip address add fd00:2::1/64 dev rb nodad
	routes=("10.1.0.0/16 via 10.1.0.2" "10.2.0.0/16 via 10.2.0.2" "10.5.0.0/16 via 10.1.0.2"
		"fd00:1:1::/64 via fd00:1::2" "fd00:2:1::/64 via fd00:2::2")
	for route in "${routes[@]}"; do
		# shellcheck disable=SC2086 # words
		run ip route add $route || fail "route $route"
	done
	far
}

# --- Pollux as the router ----------------------------------------------------------------------

pollux_up() {
	local way n=20 args=()
	side=pollux
	for way in "${ways[@]}"; do
		case $way in
		a | b) args+=(--port "$way=vtap,iface=t$way,queues=2") ;;
		*)
			args+=(--port "$way=vtap,iface=t$way,queues=1")
			args+=(--if "$way,addr=10.$((n++)).0.1/24")
			;;
		esac
		[ -z "${map[$way]-}" ] || args+=(--rps "$way=${map[$way]}")
	done
	use a
	PLX_MEM=512 start_pollux --lcores '(0-1)@(0,1)' -- up "${args[@]}" --mbufs 8191 \
		--if "a,addr=10.1.0.1/24,addr=fd00:1::1/64" --if "a,vlan=5,addr=10.6.0.1/24" \
		--if "b,addr=10.2.0.1/24,addr=fd00:2::1/64" \
		--route 10.1.0.0/16,via=10.1.0.2 --route 10.2.0.0/16,via=10.2.0.2 \
		--route 10.5.0.0/16,via=10.1.0.2 --route fd00:1:1::/64,via=fd00:1::2 \
		--route fd00:2:1::/64,via=fd00:2::2 --sysctl net.ipv4.ip_forward=1 \
		--sysctl net.ipv6.conf.all.forwarding=1 \
		--sysctl net.ipv6.conf.all.dad_transmits=0
	for way in "${ways[@]}"; do
		mac[$way]=$(port_mac_of "$(run cat "/sys/class/net/t$way/address")")
		ctl ethtool -K "$way" gro off >/dev/null 2>&1
	done
	iface_to tb b
	far
}

# --- what both are asked -----------------------------------------------------------------------

said() { # what value
	echo "$1: $2" >>"$tmp/$side"
}

yes_no() { # command...
	if "$@"; then echo yes; else echo no; fi
}

# Who handles what leaves by a or b; or by another device of the kernel's, or comes by it.
watch_out() { # name a|b [device [in]]
	if [ $side = linux ]; then
		use r
		spawn "watch.$1" $steered watch "${3:-r$2}" "$tmp/$1" cpu 2 "${4:-out}"
	else
		use "$2"
		spawn "watch.$1" $steered watch "t$2" "$tmp/$1" queue 2 in
	fi
	eventually_quietly grep -q ready "${out[watch.$1]}" || fail "nobody watches $2"
}

watched() { # name
	sleep 0.2
	kill -TERM "${pid[watch.$1]}"
	finish "watch.$1"
	[ $status = 0 ] || fail "watching failed: $(cat "${err[watch.$1]}")"
}

inject() { # a|b interface argument...
	use "$1"
	run $steered send "t$2" "${mac[$2]}" "${@:3}" >"$tmp/sent" || fail "frames by t$2"
}

# A column of softnet_stat, counted from 0, in the row of a CPU.
softnet() { # column cpu
	local f
	while read -ra f; do
		[ $((16#${f[12]})) != "$2" ] || echo $((16#${f[$1]}))
	done < <(if [ $side = linux ]; then
		cat /proc/net/softnet_stat
	else
		ctl softnet --raw
	fi)
}
dropped=1 received_rps=9 flow_limit=10 backlog=11

kinds=(udp4 tcp4 udp6 tcp6 sctp4 frag4 frag6 icmp4 label6 esp4 ipip4)

flows() {
	watch_out out b
	watch_out back a
	inject a a "${kinds[@]}"
	inject b b "${kinds[@]}" vlan4 --back
	watched out
	watched back
	# Where the kernel has no VLANs, what comes by one has been steered when it is seen to come.
	watch_out tagged b ra in
	inject a a vlan4
	watched tagged
	jq -s add "$tmp/out" "$tmp/back" "$tmp/tagged" >"$tmp/flows"
	$steered facts "$tmp/flows" "${kinds[@]}" vlan4 >>"$tmp/$side"
}

# Who forwards what comes by each of the ways: by the receiving CPU and the map. Of a CPU's wake-ups
# a few may be somebody else's.
maps() {
	local way was=() i n=0 asked=()
	watch_out out b
	for way in "${ways[@]:2}"; do
		was=("$(softnet $received_rps 0)" "$(softnet $received_rps 1)")
		inject a "$way" udp4 --count 5 --cpu "${cpu[$way]}" --first $((n++ * 100))
		sleep 0.1
		asked+=("received by ${cpu[$way]}, map ${map[$way]-none}")
		for i in 0 1; do
			said "${asked[-1]}: received_rps of $i grows" \
				"$(yes_no [ $(($(softnet $received_rps $i) - was[i])) -ge 8 ])"
		done
	done
	watched out
	while read -r n way; do
		said "${asked[n]}: forwarded by" "$way"
	done < <($steered ways "$tmp/out" udp4)
}

limit_by() { # bitmap
	if [ $side = linux ]; then
		sysctl -qw "net.core.flow_limit_cpu_bitmap=$1"
	else
		ctl sysctl "net.core.flow_limit_cpu_bitmap=$1" >/dev/null
	fi
}

# A burst by m0: CPU 0 receives and hands all to CPU 1, which has much to do for each packet. One
# flow has nine of ten packets.
bursts=() sizes=() deltas=()
burst() { # what quiet-flows
	local was=() i end=$((SECONDS + patience))
	bursts+=("$1")
	sizes+=("$2")
	for i in 0 1; do
		was+=("$(softnet $dropped $i)" "$(softnet $flow_limit $i)")
	done
	inject a m0 greedy4 --flows "$2" --loud ${#bursts[@]} --fast --cpu 0
	until
		sleep 0.3
		[ "$(softnet $backlog 1)" = 0 ] || [ $SECONDS -ge $end ]
	do :; done
	for i in 0 1; do
		deltas+=($(($(softnet $dropped $i) - was[2 * i]))
			$(($(softnet $flow_limit $i) - was[2 * i + 1])))
	done
}

# What became of each: all that came, that of quiet flows, flows out of order.
what_came() {
	local n came quiet off name d drops limited
	while read -r n came quiet off; do
		name=${bursts[n - 1]} d=("${deltas[@]:4 * (n - 1):4}")
		drops=$((d[0] + d[2])) limited=$((d[1] + d[3]))
		echo "$side, $name: $came of $((sizes[n - 1] * 100)) come, $quiet quiet," \
			"$drops dropped, $limited by the limit"
		said "$name: packets are dropped" "$(yes_no [ $drops -gt 0 ])"
		said "$name: as many as do not come" \
			"$(yes_no [ $drops = $((sizes[n - 1] * 100 - came)) ])"
		said "$name: all by the limit" "$(yes_no [ $drops = $limited ])"
		said "$name: quiet flows lose packets" \
			"$(yes_no [ "$quiet" -lt $((sizes[n - 1] * 10)) ])"
		said "$name: order is kept" "$(yes_no [ "$off" = 0 ])"
		[ $drops = 0 ] || said "$name: dropped is of CPU" $((d[0] > 0 ? 0 : 1))
		[ $limited = 0 ] || said "$name: flow_limit_count is of CPU" $((d[1] > 0 ? 0 : 1))
	done < <($steered came "$tmp/out" greedy4)
}

limits() {
	if [ $side = linux ]; then
		use b # with GRO a veth has a queue of its own, else what it gets is a backlog's
		run ethtool -K tb gro on >/dev/null || skip "no NAPI of veths here"
		use r
		spawn ballast $steered ballast rb
	else
		use b
		spawn ballast $steered ballast tb
	fi
	eventually_quietly grep -q ready "${out[ballast]}"
	bursts=() sizes=() deltas=()
	watch_out out b
	limit_by 0
	burst "no limit, half a backlog" 5
	burst "no limit, three backlogs" 30
	limit_by 1
	burst "limit, half a backlog" 5
	burst "limit, three backlogs" 30
	limit_by 2
	burst "limit of the CPU steered to, three backlogs" 30
	limit_by 0
	watched out
	what_came
	kill "${pid[ballast]}"
	wait "${pid[ballast]}"
	unset "pid[ballast]"
}

ask() {
	flows
	maps
	limits
}

kernel_up
expect_not "linux: a map with a CPU that is not there is refused" \
	sh -c "echo 80000000 >/sys/class/net/rs0/queues/rx-0/rps_cpus"
ask
use a
for way in a "${ways[@]:2}"; do
	run ip link del "t$way"
done
use b
run ip link del tb
expect_refused "pollux: so it is" 2 "bad value 'net_null0=0,63' for --rps" --no-pci --no-huge \
	-m 128 --file-prefix "$id-refused" -l 0-1 --vdev=net_null0 -- up \
	--if 0,addr=10.9.0.2/24 --rps net_null0=0,63
pollux_up
ask
stop_pollux

# --- side by side ------------------------------------------------------------------------------

# What differs: Linux's answer, Pollux's. Why: doc/design/steering.md.
sort >"$tmp/known" <<'END'
linux: esp4, flows have several CPUs: yes
pollux: esp4, flows have several CPUs: no
linux: ipip4, flows have several CPUs: yes
pollux: ipip4, flows have several CPUs: no
linux: label6, flows have several CPUs: yes
pollux: label6, flows have several CPUs: no
linux: label6, both ways have the same CPU: no
pollux: label6, both ways have the same CPU: yes
linux: vlan4, both ways have the same CPU: no
pollux: vlan4, both ways have the same CPU: yes
linux: no limit, three backlogs: dropped is of CPU: 1
pollux: no limit, three backlogs: dropped is of CPU: 0
linux: limit, three backlogs: dropped is of CPU: 1
pollux: limit, three backlogs: dropped is of CPU: 0
linux: limit of the CPU steered to, three backlogs: dropped is of CPU: 1
pollux: limit of the CPU steered to, three backlogs: dropped is of CPU: 0
END
for side in linux pollux; do
	sort "$tmp/$side" >"$tmp/$side.sorted"
done
comm -3 "$tmp/linux.sorted" "$tmp/pollux.sorted" | sed 's/^\t/pollux: /; t; s/^/linux: /' |
	sort >"$tmp/differs"
expect_ge "much was asked" "$(wc -l <"$tmp/pollux")" 100
diff "$tmp/known" "$tmp/differs" ||
	fail "> differs and is not known to, < is known to differ and does not"
ok "all is alike but what is known to differ"

# --- that it is right, and not only alike ------------------------------------------------------

for kind in udp4 tcp4 udp6 tcp6 sctp4; do
	expect_eq "$kind: each of 128 flows on one CPU, in order, both ways alike, spread" \
		"$(grep -c "^$kind, .*\(: 128\|yes\)$" "$tmp/pollux")" 6
done
while read -r what; do
	expect "$what" grep -qxF "$what" "$tmp/pollux"
done <<'END'
received by 0, map none: forwarded by: 0
received by 1, map none: forwarded by: 1
received by 0, map none: received_rps of 1 grows: no
received by 0, map 1: forwarded by: 1
received by 1, map 0: forwarded by: 0
received by 0, map 1: received_rps of 1 grows: yes
no limit, half a backlog: packets are dropped: no
no limit, three backlogs: quiet flows lose packets: yes
limit, half a backlog: packets are dropped: no
limit, three backlogs: packets are dropped: yes
limit, three backlogs: as many as do not come: yes
limit, three backlogs: all by the limit: yes
limit, three backlogs: quiet flows lose packets: no
limit of the CPU steered to, three backlogs: quiet flows lose packets: yes
END
