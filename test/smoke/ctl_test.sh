#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A running pollux is seen and steered by pollux-ctl.
#
#	 kernel                      pollux
#	10.9.0.1, fd00:9::1 --t0-- 10.9.0.2, fd00:9::2
. "$(dirname "$0")/lib.sh"

need ping jq socat
export RUNTIME_DIRECTORY=$tmp/run # nobody else's processes are found there
mkdir "$RUNTIME_DIRECTORY"

# What a command prints, its exit code in $rc.
says() { # argument...
	rc=0
	said=$("${c[@]}" "$@" 2>&1) || rc=$?
}

# Refused with an exit code and one line that matches.
refuses() { # what exit-code regex argument...
	local what=$1 code=$2 regex=$3
	shift 3
	says "$@"
	expect_eq "$what" "$rc" "$code"
	expect_eq "... in one line" "$(wc -l <<<"$said")" 1
	expect_match "... that says why" "$said" "$regex"
}

rows() { # table filter
	"${c[@]}" "$1" --json | jq -r "$2"
}

# A name without a process, no name and no process.
c=("$POLLUX_CTL" --file-prefix nobody)
refuses "no process of this name" 1 "no running pollux with --file-prefix nobody" dev
refuses "no name at all" 2 "that is no name" -f "" dev
refuses "no process of this number" 1 "with pid 1 found" --pid 1 dev
refuses "no number at all" 2 "no process.s number" --pid x dev
rc=0 said=$("$POLLUX_CTL" drops 2>&1) || rc=$?
expect_eq "no process at all" "$rc:$said" \
	"1:pollux-ctl: no running pollux found in $RUNTIME_DIRECTORY/dpdk"

netns k
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--sysctl net.ipv4.neigh.default.gc_thresh3=16
iface_up t0 10.9.0.1/24 fd00:9::1/64
c=("$POLLUX_CTL" --file-prefix "${prefix[pollux]}")
eventually "a ping is answered" ping -c 1 -W 1 10.9.0.2
eventually "by IPv6, too" ping -c 1 -W 1 fd00:9::2

# --- seeing ------------------------------------------------------------------------------------

expect_eq "the only process is found" "$("$POLLUX_CTL" ports --json | jq -r '.[0].driver')" net_tap
expect_eq "two sockets, both ours alone" "$(stat -c %a "$RUNTIME_DIRECTORY"/dpdk/*/pollux.sock)" 600
says dev
expect_match "dev is ip -s link" "$said" \
	'1: net_tap0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 .*RX:  bytes packets errors'
says dev -S net_tap0
expect_match "dev -S is ethtool -S" "$said" 'NIC statistics:.*rx_good_packets: [1-9]'
says softnet --raw
expect_match "softnet --raw is softnet_stat" "$said" '^([0-9a-f]{8} ){14}[0-9a-f]{8}$'
says addr
expect_match "addr is ip addr" "$said" 'inet 10.9.0.2/24 brd 10.9.0.255 scope global net_tap0'
says route
expect_match "route is ip route" "$said" \
	'10.9.0.0/24 dev net_tap0 proto kernel scope link src 10.9.0.2'
says -6 route
expect_match "-6 route is ip -6 route" "$said" 'fd00:9::/64 dev net_tap0 proto kernel'
says neigh
expect_match "neigh is ip neigh" "$said" \
	"10.9.0.1 dev net_tap0 lladdr [0-9a-f:]{17} (REACHABLE|STALE|DELAY|PROBE)"
expect_ge "snmp counts the pings" "$(rows snmp \
	'map(select(.group == "Icmp" and .name == "InEchos"))[0].value')" 1
says idle
expect_match "idle has a line for each lcore" "$said" $'\n +0 sleep +[0-9.]+%'
expect_eq "sysctl lists all tunables" "$(rows sysctl length)" \
	"$(grep -c '^X(' lib/base/plx_base_tunable.def)"
expect_eq "drops lists all reasons" "$(rows drops length)" \
	"$(grep -c '^X(' lib/base/plx_base_drop.def)"
udp_ask 10.9.0.2 9 x >/dev/null
expect_eq "drops counts what it names" \
	"$(rows drops 'map(select(.reason == "UDP_NO_PORT"))[0].count')" 1
spawn watch "${c[@]}" softnet --watch=0.2 --raw # to the end

expect_eq "dev and addr number interfaces alike" "$(rows addr '.[0].ifindex')" \
	"$(rows dev '.[0].ifindex')"
was=$(rows dev '.[0].multicast')
run ping -q -c 3 -i 0.05 -W 0.1 -I t0 224.0.0.1 >/dev/null
expect_ge "dev counts frames to groups" $(($(rows dev '.[0].multicast') - was)) 3

# --- steering ----------------------------------------------------------------------------------

