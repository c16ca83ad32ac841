#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# RPS: what is forwarded is spread over two lcores, flow by flow, whatever queue it comes by; each
# flow is forwarded by the one that pollux-ctl steer explain says. Packets for Pollux itself stay
# with their owner.
#
#	 kernel, netns a                pollux, a router               kernel, netns b
#	10.1.0.2   --ta--  a: 10.1.0.1             b: 10.2.0.1   --tb--  10.2.0.2, echo 7
#	fd00:1::2  --ta--  fd00:1::1               fd00:2::1     --tb--  fd00:2::2
. "$(dirname "$0")/lib.sh"

need jq python3
netns b
netns a
flows=test/smoke/flows.py
PLX_MEM=256 start_pollux --lcores '(0-1)@(0,1)' -- up --port "a=vtap,iface=ta,queues=2" \
	--port "b=vtap,iface=tb,queues=2" --if "a,addr=10.1.0.1/24,addr=fd00:1::1/64" \
	--if "b,addr=10.2.0.1/24,addr=fd00:2::1/64" --sysctl net.ipv4.ip_forward=1 \
	--sysctl net.ipv6.conf.all.forwarding=1 --sysctl net.ipv6.conf.all.dad_transmits=0 \
	--rps a=0-1 --rps b:0=0-1 --rps b:1=0-1 --udp-echo 7
run ip address add 10.1.0.2/24 dev ta
run ip address add fd00:1::2/64 dev ta nodad
run ip link set ta up txqueuelen 5000
run ip route add default via 10.1.0.1
run ip -6 route add default via fd00:1::1
iface_to tb b
run ip link set tb up txqueuelen 5000
run ip address add 10.2.0.2/24 dev tb
run ip address add fd00:2::2/64 dev tb nodad
run ip route add default via 10.2.0.1
run ip -6 route add default via fd00:2::1
cat >"$tmp/echo.py" <<'END'
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
s.bind(("::", 7))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)
END
spawn echo python3 "$tmp/echo.py"
eventually "the far end listens" grep -q ready "${out[echo]}"
use a
eventually "the way is open" ping -q -c 1 -W 1 10.2.0.2
eventually "by IPv6, too" ping -q -c 1 -W 1 fd00:2::2

column() { # column lcore: of softnet
	ctl softnet --json | jq ".[] | select(.cpu == $2) | .$1"
}
of() { # figure lcore: of idle
	ctl idle --json | jq ".[] | select(.lcore == $2) | .$1"
}

expect "64 flows pass and are answered" $flows 10.2.0.2 7 --flows 64 --count 20
expect "64 flows of IPv6, too" $flows fd00:2::2 7 --flows 64 --count 20
expect "datagrams of 3 fragments" $flows 10.2.0.2 7 --flows 16 --count 3 --size 4000
# TUN sends a flow to the queue that it was last sent on, so that soon little is handed over.
for lcore in 0 1; do
	expect_ge "lcore $lcore hands packets over" "$(of handed_pkts $lcore)" 5
	expect_ge "lcore $lcore is woken for them" "$(column received_rps $lcore)" 1
done

# --- flow by flow ------------------------------------------------------------------------------

# A flow comes by one queue, whose lcore forwards all of it or hands all of it over.
cat >"$tmp/one.py" <<'END'
import socket, sys
there = sys.argv[2]
s = socket.socket(socket.AF_INET6 if ":" in there else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
for i in range(20):
    s.sendto(b"x", (there, 9)) # nobody: nothing comes back but errors
END
use b
run ip route add blackhole 10.1.0.2 metric 1
run ip -6 route add blackhole fd00:1::2 metric 1
use a
counts() { # of each lcore: received, handed over
	ctl idle --json | jq '.[] | .rx_pkts, .handed_pkts'
}
seen=''
for port in 42000 42001 42002 42003 42004 42005; do
	src=10.1.0.2:$port dst=10.2.0.2 at=10.2.0.2:9
	[ $((port % 2)) = 0 ] || { src="[fd00:1::2]:$port" dst=fd00:2::2 at="[fd00:2::2]:9"; }
	said=$(ctl steer explain udp "$src" "$at" --json)
	lcore=$(jq '.ports[] | select(.ifname == "a") | .rps' <<<"$said")
	[ "$(jq -r .decided_by <<<"$said")" = rps ] || fail "RPS decides: $said"
	mapfile -t was < <(counts)
	run python3 "$tmp/one.py" "$port" "$dst" || fail "datagrams are sent"
	end=$((SECONDS + patience))
	until
		mapfile -t is < <(counts)
		[ $((is[0] + is[2] - was[0] - was[2])) -ge 20 ] || [ $SECONDS -ge $end ]
	do
		sleep 0.1
	done
	by=0
	[ $((is[0] - was[0])) -ge 20 ] || by=1
	[ $((is[2 * by + 1] - was[2 * by + 1])) -lt 20 ] || by=$((1 - by))
	[ $by = "$lcore" ] || fail "the flow from $src is to be lcore $lcore's, and was lcore $by's"
	seen+="$lcore "
done
ok "each of 6 flows is forwarded by the lcore that explain names: $seen"

# --- not for what is local ---------------------------------------------------------------------

expect_eq "the owner map decides for us" \
	"$(ctl steer explain udp 10.1.0.2:43000 10.1.0.1:7 --json | jq -r .decided_by)" owner
expect_match "in words" "$(ctl steer explain udp 10.1.0.2:42000 10.2.0.2:9)" \
	"to +another host's: forwarded.*rps +what comes by a: lcore [01].*decided +by RPS: "
expect "64 flows to us" $flows 10.1.0.1 7 --flows 64 --count 5
expect_eq "the maps as a table" "$(ctl steer show --json | jq -c '.rps')" \
	"$(jq -nc '[("a", "b") as $p | (0, 1) as $q | {ifname: $p, queue: $q, lcores: [0, 1]}]')"
stop_pollux
expect_eq "all that was received was handled once" \
	"$(json_field '.drops | keys | map(select(test("BACKLOG|MBUF|FLOW|TX_"))) | length')" 0
