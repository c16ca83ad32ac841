#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Offloads are shown and switched while traffic goes on, as by ethtool -k and -K: of net_tap, and of
# our TAP, which has the kernel told.
#
#	 kernel                      pollux
#	10.9.0.1 --t0-- net_tap0: 10.9.0.2     echo 7
#	10.8.0.1 --t1-- v (vtap): 10.8.0.2     echo 7
. "$(dirname "$0")/lib.sh"

need ping nc jq ethtool tcpdump tshark sha256sum
netns k
start_pollux -l 0-1 --vdev=net_tap0,iface=t0 -- up --port v=vtap,iface=t1,queues=2 \
	--if net_tap0,addr=10.9.0.2/24 --if v,addr=10.8.0.2/24 --tcp-echo 7
iface_up t0 10.9.0.1/24
run ip address add 10.8.0.1/24 dev t1
kernel_mac[t1]=$(run cat /sys/class/net/t1/address)
port_mac[t1]=$(port_mac_of "${kernel_mac[t1]}")
mib=4
head -c $((mib << 20)) /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")

# What ethtool says of a port, its exit code in $rc.
says() { # argument...
	rc=0
	said=$(ctl ethtool "$@" 2>&1) || rc=$?
}

shows() { # what port line
	says -k "$2"
	grep -qxF -- "$3" <<<"$said" || fail "$1: no line '$3' in $said"
	ok "$1"
}

# Switched, and exactly this is printed.
switches() { # what text argument...
	local what=$1 text=$2
	shift 2
	says -K "$@"
	expect_eq "$what" "$rc:$said" "0:$text"
}

refuses() { # what exit-code regex argument...
	local what=$1 code=$2 regex=$3
	shift 3
	says "$@"
	expect_eq "$what" "$rc" "$code"
	expect_match "... and why" "$said" "$regex"
}

echo_of() { # address
	run timeout $((3 * patience)) nc -N "$1" 7 <"$tmp/data" | sha256sum
}

talks() { # what address
	expect_eq "$1: $mib MiB come back" "$(echo_of "$2")" "$sum"
}

count() { # of dev -S: of all queues
	ctl dev -S v | awk -v name="^vtap_rx_queue_[0-9]+_$1:" '
		$1 ~ name { n += $2 } END { print n }'
}

eventually "net_tap answers" ping -q -c 1 -W 1 10.9.0.2
eventually "vtap answers" ping -q -c 1 -W 1 10.8.0.2

# --- as the real one prints ---------------------------------------------------------------------

# Names as they are indented, without what stands behind the colon.
names() {
	sed -n '2,$s/:.*//p'
}
real=$(run ethtool -k t0 | names)
for port in net_tap0 v; do
	says -k $port
	expect_eq "$port: the title" "$(head -n 1 <<<"$said")" "Features for $port:"
	expect_eq "$port: each line has the form" "$(tail -n +2 <<<"$said" |
		grep -cvP '^\t?[a-z0-9-]+: (on|off)( \[fixed\]| \[requested (on|off)\])?$')" 0
	ours=$(names <<<"$said")
	expect_eq "$port: in ethtool's order, and as indented" "$(grep -xF -- "$real" <<<"$ours")" \
		"$(grep -xF -- "$ours" <<<"$real")"
	expect_ge "$port: many are Linux's" "$(grep -cxF -- "$real" <<<"$ours")" 13
done
for name in rx-checksumming tx-checksumming tx-checksum-ip-generic; do
	expect_eq "JSON has ethtool's keys of $name" \
		"$(ctl ethtool -k v --json | jq -c ".[0].\"$name\" | map_values(type)")" \
		"$(run ethtool --json -k t0 | jq -c ".[0].\"$name\" | map_values(type)")"
done
expect_eq "each feature is there" "$(ctl ethtool -k v --json | jq '.[0] | length - 1 - 3')" \
	"$(sed -n '/^#define PLX_PORT_FEATURES/,/^$/s/^\tX(.*/x/p' lib/port/plx_port.h | wc -l)"