expect "an address is added" "${c[@]}" addr add 10.9.0.3/24 dev 0
eventually "... and answers" ping -c 1 -W 1 10.9.0.3
refuses "twice is refused" 1 'EEXIST' addr add 10.9.0.3/24 dev 0
expect "it is removed" "${c[@]}" addr del 10.9.0.3/24 dev net_tap0
expect_not "... and silent" ping -c 1 -W 1 10.9.0.3
refuses "it is gone" 1 'EADDRNOTAVAIL' addr del 10.9.0.3/24 dev net_tap0
refuses "no such interface" 1 "ENODEV" addr add 10.9.0.3/24 dev eth7
refuses "no address" 1 "EINVAL" addr add 10.9.0.300/24 dev 0

# Addresses of one network have one route: the kernel, given the same, is the judge.
for address in 10.12.0.{2,3}/24 10.12.0.4/25; do
	expect "$address here" "${c[@]}" addr add "$address" dev 0
	expect "... and there" ip address add "$address" dev t0
done
routes() { # sorted, without the kernel's word for a link that is down
	awk '/^10.12/ { $3 = "DEV"; print $1, $2, $3, $4, $5, $6, $7, $8, $9 }' | sort
}
says route
expect_eq "routes are the kernel's" "$(routes <<<"$said")" "$(run ip route | routes)"
says addr
expect_eq "who is secondary, too" "$(grep secondary <<<"$said" | awk '{ print $2 }')" \
	"$(run ip -4 address show dev t0 secondary | awk '/inet/ { print $2 }')"
for address in 10.12.0.{2,3}/24 10.12.0.4/25; do
	expect "$address is removed" "${c[@]}" addr del "$address" dev 0
done
run ip address flush dev t0 to 10.12.0.0/24

expect "a route is added" "${c[@]}" route add 10.7.0.0/16 via 10.9.0.1 metric 5
says route
expect_match "... and there" "$said" '10.7.0.0/16 via 10.9.0.1 dev net_tap0 proto static metric 5'
expect "a default route is added" "${c[@]}" route add default via 10.9.0.1
expect "an unreachable one" "${c[@]}" route add unreachable 10.8.0.0/16
refuses "a gateway on no link" 1 "ENETUNREACH" route add 10.6.0.0/16 via 99.9.9.9
expect "a route is removed" "${c[@]}" route del 10.7.0.0/16
refuses "it is gone" 1 "ESRCH" route del 10.7.0.0/16

expect "a neighbour is set" "${c[@]}" neigh add 10.9.0.77 lladdr 02:00:00:00:00:77 dev 0
says neigh
expect_match "... and there" "$said" \
	'10.9.0.77 dev net_tap0 lladdr 02:00:00:00:00:77 PERMANENT'
expect "it is removed" "${c[@]}" neigh del 10.9.0.77 dev 0
refuses "it is gone" 1 "ENOENT" neigh del 10.9.0.77 dev 0

# No more than gc_thresh3 said at start, whoever adds them.
n=0
while [ $n -lt 17 ] && "${c[@]}" neigh add 10.9.0.$((100 + n)) lladdr 02:00:00:00:00:77 dev 0 \
	2>/dev/null; do
	n=$((n + 1))
done
expect_ge "neighbours have a limit" $((16 - n)) 0
expect_ge "... and it is the one given" $n 8
while [ $n -gt 0 ]; do
	"${c[@]}" neigh del 10.9.0.$((99 + n)) dev 0 || fail "neigh del"
	n=$((n - 1))
done

expect "the MTU is changed" "${c[@]}" link set net_tap0 mtu 1400
expect_match "... that of the kernel's end" "$(run ip link show t0)" 'mtu 1400'
refuses "one that cannot be" 1 "EINVAL" link set net_tap0 mtu 7
expect "the MAC is changed" "${c[@]}" link set net_tap0 address 02:00:00:00:00:99
expect_eq "... and there" "$(rows dev '.[0].mac')" 02:00:00:00:00:99
expect "the link is taken down" "${c[@]}" link set net_tap0 down
expect_not "... and silent" ping -c 1 -W 1 10.9.0.2
expect "and up" "${c[@]}" link set net_tap0 up
eventually "... and answers" ping -c 1 -W 1 10.9.0.2

expect_eq "a tunable is set" "$("${c[@]}" sysctl net.ipv4.icmp_echo_ignore_all=1)" \
	"net.ipv4.icmp_echo_ignore_all = 1"
expect_not "... and holds" ping -c 1 -W 1 10.9.0.2
"${c[@]}" sysctl net.ipv4.icmp_echo_ignore_all=0 >/dev/null

# Each takes both of its bounds, or says why not; each is set in a test somewhere.
while read -r name min max default when; do
	if [ "$when" = start ]; then
		refuses "$name is for the start" 1 "read at start only.*EACCES" sysctl "$name=$max"
		continue
	fi
	for value in "$min" "$max" "$default"; do
		said=$("${c[@]}" sysctl "$name=$value" && "${c[@]}" sysctl "$name") ||
			fail "$name=$value: $said"
		[ "$(tail -n 1 <<<"$said")" = "$name = $value" ] || fail "$name=$value: $said"
	done
