/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pollux-ctl's tables as text, against what iproute2 6.1, nstat, ethtool and the kernel print for
 * the same figures.
 */
#include "t.h"

#include <string.h>

#include "fmt.h"

static char *out_text;
static size_t out_size;
static struct ctl_opts opts;
static struct fmt f;
static json_t *rows, *before;

static int start(void **state)
{
	opts = (struct ctl_opts){0};
	f = (struct fmt){.out = open_memstream(&out_text, &out_size), .opts = &opts};
	return f.out ? 0 : -1;
}

static int stop(void **state)
{
	fclose(f.out);
	free(out_text);
	json_decref(rows);
	json_decref(before);
	rows = before = NULL;
	return 0;
}

/* ' stands for " */
static json_t *parse(const char *text)
{
	char *json = strdup(text);
	json_error_t e;
	json_t *j;

	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	j = json_loads(json, 0, &e);
	if (!j)
		print_message("%s: %s\n", json, e.text);
	free(json);
	ok(j != NULL);
	return j;
}

static void given(const char *text)
{
	json_decref(rows);
	rows = parse(text);
}

static const char *printed(void (*print)(const struct fmt *f, const json_t *rows))
{
	fflush(f.out);
	rewind(f.out);
	print(&f, rows);
	fputc('\0', f.out);
	fflush(f.out);
	return out_text;
}

/* --- interfaces --------------------------------------------------------------------------------
 */

T(dev_is_ip_s_link)
{
	given("[{'ifindex':3,'ifname':'t0','mac':'02:00:00:00:00:01','mtu':1400,'up':1,"
	      "'running':1,'qlen':1000,'rx_bytes':516,'rx_packets':6,'multicast':2,"
	      "'tx_bytes':606,'tx_packets':7}]");
	str_eq(printed(fmt_dev),
		"3: t0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc pfifo state UP "
		"mode DEFAULT group default qlen 1000\n"
		"    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
		"    RX:  bytes packets errors dropped  missed   mcast           \n"
		"           516       6      0       0       0       2 \n"
		"    TX:  bytes packets errors dropped carrier collsns           \n"
		"           606       7      0       0       0       0 \n");
}

T(columns_grow_with_the_longest_figure_of_either_direction)
{
	given("[{'ifindex':1,'ifname':'a','mac':'02:00:00:00:00:01','mtu':1500,'up':1,"
	      "'running':1,'rx_bytes':123456789012,'rx_packets':5,'rx_errors':1,'rx_dropped':2,"
	      "'rx_missed_errors':3,'tx_bytes':4,'tx_packets':33617216,'tx_errors':12345678,"
	      "'tx_dropped':6}]");
	str_eq(printed(fmt_dev),
		"1: a: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP "
		"mode DEFAULT group default\n"
		"    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
		"    RX:    bytes  packets   errors dropped  missed   mcast           \n"
		"    123456789012        5        1       2       3       - \n"
		"    TX:    bytes  packets   errors dropped carrier collsns           \n"
		"               4 33617216 12345678       6       0       0 \n");
}

T(flags_and_states_are_ips)
{
	given("[{'ifindex':1,'ifname':'no-link','mac':'02:00:00:00:00:01','mtu':1500,'up':1,"
	      "'running':0},"
	      "{'ifindex':2,'ifname':'off','mac':'02:00:00:00:00:01','mtu':1500,'up':0,"
	      "'running':0,'promisc':1,'allmulti':1},"
	      "{'ifindex':3,'ifname':'tun','mtu':1500,'up':1,'running':1,'noarp':1},"
	      "{'ifindex':4,'ifname':'tap.5','link':'tap','mac':'02:00:00:00:00:01','mtu':1496,"
	      "'up':1,'running':1}]");
	str_eq(printed(fmt_addr),
		"1: no-link: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue "
		"state DOWN group default\n"
		"    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
		"2: off: <BROADCAST,MULTICAST,ALLMULTI,PROMISC> mtu 1500 qdisc noqueue state DOWN "
		"group default\n"
		"    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
		"3: tun: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP "
		"group default\n"
		"    link/none \n"
		"4: tap.5@tap: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1496 qdisc noqueue state UP "
		"group default\n"
		"    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n");
}

