#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Names: what `resolve` finds is what the C library finds with the same files and the same server
# (dnsmasq), by UDP and by TCP, and it fails as the C library does.
#
#	 kernel: dnsmasq       pollux resolve, in a namespace of its own
#	10.9.0.1 --v0  v1-- 10.9.0.2      2001:db8:9::1 --v0  v1-- 2001:db8:9::2
. "$(dirname "$0")/lib.sh"

need jq dnsmasq getent unshare ethtool
netns p
netns k
veth v0 p v1
use p
iface_up v1
use k
iface_up v0 10.9.0.1/24 2001:db8:9::1/64

cat >"$tmp/hosts" <<-END
	127.0.0.1 localhost
	10.9.0.9 filed.example alias-of-filed # a comment
	2001:db8:9::9 filed.example
END
for i in {1..60}; do echo "10.8.0.$i many.example"; done >"$tmp/many"
spawn dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
	--user=root --pid-file= --log-facility=- --bind-interfaces --interface=v0 \
	--local=/example/ --local=/9.10.in-addr.arpa/ --addn-hosts="$tmp/many" \
	--host-record=www.example,10.9.0.1,2001:db8:9::1 --host-record=v4.example,10.9.0.7 \
	--host-record=v6.example,2001:db8:9::7 --cname=alias.example,www.example \
	--host-record=mixed.sub.example,10.9.0.3,172.16.0.1,2001:db8:9::3
{
	echo "nameserver 10.9.0.1"
	echo "search example"
	echo "options timeout:1 attempts:2"
} >"$tmp/resolv.conf"
eventually_quietly test -s "${err[dnsmasq]}"

resolve() { # argument...: what it prints; its words on stderr go to $tmp/err
	use p
	run "$POLLUX" --no-pci --no-huge -m 128 -l 0 --file-prefix "$id-r" \
		--vdev=net_af_packet0,iface=v1 -- resolve --hosts "$tmp/hosts" \
		--if 0,addr=10.9.0.2/24,addr=2001:db8:9::2/64 \
		--sysctl net.ipv6.conf.all.dad_transmits=0 \
		--resolv-conf "${conf:-$tmp/resolv.conf}" "$@" 2>"$tmp/err"
	local rc=$?
	use k
	return $rc
}
prefix[r]=$id-r

# The C library, in the server's namespace, by the same files.
libc() { # database key
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare -m sh -c 'mount --bind "$1/resolv.conf" /etc/resolv.conf &&
		mount --bind "$1/hosts" /etc/hosts && getent "$2" "$3"' sh "$tmp" "$1" "$2"
}

for name in www.example alias.example filed.example alias-of-filed 10.9.0.77 mixed.sub.example; do
	expect_eq "$name: as getent ahosts" "$(resolve "$name")" "$(libc ahosts "$name")"
done
expect_eq "by the search list" "$(resolve v4 A)" "v4.example has address 10.9.0.7"
expect_eq "AAAA" "$(resolve v6.example. AAAA)" "v6.example has IPv6 address 2001:db8:9::7"
expect_eq "a CNAME" "$(resolve alias.example A)" "alias.example is an alias for www.example.
www.example has address 10.9.0.1"
expect_eq "the name of an address" "$(resolve 10.9.0.7 PTR)" \
	"7.0.9.10.in-addr.arpa domain name pointer v4.example."
expect_match "of one of IPv6" "$(resolve 2001:db8:9::7 PTR)" \
	"^7\.0\..*\.1\.0\.0\.2\.ip6\.arpa domain name pointer v6\.example\.$"
expect_eq "by the hosts file" "$(resolve 10.9.0.9 PTR)" \
	"9.0.9.10.in-addr.arpa domain name pointer filed.example."

resolve many.example A --json >"$tmp/many.json" || fail "many.example is not found"
expect_eq "an answer of 60 addresses" \
	"$(tail -n 1 "$tmp/many.json" | jq -r '.found[]' | sort -V | paste -sd ' ')" \
	"$(echo 10.8.0.{1..60})"
expect_ge "came by TCP" "$(tail -n 1 "$tmp/many.json" | jq .snmp.TcpActiveOpens)" 1
expect_eq "and the account closes" "$(tail -n 1 "$tmp/many.json" | jq "$balance, .mbufs_leaked" |
	paste -sd ' ')" "0 0"

# Each fails with 1, without a word on stdout.
refuses() { # what words argument...
	local what=$1 words=$2 said
	shift 2
	said=$(resolve "$@") && fail "$what: it succeeded: $said"
	expect_eq "$what: nothing on stdout" "$said" ""
	expect_eq "$what: says so" "$(grep -c "resolve: $1: $words" "$tmp/err")" 1
}
refuses "no such name" "Name or service not known" nosuch.example
refuses "no such type" "No address associated with hostname" v4.example AAAA
expect_eq "nobody listens there: the next server" "$(resolve --nameserver 10.9.0.1:54 \
	--nameserver '[2001:db8:9::1]:53' www.example A)" "www.example has address 10.9.0.1"
printf 'options timeout:1 attempts:1\nnameserver 10.9.0.99\n' >"$tmp/dead.conf"
conf=$tmp/dead.conf refuses "a server that is not there" "Temporary failure in name resolution" \
	www.example
