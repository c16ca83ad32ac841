#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `pollux http` serves the kernel's clients: many files, a large one, ranges, both versions, what is
# wrong, requests in pieces and in heaps, many connections; on one lcore and on two.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     http 80, 8080
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need curl wrk nc jq python3 sha256sum
netns k
mib=100 conns=2000
[[ $PLX_BUILD != *[at]san* ]] || mib=10 conns=200
export PLX_MEM=512
root=$tmp/pages
mkdir -p "$root/many" "$root/sub"
head -c $((mib << 20)) /dev/urandom >"$root/large"
for i in {1..200}; do
	head -c $((i * i)) "$root/large" >"$root/many/$i"
done
seq 1000 >"$root/sub/index.html"
: >"$root/empty"
ln -s /etc/passwd "$root/link"
web=(--port "v=vtap,iface=t0" --if "v,addr=10.9.0.2/24,addr=fd00:9::2/64"
	--sysctl net.ipv6.conf.all.dad_transmits=0)

kernel_side() {
	run ip address add 10.9.0.1/24 dev t0
	run ip address add fd00:9::1/64 dev t0
	eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2
	eventually "by IPv6 too" ping -q -c 1 -W 1 fd00:9::2
}
url=http://10.9.0.2

get() { # argument-of-curl...
	run timeout $((3 * patience)) curl -sS "$@"
}

status() { # argument-of-curl...
	get -o /dev/null -w '%{http_code}' "$@"
}

raw() { # text: what comes back when all is sent at once
	# shellcheck disable=SC2059 # its escapes are wanted
	printf "$1" | run timeout $patience nc -N 10.9.0.2 80
}

start_pollux -- http "${web[@]}" --root "$root"
kernel_side
mkdir "$tmp/got"
expect "200 files come by one connection" timeout $((3 * patience)) \
	curl -sS -o "$tmp/got/#1" "$url/many/[1-200]"
expect "... and are the same" diff -r "$root/many" "$tmp/got"
expect_eq "$mib MiB come whole" "$(get "$url/large" | sha256sum)" "$(sha256sum <"$root/large")"
expect_eq "... by IPv6 too" "$(get "http://[fd00:9::2]/large" | sha256sum)" \
	"$(sha256sum <"$root/large")"
expect_eq "... and to a slow reader" "$(get "$url/large" | (sleep 0.5 && sha256sum))" \
	"$(sha256sum <"$root/large")"
expect_eq "a directory is its index.html" "$(get "$url/sub/" | tail -n 1)" 1000
expect_match "... which has a type" "$(get -I "$url/sub/index.html")" \
	"200 OK.*Content-Type: text/html.*Content-Length: 3893.*Date: [MTWFS].*GMT"
expect_eq "an empty file is one" "$(get -w '%{http_code}' "$url/empty")" 200

expect_eq "a range" "$(get -r 100-199 "$url/sub/" | od -c)" \
	"$(head -c 200 "$root/sub/index.html" | tail -c 100 | od -c)"
expect_eq "the last bytes" "$(get -r -7 "$url/sub/" | od -c)" \
	"$(tail -c 7 "$root/sub/index.html" | od -c)"
expect_eq "a file goes on where it broke off" "$(get -r 1000000- "$url/large" | sha256sum)" \
	"$(tail -c +1000001 "$root/large" | sha256sum)"
expect_match "a part says which" "$(get -D - -o /dev/null -r 5-9 "$url/sub/")" \
	"206 Partial.*Content-Range: bytes 5-9/3893.*Content-Length: 5"
expect_match "there is no such part" "$(get -D - -o /dev/null -r 4000- "$url/sub/")" \
	"416 Range.*Content-Range: bytes \*/3893"

expect_eq "no such file" "$(status "$url/none")" 404
expect_eq "a link is not followed" "$(status "$url/link")" 404
expect_eq "nor the way up" "$(status --path-as-is "$url/../../etc/passwd")" 404
expect_eq "... however it is written" "$(status --path-as-is "$url/%2e%2e/pages/empty")" 404
expect_match "POST is not allowed" "$(get -D - -o /dev/null -d x=y "$url/empty")" \
	"405 Method.*Allow: GET, HEAD"
