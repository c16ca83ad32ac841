#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The README's first command works, for root and for anybody else, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"

need_root
need unshare setpriv
mkdir -m 777 "$tmp/demo"
chmod 755 "$tmp"
export TMPDIR=$tmp/demo
patience=30

expect "the demo works" ./scripts/demo
shown=$(cat "$tmp/expect")
expect_match "it shows the clients" "$shown" "3 received, 0% packet loss"
expect_match "and an echo" "$shown" "nc -u fd00:9::2 7"$'\n'"hello"
expect_match "and TCP" "$shown" "nc -N fd00:9::2 7 "[^$'\n']*$'\n'"the same MiB came back"
expect_match "and a drop as it happens" "$shown" " > 10.9.0.2:9 udp len 6 drop UDP_NO_PORT"
expect_match "and sockets" "$shown" \
	"HTTP/1.1 200 OK.*ESTAB .*10.8.0.2:80 .*"$'\n'"in [0-9.]+ s: [1-9]"
expect_match "and the way on" "$shown" "Where to go next"

flags=(--net --map-current-user --keep-caps)
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if "${nobody[@]}" unshare "${flags[@]}" true 2>/dev/null && "${nobody[@]}" test -x "$POLLUX"; then
	# From where the build is done: nobody may not write to this tree.
	expect "it works without root" "${nobody[@]}" env PLX_DEMO_INSIDE="${flags[*]}" \
		unshare "${flags[@]}" ./scripts/demo
fi

spawn keep ./scripts/demo --keep
eventually "--keep leaves it running" grep -q "until you press Ctrl-C" "${out[keep]}"
enter=$(sed -n 's/^ *\(nsenter .*\) ping .*/\1/p' "${out[keep]}")
# shellcheck disable=SC2086 # a command and its arguments
expect "and says how to get in" $enter ping -c 1 -W 2 10.9.0.2
kill -INT "${pid[keep]}"
finish keep
expect_eq "Ctrl-C goes on to the end" $status 0
expect_match "with the account" "$(cat "${out[keep]}")" "mbufs leaked: 0.*mbufs leaked: 0"

expect_eq "no file is left" "$(ls "$TMPDIR")" ""
expect_not "no process is left" grep -lszF "RUNTIME_DIRECTORY=$TMPDIR" /proc/*/environ
expect_not "an unknown argument is refused" ./scripts/demo --frob
