#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Help fits a terminal and is complete: each option of the sources is in it, with its default, and
# nothing that does not exist.
. "$(dirname "$0")/lib.sh"

fits() { # what text
	expect_eq "$1: no line is over 90 columns" \
		"$(expand <<<"$2" | awk 'length > 90')" ""
}

# The long options that a text shows.
options() {
	grep -oE -- '--[a-z]+(-[a-z]+)*' | sort -u
}

table() { # file name: the options of a table in C
	sed -n "/struct opt $2\[\] = {/,/^};/p" "$1" | sed -nE 's/^\t\{"([a-z0-9-]+)",.*/--\1/p'
}

# Those of NAMES_OPTS.
names_table() {
	sed -nE 's/^\t+\{?"([a-z-]+)", "[A-Z].*/--\1/p' app/names.h
}

declare -A own=([up]=app/cmd_up.c [fwd]=app/cmd_fwd.c [http]=app/cmd_http.c [load]=app/cmd_load.c
	[proxy]=app/cmd_proxy.c [echo]=app/cmd_service.c [discard]=app/cmd_service.c
	[chargen]=app/cmd_service.c [ping]=app/cmd_ping.c [resolve]=app/cmd_resolve.c
	[traceroute]=app/cmd_traceroute.c [capture]=app/capture_conf.c
	[replay]=app/cmd_replay.c)
fits "pollux" "$("$POLLUX" --help)"
for command in "${!own[@]}" ports config; do
	help=$("$POLLUX" -- "$command" --help)
	fits "$command" "$help"
	[ -n "${own[$command]-}" ] || continue
	expect_eq "$command: each option, and no other" \
		"$(sed '1,/^Options:/d' <<<"$help" |
			sed -nE 's/^  (-., )?(--[a-z0-9-]+).*/\2/p' | sort)" \
		"$({
			table "${own[$command]}" '\(capture_\)\?opts'
			table app/opt.c run_opts
			table app/opt.c common_opts
			[[ $command = @(fwd|capture|replay) ]] || table app/opt.c stack_opts
			if grep -q NAMES_OPTS "${own[$command]}"; then names_table; fi
		} | sort)"
done
one_line() {
	tr -s ' \n' ' '
}
expect_match "up rests by sleeping" "$("$POLLUX" -- up --help | one_line)" \
	"--idle POLICY [^-]*\(default: sleep\)"
expect_match "an option may have a letter" "$("$POLLUX" -- replay --help | one_line)" \
	"-f, --filter EXPR "
expect_match "fwd by polling" "$("$POLLUX" -- fwd --help | one_line)" \
	"--idle POLICY [^-]*\(default: poll\)"

fits "pollux-ctl" "$("$POLLUX_CTL" --help)"
shown=$("$POLLUX_CTL" --help)
while read -r command; do
	help=$("$POLLUX_CTL" "$command" --help)
	fits "pollux-ctl $command" "$help"
	shown+=$'\n'$help
	flags=$(grep -A1 "^	{\"$command\"," app/ctl/main.c | tr -d '\n' |
		sed -E 's/^[^"]*"[a-z]+", [^,]*, [^,]*, [^,]*, "([^"]*)".*/\1/')
	while read -r flag; do
		expect_match "pollux-ctl $command says what -$flag is" "$help" "(^|[^a-z-])-$flag"
	done < <(grep -o . <<<"$flags")
done < <(sed -n '/struct command commands/,/^};/s/^\t{"\([a-z]*\)",.*/\1/p' app/ctl/main.c)
expect_eq "pollux-ctl: each long option" \
	"$(grep -ohE '"[a-z-]+", [a-z]+_argument' app/ctl/*.[ch] |
		sed -E 's/"(.*)",.*/--\1/' | sort -u)" \
	"$(options <<<"$shown")"
