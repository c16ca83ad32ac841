#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux echo`, `discard` and `chargen` serve the kernel's clients by TCP and UDP, by sockets; each
# on two lcores.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2, 10.9.0.3
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need nc jq python3 sha256sum
netns k
export PLX_MEM=256
stack=(--port "v=vtap,iface=t0" --if "v,addr=10.9.0.2/24,addr=10.9.0.3/24,addr=fd00:9::2/64"
	--sysctl net.ipv6.conf.all.dad_transmits=0)
mib=10
[[ $PLX_BUILD != *[at]san* ]] || mib=2
head -c $((mib << 20)) /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")

kernel_side() {
	run ip address add 10.9.0.1/24 dev t0
	run ip address add fd00:9::1/64 dev t0
	eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
	eventually "by IPv6 too" ping -q -c 1 -W 1 fd00:9::2
}

back() { # address port command...: what comes back, when the file is sent
	local address=$1 port=$2
	shift 2
	run timeout $((3 * patience)) nc -N "$address" "$port" <"$tmp/data" | "$@"
}

start_pollux -n echo -l 0-1 -- echo "${stack[@]}" --listen 7777
kernel_side
expect_eq "$mib MiB come back" "$(back 10.9.0.2 7777 sha256sum)" "$sum"
expect_eq "$mib MiB come back, IPv6" "$(back fd00:9::2 7777 sha256sum)" "$sum"
expect_eq "... to one who reads late" \
	"$(back 10.9.0.3 7777 bash -c 'sleep 0.5; sha256sum')" "$sum"
expect_eq "a datagram comes back" "$(udp_ask 10.9.0.2 7777 hello)" hello
expect "datagrams of any size, from the address that was asked" test/smoke/flows.py 10.9.0.3 7777 \
	--flows 4 --count 16 --size 0,1,1472,1473,9000
expect "of IPv6 too" test/smoke/flows.py fd00:9::2 7777 --flows 4 --count 16 --size 0,1,1453,8952
expect "who could answer is not answered" /usr/bin/python3 - 10.9.0.2 7777 <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", 19))
s.settimeout(0.3)
s.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
try:
    s.recv(10)
    sys.exit("it was")
except TimeoutError:
    pass
END
stop_pollux -n echo
expect_eq "all was counted" "$(json_field -n echo '.bytes_received - .bytes_sent')" 1
expect_eq "three connections" "$(json_field -n echo .connections)" 3
expect_eq "129 datagrams and a forbidden one" "$(json_field -n echo '.datagrams, .ignored' |
	tr '\n' ' ')" "130 1 "

start_pollux -n discard -- discard "${stack[@]}"
kernel_side
expect "$mib MiB go" timeout $((3 * patience)) bash -c "nc -N 10.9.0.2 9 <'$tmp/data'"
expect_eq "nothing comes" "$(udp_ask fd00:9::2 9 hello)" ""
eventually "all of it is counted" bash -c \
	"tail -n 1 '${out[discard]}' | jq -e '.bytes_received == $(((mib << 20) + 5))' >/dev/null"
stop_pollux -n discard
expect_eq "nothing was sent" "$(json_field -n discard .bytes_sent)" 0

start_pollux -n chargen -- chargen "${stack[@]}" --listen 10.9.0.2:1900
kernel_side
expect "lines of RFC 864 come, each begins one later" timeout $((3 * patience)) \
	/usr/bin/python3 - <<'END'
import socket
s = socket.create_connection(("10.9.0.2", 1900), 10)
chars = bytes(range(32, 127)) * 3
got = b""
while len(got) < 1000000:
    got += s.recv(65536)
for i, line in enumerate(got.split(b"\r\n")[:-1]):
    assert line == chars[i % 95:i % 95 + 72], (i, line)
s.sendall(b"x" * 100000) # which is thrown away
while len(got) < 3000000:
    got += s.recv(65536)
END
expect_eq "a datagram is answered by no more" "$(udp_ask 10.9.0.2 1900 12345)" " !\"#\$"
expect_not "by IPv6 nobody listens" timeout $patience nc -z fd00:9::2 1900
stop_pollux -n chargen
expect_ge "what was thrown away is counted" "$(json_field -n chargen .bytes_received)" 100005

rc=0
run timeout $patience "$POLLUX" --no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-away" -- echo \
	--port l=loop --if l,addr=10.9.0.2/24 --listen 10.9.9.9:7 >/dev/null 2>"$tmp/away" || rc=$?
expect_eq "an address that is not ours ends it" $rc 1
expect_match "... and is told" "$(cat "$tmp/away")" "a program's sockets: Cannot assign requested"
