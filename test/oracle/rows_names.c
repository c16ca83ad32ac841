/* SPDX-License-Identifier: BSD-3-Clause */
/* getaddrinfo(), getnameinfo(), getifaddrs(), by the hosts file of the world (kit.h). */
#define ROWS "names"
#include "kit.h"

#include <netdb.h>

#ifdef ORACLE_POLLUX
#include <plx_resolv.h>
#else
#include <ifaddrs.h>
#include <net/if.h>
#endif

static const char *eai_name(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {{0, "0"}, {EAI_BADFLAGS, "BADFLAGS"}, {EAI_NONAME, "NONAME"},
		{EAI_AGAIN, "AGAIN"}, {EAI_FAIL, "FAIL"}, {EAI_FAMILY, "FAMILY"},
		{EAI_SOCKTYPE, "SOCKTYPE"}, {EAI_SERVICE, "SERVICE"}, {EAI_MEMORY, "MEMORY"},
		{EAI_SYSTEM, "SYSTEM"}, {EAI_OVERFLOW, "OVERFLOW"}, {EAI_NODATA, "NODATA"},
		{EAI_ADDRFAMILY, "ADDRFAMILY"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == err)
			return names[i].name;
	return "?";
}

/* ---- getaddrinfo() ---- */

static const char *type_name(int type)
{
	return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "dgram" : "raw";
}

/* 10.9.0.1:80 stream/6 'NAME' */
static void say_entry(const struct addrinfo *ai)
{
	const struct sockaddr_in *in = (const void *)ai->ai_addr;
	const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;
	bool six = ai->ai_family == AF_INET6;
	char ip[INET6_ADDRSTRLEN];

	if (ai->ai_addrlen != (six ? sizeof(*in6) : sizeof(*in)) ||
		ai->ai_addr->sa_family != ai->ai_family)
		say("(odd)");
	inet_ntop(
		ai->ai_family, six ? (const void *)&in6->sin6_addr : &in->sin_addr, ip, sizeof(ip));
	say(six ? "[%s%s]:%u" : "%s%s:%u", ip,
		!six || !in6->sin6_scope_id	    ? ""
		: in6->sin6_scope_id == lan_index() ? "%lan"
						    : "%other",
		ntohs(in->sin_port)); /* at the same place in both */
	say("%s/%d", type_name(ai->ai_socktype), ai->ai_protocol);
	if (ai->ai_canonname)
		say("'%s'", ai->ai_canonname);
}

struct ask {
	const char *name, *what, *node, *service;
	int flags, family, type, protocol;
};

static void look(const char *node, const char *service, const struct addrinfo *hints)
{
	struct addrinfo *res = NULL;
	int err = S(getaddrinfo)(node, service, hints, &res);

	if (err) {
		say("%s", eai_name(err));
		return;
	}
	if (hints && res->ai_flags != hints->ai_flags)
		say("(flags %#x)", (unsigned int)res->ai_flags);
	for (const struct addrinfo *ai = res; ai; ai = ai->ai_next)
		say_entry(ai);
	S(freeaddrinfo)(res);
}

static void run_ask(const void *arg)
{
	const struct ask *a = arg;
	const struct addrinfo hints = {.ai_flags = a->flags,
		.ai_family = a->family,
		.ai_socktype = a->type,
		.ai_protocol = a->protocol};

	look(a->node, a->service, &hints);
}

#define LONG_LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct ask asks[] = {
	{"gai_v4", "a name, AF_INET", "both.example", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_v6", "a name, AF_INET6", "both.example", NULL, 0, AF_INET6, SOCK_STREAM},
	{"gai_order", "a name with addresses of both families: their order", "both.example", NULL,
		0, AF_UNSPEC, SOCK_STREAM},
	{"gai_unspec_v4", "one with an address of IPv4 alone", "four.example", NULL, 0, AF_UNSPEC,
		SOCK_STREAM},
	{"gai_unspec_v6", "of IPv6 alone", "six.example", NULL, 0, AF_UNSPEC, SOCK_STREAM},
	{"gai_many", "one with two addresses", "many.example", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_any_type", "no type in the hints", "four.example", NULL, 0, AF_INET, 0},
	{"gai_dgram", "SOCK_DGRAM", "four.example", NULL, 0, AF_INET, SOCK_DGRAM},
	{"gai_raw", "SOCK_RAW", "four.example", NULL, 0, AF_INET, SOCK_RAW},
	{"gai_seqpacket", "SOCK_SEQPACKET", "four.example", NULL, 0, AF_INET, SOCK_SEQPACKET},
	{"gai_type_77", "a type that there is not", "four.example", NULL, 0, AF_INET, 77},
	{"gai_tcp", "a protocol, no type", "four.example", NULL, 0, AF_INET, 0, IPPROTO_TCP},
	{"gai_tcp_dgram", "a type and another one's protocol", "four.example", NULL, 0, AF_INET,
		SOCK_DGRAM, IPPROTO_TCP},
	{"gai_raw_icmp", "SOCK_RAW and a protocol", "four.example", NULL, 0, AF_INET, SOCK_RAW,
		IPPROTO_ICMP},
	{"gai_alias", "an alias", "alias-of-four", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_upper_case", "in capitals", "FOUR.Example", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_final_dot", "with a dot behind it", "four.example.", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_canon", "AI_CANONNAME", "four.example", NULL, AI_CANONNAME, AF_INET, SOCK_STREAM},
	{"gai_canon_alias", "AI_CANONNAME of an alias", "alias-of-four", NULL, AI_CANONNAME,
		AF_INET, SOCK_STREAM},
	{"gai_canon_number", "AI_CANONNAME of a number", A2, NULL, AI_CANONNAME, AF_INET,
		SOCK_STREAM},
	{"gai_canon_types", "AI_CANONNAME, no type: in the first entry", "four.example", NULL,
		AI_CANONNAME, AF_INET, 0},
	{"gai_canon_nobody", "AI_CANONNAME without a name", NULL, "80", AI_CANONNAME, AF_INET,
		SOCK_STREAM},
	{"gai_not_v6", "a name without such addresses, AF_INET6", "four.example", NULL, 0, AF_INET6,
		SOCK_STREAM},
	{"gai_not_v4", "the same, AF_INET", "six.example", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_mapped", "AI_V4MAPPED, of IPv4 alone", "four.example", NULL, AI_V4MAPPED, AF_INET6,
		SOCK_STREAM},
	{"gai_mapped_both", "AI_V4MAPPED, of both", "both.example", NULL, AI_V4MAPPED, AF_INET6,
		SOCK_STREAM},
	{"gai_mapped_all", "AI_V4MAPPED and AI_ALL", "both.example", NULL, AI_V4MAPPED | AI_ALL,
		AF_INET6, SOCK_STREAM},
	{"gai_all", "AI_ALL alone", "both.example", NULL, AI_ALL, AF_INET6, SOCK_STREAM},
	{"gai_mapped_unspec", "AI_V4MAPPED, AF_UNSPEC", "four.example", NULL, AI_V4MAPPED,
		AF_UNSPEC, SOCK_STREAM},
	{"gai_mapped_v4", "AI_V4MAPPED, AF_INET", "four.example", NULL, AI_V4MAPPED, AF_INET,
		SOCK_STREAM},
	{"gai_addrconfig_v4", "AI_ADDRCONFIG, AF_INET", "four.example", NULL, AI_ADDRCONFIG,
		AF_INET, SOCK_STREAM},
	{"gai_addrconfig_v6", "AI_ADDRCONFIG, AF_INET6", "six.example", NULL, AI_ADDRCONFIG,
		AF_INET6, SOCK_STREAM},
	{"gai_number4", "a number of IPv4", A1, NULL, 0, AF_UNSPEC, SOCK_STREAM},
	{"gai_number6", "of IPv6", B1, NULL, 0, AF_UNSPEC, SOCK_STREAM},
	{"gai_number4_as_v6", "of IPv4, AF_INET6", A1, NULL, 0, AF_INET6, SOCK_STREAM},
	{"gai_number6_as_v4", "of IPv6, AF_INET", B1, NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_number4_mapped", "of IPv4, AF_INET6, AI_V4MAPPED", A1, NULL, AI_V4MAPPED, AF_INET6,
		SOCK_STREAM},
	{"gai_mapped_number", "a mapped number, AF_UNSPEC", "::ffff:" A1, NULL, 0, AF_UNSPEC,
		SOCK_STREAM},
	{"gai_mapped_number_v4", "a mapped number, AF_INET", "::ffff:" A1, NULL, 0, AF_INET,
		SOCK_STREAM},
	{"gai_mapped_number_v6", "a mapped number, AF_INET6", "::ffff:" A1, NULL, 0, AF_INET6,
		SOCK_STREAM},
	{"gai_short_number", "a number of two parts", "10.9", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_hex_number", "in hexadecimal and octal", "0xa.011.1", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_numerichost", "AI_NUMERICHOST", A1, NULL, AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM},
	{"gai_numerichost_name", "AI_NUMERICHOST and a name", "four.example", NULL, AI_NUMERICHOST,
		AF_UNSPEC, SOCK_STREAM},
	{"gai_scope", "a link-local address and its interface", "fe80::1%" LAN, NULL, 0, AF_UNSPEC,
		SOCK_STREAM},
	{"gai_scope_none", "an interface that there is not", "fe80::1%nope", NULL, 0, AF_UNSPEC,
		SOCK_STREAM},
	{"gai_scope_global", "an interface of an address that needs none", B1 "%" LAN, NULL, 0,
		AF_UNSPEC, SOCK_STREAM},
	{"gai_passive", "AI_PASSIVE without a name", NULL, "80", AI_PASSIVE, AF_UNSPEC,
		SOCK_STREAM},
	{"gai_passive_v4", "the same, AF_INET", NULL, "80", AI_PASSIVE, AF_INET, SOCK_STREAM},
	{"gai_passive_v6", "the same, AF_INET6", NULL, "80", AI_PASSIVE, AF_INET6, SOCK_STREAM},
	{"gai_passive_name", "AI_PASSIVE and a name", "four.example", "80", AI_PASSIVE, AF_INET,
		SOCK_STREAM},
	{"gai_nobody_v4", "no name, AF_INET", NULL, "80", 0, AF_INET, SOCK_STREAM},
	{"gai_nobody_v6", "no name, AF_INET6", NULL, "80", 0, AF_INET6, SOCK_STREAM},
	{"gai_nothing", "no name, no service", NULL, NULL, 0, AF_UNSPEC, SOCK_STREAM},
	{"gai_star", "the name *", "*", "80", 0, AF_INET, SOCK_STREAM},
	{"gai_empty", "an empty name", "", "80", 0, AF_INET, SOCK_STREAM},
	{"gai_service", "a service", A1, "http", 0, AF_INET, SOCK_STREAM},
	{"gai_service_types", "a service of TCP and UDP, no type", A1, "domain", 0, AF_INET, 0},
	{"gai_service_udp", "a service of UDP alone, no type", A1, "tftp", 0, AF_INET, 0},
	{"gai_service_other", "a service of UDP alone, SOCK_STREAM", A1, "tftp", 0, AF_INET,
		SOCK_STREAM},
	{"gai_service_raw", "a service, SOCK_RAW", A1, "http", 0, AF_INET, SOCK_RAW},
	{"gai_service_none", "a service that there is not", A1, "nosuch", 0, AF_INET, SOCK_STREAM},
	{"gai_port", "a port", A1, "80", 0, AF_INET, SOCK_STREAM},
	{"gai_port_0", "port 0", A1, "0", 0, AF_INET, SOCK_STREAM},
	{"gai_port_raw", "a port, SOCK_RAW", A1, "80", 0, AF_INET, SOCK_RAW},
	{"gai_port_types", "a port, no type", A1, "80", 0, AF_INET, 0},
	{"gai_port_65536", "port 65536", A1, "65536", 0, AF_INET, SOCK_STREAM},
	{"gai_port_minus", "port -1", A1, "-1", 0, AF_INET, SOCK_STREAM},
	{"gai_port_blank", "a port behind a blank", A1, " 80", 0, AF_INET, SOCK_STREAM},
	{"gai_port_more", "a port and a letter", A1, "80x", 0, AF_INET, SOCK_STREAM},
	{"gai_port_empty", "an empty service", A1, "", 0, AF_INET, SOCK_STREAM},
	{"gai_numericserv", "AI_NUMERICSERV", A1, "80", AI_NUMERICSERV, AF_INET, SOCK_STREAM},
	{"gai_numericserv_name", "AI_NUMERICSERV and a name", A1, "http", AI_NUMERICSERV, AF_INET,
		SOCK_STREAM},
	{"gai_badflags", "a flag that there is not", A1, "80", 0x100000, AF_INET, SOCK_STREAM},
	{"gai_family", "a family that there is not", A1, "80", 0, AF_UNIX, SOCK_STREAM},
	{"gai_unknown", "a name that nobody knows, and no server answers", "nosuch.example", NULL,
		0, AF_UNSPEC, SOCK_STREAM},
	{"gai_blank", "a name with a blank", "four example", NULL, 0, AF_INET, SOCK_STREAM},
	{"gai_long_label", "a label of 72 letters", LONG_LABEL ".example", NULL, 0, AF_INET,
		SOCK_STREAM},
	{"gai_two_dots", "two dots in a row", "four..example", NULL, 0, AF_INET, SOCK_STREAM},
};

__attribute__((constructor)) static void add_asks(void)
{
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		row_make(&(struct row){.group = ROWS,
			.name = asks[i].name,
			.what = asks[i].what,
			.order = (int)i,
			.fn = run_ask,
			.arg = &asks[i]});
}

ROW(gai_no_hints, "getaddrinfo() without hints")
{
	look("four.example", "80", NULL);
}

ROW(gai_free_null, "freeaddrinfo() of nothing")
{
	S(freeaddrinfo)(NULL);
	say("0");
}

/* ---- getnameinfo() ---- */

static void name_of(const char *ip, int port, int flags)
{
	char host[NI_MAXHOST] = "?", serv[NI_MAXSERV] = "?";
	struct at a = at(ip, port);
	int err = S(getnameinfo)(&a.sa, a.len, host, sizeof(host), serv, sizeof(serv), flags);

	if (err)
		say("%s", eai_name(err));
	else
		say("%s %s", host, serv);
}

ROW(gni_name, "getnameinfo(): names of the hosts file, and of services")
{
	name_of(A2, 80, 0);
	name_of(B2, 80, 0);
}

ROW(gni_mapped, "getnameinfo() of a mapped address")
{
	name_of("::ffff:" A2, 80, 0);
}

ROW(gni_numeric, "getnameinfo(): NI_NUMERICHOST, NI_NUMERICSERV")
{
	name_of(A2, 80, NI_NUMERICHOST);
	name_of(A2, 80, NI_NUMERICSERV);
	name_of(B2, 80, NI_NUMERICHOST | NI_NUMERICSERV);
	name_of("::ffff:" A2, 80, NI_NUMERICHOST | NI_NUMERICSERV);
}

ROW(gni_dgram, "getnameinfo(): NI_DGRAM: a port that is another service there")
{
	name_of(A2, 514, 0);
	name_of(A2, 514, NI_DGRAM);
	name_of(A2, 69, 0);
	name_of(A2, 69, NI_DGRAM);
}

ROW(gni_unknown, "getnameinfo() of an address that nobody knows, and no server answers")
{
	name_of(NOBODY, 1, 0);
	name_of(NOBODY, 1, NI_NAMEREQD);
}

ROW(gni_namereqd, "getnameinfo(): NI_NAMEREQD")
{
	name_of(A2, 80, NI_NAMEREQD);
	name_of(A2, 80, NI_NAMEREQD | NI_NUMERICHOST);
}

ROW(gni_scope, "getnameinfo() of a link-local address")
{
	char host[NI_MAXHOST];
	struct at a = at("fe80::1", 0);

	a.in6.sin6_scope_id = lan_index();
	say("%s", eai_name(S(getnameinfo)(
			  &a.sa, a.len, host, sizeof(host), NULL, 0, NI_NUMERICHOST)));
	say("%s", host);
}

ROW(gni_room, "getnameinfo() with little room")
{
	char host[4] = "", serv[3] = "";
	struct at a = at(A2, 80);
	const int numbers = NI_NUMERICHOST | NI_NUMERICSERV;

	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, host, 4, NULL, 0, 0)));
	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, host, 4, NULL, 0, numbers)));
	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, NULL, 0, serv, 2, numbers)));
	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, NULL, 0, serv, 3, numbers)));
	say("%s", serv);
	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, NULL, 0, NULL, 0, numbers)));
	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, NULL, 0, NULL, 0, NI_NAMEREQD)));
}

