#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The flight recorder: nothing is written until something happens, then what came before it as
# well; files that capinfos and tshark open without a word, with the packets that the kernel's
# tcpdump saw.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7, chargen 19
. "$(dirname "$0")/lib.sh"

need tcpdump tshark capinfos jq nc ping
netns k

# A file is whole: nobody has anything to say of it.
sound() { # what file
	local said
	said=$(capinfos -rcMT "$2" 2>&1) || fail "$1: capinfos: $said"
	tshark -n -r "$2" -T fields -e frame.time_delta >"$tmp/deltas" 2>"$tmp/said" ||
		fail "$1: tshark: $(cat "$tmp/said")"
	expect_eq "$1: tshark has nothing to say" "$(grep -v '^Running as user' "$tmp/said")" ""
	expect_eq "$1: and goes forward in time" "$(grep -c '^-' "$tmp/deltas")" 0
}

fields() { # file filter field...
	local file=$1 filter=$2 field=()
	for f in "${@:3}"; do field+=(-e "$f"); done
	tshark -n -r "$file" ${filter:+-Y "$filter"} -T fields "${field[@]}" 2>/dev/null
}

# Length and sum of each packet of ICMP and TCP that goes one way.
one_way() { # file source-MAC
	tshark -n -r "$1" -Y "eth.src == $2 && (icmp || tcp)" -o frame.generate_md5_hash:TRUE \
		-T fields -e frame.len -e frame.md5_hash 2>/dev/null
}

said_by() { # file
	capinfos -k "$1" | sed -n 's/^Capture comment: *//p'
}

tap() { # number filter
	ctl tap --json | jq -r ".[] | select(.tap == $1) | $2"
}

# A recorder says this, once it is what it should be.
eventually_tap() { # what number filter wanted
	local end=$((SECONDS + patience)) got
	until got=$(tap "$2" "$3") && [ "$got" = "$4" ]; do
		[ $SECONDS -lt $end ] || fail "$1: got '$got', wanted '$4'"
		sleep 0.05
	done
	ok "$1"
}

file_of() { # name number
	local found=("$tmp/$1_$(printf %05d "$2")"_*)
	[ -e "${found[0]}" ] || fail "no file $2 of $1"
	echo "${found[0]}"
}

pings() { # count
	run ping -q -c "$1" -i 0.002 -W 2 10.9.0.2 >/dev/null || fail "$1 pings are not answered"
}

