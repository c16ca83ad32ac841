#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The README's first command on a Debian 12 on which nothing is installed: a minimal one is made,
# the tree as git has it is unpacked there, and scripts/demo installs, builds and runs.
#
# With arguments, another command in its place: bash test/install/clean_long.sh ./scripts/test
. "$(dirname "$0")/../smoke/lib.sh"

need_root
need debootstrap git unshare
[ $# -gt 0 ] || set -- ./scripts/demo

root=$tmp/debian
suite=bookworm
# shellcheck disable=SC2016 # apt's own
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
	sed -n "s/^$suite //p" | head -n 1)
[ -n "$mirror" ] || skip "apt on this machine knows no Debian 12"

# The same way to the packages as from here: apt's words on proxies and the like, names, passwords.
acquire=$(apt-config dump | grep -E '^Acquire::(https?|ftp|Retries|Check-|ForceIPv)')
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
[ -z "${http_proxy-}" ] || export http_proxy
[ -z "${https_proxy-}" ] || export https_proxy

# In mount and process namespaces of its own: whatever ends it takes mounts and processes along.
inside() { # command...: in the new Debian, in the tree
	# shellcheck disable=SC2016 # of the shell in there
	unshare --mount --pid --fork --kill-child -- bash -euc '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --rbind /dev "$root/dev"
		cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
		exec chroot "$root" /usr/bin/env -C /pollux \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root "$@"' inside "$root" "$@"
}

begin=$SECONDS
if ! unshare --mount --pid --fork --kill-child debootstrap --variant=minbase "$suite" "$root" \
	"$mirror" >"$tmp/debootstrap.log" 2>&1; then
	tail -n 3 "$tmp/debootstrap.log"
	skip "debootstrap does not get at packages, or may not unpack them here"
fi
ok "a minimal Debian 12, after $((SECONDS - begin)) s"
expect_not "it has no compiler" inside sh -c 'command -v cc gcc meson ninja'

printf '%s\n' "$acquire" >"$root/etc/apt/apt.conf.d/99here"
[ ! -e /etc/apt/auth.conf.d ] || cp -r /etc/apt/auth.conf.d "$root/etc/apt/"
mkdir "$root/pollux"
git -c safe.directory="$PWD" archive HEAD | tar -x -C "$root/pollux" || skip "no git repository"

# Its output is worth reading, here and in the log; no claim of ours has its form.
inside "$@" 2>&1 | tee "$tmp/inside" | sed 's/^/    /'
expect_eq "$* succeeds on it, after $((SECONDS - begin)) s" "${PIPESTATUS[0]}" 0
[ "$*" != ./scripts/demo ] ||
	expect_eq "and leaks nothing" \
		"$(grep '^mbufs leaked: ' "$tmp/inside" | sort -u)" "mbufs leaked: 0"
