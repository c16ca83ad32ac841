#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Captures: what the kernel's tcpdump sees at the other end of the tap, packet by packet; files that
# capinfos and tshark open without a word; on the command line and while it runs; several files,
# pipes, full disks, readers that go away.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     echo 7
#	fd00:9::1          fd00:9::2
. "$(dirname "$0")/lib.sh"

need tcpdump tshark capinfos jq nc python3 mkfifo unshare
netns k

# A file is whole: nobody has anything to say of it.
sound() { # what file packets
	local said
	said=$(capinfos -rcMT "$2" 2>&1) || fail "$1: capinfos: $said"
	expect_eq "$1: capinfos counts its packets" "$(cut -f 2 <<<"$said")" "$3"
	tshark -n -r "$2" >/dev/null 2>"$tmp/said" || fail "$1: tshark: $(cat "$tmp/said")"
	expect_eq "$1: tshark has nothing to say" "$(grep -v '^Running as user' "$tmp/said")" ""
}

# Length and sum of each packet that goes one way.
one_way() { # file source-MAC
	tshark -n -r "$1" -Y "eth.src == $2" -o frame.generate_md5_hash:TRUE -T fields \
		-e frame.len -e frame.md5_hash 2>/dev/null
}

taps() { # filter of the array
	ctl tap --json | jq -r "$1"
}

# The number of packets that a tap has written, once it is what it should be.
eventually_taps() { # what filter wanted
	local end=$((SECONDS + patience)) got
	until got=$(taps "$2") && [ "$got" = "$3" ]; do
		[ $SECONDS -lt $end ] || fail "$1: got '$got', wanted '$3'"
		sleep 0.1
	done
	ok "$1"
}

pings() { # count
	run ping -q -c "$1" -i 0.002 -W 2 10.9.0.2 >/dev/null || fail "$1 pings are not answered"
}