# --- what is refused ---------------------------------------------------------------------------
eal=(--no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-no" --vdev=net_null0)
prefix[no]=$id-no
expect_refused "too small" 2 "'1K' for --record; 64K to 2G" -- fwd capture -w x --record 1K
expect_refused "a trigger of what is no recorder" 2 "'rst' for --trigger; .*--record" \
	-- fwd capture -w x --trigger rst
expect_refused "nothing that happens" 2 "'drops' for --trigger; .*drops>100/100ms" \
	-- fwd capture -w x --record 1M --trigger drops
expect_refused "a reason that is none" 2 "'drops:NO>1' for --trigger" \
	-- fwd capture -w x --record 1M --trigger 'drops:NO>1'
expect_refused "into a pipe" 2 "'1M' for --record; .*path" -- fwd capture -w - --record 1M
expect_refused "files that end" 2 "'packets:3' for --ring; .*files:N" \
	-- fwd capture -w x --record 1M --ring packets:3
expect_refused "an expression that is none" 2 \
	"'rst,match:tcp prot 80' for --trigger; .* at column 5, 'prot'" "${eal[@]}" \
	-- fwd capture -w "$tmp/no" --record 1M --trigger 'rst,match:tcp prot 80'
expect_refused "nowhere to write" 1 "capture file $tmp/no/x: No such" "${eal[@]}" \
	-- fwd capture --record 1M -w "$tmp/no/x"

# --- a reset -----------------------------------------------------------------------------------
start_pollux -- up --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24 \
	--tcp-echo 7 --tcp-source 19 --no-offload \
	capture -w "$tmp/rst.pcapng" --record 1M --trigger rst --after 200ms --rearm 0 \
	capture -w "$tmp/end.pcapng" --record 1M --trigger end -f icmp
iface_up t0 10.9.0.1/24
eventually "a ping is answered" ping -q -c 1 -W 0.3 10.9.0.2
eventually_tap "it is armed" 1 .state armed
capture t0
pings 10
expect "a connection that is served" bash -c "echo hello | nc -N 10.9.0.2 7 | grep -q hello"
sleep 0.1
expect_eq "nothing happens, and nothing is written" "$(find "$tmp" -name 'rst_*' | wc -l)" 0
expect_not "a port that is closed" nc -w 2 10.9.0.2 99
eventually_tap "which is something" 1 '"\(.files) \(.state)"' "1 armed"
captured t0 tcp.flags.reset
one=$(file_of rst 1)
sound "what was before it" "$one"
expect_match "it says why there is a file" "$(said_by "$one")" \
	'^trigger: rst \(1, lcore 0\) at 20[0-9-]+T[0-9:]+\.[0-9]{6}Z$'
expect_eq "the reset, and that it is what was waited for" \
	"$(fields "$one" frame.comment tcp.flags.reset tcp.srcport frame.comment)" \
	"$(printf '1\t99\ttrigger: rst')"
syn=$(fields "$one" 'tcp.flags.syn == 1 && tcp.dstport == 99' frame.number)
rst=$(fields "$one" 'tcp.flags.reset == 1 && tcp.srcport == 99' frame.number)
expect_ge "the SYN before it, behind all the rest" "$syn" 25
expect_ge "in this order" "$rst" $((syn + 1))
expect_eq "what was answered before is there, too" \
	"$(fields "$one" 'data-text-lines || data.len == 6 || tcp.len == 6' frame.number | wc -l)" 2
for way in port:${port_mac[t0]} kernel:${kernel_mac[t0]}; do
	one_way "$tmp/t0.pcap" "${way#*:}" >"$tmp/theirs"
	one_way "$one" "${way#*:}" | tail -n "$(wc -l <"$tmp/theirs")" >"$tmp/ours"
	expect_ge "many packets came from the ${way%%:*}" "$(wc -l <"$tmp/theirs")" 13
	expect "byte by byte and in order they are tcpdump's" cmp "$tmp/ours" "$tmp/theirs"
done
expect_not "closed once more" nc -w 2 10.9.0.2 98
eventually_tap "a file each time" 1 '"\(.files) \(.state)"' "2 armed"
two=$(file_of rst 2)
sound "the next one" "$two"
expect_eq "no packet is in both" "$(fields "$two" 'icmp || tcp.port == 99' frame.number)" ""
expect_match "the list says what the last one was" "$(ctl tap -s 1)" \
	"last +trigger: rst \(1, lcore 0\)"

# --- by hand, and other things that happen -----------------------------------------------------
refuses() { # what regex argument...
	local what=$1 regex=$2 said
	shift 2
	said=$(ctl "$@" 2>&1) && fail "$what (it succeeded)"
	expect_match "$what" "$said" "$regex"
}
n=$(ctl tap start -w "$tmp/plain.pcapng")
refuses "what is no recorder" "EINVAL" tap trigger "$n"
refuses "nor there at all" "ENOENT" tap trigger 99
refuses "nor a number" "number of a tap" tap trigger
refuses "a trigger without --record" "'rst' for --trigger" tap start -w "$tmp/no" --trigger rst
ctl tap stop "$n" >/dev/null

n=$(ctl tap start -w "$tmp/hand.pcapng" --record 64K --rearm 10m --ring files:2 icmp) ||
	fail "tap start"
pings 5
expect "by hand" "$POLLUX_CTL" --file-prefix "${prefix[pollux]}" tap trigger "$n"
eventually_tap "there is a file" "$n" '"\(.files) \(.state) \(.written)"' "1 rests 10"
sound "what a hand has asked for" "$(file_of hand 1)"
expect_match "and that" "$(said_by "$(file_of hand 1)")" "^trigger: by hand at "
pings 700
expect_ge "older ones are overwritten" "$(tap "$n" .overwritten)" 500
expect_eq "none is lost" "$(tap "$n" .full)" 0
ctl tap trigger "$n"
eventually_tap "also while it rests" "$n" .files 2
file=$(file_of hand 2)
sound "the last 64 KiB" "$file"
expect_ge "with their headers" "$(fields "$file" '' frame.number | wc -l)" \
	$((65536 / (40 + 98 + 6)))
expect_eq "all of the last ones" "$(fields "$file" '' icmp.seq | sort -n | uniq -c | awk '
	NR > 1 && ($1 != 2 || $2 != last + 1) { n++ } { last = $2 } END { print n + 0, last }')" \
	"0 700"
ctl tap trigger "$n"
eventually_tap "a third" "$n" .files 3
expect_eq "the newest two are left" "$(find "$tmp" -name 'hand_*' | wc -l)" 2
expect_match "stop" "$(ctl tap stop "$n")" "[0-9]+ captured, [0-9]+ filtered, 0 lost$"

n=$(ctl tap start -w "$tmp/drops.pcapng" --record 1M --trigger 'drops:UDP_NO_PORT>2/2s' udp)
run bash -c 'for i in 1 2; do echo >/dev/udp/10.9.0.2/9; done'
sleep 0.1
expect_eq "two drops are no burst" "$(tap "$n" .triggers)" 0
run bash -c 'echo >/dev/udp/10.9.0.2/9'
eventually_tap "three are" "$n" .files 1
sound "a burst of drops" "$(file_of drops 1)"
expect_match "and why" "$(said_by "$(file_of drops 1)")" \
	"drops:UDP_NO_PORT>2/2s \(3, lcore 0\) at "
expect_eq "all three of them" "$(fields "$(file_of drops 1)" udp.dstport==9 frame.number | wc -l)" 3
ctl tap stop "$n" >/dev/null

# Nobody has this address any more: what is sent to it is not acknowledged.
run ip address add 10.9.0.77/24 dev t0
spawn away nc -s 10.9.0.77 10.9.0.2 19
eventually_ctl "a connection to it" ESTAB ss -tn
n=$(ctl tap start -w "$tmp/rto.pcapng" --record 1M --trigger rto --after 3 -c 1 -s 100 tcp)
run ip address del 10.9.0.77/24 dev t0
eventually_tap "a time-out, and an end after one file" "$n" '"\(.files) \(.state)"' "1 done"
sound "a time-out" "$(file_of rto 1)"
expect_ge "what was sent again is in it" \
	"$(fields "$(file_of rto 1)" 'tcp.analysis.retransmission' frame.number | wc -l)" 1
ctl tap stop "$n" >/dev/null
kill -KILL "${pid[away]}"
finish away 2>/dev/null

n=$(ctl tap start -w "$tmp/slow.pcap" --format pcap --record 1M --trigger 'latency>1us' icmp)
pings 3
eventually_tap "a pass of more than a microsecond" "$n" '.files >= 1' true
ctl tap stop "$n" >/dev/null
sound "a classic file" "$(file_of slow 1)"

# --- for long ----------------------------------------------------------------------------------
rss() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/${pid[pollux]}/status"
}
n=$(ctl tap start -w "$tmp/long.pcapng" --record 1M)
flood() { run ping -q -f -c "$1" -s 1400 -W 2 10.9.0.2 >/dev/null; }
flood 1500
before=$(rss)
flood $((PLX_LONG ? 100000 : 4000))
expect_ge "it goes round again and again" "$(tap "$n" .overwritten)" 8000
slack=1024 # KiB
[[ $PLX_BUILD != *[at]san* ]] || slack=65536 # sanitizers keep what was freed
expect_ge "memory does not grow" $((before + slack - $(rss))) 0
expect_ge "how far it reaches is said" "$(tap "$n" .reach_ms)" 1
ctl tap trigger "$n"
eventually_tap "and still it is written" "$n" .files 1
sound "after a long time" "$(file_of long 1)"

