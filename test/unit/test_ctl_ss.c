/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `pollux-ctl ss`: which rows, and their text against what ss of iproute2 6.1 prints for the same
 * figures into a pipe.
 */
#include "t.h"

#include <string.h>

#include "fmt.h"
#include "ss.h"

static char *out_text;
static size_t out_size;
static struct ctl_opts opts;
static struct fmt f;
static json_t *rows;

static unsigned int complaints;

void ctl_complain(const char *format, ...)
{
	complaints++;
}

static int start(void **state)
{
	opts = (struct ctl_opts){.ss = {.tcp = true, .states = SS_ALL}};
	f = (struct fmt){.out = open_memstream(&out_text, &out_size), .opts = &opts};
	rows = json_array();
	return f.out ? 0 : -1;
}

static int stop(void **state)
{
	fclose(f.out);
	free(out_text);
	json_decref(rows);
	return 0;
}

/* Rows of a table; ' stands for " */
static void given(const char *netid, const char *text)
{
	char *json = strdup(text);
	json_t *j;

	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	j = json_loads(json, 0, NULL);
	ok(j != NULL);
	ctl_ss_select(rows, netid, j, &opts);
	json_decref(j);
	free(json);
}

static const char *printed(void)
{
	fflush(f.out);
	rewind(f.out);
	fmt_ss(&f, rows);
	fputc('\0', f.out);
	fflush(f.out);
	return out_text;
}

#define LISTENER                                                                                   \
	"[{'state':'LISTEN','recv_q':0,'send_q':128,'local':'0.0.0.0','local_port':2024,"          \
	"'dst':'*','dst_port':0,'lcore':0},"                                                       \
	"{'state':'LISTEN','recv_q':0,'send_q':5,'local':'127.0.0.1','local_port':47279,"          \
	"'dst':'*','dst_port':0,'lcore':1,'fd':1048576}]"
#define CONNS                                                                                      \
	"[{'state':'ESTAB','recv_q':0,'send_q':0,'local':'127.0.0.1','local_port':44740,"          \
	"'dst':'127.0.0.1','dst_port':47279,'lcore':0},"                                           \
	"{'state':'ESTAB','recv_q':900,'send_q':0,'local':'127.0.0.1','local_port':47279,"         \
	"'dst':'127.0.0.1','dst_port':44740,'lcore':1,'fd':1048577}]"
#define UDP                                                                                        \
	"[{'state':'UNCONN','recv_q':832,'send_q':0,'local':'127.0.0.1','local_port':37194,"       \
	"'dst':'*','dst_port':0,'lcore':0,'drops':3,'fd':1048640,'skmem_rb':212992,"               \
	"'skmem_tb':212992},"                                                                      \
	"{'state':'UNCONN','recv_q':0,'send_q':0,'local':'*','local_port':53606,'dst':'*',"        \
	"'dst_port':0,'lcore':0,'drops':0}]"

T(both_protocols_have_their_netid)
{
	opts.ss.tcp = false;
	given("udp", UDP);
	given("tcp", LISTENER);
	given("tcp", CONNS);
	str_eq(printed(),
		"Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
		"udp   UNCONN 832    0          127.0.0.1:37194      0.0.0.0:*           \n"
		"udp   UNCONN 0      0                  *:53606            *:*           \n"
		"tcp   LISTEN 0      128          0.0.0.0:2024       0.0.0.0:*           \n"
		"tcp   LISTEN 0      5          127.0.0.1:47279      0.0.0.0:*           \n"
		"tcp   ESTAB  0      0          127.0.0.1:44740    127.0.0.1:47279       \n"
		"tcp   ESTAB  900    0          127.0.0.1:47279    127.0.0.1:44740       \n");
}

T(a_state_that_all_have_is_not_said)
{
	opts.ss.states = 1u << SS_ESTAB;
	given("tcp", LISTENER);
	given("tcp", CONNS);
	str_eq(printed(), "Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
			  "0      0          127.0.0.1:44740    127.0.0.1:47279       \n"
			  "900    0          127.0.0.1:47279    127.0.0.1:44740       \n");
}

T(without_a_header_columns_are_as_wide_as_what_is_in_them)
{
	opts.ss.no_header = true;
	given("tcp", LISTENER);
	given("tcp", CONNS);
	str_eq(printed(), "LISTEN 0      128      0.0.0.0:2024    0.0.0.0:*    \n"
			  "LISTEN 0      5      127.0.0.1:47279   0.0.0.0:*    \n"
			  "ESTAB  0      0      127.0.0.1:44740 127.0.0.1:47279\n"
			  "ESTAB  900    0      127.0.0.1:47279 127.0.0.1:44740\n");
}

T(users_are_lcores_and_descriptors)
{
	opts.ss.processes = true;
	given("tcp", LISTENER);
	str_eq(printed(), "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n"
			  "LISTEN 0      128          0.0.0.0:2024       0.0.0.0:*          \n"
			  "LISTEN 0      5          127.0.0.1:47279      0.0.0.0:*   "
			  " users:((\"lcore 1\",fd=1048576))\n");
}