# --- what is refused ---------------------------------------------------------------------------
eal=(--no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-no" --vdev=net_null0)
prefix[no]=$id-no
expect_refused "no file" 2 "capture: -w FILE is missing; .*capture --help" -- fwd capture
expect_refused "an unknown hook" 2 "'rx,up' for --hook; .*rx-gro" -- fwd capture -w x --hook rx,up
expect_refused "a ring without an end" 2 "'files:3' for --ring; " \
	-- fwd capture -w x --ring files:3
expect_refused "two to one file" 2 "'-' for --write; another capture writes it" \
	-- fwd capture -w - capture -w -
expect_refused "a bad expression, and where it is bad" 2 \
	"'tcp prot 80' for --filter; .* at column 5, 'prot'" "${eal[@]}" \
	-- fwd capture -f "tcp prot 80" -w "$tmp/no"
expect_refused "a port that is not there" 2 "no port named 'v'" "${eal[@]}" \
	-- fwd capture -w "$tmp/no" --port v
expect_refused "nowhere to write" 1 "capture file $tmp/no/x: No such" "${eal[@]}" \
	-- fwd capture -w "$tmp/no/x"

# --- beside the kernel's -----------------------------------------------------------------------
# The disk of this process is small: a mount that nobody else sees, and that goes with it.
mkdir "$tmp/disk"
# shellcheck disable=SC2016 # the inner shell's
printf '#!/bin/sh\nexec unshare -m sh -c "%s" pollux "$@"\n' \
	"mount -t tmpfs -o size=128k none '$tmp/disk' && exec '$POLLUX' \"\\\$@\"" >"$tmp/small"
chmod +x "$tmp/small"
mkfifo "$tmp/live"
plain=$POLLUX
POLLUX=$tmp/small
start_pollux -- up --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24,addr=fd00:9::2/64 \
	--udp-echo 7 --tcp-echo 7 --no-offload --sysctl net.ipv6.conf.all.dad_transmits=0 \
	capture -w "$tmp/all.pcapng" --sample 1 capture --hook drop -w "$tmp/drop.pcapng" -f udp
POLLUX=$plain
iface_up t0 10.9.0.1/24 fd00:9::1/64
eventually "a ping is answered" ping -q -c 1 -W 0.3 10.9.0.2
eventually "by IPv6, too" ping -q -c 1 -W 0.3 fd00:9::2
expr='icmp or tcp or udp or ip6 proto 44 or (icmp6 and ip6[40] & 0xfe == 128)'
capture t0
n=$(ctl tap start -w "$tmp/ours.pcapng" "$expr") || fail "tap start"
expect_eq "a tap begins while it runs, and has a number" "$n" 3
run ping -q -c 3 -i 0.1 -W 2 -s 4000 10.9.0.2 >/dev/null || fail "pings in fragments"
run ping -q -c 3 -i 0.1 -W 2 -s 4000 fd00:9::2 >/dev/null || fail "pings in fragments"
head -c 300000 /dev/urandom >"$tmp/data"
expect "TCP goes both ways" bash -c "nc -N 10.9.0.2 7 <'$tmp/data' | cmp - '$tmp/data'"
expect "UDP of many sizes" test/smoke/flows.py fd00:9::2 7 --flows 4 --count 16 --size 0,64,1452
udp_ask 10.9.0.2 9 x >/dev/null
said=$(ctl tap stop "$n" 2>&1)
captured t0 tcp.options.sack_le
tcpdump -r "$tmp/t0.pcap" -w "$tmp/theirs.pcap" "$expr" 2>/dev/null
for way in port:${port_mac[t0]} kernel:${kernel_mac[t0]}; do
	one_way "$tmp/theirs.pcap" "${way#*:}" >"$tmp/theirs"
	one_way "$tmp/ours.pcapng" "${way#*:}" >"$tmp/ours"
	expect_ge "many packets came from the ${way%%:*}" "$(wc -l <"$tmp/theirs")" 80
	expect "byte by byte and in order they are tcpdump's" cmp "$tmp/ours" "$tmp/theirs"
done
written=$(capinfos -rcMT "$tmp/theirs.pcap" 2>/dev/null | cut -f 2)
expect_match "stop says how many" "$said" "^$written captured, [0-9]+ filtered, 0 lost$"
sound "a file of a running process" "$tmp/ours.pcapng" "$written"
expect_eq "it says by which port, and which way" "$(tshark -r "$tmp/ours.pcapng" -c 1 -T fields \
	-e frame.interface_name -e frame.packet_flags_direction 2>/dev/null)" "v	0x00000001"
expect_match "each packet was counted once" "$(taps \
	'.[0] | .seen - .accepted - .filtered - .full - .sampled')" "^0$"

n=$(ctl tap start -w "$tmp/classic.pcap" --format pcap-ns icmp)
pings 5
eventually_taps "a classic file: all are written" ".[] | select(.tap == $n).written" 10
ctl tap stop "$n" >/dev/null
sound "a classic file" "$tmp/classic.pcap" 10
expect_eq "and it is one, in nanoseconds" "$(capinfos -tTr "$tmp/classic.pcap" | cut -f 2)" nsecpcap

# --- several files, and ends -------------------------------------------------------------------
n=$(ctl tap start -w "$tmp/ring.pcapng" --ring files:3,packets:10 icmp)
pings 23
eventually_taps "all are written" ".[] | select(.tap == $n).written" 46
ctl tap stop "$n" >/dev/null
expect_eq "the newest files are left, by their numbers" \
	"$(cd "$tmp" && echo ring_*.pcapng | sed -E 's/_[0-9]{14}//g')" \
	"ring_00003.pcapng ring_00004.pcapng ring_00005.pcapng"
sound "one of several" "$(echo "$tmp"/ring_00004_*)" 10
sound "the last one" "$(echo "$tmp"/ring_00005_*)" 6
n=$(ctl tap start -w "$tmp/size.pcapng" --ring filesize:4K icmp)
pings 30
ctl tap stop "$n" >/dev/null
expect_ge "files of 4 KiB" "$(find "$tmp" -name 'size_*' | wc -l)" 3
expect_eq "and no more" "$(find "$tmp" -name 'size_*' -size +4096c)" ""

n=$(cd "$tmp" && ctl tap start -w five.pcapng -c 5 -s 40 --hook tx --port v -Q out icmp)
pings 10
eventually_taps "it ends by itself after so many packets" \
	".[] | select(.tap == $n) | \"\(.state) \(.written)\"" "done 5"
ctl tap stop "$n" >/dev/null
sound "five packets, cut short" "$tmp/five.pcapng" 5
expect_eq "to 40 bytes" "$(tshark -r "$tmp/five.pcapng" -T fields -e frame.cap_len 2>/dev/null |
	sort | uniq -c | xargs)" "5 40"
