/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_t.h"

#include <arpa/nameser.h>

#include <plx_resolv.h>

#include "../../lib/resolv/resolv.h"

/*
 * Names: the files, the order, what getaddrinfo() gives beside what libc's gives, and DNS, with a
 * name server that the tests play on a socket of the same stack.
 */

/* ---- AI_ADDRCONFIG ---- */

/* The family that is looked for, or EAI_*. */
static int configured(int family, int flags, bool v4, bool v6)
{
	struct resolv_want w = {.family = family, .flags = flags};
	int err = resolv__addrconfig(&w, v4, v6);

	return err ? err : w.family;
}

T(families_without_an_address_are_left_out)
{
	eq(configured(AF_UNSPEC, AI_ADDRCONFIG, true, true), AF_UNSPEC);
	eq(configured(AF_UNSPEC, AI_ADDRCONFIG, true, false), AF_INET);
	eq(configured(AF_UNSPEC, AI_ADDRCONFIG, false, true), AF_INET6);
	eq(configured(AF_UNSPEC, AI_ADDRCONFIG, false, false), AF_UNSPEC);
	eq(configured(AF_INET, AI_ADDRCONFIG, true, false), AF_INET);
	eq(configured(AF_INET, AI_ADDRCONFIG, false, true), EAI_NONAME);
	eq(configured(AF_INET6, AI_ADDRCONFIG, true, false), EAI_NONAME);
	eq(configured(AF_INET6, AI_ADDRCONFIG, true, true), AF_INET6);
	eq(configured(AF_UNSPEC, AI_V4MAPPED, true, false), AF_UNSPEC);
	eq(configured(AF_INET6, AI_V4MAPPED, true, false), AF_INET6);
}

/* ---- files ---- */