T(udp_has_skmem_and_no_info)
{
	opts.ss = (struct ctl_ss){.udp = true, .states = SS_ALL, .memory = true, .info = true};
	given("udp", UDP);
	str_eq(printed(), "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess"
			  "                             \n"
			  "UNCONN 832    0          127.0.0.1:37194      0.0.0.0:*   "
			  "\n\t skmem:(r832,rb212992,tb212992,d3)\n"
			  "UNCONN 0      0                  *:53606            *:*   "
			  "\n\t skmem:(r0,d0)                    \n");
}

/* With all that a connection can have. */
#define FULL                                                                                       \
	"[{'state':'ESTAB','recv_q':1,'send_q':22,'local':'fd00:9::2','local_port':7,"             \
	"'dst':'fd00:9::1','dst_port':50000,'lcore':1,'fd':1048577,'timer':'on',"                  \
	"'timer_ms':204,'timer_retrans':1,'skmem_r':1,'skmem_rb':131072,'skmem_tb':87040,"         \
	"'skmem_w':22,'options':'ts sack ecn ecnseen','cc':'cubic','snd_wscale':7,"                \
	"'rcv_wscale':9,'rto_us':408000,'backoff':1,'rtt_us':1044,'rttvar_us':522,"                \
	"'ato_us':40000,'mss':1448,'pmtu':1500,'rcvmss':536,'advmss':1448,'cwnd':10,"              \
	"'ssthresh':7,'bytes_sent':1000,'bytes_retrans':30,'bytes_acked':948,"                     \
	"'bytes_received':1001,'lastsnd_ms':436,'lastrcv_ms':460,'delivered':2,'unacked':1,"       \
	"'retrans':1,'retrans_total':2,'lost':1,'sacked':4,'dsack_dups':5,'reordering':6,"         \
	"'reord_seen':8,'rcv_rtt_us':23500,'rcv_space':14480,'rcv_ssthresh':64088,"                \
	"'notsent':9,'minrtt_us':900,'snd_wnd':64256,'rcv_wnd':65536}]"
#define FULL_INFO                                                                                  \
	" ts sack ecn ecnseen cubic wscale:7,9 rto:408 backoff:1 rtt:1.044/0.522 ato:40 mss:1448"  \
	" pmtu:1500 rcvmss:536 advmss:1448 cwnd:10 ssthresh:7 bytes_sent:1000 bytes_retrans:30"    \
	" bytes_acked:948 bytes_received:1001 send 110957854bps lastsnd:436 lastrcv:460"           \
	" delivered:2 unacked:1 retrans:1/2 lost:1 sacked:4 dsack_dups:5 reordering:6"             \
	" reord_seen:8 rcv_rtt:23.5 rcv_space:14480 rcv_ssthresh:64088 notsent:9 minrtt:0.9"       \
	" snd_wnd:64256"

T(a_connection_tells_all)
{
	opts.ss = (struct ctl_ss){.tcp = true,
		.states = SS_ALL,
		.no_header = true,
		.info = true,
		.timers = true,
		.memory = true,
		.processes = true};
	given("tcp", FULL);
	str_eq(printed(), "ESTAB 1      22     [fd00:9::2]:7 [fd00:9::1]:50000"
			  " users:((\"lcore 1\",fd=1048577)) timer:(on,204ms,1)\n"
			  "\t skmem:(r1,rb131072,tb87040,w22)" FULL_INFO "\n");
	opts.ss.oneline = true;
	opts.ss.timers = opts.ss.memory = opts.ss.processes = false;
	str_eq(printed(), "ESTAB 1      22     [fd00:9::2]:7 [fd00:9::1]:50000 " FULL_INFO "\n");
}

/* As ss: no ssthresh before the first loss, no reordering that is the default. */
T(what_is_nothing_is_not_said)
{
	opts.ss.no_header = opts.ss.info = true;
	given("tcp", "[{'state':'ESTAB','recv_q':0,'send_q':0,'local':'10.0.0.2','local_port':7,"
		     "'dst':'10.0.0.1','dst_port':9,'lcore':0,'options':'','cc':'reno','mss':1460,"
		     "'cwnd':10,'ssthresh':2147483647,'retrans':0,'retrans_total':0,"
		     "'reordering':3},"
		     "{'state':'TIME-WAIT','recv_q':0,'send_q':0,'local':'10.0.0.2',"
		     "'local_port':7,'dst':'10.0.0.1','dst_port':8,'lcore':0}]");
	str_eq(printed(),
		"ESTAB     0      0      10.0.0.2:7 10.0.0.1:9\n\t reno mss:1460 cwnd:10\n"
		"TIME-WAIT 0      0      10.0.0.2:7 10.0.0.1:8\n\t                      \n");
}

