#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The helpers of the smoke tests keep their word: a leak, a bad exit, a run that never becomes ready
# fail a test, and no test leaves anything behind. A stand-in plays pollux.
# shellcheck disable=SC2016 # the inner scripts expand their own variables
. "$(dirname "$0")/lib.sh"

need_root
need jq
mkdir "$tmp/inner"

# The stand-in writes what its last argument but --json says on SIGINT.
cat >"$tmp/pollux" <<'END'
#!/bin/bash
mode=${*: -2:1}
[ "$mode" != refuses ] || { echo "pollux: no ports" >&2; exit 2; }
leaked=0 code=0 rx=7
case $mode in
leaks) leaked=3 code=1 ;;
unbalanced) code=3 ;;
liar) leaked=1 ;;
loser) rx=8 ;;
esac
final='{"final":true,"rx_packets":'$rx',"originated":2,"tx_packets":1,"delivered":1,"held":0,'
final+='"drops":{"STOPPED":7},"mbufs_leaked":'$leaked'}'
trap 'echo "$final"; exit $code' INT
[ "$mode" = mute ] || echo '{"ready":true}'
while :; do sleep 0.05; done
END
chmod +x "$tmp/pollux"

inner() { # script: run as a test of its own; its exit code and log
	printf '%s\n' ". $PWD/test/smoke/lib.sh" "patience=2" "$1" >"$tmp/inner/inner.sh"
	rc=0
	PLX_TEST_ID=$id-inner POLLUX=$tmp/pollux bash "$tmp/inner/inner.sh" \
		>"$tmp/inner/log" 2>&1 || rc=$?
	log=$(cat "$tmp/inner/log")
}

inner 'netns k; start_pollux -- up good; stop_pollux; expect_eq it "$(json_field .drops.STOPPED)" 7'
expect_eq "a good run passes" $rc 0
expect_match "and says what held" "$log" "ok pollux ended well.*ok it"

inner 'start_pollux -- up leaks; stop_pollux'
expect_eq "a bad exit code fails" $rc 1
inner 'start_pollux -- up liar; stop_pollux'
expect_match "a leak fails whatever the exit code" "$rc $log" "^1 .*leaked mbufs"
inner 'start_pollux -- up unbalanced; stop_pollux'
expect_match "open accounting fails" "$rc $log" "^1 .*accounting"
inner 'start_pollux -- up loser; stop_pollux'
expect_match "a packet without a fate fails whatever the exit code" "$rc $log" "^1 .*is off"
inner 'start_pollux -- up mute'
expect_match "one that is never ready fails" "$rc $log" "^1 .*not ready"
inner 'start_pollux -- up refuses'
expect_match "one that ends early fails" "$rc $log" "^1 .*before it was ready, exit code 2"
inner 'expect_refused "no port is an error" 2 "no ports" -- up refuses --json'
expect_eq "an error that is expected passes" $rc 0
inner 'expect "false is true" false'
expect_match "a claim that does not hold fails" "$rc $log" "^1 .*FAILED: false is true"
expect_eq "a link-local address as tools write it" "$(linklocal f2:7c:06:03:0a:00)" \
	fe80::f07c:6ff:fe03:a00
expect_eq "a zero group joins the double colon" "$(linklocal 02:00:00:00:00:00)" fe80::ff:fe00:0
inner 'need surely-no-such-command'
expect_match "a skip says why" "$rc $log" "^77 .*skip: no surely-no-such-command"

nap=1000.$$
inner 'netns k; start_pollux -- up good; mkdir -p /var/run/dpdk/${prefix[pollux]}
	spawn z sleep '$nap'; kill -TERM $$; sleep 5'
expect_eq "a killed test ends" $rc 143
expect_not "no namespace is left" bash -c "ip netns list | grep -q '^$id-inner'"
expect_not "no process is left" pgrep -f "^$tmp/pollux|^sleep $nap"
expect_not "no file is left" ls -d "/var/run/dpdk/$id-inner-pollux" "/tmp/$id-inner."*