expect_eq "all ports, one after the other" "$(ctl ethtool -k | grep Features)" \
	"Features for net_tap0:
Features for v:"
shows "it is GRO's time" v "generic-receive-offload: on"
shows "and GSO's" v "generic-segmentation-offload: on"
shows "not yet UDP's" v "rx-udp-gro-forwarding: off"
shows "net_tap merges nothing" net_tap0 "large-receive-offload: off [fixed]"
shows "nor lets its receive checksums go" net_tap0 "rx-checksumming: on [fixed]"

# --- what depends on what ------------------------------------------------------------------------

# Linux knows UDP's super-datagrams on a TAP since 6.2; an older one's are [fixed] off
uso=$'\n'"tx-udp-segmentation:"
[ "$(ctl ethtool -k v --json | jq '.[0]."tx-udp-segmentation".fixed')" = false ] || uso=
switches "a base takes what needs it" "Actual changes:
tx-scatter-gather: off
tx-tcp-segmentation: off [not requested]
tx-generic-segmentation: off [not requested]${uso:+$uso off [not requested]}" v sg off
shows "... which waits" v $'\ttx-tcp-segmentation: off [requested on]'
says -K v tso off gso off
expect_eq "... and can be given up meanwhile" "$rc" 0
refuses "it cannot come alone" 1 "Actual changes:.tx-tcp-segmentation: off \[requested on\]
pollux-ctl: Could not change any device features" -K v tso on
switches "but with its base" "Actual changes:
tx-scatter-gather: on
tx-tcp-segmentation: on [not requested]${uso:+$uso on [not requested]}" v sg on
switches "what was given up stays off" "" v gso on
switches "nothing to do, nothing said" "" v gso on sg on rxhash off
switches "both receive offloads" "" v rx off lro off
switches "in one line" "" v rx on lro on
says -K v tx off
expect_eq "tx is all checksums" "$rc" 0
shows "... as far as there are some" v "tx-checksumming: off"
switches "back" "Actual changes:
tx-checksum-ip-generic: on
tx-tcp-segmentation: on [not requested]${uso:+$uso on [not requested]}" v tx on

# --- what they do --------------------------------------------------------------------------------

kernel_leaves() { # feature on|off
	expect_match "the kernel's $1 is $2" "$(run ethtool -k t1)" "$1: $2"
}
kernel_leaves tx-tcp-segmentation on
was=$(count super_packets)
talks "all on" 10.8.0.2
expect_ge "... in merged packets" "$(count super_packets)" $((was + 10))
ctl ethtool -K v lro off
kernel_leaves tx-tcp-segmentation off
was=$(count super_packets)
talks "without LRO" 10.8.0.2
expect_eq "... in none" "$(count super_packets)" "$was"
ctl ethtool -K v rx off
kernel_leaves tx-checksum-ip-generic off
was=$(count partial_checksums)
talks "without rx" 10.8.0.2
expect_eq "... with checksums" "$(count partial_checksums)" "$was"
ctl ethtool -K v tx off >/dev/null
talks "without tx" 10.8.0.2
capture t1
head -c 100000 "$tmp/data" | run timeout $patience nc -N 10.8.0.2 7 >/dev/null
captured t1 # with a look at each checksum
ctl ethtool -K v rx on tx on lro on >/dev/null
kernel_leaves tx-checksum-ip-generic on
kernel_leaves tx-tcp-segmentation on
shows "all is back" v "large-receive-offload: on"

# --- while it runs -------------------------------------------------------------------------------

