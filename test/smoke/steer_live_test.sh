#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pollux-ctl steer of a running process: explain says the lcore on which a flow is then found, and
# show prints the tables by which ports spread packets, as ethtool -x. One port tells nothing of its
# queues (a TAP), one has a key and a table. Lcores are EAL's, 0 and 3, in all that is said.
#
#	 kernel, 2 queues             pollux, 2 lcores
#	10.9.0.1   --t0--  v:         10.9.0.2     echo 7
#	fd00:9::1  --t0--             fd00:9::2
#	                   p --- q:   10.8.0.2
. "$(dirname "$0")/lib.sh"

need jq python3
netns k
PLX_MEM=256 start_pollux --lcores '0@(0,1),3@(0,1)' -- up \
	--port "v=vtap,iface=t0,queues=2" --port p=pipe,peer=q,queues=2 \
	--if "v,addr=10.9.0.2/24,addr=fd00:9::2/64" --if "q,addr=10.8.0.2/24" --udp-echo 7 \
	--tcp-echo 7 --sysctl net.ipv6.conf.all.dad_transmits=0
run ip address add 10.9.0.1/24 dev t0
run ip address add fd00:9::1/64 dev t0 nodad
eventually_quietly ping -q -c 1 -W 1 10.9.0.2
eventually_quietly ping -q -c 1 -W 1 fd00:9::2

explained() { # filter argument...
	local filter=$1
	shift
	ctl steer explain "$@" --json | jq -r "$filter"
}

# --- connections -------------------------------------------------------------------------------

cat >"$tmp/conns.py" <<'END'
import socket, time
keep = []
for i in range(12):
    for family, here, there in (socket.AF_INET, "10.9.0.1", "10.9.0.2"), (
        socket.AF_INET6, "fd00:9::1", "fd00:9::2"):
        s = socket.socket(family)
        s.bind((here, 40000 + i))
        s.connect((there, 7))
        s.sendall(b"x")
        s.recv(1)
        keep.append(s)
print("ready", flush=True)
time.sleep(600)
END
spawn conns python3 "$tmp/conns.py"
eventually "24 connections are open" grep -q ready "${out[conns]}"

# What pollux-ctl tcp says of where each is, against what the tables say of its flow.
declare -A at=()
while read -r address port lcore; do
	at[$address/$port]=$lcore
done < <(ctl tcp --json |
	jq -r '.[] | select(.state == "ESTAB") | "\(.dst) \(.dst_port) \(.lcore)"')
expect_eq "each is on an lcore" ${#at[@]} 24
said='' wanted=''
for key in "${!at[@]}"; do
	src="10.9.0.1:${key#*/}" dst=10.9.0.2:7
	[[ $key != fd* ]] || src="[fd00:9::1]:${key#*/}" dst="[fd00:9::2]:7"
	said+="$key $(explained '"\(.lcore) \(.decided_by) \(.socket.lcore)"' \
		tcp "$src" "$dst")"$'\n'
	wanted+="$key ${at[$key]} owner ${at[$key]}"$'\n'
done
expect_eq "explain says where each is" "$said" "$wanted"
expect_eq "they are on both" "$(printf '%s\n' "${at[@]}" | sort -u | tr '\n' ' ')" "0 3 "
expect_eq "ss says so, too" "$(ctl ss -tan --json | jq -c '[.[] | .lcore] | unique')" "[0,3]"

said=$(ctl steer explain tcp 10.9.0.1:40000 10.9.0.2:7)
expect_match "in words" "$said" "flow +tcp 10.9.0.1:40000 > 10.9.0.2:7
hash +0x[0-9a-f]{8}, Toeplitz of addresses and ports by the process's key
[ ]+0a 09 00 01 0a 09 00 02 9c 40 00 07
port +v \(vtap\): 2 queues, polled by lcores 0, 3; which one is not known: [^
]+
port +p \(pipe\): hash 0x[0-9a-f]{8} by its key, bucket [0-9]+, queue [01] of 2, [^
]+
port +q [^
]+
to +an address of ours
owner +lcore ${at[10.9.0.1/40000]}: bucket [0-9]+ of 128
socket +ESTAB, on lcore ${at[10.9.0.1/40000]}
limit +none: off \(net.core.flow_limit_cpu_bitmap\)
decided +by the owner map: lcore ${at[10.9.0.1/40000]}\$"
expect_match "a handshake to come" "$(ctl steer explain tcp 10.9.0.1:1 10.9.0.2:7)" \
	"socket +LISTEN, on each lcore"
expect_match "nobody" "$(ctl steer explain tcp 10.9.0.1:1 10.9.0.2:8)" "socket +none"

# --- datagrams ---------------------------------------------------------------------------------

served() { # lcore: the counters are in the order of the lcores
	json_field ".udp_served_by_lcore[$(($1 / 3))]"
}
total() { # until so many were served
	eventually_quietly bash -c \
		"tail -n 1 '${out[pollux]}' | jq -e '.udp_served == $1' >/dev/null" ||
		fail "$1 datagrams are served"
}
cat >"$tmp/one.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", int(sys.argv[1])))
s.connect(("10.9.0.2", 7))
s.settimeout(5)
for i in range(20):
    s.send(b"x")
    s.recv(1)
END
for port in 41000 41001 41002; do
	lcore=$(explained .lcore udp 10.9.0.1:$port 10.9.0.2:7)
	before=$(served "$lcore")
	run python3 "$tmp/one.py" $port || fail "datagrams from port $port are answered"
	total $((20 * (port - 40999)))
	expect_eq "lcore $lcore serves the datagrams from $port" $(($(served "$lcore") - before)) 20
done

