#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux ports` says what a run would do and opens nothing; help and version need no EAL at all.
. "$(dirname "$0")/lib.sh"

need jq
prefix[ports]=$id-ports
eal=(--no-pci --no-huge -m 64 "--file-prefix=$id-ports")

expect_match "the version names git and DPDK" "$("$POLLUX" --version)" \
	"^pollux [0-9.]+ \(git .*\).DPDK [0-9.]+, built against [0-9.]+.ABI [0-9]+$"
expect_match "help lists the commands" "$("$POLLUX" --help)" "fwd .*ports "
expect_eq "it is the same behind --" "$("$POLLUX" -- --help)" "$("$POLLUX" --help)"
expect_match "a command's help has examples" "$("$POLLUX" -- ports --help)" "Examples:"
expect_eq "and lists the drivers of --port" "$("$POLLUX" -- ports --help |
	sed -nE '/^Drivers/,$s/^  ([a-z]+) .*/\1/p' | sort | xargs)" "impair loop pipe vtap vtun"
expect_match "EAL's help is EAL's" "$("$POLLUX" --eal-help 2>/dev/null)" "EAL common options"
for command in $("$POLLUX" --help | sed -n 's/^  \([a-z]\+\) .*/\1/p'); do
	expect_match "$command --help" "$("$POLLUX" -- "$command" --help)" \
		"^usage: pollux .*$command"
done

ports() { # argument...
	"$POLLUX" "$@" 2>"$tmp/err"
}
field() { # number filter
	sed -n "$(($1 + 1))p" "$tmp/list" | jq -r "$2"
}

ports "${eal[@]}" --lcores '(0-2)@0' --vdev=net_null0 "--vdev=net_pcap0,tx_pcap=$tmp/out" \
	-- ports --port l=loop --port 'p=pipe,peer=q' --json >"$tmp/list" ||
	fail "ports: $(cat "$tmp/err")"
expect_eq "nothing is said on stderr" "$(cat "$tmp/err")" ""
expect_eq "EAL's ports come first, then ours" "$(jq -r .name "$tmp/list" | xargs)" \
	"net_null0 net_pcap0 l p q"
expect_eq "in their order" "$(jq -r .port "$tmp/list" | xargs)" "0 1 2 3 4"
expect_eq "drivers" "$(jq -r .driver "$tmp/list" | xargs)" "net_null net_pcap loop pipe pipe"
expect_eq "as many queues as lcores" "$(field 0 '"\(.queues) \(.lcores)"')" "3 0,1,2"
expect_eq "or as many as there are" "$(field 1 '"\(.queues)/\(.max_queues) \(.lcores)"')" "1/1 0"
expect_match "features by ethtool's names" "$(field 0 '.features | join(" ")')" \
	"tx-scatter-gather"
expect_match "quirks in force" "$(field 0 '.quirks | join(" ")')" "accepts a key and a table"
expect_eq "a capture file takes frames of any length" "$(field 1 '.quirks | join(" ")' |
	grep -c MTU)" 0
expect_match "who steers" "$(field 0 .software_steering)" "ignores RSS"
expect_eq "nothing is opened: links are unknown" "$(jq -r .link "$tmp/list" | sort -u)" unknown
expect_match "MAC" "$(field 0 .mac)" "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"

ports "${eal[@]}" -l 0 --vdev=net_null0 -- ports --queues 4 --json >"$tmp/list"
expect_eq "queues as asked" "$(field 0 '"\(.queues) \(.lcores)"')" "4 0,0,0,0"
expect_match "a table for people" "$(ports "${eal[@]}" -l 0 --vdev=net_null0 -- ports)" \
	"^port name .*lcores.0 +net_null0 +net_null .*features: .*quirk: "

if [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then
	netns k
	run "$POLLUX" "${eal[@]}" -l 0 --vdev=net_tap0,iface=t0 -- ports --json >"$tmp/list" \
		2>"$tmp/err"
	expect_match "a tap's quirks" "$(field 0 '.quirks | join(" ")')" "more than 4 queues"
	expect_eq "limit its queues" "$(field 0 .max_queues)" 4
	expect_eq "nothing is said on stderr" "$(cat "$tmp/err")" ""
fi
expect_not "EAL's files are gone" test -e "/var/run/dpdk/$id-ports"