static FILE *file_of(const char *text)
{
	return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

T(resolv_conf)
{
	FILE *f = file_of("# a comment\n"
			  "nameserver 10.0.0.1\n"
			  "nameserver 2001:db8::1 ; and more\n"
			  "nameserver nonsense\n"
			  "domain gone.example\n"
			  "search a.example b.example\n"
			  "options ndots:99 timeout:2 attempts:3 rotate edns0 use-vc unknown\n"
			  "sortlist 10.0.0.0\n");
	struct resolv_conf c;

	resolv__conf_read(&c, f);
	fclose(f);
	eq(c.n_server, 2);
	str_eq(c.server[0], "10.0.0.1:53");
	str_eq(c.server[1], "[2001:db8::1]:53");
	eq(c.n_search, 2);
	str_eq(c.search[0], "a.example");
	eq(c.ndots, 15);
	eq(c.timeout_s, 2);
	eq(c.attempts, 3);
	ok(c.rotate && c.edns0 && c.use_vc);
	resolv__conf_read(&c, NULL);
	eq(c.n_server, 0);
	eq(c.ndots, 1);
	eq(c.timeout_s, 5);
	eq(c.attempts, 2);
}

T(servers_that_are_given)
{
	static const char *const good[] = {
		"10.0.0.1", "10.0.0.1:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:53"};
	static const char *const bad[] = {"", "a.example", "10.0.0.1:0", "10.0.0.1:70000",
		"[2001:db8::1", "[::]", "0.0.0.0", "10.0.0.1:", "[2001:db8::1]53"};
	struct resolv_conf c;
	const struct plx_resolv_conf given = {.server = {"10.0.0.1:5353"}, .search = {"x.example"}};

	for (size_t i = 0; i < PLX_DIM(good); i++)
		ok(plx_resolv_server_ok(good[i]));
	for (size_t i = 0; i < PLX_DIM(bad); i++)
		ok(!plx_resolv_server_ok(bad[i]));
	resolv__conf_read(&c, NULL);
	eq(resolv__conf_override(&c, &given), 0);
	str_eq(c.server[0], "10.0.0.1:5353");
	str_eq(c.search[0], "x.example");
}

T(hosts)
{
	FILE *f = file_of("10.0.0.1 one.example one # comment\n"
			  "bad line\n"
			  "\n"
			  "2001:db8::1\tone.example\n"
			  "10.0.0.3 three");
	struct plx_addr a = t_addr("10.0.0.1");
	const struct resolv_host *e;
	struct resolv_hosts h;
	unsigned int at = 0;

	eq(resolv__hosts_read(&h, f), 0);
	fclose(f);
	eq(h.n, 4);
	e = resolv__hosts_next(&h, "ONE.example.", &at);
	ok(plx_addr_eq(&e->addr, &a));
	e = resolv__hosts_next(&h, "one.example", &at);
	ok(!plx_addr_is_v4(&e->addr));
	ok(!resolv__hosts_next(&h, "one.example", &at));
	at = 0;
	str_eq(resolv__hosts_next(&h, "one", &at)->canon, "one.example");
	str_eq(resolv__hosts_name(&h, &a), "one.example");
	a = t_addr("10.0.0.9");
	ok(!resolv__hosts_name(&h, &a));
	resolv__hosts_free(&h);
}

/* ---- order: RFC 6724, 10.2 ---- */

static bool before(const char *a, const char *src_a, const char *b, const char *src_b)
{
	struct plx_addr x = t_addr(a), y = t_addr(b);
	struct resolv_way wx = {.usable = src_a}, wy = {.usable = src_b};

	if (src_a)
		wx.src = t_addr(src_a);
	if (src_b)
		wy.src = t_addr(src_b);
	ok(!resolv__before(&x, &wx, &x, &wx));
	if (resolv__before(&x, &wx, &y, &wy))
		ok(!resolv__before(&y, &wy, &x, &wx));
	return resolv__before(&x, &wx, &y, &wy);
}

T(order)
{
	/* matching scope */
	ok(before("2001:db8:1::1", "2001:db8:1::2", "198.51.100.121", "169.254.13.78"));
	ok(before("198.51.100.121", "198.51.100.117", "2001:db8:1::1", "fe80::1"));
	/* precedence */
	ok(before("2001:db8:1::1", "2001:db8:1::2", "10.1.2.3", "10.1.2.4"));
	/* smaller scope */
	ok(before("fe80::1", "fe80::2", "2001:db8:1::1", "2001:db8:1::2"));
	/* matching label */
	ok(before("2002:c633:6401::1", "2002:c633:6401::2", "2001:db8:1::1", "2002:c633:6401::2"));
	/* precedence, again */
	ok(before("2001:db8:1::1", "2001:db8:1::2", "2002:c633:6401::1", "2002:c633:6401::2"));
	/* one that cannot be reached */
	ok(before("10.1.2.3", "10.1.2.4", "2001:db8:1::1", NULL));
	/* longest prefix, of IPv6 alone */
	ok(before("2001:db8:3ffe::1", "2001:db8:3f44::2", "2001:db8:1::1", "2001:db8:3f44::2"));
	ok(!before("10.1.2.3", "10.1.2.4", "10.9.2.3", "10.1.2.4"));
}

/* ---- beside libc ---- */

static void say(FILE *out, int err, const struct addrinfo *res)
{
	fprintf(out, "%d:", err);
	for (const struct addrinfo *ai = res; !err && ai; ai = ai->ai_next) {
		const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;

		fprintf(out, " %d/%d/%d/%d/%x %s%%%u %s", ai->ai_family, ai->ai_socktype,
			ai->ai_protocol, (int)ai->ai_addrlen, ai->ai_flags,
			st_text((const void *)ai->ai_addr),
			ai->ai_family == AF_INET6 ? in6->sin6_scope_id : 0,
			ai->ai_canonname ? ai->ai_canonname : "-");
	}
}

static void compare(const char *node, const char *service, const struct addrinfo *hints)
{
	struct addrinfo *res = NULL;
	char ours[2048] = "", libcs[2048] = "";
	FILE *f = fmemopen(ours, sizeof(ours), "w");
	int err = plx_getaddrinfo(node, service, hints, &res);

	say(f, err, res);
	fclose(f);
	if (!err)
		plx_freeaddrinfo(res);
	f = fmemopen(libcs, sizeof(libcs), "w");
	err = getaddrinfo(node, service, hints, &res);
	say(f, err, res);
	fclose(f);
	if (!err)
		freeaddrinfo(res);
	if (strcmp(ours, libcs) != 0)
		fail_msg("%s, %s, flags %x family %d type %d: ours '%s', libc's '%s'",
			node ? node : "(null)", service ? service : "(null)",
			hints ? (unsigned int)hints->ai_flags : 0, hints ? hints->ai_family : 0,
			hints ? hints->ai_socktype : 0, ours, libcs);
}

static struct plx_resolv *resolv_new(const char *const *server)
{
	struct plx_resolv_conf c = {.file = "/dev/null", .hosts = "/dev/null"};
	struct plx_resolv *r;
	struct plx_error e;

	for (int i = 0; server && server[i]; i++)
		c.server[i] = server[i];
	st_new();
	r = plx_resolv_create(nt.net, st.s, &c, &e);
	assert_non_null(r);
	nt_run();
	return r;
}

T(numbers_beside_libc)
{
	static const char *const nodes[] = {NULL, "127.0.0.1", "10.0.0.7", "10.7", "0x7f.1", "::1",
		"2001:db8::7", "::ffff:10.0.0.7", "fe80::1%3", "2001:db8::1%nosuch", "*",
		"1.2.3.4.5"};
	static const char *const services[] = {
		NULL, "80", "0", "65536", "http", "domain", "nosuchservice", "*"};
	static const int flags[] = {0, AI_PASSIVE, AI_NUMERICHOST, AI_NUMERICHOST | AI_CANONNAME,
		AI_NUMERICHOST | AI_NUMERICSERV, AI_NUMERICHOST | AI_V4MAPPED,
		AI_NUMERICHOST | AI_V4MAPPED | AI_ALL, 0x8000};
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX};
	static const int types[] = {0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, 77};
	struct plx_resolv *r = resolv_new(NULL);

	for (size_t n = 0; n < PLX_DIM(nodes); n++)
		for (size_t s = 0; s < PLX_DIM(services); s++)
			for (size_t f = 0; f < PLX_DIM(flags); f++)
				for (size_t a = 0; a < PLX_DIM(families); a++)
					for (size_t t = 0; t < PLX_DIM(types); t++) {
						const struct addrinfo h = {.ai_flags = flags[f],
							.ai_family = families[a],
							.ai_socktype = types[t]};

						/* what is no number libc asks its servers for */
						if (flags[f] & AI_NUMERICHOST || !nodes[n])
							compare(nodes[n], services[s], &h);
					}
	plx_resolv_destroy(r);
}