stop_pollux
# the end of the connection above may be a reset, too
expect_match "what each came to is said at the end" "$(cat "${err[pollux]}")" \
	"recorder 1 to $tmp/rst.pcapng: [2-9] files of [0-9]+ packets, [2-9] triggers, 0 ignored, 0"
expect_match "also of one that waits for it" "$(cat "${err[pollux]}")" \
	"recorder 2 to $tmp/end.pcapng: 1 files of [0-9]+ packets, 1 triggers"
sound "what was last" "$(file_of end 1)"
expect_match "and why" "$(said_by "$(file_of end 1)")" "^trigger: end at "

# --- alone, by several lcores ------------------------------------------------------------------
start_pollux -l 0,1 -- capture --port v=vtap,iface=t1,queues=2 -w "$tmp/alone.pcapng" --record 1M \
	--trigger 'match:udp port 4242' --after 20 -c 1
iface_up t1 10.8.0.1/24
run ip neigh add 10.8.0.2 lladdr 02:00:00:00:00:01 dev t1
for i in {1..40}; do
	run bash -c "echo $i >/dev/udp/10.8.0.2/$((5000 + i))"
done
run bash -c 'echo now >/dev/udp/10.8.0.2/4242'
for i in {41..80}; do # it ends meanwhile
	run bash -c "echo $i >/dev/udp/10.8.0.2/$((5000 + i))" 2>/dev/null || break
done
wait_pollux
expect_eq "alone it ends with its files" "$(json_field '.captures[0].state')" "done"
file=$(file_of alone 1)
sound "by two lcores" "$file"
expect_eq "in the order in which they came" "$(fields "$file" 'udp.port in {5001..5080}' \
	udp.dstport | head -n 40 | xargs)" "$(echo {5001..5040})"
expect_eq "and what was waited for behind them" "$(fields "$file" frame.comment udp.dstport \
	frame.comment)" "$(printf '4242\ttrigger: udp port 4242')"
