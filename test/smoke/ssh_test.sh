#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ssh through `pollux proxy`: a terminal in which each stroke is echoed without a timer's help
# (Nagle's algorithm against delayed ACKs), a stream each way with its checksum, an end of input.
#
#	 kernel             pollux
#	10.9.0.1   --t0--  10.9.0.2     22 -> 10.9.0.1:2200, dropbear
. "$(dirname "$0")/lib.sh"

need dropbear dbclient dropbearkey python3 sha256sum unshare
netns k
export PLX_MEM=256
mib=4
[[ $PLX_BUILD != *[at]san* ]] || mib=2
start_pollux -- proxy --port v=vtap,iface=t0 --if v,addr=10.9.0.2/24 --listen 22 --to 10.9.0.1:2200
run ip address add 10.9.0.1/24 dev t0
eventually "the neighbour is found" ping -q -c 1 -W 1 10.9.0.2

# A home of its own hides the user's: dropbear believes only the user's authorized_keys.
home=$(getent passwd "$(id -u)" | cut -d: -f6)
user=$(id -un)
mkdir -m 700 "$tmp/home" "$tmp/home/.ssh"
dropbearkey -t ed25519 -f "$tmp/host" >/dev/null 2>&1 || fail "no host key"
dropbearkey -t ed25519 -f "$tmp/key" 2>/dev/null | grep ^ssh- >"$tmp/home/.ssh/authorized_keys"
chmod 600 "$tmp/home/.ssh/authorized_keys"
cat >"$tmp/server" <<END2
#!/bin/sh
mount --bind '$tmp/home' '$home' && exec dropbear -F -E -s -r '$tmp/host' -P '' -p 10.9.0.1:2200
END2
spawn dropbear unshare --mount sh "$tmp/server"
ssh=(dbclient -y -y -i "$tmp/key" -p 22 "$user@10.9.0.2")

eventually "somebody can log in" bash -c "[ \"\$(${ssh[*]} echo hello 2>/dev/null)\" = hello ]"

head -c $((mib << 20)) /dev/urandom >"$tmp/data"
sum=$(sha256sum <"$tmp/data")
expect_eq "$mib MiB go to the server, and the end of input" \
	"$(run timeout $((3 * patience)) "${ssh[@]}" sha256sum <"$tmp/data" 2>/dev/null)" "$sum"
expect_eq "$mib MiB come from the server" \
	"$(run timeout $((3 * patience)) "${ssh[@]}" "cat $tmp/data" </dev/null 2>/dev/null |
		sha256sum)" "$sum"

# One stroke at a time, each waits for its echo; then faster than echoes come, as one pastes.
cat >"$tmp/strokes.py" <<'END2'
import os, pty, select, sys, time
patience = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b""
def until(what):
    global seen
    end = time.monotonic() + patience
    while what not in seen:
        left = end - time.monotonic()
        assert left > 0 and select.select([fd], [], [], left)[0], (what, seen)
        seen += os.read(fd, 4096)
    seen = seen.split(what, 1)[1]
until(b"ready")
os.write(fd, b"first\n")
until(b"first")
until(b"first") # the terminal's echo, and cat's
took = []
for i in range(100):
    key = bytes([97 + i % 26])
    began = time.monotonic()
    os.write(fd, key)
    until(key)
    took.append(time.monotonic() - began)
    time.sleep(0.01)
took.sort()
print("a stroke took %.1f ms, the worst %.1f" % (took[50] * 1e3, took[-1] * 1e3))
assert took[50] < 0.1, "a timer's help"
os.write(fd, b"\n")
line = bytes(97 + i % 26 for i in range(1000))
for i in range(0, 1000, 7): # pasted
    os.write(fd, line[i:i + 7])
os.write(fd, b"\n\4")
until(b"over")
assert os.waitpid(pid, 0)[1] == 0
END2
strokes=$(run timeout $((3 * patience)) /usr/bin/python3 "$tmp/strokes.py" $patience \
	"${ssh[@]}" -t "echo ready; cat; echo over" 2>&1) || fail "a terminal: $strokes"
expect_match "each stroke in a terminal is echoed" "$strokes" "a stroke took"
echo "$strokes"
kill "${pid[dropbear]}"
finish dropbear
stop_pollux
expect_ge "all connections went through" "$(json_field .connections)" 4
expect_eq "no checksum was wrong" "$(json_field .snmp.TcpInErrs)" 0
