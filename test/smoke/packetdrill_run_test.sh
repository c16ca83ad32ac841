#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# test/packetdrill/run hands packetdrill each script in each family, with the settings of common/
# sent to the adapter's socket, and tells what comes of it. A stand-in plays both.
. "$(dirname "$0")/lib.sh"

need_root
need python3 unshare
mkdir -p "$tmp/tree/tcp/common" "$tmp/tree/tcp/close"

# It says what it was told and what the script's shell command had it set; a script may fail, hang.
cat >"$tmp/packetdrill" <<'END'
#!/usr/bin/python3
import os, re, socket, subprocess, sys, time
pid = str(os.getpid())
wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
wire.bind('\0plx-packetdrill-' + pid)
text = open(sys.argv[-1]).read()
shell = subprocess.Popen(re.search('`(.*?)`', text, re.S).group(1), shell=True,
                         env=dict(os.environ, PACKETDRILL_PID=pid))
wire.settimeout(0.1)
while shell.poll() is None:
    try:
        word, child = wire.recvfrom(512)
    except socket.timeout:
        continue
    name = word.decode()
    print('set', name, flush=True)
    wire.sendto(b'unknown' if 'no_such' in name else b'ok', child)
print('pid', pid)
print('preload', os.path.basename(os.environ['LD_PRELOAD']), ' '.join(sys.argv[1:]), flush=True)
if 'hangs' in text:
    time.sleep(60)
if 'killed' in text:
    os.kill(os.getpid(), 9)
sys.exit('it says so' if 'fails' in text else 0)
END
chmod +x "$tmp/packetdrill"
: >"$tmp/lib.so"
cat >"$tmp/tree/tcp/common/defaults.sh" <<'END'
#!/bin/bash
sysctl -q net.ipv4.tcp_wmem="4096 $((256*1024)) 4194304"
sysctl -q net.ipv4.tcp_sack=1 net.ipv4.no_such_thing=1
tc qdisc add dev tun0 root pfifo
END
echo '#!/bin/false' >"$tmp/tree/tcp/common/set_sysctls.py"
chmod +x "$tmp"/tree/tcp/common/*
# shellcheck disable=SC2016 # packetdrill's shell expands it
settings='`../common/defaults.sh
../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0
/tmp/sysctl_restore_$PACKETDRILL_PID.sh`'
script() { # name words
	echo "$settings $2" >"$tmp/tree/tcp/close/$1.pkt"
}

drill() { # argument... ; its output, and its exit code in rc
	rc=0
	test/packetdrill/run --packetdrill="$tmp/packetdrill" --lib="$tmp/lib.so" "$@" \
		>"$tmp/log" 2>&1 || rc=$?
	log=$(cat "$tmp/log")
}

script good passes
drill -v "$tmp/tree"
expect_eq "a script that passes is a success" $rc 0
for family in ipv4 ipv6 mapped; do
	expect_match "it runs in $family" "$log" "PASS $family good.pkt"
	expect_match "and is counted" "$log" "$family: 1 PASS, 0 FAIL, 0 NA"
done
expect_match "the defaults are set" "$log" 'set net.ipv4.tcp_wmem=4096 262144 4194304'
expect_match "several in a line" "$log" 'set net.ipv4.tcp_sack=1'
expect_match "a path is a name" "$log" 'set net.ipv4.tcp_timestamps=0'
expect_match "what there is not is named" "$log" 'not a tunable of Pollux: net.ipv4.no_such_thing'
expect_match "the other library is preloaded" "$log" 'preload lib_fd.so --so_filename='
expect_match "IPv6 has its address" "$log" '--so_flags=ip6=fd3d:a0b:17d6::1/48'
left=0
while read -r number; do
	[ ! -e "/tmp/sysctl_restore_$number.sh" ] || left=1
done < <(sed -n 's/.*pid //p' "$tmp/log")
expect_eq "no restoring script is left" $left 0

script bad-v4 fails
drill "$tmp/tree/tcp/close/bad-v4.pkt"
expect_eq "a script that fails is a failure" $rc 1
expect_match "with the reason" "$log" 'it says so'
expect_match "one for IPv4 is left out in IPv6" "$log" 'ipv6: 0 PASS, 0 FAIL, 0 NA'
expect_match "and runs in IPv4" "$log" 'ipv4: 0 PASS, 1 FAIL, 0 NA'

script slow hangs
drill --timeout 2 --family ipv4 "$tmp/tree/tcp/close/slow.pkt"
expect_eq "a script that hangs is a failure" $rc 1
expect_match "which is told" "$log" 'it hangs: 2 s are over'

script dead killed
drill --family ipv6 "$tmp/tree/tcp/close/dead.pkt"
expect_eq "so is one whose process dies" $rc 1
expect_match "which is told" "$log" 'killed by signal 9'

mkdir -p "$tmp/tree/tcp/eor"
echo "$settings fails" >"$tmp/tree/tcp/eor/one.pkt"
drill "$tmp/tree/tcp/eor"
expect_eq "what na.txt names is not run" $rc 0
expect_match "but told" "$log" 'NA ipv4 one.pkt'
drill --all "$tmp/tree/tcp/eor"
expect_eq "unless it is asked for" $rc 1

drill "$tmp/nowhere"
expect_eq "a path that is not there is a wrong use" $rc 2
