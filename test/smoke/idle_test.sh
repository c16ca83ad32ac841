#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What an idle lcore costs, policy by policy; asleep it is woken by what comes, and soon.
#
#	 kernel          pollux
#	10.9.0.1 --t0-- 10.9.0.2      on af_packet: 10.9.0.1 --v0-- v1 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
up=(up --if "0,addr=10.9.0.2/24" --udp-echo 7)

# CPU time of process $1 over $2 seconds, in thousandths of a core.
permille() { # name seconds
	python3 - "${pid[$1]}" "$2" <<-'END'
		import os, sys, time
		def ticks():
		    with open(f"/proc/{sys.argv[1]}/stat") as f:
		        return sum(int(x) for x in f.read().rpartition(")")[2].split()[11:13])
		begin, at = ticks(), time.monotonic()
		time.sleep(float(sys.argv[2]))
		spent = (ticks() - begin) / os.sysconf("SC_CLK_TCK")
		print(round(1000 * spent / (time.monotonic() - at)))
	END
}

# The median of 30 echoes, each of which finds the lcore asleep, in microseconds.
echo_time() { # address
	run python3 - "$1" <<-'END'
		import socket, sys, time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect((sys.argv[1], 7))
		s.settimeout(3)
		times = []
		for _ in range(30):
		    time.sleep(0.03)
		    at = time.monotonic()
		    s.send(b"wake")
		    s.recv(16)
		    times.append(time.monotonic() - at)
		print(round(sorted(times)[15] * 1e6))
	END
}

# The lcore's time in a state, in thousandths of all.
share() { # name state
	ctl -n "$1" idle --json |
		jq ".[0] | 1000 * .$2_ns / ([.busy_ns, .spin_ns, .pause_ns, .sleep_ns,
			.backoff_ns] | add) | floor"
}

tap() { # name: kernel's side of net_tap
	iface_up t0 10.9.0.1/24
	# Silence: no router solicitations, no multicast reports of the kernel's.
	run sysctl -qw net.ipv6.conf.t0.disable_ipv6=1
	eventually "it answers" ping -q -c 1 -W 1 10.9.0.2
}

start_pollux -n sleep --vdev=net_tap0,iface=t0 -- "${up[@]}"
tap
sleep 1
cpu=$(permille sleep $((PLX_LONG ? 5 : 3)))
echo "sleep: $cpu thousandths of a core"
expect_ge "asleep it takes less than 2 % of a core" 19 "$cpu"
expect_ge "and says that it sleeps" "$(share sleep sleep)" 900
us=$(echo_time 10.9.0.2)
echo "sleep: an echo takes $us us"
expect_ge "a packet wakes it at once, not at the end of its 10 ms" 3000 "$us"
expect_ge "each wake-up is in the histogram" \
	"$(ctl -n sleep idle --json | jq '.[0].latency | add')" 30
stop_pollux -n sleep

start_pollux -n pause --vdev=net_tap0,iface=t0 -- "${up[@]}" --idle pause
tap
expect_ge "with --idle pause it keeps the CPU" "$(permille pause 1)" 200
expect_ge "and pauses" "$(share pause pause)" 500
stop_pollux -n pause

start_pollux -n poll --vdev=net_tap0,iface=t0 -- "${up[@]}" --idle poll
tap
expect_ge "with --idle poll too" "$(permille poll 1)" 200
expect_ge "and spins" "$(share poll spin)" 900
stop_pollux -n poll

# --- a driver without interrupts: a bounded back-off ---

netns p
use k
veth v0 p v1
iface_up v0 10.9.0.1/24
run sysctl -qw net.ipv6.conf.v0.disable_ipv6=1
use p
iface_up v1
start_pollux -n packet --vdev=net_af_packet0,iface=v1 -- "${up[@]}"
use k
eventually "af_packet: it answers" ping -q -c 1 -W 1 10.9.0.2
cpu=$(permille packet 2)
echo "af_packet: $cpu thousandths of a core"
expect_ge "it takes less than 10 % of a core" 99 "$cpu"
expect_ge "and says that it backs off" "$(share packet backoff)" 800
us=$(echo_time 10.9.0.2)
echo "af_packet: an echo takes $us us"
expect_ge "a packet waits for at most the longest back-off" 5000 "$us"
stop_pollux -n packet