#define T0 "'ifindex':3,'ifname':'t0','mac':'02:00:00:00:00:01','mtu':1400,'up':1,'running':1"

T(addr_is_ip_addr)
{
	given("[{" T0 ",'family':'inet','local':'10.9.0.2','prefixlen':24,'scope':'global',"
	      "'state':'permanent','valid_s':4294967295,'preferred_s':4294967295},"
	      "{" T0 ",'family':'inet','local':'10.9.1.2','prefixlen':24,"
	      "'broadcast':'10.9.1.255','scope':'global','state':'permanent',"
	      "'valid_s':4294967295,'preferred_s':4294967295},"
	      "{" T0 ",'family':'inet','local':'10.1.1.1','prefixlen':32,'scope':'global',"
	      "'state':'deprecated','valid_s':100,'preferred_s':0},"
	      "{" T0 ",'family':'inet6','local':'2001:db8::1','prefixlen':64,'scope':'global',"
	      "'state':'tentative','valid_s':100,'preferred_s':50},"
	      "{" T0 ",'family':'inet6','local':'2001:db8::2','prefixlen':64,'scope':'global',"
	      "'state':'dadfailed','valid_s':4294967295,'preferred_s':4294967295},"
	      "{" T0 ",'family':'inet6','local':'fe80::ff:fe00:1','prefixlen':64,'scope':'link',"
	      "'state':'permanent','valid_s':4294967295,'preferred_s':4294967295}]");
	str_eq(printed(fmt_addr),
		"3: t0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UP "
		"group default\n"
		"    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
		"    inet 10.9.0.2/24 scope global t0\n"
		"       valid_lft forever preferred_lft forever\n"
		"    inet 10.9.1.2/24 brd 10.9.1.255 scope global t0\n"
		"       valid_lft forever preferred_lft forever\n"
		"    inet 10.1.1.1/32 scope global deprecated dynamic t0\n"
		"       valid_lft 100sec preferred_lft 0sec\n"
		"    inet6 2001:db8::1/64 scope global tentative dynamic \n"
		"       valid_lft 100sec preferred_lft 50sec\n"
		"    inet6 2001:db8::2/64 scope global dadfailed tentative \n"
		"       valid_lft forever preferred_lft forever\n"
		"    inet6 fe80::ff:fe00:1/64 scope link \n"
		"       valid_lft forever preferred_lft forever\n");
}

T(xstats_are_ethtool_s)
{
	given("[{'ifname':'a','names':['rx_good_packets','rx_q0_bytes'],'values':[12,0]},"
	      "{'ifname':'a','names':['tx_errors'],'values':[9]}]");
	f.one = true;
	str_eq(printed(fmt_xstats), "NIC statistics:\n"
				    "     rx_good_packets: 12\n"
				    "     rx_q0_bytes: 0\n"
				    "     tx_errors: 9\n");
}

T(ports_say_what_a_port_can_and_cannot)
{
	given("[{'port':0,'name':'net_tap0','driver':'net_tap','mac':'02:00:00:00:00:01',"
	      "'mtu':1500,'link':'up','mbps':10000,'queues':2,'max_queues':16,'lcores':[0,1],"
	      "'software_steering':'the driver has no RSS','features':['rx-checksumming',"
	      "'set-mtu'],'quirks':['aborts beyond 4 queues']}]");
	str_eq(printed(fmt_ports),
		"port name             driver         MAC               link           queues     "
		"lcores\n"
		"0    net_tap0         net_tap        02:00:00:00:00:01 up 10000 Mb/s  2 of 16    "
		"0,1\n"
		"     features: rx-checksumming set-mtu\n"
		"     flows are steered in software: the driver has no RSS\n"
		"     quirk: aborts beyond 4 queues\n");
}

