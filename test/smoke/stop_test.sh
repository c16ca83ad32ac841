#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A signal under load: the run stops, drains, counts every packet, gives every buffer back, removes
# what it made.
. "$(dirname "$0")/lib.sh"

need jq
two=(--vdev=net_null0 --vdev=net_null1)

for signal in INT TERM; do
	for mode in io rxonly txonly; do
		start_pollux "${two[@]}" -- fwd --mode $mode
		sleep 0.2
		stop_pollux $signal
		expect_not "$mode, SIG$signal: EAL's files are gone" \
			test -e "/var/run/dpdk/$id-pollux"
	done
done

# At once: the signal may come before the first packet.
for _ in 1 2 3; do
	start_pollux "${two[@]}" -- fwd
	stop_pollux
done
expect_ge "stopped at once" "$(json_field '.rx_packets + 1')" 1

# Before it is ready: it ends as well.
prefix[early]=$id-early
spawn early "$POLLUX" --no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-early" "${two[@]}" -- fwd
kill -INT "${pid[early]}"
finish early
[ "$status" = 0 ] || [ "$status" = 130 ] || fail "stopped early: exit code $status"
ok "stopped before it was ready"
expect_not "its files are gone" test -e "/var/run/dpdk/$id-early"

# Lcores that hand packets over to one another, and a full ring that refuses.
PLX_MEM=384 start_pollux --lcores '(0-2)@(0,1)' "${two[@]}" --vdev=net_ring0 -- \
	fwd --queues 1 --topology chain
sleep 0.5
stop_pollux TERM
expect_eq "nothing is held at the end" "$(json_field .held)" 0

if [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then
	netns k
	start_pollux --vdev=net_tap0,iface=t0 --vdev=net_tap1,iface=t1 -- fwd --mode txonly
	iface_up t0
	sleep 0.3
	stop_pollux
	expect_eq "generated packets went out" "$(json_field '.tx_packets > 1000')" true
	expect_not "the tap is gone" ip link show t0
fi
