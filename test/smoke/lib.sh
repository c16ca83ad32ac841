# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the smoke tests stand on. A smoke test proves one feature against the real kernel and real
# clients, in network namespaces of its own, as root, in less than 20 s:
#
#	#!/bin/bash
#	# SPDX-License-Identifier: BSD-3-Clause
#	# Ping is answered.
#	#
#	#	 kernel          pollux
#	#	10.9.0.1 --t0-- 10.9.0.2       one line a link, the kernel on the left
#	. "$(dirname "$0")/lib.sh"
#
#	netns k
#	start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24
#	iface_up t0 10.9.0.1/24
#	expect "a ping is answered" ping -c 3 -i 0.2 -W 1 10.9.0.2
#	stop_pollux
#	expect_eq "each was counted" "$(json_field .snmp.IcmpInEchos)" 3
#
# Each claim prints 'ok WHAT'. The first that does not hold ends the test with exit code 1 and shows
# the ends of all logs; what cannot be tried here ends it by `skip REASON`, exit code 77. However
# it ends, its processes, namespaces and files go with it.
#
# Environment: PLX_BUILD, the build directory (build; build-asan and build-tsan run it all under
# the sanitizers); PLX_LONG=1, take your time; PLX_KEEP=1, keep the directory of logs. A file
# *_long.sh runs with `scripts/test --long` only.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin

: "${PLX_BUILD:=build}" "${PLX_LONG:=0}"
POLLUX=${POLLUX:-$PWD/$PLX_BUILD/app/pollux}
POLLUX_CTL=${POLLUX_CTL:-$PWD/$PLX_BUILD/app/pollux-ctl}
: "${ASAN_OPTIONS:=detect_stack_use_after_return=1:strict_string_checks=1}"
: "${UBSAN_OPTIONS:=print_stacktrace=1:halt_on_error=1}"
: "${LSAN_OPTIONS:=suppressions=$PWD/test/sanitize/lsan.supp:print_suppressions=0}"
: "${TSAN_OPTIONS:=suppressions=$PWD/test/sanitize/tsan.supp}"
export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS

# Everything of this test has a name that begins so.
id=${PLX_TEST_ID:-plx$$}
tmp=$(mktemp -d "/tmp/$id.XXXXXX")
ns= # the namespace in which commands run: set by netns and use
patience=10 # seconds that something may take
[[ $PLX_BUILD != *[at]san* ]] || patience=40

# ThreadSanitizer keeps a signal back until the thread that got it makes a call that it knows to
# block. Two threads of EAL never do, and net_tap would not hear of packets: leave them out, unless
# pollux-ctl is what the test is about.
eal_more=()
[[ $PLX_BUILD != *tsan* || $0 = */@(capture|ctl|ethtool|move|tcp|vtap)_test.sh ]] ||
	eal_more=(--no-telemetry --no-shconf)

declare -A pid=() prefix=() out=() err=() # by the name of a process
declare -A port_mac=() kernel_mac=()	  # by the kernel's end of the link
spaces=()

# --- verdicts ----------------------------------------------------------------------------------

skip() { # reason
	echo "skip: $*"
	exit 77
}

ok() { # what
	echo "ok $*"
}

fail() { # what
	echo "FAILED: $*"
	exit 1
}

need() { # command...
	local command
	for command; do
		command -v "$command" >/dev/null || skip "no $command here"
	done
}

need_root() {
	[ "$(id -u)" = 0 ] || skip "needs root (network namespaces, net_tap)"
	[ -c /dev/net/tun ] || skip "no /dev/net/tun here"
}

# Run a command here (in the namespace, if there is one).
run() { # command...
	if [ -n "$ns" ]; then
		ip netns exec "$ns" "$@"
	else
		"$@"
	fi
}

# It succeeds / it fails.
expect() { # what command...
	local what=$1 rc=0
	shift
	run "$@" >"$tmp/expect" 2>&1 || rc=$?
	if [ $rc != 0 ]; then
		echo "\$ $*"
		tail -n 20 "$tmp/expect"
		fail "$what (exit code $rc)"
	fi
	ok "$what"
}

expect_not() { # what command...
	local what=$1
	shift
	if run "$@" >"$tmp/expect" 2>&1; then
		echo "\$ $*"
		tail -n 20 "$tmp/expect"
		fail "$what (it succeeded)"
	fi
	ok "$what"
}