/* --- neighbours and routes ---------------------------------------------------------------------
 */

T(neigh_is_ip_neigh)
{
	given("[{'dst':'10.9.0.9','dev':'t0','lladdr':'02:00:00:00:00:09','state':'REACHABLE'},"
	      "{'dst':'10.9.0.8','dev':'t0','lladdr':'','state':'FAILED','updated_s':60},"
	      "{'dst':'2001:db8::8','dev':'t0','lladdr':'02:00:00:00:00:07','state':'STALE',"
	      "'router':1,'updated_s':60,'probes':3}]");
	str_eq(printed(fmt_neigh), "10.9.0.9 dev t0 lladdr 02:00:00:00:00:09 REACHABLE \n"
				   "10.9.0.8 dev t0 FAILED \n"
				   "2001:db8::8 dev t0 lladdr 02:00:00:00:00:07 router STALE \n");
	opts.stats = true;
	str_eq(printed(fmt_neigh),
		"10.9.0.9 dev t0 lladdr 02:00:00:00:00:09  used 0/0/0probes 0 REACHABLE \n"
		"10.9.0.8 dev t0  used 0/0/60probes 0 FAILED \n"
		"2001:db8::8 dev t0 lladdr 02:00:00:00:00:07 router  used 0/0/60probes 3 STALE \n");
}

T(route_is_ip_route)
{
	given("[{'type':'unicast','dst':'0.0.0.0/0','gateway':'10.9.0.1','dev':'t0','metric':100},"
	      "{'type':'unicast','dst':'10.7.0.0/16','gateway':'10.9.0.1','dev':'t0',"
	      "'src':'10.9.0.2','mtu':1300},"
	      "{'type':'unreachable','dst':'10.8.0.0/16','dev':''},"
	      "{'type':'blackhole','dst':'10.6.6.6/32','dev':''},"
	      "{'type':'unicast','dst':'10.9.0.0/24','dev':'t0','proto':'kernel',"
	      "'src':'10.9.0.2'},"
	      "{'type':'unicast','dst':'10.17.0.0/16','gateway':'10.9.0.1','dev':'t0',"
	      "'proto':'static'},"
	      "{'type':'local','dst':'10.9.0.2/32','dev':'t0','proto':'kernel',"
	      "'src':'10.9.0.2'}]");
	str_eq(printed(fmt_route), "default via 10.9.0.1 dev t0 metric 100 \n"
				   "10.7.0.0/16 via 10.9.0.1 dev t0 src 10.9.0.2 mtu 1300 \n"
				   "unreachable 10.8.0.0/16 \n"
				   "blackhole 10.6.6.6 \n"
				   "10.9.0.0/24 dev t0 proto kernel scope link src 10.9.0.2 \n"
				   "10.17.0.0/16 via 10.9.0.1 dev t0 proto static \n");
}

T(route_6_is_ip_6_route)
{
	given("[{'type':'unicast','dst':'2001:db8::/64','dev':'t0','proto':'kernel','metric':256,"
	      "'expires_s':99},"
	      "{'type':'unicast','dst':'2001:db8:9::/64','gateway':'fe80::9','dev':'t0',"
	      "'metric':1024,'expires_s':99,'mtu':1280},"
	      "{'type':'unicast','dst':'2001:db8::7/128','dev':'t0','metric':1024,"
	      "'expires_s':4294967295},"
	      "{'type':'unicast','dst':'::/0','gateway':'fe80::9','dev':'t0','proto':'ra',"
	      "'metric':1024,'pref':'high'}]");
	str_eq(printed(fmt_route),
		"2001:db8::/64 dev t0 proto kernel metric 256 expires 99sec pref medium\n"
		"2001:db8:9::/64 via fe80::9 dev t0 metric 1024 expires 99sec mtu 1280 pref "
		"medium\n"
		"2001:db8::7 dev t0 metric 1024 pref medium\n"
		"default via fe80::9 dev t0 proto ra metric 1024 pref high\n");
}

