#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each row of the catalogue of errors is provoked: one line that says what, why and what to do, the
# right exit code, nothing on stdout, nothing left behind. A row that nothing here provokes fails.
. "$(dirname "$0")/lib.sh"

prefix[errors]=$id-errors
eal=(--no-pci --no-huge -m 128 -l 0 "--file-prefix=$id-errors")
null=("${eal[@]}" --vdev=net_null0)
usage=2 failure=1 accounting=3
catalogue=lib/base/plx_base_err.def

# The line that each row makes, as a regular expression; what comes from a file says its line first.
declare -A line=() seen=()
# shellcheck disable=SC2016 # sed's dollars
while IFS=$'\t' read -r row text; do
	line[$row]="^pollux: ([^ ]+:[0-9]+: )?$text\$"
done < <(sed -nE 's/^X\(([A-Z_]+), "(.*)", "(.*)"\)$/\1\t\2; \3/p' "$catalogue" |
	sed -E 's/[][\\.*^$()+?{}|]/\\&/g; s/%[su]/.*/g')
expect_eq "the catalogue is understood" ${#line[@]} "$(grep -c '^X(' "$catalogue")"

# What a run could leave: interfaces, mappings of huge pages, EAL's files.
traces() {
	run ip -o link show | cut -d: -f2
	find /dev/hugepages -name '*map_*' 2>/dev/null
	find "${RUNTIME_DIRECTORY:-/var/run}/dpdk" -path "*/$id-errors*" 2>/dev/null
}

said() { # row what: the error is this row's, in one line; a driver's own words may stand before it
	local said
	said=$(grep '^pollux: ' "$tmp/refused.err")
	[[ $said =~ ${line[$1]} ]] || fail "$2: '$said' is not what $1 says"
	if [ "$(tail -n 1 "$tmp/refused.err")" != "$said" ] ||
		[ "$(wc -l <"$tmp/refused.err")" -gt 3 ]; then
		fail "$2: there are other lines: $(cat "$tmp/refused.err")"
	fi
	seen[$1]=1
}

refused() { # row exit-code what regex argument...
	local row=$1 code=$2 what=$3 regex=$4 now
	shift 4
	expect_refused "$what" "$code" "$regex" "$@"
	said "$row" "$what"
	now=$(traces)
	[ "$now" = "$clean" ] || fail "$what: left behind: $(diff <(echo "$clean") <(echo "$now"))"
}
clean=$(traces)

# --- the command line: seen before EAL starts --------------------------------------------------
refused COMMAND_MISSING $usage "no command" "; .*pollux -- --help"
refused COMMAND_MISSING $usage "no command behind --" "no command given" "${null[@]}" --
refused COMMAND_UNKNOWN $usage "unknown command" "'fly'; .*--help" -- fly
refused COMMAND_UNKNOWN $usage "a command of two lines" "'f\?ly'" -- $'f\nly'
refused COMMAND_UNKNOWN $usage "a command of 5000 letters" "'x{240}'?; see" \
	-- "$(printf '%05000d' 0 | tr 0 x)"
refused OPTION_UNKNOWN $usage "unknown option" "fwd: .*'--fly'; .*fwd --help" -- fwd --fly
refused OPTION_UNKNOWN $usage "short options are unknown" "'-x'" -- fwd -x
refused OPTION_VALUE $usage "not a choice" "'fly' for --mode; .*io mac macswap" -- fwd --mode fly
refused OPTION_VALUE $usage "not a number" "'1x' for --burst; .*from 0 to 64" -- fwd --burst 1x
refused OPTION_VALUE $usage "out of bounds" "'65' for --burst" -- fwd --burst=65
refused OPTION_VALUE $usage "far out of bounds" "--seed; " -- fwd --seed 99999999999999999999
refused OPTION_VALUE $usage "an empty number" "'' for --burst" -- fwd --burst=
refused OPTION_VALUE $usage "a flag with a value" "'no' for --json; .*no value" -- fwd --json=no
refused OPTION_NO_VALUE $usage "no value" "--mode needs a value; choose one of" -- fwd --mode
refused OPTION_NO_VALUE $usage "no item" "--if needs a value; form: --if PORT,K=V\.\.\.$" -- up --if
mapfile -t many < <(yes -- --udp-echo=1 | head -n 65)
refused OPTION_VALUE $usage "65 items" "for --udp-echo; .*64 times" -- up "${many[@]}"
refused OPERAND $usage "an operand too many" "'x'; .*fwd --help" -- fwd x
refused OPTION_VALUE $usage "a bad peer" "'0,xx' for --eth-peer; form:" -- fwd --eth-peer 0,xx

# --- what up is asked to do --------------------------------------------------------------------
one=(--if "0,addr=10.9.0.2/24")
refused OPTION_MISSING $usage "no interface" "up: --if is missing; .*up --help" -- up
refused OPTION_MISSING $usage "no file to check" "config: check FILE is missing" -- config check
refused OPERAND $usage "two files to check" "argument 'b'" -- config check a b
refused IF_SPEC $usage "an unknown key" "--if 0,adr=1: unknown key" -- up --if 0,adr=1
refused IF_SPEC $usage "no port" "must come first" -- up --if addr=10.9.0.2/24
refused IF_SPEC $usage "an empty interface" "must come first" -- up --if ""
refused IF_SPEC $usage "an impossible VLAN" "vlan must be 1 to 4094" -- up --if 0,vlan=4095
refused IF_SPEC $usage "two gateways" "more than one gateway" -- up --if 0,gw=10.9.0.1,gw=10.9.0.3
refused ADDR_BAD $usage "a bad address" "'10.9.0.256/24'" -- up --if 0,addr=10.9.0.256/24
refused ADDR_BAD $usage "no length" "'10.9.0.2': .*prefix length" -- up --if 0,addr=10.9.0.2
refused ADDR_BAD $usage "a bad gateway" "'x': not an address of a gateway" -- up --if 0,gw=x
refused ADDR_BAD $usage "a group that is none" "not a multicast" -- up --if 0,group=10.9.0.2
refused ROUTE_SPEC $usage "no prefix" "not a prefix" -- up "${one[@]}" --route x,via=10.9.0.1
refused ROUTE_SPEC $usage "no way" "neither a gateway" -- up "${one[@]}" --route 10.7.0.0/16
refused OPTION_VALUE $usage "no lcores" "'0=' for --rps; form" -- up "${one[@]}" --rps 0=
refused OPTION_VALUE $usage "no port to spread" "for --rps; form" -- up "${one[@]}" --rps 1-2
refused UDP_PORT_IN_USE $usage "two services on a port" "UDP port 7 is taken; .*--udp-sink" \
	-- up "${one[@]}" --udp-echo 7 --udp-sink 7
refused OPTION_VALUE $usage "a port that is none" "'65536' for --udp-echo; .*1 to 65535" \
	-- up "${one[@]}" --udp-echo 65536
refused OPTION_VALUE $usage "an unknown tunable" "'net.x=1' for --sysctl; no such" \
	-- up "${one[@]}" --sysctl net.x=1
refused OPTION_VALUE $usage "a tunable out of bounds" "for --sysctl; .* from 0 to 1$" \
	-- up "${one[@]}" --sysctl net.ipv4.ip_forward=2

# --- what the programs on sockets are asked to do -------------------------------------------------
refused OPTION_MISSING $usage "no interface" "http: --if is missing; .*http --help" -- http
refused OPTION_VALUE $usage "no place to listen" "http: .*'x' for --listen; form: 80" \
	-- http "${one[@]}" --listen x
refused OPTION_VALUE $usage "no such directory" "'$tmp/none' for --root; No such file" \
	-- http "${one[@]}" --root "$tmp/none"
refused OPTION_VALUE $usage "a bad tunable of http" "http: bad value 'x' for --sysctl" \
	-- http "${one[@]}" --sysctl x
refused OPTION_MISSING $usage "nobody to talk to" "load: one of --tcp-rr.* is missing" \
	-- load "${one[@]}"
refused OPTION_MISSING $usage "two to talk to" "load: one of --tcp-rr.* is missing" \
	-- load "${one[@]}" --tcp-rr 10.9.0.1:7 --http 10.9.0.1:80
refused OPTION_VALUE $usage "no address" "'7' for --udp-rr; form:" -- load "${one[@]}" --udp-rr 7
refused OPTION_VALUE $usage "no range" "'10.9.0.9-10.9.0.1' for --src; form:" \
	-- load "${one[@]}" --tcp-rr 10.9.0.1:7 --src 10.9.0.9-10.9.0.1
refused OPTION_VALUE $usage "another family" "'fd00::1' for --src; of the same family" \
	-- load "${one[@]}" --tcp-rr 10.9.0.1:7 --src 10.9.0.9 --src fd00::1
refused OPTION_VALUE $usage "no datagram is so long" "for --size; .*65507" \
	-- load "${one[@]}" --udp-rr 10.9.0.1:7 --size 65508
refused OPTION_VALUE $usage "TCP is connected" "for --unconnected; of --udp-stream" \
	-- load "${one[@]}" --tcp-rr 10.9.0.1:7 --unconnected
refused OPTION_VALUE $usage "no path" "'x y' for --path; form:" \
	-- load "${one[@]}" --http 10.9.0.1:80 --path "x y"
refused OPTION_VALUE $usage "a name server that is none" "load: .*'x' for --nameserver; form:" \
	-- load "${one[@]}" --tcp-rr www.example:7 --nameserver x
refused OPTION_VALUE $usage "no domain" "load: .*'' for --search; .*253" \
	-- load "${one[@]}" --tcp-rr www.example:7 --search ""
refused OPTION_VALUE $usage "a domain too long" "load: .*'1+'? for --search; .*253" \
	-- load "${one[@]}" --tcp-rr www.example:7 --search "$(printf '%0254d' 0 | tr 0 1)"
refused OPTION_VALUE $usage "a port behind the last" \
	"traceroute: .*'65447' for --dport; 65446 at most" \
	-- traceroute "${one[@]}" --dport 65447 10.9.0.1
refused OPTION_VALUE $usage "no port" "traceroute: .*'65536' for --dport" \
	-- traceroute "${one[@]}" --tcp --dport 65536 10.9.0.1
refused OPTION_VALUE $usage "an address mistyped" "proxy: .*'10.9.0:80' for --to; form:" \
	-- proxy "${one[@]}" --listen 80 --to 10.9.0:80
refused OPTION_MISSING $usage "a proxy to nowhere" "proxy: --to is missing" \
	-- proxy "${one[@]}" --listen 80
refused OPTION_VALUE $usage "a service nowhere" "echo: .*'0' for --listen; form:" \
	-- echo "${one[@]}" --listen 0

# --- and by a file: the line first, the file's name once ----------------------------------------
c=$tmp/c.ini
in_file() { # row what regex line...
	printf '%s\n' "${@:4}" >"$c"
	refused "$1" $usage "$2" "^pollux: $c:$3" -- config check "$c"
	expect_eq "... and names the file once" "$(grep -o "$c" "$tmp/refused.err" | wc -l)" 1
}
refused CONFIG_FILE $usage "no file" "$tmp/none: No such file" -- up --config "$tmp/none"
refused CONFIG_FILE $usage "a directory" "$tmp: Is a directory" -- config check "$tmp"
in_file CONFIG_LINE "an unknown key of [up]" "2: unknown key in \[up\]" "[up]" "fly = 1"
in_file CONFIG_LINE "an unknown section" "2: unknown section" "[down]" "fly = 1"
in_file CONFIG_LINE "a section without keys" "1: a section without keys" "[if 0]"
in_file CONFIG_LINE "a key outside of a section" "1: unknown section" "mtu = 1500"
in_file CONFIG_LINE "a line that is nothing" "2: neither" "[up]" "hello"
in_file CONFIG_LINE "a line that is too long" "2: the line is too long" "[up]" "$(printf %300d 1)"
in_file CONFIG_LINE "an unknown key of [resolver]" "2: unknown key in \[resolver\]" "[resolver]" \
	"fly = 1"
in_file OPTION_VALUE "a bad name server" "2: .*'10.9.0' for --nameserver; form" "[resolver]" \
	"nameserver = 10.9.0"
in_file OPTION_VALUE "too many name servers" "10: .* for --nameserver; .*8 of them" "[resolver]" \
	"nameserver = 10.9.0."{1..9}
in_file OPTION_VALUE "no domain" "2: .*'' for --search; .*253" "[resolver]" "search ="
in_file OPTION_VALUE "too many domains" "10: .*'d9' for --search; .*8 of them" "[resolver]" \
	"search = d"{1..9}
in_file ADDR_BAD "a bad address" "3: bad address '10.9.0'" "[if 0]" "mtu = 1500" "gw = 10.9.0"
in_file IF_SPEC "a bad MTU" "2: --if 0,mtu=7: mtu must be" "[if 0]" "mtu = 7"
in_file ROUTE_SPEC "a bad route" "4: --route" "[if 0]" "mtu = 1500" "[up]" "route = x"
in_file OPTION_VALUE "a bad map" "2: .* for --rps; form" "[up]" "rps = 0=3-1"
in_file OPTION_VALUE "a bad tunable" "2: .* for --sysctl; form" "[up]" "sysctl = x"
in_file TCP_PORT_IN_USE "two services of TCP" "3: TCP port 7" "[up]" "tcp-echo = 7" "tcp-sink = 7"
in_file UDP_PORT_IN_USE "two services" "3: UDP port 7" "[up]" "udp-echo = 7" "udp-sink = 7"

# --- EAL ---------------------------------------------------------------------------------------
refused EAL_OPTION $usage "EAL's unknown option" "'--fly'; .*--eal-help" --fly -- ports
refused EAL_OPTION $usage "memory that is no number" "-m takes a number" -m abc -- ports
refused EAL_OPTION $usage "an lcore that is not there" "lcore 99 unavailable" -l 99 -- ports
refused EAL_INIT $failure "memory that is not there" "could not reserve the memory .*; .*-m" \
	--no-pci --no-huge -m 99999999 "--file-prefix=$id-errors" -- ports
refused EAL_INIT $failure "no huge pages, but wanted" "no huge pages; .*vm.nr_hugepages" \
	--no-pci "--huge-dir=$tmp" "--file-prefix=$id-errors" -- ports
RUNTIME_DIRECTORY=/proc refused EAL_INIT $failure "no run-time directory" \
	"Error creating '/proc/dpdk': .*; have RUNTIME_DIRECTORY" "${null[@]}" -- ports
refused EAL_INIT $failure "a prefix that is a path" "Error creating .*; .*--file-prefix has no" \
	--no-pci --no-huge --file-prefix=a/b -- ports
start_pollux -n first --vdev=net_null0 -- fwd --mode rxonly
refused EAL_INIT $failure "a prefix in use" "same --file-prefix; .*prefix of its own" \
	--no-pci --no-huge "--file-prefix=$id-first" -l 0 --vdev=net_null0 -- ports
expect "the other one's files are still there" test -S "/var/run/dpdk/$id-first/mp_socket"
stop_pollux -n first

# --- devices that EAL would silently go without ------------------------------------------------
refused VDEV_FAILED $failure "unknown driver" "net_tpa0: there is no such driver; .*net_tap" \
	"${eal[@]}" --vdev=net_tpa0 -- ports
refused VDEV_FAILED $failure "a device twice" "net_null0: it is given twice" \
	"${null[@]}" --vdev=net_null0 -- ports
refused VDEV_FAILED $failure "no such interface" "no interface 'nope'; 'ip link'" \
	"${eal[@]}" --vdev=net_af_packet0,iface=nope -- ports
refused VDEV_FAILED $failure "no interface named" "does not say which interface; .*iface=NAME" \
	"${eal[@]}" --vdev=net_af_packet0 -- ports
refused VDEV_FAILED $failure "the driver's own reason" "net_memif0: .*role: king; .*log-level" \
	"${eal[@]}" --vdev=net_memif0,role=king -- ports
refused PCAP_FILE $failure "no capture file" "$tmp/none: No such file .*; check the path" \
	"${eal[@]}" "--vdev=net_pcap0,rx_pcap=$tmp/none" -- ports
refused PCAP_FILE $failure "no capture" "/etc/passwd: unknown file format; .*capinfos" \
	"${eal[@]}" --vdev=net_pcap0,rx_pcap=/etc/passwd -- ports
: >"$tmp/empty"
refused PCAP_FILE $failure "an empty file" "$tmp/empty: " \
	"${eal[@]}" "--vdev=net_pcap0,rx_pcap=$tmp/empty" -- ports
refused PCAP_FILE $failure "nowhere to write" "/nowhere/x: No such file" \
	"${eal[@]}" --vdev=net_pcap0,tx_pcap=/nowhere/x -- ports

need_root
need setpriv
refused VDEV_FAILED $failure "a name too long" "too long; .*15 characters" \
	"${eal[@]}" --vdev=net_tap0,iface=abcdefghijklmnop -- ports
weak() { # command before pollux...
	printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$*" "$POLLUX" >"$tmp/weak"
	chmod +x "$tmp/weak"
}
strong=$POLLUX
weak setpriv --bounding-set=-net_admin,-net_raw
POLLUX=$tmp/weak
refused NO_PRIVILEGE $failure "no privilege for a tap" \
	"net_tap0 needs the capability cap_net_admin; .*setcap cap_net_admin" \
	"${eal[@]}" --vdev=net_tap0 -- ports
refused NO_PRIVILEGE $failure "no privilege for a packet socket" "cap_net_raw; .*setcap" \
	"${eal[@]}" --vdev=net_af_packet0,iface=lo -- ports
POLLUX=$strong
if unshare -m mount -t tmpfs none /dev/net 2>/dev/null; then
	# shellcheck disable=SC2016 # the inner shell's
	weak unshare -m sh -c "'mount -t tmpfs none /dev/net && exec \"\$0\" \"\$@\"'"
	POLLUX=$tmp/weak
	refused VDEV_FAILED $failure "no TUN" "net_tap0: there is no /dev/net/tun; .*modprobe tun" \
		"${eal[@]}" --vdev=net_tap0 -- ports
	POLLUX=$strong
fi

# --- ports, queues, memory ---------------------------------------------------------------------
refused NO_PORTS $usage "no ports" "; .*--vdev=net_tap0" "${eal[@]}" -- fwd
refused NO_PORTS $usage "no ports to list" "" "${eal[@]}" -- ports
refused NO_PORTS $usage "no ports for a stack" "" "${eal[@]}" -- up "${one[@]}"
refused PORT_UNKNOWN $usage "a port that is not there" "'7'; .*ports" \
	"${null[@]}" -- fwd --eth-peer 7,02:00:00:00:00:01
refused PORT_UNKNOWN $usage "an interface's port" "'1'" "${null[@]}" -- up --if 1,addr=10.9.0.2/24
refused PORT_SPEC $usage "a driver of ours that is not there" "--port x=fly: no such driver" \
	"${null[@]}" -- fwd --port x=fly
refused PORT_SPEC $usage "a name that is taken" "this name is taken" \
	"${null[@]}" -- fwd --port net_null0=loop
refused IF_SPEC $usage "an interface twice" "are an interface already" \
	"${null[@]}" -- up "${one[@]}" --if net_null0,addr=10.8.0.2/24
refused IF_SPEC $usage "an address twice" "an address is given twice" \
	"${null[@]}" -- up --if 0,addr=10.9.0.2/24,addr=10.9.0.2/24
refused IF_SPEC $usage "an address that no host has" "no host can have" \
	"${null[@]}" -- up --if 0,addr=224.0.0.1/24
refused IF_SPEC $usage "more groups than there may be" "No buffer space" \
	"${null[@]}" -- up --if 0,group=224.1.0.1,group=ff02::99 \
	--sysctl net.ipv4.igmp_max_memberships=1
refused ROUTE_SPEC $usage "a gateway far away" "on none of our networks" \
	"${null[@]}" -- up "${one[@]}" --route 10.7.0.0/16,via=10.6.0.1
refused PORT_UNKNOWN $usage "a port that is not there, to be spread" "'eth7:0'" \
	"${null[@]}" -- up "${one[@]}" --rps eth7:0=0
refused OPTION_VALUE $usage "a queue that is not there" "'0:9=0' for --rps; .*fewer queues" \
	"${null[@]}" -- up "${one[@]}" --rps 0:9=0
refused OPTION_VALUE $usage "an lcore that is not there" "'0=200' for --rps; .*-l" \
	"${null[@]}" -- up "${one[@]}" --rps 0=200
refused ROUTE_SPEC $usage "a route by nothing" "no such interface" \
	"${null[@]}" -- up "${one[@]}" --route 10.7.0.0/16,if=eth7
refused OPTION_VALUE $usage "a frame that fits no buffer" "'8000' for --size; .*up to 1514" \
	"${null[@]}" -- fwd --mode txonly --size 8000
refused PORT_QUEUES $failure "more queues than the driver has" "2 queues .* gives 1" \
	"${eal[@]}" "--vdev=net_pcap0,tx_pcap=$tmp/out" -- fwd --queues 2
refused LCORE_QUEUES $failure "more queues than an lcore polls" "80 queues, at most 64" \
	"${null[@]}" --vdev=net_null{1,2,3,4} -- fwd --queues 16
refused LCORE_NO_QUEUE $failure "an lcore without a queue" "lcore 1 .*; .*fewer lcores" \
	--no-pci --no-huge -m 128 "--file-prefix=$id-errors" --lcores '(0-1)@0' \
	"--vdev=net_pcap0,tx_pcap=$tmp/out" -- fwd
refused NO_MEMORY $failure "no memory for packets" "plx_lcore0: [0-9]+ mbufs.*; raise EAL's -m" \
	"${null[@]}" -- fwd --mbufs 10000000
netns k
clean=$(traces)
refused TAP_QUEUES $failure "5 queues on a tap" "5 were asked for; use at most 4 lcores" \
	--no-pci --no-huge -m 256 "--file-prefix=$id-errors" --lcores '(0-4)@0' \
	--vdev=net_tap0,iface=t0 -- fwd
refused PORT_OPEN $failure "too few buffers for the driver" \
	"net_tap0: setting up queues failed: .*; raise EAL's -m" \
	"${eal[@]}" --vdev=net_tap0,iface=t0 -- fwd --mbufs 100 --rxd 512
refused IF_SPEC $usage "an MTU that the port cannot have" "the port refuses this MTU" \
	"${eal[@]}" --vdev=net_tap0,iface=t0 -- up --if 0,mtu=65535

# --- our own TAP -------------------------------------------------------------------------------
vtap=("${eal[@]}" -- up --if "v,addr=10.9.0.2/24" --port)
refused PORT_SPEC $usage "an unknown key of a vtap" "keys of a vtap: iface, .*vtap\|vtun" \
	"${vtap[@]}" v=vtap,fly=1
refused PORT_SPEC $usage "too many queues of a vtap" "queues must be 1 to 16" \
	"${vtap[@]}" v=vtap,queues=17
refused PORT_SPEC $usage "a bad name of an interface" "iface must be 1 to 15" \
	"${vtap[@]}" v=vtap,iface=a/b
refused PORT_QUEUES $failure "more queues than a vtap is to have" "2 queues .* gives 1" \
	"${vtap[@]}" v=vtap,queues=1 --queues 2
refused PORT_OPEN $failure "no such namespace" \
	"port v: its network namespace failed: No such file .*; 'ip netns list'" \
	"${vtap[@]}" v=vtap,netns=nope
refused PORT_OPEN $failure "an interface that is no TAP" \
	"attaching to its interface failed: Invalid .*; it must be a TAP" \
	"${vtap[@]}" v=vtap,iface=lo
refused PORT_OPEN $failure "too few buffers for a vtap" "setting up queues failed: .*; raise" \
	"${vtap[@]}" v=vtap,iface=t0 --mbufs 20
run ip tuntap add t1 mode tap
clean=$(traces)
start_pollux -n first -- "${vtap[@]:((${#eal[@]} + 1))}" v=vtap,iface=t1
refused PORT_OPEN $failure "an interface in use" \
	"attaching to its interface failed: Device or resource busy; who has it" \
	"${vtap[@]}" v=vtap,iface=t1
stop_pollux -n first
run ip link delete t1
clean=$(traces)
strong=$POLLUX
weak setpriv --bounding-set=-net_admin,-net_raw
POLLUX=$tmp/weak
refused NO_PRIVILEGE $failure "no privilege for a vtap" "v needs the capability cap_net_admin; " \
	"${vtap[@]}" v=vtap,iface=t0
POLLUX=$strong
ns=
clean=$(traces)

dir=${RUNTIME_DIRECTORY:-/var/run}/dpdk/$id-errors
mkdir -p "$dir/pollux.sock"
expect_refused "no control socket" $failure "control socket $dir/pollux.sock: " "${null[@]}" -- fwd
said CONTROL_SOCKET "no control socket"
rmdir "$dir/pollux.sock" "$dir" 2>/dev/null

# --- each step of opening and running fails in turn --------------------------------------------
need cc pkg-config
read -ra flags < <(pkg-config --cflags libdpdk)
expect "the shim compiles" cc -shared -fPIC -D_GNU_SOURCE "${flags[@]}" \
	-o "$tmp/fail.so" test/smoke/fail.c
export LD_PRELOAD=$tmp/fail.so
[[ $PLX_BUILD != *asan* ]] || LD_PRELOAD=$(cc -print-file-name=libasan.so):$LD_PRELOAD
two=("${null[@]}" --vdev=net_null1)
for step in configure tx_queue rx_queue start; do
	PLX_FAIL=$step refused PORT_OPEN $failure "$step fails" \
		"port net_null[01]: .* failed: Input/output .*; .*log" "${two[@]}" -- fwd
done
PLX_FAIL=epoll refused RUN $failure "no more files" "an epoll set: Too many open .*; .*ulimit" \
	"${two[@]}" -- fwd
unset LD_PRELOAD
expect "the other shim compiles" cc -shared -fPIC -D_GNU_SOURCE "${flags[@]}" \
	-o "$tmp/leak.so" test/smoke/leak.c
leak=$tmp/leak.so
[[ $PLX_BUILD != *asan* ]] || leak=$(cc -print-file-name=libasan.so):$leak
rc=0
LD_PRELOAD=$leak "$POLLUX" "${null[@]}" -- fwd --mode rxonly --for 1 --json \
	>"$tmp/leak.out" 2>"$tmp/refused.err" || rc=$?
expect_eq "a packet buffer that is lost fails the run" $rc $accounting
expect_match "and is counted" "$(tail -n 1 "$tmp/leak.out")" '"mbufs_leaked":1'
said ACCOUNTING "and said"

rc=0 # that it is `ready` may be said before
"$POLLUX" "${null[@]}" -- load "${one[@]}" --hosts "$tmp/none" --resolv-conf "$tmp/none" \
	--tcp-rr nosuch.example:7 >/dev/null 2>"$tmp/refused.err" || rc=$?
expect_eq "a name that nobody knows" $rc $failure
said NAME "and said"

# --- and that was all of them ------------------------------------------------------------------
for row in "${!line[@]}"; do
	[ -n "${seen[$row]-}" ] || fail "nothing here provokes $row of $catalogue"
done
ok "each of the ${#line[@]} rows of the catalogue was provoked"
