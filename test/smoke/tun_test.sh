#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A port without Ethernet: ping, fragments and UDP by bare IP packets, on one lcore and on two.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- 10.9.0.2      fd00:9::1 --t0-- fd00:9::2
. "$(dirname "$0")/lib.sh"

need jq ethtool
netns k

talk() { # flows
	iface_up t0 10.9.0.1/24 fd00:9::1/64
	run ip link set t0 txqueuelen 5000 # no loss by a queue shorter than what is sent at once
	expect "a ping is answered" ping -c 3 -i 0.1 -W 2 10.9.0.2
	expect "a ping6 is answered" ping -c 3 -i 0.1 -W 2 fd00:9::2
	expect "44 fragments each way are put together" ping -c 2 -i 0.1 -W 2 -s 65000 10.9.0.2
	expect "of IPv6 too" ping -c 2 -i 0.1 -W 2 -s 65000 fd00:9::2
	expect "UDP of each size comes back" test/smoke/flows.py 10.9.0.2 7 \
		--flows "$1" --count 8 --size 0,1,1472,1473,9000,40000,65507,64
	expect "by IPv6 too" test/smoke/flows.py fd00:9::2 7 \
		--flows "$1" --count 8 --size 0,1,1452,1453,9000,40000,65507,64
	expect "a closed port says so" test/smoke/flows.py 10.9.0.2 8 --refused
	expect "by IPv6 too" test/smoke/flows.py fd00:9::2 8 --refused
}

up=(up --if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7)

start_pollux --vdev=net_tun0,iface=t0 -- "${up[@]}"
expect_match "the interface has no Ethernet" "$(run ip link show t0)" "POINTOPOINT.*link/none"
talk 4
stop_pollux
expect_eq "nothing was dropped but what has no port" \
	"$(json_field '.drops | del(.UDP_NO_PORT) | length')" 0
expect_eq "all 64 datagrams were served" "$(json_field .udp_served)" 64

start_pollux -n two -l 0-1 --vdev=net_tun0,iface=t0 -- "${up[@]}"
talk 16
stop_pollux -n two
expect_eq "all 256 datagrams were served by two lcores" "$(json_field -n two .udp_served)" 256

expect_refused "it has no VLANs" 2 "without Ethernet" --no-pci --no-huge -m 64 -l 0 \
	--file-prefix="$id-vlan" --vdev=net_tun0,iface=t0 -- up --if 0,vlan=5,addr=10.9.0.2/24