spawn ping.v ping -q -i 0.02 -w 300 10.8.0.2
spawn ping.tap ping -q -i 0.02 -w 300 10.9.0.2
for port in net_tap0:10.9.0.2 v:10.8.0.2; do
	name=${port%:*} address=${port#*:}
	mapfile -t switchable < <(ctl ethtool -k "$name" --json | jq -r \
		'.[0] | to_entries[] | select(.value.fixed? == false) | .key')
	expect_ge "$name: some can be switched" ${#switchable[@]} 5
	for feature in "${switchable[@]}"; do
		was=$(ctl ethtool -k "$name" --json | jq ".[0].\"$feature\".active")
		for state in off on off; do
			ctl ethtool -K "$name" "$feature" $state >/dev/null ||
				fail "$name: $feature $state"
			expect_eq "$name: $feature $state, $mib MiB" "$(echo_of "$address")" "$sum"
		done
		[ "$was" = false ] || ctl ethtool -K "$name" "$feature" on >/dev/null
	done
	echo_of "$address" >"$tmp/meanwhile" &
	transfer=$!
	n=0
	while kill -0 $transfer 2>/dev/null; do
		for state in off on; do
			for feature in sg tx gso gro rx lro tso; do
				ctl ethtool -K "$name" $feature $state >/dev/null 2>&1
				n=$((n + 1))
			done
		done
	done
	wait $transfer
	expect_eq "$name: $mib MiB come back meanwhile" "$(<"$tmp/meanwhile")" "$sum"
	expect_ge "... often" $n 14
done
for name in ping.v ping.tap; do
	kill -INT "${pid[$name]}"
	finish $name
	read -r asked answered < <(sed -nE \
		's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' "${out[$name]}")
	# the end may come between a question and its answer
	expect_ge "$name lost nothing" "$answered" $((asked - 1))
done

# --- lines that are wrong ------------------------------------------------------------------------

refuses "an unknown port" 1 "no 'eth7'" -k eth7
refuses "an unknown port to be changed" 1 "no device 'eth7' \(ENODEV\)" -K eth7 tso on
refuses "an unknown feature" 1 "no feature 'nosuch' \(EOPNOTSUPP\)" -K v gro off nosuch on
shows "... nothing was changed" v "generic-receive-offload: on"
refuses "neither on nor off" 2 "flag 'tso' is not followed by 'on' or 'off'" -K v tso
refuses "another word" 2 "flag 'gro' is not followed by 'on' or 'off'" -K v tso on gro maybe
refuses "no feature" 2 "incomplete; form: -K PORT" -K v
refuses "no port" 2 "incomplete; form: -K PORT" -K
refuses "a name that is two" 2 "'gro=on tso' is no flag" -K v "gro=on tso" on
refuses "not what to do" 2 "one of -k, -K, -S" v
refuses "two things to do" 2 "one of -k, -K, -S" -k -K v
refuses "a fixed one" 1 \
	"net_tap0: Could not change any device features: lro is off \[fixed\] \(EOPNOTSUPP\)" \
	-K net_tap0 lro on
refuses "one that is no offload" 1 "set-mtu is on \[fixed\]" -K v set-mtu off
says -S v
expect_match "-S is there, too" "$said" "NIC statistics:.*vtap_rx_queue_0_calls: "
stop_pollux
expect_eq "no checksum was wrong" "$(json_field '.snmp.TcpInErrs')" 0
expect_eq "nothing was dropped for its form" "$(json_field \
	'[.drops | keys[] | select(test("^[TR]X_|MBUF|CHECKSUM"))] | length')" 0

# --- without a stack -----------------------------------------------------------------------------

start_pollux -n fwd -- fwd --port a=pipe,peer=b --mode csum --no-offload
rc=0
ctl -n fwd ethtool -K a tx on gro off >"$tmp/fwd" 2>&1 || rc=$?
expect_eq "fwd switches them, too" "$rc:$(<"$tmp/fwd")" "0:"
expect_match "... as they say" "$(ctl -n fwd ethtool -k a)" \
	$'tx-checksumming: on.*generic-receive-offload: off\n'
expect_not "a pipe merges nothing" ctl -n fwd ethtool -K b lro on
stop_pollux -n fwd
