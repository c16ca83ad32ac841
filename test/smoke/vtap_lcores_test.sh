#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A vtap of four queues, each served by an lcore of its own, by system calls and by io_uring: many
# flows of UDP and TCP, and each queue carries some of them both ways.
#
#	 kernel                       pollux, 4 lcores
#	10.9.0.1 --t0, 4 queues-- v: 10.9.0.2     fd00:9::1 --t0-- fd00:9::2     echo 7
. "$(dirname "$0")/lib.sh"

need jq python3
netns k
flows=test/smoke/flows.py

cat >"$tmp/streams.py" <<'END'
import os, selectors, socket, sys
address, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = os.urandom(size)
wait = selectors.DefaultSelector()
sent, got = {}, {}
for _ in range(count):
    s = socket.create_connection((address, 7), 30)
    s.setblocking(False)
    sent[s], got[s] = 0, b""
    wait.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
while sent:
    ready = wait.select(30)
    if not ready:
        sys.exit(f"{len(sent)} of {count} streams stand still")
    for key, events in ready:
        s = key.fileobj
        if events & selectors.EVENT_WRITE:
            sent[s] += s.send(data[sent[s]:])
            if sent[s] == size:
                s.shutdown(socket.SHUT_WR)
                wait.modify(s, selectors.EVENT_READ)
        if events & selectors.EVENT_READ:
            part = s.recv(1 << 18)
            got[s] += part
            if not part:
                if got[s] != data:
                    sys.exit(f"{len(got[s])} bytes came back, or other ones")
                wait.unregister(s)
                del sent[s]
                s.close()
END

# Packets of each queue one way, one number a line.
queues() { # rx|tx
	ctl -n "$name" dev -S v | sed -nE "s/^ *$1_queue_[0-9]+_packets: *([0-9]+)/\1/p"
}

for uring in 0 1; do
	name=uring$uring
	PLX_MEM=512 start_pollux -n $name --lcores '(0-3)@(0,1)' -- up \
		--port "v=vtap,iface=t0,queues=4,uring=$uring" --udp-echo 7 --tcp-echo 7 \
		--if "v,addr=10.9.0.2/24,addr=fd00:9::2/64"
	run ip address add 10.9.0.1/24 dev t0
	run ip address add fd00:9::1/64 dev t0 nodad
	run ip link set t0 txqueuelen 5000
	expect_eq "$name: the kernel has four queues" \
		"$(run sh -c 'ls -d /sys/class/net/t0/queues/tx-*' | wc -l)" 4
	for address in 10.9.0.2 fd00:9::2; do
		eventually_quietly ping -q -c 1 -W 1 $address
		expect "$name: 64 flows of UDP to $address" $flows $address 7 --flows 64 --count 10
		expect "$name: 32 streams of TCP" python3 "$tmp/streams.py" $address 32 100000
	done
	for way in rx tx; do
		mapfile -t pkts < <(queues $way)
		expect_eq "$name: four queues $way" ${#pkts[@]} 4
		for i in 0 1 2 3; do
			expect_ge "$name: queue $i has $way packets" "${pkts[i]}" 20
		done
	done
	stop_pollux -n $name
	expect_eq "$name: nothing was dropped for want of room" "$(json_field -n $name \
		'[.drops | keys[] | select(test("^TX_|MBUF|BACKLOG|CHECKSUM"))] | length')" 0
	expect_ge "$name: each lcore served datagrams" \
		"$(json_field -n $name '.udp_served_by_lcore | min')" 1
done
