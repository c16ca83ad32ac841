#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# net_memif between two processes: each frame sent comes, and the stack behind it serves the kernel.
#
#	 kernel          pollux fwd                    pollux up
#	10.9.0.1 --t0-- net_tap0  net_memif0 --socket-- net_memif0 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq ethtool python3
netns k
export PLX_MEM=512
memif=net_memif0,socket=$tmp/memif.sock,socket-abstract=no

for _ in {1..5}; do
	rm -f "$tmp/memif.sock"
	start_pollux -n server -l 0 "--vdev=$memif,role=server" -- fwd --mode rxonly
	start_pollux -n client -l 1 "--vdev=$memif,role=client" -- fwd --mode txonly --for 2
	wait_pollux -n client
	end_left server
	if [ -z "$crashed" ]; then
		sent=$(json_field -n client .tx_packets)
		break
	fi
done
expect_ge "frames were sent" "${sent-0}" 1000
expect_ge "and came, but for a ring that the end of the sender may take along" \
	"$(json_field -n server .rx_packets)" $((sent - 1024))

# A peer that hangs: what waits for it is given up, not kept for ever, and goes on when it goes on.
start_pollux -n server -l 0 "--vdev=$memif,role=server" -- fwd --mode rxonly
start_pollux -n client -l 1 "--vdev=$memif,role=client" -- fwd --mode txonly
expect "a short watchdog" "$POLLUX_CTL" --file-prefix "${prefix[client]}" \
	sysctl net.pollux.tx_timeout_ms=300
eventually "the link is up, and frames go" bash -c \
	"tail -n 1 '${out[client]}' | jq -e '.tx_packets > 0' >/dev/null"
kill -STOP "${pid[server]}"
eventually_ctl "what waits for who hangs is dropped" 'TX_TIMEOUT +dev +[1-9]' -n client drops
eventually_ctl "again and again" 'tx_queue_0_tx_timeouts: [2-9]' -n client dev -S
kill -CONT "${pid[server]}"
stop_pollux -n client
end_left server
rm -f "$tmp/memif.sock"
expect_eq "and it was said once" "$(grep -c \
	'net_memif0: transmit queue 0 timed out: [1-9][0-9]* frames waited [0-9]* ms' \
	"${err[client]}")" 1

start_pollux -n fwd -l 0 --vdev=net_tap0,iface=t0 "--vdev=$memif,role=server" -- fwd --mode io
start_pollux -n stack -l 1 "--vdev=$memif,role=client" -- up \
	--if "0,addr=10.9.0.2/24,addr=fd00:9::2/64" --udp-echo 7
iface_up t0 10.9.0.1/24 fd00:9::1/64
run ip link set t0 txqueuelen 5000
kernel_talks memif
stop_pollux -n stack
end_left fwd
expect_eq "all datagrams were served" "$(json_field -n stack .udp_served)" 128