expect_eq() { # what got wanted
	[ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
	ok "$1"
}

expect_ge() { # what got least
	if [[ ! $2 =~ ^[0-9]+$ ]] || [ "$2" -lt "$3" ]; then
		fail "$1: got '$2', wanted at least $3"
	fi
	ok "$1"
}

expect_match() { # what text regex
	[[ $2 =~ $3 ]] || fail "$1: '$2' does not match '$3'"
	ok "$1"
}

# Try until it succeeds: what takes an unknown while (a neighbour that expires, a counter that is
# read once a second).
eventually() { # what command...
	local what=$1
	shift
	if ! eventually_quietly "$@"; then
		echo "\$ $*"
		tail -n 20 "$tmp/expect"
		fail "$what (not within $patience s)"
	fi
	ok "$what"
}

eventually_quietly() { # command...
	local end=$((SECONDS + patience))
	until run "$@" >"$tmp/expect" 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.03
	done
}

# --- namespaces and interfaces -----------------------------------------------------------------

# A new network namespace, which the commands that follow use. Kernel and Pollux share it when they
# meet on net_tap; with two, `use NAME` goes from one to the other.
netns() { # name
	need_root
	ns=$id-$1
	ip netns add "$ns" || skip "cannot make a network namespace"
	spaces+=("$ns")
	run true || skip "cannot enter a network namespace"
	run sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0
	# else it gives up a datagram when 64 fragments of others come in between: of other lcores
	run sysctl -qw net.ipv4.ipfrag_max_dist=0
	run ip link set lo up
}

use() { # name
	ns=$id-$1
}

# The kernel's end of a link: up, with addresses, without offloads that a packet socket cannot read.
# Of a net_tap port, port_mac[INTERFACE] is Pollux's MAC and kernel_mac[INTERFACE] the kernel's.
iface_up() { # interface address...
	local iface=$1 address
	shift
	kernel_mac[$iface]=$(run cat "/sys/class/net/$iface/address")
	[ -z "${kernel_mac[$iface]}" ] || port_mac[$iface]=$(port_mac_of "${kernel_mac[$iface]}")
	run ip link set "$iface" up || fail "interface $iface does not come up"
	run ethtool -K "$iface" tx off tso off gso off gro off >/dev/null 2>&1
	for address; do
		run ip address add "$address" dev "$iface" || fail "address $address on $iface"
	done
}

# Take an interface of the current namespace to another, which becomes the current one.
iface_to() { # interface name
	run ip link set "$1" netns "$id-$2" || fail "interface $1 does not move to $2"
	use "$2"
}

# net_tap gives the kernel's interface the port's MAC, from which Pollux then makes its own.
port_mac_of() { # mac
	local b
	IFS=: read -ra b <<<"$1"
	printf '%s:%02x:%s:%s:%s:%s\n' "${b[0]}" $((16#${b[1]} ^ 0x80)) "${b[@]:2}"
}

# The link-local address that goes with a MAC (RFC 4291, appendix A), written as tools write it:
# no leading zeros, and no zero group next to the double colon (RFC 5952, section 4).
linklocal() { # mac
	local b groups
	IFS=: read -ra b <<<"$1"
	groups=$(printf '%x:%x:%x:%x' $((16#${b[0]}${b[1]} ^ 0x200)) $((16#${b[2]}ff)) \
		$((16#fe${b[3]})) $((16#${b[4]}${b[5]})))
	echo "fe80::${groups#0:}"
}

# A veth pair: one end here, the other in the namespace named, both down.
veth() { # interface other-name other-interface
	run ip link add "$1" type veth peer name "$3" netns "$id-$2" || skip "no veth here"
}

# --- processes ---------------------------------------------------------------------------------

# Start something that goes on; out[name] and err[name] are its files. It ends with the test.
spawn() { # name command...
	local name=$1 in=()
	shift
	# Not run(): the background job has to be the program itself, not a shell that waits for it.
	[ -z "$ns" ] || in=(ip netns exec "$ns")
	out[$name]=$tmp/$name.out err[$name]=$tmp/$name.err
	# Here, not by the background job: what an earlier one wrote must not be read as its.
	: >"${out[$name]}"
	: >"${err[$name]}"
	# A shell's background jobs ignore SIGINT unless told otherwise.
	"${in[@]}" env --default-signal=INT,QUIT "$@" </dev/null \
		>"${out[$name]}" 2>"${err[$name]}" &
	pid[$name]=$!
}

running() { # name
	[ -n "${pid[$1]-}" ] && kill -0 "${pid[$1]}" 2>/dev/null
}

# Wait for its end, within our patience. The exit code is in $status.
finish() { # name
	local name=$1 end=$((SECONDS + patience))
	while running "$name"; do
		if [ $SECONDS -ge $end ]; then
			kill -KILL "${pid[$name]}"
			wait "${pid[$name]}" 2>/dev/null
			unset "pid[$name]"
			fail "$name did not end within $patience s"
		fi
		sleep 0.02
	done
	wait "${pid[$name]}"
	status=$?
	unset "pid[$name]"
}

# Start pollux and wait until it is ready. EAL's arguments that every test gives are added: no PCI,
# no huge pages and PLX_MEM MiB (128; if empty, neither), lcore 0 unless -l or --lcores is there, a
# file prefix, and --json.
start_pollux() { # [-n NAME] EAL-ARGUMENT... -- COMMAND ARGUMENT...
	local name=pollux end eal=(--no-pci)
	if [ "$1" = -n ]; then
		name=$2
		shift 2
	fi
	[ -x "$POLLUX" ] || fail "no $POLLUX: run ./scripts/build"
	prefix[$name]=$id-$name
	eal+=("--file-prefix=${prefix[$name]}")
	case " $* " in
	*" -l "* | *" --lcores"*) ;;
	*) eal+=(-l 0) ;;
	esac
	case " $* " in
	*" --huge-dir"* | *" --in-memory "*) ;;
	*) [ -z "${PLX_MEM-128}" ] || eal+=(--no-huge -m "${PLX_MEM-128}") ;;
	esac
	spawn "$name" "$POLLUX" "${eal[@]}" "${eal_more[@]}" "$@" --json
	end=$((SECONDS + 2 * patience))
	until grep -qsE '^ready$|"ready": ?true' "${out[$name]}"; do
		if ! running "$name"; then
			finish "$name"
			fail "pollux ended before it was ready, exit code $status: $*"
		fi
		[ $SECONDS -lt $end ] || fail "pollux was not ready within $((2 * patience)) s: $*"
		sleep 0.02
	done
}

balance='.rx_packets + .originated
	- .tx_packets - .delivered - .held - ([.drops[]] | add // 0)'
final="[.final == true, .mbufs_leaked, $balance] | @tsv"

# What must hold whenever pollux ends: exit code 0, no mbuf leaked, every packet accounted for.
check_final() { # name
	[ "$status" != 3 ] || fail "accounting of $1 does not close (exit code 3)"
	[ "$status" = 0 ] || fail "$1 ended with exit code $status"
	local last leaked off
	read -r last leaked off < <(json_field -n "$1" "$final")
	[ "$last" = true ] || fail "$1 printed no final object"
	[ "$leaked" = 0 ] || fail "$1 leaked mbufs"
	[ "$off" = 0 ] || fail "the accounting of $1 is off: $(json_field -n "$1" 'del(.ports)')"
	ok "$1 ended well: nothing leaked, accounting closed"
}

# Ask it to stop as a user does.
# shellcheck disable=SC2120 # most give no argument
stop_pollux() { # [-n NAME] [SIGNAL]
	local name=pollux
	if [ "${1-}" = -n ]; then
		name=$2
		shift 2
	fi
	if ! running "$name"; then
		finish "$name"
		fail "$name was gone before its time, exit code $status"
	fi
	kill "-${1:-INT}" "${pid[$name]}"
	finish "$name"
	check_final "$name"
}

begun=$(cut -d " " -f 1 /proc/uptime) # for memif_crashed()

# Has net_memif crashed since this began, and nothing else? The kernel says in which library it was.
memif_crashed() {
	dmesg | awk -v since="$begun" -F'[][ ]+' '/segfault at/ && $2 > since {
		n++
		other += !/ in librte_net_memif/
	} END { exit !n || other }'
}

# End one whose peer over net_memif has gone. The driver takes the rings from under an lcore that
# polls them then, and crashes (doc/guide/porting.md): `crashed` says so. Else it must end well.
# shellcheck disable=SC2034 # for the test that calls it
end_left() { # name
	crashed=
	! running "$1" || kill -INT "${pid[$1]}"
	finish "$1"
	if [ $status = 139 ] && memif_crashed; then
		crashed=yes
	else
		check_final "$1"
	fi
}

# Wait until it ends by itself (--for, --idle-exit).
# shellcheck disable=SC2120 # likewise
wait_pollux() { # [-n NAME]
	local name=pollux
	[ "${1-}" != -n ] || name=$2
	finish "$name"
	check_final "$name"
}

# A run that must be refused: one line on stderr that matches, nothing on stdout, the exit code.
expect_refused() { # what exit-code regex argument...
	local what=$1 code=$2 regex=$3 rc=0
	shift 3
	run timeout -k 5 $((2 * patience)) "$POLLUX" "$@" >"$tmp/refused.out" 2>"$tmp/refused.err" \
		</dev/null || rc=$?
	grep -qE -- "$regex" "$tmp/refused.err" ||
		fail "$what: no '$regex' on stderr: $(tail -n 3 "$tmp/refused.err")"
	[ ! -s "$tmp/refused.out" ] || fail "$what: stdout says $(head -n 1 "$tmp/refused.out")"
	expect_eq "$what" $rc "$code"
}

# The newest object that pollux printed, through jq: json_field .drops.UDP_NO_PORT (null becomes 0).
json_field() { # [-n NAME] FILTER
	local name=pollux
	if [ "$1" = -n ]; then
		name=$2
		shift 2
	fi
	tail -n 1 "${out[$name]}" | jq -r "($1) // 0" 2>/dev/null
}

ctl() { # [-n NAME] ARGUMENT...
	local name=pollux
	if [ "$1" = -n ]; then
		name=$2
		shift 2
	fi
	"$POLLUX_CTL" --file-prefix "${prefix[$name]}" "$@"
}

# Until pollux-ctl prints what matches.
eventually_ctl() { # what regex argument...
	local what=$1 regex=$2 end=$((SECONDS + patience)) said
	shift 2
	until said=$(ctl "$@" 2>&1) && [[ $said =~ $regex ]]; do
		[ $SECONDS -lt $end ] ||
			fail "$what: pollux-ctl $* does not say '$regex' within $patience s: $said"
		sleep 0.03
	done
	ok "$what"
}

# Talk to 10.9.0.2 and fd00:9::2 once they answer: pings of 45 fragments, and 128 datagrams of each
# kind of length to the echo on port 7.
kernel_talks() { # name [longest by IPv4]
	local size=0,1,17,64
	eventually "$1: a ping is answered" ping -q -c 1 -W 0.3 10.9.0.2
	eventually "$1: a ping6 too" ping -q -c 1 -W 0.3 fd00:9::2
	expect "$1: pings of 45 fragments" ping -q -c 3 -i 0.1 -W 2 -s 65000 10.9.0.2
	expect "$1: of IPv6 too" ping -q -c 3 -i 0.1 -W 2 -s 65000 fd00:9::2
	expect "$1: UDP of each size" test/smoke/flows.py 10.9.0.2 7 --flows 4 --count 16 \
		--size $size,1472,1473,9000,"${2:-65507}"
	expect "$1: of IPv6 too" test/smoke/flows.py fd00:9::2 7 --flows 4 --count 16 \
		--size $size,1452,1453,9000,65487
}

# Have fwd copy one capture file to another, to its end.
replay() { # in out argument-of-fwd...
	local from=$1 to=$2
	shift 2
	rm -f "$to"
	start_pollux "--vdev=net_pcap0,rx_pcap=$from,tx_pcap=$to" -- fwd --idle-exit 100 "$@"
	# shellcheck disable=SC2119 # it is the only one
	wait_pollux
}

# The packets of a capture file: number, length, and what tells their bytes apart.
packets() { # file
	tshark -n -r "$1" -o frame.generate_md5_hash:TRUE -T fields -e frame.number -e frame.len \
		-e frame.md5_hash 2>/dev/null
}

# Send one datagram and print what comes back.
udp_ask() { # address port text
	printf '%s' "$3" | run nc -u -w 2 -W 1 "$1" "$2"
}

# --- what was on the wire ----------------------------------------------------------------------

# Record what goes over an interface, until captured.
capture() { # interface
	spawn "tcpdump.$1" tcpdump -i "$1" -s 0 -U --immediate-mode -B 32768 -w "$tmp/$1.pcap"
	eventually_quietly grep -q 'listening on' "${err[tcpdump.$1]}" ||
		fail "tcpdump does not listen on $1"
}

# End it. What Pollux sent has to be flawless: checksums right, nothing malformed, nothing that
# tshark's experts frown at, other than what the filter allows. (DPDK's net_tap writes 0xffff for a
# sum of TCP that is 0, as if it were UDP's: the same number to who adds it up, odd to tshark. Under
# a sanitizer Pollux may be so slow that its peer sends text twice, and is told so: RFC 2883.)
captured() { # interface [filter of frames that may be odd]
	local mac=${port_mac[$1]} odd size=-1 slow=
	[[ $PLX_BUILD != *[at]san* ]] || slow=" && !tcp.options.sack.dsack"
	# What tcpdump has not read yet is lost when it ends: until the file grows no more.
	while [ "$size" != "$(stat -c %s "$tmp/$1.pcap")" ]; do
		size=$(stat -c %s "$tmp/$1.pcap")
		sleep 0.2
	done
	kill -INT "${pid[tcpdump.$1]}"
	finish "tcpdump.$1"
	odd=$(shark "$1" -Y "eth.src == $mac && (_ws.malformed || _ws.expert.severity >= 0x600000 ||
		ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0 ||
		icmp.checksum.status == 0 || icmpv6.checksum.status == 0)${2:+ && !($2)}$slow &&
		!(tcp.checksum == 0xffff && _ws.expert.message contains \"instead of 0x0000\")" \
		-T fields -e frame.number -e _ws.col.Protocol -e _ws.col.Info -e _ws.expert.message)
	[ -z "$odd" ] || fail "odd frames from Pollux on $1:
$(head -n 5 <<<"$odd")"
	ok "$1: $(shark "$1" -Y "eth.src == $mac" | wc -l) frames of Pollux's, all well formed"
}

# tshark on a capture, all checks on. Payload is not looked at: it is random, or the kernel's.
shark() { # interface argument...
	local iface=$1
	shift
	tshark -r "$tmp/$iface.pcap" -d udp.port==1-65535,data -d tcp.port==1-65535,data \
		-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
		-o tcp.check_checksum:TRUE -o ip.defragment:TRUE "$@" 2>"$tmp/shark.err" ||
		echo "tshark failed: $(tail -n 3 "$tmp/shark.err")"
}

# The number of frames of a capture that match.
frames() { # interface filter
	shark "$1" -Y "$2" -T fields -e frame.number |
		awk '/failed/ { print; exit } END { print NR }'
}

# --- frames by hand ----------------------------------------------------------------------------

# Start scapy in this namespace. That takes seconds, so once, and early: scapy() waits for it.
scapy_up() {
	cat >"$tmp/by_hand.py" <<-'END'
		import contextlib, itertools, os, sys, time, traceback
		space = {} # of the scripts
		exec("import itertools, time\nfrom scapy.all import *", space)
		for n in itertools.count():
		    name = f"{sys.argv[1]}/scapy.{n}"
		    while not os.path.exists(name + ".py"):
		        time.sleep(0.01)
		    with open(name + ".out", "w") as out, contextlib.redirect_stdout(out):
		        try:
		            exec(compile(open(name + ".py").read(), name + ".py", "exec"), space)
		            rc = 0
		        except BaseException:
		            traceback.print_exc(file=out)
		            rc = 1
		    with open(name + ".new", "w") as f:
		        print(rc, file=f)
		    os.rename(name + ".new", name + ".rc")
	END
	spawn scapy /usr/bin/python3 "$tmp/by_hand.py" "$tmp"
}

# Have scapy run the Python on stdin, and print what that prints. Names stay known from one call to
# the next. What raises an exception fails the test.
scapy() {
	local n=0 end=$((SECONDS + 3 * patience))
	while [ -e "$tmp/scapy.$n.rc" ]; do n=$((n + 1)); done
	cat >"$tmp/scapy.$n.new"
	mv "$tmp/scapy.$n.new" "$tmp/scapy.$n.py"
	until [ -e "$tmp/scapy.$n.rc" ]; do
		if [ $SECONDS -ge $end ] || ! kill -0 "${pid[scapy]}" 2>/dev/null; then
			fail "scapy does not answer: $(tail -n 3 "${err[scapy]}")"
		fi
		sleep 0.02
	done
	[ "$(cat "$tmp/scapy.$n.rc")" = 0 ] || fail "scapy: $(cat "$tmp/scapy.$n.out")"
	cat "$tmp/scapy.$n.out"
}

# --- the end -----------------------------------------------------------------------------------

cleanup() {
	local rc=$? name space
	trap '' INT TERM HUP
	trap - EXIT
	if [ $rc != 0 ] && [ $rc != 77 ]; then
		for name in "${!out[@]}"; do
			tail -n 15 "${out[$name]}" "${err[$name]}" 2>/dev/null
		done
	fi
	for name in "${!pid[@]}"; do
		kill -TERM "${pid[$name]}" 2>/dev/null
	done
	for name in "${!pid[@]}"; do
		for _ in {1..30}; do
			running "$name" || break
			sleep 0.1
		done
		kill -KILL "${pid[$name]}" 2>/dev/null
		wait "${pid[$name]}" 2>/dev/null
	done
	for space in "${spaces[@]}"; do
		ip netns pids "$space" | xargs -r kill -KILL
		ip netns delete "$space"
	done
	for name in "${prefix[@]}"; do
		rm -rf "${RUNTIME_DIRECTORY:-/var/run}/dpdk/$name" "/dev/hugepages/${name}map_"*
	done
	if [ "${PLX_KEEP:-0}" = 1 ]; then
		echo "logs: $tmp"
	else
		rm -rf "$tmp"
	fi
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
