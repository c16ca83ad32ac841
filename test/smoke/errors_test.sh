#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each row of the catalogue of errors that the command line, EAL, devices and a run can bring about:
# two lines that say what, why and what to do, the right exit code, nothing on stdout, nothing left
# behind.
. "$(dirname "$0")/lib.sh"

prefix[errors]=$id-errors
eal=(--no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-errors")
null=("${eal[@]}" --vdev=net_null0)
usage=2 failure=1 accounting=3

# Refused: the last two lines on stderr are the error and its remedy.
refused() { # what exit-code regex-of-error regex-of-remedy argument...
	local what=$1 code=$2 error=$3 remedy=$4 last
	shift 4
	expect_refused "$what" "$code" "$error" "$@"
	mapfile -t last < <(tail -n 2 "$tmp/refused.err")
	if [[ ${last[0]} != "pollux: "* ]] || [[ ! ${last[0]} =~ $error ]]; then
		fail "$what: the error is '${last[0]}'"
	fi
	[[ ${last[1]} =~ ^\ \ -\>\ .*$remedy ]] || fail "$what: the remedy is '${last[1]}'"
	[ ! -e "${RUNTIME_DIRECTORY:-/var/run}/dpdk/$id-errors" ] ||
		fail "$what: EAL's files are left behind"
}

quiet() { # what: there were no other lines
	expect_eq "$1" "$(wc -l <"$tmp/refused.err")" 2
}

# --- the command line: seen before EAL starts ---
refused "no command" $usage "no command given" "pollux -- --help"
refused "no command behind --" $usage "no command given" "" "${null[@]}" --
refused "unknown command" $usage "unknown command 'fly'" "--help" -- fly
refused "unknown option" $usage "fwd: unknown option '--fly'" "fwd --help" -- fwd --fly
refused "short options are unknown" $usage "unknown option '-x'" "" -- fwd -x
refused "not a choice" $usage "bad value 'fly' for --mode" "io mac macswap" -- fwd --mode fly
refused "not a number" $usage "bad value '1x' for --burst" "from 0 to 64" -- fwd --burst 1x
refused "out of bounds" $usage "bad value '65' for --burst" "" -- fwd --burst=65
refused "a flag with a value" $usage "bad value 'no' for --json" "no value" -- fwd --json=no
refused "no value" $usage "option --mode needs a value" "choose one of" -- fwd --mode
refused "an operand too many" $usage "unexpected argument 'x'" "fwd --help" -- fwd x
refused "a bad peer" $usage "bad value '0,xx' for --eth-peer" "form:" -- fwd --eth-peer 0,xx
quiet "EAL was not even asked"

# --- EAL ---
refused "unknown EAL option" $usage "unrecognized option '--fly'" "--eal-help" --fly -- ports
quiet "EAL's hundred lines of usage are kept away"
refused "an lcore that is not there" $usage "lcore 99 unavailable" "" -l 99 -- ports
refused "memory that is not there" $failure "could not reserve the memory" "-m" \
	--no-pci --no-huge -m 99999999 "--file-prefix=$id-errors" -- ports
if grep -q '^HugePages_Free: *0$' /proc/meminfo; then
	refused "no huge pages" $failure "no huge pages" "--no-huge" \
		--no-pci "--file-prefix=$id-errors" -- ports
fi
start_pollux -n first --vdev=net_null0 -- fwd --mode rxonly
refused "a prefix in use" $failure "same --file-prefix" "prefix of its own" \
	--no-pci --no-huge "--file-prefix=$id-first" -l 0 --vdev=net_null0 -- ports
expect "the other one's files are still there" test -S "/var/run/dpdk/$id-first/mp_socket"
stop_pollux -n first

# --- devices that EAL would silently go without ---
refused "unknown driver" $failure "net_tpa0: there is no such driver" "net_tap" \
	"${eal[@]}" --vdev=net_tpa0 -- ports
refused "no such interface" $failure "no interface 'nope'" "ip link" \
	"${eal[@]}" --vdev=net_af_packet0,iface=nope -- ports
refused "no interface named" $failure "does not say which interface" "iface=NAME" \
	"${eal[@]}" --vdev=net_af_packet0 -- ports
refused "the driver's own reason" $failure "net_memif0: .*Unknown role: king" "log-level" \
	"${eal[@]}" --vdev=net_memif0,role=king -- ports
quiet "nothing else is said"
refused "no capture file" $failure "capture file $tmp/none: No such file" "check the path" \
	"${eal[@]}" "--vdev=net_pcap0,rx_pcap=$tmp/none" -- ports
refused "no capture" $failure "capture file /etc/passwd: unknown file format" "capinfos" \
	"${eal[@]}" --vdev=net_pcap0,rx_pcap=/etc/passwd -- ports
: >"$tmp/empty"
refused "an empty file" $failure "capture file $tmp/empty: " "" \
	"${eal[@]}" "--vdev=net_pcap0,rx_pcap=$tmp/empty" -- ports
refused "nowhere to write" $failure "capture file /nowhere/x: No such file" "" \
	"${eal[@]}" --vdev=net_pcap0,tx_pcap=/nowhere/x -- ports
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	weak=(setpriv '--bounding-set=-net_admin,-net_raw')
	POLLUX_REAL=$POLLUX
	printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${weak[*]}" "$POLLUX" >"$tmp/weak"
	chmod +x "$tmp/weak"
	POLLUX=$tmp/weak
	refused "no privilege for a tap" $failure "net_tap0 needs the capability cap_net_admin" \
		"setcap cap_net_admin" "${eal[@]}" --vdev=net_tap0 -- ports
	refused "no privilege for a packet socket" $failure "needs the capability cap_net_raw" \
		"setcap" "${eal[@]}" --vdev=net_af_packet0,iface=lo -- ports
	printf '#!/bin/sh\nmount -t tmpfs none /dev/net && exec "%s" "$@"\n' "$POLLUX_REAL" \
		>"$tmp/hide"
	printf '#!/bin/sh\nexec unshare -m sh %s "$@"\n' "$tmp/hide" >"$tmp/weak"
	if unshare -m mount -t tmpfs none /dev/net 2>/dev/null; then
		refused "no TUN" $failure "net_tap0: there is no /dev/net/tun" "modprobe tun" \
			"${eal[@]}" --vdev=net_tap0 -- ports
	fi
	POLLUX=$POLLUX_REAL
fi

# --- ports, queues, memory ---
refused "no ports" $usage "no ports" "--vdev=net_tap0" "${eal[@]}" -- fwd
refused "no ports to list" $usage "no ports" "" "${eal[@]}" -- ports
refused "a port that is not there" $usage "no port named '7'" "ports" \
	"${null[@]}" -- fwd --eth-peer 7,02:00:00:00:00:01
refused "a driver of ours that is not there" $usage "pollux: --port x=fly: no such driver" "form:" \
	"${null[@]}" -- fwd --port x=fly
refused "a name that is taken" $usage "this name is taken" "" \
	"${null[@]}" -- fwd --port net_null0=loop
refused "a frame that fits no buffer" $usage "bad value '8000' for --size" "up to 1514" \
	"${null[@]}" -- fwd --mode txonly --size 8000
refused "more queues than the driver has" $failure "2 queues wanted, the driver gives 1" "" \
	"${eal[@]}" "--vdev=net_pcap0,tx_pcap=$tmp/out" -- fwd --queues 2
refused "more queues than an lcore polls" $failure "would poll 80 queues, at most 64" "" \
	"${null[@]}" --vdev=net_null{1,2,3,4} -- fwd --queues 16
refused "an lcore without a queue" $failure "lcore 1 has no queue" "fewer lcores" \
	--no-pci --no-huge -m 128 "--file-prefix=$id-errors" --lcores '(0-1)@0' \
	"--vdev=net_pcap0,tx_pcap=$tmp/out" -- fwd
refused "no memory for packets" $failure "not enough memory for pool plx_lcore0: [0-9]+ mbufs" \
	"raise EAL's -m" "${null[@]}" -- fwd --mbufs 10000000
if [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then
	netns k
	refused "5 queues on a tap" $failure "aborts with more than 4 queues, 5 were asked" \
		"at most 4 lcores" --no-pci --no-huge -m 256 "--file-prefix=$id-errors" \
		--lcores '(0-4)@0' --vdev=net_tap0,iface=t0 -- fwd
	refused "too few buffers for the driver" $failure \
		"port net_tap0: setting up queues failed" "raise EAL's -m" \
		"${eal[@]}" --vdev=net_tap0,iface=t0 -- fwd --mbufs 100 --rxd 512
	expect_not "the tap is gone" ip link show t0
	ns=
fi

dir=${RUNTIME_DIRECTORY:-/var/run}/dpdk/$id-errors
mkdir -p "$dir/pollux.sock"
expect_refused "no control socket" $failure "control socket $dir/pollux.sock: " "${null[@]}" -- fwd
rmdir "$dir/pollux.sock" "$dir" 2>/dev/null

# --- each step of opening and running fails in turn ---
need cc pkg-config
read -ra flags < <(pkg-config --cflags libdpdk)
expect "the shim compiles" cc -shared -fPIC -D_GNU_SOURCE "${flags[@]}" \
	-o "$tmp/fail.so" test/smoke/fail.c
export LD_PRELOAD=$tmp/fail.so
[[ $PLX_BUILD != *asan* ]] || LD_PRELOAD=$(cc -print-file-name=libasan.so):$LD_PRELOAD
two=("${null[@]}" --vdev=net_null1)
for step in configure tx_queue rx_queue start; do
	PLX_FAIL=$step refused "$step fails" $failure "port net_null[01]: .* failed: Input/output" \
		"log" "${two[@]}" -- fwd
done
PLX_FAIL=epoll refused "no more files" $failure "could not set up an epoll set: Too many open" \
	"ulimit" "${two[@]}" -- fwd
rc=0
PLX_FAIL=leak "$POLLUX" "${null[@]}" -- fwd --mode rxonly --for 1 --json \
	>"$tmp/leak.out" 2>"$tmp/leak.err" || rc=$?
unset LD_PRELOAD
expect_eq "a packet buffer that is lost fails the run" $rc $accounting
expect_match "and is counted" "$(tail -n 1 "$tmp/leak.out")" '"mbufs_leaked":1'
expect_match "and said" "$(cat "$tmp/leak.err")" "accounting does not close: 1 mbufs did not"