ROW(gni_bad, "getnameinfo(): a flag, a family, a length that there is not")
{
	char host[NI_MAXHOST];
	struct at a = at(A2, 80), x = at(A2, 80);

	x.sa.sa_family = 77;
	say("%s", eai_name(S(getnameinfo)(&a.sa, a.len, host, sizeof(host), NULL, 0, 0x10000)));
	say("%s", eai_name(S(getnameinfo)(&x.sa, x.len, host, sizeof(host), NULL, 0, 0)));
	say("%s", eai_name(S(getnameinfo)(&a.sa, 4, host, sizeof(host), NULL, 0, 0)));
	say("%s", eai_name(S(getnameinfo)(&a.sa, 0, host, sizeof(host), NULL, 0, 0)));
}

/* ---- interfaces ---- */

static void say_ip(const struct sockaddr *sa)
{
	char ip[INET6_ADDRSTRLEN] = "none";

	if (sa && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, ip,
			sizeof(ip));
	else if (sa)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, ip,
			sizeof(ip));
	say("%s", ip);
}

static bool is_local(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static void say_addresses(int family, bool broadcast)
{
	struct ifaddrs *list = NULL;

	if (num(S(getifaddrs)(&list)) < 0)
		return;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (strcmp(i->ifa_name, LAN) != 0 || !i->ifa_addr ||
			i->ifa_addr->sa_family != family || is_local(i->ifa_addr))
			continue;
		say_ip(i->ifa_addr);
		say_ip(i->ifa_netmask);
		if (broadcast)
			say_ip(i->ifa_broadaddr);
	}
	S(freeifaddrs)(list);
}