static void compare_name(const char *addr, uint16_t port, int flags, socklen_t room)
{
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, addr, port);
	char h[2][80] = {"", ""}, s[2][80] = {"", ""};
	int ours = plx_getnameinfo((struct sockaddr *)&ss, len, h[0], room, s[0], 80, flags);
	int libcs = getnameinfo((struct sockaddr *)&ss, len, h[1], room, s[1], 80, flags);

	eq(ours, libcs);
	if (!ours) {
		str_eq(h[0], h[1]);
		str_eq(s[0], s[1]);
	}
}

T(names_of_numbers_beside_libc)
{
	struct plx_resolv *r = resolv_new(NULL);

	compare_name("10.0.0.7", 80, NI_NUMERICHOST | NI_NUMERICSERV, 80);
	compare_name("10.0.0.7", 80, NI_NUMERICHOST, 80);
	compare_name("10.0.0.7", 53, NI_NUMERICHOST | NI_DGRAM, 80);
	compare_name("2001:db8::7", 9, NI_NUMERICHOST | NI_NUMERICSERV, 80);
	compare_name("2001:db8::7", 9, NI_NUMERICHOST | NI_NUMERICSERV, 5);
	compare_name("10.0.0.7", 80, NI_NUMERICHOST | NI_NAMEREQD, 80);
	compare_name("10.0.0.7", 80, 0x4000, 80);
	plx_resolv_destroy(r);
}

/* ---- a name server ---- */

static struct server {
	int udp, listener, conn;
	int asked, asked_tcp; /* questions so far */
} srv;