static const char *timer(long long ms)
{
	char text[256];

	json_array_clear(rows);
	snprintf(text, sizeof(text),
		"[{'state':'ESTAB','local':'10.0.0.2','dst':'10.0.0.1','timer':'keepalive',"
		"'timer_ms':%lld,'timer_retrans':0}]",
		ms);
	given("tcp", text);
	return strstr(printed(), "timer:(keepalive,") + strlen("timer:(keepalive,");
}

T(time_left_is_coarser_the_more_there_is)
{
	opts.ss.timers = true;
	str_eq(timer(7), "007ms,0)\n");
	str_eq(timer(1200), "1.200ms,0)\n");
	str_eq(timer(9000), "9sec,0)\n");
	str_eq(timer(12345), "12sec,0)\n");
	str_eq(timer(61500), "1min1sec,0)\n");
	str_eq(timer(7140000), "119min,0)\n");
}

T(addresses_say_family_and_interface)
{
	opts.ss.no_header = true;
	given("tcp", "[{'state':'LISTEN','local':'*','local_port':1,'dst':'*'},"
		     "{'state':'LISTEN','local':'*','local_port':2,'dst':'*','v6only':1},"
		     "{'state':'LISTEN','local':'0.0.0.0','local_port':3,'dst':'*','dev':'t0'},"
		     "{'state':'LISTEN','local':'fe80::1','local_port':4,'dst':'*','dev':'t0.7'}]");
	str_eq(printed(), "LISTEN 0      0                   *:1       *:*\n"
			  "LISTEN 0      0                [::]:2    [::]:*\n"
			  "LISTEN 0      0          0.0.0.0%t0:3 0.0.0.0:*\n"
			  "LISTEN 0      0      [fe80::1]%t0.7:4    [::]:*\n");
}

static size_t chosen(bool v4, bool v6)
{
	json_array_clear(rows);
	opts.v4 = v4;
	opts.v6 = v6;
	given("tcp", "[{'state':'LISTEN','local':'*'},{'state':'LISTEN','local':'0.0.0.0'},"
		     "{'state':'LISTEN','local':'::1'}]");
	return json_array_size(rows);
}

T(families_are_of_the_socket)
{
	eq(chosen(false, false), 3);
	eq(chosen(true, false), 1);
	eq(chosen(false, true), 2);
	eq(chosen(true, true), 3);
}

/* The states of a command line, behind "ss"; 0: it is refused. */
static unsigned int states(struct ctl_ss ss, const char *line)
{
	char copy[128], *argv[8];
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	complaints = 0;
	ok(ctl_ss_parse(&ss, argc, argv) == !complaints);
	return complaints ? 0 : ss.states;
}

#define BIT(state) (1u << (state))

T(states_are_those_of_ss)
{
	const struct ctl_ss none = {0}, all = {.all = true}, listening = {.listening = true};

	eq(states(none, ""),
		SS_ALL & ~(BIT(SS_LISTEN) | BIT(SS_UNCONN) | BIT(SS_TIME_WAIT) | BIT(SS_SYN_RECV)));
	eq(states(all, ""), SS_ALL);
	eq(states(listening, ""), BIT(SS_LISTEN) | BIT(SS_UNCONN));
	eq(states(all, "state established"), BIT(SS_ESTAB));
	eq(states(none, "state time-wait state SYN-SENT"), BIT(SS_TIME_WAIT) | BIT(SS_SYN_SENT));
	eq(states(none, "exclude listening"), SS_ALL & ~BIT(SS_LISTEN));
	eq(states(none, "state bucket exclude syn-recv"), BIT(SS_TIME_WAIT));
	eq(states(none, "state synchronized"),
		SS_ALL & ~(BIT(SS_LISTEN) | BIT(SS_UNCONN) | BIT(SS_SYN_SENT)));
	eq(states(none, "state nonsense"), 0);
	eq(states(none, "state"), 0);
	eq(states(none, "sport = :7"), 0);
	eq(states(none, "state all exclude all"), 0);
}

/* What a newer or broken process sends must not crash. */
T(rows_without_their_keys_print)
{
	opts.ss = (struct ctl_ss){.states = SS_ALL,
		.all = true,
		.info = true,
		.memory = true,
		.timers = true,
		.processes = true};
	given("tcp", "[{},{'state':'NEW','local':7,'cc':'x','fd':'y','timer':3}]");
	given("udp", "[{}]");
	eq(json_array_size(rows), 3);
	printed();
}

#define F_(name) cmocka_unit_test_setup_teardown(name, start, stop)

RUN(F_(both_protocols_have_their_netid), F_(a_state_that_all_have_is_not_said),
	F_(without_a_header_columns_are_as_wide_as_what_is_in_them),
	F_(users_are_lcores_and_descriptors), F_(udp_has_skmem_and_no_info),
	F_(a_connection_tells_all), F_(what_is_nothing_is_not_said),
	F_(time_left_is_coarser_the_more_there_is), F_(addresses_say_family_and_interface),
	F_(families_are_of_the_socket), F_(states_are_those_of_ss),
	F_(rows_without_their_keys_print))
