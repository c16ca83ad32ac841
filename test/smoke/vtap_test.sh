#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Our own TAP: ping, UDP and TCP with the kernel's offloads left on, by system calls and by
# io_uring, on one lcore and on two; its interface in another namespace, one that stays, one that is
# taken away; asleep it is woken.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7, sink 9, source 19
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need nc tcpdump tshark jq ethtool python3 sha256sum
netns k
netns far
use k
up=(up --if "v,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7 --tcp-echo 7 --tcp-sink 9
	--tcp-source 19 --sysctl net.ipv6.conf.all.dad_transmits=0)
mib=20
[[ $PLX_BUILD != *[at]san* ]] || mib=4
head -c $((mib << 20)) /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")

# Without iface_up(), which turns off what this is about.
addresses() {
	run ip address add 10.9.0.1/24 dev t0
	run ip address add fd00:9::1/64 dev t0
	run ip link set t0 txqueuelen 5000
	kernel_mac[t0]=$(run cat /sys/class/net/t0/address)
	[ -z "${kernel_mac[t0]}" ] || port_mac[t0]=$(port_mac_of "${kernel_mac[t0]}")
}

echo_of() { # address
	run timeout $((3 * patience)) nc -N "$1" 7 <"$tmp/data" | sha256sum
}

tcp() {
	expect_eq "$mib MiB come back" "$(echo_of 10.9.0.2)" "$sum"
	expect_eq "$mib MiB come back, IPv6" "$(echo_of fd00:9::2)" "$sum"
	expect "$mib MiB go into the sink" timeout $((3 * patience)) bash -c \
		"nc -N 10.9.0.2 9 <'$tmp/data'"
}

for uring in 0 1; do
	name=uring$uring
	start_pollux -n $name -- "${up[@]}" --port "v=vtap,iface=t0,uring=$uring"
	addresses
	expect_match "the kernel's end is up" "$(run ip link show t0)" "UP,LOWER_UP> mtu 1500"
	features=$(run ethtool -k t0)
	for feature in tx-checksum-ip-generic tx-tcp-segmentation tx-tcp6-segmentation; do
		expect_match "the kernel leaves us $feature" "$features" "$feature: on"
	done
	expect_match "but not UDP's super-datagrams" "$features" "tx-udp-segmentation: off"
	kernel_talks $name
	capture t0
	expect_eq "a word comes back" "$(echo hello | run timeout $patience nc -N 10.9.0.2 7)" hello
	expect_not "a closed port refuses" timeout $patience nc -z fd00:9::2 444
	# the sums of what we send are the kernel's to fill in, if ever
	captured t0 "tcp.flags.reset == 1 || tcp.checksum.status == 0"
	tcp
	expect_eq "to the kernel no checksum was wrong" "$(run nstat -asz TcpInCsumErrors \
		UdpInCsumErrors Udp6InCsumErrors | awk 'NR > 1 { n += $2 } END { print n + 0 }')" 0
	stop_pollux -n $name
	expect_ge "there were more packets than mbufs" \
		"$(json_field -n $name '.ports[0].rx_packets * 1460')" $((3 * mib << 20))
	expect_eq "nothing was dropped on the way to the stack, or from it" "$(json_field -n $name \
		'[.drops | keys[] | select(test("^[TR]X_|MBUF|CHECKSUM"))] | length')" 0
	expect_eq "no checksum was wrong" \
		"$(json_field -n $name '.snmp | .TcpInErrs + .UdpInErrors + .Udp6InErrors')" 0
	expect_not "the interface is gone" ip link show t0

	name=two$uring
	start_pollux -n $name -l 0-1 -- "${up[@]}" --port "v=vtap,iface=t0,queues=4,uring=$uring"
	addresses
	expect_match "two lcores, two queues" "$(run ls /sys/class/net/t0/queues)" "rx-1"
	kernel_talks $name
	tcp
	expect "64 flows are echoed" test/smoke/flows.py 10.9.0.2 7 --flows 64 --count 10
	stop_pollux -n $name
	expect_ge "each lcore served some" \
		"$(json_field -n $name '.udp_served_by_lcore | min')" 1
done

# --- without merged packets, and without Ethernet ---

start_pollux -n plain -- "${up[@]}" --port v=vtap,iface=t0,lro=0,tso=0,mac=02:00:00:00:00:42
expect_eq "the MAC given is ours" "$(run cat /sys/class/net/t0/address)" 02:80:00:00:00:42
addresses
expect_match "nothing comes merged" "$(run ethtool -k t0)" "tx-tcp-segmentation: off"
kernel_talks plain
expect_eq "$mib MiB come back" "$(echo_of 10.9.0.2)" "$sum"
stop_pollux -n plain