/* As printed by iproute2 6.1: a redirect, and a path MTU of 1400. */
T(cache_is_ip_route_show_cache)
{
	given("[{'dst':'10.8.0.1','gateway':'10.9.0.3','dev':'t0','redirected':1,'mtu':0,"
	      "'expires_s':299},"
	      "{'dst':'10.9.0.7','gateway':'','dev':'t0','redirected':0,'mtu':1400,"
	      "'expires_s':598}]");
	str_eq(printed(fmt_cache), "10.8.0.1 via 10.9.0.3 dev t0 \n"
				   "    cache <redirected> expires 299sec \n"
				   "10.9.0.7 dev t0 \n"
				   "    cache expires 598sec mtu 1400 \n");
}

T(tcp_is_ss)
{
	given("[{'state':'LISTEN','recv_q':0,'send_q':4096,'local':'*','local_port':7,'dst':'*',"
	      "'dst_port':0,'lcore':0},"
	      "{'state':'ESTAB','recv_q':1,'send_q':22,'local':'fd00:9::2','local_port':7,"
	      "'dst':'fd00:9::1','dst_port':50000,'lcore':1}]");
	str_eq(printed(fmt_tcp),
		"State      Recv-Q Send-Q       Local Address:Port          Peer Address:Port  \n"
		"LISTEN     0      4096                     *:7                        *:*     \n"
		"ESTAB      1      22             [fd00:9::2]:7              [fd00:9::1]:50000 \n");
}

T(route_a_adds_the_local_table)
{
	given("[{'type':'local','dst':'10.9.0.2/32','dev':'t0','proto':'kernel',"
	      "'src':'10.9.0.2'},"
	      "{'type':'broadcast','dst':'10.9.0.255/32','dev':'t0','proto':'kernel',"
	      "'src':'10.9.0.2'}]");
	str_eq(printed(fmt_route), "");
	opts.zeros = true;
	str_eq(printed(fmt_route),
		"local 10.9.0.2 dev t0 proto kernel scope host src 10.9.0.2 \n"
		"broadcast 10.9.0.255 dev t0 proto kernel scope link src 10.9.0.2 \n");
}

/* --- counters ----------------------------------------------------------------------------------
 */

T(softnet_raw_is_the_kernels_file)
{
	given("[{'processed':7665,'dropped':1,'time_squeeze':2,'cpu_collision':3,"
	      "'received_rps':4,'flow_limit_count':5,'backlog_len':6,'cpu':1,'input_qlen':7,"
	      "'process_qlen':8}]");
	opts.raw = true;
	str_eq(printed(fmt_softnet),
		"00001df1 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000003 "
		"00000004 00000005 00000006 00000001 00000007 00000008\n");
	given("[{'processed':4294967298}]"); /* 32 bits, as there */
	ok(strncmp(printed(fmt_softnet), "00000002 ", 9) == 0);
}

T(softnet_has_a_header)
{
	given("[{'processed':168559744,'dropped':0,'time_squeeze':526769,'received_rps':12,"
	      "'cpu':3}]");
	str_eq(printed(fmt_softnet),
		"       processed dropped time_squeeze cpu_collision received_rps flow_limit_count "
		"backlog_len cpu input_qlen process_qlen\n"
		"       168559744       0       526769             0           12                0 "
		"          0   3          0            0\n");
}

