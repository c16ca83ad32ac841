#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Lcores stop and start while connections of the kernel's hash what they send and get back: their
# flows, and the polling of queues, move. None is reset, and all is as it was sent.
#
#	10.9.0.1 --t0-- two queues: two lcores, echo 7  10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq python3
netns k
use k

start() { # command
	PLX_MEM=384 start_pollux --lcores '(0-1)@(0,1)' -- "$1" --port "t=vtap,iface=t0,queues=2" \
		--if t,addr=10.9.0.2/24
	run ip address add 10.9.0.1/24 dev t0
	run ip link set t0 up txqueuelen 5000
	eventually "$1 is there" ping -q -c 1 -W 1 10.9.0.2
}
column() { # of the table steer
	ctl steer show --json | jq ".owner_map.$1"
}
steer_set() { # word...
	ctl steer set "$@" >"$tmp/set" 2>&1 || fail "steer set $*: $(cat "$tmp/set")"
}
polled() { # by whom the queues are
	ctl ports --json | jq -c '.[0].lcores'
}

start echo
spawn client test/smoke/hashed.py 10.9.0.2 7 --conns 200 --for $((4 * patience / 10))
eventually "200 connections" grep -q connected "${out[client]}"
rounds=0
while running client; do
	steer_set lcores $((rounds % 2))
	steer_set lcores 0,1
	rounds=$((rounds + 1))
	sleep 0.05
done
finish client
expect_eq "the connections had all back: $(tail -n 1 "${out[client]}")" "$status" 0
ok "lcores stopped and started $rounds times"
expect "so that 1,000 connections and more have moved" [ "$(column moved_conns)" -gt 1000 ]
expect_eq "none stayed" "$(column stayed_conns)" 0
expect_eq "no packet was dropped for it" "$(column park_drops)" 0
expect_eq "and none came too late" "$(column steer_reordered)" 0

steer_set lcores 1
expect_eq "one lcore polls both queues" "$(polled)" "[1,1]"
expect_eq "and owns all buckets" "$(column "owners | unique | length")" 1
steer_set lcores 0,1 weight 1 3
expect_eq "of two of unlike weight, one owns a quarter" \
	"$(ctl steer show --json | jq '[.owner_map.owners[] | select(. == 0)] | length')" 32
steer_set bucket 5 0
expect_eq "a bucket goes where it is told" "$(ctl steer show --json | jq '.owner_map.owners[5]')" 0
for bad in "lcores 7:none of this run" "lcores 0,x:0,2-3, or none" "lcores:form" \
	"lcores 0,1 weight 1:1 for 2 lcores" "lcores 0 weight 0:no lcore has a weight" \
	"lcores none:no lcore has a weight" "lcores 0 wait 1:form" \
	"lcores 0 weight 300:at most 256" \
	"bucket 128 0:buckets 0 to 127" "bucket 3 9:no such lcore" "bucket 3:form"; do
	read -ra words <<<"${bad%%:*}"
	rc=0
	ctl steer set "${words[@]}" >"$tmp/out" 2>"$tmp/err" || rc=$?
	expect "steer set ${words[*]} is refused" [ "$rc" != 0 ]
	expect "and says why" grep -q -- "${bad#*:}" "$tmp/err"
done
# All to one by hand, and the rebalancer spreads them again: at first it only says so.
steer_set lcores 0,1
spawn client test/smoke/hashed.py 10.9.0.2 7 --conns 64 --for $((patience / 2))
eventually "64 connections" grep -q connected "${out[client]}"
for bucket in {0..127}; do
	steer_set bucket "$bucket" 0
done
expect_match "the rebalancer is off" "$(ctl steer show)" "Rebalancer: off"
ctl sysctl net.pollux.steer_balance=1 >"$tmp/set" || fail "$(cat "$tmp/set")"
eventually_ctl "it would move some" "Rebalancer: advise: moves advised; lcore 0" steer show
expect_eq "and does not" "$(column "owners | unique | length")" 1
ctl sysctl net.pollux.steer_balance=2 >"$tmp/set" || fail "$(cat "$tmp/set")"
eventually_ctl "it moves them" "Rebalancer: on: " steer show
eventually "both lcores own some" \
	bash -c "[ \"\$('$POLLUX_CTL' --file-prefix '${prefix[pollux]}' steer show --json |
		jq '.owner_map.owners | unique | length')\" = 2 ]"
expect "by its own count" [ "$(ctl steer show --json | jq .balance.asked)" -gt 0 ]
finish client
expect_eq "the connections had all back: $(tail -n 1 "${out[client]}")" "$status" 0
expect_eq "none stayed" "$(column stayed_conns)" 0
stop_pollux

# Its own buffers and idle times go along with a connection of http's.
start http
cat >"$tmp/get.py" <<'END'
import http.client, sys, time
conns = [http.client.HTTPConnection("10.9.0.2", 80, timeout=20) for _ in range(50)]
end, n = time.monotonic() + 2, 0
while time.monotonic() < end:
    for c in conns:
        c.request("GET", "/")
        r = c.getresponse()
        body = r.read()
        assert r.status == 200 and len(body) == int(r.headers["Content-Length"]), r.status
        n += 1
print("answers", n)
END
spawn get python3 "$tmp/get.py"
while running get; do
	steer_set lcores $((rounds++ % 2))
	sleep 0.1
done
finish get
expect_eq "http answers on 50 connections that move: $(cat "${out[get]}")" "$status" 0
expect_eq "which did" "$(column stayed_conns)" 0
stop_pollux
