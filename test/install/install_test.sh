#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What `meson install` puts there serves a program out of the tree: headers, libraries both ways,
# pkg-config, the examples by the command in their first comment. `ninja uninstall` takes it away.
. "$(dirname "$0")/../smoke/lib.sh"

need meson ninja pkg-config nm g++
dest=$tmp/root
cc_flags=(-Wall -Wextra -Werror -O1)
version=$(meson introspect "$PLX_BUILD" --projectinfo | jq -r .version)
table=$(devtools/check-layers --table) || fail "no table of libraries"

expect "meson installs" meson install -C "$PLX_BUILD" --no-rebuild --destdir "$dest"

# A whole root: our files and the system's, so that one pkg-config sees DPDK too.
mkdir -p "$dest/usr"
for dir in include lib share; do
	[ -e "$dest/usr/$dir" ] || ln -s "/usr/$dir" "$dest/usr/$dir"
done
libdir=$(dirname "$(find "$dest" -name libplx_base.so)")
bindir=$(dirname "$libdir" | sed 's,/lib$,,')/bin
export PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir

have() { # library
	[ -f "$libdir/pkgconfig/libplx_$1.pc" ]
}

exports() { # library
	nm -D --defined-only "$libdir/libplx_$1.so" | awk '$2 ~ /[TDRB]/ { print $3 }'
}

# Every function and table that a library exports is declared in its header: name them all.
probe() { # library...: writes $tmp/probe.c and .cc
	{
		printf '#include <plx_%s.h>\n' "$@"
		echo "int main(void) {"
		echo "	const void *volatile probe = 0;"
		for lib; do
			exports "$lib" | sed 's/.*/	probe = (const void *)\&&;/'
		done
		echo "	return probe == (void *)1; }"
	} >"$tmp/probe.c"
	cp "$tmp/probe.c" "$tmp/probe.cc"
}