static size_t put_name(uint8_t *p, const char *name)
{
	uint8_t *at = p;

	while (*name) {
		size_t n = strcspn(name, ".");

		*at++ = (uint8_t)n;
		memcpy(at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	*at++ = 0;
	return (size_t)(at - p);
}

static uint8_t *put_rr(uint8_t *p, const char *owner, uint16_t type, const void *data, size_t n)
{
	p += put_name(p, owner);
	plx_put_be16(p, type);
	plx_put_be16(p + 2, ns_c_in);
	plx_put_be16(p + 4, 0);
	plx_put_be16(p + 6, 60); /* seconds to live */
	plx_put_be16(p + 8, (uint16_t)n);
	memcpy(p + 10, data, n);
	return p + 10 + n;
}

/* The answer to question q of n bytes, in place. @return its length. */
static size_t reply(uint8_t *q, size_t n, bool tcp)
{
	static const uint8_t a4[] = {10, 0, 0, 9}, long4[] = {10, 0, 0, 8};
	uint8_t a6[16] = {0x20, 1, 0xd, 0xb8, [15] = 9}, name[256], *p;
	char text[256] = "";
	uint16_t type, answers = 0;
	size_t at = 12, len;

	for (; q[at]; at += q[at] + 1u) {
		strncat(text, (const char *)q + at + 1, q[at]);
		strcat(text, ".");
	}
	type = plx_get_be16(q + at + 1);
	p = q + at + 5;
	q[2] = 0x81; /* an answer */
	q[3] = 0x80;
	plx_put_be16(q + 10, 0); /* without EDNS */
	if (strcmp(text, "two.example.") == 0 && type == ns_t_a)
		p = put_rr(p, text, type, a4, 4), answers = 1;
	else if (strcmp(text, "two.example.") == 0 && type == ns_t_aaaa)
		p = put_rr(p, text, type, a6, 16), answers = 1;
	else if (strcmp(text, "alias.example.") == 0 && type == ns_t_a) {
		len = put_name(name, "two.example");
		p = put_rr(p, text, ns_t_cname, name, len);
		p = put_rr(p, "two.example", type, a4, 4);
		answers = 2;
	} else if (strcmp(text, "long.example.") == 0 && type == ns_t_a && !tcp) {
		q[2] |= 2; /* truncated */
	} else if (strcmp(text, "long.example.") == 0 && type == ns_t_a) {
		for (; answers < 40; answers++)
			p = put_rr(p, text, type, long4, 4);
	} else if (strcmp(text, "9.0.0.10.in-addr.arpa.") == 0) {
		len = put_name(name, "two.example");
		p = put_rr(p, text, type, name, len), answers = 1;
	} else if (strcmp(text, "broken.example.") == 0) {
		q[3] |= ns_r_servfail;
	} else if (strncmp(text, "nosuch", 6) == 0) {
		q[3] |= ns_r_nxdomain;
	}
	plx_put_be16(q + 6, answers);
	return (size_t)(p - q);
}

static void server_new(void)
{
	srv = (struct server){.udp = plx_socket(AF_INET, SOCK_DGRAM, 0), .conn = -1};
	eq(st_bind(srv.udp, "10.0.0.2", 53), 0);
	srv.listener = st_listen("10.0.0.2", 53);
}

static void serve_tcp(void)
{
	uint8_t b[4096];
	ssize_t n;

	if (srv.conn < 0)
		srv.conn = plx_accept(srv.listener, NULL, NULL);
	if (srv.conn < 0)
		return;
	n = plx_read(srv.conn, b, sizeof(b));
	if (n <= 2)
		return;
	srv.asked_tcp++;
	n = (ssize_t)reply(b + 2, (size_t)n - 2, true);
	plx_put_be16(b, (uint16_t)n);
	eq(plx_write(srv.conn, b, (size_t)n + 2), n + 2);
}

static void serve(void)
{
	struct sockaddr_storage ss;
	uint8_t b[4096];

	for (int turn = 0; turn < 20; turn++) {
		socklen_t len = sizeof(ss);
		ssize_t n = plx_recvfrom(srv.udp, b, sizeof(b), 0, (struct sockaddr *)&ss, &len);

		if (n > 0) {
			srv.asked++;
			n = (ssize_t)reply(b, (size_t)n, false);
			plx_sendto(srv.udp, b, (size_t)n, 0, (struct sockaddr *)&ss, len);
		}
		serve_tcp();
		st_run();
	}
}

/* ---- queries of an lcore ---- */

static struct {
	int calls, err;
	char text[4096];
} got;

static void done(struct plx_resolv_query *q, int err, struct addrinfo *res, const char *name)
{
	FILE *f = fmemopen(got.text, sizeof(got.text), "w");

	got.calls++;
	got.err = err;
	if (name)
		fputs(name, f);
	for (const struct addrinfo *ai = res; ai; ai = ai->ai_next)
		fprintf(f, "%s%s", ai == res ? "" : " ", st_text((const void *)ai->ai_addr));
	if (res && res->ai_canonname)
		fprintf(f, " %s", res->ai_canonname);
	fputc('\0', f);
	fclose(f);
	plx_freeaddrinfo(res);
}

static const char *ask(const char *node, int family)
{
	const struct addrinfo h = {
		.ai_socktype = SOCK_STREAM, .ai_family = family, .ai_flags = AI_CANONNAME};
	struct plx_resolv_query q = {.done = done};

	got.calls = 0;
	plx_resolv_addr(&q, node, "80", &h);
	serve();
	eq(got.calls, 1);
	return got.text;
}

static const char *const servers[] = {"10.0.0.2", NULL};

T(by_dns)
{
	struct plx_resolv *r = resolv_new(servers);

	server_new();
	str_eq(ask("two.example", AF_INET), "10.0.0.9:80 two.example");
	str_eq(ask("two.example", AF_INET6), "[2001:db8::9]:80 two.example");
	str_eq(ask("two.example", AF_UNSPEC), "[2001:db8::9]:80 10.0.0.9:80 two.example");
	str_eq(ask("alias.example", AF_INET), "10.0.0.9:80 two.example");
	ask("nosuch.example", AF_UNSPEC);
	eq(got.err, EAI_NONAME);
	ask("alias.example", AF_INET6);
	eq(got.err, EAI_NODATA);
	ask("broken.example", AF_INET);
	eq(got.err, EAI_AGAIN);
	plx_resolv_destroy(r);
}

T(what_is_truncated_comes_by_tcp)
{
	struct plx_resolv *r = resolv_new(servers);

	server_new();
	ask("long.example", AF_INET);
	eq(got.err, 0);
	eq(srv.asked_tcp, 1);
	eq(strlen(got.text), 40 * strlen("10.0.0.8:80 ") + strlen("long.example"));
	plx_resolv_destroy(r);
}

T(the_name_of_an_address)
{
	struct plx_resolv *r = resolv_new(servers);
	struct plx_resolv_query q = {.done = done};
	struct sockaddr_storage ss;
	socklen_t len = st_sa(&ss, "10.0.0.9", 0);

	server_new();
	got.calls = 0;
	plx_resolv_name(&q, (struct sockaddr *)&ss, len);
	serve();
	eq(got.calls, 1);
	str_eq(got.text, "two.example");
	plx_resolv_destroy(r);
}

T(an_lcore_does_not_wait)
{
	struct plx_resolv *r = resolv_new(servers);
	struct addrinfo *res;

	errno = 0;
	eq(plx_getaddrinfo("two.example", NULL, NULL, &res), EAI_SYSTEM);
	eq(errno, EAGAIN);
	plx_resolv_destroy(r);
}

/* Given up, or the resolver goes: done() is not called, or tells so. */
T(an_end_before_the_answer)
{
	const struct addrinfo h = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
	struct plx_resolv_query q = {.done = done}, q2 = {.done = done};
	struct plx_resolv *r = resolv_new(servers);

	server_new();
	got.calls = 0;
	plx_resolv_addr(&q, "two.example", NULL, &h);
	plx_resolv_cancel(&q);
	plx_resolv_cancel(&q);
	serve();
	eq(got.calls, 0);
	plx_resolv_addr(&q2, "two.example", NULL, &h);
	plx_resolv_destroy(r);
	eq(got.calls, 1);
	eq(got.err, EAI_SYSTEM);
}

/* ---- a thread that waits ---- */

static int thread_id;

/* Does it sleep, having begun its query? */
static bool sleeps(const struct plx_resolv *r)
{
	char path[64], state = '?';
	FILE *f;

	if (!__atomic_load_n(&r->lcore[0].jobs, __ATOMIC_ACQUIRE))
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE));
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d %*s %c", &state) != 1)
		state = '?';
	if (f)
		fclose(f);
	return state == 'S';
}

