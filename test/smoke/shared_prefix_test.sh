#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Processes that share a file prefix (--no-shconf, --in-memory) each have their sockets, pollux-ctl
# tells them apart by --pid, and the end of one leaves the other alone.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- 10.9.0.2   one
#	10.8.0.1 --t1-- 10.8.0.2   two
. "$(dirname "$0")/lib.sh"

need ping jq
netns k
export RUNTIME_DIRECTORY=$tmp/run # nobody else's processes are found there
mkdir "$RUNTIME_DIRECTORY"
dir=$RUNTIME_DIRECTORY/dpdk/$id-both

start_pollux -n one --no-shconf "--file-prefix=$id-both" --vdev=net_tap0,iface=t0 -- \
	up --if 0,addr=10.9.0.2/24
c=("$POLLUX_CTL" --file-prefix "$id-both")
expect_eq "pollux-ctl finds it" "$("${c[@]}" dev --json | jq -r '.[0].ifname')" net_tap0
expect "and steers it" "${c[@]}" addr add 10.9.0.3/24 dev 0
start_pollux -n two --no-shconf "--file-prefix=$id-both" --vdev=net_tap1,iface=t1 -- \
	up --if 0,addr=10.8.0.2/24
iface_up t0 10.9.0.1/24
iface_up t1 10.8.0.1/24

rc=0
said=$("${c[@]}" dev 2>&1) || rc=$?
expect_eq "of two one has to be chosen" $rc 2
expect_match "... by its pid" "$said" "choose one by --pid: $id-both \(pid [0-9]+\), "
for name in one two; do
	pids=$(grep -o 'pid [0-9]*' <<<"$said" | cut -d ' ' -f 2)
	mine=$(pgrep -P "${pid[$name]}" -x pollux || echo "${pid[$name]}")
	expect_match "$name is one of them" "$pids" "(^|[[:space:]])$mine($|[[:space:]])"
	port=net_tap$([ $name = one ] && echo 0 || echo 1)
	expect_eq "$name is the one that is read" \
		"$("${c[@]}" --pid "$mine" dev --json | jq -r '.[0].ifname')" "$port"
	expect "$name is the one that is steered" "$POLLUX_CTL" --pid "$mine" \
		addr add 10.7.0.2/24 dev "$port"
done
expect_not "no such process" "${c[@]}" --pid 1 dev

stop_pollux -n one
expect_eq "the other one's files are still there" "$(cd "$dir" && echo *)" \
	"dpdk_telemetry.v2:1 pollux.sock:1"
expect_eq "it is found without a number now" "$("${c[@]}" dev --json | jq -r '.[0].ifname')" \
	net_tap1
expect "and steered" "${c[@]}" addr add 10.8.0.3/24 dev 0
eventually "it answers" ping -q -c 1 -W 1 10.8.0.3
stop_pollux -n two
expect_not "nothing is left" test -e "$dir"