T(sockstat_is_the_kernels_file_and_a_line_an_lcore)
{
	given("[{'lcore':0,'sockets':3,'tcp_inuse':5,'tcp_orphan':1,'tcp_tw':2,'tcp_alloc':6,"
	      "'udp_inuse':1,'raw_inuse':0,'frag_inuse':1,'frag_memory':2304,'tcp_rmem':4608,"
	      "'tcp_wmem':4096,'udp_mem':2304,'rcv_most':100000,'pressure':1,'refuse':1,"
	      "'mbufs':900,'mbufs_free':700,'reserve':128,'reserve_free':127},"
	      "{'lcore':4,'sockets':1,'tcp_inuse':1,'tcp_alloc':1,'raw_inuse':1,'refuse':1,"
	      "'mbufs':900,'mbufs_free':900,'reserve':128,'reserve_free':128}]");
	str_eq(printed(fmt_sockstat),
		"sockets: used 4\n"
		"TCP: inuse 6 orphan 1 tw 2 alloc 7 mem 3\n"
		"UDP: inuse 1 mem 1\n"
		"UDPLITE: inuse 0\n"
		"RAW: inuse 1\n"
		"FRAG: inuse 1 memory 2304\n"
		"lcore 0: received 6912 of 100000 sent 4096 mbufs 700 free of 900 "
		"reserve 127 free of 128 pressure\n"
		"lcore 4: received 0 of 0 sent 0 mbufs 900 free of 900 "
		"reserve 128 free of 128 refuses\n");
	opts.raw = true;
	ok(!strstr(printed(fmt_sockstat), "lcore"));
}

T(snmp_is_nstat)
{
	given("[{'group':'Ip','name':'InReceives','value':1234},"
	      "{'group':'Ip','name':'InHdrErrors','value':0},"
	      "{'group':'Icmp6','name':'OutNeighborAdvertisements','value':7}]");
	str_eq(printed(fmt_snmp), "#pollux\n"
				  "IpInReceives                    1234               0.0\n"
				  "Icmp6OutNeighborAdvertisements  7                  0.0\n");
	opts.zeros = true;
	str_eq(printed(fmt_snmp), "#pollux\n"
				  "IpInReceives                    1234               0.0\n"
				  "IpInHdrErrors                   0                  0.0\n"
				  "Icmp6OutNeighborAdvertisements  7                  0.0\n");
}

T(rates_are_of_the_interval)
{
	given("[{'group':'Udp','name':'InDatagrams','value':1500}]");
	before = parse("[{'group':'Udp','name':'InDatagrams','value':1000}]");
	f.before = before;
	f.seconds = 2;
	str_eq(printed(fmt_snmp), "#pollux\n"
				  "UdpInDatagrams                  1500             250.0\n");
}

T(drops_tell_reason_layer_and_meaning)
{
	given("[{'reason':'UDP_NO_PORT','layer':'udp','count':3,'text':'no socket on this port'},"
	      "{'reason':'TX_FULL','layer':'dev','count':0,'text':'unmet'}]");
	str_eq(printed(fmt_drops),
		"reason                 layer          packets         /s  meaning\n"
		"UDP_NO_PORT            udp                  3        0.0  no socket on this "
		"port\n");
}

/* A row of the table; flags: a = active, r = requested, f = fixed. */
#define FEATURE(name, group, abbr, kernel, flags)                                                  \
	json_array_append_new(rows, feature(name, group, abbr, kernel, flags))

static json_t *feature(const char *name, const char *group, const char *abbr, const char *kernel,
	const char *flags)
{
	return json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:i,s:i,s:i}", "ifname", "t0", "port", 0, "name",
		name, "group", group, "abbr", abbr, "kernel", kernel, "active",
		!!strchr(flags, 'a'), "requested", !!strchr(flags, 'r'), "fixed",
		!!strchr(flags, 'f'));
}

static void features(const char *ip4, const char *l4, const char *tso, const char *gro)
{
	given("[]");
	FEATURE("tx-checksum-ipv4-header", "tx-checksumming", "tx", "", ip4);
	FEATURE("tx-checksum-ip-generic", "tx-checksumming", "tx", "", l4);
	FEATURE("tx-tcp-segmentation", "tcp-segmentation-offload", "tso", "", tso);
	FEATURE("rx-gro", "generic-receive-offload", "gro", "rx-gro", gro);
	FEATURE("rx-rss", "", "", "", "arf");
}

