#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A router's advertisements give Pollux addresses, a default route, times and a hop limit, and take
# them away again; nobody can take an address away at once (RFC 4862 5.5.3 e).
#
#	 kernel, and a router by scapy      pollux
#	fe80::... 2001:db8:1::1   --t0--   fe80::... 2001:db8:1:0:...
. "$(dirname "$0")/lib.sh"

need ping python3 tcpdump tshark jq
netns k
scapy_up
start_pollux --vdev=net_tap0,iface=t0 -- up --if 0,addr=10.9.0.2/24 \
	--sysctl net.ipv6.conf.all.router_solicitations=3
iface_up t0 10.9.0.1/24 2001:db8:1::1/64
capture t0

scapy <<END
def router(lifetime, *prefixes, src="fe80::1", hlim=255, mtu=None, **ra):
    p = (Ether(src="${kernel_mac[t0]}", dst="33:33:00:00:00:01") /
        IPv6(src=src, dst="ff02::1", hlim=hlim) / ICMPv6ND_RA(routerlifetime=lifetime, **ra) /
        ICMPv6NDOptSrcLLAddr(lladdr="${kernel_mac[t0]}"))
    if mtu:
        p /= ICMPv6NDOptMTU(mtu=mtu)
    for prefix, valid, preferred, flags in prefixes:
        p /= ICMPv6NDOptPrefixInfo(prefix=prefix, prefixlen=64, L="L" in flags, A="A" in flags,
            validlifetime=valid, preferredlifetime=preferred)
    sendp(p, iface="t0", verbose=0)
END
ra() { # arguments of router()
	scapy <<<"router($1)"
}

# The kernel has the router's link-local address too, so that it answers for it.
run ip address add fe80::1/64 dev t0

ll=$(linklocal "${port_mac[t0]}")
mine=2001:db8:1:0:${ll#fe80::}
eventually_ctl "a link-local address" "$ll/64 scope link[^a-z]*valid" addr
ra '1800, ("2001:db8:1::", 86400, 14400, "LA"), mtu=1400, chlim=33'
eventually_ctl "an address of the prefix" "$mine/64 scope global dynamic" addr
eventually_ctl "and its lifetimes" "valid_lft 86[0-9]{3}sec preferred_lft 14[0-9]{3}sec" addr
eventually_ctl "it passes duplicate address detection" \
	"$mine/64 scope global dynamic *[^a-z]*valid_lft" addr
expect "ping it" ping -q -c 2 -i 0.02 -W $patience "$mine"
eventually_ctl "a default route" "default via fe80::1 dev net_tap0 proto ra" -6 route
eventually_ctl "the prefix is on the link" "2001:db8:1::/64 dev net_tap0 proto ra" -6 route
expect "a longer ping" ping -q -c 1 -W $patience -s 1400 "$mine"
run ip address add 2001:db8:ffff::1/128 dev lo
expect "the default route leads out" ping -q -c 1 -W $patience -I 2001:db8:ffff::1 "$mine"
expect_match "with the router's hop limit" "$(run ping -c 1 -W $patience "$mine")" "ttl=33"

ra '1800, ("2001:db8:1::", 10, 2, "LA")'
eventually_ctl "a valid lifetime of 10 s makes it two hours, not less" \
	"valid_lft 7[12][0-9]{2}sec preferred_lft [0-2]sec" addr
eventually_ctl "it is deprecated when its preferred lifetime ends" \
	"$mine/64 scope global deprecated dynamic" addr
expect "and still answers" ping -q -c 1 -W $patience "$mine"
ra '1800, ("2001:db8:1::", 86400, 14400, "LA")'
eventually_ctl "an advertisement makes it good again" "$mine/64 scope global dynamic" addr

ra '1800, ("2001:db8:2::", 2, 1, "A")'
eventually_ctl "a second prefix" "2001:db8:2:0:.*/64 scope global .*dynamic" addr
ra '1800, ("2001:db8:3::", 86400, 14400, "L")'
eventually_ctl "one that is on the link alone" "2001:db8:3::/64 dev net_tap0 proto ra" -6 route
expect_eq "gives no address" "$(ctl addr | grep -c 2001:db8:3)" 0
expect_eq "one for addresses alone is no route" "$(ctl -6 route | grep -c 2001:db8:2::/64)" 0
end=$((SECONDS + patience))
until [ "$(ctl addr | grep -c 2001:db8:2)" = 0 ]; do
	[ $SECONDS -lt $end ] || fail "an address outlives its valid lifetime: $(ctl addr)"
	sleep 0.1
done
ok "an address goes when its valid lifetime ends"

before=$(ctl addr | grep -c dynamic)
ra '1800, ("2001:db8:4::", 86400, 14400, "LA"), src="2001:db8:1::9"'
ra '1800, ("2001:db8:4::", 86400, 14400, "LA"), hlim=64'
ra '1800, ("2001:db8:4::", 10, 20, "LA")'
ra '1800, ("fe80::", 86400, 14400, "LA")'
ra '0'
end=$((SECONDS + patience))
until [ "$(ctl -6 route | grep -c ^default)" = 0 ]; do
	[ $SECONDS -lt $end ] || fail "the router is still there: $(ctl -6 route)"
	sleep 0.1
done
ok "the router says goodbye: its route is gone"
expect_eq "advertisements that cannot be give nothing" "$(ctl addr | grep -c dynamic)" "$before"
expect_not "nothing leads out" ping -q -c 1 -W 1 -I 2001:db8:ffff::1 "$mine"
captured t0

stop_pollux
expect_eq "from no link-local address: malformed" "$(json_field .drops.ND_MALFORMED)" 1
expect_eq "from beyond the link" "$(json_field .drops.ND_HOPLIMIT)" 1
expect_ge "no route for the answer" "$(json_field .drops.IP_NO_ROUTE)" 1
# The first one may have been sent before the capture began.
expect_ge "Pollux had solicited" "$(json_field .snmp.Icmp6OutRouterSolicits)" 1
expect_eq "no solicitation but to all routers" "$(frames t0 "eth.src == ${port_mac[t0]} &&
	icmpv6.type == 133 && !(ipv6.dst == ff02::2 && ipv6.hlim == 255)")" 0
expect_ge "and probed for duplicates" "$(frames t0 "eth.src == ${port_mac[t0]} &&
	icmpv6.type == 135 && ipv6.src == :: && icmpv6.nd.ns.target_address == $mine")" 1
expect_eq "the longer answer was cut for the router's MTU" "$(frames t0 "
	eth.src == ${port_mac[t0]} && ipv6.fraghdr.more == 1 && frame.len > 1400 &&
	frame.len <= 1414")" 1