# --- who else decides --------------------------------------------------------------------------

ctl sysctl net.pollux.soft_steer=0 >/dev/null
expect_eq "without steering the queue decides" \
	"$(explained '"\(.decided_by) \(.lcore)"' tcp 10.9.0.1:1 10.9.0.2:7)" "queue null"
ctl sysctl net.pollux.soft_steer=1 >/dev/null
expect_eq "a ping is answered where it comes in" \
	"$(explained .decided_by icmp 10.9.0.1 10.9.0.2)" queue
expect_eq "another host's" "$(explained .to udp 10.9.0.1:1 192.0.2.1:1)" dropped
ctl sysctl net.ipv4.ip_forward=1 >/dev/null
expect_eq "... is forwarded" "$(explained .to udp 10.9.0.1:1 192.0.2.1:1)" forwarded
expect_eq "a group's" "$(explained '"\(.to) \(.decided_by)"' udp 10.9.0.1:1 239.1.2.3:1)" \
	"many members"
ctl sysctl net.core.flow_limit_cpu_bitmap=9 >/dev/null
lcore=${at[10.9.0.1/40000]}
expect_eq "the flow limit of the other lcore" \
	"$(explained '.limit | map([.lcore, .buckets, .max_backlog, .drop]) | tojson' \
		tcp 10.9.0.1:40000 10.9.0.2:7)" "[[$((3 - lcore)),4096,1000,false]]"

# --- show --------------------------------------------------------------------------------------

said=$(ctl steer show q)
printf -v line '%6s' 0 1 0 1 0 1 0 1
expect_match "the table and the key, as ethtool -x" "$said" \
	"^RX flow hash indirection table for q with 2 RX ring\(s\):
[ ]{4}0: $line
[ ]{4}8: $line.*
[ ]{2}120: $line
RSS hash key:
([0-9a-f]{2}:){39}[0-9a-f]{2}
RSS hash function:
[ ]{4}toeplitz: on
[ ]{4}xor: off
[ ]{4}crc32: off
RX flow hash fields:
[ ]{4}tcp4 sdfn, udp4 sdfn, sctp4 sdfn, tcp6 sdfn, udp6 sdfn, sctp6 sdfn
Owner map with 2 lcore\(s\):
[ ]{4}0: ${line//1/3}"
expect_match "of who has none" "$(ctl steer show v)" \
	"for v with 2 RX ring\(s\):
Operation not supported: the driver has no RSS
RSS hash key:
Operation not supported"
expect_eq "all ports" "$(ctl steer show | grep -c 'indirection table for')" 3
expect_eq "as JSON" "$(ctl steer show --json | jq -c \
	'[(.ports | map(.ifname, (.indir | length))), (.owner_map.owners | length)]')" \
	'[["v",0,"p",128,"q",128],128]'

# The same key and table given to what needs no process lead to the same queue.
key=$(grep -A1 '^RSS hash key' <<<"$said" | tail -1)
for port in 1 2 3 4 5; do
	flow=(tcp "10.8.0.1:$port" 10.8.0.2:80)
	alone=$("$POLLUX_CTL" steer explain "${flow[@]}" --offline --queues 2 --key "$key" --json)
	expect_eq "bucket and queue of q for port $port" \
		"$(explained '.ports[2] | "\(.hash) \(.bucket) \(.queue)"' "${flow[@]}")" \
		"$(jq -r '"\(.hash) \(.bucket) \(.queue)"' <<<"$alone")"
done

# --- softnet_stat ------------------------------------------------------------------------------

expect_eq "15 columns of softnet_stat, as the kernel's" \
	"$(ctl softnet --raw | awk '{ print NF, length($0) }' | sort -u)" \
	"$(awk '{ print NF, length($0) }' /proc/net/softnet_stat | sort -u)"

# --- errors ------------------------------------------------------------------------------------

refuses() { # what exit-code regex argument...
	local what=$1 code=$2 regex=$3 rc=0 said
	shift 3
	said=$("$POLLUX_CTL" "$@" 2>&1 >/dev/null) || rc=$?
	expect_eq "$what" "$rc" "$code"
	expect_match "... in one line" "$said" "^pollux-ctl: [^"$'\n'"]*${regex}[^"$'\n'"]*$"
}
flow=(tcp 10.9.0.1:1 10.9.0.2:7)
me=(--file-prefix "${prefix[pollux]}")
refuses "no such process" 1 "no running pollux with --file-prefix nobody" \
	--file-prefix nobody steer explain "${flow[@]}"
refuses "... said behind" 1 "no running pollux with --file-prefix nobody" \
	steer explain "${flow[@]}" --file-prefix nobody
refuses "no such number" 1 "no running pollux .*with pid 1 " "${me[@]}" steer show --pid 1
refuses "no number" 2 "--pid x: that is no process's number" steer show --pid x
refuses "no such port" 1 "no port 'w'" "${me[@]}" steer show w
refuses "two ports" 2 "one PORT or none" "${me[@]}" steer show v w
refuses "a made-up table" 2 "--rps is of --offline" "${me[@]}" steer explain "${flow[@]}" --rps 0
refuses "... to be shown" 2 "--queues is of explain and simulate" steer show --queues 3
refuses "no flow" 2 "need ports" "${me[@]}" steer explain tcp 10.9.0.1 10.9.0.2:7

start_pollux -n second --vdev=net_null0 -- fwd
refuses "a process without a stack" 1 "no table 'steer'" --file-prefix "${prefix[second]}" \
	steer explain "${flow[@]}"
refuses "several processes" 2 "several are running, choose one by .*pid" \
	steer explain "${flow[@]}"
stop_pollux -n second
stop_pollux
