#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ten thousand connections that are idle cost little memory and no time; then each is answered once,
# and all are gone again.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7
. "$(dirname "$0")/lib.sh"

need python3 jq
netns k
export PLX_MEM=512
n=10000
[[ $PLX_BUILD != *[at]san* ]] || n=1000
[ "$(ulimit -Hn)" -ge $((n + 100)) ] || skip "no more than $(ulimit -Hn) files"
start_pollux -- echo --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24 --sysctl net.core.somaxconn=1000
run ip address add 10.9.0.1/24 dev t0
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2

cat >"$tmp/client.py" <<'END2'
import os, select, socket, sys, time
n, tmp, patience = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def connect(): # is not waited for
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("10.9.0.2", 7))
    return s
conns = []
while len(conns) < n:
    some = [connect() for i in range(200)]
    for s in some:
        p = select.poll()
        p.register(s, select.POLLOUT)
        assert p.poll(1000 * patience)
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        s.settimeout(patience)
    conns += some
print("all are there", flush=True)
while not os.path.exists(tmp + "/go"):
    time.sleep(0.05)
for i, s in enumerate(conns):
    s.sendall(b"%d" % i)
for i, s in enumerate(conns):
    assert s.recv(10) == b"%d" % i
print("all have answered", flush=True)
END2
bytes() { # of memory that it has, of malloc()'s too
	echo $(($(awk '/^VmRSS/ { print $2 }' "/proc/${pid[pollux]}/status") * 1024))
}
ticks() { # of time that it has used
	awk '{ print $14 + $15 }' "/proc/${pid[pollux]}/stat"
}

before=$(bytes)
spawn client bash -c "ulimit -n $((n + 100)) &&
	exec /usr/bin/python3 '$tmp/client.py' $n '$tmp' $((2 * patience))"
eventually "$n connections are open" grep -q "all are there" "${out[client]}"
eventually_ctl "... and we know it" "TcpCurrEstab +$n " snmp TcpCurrEstab
each=$((($(bytes) - before) / n))
[[ $PLX_BUILD == *[at]san* ]] ||
	expect_eq "each takes less than 4 KiB" "$((each < 4096)) of $each" "1 of $each"
began=$(ticks)
sleep 2
[[ $PLX_BUILD == *[at]san* ]] ||
	expect_eq "their lcore rests" "$(($(ticks) - began < 40))" 1 # 20 % of the two seconds
touch "$tmp/go"
eventually "each is answered" grep -q "all have answered" "${out[client]}"
finish client
eventually_ctl "no connection is left" '^State[^'$'\n'']*$' ss -tn
stop_pollux
expect_eq "there were as many" "$(json_field .connections)" $n
expect_eq "all was echoed" "$(json_field '.bytes_received - .bytes_sent')" 0