flags_of() { # library...: the arrays flags, link and static
	local flag private=()
	# DPDK's headers are not ours to warn about.
	mapfile -t flags < <(pkg-config --cflags "${@/#/libplx_}" | xargs -n 1 |
		sed '/dpdk$/s/^-I/-isystem/')
	mapfile -t link < <(pkg-config --libs "${@/#/libplx_}" | xargs -n 1)
	# Ours static, the rest shared, as the app has it; what is private to ours must be named.
	static=()
	for flag in "${link[@]}"; do
		if [[ $flag =~ ^-Wl,.*,-l(plx_net_[a-z]+), ]]; then
			flag=-Wl,--whole-archive,$libdir/lib${BASH_REMATCH[1]}.a,--no-whole-archive
		elif [[ $flag == -lplx_* ]]; then
			private+=("$(pkg-config --print-requires-private "lib${flag#-l}")")
			flag=$libdir/lib${flag#-l}.a
		fi
		static+=("$flag")
	done
	mapfile -t private < <(printf '%s\n' "${private[@]}" | grep . | sort -u)
	[ ${#private[@]} = 0 ] || mapfile -t -O ${#static[@]} static < <(
		pkg-config --libs "${private[@]}" | xargs -n 1)
}

libs=()
while IFS=$'\t' read -r lib layer _ deps; do
	have "$lib" || continue
	libs+=("$lib")
	pc=libplx_$lib
	expect "$pc: its pkg-config file holds together" pkg-config --validate "$pc"
	expect_eq "$pc: version" "$(pkg-config --modversion "$pc")" "$version"
	wants=$(for dep in $deps; do echo "libplx_$dep"; done)
	[ "$layer" -lt 2 ] || wants+=$'\n'libdpdk
	# found when it was built: the archive needs it
	[ "$lib" != net_vtap ] || ! pkg-config --exists liburing || wants+=$'\n'liburing
	expect_eq "$pc: requires what its row allows" \
		"$(pkg-config --print-requires "$pc" | sort | xargs)" "$(sort <<<"$wants" | xargs)"
	flags_of "$lib"
	expect_match "$pc: headers are in a directory of their own" "${flags[*]}" "/include/pollux"

	bad=$(nm -D --defined-only "$libdir/$pc.so" | awk '$3 !~ /^plx_/ { print $3 }')
	expect_eq "$pc: exports nothing but plx_*" "$bad" ""
	probe "$lib"
	expect "$pc: a C program links" gcc "${cc_flags[@]}" "$tmp/probe.c" -o "$tmp/probe" \
		"${flags[@]}" "${link[@]}"
	expect "$pc: and runs" "$tmp/probe"
	expect "$pc: the archive links without LTO" gcc "${cc_flags[@]}" -fno-lto "$tmp/probe.c" \
		-o "$tmp/probe" "${flags[@]}" "${static[@]}"
	expect "$pc: and needs none of our shared objects" \
		bash -c "! ldd '$tmp/probe' | grep libplx_"
done <<<"$table"
expect_ge "the libraries are there" ${#libs[@]} "$(awk '$2 < 2' <<<"$table" | wc -l)"

probe "${libs[@]}"
flags_of "${libs[@]}"
expect "a C++ program links with all of them" g++ "${cc_flags[@]}" "$tmp/probe.cc" \
	-o "$tmp/probe" "${flags[@]}" "${link[@]}"
expect "and runs" "$tmp/probe"
expect "clang links all the archives" clang "${cc_flags[@]}" "$tmp/probe.c" -o "$tmp/probe" \
	"${flags[@]}" "${static[@]}"

# Drivers register themselves: they are there by their pkg-config files, whatever the linker thinks
# of libraries that nobody calls. Static ones by the command of the guide.
cat >"$tmp/drivers.c" <<-'END'
	#include <stdio.h>
	#include <plx_port.h>
	int main(void)
	{
		const struct plx_port_driver *d = NULL;
		while ((d = plx_port_driver_next(d)))
			puts(d->name);
	}
END
drivers=(libplx_port libplx_net_pipe libplx_net_loop libplx_net_vtap libplx_net_impair)
registered() { # what linker-flag...
	local what=$1
	shift
	expect "$what: a program with the drivers links" gcc "$tmp/drivers.c" -o "$tmp/drivers" \
		"${flags[@]}" "$@"
	expect_eq "$what: and they are there" "$("$tmp/drivers" | sort | xargs)" \
		"impair loop pipe vtap vtun"
}
mapfile -t flags < <(pkg-config --cflags "${drivers[@]}" | xargs -n 1)
mapfile -t link < <(pkg-config --libs "${drivers[@]}" | xargs -n 1)
registered "shared" "${link[@]}"
registered "shared, as needed" -Wl,--as-needed "${link[@]}"
registered "shared, by gold" -fuse-ld=gold -Wl,--as-needed "${link[@]}"
registered "shared, by lld" -fuse-ld=lld -Wl,--as-needed "${link[@]}"
mkdir "$tmp/meson"
cp "$tmp/drivers.c" "$tmp/meson"
cat >"$tmp/meson/meson.build" <<-END
	project('drivers', 'c')
	deps = []
	foreach d : '${drivers[*]}'.split()
		deps += dependency(d)
	endforeach
	executable('drivers', 'drivers.c', dependencies: deps)
END
expect "meson: a project with the drivers is set up" meson setup "$tmp/meson/build" "$tmp/meson"
expect "meson: it links" ninja -C "$tmp/meson/build"
expect_eq "meson: and they are there" "$("$tmp/meson/build/drivers" | sort | xargs)" \
	"impair loop pipe vtap vtun"
script=$(sed -n "/^    libs=.*sed -E '$/,/')$/p" doc/guide/lib.md | sed "1d; s/')$//")
[ -n "$script" ] || fail "doc/guide/lib.md has no command for archives"
mapfile -t static < <(pkg-config --libs "${drivers[@]}" | sed -E "$script" | xargs -n 1)
registered "static" "${static[@]}"
expect "static: and needs none of our shared objects" bash -c "! ldd '$tmp/drivers' | grep libplx_"

for example in examples/*.c; do
	[ -f "$example" ] || continue
	name=$(basename "$example" .c)
	command=$(sed -n 's/^[ *]*cc \(.*pkg-config.*\)/cc \1/p' "$example" | head -n 1)
	[ -n "$command" ] || fail "$example: no line 'cc $name.c ... pkg-config ...' at its top"
	cp "$example" "$tmp/"
	expect "example $name builds by the command in it" bash -ec "cd '$tmp' && $command"
done

for program in pollux pollux-ctl; do
	[ -x "$bindir/$program" ] || continue
	expect_match "$program --version" "$("$bindir/$program" --version 2>&1)" "$version"
done

rm "$dest/usr/include" "$dest/usr/lib" "$dest/usr/share" 2>/dev/null
expect "ninja uninstalls" env DESTDIR="$dest" ninja -C "$PLX_BUILD" uninstall
expect_eq "and leaves no file" "$(find "$tmp" -path "$dest/*" ! -type d)" ""
