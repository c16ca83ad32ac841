#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A million connections, one after another, from one engine to another, each with an echo: all end
# well, and neither engine keeps anything of them.
#
#	client          pollux
#	10.9.0.1 --memif-- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq
export PLX_MEM=512
memif=net_memif0,socket=$tmp/memif.sock,socket-abstract=no
million=1000000
[[ $PLX_BUILD != *[at]san* ]] || million=20000

start_pollux -l 0 "--vdev=$memif,role=server" -- up --if 0,addr=10.9.0.2/24 \
	--tcp-echo 7 --tcp-echo 8 --tcp-echo 9 --tcp-echo 10

connections() { # how many
	RUNTIME_DIRECTORY=$tmp "$PLX_BUILD/test/bench/bench_tcp_churn" --no-huge --no-pci \
		--no-shconf -m 512 --file-prefix "$id-client" -l 1 "--vdev=$memif,role=client" -- \
		10.9.0.1/24 10.9.0.2 7 4 "$1" 500 2>"$tmp/churn.err"
}
memory() { # what the server has in use, KiB
	awk '/^VmRSS/ {print $2}' "/proc/${pid[pollux]}/status"
}
all_ended() { # what the client said, how many
	expect_eq "$2 connections ended well, nothing is missing" \
		"$(jq -c '[.ended, .failed, .wrong, .mbufs_leaked]' <<<"$1")" "[$2,0,0,0]"
}

first=$((million / 10))
all_ended "$(connections $first)" $first
before=$(memory)
said=$(connections $million)
all_ended "$said" $million
echo "# $(jq .per_second <<<"$said") a second; the server has $before KiB, then $(memory) KiB"
# the sanitizers keep what was freed for a while, and look for leaks themselves
[[ $PLX_BUILD == *[at]san* ]] ||
	expect_ge "the server keeps nothing of them" $((before + 2048)) "$(memory)"
expect_eq "it knows none but its listeners" "$(ctl tcp | grep -cv '^LISTEN\|^State')" 0
expect_ge "they were as many as that" "$(ctl snmp TcpPassiveOpens |
	awk '/TcpPassiveOpens/ {print $2}')" $((first + million))
stop_pollux
expect_eq "a driver that counted from 0 again made no rate absurd" \
	"$(jq -s 'map((.rx_gbps // 0) > 1e4) | any' "${out[pollux]}")" false