start_pollux -n tun -- "${up[@]}" --port v=vtun,iface=t0
expect_match "the interface has no Ethernet" "$(run ip link show t0)" "POINTOPOINT.*link/none"
addresses
kernel_talks tun
expect_eq "$mib MiB come back" "$(echo_of fd00:9::2)" "$sum"
stop_pollux -n tun

# --- in a namespace of its own, and staying ---

start_pollux -n far -- "${up[@]}" --port "v=vtap,iface=t0,netns=$id-far,persist=1,mtu=1900"
expect_not "the interface is not here" ip link show t0
use far
expect_match "but there" "$(run ip link show t0)" "mtu 1900"
addresses
kernel_talks far
eventually_ctl "our MTU is the kernel's" "" -n far link set v mtu 1400
expect_match "as it says" "$(run ip link show t0)" "mtu 1400"
run ip link set t0 down
eventually_ctl "the link is seen to go" "NO-CARRIER|state DOWN" -n far link
run ip link set t0 up
eventually_ctl "and to come" "LOWER_UP" -n far link
stop_pollux -n far
expect "it stays" ip link show t0
start_pollux -n again -- "${up[@]}" --port "v=vtap,iface=t0,netns=$id-far,persist=0"
eventually "and is taken up again" ping -q -c 1 -W 1 10.9.0.2
run ip link delete t0
eventually_ctl "it can be taken away" "NO-CARRIER|state DOWN" -n again link
stop_pollux -n again

# --- super-segments pass from kernel to kernel, uncut; fd00:8::/64 and 10.8.0.0/24 ---

cat >"$tmp/datagrams.py" <<'END'
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
parts = [bytes([i]) * 1000 for i in range(30)]
if len(sys.argv) > 2:
    s.setsockopt(socket.IPPROTO_UDP, 103, 1000) # UDP_SEGMENT
    s.sendto(b"".join(parts), (sys.argv[1], 5001))
else:
    s.bind((sys.argv[1], 5001))
    s.settimeout(10)
    print(sum(s.recv(65536) == p for p in parts))
END
use k
for uring in 0 1; do
	name=between$uring
	start_pollux -n $name -- fwd --port "a=vtap,iface=t0,uso=1,uring=$uring" \
		--port "b=vtap,iface=t1,netns=$id-far,uso=1,uring=$uring"
	run ip address add 10.8.0.1/24 dev t0
	run ip address add fd00:8::1/64 dev t0
	use far
	run ip address add 10.8.0.2/24 dev t1
	run ip address add fd00:8::2/64 dev t1
	for address in 10.8.0.2 fd00:8::2; do
		use far
		spawn nc nc -l -N "$address" 5000
		use k
		eventually_quietly ping -q -c 1 -W 1 "$address"
		eventually_quietly bash -c "ip netns exec $id-far ss -Hltn | grep -q :5000"
		expect "a transfer to $address" timeout $((3 * patience)) bash -c \
			"nc -N $address 5000 <'$tmp/data'"
		finish nc
		expect_eq "... comes whole" "$(sha256sum <"${out[nc]}")" "$sum"
		use far
		spawn datagrams python3 "$tmp/datagrams.py" "$address"
		use k
		eventually_quietly bash -c "ip netns exec $id-far ss -Hlun | grep -q :5001"
		expect "... and a datagram of 30 to be cut" \
			python3 "$tmp/datagrams.py" "$address" send
		finish datagrams
		expect_eq "... comes as 30" "$(cat "${out[datagrams]}")" 30
	done
	# by Linux 6.2 and newer
	expect_match "$name: UDP's super-datagrams are left to us" "$(run ethtool -k t0)" \
		"tx-udp-segmentation: (on|off \[fixed\])"
	stop_pollux -n $name
	expect_ge "$name: there were fewer mbufs than packets" \
		$(($(json_field -n $name .rx_packets) / 3)) \
		"$(json_field -n $name '[.lcores[].received] | add')"
	expect_eq "$name: nothing was dropped" "$(json_field -n $name '.drops | length')" 0
done

# --- asleep ---

use k
start_pollux -n sleep -- "${up[@]}" --port v=vtap,iface=t0
addresses
run sysctl -qw net.ipv6.conf.t0.disable_ipv6=1
eventually "it answers" ping -q -c 1 -W 1 10.9.0.2
sleep 1
ticks() {
	awk '{ print $14 + $15 }' "/proc/${pid[sleep]}/stat"
}
begin=$(ticks)
sleep 3
expect_ge "asleep it takes less than 2 % of a core" 6 $(($(ticks) - begin))
expect "a packet wakes it at once" bash -c "ping -q -c 20 -i 0.05 10.9.0.2 |
	awk -F/ '/^rtt/ { exit !(\$5 < 3) }'"
stop_pollux -n sleep