done < <(rows sysctl '.[] | "\(.name) \(.min) \(.max) \(.default) \(.when)"')
ok "each tunable can be set to its bounds"
while IFS=, read -r id name _; do
	grep -qE "(PLX_TUN_|, )${id#X(}\b" test/unit/*.c test/sim/*.c ||
		grep -rqF "${name//[\" ]/}" test/smoke test/trace || fail "no test sets $name"
done < <(grep '^X(' lib/base/plx_base_tunable.def)
ok "each tunable has a test"
refuses "out of bounds" 1 "ERANGE" sysctl net.ipv4.icmp_echo_ignore_all=2
refuses "unknown" 1 "ENOENT" sysctl net.ipv4.nope=2

# --- the command line --------------------------------------------------------------------------

refuses "no command" 2 "no command"
refuses "an unknown command" 2 "unknown command 'frobnicate'" frobnicate
rc=0
"$POLLUX_CTL" --help >/dev/full 2>/dev/null || rc=$?
expect_eq "nowhere to print" $rc 1
refuses "an unknown option" 2 "option -1 is not understood" link set 0 mtu -1
refuses "an unknown long option" 2 "option --fly is not understood" dev --fly
refuses "an option without its value" 2 "--file-prefix needs a value" dev --file-prefix
refuses "nothing to be set" 2 "incomplete; form: INTERFACE" link set 0
refuses "another command's option" 2 "dev has no option -z" dev -z
refuses "too many words" 2 "'b' is not understood" dev a b
refuses "an incomplete line" 2 "incomplete; form:" addr add 10.9.0.3/24
refuses "an interface that is not there" 1 "no 'eth7'" dev eth7
for command in ports dev ethtool softnet sockstat snmp drops addr route neigh link idle sysctl \
	stop; do
	says "$command" --help
	[[ $rc = 0 && $said == usage:*Examples:*pollux-ctl* ]] || fail "$command --help: $said"
done
ok "each command has its help with examples"

# --- clients that mean no good -----------------------------------------------------------------

sock=$RUNTIME_DIRECTORY/dpdk/${prefix[pollux]}/pollux.sock
raw() { # text: one packet, and the reply
	printf '%s' "$1" | socat -t 1 - "UNIX-CONNECT:$sock,type=5"
}
expect_match "half a request gets an error" "$(raw '{"cmd":"addr a')" '"name":"EINVAL"'
expect_match "a huge one, too" "$(head -c 20000 /dev/zero | socat -b 30000 -t 1 - \
	"UNIX-CONNECT:$sock,type=5")" '"name":"EMSGSIZE"'
for _ in {1..20}; do
	socat -u OPEN:/dev/null "UNIX-CONNECT:$sock,type=5"
	printf '{"cmd":"help"}' | socat -u - "UNIX-CONNECT:$sock,type=5"
	printf '/plx/drops' | socat -u - "UNIX-CONNECT:${sock%/*}/dpdk_telemetry.v2,type=5"
done
expect_eq "help names each command once" \
	"$(raw '{"cmd":"help"}' | jq -r '.commands[].cmd' | sort | uniq -d)" ""
expect_match "those who do not wait for replies do no harm" "$(raw '{"cmd":"help"}')" '"ok":true'
run su -s /bin/sh nobody -c "socat -u /dev/null UNIX-CONNECT:$sock,type=5" 2>"$tmp/nobody" &&
	fail "nobody got in"
ok "nobody gets in"

# --- two of them, and the end ------------------------------------------------------------------

start_pollux -n second --vdev=net_null0 -- fwd --mode rxonly
rc=0 said=$("$POLLUX_CTL" dev 2>&1) || rc=$?
expect_eq "two are running: choose" "$rc" 2
expect_match "... from a list" "$said" "${prefix[second]} \(pid ${pid[second]}\)"
rc=0 said=$(ctl -n second addr 2>&1) || rc=$?
expect_match "fwd has no addresses" "$rc:$said" \
	"^1:pollux-ctl: what runs there has no table 'addr' \(addr, route and neigh are 'poll"
expect "the second stops" "$POLLUX_CTL" -f "${prefix[second]}" stop
wait_pollux -n second
expect_ge "--watch has gone on" "$(wc -l <"${out[watch]}")" 5
expect "the first stops" "${c[@]}" stop
wait_pollux
finish watch
expect_eq "--watch ends with it" "$status:$(<"${err[watch]}")" \
	"1:pollux-ctl: the process ended"
expect_eq "nothing is left" "$(ls "$RUNTIME_DIRECTORY/dpdk")" ""