T(features_are_ethtool_k)
{
	json_t *j;
	char *text;

	features("f", "ar", "r", "a");
	str_eq(printed(fmt_features), "Features for t0:\n"
				      "tx-checksumming: on\n"
				      "\ttx-checksum-ipv4-header: off [fixed]\n"
				      "\ttx-checksum-ip-generic: on\n"
				      "tcp-segmentation-offload: off\n"
				      "\ttx-tcp-segmentation: off [requested on]\n"
				      "generic-receive-offload: on [requested off]\n"
				      "rx-rss: on [fixed]\n");
	json_array_remove(rows, 0);
	json_array_remove(rows, 1);
	json_array_remove(rows, 2);
	j = fmt_features_json(rows);
	text = json_dumps(j, JSON_COMPACT);
	str_eq(text, "[{\"ifname\":\"t0\","
		     "\"tx-checksumming\":{\"active\":true,\"fixed\":null,\"requested\":null},"
		     "\"tx-checksum-ip-generic\":"
		     "{\"active\":true,\"fixed\":false,\"requested\":true},"
		     "\"generic-receive-offload\":"
		     "{\"active\":true,\"fixed\":false,\"requested\":false}}]");
	free(text);
	json_decref(j);
}

/* What is said of a line, from the features before and after; "!": nothing was changed. */
static const char *reported(const char *line)
{
	char words[128], *argv[16];
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	rewind(f.out);
	if (fmt_ethtool_changes(f.out, before, rows, argc, argv))
		fputc('!', f.out);
	fputc('\0', f.out);
	fflush(f.out);
	return out_text;
}

T(changes_are_ethtool_K)
{
	features("f", "ar", "ar", "ar");
	before = json_deep_copy(rows);
	str_eq(reported("t0 gro on"), "");
	features("f", "ar", "ar", "");
	str_eq(reported("t0 gro off"), "");
	str_eq(reported("0 rx-gro off"), "");
	str_eq(reported("t1 tx off"), "");
	features("f", "", "r", "ar");
	str_eq(reported("t0 tx off"), "Actual changes:\n"
				      "tx-checksum-ip-generic: off\n"
				      "tx-tcp-segmentation: off [not requested]\n");
	json_decref(before);
	before = json_deep_copy(rows);
	str_eq(reported("t0 tcp-segmentation-offload on"),
		"Actual changes:\ntx-tcp-segmentation: off [requested on]\n!");
	features("f", "", "r", "");
	str_eq(reported("t0 tso on gro off"),
		"Actual changes:\ntx-tcp-segmentation: off [requested on]\nrx-gro: off\n");
}

T(sysctl_is_sysctl_a)
{
	given("[{'name':'net.ipv4.ip_forward','value':1,'default':0,'min':0,'max':1,'unit':'',"
	      "'text':'forward IPv4'},"
	      "{'name':'net.core.dev_weight','value':64,'default':64,'min':1,'max':64,"
	      "'unit':'pkts','text':'packets a poll'}]");
	str_eq(printed(fmt_sysctl), "net.ipv4.ip_forward = 1\n"
				    "net.core.dev_weight = 64\n");
	opts.stats = true;
	str_eq(printed(fmt_sysctl), "# forward IPv4; default 0, 0..1\n"
				    "net.ipv4.ip_forward = 1\n"
				    "# packets a poll; default 64, 1..64 pkts\n"
				    "net.core.dev_weight = 64\n");
}

#define IDLE_HEAD                                                                                  \
	"lcore policy     busy    spin   pause   sleep backoff     sleeps  "                       \
	"slept us: p50/p99/max  late us: p50/p99/max\n"

