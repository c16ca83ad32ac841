#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Started and stopped again and again, also under load and with huge pages: each run ends well and
# leaves nothing behind.
#
#	 kernel          pollux, two lcores
#	10.9.0.1 --t0-- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
flows=test/smoke/flows.py
up=(up --if "0,addr=10.9.0.2/24" --udp-echo 7)

quick() { # name
	start_pollux -n "$1" -l 0-1 --vdev=net_tap0,iface=t0 -- "${up[@]}"
	stop_pollux -n "$1" >/dev/null
	[ ! -e "/var/run/dpdk/$id-$1" ] || fail "run $1 left its directory"
	run test ! -e /sys/class/net/t0 || fail "run $1 left its interface"
}

for ((i = 0; i < (PLX_LONG ? 20 : 5); i++)); do
	quick "quick$i"
done
ok "$i quick runs began and ended well"

for signal in INT TERM; do
	start_pollux -n "load$signal" -l 0-1 --vdev=net_tap0,iface=t0 -- "${up[@]}"
	iface_up t0 10.9.0.1/24
	eventually "SIG$signal: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
	spawn "flood$signal" $flows 10.9.0.2 7 --flows 100 --count 100000 --size 64,3000
	eventually "SIG$signal: under load" bash -c \
		"tail -n 1 '${out[load$signal]}' | jq -e '.udp_served > 100' >/dev/null"
	stop_pollux -n "load$signal" "$signal"
	kill "${pid[flood$signal]}" 2>/dev/null
	wait "${pid[flood$signal]}" 2>/dev/null
	unset "pid[flood$signal]"
done

# With huge pages where the kernel has some to give; what there was before is put back.
pages=/proc/sys/vm/nr_hugepages
had=$(cat $pages)
[ "$had" != 0 ] || echo 128 2>/dev/null >$pages
if [ "$(cat $pages)" -ge 128 ]; then
	mkdir "$tmp/huge"
	mount -t hugetlbfs none "$tmp/huge" || fail "huge pages, and hugetlbfs is not mounted"
	start_pollux -n huge -m 200 --huge-dir "$tmp/huge" --vdev=net_tap0,iface=t0 -- "${up[@]}"
	iface_up t0 10.9.0.1/24
	eventually "huge pages: a ping is answered" ping -q -c 1 -W 1 10.9.0.2
	expect "huge pages: UDP is echoed" $flows 10.9.0.2 7 --flows 16 --count 10
	stop_pollux -n huge
	umount "$tmp/huge" || fail "hugetlbfs is still in use"
else
	echo "no huge pages here: that run is left out"
fi
[ "$had" != 0 ] || echo 0 >$pages
