#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `load` and `proxy` talk to hosts by name: by the hosts file, and by a name server (dnsmasq) that
# is asked through the stack. A name that is not there ends the run with the reason.
#
#	 kernel: dnsmasq, a server     pollux, in a namespace of its own
#	10.9.0.1 --v0            v1-- 10.9.0.2
. "$(dirname "$0")/lib.sh"

need jq dnsmasq python3 ethtool
netns p
netns k
veth v0 p v1
use p
iface_up v1
use k
iface_up v0 10.9.0.1/24
spawn dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
	--user=root --pid-file= --log-facility=- --bind-interfaces --interface=v0 \
	--local=/example/ --host-record=www.example,10.9.0.1
echo "10.9.0.1 filed.example" >"$tmp/hosts"

# A server that answers who was asked for.
cat >"$tmp/serve.py" <<'END'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        print(self.headers["Host"])
    def log_message(self, *args):
        pass
print("up", flush=True)
http.server.ThreadingHTTPServer(("10.9.0.1", 8000), Handler).serve_forever()
END
spawn serve /usr/bin/python3 -u "$tmp/serve.py"
eventually_quietly grep -q up "${out[serve]}"
eventually_quietly test -s "${err[dnsmasq]}"

use p
ours=("--vdev=net_af_packet0,iface=v1")
files=(--if "0,addr=10.9.0.2/24" --hosts "$tmp/hosts" --resolv-conf "$tmp/none")
names=("${files[@]}" --nameserver 10.9.0.1)

start_pollux -n dns "${ours[@]}" -- load "${names[@]}" --http www.example:8000 --for 1
wait_pollux -n dns
expect_ge "a name that a server knows" "$(json_field -n dns .answers)" 1
expect_ge "the server is told the name" "$(grep -cx www.example:8000 "${out[serve]}")" 1
start_pollux -n filed "${ours[@]}" -- load "${names[@]}" --http filed.example:8000 --for 1 \
	--src 10.9.0.3
wait_pollux -n filed
expect_ge "one of the hosts file" "$(json_field -n filed .answers)" 1
expect_eq "for which no server is asked" "$(json_field -n filed .snmp.UdpOutDatagrams)" 0

cat >"$tmp/host.ini" <<-END
	[if 0]
	addr = 10.9.0.2/24
	[resolver]
	nameserver = 10.9.0.1
	search = example
	hosts = $tmp/hosts
	resolv-conf = $tmp/none
END
expect_eq "the file is checked" "$("$POLLUX" -- config check "$tmp/host.ini")" \
	"$tmp/host.ini: 1 interfaces, 0 routes, 0 services, 0 tunables, 1 name servers"
start_pollux -n ini "${ours[@]}" -- load --config "$tmp/host.ini" --http www:8000 --for 1
wait_pollux -n ini
expect_ge "[resolver] of a file says whom to ask" "$(json_field -n ini .answers)" 1
start_pollux -n over "${ours[@]}" -- load --config "$tmp/host.ini" --nameserver 10.9.0.1:54 \
	--http filed.example:8000 --for 1
wait_pollux -n over
expect_ge "an option stands in place of one key, not of others" \
	"$(json_field -n over .answers)" 1

refused() { # what reason argument...: that it is `ready` may be said before the answer has come
	local what=$1 reason=$2 rc=0
	shift 2
	run timeout -k 5 $((2 * patience)) "$POLLUX" --no-pci --no-huge -m 128 -l 0 \
		--file-prefix "$id-refused" "${ours[@]}" -- "$@" >/dev/null 2>"$tmp/err" || rc=$?
	expect_eq "$what ends the run" $rc 1
	expect_match "... which says so" "$(cat "$tmp/err")" "^pollux: $reason"
}
prefix[refused]=$id-refused
refused "a name that is not there" "nosuch.example: Name or service not known" \
	load "${names[@]}" --tcp-rr nosuch.example:7 --for 5
refused "no address of this family" "www.example: No address associated" \
	load "${names[@]}" --tcp-rr www.example:7 --src fd00:9::2 --for 5
refused "a server that is not there" "www.example: Temporary failure" \
	proxy "${files[@]}" --nameserver 10.9.0.1:54 --listen 80 --to www.example:80

start_pollux "${ours[@]}" -- proxy "${names[@]}" --listen 8080 --to www.example:8000
use k
eventually "through a proxy to a name" /usr/bin/python3 -c '
import urllib.request
assert urllib.request.urlopen("http://10.9.0.2:8080/", timeout=5).status == 200'
stop_pollux
expect_ge "a connection was passed on" "$(json_field '.connections - .failed')" 1