static void *thread_asks(void *arg)
{
	const struct addrinfo h = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
	struct addrinfo *res = NULL;

	__atomic_store_n(&thread_id, gettid(), __ATOMIC_RELEASE);
	*(int *)arg = plx_getaddrinfo("two.example", "80", &h, &res);
	return res;
}

T(a_thread_waits)
{
	struct plx_resolv *r = resolv_new(servers);
	void *res = NULL;
	int err = 1;
	pthread_t t;

	server_new();
	eq(pthread_create(&t, NULL, thread_asks, &err), 0);
	/* a stepped engine: what the thread has the lcore do must not meet what we have it do */
	for (int i = 0; i < 5000 && !sleeps(r); i++)
		usleep(1000);
	ok(sleeps(r));
	for (int i = 0; i < 5000 && pthread_tryjoin_np(t, &res) != 0; i++) {
		usleep(1000);
		serve();
	}
	eq(err, 0);
	str_eq(st_text((const void *)((const struct addrinfo *)res)->ai_addr), "10.0.0.9:80");
	plx_freeaddrinfo(res);
	plx_resolv_destroy(r);
}

RUN_EAL(T_(families_without_an_address_are_left_out), T_(resolv_conf), T_(servers_that_are_given),
	T_(hosts), T_(order), ST_(numbers_beside_libc), ST_(names_of_numbers_beside_libc),
	ST_(by_dns), ST_(what_is_truncated_comes_by_tcp), ST_(the_name_of_an_address),
	ST_(an_lcore_does_not_wait), ST_(an_end_before_the_answer), ST_(a_thread_waits))