ROW(ifaddrs_v4, "getifaddrs(): address, mask, broadcast address of IPv4")
{
	say_addresses(AF_INET, true);
}

ROW(ifaddrs_v6, "getifaddrs(): address, mask of IPv6")
{
	struct ifaddrs *list = NULL;
	int n = 0;

	num(S(getifaddrs)(&list)); /* in an order that is not told */
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		n += strcmp(i->ifa_name, LAN) == 0 && i->ifa_addr &&
		     i->ifa_addr->sa_family == AF_INET6 && !is_local(i->ifa_addr);
	S(freeifaddrs)(list);
	say("%d", n);
}

ROW(ifaddrs_flags, "getifaddrs(): flags of an interface; each has an entry of AF_PACKET")
{
	struct ifaddrs *list = NULL;

	num(S(getifaddrs)(&list));
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		if (strcmp(i->ifa_name, LAN) == 0 && i->ifa_addr &&
			i->ifa_addr->sa_family == AF_PACKET)
			say("%s%s%s%s", i->ifa_flags & IFF_UP ? "UP" : "",
				i->ifa_flags & IFF_BROADCAST ? "+BROADCAST" : "",
				i->ifa_flags & IFF_MULTICAST ? "+MULTICAST" : "",
				i->ifa_flags & IFF_LOOPBACK ? "+LOOPBACK" : "");
	S(freeifaddrs)(list);
}

ROW(ifaddrs_free_null, "freeifaddrs() of nothing")
{
	S(freeifaddrs)(NULL);
	say("0");
}

ROW(if_names, "if_nametoindex(), if_indextoname()")
{
	char name[100];

	say("%s", S(if_nametoindex)(LAN) == lan_index() ? "index" : "another");
	errno = 0;
	say("%u", S(if_nametoindex)("nope"));
	say("%s", errno_name(errno));
	say("%s", S(if_indextoname)(lan_index(), name) ? name : "none");
	say("%s", S(if_indextoname)(60000, name) ? name : errno_name(errno));
}
