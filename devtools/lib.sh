# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the checks share. Source it first; it moves to the top of the tree.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# The project's files: what git tracks or would add, or all there is in an unpacked archive.
tree_files() {
	if git -c safe.directory="$PWD" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard
	else
		find . -type f ! -path './build*' -printf '%P\n'
	fi | sort -u | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

first_line_has() { # regex file
	head -c 64 "$2" | head -n 1 | tr -d '\0' | grep -qE "$1"
}

# Those of one language, by name or by the first line.
files_of() { # c | def | meson | make | shell | python
	tree_files | while read -r f; do
		case $1:$f in
		c:*.[ch] | def:*.def | meson:*meson.build | meson:meson_options.txt) echo "$f" ;;
		make:GNUmakefile | shell:*.sh | python:*.py) echo "$f" ;;
		*.*.*) ;;
		shell:*) ! first_line_has '^#!.*\b(ba|da)?sh\b' "$f" || echo "$f" ;;
		python:*) ! first_line_has '^#!.*python' "$f" || echo "$f" ;;
		esac
	done
}