n=$(ctl tap start -w "$tmp/sample.pcapng" --sample 10 icmp)
pings 200
ctl tap -s "$n" >"$tmp/said"
expect_ge "one of ten is taken" "$(awk '$1 == "accepted" { print $2 }' "$tmp/said")" 10
expect_ge "nine are not" "$(awk '$1 == "sampled" { print $2 }' "$tmp/said")" 300
ctl tap stop "$n" >/dev/null

refuses() { # what regex argument...
	local what=$1 regex=$2
	shift 2
	said=$(ctl "$@" 2>&1) && fail "$what (it succeeded)"
	expect_match "$what" "$said" "$regex"
}
refuses "a bad expression, and where it is bad" "at column 1, 'fly'" tap start -w "$tmp/no" fly
expect "nothing is left of it" test ! -e "$tmp/no"
refuses "a file that is taken" "another capture writes it" tap start -w "$tmp/all.pcapng"
refuses "no number" "number of a tap" tap stop x
refuses "no tap" "ENOENT" tap stop 99
refuses "a pipe that nobody reads" "nobody reads" tap start -w "$tmp/live"
refuses "not the standard output" "tcpdump -w -" tap start -w -
refuses "no file" "-w FILE is missing" tap start icmp
refuses "an unknown option" "option -z is not understood" tap start -z

# A disk that is full ends a capture, and no more than that; its file is whole.
n=$(ctl tap start -w "$tmp/disk/full.pcapng")
run ping -q -c 100 -i 0.002 -s 1400 -W 2 10.9.0.2 >/dev/null || fail "traffic stops at a full disk"
eventually_taps "a full disk is said" ".[] | select(.tap == $n) | \"\(.state): \(.error)\"" \
	"failed: No space left on device"
pings 3
ok "traffic goes on"
cp "/proc/${pid[pollux]}/root$tmp/disk/full.pcapng" "$tmp/full.pcapng"
expect_ge "the file is full" "$(stat -c %s "$tmp/full.pcapng")" 100000
sound "what the disk had room for" "$tmp/full.pcapng" \
	"$(tshark -r "$tmp/full.pcapng" 2>/dev/null | wc -l)"
expect_match "and said once more by stop" "$(ctl tap stop "$n")" "ended early: No space left"

# Nor does it end a recorder, which has its next file when there is room again.
n=$(ctl tap start -w "$tmp/disk/rec.pcapng" --record 64K --rearm 0)
pings 3
ctl tap trigger "$n"
eventually_taps "a recorder stays armed" \
	".[] | select(.tap == $n) | \"\(.failed) \(.state)\"" "1 armed"
rm "/proc/${pid[pollux]}/root$tmp/disk/full.pcapng"
pings 3
ctl tap trigger "$n"
eventually_taps "there is room again" \
	".[] | select(.tap == $n) | \"\(.files) \(.failed) \(.state)\"" "2 1 armed"
ctl tap stop "$n" >/dev/null

# --- live --------------------------------------------------------------------------------------
tcpdump_ctl() { # name argument...
	local name=$1
	shift
	ns='' spawn "$name" "$POLLUX_CTL" --file-prefix "${prefix[pollux]}" tcpdump "$@"
	eventually_taps "$name: there is a tap" \
		"any(.file | endswith(\"tcpdump.${pid[$name]}\"))" true
}
gone() { # name
	eventually_taps "$1: its tap is gone" length 2
}
tcpdump_ctl tcpdump -l -n -c 4 icmp
pings 2
finish tcpdump
expect_eq "tcpdump prints them" "$status $(grep -c 'IP 10.9.0.[12] > 10.9.0.[12]: ICMP echo' \
	"${out[tcpdump]}")" "0 4"
