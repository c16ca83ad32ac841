#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a capture may cost at most: packets come as fast as an lcore takes them, and a tap of each
# does not get more of its time than was said; which were not looked at is counted, by pollux-ctl
# and in the file, as tshark reads it, and nothing is missing.
#
#	net_null, as many as it likes  ->  pollux
. "$(dirname "$0")/lib.sh"

need tshark capinfos jq

# The numbers that a file has of the option, of all its blocks of a kind, in their order.
in_file() { # file option
	tshark -r "$1" -X 'read_format:MIME Files Format' -T fields -E occurrence=a \
		-E aggregator=/s -e "pcapng.options.option.data.$2" 2>/dev/null |
		tr ' ' '\n' | grep -v '^$'
}
sum() {
	awk '{ n += $1 } END { printf "%d\n", n }'
}

for bad in 0% 101% -1 5 '5 %' 0.05% 5%%; do
	expect_refused "--max-cost '$bad'" 2 "'$bad' for --max-cost; 0.1% to 100%" -- fwd capture \
		-w "$tmp/no" --max-cost "$bad"
done

# A file of 50 MB is too large for tshark's reader of blocks.
start_pollux --no-huge -m 256 --vdev=net_null0,size=64 -- capture -w "$tmp/all.pcapng" -s 64 \
	--max-cost 1% --sample 500
n=$(ctl tap start -w "$tmp/few.pcapng" --max-cost 2% --sample 500 --hook rx \
	len '>' 10) || fail "tap start"
for bad in 0% 101% -1 5 '5 %'; do
	said=$(ctl tap start -w "$tmp/no" --max-cost="$bad" 2>&1) &&
		fail "--max-cost '$bad' is taken"
	expect_match "pollux-ctl tap start --max-cost '$bad'" "$said" "'$bad' for --max-cost; 0.1%"
done
sleep 3
row=$(ctl tap --json | jq -c ".[] | select(.tap == $n)")
expect_eq "the ceiling is said" "$(jq .max_cost_ppm <<<"$row")" 20000
expect_ge "most are missed" "$(jq .missed <<<"$row")" 1000
expect_ge "some are not" "$(jq .accepted <<<"$row")" 20
expect_ge "one of many is looked at" "$(jq .every <<<"$row")" 2
# What it says of itself is about right; where others have the CPU as well, more or less.
expect_match "it took about what it may" "$(jq '.cost_ppm < 30000' <<<"$row")" true
ctl tap stats "$n" >"$tmp/said"
expect_match "people can read it" "$(grep cost "$tmp/said")" \
	"cost +[0-9.]+% of at most 2%, one packet of [0-9]+"
said=$(ctl tap stop "$n")
expect_match "and what it came to" "$said" \
	"^[0-9]+ captured, 0 filtered, [0-9]+ lost, [1-9][0-9]* missed to keep its cost$"

# A flight recorder with a ceiling keeps the newest of what was looked at.
n=$(ctl tap start -w "$tmp/rec.pcapng" --record 64K --max-cost 2% -s 64 --hook rx --after 50) ||
	fail "tap start --record"
recorder() { # jq filter
	ctl tap --json | jq -r ".[] | select(.tap == $n) | $1"
}
until_recorder() { # what filter
	local end=$((SECONDS + patience))
	until [ "$(recorder "$2")" = true ]; do
		[ $SECONDS -lt $end ] || fail "$1: $(recorder .)"
		sleep 0.1
	done
	ok "$1"
}
until_recorder "it goes round" '.overwritten > 1000'
ctl tap trigger "$n"
until_recorder "there is a file" '.files == 1 and .state != "writes"'
expect_match "a row has its ceiling and what it keeps" \
	"$(recorder '"\(.max_cost_ppm) \(.kept) \(.missed) \(.every)"')" \
	"^20000 [1-9][0-9]* [1-9][0-9]{3,} [0-9]+$"
ctl tap stats "$n" >"$tmp/said"
expect_match "so has what people read" "$(grep -E 'cost|overwritten' "$tmp/said" | xargs)" \
	"cost [0-9.]+% of at most 2%, one packet of [0-9]+ overwritten [0-9]+"
expect_match "and its end" "$(ctl tap stop "$n")" ", [1-9][0-9]* missed to keep its cost$"
rec=$(echo "$tmp"/rec_00001_*)
said=$(capinfos -rcMT "$rec" 2>&1) || fail "capinfos: $said"
expect_ge "what was kept and what came after is in it" "$(cut -f 2 <<<"$said")" \
	$((65536 / (40 + 64)))
tshark -r "$rec" -T fields -e frame.drop_count >"$tmp/drops" 2>/dev/null
expect_eq "what was missed before it is no part of it" "$(head -n 1 "$tmp/drops")" ""
expect_ge "what was missed within is" "$(sum <"$tmp/drops")" 1
expect_eq "nor is what came before counted" "$(in_file "$rec" interface.received)" ""

stop_pollux
expect_match "at the end as well" "$(cat "${err[pollux]}")" \
	"captured, 0 filtered, [0-9]+ lost, [1-9][0-9]* missed to keep its cost"

for file in few all; do
	file=$tmp/$file.pcapng
	said=$(capinfos -rcMT "$file" 2>&1) || fail "capinfos: $said"
	kept=$(cut -f 2 <<<"$said")
	came=$(in_file "$file" interface.received | tail -n 1)
	missed=$(in_file "$file" interface.dropped | tail -n 1)
	lost=$(in_file "$file" interface.dropped_by_os | tail -n 1)
	expect_ge "$(basename "$file"): many came" "$came" 100000
	# left out by sampling is what the filter was not asked about
	left_out=$((came - missed - $(in_file "$file" interface.accepted_by_filter | tail -n 1)))
	expect_eq "kept, missed and lost, and what sampling left out, are what came" \
		$((kept + missed + lost + left_out)) "$came"
	expect_ge "that is nearly all of what was looked at" "$left_out" $((100 * kept))
	told=$(tshark -r "$file" -T fields -e frame.drop_count 2>/dev/null | sum)
	expect_ge "packets say most of what is missing in front of them" "$told" \
		$(((missed + lost) / 2))
	expect_ge "and no more" $((missed + lost - told)) 0
done
expect_eq "it is what the process says" "$came $missed $left_out" "$(json_field \
	'.captures[0] | "\(.seen) \(.missed) \(.sampled)"')"
expect_eq "each packet was counted once" "$(json_field \
	'.captures[0] | .seen - .accepted - .filtered - .full - .sampled - .missed')" 0