expect_match "no host" "$(raw 'GET / HTTP/1.1\r\n\r\n')" "400 Bad Request.*Connection: close"
expect_match "no HTTP" "$(raw 'hello\r\n\r\n')" "400 Bad Request"
expect_match "a head that does not end" "$(printf 'GET / HTTP/1.1\r\nX: %09000d' 0 |
	run timeout $patience nc -N 10.9.0.2 80)" "431 Request"
expect_match "HTTP/1.0 ends with its answer" "$(get -0 -D - -o /dev/null "$url/empty")" \
	"200 OK.*Connection: close"
expect_eq "unless asked not to" "$(raw \
	'GET /empty HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /empty HTTP/1.0\r\n\r\n' |
	grep -c '^HTTP/1.1 200\|^Connection: keep-alive')" 3
one='GET /many/3 HTTP/1.1\r\nHost: h\r\n\r\n'
heap=
for _ in {1..500}; do
	heap+=$one
done
expect_eq "requests may come in heaps" "$(raw "$heap" |
	grep -ao 'HTTP/1.1 200' | wc -l)" 500
expect_eq "the last says so, and the rest is not read" "$(raw \
	"${one}GET /empty HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n$one" |
	grep -ao 'HTTP/1.1 200' | wc -l)" 2

cat >"$tmp/client.py" <<'END'
import socket, sys, time
host, conns = sys.argv[1], int(sys.argv[2])
want = open(sys.argv[3], "rb").read()
def connect():
    s = socket.create_connection((host, 80), 20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s
def answer(s):
    f = s.makefile("rb")
    assert f.readline() == b"HTTP/1.1 200 OK\r\n"
    while (line := f.readline()) != b"\r\n":
        if line.startswith(b"Content-Length:"):
            n = int(line.split()[1])
    assert f.read(n) == want
request = b"GET /sub/ HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
s = connect()
for turn in range(3): # byte by byte
    for b in request:
        s.send(bytes([b]))
        time.sleep(0.0005)
    answer(s)
many = [connect() for i in range(conns)]
for turn in range(2):
    for c in many:
        c.send(request)
    for c in many:
        answer(c)
for c in many[::2]: # they go without a word
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    c.close()
s.send(request)
answer(s)
END
expect "byte by byte, and $conns connections at once" timeout $((6 * patience)) \
	bash -c "ulimit -n 8192 && exec /usr/bin/python3 '$tmp/client.py' 10.9.0.2 $conns \
		'$root/sub/index.html'"
wrk_says=$(run timeout $((3 * patience)) wrk -t 1 -c 100 -d 1 "$url/many/10")
[[ $wrk_says != *"Socket errors"* && $wrk_says != *Non-2xx* ]] || fail "wrk: $wrk_says"
expect_ge "wrk gets answers" "$(awk '/requests in/ { print $1 }' <<<"$wrk_says")" 100
stop_pollux
expect_ge "all were counted" "$(json_field .connections)" $((conns + 100))
expect_ge "and what was wrong" "$(json_field .errors)" 9
expect_eq "no checksum was wrong" "$(json_field .snmp.TcpInErrs)" 0

# --- two lcores, any path, a port of its own ---

start_pollux -n two -l 0-1 -- http "${web[@]}" --listen 10.9.0.2:8080 --size 3000
kernel_side
expect_eq "any path has its bytes" "$(get "$url:8080/what/ever?x" | wc -c)" 3000
expect_not "by IPv6 nobody listens" timeout $patience nc -z fd00:9::2 8080
wrk_says=$(run timeout $((3 * patience)) wrk -t 1 -c 64 -d 1 "$url:8080/")
[[ $wrk_says != *"Socket errors"* && $wrk_says != *Non-2xx* ]] || fail "wrk: $wrk_says"
stop_pollux -n two
expect_ge "each lcore served some" "$(json_field -n two '.requests_by_lcore | min')" 1
expect_eq "nothing was wrong" "$(json_field -n two .errors)" 0
