#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Frames of a private EtherType between the kernel's packet sockets and Pollux's.
#
#	 kernel            frame_echo
#	   t0 -----vtap----- v
. "$(dirname "$0")/lib.sh"

need python3
netns k
name=frame_echo
for lcores in 0 "(0-1)@0"; do
	prefix[$name]=$id-$name
	spawn $name "$PLX_BUILD/examples/frame_echo" --no-pci --no-huge -m 128 "--lcores=$lcores" \
		"--file-prefix=${prefix[$name]}" "${eal_more[@]}" -- v=vtap,iface=t0
	eventually "it is ready on lcores $lcores" grep -qx ready "${out[$name]}"
	run sysctl -qw net.ipv6.conf.t0.disable_ipv6=1 # nothing but what is about to be sent
	run ip link set t0 up
	kernel=$(run cat /sys/class/net/t0/address)
	us=$(port_mac_of "$kernel")
	expect "whom all are asked for, we answer, and what is for us" \
		python3 test/smoke/packet.py t0 "$us"
	kill -INT "${pid[$name]}"
	finish $name
	expect_eq "it ended well: nothing leaked, accounting closed" $status 0
	expect_match "each was answered once, and another type was not ours" \
		"$(tail -n 1 "${out[$name]}")" "^303 echoes; unhandled frames: 1; leaked 0$"
done