T(idle_shares_add_up_and_quantiles_are_bounded)
{
	given("[{'lcore':2,'policy':'sleep','busy_ns':250,'spin_ns':250,'pause_ns':0,"
	      "'sleep_ns':500,'backoff_ns':0,'slept':[0,0,97,0,3],'slept_max_ns':12000,"
	      "'latency':[100],'latency_max_ns':900}]");
	str_eq(printed(fmt_idle), IDLE_HEAD
		"    2 sleep     25.0%   25.0%    0.0%   50.0%    0.0%        100        4/12/12"
		"        1/1/0\n");
	/* 100 ns later, all of them busy */
	before = parse("[{'busy_ns':150,'spin_ns':250,'sleep_ns':500}]");
	f.before = before;
	f.seconds = 1;
	ok(strstr(printed(fmt_idle), " 100.0%    0.0%    0.0%    0.0%    0.0% ") != NULL);
}

T(idle_s_draws_the_histograms)
{
	given("[{'lcore':0,'slept':[0,10,0,40],'latency':[0]}]");
	opts.stats = true;
	ok(strstr(printed(fmt_idle), "lcore 0, length of sleeps:\n"
				     "  <       2 us           10 ##########\n"
				     "  <       8 us           40 "
				     "########################################\n") != NULL);
	ok(strstr(out_text, "wake-up until") == NULL);
}

T(a_recorder_has_more_to_say)
{
	given("[{'tap':1,'state':'armed','last':'trigger: rst (1, lcore 0) at noon','triggers':2,"
	      "'covered':1,'ignored':0,'failed':0,'kept':7,'kept_bytes':952,'overwritten':5,"
	      "'reach_ms':2140}]");
	opts.stats = true;
	ok(strstr(printed(fmt_tap), "     state    armed\n"
				    "     last     trigger: rst (1, lcore 0) at noon\n") != NULL);
	ok(strstr(out_text, "     files    0\n"
			    "     triggers    2\n"
			    "     covered     1\n"
			    "     ignored     0\n"
			    "     failed      0\n"
			    "     kept        7\n"
			    "     kept_bytes  952\n"
			    "     overwritten 5\n"
			    "     reach_ms    2140\n") != NULL);
}

T(taps_are_a_list_or_all_of_each)
{
	given("[{'tap':1,'hooks':'rx,tx','ports':'','filter':'icmp','file':'/tmp/a.pcapng',"
	      "'state':'runs','seen':12,'accepted':10,'filtered':2,'full':0,'sampled':0,"
	      "'missed':7,'max_cost_ppm':50000,'cost_ppm':48123,'every':12,"
	      "'written':10,'bytes':2000,'files':1,'error':''},"
	      "{'tap':12,'hooks':'drop','ports':'v','filter':'','file':'/mnt/b.pcapng',"
	      "'state':'failed','error':'No space left on device'}]");
	str_eq(printed(fmt_tap),
		"tap state    hooks            seen   accepted   filtered     full  sampled   "
		"missed    written  file, filter\n"
		"  1 runs     rx,tx              12         10          2        0        0       "
		" 7         10  /tmp/a.pcapng  icmp\n"
		" 12 failed   drop                0          0          0        0        0       "
		" 0          0  /mnt/b.pcapng\n");
	opts.stats = true;
	str_eq(printed(fmt_tap), "tap 1\n"
				 "     state    runs\n"
				 "     hooks    rx,tx\n"
				 "     filter   icmp\n"
				 "     file     /tmp/a.pcapng\n"
				 "     seen     12\n"
				 "     accepted 10\n"
				 "     filtered 2\n"
				 "     full     0\n"
				 "     sampled  0\n"
				 "     missed   7\n"
				 "     written  10\n"
				 "     unfit    0\n"
				 "     bytes    2000\n"
				 "     files    1\n"
				 "     cost     4.81% of at most 5%, one packet of 12\n"
				 "tap 12\n"
				 "     state    failed\n"
				 "     error    No space left on device\n"
				 "     hooks    drop\n"
				 "     ports    v\n"
				 "     file     /mnt/b.pcapng\n"
				 "     seen     0\n"
				 "     accepted 0\n"
				 "     filtered 0\n"
				 "     full     0\n"
				 "     sampled  0\n"
				 "     missed   0\n"
				 "     written  0\n"
				 "     unfit    0\n"
				 "     bytes    0\n"
				 "     files    0\n");
}