expect_match "and we what was lost" "$(cat "${err[tcpdump]}")" "4 packets captured, .* 0 lost"
tcpdump_ctl drops --hook drop
udp_ask 10.9.0.2 9 hello >/dev/null
eventually "a drop is shown with its reason" grep -qE \
	'^[0-9:.]+ drop v 10.9.0.1:[0-9]+ > 10.9.0.2:9 udp len 5 drop UDP_NO_PORT: no socket' \
	"${out[drops]}"
kill -KILL "${pid[drops]}"
finish drops 2>/dev/null
tcpdump_ctl lines --form line -e
kill -INT "${pid[lines]}"
finish lines
expect_eq "^C is a fine end" $status 0
gone "killed and interrupted"
tcpdump_ctl raw -w "$tmp/raw.pcapng" -c 6 icmp
pings 3
finish raw
sound "a file of ours" "$tmp/raw.pcapng" 6
gone raw

# Nobody reads a pipe that is open: the capture may not end, all else does.
spawn asleep sh -c "exec sleep 1000 <'$tmp/live'"
eventually_quietly sh -c "exec 3>'$tmp/live'"
n=$(ctl tap start -w "$tmp/live")
run ping -q -c 100 -i 0.002 -s 1400 -W 2 10.9.0.2 >/dev/null || fail "traffic waits for a reader"
ok "traffic does not wait for a reader"
since=$SECONDS
said=$(ctl tap stop "$n" 2>&1)
expect_ge "nor does stop: $said" $((patience - SECONDS + since)) 5
pings 3
kill -KILL "${pid[asleep]}"
finish asleep 2>/dev/null
gone "a reader that never read"

stop_pollux
expect_match "what each came to is said at the end" "$(cat "${err[pollux]}")" \
	"capture 1 to $tmp/all.pcapng: [1-9][0-9]* captured, 0 filtered, 0 lost"
sound "from the beginning to the end" "$tmp/all.pcapng" "$(json_field '.captures[0].written')"
sound "drops alone" "$tmp/drop.pcapng" "$(json_field .drops.UDP_NO_PORT)"
expect_eq "with their reason" "$(tshark -r "$tmp/drop.pcapng" -T fields -e frame.comment \
	2>/dev/null | sort -u)" "UDP_NO_PORT: no socket on this port"

# --- alone -------------------------------------------------------------------------------------
start_pollux -n made -- capture --port l=loop --port l -w "$tmp/made.pcapng"
stop_pollux -n made
expect_match "a port of ours can be made, and be looked at" "$(capinfos "$tmp/made.pcapng")" "= l"
start_pollux "--vdev=net_pcap0,rx_pcap=$tmp/theirs.pcap" -- capture -w "$tmp/alone.pcapng" -c 50
wait_pollux
expect_eq "alone it ends with its captures" "$(json_field '.captures[0].state')" "done"
packets "$tmp/alone.pcapng" >"$tmp/ours"
packets "$tmp/theirs.pcap" | head -n 50 >"$tmp/theirs"
expect "and has what came, byte by byte" cmp "$tmp/ours" "$tmp/theirs"

# --- into a pipe -------------------------------------------------------------------------------
spawn tshark sh -c "exec tshark -n -l -i - <'$tmp/live'"
prefix[live]=$id-live
# shellcheck disable=SC2016 # the inner shell's
spawn live sh -c 'fifo=$1; shift; exec "$@" >"$fifo"' sh "$tmp/live" "$POLLUX" --no-pci --no-huge \
	-m 128 -l 0 "--file-prefix=$id-live" "${eal_more[@]}" --vdev=net_tap0,iface=t1 -- \
	up --if 0,addr=10.9.0.2/24 --json capture -f icmp -w -
eventually "all but packets goes to stderr" grep -q '"ready"' "${err[live]}"
run ip link del t0 2>/dev/null
iface_up t1 10.9.0.1/24
eventually "a ping is answered" ping -q -c 1 -W 0.3 10.9.0.2
eventually "tshark prints it meanwhile" grep -q "Echo (ping) reply" "${out[tshark]}"
kill -KILL "${pid[tshark]}"
finish tshark 2>/dev/null
pings 3
eventually "that its reader is gone is said" grep -q 'capture 1 to -: .*captured' "${err[live]}"
pings 3
ok "and traffic goes on"
kill -INT "${pid[live]}"
finish live
expect_eq "it ended well" $status 0
