#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Huge pages are used where there are some, and nothing has to be said where there are none.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need_root
need ping jq
pages=/proc/sys/vm/nr_hugepages
had=$(cat $pages)
[ "$had" = 0 ] || skip "huge pages are reserved already: they may be in use"
mkdir "$tmp/huge"
give_back() { # exit-code
	echo "$had" >$pages
	umount "$tmp/huge" 2>/dev/null
	return "$1"
}
trap 'give_back $?; cleanup' EXIT

free_pages() {
	awk '/^HugePages_Free/ { print $2 }' /proc/meminfo
}

comes_up() { # name EAL-ARGUMENT...: without a word about memory, unless that is an argument
	local name=$1
	shift
	PLX_MEM='' start_pollux -n "$name" "$@" --vdev=net_tap0,iface=t0 -- \
		up --if 0,addr=10.9.0.2/24
	iface_up t0 10.9.0.1/24
	eventually "$name: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
}

without='MiB of huge pages are free, too few: EAL is told --no-huge'
netns k
comes_up none
expect_match "... and says why" "$(cat "${err[none]}")" "^pollux: 0 $without -m 512$"
stop_pollux -n none
comes_up some -m 96
expect_match "... and keeps to -m" "$(cat "${err[some]}")" "^pollux: 0 $without$"
stop_pollux -n some

echo 128 >$pages 2>/dev/null
if [ "$(cat $pages)" = 128 ] && mount -t hugetlbfs none "$tmp/huge" 2>/dev/null; then
	comes_up huge
	expect_ge "huge pages are used" $((128 - $(free_pages))) 1
	expect_eq "... in silence" "$(cat "${err[huge]}")" ""
	stop_pollux -n huge
	expect_eq "... and given back" "$(free_pages)" 128
	expect_eq "... without a file" "$(ls "$tmp/huge")" ""
	comes_up node --socket-mem=192
	expect_ge "memory of a node is used" $((128 - $(free_pages))) 96
	stop_pollux -n node
	expect_eq "... and given back" "$(free_pages)" 128
	comes_up memory --in-memory
	expect_eq "in memory: pollux-ctl finds it" \
		"$(ctl -n memory dev --json | jq -r '.[0].ifname')" net_tap0
	expect "in memory: and steers it" "$POLLUX_CTL" -f "${prefix[memory]}" \
		addr add 10.9.0.3/24 dev 0
	expect "in memory: the new address answers" ping -q -c 1 -W 1 10.9.0.3
	stop_pollux -n memory
	expect_eq "in memory: all is given back" "$(free_pages) $(ls "$tmp/huge")" "128 "
	comes_up more -m 1000
	expect_match "too few for -m" "$(cat "${err[more]}")" "^pollux: 256 $without$"
	stop_pollux -n more
	umount "$tmp/huge"
	comes_up unmounted
	expect_match "what is not mounted is none" "$(cat "${err[unmounted]}")" \
		"^pollux: 0 $without -m 512$"
	stop_pollux -n unmounted
else
	echo "no huge pages to be had here: those runs are left out"
fi