/* --- what is wanted ----------------------------------------------------------------------------
 */

static size_t selected(struct fmt_filter filter)
{
	json_t *some = fmt_select(rows, &filter);
	size_t n = json_array_size(some);

	json_decref(some);
	return n;
}

T(rows_are_chosen_by_pattern_and_family)
{
	given("[{'dev':'tap0','dst':'10.0.0.0/8'},{'dev':'tap1','dst':'::/0'},"
	      "{'dev':'ring','dst':'fe80::/64'},{'ifname':'tap0','local':''}]");
	eq(selected((struct fmt_filter){0}), 4);
	eq(selected((struct fmt_filter){.v4 = true}), 1);
	eq(selected((struct fmt_filter){.v6 = true}), 2);
	eq(selected((struct fmt_filter){.v4 = true, .v6 = true}), 4);
	eq(selected((struct fmt_filter){.only = "tap0", .key = "dev"}), 1);
	eq(selected((struct fmt_filter){.only = "tap*", .key = "dev"}), 2);
	eq(selected((struct fmt_filter){.only = "tap*", .key = "dev", .v6 = true}), 1);
	eq(selected((struct fmt_filter){.only = "tap", .key = "dev"}), 0);
	given("[{'group':'Udp','name':'InErrors'},{'group':'Udp6','name':'InErrors'}]");
	eq(selected((struct fmt_filter){.only = "UdpIn*", .key = "group", .key2 = "name"}), 1);
	given("[{'tap':1},{'tap':12},{'tap':'1'},{}]");
	eq(selected((struct fmt_filter){.only = "1", .key = "tap"}), 2);
}

/* What a newer or broken process sends must not crash. */
T(rows_without_their_keys_print)
{
	given("[{},{'names':7,'values':'x','slept':{},'lcores':3,'ifname':5,'dst':null}]");
	printed(fmt_dev);
	printed(fmt_addr);
	printed(fmt_neigh);
	printed(fmt_route);
	printed(fmt_cache);
	printed(fmt_tcp);
	printed(fmt_softnet);
	printed(fmt_sockstat);
	printed(fmt_snmp);
	printed(fmt_drops);
	printed(fmt_sysctl);
	printed(fmt_idle);
	printed(fmt_xstats);
	printed(fmt_ports);
	printed(fmt_tap);
}

#define F_(name) cmocka_unit_test_setup_teardown(name, start, stop)

RUN(F_(dev_is_ip_s_link), F_(columns_grow_with_the_longest_figure_of_either_direction),
	F_(flags_and_states_are_ips), F_(addr_is_ip_addr), F_(xstats_are_ethtool_s),
	F_(ports_say_what_a_port_can_and_cannot), F_(neigh_is_ip_neigh), F_(route_is_ip_route),
	F_(route_6_is_ip_6_route), F_(cache_is_ip_route_show_cache), F_(tcp_is_ss),
	F_(route_a_adds_the_local_table), F_(softnet_raw_is_the_kernels_file),
	F_(softnet_has_a_header), F_(sockstat_is_the_kernels_file_and_a_line_an_lcore),
	F_(snmp_is_nstat), F_(rates_are_of_the_interval), F_(drops_tell_reason_layer_and_meaning),
	F_(features_are_ethtool_k), F_(changes_are_ethtool_K), F_(sysctl_is_sysctl_a),
	F_(idle_shares_add_up_and_quantiles_are_bounded), F_(idle_s_draws_the_histograms),
	F_(taps_are_a_list_or_all_of_each), F_(a_recorder_has_more_to_say),
	F_(rows_are_chosen_by_pattern_and_family), F_(rows_without_their_keys_print))
